from __future__ import annotations

import datetime as dt
import pickle
from decimal import Decimal

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlconnector import x12
from mlconnector.documents import Application, Party, Payment
from mlconnector.errors import InvalidArgument, InvalidDocument
from tests.x12._orders import invoice, one, partner, tags, written
from tests.x12._outbound import application, payment
from tests.x12.test_properties import AMOUNT, DATE, ID, MANY, PARTNERS, PARTY, is_right, mostly

ACCOUNT = x12.BankAccount(bank="021000021", number="1234567890")
PAYEE = x12.BankAccount(bank="026009593", number="55-667788", kind="SG")


def made(document, to=None, **options):
    ts = x12.to_820(document, to or partner(), **options)
    assert [finding for finding in x12.validate(written(ts, to=to)) if finding.severity == "error"] == []
    return ts


def refused(document, to=None, **options) -> InvalidDocument:
    with pytest.raises(InvalidDocument) as caught:
        x12.to_820(document, to or partner(), **options)
    return caught.value


def test_an_advice_segment_by_segment():
    known = {"S-77": invoice(supplier_invoice_number="INV-77", purchase_order="45001")}
    ts = made(payment(), partner(buyer_name="Acme", references={"DP": "0042"}), invoices=known)
    assert [str(segment) for segment in ts.segments] == [
        "BPR*I*98*C*CHK************20260302",
        "TRN*1*100234",
        "CUR*BY*USD",
        "REF*DP*0042",
        "REF*CR*9001",
        "N1*PR*Acme",
        "N1*PE*Supplier Inc*92*4343",
        "N3*1 Main St",
        "N4*Austin*TX*78701*US",
        "ENT*1",
        "RMR*IV*INV-77**98*100*2",
        "REF*PO*45001",
        "DTM*003*20260301",
    ]
    assert x12.validate(ts) == []
    assert ts.functional_id == "RA"


def test_an_advice_names_no_account_and_orders_no_payment():
    beginning = one(made(payment()), "BPR")
    assert beginning[1] == "I"
    assert [beginning[index] for index in range(5, 16)] == [""] * 11


def test_without_a_bank_reference_our_number_is_the_trace():
    ts = made(payment(bank_reference=""), partner(originator="1123456789"))
    assert str(one(ts, "TRN")) == "TRN*1*9001*1123456789"
    assert not list(ts.all("REF", "CR"))


def test_every_invoice_stands_under_ent_and_the_sum_is_the_payment():
    ts = made(payment(application(), application("S-78", amount=Decimal(2), discount=None), amount=Decimal(100)))
    assert tags(ts)[-3:] == ["ENT", "RMR", "RMR"]
    assert [str(segment) for segment in ts.all("RMR")] == ["RMR*IV*S-77**98*100*2", "RMR*IV*S-78**2*2"]


@pytest.mark.parametrize("amount", [Decimal("97.99"), Decimal("98.01"), Decimal(0)])
def test_a_payment_that_does_not_add_up_names_both_figures(amount):
    error = refused(payment(amount=amount))
    assert error.cause == "arithmetic"
    assert "98" in str(error)
    assert f"{amount.normalize():f}" in str(error)


@pytest.mark.parametrize("credit", [Decimal(-20), Decimal(20)])
def test_credits_are_cm_and_negative_whatever_their_sign_was(credit):
    ts = made(payment(credits=[Application(invoice="CM-1", amount=credit)], amount=Decimal(78)))
    assert str(one(ts, "RMR", "CM")) == "RMR*CM*CM-1**-20*-20"
    as_application = made(payment(application(), Application(invoice="CM-1", amount=-20), amount=Decimal(78)))
    assert str(one(as_application, "RMR", "CM")) == "RMR*CM*CM-1**-20*-20"


