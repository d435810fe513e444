"""Bank accounts and tax ids stand in no listing, report or audit."""

from __future__ import annotations

import pytest

import mlconnector as mc
from mlconnector.delivery._masking import masked
from tests.delivery.model import LOST, Desk, Model

TAX_ID = "12-3456789"


@pytest.mark.parametrize(
    ("value", "shown"), [("12-3456789", "***6789"), ("1234567", "***"), ("123", "123"), ("12345678", "***5678")]
)
def test_the_last_digits_are_shown(value: str, shown: str) -> None:
    assert masked(f"two vendors have {value}", f'{{"tax_id":"{value}"}}') == f"two vendors have {shown}"
    assert masked(value, f'{{"extras":{{"Vendor_IBAN":"{value}"}}}}') == shown
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
