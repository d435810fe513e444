"""Notices as a gateway in front of a receiver signs them (Coupa reference, section 10)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal

import attrs

from mlconnector.errors import InvalidArgument

__all__ = ["Encoding", "Notice", "signed_notice"]

Encoding = Literal["hex", "base64"]
"""How the bytes of a signature are written."""


@attrs.frozen(kw_only=True)
class Notice:
    """One call of a receiver.

    Attributes:
        headers: Content type, signature, and the time stamp where one is asked for.
        body: The bytes that are signed.
    """

    headers: Mapping[str, str]
    body: bytes


def signed_notice(
    body: bytes,
    secret: str | bytes,
    *,
    header: str = "X-Coupa-Signature",
    encoding: Encoding = "hex",
    prefix: str = "",
    timestamp_header: str | None = None,
    at: dt.datetime | None = None,
    signed_timestamp: bool = True,
) -> Notice:
    """Sign a body with HMAC-SHA256. Coupa documents no signature: every part of it is a setting.

    Args:
        body: The raw body.
        secret: Shared with the receiver.
        header: Which header carries the signature.
        encoding: ``"hex"`` or ``"base64"``.
        prefix: Written before the signature, as ``"sha256="``.
        timestamp_header: Which header carries the time, in whole seconds since 1970; None sends none.
        at: The time, aware; needed with ``timestamp_header``.
        signed_timestamp: Whether the signature covers ``seconds.body`` and not the body alone, where there is a time.

    Raises:
        InvalidArgument: Another encoding, or a time that is missing or naive.
    """
    if encoding not in ("hex", "base64"):
        raise InvalidArgument(f"encoding must be 'hex' or 'base64', not {encoding!r}.")
    key = secret.encode() if isinstance(secret, str) else secret
    headers = {"Content-Type": "application/json"}
    content = body
    if timestamp_header is not None:
        if at is None or at.tzinfo is None:
            raise InvalidArgument(f"A time stamp needs at=, an aware instant, not {at!r}.")
        seconds = str(int(at.timestamp()))
        headers[timestamp_header] = seconds
        if signed_timestamp:
            content = f"{seconds}.".encode() + body
    digest = hmac.new(key, content, hashlib.sha256).digest()
    headers[header] = prefix + (digest.hex() if encoding == "hex" else base64.b64encode(digest).decode())
    return Notice(headers=headers, body=body)
