"""What workers need, imported once by the process that they are forked from; each of them begins without waiting."""

from __future__ import annotations

import msgspec.json  # noqa: F401

import mlconnector as mc
from mlconnector import flows
from mlconnector.bill import BillSession  # noqa: F401
from mlconnector.peoplesoft import PeopleSoft  # noqa: F401
from tests.torture import worker  # noqa: F401
from tests.torture.sites import SITES

for _name in SITES:
    getattr(flows, _name)
for _name in ("AISSession", "BILL", "Cleo", "Coupa", "HTTPBasic", "JDEdwardsAIS", "Ledger", "OracleFusion"):
    getattr(mc, _name)
