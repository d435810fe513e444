"""What is kept, for how long, and what is blanked: retention, legal hold and the right to be forgotten (rule B7)."""

from __future__ import annotations

import calendar
import datetime as dt

import attrs

from mlconnector.delivery._store import Store, Transaction
from mlconnector.errors import InvalidArgument, LedgerError

__all__ = ["Hold", "Pruned", "forget", "hold", "holds", "prune", "unhold"]

_CLOSED = "('delivered', 'unchanged', 'superseded', 'baselined')"


@attrs.frozen(kw_only=True)
class Hold:
    """A legal hold: nothing under the key is pruned or forgotten."""

    key: str
    actor: str
    reason: str
    since: dt.datetime


@attrs.frozen(kw_only=True)
class Pruned:
    """How much was removed.

    Args:
        deliveries: Earlier revisions that neither stand at a target nor are the newest.
        messages: What came in and was done with. ``events``: from the beginning of the audit.
    """

    deliveries: int
    messages: int
    events: int


def _named(actor: str, reason: str, what: str) -> None:
    if not actor.strip() or not reason.strip():
        raise InvalidArgument(f"actor and reason are needed to {what}.", cure="Say who decided, and why (rule B7).")


def hold(store: Store, key: str, *, actor: str, reason: str) -> None:
    """Put a key under legal hold; once more changes nothing but the reason."""
    _named(actor, reason, "hold")
    with store.transaction() as transaction:
        transaction.execute(
            "INSERT INTO holds VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET reason = excluded.reason,"
            " actor = excluded.actor",
            (key, reason, actor, transaction.at),
        )
        transaction.audit("held", "", key, by=actor, reason=reason)


def unhold(store: Store, key: str, *, actor: str, reason: str) -> None:
    """End a legal hold."""
    _named(actor, reason, "end a hold")
    with store.transaction() as transaction:
        if not transaction.execute("DELETE FROM holds WHERE key = ?", (key,)).rowcount:
            raise InvalidArgument(f"{key!r} is under no hold.", cure="See ledger.holds().")
        transaction.audit("hold ended", "", key, by=actor, reason=reason)


def holds(store: Store) -> list[Hold]:
    """Every hold, by key."""
    rows = store.read("SELECT * FROM holds ORDER BY key")
    return [
        Hold(key=row["key"], actor=row["actor"], reason=row["reason"], since=dt.datetime.fromisoformat(row["since"]))
        for row in rows
    ]


def _refuse_held(transaction: Transaction, key: str) -> None:
    held = transaction.rows("SELECT * FROM holds WHERE key = ?", (key,))
    if held:
        raise LedgerError(
            f"{key!r} is under legal hold ({held[0]['reason']}).",
            cure=f"{held[0]['actor']}, or who has the right to, ends it with ledger.unhold.",
        )


def forget(store: Store, key: str, *, actor: str, reason: str) -> int:
    """Blank what was read, sent and received under a key; returns how many revisions and messages."""
    _named(actor, reason, "forget")
    with store.transaction() as transaction:
        _refuse_held(transaction, key)
        unfinished = transaction.rows(
            f"SELECT state FROM deliveries WHERE key = ? AND state NOT IN {_CLOSED} AND NOT"  # noqa: S608 - own text
            " (state = 'parked' AND detail = 'refused')",
            (key,),
        )
        if unfinished:
            raise InvalidArgument(
                f"{key!r} is {unfinished[0]['state']} still; its bytes are needed.", cure="Let it end or settle it."
            )
        count = transaction.execute(
            "UPDATE deliveries SET document = '', payload = NULL, faults = '[]', described = '{}', forgotten = ?,"
            " state = CASE WHEN state = 'parked' THEN 'superseded' ELSE state END WHERE key = ? AND forgotten = ''",
            (transaction.at, key),
        ).rowcount
        count += _forget_messages(transaction, key)
        transaction.execute("UPDATE attention SET text = 'forgotten' WHERE key = ?", (key,))
        transaction.execute("UPDATE answers SET differences = '[]' WHERE key = ?", (key,))
        transaction.audit("forgotten", "", key, blanked=count, by=actor, reason=reason)
    return count


