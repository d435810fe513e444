"""The queries this library reads: prompts, keys, records and fields (PeopleSoft reference, sections 3.5 and 9). Facts.

PeopleSoft has no list service for these records; the customer's administrator builds the queries, and every name here
can be replaced by a setting. Fields are named ``alias.FIELD``; the alias is the one of the contract.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

__all__ = ["CODES", "OPTIONAL", "QUERIES", "Query"]


@attrs.frozen(kw_only=True, eq=False)
class Query:
    """One query of the contract.

    Args:
        entity: What it is for; the name in ``queries=``, ``prompts=`` and ``fields=``.
        name: Its default name.
        prompts: Unique prompt names, in order.
        after: The prompt that takes the key after which to go on; empty where the query is of one document.
        order: Fields that its rows are ordered by, ascending; ``after`` speaks of the first.
        filter: What it selects, for the administrator.
        records: Record by alias.
        required: Fields without which nothing can be made of a row.
        optional: Fields that are used where they are.
    """

    entity: str
    name: str
    prompts: tuple[str, ...]
    after: str = ""
    order: tuple[str, ...]
    filter: str
    records: Mapping[str, str]
    required: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def key(self) -> str:
        """The field that paging goes by."""
        return self.order[0]

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields."""
        return self.required + self.optional


_SHIP_TO = (
    "L.SHIPTO_NAME L.SHIPTO_ADDRESS1 L.SHIPTO_ADDRESS2 L.SHIPTO_CITY L.SHIPTO_STATE L.SHIPTO_POSTAL L.SHIPTO_COUNTRY"
)
_LINES = "A.LINE_NBR A.CANCEL_STATUS A.UNIT_OF_MEASURE B.SCHED_NBR B.QTY_PO B.PRICE_PO B.MERCHANDISE_AMT"
_LINE_DETAILS = (
    "A.INV_ITEM_ID A.ITM_ID_VNDR A.MFG_ITM_ID A.DESCR254_MIXED A.AMT_ONLY_FLG B.CANCEL_STATUS B.DUE_DT"
    " B.ORIG_PROM_DT B.SHIPTO_ID C.DISTRIB_LINE_NUM C.ACCOUNT C.DEPTID C.QTY_PO C.MERCHANDISE_AMT " + _SHIP_TO
)
_VOUCHER_LINES = "A.VOUCHER_LINE_NUM A.MERCHANDISE_AMT"
_VOUCHER_LINE_DETAILS = (
    "A.DESCR A.DESCR254_MIXED A.PO_ID A.BUSINESS_UNIT_PO A.LINE_NBR A.SCHED_NBR A.INV_ITEM_ID A.QTY_VCHR"
    " A.UNIT_OF_MEASURE A.UNIT_PRICE B.DISTRIB_LINE_NUM B.ACCOUNT B.DEPTID B.MERCHANDISE_AMT"
)
_VOUCHER = "A.BUSINESS_UNIT A.VOUCHER_ID A.INVOICE_ID A.VENDOR_SETID A.VENDOR_ID A.GROSS_AMT A.TXN_CURRENCY_CD"


def _query(  # noqa: PLR0917 - a table row
    entity: str, name: str, prompts: str, order: str, records: str, filter_: str, required: str, optional: str
) -> Query:
    pairs = (pair.partition("=") for pair in records.split())
    names = tuple(prompts.split())
    return Query(
        entity=entity,
        name=name,
        prompts=names,
        after="AFTER_ID" if "AFTER_ID" in names else "",
        order=tuple(order.split()),
        filter=filter_,
        records={alias: record for alias, _, record in pairs},
        required=tuple(required.split()),
        optional=tuple(optional.split()),
    )


