"""What X12 is made of here: segments, transaction sets, the envelopes around them, and findings."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, SupportsIndex, cast, overload

import attrs

from mlconnector.errors import InvalidArgument, X12Error
from mlconnector.x12._dictionary import codes

__all__ = [
    "COMPONENT",
    "REPETITION",
    "SEPARATOR",
    "Delimiters",
    "Finding",
    "Group",
    "Id",
    "Interchange",
    "Segment",
    "TransactionSet",
    "as_segment",
    "as_segments",
    "ids",
    "lines_of",
    "masked",
]

COMPONENT = "\x1f"
"""Stands between the components of a composite in :class:`Segment`, whatever the partner's separator is."""
REPETITION = "\x1e"
"""Stands between repetitions in :class:`Segment` (only from version 00402 on)."""

SEPARATOR = "\x1d"
"""Stands between the elements of a line."""

Severity = Literal["error", "warning", "note"]
"""``error``: must not be sent, is to be rejected. ``warning``: tolerable, told. ``note``: harmless noise."""


_SEGMENT_ID = re.compile("[A-Z][A-Z0-9]{1,2}")
_ACCOUNTS = {("BPR", 9), ("BPR", 15), ("BPR", 21)}
"""Elements that hold the number of a bank account (section 7, 820)."""


def masked(tag: str, index: int, value: str) -> str:
    """A value as people and logs may see it: of a bank account the last four characters."""
    if (tag, index) not in _ACCOUNTS:
        return value
    hidden = len(value) - 4 if len(value) > 6 else len(value)
    return "x" * hidden + value[hidden:]


