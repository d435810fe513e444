"""What the files target knows of each class of document: its set, its party, its content, its columns; pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from mlconnector import x12
from mlconnector.documents import (
    Document,
    FunctionalAcknowledgment,
    Invoice,
    JournalLine,
    Payment,
    PurchaseOrder,
    Shipment,
)
from mlconnector.errors import InvalidArgument

__all__ = ["JOURNAL", "code_of", "content_of", "csv_of", "party_of"]

JOURNAL = "journal"
"""Stands for a set code: journal lines have none."""
_CODES: Mapping[type[Document], str] = {
    PurchaseOrder: "850",
    Invoice: "810",
    Payment: "820",
    Shipment: "856",
    JournalLine: JOURNAL,
    FunctionalAcknowledgment: "997",
}
_PARTIES: Mapping[type[Document], str] = {
    PurchaseOrder: "supplier",
    Invoice: "supplier",
    Payment: "payee",
    Shipment: "ship_to",
}
_CONTENTS: Mapping[type[Document], Callable[[Any], str]] = {
    PurchaseOrder: x12.order_content,
    Invoice: x12.invoice_content,
    Payment: x12.payment_content,
    Shipment: x12.shipment_content,
}


def code_of(document: Document) -> str:
    """Set code of a new document of this class.

    Raises:
        InvalidArgument: A class that no file is made of.
    """
    code = _CODES.get(type(document))
    if code is None:
        raise InvalidArgument(
            f"No file is made of a {type(document).__name__}.",
            cure=f"Deliver one of {', '.join(cls.__name__ for cls in _CODES)}.",
        )
    return code


def party_of(document: Document) -> str:
    """Number of the party that decides the route (rule B5): supplier, payee, ship-to; empty where there is none."""
    party = getattr(document, _PARTIES.get(type(document), ""), None)
    return "" if party is None else str(party.number)


def content_of(document: Document) -> str:
    """What the partner is told of it (rule B11)."""
    make = _CONTENTS.get(type(document))
    return document.fingerprint if make is None else make(document)


def csv_of(document: Document) -> str:
    """Two lines: names and values of a journal line, in the order of its class; amounts in full, nothing rounded."""
    values = attrs.asdict(document, recurse=False)
    names = [name for name in values if name not in attrs.fields_dict(Document)]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(["key", *names])
    writer.writerow([document.key, *("" if values[name] is None else _text(values[name]) for name in names)])
    return file.getvalue()


def _text(value: Any) -> str:
    return format(value, "f") if hasattr(value, "as_tuple") else str(value)
