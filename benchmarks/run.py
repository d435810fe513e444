"""One command, one table: ``python benchmarks/run.py``. Counts are asserted, times are medians of paired runs."""

from __future__ import annotations

import datetime as dt
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import attrs
import requests

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.records import Batch, Window
from mlconnector.testing import CleoSimulator, JDEdwardsSimulator, orders

ORDERS = 1000
ROUNDS = 5
RECORDED = 10_000


def timed(*works: Callable[[], object]) -> list[float]:
    """Median seconds of each, run in turn so that a drifting machine hits all alike."""
    taken: list[list[float]] = [[] for _ in works]
    for work in works:
        work()
    for _ in range(ROUNDS):
        for index, work in enumerate(works):
            begin = time.perf_counter()
            work()
            taken[index].append(time.perf_counter() - begin)
    return [statistics.median(times) for times in taken]


def bare_loop(erp: JDEdwardsSimulator, columns: list[str]) -> int:
    """What people write: the same pages with requests and exact decimals, by key."""
    session = requests.Session()
    body = {"username": erp.username, "password": erp.password, "deviceName": "bare"}
    token = session.post(f"{erp.url}/jderest/v2/tokenrequest", json=body, timeout=60).json()["userInfo"]["token"]
    session.headers.update({"jde-AIS-Auth": token, "jde-AIS-Auth-Device": "bare"})
    key, last, count = ["DOCO", "DCTO", "KCOO", "SFXO", "LNID"], None, 0
    wanted = [*columns, *(column for column in key if column not in columns)]
    while True:
        condition = []
        if last is not None:
            value = [{"content": str(last), "specialValueId": "LITERAL"}]
            condition = [{"controlId": "F4311.DOCO", "operator": "GREATER_EQUAL", "value": value}]
        body = {
            "targetName": "F4311",
            "targetType": "table",
            "dataServiceType": "BROWSE",
            "findOnEntry": "TRUE",
            "maxPageSize": "500",
            "outputType": "GRID_DATA",
            "returnControlIDs": "|".join(f"F4311.{column}" for column in wanted),
            "query": {"autoFind": True, "matchType": "MATCH_ALL", "condition": condition},
            "aggregation": {"orderBy": [{"column": f"F4311.{column}", "direction": "ASC"} for column in key]},
        }
        answer = session.post(f"{erp.url}/jderest/v2/dataservice", json=body, timeout=60)
        grid = answer.json(parse_float=Decimal)["fs_DATABROWSE_F4311"]["data"]["gridData"]
        count += len(grid["rowset"])
        if not grid["summary"]["moreRecords"]:
            session.close()
            return count
        last = grid["rowset"][-1]["F4311_DOCO"]


def reading(rows: list[tuple[str, str]]) -> None:
    columns = ["UORG", "PRRC", "AEXP", "DSC1", "UOM"]
    with JDEdwardsSimulator() as erp:
        erp.add(orders(ORDERS, lines=3, suppliers=50))

        def raw() -> int:
            with mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password)) as jde:
                return len(list(jde.rows("F4311", columns=columns)))

        bare, own = timed(lambda: bare_loop(erp, columns), raw)
        rows.append(("raw rows, 3,000 order lines: ratio to a bare requests loop", f"{own / bare:.2f} (budget 1.10)"))


def replay(erp: JDEdwardsSimulator, bodies: list[dict[str, object]]) -> int:
    """The same calls with bare requests and exact decimals, one after the other."""
    with requests.Session() as session:
        body = {"username": erp.username, "password": erp.password, "deviceName": "bare"}
        token = session.post(f"{erp.url}/jderest/v2/tokenrequest", json=body, timeout=60).json()["userInfo"]["token"]
        headers = {"jde-AIS-Auth": token, "jde-AIS-Auth-Device": "bare"}
        for body in bodies:
            answer = session.post(f"{erp.url}/jderest/v2/dataservice", json=body, headers=headers, timeout=60)
            answer.json(parse_float=Decimal)
    return len(bodies)


