"""What a ledger with keys keeps is readable with them alone: on both databases, in its log, copies and exports."""

from __future__ import annotations

import builtins
import contextlib
import datetime as dt
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector import credentials
from mlconnector.cli import main
from mlconnector.delivery import Message
from mlconnector.delivery._sealing import SEALED, TOLD, Seals, keys_of
from mlconnector.testing import ManualClock
from tests.delivery.homes import Home
from tests.delivery.model import HOUR, LOST, START, Desk, Model, Table
from tests.delivery.reencrypting import NEW, OLD

SENTINEL = "Miller-and-Sons-71"
WHO: dict[str, str] = {"actor": "jane", "reason": "the yearly change"}


class World:
    """A source and a target that outlive the ledgers opened beside them."""

    def __init__(self, place: Home) -> None:
        self.place = place
        clock: Any = place.clock
        self.clock: ManualClock = clock
        self.table, self.desk = Table(clock), Desk()

    def model(self, ledger: mc.Ledger) -> Model:
        return Model(self.clock, self.table, self.desk, ledger)

    @contextlib.contextmanager
    def opened(self, *keys: Any, **options: Any) -> Iterator[Model]:
        with self.place.open(keys=keys, **options) as ledger:
            yield self.model(ledger)

    def run(self, *keys: Any) -> mc.Report:
        with self.opened(*keys) as model:
            return model.sync().run()

    def kept(self) -> bytes:
        """Everything that stands in the database, as an administrator of it sees it."""
        if self.place.database == "sqlite":
            return b"".join(Path(f"{self.place.path}{end}").read_bytes() for end in ("", "-wal") if self._is(end))
        import psycopg

        with psycopg.connect(self.place.path, autocommit=True) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
            found = []
            for (table,) in tables.fetchall():
                for row in connection.execute(f"SELECT * FROM {table}").fetchall():
                    found += [one if isinstance(one, bytes) else str(one).encode() for one in row]
            return b"\n".join(found)

    def _is(self, end: str) -> bool:
        return Path(f"{self.place.path}{end}").exists()


@pytest.fixture
def world(place: Home) -> World:
    return World(place)


def fill(world: World, model: Model) -> None:
    """Something of everything that holds contents: sent, lost, parked, changed, collected, and seen by a person."""
    world.desk.refuse = {f"{SENTINEL} refused": mc.InvalidDocument("no", faults=(f"{SENTINEL} is unknown",))}
    world.desk.script = [None, ("after", LOST), mc.TargetChanged(f"somebody made {SENTINEL} of it")]
    world.desk.hidden = True
    for number, name in enumerate(("sent", "lost", "changed", "refused")):
        world.table.put(str(number), f"{SENTINEL} {name}", tax_id="12-3456789")
    world.table.bad = {"9": (f"{SENTINEL} is no number",)}
    model.sync().run()
    content = f"ISA*{SENTINEL}~".encode()
    model.ledger.inbox.store("in", "file.edi", content, [Message(identity="1", code="810", business_key="77")])


@pytest.mark.parametrize("table", [*SEALED, *TOLD])
def test_a_column_of_contents_is_named_once(table: str) -> None:
    assert not set(SEALED.get(table, ())) & set(TOLD.get(table, ()))


