"""Reading collections: single pages, walks that lose nothing, whole children (Fusion reference, sections 5 and 6)."""

from __future__ import annotations

import datetime as dt
import functools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import attrs

from mlconnector.errors import MLConnectorError, RateLimited, VendorFault
from mlconnector.fusion._ending import Ending, ending_of
from mlconnector.fusion._links import came, child_of, path_of
from mlconnector.fusion._query import DateTimes, Where, expression, order_text
from mlconnector.fusion._resources import LARGEST_PAGE, Child, Resource
from mlconnector.http import HTTPClient, Request, RequestRefused, Response, Retry

__all__ = ["Described", "Grid", "Service", "Undecoded", "whole"]

ROOT = "/fscmRestApi/resources"
_ACCEPT = "application/json, application/vnd.oracle.adf.error+json"
_BUSY = (429, 500, 502, 503, 504)
_CHILDREN_TELL = 3
"""Framework version from which on an expanded child says whether more of it follows (section 3)."""
Row = dict[str, Any]


@attrs.frozen
class Undecoded:
    """A page of a walk whose end was believed; decoding it is the proof.

    Args:
        response: To a call of ``path``. ``after``: the key that its rows come behind. ``end``: what its end says.
    """

    resource: Resource
    path: str
    response: Response
    after: int
    end: Ending

    def rows(self) -> list[Row]:
        """All rows at once: quicker where they are small."""
        rows = _grid(self.path, self.response, self.end.limit).rows()
        self._prove(len(rows), _last_key(self.resource, rows, self.after))
        return rows

    def each(self) -> Iterator[Row]:
        """The rows one by one: quicker where they are large, since none of them is left waiting in memory."""
        count, last = 0, self.after
        try:
            for row in self.response.elements(self.end.begin, self.end.end):
                if type(row) is not dict:
                    raise _unusable(self.path, "no collection of items came")
                count, last = count + 1, _next_key(self.resource, row, last)
                yield row
        except VendorFault as error:
            error.system = "fusion"
            raise
        self._prove(count, last)

    def _prove(self, count: int, last: int) -> None:
        if (count, last) != (self.end.count, self.end.key):
            said = f"it ends with {self.end.count} rows up to {self.resource.key} {self.end.key}"
            raise _unusable(self.path, f"{said}, and holds others")


@attrs.frozen
class Grid:
    """One page of a collection.

    Args:
        content: Its rows as the pod sent them, or what decodes them.
        last: Nothing follows. ``clock``: the pod's, by the ``Date`` of its answer.
        position: Where a walk goes on after it, as plain JSON.
    """

    content: list[Row] | Undecoded = attrs.field(repr=False)
    last: bool
    clock: dt.datetime | None
    position: Any = None

    @property
    def decoded(self) -> bool:
        """Its rows are at hand, and whatever they lack may be asked for ahead."""
        return isinstance(self.content, list)

    def rows(self) -> list[Row]:
        """Its rows, decoded by now.

        Raises:
            VendorFault: They are not what the end of the answer said.
        """
        return self.content if isinstance(self.content, list) else self.content.rows()

    def each(self) -> Iterator[Row]:
        """Its rows one by one. Raises as :meth:`rows`."""
        return iter(self.content) if isinstance(self.content, list) else self.content.each()


@attrs.frozen
class Described:
    """Attributes of a resource and whether ``q`` may name them, as its describe says."""

    queryable: Mapping[str, bool]

    def problem(self, attribute: str) -> str:
        """Why ``q`` cannot name this attribute; empty where it can, or nothing was told."""
        if not self.queryable:
            return ""
        if attribute not in self.queryable:
            return f"{attribute} does not exist"
        return "" if self.queryable[attribute] else f"{attribute} is not queryable"


