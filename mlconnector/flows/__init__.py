"""The integrations: each a flow made of syncs, with the routes that say what goes where."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mlconnector.cleo import Route, Routes
from mlconnector.delivery import Flow

if TYPE_CHECKING:
    from mlconnector.flows._fusion_to_cleo import fusion_to_cleo
    from mlconnector.flows._hand_over import PaymentInstrument, PayStatus, Trusted
    from mlconnector.flows._jde_to_bill import jde_to_bill
    from mlconnector.flows._jde_to_cleo import jde_to_cleo
    from mlconnector.flows._jde_to_coupa import jde_to_coupa
    from mlconnector.flows._peoplesoft_to_cleo import peoplesoft_to_cleo
    from mlconnector.flows._trace import PaymentTrace, trace_payment
    from mlconnector.flows._trading_partners import trading_partners

__all__ = [
    "Flow",
    "PayStatus",
    "PaymentInstrument",
    "PaymentTrace",
    "Route",
    "Routes",
    "Trusted",
    "fusion_to_cleo",
    "jde_to_bill",
    "jde_to_cleo",
    "jde_to_coupa",
    "peoplesoft_to_cleo",
    "trace_payment",
    "trading_partners",
]

_HOMES = {
    "PayStatus": "_hand_over",
    "PaymentInstrument": "_hand_over",
    "Trusted": "_hand_over",
    "jde_to_bill": "_jde_to_bill",
    "PaymentTrace": "_trace",
    "fusion_to_cleo": "_fusion_to_cleo",
    "jde_to_cleo": "_jde_to_cleo",
    "jde_to_coupa": "_jde_to_coupa",
    "peoplesoft_to_cleo": "_peoplesoft_to_cleo",
    "trace_payment": "_trace",
    "trading_partners": "_trading_partners",
}


def __getattr__(name: str) -> Any:
    """Each flow loads its own two systems only."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
