"""Reading purchase orders: changed ones found from headers and lines, lines read by list (design section 6)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.documents import PurchaseOrder
from mlconnector.jdedwards._changes import Clocked, Scan, changed, chunks
from mlconnector.jdedwards._order_mapping import OrderRows, order_key, to_order
from mlconnector.jdedwards._query import Where
from mlconnector.jdedwards._source import LINE_READ, Parties, Source
from mlconnector.jdedwards._tables import TABLES
from mlconnector.records import Batch, Rejected, Window

__all__ = ["OrdersReader"]

_KEY = ("DOCO", "DCTO", "KCOO", "SFXO")


@attrs.frozen
class OrdersReader:
    """Reads whole orders. A position is the last order number handed out."""

    source: Source
    where: Where
    filters: Mapping[str, Any]
    overlap: dt.timedelta
    system: str = "jdedwards"
    kind: str = "purchase_orders"
    resumable: bool = True

    def read(self, window: Window) -> Iterator[Batch[PurchaseOrder]]:
        """Pages of whole orders, see :class:`~mlconnector.records.Reader`."""
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
        self._parties = Parties(source)
        self._clock = Clocked()
        self._types = list(source.approval.order_types)
        self._where = [("DCTO", "in", self._types), *where]

    def everything(self) -> Iterator[Batch[PurchaseOrder]]:
        table = TABLES["F4301"]
        size = self._source.page_size
        walk = self._source.service.walk(
            "F4301", table.key, table.columns, self._where, size=size, after=self._window.position
        )
        for grid in walk:
            self._clock.clock = grid.clock or self._clock.clock
            position = grid.rows[-1]["F4301_DOCO"] if grid.rows else self._window.position
            yield self._batch(grid.rows, {}, position=position, last=not grid.more)

    def changes(self, lower: dt.datetime) -> Iterator[Batch[PurchaseOrder]]:
        scans = [Scan("F4301", _KEY, self._where), Scan("F4311", _KEY, [("DCTO", "in", self._types)])]
        found = changed(self._source.service, scans, lower, self._source.zone, self._clock, self._window.position)
        for chunk in chunks(found, self._source.page_size, self._window, _natural_key):
            headers = self._headers([one.key[0] for one in chunk.wanted.values()], set(chunk.wanted))
            stamps = {key: one.stamp for key, one in chunk.wanted.items()}
            batch = self._batch(headers, stamps, position=chunk.position, last=False)
            yield attrs.evolve(batch, skipped=chunk.skipped, signatures=chunk.signatures, high=chunk.high)
        yield Batch(documents=(), clock=self._clock.clock, position=self._window.position, last=True)

    def by_key(self, keys: Sequence[str]) -> Iterator[Batch[PurchaseOrder]]:
        size = self._source.page_size
        for start in range(0, len(keys), size):
            part = keys[start : start + size]
            numbers = [parts[2] for key in part if len(parts := key.split("/")) >= 3]
            headers = self._headers(numbers, set(part))
            yield self._batch(headers, {}, position=None, last=start + size >= len(keys))
        if not keys:
            yield Batch(documents=(), last=True)

    def _headers(self, numbers: Sequence[Any], keys: set[str]) -> list[dict[str, Any]]:
        if not numbers:
            return []
        where = [("DOCO", "in", sorted(set(map(int, numbers)))), *self._where]
        rows = self._source.rows("F4301", where, size=LINE_READ)
        return [row for row in rows if _key_of("F4301", row) in keys]

    def _batch(
        self, headers: Sequence[Mapping[str, Any]], stamps: Mapping[str, dt.datetime], *, position: Any, last: bool
    ) -> Batch[PurchaseOrder]:
        lines, overrides = self._lines(headers), self._overrides(headers)
        parties = self._parties.of(row.get(f"F4301_{alias}") for row in headers for alias in ("AN8", "SHAN"))
        documents, rejected = [], []
        for header in headers:
            key = _key_of("F4301", header)
            of_order = lines.get(key, [])
            stamp = max(filter(None, [stamps.get(key), *self._stamps(header, of_order)]), default=None)
            order_id = (header["F4301_DOCO"], header["F4301_DCTO"], header["F4301_KCOO"])
            company = str(header.get("F4301_KCOO") or "").strip()
            plain = not str(header.get("F4301_CRCD") or "").strip() and header.get("F4301_CRRM") != "F"
            rows = OrderRows(
                header=header,
                lines=of_order,
                ship_to_row=overrides.get(order_id),
                parties=parties,
                base_currency=self._parties.currency(company) if plain else None,
                stamp=stamp,
            )
            order, faults = to_order(rows, self._source.approval, self._source.line_types)
            if faults:
                rejected.append(Rejected(key=key, row=header, faults=tuple(faults), updated_at=stamp))
            else:
                documents.append(order)
        return Batch(
            documents=documents,
            rejected=rejected,
            position=position,
            clock=self._clock.clock,
            last=last,
        )

    def _stamps(self, header: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> list[dt.datetime | None]:
        zone = self._source.zone
        return [zone.stamp("F4301", "TDAY", header), *(zone.stamp("F4311", "TDAY", line) for line in lines)]

    def _lines(self, headers: Sequence[Mapping[str, Any]]) -> Mapping[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        numbers = sorted({row["F4301_DOCO"] for row in headers})
        if numbers:
            for row in self._source.rows("F4311", [("DOCO", "in", numbers), ("DCTO", "in", self._types)]):
                found[_key_of("F4311", row)].append(row)
        return found

    def _overrides(self, headers: Sequence[Mapping[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
        numbers = sorted({row["F4301_DOCO"] for row in headers})
        if not numbers:
            return {}
        where = [("DOCO", "in", numbers), ("DCTO", "in", self._types), ("ANTY", "=", "2")]
        rows = self._source.rows("F4006", where)
        return {(row["F4006_DOCO"], row["F4006_DCTO"], row["F4006_KCOO"]): row for row in rows}


def _natural_key(number: Any, kind: Any, company: Any, suffix: Any) -> str:
    return order_key(company, kind, number, suffix)


def _key_of(table: str, row: Mapping[str, Any]) -> str:
    return _natural_key(*(row.get(f"{table}_{column}") for column in _KEY))
