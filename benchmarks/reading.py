"""Reading beside a bare ``requests`` loop that makes the very same calls and decodes them exactly."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import requests
from pages import served

import mlconnector as mc
from mlconnector.http import RequestsTransport, _json

DOCUMENTS = 1000
ROUNDS = 15
RANGED = 10_000
AT_ONCE = (1, 2, 4, 8)
"""Ranges read at once."""
_ROWS = {
    "jdedwards": ("F4311", ["UORG", "PRRC", "AEXP", "DSC1", "UOM"]),
    "fusion": ("invoices", ["InvoiceId", "InvoiceNumber", "InvoiceAmount", "InvoiceDate", "Supplier"]),
}
_KINDS = {"jdedwards": "purchase_orders", "fusion": "invoices"}
_READS = ("/dataservice", "/fscmRestApi/")


def medians(works: list[Callable[[], object]], rounds: int) -> list[float]:
    """Seconds of each, run in turn so that a drifting machine hits all alike."""
    taken: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for work, times in zip(works, taken, strict=True):
            begin = time.perf_counter()
            work()
            if number:
                times.append(time.perf_counter() - begin)
    return [statistics.median(times) for times in taken]


@attrs.frozen
class Listener:
    """A transport that remembers the calls of reads."""

    calls: list[tuple[str, str, dict[str, str], bytes | None]] = attrs.Factory(list)
    real: RequestsTransport = attrs.Factory(RequestsTransport)

    def send(self, method: str, url: str, headers: Any, body: bytes | None, timeout: Any) -> Any:
        if any(part in url for part in _READS):
            self.calls.append((method, url, dict(headers), body))
        return self.real.send(method, url, headers, body, timeout)

    def close(self) -> None:
        self.real.close()


def client(system: str, told: dict[str, str], **options: Any) -> Any:
    """A client of a served vendor."""
    if system == "jdedwards":
        return mc.JDEdwardsAIS(told["url"], auth=mc.AISSession(told["username"], told["password"]), **options)
    return mc.OracleFusion(told["url"], auth=mc.HTTPBasic(told["username"], told["password"]), **options)


def compared(
    system: str, what: str, *, delay: float = 0.0, answers: str = "kept", fast: bool = False, rounds: int = ROUNDS
) -> tuple[float, int]:
    """Time over that of the bare loop, and the calls of each."""
    found = _json._fast
    if not fast:
        _json._fast = lambda: None  # type: ignore[assignment]
    try:
        with served(system, DOCUMENTS, delay, answers) as told, requests.Session() as session:
            name, columns = _ROWS[system]
            listener = Listener()
            with client(system, told, transport=listener) as reader:

                def own() -> int:
                    records = (
                        getattr(reader, _KINDS[system])() if what == "typed" else reader.rows(name, columns=columns)
                    )
                    return sum(1 for _ in records)

                own()
                calls = list(listener.calls)

                def bare() -> None:
                    for method, url, headers, body in calls:
                        answer = session.request(method, url, data=body, headers=headers, timeout=60)
                        answer.raise_for_status()
                        json.loads(answer.content, parse_float=Decimal)

                bare_seconds, own_seconds = medians([bare, own], rounds)
                return own_seconds / bare_seconds, len(calls)
    finally:
        _json._fast = found


def in_ranges(delay: float, *, rows: int = RANGED, rounds: int = 5) -> dict[int, tuple[float, int]]:
    """Seconds and calls of the same rows, by how many ranges are read at once."""
    name, columns = _ROWS["fusion"]
    with served("fusion", rows, delay) as told:
        found: dict[int, tuple[float, int]] = {}
        for number in AT_ONCE:
            listener = Listener()
            with client("fusion", told, transport=listener, max_in_flight=max(AT_ONCE)) as reader:

                def read(reader: Any = reader, number: int = number) -> None:
                    records = reader.rows(name, columns=columns)
                    ranged = records.in_ranges(number) if number > 1 else records
                    assert sum(1 for _ in ranged) == rows

                read()
                calls = len(listener.calls)
                (seconds,) = medians([read], rounds)
                found[number] = (seconds, calls)
        return found


def report(rounds: int = ROUNDS) -> list[tuple[str, str]]:
    """Lines of the table."""
    lines = []
    for system, named in (("jdedwards", "JD Edwards, 1,000 orders of 3 lines"), ("fusion", "Fusion, 1,000 invoices")):
        for what, budget in (("raw", "1.10"), ("typed", "1.60")):
            for fast in (False, True):
                extra = ", extra fast" if fast else ""
                ratio, calls = compared(system, what, fast=fast, rounds=rounds)
                lines.append((f"{what}: {named}{extra}, {calls} calls", f"{ratio:.2f} (budget {budget})"))
            if what == "typed":
                ratio, _calls = compared(system, what, answers="made", rounds=rounds)
                lines.append((f"{what}: {named}, the simulator works", f"{ratio:.2f} (budget {budget})"))
            for fast in (False, True):
                extra = ", extra fast" if fast else ""
                ratio, _calls = compared(system, what, delay=0.02, fast=fast, rounds=rounds)
                lines.append((f"{what}: {named}{extra}, 20 ms latency", f"{ratio:.2f} (budget 1.00)"))
    for delay in (0.02, 0.2):
        for number, (seconds, calls) in in_ranges(delay).items():
            told = f"{seconds:.2f} s, {calls} calls"
            lines.append((f"raw: {RANGED:,} rows of Fusion, {delay * 1000:.0f} ms latency, in_ranges({number})", told))
    return lines
