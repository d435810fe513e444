"""``format("mlconnector")`` on a local Spark, against the simulator."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from mlconnector import spark as mlspark
from mlconnector.testing import JDEdwardsSimulator, orders

LINES = 4000
_SCHEMA = "DOC decimal(18,0), DGJ date, LT string, AA decimal(36,12)"


def _journal(count: int) -> list[dict[str, Any]]:
    day = dt.date(2026, 3, 1)
    return [
        {
            "DCT": "JE", "DOC": number, "KCO": "00001", "DGJ": day + dt.timedelta(days=number % 9), "JELN": 1,
            "LT": "AA", "EXTL": "", "AA": Decimal(number * 7 % 1999 - 1000) / 100, "CRCD": "USD",
        }
        for number in range(1, count + 1)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def erp() -> Iterator[JDEdwardsSimulator]:
    with JDEdwardsSimulator() as simulator:
        simulator.add(_journal(LINES), table="F0911")
        simulator.add(orders(30, lines=2))
        yield simulator


@pytest.fixture(scope="module")
def session(erp: JDEdwardsSimulator) -> Iterator[SparkSession]:
    named = {"KIND": "AISSession", "USERNAME": erp.username, "PASSWORD": erp.password}
    with pytest.MonkeyPatch.context() as environment:
        # Workers take theirs from the virtual machine that Spark starts.
        environment.setenv("PYSPARK_PYTHON", sys.executable)
        for name, value in named.items():
            environment.setenv(f"MLCONNECTOR_ACME_{name}", value)
        builder = SparkSession.builder.master("local[8]").config("spark.ui.enabled", "false")
        builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
        found = builder.getOrCreate()
        found.sparkContext.setLogLevel("OFF")
        mlspark.register(found)
        yield found
        found.stop()


def _reader(session: SparkSession, erp: JDEdwardsSimulator, **options: Any) -> Any:
    reader = session.read.format("mlconnector").option("system", "jdedwards").option("url", erp.url)
    reader = reader.option("credentials", "acme")
    for name, value in options.items():
        reader = reader.option(name, value)
    return reader


@pytest.mark.parametrize(("partitions", "sessions"), [(1, 1), (2, 2), (8, 8), (8, 2)])
def test_sums_are_exact_and_no_more_sessions_are_open_than_allowed(
    session: SparkSession, erp: JDEdwardsSimulator, partitions: int, sessions: int
) -> None:
    erp.forget_calls()
    reader = _reader(session, erp, table="F0911", partition_column="DOC", lower=1, upper=LINES)
    frame = reader.option("partitions", partitions).option("sessions", sessions).schema(_SCHEMA).load()
    (row,) = frame.selectExpr("count(*) n", "count(distinct DOC) d", "sum(AA) s").collect()
    assert (row.n, row.d) == (LINES, LINES)
    assert row.s == sum((line["AA"] for line in _journal(LINES)), Decimal(0))
    logins = [call for call in erp.calls if call.path.endswith("tokenrequest")]
    assert 1 <= len(logins) <= sessions
    assert max(erp.max_open_sessions, erp.max_in_flight_seen) <= sessions
    assert erp.open_sessions == 0


def test_columns_and_comparisons_are_pushed_down(session: SparkSession, erp: JDEdwardsSimulator) -> None:
    erp.forget_calls()
    reader = _reader(session, erp, table="F0911", where='[["LT", "=", "AA"]]')
    frame = reader.schema("DOC decimal(18,0), DGJ date, LT string").load()
    found = frame.filter("DOC <= 20 and DGJ >= date'2026-03-05' and LT = 'AA'").collect()
    assert {row.DOC for row in found} == {line["DOC"] for line in _journal(20) if line["DGJ"] >= dt.date(2026, 3, 5)}
    (call,) = [call for call in erp.calls if call.path.endswith("dataservice")]
    asked = {(one["controlId"], one["operator"]) for one in call.body["query"]["condition"]}
    assert asked == {("F0911.LT", "EQUAL"), ("F0911.DOC", "LESS_EQUAL"), ("F0911.DGJ", "GREATER_EQUAL")}
    assert "F0911.AA" not in call.body["returnControlIDs"]


def test_a_schema_comes_from_the_first_rows_and_secrets_stay_out_of_the_plan(
    session: SparkSession, erp: JDEdwardsSimulator
) -> None:
    frame = _reader(session, erp, table="F0911", columns="DOC,LT,AA").load()
    assert frame.schema.simpleString() == "struct<DOC:decimal(36,12),LT:string,AA:decimal(36,12)>"
    assert frame.count() == LINES
    plan = frame._jdf.queryExecution().toString()
    assert erp.password not in plan
    assert erp.username not in plan


def test_documents_are_read_with_their_lines(session: SparkSession, erp: JDEdwardsSimulator) -> None:
    frame = _reader(session, erp, kind="purchase_orders").load()
    (row,) = frame.selectExpr("count(*) n", "sum(size(lines)) l", "sum(total) t").collect()
    assert (row.n, row.l) == (30, 60)
    with erp.client() as jde:
        assert row.t == sum((order.total or Decimal(0) for order in jde.purchase_orders()), Decimal(0))


def test_a_stream_goes_on_behind_its_cursor(session: SparkSession, erp: JDEdwardsSimulator, tmp_path: Any) -> None:
    seen: list[list[str]] = []

    def run() -> None:
        stream = session.readStream.format("mlconnector").option("system", "jdedwards").option("url", erp.url)
        frame = stream.option("credentials", "acme").option("kind", "purchase_orders").load()
        writer = frame.writeStream.foreachBatch(lambda batch, _number: seen.append([row.key for row in _keys(batch)]))
        query = writer.option("checkpointLocation", str(tmp_path / "checkpoint")).start()
        query.processAllAvailable()
        query.stop()

    def _keys(batch: Any) -> Any:
        return batch.selectExpr("number as key").collect()

    run()
    assert sorted(key for keys in seen for key in keys) == sorted(str(50001 + number) for number in range(30))
    seen.clear()
    erp.add(orders(1, first_number=60001))
    run()
    assert "60001" in {key for keys in seen for key in keys}
    assert len({key for keys in seen for key in keys}) == 1
