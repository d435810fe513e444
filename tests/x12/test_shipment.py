from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlconnector import x12
from mlconnector.documents import Pack, Shipment, ShipmentItem
from mlconnector.errors import InvalidArgument, InvalidDocument
from tests.x12._orders import AT, one, partner, written
from tests.x12._outbound import SSCC, item, pack, shipment
from tests.x12.test_properties import DATE, ID, MANY, PARTNERS, PARTY, QUANTITY, TEXT, UNIT, is_right, mostly


def made(document, to=None, **options):
    ts = x12.to_856(document, to or partner(), **options)
    assert [finding for finding in x12.validate(written(ts, to=to)) if finding.severity == "error"] == []
    # What we write has no doubtful hierarchy either.
    assert [finding for finding in x12.validate(ts) if finding.rule == "hierarchy"] == []
    return ts


def refused(document, to=None, **options) -> InvalidDocument:
    with pytest.raises(InvalidDocument) as caught:
        x12.to_856(document, to or partner(), **options)
    return caught.value


def levels(ts) -> list[str]:
    return ["*".join(tuple(segment)[1:]) for segment in ts.all("HL")]


def test_a_notice_segment_by_segment():
    to = partner(packaging={"CTN": "CTN25"}, carriers={"UPSN": "UPSN"}, references={"VR": "77"}, ctt02="sum")
    ts = made(shipment(item(pack=SSCC), packs=[pack()]), to, at=AT)
    assert [str(segment) for segment in ts.segments] == [
        "BSN*00*SHP-1*20260301*2330*0001",
        "HL*1**S*1",
        "TD1*CTN25*1****G*12.5*LB",
        "TD5**2*UPSN",
        "REF*VR*77",
        "DTM*011*20260302",
        "N1*SF*Supplier Inc*92*4343",
        "N3*1 Main St",
        "N4*Austin*TX*78701*US",
        "N1*ST*Dock 3*92*3001",
        "N3*5 Dock Rd*Gate 2",
        "N4*Reno*NV*89501*US",
        "HL*2*1*O*1",
        "PRF*C-500",
        "HL*3*2*P*1",
        "TD1*CTN25*1****G*12.5*LB",
        f"MAN*GM*{SSCC}",
        "HL*4*3*I*0",
        "LIN*1*BP*B-100*VP*V-9",
        "SN1**10*EA",
        "PID*F****Bolt M8",
        "CTT*4*10",
    ]
    assert x12.validate(ts) == []
    assert ts.functional_id == "SH"


def test_without_packs_items_stand_under_their_order():
    ts = made(shipment(item("1"), item("2", order_number="C-501"), orders=()))
    assert levels(ts) == ["1**S*1", "2*1*O*1", "3*2*I*0", "4*1*O*1", "5*4*I*0"]
    assert one(ts, "BSN")[5] == "0004"
    assert [segment[1] for segment in ts.all("PRF")] == ["C-500", "C-501"]
    assert not list(ts.all("TD1"))


def test_the_hierarchy_is_the_partners():
    document = shipment(
        item("1", pack="P1"), item("2", pack="P1", order_number="C-501"), item("3"), packs=[pack("P1", kind="")]
    )
    ts = made(document, partner(hierarchy="0003"))
    assert levels(ts) == ["1**S*1", "2*1*P*1", "3*2*O*1", "4*3*I*0", "5*2*O*1", "6*5*I*0", "7*1*O*1", "8*7*I*0"]
    assert refused(document).cause == "pack"
    flat = made(document, partner(hierarchy="0004"))
    assert levels(flat) == ["1**S*1", "2*1*O*1", "3*2*I*0", "4*2*I*0", "5*1*O*1", "6*5*I*0"]
    assert not list(flat.all("MAN"))


def test_cartons_on_a_pallet():
    packs = [pack("PAL1", kind="PLT"), pack("C1", parent="PAL1"), pack("C2", parent="PAL1"), pack("C3", weight=None)]
    document = shipment(
        item("1", pack="C1"), item("2", pack="C2"), item("3", pack="C3"), item("4", pack="PAL1"), packs=packs
    )
    ts = made(document)
    assert levels(ts)[2:] == [
        "3*2*T*1",
        "4*3*I*0",
        "5*3*P*1",
        "6*5*I*0",
        "7*3*P*1",
        "8*7*I*0",
        "9*2*P*1",
        "10*9*I*0",
    ]
    # Three cartons; the pallet's own weight is known, that of the loose carton is not, so none is told.
    assert str(next(ts.all("TD1"))) == "TD1**3"
    assert made(document, partner(hierarchy="0003"))


def test_orders_without_goods_of_their_own_are_told():
    ts = made(shipment(item(order_number="C-500"), orders=("C-500", "C-501")))
    assert levels(ts) == ["1**S*1", "2*1*O*1", "3*2*I*0", "4*1*O*0"]
    by_pack = made(shipment(item(), orders=("C-500", "C-501")), partner(hierarchy="0003"))
    assert levels(by_pack) == levels(ts)


def test_the_customers_order_number_or_nothing():
    assert one(made(shipment(item(order_number=""))), "PRF")[1] == "C-500"
    assert refused(shipment(item(order_number=""), orders=())).cause == "order"
    assert refused(shipment(item(order_number=""), orders=("1", "2"))).cause == "order"
    assert refused(shipment(item(order_number="9" * 23), orders=())).cause == "length"


