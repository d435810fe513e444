"""What a query answers on the wire: JSON, XMLP and WEBROWSET (PeopleSoft reference, sections 3.1 and 3.2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

import attrs

from mlconnector.testing._peoplesoft_records import TRANSLATIONS, Field
from mlconnector.testing._peoplesoft_store import Row
from mlconnector.testing._wire import dump_exact, number_text

__all__ = ["Blanks", "QueryNameKey", "Renderer"]

Blanks = Literal["empty", "blank", "padded"]
QueryNameKey = Literal["queryname=", "queryname"]

_NAMESPACE = "http://xmlns.oracle.com/Enterprise/Tools/schemas/QAS_QUERYRESULTS_XMLP_RESP.VERSION_1"
_WEB_ROW_SET = "http://java.sun.com/xml/ns/jdbc"


@attrs.frozen(kw_only=True)
class Renderer:
    """How a site shows rows.

    Attributes:
        zone: Time zone of the database: of instants.
        blanks: How empty text looks: nothing, one blank, or every text padded to its field's length.
        translated: Code fields shown by their long names.
        aliases: Whether names keep the record alias; without, only a name that would be ambiguous keeps it.
        name_key: Key of the query's name in JSON; None leaves it out.
        empty_rows: Whether an answer without rows has ``rows`` at all.
        namespace: Whether XMLP has the namespace of the poll service, and its values in CDATA.
    """

    zone: dt.tzinfo
    blanks: Blanks
    translated: frozenset[str]
    aliases: bool
    name_key: QueryNameKey | None
    empty_rows: bool
    namespace: bool

    def labels(self, columns: Mapping[str, Field]) -> dict[str, str]:
        """Column to unique field name."""
        if self.aliases:
            return {column: column for column in columns}
        names = [column.rpartition(".")[2] for column in columns]
        return {column: name if names.count(name) == 1 else column for column, name in zip(columns, names, strict=True)}

    def json(self, name: str, columns: Mapping[str, Field], labels: Mapping[str, str], rows: Sequence[Row]) -> bytes:
        """The JSON answer."""
        shown = [
            {"attr:rownumber": number}
            | {label: self._value(columns[column], row[column]) for column, label in labels.items()}
            for number, row in enumerate(rows, start=1)
        ]
        query: dict[str, Any] = {"numrows": len(rows)}
        if self.name_key is not None:
            query[self.name_key] = name
        if shown or self.empty_rows:
            query["rows"] = shown
        return dump_exact({"status": "success", "data": {"query": query}}).encode()

    def xmlp(self, name: str, columns: Mapping[str, Field], labels: Mapping[str, str], rows: Sequence[Row]) -> bytes:
        """The XMLP answer; empties are self-closed."""
        space = f" xmlns={quoteattr(_NAMESPACE)}" if self.namespace else ""
        parts = [
            f'<?xml version="1.0" encoding="UTF-8"?>\n<query{space} numrows="{len(rows)}" queryname={quoteattr(name)}>'
        ]
        for number, row in enumerate(rows, start=1):
            parts.append(f'<row rownumber="{number}">')
            for column, label in labels.items():
                text = self._text(columns[column], row[column])
                parts.append(f"<{label}>{self._content(text)}</{label}>" if text else f"<{label}/>")
            parts.append("</row>")
        return "".join([*parts, "</query>"]).encode()

    def web_row_set(self, columns: Mapping[str, Field], labels: Mapping[str, str], rows: Sequence[Row]) -> bytes:
        """The WEBROWSET answer: values by position, inside the root that clients have seen around it."""
        definitions = "".join(
            f"<column-definition><column-index>{index}</column-index><column-name>{label}</column-name>"
            "</column-definition>"
            for index, label in enumerate(labels.values(), start=1)
        )
        current = "".join(
            "<currentRow>"
            + "".join(
                f"<columnValue>{escape(self._text(columns[column], row[column]))}</columnValue>" for column in labels
            )
            + "</currentRow>"
            for row in rows
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<QAS_GETQUERYRESULTS_RESP_MSG>'
            f"<webRowSet xmlns={quoteattr(_WEB_ROW_SET)}><metadata><column-count>{len(labels)}</column-count>"
            f"{definitions}</metadata><data>{current}</data></webRowSet></QAS_GETQUERYRESULTS_RESP_MSG>"
        ).encode()

    def _content(self, text: str) -> str:
        return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>" if self.namespace else escape(text)

    def _value(self, field: Field, value: Any) -> Any:
        return value if isinstance(value, int | Decimal) else self._text(field, value)

    def _text(self, field: Field, value: Any) -> str:
        match value:
            case None:
                # An outer join's empty field looks as its record's own empty field.
                return self._char(field, "") if field.kind == "C" else ""
            case dt.datetime():
                return value.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M:%S%z")
            case dt.date():
                return value.isoformat()
            case dt.time():
                return f"{value.hour}:{value:%M:%S.%f}"
            case str():
                return self._char(field, value)
            case _:
                return number_text(value)

    def _char(self, field: Field, value: str) -> str:
        if field.name in self.translated:
            value = TRANSLATIONS.get(field.name, {}).get(value, value)
        if self.blanks == "padded":
            return value.ljust(field.length or 1)
        return value or (" " if self.blanks == "blank" else "")
