from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest
import requests

from mlconnector.documents import Supplier
from mlconnector.errors import InvalidArgument
from mlconnector.testing._peoplesoft import PeopleSoftSimulator
from tests.testing.peoplesoft import named, simulator, soap, text, tree

KEY = "<SETID>SHARE</SETID><VENDOR_ID>0000000042</VENDOR_ID>"
HARBOR = Supplier(number="0000000042", name="Harbor & Sons")
VOUCHER = {"VOUCHER_LINE": {"DISTRIB_LINE": {}}}


def cirt(psft: PeopleSoftSimulator, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
    url = f"{psft.url}/PSIGW/RESTListeningConnector/PSFT_EP/{path}"
    return requests.request(method, url, json=body, auth=(psft.username, psft.password), timeout=5, **options)


def test_get_answers_the_row_with_its_collections() -> None:
    with simulator() as psft:
        psft.add(HARBOR)
        for options in ({}, {"path": ""}, {"version": "1.2"}, {"soap_action": '"CI_VNDR_ID_G.V1"'}):
            answer = soap(psft, "VNDR_ID", "Get", KEY, **options)
            assert answer.status_code == 200, answer.text
            found = named(tree(answer), "Get__CompIntfc__VNDR_IDResponse")[0]
            assert text(found, "NAME1") == "Harbor & Sons"
            assert text(named(found, "VENDOR_LOC")[0], "EFFDT") == "1900-01-01"
            assert text(found, "LAST_ACTIVITY_DT") is None


def test_create_answers_one_with_the_keys_and_meets_an_existing_key() -> None:
    address = "<ADDRESS_SEQ_NUM>1</ADDRESS_SEQ_NUM><EFFDT>2026/01/01</EFFDT><CITY>Macon</CITY>"
    inside = f"{KEY}<NAME1>Granite</NAME1><VENDOR_ADDR>{address}</VENDOR_ADDR><VENDOR_LOC/>"
    with simulator() as psft:
        answer = tree(soap(psft, "VNDR_ID", "Create", inside))
        assert (text(answer, "notification"), text(answer, "VENDOR_ID")) == ("1", "0000000042")
        assert psft.contents["VENDOR_ADDR"][0]["CITY"] == "Macon"
        again = soap(psft, "VNDR_ID", "Create", inside.replace("Granite", "Other"))
        assert again.status_code == 200
        assert text(tree(again), "notification") == "0"
        assert (text(tree(again), "type"), bool(text(tree(again), "messagetext"))) == ("ERROR", True)
        assert psft.contents["VENDOR"][0]["NAME1"] == "Granite"


def test_update_leaves_what_it_does_not_name() -> None:
    with simulator() as psft:
        psft.add(HARBOR)
        for action, city in (("Update", "Macon"), ("Updatedata", "Toledo")):
            address = f"<ADDRESS_SEQ_NUM>1</ADDRESS_SEQ_NUM><EFFDT>2026-01-01</EFFDT><CITY>{city}</CITY>"
            inside = f"{KEY}<VENDOR_ADDR>{address}</VENDOR_ADDR>"
            assert text(tree(soap(psft, "VNDR_ID", action, inside)), "notification") == "1"
            assert psft.contents["VENDOR_ADDR"][0]["CITY"] == city
        assert psft.contents["VENDOR"][0]["NAME1"] == "Harbor & Sons"
        missing = soap(psft, "VNDR_ID", "Update", KEY.replace("42", "43"))
        assert text(tree(missing), "notification") == "0"


@pytest.mark.parametrize(
    "inside",
    [
        KEY + f"<NAME1>{'x' * 41}</NAME1>",
        KEY + "<LAST_ACTIVITY_DT>yesterday</LAST_ACTIVITY_DT>",
        KEY + "<VENDOR_ADDR><CITY>Macon</CITY></VENDOR_ADDR>",
        "<SETID>SHARE</SETID><NAME1>x</NAME1>",
        "<SETID>SHARES</SETID><VENDOR_ID>1</VENDOR_ID>",
    ],
)
def test_a_refused_save_is_a_normal_answer_and_saves_nothing(inside: str) -> None:
    with simulator() as psft:
        answer = soap(psft, "VNDR_ID", "Create", inside)
        assert (answer.status_code, text(tree(answer), "notification")) == (200, "0")
        assert psft.contents["VENDOR"] == ()


def test_the_documented_shapes_have_no_nesting() -> None:
    with simulator(answer_shape="documented") as psft:
        created = named(tree(soap(psft, "VNDR_ID", "Create", KEY)), "Create__CompIntfc__VNDR_IDResponse")[0]
        assert [child.text for child in created] == ["SHARE", "0000000042"]
        assert text(tree(soap(psft, "VNDR_ID", "Update", KEY)), "notification") == "1"
        refused = tree(soap(psft, "VNDR_ID", "Create", KEY))
        assert not named(refused, "notification")
        assert text(refused, "type") == "ERROR"


def test_dates_are_read_as_the_site_reads_them() -> None:
    with simulator(component_dates="slashes") as psft:
        dated = KEY + "<LAST_ACTIVITY_DT>2026-01-01</LAST_ACTIVITY_DT>"
        assert text(tree(soap(psft, "VNDR_ID", "Create", dated)), "notification") == "0"
        assert text(tree(soap(psft, "VNDR_ID", "Create", dated.replace("-", "/"))), "notification") == "1"


def test_without_a_usable_token_the_user_is_anonymous() -> None:
    digest = (
        '<s:Security xmlns:s="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">'
        '<s:UsernameToken><s:Username>MLCONN</s:Username><s:Password Type="urn:digest">x</s:Password></s:UsernameToken>'
        "</s:Security>"
    )
    with simulator() as psft:
        for header in ("", digest, digest.replace("MLCONN", "").replace(' Type="urn:digest"', "")):
            answer = soap(psft, "VNDR_ID", "Get", KEY, header=header, auth=(psft.username, psft.password))
            assert answer.status_code == 500
            root = tree(answer)
            assert (text(root, "faultstring"), text(root, "MessageID")) == ("null", "45")
            assert text(root, "DefaultMessage") == "User password failed. (158,45)"
            assert text(root, "Parameter") == "ANONYMOUS"
        assert psft.refused_logins == 0
        wrong = tree(soap(psft, "VNDR_ID", "Get", KEY, login=("MLCONN", "wrong")))
        assert (text(wrong, "MessageID"), text(wrong, "Parameter")) == ("45", "MLCONN")
        only_user = digest.replace('<s:Password Type="urn:digest">x</s:Password>', "")
        assert text(tree(soap(psft, "VNDR_ID", "Get", KEY, header=only_user)), "Parameter") == "MLCONN"
        assert psft.refused_logins == 2


def test_basic_may_do_in_place_of_ws_security() -> None:
    with simulator(soap_basic=True) as psft:
        psft.add(HARBOR)
        answer = soap(psft, "VNDR_ID", "Get", KEY, header="", auth=(psft.username, psft.password))
        assert answer.status_code == 200


def test_the_password_is_not_in_the_record() -> None:
    with simulator() as psft:
        soap(psft, "VNDR_ID", "Get", KEY)
        assert b"<wsse:Password>***</wsse:Password>" in psft.calls[0].body
        assert "p@ss" not in repr(psft.calls)


@pytest.mark.parametrize(
    "wrong",
    [
        {"soap_action": ""},
        {"soap_action": "CI_VNDR_ID_G"},
        {"soap_action": "CI_VNDR_ID_UP.V1"},
        {"path": "/PSFT_HR"},
        {"namespace": "http://xmlns.oracle.com/Enterprise/Tools/schemas/M000001.V1"},
        {"inside": KEY + "<NOTHING>1</NOTHING>"},
        {"inside": KEY + "<NAME1><A>1</A></NAME1>"},
        {"inside": "<NAME1>x</NAME1>" + KEY},
        {"inside": KEY + "<VENDOR_ADDR>x</VENDOR_ADDR>"},
        {"inside": KEY + "</Get__CompIntfc__VNDR_ID><More>"},
    ],
)
def test_what_is_no_call_of_the_operation_is_a_fault(wrong: dict[str, str]) -> None:
    with simulator() as psft:
        psft.add(HARBOR)
        answer = soap(psft, "VNDR_ID", "Get", wrong.pop("inside", KEY), **wrong)
        assert answer.status_code == 500
        assert text(tree(answer), "IBResponse") is None
        assert text(tree(answer), "StatusCode") == "20"


def test_a_fault_may_come_with_status_200_and_in_soap_12() -> None:
    with simulator(fault_status=200) as psft:
        answer = soap(psft, "VNDR_ID", "Get", KEY, header="", version="1.2")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/soap+xml; charset=UTF-8")
        root = tree(answer)
        assert root.tag == "{http://www.w3.org/2003/05/soap-envelope}Envelope"
        assert text(root, "DefaultMessage") == "User password failed. (158,45)"
        assert named(root, "Fault")


def test_what_is_no_soap_is_a_fault_and_entities_are_not_read() -> None:
    with simulator() as psft:
        url = f"{psft.url}/PSIGW/PeopleSoftServiceListeningConnector/PSFT_EP"
        empty = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>'
        for body, kind in (
            ("{}", "application/json"),
            ("<a>", "text/xml"),
            (empty, "text/xml"),
            (empty, "application/soap+xml"),
            ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "text/xml"),
        ):
            answer = requests.post(url, data=body, headers={"Content-Type": kind}, timeout=5)
            assert answer.status_code == 500
            assert named(tree(answer), "Fault")
        assert requests.put(url, data="x", timeout=5).status_code == 405


