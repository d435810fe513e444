"""The ledger: audit, numbers, high water, crosswalk, bindings."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

import mlconnector as mc
from mlconnector.delivery._high_water import default_path
from tests.delivery.model import HOUR, LOST, Desk, Model, Table


def opened(folder: Path, name: str = "ledger.db") -> mc.Ledger:
    return mc.Ledger(folder / name, actor="test", high_water=folder / "hw.json")


def filled(folder: Path) -> None:
    with opened(folder) as ledger:
        table, desk = Table(ledger.clock), Desk()
        table.put("a", "one")
        mc.Sync("s", records=mc.Records(table), target=desk, ledger=ledger).run()
        table.put("a", "two")
        mc.Sync("s", records=mc.Records(table), target=desk, ledger=ledger).run()


def refused(folder: Path, match: str) -> None:
    """It opens, to be read and recovered; nothing is written to it."""
    with opened(folder) as ledger:
        with pytest.raises(mc.LedgerRestored, match=match):
            ledger.bind("another flow", {"a": "x"})
        with pytest.raises(mc.LedgerRestored, match=match):
            ledger.acquire("s", worker="any", length=HOUR)


def test_the_audit_is_a_chain(tmp_path: Path) -> None:
    filled(tmp_path)
    with opened(tmp_path) as ledger:
        count = ledger.verify()
        assert ledger.head()["number"] == count
        assert ledger.export_audit(tmp_path / "audit.jsonl") == count
        lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
        assert lines[-1]["hash"] == ledger.head()["hash"]
        assert [str(event).split()[2] for event in ledger.history("a")][:3] == ["recorded", "intent", "delivered"]
        assert "test" not in repr(ledger.history("a")[0].facts)


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE audit SET facts = '{}' WHERE number = 3",
        "DELETE FROM audit WHERE number = 3",
        "UPDATE audit SET number = 999 WHERE number = 3",
        "INSERT INTO audit SELECT 0, at, actor, token, event, sync, key, facts, hash FROM audit WHERE number = 3",
    ],
)
def test_a_changed_audit_is_noticed(tmp_path: Path, tamper: str) -> None:
    filled(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        raw.execute(tamper)
    raw.close()
    with opened(tmp_path) as ledger, pytest.raises(mc.LedgerError, match="broken at event"):
        ledger.verify()


def test_numbers_are_reserved_outside_before_they_are_used(tmp_path: Path) -> None:
    seen: list[dict[str, int]] = []
    with opened(tmp_path) as ledger:
        table, desk = Table(ledger.clock), Desk()
        desk.inside = lambda _batch: seen.append(json.loads((tmp_path / "hw.json").read_text())["ceilings"])
        table.put("a", "one")
        mc.Sync("s", records=mc.Records(table), target=desk, ledger=ledger).run()
    assert seen == [{"interchange": 101, "group": 101}]
    kept = json.loads((tmp_path / "hw.json").read_text())
    assert kept["ceilings"] == {"interchange": 1, "group": 1}
    assert kept["number"] > 0


def test_a_run_that_died_leaves_its_reserved_numbers_unused_and_its_ledger_the_only_one(tmp_path: Path) -> None:
    filled(tmp_path)
    with opened(tmp_path) as ledger:
        ledger.backup(tmp_path / "old.db")
        table, desk = Table(ledger.clock), Desk()
        table.put("b", "one")
        desk.script = [("after", KeyboardInterrupt())]
        ledger.store.checkpoint = lambda **_options: None
        with pytest.raises(KeyboardInterrupt):
            mc.Sync("t", records=mc.Records(table), target=desk, ledger=ledger).run()
    with opened(tmp_path) as ledger:
        table.put("c", "two")
        mc.Sync("u", records=mc.Records(table).only(["c"]), target=desk, ledger=ledger).run()
        assert [one.interchange for one in ledger.deliveries(key="c")] == [104]
    for tail in ("", "-wal", "-shm"):
        Path(f"{tmp_path}/ledger.db{tail}").unlink(missing_ok=True)
    (tmp_path / "old.db").rename(tmp_path / "ledger.db")
    refused(tmp_path, "older")


def test_a_ledger_put_back_from_a_backup_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.bind("f", {"a": "x"})
        ledger.backup(tmp_path / "old.db")
    filled(tmp_path)
    for tail in ("", "-wal", "-shm"):
        Path(f"{tmp_path}/ledger.db{tail}").unlink(missing_ok=True)
    (tmp_path / "old.db").rename(tmp_path / "ledger.db")
    refused(tmp_path, "older")


def test_a_lost_ledger_is_refused_and_leaves_no_new_one_behind(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "ledger.db").unlink()
    refused(tmp_path, "lost")
    assert not (tmp_path / "ledger.db").exists()


def test_a_ledger_without_its_high_water_file_is_refused_once_it_has_taken_numbers(tmp_path: Path) -> None:
    opened(tmp_path).close()
    (tmp_path / "hw.json").unlink()
    opened(tmp_path).close()
    filled(tmp_path)
    (tmp_path / "hw.json").unlink()
    refused(tmp_path, "gone")


def test_the_high_water_file_lies_in_the_state_directory_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with mc.Ledger(tmp_path / "l.db", actor="test"):
        place = default_path(tmp_path / "l.db")
        assert place.parent == tmp_path / "state" / "mlconnector"
        assert place.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "l.db").stat().st_mode & 0o777 == 0o600


def test_what_is_no_ledger_or_a_newer_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is no database, and long enough to be seen as none" * 20)
    with pytest.raises(mc.LedgerError, match="cannot be used"):
        mc.Ledger(tmp_path / "text.db", actor="test", high_water=tmp_path / "x")
    opened(tmp_path).close()
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        raw.execute("PRAGMA user_version=99")
    raw.close()
    with pytest.raises(mc.LedgerError, match="form 99"):
        opened(tmp_path)


@pytest.mark.parametrize(
    "options",
    [
        {"path": "postgresql://x"},
        {"path": "postgresql://[", "high_water": "x"},
        {"actor": " "},
        {"retain_years": -1},
        {"retain_years": True},
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(mc.InvalidArgument):
        mc.Ledger(**{"path": ":memory:", "actor": "test", **options})


def test_a_flow_is_bound_to_its_systems(model: Model) -> None:
    model.ledger.bind("f", {"jde": "https://a", "cleo": "https://b"})
    model.ledger.bind("f", {"jde": "https://a"})
    with pytest.raises(mc.LedgerMismatch, match="another name="):
        model.ledger.bind("f", {"jde": "https://other"})
    assert model.ledger.rename_origin("https://a", "https://other") == 1
    model.ledger.bind("f", {"jde": "https://other"})


def test_deliveries_are_found_by_what_they_are(model: Model) -> None:
    model.table.put("a", "one")
    model.sync().run()
    model.clock.advance(HOUR)
    model.desk.refuse = {"bad": mc.InvalidDocument("no")}
    model.table.put("b", "bad")
    model.sync().run()
    ledger = model.ledger
    assert [one.key for one in ledger.deliveries(flow="s", kind="suppliers")] == ["a", "b"]
    assert ledger.deliveries(flow="other") == []
    assert [one.key for one in ledger.deliveries(state="parked", key="b")] == ["b"]
    assert [one.key for one in ledger.deliveries(older_than=HOUR)] == ["a"]
    assert ledger.deliveries(key="a")[0].document.name == "one"
    assert ledger.payload(ledger.deliveries(key="b")[0]) == b""
    assert repr(ledger) == f"Ledger({ledger.store.name!r}, actor='test')"


def test_orders_show_newest_and_last_sent_revision(model: Model) -> None:
    sync = model.sync(kind="purchase_orders")
    model.table.put("a", "one")
    sync.run()
    model.desk.script, model.desk.hidden = [("before", LOST)], True
    model.table.put("a", "two")
    sync.run()
    (order,) = model.ledger.orders()
    assert (order.key, order.revision, order.sent_revision, order.state) == ("a", 2, 1, "in doubt")


def test_the_crosswalk_links_finds_and_never_joins_by_guess(model: Model) -> None:
    walk = model.ledger.crosswalk
    walk.link("supplier", jdedwards="4343", coupa="128", actor="jane", reason="same")
    walk.link("supplier", jdedwards="4343", bill="00n")
    assert walk.find("supplier", jdedwards="4343") == {"jdedwards": "4343", "coupa": "128", "bill": "00n"}
    assert walk.find("supplier", coupa="128", to="bill") == "00n"
    assert walk.find("supplier", coupa="999") is None
    assert walk.find("account", coupa="128", to="bill") is None
    walk.link("supplier", jdedwards="1", coupa="2")
    for wrong in ({"jdedwards": "4343", "coupa": "2"}, {"jdedwards": "4343", "coupa": "77"}, {"jdedwards": "5"}):
        with pytest.raises(mc.InvalidArgument):
            walk.link("supplier", **wrong)
    with pytest.raises(mc.InvalidArgument):
        walk.find("supplier")
    exported = walk.export()
    assert walk.unlink("supplier", jdedwards="1")
    assert not walk.unlink("supplier", jdedwards="1")
    assert len(walk.links("supplier")) == 1
    with mc.Ledger(":memory:", actor="other") as fresh:
        assert fresh.crosswalk.load(exported, reason="moved") == 2
        assert fresh.crosswalk.export() == exported


def test_control_numbers_that_are_used_up_are_refused_with_a_cure() -> None:
    assert mc.ControlNumbers(5, 6).next() == mc.ControlNumbers(6, 7)
    with pytest.raises(mc.InvalidArgument, match="restart"):
        mc.ControlNumbers(999_999_999).next()
