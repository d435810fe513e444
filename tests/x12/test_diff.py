from __future__ import annotations

import pytest

from mlconnector import x12
from mlconnector.errors import InvalidArgument
from tests.x12._inbound import received
from tests.x12._orders import AT, line, order, partner

BEFORE = "BEG*00*SA*1**20260301\nREF*DP*1\nPO1*1*5*EA*2\nPID*F****Bolt\nPO1*2*5*EA*2\nCTT*2"


def test_equal_sets_do_not_differ():
    ts = x12.to_850(order(), partner())
    (back,) = x12.read(x12.interchange([ts], partner(), control=x12.ControlNumbers(), at=AT))
    found = x12.diff(ts, back)
    assert not found
    assert str(found) == "no difference"


def test_segments_changed_added_and_removed():
    after = "BEG*00*SA*1**20260301\nREF*DP*2\nDTM*002*20260401\nPO1*1*6*EA*3*PE\nPO1*2*5*EA*2\nCTT*2"
    found = x12.diff(received("850", BEFORE), received("850", after))
    assert str(found).splitlines() == [
        "~ segment 3 REF: REF02 '1' -> '2'",
        "+ segment 4 DTM: DTM*002*20260401",
        "~ segment 4 PO1: PO102 '5' -> '6', PO104 '2' -> '3', PO105 '' -> 'PE'",
        "- segment 5 PID: PID*F****Bolt",
    ]
    assert [(one.place, one.elements) for one in found][2] == ("segment 4 PO1", (2, 4, 5))
    assert found[1].before is None
    assert found[3].after is None


def test_a_line_more_is_only_that():
    one, two = x12.to_850(order(), partner()), x12.to_850(order(line(), line("2")), partner())
    assert [str(found)[0] for found in x12.diff(one, two)] == ["+", "+", "+", "~"]
    assert [str(found)[0] for found in x12.diff(two, one)] == ["-", "-", "-", "~"]
    assert x12.diff(one, two)[0].place == "segment 15 PO1"


def test_what_is_equal_between_two_changes_is_left_out():
    after = BEFORE.replace("*20260301", "*20260302").replace("CTT*2", "CTT*3")
    assert [one.place for one in x12.diff(received("850", BEFORE), received("850", after))] == [
        "segment 2 BEG",
        "segment 7 CTT",
    ]


def test_the_kind_and_version_of_the_set_are_compared():
    found = x12.diff(x12.TransactionSet("850", []), x12.TransactionSet("860", [], version="005010"))
    assert str(found) == "~ ST01: ST01 '850' -> '860'\n~ GS08: GS08 '004010' -> '005010'"


def test_other_things_are_refused():
    with pytest.raises(InvalidArgument):
        x12.diff(received("850", BEFORE), "ISA*")


def test_neither_a_difference_nor_what_cannot_be_read_shows_a_bank_account():
    before, after = (
        x12.TransactionSet("820", [x12.Segment("BPR", "C", "1", "C", "ACH", *[""] * 4, number)])
        for number in ("555000678", "666000543")
    )
    shown = str(x12.diff(before, after)) + repr(x12.diff(before, after))
    assert "0678" in shown
    assert "55500067" not in shown
    assert "66600054" not in shown
    text = x12.interchange([before], partner(), control=x12.ControlNumbers(), at=AT)
    unreadable, *_ = x12.read(text.partition("SE*")[0], broken="yield")
    assert isinstance(unreadable, x12.Unreadable)
    assert "555000678" in unreadable.raw
    assert "555000678" not in repr(unreadable)
