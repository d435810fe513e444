"""What answers mean, settings of names, and errors that name the operation."""

from __future__ import annotations

import datetime as dt
import pickle
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import responses
from hypothesis import given, settings
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector.http import Response
from mlconnector.peoplesoft import ComponentInterface, PeopleSoft, VoucherMessage
from mlconnector.peoplesoft._faults import Operation
from mlconnector.peoplesoft._queries import CODES, OPTIONAL, QUERIES
from mlconnector.peoplesoft._service import decode
from mlconnector.peoplesoft._values import Cells, Zone, zone_option
from mlconnector.peoplesoft._walk import Asked, Groups, Pages, RowCap, before
from mlconnector.peoplesoft._xml import element, parse
from mlconnector.testing import ManualClock
from tests.peoplesoft.site import Site, line, order, voucher

OPERATION = Operation("OP (alias)", "query Q", "switch it on")
HTML = "<html><body>Sign in</body></html>"


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        running.add("ML_PO_HDR", order(101), order(102))
        running.add("ML_PO_LINE", line(101), line(102))
        yield running


def rows_of(text: str | bytes, kind: str = "application/json") -> list[dict[str, Any]]:
    content = text.encode() if isinstance(text, str) else text
    return decode(Response(status=200, content=content, headers={"Content-Type": kind}), OPERATION)


def test_json_is_exact_and_rows_may_be_absent() -> None:
    text = (
        '{"status":"success","data":{"query":{"numrows":1,"queryname=":"Q","rows":[{"attr:rownumber":1,"A.X":10.10}]}}}'
    )
    assert rows_of(text) == [{"attr:rownumber": 1, "A.X": Decimal("10.10")}]
    assert rows_of(b"\xef\xbb\xbf" + text.replace('"queryname="', '"queryname"').encode()) == rows_of(text)
    assert rows_of('{"status":"success","data":{"query":{"numrows":"0"}}}') == []
    assert rows_of('{"status":"success","data":{"query":{"numrows":0,"rows":null}}}') == []
    assert rows_of('{"status":"success","data":{"query":{"rows":[]}}}') == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (HTML, "an HTML page"),
        ("<!DOCTYPE html><html/>", "an HTML page"),
        ("", "no JSON"),
        ("[]", "status 'list'"),
        ('{"status":"error","message":"No access"}', "No access"),
        ('{"status":"success"}', "no result of a query"),
        ('{"status":"success","data":{"query":{"rows":{}}}}', "no result of a query"),
        ('{"status":"success","data":{"query":{"rows":[1]}}}', "no result of a query"),
        ('{"status":"success","data":{"query":{"numrows":3,"rows":[]}}}', "numrows=3 and sent 0 rows"),
        ('{"status":"success","data":{"query":{"numrows":3}}}', "no result of a query"),
        ('{"status":"success","data":{"query":{"queryname":"Q"}}}', "no result of a query"),
        ("<query numrows='2'><row/></query>", "numrows=2 and sent 1 rows"),
        ("<query numrows='1'><row>", "no result of a query"),
        ("<IBResponse type='error'><DefaultMessage>Bad node</DefaultMessage></IBResponse>", "Bad node"),
        ("<IBResponse><MessageSet>158</MessageSet><MessageID>45</MessageID></IBResponse>", "message 158,45"),
        ("<html><query/></html>", "an HTML page"),
        ('{"status":"success","data":{"query":{"rows":[{"A":NaN}]}}}', "no JSON"),
    ],
)
def test_what_is_no_result_of_a_query_never_counts_as_no_rows(body: str, said: str) -> None:
    with pytest.raises(mc.VendorFault) as caught:
        rows_of(body)
    assert said in caught.value.message
    assert "operation OP (alias) for query Q" in caught.value.message
    assert caught.value.cure.endswith("switch it on")


