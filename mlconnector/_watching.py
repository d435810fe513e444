"""The one seam for whoever watches from outside (see :mod:`mlconnector.otel`): nothing is done while nobody does.

Told are spans of work and counts. What is told names systems, kinds, keys, states and paths without their query; no
document, no header, no body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Generic, Protocol, TypeVar

__all__ = ["Observer", "Span", "carried", "count", "observe", "pages", "start", "watched"]

T = TypeVar("T")
R = TypeVar("R")


class Span(Protocol):
    """One piece of work while it is under way."""

    def note(self, **facts: Any) -> None:
        """What became known of it."""
        ...

    def current(self) -> AbstractContextManager[object]:
        """While the block runs, work that is begun belongs to this piece."""
        ...

    def end(self, error: BaseException | None = None) -> None:
        """It is over."""
        ...


class Observer(Protocol):
    """Who watches."""

    def start(self, name: str, facts: dict[str, Any], parent: object) -> Span:
        """A piece of work begins, as part of ``parent`` or of what the calling thread is at."""
        ...

    def here(self) -> object:
        """What the calling thread is at, for work that goes on in another thread."""
        ...

    def under(self, parent: object) -> AbstractContextManager[object]:
        """While the block runs, the calling thread is at that."""
        ...

    def count(self, name: str, number: int, facts: dict[str, Any]) -> None:
        """So many more of these."""
        ...


class _Nothing:
    """A piece of work that nobody watches."""

    def note(self, **facts: Any) -> None:
        """Is not noted."""

    def current(self) -> AbstractContextManager[object]:
        """Changes nothing."""
        return nullcontext()

    def end(self, error: BaseException | None = None) -> None:
        """Is not told."""

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_: object) -> None:
        return None


_NOTHING = _Nothing()
_observer: Observer | None = None


def observe(observer: Observer | None) -> Observer | None:
    """Let this one watch the process from now on; returns who did before."""
    # As with logging, who watches is a matter of the process.
    global _observer
    before, _observer = _observer, observer
    return before


def start(name: str, **facts: Any) -> Span:
    """Begin a piece of work that is ended by hand."""
    return _NOTHING if _observer is None else _observer.start(name, facts, None)


def watched(name: str, **facts: Any) -> AbstractContextManager[Span]:
    """A piece of work as long as the block."""
    return _NOTHING if _observer is None else _lasting(_observer.start(name, facts, None))


@contextmanager
def _lasting(span: Span) -> Iterator[Span]:
    try:
        with span.current():
            yield span
    except BaseException as error:
        span.end(error)
        raise
    span.end()


def count(name: str, number: int, **facts: Any) -> None:
    """So many more of these; none are not told."""
    if _observer is not None and number:
        _observer.count(name, number, facts)


def carried(function: Callable[[T], R]) -> Callable[[T], R]:
    """The same function, for another thread: what it does belongs to what this thread is at now."""
    observer = _observer
    if observer is None:
        return function
    parent = observer.here()

    def told(item: T) -> R:
        with observer.under(parent):
            return function(item)

    return told


def pages(source: Iterator[T], describe: Callable[[T], dict[str, Any]], **facts: Any) -> Iterator[T]:
    """The same iterator, the making of each item a piece of work, whatever thread it is made in."""
    return source if _observer is None else _Pages(source, describe, facts, _observer)


class _Pages(Generic[T]):
    def __init__(
        self, source: Iterator[T], describe: Callable[[T], dict[str, Any]], facts: dict[str, Any], observer: Observer
    ) -> None:
        self._source, self._describe, self._facts, self._observer = source, describe, facts, observer
        self._parent = observer.here()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        span = self._observer.start("page", self._facts, self._parent)
        try:
            with span.current():
                item = next(self._source)
        except StopIteration:
            span.end()
            raise
        except BaseException as error:
            span.end(error)
            raise
        span.note(**self._describe(item))
        span.end()
        return item

    def close(self) -> None:
        close = getattr(self._source, "close", None)
        if close is not None:
            close()
