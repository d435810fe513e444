"""Leases, fences, waiting, baselines, dry runs, and what people do."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest

import mlconnector as mc
from tests.delivery.model import HOUR, LOST, START, Model


def test_a_lease_has_a_token_new_at_every_acquisition(model: Model) -> None:
    tokens = set()
    for _ in range(3):
        lease = model.ledger.acquire("s", worker="same name", length=HOUR)
        tokens.add(lease.token)
        model.ledger.release(lease)
    assert len(tokens) == 3


def test_a_second_worker_is_refused_until_the_lease_is_over(model: Model) -> None:
    model.ledger.acquire("s", worker="first", length=HOUR)
    with pytest.raises(mc.LeaseLost, match="first"):
        model.sync().run()
    model.clock.advance(2 * HOUR)
    model.sync().run()


def test_a_worker_without_its_lease_writes_nothing_more(model: Model) -> None:
    """The first worker sleeps in its call past its lease; the second takes over and settles; the first is fenced."""
    model.table.put("a", "one")
    taken_over: list[Any] = []

    def sleep_and_be_overtaken(_batch: Any) -> None:
        model.desk.inside = None
        model.clock.advance(5 * HOUR)
        taken_over.append(model.ledger.acquire("s", worker="second", length=HOUR))

    model.desk.inside = sleep_and_be_overtaken
    with pytest.raises(mc.LeaseLost):
        model.sync().run()
    assert model.states() == [("a", 1, "sending")]
    model.ledger.release(taken_over[0])
    assert model.sync().run().kinds["suppliers"].delivered == 1
    assert model.desk.names() == ["one"]


def test_what_a_dead_worker_was_sending_is_in_doubt_and_settled(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script = [("after", KeyboardInterrupt())]
    with pytest.raises(KeyboardInterrupt):
        model.sync().run()
    assert model.states() == [("a", 1, "sending")]
    assert model.sync().run().kinds["suppliers"].delivered == 1
    assert model.desk.names() == ["one"]


def test_the_send_deadline_ends_before_the_lease(model: Model) -> None:
    model.table.put("a", "one")
    model.sync(lease=dt.timedelta(seconds=100), call_timeout=60.0).run()
    (prepared,) = model.desk.seen
    assert prepared.send_by == pytest.approx(model.clock.monotonic() + 40.0)


def test_waiting_keys_are_read_again_and_sent_when_fit(model: Model) -> None:
    model.table.put("a", "one", waiting_for=("approval",))
    sync = model.sync()
    assert sync.run().kinds["suppliers"].reasons == {"approval": 1}
    model.clock.advance(24 * HOUR)
    model.table.put("b", "late")
    sync.run()
    model.table.put("a", "one", stamp=START - 300 * HOUR)
    assert sync.run().kinds["suppliers"].delivered == 1


def test_a_queued_revision_does_not_go_while_the_document_waits_and_goes_after(model: Model) -> None:
    model.table.put("a", "one")
    sync = model.sync()
    sync.run(limit=0)
    model.table.put("a", "one", waiting_for=("hold",))
    sync.run()
    assert model.desk.wrote == []
    model.table.put("a", "one")
    assert sync.run().kinds["suppliers"].delivered == 1


def test_a_waiting_key_that_is_gone_is_forgotten_with_attention_if_the_partner_knows_it(model: Model) -> None:
    model.table.put("a", "one")
    model.table.put("b", "two", waiting_for=("hold",))
    sync = model.sync()
    sync.run()
    model.table.put("a", "one", waiting_for=("hold",))
    sync.run()
    model.table.rows.clear()
    report = sync.run()
    assert [item.key for item in report.attention] == ["a"]
    assert "attention" in str(report)


def test_a_row_that_cannot_be_read_is_attention_once(model: Model) -> None:
    model.table.bad = {"x": ("no date",)}
    told: list[Any] = []
    sync = model.sync(on_attention=told.append)
    assert sync.run().kinds["suppliers"].parked == 1
    sync.run()
    assert [item.text for item in told] == ["It cannot be read: no date"]
    assert len(model.ledger.attention()) == len(model.ledger.attention(open_only=False)) == 1


def test_what_a_target_wants_seen_is_attention(model: Model) -> None:
    model.table.put("a", "look")
    report = model.sync().run()
    assert [str(item) for item in report.attention] == ["suppliers a: look at me"]


def test_begin_nothing_knows_what_is_there_and_sends_what_comes(model: Model) -> None:
    model.table.put("a", "old")
    sync = model.sync(begin="nothing")
    assert sync.run().kinds["suppliers"].baselined == 1
    model.clock.advance(2 * HOUR)
    model.table.put("b", "new")
    assert sync.run().kinds["suppliers"].delivered == 1
    model.table.put("a", "changed")
    report = sync.run()
    assert report.kinds["suppliers"].baselined == 1
    assert [item.key for item in report.attention] == ["a"]
    assert model.desk.names() == ["new"]


@pytest.mark.parametrize(("choice", "action"), [("create", "create"), ("change", "change")])
def test_a_baselined_change_goes_as_told(model: Model, choice: str, action: str) -> None:
    model.table.put("a", "old")
    sync = model.sync(begin="nothing", on_baseline_change=choice)
    sync.run()
    model.clock.advance(2 * HOUR)
    model.table.put("a", "changed")
    sync.run()
    assert [change.action for change in model.desk.changes] == [action]


def test_begin_at_an_instant_reads_from_there(model: Model) -> None:
    model.table.put("a", "old", stamp=START - 10 * HOUR)
    model.table.put("b", "new")
    sync = model.sync(begin=START - HOUR)
    assert not sync.started
    sync.run()
    assert sync.started
    assert model.desk.names() == ["new"]


def test_select_excludes_with_a_reason(model: Model) -> None:
    asked: list[bool] = []

    def select(document: mc.Supplier, known: bool) -> str | None:
        asked.append(known)
        return "not meant" if document.name == "no" else None

    model.table.put("a", "no")
    model.table.put("b", "yes")
    sync = model.sync(select=select)
    assert sync.run().kinds["suppliers"].reasons == {"not meant": 1}
    sync.run()
    model.table.put("b", "yes again")
    sync.run()
    assert asked[-1] is True


def test_a_dry_run_shows_all_and_writes_nothing(model: Model) -> None:
    sync = model.sync(select=lambda document, _known: "no" if document.name == "no" else None)
    model.table.put("a", "one")
    model.table.put("w", "wait", waiting_for=("hold",))
    sync.run()
    head = model.ledger.head()
    model.desk.refuse = {"bad": mc.InvalidDocument("no", cause="unit")}
    for key, name in (("a", "two"), ("b", "bad"), ("c", "no"), ("d", "new")):
        model.table.put(key, name)
    model.table.bad = {"x": ("no date",)}
    report = sync.run(dry_run=True)
    kind = report.kinds["suppliers"]
    assert [(one.key, one.action, one.payload, one.marker) for one in kind.previews] == [
        ("a", "change", "two|2|2", "a-2-2"),
        ("b", "create", "", None),
        ("d", "create", "new|3|3", "d-1-3"),
    ]
    assert (kind.queued, kind.parked, kind.excluded, kind.waiting) == (2, 2, 1, 1)
    assert "would be parked: no" in str(report.previews[1])
    assert "dry run" in str(report)
    assert model.ledger.head() == head
    assert len(sync.run(dry_run=True, limit=1).previews) == 1
    afresh = model.sync(begin="nothing")
    assert afresh.run(dry_run=True).kinds["suppliers"].baselined == afresh.run().kinds["suppliers"].baselined == 4


def test_limit_and_stop_end_between_documents(model: Model) -> None:
    for key in "abc":
        model.table.put(key, key)
    sync = model.sync()
    assert sync.run(limit=2).kinds["suppliers"].delivered == 2
    stop = threading.Event()
    stop.set()
    assert sync.run(stop=stop).kinds["suppliers"].queued == 1
    told: list[tuple[str, int, int]] = []
    sync.run(progress=lambda *numbers: told.append(numbers))
    assert told[-1] == ("suppliers", 1, 1)


def test_refused_ones_are_replayed_under_new_numbers(model: Model) -> None:
    model.desk.script = [mc.InvalidDocument("no", cause="unit")]
    model.table.put("a", "one")
    sync = model.sync()
    sync.run()
    assert [one.key for one in sync.replay(dry_run=True).previews] == ["a"]
    assert sync.replay(cause="other").kinds["suppliers"].read == 0
    assert sync.replay(keys=["b"]).kinds["suppliers"].read == 0
    assert sync.replay(actor="jane", reason="mended").kinds["suppliers"].delivered == 1
    sync.run()
    assert model.desk.wrote == [("a", "one|2|2")]
    assert any(event.event == "replay" and event.facts["by"] == "jane" for event in model.ledger.history("a"))


def test_delivered_ones_are_replayed_by_key_only_and_never_while_the_key_is_open(model: Model) -> None:
    model.table.put("a", "one")
    model.table.put("b", "two")
    sync = model.sync()
    sync.run()
    with pytest.raises(mc.InvalidArgument, match="everything"):
        sync.replay("delivered")
    with pytest.raises(mc.InvalidArgument, match="in doubt"):
        sync.replay("in doubt")
    assert len(sync.replay("delivered", keys=["a"], dry_run=True).previews) == 1
    sync.replay("delivered", keys=["a"], actor="jane", reason="partner lost it")
    sync.run()
    assert model.desk.names() == ["one", "two", "one"]
    model.desk.script, model.desk.hidden = [("before", LOST)], True
    model.table.put("b", "three")
    sync.run()
    assert sync.replay("delivered", keys=["b"]).kinds["suppliers"].delivered == 0


@pytest.mark.parametrize(
    ("outcome", "states", "names"),
    [
        ("arrived", [("a", 1, "delivered")], []),
        ("not_arrived", [("a", 1, "delivered")], ["one"]),
        ("drop", [("a", 1, "superseded")], []),
    ],
)
def test_a_person_settles_what_is_in_doubt(
    model: Model, outcome: Any, states: list[tuple[str, int, str]], names: list[str]
) -> None:
    model.table.put("a", "one")
    model.desk.script, model.desk.look_up = [("before", LOST)], "present_only"
    sync = model.sync()
    sync.run()
    with pytest.raises(mc.InvalidArgument, match="settling delay"):
        sync.settle("a", outcome, actor="jane", reason="asked")
    model.clock.advance(HOUR)
    sync.settle("a", outcome, actor="jane", reason="asked")
    sync.run()
    assert model.states() == states
    assert model.desk.names() == names
    model.table.put("a", "one")
    model.clock.advance(HOUR)
    sync.run()
    assert model.states() == states


def test_not_arrived_gives_way_to_a_newer_revision(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script, model.desk.look_up = [("before", LOST)], "present_only"
    sync = model.sync()
    sync.run()
    model.table.put("a", "two")
    model.clock.advance(HOUR)
    sync.run()
    sync.settle("a", "not_arrived", actor="jane", reason="asked")
    sync.run()
    assert model.desk.names() == ["two"]


@pytest.mark.parametrize(
    ("key", "outcome", "actor", "match"),
    [("a", "lost", "jane", "outcome"), ("a", "arrived", " ", "actor"), ("zz", "arrived", "jane", "nothing under")],
)
def test_settling_asks_for_what_it_needs(model: Model, key: str, outcome: Any, actor: str, match: str) -> None:
    with pytest.raises(mc.InvalidArgument, match=match):
        model.sync().settle(key, outcome, actor=actor, reason="r")


def test_their_version_can_be_accepted(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script, model.desk.find_raises = [("after", LOST)], mc.TargetChanged("other")
    sync = model.sync()
    sync.run()
    sync.settle("a", "accept_theirs", actor="jane", reason="fine")
    assert model.states() == [("a", 1, "delivered")]


@pytest.mark.parametrize(
    "options",
    [
        {"begin": "soon"},
        {"begin": dt.datetime(2026, 1, 1)},  # noqa: DTZ001
        {"on_baseline_change": "850"},
        {"stop_after": True},
        {"call_timeout": 0},
        {"lease": dt.timedelta(seconds=1)},
    ],
)
def test_options_that_cannot_be_meant_are_refused(model: Model, options: dict[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument):
        model.sync(**options)


def test_a_sync_needs_a_name_and_a_target(model: Model) -> None:
    with pytest.raises(mc.InvalidArgument, match="name"):
        mc.Sync(" ", records=mc.Records(model.table), target=model.desk, ledger=model.ledger)
    with pytest.raises(mc.InvalidArgument, match="target"):
        mc.Sync("s", records=mc.Records(model.table), target=object(), ledger=model.ledger)
    assert repr(model.sync()) == "Sync('s', <Records model suppliers> to desk)"


def test_a_replay_asks_the_source_first(model: Model) -> None:
    model.desk.script = [mc.InvalidDocument("no")] * 3
    for key in "abc":
        model.table.put(key, key)
    sync = model.sync()
    sync.run()
    model.table.put("a", "newer")
    model.table.put("b", "b", waiting_for=("hold",))
    model.table.put("z", "not asked for")
    report = sync.replay(actor="jane", reason="mended").kinds["suppliers"]
    assert (report.delivered, report.waiting) == (2, 1)
    assert sorted(model.desk.names()) == ["c", "newer"]