class Service:
    """GET on one pod; every call carries the framework version.

    Args:
        client: The HTTP client.
        resource_version: Of the path. ``framework_version``: what ``q`` and the answers look like (section 3).
        date_times: How ``q`` writes date-times.
        retry: How often a busy identity domain is asked for a token.
        at_once: Calls for children of one page under way at once.
    """

    def __init__(
        self,
        client: HTTPClient,
        resource_version: str,
        framework_version: int,
        date_times: DateTimes,
        retry: Retry,
        *,
        at_once: int = 1,
    ) -> None:
        self._client, self._retry, self.at_once = client, retry, at_once
        self._root = f"{ROOT}/{resource_version}"
        self._headers = {"Accept": _ACCEPT, "REST-Framework-Version": str(framework_version)}
        self._children_tell = framework_version >= _CHILDREN_TELL
        self.date_times: DateTimes = date_times
        self.unfiltered: set[str] = set()
        """Resources whose stamp turned out not to be queryable."""

    @property
    def origin(self) -> str:
        """Where the pod is."""
        return self._client.origin

    def now(self) -> dt.datetime:
        """This machine's clock, where an answer has no date."""
        return self._client.clock.now()

    def log_in(self) -> None:
        """Have a token; a busy identity domain is asked again: its limits are published (section 4.1).

        Raises:
            AuthenticationFailed: It refused.
            RateLimited, VendorFault: It is busy still.
        """
        clock, attempt = self._client.clock, 1
        begun = clock.monotonic()
        while True:
            try:
                self._client.log_in()
            except (RateLimited, VendorFault) as error:
                asked = error.retry_after if isinstance(error, RateLimited) else None
                wait = self._retry.pause(attempt, elapsed=clock.monotonic() - begun, retry_after=asked)
                if error.status not in _BUSY or wait is None:
                    raise
            else:
                return
            clock.sleep(wait)
            attempt += 1

    def path(self, name: str) -> str:
        """Path of a resource, or of a path below one; each part is percent-encoded."""
        return "/".join([self._root, *(quote(part, safe="") for part in name.split("/"))])

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> tuple[Mapping[str, Any], dt.datetime | None]:
        """A JSON object, and the pod's clock.

        Raises:
            VendorFault: The answer is something else.
        """
        response = self._send(path, params)
        return _object(path, response), response.date

    def page(self, path: str, params: Mapping[str, Any], *, size: int) -> Grid:
        """One page of a collection.

        The last one is empty, or not full and without more: at an offset, ``hasMore`` alone was seen to be wrong
        (section 5).

        Raises:
            VendorFault: No collection in the answer.
        """
        return _grid(path, self._send(path, {**params, "limit": size}), size)

    def walk(
        self, resource: Resource, where: Where, *, size: int, after: Any = None, params: Mapping[str, Any] | None = None
    ) -> Iterator[Grid]:
        """Every row that fits, in key order; rows that change meanwhile are neither lost nor shifted.

        A numeric key is walked by conditions on it. A key of text, whose order only the server knows, or one that may
        not be queryable, is paged by position, see :meth:`paged`.

        Args:
            after: ``position`` of a page, to go on behind it.
        """
        if not resource.walked:
            yield from self.paged(self.path(resource.name), resource.key, where, size=size, after=after, params=params)
            return
        last = 0 if after is None else int(after)
        while True:
            query = expression([*where, (resource.key, ">", last)], self.date_times)
            asked = {"q": query, "orderBy": order_text([resource.key]), "offset": 0, **(params or {})}
            response = self._send(self.path(resource.name), {**asked, "limit": size})
            grid = self._walked(resource, response, size, last)
            last = grid.position
            yield grid
            if grid.last:
                return

    def highest(self, resource: Resource, where: Where) -> int | None:
        """The highest key among the rows that fit; ``None`` where there is none."""
        query = expression(where, self.date_times)
        asked = {**({"q": query} if query else {}), "orderBy": order_text([f"-{resource.key}"]), "onlyData": "true"}
        rows = self.page(self.path(resource.name), {**asked, "offset": 0, "fields": resource.key}, size=1).rows()
        return int(rows[0][resource.key]) if rows else None

    @property
    def calls_at_once(self) -> int | None:
        """Calls of the client under way at once; ``None``: no limit."""
        return self._client.max_in_flight

    def paged(
        self,
        path: str,
        key: str | None,
        where: Where = (),
        *,
        size: int,
        after: Any = None,
        params: Mapping[str, Any] | None = None,
    ) -> Iterator[Grid]:
        """Every row that fits, by position in key order, advancing by what was received.

        Each page begins with the last row of the one before. Where it does not, rows have moved meanwhile: the walk
        steps back until it finds that row again, and rows may come twice, but none is lost.

        Args:
            key: Unique attribute; ``None`` leaves the order to ``params`` and looks for no moves.
            after: ``position`` of a page, ``[offset, key of the last row]``.
        """
        asked = {**({} if key is None else {"orderBy": order_text([key])}), **(params or {})}
        if query := expression(where, self.date_times):
            asked["q"] = query
        offset, anchor = (0, None) if after is None else (int(after[0]), after[1])
        reach, overlap = 1, anchor is not None
        while True:
            begin = max(0, offset - 1) if overlap else offset
            grid = self.page(path, {**asked, "offset": begin}, size=size)
            rows = grid.rows()
            keys = [None if key is None else row.get(key) for row in rows]
            known, reach = 0, max(reach, len(keys))
            if overlap and anchor in keys:
                known = keys.index(anchor) + 1
                if known == len(keys) and not grid.last:
                    # A page that holds one row only would be the same one for ever.
                    offset, overlap = begin + known, False
                    continue
            elif overlap and begin > 0:
                offset = max(0, begin - max(1, reach - 1)) + 1
                continue
            offset = begin + len(keys)
            anchor = keys[-1] if keys[known:] else anchor
            overlap = anchor is not None
            yield Grid(rows[known:], grid.last, grid.clock, [offset, anchor])
            if grid.last:
                return

    def complete(self, row: Row, path: Callable[[], str | None], children: Sequence[Child]) -> Row:
        """The row with every row of these children, as plain lists, under the first of their names.

        Args:
            row: Is left as it came.
            path: Of the item, for children that did not come whole.

        Raises:
            VendorFault: A child did not come and cannot be asked for.
        """
        whole = dict(row)
        for child in children:
            accessor = child_of(row, child) or child.accessors[0]
            value = row.get(accessor)
            rows, more = came(value)
            if more or (accessor not in row and len(child.accessors) == 1):
                own = path()
                told = path_of(value, self.origin) if isinstance(value, Mapping) else None
                where = told or (f"{own}/child/{accessor}" if own is not None else None)
                if where is None:
                    raise _unusable(self._root, f"an item has more {accessor}, and no link to them")
                rows = self._all(where, child)
            elif accessor not in row:
                raise _unlisted(child, row)
            rows = _in_order(child, rows)
            if child.children:
                rows = [
                    self.complete(inner, functools.partial(path_of, inner, self.origin), child.children)
                    for inner in rows
                ]
            whole[child.accessors[0]] = rows
        return whole

    def _send(self, path: str, params: Mapping[str, Any] | None) -> Response:
        self.log_in()
        return self._client.send(Request("GET", path, params=params, headers=self._headers))

    def _walked(self, resource: Resource, response: Response, size: int, after: int) -> Grid:
        """A page of a walk. Where its end tells all that the walk needs, it is decoded by whoever asks for its rows."""
        path = self.path(resource.name)
        end = ending_of(response.content, resource.key) if self._children_tell else None
        if end is None or end.key <= after:
            grid = _grid(path, response, size)
            return attrs.evolve(grid, position=_last_key(resource, grid.rows(), after))
        full = end.count >= (end.limit or size)
        undecoded = Undecoded(resource, path, response, after, end)
        return Grid(undecoded, not (full or end.more), response.date, end.key)

    def describe(self, name: str) -> Described:
        """Attributes of a resource (section 1); nothing where the answer has another form."""
        answer, _clock = self.get(f"{self.path(name)}/describe")
        resources = answer.get("Resources")
        resource = resources.get(name) if isinstance(resources, Mapping) else None
        attributes = resource.get("attributes") if isinstance(resource, Mapping) else None
        found = [one for one in attributes or () if isinstance(one, Mapping) and isinstance(one.get("name"), str)]
        return Described({one["name"]: one.get("queryable") is not False for one in found})

    def explain(self, resource: Resource, error: RequestRefused) -> MLConnectorError:
        """A refused filter in words: what describe says against stamp and key, else the error itself."""
        try:
            described = self.describe(resource.name)
        except MLConnectorError:
            # What describe answers is no reason to hide the first fault.
            return error
        problems = [described.problem(name) for name in (resource.stamp, resource.key) if name is not None]
        said = ", ".join(problem for problem in problems if problem)
        if not said:
            return error
        return VendorFault(
            f"fusion: changes of {resource.name} cannot be asked for: {said}.",
            cure="The Fusion administrator makes the attribute queryable; until then read without since=.",
            fault="administrator",
            status=error.status,
            system="fusion",
        )

    def _all(self, path: str, child: Child) -> list[Row]:
        """A child collection from its begin: the order of expanded rows is not known, so none of them is counted on."""
        rows: dict[Any, Row] = {}
        for grid in self.paged(path, child.key, size=LARGEST_PAGE):
            for row in grid.rows():
                value = row.get(child.key)
                rows[path_of(row, self.origin) or (repr(row) if value is None else value)] = row
        return list(rows.values())


