"""A ledger that was restored or lost: what it cannot know is unknown until the target says it (delivery rule 13)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping

import attrs

from mlconnector.delivery._high_water import HighWater
from mlconnector.delivery._store import RESERVE, Store, Transaction
from mlconnector.errors import InvalidArgument

__all__ = ["Recovered", "recover", "recovery_of"]


@attrs.frozen
class Recovered:
    """The latest recovery of a ledger, as one sync has to deal with it.

    Args:
        epoch: It began this epoch. ``at``: when.
        read_at: When this sync's complete read after it was done; ``None`` before.
    """

    epoch: int
    at: dt.datetime
    read_at: dt.datetime | None

    @property
    def pending(self) -> bool:
        """Nothing may be sent before one complete read."""
        return self.read_at is None


def recover(store: Store, *, actor: str, reason: str, counters: Mapping[str, int] | None) -> int:
    """Begin a new epoch; returns how many deliveries are unknown now."""
    if not actor.strip() or not reason.strip():
        raise InvalidArgument("actor and reason are needed to recover.", cure="Say who decided, and why (rule B7).")
    for name, number in (counters or {}).items():
        if type(number) is not int or number < 0:
            raise InvalidArgument(f"counters={{{name!r}: {number!r}}} is no number.", cure="Give the last one used.")
    with store.recovery() as (transaction, kept):
        epoch = max(int(store.meta("epoch")), 0 if kept is None else kept.epoch) + 1
        unknown = _forget_certainty(transaction)
        _leave_numbers_behind(transaction, kept, counters or {})
        workers = [row["worker"] for row in transaction.rows("SELECT worker FROM leases ORDER BY sync")]
        transaction.execute("DELETE FROM leases")
        transaction.note("epoch", str(epoch))
        transaction.note("recovered", json.dumps({"epoch": epoch, "at": transaction.at}))
        transaction.audit(
            "recovered",
            epoch=epoch,
            unknown=unknown,
            fenced=workers,
            expected=None if kept is None else {"number": kept.number, "hash": kept.hash},
            by=actor,
            reason=reason,
        )
    return unknown


def _forget_certainty(transaction: Transaction) -> int:
    now = transaction.now.timestamp()
    return transaction.execute(
        "UPDATE deliveries SET state = 'unknown', updated_at = ?, doubtful_since = coalesce(doubtful_since, ?)"
        " WHERE state IN ('recorded', 'sending', 'in doubt')",
        (transaction.at, now),
    ).rowcount


def _leave_numbers_behind(transaction: Transaction, kept: HighWater | None, counters: Mapping[str, int]) -> None:
    ceilings = dict(kept.ceilings) if kept is not None else {}
    if kept is not None and not ceilings:
        # Without its high-water file nothing says how far the numbers went: a gap costs nothing (delivery rule 10).
        rows = transaction.rows("SELECT name, taken FROM counters")
        ceilings = {row["name"]: row["taken"] + RESERVE for row in rows}
    for floors in (ceilings, counters):
        for name, number in floors.items():
            transaction.leave_behind(name, number)


def recovery_of(store: Store, sync: str) -> Recovered | None:
    """The latest recovery, or ``None`` where the ledger never had one."""
    text = store.meta("recovered")
    if not text:
        return None
    recovered = json.loads(text)
    done = json.loads(store.meta(f"reread:{sync}", "{}"))
    read = dt.datetime.fromisoformat(done["at"]) if done.get("epoch") == recovered["epoch"] else None
    return Recovered(recovered["epoch"], dt.datetime.fromisoformat(recovered["at"]), read)
