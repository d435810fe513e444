"""JD Edwards to Cleo: purchase orders as 850 and 860, vouchers as 810; what partners answer finds its order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from mlconnector.cleo import Cleo, Route, Routes
from mlconnector.delivery import Attention, Flow, Ledger, Recount
from mlconnector.documents import Invoice, PurchaseOrder
from mlconnector.flows import _desk as desk
from mlconnector.flows._cleo_parts import CleoParts, chosen_kinds, conditions_by_kind
from mlconnector.jdedwards import JDEdwardsAIS
from mlconnector.target import LookUp

__all__ = ["KINDS", "jde_to_cleo"]

KINDS = ("purchase_orders", "invoices")
_DAYS: Mapping[str, str] = {"purchase_orders": "TRDJ", "invoices": "DGJ"}
"""Columns of the business day, in F4301 and F0411."""
Where = Sequence[tuple[str, str, Any]]


def jde_to_cleo(
    jde: JDEdwardsAIS,
    cleo: Cleo,
    *,
    ledger: Ledger,
    routes: Routes | Iterable[Route],
    name: str | None = None,
    begin: Literal["everything", "nothing"] | dt.datetime | None = None,
    kinds: Sequence[str] | None = None,
    where: Mapping[str, Where] | None = None,
    on_baseline_change: Literal["attention", "850", "860"] = "attention",
    no_route: Literal["park", "skip"] = "park",
    overwrite: bool = False,
    on_attention: Callable[[Attention], None] | None = None,
    stop_after: int = 100,
    confirm_within: dt.timedelta = dt.timedelta(hours=24),
    look_up: LookUp = "present_only",
    self_billed_when: Callable[[Invoice], bool] | None = None,
    collect: Sequence[str] = ("inbox/",),
    acknowledge: Literal["library", "gateway"] = "library",
    inbox: str | None = None,
) -> Flow:
    """Every approved purchase order and voucher reaches its partner, once. Calls no orchestration (rule B7).

    Args:
        jde, cleo: The two systems.
        ledger: The durable memory.
        routes: Which party's documents go where (rule B5).
        name: Name in the ledger; ``"jde_to_cleo"`` by default.
        begin: What an empty ledger sends: ``"nothing"``, ``"everything"`` or an aware datetime. ``None`` is refused at
            the first run, except where every route has usage T (rule B2).
        kinds: ``"purchase_orders"``, ``"invoices"``, or both (default).
        where: Conditions by kind, on F4301 and F0411.
        on_baseline_change: What a change of a baselined order does (rule B2).
        no_route: ``"park"`` or ``"skip"`` what has no route.
        overwrite: Without effect on files, which are never written over.
        on_attention, stop_after, confirm_within: See :class:`~mlconnector.delivery.Sync`.
        look_up: ``"reliable"`` where ``flow.check()`` proves that sentbox or transfers can be read.
        self_billed_when: Which vouchers are evaluated receipts (rule B20).
        collect: Folders from which answers are fetched: 855, 865, 997, 999 and TA1 find their order, 824 and others
            are shown (rule B17). ``()`` leaves what comes in alone.
        acknowledge: Who answers with 997s: ``"library"`` or ``"gateway"``. ``inbox``: its name in the ledger.

    Raises:
        InvalidArgument: An option that cannot be meant, with its value.
    """
    chosen = chosen_kinds(kinds, KINDS)
    conditions = conditions_by_kind(where, chosen)
    table = routes if isinstance(routes, Routes) else Routes(routes, no_route=no_route)
    parts = CleoParts(
        name=name or "jde_to_cleo",
        cleo=cleo,
        ledger=ledger,
        routes=table,
        begin=begin,
        on_baseline_change=on_baseline_change,
        overwrite=overwrite,
        on_attention=on_attention,
        stop_after=stop_after,
        confirm_within=confirm_within,
        collect=collect,
        acknowledge=acknowledge,
        inbox=inbox,
        look_up=look_up,
    )
    target = cleo.target("files", routes=table, look_up=look_up, self_billed_when=self_billed_when)
    select = _Selection(table)
    return parts.flow(
        [parts.outbound(kind, jde.read(kind, where=conditions.get(kind)), target, select=select) for kind in chosen],
        systems={"jdedwards": jde.origin, "cleo": cleo.origin},
        checks=(jde.check, lambda: cleo.check(table)),
        alignings=[desk.connections(jde, cleo, table), *desk.partner_codes(jde, ledger)],
        recounts={
            kind: Recount(
                read=lambda period, kind=kind: jde.read(  # type: ignore[misc]  # the loop's kind, bound
                    kind, where=[*conditions.get(kind, ()), *desk.period_of(_DAYS[kind], period)]
                )
            )
            for kind in chosen
        },
    )


class _Selection:
    """What is not meant to go, and why (rules B5, B10, B15, B20)."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def __call__(self, document: PurchaseOrder | Invoice, known: bool) -> str | None:
        invoice = isinstance(document, Invoice)
        party = "" if document.supplier is None else document.supplier.number
        branch = document.extras.get("branch", "")
        code = "810" if invoice else "850"
        route = self._routes.find(party, company=document.company, branch=branch, code=code)
        if route is None and self._routes.no_route == "skip":
            return "no route"
        if isinstance(document, Invoice):
            if route is not None and route.invoice_role == "none":
                return 'the route has invoice_role="none"'
            return "void before it was first seen" if document.void and not known else None
        if document.type == "OB":
            return "a blanket order is never sent; its releases are"
        if not known and document.status in ("closed", "cancelled"):
            return f"{document.status} before it was first seen"
        return None
