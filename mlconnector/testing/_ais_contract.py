"""The orchestration contract as data: inputs, outputs, and the reading of what a caller sent (AIS reference, 6.4)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, cast

import attrs

from mlconnector.testing._ais_query import BadValue, DateFormat

__all__ = ["CONTRACTS", "BusinessRefusal", "Contract", "Input", "OrchestrationFailed", "Values", "read_inputs"]

Values = Mapping[str, Any]
"""Inputs by their names of the contract: text, ``date``, ``Decimal``, ``int``, lists of the same. An absent one is an
empty text, an empty list or None, after its type."""

Kind = Literal["S", "N", "D", "A", "R", "Q", "L"]


class OrchestrationFailed(Exception):
    """The call ends with a non-200 status before any form is reached: bad payload, bad data type."""


class BusinessRefusal(Exception):
    """A form refused the data.

    Args:
        code: The error's code, as the site shows it.
        text: The error's text.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@attrs.frozen
class Input:
    """One input.

    Attributes:
        name: Of the contract.
        kind: S text, N whole number, D date, A amount with 2 decimals, R rate, Q quantity or line number, L list.
        length: Of a text at most.
        required: Whether a call without it is refused.
        members: Of a list's entries.
        offered: Whether the site's orchestration has it.
    """

    name: str
    kind: Kind
    length: int
    required: bool
    members: tuple[Input, ...] = ()
    offered: bool = True

    @property
    def type(self) -> str:
        """The type that discovery names."""
        return {"D": "Date", "L": "Array", "S": "String"}.get(self.kind, "Numeric")


@attrs.frozen
class Contract:
    """One orchestration: what goes in, what comes out."""

    name: str
    description: str
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]

    def without(self, names: Collection[str]) -> Contract:
        """The same as a site has it that lacks some inputs; a member of a list is written ``Lines.Subsidiary``."""
        return attrs.evolve(self, inputs=tuple(_lacking(each, names) for each in self.inputs))

    @property
    def has_lists(self) -> bool:
        """Whether an input is a list: such an orchestration needs the generic format."""
        return any(each.kind == "L" and each.offered for each in self.inputs)

    @property
    def input_names(self) -> frozenset[str]:
        """Names of all inputs, members of lists as ``Lines.Amount``."""
        members = {f"{each.name}.{member.name}" for each in self.inputs for member in each.members}
        return frozenset(members | {each.name for each in self.inputs})


def _lacking(wanted: Input, names: Collection[str], parent: str = "") -> Input:
    name = parent + wanted.name
    members = tuple(_lacking(member, names, f"{name}.") for member in wanted.members)
    if name in names:
        return attrs.evolve(wanted, members=members, offered=False, required=False)
    return attrs.evolve(wanted, members=members)


def _inputs(text: str) -> Iterator[Input]:
    for part in re.findall(r"[^\s\[]+(?:\[[^\]]*\])?", text):
        found = re.fullmatch(r"(\w+)(\??):([SNDARQL])(\d*)(?:\[(.*)\])?", part, re.DOTALL)
        assert found is not None, part
        name, optional, kind, length, members = found.groups()
        yield Input(name, cast(Kind, kind), int(length or 0), not optional, tuple(_inputs(members or "")))


def _contract(name: str, description: str, inputs: str, outputs: str) -> Contract:
    return Contract(name, description, tuple(_inputs(inputs)), tuple(outputs.split()))


_LINES = "[BusinessUnit:S12 ObjectAccount:S6 Subsidiary?:S8 Amount:A Remark?:S30]"
_VOUCHER_KEY = "VoucherCompany:S5 VoucherType:S2 VoucherNumber:N"
_MONEY = "GrossAmount:A CurrencyCode:S3 ExchangeRate?:R PaymentTerms?:S3 Remark?:S30"
_TAX = "TaxArea?:S10 TaxExplanation?:S2 TaxAmount?:A"
_DOCUMENT = "DocumentCompany DocumentType DocumentNumber"
_PAYMENT = "PaymentId PaymentType PaymentNumber BatchNumber"

