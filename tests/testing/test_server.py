from __future__ import annotations

import datetime as dt
import email.utils
import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from mlconnector.errors import InvalidArgument
from mlconnector.testing import CleoSimulator, JDEdwardsSimulator, ManualClock, Simulator
from mlconnector.testing._wire import Answer, Request, dump_exact, json_answer


class Counter(Simulator):
    """Counts the calls whose work was done."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.done = 0
        self.expired = 0

    def expire_tokens(self) -> None:
        self.expired += 1

    def _work(self, request: Request) -> Answer:
        if request.path == "/bug":
            raise ZeroDivisionError("on purpose")
        self.done += 1
        return json_answer({"done": self.done})


def get(simulator: Simulator, path: str = "/x", **options: Any) -> requests.Response:
    return requests.get(simulator.url + path, timeout=options.pop("timeout", 5), **options)


def test_it_runs_only_inside_its_with_block() -> None:
    simulator = Counter()
    with pytest.raises(InvalidArgument):
        _ = simulator.url
    with simulator:
        url = simulator.url
        with pytest.raises(InvalidArgument):
            simulator.__enter__()
        assert get(simulator).json() == {"done": 1}
    simulator.close()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
    with simulator:
        assert get(simulator).json() == {"done": 2}


def test_one_connection_serves_many_calls() -> None:
    with Counter() as simulator, requests.Session() as http:
        for _ in range(3):
            http.get(simulator.url, timeout=5)
        pool: Any = http.get_adapter(simulator.url)
        (only,) = pool.poolmanager.pools._container.values()
        assert only.num_connections == 1


def test_leaving_ends_connections_threads_and_waits_at_once() -> None:
    before = threading.active_count()
    simulator = Counter()
    with ThreadPoolExecutor(1) as pool, simulator, requests.Session() as http:
        http.get(simulator.url, timeout=5)
        arrived = threading.Event()
        simulator.fail(delay=600, match=lambda _call: arrived.set() is None)
        late = pool.submit(get, simulator, timeout=30)
        assert arrived.wait(10)
        began = time.monotonic()
        simulator.close()
        assert time.monotonic() - began < 5
        assert isinstance(late.exception(), requests.ConnectionError)
    assert threading.active_count() == before


def test_a_fault_of_its_own_code_is_raised_at_the_end() -> None:
    with pytest.raises(ZeroDivisionError), Counter() as simulator:
        assert get(simulator, "/bug").status_code == 500


def test_an_error_inside_the_block_is_not_hidden() -> None:
    def work() -> None:
        with Counter() as simulator:
            get(simulator, "/bug")
            raise KeyError

    with pytest.raises(KeyError):
        work()


def test_drop_before_does_nothing_and_drop_after_does_the_work() -> None:
    with Counter() as simulator:
        simulator.fail(drop="before")
        with pytest.raises(requests.ConnectionError):
            get(simulator)
        assert simulator.done == 0
        simulator.fail(drop="after")
        with pytest.raises(requests.ConnectionError):
            get(simulator)
        assert simulator.done == 1
        assert [(call.fault, call.acted, call.status) for call in simulator.calls] == [
            ("drop before", False, None),
            ("drop after", True, None),
        ]
        assert get(simulator).status_code == 200


def test_a_status_hides_no_work_unless_it_acts() -> None:
    with Counter() as simulator:
        simulator.fail(status=503, times=2)
        assert [get(simulator).status_code for _ in range(3)] == [503, 503, 200]
        assert simulator.done == 1
        simulator.fail(status=504, acts=True)
        assert get(simulator).json() == {"message": "Gateway Timeout"}
        assert simulator.done == 2
        simulator.fail(status=599)
        assert get(simulator).json() == {"message": "Status"}


def test_retry_after_is_a_429_and_headers_go_along() -> None:
    with Counter() as simulator:
        simulator.fail(retry_after=7, headers={"X-Trace": "t"})
        answer = get(simulator)
        assert (answer.status_code, answer.headers["Retry-After"], answer.headers["X-Trace"]) == (429, "7", "t")
        simulator.fail(headers={"X-Only": "1"})
        answer = get(simulator)
        assert (answer.status_code, answer.headers["X-Only"]) == (200, "1")
        assert simulator.calls[-1].fault == "headers"


def test_a_body_replaces_the_answer() -> None:
    with Counter() as simulator:
        simulator.fail(body="<html>proxy</html>")
        answer = get(simulator)
        assert (answer.status_code, answer.text) == (200, "<html>proxy</html>")
        assert answer.headers["Content-Type"] == "text/html"
        simulator.fail(body=b"{", content_type="application/json", status=502)
        answer = get(simulator)
        assert (answer.status_code, answer.content) == (502, b"{")
        assert simulator.done == 0


def test_a_cut_answer_breaks_off_after_the_work() -> None:
    with Counter() as simulator:
        simulator.fail(cut=True)
        with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
            get(simulator)
        assert simulator.done == 1
        assert simulator.calls[-1].fault == "cut"


def test_a_late_answer_did_its_work() -> None:
    with Counter() as simulator:
        simulator.fail(delay=600)
        with pytest.raises(requests.Timeout):
            get(simulator, timeout=0.1)
        assert simulator.done == 1
        simulator.fail(delay=0.01)
        assert get(simulator).status_code == 200


@pytest.mark.parametrize("match", ["GET /b", re.compile(r"/b$"), lambda call: call.query.get("page") == "2"])
def test_a_fault_hits_only_what_matches(match: Any) -> None:
    with Counter() as simulator:
        simulator.fail(status=500, match=match)
        assert get(simulator, "/a").status_code == 200
        assert get(simulator, "/b", params={"page": "2"}).status_code == 500
        assert get(simulator, "/b", params={"page": "2"}).status_code == 200


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"status": 500, "times": 0},
        {"drop": "during"},
        {"drop": "before", "status": 500},
        {"drop": "after", "cut": True},
        {"delay": -1},
    ],
)
def test_faults_that_contradict_themselves_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        Counter().fail(**options)


@pytest.mark.parametrize(("rate", "kinds"), [(-0.1, ("cut",)), (1.1, ("cut",)), (0.5, ()), (0.5, ("fire",))])
def test_chaos_settings_are_checked(rate: float, kinds: Any) -> None:
    with pytest.raises(InvalidArgument):
        Counter().chaos(rate, 1, kinds=kinds)


def faults_of(seed: int) -> list[str | None]:
    with Counter() as simulator:
        simulator.chaos(0.5, seed, delay=0.0)
        for _ in range(60):
            try:
                get(simulator)
            except requests.RequestException:
                continue
        return [call.fault for call in simulator.calls]


def test_chaos_is_random_and_repeats_with_its_seed() -> None:
    first = faults_of(7)
    assert first == faults_of(7) != faults_of(8)
    assert set(first) == {
        None,
        "drop before",
        "drop after",
        "status 429",
        "status 500",
        "expired",
        "delay",
        "cut",
    }


def test_chaos_ends_with_rate_zero() -> None:
    with Counter() as simulator:
        simulator.chaos(1, 1, kinds=["expired"])
        get(simulator)
        assert simulator.expired == 1
        simulator.chaos(0, 1)
        get(simulator)
        assert simulator.expired == 1


def test_calls_in_flight_are_counted() -> None:
    with Counter() as simulator, ThreadPoolExecutor(3) as pool:
        simulator.fail(delay=0.3, times=3)
        list(pool.map(lambda _: get(simulator), range(3)))
        assert simulator.max_in_flight_seen == 3
        simulator.forget_calls()
        get(simulator)
        assert (simulator.max_in_flight_seen, len(simulator.calls)) == (1, 1)


def test_the_date_header_follows_the_clock_and_its_skew() -> None:
    start = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    with Counter(clock=ManualClock(start), date_skew=dt.timedelta(minutes=9)) as simulator:
        sent = email.utils.parsedate_to_datetime(get(simulator).headers["Date"])
        assert sent == start + dt.timedelta(minutes=9)
        assert simulator.calls[0].at == start


def test_recorded_calls_hold_no_secret() -> None:
    with JDEdwardsSimulator() as jde:
        login = {"username": jde.username, "password": jde.password}
        token = requests.post(f"{jde.url}/jderest/v2/tokenrequest", json=login, timeout=5).json()["userInfo"]["token"]
        requests.post(f"{jde.url}/jderest/v2/tokenrequest/validate", json={"token": token}, timeout=5)
        requests.get(f"{jde.url}/jderest/x", params={"$token": token}, headers={"jde-AIS-Auth": token}, timeout=5)
        requests.post(f"{jde.url}/x", json=[{"token": token}], auth=("u", "s3cret-word"), timeout=5)
        shown = repr(jde.calls)
        assert jde.calls[0].body == {"username": jde.username, "password": "***"}
        assert jde.password not in shown
        assert token not in shown
        assert "Basic" not in shown


def test_bodies_are_recorded_as_what_they_are() -> None:
    with Counter() as simulator:
        for body, kind in ((b"{", "application/json"), (b"\xff", "application/x-www-form-urlencoded"), (b"EDI", "x/y")):
            requests.post(simulator.url, data=body, headers={"Content-Type": kind}, timeout=5)
        requests.post(simulator.url, json={"a": 1}, timeout=5)
        requests.post(simulator.url, data={"a": "1"}, timeout=5)
        assert [call.body for call in simulator.calls] == [b"{", b"\xff", b"EDI", {"a": 1}, {"a": "1"}]


def test_a_body_without_a_length_is_refused() -> None:
    with Counter() as simulator:
        assert requests.put(simulator.url, data=iter([b"a", b"b"]), timeout=5).status_code == 411
        assert simulator.done == 0


def test_a_client_that_goes_away_in_the_middle_harms_nobody() -> None:
    with Counter() as simulator:
        address = ("127.0.0.1", urlsplit(simulator.url).port or 0)
        with socket.create_connection(address) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        with socket.create_connection(address) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            assert b"400" in connection.recv(1000)
        assert get(simulator).json() == {"done": 1}


def test_a_head_call_gets_no_body() -> None:
    with Counter() as simulator:
        answer = requests.head(simulator.url, timeout=5)
        assert (answer.content, answer.headers["Content-Length"]) == (b"", "10")


@pytest.mark.parametrize("simulator_class", [JDEdwardsSimulator, CleoSimulator])
def test_another_process_logs_in_with_the_url_alone(simulator_class: Any) -> None:
    program = """
