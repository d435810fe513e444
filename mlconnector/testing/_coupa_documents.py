"""Business documents as rows of the simulated Coupa."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from mlconnector.documents import (
    Account,
    Address,
    Contact,
    Invoice,
    InvoiceLine,
    OrderLine,
    Party,
    Payment,
    PurchaseOrder,
    Supplier,
)
from mlconnector.errors import InvalidArgument

__all__ = ["CHART", "REFERENCE_DATA", "SHIP_TO", "USER", "Found", "home_of", "rows_of"]

Found = Callable[[str, Mapping[str, Any]], int | None]
"""``found(resource, reference)``: the id of the row that a reference names, if it is there."""

Rows = Iterator[tuple[str, dict[str, Any]]]

CHART = "US Chart"
"""The name of the chart of accounts that is there from the start."""
USER = "integration"
"""The login that is there from the start."""
SHIP_TO = "MAIN"
"""The location code of the address that is there from the start."""

_DECIMALS = {"USD": 2, "EUR": 2, "GBP": 2, "CAD": 2, "JPY": 0, "KWD": 3}

REFERENCE_DATA: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "currencies": tuple({"code": code, "decimals": decimals} for code, decimals in _DECIMALS.items()),
    "uoms": tuple({"code": code} for code in ("EA", "BX", "CS", "HR", "KG", "LB", "TH")),
    "payment_terms": tuple(
        {"code": f"Net {days}", "type": "DaysAfterNetPaymentTerm", "days-for-net-payment": days}
        for days in (15, 30, 45, 60)
    ),
    "account_types": ({"name": CHART, "currency": {"code": "USD"}},),
    "users": ({"login": USER, "email": "integration@acme.example", "employee-number": "1"},),
    "addresses": (
        {
            "location-code": SHIP_TO,
            "name": "Main warehouse",
            "street1": "1 Dock Road",
            "city": "Reno",
            "state": "NV",
            "postal-code": "89502",
            "country": {"code": "US"},
        },
    ),
}
"""What an instance has before anybody adds something."""

_LOGIN, _PLACE, _CHART = {"login": USER}, {"location-code": SHIP_TO}, {"name": CHART}
_PAYMENT_STATUS = "completed_successfully"


def home_of(document: Any) -> str:
    """The resource of a document's own row.

    Raises:
        InvalidArgument: A kind of document that Coupa does not hold.
    """
    for kind, (resource, _) in _HOMES.items():
        if isinstance(document, kind):
            return resource
    raise InvalidArgument(f"The simulator cannot hold a {type(document).__name__}; pass rows with resource=.")


def rows_of(document: Any, found: Found) -> Rows:
    """Resource and row for what a document says, its own last, after those it refers to and that are not there yet."""
    yield from next(rows for kind, (_, rows) in _HOMES.items() if isinstance(document, kind))(document, found)


def _supplier(supplier: Supplier, found: Found) -> Rows:
    if supplier.terms:
        yield from _ensured("payment_terms", {"code": supplier.terms}, found)
    row: dict[str, Any] = {
        "number": supplier.number,
        "name": supplier.name or f"Supplier {supplier.number}",
        "status": "active" if supplier.active else "inactive",
        "po-method": "prompt",
        "invoice-matching-level": "2-way",
        "tax-id": supplier.tax_id or None,
        "payment-term": {"code": supplier.terms} if supplier.terms else None,
        "on-hold": bool(supplier.hold),
        "primary-contact": _contact(supplier.contacts[0]) if supplier.contacts else None,
        "primary-address": _street(supplier.addresses[0]) if supplier.addresses else None,
        "remit-to-addresses": [
            {**_street(address), "remit-to-code": f"{supplier.number}-{position}", "active": True}
            for position, address in enumerate(supplier.addresses[1:], start=1)
        ],
    }
    yield "suppliers", row


def _contact(contact: Contact) -> dict[str, Any]:
    given, _, family = contact.name.rpartition(" ")
    row: dict[str, Any] = {"email": contact.email, "name-given": given, "name-family": family}
    return row | ({"phone-work": {"number": contact.phone}} if contact.phone else {})


def _street(address: Address) -> dict[str, Any]:
    lines = {f"street{position}": line for position, line in enumerate(address.lines[:4], start=1)}
    return lines | {
        "city": address.city,
        "state": address.state,
        "postal-code": address.postal_code,
        "country": {"code": address.country},
    }


def _account(account: Account, _found: Found) -> Rows:
    parts = [part for part in (account.company, account.cost_center, account.object, account.subsidiary) if part]
    segments = {f"segment-{position}": part for position, part in enumerate(parts or [account.number], start=1)}
    yield (
        "accounts",
        {**segments, "name": account.description, "active": account.active, "account-type": _CHART},
    )


def _ensured(resource: str, row: dict[str, Any], found: Found) -> Rows:
    if found(resource, row) is None:
        yield resource, row


def _known_party(party: Party | None, found: Found) -> Rows:
    if party is not None and found("suppliers", _party(party)) is None:
        yield "suppliers", {**_party(party), "name": party.name or f"Supplier {party.number}", "status": "active"}


def _party(party: Party) -> dict[str, Any]:
    return {"number": party.number} if party.number else {"name": party.name}


def _known_accounts(codes: Iterable[str], found: Found) -> Rows:
    for code in dict.fromkeys(code for code in codes if code):
        if found("accounts", _code(code)) is None:
            segments = {f"segment-{position}": part for position, part in enumerate(code.split("-"), start=1)}
            yield "accounts", {**segments, "account-type": _CHART}


def _code(code: str) -> dict[str, Any]:
    return {"code": code, "account-type": _CHART}


def _known_codes(currency: str | None, units: Iterable[str], found: Found) -> Rows:
    if currency:
        yield from _ensured("currencies", {"code": currency}, found)
    for unit in dict.fromkeys(unit for unit in units if unit):
        yield from _ensured("uoms", {"code": unit}, found)


def _ref(key: str, value: str | None) -> dict[str, str] | None:
    return {key: value} if value else None


def _order(order: PurchaseOrder, found: Found) -> Rows:
    lines = [line for line in order.lines if line.kind != "text"]
    yield from _known_party(order.supplier, found)
    yield from _known_codes(order.currency, (line.unit for line in lines), found)
    yield from _known_accounts((line.account for line in lines), found)
    if order.terms:
        yield from _ensured("payment_terms", {"code": order.terms}, found)
    yield (
        "purchase_orders",
        {
            "type": "ExternalOrderHeader",
            "po-number": order.number,
            "supplier": _party(order.supplier) if order.supplier else None,
            "ship-to-user": _LOGIN,
            "ship-to-address": _PLACE,
            "currency": _ref("code", order.currency),
            "payment-term": _ref("code", order.terms),
            "status": "issued" if order.status == "open" else order.status,
            "order-lines": [_order_line(line, order.currency) for line in lines],
        },
    )


def _order_line(line: OrderLine, currency: str | None) -> dict[str, Any]:
    whole = line.kind == "item"
    price = line.unit_price if whole else line.amount
    if price is not None and whole and line.price_per:
        price /= line.price_per
    return {
        "line-num": line.number,
        "type": "OrderQuantityLine" if whole else "OrderAmountLine",
        "description": line.description or line.number,
        "price": price,
        "quantity": line.quantity if whole else None,
        "uom": _ref("code", line.unit),
        "currency": _ref("code", currency),
        "account": _code(line.account) if line.account else None,
        "need-by-date": line.requested_date,
        "source-part-num": line.item_ids.get("vendor"),
        "received": line.received_quantity,
    }


def _invoice(invoice: Invoice, found: Found) -> Rows:
    lines = [line for line in invoice.lines if line.kind in ("item", "amount")]
    yield from _known_party(invoice.supplier, found)
    yield from _known_codes(invoice.currency, (line.unit for line in lines), found)
    yield from _known_accounts((line.account for line in lines), found)
    status = "voided" if invoice.void else "approved" if invoice.ready else "pending_approval"
    yield (
        "invoices",
        {
            **_identifier(invoice.number),
            "invoice-number": invoice.supplier_invoice_number or invoice.number,
            "invoice-date": invoice.date,
            "supplier": _party(invoice.supplier) if invoice.supplier else None,
            "account-type": _CHART,
            "line-level-taxation": False,
            "currency": _ref("code", invoice.currency),
            "is-credit-note": invoice.kind == "credit",
            "status": status,
            "paid": invoice.open is not None and not invoice.open,
            "tax-amount": invoice.tax,
            "misc-amount": sum((line.amount for line in invoice.lines if line.kind == "charge" and line.amount), _ZERO),
            "invoice-lines": [_invoice_line(line, invoice.currency) for line in lines],
        },
    )


_ZERO = Decimal(0)


def _identifier(number: str) -> dict[str, int]:
    """A number of digits is the row's own id; another text leaves the id to the simulator."""
    return {"id": int(number)} if number.isdecimal() else {}


