"""Proves that a webhook came from BILL, and reads it (BILL reference, sections 11.3 to 11.5)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlconnector.bill._values import Fields, stamp_of
from mlconnector.credentials import Secret
from mlconnector.errors import InvalidArgument, WebhookRejected
from mlconnector.event import Event
from mlconnector.http import loads

__all__ = ["BillVerifier", "event_of"]

HEADER = "x-bill-sha-signature"
_READERS = {"vendor": "suppliers", "bill": "invoices", "payment": "payments"}
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]+')
_LARGEST = 4 << 20


def event_of(payload: Mapping[str, Any], *, key: str = "", kind: str = "") -> Event:
    """The event in a payload.

    Args:
        payload: As BILL sends it, unescaped. ``key``: its id, where the payload has none; ``kind``: its type.

    Raises:
        ValueError: It has neither an id nor a type.
    """
    fields = Fields(payload, [])
    name, event_id = fields.text("metadata.eventType") or kind, fields.text("metadata.eventId") or key
    if not name or not event_id:
        raise ValueError("no event id or type")
    what = name.partition(".")[0]
    about = Fields(payload, []).text(f"{what}.id")
    occurred = stamp_of(fields.text(f"{what}.updatedTime")) or stamp_of(fields.text(f"{what}.createdTime"))
    return Event(
        system="bill",
        kind=_READERS.get(what, "unknown"),
        id=event_id,
        occurred_at=occurred,
        keys=(about,) if about else (),
        data=payload,
    )


def _minified(text: str) -> str:
    """JSON text without blanks between its parts, texts unescaped, every number spelled as it came."""

    def part(found: re.Match[str]) -> str:
        word = found[0]
        return json.dumps(json.loads(word), ensure_ascii=False) if word.startswith('"') else word

    return "".join(part(found) for found in _TOKEN.finditer(text))


class BillVerifier:
    """Checks the signature of a webhook: Base64 of HMAC-SHA256 over the payload (section 11.4).

    The payload is tried in three forms, because what exactly is hashed is not certain: the body as it came; where it
    is a JSON text, that text; the payload without blanks. There is no time stamp in it: a repeat is recognised by the
    event's id.

    Args:
        security_key: The key the subscription was created with, or several while a new one is being introduced: the
            current one first, then the previous.
        organization_id: Refuse events of other organizations; ``None``: any that is signed.

    Raises:
        InvalidArgument: No key, or an empty one.
    """

    def __init__(
        self, security_key: str | Secret | Sequence[str | Secret], *, organization_id: str | None = None
    ) -> None:
        keys = [security_key] if isinstance(security_key, (str, Secret)) else list(security_key)
        self._keys = [Secret(key) for key in keys]
        if not self._keys or not all(key.reveal() for key in self._keys):
            raise InvalidArgument("A security key is missing or empty.", cure="Give the key of bill.subscribe().")
        self._organization_id = organization_id

    def __repr__(self) -> str:
        return f"BillVerifier({len(self._keys)} key(s))"

    def verify(self, headers: Mapping[str, str], body: bytes) -> Event:
        """The event in this body.

        Args:
            headers: Of the request; names in any case.
            body: The bytes as received, before any decoding.

        Raises:
            WebhookRejected: No or a wrong signature (``status`` 401), another organization (403), a body that is too
                long (413), or signed and yet no event (400).
        """
        if len(body) > _LARGEST:
            raise _rejected("the body is longer than 4 MiB", 413, "Nothing to do; BILL sends no such bodies.")
        found = [value for name, value in headers.items() if name.lower() == HEADER]
        signature = str(found[0]).strip() if len(found) == 1 else ""
        if not signature or not signature.isascii():
            raise _rejected(f"it has no usable {HEADER}", 401, "Nothing to do: it did not come from BILL.")
        if not any(self._is_signed(form, signature.encode()) for form in _forms(body)):
            raise _rejected(
                "its signature does not fit",
                401,
                "If it did come from BILL, whoever runs the program gives the subscription's current security key, "
                "and the previous one beside it.",
            )
        return self._event(body)

    def _is_signed(self, form: bytes, signature: bytes) -> bool:
        fits = False
        for key in self._keys:
            made = base64.b64encode(hmac.new(key.reveal().encode(), form, hashlib.sha256).digest())
            # No early end: the time taken tells nothing of which key it was.
            fits = hmac.compare_digest(made, signature) or fits
        return fits

    def _event(self, body: bytes) -> Event:
        try:
            payload = loads(body)
            payload = loads(payload) if isinstance(payload, str) else payload
            event = event_of(payload) if isinstance(payload, Mapping) else None
        except (ValueError, RecursionError):
            event = None
        if event is None:
            raise _rejected("it is signed, but is no event", 400, "Tell BILL's support.")
        organization = Fields(event.data, []).text("metadata.organizationId")
        if self._organization_id is not None and organization != self._organization_id:
            raise _rejected(
                f"it is about organization {organization!r}",
                403,
                "Whoever runs the program gives each organization an address of its own.",
            )
        return event


def _forms(body: bytes) -> Iterator[bytes]:
    """What may have been signed, in the order of the reference."""
    yield body
    try:
        text = body.decode("utf-8-sig")
        payload = json.loads(text)
        if isinstance(payload, str):
            text = payload
            yield text.encode()
            json.loads(text)
        yield _minified(text).encode()
    except (ValueError, RecursionError):
        # No JSON, or texts that are no Unicode: then only the bytes themselves can have been signed.
        return


def _rejected(why: str, status: int, cure: str) -> WebhookRejected:
    return WebhookRejected(f"bill: the webhook was rejected: {why}.", status=status, system="bill", cure=cure)
