"""Rowset messages as the subscription reads them (PeopleSoft reference, sections 6 and 7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from xml.etree.ElementTree import Element

import attrs

from mlconnector.testing._peoplesoft_records import RECORDS, Field, parse_fields
from mlconnector.testing._peoplesoft_store import from_text
from mlconnector.testing._peoplesoft_xml import local_name

__all__ = [
    "ACKNOWLEDGEMENT",
    "VOUCHER_BUILD",
    "BadMessage",
    "Message",
    "StagedRow",
    "XMLDates",
    "flatten",
    "read_rowset",
]

VOUCHER_BUILD = "VOUCHER_BUILD"
ACKNOWLEDGEMENT = "PURCHASE_ORDER_ACKNOWLEDGEMENT"
"""The delivered inbound operation of 855 and 865, asynchronous (Oracle's page S29 of the reference)."""

XMLDates = Literal["slashes", "dashes", "both"]

_SEPARATORS: Mapping[str, str] = {"slashes": "/", "dashes": "-", "both": "/-"}
_ACTIONS = {"", "A", "C", "D", "K", "N", "O"}
_TYPES = {"CHAR", "DATE", "NUMBER"}
_VOUCHER_RECORDS = {
    "VCHR_HDR_STG",
    "VCHR_LINE_STG",
    "VCHR_DIST_STG",
    "VCHR_PYMT_STG",
    "VCHR_PYMNT_STG",
    "VCHR_MSCH_STG",
    "VCHR_BANK_STG",
    "VCHR_IBANK_STG",
    "VCHR_VNDR_STG",
}
_MESSAGE_FIELDS = parse_fields("VCHR_BLD_KEY_C1:C25 VCHR_BLD_KEY_C2:C25 RECEIVER_ID:C10 BUSINESS_UNIT_RECV:C5")
_LENGTHS: Mapping[str, Field] = {
    **{name: field for record in RECORDS.values() for name, field in record.fields.items() if field.kind == "C"},
    **_MESSAGE_FIELDS,
}


class BadMessage(ValueError):
    """The subscription cannot read the message; the customer's monitor shows why."""


@attrs.define(eq=False)
class StagedRow:
    """A row of a message in its staging record.

    Attributes:
        record: The staging record.
        values: Field to value, as declared by the message: text, ``Decimal`` or date.
        children: Rows below it.
    """

    record: str
    values: dict[str, Any]
    children: list[StagedRow] = attrs.field(factory=list)

    def below(self, record: str) -> list[StagedRow]:
        """Its direct children of one record."""
        return [child for child in self.children if child.record == record]


@attrs.frozen(kw_only=True)
class Message:
    """An asynchronous message, as the Service Operations Monitor shows it.

    Attributes:
        transaction_id: What its acknowledgment said.
        operation: External alias and version.
        status: ``"queued"``, ``"done"`` (its rows are staged) or ``"error"``.
        error: Why the subscription failed.
        body: The message's XML.
        at: When it came in.
    """

    transaction_id: str
    operation: str
    status: Literal["queued", "done", "error"]
    error: str = ""
    body: bytes = attrs.field(repr=False)
    at: dt.datetime


def read_rowset(name: str, root: Element, dates: XMLDates) -> list[StagedRow]:
    """The level 0 rows of a message's transactions.

    Raises:
        BadMessage: It breaks a rule of the rowset format, or a value does not fit its field.
    """
    if local_name(root) != name:
        raise BadMessage(f"The root is {local_name(root)}, the message is {name}.")
    declared = _declared(_only(root, "FieldTypes"))
    reader = _Reader(declared, _SEPARATORS[dates], known=_VOUCHER_RECORDS if name == VOUCHER_BUILD else None)
    rows: list[StagedRow] = []
    for transaction in _only(root, "MsgData"):
        if local_name(transaction) != "Transaction":
            raise BadMessage(f"MsgData holds transactions, not {local_name(transaction)}.")
        reader.control_seen = False
        rows += reader.rows(transaction)
        if not reader.control_seen:
            raise BadMessage("The transaction has no PSCAMA.")
    if not rows:
        raise BadMessage("The message has no rows.")
    return rows


def _only(root: Element, name: str) -> Element:
    found = [child for child in root if local_name(child) == name]
    if len(found) != 1:
        raise BadMessage(f"The message needs one {name}.")
    return found[0]


def _declared(field_types: Element) -> dict[str, dict[str, str]]:
    declared: dict[str, dict[str, str]] = {}
    for record in field_types:
        _need_row(record)
        fields = {local_name(field): field.get("type", "") for field in record}
        wrong = [name for name, kind in fields.items() if kind not in _TYPES]
        if wrong:
            raise BadMessage(f"{wrong[0]} needs the type CHAR, DATE or NUMBER.")
        declared[local_name(record)] = fields
    return declared


def _need_row(record: Element) -> None:
    if record.get("class") != "R":
        raise BadMessage(f'{local_name(record)} needs class="R".')


@attrs.define
class _Reader:
    declared: Mapping[str, Mapping[str, str]]
    separators: str
    known: set[str] | None
    control_seen: bool = False

    def rows(self, parent: Element) -> list[StagedRow]:
        rows = []
        for child in parent:
            if child.get("class") is not None:
                _need_row(child)
                row = self._row(child)
                if row is not None:
                    rows.append(row)
        return rows

    def _row(self, node: Element) -> StagedRow | None:
        record = local_name(node)
        fields = self.declared.get(record)
        if fields is None:
            raise BadMessage(f"{record} is not among the FieldTypes.")
        values = {}
        for child in node:
            if child.get("class") is None:
                values[local_name(child)] = self._value(record, fields, child)
        if record == "PSCAMA":
            self.control_seen = True
            if values.get("AUDIT_ACTN", "") not in _ACTIONS:
                raise BadMessage(f"AUDIT_ACTN {values['AUDIT_ACTN']!r} is unknown.")
            return None
        if self.known is not None and record not in self.known:
            raise BadMessage(f"{record} is no record of the message.")
        return StagedRow(record, values, self.rows(node))

    def _value(self, record: str, fields: Mapping[str, str], node: Element) -> Any:
        name, text = local_name(node), node.text or ""
        kind = fields.get(name)
        if kind is None:
            raise BadMessage(f"{record}.{name} is not among the FieldTypes.")
        try:
            if kind == "CHAR":
                return from_text(_LENGTHS.get(name, Field(name, "C", 254)), text)
            return from_text(Field(name, "N" if kind == "NUMBER" else "D"), text, date_separators=self.separators)
        except ValueError as bad:
            raise BadMessage(f"{record}.{bad}") from None


def flatten(rows: Sequence[StagedRow]) -> list[StagedRow]:
    """The rows and all rows below them."""
    return [each for row in rows for each in (row, *flatten(row.children))]
