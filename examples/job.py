"""The job that the schedulers' examples run: credentials by name, one supplier, production from today on.

Save the credentials once: ``mlconnector.credentials.save("acme-jde", "AISSession", username=..., password=...)``.
"""

from __future__ import annotations

import os

import mlconnector as mc
from mlconnector import flows, x12


def run() -> dict[str, dict[str, int]]:
    """One run; what was counted, by kind. Raises where a person is needed, so that the scheduler shows a failure.

    It may be repeated at any time: what was delivered is not delivered again.
    """
    partner = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"), usage="P")
    with (
        mc.JDEdwardsAIS(os.environ["ACME_JDE_URL"], auth=mc.stored("acme-jde")) as jde,
        mc.Cleo(os.environ["ACME_CLEO_URL"], auth=mc.stored("acme-cleo")) as cleo,
        mc.Ledger(os.environ["ACME_LEDGER"], actor="scheduler") as ledger,
    ):
        routes = [flows.Route("4343", partner, folder="outbox/ACME")]
        report = flows.jde_to_cleo(jde, cleo, ledger=ledger, routes=routes, begin="nothing").run()
    report.raise_for_failures()
    return {name: {"read": kind.read, "delivered": kind.delivered} for name, kind in report.kinds.items()}


if __name__ == "__main__":
    print(run())
