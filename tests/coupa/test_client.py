"""The client itself: tokens, pace, what answers mean, check, options."""

from __future__ import annotations

import base64
import json
import pickle
import threading
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector.coupa import Coupa
from mlconnector.coupa._compare import differences, line_key
from mlconnector.coupa._faults import words
from mlconnector.coupa._limiter import Limiter
from mlconnector.coupa._token import CoupaToken
from mlconnector.testing import ManualClock
from tests.coupa.conftest import Setup, client
from tests.coupa.documents import supplier
from tests.coupa.stub import START, CoupaStub

HOUR = 3600.0


def statuses(stub: CoupaStub, path: str) -> list[int | None]:
    return [call.status for call in stub.calls if call.path == path]


# Tokens (section 2)


def test_a_token_is_kept_twenty_hours_and_then_renewed(setup: Setup) -> None:
    list(setup.coupa.suppliers())
    setup.clock.advance(20 * HOUR - 10)
    list(setup.coupa.suppliers())
    assert setup.stub.logins == 1
    setup.clock.advance(20)
    list(setup.coupa.suppliers())
    assert setup.stub.logins == 2
    login = next(call for call in setup.stub.calls if call.path == "/oauth2/token")
    assert login.headers["content-type"] == "application/x-www-form-urlencoded"
    assert login.body["grant_type"] == "client_credentials"


def test_a_new_token_that_is_rejected_is_tried_again_after_five_seconds(setup: Setup) -> None:
    setup.stub.settling = 5.0
    begun = setup.clock.monotonic()
    assert setup.coupa.save_supplier(supplier()).id
    assert setup.stub.logins == 1
    assert 5 <= setup.clock.monotonic() - begun < 7


def test_an_old_token_that_is_rejected_is_replaced_once(setup: Setup) -> None:
    list(setup.coupa.suppliers())
    setup.clock.advance(60)
    setup.stub.expire_tokens()
    setup.coupa.save_supplier(supplier())
    assert setup.stub.logins == 2
    setup.clock.advance(60)
    setup.stub.fail(status=401, times=2, match="/api/")
    with pytest.raises(mc.AuthenticationFailed):
        list(setup.coupa.suppliers())


def test_a_refused_login_is_not_repeated(setup: Setup) -> None:
    with Coupa(setup.stub.url, auth=mc.OAuth2ClientCredentials("client", "wrong"), clock=setup.clock) as coupa:
        for _ in range(3):
            with pytest.raises(mc.AuthenticationFailed):
                list(coupa.suppliers())
    assert setup.stub.refused_logins == 1


def test_the_token_tells_its_scopes_where_it_does() -> None:
    def scopes(claims: Any, form: str = "a.{}.b") -> Any:
        token = CoupaToken(mc.HTTPBasic("u", "p"))
        middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        token._current = {"Authorization": "Bearer " + form.format(middle)}
        return token.scopes()

    assert scopes({"scope": "a b"}) == {"a", "b"}
    assert scopes({"scp": ["a"]}) == {"a"}
    assert scopes({"scope": " "}) is None
    assert scopes([1]) is None
    assert scopes({}, "opaque") is None
    assert scopes({}, "a.*.b") is None
    token = CoupaToken(mc.HTTPBasic("u", "p"))
    assert token.scopes() is None
    assert "p'" not in repr(token)


def test_another_token_address_and_a_manager_of_ones_own(setup: Setup) -> None:
    class Fixed:
        def headers(self, send: Any) -> dict[str, str]:
            return {"Authorization": "Bearer mine"}

        def rejected(self, headers: Any, send: Any) -> bool:
            return False

        def logout(self, send: Any) -> None:
            return None

    setup.stub.tokens["mine"] = -100.0
    with Coupa(setup.stub.url, auth=Fixed(), clock=setup.clock) as coupa:
        assert [one.number for one in coupa.suppliers()] == ["4343"]
        assert coupa._token.rejected({"Authorization": "other"}, lambda _request: None) is False  # type: ignore[arg-type]
    auth = mc.OAuth2ClientCredentials("a", "b", path="/elsewhere")
    with Coupa(setup.stub.url, auth=auth, clock=setup.clock) as coupa, pytest.raises(mc.MLConnectorError):
        list(coupa.suppliers())
    assert setup.stub.calls[-1].path == "/elsewhere"