QUERIES: Mapping[str, Query] = {
    query.entity: query
    for query in (
        _query(
            "purchase_orders",
            "ML_PO_HDR",
            "BU FROM_DT TO_DT AFTER_ID",
            "A.PO_ID",
            "A=PO_HDR",
            "date(LAST_DTTM_UPDATE) between FROM_DT and TO_DT inclusive, PO_ID > AFTER_ID",
            "A.BUSINESS_UNIT A.PO_ID A.PO_STATUS A.HOLD_STATUS A.DISP_METHOD A.VENDOR_ID A.CURRENCY_CD"
            " A.LAST_DTTM_UPDATE",
            "A.PO_DT A.PO_TYPE A.VENDOR_SETID A.CHNG_ORD_BATCH A.PYMNT_TERMS_CD A.BUYER_ID A.BILL_LOCATION"
            " A.CHANGE_STATUS",
        ),
        _query(
            "order_lines",
            "ML_PO_LINE",
            "BU PO",
            "A.LINE_NBR B.SCHED_NBR C.DISTRIB_LINE_NUM",
            "A=PO_LINE B=PO_LINE_SHIP C=PO_LINE_DISTRIB",
            "one order: BUSINESS_UNIT = BU, PO_ID = PO",
            _LINES,
            "A.BUSINESS_UNIT A.PO_ID " + _LINE_DETAILS,
        ),
        _query(
            "invoices",
            "ML_VOUCHER",
            "BU FROM_DT TO_DT AFTER_ID",
            "A.VOUCHER_ID",
            "A=VOUCHER",
            "LAST_UPDATE_DT (ENTERED_DT where it is absent) between FROM_DT and TO_DT, VOUCHER_ID > AFTER_ID",
            "A.BUSINESS_UNIT A.VOUCHER_ID A.INVOICE_ID A.VENDOR_ID A.GROSS_AMT A.TXN_CURRENCY_CD A.ENTRY_STATUS",
            "A.APPR_STATUS A.MATCH_STATUS_VCHR A.POST_STATUS_AP A.VOUCHER_STYLE A.INVOICE_DT A.VENDOR_SETID"
            " A.ACCOUNTING_DT A.DUE_DT A.SALETX_AMT A.FREIGHT_AMT A.MISC_AMT A.DSCNT_AMT A.PYMNT_TERMS_CD"
            " A.BASE_CURRENCY A.DESCR254_MIXED A.LAST_UPDATE_DT A.ENTERED_DT",
        ),
        _query(
            "invoice_lines",
            "ML_VOUCHER_LINE",
            "BU VOUCHER",
            "A.VOUCHER_LINE_NUM B.DISTRIB_LINE_NUM",
            "A=VOUCHER_LINE B=DISTRIB_LINE",
            "one voucher: BUSINESS_UNIT = BU, VOUCHER_ID = VOUCHER",
            _VOUCHER_LINES,
            "A.BUSINESS_UNIT A.VOUCHER_ID " + _VOUCHER_LINE_DETAILS,
        ),
        _query(
            "suppliers",
            "ML_VENDOR",
            "SETID AFTER_ID",
            "A.VENDOR_ID",
            "A=VENDOR B=VENDOR_ADDR C=VENDOR_LOC",
            "SETID = SETID, VENDOR_ID > AFTER_ID; primary address and default location, outer joins",
            "A.SETID A.VENDOR_ID A.NAME1 A.VENDOR_STATUS",
            "A.NAME2 B.EFFDT B.EFF_STATUS B.ADDRESS1 B.ADDRESS2 B.ADDRESS3 B.ADDRESS4 B.CITY B.STATE B.POSTAL"
            " B.COUNTRY B.EMAILID B.NAME1 C.EFFDT C.EFF_STATUS C.CURRENCY_CD C.PYMNT_TERMS_CD",
        ),
        _query(
            "payments",
            "ML_PAYMENT",
            "BU FROM_DT TO_DT AFTER_ID",
            "A.PYMNT_ID",
            "A=PAYMENT_TBL B=PYMNT_VCHR_XREF",
            "B.BUSINESS_UNIT = BU, PYMNT_DT between FROM_DT and TO_DT, PYMNT_ID > AFTER_ID; a row a voucher paid",
            "A.BANK_SETID A.BANK_CD A.BANK_ACCT_KEY A.PYMNT_ID A.PYMNT_AMT A.PYMNT_DT A.PYMNT_STATUS B.BUSINESS_UNIT"
            " B.VOUCHER_ID B.PAID_AMT",
            "A.PYMNT_ID_REF A.PYMNT_METHOD A.REMIT_VENDOR A.NAME1 A.CURRENCY_CD A.POST_STATUS_AP B.PYMNT_CNT"
            " B.DSCNT_PAY_AMT B.PYMNT_SELCT_STATUS B.PYMNT_ACTION B.REMIT_VENDOR B.PYMNT_METHOD",
        ),
        _query(
            "cost_centers",
            "ML_DEPT",
            "SETID ASOF_DT AFTER_ID",
            "A.DEPTID",
            "A=DEPT_TBL",
            "SETID = SETID, greatest EFFDT <= ASOF_DT, DEPTID > AFTER_ID",
            "A.SETID A.DEPTID A.EFF_STATUS",
            "A.EFFDT A.DESCR A.DESCRSHORT",
        ),
        _query(
            "accounts",
            "ML_GL_ACCOUNT",
            "SETID ASOF_DT AFTER_ID",
            "A.ACCOUNT",
            "A=GL_ACCOUNT_TBL",
            "SETID = SETID, greatest EFFDT <= ASOF_DT, ACCOUNT > AFTER_ID",
            "A.SETID A.ACCOUNT A.EFF_STATUS",
            "A.EFFDT A.DESCR A.DESCRSHORT A.ACCOUNT_TYPE",
        ),
    )
}
"""By entity. ``L.SHIPTO_*`` of the order lines come from whatever record of addresses the site joins; ``A.CURRENCY_CD``
of payments is not confirmed for the record and may be mapped from the site's own field."""

