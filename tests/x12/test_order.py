from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from mlconnector import x12
from mlconnector.documents import Address, Party, Schedule
from mlconnector.errors import InvalidArgument, InvalidDocument
from mlconnector.x12 import Segment
from tests.x12._orders import AT, DOCK, line, one, order, partner, tags, written


def refused(document, to=None, **options) -> InvalidDocument:
    with pytest.raises(InvalidDocument) as caught:
        x12.to_850(document, to or partner(), **options)
    return caught.value


def test_a_plain_order_segment_by_segment():
    ts = x12.to_850(order(buyer="J. Doe"), partner(currency="USD", references={"DP": "0042"}))
    assert [str(segment) for segment in ts.segments] == [
        "BEG*00*SA*45001**20260301",
        "REF*DP*0042",
        "PER*BD*J. Doe",
        "DTM*002*20260401",
        "N1*BY**92*00001",
        "N1*SE*Supplier Inc*92*4343",
        "N3*1 Main St",
        "N4*Austin*TX*78701*US",
        "N1*ST*Dock 3*92*3001",
        "N3*5 Dock Rd*Gate 2",
        "N4*Reno*NV*89501*US",
        "PO1*1*10*EA*2.5**BP*B-100*VP*V-9",
        "PID*F****Bolt M8",
        "DTM*002*20260401",
        "CTT*1",
    ]
    assert ts.findings == ()
    assert x12.validate(written(ts)) == []


def test_a_foreign_currency_is_told_and_an_unknown_one_parks():
    assert one(x12.to_850(order(currency="EUR"), partner(currency="USD")), "CUR") == Segment("CUR", "BY", "EUR")
    assert one(x12.to_850(order(), partner()), "CUR")[2] == "USD"
    error = refused(order(currency=None), partner(currency="USD"))
    assert error.cause == "currency"


def test_every_fault_is_told_at_once():
    error = refused(
        order(
            line(unit="CS"),
            line("2", unit_price=Decimal("3.00")),
            line("2", item_ids={"gtin": "123"}),
            line("4", item_ids={"buyer": "x" * 49}),
            number="9" * 23,
            currency=None,
            date=None,
            type="OB",
        )
    )
    assert len(error.faults) == 9
    for word in (
        "blanket",
        "22 characters",
        "no date",
        "currency",
        "'CS'",
        "stands 2 times",
        "is 30, the line says 25",
        "GTIN",
        "48",
    ):
        assert word in str(error), word


def test_a_cassette_is_never_sent_for_a_case():
    assert refused(order(line(unit="CS"))).cause == "unit"
    assert one(x12.to_850(order(line(unit="CS", price_unit="CS")), partner(units={"CS": "CA"})), "PO1")[3] == "CA"


@pytest.mark.parametrize("amount", ["24.99", "25.01"])
def test_a_cent_of_rounding_is_no_fault(amount):
    assert x12.to_850(order(line(amount=Decimal(amount))), partner())


def test_a_price_that_does_not_multiply_out_parks():
    assert refused(order(line(amount=Decimal("25.02")))).cause == "price"


@pytest.mark.parametrize(
    ("options", "to", "expected"),
    [
        ({"unit_price": "12.5", "price_unit": "TH"}, {}, ("0.0125", "")),
        ({"unit_price": "12.5", "price_unit": "TH"}, {"price_basis": "state"}, ("12.5", "TP")),
        ({"unit_price": "12.5", "price_per": "1000"}, {"price_basis": "state"}, ("12.5", "TP")),
        ({"unit_price": "12.5", "price_per": "1000"}, {}, ("0.0125", "")),
        ({"unit_price": "1.25", "price_per": "100"}, {}, ("0.0125", "")),
        ({"unit_price": "0.0125", "price_per": None}, {}, ("0.0125", "")),
    ],
)
def test_a_price_per_many_is_converted_exactly_or_stated(options, to, expected):
    options = {
        name: value if name == "price_unit" or value is None else Decimal(value) for name, value in options.items()
    }
    ts = x12.to_850(order(line(quantity=Decimal(2000), amount=Decimal(25), **options)), partner(**to))
    assert one(ts, "PO1")[4:6] == expected if expected[1] else one(ts, "PO1")[4] == expected[0]


