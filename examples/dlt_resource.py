"""dlt: a resource whose cursor lives in dlt's state, so that it moves with what was loaded.

Amounts are text in the rows, exact in every destination; the hints make decimals of them where the destination can.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import dlt

import mlconnector as mc


def as_row(document: mc.Document) -> dict[str, Any]:
    """A document as plain JSON, with its key."""
    return {"key": document.key, **json.loads(mc.to_json(document))}


@dlt.resource(name="purchase_orders", primary_key="key", write_disposition="merge")
def purchase_orders(jde: mc.JDEdwardsAIS) -> Iterator[list[dict[str, Any]]]:
    """What changed since the last load. What cannot be read is a table of its own, with every fault."""
    state = dlt.current.resource_state()
    for page in jde.purchase_orders(since=state.get("cursor")).pages():
        yield [as_row(order) for order in page.documents]
        if page.rejected:
            refused = [{"key": one.key, "faults": list(one.faults)} for one in page.rejected]
            yield dlt.mark.with_table_name(refused, "purchase_orders_rejected")
        state["cursor"] = page.cursor


if __name__ == "__main__":
    import os

    with mc.JDEdwardsAIS(os.environ["ACME_JDE_URL"], auth=mc.stored("acme-jde")) as client:
        print(dlt.pipeline("jde", destination="duckdb", dataset_name="erp").run(purchase_orders(client)))
