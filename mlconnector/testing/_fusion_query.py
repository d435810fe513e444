"""The query-string languages of Fusion: ``q`` in both syntaxes, ``orderBy``, ``fields``, ``expand``, ``finder``."""

from __future__ import annotations

import datetime as dt
import operator
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import attrs

from mlconnector.testing._fusion_catalog import Attribute, Kind
from mlconnector.testing._fusion_store import Node

__all__ = ["BadQuery", "DateLiterals", "Shape", "Test", "examples", "expression", "finder", "order", "shape"]

Test = Callable[[Node], bool]
"""Whether a row is selected."""

Shape = Mapping[str, frozenset[str] | None]
"""Accessor path to the attributes shown there (None is all); ``""`` is the item itself, other paths are expanded."""

DateLiterals = Literal["both", "iso", "plain"]
"""Which form of a date-time literal is read: ``2026-01-31T00:00:00.000+00:00``, ``2026-01-31 00:00:00``, or both."""

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|(?P<number>[+-]?\d+(?:\.\d+)?)(?![\w.])"
    r"|(?P<operator><=|>=|<>|!=|=|<|>)|(?P<mark>[(),])|(?P<word>[A-Za-z_][\w.]*))"
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)(Z|[+-]\d\d:?\d\d)?")
_PLAIN = re.compile(r"(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d))?()")


class BadQuery(ValueError):
    """What the server answers 400 to; the text says why."""


@attrs.frozen
class _Token:
    sort: str
    text: str


@attrs.frozen
class _Operand:
    """An attribute of the row or of its children."""

    path: tuple[str, ...]
    attribute: Attribute

    def values(self, node: Node) -> list[Any]:
        """What the row has there; several where the path leads through children. Nulls are left out."""
        nodes = [node]
        for accessor in self.path:
            nodes = [child for each in nodes for child in each.children[accessor]]
        found = (each.values.get(self.attribute.name) for each in nodes)
        values = [value for value in found if value is not None]
        match self.attribute.type:
            case "B":
                return [value in (True, "Y") for value in values]
            case "S":
                return [str(value) for value in values]
            case _:
                return values


def expression(text: str, kind: Kind, dates: DateLiterals = "both") -> Test:
    """``q`` of framework versions 2 and later: ``A = 'x' and (B > 3 or C is null)``.

    Raises:
        BadQuery: Another syntax, an unknown or not queryable attribute, a literal that does not fit it.
    """
    return _Expression(text, kind, dates).parse()


def examples(text: str, kind: Kind, dates: DateLiterals = "both") -> Test:
    """``q`` of framework version 1: ``A=SA*;B>=10 and <= 30``, values bare or quoted.

    Raises:
        BadQuery: As for :func:`expression`.
    """
    tests: list[Test] = []
    for part in re.findall(r"(?:[^;'\"]|'[^']*'|\"[^\"]*\")+", text):
        found = re.fullmatch(r"\s*([A-Za-z_]\w*)\s*((?:<=|>=|<>|!=|=|<|>|(?i:like\s)).*)", part, re.DOTALL)
        if found is None:
            raise BadQuery(f"URL request parameter q with value {text} is not valid.")
        name = found[1]
        if name not in kind.attributes and name.isupper():
            name = next((each for each in kind.attributes if each.upper() == name), name)
        operand = _operand(name, kind)
        for condition in re.split(r"\s+and\s+(?=[<>=!])", found[2]):
            pieces = re.fullmatch(r"\s*(<=|>=|<>|!=|=|<|>|(?i:like))\s*(.*?)\s*", condition, re.DOTALL)
            if pieces is None:
                raise BadQuery(f"URL request parameter q with value {text} is not valid.")
            value = _unquoted(pieces[2])
            if pieces[1].lower() == "like" or ("*" in value and operand.attribute.type == "S"):
                tests.append(_matching(operand, value, wanted=pieces[1] not in ("!=", "<>")))
            else:
                tests.append(_comparing(operand, pieces[1], _literal(operand, _Token("text", value), dates)))
    if not tests:
        raise BadQuery(f"URL request parameter q with value {text} is not valid.")
    return lambda node: all(test(node) for test in tests)


