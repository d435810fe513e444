"""What goes wrong beneath the ledger is told clearly, and nothing is silently wrong after it."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.delivery import Message, _file_system, _store
from mlconnector.delivery._high_water import HighWater
from mlconnector.delivery._schema import FORMS
from mlconnector.delivery._sqlite import SQLite
from tests.delivery.homes import Home
from tests.delivery.model import HOUR, LOST, START, Desk, Model, Table


def filled(place: Home, *, documents: int = 3) -> tuple[Table, Desk]:
    table, desk = Table(place.clock), Desk()  # type: ignore[arg-type]  # a ManualClock
    for number in range(documents):
        table.put(f"{number:03}", "one")
    with place.open() as ledger:
        Model(place.clock, table, desk, ledger).sync().run()  # type: ignore[arg-type]  # a ManualClock
    return table, desk


def test_a_backup_is_made_while_a_worker_writes_and_is_whole(place: Home) -> None:
    filled(place)
    stop = threading.Event()

    def work() -> None:
        with place.open() as busy:
            while not stop.is_set():
                with busy.store.transaction() as transaction:
                    transaction.audit("busy")

    worker = threading.Thread(target=work)
    with place.open() as ledger:
        worker.start()
        try:
            ledger.backup(place.folder / "copy.db")
        finally:
            stop.set()
            worker.join()
        events = ledger.verify()
        with pytest.raises(mc.InvalidArgument, match="exists"):
            ledger.backup(place.folder / "copy.db")
    assert stat.S_IMODE((place.folder / "copy.db").stat().st_mode) == 0o600
    with mc.Ledger(place.folder / "copy.db", actor="test", high_water=place.folder / "other") as copy:
        # Its own high-water file is missing, which is why it may only be read.
        with pytest.raises(mc.LedgerRestored):
            copy.bind("f", {"a": "x"})
        assert 0 < copy.verify() < events
        assert len(copy.deliveries()) == 3
        copy.backup(place.folder / "copy of the copy.db")


def test_a_ledger_put_back_is_noticed_even_where_nothing_happened_since(place: Home) -> None:
    filled(place)
    with place.open() as ledger:
        ledger.backup(place.folder / "copy.db")
    place.put_back(place.folder / "copy.db")
    with place.open() as ledger, pytest.raises(mc.LedgerRestored, match="older"):
        ledger.acquire("s", worker="any", length=HOUR)


def test_a_run_that_dies_without_a_word_still_makes_every_copy_before_it_an_older_one(place: Home) -> None:
    """A file copied by other means than ``backup``: the run after it has told the high-water file that it began."""
    filled(place)
    with place.open() as ledger:
        ledger.backup(place.folder / "copy.db")
        ledger.store.checkpoint()
        before = json.loads(place.high_water.read_text())["number"]
        ledger.acquire("s", worker="killed", length=HOUR)
    assert json.loads(place.high_water.read_text())["number"] > before


def test_a_ledger_of_the_first_form_is_brought_to_the_newest(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as raw:
        raw.executescript((Path(__file__).parent / "ledger_of_form_1.sql").read_text())
    options: dict[str, Any] = {"actor": "new", "high_water": tmp_path / "hw"}
    with mc.Ledger(tmp_path / "old.db", **options) as ledger:
        assert ledger.verify() == 15
        states = [(one.key, one.revision, one.state) for one in ledger.deliveries()]
        assert states == [("a", 1, "delivered"), ("b", 1, "delivered"), ("a", 2, "in doubt")]
        assert ledger.crosswalk.find("supplier", jdedwards="4343", to="coupa") == "128"
        # An old file without its high-water file has taken numbers: recovered, it goes on.
        ledger.recover(actor="jane", reason="moved to another machine")
        ledger.hold("a", actor="jane", reason="tried")
        with contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as raw:
            assert raw.execute("PRAGMA user_version").fetchone() == (len(FORMS),)
    with contextlib.closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript("".join(FORMS))
        with contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as raw:
            for (table,) in fresh.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                columns = f"SELECT name, type FROM pragma_table_info('{table}')"
                assert raw.execute(columns).fetchall() == fresh.execute(columns).fetchall()


@pytest.mark.parametrize("form", range(1, len(FORMS)))
def test_a_ledger_of_each_form_is_brought_to_the_newest_on_both_databases(
    place: Home, form: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(_store, "FORMS", FORMS[:form])
        place.open().close()
    with place.open() as ledger:
        model = Model(place.clock, Table(place.clock), Desk(), ledger)  # type: ignore[arg-type]  # a ManualClock
        model.table.put("a", "one")
        assert model.sync().run().kinds["suppliers"].delivered == 1
        ledger.inbox.store("in", "f", b"x", [Message(identity="1")])
        ledger.hold("a", actor="jane", reason="tried")
        assert ledger.verify() > 0
        ledger.backup(place.folder / "copy.db")


def test_a_newer_form_is_refused_by_name_and_left_alone(place: Home) -> None:
    filled(place)
    if place.database == "sqlite":
        place.alter("PRAGMA user_version = 99")
    else:
        place.alter("UPDATE meta SET value = '99' WHERE name = 'form'")
    with pytest.raises(mc.LedgerError, match=rf"form 99, this library knows {len(FORMS)}.*Update mlconnector"):
        place.open()


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_network_file_systems_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    share = tmp_path / "the share"
    share.mkdir()
    place = str(share).replace(" ", "\\040")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:40 / {place} rw shared:1 - {kind} server:/x rw\n")
    monkeypatch.setattr(_file_system, "MOUNTS", mounts)
    with pytest.raises(mc.LedgerError, match=rf"\({kind}\).*PostgreSQL"):
        mc.Ledger(share / "l.db", actor="test", high_water=tmp_path / "hw")
    assert not list(share.iterdir())
    mc.Ledger(tmp_path / "l.db", actor="test", high_water=tmp_path / "hw").close()
    monkeypatch.setattr(_file_system, "MOUNTS", tmp_path / "no such file")
    mc.Ledger(share / "l.db", actor="test", high_water=tmp_path / "hw2").close()


def test_a_share_of_windows_is_refused() -> None:
    from pathlib import PureWindowsPath

    with pytest.raises(mc.LedgerError, match="network share"):
        _file_system.refuse_network(PureWindowsPath(r"\\server\share\l.db"))  # type: ignore[arg-type]  # as on Windows


_WORK = """
import sys, resource, signal
import mlconnector as mc
from mlconnector.testing import ManualClock
from tests.delivery.model import START, Desk, Model, Table

