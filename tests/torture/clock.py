"""Time that several processes share: the machine's monotonic clock plus what anybody has slept."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import mmap
import os
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
_FORM = struct.Struct("dd")
_PATIENCE = 0.5


class SharedClock:
    """A clock in a file. Sleeping moves it for everybody and waits for nothing.

    It never moves while some process is on the wire: no request is under way longer than its time-out says.

    Args:
        path: The file. ``skew``: how far this one is off, in seconds.
    """

    def __init__(self, path: Path, skew: float = 0.0) -> None:
        self.path, self.skew = path, skew
        self._own = threading.local()
        fresh = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if fresh:
                os.write(handle, _FORM.pack(time.monotonic(), 0.0))
            self._map = mmap.mmap(handle, _FORM.size)
        finally:
            os.close(handle)

    def __reduce__(self) -> tuple[type[SharedClock], tuple[Path, float]]:
        return SharedClock, (self.path, self.skew)

    def close(self) -> None:
        self._map.close()

    def monotonic(self) -> float:
        turned_back: float | None = getattr(self._own, "time", None)
        if turned_back is not None:
            return turned_back
        zero, ahead = _FORM.unpack(self._map[:])
        return time.monotonic() - zero + ahead

    def now(self) -> dt.datetime:
        return START + dt.timedelta(seconds=self.monotonic() + self.skew)

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float, *, at_once: bool = False) -> None:
        """Move it: given up after a moment where others keep being on the wire, or ``at_once`` whatever they do."""
        with self._opened() as handle:
            if not at_once and not _locked(handle):
                return
            zero, ahead = _FORM.unpack(self._map[:])
            self._map[:] = _FORM.pack(zero, ahead + max(0.0, seconds))

    @contextlib.contextmanager
    def turned_back(self, time: float) -> Iterator[None]:
        """For this thread it stands at an earlier time: what is worked on now was done then."""
        self._own.time = min(time, self.monotonic())
        try:
            yield
        finally:
            del self._own.time

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nobody moves it meanwhile; a killed holder lets go."""
        with self._opened() as handle:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        handle = os.open(self.path, os.O_RDWR)
        try:
            yield handle
        finally:
            os.close(handle)


def _locked(handle: int) -> bool:
    """Wait for the file's lock, a moment at most. Who gives up closes the file, which ends what still waits for it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        waiting = threading.Thread(target=fcntl.flock, args=(handle, fcntl.LOCK_EX), daemon=True)
        waiting.start()
        waiting.join(_PATIENCE)
        return not waiting.is_alive()
