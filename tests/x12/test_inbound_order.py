from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from mlconnector import x12
from mlconnector.documents import Address, OrderLine, Party, Schedule
from mlconnector.errors import InvalidArgument
from tests.x12._inbound import received, refused
from tests.x12._orders import partner

ORDER = """
BEG*00*SA*45001**20260301
CUR*BY*USD
PER*BD*Jane Doe*TE*555
FOB*CC
ITD*08*3*2**10**30
DTM*002*20260401
N9*L1*NOTES
MSG*Ring the bell
N1*BY*ACME Inc*92*00001
N1*VN*Supplier*92*4343
N2*of Austin
N3*1 Main St*Gate 2
N4*Austin*TX*78701*US
REF*TJ*12-3456789
N1*ST*Dock 3*UL*0614141000012
PO1*1*10*EA*2.5*PE*BP*B-100*VP*V-9
PID*F****Bolt M8
PO1*2*3*EA*7**UP*012345678905*UP*1
DTM*002*20260501
MSG*Without scratches
CTT*2*13
AMT*TT*46
"""
PROFILE = partner(
    terms={"D": x12.Terms(type="08", percent="2", days=10, net_days=30)},
    freight={"COLLECT": "CC"},
    parties={"3001": x12.Id("UL", "0614141000012")},
    buyer_name="ACME Inc",
)


def order(text=ORDER, to=PROFILE):
    return x12.from_850(received("850", text), partner=to)


def test_an_order_field_by_field():
    found = order()
    assert (found.number, found.date, found.company, found.currency) == ("45001", dt.date(2026, 3, 1), "00001", "USD")
    assert found.supplier == Party(
        number="4343",
        name="Supplier of Austin",
        tax_id="12-3456789",
        address=Address(lines=("1 Main St", "Gate 2"), city="Austin", state="TX", postal_code="78701", country="US"),
    )
    assert found.ship_to == Party(number="3001", name="Dock 3")
    assert (found.buyer, found.terms, found.freight, found.notes) == ("Jane Doe", "D", "COLLECT", ("Ring the bell",))
    assert (found.total, found.status, found.drop_ship) == (Decimal(46), "open", False)
    assert dict(found.extras) == {"PER*BD/PER03": "TE", "PER*BD/PER04": "555"}
    first, second, text = found.lines
    assert first == OrderLine(
        number="1",
        description="Bolt M8",
        item_ids={"buyer": "B-100", "vendor": "V-9"},
        quantity=Decimal(10),
        unit="EA",
        unit_price=Decimal("2.5"),
        price_unit="EA",
        amount=Decimal(25),
        requested_date=dt.date(2026, 4, 1),
    )
    assert dict(second.item_ids) == {"gtin": "012345678905", "UP": "1"}
    assert second.requested_date == dt.date(2026, 5, 1)
    assert text == OrderLine(number="2/MSG1", kind="text", description="Without scratches")


def test_without_a_profile_everything_is_as_it_was_sent():
    found = order(to=None)
    assert found.ship_to == Party(number="0614141000012", name="Dock 3")
    assert (found.terms, found.freight) == ("", "")
    assert dict(found.extras) == {
        "FOB01": "CC",
        "ITD*08": "3",
        "ITD*08/ITD03": "2",
        "ITD*08/ITD05": "10",
        "ITD*08/ITD07": "30",
        "N1*BY": "ACME Inc",
        "N1*ST/N103": "UL",
        "PER*BD/PER03": "TE",
        "PER*BD/PER04": "555",
    }


