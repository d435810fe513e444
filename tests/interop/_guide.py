"""A profile bent to what mock-edi reads: its dictionary as a partner's guide, by settings and ``finish`` alone."""

from __future__ import annotations

from typing import Any

import attrs

from mlconnector import x12
from mlconnector.errors import InvalidDocument

CODES = {
    ("PO1", 3): {"LO": "EA"},
    ("POC", 5): {"LO": "EA"},
    ("IT1", 3): {"LO": "EA"},
    ("ACK", 3): {"LO": "EA"},
    ("N1", 1): {"RI": "RE"},
    ("RMR", 1): {"CM": "ZZ"},
    ("BAK", 2): {"AT": "AK"},
}
"""What is written instead, by segment and element."""
LEFT_OUT = {"850": ("N9", "MSG"), "860": ("N9", "MSG"), "810": ("NTE",), "856": ("MAN",)}


def finish(ts: x12.TransactionSet, document: Any) -> x12.TransactionSet:
    """Free text and marks of packs have no place; an order with charges, a line without price are not taken."""
    if ts.code in ("850", "860") and next(ts.all("SAC"), None):
        raise InvalidDocument("The partner takes no charges.", cause="charges", faults=("there is a charge",))
    if ts.code in ("850", "855") and not all(one[2] and one[3] and one[4] and one[7] for one in ts.all("PO1")):
        raise InvalidDocument("The partner needs PO102 to PO107.", cause="lines", faults=("a line lacks one",))
    bent = [
        x12.Segment(*(CODES.get((one.id, at), {}).get(text, text) for at, text in enumerate(one)))
        for one in ts.without(*LEFT_OUT.get(ts.code, ())).segments
    ]
    return attrs.evolve(ts, segments=bent)


def bent(partner: x12.Partner) -> x12.Partner:
    return attrs.evolve(partner, voucher_reference="ZZ", line_as_id="IN", finish=finish)
