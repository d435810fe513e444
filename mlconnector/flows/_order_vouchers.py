"""An order and its voucher share one bill: whichever of the two makes the voucher, it is owed and paid once (rule B62).

A voucher that people enter in JD Edwards takes the bill of its order for its own; a bill that is approved before there
is one becomes a matched voucher. What is not surely the same debt is left to a person: no second bill, no second
voucher.
"""

from __future__ import annotations

import abc
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.bill import BILL
from mlconnector.documents import Invoice, InvoiceLine, PurchaseOrder
from mlconnector.errors import InvalidDocument, MLConnectorError, TargetChanged
from mlconnector.flows._around import Around
from mlconnector.flows._desk import found
from mlconnector.flows._hand_over import HandOver, PayStatus
from mlconnector.flows._order_bills import OUR_MARK, OrderBook, bill_of, order_key_of
from mlconnector.flows._ordered import OrderVoucher, orders_of, vouchers_of
from mlconnector.flows._pay_items import voucher_of
from mlconnector.jdedwards import JDEdwardsAIS
from mlconnector.records import Batch, Reader, Window
from mlconnector.target import Change, CrosswalkLookup, Prepared, Receipt, Target

__all__ = ["MatchedOrders", "OrderedBillsReader", "OrderedItemsReader", "SharedBills", "pay_item_of_order"]

_ZERO = Decimal(0)
_MARK = "BILL:"
_ORDERS, _NOT_HANDED_OVER = "orders", "not_handed_over"
_SHARES = "shares"
_LOOK = (
    "Look at both. To pay the voucher, archive the order's bill in BILL, then settle this with overwrite; to pay the"
    " order's bill, correct the voucher in JD Edwards until it is over the same, then do likewise."
)


@attrs.frozen
class _Further(abc.ABC):
    """A reader whose documents are told more than they hold themselves."""

    inner: Reader[Invoice]
    jde: JDEdwardsAIS
    book: OrderBook

    @property
    def system(self) -> str:
        """The inner reader's."""
        return self.inner.system

    @property
    def kind(self) -> str:
        """The inner reader's."""
        return self.inner.kind

    @property
    def filters(self) -> Mapping[str, Any]:
        """The inner reader's: which documents are read is the same."""
        return self.inner.filters

    @property
    def overlap(self) -> dt.timedelta:
        """The inner reader's."""
        return self.inner.overlap

    @property
    def resumable(self) -> bool:
        """As the inner reader is."""
        return self.inner.resumable

    def read(self, window: Window) -> Iterator[Batch[Invoice]]:
        """The inner reader's batches."""
        for batch in self.inner.read(window):
            made = batch.mapped()
            yield attrs.evolve(made, documents=self.told(made.documents))

    @abc.abstractmethod
    def told(self, documents: Sequence[Invoice]) -> Sequence[Invoice]:
        """The same documents with what is to be told of them."""


@attrs.frozen
class OrderedItemsReader(_Further):
    """Pay items with the orders they bill, in ``extras["orders"]``; credits bill none, and go as they always do.

    One whose order is on its way to BILL waits. One that JD Edwards holds, or pays itself, while its order has a bill
    does not wait: a person must see it.

    Args:
        hand_over: Says what keeps a pay item from going.
    """

    hand_over: HandOver

    def told(self, documents: Sequence[Invoice]) -> Sequence[Invoice]:
        """Asked for those alone that name an order."""
        naming = {one.key: voucher_of(one.key) for one in documents if _names_an_order(one)}
        if not naming:
            return documents
        orders = orders_of(self.jde, list(dict.fromkeys(naming.values())), self.book.orders)
        return [self._ordered(one, orders[naming[one.key]]) if one.key in naming else one for one in documents]

    def _ordered(self, item: Invoice, orders: tuple[str, ...]) -> Invoice:
        waiting = tuple(f"order {one} is on its way to BILL" for one in orders if self.book.under_way(one))
        extras = {**item.extras, _ORDERS: orders}
        reasons = self.hand_over.reasons(item, item.pay_items[0])
        if reasons and any(self.book.bill(one) for one in orders) and not self.book.shares(item.key):
            extras[_NOT_HANDED_OVER] = tuple(reasons)
            kept = [one for one in item.waiting_for if one not in reasons and "has pay status" not in one]
        else:
            kept = list(item.waiting_for)
        return attrs.evolve(item, extras=extras, waiting_for=(*kept, *waiting))


