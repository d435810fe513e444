from __future__ import annotations

from typing import Any

import pytest
import requests

from mlconnector.errors import InvalidArgument
from mlconnector.testing._ais_contract import CONTRACTS
from mlconnector.testing._ais_orchestrations import OrchestrationSite
from tests.testing.ais import where
from tests.testing.ais_site import JOURNAL, KEY, LINE, PAYMENT, VOUCHER, Orchestrator, site, with_vouchers

STATUS = {**KEY, "PayItem": "001", "PayStatus": "B"}


@pytest.fixture
def jde() -> Any:
    with site() as simulator:
        yield simulator


@pytest.fixture
def ais(jde: Any) -> Any:
    with Orchestrator(jde) as client:
        yield client


@pytest.mark.parametrize("version", ["", "/v2", "/v3"])
def test_every_version_runs_orchestrations(ais: Orchestrator, version: str) -> None:
    answer = ais.run("ML_CreateAPVoucher", VOUCHER, version)
    assert answer.status_code == 200
    body = answer.json()
    assert body["jde__status"] == "SUCCESS"
    assert body["jde__simpleMessage"] == ""
    assert {"jde__startTimestamp", "jde__endTimestamp", "jde__serverExecutionSeconds"} <= set(body)
    assert (body["DocumentCompany"], body["DocumentType"]) == ("00001", "PV")
    assert body["DocumentNumber"].isdigit()
    assert body["BatchNumber"].isdigit()


def test_a_site_before_version_3_has_no_such_path() -> None:
    with site(orchestrations=OrchestrationSite(version3=False)) as jde, Orchestrator(jde) as ais:
        assert ais.run("ML_CreateAPVoucher", VOUCHER).status_code == 404
        assert ais.run("ML_CreateAPVoucher", VOUCHER, "/v2").status_code == 200


def test_the_same_call_twice_posts_twice(jde: Any, ais: Orchestrator) -> None:
    first = ais.done("ML_CreateAPVoucher", VOUCHER)
    second = ais.done("ML_CreateAPVoucher", VOUCHER)
    assert first["DocumentNumber"] != second["DocumentNumber"]
    assert first["BatchNumber"] != second["BatchNumber"]
    assert second["jde__status"] == "WARNING"
    assert "in use" in second["jde__simpleMessage"]
    assert len(jde.contents["F0411"]) == 2
    ais.done("ML_CreateJournalEntry", JOURNAL)
    ais.done("ML_CreateJournalEntry", JOURNAL)
    assert len({row["DOC"] for row in jde.contents["F0911"] if row["DCT"] == "JE"}) == 2


@pytest.mark.parametrize(("drop", "rows"), [("before", 0), ("after", 1)])
def test_a_lost_answer_may_hide_a_success(jde: Any, ais: Orchestrator, drop: Any, rows: int) -> None:
    jde.fail(drop=drop, match="ML_CreateAPVoucher")
    with pytest.raises(requests.ConnectionError):
        ais.run("ML_CreateAPVoucher", VOUCHER)
    assert len(jde.contents["F0411"]) == rows
    assert (jde.calls[-1].status, jde.calls[-1].acted) == (None, drop == "after")


def test_a_gateway_may_hide_the_answer_too(jde: Any, ais: Orchestrator) -> None:
    jde.fail(status=504, acts=True, match="orchestrator")
    assert ais.run("ML_CreateAPVoucher", VOUCHER).status_code == 504
    assert len(jde.contents["F0411"]) == 1
    jde.fail(status=500, match="orchestrator")
    assert ais.run("ML_CreateAPVoucher", VOUCHER).status_code == 500
    assert len(jde.contents["F0411"]) == 1


