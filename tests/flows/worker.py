"""A worker that kills itself, for real, at the n-th step; run by test_faults.

Steps are before and after every write transaction of the ledger and every call on the wire.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.delivery._store import Store
from mlconnector.http import RequestsTransport


def main() -> int:
    folder, kill_at = Path(sys.argv[1]), int(sys.argv[2])
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    transaction, send = Store.transaction, RequestsTransport.send

    @contextlib.contextmanager
    def deadly_transaction(store: Store, lease: Any = None) -> Iterator[Any]:
        step()
        with transaction(store, lease) as inside:
            yield inside
        step()

    def deadly_send(*args: Any, **options: Any) -> Any:
        step()
        answer = send(*args, **options)
        step()
        return answer

    Store.transaction, RequestsTransport.send = deadly_transaction, deadly_send
    clock = Later(folder)
    partner = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"))
    env = os.environ
    with (
        mc.JDEdwardsAIS(
            env["WORKER_ERP_URL"], auth=mc.AISSession(env["WORKER_ERP_USER"], env["WORKER_ERP_PASSWORD"])
        ) as jde,
        mc.Cleo(
            env["WORKER_CLEO_URL"],
            auth=mc.OAuth2Password(env["WORKER_CLEO_USER"], env["WORKER_CLEO_PASSWORD"]),
            timeout=5,
        ) as cleo,
        mc.Ledger(folder / "ledger.db", actor="worker", high_water=folder / "hw.json", clock=clock) as ledger,
    ):
        route = flows.Route(["4343", "4344", "4345"], partner, folder="outbox/ACME", connection="ACME")
        flow = flows.jde_to_cleo(
            jde, cleo, ledger=ledger, routes=[route], kinds=["purchase_orders"], look_up="reliable"
        )
        return 0 if flow.run().ok else 1


class Later(mc.SystemClock):
    """A day later at every start: the leases and settling delays of the killed are over."""

    def __init__(self, folder: Path) -> None:
        starts = folder / "starts"
        starts.write_text(starts.read_text() + "x" if starts.exists() else "x")
        self._shift = dt.timedelta(hours=len(starts.read_text()))

    def now(self) -> dt.datetime:
        return super().now() + self._shift


if __name__ == "__main__":
    sys.exit(main())
