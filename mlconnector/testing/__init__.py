"""Simulators of the vendors' systems, a clock to move, builders of data: for this library's tests and for yours.

Every simulator is a context manager over a real socket on the loopback. It enforces what the vendor enforces, records
every call, and fails as told::

    with JDEdwardsSimulator() as jde:
        jde.add(orders(10))
        jde.fail(drop="after", match="dataservice")
        ...
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlconnector.testing import conformance
    from mlconnector.testing._ais import JDEdwardsSimulator
    from mlconnector.testing._ais_books import FinancialRules
    from mlconnector.testing._ais_journals import BatchRun
    from mlconnector.testing._ais_orchestrations import OrchestrationSite
    from mlconnector.testing._bill import BILLSimulator
    from mlconnector.testing._bill_events import BillEvent
    from mlconnector.testing._builders import accounts, fiscal_calendar, merge, orders, suppliers, vouchers
    from mlconnector.testing._cleo import CleoSimulator, Payload
    from mlconnector.testing._cleo_files import Upload
    from mlconnector.testing._clock import ManualClock
    from mlconnector.testing._coupa import CoupaSimulator
    from mlconnector.testing._coupa_actions import Transmission
    from mlconnector.testing._coupa_webhook import Notice
    from mlconnector.testing._fusion import FusionSimulator
    from mlconnector.testing._fusion_token import IdentityDomainSimulator
    from mlconnector.testing._master_data import terms
    from mlconnector.testing._peoplesoft import PeopleSoftSimulator
    from mlconnector.testing._peoplesoft_build import BuildReport
    from mlconnector.testing._peoplesoft_messages import Message, StagedRow
    from mlconnector.testing._receipts import receipts
    from mlconnector.testing._recorder import SessionRecorder, SessionReplay, UnexpectedCall
    from mlconnector.testing._server import Simulator
    from mlconnector.testing._wire import Answer, Call, Refused, Request, json_answer

__all__ = [
    "Answer",
    "BILLSimulator",
    "BatchRun",
    "BillEvent",
    "BuildReport",
    "Call",
    "CleoSimulator",
    "CoupaSimulator",
    "FinancialRules",
    "FusionSimulator",
    "IdentityDomainSimulator",
    "JDEdwardsSimulator",
    "ManualClock",
    "Message",
    "Notice",
    "OrchestrationSite",
    "Payload",
    "PeopleSoftSimulator",
    "Refused",
    "Request",
    "SessionRecorder",
    "SessionReplay",
    "Simulator",
    "StagedRow",
    "Transmission",
    "UnexpectedCall",
    "Upload",
    "accounts",
    "conformance",
    "fiscal_calendar",
    "json_answer",
    "merge",
    "orders",
    "receipts",
    "suppliers",
    "terms",
    "vouchers",
]

# Loaded on first use: pytest imports this package with the plugin, before coverage begins to measure.
_HOMES = {
    "Answer": "_wire",
    "BILLSimulator": "_bill",
    "BatchRun": "_ais_journals",
    "BillEvent": "_bill_events",
    "BuildReport": "_peoplesoft_build",
    "Call": "_wire",
    "CleoSimulator": "_cleo",
    "CoupaSimulator": "_coupa",
    "FinancialRules": "_ais_books",
    "FusionSimulator": "_fusion",
    "IdentityDomainSimulator": "_fusion_token",
    "JDEdwardsSimulator": "_ais",
    "ManualClock": "_clock",
    "Message": "_peoplesoft_messages",
    "Notice": "_coupa_webhook",
    "OrchestrationSite": "_ais_orchestrations",
    "Payload": "_cleo",
    "PeopleSoftSimulator": "_peoplesoft",
    "Refused": "_wire",
    "Request": "_wire",
    "SessionRecorder": "_recorder",
    "SessionReplay": "_recorder",
    "Simulator": "_server",
    "StagedRow": "_peoplesoft_messages",
    "Transmission": "_coupa_actions",
    "UnexpectedCall": "_recorder",
    "Upload": "_cleo_files",
    "accounts": "_builders",
    "fiscal_calendar": "_builders",
    "json_answer": "_wire",
    "merge": "_builders",
    "orders": "_builders",
    "receipts": "_receipts",
    "suppliers": "_builders",
    "terms": "_master_data",
    "vouchers": "_builders",
}


def __getattr__(name: str) -> Any:
    if name == "conformance":
        return importlib.import_module(f"{__name__}.conformance")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
