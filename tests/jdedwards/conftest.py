"""A simulated site, as a client with and without odd settings finds it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import attrs
import pytest

import mlconnector as mc
from mlconnector.testing import JDEdwardsSimulator, ManualClock

START = dt.datetime(2026, 3, 2, 15, tzinfo=dt.UTC)
LINE = {"DCTO": "OP", "KCOO": "00001", "SFXO": "000"}


@attrs.define
class Site:
    clock: ManualClock
    erp: JDEdwardsSimulator
    jde: mc.JDEdwardsAIS
    offset: str

    def calls(self) -> int:
        count = sum("dataservice" in call.path for call in self.erp.calls)
        self.erp.forget_calls()
        return count


@pytest.fixture(params=[{}, {"expired_status": 403, "date_format": "dd-MM-yyyy", "utc_offset": "UTC+09:30"}])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    clock = ManualClock(START)
    with JDEdwardsSimulator(clock=clock, **request.param) as erp:
        auth = mc.AISSession(erp.username, erp.password, device="test")
        with mc.JDEdwardsAIS(erp.url + "/jderest/v2/", auth=auth, clock=clock) as jde:
            yield Site(clock, erp, jde, request.param.get("utc_offset", "UTC-05:00"))
        assert not erp.open_sessions
