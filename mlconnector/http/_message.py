"""What is asked, and what came back."""

from __future__ import annotations

import datetime as dt
import enum
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import attrs
from requests.structures import CaseInsensitiveDict

from mlconnector.errors import InvalidArgument, VendorFault
from mlconnector.http._json import dumps, elements, loads
from mlconnector.http._policy import Timeout
from mlconnector.http._redact import Redactor

__all__ = ["NOTHING", "Nothing", "Request", "Response"]


class Nothing(enum.Enum):
    """Says that a request has no JSON body, which is not the same as the JSON value ``null``."""

    NOTHING = "nothing"


NOTHING: Final = Nothing.NOTHING

_TARGET = re.compile(r"(?:/|https?://)[\x21\x22\x24-\x7e]*|/")
_METHOD = re.compile(r"[A-Z]+")
_EXCERPT = 80


@attrs.frozen
class Request:
    """One call. At most one of ``json``, ``form`` and ``data`` is given.

    Args:
        method: ``"GET"``, ``"POST"`` ... in capitals.
        path: From the root of the client's origin, with its query if it has one, percent-encoded by the caller and
            never encoded again. Only a token manager may name its own ``token_url`` here.
        params: Added to the query, encoded here.
        json: Written exactly by :func:`dumps`.
        form: Sent as ``application/x-www-form-urlencoded``; every special character is encoded.
        data: Sent as it is.
        headers: Added to the client's own.
        write: The call may change something at the vendor: it is repeated only where the vendor surely did not act.
        timeout: Instead of the client's.
        authenticated: False sends no token.
        max_bytes: Instead of the client's cap on the answer.

    Raises:
        InvalidArgument: A path that is not from the root or not percent-encoded, a method not in capitals, two bodies.
    """

    method: str
    path: str = attrs.field(repr=lambda path: repr(path.partition("?")[0]))
    params: Mapping[str, str | Sequence[str]] | None = attrs.field(default=None, kw_only=True, repr=False)
    json: object = attrs.field(default=NOTHING, kw_only=True, repr=False)
    form: Mapping[str, str] | None = attrs.field(default=None, kw_only=True, repr=False)
    data: bytes | None = attrs.field(default=None, kw_only=True, repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, kw_only=True, repr=False)
    write: bool = attrs.field(default=False, kw_only=True)
    timeout: Timeout | None = attrs.field(default=None, kw_only=True)
    authenticated: bool = attrs.field(default=True, kw_only=True)
    max_bytes: int | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        shown = self.path.partition("?")[0]
        if not _METHOD.fullmatch(self.method):
            raise InvalidArgument(f"The method {self.method!r} is not in capitals", cure='Give "GET", "POST" ...')
        if not _TARGET.fullmatch(self.path):
            raise InvalidArgument(
                f"The path {shown!r} does not begin with a slash or is not percent-encoded",
                cure="Give the path from the root, with urllib.parse.quote applied to names in it.",
            )
        if sum((self.json is not NOTHING, self.form is not None, self.data is not None)) > 1:
            raise InvalidArgument(f"{self.method} {shown} has two bodies", cure="Give one of json, form and data.")

    @property
    def target(self) -> str:
        """Path and whole query."""
        if not self.params:
            return self.path
        query = urlencode(self.params, doseq=True, quote_via=quote)
        return f"{self.path}{'&' if '?' in self.path else '?'}{query}"

    def body(self) -> tuple[bytes | None, str | None]:
        """The bytes to send and their content type."""
        if self.json is not NOTHING:
            return dumps(self.json).encode(), "application/json"
        if self.form is not None:
            return urlencode(self.form).encode(), "application/x-www-form-urlencoded"
        return self.data, None


def _read_only(headers: Mapping[str, str]) -> Mapping[str, str]:
    known = isinstance(headers, CaseInsensitiveDict)
    return MappingProxyType(headers if known else CaseInsensitiveDict(headers))


@attrs.frozen(kw_only=True)
class Response:
    """One complete answer.

    Args:
        status: The HTTP status.
        headers: Looked up without regard to case.
        content: The body, decompressed.
        path: What was asked, without the query, which may hold a token.
        method: What was asked.
        redact: Takes the secrets of the request out of text that is to be shown. Not compared, not pickled.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(converter=_read_only, repr=False, factory=dict)
    content: bytes = attrs.field(default=b"", repr=False)
    path: str = "/"
    method: str = "GET"
    redact: Redactor = attrs.field(factory=Redactor, repr=False, eq=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.status, dict(self.headers), self.content, self.path, self.method))

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case; empty where none was sent."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text, in the character set it names, else UTF-8; what cannot be read is replaced."""
        named = re.search(r"charset=[\"']?([\w.:-]+)", self.headers.get("Content-Type", ""), re.IGNORECASE)
        try:
            return self.content.decode(named[1] if named else "utf-8-sig", "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    @property
    def date(self) -> dt.datetime | None:
        """The vendor's clock (header ``Date``) in UTC, or None where it is missing or unreadable."""
        return parse_http_date(self.headers.get("Date"))

    def excerpt(self, limit: int = _EXCERPT) -> str:
        """The first words of the body, without secrets, for a message."""
        words = " ".join(self.redact(self.text[: limit * 20]).split())
        return words if len(words) <= limit else words[:limit].rstrip() + "..."

    def json(self) -> Any:
        """The body as exact JSON: ``int`` for whole numbers, ``Decimal`` for others.

        Raises:
            VendorFault: The body is not JSON, or is an HTML page; names the content type and the first words.
        """
        try:
            return loads(self.content)
        except (ValueError, RecursionError):
            pass
        raise self._no_json()

    def elements(self, begin: int, end: int) -> Iterator[Any]:
        """The elements of an array in the body, decoded one by one: each can be let go before the next is made.

        Args:
            begin: Where in ``content`` they begin, behind the bracket. ``end``: where the closing bracket is.

        Raises:
            VendorFault: As :meth:`json`, when it is come to.
        """
        found = elements(self.content, begin, end)
        while True:
            try:
                value = next(found)
            except StopIteration:
                return
            except (ValueError, RecursionError):
                break
            yield value
            del value
        raise self._no_json()

    def _no_json(self) -> VendorFault:
        kind = "an HTML page" if self.text.lstrip()[:1] == "<" else f"{self.content_type or 'no content type'}"
        return VendorFault(
            f"{self.method} {self.path} answered {self.status} with {kind} instead of JSON: {self.excerpt()!r}",
            cure="The administrator checks that the address is the service's own and no log-in page or proxy answers.",
            status=self.status,
        )


def _rebuild(status: int, headers: dict[str, str], content: bytes, path: str, method: str) -> Response:
    return Response(status=status, headers=headers, content=content, path=path, method=method)


@functools.lru_cache(maxsize=256)
def parse_http_date(value: str | None) -> dt.datetime | None:
    """An HTTP date as an instant in UTC, or None."""
    try:
        parsed = parsedate_to_datetime(value or "")
    except (ValueError, TypeError, IndexError):
        return None
    return parsed.replace(tzinfo=dt.UTC) if parsed.tzinfo is None else parsed.astimezone(dt.UTC)


def redirect_host(response: Response) -> str:
    """Where a redirect leads, host only, for a message."""
    try:
        return urlsplit(response.headers.get("Location", "")).hostname or "the same host"
    except ValueError:
        return "an unreadable address"
