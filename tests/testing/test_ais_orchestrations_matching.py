from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlconnector.errors import InvalidArgument
from mlconnector.testing import merge, orders, vouchers
from mlconnector.testing._ais_books import FinancialRules
from mlconnector.testing._receipts import receipts
from tests.testing.ais_site import LINE, VOUCHER, Orchestrator, site

MATCH = {key: value for key, value in VOUCHER.items() if key not in {"Lines", "GrossAmount"}}
ORDER = {"OrderCompany": "00001", "OrderType": "OP", "OrderNumber": "50001", "OrderLine": "1"}


def received(jde: Any, **changes: Any) -> None:
    """A receipt of order 50001, line 1: 10 pieces at 10.00 each, then what is changed."""
    row = {
        "MATC": "1",
        "DOCO": 50001,
        "DCTO": "OP",
        "KCOO": "00001",
        "LNID": Decimal(1),
        "DOC": 700001,
        "DCT": "OV",
        "KCO": "00001",
        "AN8": 4343,
        "CO": "00001",
        "UREC": 10,
        "UOPN": 10,
        "AREC": 100,
        "AOPN": 100,
        "CRCD": "USD",
        "BCRC": "USD",
        "OMCU": "M30",
        "OBJ": "6110",
    }
    jde.add({**row, **changes}, table="F43121")


def match(*lines: dict[str, Any], gross: str, **more: Any) -> dict[str, Any]:
    return {**MATCH, "GrossAmount": gross, "Lines": list(lines), **more}


def matched(quantity: str, amount: str, **more: Any) -> dict[str, Any]:
    return {**ORDER, "Quantity": quantity, "Amount": amount, **more}


def receiver(jde: Any, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[each] for each in ("MATC", *columns)) for row in jde.contents["F43121"]]


@pytest.fixture
def jde() -> Any:
    with site() as simulator:
        yield simulator


@pytest.fixture
def ais(jde: Any) -> Any:
    with Orchestrator(jde) as client:
        yield client


def test_a_match_makes_a_voucher_and_receiver_rows(jde: Any, ais: Orchestrator) -> None:
    received(jde)
    charge = {**LINE, "ObjectAccount": "6420", "Amount": "12.50", "Remark": "Freight"}
    body = ais.done("ML_MatchVoucher", match(matched("4", "40.00"), gross="52.50", Charges=[charge]))
    assert (body["DocumentCompany"], body["DocumentType"], body["MatchedLines"]) == ("00001", "PV", "1")
    (item,) = jde.contents["F0411"]
    assert (item["DOC"], item["AG"], item["PO"], item["PDCT"], item["PKCO"], item["LNID"], item["PID"]) == (
        int(body["DocumentNumber"]),
        Decimal("52.50"),
        "00050001",
        "OP",
        "00001",
        1,
        "P4314",
    )
    assert (item["VINV"], item["RMK"]) == ("INV-1", "COUPA:9001")
    assert receiver(jde, "UREC", "UPTD", "UOPN", "AREC", "APTD", "AOPN") == [
        ("1", 10, 4, 6, 100, 40, 60),
        ("2", 4, 0, 0, 40, 0, 0),
    ]
    _, voucher = jde.contents["F43121"]
    assert (voucher["DOC"], voucher["DCT"], voucher["KCO"], voucher["VINV"]) == (item["DOC"], "PV", "00001", "INV-1")
    rows = jde.contents["F0911"]
    assert [(row["OBJ"], row["AA"], row["EXR"]) for row in rows] == [
        ("6110", 40, ""),
        ("6420", Decimal("12.50"), "Freight"),
    ]


def test_what_is_vouchered_cannot_be_matched_again(jde: Any, ais: Orchestrator) -> None:
    received(jde)
    whole = match(matched("10", "100.00"), gross="100.00")
    ais.done("ML_MatchVoucher", whole)
    assert ais.refused("ML_MatchVoucher", whole) == "OPEN QUANTITY"
    assert receiver(jde, "UOPN", "AOPN") == [("1", 0, 0), ("2", 0, 0)]


