"""Whatever order or invoice a mapper takes, what it writes is valid and reads back the same."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlconnector import x12
from mlconnector.documents import Address, Invoice, InvoiceLine, OrderLine, Party, PurchaseOrder, Schedule
from mlconnector.errors import InvalidDocument
from mlconnector.x12._draft import Draft
from mlconnector.x12._format import cents, number
from mlconnector.x12._lines import line_ids, plain_line, told
from tests.x12._orders import AT

TEXT = st.one_of(
    st.sampled_from(["", "Bolt", "a*b~c>d^e:f", "Größe “M”", "x" * 90, "line\r\nbreak", " "]), st.text(max_size=40)
)
GOOD_ID = st.text("ABC123-/.", min_size=2, max_size=22)


def mostly(good, bad):
    """Good values, and now and then a bad one, so that most documents are taken and some refused."""
    return st.integers(0, 30).flatmap(lambda at: bad if at == 7 else good)


ID = mostly(GOOD_ID, TEXT | st.text("AB*12", max_size=30))
DATE = mostly(st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)), st.none())
QUANTITY = mostly(st.decimals(0, 100_000, places=3), st.none() | st.decimals(0, 10**16, places=0))
PRICE = mostly(st.decimals(0, 10_000, places=4), st.none())
AMOUNT = mostly(st.decimals(-1_000, 100_000, places=2), st.none() | st.decimals(-1_000, 1_000, places=3))
UNIT = mostly(st.sampled_from(["EA", "KG", "LB"]), st.sampled_from(["CS", "", "TH"]))
PARTIES = st.builds(
    Party,
    number=ID,
    name=TEXT,
    address=st.none()
    | st.builds(Address, lines=st.lists(TEXT, max_size=5), city=TEXT, state=TEXT, postal_code=TEXT, country=TEXT),
)
PARTY = mostly(PARTIES, st.none())
KIND = st.sampled_from(["item", "item", "amount", "charge", "text"])


@st.composite
def lines(draw, cls, number):
    kind, quantity, price = draw(KIND), draw(QUANTITY), draw(PRICE)
    per = draw(mostly(st.sampled_from([Decimal(1), Decimal(1000)]), st.just(Decimal(3))))
    exact = None if quantity is None or price is None else quantity * price / per
    common = {
        "number": number,
        "kind": kind,
        "description": draw(TEXT),
        "item_ids": draw(
            st.dictionaries(mostly(st.sampled_from(["buyer", "vendor"]), st.just("gtin")), ID, max_size=3)
        ),
        "quantity": quantity,
        "unit": draw(UNIT),
        "unit_price": price,
        "price_unit": draw(mostly(st.just(""), UNIT)),
        "price_per": per,
        "amount": draw(AMOUNT if kind in ("amount", "charge") else mostly(st.just(exact), AMOUNT)),
    }
    if cls is InvoiceLine:
        return InvoiceLine(**common, purchase_order=draw(ID | st.just("")))
    return OrderLine(
        **common,
        requested_date=draw(DATE),
        received_quantity=draw(QUANTITY),
        schedules=draw(mostly(st.just([]), st.lists(st.builds(Schedule, date=DATE, quantity=QUANTITY), max_size=2))),
        ship_to=draw(PARTY),
        status=draw(st.sampled_from(["open", "open", "cancelled", "closed"])),
    )


@st.composite
def orders(draw, number="45001"):
    numbers = draw(st.lists(st.sampled_from(["1", "1.010", "2", "2.125", "30"]), min_size=1, max_size=4, unique=True))
    return PurchaseOrder(
        number=number,
        company="00001",
        date=draw(DATE),
        supplier=draw(PARTY),
        ship_to=draw(PARTY),
        buyer=draw(TEXT),
        currency=draw(mostly(st.sampled_from(["USD", "EUR", "JPY"]), st.none())),
        notes=draw(st.lists(TEXT, max_size=2)),
        original_order=draw(st.sampled_from(["", "OB-1"])),
        drop_ship=draw(st.booleans()),
        lines=[draw(lines(OrderLine, one)) for one in numbers],
    )


@st.composite
def invoices(draw):
    found = [draw(lines(InvoiceLine, str(index))) for index in range(draw(st.integers(0, 3)))]
    exact = sum((cents(line.amount or Decimal(0)) for line in found if line.kind != "text"), Decimal(0))
    return Invoice(
        number="7001",
        kind=draw(st.sampled_from(["voucher", "credit", "debit"])),
        supplier_invoice_number=draw(ID),
        date=draw(DATE),
        due_date=draw(DATE),
        supplier=draw(PARTY),
        company="00001",
        currency=draw(mostly(st.sampled_from(["USD", "JPY"]), st.none())),
        gross=draw(mostly(st.just(exact), AMOUNT)),
        purchase_order=draw(ID | st.just("")),
        void=draw(st.booleans()),
        lines=found,
    )


PARTNERS = st.builds(
    x12.Partner,
    sender=st.just(x12.Id("ZZ", "ACME")),
    receiver=st.just(x12.Id("01", "123456789")),
    version=st.sampled_from(["004010", "005010", "004010VICS"]),
    upper_case=st.booleans(),
    delimiters=st.sampled_from([x12.Delimiters(), x12.Delimiters(element="|", segment="\n", component=":")]),
    line_end=st.sampled_from(["", "\r\n"]),
    ctt02=st.sampled_from([None, "sum", "hash"]),
    price_basis=st.sampled_from(["convert", "state"]),
    poc_quantities=st.sampled_from(["total_left", "old_new", "new_new"]),
    credit_sign=st.sampled_from(["positive", "negative"]),
    three_decimals=st.sampled_from(["park", "round"]),
    units=st.sampled_from([{}, {"CS": "CA"}, {"CS": "CA", "TH": "EA"}]),
)
MANY = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


def is_right(make, partner):
    try:
        ts = make()
    except InvalidDocument as error:
        refusal = error
    else:
        refusal = None
    if refusal is not None:
        assert refusal.faults
        assert refusal.cause not in ("", "invalid"), refusal.faults
        return
    text = x12.interchange([ts, ts], partner, control=x12.ControlNumbers(), at=AT)
    assert [finding for finding in x12.validate(text) if finding.severity == "error"] == []
    assert [back.segments for back in x12.read(text)] == [ts.segments] * 2
    assert [back.segments for back in x12.read(text.encode())] == [ts.segments] * 2


@MANY
@given(orders(), PARTNERS)
def test_850(order, partner):
    is_right(lambda: x12.to_850(order, partner), partner)


@MANY
@given(orders(), PARTNERS)
def test_a_line_told_at_a_glance_is_told_as_when_looked_at(order, partner):
    for line in order.lines:
        row = plain_line(Draft(partner, ""), line)
        if row is not None:
            draft = Draft(partner, "")
            said = told(draft, line, line.quantity)
            told_as = (line.number, number(said.quantity), said.unit, number(said.price), said.basis)
            assert row == (*told_as, *line_ids(draft, line, line.number))
            assert (line.kind, said.quantity, draft.faults, draft.findings) == ("item", line.quantity, [], [])


@MANY
@given(orders(), orders(), PARTNERS)
def test_860(old, new, partner):
    is_right(lambda: x12.to_860(old, new, partner, sequence=1, at=AT), partner)


@MANY
@given(invoices(), PARTNERS)
def test_810(invoice, partner):
    is_right(lambda: x12.to_810(invoice, partner), partner)
