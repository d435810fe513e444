"""The ledger and the engine: at least once on the wire, looked up before any repeat, with proof of what happened."""

from __future__ import annotations

from mlconnector.delivery._answers import Acknowledged, Answering, Confirmed, Heard, Noted
from mlconnector.delivery._collecting import Collection, Interpreted, Mailbox
from mlconnector.delivery._crosswalk import Crosswalk
from mlconnector.delivery._flow import Flow
from mlconnector.delivery._inbound import InboundReader
from mlconnector.delivery._inbox import Inbox, InboxMessage, Message, Owed
from mlconnector.delivery._job import Excluded
from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._part import Part
from mlconnector.delivery._report import KindReport, Preview, Report
from mlconnector.delivery._rows import Attention, Delivery, HistoryEvent, OrderState
from mlconnector.delivery._sync import Progress, StopSignal, Sync
from mlconnector.delivery._waking import Waking

__all__ = [
    "Acknowledged",
    "Answering",
    "Attention",
    "Collection",
    "Confirmed",
    "Crosswalk",
    "Delivery",
    "Excluded",
    "Flow",
    "Heard",
    "HistoryEvent",
    "InboundReader",
    "Inbox",
    "InboxMessage",
    "Interpreted",
    "KindReport",
    "Ledger",
    "Mailbox",
    "Message",
    "Noted",
    "OrderState",
    "Owed",
    "Part",
    "Preview",
    "Progress",
    "Report",
    "StopSignal",
    "Sync",
    "Waking",
]
