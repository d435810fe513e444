"""A page is worked on when the request for the next one is on its way, and before its answer is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from mlconnector import _read_ahead
from mlconnector._on_the_wire import gone_out
from mlconnector._read_ahead import read_ahead


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a thread needs to start on a busy machine."""
    monkeypatch.setattr(_read_ahead, "_PATIENCE", 60.0)


@pytest.mark.usefixtures("patient")
def test_the_next_request_goes_out_first() -> None:
    told: list[str] = []
    taken = [threading.Event() for _ in range(3)]

    def pages() -> Iterator[int]:
        yield 0
        for number in (1, 2):
            told.append(f"asked for {number}")
            sent = gone_out.get()
            assert sent is not None
            sent.set()
            assert taken[number - 1].wait(60)
            yield number

    for page in read_ahead(pages(), lambda number: number == 2):
        told.append(f"took {page}")
        taken[page].set()
    assert told == ["asked for 1", "took 0", "asked for 2", "took 1", "took 2"]


@pytest.mark.usefixtures("patient")
def test_a_fetch_that_sends_nothing_is_not_waited_for() -> None:
    assert list(read_ahead(iter([1, 2, 3]), lambda _number: False)) == [1, 2, 3]


@pytest.mark.usefixtures("patient")
def test_a_fetch_that_fails_is_not_waited_for() -> None:
    def pages() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    reading = read_ahead(pages(), lambda _number: False)
    assert next(reading) == 1
    with pytest.raises(ZeroDivisionError):
        next(reading)
    assert gone_out.get() is None


@pytest.mark.usefixtures("patient")
def test_no_more_than_two_are_fetched_ahead() -> None:
    told: list[int] = []
    third = threading.Event()

    def pages() -> Iterator[int]:
        for number in range(5):
            told.append(number)
            if number == 2:
                third.set()
            yield number

    reading = read_ahead(pages(), lambda _number: False)
    assert next(reading) == 0
    assert third.wait(60)
    assert told == [0, 1, 2]
    assert list(reading) == [1, 2, 3, 4]
    reading.close()
