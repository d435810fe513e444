"""What a notebook shows of values: escaped, masked, and cut where it is long. Standard library and attrs alone."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

__all__ = ["LEFT", "MOST_ROWS", "columns", "document", "fields", "notes", "table"]

MOST_ROWS = 50
_MOST_COLUMNS = 14
_MOST_TEXT = 300
_MOST_WHOLE = 28
_SHOWN_DIGITS = 4
_CONFIDENTIAL = re.compile(
    r"tax_?(?:id|number|payer)|\btin\b|ssn|iban|(?:bank|card).?account|account_number|passw|secret|token|BPR(?:09|15)",
    re.IGNORECASE,
)
_NOT_SHOWN = ("provenance",)
_LAST = ("extras",)
_FIGURE = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
# In each cell, since notebooks put every cell to the right, and take style sheets away.
LEFT = ' style="text-align:left;vertical-align:top"'
_RIGHT = ' style="text-align:right;vertical-align:top;white-space:nowrap"'
_LEFT_WHOLE = ' style="text-align:left;vertical-align:top;white-space:nowrap"'


def _masked(text: str) -> str:
    """The last four characters of what is confidential, as on a card receipt; nothing of what is short."""
    return "***" + (text[-_SHOWN_DIGITS:] if len(text) > 2 * _SHOWN_DIGITS else "")


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], *, caption: str = "", most: int = MOST_ROWS) -> str:
    """An HTML table, figures to the right. Values as :func:`_cell` has them; rows past ``most`` are counted alone."""
    shown: list[Sequence[Any]] = []
    left_out = 0
    for row in rows:
        if len(shown) < most:
            shown.append(row)
        else:
            left_out += 1
    figures = [bool(head) and _all_figures([row[place] for row in shown]) for place in range(len(head))]
    parts = ["<table>", f"<caption>{_text(caption)}</caption>" if caption else ""]
    if head:
        cells = [
            f"<th{_RIGHT if right else LEFT}>{_text(name)}</th>" for name, right in zip(head, figures, strict=True)
        ]
        parts += ["<tr>", *cells, "</tr>"]
    for row in shown:
        cells = [
            f"<td{_style(value, right=place < len(figures) and figures[place])}>{_cell(value)}</td>"
            for place, value in enumerate(row)
        ]
        parts += ["<tr>", *cells, "</tr>"]
    if left_out:
        parts.append(f'<tr><td colspan="{max(len(head), 1)}"{LEFT}>and {left_out} more</td></tr>')
    return "".join([*parts, "</table>"])


def _all_figures(values: Sequence[Any]) -> bool:
    filled = [value for value in values if value not in ("", None)]
    return bool(filled) and all(
        isinstance(value, int | Decimal) or (isinstance(value, str) and _FIGURE.fullmatch(value) is not None)
        for value in filled
    )


def _style(value: Any, *, right: bool) -> str:
    if right:
        return _RIGHT
    whole = isinstance(value, dt.date) or (isinstance(value, str) and len(value) <= _MOST_WHOLE)
    return _LEFT_WHOLE if whole else LEFT


def document(value: Any, caption: str) -> str:
    """What a document holds as a table of names and values; each list of parts below it as a table of its own."""
    found = fields(value)
    parts = {name: item for name, item in found.items() if _is_parts(item)}
    rows = [(name, item) for name, item in found.items() if name not in parts]
    rows.sort(key=lambda row: row[0] in _LAST)
    shown = [table((), rows, caption=caption)]
    for name, items in parts.items():
        head, cells = columns(items)
        shown.append(table(head, cells, caption=name.replace("_", " ")))
    return "".join(shown)


def _is_parts(value: Any) -> bool:
    return isinstance(value, tuple | list) and bool(value) and attrs.has(type(value[0]))


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
    if _is_parts(value):
        head, rows = columns(value)
        return table(head, rows)
    if isinstance(value, tuple | list):
        return notes([str(item) for item in value]) if len(value) > 1 else _text(value[0] if value else None)
    if isinstance(value, Mapping):
        return table((), list(fields(value).items())) if value else ""
    if attrs.has(type(value)):
        return _text(_in_line(value))
    return _text(value)


def _in_line(value: Any) -> str:
    """A single part in one line: its number and name first, then the rest by its words, a nested part by its values."""
    found = fields(value)
    words = [" ".join(str(found.pop(name)) for name in ("number", "name") if found.get(name))]
    for name, item in found.items():
        if attrs.has(type(item)):
            words.append(" ".join(_flat(item)))
        else:
            words.append(f"{name.replace('_', ' ')} {' '.join(_flat(item))}")
    return ", ".join(word for word in words if word.strip())


def _flat(value: Any) -> list[str]:
    if attrs.has(type(value)):
        return [word for item in fields(value).values() for word in _flat(item)]
    if isinstance(value, Mapping):
        return [f"{name}={item}" for name, item in fields(value).items()]
    if isinstance(value, tuple | list):
        return [word for item in value for word in _flat(item)]
    return [str(value)]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return html.escape(text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + "...")
