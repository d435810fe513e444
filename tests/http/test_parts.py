"""Exact JSON, links, requests, redaction."""

from __future__ import annotations

import datetime as dt
import pickle
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector.http import Redactor, Request, Response, dumps, is_loopback, loads, parse_origin, same_origin_path

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_json_keeps_every_value_exact(value: Any) -> None:
    assert loads(dumps(value)) == value
    assert loads(dumps(value).encode()) == value


def test_amounts_are_plain_numbers_and_dates_iso() -> None:
    assert dumps({"a": Decimal("1E+3"), "b": Decimal("0.10"), "d": dt.date(2026, 1, 2)}) == (
        '{"a":1000,"b":0.10,"d":"2026-01-02"}'
    )


@pytest.mark.parametrize("value", [1.5, Decimal("NaN"), Decimal("Infinity"), object(), {"a": {1, 2}}])
def test_what_is_not_exact_is_not_sent(value: Any) -> None:
    with pytest.raises(mc.InvalidArgument):
        dumps(value)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "{", ""])
def test_what_is_no_number_or_no_json_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        loads(text)


def test_links_are_followed_on_the_configured_origin_only() -> None:
    origin = parse_origin("HTTPS://Ais.Example:9302/")
    assert origin == "https://ais.example:9302"
    assert parse_origin("https://[::1]") == "https://[::1]:443"
    assert same_origin_path("http://inner:80/a/b?c=%2F", origin) == "/a/b?c=%2F"
    assert same_origin_path("/a", origin) == "/a"
    for bad in ("ftp://x/a", "a/b", "http://[bad/a", "/a b"):
        with pytest.raises(mc.VendorFault):
            same_origin_path(bad, origin)


@pytest.mark.parametrize("origin", ["https://x:port", "https://x?y", "", "https://"])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(mc.InvalidArgument):
        parse_origin(origin)


def test_loopback_is_known_by_address() -> None:
    assert is_loopback("http://localhost:1")
    assert is_loopback("http://127.8.0.1:1")
    assert not is_loopback("http://example.com:1")


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [("get", "/x", {}), ("GET", "x", {}), ("GET", "/ä", {}), ("POST", "/x", {"data": b"", "form": {}})],
)
def test_requests_that_cannot_be_sent_are_refused(method: str, path: str, options: dict[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument):
        Request(method, path, **options)


def test_a_request_makes_its_target_and_body() -> None:
    assert Request("GET", "/x?a=1", params={"b": ["1", "2"]}).target == "/x?a=1&b=1&b=2"
    assert Request("POST", "/x", form={"p": "a&b@+%"}).body()[0] == b"p=a%26b%40%2B%25"
    assert Request("POST", "/x", json=None).body() == (b"null", "application/json")


def test_a_response_reads_its_text_in_the_named_character_set() -> None:
    latin = Response(status=200, headers={"Content-Type": "text/plain; charset=latin-1"}, content="é".encode("latin-1"))
    assert latin.text == "é"
    unknown = Response(status=200, headers={"Content-Type": "text/plain; charset=nonsense"}, content=b"e")
    assert unknown.text == "e"
    assert Response(status=200, headers={"Date": "nonsense"}).date is None
    assert Response(status=200, headers={"Date": "Sat, 21 Nov 2026 10:00:00 -0000"}).date is not None
    assert pickle.loads(pickle.dumps(latin)) == latin
    assert Response(status=200, content=b"word " * 100).excerpt().endswith("...")


def test_known_secrets_and_what_looks_like_one_are_taken_out() -> None:
    redact = Redactor(["s3cret/x", "Basic dXNlcjpzM2NyZXQ="])
    text = redact("s3cret/x s3cret%2Fx token=abcdef Bearer abcdefgh password: hunter2")
    for secret in ("s3cret", "abcdef", "hunter2"):
        assert secret not in text
    assert redact("s3cret") == "***"
    assert repr(redact) == "Redactor()"
    assert pickle.loads(pickle.dumps(redact))("s3cret/x") == "s3cret/x"