def test_an_operation_may_be_inactive_or_not_permitted() -> None:
    with simulator() as psft:
        psft.add(HARBOR)
        psft.deactivate("CI_VNDR_ID_G")
        assert text(tree(soap(psft, "VNDR_ID", "Get", KEY)), "Parameter") == "CI_VNDR_ID_G.V1"
        psft.deactivate("CI_VNDR_ID_G", inactive=False)
        psft.forbid("CI_VNDR_ID_G")
        refused = tree(soap(psft, "VNDR_ID", "Get", KEY))
        assert (text(refused, "MessageID"), psft.refused_logins) == ("46", 0)


def test_names_and_namespaces_are_learned_from_the_wsdl() -> None:
    with simulator() as psft:
        base = f"{psft.url}/PSIGW/PeopleSoftServiceListeningConnector"
        root = ET.fromstring(requests.get(f"{base}/PSFT_EP/CI_VNDR_ID.1.wsdl", timeout=5).content)
        schemas = {node[0].get("name"): node.get("targetNamespace") for node in named(root, "schema")}
        assert schemas["Get__CompIntfc__VNDR_ID"] == psft.namespace("VNDR_ID", "Get")
        assert len(set(schemas.values())) == len(schemas) == 8
        actions = [node.get("soapAction") for node in root.iter("{http://schemas.xmlsoap.org/wsdl/soap/}operation")]
        assert actions == ["CI_VNDR_ID_C.V1", "CI_VNDR_ID_G.V1", "CI_VNDR_ID_UP.V1", "CI_VNDR_ID_UD.V1"]
        assert named(root, "address")[0].get("location") == f"{base}/PSFT_EP"
        assert requests.get(f"{base}/CI_VNDR_ID.1.wsdl", timeout=5).status_code == 200
        for path in ("", "/PSFT_HR/CI_VNDR_ID.1.wsdl", "/PSFT_EP/CI_OTHER.1.wsdl"):
            assert requests.get(base + path, timeout=5).status_code == 404
        with pytest.raises(InvalidArgument):
            psft.namespace("VNDR_ID", "Find")


