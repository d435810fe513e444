"""Real processes on one ledger: killed without a word, taking turns, taking over."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mlconnector as mc
from tests.delivery.homes import Home
from tests.delivery.worker import FileTarget, work


def start(place: Home, mode: str, count: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.delivery.worker", place.path, str(place.high_water)]
    return subprocess.Popen([*command, str(place.folder / "target"), mode, str(count)], env={**os.environ})


def target_lines(place: Home) -> list[str]:
    return (place.folder / "target").read_text().splitlines()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_killed_worker_loses_nothing_and_doubles_nothing(place: Home, moment: str) -> None:
    place.clock = mc.SYSTEM_CLOCK
    assert start(place, f"{moment}:3", 6).wait() == -signal.SIGKILL
    work(place.path, str(place.high_water), FileTarget(place.folder / "target"), 6)
    lines = target_lines(place)
    assert sorted(line.split()[0] for line in lines) == [f"{number:04}" for number in range(6)]
    assert len({line.split()[1] for line in lines}) == 6
    with place.open() as ledger:
        ledger.verify()


def test_two_workers_take_turns_and_one_takes_over_from_the_dead(place: Home) -> None:
    place.clock = mc.SYSTEM_CLOCK
    workers = [start(place, mode, 40) for mode in ("slow", "slow", "after:5")]
    assert [worker.wait() for worker in workers][:2] == [0, 0]
    lines = target_lines(place)
    assert sorted(line.split()[0] for line in lines) == [f"{number:04}" for number in range(40)]
    assert len({line.split()[1] for line in lines}) == 40
    with place.open() as ledger:
        ledger.verify()
        assert {one.state for one in ledger.deliveries()} == {"delivered"}


def test_a_killed_worker_and_a_backup_put_back_double_nothing(place: Home) -> None:
    place.clock = mc.SYSTEM_CLOCK
    target = FileTarget(place.folder / "target")
    work(place.path, str(place.high_water), target, 2)
    with place.open() as ledger:
        ledger.backup(place.folder / "copy.db")
    assert start(place, "after:3", 8).wait() == -signal.SIGKILL
    assert len(target_lines(place)) == 5
    place.put_back(Path(place.folder / "copy.db"))
    with place.open() as ledger:
        with pytest.raises(mc.LedgerRestored):
            ledger.bind("f", {"a": "x"})
        ledger.recover(actor="jane", reason="put back")
    work(place.path, str(place.high_water), target, 8)
    lines = target_lines(place)
    assert sorted(line.split()[0] for line in lines) == [f"{number:04}" for number in range(8)]
    assert len({line.split()[1] for line in lines}) == 8


def test_a_poller_that_is_told_to_end_ends_between_two_documents(place: Home) -> None:
    """By SIGTERM, as a service manager does it: what was being sent is answered, what was not stays queued."""
    place.clock = mc.SYSTEM_CLOCK
    command = [sys.executable, "-m", "tests.delivery.poller", place.path, str(place.high_water)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, str(place.folder / "target")], env={**os.environ}, **pipes) as poller:
        assert poller.stdin is not None
        assert poller.stdout is not None
        assert poller.stdout.readline() == "written\n"
        poller.send_signal(signal.SIGTERM)
        poller.stdin.write("go on\n")
        poller.stdin.flush()
        assert poller.wait(timeout=30) == 0
    assert len(target_lines(place)) == 1
    with place.open() as ledger:
        states = sorted(one.state for one in ledger.deliveries())
        assert states == ["delivered", *["recorded"] * 4]
        ledger.acquire("s", worker="at once", length=dt.timedelta(minutes=1))
