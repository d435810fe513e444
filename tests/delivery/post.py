"""A small model of what comes in: a mailbox of files that name their messages line by line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import attrs

import mlconnector as mc
from mlconnector.delivery import Acknowledged, Confirmed, Heard, InboxMessage, Interpreted, Message, Noted, Owed
from tests.delivery.model import Model

BOX = "box"


@attrs.frozen(kw_only=True)
class File:
    name: str
    path: str
    size: int | None
    modified: dt.datetime | None


@attrs.define
class Post:
    """Files by path, and the faults of a server."""

    contents: dict[str, bytes] = attrs.Factory(dict)
    modified: dict[str, dt.datetime] = attrs.Factory(dict)
    told: bool = True
    faults: dict[str, Exception] = attrs.Factory(dict)
    at_download: Any = None

    def put(self, path: str, text: str, at: dt.datetime | None = None) -> None:
        self.contents[path] = text.encode()
        if at is not None:
            self.modified[path] = at

    def files(self, folder: str) -> list[File]:
        found = [path for path in self.contents if path.startswith(f"{folder}/")]
        if not found and folder == "nowhere":
            raise mc.NotFound("no such folder")
        return [
            File(
                name=path.rpartition("/")[2],
                path=path,
                size=len(self.contents[path]) if self.told else None,
                modified=self.modified.get(path) if self.told else None,
            )
            for path in reversed(found)
        ]

    def download(self, path: str) -> bytes:
        if f"get {path}" in self.faults:
            raise self.faults[f"get {path}"]
        content = self.contents[path]
        if self.at_download is not None:
            self.at_download(path)
        return content

    def delete(self, path: str) -> None:
        if f"delete {path}" in self.faults:
            raise self.faults[f"delete {path}"]
        del self.contents[path]


def interpret(content: bytes) -> Interpreted:
    """Each line is a message: identity, code and content; ``?`` cannot be read."""
    messages = []
    for part, line in enumerate(content.decode().splitlines()):
        identity, code, text = (*line.split(), "", "")[:3]
        unreadable = "not a line of ours" if code == "?" else ""
        messages.append(Message(identity=identity, code=code, hash=text, part=part, unreadable=unreadable))
    return Interpreted(tuple(messages), (Owed(name=f"owed {content.decode()}"),) if messages else ())


@attrs.define
class Ear:
    """Says of a message what the test says it means."""

    meanings: dict[str, list[Heard]] = attrs.Factory(dict)
    raises: Exception | None = None

    def __call__(self, message: InboxMessage) -> Iterable[Heard]:
        if self.raises is not None:
            raise self.raises
        return self.meanings.get(message.identity, [])


def come(model: Model, *messages: Message) -> None:
    """Messages that were stored."""
    model.ledger.inbox.store(BOX, "file", repr(messages).encode(), messages)


def acknowledged(number: int, verdict: Any = "accepted", *errors: str) -> Acknowledged:
    return Acknowledged(counter="group", number=number, verdict=verdict, errors=errors)


def confirmed(name: str, *differences: str, verdict: str = "confirmed", usage: str = "") -> Confirmed:
    return Confirmed(
        claim=("number", "partner", name),
        verdict=verdict,
        compare=lambda _sent: differences,
        channel="interchange",
        usage=usage,
    )


def noted(text: str, *, parked: bool = False) -> Noted:
    return Noted(text=text, parked=parked)
