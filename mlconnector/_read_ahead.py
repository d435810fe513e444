"""Fetch the next page while this one is worked on: one page ahead, in order, ended with its consumer."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

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
        with ThreadPoolExecutor(1, thread_name_prefix="mlconnector-read-ahead") as pool:
            while item is not None and not last(item):
                following = pool.submit(next, source, None)
                yield item
                item = following.result()
            if item is not None:
                yield item
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            close()
