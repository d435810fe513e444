"""What every document is made of: its head row, its lines, its stamp; keys, customer fields, translated codes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.errors import VendorFault
from mlconnector.peoplesoft._queries import CODES, QUERIES
from mlconnector.peoplesoft._values import Row

__all__ = ["Head", "check_codes", "extras", "key_of"]


@attrs.frozen
class Head:
    """Everything that was read for one document.

    Args:
        row: Its head. ``lines``: its line rows. ``updated_at``: its stamp in UTC.
        faults: What keeps it from being complete.
    """

    row: Row
    lines: Sequence[Row] = ()
    updated_at: dt.datetime | None = None
    faults: tuple[str, ...] = ()


def key_of(*parts: str) -> str:
    """Natural key: business unit or SETID first, because no id is unique without it (section 9)."""
    return "/".join(parts)


def extras(row: Row, entity: str, also: Sequence[str] = ()) -> Mapping[str, Any]:
    """The customer's own columns under their row keys, and these contract fields without their alias."""
    known = frozenset(QUERIES[entity].fields)
    own = {name: _plain(value) for name, value in row.items() if name not in known}
    named = {field.partition(".")[2]: _plain(row[field]) for field in also if row.get(field) not in (None, "", " ")}
    return {name: value for name, value in {**own, **named}.items() if value not in (None, "")}


def _plain(value: Any) -> Any:
    return value.rstrip() if isinstance(value, str) else value


def check_codes(rows: Iterable[Row], query: str) -> None:
    """Refuse a query that translates codes.

    Raises:
        VendorFault: A code field holds a long or short name of the translate table instead of the code.
    """
    for row in rows:
        for field, codes in CODES.items():
            value = str(row.get(field) or "").strip()
            if len(value) > max(map(len, codes)):
                raise VendorFault(
                    f"peoplesoft: query {query} returns {field} as {value!r}, a translation instead of the code"
                    f" ({', '.join(sorted(codes))}).",
                    cure="The PeopleSoft administrator sets the field's translate value in the query to None.",
                    fault="administrator",
                    system="peoplesoft",
                )
