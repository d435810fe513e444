"""The file name of a delivery: it can be recognised in listings and transfers (Cleo reference, section 8.2)."""

from __future__ import annotations

import hashlib
import re

__all__ = ["file_name"]

_PLAIN = re.compile(r"[A-Za-z0-9.]")
_LONGEST = 60


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