def test_a_line_is_filled_from_its_receipts_in_turn(jde: Any, ais: Orchestrator) -> None:
    received(jde, NLIN=2, DOC=700002, UREC=3, UOPN=3, AREC=30, AOPN=30)
    received(jde)
    ais.done("ML_MatchVoucher", match(matched("9", "90.00"), gross="90.00"))
    ais.done("ML_MatchVoucher", match(matched("2", "20.00"), gross="20.00"))
    assert receiver(jde, "NLIN", "UREC", "UOPN", "AREC") == [
        ("1", 1, 10, 0, 100),
        ("1", 2, 3, 2, 30),
        ("2", 1, 9, 0, 90),
        ("2", 1, 1, 0, 10),
        ("2", 2, 1, 0, 10),
    ]
    assert ais.refused("ML_MatchVoucher", match(matched("1", "10", ReceiptLine="1"), gross="10")) == "OPEN QUANTITY"
    ais.done("ML_MatchVoucher", match(matched("1", "10.00", ReceiptLine="2"), gross="10.00"))
    ais.done("ML_MatchVoucher", match(matched("1", "10.00"), gross="10.00"))


def test_receipts_that_cannot_be_are_no_data_for_a_test() -> None:
    def two_receipts_with_one_number() -> None:
        with site() as jde, Orchestrator(jde) as ais:
            received(jde)
            received(jde, DOC=700002)
            ais.run("ML_MatchVoucher", match(matched("1", "10.00"), gross="10.00"))

    with pytest.raises(InvalidArgument, match="NLIN"):
        two_receipts_with_one_number()


def test_two_lines_may_name_the_same_order_line(jde: Any, ais: Orchestrator) -> None:
    received(jde)
    body = ais.done("ML_MatchVoucher", match(matched("4", "40.00"), matched("6", "60.00"), gross="100.00"))
    assert body["MatchedLines"] == "2"
    assert receiver(jde, "UREC", "UOPN", "AREC") == [("1", 10, 0, 100), ("2", 10, 0, 100)]
    jde.remove("F43121", jde.contents["F43121"][1] | {})
    received(jde)
    twice = match(matched("6", "60.00"), matched("6", "60.00"), gross="120.00")
    assert ais.refused("ML_MatchVoucher", twice) == "OPEN QUANTITY"


def test_amount_lines_move_amounts(jde: Any, ais: Orchestrator) -> None:
    received(jde, UREC=0, UOPN=0)
    received(jde, UREC=0, UOPN=0, NLIN=2, DOC=700002)
    line = {**ORDER, "Amount": "150.00"}
    first = ais.done("ML_MatchVoucher", match(line, gross="150.00"))
    assert receiver(jde, "UREC", "AREC", "AOPN") == [
        ("1", 0, 100, 0),
        ("1", 0, 100, 50),
        ("2", 0, 100, 0),
        ("2", 0, 50, 0),
    ]
    assert ais.refused("ML_MatchVoucher", match({**line, "Amount": "50.01"}, gross="50.01")) == "OPEN AMOUNT"
    reverse(ais, first)
    assert [row for row in receiver(jde, "AREC", "AOPN") if row[0] == "1"] == [("1", 100, 100)] * 2


def test_a_foreign_match(jde: Any, ais: Orchestrator) -> None:
    received(jde, CRCD="EUR", FREC=80, FAP=80, AREC=100, AOPN=100)
    euro = {"CurrencyCode": "EUR", "ExchangeRate": "1.2"}
    body = ais.done("ML_MatchVoucher", match(matched("3", "24.00"), gross="24.00", **euro))
    (item,) = jde.contents["F0411"]
    assert (item["ACR"], item["AG"]) == (24, Decimal("28.80"))
    assert receiver(jde, "FREC", "FAP", "FAPT", "AREC", "AOPN") == [
        ("1", 80, 56, 24, 100, 70),
        ("2", 24, 0, 0, Decimal("28.80"), 0),
    ]
    ais.done("ML_MatchVoucher", match(matched("7", "56.00"), gross="56.00", **euro))
    assert receiver(jde, "FAP", "AOPN")[0] == ("1", 0, 0)
    reverse(ais, body)
    assert receiver(jde, "FAP", "AOPN", "UOPN")[0] == ("1", 24, 30, 3)


def test_tax_is_left_out_of_the_lines(jde: Any, ais: Orchestrator) -> None:
    received(jde)
    tax = {"TaxExplanation": "V", "TaxArea": "DE19", "TaxAmount": "19.00"}
    ais.done("ML_MatchVoucher", match(matched("10", "100.00"), gross="119.00", **tax))
    assert jde.contents["F0411"][0]["STAM"] == 19


