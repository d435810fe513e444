"""What stands in JD Edwards' Payables: vouchers and payments, by the mark they carry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.torture.sites._common import Arrived

__all__ = ["payments_in_books", "vouchers_in_books"]

Tables = Mapping[str, Sequence[Mapping[str, Any]]]
_VOUCHER = ("KCO", "DCT", "DOC")


def _key(row: Mapping[str, Any]) -> str:
    return "/".join(str(row[alias]) for alias in _VOUCHER)


def vouchers_in_books(books: Tables, mark: str, own: Container[int]) -> dict[tuple[str, str], Arrived]:
    """By what their mark names: supplier's number, supplier, gross and whether it is matched; one that is void is
    there only as a double of another.

    Args:
        books: JD Edwards' tables. ``mark``: how the marks begin. ``own``: numbers of vouchers that were born there.
    """
    matched = {_key(row) for row in books.get("F43121", ()) if row["MATC"] == "2"}
    by_voucher: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in books["F0411"]:
        if row["DOC"] not in own and not row["DCTA"]:
            by_voucher[_key(row)].append(row)
    by_mark: dict[str, list[str]] = defaultdict(list)
    for key, rows in by_voucher.items():
        by_mark[rows[0]["RMK"]].append(key)
    found = {}
    for name, keys in by_mark.items():
        living = [key for key in keys if not any(row["VOD"] for row in by_voucher[key])]
        if not living:
            continue
        rows = by_voucher[living[0]]
        gross = sum((row["AG"] for row in rows), Decimal(0))
        content = (rows[0]["VINV"], str(rows[0]["AN8"]), gross, living[0] in matched)
        doubles = [f"voucher {key} too" for key in keys if key != living[0]]
        found["vouchers", name.removeprefix(mark)] = Arrived(content, doubles)
    return found


def payments_in_books(books: Tables, mark: str) -> dict[tuple[str, str], Arrived]:
    """By what their reference names: what was paid, by the mark of the voucher, or by its pay item where it has none;
    nothing of one that is void.
    """
    marks = {_key(row): row["RMK"].removeprefix(mark) for row in books["F0411"] if row["RMK"].startswith(mark)}
    parts: dict[int, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    names: dict[int, str] = {}
    for row in books.get("F0414", ()):
        if row["DCTM"] == "PN":
            parts[row["PYID"]][marks.get(_key(row), f"{_key(row)}/{row['SFX']}")] += row["PAAP"]
            names[row["PYID"]] = row["RMK"].removeprefix(mark) or f"without a reference: {row['PYID']}"
    found: dict[tuple[str, str], Arrived] = {}
    for row in books.get("F0413", ()):
        key = ("payments", names[row["PYID"]])
        content = {} if row["VDGJ"] else dict(parts[row["PYID"]])
        if key in found:
            found[key].doubles.append(f"payment {row['PYID']} too")
        else:
            found[key] = Arrived(content)
    return found
