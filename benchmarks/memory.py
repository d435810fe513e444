"""Peak memory of a read by number of records: a process each, fed with pages that are made as they come."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlconnector as mc

PAGE = 500


def _pages(count: int, _window: Any) -> Iterator[list[mc.Supplier]]:
    for start in range(0, count, PAGE):
        yield [
            mc.Supplier(
                number=str(number),
                name=f"Supplier {number}",
                provenance=mc.Provenance(system="benchmark", kind="suppliers", key=str(number)),
            )
            for number in range(start, start + PAGE)
        ]


def read(count: int) -> None:
    records = mc.Records.from_pages(lambda window: _pages(count, window), system="benchmark", kind="suppliers")
    assert sum(1 for _ in records) == count
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def peak(count: int) -> float:
    """Megabytes at most while so many records are read."""
    command = [sys.executable, __file__, str(count)]
    folder = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=folder, env={"PYTHONPATH": str(folder)}
    )
    return int(done.stdout) / 1024


def report(counts: tuple[int, ...] = (10_000, 100_000, 1_000_000)) -> list[tuple[str, str]]:
    """Lines of the table."""
    return [(f"peak memory, {count:,} records read", f"{peak(count):.1f} MB") for count in counts]


if __name__ == "__main__":
    read(int(sys.argv[1]))
