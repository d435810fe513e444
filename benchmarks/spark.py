"""A million rows of F0911 through Spark, beside the exact sum: ``python benchmarks/spark.py --rows 1000000``.

The simulator is a process of its own and counts sessions; Spark runs locally, with one worker process a partition.
A sum that is not exact, a row too few or twice, or a session too many ends with exit code 1.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

PARTITIONS = (1, 2, 8)
_SCHEMA = "DOC decimal(18,0), DGJ date, LT string, AA decimal(36,12)"
_DAY = dt.date(2026, 3, 1)
_READ = "/dataservice"


def line(number: int) -> dict[str, Any]:
    """A line of the ledger, another one for each number."""
    return {
        "DCT": "JE", "DOC": number, "KCO": "00001", "DGJ": _DAY + dt.timedelta(days=number % 28), "JELN": 1,
        "LT": "AA", "EXTL": "", "AA": Decimal(number * 7919 % 2_000_003 - 1_000_001) / 100, "CRCD": "USD",
    }  # fmt: skip


def total(rows: int) -> Decimal:
    """The sum of all amounts."""
    return sum((line(number)["AA"] for number in range(1, rows + 1)), Decimal(0))


def serve(rows: int) -> None:
    """Serve until standard input ends; each line on it asks what was counted since the one before."""
    from mlconnector.testing import JDEdwardsSimulator

    with JDEdwardsSimulator() as erp:
        erp.add([line(number) for number in range(1, rows + 1)], table="F0911")
        print(json.dumps({"url": erp.url, "username": erp.username, "password": erp.password}), flush=True)
        for _ in sys.stdin:
            calls = sum(call.path.endswith(_READ) for call in erp.calls)
            counted = {"calls": calls, "sessions": erp.max_open_sessions, "left_open": erp.open_sessions}
            counted["in_flight"] = erp.max_in_flight_seen
            erp.forget_calls()
            print(json.dumps(counted), flush=True)


@attrs.frozen
class Ledger:
    """The simulator in its process."""

    process: subprocess.Popen[str]
    url: str

    @classmethod
    @contextlib.contextmanager
    def of(cls, rows: int) -> Iterator[Ledger]:
        """One with so many rows; its login stands in the environment as the credentials ``bench``."""
        command = [sys.executable, __file__, "--serve", "--rows", str(rows)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                told = json.loads(process.stdout.readline())
                for name, value in (("KIND", "AISSession"), ("USERNAME", told["username"])):
                    os.environ[f"MLCONNECTOR_BENCH_{name}"] = value
                os.environ["MLCONNECTOR_BENCH_PASSWORD"] = told["password"]
                yield cls(process, told["url"])
            finally:
                process.stdin.close()
                process.wait()

    def counted(self) -> dict[str, int]:
        """What it counted since it was last asked."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        found: dict[str, int] = json.loads(self.process.stdout.readline())
        return found


@contextlib.contextmanager
def spark() -> Iterator[Any]:
    """A local Spark that knows the format."""
    from pyspark.sql import SparkSession

    from mlconnector import spark as mlspark

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    builder = SparkSession.builder.master(f"local[{max(PARTITIONS)}]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    session = builder.config("spark.driver.memory", "2g").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    try:
        mlspark.register(session)
        yield session
    finally:
        session.stop()


@attrs.frozen(kw_only=True)
class Read:
    """What one read came to.

    Args:
        rows: How many came. ``documents``: different ones among them. ``amount``: their sum.
        calls, sessions, left_open, in_flight: Counted by the simulator: reads, sessions at once at most, sessions open
            afterwards, calls at once at most.
    """

    partitions: int
    sessions_allowed: int
    rows: int
    documents: int
    amount: Decimal
    seconds: float
    calls: int
    sessions: int
    left_open: int
    in_flight: int

    def faults(self, rows: int, amount: Decimal) -> list[str]:
        """What is not as it must be."""
        found = []
        if (self.rows, self.documents) != (rows, rows):
            found.append(f"{self.rows} rows, {self.documents} different ones, of {rows}")
        if self.amount != amount:
            found.append(f"sum {self.amount}, not {amount}")
        if max(self.sessions, self.in_flight) > self.sessions_allowed or self.left_open:
            found.append(f"{self.sessions} sessions, {self.in_flight} calls at once, {self.left_open} left open")
        return found


def read(session: Any, ledger: Ledger, rows: int, partitions: int, sessions: int) -> Read:
    """All rows in so many ranges, on at most so many sessions."""
    reader = session.read.format("mlconnector").option("system", "jdedwards").option("url", ledger.url)
    reader = reader.option("credentials", "bench").option("table", "F0911").schema(_SCHEMA)
    reader = reader.option("partition_column", "DOC").option("lower", 1).option("upper", rows + 1)
    frame = reader.option("partitions", partitions).option("sessions", sessions).load()
    ledger.counted()
    begin = time.perf_counter()
    (found,) = frame.selectExpr("count(*) n", "count(distinct DOC) d", "sum(AA) s").collect()
    seconds = time.perf_counter() - begin
    return Read(
        partitions=partitions,
        sessions_allowed=sessions,
        rows=found.n,
        documents=found.d,
        amount=found.s,
        seconds=seconds,
        **ledger.counted(),
    )


def main() -> int:
    """Print a line a read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.rows)
        return 0
    amount, failed = total(asked.rows), False
    with Ledger.of(asked.rows) as ledger, spark() as session:
        read(session, ledger, asked.rows, max(PARTITIONS), 1)
        for partitions, sessions in [*((count, count) for count in PARTITIONS), (max(PARTITIONS), 2)]:
            found = read(session, ledger, asked.rows, partitions, sessions)
            faults = found.faults(asked.rows, amount)
            failed = failed or bool(faults)
            told = f"{partitions} partitions, {sessions} sessions allowed: {found.rows:,} rows, sum {found.amount},"
            told += f" {found.calls} calls, {found.sessions} sessions at once, {found.seconds:.0f} s"
            print(told, "; ".join(faults) or "exact", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