@pytest.mark.parametrize(
    ("columns", "line", "changes", "code"),
    [
        ({}, {"OrderLine": "2"}, {}, "RECEIPT"),
        ({}, {"OrderNumber": "50002"}, {}, "RECEIPT"),
        ({}, {"OrderSuffix": "001"}, {}, "RECEIPT"),
        ({}, {"ReceiptLine": "2"}, {}, "RECEIPT"),
        ({"MATC": "4"}, {}, {}, "RECEIPT"),
        ({"FUF3": "1"}, {}, {}, "RECEIPT"),
        ({"AN8": 4344}, {}, {}, "SUPPLIER"),
        ({"CRCD": "EUR"}, {}, {}, "CURRENCY"),
        ({}, {"Quantity": "11"}, {}, "OPEN QUANTITY"),
        ({}, {"Quantity": "0"}, {}, "QUANTITY"),
        ({}, {"Quantity": ""}, {}, "QUANTITY"),
        ({"UREC": 0, "UOPN": 0}, {}, {}, "QUANTITY"),
        ({}, {"Amount": "100.02"}, {"GrossAmount": "100.02"}, "TOLERANCE"),
        ({}, {"Amount": "-1.00"}, {}, "AMOUNT"),
        ({}, {}, {"GrossAmount": "99.00"}, "DISTRIBUTION"),
        ({}, {}, {"SupplierNumber": "9999"}, "SUPPLIER"),
        ({}, {}, {"SupplierNumber": "4345"}, "HOLD"),
        ({}, {}, {"GLDate": "02/28/2026"}, "PBCO"),
        ({}, {}, {"PaymentTerms": "N99"}, "TERMS"),
        ({}, {}, {"GrossAmount": "-100.00"}, "AMOUNT"),
        ({}, {}, {"Charges": [{**LINE, "ObjectAccount": "6000"}]}, "POSTING EDIT"),
    ],
)
def test_a_match_is_refused(
    jde: Any, ais: Orchestrator, columns: dict[str, Any], line: dict[str, Any], changes: dict[str, Any], code: str
) -> None:
    received(jde, **columns)
    call = match({**matched("10", "100.00"), **line}, gross="100.00")
    assert ais.refused("ML_MatchVoucher", call, **changes) == code


@pytest.mark.parametrize(("tolerance", "amount"), [(Decimal(5), "105.00"), (Decimal(0), "99.99"), (None, "250.00")])
def test_a_tolerance_lets_prices_differ(tolerance: Any, amount: str) -> None:
    with site(financials=FinancialRules(tolerance=tolerance)) as jde, Orchestrator(jde) as ais:
        received(jde)
        ais.done("ML_MatchVoucher", match(matched("10", amount), gross=amount))
        assert receiver(jde, "AREC", "AOPN") == [("1", 100, 0), ("2", Decimal(amount), 0)]


def reverse(ais: Orchestrator, made: dict[str, Any]) -> dict[str, Any]:
    key = {
        "VoucherCompany": made["DocumentCompany"],
        "VoucherType": made["DocumentType"],
        "VoucherNumber": made["DocumentNumber"],
    }
    return ais.done("ML_ReverseVoucher", {**key, "GLDate": "03/02/2026"})


def test_a_posted_match_is_reversed_in_procurement(jde: Any, ais: Orchestrator) -> None:
    received(jde)
    made = ais.done("ML_MatchVoucher", match(matched("4", "40.00"), gross="40.00"))
    jde.post()
    body = reverse(ais, made)
    assert (body["ReversalType"], body["Deleted"]) == ("match", "N")
    assert receiver(jde, "UPTD", "UOPN", "AOPN") == [("1", 0, 10, 100), ("3", 0, 0, 0)]
    assert [(row["VOD"], row["DCTA"]) for row in jde.contents["F0411"]] == [("V", ""), ("", "PE")]
    ais.done("ML_MatchVoucher", match(matched("10", "100.00"), gross="100.00", InvoiceNumber="INV-2"))


@pytest.mark.parametrize(("receipts_of_unposted", "kinds"), [("reversed", ["1", "3"]), ("deleted", ["1"])])
def test_an_unposted_match_is_deleted(receipts_of_unposted: Any, kinds: list[str]) -> None:
    rules = FinancialRules(unposted_receipts=receipts_of_unposted)
    with site(financials=rules) as jde, Orchestrator(jde) as ais:
        received(jde)
        body = reverse(ais, ais.done("ML_MatchVoucher", match(matched("10", "100.00"), gross="100.00")))
        assert (body["ReversalType"], body["Deleted"]) == ("match", "Y")
        assert jde.contents["F0411"] == jde.contents["F0911"] == ()
        assert [row["MATC"] for row in jde.contents["F43121"]] == kinds


