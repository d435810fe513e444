"""No block of code on a page is exempt from being run without a reason that stands here."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from tests.docs.stage import ROOT, Stage, blocks

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN_BY = {
    "python": "test_pages.py; x12.md and operations.md by tests of their own",
    "console": "tests/desk/test_docs.py",
    "toml": "tests/x12/test_docs.py",
    "json": "below",
    "text": "pictures of the data's way, and what programs print",
}
SHELL = {
    "pip install . && python -m mlconnector.demo": "the first command, from a clean environment in .ci/run",
    'pip install -e ".[dev]" && pytest': "the test command, likewise",
    "python3 -m venv .venv && . .venv/bin/activate": "the environment itself",
    "pip install .": "in .ci/run",
    "python -m mlconnector.demo": "in .ci/run",
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_of_a_kind_that_is_run(page: Path) -> None:
    text = page.read_text("utf-8")
    fences = re.findall(
        r"^```([a-z]*)\n(.*?)^```$", re.sub(r"^```\{.*?^```$", "", text, flags=re.S | re.M), re.S | re.M
    )
    for language, code in fences:
        if language:
            assert language in RUN_BY, (page.name, language)
        else:
            assert set(code.splitlines()) <= set(SHELL), (page.name, code)
        if language == "text":
            assert not re.search(r"^\s*(?:import|from|def|with|for) ", code, re.MULTILINE), code


def test_the_test_payload_of_an_orchestration_is_taken(tmp_path: Path) -> None:
    (payload,) = blocks(ROOT / "docs" / "setup" / "jdedwards.md", "json")
    with Stage(tmp_path) as stage:
        inputs = json.loads(payload, parse_float=Decimal)
        before = len(stage.erp.contents["F0411"])
        stage.room["jde"].run_orchestration("ML_CreateAPVoucher", inputs)
        (made,) = stage.erp.contents["F0411"][before:]
        assert str(made["VINV"]).strip() == inputs["InvoiceNumber"]
