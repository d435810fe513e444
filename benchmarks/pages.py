"""A vendor in a process of its own, for the clock: each answer is made once and then handed out as it is.

``python benchmarks/pages.py jdedwards 1000 0.02 kept`` prints one line of JSON with address and login, and serves until
its standard input ends. So the time that is measured is the client's and the wire's, not the simulator's; with ``made``
instead of ``kept`` each answer is made anew, which costs what a quick server takes.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mlconnector.documents import Invoice, InvoiceLine, Party, PayItem
from mlconnector.testing import FusionSimulator, JDEdwardsSimulator, orders

_KEPT = ("/dataservice", "/fscmRestApi/")


class _Kept:
    """Answers of reads, remembered; what a read says does not change while it is measured."""

    def _work(self, request: Any) -> Any:
        if not any(part in request.path for part in _KEPT):
            return super()._work(request)  # type: ignore[misc]
        known = self.__dict__.setdefault("_kept_answers", {})
        key = (request.method, request.path, tuple(sorted(request.query.items())), request.raw)
        if key not in known:
            known[key] = super()._work(request)  # type: ignore[misc]
        return known[key]


class KeptJDEdwards(_Kept, JDEdwardsSimulator):
    """JD Edwards whose answers are made once."""


class KeptFusion(_Kept, FusionSimulator):
    """Fusion whose answers are made once."""


def invoice(number: int, lines: int = 3) -> Invoice:
    """A validated invoice of a few lines, another one for each number."""
    supplier = Party(number=str(4343 + number % 50), name=f"Supplier {number % 50} Inc")
    prices = [Decimal(1000 + number * 7 % 5000 + line * 13) / 100 for line in range(1, lines + 1)]
    gross = sum((price * position for position, price in enumerate(prices, 1)), Decimal(0))
    date = dt.date(2026, 3, 1) + dt.timedelta(days=number % 200)
    return Invoice(
        number=str(300_000_000_000 + number),
        type="Standard",
        supplier_invoice_number=f"INV-{number}",
        date=date,
        gl_date=date,
        supplier=supplier,
        company="US1 Business Unit",
        currency="USD",
        gross=gross,
        open=gross,
        terms="Net 30",
        lines=tuple(
            InvoiceLine(
                number=str(position),
                description=f"Bolt M{(number + position) % 40} zinc",
                quantity=Decimal(position),
                unit="EA",
                unit_price=price,
                price_unit="EA",
                amount=price * position,
                account="101.10.60540.000.000",
                purchase_order=str(160_000 + number),
                order_line=str(position),
            )
            for position, price in enumerate(prices, 1)
        ),
        pay_items=(PayItem(number="1", due_date=date + dt.timedelta(days=30), gross=gross, open=gross),),
    )


def serve(system: str, documents: int, delay: float, answers: str) -> None:
    """Serve until standard input ends."""
    with contextlib.ExitStack() as stack:
        vendor: Any
        if system == "jdedwards":
            vendor = stack.enter_context(KeptJDEdwards() if answers == "kept" else JDEdwardsSimulator())
            vendor.add(orders(documents, lines=3, suppliers=50))
        else:
            vendor = stack.enter_context(KeptFusion() if answers == "kept" else FusionSimulator())
            for number in range(documents):
                vendor.add(invoice(number))
        told = {"url": vendor.url, "username": vendor.username, "password": vendor.password}
        if delay:
            vendor.fail(times=10**9, delay=delay, match=re.compile("|".join(_KEPT)))
        print(json.dumps(told), flush=True)
        sys.stdin.read()


@contextlib.contextmanager
def served(system: str, documents: int, delay: float = 0.0, answers: str = "kept") -> Iterator[dict[str, str]]:
    """Address and login of a vendor in a process of its own."""
    command = [sys.executable, __file__, system, str(documents), str(delay), answers]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4])
