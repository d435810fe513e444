"""JD Edwards and Coupa: suppliers, orders and invoices out; approved invoices and payments back (rules B50, B51)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from mlconnector.coupa import Coupa
from mlconnector.delivery import Attention, Flow, Ledger, Recount
from mlconnector.documents import Application, Invoice, Payment, PurchaseOrder
from mlconnector.errors import InvalidArgument
from mlconnector.flows import _desk as desk
from mlconnector.flows._cleo_parts import chosen_kinds, conditions_by_kind
from mlconnector.flows._two_ways import TwoWays, paid_item_of
from mlconnector.jdedwards import JDEdwardsAIS

__all__ = ["KINDS", "jde_to_coupa"]

KINDS = ("suppliers", "purchase_orders", "invoices", "vouchers", "payments")
_EVENTS: Mapping[str, Sequence[str]] = {"invoices": ("vouchers",), "payments": ("payments",)}
_MARK = "COUPA:"
Where = Sequence[tuple[str, str, Any]]


def jde_to_coupa(
    jde: JDEdwardsAIS,
    coupa: Coupa,
    *,
    ledger: Ledger,
    name: str | None = None,
    begin: Literal["everything", "nothing"] | dt.datetime | None = None,
    kinds: Sequence[str] | None = None,
    where: Mapping[str, Where] | None = None,
    chart: str | None = None,
    ship_to_user: str | None = None,
    submit: bool = False,
    targets: Mapping[str, Mapping[str, Any]] | None = None,
    company: str | None = None,
    tax: Mapping[str, tuple[str, str]] | None = None,
    bank_account: str | Mapping[str, str] | None = None,
    closed_period: Literal["park", "first_open"] = "park",
    on_baseline_change: Literal["attention", "create", "change"] = "attention",
    overwrite: bool = False,
    on_attention: Callable[[Attention], None] | None = None,
    stop_after: int = 100,
    confirm_within: dt.timedelta = dt.timedelta(hours=24),
    max_in_flight: int = 1,
    inbox: str | None = None,
) -> Flow:
    """Suppliers, orders and posted invoices reach Coupa; what is approved and paid there comes back, once.

    Nothing echoes (rule B1): a voucher that this flow made is not sent to Coupa, an invoice that it sent is not made a
    voucher again.

    Args:
        jde, coupa: The two systems.
        ledger: The durable memory.
        name: Name in the ledger; ``"jde_to_coupa"`` by default.
        begin: What an empty ledger sends (rule B2); needed at the first run.
        kinds: Out ``suppliers``, ``purchase_orders``, ``invoices``; back ``vouchers`` (approved invoices) and
            ``payments``. All by default; payments only with ``bank_account=``.
        where: Conditions by kind: on F0401, F4301, F0411; for what comes back, in Coupa's field names.
        chart: Chart of accounts of account codes. ``ship_to_user``: login Coupa wants on orders (section 6).
        submit: Submit invoices; by default they stay drafts (rule B50).
        targets: Further options by kind, of ``coupa.target(...)`` for what goes out and of ``jde.target(...)`` for what
            comes back: ``{"purchase_orders": {"ship_to_address": "MAIN"}}``.
        company: Company of Coupa invoices that name none. ``tax``: see ``jde.target("vouchers")``.
        bank_account: ``AID`` of the account payments are recorded on, or one a currency.
        closed_period: ``"park"``, or ``"first_open"``: post on the first open day and show both dates (rule B71).
        on_baseline_change, overwrite, on_attention, stop_after, confirm_within: See
            :class:`~mlconnector.delivery.Sync`.
        max_in_flight: Records under way to Coupa at once, each of another document, all at the client's pace. What goes
            into JD Edwards goes one by one.
        inbox: The inbox that ``webhooks.receive`` fills; polling does the same work without it.

    Raises:
        InvalidArgument: An option that cannot be meant, with its value.
    """
    known = KINDS if bank_account is not None else KINDS[:-1]
    if kinds is not None and "payments" in kinds and bank_account is None:
        raise InvalidArgument("kinds= has payments, bank_account= is None.", cure="Say where payments are recorded.")
    chosen = chosen_kinds(kinds, known)
    conditions = conditions_by_kind(where, chosen)
    ways = TwoWays(
        name=name or "jde_to_coupa",
        ledger=ledger,
        begin=begin,
        on_baseline_change=on_baseline_change,
        overwrite=overwrite,
        on_attention=on_attention,
        stop_after=stop_after,
        confirm_within=confirm_within,
        max_in_flight=max_in_flight,
        inbox=inbox,
        timeout=coupa.timeout.total,
    )
    further = conditions_by_kind(targets, KINDS, name="targets")

    def of(kind: str, **options: Any) -> dict[str, Any]:
        given = {name: value for name, value in options.items() if value is not None}
        return {**given, **further.get(kind, {})}

    origin = _Origin(ledger, ways.sync_name("invoices"), ways.sync_name("vouchers"))
    approved = [("status", "in", ["approved", "voided"]), *conditions.get("vouchers", ())]
    read: Mapping[str, Callable[[], Any]] = {
        "suppliers": lambda: jde.suppliers(where=conditions.get("suppliers")),
        "purchase_orders": lambda: jde.purchase_orders(where=conditions.get("purchase_orders")),
        "invoices": lambda: jde.invoices(where=conditions.get("invoices")),
        "vouchers": lambda: coupa.invoices(where=approved),
        "payments": lambda: coupa.payments(where=conditions.get("payments")),
    }
    target: Mapping[str, Callable[[], Any]] = {
        "suppliers": lambda: coupa.target("suppliers", **of("suppliers")),
        "purchase_orders": lambda: coupa.target(
            "purchase_orders", **of("purchase_orders", chart=chart, ship_to_user=ship_to_user)
        ),
        "invoices": lambda: coupa.target("invoices", **of("invoices", chart=chart, submit=submit)),
        "vouchers": lambda: jde.target(
            "vouchers", **of("vouchers", company=company, tax=tax, closed_period=closed_period)
        ),
        "payments": lambda: jde.target(
            "payments",
            **of(
                "payments",
                bank_account=bank_account,
                voucher_of=origin.pay_item,
                supplier_of=origin.supplier,
                origin="coupa",
                closed_period=closed_period,
            ),
        ),
    }
    select: Mapping[str, Any] = {
        "purchase_orders": _order_excluded,
        "invoices": origin.invoice_excluded,
        "vouchers": origin.voucher_excluded,
    }
    return ways.flow(
        [ways.sync(kind, read[kind](), target[kind](), select=select.get(kind)) for kind in chosen],
        events=_EVENTS,
        systems={"jdedwards": jde.origin, "coupa": coupa.origin},
        checks=(jde.check, coupa.check),
        alignings=[
            desk.suppliers(
                jde,
                coupa,
                sync=ways.sync_name("suppliers"),
                write=desk.writer(jde, desk.numbered_saver(coupa), coupa.system),
            ),
            desk.charged_codes(jde, coupa, ledger),
        ],
        recounts={
            "purchase_orders": Recount(
                read=lambda period: jde.purchase_orders(
                    where=[*conditions.get("purchase_orders", ()), *desk.period_of("TRDJ", period)]
                ),
                there=lambda ids: desk.found(coupa.purchase_orders(keys=ids)),
            ),
            "invoices": Recount(
                read=lambda period: jde.invoices(
                    where=[*conditions.get("invoices", ()), *desk.period_of("DGJ", period)]
                ),
                there=lambda ids: desk.found(coupa.invoices(keys=ids)),
                party_there=desk.unlinked(ledger, "jdedwards", "coupa"),
            ),
            "vouchers": Recount(there=lambda ids: desk.found(jde.invoices(keys=ids))),
            "payments": Recount(
                there=lambda ids: desk.found(jde.payments(keys=ids)), account=desk.account_of(bank_account)
            ),
        },
    )


def _order_excluded(order: PurchaseOrder, known: bool) -> str | None:
    if order.type == "OB":
        return "a blanket order is never sent; its releases are"
    if not known and order.status in ("closed", "cancelled"):
        return f"{order.status} before it was first seen"
    return None


class _Origin:
    """Where an invoice was born: a fact has one home (rule B1)."""

    def __init__(self, ledger: Ledger, sent: str, posted: str) -> None:
        self._ledger, self._sent, self._posted = ledger, sent, posted

    def invoice_excluded(self, invoice: Invoice, known: bool) -> str | None:
        """A voucher: not what came from Coupa, by its mark or by the ledger."""
        born = invoice.origin.upper().startswith(_MARK)
        if born or self._ledger.twin(self._posted, target_id=invoice.key) is not None:
            return "born in Coupa"
        if known:
            return None
        if invoice.void:
            return "void before it was first seen"
        return "nothing open" if not invoice.open else None

    def voucher_excluded(self, invoice: Invoice, known: bool) -> str | None:
        """A Coupa invoice: not what this flow sent."""
        born = bool(invoice.origin) and not invoice.origin.upper().startswith(_MARK)
        if born or self._ledger.twin(self._sent, target_id=invoice.key) is not None:
            return "born in JD Edwards"
        return "void before it was first seen" if invoice.void and not known else None

    def supplier(self, application: Application, _payment: Payment) -> str | None:
        """Whose invoice was paid: payments do not say, the voucher that was made of it does."""
        made = self._ledger.deliveries(self._posted, key=application.invoice)
        invoice = made[-1].document if made else None
        return None if not isinstance(invoice, Invoice) or invoice.supplier is None else invoice.supplier.number

    def pay_item(self, application: Application, _payment: Payment) -> str | None:
        """The pay item of what was paid: of the voucher we made of it, or of the one it was made from."""
        voucher = self._ledger.twin(self._posted, key=application.invoice)
        if voucher is not None:
            return paid_item_of(voucher)
        sent = self._ledger.twin(self._sent, target_id=application.invoice)
        if sent is None:
            return None
        invoice = self._ledger.deliveries(self._sent, key=sent)[-1].document
        assert isinstance(invoice, Invoice)
        return paid_item_of(sent, invoice.pay_items[0].number) if len(invoice.pay_items) == 1 else None
