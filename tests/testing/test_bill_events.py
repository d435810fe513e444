from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
import requests

from mlconnector.errors import InvalidArgument
from mlconnector.testing import ManualClock
from mlconnector.testing._bill import BILLSimulator
from tests.testing.bill import Bare, bill, idempotent

URL = "https://receiver.example/bill"


def wanted(*types: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": "ours",
        "status": {"enabled": True},
        "events": [{"type": each, "version": "1"} for each in types or ("bill.created",)],
        "notificationUrl": URL,
        **changes,
    }


def create(bare: Bare, *types: str, **changes: Any) -> Any:
    body = wanted(*types, **changes)
    return bare.post("subscriptions", body, status=200, events=True, headers=idempotent())


def signed(key: str, message: bytes) -> str:
    return base64.b64encode(hmac.new(key.encode(), message, hashlib.sha256).digest()).decode()


def test_a_subscription_shows_its_key_once() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        made = create(bare)
        key = made.pop("securityKey")
        path = f"subscriptions/{made['id']}"
        assert sim.security_key(made["id"]) == key
        assert bare.get(path, events=True) == made
        assert bare.get("subscriptions", events=True) == {"results": [made]}
        assert made["organizationId"] == sim.organization_id
        assert sim.contents["subscriptions"] == (made,)
        with pytest.raises(InvalidArgument):
            sim.security_key("unknown")


def test_the_idempotent_key_is_needed_and_answers_the_same_for_a_day() -> None:
    clock = ManualClock()
    with BILLSimulator(clock=clock) as sim, Bare(sim) as bare:
        for headers in ({}, {"X-Idempotent-Key": "1"}, {"X-Idempotent-Key": str(uuid.uuid1())}):
            code = bare.refused("POST", "subscriptions", wanted(), events=True, headers=headers)
            assert code == ["X-Idempotent-Key: must be a UUID of version 4"]
        headers = idempotent()
        refused = bare.refused(
            "POST", "subscriptions", wanted(notificationUrl="http://x"), events=True, headers=headers
        )
        assert refused == ["notificationUrl: is not valid"]
        first = bare.post("subscriptions", wanted(), status=200, events=True, headers=headers)
        assert bare.post("subscriptions", wanted(), status=200, events=True, headers=headers) == first
        assert len(sim.contents["subscriptions"]) == 1
        path = f"subscriptions/{first['id']}/security_key"
        assert bare.send("POST", path, events=True).status_code == 400
        again = idempotent()
        key = bare.post(path, status=200, events=True, headers=again)["securityKey"]
        assert bare.post(path, status=200, events=True, headers=again) == {"securityKey": key}
        assert key not in (first["securityKey"], sim.dev_key)
        assert sim.security_key(first["id"]) == key
        clock.advance(dt.timedelta(minutes=34))
        spelt = f"subscriptions/{first['id']}/security-key"
        assert bare.post(spelt, status=200, events=True, headers=again)["securityKey"] == key
        clock.advance(dt.timedelta(hours=24))
        bare.login()
        assert bare.post(path, status=200, events=True, headers=again)["securityKey"] != key


def test_subscriptions_are_checked_limited_and_not_doubled() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:

        def refused(**changes: Any) -> list[Any]:
            return bare.refused("POST", "subscriptions", wanted(**changes), events=True, headers=idempotent())

        create(bare)
        assert refused() == ["BDC_1143"]
        assert refused(events=[{"type": "payment.created", "version": "1"}]) == ["BDC_1143"]
        assert refused(events=[{"type": "bill.created", "version": "2"}]) == ["BDC_1143"]
        assert refused(events=[], name="") == ["name: must not be blank", "events: must not be empty"]
        assert refused(status={}) == ["status.enabled: must not be null"]
        for index in range(9):
            create(bare, notificationUrl=f"{URL}/{index}")
        assert refused(notificationUrl=f"{URL}/10") == ["BDC_1143"]
        with pytest.raises(InvalidArgument, match="At most 10"):
            sim.subscribe(url=f"{URL}/10")
        first = bare.get("subscriptions", events=True, max=4)
        second = bare.get("subscriptions", events=True, max=10, page=first["nextPage"])
        assert (len(first["results"]), len(second["results"])) == (4, 6)
        assert not {"prevPage", "nextPage"} & second.keys()
        for query in ({"max": 0}, {"page": "x"}, {"sort": "name:asc"}):
            assert bare.send("GET", "subscriptions", events=True, params=query).status_code == 400


