"""The torture itself: workers under fire, killed and started again, until all is quiet; then the judge."""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import signal
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from mlconnector.testing import Call, CleoSimulator
from tests.torture.checker import OPEN, Verdict, cursor_faults, judge
from tests.torture.clock import SharedClock
from tests.torture.faults import Torture
from tests.torture.sites import SITES, Site
from tests.torture.tables import rows
from tests.torture.worker import ANSWERED, Job, work

__all__ = ["Result", "systematic", "table", "torture"]

_PATIENCE = 240.0
_CALM_RUNS = 40
_DAY = 25 * 3600.0


@attrs.define
class Result:
    """How one flow came through.

    Args:
        flow, seed, workers, mutation: As asked for.
        kills: Workers that died by SIGKILL. ``starts``: workers that were started. ``calls``: on the wire while there
            were faults; ``faults``: those of them that were hit, by kind. ``seconds``: for real.
        kept: A copy of the ledger, where something is not as it must be.
    """

    flow: str
    seed: int
    workers: int
    mutation: str
    verdict: Verdict
    kills: int = 0
    starts: int = 0
    changes: int = 0
    calls: int = 0
    faults: Counter[str] = attrs.Factory(Counter)
    seconds: float = 0.0
    troubles: list[str] = attrs.Factory(list)
    kept: Path | None = None

    @property
    def ok(self) -> bool:
        return self.verdict.ok and not self.troubles

    @property
    def found_out(self) -> list[str]:
        """What the judge holds against it: a worker that only fails to start or to end says nothing of a rule."""
        return [*self.verdict.problems(), *(one for one in self.troubles if one.startswith("the cursor"))]

    def problems(self) -> list[str]:
        return [*self.troubles, *self.verdict.problems()]

    def __str__(self) -> str:
        listed = "\n  ".join(self.problems()[:30])
        kept = "" if self.kept is None else f"\n  its ledger is kept as {self.kept}"
        return (
            f"{self.flow}, seed {self.seed}, {self.workers} worker(s) {self.mutation}:\n  {listed or 'all well'}{kept}"
        )


def table(results: list[Result]) -> str:
    """One line a flow; ``in doubt`` counts what is parked so, ``parked`` lists it with everything else that is."""
    head = ("flow", "docs", "changes", "workers", "kills", "calls", "faults", "faulted", "lost", "doubled", "wrong")
    lines = [(*head, "ledger", "in doubt", "parked", "seconds")]
    for one in results:
        verdict = one.verdict
        faults = one.faults.total()
        share = f"{100 * faults / max(one.calls, 1):.1f} %"
        in_doubt = sum(count for kind, count in verdict.parked.items() if kind.endswith("in doubt"))
        parked = ", ".join(f"{kind} {count}" for kind, count in sorted(verdict.parked.items())) or "0"
        ledger = len(verdict.ledger) + len(one.troubles)
        numbers = (verdict.documents, one.changes, one.workers, one.kills, one.calls, faults, share)
        counts = (len(verdict.lost), len(verdict.doubled), len(verdict.wrong), ledger, in_doubt)
        lines.append((one.flow, *map(str, numbers), *map(str, counts), parked, f"{one.seconds:.0f}"))
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in lines)