@pytest.mark.parametrize("per", ["3", "0", "-1"])
def test_a_price_that_cannot_be_converted_exactly_parks(per):
    assert refused(order(line(unit_price=Decimal(10), price_per=Decimal(per), amount=None))).cause == "price"


def test_a_price_too_long_per_piece_is_stated_per_thousand():
    long = line(unit_price=Decimal("0.0000000000001234"), price_per=Decimal(1000), amount=None)
    assert one(x12.to_850(order(long), partner()), "PO1")[5] == "TP"


def test_a_price_per_another_unit_trusts_the_amount_when_it_is_exact():
    boxed = line(quantity=Decimal(10), unit="BX", unit_price=Decimal("2.50"), price_unit="EA", amount=Decimal(300))
    assert one(x12.to_850(order(boxed), partner()), "PO1")[4] == "30"
    odd = line(quantity=Decimal(7), unit="BX", unit_price=Decimal("2.50"), price_unit="EA", amount=Decimal(300))
    assert refused(order(odd)).cause == "price"
    assert refused(order(line(unit="BX", price_unit="EA", amount=None))).cause == "price"


def test_a_line_without_price_goes_without_and_without_quantity_parks():
    assert str(one(x12.to_850(order(line(unit_price=None, item_ids={})), partner()), "PO1")) == "PO1*1*10*EA***ZZ*1"
    assert refused(order(line(quantity=None))).cause == "quantity"
    assert x12.to_850(order(line(unit_price=Decimal(0), amount=Decimal(0))), partner())


def test_decimals_in_quantities_and_line_numbers_stay_as_they_are():
    ts = x12.to_850(order(line("1.010", quantity=Decimal("2.50"), amount=Decimal("6.25"))), partner())
    assert one(ts, "PO1")[1:5] == ("1.010", "2.5", "EA", "2.5")


def test_a_service_is_one_lot_at_its_amount():
    ts = x12.to_850(order(line(kind="amount", amount=Decimal("980.55"), unit="", item_ids={})), partner())
    assert str(one(ts, "PO1")) == "PO1*1*1*LO*980.55**ZZ*1"
    silent = line(quantity=Decimal(0), unit_price=None, amount=Decimal(10), item_ids={})
    assert str(one(x12.to_850(order(silent), partner()), "PO1")) == "PO1*1*1*LO*10**ZZ*1"
    assert refused(order(line(kind="amount", amount=None))).cause == "price"


def test_a_line_without_product_id_names_its_own_number_as_one():
    bare = line("1.010", item_ids={"jdedwards": "4711"})
    assert one(x12.to_850(order(bare), partner()), "PO1")[6:] == ("ZZ", "1.010")
    assert one(x12.to_850(order(bare), partner(line_as_id="PL")), "PO1")[6:] == ("PL", "1.010")
    assert len(one(x12.to_850(order(bare), partner(line_as_id=None)), "PO1")) == 5
    told = x12.to_860(order(line()), order(line(), bare), partner(), sequence=1, at=AT)
    assert one(told, "POC")[8:] == ("ZZ", "1.010")
    (read,) = x12.from_850(x12.to_850(order(bare), partner())).lines
    assert read.item_ids == {}
    assert "PO106" not in read.extras
    (kept,) = x12.from_850(x12.to_850(order(bare), partner()), partner=partner(line_as_id=None)).lines
    assert kept.item_ids == {"ZZ": "1.010"}


