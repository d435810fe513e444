"""Where a ledger under test lives: an SQLite file, or a schema of its own in a real PostgreSQL server.

The server is named by ``MLCONNECTOR_TEST_POSTGRES`` (``postgresql://user@/database?host=...``). Without it the tests
run on SQLite alone; where ``CI`` is set that is an error, not a silence.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector.clock import Clock

SERVER = os.environ.get("MLCONNECTOR_TEST_POSTGRES", "")

if not SERVER and os.environ.get("CI"):
    raise pytest.UsageError("CI is set and MLCONNECTOR_TEST_POSTGRES is not: the ledger must be tested on PostgreSQL.")

DATABASES = ("sqlite", "postgres") if SERVER else ("sqlite",)


@attrs.define
class Home:
    """One place for one ledger, with its high-water file beside it."""

    database: str
    folder: Path
    path: str
    clock: Clock

    @property
    def high_water(self) -> Path:
        return self.folder / "high-water.json"

    def open(self, **options: Any) -> mc.Ledger:
        options = {"actor": "test", "high_water": self.high_water, "clock": self.clock, **options}
        return mc.Ledger(self.path, **options)

    def put_back(self, copy: Path) -> None:
        """As an administrator restores: the whole state of ``copy``, and nothing of what came since."""
        if self.database == "sqlite":
            self.lose()
            copy.rename(self.path)
            return
        import sqlite3

        import psycopg

        with contextlib.closing(sqlite3.connect(copy)) as old, psycopg.connect(self.path, autocommit=True) as new:
            tables = [row[0] for row in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                keep = " WHERE name <> 'form'" if table == "meta" else ""
                new.execute(f"DELETE FROM {table}{keep}")
                for row in old.execute(f"SELECT * FROM {table}").fetchall():
                    new.execute(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", row)
                for (column,) in new.execute(
                    "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_identity = 'YES'"
                    " AND table_schema = current_schema()",
                    (table,),
                ).fetchall():
                    new.execute(
                        f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'),"
                        f" (SELECT coalesce(max({column}), 0) + 1 FROM {table}), false)"
                    )

    def lose(self) -> None:
        """Nothing of the database is left."""
        if self.database == "sqlite":
            for tail in ("", "-wal", "-shm"):
                Path(f"{self.path}{tail}").unlink(missing_ok=True)
            return
        with _server() as connection:
            schema = self.path.rpartition("%3D")[2]
            connection.execute(f"DROP SCHEMA {schema} CASCADE")
            connection.execute(f"CREATE SCHEMA {schema}")

    def alter(self, *statements: str) -> None:
        """Change the database behind the library's back."""
        if self.database == "sqlite":
            import sqlite3

            with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as raw:
                for statement in statements:
                    raw.execute(statement)
            return
        import psycopg

        with psycopg.connect(self.path, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


def _server() -> Any:
    import psycopg

    return psycopg.connect(SERVER, autocommit=True)


@contextlib.contextmanager
def home(database: str, folder: Path, clock: Clock) -> Iterator[Home]:
    if database == "sqlite":
        yield Home(database, folder, str(folder / "ledger.db"), clock)
        return
    schema = f"t{secrets.token_hex(8)}"
    with _server() as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    mark = "&" if "?" in SERVER else "?"
    yield Home(database, folder, f"{SERVER}{mark}options=-csearch_path%3D{schema}", clock)
    with _server() as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE")