def test_nothing_of_a_document_is_readable_without_a_key(world: World, tmp_path: Path) -> None:
    with world.opened(OLD) as model:
        fill(world, model)
        assert SENTINEL.encode() not in world.kept()
        model.ledger.backup(tmp_path / "copy.db")
        model.ledger.export_audit(tmp_path / "audit.jsonl")
        model.ledger.export_audit(tmp_path / "audit.csv")
        head = model.ledger.head()
    assert b"supplier" in world.kept()
    assert SENTINEL.encode() not in world.kept()
    for name in ("copy.db", "audit.jsonl", "audit.csv"):
        assert SENTINEL.encode() not in (tmp_path / name).read_bytes(), name
    assert mc.Ledger.verify_export(tmp_path / "audit.jsonl", head=head) == head["number"]
    assert mc.Ledger.verify_export(tmp_path / "audit.csv", head=head) == head["number"]
    with world.opened(OLD) as model:
        ledger = model.ledger
        assert ledger.verify() >= int(str(head["number"]))
        assert {one.document.name for one in ledger.deliveries()} == set(map(world_name, world.table.rows.values()))
        assert ledger.payload(ledger.deliveries(key="0")[0]).decode().startswith(f"{SENTINEL} sent|")
        assert ledger.deliveries(key="0")[0].fingerprint == world.table.rows["0"].fingerprint
        assert ledger.deliveries(key="3")[0].faults == (f"{SENTINEL} is unknown",)
        told = [event.facts for event in ledger.history("3") if event.event == "parked"]
        assert told[0]["faults"] == [f"{SENTINEL} is unknown"]
        assert [item.text for item in ledger.attention() if item.key == "9"] == [
            f"It cannot be read: {SENTINEL} is no number"
        ]
        (message,) = ledger.inbox.messages()
        assert ledger.inbox.content(message.file) == f"ISA*{SENTINEL}~".encode()


def world_name(supplier: mc.Supplier) -> str:
    return supplier.name


def test_an_attention_item_is_not_told_twice(world: World) -> None:
    world.table.bad = {"9": (f"{SENTINEL} is no number",)}
    with world.opened(OLD) as model:
        for _ in range(2):
            model.sync().run()
        assert len(model.ledger.attention()) == 1


def test_the_same_rules_hold(world: World) -> None:
    """Unchanged, changed, changed back, in doubt and settled: as in a ledger without keys."""
    world.table.put("a", "one")
    world.run(OLD)
    for name in ("one", "two", "one"):
        world.clock.advance(HOUR)
        world.table.put("a", name)
        world.run(OLD)
    assert world.desk.names() == ["one", "two", "one"]
    world.table.put("b", "lost")
    world.desk.script = [("after", LOST)]
    world.clock.advance(HOUR)
    world.run(OLD)
    world.clock.advance(HOUR)
    with world.opened(OLD) as model:
        model.sync().run()
        assert {state for _key, _revision, state in model.states()} == {"delivered"}
    assert world.desk.names() == ["one", "two", "one", "lost"]
    with world.opened(OLD) as model:
        world.table.put("a", "two")
        world.table.put("a", "one")
        assert not model.sync().run(dry_run=True).previews


def test_a_small_content_cannot_be_found_out_by_trying(world: World) -> None:
    """Whoever knows all but the amount would hash every amount; what is kept is no hash of the content alone."""
    import hashlib

    world.table.put("a", "7")
    with world.opened(OLD) as model:
        model.sync().run()
        document = model.ledger.deliveries()[0].document
    kept = world.kept()
    tried = (mc.to_json(document), "7", "7|1|1")
    for text in tried:
        assert hashlib.sha256(text.encode()).hexdigest().encode() not in kept
    assert document.fingerprint.encode() not in kept


@given(st.text(), st.binary(), st.sampled_from(["document", "payload"]))
def test_what_was_sealed_opens_to_the_same(text: str, data: bytes, column: str) -> None:
    keys = keys_of([OLD, NEW])
    seals = Seals("l", "id", keys, next(iter(keys)))
    for value in (text, data):
        sealed = seals.sealed(column, value)
        assert seals.opened(column, sealed) == value
        assert type(sealed) is type(value)
        assert seals.sealed(column, value) != sealed
    assert seals.opened(column, seals.told(column, text)) == text
    assert seals.blinded(text) == seals.blinded(seals.blinded(text))
    assert seals.same(text, seals.blinded(text))
    assert not seals.same(text, f"{text}.")
    assert seals.same(None, None)
    assert not seals.same(None, text)
    other = Seals("l", "another", keys, seals.key, seals.secret)
    assert other.opened(column, seals.sealed(column, text)).startswith("sealed:id:")


