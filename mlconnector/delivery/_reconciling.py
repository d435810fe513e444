"""Recounting the source against the ledger, and the ledger against the target (rules B10, B81); reads only."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.delivery._amounts import amount_of, company_of, currency_of, day_of, is_void, party_of
from mlconnector.delivery._database import Row
from mlconnector.delivery._job import Excluded
from mlconnector.delivery._reconciliation import Balance, Finding, PaymentDay
from mlconnector.delivery._recording import DROPPED, category
from mlconnector.delivery._sync import Sync
from mlconnector.documents import Document, Invoice, Payment, from_json
from mlconnector.errors import InvalidArgument
from mlconnector.records import Records, Rejected

__all__ = ["Period", "Recount", "Recounting"]

_ZERO = Decimal(0)
_PAGE = 200
_OPEN = {"waiting": "waiting", "parked": "parked", "in_doubt": "in doubt", "queued": "queued", "unknown": "unknown"}
"""Categories whose every document is named."""


def _instant(value: dt.date | dt.datetime, name: str, *, end: bool) -> dt.datetime:
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise InvalidArgument(f"{name}={value!r} has no time zone.", cure="Pass a date, or an aware datetime.")
        return value
    if not isinstance(value, dt.date):
        raise InvalidArgument(f"{name}={value!r} is no day.", cure="Pass a date, or an aware datetime.")
    return dt.datetime.combine(value + dt.timedelta(days=end), dt.time(), dt.UTC)


@attrs.frozen(kw_only=True)
class Period:
    """Days, both included, and the instants where they begin and end."""

    begin: dt.datetime
    end: dt.datetime

    @classmethod
    def of(cls, since: dt.date | dt.datetime, until: dt.date | dt.datetime) -> Period:
        """A date for ``until`` is included whole; an instant is not, so that midnight ends the day before it.

        Args:
            since: First day, or an aware instant.

        Raises:
            InvalidArgument: A naive datetime, or an end that is not after the begin.
        """
        begin, end = _instant(since, "since", end=False), _instant(until, "until", end=True)
        if begin >= end:
            raise InvalidArgument(f"since={since!r} is not before until={until!r}.", cure="Turn them round.")
        return cls(begin=begin, end=end)

    @property
    def first(self) -> dt.date:
        """Its first day."""
        return self.begin.date()

    @property
    def last(self) -> dt.date:
        """Its last day."""
        return (self.end - dt.timedelta(microseconds=1)).date()

    def has(self, document: Document) -> bool:
        """The document's business day lies in it; its stamp, where it has no such day."""
        day = day_of(document)
        if day is not None:
            return self.first <= day <= self.last
        stamp = None if document.provenance is None else document.provenance.updated_at
        return stamp is not None and self.begin <= stamp < self.end


@attrs.frozen(kw_only=True)
class Recount:
    """How a kind is recounted.

    Args:
        read: Reads the source's documents of a period by business day. By default the sync's own read, which asks by
            stamp from the period's begin and so does not see what was last touched before it.
        there: The target's documents of these ids, as they are now, where it can be asked for many at once.
        amount, sent_amount, there_amount: What a document is worth here, as delivered and there, where that is not its
            whole amount.
        party_there: The target's id of a supplier; ``None`` where it is not known.
        account: The bank account of a payment.
    """

    read: Callable[[Period], Records[Any]] | None = None
    there: Callable[[Sequence[str]], Iterable[Document]] | None = None
    amount: Callable[[Any], Decimal | None] = amount_of
    sent_amount: Callable[[Any], Decimal | None] = amount_of
    there_amount: Callable[[Any], Decimal | None] = amount_of
    party_there: Callable[[str], str | None] | None = None
    account: Callable[[Payment], str] = lambda payment: str(payment.extras.get("bank_account", ""))


@attrs.frozen
class _Known:
    """What the ledger has of a key: its newest revision, and the one that the target has."""

    newest: Row
    base: Row | None
    target_id: str
    late: bool

    @property
    def sent(self) -> Document | None:
        """The revision that the target has."""
        return None if self.base is None else from_json(self.base["document"])


@attrs.frozen
class _Pair:
    """A document of the source that was delivered, with what was delivered."""

    document: Document
    sent: Document
    known: _Known
    balance: Balance


