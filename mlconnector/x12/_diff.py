"""What differs between two sets, segment by segment."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.x12._sets import Segment, TransactionSet, masked

__all__ = ["Difference", "Differences", "diff"]


@attrs.frozen
class Difference:
    """One segment that was added, removed or changed.

    Args:
        place: Where it stands, counted from ST = 1: ``"segment 4 REF"``; in the first set, of an added one in the
            second. ``"ST01"`` or ``"GS08"`` for the kind of the set or its version.
        before, after: The segment in the first and the second set; ``None`` where it is not there.
        elements: Positions of the elements that changed, ``(2,)``; empty for one added or removed.
    """

    place: str
    before: Segment | None = None
    after: Segment | None = None
    elements: tuple[int, ...] = ()

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.place}: {self.after}"
        if self.after is None:
            return f"- {self.place}: {self.before}"
        tag = self.before.id
        changed = (
            f"{tag}{at:02} {masked(tag, at, self.before[at])!r} -> {masked(tag, at, self.after[at])!r}"
            for at in self.elements
        )
        return f"~ {self.place}: {', '.join(changed)}"


class Differences(tuple[Difference, ...]):
    """Every :class:`Difference` in the order of the sets; false when there is none. ``str`` is one line each."""

    __slots__ = ()

    def __str__(self) -> str:
        return "\n".join(map(str, self)) or "no difference"


def diff(a: TransactionSet, b: TransactionSet) -> Differences:
    """What leads from one set to another: segments added, removed and changed.

    Control numbers and envelopes are not compared. Segments in other places are one removed and one added.

    Args:
        a: The set before. ``b``: the set after.

    Raises:
        InvalidArgument: Something else than two sets.
    """
    for value in (a, b):
        if not isinstance(value, TransactionSet):
            raise InvalidArgument(f"{type(value).__name__} is no TransactionSet.", cure="Pass sets that read() gave.")
    head = [
        Difference(place, Segment(place[:2], *[""] * (at - 1), one), Segment(place[:2], *[""] * (at - 1), two), (at,))
        for place, at, one, two in (("ST01", 1, a.code, b.code), ("GS08", 8, a.version, b.version))
        if one != two
    ]
    return Differences((*head, *_segments(a.segments, b.segments)))


def _segments(before: Sequence[Segment], after: Sequence[Segment]) -> Iterator[Difference]:
    """The ends that are equal are left out first, because the comparison of the middle takes the square of its size."""
    begin = 0
    while begin < min(len(before), len(after)) and before[begin] == after[begin]:
        begin += 1
    end = 0
    while end < min(len(before), len(after)) - begin and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[begin : len(before) - end], after[begin : len(after) - end]
    for tag, from_a, to_a, from_b, to_b in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if tag != "equal":
            yield from _changed(old[from_a:to_a], new[from_b:to_b], begin + from_a + 2, begin + from_b + 2)


def _changed(old: Sequence[Segment], new: Sequence[Segment], old_at: int, new_at: int) -> Iterator[Difference]:
    """A stretch that differs throughout: segments of one id in the same order are changed, the others come or go."""
    tags = [one.id for one in old], [one.id for one in new]
    for tag, from_a, to_a, from_b, to_b in difflib.SequenceMatcher(None, *tags).get_opcodes():
        if tag == "equal":
            for at, (one, two) in enumerate(zip(old[from_a:to_a], new[from_b:to_b], strict=True), old_at + from_a):
                elements = tuple(index for index in range(1, max(len(one), len(two))) if one[index] != two[index])
                yield Difference(f"segment {at} {one.id}", one, two, elements)
            continue
        for at, one in enumerate(old[from_a:to_a], old_at + from_a):
            yield Difference(f"segment {at} {one.id}", before=one)
        for at, two in enumerate(new[from_b:to_b], new_at + from_b):
            yield Difference(f"segment {at} {two.id}", after=two)