def test_xmlp_is_read_whatever_its_namespace(site: Site) -> None:
    text = '<q:query xmlns:q="u" numrows="1"><q:row><A.PO_ID><![CDATA[01 ]]></A.PO_ID><A.X/></q:row></q:query>'
    assert rows_of("\ufeff" + text) == [{"A.PO_ID": "01 ", "A.X": ""}]
    with site.client(result="XMLP") as people:
        first, _second = people.purchase_orders()
    assert first.lines[0].unit_price == Decimal("12.05")
    assert site.calls[0].headers["accept"] == "application/xml"
    assert "json_resp" not in site.calls[0].query


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        "<a>" * 200 + "</a>" * 200,
        "<a>",
        "",
        "<a/><b/>",
    ],
)
def test_unsafe_or_broken_xml_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text.encode())


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]), max_size=40))
@settings(max_examples=50)
def test_text_comes_back_from_xml(text: str) -> None:
    if any(ord(char) in (0xFFFE, 0xFFFF) for char in text):
        return
    assert parse(element("a", text).encode()).text == text
    assert "]]>" not in element("a", text)


def test_a_control_character_is_refused() -> None:
    with pytest.raises(mc.InvalidArgument):
        element("a", "\x01")


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_refusal_names_the_operation_and_what_to_switch_on(site: Site, status: int) -> None:
    site.fail(status=status, times=9, body="", match="ExecuteQuery")
    with site.client() as people, pytest.raises(mc.MLConnectorError) as caught:
        list(people.purchase_orders())
    error = caught.value
    assert f"operation QAS_EXECUTEQRY_REST_GET (ExecuteQuery.v1) for query ML_PO_HDR answered {status}" in error.message
    assert "operation not active, not permitted, or wrong node or alias" in error.message
    assert "activates service operation QAS_EXECUTEQRY_REST_GET" in error.cure
    assert "PSFT_EP" in error.cure
    assert error.fault == "administrator"
    assert len(site.calls) == (3 if status == 500 else 1)
    kinds = {401: mc.AuthenticationFailed, 403: mc.PermissionDenied, 404: mc.NotFound, 500: mc.VendorFault}
    assert isinstance(error, kinds[status])


@pytest.mark.parametrize(
    "options", [{"node": "PSFT_HR"}, {"queries": {"purchase_orders": "NO_SUCH"}}, {"operation": "Other.v1"}]
)
def test_wrong_names_are_clear_errors(site: Site, options: dict[str, Any]) -> None:
    with site.client(**options) as people, pytest.raises(mc.MLConnectorError, match="operation") as caught:
        list(people.purchase_orders())
    assert "The PeopleSoft administrator" in caught.value.cure


def test_html_with_200_is_a_clear_error(site: Site) -> None:
    site.fail(body=HTML)
    with site.client() as people, pytest.raises(mc.VendorFault, match="HTML page") as caught:
        list(people.purchase_orders())
    assert "no log-in page and no proxy" in caught.value.cure


def test_a_wrong_password_is_tried_once(site: Site) -> None:
    with site.client(auth=mc.HTTPBasic("MLCONN", "wrong")) as people:
        for _ in range(2):
            with pytest.raises(mc.AuthenticationFailed) as caught:
                list(people.purchase_orders())
            assert "wrong" not in str(caught.value).replace("wrong node", "")
        check = people.check()
    assert len(site.calls) == 1
    assert not check.ok
    assert len(check.steps) == 1


def test_busy_servers_are_asked_again(site: Site) -> None:
    for status in (500, 503):
        site.fail(status=status)
    with site.client() as people:
        assert len(list(people.purchase_orders())) == 2


def test_bearer_tokens_are_renewed_once() -> None:
    auth = mc.OAuth2ClientCredentials("id", "secret", token_url="https://idp.example/token", scope="read")
    url = "https://ps.example:443/PSIGW/RESTListeningConnector/PSFT_EP/ExecuteQuery.v1/PUBLIC/Q/JSON/NONFILE"
    empty = {"status": "success", "data": {"query": {"numrows": 0}}}
    with responses.RequestsMock() as wire, PeopleSoft("https://ps.example", auth=auth) as people:
        for token in ("old", "new"):
            wire.post("https://idp.example/token", json={"access_token": token})
        wire.get(url, status=401)
        wire.get(url, json=empty)
        assert list(people.rows("Q")) == []
        assert wire.calls[-1].request.headers["Authorization"] == "Bearer new"
        wire.post("https://idp.example/token", status=401)
        wire.get(url, status=401)
        with pytest.raises(mc.AuthenticationFailed) as caught:
            list(people.rows("Q"))
        assert caught.value.system == "oauth2"


def test_translated_codes_are_refused_at_once(site: Site) -> None:
    site.rows["ML_PO_HDR"][1]["A.PO_STATUS"] = "Dispatched"
    with site.client() as people, pytest.raises(mc.VendorFault, match="'Dispatched', a translation") as caught:
        list(people.purchase_orders())
    assert "translate value in the query to None" in caught.value.cure
    assert len(site.calls) == 1


def test_fields_are_found_with_and_without_alias_and_by_setting(site: Site) -> None:
    site.rows["ML_PO_HDR"] = [
        {
            "BUSINESS_UNIT": "US001",
            "D.PO_ID": "0000000101",
            "PO_STATUS": "D",
            "HOLD_STATUS": "N",
            "DISP_METHOD": "PRN",
            "VENDOR_ID": "1",
            "CURRENCY_CD": "USD",
            "EXPR1_1": "2026-03-01T08:00:00-0800",
            "Z.OWN": "x",
        }
    ]
    site.order["A.PO_ID"] = "D.PO_ID"
    with site.client(fields={"purchase_orders": {"EXPR1_1": "A.LAST_DTTM_UPDATE"}}) as people:
        (found,) = people.purchase_orders()
        assert found.provenance.updated_at == dt.datetime(2026, 3, 1, 16, tzinfo=dt.UTC)
        assert found.extras == {"DISP_METHOD": "PRN", "Z.OWN": "x"}
    with site.client() as people, pytest.raises(mc.VendorFault, match="returns no A.LAST_DTTM_UPDATE") as caught:
        list(people.purchase_orders())
    assert "fields={'purchase_orders': {'ROW_KEY': 'A.LAST_DTTM_UPDATE'}}" in caught.value.cure


def test_the_quantity_of_a_distribution_is_never_taken_for_the_schedules(site: Site) -> None:
    for row in site.rows["ML_PO_LINE"]:
        del row["B.QTY_PO"]
    with site.client() as people, pytest.raises(mc.VendorFault, match=r"returns no B\.QTY_PO"):
        list(people.purchase_orders())
    for row in site.rows["ML_PO_LINE"]:
        row["QTY_PO"] = row.pop("C.QTY_PO")
    with site.client() as people, pytest.raises(mc.VendorFault, match=r"returns no B\.QTY_PO"):
        list(people.purchase_orders())


def test_names_of_queries_and_prompts_are_settings(site: Site) -> None:
    site.rows["MY_PO"] = site.rows.pop("ML_PO_HDR")
    site.names["MY_PO"] = "ML_PO_HDR"
    options: dict[str, Any] = {"queries": {"ML_PO_HDR": "MY_PO"}, "prompts": {"BU": "UNIT", "TO_DT": "UNTIL"}}
    with site.client(**options) as people:
        list(people.purchase_orders(limit=1))
    assert site.calls[0].query["prompt_uniquepromptname"] == "UNIT,FROM_DT,UNTIL,AFTER_ID"
    site.forget_calls()
    with site.client(queries={"purchase_orders": "MY_PO"}, prompts={"order_lines": {"PO": "ORDER"}}) as people:
        list(people.purchase_orders(limit=1))
    assert site.calls[0].query["prompt_uniquepromptname"] == "BU,FROM_DT,TO_DT,AFTER_ID"
    assert any(call.query["prompt_uniquepromptname"] == "BU,ORDER" for call in site.calls)


@pytest.mark.parametrize(
    "options",
    [
        {"node": "a/b"},
        {"node": ""},
        {"requesting_node": "a b"},
        {"owner": "MINE"},
        {"result": "HTML"},
        {"operation": "a/b"},
        {"page_size": 0},
        {"page_size": None},
        {"row_cap": True},
        {"look_back": {"orders": dt.timedelta(1)}},
        {"look_back": {"payments": dt.timedelta(-1)}},
        {"business_units": "US001"},
        {"business_units": [""]},
        {"setids": [3]},
        {"time_zone": "UTC"},
        {"max_in_flight": 0},
        {"queries": {"orders": "X"}},
        {"queries": {"purchase_orders": "A,B"}},
        {"queries": {"purchase_orders": 3}},
        {"prompts": {"NOPE": "X"}},
        {"prompts": {"order_lines": {"AFTER_ID": "X"}}},
        {"fields": {"purchase_orders": {"X": "A.NOPE"}}},
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument):
        PeopleSoft("https://ps.example", auth=mc.HTTPBasic("u", "p"), **options)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ComponentInterface(name=""),
        lambda: ComponentInterface(name="X", soap="2"),
        lambda: ComponentInterface(name="X", namespaces={"Delete": "n"}),
        lambda: VoucherMessage(operation=""),
        lambda: VoucherMessage(origin="TOOLONG"),
    ],
)
def test_settings_of_vouchers_are_checked(make: Any) -> None:
    with pytest.raises(mc.InvalidArgument):
        make()


def test_a_prefix_of_a_proxy_stays_and_the_listener_is_taken_off(site: Site) -> None:
    options: dict[str, Any] = {"auth": mc.HTTPBasic("MLCONN", site.password), "business_units": ["US001"]}
    with PeopleSoft(f"{site.url}/PSIGW/RESTListeningConnector/PSFT_EP", **options) as people:
        assert len(list(people.purchase_orders())) == 2
    options["auth"] = mc.HTTPBasic("MLCONN", site.password)
    with PeopleSoft(f"{site.url}/proxy/", **options) as people:
        with pytest.raises(mc.NotFound, match="answered 404"):
            list(people.purchase_orders())
    assert site.calls[-1].path.startswith("/proxy/PSIGW/RESTListeningConnector/PSFT_EP/ExecuteQuery.v1/")


def test_prompts_are_quoted_one_by_one_and_a_comma_is_refused() -> None:
    with responses.RequestsMock() as wire, PeopleSoft("https://ps.example", auth=mc.HTTPBasic("u", "p")) as people:
        wire.get("https://ps.example:443/PSIGW/RESTListeningConnector/PSFT_EP/ExecuteQuery.v1/PUBLIC/A%2FB/JSON/NONFILE",
                 json={"status": "success", "data": {"query": {"numrows": 0}}})  # fmt: skip
        list(people.rows("A/B", params={"P 1": "x&y", "P2": "", "P3": "ü"}))
        assert wire.calls[0].request.url is not None
        assert wire.calls[0].request.url.endswith(
            "?isconnectedquery=N&maxrows=500&prompt_uniquepromptname=P%201,P2,P3"
            "&prompt_fieldvalue=x%26y,,%C3%BC&json_resp=true"
        )
        with pytest.raises(mc.InvalidArgument, match="holds a comma"):
            list(people.rows("A", params={"P": "a,b"}))
        with pytest.raises(mc.InvalidArgument, match="holds a comma"):
            list(people.rows("A", columns=["a,b"]))


