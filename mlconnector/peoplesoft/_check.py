"""``people.check()``: address and login, every query with its fields, clock, orders by status; nothing is written."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from mlconnector.check import Check, CheckStep
from mlconnector.errors import AuthenticationFailed, MLConnectorError
from mlconnector.http import HTTPClient
from mlconnector.peoplesoft._heads import Head
from mlconnector.peoplesoft._order_mapping import to_order
from mlconnector.peoplesoft._source import EARLIEST, LATEST

if TYPE_CHECKING:
    from mlconnector.peoplesoft._client import PeopleSoft

__all__ = ["check"]

_SKEW = dt.timedelta(minutes=5)
_SAMPLE = 500
_DETAILS = {"order_lines": ("purchase_orders", "PO"), "invoice_lines": ("invoices", "VOUCHER")}
"""Queries of one document, and where a document comes from."""


def _step(name: str, act: Callable[[], str]) -> CheckStep:
    try:
        return CheckStep(name=name, ok=True, detail=act())
    except MLConnectorError as error:
        return CheckStep(name=name, ok=False, cause=error.message, cure=error.cure, who=error.fault)


def check(people: PeopleSoft, client: HTTPClient) -> Check:
    """Every step, none of them raising for a vendor's fault."""
    source = people.source
    steps: list[CheckStep] = []
    needed = [entity for entity, layout in source.layouts.items() if _places(people, entity)]
    for number, entity in enumerate(needed):
        layout = source.layouts[entity]
        name = "address, TLS, login and " if number == 0 else ""
        try:
            detail = functools.partial(_query, people, client, entity, first=number == 0)
            steps.append(_checked(f"{name}query {layout.name}", detail))
        except AuthenticationFailed as error:
            steps.append(CheckStep(name="login", ok=False, cause=error.message, cure=error.cure, who=error.fault))
            return Check(system="peoplesoft", steps=tuple(steps))
    if source.units:
        steps.append(_step("orders by status", lambda: _orders(people)))
    if people.voucher_component is not None:
        component = people.voucher_component
        steps.append(
            _step(f"component interface {component.name}", lambda: people.components.namespace(component, "Create"))
        )
    elif people.sends_messages:
        steps.append(_step(f"operation {people.voucher.operation}", lambda: _ping(people)))
    return Check(system="peoplesoft", steps=tuple(steps))


def _checked(name: str, act: Callable[[], str]) -> CheckStep:
    """As a step, but a refused login ends the check: accounts lock."""
    try:
        return CheckStep(name=name, ok=True, detail=act())
    except AuthenticationFailed:
        raise
    except MLConnectorError as error:
        return CheckStep(name=name, ok=False, cause=error.message, cure=error.cure, who=error.fault)


def _places(people: PeopleSoft, entity: str) -> tuple[str, ...]:
    prompts = people.source.layouts[entity].query.prompts
    return people.source.units if "BU" in prompts else people.source.setids


def _query(people: PeopleSoft, client: HTTPClient, entity: str, *, first: bool) -> str:
    source = people.source
    values = _values(people, entity)
    asked = source.ask(entity, values, 1)
    found = "its fields are there" if asked.rows else "no row came: nothing there, or the user may not see it"
    if len(asked.rows) > 1:
        found += "; it ignores maxrows"
    if not first:
        return found
    skew = None if asked.clock is None else abs(asked.clock - client.clock.now())
    slow = f"; the clocks differ by {skew}" if skew is not None and skew > _SKEW else ""
    return f"{found}; called from {client.local_address()}{slow}"


def _values(people: PeopleSoft, entity: str) -> dict[str, str]:
    """Prompts for one row."""
    source, place = people.source, _places(people, entity)[0]
    values = {"BU": place, "SETID": place, "FROM_DT": EARLIEST, "TO_DT": LATEST}
    values["ASOF_DT"] = source.today().isoformat()
    if entity in _DETAILS:
        head, prompt = _DETAILS[entity]
        rows = source.ask(head, values, 1).rows
        values[prompt] = str(rows[0].get(source.layouts[head].query.key) or "").rstrip() if rows else "0"
    return values | {"VENDOR": values.get("VENDOR", "0"), "INVOICE": values.get("INVOICE", "0")}


def _orders(people: PeopleSoft) -> str:
    """Which orders would go, by status, of the first that come."""
    source, statuses, fit = people.source, Counter[str](), 0
    for unit in source.units:
        values = {"BU": unit, "FROM_DT": EARLIEST, "TO_DT": LATEST}
        for row in source.ask("purchase_orders", values, _SAMPLE).rows:
            order, _faults = to_order(Head(row))
            waiting = [reason for reason in order.waiting_for if reason != "no line to deliver"]
            statuses[str(row.get("A.PO_STATUS")).strip()] += 1
            fit += order.status == "open" and not waiting
    listed = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
    return f"of {statuses.total()} orders looked at, {fit} are fit to go ({listed})"


def _ping(people: PeopleSoft) -> str:
    people.messages.ping(people.voucher.operation)
    return "the connector answers for the node; whether the operation is active shows with the first message"
