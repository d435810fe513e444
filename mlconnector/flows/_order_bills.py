"""Orders as bills: what BILL is told of an approved order, and for how long (rules B61 to B63).

An order is no liability and has neither an invoice nor a due date (BILL reference, section 12): what is made of it is
said here, and what cannot be told of it parks. Once a voucher of the order is in JD Edwards the voucher is what is
owed, and the order drives its bill no more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import attrs

from mlconnector.check import CheckStep
from mlconnector.delivery import Delivery, Excluded, Ledger
from mlconnector.documents import Invoice, InvoiceLine, OrderLine, PurchaseOrder, smallest_unit
from mlconnector.errors import DocumentError, InvalidDocument, MLConnectorError
from mlconnector.flows._around import Around
from mlconnector.flows._hand_over import HandOver, PaymentInstrument
from mlconnector.flows._ordered import vouchers_of
from mlconnector.jdedwards import JDEdwardsAIS
from mlconnector.records import Batch, Reader, Window
from mlconnector.target import Change, Prepared, Receipt, Target

__all__ = [
    "OUR_MARK",
    "OrderBills",
    "OrderBook",
    "OrdersReader",
    "bill_of",
    "check_orders",
    "due_amount",
    "order_key_of",
]

_ZERO = Decimal(0)
OUR_MARK = "JDEDWARDS:"
"""Begins the mark of a bill that was made here (rule B1)."""
_VOUCHERS = ("PV", "PD")
_UNDECIDED = ("sending", "in doubt", "unknown")
_SUPPLIER = ("AN8", "PYIN", "HDPY", "HOLD")
_WITHDRAWN, _NET_DAYS, _VOUCHERED = "withdrawn", "net_days", "vouchers"


def order_key_of(mark: str) -> str | None:
    """The order that a bill's mark names, ``JDEDWARDS:00001/OP/50001``; ``None`` where it names a pay item, or none."""
    if not mark.upper().startswith(OUR_MARK):
        return None
    key = mark[len(OUR_MARK) :]
    parts = key.split("/")
    return key if len(parts) in (3, 4) and parts[1] not in _VOUCHERS else None


def bill_of(order: PurchaseOrder) -> Invoice:
    """The order as the invoice that BILL is told: one line for each line that costs something, text lines left out.

    A line is worth what was ordered, a cancelled or closed one what was received of it (rule B11); receipts change
    nothing of an open one. It is due when the last line is promised, else asked for, plus the net days of its terms.
    """
    unit = smallest_unit(order.currency)
    lines = tuple(_billed(line, unit) for line in order.lines if line.kind != "text")
    total = sum((line.amount or _ZERO for line in lines), _ZERO)
    return Invoice(
        number=order.number,
        type=order.type,
        date=order.date,
        due_date=_due_date(order),
        supplier=order.supplier,
        company=order.company,
        currency=order.currency,
        gross=total,
        open=total,
        terms=order.terms,
        lines=lines,
        purchase_order=order.number,
        void=bool(order.extras.get(_WITHDRAWN)) or (order.status == "cancelled" and not total),
        provenance=order.provenance,
    )


def due_amount(order: PurchaseOrder) -> Decimal | None:
    """What its bill is over; nothing once it is taken back."""
    bill = bill_of(order)
    return _ZERO if bill.void else bill.gross


def _billed(line: OrderLine, smallest: Decimal) -> InvoiceLine:
    unit, account = _account(line)
    quantity = _quantity(line)
    amount = line.amount
    if quantity is not None and amount is not None and line.quantity and quantity != line.quantity:
        amount = (amount * quantity / line.quantity).quantize(smallest, ROUND_HALF_UP)
    elif quantity is None and line.status == "cancelled":
        amount = _ZERO
    return InvoiceLine(
        number=line.number,
        kind="amount" if quantity is None else "item",
        description=line.description,
        quantity=quantity,
        amount=amount,
        account=account,
        cost_center=line.cost_center or unit,
        order_line=line.number,
    )


def _quantity(line: OrderLine) -> Decimal | None:
    """What is billed of it, in order units; ``None`` for a line by amount."""
    if not line.quantity:
        return None
    return line.quantity if line.status == "open" else min(line.received_quantity or _ZERO, line.quantity)