_ALL = (
    _contract(
        "ML_CreateAPVoucher",
        "Enters a voucher with its distribution",
        f"""
        Company:S5 SupplierNumber:N InvoiceNumber:S25 InvoiceDate:D GLDate:D {_MONEY} PurchaseOrder?:S8
        DocumentType?:S2 {_TAX} Lines:L{_LINES}
        """,
        f"{_DOCUMENT} BatchNumber",
    ),
    _contract(
        "ML_RecordAPPayment",
        "Records a payment made elsewhere on its vouchers",
        f"""
        SupplierNumber:N PaymentDate:D GLDate:D Amount:A CurrencyCode:S3 BankAccountId:S8 PaymentReference:S30
        ExchangeRate?:R VoucherCompany?:S5 VoucherType?:S2 VoucherNumber?:N PayItem?:S3
        Vouchers?:L[{_VOUCHER_KEY} PayItem:S3 PayItemExtension?:N Amount:A]
        """,
        _PAYMENT,
    ),
    _contract(
        "ML_VoidAPPayment",
        "Voids a payment and opens its vouchers again",
        "PaymentId:N GLDate:D PaymentReference?:S30 Remark?:S30",
        _PAYMENT,
    ),
    _contract(
        "ML_SetPayStatus",
        "Sets the pay status of one pay item",
        f"{_VOUCHER_KEY} PayItem:S3 PayItemExtension?:N PayStatus:S1",
        f"{_DOCUMENT} PayItem PayStatus PreviousPayStatus",
    ),
    _contract(
        "ML_MatchVoucher",
        "Matches an invoice to receipts of purchase orders",
        f"""
        Company:S5 SupplierNumber:N InvoiceNumber:S25 InvoiceDate:D GLDate:D {_MONEY} {_TAX}
        Lines:L[OrderCompany:S5 OrderType:S2 OrderNumber:N OrderSuffix?:S3 OrderLine:Q ReceiptLine?:N Quantity?:Q
        Amount:A] Charges?:L{_LINES}
        """,
        f"{_DOCUMENT} BatchNumber MatchedLines",
    ),
    _contract(
        "ML_ReverseVoucher",
        "Takes a whole voucher back",
        f"{_VOUCHER_KEY} GLDate:D Remark?:S30",
        f"{_DOCUMENT} BatchNumber ReversalType Deleted",
    ),
    _contract(
        "ML_CreateJournalEntry",
        "Enters a journal entry",
        f"Company:S5 GLDate:D Explanation:S30 CurrencyCode:S3 Reference:S8 Lines:L{_LINES}",
        f"{_DOCUMENT} BatchNumber",
    ),
)

CONTRACTS: Mapping[str, Contract] = {contract.name: contract for contract in _ALL}
"""The contract, by its default names."""

_NUMERALS: Mapping[str, tuple[str, str, Callable[[str], Any]]] = {
    "N": (r"\d{1,15}", "a whole number", int),
    "A": (r"-?\d{1,13}(\.\d{1,2})?", "an amount with at most 2 decimals", Decimal),
    "R": (r"\d{1,8}(\.\d{1,15})?", "a rate", Decimal),
    "Q": (r"-?\d{1,11}(\.\d{1,4})?", "a quantity", Decimal),
}


def read_inputs(
    inputs: Sequence[Input], sent: Mapping[str, Any], dates: DateFormat, *, ignore_unknown: bool
) -> dict[str, Any]:
    """What a caller sent, typed.

    Args:
        inputs: What the orchestration takes.
        sent: Name to value. Values are texts; a whole number that is no amount may be a JSON number.
        dates: The format of date texts.
        ignore_unknown: Pass over names that the orchestration lacks.

    Raises:
        OrchestrationFailed: An unknown or missing input, a value that does not fit its type.
    """
    offered = {each.name: sent.get(each.name) for each in inputs if each.offered}
    unknown = sorted(sent.keys() - offered.keys())
    if unknown and not ignore_unknown:
        raise OrchestrationFailed(f"Unknown input {', '.join(unknown)}")
    return {each.name: _value(each, offered.get(each.name), dates, ignore_unknown) for each in inputs}


def _value(wanted: Input, given: Any, dates: DateFormat, ignore_unknown: bool) -> Any:
    if given is None or given == [] or (isinstance(given, str) and not given.strip()):
        if wanted.required:
            raise OrchestrationFailed(f"Input {wanted.name} is missing")
        return {"S": "", "L": []}.get(wanted.kind)
    if wanted.kind == "L":
        if not isinstance(given, list) or not all(isinstance(entry, Mapping) for entry in given):
            raise OrchestrationFailed(f"Input {wanted.name} is an array of objects")
        return [read_inputs(wanted.members, entry, dates, ignore_unknown=ignore_unknown) for entry in given]
    if isinstance(given, int) and not isinstance(given, bool) and wanted.kind in "SNQ":
        given = str(given)
    if not isinstance(given, str):
        raise OrchestrationFailed(f"Input {wanted.name} is a text, not {given!r}")
    if wanted.kind == "S":
        if len(given.rstrip()) > wanted.length:
            raise OrchestrationFailed(f"Input {wanted.name} has more than {wanted.length} characters")
        return given.rstrip()
    if wanted.kind == "D":
        return _date(wanted, given, dates)
    pattern, what, make = _NUMERALS[wanted.kind]
    if not re.fullmatch(pattern, given, re.ASCII):
        raise OrchestrationFailed(f"Input {wanted.name} is {what}, not {given!r}")
    return make(given)


def _date(wanted: Input, given: str, dates: DateFormat) -> dt.date:
    try:
        return dates.parse(given)
    except BadValue as bad:
        raise OrchestrationFailed(f"Input {wanted.name}: {bad}") from None
