"""The records of the simulated BILL: opaque ids, stamps in milliseconds, archived or not."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from mlconnector.clock import Clock
from mlconnector.errors import InvalidArgument
from mlconnector.testing._bill_catalog import RESOURCES, Resource
from mlconnector.testing._bill_errors import instant_text, refusal

__all__ = ["Database", "Record", "Store", "without_nulls"]


@attrs.define(eq=False)
class Record:
    """One record.

    Attributes:
        id: Opaque; upper and lower case count.
        number: Its place in the order of arrival.
        row: What it holds, without id, archived flag and stamps.
        archived: Its state.
        created: In UTC, whole milliseconds; so ``updated``.
        visible_at: The monotonic second from which lists show it.
    """

    id: str
    number: int
    row: dict[str, Any]
    archived: bool
    created: dt.datetime
    updated: dt.datetime
    visible_at: float

    def shown(self) -> dict[str, Any]:
        """The record as an answer has it: what has no value is left out."""
        stamps = {"createdTime": instant_text(self.created), "updatedTime": instant_text(self.updated)}
        kept: dict[str, Any] = without_nulls({"id": self.id, **self.row, "archived": self.archived, **stamps})
        return kept

    def values(self, path: str) -> list[Any]:
        """What stands under a dotted path; a bill's classifications are also those of its lines."""
        match path:
            case "id":
                return [self.id]
            case "archived":
                return [self.archived]
            case "createdTime":
                return [self.created]
            case "updatedTime":
                return [self.updated]
            case "status":
                # Two vocabularies stand in one payment (section 10); a filter may mean either.
                return [self.row[name] for name in ("status", "singleStatus") if self.row.get(name)]
        places = [self.row]
        if path.startswith("classifications."):
            places += self.row.get("billLineItems", ())
        found = (_deep(place, path.split(".")) for place in places)
        return [value for value in found if value is not None]


def _deep(value: Any, path: list[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def without_nulls(value: Any) -> Any:
    """The same without what has no value: BILL omits it (section 4)."""
    if isinstance(value, Mapping):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [without_nulls(item) for item in value]
    return value


class Store:
    """The records of one resource, in the order of their arrival."""

    def __init__(self, resource: Resource, database: Database) -> None:
        self.resource = resource
        self._database = database
        self._records: dict[str, Record] = {}

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def put(
        self,
        row: Mapping[str, Any],
        *,
        id: str | None = None,  # noqa: A002 - the vendor's word
        archived: bool = False,
        created: dt.datetime | None = None,
        updated: dt.datetime | None = None,
        lag: float = 0,
    ) -> Record:
        """Add a record, or replace the one with the id given; stamps that are not given are the clock's."""
        now = self._database.now()
        born = now if created is None else _cut(created)
        record = Record(
            id=id or self._database.new_id(self.resource.prefix),
            number=self._database.next_number(),
            row=dict(row),
            archived=archived,
            created=born,
            updated=(now if created is None else born) if updated is None else _cut(updated),
            visible_at=self._database.clock.monotonic() + lag,
        )
        self._records[record.id] = record
        return record

    def get(self, key: Any) -> Record | None:
        """The record of an id, if there is one."""
        return self._records.get(key) if isinstance(key, str) else None

    def asked(self, key: str) -> Record:
        """The record of an id in a path.

        Raises:
            BillRefused: There is none.
        """
        record = self._records.get(key)
        if record is None:
            raise refusal("BDC_1205", f"Record is not found for id {key}.")
        return record

    def existing(self, key: str) -> Record:
        """The record of an id that a test names.

        Raises:
            InvalidArgument: There is none.
        """
        record = self._records.get(key)
        if record is None:
            raise InvalidArgument(f"{self.resource.name} holds no record {key!r}.")
        return record

    def drop(self, key: str) -> None:
        """Delete a record without a trace."""
        self.existing(key)
        del self._records[key]

    def stamp(self, record: Record, at: dt.datetime | None = None) -> None:
        """Stamp a change."""
        record.updated = self._database.now() if at is None else _cut(at)


class Database:
    """All stores, one clock, one maker of ids."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._numbers = 0
        self._ids: dict[str, int] = {}
        self.stores: dict[str, Store] = {name: Store(resource, self) for name, resource in RESOURCES.items()}

    def __getitem__(self, name: str) -> Store:
        return self.stores[name]

    def now(self) -> dt.datetime:
        """The clock's instant in UTC and whole milliseconds."""
        return _cut(self.clock.now())

    def next_number(self) -> int:
        """A place in the order of arrival."""
        self._numbers += 1
        return self._numbers

    def new_id(self, prefix: str) -> str:
        """An opaque id of 20 characters. Every second one differs from its neighbour in letter case alone."""
        number = self._ids[prefix] = self._ids.get(prefix, 0) + 1
        digest = hashlib.sha256(f"{prefix} {(number + 1) // 2}".encode()).hexdigest().upper()
        text = f"X{digest}"[: 20 - len(prefix)]
        return prefix + (text if number % 2 else text.lower())


def _cut(instant: dt.datetime) -> dt.datetime:
    """In UTC and whole milliseconds: what answers do not show must not decide a comparison."""
    if instant.tzinfo is None:
        raise InvalidArgument(f"A stamp must be aware, not {instant!r}.")
    instant = instant.astimezone(dt.UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
