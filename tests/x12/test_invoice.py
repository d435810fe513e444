from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from mlconnector import x12
from mlconnector.errors import InvalidArgument, InvalidDocument
from tests.x12._orders import invoice, invoice_line, one, partner, written


def refused(document, to=None, **options) -> InvalidDocument:
    with pytest.raises(InvalidDocument) as caught:
        x12.to_810(document, to or partner(), **options)
    return caught.value


def made(document, to=None, **options):
    ts = x12.to_810(document, to or partner(), **options)
    assert [finding for finding in x12.validate(written(ts, to=to)) if finding.severity == "error"] == []
    return ts


def test_a_copy_segment_by_segment():
    ts = made(invoice(due_date=dt.date(2026, 4, 1)), partner(currency="USD"))
    assert [str(segment) for segment in ts.segments] == [
        "BIG*20260301*S-77**45001****22",
        "REF*CR*00001/PV/7001",
        "N1*SE*Supplier Inc*92*4343",
        "N3*1 Main St",
        "N4*Austin*TX*78701*US",
        "N1*RI*Supplier Inc*92*4343",
        "N3*1 Main St",
        "N4*Austin*TX*78701*US",
        "N1*BY**92*00001",
        "ITD*14*****20260401",
        "IT1*1*10*EA*2.5**BP*B-100",
        "PID*F****Bolt M8",
        "TDS*2500",
        "CTT*1",
    ]


def test_the_role_decides_the_purpose():
    assert one(made(invoice(void=True)), "BIG")[8] == "01"
    assert one(made(invoice(), role="self_billed"), "BIG")[8] == "00"
    assert one(made(invoice(), purpose="07"), "BIG")[8] == "07"
    assert refused(invoice(void=True), role="self_billed").cause == "void"
    with pytest.raises(InvalidArgument):
        x12.to_810(invoice(), partner(), role="bill")


def test_the_suppliers_number_is_what_the_partner_knows():
    assert refused(invoice(supplier_invoice_number="9" * 23)).cause == "length"
    assert refused(invoice(supplier_invoice_number="")).cause == "missing"
    assert one(made(invoice(supplier_invoice_number=""), role="self_billed"), "BIG")[2] == "7001"


def test_every_fault_is_told_at_once():
    error = refused(invoice(invoice_line(unit="CS"), currency=None, gross=None, supplier=None, date=None))
    assert error.cause == "date"
    for word in ("no date", "currency", "supplier is not known", "'CS'", "gross amount"):
        assert word in str(error), word


def test_lines_charges_and_taxes_make_the_gross():
    lines = (
        invoice_line(),
        invoice_line("2", kind="charge", description="freight", amount=Decimal("5.00")),
        invoice_line("3", kind="tax", amount=Decimal("2.00")),
        invoice_line("4", kind="tax", amount=Decimal("1.00")),
        invoice_line("5", kind="text", description="Thank you"),
    )
    ts = made(invoice(*lines, gross=Decimal("33.00")))
    assert [str(segment) for segment in ts.segments[-5:]] == [
        "TDS*3300",
        "TXI*TX*2",
        "TXI*TX*1",
        "SAC*C*F050***500**********freight",
        "CTT*1",
    ]
    assert one(ts, "NTE")[2] == "Thank you"
    assert one(made(invoice(gross=Decimal("27.06"), tax=Decimal("2.06"))), "TXI")[2] == "2.06"
    assert one(made(invoice(invoice_line(tax=Decimal(2)), gross=Decimal(27))), "TXI")[2] == "2"
    assert refused(invoice(invoice_line("2", kind="tax", amount=None))).cause == "price"


def test_a_difference_names_both_figures():
    error = refused(invoice(gross=Decimal("26.00")))
    assert error.cause == "arithmetic"
    assert "are 25" in str(error)
    assert "is 26" in str(error)


def test_rounding_once_or_by_line_are_both_right():
    lines = [
        invoice_line(str(index), quantity=Decimal(3), unit_price=Decimal("0.335"), amount=Decimal("1.01"))
        for index in (1, 2, 3)
    ]
    assert made(invoice(*lines, gross=Decimal("3.02")))
    assert made(invoice(*lines, gross=Decimal("3.03")))
    assert refused(invoice(*lines, gross=Decimal("3.04"))).cause == "arithmetic"


