from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import requests

from mlconnector.errors import InvalidArgument
from mlconnector.testing import JDEdwardsSimulator, ManualClock
from tests.testing.ais import DEVICE, Bare, ascending, grid, literal, request, where

PEOPLE = [
    {"AN8": 4343, "ALPH": "Parts Emporium", "MCU": "1", "UPMJ": dt.date(2026, 1, 31), "UPMT": 93015},
    {"AN8": 4344, "ALPH": "Älmhult AB", "ALKY": "LONG", "MCU": "M30", "UPMJ": dt.date(2026, 2, 3), "UPMT": 5},
    {"AN8": 4345, "ALPH": "Parts Depot", "EFTB": dt.date(2020, 5, 6), "UPMJ": dt.date(2026, 2, 3)},
]
VOUCHER = {"DOC": 1, "DCT": "PV", "KCO": "00001", "UPMJ": dt.date(2026, 1, 1)}


def numbers(rows: list[dict[str, Any]]) -> list[int]:
    return sorted(row["F0101_AN8"] for row in rows)


@pytest.fixture
def jde() -> Any:
    with JDEdwardsSimulator(clock=ManualClock(dt.datetime(2026, 2, 4, 2, 0, tzinfo=dt.UTC))) as simulator:
        simulator.add(PEOPLE, table="F0101")
        yield simulator


@pytest.fixture
def bare(jde: JDEdwardsSimulator) -> Any:
    with Bare(jde) as client:
        yield client


def test_an_answer_is_shaped_as_the_reference_shows(bare: Bare) -> None:
    answer = bare.data("F0101", "AN8 ALPH ALKY MCU EFTB UPMJ UPMT", query=where(("F0101.AN8", "EQUAL", "4343")))
    body = answer.json()
    assert grid(answer, "F0101")["rowset"] == [
        {
            "F0101_AN8": 4343,
            "F0101_ALPH": "Parts Emporium",
            "F0101_ALKY": " ",
            "F0101_MCU": "           1",
            "F0101_EFTB": None,
            "F0101_UPMJ": "20260131",
            "F0101_UPMT": 93015,
        }
    ]
    assert grid(answer, "F0101")["summary"] == {"records": 1, "moreRecords": False}
    assert body["sysErrors"] == []
    assert body["timeStamp"] == "2026-02-03:21.00.00"
    assert "links" not in body


def test_the_order_of_keys_is_not_that_of_the_request(bare: Bare) -> None:
    aliases = "AN8 ALPH ALKY MCU UPMJ UPMT AT1 TAX"
    first, second = (list(bare.rows("F0101", aliases)[0]) for _ in range(2))
    assert first == second != [f"F0101_{alias}" for alias in aliases.split()]
    assert sorted(first) == sorted(f"F0101_{alias}" for alias in aliases.split())


@pytest.mark.parametrize("empty", [None, "", " ", "0"])
def test_empty_dates_take_every_form_that_was_seen(empty: Any) -> None:
    with JDEdwardsSimulator(empty_date=empty) as jde, Bare(jde) as bare:
        jde.add({"AN8": 1}, table="F0101")
        assert bare.rows("F0101", "EFTB") == [{"F0101_EFTB": empty}]


