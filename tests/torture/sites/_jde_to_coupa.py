"""JD Edwards and Coupa: suppliers, orders and vouchers out; approved invoices and payments back."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import attrs

import mlconnector as mc
from mlconnector import flows, webhooks
from mlconnector.testing import (
    Call,
    CoupaSimulator,
    JDEdwardsSimulator,
    Simulator,
    accounts,
    fiscal_calendar,
    orders,
    receipts,
    vouchers,
)
from mlconnector.testing._coupa_render import View
from tests.torture.clock import SharedClock
from tests.torture.faults import TIMEOUT
from tests.torture.sites._books import payments_in_books, vouchers_in_books
from tests.torture.sites._common import SUPPLIERS, Arrived, JDEdwardsOrders, Site, jde_client, one_record, renamed

_SECRET = "hush"
_CHART = {"name": "US Chart"}
_LAG = 15.0
"""Seconds for which Coupa does not list what was made: the last of those in which an effect may still show."""
_OWN = range(300001, 310000)
"""Numbers of vouchers that are born in JD Edwards."""


@attrs.define
class _Bill:
    """An approved invoice in Coupa.

    Args:
        name: What JD Edwards' books are compared by. ``number``: the supplier's own.
        supplier: As JD Edwards numbers it. ``matched``: over order lines. ``left``: what is not paid yet.
    """

    name: str
    number: str
    supplier: str
    gross: Decimal
    matched: bool
    left: Decimal
    void: bool = False


class JDEToCoupa(JDEdwardsOrders, Site):
    name = "jde_to_coupa"
    way_back = True
    from_source = frozenset({"purchase_orders", "vouchers", "payments"})
    settle: ClassVar[dict[str, float]] = {"spend": 60.0 - _LAG, "erp": 600.0}
    inbox = "coupa"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.erp = JDEdwardsSimulator(clock=self.source_clock)
        self.spend = CoupaSimulator(clock=self.target_clock, lag=_LAG)
        self.names: dict[str, str] = {}
        self.ordered_from: set[int] = set()
        self.bills: dict[int, _Bill] = {}
        self.paid: dict[int, dict[str, Decimal]] = {}
        self.own: dict[int, _Bill] = {}
        if self.look_up != "reliable":
            self.present_only = frozenset({"vouchers", "payments"})

    @property
    def simulators(self) -> dict[str, Simulator]:
        return {"erp": self.erp, "spend": self.spend}

    @property
    def more_faults(self) -> dict[str, tuple[str, ...]]:
        return {"erp": ("444",)}

    def wire(self) -> dict[str, Any]:
        return {**super().wire(), "scope": " ".join(self.spend._tokens.scopes)}

    def now_of(self, kind: str) -> dt.datetime:
        return (self.target_clock if kind in ("vouchers", "payments") else self.source_clock).now()

    def document_of(self, kind: str, key: str) -> str:
        return key.rpartition("/")[2] if kind == "purchase_orders" else key

    def furnish(self) -> None:
        self.erp.add(accounts())
        for code in ("M30-6110", "M30-6120", "M30-6310", "M30-6420"):
            row = {"code": code, "name": code, "account-type": _CHART, "active": True}
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
        old = max(2, (self.count - SUPPLIERS) // 5)
        self.add_orders(50001, old, ANI="M30.6110")
        self.clock.advance(40 * 3600)
        self.add_orders(50001 + old, old, ANI="M30.6110")
        own = vouchers(max(3, self.count // 20), suppliers=SUPPLIERS, first_number=_OWN.start, master=False)
        self.erp.add(own)
        self._next, self.left = 50001 + 2 * old, old
        self._receipt = 700001

    def feed(self, share: float) -> None:
        part = min(self.left, max(1, round(self.count * share)))
        if part:
            self.add_orders(self._next, part, ANI="M30.6110")
            self._next, self.left = self._next + part, self.left - part
        for _ in range(max(1, round(0.4 * self.count * min(share, 0.1)))):
            self.invoice()
            if self.rng.random() < 0.6:
                self.pay()
        self.approve_own()

    def change(self) -> None:
        chance = self.rng.random()
        if chance < 0.15:
            renamed(self)
        elif chance < 0.3:
            self.withdraw()
        elif chance < 0.4:
            self.pay()
        else:
            self.change_order()

    def may_change(self, order: int) -> bool:
        return order not in self.ordered_from

    def meanwhile(self, call: Call) -> None:
        if not self.calm and self.rng.random() < 0.01:
            self.invoice()

    def between(self) -> None:
        if self.rng.random() < 0.5:
            self.erp.post()
        for row in self._held("coupa_pay/payments", status="payment_in_progress"):
            if self.rng.random() < 0.5:
                self.spend.update("coupa_pay/payments", row["id"], status="completed_successfully")
                self._tell("coupa_pay/payments", row["id"])

    # What happens in Coupa

    def _tell(self, resource: str, key: int) -> None:
        notice = self.spend.webhook(_SECRET, (resource, key))
        self.notices.append((dict(notice.headers), notice.body))

    def _held(self, resource: str, **equal: Any) -> list[dict[str, Any]]:
        """Rows of Coupa as it shows them: ``contents`` would show everything there is."""
        with self.spend._lock:
            database = self.spend._database
            view = View(database=database)
            rows = database.rows(resource)
            return [view.row(row) for row in rows if all(row.values[name] == value for name, value in equal.items())]

    def invoice(self) -> None:
        """A supplier bills what was ordered, and received by now, or something without an order."""
        if self.rng.random() < 0.4:
            self._bill_without_order()
        else:
            self._bill_an_order()

    def _bill_an_order(self) -> None:
        """An order that stands in Coupa as it does in JD Edwards: one line of it, or all."""
        with self.spend._lock:
            issued = [
                row.values["po-number"]
                for row in self.spend._database.rows("purchase_orders")
                if row.values["status"] == "issued" and int(row.values["po-number"]) not in self.ordered_from
            ]
        self.rng.shuffle(issued)
        for name in issued:
            (order,) = self._held("purchase_orders", **{"po-number": name})
            with self.erp._lock:
                lines = self.erp._stores["F4311"].where(DOCO=int(name))
            ordered = {str(int(line["LNID"])): (line["UORG"], line["PRRC"]) for line in lines}
            if {str(one["line-num"]): (one["quantity"], one["price"]) for one in order["order-lines"]} == ordered:
                break
        else:
            return
        number = int(name)
        self.ordered_from.add(number)
        self.erp.add(receipts({"F4311": lines}, first_document=self._receipt))
        self._receipt += len(lines)
        billed = order["order-lines"][: self.rng.randrange(1, 1 + len(order["order-lines"]))]
        self._add_bill(
            order["supplier"],
            [
                {
                    "type": "InvoiceQuantityLine",
                    "line-num": place,
                    "description": "Bolt",
                    "price": line["price"],
                    "quantity": line["quantity"],
                    "order-line-id": line["id"],
                }
                for place, line in enumerate(billed, start=1)
            ],
            sum((line["price"] * line["quantity"] for line in billed), Decimal(0)),
            matched=True,
        )

    def _bill_without_order(self) -> None:
        suppliers = self._held("suppliers")
        if not suppliers:
            return
        gross = Decimal(self.rng.randrange(100, 900000)) / 100
        (account,) = (row["id"] for row in self._held("accounts", code="M30-6110"))
        line = {"type": "InvoiceAmountLine", "line-num": 1, "description": "Service", "price": gross}
        line["account"] = {"id": account}
        self._add_bill(self.rng.choice(suppliers), [line], gross, matched=False)

    def _add_bill(
        self, supplier: Mapping[str, Any], lines: list[dict[str, Any]], gross: Decimal, *, matched: bool
    ) -> None:
        number = f"SI-{len(self.bills) + 1}"
        row = {
            "invoice-number": number,
            "invoice-date": dt.date(2026, 3, 1),
            "supplier": {"id": supplier["id"]},
            "account-type": _CHART,
            "line-level-taxation": False,
            "currency": {"code": "USD"},
            "status": "approved",
            "invoice-lines": lines,
        }
        (*_others, key) = self.spend.add(row, resource="invoices")
        self.bills[key] = _Bill(str(key), number, supplier["number"], gross, matched, gross)
        self._tell("invoices", key)

    def withdraw(self) -> None:
        """An invoice of which nothing is paid is voided, whether it is a voucher by now or not."""
        open_ones = [key for key, one in self.bills.items() if not one.void and one.left == one.gross]
        if not open_ones:
            return
        key = self.rng.choice(open_ones)
        self.bills[key].void = True
        self.births.pop(("vouchers", str(key)), None)
        self.spend.update("invoices", key, status="voided")
        self.changes += 1
        self._tell("invoices", key)

    def approve_own(self) -> None:
        """What JD Edwards has sent is approved in Coupa too, and may be paid there."""
        for row in self._held("invoices", status="draft"):
            if row["id"] not in self.bills and row["internal-note"] and self.rng.random() < 0.5:
                self.spend.update("invoices", row["id"], status="approved")
                gross, name = _total(row), row["internal-note"].removeprefix("JDEDWARDS:")
                self.own[row["id"]] = _Bill(
                    f"{name}/001", row["invoice-number"], row["supplier"]["number"], gross, matched=False, left=gross
                )
                self._tell("invoices", row["id"])

    def pay(self) -> None:
        """A payment over one or two invoices of a supplier: all that is open, or a part of it."""
        bills = {**self.bills, **self.own}
        payable = [key for key, one in bills.items() if one.left and not one.void]
        if not payable:
            return
        first = bills[self.rng.choice(payable)]
        same = [key for key in payable if bills[key].supplier == first.supplier]
        chosen = self.rng.sample(same, min(len(same), self.rng.choice((1, 1, 2))))
        parts = {}
        for key in chosen:
            one = bills[key]
            amount = one.left if self.rng.random() < 0.6 else max(Decimal("0.01"), round(one.left / 3, 2))
            one.left -= amount
            parts[key] = amount
        self._add_payment(parts, {bills[key].name: amount for key, amount in parts.items()})
        for key in chosen:
            if not bills[key].left:
                self.spend.update("invoices", key, paid=True)
                self._tell("invoices", key)

    def _add_payment(self, parts: Mapping[int, Decimal], named: dict[str, Decimal]) -> None:
        number = 9001 + len(self.paid)
        self.paid[number] = named
        self.spend.add(
            mc.Payment(
                number=str(number),
                date=dt.date(2026, 3, 2),
                amount=sum(parts.values(), Decimal(0)),
                currency="USD",
                status=self.rng.choice(("payment_in_progress", "completed_successfully")),
                applications=[mc.Application(invoice=str(key), amount=amount) for key, amount in parts.items()],
            )
        )
        self._tell("coupa_pay/payments", number)

    # What must be where

    def meddle(self) -> None:
        for row in self.spend.contents["suppliers"][:2]:
            self.spend.update("suppliers", row["id"], name=f"By hand {row['number']}")
            self.erp.update("F0101", {"AN8": int(row["number"])}, ALPH=f"By JDE {row['number']}")
            self.touched["suppliers", row["number"]] = f"By hand {row['number']}"

    def expected(self) -> dict[tuple[str, str], Any]:
        found: dict[tuple[str, str], Any] = {("suppliers", key): name for key, name in self.names.items()}
        found |= self.touched
        found |= {("purchase_orders", key): ("issued", lines) for key, lines in self.ordered().items()}
        own: dict[str, Decimal] = defaultdict(Decimal)
        for row in self.erp.contents["F0411"]:
            if row["DOC"] in _OWN:
                own[f"{row['KCO']}/{row['DCT']}/{row['DOC']}"] += row["AG"]
        found |= {("invoices", key): gross for key, gross in own.items()}
        for key, one in self.bills.items():
            if not one.void:
                found["vouchers", str(key)] = (one.number, one.supplier, one.gross, one.matched)
        return found | {("payments", str(key)): parts for key, parts in self.paid.items()}

    def arrived(self) -> dict[tuple[str, str], Arrived]:
        found: dict[tuple[str, str], Arrived] = {}
        held = self.spend.contents
        for row in held["suppliers"]:
            one_record(found, ("suppliers", row["number"]), row["name"])
        for row in held["purchase_orders"]:
            lines = {str(line["line-num"]): (line["quantity"], line["price"]) for line in row["order-lines"]}
            one_record(found, ("purchase_orders", row["po-number"]), (row["status"], lines))
            if len(lines) < len(row["order-lines"]):
                found["purchase_orders", row["po-number"]].doubles.append("a line twice")
        for row in held["invoices"]:
            if row["id"] not in self.bills:
                mark = str(row["internal-note"] or row["invoice-number"]).removeprefix("JDEDWARDS:")
                one_record(found, ("invoices", mark), _total(row))
        books = self.erp.contents
        return found | vouchers_in_books(books, "COUPA:", _OWN) | payments_in_books(books, "COUPA:")

    def excused_with(self, excused: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """A payment cannot be recorded on a voucher of which nobody knows whether it is there."""
        return {
            ("payments", str(key))
            for key, parts in self.paid.items()
            if any(("vouchers", invoice) in excused for invoice in parts)
        }

    @staticmethod
    def verifier(_wire: Mapping[str, Any], clock: SharedClock) -> Any:
        return webhooks.CoupaVerifier(_SECRET, clock=clock)

    @staticmethod
    def flow(wire: Mapping[str, Any], ledger: mc.Ledger, clock: SharedClock, folder: Path, stack: ExitStack) -> mc.Flow:
        auth = mc.OAuth2ClientCredentials(
            CoupaSimulator.username, CoupaSimulator.password, path="/oauth2/token", scope=wire["scope"] or None
        )
        coupa = stack.enter_context(mc.Coupa(wire["spend"], auth=auth, clock=clock, timeout=TIMEOUT))
        if ledger.crosswalk.find("ship_to", to="coupa", jdedwards="6001") is None:
            ledger.crosswalk.link("ship_to", jdedwards="6001", coupa="MAIN")
        sure = wire["look_up"] == "reliable"
        return flows.jde_to_coupa(
            jde_client(wire, clock, stack),
            coupa,
            ledger=ledger,
            begin="everything",
            ship_to_user="integration",
            company="00001",
            bank_account="00000001",
            inbox=JDEToCoupa.inbox,
            targets={
                "vouchers": {"look_up": wire["look_up"]},
                "payments": {"look_up": "reliable" if sure else "proven"},
            },
        )


def _total(row: Mapping[str, Any]) -> Decimal:
    return sum((one["price"] * (one["quantity"] or 1) for one in row["invoice-lines"]), Decimal(0))
