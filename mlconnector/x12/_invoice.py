"""Invoices received to 810 (X12 reference, section 7; rules B16, B20, B22, B23)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from mlconnector.documents import Invoice, InvoiceLine, Party
from mlconnector.errors import InvalidArgument
from mlconnector.x12._draft import Draft
from mlconnector.x12._format import cents, date, number
from mlconnector.x12._lines import Told, charge, line_ids, told
from mlconnector.x12._order_parts import payment_terms, references
from mlconnector.x12._partner import Partner
from mlconnector.x12._sets import TransactionSet

__all__ = ["to_810"]

ZERO = Decimal(0)
Role = Literal["copy", "self_billed"]


def to_810(
    invoice: Invoice,
    partner: Partner,
    *,
    role: Role = "copy",
    purpose: str | None = None,
    order_number: str | None = None,
) -> TransactionSet:
    """An 810 made from a voucher: never the buyer billing the supplier (rule B20).

    Written: BIG NTE CUR REF N1 (SE RI BY) ITD, for each line IT1 PID REF, then TDS TXI SAC CTT.

    Args:
        role: ``"copy"``: an information copy, BIG08 22, and 01 once the voucher is void. ``"self_billed"``: BIG08 00,
            for evaluated receipts; a void one is refused, because it is corrected by a credit and a new one.
        purpose: BIG08, where the partner wants another.
        order_number: BIG04, where the partner sees another number than ``invoice.purchase_order``.

    Raises:
        InvalidArgument: An unknown role.
        InvalidDocument: With every fault; cause ``arithmetic`` names both figures when lines and gross differ.
    """
    if role not in ("copy", "self_billed"):
        raise InvalidArgument(f"role={role!r} is none of 'copy', 'self_billed'.", cure="Use one of them.")
    draft = Draft(partner, f"Invoice {invoice.key}")
    if invoice.void and role == "self_billed":
        draft.fault("void", "a void self-billed invoice is corrected by a credit and a new one, never sent again")
    if purpose is None:
        purpose = "00" if role == "self_billed" else ("01" if invoice.void else "22")
    sign = _sign(invoice, partner)
    items = [line for line in invoice.lines if line.kind in ("item", "amount")]
    common = _common_order(invoice, items)
    _head(draft, invoice, role, purpose, common if order_number is None else order_number)
    pairs = [(line, told(draft, line, line.quantity)) for line in items]
    for index, (line, said) in enumerate(pairs, 1):
        _line(draft, line, said, sign, index, ordered=common)
    gross = ZERO if invoice.gross is None else invoice.gross * sign
    if invoice.gross is None:
        draft.fault("amount", "the gross amount is not known")
    draft.add("TDS", draft.money(gross, "TDS01"))
    taxes = _taxes(draft, invoice, sign)
    charges = sum((charge(draft, line, sign) for line in invoice.lines if line.kind == "charge"), ZERO)
    _prove(draft, gross, [said.amount * sign for _, said in pairs], taxes + charges)
    return draft.complete("810", invoice, "IT1", 2)


def _sign(invoice: Invoice, partner: Partner) -> int:
    """What amounts are multiplied by: the source's credits are negative or positive, the partner wants one of them."""
    if invoice.kind == "voucher" or not invoice.gross:
        return 1
    return -1 if (invoice.gross < 0) == (partner.credit_sign == "positive") else 1


def _common_order(invoice: Invoice, lines: Sequence[InvoiceLine]) -> str:
    named = {line.purchase_order for line in lines if line.purchase_order}
    if invoice.purchase_order or len(named) != 1:
        return invoice.purchase_order
    return named.pop()


def _head(draft: Draft, invoice: Invoice, role: Role, purpose: str, ordered: str) -> None:
    if invoice.date is None:
        draft.fault("date", "the invoice has no date")
    own = invoice.supplier_invoice_number or (invoice.number if role == "self_billed" else "")
    draft.add(
        "BIG",
        date(invoice.date) if invoice.date is not None else "",
        draft.identifier(own, "supplier's invoice number", 22),
        "",
        draft.identifier(ordered, "order number", 22) if ordered else "",
        "",
        "",
        "" if invoice.kind == "voucher" else "CR",
        purpose,
    )
    for line in invoice.lines:
        if line.kind == "text":
            draft.add("NTE", "", draft.free(line.description, 80, f"line {line.number} NTE02"))
    references(draft, invoice.currency)
    draft.add("REF", draft.partner.voucher_reference, draft.identifier(invoice.key, "voucher key", 30))
    if invoice.supplier is None:
        draft.fault("supplier", "the supplier is not known")
    company = Party(number=invoice.company, name=draft.partner.buyer_name)
    for code, party in (("SE", invoice.supplier), ("RI", invoice.supplier), ("BY", company)):
        draft.party(code, party)
    payment_terms(draft, invoice.terms, date(invoice.due_date) if invoice.due_date is not None else "")


def _line(draft: Draft, line: InvoiceLine, said: Told, sign: int, index: int, *, ordered: str) -> None:
    place = f"line {line.number or index}"
    quantity = None if said.quantity is None else said.quantity * sign
    price = said.price
    if price is None:
        draft.fault("price", f"{place}: no price")
    elif price < 0:
        # A negative price is a negative quantity to every receiver that adds up.
        quantity, price = (None if quantity is None else -quantity), -price
    own = draft.identifier(line.order_line or line.number or str(index), f"{place} IT101", 20)
    draft.add(
        "IT1",
        own,
        draft.real(quantity, f"{place} IT102", 10),
        said.unit,
        draft.real(price, f"{place} IT104", 17),
        said.basis,
        *line_ids(draft, line, own),
    )
    if line.description and (text := draft.free(line.description, 80, f"{place} PID05")):
        draft.add("PID", "F", "", "", "", text)
    if line.purchase_order and line.purchase_order != ordered:
        draft.add("REF", "PO", draft.identifier(line.purchase_order, f"{place} order number", 22))


def _taxes(draft: Draft, invoice: Invoice, sign: int) -> Decimal:
    """TXI of the invoice: its tax lines, else its tax, else the taxes of its lines. Returns their sum."""
    lines = [line.amount for line in invoice.lines if line.kind == "tax"]
    if None in lines:
        draft.fault("price", "a tax line without an amount")
    amounts = [amount for amount in lines if amount]
    if not lines:
        own = sum((line.tax for line in invoice.lines if line.tax is not None), ZERO)
        tax = invoice.tax if invoice.tax is not None else own
        amounts = [tax] if tax else []
    for amount in amounts:
        draft.money(amount, "TXI02")
        draft.add("TXI", draft.partner.tax_code, draft.real(cents(amount * sign), "TXI02", 18))
    return sum((cents(amount * sign) for amount in amounts), ZERO)


def _prove(draft: Draft, gross: Decimal, amounts: Sequence[Decimal], others: Decimal) -> None:
    """TDS01 is what the lines, charges and taxes add up to, rounded once or per line (section 7)."""
    once, singly = cents(sum(amounts, ZERO) + others), sum(map(cents, amounts), ZERO) + cents(others)
    if cents(gross) not in (once, singly):
        draft.fault("arithmetic", f"the lines, charges and taxes are {number(once)}, the gross is {number(gross)}")