@attrs.define
class _Ring:
    """One flow's simulators under faults, its ledger and its workers."""

    site: Site
    folder: Path
    clock: SharedClock
    rng: random.Random
    tortures: list[Torture]
    result: Result
    budget: int = 0
    slow: bool = False
    deletes: float = 0.0
    victim: Any = None
    in_flight: int = 1
    answered: set[int] = attrs.Factory(set)
    guard: Any = attrs.Factory(threading.Lock)

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    def on_call(self, call: Call) -> None:
        """Before every call on any system: now and then something changes while it is read."""
        if call.method == "DELETE" and self.victim is not None and self.rng.random() < self.deletes:
            self.victim.kill()
        with self.guard:
            self.site.meanwhile(call)
            if self.slow and call.method == "GET" and self.rng.random() < 0.3:
                self.clock.advance(4000.0, at_once=True)
            if self.budget > 0 and self.rng.random() < (0.3 if self.slow else 0.02):
                self.budget -= 1
                self.site.change()

    def run(self, jobs: list[Job], *, kill_after: float | None = None) -> list[int]:
        """Start workers, wait for them, and say how they ended."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.torture.preload"])
        processes = [context.Process(target=work, args=(job,)) for job in jobs]
        for process in processes:
            process.start()
        self.victim = processes[0]
        self.result.starts += len(processes)
        if kill_after is not None:
            processes[0].join(kill_after)
            processes[0].kill()
        until = time.monotonic() + _PATIENCE
        for process in processes:
            process.join(max(0.0, until - time.monotonic()))
            if process.exitcode is None:
                self.result.troubles.append("a worker hangs")
                process.kill()
                process.join()
        self.victim = None
        codes = [process.exitcode or 0 for process in processes]
        for process in processes:
            process.close()
        doors = sum(bool(job.notices) for job in jobs)
        self.result.kills += codes[: len(codes) - doors].count(-signal.SIGKILL)
        if doors:
            self.answered |= set(map(int, (self.folder / ANSWERED).read_text().split()))
        if any(code not in (0, -signal.SIGKILL) for code in codes):
            self.result.troubles.append(f"workers ended with {codes}")
        for one in self.tortures:
            one.wait()
        return codes

    def job(self, **options: Any) -> Job:
        wire = self.site.wire()
        return Job(folder=self.folder, wire=wire, mutation=self.result.mutation, in_flight=self.in_flight, **options)

    def doors(self, *, deadly: bool = True) -> list[Job]:
        """A process that takes events: those that were not answered yet, some others once more, in any order."""
        waiting = [number for number in range(len(self.site.notices)) if number not in self.answered]
        if not waiting or (deadly and self.rng.random() < 0.2):
            return []
        again = [number for number in self.answered if self.rng.random() < 0.3] * self.rng.choice((1, 4))
        chosen = [*waiting, *again[:40]]
        self.rng.shuffle(chosen)
        notices = tuple((number, *self.site.notices[number]) for number in chosen)
        kill_at = self.rng.randrange(1, 8 * len(chosen)) if deadly and self.rng.random() < 0.4 else 0
        return [self.job(name="door", notices=notices, kill_at=kill_at)]

    def told(self, name: str = "a") -> list[str]:
        path = self.folder / f"told-{name}"
        return path.read_text().splitlines() if path.exists() else ["0"]

    def unsent(self) -> bool:
        """There is still something to be sent under fire."""
        if not self.ledger.exists():
            return True
        delivered = rows(
            self.ledger, "SELECT count(DISTINCT sync || key) AS n FROM deliveries WHERE state = 'delivered'"
        )
        return bool(self.open_deliveries()) or delivered[0]["n"] < 0.9 * self.site.due() or self.site.left > 0

    def open_deliveries(self) -> int:
        """Those that something is still to come of; what stands behind one parked in doubt is held by it (rule 4)."""
        marks = ", ".join(f"'{state}'" for state in OPEN)
        held = "o.sync = d.sync AND o.key = d.key AND o.state = 'parked' AND o.detail = 'in doubt'"
        query = f"SELECT id FROM deliveries AS d WHERE state IN ({marks})"
        return len(rows(self.ledger, f"{query} AND NOT EXISTS (SELECT 1 FROM deliveries AS o WHERE {held})"))

    def settle_down(self) -> None:
        """No more faults, no more changes: until three runs in a row leave nothing open."""
        self.result.calls = self.result.calls or sum(len(one.calls) for one in self.site.simulators.values())
        for one in self.tortures:
            one.rate = one.writes = 0.0
        self.budget = 0
        self.slow, self.deletes = False, 0.0
        self.site.calm = True
        self.site.feed(1.0)
        self.site.note_births()
        quiet = 0
        for turn in range(_CALM_RUNS):
            self.clock.advance(_DAY if turn in (8, 10) else self.rng.uniform(1200, 2400))
            self.site.between()
            (self.folder / "told-a").unlink(missing_ok=True)
            for door in self.doors(deadly=False):
                self.run([door])
            self.run([self.job(replay=turn > 0)])
            said = self.told()[-1]
            quiet = quiet + 1 if said in ("ok", "not ok") and not self.open_deliveries() else 0
            if quiet == 3 + self.site.settling_runs:
                return
            if self.result.troubles:
                return
        self.result.troubles.append(f"it does not come to rest; the last run: {self.told()[-1]}")

    def judged(self) -> Result:
        for one in self.tortures:
            one.flush()
            self.result.faults += one.hits
        self.site.at_the_end(self.ledger)
        self.result.changes = self.site.changes
        self.result.verdict = judge(self.site, self.ledger, self.answered)
        if not (self.result.ok or self.result.mutation):
            # When a kill lands depends on the machine as well as on the seed: the ledger tells what happened.
            kept = Path(tempfile.mkdtemp(prefix="torture-failed-")) / "ledger.db"
            with contextlib.closing(sqlite3.connect(self.ledger)) as ledger:
                ledger.execute("VACUUM INTO ?", (str(kept),))
            self.result.kept = kept
        return self.result


@contextlib.contextmanager
def _ring(
    flow: str,
    documents: int,
    seed: int,
    *,
    rate: float,
    workers: int,
    mutation: str,
    look_up: str,
    writes: float | None = None,
    in_flight: int = 1,
) -> Iterator[_Ring]:
    begun = time.monotonic()
    rng = random.Random(f"{flow} {seed}")
    with tempfile.TemporaryDirectory(prefix="torture-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        clock = SharedClock(folder / "clock")
        site = SITES[flow](clock, documents, rng, look_up=look_up)
        result = Result(flow=flow, seed=seed, workers=workers, mutation=mutation, verdict=Verdict())
        for one in site.simulators.values():
            if one._server is None:
                stack.enter_context(one)
        site.furnish()
        ring = _Ring(site, folder, clock, rng, [], result, in_flight=in_flight)
        ring.tortures += [
            Torture(
                one,
                rng.randrange(2**32),
                rate=rate,
                writes=writes,
                settle=site.settle.get(system, 0.0),
                more=site.more_faults.get(system, ()),
                on_call=ring.on_call,
                honest=isinstance(one, CleoSimulator),
            )
            for system, one in site.simulators.items()
        ]
        site.note_births()
        try:
            yield ring
        finally:
            result.seconds = time.monotonic() - begun
            for one_clock in (clock, site.source_clock, site.target_clock):
                one_clock.close()


def torture(
    flow: str,
    *,
    documents: int,
    kills: int,
    seed: int,
    workers: int = 1,
    rate: float = 0.05,
    mutation: str = "",
    look_up: str = "reliable",
    writes: float | None = None,
    haste: bool = False,
    slow: bool = False,
    deletes: float = 0.0,
    in_flight: int = 1,
) -> Result:
    """Random faults and kills, then peace, then the judge.

    Args:
        flow: One of :data:`SITES`. ``documents``: about how many. ``kills``: how many workers die.
        seed: Of everything random. ``workers``: how many run at once. ``rate``: share of calls that are hit.
        mutation: A safety rule that the workers do without. ``look_up``: class of Cleo's target.
        writes: Share of writing calls that are hit, where it is another one. ``haste``: little time between the runs,
            and many changes. ``slow``: a source that takes its time over a page. ``deletes``: share of calls that
            delete at which the worker is killed while the server works on them. ``in_flight``: see :class:`Job`.
    """
    with _ring(
        flow,
        documents,
        seed,
        rate=rate,
        workers=workers,
        mutation=mutation,
        look_up=look_up,
        writes=writes,
        in_flight=in_flight,
    ) as ring:
        rng, site = ring.rng, ring.site
        ring.slow, ring.deletes = slow, deletes
        per_kill = documents // 3 if haste else documents // (2 * max(kills, 1))
        horizon = max(80, 24 * documents // max(kills, 1))
        for _ in range(3 * kills + 10):
            over = ring.result.kills >= kills
            if ring.result.troubles or (over and not ring.unsent()):
                break
            with ring.guard:
                # Once all have died, what is there is to arrive: more that comes would keep it from ever being over.
                if not over or site.left > 0:
                    site.feed(1 / max(kills, 1))
                    site.note_births()
                for _change in range(rng.randrange(1 + max(2, per_kill))):
                    site.change()
                ring.budget = rng.randrange(1 + max(1, per_kill // 2))
            replay = rng.random() < 0.3
            jobs = [ring.job(rounds=3, kill_at=rng.randrange(1, horizon), replay=replay)]
            if rng.random() < 0.4:
                jobs = [attrs.evolve(jobs[0], kill_at=0, kill_at_write=rng.randrange(1, max(3, horizon // 15)))]
            if over:
                jobs = [ring.job(rounds=2, replay=True)]
            elif workers > 1:
                jobs = [_one_of_several(ring, name, horizon) for name in "abc"[:workers]]
            moment = rng.uniform(0.05, 1.5) if not over and rng.random() < 0.3 else None
            if moment is not None:
                jobs[0] = attrs.evolve(jobs[0], kill_at=0, kill_at_write=0)
            ring.run([*jobs, *ring.doors()], kill_after=moment)
            if ring.ledger.exists():
                with contextlib.suppress(Exception):
                    ring.result.troubles += cursor_faults(site, ring.ledger)
            ring.clock.advance(rng.choice((1.0, 20.0) if haste else (1.0, 30.0, 300.0, 1800.0, 4 * 3600.0)))
            site.between()
        ring.settle_down()
        with ring.guard:
            site.meddle()
        if site.touched:
            ring.settle_down()
        return ring.judged()


def _one_of_several(ring: _Ring, name: str, horizon: int) -> Job:
    """A worker that comes again and again, stands still now and then, and dies in the end."""
    rng = ring.rng
    pauses = tuple(rng.randrange(1, horizon) for _ in range(4))
    return ring.job(name=name, rounds=30, between=2.0, pauses=pauses, kill_at=rng.randrange(horizon // 2, 2 * horizon))


def systematic(
    flow: str,
    *,
    documents: int,
    seed: int,
    first: int = 1,
    stride: int = 1,
    last: int = 10**6,
    mutation: str = "",
    in_flight: int = 1,
) -> list[Result]:
    """A kill at every step of a small run, each from a fresh start; every ``stride``-th from ``first`` on.

    Where something comes back, it is the second run that is killed: it has what came back of the first.

    Returns:
        One result a step, up to the first step at which nothing was left to kill.
    """
    found = []
    step = first
    while True:
        with _ring(
            flow, documents, seed, rate=0.0, workers=1, mutation=mutation, look_up="reliable", in_flight=in_flight
        ) as ring:
            if ring.site.way_back:
                ring.run([ring.job()])
                ring.site.between()
                for _ in range(4):
                    ring.site.feed(0.25)
                for door in ring.doors(deadly=False):
                    ring.run([door])
            died = -signal.SIGKILL in ring.run([ring.job(kill_at=step)])
            for _ in range(2):
                ring.site.change()
            ring.settle_down()
            result = ring.judged()
            result.troubles += [f"killed at step {step}"] if not result.ok else []
        found.append(result)
        step += stride
        if not died or step > last or (mutation and not result.ok):
            return found
