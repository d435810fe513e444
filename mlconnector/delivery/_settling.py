"""Settling: what is in doubt is looked for, never guessed (delivery rules 6 and 8)."""

from __future__ import annotations

import json

from mlconnector.delivery._database import Row
from mlconnector.delivery._job import Job, log
from mlconnector.delivery._masking import masked
from mlconnector.delivery._outcome import Outcomes
from mlconnector.delivery._payload import prepared_of
from mlconnector.delivery._telling import watched_document
from mlconnector.errors import DeliveryInDoubt, MLConnectorError, TargetChanged
from mlconnector.target import Receipt

__all__ = ["Settler"]


class Settler:
    """Looks for deliveries whose outcome is unknown."""

    def __init__(self, job: Job, outcomes: Outcomes) -> None:
        self._job, self._outcomes = job, outcomes

    def adopt(self) -> None:
        """What another worker, now without its lease, was sending is in doubt (delivery rule 5)."""
        job = self._job
        with job.ledger.store.transaction(job.lease) as transaction:
            rows = transaction.rows(
                "SELECT * FROM deliveries WHERE sync = ? AND state = 'sending' AND token <> ?",
                (job.sync, job.lease.token),
            )
            for row in rows:
                self._outcomes.in_doubt(transaction, row, "the worker that sent it has ended without an answer")

    def settle(self, *, of_this_run: bool = False) -> None:
        """Look for what is in doubt, oldest first; an error of one look-up changes nothing.

        Args:
            of_this_run: Only what this run itself has sent; the rest was looked for at its begin.
        """
        job = self._job
        rows = job.ledger.store.read(
            "SELECT * FROM deliveries WHERE sync = ? AND state = 'in doubt' ORDER BY id", (job.sync,)
        )
        for row in rows:
            if not of_this_run or row["token"] == job.lease.token:
                with watched_document(job, row):
                    self._settle(row)

    def _settle(self, row: Row) -> None:
        job, begun = self._job, self._job.ledger.clock.now().timestamp()
        job.report.note(row["key"], "in_doubt")
        if job.target.look_up == "none":
            self._give_up(row, "the target cannot be asked")
            return
        try:
            found = job.target.find(prepared_of(row, job.sync))
        except TargetChanged as error:
            with job.ledger.store.transaction(job.lease) as transaction:
                self._outcomes.parked(transaction, row, error, "conflict")
            return
        except DeliveryInDoubt as error:
            self._cannot_tell(row, begun, error.message)
            return
        except MLConnectorError as error:
            told = masked(error.message, row["document"])
            with job.ledger.store.transaction(job.lease) as transaction:
                transaction.audit("look-up", job.sync, row["key"], revision=row["revision"], failed=told)
            log.info("look-up failed: %s %s: %s", job.sync, row["key"], told)
            return
        if found is None:
            self._absent(row, begun)
        elif found.by == "marker" or begun >= row["settle_at"]:
            self._found(row, found, begun)

    def _found(self, row: Row, receipt: Receipt, begun: float) -> None:
        steps = tuple(json.loads(row["steps"]))
        with self._job.ledger.store.transaction(self._job.lease) as transaction:
            if not steps or set(steps) <= set(receipt.steps):
                self._outcomes.delivered(transaction, row, receipt, how=f"found by {receipt.by}")
                return
            if row["step"] in receipt.steps:
                self._outcomes.step_done(transaction, row, tuple(step for step in steps if step in receipt.steps))
                return
        # It exists, but the step in doubt has not acted: existence alone is not delivered (delivery rule 8).
        self._absent(row, begun)

    def _absent(self, row: Row, begun: float) -> None:
        job = self._job
        if job.target.look_up != "reliable":
            self._cannot_tell(row, begun, "it is not where we can look, which proves nothing here")
        elif begun >= row["settle_at"]:
            with job.ledger.store.transaction(job.lease) as transaction:
                transaction.audit("look-up", job.sync, row["key"], revision=row["revision"], found="absent, settled")
                self._outcomes.again(transaction, row, "looked for after the settling delay: absent")

    def _cannot_tell(self, row: Row, begun: float, why: str) -> None:
        if begun - row["doubtful_since"] >= self._job.settings.confirm_within.total_seconds():
            self._give_up(row, why)

    def _give_up(self, row: Row, why: str) -> None:
        error = DeliveryInDoubt(
            f"It was sent and never confirmed: {why}.",
            cure="Look in the target, then settle it as arrived or not arrived.",
        )
        with self._job.ledger.store.transaction(self._job.lease) as transaction:
            self._outcomes.parked(transaction, row, error, "in doubt")
