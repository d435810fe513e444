"""Calls of the Core API: headers on every call, pages by key, records read back (Coupa reference, sections 1 and 3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.coupa._query import ordering
from mlconnector.coupa._resources import MOST_ROWS, Resource, fields_text
from mlconnector.errors import NotFound, VendorFault
from mlconnector.http import HTTPClient, Request, Response
from mlconnector.records import Span

__all__ = ["API", "Rows"]

_JSON = {"Accept": "application/json", "Content-Type": "application/json"}
"""Must both be set, and name the same type (section 1)."""
Pairs = Sequence[tuple[str, str]]
Record = dict[str, Any]


@attrs.frozen(kw_only=True)
class Rows:
    """One page: its records, the server's clock, and whether more may follow."""

    rows: Sequence[Record]
    clock: dt.datetime | None
    more: bool


@attrs.frozen
class API:
    """What every part of the room calls Coupa by.

    Args:
        http: The client.
        ask_fields: Ask for the elements that are used instead of all of them (``fields``, section 3).
    """

    http: HTTPClient
    ask_fields: bool = True

    def elements(self, resource: Resource) -> list[tuple[str, str]]:
        """The ``fields`` parameter of a resource, where it is asked for."""
        return [("fields", fields_text(resource.elements))] if self.ask_fields and resource.elements else []

    def listed(self, path: str, params: Pairs = ()) -> Rows:
        """One page of a collection. A 404 is an empty one: an XML default or a proxy answers so (section 3).

        Raises:
            VendorFault: Something else than a list came.
        """
        try:
            return self.page(path, params)
        except NotFound:
            return Rows(rows=(), clock=None, more=False)

    def page(self, path: str, params: Pairs = ()) -> Rows:
        """As :meth:`listed`; a 404 stays ``NotFound``."""
        response = self.http.send(Request("GET", path, params=_grouped(params), headers=_JSON))
        body = response.json()
        if not isinstance(body, list) or not all(isinstance(row, dict) for row in body):
            raise VendorFault(
                f"GET {path} answered without a list of records.",
                cure="Check the path: it must be that of a collection.",
                system="coupa",
            )
        return Rows(rows=body, clock=response.date, more=bool(body))

    def show(self, resource: Resource, number: str) -> Record | None:
        """One record by its id, or ``None``."""
        request = Request("GET", f"{resource.path}/{number}", params=_grouped(self.elements(resource)), headers=_JSON)
        try:
            return _record(self.http.send(request))
        except NotFound:
            return None

    def walk(self, path: str, params: Pairs = (), *, size: int = MOST_ROWS, after: int | None = None) -> Iterator[Rows]:
        """Pages by key: ``id[gt]`` with ``order_by=id`` (section 3). The last one has ``more=False``.

        Raises:
            VendorFault: The records are not sorted by id, so that going on by id would skip some.
        """
        while True:
            key = [] if after is None else [("id[gt]", str(after))]
            page = self.listed(path, [*params, *key, *ordering(["id"]), ("limit", str(size))])
            for row in page.rows:
                number = _number(row)
                if number is None or (after is not None and number <= after):
                    raise VendorFault(
                        f"GET {path} answered records that are not sorted by id, or lack it.",
                        cure="Name no fields without id; tell Coupa's support that order_by=id is not kept.",
                        system="coupa",
                    )
                after = number
            more = len(page.rows) >= size
            yield attrs.evolve(page, more=more)
            if not more:
                return

    def spans(
        self, path: str, params: Pairs, *, size: int, after: int | None, upto: int | None = None
    ) -> Iterator[Span[Rows]]:
        """Pages of :meth:`walk` that end with an id, as parts of a range."""
        bound = () if upto is None else (("id[lt_or_eq]", str(upto)),)
        for page in self.walk(path, (*params, *bound), size=size, after=after):
            ids = [_number(row) for row in (*page.rows[:1], *page.rows[-1:])] or [None]
            yield Span(batch=page, rows=len(page.rows), size=size, low=ids[0], high=ids[-1], last=not page.more)

    def highest(self, path: str, params: Pairs = ()) -> int | None:
        """The highest id among the records that fit; ``None`` where there is none."""
        rows = self.listed(path, [*params, *ordering(["-id"]), ("limit", "1")]).rows
        return _number(rows[0]) if rows else None

    def offset(self, path: str, params: Pairs, *, size: int = MOST_ROWS) -> Iterator[Rows]:
        """Pages by ``offset``, for another order than by id; rows may move between pages while it runs."""
        start = 0
        while True:
            page = self.listed(path, [*params, ("offset", str(start)), ("limit", str(size))])
            start += len(page.rows)
            more = len(page.rows) >= size
            yield attrs.evolve(page, more=more)
            if not more:
                return

    def write(self, method: str, path: str, body: Mapping[str, Any] | None, resource: Resource) -> Record | None:
        """Create, change or act on a record, once.

        Returns:
            The record as Coupa kept it, or ``None`` where the answer holds none (``return_object=none``, actions).

        Raises:
            RequestRefused: Coupa refused it; nothing was done.
        """
        given: dict[str, Any] = {} if body is None else {"json": body}
        request = Request(method, path, params=_grouped(self.elements(resource)), headers=_JSON, write=True, **given)
        response = self.http.send(request)
        return _record(response) if response.content.strip() else None

    def mark_exported(self, path: str, number: str, *, action: bool) -> Record | None:
        """Set the flag in a request of its own (section 4). Setting it twice is setting it: it may be repeated.

        Args:
            path: The collection. ``number``: the id.
            action: The resource has ``/export`` for it, as Coupa Pay (section 7.2).
        """
        target, params = (f"{path}/{number}/export", {}) if action else (f"{path}/{number}", {"exported": "true"})
        response = self.http.send(Request("PUT", target, params=params, headers=_JSON))
        return _record(response) if response.content.strip() else None


def _number(row: Mapping[str, Any]) -> int | None:
    value = row.get("id")
    text = str(value).strip()
    return int(text) if not isinstance(value, bool) and text.isascii() and text.isdecimal() else None


def _record(response: Response) -> Record | None:
    body = response.json()
    return body if isinstance(body, dict) and body.get("id") is not None else None


def _grouped(pairs: Pairs) -> dict[str, list[str]]:
    """As ``params``; of a name given twice both conditions hold."""
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped
