"""The pytest plugin: simulators and a clock as fixtures.

Imports nothing of the library before a fixture runs, so that coverage sees its modules being loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mlconnector.testing import (
        BILLSimulator,
        CleoSimulator,
        CoupaSimulator,
        FusionSimulator,
        JDEdwardsSimulator,
        ManualClock,
        PeopleSoftSimulator,
    )

__all__ = [
    "bill_simulator",
    "cleo_simulator",
    "coupa_simulator",
    "fusion_simulator",
    "jde_simulator",
    "mc_clock",
    "peoplesoft_simulator",
]


@pytest.fixture
def mc_clock() -> ManualClock:
    """A clock that stands still until it is moved; the simulators of the same test share it."""
    from mlconnector.testing import ManualClock

    return ManualClock()


@pytest.fixture
def jde_simulator(mc_clock: ManualClock) -> Iterator[JDEdwardsSimulator]:
    """A running JD Edwards simulator on ``mc_clock``."""
    from mlconnector.testing import JDEdwardsSimulator

    with JDEdwardsSimulator(clock=mc_clock) as simulator:
        yield simulator


@pytest.fixture
def cleo_simulator(mc_clock: ManualClock) -> Iterator[CleoSimulator]:
    """A running Cleo simulator on ``mc_clock``."""
    from mlconnector.testing import CleoSimulator

    with CleoSimulator(clock=mc_clock) as simulator:
        yield simulator


@pytest.fixture
def fusion_simulator(mc_clock: ManualClock) -> Iterator[FusionSimulator]:
    """A running Oracle Fusion simulator, with its token host, on ``mc_clock``."""
    from mlconnector.testing import FusionSimulator

    with FusionSimulator(clock=mc_clock) as simulator:
        yield simulator


@pytest.fixture
def peoplesoft_simulator(mc_clock: ManualClock) -> Iterator[PeopleSoftSimulator]:
    """A running PeopleSoft simulator on ``mc_clock``."""
    from mlconnector.testing import PeopleSoftSimulator

    with PeopleSoftSimulator(clock=mc_clock) as simulator:
        yield simulator


@pytest.fixture
def coupa_simulator(mc_clock: ManualClock) -> Iterator[CoupaSimulator]:
    """A running Coupa simulator on ``mc_clock``."""
    from mlconnector.testing import CoupaSimulator

    with CoupaSimulator(clock=mc_clock) as simulator:
        yield simulator


@pytest.fixture
def bill_simulator(mc_clock: ManualClock) -> Iterator[BILLSimulator]:
    """A running BILL simulator on ``mc_clock``."""
    from mlconnector.testing import BILLSimulator

    with BILLSimulator(clock=mc_clock) as simulator:
        yield simulator
