"""Recording: a page of documents becomes revisions, with its cursor, in one transaction (delivery rules 1 to 3)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from mlconnector.delivery._database import Row
from mlconnector.delivery._job import BEGUN, HOLDING, Excluded, Job
from mlconnector.delivery._rows import FRESH, QUEUED
from mlconnector.delivery._store import Transaction
from mlconnector.documents import Document, to_json
from mlconnector.records import Page, Rejected

__all__ = ["BASELINE", "DROPPED", "Recorder", "category"]

BASELINE = "baseline"
"""Reason of an unknown revision that would have been taken as known from the first day (rule B2)."""

DROPPED = "dropped by a person"
"""Reason of a revision that a person said must not go; only a later revision takes its place."""


def category(row: Row | Mapping[str, Any]) -> str:
    """Where a delivery counts in the report, when nothing was done about it in this run."""
    state = row["state"]
    if state == "in doubt":
        return "in_doubt"
    if state in QUEUED:
        return "queued"
    if state in ("parked", "baselined"):
        return str(state)
    return "unchanged"


class Recorder:
    """Turns what was read into revisions."""

    def __init__(self, job: Job, *, baseline: bool) -> None:
        self._job = job
        self._baseline = baseline

    def record(self, page: Page[Any], *, save_cursor: bool) -> None:
        """One page, one transaction: revisions, waiting keys, rejected rows, and the cursor."""
        job = self._job
        with job.ledger.store.transaction(job.lease) as transaction:
            transaction.audit(
                "poll", job.sync, documents=len(page.documents), rejected=len(page.rejected), last=page.last
            )
            for document in page.documents:
                self._record(transaction, document)
            for rejected in page.rejected:
                self._reject(transaction, rejected)
            if save_cursor and page.cursor is not None:
                cursor = transaction.seals.sealed("cursor", json.dumps(page.cursor))
                transaction.execute(
                    "INSERT INTO cursors VALUES (?, ?) ON CONFLICT (sync) DO UPDATE SET cursor = excluded.cursor",
                    (job.sync, cursor),
                )

    def gone(self, keys: Iterable[str]) -> None:
        """Waiting keys that the source no longer has."""
        job = self._job
        with job.ledger.store.transaction(job.lease) as transaction:
            for key in keys:
                transaction.execute("DELETE FROM waiting WHERE sync = ? AND key = ?", (job.sync, key))
                transaction.audit("gone", job.sync, key)
                known = transaction.rows("SELECT 1 FROM heads WHERE sync = ? AND key = ? AND base > 0", (job.sync, key))
                if known:
                    job.attend(transaction, key, "The partner knows it, the source no longer has it.")

    def _record(self, transaction: Transaction, document: Document) -> None:
        job, key = self._job, document.key
        usage = job.usage(document)
        heads = transaction.rows("SELECT * FROM heads WHERE sync = ? AND usage = ? AND key = ?", (job.sync, usage, key))
        head = heads[0] if heads else None
        reason = self._excluded(transaction, document, head, usage)
        if reason is not None:
            transaction.execute("DELETE FROM waiting WHERE sync = ? AND key = ?", (job.sync, key))
            self._supersede(transaction, usage, key)
            job.report.note(key, "excluded", reason)
            return
        if not document.ready:
            document = self._withdrawn(transaction, document, head, usage)
        if not document.ready:
            self._wait(transaction, document, usage)
            return
        distrusted = self._distrusted(transaction, key)
        transaction.execute("DELETE FROM waiting WHERE sync = ? AND key = ?", (job.sync, key))
        content = transaction.seals.blinded(job.target.content(document))
        if head is not None and transaction.seals.same(head["latest_content"], content):
            latest = transaction.rows(
                "SELECT * FROM deliveries WHERE sync = ? AND usage = ? AND key = ? AND revision = ?",
                (job.sync, usage, key, head["latest"]),
            )[0]
            if latest["state"] == "superseded" and latest["reason"] == DROPPED:
                job.report.note(key, "excluded", DROPPED)
            elif distrusted and latest["state"] in ("delivered", "unchanged", "superseded") and not latest["forgotten"]:
                self._doubt(transaction, latest, key)
            elif latest["state"] == "superseded" and latest["forgotten"]:
                self._add(transaction, document, usage, content, head, distrusted=distrusted)
            elif latest["state"] == "superseded":
                self._again(transaction, latest, key)
            elif job.report.outcome.get(key) != "delivered":
                job.report.note(key, category(latest))
            return
        self._add(transaction, document, usage, content, head, distrusted=distrusted)

    def _distrusted(self, transaction: Transaction, key: str) -> bool:
        """What is known of the key may be overtaken: it could have been sent in the time a recovered ledger lost.

        Once the source was read to its end, that is true only of what has waited since before.
        """
        recovery = self._job.recovery
        if recovery is None or recovery.read_at is None:
            return recovery is not None
        rows = transaction.rows("SELECT since FROM waiting WHERE sync = ? AND key = ?", (self._job.sync, key))
        return bool(rows) and dt.datetime.fromisoformat(rows[0]["since"]) <= recovery.read_at

    def _doubt(self, transaction: Transaction, latest: Row, key: str) -> None:
        transaction.move(latest["id"], "unknown", doubtful_since=transaction.now.timestamp())
        transaction.audit("unknown", self._job.sync, key, revision=latest["revision"], was=latest["state"])
        self._job.report.note(key, "queued", "unknown since the recovery")

    def _excluded(self, transaction: Transaction, document: Document, head: Row | None, usage: str) -> str | None:
        select = self._job.settings.select
        if select is None:
            return None
        known = head is not None and (head["base"] > 0 or self._may_have(transaction, usage, document.key))
        found = select(document, known)
        if not isinstance(found, Excluded):
            return found
        if known and found.attention:
            self._job.attend(transaction, document.key, found.attention)
        return found.reason

    def _withdrawn(self, transaction: Transaction, document: Document, head: Row | None, usage: str) -> Document:
        """What the target has, or may have, and may no longer have: told as taken back, where the flow says so."""
        withdraw = self._job.settings.withdraw
        known = head is not None and (head["base"] > 0 or self._may_have(transaction, usage, document.key))
        taken_back: Document | None = withdraw(document) if withdraw is not None and known else None
        return document if taken_back is None else taken_back

    def _may_have(self, transaction: Transaction, usage: str, key: str) -> bool:
        """The target may know a key that has no base yet: something is open, or steps were done before a refusal."""
        return bool(
            transaction.rows(
                "SELECT 1 FROM deliveries WHERE sync = ? AND usage = ? AND key = ?"  # noqa: S608 - own text
                f" AND ({HOLDING} OR {BEGUN}) LIMIT 1",
                (self._job.sync, usage, key),
            )
        )

    def _wait(self, transaction: Transaction, document: Document, usage: str) -> None:
        job, key = self._job, document.key
        transaction.execute(
            "INSERT INTO waiting VALUES (?, ?, ?, ?) ON CONFLICT (sync, key) DO UPDATE SET reasons = excluded.reasons",
            (job.sync, key, json.dumps(document.waiting_for), transaction.at),
        )
        self._supersede(transaction, usage, key)
        job.report.note(key, "waiting", document.waiting_for[0])

    def _supersede(self, transaction: Transaction, usage: str, key: str, *, by_newer: bool = False) -> None:
        """Revisions of which nothing was sent yet, and refused ones, give way to what comes now.

        Args:
            by_newer: It is a newer revision. Only that takes over one that was refused half-way (:func:`begun_of`): it
                would go out from its first step again, were it to come back by itself.
        """
        rows = transaction.rows(
            "SELECT id, revision FROM deliveries WHERE sync = ? AND usage = ? AND key = ?"
            " AND ((state = 'recorded' AND done = '[]') OR (state = 'parked' AND detail = 'refused'"
            " AND (? OR done = '[]')))",
            (self._job.sync, usage, key, by_newer),
        )
        for row in rows:
            transaction.move(row["id"], "superseded")
            transaction.audit("superseded", self._job.sync, key, revision=row["revision"])

    def _again(self, transaction: Transaction, latest: Row, key: str) -> None:
        """The newest revision had given way to a waiting state that is over, with the same content.

        One that had been refused goes as a replay does: made ready anew, with numbers of its own (delivery rule 10).
        """
        refused = latest["detail"] == "refused"
        transaction.move(latest["id"], "recorded", **(FRESH if refused else {}))
        transaction.audit("recorded", self._job.sync, key, again=True, **({"was": "refused"} if refused else {}))
        self._job.report.note(key, "queued")

    def _add(
        self,
        transaction: Transaction,
        document: Document,
        usage: str,
        content: str,
        head: Row | None,
        *,
        distrusted: bool,
    ) -> None:
        job, key = self._job, document.key
        revision = 1 if head is None else head["latest"] + 1
        base_is_baseline = head is not None and self._is_baseline(transaction, usage, key, head["base"])
        untold = base_is_baseline and job.settings.on_baseline_change == "attention"
        unknown = distrusted and not untold
        quiet = not unknown and (self._baseline or untold)
        state = "unknown" if unknown else "baselined" if quiet else "recorded"
        if not quiet:
            self._supersede(transaction, usage, key, by_newer=True)
        stamp = None if document.provenance is None else document.provenance.updated_at
        text, fingerprint, seals = to_json(document), document.fingerprint, transaction.seals
        transaction.execute(
            "INSERT INTO deliveries (sync, usage, kind, key, revision, content, fingerprint, stamp, document, state,"
            " reason, doubtful_since, recorded_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(job.sync, usage, job.settings.kind, key, revision, content, seals.sealed("fingerprint", fingerprint)),
                *(None if stamp is None else stamp.isoformat(), seals.sealed("document", text), state),
                *(BASELINE if unknown and self._baseline else "", transaction.now.timestamp() if unknown else None),
                *(transaction.at, transaction.at),
            ),
        )
        base = (revision, content) if quiet else (0, None)
        if not quiet and head is not None and not (base_is_baseline and job.settings.on_baseline_change == "create"):
            base = (head["base"], head["base_content"])
        transaction.execute(
            "INSERT INTO heads (sync, usage, key, latest, latest_content, base, base_content)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sync, usage, key) DO UPDATE SET latest = excluded.latest,"
            " latest_content = excluded.latest_content, base = excluded.base, base_content = excluded.base_content",
            (job.sync, usage, key, revision, content, *base),
        )
        transaction.audit(
            state,
            job.sync,
            key,
            revision=revision,
            fingerprint=seals.blinded(fingerprint),
            document_sha256=seals.blinded(hashlib.sha256(text.encode()).hexdigest()),
            stamp=stamp,
        )
        job.report.note(key, "baselined" if quiet else "queued", "unknown since the recovery" if unknown else "")
        if untold and not self._baseline:
            job.attend(transaction, key, "It was there before the first day and has changed; the partner was not told.")

    def _is_baseline(self, transaction: Transaction, usage: str, key: str, revision: int) -> bool:
        rows = transaction.rows(
            "SELECT state FROM deliveries WHERE sync = ? AND usage = ? AND key = ? AND revision = ?",
            (self._job.sync, usage, key, revision),
        )
        return bool(rows) and rows[0]["state"] == "baselined"

    def _reject(self, transaction: Transaction, rejected: Rejected) -> None:
        job = self._job
        text = "It cannot be read: " + "; ".join(rejected.faults)
        transaction.audit("rejected", job.sync, rejected.key, faults=list(rejected.faults))
        job.attend(transaction, rejected.key, text)
        job.report.note(rejected.key, "parked", "cannot be read")
