"""Fictional master data in JD Edwards rows: suppliers, accounts, cost centres, fiscal calendar."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from mlconnector.errors import InvalidArgument

__all__ = [
    "BRANCH",
    "COMPANY",
    "SHIP_TO",
    "Tables",
    "accounts",
    "fiscal_calendar",
    "merge",
    "sites",
    "suppliers",
    "terms",
]

Tables = dict[str, list[dict[str, Any]]]
"""Table name to rows, as ``JDEdwardsSimulator.add`` takes them."""

COMPANY = "00001"
BRANCH = "M30"
SHIP_TO = 6001
"""Address number of the buyer's receiving dock."""

_FIRST = ("Northwind", "Harbor", "Granite", "Lakeside", "Summit", "Prairie", "Redwood", "Copper", "Willow", "Anchor")
_SECOND = ("Fasteners", "Plastics", "Bearings", "Coatings", "Tooling", "Electric", "Packaging", "Castings")
_NON_ASCII = ("Müller & Söhne", "Łódź Metalowa", "Ångström Mekanik", "Señal Ibérica", "東京部品")
_CITIES = (("Denver", "CO", "80202"), ("Toledo", "OH", "43604"), ("Tacoma", "WA", "98402"), ("Macon", "GA", "31201"))
_OBJECTS = (("6110", "Raw material"), ("6120", "Spare parts"), ("6310", "Services"), ("6420", "Freight in"))


def merge(*parts: Tables) -> Tables:
    """Several sets of rows as one; the rows of a table follow one another."""
    merged: Tables = {}
    for part in parts:
        for table, rows in part.items():
            merged.setdefault(table, []).extend(rows)
    return merged


def suppliers(
    count: int,
    *,
    first: int = 4343,
    seed: int = 1,
    non_ascii: Iterable[int] = (),
    on_hold: Iterable[int] = (),
    currency: str = "USD",
) -> Tables:
    """Suppliers with name, mailing name, address, e-mail and terms.

    Args:
        count: How many.
        first: Address number (``AN8``) of the first; the others follow.
        seed: Of the choice of names and places.
        non_ascii: Address numbers whose name is not ASCII.
        on_hold: Address numbers with a payment hold.
        currency: Of every supplier.

    Raises:
        InvalidArgument: ``count`` is negative.
    """
    if count < 0:
        raise InvalidArgument(f"count must not be negative, it is {count!r}.")
    chance = random.Random(seed)  # noqa: S311 - reproducible data
    foreign_names, held = set(non_ascii), set(on_hold)
    tables: Tables = {"F0401": [], "F0101": [], "F0111": [], "F0116": [], "F01151": []}
    for number in range(first, first + count):
        name = f"{chance.choice(_FIRST)} {chance.choice(_SECOND)} {number}"
        city, state, zip_code = chance.choice(_CITIES)
        street = f"{chance.randrange(1, 999)} Example Street"
        if number in foreign_names:
            name = f"{_NON_ASCII[number % len(_NON_ASCII)]} {number}"
        terms = chance.choice(("030", "N60", "D10"))
        hold = "Y" if number in held else "N"
        tables["F0401"].append({"AN8": number, "APC": "TRAD", "CRRP": currency, "TRAP": terms, "HDPY": hold})
        tables["F0101"].append({"AN8": number, "ALPH": name[:40], "AT1": "V", "TAX": f"99-{number:07}", "MCU": "1"})
        tables["F0111"].append({"AN8": number, "MLNM": name[:40]})
        address = {"ADD1": street, "CTY1": city, "ADDS": state, "ADDZ": zip_code, "CTR": "US"}
        tables["F0116"].append({"AN8": number, "EFTB": dt.date(2020, 1, 1), **address})
        tables["F01151"].append({"AN8": number, "ETP": "E", "EMAL": f"orders{number}@supplier.example"})
    return tables


def sites() -> Tables:
    """The buyer's company, branch and receiving dock."""
    dock = {"ADD1": "1 Dock Road", "CTY1": "Boulder", "ADDS": "CO", "ADDZ": "80301", "CTR": "US"}
    return {
        "F0006": [{"MCU": BRANCH, "STYL": "BP", "CO": COMPANY, "DL01": "Boulder plant"}],
        "F0010": [{"CO": COMPANY, "NAME": "Fictional Manufacturing Inc", "CRCD": "USD", "DTPN": "R", "NNP": 12}],
        "F0101": [
            {"AN8": 1, "ALPH": "Fictional Manufacturing Inc", "AT1": "C", "MCU": "1"},
            {"AN8": SHIP_TO, "ALPH": "Boulder plant", "AT1": "C", "MCU": BRANCH},
        ],
        "F0111": [{"AN8": 1, "MLNM": "Fictional Manufacturing Inc"}, {"AN8": SHIP_TO, "MLNM": "Boulder plant dock 4"}],
        "F0116": [{"AN8": number, "EFTB": dt.date(2020, 1, 1), **dock} for number in (1, SHIP_TO)],
    }


def accounts(*, company: str = COMPANY) -> Tables:
    """A small chart: four accounts in one cost centre, and one that may not be posted to (``PEC`` ``N``)."""
    rows = [
        {"AID": f"{index:08}", "MCU": BRANCH, "OBJ": number, "CO": company, "DL01": text, "LDA": "6", "CRCD": ""}
        for index, (number, text) in enumerate(_OBJECTS, start=1)
    ]
    heading = {"AID": "00000009", "MCU": BRANCH, "OBJ": "6000", "CO": company, "DL01": "Expenses", "PEC": "N"}
    return {
        "F0901": [*rows, heading],
        "F0006": [{"MCU": BRANCH, "STYL": "BP", "CO": company, "DL01": "Boulder plant"}],
    }


def terms() -> Tables:
    """The payment terms that the built suppliers have: net 30, net 60, net 30 with 2 % for 10 days."""
    return {
        "F0014": [
            {"PTC": "030", "PTD": "Net 30 days", "NDTP": 30},
            {"PTC": "N60", "PTD": "Net 60 days", "NDTP": 60},
            {"PTC": "D10", "PTD": "2/10 Net 30", "DCP": Decimal("0.02"), "DCD": 10, "NDTP": 30},
        ]
    }


def fiscal_calendar(year: int, *, period: int, company: str = COMPANY) -> Tables:
    """A calendar year as fiscal pattern ``R`` (F0008), and the company's current periods in it (F0010).

    Orders and vouchers bring a row of the company without periods: add the calendar after them.

    Args:
        year: The calendar year.
        period: Current period of General Accounting and of Payables, 1 to 12.
        company: The company, 5 characters.

    Raises:
        InvalidArgument: A period outside 1 to 12.
    """
    if not 1 <= period <= 12:
        raise InvalidArgument(f"period must be 1 to 12, not {period!r}.")
    first = dt.date(year, 1, 1)
    ends = [dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1) for month in range(1, 13)]
    ends += [ends[-1]] * 2
    pattern = {"DTPN": "R", "DFYJ": first, "FY": year % 100, "CTRY": year // 100}
    constants = {"CO": company, "NAME": "Fictional Manufacturing Inc", "CRCD": "USD", "DTPN": "R", "NNP": 12}
    return {
        "F0008": [{**pattern, **{f"D{number:02}J": end for number, end in enumerate(ends, start=1)}}],
        "F0010": [{**constants, "DFYJ": first, "PNC": period, "APFJ": first, "APPN": period}],
    }