def _account(line: OrderLine) -> tuple[str, str]:
    """Business unit and object of ``M30.6110`` or ``M30.6110.20``; an account in another form stays whole."""
    parts = [part.strip() for part in line.account.split("." if "." in line.account else "-")]
    return (parts[0], parts[1]) if len(parts) in (2, 3) and all(parts) else ("", line.account.strip())


def _due_date(order: PurchaseOrder) -> dt.date | None:
    days = [line.promised_date or line.requested_date for line in order.lines if line.kind != "text"]
    last = max(filter(None, days), default=order.date)
    net = order.extras.get(_NET_DAYS)
    if last is None or (order.terms and net is None):
        return None
    return last + dt.timedelta(days=int(net or 0))


def _faults(order: PurchaseOrder) -> list[str]:
    """What an order does not tell, or what a bill cannot say; the invoice's own faults come beside them."""
    found = []
    if order.terms and order.extras.get(_NET_DAYS) is None:
        found.append(f"terms {order.terms} have no net days (F0014): when it is due is not known")
    for line in order.lines:
        if line.kind == "text":
            continue
        if line.tax:
            found.append(f"line {line.number} is taxable ({line.tax}): an order does not tell the tax")
        if (line.amount or _ZERO) < 0:
            found.append(f"line {line.number} is below 0: an order for a credit is not sent")
    return found


@attrs.frozen
class OrdersReader:
    """A reader of orders, with what they do not tell themselves: the net days of their terms, their vouchers.

    Args:
        orders: Reads whole orders. ``jde``: asked for the rest, once a page.
        hand_over: Where it goes by payment instrument, an order waits unless its supplier has it (F0401.PYIN): the
            voucher takes it from there (rule B60). It also waits while its supplier is on hold.
    """

    orders: Reader[PurchaseOrder]
    jde: JDEdwardsAIS
    hand_over: HandOver

    @property
    def system(self) -> str:
        """The orders' system."""
        return self.orders.system

    @property
    def kind(self) -> str:
        """The orders' kind."""
        return self.orders.kind

    @property
    def filters(self) -> Mapping[str, Any]:
        """Those of the orders, as bills."""
        return {**self.orders.filters, "bills": True}

    @property
    def overlap(self) -> dt.timedelta:
        """That of the orders."""
        return self.orders.overlap

    @property
    def resumable(self) -> bool:
        """As the orders are."""
        return self.orders.resumable

    def read(self, window: Window) -> Iterator[Batch[PurchaseOrder]]:
        """The orders' batches."""
        for batch in self.orders.read(window):
            made = batch.mapped()
            yield attrs.evolve(made, documents=self._told(made.documents))

    def _told(self, orders: Sequence[PurchaseOrder]) -> list[PurchaseOrder]:
        if not orders:
            return []
        vouchers = vouchers_of(self.jde, [order.key for order in orders])
        days = self._net_days({order.terms for order in orders if order.terms})
        suppliers = self._suppliers(orders)
        told = []
        for order in orders:
            extras: dict[str, Any] = dict(order.extras)
            if order.terms in days:
                extras[_NET_DAYS] = days[order.terms]
            if vouchers[order.key]:
                extras[_VOUCHERED] = tuple(voucher.key for voucher in vouchers[order.key])
            number = "" if order.supplier is None else order.supplier.number
            waits = self._waits(suppliers.get(number, {})) if order.status == "open" else ()
            told.append(attrs.evolve(order, extras=extras, waiting_for=(*order.waiting_for, *waits)))
        return told

    def _waits(self, supplier: Mapping[str, str]) -> Iterator[str]:
        instrument, wanted = supplier.get("PYIN", ""), self.hand_over
        if isinstance(wanted, PaymentInstrument) and instrument != wanted.instrument:
            yield f"payment instrument {instrument or 'blank'} of its supplier"
        if supplier.get("HDPY") == "Y" or supplier.get("HOLD"):
            yield "its supplier is on hold"

    def _suppliers(self, orders: Sequence[PurchaseOrder]) -> Mapping[str, Mapping[str, str]]:
        numbers = sorted({int(one.supplier.number) for one in orders if one.supplier is not None})
        rows = self.jde.rows("F0401", columns=_SUPPLIER, where=[("AN8", "in", numbers)]) if numbers else ()
        return {
            str(row["F0401_AN8"]): {name: str(row[f"F0401_{name}"] or "").strip() for name in _SUPPLIER} for row in rows
        }

    def _net_days(self, terms: set[str]) -> Mapping[str, int]:
        if not terms:
            return {}
        rows = self.jde.rows("F0014", columns=("PTC", "NDTP"), where=[("PTC", "in", sorted(terms))])
        return {str(row["F0014_PTC"]).strip(): int(row["F0014_NDTP"] or 0) for row in rows}


