"""What AIS answers mean (AIS reference, sections 2.4 and 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlconnector.errors import MLConnectorError
from mlconnector.http import FaultRule, FaultTable, Response, Verdict

__all__ = ["FAULTS", "words"]


def words(body: Any) -> str:
    """The server's own words in an answer: of the error body, or of the errors inside a 200."""
    if not isinstance(body, Mapping):
        return ""
    for name in ("message", "errorText", "userDefinedErrorText", "exception"):
        if body.get(name):
            return str(body[name])
    for name in ("sysErrors", "errors"):
        found = body.get(name)
        if isinstance(found, list) and found:
            first = found[0]
            return str(first.get("DESC") or first.get("TITLE")) if isinstance(first, Mapping) else str(first)
    return ""


def _described(response: Response) -> str:
    try:
        return words(response.json())
    except MLConnectorError:
        return ""


FAULTS = FaultTable(
    "jdedwards",
    rules=(
        FaultRule(status=444, verdict=Verdict.TOKEN_REJECTED),
        FaultRule(
            status=403,
            verdict=Verdict.TOKEN_OR_DENIED,
            cure="The JD Edwards security administrator gives the user this table or service.",
        ),
        FaultRule(
            status=405,
            verdict=Verdict.DENIED,
            message="the JAS server does not accept requests from this AIS server",
            cure="The CNC administrator adds the AIS server to Allowed Hosts of the HTML (JAS) server.",
        ),
        FaultRule(
            status=415,
            verdict=Verdict.REFUSED,
            message="the server takes application/json only",
            cure="A proxy changes the Content-Type; the network administrator mends it.",
            fault="administrator",
        ),
    ),
    describe=_described,
)