import sys, requests
from mlconnector.testing import CleoSimulator, JDEdwardsSimulator
url, kind = sys.argv[1:]
if kind == "JDEdwardsSimulator":
    body = {"username": JDEdwardsSimulator.username, "password": JDEdwardsSimulator.password}
    answer = requests.post(url + "/jderest/v2/tokenrequest", json=body, timeout=5)
else:
    form = {"grant_type": "password", "username": CleoSimulator.username, "password": CleoSimulator.password}
    answer = requests.post(url + "/api/authentication", data=form, timeout=5)
sys.exit(answer.status_code - 200)
"""
    with simulator_class() as simulator:
        command = [sys.executable, "-c", program, simulator.url, simulator_class.__name__]
        assert subprocess.run(command, check=False, timeout=60).returncode == 0
        assert len(simulator.calls) == 1


def test_only_exact_values_become_json() -> None:
    assert dump_exact({"a": [True, False, None, 'x"é']}) == '{"a":[true,false,null,"x\\"é"]}'
    with pytest.raises(TypeError):
        dump_exact(1.5)


def test_the_base_leaves_the_vendor_to_its_subclass() -> None:
    class Nothing(Simulator):
        pass

    with pytest.raises(NotImplementedError):
        Nothing().expire_tokens()
    with pytest.raises(NotImplementedError), Nothing() as simulator:
        get(simulator)
