"""The command line: exit codes that mean something, JSON for machines, nothing written unless told so."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import mlconnector as mc
from mlconnector import cli, credentials
from mlconnector.delivery import Aligning, Entry, Flow, Side
from mlconnector.testing import ManualClock
from tests.delivery.model import START, Desk, Table
from tests.desk import jobs

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "acme.db"


def opened(place: Path) -> mc.Ledger:
    return mc.Ledger(place, actor="nightly job", high_water=place.with_suffix(".high"), clock=ManualClock(START))


@pytest.fixture
def run(place: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*words: str, ledger: bool = True) -> tuple[int, str]:
        given = ["--ledger", str(place), "--high-water", str(place.with_suffix(".high"))] if ledger else []
        code = cli.main([*words, *given])
        told = capsys.readouterr()
        return code, told.out + told.err

    return command


@pytest.fixture
def worked(place: Path) -> Iterator[Flow]:
    """A ledger with one delivery, one parked, and one row that cannot be read."""
    clock = ManualClock(START)
    with opened(place) as ledger:
        table, desk = Table(clock), Desk()
        table.put("1", "Acme")
        table.put("2", "refused")
        table.bad["3"] = ("no name",)
        desk.refuse["refused"] = mc.InvalidDocument("no", faults=["no tax id"])
        aligning = Aligning(
            kind="suppliers",
            link="supplier",
            here=Side(system="erp", read=lambda: [Entry(id="1", name="Acme"), Entry(id="2", name="New")]),
            there=Side(system="desk", read=lambda: [Entry(id="1", name="Acme")]),
            owners={"name": "erp"},
        )
        sync = mc.Sync("f/suppliers", records=mc.Records(table), target=desk, ledger=ledger)
        flow = Flow("f", [sync], ledger=ledger, systems={}, alignings=[aligning])
        flow.run()
        jobs.current.update(flow=flow, desk=desk, table=table, ok=True)
        yield flow
        jobs.current.clear()


def test_the_worklist_says_that_a_person_is_needed(worked: Flow, run: Run) -> None:
    code, text = run("ledger", "worklist")
    assert code == 1
    assert "no tax id" in text
    code, text = run("ledger", "worklist", "--json", "--flow", "f")
    assert {item["key"] for item in json.loads(text)} == {"2", "3"}
    assert run("ledger", "assign", "2", "bob", "--reason", "his", "--actor", "jane") == (0, "1 items are bob's\n")
    assert run("ledger", "worklist", "--owner", "bob", "--json")[0] == 1
    item = worked.ledger.attention()[0].id
    assert run("ledger", "close", str(item), "--reason", "mended")[0] == 0
    assert run("ledger", "close", str(item), "--reason", "mended")[0] == 2
    assert run("ledger", "worklist", "--owner", "nobody") == (0, "nothing is open\n")


def test_what_happened_is_told(worked: Flow, run: Run) -> None:
    code, text = run("ledger", "deliveries", "--state", "delivered")
    assert (code, "delivered" in text) == (0, True)
    code, text = run("ledger", "deliveries", "--json")
    assert {one["state"] for one in json.loads(text)} == {"delivered", "parked"}
    assert "delivered" in run("ledger", "history", "1")[1]
    assert run("ledger", "history", "99")[0] == 1
    assert run("ledger", "orders") == (0, "nothing\n")
    assert run("ledger", "overdue", "--hours", "1")[0] in (0, 1)


def test_evidence_is_checked_without_the_ledger(worked: Flow, run: Run, tmp_path: Path) -> None:
    file = str(tmp_path / "audit.jsonl")
    head = worked.ledger.head()
    assert run("ledger", "verify")[0] == 0
    assert json.loads(run("ledger", "head", "--json")[1]) == head
    assert run("ledger", "export", file)[0] == 0
    words = ("ledger", "verify-export", file)
    assert run(*words, "--head", str(head["number"]), str(head["hash"]), ledger=False)[0] == 0
    assert run(*words, ledger=False)[0] == 0
    text = Path(file).read_text(encoding="utf-8")
    Path(file).write_text(text.replace("Acme", "Acne").replace("no tax id", "no tax ID"), encoding="utf-8")
    assert run(*words, ledger=False)[0] == 3


def test_a_mapping_is_looked_at_and_then_loaded(worked: Flow, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "map.csv"
    file.write_text("kind,erp,desk\nsupplier,2,7\n", encoding="utf-8")
    head = worked.ledger.head()
    code, text = run("crosswalk", "load", str(file), "--preview")
    assert (code, "1 linked" in text, worked.ledger.head()) == (0, True, head)
    assert run("crosswalk", "load", str(file))[0] == 2
    assert run("crosswalk", "load", str(file), "--reason", "ticket 1", "--actor", "jane")[0] == 0
    assert "7" in run("crosswalk", "list", "--kind", "supplier")[1]
    assert worked.ledger.history("")[-1].facts["by"] == "jane"
    file.write_text("kind,erp,desk\nsupplier,2,\n", encoding="utf-8")
    assert run("crosswalk", "load", str(file), "--reason", "r")[0] == 1
    assert run("crosswalk", "export", str(tmp_path / "out.csv"))[0] == 0
    assert "supplier,7,2" in (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert run("crosswalk", "unlink", "supplier", "erp=2", "--reason", "r")[0] == 0
    assert run("crosswalk", "unlink", "supplier", "erp=2", "--reason", "r")[0] == 1
    assert run("crosswalk", "link", "unit", "erp=EA", "desk=each")[0] == 0
    assert run("crosswalk", "link", "unit", "EA", "each")[0] == 2


def test_a_payee_waits_on_the_command_line_too(worked: Flow, run: Run) -> None:
    link = ("crosswalk", "link", "payee", "erp=1", "desk=a", "--four-eyes", "--actor", "jane", "--reason", "new")
    code, text = run(*link)
    assert (code, "wait for a second actor" in text) == (1, True)
    assert run("crosswalk", "waiting")[0] == 1
    (change,) = worked.ledger.crosswalk.waiting()
    confirm = ("crosswalk", "confirm", str(change.number), "--reason", "checked")
    assert run(*confirm, "--actor", "jane")[0] == 2
    assert run(*confirm, "--actor", "bob")[0] == 0
    assert run("crosswalk", "waiting") == (0, "nothing\n")
    run(*(word.replace("erp=1", "erp=2").replace("desk=a", "desk=b") for word in link))
    (change,) = worked.ledger.crosswalk.waiting()
    assert run("crosswalk", "withdraw", str(change.number), "--actor", "jane", "--reason", "typo")[0] == 0


def test_flows_are_named_by_module(worked: Flow, run: Run, tmp_path: Path) -> None:
    wrote = len(jobs.current["desk"].wrote)
    dates = ("--since", "2026-03-01", "--until", "2026-03-31", "--csv", str(tmp_path / "f.csv"))
    code, text = run("reconcile", "tests.desk.jobs:flow", *dates, ledger=False)
    assert (code, "parked" in text) == (1, True)
    assert "no tax id" in (tmp_path / "f.csv").read_text(encoding="utf-8")
    code, text = run("reconcile", "tests.desk.jobs:opened", *dates[:4], "--json", ledger=False)
    assert {one["what"] for one in json.loads(text)["findings"]} == {"parked", "unreadable"}
    instants = ("--since", "2026-02-01T00:00:00+00:00", "--until", "2026-03-01T00:00:00+00:00")
    assert run("reconcile", "tests.desk.jobs:flow", *instants, ledger=False)[0] == 1
    code, text = run("align", "tests.desk.jobs:flow", "--csv", str(tmp_path / "a.csv"), ledger=False)
    assert (code, "missing there" in text) == (0, True)
    assert run("align", "tests.desk.jobs:flow", "--kinds", "units", ledger=False)[0] == 2
    assert run("align", "tests.desk.jobs:flow", "--write", ledger=False)[0] == 2
    assert len(jobs.current["desk"].wrote) == wrote


def test_a_replay_is_shown_first(worked: Flow, run: Run) -> None:
    desk = jobs.current["desk"]
    wrote = len(desk.wrote)
    code, text = run("replay", "tests.desk.jobs:flow", "--dry-run", ledger=False)
    assert (code, "would be parked" in text, len(desk.wrote)) == (1, True, wrote)
    desk.refuse.clear()
    jobs.current["table"].bad.clear()
    assert run("replay", "tests.desk.jobs:flow", "--dry-run", ledger=False)[0] == 0
    assert run("replay", "tests.desk.jobs:flow", ledger=False)[0] == 2
    words = ("replay", "tests.desk.jobs:flow", "--actor", "jane", "--reason", "mended")
    assert run(*words, ledger=False)[0] == 0
    assert len(desk.wrote) == wrote + 1
    assert run(*words, "--delivered", "--keys", "1", "--json", ledger=False)[0] == 0


def test_checks_of_flows_and_clients(worked: Flow, run: Run) -> None:
    assert run("check", "tests.desk.jobs:flow", ledger=False)[0] == 0
    assert run("check", "tests.desk.jobs:client", ledger=False)[0] == 0
    jobs.current["ok"] = False
    assert run("check", "tests.desk.jobs:client", "--json", ledger=False)[0] == 1
    for name in ("nowhere:flow", "tests.desk.jobs:none", "tests.desk.jobs:nothing", "jobs"):
        assert run("check", name, ledger=False)[0] == 2
    assert run("align", "tests.desk.jobs:client", ledger=False)[0] == 2


def test_a_ledger_that_is_not_there_is_not_made(
    run: Run, place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert run("ledger", "head")[0] == 2
    assert not place.exists()
    monkeypatch.delenv("MLCONNECTOR_LEDGER", raising=False)
    assert run("ledger", "head", ledger=False)[0] == 2
    place.write_text("this is no database, and long enough to be taken for one" * 40, encoding="utf-8")
    assert run("ledger", "head")[0] == 3


def test_credentials_are_named_never_shown(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept: dict[str, Any] = {}
    monkeypatch.setattr(credentials, "save", lambda name, kind, **fields: kept.update({name: (kind, fields)}))
    monkeypatch.setattr(credentials, "names", lambda: sorted(kept))
    monkeypatch.setattr(credentials, "delete", kept.pop)
    monkeypatch.setattr(sys, "stdin", io.StringIO("username=jane\npassword=hush=hush\n\n"))
    assert run("credentials", "save", "acme", "basic", ledger=False) == (0, "saved acme\n")
    assert kept["acme"] == ("basic", {"username": "jane", "password": "hush=hush"})
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"typed {prompt}")
    assert run("credentials", "save", "other", "basic", "--fields", "password", ledger=False)[0] == 0
    assert kept["other"][1] == {"password": "typed password: "}
    assert run("credentials", "list", ledger=False) == (0, "acme\nother\n")
    assert run("credentials", "delete", "acme", ledger=False)[0] == 0


def test_a_file_that_cannot_be_had_ends_with_3_and_says_which(
    worked: Flow, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = str(tmp_path / "nowhere" / "audit.jsonl")
    assert run("ledger", "export", nowhere)[0] == 3
    assert run("ledger", "verify-export", nowhere, ledger=False)[0] == 3
    assert run("crosswalk", "load", nowhere)[0] == 3
    assert run("ledger", "verify-export", nowhere, "--head", "first", "0" * 64, ledger=False)[0] == 2


def test_a_call_that_cannot_be_meant_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["ledger", "burn"])
    assert ended.value.code == 2


def test_python_m_mlconnector() -> None:
    ended = subprocess.run([sys.executable, "-m", "mlconnector", "--help"], capture_output=True, text=True, check=True)
    assert "reconcile" in ended.stdout
