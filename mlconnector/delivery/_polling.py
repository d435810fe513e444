"""A flow again and again: when it may run, how it does, and how loud it is when it cannot."""

from __future__ import annotations

import datetime as dt
import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from mlconnector.delivery._job import log
from mlconnector.errors import InvalidArgument, LeaseLost, LedgerError, MLConnectorError, TooManyParked

if TYPE_CHECKING:
    from mlconnector.delivery._flow import Flow
    from mlconnector.delivery._ledger import Ledger
    from mlconnector.delivery._report import Report

__all__ = ["Calendar", "Health", "health_of", "note_run", "poll"]

_DAY = dt.timedelta(days=1)
_WEEK = range(1, 8)


def _times(value: Any) -> tuple[Any, ...]:
    return tuple(value)


@attrs.frozen
class Calendar:
    """When a poller runs: ``flow.poll(calendar=mc.Calendar(zone, blackouts=[(dt.time(1), dt.time(3))]))``.

    Args:
        time_zone: In which the times of day are meant, e.g. ``zoneinfo.ZoneInfo("America/Chicago")``.
        blackouts: Begin and end of times of day in which no run begins; over midnight where the end is the earlier one.
        cut_offs: Times of day at which a run begins in any case, because what comes later is too late for the day.
        weekdays: Days with runs, 1 (Monday) to 7.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    time_zone: dt.tzinfo
    blackouts: tuple[tuple[dt.time, dt.time], ...] = attrs.field(default=(), converter=_times, kw_only=True)
    cut_offs: tuple[dt.time, ...] = attrs.field(default=(), converter=_times, kw_only=True)
    weekdays: tuple[int, ...] = attrs.field(default=(*_WEEK,), converter=_times, kw_only=True)

    def __attrs_post_init__(self) -> None:
        faults = []
        if not isinstance(self.time_zone, dt.tzinfo):
            faults.append(f"time_zone={self.time_zone!r} is no tzinfo")
        pairs: tuple[Any, ...] = self.blackouts
        if not all(len(pair) == 2 and all(map(_is_plain, pair)) and pair[0] != pair[1] for pair in pairs):
            faults.append(f"blackouts={self.blackouts!r} are not pairs of times of day without a zone")
        if not all(map(_is_plain, self.cut_offs)):
            faults.append(f"cut_offs={self.cut_offs!r} are no times of day without a zone")
        if not self.weekdays or not set(self.weekdays) <= set(_WEEK):
            faults.append(f"weekdays={self.weekdays!r} are not among 1 to 7")
        if not faults:
            faults += [f"{time} is a cut-off inside a blackout" for time in self.cut_offs if self._is_dark(time)]
        if faults:
            raise InvalidArgument("; ".join(faults) + ".", cure="Correct the calendar.")

    def __call__(self, now: dt.datetime) -> bool:
        """A run may begin now."""
        local = now.astimezone(self.time_zone)
        return local.isoweekday() in self.weekdays and not self._is_dark(local.time())

    def next_cut_off(self, now: dt.datetime) -> dt.datetime | None:
        """The first one after now, on a day with runs; ``None`` where there are none."""
        today = now.astimezone(self.time_zone).date()
        days = (today + _DAY * ahead for ahead in range(8))
        found = (
            dt.datetime.combine(day, time, self.time_zone).astimezone(dt.UTC)
            for day in days
            if day.isoweekday() in self.weekdays
            for time in sorted(self.cut_offs)
        )
        return next((instant for instant in found if instant > now), None)

    def _is_dark(self, time: dt.time) -> bool:
        return any(begin <= time < end if begin < end else time >= begin or time < end for begin, end in self.blackouts)


def _is_plain(time: Any) -> bool:
    return isinstance(time, dt.time) and time.tzinfo is None


@attrs.frozen(kw_only=True)
class Health:
    """How a flow does, by its ledger: for a health check or metrics, in any process that opens the ledger.

    Args:
        at: When it was asked.
        last_success: End of the latest run that nothing stopped; ``None`` before the first.
        failing_since: When the first of the ``failures`` runs ended that were stopped in a row since. ``error``: what
            stopped the latest of them.
        lag: By kind, how far behind ``at`` the source was read to its end; ``None`` before that. It grows while a
            source does not change, where its clock cannot be seen, and while runs are left out.
        states: By kind, how many revisions are in each state.
        attention: How many attention items are open.
    """

    flow: str
    at: dt.datetime
    last_success: dt.datetime | None = None
    failing_since: dt.datetime | None = None
    failures: int = 0
    error: str = ""
    lag: Mapping[str, dt.timedelta | None] = attrs.field(factory=dict)
    states: Mapping[str, Mapping[str, int]] = attrs.field(factory=dict)
    attention: int = 0

    def ok(self, within: dt.timedelta) -> bool:
        """A run came to its end no longer ago than this."""
        return self.last_success is not None and self.at - self.last_success <= within

    def metrics(self) -> dict[str, float]:
        """The same as numbers by name, seconds and counts: what a metrics library is fed with."""
        return dict(self._metrics())

    def _metrics(self) -> Iterator[tuple[str, float]]:
        yield "failures", self.failures
        yield "attention", self.attention
        if self.last_success is not None:
            yield "seconds_since_success", (self.at - self.last_success).total_seconds()
        for kind, lag in self.lag.items():
            if lag is not None:
                yield f"{kind}.lag_seconds", lag.total_seconds()
        for kind, counts in self.states.items():
            for state, count in counts.items():
                yield f"{kind}.{state.replace(' ', '_')}", count


def health_of(flow: Flow) -> Health:
    """What the ledger knows of a flow."""
    ledger, now = flow.ledger, flow.ledger.clock.now()
    noted = _noted(ledger, flow.name)
    syncs = {kind: sync.name for kind, sync in flow.syncs.items()}
    counts = "SELECT state, count(*) AS n FROM deliveries WHERE sync = ? GROUP BY state ORDER BY state"
    marks = {kind: _read_to(ledger, name) for kind, name in syncs.items()}
    names = {part.name for part in flow.parts.values()}
    return Health(
        flow=flow.name,
        at=now,
        last_success=_instant(noted.get("last_success")),
        failing_since=_instant(noted.get("failing_since")),
        failures=noted.get("failures", 0),
        error=noted.get("error", ""),
        lag={kind: None if mark is None else max(now - mark, dt.timedelta(0)) for kind, mark in marks.items()},
        states={
            kind: {row["state"]: row["n"] for row in ledger.store.read(counts, (name,))} for kind, name in syncs.items()
        },
        attention=sum(item.flow in names for item in ledger.attention()),
    )


def _read_to(ledger: Ledger, sync: str) -> dt.datetime | None:
    rows = ledger.store.read("SELECT cursor FROM cursors WHERE sync = ?", (sync,))
    return _instant(json.loads(rows[0]["cursor"]).get("watermark")) if rows else None


def _instant(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def _noted(ledger: Ledger, flow: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ledger.store.meta(f"run:{flow}", "{}"))
    return found


def note_run(ledger: Ledger, flow: str, error: MLConnectorError | None) -> None:
    """Keep how a run ended. What another worker is at says nothing; where the ledger is at fault, it cannot be kept."""
    if isinstance(error, LedgerError) and not isinstance(error, TooManyParked):
        return
    noted = _noted(ledger, flow)
    with ledger.store.transaction() as transaction:
        if error is None:
            noted = {"last_success": transaction.at}
        else:
            noted["failing_since"] = noted.get("failing_since", transaction.at)
            noted["failures"] = noted.get("failures", 0) + 1
            noted["error"] = type(error).__name__
        transaction.note(f"run:{flow}", json.dumps(noted))


def poll(
    flow: Flow,
    every: dt.timedelta,
    *,
    calendar: Callable[[dt.datetime], bool] | None,
    stop: threading.Event | None,
    on_report: Callable[[Report], Any] | None,
    on_health: Callable[[Health], Any] | None,
    jitter: float,
    raises: bool,
) -> None:
    """See :meth:`Flow.poll`."""
    signal, noise, clock = stop or threading.Event(), _Noise(flow.name), flow.ledger.clock
    while not signal.is_set():
        if calendar is None or calendar(clock.now()):
            report = _run(flow, signal, noise, raises=raises)
            if on_report is not None and report is not None:
                on_report(report)
            if on_health is not None:
                on_health(health_of(flow))
        seconds = every.total_seconds() * random.uniform(1 - jitter, 1 + jitter)  # noqa: S311 - spreads load
        cut_off = calendar.next_cut_off(clock.now()) if isinstance(calendar, Calendar) else None
        if cut_off is not None:
            seconds = min(seconds, (cut_off - clock.now()).total_seconds())
        signal.wait(seconds)


def _run(flow: Flow, signal: threading.Event, noise: _Noise, *, raises: bool) -> Report | None:
    try:
        report = flow.run(stop=signal)
    except MLConnectorError as error:
        if raises or isinstance(error, InvalidArgument):
            raise
        noise.failed(error)
        stopped: Report | None = error.report
        return stopped
    noise.ended()
    return report


class _Noise:
    """An outage of hours is told when it begins, then ever more rarely (2nd, 4th, 8th run ...), and when it is over."""

    def __init__(self, flow: str) -> None:
        self._flow = flow
        self._kind, self._count = "", 0

    def failed(self, error: MLConnectorError) -> None:
        """A run was stopped."""
        kind = type(error).__name__
        self._count = self._count + 1 if kind == self._kind else 1
        self._kind = kind
        loud = log.info if isinstance(error, LeaseLost) else log.error
        if self._count & (self._count - 1) == 0:
            text = f" ({self._count} times in a row)" if self._count > 1 else ""
            loud("%s: the run stopped%s: %s", self._flow, text, error, extra={"flow": self._flow})

    def ended(self) -> None:
        """A run came to its end."""
        if self._count:
            log.warning("%s: it runs again, after %d runs that stopped", self._flow, self._count)
        self._kind, self._count = "", 0
