"""Never more than three calls under way, whatever threads and processes do; nothing left behind by a kill."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.bill import BILL, BillSession
from mlconnector.bill._gate import Gate, GatedTransport, default_lock_dir
from mlconnector.http import RawAnswer, Request, Retry, Timeout, send_window
from mlconnector.testing import ManualClock
from tests.bill.conftest import World
from tests.bill.stub import KEY, ORG, BillStub

SPAWN = multiprocessing.get_context("spawn")
GET = Request("GET", "/x")


def hammer(url: str, folder: str, calls: int, threads: int) -> None:
    session = BillSession(BillStub.username, BillStub.password, organization_id=ORG, dev_key=KEY)
    with BILL(url + "/connect", auth=session, lock_dir=folder) as bill:

        def work() -> None:
            for _ in range(calls):
                list(bill.suppliers())

        running = [threading.Thread(target=work) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()


def test_sixteen_threads_in_two_processes_have_three_calls_under_way(tmp_path: Path) -> None:
    with BillStub() as stub:
        stub.fail(times=10_000, delay=0.01)
        workers = [SPAWN.Process(target=hammer, args=(stub.url, str(tmp_path), 4, 8)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert [worker.exitcode for worker in workers] == [0, 0]
        assert len([call for call in stub.calls if call.path.endswith("vendors")]) == 64
        assert stub.max_in_flight_seen == 3


def test_two_clients_of_one_process_share_the_limit_and_other_organizations_do_not(tmp_path: Path) -> None:
    with BillStub() as stub:
        stub.fail(times=10_000, delay=0.01)
        threads = [threading.Thread(target=hammer, args=(stub.url, str(tmp_path), 2, 3)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert stub.max_in_flight_seen <= 3
    assert len(list(tmp_path.iterdir())) == 3


def gate(folder: Path, patience: float = 5.0) -> Gate:
    return Gate(folder, lambda _request: "name", patience=patience)


def occupy(folder: str, ready: Any) -> None:
    mine, places = gate(Path(folder)), []
    for _ in range(3):
        mine.enter(GET)
        places.append(mine.hand_over())
    ready.set()
    threading.Event().wait(60)


def test_a_killed_process_leaves_no_place_taken(tmp_path: Path) -> None:
    ready = SPAWN.Event()
    other = SPAWN.Process(target=occupy, args=(str(tmp_path), ready))
    other.start()
    assert ready.wait(30)
    with pytest.raises(mc.RateLimited) as caught:
        gate(tmp_path, patience=0.05).enter(GET)
    assert caught.value.repeat_safe
    assert other.pid is not None
    os.kill(other.pid, signal.SIGKILL)
    other.join()
    mine = gate(tmp_path)
    mine.enter(GET)
    mine.leave()


FORKING = """
import os, sys, pathlib
from mlconnector.bill._gate import Gate
from mlconnector.http import Request

def gate(patience):
    return Gate(pathlib.Path(sys.argv[1]), lambda _request: "name", patience=patience)

mine, gone = gate(5), gate(5)
del gone
mine.enter(Request("GET", "/x"))
begin, end = os.pipe()
if os.fork() == 0:
    os.close(end)
    os.read(begin, 1)
    os._exit(0)
mine.leave()
for other in [gate(0.1) for _ in range(3)]:
    other.enter(Request("GET", "/x"))
