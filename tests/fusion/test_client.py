"""Options, logins, errors, raw rows, counts and ``check()``."""

from __future__ import annotations

import datetime as dt
import pickle
import re
from typing import Any

import pytest

from mlconnector.auth import HTTPBasic
from mlconnector.clock import SYSTEM_CLOCK
from mlconnector.credentials import stored
from mlconnector.errors import (
    AuthenticationFailed,
    InvalidArgument,
    MLConnectorError,
    NotFound,
    PermissionDenied,
    RateLimited,
    VendorFault,
)
from mlconnector.fusion import OracleFusion
from mlconnector.fusion._faults import words
from mlconnector.http import Timeout
from mlconnector.target import Source
from tests.fusion.conftest import Site
from tests.fusion.pod import START, TOKEN, invoice, payment


@pytest.mark.parametrize(
    "option",
    [
        {"page_size": 500},
        {"page_size": 0},
        {"page_size": True},
        {"framework_version": 1},
        {"framework_version": 10},
        {"framework_version": "4"},
        {"resource_version": "11/13"},
        {"resource_version": None},
        {"date_times": "iso"},
        {"overlap": dt.timedelta(minutes=-1)},
        {"overlap": 5},
    ],
)
def test_options_that_cannot_be_meant_are_refused_with_their_value(option: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match=re.escape(repr(next(iter(option.values()))))):
        OracleFusion("https://pod.example", auth=HTTPBasic("u", "p"), **option)


def test_the_client_is_a_source_and_shows_no_secret(site: Site) -> None:
    fusion = site.fusion
    assert isinstance(fusion, Source)
    assert fusion.system == "fusion"
    assert fusion.origin == site.pod.url
    assert "secret" not in repr(fusion)
    assert fusion.gate.payments
    assert fusion.auth is not None
    assert list(fusion.read("payments")) == []
    with pytest.raises(InvalidArgument, match="cost_centers"):
        fusion.read("cost_centers")
    with pytest.raises(InvalidArgument):
        pickle.dumps(fusion)
    with site.client() as inner:
        assert list(inner.suppliers()) == []
    inner.close()


def test_a_time_out_of_the_user_is_used() -> None:
    with OracleFusion("https://pod.example/fscmUI/x", auth=HTTPBasic("u", "p"), timeout=Timeout(total=5)) as fusion:
        assert fusion._http.timeout.total == 5
        assert fusion.origin == "https://pod.example:443"


def test_one_token_of_the_other_host_serves_all_calls(site: Site) -> None:
    site.pod.add("invoices", invoice(1, lines=30))
    list(site.fusion.invoices())
    list(site.fusion.payments())
    assert site.tokens.issued == 1
    assert {call.path for call in site.tokens.calls} == {"/oauth2/v1/token"}


def test_basic_works_too(site: Site) -> None:
    site.pod.add("invoices", invoice(1))
    assert len(list(site.client(auth=HTTPBasic("user", "pässword")).invoices())) == 1


def test_a_rejected_token_is_replaced_once_and_then_says_what_to_do(site: Site) -> None:
    site.pod.add("invoices", invoice(1))
    site.pod.fail(status=401)
    assert len(list(site.fusion.invoices())) == 1
    assert site.tokens.issued == 2
    site.pod.fail(status=401, times=9)
    with pytest.raises(AuthenticationFailed, match="client id") as caught:
        list(site.fusion.invoices())
    assert site.tokens.issued == 3
    assert TOKEN not in str(caught.value)


def test_a_refused_client_is_not_tried_again(site: Site) -> None:
    site.tokens.accepted = False
    for _ in range(2):
        with pytest.raises(AuthenticationFailed, match="'id'"):
            list(site.fusion.invoices())
    assert len(site.tokens.calls) == 1
    assert site.pod.calls == ()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_pod_is_asked_again_after_a_while(site: Site, status: int) -> None:
    site.pod.add("invoices", invoice(1))
    site.pod.fail(status=status, times=2)
    assert len(list(site.fusion.invoices())) == 1
    assert len(site.clock._sleeps) == 2


def test_retry_after_is_honoured(site: Site) -> None:
    site.pod.fail(retry_after=7)
    list(site.fusion.invoices())
    assert site.clock._sleeps == [7]


@pytest.mark.parametrize(
    ("status", "error", "who"),
    [
        (400, VendorFault, "caller"),
        (403, PermissionDenied, "administrator"),
        (404, NotFound, "caller"),
        (429, RateLimited, "vendor"),
        (500, VendorFault, "vendor"),
        (503, VendorFault, "vendor"),
        (302, VendorFault, "vendor"),
    ],
)
@pytest.mark.parametrize(
    "body", ["", "<html><body>Sorry</body></html>", "ORA-00001 in words", '{"title":"T","o:errorDetails":[]}']
)
def test_every_refusal_is_one_clear_error_whatever_its_body(
    site: Site, status: int, error: type[MLConnectorError], who: str, body: str
) -> None:
    site.pod.fail(status=status, body=body, times=9)
    with pytest.raises(error) as caught:
        list(site.fusion.invoices())
    assert caught.value.status == status
    assert caught.value.system == "fusion"
    assert caught.value.fault == who
    assert caught.value.cure
    assert "<html" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<html>log in</html>", "HTML page"),
        ("", "instead of JSON"),
        ("[]", "JSON object"),
        ('{"InvoiceId": 1}', "no collection"),
        ('{"items": ["x"]}', "no collection"),
        ('{"items": [{"InvoiceNumber": "EX-1"}]}', "InvoiceId None"),
        ('{"items": [{"InvoiceId": NaN}]}', "instead of JSON"),
    ],
)
def test_an_answer_that_is_no_collection_is_a_clear_error(site: Site, body: str, said: str) -> None:
    site.pod.fail(body=body)
    with pytest.raises(VendorFault, match=said) as caught:
        list(site.fusion.invoices())
    assert caught.value.system == "fusion"
    assert caught.value.cure


def test_a_byte_order_mark_does_no_harm(site: Site) -> None:
    site.pod.fail(body="\ufeff" + '{"items": [], "hasMore": false}', content_type="application/json")
    assert list(site.fusion.invoices()) == []


def test_a_cut_answer_and_a_lost_one_are_asked_again(site: Site) -> None:
    site.pod.add("invoices", invoice(1))
    site.pod.fail(cut=True)
    site.pod.fail(drop="after")
    assert len(list(site.fusion.invoices())) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"title": "Bad Request", "status": "400"}, "Bad Request"),
        ({"detail": "no", "o:errorCode": 5}, "no, 5"),
        ({"title": "T", "o:errorDetails": [{"detail": "a", "o:errorPath": "/q"}, "odd", {}]}, "a, /q"),
        ({"o:errorDetails": "odd"}, ""),
        (["odd"], ""),
    ],
)
def test_the_pods_own_words_are_found_in_every_seen_form(body: Any, said: str) -> None:
    assert words(body) == said


def test_rows_come_as_the_pod_sends_them_and_walk_by_key(site: Site) -> None:
    site.pod.cap = 10
    site.pod.add("invoices", *(invoice(number) for number in range(1, 26)))
    rows = list(
        site.fusion.rows("invoices", columns=["InvoiceNumber", "InvoiceAmount"], where=[("PaidStatus", "=", "Unpaid")])
    )
    assert len(rows) == 25
    assert list(rows[0]) == ["InvoiceNumber", "InvoiceAmount"]
    asked = site.queries()[0]
    assert asked["fields"] == "InvoiceNumber,InvoiceAmount,InvoiceId"
    assert asked["onlyData"] == "true"
    assert "InvoiceId > 0" in asked["q"]
    assert len(list(site.fusion.rows("invoices", columns=["InvoiceNumber"], limit=3))) == 3


def test_rows_in_an_order_or_of_a_finder_are_paged_by_what_was_received(site: Site) -> None:
    site.pod.cap = 10
    site.pod.add("payablesPayments", *(payment(number) for number in range(1, 26)))
    rows = list(site.fusion.rows("payablesPayments", columns=["PaymentNumber"], order_by=["-PaymentNumber"]))
    assert [row["PaymentNumber"] for row in rows] == list(range(5025, 5000, -1))
    assert [asked["offset"] for asked in site.queries()] == ["0", "10", "20"]
    site.calls()
    finder = {"finder": "PaidInvoicesFinder;InvoiceNumber=EX-1"}
    assert len(list(site.fusion.rows("payablesPayments", columns=["PaymentNumber"], params=finder))) == 25
    assert site.queries()[0]["finder"] == finder["finder"]
    assert site.queries()[0]["orderBy"] == "CheckId:asc"
    site.calls()
    own = {"orderBy": "PaymentNumber:asc", "q": "PaymentNumber > 5020"}
    assert len(list(site.fusion.rows("payablesPayments", columns=["PaymentNumber"], params=own))) == 5


def test_rows_with_expand_hold_everything_but_links(site: Site) -> None:
    site.pod.add("invoices", invoice(1))
    (row,) = site.fusion.rows("invoices", columns=["InvoiceId"], params={"expand": "invoiceLines", "onlyData": "false"})
    assert "fields" not in site.queries()[0]
    assert len(row["invoiceLines"]["items"]) == 2
    assert "links" not in row


def test_rows_of_a_child_path(site: Site) -> None:
    site.pod.add("payablesPayments", payment(1))
    rows = list(site.fusion.rows("payablesPayments/400100000000001/child/relatedInvoices", columns=["InvoiceNumber"]))
    assert [row["InvoiceNumber"] for row in rows] == ["EX-1", "CM-2"]


