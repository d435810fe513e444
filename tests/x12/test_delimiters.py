"""Separators may be the very characters a Segment holds inside; no set changes by it."""

from __future__ import annotations

import itertools

import pytest

from mlconnector import x12
from mlconnector.x12 import REPETITION, Segment, TransactionSet
from tests.x12._orders import order, partner, written

MARKS = ["\x1c", "\x1d", "\x1e", "\x1f", "*"]


@pytest.mark.parametrize("marks", list(itertools.permutations(MARKS, 4)), ids=repr)
@pytest.mark.parametrize("end", ["", "\r\n"])
def test_any_separators_read_back(marks, end):
    element, segment, component, repetition = marks
    delimiters = x12.Delimiters(element=element, segment=segment, component=component, repetition=repetition)
    to = partner(version="005010", delimiters=delimiters, line_end=end)
    composite = Segment("MEA", "", "", "1", ("EA", "2"), f"a{REPETITION}b")
    beginning = Segment("BEG", "00", "SA", "1", "", "20260301")
    ts = TransactionSet("850", [beginning, composite, Segment("PO1"), Segment("CTT", "1")], version="005010")
    text = written(ts, to=to)
    (got,) = x12.read(text)
    assert got.segments == ts.segments
    assert [str(finding) for finding in x12.validate(text)] == [str(finding) for finding in x12.validate(ts)]


@pytest.mark.parametrize("marks", [("\x1f", "~", ">"), ("*", "\x1f", "\x1d"), ("\x1d", "\x1c", "\x1e")])
def test_a_broken_set_is_shown_as_it_stood(marks):
    element, segment, component = marks
    to = partner(delimiters=x12.Delimiters(element=element, segment=segment, component=component))
    text = written(x12.to_850(order(), to), to=to)
    assert x12.validate(text) == []
    cut = text.replace(f"SE{element}", f"XX{element}")
    (unreadable, *_) = x12.read(cut, broken="yield")
    assert unreadable.raw.startswith(cut[cut.index(f"ST{element}") :][:40])


def test_a_set_without_segments_is_a_frame():
    text = written(TransactionSet("850", []))
    assert "~ST*850*0001~SE*2*0001~" in text
    assert [one.code for one in x12.read(text)] == ["850"]
