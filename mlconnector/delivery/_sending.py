"""Sending: intent before any byte, then the call, then its outcome (delivery rules 3 to 5, 7, 9, 10, 15)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import attrs

from mlconnector.delivery._database import Row
from mlconnector.delivery._job import BEGUN, HOLDING, Job
from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._masking import masked
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

__all__ = ["DEAD_IN_A_ROW", "STOPPING", "Answers", "Call", "Ready", "Sender", "action_of", "begun_of"]

STOPPING = (AuthenticationFailed, PermissionDenied)
DEAD_IN_A_ROW = 10
_HELD_BY_OTHER = HOLDING.replace("state", "o.state").replace("detail", "o.detail")
_LARGEST_PAGE = 1000


def action_of(document: Any, *, known: bool) -> Action:
    """Create, change or cancel: a document that says so of itself is cancelled."""
    if not known:
        return "create"
    gone = getattr(document, "status", "") == "cancelled" or getattr(document, "void", False)
    return "cancel" if gone else "change"


def begun_of(ledger: Ledger, head: Row, *, before: int) -> Row | None:
    """The newest revision behind the base, before another one, of which the target has a part (delivery rule 12)."""
    found = ledger.store.read(
        "SELECT * FROM deliveries WHERE sync = ? AND usage = ? AND key = ? AND revision > ? AND revision < ?"  # noqa: S608 - own text
        f" AND {BEGUN} ORDER BY revision DESC LIMIT 1",
        (head["sync"], head["usage"], head["key"], head["base"], before),
    )
    return found[0] if found else None


Ready = list[tuple[Row, Prepared]]
Answers = Sequence[Receipt | MLConnectorError]


@attrs.define
class Call:
    """One call of the target whose intent is on record: rows and members in the same order.

    Args:
        send_by: Monotonic deadline of every send (delivery rule 5).
        acted: A write of it may have acted.
    """

    rows: list[Row]
    members: list[Prepared]
    send_by: float
    acted: bool = False


class Sender:
    """Sends what is queued, the newest revision of each key, oldest key first.

    Attributes:
        sent: Deliveries that were answered.
    """

    def __init__(self, job: Job, outcomes: Outcomes) -> None:
        self._job, self._outcomes = job, outcomes
        self._spans = DocumentSpans(job)
        self.sent = 0
        self._lost_in_a_row = 0

    def ready(self, rows: Sequence[Row]) -> Ready:
        """Those that can be sent; what became of the others is on record."""
        found: Ready = []
        for row in rows:
            with self._spans.preparing(row):
                prepared = self._prepare(row)
            if prepared is None:
                self._spans.end([row])
            else:
                found.append((row, prepared))
        return found

    def queued(self, room: int, newer_than: int, keys: frozenset[str] | None) -> list[Row]:
        """The next deliveries, one a key at most; they count as tried from now on."""
        found: list[Row] = []
        after, page = newer_than, room
        while len(found) < room:
            rows = self._job.ledger.store.read(
                "SELECT d.* FROM deliveries AS d WHERE d.sync = ? AND d.state = 'recorded' AND d.id > ?"  # noqa: S608
                " AND NOT EXISTS (SELECT 1 FROM deliveries AS o WHERE o.sync = d.sync AND o.usage = d.usage"
                f" AND o.key = d.key AND o.id <> d.id AND ({_HELD_BY_OTHER} OR (o.state = 'recorded' AND o.id < d.id)))"
                " ORDER BY d.id LIMIT ?",
                (self._job.sync, after, page),
            )
            if not rows:
                break
            # What was tried and stays queued is read over again each time: mostly nothing, so pages begin small.
            after, page = rows[-1]["id"], min(2 * page, _LARGEST_PAGE)
            found += [row for row in rows if row["id"] not in self._job.tried and (keys is None or row["key"] in keys)]
        self._job.tried |= {row["id"] for row in found[:room]}
        return found[:room]

    def _prepare(self, row: Row) -> Prepared | None:
        job = self._job
        head = self.head(row)
        if self._is_base(row, head) and not row["forced"] and row["done"] == "[]":
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

    def _claimed(self, transaction: Transaction, row: Row, prepared: Prepared) -> bool:
        """Keep the name it will be known by; False where another document got it since this one was made ready."""
        try:
            self._check_claim(row, prepared)
        except InvalidDocument as error:
            self._outcomes.parked(transaction, row, error)
            return False
        if prepared.claim is not None:
            self._job.ledger.crosswalk.claim(transaction, *prepared.claim, row["key"])
        return True

    def _is_base(self, row: Row, head: Row) -> bool:
        """The target has this content, and no part of another one."""
        ledger = self._job.ledger
        same = bool(head["base"]) and ledger.store.seals.same(head["base_content"], row["content"])
        return same and begun_of(ledger, head, before=row["revision"]) is None

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
        begun = begun_of(job.ledger, head, before=row["revision"])
        return Change(
            document=document,
            previous=previous,
            begun=None if begun is None else document_of(begun),
            action=action,
            sequence=sequence,
            revision=row["revision"],
            key=row["key"],
            target_id=head["target_id"] if begun is None else begun["target_id"] or head["target_id"],
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
            if not self._claimed(transaction, row, prepared):
                return False
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
        job, told = self._job, masked(error.message, row["document"])
        with job.ledger.store.transaction(job.lease) as transaction:
            transaction.audit(what, job.sync, row["key"], revision=row["revision"], failed=told)
            job.report.note(row["key"], "queued", told)
            self._lost_in_a_row += 1
        if isinstance(error, STOPPING) or self._lost_in_a_row >= DEAD_IN_A_ROW:
            raise error

    def called(self, call: Call) -> Answers | Exception:
        """What the target answers, or what it raised; it is not asked for nothing."""
        if not call.members:
            return []
        try:
            with self._spans.sending(call.rows), send_window(call.send_by) as window:
                try:
                    return list(self._job.target.deliver(call.members))
                finally:
                    call.acted = window.acted
        except Exception as error:  # noqa: BLE001 - judged, and raised again, with what else was under way
            return error

    def conclude(self, ended: Sequence[tuple[Call, Answers | Exception]]) -> None:
        """Put on record what calls came to, all that were answered in one transaction.

        Raises:
            MLConnectorError: What stops the run; every call is on record before.
        """
        try:
            self._conclude(ended)
        finally:
            for call, found in ended:
                self._spans.end(call.rows, found if isinstance(found, Exception) else None)

    def over(self) -> None:
        """Nothing more is sent in this run."""
        self._spans.end_all()

    def _conclude(self, ended: Sequence[tuple[Call, Answers | Exception]]) -> None:
        job, failed = self._job, list[Exception]()
        answered = [(call, found) for call, found in ended if not isinstance(found, Exception)]
        if answered:
            with job.ledger.store.transaction(job.lease) as transaction:
                for call, answers in answered:
                    self._answered(transaction, call.rows, answers)
        for call, error in ended:
            try:
                if isinstance(error, MLConnectorError):
                    self._raised(call, error)
                elif isinstance(error, Exception):
                    self._broken(call.rows, error)
            except Exception as stopping:  # noqa: BLE001 - the first one is raised, once all calls are on record
                failed.append(stopping)
        if failed:
            raise failed[0]

    def _answered(self, transaction: Transaction, rows: list[Row], answers: Answers) -> None:
        job = self._job
        if len(answers) != len(rows):
            why = f"{job.target.name} gave {len(answers)} answers for {len(rows)} deliveries"
            for row in rows:
                self._outcomes.in_doubt(transaction, row, why)
            return
        self.sent += len(rows)
        self._lost_in_a_row = 0
        for row, answer in zip(rows, answers, strict=True):
            self._outcomes.answered(transaction, row, answer)
            if isinstance(answer, Receipt) and job.report.outcome.get(row["key"]) == "queued":
                job.tried.discard(row["id"])

    def _broken(self, rows: list[Row], error: Exception) -> None:
        """A bug in a target says nothing about what was sent before it: in doubt, and the run ends with it."""
        with self._job.ledger.store.transaction(self._job.lease) as transaction:
            for row in rows:
                self._outcomes.in_doubt(transaction, row, f"{type(error).__name__} while sending")
        raise error

    def intend(self, batches: Sequence[Ready]) -> list[Call]:
        """One transaction for calls, each with all its members, before any byte of them is sent."""
        job = self._job
        with job.ledger.store.transaction(job.lease) as transaction:
            calls = [self._intent(transaction, batch) for batch in batches]
        # As they are now: with attempt, numbers and the settling time of the intent.
        return [attrs.evolve(call, rows=[self._as_recorded(row) for row in call.rows]) for call in calls]

    def _as_recorded(self, row: Row) -> Row:
        return self._job.ledger.store.read("SELECT * FROM deliveries WHERE id = ?", (row["id"],))[0]

    def _intent(self, transaction: Transaction, batch: Ready) -> Call:
        """The intent of one call."""
        job, rows, members = self._job, list[Row](), list[Prepared]()
        now = transaction.now.timestamp()
        left = job.lease.expires - now - job.settings.call_timeout
        send_by = job.ledger.clock.monotonic() + left
        settle_at = now + left + job.settings.call_timeout + job.target.settle_after.total_seconds()
        for row, prepared in batch:
            if not self._claimed(transaction, row, prepared):
                continue
            member = attrs.evolve(self._numbered(transaction, row, prepared), send_by=send_by)
            members.append(member)
            rows.append(row)
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
                # What was in doubt before was settled: this call has a doubt of its own, if any.
                doubtful_since=None,
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
                payload_sha256=transaction.seals.blinded(_sha256(content)),
                **dict(member.describe),
            )
            if member.control is not None and member.counters is not None and not row["payload_form"]:
                self._keep_numbers(transaction, row["id"], member.counters, member.control)
            for text in member.attention:
                job.attend(transaction, row["key"], masked(text, row["document"]))
        return Call(rows, members, send_by)

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

    def _raised(self, call: Call, error: MLConnectorError) -> None:
        job, rows = self._job, call.rows
        refused = isinstance(error, DocumentError) or (getattr(error, "refused", False) and not call.acted)
        with job.ledger.store.transaction(job.lease) as transaction:
            for row in rows:
                # In a batch, members before the refused one may have acted: only a target that says so is believed.
                # So may an earlier write for the same member have, before its next call was refused.
                if error.repeat_safe or (isinstance(error, STOPPING) and len(rows) == 1 and not call.acted):
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

    def check_parked(self) -> None:
        """Stop where one cause parks one document after the other.

        Raises:
            TooManyParked: It does.
        """
        cause, count = self._job.in_a_row
        if count >= self._job.settings.stop_after:
            raise TooManyParked(
                f"{count} documents in a row were parked for {cause!r}.",
                cure="Mend the cause, then replay what is parked; stop_after= sets the number.",
            )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