def check_orders(jde: JDEdwardsAIS) -> CheckStep:
    """Whether what orders need is there: the orchestration that matches vouchers, and the terms (F0014)."""
    faults = jde.lacking_orchestrations(["match_voucher"])
    try:
        terms = jde.count("F0014")
    except MLConnectorError as error:
        terms = 0
        faults.append(f"F0014 cannot be read: {error.message}")
    return CheckStep(
        name="orders as bills",
        ok=not faults,
        detail=f"{terms} payment terms; a bill of an order becomes a matched voucher",
        cause="; ".join(faults),
        cure="Import the orchestration, or name the site's own in orchestrations=; let the user read F0014."
        if faults
        else "",
        who="the JD Edwards administrator" if faults else "",
    )


class OrderBook:
    """What the ledger knows of orders, their bills and their vouchers (rule B1).

    Args:
        ledger: The memory. ``ordered``: the sync of orders. ``sent``: of pay items. ``posted``: of vouchers.
    """

    def __init__(self, ledger: Ledger, *, ordered: str, sent: str, posted: str) -> None:
        self._ledger, self._ordered, self._sent, self._posted = ledger, ordered, sent, posted

    @property
    def begun(self) -> bool:
        """Orders have gone out once."""
        return bool(self._ledger.store.read("SELECT 1 FROM heads WHERE sync = ? LIMIT 1", (self._ordered,)))

    def order_of(self, bill: str) -> str | None:
        """The order that a bill was made of."""
        return self._ledger.twin(self._ordered, target_id=bill)

    def told(self, order: str) -> PurchaseOrder | None:
        """The order as BILL has it."""
        known = self._ledger.deliveries(self._ordered, key=order)
        last = [one for one in known if one.state in ("delivered", "unchanged") and one.forgotten is None]
        document = last[-1].document if last else None
        return document if isinstance(document, PurchaseOrder) else None

    def bill(self, order: str) -> str | None:
        """Its bill, unless that was taken back."""
        bill = self._ledger.twin(self._ordered, key=order)
        told = None if bill is None else self.told(order)
        return None if told is not None and not due_amount(told) else bill

    def under_way(self, order: str) -> bool:
        """It may have a bill of which nothing is known yet."""
        return any(map(_undecided, self._ledger.deliveries(self._ordered, key=order)))

    def orders(self) -> list[str]:
        """Every order that was ever recorded."""
        return [row["key"] for row in self._ledger.store.read("SELECT key FROM heads WHERE sync = ?", (self._ordered,))]

    def shares(self, item: str) -> bool:
        """A pay item is at BILL, with a bill of its own or with its order's."""
        return self._ledger.twin(self._sent, key=item) is not None

    def sharer(self, bill: str) -> str | None:
        """The pay item that shares an order's bill."""
        return self._ledger.twin(self._sent, target_id=bill)

    def voucher(self, bill: str) -> str | None:
        """The voucher that an order's bill became, or may have become."""
        posted = self._ledger.twin(self._posted, key=bill)
        if posted is not None:
            return posted
        under_way = any(map(_undecided, self._ledger.deliveries(self._posted, key=bill)))
        return "one that is under way" if under_way else None

    # Options of the sync of orders

    def excluded(self, order: PurchaseOrder, known: bool) -> str | Excluded | None:
        """An order: not one that has a voucher, for then the voucher is what is owed."""
        if order.type == "OB":
            return "a blanket order is never sent; its releases are"
        bill = self.bill(order.key)
        voucher = ", ".join(order.extras.get(_VOUCHERED, ())) or (None if bill is None else self.voucher(bill))
        if voucher and bill is None:
            return "its vouchers are paid, not the order"
        if voucher:
            return self._since_vouchered(order, f"{bill}", voucher)
        if not known and order.status != "open":
            return f"{order.status} before it was first seen"
        return None

    def _since_vouchered(self, order: PurchaseOrder, bill: str, voucher: str) -> str | Excluded:
        told = self.told(order.key)
        changed = told is not None and _owed(order) != _owed(told)
        if order.ready and not changed:
            return "its voucher is owed, not the order"
        why = "changed" if changed else f"waits for {order.waiting_for[0]}"
        return Excluded(
            "its voucher is owed, not the order",
            attention=f"It {why}, its bill {bill} shares voucher {voucher}: correct both, or leave them as they are.",
        )

    @staticmethod
    def withdrawn(order: PurchaseOrder) -> PurchaseOrder:
        """What is on hold or waits for approval again takes an unpaid bill back (rule B61)."""
        return attrs.evolve(order, waiting_for=(), extras={**order.extras, _WITHDRAWN: True})