def test_numbers_are_exact_json_numbers(jde: JDEdwardsSimulator, bare: Bare) -> None:
    amounts = [Decimal("9007199254740993.01"), Decimal("-0.10"), Decimal("1.010"), Decimal("1E+3")]
    for index, amount in enumerate(amounts, start=1):
        jde.add({**VOUCHER, "DOC": index, "AG": amount}, table="F0411")
    answer = bare.data("F0411", "AG", aggregation=ascending("F0411.DOC"))
    assert [row["F0411_AG"] for row in grid(answer, "F0411")["rowset"]] == amounts
    assert '"F0411_AG":9007199254740993.01}' in answer.text
    assert '"F0411_AG":-0.1}' in answer.text


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"targetName": ...}, 400),
        ({"targetType": ...}, 400),
        ({"targetType": "TABLE"}, 400),
        ({"targetType": ["table"]}, 400),
        ({"dataServiceType": ...}, 400),
        ({"dataServiceType": "browse"}, 400),
        ({"maxPageSize": 500}, 400),
        ({"maxPageSize": "0"}, 400),
        ({"maxPageSize": "all"}, 400),
        ({"outputType": "VERSION2"}, 400),
        ({"returnControlIDs": ["F0101.AN8"]}, 400),
        ({"query": []}, 400),
        ({"query": {"autoFind": True, "condition": {}}}, 400),
        ({"query": {"autoFind": True, "condition": ["x"]}}, 400),
        ({"query": {"autoFind": True, "matchType": "MATCH_SOME", "condition": []}}, 400),
        ({"aggregation": []}, 200),
        ({"aggregation": [1]}, 400),
        ({"aggregation": {"orderBy": "F0101.AN8"}}, 400),
        ({"aggregation": {"orderBy": [{"column": "F0101.AN8"}]}}, 400),
        ({"aggregation": {"orderBy": [{"column": "F0101.ABAN8", "direction": "ASC"}]}}, 500),
        ({"returnControlIDs": "F0101.ABAN8"}, 500),
        ({"returnControlIDs": "AN8"}, 500),
        ({"returnControlIDs": "F0101_AN8"}, 500),
        ({"returnControlIDs": "F0411.AN8"}, 500),
        ({"targetName": "F9999"}, 500),
        ({"targetType": "view"}, 500),
    ],
)
def test_wrong_requests_are_refused(bare: Bare, members: dict[str, Any], status: int) -> None:
    answer = bare.data("F0101", "AN8", **members)
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["status"] == "ERROR"


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (("F0411.RPAG", "EQUAL", "1"), 500),
        (("F0411.AG", "EQUALS", "1"), 500),
        (("F0411.AG", "EQUAL", "1,5"), 500),
        (("F0411.AG", "EQUAL", "1e3"), 500),
        (("F0411.AG", "STR_CONTAIN", "1"), 500),
        (("F0411.AG", "STR_BLANK", []), 500),
        (("F0411.AG", "BETWEEN", ["1"]), 500),
        (("F0411.AG", "EQUAL", ["1", "2"]), 500),
        (("F0411.AG", "LIST", []), 400),
        (("F0411.AG", "EQUAL", [{"content": 5, "specialValueId": "LITERAL"}]), 400),
        (("F0411.AG", "EQUAL", [{"content": "5"}]), 500),
        (("F0411.AG", "EQUAL", [{"content": "5", "specialValueId": "TODAY"}]), 500),
        (("F0411.DGJ", "EQUAL", [{"content": "x", "specialValueId": "TODAY_MINUS_DAY"}]), 500),
        (("F0411.DGJ", "EQUAL", "2026-01-31"), 500),
        (("F0411.DGJ", "EQUAL", "126031"), 500),
        (("F0411.DGJ", "EQUAL", "31/01/2026"), 500),
        (("F0411.DGJ", "EQUAL", "20260131"), 500),
    ],
)
def test_wrong_conditions_are_refused(bare: Bare, condition: tuple[str, str, Any], status: int) -> None:
    assert bare.data("F0411", "DOC", query=where(condition)).status_code == status


def test_value_is_always_an_array(bare: Bare) -> None:
    query = where(("F0101.AN8", "EQUAL", "1"))
    query["condition"][0]["value"] = literal("1")
    assert bare.data("F0101", "AN8", query=query).status_code == 400


def test_an_unknown_column_can_show_as_an_error_inside_a_200() -> None:
    with JDEdwardsSimulator(bad_column=200) as jde, Bare(jde) as bare:
        answer = bare.data("F0411", "RPAG")
        assert answer.status_code == 200
        assert "F0411.RPAG" in answer.json()["sysErrors"][0]["DESC"]
        assert not any(key.startswith("fs_") for key in answer.json())


