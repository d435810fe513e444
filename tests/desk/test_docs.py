"""docs/operations.md says what can be done: its programs run on the story's systems, its commands parse."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from mlconnector import cli
from tests.desk.conftest import Office
from tests.desk.test_story import mapping, master_data, month

TEXT = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_page_is_the_story(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    office.furnish(month(office))
    master_data(office)
    office.clock.advance(dt.timedelta(hours=1))
    office.flow().run()
    mapping(office, Path("mapping.csv"))
    room: dict[str, Any] = {"jde": office.jde, "bill": office.bill, "given": contextlib.nullcontext(office.ledger)}
    for program in blocks("python"):
        here = program.replace('ledger = mc.Ledger("acme.db", actor="jane")', "ledger = given.enter_result")
        exec(here.replace('"acme.db"', '":memory:"'), room)
    told = capsys.readouterr().out
    assert "18566.27 USD" in told
    assert "18566.27 USD" in TEXT
    assert "3 linked, 0 changed, 0 unchanged, 0 refused; nothing written" in told
    assert "closes, 0 findings" in told
    assert room["flow"].align().empty
    assert {one.state for one in office.ledger.deliveries(kind="invoices")} >= {"delivered"}
    assert not office.ledger.worklist.items()
    assert Path("audit.jsonl").exists()


@pytest.mark.parametrize("line", [line for block in blocks("console") for line in block.splitlines()])
def test_commands_parse(line: str) -> None:
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "mlconnector"]
    assert callable(cli.parser().parse_args(words[3:]).command)
