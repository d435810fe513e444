from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import requests

from mlconnector.errors import InvalidArgument
from tests.testing.peoplesoft import NOON, ORDERS, get, named, rows, simulator, tree

LINE = {"A.BUSINESS_UNIT": "US001", "A.PO_ID": "0000000101", "A.LINE_NBR": 1}


def order(number: int, **fields: Any) -> dict[str, Any]:
    return {"BUSINESS_UNIT": "US001", "PO_ID": f"{number:010}", "PO_STATUS": "D", **fields}


def test_an_answer_is_a_success_with_numbered_rows_under_unique_field_names() -> None:
    with simulator() as psft:
        psft.add(order(101, PO_DT=dt.date(2026, 1, 14), PREPAID_AMT=Decimal("12.50")), record="PO_HDR")
        answer = get(psft, "ML_PO_HDR", ORDERS)
        assert answer.headers["Content-Type"] == "application/json"
        body = answer.json(parse_float=Decimal)
        assert body["status"] == "success"
        assert (body["data"]["query"]["numrows"], body["data"]["query"]["queryname="]) == (1, "ML_PO_HDR")
        row = body["data"]["query"]["rows"][0]
        assert row["attr:rownumber"] == 1
        assert (row["A.PO_ID"], row["A.PO_STATUS"], row["A.PO_DT"]) == ("0000000101", "D", "2026-01-14")
        assert row["A.LAST_DTTM_UPDATE"] == "2026-03-02T12:00:00-0800"
        assert row["A.PREPAID_AMT"] == Decimal("12.5")
        assert '"A.PREPAID_AMT":12.5}' in answer.text
        assert (row["A.PO_REF"], row["A.ENTERED_DT"]) == (" ", "")


def test_rows_come_in_the_order_of_the_key_after_the_one_given_and_no_more_than_asked_for() -> None:
    with simulator() as psft:
        psft.add([order(number) for number in (103, 101, 104, 102)], record="PO_HDR")
        first = rows(psft, "ML_PO_HDR", ORDERS, maxrows=3)
        assert [row["A.PO_ID"][-3:] for row in first] == ["101", "102", "103"]
        rest = rows(psft, "ML_PO_HDR", {**ORDERS, "AFTER_ID": "0000000103"})
        assert [row["A.PO_ID"][-3:] for row in rest] == ["104"]
        assert rows(psft, "ML_PO_HDR", {**ORDERS, "AFTER_ID": "0000000104"}) == []


def test_a_query_profile_cuts_without_a_sign() -> None:
    with simulator(row_cap=2) as psft:
        psft.add([order(number) for number in (101, 102, 103)], record="PO_HDR")
        assert len(rows(psft, "ML_PO_HDR", ORDERS, maxrows=3)) == 2
        assert len(rows(psft, "ML_PO_HDR", ORDERS, maxrows=1)) == 1