def test_without_its_key_it_is_not_opened_and_nothing_is_lost(world: World) -> None:
    world.table.put("a", "one")
    world.run(OLD)
    for keys in ((), (NEW,)):
        with pytest.raises(mc.LedgerError, match=r"is encrypted, and the key \w{12} is not among") as caught:
            world.place.open(keys=keys)
        assert "keys=" in caught.value.cure
        assert caught.value.fault == "administrator"
    world.table.put("a", "two")
    world.clock.advance(HOUR)
    world.run(OLD)
    assert world.desk.names() == ["one", "two"]


def test_what_was_changed_behind_its_back_is_said_so(world: World) -> None:
    world.table.put("a", "one")
    world.table.put("b", "two")
    world.run(OLD)
    copied = "UPDATE deliveries SET document = (SELECT fingerprint FROM deliveries WHERE key = 'b') WHERE key = 'a'"
    world.place.alter(copied)
    with world.opened(OLD) as model:
        with pytest.raises(mc.LedgerError, match="A sealed document of .* was changed"):
            _ = model.ledger.deliveries(key="a")[0].document
        with pytest.raises(mc.LedgerError, match="was changed"):
            model.ledger.verify()
    world.place.alter("UPDATE deliveries SET document = (SELECT document FROM deliveries WHERE key = 'b')")
    with world.opened(OLD) as model, pytest.raises(mc.LedgerError, match="is not what the audit says"):
        model.ledger.verify()


def test_a_ledger_that_began_without_gets_a_key(world: World) -> None:
    with world.opened() as model:
        fill(world, model)
        before = [(one.key, one.document, one.faults, one.fingerprint) for one in model.ledger.deliveries()]
    assert SENTINEL.encode() in world.kept()
    with world.opened(OLD) as model:
        ledger = model.ledger
        assert [(one.key, one.document, one.faults, one.fingerprint) for one in ledger.deliveries()] == before
        assert model.sync().run(dry_run=True).kinds["suppliers"].queued == 0
        assert ledger.reencrypt(**WHO) > len(before)
        assert ledger.reencrypt(**WHO) == 0
        assert [(one.key, one.document, one.faults, one.fingerprint) for one in ledger.deliveries()] == before
        assert ledger.verify() > 0
        sent = len(world.desk.wrote)
        model.sync().run()
        assert len(world.desk.wrote) == sent
    contents = (*(f"{SENTINEL} {name}" for name in ("sent", "lost", "changed")), "ISA*")
    kept = world.kept()
    # What the audit has told before there was a key cannot be taken back without breaking its chain.
    assert not [text for text in contents if text.encode() in kept]


def test_a_new_key_takes_over_and_the_old_one_can_go(world: World) -> None:
    with world.opened(OLD) as model:
        fill(world, model)
        names = [one.document.name for one in model.ledger.deliveries()]
    with world.opened(NEW, OLD) as model:
        world.clock.advance(HOUR)
        world.table.put("new", "under the new key")
        model.sync().run()
    with pytest.raises(mc.LedgerError, match="is not among those given"):
        world.place.open(keys=[NEW])
    with world.opened(NEW, OLD) as model:
        assert model.ledger.reencrypt(**WHO) > len(names)
    with world.opened(NEW) as model:
        assert [one.document.name for one in model.ledger.deliveries()][: len(names)] == names
        assert model.ledger.deliveries(key="3")[0].faults == (f"{SENTINEL} is unknown",)
        assert model.ledger.verify() > 0
        (event,) = [one for one in model.ledger.history("") if one.event == "re-encrypted"]
        assert event.facts["by"] == "jane"
        assert event.facts["gone"] == [next(iter(keys_of([OLD])))]
    with pytest.raises(mc.LedgerError, match="is not among those given"):
        world.place.open(keys=[OLD])


