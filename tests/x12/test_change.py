from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs
import pytest

from mlconnector import x12
from mlconnector.documents import Party, Schedule
from mlconnector.errors import InvalidArgument, InvalidDocument
from tests.x12._orders import AT, line, one, order, partner, tags, written


def changed(new, old=None, to=None, **options):
    ts = x12.to_860(old or order(), new, to or partner(), **{"sequence": 1, "at": AT, **options})
    assert [finding for finding in x12.validate(written(ts, to=to)) if finding.severity == "error"] == []
    return ts


def pocs(ts) -> list[str]:
    return [str(segment) for segment in ts.all("POC")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"quantity": Decimal(12), "amount": Decimal(30)}, "QI"),
        ({"quantity": Decimal(8), "amount": Decimal(20)}, "QD"),
        ({"unit_price": Decimal(3), "amount": Decimal(30)}, "PC"),
        ({"quantity": Decimal(5), "unit_price": Decimal(3), "amount": Decimal(15)}, "PQ"),
        ({"requested_date": dt.date(2026, 5, 1)}, "CT"),
        ({"unit_price": Decimal(3), "amount": Decimal(30), "requested_date": dt.date(2026, 5, 1)}, "PR"),
        ({"quantity": Decimal(12), "amount": Decimal(30), "requested_date": dt.date(2026, 5, 1)}, "CA"),
        ({"item_ids": {"buyer": "B-200"}}, "CA"),
        ({"unit": "BX", "price_unit": "BX"}, "CA"),
        ({"ship_to": Party(name="Site")}, "CA"),
        ({"kind": "amount"}, "CA"),
    ],
)
def test_what_changed_in_a_line_is_told_by_its_code(change, code):
    (segment,) = changed(order(line(**change))).all("POC")
    assert segment[2] == code


def test_the_header_of_a_change():
    ts = changed(
        order(line(quantity=Decimal(12), amount=Decimal(30))),
        sequence=3,
        order_number="A-1",
        to=partner(time_zone="Asia/Tokyo"),
    )
    assert str(ts.segments[0]) == "BCH*04*SA*A-1**3*20260301*****20260302"
    assert pocs(ts) == ["POC*1*QI*12*12*EA*2.5**BP*B-100*VP*V-9"]
    assert one(ts, "CTT")[1] == "1"


@pytest.mark.parametrize(
    ("rule", "figures"), [("total_left", ("12", "9")), ("old_new", ("10", "12")), ("new_new", ("12", "12"))]
)
def test_quantities_by_the_partners_convention(rule, figures):
    new = order(line(quantity=Decimal(12), amount=Decimal(30), received_quantity=Decimal(3)))
    assert one(changed(new, to=partner(poc_quantities=rule)), "POC")[3:5] == figures


def test_a_new_line_is_added_whole_and_a_missing_one_deleted():
    ts = changed(order(line(), line("2"), line("2.1", kind="text", description="note")))
    assert pocs(ts) == ["POC*2*AI*10*10*EA*2.5**BP*B-100*VP*V-9"]
    assert tags(ts)[-4:] == ["PID", "DTM", "MSG", "CTT"]
    assert pocs(changed(order(line()), old=order(line(), line("2")))) == ["POC*2*DI*0*0*EA*2.5**BP*B-100*VP*V-9"]


def test_a_cancelled_line_is_deleted_or_cut_down_to_what_was_received():
    old = order(line(), line("2"), line("3", received_quantity=Decimal(10)))
    lines = (
        line(status="cancelled"),
        line("2", status="cancelled", received_quantity=Decimal(4)),
        line("3", status="cancelled", received_quantity=Decimal(10)),
    )
    assert pocs(changed(order(*lines), old=old)) == [
        "POC*2*QD*4*0*EA*2.5**BP*B-100*VP*V-9",
        "POC*1*DI*0*0*EA*2.5**BP*B-100*VP*V-9",
    ]


def test_a_line_gone_with_something_received_is_cut_down_not_deleted():
    old = order(line(), line("2", received_quantity=Decimal(4)), line("3", received_quantity=Decimal(10)))
    assert pocs(changed(order(line()), old=old)) == ["POC*2*QD*4*0*EA*2.5**BP*B-100*VP*V-9"]


def test_a_service_with_something_received_is_never_deleted():
    service = line("2", kind="amount", amount=Decimal(100))
    gone = attrs.evolve(service, status="cancelled", received_quantity=Decimal("0.5"))
    assert x12.order_content(order(line(), service)) == x12.order_content(order(line(), gone))


def test_a_line_that_comes_back_is_added():
    assert one(changed(order(), old=order(line(status="cancelled"), line("2"))).without(), "POC", "1")[2] == "AI"


def test_a_whole_cancellation_has_no_lines():
    for new in (order(status="cancelled"), order(line(status="cancelled"))):
        ts = changed(new)
        assert ts.segments[0][1] == "01"
        assert not {"POC", "CTT"} & set(tags(ts))
    part = changed(order(status="cancelled"), old=order(line(received_quantity=Decimal(4))))
    assert part.segments[0][1] == "04"
    assert one(part, "POC")[1:4] == ("1", "QD", "4")


def test_a_whole_cancellation_with_something_received_cuts_down():
    new = order(line(received_quantity=Decimal(4)), line("2"), status="cancelled")
    ts = changed(new, old=order(line(), line("2")))
    assert ts.segments[0][1] == "04"
    assert [segment[1:4] for segment in ts.all("POC")] == [("1", "QD", "4"), ("2", "DI", "0")]


def test_a_changed_header_goes_without_lines():
    ts = changed(order(ship_to=Party(number="3002", name="Dock 4")))
    assert not list(ts.all("POC"))
    assert one(ts, "CTT")[1] == "0"
    assert one(ts, "N1", "ST")[2] == "Dock 4"


@pytest.mark.parametrize(
    "new",
    [
        order(),
        order(line(status="closed")),
        order(line(received_quantity=Decimal(3), open_quantity=Decimal(7))),
        order(line(description="other words")),
        order(line(), line("2", kind="text", description="more")),
        order(buyer="somebody else", hold="X", total=Decimal(9), waiting_for=("approval",)),
    ],
)
def test_nothing_told_is_no_change(new):
    with pytest.raises(InvalidDocument) as caught:
        changed(new)
    assert caught.value.cause == "unchanged"


def test_schedules_make_a_change():
    parts = tuple(Schedule(date=dt.date(2026, month, 1), quantity=Decimal(5)) for month in (4, 5))
    ts = changed(order(line(schedules=parts)))
    assert one(ts, "POC")[2] == "CT"
    assert len(list(ts.all("SCH"))) == 2


def test_arguments_are_checked():
    with pytest.raises(InvalidArgument):
        x12.to_860(order(), order(), partner(), sequence=0, at=AT)
    with pytest.raises(InvalidArgument):
        x12.to_860(order(), order(), partner(), sequence=1, at=AT.replace(tzinfo=None))
    with pytest.raises(InvalidArgument):
        x12.to_860(order(), order(number="2"), partner(), sequence=1, at=AT)


def test_every_fault_is_told_at_once():
    with pytest.raises(InvalidDocument) as caught:
        x12.to_860(order(), order(line(unit="CS"), line("2"), line("2")), partner(), sequence=1, at=AT)
    assert len(caught.value.faults) == 2
