"""Links of items, and child collections inside them, in every known form (Fusion reference, sections 3 and 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from mlconnector.fusion._resources import CHILD_PAGE, Child
from mlconnector.http import same_origin_path

__all__ = ["came", "child_of", "own_path", "path_of"]

_OWN = ("self", "canonical")


def _links(row: Mapping[str, Any]) -> Sequence[Any]:
    """The links of an item: at top level, or in framework version 9 inside ``@context``."""
    found = row.get("links")
    if found is None:
        context = row.get("@context")
        found = context.get("links") if isinstance(context, Mapping) else None
    return found if isinstance(found, list) else ()


def path_of(row: Mapping[str, Any], origin: str) -> str | None:
    """Path of an item or collection by its own link, on the configured origin and without a query."""
    for rel in _OWN:
        for link in _links(row):
            if isinstance(link, Mapping) and link.get("rel") == rel and isinstance(link.get("href"), str):
                return same_origin_path(link["href"], origin).partition("?")[0]
    return None


def own_path(row: Mapping[str, Any], collection: str, key: str | None, origin: str) -> str | None:
    """Path of an item: by its link, else by a key that stands in the path (section 1).

    Args:
        collection: Path of the collection it lies in.
        key: Attribute that stands in its path; ``None`` where a hash does, which only a link tells.
    """
    found = path_of(row, origin)
    if found is None and key is not None and row.get(key) is not None:
        return f"{collection}/{quote(str(row[key]), safe='')}"
    return found


def child_of(row: Mapping[str, Any], child: Child) -> str | None:
    """The accessor under which this child came; ``None`` where none of them is there."""
    for accessor in child.accessors:
        if accessor in row:
            return accessor
    return None


def came(value: Any) -> tuple[list[dict[str, Any]], bool]:
    """The rows of an expanded child, and whether more of them follow.

    It is a collection object, or in framework version 2 an array that is cut without a sign.
    """
    if type(value) is dict:
        rows = _rows(value.get("items"))
        says = value.get("hasMore")
        return rows, says if isinstance(says, bool) else len(rows) >= CHILD_PAGE
    rows = _rows(value)
    return rows, len(rows) >= CHILD_PAGE


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if type(row) is dict] if type(value) is list else []
