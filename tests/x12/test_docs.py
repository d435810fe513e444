"""The examples of the analyst's page run as they stand."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import attrs

from mlconnector import x12

PAGE = (Path(__file__).parents[2] / "docs" / "x12.md").read_text("utf-8")


def blocks(language) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_examples_run(capsys):
    room = {}
    for block in blocks("python"):
        exec(compile(block, "docs/x12.md", "exec"), room)
    assert "850 Purchase Order" in capsys.readouterr().out
    assert [ts.code for ts in x12.read(room["reply"])] == ["TA1", "997"]


def test_the_profile_loads():
    (block,) = blocks("toml")
    assert x12.Partner.load(tomllib.loads(block)).unit_codes["CS"] == "CA"


def test_every_setting_and_every_mapper_is_named():
    for field in attrs.fields(x12.Partner):
        assert f"`{field.name}" in PAGE, field.name
    for name in x12.__all__:
        if name.startswith(("to_", "from_")):
            assert f"`{name}" in PAGE, name
