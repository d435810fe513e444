"""A clock that tests move instead of sleeping."""

from __future__ import annotations

import datetime as dt
import threading

from mlconnector.errors import InvalidArgument

__all__ = ["ManualClock"]

_DEFAULT_START = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)


class ManualClock:
    """A :class:`~mlconnector.clock.Clock` that stands still until it is moved; safe among threads.

    Args:
        start: The aware instant it begins at.

    Raises:
        InvalidArgument: ``start`` is naive.
    """

    def __init__(self, start: dt.datetime = _DEFAULT_START) -> None:
        if start.tzinfo is None:
            raise InvalidArgument(f"start must be aware, not {start!r}.")
        self._lock = threading.Lock()
        self._start = start.astimezone(dt.UTC)
        self._elapsed = dt.timedelta()
        self._sleeps: list[float] = []

    def now(self) -> dt.datetime:
        """The instant it stands at, aware, in UTC."""
        with self._lock:
            return self._start + self._elapsed

    def monotonic(self) -> float:
        """Seconds since the start."""
        with self._lock:
            return self._elapsed.total_seconds()

    def sleep(self, seconds: float) -> None:
        """Advance by ``seconds`` at once and remember it in :attr:`sleeps`."""
        with self._lock:
            self._sleeps.append(seconds)
            self._elapsed += dt.timedelta(seconds=max(seconds, 0))

    def advance(self, by: float | dt.timedelta) -> None:
        """Move forward.

        Args:
            by: Seconds or a time span, not negative.

        Raises:
            InvalidArgument: ``by`` is negative.
        """
        span = by if isinstance(by, dt.timedelta) else dt.timedelta(seconds=by)
        if span < dt.timedelta():
            raise InvalidArgument(f"A clock advances; it was asked to move by {by!r}.")
        with self._lock:
            self._elapsed += span

    @property
    def sleeps(self) -> tuple[float, ...]:
        """Every wait so far, in seconds, in order."""
        with self._lock:
            return tuple(self._sleeps)

    def __repr__(self) -> str:
        return f"ManualClock({self.now().isoformat()})"
