"""What a document is about when it is counted: its day, its company, its parties and its amount."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from mlconnector.documents import Document, Invoice, JournalLine, Payment, PurchaseOrder

__all__ = ["amount_of", "company_of", "currency_of", "day_of", "is_void", "party_of", "references_of"]

_ZERO = Decimal(0)


def day_of(document: Document) -> dt.date | None:
    """The business day it counts for: the G/L date of an invoice, the date of others; ``None`` where it has none."""
    day: dt.date | None = getattr(document, "gl_date", None) or getattr(document, "date", None)
    return day


def is_void(document: Document) -> bool:
    """It was taken back: void, or a cancelled order."""
    return bool(getattr(document, "void", False)) or getattr(document, "status", "") == "cancelled"


def amount_of(document: Document) -> Decimal | None:
    """What it is worth in its currency; nothing once it was taken back, ``None`` where it has no amount."""
    if is_void(document):
        return _ZERO
    if isinstance(document, Invoice):
        return document.gross
    if isinstance(document, PurchaseOrder):
        return document.total
    if isinstance(document, Payment):
        return document.amount
    if isinstance(document, JournalLine):
        return (document.debit or _ZERO) - (document.credit or _ZERO)
    return None


def company_of(document: Document) -> str:
    """Its company; empty where it has none."""
    return str(getattr(document, "company", ""))


def currency_of(document: Document) -> str:
    """Its currency; empty where it has none, or none that is known."""
    return str(getattr(document, "currency", None) or "")


def party_of(document: Document) -> str:
    """Number of its supplier, else of its payee; empty where it has neither."""
    party = getattr(document, "supplier", None) or getattr(document, "payee", None)
    return "" if party is None else str(party.number)


def references_of(document: Document) -> Iterator[tuple[str, str]]:
    """Kind of link and code of everything it names that another system must know; each once.

    ``"charged"`` is an account with its cost centre, ``M30.6110``.
    """
    found: dict[tuple[str, str], None] = {}
    for role in ("supplier", "payee"):
        party = getattr(document, role, None)
        found["supplier", "" if party is None else party.number.strip()] = None
    lines: tuple[Any, ...] = getattr(document, "lines", ())
    for part in (document, *lines):
        codes = {kind: str(getattr(part, kind, "") or "").strip() for kind in ("account", "cost_center", "unit")}
        found.update(dict.fromkeys(codes.items()))
        account, center = codes["account"], codes["cost_center"]
        whole = "." in account or not center or not account
        found["charged", account if whole else f"{center}.{account}"] = None
    return (one for one in found if one[1])
