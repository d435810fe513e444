"""What an answer makes of a delivery, in one transaction with the new base and the audit (delivery rules 3 and 4)."""

from __future__ import annotations

import json

from mlconnector.delivery._database import Row
from mlconnector.delivery._job import Job, log
from mlconnector.delivery._masking import masked
from mlconnector.delivery._store import Transaction
from mlconnector.errors import DeliveryInDoubt, DocumentError, MLConnectorError, TargetChanged
from mlconnector.target import Receipt

__all__ = ["Outcomes"]


class Outcomes:
    """Moves deliveries by what the target said, and keeps the report in step."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def delivered(self, transaction: Transaction, row: Row, receipt: Receipt, *, how: str) -> None:
        """It is there: the base is this revision now (delivery rule 3)."""
        job = self._job
        target_id = receipt.id if receipt.id is not None else row["target_id"]
        transaction.move(row["id"], "delivered", detail="", faults=[], cause="", target_id=target_id)
        transaction.execute(
            "UPDATE heads SET base = ?, base_content = ?, target_id = ?, sequence = max(sequence, ?)"
            " WHERE sync = ? AND usage = ? AND key = ?",
            (row["revision"], row["content"], target_id, row["sequence"], job.sync, row["usage"], row["key"]),
        )
        if receipt.raw.get("attention"):
            job.attend(transaction, row["key"], masked(str(receipt.raw["attention"]), row["document"]))
        if job.settings.link is not None and target_id is not None:
            kind, source, target = job.settings.link
            if not job.ledger.crosswalk.keep(transaction, kind, {source: row["key"], target: target_id}):
                job.attend(transaction, row["key"], f"{target} {target_id} is linked to another {kind} already.")
        transaction.audit(
            "delivered",
            job.sync,
            row["key"],
            revision=row["revision"],
            how=how,
            id=target_id,
            existing=receipt.existing,
            pending=receipt.pending,
            said=json.loads(masked(json.dumps(dict(receipt.raw), default=str), row["document"])),
        )
        job.in_a_row = ("", 0)
        job.report.note(row["key"], "delivered")

    def step_done(self, transaction: Transaction, row: Row, done: tuple[str, ...]) -> None:
        """One of several calls is done; the next one has an intent of its own (delivery rule 8)."""
        job = self._job
        transaction.move(row["id"], "recorded", done=list(done), step=None)
        transaction.audit("step done", job.sync, row["key"], revision=row["revision"], done=list(done))
        job.report.note(row["key"], "queued")

    def unchanged(self, transaction: Transaction, row: Row) -> None:
        """The target has this content already."""
        transaction.move(row["id"], "unchanged")
        transaction.audit("unchanged", self._job.sync, row["key"], revision=row["revision"])
        self._job.report.note(row["key"], "unchanged")

    def again(self, transaction: Transaction, row: Row, why: str) -> None:
        """It surely did not act: queued again, with the same bytes and numbers (delivery rule 10)."""
        why = masked(why, row["document"])
        transaction.move(row["id"], "recorded")
        transaction.audit("not acted", self._job.sync, row["key"], revision=row["revision"], why=why)
        self._job.report.note(row["key"], "queued", why)

    def in_doubt(self, transaction: Transaction, row: Row, why: str) -> None:
        """Sent, and no proof whether it acted."""
        since, why = transaction.now.timestamp(), masked(why, row["document"])
        transaction.move(row["id"], "in doubt", faults=[why], doubtful_since=since)
        transaction.audit("in doubt", self._job.sync, row["key"], revision=row["revision"], why=why)
        self._job.report.note(row["key"], "in_doubt", "no answer")

    def parked(self, transaction: Transaction, row: Row, error: MLConnectorError, detail: str = "") -> None:
        """It needs a person; kept whole, with every reason."""
        job = self._job
        detail = detail or ("conflict" if isinstance(error, TargetChanged) else "refused")
        told = error.faults if isinstance(error, DocumentError) else (error.message,)
        faults = [masked(fault, row["document"]) for fault in told]
        cause = getattr(error, "cause", "") or type(error).__name__
        transaction.move(row["id"], "parked", detail=detail, faults=[*faults], cause=cause)
        transaction.audit(
            "parked", job.sync, row["key"], revision=row["revision"], detail=detail, cause=cause, faults=faults
        )
        log.warning("parked (%s): %s %s", detail, job.sync, row["key"], extra={"sync": job.sync, "key": row["key"]})
        job.report.note(row["key"], "parked", cause)
        if cause not in job.settings.uncounted_causes:
            name, count = job.in_a_row
            job.in_a_row = (cause, count + 1 if name == cause else 1)

    def answered(self, transaction: Transaction, row: Row, answer: Receipt | MLConnectorError) -> None:
        """One answer of ``deliver``."""
        if isinstance(answer, Receipt):
            self._receipt(transaction, row, answer)
        elif isinstance(answer, DeliveryInDoubt):
            self.in_doubt(transaction, row, answer.message)
        elif answer.repeat_safe:
            self.again(transaction, row, answer.message)
        else:
            self.parked(transaction, row, answer)

    def _receipt(self, transaction: Transaction, row: Row, receipt: Receipt) -> None:
        steps = tuple(json.loads(row["steps"]))
        done = (*json.loads(row["done"]), row["step"])
        if not steps or set(steps) <= set(done):
            self.delivered(transaction, row, receipt, how="answer")
            return
        target_id = receipt.id if receipt.id is not None else row["target_id"]
        transaction.move(row["id"], row["state"], target_id=target_id)
        self.step_done(transaction, row, tuple(step for step in done if step))
