"""Payments of the simulated BILL: their states, what may follow what, and what they do to bills (section 10)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.testing._bill_store import Database, Record

__all__ = ["FAILURES", "Ledger", "Share", "may_follow", "open_amount"]

Effect = Literal["scheduled", "paid", "none"]
"""What a payment in some state does to its bills."""


@attrs.frozen
class _Meaning:
    """A single status in the other vocabularies."""

    status: str
    effect: Effect
    disbursement: str | None = None


_ON_ITS_WAY = ("PROCESSED", "SENT", "DELIVERED", "PARTIALLY_CLAIMED", "CLEARED")
_DISBURSEMENT_FAILED = ("DISBURSEMENT_FAILED_ACTION_NEEDED", "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED")
_MEANINGS: Mapping[str, _Meaning] = {
    **dict.fromkeys(
        ("SCHEDULED", "READY_TO_FUND", "FUNDING_STARTED", "CANCELLATION_IN_PROGRESS", "FUNDING_FAILED_ACTION_NEEDED"),
        _Meaning("SCHEDULED", "scheduled"),
    ),
    **dict.fromkeys((*_ON_ITS_WAY, "VOID_PENDING", "EXPIRING"), _Meaning("PAID", "paid", "DONE")),
    **dict.fromkeys(_DISBURSEMENT_FAILED, _Meaning("PAID", "paid", "FAILED")),
    "DISBURSEMENT_ON_HOLD": _Meaning("PAID", "paid", "HOLD"),
    "FUNDS_ESCHEATED": _Meaning("ESCHEATED", "paid", "DONE"),
    "UNDEFINED": _Meaning("UNDEFINED", "scheduled"),
    "VOIDED": _Meaning("VOID", "none", "DONE"),
    "FUNDING_FAILED_VOIDED": _Meaning("VOID", "none", "FAILED"),
    "CANCELED": _Meaning("CANCELLED", "none"),
}
FAILURES = frozenset({"FUNDING_FAILED_ACTION_NEEDED", "FUNDING_FAILED_VOIDED", *_DISBURSEMENT_FAILED})
"""The single statuses that a ``payment.failed`` event goes with."""

_FINAL = frozenset({"VOIDED", "CANCELED", "FUNDING_FAILED_VOIDED", "FUNDS_ESCHEATED"})
_WAITING = frozenset({"SCHEDULED", "CANCELLATION_IN_PROGRESS"})
_FUNDING = frozenset({"READY_TO_FUND", "FUNDING_STARTED", "FUNDING_FAILED_ACTION_NEEDED"})
_STEPS = ("SCHEDULED", "READY_TO_FUND", "FUNDING_STARTED", *_ON_ITS_WAY)
_DISBURSED = frozenset(
    {*_ON_ITS_WAY, *_DISBURSEMENT_FAILED, "DISBURSEMENT_ON_HOLD", "VOID_PENDING", "EXPIRING", "UNDEFINED"}
)


def may_follow(old: str, new: str) -> bool:
    """Whether a payment goes from one single status to another.

    Forward along the way of the money; cancelled only while scheduled; voided, held or failed at the vendor's bank
    only once processed, also after CLEARED; taken up again after a failure. Nothing follows an end. Words the
    reference does not have may stand anywhere: the set is open.
    """
    if old in _FINAL or old == new:
        return False
    if old not in _MEANINGS or new not in _MEANINGS or new == "UNDEFINED":
        return True
    if new in ("CANCELED", "CANCELLATION_IN_PROGRESS"):
        return old in _WAITING
    if new in ("FUNDING_FAILED_ACTION_NEEDED", "FUNDING_FAILED_VOIDED"):
        return old not in _WAITING
    if new not in _STEPS:
        return old in _DISBURSED
    if old in _STEPS:
        return _STEPS.index(new) > _STEPS.index(old)
    if new in _ON_ITS_WAY:
        return True
    return old in _WAITING or (old in _FUNDING and new == "FUNDING_STARTED")


@attrs.frozen
class Share:
    """What one payment pays of one bill: money, and vendor credits (id to amount) used up with it."""

    bill: Record
    amount: Decimal
    credits: Mapping[str, Decimal] = attrs.field(factory=dict)


def open_amount(bill: Record) -> Decimal:
    """What can still be paid of a bill: neither paid, credited nor scheduled."""
    row = bill.row
    return Decimal(row["amount"] - row["paidAmount"] - row["creditAmount"] - row["scheduledAmount"])


class Ledger:
    """Makes payments, moves them on, and keeps bills and credits in step.

    Args:
        database: The records.
        partial_word: What ``paymentStatus`` calls a partly paid bill; sources disagree (section 7).
        stamp_bills: Whether a payment stamps its bills as changed; not documented.
    """

    def __init__(self, database: Database, *, partial_word: str, stamp_bills: bool) -> None:
        self._database = database
        self._partial_word = partial_word
        self._stamp_bills = stamp_bills
        self._of_bill: dict[str, dict[str, Record]] = {}

    def make(
        self,
        shares: Sequence[Share],
        *,
        status: str,
        process_date: dt.date,
        method: str,
        online: bool,
        further: Mapping[str, Any],
        key: str | None = None,
    ) -> Record:
        """A payment over the shares of one vendor's bills; ``further`` are attributes of the row.

        Raises:
            InvalidArgument: No share, several vendors, a bill twice, or more than a bill has open.
        """
        vendor = self._vendor_of(shares)
        payments = self._database["payments"]
        amount = sum((share.amount for share in shares), Decimal(0))
        row: dict[str, Any] = {
            "amount": amount,
            "vendorId": vendor.id,
            "vendorName": vendor.row.get("name"),
            "billPayments": [
                {
                    "id": self._database.new_id("blp"),
                    "billId": share.bill.id,
                    "amount": share.amount,
                    "vendorCredits": [{"id": credit, "amount": used} for credit, used in share.credits.items()] or None,
                }
                for share in shares
            ],
            "processDate": process_date.isoformat(),
            "disbursementType": method if online else "OFFLINE",
            "onlinePayment": online,
            "createdBy": self._database.new_id("006"),
            **further,
        }
        if len(shares) == 1:
            row["billId"] = shares[0].bill.id
        if online:
            row["fundingAccount"] = {"type": "BANK_ACCOUNT", "id": "bac01SIMULATED000001"}
        record = payments.put(row, id=key)
        for share in shares:
            self._of_bill.setdefault(share.bill.id, {})[record.id] = record
        record.row.setdefault("confirmationNumber", f"P{record.number:08d}")
        self._mark(record, status)
        if not online:
            # Money that BILL did not move has no way through BILL; it is paid (section 10).
            record.row["status"] = "PAID"
        self.settle(record)
        return record

    def _vendor_of(self, shares: Sequence[Share]) -> Record:
        vendors = {share.bill.row["vendorId"] for share in shares}
        if len(vendors) != 1 or len({share.bill.id for share in shares}) < len(shares):
            raise InvalidArgument("A payment pays different bills of one vendor.")
        for share in shares:
            rest = open_amount(share.bill) - sum(share.credits.values())
            if share.amount < 0 or share.amount > rest:
                raise InvalidArgument(f"Bill {share.bill.id} cannot be paid with {share.amount}: {rest} is open.")
            for credit in share.credits:
                self._database["vendor-credits"].existing(credit)
        return self._database["vendors"].existing(vendors.pop())

    def advance(self, payment: Record, status: str, *, further: Mapping[str, Any] | None = None) -> None:
        """Move a payment to another single status.

        Raises:
            InvalidArgument: It does not follow from where the payment stands.
        """
        old = payment.row["singleStatus"]
        if not may_follow(old, status):
            raise InvalidArgument(f"A payment that is {old} cannot become {status}.")
        self._mark(payment, status)
        payment.row |= further or {}
        self._database["payments"].stamp(payment)
        self.settle(payment)

    def _mark(self, payment: Record, status: str) -> None:
        meaning = _MEANINGS.get(status)
        row = payment.row
        row["singleStatus"] = status
        if meaning is not None:
            row["status"] = meaning.status
            row["disbursementStatus"] = meaning.disbursement
        else:
            row.setdefault("status", "UNDEFINED")
        row["disbursementInfo"] = {"isVoidable": row["onlinePayment"] and may_follow(status, "VOIDED")}

    def settle(self, payment: Record) -> None:
        """Bring the amounts of its bills and credits up to date."""
        for part in payment.row["billPayments"]:
            bill = self._database["bills"].get(part["billId"])
            if bill is not None:
                self.refresh(bill)
                if self._stamp_bills:
                    self._database["bills"].stamp(bill)
            for used in part["vendorCredits"] or ():
                credit = self._database["vendor-credits"].existing(used["id"])
                self.refresh_credit(credit)
                self._database["vendor-credits"].stamp(credit)

    def refresh(self, bill: Record) -> None:
        """Compute what is paid, credited, scheduled and due of a bill (rule of section 7: amounts decide)."""
        paid = scheduled = Decimal(0)
        credited = sum((used["amount"] for used in bill.row.get("vendorCredits") or ()), Decimal(0))
        payments = self._database["payments"]
        for payment in self._of_bill.get(bill.id, {}).values():
            effect = _effect(payment)
            if payments.get(payment.id) is not payment:
                continue
            for part in payment.row["billPayments"]:
                if part["billId"] != bill.id or effect == "none":
                    continue
                paid += part["amount"] if effect == "paid" else 0
                scheduled += part["amount"] if effect == "scheduled" else 0
                credited += sum(used["amount"] for used in part["vendorCredits"] or ())
        due = bill.row["amount"] - paid - credited
        bill.row |= {"paidAmount": paid, "scheduledAmount": scheduled, "creditAmount": credited, "dueAmount": due}
        if scheduled:
            word = "SCHEDULED"
        elif due <= 0 < bill.row["amount"]:
            word = "PAID"
        else:
            word = self._partial_word if paid or credited else "UNPAID"
        bill.row["paymentStatus"] = word

    def refresh_credit(self, credit: Record) -> None:
        """Compute what is used of a vendor credit, and where (section 8.2)."""
        usage = [
            {"billId": bill.id, "amount": used["amount"]}
            for bill in self._database["bills"]
            for used in bill.row.get("vendorCredits") or ()
            if used["id"] == credit.id
        ]
        usage += [
            {"billId": part["billId"], "paymentId": payment.id, "amount": used["amount"]}
            for payment in self._database["payments"]
            if _effect(payment) != "none"
            for part in payment.row["billPayments"]
            for used in part["vendorCredits"] or ()
            if used["id"] == credit.id
        ]
        applied = sum((each["amount"] for each in usage), Decimal(0))
        status = "PARTIALLY_APPLIED" if applied < credit.row["amount"] else "FULLY_APPLIED"
        credit.row |= {"appliedAmount": applied, "status": status if applied else "NOT_APPLIED", "usage": usage}


def _effect(payment: Record) -> Effect:
    meaning = _MEANINGS.get(payment.row["singleStatus"])
    if not payment.row["onlinePayment"]:
        return "none" if payment.row["status"] in ("VOID", "CANCELLED") else "paid"
    # An unknown word tells nothing of the money; what the older vocabulary says still holds.
    return meaning.effect if meaning else "paid" if payment.row["status"] == "PAID" else "scheduled"
