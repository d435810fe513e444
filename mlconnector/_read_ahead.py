"""Fetch the next page while this one is worked on: one page ahead, in order, ended with its consumer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from mlconnector._on_the_wire import gone_out

__all__ = ["read_ahead"]

T = TypeVar("T")
_PATIENCE = 0.01
"""Seconds in which a request is made up; whatever takes longer is not waited for."""


def read_ahead(source: Iterator[T], last: Callable[[T], bool]) -> Generator[T, None, None]:
    """Yield from ``source``, always one item ahead; ``last`` says that nothing follows an item.

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
            sent = threading.Event()
            following = pool.submit(fetch, sent)
            while True:
                # The consumer would hold the interpreter: it begins to work when the next request is on its way.
                sent.wait(_PATIENCE)
                yield item
                sent = threading.Event()
                # Asked for while the one before is still awaited, so that no time passes between the two.
                after = pool.submit(fetch, sent)
                item = following.result()
                if item is None:
                    return
                following = after
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
