"""Telling what is surely faultless at a glance, so that the checks that explain a fault run only where one may be.

Both tests may say no to what is right; then the slow check decides. Neither says yes to what it would report.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from mlconnector.x12._dictionary import Dictionary, ElementSpec, Note, SegmentSpec, Step, codes, dictionary
from mlconnector.x12._sets import SEPARATOR, lines_of

__all__ = ["SEPARATOR", "Grammar", "Patterns", "grammar", "lines_of", "patterns", "read_lines"]

_RECURRING = frozenset(("CTT", "CUR", "DTM", "FOB", "ITD", "N1", "N2", "N3", "N4", "PER", "REF", "TD1", "TD5"))
"""Segments that say the same again and again in a file: parties, addresses, dates, terms."""
_MOST_COUNTED = 50
_MOST_STATES = 4096
_DAYS = "(?:(?:0[1-9]|1[0-2])(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])(?:29|30)|(?:0[13578]|1[02])31)"
"""Every day of a year but 29 February."""
_TIME = "(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9][0-9]{0,2})?"


class Patterns(dict[str, Callable[[str], object]]):
    """By segment id: what tells whether a segment, as a line, is faultless. Made when a segment is first met."""

    def __init__(self, tables: Dictionary) -> None:
        self._segments = tables.segments

    def __missing__(self, tag: str) -> Callable[[str], object]:
        if tag not in self._segments:
            return bool  # The dictionary does not hold it: there is nothing to check.
        found: Callable[[str], object] = re.compile(_pattern(self._segments[tag])).fullmatch
        self[tag] = found = functools.lru_cache(maxsize=1024)(found) if tag in _RECURRING else found
        return found

    def doubtful(self, tags: Sequence[str], lines: Sequence[str] | None) -> list[int]:
        """Where a look at every element is needed: everywhere without lines."""
        if lines is None:
            return [*range(len(tags))]
        looks: list[Any] = [*map(self.get, tags)]
        if None in looks:
            looks = [self[tag] for tag in tags]
        return [at for at, line in enumerate(lines) if not looks[at](line)]


def read_lines(texts: Sequence[str], element: str) -> list[str] | None:
    """``TransactionSet.lines`` of segments as they were read, which is faster than to join them again."""
    whole = "\n".join(texts)
    if SEPARATOR in whole or whole.count("\n") >= len(texts):
        return None
    return whole.replace(element, SEPARATOR).split("\n")


@functools.cache
def patterns(version: str) -> Patterns:
    """Of a version that the dictionary holds."""
    tables = dictionary(version)
    assert tables is not None
    return Patterns(tables)


def _pattern(spec: SegmentSpec) -> str:
    """Element after element, optional ones in nested optional groups; then the relational notes on what was there.

    ``(?:x|)`` is ``(?:x)?`` at half the time. A note that pairs two neighbours is told by their place instead.
    """
    pairs = [note for note in spec.notes if _is_pair(note, spec)]
    seconds = {note.positions[1] for note in pairs}
    others = [note for note in spec.notes if note not in pairs]
    noted = {position for note in others for position in note.positions}
    needed = max((index for index, element in enumerate(spec.elements, 1) if element.mandatory), default=0)
    tail = ""
    for index, element in reversed([*enumerate(spec.elements, 1)]):
        if index in seconds:
            continue
        value = _value(element)
        if index + 1 in seconds:
            value = f"(?:{value}{SEPARATOR}{_value(spec.elements[index])}|{SEPARATOR})"
        else:
            value = f"(?P<e{index}>{value})" if index in noted else f"(?:{value})"
            value = value if element.mandatory else f"(?:{value}|)"
        tail = f"{SEPARATOR}{value}{tail}" if index <= needed else f"(?:{SEPARATOR}{value}{tail}|)"
    return spec.id + tail + "".join(map(_kept, others))


def _is_pair(note: Note, spec: SegmentSpec) -> bool:
    first, second = note.positions[0], note.positions[-1]
    alone = sum(first in one.positions or second in one.positions for one in spec.notes) == 1
    optional = not any(element.mandatory for element in spec.elements[first - 1 :])
    return note.kind == "P" and note.positions == (first, first + 1) and alone and optional


def _kept(note: Note) -> str:
    """A test that the note is kept, by which groups took part in the match."""
    first, *others = (f"e{position}" for position in note.positions)
    if note.kind == "P":
        return "".join(f"(?({first})(?({other})|(?!))|(?({other})(?!)))" for other in others)
    if note.kind == "E":
        pairs = itertools.combinations((first, *others), 2)
        return "".join(f"(?({one})(?({two})(?!)))" for one, two in pairs)
    if note.kind == "C":
        return "".join(f"(?({first})(?({other})|(?!)))" for other in others)
    any_other = functools.reduce(lambda rest, one: f"(?({one})|{rest})", others, "(?!)")
    return f"(?({first})|{any_other})" if note.kind == "R" else f"(?({first}){any_other})"


def _value(element: ElementSpec) -> str:
    low, high = element.min, element.max
    if element.type == "composite" or element.type in ("AN", "ID"):
        known = codes().of(element.ref) if element.type != "AN" else {}
        if known:
            plain = element.type == "composite"
            return _one_of(sorted(code for code in known if plain or low <= len(code) <= high))
        return r"[!-~][^\x00-\x1f\x7f]" + ("*" if element.type == "composite" else f"{{{max(low - 1, 0)},{high - 1}}}")
    if element.type == "R":
        fraction = min(6, high // 3)
        whole = high - fraction
        more = f"[0-9]{{{max(low - 1, 0)},{whole - 1}}}"
        part = rf"(?:\.[0-9]{{0,{fraction - 1}}}[1-9]|)" if fraction else ""
        return f"-?(?:[1-9]{more}{part}" + (f"|0{part}" if low == 1 else "") + ")"
    if element.type == "DT":
        return f"[12][0-9]{{3}}{_DAYS}" if low == high == 8 else "(?!)"
    if element.type == "TM":
        return _TIME
    return f"-?[0-9]{{{low},{high}}}"


def _one_of(words: Sequence[str]) -> str:
    """A pattern for any of the words, by their first letters, so that long lists are not gone through one by one."""
    firsts = sorted({word[0] for word in words if word})
    branches = []
    for first in firsts:
        rest = [word[1:] for word in words if word.startswith(first)]
        branches.append(re.escape(first) + ("" if rest == [""] else _one_of(rest)))
    if all(map(str.isalnum, branches)) and all(len(branch) == 1 for branch in branches):
        branches = [f"[{''.join(branches)}]"] if branches else []
    inner = f"(?:{'|'.join(branches)})"
    return f"{inner}?" if "" in words else inner


class _State(dict[str, "_State | None"]):
    """A place in a set: by the next segment id the next place, None where that may be wrong. Found when first asked.

    ``levels`` are the open loops: their steps, the step stood at, and how often it came.
    """

    def __init__(self, grammar: Grammar, levels: tuple[tuple[tuple[Step, ...], int, int], ...]) -> None:
        self.levels = levels
        self.complete = not any(_wanting(steps, at, len(steps)) for steps, at, _ in levels)
        self._grammar = grammar

    def __missing__(self, tag: str) -> _State | None:
        if tag not in self._grammar.names:
            return None
        self[tag] = found = self._next(tag)
        return found

    def _next(self, tag: str) -> _State | None:
        for depth in range(len(self.levels) - 1, -1, -1):
            steps, at, count = self.levels[depth]
            index = next((index for index in range(max(at, 1), len(steps)) if steps[index].id == tag), 0)
            if index:
                break
        else:
            return None
        step = steps[index]
        counted = 0 < step.limit <= _MOST_COUNTED
        count = count + 1 if counted and index == at else 1
        left = any(_wanting(inner, place, len(inner)) for inner, place, _ in self.levels[depth + 1 :])
        if left or _wanting(steps, at, index) or (counted and count > step.limit):
            return None
        opened = ((step.children, 0, 1),) if step.children else ()
        return self._grammar.state((*self.levels[:depth], (steps, index, count), *opened))


def _wanting(steps: Sequence[Step], after: int, before: int) -> bool:
    return any(step.mandatory for step in steps[after + 1 : before])


class Grammar:
    """The order, limits and mandatory segments of one set. ``steps`` include ST and SE."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        every = list(_every(steps))
        self.names = frozenset(step.id for step in every)
        self._states: dict[object, _State] = {}
        self._start = _State(self, ((steps[:-1], 0, 1),))
        # Limits too high to be told apart by state are held against all segments of that name.
        limits = sorted(((step.limit, step.id) for step in every if step.limit > _MOST_COUNTED), reverse=True)
        self._high = {tag: limit for limit, tag in limits}
        self._least_high = min(self._high.values(), default=0)

    def state(self, levels: tuple[tuple[tuple[Step, ...], int, int], ...]) -> _State | None:
        """The state with these levels; None where there are too many to remember."""
        found = self._states.get(levels)
        if found is None and len(self._states) < _MOST_STATES:
            found = self._states[levels] = _State(self, levels)
        return found

    def accepts(self, tags: Sequence[str]) -> bool:
        """Whether segments in this order are surely faultless."""
        state = self._start
        for tag in tags:
            following = state[tag]
            if following is None:
                return False
            state = following
        if len(tags) <= self._least_high:
            return state.complete
        high = (limit for tag, limit in self._high.items() if len(tags) > limit and tags.count(tag) > limit)
        return state.complete and not any(high)


@functools.cache
def grammar(version: str, code: str) -> Grammar:
    """Of a set that the dictionary holds."""
    tables = dictionary(version)
    assert tables is not None
    return Grammar(tables.sets[code])


def _every(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _every(step.children)
