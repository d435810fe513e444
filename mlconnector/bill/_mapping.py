"""BILL's records become documents; pure (BILL reference, sections 6 to 8 and 10; rule B62)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.bill._values import Fields, stamp_of
from mlconnector.documents import (
    Account,
    Address,
    Application,
    Contact,
    CostCenter,
    Document,
    Invoice,
    InvoiceLine,
    Party,
    PayItem,
    Payment,
    Provenance,
    Supplier,
)

__all__ = [
    "MARK_END",
    "POSTABLE",
    "REVERSED",
    "TROUBLED",
    "Maker",
    "Row",
    "Vendors",
    "account",
    "cost_center",
    "invoice",
    "mark_of",
    "payment",
    "supplier",
]

Row = Mapping[str, Any]
Vendors = Mapping[str, Row]
"""Vendors by id, as far as a record needs them: a bill has no currency of its own (section 7)."""

POSTABLE = frozenset({"PROCESSED", "SENT", "DELIVERED", "PARTIALLY_CLAIMED", "CLEARED"})
"""Single statuses at which a payment is posted, at the first of them (rule B62)."""
REVERSED = frozenset({"VOIDED", "CANCELED", "FUNDING_FAILED_VOIDED"})
"""Single statuses that take a payment back (rule B62)."""
TROUBLED = frozenset(
    {"DISBURSEMENT_ON_HOLD", "DISBURSEMENT_FAILED_ACTION_NEEDED", "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED",
     "FUNDING_FAILED_ACTION_NEEDED", "FUNDS_ESCHEATED", "ESCHEATED"}
)  # fmt: skip
"""Statuses at which the money has stopped on its way, and a person decides in BILL (rule B62)."""
_REVERSED_STATUS = frozenset({"VOID", "CANCELLED"})
_ZERO = Decimal(0)
MARK_END = " | "
"""Ends the mark at the begin of a bill's description."""


def _origin(kind: str, fields: Fields) -> Provenance:
    key = fields.text("id")
    if not key:
        fields.faults.append("id: missing")
    return Provenance(system="bill", kind=kind, key=key, updated_at=stamp_of(fields.text("updatedTime")))


def supplier(fields: Fields, _vendors: Vendors) -> Supplier:
    """A vendor; ``number`` is its id."""
    address = Address(
        lines=tuple(filter(None, (fields.text("address.line1"), fields.text("address.line2")))),
        city=fields.text("address.city"),
        state=fields.text("address.stateOrProvince"),
        postal_code=fields.text("address.zipOrPostalCode"),
        country=fields.text("address.country"),
    )
    contact = Contact(name="", email=fields.text("email"), phone=fields.text("phone"))
    return Supplier(
        number=fields.text("id"),
        name=fields.text("name"),
        tax_id=fields.text("additionalInfo.taxId"),
        addresses=() if address == Address() else (address,),
        contacts=() if contact == Contact() else (contact,),
        currency=fields.text("billCurrency") or None,
        active=not fields.flag("archived"),
        extras=fields.kept("accountNumber", "accountType", "shortName", "networkStatus", "bankAccountStatus"),
        provenance=_origin("suppliers", fields),
    )


def mark_of(description: str) -> str:
    """The mark of the system a bill was born in (rule B1): ``JDEDWARDS:00001/PV/1001``; empty for one born here."""
    mark = description.partition(MARK_END)[0].strip()
    system, colon, key = mark.partition(":")
    return mark if colon and key.strip() and system.isalnum() and system.isupper() else ""


def _line(number: int, row: Row, faults: list[str]) -> InvoiceLine:
    fields = Fields(row, faults)
    quantity, price, amount = fields.number("quantity"), fields.number("price"), fields.number("amount")
    if amount is None and quantity is not None and price is not None:
        amount = (quantity * price).quantize(Decimal("0.01"))
    return InvoiceLine(
        number=str(number),
        kind="amount" if quantity is None else "item",
        description=fields.text("description"),
        quantity=quantity,
        unit_price=price,
        amount=amount,
        account=fields.text("classifications.chartOfAccountId"),
        cost_center=fields.text("classifications.departmentId"),
        extras=fields.kept("id", "classifications.locationId", "classifications.accountingClassId"),
    )


def _currency(vendors: Vendors, vendor: str) -> str | None:
    return str(vendors.get(vendor, {}).get("billCurrency") or "") or None


def _vendor(fields: Fields, vendors: Vendors) -> Party | None:
    number = fields.text("vendorId")
    known = Fields(vendors.get(number, {}), [])
    name = fields.text("vendorName") or known.text("name")
    return Party(number=number, name=name, tax_id=known.text("additionalInfo.taxId")) if number else None