class Segment(tuple[str, ...]):
    """One segment: ``Segment("REF", "DP", "0042")``.

    Elements count from 1, as analysts do: ``segment[2]`` is ``"0042"``; an element that is not there is ``""``.
    ``segment[0]`` is the id. A composite is given as a tuple (``Segment("POC", "1", "QI", "5", "2", ("EA",))``) and
    read with :meth:`parts`. Trailing empty elements are dropped (X12 reference, section 2); equality is by value.
    ``str`` and ``repr`` show of a bank account its last four characters only; its element holds it whole.

    Raises:
        InvalidArgument: An id that is not two or three capital letters and digits, or an element that is not text.
    """

    __slots__ = ()

    def __new__(cls, tag: str, *elements: str | tuple[str, ...] | None) -> Segment:
        if not _SEGMENT_ID.fullmatch(tag):
            raise InvalidArgument(f"{tag!r} is no segment id.", cure="Use two or three letters and digits.")
        plain = set(map(type, elements)) <= {str}
        texts = [tag, *(cast("tuple[str, ...]", elements) if plain else map(_element, elements))]
        while not texts[-1]:
            texts.pop()
        return tuple.__new__(cls, texts)

    def __reduce__(self) -> tuple[Any, ...]:
        return _as_read, (tuple(tuple.__iter__(self)),)

    @property
    def id(self) -> str:
        """The segment id, ``"REF"``."""
        return tuple.__getitem__(self, 0)

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements, first one first."""
        return tuple(tuple.__iter__(self))[1:]

    @overload
    def __getitem__(self, index: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> str | tuple[str, ...]:
        try:
            return tuple.__getitem__(self, index)
        except IndexError:
            return ""

    def parts(self, index: int) -> tuple[str, ...]:
        """The components of element ``index``; a plain element is its own only component."""
        return tuple(self[index].split(COMPONENT))

    def __repr__(self) -> str:
        shown = (tuple(text.split(COMPONENT)) if COMPONENT in text else text for text in self._shown())
        return f"Segment({', '.join(map(repr, shown))})"

    def __str__(self) -> str:
        return "*".join(self._shown()).replace(COMPONENT, ">").replace(REPETITION, "^")

    def _shown(self) -> Iterator[str]:
        return (masked(self.id, index, text) for index, text in enumerate(tuple.__iter__(self)))


as_segment: Callable[[Iterable[str]], Segment] = functools.partial(tuple.__new__, Segment)
"""A segment of an id and texts that are known to be such, the last one not empty: nothing is checked."""


def as_segments(rows: Iterable[Iterable[str]]) -> Iterator[Segment]:
    """The same of many."""
    return map(tuple.__new__, itertools.repeat(Segment), rows)


def ids(segments: Iterable[Segment]) -> tuple[str, ...]:
    """The id of each segment. This way is three times as fast as asking each."""
    return next(zip(*segments, strict=False), ())


def lines_of(segments: Sequence[Segment]) -> list[str] | None:
    """Each segment as a line, elements joined by one separator; None where a value that holds it would pass for two."""
    lines = [*map(SEPARATOR.join, segments)]
    separators = sum(map(len, segments)) - len(lines)
    return lines if "".join(lines).count(SEPARATOR) == separators else None


def _as_read(values: tuple[str, ...]) -> Segment:
    """A segment exactly as it stood in a file, odd ids included."""
    return as_segment(values)


def _element(value: str | tuple[str, ...] | None) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple) and all(isinstance(part, str) for part in value):
        return COMPONENT.join(value).rstrip(COMPONENT)
    if not isinstance(value, str):
        raise InvalidArgument(f"{value!r} is no element.", cure="Format numbers and dates as text first.")
    return value


@attrs.frozen
class Finding:
    """One fault, or one thing worth knowing, in X12 text.

    Args:
        place: For people: ``"segment 5 PO104"``, ``"ISA06"``.
        rule: A stable word or the relational note: ``"length"``, ``"mandatory"``, ``"order"``, ``"P0607"`` ...
        value: The offending value, cut to 99 characters.
        severity: ``"error"``, ``"warning"`` or ``"note"``.
        code: The acknowledgment code it maps to, ``"AK304:3"``, ``"AK403:7"``, ``"AK502:4"``, ``"AK905:5"``,
            ``"TA105:021"`` (section 8); empty where the standard has none, as for arithmetic.
        message: One sentence.
        segment: Segment id. ``position``: counted from ST = 1; 0 outside a set. ``element``: from 1; 0 for none.
    """

    place: str
    rule: str
    value: str
    severity: Severity
    code: str
    message: str
    segment: str = ""
    position: int = 0
    element: int = 0

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@attrs.frozen
class Id:
    """An interchange address: ISA05/06 or ISA07/08. The qualifier is part of it (section 1)."""

    qualifier: str
    id: str


@attrs.frozen(kw_only=True)
class Delimiters:
    """Element separator, segment terminator, component and repetition separator (section 2).

    Raises:
        InvalidArgument: One that is not a single ASCII character, or is a letter, a digit, a blank or one of
            ``.-+``, or two that are the same.
    """

    element: str = "*"
    segment: str = "~"
    component: str = ">"
    repetition: str = "^"

    def __attrs_post_init__(self) -> None:
        bad = [name for name, value in attrs.asdict(self).items() if not _may_delimit(value)]
        if bad or len(set(attrs.astuple(self))) < 4:
            raise InvalidArgument(
                f"{self} cannot delimit ({', '.join(bad) or 'two are the same'}).",
                cure="Use four different single characters, none a letter, digit, blank, '.', '-' or '+'.",
            )


def _may_delimit(value: object) -> bool:
    if not isinstance(value, str) or len(value) != 1:
        return False
    return value.isascii() and not value.isalnum() and value not in " .-+"


@attrs.frozen(kw_only=True)
class Interchange:
    """The ISA a set was read in: values trimmed of their padding, ``date`` and ``time`` as written.

    ``repetition`` is empty before version 00402. ``findings`` are those of the header itself.
    """

    sender: Id
    receiver: Id
    date: str
    time: str
    version: str
    control_number: str
    acknowledgment_requested: bool
    usage: str
    element: str
    segment: str
    component: str
    repetition: str = ""
    findings: tuple[Finding, ...] = attrs.field(default=(), eq=False)


@attrs.frozen(kw_only=True)
class Group:
    """The GS a set was read in, values as written (section 1)."""

    functional_id: str
    sender: str
    receiver: str
    date: str
    time: str
    control_number: str
    agency: str
    version: str


def _segments(values: Iterable[Any]) -> tuple[Segment, ...]:
    found = tuple(values)
    odd = () if set(map(type, found)) == {Segment} else [value for value in found if not isinstance(value, Segment)]
    if odd:
        raise InvalidArgument(f"{odd[0]!r} is no Segment.", cure='Write Segment("REF", "DP", "0042").')
    return found


@attrs.frozen
class TransactionSet:
    """One transaction set.

    Args:
        code: ST01, ``"850"``; a TA1 has the code ``"TA1"``.
        segments: What stands between ST and SE; those two are written and counted by :func:`interchange`, so that no
            change of a set can break its frame.
        version: GS08 as read (``"004010VICS"``), or the partner's version.
        control_number: ST02 as read; :func:`interchange` numbers anew.
        group, interchange: Where it was read; ``None`` for a set made here.
        implementation: ST03 (005010 only).
        findings: What was noticed while reading or making it, text that was cut for instance; not part of equality.
    """

    code: str
    segments: tuple[Segment, ...] = attrs.field(converter=_segments)
    version: str = attrs.field(default="004010", kw_only=True)
    control_number: str = attrs.field(default="0001", kw_only=True)
    group: Group | None = attrs.field(default=None, kw_only=True)
    interchange: Interchange | None = attrs.field(default=None, kw_only=True)
    implementation: str = attrs.field(default="", kw_only=True)
    findings: tuple[Finding, ...] = attrs.field(default=(), kw_only=True, eq=False)

    @functools.cached_property
    def lines(self) -> list[str] | None:
        """Those of :func:`lines_of`, made once; not to be changed."""
        return lines_of(self.segments)

    @property
    def functional_id(self) -> str:
        """GS01: as read, else what belongs to the code (``"PO"`` for an 850); empty for an unknown set."""
        if self.group is not None:
            return self.group.functional_id
        return codes().sets.get(self.code, ("", ""))[1]

    def all(self, tag: str, first: str | None = None) -> Iterator[Segment]:
        """Every segment with this id, and with this first element where one is given: ``ts.all("REF", "DP")``.

        Args:
            tag: Id of the segments.
        """
        found = itertools.compress(self.segments, map(tag.__eq__, ids(self.segments)))
        return found if first is None else (one for one in found if one[1] == first)

    def insert(self, after: Segment | str, *segments: Segment) -> TransactionSet:
        """The set with ``segments`` after the first segment that equals ``after`` or has that id.

        Raises:
            X12Error: There is no such segment.
        """
        at = self._find(after) + 1
        return attrs.evolve(self, segments=self.segments[:at] + segments + self.segments[at:])

    def replace(self, old: Segment | str, new: Segment) -> TransactionSet:
        """The set with the first segment that equals ``old`` or has that id replaced.

        Args:
            new: What stands there then.

        Raises:
            X12Error: There is no such segment.
        """
        at = self._find(old)
        return attrs.evolve(self, segments=(*self.segments[:at], new, *self.segments[at + 1 :]))

    def without(self, *unwanted: Segment | str) -> TransactionSet:
        """The set without every segment that equals one of ``unwanted`` or has that id."""
        kept = (one for one in self.segments if one not in unwanted and one.id not in unwanted)
        return attrs.evolve(self, segments=kept)

    def _find(self, wanted: Segment | str) -> int:
        for at, one in enumerate(self.segments):
            if wanted in (one, one.id):
                return at
        raise X12Error(f"The {self.code} has no {wanted}.", cure="Name a segment that stands in the set.")

    def __str__(self) -> str:
        from mlconnector.x12._render import readable

        return readable(self)

    def _repr_html_(self) -> str:
        from mlconnector.x12._render import as_html

        return as_html(self)