@pytest.mark.parametrize("ignored", ["AFTER_ID", "PO"])
def test_a_query_that_ignores_a_prompt_is_an_error_and_no_loop(site: Site, ignored: str) -> None:
    site.ignored.add(ignored)
    with site.client() as people, pytest.raises(mc.VendorFault, match="does not go on after|lines of other documents"):
        list(people.purchase_orders())


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["0002", "0001"], "is not ordered"),
        (["0001", "0001"], "several rows"),
        (["0001", " "], "without K"),
    ],
)
def test_rows_out_of_order_or_without_a_key_are_errors(keys: list[str], said: str) -> None:
    pages = Pages(lambda _after, _size: Asked([{"K": key} for key in keys], None), "K", "Q", 10, RowCap())
    with pytest.raises(mc.VendorFault, match=said):
        list(pages.walk(""))


def test_rows_of_one_key_must_stand_together() -> None:
    groups = Groups(lambda _after, _size: Asked([{"K": key} for key in "aba"], None), "K", "Q", 10, RowCap())
    with pytest.raises(mc.VendorFault, match="is not ordered"):
        list(groups.walk(""))


def test_an_order_of_letters_is_the_databases_own() -> None:
    answers = iter([["B-1", "a-1", "A-2"], []])
    pages = Pages(lambda _after, _size: Asked([{"K": key} for key in next(answers)], None), "K", "Q", 3, RowCap())
    assert [last for _, last in pages.walk("")] == ["A-2"]


def test_rows_that_come_between_two_calls_are_no_cap() -> None:
    held = ["1"]

    def ask(after: str, size: int) -> Asked:
        found = [{"K": key} for key in held if key > after][:size]
        if after == "1" and len(held) == 1:
            held.append("2")
            found = [{"K": "2"}]
        return Asked(found, None)

    cap = RowCap()
    assert [last for _, last in Pages(ask, "K", "Q", 10, cap).walk("")] == ["1", "2"]
    assert not cap.known
    held[:] = ["1"]
    groups = [group for part, _ in Groups(ask, "K", "Q", 10, cap).walk("") for group in part]
    assert [(group.key, group.cut) for group in groups] == [("1", False), ("2", False)]


def test_a_cap_that_was_raised_is_forgotten() -> None:
    cap = RowCap()
    cap.cut(5)
    assert cap.reached(5)
    cap.saw(9)
    assert not cap.known
    assert pickle.loads(pickle.dumps(RowCap(7))).reached(7)


@given(st.from_regex(r"[A-Z0-9-]{1,10}", fullmatch=True))
@settings(max_examples=60)
def test_what_is_asked_for_before_a_key_is_lower(key: str) -> None:
    assert before(key) < key


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3), st.booleans())
@settings(max_examples=50)
def test_numbers_are_exact_as_numbers_and_as_text(value: Decimal, as_text: bool) -> None:
    faults: list[str] = []
    assert Cells({"F": f" {value} " if as_text else value}, faults).number("F") == value
    assert faults == []


def test_values_that_cannot_be_read_are_faults() -> None:
    faults: list[str] = []
    cells = Cells({"N": "1,5", "I": "NaN", "D": "2026/01/01", "E": " ", "T": "x  "}, faults)
    assert (cells.number("N"), cells.number("I"), cells.date("D")) == (None, None, None)
    assert len(faults) == 3
    assert (cells.number("E"), cells.date("E"), cells.text("E"), cells.text("T")) == (None, None, "", "x")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-14T16:02:11-0800", "2026-01-15T00:02:11+00:00"),
        ("2026-01-14T9:02:11.5+05:30", "2026-01-14T03:32:11.500000+00:00"),
        ("2026-01-14T09:02:11.123456789Z", "2026-01-14T09:02:11.123456+00:00"),
        ("2026-01-14 09:02:11", "2026-01-14T09:02:11+00:00"),
        ("2026-01-14", "2026-01-14T00:00:00+00:00"),
        ("2026-13-14", None),
        ("", None),
        (None, None),
        ("soon", None),
    ],
)
def test_stamps(text: Any, instant: str | None) -> None:
    stamp = Zone(None).stamp(text)
    assert (stamp and stamp.instant.isoformat()) == instant


