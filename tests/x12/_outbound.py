"""Payments, shipments and answers the tests of the outbound mappers start from."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from mlconnector.documents import (
    AcknowledgedLine,
    Application,
    OrderAcknowledgment,
    Pack,
    Payment,
    Shipment,
    ShipmentItem,
)
from tests.x12._orders import DOCK, SUPPLIER

SSCC = "006141410000000018"


def application(invoice="S-77", **options) -> Application:
    return Application(**{"invoice": invoice, "amount": Decimal("98.00"), "discount": Decimal("2.00"), **options})


def payment(*applications, **options) -> Payment:
    return Payment(
        **{
            "number": "9001",
            "date": dt.date(2026, 3, 2),
            "method": "check",
            "amount": Decimal("98.00"),
            "currency": "USD",
            "payee": SUPPLIER,
            "bank_reference": "100234",
            "status": "Issued",
            "applications": applications or (application(),),
            **options,
        }
    )


def item(number="1", **options) -> ShipmentItem:
    return ShipmentItem(
        **{
            "number": number,
            "order_number": "C-500",
            "order_line": number,
            "item_ids": {"buyer": "B-100", "vendor": "V-9"},
            "description": "Bolt M8",
            "quantity": Decimal(10),
            "unit": "EA",
            **options,
        }
    )


def pack(number=SSCC, **options) -> Pack:
    return Pack(**{"number": number, "kind": "CTN", "weight": Decimal("12.5"), "weight_unit": "LB", **options})


def shipment(*items, **options) -> Shipment:
    return Shipment(
        **{
            "number": "SHP-1",
            "date": dt.date(2026, 3, 2),
            "carrier": "UPSN",
            "ship_from": SUPPLIER,
            "ship_to": DOCK,
            "orders": ("C-500",),
            "items": items or (item(),),
            **options,
        }
    )


def answer(*lines, **options) -> OrderAcknowledgment:
    return OrderAcknowledgment(
        **{
            "number": "SO-1",
            "order_number": "45001",
            "date": dt.date(2026, 3, 3),
            "verdict": "AD",
            "currency": "USD",
            "lines": lines or (answered(),),
            **options,
        }
    )


def answered(line="1", **options) -> AcknowledgedLine:
    return AcknowledgedLine(**{"line": line, "status": "IA", "quantity": Decimal(10), "unit": "EA", **options})
