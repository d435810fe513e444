"""The ledger's store: write transactions that check the fence and carry their audit events."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from mlconnector.clock import Clock, SystemClock
from mlconnector.delivery._database import Database, Result, Row
from mlconnector.delivery._high_water import HighWater
from mlconnector.delivery._postgres import Postgres
from mlconnector.delivery._schema import FORMS
from mlconnector.delivery._sealing import PLAIN, KeySource, Plain, Seals, keys_of
from mlconnector.delivery._sqlite import SQLite
from mlconnector.errors import LeaseLost, LedgerError, LedgerRestored

__all__ = ["POSTGRES", "RESERVE", "Lease", "Store", "Transaction", "event_hash"]

POSTGRES = ("postgresql://", "postgres://")
"""How the path of a ledger in PostgreSQL begins."""

RESERVE = 100
"""Counter numbers reserved in one write of the high-water file."""

_APART = dt.timedelta(seconds=30)
"""How far the clocks of workers on several hosts may differ."""


@attrs.define
class Lease:
    """The right of one worker to deliver for one sync; the token is new at every acquisition."""

    sync: str
    token: str
    expires: float
    length: float


def event_hash(previous: str, event: Sequence[Any]) -> str:
    """Hash of an audit event and, through ``previous``, of every one before it."""
    text = json.dumps([previous, *event], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Store:
    """One database and its high-water file. Threads take turns.

    A ledger that is older than the high-water file says can be read, and recovered; every write is refused.

    Attributes:
        refused: Why it is taken for a restored or lost one; empty where it is not.
        seals: What its keys do to contents.

    Raises:
        LedgerError: Not a ledger, a newer form, a file system without safe locking, or a key is missing.
    """

    def __init__(
        self, path: str, *, actor: str, clock: Clock, high_water: Path | None, keys: Sequence[KeySource] = ()
    ) -> None:
        self.actor = actor
        self.clock = clock
        self.refused: str = ""
        self.seals: Seals | Plain = PLAIN
        self._keys = keys_of(keys)
        self._noted = ""
        self._lock = threading.RLock()
        self._high_water: HighWater | None = None
        self._database: Database = Postgres(path) if path.startswith(POSTGRES) else SQLite(path)
        try:
            self._fresh = self._database.prepare(FORMS)
            if high_water is not None:
                with self._exclusive():
                    self._high_water = self._checked(high_water)
            self._unlock()
        except BaseException:
            self._database.close()
            raise

    @property
    def name(self) -> str:
        """How messages name the ledger."""
        return self._database.name

    def _checked(self, path: Path) -> HighWater:
        kept, ledger = HighWater.load(path), self.meta("ledger")
        if kept is None:
            kept = HighWater(path, ledger, int(self.meta("epoch")))
            if self.read("SELECT 1 FROM counters LIMIT 1"):
                self.refused = f"{self.name} has taken control numbers, but its high-water file is gone."
            else:
                kept.save()
            return kept
        if kept.ledger != ledger:
            lost = "is lost, or another one stands in its place" if self._fresh else "is another one than it was"
            self.refused = f"{self.name} {lost}."
        elif not self._has_event(kept):
            self.refused = f"{self.name} is older than it once was."
        else:
            # Above what was taken only if a run ended without its checkpoint: those numbers may be out already.
            self.raise_counters(kept.ceilings)
        return kept

    def _has_event(self, kept: HighWater) -> bool:
        pruned = int(self.meta("pruned", "0"))
        rows = self.read("SELECT hash FROM audit WHERE number = ?", (kept.number,))
        return kept.number <= pruned or (bool(rows) and rows[0]["hash"] == kept.hash)

    def _unlock(self) -> None:
        """Take up the keys that are noted in the ledger; where the newest is not, it is noted first."""
        if self._noted_keys() and not self.refused:
            with self._exclusive():
                # Another worker may have been first.
                self._noted_keys()
                self._note_keys(self._wrapped())

    def _noted_keys(self) -> bool:
        """Open what the ledger's own note of its keys lets be opened; True where the newest key is still to be noted.

        Raises:
            LedgerError: A key that is in use is not among those given.
        """
        self._noted = self.meta("keys")
        wrapped = self._wrapped()
        if wrapped:
            self.seals = Seals.unlocked(self.name, self.meta("ledger"), self._keys, wrapped)
        return bool(self._keys) and next(iter(self._keys)) != next(iter(wrapped), "")

    def _wrapped(self) -> dict[str, str]:
        """The ledger's secret by each key that is in use, the one that seals first."""
        return dict(json.loads(self._noted)) if self._noted else {}

    def _note_keys(self, before: Mapping[str, str]) -> None:
        """Inside of a transaction: the newest key seals from now on, and those before it still open."""
        newest = next(iter(self._keys))
        if isinstance(self.seals, Seals):
            seals = attrs.evolve(self.seals, key=newest)
        else:
            seals = Seals(self.name, self.meta("ledger"), self._keys, newest)
        beside = {key: text for key, text in before.items() if key != newest}
        transaction = Transaction(self, self._database, "")
        self._noted = json.dumps({newest: seals.wrapped(), **beside})
        transaction.note("keys", self._noted)
        transaction.audit("key", seals=newest, opens=[*beside])
        transaction.seal()
        self.seals = seals

    def raise_counters(self, floors: Mapping[str, int]) -> None:
        """Inside a transaction: numbers up to these count as taken."""
        for name, floor in floors.items():
            self._database.execute("UPDATE counters SET taken = max(taken, ?) WHERE name = ?", (floor, name))

    def meta(self, name: str, default: str = "") -> str:
        """A setting of the ledger itself."""
        rows = self.read("SELECT value FROM meta WHERE name = ?", (name,))
        return str(rows[0]["value"]) if rows else default

    def read(self, query: str, values: Iterable[Any] = ()) -> list[Row]:
        """Rows of a query."""
        with self._lock:
            return self.seals.rows(self._database.read(query, values))

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        with self._lock, self._database.exclusive():
            yield

    @contextlib.contextmanager
    def transaction(self, lease: Lease | None = None) -> Iterator[Transaction]:
        """A write transaction; with a lease it checks the fence first and renews the lease.

        Raises:
            LeaseLost: The lease is another worker's now; nothing is written.
            LedgerError: The database did not take it; nothing is written.
            LedgerRestored: It is older than it once was; nothing is written.
        """
        if self.refused:
            raise LedgerRestored(
                self.refused,
                cure="Put the newest ledger back. If there is none newer, stop every other worker and call"
                " ledger.recover(actor=, reason=): what is at the targets is then adopted, not sent again.",
            )
        with self._exclusive():
            if self.meta("keys") != self._noted:
                # Somebody else has given it another key since it was opened here.
                self._noted_keys()
            if lease is not None:
                self._renew(lease)
            transaction = Transaction(self, self._database, "" if lease is None else lease.token)
            yield transaction
            transaction.seal()

    def _renew(self, lease: Lease) -> None:
        expires = self.clock.now().timestamp() + lease.length
        held = self._database.execute(
            "UPDATE leases SET expires = ? WHERE sync = ? AND token = ?", (expires, lease.sync, lease.token)
        ).rowcount
        if not held:
            raise LeaseLost(f"Another worker has taken over {lease.sync}.", cure="Nothing to do; that worker goes on.")
        lease.expires = expires

    def reserve(self, name: str, number: int) -> None:
        """Inside a transaction: make sure that the high-water file covers a number before it is used."""
        kept = self._high_water
        if kept is None:
            return
        kept.refresh()
        if number > kept.ceilings.get(name, 0):
            kept.ceilings[name] = number + RESERVE
            self._write_down(kept, settled=False)

    def checkpoint(self, *, settled: bool = True) -> None:
        """The high-water file learns how far the audit has come.

        Args:
            settled: After a run: of the reserved numbers only those taken count from now on.
        """
        kept = self._high_water
        if kept is None:
            return
        with self._exclusive():
            kept.refresh()
            self._write_down(kept, settled=settled)

    @contextlib.contextmanager
    def recovery(self) -> Iterator[tuple[Transaction, HighWater | None]]:
        """A write transaction although the ledger is refused; afterwards it is not, and the high-water file is its own.

        The database comes first: cut between the two, the ledger is refused again and recovered again.
        """
        kept = self._high_water
        with self._exclusive():
            if kept is not None and not kept.refresh():
                kept.ceilings = {}
            transaction = Transaction(self, self._database, "")
            yield transaction, kept
            transaction.seal()
        self.refused = ""
        self._unlock()
        if kept is not None:
            kept.ledger, kept.epoch = self.meta("ledger"), int(self.meta("epoch"))
            with self._exclusive():
                self._write_down(kept, settled=True)

    def _write_down(self, kept: HighWater, *, settled: bool) -> None:
        for row in self.read("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1"):
            kept.number, kept.hash = row["number"], row["hash"]
        if settled:
            kept.ceilings = {row["name"]: row["taken"] for row in self.read("SELECT name, taken FROM counters")}
        kept.save()

    def check_clock(self) -> None:
        """Leases of several hosts are worth what their clocks have in common.

        Raises:
            LedgerError: This machine's clock and the database's are further apart than a lease can bear.
        """
        with self._lock:
            shared = self._database.clock() if isinstance(self.clock, SystemClock) else None
        if shared is not None and abs(shared - self.clock.now()) > _APART:
            raise LedgerError(
                f"This machine's clock is {abs(shared - self.clock.now()).total_seconds():.0f} s away from that of"
                f" {self.name}: a worker here and one elsewhere would not agree whose lease has ended.",
                cure="An administrator sets the clocks by the same time server.",
                fault="administrator",
            )

    def faults(self) -> list[str]:
        """What is wrong with the database's own structures, where it can tell."""
        with self._lock:
            return self._database.faults()

    def scrub(self, tables: Sequence[str]) -> None:
        """Leave nothing of what rows of these tables held before."""
        with self._lock:
            self._database.scrub(tables)

    def let_older_keys_go(self, **facts: Any) -> None:
        """The key that seals now is the only one in use."""
        with self.transaction() as transaction:
            wrapped = self._wrapped()
            self._noted = json.dumps({self.seals.key: wrapped.pop(self.seals.key)})
            transaction.note("keys", self._noted)
            transaction.audit("re-encrypted", seals=self.seals.key, gone=[*wrapped], **facts)

    def backup(self, path: str) -> None:
        """Copy the database while it is in use; an event after the copy makes it, when it is put back, an older one."""
        with self._lock:
            self._database.backup(path)
        if not self.refused:
            with self.transaction() as transaction:
                transaction.audit("backup")
            self.checkpoint(settled=False)

    def close(self) -> None:
        """Close the database; a second call does nothing."""
        with self._lock:
            if self.refused and self._fresh:
                # An empty ledger in the place of the lost one would only be in the way of the one put back.
                self.refused = ""
                self._database.discard()
            self._database.close()


