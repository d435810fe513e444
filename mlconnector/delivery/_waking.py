"""Events: each is only a reason to read again what it is about; the poll always runs too (delivery rule 14)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from mlconnector.delivery._inbox import Inbox, InboxMessage
from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._part import report_of
from mlconnector.delivery._report import KindReport, Report
from mlconnector.delivery._sync import Sync
from mlconnector.errors import LeaseLost, MLConnectorError

__all__ = ["Waking"]


_PIECE = 500
"""Events whose documents are read, sent and done with at once; after a flood there are tens of thousands."""


def _keys(message: InboxMessage) -> list[str]:
    return [str(key) for key in message.facts.get("keys", ())]


class Waking:
    """Reads again what the events in an inbox are about.

    Args:
        name: Names the part in its ledger. ``box``: the inbox that webhooks fill.
        syncs: By kind of event: which syncs read documents of that kind.
        ledger: The durable memory.
    """

    kind = "events"

    def __init__(self, name: str, *, box: str, syncs: Mapping[str, tuple[Sync, ...]], ledger: Ledger) -> None:
        self.name = name
        self.box = box
        self.ledger = ledger
        self._syncs = dict(syncs)

    def run(
        self,
        *,
        dry_run: bool = False,
        progress: Any = None,  # noqa: ARG002 - every part of a flow takes it
        stop: Any = None,
        limit: int | None = None,  # noqa: ARG002 - every part of a flow takes it
    ) -> Report:
        """Work on every stored event; some hundred of one kind in one read.

        An event for a sync that never ran yet is left to its first run, which decides what is known (rule B2).

        Args:
            dry_run: Write and send nothing.
            progress: Not called by parts beside the syncs.
            stop: Ends it between two pieces.
            limit: Of documents sent; parts beside the syncs send none.

        Raises:
            MLConnectorError: What stopped the run, with ``.report``.
        """
        report = KindReport(kind=self.kind)
        waiting: dict[str, list[InboxMessage]] = defaultdict(list)
        for message in self.ledger.inbox.messages(self.box, "stored"):
            waiting[message.code].append(message)
            report.note(message.identity, "queued")
        try:
            for kind, messages in () if dry_run else waiting.items():
                self._work(kind, messages, report, stop)
        except MLConnectorError as error:
            error.report = report_of(self.ledger, self.name, report, dry_run=False)
            raise
        return report_of(self.ledger, self.name, report, dry_run=dry_run)

    def _work(self, kind: str, messages: list[InboxMessage], report: KindReport, stop: Any) -> None:
        syncs = [sync for sync in self._syncs.get(kind, ()) if sync.started]
        if len(syncs) < len(self._syncs.get(kind, ())):
            return
        # Those about one document together, so that it is read once; in pieces, so that what was done stays done.
        messages = sorted(messages, key=_keys)
        for start in range(0, len(messages), _PIECE):
            if stop is not None and stop.is_set():
                return
            piece = messages[start : start + _PIECE]
            keys = [key for message in piece for key in _keys(message)]
            try:
                for sync in syncs:
                    if keys:
                        sync.refresh(keys, stop=stop)
            except LeaseLost:
                return
            with self.ledger.store.transaction() as transaction:
                for message in piece:
                    Inbox.close(transaction, message, "applied" if syncs else "noted")
                    report.note(message.identity, "delivered" if syncs else "excluded")

    def __repr__(self) -> str:
        return f"Waking({self.name!r})"
