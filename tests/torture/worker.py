"""A worker: the flow, in a process of its own that can be killed, also at a given step.

A step is before, inside and after every write transaction of the ledger, before and after every call on the wire,
and before and after every write of the high-water file. The library knows nothing of this.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs

import mlconnector as mc
from mlconnector import webhooks
from mlconnector.delivery._high_water import HighWater
from mlconnector.delivery._store import Store
from mlconnector.errors import ConnectionFailed, LeaseLost, LedgerError, MLConnectorError
from mlconnector.http import RequestsTransport, Timeout
from mlconnector.http._window import current_window
from tests.torture.clock import SharedClock
from tests.torture.faults import REAL_TIMEOUT, TIMEOUT
from tests.torture.mutations import MUTATIONS
from tests.torture.sites import SITES

ANSWERED = "answered"
"""Name of the file that says which events were answered 200."""
_PIPE = 65536
PAUSES = (60.0, 400.0)
"""Seconds, on the shared clock, that a paused worker stands still: beyond its lease, beyond every settling delay."""


@attrs.frozen(kw_only=True)
class Job:
    """What a worker does.

    Args:
        folder: Of the ledger. ``wire``: see ``Site.wire``.
        kill_at: Dies at this step; 0 lives. ``kill_at_write``: dies when this call of a delivery was answered, before
            it is told.
        pauses: Stands still at the first transaction from these steps on.
        mutation: A safety rule that is taken out.
        notices: Numbered events. A worker that has some takes them and does nothing else, as a web server does.
        rounds: How often the flow runs. ``between``: seconds between two runs. ``replay``: then a person sends again
            what was refused.
        in_flight: Deliveries of a sync under way at once.
    """

    folder: Path
    wire: dict[str, Any]
    name: str = "a"
    kill_at: int = 0
    kill_at_write: int = 0
    pauses: tuple[int, ...] = ()
    mutation: str = ""
    rounds: int = 1
    between: float = 60.0
    replay: bool = False
    in_flight: int = 1
    notices: tuple[tuple[int, Mapping[str, str], bytes], ...] = ()


class Steps:
    """Counts steps, and ends or halts the process at the chosen ones."""

    def __init__(self, job: Job, clock: SharedClock) -> None:
        self.count = 0
        self._job, self._clock = job, clock
        self._pauses = sorted(job.pauses)
        self._writes = 0
        self._lock = threading.Lock()
        pipe = job.folder / "steps"
        with contextlib.suppress(FileExistsError):
            os.mkfifo(pipe)
        self._progress = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)

    def step(self, *, may_pause: bool = False) -> None:
        with self._lock:
            self.count += 1
            if self.count == self._job.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            paused = may_pause and bool(self._pauses) and self.count >= self._pauses[0]
            if paused:
                del self._pauses[0]
        with contextlib.suppress(BlockingIOError):
            os.write(self._progress, b".")
        if paused:
            self._clock.advance(PAUSES[self.count % 2])
            self.let_others_go_on(100, 0.3)

    def let_others_go_on(self, steps: int, patience: float) -> None:
        """Stand still until the others have made some steps; ``patience``, in seconds, ends it where there is none."""
        until = time.monotonic() + patience
        with contextlib.suppress(BlockingIOError):
            while os.read(self._progress, _PIPE):
                pass
        while steps > 0 and (left := until - time.monotonic()) > 0:
            if select.select([self._progress], [], [], left)[0]:
                with contextlib.suppress(BlockingIOError):
                    steps -= len(os.read(self._progress, steps))

    def written(self) -> None:
        """A call of a delivery was answered."""
        with self._lock:
            self._writes += 1
            if self._writes == self._job.kill_at_write:
                os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        transaction, send, save = Store.transaction, RequestsTransport.send, HighWater.save
        clock = self._clock

        @contextlib.contextmanager
        def deadly_transaction(store: Store, lease: Any = None) -> Iterator[Any]:
            self.step(may_pause=True)
            with transaction(store, lease) as inside:
                yield inside
                self.step()
            self.step(may_pause=True)

        def deadly_send(transport: Any, method: str, url: str, headers: Any, body: Any, timeout: Timeout) -> Any:
            self.step()
            begun = time.monotonic()
            try:
                with clock.held():
                    answer = send(transport, method, url, headers, body, Timeout.of(REAL_TIMEOUT))
            except ConnectionFailed:
                if time.monotonic() - begun >= REAL_TIMEOUT:
                    clock.advance(TIMEOUT - REAL_TIMEOUT)
                raise
            if current_window() is not None:
                self.written()
            self.step()
            return answer

        def deadly_save(kept: HighWater) -> None:
            self.step()
            save(kept)
            self.step()

        Store.transaction = deadly_transaction  # type: ignore[method-assign,assignment]
        RequestsTransport.send = deadly_send  # type: ignore[method-assign]
        HighWater.save = deadly_save  # type: ignore[method-assign]


def work(job: Job) -> None:
    """Run the flow; says in a file how it ended."""
    random.seed(f"{job.name} {job.kill_at}")
    clock = SharedClock(job.folder / "clock")
    if job.mutation:
        MUTATIONS[job.mutation].take_out()
    steps = Steps(job, clock)
    steps.install()
    told: list[str] = []
    high_water = job.folder / "high-water.json"
    with ExitStack() as stack:
        ledger = stack.enter_context(
            mc.Ledger(job.folder / "ledger.db", actor=f"worker {job.name}", high_water=high_water, clock=clock)
        )
        if job.notices:
            _take(job, ledger, clock)
            return
        flow = SITES[job.wire["flow"]].flow(job.wire, ledger, clock, job.folder, stack)
        for sync in flow.syncs.values():
            sync._settings = attrs.evolve(sync._settings, max_in_flight=job.in_flight)
        for turn in range(job.rounds):
            if turn:
                clock.advance(job.between)
            try:
                if job.replay:
                    flow.replay(actor="a person", reason="what it named is there now")
                told.append("ok" if flow.run().ok else "not ok")
            except LeaseLost:
                told.append("lease")
                steps.let_others_go_on(20, 0.05)
            except MLConnectorError as error:
                told.append(f"{type(error).__name__}: {error.message}")
    (job.folder / f"told-{job.name}").write_text("\n".join([str(steps.count), *told]))


def _take(job: Job, ledger: mc.Ledger, clock: SharedClock) -> None:
    """Take events, and answer each once it is stored; what is not answered comes again."""
    site = SITES[job.wire["flow"]]
    verifier = site.verifier(job.wire, clock)
    with (job.folder / ANSWERED).open("a", buffering=1) as answered:
        for number, headers, body in job.notices:
            try:
                webhooks.receive(verifier, headers, body, ledger=ledger, inbox=site.inbox)
            except LedgerError:
                continue
            answered.write(f"{number}\n")
