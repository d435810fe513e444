"""Fetch the next pages while this one is worked on: two at most, in order, ended with their consumer."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from mlconnector._on_the_wire import gone_out

__all__ = ["read_ahead"]

T = TypeVar("T")
_AHEAD = 2
"""One to be there when this one is done with, and one on its way then: with one, the wire would rest meanwhile."""
_PATIENCE = 0.01
"""Seconds in which a request is made up; whatever takes longer is not waited for."""


def read_ahead(source: Iterator[T], last: Callable[[T], bool]) -> Generator[T, None, None]:
    """Yield from ``source``, which is up to two items ahead; ``last`` says that nothing follows an item.

    The first item is fetched in the caller's thread, so that a read of one page starts no thread. Closing the
    generator waits for the fetch under way and closes the source: nothing runs on behind it.
    """
    try:
        item = next(source, None)
        if item is None:
            return
        if last(item):
            yield item
            return
        fetch = _Fetch(source, last)
        pool = ThreadPoolExecutor(1, thread_name_prefix="mlconnector-read-ahead")
        try:
            asked: deque[tuple[Future[T | None], threading.Event]] = deque()
            while True:
                while len(asked) < _AHEAD:
                    sent = threading.Event()
                    asked.append((pool.submit(fetch, sent), sent))
                # The consumer would hold the interpreter: it begins to work when the next request is on its way.
                asked[0][1].wait(_PATIENCE)
                yield item
                item = asked.popleft()[0].result()
                if item is None:
                    return
        finally:
            pool.shutdown(cancel_futures=True)
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            close()


class _Fetch(Generic[T]):
    """The next item of a source; ``None`` behind its last one, and behind a failure."""

    def __init__(self, source: Iterator[T], last: Callable[[T], bool]) -> None:
        self._source, self._last, self._ended = source, last, False

    def __call__(self, sent: threading.Event) -> T | None:
        """Fetch; ``sent`` is set when its first request went out, and at its end."""
        outer = gone_out.set(sent)
        try:
            if self._ended:
                return None
            self._ended = True
            item = next(self._source, None)
            self._ended = item is None or self._last(item)
            return item
        finally:
            gone_out.reset(outer)
            sent.set()