@pytest.mark.parametrize(
    "members",
    [
        {"findOnEntry": ...},
        {"findOnEntry": "FALSE"},
        {"query": {"matchType": "MATCH_ALL", "condition": []}},
    ],
)
def test_without_find_on_entry_and_auto_find_the_grid_is_empty(bare: Bare, members: dict[str, Any]) -> None:
    assert bare.rows("F0101", "AN8", **members) == []


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (("F0101.AN8", "EQUAL", "4344"), [4344]),
        (("F0101.AN8", "NOT_EQUAL", "4344"), [4343, 4345]),
        (("F0101.AN8", "LESS", "4344"), [4343]),
        (("F0101.AN8", "LESS_EQUAL", "4344"), [4343, 4344]),
        (("F0101.AN8", "GREATER", "4344"), [4345]),
        (("F0101.AN8", "GREATER_EQUAL", "4344"), [4344, 4345]),
        (("F0101.AN8", "BETWEEN", ["4344", "4400"]), [4344, 4345]),
        (("F0101.AN8", "LIST", ["4343", "4345", "4345", "1"]), [4343, 4345]),
        (("F0101.ALPH", "STR_START_WITH", "Parts"), [4343, 4345]),
        (("F0101.ALPH", "STR_END_WITH", "Depot"), [4345]),
        (("F0101.ALPH", "STR_CONTAIN", "mhult"), [4344]),
        (("F0101.ALPH", "EQUAL", "parts depot"), []),
        (("F0101.ALPH", "EQUAL", "*"), [4343, 4344, 4345]),
        (("F0101.ALKY", "STR_BLANK", []), [4343, 4345]),
        (("F0101.ALKY", "STR_NOT_BLANK", []), [4344]),
        (("F0101.ALKY", "EQUAL", " "), [4343, 4345]),
        (("F0101.MCU", "EQUAL", "M30"), [4344]),
        (("F0101.MCU", "EQUAL", "         M30"), [4344]),
        (("F0101.MCU", "EQUAL", " "), [4345]),
        (("F0101.UPMJ", "EQUAL", "02/03/2026"), [4344, 4345]),
        (("F0101.UPMJ", "EQUAL", "02032026"), [4344, 4345]),
        (("F0101.UPMJ", "EQUAL", "03/02/2026"), []),
        (("F0101.EFTB", "LESS", "01/01/2026"), [4343, 4344, 4345]),
        (("F0101.UPMJ", "EQUAL", {"content": "", "specialValueId": "TODAY"}), [4344, 4345]),
        (("F0101.UPMJ", "GREATER_EQUAL", {"content": "3", "specialValueId": "TODAY_MINUS_DAY"}), [4343, 4344, 4345]),
        (("F0101.UPMJ", "GREATER_EQUAL", {"content": "2", "specialValueId": "TODAY_MINUS_DAY"}), [4344, 4345]),
        (("F0101.UPMJ", "LESS", {"content": "1", "specialValueId": "TODAY_PLUS_MONTH"}), [4343, 4344, 4345]),
        (("F0101.UPMJ", "LESS", {"content": "1", "specialValueId": "TODAY_MINUS_YEAR"}), []),
        (("F0101.ALPH", "NOT_EQUAL", {"content": "", "specialValueId": "LOGIN_USER"}), [4343, 4344, 4345]),
    ],
)
def test_operators_find_what_they_should(bare: Bare, condition: tuple[str, str, Any], found: list[int]) -> None:
    assert numbers(bare.rows("F0101", "AN8", query=where(condition))) == found


def test_date_literals_follow_the_users_format() -> None:
    with JDEdwardsSimulator(date_format="dd-MM-yy") as jde, Bare(jde) as bare:
        jde.add(PEOPLE, table="F0101")
        for text in ("03-02-26", "030226"):
            assert numbers(bare.rows("F0101", "AN8", query=where(("F0101.UPMJ", "EQUAL", text)))) == [4344, 4345]
        assert bare.data("F0101", "AN8", query=where(("F0101.UPMJ", "EQUAL", "02/03/2026"))).status_code == 500
        assert bare.data("F0101", "AN8", query=where(("F0101.UPMJ", "EQUAL", "31-02-26"))).status_code == 500


def test_conditions_join_by_match_type_and_in_two_parts(bare: Bare) -> None:
    parts, late = ("F0101.ALPH", "STR_START_WITH", "Parts"), ("F0101.AN8", "GREATER", "4343")
    assert numbers(bare.rows("F0101", "AN8", query=where(parts, late))) == [4345]
    assert numbers(bare.rows("F0101", "AN8", query=where(parts, late, match="MATCH_ANY"))) == [4343, 4344, 4345]

    def two(join: str) -> dict[str, Any]:
        first = where(("F0101.AN8", "LIST", ["4343", "4345"]))
        return {
            "autoFind": True,
            "complexQuery": [{"andOr": "AND", "query": first}, {"andOr": join, "query": where(late)}],
        }

    assert numbers(bare.rows("F0101", "AN8", query=two("AND"))) == [4345]
    assert numbers(bare.rows("F0101", "AN8", query=two("OR"))) == [4343, 4344, 4345]
    third = two("OR")
    third["complexQuery"].append(third["complexQuery"][0])
    assert bare.data("F0101", "AN8", query=third).status_code == 400
    assert bare.data("F0101", "AN8", query={**two("OR"), "condition": []}).status_code == 400
    assert bare.data("F0101", "AN8", query=two("XOR")).status_code == 400


