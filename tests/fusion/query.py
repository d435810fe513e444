"""Evaluates the expression ``q`` for the stub pod, by the grammar of Fusion reference, section 6.2."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<op><=|>=|!=|<>|=|<|>)|(?P<paren>[()])"
    r"|(?P<word>[A-Za-z_][\w.]*))"
)
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}T")
Test = Callable[[Mapping[str, Any]], bool]


class Refused(Exception):
    pass


def literal_of(token: tuple[str, str]) -> Any:
    kind, text = token
    if kind == "text":
        return text[1:-1].replace("''", "'")
    if kind == "number":
        return Decimal(text)
    raise Refused(f"a literal was expected, not {text}")


def comparable(value: Any, other: Any) -> tuple[Any, Any]:
    if isinstance(value, str) and isinstance(other, str) and _STAMP.match(value):
        stamp = dt.datetime.fromisoformat(other)
        return dt.datetime.fromisoformat(value), stamp if stamp.tzinfo else stamp.replace(tzinfo=dt.UTC)
    if isinstance(value, (int, Decimal)):
        return Decimal(value), Decimal(other)
    return value, other


def compare(op: str, value: Any, other: Any) -> bool:
    if value is None:
        return False
    left, right = comparable(value, other)
    return {
        "=": left == right,
        "!=": left != right,
        "<>": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[op]


class Parser:
    def __init__(self, text: str, wildcard: str, queryable: Callable[[str], bool]) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.wildcard, self.queryable = wildcard, queryable
        position = 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if match is None:
                raise Refused(f"cannot read {text[position:]!r}")
            assert match.lastgroup is not None
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()

    def take(self) -> tuple[str, str]:
        if not self.tokens:
            raise Refused("the expression ends too early")
        return self.tokens.pop(0)

    def ahead(self, word: str) -> bool:
        return bool(self.tokens) and self.tokens[0][1].lower() == word

    def whole(self) -> Test:
        test = self.either()
        if self.tokens:
            raise Refused(f"{self.tokens[0][1]!r} was not expected")
        return test

    def either(self) -> Test:
        tests = [self.both()]
        while self.ahead("or"):
            self.take()
            tests.append(self.both())
        return lambda row: any(test(row) for test in tests)

    def both(self) -> Test:
        tests = [self.single()]
        while self.ahead("and"):
            self.take()
            tests.append(self.single())
        return lambda row: all(test(row) for test in tests)

    def single(self) -> Test:
        kind, text = self.take()
        if text == "(":
            test = self.either()
            if self.take()[1] != ")":
                raise Refused("a parenthesis is open")
            return test
        if kind != "word" or not self.queryable(text):
            raise Refused(f"{text} is not queryable")
        op = self.take()[1].lower()
        if op == "is":
            negated = self.ahead("not") and bool(self.take())
            if self.take()[1].lower() != "null":
                raise Refused("null was expected")
            return lambda row: (row.get(text) is None) != negated
        value = literal_of(self.take())
        if op == "like":
            pattern = re.escape(value).replace(re.escape(self.wildcard), ".*")
            return lambda row: re.fullmatch(pattern, str(row.get(text))) is not None
        return lambda row: compare(op, row.get(text), value)
