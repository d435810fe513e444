from __future__ import annotations

import sys
import types
from typing import Any

import pytest
import requests

from mlconnector.auth import OAuth2ClientCredentials
from mlconnector.errors import InvalidArgument
from mlconnector.testing import ManualClock
from mlconnector.testing._coupa import CoupaSimulator
from mlconnector.testing._coupa_catalog import ALL_SCOPES
from tests.testing.coupa import JSON, Bare, ask_token, furnished, invoice, supplier


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/access_tokens"])
def test_a_token_carries_the_scopes_asked_for_or_all_of_the_client(path: str) -> None:
    with CoupaSimulator(scopes=["core.supplier.read", "core.supplier.write"]) as coupa:
        some = ask_token(coupa, path, scope="core.supplier.read").json()
        assert some["expires_in"] == 86399
        assert some["scope"] == "core.supplier.read"
        assert some["access_token"].count(".") == 2
        assert ask_token(coupa, path).json()["scope"] == "core.supplier.read core.supplier.write"
        assert coupa.tokens_given == 2


def test_a_token_with_every_scope_is_long() -> None:
    with CoupaSimulator() as coupa:
        assert (
            len(ask_token(coupa).json()["access_token"])
            > len(ask_token(coupa, scope=ALL_SCOPES[0]).json()["access_token"])
            > 255
        )


def test_a_token_is_refused_as_oauth_refuses() -> None:
    with CoupaSimulator(scopes=["core.supplier.read"]) as coupa:
        for form, status, error in (
            ({"client_secret": "wrong"}, 401, "invalid_client"),
            ({"grant_type": "password"}, 400, "unsupported_grant_type"),
            ({"scope": "core.supplier.write"}, 400, "invalid_scope"),
            ({"scope": "core.supplier.read,core.supplier.read"}, 400, "invalid_scope"),
        ):
            answer = ask_token(coupa, **form)
            assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert requests.get(f"{coupa.url}/oauth2/token", timeout=5).status_code == 405
        as_json = requests.post(f"{coupa.url}/oauth2/token", json={}, timeout=5)
        assert (as_json.status_code, as_json.json()["error"]) == (400, "invalid_request")


def test_basic_and_an_empty_call_with_a_query_are_taken_as_seen_in_use() -> None:
    with CoupaSimulator() as coupa:
        url, grant = f"{coupa.url}/oauth2/token", {"grant_type": "client_credentials"}
        login = (coupa.username, coupa.password)
        assert requests.post(url, data=grant, auth=login, timeout=5).status_code == 200
        query = {**grant, "client_id": coupa.username, "client_secret": coupa.password}
        assert requests.post(url, params=query, timeout=5).status_code == 200


def test_a_missing_wrong_forgotten_or_dead_token_is_401() -> None:
    clock = ManualClock()
    with CoupaSimulator(clock=clock) as coupa, Bare(coupa) as bare:
        assert bare.status("GET", "suppliers") == 200
        assert requests.get(f"{coupa.url}/api/suppliers", headers=JSON, timeout=5).status_code == 401
        wrong = {**JSON, "Authorization": f"Basic {bare.token}"}
        assert requests.get(f"{coupa.url}/api/suppliers", headers=wrong, timeout=5).status_code == 401
        clock.advance(86_398)
        assert bare.status("GET", "suppliers") == 200
        clock.advance(1)
        assert bare.status("GET", "suppliers") == 401
        with Bare(coupa) as fresh:
            coupa.expire_tokens()
            assert fresh.status("GET", "suppliers") == 401


def test_a_token_needs_its_seconds_and_is_the_same_one_then() -> None:
    clock = ManualClock()
    with CoupaSimulator(clock=clock, ripening=5) as coupa, Bare(coupa) as bare:
        assert bare.status("GET", "suppliers") == 401
        clock.advance(5)
        assert bare.status("GET", "suppliers") == 200


@pytest.mark.parametrize(
    ("scope", "method", "path", "body", "status"),
    [
        ("core.supplier.read", "GET", "suppliers", None, 200),
        ("core.supplier.read", "POST", "suppliers", {}, 403),
        ("core.supplier.write", "GET", "suppliers", None, 403),
        ("core.supplier.write", "POST", "suppliers", {}, 400),
        ("core.supplier.read", "GET", "suppliers/1/addresses", None, 200),
        ("core.supplier_sites.read", "GET", "suppliers/1/supplier_sites", None, 200),
        ("core.supplier_sites.read", "GET", "suppliers/1/addresses", None, 403),
        ("core.supplier.read", "GET", "accounts", None, 403),
        ("core.accounting.read", "GET", "account_types", None, 200),
        ("core.common.read", "GET", "currencies", None, 200),
        ("core.user.read", "GET", "users", None, 200),
        ("core.invoice.create", "POST", "invoices", {}, 400),
        ("core.invoice.create", "PUT", "invoices/1", {"paid": True}, 403),
        ("core.invoice.create", "PUT", "invoices/1/submit", None, 200),
        ("core.invoice.write", "PUT", "invoices/1/void", None, 403),
        ("core.invoice.delete", "PUT", "invoices/1/void", None, 200),
        ("core.invoice.write", "PUT", "invoices/1/bypass_approvals", None, 403),
        ("core.purchase_order.read", "GET", "purchase_order_lines", None, 200),
        ("core.purchase_order.read", "POST", "purchase_orders", {}, 403),
        ("core.pay.payments.read", "GET", "coupa_pay/payments", None, 200),
        ("core.pay.payments.read", "PUT", "coupa_pay/payments/1/export", None, 403),
        ("core.pay.payments.write", "PUT", "coupa_pay/payments/1/export", None, 200),
        ("core.inventory.receiving.read", "GET", "receiving_transactions", None, 200),
    ],
)
def test_scopes_are_checked_call_by_call(scope: str, method: str, path: str, body: Any, status: int) -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa, scope=scope) as bare:
        coupa.add([invoice(status="draft")], resource="invoices")
        coupa.add({"status": "completed_successfully"}, resource="coupa_pay/payments")
        answer = bare.send(method, path, body)
        assert answer.status_code == status, answer.text
        if status == 403:
            assert answer.headers["Content-Type"] == "text/html"


def test_json_needs_both_headers_and_xml_is_the_default() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.add(("suppliers", supplier(name="A & B")))

        def answer(
            method: str = "GET", path: str = "suppliers", body: Any = None, **headers: str | None
        ) -> requests.Response:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return bare.send(method, path, body, headers={"Accept": None, **named})

        plain = answer(Content_Type="application/json")
        assert (plain.status_code, plain.headers["Content-Type"]) == (200, "application/xml")
        assert "<name>A &amp; B</name>" in plain.text
        assert answer(Accept="*/*", Content_Type="application/json").text.startswith("<suppliers")
        assert answer(Accept="application/xml", Content_Type="application/xml").status_code == 200
        assert answer(path="suppliers/1", Accept="text/xml", Content_Type="text/xml").text.startswith("<supplier>")
        nothing = answer(path="departments", Content_Type="application/json")
        assert nothing.status_code == 404
        assert "<errors><error>No results match your search criteria.</error></errors>" in nothing.text
        wrong = answer("POST", "departments", {}, Content_Type="application/json")
        assert wrong.status_code == 400
        assert wrong.text == "<errors><error>Name can't be blank</error></errors>"
        for headers, status in (
            ({"Accept": "text/html", "Content_Type": "application/json"}, 406),
            ({"Accept": "application/json"}, 415),
            ({"Accept": "application/json", "Content_Type": "application/xml"}, 415),
            ({"Accept": "application/xml", "Content_Type": "application/json"}, 415),
        ):
            assert answer(**headers).status_code == status
        assert answer("POST", body={}, Accept="application/xml", Content_Type="application/xml").status_code == 415
        assert answer("POST", body={}, Accept="application/json", Content_Type="text/plain").status_code == 415
        assert answer("POST", body={}, Accept="application/json").status_code == 415
    with CoupaSimulator(nulls=True) as coupa, Bare(coupa) as bare:
        coupa.add(("suppliers", supplier()))
        as_xml = {"Accept": "application/xml", "Content-Type": "application/xml"}
        assert '<tax-id nil="true"/>' in bare.send("GET", "suppliers/1", headers=as_xml).text
    with CoupaSimulator(strict_headers=False) as coupa, Bare(coupa) as bare:
        assert bare.send("GET", "suppliers", headers={"Accept": "application/json"}).json() == []


def test_more_than_the_rate_and_the_burst_in_a_second_is_429_and_is_counted() -> None:
    clock = ManualClock()
    with CoupaSimulator(clock=clock, rate=3, burst=2) as coupa, Bare(coupa) as bare:
        assert coupa.busiest_second == 0
        assert [bare.status("GET", "suppliers") for _ in range(6)] == [200] * 5 + [429]
        assert "Retry-After" not in bare.send("GET", "suppliers").headers
        clock.advance(0.999)
        assert bare.status("GET", "suppliers") == 429
        clock.advance(0.001)
        assert bare.status("GET", "suppliers") == 200
        assert coupa.busiest_second == 8
    with CoupaSimulator(clock=clock, rate=None) as coupa, Bare(coupa) as bare:
        assert {bare.status("GET", "suppliers") for _ in range(60)} == {200}
        clock.advance(1)
        assert bare.status("GET", "suppliers") == 200
        assert coupa.busiest_second == 60


def test_faults_look_as_the_vendors_do() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.fail(status=400, match="suppliers")
        assert bare.refused("GET", "suppliers") == ["Simulated fault"]
        coupa.fail(retry_after=2)
        answer = bare.send("GET", "suppliers")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
        assert answer.headers["Content-Type"] == "text/html"
        coupa.fail(drop="after", match="POST")
        with pytest.raises(requests.ConnectionError):
            bare.post("departments", {"name": "Ops"})
        assert [row["name"] for row in coupa.contents["departments"]] == ["Ops"]


def test_the_auth_and_the_client_of_the_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    room: Any = types.ModuleType("mlconnector.coupa")
    room.Coupa = lambda url, **options: (url, options)
    monkeypatch.setitem(sys.modules, "mlconnector.coupa", room)
    with CoupaSimulator(scopes=["core.supplier.read"]) as coupa:
        url, options = coupa.client(page_size=10)
        assert url == coupa.url
        assert isinstance(options["auth"], OAuth2ClientCredentials)
        assert options["clock"] is coupa.clock
        assert options["page_size"] == 10


@pytest.mark.parametrize(
    "options",
    [
        {"scopes": ["core.everything"]},
        {"ripening": -1},
        {"rate": 0},
        {"burst": -1},
        {"lag": -1},
        {"over_limit": "ignore"},
        {"invalid_status": 409},
        {"submitted_status": "paid"},
    ],
)
def test_settings_are_checked(options: Any) -> None:
    with pytest.raises(InvalidArgument):
        CoupaSimulator(**options)
