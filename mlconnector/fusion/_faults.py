"""What answers of a Fusion pod mean (Fusion reference, sections 4.4 and 12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlconnector.errors import MLConnectorError
from mlconnector.http import FaultRule, FaultTable, Response, Verdict

__all__ = ["FAULTS", "words"]


def words(body: Any) -> str:
    """The pod's own words in an error body, whichever of the seen forms it has; empty where there are none."""
    if not isinstance(body, Mapping):
        return ""
    details = body.get("o:errorDetails")
    found = [body, *details] if isinstance(details, list) else [body]
    said: list[str] = []
    for entry in found:
        if not isinstance(entry, Mapping):
            continue
        parts = [str(entry[name]) for name in ("detail", "o:errorPath", "o:errorCode") if entry.get(name)]
        said += [", ".join(parts)] if parts else []
    return "; ".join(said) or str(body.get("title") or "")


def _described(response: Response) -> str:
    try:
        return words(response.json())
    except MLConnectorError:
        # A text of its own in framework versions 1 to 3, and at a 404; HTML where a proxy or log-in page answers.
        page = response.text.lstrip()[:1] == "<"
        return "an HTML page, not the pod's REST service, answered" if page else response.text


FAULTS = FaultTable(
    "fusion",
    rules=(
        FaultRule(
            status=400,
            verdict=Verdict.REFUSED,
            cure="Check the names in where= and columns=: they are case-sensitive, and an attribute must be queryable"
            " (GET the resource's describe).",
        ),
        FaultRule(
            status=401,
            verdict=Verdict.TOKEN_REJECTED,
            cure="The Fusion administrator checks that a Fusion user belongs to this login (for OAuth: one named like"
            " the client id), that it is not locked, and that the scope is the pod's.",
        ),
        FaultRule(
            status=403,
            verdict=Verdict.DENIED,
            cure="The Fusion security manager gives the integration user the role for this resource.",
        ),
        FaultRule(
            status=404,
            verdict=Verdict.NOT_FOUND,
            cure="Check url=, resource_version= and the name of the resource.",
        ),
        FaultRule(
            status=500,
            verdict=Verdict.BUSY,
            cure="If it recurs, leave columns or conditions out one by one: certain attributes fail on the server."
            " Oracle Support finds the cause.",
            fault="vendor",
        ),
    ),
    describe=_described,
)
