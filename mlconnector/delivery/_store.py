"""The ledger's database: write transactions that check the fence and carry their audit events."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from mlconnector.clock import Clock
from mlconnector.delivery._high_water import HighWater
from mlconnector.delivery._schema import FORMS
from mlconnector.errors import LeaseLost, LedgerError, LedgerRestored

__all__ = ["Lease", "Store", "Transaction", "event_hash"]

_RESERVE = 100
"""Counter numbers reserved in one write of the high-water file."""


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
    """One database file and its high-water file. Threads take turns.

    Raises:
        LedgerError: Not a ledger, a newer form, or a file system without safe locking.
        LedgerRestored: Older than the high-water file says, or one of the two is missing.
    """

    def __init__(self, path: str, *, actor: str, clock: Clock, high_water: Path | None) -> None:
        self.actor = actor
        self.clock = clock
        self._lock = threading.RLock()
        self._path = path
        fresh = path == ":memory:" or not Path(path).exists()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30.0)
        self._connection.row_factory = sqlite3.Row
        try:
            if fresh and path != ":memory:":
                Path(path).chmod(0o600)
            self._prepare()
            self._high_water = None if high_water is None else self._checked(high_water, fresh=fresh)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        try:
            mode = self._connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            self._connection.execute("PRAGMA synchronous=FULL")
            with self._exclusive():
                version = self._connection.execute("PRAGMA user_version").fetchone()[0]
                for statements in FORMS[version:]:
                    for statement in statements.split(";"):
                        self._connection.execute(statement)
                if version == 0:
                    self._connection.execute("INSERT INTO meta VALUES ('ledger', ?)", (secrets.token_hex(16),))
                    self._connection.execute("INSERT INTO meta VALUES ('epoch', '1')")
                self._connection.execute(f"PRAGMA user_version={max(version, len(FORMS))}")
        except sqlite3.DatabaseError as error:
            raise LedgerError(
                f"{self._path} cannot be used as a ledger ({error}).",
                cure="Name a file on a local, writable disk that is a ledger or does not exist yet.",
            ) from None
        if mode not in ("wal", "memory"):
            raise LedgerError(
                f"{self._path} lies on a file system without the locks a ledger needs ({mode}).",
                cure="Put the ledger on a local disk.",
            )
        if version > len(FORMS):
            raise LedgerError(
                f"{self._path} has form {version}, this library knows {len(FORMS)}.", cure="Update mlconnector."
            )

    def _checked(self, path: Path, *, fresh: bool) -> HighWater:
        kept, ledger = HighWater.load(path), self.meta("ledger")
        cure = (
            f"Put the newest ledger back. Only if nothing was sent since this one, or it was removed on purpose, "
            f"remove {path}: without it nothing protects control numbers from being used twice."
        )
        if kept is None:
            if not fresh and self.read("SELECT 1 FROM counters LIMIT 1"):
                raise LedgerRestored(
                    f"{self._path} has taken control numbers, but its high-water file is gone.", cure=cure
                )
            kept = HighWater(path, ledger, int(self.meta("epoch")))
            kept.save()
            return kept
        row = self.read("SELECT hash FROM audit WHERE number = ?", (kept.number,))
        known = kept.number == 0 or (bool(row) and row[0]["hash"] == kept.hash)
        if kept.ledger != ledger or not known:
            if fresh:
                self._connection.close()
                Path(self._path).unlink()
            raise LedgerRestored(f"{self._path} is older than it once was, or another one.", cure=cure)
        # Above what was taken only if a run ended without its checkpoint: those numbers may be out already.
        with self._exclusive():
            for name, ceiling in kept.ceilings.items():
                self._connection.execute("UPDATE counters SET taken = max(taken, ?) WHERE name = ?", (ceiling, name))
        return kept

    def meta(self, name: str) -> str:
        """A setting of the ledger itself."""
        return str(self.read("SELECT value FROM meta WHERE name = ?", (name,))[0]["value"])

    def read(self, query: str, values: Iterable[Any] = ()) -> list[sqlite3.Row]:
        """Rows of a query."""
        with self._lock:
            return self._connection.execute(query, tuple(values)).fetchall()

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextlib.contextmanager
    def transaction(self, lease: Lease | None = None) -> Iterator[Transaction]:
        """A write transaction; with a lease it checks the fence first and renews the lease.

        Raises:
            LeaseLost: The lease is another worker's now; nothing is written.
        """
        with self._exclusive():
            if lease is not None:
                expires = self.clock.now().timestamp() + lease.length
                held = self._connection.execute(
                    "UPDATE leases SET expires = ? WHERE sync = ? AND token = ?", (expires, lease.sync, lease.token)
                ).rowcount
                if not held:
                    raise LeaseLost(
                        f"Another worker has taken over {lease.sync}.", cure="Nothing to do; that worker goes on."
                    )
                lease.expires = expires
            transaction = Transaction(self, self._connection, "" if lease is None else lease.token)
            yield transaction
            transaction.seal()

    def reserve(self, name: str, number: int) -> None:
        """Make sure that the high-water file covers a number before it is used."""
        kept = self._high_water
        if kept is not None and number > kept.ceilings.get(name, 0):
            kept.ceilings[name] = number + _RESERVE
            self._note_head(kept)
            kept.save()

    def _note_head(self, kept: HighWater) -> None:
        for row in self.read("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1"):
            kept.number, kept.hash = row["number"], row["hash"]

    def checkpoint(self) -> None:
        """After a run: the high-water file learns how far the audit has come."""
        kept = self._high_water
        if kept is None:
            return
        self._note_head(kept)
        kept.ceilings = {row["name"]: row["taken"] for row in self.read("SELECT name, taken FROM counters")}
        kept.save()

    def backup(self, path: str) -> None:
        """Copy the database while it is in use."""
        with self._lock, contextlib.closing(sqlite3.connect(path)) as copy:
            self._connection.backup(copy)

    def close(self) -> None:
        """Close the database; a second call does nothing."""
        with self._lock:
            self._connection.close()


class Transaction:
    """What happens inside one write transaction."""

    def __init__(self, store: Store, connection: sqlite3.Connection, token: str) -> None:
        self._store, self._connection, self._token = store, connection, token
        self._events: list[tuple[str, str, str, str]] = []
        self.now = store.clock.now()

    @property
    def at(self) -> str:
        """The time of this transaction, ISO text in UTC."""
        return self.now.astimezone(dt.UTC).isoformat()

    def execute(self, query: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(query, tuple(values))

    def rows(self, query: str, values: Iterable[Any] = ()) -> list[sqlite3.Row]:
        """Rows of a query."""
        return self.execute(query, values).fetchall()

    def audit(self, event: str, sync: str = "", key: str = "", **facts: Any) -> None:
        """Note what happened; it is written, chained, when the transaction ends."""
        self._events.append((event, sync, key, json.dumps(facts, sort_keys=True, default=str, separators=(",", ":"))))

    def move(self, delivery: int, state: str, **columns: Any) -> None:
        """Set a delivery's state and further columns; lists and mappings are kept as JSON."""
        changed = {"state": state, "updated_at": self.at, **columns}
        values = [json.dumps(one, default=str) if isinstance(one, (list, dict)) else one for one in changed.values()]
        assignments = ", ".join(f"{name} = ?" for name in changed)
        self.execute(f"UPDATE deliveries SET {assignments} WHERE id = ?", (*values, delivery))  # noqa: S608 - own columns

    def take(self, counter: str, count: int = 1) -> int:
        """The next number of a counter; the high-water file covers it before it is used."""
        rows = self.rows("SELECT taken FROM counters WHERE name = ?", (counter,))
        number = (rows[0]["taken"] if rows else 0) + 1
        self._store.reserve(counter, number + count - 1)
        self.execute(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET taken = excluded.taken",
            (counter, number + count - 1),
        )
        return number

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
        self._connection.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._events.clear()
