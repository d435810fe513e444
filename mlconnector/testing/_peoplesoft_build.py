"""Voucher Build of the simulated PeopleSoft: staged invoices become vouchers (PeopleSoft reference, section 6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.testing._peoplesoft_messages import StagedRow
from mlconnector.testing._peoplesoft_store import RecordStore, Row, from_text, typed

__all__ = ["BuildReport", "build_vouchers", "next_number"]

_CHARGES = ("SALETX_AMT", "FREIGHT_AMT", "MISC_AMT")


class _Rejected(Exception):
    """The staged invoice cannot become a voucher."""


@attrs.frozen(kw_only=True)
class BuildReport:
    """What one run of Voucher Build did.

    Attributes:
        built: Ids of the postable vouchers.
        recycled: Id to reason of the vouchers it set to Recycle: duplicates, and invoices that do not balance.
        rejected: INVOICE_ID to reason of what stays in staging.
    """

    built: tuple[str, ...]
    recycled: Mapping[str, str]
    rejected: Mapping[str, str]


def build_vouchers(
    staged: Sequence[StagedRow], stores: Mapping[str, RecordStore], *, now: dt.datetime, today: dt.date
) -> tuple[list[StagedRow], BuildReport]:
    """Turn staged headers into rows of VOUCHER and below.

    Returns:
        What stays in staging, and what was done.
    """
    built: list[str] = []
    recycled: dict[str, str] = {}
    rejected: dict[str, str] = {}
    left: list[StagedRow] = []
    for header in staged:
        try:
            voucher, reason = _build(header, stores, now, today)
        except (_Rejected, InvalidArgument) as refused:
            left.append(header)
            rejected[str(header.values.get("INVOICE_ID", ""))] = str(refused)
            continue
        if reason:
            recycled[voucher] = reason
        else:
            built.append(voucher)
    return left, BuildReport(built=tuple(built), recycled=recycled, rejected=rejected)


def next_number(store: RecordStore, key: Mapping[str, Any]) -> str:
    """The next free number of the last key field, below the other key fields' values; digits only, padded."""
    name = store.record.key[-1]
    field = store.record.fields[name]
    taken = [row[name] for row in store.where(dict(key)) if row[name].isdecimal()]
    return str(max(map(int, taken), default=0) + 1).zfill(field.length or 1)


def _build(
    header: StagedRow, stores: Mapping[str, RecordStore], now: dt.datetime, today: dt.date
) -> tuple[str, str | None]:
    vouchers = stores["VOUCHER"]
    row = _fitting(vouchers, header.values)
    unit = row.get("BUSINESS_UNIT", "")
    if not unit or not row.get("INVOICE_ID") or not row.get("VENDOR_ID"):
        raise _Rejected("BUSINESS_UNIT, INVOICE_ID and VENDOR_ID are required.")
    lines = [(_fitting(stores["VOUCHER_LINE"], line.values), line) for line in header.below("VCHR_LINE_STG")]
    for line, _ in lines:
        if not line.get("VOUCHER_LINE_NUM"):
            raise _Rejected("VOUCHER_LINE_NUM is required.")
        _check_order(line, unit, stores["PO_LINE_SHIP"])
    if row.get("VOUCHER_ID", "NEXT") in ("", "NEXT"):
        row["VOUCHER_ID"] = next_number(vouchers, {"BUSINESS_UNIT": unit})
    key = {"BUSINESS_UNIT": unit, "VOUCHER_ID": row["VOUCHER_ID"]}
    if vouchers.where(key):
        raise _Rejected(f"Voucher {row['VOUCHER_ID']} exists.")
    reason = _duplicate(vouchers, row) or _unbalanced(row, [line for line, _ in lines])
    row |= {
        "ENTRY_STATUS": "R" if reason else "P",
        "MATCH_STATUS_VCHR": "T" if any(line.get("PO_ID") for line, _ in lines) else "N",
        "ENTERED_DT": today,
    }
    vouchers.put(row, now)
    for line, staged in lines:
        below = [_fitting(stores["DISTRIB_LINE"], each.values) for each in staged.below("VCHR_DIST_STG")]
        stores["VOUCHER_LINE"].put(line | key, now)
        whole = {"MERCHANDISE_AMT": line.get("MERCHANDISE_AMT", 0), **_order_account(line, unit, stores)}
        for position, each in enumerate(below or [whole], start=1):
            stores["DISTRIB_LINE"].put(
                {"DISTRIB_LINE_NUM": position} | each | key | {"VOUCHER_LINE_NUM": line["VOUCHER_LINE_NUM"]}, now
            )
    payment = {"PYMNT_GROSS_AMT": row.get("GROSS_AMT", 0), "DUE_DT": row.get("DUE_DT")}
    stores["PYMNT_VCHR_XREF"].put(payment | key | {"REMIT_VENDOR": row["VENDOR_ID"]}, now)
    return row["VOUCHER_ID"], reason


def _fitting(store: RecordStore, values: Mapping[str, Any]) -> Row:
    """The values that the record has fields for; the message's types need not be the record's."""
    row: Row = {}
    for name, value in values.items():
        field = store.record.fields.get(name)
        if field is None:
            continue
        try:
            as_text = not isinstance(value, str) and field.kind == "C"
            reads_text = isinstance(value, str) and field.kind != "C"
            row[name] = typed(
                store.record, name, str(value) if as_text else from_text(field, value) if reads_text else value
            )
        except ValueError as bad:
            raise _Rejected(str(bad)) from None
    return row


def _check_order(line: Row, unit: str, schedules: RecordStore) -> None:
    if not line.get("PO_ID"):
        return
    wanted = {
        "BUSINESS_UNIT": line.get("BUSINESS_UNIT_PO") or unit,
        "PO_ID": line["PO_ID"],
        "LINE_NBR": line.get("LINE_NBR", 0),
        "SCHED_NBR": line.get("SCHED_NBR", 1),
    }
    if not schedules.where(wanted):
        raise _Rejected("The purchase order line {PO_ID}/{LINE_NBR}/{SCHED_NBR} does not exist.".format(**wanted))


def _duplicate(vouchers: RecordStore, row: Row) -> str | None:
    names = ("VENDOR_SETID", "VENDOR_ID", "INVOICE_ID")
    found = vouchers.where({name: row.get(name, "") for name in names})
    older = [each["VOUCHER_ID"] for each in found if each["ENTRY_STATUS"] != "X"]
    return f"Duplicate of voucher {older[0]}." if older else None


def _unbalanced(row: Row, lines: Sequence[Row]) -> str | None:
    total = sum((Decimal(line.get("MERCHANDISE_AMT", 0)) for line in lines), Decimal(0))
    total += sum((Decimal(row.get(name, 0)) for name in _CHARGES), Decimal(0))
    gross = Decimal(row.get("GROSS_AMT", 0))
    return None if gross == total else f"Out of balance: {gross} against {total}."


def _order_account(line: Row, unit: str, stores: Mapping[str, RecordStore]) -> Row:
    wanted = {
        "BUSINESS_UNIT": line.get("BUSINESS_UNIT_PO") or unit,
        "PO_ID": line.get("PO_ID", ""),
        "LINE_NBR": line.get("LINE_NBR", 0),
    }
    found = stores["PO_LINE_DISTRIB"].where(wanted)
    fields = stores["DISTRIB_LINE"].record.fields
    names = [name for name in ("ACCOUNT", "DEPTID", "FUND_CODE", "PROJECT_ID", "BUSINESS_UNIT_GL") if name in fields]
    return {name: found[0][name] for name in names} if found else {}
