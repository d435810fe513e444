"""A nightly job: credentials by name, one supplier, production from today on.

Save the credentials once: ``mlconnector.credentials.save("acme-jde", "AISSession", username=..., password=...)``.
"""

import os

import mlconnector as mc
from mlconnector import flows, x12

partner = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"), usage="P")
route = flows.Route("4343", partner, folder="outbox/ACME")

with (
    mc.JDEdwardsAIS(os.environ["ACME_JDE_URL"], auth=mc.stored("acme-jde")) as jde,
    mc.Cleo(os.environ["ACME_CLEO_URL"], auth=mc.stored("acme-cleo")) as cleo,
    mc.Ledger(os.environ.get("ACME_LEDGER", "acme.db"), actor="nightly job") as ledger,
):
    flow = flows.jde_to_cleo(jde, cleo, ledger=ledger, routes=[route], begin="nothing")
    report = flow.run()
    print(report)
    report.raise_for_failures()