def typed(rows: list[tuple[str, str]]) -> None:
    with JDEdwardsSimulator() as erp:
        erp.add(orders(ORDERS, lines=3, suppliers=50))

        def whole() -> int:
            with mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password)) as jde:
                return len(list(jde.purchase_orders()))

        whole()
        bodies = [call.body for call in erp.calls if call.path.endswith("dataservice")]
        for latency in (0.0, 0.02):
            if latency:
                erp.fail(times=100_000, delay=latency, match="dataservice")
            bare, own = timed(lambda: replay(erp, bodies), whole)
            name = f"typed orders, {latency * 1000:.0f} ms latency: ratio to the same calls with bare requests"
            rows.append((name, f"{own / bare:.2f} (budget {'1.60' if not latency else '1.00'})"))


def counts(rows: list[tuple[str, str]]) -> None:
    partner = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"))
    with (
        tempfile.TemporaryDirectory() as folder,
        JDEdwardsSimulator() as erp,
        CleoSimulator() as network,
        mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password)) as jde,
        mc.Cleo(network.url, auth=mc.OAuth2Password(network.username, network.password)) as cleo,
        mc.Ledger(Path(folder) / "l.db", actor="benchmark", high_water=Path(folder) / "hw") as ledger,
    ):
        erp.add(orders(ORDERS, lines=3, suppliers=50))
        parties = [str(number) for number in range(4343, 4393)]
        flow = flows.jde_to_cleo(
            jde, cleo, ledger=ledger, routes=[flows.Route(parties, partner)], kinds=["purchase_orders"]
        )
        begin = time.perf_counter()
        report = flow.run()
        seconds = time.perf_counter() - begin
        assert report.kinds["purchase_orders"].delivered == ORDERS
        calls = sum("dataservice" in call.path for call in erp.calls)
        assert calls <= 60, calls
        rows.append(("calls to read 1,000 orders of 3 lines and 50 suppliers", f"{calls} (budget 60)"))
        rows.append(("whole deliveries, ledger on disk: orders a second", f"{ORDERS / seconds:.0f}"))
        rows.append(("ledger on disk, bytes a delivery", f"{(Path(folder) / 'l.db').stat().st_size / ORDERS:.0f}"))


class Rows:
    """A reader of made-up suppliers, to time the ledger alone."""

    system, kind, resumable = "benchmark", "suppliers", True
    filters: Mapping[str, object] = MappingProxyType({})
    overlap = dt.timedelta(0)

    def read(self, _window: Window) -> Iterator[Batch[mc.Supplier]]:
        now = dt.datetime.now(dt.UTC)
        origin = mc.Provenance(system="benchmark", kind="suppliers", key="x", updated_at=now)
        documents = [
            mc.Supplier(number=str(number), name="n", provenance=attrs.evolve(origin, key=str(number)))
            for number in range(RECORDED)
        ]
        for start in range(0, RECORDED, 500):
            part = documents[start : start + 500]
            yield Batch(documents=part, clock=now, position=start, last=start + 500 >= RECORDED)


class Nowhere:
    """A target that is never called, since nothing is sent."""

    name, batch_size, look_up, settle_after = "nowhere", 1, "reliable", dt.timedelta(0)

    def content(self, document: mc.Supplier) -> str:
        return document.name

    prepare = find = deliver = content


def recording(rows: list[tuple[str, str]]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        mc.Ledger(Path(folder) / "l.db", actor="benchmark", high_water=Path(folder) / "hw") as ledger,
    ):
        sync = mc.Sync("s", records=mc.Records(Rows()), target=Nowhere(), ledger=ledger)
        begin = time.perf_counter()
        sync.run(limit=0)
        taken = time.perf_counter() - begin
    rows.append(
        ("ledger alone: deliveries a second recorded durably, pages of 500", f"{RECORDED / taken:.0f} (budget 2000)")
    )


def start_up(rows: list[tuple[str, str]]) -> None:
    def run(code: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)  # own code, own interpreter

    bare, own, both = timed(run("pass"), run("import mlconnector"), run("import requests, attrs"))
    rows.append(
        ("import mlconnector, ms", f"{(own - bare) * 1000:.0f} (requests and attrs: {(both - bare) * 1000:.0f})")
    )


def main() -> None:
    rows: list[tuple[str, str]] = []
    for part in (counts, recording, reading, typed, start_up):
        part(rows)
    width = max(len(name) for name, _value in rows)
    for name, value in rows:
        print(f"{name.ljust(width)}  {value}")


if __name__ == "__main__":
    main()
