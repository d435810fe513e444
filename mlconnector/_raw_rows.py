"""What readers of raw rows have in common."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

__all__ = ["RawRows"]


class RawRows:
    """A reader of raw rows: they have no stamps, so a read of them leaves no cursor."""

    __slots__ = ()

    name: str
    resumable: bool = False
    overlap: dt.timedelta = dt.timedelta(0)

    @property
    def kind(self) -> str:
        """The vendor's table, resource or query."""
        return self.name

    @property
    def filters(self) -> Mapping[str, Any]:
        """None: there is no cursor to be bound to them."""
        return {}
