"""Faults on the wire: scripted ones for the next calls, random ones by a seed."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, get_args

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.testing._wire import Call

__all__ = ["ChaosKind", "Drop", "Fault", "FaultScript", "Match"]

Drop = Literal["before", "after"]
"""Where a connection is closed: before the work (nothing happened) or after it (the answer is lost)."""

ChaosKind = Literal["before", "after", "429", "500", "expired", "delay", "cut"]
"""The kinds of random faults: drops, refusals, tokens that died, a late answer, a body cut short."""

Match = str | re.Pattern[str] | Callable[[Call], bool]
"""Which calls a fault hits: text or pattern found in ``"METHOD /path"``, or a test of the call."""


@attrs.frozen(kw_only=True)
class Fault:
    """What happens to one call instead of, or after, its work. See :meth:`Simulator.fail`."""

    status: int | None = None
    delay: float | None = None
    drop: Drop | None = None
    body: str | bytes | None = None
    content_type: str = "text/html"
    cut: bool = False
    headers: Mapping[str, str] = attrs.field(factory=dict)
    acts: bool = False
    expires_tokens: bool = False

    @property
    def does_work(self) -> bool:
        """Whether the simulator does what the call asks for."""
        if self.drop is not None:
            return self.drop == "after"
        return self.acts or (self.status is None and self.body is None)

    @property
    def name(self) -> str:
        """A word for the recorded call."""
        if self.drop is not None:
            return f"drop {self.drop}"
        if self.status is not None:
            return f"status {self.status}"
        if self.expires_tokens:
            return "expired"
        for word, set_here in (("cut", self.cut), ("body", self.body is not None), ("delay", self.delay is not None)):
            if set_here:
                return word
        return "headers"


NO_FAULT = Fault()


@attrs.define
class _Step:
    fault: Fault
    remaining: int
    match: Match | None

    def hits(self, call: Call) -> bool:
        line = f"{call.method} {call.path}"
        if self.match is None:
            return True
        if isinstance(self.match, str):
            return self.match in line
        if isinstance(self.match, re.Pattern):
            return self.match.search(line) is not None
        return self.match(call)


class FaultScript:
    """The faults still to come. Scripted ones go first, in the order they were added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: list[_Step] = []
        self._rate = 0.0
        self._random = random.Random(0)  # noqa: S311 - reproducible on purpose
        self._kinds: Sequence[ChaosKind] = ()
        self._chaos_delay = 0.0

    def add(self, fault: Fault, *, times: int, match: Match | None) -> None:
        """Apply ``fault`` to the next ``times`` calls that match."""
        if times < 1:
            raise InvalidArgument(f"times must be at least 1, not {times!r}.")
        if fault.drop is not None and fault.drop not in get_args(Drop):
            raise InvalidArgument(f"drop must be 'before' or 'after', not {fault.drop!r}.")
        if fault.drop is not None and (fault.status is not None or fault.body is not None or fault.cut):
            raise InvalidArgument("A dropped connection gives no answer: drop goes with delay and match only.")
        if fault.delay is not None and fault.delay < 0:
            raise InvalidArgument(f"delay must not be negative, it is {fault.delay!r}.")
        with self._lock:
            self._steps.append(_Step(fault, times, match))

    def set_chaos(self, rate: float, seed: int, kinds: Iterable[ChaosKind], delay: float) -> None:
        """Hit calls at random from now on."""
        chosen = tuple(kinds)
        unknown = sorted(set(chosen) - set(get_args(ChaosKind)))
        if not 0 <= rate <= 1:
            raise InvalidArgument(f"rate must lie between 0 and 1, it is {rate!r}.")
        if unknown or not chosen:
            raise InvalidArgument(f"kinds must be some of {get_args(ChaosKind)}, not {unknown or chosen!r}.")
        with self._lock:
            self._rate, self._kinds, self._chaos_delay = rate, chosen, delay
            self._random = random.Random(seed)  # noqa: S311 - reproducible on purpose

    def next_for(self, call: Call) -> Fault | None:
        """The fault of this call, if it has one; a scripted one is used up."""
        with self._lock:
            for step in self._steps:
                if step.hits(call):
                    step.remaining -= 1
                    if not step.remaining:
                        self._steps.remove(step)
                    return step.fault
            if self._rate and self._random.random() < self._rate:
                return self._chaos_fault(self._random.choice(self._kinds))
            return None

    def _chaos_fault(self, kind: ChaosKind) -> Fault:
        match kind:
            case "before" | "after":
                return Fault(drop=kind)
            case "429":
                return Fault(status=429, headers={"Retry-After": "0"})
            case "500":
                return Fault(status=500)
            case "expired":
                return Fault(expires_tokens=True)
            case "delay":
                return Fault(delay=self._chaos_delay)
            case _:
                return Fault(cut=True)