def test_the_offset_of_stamps_is_the_zone_of_dates() -> None:
    zone = Zone(None)
    zone.stamp("2026-01-14T16:02:11-0800")
    at = dt.datetime(2026, 1, 15, 3, tzinfo=dt.UTC)
    assert zone.day(at) == dt.date(2026, 1, 14)
    stamp = zone.stamp("2026-01-14")
    assert stamp is not None
    assert stamp.latest - stamp.instant == dt.timedelta(days=2)
    known = Zone(dt.UTC)
    known.stamp("2026-01-14T16:02:11-0800")
    assert known.day(at) == dt.date(2026, 1, 15)
    assert zone_option(None) is None


def test_a_row_that_cannot_become_a_document_is_rejected(site: Site) -> None:
    site.rows["ML_PO_LINE"][0]["B.PRICE_PO"] = "twelve"
    site.add("ML_GL_ACCOUNT", {"A.SETID": "SHARE", "A.ACCOUNT": "1", "A.EFF_STATUS": "A", "A.EFFDT": "soon"})
    with site.client() as people:
        (page,) = [page for page in people.purchase_orders().pages() if page.rejected]
        assert page.rejected[0].key == "US001/0000000101"
        assert page.rejected[0].faults == ("B.PRICE_PO 'twelve' is not a number",)
        assert [one.number for one in page.documents] == ["0000000102"]
        with pytest.raises(mc.InvalidDocument):
            list(people.accounts())


def test_check_proves_each_query(site: Site) -> None:
    site.add("ML_VOUCHER", voucher("00000001"))
    del site.rows["ML_DEPT"]
    with site.client(clock=ManualClock(site.clock.now() + dt.timedelta(hours=1))) as people:
        check = people.check()
    failed = [step.name for step in check.steps if not step.ok]
    assert failed == ["query ML_DEPT"]
    assert "ML_DEPT" in str(check)
    assert "the clocks differ by 1:00:00" in check.steps[0].detail
    assert check.steps[-1].detail == "of 2 orders looked at, 2 are fit to go (D: 2)"
    with site.client(requesting_node="ML_CONNECTOR", node_password="node-secret") as people:
        assert people.check().steps[-1].ok
    with site.client(requesting_node="OTHER") as people:
        assert not people.check().steps[-1].ok
    with site.client(voucher_component=ComponentInterface(name="ML_CI"), business_units=()) as people:
        names = [step.name for step in people.check().steps]
    assert names[-1] == "component interface ML_CI"
    assert "query ML_PO_HDR" not in str(names)


def test_a_client_shows_no_secret_and_does_not_pickle_it() -> None:
    with PeopleSoft("https://ps.example", auth=mc.HTTPBasic("u", "pw-hidden"), requesting_node="N",
                    node_password="node-hidden") as people:  # fmt: skip
        assert "hidden" not in repr(people) + repr(people.messages) + repr(vars(people))
        with pytest.raises(mc.InvalidArgument):
            pickle.dumps(people)
    with PeopleSoft("https://ps.example", auth=mc.stored("acme-ps"), business_units=["US001"]) as people:
        again = pickle.loads(pickle.dumps(people))
        assert again.origin == people.origin
        again.close()


def test_the_contract_is_whole() -> None:
    for query in (*QUERIES.values(), *OPTIONAL.values()):
        assert not set(query.required) & set(query.optional)
        assert set(query.order) <= set(query.fields)
        assert {field.partition(".")[0] for field in query.fields} <= {*query.records, "L"}
    assert all(len(code) <= 3 for codes in CODES.values() for code in codes)


def test_the_setup_page_names_every_query_prompt_and_field() -> None:
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs/setup/peoplesoft.md").read_text()
    for query in QUERIES.values():
        section = page.split(f"### {query.name}", 1)[1].split("\n### ")[0]
        for name in (*query.prompts, *query.order, *query.required, *query.records.values()):
            assert name in section, (query.name, name)
    for name in (*QUERIES, *OPTIONAL):
        assert name in page
