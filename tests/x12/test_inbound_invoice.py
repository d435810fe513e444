from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from mlconnector import x12
from mlconnector.documents import InvoiceLine, Party
from tests.x12._inbound import received, refused
from tests.x12._orders import partner

INVOICE = """
BIG*20260301*S-77*20260215*45001
NTE*GEN*Thank you
CUR*SE*USD
REF*DP*0042
N1*SE*Supplier Inc*92*4343
N1*RE*Bank*92*5000
N1*BT*ACME Inc*92*00001
ITD*01*3****20260401*30
N9*L1*NOTES
MSG*Pay in time
IT1*1*10*EA*2.5**BP*B-100
TXI*ST*1.5*6
MSG*Wrapped
PID*F****Bolt M8
REF*PO*45002
SAC*C*D240***200
IT1**4*EA*1
TDS*3350***100
TXI*ST*1
SAC*A*I170***500
TXI*ST*2
SAC*C*F050***500**********Pallets
CTT*2*14
"""


def invoice(text=INVOICE, **options):
    return x12.from_810(received("810", text), **options)


def test_an_invoice_field_by_field():
    found = invoice()
    assert (found.number, found.supplier_invoice_number, found.kind) == ("S-77", "S-77", "voucher")
    assert (found.date, found.due_date) == (dt.date(2026, 3, 1), dt.date(2026, 4, 1))
    assert (found.supplier, found.remit_to) == (
        Party(number="4343", name="Supplier Inc"),
        Party(number="5000", name="Bank"),
    )
    assert (found.company, found.currency, found.purchase_order, found.void) == ("00001", "USD", "45001", False)
    assert (found.gross, found.discount, found.tax) == (Decimal("33.5"), Decimal(1), Decimal("4.5"))
    assert dict(found.extras) == {
        "BIG03": "20260215",
        "CUR01": "SE",
        "REF*DP": "0042",
        "N1*BT": "ACME Inc",
        "ITD*01": "3",
        "ITD*01/ITD07": "30",
        "TDS01 difference": "-2",
    }
    assert [(one.number, one.kind, one.description, one.amount) for one in found.lines] == [
        ("1", "item", "Bolt M8", Decimal(25)),
        ("1/MSG1", "text", "Wrapped", None),
        ("1/SAC1", "charge", "", Decimal(2)),
        ("2", "item", "", Decimal(4)),
        ("TXI1", "tax", "", Decimal(1)),
        ("TXI2", "tax", "", Decimal(2)),
        ("SAC1", "charge", "", Decimal(-5)),
        ("SAC2", "charge", "Pallets", Decimal(5)),
        ("NTE1", "text", "Thank you", None),
        ("MSG1", "text", "Pay in time", None),
    ]
    line, text, charge, second, *_ = found.lines
    assert line == InvoiceLine(
        number="1",
        order_line="1",
        purchase_order="45002",
        description="Bolt M8",
        item_ids={"buyer": "B-100"},
        quantity=Decimal(10),
        unit="EA",
        unit_price=Decimal("2.5"),
        price_unit="EA",
        amount=Decimal(25),
        tax=Decimal("1.5"),
        extras={"TXI*ST/TXI03": "6"},
    )
    assert (text.order_line, charge.order_line, charge.purchase_order, second.order_line) == ("1", "1", "45002", "")
    assert [dict(one.extras) for one in found.lines if one.kind == "tax"] == [{"TXI01": "ST"}] * 2
    assert dict(found.lines[-2].extras) == {"NTE01": "GEN"}


@pytest.mark.parametrize("cents", [3550, 3551])
def test_a_gross_that_its_lines_do_not_add_up_to_is_told(cents):
    found = invoice(INVOICE.replace("TDS*3350", f"TDS*{cents}"))
    assert found.extras.get("TDS01 difference") == (None if cents == 3550 else "0.01")


def test_a_gross_may_be_rounded_once_or_per_line():
    text = "BIG*20260301*1\nIT1*1*1*EA*.005\nIT1*2*1*EA*.005\nTDS*{}"
    for cents, expected in (("1", None), ("2", None), ("3", "0.02"), ("0", "-0.01")):
        assert invoice(text.format(cents)).extras.get("TDS01 difference") == expected


