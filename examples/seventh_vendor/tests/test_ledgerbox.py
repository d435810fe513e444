"""The seventh vendor keeps the promises that the six keep."""

import datetime as dt
import functools
from decimal import Decimal

import attrs
import pytest
from ledgerbox.simulator import LedgerboxSimulator

import mlconnector as mc
from mlconnector.testing import ManualClock, conformance


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def simulator(clock):
    with LedgerboxSimulator(clock=clock) as running:
        for number in range(1, 9):
            running.add(number=f"R-{number}", vendor="42", date="2026-02-27", currency="USD", total=f"{number}0.10")
        clock.advance(dt.timedelta(hours=2))
        yield running


def invoice(number, **fields):
    given = {
        "supplier_invoice_number": f"S-{number}",
        "date": dt.date(2026, 3, 1),
        "supplier": mc.Party(number="42"),
        "currency": "USD",
        "gross": Decimal("12.50"),
        "provenance": mc.Provenance(system="jdedwards", kind="invoices", key=f"00001/PV/{number}"),
        **fields,
    }
    return mc.Invoice(number=str(number), **given)


def test_it_is_a_source(simulator, clock):
    def change():
        clock.advance(dt.timedelta(hours=1))
        simulator.update("inv000003", total="99.99")
        return "inv000003"

    make = functools.partial(simulator.client, page_size=3)
    conformance.source(make, "invoices", change=change, secrets=[simulator.password])


def test_it_is_a_sink(simulator, clock):
    conformance.sink(simulator.client, "invoices", secrets=[simulator.password])
    conformance.target(
        simulator.client,
        "invoices",
        [invoice(number) for number in range(101, 106)],
        contents=lambda: simulator.contents,
        clock=clock,
        changed=lambda one: attrs.evolve(one, gross=Decimal("13.00")),
        refused=invoice(109, gross=Decimal("0.125"), currency=None),
        tamper=lambda key: simulator.update(key, total="1.00", revision=9),
        lose_answer=lambda: simulator.fail(drop="after", match="POST /api/invoices"),
        secrets=[simulator.password],
    )


def test_a_row_without_a_currency_is_handed_over_with_its_faults(simulator):
    simulator.add(number="R-9", vendor="42", date="2026-02-27", currency="", total="")
    with simulator.client() as client:
        (page,) = client.invoices().pages()
        (rejected,) = page.rejected
    assert rejected.faults == ("currency is missing", "total is missing")


def test_the_check_proves_the_login(simulator):
    with simulator.client() as client:
        assert client.check().ok
    simulator.fail(status=500)
    with simulator.client(retry=mc.Retry(attempts=1)) as client:
        assert "FAIL" in str(client.check())


def test_its_credentials_can_be_kept_under_a_name(simulator):
    fields = {"kind": "LedgerboxSession", "username": simulator.username, "password": simulator.password}
    with simulator.client(auth=mc.stored("acme-ledgerbox", sources=fields)) as client:
        assert len(list(client.invoices())) == 8
    wrong = mc.stored("acme-ledgerbox", sources={**fields, "password": "wrong"})
    with simulator.client(auth=wrong) as client, pytest.raises(mc.AuthenticationFailed):
        list(client.invoices())
