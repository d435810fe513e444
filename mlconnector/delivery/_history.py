"""A history as people read it: a line an event in a terminal, a table in a notebook."""

from __future__ import annotations

import re

from mlconnector._html import fields, table
from mlconnector.delivery._rows import HistoryEvent

__all__ = ["History"]

_NOTHING: tuple[object, ...] = ("", None, False, [], {})
_MOST = 500
_HASH = re.compile("[0-9a-f]{64}")
_DIGITS = 12


class History(list[HistoryEvent]):
    """Everything that happened to a natural key, oldest first."""

    def __str__(self) -> str:
        return "\n".join(map(str, self))

    def _repr_html_(self) -> str:
        rows = [(event.at, event.event, event.actor, event.flow, _told(event)) for event in self]
        return table(("at", "event", "actor", "flow", ""), rows, caption=f"{len(self)} events", most=_MOST)


def _told(event: HistoryEvent) -> str:
    found = fields(event.facts).items()
    return ", ".join(f"{name}={_short(value)}" for name, value in found if value not in _NOTHING)


def _short(value: object) -> object:
    """A hash by its first digits, which tell it from any other here; ``facts`` and the audit have it whole."""
    return f"{value[:_DIGITS]}..." if isinstance(value, str) and _HASH.fullmatch(value) else value
