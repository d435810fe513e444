"""The rules of the delivery protocol, one by one."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.kit import Client, FaultTable, Request
from tests.delivery.model import HOUR, LOST, Model
from tests.http.wire import WireServer, answer


def test_one_two_one_is_three_revisions(model: Model) -> None:
    sync = model.sync()
    for name in ("one", "two", "one"):
        model.table.put("a", name)
        sync.run()
        model.clock.advance(HOUR)
    assert model.desk.names() == ["one", "two", "one"]
    assert [change.sequence for change in model.desk.changes] == [0, 1, 2]
    assert [change.action for change in model.desk.changes] == ["create", "change", "change"]
    assert model.desk.changes[2].previous.name == "two"


def test_the_unchanged_is_not_sent_again(model: Model) -> None:
    model.table.put("a", "one")
    sync = model.sync()
    assert sync.run().kinds["suppliers"].delivered == 1
    model.table.put("a", "one", hold="other field, same content")
    assert sync.run().kinds["suppliers"].unchanged == 1
    assert model.desk.names() == ["one"]


def test_content_back_at_the_base_before_its_turn_is_unchanged(model: Model) -> None:
    sync = model.sync()
    model.table.put("a", "one")
    sync.run()
    for name in ("two", "one"):
        model.table.put("a", name)
        sync.run(limit=0)
    assert sync.run().kinds["suppliers"].unchanged == 1
    assert model.states() == [("a", 1, "delivered"), ("a", 2, "superseded"), ("a", 3, "unchanged")]


def test_only_the_newest_of_what_waits_is_sent(model: Model) -> None:
    sync = model.sync()
    for name in ("one", "two", "three"):
        model.table.put("a", name)
        sync.run(limit=0)
    sync.run()
    assert model.desk.names() == ["three"]


def test_intent_with_bytes_and_numbers_stands_before_a_byte_is_sent(model: Model) -> None:
    inside: list[Any] = []

    def look(batch: Any) -> None:
        (row,) = model.ledger.deliveries(state="sending")
        inside.append((row.interchange, row.group, row.marker, model.ledger.payload(row)))
        assert batch[0].send_by is not None

    model.desk.inside = look
    model.table.put("a", "one")
    model.sync().run()
    assert inside == [(1, 1, "a-1-1", b"one|1|1")]


def test_a_lost_answer_is_looked_for_and_not_repeated(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script = [("after", LOST)]
    report = model.sync().run()
    assert report.kinds["suppliers"].delivered == 1
    assert model.desk.names() == ["one"]
    assert model.states() == [("a", 1, "delivered")]


def test_absent_is_believed_only_after_the_settling_delay_and_repeats_bytes_and_numbers(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script = [("before", LOST)]
    sync = model.sync()
    assert sync.run().kinds["suppliers"].in_doubt == 1
    assert sync.run().kinds["suppliers"].in_doubt == 1
    assert model.desk.wrote == []
    model.clock.advance(HOUR)
    assert sync.run().kinds["suppliers"].delivered == 1
    assert model.desk.wrote == [("a", "one|1|1")]
    (delivery,) = model.ledger.deliveries()
    assert (delivery.attempt, delivery.interchange) == (2, 1)


def test_a_write_that_appears_late_is_not_repeated(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script, model.desk.hidden = [("after", LOST)], True
    sync = model.sync()
    sync.run()
    model.desk.hidden = False
    assert sync.run().kinds["suppliers"].delivered == 1
    assert model.desk.names() == ["one"]


def test_found_by_content_counts_only_after_the_settling_delay(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script, model.desk.found_by = [("after", LOST)], "content"
    sync = model.sync()
    assert sync.run().kinds["suppliers"].in_doubt == 1
    model.clock.advance(HOUR)
    assert sync.run().kinds["suppliers"].delivered == 1


@pytest.mark.parametrize("look_up", ["present_only", "none"])
def test_where_absence_proves_nothing_it_is_never_repeated(model: Model, look_up: str) -> None:
    model.table.put("a", "one")
    model.desk.script, model.desk.look_up = [("before", LOST)], look_up
    sync = model.sync()
    sync.run()
    for _ in range(30):
        model.clock.advance(HOUR)
        report = sync.run()
    assert model.desk.wrote == []
    (delivery,) = model.ledger.deliveries()
    assert (delivery.state, delivery.detail) == ("parked", "in doubt")
    assert not report.ok or report.kinds["suppliers"].read == 0


def test_an_open_delivery_holds_its_key_and_no_other(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script = [("before", LOST)]
    sync = model.sync()
    sync.run()
    model.table.put("a", "two")
    model.table.put("b", "other")
    assert sync.run().kinds["suppliers"].delivered == 1
    assert model.desk.names() == ["other"]
    model.clock.advance(HOUR)
    sync.run()
    assert model.desk.names() == ["other", "one", "two"]


def test_a_refused_one_is_parked_with_every_fault_and_holds_nothing(model: Model) -> None:
    error = mc.InvalidDocument("It cannot go.", faults=("unit", "price"), cause="unit")
    model.desk.refuse = {"bad": error}
    model.table.put("a", "bad")
    sync = model.sync()
    report = sync.run()
    (parked,) = model.ledger.deliveries(state="parked")
    assert (parked.detail, parked.faults, parked.cause) == ("refused", ("unit", "price"), "unit")
    assert report.kinds["suppliers"].reasons == {"unit": 1}
    model.table.put("a", "good")
    assert sync.run().kinds["suppliers"].delivered == 1
    assert model.states() == [("a", 1, "superseded"), ("a", 2, "delivered")]


@pytest.mark.parametrize(
    ("answer", "state", "detail"),
    [
        (mc.InvalidDocument("no"), "parked", "refused"),
        (mc.TargetChanged("other content"), "parked", "conflict"),
        (mc.DeliveryInDoubt("perhaps"), "in doubt", ""),
        (mc.RateLimited("later"), "recorded", ""),
    ],
)
def test_each_answer_has_its_state(model: Model, answer: Exception, state: str, detail: str) -> None:
    model.table.put("a", "one")
    model.desk.script, model.desk.hidden = [answer], True
    model.sync().run()
    (delivery,) = model.ledger.deliveries()
    assert (delivery.state, delivery.detail) == (state, detail)


def test_what_surely_did_not_act_keeps_its_numbers(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script = [mc.RateLimited("later")]
    sync = model.sync()
    assert sync.run().kinds["suppliers"].queued == 1
    sync.run()
    assert model.desk.wrote == [("a", "one|1|1")]


@pytest.mark.parametrize("error", [mc.AuthenticationFailed("refused"), mc.PermissionDenied("no right")])
def test_a_dead_login_stops_the_run_at_once_and_loses_nothing(model: Model, error: Exception) -> None:
    model.table.put("a", "one")
    model.table.put("b", "two")
    model.desk.script = [("before", error)]
    with pytest.raises(type(error)) as caught:
        model.sync().run()
    assert caught.value.report.kinds["suppliers"].queued == 2
    assert {one.state for one in model.ledger.deliveries()} == {"recorded"}
    assert model.sync().run().kinds["suppliers"].delivered == 2


def test_a_vendor_out_of_reach_stops_the_run(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script = [("before", mc.ConnectionFailed("refused", repeat_safe=True))]
    with pytest.raises(mc.ConnectionFailed):
        model.sync().run()
    assert model.states() == [("a", 1, "recorded")]


def test_many_lost_answers_in_a_row_stop_the_run(model: Model) -> None:
    for number in range(15):
        model.table.put(f"{number:02}", "x")
    model.desk.script, model.desk.hidden = [("before", LOST)] * 15, True
    with pytest.raises(mc.ConnectionFailed):
        model.sync().run()
    assert sum(state == "in doubt" for _key, _revision, state in model.states()) == 10


def test_a_bug_in_a_target_leaves_it_in_doubt_and_comes_out(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script = [("after", ZeroDivisionError("bug"))]
    with pytest.raises(ZeroDivisionError) as caught:
        model.sync().run()
    assert caught.value.report.kinds["suppliers"].in_doubt == 1
    assert model.sync().run().kinds["suppliers"].delivered == 1
    assert model.desk.names() == ["one"]


def test_too_few_answers_leave_the_batch_in_doubt(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script = ["short"]
    assert model.sync().run().kinds["suppliers"].in_doubt == 1


def test_a_batch_has_one_intent_and_each_member_its_own_outcome(model: Model) -> None:
    model.desk.batch_size = 3
    for key in "abcd":
        model.table.put(key, key)
    model.desk.script = [("after", LOST)]
    assert model.sync().run().kinds["suppliers"].delivered == 4
    assert sorted(model.desk.names()) == ["a", "b", "c", "d"]
    assert len({one.interchange for one in model.ledger.deliveries()}) == 4


def test_existence_alone_is_not_delivered(model: Model) -> None:
    model.desk.steps = ("create", "issue")
    model.table.put("a", "one")
    model.desk.script = [None, ("before", LOST)]
    sync = model.sync()
    assert sync.run().kinds["suppliers"].in_doubt == 1
    model.clock.advance(HOUR)
    assert sync.run().kinds["suppliers"].delivered == 1
    assert [prepared.step for prepared in model.desk.seen] == ["create", "issue"]
    assert {payload for _key, payload in model.desk.wrote} == {"one|1|1"}


def test_a_newer_revision_knows_of_the_one_that_was_refused_half_way(model: Model) -> None:
    model.desk.steps = ("create", "issue")
    model.table.put("a", "one")
    sync = model.sync()
    assert sync.run().ok
    model.clock.advance(HOUR)
    model.table.put("a", "two")
    model.desk.script = [None, mc.InvalidDocument("not now")]
    sync.run()
    model.clock.advance(HOUR)
    # What the base holds is not there any more: it goes out again.
    model.table.put("a", "one")
    assert sync.run().ok
    change = model.desk.changes[-1]
    assert change.begun is not None
    assert change.previous is not None
    assert (change.previous.name, change.begun.name, change.document.name) == ("one", "two", "one")
    assert model.states() == [("a", 1, "delivered"), ("a", 2, "superseded"), ("a", 3, "delivered")]


def test_what_was_refused_half_way_and_only_waited_is_not_sent_anew(model: Model) -> None:
    model.desk.steps = ("upload", "run")
    model.table.put("a", "one")
    model.desk.script = [None, mc.InvalidDocument("not now")]
    sync = model.sync()
    sync.run()
    for reasons in (("hold",), ()):
        model.clock.advance(HOUR)
        model.table.put("a", "one", waiting_for=reasons)
        sync.run()
    assert [prepared.step for prepared in model.desk.seen] == ["upload"]
    assert model.states() == [("a", 1, "parked")]


def test_a_step_whose_answer_was_lost_is_not_done_twice(model: Model) -> None:
    model.desk.steps = ("create", "issue")
    model.table.put("a", "one")
    model.desk.script = [("after", LOST)]
    sync = model.sync()
    sync.run()
    model.clock.advance(HOUR)
    assert sync.run().kinds["suppliers"].delivered == 1 or model.states() == [("a", 1, "delivered")]
    assert [prepared.step for prepared in model.desk.seen] == ["create", "issue"]


def test_what_is_there_half_done_before_the_first_write_is_only_finished(model: Model) -> None:
    model.desk.steps, model.desk.look_before_create = ("create", "issue"), True
    model.desk.done = {None: ["create"]}
    model.table.put("a", "one")
    assert model.sync().run().kinds["suppliers"].delivered == 1
    assert [prepared.step for prepared in model.desk.seen] == ["issue"]


def test_a_look_up_error_changes_nothing(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script, model.desk.find_raises = [("after", LOST)], mc.VendorFault("busy")
    sync = model.sync()
    sync.run()
    model.clock.advance(HOUR)
    assert sync.run().kinds["suppliers"].in_doubt == 1
    model.desk.find_raises = None
    assert sync.run().kinds["suppliers"].delivered == 1


def test_other_content_at_the_target_is_a_conflict(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script, model.desk.find_raises = [("after", LOST)], mc.TargetChanged("somebody changed it")
    model.sync().run()
    (delivery,) = model.ledger.deliveries()
    assert (delivery.state, delivery.detail, delivery.faults) == ("parked", "conflict", ("somebody changed it",))


def test_looking_that_cannot_tell_ends_with_a_person(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script, model.desk.find_raises = [("after", LOST)], mc.DeliveryInDoubt("unclear")
    sync = model.sync(confirm_within=dt.timedelta(hours=5))
    sync.run()
    for _ in range(6):
        model.clock.advance(HOUR)
        sync.run()
    assert [one.detail for one in model.ledger.deliveries()] == ["in doubt"]


def test_a_record_is_looked_for_before_the_first_write(model: Model) -> None:
    model.desk.look_before_create = True
    model.desk.done = {None: [""]}
    model.table.put("a", "one")
    assert model.sync().run().kinds["suppliers"].delivered == 1
    assert model.desk.wrote == []


def test_before_an_update_the_target_is_compared_with_the_base(model: Model) -> None:
    model.desk.compare_before_update = True
    model.table.put("a", "one")
    sync = model.sync()
    sync.run()
    model.desk.find_raises = mc.TargetChanged("changed by people")
    model.table.put("a", "two")
    assert sync.run().kinds["suppliers"].parked == 1
    assert model.desk.names() == ["one"]
    sync.settle("a", "overwrite", actor="jane", reason="ours is right")
    model.desk.find_raises = None
    sync.run()
    assert model.desk.names() == ["one", "two"]


def test_overwrite_writes_over_people(model: Model) -> None:
    model.desk.compare_before_update = True
    model.table.put("a", "one")
    sync = model.sync(overwrite=True)
    sync.run()
    model.desk.find_raises = mc.TargetChanged("changed by people")
    model.table.put("a", "two")
    sync.run()
    assert model.desk.names() == ["one", "two"]


def test_a_poisoned_document_stops_nothing_and_a_run_of_them_stops_all(model: Model) -> None:
    model.desk.refuse = {"bad": mc.InvalidDocument("no", cause="unit")}
    for number in range(6):
        model.table.put(f"{number}", "bad")
    model.table.put("9", "good")
    with pytest.raises(mc.TooManyParked) as caught:
        model.sync(stop_after=5).run()
    assert caught.value.report.kinds["suppliers"].parked == 5
    assert model.sync(stop_after=50).run().kinds["suppliers"].delivered == 1


def test_missing_routes_do_not_count_for_stopping(model: Model) -> None:
    model.desk.refuse = {"bad": mc.UnknownReference("no", cause="no_route")}
    for number in range(6):
        model.table.put(f"{number}", "bad")
    assert model.sync(stop_after=2).run().kinds["suppliers"].parked == 6


def test_what_was_refused_and_held_goes_as_a_replay_does(model: Model) -> None:
    """Made ready anew, under numbers of its own: what was refused may have been mended since (delivery rule 10)."""
    model.desk.script = [mc.InvalidDocument("no", cause="profile")]
    model.table.put("a", "one")
    sync = model.sync()
    sync.run()
    (refused,) = model.ledger.deliveries()
    assert (refused.state, refused.attempt) == ("parked", 1)
    model.table.put("a", "one", waiting_for=("hold",))
    sync.run()
    assert model.states() == [("a", 1, "superseded")]
    model.table.put("a", "one")
    sync.run()
    ((_key, payload),) = model.desk.wrote
    assert payload == "one|2|2"


@pytest.mark.parametrize(("status", "alone"), [(403, "recorded"), (422, "parked")])
def test_a_refusal_after_a_write_of_the_same_delivery_leaves_it_in_doubt(model: Model, status: int, alone: str) -> None:
    """The second of two calls was refused: the first one may have acted, so only a look tells (delivery rule 6)."""
    with (
        WireServer([answer(200, b"{}"), answer(status, b"{}"), answer(status, b"{}")]) as server,
        Client(server.url, auth=None, faults=FaultTable("model"), clock=model.clock) as client,
    ):
        calls = iter([2, 1])

        def write(_batch: Any) -> None:
            for _call in range(next(calls)):
                client.send(Request("POST", "/x", json={}, write=True))

        model.desk.inside = write
        for key in "ab":
            model.table.put(key, key)
            with contextlib.suppress(mc.PermissionDenied):
                model.sync().run(limit=1)
    assert model.states() == [("a", 1, "in doubt"), ("b", 1, alone)]


def test_what_is_excluded_before_it_was_sent_is_not_sent_and_goes_once_it_is_meant_again(model: Model) -> None:
    """As a payment that is voided while its advice still waits (rule B30): what was recorded of it gives way."""
    model.table.put("a", "one")
    taken_back: list[str] = []
    sync = model.sync(select=lambda document, _known: "void" if document.key in taken_back else None)
    sync.run(limit=0)
    taken_back.append("a")
    model.table.put("a", "one", hold="void")
    report = sync.run()
    assert report.kinds["suppliers"].excluded == 1
    assert model.desk.wrote == []
    assert model.states() == [("a", 1, "superseded")]
    taken_back.clear()
    model.table.put("a", "one")
    sync.run()
    assert model.desk.names() == ["one"]
