"""Webhooks said to come from Coupa: an HMAC-SHA256 over the body, in a header of the user's choice.

Coupa documents no signature, no envelope and no event id (Coupa reference, section 10): the scheme is this library's,
for a gateway or a call-out that adds the header. An event is only ever a reason to read the record again.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NoReturn

from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.credentials import Secret
from mlconnector.errors import InvalidArgument, WebhookRejected
from mlconnector.event import Event
from mlconnector.http import loads

__all__ = ["CoupaVerifier"]

_log = logging.getLogger("mlconnector.coupa.webhooks")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_ID = re.compile(r"[0-9]{1,20}")
_SECONDS = re.compile(r"\d{9,13}(\.\d{1,9})?")
_MARKS: tuple[tuple[str, frozenset[str]], ...] = (
    ("payments", frozenset({"payment-details"})),
    ("invoices", frozenset({"invoice-number"})),
    ("purchase_orders", frozenset({"po-number"})),
    ("suppliers", frozenset({"po-method"})),
    ("suppliers", frozenset({"name", "status"})),
)
"""By which elements of its own an object is known: there is no envelope that names it (sections 5 to 7)."""


class CoupaVerifier:
    """Proves that a webhook was signed with the shared secret, and reads the object in it.

    Args:
        secret: The shared secret, or several while one is being replaced.
        header: Where the signature stands.
        encoding: ``"hex"``, ``"base64"`` or ``"any"`` of the two; hex in either case.
        prefix: Text before the signature, as ``"sha256="``; it may be missing unless ``prefix_required``.
        prefix_required: Refuse a signature without the prefix.
        timestamp_header: Where the time of sending stands: seconds or milliseconds since 1970, or ISO 8601 with a zone.
            ``None``: there is none. Given, it is required, and part of what is signed.
        tolerance: How far that time may lie behind or ahead of the clock.
        signed: What the signature covers where there is a time stamp: ``"timestamp.body"``, the stamp as sent, a dot
            and the body; or ``"body"`` alone, which leaves the stamp open to anybody on the way.
        kind: The kind of every event, where an endpoint takes one kind only; ``None`` tells it by the object.
        unknown: What happens to a signed JSON body that is no known object: ``"store"`` makes an event of kind
            ``"unknown"``, ``"reject"`` refuses it.
        clock: What a time stamp is compared with.

    Raises:
        InvalidArgument: An empty secret, no secret, or an option that cannot be meant.
    """

    system = "coupa"

    def __init__(
        self,
        secret: str | Secret | Sequence[str | Secret],
        *,
        header: str = "X-Coupa-Signature",
        encoding: Literal["any", "hex", "base64"] = "any",
        prefix: str = "sha256=",
        prefix_required: bool = False,
        timestamp_header: str | None = None,
        tolerance: dt.timedelta = dt.timedelta(minutes=5),
        signed: Literal["timestamp.body", "body"] = "timestamp.body",
        kind: str | None = None,
        unknown: Literal["store", "reject"] = "store",
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        given = (secret,) if isinstance(secret, (str, Secret)) else tuple(secret)
        secrets = tuple(Secret(one) for one in given)
        if not secrets or not all(one.reveal() for one in secrets):
            raise InvalidArgument(
                "There is no secret, or an empty one.", cure="Give the secret that is shared with the sender."
            )
        for name, value in (("header", header), ("timestamp_header", timestamp_header)):
            if value is not None and not _HEADER_NAME.fullmatch(value):
                raise InvalidArgument(f"{name}={value!r} is no header name.", cure='Use a name as "X-Signature".')
        for name, choice, choices in (
            ("encoding", encoding, ("any", "hex", "base64")),
            ("signed", signed, ("timestamp.body", "body")),
            ("unknown", unknown, ("store", "reject")),
        ):
            if choice not in choices:
                raise InvalidArgument(f"{name}={choice!r}.", cure=f"Use one of {', '.join(choices)}.")
        if tolerance < dt.timedelta(0):
            raise InvalidArgument(f"tolerance={tolerance!r} is negative.", cure="Give a time span, 0 or more.")
        self._secrets = secrets
        self._header, self._timestamp_header = header, timestamp_header
        self._encoding, self._prefix, self._prefix_required = encoding, prefix, prefix_required
        self._tolerance, self._signed = tolerance, signed
        self._kind, self._unknown, self._clock = kind, unknown, clock

    def __repr__(self) -> str:
        return f"CoupaVerifier({len(self._secrets)} secrets, header={self._header!r})"

    def __reduce__(self) -> NoReturn:
        raise InvalidArgument(
            "A CoupaVerifier with its secrets does not pickle.", cure="Make one in each process from where secrets are."
        )

    def verify(self, headers: Mapping[str, str], body: bytes) -> Event:
        """The event in a signed body.

        Args:
            headers: Of the request; names in any case.
            body: The raw bytes as they came, before any decoding.

        Raises:
            WebhookRejected: 401 for a missing, wrong or stale signature, 400 for a signed body that cannot be read.
        """
        given = {str(name).lower(): value for name, value in headers.items()}
        stamp = self._stamp(given)
        message = body if stamp is None or self._signed == "body" else stamp.encode("utf-8", "replace") + b"." + body
        signature = self._signature(given)
        # Every secret is tried, whichever fits: the time it takes tells nothing.
        fits = [
            hmac.compare_digest(hmac.new(one.reveal().encode(), message, hashlib.sha256).digest(), signature)
            for one in self._secrets
        ]
        if not any(fits):
            self._reject("the signature fits no secret", 401, "The sender's administrator compares the secrets.")
        if stamp is not None:
            self._check_age(stamp)
        return self._event(body)

    def _signature(self, headers: Mapping[str, str]) -> bytes:
        text = str(headers.get(self._header.lower(), "")).strip()
        if not text:
            self._reject(f"the header {self._header} is missing", 401, "The sender's administrator adds the signature.")
        prefixed = bool(self._prefix) and text.lower().startswith(self._prefix.lower())
        if self._prefix_required and not prefixed:
            self._reject(f"the signature lacks {self._prefix!r}", 401, "Correct prefix=, or the sender adds it.")
        text = text[len(self._prefix) :].strip() if prefixed else text
        if self._encoding != "base64" and _HEX.fullmatch(text):
            return bytes.fromhex(text)
        if self._encoding != "hex":
            try:
                return base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                pass
        return self._reject(f"the signature is no {self._encoding} text", 401, "Correct encoding= or the sender.")

    def _stamp(self, headers: Mapping[str, str]) -> str | None:
        if self._timestamp_header is None:
            return None
        text = str(headers.get(self._timestamp_header.lower(), "")).strip()
        if not text:
            self._reject(f"the header {self._timestamp_header} is missing", 401, "The sender adds the time of sending.")
        return text

    def _check_age(self, text: str) -> None:
        sent = _instant(text)
        if sent is None:
            self._reject("the time stamp cannot be read", 401, "The sender gives seconds since 1970 or ISO 8601.")
        elif abs(self._clock.now() - sent) > self._tolerance:
            self._reject(
                f"it was sent at {sent.isoformat()}, more than {self._tolerance} from now",
                401,
                "Set the clocks, or raise tolerance=; an old copy is refused rightly.",
            )

    def _event(self, body: bytes) -> Event:
        try:
            data = loads(body)
        except (ValueError, RecursionError):
            self._reject("the body is no JSON", 400, "Let the call-out send JSON.")
        if not isinstance(data, dict):
            self._reject("the body is no JSON object", 400, "Let the call-out send one object.")
        kind, record = self._kind_of(data)
        digest = hashlib.sha256(body).hexdigest()
        number = record.get("id")
        known = kind != "unknown" and _ID.fullmatch(str(number)) is not None
        if not known and self._unknown == "reject":
            self._reject("the object in it is not known", 400, 'Give kind=, or unknown="store".')
        if not known:
            _log.warning("coupa: a signed webhook holds no object that is known; stored as unknown (%s)", digest[:12])
            return Event(system=self.system, kind="unknown", id=f"sha256:{digest}", data=data)
        changed = record.get("updated-at", record.get("updated_at"))
        occurred = _instant(changed) if isinstance(changed, str) else None
        mark = digest if occurred is None else occurred.isoformat()
        return Event(
            system=self.system,
            kind=kind,
            id=f"{kind}/{number}/{mark}",
            occurred_at=occurred,
            keys=(str(number),),
            data=data,
        )

    def _kind_of(self, data: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The object, bare or under one name, and what it is."""
        inner = next(iter(data.values())) if len(data) == 1 else None
        candidates: Iterable[Mapping[str, Any]] = (data, inner) if isinstance(inner, dict) else (data,)
        for record in candidates:
            names = {str(name).replace("_", "-") for name in record}
            kind = self._kind or next((kind for kind, marks in _MARKS if marks <= names), None)
            if kind is not None and "id" in record:
                return kind, record
        return "unknown", data

    def _reject(self, why: str, status: int, cure: str) -> NoReturn:
        _log.warning("coupa: webhook refused: %s", why)
        raise WebhookRejected(f"The webhook is refused: {why}.", cure=cure, status=status, system=self.system)


def _instant(text: str) -> dt.datetime | None:
    readers: tuple[Callable[[str], dt.datetime | None], ...] = (_from_seconds, _from_iso)
    for read in readers:
        found = read(text.strip())
        if found is not None:
            return found
    return None


def _from_seconds(text: str) -> dt.datetime | None:
    if not text.isascii() or not _SECONDS.fullmatch(text):
        return None
    whole, _, fraction = text.partition(".")
    seconds = int(whole) / 1000 if len(whole) > 11 else int(whole) + float(f"0.{fraction or 0}")
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _from_iso(text: str) -> dt.datetime | None:
    try:
        parsed = dt.datetime.fromisoformat(text)
        return None if parsed.tzinfo is None else parsed.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
