"""Several key ranges read at once: every row once, in order, whatever the keys look like and whatever changes."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector.records import Batch, Records, Span, Window
from mlconnector.testing import CoupaSimulator, FusionSimulator, JDEdwardsSimulator, ManualClock, orders

START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)


@attrs.define
class Table:
    """A table of numbers, asked page by page.

    Args:
        clock: Goes on a second a call. ``asked``: after and up to which key pages were asked for.
        meanwhile: Called before every page.
    """

    keys: list[int]
    size: int = 3
    at_once: int | None = None
    meanwhile: Any = None
    asked: list[tuple[int | None, int | None]] = attrs.Factory(list)
    most: int = 0
    clock: ManualClock = attrs.Factory(lambda: ManualClock(START))
    system: str = "model"
    kind: str = "suppliers"
    resumable: bool = True
    filters: Mapping[str, Any] = MappingProxyType({})
    overlap: dt.timedelta = dt.timedelta(0)
    _now: int = 0
    _lock: Any = attrs.Factory(threading.Lock)

    @property
    def ranges_at_once(self) -> int | None:
        return self.at_once

    def read(self, window: Window) -> Iterator[Batch[mc.Supplier]]:
        for span in self.spans(window, window.position, None):
            yield span.batch

    def walks(self, _window: Window) -> bool:
        return True

    def spans(self, window: Window, after: int | None, upto: int | None) -> Iterator[Span[Batch[mc.Supplier]]]:
        last = window.position if after is None else after
        while True:
            with self._lock:
                self._now += 1
                self.most = max(self.most, self._now)
                self.asked.append((last, upto))
                self.clock.advance(1)
                if self.meanwhile is not None:
                    self.meanwhile(self)
                fit = [key for key in sorted(self.keys) if (last is None or key > last) and key <= (upto or 10**12)]
            page = [key for key in fit if window.keys is None or str(key) in window.keys][: self.size]
            with self._lock:
                self._now -= 1
            ended = len(page) < self.size
            batch = Batch(
                documents=[_supplier(key) for key in page],
                position=page[-1] if page else last,
                clock=self.clock.now(),
                last=ended,
            )
            low, high = (page[0], page[-1]) if page else (None, None)
            yield Span(batch=batch, rows=len(page), size=self.size, low=low, high=high, last=ended)
            if ended:
                return
            last = high

    def highest(self, _window: Window) -> int | None:
        return max(self.keys, default=None)


def _supplier(key: int) -> mc.Supplier:
    origin = mc.Provenance(system="model", kind="suppliers", key=str(key), updated_at=START)
    return mc.Supplier(number=str(key), name=f"name {key}", provenance=origin)


def _numbers(records: Records[Any]) -> list[int]:
    return [int(one.number) for one in records]


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("mlconnector")]


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.one_of(st.integers(1, 60), st.integers(1, 10**6)), unique=True, max_size=120),
    st.integers(1, 9),
    st.integers(1, 6),
)
def test_every_row_comes_once_and_in_order(keys: list[int], size: int, at_once: int) -> None:
    table = Table(keys, size=size)
    records = mc.Records(table).in_ranges(at_once)
    assert _numbers(records) == sorted(keys)
    assert _threads() == []
    plain = mc.Records(Table(keys, size=size))
    assert _numbers(plain) == sorted(keys)
    assert records.cursor is not None
    assert records.cursor["seen"].keys() == plain.cursor["seen"].keys()  # type: ignore[index]


def test_new_rows_and_rows_that_are_gone_lose_and_double_nothing() -> None:
    def meanwhile(table: Table) -> None:
        table.keys.append(max(table.keys) + 1 + len(table.asked) % 3)
        table.keys[:] = [key for key in table.keys if key != 7 * len(table.asked)]

    table = Table([*range(1, 300)], size=10, meanwhile=meanwhile)
    found = _numbers(mc.Records(table).in_ranges(4))
    assert found == sorted(set(found))
    removed = {7 * number for number in range(400)}
    assert {key for key in range(1, 300) if key not in removed} <= set(found)
    assert max(found) > 300


def test_the_pass_begins_by_the_clock_with_its_first_answer() -> None:
    table = Table([*range(100)], size=5)
    (first, *others) = mc.Records(table).in_ranges(4).pages()
    assert {page.clock for page in others} == {first.clock} == {START + dt.timedelta(seconds=1)}
    assert [page.last for page in (first, *others)][-2:] == [False, True]


def test_a_pass_is_taken_up_where_it_was_cut_with_or_without_ranges() -> None:
    table = Table([*range(1, 100)], size=5)
    records = mc.Records(table).in_ranges(3)
    seen: list[int] = []
    for page in records.pages():
        seen += [int(one.number) for one in page.documents]
        cursor = page.cursor
        if len(seen) > 30:
            break
    assert _threads() == []
    for rest in (records.continue_from(cursor), mc.Records(table).continue_from(cursor)):
        assert [*seen, *_numbers(rest)] == [*range(1, 100)]


def test_a_range_that_turns_out_full_is_read_on_in_its_turn_and_holds_few_pages() -> None:
    """Few rows at first, then thousands: the first wide range is read on piece by piece."""
    keys = [*range(1, 5000, 1000), *range(100_000, 103_000)]
    table = Table(keys, size=5)
    pages = mc.Records(table).in_ranges(2).pages()
    for _ in range(20):
        next(pages)
    # Twenty that were handed out, one ahead of them, and at most four for each of two ranges; and those found empty.
    assert len(table.asked) < 60
    pages.close()
    assert _threads() == []
    assert _numbers(mc.Records(table).in_ranges(2)) == keys


def test_an_error_in_a_range_comes_in_its_turn_and_ends_the_pass() -> None:
    def meanwhile(table: Table) -> None:
        if len(table.asked) == 6:
            raise mc.VendorFault("no answer")

    table = Table([*range(1, 200)], size=5, meanwhile=meanwhile)
    found: list[int] = []
    with pytest.raises(mc.VendorFault):
        found.extend(int(one.number) for one in mc.Records(table).in_ranges(3))
    assert found == [*range(1, len(found) + 1)]
    assert _threads() == []


def test_named_keys_and_a_few_documents_are_read_as_ever() -> None:
    table = Table([*range(1, 100)], size=5)
    records = mc.Records(table).in_ranges(3)
    assert _numbers(records.only(["7"])) == [7]
    assert _numbers(mc.Records(table, limit=3).in_ranges(3)) == [1, 2, 3]
    assert {upto for _after, upto in table.asked} == {None}


@pytest.mark.parametrize("wrong", [0, True, "2", 5])
def test_a_number_that_cannot_be_meant_is_refused(wrong: Any) -> None:
    records = mc.Records(Table([1], at_once=4)).in_ranges(4)
    with pytest.raises(mc.InvalidArgument, match=f"max_in_flight={wrong!r}"):
        records.in_ranges(wrong)
    assert repr(records.in_ranges(2)) == "<Records model suppliers>"


def test_a_read_that_is_no_walk_by_number_is_refused() -> None:
    with FusionSimulator() as pod, pod.client() as fusion, JDEdwardsSimulator() as erp, erp.client() as jde:
        reads = (
            fusion.rows("invoices", columns=["InvoiceId"], order_by=["InvoiceDate"]),
            jde.rows("F0901", columns=["MCU"]),
            jde.purchase_orders(),
        )
        for records in reads:
            with pytest.raises(mc.InvalidArgument, match="numeric key"):
                records.in_ranges(2)
        with pytest.raises(mc.InvalidArgument, match="max_in_flight=5: the client allows 4"):
            fusion.invoices().in_ranges(5)


def test_coupa_is_read_in_ranges_at_its_own_pace() -> None:
    clock = ManualClock(START)
    with CoupaSimulator(clock=clock) as coupa, coupa.client() as client:
        for number in range(430):
            coupa.add(mc.Supplier(number=str(number), name=f"Name {number}"))
        plain = list(client.suppliers())
        coupa.forget_calls()
        coupa.fail(times=100, delay=0.05, match="suppliers")
        assert list(client.suppliers().in_ranges(4)) == plain
        assert 2 <= coupa.max_in_flight_seen <= 4
        assert len([call for call in coupa.calls if "suppliers" in call.path]) <= 20
        rows = client.rows("suppliers", columns=["id", "number"])
        assert list(rows.in_ranges(4)) == list(rows)
        with pytest.raises(mc.InvalidArgument):
            client.rows("suppliers", columns=["id"], order_by=["name"]).in_ranges(2)


def _invoice(number: int, lines: int) -> mc.Invoice:
    return mc.Invoice(
        number=str(300_000_000_000 + 3 * number),
        type="Standard",
        supplier_invoice_number=f"INV-{number}",
        date=START.date(),
        supplier=mc.Party(number="4343", name="Supplier"),
        company="US1 Business Unit",
        currency="USD",
        gross=Decimal(lines),
        lines=tuple(
            mc.InvoiceLine(number=str(line), description="Bolt", amount=Decimal(1)) for line in range(1, lines + 1)
        ),
    )


def test_fusion_is_read_in_ranges_with_the_lines_of_its_invoices() -> None:
    with FusionSimulator() as pod, pod.client(page_size=50) as fusion:
        for number in range(330):
            pod.add(_invoice(number, lines=30 if number % 40 == 7 else 1))
        plain = list(fusion.invoices())
        pod.forget_calls()
        pod.fail(times=200, delay=0.02, match="invoices")
        assert list(fusion.invoices(since=START - dt.timedelta(days=999)).in_ranges(4)) == plain
        assert 2 <= pod.max_in_flight_seen <= 4
        rows = fusion.rows("invoices", columns=["InvoiceNumber"])
        assert list(rows.in_ranges(3)) == list(rows)
        assert list(fusion.invoices(where=[("InvoiceId", "<", 0)]).in_ranges(3)) == []


def test_jd_edwards_is_read_in_ranges_only_when_the_client_was_told() -> None:
    with JDEdwardsSimulator() as erp:
        erp.add(orders(450, lines=5))
        columns = ["LNID", "UORG"]
        with erp.client() as jde:
            plain = list(jde.rows("F4311", columns=columns))
            with pytest.raises(mc.InvalidArgument, match="the client allows 1"):
                jde.rows("F4311", columns=columns).in_ranges(3)
        with erp.client(max_in_flight=3) as jde:
            erp.forget_calls()
            erp.fail(times=100, delay=0.02, match="dataservice")
            found = list(jde.rows("F4311", columns=columns).in_ranges(3))
            assert [(row["F4311_DOCO"], row["F4311_LNID"]) for row in found] == [
                (row["F4311_DOCO"], row["F4311_LNID"]) for row in plain
            ]
            assert 2 <= erp.max_in_flight_seen <= 3
            assert erp.max_open_sessions == 1
            assert list(jde.rows("F4311", columns=columns, where=[("DOCO", "<", 0)]).in_ranges(3)) == []
