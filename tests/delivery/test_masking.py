"""Bank accounts and tax ids stand in no listing, report or audit."""

from __future__ import annotations

import logging

import attrs
import pytest

import mlconnector as mc
from mlconnector.delivery._masking import masked
from tests.delivery.model import HOUR, LOST, Desk, Model

TAX_ID = "12-3456789"


@pytest.mark.parametrize(
    ("value", "shown"), [("12-3456789", "***6789"), ("1234567", "***"), ("123", "123"), ("12345678", "***5678")]
)
def test_the_last_digits_are_shown(value: str, shown: str) -> None:
    assert masked(f"two vendors have {value}", f'{{"tax_id":"{value}"}}') == f"two vendors have {shown}"
    assert masked(value, f'{{"extras":{{"Vendor_IBAN":"{value}"}}}}') == shown
    assert masked(value, f'{{"extras":{{"BPR15":"{value}"}}}}') == shown
    assert masked(value, f'{{"account":"{value}"}}') == value


def test_what_a_target_says_of_a_tax_id_is_kept_without_it(model: Model) -> None:
    said = f"two vendors have the tax id {TAX_ID}"
    model.desk.script = [mc.InvalidDocument("no", faults=(said,)), mc.DeliveryInDoubt(said)]
    model.desk.hidden = True
    for key in "ab":
        model.table.put(key, key, tax_id=TAX_ID)
    report = model.sync().run()
    told = [*map(repr, model.ledger.deliveries()), str(report), *map(str, model.ledger.history("a"))]
    told += [str(dict(row)) for row in model.ledger.store.read("SELECT facts FROM audit")]
    assert "***6789" in "".join(told)
    assert TAX_ID not in "".join(told)
    assert model.ledger.deliveries(key="a")[0].document.tax_id == TAX_ID


class Talkative(Desk):
    def find(self, prepared: mc.Prepared) -> mc.Receipt | None:
        return mc.Receipt(id="1", raw={"taxId": TAX_ID})


def test_an_answer_is_kept_without_it(model: Model) -> None:
    model.desk = Talkative()
    model.table.put("a", "one", tax_id=TAX_ID)
    model.desk.script = [("after", LOST)]
    model.sync().run()
    (event,) = [event for event in model.ledger.history("a") if event.event == "delivered"]
    assert event.facts["said"] == {"taxId": "***6789"}


class Gossip(Desk):
    """Names the tax id wherever a target can say something."""

    def prepare(self, change: mc.Change[mc.Supplier]) -> mc.Prepared:
        prepared = super().prepare(change)
        return attrs.evolve(prepared, attention=(f"a second supplier has {TAX_ID}",))


def test_every_listing_masks_what_is_said_of_a_document(model: Model, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = f"about {TAX_ID}"
    model.desk = Gossip(look_before_create=True)
    model.desk.find_raises = mc.VendorFault(said)
    model.table.put("a", "one", tax_id=TAX_ID)
    reports = [model.sync().run()]
    model.desk.find_raises = None
    throttled = mc.RateLimited(said)
    throttled.repeat_safe = True
    model.desk.script = [throttled, ("before", LOST)]
    reports.append(model.sync().run())
    reports.append(model.sync().run())
    model.desk.find_raises = mc.VendorFault(said)
    model.clock.advance(HOUR)
    reports.append(model.sync().run())
    model.ledger.recover(actor="jane", reason="tried")
    model.clock.advance(HOUR)
    reports.append(model.sync().run())
    model.desk.find_raises = None
    model.clock.advance(HOUR)
    model.desk.script = [mc.InvalidDocument(said)]
    reports.append(model.sync().run())
    reports.append(model.sync().run())
    ledger = model.ledger
    told = [*map(str, reports), repr(ledger.deliveries()), str(ledger.history("a")), caplog.text]
    told += [str(ledger.attention()), str(ledger.worklist.items()), repr(ledger.worklist.items())]
    told += [str(tuple(row)) for row in ledger.store.read("SELECT facts FROM audit")]
    assert {"look-up", "not acted", "in doubt", "parked", "attention"} <= {one.event for one in ledger.history("a")}
    assert "".join(told).count("***6789") > 5
    assert TAX_ID not in "".join(told)
