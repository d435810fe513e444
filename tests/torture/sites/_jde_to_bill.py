"""JD Edwards and BILL: suppliers and pay items out; bills that were born there, and payments, back."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import attrs

import mlconnector as mc
from mlconnector import flows, webhooks
from mlconnector.testing import (
    BILLSimulator,
    Call,
    JDEdwardsSimulator,
    Simulator,
    accounts,
    fiscal_calendar,
    suppliers,
    vouchers,
)
from tests.torture.clock import SharedClock
from tests.torture.faults import TIMEOUT
from tests.torture.sites._books import payments_in_books, vouchers_in_books
from tests.torture.sites._common import SUPPLIERS, Arrived, Site, jde_client, one_record, renamed, row_of
from tests.torture.tables import rows

_LAG = 15.0
"""Seconds for which BILL does not list what was made: the last of those in which an effect may still show."""
_MOVES = 50
"""Payments that move on at once, at most."""
_OWN = range(300001, 400000)
"""Numbers of vouchers that are born in JD Edwards."""
_NEXT = {
    "SCHEDULED": ("READY_TO_FUND", "PROCESSED", "PROCESSED", "CANCELED"),
    "READY_TO_FUND": ("PROCESSED", "FUNDING_FAILED_VOIDED"),
    "PROCESSED": ("SENT", "CLEARED", "VOIDED", "FUNDING_FAILED_VOIDED"),
    "SENT": ("DELIVERED", "CLEARED", "CLEARED", "VOIDED"),
    "DELIVERED": ("CLEARED", "VOIDED"),
    "CLEARED": ("CLEARED", "CLEARED", "CLEARED", "VOIDED", "FUNDING_FAILED_VOIDED"),
}
"""What a payment becomes next; some words stand several times because they are likelier."""
_MOVED = ("PROCESSED", "SENT", "DELIVERED", "CLEARED")
_EVENTS = ("payment.updated", "payment.failed", "bill.created", "bill.archived")


_ITEM = ("DOC", "DCT", "KCO", "SFX", "SFXE")
"""The key of a pay item."""

Held = Mapping[str, Sequence[Mapping[str, Any]]]
_Payable = dict[str, dict[tuple[str, str], Decimal]]
"""By vendor, then by id and number of a bill: what is open of it."""


@attrs.define
class _Bill:
    """A bill that was born in BILL.

    Args:
        number: The supplier's own. ``supplier``: as JD Edwards numbers it.
    """

    number: str
    supplier: str
    gross: Decimal
    void: bool = False


@attrs.define
class _Payment:
    """What a payment pays, by BILL's id of the bill and by what JD Edwards' books are compared by."""

    bills: dict[str, Decimal]
    parts: dict[str, Decimal]
    status: str = "SCHEDULED"

    @property
    def counts(self) -> bool:
        """Its money has moved, or is to move."""
        return self.status in (*_MOVED, "SCHEDULED", "READY_TO_FUND")


class JDEToBill(Site):
    name = "jde_to_bill"
    way_back = True
    from_source = frozenset({"invoices", "vouchers", "payments"})
    settle: ClassVar[dict[str, float]] = {"payables": 60.0 - _LAG, "erp": 600.0}
    inbox = "bill"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.erp = JDEdwardsSimulator(clock=self.source_clock)
        self.payables = BILLSimulator(clock=self.target_clock, list_lag=_LAG)
        self.names: dict[str, str] = {}
        self.born: dict[str, _Bill] = {}
        self.paid: dict[str, _Payment] = {}
        self.frozen: set[int] = set()
        self._items: list[tuple[Any, ...]] = []
        self._payments: list[str] = []
        if self.look_up != "reliable":
            self.present_only = frozenset({"vouchers", "payments"})

    @property
    def simulators(self) -> dict[str, Simulator]:
        return {"erp": self.erp, "payables": self.payables}

    @property
    def more_faults(self) -> dict[str, tuple[str, ...]]:
        return {"erp": ("444",)}

    def wire(self) -> dict[str, Any]:
        more = {"organization": self.payables.organization_id, "key": self.payables.dev_key}
        return {**super().wire(), **more, "account": self._account, "security_key": self._security_key}

    def now_of(self, kind: str) -> dt.datetime:
        return (self.source_clock if kind == "invoices" else self.target_clock).now()

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
        self._account = str(self.payables.contents["chart-of-accounts"][0]["id"])
        self._security_key = self.payables.security_key(self.payables.subscribe(*_EVENTS))
        self.names = {
            str(row["AN8"]): row["ALPH"] for row in self.erp.contents["F0101"] if 4343 <= row["AN8"] < 4343 + SUPPLIERS
        }
        old = max(2, (self.count - SUPPLIERS) // 4)
        self._next = 300002
        self._add(old)
        self.clock.advance(40 * 3600)
        self._add(old)
        self.left = old - 1

    def _add(self, count: int) -> None:
        if count > 0:
            made = vouchers(count, suppliers=SUPPLIERS, first_number=self._next, seed=self._next, master=False)
            self.erp.add(made)
            self._items += [tuple({"SFXE": 0, **row}[name] for name in _ITEM) for row in made["F0411"]]
            self._next += count

    def feed(self, share: float) -> None:
        part = min(self.left, max(1, round(self.count * share)))
        self._add(part)
        self.left -= max(part, 0)
        held = self.payables.contents
        payable = self._payable(held)
        for _ in range(max(1, round(0.4 * self.count * min(share, 0.1)))):
            self.bill(held)
            self.pay(payable)
            self.pay(payable)
        for _ in range(2 + min(_MOVES, len(self.paid) // 3)):
            self.move()

    def change(self) -> None:
        chance = self.rng.random()
        if chance < 0.15:
            renamed(self)
        elif chance < 0.3:
            self.archive()
        elif chance < 0.5:
            self.move()
        else:
            self._postpone()

    def _postpone(self) -> None:
        items = [item for item in self._items if item[0] not in self.frozen]
        if not items:
            return
        key = dict(zip(_ITEM, self.some(items), strict=True))
        row = row_of(self.erp, "F0411", key)
        date = self.pick(
            row["DOC"], lambda: dt.date(2026, 4, 1) + dt.timedelta(days=self.rng.randrange(90)), row["DDJ"]
        )
        self.erp.update("F0411", key, DDJ=date)

    def meanwhile(self, call: Call) -> None:
        if not self.calm and self.rng.random() < 0.01:
            self.move()

    def between(self) -> None:
        if self.rng.random() < 0.5:
            self.erp.post()
        for _ in range(0 if self.calm else self.rng.randrange(1 + min(_MOVES, len(self.paid) // 4))):
            self.move()

    # What happens in BILL

    def _tell(self) -> None:
        """What BILL posts of what has happened since."""
        for event in self.payables.events[len(self.notices) :]:
            self.notices.append(self.payables.webhook_for(event))

    def bill(self, held: Held) -> None:
        """A bill that a supplier has sent to BILL, approved there.

        Args:
            held: What BILL holds; to make it out takes its time.
        """
        numbers = {name: key for key, name in self.names.items()}
        known = [row for row in held["vendors"] if row["name"] in numbers]
        if not known or self.rng.random() < 0.5:
            return
        vendor = self.rng.choice(known)
        one = _Bill(f"BB-{len(self.born) + 1}", numbers[vendor["name"]], Decimal(self.rng.randrange(100, 900000)) / 100)
        row = {
            "vendorId": vendor["id"],
            "dueDate": dt.date(2026, 4, 1),
            "approvalStatus": "APPROVED",
            "invoice": {"invoiceNumber": one.number, "invoiceDate": dt.date(2026, 3, 1)},
            "billLineItems": [{"amount": one.gross, "classifications": {"chartOfAccountId": self._account}}],
        }
        self.born[str(self.payables.add(row, resource="bills"))] = one
        self._tell()

    def archive(self) -> None:
        """A bill of which nothing is paid is taken back, whether it is a voucher by now or not."""
        used = {bill for payment in self.paid.values() for bill in payment.bills}
        unpaid = [key for key, one in self.born.items() if not one.void and key not in used]
        if unpaid:
            key = self.rng.choice(unpaid)
            self.born[key].void = True
            self.births.pop(("vouchers", key), None)
            self.payables.update("bills", key, archived=True)
            self.changes += 1
            self._tell()

    def _payable(self, held: Held) -> _Payable:
        """What is open of each bill that can be paid.

        Bills of JD Edwards only where nobody has changed their pay item; once one is paid, nobody does.
        """
        paid: dict[str, Decimal] = defaultdict(Decimal)
        for payment in self.paid.values():
            for key, amount in payment.bills.items() if payment.counts else ():
                paid[key] += amount
        changed = {key for key in self.history if isinstance(key, int)} - self.frozen
        payable: _Payable = defaultdict(dict)
        for row in held["bills"]:
            key, number = str(row["id"]), row["invoice"]["invoiceNumber"]
            own = None if key in self.born else int(number.split("/")[2])
            gone = row["archived"] or (key in self.born and self.born[key].void)
            left = Decimal(row["amount"]) - paid[key]
            if not gone and left and own not in changed:
                payable[row["vendorId"]][key, number] = left
        return payable

    def pay(self, payable: _Payable) -> None:
        """One payment over one to three bills of a vendor, of all that is open of each, or a part.

        Args:
            payable: What is open; what is paid is taken off.
        """
        if not payable:
            return
        vendor = self.rng.choice(list(payable))
        rows = list(payable[vendor].items())
        chosen = self.rng.sample(rows, min(len(rows), self.rng.choice((1, 1, 3))))
        bills, parts = {}, {}
        for (key, number), left in chosen:
            amount = left if self.rng.random() < 0.6 else max(Decimal("0.01"), round(left / 3, 2))
            bills[key] = amount
            parts[key if key in self.born else number] = amount
            if key not in self.born:
                self.frozen.add(int(number.split("/")[2]))
            payable[vendor][key, number] = left - amount
            if left == amount:
                del payable[vendor][key, number]
        if not payable[vendor]:
            del payable[vendor]
        made = self.payables.pay(*bills, amounts=bills)
        self.paid[made] = _Payment(bills, parts)
        self._payments.append(made)
        self._tell()

    def move(self) -> None:
        """A payment goes on: it is on its way, clears, is cancelled, or is taken back though it had cleared."""
        if not self.paid:
            return
        key = self.rng.choice(self._payments)
        payment = self.paid[key]
        status = self.rng.choice(_NEXT.get(payment.status, (payment.status,)))
        if status == payment.status:
            return
        payment.status = status
        if not payment.counts:
            self.births.pop(("payments", key), None)
        self.payables.advance(key, status)
        self.changes += 1
        self._tell()

    def at_the_end(self, ledger: Path) -> None:
        """JD Edwards may refuse to reserve a pay item that a void has opened; whoever is shown that does it by hand."""
        shown = rows(ledger, "SELECT text FROM attention WHERE text LIKE '%is open again and not reserved%'")
        named = {key for row in shown for key in re.findall(r"Pay item (\S+) is open again", row["text"])}
        for row in self.erp.contents["F0411"]:
            if row["PST"] == "A" and f"{row['KCO']}/{row['DCT']}/{row['DOC']}/{row['SFX']}" in named:
                self.erp.update("F0411", {name: row[name] for name in _ITEM}, PST="B")

    # What must be where

    def expected(self) -> dict[tuple[str, str], Any]:
        found: dict[tuple[str, str], Any] = {("suppliers", name): key for key, name in self.names.items()}
        moved: dict[str, Decimal] = defaultdict(Decimal)
        for payment in self.paid.values():
            for name, amount in payment.parts.items() if payment.status in _MOVED else ():
                moved[name] += amount
        for row in self.erp.contents["F0411"]:
            if row["DOC"] in _OWN:
                key = f"{row['KCO']}/{row['DCT']}/{row['DOC']}/{row['SFX']}"
                left = row["AG"] - moved[key]
                stands = (left, "B" if left else "P")
                found["invoices", key] = (row["DDJ"].isoformat(), row["AG"], self.names[str(row["AN8"])], stands)
        for key, one in self.born.items():
            if not one.void:
                found["vouchers", key] = (one.number, one.supplier, one.gross, False)
        for key, payment in self.paid.items():
            if payment.status in _MOVED:
                found["payments", key] = payment.parts
        return found

    def arrived(self) -> dict[tuple[str, str], Arrived]:
        found: dict[tuple[str, str], Arrived] = {}
        numbers = {name: key for key, name in self.names.items()}
        books = self.erp.contents
        stands = {
            f"{row['KCO']}/{row['DCT']}/{row['DOC']}/{row['SFX']}": (row["AAP"], row["PST"]) for row in books["F0411"]
        }
        names = {}
        held = self.payables.contents
        for row in held["vendors"]:
            names[row["id"]] = row["name"]
            one_record(found, ("suppliers", row["name"]), numbers.get(row["name"]))
        for row in held["bills"]:
            if not row["archived"] and str(row["id"]) not in self.born:
                number = row["invoice"]["invoiceNumber"]
                content = (row["dueDate"], row["amount"], names[row["vendorId"]], stands.get(number))
                one_record(found, ("invoices", number), content)
        taken_back = {("payments", key) for key, payment in self.paid.items() if not payment.counts}
        payments = {
            key: one
            for key, one in payments_in_books(books, "BILL:").items()
            if one.content or one.doubles or key not in taken_back
        }
        return found | vouchers_in_books(books, "BILL:", _OWN) | payments

    def excused_with(self, excused: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """What cannot be recorded because nobody knows whether its voucher, or its payment, is there."""
        payments = {
            key
            for key, payment in self.paid.items()
            if ("payments", key) in excused or any(("vouchers", bill) in excused for bill in payment.bills)
        }
        items = {("invoices", name) for key in payments for name in self.paid[key].parts}
        return {("payments", key) for key in payments} | items

    @staticmethod
    def verifier(wire: Mapping[str, Any], _clock: SharedClock) -> Any:
        return webhooks.BillVerifier(wire["security_key"], organization_id=wire["organization"])

    @staticmethod
    def flow(wire: Mapping[str, Any], ledger: mc.Ledger, clock: SharedClock, folder: Path, stack: ExitStack) -> mc.Flow:
        from mlconnector.bill import BillSession

        auth = BillSession(
            BILLSimulator.username, BILLSimulator.password, organization_id=wire["organization"], dev_key=wire["key"]
        )
        locks = folder / "locks"
        locks.mkdir(exist_ok=True)
        bill = stack.enter_context(mc.BILL(wire["payables"], auth=auth, clock=clock, timeout=TIMEOUT, lock_dir=locks))
        if ledger.crosswalk.find("account", to="jdedwards", bill=wire["account"]) is None:
            ledger.crosswalk.link("account", jdedwards="M30.6110", bill=wire["account"])
        sure = wire["look_up"] == "reliable"
        return flows.jde_to_bill(
            jde_client(wire, clock, stack),
            bill,
            ledger=ledger,
            begin="everything",
            hand_over=flows.PayStatus("B"),
            bank_account="00000001",
            company="00001",
            inbox=JDEToBill.inbox,
            targets={
                "vouchers": {"look_up": wire["look_up"]},
                "payments": {"look_up": "reliable" if sure else "proven"},
            },
        )
