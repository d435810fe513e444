"""PeopleSoft and Cleo: orders and vouchers out; 810, 855, 856 and 997 back, 810s as vouchers (rules B4, B40)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from mlconnector.cleo import Cleo, Route, Routes
from mlconnector.delivery import Attention, Flow, Ledger
from mlconnector.documents import Invoice, PurchaseOrder
from mlconnector.errors import InvalidArgument
from mlconnector.flows import _desk as desk
from mlconnector.flows._cleo_parts import CleoParts, chosen_kinds, conditions_by_kind
from mlconnector.peoplesoft import PeopleSoft
from mlconnector.records import Records
from mlconnector.target import LookUp

__all__ = ["KINDS", "peoplesoft_to_cleo"]

KINDS = ("purchase_orders", "invoices", "vouchers")
_READ = KINDS[:2]
Where = Sequence[tuple[str, str, Any]]


def peoplesoft_to_cleo(
    people: PeopleSoft,
    cleo: Cleo,
    *,
    ledger: Ledger,
    routes: Routes | Iterable[Route],
    name: str | None = None,
    begin: Literal["everything", "nothing"] | dt.datetime | None = None,
    kinds: Sequence[str] | None = None,
    where: Mapping[str, Where] | None = None,
    vouchers: Mapping[str, Any] | None = None,
    on_baseline_change: Literal["attention", "850", "860"] = "attention",
    no_route: Literal["park", "skip"] = "park",
    overwrite: bool = False,
    on_attention: Callable[[Attention], None] | None = None,
    stop_after: int = 100,
    confirm_within: dt.timedelta = dt.timedelta(hours=24),
    max_in_flight: int = 1,
    look_up: LookUp = "present_only",
    self_billed_when: Callable[[Invoice], bool] | None = None,
    collect: Sequence[str] = ("inbox/",),
    acknowledge: Literal["library", "gateway"] = "library",
    inbox: str | None = None,
) -> Flow:
    """Dispatched orders and approved vouchers reach their partner; a partner's 810 becomes a voucher, once.

    An 810 is held against its order first (rule B40); the voucher is looked up in staging and in AP, before and after
    (rule B4). 855 and 856 update the order's story; every group is answered with a 997.

    Args:
        people, cleo: The two systems.
        ledger: The durable memory.
        routes: Which party's documents go where (rule B5); also whose files are taken. A route's parties are the
            suppliers its partner may invoice for.
        name: Name in the ledger; ``"peoplesoft_to_cleo"`` by default.
        begin: What an empty ledger sends (rule B2).
        kinds: Out ``purchase_orders`` and ``invoices``, in ``vouchers``. All by default; ``vouchers`` only where the
            client can write (``requesting_node=`` or ``voucher_component=``).
        where: Conditions by kind, for what goes out.
        vouchers: Options of ``people.target("vouchers")``: ``setid``, ``allocation``, ``match_orders`` ...
        on_baseline_change, no_route, overwrite, on_attention, stop_after, confirm_within, max_in_flight, look_up,
        self_billed_when, collect, acknowledge, inbox: As of :func:`jde_to_cleo`.

    Raises:
        InvalidArgument: An option that cannot be meant, with its value.
    """
    writes = people.sends_messages or people.voucher_component is not None
    if kinds is not None and "vouchers" in kinds and not (writes and collect):
        raise InvalidArgument(
            f"kinds={kinds!r} has vouchers, and nothing can be collected or posted.",
            cure="Give PeopleSoft requesting_node= or voucher_component=, and the flow collect=.",
        )
    chosen = chosen_kinds(kinds, KINDS if writes and collect else _READ)
    conditions = conditions_by_kind(where, [kind for kind in chosen if kind in _READ])
    table = routes if isinstance(routes, Routes) else Routes(routes, no_route=no_route)
    posting = "vouchers" in chosen
    if vouchers and not posting:
        raise InvalidArgument(
            f"vouchers={dict(vouchers)!r}, and the flow makes none.",
            cure="Leave it out; or give PeopleSoft requesting_node= or voucher_component=, and kinds= with vouchers.",
        )
    parts = CleoParts(
        name=name or "peoplesoft_to_cleo",
        cleo=cleo,
        ledger=ledger,
        routes=table,
        begin=begin,
        on_baseline_change=on_baseline_change,
        overwrite=overwrite,
        on_attention=on_attention,
        stop_after=stop_after,
        confirm_within=confirm_within,
        max_in_flight=max_in_flight,
        look_up=look_up,
        collect=collect,
        acknowledge=acknowledge,
        inbox=inbox,
        also=("810", "856") if posting else ("856",),
        posts=("810",) if posting else (),
        source="peoplesoft",
    )
    target = cleo.target("files", routes=table, look_up=look_up, self_billed_when=self_billed_when)
    select = _Selection(table, ledger, f"{parts.name}/vouchers")
    out = [
        parts.outbound(kind, people.read(kind, where=conditions.get(kind)), target, select=select)
        for kind in chosen
        if kind in _READ
    ]
    posted = []
    if posting:
        records = Records(parts.x12_inbox.invoices_reader())
        taker = people.target("vouchers", **dict(vouchers or {}))
        posted.append(parts.outbound("vouchers", records, taker, begin="everything", timeout=people.timeout.total))
    return parts.flow(
        out,
        posting=posted,
        systems={"peoplesoft": people.origin, "cleo": cleo.origin},
        checks=(people.check, lambda: cleo.check(table)),
        alignings=[desk.connections(people, cleo, table), *desk.partner_codes(people, ledger)],
    )


class _Selection:
    """What is not meant to go, and why (rules B1, B5, B10, B20)."""

    def __init__(self, routes: Routes, ledger: Ledger, posted: str) -> None:
        self._routes, self._ledger, self._posted = routes, ledger, posted

    def __call__(self, document: PurchaseOrder | Invoice, known: bool) -> str | None:
        invoice = isinstance(document, Invoice)
        party = "" if document.supplier is None else document.supplier.number
        route = self._routes.find(party, company=document.company, code="810" if invoice else "850")
        if route is None and self._routes.no_route == "skip":
            return "no route"
        if isinstance(document, Invoice):
            # Also while its delivery is in doubt: Voucher Build may be ahead of our looking for it.
            key = f"{party}/{document.supplier_invoice_number}"
            if document.origin or self._ledger.deliveries(self._posted, key=key):
                return "made of an invoice that came from the partner"
            if route is not None and route.invoice_role == "none":
                return 'the route has invoice_role="none"'
            return "void before it was first seen" if document.void and not known else None
        if not known and document.status in ("closed", "cancelled"):
            return f"{document.status} before it was first seen"
        return None