def test_fields_that_fail_on_the_server_are_left_out(site: Site) -> None:
    site.pod.fields_fail = True
    site.pod.add("invoices", invoice(1))
    assert list(site.fusion.rows("invoices", columns=["InvoiceNumber"])) == [{"InvoiceNumber": "EX-1"}]
    site.pod.fail(status=500, times=9)
    with pytest.raises(VendorFault):
        list(site.fusion.rows("invoices", columns=["InvoiceNumber"], params={"expand": "invoiceLines"}))


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "invoices", "columns": []},
        {"name": "../x", "columns": ["A"]},
        {"name": "invoices", "columns": ["A,B"]},
        {"name": "invoices", "columns": ["A"], "order_by": ["A desc"]},
        {"name": "invoices", "columns": ["A"], "where": [("A", "~", 1)]},
        {"name": "invoices", "columns": ["A"], "params": {"limit": 5}},
        {"name": "invoices", "columns": ["A"], "params": {"q": "A = 1"}, "where": [("A", "=", 1)]},
        {"name": "invoices", "columns": ["A"], "params": {"orderBy": "A"}, "order_by": ["A"]},
    ],
)
def test_rows_that_cannot_be_meant_are_refused_before_any_call(site: Site, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        site.fusion.rows(**arguments)
    assert site.pod.calls == ()


def test_count_is_exact_and_an_estimate_is_one_call(site: Site) -> None:
    site.pod.cap = 10
    site.pod.add("invoices", *(invoice(number) for number in range(1, 26)))
    site.pod.add("shipments", {"Shipment": "S1"})
    assert site.fusion.count("invoices") == 25
    assert site.fusion.count("invoices", [("InvoiceNumber", "=", "EX-3")]) == 1
    assert site.fusion.count("shipments") == 1
    site.calls()
    assert site.fusion.count("invoices", [("InvoiceNumber", "=", "EX-3")], estimate=True) == 1
    assert site.fusion.count("invoices", estimate=True) == 25
    assert site.calls() == 2
    site.pod.fail(body='{"items": []}')
    with pytest.raises(VendorFault, match="totalResults"):
        site.fusion.count("invoices", estimate=True)


def test_check_proves_every_step(site: Site) -> None:
    site.pod.add("invoices", invoice(1), invoice(2, ValidationStatus="Validiert"))
    site.pod.add("payablesPayments", payment(1))
    found = site.fusion.check()
    assert found.ok, str(found)
    details = {step.name: step.detail for step in found.steps}
    assert details["resource of invoices"] == "readable"
    assert "of the newest 2, 1 are fit to go" in details["statuses of invoices"]
    assert "Validiert" in details["statuses of invoices"]
    assert "Negotiable: 1" in details["statuses of payments"]
    assert "no row came" in details["resource of suppliers"]
    assert "all of it is read each time" in details["resource of accounts"]
    assert "not in describe" in details["resource of shipments"]
    assert {call.method for call in site.pod.calls} == {"GET"}


def test_check_names_the_step_that_fails_and_who_mends_it(site: Site) -> None:
    site.pod.add("invoices", invoice(1, InvoiceAmount="x"))
    site.pod.not_queryable = {"LastUpdateDate"}
    site.pod.fail(status=403, match="payablesPayments", times=2)
    site.pod.fail(status=404, match="suppliers/describe")
    steps = {step.name: step for step in site.fusion.check().steps}
    assert not steps["resource of invoices"].ok
    assert steps["resource of invoices"].who == "administrator"
    assert "not queryable" in steps["resource of invoices"].cause
    assert not steps["resource of payments"].ok
    assert "statuses of payments" not in steps
    assert steps["resource of suppliers"].detail.startswith("readable")
    assert "describe cannot be read" in steps["resource of suppliers"].detail
    assert steps["resource of shipments"].ok
    assert "read each time" in steps["resource of shipments"].detail
    site.pod.not_queryable = set()
    steps = {step.name: step for step in site.fusion.check().steps}
    assert "cannot be mapped: InvoiceAmount 'x'" in steps["resource of invoices"].detail


def test_check_stops_at_a_login_or_version_that_does_not_work(site: Site) -> None:
    old = site.client(resource_version="11.12.0.0").check()
    assert [step.ok for step in old.steps] == [False]
    assert "11.13.18.05" in old.steps[0].cause
    site.pod.frameworks = ["1", "2", "3"]
    limited = site.client(framework_version=3)
    assert limited.check().steps[0].ok
    site.pod.frameworks = ["1", "4"]
    site.pod.fail(
        body='{"items": [{"version": "11.13.18.05", "adf:extension": {"allowedFrameworkVersions": ["1", "2"]}}, 5]}'
    )
    assert "allows 1, 2" in site.fusion.check().steps[0].cause


@pytest.mark.parametrize(
    "body",
    ["{}", '{"items": [{"version": "11.13.18.05"}]}', '{"items": [{"version": "11.13.18.05", "adf:extension": {}}]}'],
)
def test_check_takes_a_pod_that_tells_little_of_its_versions(site: Site, body: str) -> None:
    site.pod.fail(body=body)
    assert site.fusion.check().steps[0].ok
    site.pod.fail(status=404)
    assert "lists no versions" in site.fusion.check().steps[0].detail


def test_check_tells_of_clocks_that_differ(site: Site) -> None:
    site.pod._date_skew = dt.timedelta(minutes=20)
    assert "0:20:00" in site.fusion.check().steps[0].detail
    assert site.clock.now() == START


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_token_host_is_asked_again_and_a_refusing_one_is_not(site: Site, status: int) -> None:
    site.tokens.fail(status=status, times=2)
    assert list(site.fusion.invoices()) == []
    assert len(site.tokens.calls) == 3
    fresh = site.client()
    site.tokens.fail(status=status, times=9)
    with pytest.raises((RateLimited, VendorFault)):
        list(fresh.invoices())
    assert len(site.tokens.calls) == 6


def test_the_token_hosts_own_wish_to_wait_is_honoured(site: Site) -> None:
    site.tokens.fail(retry_after=11)
    assert list(site.fusion.invoices()) == []
    assert site.clock._sleeps == [11]


def test_a_client_with_stored_credentials_goes_to_another_process(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"KIND": "HTTPBasic", "USERNAME": "u", "PASSWORD": "p"}.items():
        monkeypatch.setenv(f"MLCONNECTOR_FUSION_TEST_{name}", value)
    site.pod.add("suppliers", {"SupplierId": 1, "Supplier": "S", "addresses": []})
    options = {"auth": stored("fusion-test"), "retry": None, "clock": SYSTEM_CLOCK}
    with pickle.loads(pickle.dumps(site.client(**options))) as copied:
        assert [one.name for one in copied.suppliers()] == ["S"]
