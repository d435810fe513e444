"""How rows of the simulated Coupa look in answers: fields, short forms, JSON texts, XML (reference, sections 1, 3)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

import attrs

from mlconnector.testing._coupa_query import BadQuery
from mlconnector.testing._coupa_schema import Field, dashed
from mlconnector.testing._coupa_store import Database, Row

__all__ = ["Selection", "View", "selection", "wire", "xml"]

Selection = Mapping[str, "Selection | None"]
"""Dashed name to what is shown within it; None or nothing within shows the usual."""


def selection(text: str | None) -> Selection | None:
    """The ``fields`` parameter: JSON text, names with underscores, nested objects as one-key mappings.

    An association named with a dash is passed over without an error, as a program in use found out.

    Raises:
        BadQuery: It is not such JSON.
    """
    if text is None:
        return None
    try:
        return _selected(json.loads(text))
    except ValueError as wrong:
        raise BadQuery(f"Cannot read fields: {wrong}") from wrong


def _selected(value: Any) -> Selection:
    found: dict[str, Selection | None] = {}
    if isinstance(value, Mapping):
        return {}
    if not isinstance(value, list):
        raise BadQuery("fields must be a list of names and objects")
    for entry in value:
        if isinstance(entry, str):
            found[dashed(entry)] = None
        elif isinstance(entry, Mapping):
            found |= {dashed(name): _selected(inner) for name, inner in entry.items() if "-" not in name}
        else:
            raise BadQuery("fields must be a list of names and objects")
    return found


@attrs.frozen(kw_only=True)
class View:
    """How rows are shown.

    Attributes:
        database: Where references lead.
        only: What ``fields`` asks for.
        shallow: Whether associations show their ids and natural keys alone.
        removed: Whether removed order lines are shown too.
        nulls: Whether null attributes are shown; Coupa can leave them out.
        concealed: Kind to the attributes that the customer's default filter takes out, unless ``fields`` asks.
    """

    database: Database
    only: Selection | None = None
    shallow: bool = False
    removed: bool = False
    nulls: bool = True
    concealed: Mapping[str, frozenset[str]] = attrs.field(factory=dict)

    def row(self, row: Row) -> dict[str, Any]:
        """A row with everything the view shows of it."""
        return self._whole(row) if self.only is None else self._chosen(row, self.only)

    def _whole(self, row: Row) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for name, field in self.database.kinds[row.kind].fields.items():
            if not field.in_only and name not in self.concealed.get(row.kind, ()):
                self._show(shown, name, self._value(row, name, field, None))
        return shown

    def _chosen(self, row: Row, only: Selection) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        fields = self.database.kinds[row.kind].fields
        for name, inner in only.items():
            field = fields.get(name)
            if field is not None and not field.in_only:
                self._show(shown, name, self._value(row, name, field, inner or None))
        return shown

    def _show(self, shown: dict[str, Any], name: str, value: Any) -> None:
        # Custom fields appear only when set, nulls can be missing (section 1).
        if value is not None or (self.nulls and name != "custom-fields"):
            shown[name] = value

    def _value(self, row: Row, name: str, field: Field, inner: Selection | None) -> Any:
        if field.sort in ("part", "parts"):
            gone = row.gone if self.removed and name == "order-lines" else []
            parts = [self._within(part, inner) for part in (*row.parts[name], *gone)]
            if field.sort == "parts":
                return parts
            return parts[0] if parts else None
        value = row.values[name]
        match field.sort:
            case "link":
                target = self.database.get(field.target, value)
                return None if target is None else self._linked(target, inner)
            case "links":
                targets = (self.database.get(field.target, key) for key in value or ())
                return [self._linked(target, inner) for target in targets if target is not None]
            case "object":
                if name == "country" and row.kind in ("addresses", "remit_to_addresses"):
                    return value.get("code") if isinstance(value, Mapping) else value
                if inner and isinstance(value, Mapping):
                    return {key: item for key, item in value.items() if key in inner}
                return value
            case _:
                return value

    def _within(self, part: Row, inner: Selection | None) -> dict[str, Any]:
        if inner is not None:
            return self._chosen(part, inner)
        return self._keys(part) if self.shallow else self._whole(part)

    def _linked(self, target: Row, inner: Selection | None) -> dict[str, Any]:
        if inner is not None:
            return self._chosen(target, inner)
        return self._keys(target) if self.shallow else self._brief(target)

    def _brief(self, row: Row) -> dict[str, Any]:
        """Own attributes, and of what they refer to the keys."""
        shown: dict[str, Any] = {}
        for name, field in self.database.kinds[row.kind].fields.items():
            if field.sort == "link":
                target = self.database.get(field.target, row.values[name])
                self._show(shown, name, None if target is None else self._keys(target))
            elif field.sort not in ("links", "part", "parts"):
                self._show(shown, name, row.values[name])
        return shown

    def _keys(self, row: Row) -> dict[str, Any]:
        kind = self.database.kinds[row.kind]
        return {"id": row.id} | {name: row.values[name] for name in kind.keys if row.values[name] is not None}


def wire(value: Any, zone: dt.tzinfo) -> Any:
    """The same as JSON has it: decimals are texts, instants carry the company's offset (section 1)."""
    if isinstance(value, Mapping):
        return {name: wire(item, zone) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [wire(item, zone) for item in value]
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(zone).isoformat()
    return value


def _decimal_text(value: Decimal) -> str:
    """At least two digits after the point, no further zeros: the scale of answers varies."""
    whole, _, fraction = format(value, "f").partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def xml(name: str, value: Any, *, one: str = "item") -> str:
    """An element of what :func:`wire` gave."""
    if value is None:
        return f'<{name} nil="true"/>'
    if isinstance(value, Mapping):
        return f"<{name}>{''.join(xml(key, item, one=key.removesuffix('s')) for key, item in value.items())}</{name}>"
    if isinstance(value, list):
        return f'<{name} type="array">{"".join(xml(one, item) for item in value)}</{name}>'
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{escape(text)}</{name}>"
