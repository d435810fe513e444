"""A dry run: exactly what would be sent, with the next control numbers, and nothing written."""

from __future__ import annotations

from collections import Counter
from typing import Any

import attrs

from mlconnector.delivery._job import Excluded, Settings
from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._payload import document_of, frozen
from mlconnector.delivery._report import KindReport, Preview
from mlconnector.delivery._sending import action_of
from mlconnector.documents import Document
from mlconnector.errors import DocumentError
from mlconnector.records import Records
from mlconnector.target import Change, ControlNumbers, Prepared, Target

__all__ = ["Previewer"]


class Previewer:
    """Walks a read as a run would."""

    def __init__(self, ledger: Ledger, target: Target[Any], settings: Settings, report: KindReport) -> None:
        self._ledger, self._target, self._settings, self._report = ledger, target, settings, report
        self._taken: Counter[str] = Counter()

    def run(self, records: Records[Any], *, limit: int | None) -> None:
        """Preview every document that would go; the waiting ones are read again too."""
        rows = self._ledger.store.read("SELECT key FROM waiting WHERE sync = ?", (self._settings.sync,))
        keys = [row["key"] for row in rows]
        reads = [records.only(keys)] if keys else []
        for read in (*reads, records):
            for page in read.pages():
                for rejected in page.rejected:
                    self._report.note(rejected.key, "parked", "cannot be read")
                for document in page.documents:
                    if limit is not None and len(self._report.previews) >= limit:
                        return
                    self.preview(document)

    def preview(self, document: Document, *, again: bool = False) -> None:
        """Preview one document; ``again`` although the target has this content."""
        report, settings, key = self._report, self._settings, document.key
        usage = getattr(self._target, "usage", lambda _document: "")(document)
        heads = self._ledger.store.read(
            "SELECT * FROM heads WHERE sync = ? AND usage = ? AND key = ?", (settings.sync, usage, key)
        )
        base = heads[0]["base"] if heads else 0
        reason = settings.select(document, base > 0) if settings.select is not None else None
        if reason is not None:
            report.note(key, "excluded", reason.reason if isinstance(reason, Excluded) else reason)
            return
        if not document.ready:
            report.note(key, "waiting", document.waiting_for[0])
            return
        same = self._ledger.store.seals.same
        if heads and not again and same(heads[0]["base_content"], self._target.content(document)):
            report.note(key, "unchanged")
            return
        if settings.begin == "nothing" and not heads:
            report.note(key, "baselined")
            return
        action = action_of(document, known=base > 0)
        try:
            change = Change(
                document=document,
                previous=self._revision(usage, key, base) if base else None,
                action=action,
                sequence=0 if action == "create" else heads[0]["sequence"] + 1,
                revision=heads[0]["latest"] + 1 if heads else 1,
                key=key,
                target_id=heads[0]["target_id"] if heads else None,
                crosswalk=self._ledger.crosswalk,
            )
            prepared = attrs.evolve(self._target.prepare(change), key=key, revision=change.revision)
        except DocumentError as error:
            report.note(key, "parked", error.cause or type(error).__name__)
            report.previews.append(Preview(kind=settings.kind, key=key, action=action, faults=error.faults))
            return
        rendered = prepared.rendered(self._next(prepared))
        content, _form = frozen(rendered.payload)  # type: ignore[arg-type]  # rendered: no callable any more
        marker = rendered.marker if isinstance(rendered.marker, str) else None
        report.note(key, "queued")
        report.previews.append(
            Preview(
                kind=settings.kind, key=key, action=action, payload=content.decode("utf-8", "replace"), marker=marker
            )
        )

    def _revision(self, usage: str, key: str, revision: int) -> Document:
        rows = self._ledger.store.read(
            "SELECT * FROM deliveries WHERE sync = ? AND usage = ? AND key = ? AND revision = ?",
            (self._settings.sync, usage, key, revision),
        )
        return document_of(rows[0])

    def _next(self, prepared: Prepared) -> ControlNumbers | None:
        if prepared.counters is None:
            return None
        return ControlNumbers(self._peek(prepared.counters.interchange), self._peek(prepared.counters.group))

    def _peek(self, counter: str) -> int:
        self._taken[counter] += 1
        rows = self._ledger.store.read("SELECT taken FROM counters WHERE name = ?", (counter,))
        return int(rows[0]["taken"] if rows else 0) + self._taken[counter]
