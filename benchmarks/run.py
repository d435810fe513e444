"""One command, one table: ``python benchmarks/run.py``.

Times are medians of paired runs, with the vendor in a process of its own. Ratios are printed, counts are asserted in
``tests/benchmarks``. Other libraries are installed into environments of their own, kept under ``~/.cache``; leave them
out with ``--no-peers``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import calls
import ledgers
import memory
import peers
import reading

Lines = list[tuple[str, str]]


def start_up() -> Lines:
    """Milliseconds of an import, the interpreter's own start taken off."""

    def run(code: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    bare, own, both = reading.medians(
        [run("pass"), run("import mlconnector"), run("import requests, attrs")], rounds=11
    )
    told = f"{(own - bare) * 1000:.0f} ms (budget 150); requests and attrs: {(both - bare) * 1000:.0f} ms"
    return [("import mlconnector", told)]


def beside_peers() -> Lines:
    """Raw rows beside other libraries."""
    return [
        (f"{peers.ROWS:,} rows of Fusion, no latency", ""),
        *peers.table(peers.reading()),
        (f"{peers.ROWS:,} rows of Fusion, 20 ms latency", ""),
        *peers.table(peers.reading(delay=0.02)),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-peers", action="store_true", help="install and run no other library")
    parser.add_argument("--only", help="one part: reading, peers, calls, ledger, memory, start")
    asked = parser.parse_args()
    parts: dict[str, Callable[[], Lines]] = {
        "start": start_up,
        "reading": reading.report,
        "peers": beside_peers,
        "calls": calls.report,
        "ledger": ledgers.report,
        "memory": memory.report,
    }
    if asked.no_peers:
        del parts["peers"]
    for name, part in parts.items():
        if asked.only in (None, name):
            for what, told in part():
                print(f"{what.ljust(88)}  {told}", flush=True)


if __name__ == "__main__":
    main()
