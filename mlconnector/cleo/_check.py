"""``cleo.check()``: name, TLS, login, folders, connections, transfers, clock; nothing is written."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mlconnector.check import Check, CheckStep
from mlconnector.cleo._routes import Route, Routes
from mlconnector.errors import MLConnectorError, NotFound, PermissionDenied
from mlconnector.http import HTTPClient, Request

if TYPE_CHECKING:
    from mlconnector.cleo._client import Cleo

__all__ = ["check"]

_SKEW = dt.timedelta(minutes=5)


def _step(name: str, act: Callable[[], str]) -> CheckStep:
    try:
        return CheckStep(name=name, ok=True, detail=act())
    except MLConnectorError as error:
        return CheckStep(name=name, ok=False, cause=error.message, cure=error.cure, who=error.fault)


def check(cleo: Cleo, client: HTTPClient, routes: Routes | Sequence[Route] | None) -> Check:
    """Every step, none of them raising for a vendor's fault."""
    steps = [_step("address, TLS and login", lambda: _login(client))]
    if steps[0].ok:
        steps.append(_step("connections", lambda: _optional(lambda: f"{len(cleo.connections())} connections")))
        known = () if routes is None else routes.all if isinstance(routes, Routes) else tuple(routes)
        for route in known:
            steps += _route_steps(cleo, route)
    return Check(system="cleo", steps=tuple(steps))


def _login(client: HTTPClient) -> str:
    try:
        response = client.send(Request("GET", "/api/connections", params={"count": "1"}))
    except (PermissionDenied, NotFound):
        return f"logged in from {client.local_address()}; the configuration resources are closed to this account"
    skew = None if response.date is None else abs(response.date - client.clock.now())
    slow = f"; the clocks differ by {skew}" if skew is not None and skew > _SKEW else ""
    return f"logged in from {client.local_address()}{slow}"


def _optional(act: Callable[[], str]) -> str:
    try:
        return act()
    except (PermissionDenied, NotFound):
        return "not available for this account; sending needs none of it (reference, section 1)"


def _route_steps(cleo: Cleo, route: Route) -> list[CheckStep]:
    party = route.title
    steps = []
    for folder in (route.folder, route.sentbox):
        if folder is not None and route.path is None:
            steps.append(_step(f"route {party}: folder {folder}", functools.partial(_count_files, cleo, folder)))
    if route.connection is not None:
        alias = route.connection
        steps.append(_step(f"route {party}: connection {alias}", lambda: _ready(cleo, alias)))
        steps.append(_step(f"route {party}: transfers", lambda: _transfers(cleo, alias)))
    return steps


def _count_files(cleo: Cleo, folder: str) -> str:
    return f"{len(cleo.files(folder))} files"


def _ready(cleo: Cleo, alias: str) -> str:
    found = cleo.connections(alias=alias)
    if len(found) != 1:
        raise NotFound(
            f"{len(found)} connections are called {alias!r}.",
            cure="Correct the route's connection=, or the Cleo administrator makes exactly one.",
            fault="administrator",
        )
    record = found[0]
    if str(record.get("enabled", "true")).lower() != "true" or str(record.get("ready", "true")).lower() != "true":
        raise PermissionDenied(
            f"The connection is not ready: {record.get('notReadyReason') or 'disabled'}.",
            cure="The Cleo administrator completes and enables it.",
        )
    return "enabled and ready"


def _transfers(cleo: Cleo, alias: str) -> str:
    count = sum(1 for _ in cleo.transfers(alias))
    return f'{count} transfers can be read: look_up="reliable" is justified for this route'
