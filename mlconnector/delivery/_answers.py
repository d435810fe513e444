"""Answers: what a partner says of a delivery finds its way back to it (delivery rule 10; rules B12, B17).

Uploaded, transmitted and acknowledged are different states: ``Delivery.state`` says what the sink did,
``Delivery.partner_state`` what the partner's own system said.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Any, Literal

import attrs

from mlconnector.delivery._database import Row
from mlconnector.delivery._inbox import Inbox, InboxMessage
from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._part import attend, leased, report_of
from mlconnector.delivery._report import KindReport, Report
from mlconnector.delivery._rows import Attention
from mlconnector.delivery._store import Lease, Transaction
from mlconnector.documents import Document, from_json
from mlconnector.errors import InvalidDocument, LeaseLost

__all__ = ["Acknowledged", "Answering", "Confirmed", "Heard", "Noted"]

log = logging.getLogger("mlconnector.delivery")

Verdict = Literal["transmitted", "accepted", "accepted with errors", "rejected"]
_WORSE: tuple[str, ...] = ("", "transmitted", "accepted", "accepted with errors", "rejected")
"""Of two words on one transmission the worse one counts (X12 reference, section 8)."""
_UNPROVEN = ("sending", "in doubt", "recorded", "parked")
"""States in which nobody knows, or somebody is wrong about it, that the transmission arrived."""


@attrs.frozen(kw_only=True)
class Acknowledged:
    """A translator's word on one transmission (997, 999, TA1).

    Args:
        counter: Name of the counter the number was taken from: of the group, or of the interchange.
        number: The control number it answers.
        verdict: ``"transmitted"`` where only the envelope was taken, and a word on the content is still to come.
        errors: What it found.
    """

    counter: str
    number: int
    verdict: Verdict
    errors: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Confirmed:
    """A partner's word on the business of one document (855, 865, 856).

    Args:
        claim: The name the partner knows the document by, ``(kind, system, name)`` as it was claimed.
        verdict: ``"confirmed"``, ``"rejected"``, or another word for what happened, ``"shipped"``.
        compare: Called with the document as it was last sent; says what differs from it.
        channel: Name of the interchange counter of what was sent to this partner: what the same document became
            elsewhere is not answered. ``usage``: usage indicator of the answer (rule B3).
    """

    claim: tuple[str, str, str]
    verdict: str
    compare: Callable[[Document], Sequence[str]]
    channel: str
    usage: str


@attrs.frozen(kw_only=True)
class Noted:
    """Nothing this library acts on; a person sees it. ``parked``: it should not have come at all."""

    text: str
    parked: bool = False


Heard = Acknowledged | Confirmed | Noted


@attrs.frozen
class _Turn:
    """One run: its own lease, and those of the syncs whose deliveries were answered so far."""

    lease: Lease
    stack: ExitStack
    report: KindReport
    held: dict[str, Lease] = attrs.field(factory=dict)


class Answering:
    """Applies the answers in an inbox to the deliveries they belong to.

    Args:
        name: Names the part in its ledger. ``box``: the inbox.
        hear: Says what a message means; one message may answer several transmissions, and one that a sync of the flow
            posts says nothing. May raise ``InvalidDocument``.
        ledger: The durable memory.
        on_attention: Called with every new attention item.
        lease: How long a worker may be silent before another takes over.
    """

    kind = "answers"

    def __init__(
        self,
        name: str,
        *,
        box: str,
        hear: Callable[[InboxMessage], Iterable[Heard]],
        ledger: Ledger,
        on_attention: Callable[[Attention], None] | None = None,
        lease: dt.timedelta = dt.timedelta(minutes=10),
    ) -> None:
        self.name = name
        self.box = box
        self.ledger = ledger
        self._hear = hear
        self._on_attention = on_attention
        self._lease = lease

    def run(
        self,
        *,
        dry_run: bool = False,
        progress: Any = None,  # noqa: ARG002 - every part of a flow takes it
        stop: Any = None,
        limit: int | None = None,  # noqa: ARG002 - every part of a flow takes it
    ) -> Report:
        """Apply what is stored; a dry run only counts it.

        Args:
            progress: Not called by parts beside the syncs.
            stop: Ends it between two pieces.
            limit: Of documents sent; parts beside the syncs send none.

        Raises:
            LeaseLost: Another worker is at it.
        """
        report = KindReport(kind=self.kind)
        if dry_run:
            for message in self.ledger.inbox.messages(self.box, "stored"):
                report.note(message.identity, "queued")
            return report_of(self.ledger, self.name, report, dry_run=True)
        with leased(self.ledger, self.name, self._lease) as lease, ExitStack() as stack:
            turn = _Turn(lease, stack, report)
            for message in self.ledger.inbox.messages(self.box, "stored"):
                if stop is not None and stop.is_set():
                    break
                self._apply(message, turn)
        return report_of(self.ledger, self.name, report, dry_run=False)

    def _apply(self, message: InboxMessage, turn: _Turn) -> None:
        try:
            heard = list(self._hear(message))
        except InvalidDocument as error:
            heard = [Noted(text=f"{message.code} cannot be understood: {error.message}", parked=True)]
        matched = [(one, self._matching(one)) for one in heard]
        syncs = sorted({row["sync"] for _one, rows in matched for row in rows})
        try:
            for sync in syncs:
                if sync not in turn.held:
                    turn.held[sync] = turn.stack.enter_context(leased(self.ledger, sync, self._lease))
            self._close(message, matched, syncs, turn)
        except LeaseLost:
            # A worker is sending for that flow right now; the message waits for the next run.
            turn.report.note(message.identity, "queued", "another worker is at the flow")

    def _close(
        self,
        message: InboxMessage,
        matched: Sequence[tuple[Heard, Sequence[Row]]],
        syncs: Sequence[str],
        turn: _Turn,
    ) -> None:
        new: list[Attention | None] = []
        state: Any = "applied"
        with self.ledger.store.transaction(turn.lease) as transaction:
            for sync in syncs:
                _still_held(transaction, turn.held[sync])
            reasons = []
            for one, rows in matched:
                if isinstance(one, Noted):
                    state = "parked" if one.parked or state == "parked" else "noted"
                    reasons.append(one.text)
                    new.append(attend(transaction, self.name, self.kind, message.identity, one.text))
                elif not rows:
                    state = "parked"
                    reasons.append(_nothing(one))
                    new.append(attend(transaction, self.name, self.kind, message.identity, _nothing(one)))
                elif isinstance(one, Acknowledged):
                    new += [self._acknowledge(transaction, message, one, row) for row in rows]
                else:
                    new += [self._confirm(transaction, message, one, row) for row in rows]
            Inbox.close(transaction, message, state, "; ".join(reasons))
        turn.report.note(message.identity, "parked" if state == "parked" else "delivered", message.code)
        for item in filter(None, new):
            log.warning("attention: %s %s: %s", item.flow, item.key, item.text, extra={"key": item.key})
            if self._on_attention is not None:
                self._on_attention(item)

    def _matching(self, heard: Heard) -> list[Row]:
        read = self.ledger.store.read
        if isinstance(heard, Acknowledged):
            return read(
                "SELECT d.*, t.interchange AS sent_as, t.id AS transmission FROM transmissions AS t"
                " JOIN deliveries AS d ON d.id = t.delivery WHERE (t.group_counter = ? AND t.control_group = ?)"
                " OR (t.interchange_counter = ? AND t.interchange = ?)",
                (heard.counter, heard.number, heard.counter, heard.number),
            )
        if isinstance(heard, Confirmed):
            key = self.ledger.crosswalk.owner(*heard.claim)
            if key is None:
                return []
            return read(
                "SELECT d.* FROM deliveries AS d WHERE d.key = ? AND d.usage = ? AND d.id = (SELECT max(o.id)"
                " FROM deliveries AS o JOIN transmissions AS t ON t.delivery = o.id WHERE o.sync = d.sync"
                " AND o.usage = d.usage AND o.key = d.key AND t.interchange_counter = ?)",
                (key, heard.usage, heard.channel),
            )
        return []

    def _acknowledge(
        self, transaction: Transaction, message: InboxMessage, heard: Acknowledged, row: Row
    ) -> Attention | None:
        fresh = transaction.rows("SELECT * FROM deliveries WHERE id = ?", (row["id"],))[0]
        newest = transaction.rows("SELECT max(id) AS id FROM transmissions WHERE delivery = ?", (row["id"],))[0]["id"]
        current = fresh["interchange"] == row["sent_as"] and row["transmission"] == newest
        self._keep(transaction, message, fresh, heard.verdict, heard.errors, applied=current)
        if not current:
            return None
        settled_wrongly = fresh["state"] == "superseded"
        if fresh["state"] in _UNPROVEN or (settled_wrongly and _base_of(transaction, fresh) < fresh["revision"]):
            # The partner's translator has it: that is proof of arrival, whatever became of the sink's answer.
            _arrived(transaction, fresh)
            fresh = transaction.rows("SELECT * FROM deliveries WHERE id = ?", (row["id"],))[0]
        worse = max(fresh["partner_state"], heard.verdict, key=_WORSE.index)
        transaction.move(fresh["id"], fresh["state"], partner_state=worse)
        if heard.verdict == "rejected":
            _fall_back(transaction, fresh)
            text = f"The partner rejected it ({message.code}): {'; '.join(heard.errors) or 'no reason given'}."
        elif settled_wrongly:
            text = f"The partner has it ({message.code}), though it was given up as not arrived."
        else:
            return None
        return attend(transaction, row["sync"], row["kind"], row["key"], text)

    def _confirm(self, transaction: Transaction, message: InboxMessage, heard: Confirmed, row: Row) -> Attention | None:
        later = transaction.rows(
            "SELECT 1 FROM answers WHERE sync = ? AND usage = ? AND key = ? AND code = ? AND applied = 1 AND stamp > ?",
            (row["sync"], row["usage"], row["key"], message.code, message.stamp),
        )
        differences = [] if row["forgotten"] else list(heard.compare(from_json(row["document"])))
        self._keep(transaction, message, row, heard.verdict, differences, applied=not later)
        if later or (heard.verdict != "rejected" and not differences):
            return None
        said = "rejected the order" if heard.verdict == "rejected" else "changed the order"
        text = f"The partner {said} ({message.code}): {'; '.join(differences) or 'no reason given'}."
        return attend(transaction, row["sync"], row["kind"], row["key"], text)

    @staticmethod
    def _keep(
        transaction: Transaction,
        message: InboxMessage,
        row: Row,
        verdict: str,
        differences: Sequence[str],
        *,
        applied: bool,
    ) -> None:
        transaction.execute(
            "INSERT INTO answers (message, sync, usage, key, code, verdict, stamp, differences, applied, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(message.id, row["sync"], row["usage"], row["key"], message.code, verdict, message.stamp),
                *(transaction.seals.told("differences", json.dumps(list(differences))), int(applied), transaction.at),
            ),
        )
        transaction.audit(
            "answer",
            row["sync"],
            row["key"],
            code=message.code,
            verdict=verdict,
            revision=row["revision"],
            differences=list(differences),
            identity=message.identity,
            applied=applied,
        )

    def __repr__(self) -> str:
        return f"Answering({self.name!r})"


def _still_held(transaction: Transaction, lease: Lease) -> None:
    """The fence of a sync whose deliveries are moved here (delivery rule 5)."""
    if not transaction.rows("SELECT 1 FROM leases WHERE sync = ? AND token = ?", (lease.sync, lease.token)):
        raise LeaseLost(
            f"Another worker has taken over {lease.sync}.", cure="Nothing to do; the message waits for the next run."
        )


def _nothing(heard: Acknowledged | Confirmed) -> str:
    if isinstance(heard, Acknowledged):
        return f"Nothing was sent under number {heard.number} of {heard.counter}."
    return f"No document was sent to {heard.claim[1]} as {heard.claim[2]!r}."


def _arrived(transaction: Transaction, row: Row) -> None:
    transaction.move(row["id"], "delivered", detail="", faults=[], cause="")
    transaction.execute(
        "UPDATE heads SET base = ?, base_content = ?, sequence = max(sequence, ?)"
        " WHERE sync = ? AND usage = ? AND key = ?",
        (row["revision"], row["content"], row["sequence"], row["sync"], row["usage"], row["key"]),
    )
    transaction.audit("delivered", row["sync"], row["key"], revision=row["revision"], how="acknowledged")


def _base_of(transaction: Transaction, row: Row) -> int:
    identity = (row["sync"], row["usage"], row["key"])
    heads = transaction.rows("SELECT base FROM heads WHERE sync = ? AND usage = ? AND key = ?", identity)
    return int(heads[0]["base"])


def _fall_back(transaction: Transaction, row: Row) -> None:
    """The base of the next change is the last revision that was not rejected; without one it is new (rule B12)."""
    if _base_of(transaction, row) != row["revision"]:
        return
    identity = (row["sync"], row["usage"], row["key"])
    kept = transaction.rows(
        "SELECT revision, content FROM deliveries WHERE sync = ? AND usage = ? AND key = ? AND revision < ?"
        " AND state IN ('delivered', 'baselined') AND partner_state <> 'rejected' ORDER BY revision DESC LIMIT 1",
        (*identity, row["revision"]),
    )
    base = (kept[0]["revision"], kept[0]["content"]) if kept else (0, None)
    transaction.execute(
        "UPDATE heads SET base = ?, base_content = ? WHERE sync = ? AND usage = ? AND key = ?", (*base, *identity)
    )
    transaction.audit("fallen back", row["sync"], row["key"], revision=row["revision"], base=base[0])
