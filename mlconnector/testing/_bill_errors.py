"""How the simulated BILL refuses: one catalogue of codes, one shape of body (BILL reference, section 5)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import attrs

from mlconnector.testing._wire import Answer, json_answer

__all__ = ["CODES", "BillRefused", "Code", "Entry", "error_answer", "instant_text", "refusal", "wrong_path"]

Category = Literal["REQUEST", "APPLICATION", "SERVER", "DOWNSTREAM"]
"""Who found the fault, in the vendor's words."""


@attrs.frozen
class Code:
    """One entry of the vendor's catalogue; the status is the one observed, or this simulator's choice."""

    status: int
    category: Category
    message: str


CODES: Mapping[str, Code] = {
    "BDC_1002": Code(400, "REQUEST", "Unknown error."),
    "BDC_1101": Code(400, "DOWNSTREAM", "User name and/or password do not match our records."),
    "BDC_1102": Code(400, "DOWNSTREAM", "Developer key is invalid."),
    "BDC_1107": Code(423, "DOWNSTREAM", "Organization is locked out."),
    "BDC_1108": Code(400, "REQUEST", "Missing required parameter."),
    "BDC_1109": Code(401, "DOWNSTREAM", "Session is invalid.  Please log in."),
    "BDC_1110": Code(400, "DOWNSTREAM", "Login is locked."),
    "BDC_1119": Code(422, "APPLICATION", "Invalid field value."),
    "BDC_1121": Code(404, "REQUEST", "API is not supported."),
    "BDC_1122": Code(400, "REQUEST", "JSON could not be parsed."),
    "BDC_1123": Code(400, "DOWNSTREAM", "Organization id is invalid."),
    "BDC_1129": Code(400, "REQUEST", "Invalid parameter value."),
    "BDC_1130": Code(400, "REQUEST", "Filter field is not allowed."),
    "BDC_1131": Code(400, "REQUEST", "Filter operator is not allowed."),
    "BDC_1143": Code(400, "DOWNSTREAM", "Invalid entity data."),
    "BDC_1144": Code(422, "DOWNSTREAM", "Max number of allowed requests per hour reached: 20000."),
    "BDC_1145": Code(403, "DOWNSTREAM", "User is not permitted to do this operation."),
    "BDC_1205": Code(404, "DOWNSTREAM", "Record is not found."),
    "BDC_1322": Code(422, "DOWNSTREAM", "Max number of concurrent requests per organization reached."),
    "BDC_1361": Code(403, "DOWNSTREAM", "Session is not trusted. MFA is needed."),
}
"""Code to what is answered with it."""


@attrs.frozen
class Entry:
    """One faulty field, or the one reason. ``code`` is None for plain field validation."""

    code: str | None
    message: str
    category: Category = "REQUEST"


class BillRefused(Exception):
    """Ends a call with an error body, from any depth."""

    def __init__(self, entries: Iterable[Entry], *, status: int) -> None:
        self.entries = tuple(entries)
        self.status = status
        super().__init__("; ".join(entry.message for entry in self.entries))


def refusal(code: str, message: str | None = None, *, status: int | None = None) -> BillRefused:
    """A refusal for one reason, to be raised."""
    known = CODES[code]
    entry = Entry(code, known.message if message is None else message, known.category)
    return BillRefused([entry], status=known.status if status is None else status)


def wrong_path(method: str, path: str) -> BillRefused:
    """The refusal of a path, a letter case or a verb that the API does not have, to be raised."""
    return refusal("BDC_1121", f"{CODES['BDC_1121'].message} {method} {path}")


def error_answer(refused: BillRefused, at: dt.datetime) -> Answer:
    """The body of a refusal: a JSON array with an entry for each fault."""
    body: list[dict[str, Any]] = [
        {
            "timestamp": instant_text(at),
            "code": entry.code,
            "severity": "ERROR",
            "category": entry.category,
            "message": entry.message,
        }
        for entry in refused.entries
    ]
    return json_answer(body, status=refused.status)


def instant_text(instant: dt.datetime) -> str:
    """An instant as answers spell it: milliseconds and a numeric offset."""
    return instant.astimezone(dt.UTC).isoformat(timespec="milliseconds")
