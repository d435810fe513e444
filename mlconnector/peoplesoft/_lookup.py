"""Looking for a voucher: by supplier and the supplier's number, in AP and in staging (rule B4; delivery targets)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from mlconnector.documents import Invoice
from mlconnector.errors import TargetChanged
from mlconnector.peoplesoft._source import LATEST, Source
from mlconnector.peoplesoft._values import Cells, Row
from mlconnector.target import Receipt

__all__ = ["Hit", "VoucherLookUp", "judge"]

_ROWS = 500
_REFERENCE = "A.DESCR254_MIXED"
_RECYCLE = "R"
_CURE = "The accountant looks at the voucher in PeopleSoft, then settles the delivery."


@attrs.frozen
class Hit:
    """A voucher, or a row in staging that is to become one."""

    row: Row
    staged: bool


@attrs.frozen
class VoucherLookUp:
    """Finds every voucher of a supplier with the supplier's invoice number, whatever its status.

    Args:
        source: Asks. ``look_back``: how long before the invoice's date its voucher may have been entered, where the
            site has no query by invoice number (``voucher_lookup``) and vouchers are walked by date instead.
    """

    source: Source
    look_back: dt.timedelta

    def hits(self, invoice: Invoice, setid: str) -> list[Hit]:
        """What is there; keys are compared here, trimmed and whatever their case."""
        supplier = "" if invoice.supplier is None else invoice.supplier.number
        number = invoice.supplier_invoice_number.strip()
        values = {"SETID": setid, "VENDOR": supplier, "INVOICE": number}
        layouts = self.source.layouts
        found: list[Hit] = []
        if "staged_vouchers" in layouts:
            found += [Hit(row, True) for row in self.source.ask("staged_vouchers", values, _ROWS).rows]
        if "voucher_lookup" in layouts:
            found += [Hit(row, False) for row in self.source.ask("voucher_lookup", values, _ROWS).rows]
        else:
            found += [Hit(row, False) for row in self._walked(invoice)]
        return [hit for hit in found if _names(hit.row, setid) == (supplier, number.upper())]

    def _walked(self, invoice: Invoice) -> Iterator[Row]:
        first = (invoice.date or self.source.today()) - self.look_back
        for unit in dict.fromkeys([invoice.company, *self.source.units]):
            ask = self.source.asking("invoices", {"BU": unit, "FROM_DT": first.isoformat(), "TO_DT": LATEST})
            for asked, _last in self.source.pages("invoices", ask).walk(""):
                yield from asked.rows


def _names(row: Row, setid: str) -> tuple[str, str] | None:
    cells = Cells(row, [])
    if cells.text("A.VENDOR_SETID") not in ("", setid):
        return None
    return cells.text("A.VENDOR_ID"), cells.text("A.INVOICE_ID").upper()


def judge(hits: Sequence[Hit], invoice: Invoice, reference: str, *, sent: bool) -> Receipt | None:
    """What the hits mean; ``None``: not there.

    Args:
        hits: Of the same supplier and number. ``reference``: our mark. ``sent``: ours has been on its way.

    Raises:
        TargetChanged: Not ours, other content, deleted, or several (rule B40: never counted as done).
    """
    built, staged = ([hit for hit in hits if hit.staged is where] for where in (False, True))
    if len(built) > 1 or len(staged) > 1:
        raise TargetChanged(
            f"{max(len(built), len(staged))} vouchers of this supplier have number {invoice.supplier_invoice_number}.",
            cause="several",
            cure=_CURE,
        )
    hit = next(iter([*built, *staged]), None)
    if hit is None:
        return None
    cells = Cells(hit.row, [])
    name = "/".join(cells.text(f"A.{part}") for part in ("BUSINESS_UNIT", "VOUCHER_ID"))
    known = cells.text(_REFERENCE)
    ours = known == reference or (sent and not known)
    if not ours:
        raise TargetChanged(
            f"Voucher {name} has this supplier and number already, and is not ours.", cause="not ours", cure=_CURE
        )
    different = _differences(cells, invoice)
    status = cells.text("A.ENTRY_STATUS")
    if status == "X":
        different.append("it was deleted")
    if different:
        raise TargetChanged(
            f"Voucher {name} is not what was sent.", faults=tuple(different), cause="other content", cure=_CURE
        )
    facts: dict[str, Any] = {"staged": hit.staged, "entry_status": status}
    if status == _RECYCLE:
        facts["attention"] = "Voucher Build has set it to Recycle; the accountant corrects it (rule B4)"
    return Receipt(
        system="peoplesoft",
        id=None if hit.staged else name,
        existing=True,
        pending=hit.staged,
        raw=facts,
        by="marker" if known == reference else "content",
    )


def _differences(cells: Cells, invoice: Invoice) -> list[str]:
    """Where the voucher is not the invoice: amount, currency, date; blanks say nothing."""
    amount, gross = cells.number("A.GROSS_AMT"), invoice.gross
    if gross is not None and invoice.kind == "credit":
        gross = -abs(gross)
    found = [f"its amount is {amount}, not {gross}"] if amount != gross else []
    currency, date = cells.text("A.TXN_CURRENCY_CD"), cells.date("A.INVOICE_DT")
    if currency not in ("", invoice.currency):
        found.append(f"its currency is {currency}, not {invoice.currency}")
    if date not in (None, invoice.date):
        found.append(f"its date is {date}, not {invoice.date}")
    return found
