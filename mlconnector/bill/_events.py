"""Subscriptions, and what was sent while nobody listened (BILL reference, section 11)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import attrs

from mlconnector.bill._api import Api, records_in
from mlconnector.bill._filters import instant
from mlconnector.bill._values import Fields, stamp_of
from mlconnector.bill._verifier import event_of
from mlconnector.credentials import Secret
from mlconnector.errors import InvalidArgument, NotFound, VendorFault
from mlconnector.event import Event
from mlconnector.http import loads
from mlconnector.target import Receipt

__all__ = ["Subscription", "Subscriptions"]

_PATH = "/v3/subscriptions"
_DAYS_KEPT = 180


@attrs.frozen(kw_only=True)
class Subscription(Receipt):
    """A receipt with the key its webhooks are signed with.

    Args:
        security_key: For ``BillVerifier``; BILL tells it once, so it is ``None`` for a subscription that was there.
            Keep it with your credentials.
    """

    security_key: Secret | None = attrs.field(default=None, eq=False)


class Subscriptions:
    """The webhook API of one organization.

    Args:
        api: Who asks.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def subscribe(self, url: str, events: Sequence[str], name: str) -> Subscription:
        """See :meth:`BILL.subscribe`."""
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise InvalidArgument(f"url={url!r} is no https URL.", cure="BILL sends to https only (section 11.1).")
        if isinstance(events, str) or not events:
            raise InvalidArgument(f"events={events!r} is no list of types.", cure='Give e.g. ["payment.updated"].')
        versions = self.catalog()
        unknown = sorted(set(events) - versions.keys())
        if unknown:
            raise InvalidArgument(
                f"BILL offers no event {', '.join(unknown)} to this organization.",
                cure=f"Use some of {', '.join(sorted(versions))}.",
            )
        for known in self.all():
            if known.get("notificationUrl") == url:
                return self._known(known, set(events), versions)
        body = {
            "name": name,
            "status": {"enabled": True},
            "events": [{"type": one, "version": versions[one]} for one in dict.fromkeys(events)],
            "notificationUrl": url,
        }
        made = self._with_key(_PATH, body)
        return self._subscription(made, existing=False)

    def _known(self, known: Mapping[str, Any], wanted: set[str], versions: Mapping[str, str]) -> Subscription:
        key = str(known.get("id"))
        types = {str(event.get("type")) for event in known.get("events") or ()}
        status = known.get("status")
        enabled = not isinstance(status, Mapping) or bool(status.get("enabled", True))
        if types != wanted:
            changed = {
                "name": known.get("name"),
                "status": {"enabled": True},
                "events": [{"type": one, "version": versions[one]} for one in sorted(wanted)],
                "notificationUrl": known.get("notificationUrl"),
            }
            self._api.call("PUT", f"{_PATH}/{quote(key, safe='')}", json=changed, events=True)
        elif not enabled:
            # BILL switches a subscription off when it could not deliver for long (section 11.5).
            path = f"{_PATH}/{quote(key, safe='')}"
            self._api.call("PATCH", path, json={"status": {"enabled": True}}, events=True)
        return self._subscription(known, existing=True)

    def new_security_key(self, subscription: str) -> Secret:
        """See :meth:`BILL.new_security_key`."""
        path = f"{_PATH}/{quote(subscription, safe='')}"
        try:
            made = self._with_key(f"{path}/security_key", {})
        except NotFound:
            # The vendor's guide spells it with a hyphen, its reference without (section 11.1).
            made = self._with_key(f"{path}/security-key", {})
        key = made.get("securityKey")
        if not isinstance(key, str) or not key:
            raise VendorFault("BILL answered without a securityKey.", cure="Tell BILL's support.", system="bill")
        return Secret(key)

    def catalog(self) -> dict[str, str]:
        """Event types offered to this organization, each with its newest version."""
        body = self._api.call("GET", "/v3/events/catalog", events=True).json()
        return {
            str(entry.get("type")): str((entry.get("versions") or ["1"])[-1]) for entry in records_in(body, "events")
        }

    def all(self) -> list[Mapping[str, Any]]:
        """Every subscription of the organization."""
        pages = self._api.walk(_PATH, {"max": "100"}, events=True)
        return [row for page in pages for row in page.rows]

    def events(self, since: dt.datetime, subscription: str | None) -> Iterator[Event]:
        """See :meth:`BILL.events`."""
        if since.tzinfo is None:
            raise InvalidArgument(f"since={since!r} has no time zone.", cure="Pass an aware datetime.")
        if self._api.clock.now() - since > dt.timedelta(days=_DAYS_KEPT):
            raise InvalidArgument(
                f"since={since!r} is more than {_DAYS_KEPT} days ago: BILL keeps no events of then.",
                cure="Read the documents themselves, e.g. bill.payments(since=...).",
            )
        wanted = [str(one["id"]) for one in self.all()] if subscription is None else [subscription]
        seen: set[str] = set()
        for key in wanted:
            query = {"createdTimeFrom": instant(since), "max": "100"}
            for page in self._api.walk(f"/v3/events/subscription/{quote(key, safe='')}", query, events=True):
                for row in page.rows:
                    event = _sent(row, since)
                    if event is not None and event.id not in seen:
                        seen.add(event.id)
                        yield event

    def _with_key(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """One of the two calls that have an idempotency key: repeated with the same key it is answered the same, so a
        lost answer is asked for again, and the security key that is told once is not lost with it (section 9).
        """
        headers = {"X-Idempotent-Key": str(uuid.uuid4())}
        made = self._api.call("POST", path, json=body, headers=headers, write=False, events=True).json()
        if not isinstance(made, Mapping):
            raise VendorFault(f"BILL answered {path} without a record.", cure="Tell BILL's support.", system="bill")
        return made

    @staticmethod
    def _subscription(record: Mapping[str, Any], *, existing: bool) -> Subscription:
        key = record.get("securityKey")
        return Subscription(
            system="bill",
            id=str(record.get("id")),
            existing=existing,
            raw=Fields(record, []).kept("id", "name", "notificationUrl", "organizationId"),
            security_key=Secret(key) if isinstance(key, str) and key else None,
        )


def _sent(row: Mapping[str, Any], since: dt.datetime) -> Event | None:
    """A notice that was sent; ``None`` for one before the time asked for, or without an id or type."""
    fields = Fields(row, [])
    created = stamp_of(fields.text("createdTime"))
    if created is not None and created < since:
        return None
    payload = row.get("payload")
    try:
        for _ in range(2):
            payload = loads(payload) if isinstance(payload, str) else payload
    except ValueError:
        # What it is about is told by its type still; the documents themselves are read again anyhow.
        payload = None
    try:
        return event_of(
            payload if isinstance(payload, Mapping) else {}, key=fields.text("id"), kind=fields.text("type")
        )
    except ValueError:
        return None
