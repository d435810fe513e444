"""Oracle Fusion to Cleo: invoices and payments."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.testing import Call, CleoSimulator, FusionSimulator, Simulator
from tests.torture.clock import SharedClock
from tests.torture.faults import TIMEOUT
from tests.torture.sites._cleo import NAME, CleoSite, group_of, partner_of, segments
from tests.torture.sites._common import Arrived
from tests.torture.tables import rows

_MEANS = {"": "", "A": "accepted", "E": "accepted with errors", "R": "rejected"}
_REJECTIONS = "SELECT sync, key FROM attention WHERE text LIKE 'The partner rejected it%'"


def _worded(accepted: x12.TransactionSet, word: str) -> x12.TransactionSet:
    """A 997 with another word on its one set, and on its group."""
    changed = [
        x12.Segment(one.id, word, *tuple(one)[2:]) if one.id in ("AK5", "AK9") else one for one in accepted.segments
    ]
    return attrs.evolve(accepted, segments=changed)


def _advice(about: x12.TransactionSet, *, accepted: bool) -> x12.TransactionSet:
    """An 824: what the partner's application makes of a set."""
    word = "TA" if accepted else "TR"
    told = [] if accepted else [x12.Segment("TED", "024", "", "Price is not ours")]
    return x12.TransactionSet(
        "824",
        [
            x12.Segment("BGN", "00", "1", "20260302"),
            x12.Segment("OTI", word, "TN", about.control_number),
            *told,
        ],
        group=None if about.group is None else attrs.evolve(about.group, functional_id="AG"),
    )


class FusionToCleo(CleoSite):
    name = "fusion_to_cleo"
    way_back = True
    from_source = frozenset({"invoices"})

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.erp = FusionSimulator(clock=self.source_clock)
        self.network = CleoSimulator(clock=self.target_clock)
        self.verdicts: dict[str, str] = {}
        self._groups: list[tuple[str, int]] = []
        self._own = self._file = 0
        self._sent: set[str] = set()

    @property
    def simulators(self) -> dict[str, Simulator]:
        return {"erp": self.erp, "tokens": self.erp.token_host, "network": self.network}

    def wire(self) -> dict[str, Any]:
        return {**super().wire(), "token_url": self.erp.token_host.token_url, "scope": self.erp.token_host.scope}

    def document_of(self, kind: str, key: str) -> str:
        if kind == "acknowledgments":
            return group_of(key)
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
        for _ in range(max(2, round(0.5 * self.count * min(share, 0.2)))):
            self.answer()

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

    # What comes back

    def meanwhile(self, call: Call) -> None:
        super().meanwhile(call)
        if not self.calm and self.rng.random() < 0.02:
            self.answer()

    def answer(self) -> None:
        """A partner's word on a file that it has: its translator's, or its application's; some of them once more,
        under another name, with other numbers or the same.
        """
        waiting = self.network.contents
        there = [one for one in self.network.uploads if one.path not in waiting]
        answerable = [one for one in there if "/810_" in one.path or "/820_" in one.path]
        if not answerable:
            return
        upload = self.rng.choice(answerable)
        (ts,) = x12.read(upload.data)
        if self.rng.random() < 0.25:
            self._send([_advice(ts, accepted=self.rng.random() < 0.5)], ts, acknowledged=True)
            return
        name = NAME.fullmatch(upload.path.rpartition("/")[2])
        assert name is not None
        words = "AAAAE" if int(name["revision"]) > 1 else "AAAER"
        word = self.verdicts.setdefault(upload.path, self.rng.choice(words))
        self._send([_worded(x12.to_997([ts]), word)], ts)

    def _send(self, sets: list[x12.TransactionSet], about: x12.TransactionSet, *, acknowledged: bool = False) -> None:
        assert about.interchange is not None
        them = partner_of(about.interchange.receiver.id)
        text = ""
        for _ in range(self.rng.choice((1, 1, 2))):
            if not text or self.rng.random() < 0.5:
                self._own += 1
                numbers = x12.ControlNumbers(self._own, self._own)
                text = x12.interchange(sets, them, control=numbers, at=self.network.clock.now())
                if acknowledged:
                    self._groups.append((them.sender.id, self._own))
            self._file += 1
            self._sent.add(hashlib.sha256(text.encode()).hexdigest())
            self.network.add(f"inbox/answer {self._file}.edi", text.encode())

    def troubles(self, ledger: Path) -> list[str]:
        """Each answer was applied once, to the delivery it is about; a rejection is shown."""
        found = [
            f"{row['code']} {row['identity']} is {row['state']}: {row['reason']}"
            for row in rows(ledger, "SELECT * FROM inbox")
            # A page in the place of a file is kept, too; the file stays where it is and is fetched again.
            if row["file"] in self._sent and row["state"] != {"997": "applied", "824": "noted"}[row["code"]]
        ]
        kept = {row["hash"] for row in rows(ledger, "SELECT hash FROM inbox_files")}
        found += [f"an answer was never kept: {digest}" for digest in self._sent - kept]
        twice = rows(ledger, "SELECT message, count(*) AS times FROM answers GROUP BY message HAVING count(*) <> 1")
        found += [f"answer {row['message']} was applied {row['times']} times" for row in twice]
        states = {
            (row["interchange_counter"], row["interchange"]): row
            for row in rows(
                ledger,
                "SELECT t.interchange_counter, t.interchange, d.sync, d.key, d.partner_state, d.state"
                " FROM transmissions AS t JOIN deliveries AS d ON d.id = t.delivery",
            )
        }
        shown = Counter((row["sync"], row["key"]) for row in rows(ledger, _REJECTIONS))
        rejected: set[tuple[str, str]] = set()
        for upload in self.network.uploads:
            isa = next(segments(upload.data))
            row = states[f"isa:{isa[5]}:{isa[6].strip()}>{isa[7]}:{isa[8].strip()}", int(isa[13])]
            word = _MEANS[self.verdicts.get(upload.path, "")]
            if (row["state"], row["partner_state"]) != ("delivered", word):
                found.append(f"{upload.path} is {row['state']}, {row['partner_state'] or 'not answered'}, not {word}")
            rejected |= {(row["sync"], row["key"])} if word == "rejected" else set()
        found += [f"the rejection of {key} is not shown" for key in rejected - shown.keys()]
        return found + [f"{key} is shown as rejected" for key in shown.keys() - rejected]

    def change(self) -> None:
        with self.erp._lock:
            row = dict(self.some(self.erp._stores["invoices"]).values)
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
        with self.erp._lock:
            invoices, payments = (
                [node.values for node in self.erp._stores[name]] for name in ("invoices", "payablesPayments")
            )
            for row in invoices:
                found["invoices", row["InvoiceNumber"]] = (f"{row['InvoiceDate']:%Y%m%d}", row["InvoiceAmount"])
            for row in payments:
                found["payments", str(row["PaymentNumber"])] = row["PaymentAmount"]
        return found | {("acknowledgments", f"{sender}/{group}"): "A" for sender, group in self._groups}

    def arrived(self) -> dict[tuple[str, str], Arrived]:
        found: dict[tuple[str, str], Arrived] = {}
        newest: dict[tuple[str, str], int] = {}
        seen: set[tuple[str, str, int]] = set()
        for file in self.files():
            if file.code == "810":
                key = ("invoices", file.first("BIG")[2])
                content: Any = (file.first("BIG")[1], Decimal(file.first("TDS")[1]) / 100)
            elif file.code == "997":
                continue
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
        return found | self.acknowledged()

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