def _names_an_order(item: Invoice) -> bool:
    named = item.purchase_order or any(line.purchase_order for line in item.lines)
    return bool(named) and (item.gross or _ZERO) > 0


@attrs.frozen
class OrderedBillsReader(_Further):
    """Bills; one of an order that people have entered a voucher for waits until the voucher shares it."""

    def told(self, documents: Sequence[Invoice]) -> Sequence[Invoice]:
        """Asked for those alone that were made of orders; a list may leave out the mark that says so."""
        documents = [self._marked(one) for one in documents]
        orders = {
            one.key: key
            for one in documents
            if one.ready and (key := order_key_of(one.origin)) is not None and self.book.voucher(one.key) is None
        }
        if not orders:
            return documents
        vouchers = vouchers_of(self.jde, list(dict.fromkeys(orders.values())))
        return [
            attrs.evolve(one, waiting_for=_others(one.key, vouchers[orders[one.key]])) if one.key in orders else one
            for one in documents
        ]

    def _marked(self, bill: Invoice) -> Invoice:
        order = None if bill.origin else self.book.order_of(bill.key)
        return bill if order is None else attrs.evolve(bill, origin=f"{OUR_MARK}{order}")


def _others(bill: str, vouchers: Sequence[OrderVoucher]) -> tuple[str, ...]:
    """Vouchers of an order that were not made of its bill."""
    mark = f"{_MARK}{bill}"
    return tuple(f"voucher {one.key} of its order is in JD Edwards" for one in vouchers if mark not in one.marks)


