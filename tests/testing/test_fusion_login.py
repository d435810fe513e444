from __future__ import annotations

import datetime as dt
import sys
import types
import urllib.parse
from typing import Any

import pytest
import requests
from requests.auth import HTTPBasicAuth

from mlconnector.auth import OAuth2ClientCredentials
from mlconnector.errors import InvalidArgument
from mlconnector.http import FaultTable, HTTPClient
from mlconnector.testing import ManualClock
from mlconnector.testing._fusion import FusionSimulator
from tests.testing.fusion import ERROR_TYPE, RESOURCES, Bare, ask_token, invoice


def test_the_token_host_is_another_origin_and_gives_a_token_for_the_exact_scope() -> None:
    with FusionSimulator(scope="https://pod.example:443urn:opc:resource:consumer::all", token_life=1800) as fusion:
        host = fusion.token_host
        assert not fusion.token_url.startswith(fusion.url)
        given = ask_token(fusion).json()
        assert given["token_type"] == "Bearer"
        assert given["expires_in"] == 1800
        assert host.tokens_given == 1
        wrong_scope = ask_token(fusion, scope="urn:opc:resource:consumer::all")
        assert (wrong_scope.status_code, wrong_scope.json()["error"]) == (400, "invalid_scope")
        wrong_grant = ask_token(fusion, grant_type="password")
        assert (wrong_grant.status_code, wrong_grant.json()["error"]) == (400, "unsupported_grant_type")
        as_json = requests.post(host.token_url, json={"scope": host.scope}, timeout=5)
        assert (as_json.status_code, as_json.json()["error"]) == (400, "invalid_request")
        assert requests.get(host.token_url, timeout=5).status_code == 405
        assert requests.post(f"{host.url}/oauth2/v1/userinfo", timeout=5).status_code == 404


def test_the_client_shows_id_and_secret_in_the_header_or_in_the_form() -> None:
    with FusionSimulator() as fusion:
        host = fusion.token_host
        form = {"grant_type": "client_credentials", "scope": host.scope}
        secrets = {"client_id": host.username, "client_secret": host.password}
        assert requests.post(host.token_url, data={**form, **secrets}, timeout=5).status_code == 200
        encoded = (host.username, urllib.parse.quote(host.password, safe=""))
        assert requests.post(host.token_url, data=form, auth=encoded, timeout=5).status_code == 200
        for refused in (
            requests.post(host.token_url, data={**form, **secrets, "client_secret": "wrong"}, timeout=5),
            requests.post(host.token_url, data=form, auth=(host.username, "wrong"), timeout=5),
            requests.post(host.token_url, data=form, headers={"Authorization": "Basic %"}, timeout=5),
            requests.post(host.token_url, data=form, timeout=5),
        ):
            assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_too_many_tokens_in_a_second_or_a_minute_are_refused_without_a_hint() -> None:
    clock = ManualClock()
    with FusionSimulator(clock=clock) as fusion, requests.Session() as http:
        url = fusion.token_url
        for _ in range(40):
            assert http.post(url, data={}, timeout=5).status_code == 400
        refused = http.post(url, data={}, timeout=5)
        assert refused.status_code == 429
        assert "Retry-After" not in refused.headers
        for _ in range(24):
            clock.advance(1)
            for _ in range(40):
                http.post(url, data={}, timeout=5)
        assert http.post(url, data={}, timeout=5).status_code == 429
        clock.advance(61)
        assert ask_token(fusion).status_code == 200


def test_a_token_dies_with_its_life_or_all_at_once() -> None:
    clock = ManualClock()
    with FusionSimulator(clock=clock, token_life=600) as fusion, Bare(fusion) as bare:
        assert bare.send("invoices").status_code == 200
        clock.advance(599)
        assert bare.send("invoices").status_code == 200
        clock.advance(1)
        dead = bare.send("invoices")
        assert (dead.status_code, dead.headers["Content-Type"]) == (401, "text/html")
        assert "WWW-Authenticate" not in dead.headers
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.expire_tokens()
        assert bare.send("invoices").status_code == 401
        fusion.chaos(1, 1, kinds=["expired"])
        with Bare(fusion) as again:
            assert again.send("invoices").status_code == 401


def test_basic_is_read_as_utf_8_counts_refusals_and_can_be_switched_off() -> None:
    with FusionSimulator(lock_after=2) as fusion, Bare(fusion, token=False) as bare:
        assert bare.send("invoices").status_code == 401
        right = f"{fusion.username}:{fusion.password}".encode()
        assert "ö" in right.decode()
        bare.http.auth = HTTPBasicAuth(fusion.username.encode(), fusion.password.encode())
        assert bare.send("invoices").status_code == 200
        bare.http.auth = HTTPBasicAuth(fusion.username.encode(), fusion.password.encode("latin-1"))
        assert bare.send("invoices").status_code == 401
        bare.http.auth = (fusion.username, "wrong")
        assert [bare.send("invoices").status_code for _ in range(2)] == [401, 401]
        assert fusion.locked
        fusion.unlock()
    with FusionSimulator(basic=False) as fusion, Bare(fusion, token=False) as bare:
        bare.http.auth = HTTPBasicAuth(fusion.username.encode(), fusion.password.encode())
        assert bare.send("invoices").status_code == 401


