"""How the simulated Coupa describes its rows: attributes with type and length, sorts of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from mlconnector.errors import InvalidArgument

__all__ = ["Field", "Kind", "Sort", "dashed", "typed_field"]

Sort = Literal["text", "whole", "decimal", "flag", "instant", "day", "object", "link", "links", "part", "parts"]
"""What an attribute holds: a value, rows within (``part``, ``parts``) or rows of a resource (``link``, ``links``)."""


@attrs.frozen
class Field:
    """One attribute.

    Attributes:
        sort: What it holds.
        size: Characters of a text, digits after the point of a decimal; None is no limit.
        target: The kind of its rows, or the resource it refers to.
        required: Whether a write that leaves it empty is refused.
        unique: Whether two rows with one value are refused.
        read_only: Whether a value sent is ignored.
        choices: The only texts allowed; none is any.
        default: What a new row has where nothing is sent.
        in_only: Whether it is taken and never shown.
    """

    sort: Sort
    size: int | None = None
    target: str = ""
    required: bool = False
    unique: bool = False
    read_only: bool = False
    choices: tuple[str, ...] = ()
    default: Any = None
    in_only: bool = False


@attrs.frozen
class Kind:
    """A sort of rows.

    Attributes:
        name: The resource's path below ``/api/``, or the name of rows that stand only within others.
        object: What errors and XML call one row.
        fields: Dashed name to attribute.
        keys: Attributes that find a row from a reference, besides ``id``.
        read: Scopes of which one is needed to read.
        write: Scopes of which one is needed to create and update; none means that the API does not write it.
        within: Resource and attribute whose parts these rows are.
        held: Whether it has rows of its own without an address: others refer to them.
    """

    name: str
    object: str
    fields: Mapping[str, Field]
    keys: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    within: tuple[str, str] | None = None
    held: bool = False


_SORTS: Mapping[str, Sort] = {"S": "text", "I": "whole", "N": "decimal", "B": "flag", "T": "instant", "O": "object"}


def typed_field(letter: str) -> Field:
    """A plain attribute by the letter of its type: S text, I whole, N decimal, B flag, T instant, O object.

    Raises:
        InvalidArgument: Another letter.
    """
    if letter not in _SORTS:
        raise InvalidArgument(f"The type of an attribute is one of {', '.join(_SORTS)}, not {letter!r}.")
    return Field(_SORTS[letter])


def dashed(name: str) -> str:
    """The name as answers show it: ``po_number`` is ``po-number``; a leading underscore stays."""
    return name[:1] + name[1:].replace("_", "-")
