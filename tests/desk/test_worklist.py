"""What waits for a person has an age and an owner (rule B6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

import mlconnector as mc
from mlconnector.testing import ManualClock
from tests.delivery.model import LOST, START, Desk, Model, Table


@pytest.fixture
def model() -> Iterator[Model]:
    clock = ManualClock(START)
    with mc.Ledger(":memory:", actor="jane", clock=clock) as ledger:
        yield Model(clock, Table(clock), Desk(), ledger)


def test_parked_in_doubt_and_attention_are_one_list(model: Model) -> None:
    model.table.put("a", "refused")
    model.table.put("b", "lost")
    model.table.bad["c"] = ("no name",)
    model.desk.refuse["refused"] = mc.InvalidDocument("no", faults=["no tax id", "no address"])
    model.desk.script = [("before", LOST)]
    model.desk.hidden = True
    model.sync().run()
    model.clock.advance(dt.timedelta(hours=30))
    found = model.ledger.worklist.items("s")
    assert {(item.what, item.key) for item in found} == {("parked", "a"), ("in doubt", "b"), ("attention", "c")}
    (parked,) = (item for item in found if item.what == "parked")
    assert parked.why == ("no tax id", "no address")
    assert parked.age >= dt.timedelta(hours=30)
    assert "1 d 6 h" in str(found)
    assert "<table>" in found._repr_html_()
    assert str(model.ledger.worklist.items("other")) == "nothing is open"


def test_an_owner_is_named_and_an_item_closed_with_actor_and_reason(model: Model) -> None:
    model.table.put("a", "refused")
    model.table.bad["c"] = ("no name",)
    model.desk.refuse["refused"] = mc.InvalidDocument("no")
    model.sync().run()
    worklist = model.ledger.worklist
    assert worklist.assign("a", "bob", actor="jane", reason="his supplier") == 1
    assert worklist.assign("c", "ann", flow="s", actor="jane", reason="her table") == 1
    assert worklist.assign("a", "carl", actor="jane", reason="bob is away") == 1
    assert {item.key: item.owner for item in worklist.items()} == {"a": "carl", "c": "ann"}
    assert [item.key for item in worklist.items(owner="ann")] == ["c"]
    assert model.ledger.attention()[0].owner == "ann"
    (item,) = model.ledger.attention()
    worklist.close(item.id, actor="ann", reason="row mended")
    assert model.ledger.attention() == []
    assert len(model.ledger.attention(open_only=False)) == 1
    assert [event.event for event in model.ledger.history("c")][-1] == "attention closed"
    for call in (
        lambda: worklist.close(item.id, actor="ann", reason="again"),
        lambda: worklist.assign("zzz", "bob", actor="jane", reason="r"),
        lambda: worklist.assign("a", "bob", actor="", reason="r"),
        lambda: worklist.close(1, actor="jane", reason=""),
    ):
        with pytest.raises(mc.InvalidArgument):
            call()
