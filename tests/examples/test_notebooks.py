"""The notebooks run, their stored outputs are those of a run, and hold no secret and no place of a machine."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from mlconnector.testing import BILLSimulator, CoupaSimulator, JDEdwardsSimulator

NOTEBOOKS = Path(__file__).parent.parent.parent / "examples" / "notebooks"
NAMES = ("open_vouchers.ipynb", "an_850_explained.ipynb", "month_end.ipynb")
LARGEST = 200_000


def build() -> Any:
    spec = importlib.util.spec_from_file_location("build_notebooks", NOTEBOOKS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def outputs(notebook: nbformat.NotebookNode) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def said(notebook: nbformat.NotebookNode) -> list[Any]:
    """Everything but pictures, which differ with the version of the library that draws them."""
    found = []
    for output in outputs(notebook):
        data = {kind: text for kind, text in output.get("data", {}).items() if kind != "image/png"}
        found.append((output.output_type, sorted(output.get("data", {})), output.get("text"), data.get("text/html")))
    return found


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel is a process of its own and finds the library where this one does."""
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOKS.parent.parent))


def test_every_notebook_is_built() -> None:
    assert set(build().NAMES) == set(NAMES) == {path.name for path in NOTEBOOKS.glob("*.ipynb")}


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_and_says_what_is_stored(name: str) -> None:
    stored = nbformat.read(NOTEBOOKS / name, as_version=4)
    assert said(build().execute(name)) == said(stored)


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_notebook_is_whole_small_and_tells_nothing_of_a_machine(name: str) -> None:
    text = (NOTEBOOKS / name).read_text()
    stored = nbformat.reads(text, as_version=4)
    assert len(text) < LARGEST
    codes = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in codes] == list(range(1, len(codes) + 1))
    assert not [
        one for one in outputs(stored) if one.output_type in ("error", "stream") and one.get("name") != "stdout"
    ]
    shown = "".join(str(one) for one in outputs(stored))
    for secret in {one.password for one in (JDEdwardsSimulator, BILLSimulator, CoupaSimulator)}:
        assert secret not in text
    assert not re.search(r"Bearer |sessionId|127\.0\.0\.1:\d|/home/|/root/|/tmp/|/Users/|C:\\\\|site-packages", text)
    assert not re.search(r"\d{2}-\d{7}", shown), "a tax id"


def test_two_of_them_draw() -> None:
    drawn = {
        name: sum("image/png" in one.get("data", {}) for one in outputs(nbformat.read(NOTEBOOKS / name, as_version=4)))
        for name in NAMES
    }
    assert drawn == {"open_vouchers.ipynb": 1, "an_850_explained.ipynb": 0, "month_end.ipynb": 1}
