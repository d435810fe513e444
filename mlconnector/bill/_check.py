"""``bill.check()``: address, TLS, login, rights, clock, locks, events; nothing is written (design section 7)."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable

from mlconnector.bill._api import Api
from mlconnector.bill._events import Subscriptions
from mlconnector.bill._gate import MOST, Gate
from mlconnector.bill._resources import ACCOUNTS, BILLS, CREDITS, DEPARTMENTS, PAYMENTS, VENDORS, Resource
from mlconnector.check import Check, CheckStep
from mlconnector.errors import MLConnectorError

__all__ = ["check"]

_SKEW = dt.timedelta(minutes=5)


def _step(name: str, act: Callable[[], str]) -> CheckStep:
    try:
        return CheckStep(name=name, ok=True, detail=act())
    except MLConnectorError as error:
        return CheckStep(name=name, ok=False, cause=error.message, cure=error.cure, who=error.fault)


def check(api: Api, gate: Gate) -> Check:
    """Every step, none of them raising for a vendor's fault."""
    steps = [_step("lock folder", functools.partial(_locks, gate))]
    if steps[0].ok:
        steps.append(_step("address, TLS and login", functools.partial(_login, api)))
    if all(step.ok for step in steps):
        readable = (VENDORS, BILLS, CREDITS, PAYMENTS, ACCOUNTS, DEPARTMENTS)
        steps += [_step(f"list of {one.name}", functools.partial(_list, api, one)) for one in readable]
        steps.append(_step("webhook events", functools.partial(_events, api)))
    return Check(system="bill", steps=tuple(steps))


def _locks(gate: Gate) -> str:
    return f"{gate.try_folder()}: at most {MOST} calls at once from this machine"


def _login(api: Api) -> str:
    api.log_in()
    response = api.call("GET", "/v3/login/session")
    body = response.json()
    told = body.get("organizationId") if isinstance(body, dict) else None
    skew = None if response.date is None else abs(response.date - api.clock.now())
    slow = f"; the clocks differ by {skew}" if skew is not None and skew > _SKEW else ""
    return f"logged in to organization {told} from {api.http.local_address()}{slow}"


def _list(api: Api, resource: Resource) -> str:
    page = next(api.pages(resource, size=1))
    return "readable" if page.rows else "readable, and empty"


def _events(api: Api) -> str:
    offered = sorted(Subscriptions(api).catalog())
    missing = [one for one in ("payment.updated", "payment.failed") if one not in offered]
    note = f"; not offered: {', '.join(missing)} (payments are found by polling)" if missing else ""
    return f"{len(offered)} types{note}"
