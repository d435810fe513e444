"""The audit outside of the ledger: exported as JSON Lines or CSV, and checked there without it (delivery rule 16)."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mlconnector.delivery._database import Row
from mlconnector.delivery._store import Store, event_hash
from mlconnector.errors import InvalidArgument, LedgerError

__all__ = ["export", "verify", "verify_export"]

_COLUMNS = ("number", "at", "actor", "token", "event", "sync", "key", "facts", "hash")
_PAGE = 2000
_BEFORE_ALL = -(2**62)
_CURE = "Compare with a backup or an earlier export; somebody changed it by other means than this library."


def chain(rows: Iterable[Iterable[Any]], *, number: int = 0, previous: str = "") -> tuple[int, str]:
    """Walk events, each with the columns of the audit; returns number and hash of the last one.

    Args:
        number: Number of the event before the first one. ``previous``: its hash.

    Raises:
        LedgerError: An event was changed, removed or put in; names the first bad one.
    """
    for row in rows:
        *content, kept = row
        number += 1
        previous = event_hash(previous, content)
        if content[0] != number or previous != kept:
            raise LedgerError(f"The audit is broken at event {number}.", cure=_CURE)
    return number, previous


def verify(store: Store) -> int:
    """Walk the ledger's own audit, and compare what is kept with its hashes in it; see :meth:`Ledger.verify`."""
    start = int(store.meta("pruned", "0"))
    number, _hash = chain(_events(store), number=start, previous=store.meta("pruned hash"))
    for row in _paged(store, "SELECT * FROM deliveries WHERE forgotten = '' AND id > ? ORDER BY id", "id"):
        facts = _facts(store, row)
        documents = {one["document_sha256"] for one in facts if "document_sha256" in one}
        payloads = {one["payload_sha256"] for one in facts if "payload_sha256" in one}
        blinded = store.seals.blinded
        if not (_known(row["document"], documents, blinded) and _known(row["payload"], payloads, blinded)):
            raise LedgerError(f"{row['key']} revision {row['revision']} is not what the audit says.", cure=_CURE)
    return number


def _facts(store: Store, row: Row) -> list[dict[str, Any]]:
    rows = store.read(
        "SELECT facts FROM audit WHERE key = ? AND sync = ?"
        " AND event IN ('recorded', 'baselined', 'unknown', 'intent')",
        (row["key"], row["sync"]),
    )
    found = [json.loads(one["facts"]) for one in rows]
    return [facts for facts in found if facts.get("revision") == row["revision"]]


def _known(content: Any, hashes: set[str], blinded: Callable[[str], str]) -> bool:
    """Nothing is known of what was recorded before its hash was kept, or whose events are pruned."""
    exact = content.encode() if isinstance(content, str) else bytes(content or b"")
    found = hashlib.sha256(exact).hexdigest()
    return not hashes or not exact or found in hashes or blinded(found) in hashes


def _paged(store: Store, query: str, column: str) -> Iterator[Row]:
    """Rows of an ordered query, read piece by piece: an audit outgrows the memory."""
    after = _BEFORE_ALL
    while rows := store.read(f"{query} LIMIT {_PAGE}", (after,)):
        yield from rows
        after = rows[-1][column]


def _events(store: Store) -> Iterator[Row]:
    return _paged(store, "SELECT * FROM audit WHERE number > ? ORDER BY number", "number")


def export(store: Store, path: str | os.PathLike[str]) -> int:
    """Write every event; returns how many. The form goes by the ending: ``.csv``, else JSON Lines."""
    count = 0
    if Path(path).suffix.lower() == ".csv":
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            for count, row in enumerate(_events(store), 1):  # noqa: B007 - the last one counts
                writer.writerow(tuple(row))
        return count
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        for count, row in enumerate(_events(store), 1):  # noqa: B007 - the last one counts
            file.write(json.dumps({**dict(row), "facts": json.loads(row["facts"])}) + "\n")
    return count


def verify_export(path: str | os.PathLike[str], *, head: Mapping[str, object] | None = None) -> int:
    """Check an export without its ledger; returns the number of its last event.

    Args:
        path: A file of :meth:`Ledger.export_audit`.
        head: What :meth:`Ledger.head` said at some time; the export must hold that event, unchanged.

    Raises:
        LedgerError: An event was changed, removed or put in, or the export ends before ``head``.
        InvalidArgument: The file is no export.
    """
    try:
        rows = list(_csv_rows(path) if Path(path).suffix.lower() == ".csv" else _json_rows(path))
    except (ValueError, KeyError, TypeError, UnicodeDecodeError):
        raise InvalidArgument(
            f"{os.fspath(path)} is no export of an audit.", cure="Name a file made by ledger.export_audit."
        ) from None
    if rows and rows[0][0] > 1:
        # What came before was pruned: the chain is taken up at the first event that is left.
        number, _hash = chain(rows[1:], number=rows[0][0], previous=rows[0][-1])
    else:
        number, _hash = chain(rows)
    if head is not None:
        hashes = {row[0]: row[-1] for row in rows}
        wanted = head["number"]
        if wanted != 0 and hashes.get(wanted) != head["hash"]:
            raise LedgerError(f"The audit has not the event {wanted} that was its head once.", cure=_CURE)
    return number


def _json_rows(path: str | os.PathLike[str]) -> Iterator[tuple[Any, ...]]:
    with Path(path).open(encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            event["facts"] = json.dumps(event["facts"], sort_keys=True, separators=(",", ":"))
            yield tuple(event[column] for column in _COLUMNS)


def _csv_rows(path: str | os.PathLike[str]) -> Iterator[tuple[Any, ...]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield (int(row["number"]), *(row[column] for column in _COLUMNS[1:]))
