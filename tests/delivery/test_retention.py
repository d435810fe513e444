"""What is kept, held, blanked and pruned (rule B7); the audit outside of its ledger."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.delivery import Message
from tests.delivery.homes import Home
from tests.delivery.model import LOST, Desk, Model, Table

YEAR = dt.timedelta(days=366)
WHO = {"actor": "jane", "reason": "asked to"}


def history(model: Model) -> mc.Sync:
    """Three revisions of a, one of b, eleven years ago."""
    sync = model.sync()
    for name in ("one", "two", "three"):
        model.table.put("a", name)
        sync.run()
    model.table.put("b", "other")
    sync.run()
    model.clock.advance(11 * YEAR)
    return sync


def day(model: Model, years: int) -> dt.date:
    return (model.clock.now() - years * YEAR).date()


def test_pruning_takes_what_ended_and_is_needed_no_more(model: Model) -> None:
    sync = history(model)
    pruned = model.ledger.prune(day(model, 10))
    assert (pruned.deliveries, pruned.messages) == (2, 0)
    assert pruned.events > 10
    assert model.states() == [("a", 3, "delivered"), ("b", 1, "delivered")]
    first = model.ledger.store.read("SELECT min(number) AS number FROM audit")[0]["number"]
    assert first > 1
    assert model.ledger.verify() > first
    model.table.put("a", "four")
    sync.run()
    assert model.desk.changes[-1].previous.name == "three"
    again = model.ledger.prune(day(model, 10), actor="jane")
    assert (again.deliveries, again.events) == (1, 1)


def test_an_empty_ledger_has_nothing_to_prune(model: Model) -> None:
    pruned = model.ledger.prune(day(model, 11))
    assert (pruned.deliveries, pruned.messages, pruned.events) == (0, 0, 0)


def test_pruning_stops_at_what_is_held(model: Model) -> None:
    history(model)
    model.ledger.hold("a", **WHO)
    model.ledger.hold("a", actor="joe", reason="another court")
    (held,) = model.ledger.holds()
    assert (held.key, held.actor, held.reason) == ("a", "joe", "another court")
    pruned = model.ledger.prune(day(model, 10))
    assert pruned.deliveries == 0
    assert len(model.ledger.history("a")) > 9
    with pytest.raises(mc.LedgerError, match=r"legal hold \(another court\)"):
        model.ledger.forget("a", **WHO)
    model.ledger.unhold("a", **WHO)
    assert model.ledger.holds() == []
    assert model.ledger.prune(day(model, 10)).deliveries == 2
    with pytest.raises(mc.InvalidArgument, match="under no hold"):
        model.ledger.unhold("a", **WHO)


def test_pruning_refuses_within_the_years_that_are_retained(model: Model) -> None:
    history(model)
    for before in (day(model, 9), model.clock.now(), dt.datetime(2030, 1, 1)):  # noqa: DTZ001
        with pytest.raises(mc.InvalidArgument):
            model.ledger.prune(before)
    model.ledger.retain_years = 0
    assert model.ledger.prune(model.clock.now(), actor="jane", reason="all of it").deliveries == 2
    with pytest.raises(mc.InvalidArgument, match="prune"):
        model.ledger.prune(day(model, 10), reason=" ")


def test_a_pruned_ledger_is_the_one_its_high_water_file_knows(place: Home) -> None:
    with place.open(retain_years=0) as ledger:
        table = Table(place.clock)  # type: ignore[arg-type]  # a ManualClock
        table.put("a", "one")
        Model(place.clock, table, Desk(), ledger).sync().run()  # type: ignore[arg-type]  # a ManualClock
        before = place.high_water.read_text()
        place.clock.advance(YEAR)  # type: ignore[attr-defined]  # a ManualClock
        ledger.prune(place.clock.now())
    with place.open() as ledger:
        ledger.bind("f", {"a": "x"})
        ledger.verify()
    # Another host's file may be behind what was pruned: it knows less, not otherwise.
    place.high_water.write_text(before)
    with place.open() as ledger:
        ledger.bind("g", {"a": "x"})


def test_forgetting_blanks_and_keeps_hashes(model: Model) -> None:
    sync = history(model)
    before = model.ledger.deliveries(key="a")
    assert model.ledger.forget("a", **WHO) == 3
    assert model.ledger.forget("a", **WHO) == 0
    after = model.ledger.deliveries(key="a")
    assert [one.fingerprint for one in after] == [one.fingerprint for one in before]
    assert {one.forgotten for one in after} == {model.clock.now()}
    assert model.ledger.payload(after[0]) == b""
    with pytest.raises(mc.InvalidDocument, match="forgotten"):
        _ = after[0].document
    assert "three" not in json.dumps([dict(row) for row in model.ledger.store.read("SELECT document FROM deliveries")])
    assert model.ledger.verify() > 0
    assert len(model.ledger.deliveries(key="b")[0].document.name) == 5
    # Unchanged stays unchanged; a change has no base to be compared with, and a person must know.
    model.table.put("a", "three", hold="other field")
    assert sync.run().kinds["suppliers"].unchanged == 1
    model.table.put("a", "four")
    assert sync.run(dry_run=True).previews[0].faults
    assert sync.run().kinds["suppliers"].reasons == {"forgotten": 1}
    assert sync.replay("delivered", keys=["a"], **WHO).kinds["suppliers"].read == 0


def test_what_was_refused_and_forgotten_is_read_anew(model: Model) -> None:
    model.desk.refuse = {"bad": mc.InvalidDocument("no")}
    model.table.put("a", "bad")
    sync = model.sync()
    sync.run()
    model.ledger.forget("a", **WHO)
    assert model.states() == [("a", 1, "superseded")]
    model.table.put("a", "bad", hold="seen again")
    model.desk.refuse = {}
    assert sync.run().kinds["suppliers"].delivered == 1
    assert model.states() == [("a", 1, "superseded"), ("a", 2, "delivered")]


def test_what_is_open_is_not_forgotten(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script, model.desk.hidden = [("before", LOST)], True
    model.sync().run()
    with pytest.raises(mc.InvalidArgument, match="in doubt still"):
        model.ledger.forget("a", **WHO)


def test_messages_are_forgotten_with_their_file_and_pruned_when_done_with(model: Model) -> None:
    inbox = model.ledger.inbox
    for name, keys in (("one.edi", ("a",)), ("two.edi", ("a", "b")), ("three.edi", ("b",))):
        found = [Message(identity=f"{name} {key}", business_key=key, facts={"who": key}) for key in keys]
        inbox.store("box", name, name.encode(), found)
    with model.ledger.store.transaction() as transaction:
        for message in inbox.messages("box"):
            if message.name != "three.edi":
                inbox.close(transaction, message, "applied")
    assert model.ledger.forget("a", **WHO) == 2
    contents = {message.name: inbox.content(message.file) for message in inbox.messages("box")}
    assert contents == {"one.edi": b"", "two.edi": b"two.edi", "three.edi": b"three.edi"}
    assert [message.facts for message in inbox.messages("box", key="a")] == [{}, {}]
    model.clock.advance(11 * YEAR)
    assert model.ledger.prune(day(model, 10)).messages == 1
    assert [inbox.content(message.file) for message in inbox.messages("box", key="b")] == [b"", b"three.edi"]


@pytest.mark.parametrize("act", ["hold", "unhold", "forget"])
@pytest.mark.parametrize("wrong", [{"actor": " "}, {"reason": ""}])
def test_every_act_has_actor_and_reason(model: Model, act: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument, match="actor and reason"):
        getattr(model.ledger, act)("a", **{**WHO, **wrong})


@pytest.mark.parametrize("name", ["audit.jsonl", "audit.csv"])
def test_an_export_is_verified_without_its_ledger(model: Model, tmp_path: Path, name: str) -> None:
    history(model)
    ledger, path = model.ledger, tmp_path / name
    middle = ledger.head()
    with ledger.store.transaction() as transaction:
        transaction.audit("said", "s", "a", text='é, "quoted"\nand more', amount=1.25, nothing=None)
    count = ledger.export_audit(path)
    assert mc.Ledger.verify_export(path) == count
    assert mc.Ledger.verify_export(path, head=middle) == count
    assert mc.Ledger.verify_export(path, head={"number": 0, "hash": ""}) == count
    with pytest.raises(mc.LedgerError, match="its head once"):
        mc.Ledger.verify_export(path, head={"number": count + 1, "hash": "x"})
    lines = path.read_text().splitlines(keepends=True)
    for broken in (lines[:4] + lines[5:], [line.replace("delivered", "forged") for line in lines]):
        path.write_text("".join(broken))
        with pytest.raises(mc.LedgerError, match="broken at event"):
            mc.Ledger.verify_export(path)
    path.write_text("this,is,none\n1,2,3\n")
    with pytest.raises(mc.InvalidArgument, match="no export"):
        mc.Ledger.verify_export(path)


def test_the_export_of_a_pruned_audit_is_a_chain_from_its_first_event(model: Model, tmp_path: Path) -> None:
    history(model)
    model.ledger.prune(day(model, 10))
    for name in ("audit.jsonl", "audit.csv"):
        model.ledger.export_audit(tmp_path / name)
        assert mc.Ledger.verify_export(tmp_path / name) == model.ledger.head()["number"]
    (tmp_path / "none.jsonl").write_text("")
    assert mc.Ledger.verify_export(tmp_path / "none.jsonl") == 0
