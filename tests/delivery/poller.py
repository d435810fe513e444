"""A poller in a process of its own, as docs/jobs.md shows it: ``path high_water target``. SIGTERM ends it in order.

Each of its writes is told on standard output, and goes on with a line on standard input.
"""

from __future__ import annotations

import datetime as dt
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import attrs

import mlconnector as mc
from tests.delivery.worker import FileTarget, sync_of


@attrs.define
class Halting(FileTarget):
    """Says when it is at a write, and goes on when the other end of a pipe does."""

    def deliver(self, batch: Sequence[mc.Prepared]) -> Sequence[mc.Receipt]:
        receipts = super().deliver(batch)
        sys.stdout.write("written\n")
        sys.stdout.flush()
        sys.stdin.readline()
        return receipts


def main(path: str, high_water: str, target: str) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with mc.Ledger(path, actor="poller", high_water=high_water) as ledger:
        sync = sync_of(ledger, Halting(Path(target)), 5)
        flow = mc.Flow("s", [sync], ledger=ledger, systems={"model": "here"})
        flow.poll(dt.timedelta(minutes=10), stop=stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
