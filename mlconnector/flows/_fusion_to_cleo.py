"""Oracle Fusion to Cleo: invoices as 810, payments as 820, shipments as 856, journal lines as JSON or CSV."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from mlconnector.cleo import Cleo, Route, Routes
from mlconnector.delivery import Attention, Excluded, Flow, Ledger
from mlconnector.documents import Document, Invoice, JournalLine, Payment, Shipment
from mlconnector.flows import _desk as desk
from mlconnector.flows._cleo_parts import CleoParts, chosen_kinds, conditions_by_kind
from mlconnector.fusion import OracleFusion
from mlconnector.target import LookUp

__all__ = ["KINDS", "fusion_to_cleo"]

KINDS = ("invoices", "payments", "shipments", "journal_lines")
_CODES: Mapping[str, str] = {"invoices": "810", "payments": "820", "shipments": "856"}
Where = Sequence[tuple[str, str, Any]]


def fusion_to_cleo(
    fusion: OracleFusion,
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
    """Every approved invoice, issued payment, shipment and posted journal line reaches its partner, once.

    A delivery's key is the Fusion document's id (``InvoiceId``, ``CheckId``), so that a dispute about a file walks back
    to the payment, its invoices and the journal candidates: :func:`~mlconnector.flows.trace_payment`.

    Args:
        fusion, cleo: The two systems.
        ledger: The durable memory.
        routes: Which party's documents go where (rule B5): 810 by supplier, 820 by payee (a route that has 820 in its
            ``sends``), 856 by the ship-to customer or warehouse, journal lines by ``Route(ledger=, account=)``.
        name: Name in the ledger; ``"fusion_to_cleo"`` by default.
        begin: What an empty ledger sends (rule B2).
        kinds: Some of ``invoices``, ``payments``, ``shipments``, ``journal_lines``; those that some route takes by
            default.
        where: Conditions by kind, on the resource.
        on_baseline_change, no_route, overwrite, on_attention, stop_after, confirm_within, look_up, self_billed_when,
        collect, acknowledge, inbox: As of :func:`jde_to_cleo`.

    Raises:
        InvalidArgument: An option that cannot be meant, with its value.
    """
    table = routes if isinstance(routes, Routes) else Routes(routes, no_route=no_route)
    chosen = _taken(table) if kinds is None else chosen_kinds(kinds, KINDS)
    conditions = conditions_by_kind(where, chosen)
    parts = CleoParts(
        name=name or "fusion_to_cleo",
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
        [parts.outbound(kind, fusion.read(kind, where=conditions.get(kind)), target, select=select) for kind in chosen],
        systems={"fusion": fusion.origin, "cleo": cleo.origin},
        checks=(fusion.check, lambda: cleo.check(table)),
        alignings=[desk.connections(fusion, cleo, table), *desk.partner_codes(fusion, ledger, ("accounts",))],
    )


def _taken(routes: Routes) -> tuple[str, ...]:
    """Kinds that some route takes."""
    sends = {code for route in routes.all for code in route.sends if not route.for_journals}
    journals = any(route.for_journals for route in routes.all)
    return tuple(kind for kind in KINDS if (journals if kind == "journal_lines" else _CODES[kind] in sends))


class _Selection:
    """What is not meant to go, and why (rules B5, B20, B30)."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def __call__(self, document: Document, known: bool) -> str | Excluded | None:
        route = self._route(document)
        if route is None and self._routes.no_route == "skip":
            return "no route"
        if isinstance(document, Payment) and document.void:
            return Excluded("void", "It was voided after the partner had been told of it (rule B30).")
        if isinstance(document, Invoice):
            if route is not None and route.invoice_role == "none":
                return 'the route has invoice_role="none"'
            return "void before it was first seen" if document.void and not known else None
        return None

    def _route(self, document: Document) -> Route | None:
        find = self._routes.find
        if isinstance(document, JournalLine):
            return self._routes.find_journal(document.ledger, document.account)
        if isinstance(document, Payment):
            return find("" if document.payee is None else document.payee.number, code="820")
        if isinstance(document, Shipment):
            return find("" if document.ship_to is None else document.ship_to.number, code="856")
        assert isinstance(document, Invoice)
        party = "" if document.supplier is None else document.supplier.number
        return find(party, company=document.company, code="810")