def test_a_long_call_may_act_after_its_answer_is_lost(jde: Any, ais: Orchestrator) -> None:
    jde.postpone("ML_CreateAPVoucher", by=300)
    assert ais.run("ML_CreateAPVoucher", VOUCHER).status_code == 504
    assert jde.contents["F0411"] == ()
    ais.done("ML_CreateAPVoucher", VOUCHER, InvoiceNumber="INV-2")
    jde.clock.advance(299)
    assert len(ais.rows("F0411", "DOC")) == 1
    jde.clock.advance(1)
    assert len(ais.rows("F0411", "DOC")) == 2
    jde.postpone("ML_CreateAPVoucher", by=10)
    assert ais.run("ML_CreateAPVoucher", {**VOUCHER, "SupplierNumber": "9999"}).status_code == 504
    jde.clock.advance(10)
    assert len(jde.contents["F0411"]) == 2
    for wrong in ({"orchestration": "ML_X", "by": 1}, {"orchestration": "ML_CreateAPVoucher", "by": 0}):
        with pytest.raises(InvalidArgument):
            jde.postpone(**wrong)


def test_what_was_written_is_found_by_the_data_service(jde: Any, ais: Orchestrator) -> None:
    with_vouchers(jde)
    made = ais.done("ML_RecordAPPayment", {**PAYMENT, **KEY, "PayItem": "001"})
    conditions = where(("F0414.AN8", "EQUAL", "4343"), ("F0414.RMK", "EQUAL", "BILL:stp1"))
    (row,) = ais.rows("F0414", "PYID DCTM PAAP", query=conditions)
    assert row == {"F0414_PYID": int(made["PaymentId"]), "F0414_DCTM": "PN", "F0414_PAAP": 60}


def test_a_token_is_needed(jde: Any, ais: Orchestrator) -> None:
    jde.expire_tokens()
    assert ais.run("ML_CreateAPVoucher", VOUCHER).status_code == 444
    assert requests.get(f"{jde.url}/jderest/discover", timeout=5).status_code == 444
    login = (jde.username, jde.password)
    url = f"{jde.url}/jderest/orchestrator/ML_CreateAPVoucher"
    assert requests.post(url, json=VOUCHER, auth=login, timeout=5).status_code == 200
    assert requests.post(url, json=VOUCHER, auth=("MLCONN", "x"), timeout=5).status_code == 403
    assert len(jde.contents["F0411"]) == 1


def test_a_token_may_stand_in_the_body(jde: Any, ais: Orchestrator) -> None:
    body = {**VOUCHER, "token": ais.token, "deviceName": "test-device"}
    assert ais.run("ML_CreateAPVoucher", body, headers={}).status_code == 200


@pytest.mark.parametrize("verb", ["GET", "POST"])
@pytest.mark.parametrize("version", ["", "/v2", "/v3"])
def test_the_orchestrator_has_a_login_of_its_own(jde: Any, verb: str, version: str) -> None:
    url = f"{jde.url}/jderest{version}/orchestrator/jde-login"
    answer = requests.request(verb, url, auth=(jde.username, jde.password), timeout=5)
    assert answer.json()["userInfo"]["token"]


@pytest.mark.parametrize(
    ("accept", "status"),
    [("application/json", 200), ("text/html, application/*;q=0.8", 200), ("*/*", 200), ("text/html", 406)],
)
def test_the_accept_header_must_allow_json(ais: Orchestrator, accept: str, status: int) -> None:
    assert ais.run("ML_CreateAPVoucher", VOUCHER, headers={**ais.headers, "Accept": accept}).status_code == status


def test_content_that_is_no_json_object_is_refused(ais: Orchestrator) -> None:
    path = "/v3/orchestrator/ML_CreateAPVoucher"
    plain = {**ais.headers, "Content-Type": "text/plain"}
    assert ais.post(path, data="{}", headers=plain).status_code == 415
    json = {**ais.headers, "Content-Type": "application/json"}
    assert ais.post(path, data="{", headers=json).status_code == 400
    assert ais.post(path, ["x"]).status_code == 400
    assert ais.http.put(f"{ais.simulator.url}/jderest{path}", headers=ais.headers, timeout=5).status_code == 405
    assert ais.post("/v2/discover").status_code == 405
    assert ais.http.get(f"{ais.simulator.url}/jderest/v3/discover", headers=ais.headers, timeout=5).status_code == 404


