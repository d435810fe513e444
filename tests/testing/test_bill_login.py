from __future__ import annotations

import datetime as dt
import sys
import threading
import types
from typing import Any

import pytest
import requests

from mlconnector.errors import InvalidArgument
from mlconnector.testing import ManualClock
from mlconnector.testing._bill import BILLSimulator
from tests.testing.bill import VENDOR, Bare, log_in


def codes(answer: requests.Response) -> tuple[int, str]:
    entry = answer.json()[0]
    assert entry["severity"] == "ERROR"
    return answer.status_code, entry["code"]


def test_the_login_answers_four_fields_and_the_session_opens_every_other_call() -> None:
    with BILLSimulator() as sim, Bare(sim, login=False) as bare:
        assert codes(bare.send("GET", "vendors")) == (401, "BDC_1109")
        answer = bare.login()
        assert set(answer.json()) == {"sessionId", "organizationId", "userId", "trusted"}
        assert answer.json()["trusted"] is False
        assert bare.get("vendors") == {"results": []}
        assert bare.get("login/session")["organizationId"] == sim.organization_id
        assert requests.get(f"{sim.url}/v3/health", timeout=5).status_code == 200
        assert sim.logins == 1


def test_each_wrong_part_of_a_login_has_its_code() -> None:
    with BILLSimulator(login_status=401, lock_after=2) as sim:
        assert codes(log_in(sim, devKey=None)) == (400, "BDC_1108")
        assert codes(log_in(sim, device="laptop")) == (400, "BDC_1108")
        assert codes(log_in(sim, devKey="other")) == (401, "BDC_1102")
        assert codes(log_in(sim, organizationId="008other")) == (401, "BDC_1123")
        assert codes(log_in(sim, password="wrong")) == (401, "BDC_1101")
        assert sim.refused_logins == 1
        assert codes(log_in(sim, password="wrong")) == (401, "BDC_1110")
        assert codes(log_in(sim)) == (401, "BDC_1110")
        sim.unlock()
        assert log_in(sim).status_code == 200
        form = requests.post(f"{sim.url}/v3/login", data={"username": "x"}, timeout=5)
        assert codes(form) == (415, "BDC_1122")
        broken = requests.post(f"{sim.url}/v3/login", data="{", headers={"Content-Type": "application/json"}, timeout=5)
        assert codes(broken) == (400, "BDC_1122")
        assert sim.logins == 1


def test_the_developer_key_is_needed_on_every_call() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        bare.http.headers["devKey"] = "other"
        assert codes(bare.send("GET", "vendors")) == (401, "BDC_1102")


def test_a_session_dies_of_idleness_and_every_use_renews_it() -> None:
    clock = ManualClock()
    with BILLSimulator(clock=clock) as sim, Bare(sim) as bare:
        for _ in range(3):
            clock.advance(dt.timedelta(minutes=34, seconds=59))
            assert bare.send("GET", "vendors", params={"max": 101}).status_code == 400
        clock.advance(dt.timedelta(minutes=35))
        answer = bare.send("GET", "vendors")
        assert codes(answer) == (401, "BDC_1109")
        assert answer.json()[0]["message"] == "Session is invalid.  Please log in."
        assert answer.json()[0]["category"] == "DOWNSTREAM"
        assert codes(bare.send("GET", "vendors")) == (401, "BDC_1109")


def test_a_sync_token_lives_48_hours_without_a_call() -> None:
    clock = ManualClock()
    with BILLSimulator(clock=clock) as sim, Bare(sim, login=False) as bare:
        assert bare.login(username=sim.token_name, password=sim.token_value).status_code == 200
        clock.advance(dt.timedelta(hours=47))
        assert bare.send("GET", "vendors").status_code == 200
        clock.advance(dt.timedelta(hours=48))
        assert bare.send("GET", "vendors").status_code == 401


def test_logging_out_and_a_restart_end_sessions() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        answer = bare.send("POST", "logout")
        assert (answer.status_code, answer.content) == (200, b"")
        assert codes(bare.send("GET", "vendors")) == (401, "BDC_1109")
        bare.login()
        sim.expire_tokens()
        assert codes(bare.send("POST", "vendors", VENDOR)) == (401, "BDC_1109")
        assert sim.contents["vendors"] == ()


def test_the_hour_of_calls_and_of_logins_ends_with_the_clocks_hour() -> None:
    clock = ManualClock(dt.datetime(2026, 12, 1, 10, 50, tzinfo=dt.UTC))
    with BILLSimulator(clock=clock, hourly_calls=3) as sim, Bare(sim) as bare:
        assert [bare.send("GET", "vendors").status_code for _ in range(3)] == [200, 200, 422]
        answer = bare.send("GET", "vendors")
        assert codes(answer) == (422, "BDC_1144")
        assert answer.json()[0]["message"] == "Max number of allowed requests per hour reached: 3."
        clock.advance(dt.timedelta(minutes=10))
        assert bare.send("GET", "vendors").status_code == 200
        sim.use_up_hour()
        assert codes(bare.send("GET", "vendors")) == (422, "BDC_1144")
    with BILLSimulator(clock=clock, hourly_logins=2, rate_status=429) as sim:
        assert [log_in(sim).status_code for _ in range(3)] == [200, 200, 429]
        clock.advance(dt.timedelta(hours=1))
        assert log_in(sim).status_code == 200