@pytest.mark.parametrize(("sign", "tds", "quantity"), [("positive", "2500", "10"), ("negative", "-2500", "-10")])
@pytest.mark.parametrize("kind", ["credit", "debit"])
@pytest.mark.parametrize("source", [1, -1])
def test_credits_are_cr_with_the_partners_sign(sign, tds, quantity, kind, source):
    lines = (invoice_line(quantity=Decimal(10 * source), amount=Decimal(25 * source)),)
    ts = made(invoice(*lines, kind=kind, gross=Decimal(25 * source)), partner(credit_sign=sign))
    assert one(ts, "BIG")[7] == "CR"
    assert one(ts, "TDS")[1] == tds
    assert one(ts, "IT1")[2] == quantity


def test_a_negative_amount_is_a_negative_quantity():
    lines = (invoice_line(), invoice_line("2", kind="amount", amount=Decimal(-5), description=""))
    ts = made(invoice(*lines, gross=Decimal(20)))
    assert str(one(ts, "IT1", "2")) == "IT1*2*-1*LO*5**BP*B-100"
    assert made(invoice(invoice_line(), invoice_line("2", kind="charge", amount=Decimal(-5)), gross=Decimal(20)))


def test_n2_always_has_two_decimals_and_three_park():
    yen = invoice_line(quantity=Decimal(1), unit_price=Decimal(125000), amount=Decimal(125000))
    assert one(made(invoice(yen, currency="JPY", gross=Decimal(125000))), "TDS")[1] == "12500000"
    dinar = invoice_line(quantity=Decimal(1), unit_price=Decimal("10.005"), amount=Decimal("10.005"))
    assert refused(invoice(dinar, currency="KWD", gross=Decimal("10.005"))).cause == "decimals"
    ts = made(invoice(dinar, currency="KWD", gross=Decimal("10.005")), partner(three_decimals="round"))
    assert one(ts, "TDS")[1] == "1001"
    assert [finding.rule for finding in ts.findings] == ["rounded"]


def test_orders_of_lines():
    lines = (
        invoice_line(purchase_order="1"),
        invoice_line("2", purchase_order="2", order_line="7"),
        invoice_line("3", purchase_order=""),
    )
    ts = made(invoice(*lines, purchase_order="", gross=Decimal(75)))
    assert one(ts, "BIG")[4] == ""
    assert [str(segment) for segment in ts.all("REF", "PO")] == ["REF*PO*1", "REF*PO*2"]
    assert [segment[1] for segment in ts.all("IT1")] == ["1", "7", "3"]
    same = made(invoice(invoice_line("", purchase_order="9"), purchase_order=""))
    assert (one(same, "BIG")[4], one(same, "IT1")[1]) == ("9", "1")
    assert not list(same.all("REF", "PO"))
    assert one(made(invoice(), order_number="A-45001"), "BIG")[4] == "A-45001"


def test_terms_by_the_partners_table():
    to = partner(terms={"N30": x12.Terms(net_days=30)})
    ts = made(invoice(terms="N30", due_date=dt.date(2026, 4, 1)), to)
    assert str(one(ts, "ITD")) == "ITD*01*3****20260401*30"


def test_a_line_without_price_or_quantity_parks():
    assert refused(invoice(invoice_line(unit_price=None))).cause == "price"
    assert refused(invoice(invoice_line(quantity=None, unit_price=Decimal(-1), amount=None))).cause == "quantity"


def test_a_price_per_thousand_enters_the_total_as_such():
    thousand = invoice_line(quantity=Decimal(2000), unit_price=Decimal("12.5"), price_unit="TH")
    ts = made(invoice(thousand), partner(price_basis="state"))
    assert one(ts, "IT1")[4:6] == ("12.5", "TP")


def test_gl_accounts_never_stand_in_an_invoice():
    ts = made(invoice(invoice_line(account="SECRET-ACCOUNT", cost_center="CC")), partner(account_reference="11"))
    assert "SECRET-ACCOUNT" not in written(ts)


def test_what_makes_a_revision_of_an_invoice():
    base = x12.invoice_content(invoice())
    for same in (
        {"open": Decimal(1)},
        {"pay_status": "P"},
        {"posted": True},
        {"base_gross": Decimal(9)},
        {"extras": {"A": 1}},
    ):
        assert x12.invoice_content(invoice(**same)) == base
    assert x12.invoice_content(invoice(invoice_line(description="x", account="9"))) == base
    assert x12.invoice_content(invoice(gross=Decimal("25"))) == base
    for other in ({"void": True}, {"gross": Decimal(26)}, {"supplier_invoice_number": "S-78"}, {"supplier": None}):
        assert x12.invoice_content(invoice(**other)) != base
