"""JD Edwards and BILL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import mlconnector as mc
from mlconnector import flows
from mlconnector.testing import (
    BILLSimulator,
    JDEdwardsSimulator,
    Simulator,
    accounts,
    fiscal_calendar,
    suppliers,
    vouchers,
)
from tests.torture.clock import SharedClock
from tests.torture.faults import TIMEOUT
from tests.torture.sites._common import SUPPLIERS, Arrived, Site, jde_client, one_record, renamed


class JDEToBill(Site):
    name = "jde_to_bill"
    from_source = frozenset({"invoices"})
    settle: ClassVar[dict[str, float]] = {"payables": 60.0, "erp": 0.0}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.erp = JDEdwardsSimulator(clock=self.source_clock)
        self.payables = BILLSimulator(clock=self.target_clock, list_lag=15)
        self.names: dict[str, str] = {}
        self.rng_odd: Any = None

    @property
    def simulators(self) -> dict[str, Simulator]:
        return {"erp": self.erp, "payables": self.payables}

    @property
    def more_faults(self) -> dict[str, tuple[str, ...]]:
        return {"erp": ("444",)}

    def wire(self) -> dict[str, Any]:
        return {**super().wire(), "organization": self.payables.organization_id, "key": self.payables.dev_key}

    def document_of(self, kind: str, key: str) -> str:
        return self.names.get(key, key) if kind == "suppliers" else key

    def furnish(self) -> None:
        self.erp.add(suppliers(SUPPLIERS))
        self.erp.add(vouchers(1, suppliers=1))
        self.erp.add(accounts())
        self.erp.add({"PTC": "N30", "PTD": "Net 30", "NDTP": 30}, table="F0014")
        self.erp.add(fiscal_calendar(2026, period=3))
        auth = mc.AISSession(self.erp.username, self.erp.password)
        with mc.JDEdwardsAIS(self.erp.url, auth=auth, clock=self.clock, timeout=TIMEOUT) as jde:
            for account in jde.accounts():
                self.payables.add(
                    mc.Account(number=account.object, object=account.object, description=account.description)
                )
        self.payables.add(mc.CostCenter(number="M30", name="Boulder plant"))
        self.names = {
            str(row["AN8"]): row["ALPH"] for row in self.erp.contents["F0101"] if 4343 <= row["AN8"] < 4343 + SUPPLIERS
        }
        old = (self.count - SUPPLIERS) // 3
        self._next = 300002
        self._add(old)
        self.clock.advance(40 * 3600)
        self._add(old)
        self.left = self.count - SUPPLIERS - 2 * old - 1

    def _add(self, count: int) -> None:
        if count > 0:
            self.erp.add(vouchers(count, suppliers=SUPPLIERS, first_number=self._next, seed=self._next, master=False))
            self._next += count

    def feed(self, share: float) -> None:
        part = min(self.left, max(1, round(self.count * share)))
        self._add(part)
        self.left -= max(part, 0)

    def change(self) -> None:
        if self.rng.random() < 0.2:
            renamed(self)
            return
        row = self.some(self.erp.contents["F0411"])
        key = {name: row[name] for name in ("DOC", "DCT", "KCO", "SFX", "SFXE")}
        date = self.pick(
            row["DOC"], lambda: dt.date(2026, 4, 1) + dt.timedelta(days=self.rng.randrange(90)), row["DDJ"]
        )
        self.erp.update("F0411", key, DDJ=date)

    def expected(self) -> dict[tuple[str, str], Any]:
        found: dict[tuple[str, str], Any] = {("suppliers", name): key for key, name in self.names.items()}
        for row in self.erp.contents["F0411"]:
            key = f"{row['KCO']}/{row['DCT']}/{row['DOC']}/{row['SFX']}"
            found["invoices", key] = (row["DDJ"].isoformat(), row["AG"], self.names[str(row["AN8"])], "B")
        return found

    def arrived(self) -> dict[tuple[str, str], Arrived]:
        found: dict[tuple[str, str], Arrived] = {}
        numbers = {name: key for key, name in self.names.items()}
        status = {
            f"{row['KCO']}/{row['DCT']}/{row['DOC']}/{row['SFX']}": row["PST"] for row in self.erp.contents["F0411"]
        }
        names = {}
        for row in self.payables.contents["vendors"]:
            names[row["id"]] = row["name"]
            one_record(found, ("suppliers", row["name"]), numbers.get(row["name"]))
        for row in self.payables.contents["bills"]:
            if not row["archived"]:
                number = row["invoice"]["invoiceNumber"]
                content = (row["dueDate"], row["amount"], names[row["vendorId"]], status.get(number))
                one_record(found, ("invoices", number), content)
        return found

    @staticmethod
    def flow(wire: Mapping[str, Any], ledger: mc.Ledger, clock: SharedClock, folder: Path, stack: ExitStack) -> mc.Flow:
        from mlconnector.bill import BillSession

        auth = BillSession(
            BILLSimulator.username, BILLSimulator.password, organization_id=wire["organization"], dev_key=wire["key"]
        )
        locks = folder / "locks"
        locks.mkdir(exist_ok=True)
        bill = stack.enter_context(mc.BILL(wire["payables"], auth=auth, clock=clock, timeout=TIMEOUT, lock_dir=locks))
        return flows.jde_to_bill(
            jde_client(wire, clock, stack),
            bill,
            ledger=ledger,
            begin="everything",
            hand_over=flows.PayStatus("B"),
            bank_account="00000001",
            company="00001",
            kinds=["suppliers", "invoices"],
        )
