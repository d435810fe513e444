"""Exact bytes of a payload, and back: what was put on the wire is kept, and repeated byte by byte."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from mlconnector.delivery._database import Row
from mlconnector.documents import Document, from_json
from mlconnector.errors import InvalidDocument
from mlconnector.http import dumps, loads
from mlconnector.target import ControlNumbers, Counters, Payload, Prepared

__all__ = ["counters_text", "document_of", "frozen", "prepared_of", "thawed"]


def frozen(payload: Payload) -> tuple[bytes, str]:
    """The bytes, and the form they had: ``bytes``, ``text``, ``json`` or ``none``."""
    if payload is None:
        return b"", "none"
    if isinstance(payload, bytes):
        return payload, "bytes"
    if isinstance(payload, str):
        return payload.encode(), "text"
    return dumps(payload).encode(), "json"


def thawed(content: bytes, form: str) -> Payload:
    """The payload in the form it had."""
    if form == "bytes":
        return content
    if form == "text":
        return content.decode()
    return None if form == "none" else loads(content)


def counters_text(counters: Counters | None) -> str:
    """Names of the counters as kept in the ledger."""
    return "" if counters is None else json.dumps([counters.interchange, counters.group])


def document_of(row: Row | Mapping[str, Any]) -> Document:
    """The document of a revision.

    Raises:
        InvalidDocument: It was forgotten.
    """
    if not row["document"]:
        raise InvalidDocument(
            f"Revision {row['revision']} of {row['key']!r} was forgotten.",
            cause="forgotten",
            cure="Whoever had it forgotten tells the partner of the change by other means.",
        )
    return from_json(row["document"])


def prepared_of(row: Row, flow: str) -> Prepared:
    """A delivery that was sent, as ``find`` and ``deliver`` see it: rendered bytes, marker, numbers, step."""
    control = None if row["interchange"] is None else ControlNumbers(row["interchange"], row["control_group"])
    described: dict[str, Any] = json.loads(row["described"])
    steps = tuple(json.loads(row["steps"]))
    prepared = Prepared(
        from_json(row["document"]),
        thawed(bytes(row["payload"]), row["payload_form"]),
        row["marker"],
        steps=steps,
        target_id=row["target_id"],
        describe=described,
        counters=Counters(*json.loads(row["counters"])) if row["counters"] else None,
    )
    return attrs.evolve(
        prepared,
        key=row["key"],
        revision=row["revision"],
        flow=flow,
        control=control,
        attempt=row["attempt"],
        step=row["step"],
    )
