"""Where the code of the pages runs: six simulators in place of the example addresses, and what a reader has at hand."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import signal
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import mlconnector as mc
from mlconnector import flows, webhooks, x12
from mlconnector.testing import (
    BILLSimulator,
    CleoSimulator,
    CoupaSimulator,
    FusionSimulator,
    JDEdwardsSimulator,
    ManualClock,
    PeopleSoftSimulator,
    accounts,
    fiscal_calendar,
    orders,
    vouchers,
)

ROOT = Path(__file__).parent.parent.parent
_START = dt.datetime(2026, 3, 2, 15, tzinfo=dt.UTC)
_CHART = "US Chart"


def blocks(page: Path, language: str = "python") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


class Stage:
    """Simulators with a little data, and the rewriting that leads a page's code to them."""

    def __init__(self, folder: Path) -> None:
        self._open = contextlib.ExitStack()
        self._folder = folder
        clock = self.clock = ManualClock(_START)
        enter = self._open.enter_context
        self.erp = enter(JDEdwardsSimulator(clock=clock))
        self.pod = enter(FusionSimulator(clock=clock))
        self.site = enter(PeopleSoftSimulator(clock=clock))
        self.network = enter(CleoSimulator(clock=clock))
        self.spend = enter(CoupaSimulator(clock=clock))
        self.payables = enter(BILLSimulator(clock=clock))
        self._furnish()
        clock.advance(dt.timedelta(hours=1))
        people = {"node": "PSFT_EP", "business_units": ["US001"], "setids": ["SHARE"]}
        self._clients: dict[str, Any] = {
            "jde": self.erp.client(),
            "fusion": self.pod.client(),
            "people": self.site.client(**people),
            "cleo": self.network.client(),
            "coupa": self.spend.client(chart=_CHART),
            "bill": self.payables.client(lock_dir=folder),
        }
        for client in self._clients.values():
            self._open.callback(client.close)
        self.ledger = enter(mc.Ledger(":memory:", actor="reader", clock=clock))

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def leave_in_doubt(self, number: int) -> None:
        """An order whose upload got no answer, and that a person must settle by now."""
        self.erp.add(orders(1, suppliers=1, first_number=number, master=False))
        self.network.fail(drop="before", match="PUT")
        for _ in range(2):
            self.room["flow"].run()
            self.clock.advance(dt.timedelta(hours=25))

    def _furnish(self) -> None:
        self.erp.add(accounts())
        self.erp.add(orders(4, suppliers=2))
        self.erp.add(vouchers(2, suppliers=2, master=False))
        self.erp.add(fiscal_calendar(2026, period=3))
        self.pod.add(mc.Supplier(number="1001", name="Parts Emporium"))
        self.site.add(mc.Supplier(number="0000000042", name="Acme"))

    @property
    def room(self) -> dict[str, Any]:
        """What a page may take for granted."""
        partner = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"), usage="T")
        route = flows.Route(["4343", "4344"], partner, folder="outbox/ACME")
        jde, cleo = self._clients["jde"], self._clients["cleo"]
        return {
            **self._clients,
            "mc": mc,
            "x12": x12,
            "flows": flows,
            "webhooks": webhooks,
            "dt": dt,
            "Decimal": Decimal,
            "partner": partner,
            "routes": [route],
            "zone": dt.UTC,
            "ledger": self.ledger,
            "flow": flows.jde_to_cleo(jde, cleo, ledger=self.ledger, routes=[route], name="given"),
            "saved": None,
            "handle": lambda *_: None,
            "save": lambda _: None,
            # What watches over a poller asks it to end after its first run.
            "publish": lambda _: signal.raise_signal(signal.SIGTERM),
        }

    def led_here(self, code: str) -> str:
        """The same code with the simulators' addresses and logins."""
        erp, network, site, spend, payables = self.erp, self.network, self.site, self.spend, self.payables
        for old, new in {
            '"https://ais.example:9302"': repr(erp.url),
            '"https://pod.example"': repr(self.pod.url),
            '"https://idcs.example/oauth2/v1/token"': repr(self.pod.token_url),
            '"https://host:8443"': repr(site.url),
            '"https://tenant.example"': repr(network.url),
            '"https://acme.coupahost.com"': repr(spend.url),
            '"https://gateway.stage.bill.com/connect"': repr(payables.url),
            '"USER", "password"': f"{erp.username!r}, {erp.password!r}",
            '"user", "password", organization_id="00800000000000001", dev_key="key"': (
                f"{payables.username!r}, {payables.password!r},"
                f" organization_id={payables.organization_id!r}, dev_key={payables.dev_key!r}"
            ),
            '"user", "password"': f"{network.username!r}, {network.password!r}",
            '"OPRID", "password"': f"{site.username!r}, {site.password!r}",
            '"id", "secret"': f"{spend.username!r}, {spend.password!r}",
            '"acme.db"': '":memory:"',
        }.items():
            code = code.replace(old, new)
        return code

    @contextlib.contextmanager
    def stored(self) -> Iterator[None]:
        """Credentials of the names that pages use, in the environment."""
        kept = dict(os.environ)
        logins = {
            "ACME_JDE": ("AISSession", self.erp),
            "ACME_CLEO": ("OAuth2Password", self.network),
            "ACME_BILL": ("BillSession", self.payables),
            "ACME_PEOPLESOFT": ("HTTPBasic", self.site),
        }
        for name, (kind, system) in logins.items():
            fields = {"KIND": kind, "USERNAME": system.username, "PASSWORD": system.password}
            os.environ.update({f"MLCONNECTOR_{name}_{field}": value for field, value in fields.items()})
        os.environ["MLCONNECTOR_ACME_BILL_ORGANIZATION_ID"] = self.payables.organization_id
        os.environ["MLCONNECTOR_ACME_BILL_DEV_KEY"] = self.payables.dev_key
        os.environ["XDG_STATE_HOME"] = str(self._folder)
        handler = signal.getsignal(signal.SIGTERM)
        sys.path.insert(0, str(ROOT / "examples" / "seventh_vendor"))
        try:
            yield
        finally:
            sys.path.remove(str(ROOT / "examples" / "seventh_vendor"))
            signal.signal(signal.SIGTERM, handler)
            os.environ.clear()
            os.environ.update(kept)

    def run(self, page: Path) -> dict[str, Any]:
        """Every Python block of a page, in one room."""
        room = self.room
        given = set(map(id, room.values()))
        with self.stored():
            try:
                for block in blocks(page):
                    exec(compile(self.led_here(block), str(page), "exec"), room)
            finally:
                for made in room.values():
                    if id(made) not in given and isinstance(made, mc.Ledger | _closable()):
                        made.close()
        return room


def _closable() -> Any:
    return mc.JDEdwardsAIS | mc.OracleFusion | mc.PeopleSoft | mc.Cleo | mc.Coupa | mc.BILL
