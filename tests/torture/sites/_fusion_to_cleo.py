"""Oracle Fusion to Cleo: invoices and payments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import mlconnector as mc
from mlconnector import flows
from mlconnector.testing import CleoSimulator, FusionSimulator, Simulator
from tests.torture.clock import SharedClock
from tests.torture.faults import TIMEOUT
from tests.torture.sites._cleo import CleoSite
from tests.torture.sites._common import Arrived


class FusionToCleo(CleoSite):
    name = "fusion_to_cleo"
    from_source = frozenset({"invoices"})

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.erp = FusionSimulator(clock=self.source_clock)
        self.network = CleoSimulator(clock=self.target_clock)

    @property
    def simulators(self) -> dict[str, Simulator]:
        return {"erp": self.erp, "tokens": self.erp.token_host, "network": self.network}

    def wire(self) -> dict[str, Any]:
        return {**super().wire(), "token_url": self.erp.token_host.token_url, "scope": self.erp.token_host.scope}

    def document_of(self, kind: str, key: str) -> str:
        return f"INV-{key}" if kind == "invoices" else key

    def furnish(self) -> None:
        self.connect()
        half = self.count // 2
        self._add(range(half // 2))
        self.clock.advance(40 * 3600)
        self._add(range(half // 2, half - half // 3))
        self._next, self.left = half - half // 3, half // 3 + self.count % 2

    def feed(self, share: float) -> None:
        part = min(self.left, max(1, round(self.count * share / 2)))
        self._add(range(self._next, self._next + part))
        self._next, self.left = self._next + part, self.left - part

    def _add(self, numbers: range) -> None:
        for index in numbers:
            supplier = mc.Party(number=str(1001 + index % 2), name="Parts Emporium")
            amounts = [Decimal(self.rng.randrange(100, 90000)) / 100 for _ in range(2)]
            lines = [
                mc.InvoiceLine(number=str(at), kind="amount", description="Work", amount=amount, account="101-10")
                for at, amount in enumerate(amounts, start=1)
            ]
            self.erp.add(
                mc.Invoice(
                    number=str(300000 + index),
                    kind="voucher",
                    supplier_invoice_number=f"INV-{300000 + index}",
                    date=dt.date(2026, 2, 20),
                    due_date=dt.date(2026, 3, 20),
                    supplier=supplier,
                    currency="USD",
                    gross=sum(amounts, Decimal(0)),
                    open=sum(amounts, Decimal(0)),
                    lines=lines,
                    posted=True,
                )
            )
            self.erp.add(
                mc.Payment(
                    number=str(900000 + index),
                    date=dt.date(2026, 3, 1),
                    method="CHECK",
                    amount=sum(amounts, Decimal(0)),
                    currency="USD",
                    payee=supplier,
                    status="Negotiable",
                    applications=[mc.Application(invoice=str(300000 + index), amount=sum(amounts, Decimal(0)))],
                )
            )

    def change(self) -> None:
        row = self.some(self.erp.contents["invoices"])
        known = row["InvoiceId"]
        date = self.pick(
            known, lambda: dt.date(2026, 1, 1) + dt.timedelta(days=self.rng.randrange(50)), row["InvoiceDate"]
        )
        more = {}
        if self.rng.random() < 0.2:
            more["LastUpdateDate"] = self.erp.clock.now() - dt.timedelta(seconds=self.rng.randrange(1, 240))
        self.erp.update("invoices", known, InvoiceDate=date, **more)

    def expected(self) -> dict[tuple[str, str], Any]:
        found: dict[tuple[str, str], Any] = {}
        for row in self.erp.contents["invoices"]:
            found["invoices", row["InvoiceNumber"]] = (f"{row['InvoiceDate']:%Y%m%d}", row["InvoiceAmount"])
        for row in self.erp.contents["payablesPayments"]:
            found["payments", str(row["PaymentNumber"])] = row["PaymentAmount"]
        return found

    def arrived(self) -> dict[tuple[str, str], Arrived]:
        found: dict[tuple[str, str], Arrived] = {}
        newest: dict[tuple[str, str], int] = {}
        seen: set[tuple[str, str, int]] = set()
        for file in self.files():
            if file.code == "810":
                key = ("invoices", file.first("BIG")[2])
                content: Any = (file.first("BIG")[1], Decimal(file.first("TDS")[1]) / 100)
            else:
                key, content = ("payments", file.first("TRN")[2]), Decimal(file.first("BPR")[2])
            one = found.setdefault(key, Arrived(None))
            if (*key, file.revision) in seen:
                one.doubles.append(f"{file.code} of revision {file.revision} twice")
            if file.revision < newest.get(key, 0):
                one.doubles.append(f"revision {file.revision} after {newest[key]}")
            seen.add((*key, file.revision))
            newest[key] = max(file.revision, newest.get(key, 0))
            one.content = content
        return found

    @staticmethod
    def flow(wire: Mapping[str, Any], ledger: mc.Ledger, clock: SharedClock, folder: Path, stack: ExitStack) -> mc.Flow:
        host = FusionSimulator().token_host
        auth = mc.OAuth2ClientCredentials(
            host.username, host.password, token_url=wire["token_url"], scope=wire["scope"], basic=True
        )
        fusion = stack.enter_context(
            mc.OracleFusion(wire["erp"], auth=auth, clock=clock, timeout=TIMEOUT, page_size=wire["page_size"])
        )
        return flows.fusion_to_cleo(
            fusion,
            CleoSite.cleo(wire, clock, stack),
            ledger=ledger,
            routes=CleoSite.routes(lambda odd: [str(1001 + odd)], sends=("810", "820")),
            kinds=["invoices", "payments"],
            look_up=wire["look_up"],
        )
