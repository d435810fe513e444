"""The doors through which events come in: verified, stored, answered; flows do the work (delivery rule 14)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mlconnector.event import Event, Verifier
from mlconnector.webhooks._receive import receive, wsgi_app

if TYPE_CHECKING:
    from mlconnector.bill import BillVerifier
    from mlconnector.coupa._verifier import CoupaVerifier

__all__ = ["BillVerifier", "CoupaVerifier", "Event", "Verifier", "receive", "wsgi_app"]

_HOMES = {"BillVerifier": "mlconnector.bill", "CoupaVerifier": "mlconnector.coupa._verifier"}


def __getattr__(name: str) -> Any:
    """A vendor's verifier lives with its vendor, and loads with it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
