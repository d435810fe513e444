"""Reading orders and vouchers: heads by key, changed ones by date, lines one call a document (section 3.5)."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs

from mlconnector._watching import carried
from mlconnector.documents import Document
from mlconnector.peoplesoft._heads import Head, key_of
from mlconnector.peoplesoft._source import EARLIEST, LATEST, SEEK_ROWS, FirstClock, Source, seek
from mlconnector.peoplesoft._values import Row, Stamp
from mlconnector.peoplesoft._walk import Ask, Asked, before
from mlconnector.records import Batch, Rejected, Window

__all__ = ["HeadKind", "HeadReader", "first_place"]

_FEW = 10
"""So many documents and fewer are read one by one."""
_CHUNK = 50
"""Documents a batch: a page of heads costs a call a document, and a position should not wait for all of them."""
_LINES_A_DOCUMENT = 4
_COLD = dt.timedelta(days=3)


@attrs.frozen(kw_only=True)
class HeadKind:
    """Where the documents of one kind lie.

    Args:
        kind: The reader's name, and the entity of its heads. ``lines``: entity of its lines. ``all_lines``: entity of
            the lines of many documents, where the site has it.
        prompt: The prompt of the lines that takes the document. ``field``: the field of heads and lines that names it.
        stamps: Fields of the last change, the first that is filled counts.
        excluded: Heads that are not read. ``make``: makes the document; pure.
    """

    kind: str
    lines: str
    all_lines: str
    prompt: str
    field: str
    stamps: tuple[str, ...]
    excluded: Callable[[Row], bool]
    make: Callable[[Head], tuple[Document, list[str]]]


@attrs.frozen(kw_only=True)
class HeadReader:
    """Reads whole documents. A position is a business unit and the last number handed out in it."""

    source: Source
    spec: HeadKind
    units: tuple[str, ...]
    filters: Mapping[str, Any]
    overlap: dt.timedelta
    system: str = "peoplesoft"
    resumable: bool = True

    @property
    def kind(self) -> str:
        """What is read."""
        return self.spec.kind

    @property
    def margin(self) -> dt.timedelta:
        """See :attr:`~mlconnector.peoplesoft._values.Zone.early`."""
        return self.source.zone.early

    def read(self, window: Window) -> Iterator[Batch[Document]]:
        """Pages of whole documents, see :class:`~mlconnector.records.Reader`."""
        pass_ = _Pass(self.source, self.spec, self.units, window)
        return pass_.changes() if window.keys is None else pass_.by_key(window.keys)


def first_place(places: Sequence[str], position: Any) -> tuple[Sequence[str], str]:
    """The places left from a position on, and the key to go on after in the first of them."""
    if position is None:
        return places, ""
    return places[places.index(position["place"]) :], position["after"]


class _Pass:
    def __init__(self, source: Source, spec: HeadKind, units: tuple[str, ...], window: Window) -> None:
        self._source, self._spec, self._units, self._window = source, spec, units, window
        self._first, self._dates = FirstClock(), self._first_and_last()
        self._at_once = spec.all_lines in source.layouts
        chunk = source.page_size if self._at_once else _CHUNK
        self._chunk = chunk if window.limit is None else max(1, min(chunk, window.limit))

    def changes(self) -> Iterator[Batch[Document]]:
        window, source = self._window, self._source
        limit = source.page_size if window.limit is None else max(1, min(source.page_size, window.limit))
        units, after = first_place(self._units, window.position)
        position = window.position
        for unit in units:
            ask = self._ask(unit, *self._dates)
            for asked, _last in source.pages(self._spec.kind, ask, limit).walk(after):
                for start in range(0, len(asked.rows), self._chunk):
                    part = asked.rows[start : start + self._chunk]
                    position = {"place": unit, "after": self._number(part[-1])}
                    yield attrs.evolve(self._batch(unit, part), position=position)
            after = ""
        yield Batch(clock=self._first.clock, position=position, last=True)

    def by_key(self, keys: Sequence[str]) -> Iterator[Batch[Document]]:
        wanted: dict[str, set[str]] = defaultdict(set)
        for key in keys:
            unit, _, number = key.partition("/")
            wanted[unit].add(number)
        for unit in self._units:
            ask = self._ask(unit, EARLIEST, LATEST)
            pages = self._source.pages(self._spec.kind, ask, min(SEEK_ROWS, self._source.page_size))
            for asked, _last in seek(pages.walk, self._numbers, wanted[unit]):
                rows = [row for row in asked.rows if self._number(row) in wanted[unit]]
                yield self._batch(unit, rows)
        yield Batch(clock=self._first.clock, last=True)

    def _first_and_last(self) -> tuple[str, str]:
        """First and last date of change; a day more where the zone is not known (section 3.3)."""
        window, zone = self._window, self._source.zone
        first = EARLIEST if window.lower is None else zone.first_day(window.lower).isoformat()
        last = window.until or self._source.clock.now() + dt.timedelta(days=1)
        return first, zone.last_day(last).isoformat()

    def _ask(self, unit: str, first: str, last: str) -> Ask:
        return self._first.noting(self._source.asking(self._spec.kind, {"BU": unit, "FROM_DT": first, "TO_DT": last}))

    def _number(self, row: Row) -> str:
        return str(row.get(self._spec.field) or "").rstrip()

    def _numbers(self, page: tuple[Asked, str]) -> list[str]:
        return [self._number(row) for row in page[0].rows]

    def _stamp(self, row: Row) -> Stamp | None:
        found = (self._source.zone.stamp(row.get(field)) for field in self._spec.stamps)
        return next((stamp for stamp in found if stamp is not None), None)

    def _batch(self, unit: str, rows: Sequence[Row]) -> Batch[Document]:
        window, wanted = self._window, list[tuple[Row, Stamp | None]]()
        skipped: dict[str, tuple[str, dt.datetime]] = {}
        signatures: dict[str, str] = {}
        for row in rows:
            stamp = self._stamp(row)
            in_time = window.lower is None or stamp is None or stamp.latest >= window.lower
            if self._spec.excluded(row) or not (in_time or window.keys is not None):
                continue
            key, signature = key_of(unit, self._number(row)), self._signature(row, stamp)
            if signature and stamp is not None and window.settled(key, signature):
                skipped[key] = (signature, stamp.instant)
                continue
            if signature:
                signatures[key] = signature
            wanted.append((row, stamp))
        heads = self._heads(unit, wanted)
        return Batch(
            clock=self._first.clock,
            skipped=skipped,
            signatures=signatures,
            mapping=functools.partial(_mapped, self._spec, unit, heads),
        )

    def _signature(self, row: Row, stamp: Stamp | None) -> str:
        """Hash of the head; none where its stamp is a recent date, within which it may change again unseen."""
        if stamp is None or (stamp.coarse and self._source.clock.now() - stamp.instant < _COLD):
            return ""
        return hashlib.sha256(repr(sorted(row.items())).encode()).hexdigest()[:12]

    def _heads(self, unit: str, wanted: Sequence[tuple[Row, Stamp | None]]) -> list[Head]:
        whole: Mapping[str, Sequence[Row]] = {}

        def read(found: tuple[Row, Stamp | None]) -> Head:
            row, stamp = found
            spec, number = self._spec, self._number(row)
            if number in whole:
                lines, doubt = whole[number], ""
            else:
                lines, doubt = self._source.lines(spec.lines, unit, spec.prompt, spec.field, number, spec.kind)
            return Head(row, lines, None if stamp is None else stamp.instant, (doubt,) if doubt else ())

        if self._at_once and self._window.keys is None and len(wanted) > _FEW:
            whole = self._lines_of(unit, [self._number(row) for row, _ in wanted])
        if self._source.workers == 1 or len(wanted) < 2:
            return [read(one) for one in wanted]
        with ThreadPoolExecutor(self._source.workers, thread_name_prefix="mlconnector-peoplesoft") as pool:
            return list(pool.map(carried(read), wanted))

    def _lines_of(self, unit: str, numbers: Sequence[str]) -> Mapping[str, Sequence[Row]]:
        """Lines of these documents, as far as one walk has them whole; the others are read one by one."""
        source, entity, first, last = self._source, self._spec.all_lines, *self._dates
        found: dict[str, Sequence[Row]] = {}
        ask = source.asking(entity, {"BU": unit, "FROM_DT": first, "TO_DT": last})
        left, seen = set(numbers), 0
        for groups, _clock in source.groups(entity, ask, _LINES_A_DOCUMENT * source.page_size).walk(before(numbers[0])):
            found |= {group.key: group.rows for group in groups if group.key in left and not group.cut}
            left -= {group.key for group in groups}
            seen += len(groups)
            # Documents without lines are waited for in vain: others than these follow, and the walk ends there.
            if not left or seen > 2 * len(numbers):
                break
        return found


def _mapped(spec: HeadKind, unit: str, heads: Sequence[Head]) -> tuple[list[Document], list[Rejected]]:
    documents, rejected = list[Document](), list[Rejected]()
    for head in heads:
        document, faults = spec.make(head)
        faults = list(dict.fromkeys([*head.faults, *faults]))
        if faults:
            key = key_of(unit, str(head.row.get(spec.field) or "").rstrip())
            rejected.append(Rejected(key=key, row=head.row, faults=tuple(faults), updated_at=head.updated_at))
        else:
            documents.append(document)
    return documents, rejected