def test_a_call_without_a_body_lacks_every_input(ais: Orchestrator) -> None:
    answer = ais.http.post(
        f"{ais.simulator.url}/jderest/v3/orchestrator/ML_SetPayStatus", headers=ais.headers, timeout=5
    )
    assert answer.status_code == 500
    assert "VoucherCompany is missing" in answer.json()["message"]


@pytest.mark.parametrize(
    ("name", "change", "word"),
    [
        ("GLDate", "2026-03-02", "format"),
        ("GLDate", "1772409600000", "format"),
        ("InvoiceDate", "13/32/2026", "exist"),
        ("GrossAmount", "1,000.00", "amount"),
        ("GrossAmount", "100.001", "amount"),
        ("GrossAmount", 100, "text"),
        ("SupplierNumber", "4343A", "number"),
        ("SupplierNumber", True, "text"),
        ("InvoiceNumber", "X" * 26, "characters"),
        ("InvoiceNumber", " ", "missing"),
        ("Remark", "X" * 31, "characters"),
        ("CurrencyCode", "EURO", "characters"),
        ("ExchangeRate", "x", "rate"),
        ("Lines", [], "missing"),
        ("Lines", "none", "array"),
        ("Lines", [{**LINE, "Amount": ""}], "missing"),
        ("Lines", [{**LINE, "Color": "red"}], "Unknown"),
        ("Colour", "red", "Unknown"),
        ("inputs", [], "generic"),
    ],
)
def test_what_does_not_fit_the_inputs_ends_the_call(ais: Orchestrator, name: str, change: Any, word: str) -> None:
    message = ais.refused("ML_CreateAPVoucher", VOUCHER, **{name: change})
    assert message.startswith("input: ML_CreateAPVoucher")
    assert word in message


def test_whole_numbers_may_be_json_numbers(ais: Orchestrator) -> None:
    ais.done("ML_CreateAPVoucher", VOUCHER, SupplierNumber=4343)


@pytest.mark.parametrize(
    ("date_format", "text"), [("dd/MM/yyyy", "02/03/2026"), ("yyyy-MM-dd", "2026-03-02"), ("dd/MM/yyyy", "02032026")]
)
def test_dates_are_in_the_logins_format(date_format: str, text: str) -> None:
    with site(date_format=date_format) as jde, Orchestrator(jde) as ais:
        ais.done("ML_CreateAPVoucher", VOUCHER, GLDate=text, InvoiceDate=text)
        assert jde.contents["F0411"][0]["DGJ"].isoformat() == "2026-03-02"


def test_a_site_may_have_a_date_format_of_its_own() -> None:
    with site(orchestrations=OrchestrationSite(date_format="yyyy-MM-dd")) as jde, Orchestrator(jde) as ais:
        ais.done("ML_CreateAPVoucher", VOUCHER, GLDate="2026-03-02", InvoiceDate="2026-03-02")


def test_get_runs_what_has_no_lists(jde: Any, ais: Orchestrator) -> None:
    with_vouchers(jde)
    url = f"{jde.url}/jderest/v2/orchestrator/ML_SetPayStatus"
    answer = ais.http.get(url, params=STATUS, headers=ais.headers, timeout=5)
    assert answer.json()["PreviousPayStatus"] == "A"
    url = f"{jde.url}/jderest/v2/orchestrator/ML_RecordAPPayment"
    answer = ais.http.get(url, params={**PAYMENT, **KEY, "PayItem": "001"}, headers=ais.headers, timeout=5)
    assert answer.json()["PaymentType"] == "PN"