def test_the_window_is_of_days_at_the_database_both_ends_included() -> None:
    with simulator() as psft:
        late = dt.datetime(2026, 3, 4, 7, 59, 59, tzinfo=dt.UTC)
        psft.add(order(101, LAST_DTTM_UPDATE=late), record="PO_HDR")
        psft.add(order(102, LAST_DTTM_UPDATE=late + dt.timedelta(seconds=1)), record="PO_HDR")
        assert [row["A.PO_ID"][-3:] for row in rows(psft, "ML_PO_HDR", ORDERS)] == ["101"]
        assert len(rows(psft, "ML_PO_HDR", {**ORDERS, "TO_DT": "2026-03-04"})) == 2
        assert rows(psft, "ML_PO_HDR", {**ORDERS, "BU": "US002"}) == []
    with simulator(time_zone="Europe/Berlin") as psft:
        psft.add(order(101), record="PO_HDR")
        assert rows(psft, "ML_PO_HDR", ORDERS)[0]["A.LAST_DTTM_UPDATE"] == "2026-03-02T21:00:00+0100"


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompts": {**ORDERS, "AFTER": ""}},
        {"prompts": {name: value for name, value in ORDERS.items() if name != "AFTER_ID"}},
        {"prompts": {("bu" if name == "BU" else name): value for name, value in ORDERS.items()}},
        {"prompts": {**ORDERS, "FROM_DT": "03/01/2026"}},
        {"prompts": {**ORDERS, "FROM_DT": "2026/03/01"}},
        {"prompts": {**ORDERS, "TO_DT": ""}},
        {"prompts": {**ORDERS, "BU": "US001,US002"}},
        {"prompts": {}, "prompt_fieldvalue": "US001"},
        {"prompts": {}, "prompt_uniquepromptname": "BU,BU", "prompt_fieldvalue": "US001,US001"},
        {"prompts": ORDERS, "maxrows": None},
        {"prompts": ORDERS, "maxrows": 0},
        {"prompts": ORDERS, "maxrows": "ten"},
        {"prompts": ORDERS, "isconnectedquery": "Y"},
        {"prompts": ORDERS, "json_resp": "yes"},
        {"prompts": ORDERS, "filterfields": "A.PO_ID,a.po_dt"},
        {"prompts": ORDERS, "tail": "XMLP/NONFILE"},
        {"prompts": ORDERS, "tail": "JSON/FILE"},
        {"prompts": ORDERS, "tail": "EXCEL/NONFILE", "json_resp": None},
        {"prompts": ORDERS, "tail": "CSV/NONFILE"},
        {"prompts": ORDERS, "tail": "JSON"},
        {"prompts": ORDERS, "owner": "Public"},
        {"prompts": ORDERS, "owner": "PRIVATE"},
        {"prompts": ORDERS, "query": "ml_po_hdr"},
    ],
)
def test_what_the_reference_does_not_allow_is_an_error_without_text(wrong: dict[str, Any]) -> None:
    with simulator() as psft:
        psft.add(order(101), record="PO_HDR")
        answer = get(psft, wrong.pop("query", "ML_PO_HDR"), wrong.pop("prompts"), **wrong)
        assert (answer.status_code, answer.content) == (500, b"")


def test_a_query_that_cannot_run_may_answer_without_success_instead() -> None:
    with simulator(query_errors="answer") as psft:
        answer = get(psft, "ML_NOT_THERE", {})
        assert (answer.status_code, answer.json()["status"]) == (200, "error")
        answer = get(psft, "ML_NOT_THERE", {}, tail="XMLP/NONFILE", json_resp=None)
        assert (answer.status_code, tree(answer).get("type")) == (200, "error")


def test_either_case_of_owner_and_flags_is_taken() -> None:
    with simulator() as psft:
        assert rows(psft, "ML_PO_HDR", ORDERS, owner="public", isconnectedquery="n", json_resp="TRUE") == []
        assert rows(psft, "ML_PO_HDR", ORDERS, isconnectedquery=None) == []
        encoded = "BU%2CFROM_DT%2CTO_DT%2CAFTER_ID"
        assert get(psft, "ML_PO_HDR", ORDERS, prompt_uniquepromptname=encoded).status_code == 200


def test_filterfields_leaves_the_fields_named() -> None:
    with simulator() as psft:
        psft.add(order(101), record="PO_HDR")
        assert rows(psft, "ML_PO_HDR", ORDERS, filterfields="A.PO_STATUS,A.PO_ID") == [
            {"attr:rownumber": 1, "A.PO_ID": "0000000101", "A.PO_STATUS": "D"}
        ]


