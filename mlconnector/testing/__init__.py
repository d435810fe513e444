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
    from mlconnector.testing._ais import JDEdwardsSimulator
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
    from mlconnector.testing._peoplesoft import PeopleSoftSimulator
    from mlconnector.testing._peoplesoft_build import BuildReport
    from mlconnector.testing._peoplesoft_messages import Message, StagedRow
    from mlconnector.testing._receipts import receipts
    from mlconnector.testing._server import Simulator
    from mlconnector.testing._wire import Call

__all__ = [
    "BILLSimulator",
    "BillEvent",
    "BuildReport",
    "Call",
    "CleoSimulator",
    "CoupaSimulator",
    "FusionSimulator",
    "IdentityDomainSimulator",
    "JDEdwardsSimulator",
    "ManualClock",
    "Message",
    "Notice",
    "Payload",
    "PeopleSoftSimulator",
    "Simulator",
    "StagedRow",
    "Transmission",
    "Upload",
    "accounts",
    "fiscal_calendar",
    "merge",
    "orders",
    "receipts",
    "suppliers",
    "vouchers",
]

# Loaded on first use: pytest imports this package with the plugin, before coverage begins to measure.
_HOMES = {
    "BILLSimulator": "_bill",
    "BillEvent": "_bill_events",
    "BuildReport": "_peoplesoft_build",
    "Call": "_wire",
    "CleoSimulator": "_cleo",
    "CoupaSimulator": "_coupa",
    "FusionSimulator": "_fusion",
    "IdentityDomainSimulator": "_fusion_token",
    "JDEdwardsSimulator": "_ais",
    "ManualClock": "_clock",
    "Message": "_peoplesoft_messages",
    "Notice": "_coupa_webhook",
    "Payload": "_cleo",
    "PeopleSoftSimulator": "_peoplesoft",
    "Simulator": "_server",
    "StagedRow": "_peoplesoft_messages",
    "Transmission": "_coupa_actions",
    "Upload": "_cleo_files",
    "accounts": "_builders",
    "fiscal_calendar": "_builders",
    "merge": "_builders",
    "orders": "_builders",
    "receipts": "_receipts",
    "suppliers": "_builders",
    "vouchers": "_builders",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