@pytest.mark.parametrize("marks", [["matched"], ["matched", "foreign"]])
def test_built_matches_can_be_reversed(jde: Any, ais: Orchestrator, marks: Any) -> None:
    jde.add(vouchers(1, suppliers=1, odd={0: marks}, master=False))
    key = {"VoucherCompany": "00001", "VoucherType": "PV", "VoucherNumber": "300001"}
    assert ais.done("ML_ReverseVoucher", {**key, "GLDate": "03/02/2026"})["ReversalType"] == "match"
    (receipt, voucher) = jde.contents["F43121"]
    assert (receipt["UOPN"], receipt["AOPN"], receipt["FAP"]) == (10, receipt["AREC"], receipt["FREC"])
    assert voucher["MATC"] == "3"


def test_a_match_whose_receipt_is_gone_can_be_reversed(jde: Any, ais: Orchestrator) -> None:
    received(jde)
    made = ais.done("ML_MatchVoucher", match(matched("10", "100.00"), gross="100.00"))
    jde.remove("F43121", jde.contents["F43121"][0])
    assert reverse(ais, made)["ReversalType"] == "match"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 100_000), st.booleans())
def test_matches_and_reversals_lose_no_cent(parts: list[int], cents: int, foreign: bool) -> None:
    amount, total = Decimal(cents) / 100, sum(parts)
    rules = FinancialRules(tolerance=None)
    with site(financials=rules) as jde, Orchestrator(jde) as ais:
        money = {"CRCD": "EUR", "FREC": amount, "FAP": amount} if foreign else {}
        received(jde, UREC=total, UOPN=total, AREC=amount, AOPN=amount, **money)
        currency = "EUR" if foreign else "USD"
        made = [
            ais.done(
                "ML_MatchVoucher",
                match(matched(str(part), "1.00"), gross="1.00", CurrencyCode=currency, InvoiceNumber=f"I{part}"),
            )
            for part in parts
        ]
        assert receiver(jde, "UOPN", "AOPN", "FAP")[0] == ("1", 0, 0, 0)
        for each in made:
            reverse(ais, each)
        assert receiver(jde, "UOPN", "AOPN", "FAP")[0] == ("1", total, amount, amount if foreign else 0)


def test_built_orders_are_received_and_matched(jde: Any, ais: Orchestrator) -> None:
    marks: Any = {0: ["text_line", "service_line", "freight_line", "cancelled_line"], 1: ["foreign"]}
    built = orders(2, lines=2, suppliers=1, odd=marks, master=False)
    half = receipts(built, share=Decimal("0.5"))
    jde.add(merge(built, half, receipts(built, share=Decimal("0.5"), number=2, first_document=800001)))
    rows = [row for row in jde.contents["F43121"] if row["DOCO"] == 50001]
    assert {row["LNTY"] for row in rows} == {"S", "J", "F"}
    lines = []
    for order_line in {row["LNID"] for row in rows}:
        own = [row for row in rows if row["LNID"] == order_line]
        quantity = sum(row["UREC"] for row in own)
        amounts = {"Quantity": f"{quantity:f}"} if quantity else {}
        lines.append({**ORDER, "OrderLine": str(order_line), "Amount": str(sum(row["AREC"] for row in own)), **amounts})
    gross = str(sum(Decimal(line["Amount"]) for line in lines))
    body = ais.done("ML_MatchVoucher", match(*lines, gross=gross))
    assert body["MatchedLines"] == str(len(lines)) == "3"
    assert {row["AOPN"] for row in jde.contents["F43121"] if row["DOCO"] == 50001} == {0}
    assert {row["RCDJ"] for row in half["F43121"]} == {dt.date(2026, 2, 25)}
    foreign = [row for row in half["F43121"] if row["CRCD"] == "EUR"]
    assert all(row["FREC"] == row["FAP"] > 0 for row in foreign)
    for share in (Decimal(0), Decimal("1.1")):
        with pytest.raises(InvalidArgument):
            receipts(built, share=share)
