"""Takes secrets out of text that a person will read: known values, and what looks like a credential."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

__all__ = ["MASK", "Redactor", "forms", "is_sensitive", "sensitive_values"]

MASK = "***"

_SENSITIVE_NAME = re.compile(r"pass|secret|token|auth|session|cookie|credential|assertion|key|signature", re.IGNORECASE)
_NAMED_VALUE = re.compile(
    r"""((?:password|passwd|secret|token|session_?id|dev_?key|api_?key|authorization)["']?\s*[:=]\s*["']?)[^\s"'&<>,;}]+""",
    re.IGNORECASE,
)
_SCHEME_VALUE = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{6,}", re.IGNORECASE)
_SHORTEST = 3


def is_sensitive(name: str) -> bool:
    """Whether a header, field or parameter of this name may carry a secret."""
    return _SENSITIVE_NAME.search(name) is not None


class Redactor:
    """Replaces secrets by ``***``. Its own ``repr`` shows none of them, and it does not pickle them."""

    __slots__ = ("_values",)

    def __init__(self, values: Iterable[str] = ()) -> None:
        # Looked at when there is a text to show, which most answers never come to.
        self._values = values

    def __call__(self, text: str) -> str:
        self._values = tuple(self._values)
        found = {form for value in self._values for form in forms(value) if len(form) >= _SHORTEST}
        for value in sorted(found, key=len, reverse=True):
            text = text.replace(value, MASK)
        return _SCHEME_VALUE.sub(rf"\1 {MASK}", _NAMED_VALUE.sub(rf"\1{MASK}", text))

    def __reduce__(self) -> tuple[type[Redactor], tuple[()]]:
        return (Redactor, ())

    def __repr__(self) -> str:
        return "Redactor()"


def forms(value: str) -> Iterator[str]:
    """A secret as it may be written: as it is, encoded for a URL, without its scheme, the password of a pair."""
    yield value
    yield quote(value, safe="")
    yield quote_plus(value)
    scheme, _, credentials = value.partition(" ")
    if not credentials:
        return
    yield credentials
    if scheme.lower() == "basic":
        try:
            password = base64.b64decode(credentials, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return
        yield password


def sensitive_values(
    path: str, headers: Mapping[str, str], fields: Mapping[str, object] | None, issued: Iterable[str] = ()
) -> Iterator[str]:
    """Every value of a request that must not be shown: of headers, query and body fields with a telling name."""
    yield from issued
    for name, value in parse_qsl(urlsplit(path).query):
        if is_sensitive(name):
            yield value
    for mapping in (headers, fields or {}):
        for name, item in mapping.items():
            if isinstance(item, str) and is_sensitive(name):
                yield item
