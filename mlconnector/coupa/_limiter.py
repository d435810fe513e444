"""One pace for all threads of a client (Coupa reference, section 8: 25 requests a second)."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from mlconnector.clock import Clock
from mlconnector.errors import InvalidArgument

__all__ = ["Limiter"]

MOST = 25
"""Requests a second that Coupa takes (Coupa reference, section 8)."""
_NEAR = 0.001
"""Seconds by which a sum of pauses may miss a whole second."""


class Limiter:
    """Lets calls go one by one: evenly spaced, and never more than 24 within a second.

    Even spacing and not bursts: calls that are delayed on the way bunch up at the other end, and two bursts that meet
    there are twice the rate. The count besides, because threads that are held up by the machine go late, together.

    Args:
        rate: Requests a second, 1 to 25. 20 leaves room for calls that catch up with one another on the way.
        clock: What it waits on.

    Raises:
        InvalidArgument: A rate outside 1 to 25.
    """

    def __init__(self, rate: int, clock: Clock) -> None:
        if type(rate) is not int or not 1 <= rate <= MOST:
            raise InvalidArgument(
                f"calls_per_second={rate!r} is not 1 to {MOST}.", cure="Use 20 (Coupa reference, section 8)."
            )
        self._rate, self._clock = rate, clock
        self._lock = threading.Lock()
        self._next = float("-inf")
        self._gone: deque[float] = deque(maxlen=min(rate, MOST - 1))

    def __call__(self, _request: Any = None) -> None:
        """Wait for this call's turn."""
        with self._lock:
            now = self._clock.monotonic()
            turn = max(now, self._next)
            self._next = turn + 1 / self._rate
        if turn > now:
            self._clock.sleep(turn - now)
        while (wait := self._held()) > 0:
            self._clock.sleep(wait)

    def _held(self) -> float:
        """Seconds to wait because the second is full; 0 lets this call go."""
        with self._lock:
            now = self._clock.monotonic()
            wait = 1.0 - (now - self._gone[0]) if len(self._gone) == self._gone.maxlen else 0.0
            if wait > _NEAR:
                return wait
            self._gone.append(now)
            return 0.0

    def __reduce__(self) -> tuple[type[Limiter], tuple[int, Clock]]:
        return Limiter, (self._rate, self._clock)
