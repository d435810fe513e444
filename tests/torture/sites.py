"""The five flows, each with its simulators, what happens in its source, and what must be at its target."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import attrs

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.peoplesoft import PeopleSoft
from mlconnector.testing import (
    BILLSimulator,
    Call,
    CleoSimulator,
    CoupaSimulator,
    FusionSimulator,
    JDEdwardsSimulator,
    PeopleSoftSimulator,
    Simulator,
    accounts,
    fiscal_calendar,
    orders,
    suppliers,
    vouchers,
)
from tests.torture.clock import SharedClock
from tests.torture.faults import TIMEOUT

__all__ = ["SITES", "Arrived", "Site"]

EVEN = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"), usage="T")
ODD = attrs.evolve(EVEN, receiver=x12.Id("01", "987654321"))
SUPPLIERS = 20
SKEW = 300.0
LINE = {"DCTO": "OP", "KCOO": "00001", "SFXO": "000"}


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
    present_only: ClassVar[frozenset[str]] = frozenset()
    """Kinds whose target cannot prove absence: at most once, the rest parked in doubt."""

    def __init__(self, clock: SharedClock, count: int, rng: random.Random, *, look_up: str = "reliable") -> None:
        self.clock, self.count, self.rng, self.look_up = clock, count, rng, look_up
        signs = [rng.choice((-1, 0, 1)) * SKEW for _ in range(2)]
        self.source_clock, self.target_clock = (SharedClock(clock.path, sign) for sign in signs)
        self.touched: dict[tuple[str, str], Any] = {}
        self.changes = 0
        self.left = 0
        self.history: dict[Any, list[Any]] = defaultdict(list)
        self.births: dict[tuple[str, str], dt.datetime] = {}

    def note_births(self) -> None:
        """Since when each document is in the source, by the source's clock."""
        now = self.source_clock.now()
        for key in self.expected():
            if key[0] in self.from_source:
                self.births.setdefault(key, now)

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

    def at_the_end(self) -> None:
        """What is still to happen on its own before all is compared."""

    def meanwhile(self, call: Call) -> None:
        """What happens on its own before a call is answered."""

    def expected(self) -> dict[tuple[str, str], Any]:
        """By kind and key: what the target must have."""
        raise NotImplementedError

    def arrived(self) -> dict[tuple[str, str], Arrived]:
        """By kind and key: what it has."""
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


# Files at Cleo


def segments(data: bytes) -> Iterator[list[str]]:
    text = data.decode()
    for one in text.split(text[105]):
        if one.strip():
            yield one.strip().split(text[3])


NAME = re.compile(r"(?P<code>\d{3})_\w+?_(?P<key>.+)_r(?P<revision>\d+)_(?P<number>\d+)\.edi")


@attrs.define
class File:
    """One uploaded interchange."""

    code: str
    key: str
    revision: int
    number: int
    body: list[list[str]]

    def first(self, tag: str) -> list[str]:
        return next(one for one in self.body if one[0] == tag)

    def all(self, tag: str) -> list[list[str]]:
        return [one for one in self.body if one[0] == tag]