def test_a_gross_is_not_compared_with_what_is_not_known():
    assert "TDS01 difference" not in invoice("BIG*20260301*1\nIT1*1*1*EA\nTDS*3").extras


def test_a_single_tax_is_that_of_the_invoice():
    found = invoice("BIG*20260301*1\nIT1*1*1*EA*10\nTDS*1100\nTXI*ST*1*10")
    assert (len(found.lines), found.tax) == (1, Decimal(1))
    assert dict(found.extras) == {"TXI*ST/TXI03": "10"}
    unknown = invoice("BIG*20260301*1\nIT1*1*1*EA*10\nTDS*1100\nTXI*ST**10")
    assert (unknown.tax, "TDS01 difference" in unknown.extras) == (None, False)


def test_several_taxes_of_a_line_are_added_up_and_kept():
    found = invoice("BIG*20260301*1\nIT1*1*1*EA*10\nTXI*ST*1\nTXI*CA*.5\nTDS*1150").lines[0]
    assert (found.tax, dict(found.extras)) == (Decimal("1.5"), {"TXI*ST": "1", "TXI*CA": ".5"})
    error = refused(x12.from_810, received("810", "BIG*20260301*1\nIT1*1*1*EA*10\nTXI*ST*a\nTXI*CA*b\nTDS*1"))
    assert len(error.faults) == 2


def test_an_amount_with_a_point_is_read_as_it_stands():
    assert invoice(INVOICE.replace("TDS*3350", "TDS*40.50")).gross == Decimal("40.5")


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_credit_is_negative_whatever_its_sender_writes(sign):
    text = f"BIG*20260301*S-78*****CR*00\nIT1*1*{sign}4*EA*2.5\nTDS*{sign}1000***{sign}50\nSAC*C*F050***0\nTXI*TX*0"
    found = invoice(text)
    assert (found.kind, found.gross, found.discount) == ("credit", Decimal(-10), Decimal("-0.5"))
    assert (found.lines[0].quantity, found.lines[0].unit_price, found.lines[0].amount) == (-4, Decimal("2.5"), -10)
    assert dict(found.extras) == {}


def test_a_credit_of_nothing_has_the_sign_of_the_profile():
    text = "BIG*20260301*S-78*****CN\nIT1*1*4*EA*2\nIT1*2*-4*EA*2\nTDS*0"
    assert [one.amount for one in invoice(text).lines] == [-8, 8]
    assert [one.amount for one in invoice(text, partner=partner(credit_sign="negative")).lines] == [8, -8]
    assert dict(invoice(text).extras) == {"BIG07": "CN"}


def test_a_debit_memo_of_the_supplier_is_owed_like_any_invoice():
    found = invoice(INVOICE.replace("*45001\n", "*45001***DR*01\n"))
    assert (found.kind, found.void, found.extras["BIG07"]) == ("voucher", True, "DR")


def test_the_order_may_stand_in_a_reference_and_the_buyer_in_by():
    text = INVOICE.replace("*45001\n", "\n").replace("REF*DP*0042", "REF*PO*45009").replace("N1*BT*", "N1*BY*")
    found = invoice(text, partner=partner(buyer_name="ACME Inc", tax_code="ST"))
    assert (found.purchase_order, found.company) == ("45009", "00001")
    assert not [name for name in found.extras if name.startswith("N1")]
    assert [dict(one.extras) for one in found.lines if one.kind == "tax"] == [{}] * 2


def test_due_dates_and_parties_that_are_not_there():
    found = invoice("BIG*20260301*1\nITD*14*****20260401\nTDS*0")
    assert (found.due_date, found.supplier, found.company, found.tax) == (dt.date(2026, 4, 1), None, "", None)
    assert dict(found.extras) == {}


def test_what_cannot_be_read_is_told():
    error = refused(x12.from_810, received("810", "BIG*20260301\nIT1*1*x*EA*1"))
    assert error.faults == (
        "segment 2 BIG02 is mandatory and missing",
        "TDS is missing",
        "segment 3 IT102 'x' is no number",
    )
