"""``coupa.check()``: name, TLS, login, clock, scopes one by one; nothing is written."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable

from mlconnector.check import Check, CheckStep
from mlconnector.coupa._api import API
from mlconnector.coupa._resources import PAYMENTS, RESOURCES
from mlconnector.coupa._token import CoupaToken
from mlconnector.errors import MLConnectorError, NotFound, PermissionDenied

__all__ = ["check"]

_SKEW = dt.timedelta(minutes=5)
_WRITES = {
    "core.supplier.write": "save_supplier",
    "core.purchase_order.write": "save_purchase_order, issuing, closing, mark_exported",
    "core.invoice.create": "save_invoice, submit_invoice",
    "core.invoice.write": "changing invoices, mark_exported",
    "core.invoice.delete": "voiding invoices",
}
"""Scopes that cannot be tried without writing (Coupa reference, section 2)."""


def _step(name: str, act: Callable[[], str]) -> CheckStep:
    try:
        return CheckStep(name=name, ok=True, detail=act())
    except MLConnectorError as error:
        return CheckStep(name=name, ok=False, cause=error.message, cure=error.cure, who=error.fault)


def check(api: API, token: CoupaToken, *, coupa_pay: bool) -> Check:
    """Every step, none of them raising for a vendor's fault; Coupa Pay only where payments are read from it."""
    steps = [_step("address, TLS and login", functools.partial(_login, api))]
    if steps[0].ok:
        told = token.scopes()
        for resource in RESOURCES.values():
            if resource is PAYMENTS and not coupa_pay:
                continue
            steps.append(_step(f"scope {resource.scope}", functools.partial(_read, api, resource.path)))
        steps += [_step(f"scope {scope}", functools.partial(_told, told, scope, use)) for scope, use in _WRITES.items()]
    return Check(system="coupa", steps=tuple(steps))


def _login(api: API) -> str:
    api.http.log_in()
    return f"logged in at {api.http.origin}"


def _read(api: API, path: str) -> str:
    try:
        page = api.page(path, [("limit", "1"), ("return_object", "limited")])
    except NotFound:
        return "this instance has no such resource; the module may not be licensed"
    skew = None if page.clock is None else abs(page.clock - api.http.clock.now())
    slow = f"; the clocks differ by {skew}" if skew is not None and skew > _SKEW else ""
    seen = "readable" if page.rows else "readable, but no record came: it is empty, or hidden from this client"
    return f"{seen} from {api.http.local_address()}{slow}"


def _told(scopes: frozenset[str] | None, scope: str, use: str) -> str:
    if scopes is None:
        return f"for {use}: the token does not tell its scopes; compare the client's page in Coupa"
    if scope not in scopes:
        raise PermissionDenied(
            f"The token lacks {scope}, needed for {use}.",
            cure="The Coupa administrator ticks it on the OAuth client, and scope= of the login asks for it.",
        )
    return f"granted, for {use}"
