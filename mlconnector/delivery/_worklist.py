"""What waits for a person: attention items and deliveries that are parked or in doubt, with age and owner (rule B6)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any, Literal

import attrs

from mlconnector._html import table
from mlconnector.delivery._store import Store
from mlconnector.delivery._table import text_table
from mlconnector.errors import InvalidArgument

__all__ = ["OpenItem", "OpenItems", "Worklist"]

_HEAD = ("", "kind", "key", "age", "owner", "why")


@attrs.frozen(kw_only=True)
class OpenItem:
    """One thing a person must look at.

    Args:
        what: ``"attention"``, ``"parked"`` or ``"in doubt"``. ``id``: of the attention item or of the delivery.
        flow: The sync. ``why``: everything that stands against it.
        since: When it came up. ``owner``: who looks at it; empty where nobody was named.
    """

    what: Literal["attention", "parked", "in doubt"]
    id: int
    flow: str
    kind: str
    key: str
    why: tuple[str, ...]
    since: dt.datetime
    age: dt.timedelta
    owner: str = ""


class OpenItems(tuple[OpenItem, ...]):
    """Open items, oldest first; prints as a table, in notebooks too."""

    __slots__ = ()

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (item.what, item.kind, item.key, _days(item.age), item.owner or "-", "; ".join(item.why)) for item in self
        ]

    def __str__(self) -> str:
        return text_table(_HEAD, self._rows()) or "nothing is open"

    def _repr_html_(self) -> str:
        return table(_HEAD, self._rows(), caption=f"{len(self)} open")


def _days(age: dt.timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours // 24} d {hours % 24} h"


class Worklist:
    """Who looks at what. ``ledger.worklist.items()``, ``.assign(...)``, ``.close(...)``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def items(self, flow: str | None = None, *, owner: str | None = None) -> OpenItems:
        """Everything open, oldest first.

        Args:
            flow: Name of a flow, or of one of its syncs. ``owner``: only what is theirs; ``""``: what is nobody's.
        """
        found = sorted((*self._attention(), *self._deliveries()), key=lambda item: (item.since, item.id))
        return OpenItems(
            item
            for item in found
            if (flow is None or item.flow == flow or item.flow.startswith(f"{flow}/"))
            and (owner is None or item.owner == owner)
        )

    def assign(self, key: str, owner: str, *, flow: str | None = None, actor: str, reason: str) -> int:
        """Name who looks at what is open under a key; returns how many items that are.

        Args:
            key: Natural key of the document. ``owner``: who; ``""`` takes the owner off.
            flow: Only of this flow or sync. ``actor``, ``reason``: who decided, and why.

        Raises:
            InvalidArgument: Nothing is open under the key, or no actor and reason.
        """
        _named(actor, reason)
        found = [item for item in self.items(flow) if item.key == key]
        if not found:
            raise InvalidArgument(f"Nothing is open under {key!r}.", cure="See ledger.worklist.items().")
        with self._store.transaction() as transaction:
            for sync in sorted({item.flow for item in found}):
                transaction.execute(
                    "INSERT INTO owners (sync, key, owner) VALUES (?, ?, ?)"
                    " ON CONFLICT (sync, key) DO UPDATE SET owner = excluded.owner",
                    (sync, key, owner),
                )
                transaction.execute(
                    "UPDATE attention SET owner = ? WHERE sync = ? AND key = ? AND closed IS NULL", (owner, sync, key)
                )
                transaction.audit("assigned", sync, key, owner=owner, by=actor, reason=reason)
        return len(found)

    def close(self, item: int, *, actor: str, reason: str) -> None:
        """An attention item is dealt with; it stays in the ledger. What is parked is replayed or settled instead.

        Args:
            item: ``id`` of the attention item.

        Raises:
            InvalidArgument: No such open item, or no actor and reason.
        """
        _named(actor, reason)
        with self._store.transaction() as transaction:
            rows = transaction.rows("SELECT sync, key, text FROM attention WHERE id = ? AND closed IS NULL", (item,))
            if not rows:
                raise InvalidArgument(f"No attention item {item!r} is open.", cure="See ledger.attention().")
            transaction.execute("UPDATE attention SET closed = ? WHERE id = ?", (transaction.at, item))
            sync, key, text = rows[0]["sync"], rows[0]["key"], rows[0]["text"]
            transaction.audit("attention closed", sync, key, text=text, by=actor, reason=reason)

    def owners(self) -> dict[tuple[str, str], str]:
        """Who looks at what, by sync and key."""
        return {(row["sync"], row["key"]): row["owner"] for row in self._store.read("SELECT * FROM owners")}

    def _attention(self) -> Iterator[OpenItem]:
        for row in self._store.read("SELECT * FROM attention WHERE closed IS NULL ORDER BY id"):
            yield self._item("attention", row, row["since"], (row["text"],), row["owner"])

    def _deliveries(self) -> Iterator[OpenItem]:
        owners = self.owners()
        for row in self._store.read(
            "SELECT id, sync, kind, key, state, faults, updated_at FROM deliveries"
            " WHERE state IN ('parked', 'in doubt') ORDER BY id"
        ):
            owner = owners.get((row["sync"], row["key"]), "")
            yield self._item(row["state"], row, row["updated_at"], tuple(json.loads(row["faults"])), owner)

    def _item(self, what: Any, row: Any, since: str, why: tuple[str, ...], owner: str) -> OpenItem:
        at = dt.datetime.fromisoformat(since)
        return OpenItem(
            what=what,
            id=row["id"],
            flow=row["sync"],
            kind=row["kind"],
            key=row["key"],
            why=why,
            since=at,
            age=self._store.clock.now() - at,
            owner=owner,
        )


def _named(actor: str, reason: str) -> None:
    if not actor.strip() or not reason.strip():
        raise InvalidArgument(f"actor={actor!r}, reason={reason!r}.", cure="Say who decides, and why (rule B7).")
