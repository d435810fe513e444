"""The engine under any order of changes, faults and runs: nothing lost, nothing doubled, never an older revision."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import mlconnector as mc
from mlconnector.testing import ManualClock
from tests.delivery.model import HOUR, LOST, START, Desk, Model, Table

KEYS = st.sampled_from(["a", "b", "c"])


class Engine(RuleBasedStateMachine):
    """A source that changes, a target that loses answers, runs in between."""

    @initialize(batch=st.sampled_from([1, 3]), found_by=st.sampled_from(["marker", "content"]))
    def begin(self, batch: int, found_by: str) -> None:
        clock = ManualClock(START)
        self.ledger = mc.Ledger(":memory:", actor="test", clock=clock)
        desk = Desk(batch_size=batch, found_by=found_by)
        self.model = Model(clock, Table(clock), desk, self.ledger)
        self.told: dict[str, list[str]] = {}
        self.count = 0

    def _put(self, key: str, name: str, **fields: Any) -> None:
        self.model.clock.advance(dt.timedelta(seconds=1))
        self.model.table.put(key, name, **fields)

    @rule(key=KEYS)
    def change(self, key: str) -> None:
        self.count += 1
        self._put(key, f"{key}{self.count}")
        self.told.setdefault(key, []).append(f"{key}{self.count}")

    @rule(key=KEYS)
    def go_back(self, key: str) -> None:
        if key in self.told:
            self._put(key, self.told[key][0])
            self.told[key].append(self.told[key][0])

    @rule(key=KEYS)
    def hold(self, key: str) -> None:
        if key in self.told:
            self._put(key, self.told[key][-1], waiting_for=("hold",))

    @rule(key=KEYS)
    def release(self, key: str) -> None:
        if key in self.told:
            self._put(key, self.told[key][-1])

    @rule(acts=st.lists(st.sampled_from([None, ("before", LOST), ("after", LOST), "short"]), max_size=3))
    def run(self, acts: list[Any]) -> None:
        self.model.desk.script = list(acts)
        self._go()

    @rule(hours=st.integers(0, 3))
    def wait(self, hours: int) -> None:
        self.model.clock.advance(hours * HOUR + dt.timedelta(minutes=5))

    @rule()
    def lag(self) -> None:
        """A list that does not show yet what was just written; never longer than ``settle_after`` promises."""
        if any(one.state == "in doubt" for one in self.ledger.deliveries()):
            return
        self.model.desk.hidden = True
        self.model.desk.script = [("after", LOST)]
        self._go()
        self.model.desk.hidden = False

    def _go(self) -> None:
        try:
            self.model.sync().run()
        except mc.MLConnectorError:
            assert self.model.ledger.verify()

    @invariant()
    def no_transmission_is_doubled(self) -> None:
        if not hasattr(self, "model"):
            return
        sent = [payload for _key, payload in self.model.desk.wrote]
        assert len(sent) == len(set(sent)), sent
        numbers = [payload.split("|")[1] for payload in sent]
        assert len(numbers) == len(set(numbers))

    @invariant()
    def revisions_go_in_order(self) -> None:
        if not hasattr(self, "model"):
            return
        for key in self.told:
            sent = [prepared.revision for prepared in self.model.desk.seen if prepared.key == key]
            assert sent == sorted(sent), (key, sent)

    @invariant()
    def no_two_are_open_for_a_key(self) -> None:
        if not hasattr(self, "model"):
            return
        held = [
            one.key
            for one in self.ledger.deliveries()
            if one.state in ("sending", "in doubt") or (one.state, one.detail) == ("parked", "in doubt")
        ]
        assert len(held) == len(set(held))

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        try:
            self._settle()
        finally:
            self.ledger.close()

    def _settle(self) -> None:
        """When faults end, the target has what the source says, once."""
        for key, names in self.told.items():
            self._put(key, names[-1])
        self.model.desk.script = []
        for _ in range(4):
            self.model.clock.advance(5 * HOUR)
            self.model.sync().run()
        last = {key: payload.partition("|")[0] for key, payload in self.model.desk.wrote}
        assert last == {key: names[-1] for key, names in self.told.items()}
        self.ledger.verify()


TestEngine = Engine.TestCase
TestEngine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
