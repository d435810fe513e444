"""Budgets of design section 6 that are counts: they hold on any machine. Times are printed by benchmarks/run.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from mlconnector.testing import FusionSimulator, JDEdwardsSimulator, orders


def test_a_thousand_orders_take_sixty_calls_to_read_and_a_poll_few() -> None:
    import calls
    import reading

    _ratio, read = reading.compared("jdedwards", "typed", rounds=1)
    assert read <= 60
    # Two, one for each joined table with a stamp of its own, and one at Cleo.
    assert calls.jde_to_cleo(50, "purchase_orders").idle <= 5


def test_invoices_of_fusion_come_in_few_calls() -> None:
    import calls

    found = calls.fusion_to_cleo(100)
    assert found.read <= 3
    assert found.idle <= 4


def test_a_hundred_bills_take_few_calls_look_ups_included() -> None:
    import calls

    found = calls.jde_to_bill(100)
    assert found.written <= 30


def test_an_order_takes_four_calls_at_coupa_and_one_at_peoplesoft_with_its_lines() -> None:
    import calls

    found = calls.jde_to_coupa(20)
    # Looked up, written, looked at, issued; and what its suppliers, accounts and terms are, once.
    assert found.written <= 4 * 20 + 70
    assert found.idle <= 5
    found = calls.peoplesoft_to_cleo(20)
    assert (found.read <= 23, found.written <= 21, found.idle <= 4) == (True, True, True)


def test_ranges_take_a_third_more_calls_and_no_more() -> None:
    import reading

    counted = {number: calls for number, (_seconds, calls) in reading.in_ranges(0.0, rows=6000, rounds=1).items()}
    assert max(counted.values()) <= counted[1] * 4 / 3 + 4


def test_a_ledger_keeps_a_delivery_in_little_room_and_finds_it_among_many() -> None:
    import ledgers

    rate, size = ledgers.recorded(1000)
    assert rate > 0
    assert size <= 1500
    few, many = ledgers.look_up(500, 10_000)
    assert many < 20 * few


@pytest.mark.parametrize("system", ["jdedwards", "fusion"])
def test_reading_makes_the_calls_of_the_bare_loop_and_no_more(system: str) -> None:
    import reading

    ratio, calls = reading.compared(system, "raw", rounds=1)
    assert calls == (7 if system == "jdedwards" else 3)
    assert ratio > 0


def test_memory_does_not_grow_with_the_number_of_records() -> None:
    import memory

    small, large = memory.peak(5_000), memory.peak(50_000)
    assert large < small + 8


def test_invoices_whose_children_were_cut_are_completed_side_by_side_and_in_order() -> None:
    from pages import invoice

    with FusionSimulator() as erp, erp.client(max_in_flight=3) as fusion:
        for number in range(12):
            erp.add(invoice(number, lines=40 if number % 2 else 2))
        erp.fail(times=100, delay=0.05, match="child")
        found = list(fusion.invoices())
        assert [len(one.lines) for one in found] == [2, 40] * 6
        assert [one.number for one in found] == sorted(one.number for one in found)
        assert 2 <= erp.max_in_flight_seen <= 3
        assert all(one.gross == sum((line.amount or Decimal(0) for line in one.lines), Decimal(0)) for one in found)


def _threads() -> list[str]:
    import threading

    # The simulator's own end with it.
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("mlconnector")]


@pytest.fixture
def vendors() -> Iterator[Sequence[tuple[Any, str]]]:
    from pages import invoice

    with JDEdwardsSimulator() as jde, FusionSimulator() as fusion:
        jde.add(orders(250, lines=1))
        for number in range(300):
            fusion.add(invoice(number, lines=30 if number == 255 else 1))
        yield [(jde, "purchase_orders"), (fusion, "invoices")]


def test_a_pass_abandoned_half_way_leaves_no_thread_and_no_session_behind(vendors: Sequence[tuple[Any, str]]) -> None:
    for vendor, kind in vendors:
        with vendor.client() as client:
            documents = iter(client.read(kind))
            next(documents)
            documents.close()
            assert _threads() == []
            pages = client.read(kind).pages()
            next(pages)
            pages.close()
            assert _threads() == []
        assert getattr(vendor, "open_sessions", 0) == 0
