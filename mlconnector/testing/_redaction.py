"""What of a recorded session is nobody else's business, and how it is replaced.

A confidential value becomes ``redacted-1``, ``redacted-2`` ..., the same value always by the same word, so that a
session hangs together: the token that a login answered is the one that later calls carry. What a request says under a
confidential name is left out altogether, so that a replay asks for nobody's password.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

from mlconnector.http import dumps, loads
from mlconnector.http._redact import MASK, Redactor, forms, is_sensitive

__all__ = ["Redaction", "secrets_of"]

_CONFIDENTIAL = re.compile(
    r"passw|secret|token|session|cookie|credential|assertion|signature|authorization|user_?name|oprid|login"
    r"|dev_?key|api_?key|client_?id|organi[sz]ation_?id"
    r"|tax.?(?:id|pay|number|reg)|(?:^|_)(?:TAX|TX2|tin|ssn|ein)$|vat.?(?:number|id|reg)"
    r"|iban|\bbic\b|swift|routing|sort.?code|bank.?acc(?:oun)?t(?!.?(?:type|status|key))|account.?number|card.?number"
    r"|(?:^|_)(?:CBNK|TNST)$",
    re.IGNORECASE,
)
_PATTERNS = (
    re.compile(r"\b\d{3}-\d{2}-\d{4}\b"),  # a social security number
    re.compile(r"\b\d{2}-\d{7}\b"),  # an employer identification number
    re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,4})?\b"),  # an IBAN
)
_NO_SECRET = re.compile(r"device$|^host$", re.IGNORECASE)
_XML = re.compile(r"(<(?:[\w.-]+:)?([\w.-]+)(?:\s[^<>]*)?>)([^<>]+)(?=</)")
_X12_PLACES = {"BPR": (7, 9, 13, 15)}
_X12_QUALIFIED = {"REF": ({"TJ", "EI", "SY", "4A"}, 1, 2), "N1": ({"24", "34", "FI"}, 3, 4)}
_ISA = 106
_SHORTEST_PART = 6
"""A shorter value is replaced only where it is all of a field: inside a text it may be a piece of a word."""
_SHORTEST = 3


def secrets_of(target: str, headers: Mapping[str, str], body: bytes | None) -> set[str]:
    """Every secret that a request carries, in every form: of headers, query and fields with a telling name."""
    found = [value for name, value in headers.items() if is_sensitive(name) and not _NO_SECRET.search(name)]
    _leaves(
        {"query": dict(parse_qsl(target.partition("?")[2])), "body": _parsed(body or b"", headers)},
        lambda name, value: found.append(value) if isinstance(value, str) and _CONFIDENTIAL.search(name) else None,
    )
    return {form for value in found for form in forms(value) if len(form) >= _SHORTEST}


class Redaction:
    """Replaces what is confidential, the same value always by the same word.

    Args:
        names: Further names of fields, as regular expressions.
        values: Further values, wherever they stand.
    """

    def __init__(self, names: Iterable[str] = (), values: Iterable[str] = ()) -> None:
        self._names = [_CONFIDENTIAL, *(re.compile(name, re.IGNORECASE) for name in names)]
        self._words: dict[str, str] = {}
        for value in sorted(values):
            self.learn(value)

    def learn(self, value: str) -> str:
        """The word that stands for a value from now on."""
        if value in self._words.values() or not value.strip():
            return value
        return self._words.setdefault(value, f"redacted-{len(self._words) + 1}")

    def learn_body(self, content: bytes, headers: Mapping[str, str]) -> None:
        """Learn what a body holds under confidential names, and what looks like a tax id or an account."""

        def seen(name: str, value: object) -> None:
            if self.covers(name) and isinstance(value, str):
                self.learn(value)

        parsed = _parsed(content, headers)
        _leaves(parsed, seen)
        if isinstance(parsed, str):
            for name, value in _named_in_text(parsed):
                seen(name, value)
        text = content.decode("utf-8", "replace")
        for pattern in _PATTERNS:
            for found in pattern.findall(text):
                self.learn(found)

    def covers(self, name: str) -> bool:
        """Whether a field of this name is confidential."""
        return any(pattern.search(name) for pattern in self._names)

    def text(self, text: str) -> str:
        """A text without any value that was learnt."""
        if text in self._words:
            return self._words[text]
        for value in sorted(self._words, key=len, reverse=True):
            if len(value) >= _SHORTEST_PART:
                for form in dict.fromkeys((value, quote(value, safe=""), quote_plus(value))):
                    text = text.replace(form, self._words[value])
        return Redactor()(text)

    def target(self, target: str) -> str:
        """Path and query, the values of confidential parameters masked."""
        path, _, query = target.partition("?")
        pairs = [
            (name, MASK if self.covers(name) else self.text(value))
            for name, value in parse_qsl(query, keep_blank_values=True)
        ]
        return self.text(path) + ("?" + urlencode(pairs) if pairs else "")

    def request(self, content: bytes | None, headers: Mapping[str, str]) -> Any:
        """A request's body, confidential fields masked: JSON as it is, a form as a mapping, else text."""
        if not content:
            return None
        return self._body(_parsed(content, headers), masked=True)

    def answer(self, content: bytes, headers: Mapping[str, str]) -> Any:
        """An answer's body, confidential fields by their words; a body that is no text by its length alone."""
        return self._body(_parsed(content, headers), masked=False)

    def _body(self, value: Any, *, masked: bool, name: str = "") -> Any:
        covered = self.covers(name)
        if isinstance(value, Mapping):
            return {key: self._body(item, masked=masked, name=name if covered else key) for key, item in value.items()}
        if isinstance(value, list):
            return [self._body(item, masked=masked, name=name) for item in value]
        if isinstance(value, str):
            if covered and value.strip():
                return MASK if masked else self.learn(value)
            return self.text(value) if name else self._in_text(value)
        return 0 if covered and type(value) is int else value

    def _in_text(self, text: str) -> str:
        """XML, X12 or any other text."""
        for name, value in _named_in_text(text):
            if self.covers(name):
                text = text.replace(f">{value}</", f">{self.learn(value)}</")
        return self.text(_x12(text, self.learn))


