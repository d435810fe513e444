"""Pay items as documents of their own: what is to be paid of a voucher, and by when (rules B61, B23)."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.documents import Invoice, InvoiceLine, PayItem, Provenance, smallest_unit
from mlconnector.jdedwards import JDEdwardsAIS
from mlconnector.records import Batch, Reader, Window

__all__ = ["PayItemsReader", "pay_items_of", "payments_of", "voucher_of"]

_ZERO = Decimal(0)
_FIRST = "001"
_MOST = 200
_PAID = ("PYID", "KCO", "DCT", "DOC", "SFX", "SFXE", "DCTM", "PAAP", "PFAP", "RMK")
_VOID = "PO"
_OF_ITEM = "pay item "

Payments = Mapping[str, Mapping[str, Any]]
"""By pay item, then by payment id: amount and reference."""


def voucher_of(key: str) -> str:
    """The voucher a pay item belongs to."""
    return "/".join(key.split("/")[:3])


@attrs.frozen
class PayItemsReader:
    """A reader of vouchers, handing out their pay items one by one.

    Args:
        vouchers: Reads whole vouchers.
        wanted: Says for a pay item of a voucher what keeps it from going; empty where nothing does.
        payments: Reads what has paid these vouchers, by pay item; asked where less than the gross amount is open, and
            kept in ``extras["payments"]``.
    """

    vouchers: Reader[Invoice]
    wanted: Callable[[Invoice, PayItem], Sequence[str]]
    payments: Callable[[Sequence[str]], Payments] | None = None

    @property
    def system(self) -> str:
        """The vouchers' system."""
        return self.vouchers.system

    @property
    def kind(self) -> str:
        """The vouchers' kind."""
        return self.vouchers.kind

    @property
    def filters(self) -> Mapping[str, Any]:
        """Those of the vouchers, as pay items."""
        return {**self.vouchers.filters, "pay_items": True}

    @property
    def overlap(self) -> dt.timedelta:
        """That of the vouchers."""
        return self.vouchers.overlap

    @property
    def resumable(self) -> bool:
        """As the vouchers are."""
        return self.vouchers.resumable

    def read(self, window: Window) -> Iterator[Batch[Invoice]]:
        """The vouchers' batches, each document as its pay items."""
        keys = None if window.keys is None else tuple(dict.fromkeys(map(voucher_of, window.keys)))
        asked = None if window.keys is None else frozenset(window.keys)
        settled = functools.partial(_settled, window.settled)
        for batch in self.vouchers.read(attrs.evolve(window, keys=keys, settled=settled)):
            made = batch.mapped()
            yield attrs.evolve(
                batch,
                skipped={f"{key}/{_FIRST}": value for key, value in batch.skipped.items()},
                signatures={f"{key}/{_FIRST}": value for key, value in batch.signatures.items()},
                documents=self._items(made.documents, asked),
                rejected=made.rejected,
                mapping=None,
            )

    def _items(self, vouchers: Sequence[Invoice], asked: frozenset[str] | None) -> list[Invoice]:
        items = [item for voucher in vouchers for item in pay_items_of(voucher, self.wanted)]
        items = [item for item in items if asked is None or item.key in asked]
        paid = [voucher_of(item.key) for item in items if item.open != item.gross]
        payments = {} if self.payments is None or not paid else self.payments(paid)
        return [
            attrs.evolve(item, extras={**item.extras, "payments": dict(payments[item.key])})
            if item.key in payments
            else item
            for item in items
        ]


def _settled(settled: Callable[[str, str], bool], key: str, signature: str) -> bool:
    """A voucher's signature is remembered with its first pay item."""
    return settled(f"{key}/{_FIRST}", signature)


def payments_of(jde: JDEdwardsAIS, vouchers: Sequence[str]) -> Payments:
    """What has paid these vouchers (F0414): by pay item and payment, in the voucher's currency, and its reference.

    Amounts are magnitudes, since the sign of a payment is not documented; what a void took back is taken off.
    """
    numbers = sorted({int(key.split("/")[2]) for key in vouchers})
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(numbers), _MOST):
        where = [("DOC", "in", numbers[start : start + _MOST])]
        for row in jde.rows("F0414", columns=_PAID, where=where):
            cells = {name: str(row[f"F0414_{name}"] or "").strip() for name in _PAID}
            extension = [cells["SFXE"]] if cells["SFXE"] not in ("", "0") else []
            key = "/".join([cells["KCO"], cells["DCT"], cells["DOC"], cells["SFX"], *extension])
            paid = found.setdefault(key, {}).setdefault(cells["PYID"], {"reference": "", "amount": _ZERO})
            amount = abs(Decimal(cells["PFAP"] or 0) or Decimal(cells["PAAP"] or 0))
            paid["amount"] += -amount if cells["DCTM"] == _VOID else amount
            paid["reference"] = paid["reference"] or cells["RMK"]
    return found


def pay_items_of(voucher: Invoice, wanted: Callable[[Invoice, PayItem], Sequence[str]]) -> Iterator[Invoice]:
    """One invoice for each pay item: its open amount, its due date, and its share of the lines.

    The lines share what is open in proportion; the last one takes the cent (rule B23). Tax that is inside the gross is
    shared with them.
    """
    for item in voucher.pay_items:
        extension = "" if item.extension in ("", "0") else f"/{item.extension}"
        key = f"{voucher.key}/{item.number}{extension}"
        origin = voucher.provenance
        left = item.open or _ZERO
        yield attrs.evolve(
            voucher,
            number=voucher.number if len(voucher.pay_items) == 1 else f"{voucher.number}-{item.number}",
            due_date=item.due_date,
            gross=item.gross,
            open=left,
            tax=None,
            discount=item.discount,
            lines=tuple(_shared(voucher.lines, left, smallest_unit(voucher.currency))),
            pay_items=(item,),
            pay_status=item.pay_status,
            waiting_for=()
            if voucher.void
            else tuple(dict.fromkeys([*_reasons(voucher, item), *wanted(voucher, item)])),
            provenance=Provenance(
                system="jdedwards" if origin is None else origin.system,
                kind="invoices",
                key=key,
                updated_at=None if origin is None else origin.updated_at,
            ),
        )


def _reasons(voucher: Invoice, item: PayItem) -> Iterator[str]:
    """Why this one waits: what keeps another pay item of the voucher does not keep it."""
    for reason in voucher.waiting_for:
        if not reason.startswith(_OF_ITEM) or reason.startswith(f"{_OF_ITEM}{item.number} "):
            yield reason


def _shared(lines: Sequence[InvoiceLine], total: Decimal, unit: Decimal) -> Iterator[InvoiceLine]:
    costs = [line for line in lines if line.kind not in ("text", "tax") and line.amount]
    base = sum((line.amount or _ZERO for line in costs), _ZERO)
    left = total
    for index, line in enumerate(costs, start=1):
        amount = left if index == len(costs) or not base else ((line.amount or _ZERO) * total / base).quantize(unit)
        left -= amount
        yield attrs.evolve(line, amount=amount, quantity=None, unit_price=None, kind="amount", tax=None)
