"""Policy objects of the client: how long to wait, how often to try. Immutable values."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument

__all__ = ["Retry", "Timeout"]


def _positive(_owner: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise InvalidArgument(
            f"{attribute.name}={value!r} is not a positive number.", cure="Give seconds, as a number."
        )


def _count(_owner: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if type(value) is not int or value < 1:
        raise InvalidArgument(f"{attribute.name}={value!r} is not a count from 1.", cure="Use 1 to never repeat.")


@attrs.frozen(kw_only=True)
class Timeout:
    """How long one call may take, in seconds; every call has one.

    Args:
        connect: Until the connection stands (name, TCP, TLS).
        read: Between two pieces of the answer.
        total: One physical call from its begin to the last byte of the answer, however slowly it drips.
    """

    connect: float = attrs.field(default=10.0, validator=_positive)
    read: float = attrs.field(default=60.0, validator=_positive)
    total: float = attrs.field(default=300.0, validator=_positive)

    @classmethod
    def of(cls, value: Timeout | float | None) -> Timeout:
        """A ``Timeout``; a number of seconds bounds the whole call and every part of it; ``None`` is the default.

        Raises:
            InvalidArgument: Not a positive number.
        """
        if value is None:
            return cls()
        if isinstance(value, Timeout):
            return value
        whole = cls(total=value)
        return cls(connect=min(whole.connect, value), read=min(whole.read, value), total=value)


def _full_jitter(longest: float) -> float:
    return random.uniform(0.0, longest)  # noqa: S311 - spreads load, protects nothing


@attrs.frozen(kw_only=True)
class Retry:
    """When and how often a call is repeated.

    A read is repeated after a lost connection, a time-out, a cut answer, a busy server (502, 503, 504) and a rate
    limit. A write is repeated only when the vendor surely did not act: the connection never stood, the token was
    refused, or a rate limit refused it. Everything else about a write is for the delivery engine, which looks first.

    Args:
        attempts: Tries in all, the first included; 1 never repeats.
        base: Seconds; before repeat *n* the client waits a random time between 0 and ``base * 2**(n-1)`` (full jitter:
            many clients that failed together do not come back together).
        cap: The longest such wait, in seconds.
        budget: Seconds from the first try within which the last one must begin. A ``Retry-After`` that does not fit
            ends the call at once, with the time in ``RateLimited.retry_after``.
        jitter: Makes the wait out of the longest one; for tests.
    """

    attempts: int = attrs.field(default=5, validator=_count)
    base: float = attrs.field(default=0.5, validator=_positive)
    cap: float = attrs.field(default=30.0, validator=_positive)
    budget: float = attrs.field(default=120.0, validator=_positive)
    jitter: Callable[[float], float] = attrs.field(default=_full_jitter, eq=False, repr=False)

    def pause(self, attempt: int, *, elapsed: float, retry_after: float | None = None) -> float | None:
        """Seconds to wait after the failed try number ``attempt`` (from 1), or ``None`` to give up.

        Args:
            attempt: Tries made so far.
            elapsed: Seconds since the first try began.
            retry_after: What the vendor asked for, in seconds.
        """
        if attempt >= self.attempts:
            return None
        longest = min(self.cap, self.base * 2.0 ** min(attempt - 1, 62))
        wait = self.jitter(longest) if retry_after is None else retry_after
        return wait if elapsed + wait <= self.budget else None
