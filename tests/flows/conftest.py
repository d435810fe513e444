"""Both simulators, both clients, one partner for every supplier."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import attrs
import pytest

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.testing import CleoSimulator, JDEdwardsSimulator, ManualClock

SUPPLIERS = [str(number) for number in range(4343, 4393)]
PARTNER = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"), usage="T")
CONNECTION = {"alias": "ACME", "outbox": "outbox/ACME", "sentbox": "sent/ACME"}
ASKABLE = flows.Route(SUPPLIERS, PARTNER, folder="outbox/ACME", sentbox="sent/ACME", connection="ACME")
"""A route of which absence proves something, where its connection is there."""


@attrs.define
class World:
    """Everything a flow needs, on one clock."""

    clock: ManualClock
    erp: JDEdwardsSimulator
    network: CleoSimulator
    jde: mc.JDEdwardsAIS
    cleo: mc.Cleo
    ledger: mc.Ledger

    def flow(self, **options: object) -> mc.Flow:
        routes = options.pop("routes", [flows.Route(SUPPLIERS, PARTNER, folder="outbox/ACME")])
        return flows.jde_to_cleo(self.jde, self.cleo, ledger=self.ledger, routes=routes, **options)

    def texts(self) -> list[str]:
        """Every file ever uploaded, as text."""
        return [content.decode() for path, content in sorted(self.network.contents.items())]


@pytest.fixture
def world() -> Iterator[World]:
    clock = ManualClock(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC))
    with (
        JDEdwardsSimulator(clock=clock) as erp,
        CleoSimulator(clock=clock) as network,
        mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password), clock=clock, timeout=20) as jde,
        mc.Cleo(
            network.url, auth=mc.OAuth2Password(network.username, network.password), clock=clock, timeout=20
        ) as cleo,
        mc.Ledger(":memory:", actor="test", clock=clock) as ledger,
    ):
        yield World(clock, erp, network, jde, cleo, ledger)
