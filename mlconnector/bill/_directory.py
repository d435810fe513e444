"""A list of BILL's kept in memory and brought up to date by its changes: vendors, accounts, departments."""

from __future__ import annotations

import datetime as dt
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mlconnector.bill._api import STABLE, Api
from mlconnector.bill._resources import Resource
from mlconnector.bill._values import field_of

__all__ = ["Directory"]

Row = Mapping[str, Any]
_OVERLAP = dt.timedelta(minutes=10)
_FRESH = 300.0


class Directory:
    """Every record of a resource, archived ones too, found by id or by a value.

    The whole list is read once; after that only what changed, which is complete because BILL deletes none of them
    (BILL reference, sections 6 and 8).

    Args:
        api: Who asks.
        resource: What is listed.
        values: The values a record is found by.
    """

    def __init__(self, api: Api, resource: Resource, values: Callable[[Row], Iterable[str]]) -> None:
        self._api, self._resource, self._values = api, resource, values
        self._start()

    def _start(self) -> None:
        self._lock = threading.RLock()
        self._rows: dict[str, Row] = {}
        self._index: dict[str, dict[str, Row]] = defaultdict(dict)
        self._whole: set[str] = set()
        self._as_of: dt.datetime | None = None
        self._read_at = 0.0

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in ("_api", "_resource", "_values")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    def refresh(self, *, older_than: float = 0.0) -> None:
        """Take in what has changed, unless that was done within so many seconds."""
        with self._lock:
            now = self._api.clock.monotonic()
            if self._as_of is not None and now - self._read_at < older_than:
                return
            where = [] if self._as_of is None else [("updatedTime", ">=", self._as_of - _OVERLAP)]
            as_of = None
            for page in self._api.pages(self._resource, where, order_by=STABLE):
                as_of = as_of or page.clock or self._api.clock.now()
                for row in page.rows:
                    self._take(row)
            self._as_of, self._read_at = as_of, now

    def get(self, key: str) -> Row | None:
        """The record of this id."""
        with self._lock:
            self.refresh(older_than=_FRESH)
            if key not in self._rows:
                self.refresh(older_than=1.0)
            return self._rows.get(key)

    def having(self, value: str) -> list[Row]:
        """The records with this value; one that is not known is looked for among the latest changes first."""
        with self._lock:
            self.refresh(older_than=_FRESH)
            if not self._index.get(value):
                self.refresh(older_than=60.0)
            return list(self._index.get(value, {}).values())

    def whole(self, row: Row) -> Row:
        """The record as it is told when asked for alone: rows of lists can lack fields (section 4)."""
        key = str(row["id"])
        with self._lock:
            if key not in self._whole:
                self.put(self._api.record(self._resource, key))
            return self._rows[key]

    def put(self, row: Row) -> None:
        """Take in a record that a call of ours answered."""
        with self._lock:
            self._take(row)
            self._whole.add(str(row["id"]))

    def _take(self, row: Row) -> None:
        key = str(row.get("id") or "")
        known = self._rows.get(key)
        if known is not None:
            if key in self._whole and field_of(known, "updatedTime") == field_of(row, "updatedTime"):
                return
            for value in self._values(known):
                self._index[value].pop(key, None)
        self._whole.discard(key)
        self._rows[key] = row
        for value in self._values(row):
            self._index[value][key] = row
