"""A worker in a process of its own, to be killed.

``python -m tests.delivery.worker LEDGER HIGH_WATER TARGET MODE COUNT``
Its target is a file that every write is appended to; ``MODE`` says at which moment of which call it kills itself.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

import mlconnector as mc
from mlconnector.records import Batch, Window
from mlconnector.target import Counters

STAMP = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)


@attrs.define
class Source:
    count: int
    system: str = "model"
    kind: str = "suppliers"
    filters: dict[str, Any] = attrs.Factory(dict)
    overlap: dt.timedelta = dt.timedelta(hours=1)
    resumable: bool = True

    def read(self, window: Window) -> Iterator[Batch[mc.Supplier]]:
        keys = [f"{number:04}" for number in range(self.count)]
        wanted = [key for key in keys if window.keys is None or key in window.keys]
        origin = {
            key: mc.Provenance(system="model", kind="suppliers", key=key, updated_at=STAMP + dt.timedelta(seconds=1))
            for key in wanted
        }
        documents = [mc.Supplier(number=key, name=f"name {key}", provenance=origin[key]) for key in wanted]
        yield Batch(documents=documents, clock=STAMP, last=True)


@attrs.define
class FileTarget:
    path: Path
    mode: str = ""
    at: int = 0
    calls: int = 0
    slow: float = 0.0
    name: str = "file"
    batch_size: int = 1
    look_up: str = "reliable"
    settle_after: dt.timedelta = dt.timedelta(0)

    def content(self, document: mc.Supplier) -> str:
        return document.fingerprint

    def prepare(self, change: mc.Change[mc.Supplier]) -> mc.Prepared:
        return mc.Prepared(
            change.document,
            lambda numbers: f"{change.key} {numbers.interchange}",
            lambda numbers: f"{change.key} {numbers.interchange}",
            counters=Counters("interchange", "group"),
        )

    def find(self, prepared: mc.Prepared) -> mc.Receipt | None:
        if not self.path.exists():
            return None
        for line in self.path.read_text().splitlines():
            if line.split()[0] == prepared.key and prepared.marker in (None, line):
                return mc.Receipt(system="file", id=prepared.key)
        return None

    def deliver(self, batch: Sequence[mc.Prepared]) -> Sequence[mc.Receipt]:
        self.calls += 1
        if self.mode == "before" and self.calls == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        with self.path.open("a") as file:
            file.writelines(f"{prepared.payload}\n" for prepared in batch)
        if self.mode == "after" and self.calls == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self.slow)
        return [mc.Receipt(system="file", id=prepared.key) for prepared in batch]


def sync_of(ledger: mc.Ledger, target: FileTarget, count: int) -> mc.Sync:
    return mc.Sync(
        "s",
        records=mc.Records(Source(count)),
        target=target,
        ledger=ledger,
        lease=dt.timedelta(seconds=2),
        call_timeout=0.5,
    )


def work(path: str, high_water: str, target: FileTarget, count: int, *, seconds: float = 30.0) -> None:
    """Run until everything is delivered; a lease that another holds, or held when it died, is waited for."""
    until = time.monotonic() + seconds
    with mc.Ledger(path, actor=f"worker {os.getpid()}", high_water=high_water) as ledger:
        while time.monotonic() < until:
            try:
                sync_of(ledger, target, count).run()
            except mc.LeaseLost:
                time.sleep(0.05)
            else:
                if len(ledger.deliveries(state="delivered")) == count:
                    return
                time.sleep(0.05)
    raise SystemExit("not done in time")


if __name__ == "__main__":
    ledger_path, high_water_path, target_path, kill, number = sys.argv[1:]
    moment, _, call = kill.partition(":")
    work(
        ledger_path,
        high_water_path,
        FileTarget(Path(target_path), moment, int(call or 0), slow=0.01 if moment == "slow" else 0.0),
        int(number),
    )
