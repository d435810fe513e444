from __future__ import annotations

import datetime as dt

import pytest

from mlconnector import x12
from mlconnector.errors import InvalidArgument, X12Error
from mlconnector.x12 import Segment
from tests.x12._orders import AT, invoice, line, order, partner, written


def test_the_isa_is_106_characters_and_everything_counts():
    text = written(x12.to_850(order(), partner()), x12.to_810(invoice(), partner()), x12.to_850(order(), partner()))
    assert text[:106] == (
        "ISA*00*          *00*          *ZZ*ACME           *01*123456789      *260301*2330*U*00401*000000007*0*T*>~"
    )
    segments = text.split("~")
    assert [one for one in segments if one[:2] in ("GS", "GE", "ST", "IE")] == [
        "GS*PO*ACME*123456789*20260301*2330*3*X*004010",
        "ST*850*0001",
        "ST*850*0002",
        "GE*2*3",
        "GS*IN*ACME*123456789*20260301*2330*4*X*004010",
        "ST*810*0001",
        "GE*1*4",
        "IEA*2*000000007",
    ]
    assert x12.validate(text) == []


def test_control_numbers_count_on_by_groups():
    sets = [x12.to_850(order(), partner()), x12.to_810(invoice(), partner())]
    assert x12.ControlNumbers(7, 3).next(sets) == x12.ControlNumbers(8, 5)


def test_times_stand_in_the_partners_zone():
    to = partner(time_zone="America/Chicago", usage="P", request_ta1=True, sender_code="APP1", receiver_code="APP2")
    text = written(x12.to_850(order(), to), to=to)
    assert "*260301*1730*U*00401*000000007*1*P*>~" in text
    assert "GS*PO*APP1*APP2*20260301*1730*" in text


def test_005010_has_a_repetition_separator_and_line_ends_follow_the_terminator():
    to = partner(version="005010", line_end="\r\n")
    ts = x12.to_850(order(), to)
    ts = ts.insert("BEG", Segment("REF", "ZZ", "A" + x12.REPETITION + "B"))
    text = written(x12.TransactionSet("850", ts.segments, version="005010", implementation="X1"), to=to)
    assert "*^*00501*" in text
    assert "ST*850*0001*X1~\r\n" in text
    assert "REF*ZZ*A^B~" in text
    assert next(x12.read(text)).implementation == "X1"


def test_a_composite_is_written_with_the_partners_separator():
    to = partner(delimiters=x12.Delimiters(component=":"))
    ts = x12.to_860(order(), order(line(quantity=None, kind="amount")), to, sequence=1, at=AT)
    ts = ts.insert("BCH", Segment("MEA", "", "", "1", ("EA", "2")))
    assert "MEA***1*EA:2~" in written(ts, to=to)


@pytest.mark.parametrize("value", ["a*b", "a~b", "a>b", "a\nb", "Zoë", "a" + x12.REPETITION])
def test_data_never_breaks_the_frame(value):
    ts = x12.to_850(order(), partner()).insert("BEG", Segment("REF", "ZZ", value))
    with pytest.raises(X12Error, match="REF of the 850"):
        written(ts)


def test_national_letters_go_by_agreement():
    to = partner(non_ascii="keep")
    ts = x12.to_850(order(line(description="Schraube für Zoë")), to)
    assert "Schraube für Zoë" in written(ts, to=to)


def test_what_cannot_be_enveloped_is_refused():
    ts = x12.to_850(order(), partner())
    with pytest.raises(InvalidArgument):
        written()
    with pytest.raises(InvalidArgument):
        x12.interchange([ts], partner(), control=x12.ControlNumbers(), at=dt.datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(X12Error, match="functional id"):
        written(x12.TransactionSet("824", ts.segments))
    with pytest.raises(X12Error, match="005010"):
        written(ts, to=partner(version="005010"))
