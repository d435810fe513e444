"""The ledger: the durable memory of every delivery, its numbers, and an audit that cannot be changed unnoticed."""

from __future__ import annotations

import datetime as dt
import logging
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.delivery import _audit, _recovery, _reencrypting, _retention
from mlconnector.delivery._crosswalk import Crosswalk
from mlconnector.delivery._database import Row
from mlconnector.delivery._high_water import default_path
from mlconnector.delivery._history import History
from mlconnector.delivery._inbox import Inbox
from mlconnector.delivery._retention import Hold, Pruned
from mlconnector.delivery._rows import (
    Attention,
    Delivery,
    OrderState,
    attention_of,
    delivery_of,
    event_of,
    order_state_of,
)
from mlconnector.delivery._sealing import KeySource
from mlconnector.delivery._store import POSTGRES, Lease, Store, Transaction
from mlconnector.delivery._worklist import Worklist
from mlconnector.errors import InvalidArgument, LeaseLost, LedgerError, LedgerMismatch

__all__ = ["Ledger"]

log = logging.getLogger("mlconnector.delivery")

_SET_BACK = dt.timedelta(minutes=1)
"""Clocks of several hosts differ by less; more than that somebody has set one."""


class Ledger:
    """The durable memory of flows and syncs.

    Args:
        path: A file on a local disk; ``"postgresql://user@host/database"`` (extra ``postgres``), for workers on several
            hosts; or ``":memory:"`` for tests.
        actor: Who acts; stands in every audit event.
        high_water: Where the high-water file lies; by default in the user's state directory (delivery rule 13). Needed
            for PostgreSQL, outside of what its backups hold.
        retain_years: How long nothing is pruned (rule B7).
        four_eyes: Payee changes wait for a second actor (rule B7).
        keys: Where its keys are, e.g. ``mc.stored("acme-ledger")`` (extra ``vault``): documents, payloads and messages
            are kept encrypted. Several: the first one encrypts, each of them decrypts; see :meth:`reencrypt`.
        clock: For tests.

    Raises:
        InvalidArgument: An option that cannot be meant.
        CredentialsNotFound: No source holds a key.
        LedgerError: No ledger, one of a newer form, one on a network file system, one that cannot be written to, or one
            that was encrypted by a key that is not given.
        MissingExtra: psycopg or cryptography is not installed.

    A ledger that is older than it once was, or lost, opens: it can be read, backed up and recovered. Whatever would
    write to it raises ``LedgerRestored`` (delivery rule 13).
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        actor: str,
        high_water: str | os.PathLike[str] | None = None,
        retain_years: int = 10,
        four_eyes: bool = False,
        keys: KeySource | Sequence[KeySource] = (),
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        name = os.fspath(path)
        if name.startswith(POSTGRES) and high_water is None:
            raise InvalidArgument(
                "high_water=None: a ledger in PostgreSQL needs a place for its high-water file.",
                cure="Give a path outside of the database's own disks and backups (delivery rule 13).",
            )
        if not actor.strip():
            raise InvalidArgument(f"actor={actor!r} names nobody.", cure='Say who acts, e.g. actor="nightly job".')
        if type(retain_years) is not int or retain_years < 0:
            raise InvalidArgument(f"retain_years={retain_years!r} is no number of years.", cure="Give 0 or more.")
        place = None
        if name != ":memory:":
            place = Path(high_water) if high_water is not None else default_path(Path(name))
        self.clock = clock
        self.retain_years = retain_years
        self.four_eyes = four_eyes
        sources = tuple(keys) if isinstance(keys, Sequence) else (keys,)
        self.store: Store = Store(name, actor=actor, clock=clock, high_water=place, keys=sources)
        self.crosswalk: Crosswalk = Crosswalk(self.store, four_eyes=four_eyes)
        self.worklist: Worklist = Worklist(self.store)
        self.inbox: Inbox = Inbox(self.store)

    @property
    def actor(self) -> str:
        """Who acts."""
        return self.store.actor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Ledger({self.store.name!r}, actor={self.actor!r})"

    def close(self) -> None:
        """Close the database; a second call does nothing."""
        self.store.close()

    def deliveries(
        self,
        flow: str | None = None,
        kind: str | None = None,
        state: str | None = None,
        key: str | None = None,
        older_than: dt.timedelta | None = None,
    ) -> list[Delivery]:
        """Deliveries, in the order they were recorded.

        Args:
            flow: Name of the flow, or of one of its syncs (``"name/kind"``).
            kind: Kind of document. ``state``: as on :class:`Delivery`. ``key``: natural key.
            older_than: Only those recorded at least this long ago.
        """
        wanted = {"kind": kind, "state": state, "key": key}
        terms = [f"{column} = ?" for column, value in wanted.items() if value is not None]
        values = [value for value in wanted.values() if value is not None]
        if flow is not None:
            terms.append("(sync = ? OR substr(sync, 1, ?) = ?)")
            values += [flow, len(flow) + 1, f"{flow}/"]  # type: ignore[list-item]  # a length among texts
        where = f" WHERE {' AND '.join(terms)}" if terms else ""
        now = self.clock.now()
        rows = self.store.read(f"SELECT * FROM deliveries{where} ORDER BY id", values)  # noqa: S608 - own columns
        found = [delivery_of(row, now) for row in rows]
        return [one for one in found if older_than is None or one.age >= older_than]

    def history(self, key: str) -> History:
        """Everything that happened to a natural key, oldest first: a list that prints line by line."""
        rows = self.store.read("SELECT * FROM audit WHERE key = ? ORDER BY number", (key,))
        return History(event_of(row, self.store.seals) for row in rows)

    def payload(self, delivery: Delivery) -> bytes:
        """The exact bytes of the latest transmission of a delivery; empty where nothing was sent."""
        row = self.store.read("SELECT payload FROM deliveries WHERE id = ?", (delivery.id,))[0]
        return bytes(row["payload"] or b"")

    def attention(self, *, open_only: bool = True) -> list[Attention]:
        """What a person must see, oldest first (rule B6)."""
        now = self.clock.now()
        rows = self.store.read("SELECT * FROM attention WHERE closed IS NULL OR ? ORDER BY id", (not open_only,))
        return [attention_of(row, now) for row in rows]

    def orders(self) -> list[OrderState]:
        """One row an order: its newest revision, the last one sent, and what the partner said (rule B81)."""
        rows = self.store.read(
            "SELECT d.*, h.base FROM deliveries AS d JOIN heads AS h ON h.sync = d.sync AND h.usage = d.usage"
            " AND h.key = d.key AND h.latest = d.revision WHERE d.kind = 'purchase_orders' ORDER BY d.id"
        )
        said: dict[tuple[str, str, str], list[Row]] = {}
        for answer in self.store.read("SELECT * FROM answers WHERE applied = 1 ORDER BY id"):
            said.setdefault((answer["sync"], answer["usage"], answer["key"]), []).append(answer)
        return [order_state_of(row, said.get((row["sync"], row["usage"], row["key"]), ())) for row in rows]

    def overdue(self, after: dt.timedelta = dt.timedelta(hours=24)) -> list[Delivery]:
        """X12 deliveries that the partner's translator has not answered.

        Args:
            after: How long after the sending an answer is overdue.
        """
        now = self.clock.now()
        rows = self.store.read(
            "SELECT * FROM deliveries WHERE state = 'delivered' AND control_group IS NOT NULL"
            " AND partner_state IN ('', 'transmitted')"
            " ORDER BY id"
        )
        found = [delivery_of(row, now) for row in rows]
        return [one for one in found if now - one.updated_at >= after]

    def twin(self, sync: str, *, key: str | None = None, target_id: str | None = None) -> str | None:
        """The other half of what a sync delivered (rule B1): the id at its target by ``key``, or the key by the id.

        Args:
            target_id: Id at the target; give this or ``key``.

        Raises:
            InvalidArgument: Neither or both are given.
        """
        if (key is None) == (target_id is None):
            raise InvalidArgument(f"key={key!r}, target_id={target_id!r}.", cure="Give exactly one of them.")
        if key is not None:
            rows = self.store.read(
                "SELECT target_id AS found FROM heads WHERE sync = ? AND key = ? AND base > 0", (sync, key)
            )
        else:
            rows = self.store.read(
                "SELECT key AS found FROM heads WHERE sync = ? AND target_id = ? AND base > 0", (sync, target_id)
            )
        return None if not rows or rows[0]["found"] is None else str(rows[0]["found"])

    def verify(self) -> int:
        """Check the database's structures, walk the audit chain, and compare payloads with their hashes in it.

        Returns:
            The number of the last event.

        Raises:
            LedgerError: Something was damaged, changed, removed or put in; names the first bad one.
        """
        faults = self.store.faults()
        if faults:
            raise LedgerError(
                f"{self.store.name} is damaged: {'; '.join(faults)}.",
                cure="Stop every worker, put the newest backup in its place, call ledger.recover(actor=, reason=).",
                fault="administrator",
            )
        return _audit.verify(self.store)

    def head(self) -> dict[str, object]:
        """Number and hash of the last audit event, for safekeeping elsewhere."""
        rows = self.store.read("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")
        return {"number": rows[0]["number"], "hash": rows[0]["hash"]} if rows else {"number": 0, "hash": ""}

    def export_audit(self, path: str | os.PathLike[str]) -> int:
        """Write the audit as JSON Lines, or as CSV where the path ends with ``.csv``; returns how many events."""
        return _audit.export(self.store, path)

    @staticmethod
    def verify_export(path: str | os.PathLike[str], *, head: Mapping[str, object] | None = None) -> int:
        """Check a file of :meth:`export_audit` without its ledger; returns the number of its last event.

        Args:
            path: The file.
            head: What :meth:`head` said at some time; the file must hold that event, unchanged.

        Raises:
            LedgerError: An event was changed, removed or put in, or ``head`` is not among them.
            InvalidArgument: The file is no export.
        """
        return _audit.verify_export(path, head=head)

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Copy the ledger, as it is at one instant, to a new SQLite file while it is in use.

        A copy that is put back is noticed (``LedgerRestored``), even where nothing happened since; see :meth:`recover`.

        Raises:
            InvalidArgument: The file exists.
            LedgerError: The disk does not take it.
        """
        if Path(path).exists():
            raise InvalidArgument(f"path={os.fspath(path)!r} exists.", cure="Name a file that does not.")
        self.store.backup(os.fspath(path))

    def recover(self, *, actor: str, reason: str, counters: Mapping[str, int] | None = None) -> int:
        """Take up work with a restored or lost ledger: what is at the targets is adopted, not sent again.

        Call it while no other worker is alive. The epoch rises, so that no token of before is worth anything; counters
        go above what was ever reserved; whatever was recorded, sending or in doubt is ``unknown``. The next run of each
        sync reads its source once, completely, before it sends anything, and lets what the target holds decide
        (delivery rule 13).

        Args:
            actor, reason: Who decided, and why.
            counters: Last number used, by counter, where it is known from the partner or the target: for a ledger that
                was lost together with its high-water file.

        Returns:
            How many deliveries are unknown now.

        Raises:
            InvalidArgument: No actor, no reason, or a counter that is no number.
            LedgerError: The database or the high-water file does not take it.
        """
        return _recovery.recover(self.store, actor=actor, reason=reason, counters=counters)

    def reencrypt(self, *, actor: str, reason: str) -> int:
        """Write everything that is kept of contents anew under the first of ``keys``, and end the need of the others.

        Call it after a key was added in front, and once after a ledger without keys was given its first. Other workers
        may go on if they were given the same keys. Cut short, it is called again. Backups made before need the keys of
        then; what the audit told before a ledger had its first key stays as it was told.

        Args:
            actor, reason: Who decided, and why.

        Returns:
            How many rows were written anew.

        Raises:
            InvalidArgument: The ledger has no key, or no actor or reason.
            LedgerError: The database does not take it.
        """
        return _reencrypting.reencrypt(self.store, actor=actor, reason=reason)

    def prune(self, before: dt.date, *, actor: str | None = None, reason: str = "retention") -> Pruned:
        """Remove what ended before a day: earlier revisions, bytes of messages, the audit's beginning.

        What stands at a target, the newest revision of each key, and whatever is open or under hold stays.

        Args:
            before: A date (begins at midnight UTC) or an aware datetime.
            actor: Who decided; the ledger's actor by default. ``reason``: why.

        Raises:
            InvalidArgument: Within the years that are retained (rule B7).
        """
        return _retention.prune(
            self.store, before, retain_years=self.retain_years, actor=actor or self.actor, reason=reason
        )

    def forget(self, key: str, *, actor: str, reason: str) -> int:
        """Blank documents, payloads and messages under a key, in all flows; hashes, states and the audit stay.

        Returns:
            How many revisions and messages were blanked.

        Raises:
            InvalidArgument: Something under it is not closed yet, or no actor or reason.
            LedgerError: It is under legal hold.
        """
        return _retention.forget(self.store, key, actor=actor, reason=reason)

    def hold(self, key: str, *, actor: str, reason: str) -> None:
        """Put a key under legal hold: nothing under it is pruned or forgotten (rule B7).

        Args:
            reason: Why, for the audit; ``actor``: who.
        """
        _retention.hold(self.store, key, actor=actor, reason=reason)

    def unhold(self, key: str, *, actor: str, reason: str) -> None:
        """End a legal hold.

        Args:
            key: That is held. ``actor``, ``reason``: who and why, for the audit.

        Raises:
            InvalidArgument: There is none, or no actor or reason.
        """
        _retention.unhold(self.store, key, actor=actor, reason=reason)

    def holds(self) -> list[Hold]:
        """Every legal hold, by key."""
        return _retention.holds(self.store)

    def bind(self, flow: str, systems: Mapping[str, str]) -> None:
        """Bind a flow to its systems at first use (rule B3).

        Args:
            flow: The flow's name.
            systems: Origin (with environment or organisation) by system.

        Raises:
            LedgerMismatch: The flow is bound to other ones.
        """
        bound = self.bound(flow) or self._bind_first(flow, systems)
        wrong = {name: bound[name] for name, origin in systems.items() if bound.get(name, origin) != origin}
        if wrong:
            raise LedgerMismatch(
                f"In {self.store.name} the flow {flow!r} belongs to {wrong}, not to {dict(systems)}.",
                cure="Either give the flow another name=, or, if the same system has moved,"
                " whoever runs it calls ledger.rename_origin(old, new).",
            )

    def _bind_first(self, flow: str, systems: Mapping[str, str]) -> dict[str, str]:
        """What the flow is bound to from now on; another worker may have been first."""
        with self.store.transaction() as transaction:
            rows = transaction.rows("SELECT system, origin FROM bindings WHERE flow = ?", (flow,))
            if rows:
                return {row["system"]: row["origin"] for row in rows}
            for name, origin in systems.items():
                transaction.execute("INSERT INTO bindings VALUES (?, ?, ?)", (flow, name, origin))
            transaction.audit("bound", flow, systems=dict(systems))
        return dict(systems)

    def bound(self, flow: str) -> dict[str, str]:
        """The systems a flow is bound to."""
        rows = self.store.read("SELECT system, origin FROM bindings WHERE flow = ?", (flow,))
        return {row["system"]: row["origin"] for row in rows}

    def rename_origin(self, old: str, new: str) -> int:
        """The same system has another address now; returns how many bindings changed.

        Args:
            old: ``scheme://host:port`` as it is bound. ``new``: as it is now.
        """
        with self.store.transaction() as transaction:
            count = transaction.execute("UPDATE bindings SET origin = ? WHERE origin = ?", (new, old)).rowcount
            transaction.audit("renamed", old=old, new=new, bindings=count)
        return count

    def acquire(self, sync: str, *, worker: str, length: dt.timedelta) -> Lease:
        """Take the lease of a sync, under a token that never was before (delivery rule 5).

        Args:
            length: How long the worker may be silent before another may take it.

        Raises:
            LeaseLost: Another worker holds it.
            LedgerError: This machine's clock is not that of the database (PostgreSQL).
        """
        self.store.check_clock()
        now, seconds = self.clock.now().timestamp(), length.total_seconds()
        with self.store.transaction() as transaction:
            self._note_clock(transaction, sync)
            rows = transaction.rows("SELECT * FROM leases WHERE sync = ?", (sync,))
            if rows and rows[0]["expires"] > now:
                until = dt.datetime.fromtimestamp(rows[0]["expires"], dt.UTC)
                raise LeaseLost(
                    f"{rows[0]['worker']} is working on {sync}.",
                    cure=f"Wait until it is done; a dead worker's lease ends at {until:%Y-%m-%d %H:%M:%S} UTC",
                )
            token = f"{self.store.meta('epoch')}-{secrets.token_hex(12)}"
            transaction.execute(
                "INSERT INTO leases VALUES (?, ?, ?, ?) ON CONFLICT (sync) DO UPDATE SET token = excluded.token,"
                " worker = excluded.worker, expires = excluded.expires",
                (sync, token, worker, now + seconds),
            )
            transaction.audit("lease", sync, worker=worker, token=token)
        # A copy made before this run is an older one from now on, however the run ends.
        self.store.checkpoint(settled=False)
        return Lease(sync, token, now + seconds, seconds)

    @staticmethod
    def _note_clock(transaction: Transaction, sync: str) -> None:
        """A clock that was set back makes waits longer, never shorter; a person should know why."""
        last = transaction.rows("SELECT at FROM audit ORDER BY number DESC LIMIT 1")
        before = dt.datetime.fromisoformat(last[0]["at"]) if last else transaction.now
        if before - transaction.now > _SET_BACK:
            transaction.audit("clock set back", sync, last_event=before)
            log.warning(
                "the clock is %s behind the last event of the ledger; leases and settling delays take so much longer",
                before - transaction.now,
            )

    def release(self, lease: Lease) -> None:
        """Give the lease back, if it is still this one."""
        with self.store.transaction() as transaction:
            transaction.execute("DELETE FROM leases WHERE sync = ? AND token = ?", (lease.sync, lease.token))
        self.store.checkpoint()
