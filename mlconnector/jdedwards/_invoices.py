"""Reading vouchers: pay items of F0411 grouped, with the match or the distribution as lines (rules B21, B22)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.documents import Invoice
from mlconnector.jdedwards._changes import Clocked, Scan, changed, chunks
from mlconnector.jdedwards._invoice_mapping import VoucherRows, to_invoice, voucher_key
from mlconnector.jdedwards._query import Where
from mlconnector.jdedwards._source import Parties, Source
from mlconnector.jdedwards._tables import TABLES
from mlconnector.records import Batch, Rejected, Window

__all__ = ["InvoicesReader"]

_KEY = ("DOC", "DCT", "KCO")
_TYPES = ("PV", "PD")
Row = dict[str, Any]


@attrs.frozen
class InvoicesReader:
    """Reads whole vouchers. A position is the last document number handed out."""

    source: Source
    where: Where
    filters: Mapping[str, Any]
    overlap: dt.timedelta
    system: str = "jdedwards"
    kind: str = "invoices"
    resumable: bool = True

    def read(self, window: Window) -> Iterator[Batch[Invoice]]:
        """Pages of whole vouchers, see :class:`~mlconnector.records.Reader`."""
        pass_ = _Pass(self.source, self.where, window)
        if window.keys is not None:
            yield from pass_.by_key(window.keys)
        elif window.lower is None:
            yield from pass_.everything()
        else:
            yield from pass_.changes(window.lower)


class _Pass:
    def __init__(self, source: Source, where: Where, window: Window) -> None:
        self._source, self._window = source, window
        self._parties, self._clock = Parties(source), Clocked()
        self._where = [("DCT", "in", list(_TYPES)), *where]

    def everything(self) -> Iterator[Batch[Invoice]]:
        table, held = TABLES["F0411"], list[Row]()
        walk = self._source.service.walk(
            "F0411", table.key, table.columns, self._where, size=self._source.page_size, after=self._window.position
        )
        for grid in walk:
            self._clock.clock = grid.clock or self._clock.clock
            rows = [*held, *grid.rows]
            # Pay items of the last document may go on in the next page: it is held back until they are all here.
            held = [row for row in rows if grid.more and row["F0411_DOC"] == rows[-1]["F0411_DOC"]]
            whole = rows[: len(rows) - len(held)]
            position = whole[-1]["F0411_DOC"] if whole else self._window.position
            yield self._batch(whole, {}, position=position, last=not grid.more)

    def changes(self, lower: dt.datetime) -> Iterator[Batch[Invoice]]:
        found = changed(
            self._source.service,
            [Scan("F0411", _KEY, self._where)],
            lower,
            self._source.zone,
            self._clock,
            self._window.position,
        )
        for chunk in chunks(found, self._source.page_size, self._window, _natural_key):
            rows = self._items([one.key[0] for one in chunk.wanted.values()], set(chunk.wanted))
            stamps = {key: one.stamp for key, one in chunk.wanted.items()}
            batch = self._batch(rows, stamps, position=chunk.position, last=False)
            yield attrs.evolve(batch, skipped=chunk.skipped, signatures=chunk.signatures, high=chunk.high)
        yield Batch(documents=(), clock=self._clock.clock, position=self._window.position, last=True)

    def by_key(self, keys: Sequence[str]) -> Iterator[Batch[Invoice]]:
        size = self._source.page_size
        for start in range(0, len(keys), size):
            part = keys[start : start + size]
            rows = self._items([key.rpartition("/")[2] for key in part], set(part))
            yield self._batch(rows, {}, position=None, last=start + size >= len(keys))
        if not keys:
            yield Batch(documents=(), last=True)

    def _items(self, numbers: Sequence[Any], keys: set[str]) -> list[Row]:
        if not numbers:
            return []
        where = [("DOC", "in", sorted(set(map(int, numbers)))), *self._where]
        return [row for row in self._source.rows("F0411", where) if _key_of("F0411", row) in keys]

    def _batch(
        self, rows: Sequence[Row], stamps: Mapping[str, dt.datetime], *, position: Any, last: bool
    ) -> Batch[Invoice]:
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            groups[_key_of("F0411", row)].append(row)
        matches, distribution = self._lines(rows)
        parties = self._parties.of(row.get(f"F0411_{alias}") for row in rows for alias in ("AN8", "PYE"))
        documents, rejected = [], []
        for key, items in groups.items():
            zone = self._source.zone
            stamp = max(
                filter(None, [stamps.get(key), *(zone.stamp("F0411", "UPMT", row) for row in items)]), default=None
            )
            company = str(items[0].get("F0411_CO") or items[0]["F0411_KCO"]).strip()
            plain = not str(items[0].get("F0411_CRCD") or "").strip()
            ledger = "CA" if items[0].get("F0411_CRRM") == "F" else "AA"
            voucher = VoucherRows(
                items=items,
                matches=matches.get(key, []),
                distribution=[row for row in distribution.get(key, []) if row.get("F0911_LT") == ledger],
                parties=parties,
                base_currency=self._parties.currency(company) if plain else None,
                stamp=stamp,
            )
            invoice, faults = to_invoice(voucher)
            if faults:
                rejected.append(Rejected(key=key, row=items[0], faults=tuple(faults), updated_at=stamp))
            else:
                documents.append(invoice)
        return Batch(
            documents=documents,
            rejected=rejected,
            position=position,
            clock=self._clock.clock,
            last=last,
        )

    def _lines(self, rows: Sequence[Row]) -> tuple[Mapping[str, list[Row]], Mapping[str, list[Row]]]:
        """Matches, and for vouchers without one their distribution, by voucher."""
        matches: dict[str, list[Row]] = defaultdict(list)
        distribution: dict[str, list[Row]] = defaultdict(list)
        numbers = sorted({row["F0411_DOC"] for row in rows})
        if not numbers:
            return matches, distribution
        kinds = ("DCT", "in", list(_TYPES))
        for row in self._source.rows("F43121", [("MATC", "=", "2"), ("DOC", "in", numbers), kinds]):
            matches[_key_of("F43121", row)].append(row)
        unmatched = sorted({row["F0411_DOC"] for row in rows if _key_of("F0411", row) not in matches})
        if unmatched:
            where = [("DOC", "in", unmatched), kinds, ("LT", "in", ["AA", "CA"])]
            for row in self._source.rows("F0911", where):
                distribution[_key_of("F0911", row)].append(row)
        return matches, distribution


def _natural_key(number: Any, kind: Any, company: Any) -> str:
    return voucher_key(company, kind, number)


def _key_of(table: str, row: Mapping[str, Any]) -> str:
    return _natural_key(*(row.get(f"{table}_{column}") for column in _KEY))