def test_subscriptions_change_and_go() -> None:
    clock = ManualClock()
    with BILLSimulator(clock=clock) as sim, Bare(sim) as bare:
        key = create(bare)["id"]
        path = f"subscriptions/{key}"
        clock.advance(1)
        events = [{"type": "payment.updated", "version": "1"}]
        put = bare.send("PUT", path, {"events": events}, events=True).json()
        assert (put["events"], put["updatedTime"] > put["createdTime"]) == (events, True)
        patched = bare.send("PATCH", path, {"status": {"enabled": False}, "name": "x"}, events=True).json()
        assert (patched["status"], patched["name"], patched["events"]) == ({"enabled": False}, "x", events)
        assert bare.send("PATCH", path, {"notificationUrl": "ftp://x"}, events=True).status_code == 400
        assert bare.send("DELETE", path, events=True).status_code == 204
        for method in ("GET", "DELETE"):
            assert bare.refused(method, path, status=404, events=True) == ["BDC_1205"]
        assert bare.refused("GET", "vendors", status=404, events=True) == ["BDC_1121"]
        bare.http.headers["sessionId"] = "dead"
        assert bare.refused("GET", "subscriptions", status=401, events=True) == ["BDC_1109"]


def test_the_catalog_may_lack_payment_events() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        types = {each["type"] for each in bare.get("events/catalog", events=True)}
        assert {"vendor.created", "bill.updated", "payment.updated", "payment.failed"} <= types
        assert not {"payment.created", "bill.paid"} & types
    with BILLSimulator(payment_events=False) as sim, Bare(sim) as bare:
        types = {each["type"] for each in bare.get("events/catalog", events=True)}
        assert not {"payment.updated", "payment.failed"} & types


def test_what_happens_is_told_to_those_who_asked() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        sim.subscribe("vendor.created", "vendor.updated", "vendor.archived", "vendor.restored")
        everything = sim.subscribe(url=f"{URL}/all")
        vendor = bare.vendor(accountNumber="4711")
        bare.send("PATCH", f"vendors/{vendor}", {"phone": "1"})
        for _ in range(2):
            bare.post(f"vendors/{vendor}/archive", status=200)
        bare.post(f"vendors/{vendor}/restore", status=200)
        told = [event.type for event in sim.events if event.subscription != everything]
        assert told == ["vendor.created", "vendor.updated", "vendor.archived", "vendor.restored"]
        assert len(sim.events) == 8
        assert sim.events[0].body["vendor"]["accountNumber"] == 4711
        made = bare.post("bills", bill(vendor, "N", 10, description="a"))
        before = len(sim.events)
        bare.send("PATCH", f"bills/{made['id']}", {"description": "b", "dueDate": "2027-01-01"})
        assert len(sim.events) == before
        bare.send("PATCH", f"bills/{made['id']}", {"invoice": {"invoiceNumber": "M"}})
        last = sim.events[-1]
        assert (last.type, last.entity) == ("bill.updated", made["id"])
        assert last.body["bill"]["invoice"] == {
            "invoiceNumber": "M",
            "invoiceDate": "2026-12-01T00:00:00.000Z",
        }
        assert last.body["bill"]["vendorName"] == "Happy Music Supplies"
        sim.update("bills", made["id"], archived=True)
        assert sim.events[-1].type == "bill.archived"
        before = len(sim.events)
        sim.update("bills", made["id"], approvalStatus="APPROVED")
        assert len(sim.events) == before
        sim.update("bills", made["id"], billLineItems=[{"amount": 11}])
        assert sim.events[-1].body["bill"]["amount"] == 11
        departments = len(sim.events)
        sim.add({"name": "30"}, resource="departments")
        assert len(sim.events) == departments


