from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

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
