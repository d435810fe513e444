"""Sets as they come in, written the way analysts write them."""

from __future__ import annotations

import pytest

from mlconnector import x12
from mlconnector.errors import InvalidDocument


def received(code: str, text: str) -> x12.TransactionSet:
    """A set of one segment a line, with the usual delimiters."""
    rows = (line.strip().split("*") for line in text.strip().splitlines())
    segments = (
        x12.Segment(tag, *(tuple(one.split(">")) if ">" in one else one for one in rest)) for tag, *rest in rows
    )
    return x12.TransactionSet(code, list(segments))


def refused(reader, ts: x12.TransactionSet, **options) -> InvalidDocument:
    with pytest.raises(InvalidDocument) as caught:
        reader(ts, **options)
    return caught.value
