"""JSON in which money stays exact: Decimal from wire to wire, NaN and Infinity refused."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mlconnector.errors import InvalidArgument

__all__ = ["dumps", "loads"]


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)


def loads(text: str | bytes) -> Any:
    """Decode JSON; numbers with a point or exponent become ``Decimal``, others ``int``.

    Raises:
        ValueError: Not JSON, or it holds NaN or Infinity.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    return _DECODER.decode(text)


def dumps(value: Any) -> str:
    """Encode JSON exactly: a ``Decimal`` becomes a plain number, dates ISO text, keys keep their order.

    Raises:
        InvalidArgument: A float (it has lost cents already), NaN, Infinity, or a type JSON does not have.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise InvalidArgument(f"{value} cannot be sent as a number.", cure="Send finite amounts.")
        return format(value, "f")
    if isinstance(value, (dt.datetime, dt.date)):
        return json.dumps(value.isoformat())
    if isinstance(value, Mapping):
        return (
            "{"
            + ",".join(f"{json.dumps(str(key), ensure_ascii=False)}:{dumps(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(dumps, value)) + "]"
    raise InvalidArgument(f"{type(value).__name__} {value!r} cannot be sent as JSON.", cure="Use Decimal for amounts.")
