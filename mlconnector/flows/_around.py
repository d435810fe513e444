"""A target with something to do beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from mlconnector.errors import MLConnectorError
from mlconnector.target import Change, LookUp, Prepared, Receipt, Target

__all__ = ["Around"]


class Around:
    """Does what its inner target does; what is to be different is overridden."""

    def __init__(self, inner: Target[Any]) -> None:
        self._inner = inner
        self.look_before_create = getattr(inner, "look_before_create", True)

    @property
    def name(self) -> str:
        """The inner target's."""
        return self._inner.name

    @property
    def batch_size(self) -> int:
        """The inner target's."""
        return self._inner.batch_size

    @property
    def look_up(self) -> LookUp:
        """The inner target's."""
        return self._inner.look_up

    @property
    def settle_after(self) -> dt.timedelta:
        """The inner target's."""
        return self._inner.settle_after

    def content(self, document: Any) -> str:
        """The inner target's."""
        return self._inner.content(document)

    def prepare(self, change: Change[Any]) -> Prepared:
        """The inner target's."""
        return self._inner.prepare(change)

    def find(self, prepared: Prepared) -> Receipt | None:
        """The inner target's."""
        return self._inner.find(prepared)

    def deliver(self, batch: Sequence[Prepared]) -> Sequence[Receipt | MLConnectorError]:
        """The inner target's."""
        return self._inner.deliver(batch)
