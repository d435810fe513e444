"""What a simulated PeopleSoft holds: records, queries, component interfaces, messages; and how a test changes it."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.clock import Clock
from mlconnector.errors import InvalidArgument
from mlconnector.testing._peoplesoft_build import BuildReport, build_vouchers
from mlconnector.testing._peoplesoft_components import DELIVERED, Component
from mlconnector.testing._peoplesoft_documents import BUSINESS_UNIT, SETID, rows_of
from mlconnector.testing._peoplesoft_gateway import MessageGateway
from mlconnector.testing._peoplesoft_messages import VOUCHER_BUILD, Message, StagedRow, flatten
from mlconnector.testing._peoplesoft_queries import QUERIES, Execution, Query, conditions, scatter
from mlconnector.testing._peoplesoft_records import RECORDS, STAGING, Record, parse_fields, record_of
from mlconnector.testing._peoplesoft_store import RecordStore, Row, typed
from mlconnector.testing._server import Simulator

__all__ = ["EXECUTE_QUERY", "PeopleSoftData"]

EXECUTE_QUERY = "ExecuteQuery.v1"

_STAGING_NAMES = (*STAGING, "PO_HDR_EC", "PO_LINE_EC", "PO_LINE_SHIP_EC")


class PeopleSoftData(Simulator):
    """The database side of :class:`PeopleSoftSimulator`, without its listeners.

    Attributes:
        business_unit: Where documents without a company go.
        setid: Where masters go.
    """

    business_unit = BUSINESS_UNIT
    setid = SETID

    def __init__(
        self,
        *,
        clock: Clock,
        date_skew: dt.timedelta,
        lock_after: int | None,
        gateway: MessageGateway,
        time_zone: str,
        last_update_date: bool,
        children_touch: bool,
        build_after: int | None,
    ) -> None:
        super().__init__(clock=clock, date_skew=date_skew, lock_after=lock_after)
        try:
            self._zone = zoneinfo.ZoneInfo(time_zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise InvalidArgument(f"time_zone must be a name such as 'America/Denver', not {time_zone!r}.") from None
        if build_after is not None and build_after < 1:
            raise InvalidArgument(f"build_after must be at least 1 or None, not {build_after!r}.")
        self._gateway = gateway
        self._children_touch = children_touch
        self._build_after = build_after
        self._calls_to_build = build_after
        self._stores = {name: RecordStore(record, self._zone) for name, record in RECORDS.items()}
        self._queries = dict(QUERIES)
        self._components = dict(DELIVERED)
        self._inactive: set[str] = set()
        self._forbidden: set[str] = set()
        self._hidden: set[str] = set()
        if not last_update_date:
            self._stores["VOUCHER"].narrow("LAST_UPDATE_DT")
            entered = {name: f"A.ENTERED_DT {sign}" for name, sign in (("FROM_DT", ">="), ("TO_DT", "<="))}
            query = QUERIES["ML_VOUCHER"]
            self._queries[query.name] = attrs.evolve(query, prompts={**query.prompts, **conditions(entered)})

    # Rows

    def add(self, item: Any, *, record: str | None = None, query: str | None = None) -> None:
        """Put rows or a document in; what has the same key is replaced.

        Args:
            item: A business document, or a row or a sequence of rows of ``record`` or ``query``, or a mapping of
                names of records and queries to sequences of rows. Values are text, ``int``, ``Decimal``, ``date``,
                aware ``datetime``, ``time`` or None. Stamps that a row does not bring are the clock's.
            record: The record's name, such as ``"PO_HDR"``; rows are field to value.
            query: The query's name, such as ``"ML_PO_HDR"``; rows are as its answers show them (``"A.PO_ID"``, dates
                as text or as dates), and are taken apart into the query's records.

        Raises:
            InvalidArgument: An unknown record, query or field, a missing key, a value the field cannot hold, or both
                a record and a query.
        """
        if record is not None and query is not None:
            raise InvalidArgument(f"Rows are of a record or of a query, not of both ({record!r}, {query!r}).")
        rows: Iterable[tuple[str, Mapping[str, Any]]]
        with self._lock:
            if record is not None or query is not None:
                each = [item] if isinstance(item, Mapping) else item
                rows = [(record or query or "", row) for row in each]
            elif isinstance(item, Mapping):
                rows = [(name, row) for name, each in item.items() for row in each]
            else:
                rows = rows_of(item, self._stores, self._today())
            for name, row in rows:
                self._put(name, row)

    def _put(self, name: str, row: Mapping[str, Any]) -> None:
        now = self.clock.now()
        query = self._queries.get(name)
        if query is None:
            self._store(name).put(row, now)
        elif query.record is None:
            self._queries[name] = attrs.evolve(query, rows=(*query.rows, dict(row)))
        else:
            for record, part in scatter(query, self._records, row).items():
                self._store(record).put(part, now)

    def update(self, record: str, key: Any, **fields: Any) -> None:
        """Change fields of one row and stamp it now, or with the stamp given.

        Args:
            record: The record's name.
            key: A mapping of key fields, the key's values in order, or the one value of a single key.
            fields: Field to value. A key field moves the row. The row above is stamped as ``children_touch`` says.

        Raises:
            InvalidArgument: No such record, row or field.
        """
        with self._lock:
            row = self._store(record).revise(key, fields, self.clock.now())
            parent = self._store(record).record.parent
            if parent is not None and self._children_touch:
                above = self._store(parent)
                above.revise({name: row[name] for name in above.record.key}, {}, self.clock.now())

    def remove(self, record: str, key: Any) -> None:
        """Delete one row without a trace.

        Args:
            key: Of the row.

        Raises:
            InvalidArgument: No such record or row.
        """
        with self._lock:
            self._store(record).drop(key)

    @property
    def contents(self) -> Mapping[str, tuple[Mapping[str, Any], ...]]:
        """Record name to its rows of this moment, in key order; staging records hold what their messages said."""
        with self._lock:
            held = {name: tuple(dict(row) for row in store.rows()) for name, store in self._stores.items()}
            staged = {
                name: tuple(dict(row.values) for row in self._gateway.rows(name)) for name in self._staging_names()
            }
            return staged | held

    def _staging_names(self) -> set[str]:
        named = {row.record for staged in self._gateway.staged.values() for row in flatten(staged)}
        return named | set(_STAGING_NAMES)

    # Definitions, as the customer's administrator makes them

    def define_record(self, name: str, *, key: str, fields: str, stamp: str | None = None) -> None:
        """A record of the customer's own.

        Args:
            name: As in the database.
            key: Its key fields, blank-separated.
            fields: ``"BUSINESS_UNIT:C5 STATUS:C4 AMOUNT:N ASOF:D CHANGED:T"``: text with its length, number, date,
                instant.
            stamp: The date or instant that tells the last change.

        Raises:
            InvalidArgument: Another form, or a record that is there.
        """
        with self._lock:
            if name in self._records or name in self._queries:
                raise InvalidArgument(f"{name} exists already.")
            self._stores[name] = RecordStore(record_of(name, key=key, fields=fields, stamp=stamp), self._zone)

    def define_fields(self, record: str, fields: str) -> None:
        """Give a record further fields, as sites do.

        Raises:
            InvalidArgument: No such record, or fields of another form than :meth:`define_record` takes.
        """
        with self._lock:
            self._store(record).widen(parse_fields(fields))

    def define_query(
        self,
        name: str,
        *,
        prompts: Mapping[str, str],
        key: str,
        record: str | None = None,
        rows: Sequence[Mapping[str, Any]] = (),
        private: bool = False,
    ) -> None:
        """A query of the customer's own, over a record or over rows given here; it replaces one with its name.

        Args:
            name: As in the path.
            prompts: Unique prompt name to its condition: ``{"BU": "A.BUSINESS_UNIT =", "AFTER_ID": "A.PO_ID >"}``;
                operators are ``= > >= < <=`` and ``asof`` for the row in effect on a date.
            key: The columns it is ordered by, blank-separated.
            record: Its record, with alias A; ``VCHR_HDR_STG``, ``VCHR_LINE_STG`` and ``VCHR_DIST_STG`` too.
            rows: Rows of its own, column to value, where there is no record.
            private: Whether it is the calling user's own.

        Raises:
            InvalidArgument: No such record, or a condition of another form.
        """
        with self._lock:
            if record is not None and record not in self._records:
                raise InvalidArgument(f"There is no record {record!r}.")
            query = Query(
                name=name,
                key=tuple(key.split()),
                prompts=conditions(prompts),
                record=record,
                rows=tuple(dict(row) for row in rows),
                private=private,
            )
            columns = self._execution().columns(query)
            for column, operator in [(each, "=") for each in query.key] + [
                (each.column, each.operator) for each in query.prompts.values()
            ]:
                if (columns or record) and column not in columns:
                    raise InvalidArgument(f"{name} has no column {column!r}; it has {sorted(columns)}.")
                if operator == "asof" and (record is None or column != "A.EFFDT"):
                    raise InvalidArgument("asof goes with A.EFFDT of a record.")
            self._queries[name] = query

    def define_component(self, name: str, record: str, collections: Mapping[str, Any] | None = None) -> None:
        """A component interface of the customer's own.

        Args:
            name: Of the component interface.
            record: Of its level 0; its key fields are the keys of Create, Get and Update.
            collections: Record name to the collections below, nested:
                ``{"VOUCHER_LINE": {"DISTRIB_LINE": {}}}``.

        Raises:
            InvalidArgument: No such record.
        """
        with self._lock:
            component = Component(name, record, collections or {})
            for each in component.records():
                self._store(each)
            self._components[name] = component

    def define_message(self, name: str, alias: str) -> None:
        """Change the external alias of an asynchronous operation, or add an operation whose rows are staged as sent.

        Args:
            name: Of the message, its root element.
            alias: External alias and version, ``"VOUCHER_BUILD.v1"``.
        """
        with self._lock:
            self._gateway.operations[name] = alias
            self._gateway.staged.setdefault(name, [])

    # Rights

    def deactivate(self, operation: str, *, inactive: bool = True) -> None:
        """Make a service operation inactive (or active again).

        Args:
            operation: Its name without version: ``"ExecuteQuery"`` or ``"QAS_EXECUTEQRY_REST_GET"``,
                ``"CI_VNDR_ID_G"``, ``"CIRT_VNDR_ID_G_GET"``, ``"VOUCHER_BUILD"``.
            inactive: False activates it.

        Raises:
            InvalidArgument: No such operation.
        """
        self._mark(self._inactive, self._operation(operation), on=inactive)

    def forbid(self, operation: str, *, forbidden: bool = True) -> None:
        """Take the operation out of the user's permission lists (or put it back).

        Args:
            forbidden: False gives it back.

        Raises:
            InvalidArgument: No such operation.
        """
        self._mark(self._forbidden, self._operation(operation), on=forbidden)

    def hide(self, record: str, *, hidden: bool = True) -> None:
        """Take the user's query access to a record away: queries over it cannot be run (section 3).

        Args:
            hidden: False gives it back.

        Raises:
            InvalidArgument: No such record.
        """
        if record not in self._records:
            raise InvalidArgument(f"There is no record {record!r}.")
        self._mark(self._hidden, record, on=hidden)

    def _mark(self, names: set[str], name: str, *, on: bool) -> None:
        with self._lock:
            if on:
                names.add(name)
            else:
                names.discard(name)

    def _operation(self, name: str) -> str:
        plain = name.partition(".")[0]
        if plain == "QAS_EXECUTEQRY_REST_GET":
            plain = EXECUTE_QUERY.partition(".")[0]
        known = {EXECUTE_QUERY.partition(".")[0], *self._gateway.operations}
        for component in self._components.values():
            known |= {component.operation(suffix) for suffix in ("C", "G", "UP", "UD")}
            known |= {component.rest_operation(suffix) for suffix in ("C_POST", "G_GET", "U_PUT", "UD_PUT")}
        if plain not in known:
            raise InvalidArgument(f"There is no service operation {name!r}.")
        return plain

    # Messages and Voucher Build

    @property
    def messages(self) -> tuple[Message, ...]:
        """The asynchronous messages taken in, as the Service Operations Monitor shows them."""
        with self._lock:
            return tuple(self._gateway.messages)

    def staged(self, message: str = VOUCHER_BUILD) -> tuple[StagedRow, ...]:
        """The level 0 rows that messages of one name have in staging, with the rows below them.

        Raises:
            InvalidArgument: No such message.
        """
        with self._lock:
            if message not in self._gateway.staged:
                raise InvalidArgument(f"There is no message {message!r}.")
            return tuple(self._gateway.staged[message])

    def pause_messages(self, *, paused: bool = True) -> None:
        """Stop the subscriptions: what comes in stays queued, in no staging record, until they run again."""
        with self._lock:
            if paused:
                self._gateway.paused = True
            else:
                self._gateway.resume()

    def build_vouchers(self) -> BuildReport:
        """Run AP_VCHRBLD: staged invoices become vouchers, duplicates are set to Recycle, what is rejected stays."""
        with self._lock:
            left, report = build_vouchers(
                self._gateway.staged[VOUCHER_BUILD], self._stores, now=self.clock.now(), today=self._today()
            )
            self._gateway.staged[VOUCHER_BUILD] = left
            return report

    def _count_towards_build(self) -> None:
        """Run Voucher Build by itself at the call that is due, counted from the first staged row on."""
        if self._build_after is None or self._calls_to_build is None:
            return
        if not self._gateway.staged[VOUCHER_BUILD]:
            self._calls_to_build = self._build_after
            return
        self._calls_to_build -= 1
        if not self._calls_to_build:
            self.build_vouchers()
            self._calls_to_build = self._build_after

    # For the listeners

    @property
    def _records(self) -> Mapping[str, Record]:
        return {name: store.record for name, store in self._stores.items()} | dict(STAGING)

    def _store(self, name: str) -> RecordStore:
        store = self._stores.get(name)
        if store is None:
            raise InvalidArgument(f"There is no record or query {name!r}.")
        return store

    def _today(self) -> dt.date:
        return self.clock.now().astimezone(self._zone).date()

    def _execution(self) -> Execution:
        return Execution(records=self._records, lookup=self._lookup, zone=self._zone, today=self._today())

    def _lookup(self, record: str, equals: Mapping[str, Any]) -> Sequence[Row]:
        store = self._stores.get(record)
        if store is not None:
            return store.where(equals)
        shape = STAGING[record]
        blank: Row = {name: typed(shape, name, None) for name in shape.fields}
        rows = [
            blank | {name: value for name, value in staged.values.items() if name in blank}
            for staged in self._gateway.rows(record)
        ]
        return [row for row in rows if all(row[name] == value for name, value in equals.items())]