def test_rows_come_sorted_only_when_asked(bare: Bare) -> None:
    order = {"orderBy": [{"column": "F0101.UPMJ", "direction": "DESC"}, {"column": "F0101.AN8", "direction": "ASC"}]}
    assert [row["F0101_AN8"] for row in bare.rows("F0101", "AN8", aggregation=order)] == [4344, 4345, 4343]


def test_without_an_order_rows_come_scrambled(jde: JDEdwardsSimulator, bare: Bare) -> None:
    jde.add([{"AN8": number} for number in range(1, 30)], table="F0101")
    found = [row["F0101_AN8"] for row in bare.rows("F0101", "AN8")]
    assert found != sorted(found)


@pytest.mark.parametrize(
    ("shape", "answer"),
    [("nested", {"ds_F0101": {"count": 2}}), ("text", {"ds_F0101": {"count": "2"}}), ("top", {"count": 2})],
)
def test_count_in_every_shape(shape: Any, answer: dict[str, Any]) -> None:
    with JDEdwardsSimulator(count_shape=shape) as jde, Bare(jde) as bare:
        jde.add(PEOPLE, table="F0101")
        query = where(("F0101.AN8", "GREATER", "4343"))
        assert bare.data("F0101", dataServiceType="COUNT", query=query).json() == answer


def test_aggregates_by_group(jde: JDEdwardsSimulator, bare: Bare) -> None:
    for number, supplier, amount in ((1, 7, "10.50"), (2, 7, "10.50"), (3, 8, "1.00")):
        jde.add(
            {**VOUCHER, "DOC": number, "AN8": supplier, "AG": Decimal(amount), "DGJ": dt.date(2026, 1, number)},
            table="F0411",
        )
    kinds = ("SUM", "MIN", "MAX", "AVG", "COUNT", "COUNT_DISTINCT", "AVG_DISTINCT", "SUM_DISTINCT")
    aggregation = {
        "aggregations": [{"column": "F0411.AG", "aggregation": kind} for kind in kinds]
        + [{"column": "F0411.DGJ", "aggregation": "MAX"}],
        "groupBy": [{"column": "F0411.AN8"}],
        "orderBy": [{"column": "F0411.AN8", "direction": "DESC"}],
    }
    answer = bare.data("F0411", dataServiceType="AGGREGATION", aggregation=aggregation).json(parse_float=Decimal)
    assert [entry["groupBy"] for entry in answer["ds_F0411"]["output"]] == [{"F0411.AN8": 8}, {"F0411.AN8": 7}]
    seven = answer["ds_F0411"]["output"][1]
    assert [seven[f"F0411.AG_{kind}"] for kind in kinds] == [
        21,
        Decimal("10.5"),
        Decimal("10.5"),
        Decimal("10.5"),
        2,
        1,
        Decimal("10.5"),
        Decimal("10.5"),
    ]
    assert seven["F0411.DGJ_MAX"] == "20260102"
    whole = {"aggregations": [{"column": "F0411.DOC", "aggregation": "MAX"}]}
    answer = bare.data("F0411", dataServiceType="AGGREGATION", aggregation=whole).json()
    assert answer["ds_F0411"]["output"] == [{"F0411.DOC_MAX": 3}]


@pytest.mark.parametrize(
    ("aggregation", "status"),
    [
        (..., 400),
        ({"aggregations": "x"}, 400),
        ({"aggregations": ["x"]}, 400),
        ({"aggregations": [{"column": "*", "aggregation": "COUNT"}]}, 500),
        ({"aggregations": [{"column": "F0411.AG", "aggregation": "MEDIAN"}]}, 500),
        ({"aggregations": [{"column": "F0411.DCT", "aggregation": "SUM"}]}, 500),
    ],
)
def test_wrong_aggregations_are_refused(bare: Bare, aggregation: Any, status: int) -> None:
    assert bare.data("F0411", dataServiceType="AGGREGATION", aggregation=aggregation).status_code == status


