"""JD Edwards and Coupa."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import mlconnector as mc
from mlconnector import flows
from mlconnector.testing import CoupaSimulator, JDEdwardsSimulator, Simulator, accounts, fiscal_calendar, orders
from tests.torture.clock import SharedClock
from tests.torture.faults import TIMEOUT
from tests.torture.sites._common import SUPPLIERS, Arrived, JDEdwardsOrders, Site, jde_client, one_record, renamed


class JDEToCoupa(JDEdwardsOrders, Site):
    name = "jde_to_coupa"
    from_source = frozenset({"purchase_orders"})
    settle: ClassVar[dict[str, float]] = {"spend": 60.0}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.erp = JDEdwardsSimulator(clock=self.source_clock)
        self.spend = CoupaSimulator(clock=self.target_clock, lag=15.0)
        self.names: dict[str, str] = {}

    @property
    def simulators(self) -> dict[str, Simulator]:
        return {"erp": self.erp, "spend": self.spend}

    @property
    def more_faults(self) -> dict[str, tuple[str, ...]]:
        return {"erp": ("444",)}

    def wire(self) -> dict[str, Any]:
        return {**super().wire(), "scope": " ".join(self.spend._tokens.scopes)}

    def document_of(self, kind: str, key: str) -> str:
        return key.rpartition("/")[2] if kind == "purchase_orders" else key

    def furnish(self) -> None:
        chart = {"name": "US Chart"}
        self.erp.add(accounts())
        for code in ("M30-6110", "M30-6120", "M30-6310", "M30-6420"):
            row = {"code": code, "name": code, "account-type": chart, "active": True}
            row |= {f"segment-{index}": text for index, text in enumerate(code.split("-"), start=1)}
            self.spend.add(row, resource="accounts")
        for terms in ("030", "D10", "N30", "N45", "N60"):
            self.erp.add({"PTC": terms, "PTD": terms, "NDTP": 30}, table="F0014")
            self.spend.add({"code": terms, "description": terms, "active": True}, resource="payment_terms")
        master = orders(SUPPLIERS, lines=1, suppliers=SUPPLIERS)
        self.erp.add({name: rows for name, rows in master.items() if name not in ("F4301", "F4311", "F4006")})
        self.names = {str(row["AN8"]): row["ALPH"] for row in self.erp.contents["F0101"] if row["AN8"] >= 4343}
        self.names = {key: name for key, name in self.names.items() if int(key) < 4343 + SUPPLIERS}
        self.erp.add(fiscal_calendar(2026, period=3))
        old = (self.count - SUPPLIERS) // 3
        self.add_orders(50001, old, ANI="M30.6110")
        self.clock.advance(40 * 3600)
        self.add_orders(50001 + old, old, ANI="M30.6110")
        self._next, self.left = 50001 + 2 * old, self.count - SUPPLIERS - 2 * old

    def feed(self, share: float) -> None:
        part = min(self.left, max(1, round(self.count * share)))
        if part:
            self.add_orders(self._next, part, ANI="M30.6110")
            self._next, self.left = self._next + part, self.left - part

    def change(self) -> None:
        if self.rng.random() < 0.2:
            renamed(self)
        else:
            self.change_order()

    def meddle(self) -> None:
        for row in self.spend.contents["suppliers"][:2]:
            self.spend.update("suppliers", row["id"], name=f"By hand {row['number']}")
            self.erp.update("F0101", {"AN8": int(row["number"])}, ALPH=f"By JDE {row['number']}")
            self.touched["suppliers", row["number"]] = f"By hand {row['number']}"

    def expected(self) -> dict[tuple[str, str], Any]:
        found: dict[tuple[str, str], Any] = {("suppliers", key): name for key, name in self.names.items()}
        found |= self.touched
        return found | {("purchase_orders", key): ("issued", lines) for key, lines in self.ordered().items()}

    def arrived(self) -> dict[tuple[str, str], Arrived]:
        found: dict[tuple[str, str], Arrived] = {}
        for row in self.spend.contents["suppliers"]:
            one_record(found, ("suppliers", row["number"]), row["name"])
        for row in self.spend.contents["purchase_orders"]:
            lines = {str(line["line-num"]): (line["quantity"], line["price"]) for line in row["order-lines"]}
            one_record(found, ("purchase_orders", row["po-number"]), (row["status"], lines))
            if len(lines) < len(row["order-lines"]):
                found["purchase_orders", row["po-number"]].doubles.append("a line twice")
        return found

    @staticmethod
    def flow(wire: Mapping[str, Any], ledger: mc.Ledger, clock: SharedClock, folder: Path, stack: ExitStack) -> mc.Flow:
        auth = mc.OAuth2ClientCredentials(
            CoupaSimulator.username, CoupaSimulator.password, path="/oauth2/token", scope=wire["scope"] or None
        )
        coupa = stack.enter_context(mc.Coupa(wire["spend"], auth=auth, clock=clock, timeout=TIMEOUT))
        if ledger.crosswalk.find("ship_to", to="coupa", jdedwards="6001") is None:
            ledger.crosswalk.link("ship_to", jdedwards="6001", coupa="MAIN")
        return flows.jde_to_coupa(
            jde_client(wire, clock, stack),
            coupa,
            ledger=ledger,
            begin="everything",
            ship_to_user="integration",
            company="00001",
            kinds=["suppliers", "purchase_orders"],
        )
