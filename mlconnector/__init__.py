"""mlconnector: connects ERP systems with Cleo, Coupa and BILL, and speaks EDI X12.

::

    import mlconnector as mc
    from mlconnector import flows, x12

    jde = mc.JDEdwardsAIS("https://ais.example:9302", auth=mc.AISSession("USER", "password", device="mlconnector"))
    cleo = mc.Cleo("https://tenant.example", auth=mc.OAuth2Password("user", "password"))
    partner = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"), usage="T")
    flow = flows.jde_to_cleo(
        jde, cleo, ledger=mc.Ledger("acme.db", actor="nightly job"), routes=[flows.Route("4343", partner)]
    )
    print(flow.run())

Names are loaded when they are first used: importing the package loads no vendor and configures nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlconnector import (
        auth,
        credentials,
        delivery,
        documents,
        errors,
        flows,
        frames,
        http,
        kit,
        otel,
        testing,
        webhooks,
        x12,
    )
    from mlconnector.auth import HTTPBasic, OAuth2ClientCredentials, OAuth2Password, TokenManager
    from mlconnector.bill import BILL, BillSession
    from mlconnector.check import Check, CheckStep
    from mlconnector.cleo import Cleo, CleoFiles
    from mlconnector.clock import SYSTEM_CLOCK, Clock, SystemClock
    from mlconnector.coupa import Coupa
    from mlconnector.credentials import Secret, SecretSource, stored
    from mlconnector.delivery import Calendar, Flow, Health, Ledger, Report, Sync
    from mlconnector.documents import (
        Account,
        AcknowledgedLine,
        AcknowledgedSet,
        Address,
        Application,
        Contact,
        CostCenter,
        Document,
        FunctionalAcknowledgment,
        Invoice,
        InvoiceLine,
        JournalLine,
        OrderAcknowledgment,
        OrderLine,
        Pack,
        Party,
        PayItem,
        Payment,
        Provenance,
        PurchaseOrder,
        Schedule,
        Shipment,
        ShipmentItem,
        Supplier,
        from_json,
        to_json,
    )
    from mlconnector.errors import (
        AuthenticationFailed,
        ConnectionFailed,
        CredentialsNotFound,
        CursorMismatch,
        DeliveryInDoubt,
        DocumentError,
        InvalidArgument,
        InvalidDocument,
        LeaseLost,
        LedgerError,
        LedgerMismatch,
        LedgerRestored,
        MissingExtra,
        MLConnectorError,
        NotFound,
        PermissionDenied,
        RateLimited,
        TargetChanged,
        TooManyParked,
        UnknownReference,
        VendorFault,
        WebhookRejected,
        X12Error,
    )
    from mlconnector.frames import to_arrow, to_pandas, to_polars
    from mlconnector.fusion import OracleFusion
    from mlconnector.http import Retry, Timeout
    from mlconnector.jdedwards import AISSession, Approval, JDEdwardsAIS
    from mlconnector.peoplesoft import PeopleSoft
    from mlconnector.progress import ProgressBar
    from mlconnector.records import Page, Records, Rejected
    from mlconnector.target import Change, ControlNumbers, Prepared, Receipt, Sink, Source, Target

_DOORS = {
    "bill": (
        "BILL",
        "BillSession",
    ),
    "coupa": ("Coupa",),
    "peoplesoft": ("PeopleSoft",),
    "fusion": ("OracleFusion",),
    "auth": ("HTTPBasic", "OAuth2ClientCredentials", "OAuth2Password", "TokenManager"),
    "check": ("Check", "CheckStep"),
    "cleo": ("Cleo", "CleoFiles"),
    "clock": ("SYSTEM_CLOCK", "Clock", "SystemClock"),
    "credentials": ("Secret", "SecretSource", "stored"),
    "delivery": ("Calendar", "Flow", "Health", "Ledger", "Report", "Sync"),
    "documents": (
        "Account",
        "AcknowledgedLine",
        "AcknowledgedSet",
        "Address",
        "Application",
        "Contact",
        "CostCenter",
        "Document",
        "FunctionalAcknowledgment",
        "Invoice",
        "InvoiceLine",
        "JournalLine",
        "OrderAcknowledgment",
        "OrderLine",
        "Pack",
        "Party",
        "PayItem",
        "Payment",
        "Provenance",
        "PurchaseOrder",
        "Schedule",
        "Shipment",
        "ShipmentItem",
        "Supplier",
        "from_json",
        "to_json",
    ),
    "errors": (
        "AuthenticationFailed",
        "ConnectionFailed",
        "CredentialsNotFound",
        "CursorMismatch",
        "DeliveryInDoubt",
        "DocumentError",
        "InvalidArgument",
        "InvalidDocument",
        "LeaseLost",
        "LedgerError",
        "LedgerMismatch",
        "LedgerRestored",
        "MissingExtra",
        "MLConnectorError",
        "NotFound",
        "PermissionDenied",
        "RateLimited",
        "TargetChanged",
        "TooManyParked",
        "UnknownReference",
        "VendorFault",
        "WebhookRejected",
        "X12Error",
    ),
    "frames": ("to_arrow", "to_pandas", "to_polars"),
    "http": ("Retry", "Timeout"),
    "jdedwards": ("AISSession", "Approval", "JDEdwardsAIS"),
    "progress": ("ProgressBar",),
    "records": ("Page", "Records", "Rejected"),
    "target": ("Change", "ControlNumbers", "Prepared", "Receipt", "Sink", "Source", "Target"),
}
_ROOMS = (
    "auth",
    "credentials",
    "delivery",
    "documents",
    "errors",
    "flows",
    "frames",
    "http",
    "kit",
    "otel",
    "testing",
    "webhooks",
    "x12",
)
_HOME = {name: room for room, names in _DOORS.items() for name in names}

__version__ = "0.1.0"
__all__ = [
    "BILL",
    "SYSTEM_CLOCK",
    "AISSession",
    "Account",
    "AcknowledgedLine",
    "AcknowledgedSet",
    "Address",
    "Application",
    "Approval",
    "AuthenticationFailed",
    "BillSession",
    "Calendar",
    "Change",
    "Check",
    "CheckStep",
    "Cleo",
    "CleoFiles",
    "Clock",
    "ConnectionFailed",
    "Contact",
    "ControlNumbers",
    "CostCenter",
    "Coupa",
    "CredentialsNotFound",
    "CursorMismatch",
    "DeliveryInDoubt",
    "Document",
    "DocumentError",
    "Flow",
    "FunctionalAcknowledgment",
    "HTTPBasic",
    "Health",
    "InvalidArgument",
    "InvalidDocument",
    "Invoice",
    "InvoiceLine",
    "JDEdwardsAIS",
    "JournalLine",
    "LeaseLost",
    "Ledger",
    "LedgerError",
    "LedgerMismatch",
    "LedgerRestored",
    "MLConnectorError",
    "MissingExtra",
    "NotFound",
    "OAuth2ClientCredentials",
    "OAuth2Password",
    "OracleFusion",
    "OrderAcknowledgment",
    "OrderLine",
    "Pack",
    "Page",
    "Party",
    "PayItem",
    "Payment",
    "PeopleSoft",
    "PermissionDenied",
    "Prepared",
    "ProgressBar",
    "Provenance",
    "PurchaseOrder",
    "RateLimited",
    "Receipt",
    "Records",
    "Rejected",
    "Report",
    "Retry",
    "Schedule",
    "Secret",
    "SecretSource",
    "Shipment",
    "ShipmentItem",
    "Sink",
    "Source",
    "Supplier",
    "Sync",
    "SystemClock",
    "Target",
    "TargetChanged",
    "Timeout",
    "TokenManager",
    "TooManyParked",
    "UnknownReference",
    "VendorFault",
    "WebhookRejected",
    "X12Error",
    "auth",
    "credentials",
    "delivery",
    "documents",
    "errors",
    "flows",
    "frames",
    "from_json",
    "http",
    "kit",
    "otel",
    "stored",
    "testing",
    "to_arrow",
    "to_json",
    "to_pandas",
    "to_polars",
    "webhooks",
    "x12",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    room = _HOME.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{room}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