def test_the_standard_format_where_the_site_is_built_for_it() -> None:
    with site(orchestrations=OrchestrationSite(input_format="standard")) as jde, Orchestrator(jde) as ais:
        with_vouchers(jde)
        pairs = [{"name": name, "value": value} for name, value in STATUS.items()]
        assert ais.run("ML_SetPayStatus", {"inputs": pairs, "token": ais.token}).status_code == 200
        for wrong in (STATUS, {"inputs": STATUS}, {"inputs": ["PayStatus"]}):
            assert "Standard" in ais.refused("ML_SetPayStatus", wrong)
        assert ais.done("ML_CreateAPVoucher", VOUCHER)
        shown = ais.http.get(f"{jde.url}/jderest/discover", headers=ais.headers, timeout=5).json()["orchestrations"]
        formats = {each["name"]: each["inputFormat"] for each in shown}
        assert (formats["ML_SetPayStatus"], formats["ML_CreateAPVoucher"]) == ("JDE Standard", "Generic")


def discovered(ais: Orchestrator, path: str = "/v2/discover") -> dict[str, Any]:
    answer = ais.http.get(f"{ais.simulator.url}/jderest{path}", headers=ais.headers, timeout=5)
    assert answer.status_code == 200
    return {each["name"]: each for each in answer.json()["orchestrations"]}


@pytest.mark.parametrize("path", ["/discover", "/v2/discover"])
def test_discovery_shows_the_whole_contract(ais: Orchestrator, path: str) -> None:
    found = discovered(ais, path)
    assert set(found) == set(CONTRACTS)
    voucher = found["ML_CreateAPVoucher"]
    assert {"name": "GLDate", "type": "Date"} in voucher["inputs"]
    assert {"name": "SupplierNumber", "type": "Numeric"} in voucher["inputs"]
    assert {"name": "Company", "type": "String"} in voucher["inputs"]
    (lines,) = [each for each in voucher["inputs"] if each["type"] == "Array"]
    assert [each["name"] for each in lines["array"]] == [
        "BusinessUnit",
        "ObjectAccount",
        "Subsidiary",
        "Amount",
        "Remark",
    ]
    assert [each["name"] for each in voucher["outputs"]] == [
        "DocumentCompany",
        "DocumentType",
        "DocumentNumber",
        "BatchNumber",
    ]
    assert list(discovered(ais, f"{path}/ML_SetPayStatus")) == ["ML_SetPayStatus"]
    assert discovered(ais, f"{path}/ML_Nothing") == {}


def test_names_are_the_sites_own() -> None:
    options = OrchestrationSite(names={"ML_CreateAPVoucher": "ACME_Voucher", "ML_VoidAPPayment": None})
    with site(orchestrations=options) as jde, Orchestrator(jde) as ais:
        ais.done("ACME_Voucher", VOUCHER)
        for absent in ("ML_CreateAPVoucher", "ML_VoidAPPayment"):
            assert "was not found" in ais.refused(absent, VOUCHER)
        assert len(discovered(ais)) == len(CONTRACTS) - 1


TAXES = ("TaxArea", "TaxExplanation", "TaxAmount")


@pytest.mark.parametrize("unknown", ["refuse", "ignore"])
def test_an_older_contract_lacks_inputs(unknown: Any) -> None:
    lacks = {"ML_CreateAPVoucher": (*TAXES, "Lines.Remark"), "ML_CreateJournalEntry": ("Reference",)}
    options = OrchestrationSite(lacks=lacks, unknown_inputs=unknown)
    with site(orchestrations=options) as jde, Orchestrator(jde) as ais:
        voucher = discovered(ais)["ML_CreateAPVoucher"]
        assert not set(TAXES) & {each["name"] for each in voucher["inputs"]}
        assert "Remark" not in {member["name"] for each in voucher["inputs"] for member in each.get("array", ())}
        bare = {**VOUCHER, "Lines": [{key: value for key, value in LINE.items() if key != "Remark"}]}
        ais.done("ML_CreateAPVoucher", bare)
        ais.done("ML_CreateJournalEntry", {key: value for key, value in JOURNAL.items() if key != "Reference"})
        taxed = {**bare, "TaxAmount": "10.00", "TaxExplanation": "V"}
        if unknown == "refuse":
            assert "Unknown input TaxAmount, TaxExplanation" in ais.refused("ML_CreateAPVoucher", taxed)
            assert "Unknown input Remark" in ais.refused("ML_CreateAPVoucher", VOUCHER)
        else:
            ais.done("ML_CreateAPVoucher", taxed)
            assert [row["STAM"] for row in jde.contents["F0411"]] == [0, 0]


