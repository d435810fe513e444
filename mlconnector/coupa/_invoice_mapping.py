"""Invoices: records become documents, documents become drafts; pure (section 7; rules B1, B50)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.coupa._compare import line_key
from mlconnector.coupa._order_mapping import Coded, account_facts, party_of, unit_price
from mlconnector.coupa._resources import INVOICES
from mlconnector.coupa._supplier_mapping import provenance
from mlconnector.coupa._values import Element, Sending, custom_fields
from mlconnector.documents import Invoice, InvoiceLine, Party

__all__ = ["UNTOLD_AMOUNTS", "InvoiceReferences", "changed_invoice", "invoice_body", "invoice_content",
           "invoice_number", "mark_of", "origin_of", "sum_fault", "to_invoice"]  # fmt: skip

_SYSTEMS = ("JDEDWARDS", "FUSION", "PEOPLESOFT", "BILL", "ERP")
"""Homes that a mark can name; another system's is ``ERP:system/key``. People write notes with colons too."""
_MARK = re.compile(rf"(?<![A-Z])((?:{'|'.join(_SYSTEMS)}):\S+)")
_CHARGES = (("shipping-amount", "shipping"), ("handling-amount", "handling"), ("misc-amount", "miscellaneous"))
_CHARGE_TYPES = {"InvoiceShippingCharge": "shipping", "InvoiceHandlingCharge": "handling"}
UNTOLD_AMOUNTS: Mapping[str, str] = {"tax-amount": "0", "misc-amount": "0"}
"""Amounts of the header that are told where there are any: an update must take back what was told before."""
_CENT = Decimal("0.01")
_ZERO = Decimal(0)
Body = dict[str, Any]


def mark_of(invoice: Invoice) -> str:
    """The mark of its home that an invoice carries in ``internal-note``: ``JDEDWARDS:00001/PV/123`` (rule B1)."""
    system = "erp" if invoice.provenance is None else invoice.provenance.system
    key = invoice.key.replace(" ", "_")
    return f"{system.upper()}:{key}" if system.upper() in _SYSTEMS else f"ERP:{system}/{key}"


def origin_of(note: str) -> str:
    """The mark in a note, or nothing."""
    found = _MARK.search(note)
    return found[1] if found else ""


def to_invoice(row: Mapping[str, Any], faults: list[str]) -> Invoice:
    """An invoice record as a document; ready once it is approved, or voided after that (section 7.2)."""
    cells = Element(row, faults)
    status = cells.text("status")
    credit = cells.text("document-type").lower() == "credit note" or cells.flag("is-credit-note")
    lines = [_line(line) for line in cells.items("invoice-lines")]
    charges = _charges(cells)
    taxes = [line.tax for line in lines if line.tax is not None]
    tax = sum(taxes, _ZERO) if taxes else cells.number("tax-amount")
    gross = cells.number("total-with-taxes")
    gross = cells.number("gross-total") if gross is None else gross
    paid = [amount for one in cells.items("payments") if (amount := one.number("amount-paid")) is not None]
    remit_to = cells.object("remit-to-address")
    invoice = Invoice(
        number=cells.text("id"),
        kind="credit" if credit else "voucher",
        supplier_invoice_number=cells.text("invoice-number"),
        date=cells.date("invoice-date"),
        supplier=party_of(cells.object("supplier")),
        remit_to=Party(number=remit_to.text("remit-to-code"), name=remit_to.text("name")) if remit_to.row else None,
        currency=cells.object("currency").text("code") or None,
        gross=gross,
        open=None if gross is None else _ZERO if cells.flag("paid") else gross - sum(paid, _ZERO),
        tax=tax,
        terms=cells.object("payment-term").text("code"),
        lines=(*lines, *charges),
        purchase_order=next((line.purchase_order for line in lines if line.purchase_order), ""),
        pay_status="paid" if cells.flag("paid") else "",
        void=status == "voided",
        origin=origin_of(cells.text("internal-note")),
        waiting_for=() if status in ("approved", "voided") else (f"status {status or 'unknown'}",),
        extras={
            **custom_fields(row),
            "status": status,
            **({"chart": chart} if (chart := cells.object("account-type").text("name")) else {}),
            **({"payment_channel": channel} if (channel := cells.text("payment-channel")) else {}),
            **({"tax_code": code} if (code := _tax_code(cells)) else {}),
        },
        provenance=provenance("invoices", cells),
    )
    return _negated(invoice) if credit and gross is not None and gross > 0 else invoice


