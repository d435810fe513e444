"""JD Edwards and BILL: suppliers and open pay items out, payments back on the right voucher (rules B60 to B62)."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import attrs

from mlconnector.bill import BILL, TROUBLED
from mlconnector.check import Check
from mlconnector.delivery import Attention, Excluded, Flow, Ledger, Recount
from mlconnector.documents import Application, Invoice, Payment, PurchaseOrder
from mlconnector.errors import InvalidArgument
from mlconnector.flows import _desk as desk
from mlconnector.flows._cleo_parts import chosen_kinds, conditions_by_kind
from mlconnector.flows._hand_over import HandedOver, HandOver, PaymentInstrument, PayStatus, Reopened, Reserved, Trusted
from mlconnector.flows._order_bills import (
    OUR_MARK,
    OrderBills,
    OrderBook,
    OrdersReader,
    check_orders,
    due_amount,
    order_key_of,
)
from mlconnector.flows._order_vouchers import (
    MatchedOrders,
    OrderedBillsReader,
    OrderedItemsReader,
    SharedBills,
    pay_item_of_order,
)
from mlconnector.flows._pay_items import PayItemsReader, payments_of
from mlconnector.flows._two_ways import TwoWays, paid_item_of
from mlconnector.jdedwards import JDEdwardsAIS
from mlconnector.records import Records

__all__ = ["KINDS", "jde_to_bill"]

KINDS = ("suppliers", "invoices", "vouchers", "payments")
_WITH_ORDERS = ("suppliers", "purchase_orders", "invoices", "vouchers", "payments")
_EVENTS: Mapping[str, Sequence[str]] = {"invoices": ("vouchers",), "payments": ("payments",)}
_MARK = "BILL:"
_ZERO = Decimal(0)
_APPROVED = "A"
Where = Sequence[tuple[str, str, Any]]


def jde_to_bill(
    jde: JDEdwardsAIS,
    bill: BILL,
    *,
    ledger: Ledger,
    hand_over: HandOver,
    bank_account: str | Mapping[str, str],
    name: str | None = None,
    begin: Literal["everything", "nothing"] | dt.datetime | None = None,
    kinds: Sequence[str] | None = None,
    where: Mapping[str, Where] | None = None,
    countries: Mapping[str, str] | None = None,
    cost_centers: Literal["departments", "locations"] = "departments",
    orders: bool = False,
    targets: Mapping[str, Mapping[str, Any]] | None = None,
    company: str | None = None,
    tax: Mapping[str, tuple[str, str]] | None = None,
    closed_period: Literal["park", "first_open"] = "park",
    on_baseline_change: Literal["attention", "create", "change"] = "attention",
    overwrite: bool = False,
    on_attention: Callable[[Attention], None] | None = None,
    stop_after: int = 100,
    confirm_within: dt.timedelta = dt.timedelta(hours=24),
    inbox: str | None = None,
) -> Flow:
    """Open pay items are paid by BILL, and each payment lands once on its voucher.

    A bill made from a voucher comes back as a payment record on that voucher, never as a second voucher; a bill born
    in BILL becomes one voucher at approval, then its payment (rule B62). Orders are not sent unless you ask for it: an
    order is no liability, its voucher is (rule B63).

    Args:
        jde, bill: The two systems.
        ledger: The durable memory.
        hand_over: What keeps JD Edwards from paying the same vouchers: :class:`PaymentInstrument`,
            :class:`PayStatus` or :class:`Trusted`; :meth:`Flow.check` proves it (rule B60).
        bank_account: ``AID`` of the BILL clearing account in F0901, or one a currency.
        name: Name in the ledger; ``"jde_to_bill"`` by default.
        begin: What an empty ledger sends (rule B2); needed at the first run.
        kinds: Out ``suppliers`` and ``invoices`` (pay items), back ``vouchers`` (bills born in BILL) and ``payments``;
            with ``orders`` also ``purchase_orders``, out, between the first two.
        where: Conditions by kind: on F0401, F4301 and F0411; for what comes back, in BILL's field names.
        countries: Country as JD Edwards writes it to its code of two letters. ``cost_centers``: where BILL keeps them.
        orders: Approved orders become bills, too, due when the last line is promised plus the net days of their terms.
            An order is no liability: it can be paid before anything has come. Its voucher shares the bill: one that is
            in JD Edwards takes it over, else the approved bill becomes a voucher matched with what was received. What
            is not surely the same debt waits for a person (rules B62, B63).
        targets: Further options by kind, of ``bill.target(...)`` and ``jde.target(...)``.
        company, tax: Of bills born in BILL, see ``jde.target("vouchers")``.
        closed_period: ``"park"``, or ``"first_open"``: post on the first open day and show both dates (rule B71).
        on_baseline_change, overwrite, on_attention, stop_after, confirm_within: See
            :class:`~mlconnector.delivery.Sync`.
        inbox: The inbox that ``webhooks.receive`` fills; polling does the same work without it.

    Raises:
        InvalidArgument: An option that cannot be meant, with its value.
    """
    if not isinstance(hand_over, (PaymentInstrument, PayStatus, Trusted)):
        raise InvalidArgument(
            f"hand_over={hand_over!r}.",
            cure='Say what keeps JD Edwards from paying too: flows.PaymentInstrument("B"), flows.PayStatus("B") or'
            ' flows.Trusted("reason") (rule B60).',
        )
    if not isinstance(orders, bool):
        raise InvalidArgument(f"orders={orders!r}.", cure="Use True to send approved orders as bills, else False.")
    known = _WITH_ORDERS if orders else KINDS
    chosen = chosen_kinds(kinds, known)
    conditions = conditions_by_kind(where, chosen)
    ways = TwoWays(
        name=name or "jde_to_bill",
        ledger=ledger,
        begin=begin,
        on_baseline_change=on_baseline_change,
        overwrite=overwrite,
        on_attention=on_attention,
        stop_after=stop_after,
        confirm_within=confirm_within,
        inbox=inbox,
        timeout=bill.timeout.total,
    )
    further = conditions_by_kind(targets, known, name="targets")

    def of(kind: str, **options: Any) -> dict[str, Any]:
        given = {name: value for name, value in options.items() if value is not None}
        return {**given, **further.get(kind, {})}

    book = OrderBook(
        ledger,
        ordered=ways.sync_name("purchase_orders"),
        sent=ways.sync_name("invoices"),
        posted=ways.sync_name("vouchers"),
    )
    # Bills that orders have become stay theirs, also once no more orders are sent.
    shared = book if orders or book.begun else None
    origin = _Origin(
        ledger,
        jde,
        bill,
        shared,
        sent=ways.sync_name("invoices"),
        posted=ways.sync_name("vouchers"),
        paid=ways.sync_name("payments"),
        content=(lambda item: target["invoices"]().content(item)) if isinstance(hand_over, PayStatus) else None,
    )

    def pay_items(vouchers: Records[Invoice], payments: Any = None) -> Records[Invoice]:
        items = PayItemsReader(vouchers.reader, hand_over.reasons, payments)
        return Records(items if shared is None else OrderedItemsReader(items, jde, shared, hand_over))

    def order_bills(orders_read: Records[PurchaseOrder]) -> Records[PurchaseOrder]:
        return Records(OrdersReader(orders_read.reader, jde, hand_over))

    def bills(read: Records[Invoice]) -> Records[Invoice]:
        return read if shared is None else Records(OrderedBillsReader(read.reader, jde, shared))

    def bill_target() -> Any:
        return bill.target("invoices", **of("invoices", cost_centers=cost_centers))

    def voucher_target() -> Any:
        matching = "never" if shared is None else "auto"
        options = of("vouchers", company=company, tax=tax, closed_period=closed_period, matching=matching)
        made = jde.target("vouchers", **options)
        return _reserved(made if shared is None else MatchedOrders(made, jde), jde, hand_over)

    read: Mapping[str, Callable[[], Records[Any]]] = {
        "suppliers": lambda: jde.suppliers(where=conditions.get("suppliers")),
        "purchase_orders": lambda: order_bills(jde.purchase_orders(where=conditions.get("purchase_orders"))),
        "invoices": lambda: pay_items(
            jde.invoices(where=conditions.get("invoices")), functools.partial(payments_of, jde)
        ),
        "vouchers": lambda: bills(bill.invoices(where=conditions.get("vouchers"))),
        "payments": lambda: bill.payments(where=conditions.get("payments")),
    }
    target: Mapping[str, Callable[[], Any]] = {
        "suppliers": lambda: bill.target("suppliers", **of("suppliers", countries=countries)),
        "purchase_orders": lambda: OrderBills(
            bill.target("invoices", **of("purchase_orders", cost_centers=cost_centers)), jde
        ),
        "invoices": lambda: _reserving(
            bill_target() if shared is None else SharedBills(bill_target(), jde, bill, shared, hand_over),
            jde,
            hand_over,
        ),
        "vouchers": voucher_target,
        "payments": lambda: _reopening(
            jde.target(
                "payments",
                **of(
                    "payments",
                    bank_account=bank_account,
                    voucher_of=origin.pay_item,
                    origin="bill",
                    closed_period=closed_period,
                ),
            ),
            jde,
            hand_over,
        ),
    }
    options: Mapping[str, dict[str, Any]] = {
        "suppliers": {"link": ("supplier", "jdedwards", "bill")},
        "purchase_orders": {"select": book.excluded, "withdraw": book.withdrawn},
        "invoices": {"select": origin.item_excluded, "withdraw": functools.partial(_withdrawn, hand_over)},
        "vouchers": {"select": origin.bill_excluded},
        "payments": {"select": _payment_excluded},
    }
    return ways.flow(
        [ways.sync(kind, read[kind](), target[kind](), **options[kind]) for kind in chosen],
        events=_EVENTS,
        systems={"jdedwards": jde.origin, "bill": bill.origin},
        checks=(
            jde.check,
            bill.check,
            lambda: Check(system="flow", steps=(hand_over.check(jde), *((check_orders(jde),) if orders else ()))),
        ),
        alignings=[
            desk.suppliers(
                jde,
                bill,
                sync=ways.sync_name("suppliers"),
                write=desk.writer(jde, desk.vendor_saver(bill, ledger, countries), bill.system),
            ),
            desk.charged(jde, bill, link="account", kind="accounts"),
            desk.charged(jde, bill, link="cost_center", kind="cost_centers"),
        ],
        recounts={
            "purchase_orders": Recount(
                read=lambda period: order_bills(
                    jde.purchase_orders(where=[*conditions.get("purchase_orders", ()), *desk.period_of("TRDJ", period)])
                ),
                there=lambda ids: desk.found(bill.invoices(keys=ids)),
                amount=due_amount,
                sent_amount=due_amount,
                party_there=desk.linked(ledger, "jdedwards", "bill"),
            ),
            "invoices": Recount(
                read=lambda period: pay_items(
                    jde.invoices(where=[*conditions.get("invoices", ()), *desk.period_of("DGJ", period)])
                ),
                there=lambda ids: desk.bills_and_credits(bill, ids),
                sent_amount=desk.open_amount,
                party_there=desk.linked(ledger, "jdedwards", "bill"),
            ),
            "vouchers": Recount(there=lambda ids: desk.found(jde.invoices(keys=ids))),
            "payments": Recount(
                there=lambda ids: desk.found(jde.payments(keys=ids)), account=desk.account_of(bank_account)
            ),
        },
    )


def _reserving(target: Any, jde: JDEdwardsAIS, hand_over: HandOver) -> Any:
    return HandedOver(target, jde, hand_over.status) if isinstance(hand_over, PayStatus) else target


def _reopening(target: Any, jde: JDEdwardsAIS, hand_over: HandOver) -> Any:
    return Reopened(target, jde, hand_over.status) if isinstance(hand_over, PayStatus) else target


def _reserved(target: Any, jde: JDEdwardsAIS, hand_over: HandOver) -> Any:
    return Reserved(target, jde, hand_over.status) if isinstance(hand_over, PayStatus) else target


def _withdrawn(hand_over: HandOver, item: Invoice) -> Invoice | None:
    """What is no longer BILL's to pay (on hold, in a payment run, given to another instrument) takes an unpaid bill
    back; what only waits to be posted, waits (rules B60, B61).
    """
    held = hand_over.reasons(item, item.pay_items[0])
    return attrs.evolve(item, void=True, waiting_for=()) if held else None


def _payment_excluded(payment: Payment, known: bool) -> str | Excluded | None:
    if payment.void and not known:
        return "taken back before it was posted"
    if payment.status in TROUBLED and known:
        return Excluded(
            f"its status is {payment.status}",
            attention=f"BILL says {payment.status}, and JD Edwards has the payment, or may have it: look at it in BILL."
            " One that is voided there is taken back here by itself.",
        )
    return None


class _Origin:
    """Where an invoice was born, and who has paid it: a fact has one home (rule B1).

    Args:
        ledger: The memory. ``jde``, ``bill``: asked for what a lost one no longer knows.
        book: What is known of orders; ``None`` where none is ever sent.
        sent, posted, paid: The syncs of pay items, of vouchers and of payments.
        content: What BILL is told of a pay item, where pay items are reserved by their pay status; else ``None``.
    """

    def __init__(
        self,
        ledger: Ledger,
        jde: JDEdwardsAIS,
        bill: BILL,
        book: OrderBook | None,
        *,
        sent: str,
        posted: str,
        paid: str,
        content: Callable[[Invoice], str] | None,
    ) -> None:
        self._ledger, self._jde, self._bill, self._book = ledger, jde, bill, book
        self._sent, self._posted, self._paid = sent, posted, paid
        self._content = content

    def item_excluded(self, item: Invoice, known: bool) -> str | Excluded | None:
        """A pay item: not of a voucher that a bill became, and not what has been paid."""
        voucher = "/".join(item.key.split("/")[:3])
        if item.origin.upper().startswith(_MARK) or self._ledger.twin(self._posted, target_id=voucher) is not None:
            return "born in BILL"
        if known:
            return self._since_sent(item)
        if item.void:
            return "void before it was first seen"
        return "nothing open" if not item.open and not self._has_a_bill_to_pay(item) else None

    def _has_a_bill_to_pay(self, item: Invoice) -> bool:
        """JD Edwards has paid what BILL has in its order's bill: a person must see it."""
        if self._book is None or self._paid_by_bill(item) >= abs(item.gross or _ZERO):
            return False
        return any(map(self._book.bill, item.extras.get("orders", ())))

    def _since_sent(self, item: Invoice) -> str | Excluded | None:
        """A payment of BILL lowers what is open, and the bill it paid is not changed by it; what JD Edwards has paid
        itself, or may pay because the pay item is no longer reserved, BILL must not pay again (rule B60).
        """
        sent = self._ledger.deliveries(self._sent, key=item.key)[-1]
        if item.void or sent.forgotten is not None:
            return None
        last = sent.document
        assert isinstance(last, Invoice)
        lowered = abs(last.open or _ZERO) - abs(item.open or _ZERO)
        if lowered > 0 and item.gross == last.gross and lowered <= self._paid_by_bill(item) - self._paid_by_bill(last):
            return "paid, in whole or in part"
        if self._content is None or item.pay_status != _APPROVED or last.void or not item.ready:
            return None
        if self._ledger.twin(self._sent, key=item.key) is None or self._content(item) != self._content(last):
            return None
        return Excluded(
            "open to JD Edwards' own payments",
            attention="It has a bill, and its pay status is A again: reserve it in JD Edwards, or take the bill back.",
        )

    def _paid_by_bill(self, item: Invoice) -> Decimal:
        """What payments of ours have paid of it: known by the mark they carry, or by the ledger."""
        ours = _ZERO
        for payment, paid in item.extras.get("payments", {}).items():
            marked = str(paid["reference"]).upper().startswith(_MARK)
            if marked or self._ledger.twin(self._paid, target_id=payment) is not None:
                ours += paid["amount"]
        return ours

    def bill_excluded(self, invoice: Invoice, known: bool) -> str | None:
        """A bill: not one that this flow made of a pay item, nor one of an order that its voucher shares."""
        born = bool(invoice.origin) and not invoice.origin.upper().startswith(_MARK)
        if self._book is not None and order_key_of(invoice.origin) is not None:
            born = False
        if born or self._ledger.twin(self._sent, target_id=invoice.key) is not None:
            return "born in JD Edwards"
        return "archived before it was first seen" if invoice.void and not known else None

    def pay_item(self, application: Application, _payment: Payment) -> str | None:
        """The pay item of what was paid: the one the bill was made from, or of the voucher it became."""
        sent = self._ledger.twin(self._sent, target_id=application.invoice)
        if sent is not None:
            return paid_item_of(sent)
        posted = self._ledger.twin(self._posted, key=application.invoice)
        return self._marked(application.invoice) if posted is None else paid_item_of(posted)

    def _marked(self, key: str) -> str | None:
        """The pay item that a bill or credit names itself: what a lost ledger no longer knows (rule B1)."""
        bills = list(self._bill.invoices(keys=[key]))
        marks = [one.origin for one in bills]
        order = order_key_of(marks[0]) if marks and self._book is not None else None
        if order is not None:
            item = pay_item_of_order(self._jde, order, bills[0].gross)
            # One that the ledger knows, and has not let share the bill, is not surely the same debt.
            return None if item is None or self._ledger.deliveries(self._sent, key=item) else item
        if not marks:
            rows = self._bill.rows("vendor-credits", where=[("id", "in", [key])])
            marks = [str(row.get("description") or "").partition(" ")[0] for row in rows]
        (mark,) = marks or ("",)
        return paid_item_of(mark[len(OUR_MARK) :]) if mark.startswith(OUR_MARK) else None
