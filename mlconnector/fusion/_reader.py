"""One pass over the documents of a kind: all of them, what changed, or named keys; the same for every kind.

Reading and mapping are apart: a page with its children is read in full, and a pure function makes documents of it in
the consumer's thread, while the next page is being fetched.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import hashlib
import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import attrs

from mlconnector._watching import carried
from mlconnector.documents import Document
from mlconnector.errors import InvalidArgument
from mlconnector.fusion._links import own_path
from mlconnector.fusion._made import Made, Site
from mlconnector.fusion._query import Where
from mlconnector.fusion._resources import CHILD_PAGE, Resource
from mlconnector.fusion._service import Grid, Row, Service, whole
from mlconnector.fusion._values import instant_of
from mlconnector.http import RequestRefused
from mlconnector.records import Batch, Rejected, Span, Window

__all__ = ["KEYS_A_CALL", "KindReader", "Make", "RowDocuments", "span_of"]

_log = logging.getLogger("mlconnector.fusion")
Make = Callable[[Mapping[str, Any], Site], Iterator[Made]]
Mapped = tuple[Sequence[Document], Sequence[Rejected]]

KEYS_A_CALL = 50
"""Keys in one expression: the longest URL a pod takes is not documented (section 13)."""
_UNKNOWN_ZONE = dt.timedelta(days=1)
"""How much earlier is asked for where literals carry no offset, because their zone is not documented (section 6.3)."""


def _itself(key: str) -> str:
    return key


@attrs.frozen(kw_only=True)
class RowDocuments:
    """What the rows of a resource are.

    Args:
        make: The documents of a row; pure.
        row_key: The row's key in a document's key. ``single``: a row is one document.
    """

    make: Make
    row_key: Callable[[str], str] = _itself
    single: bool = True


@attrs.frozen(kw_only=True)
class KindReader:
    """Reads the documents of one kind, see :class:`~mlconnector.records.Reader`.

    Args:
        resource: Where they lie. ``documents``: what its rows are.
        site: Makes the site's settings for the day of an answer.
        page_size: Rows a call at most.
    """

    service: Service
    resource: Resource
    kind: str
    where: Where
    filters: Mapping[str, Any]
    overlap: dt.timedelta
    documents: RowDocuments
    site: Callable[[dt.date], Site]
    page_size: int
    system: str = "fusion"
    resumable: bool = True

    def read(self, window: Window) -> Iterator[Batch[Document]]:
        """The batches of a pass."""
        if window.keys is not None:
            yield from self._by_key(window.keys)
            return
        for grid in self._grids(window):
            yield self._batch(grid, window, None)

    @property
    def ranges_at_once(self) -> int | None:
        """As many as the client's calls, where the resource is walked by a number."""
        return self.service.calls_at_once if self.resource.walked else 0

    def walks(self, window: Window) -> bool:
        """See :class:`~mlconnector.records.Ranged`."""
        del window
        return True

    def spans(self, window: Window, after: int | None, upto: int | None) -> Iterator[Span[Batch[Document]]]:
        """See :class:`~mlconnector.records.Ranged`."""
        bound = () if upto is None else ((self.resource.key, "<=", upto),)
        begin = window if after is None else attrs.evolve(window, position=after)
        for grid in self._grids(begin, bound):
            rows = grid.rows()
            batch = self._batch(attrs.evolve(grid, content=rows), window, None)
            yield span_of(rows, batch, self.resource, self._size(window))

    def highest(self, window: Window) -> int | None:
        """See :class:`~mlconnector.records.Ranged`."""
        return self.service.highest(self.resource, [*self.where, *self._stamps(window)])

    def _grids(self, window: Window, bound: Where = ()) -> Iterator[Grid]:
        """Pages of rows; where the pod refuses to filter by stamp although nobody promised it, of all rows."""
        stamps = self._stamps(window)
        walk = self._walk([*self.where, *stamps, *bound], window)
        try:
            first = next(walk)
        except RequestRefused as error:
            if not stamps or error.status != 400:
                raise
            if self.resource.stamp_sure:
                raise self.service.explain(self.resource, error) from None
            _log.info("fusion: %s cannot be filtered by its last update; all of it is read", self.resource.name)
            self.service.unfiltered.add(self.resource.name)
            walk = self._walk([*self.where, *bound], window)
            first = next(walk)
        yield first
        yield from walk

    def _walk(self, where: Where, window: Window) -> Iterator[Grid]:
        size = self._size(window)
        params = {} if self.resource.expand is None else {"expand": self.resource.expand}
        return self.service.walk(self.resource, where, size=size, after=window.position, params=params)

    def _size(self, window: Window) -> int:
        size = min(self.page_size, self.resource.page)
        if window.limit is not None and window.lower is None:
            size = min(size, max(window.limit, CHILD_PAGE))
        return size

    def _stamps(self, window: Window) -> list[tuple[str, str, Any]]:
        """Conditions on the stamp, to the second and never too narrow (section 6.3)."""
        stamp = self.resource.stamp
        if stamp is None or self.resource.name in self.service.unfiltered:
            return []
        margin = dt.timedelta(0) if self.service.date_times == "offset" else _UNKNOWN_ZONE
        found: list[tuple[str, str, Any]] = []
        if window.lower is not None:
            found.append((stamp, ">=", _second(window.lower) - margin))
        if window.until is not None:
            found.append((stamp, "<=", _second(window.until) + dt.timedelta(seconds=1) + margin))
        return found

    def _by_key(self, keys: Sequence[str]) -> Iterator[Batch[Document]]:
        wanted = frozenset(keys)
        values = sorted({self._value(key) for key in keys}, key=str)
        chunks = [values[start : start + KEYS_A_CALL] for start in range(0, len(values), KEYS_A_CALL)]
        window = Window(keys=tuple(keys))
        for number, chunk in enumerate(chunks, 1):
            for grid in self._walk([*self.where, (self.resource.key, "in", chunk)], window):
                yield attrs.evolve(self._batch(grid, window, wanted), last=grid.last and number == len(chunks))
        if not chunks:
            yield Batch(last=True)

    def _value(self, key: Any) -> int | str:
        text = self.documents.row_key(key) if isinstance(key, str) else ""
        if not text or (self.resource.numeric and not (text.isascii() and text.isdecimal())):
            raise InvalidArgument(
                f"keys= holds {key!r}, which is no key of {self.kind}.",
                cure=f"Give keys as documents have them; {self.resource.key} comes first.",
            )
        return int(text) if self.resource.numeric else text

    def _batch(self, grid: Grid, window: Window, wanted: frozenset[str] | None) -> Batch[Document]:
        """What came whole is left to the consumer's thread; what else belongs to it is asked for ahead, here."""
        today = (grid.clock or self.service.now()).date()
        made = functools.partial(_documents, make=self.documents.make, site=self.site(today), wanted=wanted)
        place: dict[str, Any] = {"position": grid.position, "clock": grid.clock, "last": grid.last}
        if not grid.decoded:
            return Batch(**place, mapping=lambda: made(self._one_by_one(grid, window)))
        skipped, signatures = {}, {}
        found: list[tuple[Row, Row | None]] = []
        for row, whole_row in self._parted(grid, window):
            stamp = self._stamp(row)
            if whole_row is None and self.documents.single and stamp is not None:
                key, signature = str(row.get(self.resource.key)), _signature(row)
                if window.settled(key, signature):
                    skipped[key] = (signature, stamp)
                    continue
                signatures[key] = signature
            found.append((row, whole_row))
        rows = self._completed(found)
        return Batch(**place, signatures=signatures, skipped=skipped, mapping=lambda: made(rows))

    def _parted(self, grid: Grid, window: Window) -> Iterator[tuple[Row, Row | None]]:
        """The rows of a page that may have changed, each with itself whole, where its children came with it."""
        lower = None if window.lower is None else _second(window.lower)
        children = self.resource.children
        for row in grid.each():
            if lower is None or (stamp := self._stamp(row)) is None or stamp >= lower:
                yield row, whole(row, children)

    def _one_by_one(self, grid: Grid, window: Window) -> Iterator[Row]:
        """The same rows, whole. The end of the page said that all is there; what is not is asked for here."""
        for row, whole_row in self._parted(grid, window):
            yield self._completed([(row, None)])[0] if whole_row is None else whole_row

    def _completed(self, found: Sequence[tuple[Row, Row | None]]) -> list[Row]:
        """The rows with all of their children; what did not come with a row is asked for, several rows at once."""
        service, children = self.service, self.resource.children
        collection, plain = service.path(self.resource.name), self.resource.key if self.resource.plain else None

        def complete(row: Row) -> Row:
            return service.complete(row, functools.partial(own_path, row, collection, plain, service.origin), children)

        cut = [row for row, whole_row in found if whole_row is None]
        if service.at_once == 1 or len(cut) < 2:
            return [complete(row) if whole_row is None else whole_row for row, whole_row in found]
        # Closing what was begun cancels what is not under way yet.
        with (
            ThreadPoolExecutor(service.at_once, thread_name_prefix="mlconnector-fusion") as pool,
            contextlib.closing(cast("Generator[Row, None, None]", pool.map(carried(complete), cut))) as read,
        ):
            return [next(read) if whole_row is None else whole_row for _row, whole_row in found]

    def _stamp(self, row: Row) -> dt.datetime | None:
        """The stamp of a row; one that cannot be read is a fault of its document, found when that is made."""
        try:
            return instant_of(row.get(self.resource.stamp or ""))
        except ValueError:
            return None


