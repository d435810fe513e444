"""What a reconciliation says: both sides counted and summed, and every difference by name (rules B10, B81)."""

from __future__ import annotations

import csv
import datetime as dt
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import attrs

from mlconnector._html import table
from mlconnector.delivery._report import CATEGORIES
from mlconnector.delivery._table import text_table

__all__ = ["Balance", "Finding", "PaymentDay", "Reconciliation"]

_ZERO = Decimal(0)
COUNTED = (*CATEGORIES, "unknown")
"""Categories of rule B10; ``unknown``: the source has it, fit to go, and the ledger has never seen it."""
_WIDE = ("kind", "company", "currency", "", "count", "sum")
_FINDINGS = ("what", "kind", "key", "there", "company", "amount", "difference", "age", "owner", "why")
_PAYMENTS = ("account", "day", "currency", "paid", "sum", "told", "sum told")
_SHOWN = 100


@attrs.frozen(kw_only=True)
class Finding:
    """One thing that a person should know of.

    Args:
        what: ``"late"`` (delivered after the period's end), ``"void"``, ``"part paid"``, ``"paid"``, ``"amount"``,
            ``"supplier"``, ``"changed"`` (in the source, not yet told), ``"gone"`` (from the source), ``"gone there"``,
            ``"void there"``, ``"amount there"``, ``"supplier there"``, ``"moved"`` (out of the period), ``"waiting"``,
            ``"parked"``, ``"in doubt"``, ``"queued"``, ``"rejected"`` (by the partner), ``"unknown"`` (the ledger has
            never seen it), ``"unreadable"``.
        key: Natural key in the source. ``there``: id in the target.
        amount: In the source. ``difference``: by how much that or the target's amount differs from what was delivered.
        why: Both values, or the reason.
        since: When it was recorded; ``age``: since then. ``owner``: who looks at it.
    """

    what: str
    kind: str
    key: str
    there: str = ""
    company: str = ""
    currency: str = ""
    amount: Decimal | None = None
    difference: Decimal = _ZERO
    why: str = ""
    since: dt.datetime | None = None
    age: dt.timedelta | None = None
    owner: str = ""


@attrs.define(kw_only=True)
class Balance:
    """One kind, company and currency: counts and sums of what the source has, by what became of it.

    Args:
        count, total: By category of rule B10; sums are the source's amounts as they are now.
        sent_count, sent: What was delivered of that, with the amounts as they were delivered.
        there_count, there: The same in the target as it is now; ``None`` where it cannot be asked.
        here_explained, there_explained: By how much the findings say that source and target differ from what was
            delivered.
    """

    kind: str
    company: str = ""
    currency: str = ""
    count: dict[str, int] = attrs.field(factory=dict)
    total: dict[str, Decimal] = attrs.field(factory=dict)
    read: int = 0
    amount: Decimal = _ZERO
    held: Decimal = _ZERO
    sent_count: int = 0
    sent: Decimal = _ZERO
    there_count: int | None = None
    there: Decimal | None = None
    gone_there: int = 0
    here_explained: Decimal = _ZERO
    there_explained: Decimal = _ZERO

    @property
    def closes(self) -> bool:
        """The equation of rule B10 by count and by sum; and every cent between what the source has, what was
        delivered and what the target has is named by a finding.
        """
        counted = self.read == sum(self.count.values()) and self.amount == sum(self.total.values(), _ZERO)
        here = self.held - self.sent == self.here_explained
        if self.there is None or self.there_count is None:
            return counted and here
        there = self.there - self.sent == self.there_explained and self.there_count + self.gone_there == self.sent_count
        return counted and here and there


@attrs.define(kw_only=True)
class PaymentDay:
    """Payments of one account, day and currency: what was paid, and what of it the other side was told."""

    account: str
    day: dt.date | None
    currency: str
    count: int = 0
    amount: Decimal = _ZERO
    told: int = 0
    told_amount: Decimal = _ZERO


@attrs.frozen(kw_only=True)
class Reconciliation:
    """A period recounted at the source; prints as tables, in notebooks too.

    Args:
        flow: Name of the flow. ``first``, ``last``: days of the period, both included.
        balances: One a kind, company and currency. ``findings``: every difference, by name.
        payments: By account and day.
    """

    flow: str
    first: dt.date
    last: dt.date
    balances: tuple[Balance, ...]
    findings: tuple[Finding, ...]
    payments: tuple[PaymentDay, ...] = ()

    @property
    def closes(self) -> bool:
        """Every balance does."""
        return all(balance.closes for balance in self.balances)

    @property
    def ok(self) -> bool:
        """It closes, and there is nothing to name."""
        return self.closes and not self.findings

    def of(self, what: str) -> tuple[Finding, ...]:
        """Findings of one sort."""
        return tuple(finding for finding in self.findings if finding.what == what)

    def balance(self, kind: str, company: str, currency: str) -> Balance:
        """One of the balances.

        Raises:
            KeyError: Nothing of that kind, company and currency was in the period.
        """
        for one in self.balances:
            if (one.kind, one.company, one.currency) == (kind, company, currency):
                return one
        raise KeyError((kind, company, currency))

    def export(self, path: str | os.PathLike[str]) -> int:
        """Write the findings as CSV; returns how many."""
        names = [one.name for one in attrs.fields(Finding)]
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows(
                ["" if (cell := getattr(one, name)) is None else cell for name in names] for one in self.findings
            )
        return len(self.findings)

    def _balances(self) -> list[tuple[str, ...]]:
        rows = list[tuple[str, ...]]()
        for one in self.balances:
            place = (one.kind, one.company, one.currency)
            rows.append((*place, "read", str(one.read), str(one.amount)))
            rows += [
                (*place, name.replace("_", " "), str(one.count[name]), str(one.total.get(name, _ZERO)))
                for name in COUNTED
                if one.count.get(name)
            ]
            rows.append((*place, "as delivered", str(one.sent_count), str(one.sent)))
            if one.there is not None:
                rows.append((*place, "in the target", str(one.there_count), str(one.there)))
            rows.append((*place, "closes" if one.closes else "DOES NOT CLOSE", "", ""))
        return rows

    def _findings(self) -> list[tuple[str, ...]]:
        return [
            (
                *(one.what, one.kind, one.key, one.there, one.company),
                f"{'' if one.amount is None else one.amount} {one.currency}".strip(),
                str(one.difference or ""),
                "" if one.age is None else f"{one.age.days} d",
                *(one.owner, one.why),
            )
            for one in self.findings[:_SHOWN]
        ]

    def _payments(self) -> list[tuple[str, ...]]:
        return [
            (
                *(one.account, "" if one.day is None else one.day.isoformat(), one.currency),
                *(str(one.count), str(one.amount), str(one.told), str(one.told_amount)),
            )
            for one in self.payments
        ]

    def _title(self) -> str:
        verdict = "closes" if self.closes else "does not close"
        return f"{self.flow}, {self.first} to {self.last}: {verdict}, {len(self.findings)} findings"

    def _tables(self) -> Mapping[str, tuple[tuple[str, ...], list[tuple[str, ...]]]]:
        return {
            self._title(): (_WIDE, self._balances()),
            "findings": (_FINDINGS, self._findings()),
            "payments by account and day": (_PAYMENTS, self._payments()),
        }

    def __str__(self) -> str:
        parts = []
        for title, (head, rows) in self._tables().items():
            if rows or title == self._title():
                parts.append("\n".join(filter(None, (title, text_table(head, rows)))))
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        return "".join(
            table(head, rows, caption=title)
            for title, (head, rows) in self._tables().items()
            if rows or title == self._title()
        )