class HeldClock(ManualClock):
    """Holds every call at its first look at the time, once told to."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()

    def now(self) -> dt.datetime:
        if not self.open.is_set():
            self.arrived.release()
            assert self.open.wait(10)
        return super().now()


def test_a_fourth_call_at_once_is_refused_and_counted() -> None:
    clock = HeldClock()
    with BILLSimulator(clock=clock) as sim, Bare(sim) as bare:
        headers = {name: str(bare.http.headers[name]) for name in ("devKey", "sessionId")}
        answers: dict[int, requests.Response] = {}

        def call(number: int) -> None:
            url = f"{sim.url}/v3/vendors"
            answers[number] = requests.post(url, json=VENDOR, headers=headers, timeout=10)

        assert sim.most_in_flight == 1
        clock.open.clear()
        threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
            assert clock.arrived.acquire(timeout=10)
        clock.open.set()
        for thread in threads:
            thread.join()
        assert [answers[number].status_code for number in range(4)] == [201, 201, 201, 422]
        assert codes(answers[3]) == (422, "BDC_1322")
        assert len(sim.contents["vendors"]) == 3
        assert sim.most_in_flight == 4
        sim.forget_calls()
        assert bare.send("GET", "vendors").status_code == 200
        assert (sim.most_in_flight, len(sim.calls)) == (1, 1)


def test_latency_keeps_calls_in_flight() -> None:
    with BILLSimulator(latency=0.05, concurrent=2) as sim, Bare(sim) as bare:
        threads = [threading.Thread(target=bare.send, args=("GET", "bills")) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sim.most_in_flight == 2
        assert [call.status for call in sim.calls] == [200, 200, 200]


def test_a_permission_can_be_taken_for_reading_or_writing() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        sim.forbid("vendors", "read")
        assert codes(bare.send("GET", "vendors")) == (403, "BDC_1145")
        vendor = bare.vendor()
        sim.forbid("vendors")
        assert codes(bare.send("POST", "vendors", VENDOR)) == (403, "BDC_1145")
        sim.forbid("vendors", forbidden=False)
        assert bare.get(f"vendors/{vendor}")["name"] == VENDOR["name"]


def test_unknown_paths_verbs_and_letter_cases_are_refused() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        for method, path in (
            ("GET", "Vendors"),
            ("GET", "departments"),
            ("GET", "classifications/vendors"),
            ("GET", "classifications"),
            ("GET", "subscriptions"),
            ("DELETE", "vendors/009X"),
            ("PUT", "vendors/009X"),
            ("POST", "payments/stp/archive"),
            ("POST", "bill-approvals"),
            ("PUT", "vendors/bulk"),
        ):
            assert bare.refused(method, path, status=404) == ["BDC_1121"], path
        outside = requests.get(f"{sim.url}/v2/List", timeout=5)
        assert codes(outside) == (404, "BDC_1121")


def test_faults_can_be_told_by_code_and_look_like_the_vendors_and_the_gateways() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        for code, status in (("BDC_1322", 422), ("BDC_1144", 422), ("BDC_1101", 400), ("BDC_1109", 401)):
            sim.fail(code=code)
            assert codes(bare.send("POST", "vendors", VENDOR)) == (status, code)
        sim.fail(code="BDC_1322", status=429, match="POST")
        assert codes(bare.send("POST", "vendors", VENDOR)) == (429, "BDC_1322")
        for status, code in ((401, "BDC_1109"), (403, "BDC_1361"), (404, "BDC_1205"), (418, None)):
            sim.fail(status=status)
            answer = bare.send("POST", "vendors", VENDOR)
            assert (answer.status_code, answer.json()[0]["code"]) == (status, code)
        sim.fail(status=429)
        assert bare.send("GET", "vendors").json() == {"message": "Too Many Requests"}
        sim.fail(status=503)
        assert bare.send("GET", "vendors").headers["Content-Type"] == "text/html"
        assert sim.contents["vendors"] == ()
        sim.fail(drop="after")
        with pytest.raises(requests.ConnectionError):
            bare.send("POST", "vendors", VENDOR)
        assert len(sim.contents["vendors"]) == 1
        with pytest.raises(InvalidArgument, match="BDC_9"):
            sim.fail(code="BDC_9")


def test_no_secret_stands_in_the_recorded_calls() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        bare.get("vendors")
        log_in(sim, rememberMeId="remembered-secret", device="laptop")
        bare.send("POST", "vendors", {"name": "not masked"})
        text = repr(sim.calls)
        for secret in (sim.password, sim.dev_key, str(bare.http.headers["sessionId"]), "remembered-secret"):
            assert secret not in text
        assert "not masked" in text


def test_options_are_checked() -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {"hourly_calls": 0},
        {"hourly_logins": 0},
        {"concurrent": 0},
        {"latency": -1},
        {"list_lag": -1},
        {"idle": dt.timedelta()},
    )
    for options in wrong:
        with pytest.raises(InvalidArgument, match=next(iter(options))):
            BILLSimulator(**options)


def test_the_client_is_made_for_this_organization_and_its_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    door = types.ModuleType("mlconnector.bill")
    door.BILL = lambda url, **options: (url, options)  # type: ignore[attr-defined]
    door.BillSession = lambda *login, **options: (login, options)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlconnector.bill", door)
    with BILLSimulator() as sim:
        url, options = sim.client(page_size=10)
        assert url == sim.url
        assert (options["clock"], options["page_size"]) == (sim.clock, 10)
        login, keys = options["auth"]
        assert login == (sim.username, sim.password)
        assert keys == {"organization_id": sim.organization_id, "dev_key": sim.dev_key}
        assert sim.token_auth[0] == (sim.token_name, sim.token_value)
