"""Rules that random faults cannot show the absence of: each taken out, and a test of this folder that then fails.

The others are taken out under fire (tests/torture/mutations.py). Together these are the rules that the protocol names.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector import webhooks
from mlconnector.delivery import Answering, Collection, Inbox, Message, Waking, _recovery
from mlconnector.delivery._adopting import Adopter
from mlconnector.delivery._outcome import Outcomes
from mlconnector.delivery._recording import Recorder
from mlconnector.delivery._sending import Sender
from mlconnector.delivery._settling import Settler
from mlconnector.delivery._store import Store
from mlconnector.event import Event
from mlconnector.http._deadline import Exchange
from mlconnector.http._window import Window
from mlconnector.webhooks import _receive
from tests.delivery import test_answers, test_collecting, test_inbox, test_promises, test_recovery, test_rules
from tests.delivery.homes import Home
from tests.delivery.model import HOUR, LOST, Model
from tests.delivery.post import BOX, come
from tests.http import test_client
from tests.torture.mutations import MUTATIONS

FAILS = (AssertionError, pytest.fail.Exception)
Out = Callable[[pytest.MonkeyPatch], None]


def _found_at_once(patch: pytest.MonkeyPatch) -> None:
    settle = Settler._settle
    patch.setattr(Settler, "_settle", lambda self, row: settle(self, {**dict(row), "settle_at": 0.0}))


def _posted_blindly(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Sender, "_looked", lambda *_: True)


def _id_forgotten(patch: pytest.MonkeyPatch) -> None:
    delivered = Outcomes.delivered

    def without(self: Outcomes, transaction: Any, row: Any, receipt: mc.Receipt, *, how: str) -> None:
        delivered(self, transaction, row, attrs.evolve(receipt, id=None), how=how)

    patch.setattr(Outcomes, "delivered", without)


def _first_decides(patch: pytest.MonkeyPatch) -> None:
    """What is found of one member is taken as found of the whole call."""
    found = Settler._found

    def without(self: Settler, row: Any, receipt: mc.Receipt, begun: float) -> None:
        others = self._job.ledger.store.read("SELECT * FROM deliveries WHERE state = 'in doubt'")
        for one in others:
            found(self, one, receipt, begun)

    patch.setattr(Settler, "_found", without)
    settle = Settler._settle

    def open_only(self: Settler, row: Any) -> None:
        now = self._job.ledger.store.read("SELECT * FROM deliveries WHERE id = ?", (row["id"],))[0]
        if now["state"] == "in doubt":
            settle(self, now)

    patch.setattr(Settler, "_settle", open_only)


def _send_at_any_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Window, "check", lambda *_: None)


def _older_is_taken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Store, "_has_event", lambda *_: True)


def _sent_before_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Recorder, "_distrusted", lambda *_: False)


def _any_entry_is_adopted(patch: pytest.MonkeyPatch) -> None:
    ask = Adopter._ask

    def without(self: Adopter, row: Any, head: Any) -> tuple[mc.Prepared, mc.Receipt | None]:
        try:
            return ask(self, row, head)
        except mc.TargetChanged:
            return self._sender.prepared(row, head).before_intent(), mc.Receipt(id=row["key"])

    patch.setattr(Adopter, "_ask", without)


def _numbers_begin_anew(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_recovery, "_leave_numbers_behind", lambda *_: None)
    patch.setattr(Store, "raise_counters", lambda *_: None)


def _identity_alone(patch: pytest.MonkeyPatch) -> None:
    keep = Inbox._keep

    def without(transaction: Any, box: str, name: str, digest: str, message: Message) -> str:
        known = transaction.rows("SELECT 1 FROM inbox WHERE box = ? AND identity = ?", (box, message.identity))
        return "repeated" if known else keep(transaction, box, name, digest, message)

    patch.setattr(Inbox, "_keep", staticmethod(without))


def _removed_whatever_it_is(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Collection, "_same", lambda *_: True)


def _older_is_applied(patch: pytest.MonkeyPatch) -> None:
    keep, confirm = Answering._keep, Answering._confirm

    def without(self: Answering, transaction: Any, message: Any, *args: Any) -> Any:
        return confirm(self, transaction, attrs.evolve(message, stamp="9" * 10), *args)

    patch.setattr(Answering, "_confirm", without)
    patch.setattr(Answering, "_keep", staticmethod(keep))


def _answered_first(patch: pytest.MonkeyPatch) -> None:
    receive = _receive.receive

    def without(*args: Any, **options: Any) -> Any:
        try:
            return receive(*args, **options)
        except mc.LedgerError:
            return None

    patch.setattr(_receive, "receive", without)


def _only_events(patch: pytest.MonkeyPatch) -> None:
    run = mc.Sync.run

    def without(self: mc.Sync, **options: Any) -> mc.Report:
        return run(self, **{**options, "limit": 0} if self.ledger.inbox.messages() else options)

    patch.setattr(mc.Sync, "run", without)


def some_members_arrived(model: Model) -> None:
    """A call of three of which one acted before its answer was lost: each is settled on its own."""
    model.desk.batch_size = 3
    for key in "abc":
        model.table.put(key, key)

    def first_only(batch: Any) -> None:
        model.desk.inside = None
        model.desk._write(batch[:1])

    model.desk.inside, model.desk.script = first_only, [("before", LOST)]
    model.sync().run()
    model.clock.advance(HOUR)
    model.sync().run()
    assert model.desk.names() == ["a", "b", "c"]
    assert {state for _key, _revision, state in model.states()} == {"delivered"}


def what_no_event_tells_of(model: Model) -> None:
    """A webhook came for one, the change of another is told by nobody: the poll finds it."""
    sync = model.sync()
    sync.run()
    model.table.put("told", "one")
    model.table.put("untold", "two")
    come(model, Message(identity="1", code="suppliers", facts={"keys": ["told"]}))
    waking = Waking("w", box=BOX, syncs={"suppliers": (sync,)}, ledger=model.ledger)
    mc.Flow("f", [sync, waking], ledger=model.ledger, systems={}).run()
    assert sorted(model.desk.names()) == ["one", "two"]


def an_event_that_cannot_be_stored(model: Model) -> None:
    """A full disk: its sender is not told that it was taken."""

    class Trusting:
        def verify(self, headers: Any, body: bytes) -> Event:
            return Event(system="model", id="1", kind="suppliers", keys=("K",))

    def full(*_: Any, **__: Any) -> Any:
        raise mc.LedgerError("The disk is full.", cure="Make room.")

    model.ledger.inbox.store = full  # type: ignore[method-assign]
    said: list[str] = []
    app = webhooks.wsgi_app({"/in": Trusting()}, ledger=model.ledger)
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/in", "CONTENT_LENGTH": "2", "wsgi.input": io.BytesIO(b"{}")}
    list(app(environ, lambda status, _headers: said.append(status)))
    assert said[0].startswith("503")


def nothing_is_sent_while_pages_are_left(world: test_recovery.World) -> None:
    """The source is read to its end before the first byte goes out."""
    world.table.page = 1
    for key in "abc":
        world.table.put(key, "new")
    seen: list[tuple[int, int]] = []
    with world.place.open() as ledger:
        ledger.recover(actor="jane", reason="a snapshot was put back")
        world.clock.advance(HOUR)
        world.sync(ledger).run(progress=lambda _kind, read, _delivered: seen.append((read, len(world.desk.wrote))))
    assert max(read for read, _sent in seen) == 3
    assert [sent for read, sent in seen if read < 3] == [0] * len([read for read, _sent in seen if read < 3])


ON_A_MODEL: dict[str, tuple[Out, Callable[[Model], None]]] = {
    "settling delay for found-by-content": (
        _found_at_once,
        test_rules.test_found_by_content_counts_only_after_the_settling_delay,
    ),
    "look-up before the first post": (
        _posted_blindly,
        test_rules.test_a_record_is_looked_for_before_the_first_write,
    ),
    "target id kept from the answer": (
        _id_forgotten,
        test_promises.test_the_id_of_the_answer_is_what_the_next_change_updates,
    ),
    "members of a bulk settled alone": (_first_decides, some_members_arrived),
    "send deadline": (_send_at_any_time, test_promises.test_nothing_is_sent_by_a_worker_whose_time_is_over),
    "hash compared under the same identity": (_identity_alone, test_inbox.test_the_same_identity_is_a_repeat_or_parked),
    "size and stamp compared before delete": (
        _removed_whatever_it_is,
        test_collecting.test_what_changed_since_it_was_fetched_stays,
    ),
    "older state never applied": (
        _older_is_applied,
        test_answers.test_an_older_confirmation_is_stored_and_not_applied,
    ),
    "poll runs although webhooks come": (_only_events, what_no_event_tells_of),
    "stored before 200": (_answered_first, an_event_that_cannot_be_stored),
}
AFTER_A_LOSS: dict[str, tuple[Out, Callable[[test_recovery.World], None]]] = {
    "recovery refuses an older ledger": (
        _older_is_taken,
        test_recovery.test_a_restored_ledger_adopts_what_was_sent_after_the_backup,
    ),
    "re-read before sending after recovery": (
        _sent_before_read,
        nothing_is_sent_while_pages_are_left,
    ),
    "adopt the newest entry of the target": (
        _any_entry_is_adopted,
        test_recovery.test_an_earlier_revision_of_ours_becomes_the_base_and_the_newest_goes_out,
    ),
    "counters above the high-water mark": (
        _numbers_begin_anew,
        test_recovery.test_numbers_of_a_run_that_died_are_never_reused,
    ),
}


@pytest.fixture
def world(place: Home) -> test_recovery.World:
    return test_recovery.World(place)


@pytest.mark.parametrize("rule", ON_A_MODEL)
def test_a_rule_is_missed_when_it_is_out(model: Model, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out, promise = ON_A_MODEL[rule]
    out(monkeypatch)
    with pytest.raises(FAILS):
        promise(model)


@pytest.mark.parametrize("promise", [some_members_arrived, what_no_event_tells_of, an_event_that_cannot_be_stored])
def test_with_every_rule_in_it_holds(model: Model, promise: Callable[[Model], None]) -> None:
    promise(model)


@pytest.mark.parametrize("rule", AFTER_A_LOSS)
def test_a_rule_is_missed_after_a_loss_when_it_is_out(
    world: test_recovery.World, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, promise = AFTER_A_LOSS[rule]
    out(monkeypatch)
    with pytest.raises(FAILS):
        promise(world)


def test_with_the_complete_read_it_holds(world: test_recovery.World) -> None:
    nothing_is_sent_while_pages_are_left(world)


def test_a_call_that_is_not_cut_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Exchange.__init__

    def without(self: Exchange, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        self.ends = float("inf")

    monkeypatch.setattr(Exchange, "__init__", without)
    with pytest.raises(FAILS):
        test_client.test_a_slow_drip_of_headers_ends_with_the_total()


def test_every_rule_that_the_protocol_names_is_taken_out_somewhere() -> None:
    """But for rows that are appended with our reference: nothing here appends rows that have no key of their own."""
    here = {*ON_A_MODEL, *AFTER_A_LOSS, "whole call cut at its time-out"}
    assert {*MUTATIONS, *here} >= NAMED


NAMED = {
    *("overlap", "cursor capped at the source clock when the read began", "cursor written with the last page"),
    *("fingerprint against the latest only", "one open delivery per key", "newest revision only"),
    *("intent before send", "look before repeat", "settling delay for absent", "settling delay for found-by-content"),
    *("look in every place", "complete answer needed for absent", "target id kept from the answer"),
    *("compare with base before an update", "lease token new at every acquisition", "token in every transaction"),
    *("send deadline", "whole call cut at its time-out", "members of a bulk settled alone"),
    *("numbers taken in the intent", "same bytes and numbers when settling", "no replay of an open or overtaken one"),
    *("recovery refuses an older ledger", "re-read before sending after recovery"),
    *("adopt the newest entry of the target", "counters above the high-water mark"),
    "existence alone is not delivered",
    *("stored before deleted", "stored before 200", "hash compared under the same identity"),
    *("size and stamp compared before delete", "business key for posting", "look-up before the first post"),
    *("older state never applied", "poll runs although webhooks come", "997 owed stored with the message"),
}
"""As delivery.md lists them at its end."""
