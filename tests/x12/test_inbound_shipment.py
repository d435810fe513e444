from __future__ import annotations

import datetime as dt
from decimal import Decimal

from mlconnector import x12
from mlconnector.documents import Pack, Party, ShipmentItem
from tests.x12._inbound import received, refused
from tests.x12._orders import partner

PICK_AND_PACK = """
BSN*00*SH-1*20260301*1530*0001
HL*1**S*1
TD1*CTN25*2****G*12*KG
TD5**2*UPSN
REF*BM*B-1
DTM*011*20260302
N1*SF*Plant*92*1
N1*ST*Dock 3*92*3001
HL*2*1*O*1
PRF*45001***20260201
HL*3*2*T*1
MAN*GM*00003456789012345675
HL*4*3*P*1
TD1*CTN25*1****G*6*LB
MAN*CP*1Z999*X
HL*5*4*I*0
LIN*1*BP*B-100
SN1**10*EA*10*20*EA
PID*F****Bolt M8
HL*6*1*O*1
PRF*45002
HL*7*6*P
HL*8*7*I*0
LIN**VP*V-9
SN1*A*3*EA
CTT*8*13
"""


def shipment(text=PICK_AND_PACK, **options):
    return x12.from_856(received("856", text), **options)


def test_a_shipment_field_by_field():
    found = shipment(partner=partner(carriers={"UPS": "UPSN"}, packaging={"CTN": "CTN25"}, sscc_digits=20))
    assert (found.number, found.date, found.carrier) == ("SH-1", dt.date(2026, 3, 2), "UPS")
    assert found.ship_from == Party(number="1", name="Plant")
    assert found.ship_to == Party(number="3001", name="Dock 3")
    assert found.orders == ("45001", "45002")
    assert found.packs == (
        Pack(number="003456789012345675"),
        Pack(number="1Z999", kind="CTN", parent="003456789012345675", weight=Decimal(6), weight_unit="LB"),
        Pack(number="HL*7"),
    )
    assert found.items == (
        ShipmentItem(
            order_number="45001",
            order_line="1",
            item_ids={"buyer": "B-100"},
            description="Bolt M8",
            quantity=Decimal(10),
            unit="EA",
            pack="1Z999",
        ),
        ShipmentItem(
            number="A", order_number="45002", item_ids={"vendor": "V-9"}, quantity=Decimal(3), unit="EA", pack="HL*7"
        ),
    )
    assert dict(found.extras) == {
        "BSN03": "20260301",
        "BSN04": "1530",
        "BSN05": "0001",
        "HL*1/TD101": "CTN25",
        "HL*1/TD102": "2",
        "HL*1/TD106": "G",
        "HL*1/TD107": "12",
        "HL*1/TD108": "KG",
        "HL*1/REF*BM": "B-1",
        "HL*2/PRF04": "20260201",
        "HL*4/MAN*CP/MAN03": "X",
        "HL*5/SN104": "10",
        "HL*5/SN105": "20",
        "HL*5/SN106": "EA",
    }


def test_without_a_profile_codes_stay_as_they_were_sent():
    found = shipment()
    assert (found.carrier, found.packs[0].number, found.packs[1].kind) == ("UPSN", "00003456789012345675", "CTN25")


def test_levels_are_read_by_their_parents_in_any_structure():
    text = """
    BSN*00*SH-1*20260301*0000*0003
    DTM*011*20260301
    HL*S1**S
    HL*P1*S1*P
    MAN*AA*003456789012345675
    HL*P2*S1*T
    MAN*GM*003456789012345682
    HL*O1*P1*O
    PRF*45001
    HL*O2*P2*O
    PRF*45002
    HL*I2*O2*I
    LIN*2*BP*B
    SN1**2*EA
    HL*I1*O1*I
    LIN*1*BP*A
    SN1**1*EA
    """
    found = shipment(text)
    assert [(one.order_number, one.order_line, one.pack) for one in found.items] == [
        ("45002", "2", "003456789012345682"),
        ("45001", "1", "003456789012345675"),
    ]
    assert found.date == dt.date(2026, 3, 1)
    assert dict(found.extras) == {
        "BSN05": "0003",
        "HL*P1/MAN*AA/MAN01": "AA",
        "HL*P2/HL03": "T",
    }


def test_packs_under_an_item_are_its_packs():
    text = """
    BSN*00*SH-1*20260301*0000*0002
    HL*1**S
    HL*2*1*O
    PRF*45001
    HL*3*2*I
    LIN*1*BP*A
    SN1**2*EA
    HL*4*3*P
    MAN*CP*BOX-1
    HL*5*2*I
    LIN*2*BP*B
    SN1**4*EA
    HL*6*5*P
    MAN*CP*BOX-2
    HL*7*5*P
    MAN*CP*BOX-3
    """
    found = shipment(text)
    assert [one.pack for one in found.items] == ["BOX-1", ""]
    assert (found.extras["HL*5/pack#1"], found.extras["HL*5/pack#2"]) == ("BOX-2", "BOX-3")
    assert found.date == dt.date(2026, 3, 1)


def test_items_without_a_parent_belong_to_the_only_order():
    text = "BSN*00*SH-1*20260301*0000\nHL*1**S\nHL*2**O\nPRF*45001\nHL*3**I\nLIN*1*BP*A\nSN1**2*EA"
    assert shipment(text).items[0].order_number == "45001"
    two = text + "\nHL*4**O\nPRF*45002"
    assert shipment(two).items[0].order_number == ""


def test_carriers_by_name_and_weights_of_other_kinds():
    text = """
    BSN*01*SH-1*20260301*0000
    HL*1**S
    TD5*O
    TD5*****Own truck
    HL*2*1*P
    TD1*CTN25*3****N*6*LB
    HL*3*1*X
    """
    found = shipment(text)
    assert found.carrier == "Own truck"
    assert found.packs == (Pack(number="HL*2", kind="CTN25"),)
    assert found.extras["BSN01"] == "01"
    assert found.extras["HL*2/TD102"] == "3"
    assert found.extras["HL*2/TD107"] == "6"
    assert "X" in found.extras.values()


def test_a_hierarchy_that_cannot_be_followed_is_refused():
    text = "BSN*00*SH-1*20260301*0000\nHL*1**S\nHL*1*1*O\nHL*3*4*I\nHL*4*3*I\nHL**1*I"
    error = refused(x12.from_856, received("856", text))
    assert error.cause == "hierarchy"
    assert error.faults == (
        "segment 4 HL01 '1' stands twice",
        "segment 5 HL02 '4' is no HL before it",
        "segment 7 HL01 is mandatory and missing",
    )
    assert refused(x12.from_856, received("856", "BSN*00*SH-1*20260301*0000")).faults == ("HL is missing",)


def test_a_chain_as_long_as_a_file_is_read():
    levels = "\n".join(f"HL*{at}*{at - 1 or ''}*P" for at in range(1, 3000))
    assert len(shipment(f"BSN*00*SH-1*20260301*0000\n{levels}").packs) == 2999
