"""The send window of delivery rule 5: after its end, nothing more goes out."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager

from mlconnector.clock import Clock
from mlconnector.errors import ConnectionFailed

__all__ = ["Window", "current_window", "send_window"]


class Window:
    """How long sending is allowed in this context, and whether a write in it may have acted."""

    def __init__(self, send_by: float) -> None:
        self.send_by = send_by
        self.acted = False

    def check(self, clock: Clock) -> None:
        """Called directly before every physical send.

        Raises:
            ConnectionFailed: The window is over; ``repeat_safe`` while no write in it may have acted.
        """
        if clock.monotonic() > self.send_by:
            raise ConnectionFailed(
                "The send deadline of this delivery has passed before the request could be sent (delivery rule 5).",
                cure="Nothing to do: the next run sends it. If it recurs, lengthen the lease or shorten timeout=.",
                fault="caller",
                repeat_safe=not self.acted,
            )

    def holds(self, clock: Clock, wait: float) -> bool:
        """Whether sending will still be allowed after a pause."""
        return clock.monotonic() + wait <= self.send_by


_window: contextvars.ContextVar[Window | None] = contextvars.ContextVar("mlconnector.http.window", default=None)


def current_window() -> Window | None:
    """The window this code runs in."""
    return _window.get()


@contextmanager
def send_window(send_by: float) -> Iterator[Window]:
    """Allow sends only up to an instant; retries and logins included. What is yielded tells whether a write may have
    acted.

    It holds for the calling context. A thread started inside does not inherit it: run it with
    ``contextvars.copy_context().run``.

    Args:
        send_by: On the monotonic clock of the client that sends, in seconds.
    """
    window = Window(send_by)
    token = _window.set(window)
    try:
        yield window
    finally:
        _window.reset(token)