os.close(end)
print("free")
"""


def test_a_forked_child_does_not_keep_its_parents_places(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", FORKING, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.stdout.strip() == "free", answer.stderr


def test_a_gate_forgets_what_it_held(tmp_path: Path) -> None:
    mine = gate(tmp_path)
    mine.enter(GET)
    mine.forget()
    assert mine.hand_over() is None


def test_a_place_is_taken_once_and_given_back_once(tmp_path: Path) -> None:
    mine, other = gate(tmp_path, 0.05), gate(tmp_path, 0.05)
    mine.enter(GET)
    mine.enter(GET)
    taken = mine.hand_over()
    assert taken is not None
    assert mine.hand_over() is None
    taken.give_back()
    taken.give_back()
    mine.leave()
    places = []
    for _ in range(3):
        other.enter(GET)
        places.append(other.hand_over())
    with pytest.raises(mc.RateLimited):
        mine.enter(GET)
    places.pop()
    mine.enter(GET)
    mine.leave()


def test_a_thread_that_ends_leaves_no_place_taken(tmp_path: Path) -> None:
    mine = gate(tmp_path, 0.05)
    for _ in range(4):
        thread = threading.Thread(target=mine.enter, args=(GET,))
        thread.start()
        thread.join()
    for _ in range(3):
        gate(tmp_path, 0.05).enter(GET)


def test_calls_with_plain_requests_are_counted_too(tmp_path: Path) -> None:
    import requests

    with BillStub() as stub:
        session = BillSession(stub.username, stub.password, organization_id=ORG, dev_key=KEY)
        with BILL(stub.url + "/connect", auth=session, lock_dir=tmp_path) as bill:
            list(bill.suppliers())
            assert KEY not in repr(bill.auth)
            stub.forget_calls()
            stub.fail(times=10_000, delay=0.02)
            answers = []

            def work() -> None:
                answer = requests.get(f"{stub.url}/connect/v3/vendors?max=1", auth=bill.auth, timeout=30)
                answers.append(answer.status_code)

            threads = [threading.Thread(target=work) for _ in range(9)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert answers == [200] * 9
            assert stub.max_in_flight_seen == 3


class Inner:
    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails

    def send(self, method: str, url: str, headers: Any, body: Any, timeout: Any) -> RawAnswer:
        if self.fails:
            raise mc.ConnectionFailed("no")
        return RawAnswer(200, {}, b"", close=lambda: None)


def test_the_place_is_given_back_with_the_answer_or_its_failure(tmp_path: Path) -> None:
    mine = gate(tmp_path, 0.05)
    calm, broken = GatedTransport(Inner(), mine), GatedTransport(Inner(fails=True), mine)
    for _ in range(4):
        mine.enter(GET)
        calm.send("GET", "http://x", {}, None, Timeout()).close()
        mine.enter(GET)
        with pytest.raises(mc.ConnectionFailed):
            broken.send("GET", "http://x", {}, None, Timeout())
    calm.send("GET", "http://x", {}, None, Timeout()).close()
    assert calm.local_address() is None
    calm.close()


def test_a_send_that_the_window_forbids_keeps_no_place(world: World) -> None:
    refused, done = threading.Barrier(4), threading.Event()

    def work() -> None:
        with send_window(world.clock.monotonic() - 1), pytest.raises(mc.ConnectionFailed):
            list(world.bill.suppliers())
        refused.wait(30)
        done.wait(30)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    refused.wait(30)
    try:
        with world.client(timeout=1) as other:
            assert list(other.suppliers()) == []
    finally:
        done.set()
        for thread in threads:
            thread.join()


def test_no_place_is_held_while_a_repeat_is_waited_for(world: World) -> None:
    waits = []

    class Watching(ManualClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            name = next(world.folder.glob("bill-*.0")).name.removeprefix("bill-").removesuffix(".0")
            others = [Gate(world.folder, lambda _request: name, patience=0.05) for _ in range(3)]
            for other in others:
                other.enter(GET)
            for other in others:
                other.leave()
            waits.append(seconds)

    with world.client(clock=Watching()) as bill:
        list(bill.suppliers())
        world.stub.fail(times=2, status=503)
        list(bill.suppliers())
    assert len(waits) == 2


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(mc.InvalidArgument, match="lock_dir"):
        gate(tmp_path / "file").enter(GET)


def test_locks_lie_in_the_state_directory_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_lock_dir() == tmp_path / "mlconnector" / "locks"
    with BillStub() as stub:
        session = BillSession(stub.username, stub.password, organization_id=ORG, dev_key=KEY)
        with BILL(stub.url + "/connect", auth=session, retry=Retry(attempts=1)) as bill:
            list(bill.suppliers())
    assert [path.name[:5] for path in default_lock_dir().iterdir()][:1] == ["bill-"]


def test_a_client_with_stored_credentials_pickles_and_works_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlconnector.credentials import register_kind

    register_kind("BillSession", "mlconnector.bill", ("username", "password", "organization_id", "dev_key"))
    fields = {"kind": "BillSession", "username": world.stub.username, "password": world.stub.password,
              "organization_id": ORG, "dev_key": KEY}  # fmt: skip
    for name, value in fields.items():
        monkeypatch.setenv(f"MLCONNECTOR_ACME_BILL_{name.upper()}", value)
    world.vendor()
    with BILL(world.stub.url + "/connect", auth=mc.stored("acme-bill"), lock_dir=world.folder) as bill:
        bill.target("suppliers")
        assert bill.origin.endswith(f"#{ORG}")
        copy = pickle.loads(pickle.dumps(bill))
        with copy:
            assert len(list(copy.suppliers())) == 1
            assert copy.count("vendors") == 1
        target = pickle.loads(pickle.dumps(bill.target("invoices")))
        assert target.batch_size == 100
        target._api.http.close()
