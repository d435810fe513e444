"""Reading what lies in one table, or nearly: accounts, cost centres, payments (AIS reference, section 7)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.documents import Account, Application, CostCenter, Document, Party, Payment, Provenance
from mlconnector.jdedwards._query import Where
from mlconnector.jdedwards._source import Source
from mlconnector.jdedwards._tables import TABLES
from mlconnector.jdedwards._values import Cells
from mlconnector.records import Batch, Rejected, Window

__all__ = ["TableReader", "account", "cost_center", "payment"]

Row = Mapping[str, Any]
Maker = Callable[[Cells, Sequence[Row], Provenance, list[str]], Document]


@attrs.frozen
class TableReader:
    """Reads documents that are rows of one table, with an optional table of details by its key.

    Args:
        table: The table; its primary key is one column, the document's key.
        make: Turns a row, its details and its provenance into a document.
        details: Table whose rows belong to a document by the same key column.
    """

    source: Source
    where: Where
    filters: Mapping[str, Any]
    overlap: dt.timedelta
    kind: str
    table: str
    make: Maker
    details: str | None = None
    system: str = "jdedwards"
    resumable: bool = True

    def read(self, window: Window) -> Iterator[Batch[Document]]:
        """Pages of documents, see :class:`~mlconnector.records.Reader`."""
        table, key = TABLES[self.table], TABLES[self.table].key[0]
        where = [*self.where]
        if window.keys is not None:
            if not window.keys:
                yield Batch(documents=(), last=True)
                return
            where.append((key, "in", list(window.keys)))
        elif window.lower is not None:
            where.append(("UPMJ", ">=", self.source.zone.date(window.lower)))
        walk = self.source.service.walk(
            self.table, table.key, table.columns, where, size=self.source.page_size, after=window.position
        )
        for grid in walk:
            position = grid.rows[-1][f"{self.table}_{key}"] if grid.rows else window.position
            documents, rejected = self._documents([row for row in grid.rows if self._in_window(row, window)], key)
            yield Batch(documents=documents, rejected=rejected, position=position, clock=grid.clock, last=not grid.more)

    def _in_window(self, row: Row, window: Window) -> bool:
        """Exact where the zone is known: the condition sent is by day only."""
        if window.lower is None or window.keys is not None:
            return True
        zone = self.source.zone
        stamp = zone.stamp(self.table, TABLES[self.table].time, row)
        return stamp is None or stamp >= window.lower - zone.margin

    def _documents(self, rows: Sequence[dict[str, Any]], key: str) -> tuple[list[Document], list[Rejected]]:
        details: dict[Any, list[Row]] = defaultdict(list)
        if self.details is not None and rows:
            for row in self.source.rows(self.details, [(key, "in", [row[f"{self.table}_{key}"] for row in rows])]):
                details[row[f"{self.details}_{key}"]].append(row)
        documents, rejected, zone = [], [], self.source.zone
        for row in rows:
            faults: list[str] = []
            value = row[f"{self.table}_{key}"]
            stamp = zone.stamp(self.table, TABLES[self.table].time, row)
            name = str(value)
            origin = Provenance(system=self.system, kind=self.kind, key=name, updated_at=stamp)
            document = self.make(Cells(self.table, row, faults), details.get(value, ()), origin, faults)
            if faults:
                rejected.append(Rejected(key=name, row=row, faults=tuple(faults), updated_at=stamp))
            else:
                documents.append(document)
        return documents, rejected


def account(cells: Cells, _details: Sequence[Row], origin: Provenance, _faults: list[str]) -> Account:
    """A row of F0901; a blank posting edit code posts."""
    return Account(
        number=cells.text("AID"),
        company=cells.text("CO"),
        cost_center=cells.text("MCU"),
        object=cells.text("OBJ"),
        subsidiary=cells.text("SUB"),
        description=cells.text("DL01"),
        postable=not cells.text("PEC"),
        provenance=origin,
    )


def cost_center(cells: Cells, _details: Sequence[Row], origin: Provenance, _faults: list[str]) -> CostCenter:
    """A row of F0006; the number keeps its leading blanks."""
    return CostCenter(
        number=origin.key,
        name=cells.text("DL01"),
        company=cells.text("CO"),
        active=not cells.text("PECC"),
        provenance=origin,
    )


def payment(cells: Cells, details: Sequence[Row], origin: Provenance, faults: list[str]) -> Payment:
    """A row of F0413 with its F0414 rows; amounts by magnitude, since their sign is not documented (section 7)."""
    parts = [Cells("F0414", row, faults) for row in details]
    void = cells.date("VDGJ") is not None
    applications = tuple(
        Application(
            invoice="/".join(part.text(alias) for alias in ("KCO", "DCT", "DOC")),
            amount=abs(part.number("PAAP") or Decimal(0)),
            discount=abs(part.number("ADSA") or Decimal(0)),
        )
        for part in parts
        if part.text("DCTM") != "PO"
    )
    total = sum((one.amount or Decimal(0) for one in applications), Decimal(0))
    return Payment(
        number=cells.text("DOCM"),
        date=cells.date("DMTJ"),
        method=cells.text("PYIN"),
        amount=total if void or not cells.number("PAAP") else abs(cells.number("PAAP") or Decimal(0)),
        currency=cells.text("CRCD") or None,
        payee=Party(number=cells.text("PYE")),
        bank_reference=next((part.text("RMK") for part in parts if part.text("RMK")), ""),
        applications=applications,
        void=void,
        provenance=origin,
    )