def test_a_client_with_stored_credentials_pickles(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCONNECTOR_ACME_COUPA_KIND", "OAuth2ClientCredentials")
    monkeypatch.setenv("MLCONNECTOR_ACME_COUPA_CLIENT_ID", setup.stub.username)
    monkeypatch.setenv("MLCONNECTOR_ACME_COUPA_CLIENT_SECRET", setup.stub.password)
    with Coupa(setup.stub.url, auth=mc.stored("acme-coupa")) as coupa:
        copy = pickle.loads(pickle.dumps(coupa))
        with copy:
            assert [one.number for one in copy.suppliers()] == ["4343"]
    limiter = pickle.loads(pickle.dumps(Limiter(5, mc.SYSTEM_CLOCK)))
    assert limiter._rate == 5
    token = pickle.loads(pickle.dumps(CoupaToken(mc.stored("acme-coupa"))))
    assert token.token_url is None
    with Coupa(setup.stub.url, auth=mc.stored("acme-coupa"), clock=setup.clock) as coupa:
        assert [one.number for one in coupa.suppliers()] == ["4343"]
        assert setup.stub.password not in repr(coupa)
        assert coupa.auth is not None


# Pace (section 8)


def most_in_a_second(instants: list[float]) -> int:
    return max(sum(1 for other in instants if one <= other < one + 0.999) for one in instants)


def test_calls_are_spaced_evenly() -> None:
    clock = ManualClock(START)
    limiter = Limiter(20, clock)
    instants = []
    for _ in range(50):
        limiter()
        instants.append(clock.monotonic())
    assert [round(one, 3) for one in instants] == [round(number / 20, 3) for number in range(50)]


def test_threads_that_are_held_up_do_not_go_together() -> None:
    class Stalling:
        """A machine whose clock stands while turns are handed out: all of them go at once then."""

        def __init__(self) -> None:
            self.at = 0.0

        def monotonic(self) -> float:
            return self.at

        def sleep(self, seconds: float) -> None:
            self.at += max(seconds, 0.001) if stalled else 0.0

    clock, stalled = Stalling(), False
    limiter = Limiter(25, clock)  # type: ignore[arg-type]
    instants = []
    for number in range(100):
        stalled = number >= 24
        limiter()
        instants.append(clock.monotonic())
    assert most_in_a_second(instants) == 24


def test_never_above_25_a_second_on_the_wire() -> None:
    with CoupaStub(ManualClock(START)) as stub:
        stub.supplier("1")
        auth = mc.OAuth2ClientCredentials(stub.username, stub.password)
        arrivals: list[float] = []
        stub.fail(times=60, delay=0.0, match=lambda _call: arrivals.append(time.monotonic()) or False)  # type: ignore[func-returns-value]
        with Coupa(stub.url, auth=auth) as coupa:
            threads = [threading.Thread(target=lambda: [list(coupa.suppliers()) for _ in range(8)]) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert len(arrivals) == 33
    assert most_in_a_second(arrivals) <= 25


def test_a_slow_caller_never_waits() -> None:
    clock = ManualClock(START)
    limiter = Limiter(25, clock)
    for _ in range(5):
        limiter()
        clock.advance(1)
    assert clock.sleeps == ()


@pytest.mark.parametrize("rate", [0, 26, True, 2.5])
def test_a_rate_coupa_does_not_take_is_refused(rate: Any) -> None:
    with pytest.raises(mc.InvalidArgument):
        Limiter(rate, mc.SYSTEM_CLOCK)


# What answers mean (section 8)


@pytest.mark.parametrize(
    ("status", "error", "calls"),
    [
        (400, mc.VendorFault, 1),
        (403, mc.PermissionDenied, 1),
        (406, mc.VendorFault, 1),
        (409, mc.VendorFault, 1),
        (412, mc.VendorFault, 1),
        (415, mc.VendorFault, 1),
        (422, mc.VendorFault, 1),
        (429, mc.RateLimited, 3),
        (500, mc.VendorFault, 1),
        (503, mc.VendorFault, 3),
    ],
)
def test_answers_to_a_read(setup: Setup, status: int, error: type[Exception], calls: int) -> None:
    body = '{"errors": {"supplier": ["Name is odd", "Name is odd"], "city": "is far"}}'
    setup.stub.fail(status=status, times=9, match="/api/suppliers", body=body, content_type="application/json")
    with pytest.raises(error, match="supplier: Name is odd; city: is far"):
        list(setup.coupa.suppliers())
    assert statuses(setup.stub, "/api/suppliers") == [status] * calls


def test_a_rate_limit_is_waited_out_also_by_a_write(setup: Setup) -> None:
    setup.stub.fail(retry_after=2, match="POST /api/suppliers")
    assert setup.coupa.save_supplier(supplier()).id
    assert 2.0 in setup.clock.sleeps


def test_a_write_is_not_repeated_by_a_busy_server(setup: Setup) -> None:
    setup.stub.fail(status=503, match="POST /api/suppliers")
    with pytest.raises(mc.DeliveryInDoubt):
        setup.coupa.save_supplier(supplier())
    assert Counter(setup.stub.writes())["POST", "/api/suppliers"] == 1


def test_errors_in_other_forms_are_read_too(setup: Setup) -> None:
    xml = "<?xml version='1.0'?><errors><error>Total &amp; tax\n differ</error><error>No</error></errors>"
    setup.stub.fail(status=400, body=xml, content_type="application/xml", match="/api/suppliers")
    with pytest.raises(mc.VendorFault, match="Total & tax differ; No"):
        list(setup.coupa.suppliers())
    setup.stub.fail(status=400, body="plain", content_type="text/plain", match="/api/suppliers")
    with pytest.raises(mc.VendorFault):
        list(setup.coupa.suppliers())
    setup.stub.fail(status=200, body="<html>log in</html>", match="/api/suppliers")
    with pytest.raises(mc.VendorFault, match="HTML page"):
        list(setup.coupa.suppliers())
    assert words({"error": "invalid_scope"}) == ["invalid_scope"]
    assert words({"errors": [{"name": ["a"]}, "b", None]}) == ["name: a", "b"]
    assert words("x") == []


# check()


def test_check_says_which_scopes_the_client_really_has(setup: Setup) -> None:
    setup.stub.denied = {"accounts"}
    setup.clock.advance(10)
    found = setup.coupa.check()
    lines = {step.name: step for step in found.steps}
    assert not found.ok
    assert lines["address, TLS and login"].ok
    assert lines["scope core.supplier.read"].ok
    assert lines["scope core.supplier.write"].ok
    assert not lines["scope core.accounting.read"].ok
    assert "ticks the scope" in lines["scope core.accounting.read"].cure
    assert not lines["scope core.invoice.delete"].ok
    assert "no record came" in lines["scope core.purchase_order.read"].detail
    assert "may not be licensed" in lines["scope core.pay.payments.read"].detail
    assert setup.stub.writes() == []


def test_check_where_the_token_tells_nothing(setup: Setup) -> None:
    setup.stub.scopes = None
    with client(setup.stub, setup.clock, payments="invoices") as coupa:
        lines = {step.name: step for step in coupa.check().steps}
    assert "does not tell" in lines["scope core.invoice.write"].detail
    assert "scope core.pay.payments.read" not in lines
    with Coupa(setup.stub.url, auth=mc.OAuth2ClientCredentials("client", "wrong"), clock=setup.clock) as coupa:
        assert len(coupa.check().steps) == 1


def test_check_tells_that_the_clocks_differ() -> None:
    import datetime as dt

    clock = ManualClock(START)
    with CoupaStub(clock, date_skew=dt.timedelta(hours=1)) as stub, client(stub, clock) as coupa:
        assert "the clocks differ by" in str(coupa.check())


# Options


@pytest.mark.parametrize(
    "options",
    [
        {"page_size": 51},
        {"page_size": 0},
        {"payments": "cash"},
        {"calls_per_second": 30},
        {"auth": object()},
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any]) -> None:
    given = {"auth": mc.OAuth2ClientCredentials("a", "b"), **options}
    with pytest.raises(mc.InvalidArgument):
        Coupa("https://acme.example", **given)
    with pytest.raises(mc.InvalidArgument, match="beyond the instance"):
        Coupa("https://acme.example/x", auth=mc.OAuth2ClientCredentials("a", "b"))


def test_a_client_tells_its_origin_and_closes_twice() -> None:
    coupa = Coupa("https://acme.example/api", auth=mc.OAuth2ClientCredentials("a", "b"), timeout=7)
    assert coupa.origin == "https://acme.example:443"
    assert coupa.timeout.total == 7
    assert coupa.clock is mc.SYSTEM_CLOCK
    coupa.close()
    coupa.close()


# Comparing


def test_personal_values_stay_out_of_messages() -> None:
    sent = {"tax-id": "12-3", "primary-contact": {"email": "ann@lee.example"}, "name": "A"}
    assert differences(sent, {"tax-id": "9", "name": "B"}) == [
        "tax-id: a value was meant, Coupa has a value",
        "primary-contact email: a value was meant, Coupa has nothing",
        "name: 'A' was meant, Coupa has 'B'",
    ]


def test_what_coupa_spells_otherwise_is_the_same() -> None:
    sent = {
        "price": "1.50", "invoice-date": "2026-03-01", "name": " A ", "is-credit-note": True,
        "primary-address": {"street2": "", "country": {"code": "US"}}, "supplier": {"number": "1"}, "note": "",
    }  # fmt: skip
    record = {
        "price": "1.500000", "invoice-date": "2026-02-28T16:00:00-08:00", "name": "A", "note": None,
        "primary-address": {"id": 1, "country": "US"}, "supplier": {"id": 5},
    }  # fmt: skip
    assert differences(sent, record) == []
    assert differences(sent, {**record, "invoice-date": "2026-03-01T00:00:00-08:00"}) == []
    assert differences(sent, {**record, "supplier": None}) == ["supplier number: '1' was meant, Coupa has nothing"]
    assert differences(sent, {**record, "price": "x", "invoice-date": "soon"})[0].startswith("price: '1.5'")
    assert differences({"supplier": {"number": "1"}}, {}, told_only=True)
    assert differences({"name": "A"}, {}, told_only=True) == []
    assert line_key(None) == ""
    assert line_key("1.010") == "1.01"
    assert line_key("A1") == "A1"


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["name", "price", "need-by-date", "uom"]), st.text(max_size=8)))
def test_a_record_is_never_different_from_itself(record: dict[str, Any]) -> None:
    assert differences(record, record) == []