def test_tax_withheld_is_an_adjustment_of_its_invoice_by_agreement():
    withheld = payment(application(withheld=Decimal(10)))
    assert refused(withheld).cause == "withheld"
    ts = made(withheld, partner(withholding_reason="06"))
    assert [str(segment) for segment in ts.segments][-2:] == ["RMR*IV*S-77**98*110*2", "ADX*-10*06"]
    assert x12.validate(ts) == []


def test_rmr05_is_what_is_settled_or_the_invoice_amount():
    known = {"S-77": invoice(gross=Decimal(500))}
    assert one(made(payment(), invoices=known), "RMR")[5] == "100"
    whole = partner(remittance_gross="invoice")
    assert one(made(payment(), whole, invoices=known), "RMR")[5] == "500"
    assert refused(payment(), whole).cause == "invoice"
    assert refused(payment(), whole, invoices={"S-77": invoice(gross=None)}).cause == "invoice"


def test_the_suppliers_number_where_it_is_known():
    known = {"S-77": invoice(supplier_invoice_number="", purchase_order="", date=None)}
    ts = made(payment(), invoices=known)
    assert one(ts, "RMR")[2] == "S-77"
    assert tags(ts)[-1] == "RMR"


@pytest.mark.parametrize("taken_back", [{"void": True}, {"status": "Voided"}, {"status": "STOPPED"}])
def test_what_was_taken_back_is_never_told_as_paid(taken_back):
    assert refused(payment(**taken_back)).cause == "void"


def test_every_fault_is_told_at_once():
    empty = Payment(number="9001", applications=[Application(invoice="1")])
    error = refused(empty, partner(payment_methods={"W": "FWT"}))
    for word in ("the amount is not known", "no date", "currency", "payee", "amount paid"):
        assert word in str(error), word
    assert refused(payment(applications=())).cause == "applications"
    assert refused(payment(amount=Decimal(-98))).cause == "amount"
    assert refused(payment(application("9" * 31))).cause == "length"
    assert made(payment(application("9" * 31)), partner(version="005010"))


def test_payment_methods():
    assert one(made(payment(method="Wire")), "BPR")[4] == "FWT"
    assert one(made(payment(method="T")), "BPR")[4] == "NON"
    table = partner(payment_methods={"T": "ACH"})
    assert one(made(payment(method="T"), table), "BPR")[4] == "ACH"
    assert one(made(payment(method=""), table), "BPR")[4] == "NON"
    assert refused(payment(method="U"), table).cause == "method"


def test_an_order_to_a_bank():
    to = partner(originator="1123456789")
    orders = x12.BankInstruction(payer=ACCOUNT, payee=PAYEE, format="CTX")
    ts = made(payment(method="ach"), to, role="bank", bank=orders)
    beginning = one(ts, "BPR")
    assert tuple(beginning) == (
        *("BPR", "C", "98", "C", "ACH", "CTX", "01", "021000021", "DA", "1234567890", "1123456789", ""),
        *("01", "026009593", "SG", "55-667788", "20260302"),
    )
    assert list(ts.all("RMR"))
    only = made(payment(), to, role="bank", bank=x12.BankInstruction(payer=ACCOUNT, handling="D"))
    assert not list(only.all("ENT"))


def test_a_bank_needs_to_know_whom_and_how():
    assert refused(payment(method="ach"), role="bank", bank=x12.BankInstruction(payer=ACCOUNT)).cause == "bank"
    assert refused(payment(method="T"), role="bank", bank=x12.BankInstruction(payer=ACCOUNT)).cause == "method"


def test_accounts_only_with_the_role():
    with pytest.raises(InvalidArgument):
        x12.to_820(payment(), partner(), bank=x12.BankInstruction(payer=ACCOUNT))
    with pytest.raises(InvalidArgument):
        x12.to_820(payment(), partner(), role="bank")
    with pytest.raises(InvalidArgument):
        x12.to_820(payment(), partner(), role="both")