@pytest.mark.parametrize(
    "packs",
    [
        [pack("A"), pack("A")],
        [pack("B")],
        [pack("A"), pack("B")],
        [pack("A", parent="Z")],
        [pack("A", parent="B"), pack("B", parent="A")],
        [pack("A", parent="B"), pack("B", parent="C"), pack("C", parent="D"), pack("D")],
    ],
)
def test_packs_that_cannot_be_told_are_refused(packs):
    assert refused(shipment(item(pack="A"), packs=packs)).cause == "pack"


def test_marks():
    def mark(number, **options):
        return str(one(made(shipment(item(pack=number), packs=[pack(number)]), partner(**options)), "MAN"))

    assert mark(SSCC) == f"MAN*GM*{SSCC}"
    assert mark(SSCC, sscc_digits=20) == f"MAN*GM*00{SSCC}"
    assert mark(f"00{SSCC}", sscc_digits=18) == f"MAN*GM*{SSCC}"
    assert mark(f"00{SSCC}", sscc_digits=20) == f"MAN*GM*00{SSCC}"
    assert mark("1Z999AA1") == "MAN*CP*1Z999AA1"
    assert mark("A" * 18) == "MAN*CP*" + "A" * 18


def test_carriers_are_scac_codes_or_text():
    assert str(one(made(shipment(carrier="Joe's truck")), "TD5")) == "TD5*****Joe's truck"
    assert not list(made(shipment(carrier="")).all("TD5"))


def test_packaging_by_the_partners_table():
    document = shipment(item("1", pack="C1"), item("2", pack="C2"), packs=[pack("C1"), pack("C2", kind="BOX")])
    ts = made(document, partner(packaging={"CTN": "CTN25", "BOX": "BOX"}))
    assert [segment[1] for segment in ts.all("TD1")] == ["", "CTN25", "BOX"]
    assert refused(document, partner(packaging={"CTN": "CTN25"})).cause == "packaging"
    mixed = shipment(item("1", pack="C1"), item("2", pack="C2"), packs=[pack("C1"), pack("C2", weight_unit="KG")])
    assert str(next(made(mixed).all("TD1"))) == "TD1**2"


def test_dates():
    assert str(one(made(shipment()), "BSN")) == "BSN*00*SHP-1*20260302*0000*0004"
    east = partner(time_zone="America/New_York")
    assert one(made(shipment(), east, at=AT), "BSN")[4] == "1830"
    undated = made(shipment(date=None), at=AT)
    assert not list(undated.all("DTM"))
    assert refused(shipment(date=None)).cause == "date"
    with pytest.raises(InvalidArgument):
        x12.to_856(shipment(), partner(), at=AT.replace(tzinfo=None))


def test_the_purpose():
    assert one(made(shipment(), purpose="01"), "BSN")[1] == "01"


def test_what_a_partner_requires_may_concern_one_set():
    assert made(shipment(), partner(required=("850:REF*DP", "856:N1*ST", "HL")))
    assert refused(shipment(), partner(required=("856:REF*BM",))).faults == ("the partner requires REF*BM",)


def test_every_fault_is_told_at_once():
    bad = shipment(item(item_ids={}, quantity=None, unit="CS"), item("2", quantity=Decimal(-1)), number="1")
    error = refused(bad)
    for word in ("'1' needs 2 to 30", "no product id", "no quantity", "'CS'", "is -1"):
        assert word in str(error), word
    assert refused(Shipment(number="SHP-1", date=dt.date(2026, 3, 2))).cause == "items"


def test_items_by_their_order_line():
    ts = made(shipment(item("7", order_line="1.010"), item("", order_line="", description="")))
    assert [segment[1] for segment in ts.all("LIN")] == ["1.010", ""]
    assert len(list(ts.all("PID"))) == 1


def test_what_makes_a_revision_of_a_shipment():
    same = x12.shipment_content(shipment())
    assert x12.shipment_content(shipment(item(description="x"), extras={"a": 1})) == same
    for other in (shipment(item(quantity=Decimal(9))), shipment(carrier="x"), shipment(packs=[pack()])):
        assert x12.shipment_content(other) != same


@st.composite
def shipments(draw):
    names = draw(st.lists(st.sampled_from(["P1", "P2", SSCC]), max_size=2, unique=True))
    packs = [
        Pack(
            number=name,
            kind=draw(st.sampled_from(["", "CTN"])),
            parent=draw(mostly(st.just(""), st.sampled_from([*names, "X"]))),
            weight=draw(st.none() | st.decimals(0, 9999, places=1)),
            weight_unit="LB",
        )
        for name in names
    ]
    places = [*names, *([draw(st.sampled_from(names or [""])) for _ in range(draw(st.integers(0, 3)))] or [""])]
    return Shipment(
        number=draw(ID),
        date=draw(DATE),
        carrier=draw(TEXT),
        ship_from=draw(PARTY),
        ship_to=draw(PARTY),
        orders=draw(mostly(st.just(()), st.just(("C-1", "C-2")))),
        packs=packs,
        items=[
            ShipmentItem(
                number=str(index),
                order_number=draw(mostly(st.just("C-1"), st.sampled_from(["C-2", ""]))),
                item_ids=draw(st.dictionaries(st.sampled_from(["buyer", "vendor"]), ID, min_size=1)),
                description=draw(TEXT),
                quantity=draw(QUANTITY),
                unit=draw(UNIT),
                pack=place,
            )
            for index, place in enumerate(places)
        ],
    )


@settings(MANY, max_examples=60)
@given(shipments(), PARTNERS, st.sampled_from([None, "0001", "0003", "0004"]))
def test_whatever_is_written_is_valid_and_reads_back(document, to, hierarchy):
    to = attrs.evolve(to, hierarchy=hierarchy)
    is_right(lambda: x12.to_856(document, to), to)
