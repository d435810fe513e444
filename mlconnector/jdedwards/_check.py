"""``jde.check()``: name, TLS, login, rights table by table, clock, orders per status; nothing is written."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from mlconnector.check import Check, CheckStep
from mlconnector.errors import MLConnectorError, NotFound
from mlconnector.http import HTTPClient, Request
from mlconnector.jdedwards._browse import DataService
from mlconnector.jdedwards._contract import CONTRACT
from mlconnector.jdedwards._tables import TABLES

if TYPE_CHECKING:
    from mlconnector.jdedwards._client import JDEdwardsAIS

__all__ = ["check"]

_SKEW = dt.timedelta(minutes=5)
_SAMPLE = 500


def _step(name: str, act: Callable[[], str]) -> CheckStep:
    try:
        return CheckStep(name=name, ok=True, detail=act())
    except MLConnectorError as error:
        return CheckStep(name=name, ok=False, cause=error.message, cure=error.cure, who=error.fault)


def check(jde: JDEdwardsAIS, client: HTTPClient, service: DataService) -> Check:
    """Every step, none of them raising for a vendor's fault."""
    steps = [_step("address, TLS and login", functools.partial(_login, client))]
    if steps[0].ok:
        steps += [_step(f"table {table}", functools.partial(_table, service, table)) for table in TABLES]
        steps.append(_step("orders per status", functools.partial(_orders, jde, service)))
        steps += [_orchestration(jde, key) for key in CONTRACT]
    return Check(system="jdedwards", steps=tuple(steps))


def _orchestration(jde: JDEdwardsAIS, key: str) -> CheckStep:
    """Against the contract (rule B70); reading needs none of them."""
    lacks, without = jde.lacking_orchestrations([key]), jde.lacking_orchestrations([key], optional=True)
    if lacks:
        detail = f"not there, so nothing of this kind can be written: {'; '.join(lacks)}"
    elif without:
        detail = f"an older contract, so what needs these inputs is parked: {'; '.join(without)}"
    elif jde.lists_orchestrations:
        detail = "as the contract"
    else:
        detail = "not compared: the site does not let its orchestrations be listed"
    return CheckStep(name=f"orchestration {key}", ok=True, detail=detail)


def _login(client: HTTPClient) -> str:
    client.log_in()
    try:
        response = client.send(Request("GET", "/jderest/v2/defaultconfig"))
    except NotFound:
        return f"logged in from {client.local_address()}; the server tells nothing of itself"
    skew = None if response.date is None else abs(response.date - client.clock.now())
    slow = f"; the clocks differ by {skew}" if skew is not None and skew > _SKEW else ""
    return f"logged in from {client.local_address()}{slow}"


def _table(service: DataService, table: str) -> str:
    grid = service.page(table, TABLES[table].columns, (), size=1)
    return "readable" if grid.rows else "readable, but no row came: row security may hide them, or it is empty"


def _orders(jde: JDEdwardsAIS, service: DataService) -> str:
    approval, statuses, fit = jde.approval, Counter[str](), 0
    where = [("DCTO", "in", list(approval.order_types))]
    for row in service.page("F4311", ("LTTR", "NXTR"), where, size=_SAMPLE).rows:
        last, following = (str(row.get(f"F4311_{alias}") or "").strip() for alias in ("LTTR", "NXTR"))
        statuses[f"{last}-{following}"] += 1
        fit += approval.fit(following)
    listed = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
    return f"of {statuses.total()} lines looked at, {fit} are fit to go ({listed})"
