"""What goes over the simulators' wire: requests, answers, recorded calls, exact JSON."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import urllib.parse
from collections.abc import Mapping, Sequence
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

import attrs

__all__ = ["Answer", "Call", "Refused", "Request", "dump_exact", "json_answer", "number_text"]

MASK = "***"
_SECRET_NAMES = frozenset(
    {
        "password",
        "client_secret",
        "assertion",
        "token",
        "access_token",
        "pstoken",
        "$password",
        "$token",
        "authorization",
        "jde-ais-auth",
        "cookie",
    }
)


@attrs.frozen(kw_only=True)
class Call:
    """One request a simulator received. Tokens and passwords are masked.

    Attributes:
        method: ``"GET"``, ``"POST"`` ...
        path: The decoded path, without the query.
        query: The query's parameters; of a repeated one, the last.
        headers: Names in lower case.
        body: JSON or form as parsed (numbers with a fraction as ``Decimal``), other content as bytes, none as None.
        status: What was answered; None where the connection was closed instead.
        fault: The scripted or random fault that hit the call, else None.
        acted: Whether the simulator did the work asked for (it may have refused it).
        at: The simulator's clock when the call came in.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    status: int | None
    fault: str | None
    acted: bool
    at: dt.datetime


@attrs.frozen(kw_only=True)
class Answer:
    """What a simulator answers."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = attrs.field(factory=dict)


class Refused(Exception):
    """Ends the work with an answer, from any depth."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@attrs.frozen(kw_only=True)
class Request:
    """A request as received, unmasked; never shown to the outside. ``parameters``: the query with what repeats."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes = attrs.field(repr=False)
    parameters: Sequence[tuple[str, str]] = attrs.field(repr=False, default=())

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case; empty where none was sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON, fractions as ``Decimal``.

        Raises:
            ValueError: It is not JSON in UTF-8, or holds NaN or Infinity.
        """
        return json.loads(self.raw.decode("utf-8"), parse_float=Decimal, parse_constant=_refuse_constant)

    def basic_login(self) -> tuple[str, str] | None:
        """User and password of HTTP Basic, empty where they cannot be read; None for another scheme or none."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return user, password

    def form(self) -> dict[str, str]:
        """The body as a URL-encoded form.

        Raises:
            ValueError: It is not text in UTF-8.
        """
        return dict(urllib.parse.parse_qsl(self.raw.decode("utf-8"), keep_blank_values=True))

    def as_call(self, *, at: dt.datetime, status: int | None, fault: str | None, acted: bool) -> Call:
        """The masked record of this request.

        Args:
            at: When it came in.
            status: That was answered, ``None`` where nothing was.
            fault: The fault that hit it, else ``None``.
            acted: Whether the work was done.
        """
        return Call(
            method=self.method,
            path=self.path,
            query=_masked(self.query),
            headers=_masked(self.headers),
            body=_masked(self._parsed()),
            status=status,
            fault=fault,
            acted=acted,
            at=at,
        )

    def _parsed(self) -> Any:
        if not self.raw:
            return None
        try:
            if self.media_type == "application/json":
                return self.json()
            if self.media_type == "application/x-www-form-urlencoded":
                return self.form()
        except ValueError:
            return self.raw
        return self.raw


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: MASK if str(key).lower() in _SECRET_NAMES else _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value


def number_text(number: int | Decimal) -> str:
    """A number as JSON text, exact, without trailing zeros (``Decimal("12.50")`` is ``12.5``)."""
    if isinstance(number, int):
        return str(number)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def dump_exact(value: Any) -> str:
    """JSON text in which a ``Decimal`` is a number with exactly its digits; floats are refused.

    Raises:
        TypeError: A value of another type than mapping, sequence, text, bool, int, ``Decimal`` or None.
    """
    if value is None:
        return "null"
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return number_text(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{encode_basestring(str(key))}:{dump_exact(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "[" + ",".join(map(dump_exact, value)) + "]"
    raise TypeError(f"{type(value).__name__} has no exact JSON form")


def json_answer(value: Any, *, status: int = 200) -> Answer:
    """An answer of exact JSON in UTF-8.

    Args:
        value: What is encoded, ``Decimal`` exactly. ``status``: of the answer.
    """
    return Answer(status=status, body=dump_exact(value).encode())
