from __future__ import annotations

from decimal import Decimal

import pytest

from mlconnector import x12
from mlconnector.documents import Party, Provenance
from tests.x12._orders import line, order


@pytest.mark.parametrize(
    "same",
    [
        order(line(status="closed")),
        order(line(received_quantity=Decimal(4), open_quantity=Decimal(6))),
        order(line(account="1.1", cost_center="30", description="x", promised_date=None)),
        order(line(), line("9", kind="text", description="x")),
        order(line(), line("2", status="cancelled")),
        order(line(quantity=Decimal("10.00"), unit_price=Decimal("2.5"), amount=None)),
        order(line(status="cancelled", received_quantity=Decimal(10))),
        order(buyer="x", hold="H", notes=("x",), revision="2", total=Decimal(1), extras={"A": 1}),
        order(provenance=Provenance(system="s", kind="k", key="other")),
        order(waiting_for=("approval",), status="closed"),
    ],
)
def test_what_the_partner_is_not_told_makes_no_revision(same):
    assert x12.order_content(same) == x12.order_content(order())


@pytest.mark.parametrize(
    "other",
    [
        order(line(status="cancelled")),
        order(line(status="cancelled", received_quantity=Decimal(4))),
        order(status="cancelled"),
        order(line(quantity=Decimal(11))),
        order(line(unit_price=Decimal(3))),
        order(line(requested_date=None)),
        order(line(), line("2")),
        order(line(ship_to=Party(number="1"))),
        order(line(kind="amount")),
        order(currency="EUR"),
        order(terms="N30"),
        order(ship_to=None),
        order(drop_ship=True),
        order(line(), line("2", kind="charge", amount=Decimal(1))),
    ],
)
def test_what_the_partner_is_told_makes_a_revision(other):
    assert x12.order_content(other) != x12.order_content(order())


def test_the_amount_counts_where_it_is_told():
    first, second = (order(line(kind="amount", amount=Decimal(amount))) for amount in (1, 2))
    assert x12.order_content(first) != x12.order_content(second)
