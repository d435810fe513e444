"""The inbox: what came in, stored whole before its source may forget it (delivery rule 14).

A message's identity is what its sender gave it: sender, receiver and control numbers, or an event's id. The same
identity with the same content is a repeat and dropped; with other content it is kept, parked.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import attrs

from mlconnector.delivery._database import Row
from mlconnector.delivery._store import Lease, Store, Transaction
from mlconnector.errors import InvalidArgument

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
        updated_at: When it came to this state.
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
    updated_at: dt.datetime
    name: str = ""


_COLUMNS = tuple(attrs.fields_dict(InboxMessage))
_WITH_NAME = "SELECT i.*, f.name FROM inbox AS i JOIN inbox_files AS f ON f.hash = i.file"


def _message_of(row: Row) -> InboxMessage:
    fields = {name: row[name] for name in _COLUMNS}
    fields |= {name: dt.datetime.fromisoformat(row[name]) for name in ("stored_at", "updated_at")}
    return InboxMessage(**{**fields, "facts": json.loads(row["facts"])})


def _text(instant: dt.datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(dt.UTC).isoformat()


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
        told: Callable[[Transaction, Sequence[str]], None] | None = None,
    ) -> list[str]:
        """Keep a file or event and its messages, in one transaction.

        Args:
            box: Inbox. ``name``: where it came from. ``content``: its exact bytes.
            messages: What it holds; empty for something without content.
            owed: Acknowledgments it asks for, kept with it. ``lease``: of the worker that collects.
            told: Called in the same transaction with what is returned: what a person must see of it is kept with it.

        Returns:
            Of each message: the state it was stored with, or ``"repeated"`` for what was there already.

        Raises:
            LeaseLost: The lease is another worker's now; nothing is written.
        """
        digest = hashlib.sha256(content).hexdigest()
        with self._store.transaction(lease) as transaction:
            transaction.execute(
                "INSERT INTO inbox_files (hash, name, content, stored_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (digest, name, transaction.seals.sealed("content", content), transaction.at),
            )
            found = [self._keep(transaction, box, name, digest, message) for message in messages]
            for one in owed:
                transaction.execute(
                    "INSERT INTO owed (box, name, file, facts, stored_at) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT DO NOTHING",
                    (box, one.name, digest, json.dumps(dict(one.facts)), transaction.at),
                )
            if told is not None:
                told(transaction, found)
        return found

    def messages(
        self,
        box: str | None = None,
        state: str | None = None,
        code: str | None = None,
        key: str | None = None,
        since: dt.datetime | None = None,
    ) -> list[InboxMessage]:
        """Messages, oldest first.

        Args:
            box: Of this inbox. ``state``, ``code``: as on :class:`InboxMessage`. ``key``: business key.
            since: That came to their state at or after this instant.
        """
        wanted = {"i.box = ?": box, "i.state = ?": state, "i.code = ?": code, "i.business_key = ?": key}
        wanted["i.updated_at >= ?"] = _text(since)
        return [_message_of(row) for row in self._chosen(_WITH_NAME, wanted)]

    def stored(self, box: str) -> list[tuple[int, str, str]]:
        """Id, identity and code of what is to be worked on, oldest first."""
        query = "SELECT id, identity, code FROM inbox WHERE box = ? AND state = 'stored' ORDER BY id"
        return [(row["id"], row["identity"], row["code"]) for row in self._store.read(query, (box,))]

    def next_stored(self, box: str, code: str, *, upto: int, most: int) -> list[InboxMessage]:
        """The next messages to be worked on, those about one business key together.

        Args:
            box, code: Inbox, and kind of message. ``upto``: none with a higher id. ``most``: no more than this many.
        """
        query = (
            f"{_WITH_NAME} WHERE i.box = ? AND i.state = 'stored' AND i.code = ? AND i.id <= ?"
            " ORDER BY i.business_key, i.id LIMIT ?"
        )
        return [_message_of(row) for row in self._store.read(query, (box, code, upto, most))]

    def content(self, file: str) -> bytes:
        """The exact bytes of a file, by its hash."""
        rows = self._store.read("SELECT content FROM inbox_files WHERE hash = ?", (file,))
        return bytes(rows[0]["content"])

    def release(self, message: int, *, actor: str, reason: str, instead_of: int | None = None) -> InboxMessage:
        """Let a parked message be taken again, under the rules that parked it: the next run works on it.

        Args:
            message: ``id`` of the message.
            actor, reason: Who decided, and why.
            instead_of: ``id`` of the one that gives way to it, under the same number or about the same business.

        Returns:
            The message as it is now.

        Raises:
            InvalidArgument: It is not parked, its bytes were forgotten, nothing can give way to it so, or no actor or
                reason.
        """
        if not actor.strip() or not reason.strip():
            raise InvalidArgument("actor and reason are needed to release.", cure="Say who decided, and why (rule B7).")
        with self._store.transaction() as transaction:
            parked = self._one(message)
            if parked.state != "parked":
                cure = (
                    "Its sender sends it again." if parked.state == "quarantined" else "Nothing is to be done with it."
                )
                raise InvalidArgument(f"Message {message} is {parked.state}, not parked.", cure=cure)
            if not self.content(parked.file):
                raise InvalidArgument(f"The bytes of message {message} are gone.", cure="Its sender sends it again.")
            other = None if instead_of is None else self._one(instead_of)
            if other is not None:
                self._check_gives_way(other, parked)
                self.close(transaction, other, "superseded", f"message {message} was taken instead")
            self.close(transaction, parked, "stored")
            transaction.execute(
                "UPDATE attention SET closed = ? WHERE key = ? AND closed IS NULL", (transaction.at, parked.identity)
            )
            transaction.audit(
                "message released",
                parked.box,
                parked.business_key,
                identity=parked.identity,
                instead_of=None if other is None else other.identity,
                by=actor,
                reason=reason,
            )
        return self._one(message)

    def _one(self, message: int) -> InboxMessage:
        query = "SELECT i.*, f.name FROM inbox AS i JOIN inbox_files AS f ON f.hash = i.file WHERE i.id = ?"
        rows = self._store.read(query, (message,))
        if not rows:
            raise InvalidArgument(f"There is no message {message}.", cure="See ledger.inbox.messages().")
        return _message_of(rows[0])

    @staticmethod
    def _check_gives_way(other: InboxMessage, parked: InboxMessage) -> None:
        same = other.identity == parked.identity or (other.business_key and other.business_key == parked.business_key)
        if other.id == parked.id or other.box != parked.box or not same:
            raise InvalidArgument(
                f"instead_of={other.id} has neither number nor business key of message {parked.id}.",
                cure="Name the message that said the same before.",
            )

    def owed(
        self, box: str, *, since: dt.datetime | None = None, name: str | None = None
    ) -> list[tuple[str, str, Mapping[str, Any], dt.datetime]]:
        """Name, file, facts and time of every acknowledgment that was owed, sent or not, oldest first.

        Args:
            since: Stored at or after this instant. ``name``: only the one of this name.
        """
        wanted = {"i.box = ?": box, "i.stored_at >= ?": _text(since), "i.name = ?": name}
        return [
            (row["name"], row["file"], json.loads(row["facts"]), dt.datetime.fromisoformat(row["stored_at"]))
            for row in self._chosen("SELECT i.* FROM owed AS i", wanted)
        ]

    def _chosen(self, query: str, wanted: Mapping[str, str | None]) -> list[Row]:
        terms = [term for term, value in wanted.items() if value is not None]
        where = f" WHERE {' AND '.join(terms)}" if terms else ""
        return self._store.read(
            f"{query}{where} ORDER BY i.id", [value for value in wanted.values() if value is not None]
        )

    @staticmethod
    def close(transaction: Transaction, message: InboxMessage, state: State, reason: str = "") -> None:
        """Say, inside a transaction, what became of a message.

        Args:
            state: What it is now. ``reason``: why, for a person.
        """
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
