"""JD Edwards and BILL: suppliers and open pay items out, payments back on the right voucher (rules B60 to B62)."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import attrs

from mlconnector.bill import BILL
from mlconnector.check import Check
from mlconnector.delivery import Attention, Excluded, Flow, Ledger, Recount
from mlconnector.documents import Application, Invoice, Payment
from mlconnector.errors import InvalidArgument
from mlconnector.flows import _desk as desk
from mlconnector.flows._cleo_parts import chosen_kinds, conditions_by_kind
from mlconnector.flows._hand_over import HandedOver, HandOver, PaymentInstrument, PayStatus, Reopened, Trusted
from mlconnector.flows._pay_items import PayItemsReader, payments_of
from mlconnector.flows._two_ways import TwoWays, paid_item_of
from mlconnector.jdedwards import JDEdwardsAIS
from mlconnector.records import Records

__all__ = ["KINDS", "jde_to_bill"]

KINDS = ("suppliers", "invoices", "vouchers", "payments")
_EVENTS: Mapping[str, Sequence[str]] = {"invoices": ("vouchers",), "payments": ("payments",)}
_MARK = "BILL:"
_OUR_MARK = "JDEDWARDS:"
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
    in BILL becomes one voucher at approval, then its payment (rule B62). Orders are not sent: an order is no
    liability, its voucher is (rule B63).

    Args:
        jde, bill: The two systems.
        ledger: The durable memory.
        hand_over: What keeps JD Edwards from paying the same vouchers: :class:`PaymentInstrument`,
            :class:`PayStatus` or :class:`Trusted`; :meth:`Flow.check` proves it (rule B60).
        bank_account: ``AID`` of the BILL clearing account in F0901, or one a currency.
        name: Name in the ledger; ``"jde_to_bill"`` by default.
        begin: What an empty ledger sends (rule B2); needed at the first run.
        kinds: Out ``suppliers`` and ``invoices`` (pay items), back ``vouchers`` (bills born in BILL) and ``payments``.
        where: Conditions by kind: on F0401 and F0411; for what comes back, in BILL's field names.
        countries: Country as JD Edwards writes it to its code of two letters. ``cost_centers``: where BILL keeps them.
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
    chosen = chosen_kinds(kinds, KINDS)
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
    further = conditions_by_kind(targets, KINDS, name="targets")

    def of(kind: str, **options: Any) -> dict[str, Any]:
        given = {name: value for name, value in options.items() if value is not None}
        return {**given, **further.get(kind, {})}

    origin = _Origin(
        ledger,
        bill,
        sent=ways.sync_name("invoices"),
        posted=ways.sync_name("vouchers"),
        paid=ways.sync_name("payments"),
        content=(lambda item: target["invoices"]().content(item)) if isinstance(hand_over, PayStatus) else None,
    )
    vouchers = jde.invoices(where=conditions.get("invoices"))
    read: Mapping[str, Callable[[], Records[Any]]] = {
        "suppliers": lambda: jde.suppliers(where=conditions.get("suppliers")),
        "invoices": lambda: Records(
            PayItemsReader(vouchers.reader, hand_over.reasons, functools.partial(payments_of, jde))
        ),
        "vouchers": lambda: bill.invoices(where=conditions.get("vouchers")),
        "payments": lambda: bill.payments(where=conditions.get("payments")),
    }
    target: Mapping[str, Callable[[], Any]] = {
        "suppliers": lambda: bill.target("suppliers", **of("suppliers", countries=countries)),
        "invoices": lambda: _reserving(
            bill.target("invoices", **of("invoices", cost_centers=cost_centers)), jde, hand_over
        ),
        "vouchers": lambda: jde.target(
            "vouchers", **of("vouchers", company=company, tax=tax, closed_period=closed_period, matching="never")
        ),
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
        "invoices": {"select": origin.item_excluded, "withdraw": functools.partial(_withdrawn, hand_over)},
        "vouchers": {"select": origin.bill_excluded},
        "payments": {"select": _payment_excluded},
    }
    return ways.flow(
        [ways.sync(kind, read[kind](), target[kind](), **options[kind]) for kind in chosen],
        events=_EVENTS,
        systems={"jdedwards": jde.origin, "bill": bill.origin},
        checks=(jde.check, bill.check, lambda: Check(system="flow", steps=(hand_over.check(jde),))),
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
            "invoices": Recount(
                read=lambda period: Records(
                    PayItemsReader(
                        jde.invoices(where=[*conditions.get("invoices", ()), *desk.period_of("DGJ", period)]).reader,
                        hand_over.reasons,
                    )
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


def _withdrawn(hand_over: HandOver, item: Invoice) -> Invoice | None:
    """What is no longer BILL's to pay (on hold, in a payment run, given to another instrument) takes an unpaid bill
    back; what only waits to be posted, waits (rules B60, B61).
    """
    held = hand_over.reasons(item, item.pay_items[0])
    return attrs.evolve(item, void=True, waiting_for=()) if held else None


def _payment_excluded(payment: Payment, known: bool) -> str | Excluded | None:
    if payment.void and not known:
        return "taken back before it was posted"
    return None


class _Origin:
    """Where an invoice was born, and who has paid it: a fact has one home (rule B1).

    Args:
        ledger: The memory. ``bill``: asked for what a lost one no longer knows.
        sent, posted, paid: The syncs of pay items, of vouchers and of payments.
        content: What BILL is told of a pay item, where pay items are reserved by their pay status; else ``None``.
    """

    def __init__(
        self, ledger: Ledger, bill: BILL, *, sent: str, posted: str, paid: str, content: Callable[[Invoice], str] | None
    ) -> None:
        self._ledger, self._bill, self._sent, self._posted, self._paid = ledger, bill, sent, posted, paid
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
        return "nothing open" if not item.open else None

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
        """A bill: not one that this flow made."""
        born = bool(invoice.origin) and not invoice.origin.upper().startswith(_MARK)
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
        marks = [one.origin for one in self._bill.invoices(keys=[key])]
        if not marks:
            rows = self._bill.rows("vendor-credits", where=[("id", "in", [key])])
            marks = [str(row.get("description") or "").partition(" ")[0] for row in rows]
        (mark,) = marks or ("",)
        return paid_item_of(mark[len(_OUR_MARK) :]) if mark.startswith(_OUR_MARK) else None