def test_units_are_undone_by_the_profile():
    text = ORDER.replace("*10*EA*", "*10*CS*").replace("*3*EA*", "*3*CA*")
    assert [one.unit for one in order(text, to=None).lines[:2]] == ["CS", "CA"]
    error = refused(x12.from_850, received("850", text), partner=partner())
    assert error.cause == "unit"
    assert "PO103 'CS'" in error.faults[0]
    mapped = partner(units={"CS": "CA", "KASSETTE": "CS"})
    assert [one.unit for one in order(text, mapped).lines[:2]] == ["KASSETTE", "CS"]
    assert order(ORDER.replace("*10*EA*", "*10*XX*"), partner()).lines[0].unit == "XX"
    assert order(ORDER.replace("*10*EA*", "*10*ea*"), partner()).lines[0].unit == "EA"


def test_what_a_price_is_for():
    def line(basis):
        return order(ORDER.replace("*2.5*PE*", f"*2.5*{basis}*")).lines[0]

    assert (line("TP").price_per, line("TP").amount) == (Decimal(1000), Decimal("0.025"))
    assert (line("PP").price_unit, line("PP").amount) == ("LB", None)
    assert (line("CT").price_per, dict(line("CT").extras)) == (Decimal(1), {"PO105": "CT"})
    assert (line("HF").price_per, line("HF").amount, dict(line("HF").extras)) == (None, None, {"PO105": "HF"})


def test_a_service_is_one_whose_price_is_its_amount():
    (found, *_) = order(ORDER.replace("*10*EA*2.5*", "*1*LO*99.5*")).lines
    assert (found.kind, found.quantity, found.unit_price, found.amount) == (
        "amount",
        1,
        Decimal("99.5"),
        Decimal("99.5"),
    )
    (found, *_) = order(ORDER.replace("*10*EA*2.5*PE*", "*1*LO*5*TP*")).lines
    assert (found.unit_price, found.price_per, found.amount) == (Decimal("0.005"), 1, Decimal("0.005"))
    (found, *_) = order(ORDER.replace("*10*EA*2.5*PE*", "*1*LO***")).lines
    assert (found.kind, found.amount) == ("item", None)


def test_cancellations_drop_shipments_and_releases():
    assert order(ORDER.replace("BEG*00", "BEG*01")).status == "cancelled"
    assert order(ORDER.replace("*SA*", "*DS*")).drop_ship
    released = order(ORDER.replace("*SA*45001**", "*RL*45001*OB-1*"))
    assert (released.original_order, "BEG02" in released.extras) == ("OB-1", False)
    assert order(ORDER.replace("*SA*", "*RL*")).extras["BEG02"] == "RL"
    assert order(ORDER.replace("BEG*00", "BEG*05")).extras["BEG01"] == "05"
    by_reference = order(ORDER + "REF*BO*OB-2", partner(release_reference="BO"))
    assert by_reference.original_order == "OB-2"


def test_charges_allowances_and_what_is_only_told():
    text = ORDER.replace(
        "PO1*2*",
        """SAC*C*D240***1250
        SAC*A*I170***500*******02***Rebate
        SAC*C*F050***100**********Pallets
        SAC*C*C310***300*******15
        SAC*P*B000***77
        SAC*A*D500**
        PO1*2*""",
    )
    lines = [one for one in order(text, partner(charges={"Freight": "D240"})).lines if "SAC" in one.number]
    assert [(one.number, one.kind, one.description, one.amount) for one in lines] == [
        ("1/SAC1", "charge", "Freight", Decimal("12.5")),
        ("1/SAC2", "charge", "Rebate", Decimal(-5)),
        ("1/SAC3", "charge", "Pallets", Decimal(1)),
        ("1/SAC4", "text", "", None),
        ("1/SAC5", "text", "", None),
        ("1/SAC6", "charge", "", None),
    ]
    assert [dict(one.extras) for one in lines] == [
        {},
        {"SAC02": "I170", "SAC12": "02"},
        {},
        {"SAC01": "C", "SAC02": "C310", "SAC05": "300", "SAC12": "15"},
        {"SAC01": "P", "SAC02": "B000", "SAC05": "77"},
        {"SAC02": "D500"},
    ]
    assert refused(x12.from_850, received("850", ORDER + "SAC**D240***1")).cause == "mandatory"


