from __future__ import annotations

import copy
import pickle
import re

import pytest

from mlconnector import x12
from mlconnector.errors import InvalidArgument, X12Error
from mlconnector.x12 import Segment
from tests.x12._orders import one, order, partner, written


def test_elements_count_from_one_and_missing_ones_are_empty():
    segment = Segment("REF", "DP", "0042")
    assert (segment[0], segment[1], segment[2], segment[3]) == ("REF", "DP", "0042", "")
    assert segment.id == "REF"
    assert segment.elements == ("DP", "0042")
    assert segment[1:] == ("DP", "0042")


def test_trailing_empty_elements_are_dropped_and_none_is_empty():
    assert Segment("N1", "BY", "X", None, "") == Segment("N1", "BY", "X")
    assert str(Segment("N1", "BY", None, "92", "7")) == "N1*BY**92*7"


def test_a_composite_is_given_as_a_tuple_and_read_by_parts():
    segment = Segment("POC", "1", "QI", "5", "2", ("EA", "", ""))
    assert segment.parts(5) == ("EA",)
    composite = Segment("SLN", "1", "", "I", "5", ("PC", "11.1"))
    assert composite.parts(5) == ("PC", "11.1")
    assert str(composite) == "SLN*1**I*5*PC>11.1"
    assert eval(repr(composite), {"Segment": Segment}) == composite


@pytest.mark.parametrize("arguments", [("ref", "DP"), ("R", "1"), ("LONG", "1"), ("REF", 42), ("REF", ("a", 1))])
def test_what_is_no_segment_is_refused(arguments):
    with pytest.raises(InvalidArgument):
        Segment(*arguments)


def test_segments_copy_and_pickle_also_with_odd_ids():
    frame = written(x12.to_850(order(), partner()))
    odd = next(x12.read(frame.replace("~CTT*", "~*X~CTT*").replace("SE*15*", "SE*16*")))
    assert any(segment[0] == "" and segment[1] == "X" for segment in odd.segments)
    assert copy.deepcopy(odd) == odd
    assert pickle.loads(pickle.dumps(odd)) == odd


def test_a_set_is_changed_by_making_another():
    ts = x12.to_850(order(), partner(references={"DP": "0042"}))
    more = ts.insert("REF", Segment("REF", "VR", "9"))
    assert [segment[1] for segment in more.all("REF")] == ["DP", "VR"]
    assert one(more.replace(Segment("REF", "VR", "9"), Segment("REF", "VR", "10")), "REF", "VR")[2] == "10"
    assert not list(more.without("REF", Segment("CTT", "1")).all("REF"))
    assert one(ts, "REF")[2] == "0042"
    with pytest.raises(X12Error):
        ts.insert("ZZZ", Segment("REF", "VR", "9"))
    with pytest.raises(X12Error):
        ts.replace(Segment("REF", "no"), Segment("REF", "VR", "9"))


def test_only_segments_make_a_set():
    with pytest.raises(InvalidArgument):
        x12.TransactionSet("850", ["BEG*00"])


def test_the_functional_id_belongs_to_the_code():
    assert [x12.TransactionSet(code, ()).functional_id for code in ("850", "860", "810", "824")] == [
        "PO",
        "PC",
        "IN",
        "",
    ]


@pytest.mark.parametrize(
    "marks", [{"element": "A"}, {"segment": ""}, {"component": "*"}, {"repetition": "ab"}, {"element": 1}]
)
def test_delimiters_that_cannot_delimit_are_refused(marks):
    with pytest.raises(InvalidArgument):
        x12.Delimiters(**marks)


def test_a_set_reads_well():
    text = str(x12.to_850(order(), partner(long_text="cut")).replace("CTT", Segment("CTT", "1")))
    assert "850 Purchase Order" in text
    assert "      03 Unit or Basis for Measurement Code: EA (each)" in text
    strange = x12.TransactionSet(
        "824",
        (Segment("ZZ9", "a", "", "b"), Segment("REF", "ZZ", "", "", "", "x")),
        version="003040",
        control_number="",
    )
    assert "ZZ9 not in the dictionary" in str(strange)
    assert "824 Transaction Set" in str(strange)
    assert "05 Element: x" in str(strange)


def test_a_notebook_shows_the_same_as_a_table_and_runs_nothing():
    ts = x12.to_850(order(buyer="<script>alert(1)</script> & Co"), partner(delimiters={"component": ":"}))
    shown = re.sub(r' style="[^"]*"', "", ts._repr_html_())
    assert "<caption>850 Purchase Order, version 004010, control number 0001</caption>" in shown
    assert "<tr><td>PO103</td><td>Unit or Basis for Measurement Code</td><td>EA</td><td>each</td></tr>" in shown
    assert "<th>CTT</th><th>Transaction Totals</th>" in shown
    assert "<script>" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Co" in shown
    assert "<ul>" not in shown
    noted = x12.to_850(order(buyer="M\u00fcller <b>"), partner())._repr_html_()
    assert "<li>PER02: Written as &#x27;Muller &lt;b&gt;&#x27;.</li>" in noted


def test_a_finding_reads_well():
    finding = x12.Finding("PO104", "length", "1", "error", "AK403:5", "Too long.")
    assert str(finding) == "PO104: Too long."
