"""Cutting a stream into interchanges and segments with flat memory, whatever the delimiters and the noise between."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.x12._format import is_date, is_time
from mlconnector.x12._sets import COMPONENT, REPETITION, SEPARATOR, Finding, Id, Interchange

__all__ = ["Batch", "batches", "element_of", "raw_text"]

CHUNK = 1 << 16
LONGEST_SEGMENT = 1 << 20
LONGEST_RAW = 1 << 16
_HEAD = 512
_OWN = (SEPARATOR, COMPONENT, REPETITION)
_OVERLAP = 256
_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1)
_TA1_NOTES = ("010", "011", "012", "013", "005", "006", "007", "008", "014", "015", "016", "017", "018", "019", "020")
_ISA = re.compile(r"ISA([^A-Za-z0-9 .+\-\r\n])(?:(?!\1).){1,4}\1(?:(?!\1).){0,40}\1(?:(?!\1).){1,4}\1", re.DOTALL)
"""The start of an ISA, as far as it takes to tell it from data."""
_NOISE = " \t\r\n\x00\x1a"


@attrs.frozen
class Batch:
    """Consecutive segments of one interchange, or (``interchange`` None) text that belongs to none.

    Args:
        texts: The segments, without their terminators and the noise around them.
        first: These are the first ones of their interchange.
        trailing: One of them may end with an element separator.
        text, problem: The stray text, and why it is no interchange.
    """

    interchange: Interchange | None
    texts: list[str] = attrs.field(factory=list)
    first: bool = False
    trailing: bool = False
    text: str = ""
    problem: str = ""


class _Feed:
    """The text not yet cut. Bytes come as Latin-1, a character a byte; what is not ASCII is decoded when it is cut."""

    def __init__(self, source: Any) -> None:
        self.text = ""
        self.binary = not isinstance(source, str)
        self.done = False
        self._chunks = _chunks(source)

    def more(self) -> bool:
        chunk = next(self._chunks, None)
        if chunk is None:
            self.done = True
            return False
        self.binary = not isinstance(chunk, str)
        self.text += chunk if isinstance(chunk, str) else bytes(chunk).decode("latin-1")
        return True

    def fill(self, length: int) -> None:
        while len(self.text) < length and self.more():
            continue

    def take(self, length: int) -> str:
        taken, self.text = self.text[:length], self.text[length:]
        return taken

    def decoded(self, text: str) -> str:
        if not self.binary or text.isascii():
            return text
        try:
            return text.encode("latin-1").decode("utf-8")
        except UnicodeDecodeError:
            return text


def _chunks(source: Any) -> Iterator[str | bytes]:
    if isinstance(source, (str, bytes, bytearray, memoryview)):
        whole = source if isinstance(source, str) else bytes(source)
        return (whole[at : at + CHUNK] for at in range(0, len(whole), CHUNK))
    if not callable(getattr(source, "read", None)):
        raise InvalidArgument(f"{type(source).__name__} cannot be read.", cure="Pass str, bytes or a binary file.")
    return iter(lambda: source.read(CHUNK) or None, None)


def batches(source: Any) -> Iterator[Batch]:
    """Segments in batches, in the order of the source; a new ISA ends the interchange before it."""
    feed = _Feed(source)
    while True:
        found = _ISA.search(feed.text)
        if found is not None:
            yield from _outside(feed, found.start(), "There is no ISA before it")
        elif feed.done:
            yield from _outside(feed, len(feed.text), "There is no ISA")
            return
        else:
            yield from _outside(feed, max(0, len(feed.text) - _OVERLAP), "There is no ISA")
            feed.more()
            continue
        feed.fill(_HEAD)
        head, length = _header(feed)
        if head is None:
            problem = "The ISA has not 16 elements and a terminator"
            yield Batch(None, text=feed.decoded(feed.take(length)), problem=problem)
        else:
            feed.take(length)
            yield from _inside(feed, head)


def _outside(feed: _Feed, length: int, problem: str) -> Iterator[Batch]:
    text = feed.decoded(feed.take(length)).strip("\ufeff" + _NOISE)
    if text:
        yield Batch(None, text=text[:LONGEST_RAW], problem=problem)


def _inside(feed: _Feed, head: Interchange) -> Iterator[Batch]:
    first = True
    while True:
        found = _ISA.search(feed.text) if "ISA" in feed.text else None
        end = found.start() if found is not None else max(0, len(feed.text) - (0 if feed.done else _OVERLAP))
        final = found is not None or feed.done
        if not final:
            end = feed.text.rfind(head.segment, 0, end) + 1
        if end or first or final:
            texts = _texts(feed, feed.take(end), head)
            yield Batch(head, texts, first, any(map(str.endswith, texts, itertools.repeat(element_of(head)))))
            first = False
        if final:
            return
        if len(feed.text) > LONGEST_SEGMENT:
            yield Batch(None, text=feed.take(len(feed.text))[:LONGEST_RAW], problem="A segment has no end")
            return
        feed.more()


def element_of(head: Interchange) -> str:
    """What stands between the elements in the texts of a batch."""
    return SEPARATOR if _clashes(head) else head.element


def _clashes(head: Interchange) -> bool:
    return not {head.element, head.segment, head.component, head.repetition}.isdisjoint(_OWN)


def _texts(feed: _Feed, text: str, head: Interchange) -> list[str]:
    if _clashes(head):
        # In one pass after the cutting, because these characters may be each other's delimiters.
        table = str.maketrans({SEPARATOR: "\x1c", head.component: COMPONENT, head.element: SEPARATOR})
        table |= str.maketrans({head.repetition: REPETITION} if head.repetition else {})
        return [feed.decoded(piece).translate(table) for piece in _pieces(text, head.segment)]
    if head.component in text:
        text = text.replace(head.component, COMPONENT)
    if head.repetition and head.repetition in text:
        text = text.replace(head.repetition, REPETITION)
    pieces = _pieces(text, head.segment)
    return pieces if text.isascii() else [feed.decoded(piece) for piece in pieces]


def _pieces(text: str, end: str) -> list[str]:
    """The segments, without blanks and line ends before them and line ends after them."""
    if "\n" in text:
        text = text.replace(f"{end}\r\n", end).replace(f"{end}\n", end)
    pieces = [*filter(None, text.split(end))]
    # Text without any noise is the rule; all noise sorts before "!".
    if min(pieces, default="!") < "!" or any(noise in text for noise in "\r\n" if noise != end):
        pieces = [*filter(None, (piece.lstrip(_NOISE).rstrip("\r\n") for piece in pieces))]
    return pieces


def _header(feed: _Feed) -> tuple[Interchange | None, int]:
    text = feed.text[:_HEAD]
    element = text[3]
    parts = text.split(element, 16)
    marks = parts[16][:2] if len(parts) == 17 else ""
    if len(marks) < 2 or len({element, *marks}) < 3 or any(mark.isalnum() or mark in " .-+" for mark in marks):
        return None, 3
    values = [feed.decoded(part) for part in parts[1:16]]
    repetition = values[10] if values[11] >= "00402" and len(values[10]) == 1 and not values[10].isalnum() else ""
    head = Interchange(
        sender=Id(values[4].strip(), values[5].strip()),
        receiver=Id(values[6].strip(), values[7].strip()),
        date=values[8],
        time=values[9],
        version=values[11],
        control_number=values[12],
        acknowledgment_requested=values[13] == "1",
        usage=values[14],
        element=element,
        segment=marks[1],
        component=marks[0],
        repetition="" if repetition in (element, *marks, " ") else repetition,
        findings=tuple(_header_findings(values)),
    )
    return head, len(text) - len(parts[16]) + 2


def _header_findings(values: list[str]) -> Iterator[Finding]:
    for at, (value, width, note) in enumerate(zip(values, _WIDTHS, _TA1_NOTES, strict=True), 1):
        good = len(value) == width
        if good and at in (9, 10):
            good = is_date(value) if at == 9 else is_time(value)
        if good and at == 13:
            good = value.isascii() and value.isdigit()
        if not good:
            message = f"{value!r} is not what ISA{at:02} must be, {width} characters."
            yield Finding(f"ISA{at:02}", "header", value[:99], "warning", f"TA105:{note}", message, "ISA", 0, at)


def raw_text(texts: list[str], head: Interchange) -> str:
    """The segments as they stood, for a person, cut to a bearable length."""
    table = str.maketrans(
        {COMPONENT: head.component, REPETITION: head.repetition or REPETITION, element_of(head): head.element}
    )
    return "".join(text.translate(table) + head.segment for text in texts[:LONGEST_RAW])[:LONGEST_RAW]
