"""Calls to BILL: paths, lists page by page, and the limits around them (BILL reference, sections 1, 3, 4)."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

import attrs

from mlconnector.bill._faults import HourlyLimit
from mlconnector.bill._filters import Where, filters, sort
from mlconnector.bill._resources import Resource
from mlconnector.clock import Clock
from mlconnector.errors import VendorFault
from mlconnector.http import NOTHING, HTTPClient, Request, Response

__all__ = ["LARGEST_PAGE", "STABLE", "Api", "Listed", "OnHourlyLimit", "records_in"]

OnHourlyLimit = Literal["raise", "wait"]
Row = Mapping[str, Any]
T = TypeVar("T")
_log = logging.getLogger("mlconnector.bill")
_MOST_WAITS = 3
LARGEST_PAGE = 100
STABLE = ("createdTime",)
"""An order in which new records come last and changed ones stay: however pages are counted, none is passed over."""
_MOST_IN = 50
"""Values of one ``in`` filter: a URL of some 1,500 characters."""


@attrs.frozen
class Listed:
    """One page of a list: its rows, the vendor's clock, and whether nothing follows."""

    rows: Sequence[Row]
    clock: dt.datetime | None
    last: bool


def records_in(body: Any, envelope: str | None = None) -> list[Row]:
    """The records of an answer: a bare array, or the named member, or the one array it has (sections 4, 7, 11.1).

    Raises:
        VendorFault: There is no such array, or something in it is no record.
    """
    found = body
    if isinstance(body, Mapping):
        arrays = [value for value in body.values() if isinstance(value, list)]
        named = [body[name] for name in (envelope, "results") if name and isinstance(body.get(name), list)]
        found = next(iter(named), arrays[0] if len(arrays) == 1 else None)
    if not isinstance(found, list) or not all(isinstance(entry, Mapping) for entry in found):
        raise VendorFault(
            f"BILL answered without a list of {envelope or 'results'}.",
            cure="Check the address; if it is right, tell BILL's support what was asked.",
            system="bill",
        )
    return found


class Api:
    """Sends what the rooms above need, with everything that holds for every call.

    Args:
        http: The client. ``prefix``: what stands before ``/v3``, ``/connect``; the webhook API is its sibling
            ``/connect-events`` (section 1).
        leave: Called after each call, gives back a place at the gate that was taken and not used.
        on_hourly_limit: ``"raise"``, or ``"wait"`` for the next hour (section 3).
        page_size: Rows a page.
    """

    def __init__(
        self,
        http: HTTPClient,
        prefix: str,
        *,
        leave: Callable[[], None],
        on_hourly_limit: OnHourlyLimit,
        page_size: int,
    ) -> None:
        self.http: HTTPClient = http
        self._prefix, self._leave = prefix, leave
        self._on_hourly_limit: OnHourlyLimit = on_hourly_limit
        self.page_size: int = page_size

    @property
    def clock(self) -> Clock:
        """What time is measured on."""
        return self.http.clock

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = NOTHING,
        headers: Mapping[str, str] | None = None,
        write: bool | None = None,
        events: bool = False,
        send_by: float | None = None,
    ) -> Response:
        """One call.

        Args:
            method: HTTP method; all but ``GET`` count as writes unless ``write`` says otherwise.
            path: From ``/v3``, percent-encoded.
            events: It belongs to the webhook API.
            send_by: Monotonic deadline of the send: no wait for the next hour leads beyond it (delivery rule 5).
        """
        request = Request(
            method,
            f"{self._prefix}{'-events' if events else ''}{path}",
            params=params,
            json=json,
            headers=headers or {},
            write=method != "GET" if write is None else write,
        )
        return self._patiently(lambda: self.http.send(request), send_by)

    def log_in(self) -> None:
        """Make sure that there is a session."""
        self._patiently(self.http.log_in, None)

    def _patiently(self, act: Callable[[], T], send_by: float | None) -> T:
        waits = 0
        while True:
            try:
                return act()
            except HourlyLimit as error:
                wait, waits = error.retry_after or 1.0, waits + 1
                too_late = send_by is not None and self.clock.monotonic() + wait > send_by
                if self._on_hourly_limit == "raise" or waits > _MOST_WAITS or too_late:
                    raise
            finally:
                self._leave()
            _log.warning("bill: the calls of this hour are used up; waiting %d s", round(wait))
            self.clock.sleep(wait)

    def record(self, resource: Resource, key: str) -> Row:
        """One record, whole: rows of lists can be thinner (section 4). Raises ``NotFound``."""
        body = self.call("GET", resource.path_of(key)).json()
        if not isinstance(body, Mapping):
            raise VendorFault(f"BILL answered without a record for {key}.", cure="Check the address.", system="bill")
        return body

    def pages(
        self,
        resource: Resource,
        where: Where = (),
        *,
        order_by: Sequence[str] = (),
        size: int | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Iterator[Listed]:
        """Every page of a list; the last one is the one without ``nextPage``, however short the others are."""
        query = {"max": str(min(size or self.page_size, LARGEST_PAGE))}
        chosen = {"filters": filters(resource, where), "sort": sort(resource, order_by)}
        query |= {name: text for name, text in chosen.items() if text}
        query |= {name: str(value) for name, value in (params or {}).items()}
        yield from self.walk(resource.path, query)

    def walk(self, path: str, query: Mapping[str, str], *, events: bool = False) -> Iterator[Listed]:
        """Every page from a path; whether the query must be repeated with ``page`` is not known, so it is."""
        token = ""
        while True:
            asked = {**query, **({"page": token} if token else {})}
            response = self.call("GET", path, params=asked, events=events)
            body = response.json()
            if not events and not (isinstance(body, Mapping) and isinstance(body.get("results"), list)):
                # Their form is documented: anything else must not pass for a list in which a record is missing.
                body = {}
            following = str(body.get("nextPage") or "") if isinstance(body, Mapping) else ""
            if following and following == token:
                raise VendorFault(
                    f"BILL names the same next page of {path} again and again.",
                    cure="Tell BILL's support; the list cannot be read to its end.",
                    system="bill",
                )
            token = following
            yield Listed(records_in(body), response.date, not token)
            if not token:
                return

    def all(self, resource: Resource, where: Where = ()) -> list[Row]:
        """Every row that fits, archived ones too."""
        return [row for page in self.pages(resource, where, order_by=STABLE) for row in page.rows]

    def all_in(self, resource: Resource, field: str, values: Sequence[str], where: Where = ()) -> Iterator[list[Row]]:
        """Every row whose field is one of these values, chunk by chunk of the values."""
        for start in range(0, len(values), _MOST_IN):
            yield self.all(resource, [(field, "in", values[start : start + _MOST_IN]), *where])
