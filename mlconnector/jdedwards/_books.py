"""What is looked up before a write: open periods, accounts, suppliers, the amounts still open (rules B70, B71)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Literal

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.jdedwards._source import Source
from mlconnector.jdedwards._values import Cells

__all__ = ["AccountCode", "Books", "ClosedPeriod", "Posting", "closed_period_option", "open_amount"]

ClosedPeriod = Literal["park", "first_open"]
_PERIODS = 14


def closed_period_option(value: Any) -> ClosedPeriod:
    """``closed_period=`` of targets and flows.

    Raises:
        InvalidArgument: Another word.
    """
    if value not in ("park", "first_open"):
        raise InvalidArgument(f"closed_period={value!r}.", cure='Use "park" or "first_open".')
    found: ClosedPeriod = value
    return found


@attrs.frozen
class AccountCode:
    """An account as orchestrations take it: business unit, object, subsidiary."""

    unit: str
    object: str
    subsidiary: str = ""

    @classmethod
    def of(cls, text: str) -> AccountCode | None:
        """From ``"101.4110"`` or ``"101.4110.20"``; hyphens instead of points where there is no point."""
        separator = "." if "." in text else "-"
        parts = [part.strip() for part in text.split(separator)]
        if len(parts) not in (2, 3) or not all(parts):
            return None
        return cls(*parts)

    def __str__(self) -> str:
        return ".".join(part for part in (self.unit, self.object, self.subsidiary) if part)


@attrs.frozen
class Posting:
    """A G/L date as it will be written, and how it came about."""

    date: dt.date
    asked: dt.date
    note: str = ""


class Books:
    """Small reads before a write, kept for one call of ``prepare``: after a refusal everything is read anew."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def posting(
        self, company: str, asked: dt.date, closed: ClosedPeriod, faults: list[str], *, journals: bool = False
    ) -> Posting:
        """The G/L date, in an open period of that company (section 7, F0010 and F0008).

        Open are the current and the next period, of Payables or, for journals, of General Accounting. An earlier date
        is a fault, or moves to the first open day where ``closed`` says so; a later one always is a fault.
        """
        window = self._open_days(company, journals=journals)
        if window is None:
            faults.append(f"the open periods of company {company} cannot be read (F0010, F0008)")
            return Posting(asked, asked)
        first, last = window
        if asked < first and closed == "first_open":
            return Posting(first, asked, f"G/L date {asked} is in a closed period; posted on {first}.")
        if not first <= asked <= last:
            faults.append(f"G/L date {asked} is outside the open periods of company {company}: {first} to {last}")
        return Posting(asked, asked)

    def _open_days(self, company: str, *, journals: bool) -> tuple[dt.date, dt.date] | None:
        row = next(iter(self._source.listed("F0010", "CO", [company])), None)
        if row is None:
            return None
        cells = Cells("F0010", row, [])
        pattern, begin = cells.text("DTPN"), cells.date("DFYJ" if journals else "APFJ")
        period = cells.number("PNC" if journals else "APPN")
        if not pattern or begin is None or period is None or not 1 <= int(period) <= _PERIODS:
            return None
        years = list(self._source.listed("F0008", "DTPN", [pattern]))
        ends = _ends(years, begin)
        if not ends:
            return None
        current = int(period)
        first = begin if current == 1 else ends[min(current, len(ends)) - 2] + dt.timedelta(days=1)
        if current < len(ends):
            return first, ends[current]
        following = _ends(years, ends[-1] + dt.timedelta(days=1))
        return first, following[0] if following else ends[-1]

    def accounts(self, codes: Iterable[AccountCode], faults: list[str]) -> None:
        """Every account exists and takes postings (F0901, ``PEC``)."""
        wanted = dict.fromkeys(codes)
        if not wanted:
            return
        rows: dict[tuple[str, str, str], str] = {}
        units = sorted({code.unit for code in wanted})
        forms = [*units, *(unit.rjust(12) for unit in units)]
        for row in self._source.listed("F0901", "OBJ", {code.object for code in wanted}, [("MCU", "in", forms)]):
            cells = Cells("F0901", row, [])
            rows[cells.text("MCU"), cells.text("OBJ"), cells.text("SUB")] = cells.text("PEC")
        for code in wanted:
            edit = rows.get((code.unit, code.object, code.subsidiary))
            if edit is None:
                faults.append(f"account {code} is not in F0901")
            elif edit:
                faults.append(f"account {code} takes no postings (posting edit code {edit})")

    def supplier(self, number: str, faults: list[str]) -> None:
        """The supplier exists and is not on hold (F0401)."""
        row = next(iter(self._source.listed("F0401", "AN8", [int(number)])), None)
        if row is None:
            faults.append(f"supplier {number} is not in F0401")
            return
        cells = Cells("F0401", row, [])
        hold = cells.text("HOLD") or ("payment hold" if cells.text("HDPY") == "Y" else "")
        if hold:
            faults.append(f"supplier {number} is on hold ({hold})")

    def vouchers(self, supplier: int, number: str, mark: str = "") -> list[Cells]:
        """Pay items of this supplier's invoice number, voided ones too; compared without blanks (delivery rule 6).

        Where there is none, those that carry the mark: a site may write the number another way, or leave it out.
        """
        where = [("AN8", "=", supplier)]
        rows = self._source.listed("F0411", "VINV", [number], where)
        found = [cells for row in rows if (cells := Cells("F0411", row, [])).text("VINV") == number.strip()]
        return found or (self.marked(supplier, mark) if mark else [])

    def marked(self, supplier: int, mark: str) -> list[Cells]:
        """Pay items of this supplier that carry a mark (rule B1), without the rows that adjust them."""
        rows = self._source.listed("F0411", "RMK", [mark], [("AN8", "=", supplier)])
        cells = [Cells("F0411", row, []) for row in rows]
        return [one for one in cells if one.text("RMK") == mark and not one.text("DCTA")]

    def pay_items(self, company: str, kind: str, number: int) -> list[Cells]:
        """Pay items of a voucher."""
        where = [("DCT", "=", kind), ("KCO", "=", company)]
        return [Cells("F0411", row, []) for row in self._source.listed("F0411", "DOC", [number], where)]

    def pay_item(self, company: str, kind: str, number: int, item: str, extension: str) -> Cells | None:
        """One pay item; its extension tells it from the others of its number, the rows that adjust it do not count."""
        for row in self.pay_items(company, kind, number):
            same = (row.text("SFX"), row.number("SFXE") or Decimal(0)) == (item, Decimal(extension or 0))
            if same and not row.text("DCTA"):
                return row
        return None

    def matches(self, company: str, kind: str, number: int) -> list[Cells]:
        """What a voucher was matched with (F43121, ``MATC`` 2)."""
        where = [("MATC", "=", "2"), ("DCT", "=", kind), ("KCO", "=", company)]
        return [Cells("F43121", row, []) for row in self._source.listed("F43121", "DOC", [number], where)]

    def receipts(self, orders: Sequence[int]) -> list[Cells]:
        """Receipts that are not vouchered yet (F43121, ``MATC`` 1)."""
        where = [("MATC", "=", "1")]
        return [Cells("F43121", row, []) for row in self._source.listed("F43121", "DOCO", orders, where)]

    def paid_by(self, suppliers: Iterable[int], reference: str) -> list[Cells]:
        """Payment details of these suppliers that carry our reference (F0414)."""
        rows = self._source.listed("F0414", "AN8", suppliers, [("RMK", "=", reference)])
        return [cells for row in rows if (cells := Cells("F0414", row, [])).text("RMK") == reference]

    def payment_details(self, payment: int) -> list[Cells]:
        """Details of a payment (F0414)."""
        return [Cells("F0414", row, []) for row in self._source.listed("F0414", "PYID", [payment])]

    def payment(self, payment: int) -> Cells | None:
        """Header of a payment (F0413)."""
        row = next(iter(self._source.listed("F0413", "PYID", [payment])), None)
        return None if row is None else Cells("F0413", row, [])

    def journal(self, reference: str) -> list[Cells]:
        """Lines of journals that carry our reference (F0911), a foreign one in its own currency (section 7)."""
        where = [("DCT", "=", "JE"), ("LT", "in", ["AA", "CA"])]
        rows = [Cells("F0911", row, []) for row in self._source.listed("F0911", "R1", [reference], where)]
        return [row for row in rows if row.text("LT") == "CA"] or rows

    def references_are_kept(self, begin: str) -> bool:
        """An earlier payment of ours shows that the site's orchestration fills F0414.RMK; a void has its own remark."""
        where = [("RMK", "startswith", begin), ("DCTM", "=", "PN")]
        return bool(self._source.service.page("F0414", ("RMK",), where, size=1).rows)


def _ends(years: Sequence[dict[str, Any]], begin: dt.date) -> list[dt.date]:
    """Last days of the periods of the year that begins on a day; a pattern repeats the last one where it has fewer."""
    for row in years:
        cells = Cells("F0008", row, [])
        if cells.date("DFYJ") == begin:
            ends = [cells.date(f"D{number:02}J") for number in range(1, _PERIODS + 1)]
            return sorted({day for day in ends if day is not None})
    return []


def open_amount(cells: Cells) -> Decimal:
    """What is open of a pay item, in the voucher's own currency."""
    return cells.number("FAP" if cells.text("CRRM") == "F" else "AAP") or Decimal(0)
