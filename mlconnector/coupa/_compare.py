"""What was sent against what Coupa has: a reference it cannot resolve is dropped without an error (section 5). Pure.

Both sides are brought to the shape of what was sent and to one spelling: decimals by value, since scales vary; texts
without the blanks around them; dates by day, whatever zone the answer shows them in (section 3); a null and a missing
element are the same (section 1); lines by their number.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlconnector.http import dumps

__all__ = ["LINES", "differences", "digest", "line_key", "live_lines"]

LINES = ("order-lines", "invoice-lines")
"""The lists that are lines of a document."""
_AMOUNTS = frozenset({"tax-amount", "shipping-amount", "handling-amount", "misc-amount"})
"""Amounts of the header: none and nought are the same."""
_DECIMALS = frozenset({"price", "quantity", "amount", "pct", "total", "tax-rate", "rate"}) | _AMOUNTS
_DATES = frozenset({"need-by-date", "invoice-date", "original-invoice-date"})
_FLAGS = frozenset({"is-credit-note", "line-level-taxation"})
_OWNED = frozenset({"primary-address", "primary-contact", "phone-work"})
"""Objects that are part of the record; every other one is a reference to another record."""
_UNTOLD = frozenset({"type", "is-credit-note", "original-invoice-date"})
"""Elements that go in and need not come out (section 7: "in only")."""
_PRIVATE = ("tax-id", "primary-contact")
"""Elements whose values are kept out of messages, which are audited (rule B7)."""
_GONE = frozenset({"deleted", "canceled", "cancelled"})


def line_key(value: Any) -> str:
    """A line number in one form: ``1.000`` and ``1`` are the same line (section 12)."""
    text = str(value if value is not None else "").strip()
    try:
        return format(Decimal(text).normalize(), "f")
    except ArithmeticError:
        return text


def live_lines(record: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]]:
    """Lines of a record by their number, removed ones left out."""
    lines = record.get(name) or []
    return {
        line_key(line.get("line-num")): line
        for line in lines
        if isinstance(line, Mapping) and str(line.get("status") or "").lower() not in _GONE
    }


def differences(sent: Mapping[str, Any], record: Mapping[str, Any], *, told_only: bool = False) -> list[str]:
    """Where the record is not what was sent, in words; lines that were not sent count too.

    Args:
        sent: The body. ``record``: what Coupa has.
        told_only: Judge elements that the record shows, and references: the answer to a write may leave elements out,
            but a reference that is not there was dropped.
    """
    ours, theirs = dict(_flat("", _project(sent, sent))), dict(_flat("", _project(sent, record)))
    if told_only:
        left_out = {name for name, value in sent.items() if name not in record and not _is_reference(name, value)}
        ours = {path: value for path, value in ours.items() if path.partition(" ")[0] not in left_out}
        theirs = {path: value for path, value in theirs.items() if path.partition(" ")[0] not in left_out}
    found = []
    for path in [*ours, *(path for path in theirs if path not in ours)]:
        one, other = ours.get(path), theirs.get(path)
        untold = path not in theirs and path.rpartition(" ")[2] in _UNTOLD
        if (one or "") != (other or "") and not untold:
            private = path.startswith(_PRIVATE)
            found.append(f"{path}: {_shown(one, private)} was meant, Coupa has {_shown(other, private)}")
    return found


def digest(sent: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """A short print of the record's state, as far as it concerns what is sent."""
    return hashlib.sha256(dumps(_project(sent, record)).encode()).hexdigest()[:32]


def _is_reference(name: str, value: Any) -> bool:
    return isinstance(value, Mapping) and name not in _OWNED


def _shown(value: Any, private: bool) -> str:
    return "nothing" if value in (None, "") else "a value" if private else repr(str(value))


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(f"{path} {name}".strip(), inner)
    else:
        yield path, value


def _project(like: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """The record in the shape of what was sent."""
    found: dict[str, Any] = {}
    for name, value in like.items():
        if name in LINES:
            found[name] = _lines(name, value, record)
        elif isinstance(value, list):
            found[name] = _splits(value, record.get(name) or [])
        elif isinstance(value, Mapping):
            found[name] = _object(name, value, record.get(name))
        elif name not in _UNTOLD or record.get(name) is not None:
            found[name] = _scalar(name, record.get(name))
    return found


def _object(name: str, like: Mapping[str, Any], value: Any) -> Any:
    if isinstance(value, str):
        # ``country`` of an address may be a bare text in JSON (section 1).
        value = {"code": value}
    if not isinstance(value, Mapping):
        return None
    if name in _OWNED:
        return _project(like, value)
    told = {key: value[key] if key in value or "id" not in value else meant for key, meant in like.items()}
    return _project(like, told)


def _lines(name: str, like: Sequence[Mapping[str, Any]], record: Mapping[str, Any]) -> dict[str, Any]:
    shapes = {line_key(line.get("line-num")): line for line in like}
    wide: dict[str, Any] = {}
    for line in like:
        wide |= line
    return {key: _project(shapes.get(key, wide), line) for key, line in sorted(live_lines(record, name).items())}


def _splits(like: Sequence[Mapping[str, Any]], values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Allocations by account, in any order; each in the shape of the first one sent."""
    shape = like[0] if like else {}
    made = [_project(shape, value) for value in values]
    made.sort(key=dumps)
    return {str(index): one for index, one in enumerate(made, 1)}


def _scalar(name: str, value: Any) -> Any:
    if value is None:
        return ""
    if name in _FLAGS:
        return str(value).strip().lower() in ("true", "1")
    text = str(value).strip()
    if name in _DECIMALS and text:
        try:
            number = Decimal(text).normalize()
        except ArithmeticError:
            return text
        return format(number, "f") if number else "" if name in _AMOUNTS else "0"
    if name in _DATES and text:
        return _day(text)
    return line_key(text) if name == "line-num" else text


def _day(text: str) -> str:
    """The day of a date element: as written where it is a midnight, since that is how a bare date is shown.

    A midnight of UTC that is shown in another zone is the day of UTC (section 3).
    """
    try:
        stamp = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    if stamp.tzinfo is not None and stamp.time() != dt.time(0):
        stamp = stamp.astimezone(dt.UTC)
    return stamp.date().isoformat()
