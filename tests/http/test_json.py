"""Exact JSON: msgspec, where it is installed, takes and refuses what the standard library does."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlconnector.errors import VendorFault
from mlconnector.http import Response, _json
from mlconnector.http._json import dumps, elements, loads

_numbers = st.decimals(allow_nan=False, allow_infinity=False) | st.integers()
_values = st.recursive(
    st.none() | st.booleans() | st.text() | _numbers,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def standard(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if msgspec were not installed."""
    found = builtins.__import__

    def missing(name: str, *rest: Any, **options: Any) -> Any:
        if name == "msgspec":
            raise ImportError(name)
        return found(name, *rest, **options)

    _json._fast.cache_clear()
    monkeypatch.setattr(builtins, "__import__", missing)
    assert _json._fast() is None
    yield
    _json._fast.cache_clear()


def _told(text: bytes) -> Any:
    try:
        return repr(loads(text))
    except ValueError:
        return "refused"


_ODD = [
    b'{"amount":1.10,"big":123456789012345678901234567890,"small":-0.00}',
    b"[NaN]", b"Infinity", b"-Infinity", b"1e400", b"1e99999999999999999999999", b"-0", b"-0.0", b"1E5", b"01", b"1.e5",
    b"18446744073709551616", b"-9223372036854775809", b"123456789012345678901234567890.123456789012345678901234567890",
    b'{"a":1,"a":2}', b'"\xff"', b'"a\nb"', b'"\\ud800"', b'"\\ud83d\\ude00"', b"\xef\xbb\xbf[1.5]", b"[1,]", b"", b"-",
    b"[1.0,2]x", b"1" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("text", _ODD)
def test_both_decoders_take_and_refuse_the_same(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _json._fast() is not None
    fast = _told(text)
    monkeypatch.setattr(_json, "_fast", lambda: None)
    assert fast == _told(text)


@given(_values)
@example(Decimal("0.10"))
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_exactly_by_both(value: Any) -> None:
    text = dumps(value)
    fast = loads(text.encode("utf-8", "surrogatepass"))
    plain = json.loads(text, parse_float=Decimal)
    assert repr(fast) == repr(plain)
    assert fast == value


@given(st.binary(max_size=12).map(lambda tail: b"[1.50," + tail))
@settings(max_examples=60, deadline=None)
def test_broken_answers_are_refused_alike(text: bytes) -> None:
    fast = _told(text)
    known, _json._fast = _json._fast, lambda: None  # type: ignore[assignment]
    try:
        assert fast == _told(text)
    finally:
        _json._fast = known


def _one_by_one(inside: bytes) -> Any:
    try:
        return repr([*elements(b'{"a":[' + inside + b"]}", 6, 6 + len(inside))])
    except ValueError:
        return "refused"


_space = st.text(" \t\r\n", max_size=2)
_elements = st.lists(_values.map(dumps), max_size=4)
_listed = st.builds(lambda texts, space: f"{space},{space}".join(texts) + space, _elements, _space)


@given(_listed.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=6) | st.sampled_from(_ODD))
@example(b",1")
@example(b"1,")
@example(b"1,,2")
@example(b"1 2")
@example(b"1],[2")
@example(b" ")
@settings(max_examples=150, deadline=None)
def test_an_array_read_one_by_one_is_what_it_is_at_once(inside: bytes) -> None:
    at_once = _told(b"[" + inside + b"]")
    assert _one_by_one(inside) == at_once
    known, _json._fast = _json._fast, lambda: None  # type: ignore[assignment]
    try:
        assert _one_by_one(inside) == at_once
    finally:
        _json._fast = known


def test_what_was_read_of_a_broken_array_came_before_the_fault() -> None:
    response = Response(status=200, content=b'[{"a":1.10},{"b":}]')
    known, _json._fast = _json._fast, lambda: None  # type: ignore[assignment]
    try:
        found = response.elements(1, len(response.content) - 1)
        assert next(found) == {"a": Decimal("1.10")}
        with pytest.raises(VendorFault, match="instead of JSON"):
            next(found)
    finally:
        _json._fast = known


def test_without_msgspec_the_standard_library_decodes(standard: None) -> None:
    assert loads(b'{"a":1.10}') == {"a": Decimal("1.10")}
    assert str(loads(b"[1.10]")[0]) == "1.10"
    with pytest.raises(ValueError, match="NaN"):
        loads(b"NaN")