def test_workers_agree_on_the_key_that_seals(world: World) -> None:
    """Nobody goes on under a key that another one has let go, or into a ledger that has just become encrypted."""
    with world.opened() as plain, world.opened(OLD) as first:
        with pytest.raises(mc.LedgerError, match="is encrypted"):
            plain.ledger.crosswalk.link("supplier", jdedwards="1", coupa="2")
        with world.opened(NEW, OLD) as second:
            world.table.put("a", "one")
            with pytest.raises(mc.LedgerError, match="is not among those given"):
                first.sync().run()
            second.sync().run()
            with pytest.raises(mc.LedgerError, match="is not among those given"):
                _ = first.ledger.deliveries()[0].document
    with world.opened(OLD, NEW) as old_first:
        with world.opened(NEW, OLD) as new_first:
            new_first.ledger.reencrypt(**WHO)
        world.table.put("b", "two")
        old_first.sync().run()
    with world.opened(NEW) as model:
        assert [one.document.name for one in model.ledger.deliveries()] == ["one", "two"]


def test_a_copy_that_was_put_back_needs_the_keys_of_then(world: World, tmp_path: Path) -> None:
    world.table.put("a", "one")
    world.run(OLD)
    with world.opened(OLD) as model:
        model.ledger.backup(tmp_path / "copy.db")
    with world.opened(NEW, OLD) as model:
        model.ledger.reencrypt(**WHO)
    world.place.put_back(tmp_path / "copy.db")
    with pytest.raises(mc.LedgerError, match="is not among those given"):
        world.place.open(keys=[NEW])
    with world.opened(NEW, OLD) as model:
        ledger = model.ledger
        assert ledger.deliveries()[0].document.name == "one"
        with pytest.raises(mc.LedgerRestored):
            ledger.reencrypt(**WHO)
        ledger.recover(actor="jane", reason="the disk died")
        assert ledger.reencrypt(**WHO) > 0
    with world.opened(NEW) as model:
        assert model.ledger.deliveries()[0].document.name == "one"


def test_a_lost_ledger_begins_anew_under_its_keys(world: World) -> None:
    world.table.put("a", SENTINEL)
    world.run(OLD)
    world.place.lose()
    with world.opened(OLD) as model:
        assert model.ledger.store.refused
        model.ledger.recover(actor="jane", reason="the disk died")
        world.clock.advance(HOUR)
        model.sync().run()
    assert SENTINEL.encode() not in world.kept()


def test_forgotten_and_pruned_contents_stay_so(world: World) -> None:
    with world.opened(OLD, retain_years=0) as model:
        ledger = model.ledger
        world.table.put("a", "one")
        model.sync().run()
        for name in ("two", "three"):
            world.clock.advance(HOUR)
            world.table.put("a", name)
            model.sync().run()
        ledger.inbox.store("in", "f", b"content", [Message(identity="1", business_key="a", unreadable="it is odd")])
        ledger.forget("a", actor="jane", reason="asked to")
        assert [one.key for one in ledger.deliveries() if one.forgotten] == ["a", "a", "a"]
        world.clock.advance(dt.timedelta(days=40))
        pruned = ledger.prune(world.clock.now().date(), reason="it is time")
        assert pruned.deliveries == 2
        ledger.reencrypt(**WHO)
        assert ledger.payload(ledger.deliveries()[0]) == b""
        assert ledger.inbox.content(ledger.inbox.messages()[0].file) == b""
        with pytest.raises(mc.InvalidDocument, match="was forgotten"):
            _ = ledger.deliveries()[0].document
        assert ledger.verify() > 0


