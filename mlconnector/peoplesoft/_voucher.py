"""A supplier's invoice becomes a voucher; pure (PeopleSoft reference, sections 6 and 11; rule B1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

import attrs

from mlconnector.documents import Invoice, InvoiceLine, smallest_unit
from mlconnector.errors import InvalidArgument, InvalidDocument
from mlconnector.peoplesoft._component import ComponentInterface
from mlconnector.peoplesoft._invoice_mapping import MARK
from mlconnector.peoplesoft._message import Record, Value, rowset

__all__ = ["GOODS", "VoucherMessage", "component_properties", "mark", "message_text"]

GOODS = ("item", "amount")
"""Kinds of lines that are invoiced for themselves."""
_LENGTHS: Mapping[str, int] = {
    "BUSINESS_UNIT": 5,
    "BUSINESS_UNIT_PO": 5,
    "INVOICE_ID": 30,
    "VENDOR_SETID": 5,
    "VENDOR_ID": 10,
    "ORIGIN": 3,
    "PYMNT_TERMS_CD": 5,
    "TXN_CURRENCY_CD": 3,
    "PO_ID": 10,
    "ACCOUNT": 10,
    "DEPTID": 10,
    "DESCR254_MIXED": 254,
}
_DECIMALS: Mapping[str, tuple[int, int]] = {"UNIT_PRICE": (10, 5), "QTY_VCHR": (11, 4)}
_AMOUNT = (23, 3)


@attrs.frozen(kw_only=True)
class VoucherMessage:
    """How vouchers go out as a VOUCHER_BUILD message (section 6).

    Args:
        operation: External alias of the service operation with its version.
        date_format: ``strftime`` form of dates in the message.
        style: ``VOUCHER_STYLE`` of an invoice; ``credit_style`` of a credit.
        origin: ``ORIGIN``, where the site has one for this (3 characters). ``source``: ``VCHR_SRC``.
        reference: Header field that takes our mark (rule B1), or ``None``.
        freight: Charges whose description or code is one of these are freight; all others are miscellaneous.

    Raises:
        InvalidArgument: An origin that is too long, or no operation.
    """

    operation: str = "VOUCHER_BUILD.VERSION_1"
    date_format: str = "%Y/%m/%d"
    style: str = "REG"
    credit_style: str = "ADJ"
    origin: str = ""
    source: str = ""
    reference: str | None = "DESCR254_MIXED"
    freight: tuple[str, ...] = ("FREIGHT", "D240")

    def __attrs_post_init__(self) -> None:
        if not self.operation or len(self.origin) > _LENGTHS["ORIGIN"]:
            raise InvalidArgument(
                f"VoucherMessage(operation={self.operation!r}, origin={self.origin!r}).",
                cure="Give the alias with its version, and an origin of at most 3 characters.",
            )


def mark(key: str) -> str:
    """What a voucher of ours carries: the business key of the invoice (rule B1)."""
    return f"{MARK}{key}"


def message_text(invoice: Invoice, setid: str, reference: str, settings: VoucherMessage) -> str:
    """The VOUCHER_BUILD message of an invoice.

    Raises:
        InvalidDocument: With every fault: lengths, missing values, amounts that do not add up.
    """
    head, lines = _parts(invoice, setid, settings)
    if settings.reference:
        head[settings.reference] = reference
    records = [
        Record("VCHR_LINE_STG", line, [Record("VCHR_DIST_STG", below)] if below else []) for line, below in lines
    ]
    return rowset("VOUCHER_BUILD", [Record("VCHR_HDR_STG", head, records)], settings.date_format)


def component_properties(
    invoice: Invoice, setid: str, reference: str, settings: VoucherMessage, component: ComponentInterface
) -> Mapping[str, object]:
    """The same as properties of the customer's component interface.

    Raises:
        InvalidDocument: As :func:`message_text`.
    """
    head, lines = _parts(invoice, setid, settings)
    head["VOUCHER_ID"] = component.number
    if component.reference:
        head[component.reference] = reference
    rows = [{**line, **({component.distributions: [below]} if below else {})} for line, below in lines]
    return {**head, component.lines: rows}


Parts = tuple[dict[str, Value], list[tuple[dict[str, Value], dict[str, Value]]]]


def _parts(invoice: Invoice, setid: str, settings: VoucherMessage) -> Parts:
    """Header fields, and the fields of each line with those of its distribution."""
    faults: list[str] = []
    # A credit is below zero in AP, whatever sign its sender gives it.
    sign = -1 if invoice.kind == "credit" and (invoice.gross or 0) > 0 else 1
    goods = [line for line in invoice.lines if line.kind in GOODS]
    amounts = _amounts(goods, sign, smallest_unit(invoice.currency), faults)
    charges = [line for line in invoice.lines if line.kind == "charge"]
    freight = _charged([line for line in charges if _is_freight(line, settings)], sign)
    misc = _charged([line for line in charges if not _is_freight(line, settings)], sign)
    taxes = _charged([line for line in invoice.lines if line.kind == "tax"], sign)
    tax = taxes if invoice.tax is None else invoice.tax * sign
    gross = None if invoice.gross is None else invoice.gross * sign
    total = sum(amounts, Decimal(0)) + freight + misc + tax
    if gross is None:
        faults.append("the gross amount is not known")
    elif gross != total:
        faults.append(f"lines, charges and tax add up to {total}, the invoice says {gross}")
    head: dict[str, Value] = {
        "BUSINESS_UNIT": invoice.company,
        "VOUCHER_ID": "NEXT",
        "VOUCHER_STYLE": settings.credit_style if invoice.kind == "credit" else settings.style,
        "INVOICE_ID": invoice.supplier_invoice_number,
        "VENDOR_SETID": setid,
        "VENDOR_ID": "" if invoice.supplier is None else invoice.supplier.number,
        "TXN_CURRENCY_CD": invoice.currency or "",
    }
    names = {"INVOICE_ID": "supplier_invoice_number", "BUSINESS_UNIT": "company", "VENDOR_ID": "supplier"}
    faults += [f"{name} ({names.get(name, 'is required')}) is empty" for name, value in head.items() if not value]
    if invoice.date is None:
        faults.append("INVOICE_DT (date) is empty")
    else:
        head["INVOICE_DT"] = invoice.date
    optional = {"ORIGIN": settings.origin, "PYMNT_TERMS_CD": invoice.terms, "VCHR_SRC": settings.source}
    head |= {name: value for name, value in optional.items() if value}
    head |= {"GROSS_AMT": gross or Decimal(0)}
    money = {"SALETX_AMT": tax, "FREIGHT_AMT": freight, "MISC_AMT": misc}
    head |= {name: value for name, value in money.items() if value}
    pairs = [
        _line(index, line, amount, invoice, faults)
        for index, (line, amount) in enumerate(zip(goods, amounts, strict=True), 1)
    ]
    if not pairs:
        faults.append("it has no line")
    for fields in (head, *(fields for pair in pairs for fields in pair)):
        faults += _too_long(fields)
    if faults:
        raise InvalidDocument(
            f"Invoice {invoice.supplier_invoice_number} cannot become a voucher.",
            faults=tuple(dict.fromkeys(faults)),
            cause="arithmetic" if any("add up" in fault for fault in faults) else "voucher",
            cure="Whoever runs the flow corrects the invoice or its mapping, then replays it.",
        )
    return head, pairs


def _line(
    index: int, line: InvoiceLine, amount: Decimal, invoice: Invoice, faults: list[str]
) -> tuple[dict[str, Value], dict[str, Value]]:
    order = line.purchase_order or invoice.purchase_order
    number, _, schedule = line.order_line.partition(".")
    fields: dict[str, Value] = {"BUSINESS_UNIT": invoice.company, "VOUCHER_LINE_NUM": Decimal(index)}
    if order:
        number = str(line.extras.get("LINE_NBR", number))
        schedule = str(line.extras.get("SCHED_NBR", schedule)) or "1"
        if not number.isdecimal() or not schedule.isdecimal():
            faults.append(f"line {line.number or index}: {line.order_line!r} is no line of order {order}")
        else:
            fields |= {"BUSINESS_UNIT_PO": invoice.company, "PO_ID": order}
            fields |= {"LINE_NBR": Decimal(number), "SCHED_NBR": Decimal(schedule)}
    elif not line.account:
        faults.append(f"line {line.number or index} names neither order nor account")
    if line.description:
        fields["DESCR"] = line.description[:30].strip()
    fields["MERCHANDISE_AMT"] = amount
    if line.kind == "item" and line.quantity and line.unit_price is not None:
        quantity = line.quantity if (line.quantity > 0) == (amount >= 0) else -line.quantity
        fields |= {"QTY_VCHR": quantity, "UNIT_OF_MEASURE": line.unit, "UNIT_PRICE": _unit_price(line)}
    below: dict[str, Value] = {}
    if line.account:
        below = {"BUSINESS_UNIT": invoice.company, "VOUCHER_LINE_NUM": Decimal(index)}
        below |= {"DISTRIB_LINE_NUM": Decimal(1), "ACCOUNT": line.account}
        below |= {"DEPTID": line.cost_center} if line.cost_center else {}
        below["MERCHANDISE_AMT"] = amount
    return fields, below


def _unit_price(line: InvoiceLine) -> Decimal:
    assert line.unit_price is not None
    return line.unit_price / (line.price_per or Decimal(1))


def _amounts(lines: Sequence[InvoiceLine], sign: int, unit: Decimal, faults: list[str]) -> list[Decimal]:
    """What each line comes to; where that is computed, the last such line takes the cent of rounding (rule B23)."""
    exact: list[Decimal] = []
    computed: list[int] = []
    for index, line in enumerate(lines):
        if line.amount is not None:
            exact.append(line.amount * sign)
        elif line.quantity is None or line.unit_price is None:
            faults.append(f"line {line.number or index + 1} has neither amount nor quantity and price")
            exact.append(Decimal(0))
        else:
            computed.append(index)
            exact.append(line.quantity * _unit_price(line) * sign)
    rounded = [value.quantize(unit, ROUND_HALF_UP) if index in computed else value for index, value in enumerate(exact)]
    if computed:
        whole = sum((exact[index] for index in computed), Decimal(0)).quantize(unit, ROUND_HALF_UP)
        rounded[computed[-1]] += whole - sum((rounded[index] for index in computed), Decimal(0))
    return rounded


def _charged(lines: Sequence[InvoiceLine], sign: int) -> Decimal:
    return sum(((line.amount or Decimal(0)) * sign for line in lines), Decimal(0))


def _is_freight(line: InvoiceLine, settings: VoucherMessage) -> bool:
    names = {line.number, line.description, *line.item_ids.values(), *map(str, line.extras.values())}
    return not {name.strip().upper() for name in names}.isdisjoint(name.upper() for name in settings.freight)


def _too_long(fields: Mapping[str, Value]) -> list[str]:
    """Values that their fields do not hold (section 11)."""
    faults = []
    for name, value in fields.items():
        if isinstance(value, str) and len(value) > _LENGTHS.get(name, 254):
            faults.append(f"{name} {value!r} is longer than {_LENGTHS.get(name, 254)}")
        if isinstance(value, Decimal):
            whole, places = _DECIMALS.get(name, _AMOUNT)
            _, digits, exponent = value.normalize().as_tuple()
            after = -exponent if isinstance(exponent, int) and exponent < 0 else 0
            if after > places or len(digits) - after > whole:
                faults.append(f"{name} {value} does not fit {whole} digits and {places} decimals")
    return faults
