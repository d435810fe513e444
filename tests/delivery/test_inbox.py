"""What came in is stored whole, once, and found again without walking through everything that ever came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.cli import main
from mlconnector.delivery import Inbox, Message, Owed
from mlconnector.delivery._part import attend
from mlconnector.records import Records, Window
from tests.delivery.model import HOUR, START, Model
from tests.delivery.post import BOX


def stored(model: Model, content: bytes, *messages: Message, box: str = BOX, **options: object) -> list[str]:
    return model.ledger.inbox.store(box, "f.edi", content, messages, **options)


def test_a_file_is_kept_with_its_bytes_and_messages(model: Model) -> None:
    assert stored(model, b"x", Message(identity="1", code="855", facts={"a": 1}, business_key="K")) == ["stored"]
    (message,) = model.ledger.inbox.messages(BOX, state="stored", code="855", key="K")
    assert (message.name, message.facts, message.stored_at) == ("f.edi", {"a": 1}, message.updated_at)
    assert model.ledger.inbox.content(message.file) == b"x"
    assert model.ledger.inbox.messages("another") == []


def test_the_same_identity_is_a_repeat_or_parked(model: Model) -> None:
    stored(model, b"x", Message(identity="1"))
    assert stored(model, b"x", Message(identity="1")) == ["repeated"]
    assert stored(model, b"y", Message(identity="1")) == ["parked"]
    assert stored(model, b"y", Message(identity="1"), box="another") == ["stored"]
    assert [one.state for one in model.ledger.inbox.messages(BOX)] == ["stored", "parked"]


def test_each_message_of_a_file_has_its_own_state(model: Model) -> None:
    states = stored(
        model,
        b"x",
        Message(identity="1", hash="a"),
        Message(identity="1", hash="b"),
        Message(identity="1", hash="a"),
        Message(identity="2", unreadable="torn"),
    )
    assert states == ["stored", "parked", "repeated", "quarantined"]


def test_what_is_owed_is_owed_once_and_found_by_time_and_name(model: Model) -> None:
    stored(model, b"x", Message(identity="1"), owed=[Owed(name="a", facts={"n": 1})])
    model.clock.advance(HOUR)
    stored(model, b"y", Message(identity="2"), owed=[Owed(name="a"), Owed(name="b")])
    inbox = model.ledger.inbox
    assert [(name, dict(facts)) for name, _file, facts, _at in inbox.owed(BOX)] == [("a", {"n": 1}), ("b", {})]
    assert [name for name, *_ in inbox.owed(BOX, since=START + HOUR)] == ["b"]
    assert [at for *_, at in inbox.owed(BOX, name="a")] == [START]


def test_messages_are_found_by_when_they_came_to_their_state(model: Model) -> None:
    stored(model, b"x", Message(identity="1"), Message(identity="2"))
    model.clock.advance(HOUR)
    first, _second = model.ledger.inbox.messages()
    with model.ledger.store.transaction() as transaction:
        Inbox.close(transaction, first, "applied")
    assert [one.identity for one in model.ledger.inbox.messages(since=START + HOUR)] == ["1"]


def test_a_worker_without_its_lease_stores_nothing(model: Model) -> None:
    lease = model.ledger.acquire("s", worker="me", length=HOUR)
    model.ledger.release(lease)
    with pytest.raises(mc.LeaseLost):
        stored(model, b"x", Message(identity="1"), lease=lease)
    assert model.ledger.inbox.messages() == []


def test_what_a_person_must_see_is_in_the_same_transaction(model: Model) -> None:
    def told(_transaction: object, states: object) -> None:
        assert states == ["stored"]
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        stored(model, b"x", Message(identity="1"), told=told)
    assert model.ledger.inbox.messages() == []


def test_a_history_of_messages_is_not_walked_through() -> None:
    """The plans of the questions that every run asks."""
    asked = {
        "SELECT i.* FROM inbox AS i WHERE i.box = ? AND i.state = ? AND i.code = ? AND i.updated_at >= ?": "by_work",
        "SELECT i.* FROM owed AS i WHERE i.box = ? AND i.stored_at >= ?": "owed_by_time",
        "SELECT 1 FROM attention WHERE sync = ? AND key = ? AND text = ?": "attention_by_key",
        "SELECT i.* FROM inbox AS i WHERE i.business_key = ?": "inbox_by_key",
    }
    with mc.Ledger(":memory:", actor="test") as ledger:
        for query, index in asked.items():
            plan = ledger.store.read(f"EXPLAIN QUERY PLAN {query}", ["x"] * query.count("?"))
            assert index in str([tuple(row) for row in plan])


def test_a_reader_of_the_inbox_asks_for_its_window(model: Model) -> None:
    asked: list[Window] = []

    def documents(window: Window) -> list[mc.Supplier | mc.Rejected]:
        asked.append(window)
        at = model.clock.now()
        origin = mc.Provenance(system="inbox", kind="suppliers", key="K", updated_at=at)
        return [
            mc.Supplier(number="1", name="older", provenance=origin),
            mc.Supplier(number="1", name="newer", provenance=origin),
            mc.Rejected(key="R", row={}, faults=("torn",), updated_at=START - 9 * HOUR),
            mc.Rejected(key="S", row={}, faults=("torn",)),
            mc.Supplier(number="9", name="unstamped"),
        ]

    records = Records(mc.delivery.InboundReader(kind="suppliers", documents=documents, clock=model.clock))
    pages = list(records.pages())
    assert [one.name for page in pages for one in page.documents] == ["newer", "unstamped"]
    assert [one.key for page in pages for one in page.rejected] == ["R", "S"]
    again = list(records.continue_from(pages[-1].cursor).pages())
    assert asked[-1].lower == START - 2 * HOUR
    assert [one.key for page in again for one in page.rejected] == ["S"]
    assert [one.name for page in records.only(["K"]).pages() for one in page.documents] == ["newer"]
    assert asked[-1].keys == ("K",)


WHO = {"actor": "jane", "reason": "the partner said which one is right"}


def test_a_parked_message_is_taken_again_when_a_person_says_so(model: Model) -> None:
    stored(model, b"x", Message(identity="1", business_key="K"))
    stored(model, b"y", Message(identity="1", business_key="K"))
    inbox = model.ledger.inbox
    first, second = inbox.messages()
    with model.ledger.store.transaction() as transaction:
        Inbox.close(transaction, first, "applied")
        attend(transaction, "flow/answers", "answers", "1", "two contents under one number")
    model.clock.advance(HOUR)
    released = inbox.release(second.id, instead_of=first.id, **WHO)
    assert (released.state, released.reason, released.updated_at) == ("stored", "", START + HOUR)
    assert [one.state for one in inbox.messages()] == ["superseded", "stored"]
    assert model.ledger.attention() == []
    (event,) = [one for one in model.ledger.history("K") if one.event == "message released"]
    assert event.facts == {"identity": "1", "instead_of": "1", "by": "jane", "reason": WHO["reason"]}
    assert model.ledger.verify() > 0


def test_what_cannot_be_released_is_refused(model: Model) -> None:
    inbox = model.ledger.inbox
    stored(model, b"x", Message(identity="1", business_key="K"))
    stored(model, b"y", Message(identity="1", business_key="K"))
    stored(model, b"z", Message(identity="2", business_key="L"), Message(identity="3", unreadable="torn"))
    stored(model, b"w", Message(identity="4"))
    stored(model, b"v", Message(identity="5"))
    first, second, stranger, torn, nobodys, _another = inbox.messages()
    with model.ledger.store.transaction() as transaction:
        Inbox.close(transaction, nobodys, "parked")
    refused: list[tuple[int, dict[str, Any], str]] = [
        (first.id, WHO, "is stored, not parked"),
        (torn.id, WHO, "is quarantined, not parked"),
        (99, WHO, "There is no message 99"),
        (second.id, {**WHO, "actor": " "}, "actor and reason"),
        (second.id, {**WHO, "reason": ""}, "actor and reason"),
        (second.id, {**WHO, "instead_of": second.id}, "instead_of"),
        (second.id, {**WHO, "instead_of": stranger.id}, "instead_of"),
        (nobodys.id, {**WHO, "instead_of": _another.id}, "instead_of"),
    ]
    for message, options, match in refused:
        with pytest.raises(mc.InvalidArgument, match=match):
            inbox.release(message, **options)
    assert [one.state for one in inbox.messages()][:2] == ["stored", "parked"]
    assert inbox.release(nobodys.id, **WHO).state == "stored"
    with model.ledger.store.transaction() as transaction:
        Inbox.close(transaction, first, "applied")
    model.ledger.forget("K", actor="jane", reason="asked to")
    with pytest.raises(mc.InvalidArgument, match="bytes of message 2 are gone"):
        inbox.release(second.id, **WHO)


def test_a_message_is_released_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--ledger", str(tmp_path / "l.db"), "--high-water", str(tmp_path / "hw"), "--actor", "jane"]
    with mc.Ledger(tmp_path / "l.db", actor="test", high_water=tmp_path / "hw") as ledger:
        for content in (b"x", b"y"):
            ledger.inbox.store(BOX, "f.edi", content, [Message(identity="1", code="855")])
    assert main(["ledger", "inbox", "--state", "parked", *place]) == 1
    assert "same identity came before" in capsys.readouterr().out
    assert main(["ledger", "release", "2", *place]) == 2
    assert main(["ledger", "release", "2", "--instead-of", "1", "--reason", "they said so", *place]) == 0
    assert "taken again" in capsys.readouterr().out
    assert main(["ledger", "inbox", *place]) == 0
