"""Reading payments, suppliers, accounts and cost centres: groups of rows by key (section 3.5)."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.documents import Document
from mlconnector.peoplesoft._head_reader import first_place
from mlconnector.peoplesoft._heads import key_of
from mlconnector.peoplesoft._keyed_mapping import paid, payment_key, to_payment
from mlconnector.peoplesoft._source import EARLIEST, LATEST, SEEK_ROWS, FirstClock, Source, seek
from mlconnector.peoplesoft._values import Cells, Row
from mlconnector.peoplesoft._walk import Ask, Group
from mlconnector.records import Batch, Rejected, Window

__all__ = ["MasterReader", "PaymentReader"]

Made = tuple[Document | None, list[str]]
Found = tuple[str, Group, dt.datetime | None]
"""Natural key, rows, stamp."""
_AHEAD = dt.timedelta(days=366)
"""Payments may be dated in the future."""
_CUT = (
    "its rows came in an answer that the user's query profile may have cut; the PeopleSoft administrator raises the"
    " profile's maximum rows to fetch"
)


def _keys(part: tuple[Sequence[Group], Any]) -> list[str]:
    return [group.key for group in part[0]]


def _mapped(make: Callable[[Sequence[Row], Any], tuple[Any, list[str]]], found: Sequence[Found]) -> Any:
    documents, rejected = list[Document](), list[Rejected]()
    for key, group, given in found:
        document, faults = make(group.rows, given)
        if group.cut:
            faults = [_CUT, *faults]
        if faults:
            rejected.append(Rejected(key=key, row=group.rows[0], faults=tuple(dict.fromkeys(faults))))
        elif document is not None:
            documents.append(document)
    return documents, rejected


@attrs.frozen(kw_only=True)
class MasterReader:
    """Reads one master record in full: it has no stamp (section 9). A position is a SETID and the last key in it."""

    source: Source
    kind: str
    make: Callable[[Sequence[Row], dt.date], Made]
    setids: tuple[str, ...]
    filters: Mapping[str, Any]
    overlap: dt.timedelta
    system: str = "peoplesoft"
    resumable: bool = True

    def read(self, window: Window) -> Iterator[Batch[Document]]:
        """Pages of documents, see :class:`~mlconnector.records.Reader`."""
        today, first = self.source.today(), FirstClock()
        make: Any = functools.partial(_dated, self.make, today)
        wanted: dict[str, set[str]] = defaultdict(set)
        for key in window.keys or ():
            setid, _, number = key.partition("/")
            wanted[setid].add(number)
        setids, after = first_place(self.setids, window.position)
        position = window.position
        for setid in setids:
            ask = first.noting(self.source.asking(self.kind, {"SETID": setid, "ASOF_DT": today.isoformat()}))
            walk = self.source.groups(self.kind, ask).walk
            parts = walk(after) if window.keys is None else seek(walk, _keys, wanted[setid])
            for groups, _clock in parts:
                if window.keys is None:
                    position = {"place": setid, "after": groups[-1].key}
                chosen = [group for group in groups if window.keys is None or group.key in wanted[setid]]
                found = [(key_of(setid, group.key), group, None) for group in chosen]
                yield Batch(position=position, clock=first.clock, mapping=functools.partial(_mapped, make, found))
            after = ""
        yield Batch(clock=first.clock, position=position, last=True)


def _dated(make: Callable[[Sequence[Row], dt.date], Made], today: dt.date, rows: Sequence[Row], _stamp: Any) -> Made:
    return make(rows, today)


@attrs.frozen(kw_only=True)
class PaymentReader:
    """Reads whole payments by their date. A position is a business unit and the last payment id in it.

    A payment may pay vouchers of several business units, and the query is asked for one: what is missing to its amount
    is read from the others, and a payment that an earlier unit has handed out is left out.
    """

    source: Source
    units: tuple[str, ...]
    filters: Mapping[str, Any]
    overlap: dt.timedelta
    kind: str = "payments"
    system: str = "peoplesoft"
    resumable: bool = True

    @property
    def margin(self) -> dt.timedelta:
        """See :attr:`~mlconnector.peoplesoft._values.Zone.early`."""
        return self.source.zone.early

    def read(self, window: Window) -> Iterator[Batch[Document]]:
        """Pages of documents, see :class:`~mlconnector.records.Reader`."""
        zone, noted = self.source.zone, FirstClock()
        first = EARLIEST if window.lower is None else zone.first_day(window.lower).isoformat()
        last = zone.last_day(window.until or self.source.clock.now() + _AHEAD).isoformat()
        ids = {key.rpartition("/")[2] for key in window.keys or ()}
        if window.keys is not None:
            first, last = EARLIEST, LATEST
        units, after = first_place(self.units, window.position)
        position = window.position
        for unit in units:
            ask = noted.noting(self._asking(unit, first, last))
            walk = self.source.groups(self.kind, ask).walk
            for groups, _clock in walk(after) if window.keys is None else seek(walk, _keys, ids):
                if window.keys is None:
                    position = {"place": unit, "after": groups[-1].key}
                found = [one for group in groups for one in self._payments(unit, group, window)]
                yield Batch(position=position, clock=noted.clock, mapping=functools.partial(_mapped, to_payment, found))
            after = ""
        yield Batch(clock=noted.clock, position=position, last=True)

    def _asking(self, unit: str, first: str, last: str) -> Ask:
        return self.source.asking(self.kind, {"BU": unit, "FROM_DT": first, "TO_DT": last})

    def _payments(self, unit: str, group: Group, window: Window) -> Iterator[Found]:
        """Payments of one id, whole; an id is unique only with its bank account."""
        for key, own in itertools.groupby(sorted(group.rows, key=payment_key), key=payment_key):
            rows = list(own)
            stamp = self.source.zone.stamp(rows[0].get("A.PYMNT_DT"))
            if window.keys is not None:
                if key not in window.keys:
                    continue
            elif stamp is not None and window.lower is not None and stamp.latest < window.lower:
                continue
            whole = self._whole(unit, key, rows)
            if whole is not None:
                yield key, attrs.evolve(group, rows=whole), None if stamp is None else stamp.instant

    def _whole(self, unit: str, key: str, rows: Sequence[Row]) -> Sequence[Row] | None:
        """With the rows of the other business units; ``None`` where an earlier one has it."""
        head = Cells(rows[0], [])
        if paid(rows) == head.number("A.PYMNT_AMT"):
            return rows
        day, whole = head.text("A.PYMNT_DT") or None, list(rows)
        for other in self.units:
            if other == unit:
                continue
            ask = self._asking(other, day or EARLIEST, day or LATEST)
            walk = self.source.groups(self.kind, ask, SEEK_ROWS).walk
            number = key.rpartition("/")[2]
            for groups, _clock in seek(walk, _keys, [number]):
                more = [row for group in groups for row in group.rows if payment_key(row) == key]
                if more and self.units.index(other) < self.units.index(unit):
                    return None
                whole += more
        return whole