def test_missing_rights(jde: Any, ais: Orchestrator) -> None:
    jde.deny("ML_CreateAPVoucher")
    assert ais.run("ML_CreateAPVoucher", VOUCHER).status_code == 403
    assert "ML_CreateAPVoucher" not in discovered(ais)
    jde.deny("ML_CreateAPVoucher", status=500)
    assert "was not found" in ais.refused("ML_CreateAPVoucher", VOUCHER)
    assert "ML_CreateAPVoucher" in discovered(ais)
    jde.deny("ML_CreateAPVoucher", status=None)
    ais.done("ML_CreateAPVoucher", VOUCHER)
    for wrong in ({"orchestration": "ML_X"}, {"orchestration": "ML_CreateAPVoucher", "status": 401}):
        with pytest.raises(InvalidArgument):
            jde.deny(**wrong)


@pytest.mark.parametrize("refusals", ["500", "status", "step"])
def test_a_refusal_shows_in_every_way_that_is_known(refusals: Any) -> None:
    with site(orchestrations=OrchestrationSite(refusals=refusals)) as jde, Orchestrator(jde) as ais:
        answer = ais.run("ML_CreateAPVoucher", {**VOUCHER, "SupplierNumber": "9999"})
        body = answer.json()
        if refusals == "500":
            assert answer.status_code == 500
            assert (body["status"], body["message"]) == ("ERROR", "Supplier 9999 is not in the supplier master")
            (fault,) = body["errorDetails"]["errors"]
        elif refusals == "status":
            assert answer.status_code == 200
            assert (body["jde__status"], body["jde__simpleMessage"][:13]) == ("ERROR", "Supplier 9999")
            assert "DocumentNumber" not in body
            return
        else:
            assert (answer.status_code, body["jde__status"], body["DocumentNumber"]) == (200, "SUCCESS", "")
            (fault,) = body["ServiceRequest1"]["fs_P0411_W0411A"]["errors"]
        assert set(fault) == {"CODE", "TITLE", "ERRORCONTROL", "DESC", "MOBILE"}
        assert jde.contents["F0411"] == ()


def test_answers_without_status_fields_and_with_json_numbers() -> None:
    options = OrchestrationSite(status_fields=False, numbers="number", refusals="step")
    with site(orchestrations=options) as jde, Orchestrator(jde) as ais:
        body = ais.done("ML_CreateAPVoucher", VOUCHER)
        assert not [key for key in body if key.startswith("jde__")]
        assert isinstance(body["DocumentNumber"], int)
        refused = ais.run("ML_CreateAPVoucher", {**VOUCHER, "SupplierNumber": "9999"}).json()
        assert "jde__status" not in refused


@pytest.mark.parametrize(
    "options",
    [
        {"names": {"ML_X": "Y"}},
        {"lacks": {"ML_X": ["Y"]}},
        {"lacks": {"ML_CreateAPVoucher": ["Colour"]}},
        {"unknown_inputs": "x"},
        {"input_format": "x"},
        {"refusals": "x"},
        {"numbers": "x"},
        {"refusals": "status", "status_fields": False},
        {"date_format": "x"},
    ],
)
def test_a_site_that_cannot_be_is_refused(options: Any) -> None:
    with pytest.raises(InvalidArgument):
        OrchestrationSite(**options)