def test_payments_tell_each_status_and_each_failure() -> None:
    clock = ManualClock()
    with BILLSimulator(clock=clock) as sim, Bare(sim) as bare:
        subscription = sim.subscribe("payment.updated", "payment.failed")
        keys = [bare.post("bills", bill(bare.vendor(), "N", Decimal("228.9")))["id"]]
        payment = sim.pay(*keys, transaction_number="T")
        clock.advance(1)
        sim.advance(payment, "PROCESSED", "CLEARED", "DISBURSEMENT_FAILED_ACTION_NEEDED")
        told = [(event.type, event.body["payment"]["status"]) for event in sim.events]
        failed = "DISBURSEMENT_FAILED_ACTION_NEEDED"
        assert told == [
            *(("payment.updated", word) for word in ("SCHEDULED", "PROCESSED", "CLEARED", failed)),
            ("payment.failed", failed),
        ]
        first, second, *_, last = [event.body for event in sim.events]
        assert first["metadata"] == {
            "eventId": sim.events[0].id,
            "subscriptionId": subscription,
            "organizationId": sim.organization_id,
            "eventType": "payment.updated",
            "version": "1",
        }
        assert first["payment"]["billIds"] == keys
        assert "amount" not in first["payment"]["disbursement"]
        assert str(second["payment"]["disbursement"]["amount"]) == "228.90"
        assert second["payment"]["updatedTime"] > first["payment"]["updatedTime"]
        assert '"amount":228.90' in sim.events[1].payload
        assert last["payment"]["bills"] == [{"id": keys[0], "amount": Decimal("228.90")}]
        assert last["errors"][0]["message"] == failed


@pytest.mark.parametrize("form", ["minified", "string", "spaced"])
def test_each_form_is_signed_over_the_minified_payload(form: Any) -> None:
    with BILLSimulator() as sim:
        subscription = sim.subscribe("vendor.created")
        sim.add({"name": 'Müller, "Söhne": {x}', "memo": "a\\b"}, resource="vendors")
        event = sim.events[0]
        headers, body = sim.webhook_for(event, form=form)
        key = sim.security_key(subscription)
        assert headers["x-bill-sha-signature"] == signed(key, event.payload.encode())
        parsed = json.loads(body)
        if form == "minified":
            assert body == event.payload.encode()
        if form == "string":
            assert parsed == event.payload
            parsed = json.loads(parsed)
        if form == "spaced":
            assert body != event.payload.encode()
            again = json.dumps(parsed, separators=(",", ":"), ensure_ascii=False)
            assert signed(key, again.encode()) == signed(key, event.payload.encode())
        assert parsed == json.loads(event.payload)
        assert sim.webhook_for(event.id, form=form) == (headers, body)
        other, _ = sim.webhook_for(event, form=form, key="another")
        assert other["x-bill-sha-signature"] == signed("another", event.payload.encode())


def test_only_events_and_forms_that_exist_can_be_delivered() -> None:
    with BILLSimulator() as sim:
        sim.subscribe("vendor.created")
        sim.add({"name": "V"}, resource="vendors")
        with pytest.raises(InvalidArgument):
            sim.webhook_for("unknown")
        with pytest.raises(InvalidArgument):
            sim.webhook_for(sim.events[0], form="plain")  # type: ignore[arg-type]


def test_deliveries_are_repeated_until_200_and_a_dead_receiver_is_disabled() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        subscription = sim.subscribe("vendor.created")
        bare.vendor()
        answers = iter([500, 202, 200])
        seen: list[bytes] = []

        def receive(headers: Mapping[str, str], body: bytes) -> int:
            seen.append(body)
            assert bare.get("vendors")["results"]
            return next(answers)

        assert [event.status for event in sim.deliver_to(receive)] == [200]
        assert sim.deliver_to(receive) == ()
        assert len(seen) == 3
        assert len(set(seen)) == 1
        assert sim.events[0].status == 200
        bare.vendor()
        sim.deliver_to(lambda headers, body: 503)
        path = f"subscriptions/{subscription}"
        assert bare.get(path, events=True)["status"] == {"enabled": False}
        bare.vendor()
        assert len(sim.events) == 2
        bare.send("PATCH", path, {"status": {"enabled": True}}, events=True)
        bare.vendor()
        assert len(sim.events) == 3
        bare.send("DELETE", path, events=True)
        assert sim.deliver_to(lambda headers, body: 200) == ()