class Recounting:
    """One kind of a flow, in one period.

    Args:
        sync: What delivers it. ``recount``: how it is recounted. ``period``: which days.
        owners: Who looks at what, by sync and key.
    """

    def __init__(self, sync: Sync, recount: Recount, period: Period, owners: Mapping[tuple[str, str], str]) -> None:
        self._sync, self._recount, self._period, self._owners = sync, recount, period, owners
        self._store = sync.ledger.store
        self._now = sync.ledger.clock.now()
        self._balances: dict[tuple[str, str], Balance] = {}
        self._days: dict[tuple[str, dt.date | None, str], PaymentDay] = {}
        self._seen: set[str] = set()
        self.findings: list[Finding] = []

    @property
    def balances(self) -> list[Balance]:
        """By company and currency."""
        return [self._balances[place] for place in sorted(self._balances)]

    @property
    def payments(self) -> list[PaymentDay]:
        """By account, day and currency."""
        return [self._days[place] for place in sorted(self._days, key=str)]

    def run(self) -> None:
        """Read the source's period, then what was delivered of it and did not come."""
        read = self._recount.read
        records = self._sync.records.starting(self._period.begin) if read is None else read(self._period)
        self._count_pages(records)
        unseen = self._unseen()
        for start in range(0, len(unseen), _PAGE):
            keys = unseen[start : start + _PAGE]
            self._count_pages(self._sync.records.only(keys), again=True)
            for key in keys:
                if key not in self._seen:
                    self._gone(key)

    def _count_pages(self, records: Records[Any], *, again: bool = False) -> None:
        for page in records.pages():
            documents = [one for one in page.documents if one.key not in self._seen]
            inside = [one for one in documents if self._period.has(one)]
            self._seen.update(one.key for one in (documents if again else inside))
            for document in documents if again else ():
                if document not in inside:
                    self._moved(document)
            self._count(inside)
            for rejected in page.rejected:
                self._unreadable(rejected)

    def _count(self, documents: Sequence[Document]) -> None:
        known = self._known([document.key for document in documents])
        pairs = []
        for document in documents:
            balance, found = self._balance(document), known.get((self._usage(document), document.key))
            where, why = self._category(document, found)
            amount = self._recount.amount(document) or _ZERO
            balance.read += 1
            balance.amount += amount
            balance.count[where] = balance.count.get(where, 0) + 1
            balance.total[where] = balance.total.get(where, _ZERO) + amount
            if where in _OPEN:
                self._find(_OPEN[where], document, found, why=why)
            sent = None if found is None else found.sent
            if isinstance(document, Payment):
                self._count_payment(document, sent)
            if found is not None and sent is not None:
                pairs.append(_Pair(document, sent, found, balance))
        self._compare(pairs)

    def _usage(self, document: Document) -> str:
        """The usage indicator it is delivered with: what was sent as a test never counts as sent (rule B3)."""
        ask = getattr(self._sync.target, "usage", None)
        return "" if ask is None else str(ask(document))

    def _delivered(self, key: str) -> tuple[_Known, Document]:
        """What the target has of a key that :meth:`_unseen` told."""
        known = ((one, one.sent) for one in self._known([key]).values())
        return next((one, sent) for one, sent in known if sent is not None and one.newest["usage"] == self._usage(sent))

    def _known(self, keys: Sequence[str]) -> dict[tuple[str, str], _Known]:
        """What the ledger has of these keys, by usage indicator and key."""
        found: dict[tuple[str, str], _Known] = {}
        marks = ", ".join("?" * len(keys))
        heads = self._store.read(
            f"SELECT * FROM heads WHERE sync = ? AND key IN ({marks})",  # noqa: S608 - question marks
            (self._sync.name, *keys),
        )
        revisions: dict[tuple[str, str, int], Row] = {}
        for row in self._store.read(
            f"SELECT * FROM deliveries WHERE sync = ? AND key IN ({marks}) ORDER BY id",  # noqa: S608 - question marks
            (self._sync.name, *keys),
        ):
            revisions[row["usage"], row["key"], row["revision"]] = row
        told = self._store.read(
            f"SELECT key, min(at) AS at FROM audit WHERE key IN ({marks}) AND sync = ?"  # noqa: S608 - question marks
            " AND event IN ('delivered', 'settled') GROUP BY key",
            (*keys, self._sync.name),
        )
        first = {row["key"]: dt.datetime.fromisoformat(row["at"]) for row in told}
        for head in heads:
            place = (head["usage"], head["key"])
            at = first.get(head["key"])
            late = at is not None and at >= self._period.end
            base = revisions.get((*place, head["base"]))
            found[place] = _Known(
                revisions[(*place, head["latest"])],
                base if base is not None and base["state"] != "baselined" else None,
                head["target_id"] or "",
                late,
            )
        return found

    def _category(self, document: Document, known: _Known | None) -> tuple[str, str]:
        """Where a document counts (rule B10), and why."""
        if known is None:
            select = self._sync.settings.select
            reason = None if select is None else select(document, False)
            if reason is not None:
                return "excluded", reason.reason if isinstance(reason, Excluded) else reason
            if not document.ready:
                return "waiting", "; ".join(document.waiting_for)
            return "unknown", "the ledger has never seen it: run the flow"
        row = known.newest
        if row["state"] == "superseded":
            if row["reason"] == DROPPED:
                return "excluded", DROPPED
            return ("waiting", "; ".join(document.waiting_for)) if not document.ready else ("queued", "superseded")
        where = category(row)
        if where == "unchanged" and row["state"] == "delivered":
            where = "delivered"
        if where in ("delivered", "unchanged") and not document.ready and not is_void(document):
            waits = self._store.read(
                "SELECT 1 FROM waiting WHERE sync = ? AND key = ?", (self._sync.name, document.key)
            )
            if waits:
                return "waiting", f"the target has it, and here it is: {'; '.join(document.waiting_for)}"
        return where, "; ".join(json.loads(row["faults"]))

    def _compare(self, pairs: Sequence[_Pair]) -> None:
        theirs = self._theirs([pair.known.target_id for pair in pairs if pair.known.target_id])
        for pair in pairs:
            amount = self._recount.sent_amount(pair.sent) or _ZERO
            pair.balance.held += self._recount.amount(pair.document) or _ZERO
            pair.balance.sent_count += 1
            pair.balance.sent += amount
            if pair.known.late:
                self._find("late", pair.document, pair.known, why=f"delivered after {self._period.last}")
            if pair.known.base is not None and pair.known.base["partner_state"] == "rejected":
                self._find("rejected", pair.document, pair.known, why="the partner's system rejected it")
            self._compare_source(pair)
            if theirs is not None:
                self._compare_target(pair, theirs.get(pair.known.target_id), amount)

    def _compare_source(self, pair: _Pair) -> None:
        now, sent = pair.document, pair.sent
        here, was = self._recount.amount(now), self._recount.sent_amount(sent)
        difference = (here or _ZERO) - (was or _ZERO)
        pair.balance.here_explained += difference
        what, why = "", f"{here} here, {was} delivered"
        if is_void(now):
            what, why = "void", "void here" + ("" if is_void(sent) else ", delivered as valid")
        elif (paid := _paid(now, sent)) and (difference or paid == "part paid"):
            what, why = paid, f"{getattr(now, 'open', None)} of {getattr(now, 'gross', None)} open"
        elif difference:
            what = "amount"
        elif party_of(now) != party_of(sent):
            what, why = "supplier", f"{party_of(now)} here, {party_of(sent)} delivered"
        elif (
            pair.known.newest["state"] in ("delivered", "unchanged")
            and now.ready
            and not self._sync.ledger.store.seals.same(self._sync.target.content(now), pair.known.newest["content"])
        ):
            what, why = "changed", "it changed here and has not been told: run the flow"
        if what:
            self._find(what, now, pair.known, why=why, difference=difference)

    def _compare_target(self, pair: _Pair, theirs: Document | None, amount: Decimal) -> None:
        balance = pair.balance
        balance.there_count = balance.there_count or 0
        balance.there = balance.there or _ZERO
        if theirs is None:
            balance.gone_there += 1
            balance.there_explained -= amount
            self._find("gone there", pair.document, pair.known, why="the target does not have it", difference=-amount)
            return
        found = (self._recount.there_amount(theirs) or _ZERO) if not is_void(theirs) else _ZERO
        balance.there_count += 1
        balance.there += found
        balance.there_explained += found - amount
        expected = self._party_there(pair.sent)
        if is_void(theirs) != is_void(pair.sent):
            text = "void there, delivered as valid" if is_void(theirs) else "valid there, delivered as void"
            self._find("void there", pair.document, pair.known, why=text, difference=found - amount)
        elif found != amount:
            why = f"{found} there, {amount} delivered"
            self._find("amount there", pair.document, pair.known, why=why, difference=found - amount)
        elif currency_of(theirs) and currency_of(theirs) != currency_of(pair.sent):
            why = f"{currency_of(theirs)} there, {currency_of(pair.sent)} delivered"
            self._find("amount there", pair.document, pair.known, why=why)
        if expected and party_of(theirs) and party_of(theirs) != expected:
            why = f"{party_of(theirs)} there, {expected} delivered"
            self._find("supplier there", pair.document, pair.known, why=why)

    def _party_there(self, sent: Document) -> str | None:
        ask = self._recount.party_there
        return None if ask is None else ask(party_of(sent))

    def _theirs(self, ids: Sequence[str]) -> dict[str, Document] | None:
        """The target's documents by id; ``None`` where it cannot be asked."""
        if self._recount.there is None:
            return None
        if not ids:
            return {}
        return {one.key: one for one in self._recount.there(ids)}

    def _unseen(self) -> list[str]:
        """Keys of this period that the target has and the source did not show."""
        last, unseen = 0, list[str]()
        while rows := self._store.read(
            "SELECT d.id, d.usage, d.key, d.document FROM deliveries AS d JOIN heads AS h ON h.sync = d.sync"
            " AND h.usage = d.usage AND h.key = d.key AND h.base = d.revision"
            " WHERE d.sync = ? AND d.id > ? AND d.state <> 'baselined' ORDER BY d.id LIMIT ?",
            (self._sync.name, last, _PAGE),
        ):
            last = rows[-1]["id"]
            for row in rows:
                if row["key"] not in self._seen:
                    document = from_json(row["document"])
                    if self._period.has(document) and self._usage(document) == row["usage"]:
                        unseen.append(row["key"])
        return unseen

    def _gone(self, key: str) -> None:
        known, sent = self._delivered(key)
        amount = self._recount.sent_amount(sent) or _ZERO
        balance = self._balance(sent)
        balance.sent_count += 1
        balance.sent += amount
        balance.here_explained -= amount
        why = "the target knows it, the source no longer has it"
        self._find("gone", sent, known, why=why, difference=-amount)
        theirs = self._theirs([known.target_id] if known.target_id else [])
        if theirs is not None:
            self._compare_target(_Pair(sent, sent, known, balance), theirs.get(known.target_id), amount)

    def _moved(self, document: Document) -> None:
        known, sent = self._delivered(document.key)
        why = f"{day_of(document)} here, {day_of(sent)} delivered"
        self._find("moved", document, known, why=why)

    def _unreadable(self, rejected: Rejected) -> None:
        if rejected.key in self._seen:
            return
        self._seen.add(rejected.key)
        balance = self._balances.setdefault(("", ""), Balance(kind=self._sync.kind))
        balance.read += 1
        balance.count["parked"] = balance.count.get("parked", 0) + 1
        self.findings.append(
            Finding(
                what="unreadable",
                kind=self._sync.kind,
                key=rejected.key,
                why="; ".join(rejected.faults),
                owner=self._owners.get((self._sync.name, rejected.key), ""),
            )
        )

    def _balance(self, document: Document) -> Balance:
        place = (company_of(document), currency_of(document))
        if place not in self._balances:
            self._balances[place] = Balance(kind=self._sync.kind, company=place[0], currency=place[1])
        return self._balances[place]

    def _count_payment(self, payment: Payment, sent: Document | None) -> None:
        place = (self._recount.account(payment), payment.date, currency_of(payment))
        day = self._days.setdefault(place, PaymentDay(account=place[0], day=place[1], currency=place[2]))
        day.count += 1
        day.amount += self._recount.amount(payment) or _ZERO
        if sent is not None:
            day.told += 1
            day.told_amount += self._recount.sent_amount(sent) or _ZERO

    def _find(
        self, what: str, document: Document, known: _Known | None, *, why: str, difference: Decimal = _ZERO
    ) -> None:
        since = None if known is None else dt.datetime.fromisoformat(known.newest["recorded_at"])
        self.findings.append(
            Finding(
                what=what,
                kind=self._sync.kind,
                key=document.key,
                there="" if known is None else known.target_id,
                company=company_of(document),
                currency=currency_of(document),
                amount=self._recount.amount(document),
                difference=difference,
                why=why,
                since=since,
                age=None if since is None else self._now - since,
                owner=self._owners.get((self._sync.name, document.key), ""),
            )
        )


def _paid(now: Document, sent: Document) -> str:
    """Whether an invoice of an unchanged amount has been paid here, and how far; payments are no change of it."""
    if not isinstance(now, Invoice) or not isinstance(sent, Invoice) or now.gross != sent.gross:
        return ""
    if now.open is None or now.open == now.gross:
        return ""
    return "part paid" if now.open else "paid"