def test_charges_are_sac_and_text_lines_are_msg():
    lines = (
        line("0.5", kind="text", description="Read me first"),
        line(),
        line("1.1", kind="text", description="Handle with care"),
        line("1.2", kind="text", description=""),
        line("2", kind="charge", description="FREIGHT", amount=Decimal("12.50")),
        line("3", kind="charge", description="", amount=Decimal("-3.00"), item_ids={}),
    )
    ts = x12.to_850(order(*lines, notes=("Call ahead",)), partner(charges={"FREIGHT": "D240"}))
    assert [str(segment) for segment in ts.all("SAC")] == [
        "SAC*C*D240***1250**********FREIGHT",
        "SAC*A*F050***300**********other",
    ]
    assert [segment[1] for segment in ts.all("MSG")] == ["Call ahead", "Read me first", "Handle with care"]
    assert one(ts, "CTT")[1] == "1"
    assert tags(ts).index("N9") < tags(ts).index("N1")
    assert refused(order(line(), line("2", kind="charge", amount=None))).cause == "price"
    assert refused(order(line(), line("2", kind="charge", amount=Decimal("1.005")))).cause == "decimals"


def test_long_messages_are_spread_and_nothing_of_them_is_lost():
    words = " ".join(f"word{index}" for index in range(200))
    solid = "x" * 600
    ts = x12.to_850(order(notes=(words, solid)), partner())
    pieces = [segment[1] for segment in ts.all("MSG")]
    assert max(map(len, pieces)) <= 264
    assert " ".join(pieces[:-3]) == words
    assert "".join(pieces[-3:]) == solid


def test_long_descriptions_are_cut_and_told_or_refused():
    ts = x12.to_850(order(line(description="x" * 79 + " yz")), partner())
    assert one(ts, "PID")[5] == "x" * 79
    assert [(finding.rule, finding.severity) for finding in ts.findings] == [("cut", "note")]
    assert refused(order(line(description="x" * 81)), partner(long_text="refuse")).cause == "length"


def test_delimiters_in_text_are_replaced_and_told_or_refused_and_in_identifiers_refused():
    ts = x12.to_850(order(line(description="a*b~c>d\te")), partner())
    assert one(ts, "PID")[5] == "a b c d e"
    assert [finding.rule for finding in ts.findings] == ["delimiter"]
    assert refused(order(line(description="a*b")), partner(delimiter_in_data="refuse")).cause == "delimiter"
    assert refused(order(line(item_ids={"buyer": "A*1"}))).cause == "delimiter"
    assert x12.to_850(order(line(item_ids={"buyer": "A^1"})), partner())
    assert refused(order(line(item_ids={"buyer": "A^1"})), partner(version="005010")).cause == "delimiter"


def test_national_letters_are_folded_and_told_or_refused():
    ts = x12.to_850(order(line(description="Größe “M” \u2013 Łódź 日")), partner())
    assert one(ts, "PID")[5] == 'Grosse "M" - Lodz ?'
    assert [finding.rule for finding in ts.findings] == ["folded"]
    assert refused(order(line(description="Größe")), partner(non_ascii="refuse")).cause == "text"
    assert refused(order(number="Ä1")).cause == "text"
    assert refused(order(number=" 1")).cause == "text"
    assert one(x12.to_850(order(number="Ä1"), partner(non_ascii="keep")), "BEG")[3] == "Ä1"


def test_capitals_only_where_the_guide_asks():
    ts = x12.to_850(order(), partner(upper_case=True))
    assert all(text == text.upper() for segment in ts.segments for text in segment)
    assert one(ts, "PID")[5] == "BOLT M8"


def test_drop_shipments_and_releases():
    assert one(x12.to_850(order(drop_ship=True), partner()), "BEG")[2] == "DS"
    release = order(original_order="OB-77")
    assert one(x12.to_850(release, partner()), "BEG")[2:5] == ("RL", "45001", "OB-77")
    by_reference = x12.to_850(release, partner(release_reference="CT"))
    assert one(by_reference, "BEG")[4] == ""
    assert one(by_reference, "REF", "CT")[2] == "OB-77"
    assert one(x12.to_850(order(original_order="OB-77", drop_ship=True), partner()), "BEG")[4] == "OB-77"
    assert refused(order(type="OB")).cause == "type"


def test_the_partner_sees_the_order_number_of_the_route():
    assert one(x12.to_850(order(), partner(), order_number="ACME-45001"), "BEG")[3] == "ACME-45001"
    assert refused(order(), order_number="").cause == "missing"