def whole(row: Row, children: Sequence[Child]) -> Row | None:
    """The row itself, with every child as a plain list in order, under the first of its names.

    Returns:
        ``None`` where some child of it did not come whole; then the row is as it came.
    """
    found: dict[str, list[Row]] = {}
    for child in children:
        accessor = child_of(row, child)
        rows, more = came(row.get(accessor or ""))
        if accessor is None or more:
            return None
        rows = _in_order(child, rows)
        if child.children:
            inner = [whole(dict(one), child.children) for one in rows]
            rows = [one for one in inner if one is not None]
            if len(rows) < len(inner):
                return None
        found[child.accessors[0]] = rows
    row.update(found)
    return row


def _in_order(child: Child, rows: list[Row]) -> list[Row]:
    if len(rows) < 2:
        return rows
    try:
        return sorted(rows, key=operator.itemgetter(child.key))
    except (KeyError, TypeError):
        return sorted(rows, key=functools.partial(_place, child.key))


def _object(path: str, response: Response) -> Mapping[str, Any]:
    try:
        answer = response.json()
    except VendorFault as error:
        error.system = "fusion"
        raise
    if not isinstance(answer, Mapping):
        raise _unusable(path, "a JSON object was expected")
    return answer


def _grid(path: str, response: Response, size: int) -> Grid:
    answer = _object(path, response)
    items = answer.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _unusable(path, "no collection of items came")
    limit = answer.get("limit")
    full = len(items) >= (limit if type(limit) is int and limit > 0 else size)
    return Grid(items, not items or not (full or answer.get("hasMore") is True), response.date)