class CleoSite(Site):
    """A source and Cleo."""

    network: CleoSimulator
    settle: ClassVar[dict[str, float]] = {"network": 120.0}

    def files(self) -> list[File]:
        found = []
        for upload in self.network.uploads:
            name = NAME.fullmatch(upload.path.rpartition("/")[2])
            assert name is not None, upload.path
            found.append(
                File(name["code"], name["key"], int(name["revision"]), int(name["number"]), list(segments(upload.data)))
            )
        return found

    def connect(self) -> None:
        for name in ("EVEN", "ODD"):
            self.network.add({"alias": name, "outbox": f"outbox/{name}", "sentbox": f"sent/{name}"})

    def meanwhile(self, call: Call) -> None:
        if self.rng.random() < 0.03:
            self.network.transmit(self.rng.choice(("EVEN", "ODD")))

    def between(self) -> None:
        if self.rng.random() < 0.7:
            self.network.transmit()

    def orders_arrived(self, kind: str) -> dict[tuple[str, str], Arrived]:
        """Each order as its partner knows it: the 850, then each 860 upon it."""
        found: dict[tuple[str, str], Arrived] = {}
        seen: Counter[tuple[str, str, int]] = Counter()
        highest: dict[str, int] = {}
        for file in self.files():
            if file.code not in ("850", "860"):
                continue
            number = file.first("BEG" if file.code == "850" else "BCH")[3]
            one = found.setdefault((kind, number), Arrived({}))
            seen[file.code, number, file.revision] += 1
            if seen[file.code, number, file.revision] > 1:
                one.doubles.append(f"{file.code} of revision {file.revision} twice")
            if file.code == "850":
                if one.content:
                    one.doubles.append("a second 850, or one after its change")
                lines = {seg[1]: (Decimal(seg[2]), Decimal(seg[4])) for seg in file.all("PO1")}
            else:
                lines = {seg[1]: (Decimal(seg[3]), Decimal(seg[6])) for seg in file.all("POC")}
            if file.revision < highest.get(number, 0):
                one.doubles.append(f"revision {file.revision} after {highest[number]}")
            highest[number] = max(file.revision, highest.get(number, 0))
            one.content = {**one.content, **lines}
        return found

    @staticmethod
    def routes(parties: Callable[[int], list[str]], **options: Any) -> list[flows.Route]:
        return [
            flows.Route(
                parties(odd), partner, folder=f"outbox/{name}", sentbox=f"sent/{name}", connection=name, **options
            )
            for odd, partner, name in ((0, EVEN, "EVEN"), (1, ODD, "ODD"))
        ]

    @staticmethod
    def cleo(wire: Mapping[str, Any], clock: SharedClock, stack: ExitStack) -> mc.Cleo:
        auth = mc.OAuth2Password(CleoSimulator.username, CleoSimulator.password)
        return stack.enter_context(mc.Cleo(wire["network"], auth=auth, clock=clock, timeout=TIMEOUT))


def _jde(wire: Mapping[str, Any], clock: SharedClock, stack: ExitStack) -> mc.JDEdwardsAIS:
    auth = mc.AISSession(JDEdwardsSimulator.username, JDEdwardsSimulator.password)
    return stack.enter_context(
        mc.JDEdwardsAIS(wire["erp"], auth=auth, clock=clock, timeout=TIMEOUT, page_size=wire["page_size"])
    )


class JDEdwardsOrders:
    """Orders in JD Edwards, and their changes."""

    erp: JDEdwardsSimulator
    rng: random.Random
    left: int
    pick: Callable[[Any, Callable[[], Any], Any], Any]
    some: Callable[[Any], Any]

    def add_orders(self, first: int, count: int, **more: Any) -> None:
        tables = orders(count, lines=2, suppliers=SUPPLIERS, first_number=first, seed=first, master=False)
        for line in tables["F4311"]:
            line.update(more)
        self.erp.add(tables)

    def change_order(self) -> None:
        line = self.some(self.erp.contents["F4311"])
        key = {**{name: line[name] for name in ("DOCO", "LNID")}, **LINE}
        known = ("order", line["DOCO"], line["LNID"])
        quantity = self.pick(known, lambda: Decimal(self.rng.randrange(200, 9000)), line["UORG"])
        amount = quantity * line["PRRC"]
        self.erp.update(
            "F4311", key, UORG=quantity, UOPN=quantity, AEXP=amount, AOPN=amount, **self.stamp(self.erp._site_time())
        )

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
            _jde(wire, clock, stack),
            CleoSite.cleo(wire, clock, stack),
            ledger=ledger,
            routes=routes,
            kinds=["purchase_orders"],
            look_up=wire["look_up"],
        )


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


