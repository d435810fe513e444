"""One file a ready order, whatever hits the wire and whenever the process dies."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.testing import CleoSimulator, JDEdwardsSimulator, orders
from tests.flows.conftest import ASKABLE, CONNECTION, World

WORKER = Path(__file__).with_name("worker.py")


def order_numbers(network: CleoSimulator) -> Counter[str]:
    """BEG03 of every file ever uploaded: the simulator keeps every accepted upload."""
    found: Counter[str] = Counter()
    for content in network.contents.values():
        for ts in x12.read(content.decode()):
            found[next(iter(ts.all("BEG")))[3]] += 1
    assert len(network.uploads) == len(network.contents)
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_a_thousand_orders_arrive_once_through_random_faults(world: World, seed: int) -> None:
    world.erp.add(orders(1000, suppliers=50))
    world.clock.advance(dt.timedelta(hours=1))
    world.erp.chaos(0.05, seed, kinds=("before", "after", "429", "500", "expired", "cut"))
    world.network.chaos(0.05, seed + 100, kinds=("before", "after", "429", "500", "expired", "cut"))
    world.network.add(CONNECTION)
    flow = world.flow(routes=[ASKABLE], kinds=["purchase_orders"], look_up="reliable")
    for _ in range(40):
        try:
            report = flow.run()
        except mc.MLConnectorError as error:
            report = error.report
        world.clock.advance(dt.timedelta(minutes=20))
        delivered = world.ledger.deliveries(state="delivered")
        if len(delivered) == 1000 and report is not None and report.ok:
            break
    assert order_numbers(world.network) == Counter({str(number): 1 for number in range(50001, 51001)})
    assert len(delivered) == 1000
    assert len({one.interchange for one in delivered}) == 1000
    assert world.ledger.verify() > 3000


def test_delays_beyond_the_timeout_double_nothing(world: World) -> None:
    world.erp.add(orders(120, suppliers=10))
    cleo = mc.Cleo(
        world.network.url,
        auth=mc.OAuth2Password(world.network.username, world.network.password),
        clock=world.clock,
        timeout=0.25,
    )
    world.network.add(CONNECTION)
    with cleo:
        flow = flows.jde_to_cleo(
            world.jde, cleo, ledger=world.ledger, routes=[ASKABLE], kinds=["purchase_orders"], look_up="reliable"
        )
        world.network.chaos(0.08, 5, kinds=("delay", "after", "before"), delay=0.6)
        for _ in range(20):
            try:
                done = flow.run().ok
            except mc.MLConnectorError:
                done = False
            world.clock.advance(dt.timedelta(minutes=20))
            if done and len(world.ledger.deliveries(state="delivered")) == 120:
                break
    assert order_numbers(world.network) == Counter({str(number): 1 for number in range(50001, 50121)})


@pytest.mark.parametrize("first", [1, 2, 3])
def test_a_worker_killed_at_any_step_is_followed_by_one_that_finishes_once(tmp_path: Path, first: int) -> None:
    """SIGKILL before and after every ledger transaction and every call on the wire, each from a fresh start."""
    killed = 0
    for step in range(first, 300, 3):
        folder = tmp_path / str(step)
        folder.mkdir()
        with JDEdwardsSimulator() as erp, CleoSimulator() as network:
            network.add(CONNECTION)
            erp.add(orders(2, suppliers=2))
            died = work(folder, erp, network, kill_at=step)
            assert died in (0, -signal.SIGKILL)
            if died:
                killed += 1
                assert work(folder, erp, network, kill_at=0) == 0, f"step {step}"
            assert order_numbers(network) == Counter({"50001": 1, "50002": 1}), f"step {step}"
            with mc.Ledger(folder / "ledger.db", actor="judge", high_water=folder / "hw.json") as ledger:
                assert [one.state for one in ledger.deliveries()] == ["delivered"] * 2, f"step {step}"
                assert len({one.interchange for one in ledger.deliveries()}) == 2
                assert ledger.verify() > 5
        if not died:
            break
    assert killed >= 10


def work(folder: Path, erp: JDEdwardsSimulator, network: CleoSimulator, *, kill_at: int) -> int:
    login = {"erp": (erp.url, erp.username, erp.password), "cleo": (network.url, network.username, network.password)}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path])}
    for name, values in login.items():
        for field, value in zip(("URL", "USER", "PASSWORD"), values, strict=True):
            environment[f"WORKER_{name.upper()}_{field}"] = value
    command = [sys.executable, str(WORKER), str(folder), str(kill_at)]
    return subprocess.run(command, env=environment, check=False, timeout=60).returncode