class SharedBills(Around):
    """Bills of pay items; one whose order has a bill is delivered by sharing that, and by being reserved.

    The bill is left as the order made it. A pay item that is taken back takes an unpaid bill back with it (rule B61).

    Args:
        inner: Makes bills of pay items. ``jde``, ``book``: what is known of orders. ``bill``: asked whether people have
            archived the order's bill: then there is nothing to share.
        hand_over: Where pay items are reserved by pay status, sharing is done once that is done.
    """

    def __init__(self, inner: Any, jde: JDEdwardsAIS, bill: BILL, book: OrderBook, hand_over: HandOver) -> None:
        super().__init__(inner)
        self._bills, self._jde, self._bill, self._book = inner, jde, bill, book
        self._status = hand_over.status if isinstance(hand_over, PayStatus) else None

    def prepare(self, change: Change[Any]) -> Prepared:
        """Make ready; see :class:`~mlconnector.target.Target`.

        Raises:
            TargetChanged: The pay item and the bill of its order are not surely the same debt.
        """
        item: Invoice = change.document
        order = self._order_of(change)
        if order is None or (item.void and change.action == "create"):
            return self._inner.prepare(change)
        told, target_id = self._book.told(order), change.target_id or str(self._book.bill(order))
        if change.target_id is None and any(one.void for one in self._bill.invoices(keys=[target_id])):
            return self._inner.prepare(change)
        if told is None:
            raise _conflict(item.key, target_id, ["what was sent of the order is no longer known"])
        bill = bill_of(told)
        was_gone = change.previous is not None and _gone(change.previous)
        faults = [] if _gone(item) and change.action != "create" else self._differs(item, bill, target_id)
        if faults and item.extras.get(_NOT_HANDED_OVER):
            # Others are told by deliver: reserving comes first, so that JD Edwards does not pay what a person looks at.
            raise _conflict(item.key, target_id, faults)
        void = attrs.evolve(bill, void=True)
        if _gone(item) and change.action != "create":
            made = attrs.evolve(change, document=void, previous=bill, action="cancel", key=order, target_id=target_id)
        else:
            before = void if was_gone else bill
            made = attrs.evolve(change, document=bill, previous=before, action="change", key=order, target_id=target_id)
        prepared = self._inner.prepare(made)
        payload: Any = prepared.payload
        if payload["operation"] == "replace":
            payload = {**payload, _SHARES: order, "differs": faults}
        return attrs.evolve(prepared, document=item, payload=payload, claim=None)

    def find(self, prepared: Prepared) -> Receipt | None:
        """The bill as the order made it, shared by this pay item alone, and the pay item reserved."""
        payload: Any = prepared.payload
        if not payload.get(_SHARES):
            return self._inner.find(prepared)
        taken = self._book.sharer(str(prepared.target_id))
        faults = [*payload["differs"], *([] if taken in (None, prepared.key) else [f"{taken} shares it already"])]
        if faults:
            raise _conflict(prepared.key, str(prepared.target_id), faults)
        receipt = self._inner.find(prepared)
        return receipt if self._is_reserved(prepared) else None

    def deliver(self, batch: Sequence[Prepared]) -> Sequence[Receipt | MLConnectorError]:
        """Share what is shared; make the other bills, unless BILL has one of an order that this ledger has lost."""
        answers: dict[str, Receipt | MLConnectorError] = {}
        shared: dict[str, str] = {}
        plain = []
        for prepared in batch:
            payload: Any = prepared.payload
            if payload.get(_SHARES):
                answers[prepared.key] = self._share(prepared, shared)
            else:
                plain.append(prepared)
        asked = [(one, one.document.extras.get(_ORDERS, ())) for one in plain if one.target_id is None]
        for prepared, held in self._bills.made_of(asked) if any(orders for _one, orders in asked) else ():
            answers[prepared.key] = _conflict(prepared.key, held, ["it was made of the pay item's order"])
        left = [one for one in plain if one.key not in answers]
        if left:
            answers |= dict(zip((one.key for one in left), self._inner.deliver(left), strict=True))
        return [answers[one.key] for one in batch]

    def _share(self, prepared: Prepared, shared: dict[str, str]) -> Receipt | MLConnectorError:
        first = shared.setdefault(str(prepared.target_id), prepared.key)
        if first != prepared.key:
            return _conflict(prepared.key, str(prepared.target_id), [f"{first} shares it already"])
        try:
            receipt = self.find(prepared)
        except MLConnectorError as error:
            error.repeat_safe = not isinstance(error, TargetChanged)
            return error
        if receipt is None:
            return InvalidDocument(
                f"Pay item {prepared.key} is not reserved.", cause="pay_status", cure="Look at its pay status; replay."
            )
        return attrs.evolve(receipt, existing=True)

    def _order_of(self, change: Change[Any]) -> str | None:
        if change.target_id is not None:
            return self._book.order_of(change.target_id)
        orders: Sequence[str] = change.document.extras.get(_ORDERS, ())
        return next((one for one in orders if self._book.bill(one)), None)

    def _differs(self, item: Invoice, bill: Invoice, target_id: str) -> list[str]:
        """Why a pay item is not surely what the bill of its order is over."""
        payee, supplier = (
            "" if party is None else party.number for party in (item.payee or item.supplier, bill.supplier)
        )
        orders: Sequence[str] = item.extras.get(_ORDERS, ())
        posted = self._book.voucher(target_id)
        reasons: Sequence[str] = item.extras.get(_NOT_HANDED_OVER, ())
        tests = (
            (bool(reasons), f"JD Edwards holds it, or pays it itself: {', '.join(reasons)}"),
            (posted is not None, f"the bill's voucher is {posted}"),
            (len(orders) > 1, f"its voucher bills {len(orders)} orders: {', '.join(orders)}"),
            (item.gross != bill.gross, f"it is over {item.gross}, the bill over {bill.gross}"),
            (item.open != item.gross, f"{item.open} of {item.gross} is open"),
            (item.currency != bill.currency, f"it is in {item.currency}, the bill in {bill.currency}"),
            (payee != supplier, f"its payee is {payee}, the order's supplier {supplier}"),
        )
        return [text for holds, text in tests if holds]

    def _is_reserved(self, prepared: Prepared) -> bool:
        if self._status is None:
            return True
        company, kind, number, item, *extension = prepared.key.split("/")
        where = [("DOC", "=", int(number)), ("DCT", "=", kind), ("KCO", "=", company), ("SFX", "=", item)]
        rows = self._jde.rows("F0411", columns=("DOC", "DCT", "KCO", "SFX", "SFXE", "DCTA", "PST"), where=where)
        own = [
            str(row["F0411_PST"]).strip()
            for row in rows
            if not str(row["F0411_DCTA"] or "").strip()
            and str(row["F0411_SFXE"] or "0").strip() == (extension[0] if extension else "0")
        ]
        return own == [self._status]


