"""Journal batches become journal lines; pure (Fusion reference, section 10; rule B32)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mlconnector.documents import JournalLine
from mlconnector.fusion._made import Made, Site
from mlconnector.fusion._settings import Gate
from mlconnector.fusion._values import Fields, Row

__all__ = ["batch_of", "to_journal_lines"]

_BATCH_EXTRAS = ("BatchName", "UserJeSourceName")
_HEAD_EXTRAS = ("JournalName", "PeriodName", "UserJeCategoryName", "LedgerCurrencyCode")
_AMOUNTS = ("AccountedDr", "AccountedCr", "StatAmount", "CurrencyConversionRate")


def batch_of(key: str) -> str:
    """The batch in a journal line's key."""
    return key.partition("/")[0]


def to_journal_lines(row: Row, site: Site) -> Iterator[Made]:
    """Every line of a batch, with the key ``batch/journal/line``; lines have no id of their own (section 10).

    Amounts are the entered ones, in the journal's currency; the accounted ones stand in ``extras``, and with them what
    a payment is traced by: source, period, ledger (rule B32). A line is stamped with its batch: only that is filtered.
    """
    shared: list[str] = []
    batch = Fields(row, shared)
    number, stamp = batch.text("JeBatchId"), batch.instant("LastUpdateDate")
    posted = Gate.has(site.gate.journals, batch.text("Status"), batch.text("StatusMeaning"))
    status = batch.text("StatusMeaning", "Status") or "unknown"
    waiting = () if posted else (f"journal batch has status {status}",)
    names: set[str] = set()
    for journal in row.get("journalHeaders") or ():
        head_faults: list[str] = []
        head = Fields(journal, head_faults)
        name, date = head.text("JournalName"), head.date("DefaultEffectiveDate")
        if name in names:
            head_faults.append(f"JournalName {name!r} occurs twice in batch {number}, so that lines have the same key")
        names.add(name)
        extras = {**batch.kept(*_BATCH_EXTRAS), **head.kept(*_HEAD_EXTRAS)}
        for one in journal.get("journalLines") or ():
            faults = [*shared, *head_faults]
            cells = Fields(one, faults)
            account, line = cells.text("AccountCombination"), cells.text("JeLineNumber")
            amount = (cells.number("EnteredDr") or Decimal(0)) - (cells.number("EnteredCr") or Decimal(0))
            document = JournalLine(
                number=line,
                date=date,
                ledger=head.text("LedgerName"),
                company=site.chart.segment(account, "company") or head.text("LegalEntityName"),
                account=account,
                cost_center=site.chart.segment(account, "cost_center"),
                debit=amount if amount >= 0 else None,
                credit=-amount if amount < 0 else None,
                currency=cells.text("CurrencyCode") or head.text("CurrencyCode") or None,
                description=cells.text("Description") or head.text("JournalDescription"),
                reference=head.text("ExternalReference") or name,
                waiting_for=waiting,
                extras={**extras, **cells.kept_numbers(*_AMOUNTS)},
                provenance=site.origin("journal_lines", f"{number}/{name}/{line}", stamp),
            )
            yield Made(document, faults)
