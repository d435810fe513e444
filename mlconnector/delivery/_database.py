"""What the ledger asks of a database; SQLite and PostgreSQL give it.

Statements are written once, in what both understand: ``?`` for values, ``ON CONFLICT``, ``RETURNING``, ``max(a, b)``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

__all__ = ["Database", "Result", "Row"]


class Row(Protocol):
    """One row: values by column name; iterating gives the values, ``dict(row)`` a mapping."""

    def __getitem__(self, column: str, /) -> Any:
        """The value of a column."""
        ...

    def keys(self) -> Iterable[str]:
        """Names of the columns."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """The values, in the order of the columns."""
        ...


class Result(Protocol):
    """What a statement came to."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        ...

    def fetchall(self) -> list[Any]:
        """Its rows."""
        ...


class Database(Protocol):
    """One database with one ledger in it. Not safe among threads: the store lets them take turns.

    Attributes:
        name: How messages name it; never with a password.
    """

    name: str

    def prepare(self, forms: Sequence[str]) -> bool:
        """Bring it to the newest form, all or nothing; True where no ledger was in it before.

        Raises:
            LedgerError: It is no ledger, of a newer form, or cannot be written to.
        """
        ...

    def execute(self, query: str, values: Iterable[Any] = ()) -> Result:
        """Run one statement inside :meth:`exclusive`."""
        ...

    def executemany(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for many rows inside :meth:`exclusive`."""
        ...

    def read(self, query: str, values: Iterable[Any] = ()) -> list[Any]:
        """Rows of a query, inside :meth:`exclusive` or outside of it."""
        ...

    def exclusive(self) -> AbstractContextManager[None]:
        """A durable write transaction that no other worker shares; undone where the block raises.

        Raises:
            LedgerError: The database did not take it.
        """
        ...

    def clock(self) -> dt.datetime | None:
        """The clock that the machines of all its workers share, where there may be several of them."""
        ...

    def faults(self) -> list[str]:
        """What is wrong with its pages or indexes, where it can tell."""
        ...

    def backup(self, path: str) -> None:
        """Copy it, as it is at one instant, to a new SQLite file while it is in use."""
        ...

    def scrub(self, tables: Sequence[str]) -> None:
        """Leave nothing of what rows of these tables held before, as far as it is in the database's own hands."""
        ...

    def discard(self) -> None:
        """Close it, and leave nothing of what :meth:`prepare` has just made."""
        ...

    def close(self) -> None:
        """Close it; a second call does nothing."""
        ...