def test_a_reencryption_that_was_killed_goes_on(world: World) -> None:
    """By SIGKILL, in the middle: every row is readable meanwhile, and the next call finishes."""
    for number in range(500):
        world.table.put(f"{number:04}", f"{SENTINEL} {number}")
    world.run(OLD)
    worker = Path(__file__).with_name("reencrypting.py")
    told = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, str(worker), world.place.path, str(world.place.high_water), "3"]
    assert subprocess.run(command, env=told, check=False, timeout=60).returncode == -signal.SIGKILL
    with pytest.raises(mc.LedgerError, match="is not among those given"):
        world.place.open(keys=[NEW])
    with world.opened(NEW, OLD) as model:
        ledger = model.ledger
        assert len({one.document.name for one in ledger.deliveries()}) == 500
        assert model.sync().run().kinds["suppliers"].delivered == 0
        rest = ledger.reencrypt(**WHO)
        assert 0 < rest < 500
        assert ledger.verify() > 0
    with world.opened(NEW) as model:
        assert len({one.document.name for one in model.ledger.deliveries()}) == 500


def test_calls_that_cannot_be_meant_are_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.opened() as model, pytest.raises(mc.InvalidArgument, match="has no key"):
        model.ledger.reencrypt(**WHO)
    with world.opened(OLD) as model, pytest.raises(mc.InvalidArgument, match="actor and reason"):
        model.ledger.reencrypt(actor="jane", reason=" ")
    for wrong in ("short", "no base 64!", ""):
        with pytest.raises(mc.InvalidArgument, match="holds no key of a ledger.*") as caught:
            world.place.open(keys=mc.stored("wrong", sources={"key": wrong}))
        assert "new_key" in caught.value.cure
    with pytest.raises(mc.CredentialsNotFound, match="'key'"):
        world.place.open(keys=mc.stored("nobody-has-it"))
    imports = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return imports(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(mc.MissingExtra, match="cryptography"):
        world.place.open(keys=OLD)


def test_keys_come_from_the_chain_of_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLCONNECTOR_VAULT", str(tmp_path / "vault"))
    monkeypatch.setenv("MLCONNECTOR_VAULT_KEY", "passphrase")
    credentials.save("acme-2025", "LedgerKey", key=credentials.new_key())
    monkeypatch.setenv("MLCONNECTOR_ACME_2026_KEY", credentials.new_key())
    options: dict[str, Any] = {"actor": "test", "high_water": tmp_path / "hw", "clock": ManualClock(START)}
    with mc.Ledger(tmp_path / "l.db", keys=mc.stored("acme-2025"), **options) as ledger:
        assert "acme-2025" not in repr(ledger)
    with mc.Ledger(tmp_path / "l.db", keys=[mc.stored("acme-2026"), mc.stored("acme-2025")], **options) as ledger:
        ledger.reencrypt(**WHO)
    with mc.Ledger(tmp_path / "l.db", keys=[mc.stored("acme-2026")], **options) as ledger:
        ledger.verify()
    with (
        pytest.raises(mc.InvalidArgument, match="no token manager"),
        mc.Cleo("https://x.example", auth=mc.stored("acme-2025")) as client,
    ):
        client.connections()
    place = ["--ledger", str(tmp_path / "l.db"), "--high-water", str(tmp_path / "hw"), "--actor", "jane"]
    credentials.save("acme-2027", "LedgerKey", key=credentials.new_key())
    assert main(["ledger", "reencrypt", *place, "--keys", "acme-2027, acme-2026", "--reason", "a year is over"]) == 0
    assert "0 rows" in capsys.readouterr().out
    assert main(["ledger", "verify", *place, "--keys", "acme-2026"]) == 3
    assert "not among those given" in capsys.readouterr().err
    monkeypatch.setenv("MLCONNECTOR_LEDGER_KEYS", "acme-2027")
    assert main(["ledger", "verify", *place]) == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "l.db")) as raw:
        ((note,),) = raw.execute("SELECT value FROM meta WHERE name = 'keys'").fetchall()
    assert os.environ["MLCONNECTOR_ACME_2026_KEY"] not in note