def test_a_site_shows_names_texts_and_empty_answers_in_its_own_way() -> None:
    with simulator(aliases=False, blanks="empty", name_key="queryname", translated=["PO_STATUS"]) as psft:
        psft.add(order(101), record="PO_HDR")
        answer = get(psft, "ML_PO_HDR", ORDERS).json()["data"]["query"]
        assert answer["queryname"] == "ML_PO_HDR"
        assert (answer["rows"][0]["PO_STATUS"], answer["rows"][0]["PO_REF"]) == ("Dispatched", "")
        psft.add({**LINE, "B.PRICE_PO": "1.5"}, query="ML_PO_LINE")
        line = rows(psft, "ML_PO_LINE", {"BU": "US001", "PO": "0000000101"})[0]
        # What two records have keeps its alias.
        assert {"LINE_NBR", "PRICE_PO", "A.CANCEL_STATUS", "B.CANCEL_STATUS"} < line.keys()
    with simulator(blanks="padded", name_key=None, empty_rows=False) as psft:
        assert get(psft, "ML_PO_HDR", ORDERS).json()["data"] == {"query": {"numrows": 0}}
        psft.add(order(101), record="PO_HDR")
        row = rows(psft, "ML_PO_HDR", ORDERS)[0]
        assert (row["A.PO_STATUS"], row["A.VENDOR_ID"]) == ("D ", " " * 10)


def test_xmlp_is_a_tree_of_one_element_for_each_field() -> None:
    with simulator() as psft:
        psft.add(order(101, PO_REF="a < b & c", PREPAID_AMT=Decimal("1.20")), record="PO_HDR")
        answer = get(psft, "ML_PO_HDR", ORDERS, tail="XMLP/NONFILE", json_resp=None)
        assert answer.headers["Content-Type"].startswith("text/xml")
        root = tree(answer)
        assert (root.tag, root.get("numrows"), root.get("queryname")) == ("query", "1", "ML_PO_HDR")
        assert [row.get("rownumber") for row in root] == ["1"]
        assert root[0].findtext("A.PO_REF") == "a < b & c"
        assert root[0].findtext("A.PREPAID_AMT") == "1.2"
        assert "<A.ENTERED_DT/>" in answer.text
        # Without json_resp the answer is XML, whatever the path says.
        assert get(psft, "ML_PO_HDR", ORDERS, json_resp=None).content == answer.content


def test_xmlp_may_have_the_namespace_of_the_poll_service() -> None:
    with simulator(xml_namespace=True) as psft:
        psft.add(order(101, PO_REF="]]> <&"), record="PO_HDR")
        root = tree(get(psft, "ML_PO_HDR", ORDERS, tail="XMLP/NONFILE", json_resp=None))
        space = "{http://xmlns.oracle.com/Enterprise/Tools/schemas/QAS_QUERYRESULTS_XMLP_RESP.VERSION_1}"
        assert root.tag == f"{space}query"
        assert named(root, "A.PO_REF")[0].text == "]]> <&"


def test_webrowset_has_values_by_position() -> None:
    with simulator() as psft:
        psft.add(order(101), record="PO_HDR")
        answer = get(psft, "ML_PO_HDR", ORDERS, tail="WEBROWSET/NONFILE", json_resp=None, filterfields="A.PO_ID")
        root = tree(answer)
        assert root.tag == "QAS_GETQUERYRESULTS_RESP_MSG"
        assert [node.text for node in named(root, "column-name")] == ["A.PO_ID"]
        assert [node.text for node in named(root, "columnValue")] == ["0000000101"]


def test_a_byte_order_mark_stands_before_json_and_xml() -> None:
    with simulator(bom=True) as psft:
        assert get(psft, "ML_PO_HDR", ORDERS).content.startswith(b"\xef\xbb\xbf{")
        xml = get(psft, "ML_PO_HDR", ORDERS, tail="XMLP/NONFILE", json_resp=None)
        assert xml.content.startswith(b"\xef\xbb\xbf<?xml")


