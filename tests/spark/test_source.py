"""The data source as Spark calls it, without Spark around it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyspark import cloudpickle
from pyspark.sql.datasource import EqualTo, GreaterThan, In, IsNotNull
from pyspark.sql.types import StructType

import mlconnector as mc
from mlconnector.spark._source import MLConnectorSource
from mlconnector.testing import JDEdwardsSimulator, orders


@pytest.fixture
def erp(monkeypatch: pytest.MonkeyPatch) -> Iterator[JDEdwardsSimulator]:
    with JDEdwardsSimulator() as simulator:
        for name, value in (("KIND", "AISSession"), ("USERNAME", simulator.username)):
            monkeypatch.setenv(f"MLCONNECTOR_ACME_{name}", value)
        monkeypatch.setenv("MLCONNECTOR_ACME_PASSWORD", simulator.password)
        simulator.add(orders(5, lines=2))
        yield simulator


def _source(erp: JDEdwardsSimulator, **options: str) -> MLConnectorSource:
    given = {"system": "jdedwards", "url": erp.url, "credentials": "acme", **options}
    return MLConnectorSource(given)


def _read(source: MLConnectorSource, schema: StructType | None = None, filters: Any = ()) -> list[dict[str, Any]]:
    reader = source.reader(schema or source.schema())
    assert list(reader.pushFilters(list(filters))) == list(filters)
    batches = [batch for partition in reader.partitions() for batch in reader.read(partition)]
    return pa.Table.from_batches(batches).to_pylist() if batches else []


def test_rows_come_under_the_names_of_the_schema(erp: JDEdwardsSimulator) -> None:
    rows = _read(_source(erp, table="F4311", columns="DOCO, LNID ,AEXP,LNTY"))
    assert len(rows) == 10
    assert set(rows[0]) == {"DOCO", "LNID", "AEXP", "LNTY"}
    assert sum(row["AEXP"] for row in rows) == sum(row["AEXP"] for row in erp.contents["F4311"])
    assert erp.open_sessions == 0


def test_comparisons_with_numbers_and_dates_are_pushed_down_and_left_to_spark_too(erp: JDEdwardsSimulator) -> None:
    filters = [
        GreaterThan(("DOCO",), 50002),
        In(("DOCO",), (50003, Decimal(50004), 50005)),
        GreaterThan(("DRQJ",), dt.date(2000, 1, 1)),
        EqualTo(("LNTY",), "never asked for"),
        EqualTo(("part", "whole"), 5),
        In(("LNTY",), ("a", "b")),
        IsNotNull(("DOCO",)),
    ]
    rows = _read(_source(erp, table="F4311", columns="DOCO,LNTY"), filters=filters)
    assert {int(row["DOCO"]) for row in rows} == {50003, 50004, 50005}


def test_a_table_needs_columns_and_cannot_be_streamed(erp: JDEdwardsSimulator) -> None:
    source = _source(erp, table="F4311")
    assert MLConnectorSource.name() == "mlconnector"
    with pytest.raises(mc.InvalidArgument, match="columns"):
        source.schema()
    with pytest.raises(mc.InvalidArgument, match="streamed"):
        source.simpleStreamReader(StructType())


def test_documents_have_the_schema_of_their_class(erp: JDEdwardsSimulator) -> None:
    source = _source(erp, kind="purchase_orders")
    rows = _read(source, filters=[GreaterThan(("total",), 0)])
    assert [row["number"] for row in rows] == ["50001", "50002", "50003", "50004", "50005"]
    assert all(len(row["lines"]) == 2 for row in rows)
    narrow = StructType([field for field in source.schema().fields if field.name in ("number", "total")])
    assert set(_read(source, narrow)[0]) == {"number", "total"}


def test_nothing_that_goes_to_a_worker_holds_a_secret(erp: JDEdwardsSimulator) -> None:
    source = _source(
        erp, table="F4311", partition_column="DOCO", lower="50001", upper="50006", partitions="2", sessions="2"
    )
    schema = StructType()
    reader = source.reader(schema)
    stream = _source(erp, kind="purchase_orders").simpleStreamReader(schema)
    for part in (source, reader, *reader.partitions(), stream):
        sent = cloudpickle.dumps(part)
        assert erp.password.encode() not in sent
        assert erp.username.encode() not in sent
    assert b"acme" in cloudpickle.dumps(reader)


def test_a_stream_stands_still_until_something_changes_and_repeats_a_batch(erp: JDEdwardsSimulator) -> None:
    source = _source(erp, kind="purchase_orders", since="2000-01-01T00:00:00+00:00", pages_per_batch="1")
    schema = StructType([field for field in source.schema().fields if field.name in ("number", "total")])
    stream = source.simpleStreamReader(schema)
    begin = stream.initialOffset()
    rows, offset = stream.read(begin)
    assert sorted(row[0] for row in rows) == ["50001", "50002", "50003", "50004", "50005"]
    again, offset = stream.read(offset)
    assert list(again) == []
    assert stream.read(offset)[1] == offset
    erp.add(orders(1, first_number=60001))
    changed, later = stream.read(offset)
    assert [row[0] for row in changed] == ["60001"]
    assert "60001" in {row[0] for row in stream.readBetweenOffsets(offset, later)}


def test_a_row_that_cannot_be_read_stops_the_stream_by_name(erp: JDEdwardsSimulator) -> None:
    erp.add({**erp.contents["F4311"][0], "LNTY": "Q"}, table="F4311")
    stream = _source(erp, kind="purchase_orders").simpleStreamReader(StructType())
    with pytest.raises(mc.InvalidDocument, match="50001"):
        stream.read(stream.initialOffset())
