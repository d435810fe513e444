"""Fictional, reproducible orders and vouchers in JD Edwards rows, and the odd ones that tests need."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal, get_args

from mlconnector.errors import InvalidArgument
from mlconnector.testing._master_data import (
    BRANCH,
    COMPANY,
    SHIP_TO,
    Tables,
    accounts,
    fiscal_calendar,
    merge,
    sites,
    suppliers,
)

__all__ = [
    "OddOrder",
    "OddVoucher",
    "accounts",
    "fiscal_calendar",
    "merge",
    "orders",
    "suppliers",
    "vouchers",
]

OddOrder = Literal[
    "hold",
    "unapproved",
    "cancelled_line",
    "closed_line",
    "cancelled",
    "closed",
    "text_line",
    "service_line",
    "freight_line",
    "decimals",
    "per_thousand",
    "foreign",
    "no_currency",
    "non_ascii",
    "long_text",
    "delimiters",
    "line_numbers",
    "drop_ship",
    "blanket_release",
    "blanket",
    "unmapped_unit",
    "wrong_price",
]
"""Peculiarities of an order; several may meet in one."""

OddVoucher = Literal[
    "held", "unposted", "paid", "part_paid", "void", "debit_memo", "foreign", "split", "matched", "long_number"
]
"""Peculiarities of a voucher; several may meet in one."""

_ITEMS = (
    ("Hex bolt M8 x 40", "zinc plated"),
    ("Deep groove bearing 6204", "two rubber seals"),
    ("Cable gland PG16", "grey, IP68"),
    ("Pressure gauge 0-16 bar", "glycerine filled"),
    ("Safety gloves", "size 9"),
    ("Corrugated box 400x300", "double wall"),
)
_EUR_RATE = Decimal("1.25")
_CENT = Decimal("0.01")


def orders(
    count: int,
    *,
    lines: int = 3,
    suppliers: int = 50,
    seed: int = 1,
    first_number: int = 50001,
    first_supplier: int = 4343,
    date: dt.date = dt.date(2026, 2, 16),
    odd: Mapping[int, Iterable[OddOrder]] | None = None,
    master: bool = True,
) -> Tables:
    """Approved purchase orders (type OP, NXTR 400, LTTR 280) with their suppliers, site and company.

    Args:
        count: How many orders.
        lines: Lines of each.
        suppliers: Over how many suppliers they are spread, in turn.
        seed: Of quantities, prices and items.
        first_number: ``DOCO`` of the first order.
        first_supplier: ``AN8`` of the first supplier.
        date: Order date of all; requested and promised dates follow.
        odd: Index of an order (0-based) to its peculiarities. A peculiarity of one line is put on the last one.
        master: Whether rows of suppliers and sites come along.

    Returns:
        Rows of F4301 and F4311, of F4006 for drop shipments, and of the master tables. They carry no stamp: the
        simulator stamps them when they are added.

    Raises:
        InvalidArgument: Counts below 1 (``count`` below 0), or an unknown peculiarity.
    """
    oddities = _checked_odd(odd, get_args(OddOrder))
    if count < 0 or lines < 1 or suppliers < 1:
        raise InvalidArgument(f"count, lines and suppliers must be positive: {count!r}, {lines!r}, {suppliers!r}.")
    chance = random.Random(seed)  # noqa: S311 - reproducible data
    tables: Tables = {"F4301": [], "F4311": [], "F4006": []}
    for index in range(count):
        marks = oddities.get(index, frozenset())
        supplier = first_supplier + index % suppliers
        key = {"DOCO": first_number + index, "DCTO": "OB" if "blanket" in marks else "OP", "KCOO": COMPANY}
        body = [
            _order_line({**key, "AN8": supplier}, number, date, chance, marks if number == lines else _whole(marks))
            for number in range(1, lines + 1)
        ]
        body += _further_lines(body[-1], marks)
        tables["F4311"] += body
        tables["F4301"].append(_order_header(key, supplier, date, body, marks))
        if "drop_ship" in marks:
            tables["F4006"].append(
                {
                    **key,
                    "ANTY": "2",
                    "MLNM": "Fictional Consignee LLC",
                    "ADD1": "77 Customer Lane",
                    "CTY1": "Austin",
                    "ADDS": "TX",
                    "ADDZ": "73301",
                    "CTR": "US",
                }
            )
    return merge(tables, _masters(min(suppliers, count), first_supplier, seed)) if master else tables


def vouchers(
    count: int,
    *,
    suppliers: int = 50,
    seed: int = 1,
    first_number: int = 300001,
    first_supplier: int = 4343,
    date: dt.date = dt.date(2026, 2, 20),
    odd: Mapping[int, Iterable[OddVoucher]] | None = None,
    master: bool = True,
) -> Tables:
    """Posted, approved vouchers (type PV, POST D, PST A) with distribution, suppliers and accounts.

    Args:
        count: How many vouchers.
        suppliers: Over how many suppliers they are spread, in turn.
        seed: Of the amounts.
        first_number: ``DOC`` of the first voucher; its supplier invoice number is ``INV-`` and that number.
        first_supplier: ``AN8`` of the first supplier.
        date: Invoice and G/L date of all.
        odd: Index of a voucher (0-based) to its peculiarities. ``matched`` adds receiver rows (F43121, MATC 1 and 2)
            of order number ``DOC`` - 250000.
        master: Whether rows of suppliers, sites and accounts come along.

    Returns:
        Rows of F0411, F0911, F43121 and of the master tables, without stamps.

    Raises:
        InvalidArgument: Counts below 1 (``count`` below 0), or an unknown peculiarity.
    """
    oddities = _checked_odd(odd, get_args(OddVoucher))
    if count < 0 or suppliers < 1:
        raise InvalidArgument(f"count and suppliers must be positive: {count!r}, {suppliers!r}.")
    chance = random.Random(seed)  # noqa: S311 - reproducible data
    tables: Tables = {"F0411": [], "F0911": [], "F43121": []}
    for index in range(count):
        marks = oddities.get(index, frozenset())
        number, supplier = first_number + index, first_supplier + index % suppliers
        gross = Decimal(chance.randrange(1_000, 500_000)) / 100
        tables["F0411"] += _pay_items(number, supplier, gross, date, marks)
        tables["F0911"] += _distribution(number, supplier, gross, date, marks)
        if "matched" in marks:
            tables["F43121"] += _match(number, supplier, gross, date, foreign="foreign" in marks)
    if not master:
        return tables
    return merge(tables, _masters(min(suppliers, count), first_supplier, seed), accounts())


def _masters(count: int, first_supplier: int, seed: int) -> Tables:
    return merge(suppliers(count, first=first_supplier, seed=seed), sites())


def _checked_odd(odd: Mapping[int, Iterable[str]] | None, known: tuple[str, ...]) -> dict[int, frozenset[str]]:
    found = {index: frozenset(marks) for index, marks in (odd or {}).items()}
    unknown = sorted({mark for marks in found.values() for mark in marks} - set(known))
    if unknown:
        raise InvalidArgument(f"Unknown peculiarities {unknown}; there are {', '.join(known)}.")
    return found


def _whole(marks: frozenset[str]) -> frozenset[str]:
    """The peculiarities that hold for every line of an order, not for its last one alone."""
    return marks & {"cancelled", "closed", "foreign", "no_currency", "line_numbers", "drop_ship", "blanket_release"}


def _order_line(
    key: Mapping[str, Any], number: int, date: dt.date, chance: random.Random, marks: frozenset[str]
) -> dict[str, Any]:
    item = chance.randrange(len(_ITEMS))
    quantity, price = Decimal(chance.randrange(1, 200)), Decimal(chance.randrange(50, 20_000)) / 100
    unit, price_unit = "EA", "EA"
    first, second = _ITEMS[item]
    if "decimals" in marks:
        quantity, price, unit, price_unit = Decimal("12.125"), Decimal("8.4"), "LB", "LB"
    if "per_thousand" in marks:
        quantity, price, price_unit = Decimal(2000), Decimal("12.5"), "TH"
    if "unmapped_unit" in marks:
        unit = price_unit = "ZZ"
    if "non_ascii" in marks:
        first, second = "Schraube M8 40 Größe Ü", "naïve façade 部品"
    if "long_text" in marks:
        first, second = "Description that fills thirty.", "And another thirty characters."
    if "delimiters" in marks:
        first, second = "Bolt*M8~40:zinc>plated^U", "50*50|~|A:B"
    per = Decimal(1000) if price_unit == "TH" else Decimal(1)
    amount = (quantity * price / per).quantize(_CENT, ROUND_HALF_UP)
    if "wrong_price" in marks:
        amount += 1
    line: dict[str, Any] = {
        **key,
        "LNID": 1 + Decimal(number) / 100 if "line_numbers" in marks else Decimal(number),
        "LNTY": "S",
        "NXTR": "400",
        "LTTR": "280",
        "MCU": BRANCH,
        "CO": COMPANY,
        "SHAN": SHIP_TO,
        "ITM": 60000 + item,
        "LITM": f"FM-{60000 + item}",
        "AITM": f"A{60000 + item}",
        "DSC1": first,
        "DSC2": second,
        "UOM": unit,
        "UORG": quantity,
        "UOPN": quantity,
        "UOM3": price_unit,
        "PRRC": price,
        "AEXP": amount,
        "AOPN": amount,
        "CRCD": "USD",
        "TRDJ": date,
        "DRQJ": date + dt.timedelta(days=14),
        "PDDJ": date + dt.timedelta(days=16),
        "PTC": "030",
    }
    if "foreign" in marks:
        line |= {"CRCD": "EUR", "CRR": _EUR_RATE, "FRRC": price, "FEA": amount}
        line |= {"PRRC": price * _EUR_RATE, "AEXP": (amount * _EUR_RATE).quantize(_CENT, ROUND_HALF_UP)}
        line["AOPN"] = line["AEXP"]
    if "no_currency" in marks:
        line["CRCD"] = ""
    if "unapproved" in marks:
        line |= {"NXTR": "230", "LTTR": "220"}
    if marks & {"cancelled", "cancelled_line"}:
        line |= {"NXTR": "999", "LTTR": "980", "UOPN": 0, "AOPN": 0}
    if marks & {"closed", "closed_line"}:
        line |= {"NXTR": "999", "LTTR": "400", "UREC": line["UORG"], "UOPN": 0, "AREC": line["AEXP"], "AOPN": 0}
    return line | _related(marks)


def _related(marks: frozenset[str]) -> dict[str, Any]:
    related: dict[str, Any] = {}
    if "drop_ship" in marks:
        related |= {"RCTO": "SD", "RORN": "00009901", "RKCO": COMPANY}
    if "blanket_release" in marks:
        related |= {"OCTO": "OB", "OORN": "00000777", "OKCO": COMPANY}
    return related


def _further_lines(last: Mapping[str, Any], marks: frozenset[str]) -> list[dict[str, Any]]:
    """Lines without items, after the others: a text, a service by amount, freight."""
    bare = {name: value for name, value in last.items() if name not in {"ITM", "LITM", "AITM", "DSC2"}}
    bare |= {"NXTR": "400", "LTTR": "280"}
    nothing = dict.fromkeys(("UORG", "UOPN", "UREC", "AREC", "PRRC", "FRRC", "AEXP", "AOPN", "FEA"), 0)
    amounts = {"AEXP": Decimal("375.5"), "AOPN": Decimal("375.5")}
    if last["CRCD"] == "EUR":
        amounts |= {"FEA": Decimal("300.4")}
    found: list[dict[str, Any]] = []
    for mark, kind, text, values in (
        ("text_line", "T", "Deliver to gate 4 before noon", {"UOM": "", "UOM3": ""}),
        ("service_line", "J", "Calibration on site", {**amounts, "UOM": "HR", "UOM3": "HR"}),
        ("freight_line", "F", "Freight", {**amounts, "UOM": "EA", "UOM3": "EA"}),
    ):
        if mark in marks:
            number = last["LNID"] + len(found) + 1
            found.append({**bare, **nothing, "LNID": number, "LNTY": kind, "DSC1": text, **values})
    return found


def _order_header(
    key: Mapping[str, Any], supplier: int, date: dt.date, body: list[dict[str, Any]], marks: frozenset[str]
) -> dict[str, Any]:
    header: dict[str, Any] = {
        **key,
        "MCU": BRANCH,
        "AN8": supplier,
        "SHAN": SHIP_TO,
        "TRDJ": date,
        "DRQJ": date + dt.timedelta(days=14),
        "PDDJ": date + dt.timedelta(days=16),
        "PTC": "030",
        "FRTH": "PPD",
        "ANBY": 1,
        "HOLD": "B1" if "hold" in marks else "",
        "OTOT": sum(line["AEXP"] for line in body),
        "CRRM": "D",
        "CRCD": "" if "no_currency" in marks else "USD",
        "BCRC": "" if "no_currency" in marks else "USD",
        "ORBY": "BUYER1",
        "CORD": 0,
    }
    if "foreign" in marks:
        total = sum(line["FEA"] for line in body)
        header |= {"CRRM": "F", "CRCD": "EUR", "CRR": _EUR_RATE, "FAP": total}
    return header | _related(marks)


def _pay_items(
    number: int, supplier: int, gross: Decimal, date: dt.date, marks: frozenset[str]
) -> list[dict[str, Any]]:
    first = (gross / 2).quantize(_CENT, ROUND_HALF_UP)
    shares = [first, gross - first] if "split" in marks else [gross]
    sign = -1 if "debit_memo" in marks else 1
    invoice = f"INV-{number}" + ("-OVER-22-LIMIT" if "long_number" in marks else "")
    rows = []
    for position, share in enumerate(shares, start=1):
        amount = sign * share
        open_amount = amount
        if marks & {"paid", "void"}:
            open_amount = Decimal(0)
        elif "part_paid" in marks:
            open_amount = amount - (amount / 4).quantize(_CENT, ROUND_HALF_UP)
        row: dict[str, Any] = {
            "DOC": number,
            "DCT": "PD" if "debit_memo" in marks else "PV",
            "KCO": COMPANY,
            "SFX": f"{position:03}",
            "AN8": supplier,
            "PYE": supplier,
            "DIVJ": date,
            "DDJ": date + dt.timedelta(days=30 * position),
            "DGJ": date,
            "CO": COMPANY,
            "ICU": 7000 + number % 1000,
            "ICUT": "V",
            "PST": "H" if "held" in marks else "P" if marks & {"paid", "void"} else "A",
            "AG": amount,
            "AAP": open_amount,
            "ATXN": amount,
            "CRRM": "D",
            "CRCD": "USD",
            "BCRC": "USD",
            "POST": "" if "unposted" in marks else "D",
            "PTC": "030",
            "VOD": "V" if "void" in marks else "",
            "VINV": invoice,
            "RMK": "",
        }
        if "foreign" in marks:
            row |= {"CRRM": "F", "CRCD": "EUR", "CRR": _EUR_RATE, "ACR": amount, "FAP": open_amount}
            for base in ("AG", "AAP", "ATXN"):
                row[base] = (row[base] * _EUR_RATE).quantize(_CENT, ROUND_HALF_UP)
        if "matched" in marks:
            row |= {"PKCO": COMPANY, "PO": f"{number - 250000:08}", "PDCT": "OP"}
        rows.append(row)
    return rows


def _distribution(
    number: int, supplier: int, gross: Decimal, date: dt.date, marks: frozenset[str]
) -> list[dict[str, Any]]:
    sign = -1 if "debit_memo" in marks else 1
    first = (gross * 2 / 3).quantize(_CENT, ROUND_HALF_UP)
    foreign = "foreign" in marks
    base_gross = sum(row["AG"] for row in _pay_items(number, supplier, gross, date, marks)) * sign
    base_first = (first * _EUR_RATE).quantize(_CENT, ROUND_HALF_UP) if foreign else first
    ledgers = [("AA", (base_first, base_gross - base_first))]
    if foreign:
        ledgers.append(("CA", (first, gross - first)))
    return [
        {
            "DCT": "PD" if "debit_memo" in marks else "PV",
            "DOC": number,
            "KCO": COMPANY,
            "DGJ": date,
            "JELN": line,
            "LT": ledger,
            "CO": COMPANY,
            "AID": f"{line:08}",
            "ANI": f"{BRANCH}.61{line}0",
            "MCU": BRANCH,
            "OBJ": f"61{line}0",
            "AA": sign * amount,
            "CRCD": "EUR" if foreign else "USD",
            "POST": "" if "unposted" in marks else "P",
            "EXA": "Voucher distribution",
            "AN8": supplier,
        }
        for ledger, amounts in ledgers
        for line, amount in enumerate(amounts, start=1)
    ]


def _match(number: int, supplier: int, gross: Decimal, date: dt.date, *, foreign: bool) -> list[dict[str, Any]]:
    """The receipt (MATC 1, wholly vouchered) and its voucher (MATC 2), ten pieces of one order line."""
    base = (gross * _EUR_RATE).quantize(_CENT, ROUND_HALF_UP) if foreign else gross
    common: dict[str, Any] = {
        "AN8": supplier,
        "KCOO": COMPANY,
        "DOCO": number - 250000,
        "DCTO": "OP",
        "LNID": Decimal(1),
        "ITM": 60001,
        "LITM": "FM-60001",
        "LNTY": "S",
        "MCU": BRANCH,
        "CO": COMPANY,
        "TRDJ": date,
        "RCDJ": date,
        "DGL": date,
        "KCO": COMPANY,
        "UOM": "EA",
        "UORG": 10,
        "UREC": 10,
        "UOM3": "EA",
        "PRRC": base / 10,
        "AREC": base,
        "CRCD": "EUR" if foreign else "USD",
        "BCRC": "USD",
        "VRMK": "",
    }
    if foreign:
        common |= {"CRR": _EUR_RATE, "FRRC": gross / 10, "FREC": gross}
    receipt = {**common, "MATC": "1", "DOC": number + 500000, "DCT": "OV", "UPTD": 10, "APTD": base}
    if foreign:
        receipt["FAPT"] = gross
    voucher = {**common, "MATC": "2", "DOC": number, "DCT": "PV", "SFX": "001", "VINV": f"INV-{number}"}
    return [receipt, voucher]
