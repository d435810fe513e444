"""What mapping functions are given and hand back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import attrs

from mlconnector.documents import Document, Provenance
from mlconnector.fusion._settings import Chart, Gate, ShipmentNames

__all__ = ["Made", "Site"]


@attrs.frozen(kw_only=True)
class Site:
    """What a site says of itself, and the day it is read on."""

    gate: Gate
    chart: Chart
    shipment_names: ShipmentNames
    today: dt.date

    @staticmethod
    def origin(kind: str, key: str, stamp: dt.datetime | None) -> Provenance:
        """Where a document was read."""
        return Provenance(system="fusion", kind=kind, key=key, updated_at=stamp)


class Made(NamedTuple):
    """A document, and every fault that keeps it from being one."""

    document: Document
    faults: Sequence[str]
