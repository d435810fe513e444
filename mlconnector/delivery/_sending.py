"""Sending: intent before any byte, then the call, then its outcome (delivery rules 3 to 5, 7, 9, 10, 15)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import attrs

from mlconnector.delivery._database import Row
from mlconnector.delivery._job import HOLDING, Job
from mlconnector.delivery._outcome import Outcomes
from mlconnector.delivery._payload import counters_text, document_of, frozen, thawed
from mlconnector.delivery._store import Transaction
from mlconnector.delivery._telling import DocumentSpans
from mlconnector.documents import from_json
from mlconnector.errors import (
    AuthenticationFailed,
    DeliveryInDoubt,
    DocumentError,
    InvalidDocument,
    MLConnectorError,
    PermissionDenied,
    TargetChanged,
    TooManyParked,
)
from mlconnector.http import send_window
from mlconnector.target import Action, Change, ControlNumbers, Counters, Prepared, Receipt

__all__ = ["DEAD_IN_A_ROW", "STOPPING", "Sender", "action_of"]

STOPPING = (AuthenticationFailed, PermissionDenied)
DEAD_IN_A_ROW = 10
_HELD_BY_OTHER = HOLDING.replace("state", "o.state").replace("detail", "o.detail")


def action_of(document: Any, *, known: bool) -> Action:
    """Create, change or cancel: a document that says so of itself is cancelled."""
    if not known:
        return "create"
    gone = getattr(document, "status", "") == "cancelled" or getattr(document, "void", False)
    return "cancel" if gone else "change"


class Sender:
    """Sends what is queued, the newest revision of each key, oldest key first."""

    def __init__(self, job: Job, outcomes: Outcomes) -> None:
        self._job, self._outcomes = job, outcomes
        self._spans = DocumentSpans(job)
        self._sent = 0
        self._lost_in_a_row = 0

    def drain(
        self, *, stopped: Callable[[], bool], limit: int | None, newer_than: int = 0, keys: frozenset[str] | None = None
    ) -> None:
        """Send until nothing is queued that was not tried in this run.

        Args:
            stopped: Ends it between two calls. ``limit``: at most so many in this run.
            newer_than: Only deliveries recorded after this one. ``keys``: only those of these keys.

        Raises:
            MLConnectorError: A dead login, a refused permission, a vendor out of reach, or too many parked alike.
        """
        while not stopped() and (limit is None or self._sent < limit):
            room = (
                self._job.target.batch_size if limit is None else min(self._job.target.batch_size, limit - self._sent)
            )
            batch = self._ready(room, newer_than, keys)
            if batch is None:
                return
            if batch:
                with self._spans.sending([row for row, _ in batch]):
                    self._send(batch)
            self._check_parked()

    def _ready(self, room: int, newer_than: int, keys: frozenset[str] | None) -> list[tuple[Row, Prepared]] | None:
        rows = self._queued(room, newer_than, keys)
        if not rows:
            return None
        ready = []
        for row in rows:
            self._job.tried.add(row["id"])
            with self._spans.preparing(row):
                prepared = self._prepare(row)
            if prepared is None:
                self._spans.end(row)
            else:
                ready.append((row, prepared))
        return ready

    def _queued(self, room: int, newer_than: int, keys: frozenset[str] | None) -> list[Row]:
        found: list[Row] = []
        after = newer_than
        while len(found) < room:
            rows = self._job.ledger.store.read(
                "SELECT d.* FROM deliveries AS d WHERE d.sync = ? AND d.state = 'recorded' AND d.id > ?"  # noqa: S608
                " AND NOT EXISTS (SELECT 1 FROM deliveries AS o WHERE o.sync = d.sync AND o.usage = d.usage"
                f" AND o.key = d.key AND o.id <> d.id AND ({_HELD_BY_OTHER} OR (o.state = 'recorded' AND o.id < d.id)))"
                " ORDER BY d.id LIMIT 100",
                (self._job.sync, after),
            )
            if not rows:
                break
            after = rows[-1]["id"]
            found += [row for row in rows if row["id"] not in self._job.tried and (keys is None or row["key"] in keys)]
        return found[:room]

    def _prepare(self, row: Row) -> Prepared | None:
        job = self._job
        head = self.head(row)
        if head["base"] and head["base_content"] == row["content"] and not row["forced"] and row["done"] == "[]":
            with job.ledger.store.transaction(job.lease) as transaction:
                self._outcomes.unchanged(transaction, row)
            return None
        try:
            prepared = self.prepared(row, head)
        except DocumentError as error:
            with job.ledger.store.transaction(job.lease) as transaction:
                self._outcomes.parked(transaction, row, error)
            return None
        except MLConnectorError as error:
            self._not_asked(row, error, "references")
            return None
        if row["attempt"] == 0 and not row["forced"] and row["done"] == "[]" and not self._looked(row, head, prepared):
            return None
        return prepared

    def prepared(self, row: Row, head: Any) -> Prepared:
        """A revision made ready by the target, with its key, attempt and the step to make now.

        Raises:
            DocumentError: It cannot go as it is.
        """
        prepared = self._job.target.prepare(self._change(row, head))
        self._check_claim(row, prepared)
        done = tuple(json.loads(row["done"]))
        left = tuple(step for step in prepared.steps if step not in done)
        return attrs.evolve(
            prepared,
            key=row["key"],
            revision=row["revision"],
            flow=self._job.sync,
            target_id=prepared.target_id if prepared.target_id is not None else head["target_id"],
            attempt=row["attempt"] + 1,
            step=left[0] if left else None,
        )

    def _check_claim(self, row: Row, prepared: Prepared) -> None:
        if prepared.claim is None:
            return
        kind, system, name = prepared.claim
        owner = self._job.ledger.crosswalk.owner(kind, system, name)
        if owner not in (None, row["key"]):
            raise InvalidDocument(
                f"{system} knows {owner!r} by {name!r} already.",
                cause="collision",
                cure="Whoever runs the flow makes the name unique, e.g. with the company in order_number= (rule B13).",
            )

    def head(self, row: Row) -> Row:
        """What is known of the key of a delivery."""
        return self._job.ledger.store.read(
            "SELECT * FROM heads WHERE sync = ? AND usage = ? AND key = ?", (row["sync"], row["usage"], row["key"])
        )[0]

    def _change(self, row: Row, head: Any) -> Change[Any]:
        job, document = self._job, from_json(row["document"])
        action = action_of(document, known=head["base"] > 0)
        previous = None
        if head["base"]:
            kept = job.ledger.store.read(
                "SELECT * FROM deliveries WHERE sync = ? AND usage = ? AND key = ? AND revision = ?",
                (row["sync"], row["usage"], row["key"], head["base"]),
            )
            previous = document_of(kept[0])
        sequence = 0 if action == "create" else row["sequence"] or head["sequence"] + 1
        return Change(
            document=document,
            previous=previous,
            action=action,
            sequence=sequence,
            revision=row["revision"],
            key=row["key"],
            target_id=head["target_id"],
            crosswalk=job.ledger.crosswalk,
        )

    def _looked(self, row: Row, head: Row, prepared: Prepared) -> bool:
        """Look before a first write (delivery rules 7 and 12); False where that settled it."""
        job = self._job
        creating = head["base"] == 0
        asked = getattr(job.target, "look_before_create" if creating else "compare_before_update", True)
        if not asked or job.target.look_up == "none":
            return True
        try:
            receipt = job.target.find(prepared.before_intent())
        except DocumentError as error:
            if job.settings.overwrite and not creating and isinstance(error, TargetChanged):
                return True
            # Nothing was sent, yet only a person can tell what is there: held until then, whatever the class of error.
            detail = "in doubt" if isinstance(error, DeliveryInDoubt) else "conflict"
            with job.ledger.store.transaction(job.lease) as transaction:
                transaction.move(row["id"], row["state"], settle_at=transaction.now.timestamp())
                self._outcomes.parked(transaction, row, error, detail)
            return False
        except MLConnectorError as error:
            self._not_asked(row, error, "look-up")
            return False
        if receipt is None:
            return True
        done = tuple(step for step in prepared.steps if step in receipt.steps)
        with job.ledger.store.transaction(job.lease) as transaction:
            if prepared.claim is not None:
                job.ledger.crosswalk.claim(transaction, *prepared.claim, row["key"])
            if done and done != prepared.steps:
                # It is there and not yet where it should be: only what is left is called (delivery rule 8).
                transaction.move(row["id"], row["state"], steps=list(prepared.steps), target_id=receipt.id)
                self._outcomes.step_done(transaction, row, done)
                job.tried.discard(row["id"])
                return False
            self._outcomes.delivered(transaction, row, attrs.evolve(receipt, existing=True), how="found before sending")
        return False

    def _not_asked(self, row: Row, error: MLConnectorError, what: str) -> None:
        """A question before the first write got no answer: the delivery stays queued (delivery rules 6 and 15).

        Raises:
            MLConnectorError: A dead login, a refused permission, or the tenth failure in a row.
        """
        job = self._job
        with job.ledger.store.transaction(job.lease) as transaction:
            transaction.audit(what, job.sync, row["key"], revision=row["revision"], failed=error.message)
        job.report.note(row["key"], "queued", error.message)
        self._lost_in_a_row += 1
        if isinstance(error, STOPPING) or self._lost_in_a_row >= DEAD_IN_A_ROW:
            raise error

    def _send(self, batch: list[tuple[Row, Prepared]]) -> None:
        rows, members, send_by = self._intent(batch)
        job = self._job
        try:
            with send_window(send_by):
                answers = list(job.target.deliver(members))
        except MLConnectorError as error:
            self._raised(rows, error)
            return
        except Exception as error:
            # A bug in a target says nothing about what was sent before it: in doubt, and the run ends with it.
            with job.ledger.store.transaction(job.lease) as transaction:
                for row in rows:
                    self._outcomes.in_doubt(transaction, row, f"{type(error).__name__} while sending")
            raise
        if len(answers) != len(rows):
            why = f"{job.target.name} gave {len(answers)} answers for {len(rows)} deliveries"
            with job.ledger.store.transaction(job.lease) as transaction:
                for row in rows:
                    self._outcomes.in_doubt(transaction, row, why)
            return
        self._sent += len(rows)
        self._lost_in_a_row = 0
        with job.ledger.store.transaction(job.lease) as transaction:
            for row, answer in zip(rows, answers, strict=True):
                self._outcomes.answered(transaction, row, answer)
                if isinstance(answer, Receipt) and job.report.outcome.get(row["key"]) == "queued":
                    job.tried.discard(row["id"])

    def _intent(self, batch: list[tuple[Row, Prepared]]) -> tuple[list[Row], list[Prepared], float]:
        """One transaction for the whole call, before any byte is sent."""
        job, members = self._job, []
        with job.ledger.store.transaction(job.lease) as transaction:
            now = transaction.now.timestamp()
            left = job.lease.expires - now - job.settings.call_timeout
            send_by = job.ledger.clock.monotonic() + left
            settle_at = now + left + job.settings.call_timeout + job.target.settle_after.total_seconds()
            for row, prepared in batch:
                member = attrs.evolve(self._numbered(transaction, row, prepared), send_by=send_by)
                members.append(member)
                content, form = frozen(member.payload)  # type: ignore[arg-type]  # rendered: no callable any more
                head = self.head(row)
                action = action_of(member.document, known=head["base"] > 0)
                sequence = 0 if action == "create" else row["sequence"] or head["sequence"] + 1
                transaction.move(
                    row["id"],
                    "sending",
                    detail="",
                    faults=[],
                    cause="",
                    action=action,
                    sequence=sequence,
                    attempt=member.attempt,
                    step=member.step,
                    steps=list(member.steps),
                    payload=content,
                    payload_form=form,
                    marker=member.marker,
                    interchange=member.control.interchange if member.control else None,
                    control_group=member.control.group if member.control else None,
                    counters=counters_text(member.counters),
                    target_id=member.target_id,
                    token=job.lease.token,
                    settle_at=settle_at,
                    described=dict(member.describe),
                )
                transaction.execute(
                    "UPDATE heads SET sequence = max(sequence, ?) WHERE sync = ? AND usage = ? AND key = ?",
                    (sequence, row["sync"], row["usage"], row["key"]),
                )
                transaction.audit(
                    "intent",
                    job.sync,
                    row["key"],
                    revision=row["revision"],
                    action=action,
                    attempt=member.attempt,
                    step=member.step,
                    marker=member.marker,
                    numbers=None if member.control is None else [member.control.interchange, member.control.group],
                    payload_sha256=_sha256(content),
                    **dict(member.describe),
                )
                if member.control is not None and member.counters is not None and not row["payload_form"]:
                    self._keep_numbers(transaction, row["id"], member.counters, member.control)
                if member.claim is not None:
                    job.ledger.crosswalk.claim(transaction, *member.claim, row["key"])
                for text in member.attention:
                    job.attend(transaction, row["key"], text)
        rows = [job.ledger.store.read("SELECT * FROM deliveries WHERE id = ?", (row["id"],))[0] for row, _ in batch]
        return rows, members, send_by

    @staticmethod
    def _numbered(transaction: Any, row: Row, prepared: Prepared) -> Prepared:
        """The same bytes and numbers as before for a repeat; else freshly taken numbers (delivery rule 10)."""
        if row["payload_form"]:
            control = None if row["interchange"] is None else ControlNumbers(row["interchange"], row["control_group"])
            payload = thawed(bytes(row["payload"]), row["payload_form"])
            return attrs.evolve(prepared, payload=payload, marker=row["marker"], control=control)
        counters = prepared.counters
        if counters is None:
            return prepared.rendered(None)
        return prepared.rendered(
            ControlNumbers(transaction.take(counters.interchange), transaction.take(counters.group))
        )

    @staticmethod
    def _keep_numbers(transaction: Transaction, delivery: int, counters: Counters, control: ControlNumbers) -> None:
        """A later replay takes new numbers; the answer to these still finds its way back (delivery rule 10)."""
        transaction.execute(
            "INSERT INTO transmissions (delivery, interchange_counter, group_counter, interchange, control_group, at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (delivery, counters.interchange, counters.group, control.interchange, control.group, transaction.at),
        )

    def _raised(self, rows: list[Row], error: MLConnectorError) -> None:
        job = self._job
        refused = getattr(error, "refused", False) or isinstance(error, DocumentError)
        with job.ledger.store.transaction(job.lease) as transaction:
            for row in rows:
                # In a batch, members before the refused one may have acted: only a target that says so is believed.
                if error.repeat_safe or (isinstance(error, STOPPING) and len(rows) == 1):
                    self._outcomes.again(transaction, row, error.message)
                elif refused and len(rows) == 1:
                    self._outcomes.answered(transaction, row, error)
                else:
                    self._outcomes.in_doubt(transaction, row, error.message)
        if isinstance(error, STOPPING) or error.repeat_safe:
            raise error
        self._lost_in_a_row = 0 if refused else self._lost_in_a_row + 1
        if self._lost_in_a_row >= DEAD_IN_A_ROW:
            raise error

    def _check_parked(self) -> None:
        cause, count = self._job.in_a_row
        if count >= self._job.settings.stop_after:
            raise TooManyParked(
                f"{count} documents in a row were parked for {cause!r}.",
                cure="Mend the cause, then replay what is parked; stop_after= sets the number.",
            )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
