"""JD Edwards to Cleo: orders."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import mlconnector as mc
from mlconnector import flows
from mlconnector.testing import CleoSimulator, JDEdwardsSimulator, Simulator, orders
from tests.torture.clock import SharedClock
from tests.torture.sites._cleo import CleoSite
from tests.torture.sites._common import SUPPLIERS, Arrived, JDEdwardsOrders, jde_client


class JDEToCleo(JDEdwardsOrders, CleoSite):
    name = "jde_to_cleo"
    from_source = frozenset({"purchase_orders"})

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.erp = JDEdwardsSimulator(clock=self.source_clock)
        self.network = CleoSimulator(clock=self.target_clock)

    @property
    def simulators(self) -> dict[str, Simulator]:
        return {"erp": self.erp, "network": self.network}

    @property
    def more_faults(self) -> dict[str, tuple[str, ...]]:
        return {"erp": ("444",)}

    def document_of(self, kind: str, key: str) -> str:
        return key.rpartition("/")[2] if kind == "purchase_orders" else key

    def furnish(self) -> None:
        self.connect()
        master = orders(SUPPLIERS, lines=1, suppliers=SUPPLIERS)
        self.erp.add({name: rows for name, rows in master.items() if name not in ("F4301", "F4311", "F4006")})
        old = self.count // 3
        self.add_orders(50001, old)
        self.clock.advance(40 * 3600)
        self.add_orders(50001 + old, old)
        self.left = self.count - 2 * old

    def feed(self, share: float) -> None:
        part = min(self.left, max(1, round(self.count * share)))
        if part:
            self.add_orders(50001 + self.count - self.left, part)
            self.left -= part

    def change(self) -> None:
        self.change_order()

    def expected(self) -> dict[tuple[str, str], Any]:
        return {("purchase_orders", key): lines for key, lines in self.ordered().items()}

    def arrived(self) -> dict[tuple[str, str], Arrived]:
        return self.orders_arrived("purchase_orders")

    @staticmethod
    def flow(wire: Mapping[str, Any], ledger: mc.Ledger, clock: SharedClock, folder: Path, stack: ExitStack) -> mc.Flow:
        routes = CleoSite.routes(lambda odd: [str(number) for number in range(4343 + odd, 4343 + SUPPLIERS, 2)])
        return flows.jde_to_cleo(
            jde_client(wire, clock, stack),
            CleoSite.cleo(wire, clock, stack),
            ledger=ledger,
            routes=routes,
            kinds=["purchase_orders"],
            look_up=wire["look_up"],
        )
