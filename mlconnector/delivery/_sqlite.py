"""The ledger in an SQLite file on a local disk."""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mlconnector.delivery._file_system import refuse_network
from mlconnector.errors import LedgerError

__all__ = ["SQLite"]

_PATIENCE = 30.0
"""Seconds to wait for another worker's transaction."""

_CURES = {
    "SQLITE_FULL": "An administrator makes room on its disk; what was committed before is whole.",
    "SQLITE_IOERR": "An administrator looks after its disk (full, quota, broken); what was committed before is whole.",
    "SQLITE_READONLY": "An administrator makes the file and its folder writable for this user.",
    "SQLITE_CANTOPEN": "Name a file in a folder that exists and that this user may write to.",
    "SQLITE_CORRUPT": "Stop every worker, put the newest backup in its place, call ledger.recover(actor=, reason=).",
    "SQLITE_NOTADB": "Name a file that is a ledger or does not exist yet.",
    "SQLITE_BUSY": "Another program holds it locked; end that, then run again.",
}


class SQLite:
    """One database file, or ``":memory:"``. See :class:`~mlconnector.delivery._database.Database`.

    Raises:
        LedgerError: It cannot be opened, or lies on a network file system.
    """

    def __init__(self, path: str) -> None:
        self.name = path
        self._made = path != ":memory:" and not Path(path).exists()
        if path != ":memory:":
            refuse_network(Path(path))
        with self._told():
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_PATIENCE)
        self._connection.row_factory = sqlite3.Row
        if self._made:
            Path(path).chmod(0o600)

    def prepare(self, forms: Sequence[str]) -> bool:
        """See the protocol."""
        with self._told():
            mode = self._connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            self._connection.execute("PRAGMA synchronous=FULL")
        if mode not in ("wal", "memory"):
            raise LedgerError(
                f"{self.name} lies on a file system without the locks a ledger needs ({mode}).",
                cure="Put the ledger on a local disk.",
            )
        with self.exclusive():
            version: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(forms):
                raise LedgerError(
                    f"{self.name} has form {version}, this library knows {len(forms)}.", cure="Update mlconnector."
                )
            for statements in forms[version:]:
                for statement in statements.split(";"):
                    self._connection.execute(statement)
            if version == 0:
                self._connection.execute("INSERT INTO meta VALUES ('ledger', ?)", (secrets.token_hex(16),))
                self._connection.execute("INSERT INTO meta VALUES ('epoch', '1')")
            self._connection.execute(f"PRAGMA user_version={len(forms)}")
        return version == 0

    def execute(self, query: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        """See the protocol."""
        return self._connection.execute(query, tuple(values))

    def executemany(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        """See the protocol."""
        self._connection.executemany(query, rows)

    def read(self, query: str, values: Iterable[Any] = ()) -> list[Any]:
        """See the protocol."""
        with self._told():
            return self._connection.execute(query, tuple(values)).fetchall()

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """See the protocol."""
        with self._told():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk may have undone it already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def clock(self) -> dt.datetime | None:
        """See the protocol: every worker is on this machine, and has its clock."""
        return None

    def faults(self) -> list[str]:
        """See the protocol."""
        found = [line for row in self.read("PRAGMA integrity_check(3)") for line in str(row[0]).splitlines()]
        return [] if found == ["ok"] else found

    def backup(self, path: str) -> None:
        """See the protocol."""
        with self._told(), contextlib.closing(sqlite3.connect(path)) as copy:
            Path(path).chmod(0o600)
            self._connection.backup(copy)

    def scrub(self, tables: Sequence[str]) -> None:  # noqa: ARG002 - the whole file is written anew
        """See the protocol: the file and its log."""
        with self._told():
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def discard(self) -> None:
        """See the protocol."""
        self.close()
        if self._made:
            Path(self.name).unlink()

    def close(self) -> None:
        """See the protocol."""
        self._connection.close()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of SQLite as errors of the ledger, with who mends them."""
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "") or ""
            cure = next(
                (text for prefix, text in _CURES.items() if name.startswith(prefix)), "Report it with its text."
            )
            raise LedgerError(
                f"{self.name} cannot be used as a ledger ({error}).", cure=cure, fault="administrator"
            ) from error