def test_schedules_stand_each_and_must_add_up():
    dates = (dt.date(2026, 4, 1), dt.date(2026, 5, 1))
    parts = tuple(Schedule(date=date, quantity=Decimal(5)) for date in dates)
    ts = x12.to_850(order(line(schedules=parts)), partner())
    assert [str(segment) for segment in ts.all("SCH")] == ["SCH*5*EA***002*20260401", "SCH*5*EA***002*20260501"]
    assert not list(ts.all("DTM"))
    single = x12.to_850(order(line(schedules=(Schedule(date=dates[1], quantity=Decimal(10)), Schedule()))), partner())
    assert one(single, "DTM")[2] == "20260501"
    assert refused(order(line(schedules=(*parts, Schedule(date=dates[0], quantity=Decimal(1)))))).cause == "schedule"
    assert (
        refused(order(line(quantity=Decimal(5), amount=None, schedules=(parts[0], Schedule(date=dates[0]))))).cause
        == "schedule"
    )
    assert "the line says nothing" in str(refused(order(line(quantity=None, schedules=parts))))


def test_dates_that_differ_stand_on_the_lines_only():
    ts = x12.to_850(
        order(line(), line("2", requested_date=dt.date(2026, 6, 1)), line("3", requested_date=None)), partner()
    )
    assert [segment[2] for segment in ts.all("DTM")] == ["20260401", "20260601"]


def test_terms_and_freight_by_the_partners_table_or_parked():
    to = partner(
        terms={"N30": x12.Terms(type="08", percent="2", days=10, net_days=30, text="2/10 net 30")}, freight={"C": "CC"}
    )
    ts = x12.to_850(order(terms="N30", freight="C"), to)
    assert str(one(ts, "ITD")) == "ITD*08*3*2**10**30*****2/10 net 30"
    assert one(ts, "FOB")[1] == "CC"
    assert refused(order(terms="N45", freight="C"), to).cause == "terms"
    assert refused(order(terms="N30", freight="X"), to).cause == "freight"
    assert not list(x12.to_850(order(terms="N45", freight="X"), partner()).all("ITD"))


def test_accounts_only_where_the_partner_takes_them():
    with_account = order(line(account="1.6110", cost_center="         30"))
    assert not list(x12.to_850(with_account, partner()).all("REF"))
    to = partner(account_reference="11", cost_center_reference="19", account_required=True)
    ts = x12.to_850(with_account, to)
    assert [str(segment) for segment in ts.all("REF")] == ["REF*11*1.6110", "REF*19*30"]
    assert refused(order(), to).cause == "account"
    assert x12.to_850(order(), partner(account_reference="11"))


def test_parties_by_number_or_by_the_partners_ids():
    to = partner(parties={"3001": x12.Id("UL", "0614141000012")}, buyer_name="Acme Corp")
    ts = x12.to_850(order(), to)
    assert str(one(ts, "N1", "ST")) == "N1*ST*Dock 3*UL*0614141000012"
    assert str(one(ts, "N1", "BY")) == "N1*BY*Acme Corp*92*00001"
    elsewhere = x12.to_850(
        order(line(ship_to=Party(name="Site")), bill_to=Party(number="77"), ship_to=None, company=""), partner()
    )
    assert [str(segment) for segment in elsewhere.all("N1")] == [
        "N1*SE*Supplier Inc*92*4343",
        "N1*BT**92*77",
        "N1*ST*Site",
    ]
    assert refused(order(supplier=Party(number="7"))).cause == "length"


def test_an_address_that_does_not_fit_n4_goes_into_n3():
    far = Party(
        number="88",
        name="Far",
        address=Address(lines=("1", "2", "3"), city="Y", state="NSW", postal_code="12", country="Australia"),
    )
    ts = x12.to_850(order(ship_to=far), partner())
    assert [str(segment) for segment in ts.segments[-6:-4]] == ["N3*1*2", "N3*3*Y"]
    assert [finding.rule for finding in ts.findings] == ["left out"] * 3
    assert "N4" not in tags(ts)[-6:]