@pytest.mark.parametrize(
    "bad",
    [{"bank": "1"}, {"bank": 21000021}, {"number": ""}, {"number": 12345678}, {"bank_kind": "05"}, {"kind": "XX"}],
)
def test_accounts_of_another_form_are_refused_without_repeating_the_number(bad):
    with pytest.raises(InvalidArgument) as caught:
        x12.BankAccount(**{"bank": "021000021", "number": "1234567890", **bad})
    assert "1234567890" not in str(caught.value)
    assert "12345678" not in str(caught.value)


@pytest.mark.parametrize("bad", [{"handling": "I"}, {"format": "ABC"}])
def test_instructions_of_another_form_are_refused(bad):
    with pytest.raises(InvalidArgument):
        x12.BankInstruction(payer=ACCOUNT, **bad)


def test_nobody_sees_an_account_number_but_the_bank():
    orders = x12.BankInstruction(payer=ACCOUNT, payee=PAYEE)
    ts = made(payment(method="ach"), role="bank", bank=orders)
    shown = [repr(orders), repr(ACCOUNT), repr(ts), str(ts), ts._repr_html_(), *map(str, ts.segments)]
    wrong = ts.replace("BPR", x12.Segment(*one(ts, "BPR")[:9], "1234567890" * 4))
    shown += [str(finding) + finding.value for finding in x12.validate(wrong)]
    for text in shown:
        assert "1234567890" not in text
        assert "55-667788" not in text
    assert "xxxxxx7890" in str(ts)
    assert "1234567890" in written(ts)
    assert pickle.loads(pickle.dumps(ts)) == ts
    assert x12.Segment("BPR", *[""] * 8, "123456")[9] == "123456"
    assert "xxxxxx" in str(x12.Segment("BPR", *[""] * 8, "123456"))


def test_the_payer_may_be_named():
    ts = made(payment(), partner(buyer_name="Acme"), payer=Party(number="00001", name="Acme East"))
    assert str(one(ts, "N1", "PR")) == "N1*PR*Acme East*92*00001"


def test_what_makes_a_revision_of_a_payment():
    same = x12.payment_content(payment())
    for other in (payment(status="Cleared"), payment(extras={"a": 1}), payment(application(withheld=Decimal(0)))):
        assert x12.payment_content(other) == same
    for other in (payment(void=True), payment(amount=Decimal(1)), payment(application("S-78")), payment(payee=None)):
        assert x12.payment_content(other) != same


PAID = mostly(st.decimals(100, 100_000, places=2), AMOUNT)


@st.composite
def payments(draw):
    parts = draw(
        st.lists(st.builds(Application, invoice=ID, amount=PAID, discount=PAID | st.none()), min_size=1, max_size=3)
    )
    used = draw(st.lists(st.builds(Application, invoice=ID, amount=st.decimals(-100, 100, places=2)), max_size=1))
    exact = sum((part.amount or 0 for part in parts), Decimal(0)) - sum((abs(part.amount or 0) for part in used), 0)
    return Payment(
        number=draw(ID),
        date=draw(DATE),
        method=draw(st.sampled_from(["check", "ach", "x", ""])),
        amount=draw(mostly(st.just(exact), AMOUNT)),
        currency=draw(mostly(st.sampled_from(["USD", "JPY"]), st.none())),
        payee=draw(PARTY),
        bank_reference=draw(ID | st.just("")),
        status=draw(mostly(st.just("Issued"), st.just("Voided"))),
        applications=parts,
        credits=used,
    )


@settings(MANY, max_examples=60)
@given(payments(), PARTNERS, st.sampled_from([None, "06"]))
def test_whatever_is_written_is_valid_and_reads_back(document, to, reason):
    to = attrs.evolve(to, withholding_reason=reason)
    is_right(lambda: x12.to_820(document, to), to)


def test_a_day_is_a_day():
    assert one(made(payment(date=dt.date(2026, 12, 31))), "BPR")[16] == "20261231"
