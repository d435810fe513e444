"""JD Edwards to Cleo: purchase orders as 850 and 860, vouchers as 810 (outbound)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from mlconnector.cleo import Cleo, Route, Routes
from mlconnector.delivery import Attention, Flow, Ledger, Sync
from mlconnector.documents import Invoice, PurchaseOrder
from mlconnector.errors import InvalidArgument
from mlconnector.jdedwards import JDEdwardsAIS
from mlconnector.target import LookUp

__all__ = ["KINDS", "jde_to_cleo"]

KINDS = ("purchase_orders", "invoices")
_BASELINE_CHANGE: Mapping[str, Literal["attention", "create", "change"]] = {
    "attention": "attention",
    "850": "create",
    "860": "change",
}
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

    Raises:
        InvalidArgument: An option that cannot be meant, with its value.
    """
    chosen = tuple(KINDS if kinds is None else kinds)
    unknown = [kind for kind in chosen if kind not in KINDS]
    if unknown or not chosen:
        raise InvalidArgument(f"kinds={kinds!r}.", cure=f"Use some of {', '.join(KINDS)}.")
    if on_baseline_change not in _BASELINE_CHANGE:
        raise InvalidArgument(
            f"on_baseline_change={on_baseline_change!r}.", cure=f"Use one of {', '.join(_BASELINE_CHANGE)}."
        )
    conditions = dict(where or {})
    strange = sorted(set(conditions) - set(chosen))
    if strange:
        raise InvalidArgument(f"where= has {strange!r}.", cure=f"Give conditions by kind: {', '.join(chosen)}.")
    table = routes if isinstance(routes, Routes) else Routes(routes, no_route=no_route)
    target = cleo.target("files", routes=table, look_up=look_up, self_billed_when=self_billed_when)
    flow, syncs = name or "jde_to_cleo", []
    for kind in chosen:
        syncs.append(
            Sync(
                f"{flow}/{kind}",
                records=jde.read(kind, where=conditions.get(kind)),
                target=target,
                ledger=ledger,
                kind=kind,
                begin=begin,
                on_baseline_change=_BASELINE_CHANGE[on_baseline_change],
                select=_Selection(table),
                overwrite=overwrite,
                stop_after=stop_after,
                on_attention=on_attention,
                call_timeout=cleo.timeout.total,
                lease=dt.timedelta(seconds=2 * cleo.timeout.total),
                confirm_within=confirm_within,
            )
        )
    tests_only = all(route.partner.usage == "T" for route in table.all)
    return Flow(
        flow,
        syncs,
        ledger=ledger,
        systems={"jdedwards": jde.origin, "cleo": cleo.origin},
        begin_needed=begin is None and not tests_only,
        checks=(jde.check, lambda: cleo.check(table)),
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
