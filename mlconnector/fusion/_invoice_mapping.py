"""Rows of ``invoices`` with lines and installments become invoices; pure (Fusion reference, section 8; B20 to B23)."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from decimal import Decimal

from mlconnector.documents import Invoice, InvoiceLine, Party, PayItem, ReadOnly, unchecked
from mlconnector.fusion._made import Made, Site
from mlconnector.fusion._settings import Gate
from mlconnector.fusion._values import Fields, Row

__all__ = ["to_invoices"]

_KINDS = {"credit memo": "credit", "debit memo": "debit"}
_LINE_KINDS = {"tax": "tax", "freight": "charge", "miscellaneous": "charge"}
_HEAD = ("InvoiceId", "InvoiceType", "InvoiceNumber", "BusinessUnit", "InvoiceCurrency", "PaymentTerms",
         "PurchaseOrderNumber", "PaidStatus", "AccountingStatus", "ValidationStatus", "ApprovalStatus", "InvoiceSource",
         "SupplierNumber", "Supplier", "Party")  # fmt: skip
_AMOUNTS = ("InvoiceAmount", "BaseAmount", "ConversionRate")
_LINE = ("LineNumber", "LineType", "Description", "ItemDescription", "Item", "UOM", "DistributionCombination",
         "PurchaseOrderNumber", "PurchaseOrderLineNumber")  # fmt: skip
_LINE_AMOUNTS = ("Quantity", "UnitPrice", "LineAmount")
_invoice, _invoice_line, _due = unchecked(Invoice), unchecked(InvoiceLine), unchecked(PayItem)
_INSTALLMENT = ("InstallmentNumber", "HoldReason")
_INSTALLMENT_AMOUNTS = ("GrossAmount", "UnpaidAmount", "FirstDiscountAmount")
_EXTRAS = ("VoucherNumber", "LegalEntity", "SupplierSite", "ValidationStatus", "ApprovalStatus", "AccountingStatus")


def to_invoices(row: Row, site: Site) -> Iterator[Made]:
    """The invoice of a row.

    ``number`` and key are the ``InvoiceId``; the supplier's own number is unique for a supplier only. ``gross`` is in
    the invoice's currency; the ledger's currency stands nowhere, so ``base_currency`` is not known.
    """
    faults: list[str] = []
    head = Fields(row, faults)
    number, kind, supplier_invoice_number, unit, currency, terms, order, paid, accounted, validation, *rest = (
        head.texts(_HEAD)
    )
    approval, source, supplier_number, supplier, party = rest
    gross, base_gross, rate = head.numbers(_AMOUNTS)
    installments = [
        Fields(one, faults, "installment", "InstallmentNumber") for one in row.get("invoiceInstallments") or ()
    ]
    lines = [
        _line(cells, site)
        for cells in (Fields(one, faults, "line", "LineNumber") for one in row.get("invoiceLines") or ())
        if not (cells.flag("DiscardedFlag") or cells.flag("CanceledFlag"))
    ]
    pay_items = tuple([_pay_item(one) for one in installments])
    void = (
        head.flag("CanceledFlag") or head.date("CanceledDate") is not None or Gate.has(site.gate.cancelled, validation)
    )
    invoice = _invoice(
        number=number,
        kind=_KINDS.get(kind.casefold(), "voucher"),
        type=kind,
        supplier_invoice_number=supplier_invoice_number,
        date=head.date("InvoiceDate"),
        due_date=min([item.due_date for item in pay_items if item.due_date is not None], default=None),
        gl_date=head.date("AccountingDate"),
        supplier=_party(supplier_number, supplier),
        # Who is paid where it is not the supplier, e.g. a payee of one time (section 8: ``Party``).
        payee=_party("", party) if party != supplier else None,
        remit_to=_remit_to(installments),
        company=unit,
        currency=currency or None,
        gross=gross,
        open=_open(head, pay_items),
        tax=_sum([line.amount for line in lines if line.kind == "tax"]),
        discount=_sum([item.discount for item in pay_items]),
        base_gross=base_gross,
        rate=rate,
        terms=terms,
        lines=tuple(lines),
        pay_items=pay_items,
        purchase_order=order,
        pay_status=paid,
        posted=Gate.has(site.gate.accounted, accounted),
        void=void,
        origin=source,
        waiting_for=()
        if void
        else (
            *_waiting(site.gate, kind, validation, approval, bool(supplier_number or supplier)),
            *_held(installments),
        ),
        extras=head.kept(*_EXTRAS),
        provenance=site.origin("invoices", number, head.instant("LastUpdateDate")),
    )
    yield Made(invoice, faults)


@functools.lru_cache(maxsize=4096)
def _party(number: str, name: str) -> Party | None:
    """Suppliers recur in invoices."""
    return Party(number=number, name=name) if number or name else None


@functools.lru_cache(maxsize=1024)
def _waiting(gate: Gate, kind: str, validation: str, approval: str, known: bool) -> tuple[str, ...]:
    """What the gate still asks for (rule B21); ``known``: there is a supplier. Statuses recur in invoices."""
    reasons = []
    if not Gate.has(gate.invoice_types, kind):
        reasons.append(f"type {kind or 'unknown'} does not go out")
    if not known:
        reasons.append("no supplier")
    if not Gate.has(gate.validation, validation):
        reasons.append(f"validation status {validation or 'unknown'}")
    if not Gate.has(gate.approval, approval):
        reasons.append(f"approval status {approval or 'unknown'}")
    return tuple(reasons)


def _held(installments: Sequence[Fields]) -> Iterator[str]:
    for one in installments:
        if one.flag("HoldFlag"):
            yield " ".join(
                filter(None, (f"installment {one.text('InstallmentNumber')} is on hold", one.text("HoldReason")))
            )


def _remit_to(installments: Sequence[Fields]) -> Party | None:
    names = {name for one in installments if (name := one.text("RemitToSupplier"))}
    return _party("", names.pop()) if len(names) == 1 else None


@functools.lru_cache(maxsize=4096)
def _item_ids(item: str) -> ReadOnly:
    """Items recur in invoices."""
    return ReadOnly({"buyer": item} if item else {})


def _line(cells: Fields, site: Site) -> InvoiceLine:
    """Lines without quantity or price are amounts (section 8)."""
    number, line_type, description, item_description, item, unit, account, order, order_line = cells.texts(_LINE)
    quantity, price, amount = cells.numbers(_LINE_AMOUNTS)
    kind = _LINE_KINDS.get(line_type.casefold(), "item")
    if kind == "item" and (not quantity or price is None):
        kind = "amount"
    return _invoice_line(
        number=number,
        kind=kind,
        description=description or item_description,
        item_ids=_item_ids(item),
        quantity=quantity,
        unit=unit,
        unit_price=price,
        price_unit=unit,
        amount=amount,
        account=account,
        cost_center=site.chart.segment(account, "cost_center"),
        purchase_order=order,
        order_line=order_line,
    )


def _pay_item(cells: Fields) -> PayItem:
    number, reason = cells.texts(_INSTALLMENT)
    gross, unpaid, discount = cells.numbers(_INSTALLMENT_AMOUNTS)
    return _due(
        number=number,
        due_date=cells.date("DueDate"),
        gross=gross,
        open=unpaid,
        discount=discount,
        pay_status=reason or "hold" if cells.flag("HoldFlag") else "",
    )


def _open(head: Fields, pay_items: Sequence[PayItem]) -> Decimal | None:
    """What is unpaid: by the installments; without them only where invoice and payment have one currency."""
    if pay_items:
        return _sum([item.open for item in pay_items])
    gross, paid = head.number("InvoiceAmount"), head.number("AmountPaid")
    one_currency = head.text("PaymentCurrency") in ("", head.text("InvoiceCurrency"))
    return gross - paid if one_currency and gross is not None and paid is not None else None


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """``None`` where none of them is known."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None
