"""Options, ranges and cells: what needs no Spark."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector.spark._cells import batches, inferred
from mlconnector.spark._settings import Settings

_OPTIONS = {"system": "jdedwards", "url": "http://127.0.0.1:9", "credentials": "acme", "table": "F0911"}


def _options(**changed: str) -> dict[str, str]:
    return {**_OPTIONS, **changed}


@given(st.integers(-1000, 1000), st.integers(1, 2000), st.integers(1, 40), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_ranges_cover_everything_once_and_sessions_bound_the_shares(
    lower: int, width: int, partitions: int, sessions: int
) -> None:
    options = {"partition_column": "DOC", "lower": str(lower), "upper": str(lower + width)}
    if partitions > 1 and width == 1:
        return
    found = Settings.of(_options(**options, partitions=str(partitions), sessions=str(sessions)))
    shares = found.shares()
    assert len(shares) <= min(sessions, partitions)
    ranges = [one for share in shares for one in share]
    assert ranges == found.ranges()
    holds = {"<": lambda a, b: a < b, ">=": lambda a, b: a >= b}
    hits = Counter(
        value
        for value in range(lower - 5, lower + width + 5)
        for ranged in ranges
        if all(holds[op](value, bound) for _column, op, bound in ranged)
    )
    assert set(hits.values()) == {1}
    assert len(hits) == width + 10


def test_dates_are_cut_too() -> None:
    found = Settings.of(
        _options(partition_column="DGJ", lower="2026-01-01", upper="2026-01-31", partitions="3", sessions="3")
    )
    assert found.ranges() == [
        (("DGJ", "<", dt.date(2026, 1, 11)),),
        (("DGJ", ">=", dt.date(2026, 1, 11)), ("DGJ", "<", dt.date(2026, 1, 21))),
        (("DGJ", ">=", dt.date(2026, 1, 21)),),
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"password": "p"},
        {"client.auth": "p"},
        {"client.node_password": "p"},
        {"tabel": "F0911"},
        {"system": "sap"},
        {"url": " "},
        {"credentials": ""},
        {"kind": "invoices"},
        {"partitions": "0"},
        {"partitions": "2"},
        {"partitions": "2", "partition_column": "DOC", "lower": "5", "upper": "5"},
        {"partitions": "2", "partition_column": "DOC", "lower": "5", "upper": "2026-01-01"},
        {"lower": "soon"},
        {"where": "LT = AA"},
        {"where": '[["DGJ", ">", {"day": 1}]]'},
        {"since": "2026-01-01T00:00:00"},
    ],
)
def test_what_cannot_be_meant_is_refused_on_the_driver(changed: dict[str, str]) -> None:
    with pytest.raises(mc.InvalidArgument):
        Settings.of(_options(**changed))


def test_options_of_the_client_and_conditions_are_read() -> None:
    found = Settings.of(
        _options(**{
            "client.session_age": "60", "client.date_format": "dd/MM/yyyy", "columns": "DOC, AA", "path": "",
            "where": '[["LT","=","AA"],["DGJ",">=",{"date":"2026-01-01"}],["DOC","in",[1,2]],["AA",">",1.10]]',
        })
    )  # fmt: skip
    assert found.client == {"session_age": 60, "date_format": "dd/MM/yyyy"}
    assert found.columns == ("DOC", "AA")
    assert found.where == (
        ("LT", "=", "AA"), ("DGJ", ">=", dt.date(2026, 1, 1)), ("DOC", "in", [1, 2]), ("AA", ">", Decimal("1.10")),
    )  # fmt: skip
    assert found.sessions == 1
    assert found.ranges() == [()]


def test_cells_become_exact_columns() -> None:
    schema = pa.schema(
        [("n", pa.decimal128(10, 2)), ("d", pa.date32()), ("t", pa.string()), ("b", pa.bool_()), ("i", pa.int64())]
    )
    rows: list[dict[str, Any]] = [
        {"n": Decimal("1.10"), "d": "20260301", "t": 5, "b": True, "i": 7},
        {"n": " ", "d": " ", "t": None, "b": None, "i": None},
        {"n": 3, "d": "2026-03-01T10:00:00Z", "t": "x", "b": False, "i": 1},
    ]
    (batch,) = batches(rows, schema, str)
    day = dt.date(2026, 3, 1)
    assert batch.to_pydict() == {
        "n": [Decimal("1.10"), None, Decimal("3.00")], "d": [day, None, day], "t": ["5", None, "x"],
        "b": [True, None, False], "i": [7, None, 1],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (Decimal("1.105"), pa.decimal128(10, 2)),
        (Decimal("12345"), pa.decimal128(4, 2)),
        ("x", pa.decimal128(10, 2)),
        ("soon", pa.date32()),
        ("x", pa.int64()),
    ],
)
def test_what_a_column_does_not_hold_is_refused_not_rounded(value: Any, kind: pa.DataType) -> None:
    with pytest.raises(mc.InvalidDocument, match="'?(1.105|12345|x|soon)"):
        list(batches([{"a": None}, {"a": value}], pa.schema([("a", kind)]), str))


def test_a_schema_is_taken_from_the_first_rows() -> None:
    rows = [{"a": 1, "b": "x", "c": None, "d": True}, {"a": Decimal("1.5"), "b": 2, "c": None, "d": False}]
    found = inferred(rows, ["a", "b", "c", "d"], str)
    assert [str(kind) for kind in found.types] == ["decimal128(36, 12)", "string", "string", "bool"]
