"""A flow again and again: in step with the calendar, quiet through an outage, and with its health at hand."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest

import mlconnector as mc
from mlconnector.delivery import Report
from mlconnector.records import Batch, Window
from mlconnector.testing import ManualClock
from tests.delivery.homes import Home
from tests.delivery.model import HOUR, LOST, START, Desk, Model, Table

CHICAGO = ZoneInfo("America/Chicago")
TEN = dt.timedelta(minutes=10)
OUT = mc.ConnectionFailed("nobody answers")
OUT.repeat_safe = True


class Turns(threading.Event):
    """A stop signal that passes the time on the model's clock, and sets itself after so many waits."""

    def __init__(self, clock: ManualClock, count: int) -> None:
        super().__init__()
        self.clock, self.left = clock, count
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        self.clock.advance(timeout)
        self.left -= 1
        if self.left == 0:
            self.set()
        return self.is_set()


def flow_of(model: Model) -> mc.Flow:
    return mc.Flow("s", [model.sync()], ledger=model.ledger, systems={"model": "here"})


@attrs.define
class Watched(Table):
    """Notes when each read of it began."""

    begins: list[dt.datetime] = attrs.Factory(list)

    def read(self, window: Window) -> Iterator[Batch[mc.Supplier]]:
        self.begins.append(self.clock.now())
        return super().read(window)


def test_waits_vary_by_the_jitter_and_no_more(model: Model) -> None:
    turns = Turns(model.clock, 60)
    flow_of(model).poll(TEN, stop=turns, jitter=0.2)
    assert len(set(turns.waits)) > 50
    assert all(480 <= one <= 720 for one in turns.waits)
    assert max(turns.waits) - min(turns.waits) > 60
    even = Turns(model.clock, 3)
    flow_of(model).poll(TEN, stop=even, jitter=0.0)
    assert even.waits == [600.0] * 3
    for jitter in (-0.1, 1.0):
        with pytest.raises(mc.InvalidArgument, match="jitter"):
            flow_of(model).poll(TEN, stop=even, jitter=jitter)


@pytest.mark.parametrize(
    ("blackout", "dark"),
    [((dt.time(1), dt.time(3)), {1, 2}), ((dt.time(22), dt.time(2)), {22, 23, 0, 1})],
)
def test_no_run_begins_in_a_blackout(model: Model, blackout: tuple[dt.time, dt.time], dark: set[int]) -> None:
    model.table = table = Watched(model.clock)
    calendar = mc.Calendar(CHICAGO, blackouts=[blackout])
    flow_of(model).poll(TEN, stop=Turns(model.clock, 6 * 30), calendar=calendar)
    hours = {one.astimezone(CHICAGO).hour for one in table.begins}
    assert hours == set(range(24)) - dark


def test_a_run_begins_at_each_cut_off_in_its_own_time_zone_whatever_the_season(model: Model) -> None:
    model.table = table = Watched(model.clock)
    cut_off = dt.time(16, 45)
    calendar = mc.Calendar(CHICAGO, cut_offs=[cut_off], weekdays=[1, 2, 3, 4, 5])
    flow_of(model).poll(dt.timedelta(minutes=47), stop=Turns(model.clock, 31 * 14), calendar=calendar)
    local = [one.astimezone(CHICAGO) for one in table.begins]
    days = sorted({one.date() for one in local if one.time().replace(second=0, microsecond=0) == cut_off})
    assert {one.isoweekday() for one in local} == {1, 2, 3, 4, 5}
    # The clocks go forward on 8 March 2026.
    assert [dt.date(2026, 3, 2) <= day for day in days] == [True] * len(days)
    assert {dt.date(2026, 3, 6), dt.date(2026, 3, 9)} <= set(days)
    assert len(days) >= 9


def test_a_calendar_that_cannot_be_meant_is_refused() -> None:
    good: dict[str, Any] = {"blackouts": [(dt.time(1), dt.time(3))], "cut_offs": [dt.time(16)], "weekdays": [1]}
    assert mc.Calendar(CHICAGO, **good).next_cut_off(START) is not None
    assert mc.Calendar(CHICAGO).next_cut_off(START) is None
    for wrong in (
        {"blackouts": [(dt.time(1), dt.time(1))]},
        {"blackouts": [(dt.time(1, tzinfo=dt.UTC), dt.time(2))]},
        {"blackouts": [(dt.time(1),)]},
        {"cut_offs": ["16:45"]},
        {"cut_offs": [dt.time(2)]},
        {"weekdays": []},
        {"weekdays": [0, 1]},
    ):
        with pytest.raises(mc.InvalidArgument, match=next(iter(wrong)).partition("_")[0].removesuffix("s")):
            mc.Calendar(CHICAGO, **{**good, **wrong})
    with pytest.raises(mc.InvalidArgument, match="time_zone"):
        mc.Calendar("America/Chicago")  # type: ignore[arg-type]


def test_a_stop_ends_it_between_two_documents(model: Model) -> None:
    stop = threading.Event()
    for number in range(5):
        model.table.put(str(number), "one")
    model.desk.inside = lambda _batch: stop.set() if len(model.desk.wrote) == 1 else None
    flow_of(model).poll(TEN, stop=stop)
    assert len(model.desk.wrote) == 2
    assert [state for _key, _revision, state in model.states()].count("delivered") == 2
    assert [state for _key, _revision, state in model.states()].count("recorded") == 3
    model.ledger.acquire("s", worker="another, at once", length=HOUR)


