from __future__ import annotations

import datetime as dt

import pytest
import requests

from mlconnector.errors import InvalidArgument
from mlconnector.testing import JDEdwardsSimulator, ManualClock
from tests.testing.ais import DEVICE, Bare, request


def post(simulator: JDEdwardsSimulator, path: str, **options: object) -> requests.Response:
    return requests.post(f"{simulator.url}/jderest{path}", timeout=5, **options)  # type: ignore[arg-type]


def test_the_token_stands_in_user_info_with_what_governs_literals() -> None:
    with JDEdwardsSimulator(date_format="dd.MM.yyyy", utc_offset="UTC+01:00") as jde, Bare(jde) as bare:
        info = bare.login["userInfo"]
        assert "token" not in bare.login
        assert set("+/=") <= set(info["token"])
        assert (info["simpleDateFormat"], info["dateFormat"], info["dateSeperator"]) == ("dd.MM.yyyy", "DME", ".")
        assert info["timeZoneOffset"] == "UTC+01:00"
        assert "expires" not in str(bare.login)


def test_a_wrong_password_is_refused_and_counted_until_the_account_locks() -> None:
    with JDEdwardsSimulator(lock_after=2) as jde:
        wrong = {"username": jde.username, "password": "wrong"}
        right = {"username": jde.username, "password": jde.password}
        assert post(jde, "/v2/tokenrequest", json=wrong).status_code == 403
        assert post(jde, "/v2/tokenrequest", json=right).status_code == 200
        assert jde.refused_logins == 0
        for _ in range(2):
            assert post(jde, "/v2/tokenrequest", json=wrong).status_code == 403
        assert jde.locked
        assert post(jde, "/v2/tokenrequest", json=right).status_code == 403
        jde.unlock()
        assert post(jde, "/v2/tokenrequest", json=right).status_code == 200


def test_an_environment_that_is_not_there_is_refused() -> None:
    with JDEdwardsSimulator() as jde:
        body = {"username": jde.username, "password": jde.password, "environment": "JPD920"}
        assert post(jde, "/v2/tokenrequest", json=body).status_code == 403
        assert post(jde, "/v2/tokenrequest", json={**body, "environment": jde.environment}).status_code == 200


def test_basic_login_takes_the_device_from_its_header() -> None:
    with JDEdwardsSimulator() as jde:
        answer = requests.post(
            f"{jde.url}/jderest/v2/tokenrequest",
            auth=(jde.username, jde.password),
            headers={"jde-AIS-Auth-Device": "D7", "jde-AIS-Auth-Environment": jde.environment},
            timeout=5,
        )
        headers = {"jde-AIS-Auth": answer.json()["userInfo"]["token"], "jde-AIS-Auth-Device": "D7"}
        assert post(jde, "/v2/dataservice", json=request("F0101", "AN8"), headers=headers).status_code == 200
        assert post(jde, "/v2/tokenrequest", headers={"Authorization": "Basic !!"}).status_code == 403


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/x-www-form-urlencoded", "username=a", 415),
        ("text/plain", "{}", 415),
        ("application/json", "{", 400),
        ("application/json", "[1]", 400),
        ("application/json", '{"a": NaN}', 400),
    ],
)
def test_only_json_objects_are_taken(content_type: str, body: str, status: int) -> None:
    with JDEdwardsSimulator() as jde:
        answer = post(jde, "/v2/tokenrequest", data=body, headers={"Content-Type": content_type})
        assert answer.status_code == status


@pytest.mark.parametrize(
    "path", ["/v3/dataservice", "/v3/tokenrequest", "/dataservice", "/v2/nothing", "/v4/orchestrator/ML_X"]
)
def test_other_versions_and_paths_are_html_404(path: str) -> None:
    with JDEdwardsSimulator() as jde:
        answer = post(jde, path, json={})
        assert answer.status_code == 404
        assert answer.headers["Content-Type"].startswith("text/html")


def test_other_verbs_are_refused() -> None:
    with JDEdwardsSimulator() as jde:
        assert requests.get(f"{jde.url}/jderest/v2/tokenrequest", timeout=5).status_code == 405
        assert requests.get(f"{jde.url}/elsewhere", timeout=5).status_code == 404


