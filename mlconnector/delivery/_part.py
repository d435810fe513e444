"""What a flow is made of besides syncs: parts that collect, and parts that apply what was collected."""

from __future__ import annotations

import datetime as dt
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._report import KindReport, Report
from mlconnector.delivery._rows import Attention, attention_of
from mlconnector.delivery._store import Lease, Transaction

__all__ = ["Part", "attend", "leased", "report_of"]


class Part(Protocol):
    """One piece of work of a flow: a sync, or a part beside the syncs.

    Attributes:
        name: Names it in its ledger. ``kind``: its key in reports.
    """

    name: str
    kind: str

    def run(self, *, dry_run: bool = False, progress: Any = None, stop: Any = None, limit: int | None = None) -> Report:
        """Do the work once.

        Args:
            dry_run: Write and send nothing.
            progress: See :meth:`Sync.run`.
            stop: Ends it between two pieces.
            limit: See :meth:`Sync.run`.
        """
        ...


@contextmanager
def leased(ledger: Ledger, name: str, length: dt.timedelta) -> Iterator[Lease]:
    """The lease of a part or sync while the block runs.

    Raises:
        LeaseLost: Another worker holds it.
    """
    lease = ledger.acquire(name, worker=f"{socket.gethostname()}:{os.getpid()}", length=length)
    try:
        yield lease
    finally:
        ledger.release(lease)


def attend(transaction: Transaction, name: str, kind: str, key: str, text: str) -> Attention | None:
    """Add an attention item, unless the same one is open; returns the new one."""
    items = transaction.rows("SELECT text FROM attention WHERE sync = ? AND key = ? AND closed IS NULL", (name, key))
    if any(item["text"] == text for item in items):
        return None
    added = transaction.rows(
        "INSERT INTO attention (sync, kind, key, text, since) VALUES (?, ?, ?, ?, ?) RETURNING *",
        (name, kind, key, transaction.seals.told("text", text), transaction.at),
    )
    transaction.audit("attention", name, key, text=text)
    return attention_of(added[0], transaction.now)


def report_of(ledger: Ledger, name: str, report: KindReport, *, dry_run: bool) -> Report:
    """The report of one part, with its open attention items."""
    items = tuple(item for item in ledger.attention() if item.flow == name)
    return Report(flow=name, kinds={report.kind: report}, attention=items, dry_run=dry_run)
