"""Webhooks: only what the shared secret signed, in time, is an event; nothing crashes."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import logging
import pickle
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector.coupa import CoupaVerifier
from mlconnector.event import Event, Verifier
from mlconnector.testing import ManualClock

NOW = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
INVOICE = {"id": 77, "invoice-number": "R-1", "status": "approved", "updated-at": "2026-03-02T07:00:00-08:00"}
SECRET = "söcret"


def signed(body: bytes, secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).digest()


def call(value: Any = INVOICE, secret: str = SECRET) -> tuple[dict[str, str], bytes]:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return {"x-coupa-SIGNATURE": signed(body, secret).hex()}, body


def refused(verifier: CoupaVerifier, headers: Mapping[str, str], body: bytes) -> mc.WebhookRejected:
    with pytest.raises(mc.WebhookRejected) as caught:
        verifier.verify(headers, body)
    return caught.value


def test_a_signed_invoice_is_an_event_that_says_what_to_read_again() -> None:
    event = CoupaVerifier(SECRET).verify(*call())
    assert event == Event(
        system="coupa",
        kind="invoices",
        id="invoices/77/2026-03-02T15:00:00+00:00",
        occurred_at=NOW,
        keys=("77",),
        data=INVOICE,
    )
    assert "R-1" not in repr(event)
    assert pickle.loads(pickle.dumps(event)) == event
    assert isinstance(CoupaVerifier(SECRET), Verifier)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"id": 1, "po-number": "4711"}, "purchase_orders"),
        ({"purchase_order": {"id": "1", "po_number": "4711"}}, "purchase_orders"),
        ({"id": 1, "payment-details": []}, "payments"),
        ({"id": 1, "name": "A", "status": "active"}, "suppliers"),
        ({"id": 1, "po-method": "email"}, "suppliers"),
        ({"id": 1, "color": "red"}, "unknown"),
        ({"id": "1/../2", "invoice-number": "1"}, "unknown"),
        ({"id": True, "invoice-number": "1"}, "unknown"),
        ({"invoice-number": "1"}, "unknown"),
        ({"a": {"b": 1}}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_objects_are_known_by_their_elements(value: Any, kind: str) -> None:
    event = CoupaVerifier(SECRET).verify(*call(value))
    assert event.kind == kind
    assert event.keys == (("1",) if kind != "unknown" else ())
    if kind == "unknown":
        assert refused(CoupaVerifier(SECRET, unknown="reject"), *call(value)).status == 400


def test_an_endpoint_of_one_kind_says_so() -> None:
    event = CoupaVerifier(SECRET, kind="invoices").verify(*call({"id": 5, "updated_at": "soon"}))
    assert (event.kind, event.keys, event.occurred_at) == ("invoices", ("5",), None)


def test_the_same_state_has_the_same_id_whatever_the_zone_is() -> None:
    other = {**INVOICE, "updated-at": "2026-03-02T15:00:00Z"}
    verifier = CoupaVerifier(SECRET)
    assert verifier.verify(*call()).id == verifier.verify(*call(other)).id


@pytest.mark.parametrize("secret", ["wrong", "söcret "])
def test_a_wrong_secret_is_refused(secret: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        error = refused(CoupaVerifier(SECRET), *call(secret=secret))
    assert error.status == 401
    assert error.system == "coupa"
    assert "refused" in caplog.text
    assert SECRET not in caplog.text
    assert SECRET not in str(error)


def test_every_changed_byte_is_refused() -> None:
    headers, body = call({"id": 1, "po-number": "1"})
    verifier = CoupaVerifier(SECRET)
    for index in range(len(body)):
        changed = bytearray(body)
        changed[index] ^= 1
        assert refused(verifier, headers, bytes(changed)).status == 401


def test_encodings_and_prefixes() -> None:
    _, body = call()
    digest = signed(body)
    plain, encoded = digest.hex(), base64.b64encode(digest).decode()
    for text in (plain, plain.upper(), encoded, f"sha256={plain}", f"SHA256={encoded}", f"  sha256= {plain} "):
        assert CoupaVerifier(SECRET).verify({"X-Coupa-Signature": text}, body).kind == "invoices"
    header = {"header": "X-Hub"}
    assert CoupaVerifier(SECRET, encoding="hex", **header).verify({"x-hub": plain}, body)
    refused(CoupaVerifier(SECRET, encoding="hex", **header), {"x-hub": encoded}, body)
    assert CoupaVerifier(SECRET, encoding="base64", **header).verify({"x-hub": encoded}, body)
    refused(CoupaVerifier(SECRET, encoding="base64", **header), {"x-hub": plain}, body)
    refused(CoupaVerifier(SECRET, prefix_required=True, **header), {"x-hub": plain}, body)
    refused(CoupaVerifier(SECRET, prefix="", **header), {"x-hub": f"sha256={plain}"}, body)
    for text in ("", "ünd", "zz", "=", plain[:-2]):
        assert refused(CoupaVerifier(SECRET, **header), {"x-hub": text}, body).status == 401
    assert refused(CoupaVerifier(SECRET), {}, body).status == 401


def test_several_secrets_while_one_is_replaced() -> None:
    verifier = CoupaVerifier(["old", mc.Secret("new")])
    assert verifier.verify(*call(secret="old")) == verifier.verify(*call(secret="new"))
    refused(verifier, *call())
    assert "old" not in repr(verifier)
    with pytest.raises(mc.InvalidArgument):
        pickle.dumps(verifier)


def stamped(stamp: str, *, covered: bool = True) -> tuple[dict[str, str], bytes]:
    body = json.dumps(INVOICE).encode()
    message = stamp.encode() + b"." + body if covered else body
    return {"X-Coupa-Signature": signed(message).hex(), "X-Time": stamp}, body


def test_a_stale_and_a_future_stamp_are_refused() -> None:
    clock = ManualClock(NOW)
    verifier = CoupaVerifier(SECRET, timestamp_header="x-time", clock=clock)
    seconds = int(NOW.timestamp())
    for stamp in (str(seconds), f"{seconds}.5", str(seconds * 1000), "2026-03-02T15:04:59Z", str(seconds - 300)):
        assert verifier.verify(*stamped(stamp)).kind == "invoices"
    for stamp in (
        str(seconds - 301),
        str(seconds + 301),
        "2026-03-02T14:00:00Z",
        "2026-03-02T15:00:00",
        "now",
        "9" * 40,
    ):
        assert refused(verifier, *stamped(stamp)).status == 401
    headers, body = stamped(str(seconds))
    assert refused(verifier, {**headers, "X-Time": str(seconds + 1)}, body).status == 401
    assert refused(verifier, {"X-Coupa-Signature": headers["X-Coupa-Signature"]}, body).status == 401
    loose = CoupaVerifier(SECRET, timestamp_header="X-Time", signed="body", clock=clock)
    assert loose.verify(*stamped(str(seconds), covered=False))


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[1]", b'"x"', b"\xff\xfe", b"<a/>", b'{"a": NaN}', b"[" * 100_000]
)
def test_a_signed_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    assert refused(CoupaVerifier(SECRET), *call(body)).status == 400


@pytest.mark.parametrize(
    "options",
    [
        {"secret": ""},
        {"secret": []},
        {"secret": ["a", ""]},
        {"header": "a b"},
        {"timestamp_header": ""},
        {"encoding": "utf-8"},
        {"signed": "nothing"},
        {"unknown": "drop"},
        {"tolerance": dt.timedelta(-1)},
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument):
        CoupaVerifier(**{"secret": SECRET, **options})


def test_an_event_has_an_aware_instant() -> None:
    with pytest.raises(mc.InvalidArgument):
        Event(system="coupa", kind="invoices", id="1", occurred_at=dt.datetime(2026, 1, 1))  # noqa: DTZ001


HEADERS = st.dictionaries(st.sampled_from(["X-Coupa-Signature", "x-time", "other"]), st.text(max_size=80), max_size=3)


@settings(max_examples=60)
@given(HEADERS, st.binary(max_size=200), st.sampled_from([None, "X-Time"]))
def test_nothing_unsigned_is_let_in_and_nothing_crashes(
    headers: dict[str, str], body: bytes, stamp: str | None
) -> None:
    verifier = CoupaVerifier(SECRET, timestamp_header=stamp, clock=ManualClock(NOW))
    assert refused(verifier, headers, body).status == 401


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "invoice-number", "po-number", "updated-at", "name", "status", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60)
@given(JSON | st.binary(max_size=60))
def test_whatever_is_signed_is_an_event_or_refused(value: Any) -> None:
    headers, body = call(value)
    if not _is_object(body):
        assert refused(CoupaVerifier(SECRET), headers, body).status == 400
        return
    event = CoupaVerifier(SECRET).verify(headers, body)
    event.id.encode()
    assert event.system == "coupa"
    assert all(key.isdecimal() for key in event.keys)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body.decode("utf-8-sig")), dict)
    except ValueError:
        return False
