"""Tables of documents and rows: pandas, Arrow and polars, each imported when it is used.

A document's single parts lie flat (``supplier_number``), its lists are columns of lists unless one is exploded
(``lines_amount``). Amounts stay exact: ``Decimal`` objects in pandas, decimal columns in Arrow and polars.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mlconnector.errors import InvalidArgument
from mlconnector.frames import _arrow, _pandas
from mlconnector.frames._columns import document_class
from mlconnector.frames._frame import frame, needed

__all__ = ["arrow_stream", "document_class", "to_arrow", "to_pandas", "to_polars"]

_BATCH = 1000
_DIGITS = 38
"""Digits a decimal of polars holds."""


def to_pandas(documents: Iterable[Any], explode: str | None = None, *, document: type[Any] | None = None) -> Any:
    """A ``pandas.DataFrame``; a row a document, or an item of ``explode``.

    Args:
        documents: Documents of one class, rows, or a read.
        explode: A field that holds many (``"lines"``): each becomes a row of its own beside its document's fields.
        document: The class, so that a list without documents has its columns.

    Raises:
        MissingExtra: pandas is not installed.
        InvalidArgument: Not documents of one class; a wrong ``explode``.
        InvalidDocument: At a bad row of a read.
    """
    return _pandas.table(needed("pandas", "pandas"), frame(documents, explode, document))


def to_arrow(
    documents: Iterable[Any],
    explode: str | None = None,
    *,
    document: type[Any] | None = None,
    scale: int = _arrow.SCALE,
) -> Any:
    """A ``pyarrow.Table``; options and errors as of :func:`to_pandas`.

    Args:
        scale: Digits after the point of a decimal column; one that holds a longer amount is widened.

    Raises:
        InvalidDocument: An amount of more than 76 digits.
    """
    checked = _arrow.checked_scale(scale)
    return _arrow.table(needed("pyarrow", "arrow"), frame(documents, explode, document), checked)


def to_polars(
    documents: Iterable[Any],
    explode: str | None = None,
    *,
    document: type[Any] | None = None,
    scale: int = _arrow.SCALE,
) -> Any:
    """A ``polars.DataFrame``, by way of Arrow; options and errors as of :func:`to_arrow`.

    Raises:
        InvalidArgument: A column needs more than the 38 digits that polars has.
    """
    polars, pa = needed("polars", "polars"), needed("pyarrow", "polars")
    found = _arrow.table(pa, frame(documents, explode, document), _arrow.checked_scale(scale))
    wide = [field.name for field in found.schema if pa.types.is_decimal256(field.type)]
    if wide:
        raise InvalidArgument(
            f"{', '.join(wide)} needs more than {_DIGITS} digits, and polars has no such column.",
            cure="Give a smaller scale=, or use to_pandas.",
        )
    return polars.from_arrow(found)


def arrow_stream(documents: Iterable[Any], requested_schema: object = None) -> object:
    """The Arrow C stream of a read (``__arrow_c_stream__``); documents are fetched as the stream is read."""
    pa, read = needed("pyarrow", "arrow"), frame(documents, None, None)
    if read.lasting:
        reader = _arrow.batches(pa, read, _arrow.SCALE, _BATCH)
    else:
        reader = _arrow.table(pa, read, _arrow.SCALE).to_reader()
    stream: object = reader.__arrow_c_stream__(requested_schema)
    return stream
