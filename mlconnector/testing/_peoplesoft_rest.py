"""Calls of ExecuteQuery as they stand in a URL (PeopleSoft reference, section 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from mlconnector.testing._peoplesoft_queries import BadQuery, Query

__all__ = ["QueryCall", "prompt_values", "read_query_call", "shown_fields"]

_TYPES = {"JSON", "XMLP", "WEBROWSET", "EXCEL", "HTML"}


@attrs.frozen(kw_only=True)
class QueryCall:
    """A call of ExecuteQuery.

    Attributes:
        private: Whether the owner is the calling user.
        name: Of the query.
        type: ``"JSON"``, ``"XMLP"`` or ``"WEBROWSET"``.
        json: Whether ``json_resp=true`` was asked for; without it a JSON query answers XML.
        most: ``maxrows``.
        prompts: Unique prompt name to its text.
        fields: ``filterfields``, or None.
    """

    private: bool
    name: str
    type: str
    json: bool
    most: int
    prompts: Mapping[str, str]
    fields: tuple[str, ...] | None


def read_query_call(segments: Sequence[str], parameters: Mapping[str, str]) -> QueryCall:
    """The call of a path behind the operation and its query string.

    Raises:
        BadQuery: Not the documented form, or a form the simulator has no answer for: files and connected queries.
    """
    if len(segments) != 4:
        raise BadQuery("The path behind the operation is owner/query/type/format.")
    owner, name, kind, form = segments
    if owner not in ("PUBLIC", "public", "PRIVATE", "private"):
        raise BadQuery("The owner is PUBLIC or PRIVATE.")
    if kind not in _TYPES or form not in ("FILE", "NONFILE"):
        raise BadQuery("The result type or its format is unknown.")
    if kind in ("EXCEL", "HTML") or form == "FILE":
        raise BadQuery("Files are not simulated, and EXCEL and HTML are files only.")
    if parameters.get("isconnectedquery", "N").upper() != "N":
        raise BadQuery("A connected query is XMLP and FILE only.")
    most = parameters.get("maxrows", "")
    if not (most.isascii() and most.isdigit()) or int(most) == 0:
        raise BadQuery("maxrows is required.")
    wants_json = parameters.get("json_resp", "false").lower()
    if wants_json not in ("true", "false"):
        raise BadQuery("json_resp is true or false.")
    if wants_json == "true" and kind != "JSON":
        raise BadQuery("json_resp goes with JSON.")
    names, values = parameters.get("prompt_uniquepromptname"), parameters.get("prompt_fieldvalue")
    listed_names = names.split(",") if names else []
    listed_values = (values or "").split(",") if listed_names else []
    if len(listed_names) != len(listed_values) or (values and not names):
        raise BadQuery("As many prompt values as prompt names are needed.")
    if len(set(listed_names)) < len(listed_names):
        raise BadQuery("A prompt is named twice.")
    fields = parameters.get("filterfields")
    return QueryCall(
        private=owner.upper() == "PRIVATE",
        name=name,
        type=kind,
        json=wants_json == "true",
        most=int(most),
        prompts=dict(zip(listed_names, listed_values, strict=True)),
        fields=tuple(fields.split(",")) if fields else None,
    )


def prompt_values(query: Query, given: Mapping[str, str]) -> Mapping[str, str]:
    """The values of a query's prompts; upper and lower case count.

    Raises:
        BadQuery: A prompt the query has not, or one that is missing.
    """
    unknown, missing = given.keys() - query.prompts.keys(), query.prompts.keys() - given.keys()
    if unknown or missing:
        raise BadQuery(f"Prompts of {query.name}: unknown {sorted(unknown)}, missing {sorted(missing)}.")
    return given


def shown_fields(labels: Mapping[str, str], wanted: Sequence[str] | None) -> Mapping[str, str]:
    """The columns that ``filterfields`` leaves, in the query's order.

    Raises:
        BadQuery: A field the query has not.
    """
    if wanted is None:
        return labels
    if set(wanted) - set(labels.values()):
        raise BadQuery(f"Unknown fields: {sorted(set(wanted) - set(labels.values()))}.")
    return {column: label for column, label in labels.items() if label in wanted}
