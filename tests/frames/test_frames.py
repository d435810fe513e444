"""Tables of documents and rows: every column is there, every amount is exact."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector.records import Batch, Window

STAMP = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def order(number: str = "1", amounts: tuple[str, ...] = ("1.10", "2.25"), **fields: Any) -> mc.PurchaseOrder:
    return mc.PurchaseOrder(
        number=number,
        date=dt.date(1999, 12, 31),
        currency="USD",
        supplier=mc.Party(number="4343", address=mc.Address(lines=["Street 1"], city="Town")),
        lines=[
            mc.OrderLine(number=str(index), amount=Decimal(amount), item_ids={"buyer": "X"})
            for index, amount in enumerate(amounts, start=1)
        ],
        provenance=mc.Provenance(system="jdedwards", kind="purchase_orders", key=number, updated_at=STAMP),
        extras={"site": {"code": 7}},
        **fields,
    )


class Reading:
    """A read of what it is given."""

    system = "test"
    overlap = dt.timedelta(0)
    filters: Mapping[str, Any] = {}

    def __init__(self, items: list[Any], kind: str = "purchase_orders", *, resumable: bool = True) -> None:
        self.items, self.kind, self.resumable = items, kind, resumable

    def read(self, _window: Window) -> Iterator[Batch[Any]]:
        yield Batch(documents=self.items, last=True)


def test_a_document_is_a_row_with_its_single_parts_laid_flat() -> None:
    frame = mc.to_pandas([order()])
    assert frame["number"].tolist() == ["1"]
    assert frame["supplier_number"].tolist() == ["4343"]
    assert frame["supplier_address_city"].tolist() == ["Town"]
    assert frame["ship_to_number"].tolist() == [None]
    assert [line["amount"] for line in frame["lines"][0]] == [Decimal("1.10"), Decimal("2.25")]
    assert frame["date"][0] == pd.Timestamp(1999, 12, 31)
    assert frame["provenance_updated_at"][0] == pd.Timestamp(STAMP)
    assert list(frame.columns).index("ready") > list(frame.columns).index("lines")


def test_exploded_lines_are_rows_beside_their_order() -> None:
    frame = mc.to_pandas([order(), order("2", ())], explode="lines")
    assert frame["number"].tolist() == ["1", "1", "2"]
    assert frame["lines_amount"].tolist() == [Decimal("1.10"), Decimal("2.25"), None]
    assert frame["lines_number"].tolist() == ["1", "2", None]
    assert sum(frame["lines_amount"].dropna()) == Decimal("3.35")


def test_amounts_stay_exact_in_every_library() -> None:
    total = Decimal("0.10") + Decimal("0.20")
    documents = [order(total=total)]
    assert mc.to_pandas(documents)["total"][0] == total
    assert mc.to_arrow(documents)["total"].to_pylist() == [total]
    assert pa.types.is_decimal(mc.to_arrow(documents).schema.field("total").type)
    assert mc.to_polars(documents)["total"].to_list() == [total]


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=4), min_size=1, max_size=5))
@settings(max_examples=40)
def test_any_amount_survives_arrow(amounts: list[Decimal]) -> None:
    found = mc.to_arrow([order(str(index), total=amount) for index, amount in enumerate(amounts)])
    assert found["total"].to_pylist() == amounts


def test_an_amount_that_does_not_fit_widens_its_column_or_is_refused_by_name() -> None:
    long = Decimal("1." + "1" * 40)
    assert mc.to_arrow([order(total=long)])["total"].to_pylist() == [long]
    with pytest.raises(mc.InvalidArgument, match=r"total.*38 digits"):
        mc.to_polars([order(total=long)])
    with pytest.raises(mc.InvalidDocument, match="total"):
        mc.to_arrow([order(total=Decimal("1e80"))])
    nested = mc.to_arrow([order("9", (str(long),))])["lines"].to_pylist()
    assert nested[0][0]["amount"] == long
    with pytest.raises(pa.ArrowInvalid, match="total of PurchaseOrder 1"):
        pa.table(mc.Records(Reading([order(total=long)])))


def test_a_read_is_a_frame_even_where_nothing_came() -> None:
    records = mc.Records(Reading([]))
    assert "lines" in records.to_pandas().columns
    assert records.to_arrow().num_rows == 0
    assert records.to_polars(explode="lines").columns[-1].startswith("lines_")
    assert mc.to_pandas([], document=mc.Invoice).columns[0] == "number"
    assert mc.to_pandas([]).shape == (0, 0)


def test_the_arrow_stream_of_a_read_is_fetched_as_it_is_read() -> None:
    documents = [order(str(number)) for number in range(2500)]
    found = pa.table(mc.Records(Reading(documents)))
    assert found.num_rows == 2500
    assert found.column("number").num_chunks == 3
    assert pl.DataFrame(mc.Records(Reading([order()])))["number"].to_list() == ["1"]


def test_rows_are_typed_by_what_came() -> None:
    rows = [
        {"text": "a", "number": 1, "amount": Decimal("1.5"), "odd": 1, "none": None, "big": 2**70, "when": STAMP},
        {"text": None, "number": None, "amount": 2, "odd": "x", "flag": True, "day": dt.date(2026, 1, 1), "list": [1]},
    ]
    records = mc.Records(Reading(rows, "F0411", resumable=False))
    frame = records.to_pandas()
    assert frame["number"].tolist()[0] == 1
    assert frame["amount"].tolist() == [Decimal("1.5"), 2]
    assert str(frame["number"].dtype) == "Int64"
    table = pa.table(records)
    assert table["amount"].to_pylist() == [Decimal("1.5"), Decimal(2)]
    assert table["odd"].to_pylist() == ["1", "x"]
    assert table["none"].type == pa.null()
    assert table["big"].to_pylist() == [Decimal(2**70), None]
    assert table["list"].to_pylist() == [None, "[1]"]
    assert table["when"].type == pa.timestamp("us", "UTC")
    assert mc.to_arrow([{"when": dt.datetime(2026, 1, 1)}])["when"].to_pylist() == ["2026-01-01T00:00:00"]  # noqa: DTZ001 - such a row


@pytest.mark.parametrize(
    ("documents", "options"),
    [
        (order(), {}),
        ({"a": 1}, {}),
        (7, {}),
        (["text"], {}),
        ([order(), mc.Account(number="1")], {}),
        ([order()], {"explode": "number"}),
        ([{"a": 1}], {"explode": "lines"}),
        ([7], {}),
        ([{"a": 1}, order()], {}),
        ([], {"document": "Invoice"}),
    ],
)
def test_what_is_no_table_is_refused(documents: Any, options: dict[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument):
        mc.to_pandas(documents, **options)


@pytest.mark.parametrize("scale", [-1, 37, "2", True])
def test_a_scale_that_is_none_is_refused(scale: Any) -> None:
    with pytest.raises(mc.InvalidArgument, match="scale"):
        mc.to_arrow([order()], scale=scale)


def test_a_missing_library_names_the_extra() -> None:
    code = """
import sys
sys.modules["pandas"] = None
import mlconnector as mc
try:
    mc.to_pandas([])
except mc.MissingExtra as error:
    assert 'mlconnector[pandas]' in str(error), error
"""
    subprocess.run([sys.executable, "-c", code], check=True)