def test_without_privilege_403_and_without_data_access_an_empty_200() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.add(invoice(1), resource="invoices")
        fusion.forbid("invoices")
        assert bare.send("invoices").status_code == 403
        assert bare.send("invoices/describe").status_code == 403
        assert bare.send("suppliers").status_code == 200
        fusion.forbid("invoices", forbidden=False)
        fusion.hide("invoices")
        assert bare.get("invoices")["items"] == []
        fusion.hide("invoices", hidden=False)
        assert bare.get("invoices")["count"] == 1


def test_a_pod_can_throttle_by_the_hour() -> None:
    clock = ManualClock()
    with FusionSimulator(clock=clock, hourly_calls=3, token_life=99_999) as fusion, Bare(fusion) as bare:
        assert [bare.send("invoices").status_code for _ in range(4)] == [200, 200, 200, 429]
        clock.advance(3600)
        assert bare.send("invoices").status_code == 200


def test_faults_look_like_those_of_proxies_and_of_the_pod() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.fail(status=503, times=1, retry_after=7)
        busy = bare.send("invoices")
        assert (busy.status_code, busy.headers["Retry-After"], busy.headers["Content-Type"]) == (503, "7", "text/html")
        fusion.fail(status=500, match=lambda call: "totalResults" in call.query)
        assert bare.send("invoices").status_code == 200
        assert bare.send("invoices", totalResults="true").json()["status"] == "500"
        fusion.token_host.fail(status=429)
        assert ask_token(fusion).status_code == 429
        assert [call.status for call in fusion.token_host.calls] == [200, 429]
        assert [call.fault for call in fusion.calls] == ["status 503", None, "status 500"]


def test_no_secret_stands_in_the_recorded_calls() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        bare.get("invoices")
        assert bare.token not in repr(fusion.calls)
        assert fusion.token_host.password not in repr(fusion.token_host.calls)


def test_the_date_header_is_the_clocks_and_can_be_off() -> None:
    clock = ManualClock()
    with FusionSimulator(clock=clock, date_skew=dt.timedelta(minutes=5)) as fusion, Bare(fusion) as bare:
        assert bare.send("invoices").headers["Date"] == "Mon, 02 Mar 2026 15:05:00 GMT"


@pytest.mark.parametrize("kind", ["auth", "basic_auth"])
def test_its_own_login_objects_work_with_the_library(kind: str) -> None:
    with FusionSimulator() as fusion:
        with HTTPClient(fusion.url, auth=getattr(fusion, kind), faults=FaultTable("fusion")) as client:
            for _ in range(2):
                assert requests.get(f"{fusion.url}{RESOURCES}/invoices", auth=client.auth, timeout=5).status_code == 200
        assert fusion.token_host.tokens_given == (1 if kind == "auth" else 0)
        assert "client_secret" not in str([call.body for call in fusion.token_host.calls])


def test_the_client_is_made_for_this_pod_and_its_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    door = types.ModuleType("mlconnector.fusion")
    door.OracleFusion = lambda url, **options: (url, options)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlconnector.fusion", door)
    with FusionSimulator() as fusion:
        url, options = fusion.client(page_size=10)
        assert url == fusion.url
        assert (options["clock"], options["page_size"]) == (fusion.clock, 10)
        assert isinstance(options["auth"], OAuth2ClientCredentials)
        assert fusion.client(auth=None)[1]["auth"] is None


def test_errors_are_structured_only_where_version_and_accept_say_so() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        body = bare.send("invoices", q="Nothing = 1")
        assert body.headers["Content-Type"] == ERROR_TYPE
        assert body.json()["title"] == "Bad Request"
        assert body.json()["o:errorDetails"][0]["o:errorCode"]
        for headers in ({"Accept": "application/json"}, {"REST-Framework-Version": "3"}):
            plain = bare.send("invoices", q="Nothing = 1", headers=headers)
            assert (plain.status_code, plain.headers["Content-Type"]) == (400, "text/plain")
        assert bare.send("invoices", headers={"Accept": "text/xml"}).status_code == 406
        only = bare.send("invoices", headers={"Accept": "application/vnd.oracle.adf.resourcecollection+json"})
        assert only.headers["Content-Type"] == "application/vnd.oracle.adf.resourcecollection+json"


def test_what_is_not_there_is_404_and_nothing_can_be_written() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.add(invoice(1), resource="invoices")
        root = f"{fusion.url}/fscmRestApi/resources"
        for path in (
            "invoicez",
            "invoices/1",
            f"{root}/11.13.17.11/invoices",
            f"{root}/latest",
            f"{fusion.url}/crmRestApi/resources/latest/accounts",
        ):
            assert bare.send(path).status_code == 404, path
        assert bare.send("invoices", method="POST").status_code == 405
        assert bare.get(f"{root}/latest/invoices")["count"] == 1
        versions = bare.get(root)["items"][0]
        assert (versions["version"], versions["isLatest"]) == (RESOURCES.rpartition("/")[2], True)
        assert versions["adf:extension"]["defaultFrameworkVersion"] == "1"
        assert bare.send("invoices", headers={"REST-Framework-Version": "10"}).status_code == 400


def test_options_are_checked() -> None:
    refused: tuple[dict[str, Any], ...] = (
        {"default_framework": 10},
        {"link_shape": "top"},
        {"date_literals": "us"},
        {"page_cap": 0},
        {"hourly_calls": 0},
        {"token_life": 0},
    )
    for wrong in refused:
        with pytest.raises(InvalidArgument, match=str(next(iter(wrong)))):
            FusionSimulator(**wrong)
