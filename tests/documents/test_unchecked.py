"""What is made without converters is the very same object where the values are clean."""

from __future__ import annotations

import datetime as dt
import pickle
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector.documents import InvoiceLine, OrderLine, ReadOnly, Schedule, unchecked

AMOUNTS = st.none() | st.decimals(allow_nan=False, allow_infinity=False)
TEXTS = st.text(max_size=5)
CLEAN: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXTS,
    "Decimal | None": AMOUNTS,
    "dt.date | None": st.none() | st.dates(),
    "Mapping[str, str]": st.dictionaries(TEXTS, TEXTS, max_size=2).map(ReadOnly),
    "Mapping[str, Any]": st.dictionaries(TEXTS, AMOUNTS, max_size=2).map(ReadOnly),
    "tuple[Schedule, ...]": st.lists(st.builds(Schedule, date=st.dates(), quantity=AMOUNTS), max_size=2).map(tuple),
    "Party | None": st.none() | st.builds(mc.Party, number=TEXTS),
}
LINES = pytest.mark.parametrize("line", [OrderLine, InvoiceLine])


@LINES
@given(st.data())
def test_it_is_what_the_class_makes(line: Any, data: st.DataObject) -> None:
    fields = {field.name: CLEAN[field.type] for field in attrs.fields(line) if field.name != "number"}
    values = data.draw(st.fixed_dictionaries({"number": TEXTS}, optional=fields))
    made, usual = unchecked(line)(**values), line(**values)
    assert type(made) is line
    assert (made, repr(made), hash(made)) == (usual, repr(usual), hash(usual))
    assert pickle.loads(pickle.dumps(made)) == usual
    assert attrs.evolve(made, number="7") == attrs.evolve(usual, number="7")


@pytest.mark.parametrize("document", [OrderLine, InvoiceLine, mc.PayItem, mc.PurchaseOrder, mc.Invoice])
def test_it_is_frozen_like_any_other(document: Any) -> None:
    made = unchecked(document)(number="1")
    assert type(made) is document
    assert made == document(number="1")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.number = "2"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del made.number
    assert made.number == "1"


def test_a_name_that_is_no_field_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        unchecked(OrderLine)(number="1", colour="red")  # type: ignore[call-arg]


def test_a_class_of_another_layout_is_refused_at_the_first_object() -> None:
    with pytest.raises(TypeError, match="layout"):
        unchecked(Schedule)(date=dt.date(2026, 3, 1))