def _negated(credit: Invoice) -> Invoice:
    """A credit note told in positive amounts, as one below zero: its sign is not documented (section 7)."""
    return attrs.evolve(
        credit,
        gross=_minus(credit.gross),
        open=_minus(credit.open),
        tax=_minus(credit.tax),
        lines=tuple(
            attrs.evolve(
                line,
                amount=_minus(line.amount),
                unit_price=_minus(line.unit_price),
                tax=_minus(line.tax),
                extras={
                    name: tuple({**share, "amount": _minus(share["amount"])} for share in value)
                    if name == "allocations"
                    else value
                    for name, value in line.extras.items()
                },
            )
            for line in credit.lines
        ),
    )


def _minus(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else -amount


def _tax_code(cells: Element) -> str:
    """The code of header tax, or of the lines' tax; several are joined by ``+``."""
    parts = [cells, *(part for line in cells.items("invoice-lines") for part in line.items("tax-lines"))]
    codes = {part.object("tax-code").text("code") or part.text("code") for part in parts}
    return "+".join(sorted(codes - {""}))


def _line(cells: Element) -> InvoiceLine:
    by_amount = cells.text("type") == "InvoiceAmountLine"
    price, quantity, total = cells.number("price"), cells.number("quantity"), cells.number("total")
    taxes = [amount for one in cells.items("tax-lines") if (amount := one.number("amount")) is not None]
    if total is None and price is not None:
        total = price if by_amount or quantity is None else price * quantity
    link = cells.text("order-line-id")
    return InvoiceLine(
        number=cells.text("line-num"),
        kind="amount" if by_amount else "item",
        description=cells.text("description"),
        item_ids={"vendor": part} if (part := cells.text("source-part-num")) else {},
        quantity=None if by_amount else quantity,
        unit=cells.object("uom").text("code"),
        unit_price=price,
        price_unit=cells.object("uom").text("code"),
        amount=total,
        tax=sum(taxes, _ZERO) if taxes else None,
        account=cells.object("account").text("code"),
        purchase_order=cells.text("po-number") or cells.text("order-header-num"),
        order_line=cells.text("order-line-num"),
        extras={**({"order_line_id": link} if link else {}), **account_facts(cells)},
    )


def _charges(cells: Element) -> list[InvoiceLine]:
    """Freight and the like as charge lines, so that the lines sum to the invoice."""
    found = [
        InvoiceLine(
            number="",
            kind="charge",
            description=_CHARGE_TYPES.get(one.text("type"), "miscellaneous"),
            amount=one.number("total") if one.number("total") is not None else one.number("amount"),
            account=one.object("account").text("code"),
        )
        for one in cells.items("invoice-charges")
    ]
    if found:
        return found
    amounts = ((name, cells.number(element)) for element, name in _CHARGES)
    return [InvoiceLine(kind="charge", description=name, amount=amount) for name, amount in amounts if amount]


@attrs.frozen(kw_only=True)
class InvoiceReferences:
    """What the document names, as Coupa knows it.

    Args:
        supplier, chart, currency, terms: Reference objects.
        unit: Makes the reference of a unit. ``coded``: what a line, given with its place, is charged to.
        links: Coupa's ids of order lines, by the place of the invoice line that bills them.
        places: Decimals of the currency, where known.
    """

    supplier: Mapping[str, Any] | None
    chart: Mapping[str, Any] | None
    currency: Mapping[str, Any] | None
    terms: Mapping[str, Any] | None
    unit: Callable[[str], Mapping[str, Any] | None]
    coded: Callable[[int, InvoiceLine], Coded]
    links: Mapping[int, int]
    places: int | None = None


def invoice_number(invoice: Invoice) -> str:
    """The supplier's own number; where there is none the ERP's document (section 12)."""
    own = (invoice.number, invoice.type, invoice.company)
    return invoice.supplier_invoice_number.strip() or "-".join(part for part in own if part)


def invoice_body(invoice: Invoice, *, references: InvoiceReferences, faults: list[str]) -> Body:
    """An invoice as it is created: a draft (section 7).

    Args:
        invoice: The document.
        references: See there. ``faults``: where faults go.
    """
    out = Sending(INVOICES.lengths, faults)
    if not invoice.currency:
        faults.append("the currency is not known")
    if invoice.date is None:
        faults.append("invoice-date is missing")
    body: Body = {
        "invoice-number": out.text("invoice-number", invoice_number(invoice), required=True),
        "invoice-date": "" if invoice.date is None else invoice.date.isoformat(),
        "line-level-taxation": False,
        "internal-note": mark_of(invoice),
    }
    for name, value in (
        ("supplier", references.supplier),
        ("account-type", references.chart),
        ("currency", references.currency),
        ("payment-term", references.terms),
    ):
        if value is not None:
            body[name] = dict(value)
    if invoice.kind in ("credit", "debit"):
        body["is-credit-note"] = True
        original = str(invoice.extras.get("original_invoice_number") or "")
        if original:
            body["original-invoice-number"] = out.text("original-invoice-number", original)
    charges = [line for line in invoice.lines if line.kind == "charge" and not line.account]
    lines = [
        (index, line)
        for index, line in enumerate(invoice.lines)
        if line.kind not in ("text", "tax") and line not in charges
    ]
    body["invoice-lines"] = [
        _line_body(position, index, line, references, out) for position, (index, line) in enumerate(lines, 1)
    ]
    if not lines:
        faults.append("no line to deliver")
    if charges:
        total = sum((line.amount or _ZERO for line in charges), _ZERO)
        body["misc-amount"] = out.money("misc-amount", total, references.places)
    tax = _tax(invoice)
    if tax:
        body["tax-amount"] = out.money("tax-amount", tax, references.places)
    return body


def _tax(invoice: Invoice) -> Decimal:
    """Tax that is on top of the lines, none where the lines sum to the gross already."""
    own = sum((line.amount or _ZERO for line in invoice.lines if line.kind == "tax"), _ZERO)
    tax = own or invoice.tax or _ZERO
    return tax if invoice.gross is None or abs(_net(invoice) - invoice.gross) > _CENT else _ZERO


def _net(invoice: Invoice) -> Decimal:
    return sum((line.amount or _ZERO for line in invoice.lines if line.kind not in ("text", "tax")), _ZERO)


def sum_fault(invoice: Invoice) -> str:
    """What does not add up: lines and tax are the gross, to the cent, or the lines alone are."""
    net, tax, gross = _net(invoice), _tax(invoice), invoice.gross
    if gross is None or abs(net + tax - gross) <= _CENT:
        return ""
    return f"the lines sum to {net} and the tax to {tax}, the invoice to {gross}"


def _line_body(position: int, index: int, line: InvoiceLine, references: InvoiceReferences, out: Sending) -> Body:
    place = f"line {line.number or position} "
    item = next((value for value in line.item_ids.values() if value), "")
    text = line.description or item or f"Line {line.number or position}"
    coded = references.coded(index, line)
    body: Body = {
        "line-num": position,
        "type": "InvoiceQuantityLine" if line.kind == "item" else "InvoiceAmountLine",
        "description": out.text("invoice-lines.description", text, place=place, required=True),
    }
    if line.kind == "item":
        price = unit_price(line, place, out.faults)
        body["quantity"] = out.decimal("quantity", line.quantity, digits=30, decimals=6, place=place)
        body["price"] = out.decimal("price", price, digits=46, decimals=20, place=place)
        unit = references.unit(line.unit) if line.unit else None
        if unit is not None:
            body["uom"] = dict(unit)
    else:
        body["price"] = out.money("amount", line.amount, references.places, place=place)
    if index in references.links:
        body["order-line-id"] = references.links[index]
    return body | coded.body()


def changed_invoice(body: Mapping[str, Any], record: Mapping[str, Any]) -> Body:
    """The body of an update of a draft: lines with their ids, new ones without, others deleted (as for orders)."""
    there = {line_key(line.get("line-num")): line for line in record.get("invoice-lines") or []}
    lines = []
    for line in body["invoice-lines"]:
        known = there.pop(line_key(line["line-num"]), None)
        lines.append(dict(line) if known is None else {"id": known["id"], **line})
    lines += [{"id": line["id"], "_delete": True} for line in there.values()]
    header = {name: value for name, value in body.items() if name not in ("invoice-lines", "is-credit-note")}
    for name in UNTOLD_AMOUNTS:
        if body.get(name) == UNTOLD_AMOUNTS[name] and not Element(record, []).number(name):
            del header[name]
    return {**header, "invoice-lines": lines}


def invoice_content(invoice: Invoice) -> str:
    """What Coupa is told of an invoice: never its open amount, pay status, posting or due dates (rule B11)."""
    told = attrs.evolve(
        invoice,
        due_date=None,
        gl_date=None,
        payee=None,
        remit_to=None,
        open=None,
        discount=None,
        withheld=None,
        retained=None,
        base_currency=None,
        base_gross=None,
        rate=None,
        pay_items=(),
        pay_status="",
        posted=False,
        origin="",
        evaluated_receipt=None,
        waiting_for=(),
        extras={},
        supplier=None if invoice.supplier is None else Party(number=invoice.supplier.number),
    )
    return told.fingerprint
