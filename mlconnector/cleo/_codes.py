"""Codes inside a document, by the crosswalk: a partner's name for a party, an account, a cost centre, a unit (B80)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import attrs

from mlconnector.documents import Document, Party

__all__ = ["restored", "translated"]

D = TypeVar("D", bound=Document)
_SYSTEM = "cleo"
_FIELDS: Mapping[str, str] = {"account": "account", "cost_center": "cost_center", "unit": "unit", "price_unit": "unit"}
"""Field to kind of link."""
_PARTIES = ("supplier", "payee", "ship_to", "bill_to", "remit_to")


def translated(document: D, crosswalk: Any) -> D:
    """The document with every code that is linked to one of system ``"cleo"``; others stay as they are.

    Links are ``crosswalk.link("account", fusion="101-10", cleo="5000")``: of the system the document was read from.
    """
    if crosswalk is None or document.provenance is None:
        return document
    return _with_codes(document, _Lookup(crosswalk, document.provenance.system, _SYSTEM))


def restored(document: D, crosswalk: Any, system: str) -> D:
    """The way back: codes that the partner was told as those of ``system`` again.

    Args:
        document: As the partner wrote it.
        crosswalk: The flow's.
    """
    return _with_codes(document, _Lookup(crosswalk, _SYSTEM, system))


def _with_codes(document: D, of: _Lookup) -> D:
    changes: dict[str, Any] = of.fields(document)
    for name in _PARTIES:
        party = getattr(document, name, None)
        if isinstance(party, Party) and party.number:
            changes[name] = attrs.evolve(party, number=of.code("supplier", party.number))
    for name in ("lines", "items"):
        if hasattr(document, name):
            changes[name] = tuple(attrs.evolve(line, **of.fields(line)) for line in getattr(document, name))
    return attrs.evolve(document, **changes)


class _Lookup:
    def __init__(self, crosswalk: Any, known_in: str, wanted_in: str) -> None:
        self._crosswalk, self._known_in, self._wanted_in = crosswalk, known_in, wanted_in
        self._known: dict[tuple[str, str], str] = {}

    def code(self, kind: str, value: str) -> str:
        if (kind, value) not in self._known:
            found = self._crosswalk.find(kind, to=self._wanted_in, **{self._known_in: value})
            self._known[kind, value] = value if found is None else found
        return self._known[kind, value]

    def fields(self, part: Any) -> dict[str, Any]:
        return {
            name: self.code(kind, value)
            for name, kind in _FIELDS.items()
            if isinstance(value := getattr(part, name, None), str) and value
        }
