"""The code on the pages runs, every page is in the site, and every link leads somewhere."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mlconnector as mc
from tests.docs.stage import ROOT, Stage, blocks

DOCS = ROOT / "docs"
# X12's page and the operator's have their own tests, which look at what the code prints.
PAGES = [
    ROOT / "README.md",
    *sorted(page for page in DOCS.rglob("*.md") if page.name not in ("x12.md", "operations.md") and blocks(page)),
]


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # files that a page writes
    with Stage(tmp_path) as stage:
        if page.name == "delivery.md":
            stage.leave_in_doubt(4711)
        stage.run(page)


def test_the_first_order_takes_three_commands_and_ten_lines_and_nothing_else(tmp_path: Path) -> None:
    """The first block of the quickstart, in a process that has nothing but the library."""
    page = (DOCS / "quickstart.md").read_text()
    commands = re.findall(r"^```\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[0].splitlines()
    first = blocks(DOCS / "quickstart.md")[0]
    assert len(commands) <= 3
    assert len([line for line in first.splitlines() if line.strip()]) <= 10
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", first],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(r"^purchase_orders +3 +3 ", done.stdout, re.MULTILINE)
    assert "BEG*00*SA*50001**" in done.stdout
    assert not done.stderr


def test_every_page_is_in_the_site() -> None:
    listed = set(re.findall(r"^(?:[\w ]+ <)?([\w/]+)>?$", (DOCS / "index.md").read_text(), re.MULTILINE))
    pages = {str(page.relative_to(DOCS).with_suffix("")) for page in DOCS.rglob("*.md")} - {"index"}
    assert listed == pages


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))], ids=lambda page: page.name)
def test_links_and_included_files_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text):
        assert (page.parent / link).exists(), link
    for included in re.findall(r"^```\{(?:literalinclude|include)\} (\S+)", text, re.MULTILINE):
        assert (page.parent / included).exists(), included
    if page.name == "jobs.md":
        for example in re.findall(r"`(\w+\.(?:py|cron|service|timer))`", text):
            assert (ROOT / "examples" / example).exists(), example


def test_the_api_page_names_every_room() -> None:
    text = (DOCS / "api.md").read_text()
    for name in mc.__all__:
        value = getattr(mc, name)
        home = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", "mlconnector.clock")
        room = home.split(".")[1]
        assert f"mlconnector.{room}" in text, room