def _last_key(resource: Resource, rows: Sequence[Row], after: int) -> int:
    for row in rows:
        after = _next_key(resource, row, after)
    return after


def _place(key: str, row: Row) -> tuple[int, Any]:
    """Where a child row stands: expanded rows come in no known order, and documents must not vary by it."""
    value = row.get(key)
    if isinstance(value, (int, Decimal)):
        return 0, value
    return (2, "") if value is None else (1, str(value))


def _next_key(resource: Resource, row: Row, before: int) -> int:
    value = row.get(resource.key)
    if type(value) is int and value > before:
        return value
    text = str(value or "")
    if not text.isdecimal() or int(text) <= before:
        raise _unusable(
            resource.name,
            f"{resource.key} {row.get(resource.key)!r} came after {before}, and the rows were asked for in its order",
        )
    return int(text)


def _unusable(path: str, why: str) -> VendorFault:
    return VendorFault(
        f"fusion: the answer to {path} cannot be used: {why}.",
        cure="Check that url= is the pod itself; if it is, Oracle Support looks at the answer.",
        system="fusion",
    )


def _unlisted(child: Child, row: Row) -> VendorFault:
    seen = ", ".join(name for name, value in row.items() if isinstance(value, (list, Mapping)) and name != "links")
    return VendorFault(
        f"fusion: none of the children {', '.join(child.accessors)} came; there are: {seen or 'none'}.",
        cure="Name the accessor of your release: shipment_names=ShipmentNames(lines=...).",
        fault="caller",
        system="fusion",
    )
