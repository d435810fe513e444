"""An order sent to mock-edi as to a supplier: what comes back reads, and says what the order said."""

from __future__ import annotations

from decimal import Decimal

import pytest
from mockedi.testing import Mock

from mlconnector import x12
from tests.x12._orders import AT, line, order, partner

READERS = {"997": x12.from_997, "855": x12.from_855, "856": x12.from_856, "810": x12.from_810}


@pytest.fixture
def supplier():
    with Mock.start(invoice_delay_ms=0, despatch_delay_ms=0) as mock:
        yield mock


@pytest.mark.parametrize("version", ["004010", "005010"])
def test_an_850_comes_back_as_997_855_856_and_810(supplier, version):
    to = partner(version=version, sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("ZZ", "MOCKEDI"))
    widget = {"item_ids": {"vendor": "WIDGET-001"}, "unit_price": Decimal("12.50"), "amount": Decimal("125.00")}
    sent = x12.interchange(
        [x12.to_850(order(line(**widget), line("2", **widget), number="45001"), to)],
        to,
        control=x12.ControlNumbers(interchange=77, group=7),
        at=AT,
    )
    supplier.partner("ACME", version=version)
    assert supplier.send(sent)["accepted"]
    supplier.advance(everything=True)
    came = {}
    for box in supplier.mailbox(partner="ACME"):
        faults = [one for one in x12.validate(box["payload"]) if one.severity == "error"]
        # mock-edi writes PID and REF of an 855 after ACK; section 7 has them before it.
        assert [str(one) for one in faults if (box["code"], one.rule) != ("855", "order")] == []
        for ts in x12.read(box["payload"]):
            came[ts.code] = READERS[ts.code](ts)
    assert set(came) == set(READERS)
    acknowledged, answer, shipment, invoice = (came[code] for code in ("997", "855", "856", "810"))
    assert (acknowledged.group, acknowledged.verdict) == ("PO/7", "A")
    assert (answer.order_number, answer.verdict) == ("45001", "AD")
    assert [(one.line, one.status, one.quantity) for one in answer.lines] == [
        ("1", "IA", Decimal(10)),
        ("2", "IA", Decimal(10)),
    ]
    assert {one.order_number for one in shipment.items} == {"45001"}
    assert sum(one.quantity for one in shipment.items) == 20
    assert (invoice.purchase_order, invoice.gross) == ("45001", Decimal("250.00"))
    assert [one.amount for one in invoice.lines if one.kind == "item"] == [Decimal("125.00")] * 2
