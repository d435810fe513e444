"""JSON in which money stays exact: Decimal from wire to wire, NaN and Infinity refused.

With the extra ``fast``, msgspec decodes, several times as fast. What it refuses is decoded by the standard library, so
that both take and refuse the same.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from mlconnector.errors import InvalidArgument

__all__ = ["dumps", "elements", "loads"]


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number")


_EXPONENT = "a number has an exponent beyond what Decimal holds"
_SPACE = re.compile(r"[ \t\n\r]+")
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)


@functools.cache
def _fast() -> tuple[Callable[[bytes], Any], tuple[type[Exception], ...]] | None:
    """The decoder of msgspec and what it raises; ``None`` where it is not installed."""
    try:
        import msgspec
    except ImportError:
        return None
    return msgspec.json.Decoder(float_hook=Decimal).decode, (msgspec.MsgspecError, ValueError, ArithmeticError)


def loads(text: str | bytes) -> Any:
    """Decode JSON; numbers with a point or exponent become ``Decimal``, others ``int``.

    Raises:
        ValueError: Not JSON, or it holds NaN or Infinity.
    """
    if isinstance(text, bytes):
        fast = _fast()
        if fast is not None:
            try:
                return fast[0](text)
            except fast[1]:
                pass
        text = text.decode("utf-8-sig")
    try:
        return _DECODER.decode(text)
    except ArithmeticError:
        raise ValueError(_EXPONENT) from None


def elements(content: bytes, begin: int, end: int) -> Iterator[Any]:
    """Decode the elements of an array one by one: each can be let go before the next is made.

    Args:
        content: JSON in UTF-8. ``begin``: behind the array's opening bracket. ``end``: at its closing one.

    Raises:
        ValueError: What stands between the two is no list of JSON values.
    """
    if _fast() is not None:
        yield from loads(b"[%b]" % content[begin:end])
        return
    text = str(memoryview(content)[begin:end], "utf-8")
    place = _after_space(text, 0)
    while place < len(text):
        try:
            value, place = _DECODER.raw_decode(text, place)
        except ArithmeticError:
            raise ValueError(_EXPONENT) from None
        yield value
        del value
        place = _after_space(text, place)
        if place < len(text):
            if text[place] != ",":
                raise ValueError(f"no comma at {place} of an array")
            place = _after_space(text, place + 1)
            if place == len(text):
                raise ValueError("an array ends with a comma")


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return place if found is None else found.end()


def dumps(value: Any) -> str:
    """Encode JSON exactly: a ``Decimal`` becomes a plain number, dates ISO text, keys keep their order.

    Raises:
        InvalidArgument: A float (it has lost cents already), NaN, Infinity, or a type JSON does not have.
    """
    # The plain types first: a look-up by list sends hundreds of small mappings of texts.
    if type(value) is str:
        return encode_basestring(value)
    if type(value) is dict or isinstance(value, Mapping):
        items = [
            f"{encode_basestring(str(key))}:{encode_basestring(item) if type(item) is str else dumps(item)}"
            for key, item in value.items()
        ]
        return "{" + ",".join(items) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([dumps(item) for item in value]) + "]"
    if value is None or isinstance(value, (bool, int, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise InvalidArgument(f"{value} cannot be sent as a number.", cure="Send finite amounts.")
        return format(value, "f")
    if isinstance(value, (dt.datetime, dt.date)):
        return json.dumps(value.isoformat())
    raise InvalidArgument(f"{type(value).__name__} {value!r} cannot be sent as JSON.", cure="Use Decimal for amounts.")