def test_a_customers_component_numbers_its_rows_and_nests_collections() -> None:
    inside = (
        "<BUSINESS_UNIT>US001</BUSINESS_UNIT><VOUCHER_ID>NEXT</VOUCHER_ID><INVOICE_ID>F-1</INVOICE_ID>"
        "<GROSS_AMT>10.00</GROSS_AMT><VOUCHER_LINE><VOUCHER_LINE_NUM>1</VOUCHER_LINE_NUM><MERCHANDISE_AMT>10.00"
        "</MERCHANDISE_AMT><DISTRIB_LINE><ACCOUNT>6110</ACCOUNT></DISTRIB_LINE></VOUCHER_LINE>"
    )
    with simulator() as psft:
        psft.define_component("ML_A_VOUCHER_WITH_A_LONG_NAME", "VOUCHER", VOUCHER)
        action = "CI_ML_A_VOUCHER_WITH_A_LONG__C.V1"
        assert len(action.partition(".")[0]) == 30
        answer = soap(psft, "ML_A_VOUCHER_WITH_A_LONG_NAME", "Create", inside, soap_action=action)
        assert text(tree(answer), "VOUCHER_ID") == "00000001", answer.text
        assert psft.contents["DISTRIB_LINE"][0]["ACCOUNT"] == "6110"
        assert psft.contents["VOUCHER"][0]["LAST_UPDATE_DT"] is not None
        with pytest.raises(InvalidArgument):
            psft.define_component("X", "VOUCHER", {"NOTHING": {}})


