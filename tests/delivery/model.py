"""A small model of a source and of a target, each with the faults a real one has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

import mlconnector as mc
from mlconnector.records import Batch, Window
from mlconnector.target import Counters
from mlconnector.testing import ManualClock

START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@attrs.define
class Table:
    """A source of suppliers."""

    clock: ManualClock
    rows: dict[str, mc.Supplier] = attrs.Factory(dict)
    bad: dict[str, tuple[str, ...]] = attrs.Factory(dict)
    page: int = 50
    system: str = "model"
    kind: str = "suppliers"
    filters: dict[str, Any] = attrs.Factory(dict)
    overlap: dt.timedelta = HOUR
    resumable: bool = True

    def put(self, key: str, name: str, stamp: dt.datetime | None = None, **fields: Any) -> None:
        origin = mc.Provenance(system="model", kind="suppliers", key=key, updated_at=stamp or self.clock.now())
        self.rows[key] = mc.Supplier(number=key, name=name, provenance=origin, **fields)

    def read(self, window: Window) -> Iterator[Batch[mc.Supplier]]:
        found = [row for key, row in sorted(self.rows.items()) if self._wanted(key, row, window)]
        rejected = [mc.Rejected(key=key, row={}, faults=faults) for key, faults in self.bad.items()]
        parts = [found[start : start + self.page] for start in range(0, len(found), self.page)] or [[]]
        for number, part in enumerate(parts, 1):
            position = part[-1].key if part else window.position
            last = number == len(parts)
            yield Batch(
                documents=part, rejected=rejected if last else (), position=position, clock=self.clock.now(), last=last
            )

    @staticmethod
    def _wanted(key: str, row: mc.Supplier, window: Window) -> bool:
        if window.keys is not None:
            return key in window.keys
        late = window.lower is None or row.provenance.updated_at >= window.lower
        return late and (window.position is None or key > window.position)


@attrs.define
class Desk:
    """A target that keeps every write it took, and misbehaves as told."""

    name: str = "desk"
    batch_size: int = 1
    look_up: str = "reliable"
    settle_after: dt.timedelta = dt.timedelta(minutes=1)
    look_before_create: bool = False
    compare_before_update: bool = False
    found_by: str = "marker"
    steps: tuple[str, ...] = ()
    wrote: list[tuple[str, Any]] = attrs.Factory(list)
    done: dict[str, list[str]] = attrs.Factory(dict)
    seen: list[Any] = attrs.Factory(list)
    changes: list[Any] = attrs.Factory(list)
    hidden: bool = False
    script: list[Any] = attrs.Factory(list)
    refuse: dict[str, Exception] = attrs.Factory(dict)
    find_raises: Exception | None = None
    finds: int = 0
    inside: Any = None

    def content(self, document: mc.Supplier) -> str:
        return document.name

    def prepare(self, change: mc.Change[mc.Supplier]) -> mc.Prepared:
        self.changes.append(change)
        document = change.document
        if document.name in self.refuse:
            raise self.refuse[document.name]
        return mc.Prepared(
            document,
            lambda numbers: f"{document.name}|{numbers.interchange}|{numbers.group}",
            lambda numbers: f"{change.key}-{change.revision}-{numbers.interchange}",
            counters=Counters("interchange", "group"),
            steps=self.steps,
            describe={"partner": "model"},
            attention=("look at me",) if document.name == "look" else (),
        )

    def find(self, prepared: mc.Prepared) -> mc.Receipt | None:
        self.finds += 1
        if self.find_raises is not None:
            raise self.find_raises
        if self.hidden or prepared.marker not in self.done:
            return None
        return mc.Receipt(system="desk", id=prepared.key, by=self.found_by, steps=self.done[prepared.marker])

    def deliver(self, batch: Sequence[mc.Prepared]) -> Sequence[mc.Receipt | mc.MLConnectorError]:
        if self.inside is not None:
            self.inside(batch)
        act = self.script.pop(0) if self.script else None
        if isinstance(act, tuple):
            moment, error = act
            if moment == "after":
                self._write(batch)
            raise error
        if isinstance(act, Exception):
            return [act for _ in batch]
        if act == "short":
            return []
        self._write(batch)
        return [mc.Receipt(system="desk", id=prepared.key, raw={"step": prepared.step}) for prepared in batch]

    def _write(self, batch: Sequence[mc.Prepared]) -> None:
        for prepared in batch:
            self.seen.append(prepared)
            self.wrote.append((prepared.key, prepared.payload))
            self.done.setdefault(prepared.marker, []).append(prepared.step or "")

    def names(self) -> list[str]:
        return [payload.partition("|")[0] for _key, payload in self.wrote]


@attrs.define
class Model:
    """Source, target, clock, ledger, and a sync between them."""

    clock: ManualClock
    table: Table
    desk: Desk
    ledger: mc.Ledger

    def sync(self, **options: Any) -> mc.Sync:
        options.setdefault("call_timeout", 60.0)
        return mc.Sync("s", records=mc.Records(self.table), target=self.desk, ledger=self.ledger, **options)

    def states(self) -> list[tuple[str, int, str]]:
        return [(one.key, one.revision, one.state) for one in self.ledger.deliveries()]


LOST = mc.ConnectionFailed("no answer")
