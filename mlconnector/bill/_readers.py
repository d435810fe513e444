"""Reading lists in the order of their stamps, into documents or raw rows (BILL reference, section 4)."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.bill._api import Api, Listed
from mlconnector.bill._filters import Where, instant
from mlconnector.bill._mapping import Maker, Row, account, cost_center, invoice, payment, supplier
from mlconnector.bill._resources import ACCOUNTS, BILLS, DEPARTMENTS, PAYMENTS, VENDORS, Resource
from mlconnector.bill._values import Fields, field_of, stamp_of
from mlconnector.documents import Document
from mlconnector.errors import NotFound
from mlconnector.records import Batch, Rejected, Window

__all__ = ["KINDS", "DocumentReader", "Kind", "RowReader"]

_MOST_VENDORS = 20_000


@attrs.frozen
class Kind:
    """What a reader reads, and how a record becomes a document.

    Args:
        resource: What is listed. ``make``: makes the document.
        vendors: Its vendors are needed for that.
        parts: Fields of which every whole record has at least one: a row without them is asked for whole, because rows
            of lists can be thinner than the record (section 4).
    """

    resource: Resource
    make: Maker
    vendors: bool = False
    parts: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    "suppliers": Kind(VENDORS, supplier),
    "invoices": Kind(BILLS, invoice, vendors=True, parts=("billLineItems",)),
    "payments": Kind(PAYMENTS, payment, vendors=True, parts=("billPayments", "billId")),
    "accounts": Kind(ACCOUNTS, account),
    "cost_centers": Kind(DEPARTMENTS, cost_center),
}


def _with_last(pages: Iterator[Listed], *, last: bool) -> Iterator[Listed]:
    for page in pages:
        yield attrs.evolve(page, last=page.last and last)


def _identity(row: Row) -> tuple[str, str]:
    return str(row.get("id") or ""), str(row.get("updatedTime") or "")


def _millisecond(row: Row) -> dt.datetime | None:
    """The stamp of a row as a filter can name it."""
    stamp = stamp_of(row.get("updatedTime"))
    return None if stamp is None else stamp_of(instant(stamp))


def _end_of(stamps: Sequence[dt.datetime | None]) -> dt.datetime | None:
    """The last stamp of a page whose rows all have one and are in their order."""
    known = [stamp for stamp in stamps if stamp is not None]
    in_order = len(known) == len(stamps) and all(one <= two for one, two in itertools.pairwise(known))
    return known[-1] if known and in_order else None


@attrs.frozen
class DocumentReader:
    """Documents of one kind, oldest change first. A position is the stamp of the last record handed out, as text:
    how long a page token lives is not known.
    """

    api: Api
    kind: str
    what: Kind
    where: Where
    filters: Mapping[str, Any]
    overlap: dt.timedelta = dt.timedelta(minutes=10)
    system: str = "bill"
    resumable: bool = True

    def read(self, window: Window) -> Iterator[Batch[Document]]:
        """Pages of documents, see :class:`~mlconnector.records.Reader`."""
        known: dict[str, Row] = {}
        for listed in self._pages(window):
            page = attrs.evolve(listed, rows=[self._whole(row) for row in listed.rows])
            vendors = self._vendors(page.rows, known) if self.what.vendors else {}
            yield self._batch(page, vendors, window.position)

    def _pages(self, window: Window) -> Iterator[Listed]:
        if window.keys is not None:
            keys = list(dict.fromkeys(window.keys))
            for start in range(0, len(keys), 50):
                where = [*self.where, ("id", "in", keys[start : start + 50])]
                yield from _with_last(self.api.pages(self.what.resource, where), last=start + 50 >= len(keys))
            if not keys:
                yield Listed((), None, True)
            return
        lower = max(filter(None, (window.lower, stamp_of(window.position))), default=None)
        until = window.until
        # Up to the millisecond after it; what lies beyond the instant itself is left out later.
        ends = [] if until is None else [("updatedTime", "<=", stamp_of(instant(until, up=True)))]
        size = None if window.limit is None else max(1, min(self.api.page_size, window.limit))
        yield from self._by_stamp(lower, [*self.where, *ends], size)

    def _by_stamp(self, lower: dt.datetime | None, where: Where, size: int | None) -> Iterator[Listed]:
        """Pages by the stamp of the row before, not by token: a record that is changed meanwhile moves to the end, and
        where tokens count rows, every one behind it would move up and one be passed over.
        """
        handed_out: set[tuple[str, str]] = set()
        going = True
        while going:
            begin = [] if lower is None else [("updatedTime", ">=", lower)]
            going = False
            for page in self.api.pages(self.what.resource, [*where, *begin], order_by=["updatedTime"], size=size):
                known = {_identity(row): row for row in page.rows}
                yield attrs.evolve(page, rows=[row for one, row in known.items() if one not in handed_out])
                stamps = [_millisecond(row) for row in page.rows]
                last = _end_of(stamps)
                if not page.last and last is not None and (lower is None or last > lower):
                    handed_out = {_identity(row) for row in page.rows if _millisecond(row) == last}
                    lower, going = last, True
                    break
                # Too many records share one millisecond, or the page is not in order: then the token must do.
                handed_out |= known.keys()

    def _batch(self, page: Listed, vendors: Mapping[str, Row], before: Any) -> Batch[Document]:
        documents: list[Document] = []
        rejected: list[Rejected] = []
        for row in page.rows:
            faults: list[str] = []
            document = self.what.make(Fields(row, faults), vendors)
            if faults:
                stamp = stamp_of(row.get("updatedTime"))
                rejected.append(Rejected(key=str(row.get("id") or ""), row=row, faults=tuple(faults), updated_at=stamp))
            else:
                documents.append(document)
        stamps = [str(row["updatedTime"]) for row in page.rows if stamp_of(row.get("updatedTime")) is not None]
        position = stamps[-1] if stamps else before
        return Batch(documents=documents, rejected=rejected, position=position, clock=page.clock, last=page.last)

    def _whole(self, row: Row) -> Row:
        if not self.what.parts or not row.get("id") or any(row.get(name) for name in self.what.parts):
            return row
        return self.api.record(self.what.resource, str(row["id"]))

    def _vendors(self, rows: Sequence[Row], known: dict[str, Row]) -> Mapping[str, Row]:
        """The vendors of these records, each read once a pass: they carry the currency.

        One that is not listed, which lists do late, is asked for by its id: without it the same payment would have a
        currency at one time and none at another.
        """
        wanted = {str(row.get("vendorId") or "") for row in rows} - {""}
        missing = sorted(wanted - known.keys())
        if len(known) + len(missing) > _MOST_VENDORS:
            known.clear()
            missing = sorted(wanted)
        for found in self.api.all_in(VENDORS, "id", missing):
            known.update({str(vendor.get("id")): vendor for vendor in found})
        for key in (key for key in missing if key not in known):
            try:
                known[key] = self.api.record(VENDORS, key)
            except NotFound:
                continue
        return known


@attrs.frozen
class RowReader:
    """Raw rows of one resource, as the vendor sends them."""

    api: Api
    resource: Resource
    columns: Sequence[str] | None
    where: Where
    order_by: Sequence[str]
    params: Mapping[str, Any]
    system: str = "bill"
    resumable: bool = False
    overlap: dt.timedelta = dt.timedelta(0)
    filters: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def kind(self) -> str:
        """The resource's name."""
        return self.resource.name

    def read(self, window: Window) -> Iterator[Batch[dict[str, Any]]]:
        """Pages of rows."""
        size = None if window.limit is None else max(1, min(self.api.page_size, window.limit))
        listed = self.api.pages(self.resource, self.where, order_by=self.order_by, size=size, params=self.params)
        for page in listed:
            yield Batch(documents=[self._chosen(row) for row in page.rows], clock=page.clock, last=page.last)

    def _chosen(self, row: Row) -> dict[str, Any]:
        if self.columns is None:
            return dict(row)
        return {column: field_of(row, column) for column in self.columns}
