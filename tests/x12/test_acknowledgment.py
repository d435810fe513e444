from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlconnector import x12
from mlconnector.documents import AcknowledgedLine, OrderAcknowledgment
from mlconnector.errors import InvalidDocument
from tests.x12._orders import line, one, order, partner, written
from tests.x12._outbound import answer, answered
from tests.x12.test_properties import DATE, ID, MANY, PARTNERS, PRICE, QUANTITY, UNIT, is_right, mostly, orders


def made(document, to=None, **options):
    ts = x12.to_855(document, to or partner(), **options)
    assert [finding for finding in x12.validate(written(ts, to=to)) if finding.severity == "error"] == []
    return ts


def refused(document, to=None, **options) -> InvalidDocument:
    with pytest.raises(InvalidDocument) as caught:
        x12.to_855(document, to or partner(), **options)
    return caught.value


def test_an_answer_segment_by_segment():
    lines = (
        answered(quantity=Decimal(6), date=dt.date(2026, 4, 1)),
        answered(status="IB", quantity=Decimal(4), unit="", price=Decimal("2.40")),
        answered("2", status="IR", quantity=None),
    )
    to = partner(references={"VR": "77"}, ctt02="sum")
    ts = made(answer(*lines, verdict="AC"), to, order=order(line(), line("2")))
    assert [str(segment) for segment in ts.segments] == [
        "BAK*00*AC*45001*20260301****SO-1*20260303",
        "CUR*BY*USD",
        "REF*VR*77",
        "PO1*1*10*EA*2.4**BP*B-100*VP*V-9",
        "ACK*IA*6*EA*067*20260401",
        "ACK*IB*4*EA",
        "PO1*2*10*EA*2.5**BP*B-100*VP*V-9",
        "ACK*IR",
        "CTT*2*20",
    ]
    assert x12.validate(ts) == []
    assert ts.functional_id == "PR"


def test_without_the_order_what_the_answer_knows_is_told():
    lines = (answered(item_ids={"buyer": "B-100"}, price=Decimal(3)), answered("2", status="", quantity=None))
    ts = made(answer(*lines, number="", currency=None))
    assert [str(segment) for segment in ts.segments] == [
        "BAK*00*AD*45001*20260303*****20260303",
        "PO1*1*10*EA*3**BP*B-100",
        "ACK*IA*10*EA",
        "PO1*2*****ZZ*2",
        "CTT*2",
    ]
    assert [finding.place for finding in ts.findings] == ["BAK04"]


def test_a_verdict_alone():
    ts = made(OrderAcknowledgment(order_number="45001", verdict="AK"), order=order(), purpose="06")
    assert [str(segment) for segment in ts.segments] == ["BAK*06*AK*45001*20260301", "CUR*BY*USD"]
    assert refused(OrderAcknowledgment(order_number="45001", verdict="AC"), order=order()).cause == "lines"


def test_what_comes_instead_is_named():
    lines = (answered(status="IS", item_ids={"vendor": "V-10"}, date=dt.date(2026, 4, 1)),)
    ts = made(answer(*lines), partner(promised_date="068"), order=order())
    assert str(one(ts, "ACK")) == "ACK*IS*10*EA*068*20260401**VP*V-10"
    assert one(ts, "PO1")[9] == "V-9"
    alone = made(answer(answered(status="IS", quantity=None, item_ids={"vendor": "V-10"})))
    assert str(one(alone, "ACK")) == "ACK*IS******VP*V-10"
    assert str(one(alone, "PO1")) == "PO1*1*****ZZ*1"


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([("IA", 6, "EA"), ("IB", 4, "EA")], "PO1*1*10*EA***"),
        ([("IR", 5, "EA")], "PO1*1*5*EA***"),
        ([("IQ", 6, "EA")], "PO1*1*****"),
        ([("IC", 6, "EA"), ("IA", 4, "EA")], "PO1*1*****"),
        ([("IA", 6, "EA"), ("IB", None, "")], "PO1*1*****"),
        ([("IA", 6, "EA"), ("IB", 1, "KG")], "PO1*1*****"),
    ],
)
def test_without_the_order_the_parts_of_a_line_are_its_quantity_where_they_tell_all_of_it(entries, told):
    said = [answered(status=status, quantity=quantity, unit=unit) for status, quantity, unit in entries]
    assert str(one(made(answer(*said)), "PO1")) == f"{told}ZZ*1"


def test_what_is_said_without_a_status_stands_in_the_line():
    lines = (answered(status="", date=dt.date(2026, 4, 1), price=Decimal(3)), answered("2", status="", unit=""))
    assert [str(one) for one in made(answer(lines[0])).segments[-3:]] == [
        "PO1*1*10*EA*3**ZZ*1",
        "DTM*067*20260401",
        "CTT*1",
    ]
    known = made(answer(*lines), order=order(line("2", unit="KG", price_unit="KG", quantity=Decimal(3), amount=None)))
    assert str(one(known, "PO1", "2")).startswith("PO1*2*10*KG*2.5*")


def test_lines_the_order_does_not_know_are_told_as_they_are():
    ts = made(answer(answered("9")), order=order())
    assert str(one(ts, "PO1")) == "PO1*9*10*EA***ZZ*9"


def test_every_fault_is_told_at_once():
    lines = (
        answered(status="LONG", unit="CS"),
        answered("2", status="", unit=""),
    )
    error = refused(answer(*lines, verdict="?", date=None, order_number=""))
    for word in ("verdict '?'", "neither the order", "'CS'", "'LONG'", "line 2: unit ''"):
        assert word in str(error), word


@st.composite
def answers(draw):
    numbers = draw(st.lists(st.sampled_from(["1", "1.010", "2"]), max_size=4))
    return OrderAcknowledgment(
        number=draw(ID | st.just("")),
        order_number=draw(ID),
        date=draw(DATE),
        verdict=draw(mostly(st.sampled_from(["AC", "AD", "AT"]), st.just(""))),
        currency=draw(st.sampled_from(["USD", None])),
        lines=[
            AcknowledgedLine(
                line=number,
                status=draw(mostly(st.sampled_from(["IA", "IQ", "IS"]), st.just(""))),
                quantity=draw(QUANTITY),
                unit=draw(UNIT),
                date=draw(DATE),
                price=draw(PRICE | st.none()),
                item_ids=draw(st.dictionaries(st.sampled_from(["buyer", "vendor"]), ID)),
            )
            for number in numbers
        ],
    )


@settings(MANY, max_examples=60)
@given(answers(), st.none() | orders(), PARTNERS)
def test_whatever_is_written_is_valid_and_reads_back(document, ordered, to):
    is_right(lambda: x12.to_855(document, to, order=ordered), to)
