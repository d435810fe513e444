"""PeopleSoft records as data: fields, types, keys and translated values (PeopleSoft reference, section 9).

A field is written ``NAME:type``: ``C5`` text of 5 characters, ``N`` a number, ``D`` a date, ``T`` an instant, ``M`` a
time of day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import attrs

from mlconnector.errors import InvalidArgument

__all__ = ["RECORDS", "STAGING", "TRANSLATIONS", "Field", "Record", "parse_fields", "record_of"]

_FIELD = re.compile(r"([A-Z][A-Z0-9_]*):(C[1-9][0-9]*|[NDTM])")


@attrs.frozen
class Field:
    """One field of a record; ``length`` of text only."""

    name: str
    kind: Literal["C", "N", "D", "T", "M"]
    length: int | None = None


@attrs.frozen(kw_only=True)
class Record:
    """One record.

    Attributes:
        name: As in the database, without ``PS_``.
        key: Its key fields, in order.
        fields: By name, in the order in which a query shows them.
        stamp: The field that tells the last change, if it has one.
        parent: The record whose row it belongs to, if there is one.
        defaults: Values of fields that a new row does not bring.
    """

    name: str
    key: tuple[str, ...]
    fields: Mapping[str, Field]
    stamp: str | None = None
    parent: str | None = None
    defaults: Mapping[str, Any] = attrs.field(factory=dict)


def parse_fields(text: str) -> dict[str, Field]:
    """``"SETID:C5 EFFDT:D"`` as fields.

    Raises:
        InvalidArgument: Another form.
    """
    fields: dict[str, Field] = {}
    for each in text.split():
        found = _FIELD.fullmatch(each)
        if found is None:
            raise InvalidArgument(f"A field is written NAME:type with type C5, N, D, T or M, not {each!r}.")
        kind: Any = found[2][0]
        fields[found[1]] = Field(found[1], kind, int(found[2][1:]) if kind == "C" else None)
    return fields


def record_of(
    name: str,
    *,
    key: str,
    fields: str,
    stamp: str | None = None,
    parent: str | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Record:
    """A record from its text: ``key`` names fields, blank-separated.

    Raises:
        InvalidArgument: A key field or stamp that is not among the fields.
    """
    parsed, keys = parse_fields(fields), tuple(key.split())
    missing = [each for each in (*keys, *([stamp] if stamp else [])) if each not in parsed]
    if missing or not keys or (stamp and parsed[stamp].kind not in "DT"):
        raise InvalidArgument(f"{name} needs a key and a stamp (D or T) among its fields; missing: {missing}.")
    return Record(name=name, key=keys, fields=parsed, stamp=stamp, parent=parent, defaults=defaults or {})


_CHARTFIELDS = """
ACCOUNT:C10 ALTACCT:C10 DEPTID:C10 OPERATING_UNIT:C8 PRODUCT:C6 FUND_CODE:C5 CLASS_FLD:C5 PROGRAM_CODE:C5
PROJECT_ID:C15 CHARTFIELD1:C10 CHARTFIELD2:C10 CHARTFIELD3:C10
"""

_ALL = (
    record_of(
        "PO_HDR",
        key="BUSINESS_UNIT PO_ID",
        stamp="LAST_DTTM_UPDATE",
        defaults={"PO_TYPE": "GEN", "PO_STATUS": "I", "HOLD_STATUS": "N"},
        fields="""
        BUSINESS_UNIT:C5 PO_ID:C10 CHNG_ORD_BATCH:N PO_TYPE:C4 PO_STATUS:C2 HOLD_STATUS:C1 RECV_STATUS:C1 DISP_ACTION:C1
        DISP_METHOD:C3 CHANGE_STATUS:C1 PO_DT:D PO_REF:C30 VENDOR_SETID:C5 VENDOR_ID:C10 VNDR_LOC:C10 PYMNT_TERMS_CD:C5
        BUYER_ID:C30 ORIGIN:C3 ADDRESS_SEQ_NUM:N BILL_LOCATION:C10 TAX_EXEMPT:C1 CURRENCY_CD:C3 MATCH_STATUS_PO:C1
        OPRID_ENTERED_BY:C30 ENTERED_DT:D OPRID_APPROVED_BY:C30 APPROVAL_DT:D OPRID_MODIFIED_BY:C30 LAST_DTTM_UPDATE:T
        ACCOUNTING_DT:D BUSINESS_UNIT_GL:C5 ACTIVITY_DATE:D PO_POST_STATUS:C1 CURRENCY_CD_BASE:C3 BUDGET_HDR_STATUS:C1
        PREPAID_AMT:N
        """,
    ),
    record_of(
        "PO_LINE",
        key="BUSINESS_UNIT PO_ID LINE_NBR",
        parent="PO_HDR",
        defaults={"CANCEL_STATUS": "A", "AMT_ONLY_FLG": "N"},
        fields="""
        BUSINESS_UNIT:C5 PO_ID:C10 LINE_NBR:N CANCEL_STATUS:C1 CHANGE_STATUS:C1 ITM_SETID:C5 INV_ITEM_ID:C18
        ITM_ID_VNDR:C50 VNDR_CATALOG_ID:C20 CATEGORY_ID:C5 CHNG_ORD_SEQ:N UNIT_OF_MEASURE:C3 MFG_ID:C50 MFG_ITM_ID:C50
        DESCR254_MIXED:C254 AMT_ONLY_FLG:C1 RECV_REQ:C1
        """,
    ),
    record_of(
        "PO_LINE_SHIP",
        key="BUSINESS_UNIT PO_ID LINE_NBR SCHED_NBR",
        parent="PO_HDR",
        defaults={"SCHED_NBR": 1, "CANCEL_STATUS": "A"},
        fields="""
        BUSINESS_UNIT:C5 PO_ID:C10 LINE_NBR:N SCHED_NBR:N CANCEL_STATUS:C1 BAL_STATUS:C1 CHANGE_STATUS:C1 CHNG_ORD_SEQ:N
        PRICE_PO:N PRICE_PO_BSE:N DUE_DT:D DUE_TIME:M SHIPTO_SETID:C5 SHIPTO_ID:C10 ORIG_PROM_DT:D QTY_PO:N
        MERCHANDISE_AMT:N CURRENCY_CD:C3
        """,
    ),
    record_of(
        "PO_LINE_DISTRIB",
        key="BUSINESS_UNIT PO_ID LINE_NBR SCHED_NBR DST_ACCT_TYPE DISTRIB_LINE_NUM",
        parent="PO_HDR",
        defaults={"SCHED_NBR": 1, "DST_ACCT_TYPE": "DST", "DISTRIB_LINE_NUM": 1},
        fields=f"""
        BUSINESS_UNIT:C5 PO_ID:C10 LINE_NBR:N SCHED_NBR:N DST_ACCT_TYPE:C4 DISTRIB_LINE_NUM:N QTY_PO:N MERCHANDISE_AMT:N
        MERCH_AMT_BSE:N CURRENCY_CD:C3 LOCATION:C10 {_CHARTFIELDS} BUSINESS_UNIT_GL:C5
        """,
    ),
    record_of(
        "VOUCHER",
        key="BUSINESS_UNIT VOUCHER_ID",
        stamp="LAST_UPDATE_DT",
        defaults={
            "VOUCHER_STYLE": "REG",
            "CLOSE_STATUS": "O",
            "ENTRY_STATUS": "P",
            "POST_STATUS_AP": "U",
            "MATCH_STATUS_VCHR": "N",
            "APPR_STATUS": "P",
        },
        fields="""
        BUSINESS_UNIT:C5 VOUCHER_ID:C8 VOUCHER_STYLE:C4 INVOICE_ID:C30 INVOICE_DT:D VENDOR_SETID:C5 VENDOR_ID:C10
        VNDR_LOC:C10 ADDRESS_SEQ_NUM:N GRP_AP_ID:C10 ORIGIN:C3 OPRID:C30 CLOSE_STATUS:C1 ENTRY_STATUS:C1 ACCOUNTING_DT:D
        POST_VOUCHER:C1 VOUCHER_ID_RELATED:C8 GROSS_AMT:N DSCNT_AMT:N SALETX_AMT:N FREIGHT_AMT:N MISC_AMT:N DUE_DT:D
        DSCNT_DUE_DT:D PYMNT_TERMS_CD:C5 TXN_CURRENCY_CD:C3 BASE_CURRENCY:C3 DESCR254_MIXED:C254 VCHR_SRC:C4
        DUP_INVOICE_STATUS:C1 POST_STATUS_AP:C1 MATCH_STATUS_VCHR:C1 APPR_STATUS:C1 ENTERED_DT:D OPRID_LAST_UPDT:C30
        LAST_UPDATE_DT:D
        """,
    ),
    record_of(
        "VOUCHER_LINE",
        key="BUSINESS_UNIT VOUCHER_ID VOUCHER_LINE_NUM",
        parent="VOUCHER",
        fields="""
        BUSINESS_UNIT:C5 VOUCHER_ID:C8 VOUCHER_LINE_NUM:N BUSINESS_UNIT_PO:C5 PO_ID:C10 LINE_NBR:N SCHED_NBR:N DESCR:C30
        DESCR254_MIXED:C254 MERCHANDISE_AMT:N ITM_SETID:C5 INV_ITEM_ID:C18 QTY_VCHR:N UNIT_OF_MEASURE:C3 UNIT_PRICE:N
        TAX_CD_VAT:C8
        """,
    ),
    record_of(
        "DISTRIB_LINE",
        key="BUSINESS_UNIT VOUCHER_ID VOUCHER_LINE_NUM DISTRIB_LINE_NUM",
        parent="VOUCHER",
        defaults={"DISTRIB_LINE_NUM": 1},
        fields="""
        BUSINESS_UNIT:C5 VOUCHER_ID:C8 VOUCHER_LINE_NUM:N DISTRIB_LINE_NUM:N BUSINESS_UNIT_GL:C5 ACCOUNT:C10 DEPTID:C10
        FUND_CODE:C5 PROJECT_ID:C15 MERCHANDISE_AMT:N MONETARY_AMOUNT:N FOREIGN_AMOUNT:N STATISTICS_CODE:C3
        """,
    ),
    record_of(
        "VENDOR",
        key="SETID VENDOR_ID",
        defaults={
            "VENDOR_STATUS": "A",
            "VENDOR_CLASS": "R",
            "VENDOR_PERSISTENCE": "R",
            "PRIM_ADDR_SEQ_NUM": 1,
            "DEFAULT_LOC": "MAIN",
        },
        fields="""
        SETID:C5 VENDOR_ID:C10 VENDOR_NAME_SHORT:C14 NAME1:C40 NAME2:C40 VENDOR_STATUS:C1 VENDOR_CLASS:C1
        VENDOR_PERSISTENCE:C1 REMIT_ADDR_SEQ_NUM:N PRIM_ADDR_SEQ_NUM:N ADDR_SEQ_NUM_ORDR:N REMIT_SETID:C5
        REMIT_VENDOR:C10 DEFAULT_LOC:C10 ENTERED_BY:C30 LAST_ACTIVITY_DT:D
        """,
    ),
    record_of(
        "VENDOR_ADDR",
        key="SETID VENDOR_ID ADDRESS_SEQ_NUM EFFDT",
        parent="VENDOR",
        defaults={"ADDRESS_SEQ_NUM": 1, "EFF_STATUS": "A"},
        fields="""
        SETID:C5 VENDOR_ID:C10 ADDRESS_SEQ_NUM:N EFFDT:D EFF_STATUS:C1 NAME1:C40 ADDRESS1:C55 ADDRESS2:C55 ADDRESS3:C55
        ADDRESS4:C55 CITY:C30 COUNTY:C30 STATE:C6 POSTAL:C12 COUNTRY:C3 EMAILID:C70
        """,
    ),
    record_of(
        "VENDOR_LOC",
        key="SETID VENDOR_ID VNDR_LOC EFFDT",
        parent="VENDOR",
        defaults={"EFF_STATUS": "A"},
        fields="""
        SETID:C5 VENDOR_ID:C10 VNDR_LOC:C10 EFFDT:D EFF_STATUS:C1 CURRENCY_CD:C3 DISP_METHOD:C3 PYMNT_TERMS_CD:C5
        MATCH_OPT:C1 ERS_FLAG:C1
        """,
    ),
    record_of(
        "PAYMENT_TBL",
        key="BANK_SETID BANK_CD BANK_ACCT_KEY PYMNT_ID",
        defaults={
            "BANK_SETID": "SHARE",
            "BANK_CD": "BANK1",
            "BANK_ACCT_KEY": "0001",
            "PYMNT_STATUS": "P",
            "POST_STATUS_AP": "U",
        },
        fields="""
        BANK_SETID:C5 BANK_CD:C5 BANK_ACCT_KEY:C4 PYMNT_ID:C10 PYMNT_ID_REF:C20 PYMNT_AMT:N PYMNT_DT:D PYMNT_METHOD:C3
        REMIT_SETID:C5 REMIT_VENDOR:C10 NAME1:C40 POST_STATUS_AP:C1 PYMNT_STATUS:C1
        """,
    ),
    record_of(
        "PYMNT_VCHR_XREF",
        key="BUSINESS_UNIT VOUCHER_ID PYMNT_CNT",
        defaults={"PYMNT_CNT": 1, "PYMNT_SELCT_STATUS": "N", "PYMNT_HOLD": "N"},
        fields="""
        BUSINESS_UNIT:C5 VOUCHER_ID:C8 PYMNT_CNT:N PYMNT_ID:C10 PAID_AMT:N PYMNT_GROSS_AMT:N DSCNT_PAY_AMT:N
        PAID_AMT_GROSS:N SCHEDULED_PAY_DT:D DUE_DT:D BANK_SETID:C5 BANK_CD:C5 BANK_ACCT_KEY:C4 REMIT_VENDOR:C10
        PYMNT_METHOD:C3 PYMNT_HOLD:C1 PYMNT_ACTION:C1 PYMNT_SELCT_STATUS:C1
        """,
    ),
    record_of(
        "DEPT_TBL",
        key="SETID DEPTID EFFDT",
        defaults={"EFF_STATUS": "A"},
        fields="SETID:C5 DEPTID:C10 EFFDT:D EFF_STATUS:C1 DESCR:C30 DESCRSHORT:C10",
    ),
    record_of(
        "GL_ACCOUNT_TBL",
        key="SETID ACCOUNT EFFDT",
        defaults={"EFF_STATUS": "A", "ACCOUNT_TYPE": "E"},
        fields="SETID:C5 ACCOUNT:C10 EFFDT:D EFF_STATUS:C1 DESCR:C30 DESCRSHORT:C10 ACCOUNT_TYPE:C1",
    ),
)

RECORDS: Mapping[str, Record] = {record.name: record for record in _ALL}
"""The delivered records the simulator knows, by name."""


def _staging(name: str, like: str, further: str = "") -> Record:
    return attrs.evolve(
        RECORDS[like], name=name, fields={**RECORDS[like].fields, **parse_fields(further)}, stamp=None, parent=None
    )


STAGING: Mapping[str, Record] = {
    record.name: record
    for record in (
        _staging("VCHR_HDR_STG", "VOUCHER", "VCHR_BLD_KEY_C1:C25 VCHR_BLD_KEY_C2:C25"),
        _staging("VCHR_LINE_STG", "VOUCHER_LINE"),
        _staging("VCHR_DIST_STG", "DISTRIB_LINE"),
    )
}
"""Staging records of vouchers that a query may be built on (section 6)."""

TRANSLATIONS: Mapping[str, Mapping[str, str]] = {
    "PO_STATUS": {
        "I": "Initial",
        "O": "Open",
        "PA": "Pending Approval/Approved",
        "A": "Approved",
        "D": "Dispatched",
        "C": "Complete",
        "X": "Canceled",
        "PX": "Pending Cancel",
        "DA": "Denied",
        "LD": "Line Denied",
    },
    "CANCEL_STATUS": {
        "A": "Active",
        "C": "Closed",
        "D": "Denied",
        "H": "Hold",
        "O": "Open",
        "P": "Pending Approval",
        "X": "Canceled",
    },
    "ENTRY_STATUS": {"P": "Postable", "R": "Recycle", "O": "Open", "X": "Deleted"},
    "POST_STATUS_AP": {"U": "Unposted", "P": "Posted", "N": "Payment Not Applied"},
    "MATCH_STATUS_VCHR": {
        "N": "Not Applicable",
        "T": "To Be Matched",
        "M": "Matched",
        "E": "Match Exceptions",
        "O": "Overridden",
        "C": "Overridden Credit Note",
        "D": "Match Dispute",
    },
    "APPR_STATUS": {"A": "Approved", "P": "Pending", "D": "Denied"},
    "VENDOR_STATUS": {"A": "Approved", "D": "Denied", "E": "Unapproved", "I": "Inactive", "X": "To Be Archived"},
    "PYMNT_STATUS": {
        "P": "Paid",
        "V": "Void",
        "S": "Stopped",
        "R": "Replaced",
        "X": "Deleted",
        "A": "Alignment",
        "O": "Overflow",
        "L": "Stale",
        "E": "Prenote",
        "N": "Reprinted",
        "U": "Undo Cancel",
        "W": "Escheated",
        "T": "Undo Escheatment",
    },
    "EFF_STATUS": {"A": "Active", "I": "Inactive"},
}
"""Long names of code fields, which a query shows instead of the code where its author chose so (section 3.1)."""
