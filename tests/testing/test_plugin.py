from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mlconnector.testing as door

ROOT = Path(__file__).parents[2]


def test_the_fixtures_share_one_clock(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import requests\n"
        "def test_it(jde_simulator, cleo_simulator, mc_clock):\n"
        "    assert jde_simulator.clock is cleo_simulator.clock is mc_clock\n"
        "    assert requests.get(jde_simulator.url + '/jderest/defaultconfig', timeout=5).status_code == 200\n"
        "    assert requests.get(cleo_simulator.url + '/api/connections', timeout=5).status_code == 401\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "mlconnector.testing._plugin", "-W", "error", str(tmp_path)]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_loading_the_plugin_loads_no_simulator() -> None:
    program = (
        "import sys, mlconnector.testing._plugin\n"
        "loaded = [name for name in sys.modules if name.startswith('mlconnector.testing.')]\n"
        "assert loaded == ['mlconnector.testing._plugin'], loaded\n"
    )
    command = [sys.executable, "-c", program]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, env=environment, check=True, timeout=60)


def test_the_door_opens_to_every_name_and_no_other() -> None:
    assert sorted(door.__all__) == dir(door)
    for name in door.__all__:
        assert getattr(door, name).__doc__
    with pytest.raises(AttributeError):
        _ = door.Nothing  # type: ignore[attr-defined]
