"""What a partner says finds its delivery, whatever became of that here (delivery rule 10; rules B6, B12, B17)."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.delivery import Answering, Attention, Delivery, Message
from tests.delivery.model import HOUR, LOST, Model
from tests.delivery.post import BOX, Ear, acknowledged, come, confirmed, noted


def answering(model: Model, ear: Ear, **options: Any) -> Answering:
    return Answering("a", box=BOX, hear=ear, ledger=model.ledger, **options)


def sent(model: Model, name: str = "one") -> Delivery:
    model.clock.advance(HOUR)
    model.table.put("K", name)
    model.sync().run()
    return newest(model)


def newest(model: Model) -> Delivery:
    return model.ledger.deliveries()[-1]


def say(model: Model, *meanings: Any, stamp: str = "", code: str = "997") -> Any:
    """A message with these meanings comes and is applied."""
    identity = f"m{len(model.ledger.inbox.messages())}"
    come(model, Message(identity=identity, code=code, stamp=stamp))
    return answering(model, Ear({identity: list(meanings)})).run()


def state(model: Model) -> str:
    return model.ledger.inbox.messages()[-1].state


def move(model: Model, delivery: Delivery, to: str, **columns: Any) -> None:
    with model.ledger.store.transaction() as transaction:
        transaction.move(delivery.id, to, **columns)


def test_an_acknowledgment_comes_to_its_delivery(model: Model) -> None:
    sent(model)
    report = say(model, acknowledged(1))
    assert (report.kinds["answers"].delivered, report.attention) == (1, ())
    assert (newest(model).partner_state, state(model)) == ("accepted", "applied")
    assert "'a'" in repr(answering(model, Ear()))


@pytest.mark.parametrize("first", ["transmitted", "accepted", "accepted with errors", "rejected"])
@pytest.mark.parametrize("second", ["transmitted", "accepted", "accepted with errors", "rejected"])
def test_the_worse_word_counts(model: Model, first: str, second: str) -> None:
    order = ["transmitted", "accepted", "accepted with errors", "rejected"]
    sent(model)
    say(model, acknowledged(1, first))
    say(model, acknowledged(1, second))
    assert newest(model).partner_state == max(first, second, key=order.index)


@pytest.mark.parametrize(
    ("left", "columns"),
    [
        ("sending", {}),
        ("in doubt", {}),
        ("recorded", {}),
        ("parked", {"detail": "in doubt"}),
        ("parked", {"detail": "refused"}),
        ("parked", {"detail": "conflict"}),
    ],
)
def test_it_proves_that_the_transmission_arrived(model: Model, left: str, columns: dict[str, Any]) -> None:
    model.table.put("K", "one")
    model.desk.script = [("after", LOST)]
    model.desk.hidden = True
    model.sync().run()
    move(model, newest(model), left, **columns)
    say(model, acknowledged(1))
    assert (newest(model).state, newest(model).detail) == ("delivered", "")
    model.clock.advance(HOUR)
    model.sync().run()
    assert len(model.desk.wrote) == 1
    sent(model, "two")
    assert model.desk.changes[-1].action == "change"


def test_what_was_given_up_as_not_arrived_is_the_base_again(model: Model) -> None:
    model.table.put("K", "one")
    model.desk.script = [("after", LOST)]
    model.desk.hidden = True
    model.sync().run()
    move(model, newest(model), "superseded")
    report = say(model, acknowledged(1))
    assert newest(model).state == "delivered"
    assert [item.text for item in report.attention] == []
    assert any("given up" in item.text for item in model.ledger.attention())


def test_what_was_given_up_and_overtaken_is_only_shown(model: Model) -> None:
    first = sent(model)
    sent(model, "two")
    move(model, first, "superseded")
    say(model, acknowledged(1))
    assert [one.state for one in model.ledger.deliveries()] == ["superseded", "delivered"]
    assert any("given up" in item.text for item in model.ledger.attention())


def test_a_word_on_an_earlier_transmission_changes_nothing(model: Model) -> None:
    sent(model)
    model.sync().replay("delivered", ["K"])
    say(model, acknowledged(1, "rejected"))
    assert (newest(model).partner_state, model.ledger.attention()) == ("", [])
    say(model, acknowledged(2, "rejected", "price"))
    assert newest(model).partner_state == "rejected"
    assert [item.text for item in model.ledger.attention()] == ["The partner rejected it (997): price."]


def test_a_rejection_falls_back_to_the_last_revision_that_was_taken(model: Model) -> None:
    sent(model)
    sent(model, "two")
    sent(model, "three")
    say(model, acknowledged(2, "rejected"))
    say(model, acknowledged(3, "rejected"))
    sent(model, "four")
    assert getattr(model.desk.changes[-1].previous, "name", "") == "one"
    say(model, acknowledged(4, "rejected"))
    say(model, acknowledged(1, "rejected"))
    sent(model, "five")
    assert model.desk.changes[-1].action == "create"


def test_a_rejection_falls_back_to_the_baseline(model: Model) -> None:
    model.table.put("K", "zero")
    options: dict[str, Any] = {"begin": "nothing", "on_baseline_change": "change"}
    model.sync(**options).run()
    for number, name in enumerate(("one", "two"), 1):
        model.clock.advance(HOUR)
        model.table.put("K", name)
        model.sync(**options).run()
        say(model, acknowledged(number, "rejected"))
    assert [change.action for change in model.desk.changes] == ["change", "change"]
    assert model.desk.changes[-1].previous.name == "zero"


def test_an_answer_to_nothing_is_parked(model: Model) -> None:
    sent(model)
    assert say(model, acknowledged(9)).kinds["answers"].parked == 1
    assert say(model, confirmed("N")).kinds["answers"].parked == 1
    assert say(model, noted("odd", parked=True), noted("even")).kinds["answers"].parked == 1
    assert state(model) == "parked"
    assert say(model, noted("look")).kinds["answers"].delivered == 1
    assert state(model) == "noted"
    assert len(model.ledger.attention()) == 5


def test_what_cannot_be_understood_is_parked(model: Model) -> None:
    come(model, Message(identity="m", code="855"))
    report = answering(model, Ear(raises=mc.InvalidDocument("no number"))).run()
    assert report.kinds["answers"].parked == 1
    assert state(model) == "parked"


def claimed(model: Model, name: str = "N") -> None:
    with model.ledger.store.transaction() as transaction:
        model.ledger.crosswalk.claim(transaction, "number", "partner", name, "K")


def test_a_confirmation_is_compared_with_what_was_sent_to_that_partner(model: Model) -> None:
    sent(model)
    claimed(model)
    other = mc.Sync("other", records=mc.Records(model.table), target=model.desk, ledger=model.ledger, call_timeout=60)
    other.run()
    with model.ledger.store.transaction() as transaction:
        transaction.execute("UPDATE transmissions SET interchange_counter = 'elsewhere' WHERE delivery = 2")
    seen: list[Attention] = []
    come(model, Message(identity="m", code="855"))
    answering(model, Ear({"m": [confirmed("N", "less")]}), on_attention=seen.append).run()
    assert [(item.flow, item.text) for item in seen] == [("s", "The partner changed the order (855): less.")]


def test_a_test_answers_no_order_of_production(model: Model) -> None:
    sent(model)
    claimed(model)
    assert say(model, confirmed("N", usage="T")).kinds["answers"].parked == 1


def test_an_older_confirmation_is_stored_and_not_applied(model: Model) -> None:
    sent(model)
    claimed(model)
    say(model, confirmed("N"), stamp="2603021000", code="855")
    say(model, confirmed("N", verdict="rejected"), stamp="2603020900", code="855")
    assert model.ledger.attention() == []
    say(model, confirmed("N", verdict="rejected"), stamp="2603021100", code="855")
    assert [item.text for item in model.ledger.attention()] == [
        "The partner rejected the order (855): no reason given."
    ]
    applied = [row["applied"] for row in model.ledger.store.read("SELECT applied FROM answers ORDER BY id")]
    assert applied == [1, 0, 1]


def test_a_message_waits_while_a_worker_sends(model: Model) -> None:
    sent(model)
    lease = model.ledger.acquire("s", worker="other", length=HOUR)
    assert say(model, acknowledged(1)).kinds["answers"].queued == 1
    model.ledger.release(lease)
    ear = Ear({"m0": [acknowledged(1)], "m1": [acknowledged(1)]})
    come(model, Message(identity="m1", code="997"))
    assert answering(model, ear).run().kinds["answers"].delivered == 2


@pytest.mark.parametrize("taken", ["s", "a"])
def test_a_worker_that_was_overtaken_moves_nothing(model: Model, taken: str) -> None:
    sent(model)
    come(model, Message(identity="m", code="997"))

    class Overtaken(Ear):
        def __call__(self, _message: Any) -> Any:
            yield acknowledged(1)

    ledger = model.ledger
    one = answering(model, Overtaken())
    close = one._close

    def late(*arguments: Any) -> None:
        with ledger.store.transaction() as transaction:
            transaction.execute("UPDATE leases SET token = 'theirs' WHERE sync = ?", (taken,))
        close(*arguments)

    one._close = late  # type: ignore[method-assign]
    assert one.run().kinds["answers"].queued == 1
    assert (newest(model).partner_state, state(model)) == ("", "stored")


def test_two_workers_do_not_apply_at_once(model: Model) -> None:
    lease = model.ledger.acquire("a", worker="other", length=HOUR)
    with pytest.raises(mc.LeaseLost):
        answering(model, Ear()).run()
    model.ledger.release(lease)


def test_a_dry_run_only_counts_and_a_stop_ends_it(model: Model) -> None:
    come(model, Message(identity="m1"), Message(identity="m2"))
    assert answering(model, Ear()).run(dry_run=True).kinds["answers"].queued == 2
    stop = threading.Event()

    class Stopping(Ear):
        def __call__(self, message: Any) -> Any:
            stop.set()
            return super().__call__(message)

    answering(model, Stopping()).run(stop=stop)
    assert [one.state for one in model.ledger.inbox.messages()] == ["applied", "stored"]
