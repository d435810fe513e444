"""Reading: an immutable description of a read, its passes, pages and cursors (design 4.3).

A :class:`Records` does nothing until it is iterated. Each iteration is an independent pass from the same start::

    for order in jde.purchase_orders(since=saved): ...          # documents, raises at a bad row

    for page in jde.purchase_orders(since=saved).pages():       # pages, hands bad rows over
        handle(page.documents)
        save(page.cursor)                                       # plain JSON
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import attrs

from mlconnector._cursor import MEMORY, PassState, filters_hash
from mlconnector._html import columns, notes, table
from mlconnector._ranges import Ranged, Span, read_ranges
from mlconnector._raw_rows import RawRows
from mlconnector._read_ahead import read_ahead
from mlconnector._watching import pages as watched_pages
from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.errors import InvalidArgument, InvalidDocument, MLConnectorError

__all__ = ["Batch", "Page", "Progress", "Ranged", "RawRows", "Reader", "Records", "Rejected", "Since", "Span", "Window"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Progress = Callable[[str, int, int], Any]
"""Called after every page with the kind, the documents read so far and those delivered so far (0 in a plain read)."""

Since = dt.datetime | Mapping[str, Any] | None
"""Where a read begins: an aware datetime, inclusive; a saved cursor; or ``None``, everything."""

_SHOWN = 10
"""Documents that a notebook shows of a read."""


@attrs.frozen(kw_only=True)
class Rejected:
    """A row that could not become a document: its key, the row as the vendor sent it, and every fault."""

    key: str
    row: Mapping[str, Any] = attrs.field(repr=False)
    faults: tuple[str, ...]
    updated_at: dt.datetime | None = None


def _no_cursor() -> None:
    return None


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """A page of a pass.

    Args:
        documents: What was read, in the source's order.
        rejected: Rows that could not become documents.
        last: Nothing follows.
        clock: The source's clock when the pass began.
        make_cursor: Makes ``cursor`` when it is asked for. Save it together with what you made of the page.
    """

    documents: tuple[T, ...]
    rejected: tuple[Rejected, ...] = ()
    last: bool = False
    clock: dt.datetime | None = None
    make_cursor: Callable[[], dict[str, Any] | None] = attrs.field(default=_no_cursor, repr=False, eq=False)

    @functools.cached_property
    def cursor(self) -> dict[str, Any] | None:
        """Where to go on after this page: plain JSON, or ``None`` where the read leaves none."""
        return self.make_cursor()


def _never(_key: str, _signature: str) -> bool:
    return False


@attrs.frozen(kw_only=True)
class Window:
    """What a vendor's reader is asked for.

    Args:
        lower: Everything stamped at or after it (UTC); earlier may come, later must not be missed. ``None``: all.
        until: Nothing stamped after it.
        position: Go on after this position of the same pass.
        keys: Read exactly these natural keys, whatever their stamp.
        limit: The consumer needs no more than this many documents.
        settled: True for a key and stamp signature whose content is known; it need not be read again.
    """

    lower: dt.datetime | None = None
    until: dt.datetime | None = None
    position: Any = None
    keys: tuple[str, ...] | None = None
    limit: int | None = None
    settled: Callable[[str, str], bool] = attrs.field(default=_never, repr=False)


@attrs.frozen(kw_only=True)
class Batch(Generic[T_co]):
    """What a vendor's reader hands back for one page.

    Args:
        documents: Documents, or rows of a raw read.
        rejected: Rows that could not become documents.
        position: Plain JSON to go on after this batch.
        clock: The source's clock (``Date`` of the answer the batch came with); the first one of a pass caps the
            watermark.
        last: Nothing follows. The final batch of a pass must say so: only it moves the watermark.
        signatures: Stamp signature of a document, by key.
        skipped: Signature and stamp of documents that ``Window.settled`` made unnecessary to read, by key.
        high: Greatest stamp seen in this batch, where it is not on a document.
        mapping: Makes ``documents`` and ``rejected`` instead of handing them over: called once in the consumer's
            thread, so that a page is decoded and mapped while the next one is being fetched. It raises what reading
            raises where a page turns out to be no such page.
    """

    documents: Sequence[T_co] = ()
    rejected: Sequence[Rejected] = ()
    position: Any = None
    clock: dt.datetime | None = None
    last: bool = False
    signatures: Mapping[str, str] = attrs.field(factory=dict)
    skipped: Mapping[str, tuple[str, dt.datetime]] = attrs.field(factory=dict)
    high: dt.datetime | None = None
    mapping: Callable[[], tuple[Sequence[T_co], Sequence[Rejected]]] | None = attrs.field(default=None, repr=False)

    def mapped(self) -> Batch[T_co]:
        """The same with its documents made."""
        if self.mapping is None:
            return self
        documents, rejected = self.mapping()
        return attrs.evolve(self, documents=documents, rejected=rejected, mapping=None)


class Reader(Protocol[T_co]):
    """How a vendor reads one kind.

    Attributes:
        filters: Plain JSON of everything that decides which documents the read covers; part of the cursor.
        overlap: How far behind a watermark late commits, coarse stamps and unknown zones can lie (delivery rule 2).
        resumable: False for reads without stamps and keys (raw rows): they leave no cursor.

    A reader may have a ``margin`` as well: how much earlier than a window's lower bound the stamps of its documents
    can be, because they are dates or their zone is not known. What comes again for that is known by its fingerprint.
    """

    @property
    def system(self) -> str:
        """Which system is read."""
        ...

    @property
    def kind(self) -> str:
        """What is read."""
        ...

    @property
    def filters(self) -> Mapping[str, Any]:
        """See above."""
        ...

    @property
    def overlap(self) -> dt.timedelta:
        """See above."""
        ...

    @property
    def resumable(self) -> bool:
        """See above."""
        ...

    def read(self, window: Window) -> Iterator[Batch[T_co]]:
        """Yield batches; the final one has ``last=True``."""
        ...


@attrs.frozen(kw_only=True)
class _Pages(Generic[T]):
    """The reader of :meth:`Records.from_pages`."""

    function: Callable[[Window], Iterable[Batch[T] | Sequence[T]]] = attrs.field(repr=False)
    system: str
    kind: str
    filters: Mapping[str, Any]
    overlap: dt.timedelta
    resumable: bool
    clock: Clock

    def read(self, window: Window) -> Iterator[Batch[T]]:
        """What the function yields, as batches. That it returned is what makes a pass complete, unless it said so."""
        # Before the first call: a batch without the source's clock must not cap the watermark later than that.
        begin, position = self.clock.now(), window.position
        pages = iter(self.function(window))
        try:
            for page in pages:
                batch = page if isinstance(page, Batch) else Batch(documents=page, position=position)
                position = batch.position
                yield batch if batch.clock is not None else attrs.evolve(batch, clock=begin)
                if batch.last:
                    return
            yield Batch(clock=begin, position=position, last=True)
        finally:
            close = getattr(pages, "close", None)
            if close is not None:
                close()


@attrs.frozen
class _InRanges(Generic[T]):
    """The reader of :meth:`Records.in_ranges`. Named keys, a few documents, and what is no walk are read as ever."""

    reader: Any
    at_once: int

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.reader, name)

    def read(self, window: Window) -> Iterator[Batch[T]]:
        """The batches of a pass."""
        if window.keys is not None or window.limit is not None or not self.reader.walks(window):
            yield from self.reader.read(window)
        else:
            yield from read_ranges(self.reader, window, self.at_once)


@attrs.define
class _Latest:
    make: Callable[[], dict[str, Any] | None]


class Records(Generic[T]):
    """An immutable description of a read; iterating it is a pass.

    Args:
        reader: The vendor's reader.
        since: An aware datetime (inclusive, no overlap), a saved cursor, or ``None`` for everything.
        until: Nothing stamped after it; a backfill with ``until`` leaves no cursor.
        keys: Exactly these natural keys; leaves no cursor.
        limit: At most this many documents.
        memory: Fingerprints a cursor remembers at most.

    Raises:
        InvalidArgument: A naive datetime, a negative limit.
        CursorMismatch: A cursor of another system, kind or filter.
    """

    def __init__(
        self,
        reader: Reader[T],
        *,
        since: dt.datetime | Mapping[str, Any] | None = None,
        until: dt.datetime | None = None,
        keys: Sequence[str] | None = None,
        limit: int | None = None,
        memory: int = MEMORY,
    ) -> None:
        if until is not None and until.tzinfo is None:
            raise InvalidArgument(f"until={until!r} has no time zone.", cure="Pass an aware datetime.")
        if limit is not None and (type(limit) is not int or limit < 0):
            raise InvalidArgument(f"limit={limit!r} is not a number of documents.", cure="Pass a positive int or None.")
        if type(memory) is not int or memory < 0:
            raise InvalidArgument(f"memory={memory!r} is not a number of fingerprints.", cure="Pass a positive int.")
        if isinstance(keys, str):
            raise InvalidArgument(f"keys={keys!r} is one string.", cure="Pass a list of keys.")
        self._reader = reader
        self._since = since
        self._until = until
        self._keys = None if keys is None else tuple(keys)
        self._limit = limit
        self._memory = memory
        self._progress: Progress | None = None
        self._start()
        self._latest = _Latest(self._start_cursor)

    @classmethod
    def from_pages(
        cls,
        function: Callable[[Window], Iterable[Batch[T] | Sequence[T]]],
        *,
        system: str,
        kind: str,
        filters: Mapping[str, Any] | None = None,
        overlap: dt.timedelta = dt.timedelta(minutes=10),
        resumable: bool = True,
        since: dt.datetime | Mapping[str, Any] | None = None,
        until: dt.datetime | None = None,
        keys: Sequence[str] | None = None,
        limit: int | None = None,
        memory: int = MEMORY,
        clock: Clock = SYSTEM_CLOCK,
    ) -> Records[T]:
        """A read made of a function that yields pages.

        Args:
            function: Called with the :class:`Window` of each pass. Yields :class:`Batch`, or plain sequences of
                documents; a pass that was cut short is taken up at a page only where batches carry a ``position``.
                Returning ends the pass, raising leaves it unfinished.
            system: Name of the system. ``kind``: of the documents; both stand in cursors.
            filters: Plain JSON of everything else that decides what is read; a cursor belongs to it.
            overlap: How far behind a watermark late commits can lie.
            resumable: False for rows without keys and stamps: they leave no cursor.
            since, until, keys, limit, memory: As of the class.
            clock: The source's clock, for batches that do not carry it.

        Raises:
            InvalidArgument: A naive datetime, a negative number, an empty name.
            CursorMismatch: A cursor of another system, kind or filter.
        """
        if not system.strip() or not kind.strip():
            raise InvalidArgument(f"system={system!r}, kind={kind!r}.", cure="Name both; cursors carry the names.")
        if overlap < dt.timedelta(0):
            raise InvalidArgument(f"overlap={overlap!r} is negative.", cure="Give a timedelta of 0 or more.")
        reader = _Pages(
            function=function,
            system=system,
            kind=kind,
            filters=dict(filters or {}),
            overlap=overlap,
            resumable=resumable,
            clock=clock,
        )
        return cls(reader, since=since, until=until, keys=keys, limit=limit, memory=memory)

    @property
    def reader(self) -> Reader[T]:
        """How it is read; for readers that are made of another one."""
        return self._reader

    @property
    def system(self) -> str:
        """Which system is read."""
        return self._reader.system

    @property
    def kind(self) -> str:
        """What is read, by the reader's name."""
        return self._reader.kind

    @property
    def cursor(self) -> dict[str, Any] | None:
        """Cursor of the latest pass; moves by whole pages, once the document after a page's last is asked for."""
        return self._latest.make()

    def continue_from(self, cursor: Mapping[str, Any] | None) -> Records[T]:
        """The same read from a saved cursor; ``None`` keeps this read's own start."""
        return self if cursor is None else self._but(since=cursor)

    def starting(self, since: dt.datetime) -> Records[T]:
        """The same read from an instant."""
        return self._but(since=since)

    def in_ranges(self, max_in_flight: int) -> Records[T]:
        """The same read with several ranges of the key under way at once; documents come in the order of the key.

        For long reads of a system that is slow to answer and takes several calls at once. It makes about a third more
        calls, all within the client's limits, and holds at most a few pages of each range. Cursors are those of the
        same read without it.

        Args:
            max_in_flight: How many ranges, at most the client's own ``max_in_flight``.

        Raises:
            InvalidArgument: A number that is none, more than the client allows, or a read that is not a walk by a
                numeric key.
        """
        if type(max_in_flight) is not int or max_in_flight < 1:
            raise InvalidArgument(f"max_in_flight={max_in_flight!r} is no count from 1.", cure="Give a whole number.")
        reader = self._reader.reader if isinstance(self._reader, _InRanges) else self._reader
        allowed = reader.ranges_at_once if isinstance(reader, Ranged) else 0
        if allowed == 0:
            raise InvalidArgument(
                f"{self.kind} of {self.system} is not read by a numeric key.", cure="Read it without in_ranges()."
            )
        if allowed is not None and max_in_flight > allowed:
            raise InvalidArgument(
                f"max_in_flight={max_in_flight}: the client allows {allowed} calls at once.",
                cure="Give the client a higher max_in_flight=, if its administrator agrees; or fewer ranges.",
            )
        return self._but(reader=_InRanges(reader, max_in_flight))

    def only(self, keys: Sequence[str]) -> Records[T]:
        """The same documents read again by natural key, whatever their stamp. Leaves no cursor."""
        return self._but(since=None, until=None, keys=keys, limit=None)

    def reporting(self, progress: Progress) -> Records[T]:
        """The same read, telling how far it is: ``jde.invoices().reporting(mc.ProgressBar()).to_pandas()``.

        Args:
            progress: Called after every page of every pass, in the thread that iterates, with the kind, the documents
                of that pass so far, and 0. What it raises ends the pass.
        """
        told = self._but()
        told._progress = progress
        return told

    def __iter__(self) -> Iterator[T]:
        """Documents, one by one.

        Raises:
            InvalidDocument: At a row that cannot become a document; the documents of its page came before.
        """
        latest = self._latest = _Latest(self._start_cursor)
        with contextlib.closing(self._pages()) as pages:
            for page in pages:
                yield from page.documents
                if page.rejected:
                    first = page.rejected[0]
                    raise InvalidDocument(
                        f"{self.kind} {first.key} cannot be read.",
                        faults=first.faults,
                        cure="Correct it in the source, or iterate .pages() and handle page.rejected.",
                        system=self.system,
                    )
                latest.make = functools.partial(getattr, page, "cursor")

    def pages(self) -> Iterator[Page[T]]:
        """Pages, with rejected rows handed over and the cursor after each."""
        latest = self._latest = _Latest(self._start_cursor)
        with contextlib.closing(self._pages()) as pages:
            for page in pages:
                yield page
                latest.make = functools.partial(getattr, page, "cursor")

    @property
    def document_class(self) -> type[Any] | None:
        """Class of the documents of a reader that design section 4.3 names, ``None`` of raw rows."""
        from mlconnector.frames import document_class

        return document_class(self.kind) if self._reader.resumable else None

    def to_pandas(self, explode: str | None = None) -> Any:
        """One pass as a ``pandas.DataFrame``, see :func:`mlconnector.to_pandas`."""
        from mlconnector.frames import to_pandas

        return to_pandas(self, explode)

    def to_arrow(self, explode: str | None = None) -> Any:
        """One pass as a ``pyarrow.Table``, see :func:`mlconnector.to_arrow`."""
        from mlconnector.frames import to_arrow

        return to_arrow(self, explode)

    def to_polars(self, explode: str | None = None) -> Any:
        """One pass as a ``polars.DataFrame``, see :func:`mlconnector.to_polars`."""
        from mlconnector.frames import to_polars

        return to_polars(self, explode)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """One pass as an Arrow C stream, for whatever reads Arrow (DuckDB, pyarrow, polars)."""
        from mlconnector.frames import arrow_stream

        return arrow_stream(self, requested_schema)

    def __repr__(self) -> str:
        start = "a cursor" if isinstance(self._since, Mapping) else self._since
        parts = [f"{self.system} {self.kind}"]
        parts += [f"since={start}"] if start is not None else []
        parts += [f"until={self._until}"] if self._until is not None else []
        parts += [f"limit={self._limit}"] if self._limit is not None else []
        parts += [f"{len(self._keys)} keys"] if self._keys is not None else []
        return f"<Records {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        """For notebooks: the first documents of a pass of its own, so that ``cursor`` stays where it is.

        What keeps it from being read is shown instead of raised.
        """
        limit = _SHOWN if self._limit is None else min(_SHOWN, self._limit)
        rejected: list[str] = []
        shown: list[T] = []
        glance = self._but(limit=limit)
        glance._progress = None
        try:
            for page in glance.pages():
                shown += page.documents
                rejected += [f"{one.key}: {'; '.join(one.faults)}" for one in page.rejected]
        except MLConnectorError as error:
            rejected.append(str(error))
        head, rows = columns(shown)
        return table(head, rows, caption=f"{self!r}, the first {len(shown)}") + notes(rejected)

    def _but(self, **changes: Any) -> Records[T]:
        options: dict[str, Any] = {
            "reader": self._reader,
            "since": self._since,
            "until": self._until,
            "keys": self._keys,
            "limit": self._limit,
            "memory": self._memory,
        }
        made: Records[T] = Records(**{**options, **changes})
        made._progress = self._progress
        return made

    def _start(self) -> PassState:
        reader = self._reader
        state = PassState(reader.system, reader.kind, filters_hash(reader.filters), reader.overlap, self._memory)
        state.start(self._since)
        return state

    def _start_cursor(self) -> dict[str, Any] | None:
        return dict(self._since) if isinstance(self._since, Mapping) else None

    @property
    def _leaves_cursor(self) -> bool:
        return self._until is None and self._keys is None and self._reader.resumable

    def _pages(self) -> Generator[Page[T], None, None]:
        state = self._start()
        window = Window(
            lower=state.lower,
            until=self._until,
            position=state.position,
            keys=self._keys,
            limit=self._limit,
            settled=state.settled,
        )
        left, make, read = self._limit, self._start_cursor, 0
        fetching = watched_pages(self._reader.read(window), _size, system=self.system, kind=self.kind)
        with contextlib.closing(read_ahead(fetching, _is_last)) as batches:
            for fetched in batches:
                batch = fetched.mapped()
                clock = batch.clock or SYSTEM_CLOCK.now()
                state.note_clock(clock)
                # Only now: it may depend on what a login told.
                state.margin = getattr(self._reader, "margin", state.margin)
                documents = self._new(state, batch, clock)
                cut = left is not None and len(documents) > left
                if cut:
                    documents = documents[:left]
                elif self._leaves_cursor:
                    state.position = batch.position
                    make = state.cursor(last=batch.last)
                read += len(documents)
                if self._progress is not None:
                    self._progress(self.kind, read, 0)
                yield Page(
                    documents=tuple(documents),
                    rejected=tuple(batch.rejected),
                    last=batch.last or cut,
                    clock=state.begin,
                    make_cursor=make if self._leaves_cursor else _no_cursor,
                )
                if left is not None:
                    left -= len(documents)
                    if left <= 0:
                        return

    def _in_time(self, document: Any) -> bool:
        """Not stamped after ``until``; a vendor's filter may be coarser than an instant."""
        provenance = getattr(document, "provenance", None)
        stamp = None if provenance is None else provenance.updated_at
        return self._until is None or stamp is None or stamp <= self._until

    def _new(self, state: PassState, batch: Batch[T], clock: dt.datetime) -> list[T]:
        """The batch's documents less what the cursor remembers; raw rows as they are."""
        if not self._leaves_cursor:
            if self._until is None:
                return list(batch.documents)
            return [document for document in batch.documents if self._in_time(document)]
        state.note_high(batch.high)
        for rejected in batch.rejected:
            state.note_high(rejected.updated_at)
        for _signature, stamp in batch.skipped.values():
            state.note_high(stamp)
        return state.handed_out(batch.documents, batch.signatures, clock)


def _is_last(batch: Batch[Any]) -> bool:
    return batch.last


def _size(batch: Batch[Any]) -> dict[str, Any]:
    """What is known of a page before it is mapped: that happens in the consumer's thread."""
    known = {} if batch.mapping is not None else {"documents": len(batch.documents), "rejected": len(batch.rejected)}
    return {**known, "skipped": len(batch.skipped), "last": batch.last}