def test_a_hidden_table_gives_no_rows_and_no_error(jde: JDEdwardsSimulator, bare: Bare) -> None:
    jde.hide("F0101")
    assert bare.rows("F0101", "AN8") == []
    jde.hide("F0101", hidden=False)
    assert len(bare.rows("F0101", "AN8")) == 3


def test_rows_are_stamped_in_the_sites_local_time() -> None:
    clock = ManualClock(dt.datetime(2026, 3, 1, 2, 30, 5, tzinfo=dt.UTC))
    with JDEdwardsSimulator(clock=clock, utc_offset="UTC-05:00") as jde:
        order = {"DOCO": 1, "DCTO": "OP", "KCOO": "00001"}
        jde.add(order, table="F4301")
        (row,) = jde.contents["F4301"]
        assert (row["UPMJ"], row["TDAY"], row["SFXO"]) == (dt.date(2026, 2, 28), 213005, "000")
        clock.advance(dt.timedelta(days=1))
        jde.update("F4301", order, HOLD="B1")
        (row,) = jde.contents["F4301"]
        assert (row["UPMJ"], row["HOLD"]) == (dt.date(2026, 3, 1), "B1")
        jde.update("F4301", (1, "OP", "00001", "000"), DCTO="OB", UPMJ=dt.date(2026, 1, 1), TDAY=dt.time(1, 2, 3))
        (row,) = jde.contents["F4301"]
        assert (row["DCTO"], row["UPMJ"], row["TDAY"]) == ("OB", dt.date(2026, 1, 1), 10203)
        jde.remove("F4301", {**order, "DCTO": "OB"})
        assert jde.contents["F4301"] == ()
        assert len(jde.contents) == len(list(jde.contents)) == 22


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("F9999", {"AN8": 1}),
        ("F0101", {"ABAN8": 1}),
        ("F0101", {"ALPH": "No key"}),
        ("F0101", {"AN8": "1"}),
        ("F0101", {"AN8": True}),
        ("F0101", {"AN8": 1.5}),
        ("F0101", {"AN8": 1, "ALPH": "x" * 41}),
        ("F0101", {"AN8": 1, "ALPH": 5}),
        ("F0101", {"AN8": 1, "EFTB": "20260101"}),
        ("F0101", {"AN8": 1, "EFTB": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}),
        ("F0101", {"AN8": 1, "UPMJ": dt.date(2026, 1, 1), "UPMT": 240000}),
    ],
)
def test_rows_that_the_database_could_not_hold_are_refused(jde: JDEdwardsSimulator, table: str, row: Any) -> None:
    with pytest.raises(InvalidArgument):
        jde.add(row, table=table)


@pytest.mark.parametrize("key", [9, (4343, 1), {"AN8": 9}])
def test_a_row_that_is_not_there_cannot_be_changed(jde: JDEdwardsSimulator, key: Any) -> None:
    with pytest.raises(InvalidArgument):
        jde.update("F0101", key, ALPH="x")
    with pytest.raises(InvalidArgument):
        jde.remove("F0101", key)


def test_a_row_with_the_same_key_is_replaced(jde: JDEdwardsSimulator, bare: Bare) -> None:
    jde.add({"AN8": 4343, "ALPH": "New"}, table="F0101")
    query = where(("F0101.AN8", "EQUAL", "4343"))
    assert bare.rows("F0101", "ALPH", query=query) == [{"F0101_ALPH": "New"}]


def test_every_column_comes_where_none_is_named(bare: Bare) -> None:
    assert len(bare.rows("F0101")[0]) == len(bare.simulator.contents["F0101"][0])


def test_request_helper_leaves_members_out() -> None:
    assert "findOnEntry" not in request("F0101", findOnEntry=...)


