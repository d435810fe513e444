"""Invoices, payments and journal lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import attrs

from mlconnector.documents._base import Document
from mlconnector.documents._fields import EMPTY, as_decimal, as_read_only, as_tuple
from mlconnector.documents._orders import _amount, _date
from mlconnector.documents._parties import Party

__all__ = ["Application", "Invoice", "InvoiceLine", "JournalLine", "PayItem", "Payment"]


@attrs.frozen(kw_only=True, weakref_slot=False)
class InvoiceLine:
    """One line of an invoice; quantities, prices, units and ``extras`` as on :class:`OrderLine`.

    ``kind`` is ``"item"``, ``"amount"``, ``"charge"``, ``"tax"`` or ``"text"``.
    """

    number: str = ""
    kind: str = "item"
    description: str = ""
    item_ids: Mapping[str, str] = attrs.field(default=EMPTY, converter=as_read_only)
    quantity: Decimal | None = _amount()
    unit: str = ""
    unit_price: Decimal | None = _amount()
    price_unit: str = ""
    price_per: Decimal | None = attrs.field(default=Decimal(1), converter=as_decimal)
    amount: Decimal | None = _amount()
    tax: Decimal | None = _amount()
    account: str = ""
    cost_center: str = ""
    purchase_order: str = ""
    order_line: str = ""
    extras: Mapping[str, Any] = attrs.field(default=EMPTY, converter=as_read_only)


@attrs.frozen(kw_only=True, weakref_slot=False)
class PayItem:
    """A due date of an invoice, not a line of it (rule B22). Amounts in the invoice's currency."""

    number: str = ""
    extension: str = ""
    due_date: dt.date | None = _date()
    gross: Decimal | None = _amount()
    open: Decimal | None = _amount()
    discount: Decimal | None = _amount()
    pay_status: str = ""


@attrs.frozen(kw_only=True)
class Invoice(Document):
    """An invoice received (voucher), a credit or a debit memo.

    Args:
        number: The ERP's own document number.
        kind: ``"voucher"``, ``"credit"`` or ``"debit"``.
        supplier_invoice_number: What the supplier calls it.
        supplier: Who invoiced; ``payee`` who is paid; ``remit_to`` where the money goes.
        currency: ISO 4217 of ``gross``, ``open``, ``tax`` ...; ``None`` where it cannot be known.
        base_gross: Gross in ``base_currency``, for a foreign document; ``rate`` between the two.
        lines: From the match where there is one, else from the distribution (rule B22).
        pay_items: Due dates.
        posted: In the general ledger. ``void``: taken back.
        origin: Mark of the system where it was born (rule B1), e.g. ``"COUPA:9001"``.
        evaluated_receipt: Made by the buyer from receipts (rule B20); ``None`` where the source does not tell.
    """

    key_fields: ClassVar[tuple[str, ...]] = ("company", "type", "number")

    number: str
    kind: str = "voucher"
    type: str = ""
    supplier_invoice_number: str = ""
    date: dt.date | None = _date()
    due_date: dt.date | None = _date()
    gl_date: dt.date | None = _date()
    supplier: Party | None = None
    payee: Party | None = None
    remit_to: Party | None = None
    company: str = ""
    currency: str | None = None
    gross: Decimal | None = _amount()
    open: Decimal | None = _amount()
    tax: Decimal | None = _amount()
    discount: Decimal | None = _amount()
    withheld: Decimal | None = _amount()
    retained: Decimal | None = _amount()
    base_currency: str | None = None
    base_gross: Decimal | None = _amount()
    rate: Decimal | None = _amount()
    terms: str = ""
    lines: tuple[InvoiceLine, ...] = attrs.field(default=(), converter=as_tuple)
    pay_items: tuple[PayItem, ...] = attrs.field(default=(), converter=as_tuple)
    purchase_order: str = ""
    pay_status: str = ""
    posted: bool = False
    void: bool = False
    origin: str = ""
    evaluated_receipt: bool | None = None


@attrs.frozen(kw_only=True)
class Application:
    """What a payment does to one invoice: ``amount`` paid, ``discount`` taken, ``withheld``."""

    invoice: str
    amount: Decimal | None = _amount()
    discount: Decimal | None = _amount()
    withheld: Decimal | None = _amount()


@attrs.frozen(kw_only=True)
class Payment(Document):
    """Money paid to a payee.

    Args:
        amount: Money moved, in ``currency``.
        method: ``"check"``, ``"ach"``, ``"wire"``, ... as the source says.
        bank_reference: Cheque number or trace; never a bank account.
        applications: Which invoices it pays.
        credits: Credits used up in it, negative.
        replaces: Number of the payment it was issued instead of.
    """

    number: str
    date: dt.date | None = _date()
    method: str = ""
    amount: Decimal | None = _amount()
    currency: str | None = None
    payee: Party | None = None
    bank_reference: str = ""
    status: str = ""
    applications: tuple[Application, ...] = attrs.field(default=(), converter=as_tuple)
    credits: tuple[Application, ...] = attrs.field(default=(), converter=as_tuple)
    void: bool = False
    replaces: str = ""


@attrs.frozen(kw_only=True)
class JournalLine(Document):
    """One line in a ledger; exactly one of ``debit`` and ``credit`` is filled, both positive."""

    number: str
    date: dt.date | None = _date()
    ledger: str = ""
    company: str = ""
    account: str = ""
    cost_center: str = ""
    debit: Decimal | None = _amount()
    credit: Decimal | None = _amount()
    currency: str | None = None
    description: str = ""
    reference: str = ""