def _undecided(delivery: Delivery) -> bool:
    """It may have arrived."""
    return delivery.state in _UNDECIDED or (delivery.state == "parked" and delivery.detail == "in doubt")


def _owed(order: PurchaseOrder) -> tuple[Any, ...]:
    bill = bill_of(attrs.evolve(order, extras={}))
    number = "" if bill.supplier is None else bill.supplier.number
    return number, bill.currency, [(line.number, line.amount) for line in bill.lines]


class OrderBills(Around):
    """Bills of orders: made, changed and archived as those of pay items, unless a voucher of the order has come.

    Args:
        inner: Makes bills of invoices. ``jde``: asked for vouchers directly before a call.
    """

    def __init__(self, inner: Target[Any], jde: JDEdwardsAIS) -> None:
        super().__init__(inner)
        self._jde = jde

    def content(self, document: PurchaseOrder) -> str:
        """What BILL is told of it."""
        return self._inner.content(bill_of(document))

    def prepare(self, change: Change[Any]) -> Prepared:
        """Make ready; see :class:`~mlconnector.target.Target`.

        Raises:
            InvalidDocument: With every fault of the order and of its bill.
        """
        order: PurchaseOrder = change.document
        bill = bill_of(order)
        faults = [] if bill.void else _faults(order)
        previous = None if change.previous is None else bill_of(change.previous)
        try:
            prepared = self._inner.prepare(attrs.evolve(change, document=bill, previous=previous))
        except DocumentError as error:
            if not faults:
                raise
            raise _no_bill(change.key, [*faults, *error.faults]) from None
        if faults:
            raise _no_bill(change.key, faults)
        return attrs.evolve(prepared, document=order)

    def deliver(self, batch: Sequence[Prepared]) -> Sequence[Receipt | MLConnectorError]:
        """Deliver those that have no voucher yet: what lay queued may have got one since it was read.

        Raises:
            MLConnectorError: JD Edwards cannot be asked: nothing went to BILL.
        """
        try:
            vouchers = vouchers_of(self._jde, [prepared.key for prepared in batch])
        except MLConnectorError as error:
            error.repeat_safe = True
            raise
        owed = [prepared for prepared in batch if not vouchers[prepared.key]]
        answers = dict(zip((one.key for one in owed), self._inner.deliver(owed) if owed else (), strict=True))
        return [answers.get(one.key) or _vouchered(one.key, vouchers[one.key][0].key) for one in batch]


def _no_bill(order: str, faults: Sequence[str]) -> InvalidDocument:
    return InvalidDocument(
        f"Order {order} cannot be a bill.",
        faults=tuple(faults),
        cause="order",
        cure="Correct it in JD Edwards, it is read again by itself; or pay its voucher once there is one.",
    )


def _vouchered(order: str, voucher: str) -> InvalidDocument:
    return InvalidDocument(
        f"Order {order} has voucher {voucher} by now: that is owed, not the order.",
        cause="vouchered",
        cure="Nothing to do where it has no bill; a bill that differs from the voucher is corrected in BILL.",
    )