def test_schedules_have_dates_of_their_own():
    text = ORDER.replace("PO1*2*", "SCH*4*EA***002*20260402\nSCH*6*CA***010*20260403\nPO1*2*")
    found = order(text).lines[0]
    assert found.schedules == (
        Schedule(date=dt.date(2026, 4, 2), quantity=Decimal(4)),
        Schedule(date=dt.date(2026, 4, 3), quantity=Decimal(6)),
    )
    assert found.requested_date is None
    assert dict(found.extras) == {"SCH#2/SCH02": "CA", "SCH#2/SCH05": "010"}
    assert order(text).extras["DTM*002"] == "20260401"


def test_accounts_are_where_the_partner_puts_them():
    text = ORDER.replace("PID*F", "REF*11*6110\nREF*19*M30\nPID*F")
    found = order(text, partner(account_reference="11", cost_center_reference="19")).lines[0]
    assert (found.account, found.cost_center, dict(found.extras)) == ("6110", "M30", {})
    assert dict(order(text).lines[0].extras) == {"REF*11": "6110", "REF*19": "M30"}


def test_terms_are_known_by_every_part_of_them():
    table = {"A": x12.Terms(net_days=30), "B": x12.Terms(net_days=30, text="thirty")}
    for itd, expected, left in (
        ("ITD*01*3*****30", "A", {}),
        ("ITD*01*3*****30*****thirty", "B", {}),
        ("ITD*01*3*****30*****dreissig", "A", {"ITD*01/ITD12": "dreissig"}),
        ("ITD*01*3*****31", "", {"ITD*01": "3", "ITD*01/ITD07": "31"}),
        ("ITD*01*3*****never", "", {"ITD*01": "3", "ITD*01/ITD07": "never"}),
    ):
        found = order(ORDER.replace("ITD*08*3*2**10**30", itd), partner(terms=table))
        assert found.terms == expected
        assert {name: value for name, value in found.extras.items() if name.startswith("ITD")} == left


def test_parties_by_tax_id_and_without_any():
    found = order(ORDER.replace("N1*ST*Dock 3*UL*0614141000012", "N1*ST*Dock 3*FI*99-1"))
    assert found.ship_to == Party(name="Dock 3", tax_id="99-1")
    bare = order("BEG*00*SA*1**20260301\nN1*BT*Bill\nN4*\nPO1**1*EA*1")
    assert (bare.supplier, bare.company, bare.bill_to) == (None, "", Party(name="Bill"))
    assert bare.lines[0].number == "1"


def test_notes_under_other_references_keep_them():
    found = order(ORDER.replace("N9*L1*NOTES", "N9*ZZ*77*House rules") + "N9*L1**Late text")
    assert found.notes == ("Ring the bell", "Late text")
    assert (found.extras["N9*ZZ"], found.extras["N9*ZZ/N903"]) == ("77", "House rules")


def test_totals_that_say_what_the_lines_say_are_left_out():
    assert "CTT01" not in order(ORDER).extras
    assert dict(order(ORDER.replace("CTT*2*13", "CTT*3*14")).extras)["CTT/CTT01"] == "3"
    odd = ORDER.replace("*10*EA*", "*1.5*EA*").replace("CTT*2*13", "CTT*2*18")
    assert "CTT/CTT02" not in order(odd).extras


def test_ids_and_descriptions_that_are_half_there_are_kept():
    found = order("BEG*00*SA*1**20260301\nPO1*1*1*EA*1**BP**VP*V-9*UP\nPID*F**ZZ*77\nPID*X****Red").lines[0]
    assert (dict(found.item_ids), found.description) == ({"vendor": "V-9"}, "Red")
    assert dict(found.extras) == {
        "PO106": "BP",
        "PO110": "UP",
        "PID*F/PID03": "ZZ",
        "PID*F/PID04": "77",
        "PID*X/PID01": "X",
    }


