"""Reading purchase orders: found by header, line and address, read whole (AIS reference, section 4.6; rule B15).

A position is the last order number handed out.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlconnector.documents import PurchaseOrder
from mlconnector.jdedwards._browse import identity
from mlconnector.jdedwards._changes import Scan
from mlconnector.jdedwards._keys import WHOLE, order_key, order_number, whole_order
from mlconnector.jdedwards._order_mapping import ORDER_KEY, OrderPage, to_orders
from mlconnector.jdedwards._pass import Layout, Row, Stamps
from mlconnector.jdedwards._query import Where
from mlconnector.jdedwards._source import Parties, Source

__all__ = ["orders_layout"]

_ADDRESS_KEY = ("DOCO", "DCTO", "KCOO")
_SHIP_TO: Where = [("ANTY", "=", "2")]


def orders_layout(source: Source, where: Where) -> Layout[OrderPage, PurchaseOrder]:
    """Where purchase orders lie; ``where`` is on F4301."""
    parties, types = Parties(source), [("DCTO", "in", list(source.approval.order_types))]

    def fetch(headers: Sequence[Row], stamps: Stamps) -> OrderPage:
        numbers = [row["F4301_DOCO"] for row in headers]
        lines = list(source.grids("F4311", "DOCO", numbers, types))
        addresses = source.listed("F4006", "DOCO", numbers, [*types, *_SHIP_TO])
        plain = [row for row in headers if not str(row.get("F4301_CRCD") or "").strip()]
        return OrderPage(
            headers=headers,
            lines=lines,
            ship_to_rows={identity("F4006", _ADDRESS_KEY, row): row for row in addresses},
            parties=parties.of(row.get("F4301_AN8") for row in headers),
            sites=parties.sites(row.get("F4301_SHAN") for row in headers),
            currencies=parties.currencies(row["F4301_KCOO"] for row in plain),
            stamps=stamps,
            zone=source.zone,
            approval=source.approval,
            line_types=source.line_types,
        )

    return Layout(
        table="F4301",
        key=ORDER_KEY,
        natural_key=order_key,
        first_value=order_number,
        scans=[
            Scan("F4301", ORDER_KEY, [*types, *where]),
            Scan("F4311", ORDER_KEY, types),
            Scan("F4006", _ADDRESS_KEY, [*types, *_SHIP_TO], rest=(WHOLE,)),
        ],
        where=[*types, *where],
        fetch=fetch,
        to_documents=to_orders,
        family=whole_order,
    )
