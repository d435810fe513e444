"""After a recovery: what the target holds decides what became of each key (delivery rule 13)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import attrs

from mlconnector.delivery._database import Row
from mlconnector.delivery._job import Job, log
from mlconnector.delivery._masking import masked
from mlconnector.delivery._outcome import Outcomes
from mlconnector.delivery._payload import prepared_of
from mlconnector.delivery._recording import BASELINE
from mlconnector.delivery._sending import DEAD_IN_A_ROW, STOPPING, Sender
from mlconnector.errors import DeliveryInDoubt, DocumentError, MLConnectorError, TargetChanged
from mlconnector.target import Prepared, Receipt

__all__ = ["Adopter"]


def _nothing() -> None:
    """For a target without lists."""


class Adopter:
    """Asks the target about every key whose newest revision is unknown.

    A target may have three more members for it. ``newest(prepared)`` answers like ``find``, for the newest entry of the
    key whatever its revision: a target that appends (files) needs it; where one entry a key is updated, ``find`` says
    the same. ``numbers_shown()`` gives the highest control number it shows, by counter. ``list_anew()`` comes before
    the keys of a run are asked about, for a target that reads its lists once for all of them.
    """

    def __init__(self, job: Job, outcomes: Outcomes, sender: Sender) -> None:
        self._job, self._outcomes, self._sender = job, outcomes, sender
        self._lost_in_a_row = 0

    def read_completely(self) -> None:
        """The source was read to its end: from now on deliveries may be sent again, above every number shown."""
        job = self._job
        if job.recovery is None or not job.recovery.pending:
            return
        shown: Mapping[str, int] = getattr(job.target, "numbers_shown", dict)()
        with job.ledger.store.transaction(job.lease) as transaction:
            for counter, number in shown.items():
                transaction.leave_behind(counter, number)
            transaction.note(f"reread:{job.sync}", json.dumps({"epoch": job.recovery.epoch, "at": transaction.at}))
            transaction.audit("read anew", job.sync, epoch=job.recovery.epoch, numbers_shown=dict(shown))
            job.recovery = attrs.evolve(job.recovery, read_at=transaction.now)

    def decide(self) -> None:
        """Settle every key that is unknown, once nothing sent before the recovery can appear any more.

        Raises:
            MLConnectorError: A dead login, a refused permission, or the tenth question in a row without an answer.
        """
        job = self._job
        rows = job.ledger.store.read(
            "SELECT * FROM deliveries WHERE sync = ? AND state = 'unknown' ORDER BY id", (job.sync,)
        )
        newest = {(row["usage"], row["key"]): row for row in rows}
        begun = job.ledger.clock.now().timestamp()
        if newest:
            getattr(job.target, "list_anew", _nothing)()
        for row in newest.values():
            job.report.note(row["key"], "queued", "unknown since the recovery")
            # An answer counts where the question was begun, lists included (delivery rule 6).
            if begun >= self._settled_from(row):
                self._decide(row)

    def _settled_from(self, row: Row) -> float:
        recovery, settings = self._job.recovery, self._job.settings
        assert recovery is not None  # nothing is unknown before a ledger's first recovery
        wait = dt.timedelta(seconds=settings.call_timeout) + self._job.target.settle_after
        return max((recovery.at + wait).timestamp(), row["settle_at"] or 0.0)

    def _decide(self, row: Row) -> None:
        if self._job.target.look_up == "none":
            self._park(row, DeliveryInDoubt("The ledger was recovered, and the target cannot be asked."), "in doubt")
            return
        head = self._sender.head(row)
        try:
            prepared, receipt = self._ask(row, head)
        except TargetChanged as error:
            self._earlier(row, head, error)
        except DocumentError as error:
            self._park(row, error, "in doubt")
        except MLConnectorError as error:
            self._not_asked(row, error)
        else:
            self._lost_in_a_row = 0
            if receipt is None:
                self._absent(row, head)
            else:
                self._found(row, head, prepared, receipt)

    def _ask(self, row: Row, head: Any) -> tuple[Prepared, Receipt | None]:
        target = self._job.target
        if row["payload_form"]:
            prepared = prepared_of(row, self._job.sync)
        else:
            prepared = self._sender.prepared(row, head).before_intent()
        return prepared, getattr(target, "newest", target.find)(prepared)

    def _found(self, row: Row, head: Row, prepared: Prepared, receipt: Receipt) -> None:
        done = tuple(step for step in prepared.steps if step in receipt.steps)
        with self._job.ledger.store.transaction(self._job.lease) as transaction:
            self._overtake(transaction, row)
            if done == prepared.steps:
                # What was told upon the base has taken a change number, though no intent here says so (rule B12).
                sequence = row["sequence"] or (head["sequence"] + 1 if head["base"] else 0)
                told: Any = {**dict(row), "sequence": sequence}
                self._outcomes.delivered(transaction, told, attrs.evolve(receipt, existing=True), how="adopted")
            else:
                # Existence alone is not delivered (delivery rule 8): the steps that are left go out.
                self._outcomes.step_done(transaction, row, done)

    def _earlier(self, row: Row, head: Row, error: TargetChanged) -> None:
        """Other content: an earlier revision of ours is adopted as the base, and the newest goes out."""
        job = self._job
        rows = job.ledger.store.read(
            "SELECT * FROM deliveries WHERE sync = ? AND usage = ? AND key = ? AND revision < ? AND forgotten = ''"
            " ORDER BY revision DESC",
            (job.sync, row["usage"], row["key"], row["revision"]),
        )
        for old in rows:
            try:
                _prepared, receipt = self._ask(old, {**dict(head), "base": 0})
            except DocumentError:
                continue
            except MLConnectorError as failed:
                self._not_asked(row, failed)
                return
            if receipt is not None:
                with job.ledger.store.transaction(job.lease) as transaction:
                    self._overtake(transaction, row)
                    self._outcomes.delivered(transaction, old, attrs.evolve(receipt, existing=True), how="adopted")
                    self._outcomes.again(transaction, row, f"the target has revision {old['revision']}")
                return
        self._park(row, error, "conflict")

    def _absent(self, row: Row, head: Row) -> None:
        job = self._job
        begun = job.ledger.clock.now().timestamp()
        if job.target.look_up != "reliable":
            if begun - row["doubtful_since"] >= job.settings.confirm_within.total_seconds():
                why = "The ledger was recovered; it is not where we can look, which proves nothing here."
                self._park(row, DeliveryInDoubt(why), "in doubt")
            return
        if head["base"] and job.ledger.store.seals.same(head["base_content"], row["content"]):
            self._park(row, TargetChanged("It was delivered, and is no longer at the target."), "conflict")
            return
        with job.ledger.store.transaction(job.lease) as transaction:
            self._overtake(transaction, row)
            if row["reason"] == BASELINE:
                self._baselined(transaction, row)
            elif transaction.rows("SELECT 1 FROM waiting WHERE sync = ? AND key = ?", (job.sync, row["key"])):
                transaction.move(row["id"], "superseded")
                transaction.audit("superseded", job.sync, row["key"], revision=row["revision"], why="it waits now")
                job.report.note(row["key"], "waiting")
            else:
                self._outcomes.again(transaction, row, "looked for after the recovery: absent")

    def _baselined(self, transaction: Any, row: Row) -> None:
        """Nothing tells whether it was there before the first day, or was on its way when the ledger was lost."""
        job = self._job
        transaction.move(row["id"], "baselined")
        transaction.execute(
            "UPDATE heads SET base = ?, base_content = ? WHERE sync = ? AND usage = ? AND key = ?",
            (row["revision"], row["content"], job.sync, row["usage"], row["key"]),
        )
        transaction.audit("baselined", job.sync, row["key"], revision=row["revision"], why="absent after the recovery")
        job.attend(transaction, row["key"], "The ledger was lost, and the target does not have it; it was not sent.")
        job.report.note(row["key"], "baselined")

    def _park(self, row: Row, error: DocumentError, detail: str) -> None:
        with self._job.ledger.store.transaction(self._job.lease) as transaction:
            self._overtake(transaction, row)
            transaction.move(row["id"], row["state"], settle_at=transaction.now.timestamp())
            self._outcomes.parked(transaction, row, error, detail)

    def _overtake(self, transaction: Any, row: Row) -> None:
        """What the newest revision is told of, holds for those before it that are unknown too."""
        older = transaction.rows(
            "SELECT id, revision FROM deliveries WHERE sync = ? AND usage = ? AND key = ? AND state = 'unknown'"
            " AND revision < ?",
            (row["sync"], row["usage"], row["key"], row["revision"]),
        )
        for one in older:
            transaction.move(one["id"], "superseded")
            transaction.audit("superseded", row["sync"], row["key"], revision=one["revision"])

    def _not_asked(self, row: Row, error: MLConnectorError) -> None:
        """A question without an answer changes nothing (delivery rule 6)."""
        job, told = self._job, masked(error.message, row["document"])
        with job.ledger.store.transaction(job.lease) as transaction:
            transaction.audit("look-up", job.sync, row["key"], revision=row["revision"], failed=told)
        log.info("look-up failed: %s %s: %s", job.sync, row["key"], told)
        self._lost_in_a_row += 1
        if isinstance(error, STOPPING) or self._lost_in_a_row >= DEAD_IN_A_ROW:
            raise error
