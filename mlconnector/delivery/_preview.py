"""A dry run: exactly what would be sent, with the next control numbers, and nothing written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import attrs

from mlconnector.delivery._database import Row
from mlconnector.delivery._job import Excluded, Settings
from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._payload import document_of, frozen
from mlconnector.delivery._recording import DROPPED, category
from mlconnector.delivery._report import KindReport, Preview
from mlconnector.delivery._sending import action_of, begun_of
from mlconnector.documents import Document
from mlconnector.errors import DocumentError
from mlconnector.records import Records
from mlconnector.target import Change, ControlNumbers, Prepared, Target

__all__ = ["Previewer"]


_HELD = ("sending", "in doubt", "unknown", "conflict")


@attrs.frozen
class _Known:
    """What the ledger has of a key.

    Args:
        head: Its row among the heads. ``revisions``: its deliveries, by revision.
    """

    head: Row | None
    revisions: Mapping[int, Row]

    @property
    def base(self) -> int:
        """The revision that the target has; 0 where it has none."""
        return 0 if self.head is None else int(self.head["base"])

    @property
    def latest(self) -> Row | None:
        """The newest revision."""
        return None if self.head is None else self.revisions[self.head["latest"]]

    def has(self, states: Collection[str]) -> bool:
        """A revision is in one of these states; those that are parked by their detail."""
        return any((row["detail"] if row["state"] == "parked" else row["state"]) in states for row in self.all)

    @property
    def may_be_known(self) -> bool:
        """The target has it, or may have: something is open, or steps were done before a refusal."""
        return self.base > 0 or self.has(_HELD) or self.begun

    @property
    def begun(self) -> bool:
        """The target has a part of a revision behind the base, see :func:`begun_of`."""
        closed = [row for row in self.all if row["state"] in ("parked", "superseded") and row["revision"] > self.base]
        return any(row["done"] != "[]" for row in closed)

    @property
    def all(self) -> Collection[Row]:
        """Every revision."""
        return self.revisions.values()

    @property
    def is_baseline(self) -> bool:
        """The target has it from before the first day (rule B2)."""
        base = self.revisions.get(self.base)
        return base is not None and base["state"] == "baselined"


class Previewer:
    """Walks a read as a run would."""

    def __init__(self, ledger: Ledger, target: Target[Any], settings: Settings, report: KindReport) -> None:
        self._ledger, self._target, self._settings, self._report = ledger, target, settings, report
        self._taken: Counter[str] = Counter()

    def run(self, records: Records[Any], *, limit: int | None) -> None:
        """Preview every document that would go; the waiting ones are read again too."""
        settings, store = self._settings, self._ledger.store
        rows = store.read("SELECT key FROM waiting WHERE sync = ?", (settings.sync,))
        keys = [row["key"] for row in rows]
        first_day = settings.begin == "nothing" and not store.meta(f"baselined:{settings.sync}")
        for read, baseline in (*([(records.only(keys), False)] if keys else ()), (records, first_day)):
            for page in read.pages():
                for rejected in page.rejected:
                    self._report.note(rejected.key, "parked", "cannot be read")
                for document in page.documents:
                    if limit is not None and len(self._report.previews) >= limit:
                        return
                    if document.key not in self._report.outcome:
                        self.preview(document, baseline=baseline)

    def preview(self, document: Document, *, again: bool = False, baseline: bool = False) -> None:
        """Preview one document.

        Args:
            again: Although the target has this content.
            baseline: What is new is recorded as known, not sent.
        """
        report, settings, key = self._report, self._settings, document.key
        usage = getattr(self._target, "usage", lambda _document: "")(document)
        known = self._known(usage, key)
        reason = settings.select(document, known.may_be_known) if settings.select is not None else None
        if reason is not None:
            report.note(key, "excluded", reason.reason if isinstance(reason, Excluded) else reason)
            return
        if not document.ready and settings.withdraw is not None and known.may_be_known:
            document = settings.withdraw(document) or document
        if not document.ready:
            report.note(key, "waiting", document.waiting_for[0])
            return
        kept = None if again else self._kept(known, self._target.content(document), baseline=baseline)
        if kept is not None:
            report.note(key, *kept)
            return
        self._show(document, usage, known, again=again)

    def _known(self, usage: str, key: str) -> _Known:
        identity, store = (self._settings.sync, usage, key), self._ledger.store
        heads = store.read("SELECT * FROM heads WHERE sync = ? AND usage = ? AND key = ?", identity)
        rows = store.read(
            "SELECT revision, content, state, detail, done, reason, sequence FROM deliveries"
            " WHERE sync = ? AND usage = ? AND key = ?",
            identity,
        )
        return _Known(heads[0] if heads else None, {row["revision"]: row for row in rows})

    def _kept(self, known: _Known, content: str, *, baseline: bool) -> tuple[str, str] | None:
        """Where a document counts that would not be sent, and why; ``None`` for one that would."""
        same, latest, head = self._ledger.store.seals.same, known.latest, known.head
        is_latest = latest is not None and same(latest["content"], content)
        if latest is not None and is_latest:
            if latest["state"] == "superseded" and latest["reason"] == DROPPED:
                return "excluded", DROPPED
            if latest["state"] not in ("superseded", "recorded"):
                return category(latest), ""
        if not is_latest and (baseline or (known.is_baseline and self._settings.on_baseline_change == "attention")):
            return "baselined", ""
        if head is not None and known.base and same(head["base_content"], content) and not known.begun:
            return "unchanged", ""
        return ("queued", "an earlier revision is open") if known.has(_HELD) else None

    def _show(self, document: Document, usage: str, known: _Known, *, again: bool) -> None:
        report, settings, key, latest = self._report, self._settings, document.key, known.latest
        anew = known.is_baseline and settings.on_baseline_change == "create"
        base = 0 if anew else known.base
        is_latest = latest is not None and (again or self._is(latest, document))
        action = action_of(document, known=base > 0)
        revision = 1 if latest is None else latest["revision"] + (not is_latest)
        begun = None if known.head is None else begun_of(self._ledger, known.head, before=revision)
        target_id = None if known.head is None else known.head["target_id"]
        try:
            change = Change(
                document=document,
                previous=self._revision(usage, key, base) if base else None,
                begun=None if begun is None else document_of(begun),
                action=action,
                sequence=0 if action == "create" else self._sequence(known, again=again),
                revision=revision,
                key=key,
                target_id=target_id if begun is None else begun["target_id"] or target_id,
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

    def _is(self, latest: Row, document: Document) -> bool:
        return self._ledger.store.seals.same(latest["content"], self._target.content(document))

    @staticmethod
    def _sequence(known: _Known, *, again: bool) -> int:
        own = known.latest["sequence"] if again and known.latest is not None else 0
        return int(own or (0 if known.head is None else known.head["sequence"]) + 1)

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
