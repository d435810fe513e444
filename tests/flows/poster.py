"""A worker of a flow's way back, in a process of its own; it may kill itself, for real, once a call was answered.

Run by test_killed_between with the flow's name, the folder of the ledger, the instant it is, and which orchestration's
answer is its last.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import mlconnector as mc
from mlconnector import flows
from mlconnector.http import RequestsTransport
from mlconnector.testing import BILLSimulator, CoupaSimulator, JDEdwardsSimulator


class At(mc.SystemClock):
    """The time the simulators have; sleeping moves it and waits for nothing."""

    def __init__(self, begin: dt.datetime) -> None:
        self._ahead = begin - super().now()
        self._slept = 0.0

    def now(self) -> dt.datetime:
        return super().now() + self._ahead + dt.timedelta(seconds=self._slept)

    def monotonic(self) -> float:
        return super().monotonic() + self._slept

    def sleep(self, seconds: float) -> None:
        self._slept += max(0.0, seconds)


def die_after(orchestration: str) -> None:
    """End the process between this answer and whatever would be done with it."""
    send = RequestsTransport.send

    def deadly(transport: Any, method: str, url: str, *args: Any, **options: Any) -> Any:
        answer = send(transport, method, url, *args, **options)
        if url.endswith(orchestration):
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    RequestsTransport.send = deadly  # type: ignore[method-assign]


def main() -> int:
    name, folder, instant, orchestration = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    if orchestration != "none":
        die_after(orchestration)
    clock = At(dt.datetime.fromisoformat(instant))
    erp, other = os.environ["WORKER_ERP_URL"], os.environ["WORKER_OTHER_URL"]
    login = mc.AISSession(JDEdwardsSimulator.username, JDEdwardsSimulator.password)
    with ExitStack() as stack:
        jde = stack.enter_context(mc.JDEdwardsAIS(erp, auth=login, clock=clock, timeout=20))
        ledger = stack.enter_context(
            mc.Ledger(folder / "ledger.db", actor="worker", high_water=folder / "hw.json", clock=clock)
        )
        common: dict[str, Any] = {"ledger": ledger, "begin": "everything", "company": "00001"}
        common |= {"bank_account": "00000001", "targets": {"payments": {"look_up": "reliable"}}}
        if name == "jde_to_coupa":
            auth = mc.OAuth2ClientCredentials(
                CoupaSimulator.username, CoupaSimulator.password, path="/oauth2/token", scope=os.environ["WORKER_SCOPE"]
            )
            coupa = stack.enter_context(mc.Coupa(other, auth=auth, clock=clock, timeout=20))
            flow = flows.jde_to_coupa(jde, coupa, ship_to_user="integration", **common)
        else:
            from mlconnector.bill import BillSession

            auth = BillSession(
                BILLSimulator.username,
                BILLSimulator.password,
                organization_id=BILLSimulator.organization_id,
                dev_key=BILLSimulator.dev_key,
            )
            bill = stack.enter_context(mc.BILL(other, auth=auth, clock=clock, timeout=20, lock_dir=folder))
            flow = flows.jde_to_bill(jde, bill, hand_over=flows.PayStatus("B"), **common)
        return 0 if flow.run().ok else 1


if __name__ == "__main__":
    sys.exit(main())
