"""Which vouchers bill which orders: by their match, else by the order they name (AIS reference, section 7).

A voucher that names an order without its type or company may be any of that number: then it counts for each of them,
since one bill too few is seen, and one too many is paid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.jdedwards import JDEdwardsAIS

__all__ = ["OrderVoucher", "orders_of", "vouchers_of"]

_MOST = 100
_WHOLE = "000"
_CREDIT = "PD"
_MATCHED = "2"
_NAMED = ("DOC", "DCT", "KCO", "PKCO", "PO", "PDCT", "SFXO")
_ITEMS = (*_NAMED, "SFX", "SFXE", "DCTA", "VOD", "RMK", "AG", "ACR", "CRRM")
_MATCHES = ("MATC", "DOCO", "DCTO", "KCOO", "SFXO", "DOC", "DCT", "KCO")
_ZERO = Decimal(0)
Row = Mapping[str, str]


@attrs.frozen
class OrderVoucher:
    """A voucher that bills an order: its key, the marks in its remarks, its pay items, its gross in its currency."""

    key: str
    marks: frozenset[str]
    items: tuple[str, ...]
    gross: Decimal


@attrs.frozen
class _Reference:
    """An order as a voucher names it; what is blank is not told."""

    number: str
    type: str
    company: str
    suffix: str

    @property
    def is_whole(self) -> bool:
        """It tells everything."""
        return all((self.type, self.company, self.suffix))

    def fits(self, key: str) -> bool:
        """Whether it can be this order."""
        company, kind, number, *suffix = key.split("/")
        parts = (company, kind, number, suffix[0] if suffix else _WHOLE)
        told = (self.company, self.type, self.number, self.suffix)
        return all(mine in ("", theirs) for mine, theirs in zip(told, parts, strict=True))

    def key(self, company: str) -> str:
        """Its key, with the voucher's company and the usual type where it does not tell them."""
        parts = [self.company or company, self.type or "OP", self.number]
        return "/".join([*parts, *([self.suffix] if self.suffix not in ("", _WHOLE) else [])])


def vouchers_of(jde: JDEdwardsAIS, orders: Sequence[str]) -> Mapping[str, Sequence[OrderVoucher]]:
    """The vouchers of these orders that are neither void nor reversed, by order; in three calls at most for a hundred.

    Credits are no debt of the order; a voucher that was paid by hand is one.

    Args:
        jde: Who is asked. ``orders``: keys.
    """
    numbers = sorted({int(key.split("/")[2]) for key in orders})
    billed: dict[str, set[_Reference]] = {}
    items: dict[str, list[Row]] = {}
    for start in range(0, len(numbers), _MOST):
        some = numbers[start : start + _MOST]
        forms = sorted({form for number in some for form in (str(number), f"{number:08}")})
        matches = _read(jde, "F43121", _MATCHES, [("MATC", "=", _MATCHED), ("DOCO", "in", some)])
        named = _read(jde, "F0411", _ITEMS, [("PO", "in", forms), ("DCT", "!=", _CREDIT)])
        for row in matches:
            billed.setdefault(_voucher(row), set()).add(_matched(row))
        for row in named:
            billed.setdefault(_voucher(row), set()).add(_named(row))
        _collect(items, named)
        others = sorted({int(row["DOC"]) for row in matches if _voucher(row) not in items})
        if others:
            _collect(items, _read(jde, "F0411", _ITEMS, [("DOC", "in", others), ("DCT", "!=", _CREDIT)]))
    live = {key: _live(key, items.get(key, ())) for key in billed}
    return {
        order: tuple(
            voucher
            for key, references in sorted(billed.items())
            if (voucher := live[key]) is not None and any(one.fits(order) for one in references)
        )
        for order in orders
    }


def orders_of(
    jde: JDEdwardsAIS, vouchers: Sequence[str], known: Callable[[], Iterable[str]]
) -> Mapping[str, tuple[str, ...]]:
    """The orders that these vouchers bill, by voucher, as far as they name any.

    Args:
        jde: Who is asked. ``vouchers``: keys.
        known: Asked for the keys of orders that a reference may mean which does not tell everything.
    """
    by_number: dict[str, list[str]] | None = None
    numbers = sorted({int(key.split("/")[2]) for key in vouchers})
    found: dict[str, dict[str, None]] = {key: {} for key in vouchers}
    for start in range(0, len(numbers), _MOST):
        where: list[tuple[str, str, Any]] = [("DOC", "in", numbers[start : start + _MOST])]
        rows = [(_matched(row), row) for row in _read(jde, "F43121", _MATCHES, [("MATC", "=", _MATCHED), *where])]
        rows += [(_named(row), row) for row in _read(jde, "F0411", _NAMED, where) if _named(row).number]
        for reference, row in rows:
            orders = found.get(_voucher(row))
            if orders is None:
                continue
            meant = []
            if not reference.is_whole:
                by_number = _by_number(known()) if by_number is None else by_number
                meant = [key for key in by_number.get(reference.number, ()) if reference.fits(key)]
            orders.update(dict.fromkeys(meant or [reference.key(row["KCO"])]))
    return {key: tuple(orders) for key, orders in found.items()}


def _by_number(keys: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key in keys:
        found.setdefault(key.split("/")[2], []).append(key)
    return found


def _read(
    jde: JDEdwardsAIS, table: str, columns: Sequence[str], where: Sequence[tuple[str, str, Any]]
) -> list[dict[str, str]]:
    return [
        {name: str(row[f"{table}_{name}"] if row[f"{table}_{name}"] is not None else "").strip() for name in columns}
        for row in jde.rows(table, columns=columns, where=where)
    ]


def _matched(row: Row) -> _Reference:
    return _Reference(row["DOCO"], row["DCTO"], row["KCOO"], row["SFXO"])


def _named(row: Row) -> _Reference:
    """What a person has entered, or procurement has filled: zero-filled or not (AIS reference, section 5)."""
    return _Reference(row["PO"].lstrip("0"), row["PDCT"], row["PKCO"], row["SFXO"])


def _voucher(row: Row) -> str:
    return f"{row['KCO']}/{row['DCT']}/{row['DOC']}"


def _collect(items: dict[str, list[Row]], rows: Iterable[Row]) -> None:
    for row in rows:
        items.setdefault(_voucher(row), []).append(row)


def _live(key: str, rows: Sequence[Row]) -> OrderVoucher | None:
    """The voucher, unless it is void; rows that adjust it are not of it (section 7)."""
    own = [row for row in rows if not row["DCTA"]]
    if not own or any(row["VOD"] for row in rows):
        return None
    gross = sum((Decimal(row["ACR" if row["CRRM"] == "F" else "AG"] or 0) for row in own), _ZERO)
    items = (f"{key}/{row['SFX']}" + (f"/{row['SFXE']}" if row["SFXE"] not in ("", "0") else "") for row in own)
    return OrderVoucher(key, frozenset(row["RMK"] for row in own), tuple(items), gross)
