"""XML without doctype, entities and namespaces, read by expat and written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

import attrs

from mlconnector.errors import InvalidArgument

__all__ = ["Node", "element", "parse"]

_DEEPEST = 100


@attrs.define
class Node:
    """One element; ``name`` is without its prefix, ``text`` is what stands directly in it."""

    name: str
    attributes: dict[str, str] = attrs.field(factory=dict)
    children: list[Node] = attrs.field(factory=list)
    pieces: list[str] = attrs.field(factory=list)

    @property
    def text(self) -> str:
        """Its own character data."""
        return "".join(self.pieces)

    def walk(self) -> Iterator[Node]:
        """It and everything below it, in document order."""
        left: list[Node] = [self]
        while left:
            node = left.pop()
            yield node
            left.extend(reversed(node.children))

    def find(self, name: str) -> Node | None:
        """The first element of this name, itself included."""
        return next((node for node in self.walk() if node.name == name), None)

    def text_of(self, name: str) -> str:
        """The stripped text of the first element of this name; empty where there is none."""
        found = self.find(name)
        return "" if found is None else found.text.strip()


def parse(content: bytes) -> Node:
    """The root element.

    Raises:
        ValueError: Not XML, cut, too deep, or with a doctype (entities could expand without end).
    """
    parser = expat.ParserCreate()
    root = Node("")
    stack = [root]

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(stack) > _DEEPEST:
            raise ValueError("nested too deep")
        node = Node(name.rpartition(":")[2], dict(attributes))
        stack[-1].children.append(node)
        stack.append(node)

    def end(_name: str) -> None:
        stack.pop()

    def text(data: str) -> None:
        stack[-1].pieces.append(data)

    def refuse(*_: Any) -> None:
        raise ValueError("a doctype or an entity declaration")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler, parser.EntityDeclHandler = refuse, refuse
    parser.buffer_text = True
    try:
        parser.Parse(content.lstrip(), True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from None
    return root.children[0]


def element(name: str, content: str = "", *, attributes: str = "", raw: str = "") -> str:
    """One element as text: ``content`` is escaped, ``raw`` is XML already.

    Raises:
        InvalidArgument: A control character, which XML cannot carry.
    """
    if any(ord(char) < 32 and char not in "\t\n\r" for char in content):
        raise InvalidArgument(
            f"{name} {content!r} holds a control character.", cure="Take it out; XML cannot carry it."
        )
    head = f"{name} {attributes}" if attributes else name
    return f"<{head}>{escape(content)}{raw}</{name}>" if content or raw else f"<{head}/>"
