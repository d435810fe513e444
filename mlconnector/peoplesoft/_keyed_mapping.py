"""Rows of one key become a payment, a supplier, an account or a cost centre; pure (PeopleSoft reference, section 9)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from mlconnector.documents import (
    Account,
    Address,
    Application,
    Contact,
    CostCenter,
    Party,
    Payment,
    Provenance,
    Supplier,
)
from mlconnector.peoplesoft._heads import extras, key_of
from mlconnector.peoplesoft._values import Cells, Row

__all__ = ["current", "paid", "payment_key", "to_account", "to_cost_center", "to_payment", "to_supplier"]

_VOID = ("V", "S", "R", "X")
"""Void, stopped, replaced, deleted."""
_SENT = ("P",)


def payment_key(row: Row) -> str:
    """Bank and payment id: an id is unique only with its bank account."""
    cells = Cells(row, [])
    return key_of(*(cells.text(f"A.{name}") for name in ("BANK_SETID", "BANK_CD", "BANK_ACCT_KEY", "PYMNT_ID")))


def paid(rows: Sequence[Row]) -> Decimal:
    """What the vouchers of these rows were paid."""
    return sum((Cells(row, []).number("B.PAID_AMT") or Decimal(0) for row in rows if _counts(row)), Decimal(0))


def _counts(row: Row) -> bool:
    """A scheduled payment that was made: ``P`` and not zero; ``X`` is a cancelled schedule (section 9)."""
    cells = Cells(row, [])
    if cells.text("B.PYMNT_ACTION") == "X":
        return False
    status = cells.text("B.PYMNT_SELCT_STATUS")
    return status in ("P", "") and bool(cells.number("B.PAID_AMT"))


def to_payment(rows: Sequence[Row], updated_at: dt.datetime | None) -> tuple[Payment, list[str]]:
    """The payment of these rows, and every fault. Amounts of vouchers below zero are credits used up in it."""
    faults: list[str] = []
    cells = Cells(rows[0], faults)
    status, amount, total = cells.text("A.PYMNT_STATUS"), cells.number("A.PYMNT_AMT"), paid(rows)
    applications, credit_memos = list[Application](), list[Application]()
    for row in rows:
        one = Cells(row, faults)
        value = one.number("B.PAID_AMT")
        if value is None or not _counts(row):
            continue
        application = Application(
            invoice=key_of(one.text("B.BUSINESS_UNIT"), one.text("B.VOUCHER_ID")),
            amount=value,
            discount=one.number("B.DSCNT_PAY_AMT"),
        )
        (credit_memos if value < 0 else applications).append(application)
    void = status in _VOID
    waiting = []
    if not void and status not in _SENT:
        waiting.append(f"PYMNT_STATUS {status or 'blank'} is not P (paid)")
    if not void and amount is not None and total != amount:
        waiting.append(
            f"the vouchers read add up to {total}, the payment is {amount}: it pays vouchers of business units that"
            " business_units= does not name"
        )
    payee = cells.text("A.REMIT_VENDOR") or cells.text("B.REMIT_VENDOR")
    payment = Payment(
        number=cells.text("A.PYMNT_ID"),
        date=cells.date("A.PYMNT_DT"),
        method=cells.text("A.PYMNT_METHOD") or cells.text("B.PYMNT_METHOD"),
        amount=amount,
        currency=cells.text("A.CURRENCY_CD") or None,
        payee=Party(number=payee, name=cells.text("A.NAME1")) if payee else None,
        bank_reference=cells.text("A.PYMNT_ID_REF"),
        status=status,
        applications=applications,
        credits=credit_memos,
        void=void,
        waiting_for=waiting,
        extras=extras(rows[0], "payments"),
        provenance=Provenance(system="peoplesoft", kind="payments", key=payment_key(rows[0]), updated_at=updated_at),
    )
    return payment, faults


def current(rows: Sequence[Row], effdt: str, today: dt.date, faults: list[str]) -> Row | None:
    """The row with the greatest effective date not after today, whatever its status: an inactive one supersedes.

    ``None`` where every row begins in the future. Rows without the field are as the query chose them (section 9).
    """
    dated = [(Cells(row, faults).date(effdt) or dt.date.min, index, row) for index, row in enumerate(rows)]
    begun = [one for one in dated if one[0] <= today]
    return max(begun, key=lambda one: (one[0], -one[1]))[2] if begun else None


def _in_force(rows: Sequence[Row], alias: str, today: dt.date, faults: list[str]) -> Cells:
    """The current row of a joined record, if it is active; else an empty one."""
    row = current(rows, f"{alias}.EFFDT", today, faults)
    cells = Cells(row or {}, faults)
    return cells if cells.text(f"{alias}.EFF_STATUS") in ("A", "") else Cells({}, faults)


def to_supplier(rows: Sequence[Row], today: dt.date) -> tuple[Supplier | None, list[str]]:
    """The supplier with its current address and location."""
    faults: list[str] = []
    cells = Cells(rows[0], faults)
    address, location = (_in_force(rows, alias, today, faults) for alias in ("B", "C"))
    street = [text for index in range(1, 5) if (text := address.text(f"B.ADDRESS{index}"))]
    place = Address(
        lines=street,
        city=address.text("B.CITY"),
        state=address.text("B.STATE"),
        postal_code=address.text("B.POSTAL"),
        country=address.text("B.COUNTRY"),
    )
    email = address.text("B.EMAILID")
    setid, number = cells.text("A.SETID"), cells.text("A.VENDOR_ID")
    supplier = Supplier(
        number=number,
        name=" ".join(text for text in (cells.text("A.NAME1"), cells.text("A.NAME2")) if text),
        addresses=[place] if place != Address() else [],
        contacts=[Contact(email=email)] if email else [],
        currency=location.text("C.CURRENCY_CD") or None,
        terms=location.text("C.PYMNT_TERMS_CD"),
        active=cells.text("A.VENDOR_STATUS") == "A",
        extras=extras(rows[0], "suppliers", ("A.SETID",)),
        provenance=Provenance(system="peoplesoft", kind="suppliers", key=key_of(setid, number)),
    )
    return supplier, faults


def to_cost_center(rows: Sequence[Row], today: dt.date) -> tuple[CostCenter | None, list[str]]:
    """The department's current row; ``None`` where it begins in the future."""
    faults: list[str] = []
    row = current(rows, "A.EFFDT", today, faults)
    if row is None:
        return None, faults
    cells = Cells(row, faults)
    number = cells.text("A.DEPTID")
    department = CostCenter(
        number=number,
        name=cells.text("A.DESCR"),
        active=cells.text("A.EFF_STATUS") == "A",
        extras=extras(row, "cost_centers", ("A.SETID",)),
        provenance=Provenance(system="peoplesoft", kind="cost_centers", key=key_of(cells.text("A.SETID"), number)),
    )
    return department, faults


def to_account(rows: Sequence[Row], today: dt.date) -> tuple[Account | None, list[str]]:
    """The account's current row; ``None`` where it begins in the future."""
    faults: list[str] = []
    row = current(rows, "A.EFFDT", today, faults)
    if row is None:
        return None, faults
    cells = Cells(row, faults)
    number, active = cells.text("A.ACCOUNT"), cells.text("A.EFF_STATUS") == "A"
    account = Account(
        number=number,
        object=number,
        description=cells.text("A.DESCR"),
        active=active,
        postable=active,
        extras=extras(row, "accounts", ("A.SETID", "A.ACCOUNT_TYPE")),
        provenance=Provenance(system="peoplesoft", kind="accounts", key=key_of(cells.text("A.SETID"), number)),
    )
    return account, faults