def _forget_messages(transaction: Transaction, key: str) -> int:
    """A file goes with its last message that is not forgotten: it holds them all."""
    rows = transaction.rows("SELECT id, file FROM inbox WHERE business_key = ? AND state <> 'stored'", (key,))
    for row in rows:
        transaction.execute("UPDATE inbox SET facts = '{}' WHERE id = ?", (row["id"],))
    for file in sorted({row["file"] for row in rows}):
        others = transaction.rows(
            "SELECT 1 FROM inbox WHERE file = ? AND (business_key <> ? OR state = 'stored') LIMIT 1", (file, key)
        )
        if not others:
            transaction.execute("UPDATE inbox_files SET content = ? WHERE hash = ?", (b"", file))
    return len(rows)


def prune(store: Store, before: dt.date, *, retain_years: int, actor: str, reason: str) -> Pruned:
    """Remove what ended before a day and is needed no more."""
    _named(actor, reason, "prune")
    instant = _instant(before)
    allowed = _years_back(store.clock.now(), retain_years)
    if instant > allowed:
        raise InvalidArgument(
            f"before={before} lies within the {retain_years} years that are retained.",
            cure=f"Give {allowed:%Y-%m-%d} or earlier; Ledger(retain_years=) says how long is kept (rule B7).",
        )
    text = instant.isoformat()
    with store.transaction() as transaction:
        deliveries = transaction.execute(
            f"DELETE FROM deliveries WHERE state IN {_CLOSED} AND updated_at < ?"  # noqa: S608 - own text
            " AND key NOT IN (SELECT key FROM holds) AND NOT EXISTS (SELECT 1 FROM heads AS h"
            " WHERE h.sync = deliveries.sync AND h.usage = deliveries.usage AND h.key = deliveries.key"
            " AND (h.latest = deliveries.revision OR h.base = deliveries.revision))",
            (text,),
        ).rowcount
        transaction.execute("DELETE FROM transmissions WHERE delivery NOT IN (SELECT id FROM deliveries)")
        messages = _prune_messages(transaction, text)
        events = _prune_audit(transaction, text)
        transaction.audit(
            "pruned", before=text, deliveries=deliveries, messages=messages, events=events, by=actor, reason=reason
        )
    store.checkpoint()
    return Pruned(deliveries=deliveries, messages=messages, events=events)


def _prune_messages(transaction: Transaction, before: str) -> int:
    """The row of a message stays, by which its repeat is known; its file goes when nothing in it is needed."""
    return transaction.execute(
        "UPDATE inbox_files SET content = ? WHERE length(content) > 0 AND stored_at < ? AND NOT EXISTS (SELECT 1 FROM"
        " inbox AS i WHERE i.file = inbox_files.hash AND (i.state NOT IN ('applied', 'noted', 'superseded')"
        " OR i.updated_at >= ? OR i.business_key IN (SELECT key FROM holds)))",
        (b"", before, before),
    ).rowcount


def _prune_audit(transaction: Transaction, before: str) -> int:
    """From its beginning to the first event that is newer or held: what is left stays a chain."""
    last = transaction.rows("SELECT max(number) AS number FROM audit")[0]["number"] or 0
    kept = transaction.rows(
        "SELECT min(number) AS number FROM audit WHERE at >= ? OR key IN (SELECT key FROM holds)", (before,)
    )[0]["number"]
    end = last - 1 if kept is None else kept - 1
    rows = transaction.rows("SELECT number, hash FROM audit WHERE number = ?", (end,))
    if not rows:
        return 0
    transaction.note("pruned", str(end))
    transaction.note("pruned hash", rows[0]["hash"])
    return transaction.execute("DELETE FROM audit WHERE number <= ?", (end,)).rowcount


def _instant(before: dt.date) -> dt.datetime:
    if isinstance(before, dt.datetime):
        if before.tzinfo is None:
            raise InvalidArgument(f"before={before!r} has no time zone.", cure="Pass a date or an aware datetime.")
        return before.astimezone(dt.UTC)
    return dt.datetime(before.year, before.month, before.day, tzinfo=dt.UTC)


def _years_back(now: dt.datetime, years: int) -> dt.datetime:
    year = max(now.year - years, 1)
    day = min(now.day, calendar.monthrange(year, now.month)[1])
    return now.replace(year=year, day=day)