def simple_get(bare: Bare, *parameters: tuple[str, str], table: str = "F0101", **options: Any) -> requests.Response:
    url = f"{bare.simulator.url}/jderest/v2/dataservice/table/{table}"
    return bare.http.get(url, params=parameters, timeout=5, **{"headers": bare.headers, **options})


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["F0101.AN8 EQ 4343"], [4343]),
        (["F0101.AN8 NE 4343"], [4344, 4345]),
        (["F0101.AN8 GT 4343", "F0101.AN8 LT 4345"], [4344]),
        (["F0101.AN8 GE 4344", "F0101.AN8 LE 4345"], [4344, 4345]),
        (["F0101.ALPH STARTSWITH Parts"], [4343, 4345]),
        (["F0101.ALPH CONTAINS Emp"], [4343]),
        (["F0101.ALPH ENDSWITH Depot"], [4345]),
        (["F0101.ALPH EQ Parts Depot"], [4345]),
        (["F0101.UPMJ EQ 01/31/2026"], [4343]),
        (["F0101.UPMJ GE 1 TODAY_MINUS_DAY"], [4344, 4345]),
        (["F0101.UPMJ EQ TODAY"], [4344, 4345]),
        ([], [4343, 4344, 4345]),
    ],
)
def test_a_simple_get_filters_as_the_data_service_does(bare: Bare, filters: list[str], found: list[int]) -> None:
    parameters = [("$field", "F0101.AN8"), ("$field", "F0101.ALPH"), *(("$filter", one) for one in filters)]
    rows = grid(simple_get(bare, *parameters), "F0101")["rowset"]
    assert numbers(rows) == found
    assert all(set(row) == {"F0101_AN8", "F0101_ALPH"} for row in rows)


def test_a_simple_get_sorts_limits_and_joins_and_has_no_next_page(bare: Bare) -> None:
    answer = simple_get(bare, ("$field", "F0101.AN8"), ("$sort", "-F0101.AN8"), ("$limit", "2"))
    assert [row["F0101_AN8"] for row in grid(answer, "F0101")["rowset"]] == [4345, 4344]
    assert grid(answer, "F0101")["summary"] == {"records": 2, "moreRecords": True}
    assert "links" not in answer.json()
    rising = simple_get(bare, ("$field", "F0101.AN8"), ("$sort", "+F0101.AN8"))
    assert [row["F0101_AN8"] for row in grid(rising, "F0101")["rowset"]] == [4343, 4344, 4345]
    either = [("$filter", "F0101.AN8 EQ 4343"), ("$filter", "F0101.AN8 EQ 4345"), ("$filterType", "MATCH_ANY")]
    assert numbers(grid(simple_get(bare, *either), "F0101")["rowset"]) == [4343, 4345]
    assert len(grid(simple_get(bare, *either[:2]), "F0101")["rowset"]) == 0
    every = grid(simple_get(bare, ("$limit", "1")), "F0101")["rowset"]
    assert len(every[0]) > 30


def test_a_simple_get_takes_a_token_or_a_login_in_its_query_or_by_basic(jde: JDEdwardsSimulator, bare: Bare) -> None:
    field = ("$field", "F0101.AN8")
    token = [("$token", bare.token), ("$device", DEVICE)]
    login = [("$username", jde.username), ("$password", jde.password)]
    for parameters in (token, login):
        assert simple_get(bare, field, *parameters, headers={}).status_code == 200
    assert simple_get(bare, field, headers={}, auth=(jde.username, jde.password)).status_code == 200
    assert simple_get(bare, field, headers={}).status_code == 444
    assert simple_get(bare, field, token[0], headers={}).status_code == 444
    assert bare.token not in str(jde.calls)
    assert jde.password not in str(jde.calls)


@pytest.mark.parametrize(
    ("parameter", "status"),
    [
        (("$filter", "F0101.AN8 LIKE 4"), 400),
        (("$filter", "F0101.AN8"), 400),
        (("$filter", "F0101.ABAN8 EQ 4"), 500),
        (("$filter", "F0101.AN8 CONTAINS 4"), 500),
        (("$sort", " F0101.AN8"), 400),
        (("$sort", ""), 400),
        (("$limit", "none"), 400),
        (("$filterType", "MATCH_SOME"), 400),
        (("$outputType", "VERSION1"), 400),
        (("$filters", "F0101.AN8 EQ 4"), 400),
    ],
)
def test_a_simple_get_that_is_none_is_refused(bare: Bare, parameter: tuple[str, str], status: int) -> None:
    assert simple_get(bare, ("$field", "F0101.AN8"), parameter).status_code == status


def test_a_simple_get_is_a_get_of_version_2(jde: JDEdwardsSimulator, bare: Bare) -> None:
    assert bare.post("/v2/dataservice/table/F0101").status_code == 404
    url = f"{jde.url}/jderest/dataservice/table/F0101"
    assert bare.http.get(url, headers=bare.headers, timeout=5).status_code == 404
    assert simple_get(bare, ("$field", "F9999.X"), table="F9999").status_code == 500
