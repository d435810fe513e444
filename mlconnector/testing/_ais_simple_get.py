"""The simple GET of the simulated AIS server: its parameters as a BROWSE request (AIS reference, section 3.6)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mlconnector.testing._ais_query import BadRequest

__all__ = ["browse_request"]

_OPERATORS: Mapping[str, str] = {
    "EQ": "EQUAL",
    "NE": "NOT_EQUAL",
    "GT": "GREATER",
    "GE": "GREATER_EQUAL",
    "LT": "LESS",
    "LE": "LESS_EQUAL",
    "STARTSWITH": "STR_START_WITH",
    "ENDSWITH": "STR_END_WITH",
    "CONTAINS": "STR_CONTAIN",
}
_ONCE: Mapping[str, str] = {
    "$limit": "maxPageSize",
    "$outputType": "outputType",
    "$allowCache": "allowCache",
    "$token": "token",
    "$device": "deviceName",
    "$username": "username",
    "$password": "password",
    "$environment": "environment",
    "$role": "role",
}
"""Parameters that are a member of the request under another name."""
_TODAY = re.compile(r"(\d*) ?(TODAY(?:_(?:PLUS|MINUS)_(?:DAY|MONTH|YEAR))?)")


def browse_request(target_type: str, name: str, parameters: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """What the same read would be as a BROWSE; there are no next pages.

    Args:
        target_type: ``"table"`` or ``"view"``. ``name``: of it.
        parameters: Of the query, decoded; ``$filter``, ``$field`` and ``$sort`` repeat.

    Raises:
        BadRequest: A parameter that is none, or that has another form.
    """
    body: dict[str, Any] = {"targetName": name, "targetType": target_type, "dataServiceType": "BROWSE"}
    conditions: list[dict[str, Any]] = []
    fields: list[str] = []
    order: list[dict[str, str]] = []
    match_type = "MATCH_ALL"
    for parameter, value in parameters:
        if parameter == "$filter":
            conditions.append(_condition(value))
        elif parameter == "$field":
            fields.append(value)
        elif parameter == "$sort":
            order.append({"column": value[1:], "direction": _direction(value)})
        elif parameter == "$filterType":
            match_type = value
        elif parameter in _ONCE:
            body[_ONCE[parameter]] = value
        else:
            raise BadRequest(f"{parameter} is no parameter of this service")
    query = {"autoFind": True, "matchType": match_type, "condition": conditions}
    body |= {"findOnEntry": "TRUE", "query": query, "aggregation": {"orderBy": order}}
    return body | ({"returnControlIDs": "|".join(fields)} if fields else {})


def _condition(text: str) -> dict[str, Any]:
    column, operator, content = (*text.split(" ", 2), "", "")[:3]
    if operator not in _OPERATORS:
        raise BadRequest(f"A filter is COLUMN OPERATOR VALUE with one of {' '.join(_OPERATORS)}, not {text!r}")
    today = _TODAY.fullmatch(content)
    literal = {"content": content, "specialValueId": "LITERAL"}
    value = literal if today is None else {"content": today[1], "specialValueId": today[2]}
    return {"controlId": column, "operator": _OPERATORS[operator], "value": [value]}


def _direction(text: str) -> str:
    """A plus sign that was not encoded has become a blank, and sorts nothing."""
    if text[:1] not in ("+", "-"):
        raise BadRequest(f"A sort is +COLUMN or -COLUMN, not {text!r}; in a URL + is written %2B")
    return "ASC" if text[0] == "+" else "DESC"
