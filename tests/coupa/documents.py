"""Documents as JD Edwards gives them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs

import mlconnector as mc


def origin(kind: str, key: str) -> mc.Provenance:
    return mc.Provenance(system="jdedwards", kind=kind, key=key, updated_at=dt.datetime(2026, 3, 1, tzinfo=dt.UTC))


def supplier(number: str = "5000", **fields: Any) -> mc.Supplier:
    given = {
        "name": "Müller & Söhne 株式会社",
        "tax_id": "12-345",
        "terms": "N30",
        "addresses": [mc.Address(lines=["1 Way"], city="Denver", state="CO", postal_code="80014", country="US")],
        "contacts": [mc.Contact(name="Ann Lee", email="ann@lee.example")],
        "provenance": origin("suppliers", number),
        **fields,
    }
    return mc.Supplier(number=number, **given)


def line(number: str = "1", **fields: Any) -> mc.OrderLine:
    given: dict[str, Any] = {
        "description": f"Bolt {number}",
        "quantity": Decimal(2),
        "unit": "EA",
        "unit_price": Decimal("1.5"),
        "price_unit": "EA",
        "amount": Decimal(3),
        "account": "01.100.8000",
        "requested_date": dt.date(2026, 4, 1),
        **fields,
    }
    return mc.OrderLine(number=number, **given)


def order(number: str = "4711", **fields: Any) -> mc.PurchaseOrder:
    given: dict[str, Any] = {
        "type": "OP",
        "company": "00001",
        "date": dt.date(2026, 3, 1),
        "supplier": mc.Party(number="4343", name="Parts"),
        "ship_to": mc.Party(number="6001"),
        "currency": "USD",
        "terms": "N30",
        "lines": [line("1"), line("2")],
        "provenance": origin("purchase_orders", f"00001/OP/{number}"),
        **fields,
    }
    return mc.PurchaseOrder(number=number, **given)


def invoice_line(number: str = "1", **fields: Any) -> mc.InvoiceLine:
    given: dict[str, Any] = {
        "kind": "amount",
        "amount": Decimal("10.00"),
        "account": "8000",
        "cost_center": "  100",
        **fields,
    }
    return mc.InvoiceLine(number=number, **given)


def invoice(number: str = "900", **fields: Any) -> mc.Invoice:
    given: dict[str, Any] = {
        "type": "PV",
        "company": "00001",
        "supplier_invoice_number": "R-1",
        "date": dt.date(2026, 3, 1),
        "supplier": mc.Party(number="4343"),
        "currency": "USD",
        "gross": Decimal("11.00"),
        "tax": Decimal("1.00"),
        "lines": [invoice_line()],
        "provenance": origin("invoices", f"00001/PV/{number}"),
        **fields,
    }
    return mc.Invoice(number=number, **given)


@attrs.define
class Links:
    """A crosswalk of a test: kind, ERP id -> Coupa id."""

    links: dict[tuple[str, str], str] = attrs.Factory(dict)

    def find(self, kind: str, *, to: str | None = None, **known: str) -> Any:
        assert to == "coupa"
        ((system, value),) = known.items()
        assert system == "jdedwards"
        return self.links.get((kind, value))