def test_an_outage_of_hours_is_survived_with_little_noise(model: Model, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="mlconnector.delivery")
    model.table.put("a", "one")
    runs, healths = list[Report](), list[mc.Health]()
    model.desk.script = [("before", OUT)] * 60

    turns = Turns(model.clock, 62)
    flow_of(model).poll(TEN, stop=turns, on_report=runs.append, on_health=healths.append)
    assert len(runs) == 62
    stopped = [record for record in caplog.records if "the run stopped" in record.getMessage()]
    assert len(stopped) == 6
    assert "32 times in a row" in stopped[-1].getMessage()
    (again,) = [record for record in caplog.records if "it runs again" in record.getMessage()]
    assert "after 60 runs" in again.getMessage()
    assert model.desk.names() == ["one"]
    assert [one.failures for one in healths][:3] == [1, 2, 3]
    assert healths[59].failing_since == healths[0].failing_since == healths[0].at
    assert (healths[59].error, healths[59].last_success) == ("ConnectionFailed", None)
    assert not healths[59].ok(within=HOUR)
    assert (healths[60].failures, healths[60].error, healths[60].last_success) == (0, "", healths[60].at)
    assert healths[60].ok(within=HOUR)


def test_another_fault_is_told_at_once_and_another_worker_is_no_fault(
    model: Model, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="mlconnector.delivery")
    model.table.put("a", "one")
    model.desk.script = [("before", OUT), ("before", mc.AuthenticationFailed("refused")), ("before", OUT)]
    flow = flow_of(model)
    flow.poll(TEN, stop=Turns(model.clock, 3))
    stopped = [record for record in caplog.records if "the run stopped" in record.getMessage()]
    assert [record.levelname for record in stopped] == ["ERROR"] * 3
    lease = model.ledger.acquire("s", worker="another", length=dt.timedelta(days=1))
    flow.poll(TEN, stop=Turns(model.clock, 1))
    assert caplog.records[-1].levelname == "INFO"
    assert flow.health().failures == 3
    model.ledger.release(lease)
    flow.run()
    assert flow.health().failures == 0


def test_its_health_is_known_to_any_process(place: Home) -> None:
    clock: Any = place.clock
    table, desk = Table(clock), Desk()
    with place.open() as ledger:
        model = Model(clock, table, desk, ledger)
        empty = flow_of(model).health()
        assert (empty.last_success, empty.failures, empty.lag, empty.states) == (
            None,
            0,
            {"suppliers": None},
            {"suppliers": {}},
        )
        assert empty.metrics() == {"failures": 0, "attention": 0}
        table.put("a", "one")
        table.put("b", "two")
        table.put("c", "look")
        desk.script = [None, mc.InvalidDocument("no"), None]
        flow_of(model).run()
        flow_of(model).run(dry_run=True)
        clock.advance(HOUR)
        desk.script = [("before", LOST)]
        desk.hidden, desk.look_up = True, "present_only"
        table.put("d", "lost")
        flow_of(model).run()
        desk.script = [("before", mc.AuthenticationFailed("refused"))]
        table.put("e", "stopped")
        clock.advance(HOUR)
        with pytest.raises(mc.AuthenticationFailed):
            flow_of(model).run()
    clock.advance(HOUR)
    with place.open() as ledger:
        found = flow_of(Model(clock, table, desk, ledger)).health()
    assert found.last_success == START + HOUR
    assert (found.failing_since, found.failures, found.error) == (START + 2 * HOUR, 1, "AuthenticationFailed")
    assert found.states["suppliers"] == {"delivered": 2, "parked": 1, "in doubt": 1, "recorded": 1}
    assert found.lag["suppliers"] == 2 * HOUR
    assert found.attention == 1
    assert attrs.asdict(found)["flow"] == "s"
    told = found.metrics()
    assert told["seconds_since_success"] == 7200
    assert told["suppliers.lag_seconds"] == 7200
    assert told["suppliers.in_doubt"] == 1


def test_a_ledger_at_fault_is_told_and_not_written_to(place: Home) -> None:
    clock: Any = place.clock
    table, desk = Table(clock), Desk()
    with place.open() as ledger:
        flow_of(Model(clock, table, desk, ledger)).run()
        ledger.backup(place.folder / "copy.db")
    place.put_back(place.folder / "copy.db")
    with place.open() as ledger:
        flow = flow_of(Model(clock, table, desk, ledger))
        told = list[mc.Health]()
        flow.poll(TEN, stop=Turns(clock, 2), on_health=told.append)
        assert [one.failures for one in told] == [0, 0]
        with pytest.raises(mc.LedgerRestored):
            flow.run()


def test_a_dry_run_that_is_stopped_is_no_run(model: Model) -> None:
    class Unreachable(Table):
        def read(self, window: Window) -> Iterator[Batch[mc.Supplier]]:
            raise mc.ConnectionFailed("nobody answers")

    flow = flow_of(model)
    flow.run()
    model.table = Unreachable(model.clock)
    stopped = flow_of(model)
    with pytest.raises(mc.ConnectionFailed):
        stopped.run(dry_run=True)
    assert stopped.health().failures == 0
    with pytest.raises(mc.ConnectionFailed):
        stopped.run()
    assert stopped.health().failures == 1


def test_a_run_that_parks_one_after_the_other_counts_as_failed(model: Model) -> None:
    model.desk.refuse = {"bad": mc.InvalidDocument("no", cause="unit")}
    for key in "abc":
        model.table.put(key, "bad")
    flow = mc.delivery.Flow("f", [model.sync(stop_after=2)], ledger=model.ledger, systems={})
    with pytest.raises(mc.TooManyParked):
        flow.run()
    health = flow.health()
    assert (health.failures, health.error, health.failing_since) == (1, "TooManyParked", START)


def test_what_is_done_about_a_failure_is_one_of_two(model: Model) -> None:
    wrong: Any = "ignore"
    stop = threading.Event()
    stop.set()
    with pytest.raises(mc.InvalidArgument, match="'ignore'"):
        flow_of(model).poll(stop=stop, failures=wrong)
