"""The ledger's tables, as anybody with SQLite reads them."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

__all__ = ["rows"]


def rows(path: Path, query: str) -> list[dict[str, Any]]:
    """Rows of the ledger, read without the library."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]
