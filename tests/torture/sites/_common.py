"""What every site is: a source, a target, what happens between them; and JD Edwards as a source."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import attrs

import mlconnector as mc
from mlconnector.testing import Call, JDEdwardsSimulator, Simulator, orders
from tests.torture.clock import SharedClock
from tests.torture.faults import TIMEOUT

SUPPLIERS = 20
SKEW = 300.0
LINE = {"DCTO": "OP", "KCOO": "00001", "SFXO": "000"}


Notice = tuple[Mapping[str, str], bytes]
"""Headers and body of an event as its sender posts it."""


@attrs.define
class Arrived:
    """What a target has of one document: its effective content, and whatever is there twice."""

    content: Any
    doubles: list[str] = attrs.Factory(list)


class Site:
    """A source and a target.

    Args:
        clock: Shared with the workers; each system's own is five minutes off, this way or that.
        count: Documents, more of some kinds than of others.
    """

    name: ClassVar[str]
    settle: ClassVar[dict[str, float]] = {}
    """By simulator: how long after its time-out a call may still act."""
    from_source: ClassVar[frozenset[str]]
    """Kinds whose documents :meth:`feed` makes."""
    present_only: frozenset[str] = frozenset()
    """Kinds whose target cannot prove absence: at most once, the rest parked in doubt."""
    way_back: ClassVar[bool] = False
    """Something comes back of what was delivered."""
    inbox: ClassVar[str] = ""
    """Where the events go that a system tells."""

    def __init__(self, clock: SharedClock, count: int, rng: random.Random, *, look_up: str = "reliable") -> None:
        self.clock, self.count, self.rng, self.look_up = clock, count, rng, look_up
        signs = [rng.choice((-1, 0, 1)) * SKEW for _ in range(2)]
        self.source_clock, self.target_clock = (SharedClock(clock.path, sign) for sign in signs)
        self.touched: dict[tuple[str, str], Any] = {}
        self.changes = 0
        self.left = 0
        self.history: dict[Any, list[Any]] = defaultdict(list)
        self.births: dict[tuple[str, str], dt.datetime] = {}
        self.notices: list[Notice] = []
        self.calm = False

    def note_births(self) -> None:
        """Since when each document is where it comes from, by the clock there."""
        for key in self.expected():
            if key[0] in self.from_source:
                self.births.setdefault(key, self.now_of(key[0]))

    def now_of(self, kind: str) -> dt.datetime:
        """The time where documents of a kind come from."""
        return self.source_clock.now()

    def document_of(self, kind: str, key: str) -> str:
        """The name under which a document is compared, of its key in the ledger."""
        return key

    @property
    def simulators(self) -> dict[str, Simulator]:
        raise NotImplementedError

    @property
    def more_faults(self) -> dict[str, tuple[str, ...]]:
        return {}

    def furnish(self) -> None:
        """Most of the documents, some of them long before the others."""
        raise NotImplementedError

    def feed(self, share: float) -> None:
        """Some of the documents that are not there yet."""

    def change(self) -> None:
        """Change one document in the source."""
        raise NotImplementedError

    settling_runs = 0
    """Further runs that it needs to come to rest."""

    def between(self) -> None:
        """What happens on its own between two runs."""

    def at_the_end(self, ledger: Path) -> None:
        """What is still to happen before all is compared: on its own, or by a person who was shown something."""

    def meanwhile(self, call: Call) -> None:
        """What happens on its own before a call is answered."""

    def expected(self) -> dict[tuple[str, str], Any]:
        """By kind and key: what the target must have."""
        raise NotImplementedError

    def arrived(self) -> dict[tuple[str, str], Arrived]:
        """By kind and key: what it has."""
        raise NotImplementedError

    def due(self) -> int:
        """How many documents are to arrive, as things stand."""
        return len(self.expected()) if self.way_back else self.count

    def excused_with(self, excused: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """What cannot arrive because of what is parked in doubt."""
        return set()

    def troubles(self, ledger: Path) -> list[str]:
        """What else is not as it must be at the end."""
        return []

    @staticmethod
    def verifier(wire: Mapping[str, Any], clock: SharedClock) -> Any:
        """In a process that takes events: what proves them."""
        raise NotImplementedError

    def wire(self) -> dict[str, Any]:
        """What a worker needs to reach the systems."""
        page = min(100, max(4, self.count // 8))
        return {
            "flow": self.name,
            "look_up": self.look_up,
            "page_size": page,
            **{name: one.url for name, one in self.simulators.items()},
        }

    @staticmethod
    def flow(wire: Mapping[str, Any], ledger: mc.Ledger, clock: SharedClock, folder: Path, stack: ExitStack) -> mc.Flow:
        """In a worker: the flow against the simulators."""
        raise NotImplementedError

    def some(self, rows: Any) -> Any:
        """A row; every other time one of the same few, so that some change often."""
        rows = list(rows)
        return self.rng.choice(rows[:4] if self.rng.random() < 0.5 else rows)

    def meddle(self) -> None:
        """A person writes into the target, and the source changes the same document: it must be parked."""

    def pick(self, known: Any, fresh: Callable[[], Any], before: Any) -> Any:
        """A new value, or now and then one that it had before."""
        old = self.history[known]
        old.append(before)
        self.changes += 1
        if len(old) > 1 and self.rng.random() < 0.3:
            return self.rng.choice(old[:-1])
        return fresh()


def one_record(found: dict[tuple[str, str], Arrived], key: tuple[str, str], content: Any) -> None:
    if key in found:
        found[key].doubles.append("a second record")
    else:
        found[key] = Arrived(content)


def row_of(erp: JDEdwardsSimulator, table: str, key: Any) -> dict[str, Any]:
    """One row of JD Edwards as it is now: ``contents`` would copy the whole table for it."""
    with erp._lock:
        row = erp._stores[table].find(key)
    assert row is not None, key
    return row


def renamed(site: Any) -> None:
    """One supplier of JD Edwards has another name."""
    row = row_of(site.erp, "F0101", int(site.rng.choice(list(site.names))))
    name = site.pick(("supplier", row["AN8"]), lambda: f"Name {site.rng.randrange(10**6)} {row['AN8']}", row["ALPH"])
    site.erp.update("F0101", {"AN8": row["AN8"]}, ALPH=name)
    site.names[str(row["AN8"])] = name


def jde_client(wire: Mapping[str, Any], clock: SharedClock, stack: ExitStack) -> mc.JDEdwardsAIS:
    auth = mc.AISSession(JDEdwardsSimulator.username, JDEdwardsSimulator.password)
    return stack.enter_context(
        mc.JDEdwardsAIS(wire["erp"], auth=auth, clock=clock, timeout=TIMEOUT, page_size=wire["page_size"])
    )


class JDEdwardsOrders:
    """Orders in JD Edwards, and their changes."""

    erp: JDEdwardsSimulator
    rng: random.Random
    left: int
    lines: list[tuple[int, Decimal]]
    """Order and line number of every line, in key order."""
    pick: Callable[[Any, Callable[[], Any], Any], Any]
    some: Callable[[Any], Any]

    def add_orders(self, first: int, count: int, **more: Any) -> None:
        tables = orders(count, lines=2, suppliers=SUPPLIERS, first_number=first, seed=first, master=False)
        for line in tables["F4311"]:
            line.update(more)
        self.erp.add(tables)
        self.lines = [*getattr(self, "lines", ()), *((line["DOCO"], line["LNID"]) for line in tables["F4311"])]

    def change_order(self) -> None:
        lines = [(order, number) for order, number in self.lines if self.may_change(order)]
        if not lines:
            return
        order, number = self.some(lines)
        key = {"DOCO": order, "LNID": number, **LINE}
        line = row_of(self.erp, "F4311", key)
        known = ("order", order, number)
        quantity = self.pick(known, lambda: Decimal(self.rng.randrange(200, 9000)), line["UORG"])
        amount = quantity * line["PRRC"]
        self.erp.update(
            "F4311", key, UORG=quantity, UOPN=quantity, AEXP=amount, AOPN=amount, **self.stamp(self.erp._site_time())
        )

    def may_change(self, order: int) -> bool:
        """Nobody relies on it yet."""
        return True

    def stamp(self, now: dt.datetime) -> dict[str, Any]:
        """Some rows show minutes after their stamp: a transaction that took its time."""
        if self.rng.random() < 0.8:
            return {}
        earlier = now - dt.timedelta(seconds=self.rng.randrange(1, 240))
        return {"UPMJ": earlier.date(), "TDAY": int(f"{earlier:%H%M%S}")}

    def ordered(self) -> dict[str, dict[str, tuple[Decimal, Decimal]]]:
        found: dict[str, dict[str, tuple[Decimal, Decimal]]] = defaultdict(dict)
        for line in self.erp.contents["F4311"]:
            found[str(line["DOCO"])][str(int(line["LNID"]))] = (line["UORG"], line["PRRC"])
        return found
