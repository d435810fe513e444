"""Order, loops, limits and mandatory segments of a set, walked through the loop tables of the dictionary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from mlconnector.x12._dictionary import SegmentSpec, Step
from mlconnector.x12._sets import Finding, Segment

__all__ = ["structure_findings"]


class _Level:
    """One repetition of a loop (or the set itself): how far along it stands, and how often each step came."""

    __slots__ = ("at", "counts", "name", "steps")

    def __init__(self, name: str, steps: tuple[Step, ...], at: int) -> None:
        self.name = name
        self.steps = steps
        self.at = at
        self.counts = [0] * len(steps)
        self.counts[0] = 1

    def find(self, tag: str, begin: int, end: int) -> int | None:
        for index in range(begin, end):
            if self.steps[index].id == tag:
                return index
        return None


def structure_findings(
    steps: tuple[Step, ...], segments: tuple[Segment, ...], known: Mapping[str, SegmentSpec]
) -> Iterator[Finding]:
    """Every segment that stands where it must not, too often, or is missing. ``steps`` include ST and SE."""
    levels = [_Level("", steps[:-1], 0)]
    names = set(_tags(steps))
    for position, segment in enumerate(segments, 2):
        tag = segment.id
        if tag not in names:
            yield _unknown(tag, position, tag in known)
            continue
        place = _ahead(levels, tag)
        late = place is None
        depth, index = place if place is not None else _behind(levels, tag)
        if index < 0:
            yield _finding(tag, position, "order", "2", f"{tag} stands where it is not expected.")
            continue
        while len(levels) > depth + 1:
            yield from _missing(levels.pop(), position)
        level = levels[-1]
        if late:
            yield _finding(tag, position, "order", "7", f"{tag} stands out of order.")
        else:
            yield from _skipped(level, index, position)
            level.at = index
        level.counts[index] += 1
        step = level.steps[index]
        if step.limit and level.counts[index] == step.limit + 1:
            code, what = ("4", "loop ") if step.children else ("5", "")
            message = f"The {what}{tag} stands more than {step.limit} times."
            yield _finding(tag, position, "limit", code, message)
        if step.children:
            levels.append(_Level(tag, step.children, 0))
    while levels:
        yield from _missing(levels.pop(), len(segments) + 2)


def _tags(steps: tuple[Step, ...]) -> Iterator[str]:
    for step in steps:
        yield step.id
        yield from _tags(step.children)


def _ahead(levels: list[_Level], tag: str) -> tuple[int, int] | None:
    """The innermost level that has the segment at or after where it stands. A loop's own opener opens it anew."""
    for depth in range(len(levels) - 1, -1, -1):
        level = levels[depth]
        index = level.find(tag, max(level.at, 1), len(level.steps))
        if index is not None:
            return depth, index
    return None


def _behind(levels: list[_Level], tag: str) -> tuple[int, int]:
    for depth in range(len(levels) - 1, -1, -1):
        index = levels[depth].find(tag, 1, levels[depth].at)
        if index is not None:
            return depth, index
    return 0, -1


def _skipped(level: _Level, index: int, position: int) -> Iterator[Finding]:
    for at in range(level.at + 1, index):
        step = level.steps[at]
        if step.mandatory and not level.counts[at]:
            yield _absent(step.id, position)


def _missing(level: _Level, position: int) -> Iterator[Finding]:
    yield from _skipped(level, len(level.steps), position)


def _absent(tag: str, position: int) -> Finding:
    return _finding(tag, position, "mandatory", "3", f"{tag} is mandatory and missing.")


def _unknown(tag: str, position: int, known: bool) -> Finding:
    # The tables hold what public guides name; a segment they do not hold may be legal, so it is only told.
    if not (tag.isalnum() and tag.isupper() and 2 <= len(tag) <= 3):
        return _finding(tag[:99], position, "segment", "1", f"{tag[:99]!r} is no segment id.")
    if known:
        return _finding(tag, position, "segment", "6", f"{tag} does not belong to this set.")
    message = f"{tag} is not in the dictionary."
    return attrs.evolve(_finding(tag, position, "segment", "1", message), severity="warning")


def _finding(tag: str, position: int, rule: str, code: str, message: str) -> Finding:
    return Finding(f"segment {position} {tag}", rule, tag, "error", f"AK304:{code}", message, tag, position)
