"""Several deliveries under way at once: what holds for one holds for each (delivery rules 3 to 7)."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector.delivery._sending import Sender
from tests.delivery.model import HOUR, LOST, Desk, Model

PATIENCE = 20.0


@attrs.define
class Wide(Desk):
    """A desk with several hands.

    Args:
        before: Called in ``prepare``, ``looking`` in ``find``, ``sending`` in ``deliver``, each with a key.
        records: Where keys mean one record: its name is the marker, and one that is not ours is refused.
    """

    max_in_flight: int = 8
    before: Callable[[str], None] | None = None
    looking: Callable[[str], None] | None = None
    sending: Callable[[str], None] | None = None
    records: bool = False
    claims: bool = False
    kept: dict[str, str] = attrs.Factory(dict)
    most: int = 0
    _now: int = 0
    _lock: Any = attrs.Factory(threading.Lock)

    def prepare(self, change: mc.Change[mc.Supplier]) -> mc.Prepared:
        if self.before is not None:
            self.before(change.key)
        prepared = Desk.prepare(self, change)
        name = change.document.name
        if self.records:
            prepared = attrs.evolve(prepared, payload=name, marker=name, counters=None)
        return attrs.evolve(prepared, claim=("name", "desk", name)) if self.claims else prepared

    def find(self, prepared: mc.Prepared) -> mc.Receipt | None:
        found = self.kept.get(prepared.document.name) if self.records else None
        if self.looking is not None:
            self.looking(prepared.key)
        if found not in (None, prepared.key) and not self.claims:
            raise mc.TargetChanged(f"{prepared.document.name} is there and is not ours.")
        if found is not None:
            return mc.Receipt(system="desk", id=found)
        return None if self.records else Desk.find(self, prepared)

    def deliver(self, batch: Sequence[mc.Prepared]) -> Sequence[mc.Receipt | mc.MLConnectorError]:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            for prepared in batch:
                if self.sending is not None:
                    self.sending(prepared.key)
                self.kept[prepared.document.name] = prepared.key
            return Desk.deliver(self, batch)
        finally:
            with self._lock:
                self._now -= 1


@pytest.fixture
def wide(model: Model) -> Model:
    model.desk = Wide()
    return model


def _put(model: Model, keys: str, name: str = "") -> None:
    for key in keys:
        model.table.put(key, name or f"name {key}")


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("mlconnector-deliver")]


def _waits_for(event: threading.Event) -> None:
    assert event.wait(PATIENCE)


def test_as_many_as_allowed_are_under_way_each_with_its_intent_on_record(wide: Model) -> None:
    together = threading.Barrier(3, timeout=PATIENCE)
    states: list[str] = []

    def sending(key: str) -> None:
        states.extend(one.state for one in wide.ledger.deliveries(key=key))
        together.wait()

    wide.desk.sending = sending
    _put(wide, "abcdef")
    report = wide.sync(max_in_flight=3).run()
    assert report.ok
    assert states == ["sending"] * 6
    assert wide.desk.most == 3
    assert Counter(wide.desk.names()) == Counter(f"name {key}" for key in "abcdef")
    assert len({payload.partition("|")[2] for _key, payload in wide.desk.wrote}) == 6
    assert wide.ledger.verify()
    assert _threads() == []


@pytest.mark.parametrize(("wanted", "allowed"), [(1, 8), (8, 1)])
def test_one_at_a_time_unless_both_the_sync_and_the_target_say_otherwise(
    wide: Model, wanted: int, allowed: int
) -> None:
    wide.desk.max_in_flight = allowed
    _put(wide, "abcd")
    assert wide.sync(max_in_flight=wanted).run().kinds["suppliers"].delivered == 4
    assert wide.desk.most == 1
    assert wide.desk.names() == [f"name {key}" for key in "abcd"]


def test_a_number_that_is_none_is_refused(wide: Model) -> None:
    for wrong in (0, True, 1.5):
        with pytest.raises(mc.InvalidArgument, match=f"max_in_flight={wrong}"):
            wide.sync(max_in_flight=wrong)


def test_batches_go_side_by_side_each_with_one_intent(wide: Model) -> None:
    wide.desk.batch_size = 2
    together = threading.Barrier(2, timeout=PATIENCE)
    wide.desk.inside = lambda _batch: together.wait()
    _put(wide, "abcdefgh")
    assert wide.sync(max_in_flight=2).run().kinds["suppliers"].delivered == 8
    assert wide.desk.most == 2


def test_a_key_in_doubt_holds_itself_and_no_other(wide: Model) -> None:
    wide.desk.script = [("after", LOST)]
    wide.desk.hidden = True
    _put(wide, "a")
    wide.sync().run()
    _put(wide, "abc", "changed")
    report = wide.sync(max_in_flight=3).run().kinds["suppliers"]
    assert (report.delivered, report.queued) == (2, 1)
    assert [name for name in wide.desk.names() if name == "changed"] == ["changed"] * 2


def test_who_looked_while_the_same_record_was_being_written_looks_again(wide: Model) -> None:
    """The second is ready while the first is under way: it waits, and then sees what the first one made."""
    wide.desk.records, wide.desk.look_before_create = True, True
    third = threading.Event()

    def before(key: str) -> None:
        if key == "c":
            third.set()

    def sending(key: str) -> None:
        if key != "c":
            # The third is only begun once the second has given up its place.
            _waits_for(third)

    wide.desk.before, wide.desk.sending = before, sending
    wide.desk.looking = _first_two()
    _put(wide, "ab", "one record")
    _put(wide, "c")
    report = wide.sync(max_in_flight=2).run().kinds["suppliers"]
    assert sorted(wide.desk.names()) == ["name c", "one record"]
    assert (report.delivered, report.parked) == (2, 1)
    assert [one.detail for one in wide.ledger.deliveries(state="parked")] == ["conflict"]


def _first_two() -> Callable[[str], None]:
    """Two look-ups that have both begun before either ends; later ones are free."""
    together, seen = threading.Barrier(2, timeout=PATIENCE), list[str]()

    def looking(key: str) -> None:
        if key in "ab" and key not in seen:
            seen.append(key)
            together.wait()

    return looking


def test_who_looked_before_the_same_record_was_written_looks_again(wide: Model) -> None:
    """The second looked first and is ready only after the first is done."""
    wide.desk.records, wide.desk.look_before_create = True, True
    third, once = threading.Event(), list[str]()

    def before(key: str) -> None:
        if key == "c":
            third.set()

    def looking(key: str) -> None:
        if key == "b" and not once:
            once.append(key)
            _waits_for(third)

    wide.desk.before, wide.desk.looking = before, looking
    _put(wide, "ab", "one record")
    _put(wide, "c")
    report = wide.sync(max_in_flight=2).run().kinds["suppliers"]
    assert sorted(wide.desk.names()) == ["name c", "one record"]
    assert (report.delivered, report.parked) == (2, 1)


def test_one_name_is_given_once_though_both_were_ready_before_it_was(wide: Model) -> None:
    wide.desk.claims = True
    together = threading.Barrier(2, timeout=PATIENCE)
    wide.desk.before = lambda _key: together.wait()
    _put(wide, "ab", "one name")
    wide.sync(max_in_flight=2).run()
    assert wide.desk.names() == ["one name"]
    assert [one.cause for one in wide.ledger.deliveries(state="parked")] == ["collision"]


def test_one_name_is_given_once_though_both_were_found_before_it_was(wide: Model) -> None:
    wide.desk.claims = wide.desk.records = wide.desk.look_before_create = True
    wide.desk.kept["one name"] = "a"
    wide.desk.looking = _first_two()
    _put(wide, "ab", "one name")
    wide.sync(max_in_flight=2).run()
    assert wide.desk.names() == []
    assert sorted(one.state for one in wide.ledger.deliveries()) == ["delivered", "parked"]


@pytest.mark.parametrize("error", [mc.AuthenticationFailed("the login is dead"), ValueError("a bug")])
def test_what_stops_the_run_stops_it_once_the_others_are_on_record(wide: Model, error: Exception) -> None:
    together = threading.Barrier(3, timeout=PATIENCE)

    def sending(key: str) -> None:
        together.wait()
        if key == "b":
            raise error

    wide.desk.sending = sending
    _put(wide, "abcdef")
    with pytest.raises(type(error)) as raised:
        # The limit lets nothing begin before b is judged, and one more after that.
        wide.sync(max_in_flight=3).run(limit=3)
    assert raised.value.report.kinds["suppliers"].delivered == 2
    states = {one.key: one.state for one in wide.ledger.deliveries()}
    assert states.pop("b") == ("in doubt" if isinstance(error, ValueError) else "recorded")
    assert states == {"a": "delivered", "c": "delivered", "d": "recorded", "e": "recorded", "f": "recorded"}
    assert _threads() == []


def test_a_source_of_references_that_is_dead_stops_the_run_and_sends_nothing_more(wide: Model) -> None:
    begun = threading.Event()

    def before(key: str) -> None:
        if key == "b":
            _waits_for(begun)
            raise mc.AuthenticationFailed("the login is dead")

    def sending(_key: str) -> None:
        begun.set()

    wide.desk.before, wide.desk.sending = before, sending
    _put(wide, "ab")
    with pytest.raises(mc.AuthenticationFailed):
        wide.sync(max_in_flight=2).run()
    assert {one.key: one.state for one in wide.ledger.deliveries()} == {"a": "delivered", "b": "recorded"}


def test_who_is_ready_after_the_run_has_failed_stays_queued(wide: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    failed, transaction = threading.Event(), wide.ledger.store.transaction

    @contextlib.contextmanager
    def watched(lease: Any = None) -> Iterator[Any]:
        with transaction(lease) as inside:
            yield inside
        if wide.ledger.deliveries(state="in doubt"):
            failed.set()

    def before(key: str) -> None:
        if key == "b":
            _waits_for(failed)

    monkeypatch.setattr(wide.ledger.store, "transaction", watched)
    wide.desk.before = before
    wide.desk.script = [("before", ValueError("a bug"))]
    _put(wide, "abc")
    with pytest.raises(ValueError, match="a bug"):
        wide.sync(max_in_flight=2).run()
    assert wide.desk.names() == []
    assert {one.key: one.state for one in wide.ledger.deliveries()} == {
        "a": "in doubt", "b": "recorded", "c": "recorded",
    }  # fmt: skip


def test_a_stopped_run_begins_nothing_more_and_a_limit_holds_for_all_together(wide: Model) -> None:
    stop, together = threading.Event(), threading.Barrier(2, timeout=PATIENCE)

    def sending(_key: str) -> None:
        together.wait()
        stop.set()

    wide.desk.sending = sending
    _put(wide, "abcdef")
    assert wide.sync(max_in_flight=2).run(stop=stop).kinds["suppliers"].delivered == 2
    wide.desk.sending = None
    assert wide.sync(max_in_flight=8).run(limit=3).kinds["suppliers"].delivered == 3
    assert len(wide.desk.names()) == 5


def test_too_many_parked_for_one_cause_stop_the_run(wide: Model) -> None:
    _put(wide, "abcdefgh", "bad")
    wide.desk.refuse["bad"] = mc.InvalidDocument("no", cause="bad")
    with pytest.raises(mc.TooManyParked):
        wide.sync(max_in_flight=2, stop_after=3).run()
    assert 3 <= len(wide.ledger.deliveries(state="parked")) < 8


def test_a_worker_that_is_overtaken_or_dies_leaves_what_was_under_way_in_doubt(wide: Model) -> None:
    together = threading.Barrier(2, action=lambda: _overtaken(wide), timeout=PATIENCE)
    wide.desk.sending = lambda _key: together.wait()
    _put(wide, "ab")
    with pytest.raises(mc.LeaseLost):
        wide.sync(max_in_flight=2).run()
    assert [state for _key, _revision, state in wide.states()] == ["sending"] * 2
    wide.clock.advance(2 * HOUR)
    wide.desk.sending = None
    assert wide.sync(max_in_flight=2).run().kinds["suppliers"].delivered == 2
    assert sorted(wide.desk.names()) == ["name a", "name b"]


def _overtaken(model: Model) -> None:
    model.clock.advance(5 * HOUR)
    model.ledger.acquire("s", worker="second", length=dt.timedelta(seconds=1))


def test_a_run_that_is_interrupted_leaves_what_was_under_way_in_doubt(wide: Model) -> None:
    wide.desk.script = [("after", KeyboardInterrupt())]
    _put(wide, "a")
    with pytest.raises(KeyboardInterrupt):
        wide.sync(max_in_flight=2).run()
    assert wide.states() == [("a", 1, "sending")]
    assert wide.sync(max_in_flight=2).run().kinds["suppliers"].delivered == 1
    assert wide.desk.names() == ["name a"]


def test_steps_of_one_document_follow_each_other(wide: Model) -> None:
    wide.desk.steps = ("create", "issue")
    _put(wide, "abc")
    assert wide.sync(max_in_flight=3).run().kinds["suppliers"].delivered == 3
    assert [wide.desk.done[one.marker] for one in wide.ledger.deliveries()] == [["create", "issue"]] * 3


def test_a_queue_that_cannot_be_read_leaves_no_answer_unrecorded(wide: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, failed = threading.Event(), threading.Event()
    together = threading.Barrier(2, action=begun.set, timeout=PATIENCE)
    queued = Sender.queued

    def once(self: Sender, *args: Any) -> Any:
        if begun.is_set():
            failed.set()
            raise mc.LedgerError("the ledger did not answer")
        return queued(self, *args)

    def sending(key: str) -> None:
        together.wait()
        if key == "b":
            _waits_for(failed)

    monkeypatch.setattr(Sender, "queued", once)
    wide.desk.sending = sending
    _put(wide, "ab")
    with pytest.raises(mc.LedgerError, match="did not answer"):
        wide.sync(max_in_flight=2).run()
    assert {one.key: one.state for one in wide.ledger.deliveries()} == {"a": "delivered", "b": "delivered"}
    assert _threads() == []
