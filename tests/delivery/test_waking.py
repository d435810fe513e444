"""An event is a reason to read again, and nothing else (delivery rule 14)."""

from __future__ import annotations

import pytest

import mlconnector as mc
from mlconnector.delivery import Flow, Message, Waking
from tests.delivery.model import HOUR, Model
from tests.delivery.post import BOX, come


def waking(model: Model, sync: mc.Sync) -> Waking:
    return Waking("w", box=BOX, syncs={"suppliers": (sync,)}, ledger=model.ledger)


def states(model: Model) -> list[str]:
    return [one.state for one in model.ledger.inbox.messages()]


def event(identity: str, *keys: str, code: str = "suppliers") -> Message:
    return Message(identity=identity, code=code, business_key=keys[0] if keys else "", facts={"keys": list(keys)})


def test_what_an_event_names_is_read_again_and_sent(model: Model) -> None:
    sync = model.sync()
    sync.run()
    model.table.put("K", "one", model.clock.now() - 99 * HOUR)
    come(model, event("1", "K"), event("2"), event("3", "K", code="unknown"))
    report = waking(model, sync).run()
    assert (report.kinds["events"].delivered, report.kinds["events"].excluded) == (2, 1)
    assert states(model) == ["applied", "applied", "noted"]
    assert model.desk.names() == ["one"]
    assert "'w'" in repr(waking(model, sync))


def test_before_the_first_run_events_wait(model: Model) -> None:
    come(model, event("1", "K"))
    assert waking(model, model.sync()).run().kinds["events"].queued == 1
    assert states(model) == ["stored"]


def test_a_dry_run_only_counts(model: Model) -> None:
    sync = model.sync()
    sync.run()
    come(model, event("1", "K"))
    assert waking(model, sync).run(dry_run=True).kinds["events"].queued == 1
    assert states(model) == ["stored"]


def test_events_wait_while_another_worker_is_at_the_sync(model: Model) -> None:
    sync = model.sync()
    sync.run()
    come(model, event("1", "K"))
    lease = model.ledger.acquire("s", worker="other", length=HOUR)
    assert waking(model, sync).run().kinds["events"].queued == 1
    model.ledger.release(lease)
    assert states(model) == ["stored"]


def test_what_stops_a_refresh_stops_the_flow_with_one_clear_error(model: Model) -> None:
    sync = model.sync()
    sync.run()
    come(model, event("1", "K"))
    model.table.put("K", "one")
    model.desk.script = [("before", mc.AuthenticationFailed("no"))]
    flow = Flow("f", [waking(model, sync), sync], ledger=model.ledger, systems={"model": "x"})
    with pytest.raises(mc.AuthenticationFailed) as caught:
        flow.run()
    assert caught.value.report.kinds["events"].queued == 1
    assert states(model) == ["stored"]


def test_only_what_is_sent_counts_for_the_limit(model: Model) -> None:
    sync = model.sync()
    sync.run()
    come(model, event("1"), event("2"))
    model.table.put("K", "one")
    flow = Flow("f", [waking(model, sync), sync], ledger=model.ledger, systems={"model": "x"})
    report = flow.run(limit=1)
    assert report.kinds["suppliers"].delivered == 1


def test_a_flood_is_worked_on_in_pieces_and_what_was_done_stays_done(model: Model) -> None:
    sync = model.sync()
    sync.run()
    model.table.put("A", "one", model.clock.now() - 99 * HOUR)
    model.table.put("Z", "bad", model.clock.now() - 99 * HOUR)
    model.desk.refuse["bad"] = mc.AuthenticationFailed("no")
    come(model, *(event(str(number), "A" if number % 2 else "Z") for number in range(1200)))
    with pytest.raises(mc.AuthenticationFailed):
        waking(model, sync).run()
    assert states(model).count("applied") == 500
    del model.desk.refuse["bad"]
    assert waking(model, sync).run().kinds["events"].delivered == 700
    assert model.desk.names() == ["one", "bad"]


def test_a_flood_stops_between_two_pieces(model: Model) -> None:
    sync = model.sync()
    sync.run()
    come(model, *(event(str(number), "A") for number in range(1200)))
    pieces = []

    class Stop:
        def is_set(self) -> bool:
            pieces.append(states(model).count("applied"))
            return 500 in pieces

    waking(model, sync).run(stop=Stop())
    assert states(model).count("applied") == 500
