"""Cleo's filter expressions: ``eq``, ``sw``, ``and`` and parentheses (Cleo reference, section 3.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["BadFilter", "parse_filter"]

_TOKEN = re.compile(r'\s*(?:(?P<mark>[()])|"(?P<text>[^"]*)"|(?P<word>[A-Za-z][A-Za-z0-9_.]*))')

Test = Callable[[Mapping[str, Any]], bool]


class BadFilter(Exception):
    """A filter that is not understood: answered with 400."""


def parse_filter(text: str, attributes: frozenset[str]) -> Test:
    """A test of resources, seen through their filterable attributes.

    Args:
        text: The expression, decoded.
        attributes: The names (dotted paths) that may be filtered on.

    Raises:
        BadFilter: Unknown operators, attributes or syntax. How a quotation mark inside a value is escaped is not
            documented, so such a value cannot be written.
    """
    parser = _Parser(_tokens(text), attributes)
    test = parser.all_of()
    if parser.tokens:
        raise BadFilter(f"Unexpected {parser.tokens[0][1]!r} in filter")
    return test


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    text = text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            raise BadFilter(f"Filter not understood at {text[position:]!r}")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        position = found.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], attributes: frozenset[str]) -> None:
        self.tokens = tokens
        self._attributes = attributes

    def all_of(self) -> Test:
        tests = [self._term()]
        while self.tokens and self.tokens[0] == ("word", "and"):
            self._take("word")
            tests.append(self._term())
        return lambda resource: all(test(resource) for test in tests)

    def _term(self) -> Test:
        if self.tokens and self.tokens[0] == ("mark", "("):
            self._take("mark")
            test = self.all_of()
            if self._take("mark") != ")":
                raise BadFilter("A parenthesis is not closed")
            return test
        name, operator, value = self._take("word"), self._take("word"), self._take("text")
        if name not in self._attributes:
            raise BadFilter(f"Unknown attribute {name!r}")
        if operator == "eq":
            return lambda resource: _at(resource, name) == value
        if operator == "sw":
            return lambda resource: _at(resource, name).startswith(value)
        raise BadFilter(f"Unknown operator {operator!r}")

    def _take(self, kind: str) -> str:
        if not self.tokens or self.tokens[0][0] != kind:
            raise BadFilter(f"Expected a {kind}, found {self.tokens[0][1] if self.tokens else 'the end'!r}")
        return self.tokens.pop(0)[1]


def _at(resource: Mapping[str, Any], path: str) -> str:
    value: Any = resource
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return "" if value is None else str(value)
