"""What the readers share: asking a query of the contract, its places, its cap of rows, single keys."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import attrs

from mlconnector.clock import Clock
from mlconnector.errors import VendorFault
from mlconnector.peoplesoft._heads import check_codes
from mlconnector.peoplesoft._service import QueryService
from mlconnector.peoplesoft._settings import Layout
from mlconnector.peoplesoft._values import Row, Zone
from mlconnector.peoplesoft._walk import MOST_ROWS, Ask, Asked, Groups, Pages, RowCap, before, was_cut

__all__ = ["EARLIEST", "LATEST", "SEEK_ROWS", "FirstClock", "Source", "seek"]

EARLIEST = "1900-01-01"
LATEST = "2999-12-31"
_LINE_ROWS = 500
SEEK_ROWS = 50
"""Rows a page while single keys are looked for."""

T = TypeVar("T")


@attrs.define
class FirstClock:
    """The server's clock at the first answer of a pass (delivery rule 2)."""

    clock: dt.datetime | None = None

    def noting(self, ask: Ask) -> Ask:
        """Asks the same, and notes the clock."""

        def asked(key: str, maxrows: int) -> Asked:
            answer = ask(key, maxrows)
            self.clock = self.clock or answer.clock
            return answer

        return asked


@attrs.frozen
class Source:
    """One client's means of reading.

    Args:
        service: Runs queries. ``layouts``: the site's queries by entity.
        units: Business units. ``setids``: SETIDs.
        page_size: Rows a page. ``workers``: calls under way at once.
        zone: Of the database. ``cap``: of rows. ``clock``: of the client.
    """

    service: QueryService
    layouts: Mapping[str, Layout]
    units: tuple[str, ...]
    setids: tuple[str, ...]
    page_size: int
    workers: int
    zone: Zone
    cap: RowCap
    clock: Clock

    def ask(self, entity: str, values: Mapping[str, str], maxrows: int) -> Asked:
        """One answer, its rows by contract field; prompts that ``values`` lacks are empty."""
        layout = self.layouts[entity]
        prompts = [(own, values.get(prompt, "")) for prompt, own in layout.prompts.items()]
        answer = self.service.run(layout.name, prompts, maxrows=maxrows)
        rows = layout.rows(answer.rows)
        check_codes(rows, layout.name)
        return Asked(rows, answer.clock)

    def asking(self, entity: str, values: Mapping[str, str]) -> Ask:
        """Asks a query for what comes after a key."""
        after = self.layouts[entity].query.after

        def ask(key: str, maxrows: int) -> Asked:
            return self.ask(entity, {**values, after: key}, maxrows)

        return ask

    def pages(self, entity: str, ask: Ask, size: int | None = None) -> Pages:
        """Pages of a query with one row a key."""
        layout = self.layouts[entity]
        return Pages(ask, layout.query.key, layout.name, size or self.page_size, self.cap)

    def groups(self, entity: str, ask: Ask, size: int | None = None) -> Groups:
        """Groups of a query with several rows a key."""
        layout = self.layouts[entity]
        return Groups(ask, layout.query.key, layout.name, size or self.page_size, self.cap)

    def lines(  # noqa: PLR0917 - private to this package; one call site
        self, entity: str, unit: str, prompt: str, field: str, key: str, heads: str
    ) -> tuple[Sequence[Row], str]:
        """Every row of one document, and what makes that doubtful; ``heads`` is the entity of such documents.

        There is no paging within a document: an answer as long as ``maxrows`` is asked for again with more, and one
        that the query profile may have cut is not taken for whole.
        """
        size = max(self.page_size, _LINE_ROWS)
        while True:
            rows = self.ask(entity, {"BU": unit, prompt: key}, size).rows
            if len(rows) < size or size >= MOST_ROWS:
                break
            size = min(4 * size, MOST_ROWS)
        if any(str(row.get(field) or key).rstrip() != key for row in rows):
            raise VendorFault(
                f"peoplesoft: query {self.layouts[entity].name} returns lines of other documents than {key}.",
                cure=f"The PeopleSoft administrator puts prompt {prompt} into the query's criteria.",
                fault="administrator",
                system="peoplesoft",
            )
        whole = len(rows) < size and self.cap.whole(len(rows), functools.partial(self._probe, heads, unit))
        self.cap.saw(len(rows))
        if whole:
            return rows, ""
        return rows, (
            f"its lines came in an answer of {len(rows)} rows, at which the user's query profile cuts answers; the"
            " PeopleSoft administrator raises the profile's maximum rows to fetch"
        )

    def _probe(self, heads: str, unit: str, rows: int) -> None:
        """Find out whether answers of more rows come at all: documents of all times are the largest set at hand."""
        size = max(self.page_size, rows + 1)
        ask = self.asking(heads, {"BU": unit, "FROM_DT": EARLIEST, "TO_DT": LATEST})
        found = ask("", size).rows
        self.cap.saw(len(found))
        if found and len(found) <= rows:
            last = str(found[-1].get(self.layouts[heads].query.key) or "").rstrip()
            if ask(last, 1).rows:
                was_cut(ask, "", size, len(found), self.cap)

    def today(self) -> dt.date:
        """The database's date, as far as its zone is known."""
        return self.zone.day(self.clock.now())


def seek(
    walk: Callable[[str], Iterator[T]], keys_of: Callable[[T], Sequence[str]], wanted: Iterable[str]
) -> Iterator[T]:
    """Parts of a walk that hold single keys: a query of the contract has no prompt for one key, only one for before it.

    Args:
        walk: From strictly after a key. ``keys_of``: the keys in one part, ascending.
        wanted: The keys; parts may hold others.
    """
    left = dict.fromkeys(sorted(wanted))
    while left:
        target = next(iter(left))
        for part in walk(before(target)):
            keys = keys_of(part)
            if not left.keys().isdisjoint(keys):
                yield part
            for key in keys:
                left.pop(key, None)
            if target not in left or any(_passed(key, target) for key in keys):
                break
        left.pop(target, None)


def _passed(key: str, target: str) -> bool:
    if key.isdecimal() and target.isdecimal() and len(key) == len(target):
        return key > target
    return not key.startswith(target[:-1])
