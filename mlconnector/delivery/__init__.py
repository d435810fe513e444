"""The ledger and the engine: at least once on the wire, looked up before any repeat, with proof of what happened."""

from __future__ import annotations

from mlconnector.delivery._crosswalk import Crosswalk
from mlconnector.delivery._flow import Flow
from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._report import KindReport, Preview, Report
from mlconnector.delivery._rows import Attention, Delivery, HistoryEvent, OrderState
from mlconnector.delivery._sync import Progress, StopSignal, Sync

__all__ = [
    "Attention",
    "Crosswalk",
    "Delivery",
    "Flow",
    "HistoryEvent",
    "KindReport",
    "Ledger",
    "OrderState",
    "Preview",
    "Progress",
    "Report",
    "StopSignal",
    "Sync",
]
