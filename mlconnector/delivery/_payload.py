"""Exact bytes of a payload, and back: what was put on the wire is kept, and repeated byte by byte."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import attrs

from mlconnector.documents import from_json
from mlconnector.http import dumps, loads
from mlconnector.target import ControlNumbers, Counters, Payload, Prepared

__all__ = ["counters_text", "frozen", "prepared_of", "thawed"]


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


def prepared_of(row: sqlite3.Row, flow: str) -> Prepared:
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
