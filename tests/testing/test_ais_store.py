from __future__ import annotations

import datetime as dt
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from mlconnector.testing import _ais_query
from mlconnector.testing._ais_query import DateFormat, Literals, first, select
from mlconnector.testing._ais_store import TableStore
from mlconnector.testing._ais_tables import TABLES

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
CHANGES = st.lists(
    st.tuples(st.sampled_from(["put", "revise", "drop"]), st.integers(1, 4), st.integers(0, 2)), max_size=25
)


@settings(max_examples=60)
@given(CHANGES)
def test_look_ups_keep_up_with_changes(changes: list[tuple[str, int, int]]) -> None:
    store, model = TableStore(TABLES["F0901"]), dict[str, int]()
    for what, number, value in changes:
        key, columns = str(number), {"OBJ": str(value)} if value else {}
        if what == "put":
            store.put({"AID": key, **columns}, NOW)
            model[key] = value
        elif key in model and what == "revise":
            store.revise(key, {"OBJ": columns.get("OBJ")}, NOW)
            model[key] = value
        elif key in model:
            store.drop(key)
            del model[key]
        for wanted in range(3):
            found = [row["AID"] for row in store.where(OBJ=str(wanted) if wanted else "")]
            assert found == sorted(aid for aid, held in model.items() if held == wanted)
            assert found == [row["AID"] for row in store.where(CO=None, OBJ=str(wanted) if wanted else "")]


def test_found_rows_have_every_column() -> None:
    store = TableStore(TABLES["F0901"])
    store.put({"AID": "1", "MCU": "M30"}, NOW)
    row: Any = store.find("1")
    assert (row["MCU"].strip(), row["PEC"], set(row)) == ("M30", "", set(store.table.columns))
    assert store.find("2") is None


def _literal(*contents: str) -> list[dict[str, str]]:
    return [{"content": content, "specialValueId": "LITERAL"} for content in contents]


_NUMBERS = st.integers(1, 60).map(str)
CONDITIONS = st.one_of(
    st.tuples(
        st.just("F4311.DOCO"),
        st.sampled_from(["EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"]),
        _NUMBERS.map(_literal),
    ),
    st.tuples(st.just("F4311.DOCO"), st.just("BETWEEN"), st.tuples(_NUMBERS, _NUMBERS).map(lambda two: _literal(*two))),
    st.tuples(st.just("F4311.DCTO"), st.just("EQUAL"), st.sampled_from(["OP", "OT", "*"]).map(_literal)),
    st.tuples(st.just("F4311.LNID"), st.just("LIST"), st.just(_literal("1000", "3000"))),
    st.tuples(st.just("F4311.DCTO"), st.just("STR_NOT_BLANK"), st.none()),
)
ORDERS = st.lists(
    st.tuples(st.sampled_from(["DOCO", "DCTO", "LNID", "UORG"]), st.sampled_from(["ASC", "DESC"])), max_size=3
)


@settings(max_examples=150, deadline=None)
@given(st.lists(CONDITIONS, max_size=3), ORDERS, st.sampled_from(["MATCH_ALL", "MATCH_ANY"]), st.integers(1, 40))
def test_the_first_rows_of_a_large_table_are_those_of_a_small_one(
    conditions: list[Any], order: list[tuple[str, str]], joined: str, most: int
) -> None:
    store = TableStore(TABLES["F4311"])
    for number in range(1, 61):
        key = {"DOCO": number // 3, "DCTO": "OP" if number % 5 else "OT", "KCOO": "00001", "SFXO": "000"}
        store.put({**key, "LNID": number % 7 * 1000, "UORG": number % 4}, NOW)
    named = [{"controlId": name, "operator": operator, "value": value} for name, operator, value in conditions]
    # Rows that the order leaves equal may come in any order: the rest of the key makes it a whole one.
    whole = [*order, *((name, "ASC") for name in ("DOCO", "DCTO", "LNID"))]
    request = {
        "dataServiceType": "BROWSE",
        "query": {"condition": named, "matchType": joined},
        "aggregation": {"orderBy": [{"column": f"F4311.{name}", "direction": way} for name, way in whole]},
    }
    literals = Literals(date_format=DateFormat("MM/dd/yyyy"), today=NOW.date(), user="U")
    with mock.patch.object(_ais_query, "_LARGE", 0):
        found = first(store, request, literals, most)
    assert found == select(store, request, literals)[:most]
