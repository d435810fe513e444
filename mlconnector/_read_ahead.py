"""Fetch the next page while this one is worked on: one page ahead, in order, ended with its consumer."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

__all__ = ["read_ahead"]

T = TypeVar("T")


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
            following = pool.submit(fetch)
            yield item
            while True:
                # Asked for while the one before is still awaited: its request goes out before the consumer, who would
                # hold the interpreter, begins to work.
                after = pool.submit(fetch)
                item = following.result()
                if item is None:
                    return
                following = after
                yield item
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

    def __call__(self) -> T | None:
        if self._ended:
            return None
        self._ended = True
        item = next(self._source, None)
        self._ended = item is None or self._last(item)
        return item
