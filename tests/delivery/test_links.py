"""What a delivery says of both its halves (rule B1), and of a document that is not meant to go."""

from __future__ import annotations

from typing import Any

import pytest

import mlconnector as mc
from mlconnector.delivery import Excluded
from tests.delivery.model import Model


def _open(model: Model) -> list[str]:
    return [text for item in model.ledger.worklist.items("s") for text in item.why]


def test_a_delivery_links_its_two_ids(model: Model) -> None:
    model.table.put("a", "one")
    model.sync(link=("supplier", "erp", "desk")).run()
    assert model.ledger.crosswalk.find("supplier", to="desk", erp="a") == "a"
    assert not _open(model)


def test_a_target_id_of_another_one_is_shown_and_not_taken(model: Model) -> None:
    model.ledger.crosswalk.link("supplier", erp="other", desk="a")
    model.table.put("a", "one")
    model.sync(link=("supplier", "erp", "desk")).run()
    assert model.ledger.crosswalk.find("supplier", to="erp", desk="a") == "other"
    assert any("is linked to another supplier already" in each for each in _open(model))


def test_both_halves_are_found_and_one_of_them_is_asked_for(model: Model) -> None:
    model.table.put("a", "one")
    model.sync().run()
    assert model.ledger.twin("s", key="a") == model.ledger.twin("s", target_id="a") == "a"
    assert model.ledger.twin("s", key="b") is None
    for wrong in ({}, {"key": "a", "target_id": "a"}):
        with pytest.raises(mc.InvalidArgument, match="exactly one"):
            model.ledger.twin("s", **wrong)


@pytest.mark.parametrize(("known", "attention", "shown"), [(True, "gone", 1), (True, "", 0), (False, "gone", 0)])
def test_a_document_left_out_is_shown_only_where_the_target_knows_it(
    model: Model, known: bool, attention: str, shown: int
) -> None:
    def select(document: Any, _known: bool) -> Excluded | None:
        return Excluded("not for the desk", attention=attention) if document.name == "two" else None

    sync = model.sync(select=select)
    if known:
        model.table.put("a", "one")
        sync.run()
    model.table.put("a", "two")
    sync.run()
    assert [name for _, name in model.desk.wrote if name.startswith("two")] == []
    assert len(_open(model)) == shown
