"""The ledger and the engine: at least once on the wire, looked up before any repeat, with proof of what happened."""

from __future__ import annotations

from mlconnector.delivery._aligning import Aligning, Entry, Side, entries_of
from mlconnector.delivery._alignment import Aligned, Alignment
from mlconnector.delivery._answers import Acknowledged, Answering, Confirmed, Heard, Noted
from mlconnector.delivery._collecting import Collection, Interpreted, Mailbox
from mlconnector.delivery._crosswalk import Crosswalk, WaitingChange
from mlconnector.delivery._crosswalk_plan import LinkChange, LoadPreview
from mlconnector.delivery._flow import Flow
from mlconnector.delivery._history import History
from mlconnector.delivery._inbound import InboundReader
from mlconnector.delivery._inbox import Inbox, InboxMessage, Message, Owed
from mlconnector.delivery._job import Excluded
from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._part import Part
from mlconnector.delivery._polling import Calendar, Health
from mlconnector.delivery._reconciliation import Balance, Finding, PaymentDay, Reconciliation
from mlconnector.delivery._reconciling import Period, Recount
from mlconnector.delivery._report import KindReport, Preview, Report
from mlconnector.delivery._retention import Hold, Pruned
from mlconnector.delivery._rows import Attention, Delivery, HistoryEvent, OrderState
from mlconnector.delivery._sync import Progress, StopSignal, Sync
from mlconnector.delivery._waking import Waking
from mlconnector.delivery._worklist import OpenItem, OpenItems, Worklist

__all__ = [
    "Acknowledged",
    "Aligned",
    "Aligning",
    "Alignment",
    "Answering",
    "Attention",
    "Balance",
    "Calendar",
    "Collection",
    "Confirmed",
    "Crosswalk",
    "Delivery",
    "Entry",
    "Excluded",
    "Finding",
    "Flow",
    "Health",
    "Heard",
    "History",
    "HistoryEvent",
    "Hold",
    "InboundReader",
    "Inbox",
    "InboxMessage",
    "Interpreted",
    "KindReport",
    "Ledger",
    "LinkChange",
    "LoadPreview",
    "Mailbox",
    "Message",
    "Noted",
    "OpenItem",
    "OpenItems",
    "OrderState",
    "Owed",
    "Part",
    "PaymentDay",
    "Period",
    "Preview",
    "Progress",
    "Pruned",
    "Reconciliation",
    "Recount",
    "Report",
    "Side",
    "StopSignal",
    "Sync",
    "WaitingChange",
    "Waking",
    "Worklist",
    "entries_of",
]