def test_the_device_name_must_be_the_one_of_the_login() -> None:
    with JDEdwardsSimulator() as jde, Bare(jde) as bare:
        other = {**bare.headers, "jde-AIS-Auth-Device": "other"}
        assert bare.post("/v2/dataservice", request("F0101", "AN8"), headers=other).status_code == 444
        without = {"jde-AIS-Auth": bare.token}
        assert bare.post("/v2/dataservice", request("F0101", "AN8"), headers=without).status_code == 444


def test_a_login_without_device_is_bound_to_the_address_only() -> None:
    with JDEdwardsSimulator() as jde, Bare(jde, device=None) as bare:
        assert bare.data("F0101", "AN8").status_code == 200


def test_token_and_device_may_stand_in_the_body() -> None:
    with JDEdwardsSimulator() as jde, Bare(jde) as bare:
        body = request("F0101", "AN8", token=bare.token, deviceName=DEVICE)
        assert bare.post("/v2/dataservice", body, headers={}).status_code == 200


@pytest.mark.parametrize("expired", [444, 403])
def test_a_dead_token_is_refused_as_the_setting_says(expired: int) -> None:
    with JDEdwardsSimulator(expired_status=expired) as jde, Bare(jde) as bare:  # type: ignore[arg-type]
        jde.expire_tokens()
        assert bare.data("F0101", "AN8").status_code == expired


def test_validate_touches_and_tells() -> None:
    clock = ManualClock()
    with JDEdwardsSimulator(clock=clock, session_life=100) as jde, Bare(jde) as bare:
        clock.advance(80)
        assert bare.post("/v2/tokenrequest/validate", {"touch": True}).json() == {"isValidSession": True}
        clock.advance(80)
        assert bare.post("/v2/tokenrequest/validate", {}).status_code == 200
        clock.advance(dt.timedelta(seconds=80))
        refused = bare.post("/v2/tokenrequest/validate", {"token": bare.token, "deviceName": DEVICE})
        assert refused.status_code == 444
        assert refused.json()["status"] == "ERROR"


def test_logout_ends_the_session_once() -> None:
    with JDEdwardsSimulator() as jde, Bare(jde) as bare:
        assert jde.open_sessions == 1
        assert bare.post("/v2/tokenrequest/logout", {"token": bare.token, "deviceName": DEVICE}).status_code == 200
        assert jde.open_sessions == 0
        assert bare.post("/v2/tokenrequest/logout", {"token": bare.token}).status_code == 444


def test_stateless_calls_carry_their_own_login() -> None:
    with JDEdwardsSimulator() as jde:
        login = {"username": jde.username, "password": jde.password}
        assert post(jde, "/v2/dataservice", json=request("F0101", "AN8", **login)).status_code == 200
        wrong = {**login, "password": "x"}
        assert post(jde, "/v2/dataservice", json=request("F0101", "AN8", **wrong)).status_code == 403
        assert jde.open_sessions == 0


def test_default_config_needs_no_login() -> None:
    with JDEdwardsSimulator() as jde:
        for path in ("/jderest/defaultconfig", "/jderest/v2/defaultconfig"):
            config = requests.get(jde.url + path, params={"requiredCapabilities": "dataservice,x"}, timeout=5).json()
            assert config["requiredCapabilityMissing"] is True
            assert {"dataservice", "nextPage"} <= {each["name"] for each in config["capabilityList"]}
        assert "requiredCapabilityMissing" not in requests.get(f"{jde.url}/jderest/defaultconfig", timeout=5).json()


@pytest.mark.parametrize(
    "options",
    [
        {"expired_status": 401},
        {"bad_column": 404},
        {"count_shape": "odd"},
        {"empty_date": "none"},
        {"fetch_limit": 0},
        {"page_ceiling": 0},
        {"session_life": 0},
        {"lock_after": 0},
        {"utc_offset": "-5"},
        {"date_format": "dd/MM"},
    ],
)
def test_settings_are_checked(options: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument):
        JDEdwardsSimulator(**options)  # type: ignore[arg-type]