path, high_water, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
clock = ManualClock(START)
with mc.Ledger(path, actor="test", high_water=high_water, clock=clock) as ledger:
    model = Model(clock, Table(clock), Desk(), ledger)
    for number in range(2000):
        model.table.put(f"{number:05}", "one")
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        model.sync().run()
    except mc.LedgerError as error:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print("told:", error)
    print("wrote", len(model.desk.wrote), "closed", len(ledger.deliveries(state="delivered")), ledger.verify() > 0)
"""


def test_a_full_disk_is_told_and_nothing_is_sent_that_is_not_kept(tmp_path: Path) -> None:
    """A limit on the size of files is met as a full disk is."""
    command = [sys.executable, "-c", _WORK, str(tmp_path / "l.db"), str(tmp_path / "hw"), "700000"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": "."})
    assert "told:" in done.stdout, done.stdout + done.stderr
    assert "makes room" in done.stdout or "looks after its disk" in done.stdout
    last = done.stdout.splitlines()[-1].split()
    wrote, closed = int(last[1]), int(last[3])
    assert last[4] == "True"
    # What was sent when the disk filled up is at most the one whose answer could not be written down.
    assert closed <= wrote <= closed + 1


def test_a_disk_too_full_for_the_high_water_file_stops_before_a_number_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mc.Ledger(tmp_path / "l.db", actor="test", high_water=tmp_path / "hw" / "file") as ledger:
        kept = (tmp_path / "hw" / "file").read_text()

        def full(_handle: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(mc.LedgerError, match=r"cannot be written \(No space left on device\)"):
            with ledger.store.transaction() as transaction:
                transaction.take("interchange")
        monkeypatch.undo()
        assert (tmp_path / "hw" / "file").read_text() == kept
        assert [one.name for one in (tmp_path / "hw").iterdir()] == ["file"]
        with ledger.store.transaction() as transaction:
            assert transaction.take("interchange") == 1


def test_a_read_only_file_is_told(place: Home) -> None:
    filled(place)
    if place.database == "postgres":
        schema = place.path.rpartition("%3D")[2]
        place.path += "%20-cdefault_transaction_read_only%3Don"
        # A write transaction asks for what it needs; only a right that is missing stops it.
        place.open().close()
        place.path = place.path.replace("%20-cdefault_transaction_read_only%3Don", "")
        place.alter(
            f"CREATE OR REPLACE FUNCTION {schema}.no() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'secret row'; END $$",
            "CREATE TRIGGER no BEFORE INSERT ON audit FOR EACH STATEMENT EXECUTE FUNCTION no()",
        )
        with place.open() as ledger, pytest.raises(mc.LedgerError, match="SQLSTATE P0001") as caught:
            ledger.acquire("s", worker="any", length=HOUR)
        assert "secret" not in str(caught.value)
        assert caught.value.fault == "administrator"
        return
    with tempfile.TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o755)
        copy = Path(open_to_all) / "l.db"
        shutil.copy(place.path, copy)
        copy.chmod(0o444)
        code = "import os, sys; import mlconnector as mc; mc.Ledger, mc.testing\n"
        code += "if os.getuid() == 0: os.setuid(65534)\nmc.Ledger(sys.argv[1], actor='t', high_water='/x')"
        done = subprocess.run(
            [sys.executable, "-c", code, str(copy)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": "."},
        )
    assert "LedgerError" in done.stderr, done.stderr
    assert "writable" in done.stderr


def test_a_corrupted_page_is_told_by_use_and_by_verify(tmp_path: Path) -> None:
    clock = mc.testing.ManualClock(START)
    place = Home("sqlite", tmp_path, str(tmp_path / "l.db"), clock)
    filled(place, documents=200)
    with contextlib.closing(sqlite3.connect(place.path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = raw.execute("PRAGMA page_size").fetchone()[0]
        root = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'deliveries'").fetchone()[0]
    content = bytearray(Path(place.path).read_bytes())
    content[(root - 1) * page : root * page] = os.urandom(8) * (page // 8)
    Path(place.path).write_bytes(bytes(content))
    with place.open() as ledger:
        with pytest.raises(mc.LedgerError, match=r"malformed.*newest backup"):
            ledger.deliveries()
        with pytest.raises(mc.LedgerError, match=r"(damaged|malformed).*newest backup"):
            ledger.verify()


@pytest.mark.parametrize(
    ("statement", "match"),
    [
        ("UPDATE deliveries SET document = replace(document, 'one', 'two') WHERE key = '001'", "001 revision 1"),
        ("UPDATE deliveries SET payload = document WHERE key = '002'", "002 revision 1"),
    ],
)
def test_a_changed_byte_of_what_is_kept_is_noticed(place: Home, statement: str, match: str) -> None:
    filled(place)
    if place.database == "postgres":
        statement = statement.replace("payload = document", "payload = convert_to(document, 'UTF8')")
    place.alter(statement)
    with place.open() as ledger, pytest.raises(mc.LedgerError, match=match):
        ledger.verify()


class _SetBack:
    def __init__(self, clock: Any) -> None:
        self.clock, self.behind = clock, dt.timedelta(0)

    def now(self) -> dt.datetime:
        now: dt.datetime = self.clock.now() - self.behind
        return now

    def monotonic(self) -> float:
        seconds: float = self.clock.monotonic()
        return seconds

    def sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)


def test_a_clock_set_back_an_hour_makes_waits_longer_never_shorter(
    place: Home, caplog: pytest.LogCaptureFixture
) -> None:
    manual: Any = place.clock
    clock = place.clock = _SetBack(manual)
    table, desk = Table(manual), Desk()
    table.put("a", "one")
    desk.script = [("before", LOST)]
    with place.open() as ledger:
        sync = Model(manual, table, desk, ledger).sync()
        sync.run()
        clock.behind = HOUR
        manual.advance(dt.timedelta(minutes=20))
        with caplog.at_level(logging.WARNING, "mlconnector.delivery"):
            assert sync.run().kinds["suppliers"].in_doubt == 1
        assert "behind the last event" in caplog.text
        assert desk.wrote == []
        manual.advance(HOUR)
        assert sync.run().kinds["suppliers"].delivered == 1
        assert desk.wrote == [("a", "one|1|1")]
        assert any(row["event"] == "clock set back" for row in ledger.store.read("SELECT event FROM audit"))
        ledger.verify()
        lease = ledger.acquire("other", worker="first", length=HOUR)
        clock.behind = 2 * HOUR
        with pytest.raises(mc.LeaseLost, match="ends at"):
            ledger.acquire("other", worker="second", length=HOUR)
        ledger.release(lease)


def test_two_workers_share_one_high_water_file_without_taking_its_promises_back(place: Home) -> None:
    with place.open() as first, place.open() as second:
        with first.store.transaction() as transaction:
            assert transaction.take("n") == 1
        with second.store.transaction() as transaction:
            assert transaction.take("n", 150) == 2
        assert json.loads(place.high_water.read_text())["ceilings"] == {"n": 251}
        first.store.checkpoint()
        assert json.loads(place.high_water.read_text())["ceilings"] == {"n": 151}
        with second.store.transaction() as transaction:
            assert transaction.take("n") == 152
        assert json.loads(place.high_water.read_text())["ceilings"] == {"n": 252}
        with first.store.transaction() as transaction:
            assert transaction.take("n") == 153


def test_a_high_water_file_that_cannot_be_read_is_refused_with_a_cure(place: Home) -> None:
    filled(place)
    for content in ("{", "[]", '{"ledger": "x"}'):
        place.high_water.write_text(content)
        with pytest.raises(mc.LedgerError, match="puts it back from a backup"):
            place.open()


def test_a_high_water_file_that_vanishes_is_written_again(tmp_path: Path) -> None:
    kept = HighWater(tmp_path / "hw", "id", 1)
    kept.save()
    (tmp_path / "hw").unlink()
    assert not kept.refresh()
    kept.save()
    assert HighWater.load(tmp_path / "hw") is not None


def test_a_ledger_where_nothing_can_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(mc.LedgerError, match="folder that exists"):
        mc.Ledger(tmp_path / "no" / "such" / "folder.db", actor="test", high_water=tmp_path / "hw")
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_an_empty_file_in_the_place_of_a_lost_ledger_is_refused_and_left(tmp_path: Path) -> None:
    place = Home("sqlite", tmp_path, str(tmp_path / "l.db"), mc.testing.ManualClock(START))
    filled(place)
    place.lose()
    Path(place.path).touch()
    with place.open() as ledger, pytest.raises(mc.LedgerRestored, match="lost"):
        ledger.bind("f", {"a": "x"})
    assert Path(place.path).exists()


def test_what_was_undone_already_is_not_undone_twice(tmp_path: Path) -> None:
    """A disk that fills up can make SQLite undo a transaction by itself."""
    database = SQLite(str(tmp_path / "l.db"))
    with pytest.raises(mc.LedgerError, match="no transaction is active"), database.exclusive():
        database.execute("ROLLBACK")
    database.close()
