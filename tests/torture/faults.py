"""Faults by a seed, more of them than the simulators' own chaos has, and work that is done after its caller gave up."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable

import attrs

from mlconnector.testing import Call, Simulator
from mlconnector.testing._faults import Fault, FaultScript
from mlconnector.testing._wire import Answer, Refused, Request
from tests.torture.clock import SharedClock

REAL_TIMEOUT = 1.0
"""Seconds after which the workers' calls are cut, for real; on the shared clock they last ``TIMEOUT``."""
TIMEOUT = 20.0


@attrs.frozen(kw_only=True)
class Late(Fault):
    """The connection is lost at once; the work is done so many seconds later, on the simulator's clock."""

    after: float = 0.0


def _faults(rng: random.Random, kind: str, settle: float, *, honest: bool) -> Fault:
    acts = rng.random() < 0.5
    match kind:
        case "before" | "after":
            return Fault(drop=kind)
        case "late":
            return Late(drop="before", after=rng.uniform(0.0, TIMEOUT + 0.9 * settle))
        case "delay":
            return Fault(delay=REAL_TIMEOUT + 0.3)
        case "cut":
            return Fault(cut=True)
        case "garbage":
            return Fault(status=200, body='{"rows": [{"', content_type="application/json", acts=acts or honest)
        case "type":
            return Fault(status=200, body="<html>Please log in</html>", content_type="text/html", acts=acts)
        case "expired":
            return Fault(expires_tokens=True)
        case "429 later":
            return Fault(status=429, headers={"Retry-After": rng.choice(["0", "2", "soon"])})
        case "500" | "502" | "503":
            return Fault(status=int(kind), acts=acts)
        case _:
            return Fault(status=int(kind))


KINDS = (
    *("before", "after", "late", "cut", "garbage", "type", "expired"),
    *("401", "403", "429", "429 later", "500", "502", "503", "delay"),
)
ORCHESTRATIONS = 0.2
"""Share of orchestrations that is hit at least, while others are."""
_RARE = {"delay": 0.3, "403": 0.5, "401": 0.5}


class Torture(FaultScript):
    """What happens to the calls of one simulator.

    Args:
        simulator: It is taken over; its clock is a :class:`SharedClock`. ``seed``: of everything random.
        rate: Share of calls that are hit. ``writes``: of calls that write, where it is another one.
        settle: Seconds after a call's time-out by which its effect shows at the latest.
        more: Further kinds, as ``"444"``.
        on_call: Called before every call is worked on.
        honest: Its status is all that its answers to a write tell: one of success is never given for nothing.
    """

    def __init__(
        self,
        simulator: Simulator,
        seed: int,
        *,
        rate: float,
        writes: float | None = None,
        settle: float = 60.0,
        more: tuple[str, ...] = (),
        on_call: Callable[[Call], None] | None = None,
        honest: bool = False,
    ) -> None:
        super().__init__()
        self.rate = rate
        self.writes = rate if writes is None else writes
        self.hits: Counter[str] = Counter()
        self._rng = random.Random(seed)
        self._kinds = (*KINDS, *more)
        self._weights = [_RARE.get(kind, 1.0) for kind in self._kinds]
        self._settle, self._honest = settle, honest
        self._on_call = on_call
        assert isinstance(simulator.clock, SharedClock)
        self._simulator, self._clock = simulator, simulator.clock
        self._inner: Callable[[Request, Fault], Answer | None] = simulator._answered
        self._due: list[tuple[float, int, Request]] = []
        self._guard = threading.Lock()
        self._order = itertools.count()
        simulator._script = self
        simulator._answered = self._answered  # type: ignore[method-assign]

    def next_for(self, call: Call) -> Fault | None:
        if self._on_call is not None:
            self._on_call(call)
        with self._guard:
            if self._rng.random() >= self._share_of(call):
                return None
            (kind,) = self._rng.choices(self._kinds, self._weights)
            self.hits[kind] += 1
            return _faults(self._rng, kind, self._settle, honest=self._honest)

    def _share_of(self, call: Call) -> float:
        """Orchestrations are few among the calls of AIS, which reads by POST, too; they are what posts."""
        if "/orchestrator/" in call.path and call.method == "POST":
            return max(self.writes, ORCHESTRATIONS) if self.rate else 0.0
        reads = call.method == "GET" or "token" in call.path or "login" in call.path or "dataservice" in call.path
        return self.rate if reads else self.writes

    def _answered(self, request: Request, fault: Fault) -> Answer | None:
        self.flush(self._clock.monotonic())
        if isinstance(fault, Late):
            with self._guard:
                due = self._clock.monotonic() + fault.after
                heapq.heappush(self._due, (due, next(self._order), request))
            return None
        return self._inner(request, fault)

    def flush(self, until: float = float("inf")) -> None:
        """Do what was put off till then."""
        while True:
            with self._guard:
                if not self._due or self._due[0][0] > until:
                    return
                due, _order, request = heapq.heappop(self._due)
            # Nobody has asked since then: what lists show late is late from that time on, not from now.
            with self._simulator._lock, self._clock.turned_back(due):
                try:
                    self._simulator._work(request)
                except Refused:
                    pass

    def wait(self) -> None:
        """Until every call that came in is worked on, delayed answers aside."""
        for _ in range(100):
            with self._simulator._lock:
                if self._simulator._in_flight == 0:
                    return
            threading.Event().wait(0.005)
