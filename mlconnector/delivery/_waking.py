"""Events: each is only a reason to read again what it is about; the poll always runs too (delivery rule 14)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlconnector.delivery._inbox import Inbox
from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._part import report_of
from mlconnector.delivery._report import KindReport, Report
from mlconnector.delivery._sync import Sync
from mlconnector.errors import LeaseLost, MLConnectorError

__all__ = ["Waking"]


_PIECE = 500
"""Events whose documents are read, sent and done with at once; after a flood there are tens of thousands."""


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
        newest: dict[str, int] = {}
        for number, identity, code in self.ledger.inbox.stored(self.box):
            newest[code] = number
            report.note(identity, "queued")
        try:
            for code, upto in () if dry_run else newest.items():
                self._work(code, upto, report, stop)
        except MLConnectorError as error:
            error.report = report_of(self.ledger, self.name, report, dry_run=False)
            raise
        return report_of(self.ledger, self.name, report, dry_run=dry_run)

    def _work(self, code: str, upto: int, report: KindReport, stop: Any) -> None:
        syncs = [sync for sync in self._syncs.get(code, ()) if sync.started]
        if len(syncs) < len(self._syncs.get(code, ())):
            return
        # In pieces, so that what was done stays done.
        while not (stop is not None and stop.is_set()):
            piece = self.ledger.inbox.next_stored(self.box, code, upto=upto, most=_PIECE)
            keys = [str(key) for message in piece for key in message.facts.get("keys", ())]
            try:
                for sync in syncs if keys else ():
                    sync.refresh(keys, stop=stop)
            except LeaseLost:
                return
            with self.ledger.store.transaction() as transaction:
                for message in piece:
                    Inbox.close(transaction, message, "applied" if syncs else "noted")
                    report.note(message.identity, "delivered" if syncs else "excluded")
            if len(piece) < _PIECE:
                return

    def __repr__(self) -> str:
        return f"Waking({self.name!r})"
