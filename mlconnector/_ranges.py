"""Several key ranges read at once, handed out in the order of the key.

The ranges are cut while they are read, each about a page long by what was found so far, so that what waits for its turn
is a few pages a range and no more. They lie side by side without a gap, the last one open above. A key never changes,
so a row is in one range, whatever else of it is changed meanwhile; a new row has the highest key, and is in the last.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import attrs

__all__ = ["Ranged", "Span", "read_ranges"]

T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")

_SHARE = 0.75
"""How full a range's page should be: a fuller one would often need a second call."""
_GROWTH = 4
"""How much wider a range may be than the one before."""
_MOST_PAGES = 4
"""Pages of one range that are read before its turn."""


@attrs.frozen(kw_only=True)
class Span(Generic[T_co]):
    """A page of a walk by key.

    Args:
        batch: What is handed out. ``rows``: how many the vendor sent. ``size``: how many a page holds.
        low, high: The keys of its first and last row; ``None`` where it is empty.
        last: Nothing follows in the range.
    """

    batch: T_co
    rows: int
    size: int
    low: int | None
    high: int | None
    last: bool

    def holding(self, batch: U) -> Span[U]:
        """The same page as something else."""
        return Span(batch=batch, rows=self.rows, size=self.size, low=self.low, high=self.high, last=self.last)


@runtime_checkable
class Ranged(Protocol):
    """A reader that walks by a number which every row has and keeps."""

    @property
    def ranges_at_once(self) -> int | None:
        """Ranges that may be read at once: ``None`` where no limit is set, 0 where this read is no walk by number."""
        ...

    def walks(self, window: Any) -> bool:
        """Whether a pass over this window is such a walk."""
        ...

    def spans(self, window: Any, after: int | None, upto: int | None) -> Iterator[Span[Any]]:
        """Pages of what comes after a key, or from the window's begin, up to another key or to the end.

        Args:
            window: What is asked for. ``after``: the key before the first one; ``None`` begins where the window does.
            upto: The last key that may come; ``None``: to the end.
        """
        ...

    def highest(self, window: Any) -> int | None:
        """The highest key there is at this moment."""
        ...


@attrs.define
class _Range:
    """Keys above ``after`` up to ``upto``, and the pages being read of it."""

    after: int
    upto: int | None
    pages: Future[list[Span[Any]]]


def read_ranges(reader: Ranged, window: Any, at_once: int) -> Generator[Any, None, None]:
    """Batches of a pass, in the order of the key, every row once.

    The first page is read alone: a read of one page needs no ranges, and its clock, before which nothing else was
    read, is the one of the whole pass (delivery rule 2).
    """
    with contextlib.closing(_pages(reader, window, None, None)) as pages:
        first = next(pages)
    yield first.batch
    highest = None if first.last or first.low is None else reader.highest(window)
    if first.last or first.high is None or first.low is None:
        return
    yield from _Ranges(reader, window, at_once, first, first.high if highest is None else highest).read()


def _pages(reader: Ranged, window: Any, after: int | None, upto: int | None) -> Generator[Span[Any], None, None]:
    yield from reader.spans(window, after, upto)


class _Ranges:
    def __init__(self, reader: Ranged, window: Any, at_once: int, first: Span[Any], highest: int) -> None:
        assert first.low is not None
        assert first.high is not None
        self._reader, self._window, self._at_once, self._highest = reader, window, at_once, highest
        self._next = first.high
        self._width = self._fitting(first.rows, first.high - first.low + 1, first.size)
        self._queue: deque[_Range] = deque()
        self._complete = False
        self._closing = threading.Event()

    def read(self) -> Generator[Any, None, None]:
        position = self._next
        pool = ThreadPoolExecutor(self._at_once, thread_name_prefix="mlconnector-ranges")
        try:
            while True:
                self._fill(pool)
                part = self._queue.popleft()
                spans = part.pages.result()
                end = spans[-1]
                if not end.last:
                    rest = end.high if end.high is not None else part.after
                    self._queue.appendleft(self._begun(pool, rest, part.upto))
                self._learn(part, spans)
                for span in spans:
                    position = position if span.high is None else span.high
                    last = span.last and part.upto is None
                    if span.rows or last:
                        yield attrs.evolve(span.batch, position=position, last=last)
                if end.last and part.upto is None:
                    return
        finally:
            self._closing.set()
            pool.shutdown(cancel_futures=True)

    def _fill(self, pool: ThreadPoolExecutor) -> None:
        while len(self._queue) < self._at_once and not self._complete:
            upto = self._next + self._width
            self._complete = upto >= self._highest
            self._queue.append(self._begun(pool, self._next, None if self._complete else upto))
            self._next = upto

    def _begun(self, pool: ThreadPoolExecutor, after: int, upto: int | None) -> _Range:
        return _Range(after, upto, pool.submit(self._read, after, upto))

    def _read(self, after: int, upto: int | None) -> list[Span[Any]]:
        found: list[Span[Any]] = []
        with contextlib.closing(_pages(self._reader, self._window, after, upto)) as pages:
            for span in pages:
                found.append(span)
                if len(found) == _MOST_PAGES or self._closing.is_set():
                    break
        return found

    def _learn(self, part: _Range, spans: list[Span[Any]]) -> None:
        """How wide a range must be for a page."""
        end = spans[-1]
        reached = end.high if not end.last and end.high is not None else part.upto
        rows = sum(span.rows for span in spans)
        if reached is not None:
            self._width = self._fitting(rows, reached - part.after, end.size)

    def _fitting(self, rows: int, covered: int, size: int) -> int:
        wanted = int(_SHARE * size * covered / rows) if rows else covered * _GROWTH
        return max(1, min(wanted, covered * _GROWTH))