@pytest.mark.parametrize(("rule", "expected"), [(None, "CTT*2"), ("sum", "CTT*2*12.5"), ("hash", "CTT*2*35")])
def test_ctt02_by_the_partners_rule(rule, expected):
    lines = (line(), line("2", quantity=Decimal("2.5"), amount=Decimal("6.25")))
    ts = x12.to_850(order(*lines), partner(ctt02=rule))
    assert str(one(ts, "CTT")) == expected
    assert x12.validate(ts) == []


def test_cancelled_lines_are_left_out_and_stand_with_what_was_received():
    lines = (
        line(status="cancelled"),
        line("2", status="cancelled", received_quantity=Decimal(4)),
        line("3", status="closed"),
    )
    ts = x12.to_850(order(*lines), partner())
    assert [segment[1:3] for segment in ts.all("PO1")] == [("2", "4"), ("3", "10")]
    assert refused(order(line(status="cancelled"))).cause == "lines"
    whole = x12.to_850(order(status="cancelled"), partner(), purpose="01")
    assert (one(whole, "BEG")[1], one(whole, "PO1")[2]) == ("01", "10")


def test_what_the_partner_requires_must_be_there():
    assert refused(order(), partner(required=("REF*DP", "N1*ST"))).faults == ("the partner requires REF*DP",)


def test_finish_runs_before_counting_and_validation():
    def finish(ts, document):
        return ts.insert("CUR", Segment("REF", "VR", document.supplier.number)).replace(
            "PO1", Segment("PO1", "1", "3", "EA")
        )

    ts = x12.to_850(order(), partner(finish=finish, required=("REF*VR*4343",), ctt02="sum"))
    assert one(ts, "REF")[2] == "4343"
    assert one(ts, "CTT")[2] == "3"
    own = x12.to_850(order(), partner(finish=lambda ts, _: ts.insert("DTM", Segment("REF", "VR", "1")).without("DTM")))
    assert "DTM" not in tags(own)
    counted = x12.to_850(
        order(), partner(finish=lambda ts, _: x12.TransactionSet("850", (*ts.segments, Segment("CTT", "1"))))
    )
    assert tags(counted).count("CTT") == 1


def test_a_set_that_finish_broke_is_refused():
    error = refused(
        order(),
        partner(ctt02="sum", finish=lambda ts, _: ts.replace("PO1", Segment("PO1", "1", "x", "EA")).without("BEG")),
    )
    assert error.cause == "invalid"
    assert len(error.faults) >= 2
    with pytest.raises(InvalidArgument):
        x12.to_850(order(), partner(finish=lambda ts, _: None))


def test_too_many_digits_and_too_many_ids_are_refused():
    assert refused(order(line(quantity=Decimal(10**16), amount=None))).cause == "length"
    many = {f"id{index}": "A" for index in range(11)}
    assert refused(order(line(item_ids=many)), partner(product_ids=dict.fromkeys(many, "VP"))).cause == "item"


def test_gtins_by_their_length():
    codes = {"a": "1" * 12, "b": "1" * 13, "c": "1" * 14}
    ts = x12.to_850(order(line(item_ids=codes)), partner(product_ids=dict.fromkeys(codes, "GTIN")))
    assert one(ts, "PO1").elements[5::2] == ("UP", "EN", "UK")


def test_a_party_without_name_and_number_is_not_written():
    assert not list(x12.to_850(order(ship_to=Party(address=DOCK.address)), partner()).all("N1", "ST"))


def test_at_005010_texts_go_as_n9_because_its_sets_have_no_msg():
    lines = (line(), line("2", kind="text", description="word " * 20))
    ts = x12.to_850(order(*lines, notes=("Call ahead",)), partner(version="005010"))
    assert [segment[3] for segment in ts.all("N9")] == [
        "Call ahead",
        "word " * 8 + "word",
        "word " * 8 + "word",
        "word word",
    ]
    assert x12.validate(ts) == []


def test_codes_a_finish_adds_are_the_partners_business():
    ts = x12.to_850(order(), partner(finish=lambda ts, _: ts.insert("CUR", Segment("REF", "Q9", "1"))))
    assert [finding.severity for finding in x12.validate(ts)] == ["warning"]