def test_the_rest_services_do_the_same_in_json() -> None:
    with simulator() as psft:
        psft.define_component("V", "VOUCHER", VOUCHER)
        row = {
            "BUSINESS_UNIT": "US001",
            "VOUCHER_ID": "NEXT",
            "GROSS_AMT": 10,
            "VOUCHER_LINE": [{"VOUCHER_LINE_NUM": 1}],
        }
        made = cirt(psft, "POST", "CIRT_V_C_POST.V1", {"Create__CompIntfc__V": row})
        assert made.json()["Create__CompIntfc__VResponse"] == {
            "notification": 1,
            "detail": {"keys": {"BUSINESS_UNIT": "US001", "VOUCHER_ID": "00000001"}},
        }
        found = cirt(psft, "GET", "CIRT_V_G_GET.V1/US001/00000001").json()["Get__CompIntfc__VResponse"]
        assert (found["GROSS_AMT"], found["VOUCHER_LINE"][0]["VOUCHER_LINE_NUM"]) == ("10", "1")
        change = {"BUSINESS_UNIT": "US001", "VOUCHER_ID": "00000001", "INVOICE_ID": "F-2"}
        for path, name in (("CIRT_V_U_PUT.V1", "Update"), ("CIRT_V_UD_PUT.V1", "Updatedata")):
            changed = cirt(psft, "PUT", path, {f"{name}__CompIntfc__V": change})
            assert changed.json()[f"{name}__CompIntfc__VResponse"]["notification"] == 1
        missing = cirt(psft, "GET", "CIRT_V_G_GET.V1/US001/00000009")
        assert (missing.status_code, missing.json()["Get__CompIntfc__VResponse"]["notification"]) == (400, 0)
        for body in (
            {"Create__CompIntfc__V": {"NOTHING": "1"}},
            {"Create__CompIntfc__V": {"VOUCHER_LINE": [1]}},
            {"Create__CompIntfc__V": {"VOUCHER_ID": None}},
            {},
            [],
        ):
            assert cirt(psft, "POST", "CIRT_V_C_POST.V1", body).status_code == 500
        text_body = {"data": "{", "headers": {"Content-Type": "application/json"}}
        assert cirt(psft, "POST", "CIRT_V_C_POST.V1", **text_body).status_code == 500
        assert cirt(psft, "POST", "CIRT_V_C_POST.V1", data="x").status_code == 500
        assert cirt(psft, "GET", "CIRT_V_G_GET.V1/US001").status_code == 500
        assert cirt(psft, "GET", "CIRT_V_C_POST.V1").status_code == 500


def test_an_older_release_answers_errors_with_200() -> None:
    with simulator(tools_release="8.58") as psft:
        missing = cirt(psft, "GET", "CIRT_VNDR_ID_G_GET.V1/SHARE/1")
        assert (missing.status_code, missing.json()["Get__CompIntfc__VNDR_IDResponse"]["notification"]) == (200, 0)