class Transaction:
    """What happens inside one write transaction."""

    def __init__(self, store: Store, database: Database, token: str) -> None:
        self._store, self._database, self._token = store, database, token
        self._events: list[tuple[str, str, str, str]] = []
        self.now: dt.datetime = store.clock.now()

    @property
    def seals(self) -> Seals | Plain:
        """What the ledger's keys do to contents."""
        return self._store.seals

    @property
    def at(self) -> str:
        """The time of this transaction, ISO text in UTC."""
        return self.now.astimezone(dt.UTC).isoformat()

    def execute(self, query: str, values: Iterable[Any] = ()) -> Result:
        """Run one statement."""
        return self._database.execute(query, values)

    def rows(self, query: str, values: Iterable[Any] = ()) -> list[Row]:
        """Rows of a query."""
        return self._store.seals.rows(self.execute(query, values).fetchall())

    def audit(self, event: str, sync: str = "", key: str = "", **facts: Any) -> None:
        """Note what happened; it is written, chained, when the transaction ends."""
        facts = dict(self._store.seals.told_facts(facts))
        self._events.append((event, sync, key, json.dumps(facts, sort_keys=True, default=str, separators=(",", ":"))))

    def move(self, delivery: int, state: str, **columns: Any) -> None:
        """Set a delivery's state and further columns; lists and mappings are kept as JSON."""
        changed = {"state": state, "updated_at": self.at, **columns}
        seals = self._store.seals
        if isinstance(changed.get("faults"), list):
            changed["faults"] = seals.told("faults", json.dumps(changed["faults"]))
        if changed.get("payload") is not None:
            changed["payload"] = seals.sealed("payload", changed["payload"])
        values = [json.dumps(one, default=str) if isinstance(one, (list, dict)) else one for one in changed.values()]
        assignments = ", ".join(f"{name} = ?" for name in changed)
        self.execute(f"UPDATE deliveries SET {assignments} WHERE id = ?", (*values, delivery))  # noqa: S608 - own columns

    def note(self, name: str, value: str) -> None:
        """Keep a setting of the ledger itself."""
        self.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
        )

    def take(self, counter: str, count: int = 1) -> int:
        """The next number of a counter; the high-water file covers it before it is used."""
        rows = self.rows("SELECT taken FROM counters WHERE name = ?", (counter,))
        number: int = (rows[0]["taken"] if rows else 0) + 1
        self._store.reserve(counter, number + count - 1)
        self.leave_behind(counter, number + count - 1)
        return number

    def leave_behind(self, counter: str, number: int) -> None:
        """Numbers of a counter up to this one are never taken again."""
        self.execute(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET"
            " taken = max(counters.taken, excluded.taken)",
            (counter, number),
        )

    def seal(self) -> None:
        """Write the audit events of this transaction behind those before."""
        if not self._events:
            return
        last = self.rows("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")
        number, previous = (last[0]["number"], last[0]["hash"]) if last else (0, "")
        rows = []
        for event, sync, key, facts in self._events:
            number += 1
            content = (number, self.at, self._store.actor, self._token, event, sync, key, facts)
            previous = event_hash(previous, content)
            rows.append((*content, previous))
        self._database.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._events.clear()
