from __future__ import annotations

import datetime as dt

import pytest

from mlconnector.clock import Clock
from mlconnector.errors import InvalidArgument
from mlconnector.testing import ManualClock


def test_it_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=2))))
    assert isinstance(clock, Clock)
    assert clock.now() == clock.now() == dt.datetime(2025, 12, 31, 22, tzinfo=dt.UTC)
    clock.advance(1.5)
    clock.advance(dt.timedelta(minutes=1))
    assert clock.monotonic() == 61.5
    assert repr(clock) == "ManualClock(2025-12-31T22:01:01.500000+00:00)"


def test_sleeping_advances_and_is_remembered() -> None:
    clock = ManualClock()
    clock.sleep(2)
    clock.sleep(-1)
    assert (clock.monotonic(), clock.sleeps) == (2, (2, -1))


def test_it_never_goes_back_and_knows_its_zone() -> None:
    with pytest.raises(InvalidArgument):
        ManualClock().advance(-1)
    with pytest.raises(InvalidArgument):
        ManualClock(dt.datetime(2026, 1, 1))  # noqa: DTZ001