class _Expression:
    """A descent through the grammar of section 6.2."""

    def __init__(self, text: str, kind: Kind, dates: DateLiterals) -> None:
        self._text = text
        self._kind = kind
        self._dates: DateLiterals = dates
        self._tokens = self._split()
        self._next = 0

    def _split(self) -> list[_Token]:
        tokens, at, text = [], 0, self._text.strip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._bad()
            sort = str(found.lastgroup)
            token = found[sort]
            tokens.append(_Token(sort, _unquoted(token) if sort == "text" else token))
            at = found.end()
        return tokens

    def _bad(self) -> BadQuery:
        return BadQuery(f"URL request parameter q with value {self._text} is not valid.")

    def _take(self, *sorts: str) -> _Token:
        if self._next == len(self._tokens) or self._tokens[self._next].sort not in sorts:
            raise self._bad()
        self._next += 1
        return self._tokens[self._next - 1]

    def _took(self, sort: str, *texts: str) -> bool:
        if self._next == len(self._tokens):
            return False
        token = self._tokens[self._next]
        if token.sort != sort or token.text.lower() not in texts:
            return False
        self._next += 1
        return True

    def parse(self) -> Test:
        test = self._either()
        if self._next < len(self._tokens):
            raise self._bad()
        return test

    def _either(self) -> Test:
        tests = [self._both()]
        while self._took("word", "or"):
            tests.append(self._both())
        return lambda node: any(test(node) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._took("word", "and"):
            tests.append(self._one())
        return lambda node: all(test(node) for test in tests)

    def _one(self) -> Test:
        if self._took("mark", "("):
            test = self._either()
            self._close()
            return test
        operand = _operand(self._take("word").text, self._kind)
        if self._took("word", "is"):
            null = not self._took("word", "not")
            self._word("null")
            return lambda node: (not operand.values(node)) is null
        wanted = not self._took("word", "not")
        if self._took("word", "between"):
            low = self._literal(operand)
            self._word("and")
            high = self._literal(operand)
            return lambda node: any((low <= value <= high) is wanted for value in operand.values(node))
        if self._took("word", "like"):
            return _matching(operand, self._take("text").text, wanted=wanted)
        if self._took("word", "in"):
            options = self._list(operand)
            return lambda node: any((value in options) is wanted for value in operand.values(node))
        if not wanted:
            raise self._bad()
        sign = self._take("operator").text
        return _comparing(operand, sign, self._literal(operand))

    def _list(self, operand: _Operand) -> list[Any]:
        if not self._took("mark", "("):
            raise self._bad()
        options = [self._literal(operand)]
        while self._took("mark", ","):
            options.append(self._literal(operand))
        self._close()
        return options

    def _close(self) -> None:
        if not self._took("mark", ")"):
            raise self._bad()

    def _word(self, word: str) -> None:
        if not self._took("word", word):
            raise self._bad()

    def _literal(self, operand: _Operand) -> Any:
        token = self._take("text", "number", "word")
        if token.sort == "word" and (operand.attribute.type != "B" or token.text.lower() not in ("true", "false")):
            raise self._bad()
        return _literal(operand, token, self._dates)


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]:
        return text[1:-1].replace(text[0] * 2, text[0])
    return text


def _operand(name: str, kind: Kind) -> _Operand:
    *path, last = name.split(".")
    for accessor in path:
        if accessor not in kind.children:
            raise BadQuery(f"Attribute {name} in the request parameter q is not valid.")
        kind = kind.children[accessor]
    attribute = _attribute(last, kind)
    if attribute is None:
        raise BadQuery(f"Attribute {name} in the request parameter q is not valid.")
    if not attribute.queryable:
        raise BadQuery(f"Attribute {name} in the request parameter q is not queryable.")
    return _Operand(tuple(path), attribute)


def _attribute(name: str, kind: Kind) -> Attribute | None:
    return kind.attributes.get(name) or (Attribute(name, "S") if kind.open else None)


def _literal(operand: _Operand, token: _Token, dates: DateLiterals) -> Any:
    bad = BadQuery(f"The value {token.text} does not fit the attribute {operand.attribute.name}.")
    match operand.attribute.type:
        case "I" | "N":
            if not re.fullmatch(r"[+-]?\d+(\.\d+)?", token.text):
                raise bad
            return Decimal(token.text)
        case "D" | "T":
            instant = _instant(token.text, dates) if token.sort == "text" else None
            if instant is None:
                raise bad
            return instant.date() if operand.attribute.type == "D" else instant
        case "B":
            if token.text.lower() not in ("true", "false", "y", "n"):
                raise bad
            return token.text.lower() in ("true", "y")
        case _:
            return token.text


def _instant(text: str, dates: DateLiterals) -> dt.datetime | None:
    found = None
    if dates != "plain":
        found = _ISO.fullmatch(text)
    if found is None and (dates != "iso" or len(text) == len("2026-01-31")):
        found = _PLAIN.fullmatch(text)
    if found is None:
        return None
    zone = (found[3] or "+00:00").replace("Z", "+00:00")
    try:
        return dt.datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00:00'}{zone}")
    except ValueError:
        return None


