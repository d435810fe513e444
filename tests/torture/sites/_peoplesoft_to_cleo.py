"""PeopleSoft to Cleo: orders out, the suppliers' invoices in."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import attrs

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.peoplesoft import PeopleSoft
from mlconnector.testing import CleoSimulator, PeopleSoftSimulator, Simulator
from tests.torture.clock import SharedClock
from tests.torture.faults import TIMEOUT
from tests.torture.sites._cleo import EVEN, ODD, CleoSite, group_of
from tests.torture.sites._common import Arrived


class PeopleSoftToCleo(CleoSite):
    """Orders go out, the suppliers' invoices come in: each several times, under other numbers."""

    name = "peoplesoft_to_cleo"
    way_back = True
    from_source = frozenset({"purchase_orders"})
    present_only = frozenset({"vouchers"})
    settle: ClassVar[dict[str, float]] = {"network": 120.0, "erp": 60.0}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.erp = PeopleSoftSimulator(clock=self.source_clock)
        self.network = CleoSimulator(clock=self.target_clock)
        self._number = 0
        self._billed: dict[str, Decimal] = {}
        self._numbers: list[str] = []
        self._seen = 0
        self._known: set[str] = set()
        self._groups: list[tuple[str, int]] = []

    @property
    def simulators(self) -> dict[str, Simulator]:
        return {"erp": self.erp, "network": self.network}

    def wire(self) -> dict[str, Any]:
        return {**super().wire(), "node": self.erp.node, "requesting_node": self.erp.requesting_node}

    def document_of(self, kind: str, key: str) -> str:
        if kind == "acknowledgments":
            return group_of(key)
        return key.rpartition("/")[2]

    def furnish(self) -> None:
        self.connect()
        part = self.count // 3
        self._add(part)
        self.clock.advance(40 * 3600)
        self._add(part)
        self.left = self.count - 2 * part

    def _add(self, count: int) -> None:
        for _ in range(count):
            index = self._number
            self._number += 1
            self._numbers.append(f"{index + 101:010}")
            quantity, price = Decimal(self.rng.randrange(1, 200)), Decimal(self.rng.randrange(50, 9000)) / 100
            line = mc.OrderLine(
                number="1",
                description="Bolt",
                item_ids={"buyer": "B-1"},
                quantity=quantity,
                unit="EA",
                unit_price=price,
                price_unit="EA",
                amount=quantity * price,
                requested_date=dt.date(2026, 4, 1),
            )
            self.erp.add(
                mc.PurchaseOrder(
                    number=self._numbers[-1],
                    company="US001",
                    date=dt.date(2026, 2, 20),
                    supplier=mc.Party(number=f"{1001 + index % 2:010}", name="Parts Emporium"),
                    ship_to=mc.Party(number="US001", name="Dock"),
                    currency="USD",
                    lines=[line],
                    total=quantity * price,
                )
            )

    def feed(self, share: float) -> None:
        part = min(self.left, max(1, round(self.count * share)))
        self._add(part)
        self.left -= part
        for _ in range(max(1, part // 2)):
            self.bill()

    def bill(self) -> None:
        """A supplier invoices an order: for the first time or once more."""
        order = self.rng.choice(self._numbers)
        header, line = self._row("PO_HDR", order), self._row("PO_LINE_SHIP", order)
        number = f"SI-{order}"
        partner = EVEN if int(header["VENDOR_ID"]) % 2 else ODD
        them = attrs.evolve(partner, sender=partner.receiver, receiver=partner.sender)
        if number not in self._billed and self.pending(header["PO_ID"]):
            return
        quantity = line["QTY_PO"]
        price = line["PRICE_PO"]
        gross = self._billed.setdefault(number, quantity * price)
        part = mc.InvoiceLine(
            number="1",
            kind="item",
            item_ids={"buyer": "B-1"},
            quantity=gross / price,
            unit="EA",
            unit_price=price,
            price_unit="EA",
            amount=gross,
            purchase_order=header["PO_ID"],
            order_line="1",
        )
        invoice = mc.Invoice(
            number=number,
            kind="voucher",
            supplier_invoice_number=number,
            date=dt.date(2026, 3, 1),
            supplier=mc.Party(number=header["VENDOR_ID"], name="Parts Emporium"),
            company="US001",
            currency="USD",
            gross=gross,
            purchase_order=header["PO_ID"],
            lines=[part],
        )
        ts = x12.to_810(invoice, them, role="self_billed", order_number=header["PO_ID"])
        own = len(self._groups) + 1
        self._groups.append((them.sender.id, own))
        text = x12.interchange([ts], them, control=x12.ControlNumbers(own, own), at=self.network.clock.now())
        self.network.add(f"inbox/810 {own}.edi", text.encode())

    def pending(self, order: str) -> bool:
        """The partner does not know the order yet, so it cannot invoice it."""
        uploads = self.network.uploads
        for upload in uploads[self._seen :]:
            self._known |= set(re.findall(r"(?<=\.)\d+(?=_)", upload.path))
        self._seen = len(uploads)
        return order not in self._known

    def _row(self, record: str, order: str) -> dict[str, Any]:
        """The one row of a record that an order has: ``contents`` would copy everything for it."""
        with self.erp._lock:
            (row,) = self.erp._stores[record].where({"PO_ID": order})
            return dict(row)

    def change(self) -> None:
        line = self._row("PO_LINE_SHIP", self.some(self._numbers))
        if f"SI-{line['PO_ID']}" in self._billed:
            return
        key = tuple(line[name] for name in ("BUSINESS_UNIT", "PO_ID", "LINE_NBR", "SCHED_NBR"))
        quantity = self.pick(key, lambda: Decimal(self.rng.randrange(200, 900)), line["QTY_PO"])
        self.erp.update("PO_LINE_SHIP", key, QTY_PO=quantity, MERCHANDISE_AMT=quantity * line["PRICE_PO"])
        self.erp.update("PO_HDR", key[:2], OPRID_MODIFIED_BY=f"U{self.changes}")

    def at_the_end(self, ledger: Path) -> None:
        self.erp.build_vouchers()

    def between(self) -> None:
        super().between()
        if self.rng.random() < 0.5:
            self.erp.build_vouchers()

    def expected(self) -> dict[tuple[str, str], Any]:
        found: dict[tuple[str, str], Any] = {}
        with self.erp._lock:
            for line in self.erp._stores["PO_LINE_SHIP"].rows():
                found["purchase_orders", line["PO_ID"]] = {"1": (line["QTY_PO"], line["PRICE_PO"])}
        for number, gross in self._billed.items():
            found["vouchers", number] = gross
        for sender, group in self._groups:
            found["acknowledgments", f"{sender}/{group}"] = "A"
        return found

    def arrived(self) -> dict[tuple[str, str], Arrived]:
        found = self.orders_arrived("purchase_orders")
        for row in (*self.erp.contents.get("VOUCHER", ()), *self._staged()):
            key = ("vouchers", row["INVOICE_ID"].strip())
            if key in found:
                found[key].doubles.append("a second voucher")
            found[key] = attrs.evolve(found.get(key, Arrived(None)), content=row["GROSS_AMT"])
        return found | self.acknowledged()

    def _staged(self) -> list[Any]:
        return [row.values for row in self.erp.staged()]

    @staticmethod
    def flow(wire: Mapping[str, Any], ledger: mc.Ledger, clock: SharedClock, folder: Path, stack: ExitStack) -> mc.Flow:
        people = stack.enter_context(
            PeopleSoft(
                wire["erp"],
                node=wire["node"],
                auth=mc.HTTPBasic(PeopleSoftSimulator.username, PeopleSoftSimulator.password),
                business_units=["US001"],
                setids=["SHARE"],
                requesting_node=wire["requesting_node"],
                clock=clock,
                timeout=TIMEOUT,
            )
        )
        return flows.peoplesoft_to_cleo(
            people,
            CleoSite.cleo(wire, clock, stack),
            ledger=ledger,
            routes=CleoSite.routes(lambda odd: [f"{1001 + odd:010}"]),
            kinds=["purchase_orders", "vouchers"],
            look_up=wire["look_up"],
        )