def _parsed(content: bytes, headers: Mapping[str, str]) -> Any:
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "").partition(";")[0]
    if kind.strip().lower() == "application/x-www-form-urlencoded":
        return dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        return loads(content)
    except (ValueError, RecursionError):
        pass
    try:
        return content.decode()
    except UnicodeDecodeError:
        return f"<{len(content)} bytes>"


def _leaves(value: Any, seen: Callable[[str, object], object], name: str = "") -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _leaves(item, seen, str(key))
    elif isinstance(value, list):
        for item in value:
            _leaves(item, seen, name)
    else:
        seen(name, value)


def _named_in_text(text: str) -> list[tuple[str, str]]:
    """Elements of XML that hold text, by name; confidential elements of X12, as ``account_number``."""
    found = [(name, value) for _, name, value in _XML.findall(text) if value.strip()]

    def seen(value: str) -> str:
        found.append(("account_number", value))
        return value

    _x12(text, seen)
    return found


def _x12(text: str, replace: Callable[[str], str]) -> str:
    """An interchange with its account numbers and tax ids replaced; any other text as it is."""
    if not text.startswith("ISA") or len(text) < _ISA:
        return text
    separator, terminator = text[3], text[_ISA - 1]
    segments = text.split(terminator)
    for number, segment in enumerate(segments):
        elements = segment.split(separator)
        tag = elements[0].strip()
        places = list(_X12_PLACES.get(tag, ()))
        if tag in _X12_QUALIFIED:
            codes, qualifier, place = _X12_QUALIFIED[tag]
            places += [place] if qualifier < len(elements) and elements[qualifier] in codes else []
        for place in places:
            if place < len(elements) and elements[place]:
                elements[place] = replace(elements[place])
        segments[number] = separator.join(elements)
    return terminator.join(segments)


def body_bytes(body: Any) -> bytes:
    """The bytes of a kept body."""
    return body.encode() if isinstance(body, str) else dumps(body).encode()