def test_an_event_is_sent_again_days_later_with_the_same_id() -> None:
    clock = ManualClock()
    with BILLSimulator(clock=clock) as sim, Bare(sim) as bare:
        subscription, other = sim.subscribe("vendor.created"), sim.subscribe("vendor.created", url=f"{URL}/2")
        bare.vendor()
        event = sim.events[0]
        sim.deliver_to(lambda headers, body: 200)
        clock.advance(dt.timedelta(days=3))
        bare.login()
        path = f"events/subscription/{subscription}/event"
        assert bare.post(f"{path}/{event.id}", status=200, events=True) == {"eventId": event.id}
        again = sim.deliver_to(lambda headers, body: 200)
        assert [each.id for each in again] == [event.id]
        assert bare.refused("POST", f"{path}/unknown", status=404, events=True) == ["BDC_1205"]
        wrong = f"events/subscription/{other}/event/{event.id}"
        assert bare.refused("POST", wrong, status=404, events=True) == ["BDC_1205"]


def test_what_was_sent_is_listed_newest_first_from_an_instant_on() -> None:
    clock = ManualClock(dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC))
    with BILLSimulator(clock=clock, idle=dt.timedelta(days=999)) as sim, Bare(sim) as bare:
        subscription = sim.subscribe("vendor.created")
        vendors = []
        for _ in range(5):
            vendors.append(bare.vendor())
            clock.advance(60)
        path = f"events/subscription/{subscription}"
        events = sim.events
        sim.deliver_to(lambda headers, body: 200)
        page = bare.get(path, events=True, createdTimeFrom="2026-03-02T15:01:00.000Z", max=3)
        assert [each["id"] for each in page["results"]] == [each.id for each in events[:1:-1]]
        rest = bare.get(path, events=True, createdTimeFrom="2026-03-02T15:01:00.000Z", page=page["nextPage"])
        assert [each["id"] for each in rest["results"]] == [events[1].id]
        assert page["results"][0]["payload"] == events[4].payload
        assert page["results"][0]["statusCode"] == 200
        assert {each["id"] for each in bare.get(path, events=True)["results"]} == {each.id for each in events}
        one = bare.get(path, events=True, entityId=vendors[2])
        assert [each["id"] for each in one["results"]] == [events[2].id]
        until = bare.get(path, events=True, createdTimeTo="2026-03-02T15:00:30.123456+00:00")
        assert [each["id"] for each in until["results"]] == [events[0].id]
        for query in ({"createdTimeFrom": "soon"}, {"since": "2026-01-01"}):
            assert bare.send("GET", path, events=True, params=query).status_code == 400
        clock.advance(dt.timedelta(days=181))
        assert bare.get(path, events=True) == {"results": []}


@pytest.mark.parametrize(("name", "wrapped"), [("named", "events"), ("bare", None)])
def test_the_lists_of_the_webhook_api_may_be_wrapped_otherwise(name: Any, wrapped: str | None) -> None:
    with BILLSimulator(event_lists=name) as sim, Bare(sim) as bare:
        subscription = sim.subscribe("vendor.created")
        bare.vendor()
        answer = bare.get(f"events/subscription/{subscription}", events=True)
        rows = answer if wrapped is None else answer[wrapped]
        assert [each["id"] for each in rows] == [sim.events[0].id]


def test_a_test_notification_can_be_asked_for() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        path = f"subscriptions/{sim.subscribe('bill.created')}/test"
        bare.post(path, status=200, events=True)
        body = {"eventType": "vendor.updated", "version": "1", "vendor": {"id": "009X"}}
        bare.post(path, body, status=200, events=True)
        assert [event.type for event in sim.events] == ["bill.created", "vendor.updated"]
        assert sim.events[1].body["vendor"] == {"id": "009X"}
        unknown = bare.refused("POST", path, {"eventType": "payment.created"}, events=True)
        assert unknown == ["BDC_1143"]


def test_the_webhook_api_is_a_sibling_of_the_api() -> None:
    with BILLSimulator() as sim:
        assert sim.url.endswith("/connect")
        assert sim.events_url == f"{sim.url}-events"
        assert requests.get(f"{sim.events_url}/v3/events/catalog", timeout=5).status_code == 401
