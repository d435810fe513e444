"""A read made of a function: what a vendor's author, or a job, needs no class for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.records import Batch, Window
from mlconnector.testing import ManualClock

START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
STAMP_WITHOUT_ZONE = START.replace(tzinfo=None)


def supplier(number: str, stamp: dt.datetime | None = START) -> mc.Supplier:
    origin = mc.Provenance(system="x", kind="suppliers", key=number, updated_at=stamp)
    return mc.Supplier(number=number, provenance=origin)


def read(function: Any, **options: Any) -> mc.Records[mc.Supplier]:
    return mc.Records.from_pages(function, system="x", kind="suppliers", clock=ManualClock(START), **options)


def test_plain_sequences_are_pages_and_returning_ends_the_pass() -> None:
    def pages(_window: Window) -> Iterator[list[mc.Supplier]]:
        yield [supplier("1"), supplier("2")]
        yield [supplier("3")]

    records = read(pages)
    assert [one.key for one in records] == ["1", "2", "3"]
    assert list(records.continue_from(records.cursor)) == []
    assert repr(records) == "<Records x suppliers>"


def test_a_pass_that_raises_does_not_move_the_watermark() -> None:
    def pages(_window: Window) -> Iterator[list[mc.Supplier]]:
        yield [supplier("1")]
        raise mc.ConnectionFailed("gone")

    records = read(pages)
    with pytest.raises(mc.ConnectionFailed):
        list(records)
    assert records.cursor is not None
    assert records.cursor["watermark"] is None
    assert records.cursor["pass"] is not None


def test_a_batch_carries_the_position_and_ends_the_function() -> None:
    asked: list[Any] = []
    ended: list[bool] = []

    def pages(window: Window) -> Iterator[Batch[mc.Supplier]]:
        asked.append(window.position)
        try:
            if window.position is None:
                yield Batch(documents=[supplier("1")], position="1")
            yield Batch(documents=[supplier("2")], position="2", last=True)
            yield Batch(documents=[supplier("3")])
        finally:
            ended.append(True)

    records = read(pages)
    first = next(records.pages())
    assert [one.key for one in records.continue_from(first.cursor)] == ["2"]
    assert asked == [None, "1"]
    assert ended
    assert [one.key for one in records] == ["1", "2"]


def test_a_function_may_return_a_list_of_pages() -> None:
    assert [one.key for one in read(lambda _window: [[supplier("1")]])] == ["1"]


def test_the_clock_before_the_first_call_caps_the_watermark() -> None:
    clock = ManualClock(START)

    def pages(_window: Window) -> Iterator[list[mc.Supplier]]:
        clock.advance(60)
        yield [supplier("1", clock.now())]

    records = mc.Records.from_pages(pages, system="x", kind="suppliers", clock=clock)
    list(records)
    assert records.cursor is not None
    assert records.cursor["watermark"] == START.isoformat()


@pytest.mark.parametrize(
    "wrong", [{"system": " "}, {"kind": ""}, {"overlap": dt.timedelta(-1)}, {"since": STAMP_WITHOUT_ZONE}]
)
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument):
        mc.Records.from_pages(lambda _window: [], **{"system": "x", "kind": "suppliers", **wrong})
