"""Everything that a ledger keeps of contents, brought under its newest key, piece by piece and while it is in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlconnector.delivery._sealing import BLINDED, SEALED, TOLD, Seals
from mlconnector.delivery._store import Store
from mlconnector.errors import InvalidArgument

__all__ = ["reencrypt"]

_PIECE = 200
_KEYS: Mapping[str, tuple[str, ...]] = {"heads": ("sync", "usage", "key"), "cursors": ("sync",)}
"""What rows of a table are told apart by, where it is not ``id``."""


def reencrypt(store: Store, *, actor: str, reason: str) -> int:
    """Bring everything under the newest key, then let the older ones go; returns how many rows were written anew.

    A piece is one transaction. Cut short, it goes on where it is called again: what is under the newest key stays.
    """
    if not actor.strip() or not reason.strip():
        raise InvalidArgument("actor and reason are needed to reencrypt.", cure="Say who decided, and why (rule B7).")
    if not isinstance(store.seals, Seals):
        raise InvalidArgument(f"{store.name} has no key.", cure="Open it with Ledger(keys=mc.stored(...)).")
    count = sum(_table(store, table) for table in sorted({*SEALED, *TOLD, *BLINDED}))
    # What was there before still stands in pages and rows that are free now.
    store.scrub(sorted({*SEALED, *TOLD, *BLINDED}))
    store.let_older_keys_go(rows=count, by=actor, reason=reason)
    return count


def _table(store: Store, table: str) -> int:
    keys = _KEYS.get(table, ("id",))
    columns = (*SEALED.get(table, ()), *TOLD.get(table, ()), *BLINDED.get(table, ()))
    places = ", ".join("?" * len(keys))
    names = ", ".join((*keys, *columns))
    own = ", ".join(keys)
    count = 0
    after: Sequence[Any] = ()
    while True:
        with store.transaction() as transaction:
            where = f" WHERE ({own}) > ({places})" if after else ""
            rows = transaction.rows(f"SELECT {names} FROM {table}{where} ORDER BY {own} LIMIT {_PIECE}", after)  # noqa: S608 - own tables
            for row in rows:
                changed = dict(_changed(transaction.seals, table, row))
                if changed:
                    assignments = ", ".join(f"{column} = ?" for column in changed)
                    transaction.execute(
                        f"UPDATE {table} SET {assignments} WHERE ({own}) = ({places})",  # noqa: S608 - own tables
                        (*changed.values(), *(row[key] for key in keys)),
                    )
                    count += 1
        if not rows:
            return count
        after = [rows[-1][key] for key in keys]


def _changed(seals: Any, table: str, row: Any) -> Iterator[tuple[str, Any]]:
    """Columns that are not yet as the newest key has them; what was blanked stays blank."""
    kept = dict(zip(row.keys(), row, strict=True))
    for column in SEALED.get(table, ()):
        if kept[column] and not seals.is_by_this_key(kept[column]):
            yield column, seals.sealed(column, row[column])
    for column in TOLD.get(table, ()):
        if kept[column] and not seals.is_told(kept[column]):
            yield column, seals.told(column, kept[column])
    for column in BLINDED.get(table, ()):
        if kept[column] is not None and seals.blinded(kept[column]) != kept[column]:
            yield column, seals.blinded(kept[column])
