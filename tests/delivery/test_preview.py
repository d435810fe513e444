"""A dry run says of every key what the run behind it does (design 7: exactly what would be sent)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector.delivery import Excluded
from tests.delivery.model import HOUR, Model

REFUSED = mc.InvalidDocument("no", cause="unit")
LOST = mc.VendorFault("no answer")


def _changed(model: Model, **options: Any) -> dict[str, Any]:
    """Known, and then changed."""
    model.table.put("a", "one")
    model.sync(**options).run()
    model.clock.advance(2 * HOUR)
    model.table.put("a", "two")
    model.table.put("b", "new")
    return options


def _first_day(model: Model) -> dict[str, Any]:
    model.table.put("a", "one")
    return {"begin": "nothing"}


def _first_day_of_a_known_one(model: Model) -> dict[str, Any]:
    return {**_changed(model), "begin": "nothing"}


def _after_the_first_day(model: Model) -> dict[str, Any]:
    return _changed(model, begin="nothing")


def _baseline_as_new(model: Model) -> dict[str, Any]:
    return _changed(model, begin="nothing", on_baseline_change="create")


def _baseline_as_change(model: Model) -> dict[str, Any]:
    return _changed(model, begin="nothing", on_baseline_change="change")


def _no_longer_waiting(model: Model) -> dict[str, Any]:
    model.table.put("a", "one", waiting_for=("hold",))
    model.sync().run()
    model.clock.advance(2 * HOUR)
    model.table.put("a", "one")
    return {}


def _refused(model: Model) -> dict[str, Any]:
    model.table.put("a", "one")
    model.desk.script = [REFUSED]
    model.sync().run()
    model.clock.advance(2 * HOUR)
    model.table.put("a", "one", terms="other")
    return {}


def _held(model: Model) -> dict[str, Any]:
    model.table.put("a", "one")
    model.desk.script, model.desk.find_raises = [("before", LOST)], mc.DeliveryInDoubt("?")
    model.sync().run()
    model.clock.advance(2 * HOUR)
    model.table.put("a", "two")
    return {}


def _taken_back(model: Model) -> dict[str, Any]:
    model.table.put("a", "one")
    model.sync().run()
    model.clock.advance(2 * HOUR)
    model.table.put("a", "one", waiting_for=("void",))
    model.table.put("b", "new", waiting_for=("hold",))
    return {"withdraw": lambda document: attrs.evolve(document, name="taken back", waiting_for=())}


def _dropped(model: Model) -> dict[str, Any]:
    _refused(model)
    model.sync().settle("a", "drop", actor="me", reason="wrong")
    return {}


def _open_one_is_known(model: Model) -> dict[str, Any]:
    model.table.put("a", "one")
    model.desk.script, model.desk.find_raises = [("before", LOST)], mc.TargetChanged("other content")
    for _run in range(2):
        model.sync().run()
        model.clock.advance(2 * HOUR)
    assert model.states() == [("a", 1, "parked")]
    model.table.put("a", "one", terms="other")
    return {"select": lambda _document, known: Excluded("known") if known else None}


def _refused_one_is_not_known(model: Model) -> dict[str, Any]:
    _refused(model)
    return {"select": lambda _document, known: None if known else Excluded("not known")}


def _refused_after_a_step_is_known(model: Model) -> dict[str, Any]:
    model.desk.steps = ("create", "issue")
    model.table.put("a", "one")
    model.desk.script = [None, REFUSED]
    model.sync().run()
    model.clock.advance(2 * HOUR)
    model.table.put("a", "one", terms="other")
    return {"select": lambda _document, known: Excluded("known") if known else None}


def _back_again(model: Model) -> dict[str, Any]:
    """Recorded as changed, and changed back before it was sent."""
    model.table.put("a", "one")
    sync = model.sync()
    sync.run()
    model.clock.advance(2 * HOUR)
    model.table.put("a", "two")
    sync.run(limit=0)
    model.clock.advance(2 * HOUR)
    model.table.put("a", "one")
    return {}


def _queued_before(model: Model) -> dict[str, Any]:
    model.table.put("a", "one")
    model.sync().run(limit=0)
    model.clock.advance(2 * HOUR)
    model.table.put("a", "one", terms="other")
    return {}


@pytest.mark.parametrize(
    "given",
    [
        *(_changed, _first_day, _first_day_of_a_known_one, _after_the_first_day, _baseline_as_new),
        *(_baseline_as_change, _no_longer_waiting, _refused, _held, _taken_back, _dropped, _open_one_is_known),
        *(_refused_one_is_not_known, _refused_after_a_step_is_known),
        *(_back_again, _queued_before),
    ],
)
def test_what_is_shown_is_what_is_done(model: Model, given: Callable[[Model], dict[str, Any]]) -> None:
    sync = model.sync(**given(model))
    before = len(model.desk.seen)
    shown = sync.run(dry_run=True).kinds["suppliers"]
    done = sync.run().kinds["suppliers"]
    sent = model.desk.seen[before:]
    expected = {key: "queued" if where == "delivered" else where for key, where in done.outcome.items()}
    assert {key: expected[key] for key in shown.outcome} == shown.outcome
    assert [(one.key, one.payload, one.marker) for one in shown.previews] == [
        (one.key, one.payload, one.marker) for one in sent
    ]
    actions = {change.key: change.action for change in model.desk.changes}
    assert {one.key: one.action for one in shown.previews}.items() <= actions.items()


def test_a_replay_shows_the_revision_and_the_change_number_it_sends(model: Model) -> None:
    sync = model.sync(**_changed(model))
    sync.run()
    (shown,) = sync.replay("delivered", keys=["a"], dry_run=True).previews
    asked = model.desk.changes[-1]
    sync.replay("delivered", keys=["a"], actor="me", reason="lost there")
    sent, done = model.desk.seen[-1], model.desk.changes[-1]
    assert (shown.payload, shown.marker) == (sent.payload, sent.marker)
    assert (asked.revision, asked.sequence) == (done.revision, done.sequence)
