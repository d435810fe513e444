"""A Singer tap over JD Edwards: ``python singer_tap.py --config config.json [--state state.json] | target-...``.

``config.json``: ``{"url": "https://ais.example:9302", "credentials": "acme-jde", "streams": ["purchase_orders"]}``.
STATE is written after the page it stands for, so that a target that has stored it has stored the page.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import mlconnector as mc

_STREAMS = ("purchase_orders", "invoices", "suppliers", "payments")
_SCHEMA = {"type": "object", "properties": {"key": {"type": "string"}}, "additionalProperties": True}


def catalog() -> dict[str, Any]:
    """What ``--discover`` tells."""
    streams = [
        {"tap_stream_id": name, "stream": name, "key_properties": ["key"], "schema": _SCHEMA} for name in _STREAMS
    ]
    return {"streams": streams}


def sync(jde: mc.JDEdwardsAIS, streams: Sequence[str], state: Mapping[str, Any], out: TextIO) -> dict[str, Any]:
    """Write messages for everything that changed; returns the new state."""
    bookmarks = dict(state.get("bookmarks", {}))

    def say(**message: Any) -> None:
        out.write(json.dumps(message) + "\n")

    for stream in streams:
        say(type="SCHEMA", stream=stream, schema=_SCHEMA, key_properties=["key"])
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
        sync(jde, config.get("streams", _STREAMS), state, out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
