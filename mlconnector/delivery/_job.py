"""What the parts of the engine share in one run of one sync."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from typing import Any, Literal

import attrs

from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._part import attend
from mlconnector.delivery._recovery import Recovered
from mlconnector.delivery._report import KindReport
from mlconnector.delivery._rows import Attention
from mlconnector.delivery._store import Lease, Transaction
from mlconnector.documents import Document
from mlconnector.target import Target

__all__ = ["BEGUN", "HOLDING", "Excluded", "Job", "Settings", "log"]

log = logging.getLogger("mlconnector.delivery")

HOLDING = "(state IN ('sending', 'in doubt', 'unknown') OR (state = 'parked' AND detail IN ('conflict', 'in doubt')))"
"""An open delivery: it holds its key, never another (delivery rule 4)."""
BEGUN = "(state IN ('parked', 'superseded') AND done <> '[]')"
"""A closed delivery of which the target has a part: a step was refused after others were done (delivery rule 8)."""


@attrs.frozen
class Excluded:
    """Not meant to go, and why; ``attention`` is shown where the target knows the document already."""

    reason: str
    attention: str = ""


Select = Callable[[Any, bool], str | Excluded | None]


@attrs.frozen(kw_only=True)
class Settings:
    """Options of a sync, see :class:`~mlconnector.delivery.Sync`."""

    sync: str
    kind: str
    begin: Literal["everything", "nothing"] | dt.datetime
    on_baseline_change: Literal["attention", "create", "change"]
    select: Select | None
    withdraw: Callable[[Any], Any] | None
    link: tuple[str, str, str] | None
    overwrite: bool
    stop_after: int
    uncounted_causes: frozenset[str]
    on_attention: Callable[[Attention], None] | None
    lease: dt.timedelta
    call_timeout: float
    confirm_within: dt.timedelta
    max_in_flight: int = 1


@attrs.define(kw_only=True)
class Job:
    """One run: ledger, target, lease, report, and what must not be tried twice in it."""

    ledger: Ledger
    target: Target[Any]
    settings: Settings
    lease: Lease
    report: KindReport
    recovery: Recovered | None = None
    tried: set[int] = attrs.field(factory=set)
    in_a_row: tuple[str, int] = ("", 0)
    untold: list[Attention] = attrs.field(factory=list)

    @property
    def held(self) -> bool:
        """The ledger was recovered: nothing is sent before one complete read (delivery rule 13)."""
        return self.recovery is not None and self.recovery.pending

    @property
    def lanes(self) -> int:
        """Calls of the target under way at once, as many as the sync wants and the target allows."""
        return min(self.settings.max_in_flight, getattr(self.target, "max_in_flight", 1))

    @property
    def sync(self) -> str:
        """Name of the sync."""
        return self.settings.sync

    def usage(self, document: Document) -> str:
        """The usage indicator that is part of the delivery's identity (rule B3)."""
        ask = getattr(self.target, "usage", None)
        return "" if ask is None else str(ask(document))

    def attend(self, transaction: Transaction, key: str, text: str) -> None:
        """Add an attention item, unless the same one is open."""
        item = attend(transaction, self.sync, self.settings.kind, key, text)
        if item is not None:
            log.warning("attention: %s %s: %s", self.sync, key, text, extra={"sync": self.sync, "key": key})
            self.untold.append(item)

    def tell(self) -> None:
        """Call ``on_attention`` for what is new; outside of any transaction, since it is the caller's code."""
        while self.untold:
            item = self.untold.pop(0)
            if self.settings.on_attention is not None:
                self.settings.on_attention(item)
