"""The file name of a delivery: it can be recognised in listings and transfers (Cleo reference, section 8.2)."""

from __future__ import annotations

import hashlib
import re

import attrs

__all__ = ["NameParts", "file_name", "name_parts", "owner_of"]

_PLAIN = re.compile(r"[A-Za-z0-9.]")
_LONGEST = 60
_NAME = re.compile(r"(?P<code>\d{3})_(?P<sender>[A-Za-z0-9.-]+)_(?P<key>.+)_r\d+_(?P<number>\d{9})\.edi")
_CHANGES = {"860": "850"}
"""Sets that tell of the document of another set."""


def _encoded(text: str) -> str:
    """Letters, digits and points stay; any other character becomes ``-`` and its code, so that no two texts meet."""
    return "".join(char if _PLAIN.fullmatch(char) else f"-{ord(char):x}." for char in text)


def _bounded(text: str) -> str:
    name = _encoded(text)
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 17]}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def file_name(  # noqa: PLR0917 - the parts of the name, in order
    code: str, sender: str, key: str, revision: int, interchange: int | None, suffix: str = "edi"
) -> str:
    """Set code, sender, natural key, revision and ISA13, in ``[A-Za-z0-9._-]``, at most 150 characters.

    Different deliveries have different names; a JSON file has no interchange and is named by its revision.
    """
    number = "" if interchange is None else f"_{interchange:09d}"
    return f"{code}_{_encoded(sender)[:_LONGEST]}_{_bounded(key)}_r{revision}{number}.{suffix}"


@attrs.frozen
class NameParts:
    """What the name of an interchange says: whose document it is of, by which ``sender``, and its ISA13."""

    owner: str
    sender: str
    number: int

    def is_from(self, sender: str) -> bool:
        """This sender sent it."""
        return self.sender == _encoded(sender)[:_LONGEST]


def name_parts(name: str) -> NameParts | None:
    """What a name of :func:`file_name` says; ``None`` for any other, and for one without ISA13."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    code = found["code"]
    owner = f"{_CHANGES.get(code, code)}_{found['sender']}_{found['key']}"
    return NameParts(owner, found["sender"], int(found["number"]))


def owner_of(code: str, sender: str, key: str) -> str:
    """The same for every file of one document: an order and its changes, whatever revision."""
    return f"{_CHANGES.get(code, code)}_{_encoded(sender)[:_LONGEST]}_{_bounded(key)}"