OPTIONAL: Mapping[str, Query] = {
    query.entity: query
    for query in (
        _query(
            "all_order_lines",
            "",
            "BU FROM_DT TO_DT AFTER_ID",
            "A.PO_ID A.LINE_NBR B.SCHED_NBR C.DISTRIB_LINE_NUM",
            "A=PO_LINE B=PO_LINE_SHIP C=PO_LINE_DISTRIB H=PO_HDR",
            "date(H.LAST_DTTM_UPDATE) between FROM_DT and TO_DT inclusive, A.PO_ID > AFTER_ID",
            "A.PO_ID " + _LINES,
            _LINE_DETAILS,
        ),
        _query(
            "all_invoice_lines",
            "",
            "BU FROM_DT TO_DT AFTER_ID",
            "A.VOUCHER_ID A.VOUCHER_LINE_NUM B.DISTRIB_LINE_NUM",
            "A=VOUCHER_LINE B=DISTRIB_LINE H=VOUCHER",
            "the date of ML_VOUCHER, of H, between FROM_DT and TO_DT, A.VOUCHER_ID > AFTER_ID",
            "A.VOUCHER_ID " + _VOUCHER_LINES,
            _VOUCHER_LINE_DETAILS,
        ),
        _query(
            "voucher_lookup",
            "",
            "SETID VENDOR INVOICE",
            "A.VOUCHER_ID",
            "A=VOUCHER",
            "VENDOR_SETID = SETID, VENDOR_ID = VENDOR, INVOICE_ID = INVOICE; every business unit and status",
            _VOUCHER,
            "A.INVOICE_DT A.ENTRY_STATUS A.DESCR254_MIXED",
        ),
        _query(
            "staged_vouchers",
            "",
            "SETID VENDOR INVOICE",
            "A.VOUCHER_ID",
            "A=VCHR_HDR_STG",
            "VENDOR_SETID = SETID, VENDOR_ID = VENDOR, INVOICE_ID = INVOICE; rows that Voucher Build has not taken",
            _VOUCHER,
            "A.INVOICE_DT A.ENTRY_STATUS A.DESCR254_MIXED",
        ),
    )
}
"""Queries beyond the contract, asked only where ``queries=`` names them: the lines of many documents at once, which
save a call a document, and those by which a voucher is looked for before and after it is sent."""

CODES: Mapping[str, frozenset[str]] = {
    "A.PO_STATUS": frozenset(["I", "O", "PA", "A", "D", "C", "X", "PX", "DA", "LD"]),
    "A.HOLD_STATUS": frozenset(["Y", "N"]),
    "A.DISP_METHOD": frozenset(["EDX", "EML", "FAX", "PHN", "PRN"]),
    "A.CANCEL_STATUS": frozenset(["A", "C", "D", "H", "O", "P", "X"]),
    "B.CANCEL_STATUS": frozenset(["A", "C", "D", "H", "O", "P", "X"]),
    "A.ENTRY_STATUS": frozenset(["P", "R", "O", "X", "T", "D", "E", "L", "M"]),
    "A.APPR_STATUS": frozenset(["A", "P", "D"]),
    "A.MATCH_STATUS_VCHR": frozenset(["N", "T", "M", "E", "O", "C", "D"]),
    "A.POST_STATUS_AP": frozenset(["U", "P", "N"]),
    "A.VENDOR_STATUS": frozenset(["A", "D", "E", "I", "X"]),
    "A.PYMNT_STATUS": frozenset(["P", "V", "S", "R", "X", "A", "O", "L", "E", "N", "U", "W", "T"]),
    "A.EFF_STATUS": frozenset(["A", "I"]),
}
"""Codes of fields that decide something. A value longer than every code is a translation (section 3.1)."""
