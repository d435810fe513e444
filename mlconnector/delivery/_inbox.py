"""The inbox: what came in, stored whole before its source may forget it (delivery rule 14).

A message's identity is what its sender gave it: sender, receiver and control numbers, or an event's id. The same
identity with the same content is a repeat and dropped; with other content it is kept, parked.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import attrs

from mlconnector.delivery._store import Lease, Store, Transaction

__all__ = ["Inbox", "InboxMessage", "Message", "Owed"]

State = Literal["stored", "applied", "noted", "parked", "quarantined", "superseded"]


@attrs.frozen(kw_only=True)
class Message:
    """One message in a file or event, as its interpreter describes it.

    Args:
        identity: What its sender numbered it; a hash of its bytes where it cannot be read.
        code: Set code, ``"997"``, or kind of event. ``sender``, ``receiver``: as they name themselves.
        hash: SHA-256 of the message's own content; of the whole file by default.
        part: Which part of the file it is, from 0.
        business_key: What it is about, by whatever name the business has for that.
        stamp: When its sender made it, sortable text in the sender's time; empty where unknown.
        facts: Whatever else the interpreter needs again; plain JSON, no secrets.
        unreadable: Why it cannot be read; such a message is quarantined.
    """

    identity: str
    code: str = ""
    sender: str = ""
    receiver: str = ""
    hash: str = ""
    part: int = 0
    business_key: str = ""
    stamp: str = ""
    facts: Mapping[str, Any] = attrs.field(factory=dict)
    unreadable: str = ""


@attrs.frozen(kw_only=True)
class Owed:
    """An acknowledgment that is owed for part of a file; ``name`` is owed once only."""

    name: str
    facts: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class InboxMessage:
    """A message in the inbox.

    Args:
        box: The inbox it lies in. ``name``: of the file it came in.
        state: ``stored`` (to be worked on), ``applied``, ``noted`` (kept and shown, nothing is done with it),
            ``parked`` (needs a person; ``reason`` says why), ``quarantined`` (cannot be read) or ``superseded`` (an
            older state than what is known).
    """

    id: int
    box: str
    identity: str
    hash: str
    file: str
    part: int
    code: str
    sender: str
    receiver: str
    business_key: str
    stamp: str
    facts: Mapping[str, Any]
    state: str
    reason: str
    stored_at: dt.datetime
    name: str = ""


def _message_of(row: sqlite3.Row) -> InboxMessage:
    fields = {name: row[name] for name in attrs.fields_dict(InboxMessage)}
    fields |= {"facts": json.loads(row["facts"]), "stored_at": dt.datetime.fromisoformat(row["stored_at"])}
    return InboxMessage(**fields)


class Inbox:
    """What came in, by box."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def store(
        self,
        box: str,
        name: str,
        content: bytes,
        messages: Sequence[Message],
        *,
        owed: Iterable[Owed] = (),
        lease: Lease | None = None,
    ) -> dict[str, str]:
        """Keep a file or event and its messages, in one transaction.

        Args:
            box: Inbox. ``name``: where it came from. ``content``: its exact bytes.
            messages: What it holds; empty for something without content.
            owed: Acknowledgments it asks for, kept with it. ``lease``: of the worker that collects.

        Returns:
            By identity: the state it was stored with, or ``"repeated"`` for what was there already.

        Raises:
            LeaseLost: The lease is another worker's now; nothing is written.
        """
        digest = hashlib.sha256(content).hexdigest()
        found: dict[str, str] = {}
        with self._store.transaction(lease) as transaction:
            transaction.execute(
                "INSERT OR IGNORE INTO inbox_files (hash, name, content, stored_at) VALUES (?, ?, ?, ?)",
                (digest, name, content, transaction.at),
            )
            for message in messages:
                found[message.identity] = self._keep(transaction, box, name, digest, message)
            for one in owed:
                transaction.execute(
                    "INSERT OR IGNORE INTO owed (box, name, file, facts, stored_at) VALUES (?, ?, ?, ?, ?)",
                    (box, one.name, digest, json.dumps(dict(one.facts)), transaction.at),
                )
        return found

    def messages(
        self, box: str | None = None, state: str | None = None, code: str | None = None, key: str | None = None
    ) -> list[InboxMessage]:
        """Messages, oldest first.

        Args:
            box: Of this inbox. ``state``, ``code``: as on :class:`InboxMessage`. ``key``: business key.
        """
        wanted = {"i.box": box, "i.state": state, "i.code": code, "i.business_key": key}
        terms = [f"{column} = ?" for column, value in wanted.items() if value is not None]
        where = f" WHERE {' AND '.join(terms)}" if terms else ""
        rows = self._store.read(
            f"SELECT i.*, f.name FROM inbox AS i JOIN inbox_files AS f ON f.hash = i.file{where} ORDER BY i.id",  # noqa: S608 - own columns
            [value for value in wanted.values() if value is not None],
        )
        return [_message_of(row) for row in rows]

    def content(self, file: str) -> bytes:
        """The exact bytes of a file, by its hash."""
        rows = self._store.read("SELECT content FROM inbox_files WHERE hash = ?", (file,))
        return bytes(rows[0]["content"])

    def owed(self, box: str) -> list[tuple[str, str, Mapping[str, Any], dt.datetime]]:
        """Name, file, facts and time of every acknowledgment that was owed, sent or not, oldest first."""
        rows = self._store.read("SELECT * FROM owed WHERE box = ? ORDER BY id", (box,))
        return [
            (row["name"], row["file"], json.loads(row["facts"]), dt.datetime.fromisoformat(row["stored_at"]))
            for row in rows
        ]

    @staticmethod
    def close(transaction: Transaction, message: InboxMessage, state: State, reason: str = "") -> None:
        """Say, inside a transaction, what became of a message."""
        transaction.execute(
            "UPDATE inbox SET state = ?, reason = ?, updated_at = ? WHERE id = ?",
            (state, reason, transaction.at, message.id),
        )
        transaction.audit(
            f"message {state}", message.box, message.business_key, identity=message.identity, reason=reason
        )

    @staticmethod
    def _keep(transaction: Transaction, box: str, name: str, digest: str, message: Message) -> str:
        own = message.hash or digest
        known = {
            row["hash"]
            for row in transaction.rows(
                "SELECT hash FROM inbox WHERE box = ? AND identity = ?", (box, message.identity)
            )
        }
        if own in known:
            transaction.audit("repeated", box, message.business_key, identity=message.identity, file=name)
            return "repeated"
        state, reason = "stored", ""
        if message.unreadable:
            state, reason = "quarantined", message.unreadable
        elif known:
            state, reason = "parked", "the same identity came before with other content"
        transaction.execute(
            "INSERT INTO inbox (box, identity, hash, file, part, code, sender, receiver, business_key, stamp, facts,"
            " state, reason, stored_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(box, message.identity, own, digest, message.part, message.code, message.sender, message.receiver),
                *(message.business_key, message.stamp, json.dumps(dict(message.facts)), state, reason),
                *(transaction.at, transaction.at),
            ),
        )
        transaction.audit(
            "received", box, message.business_key, identity=message.identity, code=message.code, hash=own, state=state
        )
        return state