def _comparing(operand: _Operand, sign: str, literal: Any) -> Test:
    compare = _COMPARE[sign]
    return lambda node: any(compare(value, literal) for value in operand.values(node))


def _matching(operand: _Operand, pattern: str, *, wanted: bool) -> Test:
    parts = (".*" if part in "%*" else re.escape(part) for part in re.split(r"([%*])", pattern) if part)
    found = re.compile("".join(parts), re.DOTALL)
    return lambda node: any((found.fullmatch(str(value)) is not None) is wanted for value in operand.values(node))


def order(text: str | None, kind: Kind, nodes: Sequence[Node], salt: int) -> list[Node]:
    """The rows in the order of ``orderBy``; rows that it does not tell apart stand otherwise in every answer.

    Raises:
        BadQuery: An unknown attribute, or another direction than ``asc`` and ``desc``.
    """
    rows = sorted(nodes, key=lambda node: zlib.crc32(f"{salt} {node.address}".encode()))
    for part in reversed((text or "").split(",") if text else ()):
        found = re.fullmatch(r"(?:(upper|lower)\((\w+)\)|(\w+))(?::(asc|desc))?", part.strip())
        name = (found[2] or found[3]) if found else ""
        if found is None or _attribute(name, kind) is None:
            raise BadQuery(f"URL request parameter orderBy with value {text} is not valid.")
        rows.sort(key=_sort_key(name, found[1]), reverse=found[4] == "desc")
    return rows


def _sort_key(name: str, change: str | None) -> Callable[[Node], tuple[bool, Any]]:
    def key(node: Node) -> tuple[bool, Any]:
        value = node.values.get(name)
        if value is None:
            return (True, 0)
        return (False, value if change is None else getattr(str(value), change)())

    return key


def shape(kind: Kind, fields: str | None, expand: str | None) -> Shape:
    """What an answer shows. With ``fields``, ``expand`` does not count (section 5).

    Raises:
        BadQuery: An unknown attribute or accessor.
    """
    if fields is not None:
        return _fields(kind, fields)
    shown: dict[str, frozenset[str] | None] = {"": None}
    known = tuple(kind.paths())
    names = [] if expand is None else known if expand == "all" else [name.strip() for name in expand.split(",")]
    for name in names:
        if name not in known:
            raise BadQuery(f"URL request parameter expand with value {expand} is not valid.")
        shown |= dict.fromkeys(_with_parents(name))
    return shown


def _with_parents(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _fields(kind: Kind, text: str) -> Shape:
    shown: dict[str, frozenset[str] | None] = {"": frozenset()}
    for group in text.split(";"):
        head, colon, rest = group.rpartition(":")
        path = head.strip()
        names = frozenset(name.strip() for name in rest.split(",")) - {""}
        below = kind
        for accessor in path.split(".") if colon else ():
            if accessor not in below.children:
                raise BadQuery(f"URL request parameter fields with value {text} is not valid.")
            below = below.children[accessor]
        if any(_attribute(name, below) is None for name in names):
            raise BadQuery(f"URL request parameter fields with value {text} is not valid.")
        for parent in _with_parents(path) if colon else ():
            shown.setdefault(parent, frozenset())
        shown[path] = (shown[path] or frozenset()) | names
    return shown


def finder(text: str, kind: Kind) -> Test:
    """``finder=Name;Variable=Value``: ``PrimaryKey`` anywhere, ``PaidInvoicesFinder`` on payments.

    ``JournalsFinder`` takes attributes of the batch: its real variables are not known (section 13).

    Raises:
        BadQuery: Another finder or variable.
    """
    name, _, rest = text.partition(";")
    parts = (part.partition("=") for part in rest.split(","))
    variables = {key.strip(): _unquoted(value.strip()) for key, _, value in parts}
    variables.pop("", None)
    bad = BadQuery(f"URL request parameter finder with value {text} is not valid.")
    if (kind.name, name) == ("payablesPayments", "PaidInvoicesFinder") and set(variables) == {"InvoiceNumber"}:
        wanted = variables["InvoiceNumber"]
        return lambda node: any(each.values.get("InvoiceNumber") == wanted for each in node.children["relatedInvoices"])
    by_key = name == "PrimaryKey" and set(variables) == {kind.key}
    of_batch = (kind.name, name) == ("journalBatches", "JournalsFinder") and set(variables) <= set(kind.attributes)
    if not by_key and not of_batch:
        raise bad
    return lambda node: all(str(node.values.get(key)) == value for key, value in variables.items())
