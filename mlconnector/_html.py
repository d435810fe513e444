"""What a notebook shows of values: escaped, masked, and cut where it is long. Standard library and attrs alone."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

__all__ = ["MOST_ROWS", "columns", "fields", "notes", "table"]

MOST_ROWS = 50
_MOST_COLUMNS = 14
_MOST_TEXT = 300
_SHOWN_DIGITS = 4
_CONFIDENTIAL = re.compile(
    r"tax_?(?:id|number|payer)|\btin\b|ssn|iban|(?:bank|card).?account|account_number|passw|secret|token|BPR(?:09|15)",
    re.IGNORECASE,
)
_NOT_SHOWN = ("provenance",)


def _masked(text: str) -> str:
    """The last four characters of what is confidential, as on a card receipt; nothing of what is short."""
    return "***" + (text[-_SHOWN_DIGITS:] if len(text) > 2 * _SHOWN_DIGITS else "")


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], *, caption: str = "", most: int = MOST_ROWS) -> str:
    """An HTML table. Values are shown as :func:`_cell` does; rows past ``most`` are counted, not shown."""
    parts = ["<table>", f"<caption>{_text(caption)}</caption>" if caption else ""]
    parts += ["<tr>", *(f"<th>{_text(name)}</th>" for name in head), "</tr>"] if head else []
    left_out = 0
    for number, row in enumerate(rows):
        if number >= most:
            left_out += 1
            continue
        parts += ["<tr>", *(f"<td>{_cell(value)}</td>" for value in row), "</tr>"]
    if left_out:
        parts.append(f'<tr><td colspan="{max(len(head), 1)}">and {left_out} more</td></tr>')
    return "".join([*parts, "</table>"])


def notes(lines: Sequence[str], *, most: int = MOST_ROWS) -> str:
    """An HTML list, cut like a table; empty for no lines."""
    if not lines:
        return ""
    shown = [*lines[:most], *([f"and {len(lines) - most} more"] if len(lines) > most else [])]
    return "<ul>" + "".join(f"<li>{_text(line)}</li>" for line in shown) + "</ul>"


def columns(documents: Sequence[Any]) -> tuple[list[str], list[list[Any]]]:
    """Documents or rows as a table: the columns that hold something, lists as their length, parts by their number."""
    rows = [{name: _brief(value) for name, value in fields(document).items()} for document in documents]
    head = list(dict.fromkeys(name for row in rows for name, value in row.items() if value not in ("", None)))
    head = head[:_MOST_COLUMNS]
    return head, [[row.get(name, "") for name in head] for row in rows]


def fields(value: Any) -> dict[str, Any]:
    """What an attrs value or a mapping holds, confidential parts masked; what is empty is left out."""
    if isinstance(value, Mapping):
        return {str(name): _guarded(str(name), item, confidential=False) for name, item in value.items()}
    found = ((field, getattr(value, field.name)) for field in attrs.fields(type(value)))
    return {
        # What repr hides, a notebook masks.
        field.name: _guarded(field.name, item, confidential=field.repr is False)
        for field, item in found
        if field.name not in _NOT_SHOWN and (item or item == 0) and item is not None
    }


def _guarded(name: str, value: Any, *, confidential: bool) -> Any:
    if value in ("", None) or not (confidential or _CONFIDENTIAL.search(name)):
        return value
    return _masked(str(value))


def _brief(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return len(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={item}" for name, item in fields(value).items())
    if attrs.has(type(value)):
        words = (getattr(value, name, "") for name in ("number", "name"))
        return " ".join(str(word) for word in words if word)
    return value


def _cell(value: Any) -> str:
    if isinstance(value, tuple | list):
        return _several(value)
    if isinstance(value, Mapping):
        return table((), list(fields(value).items())) if value else ""
    if attrs.has(type(value)):
        return table((), list(fields(value).items()))
    return _text(value)


def _several(values: Sequence[Any]) -> str:
    if values and attrs.has(type(values[0])):
        head, rows = columns(values)
        return table(head, rows)
    return notes([str(value) for value in values])


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return html.escape(text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + "...")
