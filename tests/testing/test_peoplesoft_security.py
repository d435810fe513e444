from __future__ import annotations

import base64

import pytest
import requests

from mlconnector.errors import InvalidArgument
from tests.testing.peoplesoft import ORDERS, get, rows, simulator


def test_every_call_needs_the_login() -> None:
    with simulator() as psft:
        for headers in (
            {"X": "1"},
            {"Authorization": "Basic !"},
            {"Authorization": "Basic " + base64.b64encode(b"MLCONN:wrong").decode()},
            {"Authorization": "Bearer abc"},
        ):
            answer = get(psft, "ML_PO_HDR", ORDERS, headers=headers)
            assert (answer.status_code, answer.content) == (401, b"")
        assert psft.refused_logins == 2
        assert rows(psft, "ML_PO_HDR", ORDERS) == []


def test_too_many_refusals_lock_the_user() -> None:
    with simulator(lock_after=1) as psft:
        wrong = {"Authorization": "Basic " + base64.b64encode(b"MLCONN:wrong").decode()}
        assert get(psft, "ML_PO_HDR", ORDERS, headers=wrong).status_code == 401
        assert get(psft, "ML_PO_HDR", ORDERS).status_code == 401
        psft.unlock()
        assert get(psft, "ML_PO_HDR", ORDERS).status_code == 200


def test_oauth_takes_tokens_of_the_authorization_server_and_no_password() -> None:
    with simulator(verification="oauth2") as psft:
        host = psft.token_host
        form = {"grant_type": "client_credentials", "scope": "readwrite"}
        given = requests.post(psft.token_url, data=form, auth=(host.username, host.password), timeout=5).json()
        bearer = {"Authorization": f"Bearer {given['access_token']}"}
        assert get(psft, "ML_PO_HDR", ORDERS, headers=bearer).status_code == 200
        assert get(psft, "ML_PO_HDR", ORDERS).status_code == 401
        psft.expire_tokens()
        assert get(psft, "ML_PO_HDR", ORDERS, headers=bearer).status_code == 401


def test_a_token_whose_claim_is_no_user_is_refused() -> None:
    with simulator(verification="oauth2", token_user=False) as psft:
        host = psft.token_host
        form = {"grant_type": "client_credentials", "scope": "readwrite"}
        given = requests.post(psft.token_url, data=form, auth=(host.username, host.password), timeout=5).json()
        bearer = {"Authorization": f"Bearer {given['access_token']}"}
        assert get(psft, "ML_PO_HDR", ORDERS, headers=bearer).status_code == 401


@pytest.mark.parametrize("status", [500, 404, 403, 401])
def test_an_inactive_operation_has_the_status_of_the_site(status: int) -> None:
    with simulator(inactive_status=status) as psft:
        psft.deactivate("QAS_EXECUTEQRY_REST_GET")
        assert get(psft, "ML_PO_HDR", ORDERS).status_code == status
        psft.deactivate("ExecuteQuery", inactive=False)
        assert get(psft, "ML_PO_HDR", ORDERS).status_code == 200
        with pytest.raises(InvalidArgument):
            psft.deactivate("ExecuteQueries")


@pytest.mark.parametrize("status", [401, 403])
def test_an_operation_that_is_not_permitted_is_refused_after_the_login(status: int) -> None:
    with simulator(forbidden_status=status) as psft:
        psft.forbid("ExecuteQuery.v1")
        assert get(psft, "ML_PO_HDR", ORDERS).status_code == status
        assert psft.refused_logins == 0


def test_a_query_over_a_record_without_access_cannot_be_run() -> None:
    with simulator() as psft:
        psft.hide("PO_LINE_SHIP")
        assert get(psft, "ML_PO_LINE", {"BU": "US001", "PO": "1"}).status_code == 500
        assert get(psft, "ML_PO_HDR", ORDERS).status_code == 200
        psft.hide("PO_LINE_SHIP", hidden=False)
        assert rows(psft, "ML_PO_LINE", {"BU": "US001", "PO": "1"}) == []
        with pytest.raises(InvalidArgument):
            psft.hide("PO_LINES")


def test_faults_look_like_the_web_server_that_would_send_them() -> None:
    with simulator() as psft:
        for status in (500, 503, 401, 403):
            psft.fail(status=status)
        bodies = [(answer.status_code, answer.content) for answer in (get(psft, "ML_DEPT") for _ in range(4))]
        assert bodies[0] == (500, b"")
        assert bodies[1][1].startswith(b"<html>")
        assert bodies[2] == (401, b"")
        assert bodies[3][1].startswith(b"<html>")
        psft.fail(body="<html>Sign in</html>")
        login = get(psft, "ML_PO_HDR", ORDERS)
        assert (login.status_code, login.headers["Content-Type"]) == (200, "text/html")
        assert [call.status for call in psft.calls] == [500, 503, 401, 403, 200]


@pytest.mark.parametrize(
    "wrong",
    [
        {"verification": "none"},
        {"tools_release": "8.57"},
        {"blanks": "null"},
        {"name_key": "name"},
        {"query_errors": "404"},
        {"inactive_status": 502},
        {"forbidden_status": 404},
        {"fault_status": 400},
        {"answer_shape": "any"},
        {"component_dates": "dots"},
        {"xml_dates": "dots"},
        {"row_cap": 0},
        {"build_after": 0},
        {"time_zone": "America/Nowhere"},
        {"translated": ["PO_TYPE"]},
    ],
)
def test_options_outside_the_reference_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument):
        simulator(**wrong)


def test_the_login_of_the_simulator_is_the_one_its_verification_takes() -> None:
    with simulator() as psft, simulator(verification="oauth2") as other:
        assert type(psft.auth).__name__ == "HTTPBasic"
        assert type(other.auth).__name__ == "OAuth2ClientCredentials"
