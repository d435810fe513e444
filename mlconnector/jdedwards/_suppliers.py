"""Reading suppliers: F0401 joined with the address book, every table stamped apart (AIS reference, sections 4.6, 7)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.documents import Contact, Provenance, Supplier
from mlconnector.jdedwards._changes import Clocked, Scan, changed, chunks
from mlconnector.jdedwards._query import Where
from mlconnector.jdedwards._source import Source, newest_addresses
from mlconnector.jdedwards._tables import TABLES
from mlconnector.jdedwards._values import Cells
from mlconnector.records import Batch, Rejected, Window

__all__ = ["SuppliersReader"]

_TABLES = ("F0401", "F0101", "F0116", "F0111", "F01151")
Row = dict[str, Any]


@attrs.frozen
class SuppliersReader:
    """Reads whole suppliers. A position is the last address number handed out."""

    source: Source
    where: Where
    filters: Mapping[str, Any]
    overlap: dt.timedelta
    system: str = "jdedwards"
    kind: str = "suppliers"
    resumable: bool = True

    def read(self, window: Window) -> Iterator[Batch[Supplier]]:
        """Pages of whole suppliers, see :class:`~mlconnector.records.Reader`."""
        clock, size = Clocked(), self.source.page_size
        if window.keys is not None:
            for start in range(0, len(window.keys), size):
                part = window.keys[start : start + size]
                yield self._batch(self._masters(part), clock, None, last=start + size >= len(window.keys))
            if not window.keys:
                yield Batch(documents=(), last=True)
        elif window.lower is None:
            table = TABLES["F0401"]
            walk = self.source.service.walk(
                "F0401", table.key, table.columns, self.where, size=size, after=window.position
            )
            for grid in walk:
                clock.clock = grid.clock or clock.clock
                position = grid.rows[-1]["F0401_AN8"] if grid.rows else window.position
                yield self._batch(grid.rows, clock, position, last=not grid.more)
        else:
            yield from self._changes(window, clock, window.lower)

    def _changes(self, window: Window, clock: Clocked, lower: dt.datetime) -> Iterator[Batch[Supplier]]:
        scans = [Scan(table, ("AN8",)) for table in _TABLES]
        found = changed(self.source.service, scans, lower, self.source.zone, clock, window.position)
        for chunk in chunks(found, self.source.page_size, window, str):
            batch = self._batch(self._masters(list(chunk.wanted)), clock, chunk.position, last=False)
            yield attrs.evolve(batch, skipped=chunk.skipped, signatures=chunk.signatures, high=chunk.high)
        yield Batch(documents=(), clock=clock.clock, position=window.position, last=True)

    def _masters(self, numbers: Sequence[str]) -> list[Row]:
        if not numbers:
            return []
        return list(self.source.rows("F0401", [("AN8", "in", sorted(map(int, numbers))), *self.where]))

    def _batch(self, masters: Sequence[Row], clock: Clocked, position: Any, *, last: bool) -> Batch[Supplier]:
        numbers = [str(row["F0401_AN8"]) for row in masters]
        joined: dict[str, dict[str, list[Row]]] = {table: defaultdict(list) for table in _TABLES[1:]}
        if numbers:
            for table, found in joined.items():
                for row in self.source.rows(table, [("AN8", "in", numbers)]):
                    found[str(row[f"{table}_AN8"])].append(row)
        addresses = newest_addresses(self.source, numbers) if numbers else {}
        documents, rejected = [], []
        for number, master in zip(numbers, masters, strict=True):
            faults: list[str] = []
            cells = Cells("F0401", master, faults)
            book = joined["F0101"].get(number, [{}])[0]
            entry = Cells("F0101", book, faults)
            zone = self.source.zone
            rows = [
                ("F0401", master),
                *((table, row) for table, found in joined.items() for row in found.get(number, ())),
            ]
            stamps = [zone.stamp(table, TABLES[table].time, row) for table, row in rows]
            mails = [Cells("F01151", row, []).text("EMAL") for row in joined["F01151"].get(number, ())]
            names = [Cells("F0111", row, []) for row in joined["F0111"].get(number, ())]
            mailing = [one.text("MLNM") for one in names if one.text("IDLN") in ("", "0")]
            address = addresses.get(number)
            supplier = Supplier(
                number=number,
                name=entry.text("ALPH") or next(iter(mailing), ""),
                tax_id=entry.text("TAX"),
                addresses=() if address is None else (address,),
                contacts=tuple(Contact(email=mail) for mail in mails if mail),
                currency=cells.text("CRRP") or None,
                terms=cells.text("TRAP"),
                hold=cells.text("HOLD") or (cells.text("HDPY") if cells.text("HDPY") == "Y" else ""),
                active=True,
                provenance=Provenance(
                    system="jdedwards",
                    kind="suppliers",
                    key=number,
                    updated_at=max(filter(None, stamps), default=None),
                ),
            )
            if faults:
                rejected.append(Rejected(key=number, row=master, faults=tuple(faults)))
            else:
                documents.append(supplier)
        return Batch(
            documents=documents,
            rejected=rejected,
            position=position,
            clock=clock.clock,
            last=last,
        )
