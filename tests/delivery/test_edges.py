"""Payload forms, and what is left of the engine's corners."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector.delivery._payload import frozen, thawed
from mlconnector.delivery._store import Store
from tests.delivery.model import HOUR, LOST, Desk, Model


@pytest.mark.parametrize("payload", [None, b"\x00\xff", "text é", {"amount": Decimal("1.10"), "list": [1, None]}, [1]])
def test_a_payload_comes_back_in_the_form_it_had(payload: Any) -> None:
    assert thawed(*frozen(payload)) == payload


class Plain(Desk):
    """A target without control numbers whose payload is JSON and whose marker is text."""

    def prepare(self, change: mc.Change[Any]) -> mc.Prepared:
        return mc.Prepared(change.document, {"name": change.document.name, "amount": Decimal("1.10")}, change.key)


def test_a_target_needs_no_numbers(model: Model) -> None:
    model.desk = Plain()
    model.table.put("a", "one")
    assert model.sync().run(dry_run=True).previews[0].marker == "a"
    model.desk.script = [("before", LOST)]
    sync = model.sync()
    sync.run()
    model.clock.advance(HOUR)
    sync.run()
    assert model.desk.wrote == [("a", {"name": "one", "amount": Decimal("1.10")})]
    assert [one.interchange for one in model.ledger.deliveries()] == [None]
    assert model.ledger.deliveries()[0].marker == "a"


def test_a_preview_without_marker_shows_its_payload() -> None:
    assert str(mc.delivery.Preview(kind="k", key="a", action="create", payload="x")) == "create k a\nx"
    assert "as m" in str(mc.delivery.Preview(kind="k", key="a", action="create", payload="x", marker="m"))


def test_what_a_person_dropped_stays_dropped_until_it_changes(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script = [mc.InvalidDocument("no")]
    sync = model.sync()
    sync.run()
    sync.settle("a", "drop", actor="jane", reason="not wanted")
    model.clock.advance(dt.timedelta(minutes=1))
    model.table.put("a", "one", hold="seen again")
    assert sync.run().kinds["suppliers"].reasons == {"dropped by a person": 1}
    model.table.put("a", "two")
    assert sync.run().kinds["suppliers"].delivered == 1


def test_what_is_read_twice_in_one_run_counts_once(model: Model) -> None:
    model.table.put("a", "one", waiting_for=("hold",))
    sync = model.sync()
    sync.run()
    model.table.put("a", "one")
    report = sync.run().kinds["suppliers"]
    assert (report.read, report.delivered) == (1, 1)


def test_open_documents_count_where_they_are(model: Model) -> None:
    model.desk.refuse = {"bad": mc.InvalidDocument("no")}
    model.table.put("a", "bad")
    model.table.put("b", "one")
    model.desk.script, model.desk.look_up = [("before", LOST)], "present_only"
    sync = model.sync()
    sync.run()
    for key in "ab":
        model.table.put(key, model.table.rows[key].name, hold="read again")
    report = sync.run().kinds["suppliers"]
    assert (report.parked, report.in_doubt) == (1, 1)


def test_a_dry_run_knows_the_unchanged(model: Model) -> None:
    model.table.put("a", "one")
    sync = model.sync()
    sync.run()
    model.table.put("a", "one", hold="other field")
    assert sync.run(dry_run=True).kinds["suppliers"].unchanged == 1


def test_a_refused_login_in_a_batch_is_believed_only_of_a_single_one(model: Model) -> None:
    model.desk.batch_size = 2
    for key in "ab":
        model.table.put(key, key)
    model.desk.script = [("before", mc.AuthenticationFailed("refused"))]
    with pytest.raises(mc.AuthenticationFailed):
        model.sync().run()
    assert {one.state for one in model.ledger.deliveries()} == {"in doubt"}


def test_a_failing_callback_breaks_no_transaction(model: Model) -> None:
    def fail(_item: Any) -> None:
        raise RuntimeError("callback")

    model.table.bad = {"x": ("no date",)}
    with pytest.raises(RuntimeError):
        model.sync(on_attention=fail).run()
    assert [item.key for item in model.ledger.attention()] == ["x"]
    assert model.ledger.verify() > 0


def test_links_are_listed_by_kind(model: Model) -> None:
    walk = model.ledger.crosswalk
    walk.link("supplier", a="1", b="2")
    walk.link("account", a="1", b="2")
    assert [link["kind"] for link in walk.links("account")] == ["account"]


def test_polling_needs_no_listener(model: Model) -> None:
    import threading

    stop = threading.Event()

    def once(_now: dt.datetime) -> bool:
        stop.set()
        return True

    mc.Flow("s", [model.sync()], ledger=model.ledger, systems={}).poll(stop=stop, calendar=once)


def test_a_file_system_without_the_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    original = sqlite3.connect

    @attrs.define(slots=False)
    class NoWal:
        inner: sqlite3.Connection

        def execute(self, query: str, *values: Any) -> Any:
            return self.inner.execute("SELECT 'delete'" if "journal_mode" in query else query, *values)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

    monkeypatch.setattr("sqlite3.connect", lambda *args, **options: NoWal(original(*args, **options)))
    with pytest.raises(mc.LedgerError, match="local disk"):
        mc.Ledger(tmp_path / "l.db", actor="test", high_water=tmp_path / "hw")


def test_a_checkpoint_before_the_first_event_is_nothing(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "l.db"), actor="test", clock=mc.SYSTEM_CLOCK, high_water=tmp_path / "hw")
    store.checkpoint()
    store.close()


def test_a_failed_report_raises_with_its_counts(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script = [mc.InvalidDocument("no")]
    report = model.sync().run()
    with pytest.raises(mc.DocumentError, match="1 parked") as caught:
        report.raise_for_failures()
    assert caught.value.report is report


@pytest.mark.parametrize(
    ("error", "detail"), [(mc.InvalidDocument("no"), "refused"), (mc.TargetChanged("other"), "conflict")]
)
def test_a_refusal_that_is_raised_parks_the_single_one(model: Model, error: Exception, detail: str) -> None:
    model.table.put("a", "one")
    model.desk.script = [("before", error)]
    model.sync().run()
    assert [one.detail for one in model.ledger.deliveries()] == [detail]


def test_select_is_told_of_an_open_delivery_as_known(model: Model) -> None:
    asked: list[bool] = []

    def select(_document: Any, known: bool) -> None:
        asked.append(known)

    model.table.put("a", "one")
    model.desk.script, model.desk.look_up = [("before", LOST)], "present_only"
    sync = model.sync(select=select)
    sync.run()
    model.table.put("a", "two")
    sync.run()
    assert asked == [False, True]


def test_a_key_settled_and_read_again_in_one_run_stays_delivered(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script, model.desk.hidden = [("after", LOST)], True
    sync = model.sync()
    sync.run()
    model.desk.hidden = False
    model.table.put("a", "one", hold="other field, same content")
    report = sync.run().kinds["suppliers"]
    assert (report.read, report.delivered) == (1, 1)


def test_two_revisions_of_a_key_never_go_in_one_call(model: Model) -> None:
    model.desk.batch_size = 5
    model.table.put("a", "one")
    model.desk.script = [("before", LOST)]
    sync = model.sync()
    sync.run()
    model.table.put("a", "two")
    sync.run()
    model.clock.advance(HOUR)
    calls: list[list[str]] = []
    model.desk.inside = lambda batch: calls.append([prepared.key for prepared in batch])
    sync.run()
    assert calls == [["a"], ["a"]]
    assert model.desk.names() == ["one", "two"]
    assert [change.action for change in model.desk.changes][-1] == "change"


def test_a_delivery_half_done_is_finished_before_a_newer_one(model: Model) -> None:
    model.desk.steps = ("create", "issue")
    model.table.put("a", "one")
    model.desk.script = [None, ("before", mc.AuthenticationFailed("dead"))]
    with pytest.raises(mc.AuthenticationFailed):
        model.sync().run()
    model.table.put("a", "two")
    model.sync().run()
    assert [(prepared.revision, prepared.step) for prepared in model.desk.seen] == [
        (1, "create"),
        (1, "issue"),
        (2, "create"),
        (2, "issue"),
    ]
    assert model.desk.changes[-1].action == "change"


def test_a_replay_of_what_is_delivered_sends_although_it_is_found(model: Model) -> None:
    model.table.put("a", "one")
    sync = model.sync()
    sync.run()
    model.desk.look_before_create = model.desk.compare_before_update = True
    model.desk.done[None] = [""]
    sync.replay("delivered", keys=["a"], actor="jane", reason="partner lost it")
    assert model.desk.names() == ["one", "one"]


def test_a_new_transmission_is_doubted_from_its_own_begin(model: Model) -> None:
    """Not parked at once because the one before it was in doubt for a day."""
    model.desk.look_up, model.desk.find_raises = "present_only", mc.DeliveryInDoubt("?")
    model.table.put("a", "one")
    sync = model.sync()
    model.desk.script = [("before", LOST)]
    sync.run()
    model.clock.advance(25 * HOUR)
    sync.run()
    assert model.states() == [("a", 1, "parked")]
    sync.settle("a", "not_arrived", actor="me", reason="looked")
    model.desk.script = [("before", LOST)]
    sync.run()
    assert model.states() == [("a", 1, "in doubt")]
    model.clock.advance(25 * HOUR)
    sync.run()
    assert model.states() == [("a", 1, "parked")]


def test_a_replay_by_key_reads_no_other(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1200):
        model.table.put(f"{number:04}", "one")
    model.sync().run()
    read, kept = list[int](), model.ledger.store.read

    def counted(query: str, values: Any = ()) -> Any:
        rows = kept(query, values)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(model.ledger.store, "read", counted)
    report = model.sync().replay("delivered", keys=["0007", "1100", "nobody"], dry_run=True)
    assert [one.key for one in report.previews] == ["0007", "1100"]
    assert max(read) <= 2
    keys = [f"{number:04}" for number in range(1200)]
    assert len(model.sync().replay("delivered", keys=keys, dry_run=True).previews) == 1200


def test_a_doubt_is_never_given_a_negative_time(model: Model) -> None:
    with pytest.raises(mc.InvalidArgument, match="confirm_within"):
        model.sync(confirm_within=-HOUR)


@pytest.mark.parametrize("limit", [-1, 1.5, True])
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_limit_is_a_count(model: Model, limit: Any, dry_run: bool) -> None:
    with pytest.raises(mc.InvalidArgument, match="limit"):
        model.sync().run(limit=limit, dry_run=dry_run)
