"""What a person does about a delivery: replay it, or say what became of it (delivery rule 11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from mlconnector.delivery._database import Row
from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._recording import DROPPED
from mlconnector.delivery._rows import FRESH, Delivery, delivery_of
from mlconnector.delivery._store import Lease, Transaction
from mlconnector.errors import InvalidArgument

__all__ = ["Outcome", "replay", "settle"]

Outcome = Literal["arrived", "not_arrived", "accept_theirs", "overwrite", "drop"]

_FITS: dict[str, tuple[str, ...]] = {
    "arrived": ("in doubt",),
    "not_arrived": ("in doubt",),
    "accept_theirs": ("conflict",),
    "overwrite": ("conflict",),
    "drop": ("in doubt", "conflict", "refused"),
}
_NEWEST = (
    "SELECT d.* FROM deliveries AS d JOIN heads AS h ON h.sync = d.sync AND h.usage = d.usage AND h.key = d.key"
    " AND h.latest = d.revision WHERE d.sync = ? AND d.forgotten = ''"
)
_PIECE = 500


def replay(  # noqa: PLR0917 - called by Sync only
    ledger: Ledger,
    sync: str,
    lease: Lease | None,
    state: str,
    keys: Sequence[str] | None,
    cause: str | None,
    actor: str | None,
    reason: str | None,
) -> list[Delivery]:
    """Queue newest revisions again; without a lease only list them.

    Only a newest revision that is closed is taken, and an open older one would have kept it from being sent at all
    (delivery rule 4): nothing is replayed while its key is open.
    """
    if state not in ("parked", "delivered"):
        raise InvalidArgument(f"state={state!r} is not replayed.", cure='Use "parked" or "delivered".')
    if state == "delivered" and not keys:
        raise InvalidArgument("keys=None would send everything again.", cure="Name the keys to send again.")
    condition = (
        " AND d.state = 'parked' AND d.detail = 'refused'" if state == "parked" else " AND d.state = 'delivered'"
    )
    rows = [row for row in _chosen(ledger, sync, condition, keys) if cause is None or row["cause"] == cause]
    if lease is not None:
        with ledger.store.transaction(lease) as transaction:
            for row in rows:
                transaction.move(row["id"], "recorded", **FRESH, forced=int(state == "delivered"))
                transaction.audit(
                    "replay", sync, row["key"], revision=row["revision"], was=state, by=actor, reason=reason
                )
    return [delivery_of(row, ledger.clock.now()) for row in rows]


def _chosen(ledger: Ledger, sync: str, condition: str, keys: Sequence[str] | None) -> Iterator[Row]:
    """Of named keys no others are read: the delivered ones may be a million."""
    if keys is None:
        yield from ledger.store.read(f"{_NEWEST}{condition} ORDER BY d.id", (sync,))
        return
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), _PIECE):
        piece = wanted[start : start + _PIECE]
        marks = ", ".join("?" * len(piece))
        yield from ledger.store.read(f"{_NEWEST}{condition} AND d.key IN ({marks}) ORDER BY d.id", (sync, *piece))


def settle(  # noqa: PLR0917 - called by Sync only
    ledger: Ledger, sync: str, lease: Lease, key: str, outcome: Outcome, actor: str, reason: str
) -> Delivery:
    """Close an open delivery by a person's word."""
    if outcome not in _FITS:
        raise InvalidArgument(f"outcome={outcome!r}.", cure=f"Use one of {', '.join(_FITS)}.")
    if not actor.strip() or not reason.strip():
        raise InvalidArgument("actor and reason are needed to settle.", cure="Say who decided, and why (rule B7).")
    rows = ledger.store.read(
        "SELECT * FROM deliveries WHERE sync = ? AND key = ? AND state IN ('in doubt', 'parked') ORDER BY id DESC",
        (sync, key),
    )
    fitting = [row for row in rows if (row["detail"] or row["state"]) in _FITS[outcome]]
    if not fitting:
        raise InvalidArgument(
            f"{sync} has nothing under {key!r} that can be settled as {outcome!r}.",
            cure=f'"{outcome}" fits what is {" or ".join(_FITS[outcome])}; see ledger.deliveries(key=...).',
        )
    row = fitting[0]
    if (row["detail"] or row["state"]) == "in doubt" and ledger.clock.now().timestamp() < row["settle_at"]:
        raise InvalidArgument(
            f"{key!r} can still arrive until its settling delay is over.", cure="Look again later (delivery rule 6)."
        )
    with ledger.store.transaction(lease) as transaction:
        _apply(transaction, row, outcome)
        transaction.audit("settled", sync, key, revision=row["revision"], outcome=outcome, by=actor, reason=reason)
    return delivery_of(ledger.store.read("SELECT * FROM deliveries WHERE id = ?", (row["id"],))[0], ledger.clock.now())


def _apply(transaction: Transaction, row: Row, outcome: Outcome) -> None:
    head = transaction.rows(
        "SELECT latest FROM heads WHERE sync = ? AND usage = ? AND key = ?", (row["sync"], row["usage"], row["key"])
    )[0]
    if outcome in ("arrived", "accept_theirs"):
        transaction.move(row["id"], "delivered", detail="", faults=[], cause="")
        transaction.execute(
            "UPDATE heads SET base = ?, base_content = ?, sequence = max(sequence, ?)"
            " WHERE sync = ? AND usage = ? AND key = ?",
            (row["revision"], row["content"], row["sequence"], row["sync"], row["usage"], row["key"]),
        )
    elif outcome == "drop":
        transaction.move(row["id"], "superseded", reason=DROPPED)
    elif head["latest"] > row["revision"]:
        transaction.move(row["id"], "superseded")
    else:
        transaction.move(row["id"], "recorded", **FRESH, forced=1)
