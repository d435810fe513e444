"""The PySpark 4 Python Data Source: batch and stream."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
from pyspark.sql import SparkSession
from pyspark.sql.datasource import (
    DataSource,
    DataSourceReader,
    EqualTo,
    Filter,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    InputPartition,
    LessThan,
    LessThanOrEqual,
    SimpleDataSourceStreamReader,
)
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import StructType

from mlconnector.errors import InvalidArgument
from mlconnector.spark._cells import batches, inferred
from mlconnector.spark._settings import Condition, Settings

__all__ = ["MLConnectorSource", "register"]

_FIRST = 200
"""Rows a schema is taken from."""
_OPERATORS: Mapping[type[Filter], str] = {
    EqualTo: "=",
    GreaterThan: ">",
    GreaterThanOrEqual: ">=",
    LessThan: "<",
    LessThanOrEqual: "<=",
}
_MOST_VALUES = 50


def register(session: SparkSession) -> None:
    """Make ``format("mlconnector")`` known to a Spark session, and let it push filters down.

    Spark refuses a source that takes filters where ``spark.sql.python.filterPushdown.enabled`` is off, its default.
    """
    session.conf.set("spark.sql.python.filterPushdown.enabled", "true")
    session.dataSource.register(MLConnectorSource)


class MLConnectorSource(DataSource):
    """What Spark makes of ``format("mlconnector")``; options as of :class:`Settings`."""

    def __init__(self, options: MutableMapping[str, str]) -> None:
        super().__init__(options)
        self._settings = Settings.of(options)

    @classmethod
    def name(cls) -> str:
        """The name of the format."""
        return "mlconnector"

    def schema(self) -> StructType:
        """Of documents, what the class says; of a table, what its first rows show.

        Raises:
            InvalidArgument: A table without columns.
        """
        settings = self._settings
        with settings.open() as client:
            if settings.kind is not None:
                return from_arrow_schema(_stream(client.read(settings.kind, keys=[])).schema)
            if not settings.columns:
                raise InvalidArgument("A table needs columns.", cure='Add .option("columns", "DOC,AA"), or a schema.')
            first = client.rows(
                settings.table, columns=settings.columns, where=list(settings.where) or None, limit=_FIRST
            )
            return from_arrow_schema(inferred(first, settings.columns, _named(settings)))

    def reader(self, schema: StructType) -> DataSourceReader:
        """Reads a batch."""
        return _BatchReader(self._settings, schema)

    def simpleStreamReader(self, schema: StructType) -> SimpleDataSourceStreamReader:  # noqa: N802 - Spark's name
        """Reads documents as they change.

        Raises:
            InvalidArgument: A table: rows have no cursor.
        """
        if self._settings.kind is None:
            raise InvalidArgument("A table cannot be streamed.", cure='Use .option("kind", ...), which has a cursor.')
        return _StreamReader(self._settings, schema)


class _Share(InputPartition):
    """The ranges that one session reads."""

    def __init__(self, ranges: list[tuple[Condition, ...]]) -> None:
        super().__init__(ranges)


class _BatchReader(DataSourceReader):
    def __init__(self, settings: Settings, schema: StructType) -> None:
        self._settings, self._schema = settings, schema
        self._pushed: list[Condition] = []

    def pushFilters(self, filters: list[Filter]) -> Iterable[Filter]:  # noqa: N802 - Spark's name
        """Push comparisons with numbers and dates down; Spark applies all of them again, so none is trusted.

        Texts are left to Spark: how a vendor compares blanks and cases is its own. Use ``where`` for them.
        """
        for one in filters:
            condition = None if self._settings.table is None else _condition(one)
            if condition is not None:
                self._pushed.append(condition)
            yield one

    def partitions(self) -> Sequence[InputPartition]:
        """One for each session."""
        return [_Share(ranges) for ranges in self._settings.shares()]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """The rows of a share, on one session that ends with it."""
        settings, schema = self._settings, to_arrow_schema(self._schema, timezone="UTC")
        with settings.open() as client:
            for ranged in partition.value:
                where = [*settings.where, *self._pushed, *ranged]
                if settings.table is not None:
                    rows = client.rows(settings.table, columns=schema.names, where=where or None)
                    yield from batches(rows, schema, _named(settings))
                else:
                    records = client.read(settings.kind, settings.since, where=where or None)
                    for batch in _stream(records):
                        yield batch.select(schema.names).cast(schema)


class _StreamReader(SimpleDataSourceStreamReader):
    """A stream of documents; its offset is the library's cursor."""

    def __init__(self, settings: Settings, schema: StructType) -> None:
        self._settings, self._schema = settings, schema

    def initialOffset(self) -> dict[str, Any]:  # noqa: N802 - Spark's name
        """Before everything."""
        return {"cursor": None}

    def read(self, start: dict[str, Any]) -> tuple[Iterator[tuple[Any, ...]], dict[str, Any]]:
        """What changed since an offset, and the offset behind it; the same one where nothing did."""
        found: list[Any] = []
        cursor = start["cursor"]
        with self._settings.open() as client:
            for number, page in enumerate(self._records(client, start).pages(), 1):
                _refuse_rejected(page)
                found += page.documents
                cursor = page.cursor
                if found and number >= self._settings.pages_per_batch:
                    break
        return self._rows(found), {"cursor": cursor} if found else start

    def readBetweenOffsets(self, start: dict[str, Any], end: dict[str, Any]) -> Iterator[tuple[Any, ...]]:  # noqa: N802
        """A batch again, after a failure: everything since its begin. Documents may come twice, none is left out."""
        del end
        found: list[Any] = []
        with self._settings.open() as client:
            for page in self._records(client, start).pages():
                _refuse_rejected(page)
                found += page.documents
        return self._rows(found)

    def _records(self, client: Any, start: Mapping[str, Any]) -> Any:
        settings = self._settings
        records = client.read(settings.kind, settings.since, where=list(settings.where) or None)
        return records.continue_from(start["cursor"])

    def _rows(self, documents: list[Any]) -> Iterator[tuple[Any, ...]]:
        from mlconnector.frames import to_arrow

        if not documents:
            return iter(())
        schema = to_arrow_schema(self._schema, timezone="UTC")
        table = to_arrow(documents).select(schema.names).cast(schema)
        return iter([tuple(row.values()) for row in table.to_pylist(maps_as_pydicts="strict")])


def _refuse_rejected(page: Any) -> None:
    from mlconnector.errors import InvalidDocument

    for rejected in page.rejected:
        raise InvalidDocument(
            f"{rejected.key} cannot be read.",
            faults=rejected.faults,
            cure="Correct it in the source; the stream goes on from there.",
        )


def _condition(one: Filter) -> Condition | None:
    if isinstance(one, In) and len(one.attribute) == 1 and 0 < len(one.value) <= _MOST_VALUES:
        return (one.attribute[0], "in", list(one.value)) if all(map(_comparable, one.value)) else None
    operator = _OPERATORS.get(type(one))
    if operator is None or len(one.attribute) != 1 or not _comparable(one.value):  # type: ignore[attr-defined]
        return None
    return one.attribute[0], operator, one.value  # type: ignore[attr-defined]


def _comparable(value: Any) -> bool:
    return type(value) in (int, Decimal, dt.date)


def _named(settings: Settings) -> Any:
    """What a column is called in rows: AIS sends it behind its table."""
    if settings.system != "jdedwards":
        return str
    return lambda column: f"{settings.table}_{column}"


def _stream(records: Any) -> Any:
    return pa.RecordBatchReader.from_stream(records)
