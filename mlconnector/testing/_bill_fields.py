"""What a JSON body may hold: types, lengths, words; and a reader that lists every fault at once."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

import attrs

from mlconnector.testing._bill_errors import BillRefused, Entry, refusal
from mlconnector.testing._wire import Request

__all__ = ["Field", "Fields", "Reader", "is_date", "json_body", "merged"]


@attrs.frozen(kw_only=True)
class Field:
    """One property of a body.

    Attributes:
        type: ``money`` is a number of at most two decimals, ``objects`` an array of objects.
        required: Neither absent nor null; a text not blank.
        most: Characters of a text at most.
        least: Members of an array at least.
        choices: The words a text may be; none means any.
        pattern: What the whole text must look like.
        inside: The properties of an object, or of each member of an array.
    """

    type: Literal["text", "number", "money", "flag", "date", "object", "objects"] = "text"
    required: bool = False
    most: int | None = None
    least: int = 0
    choices: frozenset[str] = frozenset()
    pattern: str | None = None
    inside: Mapping[str, Field] = attrs.field(factory=dict)


Fields = Mapping[str, Field]
"""Property to what it may hold. Properties that are not named are silently ignored, as BILL does."""


class Reader:
    """Reads a body by its fields.

    Args:
        partial: Whether absent properties are left alone (PATCH) rather than missed.
    """

    def __init__(self, *, partial: bool = False) -> None:
        self._partial = partial
        self.faults: list[Entry] = []

    def read(self, fields: Fields, body: Any, path: str = "") -> dict[str, Any]:
        """The known properties of a body. What is null is kept as None: a PATCH clears with it.

        Raises:
            BillRefused: A value of the wrong JSON type. Other faults are collected in :attr:`faults`.
        """
        if not isinstance(body, Mapping):
            raise _mistyped(path or "the body")
        found: dict[str, Any] = {}
        for name, field in fields.items():
            where = f"{path}.{name}" if path else name
            value = body.get(name)
            if value is None:
                if field.required and (name in body or not self._partial):
                    self.faults.append(Entry(None, f"{where}: must not be null"))
                if name in body:
                    found[name] = None
                continue
            found[name] = self._value(field, value, where)
        return found

    def finish(self) -> None:
        """Refuse with everything that was found.

        Raises:
            BillRefused: There are faults.
        """
        if self.faults:
            raise BillRefused(self.faults, status=400)

    def _value(self, field: Field, value: Any, where: str) -> Any:
        match field.type:
            case "text" | "date":
                return self._text(field, value, where)
            case "number" | "money":
                return self._number(field, value, where)
            case "flag":
                if not isinstance(value, bool):
                    raise _mistyped(where)
                return value
            case "object":
                return self.read(field.inside, value, where)
        if not isinstance(value, list):
            raise _mistyped(where)
        if len(value) < field.least:
            self.faults.append(Entry(None, f"{where}: must not be empty"))
        return [self.read(field.inside, item, f"{where}[{index}]") for index, item in enumerate(value)]

    def _text(self, field: Field, value: Any, where: str) -> Any:
        if not isinstance(value, str):
            raise _mistyped(where)
        if field.required and not value.strip():
            self.faults.append(Entry(None, f"{where}: must not be blank"))
        elif field.most is not None and len(value) > field.most:
            leaf = where.rpartition(".")[2]
            message = f"{leaf}: Maximum length cannot be greater than {field.most} characters."
            self.faults.append(Entry("BDC_1143", message, "DOWNSTREAM"))
        elif field.choices and value not in field.choices:
            raise _mistyped(where, f": not one of the values accepted for Enum class: {sorted(field.choices)}")
        elif field.type == "date" and not is_date(value):
            raise _mistyped(where, ": a date is yyyy-MM-dd")
        elif field.pattern is not None and not re.fullmatch(field.pattern, value):
            self.faults.append(Entry(None, f"{where}: is not valid"))
        return value

    def _number(self, field: Field, value: Any, where: str) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise _mistyped(where)
        number = Decimal(value)
        if field.type == "money" and number != round(number, 2):
            message = f"{where.rpartition('.')[2]}: At most 2 decimals are allowed."
            self.faults.append(Entry("BDC_1143", message, "DOWNSTREAM"))
        return number


def _mistyped(where: str, why: str = "") -> BillRefused:
    """The server's parser shows through (section 5)."""
    message = f"JSON parse error: Cannot construct instance of `{where.rpartition('.')[2]}`{why}"
    return BillRefused([Entry(None, message)], status=400)


def is_date(text: str) -> bool:
    """Whether a text is a day of the calendar as ``yyyy-MM-dd``."""
    try:
        return len(text) == 10 and bool(dt.date.fromisoformat(text))
    except ValueError:
        return False


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """What a PATCH makes of a row: objects are merged, None takes a property away, the rest is replaced."""
    result = dict(old)
    for name, value in new.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            before = result.get(name)
            result[name] = merged(before if isinstance(before, Mapping) else {}, value)
        else:
            result[name] = value
    return result


def json_body(request: Request) -> Any:
    """The body of a call, fractions as ``Decimal``.

    Raises:
        BillRefused: It is no JSON, or does not say that it is.
    """
    if request.raw and request.media_type != "application/json":
        raise refusal("BDC_1122", "Content-Type must be application/json.", status=415)
    try:
        return request.json()
    except ValueError as bad:
        raise refusal("BDC_1122") from bad