def test_line_queries_join_schedule_and_distribution() -> None:
    with simulator() as psft:
        psft.add({**LINE, "B.DUE_DT": "2026-04-01", "C.ACCOUNT": "6110"}, query="ML_PO_LINE")
        psft.add({**LINE, "B.SCHED_NBR": 2, "B.QTY_PO": "3", "B.DUE_TIME": "9:30:00.000000"}, query="ML_PO_LINE")
        psft.add({**LINE, "A.LINE_NBR": "2", "LOCATION": "DOCK"}, query="ML_PO_LINE")
        found = rows(psft, "ML_PO_LINE", {"BU": "US001", "PO": "0000000101"})
        assert [(row["A.LINE_NBR"], row["B.SCHED_NBR"], row["C.DISTRIB_LINE_NUM"]) for row in found] == [
            (1, 1, 1),
            (1, 2, 1),
            (2, 1, 1),
        ]
        assert (found[0]["C.ACCOUNT"], found[0]["B.DUE_DT"], found[1]["B.QTY_PO"]) == ("6110", "2026-04-01", 3)
        assert (found[1]["B.DUE_TIME"], found[2]["C.LOCATION"]) == ("9:30:00.000000", "DOCK")
        # What the join equates is shown once.
        assert "B.PO_ID" not in found[0]
        assert rows(psft, "ML_PO_LINE", {"BU": "US001", "PO": "0000000102"}) == []


def test_the_row_in_effect_is_the_latest_up_to_the_day_even_if_it_is_inactive() -> None:
    day = dt.date(2026, 3, 2)
    with simulator() as psft:
        row = {"SETID": "SHARE", "DEPTID": "10100"}
        psft.add({**row, "EFFDT": dt.date(1900, 1, 1), "DESCR": "old"}, record="DEPT_TBL")
        psft.add({**row, "EFFDT": day, "EFF_STATUS": "I", "DESCR": "now"}, record="DEPT_TBL")
        psft.add({**row, "EFFDT": day + dt.timedelta(days=1), "DESCR": "future"}, record="DEPT_TBL")
        prompts = {"SETID": "SHARE", "ASOF_DT": day.isoformat(), "AFTER_ID": ""}
        found = rows(psft, "ML_DEPT", prompts)
        assert [(each["A.DESCR"], each["A.EFF_STATUS"]) for each in found] == [("now", "I")]
        assert [each["A.DESCR"] for each in rows(psft, "ML_DEPT", {**prompts, "ASOF_DT": "2026-03-01"})] == ["old"]
        assert rows(psft, "ML_DEPT", {**prompts, "ASOF_DT": "1899-12-31"}) == []


def test_suppliers_come_with_their_current_address_or_without() -> None:
    with simulator() as psft:
        key = {"SETID": "SHARE", "VENDOR_ID": "0000000042"}
        psft.add({**key, "NAME1": "Harbor", "PRIM_ADDR_SEQ_NUM": 2, "DEFAULT_LOC": "MAIN"}, record="VENDOR")
        psft.add({**key, "VENDOR_ID": "0000000043", "NAME1": "Granite"}, record="VENDOR")
        for number, year, city in ((1, 1900, "Denver"), (2, 1900, "Toledo"), (2, 2026, "Tacoma"), (2, 2027, "Macon")):
            part = {"ADDRESS_SEQ_NUM": number, "EFFDT": dt.date(year, 1, 1), "CITY": city}
            psft.add({**key, **part}, record="VENDOR_ADDR")
        psft.add({**key, "VNDR_LOC": "MAIN", "EFFDT": dt.date(1900, 1, 1), "CURRENCY_CD": "USD"}, record="VENDOR_LOC")
        found = rows(psft, "ML_VENDOR", {"SETID": "SHARE", "AFTER_ID": ""})
        shown = [(row["A.NAME1"], row["B.CITY"], row["C.CURRENCY_CD"], row["B.EFFDT"]) for row in found]
        assert shown == [("Harbor", "Tacoma", "USD", "2026-01-01"), ("Granite", " ", " ", "")]


def test_a_supplier_given_as_its_query_shows_it_is_shown_so() -> None:
    row = {"A.SETID": "SHARE", "A.VENDOR_ID": "0000000044", "A.NAME1": "Cove", "B.EFFDT": "1900-01-01"}
    row |= {"B.CITY": "Toledo", "C.EFFDT": "1900-01-01", "C.CURRENCY_CD": "USD"}
    with simulator() as psft:
        psft.add(row, query="ML_VENDOR")
        (found,) = rows(psft, "ML_VENDOR", {"SETID": "SHARE", "AFTER_ID": ""})
        assert {name: found[name] for name in row} == row


