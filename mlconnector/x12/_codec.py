"""Reading: transaction sets out of text, bytes or a file, one after another, with recovery at the next interchange."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator
from typing import Any, Literal, overload

import attrs

from mlconnector.errors import InvalidArgument, X12Error
from mlconnector.x12._scan import batches, element_of, raw_text
from mlconnector.x12._sets import Finding, Group, Interchange, TransactionSet, as_segment, as_segments

__all__ = ["Unreadable", "items", "items_and_texts", "read", "with_segments"]

_FRAME = frozenset(("ST", "SE", "GS", "GE", "IEA", "TA1", "ISB", "ISE", "TA3"))
_FRAME_STARTS = frozenset(tag[:2] for tag in _FRAME)
_START = operator.itemgetter(slice(2))
_CURE = "Ask the sender for a correct file, or read on with broken='yield'."


@attrs.frozen(kw_only=True)
class Unreadable:
    """What is no transaction set, or one that must be rejected: why, and as it stood.

    A fault of a group's or an interchange's trailer is found after its sets were handed out; then ``code`` is empty,
    and ``group`` (for a GE) or ``interchange`` says which sets are concerned.

    Args:
        findings: Why, with the 997 or TA1 code.
        raw: The text, cut to 65,536 characters; not shown by ``repr``, since it may hold bank accounts.
        code, control_number: ST01 and ST02 where it is one set.
        group, interchange: Where it stood, as far as known.
    """

    findings: tuple[Finding, ...]
    raw: str = attrs.field(default="", repr=False)
    code: str = ""
    control_number: str = ""
    group: Group | None = None
    interchange: Interchange | None = None

    def __str__(self) -> str:
        return "; ".join(map(str, self.findings))


@overload
def read(source: Any, broken: Literal["raise"] = "raise") -> Iterator[TransactionSet]: ...
@overload
def read(source: Any, broken: Literal["yield"]) -> Iterator[TransactionSet | Unreadable]: ...
def read(source: Any, broken: str = "raise") -> Iterator[Any]:
    """Transaction sets, streaming: memory holds one set at a time.

    Any legal delimiters, several interchanges, blanks and line ends between segments and a byte-order mark are read;
    bytes are UTF-8, a segment that is not is Latin-1 (section 4). What is tolerated (section 10) stands in
    ``ts.findings`` and ``ts.interchange.findings``. A TA1 comes as a set with code ``"TA1"``.

    Args:
        source: str, bytes, or a file open for reading.
        broken: ``"raise"``: X12Error at the first unreadable part. ``"yield"``: :class:`Unreadable` in its place, and
            on with what follows, at the latest with the next ISA.

    Raises:
        InvalidArgument: A source that cannot be read, or another ``broken``.
        X12Error: No ISA, a set without end, control numbers or counts of trailers that differ.
    """
    if broken not in ("raise", "yield"):
        raise InvalidArgument(f"broken={broken!r} is none of 'raise', 'yield'.", cure="Use one of them.")
    if not isinstance(source, (str, bytes, bytearray, memoryview)) and not callable(getattr(source, "read", None)):
        raise InvalidArgument(f"{type(source).__name__} cannot be read.", cure="Pass str, bytes or a binary file.")
    return items(source) if broken == "yield" else _strict(source)


def _strict(source: Any) -> Iterator[TransactionSet]:
    for item in items(source):
        if isinstance(item, Unreadable):
            raise X12Error(str(item), cure=_CURE, fault="vendor")
        yield item


def items(source: Any) -> Iterator[TransactionSet | Unreadable]:
    """Sets and unreadable parts in the order they stand."""
    return map(operator.itemgetter(0), items_and_texts(source))


def items_and_texts(source: Any, *, whole: bool = True) -> Iterator[tuple[TransactionSet | Unreadable, list[str]]]:
    """The same, with the text of each segment of a set; none for a TA1 and for unreadable parts.

    Without ``whole`` a set may come without its segments: :func:`with_segments` makes them of their texts.
    """
    reader: _Reader | None = None
    empty = True
    for batch in batches(source):
        empty = False
        if reader is not None and (batch.first or batch.interchange is None):
            yield from _without_texts(reader.end())
            reader = None
        if batch.interchange is None:
            finding = Finding("file", "interchange", batch.text[:99], "error", "", f"{batch.problem}.")
            yield Unreadable(findings=(finding,), raw=batch.text), []
            continue
        reader = reader or _Reader(batch.interchange, whole=whole)
        reader.trailing = reader.trailing or batch.trailing
        begin = 0
        for at in itertools.compress(itertools.count(), map(_FRAME_STARTS.__contains__, map(_START, batch.texts))):
            text = batch.texts[at]
            tag = text.partition(reader.element)[0]
            if tag in _FRAME:
                reader.body += batch.texts[begin:at]
                begin = at + 1
                if tag == "SE" and reader.begun is not None:
                    texts = reader.body
                    yield reader.ended_set(reader.begun, text), texts
                elif tag != "ST" or not reader.begins(text):
                    yield from _without_texts(reader.frame(tag, text))
        reader.body += batch.texts[begin:]
    if reader is not None:
        yield from _without_texts(reader.end())
    if empty:
        yield Unreadable(findings=(Finding("file", "interchange", "", "error", "", "There is no ISA."),)), []


def _without_texts(
    found: Iterator[TransactionSet | Unreadable],
) -> Iterator[tuple[TransactionSet | Unreadable, list[str]]]:
    return ((item, []) for item in found)


def with_segments(ts: TransactionSet, texts: list[str], element: str) -> TransactionSet:
    """The set with the segments that were not made when it was read."""
    return attrs.evolve(ts, segments=as_segments(_rows(texts, element))) if texts and not ts.segments else ts


def _rows(texts: list[str], element: str) -> Iterable[list[str]]:
    return map(str.split, texts, itertools.repeat(element))


class _Reader:
    """Where in one interchange the reading stands.

    ``begun``: the ST of the open set. ``body``: its segments, or strays where none is open. ``trailing``: one of them
    may end with a separator.
    """

    def __init__(self, interchange: Interchange, *, whole: bool) -> None:
        self._whole = whole
        self.interchange = interchange
        self.element = element_of(interchange)
        self.body: list[str] = []
        self.trailing = False
        self.begun: str | None = None
        self._group: Group | None = None
        self._sets = 0
        self._groups = 0
        self._ended = False

    def begins(self, text: str) -> bool:
        """Open a set, where nothing is open or astray."""
        if self.body or self.begun is not None or self._ended:
            return False
        self.begun = text
        self._sets += 1
        return True

    def frame(self, tag: str, text: str) -> Iterator[TransactionSet | Unreadable]:
        """One segment of the envelope that does not end a set."""
        yield from self._leave()
        if self._ended or tag == "SE" or (tag == "GE" and self._group is None):
            self.body.append(text)
        elif tag == "ST":
            self.begins(text)
        elif tag == "GS":
            yield from self._close_group(None)
            self._group = _group(self._elements(text))
            self._groups += 1
        elif tag == "GE":
            yield from self._close_group(text)
        elif tag == "IEA":
            yield from self._close_group(None)
            yield from self._close(text)
        elif tag == "TA1":
            segments, version = (as_segment(_trimmed(self._elements(text))),), f"{self.interchange.version}0"
            yield TransactionSet("TA1", segments, version=version, control_number="", interchange=self.interchange)

    def end(self) -> Iterator[Unreadable]:
        """The interchange is over, because the source or the next ISA says so."""
        yield from self._leave()
        if not self._ended:
            yield from self._close_group(None)
            yield self._broken("IEA", "trailer", "", "TA105:023", "The interchange has no IEA.")

    def _leave(self) -> Iterator[Unreadable]:
        """Close a set without SE, or tell of segments that stand in no set."""
        texts, self.body, begun, self.begun = self.body, [], self.begun, None
        if begun is not None:
            code, number = "AK502:2", _at(self._elements(begun), 2)
            yield self._broken("SE", "trailer", number, code, "The set has no SE.", texts=[begun, *texts], begun=begun)
        elif texts:
            message, tag = "Segments stand outside of a set.", self._elements(texts[0])[0]
            yield self._broken(tag, "order", tag, "TA105:022", message, texts=texts)

    def _elements(self, text: str) -> list[str]:
        return text.split(self.element)

    def ended_set(self, begun: str, end: str) -> TransactionSet | Unreadable:
        """What stands between an ST and its SE."""
        texts, self.body, self.begun = self.body, [], None
        header, trailer = self._elements(begun), self._elements(end)
        code, number = _at(header, 1), _at(header, 2)
        if _at(trailer, 2) != number:
            message = f"SE02 is {_at(trailer, 2)!r}, ST02 is {number!r}."
            return self._broken(
                "SE02", "control number", _at(trailer, 2), "AK502:3", message, texts=[begun, *texts, end], begun=begun
            )
        if self._group is None:
            return self._broken(
                "ST", "group", code, "TA105:024", "The set stands in no group.", texts=[begun, *texts, end], begun=begun
            )
        findings: list[Finding] = []
        last = len(texts) + 2
        if _at(trailer, 1).lstrip("0") != str(last):
            message = f"SE01 is {_at(trailer, 1)!r}, there are {last} segments."
            value = _at(trailer, 1)[:99]
            findings.append(Finding("SE01", "count", value, "warning", "AK502:4", message, "SE", last, 1))
        rows: Iterable[list[str]] = ()
        if self._whole or self.trailing:
            rows = _rows(texts, self.element)
        if self.trailing:
            rows = [*rows]
            for position, row in enumerate(rows, 2):
                if not row[-1]:
                    place, message = f"segment {position} {row[0]}", "Separators stand at the end without a value."
                    findings.append(Finding(place, "trailing", "", "note", "", message, row[0], position))
            rows = map(_trimmed, rows)
        return TransactionSet(
            code,
            as_segments(rows),
            version=self._group.version,
            control_number=number,
            group=self._group,
            interchange=self.interchange,
            implementation=_at(header, 3),
            findings=tuple(findings),
        )

    def _close_group(self, text: str | None) -> Iterator[Unreadable]:
        group, self._group, sets, self._sets = self._group, None, self._sets, 0
        if group is None:
            return
        if text is None:
            yield self._broken("GE", "trailer", group.control_number, "AK905:3", "The group has no GE.", group=group)
            return
        trailer = self._elements(text)
        if _at(trailer, 2).lstrip("0") != group.control_number.lstrip("0"):
            message = f"GE02 is {_at(trailer, 2)!r}, GS06 is {group.control_number!r}."
            yield self._broken("GE02", "control number", _at(trailer, 2), "AK905:4", message, texts=[text], group=group)
        if _at(trailer, 1).lstrip("0") != str(sets or ""):
            message = f"GE01 is {_at(trailer, 1)!r}, there are {sets} sets."
            yield self._broken("GE01", "count", _at(trailer, 1), "AK905:5", message, texts=[text], group=group)

    def _close(self, text: str) -> Iterator[Unreadable]:
        self._ended = True
        trailer = self._elements(text)
        if _at(trailer, 2).strip().lstrip("0") != self.interchange.control_number.strip().lstrip("0"):
            message = f"IEA02 is {_at(trailer, 2)!r}, ISA13 is {self.interchange.control_number!r}."
            yield self._broken("IEA02", "control number", _at(trailer, 2), "TA105:001", message, texts=[text])
        if _at(trailer, 1).lstrip("0") != str(self._groups or ""):
            message = f"IEA01 is {_at(trailer, 1)!r}, there are {self._groups} groups."
            yield self._broken("IEA01", "count", _at(trailer, 1), "TA105:021", message, texts=[text])

    def _broken(
        self,
        place: str,
        rule: str,
        value: str,
        code: str,
        message: str,
        *,
        texts: list[str] | None = None,
        begun: str = "",
        group: Group | None = None,
    ) -> Unreadable:
        header = self._elements(begun)
        return Unreadable(
            findings=(Finding(place, rule, value[:99], "error", code, message, place[:3].rstrip("0")),),
            raw=raw_text(texts or [], self.interchange),
            code=_at(header, 1),
            control_number=_at(header, 2),
            group=group or self._group,
            interchange=self.interchange,
        )


def _at(row: list[str], index: int) -> str:
    return row[index] if index < len(row) else ""


def _group(row: list[str]) -> Group:
    names = (field.name for field in attrs.fields(Group))
    return Group(**{name: _at(row, index) for index, name in enumerate(names, 1)})


def _trimmed(row: list[str]) -> list[str]:
    while len(row) > 1 and not row[-1]:
        row.pop()
    return row