def invoice(fields: Fields, vendors: Vendors) -> Invoice:
    """A bill. Accounts and cost centres of its lines are BILL's ids; the currency is its vendor's.

    It is ready once approved, or once money moves (rule B62: a bill born in BILL becomes a voucher at approval).
    """
    gross, paid = fields.number("amount"), fields.number("paidAmount") or Decimal(0)
    scheduled, credited = fields.number("scheduledAmount") or Decimal(0), fields.number("creditAmount") or Decimal(0)
    approval, due = fields.text("approvalStatus"), fields.date("dueDate")
    left = fields.number("dueAmount")
    archived = fields.flag("archived")
    waits = approval != "APPROVED" and not paid and not scheduled and not archived
    return Invoice(
        number=fields.text("id"),
        kind="voucher",
        supplier_invoice_number=fields.text("invoice.invoiceNumber"),
        date=fields.date("invoice.invoiceDate"),
        due_date=due,
        supplier=_vendor(fields, vendors),
        currency=_currency(vendors, fields.text("vendorId")),
        gross=gross,
        open=left,
        lines=tuple(_line(number, row, fields.faults) for number, row in enumerate(fields.rows("billLineItems"), 1)),
        pay_items=(PayItem(number="1", due_date=due, gross=gross, open=left),),
        purchase_order=fields.text("purchaseOrderNumber"),
        pay_status=fields.text("paymentStatus"),
        void=archived,
        origin=mark_of(fields.text("description")),
        waiting_for=(f"its approval is {approval or 'not known'}",) if waits else (),
        extras={
            **fields.kept("approvalStatus", "description", "exchangeRate", "fundingAmount"),
            "paidAmount": paid,
            "scheduledAmount": scheduled,
            "creditAmount": credited,
        },
        provenance=_origin("invoices", fields),
    )


def _applied(rows: Sequence[Row], faults: list[str], sign: int = 1, id_field: str = "billId") -> list[Application]:
    parts = [Fields(row, faults) for row in rows]
    return [
        Application(invoice=part.text(id_field), amount=sign * (part.number("amount") or Decimal(0))) for part in parts
    ]


def payment(fields: Fields, vendors: Vendors) -> Payment:
    """A payment with what it pays; ready from the first status that is posted on, or once it is taken back.

    ``status`` is the single status where there is one; an unknown one waits (section 10: the set is open).
    """
    single, status = fields.text("singleStatus"), fields.text("status")
    amount, faults = fields.number("amount"), fields.faults
    bills = fields.rows("billPayments")
    applications = _applied(bills, faults)
    if not applications and fields.text("billId"):
        applications = [Application(invoice=fields.text("billId"), amount=amount)]
    by_bill = [_applied(Fields(row, faults).rows("vendorCredits"), faults, -1, "id") for row in bills]
    used = [one for part in by_bill for one in part]
    if used and amount is not None and amount == sum((one.amount or _ZERO for one in applications), _ZERO):
        # The rows tell the money only, and a credit settles its share of the bill beside it (section 10: not certain).
        applications = [
            attrs.evolve(one, amount=(one.amount or _ZERO) - sum((each.amount or _ZERO for each in part), _ZERO))
            for one, part in zip(applications, by_bill, strict=True)
        ]
    void = single in REVERSED or status in _REVERSED_STATUS
    posted = single in POSTABLE or (not single and status == "PAID")
    shown = single or status or "not known"
    return Payment(
        number=fields.text("id"),
        date=fields.date("processDate"),
        method=fields.text("disbursementType"),
        amount=amount,
        currency=_currency(vendors, fields.text("vendorId")),
        payee=_vendor(fields, vendors),
        bank_reference=fields.text("disbursementInfo.checkDisbursement.checkNumber")
        or fields.text("confirmationNumber"),
        status=single or status,
        applications=tuple(applications),
        credits=tuple(used),
        void=void,
        waiting_for=() if posted or void else (f"its status is {shown}",),
        extras=fields.kept(
            "singleStatus", "status", "disbursementStatus", "onlinePayment", "transactionNumber", "description",
            "confirmationNumber", "fundingAmount", "exchangeRate", "fundingAccount.id",
        ),
        provenance=_origin("payments", fields),
    )  # fmt: skip


def account(fields: Fields, _vendors: Vendors) -> Account:
    """An entry of the chart of accounts; ``number`` is the general ledger number, where it has one, else its id."""
    number = fields.text("account.number")
    return Account(
        number=number or fields.text("id"),
        object=number,
        description=fields.text("name"),
        active=not fields.flag("archived"),
        postable=fields.text("account.type") != "NON_POSTING",
        extras=fields.kept("id", "account.type", "parentId", "description"),
        provenance=_origin("accounts", fields),
    )


def cost_center(fields: Fields, _vendors: Vendors) -> CostCenter:
    """A department or location; ``number`` is its short name, where it has one, else its name."""
    return CostCenter(
        number=fields.text("shortName") or fields.text("name"),
        name=fields.text("name"),
        active=not fields.flag("archived"),
        extras=fields.kept("id", "parentId", "description"),
        provenance=_origin("cost_centers", fields),
    )


Maker = Callable[[Fields, Vendors], Document]
