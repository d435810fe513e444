"""The webhook API of the simulated BILL: subscriptions, what was sent, and signed deliveries (section 11)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import re
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, Literal

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.testing._bill_errors import BillRefused, Entry, instant_text, refusal, wrong_path
from mlconnector.testing._bill_fields import Field, Fields, Reader, json_body
from mlconnector.testing._bill_query import instant_of, whole
from mlconnector.testing._bill_store import Database
from mlconnector.testing._wire import Answer, Request, json_answer

__all__ = ["BillEvent", "EventBook", "Form", "ListName", "exact_json", "signature"]

Form = Literal["minified", "string", "spaced"]
"""How a delivery's body looks: the payload itself, the payload as a JSON string, the payload with blanks in it."""

ListName = Literal["results", "named", "bare"]
"""How lists of this API are wrapped: ``results`` as elsewhere, under their own name, or not at all (one page)."""

_LARGEST_PAGE, _DEFAULT_PAGE = 100, 20
_MOST_SUBSCRIPTIONS = 10
_KEY_LIFE = dt.timedelta(hours=24)
_HISTORY = dt.timedelta(days=180)
_VERSION = "1"
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[^",:]+|[,:]')
_LIFE = ("created", "updated", "archived", "restored")
_PAYMENT_EVENTS = ("payment.updated", "payment.failed")
_CATALOG = (
    *(f"{kind}.{word}" for kind in ("vendor", "bill", "invoice") for word in _LIFE),
    *_PAYMENT_EVENTS,
    *(f"{kind}.{word}" for kind in ("bank-account", "card-account") for word in ("created", "updated")),
    "risk-verification.updated",
    "mass-payment.updated",
)
_EVENT: Fields = {"type": Field(required=True), "version": Field(required=True)}
_SUBSCRIPTION: Fields = {
    "name": Field(required=True),
    "status": Field(type="object", required=True, inside={"enabled": Field(type="flag", required=True)}),
    "events": Field(type="objects", required=True, least=1, inside=_EVENT),
    "notificationUrl": Field(required=True, pattern="https://.+"),
}


@attrs.frozen(kw_only=True)
class BillEvent:
    """One notification that BILL sent, or tried to.

    Attributes:
        id: ``metadata.eventId``; a repeated delivery has the same.
        type: ``"payment.updated"`` ...
        subscription: The id of the subscription it belongs to.
        entity: The id of the record it tells of.
        payload: Minified JSON.
        at: When it was made.
        status: What the receiver answered; None while nothing was delivered.
    """

    id: str
    type: str
    subscription: str
    entity: str
    payload: str = attrs.field(repr=False)
    at: dt.datetime
    status: int | None = None

    @property
    def body(self) -> Any:
        """The payload parsed, fractions as ``Decimal``."""
        return json.loads(self.payload, parse_float=Decimal)


@attrs.define(kw_only=True)
class _Subscription:
    id: str
    name: str
    enabled: bool
    events: list[dict[str, Any]]
    url: str
    key: str = attrs.field(repr=False)
    created: dt.datetime
    updated: dt.datetime

    def wants(self, type_: str) -> bool:
        return self.enabled and any(each["type"] == type_ for each in self.events)

    def fields(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": {"enabled": self.enabled},
            "events": self.events,
            "notificationUrl": self.url,
        }


def exact_json(value: Any) -> str:
    """Minified JSON that keeps the spelling of a ``Decimal`` (``230.00``), as BILL's payloads do."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{encode_basestring(name)}:{exact_json(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(exact_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def signature(key: str, payload: str) -> str:
    """The ``x-bill-sha-signature`` of a payload: Base64 of HMAC-SHA256 under the key as text (section 11.4)."""
    return base64.b64encode(hmac.new(key.encode(), payload.encode(), hashlib.sha256).digest()).decode()


class EventBook:
    """Subscriptions of one organization, and the notifications made for them.

    Args:
        database: For its clock.
        organization: The organization's id.
        payment_events: Whether the catalog has the payment events; older text limits them to select partners.
        list_name: How lists are wrapped; the reference does not know.
    """

    def __init__(self, database: Database, organization: str, *, payment_events: bool, list_name: ListName) -> None:
        self._database = database
        self._organization = organization
        self._list_name: ListName = list_name
        self._catalog = tuple(each for each in _CATALOG if payment_events or each not in _PAYMENT_EVENTS)
        self._subscriptions: dict[str, _Subscription] = {}
        self._events: dict[str, BillEvent] = {}
        self._waiting: list[str] = []
        self._answered: dict[tuple[str, str], tuple[dt.datetime, Answer]] = {}
        self._places: dict[str, int] = {}

    # What happens in the organization

    def emit(self, type_: str, content: Mapping[str, Any], entity: str) -> None:
        """Make a notification for every subscription that asked for this type."""
        for subscription in self._subscriptions.values():
            if subscription.wants(type_):
                self._make(subscription, type_, content, entity)

    def _make(self, subscription: _Subscription, type_: str, content: Mapping[str, Any], entity: str) -> BillEvent:
        now = self._database.now()
        key = str(uuid.uuid4())
        metadata = {
            "eventId": key,
            "subscriptionId": subscription.id,
            "organizationId": self._organization,
            "eventType": type_,
            "version": _VERSION,
        }
        event = BillEvent(
            id=key,
            type=type_,
            subscription=subscription.id,
            entity=entity,
            payload=exact_json({"metadata": metadata, **content}),
            at=now,
        )
        self._events[key] = event
        self._waiting.append(key)
        return event

    @property
    def events(self) -> tuple[BillEvent, ...]:
        """Every notification, in the order they were made."""
        return tuple(self._events.values())

    @property
    def subscriptions(self) -> tuple[Mapping[str, Any], ...]:
        """The subscriptions as answers show them."""
        return tuple(self._shown(each) for each in self._subscriptions.values())

    def take(self) -> list[BillEvent]:
        """The notifications to deliver now, resent ones again; they no longer wait afterwards."""
        waiting, self._waiting = self._waiting, []
        events = [self._events[key] for key in waiting]
        return [event for event in events if event.subscription in self._subscriptions]

    def find(self, key: str) -> BillEvent:
        """The notification of an id, as it stands.

        Raises:
            InvalidArgument: There is none.
        """
        found = self._events.get(key)
        if found is None:
            raise InvalidArgument(f"There is no event {key!r}.")
        return found

    def delivery(self, event: BillEvent | str, form: Form, key: str | None) -> tuple[dict[str, str], bytes]:
        """Headers and body of a delivery.

        Raises:
            InvalidArgument: No such event or form.
        """
        found = self.find(event if isinstance(event, str) else event.id)
        match form:
            case "minified":
                body = found.payload
            case "string":
                body = json.dumps(found.payload, ensure_ascii=False)
            case "spaced":
                body = _spaced(found.payload)
            case _:
                raise InvalidArgument(f"form must be 'minified', 'string' or 'spaced', not {form!r}.")
        secret = self.security_key(found.subscription) if key is None else key
        headers = {"Content-Type": "application/json", "x-bill-sha-signature": signature(secret, found.payload)}
        return headers, body.encode()

    def security_key(self, subscription: str) -> str:
        """The newest key of a subscription.

        Raises:
            InvalidArgument: There is no such subscription.
        """
        found = self._subscriptions.get(subscription)
        if found is None:
            raise InvalidArgument(f"There is no subscription {subscription!r}.")
        return found.key

    def subscribe(self, types: Sequence[str], url: str) -> str:
        """Make a subscription, for the whole catalog where no type is named.

        Raises:
            BillRefused: What the API refuses.
        """
        events = [{"type": each, "version": _VERSION} for each in types or self._catalog]
        body = {"name": "subscription", "status": {"enabled": True}, "events": events, "notificationUrl": url}
        return self._subscribed(_read(body, _SUBSCRIPTION)).id

    def record_answer(self, event: BillEvent, status: int) -> None:
        """Keep what the receiver answered."""
        self._events[event.id] = attrs.evolve(self._events[event.id], status=status)

    def disable(self, subscription: str) -> None:
        """What BILL does to a subscription whose notifications keep failing (section 11.5)."""
        found = self._subscriptions[subscription]
        found.enabled = False
        found.updated = self._database.now()

    # The API

    def handle(self, request: Request, path: Sequence[str]) -> Answer:
        """Answer a call below ``/connect-events/v3``.

        Raises:
            BillRefused: What the API refuses.
        """
        match (request.method, *path):
            case ("GET", "events", "catalog"):
                return json_answer([{"type": each, "versions": [_VERSION]} for each in self._catalog])
            case ("GET", "events", "subscription", key):
                return self._sent(request, self._asked(key))
            case ("POST", "events", "subscription", key, "event", event):
                return self._resend(self._asked(key), event)
            case ("POST", "subscriptions"):
                return self._once(request, "create", lambda: self._create(request))
            case ("GET", "subscriptions"):
                _known(request.query, "max", "page")
                every = [self._shown(each) for each in self._subscriptions.values()]
                return self._page("subscriptions", request, every)
            case ("POST", "subscriptions", key, "security_key" | "security-key"):
                found = self._asked(key)
                return self._once(request, found.id, lambda: self._rotate(found))
            case ("POST", "subscriptions", key, "test"):
                return self._test(request, self._asked(key))
            case ("GET" | "PUT" | "PATCH" | "DELETE", "subscriptions", key):
                return self._one(request, self._asked(key))
        raise wrong_path(request.method, request.path)

    def _one(self, request: Request, found: _Subscription) -> Answer:
        if request.method == "DELETE":
            del self._subscriptions[found.id]
            return Answer(status=204)
        if request.method == "PUT":
            self._change(found, {"events": _read(json_body(request), {"events": _SUBSCRIPTION["events"]})["events"]})
        elif request.method == "PATCH":
            fields = {name: field for name, field in _SUBSCRIPTION.items() if name != "events"}
            self._change(found, _read(json_body(request), fields, partial=True))
        return json_answer(self._shown(found))

    def _change(self, found: _Subscription, changes: Mapping[str, Any]) -> None:
        wanted = {**found.fields(), **changes}
        self._check(wanted, but=found)
        found.name, found.url, found.events = wanted["name"], wanted["notificationUrl"], wanted["events"]
        found.enabled = wanted["status"]["enabled"]
        found.updated = self._database.now()

    def _create(self, request: Request) -> Answer:
        made = self._subscribed(_read(json_body(request), _SUBSCRIPTION))
        return json_answer({**self._shown(made), "securityKey": made.key})

    def _subscribed(self, wanted: Mapping[str, Any]) -> _Subscription:
        if len(self._subscriptions) >= _MOST_SUBSCRIPTIONS:
            raise refusal("BDC_1143", f"At most {_MOST_SUBSCRIPTIONS} subscriptions per organization are allowed.")
        self._check(wanted)
        now = self._database.now()
        made = _Subscription(
            id=str(uuid.uuid4()),
            name=wanted["name"],
            enabled=wanted["status"]["enabled"],
            events=wanted["events"],
            url=wanted["notificationUrl"],
            key=_new_key(),
            created=now,
            updated=now,
        )
        self._subscriptions[made.id] = made
        return made

    def _check(self, wanted: Mapping[str, Any], but: _Subscription | None = None) -> None:
        for each in wanted["events"]:
            if each["type"] not in self._catalog or each["version"] != _VERSION:
                raise refusal("BDC_1143", f"Event {each['type']} version {each['version']} is not in the catalog.")
        question = (_types(wanted["events"]), wanted["notificationUrl"])
        if any((_types(each.events), each.url) == question for each in self._subscriptions.values() if each is not but):
            raise refusal("BDC_1143", "A subscription with the same events and notificationUrl exists.")

    def _rotate(self, found: _Subscription) -> Answer:
        found.key = _new_key()
        found.updated = self._database.now()
        return json_answer({"securityKey": found.key})

    def _once(self, request: Request, what: str, act: Callable[[], Answer]) -> Answer:
        """Answer the same key with the same answer for a day; only a successful one is kept (section 9)."""
        key = request.headers.get("x-idempotent-key", "")
        if not _is_uuid4(key):
            raise BillRefused([Entry(None, "X-Idempotent-Key: must be a UUID of version 4")], status=400)
        now = self._database.now()
        kept = self._answered.get((what, key.lower()))
        if kept is not None and now - kept[0] < _KEY_LIFE:
            return kept[1]
        answer = act()
        self._answered[what, key.lower()] = (now, answer)
        return answer

    def _test(self, request: Request, found: _Subscription) -> Answer:
        body: Mapping[str, Any] = {}
        if request.raw:
            body = json_body(request)
        type_ = body.get("eventType", found.events[0]["type"])
        if type_ not in self._catalog:
            raise refusal("BDC_1143", f"Event {type_} is not in the catalog.")
        kind = type_.partition(".")[0]
        event = self._make(found, type_, {kind: body.get(kind, {"id": "TEST"})}, "TEST")
        return json_answer({"eventId": event.id})

    def _resend(self, found: _Subscription, key: str) -> Answer:
        event = self._events.get(key)
        if event is None or event.subscription != found.id:
            raise refusal("BDC_1205", f"Event is not found for id {key}.")
        self._waiting.append(key)
        return json_answer({"eventId": key})

    def _sent(self, request: Request, found: _Subscription) -> Answer:
        query = request.query
        _known(query, "createdTimeFrom", "createdTimeTo", "entityId", "max", "page")
        since, until = _instant(query, "createdTimeFrom"), _instant(query, "createdTimeTo")
        oldest = self._database.now() - _HISTORY
        chosen = [
            event
            for event in self._events.values()
            if event.subscription == found.id
            and event.at >= max(oldest, since or oldest)
            and (until is None or event.at <= until)
            and query.get("entityId", event.entity) == event.entity
        ]
        # Newest first when asked from an instant on, in no order otherwise.
        chosen.sort(key=(lambda event: event.at) if since else (lambda event: event.id), reverse=since is not None)
        return self._page("events", request, list(map(_stored, chosen)))

    def _page(self, name: str, request: Request, items: list[dict[str, Any]]) -> Answer:
        """Forwards only."""
        if self._list_name == "bare":
            return json_answer(items)
        most = whole(request.query, "max", _DEFAULT_PAGE, _LARGEST_PAGE)
        start = 0
        if "page" in request.query:
            if request.query["page"] not in self._places:
                raise refusal("BDC_1129", "Invalid value for parameter page.")
            start = self._places[request.query["page"]]
        envelope = "results" if self._list_name == "results" else name
        body: dict[str, Any] = {envelope: items[start : start + most]}
        if start + most < len(items):
            body["nextPage"] = secrets.token_urlsafe(24)
            self._places[body["nextPage"]] = start + most
        return json_answer(body)

    def _asked(self, key: str) -> _Subscription:
        found = self._subscriptions.get(key)
        if found is None:
            raise refusal("BDC_1205", f"Subscription is not found for id {key}.")
        return found

    def _shown(self, found: _Subscription) -> dict[str, Any]:
        return {
            "id": found.id,
            "organizationId": self._organization,
            **found.fields(),
            "createdTime": instant_text(found.created),
            "updatedTime": instant_text(found.updated),
        }


def _read(body: Any, fields: Fields, *, partial: bool = False) -> dict[str, Any]:
    reader = Reader(partial=partial)
    found = reader.read(fields, body)
    reader.finish()
    return found


def _stored(event: BillEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "type": event.type,
        "version": _VERSION,
        "subscriptionId": event.subscription,
        "payload": event.payload,
        "createdTime": instant_text(event.at),
        **({} if event.status is None else {"statusCode": event.status}),
    }


def _types(events: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(each["type"] for each in events)


def _new_key() -> str:
    return secrets.token_urlsafe(32)


def _is_uuid4(text: str) -> bool:
    try:
        return uuid.UUID(text).version == 4 and len(text) == 36
    except ValueError:
        return False


def _instant(query: Mapping[str, str], name: str) -> dt.datetime | None:
    if name not in query:
        return None
    found = instant_of(query[name]) or _with_offset(query[name])
    if found is None:
        raise refusal("BDC_1129", f"Invalid value for parameter {name}: {query[name]}")
    return found


def _with_offset(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _known(query: Mapping[str, str], *names: str) -> None:
    unknown = sorted(query.keys() - set(names))
    if unknown:
        raise refusal("BDC_1002", f"Unknown parameter: {', '.join(unknown)}")


def _spaced(payload: str) -> str:
    """The same JSON with a blank after every comma and colon, numbers as they were spelt."""
    return "".join(f"{piece} " if piece in (",", ":") else piece for piece in _TOKENS.findall(payload))