def span_of(rows: Sequence[Row], batch: Batch[Any], resource: Resource, size: int) -> Span[Batch[Any]]:
    """A page of a walk by a numeric key, as part of a range."""
    low, high = (int(rows[0][resource.key]), int(rows[-1][resource.key])) if rows else (None, None)
    return Span(batch=batch, rows=len(rows), size=size, low=low, high=high, last=batch.last)


def _second(instant: dt.datetime) -> dt.datetime:
    """The full second before: whether comparison uses fractions is not documented (section 6.3)."""
    return instant.replace(microsecond=0)


def _signature(row: Row) -> str:
    """Of everything that came with a row, its change indicator too."""
    return hashlib.sha256(repr(row).encode()).hexdigest()[:12]


def _documents(rows: Iterable[Row], make: Make, site: Site, wanted: frozenset[str] | None) -> Mapped:
    documents: list[Document] = []
    rejected: list[Rejected] = []
    for row in rows:
        for made in make(row, site):
            document = made.document
            if wanted is not None and document.key not in wanted:
                continue
            if made.faults:
                stamp = None if document.provenance is None else document.provenance.updated_at
                rejected.append(Rejected(key=document.key, row=row, faults=tuple(made.faults), updated_at=stamp))
            else:
                documents.append(document)
    return documents, rejected
