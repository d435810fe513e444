"""Vouchers by message and by component interface, their look-ups, and what is handed over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector.documents import Invoice, InvoiceLine, OrderAcknowledgment, Party, Provenance, smallest_unit
from mlconnector.http import RequestRefused
from mlconnector.peoplesoft import ComponentInterface, PeopleSoft, VoucherMessage
from mlconnector.peoplesoft._voucher import _amounts, message_text
from mlconnector.peoplesoft._xml import parse
from mlconnector.records import Batch, Records, Window
from mlconnector.target import Change, Sink, Target
from tests.peoplesoft.site import Site, line, order, voucher

VENDOR = {"A.SETID": "SHARE", "A.VENDOR_ID": "0000000042", "A.NAME1": "Acme", "A.VENDOR_STATUS": "A"}
MESSAGES = {"requesting_node": "ML_CONNECTOR", "node_password": "node-secret"}


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        running.add("ML_VENDOR", VENDOR)
        running.add("ML_PO_HDR", order(101))
        running.add("ML_PO_LINE", line(101), line(101, 2))
        yield running


@pytest.fixture
def people(site: Site) -> Iterator[PeopleSoft]:
    with site.client(**MESSAGES) as client:
        yield client


def invoice(**changes: Any) -> Invoice:
    return attrs.evolve(
        Invoice(
            number="FICT-1001",
            supplier_invoice_number="FICT-1001",
            date=dt.date(2026, 2, 3),
            company="US001",
            supplier=Party(number="0000000042"),
            currency="USD",
            gross=Decimal("130.50"),
            tax=Decimal(4),
            lines=[
                InvoiceLine(
                    number="1",
                    quantity=Decimal(10),
                    unit="EA",
                    unit_price=Decimal("12.05"),
                    purchase_order="0000000101",
                    order_line="1",
                    description="A widget & more",
                ),
                InvoiceLine(number="2", kind="charge", description="Freight", amount=Decimal(6)),
            ],
        ),
        **changes,
    )


def header(site: Site) -> Any:
    return parse(site.messages[-1].encode()).find("MsgData").find("VCHR_HDR_STG")


def test_a_voucher_goes_out_as_the_message_the_reference_shows(site: Site, people: PeopleSoft) -> None:
    receipt = people.create_voucher(invoice())
    assert (receipt.id, receipt.pending, receipt.existing) == ("T1", True, False)
    root = parse(site.messages[0].encode())
    assert [one.name for one in root.children] == ["FieldTypes", "MsgData"]
    types = {one.name: {f.name: f.attributes["type"] for f in one.children} for one in root.children[0].children}
    assert types["VCHR_HDR_STG"]["INVOICE_DT"] == "DATE"
    assert types["VCHR_LINE_STG"]["MERCHANDISE_AMT"] == "NUMBER"
    assert types["PSCAMA"]["PROCESS_INSTANCE"] == "NUMBER"
    head = header(site)
    fields = {one.name: one.text for one in head.children if not one.children}
    assert fields == {
        "BUSINESS_UNIT": "US001",
        "VOUCHER_ID": "NEXT",
        "VOUCHER_STYLE": "REG",
        "INVOICE_ID": "FICT-1001",
        "VENDOR_SETID": "SHARE",
        "VENDOR_ID": "0000000042",
        "TXN_CURRENCY_CD": "USD",
        "INVOICE_DT": "2026/02/03",
        "GROSS_AMT": "130.50",
        "SALETX_AMT": "4",
        "FREIGHT_AMT": "6",
        "DESCR254_MIXED": "MLCONNECTOR US001/FICT-1001",
    }
    assert [one.name for one in head.children][-2:] == ["VCHR_LINE_STG", "PSCAMA"]
    row = {one.name: one.text for one in head.find("VCHR_LINE_STG").children}
    assert row["PO_ID"] == "0000000101"
    assert (row["LINE_NBR"], row["SCHED_NBR"], row["MERCHANDISE_AMT"]) == ("1", "1", "120.50")
    transaction = root.find("Transaction")
    assert [one.name for one in transaction.children] == ["VCHR_HDR_STG", "PSCAMA"]
    assert transaction.children[1].children[0].name == "LANGUAGE_CD"
    call = next(call for call in site.calls if call.path == "/PSIGW/HttpListeningConnector")
    assert call.query == {}
    assert b"<OperationType>async</OperationType>" in call.body


def test_a_voucher_of_ours_is_found_again_and_never_sent_twice(site: Site, people: PeopleSoft) -> None:
    people.create_voucher(invoice())
    site.build()
    receipt = people.create_voucher(invoice())
    assert receipt.existing
    assert receipt.id == "US001/00000777"
    assert len(site.messages) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"A.DESCR254_MIXED": " "}, "is not ours"),
        ({"A.GROSS_AMT": Decimal(131)}, "its amount is 131, not 130.50"),
        ({"A.TXN_CURRENCY_CD": "CAD"}, "its currency is CAD, not USD"),
        ({"A.INVOICE_DT": "2026-02-04"}, "its date is 2026-02-04"),
        ({"A.ENTRY_STATUS": "X"}, "it was deleted"),
    ],
)
def test_another_voucher_of_that_number_is_never_counted_as_done(
    site: Site, people: PeopleSoft, changes: Mapping[str, Any], said: str
) -> None:
    people.create_voucher(invoice())
    site.build(**changes)
    with pytest.raises(mc.TargetChanged, match=said):
        people.create_voucher(invoice())
    assert len(site.messages) == 1


def test_several_vouchers_of_that_number_are_a_conflict(site: Site, people: PeopleSoft) -> None:
    site.add(
        "ML_VOUCHER",
        *(voucher(f"0000000{n}", **{"A.INVOICE_ID": "FICT-1001"}) for n in (1, 2)),
        voucher("00000003", **{"A.INVOICE_ID": "FICT-1001", "A.VENDOR_SETID": "OTHER"}),
    )
    with pytest.raises(mc.TargetChanged, match="2 vouchers"):
        people.create_voucher(invoice())


def test_look_ups_of_the_site_are_asked_instead_of_walking(site: Site) -> None:
    queries = {"voucher_lookup": "SITE_AP", "staged_vouchers": "SITE_STAGED"}
    site.add("SITE_AP", {**voucher("00000009"), "ID": 1})
    site.add("SITE_STAGED")
    with site.client(**MESSAGES, queries=queries) as people:
        people.create_voucher(invoice())
        assert site.queries_run("SITE_AP")[0]["prompt_fieldvalue"] == "SHARE,0000000042,FICT-1001"
        assert not site.queries_run("ML_VOUCHER")
        site.build(staged=True, **{"A.ENTRY_STATUS": "R"})
        receipt = people.create_voucher(invoice())
    assert receipt.pending
    assert "Recycle" in receipt.raw["attention"]
    assert len(site.messages) == 1


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_lost_answer_leaves_it_in_doubt(site: Site, people: PeopleSoft, drop: Any) -> None:
    site.fail(drop=drop, match="HttpListeningConnector")
    with pytest.raises(mc.DeliveryInDoubt, match="Nothing tells whether it acted") as caught:
        people.create_voucher(invoice())
    assert "FICT-1001" in caught.value.cure
    assert len(site.messages) == (drop == "after")


def test_what_the_broker_refuses_was_not_queued(site: Site) -> None:
    with site.client(requesting_node="ML_CONNECTOR", node_password="wrong-node-secret") as people:
        with pytest.raises(RequestRefused, match=r"No routing. \(158,505\)") as caught:
            people.create_voucher(invoice())
        assert "secret" not in str(caught.value)
        assert "operation VOUCHER_BUILD.VERSION_1 for a message from node ML_CONNECTOR" in caught.value.message
        assert "inbound routing" in caught.value.cure
    with site.client() as people, pytest.raises(mc.InvalidArgument, match="requesting_node"):
        people.create_voucher(invoice())


def test_a_refused_node_password_does_not_end_the_login_of_the_queries(site: Site, people: PeopleSoft) -> None:
    said = "<IBResponse type='error'><DefaultMessage>User password failed. (158,45)</DefaultMessage></IBResponse>"
    site.fail(body=said, content_type="text/xml", match="HttpListeningConnector")
    with pytest.raises(mc.PermissionDenied, match=r"User password failed. \(158,45\)") as caught:
        people.create_voucher(invoice())
    assert "node_password=" in caught.value.cure
    assert people.create_voucher(invoice()).pending
    assert len(site.messages) == 1


@pytest.mark.parametrize(
    "body", ["<html/>", "not xml", "<IBResponse type='success'><StatusCode>9</StatusCode></IBResponse>"]
)
def test_an_answer_that_is_no_acknowledgment_leaves_it_in_doubt(site: Site, people: PeopleSoft, body: str) -> None:
    site.fail(body=body, match="HttpListeningConnector")
    with pytest.raises(mc.DeliveryInDoubt, match="no acknowledgment"):
        people.post_message("POA.v1", "<POA/>")
    assert people.post_message("POA.v1", "<POA><![CDATA[a & b]]></POA>").pending
    assert site.messages == ["<POA><![CDATA[a & b]]></POA>"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gross": Decimal("130.51")}, "add up to 130.50, the invoice says 130.51"),
        ({"gross": None}, "gross amount is not known"),
        ({"supplier_invoice_number": "X" * 31}, "is longer than 30"),
        ({"supplier_invoice_number": "A,B"}, "holds a comma"),
        ({"supplier_invoice_number": ""}, "INVOICE_ID"),
        ({"date": None}, "INVOICE_DT"),
        ({"currency": None}, "TXN_CURRENCY_CD"),
        ({"supplier": None}, "VENDOR_ID"),
        ({"lines": []}, "it has no line"),
        ({"lines": [InvoiceLine(number="1", quantity=Decimal(1))]}, "neither amount nor quantity and price"),
        ({"lines": [InvoiceLine(number="1", amount=Decimal("120.5"))]}, "names neither order nor account"),
        (
            {"lines": [InvoiceLine(number="1", amount=Decimal("120.5"), purchase_order="1", order_line="one")]},
            "'one' is no line of order 1",
        ),
        (
            {"lines": [InvoiceLine(number="1", quantity=Decimal("1.00001"), unit_price=Decimal("1"), account="6")]},
            "does not fit 11 digits and 4 decimals",
        ),
    ],
)
def test_what_cannot_become_a_voucher_is_refused_with_every_fault(
    people: PeopleSoft, changes: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(mc.InvalidDocument) as caught:
        people.create_voucher(invoice(**changes))
    assert any(said in fault for fault in caught.value.faults)


def test_an_unknown_or_denied_supplier_is_refused(site: Site, people: PeopleSoft) -> None:
    with pytest.raises(mc.UnknownReference, match="0000000043"):
        people.create_voucher(invoice(supplier=Party(number="0000000043")))
    site.rows["ML_VENDOR"][0]["A.VENDOR_STATUS"] = "D"
    with pytest.raises(mc.UnknownReference):
        people.create_voucher(invoice())


def test_the_setid_and_business_unit_must_be_known(site: Site) -> None:
    with site.client(**MESSAGES, setids=["SHARE", "OTHER"], business_units=["US001", "US002"]) as people:
        with pytest.raises(mc.InvalidDocument, match="which SETID"):
            people.create_voucher(invoice())
        with pytest.raises(mc.InvalidDocument, match="no business unit"):
            people.create_voucher(invoice(company=""), setid="SHARE")
        assert people.create_voucher(invoice(company="", extras={"VENDOR_SETID": "SHARE"}), business_unit="US001").id


def test_credits_accounts_and_charges_are_told_apart(site: Site) -> None:
    lines = [
        InvoiceLine(number="1", kind="amount", amount=Decimal(100), account="640000", cost_center="13000"),
        InvoiceLine(number="2", kind="item", quantity=Decimal(1), unit="EA", unit_price=Decimal(5), account="64"),
        InvoiceLine(number="3", kind="charge", description="Pallet", amount=Decimal(7)),
        InvoiceLine(number="4", kind="charge", item_ids={"SAC": "D240"}, amount=Decimal(3)),
        InvoiceLine(number="5", kind="tax", amount=Decimal(1)),
        InvoiceLine(number="6", kind="text", description="Thanks"),
    ]
    given = invoice(kind="credit", gross=Decimal(116), tax=None, lines=lines, terms="N30")
    settings_ = VoucherMessage(origin="EDI", source="XML", reference=None, date_format="%Y-%m-%d")
    with site.client(**MESSAGES, voucher=settings_) as people:
        people.create_voucher(given)
    head = header(site)
    assert head.text_of("VOUCHER_STYLE") == "ADJ"
    assert head.text_of("GROSS_AMT") == "-116"
    assert (head.text_of("MISC_AMT"), head.text_of("FREIGHT_AMT"), head.text_of("SALETX_AMT")) == ("-7", "-3", "-1")
    assert (head.text_of("ORIGIN"), head.text_of("PYMNT_TERMS_CD"), head.text_of("INVOICE_DT")) == (
        "EDI",
        "N30",
        "2026-02-03",
    )
    rows = [one for one in head.children if one.name == "VCHR_LINE_STG"]
    assert rows[0].find("VCHR_DIST_STG").text_of("DEPTID") == "13000"
    assert [one.name for one in rows[0].children][-2:] == ["VCHR_DIST_STG", "PSCAMA"]
    assert rows[1].text_of("QTY_VCHR") == "-1"
    assert head.find("DESCR254_MIXED") is None


@given(
    st.lists(
        st.tuples(
            st.decimals(min_value="0.0001", max_value="9999", places=4),
            st.decimals(min_value="0.00001", max_value="9999", places=5),
        ),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=60)
def test_computed_lines_always_balance_with_the_gross(pairs: list[tuple[Decimal, Decimal]]) -> None:
    gross = sum((quantity * price for quantity, price in pairs), Decimal(0)).quantize(Decimal("0.01"), "ROUND_HALF_UP")
    lines = [
        InvoiceLine(number=str(n), quantity=quantity, unit="EA", unit_price=price, account="6")
        for n, (quantity, price) in enumerate(pairs)
    ]
    text = message_text(invoice(lines=lines, gross=gross, tax=None), "SHARE", "ref", VoucherMessage())
    head = parse(text.encode()).find("MsgData").find("VCHR_HDR_STG")
    rows = [one for one in head.children if one.name == "VCHR_LINE_STG"]
    assert sum(Decimal(row.text_of("MERCHANDISE_AMT")) for row in rows) == gross


def prepared(people: PeopleSoft, given: Invoice, **options: Any) -> Any:
    return people.target("vouchers", **options).prepare(Change(document=given, key="K1"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"supplier": Party(number="0000000099")}, "is of supplier 0000000042, the invoice comes from 0000000099"),
        ({"supplier": None}, "the invoice comes from nobody"),
        ({"currency": "CAD"}, "is in USD, the invoice in CAD"),
        ({"unit": "CA"}, "invoiced in CA, ordered in EA"),
        ({"purchase_order": "0000000999"}, "order 0000000999 is not in PeopleSoft"),
        ({"purchase_order": ""}, "line 1 names no order"),
        ({"order_line": "9"}, "has no line 9"),
        ({"order_line": ""}, "has no line (none named)"),
        ({"order_line": "3"}, "has 2 open schedules"),
        ({"order_line": "4"}, "has no open schedule"),
    ],
)
def test_an_invoice_that_does_not_fit_its_order_parks(
    site: Site, people: PeopleSoft, changes: dict[str, Any], said: str
) -> None:
    site.add("ML_PO_LINE", line(101, 3), line(101, 3, 2), line(101, 4, **{"A.CANCEL_STATUS": "C"}))
    own = {name: value for name, value in changes.items() if hasattr(InvoiceLine, name) and name != "supplier"}
    on_line = {name: value for name, value in own.items() if name in ("unit", "purchase_order", "order_line")}
    on_head = {name: value for name, value in changes.items() if name not in on_line}
    given = invoice(**on_head)
    given = attrs.evolve(given, lines=[attrs.evolve(given.lines[0], **on_line), *given.lines[1:]])
    with pytest.raises(mc.InvalidDocument) as caught:
        prepared(people, given)
    assert any(said in fault for fault in caught.value.faults)
    assert not site.messages


def test_schedules_are_allocated_by_rule_and_prices_are_flagged(site: Site, people: PeopleSoft) -> None:
    site.add("ML_PO_LINE", line(101, 3), line(101, 3, 2, **{"B.PRICE_PO": Decimal(13)}))
    given = invoice()
    third = attrs.evolve(given, lines=[attrs.evolve(given.lines[0], order_line="3"), given.lines[1]])
    made = prepared(people, third, allocation=lambda _line, ordered: ordered[-1].extras["SCHED_NBR"])
    assert "<SCHED_NBR>2</SCHED_NBR>" in made.payload
    exact = attrs.evolve(given, lines=[attrs.evolve(given.lines[0], order_line="3.2"), given.lines[1]])
    made = prepared(people, exact)
    assert "<LINE_NBR>3</LINE_NBR><SCHED_NBR>2</SCHED_NBR>" in made.payload
    assert made.attention == ("line 1: price 12.05, ordered at 13",)


@pytest.mark.parametrize(("currency", "amounts"), [("USD", ["33.33", "33.34"]), ("JPY", ["33", "34"])])
def test_what_lines_come_to_is_whole_units_of_the_currency(currency: str, amounts: list[str]) -> None:
    lines = [InvoiceLine(number=str(n), quantity=Decimal(1), unit_price=Decimal("33.333")) for n in (1, 2)]
    assert [str(one) for one in _amounts(lines, 1, smallest_unit(currency), [])] == amounts


def test_more_than_was_ordered_is_submitted_and_flagged(site: Site, people: PeopleSoft) -> None:
    site.add("ML_PO_LINE", line(101, 3), line(101, 4, **{"B.QTY_PO": 9}))
    given = invoice()
    for number, said in (("3", ()), ("4", ("line 1: quantity 10, ordered 9",))):
        lines = [attrs.evolve(given.lines[0], order_line=number), *given.lines[1:]]
        assert prepared(people, attrs.evolve(given, lines=lines)).attention == said


def test_an_order_that_cannot_be_read_parks_the_invoice(site: Site, people: PeopleSoft) -> None:
    site.rows["ML_PO_LINE"][0]["B.QTY_PO"] = "many"
    with pytest.raises(mc.InvalidDocument, match="cannot be read"):
        prepared(people, invoice())


def test_a_change_after_the_voucher_was_sent_parks(people: PeopleSoft) -> None:
    with pytest.raises(mc.InvalidDocument, match="changed after its voucher was sent"):
        people.target("vouchers").prepare(Change(document=invoice(), action="change", key="K1"))


@attrs.frozen
class Inbox:
    invoices: list[Invoice]
    system: str = "cleo"
    kind: str = "invoices"
    filters: Mapping[str, Any] = attrs.Factory(dict)
    overlap: dt.timedelta = dt.timedelta(0)
    resumable: bool = True

    def read(self, window: Window) -> Iterator[Batch[Invoice]]:
        origin = Provenance(system="cleo", kind="invoices", key="FICT-1001")
        yield Batch(documents=[attrs.evolve(one, provenance=origin) for one in self.invoices], last=True)


@pytest.mark.parametrize("drop", [None, "after"])
def test_a_delivery_stays_in_doubt_until_the_voucher_is_seen(site: Site, people: PeopleSoft, drop: Any) -> None:
    if drop:
        site.fail(drop=drop, match="HttpListeningConnector")
    with mc.Ledger(":memory:", actor="test", clock=site.clock) as ledger:
        sync = mc.Sync(
            "inbound", records=Records(Inbox([invoice()])), target=people.target("vouchers"), ledger=ledger,
            begin="everything",
        )  # fmt: skip
        sync.run()
        (row,) = ledger.deliveries()
        assert row.state == "in doubt"
        site.clock.advance(dt.timedelta(hours=1))
        sync.run()
        assert ledger.deliveries()[0].state == "in doubt"
        site.build()
        sync.run()
        assert ledger.deliveries()[0].state == "delivered"
        assert len(site.messages) == 1


def test_a_voucher_that_never_shows_is_parked_and_not_sent_again(site: Site, people: PeopleSoft) -> None:
    with mc.Ledger(":memory:", actor="test", clock=site.clock) as ledger:
        target = people.target("vouchers")
        sync = mc.Sync("in", records=Records(Inbox([invoice()])), target=target, ledger=ledger, begin="everything")
        for _ in range(4):
            sync.run()
            site.clock.advance(dt.timedelta(hours=13))
        assert ledger.deliveries()[0].state == "parked"
        assert len(site.messages) == 1


def test_a_staged_voucher_is_no_voucher_yet_and_a_failed_look_up_says_nothing(site: Site) -> None:
    site.add("SITE_STAGED")
    site.builds = True
    queries = {"staged_vouchers": "SITE_STAGED"}
    with site.client(**MESSAGES, queries=queries) as people:
        target = people.target("vouchers")
        assert isinstance(target, Target)
        assert isinstance(people, Sink)
        made = target.prepare(Change(document=invoice(), key="K1"))
        (doubt,) = target.deliver([made.rendered(None)])
        assert isinstance(doubt, mc.DeliveryInDoubt)
        assert "transaction T1. It is staged, and no voucher yet" in doubt.message
        before = target.find(made.before_intent())
        assert before is not None
        assert (before.pending, before.by, before.id) == (True, "marker", None)
        site.builds = False
        site.build(**{"A.ENTRY_STATUS": "R"})
        found = target.find(made.rendered(None))
        assert found is not None
        assert (found.pending, found.id) == (False, "US001/00000777")
        (receipt,) = target.deliver([made.rendered(None)])
        assert isinstance(receipt, mc.Receipt)
        site.fail(status=403, times=9, match="ExecuteQuery")
        (doubt,) = target.deliver([made.rendered(None)])
        assert isinstance(doubt, mc.DeliveryInDoubt)
        assert "the look-up failed" in doubt.message


def test_after_sending_a_voucher_without_our_mark_is_found_by_content(site: Site, people: PeopleSoft) -> None:
    target = people.target("vouchers")
    made = target.prepare(Change(document=invoice(), key="K1"))
    assert target.find(made) is None
    target.deliver([made.rendered(None)])
    site.build(**{"A.DESCR254_MIXED": " "})
    with pytest.raises(mc.TargetChanged):
        target.find(made.before_intent())
    found = target.find(made.rendered(None))
    assert found is not None
    assert found.by == "content"


COMPONENT = ComponentInterface(name="ML_CI", namespaces={"Update": "http://x/M3.V1"})


def test_a_component_interface_creates_the_voucher_under_ws_security(site: Site) -> None:
    with site.client(voucher_component=COMPONENT) as people:
        receipt = people.create_voucher(invoice())
        target = people.target("vouchers", look_up="reliable", settle_after=dt.timedelta(minutes=1))
        made = target.prepare(Change(document=invoice(), key="K1")).rendered(None)
        assert [one.id for one in target.deliver([made])] == ["US001/00000888"]
        assert target.settle_after == dt.timedelta(minutes=1)
    assert (receipt.id, receipt.pending) == ("US001/00000888", False)
    text = site.envelopes[0]
    assert 'xmlns:m="http://x/M1.V1"' in text
    assert "<m:Create__CompIntfc__ML_CI><m:BUSINESS_UNIT>US001</m:BUSINESS_UNIT>" in text
    assert "<m:VOUCHER_LINE><m:BUSINESS_UNIT>US001</m:BUSINESS_UNIT>" in text
    assert "#PasswordText" in text
    assert "A widget &amp; more" in text
    call = next(call for call in site.calls if call.method == "POST")
    assert call.headers["soapaction"] == "CI_ML_CI_C.V1"
    assert sum(call.path.endswith("/CI_ML_CI.1.wsdl") for call in site.calls) == 1


def test_a_refused_save_is_a_normal_answer_and_read(site: Site) -> None:
    site.refusal = "Invalid vendor simulated-password"
    with site.client(voucher_component=COMPONENT) as people, pytest.raises(RequestRefused, match="Invalid vendor") as e:
        people.create_voucher(invoice())
    assert site.password not in str(e.value)
    assert e.value.refused


def test_soap_needs_a_user_and_takes_its_own(site: Site) -> None:
    good = mc.HTTPBasic(site.username, site.password)
    token = mc.OAuth2ClientCredentials("i", "s", token_url="https://idp.example/t")
    get = {"BUSINESS_UNIT": "US001", "VOUCHER_ID": "1"}
    with site.client(auth=token, soap_auth=good) as people:
        assert people.run_component(COMPONENT, "Get", get).raw == {"BUSINESS_UNIT": "US001", "VOUCHER_ID": "1"}
        with pytest.raises(mc.InvalidArgument):
            people.run_component(COMPONENT, "Delete", get)
    with site.client(auth=mc.OAuth2ClientCredentials("i", "s", token_url="https://idp.example/t")) as people:
        with pytest.raises(mc.InvalidArgument, match="soap_auth"):
            people.run_component(COMPONENT, "Get", get)
    with site.client(soap_auth=mc.HTTPBasic("MLCONN", "bad-password")) as people:
        with pytest.raises(mc.AuthenticationFailed, match=r"User password failed. \(158,45\) \[ANONYMOUS\]") as caught:
            people.run_component(COMPONENT, "Update", get)
        assert "bad-password" not in str(caught.value)
        assert "login refused" in caught.value.message
        assert "checks user and password" in caught.value.cure
        count = len(site.calls)
        with pytest.raises(mc.AuthenticationFailed):
            people.run_component(COMPONENT, "Update", get)
        assert len(site.calls) == count


class Bearer:
    def headers(self, send: Any) -> Mapping[str, str]:
        return {"Authorization": "Bearer good"}

    def rejected(self, headers: Mapping[str, str], send: Any) -> bool:
        return False

    def logout(self, send: Any) -> None: ...


def test_a_token_is_no_password(site: Site) -> None:
    with site.client(auth=Bearer()) as people, pytest.raises(mc.InvalidArgument, match="auth= has none"):
        people.run_component(COMPONENT, "Get", {})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("<E><Fault><faultstring>null</faultstring></Fault></E>", 200),
        ("<E><Fault><faultstring>boom</faultstring></Fault></E>", 500),
        ("<html>", 200),
        ("<Fault", 200),
        ("<E/>", 200),
        ("", 503),
    ],
)
def test_a_fault_of_a_write_leaves_it_in_doubt(site: Site, body: str, status: int) -> None:
    site.fail(body=body or "down", status=status, match="POST")
    with site.client() as people, pytest.raises(mc.DeliveryInDoubt):
        people.run_component(COMPONENT, "Update", {"N": Decimal("1.50"), "D": dt.date(2026, 1, 2), "IN": {"A": "b"}})
    assert len(site.calls) == 1


def test_a_namespace_that_no_wsdl_names_must_be_given(site: Site) -> None:
    with site.client() as people:
        with pytest.raises(mc.VendorFault, match="names no namespace") as caught:
            people.components.call(COMPONENT, "Find", {})
        assert 'namespaces={"Find"' in caught.value.cure
        site.fail(body="no xml", match="wsdl")
        with pytest.raises(mc.VendorFault, match="names no namespace"):
            people.components.call(COMPONENT, "Find", {})


def test_soap_1_2_carries_the_action_in_its_content_type(site: Site) -> None:
    component = ComponentInterface(
        name="A_VERY_LONG_COMPONENT_INTERFACE", soap="1.2", namespaces={"Get": "u"}, date_format="%Y/%m/%d"
    )
    with site.client() as people:
        people.run_component(component, "Get", {"AS_OF": dt.date(2026, 1, 2), "ROWS": [{"A": "1"}, {"A": "2"}]})
    call = site.calls[-1]
    assert call.headers["content-type"] == (
        "application/soap+xml; charset=UTF-8; action=CI_A_VERY_LONG_COMPONENT_INTER.V1"
    )
    assert "2003/05/soap-envelope" in site.envelopes[0]
    assert "<m:AS_OF>2026/01/02</m:AS_OF><m:ROWS><m:A>1</m:A></m:ROWS>" in site.envelopes[0]


def test_acknowledgments_go_to_what_the_site_has_for_them(site: Site, people: PeopleSoft) -> None:
    document = OrderAcknowledgment(order_number="0000000101", verdict="AD")
    by_message = people.target("acknowledgments", operation="POA.v1", message=lambda one: f"<POA>{one.verdict}</POA>")
    made = by_message.prepare(Change(document=document, key="K1")).rendered(None)
    assert by_message.look_up == "none"
    assert by_message.content(document) == document.fingerprint
    (receipt,) = by_message.deliver([made])
    assert isinstance(receipt, mc.Receipt)
    assert receipt.pending
    assert site.messages == ["<POA>AD</POA>"]
    with pytest.raises(mc.DeliveryInDoubt):
        by_message.find(made)
    by_component = people.target("statuses", component=COMPONENT, properties=lambda one: {"PO_ID": one.order_number})
    made = by_component.prepare(Change(document=document, key="K1")).rendered(None)
    assert by_component.deliver([made]) == [mc.Receipt(system="peoplesoft")]
    assert "<m:Update__CompIntfc__ML_CI><m:PO_ID>0000000101</m:PO_ID>" in site.envelopes[-1]


def test_targets_that_cannot_be_meant_are_refused(site: Site, people: PeopleSoft) -> None:
    for options in ({}, {"operation": "A"}, {"component": COMPONENT, "properties": dict, "action": "Get"}):
        with pytest.raises(mc.InvalidArgument):
            people.target("statuses", **options)
    with pytest.raises(mc.InvalidArgument, match="no target"):
        people.target("orders")
    with pytest.raises(mc.InvalidArgument, match="look_up='reliable'"):
        people.target("vouchers", look_up="reliable")
    for option in ("settle_after", "look_back"):
        with pytest.raises(mc.InvalidArgument, match=option):
            people.target("vouchers", **{option: dt.timedelta(seconds=-1)})
    with site.client(voucher_component=COMPONENT) as other, pytest.raises(mc.InvalidArgument):
        other.target("vouchers", look_up="none")
    assert people.target("vouchers").content(invoice()) == invoice().fingerprint
    assert people.auth is not None
    assert people.timeout.read == 180
    assert people.clock is site.clock