def test_every_fault_is_told_at_once():
    text = """
    BEG*00**45001**20269999
    DTM*002*tomorrow
    PO1*1*ten*EA*1.2.3
    """
    error = refused(x12.from_850, received("850", text))
    assert error.faults == (
        "segment 2 BEG02 is mandatory and missing",
        "segment 3 DTM02 'tomorrow' is no date",
        "segment 4 PO102 'ten' is no number",
        "segment 4 PO104 '1.2.3' is no number",
        "segment 2 BEG05 '20269999' is no date",
    )
    assert (error.cause, error.fault) == ("mandatory", "vendor")
    assert "850 0001" in str(error)
    assert refused(x12.from_850, received("850", "PO1*1*1*EA*1")).faults == ("BEG is missing",)


def test_the_sender_is_named():
    text = x12.interchange([received("850", "BEG*00*SA*1*")], partner(), control=x12.ControlNumbers(), at=AT)
    (ts,) = x12.read(text)
    assert "850 0001 of ACME cannot" in refused(x12.from_850, ts).message


AT = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def test_other_sets_and_other_things_are_refused():
    assert refused(x12.from_850, received("860", "BCH*04*SA*1***20260301")).cause == "set"
    with pytest.raises(InvalidArgument):
        x12.from_850("ISA*")


CHANGE = """
BCH*04*SA*45001**3*20260301*****20260315
POC*1*QI*12*8*EA*2.5**BP*B-100
DTM*002*20260401
POC*2*DI*0*0*EA
CTT*2*12
"""


def change(text=CHANGE, **options):
    return x12.from_860(received("860", text), partner=partner(**options))


def test_a_change_line_by_line():
    found = change()
    assert (found.number, found.revision, found.date) == ("45001", "3", dt.date(2026, 3, 1))
    assert dict(found.extras) == {"BCH11": "20260315"}
    first, second = found.lines
    assert (first.quantity, first.open_quantity, first.received_quantity) == (12, 8, 4)
    assert (first.unit, first.unit_price, dict(first.extras)) == ("EA", Decimal("2.5"), {"POC02": "QI"})
    assert (second.status, second.quantity, second.open_quantity, second.received_quantity) == ("cancelled", 0, 0, None)
    assert (first.status, found.status) == ("open", "open")
    assert change(CHANGE.replace("BCH*04", "BCH*01")).status == "cancelled"


def test_what_the_quantities_of_a_change_mean_is_for_the_profile_to_say():
    first = change(poc_quantities="old_new").lines[0]
    assert (first.quantity, first.open_quantity, dict(first.extras)) == (8, None, {"POC02": "QI", "POC03": "12"})
    first = change(CHANGE.replace("*12*8*", "*12*12*"), poc_quantities="new_new").lines[0]
    assert (first.quantity, first.open_quantity, dict(first.extras)) == (12, None, {"POC02": "QI"})
    assert dict(change(poc_quantities="new_new").lines[0].extras) == {"POC02": "QI", "POC04": "8"}
    error = refused(x12.from_860, received("860", CHANGE.replace("*12*8*", "*12*13*")))
    assert error.cause == "quantity"
    assert "POC03 12" in error.faults[0]


def test_a_change_that_says_one_quantity_or_none():
    first = change(CHANGE.replace("*12*8*EA", "*12**EA")).lines[0]
    assert (first.quantity, first.open_quantity) == (12, None)
    first = change(CHANGE.replace("*12*8*EA", "**8*EA")).lines[0]
    assert (first.quantity, first.open_quantity, first.received_quantity) == (None, 8, None)


def test_the_unit_of_a_change_may_be_a_composite():
    first = change(CHANGE.replace("*8*EA*", "*8*EA>2*")).lines[0]
    assert (first.unit, first.extras["POC05"]) == ("EA", "EA>2")