def _invoice_line(line: InvoiceLine, currency: str | None) -> dict[str, Any]:
    by_quantity = line.quantity is not None and line.unit_price is not None
    price = line.unit_price if by_quantity else line.amount
    if by_quantity and price is not None and line.price_per:
        price /= line.price_per
    return {
        "line-num": line.number if line.number.isdecimal() else None,
        "type": "InvoiceQuantityLine" if by_quantity else "InvoiceAmountLine",
        "description": line.description or line.number or "Line",
        "price": price,
        "quantity": line.quantity if by_quantity else None,
        "uom": _ref("code", line.unit),
        "currency": _ref("code", currency),
        "account": _code(line.account) if line.account else None,
        "po-number": line.purchase_order or None,
        "order-line-num": line.order_line or None,
    }


def _payment(payment: Payment, found: Found) -> Rows:
    yield from _known_codes(payment.currency, (), found)
    currency = _ref("code", payment.currency)
    paid = (*payment.applications, *payment.credits)
    discounts = [each.discount for each in paid if each.discount]
    yield (
        "coupa_pay/payments",
        {
            **_identifier(payment.number),
            "status": payment.status or _PAYMENT_STATUS,
            "pay-to-account": {"type": "CoupaPay::SupplierPaymentAccount"},
            "payment-total": payment.amount,
            "discount-total": sum(discounts, _ZERO),
            "currency": currency,
            "payment-details": [
                {
                    "source-transaction-type": "InvoiceHeader",
                    "source-transaction-id": found("invoices", {"id": each.invoice})
                    or found("invoices", {"invoice-number": each.invoice}),
                    "source-transaction-reference": each.invoice,
                    "payment-total": each.amount,
                    "discount-total": each.discount,
                    "currency": currency,
                }
                for each in paid
            ],
        },
    )


_HOMES: Mapping[type, tuple[str, Callable[[Any, Found], Rows]]] = {
    Supplier: ("suppliers", _supplier),
    Account: ("accounts", _account),
    PurchaseOrder: ("purchase_orders", _order),
    Invoice: ("invoices", _invoice),
    Payment: ("coupa_pay/payments", _payment),
}
