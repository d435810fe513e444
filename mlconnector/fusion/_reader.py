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
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
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
from mlconnector.fusion._service import Grid, Row, Service
from mlconnector.fusion._values import instant_of
from mlconnector.http import RequestRefused
from mlconnector.records import Batch, Rejected, Window

__all__ = ["KEYS_A_CALL", "KindReader", "Make", "RowDocuments"]

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

    def _grids(self, window: Window) -> Iterator[Grid]:
        """Pages of rows; where the pod refuses to filter by stamp although nobody promised it, of all rows."""
        stamps = self._stamps(window)
        walk = self._walk([*self.where, *stamps], window)
        try:
            first = next(walk)
        except RequestRefused as error:
            if not stamps or error.status != 400:
                raise
            if self.resource.stamp_sure:
                raise self.service.explain(self.resource, error) from None
            _log.info("fusion: %s cannot be filtered by its last update; all of it is read", self.resource.name)
            self.service.unfiltered.add(self.resource.name)
            walk = self._walk(self.where, window)
            first = next(walk)
        yield first
        yield from walk

    def _walk(self, where: Where, window: Window) -> Iterator[Grid]:
        size = min(self.page_size, self.resource.page)
        if window.limit is not None and window.lower is None:
            size = min(size, max(window.limit, CHILD_PAGE))
        params = {} if self.resource.expand is None else {"expand": self.resource.expand}
        return self.service.walk(self.resource, where, size=size, after=window.position, params=params)

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
        resource, skipped, signatures = self.resource, {}, {}
        found: list[tuple[Row, bool]] = []
        for row in grid.rows:
            stamp = self._stamp(row)
            if window.lower is not None and stamp is not None and stamp < _second(window.lower):
                continue
            cut = self.service.is_cut(row, resource.children)
            if cut and self.documents.single and stamp is not None:
                key, signature = str(row.get(resource.key)), _signature(row)
                if window.settled(key, signature):
                    skipped[key] = (signature, stamp)
                    continue
                signatures[key] = signature
            found.append((row, cut))
        today = (grid.clock or self.service.now()).date()
        return Batch(
            position=grid.position,
            clock=grid.clock,
            last=grid.last,
            signatures=signatures,
            skipped=skipped,
            mapping=functools.partial(_documents, self._whole(found), self.documents.make, self.site(today), wanted),
        )

    def _whole(self, found: Sequence[tuple[Row, bool]]) -> list[Row]:
        """The rows with all of their children; what did not come with a row is asked for, several rows at once.

        Args:
            found: Rows, and whether some child of theirs is cut.
        """
        service, children = self.service, self.resource.children
        collection, plain = service.path(self.resource.name), self.resource.key if self.resource.plain else None

        def whole(row: Row) -> Row:
            return service.complete(row, functools.partial(own_path, row, collection, plain, service.origin), children)

        cut = [row for row, is_cut in found if is_cut]
        if service.at_once == 1 or len(cut) < 2:
            return [whole(row) for row, _is_cut in found]
        # Closing what was begun cancels what is not under way yet.
        with (
            ThreadPoolExecutor(service.at_once, thread_name_prefix="mlconnector-fusion") as pool,
            contextlib.closing(cast("Generator[Row, None, None]", pool.map(carried(whole), cut))) as read,
        ):
            return [next(read) if is_cut else whole(row) for row, is_cut in found]

    def _stamp(self, row: Row) -> dt.datetime | None:
        """The stamp of a row; one that cannot be read is a fault of its document, found when that is made."""
        try:
            return instant_of(row.get(self.resource.stamp or ""))
        except ValueError:
            return None


def _second(instant: dt.datetime) -> dt.datetime:
    """The full second before: whether comparison uses fractions is not documented (section 6.3)."""
    return instant.replace(microsecond=0)


def _signature(row: Row) -> str:
    """Of everything that came with a row, its change indicator too."""
    return hashlib.sha256(repr(row).encode()).hexdigest()[:12]


def _documents(rows: Sequence[Row], make: Make, site: Site, wanted: frozenset[str] | None) -> Mapped:
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
