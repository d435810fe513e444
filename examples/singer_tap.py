"""A Singer tap over JD Edwards: ``python singer_tap.py --config config.json [--state state.json] | target-...``.

``config.json``: ``{"url": "https://ais.example:9302", "credentials": "acme-jde", "streams": ["purchase_orders"]}``.
STATE is written after the page it stands for, so that a target that has stored it has stored the page.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import attrs

import mlconnector as mc

_STREAMS: Mapping[str, type[mc.Document]] = {
    "purchase_orders": mc.PurchaseOrder,
    "invoices": mc.Invoice,
    "suppliers": mc.Supplier,
    "payments": mc.Payment,
}
_SCALARS: Mapping[Any, dict[str, Any]] = {
    str: {"type": ["string", "null"]},
    bool: {"type": ["boolean", "null"]},
    int: {"type": ["integer", "null"]},
    # Text, so that no loader makes a float of it; a target that knows the format makes an exact decimal.
    Decimal: {"type": ["string", "null"], "format": "singer.decimal"},
    dt.date: {"type": ["string", "null"], "format": "date"},
    dt.datetime: {"type": ["string", "null"], "format": "date-time"},
}


def schema(cls: type[Any]) -> dict[str, Any]:
    """JSON schema of a document class; what the document does not have is left out of its record."""
    hints = typing.get_type_hints(cls)
    properties = {field.name: _schema_of(hints[field.name]) for field in attrs.fields(cls)}
    return {"type": ["object", "null"], "properties": properties}


def _schema_of(hint: Any) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _schema_of(next(one for one in arguments if one is not types.NoneType))
    if origin is tuple:
        return {"type": ["array", "null"], "items": _schema_of(arguments[0])}
    if isinstance(hint, type) and attrs.has(hint):
        return schema(hint)
    return _SCALARS.get(hint, {"type": ["object", "string", "null"]})


def stream_schema(stream: str) -> dict[str, Any]:
    """Schema of a stream: the document, its key, and the form it is written in."""
    document = schema(_STREAMS[stream])
    form = {"key": {"type": "string"}, "document": {"type": "string"}, "version": {"type": "integer"}}
    return {"type": "object", "properties": {**form, **document["properties"]}, "required": ["key"]}


def catalog() -> dict[str, Any]:
    """What ``--discover`` tells."""
    streams = [
        {"tap_stream_id": name, "stream": name, "key_properties": ["key"], "schema": stream_schema(name)}
        for name in _STREAMS
    ]
    return {"streams": streams}


def sync(jde: mc.JDEdwardsAIS, streams: Sequence[str], state: Mapping[str, Any], out: TextIO) -> dict[str, Any]:
    """Write messages for everything that changed; returns the new state."""
    bookmarks = dict(state.get("bookmarks", {}))

    def say(**message: Any) -> None:
        out.write(json.dumps(message) + "\n")

    for stream in streams:
        say(type="SCHEMA", stream=stream, schema=stream_schema(stream), key_properties=["key"])
        for page in jde.read(stream, since=bookmarks.get(stream)).pages():
            for document in page.documents:
                record = {"key": document.key, **json.loads(mc.to_json(document))}
                say(type="RECORD", stream=stream, record=record)
            for rejected in page.rejected:
                print(f"{stream} {rejected.key}: {'; '.join(rejected.faults)}", file=sys.stderr)
            bookmarks[stream] = page.cursor
            say(type="STATE", value={"bookmarks": bookmarks})
    return {"bookmarks": bookmarks}


def main(arguments: Sequence[str] | None = None, out: TextIO = sys.stdout) -> int:
    """The command line of a tap."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config")
    parser.add_argument("--state")
    parser.add_argument("--discover", action="store_true")
    given = parser.parse_args(arguments)
    if given.discover:
        out.write(json.dumps(catalog(), indent=2) + "\n")
        return 0
    if given.config is None:
        parser.error("--config is needed")
    config = json.loads(Path(given.config).read_text())
    state = json.loads(Path(given.state).read_text()) if given.state else {}
    with mc.JDEdwardsAIS(config["url"], auth=mc.stored(config["credentials"])) as jde:
        sync(jde, config.get("streams", list(_STREAMS)), state, out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