class PeopleSoftToCleo(CleoSite):
    """Orders go out, the suppliers' invoices come in: each several times, under other numbers."""

    name = "peoplesoft_to_cleo"
    from_source = frozenset({"purchase_orders"})
    present_only = frozenset({"vouchers"})
    settle: ClassVar[dict[str, float]] = {"network": 120.0, "erp": 60.0}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.erp = PeopleSoftSimulator(clock=self.source_clock)
        self.network = CleoSimulator(clock=self.target_clock)
        self._number = 0
        self._billed: dict[str, Decimal] = {}
        self._groups: list[tuple[str, int]] = []

    @property
    def simulators(self) -> dict[str, Simulator]:
        return {"erp": self.erp, "network": self.network}

    def wire(self) -> dict[str, Any]:
        return {**super().wire(), "node": self.erp.node, "requesting_node": self.erp.requesting_node}

    def document_of(self, kind: str, key: str) -> str:
        if kind == "acknowledgments":
            pair, _number, _functional, group = key.rsplit("/", 3)
            return f"{pair.partition('>')[0].partition(':')[2]}/{int(group)}"
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
                    number=f"{index + 101:010}",
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
        header = self.rng.choice(self.erp.contents["PO_HDR"])
        (line,) = (row for row in self.erp.contents["PO_LINE_SHIP"] if row["PO_ID"] == header["PO_ID"])
        number = f"SI-{header['PO_ID']}"
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
        return not any(f".{order}_" in path.path for path in self.network.uploads)

    def change(self) -> None:
        line = self.some(self.erp.contents["PO_LINE_SHIP"])
        if f"SI-{line['PO_ID']}" in self._billed:
            return
        key = tuple(line[name] for name in ("BUSINESS_UNIT", "PO_ID", "LINE_NBR", "SCHED_NBR"))
        quantity = self.pick(key, lambda: Decimal(self.rng.randrange(200, 900)), line["QTY_PO"])
        self.erp.update("PO_LINE_SHIP", key, QTY_PO=quantity, MERCHANDISE_AMT=quantity * line["PRICE_PO"])
        self.erp.update("PO_HDR", key[:2], OPRID_MODIFIED_BY=f"U{self.changes}")

    def at_the_end(self) -> None:
        self.erp.build_vouchers()

    def between(self) -> None:
        super().between()
        if self.rng.random() < 0.5:
            self.erp.build_vouchers()

    def expected(self) -> dict[tuple[str, str], Any]:
        found: dict[tuple[str, str], Any] = {}
        for line in self.erp.contents["PO_LINE_SHIP"]:
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
        for file in self.files():
            if file.code == "997":
                isa, ak1 = file.first("ISA"), file.first("AK1")
                key = ("acknowledgments", f"{isa[8].strip()}/{int(ak1[2])}")
                if key in found:
                    found[key].doubles.append("a second 997")
                found[key] = attrs.evolve(found.get(key, Arrived(None)), content=file.first("AK9")[1])
        return found

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


# Coupa and BILL


def _renamed(site: Any) -> None:
    """One supplier of JD Edwards has another name."""
    row = site.rng.choice([one for one in site.erp.contents["F0101"] if str(one["AN8"]) in site.names])
    name = site.pick(("supplier", row["AN8"]), lambda: f"Name {site.rng.randrange(10**6)} {row['AN8']}", row["ALPH"])
    site.erp.update("F0101", {"AN8": row["AN8"]}, ALPH=name)
    site.names[str(row["AN8"])] = name


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
            _renamed(self)
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
            _one(found, ("suppliers", row["number"]), row["name"])
        for row in self.spend.contents["purchase_orders"]:
            lines = {str(line["line-num"]): (line["quantity"], line["price"]) for line in row["order-lines"]}
            _one(found, ("purchase_orders", row["po-number"]), (row["status"], lines))
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
            _jde(wire, clock, stack),
            coupa,
            ledger=ledger,
            begin="everything",
            ship_to_user="integration",
            company="00001",
            kinds=["suppliers", "purchase_orders"],
        )


def _one(found: dict[tuple[str, str], Arrived], key: tuple[str, str], content: Any) -> None:
    if key in found:
        found[key].doubles.append("a second record")
    else:
        found[key] = Arrived(content)


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
            _renamed(self)
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
            _one(found, ("suppliers", row["name"]), numbers.get(row["name"]))
        for row in self.payables.contents["bills"]:
            if not row["archived"]:
                number = row["invoice"]["invoiceNumber"]
                content = (row["dueDate"], row["amount"], names[row["vendorId"]], status.get(number))
                _one(found, ("invoices", number), content)
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
            _jde(wire, clock, stack),
            bill,
            ledger=ledger,
            begin="everything",
            hand_over=flows.PayStatus("B"),
            bank_account="00000001",
            company="00001",
            kinds=["suppliers", "invoices"],
        )


SITES: dict[str, type[Site]] = {
    site.name: site for site in (JDEToCleo, FusionToCleo, PeopleSoftToCleo, JDEToCoupa, JDEToBill)
}