def test_customers_have_queries_of_their_own() -> None:
    jobs = [
        {"EMPLID": "K0001", "JOBCODE": None, "A.EFFDT": dt.date(2026, 1, 1), "EXPR1_1": Decimal("0.50")},
        {"EMPLID": "K0002", "JOBCODE": "110", "A.EFFDT": dt.date(2026, 2, 1), "EXPR1_1": 2},
    ]
    with simulator() as psft:
        psft.define_query("HR_JOBS", prompts={"AFTER": "EMPLID >", "SINCE": "A.EFFDT >="}, key="EMPLID", rows=jobs)
        psft.add({"EMPLID": "K0000", "JOBCODE": "X", "CHANGED": NOON, "AT": dt.time(9, 30)}, query="HR_JOBS")
        found = rows(psft, "HR_JOBS", {"AFTER": "", "SINCE": "2026-01-01"})
        assert [(row["EMPLID"], row["EXPR1_1"]) for row in found] == [("K0001", Decimal("0.5")), ("K0002", 2)]
        assert found[0]["JOBCODE"] == " "
        psft.define_query("MINE", prompts={}, key="A.VENDOR_ID", record="VENDOR", private=True)
        assert rows(psft, "MINE", owner="PRIVATE") == []
        assert get(psft, "MINE").status_code == 500
        psft.define_query("NONE", prompts={"ID": "ID ="}, key="ID")
        assert rows(psft, "NONE", {"ID": "1"}) == []
        psft.add({"NUMBER": 1}, query="NONE")
        assert get(psft, "NONE", {"ID": "1"}).status_code == 500
        psft.define_query(
            "BY_NUMBER", prompts={"LINE": "A.LINE_NBR =", "ON": "A.BUSINESS_UNIT <"}, key="A.PO_ID", record="PO_LINE"
        )
        psft.add({"BUSINESS_UNIT": "US001", "PO_ID": "1", "LINE_NBR": 2}, record="PO_LINE")
        assert len(rows(psft, "BY_NUMBER", {"LINE": "2.0", "ON": "ZZ"})) == 1
        assert get(psft, "BY_NUMBER", {"LINE": "two", "ON": "ZZ"}).status_code == 500
        psft.define_query("ON_DAY", prompts={"DAY": "A.LAST_DTTM_UPDATE ="}, key="A.PO_ID", record="PO_HDR")
        psft.add(order(101), record="PO_HDR")
        assert len(rows(psft, "ON_DAY", {"DAY": "2026-03-02"})) == 1
        for wrong in (
            {"prompts": {"AFTER": "EMPLID like"}, "key": "EMPLID"},
            {"prompts": {"AFTER": "EMPLID >"}, "key": "EMPLID", "record": "JOB"},
            {"prompts": {"AFTER": "A.NOTHING >"}, "key": "A.PO_ID", "record": "PO_HDR"},
            {"prompts": {"AFTER": "EMPLID asof"}, "key": "EMPLID", "rows": jobs},
        ):
            with pytest.raises(InvalidArgument):
                psft.define_query("WRONG", **wrong)


def test_the_listener_has_one_node_and_knows_its_operations() -> None:
    with simulator(inactive_status=404) as psft:
        assert get(psft, "ML_PO_HDR", ORDERS, node="PSFT_HR").status_code == 404
        assert get(psft, "ML_PO_HDR", ORDERS, operation="ExecuteQuery.v2").status_code == 404
        auth = (psft.username, psft.password)
        for path in (
            "/PSIGW/RESTListeningConnector/PSFT_EP",
            "/PSIGW/Other/PSFT_EP",
            "/",
            "/PSIGW/HttpListeningConnector",
        ):
            assert requests.get(psft.url + path, auth=auth, timeout=5).status_code == 404
        url = f"{psft.url}/PSIGW/RESTListeningConnector/PSFT_EP/ExecuteQuery.v1/PUBLIC/ML_PO_HDR/JSON/NONFILE"
        assert requests.post(url, auth=auth, timeout=5).status_code == 404
