"""A ledger that was restored or lost: what the target has is adopted, never sent again (delivery rule 13)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import attrs
import pytest

import mlconnector as mc
from tests.delivery.homes import Home
from tests.delivery.model import HOUR, LOST, START, Desk, Model, Table


@attrs.define(slots=False)
class Register(Desk):
    """A target with one entry a key, that is updated."""

    entries: dict[str, str] = attrs.Factory(dict)
    numbers: dict[str, int] = attrs.Factory(dict)

    def numbers_shown(self) -> dict[str, int]:
        return self.numbers

    def find(self, prepared: mc.Prepared) -> mc.Receipt | None:
        self.finds += 1
        if self.find_raises is not None:
            raise self.find_raises
        entry = self.entries.get(prepared.key)
        if entry is None:
            return None
        if entry != prepared.document.name:
            raise mc.TargetChanged("it has other content")
        done = self.done.get(prepared.key, [])
        return mc.Receipt(system="desk", id=prepared.key, by="content", steps=tuple(done))

    def _write(self, batch: Sequence[mc.Prepared]) -> None:
        super()._write(batch)
        for prepared in batch:
            self.entries[prepared.key] = prepared.document.name
            self.done.setdefault(prepared.key, []).append(prepared.step or "")


@attrs.define
class Shelf(Desk):
    """A target that keeps every entry beside those before."""

    papers: list[tuple[str, str]] = attrs.Factory(list)

    def newest(self, prepared: mc.Prepared) -> mc.Receipt | None:
        names = [name for key, name in self.papers if key == prepared.key]
        if not names:
            return None
        if names[-1] != prepared.document.name:
            raise mc.TargetChanged("the newest one is another")
        return mc.Receipt(system="desk", id=prepared.key)

    def _write(self, batch: Sequence[mc.Prepared]) -> None:
        super()._write(batch)
        self.papers += [(prepared.key, prepared.document.name) for prepared in batch]


class World:
    """Source and target outlive what happens to the ledger."""

    def __init__(self, place: Home, desk: Desk | None = None) -> None:
        self.place = place
        self.table = Table(place.clock)  # type: ignore[arg-type]  # a ManualClock
        self.desk = Register() if desk is None else desk
        self.copy = place.folder / "copy.db"

    @property
    def clock(self) -> Any:
        return self.place.clock

    def run(self, *, recover: bool = False, **options: Any) -> mc.Report:
        with self.place.open() as ledger:
            if recover:
                ledger.recover(actor="jane", reason="the disk died")
            return self.sync(ledger, **options).run()

    def sync(self, ledger: mc.Ledger, **options: Any) -> mc.Sync:
        return Model(self.clock, self.table, self.desk, ledger).sync(**options)

    def back_up(self) -> None:
        with self.place.open() as ledger:
            ledger.backup(self.copy)

    def states(self) -> list[tuple[str, int, str]]:
        with self.place.open() as ledger:
            return [(one.key, one.revision, one.state) for one in ledger.deliveries()]


@pytest.fixture
def world(place: Home) -> World:
    return World(place)


def test_a_restored_ledger_adopts_what_was_sent_after_the_backup(world: World) -> None:
    for key in "ab":
        world.table.put(key, "one")
    world.run()
    world.back_up()
    world.table.put("a", "two")
    world.table.put("c", "new")
    world.run()
    world.place.put_back(world.copy)
    with pytest.raises(mc.LedgerRestored, match="recover"):
        world.run()
    report = world.run(recover=True).kinds["suppliers"]
    assert (report.delivered, report.queued) == (0, 3)
    assert report.reasons == {"unknown since the recovery": 3}
    world.clock.advance(HOUR)
    assert world.run().kinds["suppliers"].delivered == 3
    assert world.desk.names() == ["one", "one", "two", "new"]
    assert {state for _key, _revision, state in world.states()} == {"delivered"}
    world.table.put("a", "three")
    world.run()
    assert world.desk.names()[4:] == ["three"]
    assert world.desk.changes[-1].action == "change"


def test_nothing_is_sent_before_one_complete_read(world: World) -> None:
    world.table.put("a", "one")
    world.run()
    world.back_up()
    world.table.page = 1
    for key in "bcd":
        world.table.put(key, "later")

    def cut_short(kind: str, read: int, delivered: int) -> None:
        raise RuntimeError("killed after the first page")

    with world.place.open() as ledger:
        ledger.recover(actor="jane", reason="a snapshot was put back")
        world.clock.advance(HOUR)
        with pytest.raises(RuntimeError):
            world.sync(ledger).run(progress=cut_short)
        assert world.desk.names() == ["one"]
        assert not [one for one in ledger.deliveries() if one.state == "delivered" and one.key != "a"]
        world.sync(ledger).run()
    assert sorted(world.desk.names()) == ["later", "later", "later", "one"]


def test_what_was_read_inside_the_overlap_is_read_again(world: World) -> None:
    """The cursor remembers what it handed out; after a recovery that says nothing of what was sent since."""
    world.table.put("a", "one")
    world.run()
    world.back_up()
    world.table.put("a", "two")
    world.run()
    world.table.put("a", "one")
    world.place.put_back(world.copy)
    world.run(recover=True)
    world.clock.advance(HOUR)
    report = world.run().kinds["suppliers"]
    assert report.parked == 1
    assert world.states() == [("a", 1, "parked")]


def test_an_earlier_revision_of_ours_becomes_the_base_and_the_newest_goes_out(world: World) -> None:
    world.table.put("a", "one")
    world.run()
    world.table.put("a", "two")
    world.run(stop_after=1)
    world.back_up()
    world.desk.entries["a"] = "one"
    world.table.put("a", "three")
    with world.place.open() as ledger:
        world.sync(ledger).run(limit=0)
    world.place.put_back(world.copy)
    world.run(recover=True)
    world.clock.advance(HOUR)
    world.run()
    assert world.desk.names() == ["one", "two", "three"]
    assert world.states() == [("a", 1, "delivered"), ("a", 2, "delivered"), ("a", 3, "delivered")]
    assert world.desk.changes[-1].previous.name == "one"


def test_what_never_left_goes_out_once_it_is_surely_absent(world: World) -> None:
    world.table.put("a", "one")
    with world.place.open() as ledger:
        world.sync(ledger).run(limit=0)
        ledger.recover(actor="jane", reason="to be sure")
        assert [one.state for one in ledger.deliveries()] == ["unknown"]
        world.sync(ledger).run()
        assert world.desk.names() == []
        world.clock.advance(HOUR)
        world.sync(ledger).run()
    assert world.desk.names() == ["one"]


@pytest.mark.parametrize("state", ["sending", "in doubt"])
def test_what_was_under_way_keeps_its_bytes_and_numbers(world: World, state: str) -> None:
    world.table.put("a", "one")
    world.desk.script = [("before", KeyboardInterrupt() if state == "sending" else LOST)]
    with world.place.open() as ledger:
        if state == "sending":
            with pytest.raises(KeyboardInterrupt):
                world.sync(ledger).run()
        else:
            world.sync(ledger).run()
        assert [one.state for one in ledger.deliveries()] == [state]
        assert ledger.recover(actor="jane", reason="to be sure") == 1
        world.clock.advance(HOUR)
        world.sync(ledger).run()
    assert world.desk.wrote == [("a", "one|1|1")]


def test_a_lost_ledger_adopts_everything_and_never_reuses_a_number(world: World) -> None:
    for key in "abc":
        world.table.put(key, key)
    world.run()
    world.place.lose()
    with pytest.raises(mc.LedgerRestored, match="lost"):
        world.run()
    world.run(recover=True)
    world.clock.advance(HOUR)
    assert world.run().kinds["suppliers"].delivered == 3
    world.table.put("d", "new")
    world.run()
    numbers = [payload.split("|")[1:] for _key, payload in world.desk.wrote]
    assert [int(one) for one, _two in numbers] == [1, 2, 3, 4]
    assert world.desk.names() == ["a", "b", "c", "new"]


def test_numbers_of_a_run_that_died_are_never_reused(world: World) -> None:
    world.table.put("a", "one")
    world.run()
    world.back_up()
    world.table.put("b", "two")
    with world.place.open() as ledger:
        world.desk.script = [("after", KeyboardInterrupt())]
        ledger.store.checkpoint = lambda **_options: None  # type: ignore[method-assign]  # killed before it
        with pytest.raises(KeyboardInterrupt):
            world.sync(ledger).run()
    world.place.put_back(world.copy)
    world.run(recover=True)
    world.table.put("c", "three")
    world.clock.advance(HOUR)
    world.run()
    assert [payload for _key, payload in world.desk.wrote] == ["one|1|1", "two|2|2", "three|103|103"]


def test_a_ledger_lost_with_its_high_water_file_goes_by_what_the_target_and_the_partner_show(world: World) -> None:
    world.table.put("a", "one")
    world.desk.numbers = {"interchange": 500}
    with world.place.open() as ledger:
        ledger.recover(actor="jane", reason="all is lost", counters={"group": 700})
        world.clock.advance(HOUR)
        world.sync(ledger).run()
        assert json.loads(world.place.high_water.read_text())["ceilings"] == {"group": 701, "interchange": 501}
    assert world.desk.wrote == [("a", "one|501|701")]


def test_without_its_high_water_file_a_margin_of_numbers_is_left(world: World) -> None:
    world.table.put("a", "one")
    world.run()
    world.place.high_water.unlink()
    with pytest.raises(mc.LedgerRestored, match="gone"):
        world.run()
    world.run(recover=True)
    world.table.put("b", "two")
    world.clock.advance(HOUR)
    world.run()
    assert world.desk.wrote[1] == ("b", "two|102|102")


def test_the_epoch_is_part_of_every_token_and_old_tokens_are_worth_nothing(world: World) -> None:
    with world.place.open() as ledger, world.place.open() as other:
        old = other.acquire("s", worker="alive after all", length=HOUR)
        ledger.recover(actor="jane", reason="to be sure")
        assert old.token.startswith("1-")
        with pytest.raises(mc.LeaseLost), other.store.transaction(old):
            pass
        assert ledger.acquire("s", worker="new", length=HOUR).token.startswith("2-")
        (event,) = ledger.store.read("SELECT * FROM audit WHERE event = 'recovered'")
        assert json.loads(event["facts"])["fenced"] == ["alive after all"]


@pytest.mark.parametrize(
    ("options", "state", "detail"),
    [
        ({"look_up": "none"}, "parked", "in doubt"),
        ({"look_up": "present_only"}, "unknown", ""),
        ({"find_raises": mc.DeliveryInDoubt("cannot tell")}, "parked", "in doubt"),
        ({"find_raises": mc.TargetChanged("voided")}, "parked", "conflict"),
        ({"find_raises": mc.VendorFault("busy")}, "unknown", ""),
        ({"refuse": {"one": mc.InvalidDocument("no unit")}}, "parked", "in doubt"),
    ],
)
def test_what_the_target_does_not_say_is_never_sent(
    world: World, options: dict[str, Any], state: str, detail: str
) -> None:
    world.table.put("a", "one")
    for name, value in options.items():
        setattr(world.desk, name, value)
    world.run(recover=True)
    world.clock.advance(HOUR)
    world.run()
    with world.place.open() as ledger:
        assert [(one.state, one.detail) for one in ledger.deliveries()] == [(state, detail)]
    assert world.desk.names() == []


def test_where_absence_proves_nothing_a_person_is_asked_after_a_while(world: World) -> None:
    world.desk.look_up = "present_only"
    world.table.put("a", "one")
    world.run(recover=True)
    world.clock.advance(25 * HOUR)
    assert world.run().kinds["suppliers"].parked == 1
    with world.place.open() as ledger:
        world.sync(ledger).settle("a", "not_arrived", actor="jane", reason="I looked")
        world.sync(ledger).run()
    assert world.desk.names() == ["one"]


def test_a_dead_login_and_ten_questions_without_an_answer_stop_the_run(world: World) -> None:
    for number in range(15):
        world.table.put(f"{number:02}", "x")
    world.run(recover=True)
    world.clock.advance(HOUR)
    for error, asked in ((mc.PermissionDenied("no right"), 1), (mc.VendorFault("down"), 10)):
        world.desk.find_raises, world.desk.finds = error, 0
        with pytest.raises(type(error)):
            world.run()
        assert world.desk.finds == asked
    world.desk.find_raises = None
    world.run()
    assert len(world.desk.wrote) == 15


def test_what_is_gone_from_the_target_is_not_created_again_silently(world: World) -> None:
    world.table.put("a", "one")
    world.run()
    world.desk.entries.clear()
    world.run(recover=True)
    world.clock.advance(HOUR)
    world.run()
    with world.place.open() as ledger:
        assert [(one.state, one.detail) for one in ledger.deliveries()] == [("parked", "conflict")]


def test_steps_that_are_left_go_out(world: World) -> None:
    world.desk.steps = ("create", "issue")
    world.table.put("a", "one")
    world.back_up()
    world.desk.script = [None, ("before", mc.AuthenticationFailed("dead"))]
    with pytest.raises(mc.AuthenticationFailed):
        world.run()
    world.place.put_back(world.copy)
    world.run(recover=True)
    world.clock.advance(HOUR)
    world.run()
    assert [prepared.step for prepared in world.desk.seen] == ["create", "issue"]
    assert world.states() == [("a", 1, "delivered")]


def test_what_waits_now_is_not_sent_and_is_asked_about_when_it_is_fit_again(world: World) -> None:
    world.table.put("a", "one")
    with world.place.open() as ledger:
        world.sync(ledger).run(limit=0)
        ledger.recover(actor="jane", reason="to be sure")
    world.table.put("a", "one", waiting_for=("hold",))
    world.clock.advance(HOUR)
    assert world.run().kinds["suppliers"].waiting == 1
    assert world.states() == [("a", 1, "superseded")]
    # It was sent in the time that was lost, and put on hold after.
    world.desk.entries["a"] = "one"
    world.table.put("a", "one")
    world.clock.advance(HOUR)
    world.run()
    assert world.desk.names() == []
    assert world.states() == [("a", 1, "delivered")]
    world.table.put("n", "new", waiting_for=("hold",))
    world.run()
    world.table.put("n", "new")
    finds = world.desk.finds
    world.run()
    assert world.desk.names() == ["new"]
    assert world.desk.finds == finds


def test_under_begin_nothing_what_the_target_lacks_stays_unsent_and_is_shown(world: World) -> None:
    world.table.put("old", "old")
    world.run(begin="nothing")
    world.clock.advance(HOUR)
    world.table.put("a", "one")
    world.run(begin="nothing")
    world.place.lose()
    world.run(recover=True, begin="nothing")
    world.clock.advance(HOUR)
    report = world.run(begin="nothing")
    assert (report.kinds["suppliers"].delivered, report.kinds["suppliers"].baselined) == (1, 1)
    assert [item.key for item in report.attention] == ["old"]
    world.table.put("old", "changed")
    world.run(begin="nothing")
    assert world.desk.names() == ["one"]


def test_a_baselined_key_stays_as_it_is(world: World) -> None:
    world.table.put("old", "old")
    world.run(begin="nothing")
    world.table.put("old", "changed")
    world.run(recover=True, begin="nothing")
    world.clock.advance(HOUR)
    assert world.run(begin="nothing").kinds["suppliers"].read == 0
    assert {state for _key, _revision, state in world.states()} == {"baselined"}


def test_where_every_entry_is_kept_the_newest_one_decides(place: Home) -> None:
    world = World(place, Shelf())
    world.table.put("a", "one")
    world.run()
    world.back_up()
    for name in ("two", "three"):
        world.table.put("a", name)
        world.run()
    world.place.put_back(world.copy)
    world.run(recover=True)
    world.clock.advance(HOUR)
    world.run()
    assert world.desk.names() == ["one", "two", "three"]
    world.table.put("a", "one")
    world.run()
    assert world.desk.names()[3:] == ["one"]


def test_events_and_replays_wait_for_the_complete_read(world: World) -> None:
    world.table.put("a", "one")
    world.table.put("b", "two")
    with world.place.open() as ledger:
        sync = world.sync(ledger)
        sync.run()
        ledger.recover(actor="jane", reason="to be sure")
        with pytest.raises(mc.LedgerError, match="Run it once"):
            sync.replay(actor="jane", reason="mended")
        assert sync.refresh(["a"]).kinds["suppliers"].read == 2
        world.clock.advance(HOUR)
        assert sync.refresh(["a"]).kinds["suppliers"].queued == 2
        assert sync.run().kinds["suppliers"].delivered == 2


def test_an_earlier_question_without_an_answer_changes_nothing(world: World) -> None:
    world.table.put("a", "one")
    world.run()
    world.table.put("a", "two")
    world.desk.entries["a"] = "something else"
    world.run(recover=True)
    world.clock.advance(HOUR)
    asked: list[str] = []

    def find(prepared: mc.Prepared) -> None:
        asked.append(prepared.document.name)
        raise mc.TargetChanged("other") if len(asked) == 1 else mc.VendorFault("busy")

    world.desk.newest = find  # type: ignore[attr-defined]  # what a target may have
    world.run()
    assert asked == ["two", "one"]
    assert world.states() == [("a", 1, "delivered"), ("a", 2, "unknown")]


def test_a_target_that_has_neither_newest_nor_an_earlier_one_is_a_conflict(world: World) -> None:
    """An earlier revision that is absent, or cannot be asked about, is not the one that is there."""
    for name in ("one", "two", "three"):
        world.table.put("a", name)
        world.run()
    world.run(recover=True)
    world.clock.advance(HOUR)

    def newest(prepared: mc.Prepared) -> None:
        if prepared.document.name != "two":
            raise mc.TargetChanged("something else")

    world.desk.newest = newest  # type: ignore[attr-defined]  # what a target may have
    world.run()
    assert world.states()[-1] == ("a", 3, "parked")


def test_older_unknown_revisions_give_way_to_the_newest(world: World) -> None:
    world.table.put("a", "one")
    world.desk.script, world.desk.find_raises = [("before", LOST)], mc.VendorFault("busy")
    world.run()
    world.desk.find_raises = None
    world.table.put("a", "two")
    with world.place.open() as ledger:
        ledger.recover(actor="jane", reason="to be sure")
        world.clock.advance(HOUR)
        world.sync(ledger).run()
    assert world.states() == [("a", 1, "superseded"), ("a", 2, "delivered")]
    assert world.desk.names() == ["two"]


@pytest.mark.parametrize(
    "options",
    [{"actor": " "}, {"reason": ""}, {"counters": {"group": -1}}, {"counters": {"group": True}}],
)
def test_recovering_asks_for_what_it_needs(model: Model, options: dict[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument):
        model.ledger.recover(**{"actor": "jane", "reason": "r", **options})


def test_a_ledger_in_memory_can_be_recovered_too(model: Model) -> None:
    assert model.ledger.recover(actor="jane", reason="r") == 0
    model.table.put("a", "one")
    model.clock.advance(START - START)
    model.sync().run()
    assert model.states() == [("a", 1, "unknown")]
