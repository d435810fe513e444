"""Webhooks: signatures in every form, subscriptions, what was sent while nobody listened."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector.bill import BillVerifier
from mlconnector.bill._verifier import event_of
from tests.bill.conftest import World
from tests.bill.stub import ORG

URL = "https://hooks.example.test/bill"
PAYLOAD = (
    '{"metadata": {"eventId": "e-1", "organizationId": "00801ORG", "eventType": "payment.updated", "version": "1"},\n'
    ' "payment": {"id": "stp1", "status": "PROCESSED", "updatedTime": "2026-03-02T08:00:00.5+00:00",'
    ' "note": "caf\\u00e9 \\/ \\"x\\"", "funding": {"amount": 230.00}}}'
)
MINIFIED = (
    '{"metadata":{"eventId":"e-1","organizationId":"00801ORG","eventType":"payment.updated","version":"1"},'
    '"payment":{"id":"stp1","status":"PROCESSED","updatedTime":"2026-03-02T08:00:00.5+00:00",'
    '"note":"café / \\"x\\"","funding":{"amount":230.00}}}'
)


def signature(text: str | bytes, key: str = "key") -> str:
    raw = text.encode() if isinstance(text, str) else text
    return base64.b64encode(hmac.new(key.encode(), raw, hashlib.sha256).digest()).decode()


@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("form", ["body", "text", "minified"])
def test_the_three_forms_of_the_payload_are_accepted(escaped: bool, form: str) -> None:
    body = json.dumps(PAYLOAD) if escaped else PAYLOAD
    signed = {"body": body, "text": PAYLOAD, "minified": MINIFIED}[form]
    event = BillVerifier("key", organization_id=ORG).verify({"X-Bill-SHA-Signature": signature(signed)}, body.encode())
    assert (event.system, event.kind, event.id, event.keys) == ("bill", "payments", "e-1", ("stp1",))
    assert event.occurred_at == dt.datetime(2026, 3, 2, 8, 0, 0, 500000, tzinfo=dt.UTC)
    assert event.data["payment"]["funding"]["amount"] == Decimal("230.00")


def test_the_previous_key_is_taken_while_a_new_one_is_introduced() -> None:
    verifier = BillVerifier(["new", mc.Secret("old")])
    for key in ("new", "old"):
        assert verifier.verify({"x-bill-sha-signature": signature(PAYLOAD, key)}, PAYLOAD.encode()).id == "e-1"
    with pytest.raises(mc.WebhookRejected):
        verifier.verify({"x-bill-sha-signature": signature(PAYLOAD, "older")}, PAYLOAD.encode())
    assert "old" not in repr(verifier)


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"x-bill-sha-signature": ""}, {"x-bill-sha-signature": "é"}, {"x-bill-sha-signature": "wrong"},
        {"x-bill-sha-signature": hmac.new(b"key", PAYLOAD.encode(), hashlib.sha256).hexdigest()},
        {"x-bill-sha-signature": signature(PAYLOAD), "X-BILL-sha-signature": "wrong"},
    ],
)  # fmt: skip
def test_without_a_signature_that_fits_it_is_rejected(headers: dict[str, str]) -> None:
    with pytest.raises(mc.WebhookRejected) as caught:
        BillVerifier("key").verify(headers, PAYLOAD.encode())
    assert caught.value.status == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"no json", 400), (b"\xff", 400), (b"7", 400), (b"[]", 400), (b"{}", 400), (b'"{"', 400), (b"", 400),
        (b'{"metadata": {"eventId": "1"}}', 400), (b'{"a": NaN}', 400), (b'{"a": "\\ud800"}', 400),
        (b"[" * 100_000, 400), (b" " * (4 << 20) + b"{}", 413),
    ],
)  # fmt: skip
def test_what_is_signed_and_yet_no_event_is_rejected(body: bytes, status: int) -> None:
    with pytest.raises(mc.WebhookRejected) as caught:
        BillVerifier("key").verify({"x-bill-sha-signature": signature(body)}, body)
    assert caught.value.status == status


def test_events_of_another_organization_are_rejected() -> None:
    with pytest.raises(mc.WebhookRejected) as caught:
        BillVerifier("key", organization_id="008other").verify(
            {"x-bill-sha-signature": signature(PAYLOAD)}, PAYLOAD.encode()
        )
    assert caught.value.status == 403


@pytest.mark.parametrize("keys", ["", [], ["a", ""]])
def test_a_verifier_needs_its_keys(keys: Any) -> None:
    with pytest.raises(mc.InvalidArgument):
        BillVerifier(keys)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.text(max_size=50))
def test_no_body_and_no_header_breaks_the_verifier_or_passes_unsigned(body: bytes, header: str) -> None:
    with pytest.raises(mc.WebhookRejected):
        BillVerifier("key").verify({"x-bill-sha-signature": header}, body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(JSON, st.sampled_from([None, 1]), st.booleans(), st.booleans(), st.integers(0, 2))
def test_every_payload_is_recognised_in_each_form(
    value: Any, indent: int | None, ascii_only: bool, escaped: bool, form: int
) -> None:
    payload = {"metadata": {"eventId": "1", "eventType": "vendor.updated"}, "vendor": {"id": 7, "x": value}}
    text = json.dumps(payload, indent=indent, ensure_ascii=ascii_only)
    body = json.dumps(text) if escaped else text
    minified = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    signed = (body, text, minified)[form]
    event = BillVerifier("key").verify({"x-bill-sha-signature": signature(signed)}, body.encode())
    assert (event.kind, event.keys) == ("suppliers", ("7",))
    changed = body.replace("vendor.updated", "vendor.archived")
    with pytest.raises(mc.WebhookRejected):
        BillVerifier("key").verify({"x-bill-sha-signature": signature(signed)}, changed.encode())


def test_events_name_the_documents_to_read_again() -> None:
    def made(kind: str, **about: Any) -> Any:
        return event_of({"metadata": {"eventId": "1", "eventType": kind}, **about})

    assert made("bill.updated", bill={"id": "00n1"}).kind == "invoices"
    assert made("payment.failed", payment={"bills": [{"id": "00n1"}]}).keys == ()
    assert made("risk-verification.updated").kind == "unknown"
    assert made("bill.created", bill={"id": "0", "createdTime": "2026-01-02T00:00:00"}).occurred_at is not None


def test_a_subscription_is_made_once_and_its_key_told_once(world: World) -> None:
    made = world.bill.subscribe(URL, events=["payment.updated", "payment.updated", "bill.updated"])
    assert made.security_key is not None
    assert made.security_key.reveal().startswith("secret-")
    assert "secret-" not in repr(made)
    (kept,) = world.stub.subscriptions.values()
    assert [event["type"] for event in kept["events"]] == ["payment.updated", "bill.updated"]
    assert kept["status"] == {"enabled": True}
    again = world.bill.subscribe(URL, events=["bill.updated", "payment.updated"])
    assert (again.id, again.existing, again.security_key) == (made.id, True, None)
    other = world.bill.subscribe(URL, events=["payment.failed"])
    assert other.id == made.id
    assert [event["type"] for event in kept["events"]] == ["payment.failed"]
    kept["status"] = {"enabled": False}
    world.bill.subscribe(URL, events=["payment.failed"])
    assert kept["status"] == {"enabled": True}
    assert world.bill.subscribe("https://other.test", events=["bill.updated"]).id != made.id
    assert {call.path.split("/v3/")[0] for call in world.stub.calls if "subscriptions" in call.path} == {
        "/connect-events"
    }


def test_a_lost_answer_to_a_subscription_is_asked_for_again_with_its_key(world: World) -> None:
    world.stub.fail(drop="after", match="POST /connect-events/v3/subscriptions")
    made = world.bill.subscribe(URL, events=["bill.updated"])
    assert made.security_key is not None
    assert len(world.stub.subscriptions) == 1


@pytest.mark.parametrize(
    ("url", "events"),
    [("http://a.test", ["bill.updated"]), ("https://", ["bill.updated"]), (URL, []), (URL, "bill.updated"),
     (URL, ["bill.paid"])],
)  # fmt: skip
def test_a_subscription_that_cannot_be_meant_is_refused(world: World, url: str, events: Any) -> None:
    with pytest.raises(mc.InvalidArgument):
        world.bill.subscribe(url, events=events)
    assert world.stub.subscriptions == {}


def test_a_new_key_is_given_in_both_spellings_of_its_path(world: World) -> None:
    assert world.bill.new_security_key("sub1").reveal().startswith("secret-")
    missing = {"status": 404, "body": "[]", "content_type": "application/json", "match": "security_key"}
    world.stub.fail(**missing)
    with pytest.raises(mc.NotFound):
        world.bill.new_security_key("sub1")
    assert world.stub.calls[-1].path.endswith("security-key")
    for text in ("{}", "[]"):
        world.stub.fail(body=text, content_type="application/json", match="security_key")
        with pytest.raises(mc.VendorFault):
            world.bill.new_security_key("sub1")


def sent(world: World, number: int, payload: Any, **fields: Any) -> None:
    subscription = next(iter(world.stub.subscriptions))
    row = {"id": f"e-{number}", "type": "bill.updated", "subscriptionId": subscription, "payload": payload,
           "createdTime": world.stub.stamp(), **fields}  # fmt: skip
    world.stub.sent.append({name: value for name, value in row.items() if value is not None})


def test_what_was_sent_while_nobody_listened_is_read_once_each(world: World) -> None:
    world.bill.subscribe(URL, events=["payment.updated"])
    sent(world, 0, PAYLOAD)
    world.clock.advance(3600)
    since = world.clock.now()
    sent(world, 1, json.dumps(PAYLOAD))
    sent(world, 1, PAYLOAD)
    sent(world, 2, {"bill": {"id": "00n1"}})
    sent(world, 3, "cut off")
    sent(world, 4, None, type="")
    found = list(world.bill.events(since))
    assert [(one.id, one.kind, one.keys) for one in found] == [
        ("e-1", "payments", ("stp1",)), ("e-2", "invoices", ("00n1",)), ("e-3", "invoices", ()),
    ]  # fmt: skip
    one = next(iter(world.stub.subscriptions))
    assert len(list(world.bill.events(since, subscription=one))) == 3
    assert list(world.bill.events(since, subscription="other")) == []


def test_events_are_asked_for_by_an_aware_instant_that_bill_still_knows(world: World) -> None:
    for since in (world.clock.now().replace(tzinfo=None), world.clock.now() - dt.timedelta(days=181)):
        with pytest.raises(mc.InvalidArgument):
            next(world.bill.events(since))
