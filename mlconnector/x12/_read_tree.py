"""The loops of a set: which segment belongs to which, by the tables of the dictionary (X12 reference, section 7)."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from mlconnector.x12._dictionary import Step, dictionary
from mlconnector.x12._sets import Segment, TransactionSet

__all__ = ["ABSENT", "Loop", "loops_of"]

ABSENT = Segment("ABS")
"""Stands for a segment that is not there; all its elements are empty."""


@attrs.frozen(eq=False)
class Loop:
    """One repetition of a loop, or a whole set: ``head`` opens it; ``segments`` and ``loops`` are what it holds."""

    head: Segment
    segments: list[Segment] = attrs.field(factory=list)
    loops: list[Loop] = attrs.field(factory=list)

    def all(self, tag: str, *firsts: str) -> Iterator[Segment]:
        """Its own segments with this id, and the heads of its inner loops; in the order of ``firsts``, if given.

        Lower-case codes and blanks around them are taken as they were meant (section 10).
        """
        found = [one for one in self.segments if one.id == tag]
        found += [inner.head for inner in self.loops if inner.head.id == tag]
        if not firsts:
            return iter(found)
        return (one for first in firsts for one in found if one[1].strip().upper() == first)

    def first(self, tag: str, *firsts: str) -> Segment:
        """The first of :meth:`all`, else :data:`ABSENT`."""
        return next(self.all(tag, *firsts), ABSENT)

    def under(self, tag: str, *firsts: str) -> Iterator[Loop]:
        """Loops that this segment opens, directly in this one; in the order of ``firsts``, if they are given."""
        found = [inner for inner in self.loops if inner.head.id == tag]
        if not firsts:
            return iter(found)
        return (one for first in firsts for one in found if one.head[1].strip().upper() == first)


class _Level:
    __slots__ = ("at", "loop", "steps")

    def __init__(self, loop: Loop, steps: tuple[Step, ...]) -> None:
        self.loop = loop
        self.steps = steps
        self.at = 1

    def find(self, tag: str, begin: int) -> int:
        for index in range(begin, len(self.steps)):
            if self.steps[index].id == tag:
                return index
        return 0


def loops_of(ts: TransactionSet, segments: list[Segment], *, implied: str = "") -> Loop:
    """The set as nested loops. Nothing is refused here: a segment out of order goes to the innermost loop that may
    hold it, one that no open loop may hold stays with the innermost one.

    Args:
        ts: Any set; the tables of 004010 serve for every version, because they hold what was taken out later, too.
            A set without tables, like a TA1, has no loops.
        segments: Those of the set.
        implied: A loop that real files leave out, though others may only stand in it: ENT of an 820.
    """
    tables = dictionary("005010" if ts.code == "999" else "004010")
    assert tables is not None
    root = Loop(ABSENT)
    levels = [_Level(root, tables.sets.get(ts.code, ())[:-1])]
    for segment in segments:
        if implied and segment.id != implied:
            _open_implied(levels, segment.id, implied)
        depth, index = _place(levels, segment.id)
        if not index:
            levels[-1].loop.segments.append(segment)
            continue
        del levels[depth + 1 :]
        level = levels[-1]
        level.at = max(level.at, index)
        children = level.steps[index].children
        if children:
            loop = Loop(segment)
            level.loop.loops.append(loop)
            levels.append(_Level(loop, children))
        else:
            level.loop.segments.append(segment)
    return root


def _open_implied(levels: list[_Level], tag: str, implied: str) -> None:
    if _place(levels, tag)[1]:
        return
    index = levels[0].find(implied, 1)
    children = levels[0].steps[index].children
    if any(step.id == tag for step in children):
        del levels[1:]
        levels[0].at = max(levels[0].at, index)
        loop = Loop(Segment(implied))
        levels[0].loop.loops.append(loop)
        levels.append(_Level(loop, children))


def _place(levels: list[_Level], tag: str) -> tuple[int, int]:
    """Depth and step of the innermost loop that has the segment ahead, else behind; step 0 where none has it."""
    for ahead in (True, False):
        for depth in range(len(levels) - 1, -1, -1):
            index = levels[depth].find(tag, levels[depth].at if ahead else 1)
            if index:
                return depth, index
    return 0, 0
