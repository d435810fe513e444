"""The front door: every name is there, loads late, and importing the package does nothing else."""

from __future__ import annotations

import inspect
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mlconnector as mc
from mlconnector import errors

ROOT = Path(__file__).parent.parent


def test_every_name_is_there_and_documented() -> None:
    for name in mc.__all__:
        assert inspect.getdoc(getattr(mc, name)), name
    assert set(mc.__all__) <= set(dir(mc))
    with pytest.raises(AttributeError, match="nothing"):
        mc.nothing  # noqa: B018 - the look-up is the test


@pytest.mark.parametrize(
    "room",
    [
        "auth",
        "cleo",
        "credentials",
        "delivery",
        "documents",
        "flows",
        "frames",
        "fusion",
        "http",
        "jdedwards",
        "peoplesoft",
        "webhooks",
        "x12",
    ],
)
def test_every_door_has_what_it_names(room: str) -> None:
    module = __import__(f"mlconnector.{room}", fromlist=["x"])
    for name in module.__all__:
        assert hasattr(module, name), f"{room}.{name}"


def test_importing_loads_no_vendor_and_nothing_heavy() -> None:
    code = """
import sys, logging, mlconnector
heavy = {"requests", "keyring", "cryptography", "pandas", "sqlite3", "tqdm", "opentelemetry"}
vendors = tuple(f"mlconnector.{name}" for name in ("jdedwards", "fusion", "peoplesoft", "cleo", "coupa", "bill"))
loaded = [name for name in sys.modules if name.split(".")[0] in heavy or name.startswith(vendors)]
assert not loaded, loaded
assert not logging.getLogger().handlers
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_lower_rooms_never_import_higher_ones() -> None:
    rank = {name: number for number, names in enumerate(_ORDER) for name in names}
    for path in (ROOT / "mlconnector").rglob("*.py"):
        room = path.relative_to(ROOT / "mlconnector").parts[0].removesuffix(".py")
        if room not in rank:
            continue
        for line in path.read_text().splitlines():
            found = re.match(r"(?:from|import) mlconnector\.(\w+)", line)
            if found and found[1] in rank and found[1] != room:
                assert rank[found[1]] < rank[room], f"{path.name}: {line}"


_ORDER = [
    ["errors", "_watching"],
    ["clock", "check", "documents"],
    ["event"],
    ["_cursor", "_read_ahead"],
    ["records"],
    ["target"],
    ["credentials_"],
    ["http"],
    ["frames"],
    ["auth"],
    ["x12"],
    ["jdedwards", "fusion", "peoplesoft", "cleo", "coupa", "bill"],
    ["delivery"],
    ["webhooks"],
    ["flows", "otel", "progress"],
]


@pytest.mark.parametrize("name", errors.__all__)
def test_errors_pickle_say_who_and_what_to_do(name: str) -> None:
    cls = getattr(errors, name)
    if not isinstance(cls, type):
        return
    error = cls("It happened.", cure="Mend it.", status=500, system="test")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.fault, again.repeat_safe, again.status) == (
        cls,
        "It happened. Cure: Mend it.",
        error.fault,
        error.repeat_safe,
        500,
    )
    assert cls.__doc__
    assert cls("x", fault="network", repeat_safe=True).repeat_safe


def test_document_errors_list_every_fault() -> None:
    error = mc.InvalidDocument("No.", faults=("one", "two"), cure="Mend.")
    assert str(error) == "No. one; two Cure: Mend."
    assert mc.InvalidDocument("No.").faults == ("No.",)


def test_the_readme_job_runs_as_it_stands() -> None:
    """The ten lines, with the simulators' addresses and logins in place of the example's."""
    from mlconnector.testing import CleoSimulator, JDEdwardsSimulator, orders

    (block,) = [
        text
        for text in re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
        if "flow.run()" in text
    ]
    with JDEdwardsSimulator() as erp, CleoSimulator() as network:
        erp.add(orders(3, suppliers=1))
        for old, new in (
            ("https://ais.example:9302", erp.url),
            ('"USER", "password"', f"{erp.username!r}, {erp.password!r}"),
            ("https://tenant.example", network.url),
            ('"user", "password"', f"{network.username!r}, {network.password!r}"),
            ('"acme.db"', '":memory:"'),
        ):
            assert old in block
            block = block.replace(old, new)
        names: dict[str, object] = {}
        exec(compile(block, "README.md", "exec"), names)
        assert len(network.uploads) == 3
        for name in ("jde", "cleo", "ledger"):
            names[name].close()


def test_the_nightly_example_runs_with_credentials_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import runpy

    from mlconnector.testing import CleoSimulator, JDEdwardsSimulator, orders

    with JDEdwardsSimulator() as erp, CleoSimulator() as network:
        erp.add(orders(2, suppliers=1))
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        monkeypatch.setenv("ACME_LEDGER", str(tmp_path / "acme.db"))
        for name, kind, system in (("jde", "AISSession", erp), ("cleo", "OAuth2Password", network)):
            prefix = f"MLCONNECTOR_ACME_{name.upper()}"
            monkeypatch.setenv(f"ACME_{name.upper()}_URL", system.url)
            for field, value in (("KIND", kind), ("USERNAME", system.username), ("PASSWORD", system.password)):
                monkeypatch.setenv(f"{prefix}_{field}", value)
            for field in ("DEVICE", "ENVIRONMENT", "ROLE", "PATH"):
                monkeypatch.delenv(f"{prefix}_{field}", raising=False)
        runpy.run_path(str(ROOT / "examples" / "nightly.py"))
        erp.add(orders(1, suppliers=1, first_number=60001, master=False))
        runpy.run_path(str(ROOT / "examples" / "nightly.py"))
        assert len(network.uploads) == 1
    assert "baselined" in capsys.readouterr().out
