"""Reading a kind: a walk by id inside a window of change stamps (Coupa reference, section 3)."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.coupa._api import API, Pairs, Record, Rows
from mlconnector.coupa._query import instant_text
from mlconnector.coupa._resources import MOST_ROWS, Resource
from mlconnector.documents import Document
from mlconnector.records import Batch, RawRows, Rejected, Span, Window

__all__ = ["ResourceReader", "RowsReader"]

Maker = Callable[[Mapping[str, Any], list[str]], Document | Sequence[Document]]


@attrs.frozen
class ResourceReader:
    """Reads documents of one kind; a position is the last id handed out.

    Args:
        api: The client's calls. ``resource``: what is read. ``kind``: the reader's name.
        make: Turns a record into its document, or documents; faults go to the list.
        conditions: Further parameters. ``filters``: the same as plain JSON, for the cursor.
        overlap, page_size: See :class:`~mlconnector.records.Reader`.
    """

    api: API
    resource: Resource
    kind: str
    make: Maker
    conditions: Pairs
    filters: Mapping[str, Any]
    overlap: dt.timedelta
    page_size: int
    system: str = "coupa"
    resumable: bool = True

    def read(self, window: Window) -> Iterator[Batch[Document]]:
        """Pages of documents, see :class:`~mlconnector.records.Reader`."""
        if window.keys is not None:
            yield from self._by_key(window.keys, [*self.conditions, *self.api.elements(self.resource)])
            return
        size = self.page_size if window.limit is None else max(1, min(self.page_size, window.limit))
        position = window.position
        for span in self.api.spans(self.resource.path, self._params(window), size=size, after=position):
            position = position if span.high is None else span.high
            yield self._batch(span.batch, position, last=span.last)

    @property
    def ranges_at_once(self) -> int | None:
        """As many as the client's calls; its pace holds for all of them together (section 8)."""
        return self.api.http.max_in_flight

    def walks(self, window: Window) -> bool:
        """See :class:`~mlconnector.records.Ranged`."""
        del window
        return True

    def spans(self, window: Window, after: int | None, upto: int | None) -> Iterator[Span[Batch[Document]]]:
        """See :class:`~mlconnector.records.Ranged`."""
        params, begin = self._params(window), window.position if after is None else after
        for span in self.api.spans(self.resource.path, params, size=self.page_size, after=begin, upto=upto):
            yield span.holding(self._batch(span.batch, span.high, last=span.last))

    def highest(self, window: Window) -> int | None:
        """See :class:`~mlconnector.records.Ranged`."""
        return self.api.highest(self.resource.path, self._params(window))

    def _params(self, window: Window) -> Pairs:
        params = [*self.conditions, *self.api.elements(self.resource)]
        if window.lower is not None:
            params.append(("updated_at[gt_or_eq]", instant_text(window.lower)))
        if window.until is not None:
            params.append(("updated_at[lt_or_eq]", instant_text(window.until, up=True)))
        return tuple(params)

    def _by_key(self, keys: Sequence[str], params: Pairs) -> Iterator[Batch[Document]]:
        """The records of these ids; a payment on an invoice is found by its invoice."""
        wanted = frozenset(keys)
        ids = [text for text in dict.fromkeys(key.partition("/")[0].strip() for key in keys) if text.isdecimal()]
        if not ids:
            yield Batch(documents=(), last=True)
        for start in range(0, len(ids), MOST_ROWS):
            part = ids[start : start + MOST_ROWS]
            query = [*params, ("id[in]", ",".join(part)), ("limit", str(MOST_ROWS))]
            page = self.api.listed(self.resource.path, query)
            yield self._batch(page, None, last=start + MOST_ROWS >= len(ids), only=wanted)

    def _batch(self, page: Rows, position: Any, *, last: bool, only: frozenset[str] | None = None) -> Batch[Document]:
        return Batch(
            position=position,
            clock=page.clock,
            last=last,
            mapping=functools.partial(self._documents, page.rows, only),
        )

    def _documents(self, rows: Sequence[Record], only: frozenset[str] | None) -> tuple[list[Document], list[Rejected]]:
        documents: list[Document] = []
        rejected: list[Rejected] = []
        for row in rows:
            faults: list[str] = []
            made = self.make(row, faults)
            found = [made] if isinstance(made, Document) else list(made)
            if faults:
                stamp = found[0].provenance if found else None
                rejected.append(
                    Rejected(
                        key=str(row.get("id")),
                        row=row,
                        faults=tuple(faults),
                        updated_at=None if stamp is None else stamp.updated_at,
                    )
                )
            else:
                documents += [one for one in found if only is None or one.key in only]
        return documents, rejected


@attrs.frozen
class RowsReader(RawRows):
    """Raw rows of any collection; without an order they are walked by id."""

    api: API
    name: str
    path: str
    params: Pairs
    ordered: bool
    system: str = "coupa"

    def read(self, window: Window) -> Iterator[Batch[dict[str, Any]]]:
        """Pages of rows."""
        size = MOST_ROWS if window.limit is None else max(1, min(MOST_ROWS, window.limit))
        pages = self.api.offset if self.ordered else self.api.walk
        for page in pages(self.path, self.params, size=size):
            yield Batch(documents=page.rows, clock=page.clock, last=not page.more)

    @property
    def ranges_at_once(self) -> int | None:
        """As many as the client's calls; rows in another order than that of their ids are not read in ranges."""
        return 0 if self.ordered else self.api.http.max_in_flight

    def walks(self, window: Window) -> bool:
        """See :class:`~mlconnector.records.Ranged`."""
        del window
        return True

    def spans(self, window: Window, after: int | None, upto: int | None) -> Iterator[Span[Batch[dict[str, Any]]]]:
        """See :class:`~mlconnector.records.Ranged`."""
        del window
        for span in self.api.spans(self.path, self.params, size=MOST_ROWS, after=after, upto=upto):
            page = span.batch
            yield span.holding(Batch(documents=page.rows, clock=page.clock, last=span.last))

    def highest(self, window: Window) -> int | None:
        """See :class:`~mlconnector.records.Ranged`."""
        del window
        return self.api.highest(self.path, self.params)
