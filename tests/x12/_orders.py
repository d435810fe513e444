"""Documents and profiles the tests of this room start from."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from mlconnector import x12
from mlconnector.documents import Address, Invoice, InvoiceLine, OrderLine, Party, PurchaseOrder

AT = dt.datetime(2026, 3, 1, 23, 30, tzinfo=dt.UTC)
SUPPLIER = Party(
    number="4343",
    name="Supplier Inc",
    address=Address(lines=("1 Main St",), city="Austin", state="TX", postal_code="78701", country="US"),
)
DOCK = Party(
    number="3001",
    name="Dock 3",
    address=Address(lines=("5 Dock Rd", "Gate 2"), city="Reno", state="NV", postal_code="89501", country="US"),
)


def partner(**options) -> x12.Partner:
    return x12.Partner(**{"sender": x12.Id("ZZ", "ACME"), "receiver": x12.Id("01", "123456789"), **options})


def line(number="1", **options) -> OrderLine:
    return OrderLine(
        **{
            "number": number,
            "description": "Bolt M8",
            "item_ids": {"buyer": "B-100", "vendor": "V-9"},
            "quantity": Decimal(10),
            "unit": "EA",
            "unit_price": Decimal("2.50"),
            "price_unit": "EA",
            "amount": Decimal("25.00"),
            "requested_date": dt.date(2026, 4, 1),
            **options,
        }
    )


def order(*lines, **options) -> PurchaseOrder:
    return PurchaseOrder(
        **{
            "number": "45001",
            "type": "OP",
            "company": "00001",
            "date": dt.date(2026, 3, 1),
            "supplier": SUPPLIER,
            "ship_to": DOCK,
            "currency": "USD",
            "lines": lines or (line(),),
            **options,
        }
    )


def invoice(*lines, **options) -> Invoice:
    return Invoice(
        **{
            "number": "7001",
            "type": "PV",
            "company": "00001",
            "supplier_invoice_number": "S-77",
            "date": dt.date(2026, 3, 1),
            "supplier": SUPPLIER,
            "currency": "USD",
            "gross": Decimal("25.00"),
            "purchase_order": "45001",
            "lines": lines or (invoice_line(),),
            **options,
        }
    )


def invoice_line(number="1", **options) -> InvoiceLine:
    return InvoiceLine(
        **{
            "number": number,
            "description": "Bolt M8",
            "item_ids": {"buyer": "B-100"},
            "quantity": Decimal(10),
            "unit": "EA",
            "unit_price": Decimal("2.50"),
            "amount": Decimal("25.00"),
            **options,
        }
    )


def written(*sets, to=None, **options) -> str:
    return x12.interchange(sets, to or partner(), control=x12.ControlNumbers(7, 3), at=AT, **options)


def tags(ts) -> list[str]:
    return [segment.id for segment in ts.segments]


def one(ts, tag, first=None):
    (segment,) = ts.all(tag, first)
    return segment
