"""The door for authors holds what it names, each with its documentation, and loads no vendor."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

from mlconnector import kit

ROOT = Path(__file__).parent.parent


def test_every_name_is_there_and_documented() -> None:
    for name in kit.__all__:
        value = getattr(kit, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), name
    assert kit.Client.__name__ == "HTTPClient"


def test_every_group_of_names_is_told() -> None:
    told = inspect.getdoc(kit) or ""
    untold = {"NoCrosswalk", "Document", "ClientAuth", "RawAnswer", "RequestsTransport", "Send"}
    for name in set(kit.__all__) - untold:
        assert f"``{name}``" in told, name


def test_it_loads_no_vendor_and_no_engine() -> None:
    code = """
import sys, mlconnector.kit
rooms = ("jdedwards", "fusion", "peoplesoft", "cleo", "coupa", "bill", "delivery", "flows", "testing", "x12")
loaded = [name for name in sys.modules if name.startswith(tuple(f"mlconnector.{room}" for room in rooms))]
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
