"""``fusion.check()``: login, versions, clock, each resource with filter and children, statuses; nothing is written."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from mlconnector.check import Check, CheckStep
from mlconnector.errors import MLConnectorError, NotFound, VendorFault
from mlconnector.fusion._service import ROOT, Described, Service
from mlconnector.http import HTTPClient, RequestRefused

if TYPE_CHECKING:
    from mlconnector.fusion._client import OracleFusion

__all__ = ["check"]

_SKEW = dt.timedelta(minutes=5)
_SAMPLE = 100
_WITH_STATUSES = ("invoices", "payments")


def _step(name: str, act: Callable[[], str]) -> CheckStep:
    try:
        return CheckStep(name=name, ok=True, detail=act())
    except MLConnectorError as error:
        return CheckStep(name=name, ok=False, cause=error.message, cure=error.cure, who=error.fault)


def check(fusion: OracleFusion, client: HTTPClient, service: Service) -> Check:
    """Every step, none of them raising for a vendor's fault."""
    steps = [_step("address, TLS and login", functools.partial(_login, fusion, client, service))]
    if steps[0].ok:
        for kind in fusion.kinds:
            steps.append(_step(f"resource of {kind}", functools.partial(_resource, fusion, service, kind)))
            if steps[-1].ok and kind in _WITH_STATUSES:
                steps.append(_step(f"statuses of {kind}", functools.partial(_statuses, fusion, kind)))
    return Check(system="fusion", steps=tuple(steps))


def _login(fusion: OracleFusion, client: HTTPClient, service: Service) -> str:
    service.log_in()
    try:
        answer, clock = service.get(ROOT)
    except NotFound:
        return f"logged in from {client.local_address()}; the pod lists no versions"
    found = list(_versions(answer))
    version, framework = fusion.resource_version, str(fusion.framework_version)
    allowed = next((allowed for name, allowed in found if name == version), None)
    if found and allowed is None and version != "latest":
        raise _setting(f"the pod has no resource version {version}; it has {', '.join(name for name, _ in found)}")
    if allowed and framework not in allowed:
        raise _setting(f"the pod does not allow framework version {framework}; it allows {', '.join(allowed)}")
    skew = None if clock is None else abs(clock - client.clock.now())
    slow = f"; the clocks differ by {skew}" if skew is not None and skew > _SKEW else ""
    return f"logged in from {client.local_address()}{slow}"


def _setting(cause: str) -> VendorFault:
    return VendorFault(
        f"fusion: {cause}.", cure="Correct resource_version= or framework_version=.", fault="caller", system="fusion"
    )


def _versions(answer: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Versions and the framework versions each allows (section 1)."""
    items = answer.get("items")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping) and isinstance(item.get("version"), str):
            more = item.get("adf:extension")
            allowed = more.get("allowedFrameworkVersions") if isinstance(more, Mapping) else None
            yield item["version"], [str(one) for one in allowed] if isinstance(allowed, list) else []


def _resource(fusion: OracleFusion, service: Service, kind: str) -> str:
    resource = fusion.resource(kind)
    said = []
    try:
        described = service.describe(resource.name)
    except (NotFound, RequestRefused):
        described = Described({})
        said.append("its describe cannot be read")
    problem = described.problem(resource.stamp) if resource.stamp is not None else ""
    if problem and resource.stamp_sure:
        raise VendorFault(
            f"fusion: {resource.name}.{problem}: changes cannot be asked for.",
            cure="The Fusion administrator makes the attribute queryable.",
            fault="administrator",
            system="fusion",
        )
    if problem or resource.stamp is None:
        said.append("changes cannot be asked for, so all of it is read each time")
    if kind == "shipments" and described.queryable:
        missing = sorted({name for name in _named(fusion) if name not in described.queryable})
        said += [f"names of shipment_names= not in describe: {', '.join(missing)}"] if missing else []
    page = next(fusion.read(kind, limit=1).pages())
    came = page.documents or page.rejected
    said.insert(0, "readable" if came else "readable, but no row came: data security may hide them, or it is empty")
    said += [f"{one.key} cannot be mapped: {one.faults[0]}" for one in page.rejected[:1]]
    return "; ".join(said)


def _named(fusion: OracleFusion) -> tuple[str, ...]:
    names = fusion.shipment_names
    return (names.status, names.date, names.carrier, names.ship_to, names.ship_to_name, names.ship_from)


def _statuses(fusion: OracleFusion, kind: str) -> str:
    """Newest documents by their statuses: texts that no setting knows show a wrong language or a missing setting."""
    resource, seen, fit = fusion.resource(kind), Counter[str](), 0
    rows = fusion.rows(resource.name, columns=[resource.key], order_by=[f"-{resource.key}"], limit=_SAMPLE)
    keys = [str(row[resource.key]) for row in rows]
    for page in fusion.read(kind, keys=keys).pages():
        fit += sum(document.ready for document in page.documents)
        for document in page.documents:
            plain = {**attrs.asdict(document, recurse=False), **document.extras}
            shown = (plain.get(name) for name in ("type", "status", "ValidationStatus", "ApprovalStatus"))
            seen[" / ".join(str(value) for value in shown if value)] += 1
    listed = ", ".join(f"{status}: {count}" for status, count in sorted(seen.items()))
    return f"of the newest {seen.total()}, {fit} are fit to go ({listed})"