def _gone(item: Invoice) -> bool:
    return item.void or not item.open


def _conflict(item: str, bill: str, faults: Sequence[str]) -> TargetChanged:
    return TargetChanged(
        f"Pay item {item} and bill {bill} of its order are not surely one debt.",
        faults=tuple(f"bill {bill}: {fault}" for fault in faults),
        cause="order",
        cure=_LOOK,
    )


@attrs.frozen
class _OrderNumbers:
    """A crosswalk in which an order's key is the number it is named by."""

    inner: CrosswalkLookup
    order: str

    def find(self, kind: str, *, to: str | None = None, **known: str) -> Any:
        """The order itself, else what the crosswalk has."""
        if kind == "order number" and self.order in known.values():
            return self.order
        return self.inner.find(kind, to=to, **known)


class MatchedOrders(Around):
    """Vouchers of approved bills; one of an order is matched with what was received of it (rules B51, B62).

    Args:
        inner: Makes vouchers; matches those whose lines bill order lines. ``jde``: asked for the order.
    """

    def __init__(self, inner: Target[Any], jde: JDEdwardsAIS) -> None:
        super().__init__(inner)
        self._jde = jde

    def prepare(self, change: Change[Any]) -> Prepared:
        """Make ready; see :class:`~mlconnector.target.Target`.

        Raises:
            TargetChanged: People have entered a voucher for the order.
            InvalidDocument: The order is not what the bill says; with every fault.
        """
        invoice: Invoice = change.document
        key = order_key_of(invoice.origin)
        if key is None or invoice.void or change.previous is not None:
            return self._inner.prepare(change)
        vouchers = vouchers_of(self._jde, [key])[key]
        others = _others(invoice.key, vouchers)
        if others:
            raise TargetChanged(
                f"Bill {invoice.key} of order {key} is not its only debt.", faults=others, cause="order", cure=_LOOK
            )
        order = next(found(self._jde.purchase_orders(keys=[key])), None)
        faults = [f"order {key} is not in JD Edwards"] if order is None else _unlike(invoice, order)
        if faults and not vouchers:
            raise InvalidDocument(
                f"Bill {invoice.key} cannot be the voucher of order {key}.",
                faults=tuple(faults),
                cause="order",
                cure="Correct the bill in BILL or the order in JD Edwards; then replay.",
            )
        billed = bill_of(order) if order is not None else invoice
        lines = [attrs.evolve(line, purchase_order=key) for line in billed.lines if line.amount]
        voucher = attrs.evolve(invoice, company=key.split("/")[0], purchase_order="", lines=tuple(lines))
        prepared = self._inner.prepare(
            attrs.evolve(change, document=voucher, crosswalk=_OrderNumbers(change.crosswalk, key))
        )
        return attrs.evolve(prepared, document=invoice)


def _unlike(invoice: Invoice, order: PurchaseOrder) -> list[str]:
    """How a bill and its order differ; their lines must be the same, since each is matched by itself."""
    billed = bill_of(order)
    faults = [] if order.ready else [f"the order waits: {', '.join(order.waiting_for)}"]
    if invoice.gross != billed.gross:
        faults.append(f"the bill is over {invoice.gross}, the order over {billed.gross}")
    elif _amounts(invoice.lines) != _amounts(billed.lines):
        faults.append(f"the bill's lines are {_amounts(invoice.lines)}, the order's {_amounts(billed.lines)}")
    if invoice.currency is not None and invoice.currency != billed.currency:
        faults.append(f"the bill is in {invoice.currency}, the order in {billed.currency}")
    return faults


def _amounts(lines: Sequence[InvoiceLine]) -> list[str]:
    return sorted(f"{line.amount:f}" for line in lines if line.amount)


def pay_item_of_order(jde: JDEdwardsAIS, order: str, gross: Decimal | None) -> str | None:
    """The pay item of an order's voucher, where it has one voucher with one pay item over the bill's amount, and that
    bills nothing else: what a ledger without the bill can tell for certain.
    """
    vouchers = vouchers_of(jde, [order])[order]
    if len(vouchers) != 1 or len(vouchers[0].items) != 1 or vouchers[0].gross != gross:
        return None
    (voucher,) = vouchers
    return voucher.items[0] if orders_of(jde, [voucher.key], lambda: [order])[voucher.key] == (order,) else None
