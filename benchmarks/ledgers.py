"""The ledger: what is recorded in a second, beside bare SQLite; look-ups among a million deliveries; bytes on disk."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

import mlconnector as mc
from mlconnector.records import Batch, Window

BATCH = 500
_AT = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


@attrs.frozen
class MadeUp:
    """A reader of made-up suppliers, so that nothing but the ledger takes time."""

    count: int
    system: str = "benchmark"
    kind: str = "suppliers"
    resumable: bool = True
    filters: Mapping[str, object] = MappingProxyType({})
    overlap: dt.timedelta = dt.timedelta(0)

    def read(self, _window: Window) -> Iterator[Batch[mc.Supplier]]:
        for start in range(0, self.count, BATCH):
            numbers = range(start, min(start + BATCH, self.count))
            part = [
                mc.Supplier(
                    number=str(number),
                    name="n",
                    provenance=mc.Provenance(system="benchmark", kind="suppliers", key=str(number), updated_at=_AT),
                )
                for number in numbers
            ]
            yield Batch(documents=part, clock=_AT, position=start, last=numbers[-1] + 1 == self.count)


class Nowhere:
    """A target that is never called, since nothing is sent."""

    name, batch_size, look_up, settle_after = "nowhere", 1, "reliable", dt.timedelta(0)

    def content(self, document: Any) -> str:
        return document.name

    prepare = find = deliver = content


@contextlib.contextmanager
def ledger() -> Iterator[tuple[mc.Ledger, Path]]:
    """A ledger on disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "l.db"
        with mc.Ledger(path, actor="benchmark", high_water=Path(folder) / "hw") as found:
            yield found, path


def recorded(count: int) -> tuple[float, float]:
    """Deliveries recorded in a second, and bytes of each on disk."""
    with ledger() as (found, path):
        sync = mc.Sync("s", records=mc.Records(MadeUp(count)), target=Nowhere(), ledger=found)
        begin = time.perf_counter()
        sync.run(limit=0)
        seconds = time.perf_counter() - begin
        found.close()
        return count / seconds, path.stat().st_size / count


def floor(count: int) -> float:
    """Rows that SQLite alone takes in a second with the same durability, batches and rows of that length."""
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(sqlite3.connect(Path(folder) / "f.db")) as bare:
        bare.execute("PRAGMA journal_mode=WAL")
        bare.execute("PRAGMA synchronous=FULL")
        bare.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, key TEXT UNIQUE, text TEXT)")
        bare.commit()
        begin = time.perf_counter()
        for start in range(0, count, BATCH):
            rows = [(str(number), "x" * 400) for number in range(start, start + BATCH)]
            bare.executemany("INSERT INTO rows (key, text) VALUES (?, ?)", rows)
            bare.commit()
        return count / (time.perf_counter() - begin)


def look_up(few: int, many: int) -> tuple[float, float]:
    """Seconds of a look-up by key among few and among many deliveries."""
    with ledger() as (found, path):
        mc.Sync("s", records=mc.Records(MadeUp(few)), target=Nowhere(), ledger=found).run(limit=0)
        before = _looked_up(found, few)
        _multiply(path, few, many)
        return before, _looked_up(found, few)


def _looked_up(found: mc.Ledger, few: int) -> float:
    times = []
    for number in range(201):
        begin = time.perf_counter()
        (delivery,) = found.deliveries(key=str(number * 7 % few))
        assert found.history(delivery.key)
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])


def _multiply(path: Path, few: int, many: int) -> None:
    """Copies of the recorded deliveries under other keys, put in past the ledger, which would take its time."""
    with contextlib.closing(sqlite3.connect(path)) as bare:
        columns = [row[1] for row in bare.execute("PRAGMA table_info(deliveries)") if row[1] not in ("id", "key")]
        names = ", ".join(columns)
        for copy in range(1, many // few):
            bare.execute(
                f"INSERT INTO deliveries (key, {names}) SELECT key || '-{copy}', {names} FROM deliveries WHERE id <= ?",
                (few,),
            )
        bare.commit()


def report(quick: bool = False) -> list[tuple[str, str]]:
    """Lines of the table."""
    count = 2000 if quick else 10_000
    rates = [recorded(count) for _ in range(3)]
    bare = statistics.median(floor(count) for _ in range(3))
    rate, size = statistics.median(rate for rate, _ in rates), rates[0][1]
    few, many = (500, 5000) if quick else (10_000, 1_000_000)
    before, after = look_up(few, many)
    return [
        ("ledger alone: deliveries a second recorded durably, batches of 500", f"{rate:.0f} (budget 2000)"),
        ("  bare SQLite inserts of rows of 400 bytes, same durability", f"{bare:.0f}"),
        ("  bytes on disk a delivery, small supplier", f"{size:.0f}"),
        (f"  look-up by key with history, {few:,} deliveries", f"{before * 1e6:.0f} us"),
        (f"  look-up by key with history, {many:,} deliveries", f"{after * 1e6:.0f} us"),
    ]
