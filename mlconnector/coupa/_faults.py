"""What Coupa's answers mean (Coupa reference, section 8)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlconnector.errors import MLConnectorError, VendorFault
from mlconnector.http import FaultRule, FaultTable, Response, Verdict

__all__ = ["FAULTS", "is_taken", "words"]

_XML_ERROR = re.compile(r"<error\b[^>]*>(.*?)</error>", re.DOTALL | re.IGNORECASE)
_TAKEN = re.compile(r"\btaken\b", re.IGNORECASE)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            for text in _texts(inner):
                yield text if str(name) in ("errors", "error", "message", "base") else f"{name}: {text}"
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value not in (None, ""):
        yield str(value)


def words(body: Any) -> list[str]:
    """Every text of an error body, once each, with the object or field it is about.

    ``{"errors": {"supplier": ["Name has already been taken"]}}`` is the documented form; the value may be a text, the
    key may be a field, and duplicates inside the list are seen (section 8).
    """
    if not isinstance(body, Mapping):
        return []
    told = body.get("errors") or body.get("error") or body.get("error_description") or body.get("message")
    return list(dict.fromkeys(_texts(told)))


def _described(response: Response) -> str:
    """The body's own words; an error may be XML although JSON was asked for (section 8)."""
    if response.text.lstrip().startswith("<"):
        found = (html.unescape(text) for text in _XML_ERROR.findall(response.text))
        return "; ".join(dict.fromkeys(" ".join(text.split()) for text in found))
    try:
        return "; ".join(words(response.json()))
    except MLConnectorError:
        return ""


def is_taken(error: VendorFault) -> bool:
    """The refusal says that the name or number exists; the sentence itself is never matched (section 9)."""
    return error.refused and _TAKEN.search(error.message) is not None


def _is_page(response: Response) -> bool:
    return response.content_type == "text/html" and 200 <= response.status < 300 and bool(response.content.strip())


FAULTS = FaultTable(
    "coupa",
    rules=(
        FaultRule(
            when=_is_page,
            verdict=Verdict.FAULT,
            message="an HTML page came instead of an answer",
            cure="Check the address: it is that of the instance, not of a portal or a proxy's login page.",
            fault="caller",
        ),
        FaultRule(
            status=403,
            verdict=Verdict.DENIED,
            cure="The Coupa administrator ticks the scope on the OAuth client, and scope= asks for it; coupa.check()"
            " names the scopes that are missing (Coupa reference, section 2).",
        ),
        FaultRule(
            status=406,
            verdict=Verdict.REFUSED,
            cure="A proxy changes Accept or Content-Type; the network administrator mends it.",
            fault="administrator",
        ),
        FaultRule(
            status=415,
            verdict=Verdict.REFUSED,
            cure="A proxy changes Accept or Content-Type; the network administrator mends it.",
            fault="administrator",
        ),
    ),
    describe=_described,
)
