"""Several syncs as one flow; reports; polling."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.delivery import KindReport, Report
from tests.delivery.model import LOST, Model


def flow_of(model: Model, **options: Any) -> mc.Flow:
    options.setdefault("systems", {"model": "here"})
    return mc.Flow("s", [model.sync()], ledger=model.ledger, **options)


def test_a_flow_runs_replays_settles_and_checks(model: Model) -> None:
    flow = flow_of(model, checks=[lambda: mc.Check(system="model", steps=[mc.CheckStep(name="x", ok=True)])])
    assert flow.kinds == ("suppliers",)
    model.table.put("a", "one")
    model.desk.script = [mc.InvalidDocument("no")]
    assert not flow.run().ok
    assert flow.replay(actor="jane", reason="mended").ok
    assert flow.run(limit=5).ok
    assert flow.check().ok
    assert repr(flow) == "Flow('s', suppliers)"
    model.desk.script, model.desk.hidden = [("before", LOST)], True
    model.table.put("a", "two")
    flow.run()
    model.clock.advance(3600)
    with pytest.raises(mc.InvalidArgument, match="kind"):
        flow.settle("a", "arrived", kind="orders", actor="j", reason="r")
    with pytest.raises(mc.InvalidArgument, match="0 kinds"):
        flow.settle("b", "arrived", actor="j", reason="r")
    assert flow.settle("a", "arrived", actor="j", reason="r").state == "delivered"


def test_what_stops_a_kind_stops_the_flow_with_its_report(model: Model) -> None:
    flow = flow_of(model)
    model.table.put("a", "one")
    model.desk.script = [("before", mc.AuthenticationFailed("refused"))]
    with pytest.raises(mc.AuthenticationFailed) as caught:
        flow.run()
    report = caught.value.report
    assert report.kinds["suppliers"].queued == 1
    assert "stopped" in str(report)
    with pytest.raises(mc.AuthenticationFailed):
        report.raise_for_failures()
    lease = model.ledger.acquire("s", worker="other", length=dt.timedelta(hours=1))
    with pytest.raises(mc.LeaseLost) as lost:
        flow.run()
    assert lost.value.report.kinds == {}
    model.ledger.release(lease)


def test_an_empty_flow_is_refused(model: Model) -> None:
    with pytest.raises(mc.InvalidArgument, match="no kinds"):
        mc.Flow("f", [], ledger=model.ledger, systems={})


def test_begin_must_be_said_where_it_matters(model: Model) -> None:
    flow = flow_of(model, begin_needed=True)
    with pytest.raises(mc.InvalidArgument, match="begin"):
        flow.run()
    assert flow.run(dry_run=True).ok
    model.sync().run()
    assert flow.run().ok


def test_poll_runs_until_it_is_told_to_stop(model: Model) -> None:
    flow, stop, reports = flow_of(model), threading.Event(), list[Report]()
    model.table.put("a", "one")
    model.desk.script = [("before", mc.AuthenticationFailed("refused"))]

    def note(report: Report) -> None:
        reports.append(report)
        if len(reports) == 3:
            stop.set()

    flow.poll(dt.timedelta(microseconds=1), stop=stop, on_report=note)
    assert [report.kinds["suppliers"].delivered for report in reports] == [0, 1, 0]


def test_poll_leaves_out_what_the_calendar_says_and_raises_when_told(model: Model) -> None:
    flow, stop, asked = flow_of(model), threading.Event(), list[dt.datetime]()

    def calendar(now: dt.datetime) -> bool:
        asked.append(now)
        stop.set()
        return False

    flow.poll(dt.timedelta(microseconds=1), stop=stop, calendar=calendar)
    assert len(asked) == 1
    assert model.ledger.deliveries() == []
    model.table.put("a", "one")
    model.desk.script = [("before", mc.AuthenticationFailed("refused"))]
    with pytest.raises(mc.AuthenticationFailed):
        flow.poll(dt.timedelta(microseconds=1), failures="raise")
    with pytest.raises(mc.InvalidArgument):
        flow.poll(dt.timedelta(0))


def test_every_key_counts_once_by_where_it_ended() -> None:
    kind = KindReport(kind="k")
    kind.note("a", "queued")
    kind.note("a", "delivered")
    kind.note("b", "waiting", "hold <b>")
    assert (kind.read, kind.delivered, kind.queued, kind.waiting, kind.unchanged) == (2, 1, 0, 1, 0)
    assert kind.balanced
    report = Report(flow="f", kinds={"k": kind})
    report.raise_for_failures()
    assert "hold &lt;b&gt;" in report._repr_html_()
    assert report.previews == []


def test_a_check_prints_well() -> None:
    steps = [mc.CheckStep(name="a", ok=True, detail="<d>"), mc.CheckStep(name="b", ok=False, cause="c", cure="d")]
    check = mc.Check(system="s", steps=steps)
    assert not check.ok
    assert "FAIL  b" in str(check)
    assert "&lt;d&gt;" in check._repr_html_()


def test_a_read_whose_conditions_changed_is_taken_up_anew_by_decision(model: Model) -> None:
    model.table.put("a", "one")
    sync = model.sync()
    sync.run()
    model.table.filters["where"] = "another"
    with pytest.raises(mc.CursorMismatch):
        model.sync().run()
    with pytest.raises(mc.InvalidArgument, match="reason"):
        model.sync().reread(actor="me", reason=" ")
    model.sync().reread(actor="me", reason="other order types")
    model.table.put("b", "two")
    assert model.sync().run().kinds["suppliers"].delivered == 1
    assert model.desk.names() == ["one", "two"]


def test_a_flow_rereads_one_kind_or_all(model: Model) -> None:
    model.table.put("a", "one")
    flow = mc.Flow("f", [model.sync()], ledger=model.ledger, systems={"model": "here"})
    flow.run()
    with pytest.raises(mc.InvalidArgument, match="orders"):
        flow.reread("orders", actor="me", reason="why not")
    flow.reread(actor="me", reason="the source lost stamps")
    assert flow.run().kinds["suppliers"].unchanged == 1
