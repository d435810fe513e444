"""Shipments and functional acknowledgments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

import attrs

from mlconnector.documents._base import Document
from mlconnector.documents._fields import EMPTY, as_read_only, as_tuple
from mlconnector.documents._orders import _amount, _date
from mlconnector.documents._parties import Party

__all__ = ["AcknowledgedSet", "FunctionalAcknowledgment", "Pack", "Shipment", "ShipmentItem"]


@attrs.frozen(kw_only=True)
class ShipmentItem:
    """A quantity of one order line in a shipment; ``pack`` names the :class:`Pack` it lies in."""

    number: str = ""
    order_number: str = ""
    order_line: str = ""
    item_ids: Mapping[str, str] = attrs.field(default=EMPTY, converter=as_read_only)
    description: str = ""
    quantity: Decimal | None = _amount()
    unit: str = ""
    pack: str = ""


@attrs.frozen(kw_only=True)
class Pack:
    """A carton or pallet; ``number`` is its SSCC or carrier id; ``parent`` the pack it stands on."""

    number: str
    kind: str = ""
    parent: str = ""
    weight: Decimal | None = _amount()
    weight_unit: str = ""


@attrs.frozen(kw_only=True)
class Shipment(Document):
    """Goods on their way. ``orders`` are the customer's order numbers (rule B31)."""

    number: str
    date: dt.date | None = _date()
    carrier: str = ""
    ship_from: Party | None = None
    ship_to: Party | None = None
    orders: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    packs: tuple[Pack, ...] = attrs.field(default=(), converter=as_tuple)
    items: tuple[ShipmentItem, ...] = attrs.field(default=(), converter=as_tuple)


@attrs.frozen(kw_only=True)
class AcknowledgedSet:
    """One AK2 loop: set code, control number, verdict ``A``, ``E`` or ``R``, and the faults found in it."""

    code: str
    control_number: str
    verdict: str = ""
    errors: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)


@attrs.frozen(kw_only=True)
class FunctionalAcknowledgment(Document):
    """A 997 or 999: what the partner's translator made of one group (X12 reference, section 8).

    Args:
        group: ``GS01/GS06`` of the acknowledged group, the number without leading zeros (``"PO/17"``).
        sets: One entry a set it names.
        verdict: AK901: ``A``, ``E``, ``P`` or ``R``.
        errors: Group faults (AK905 and on).
    """

    key_fields: ClassVar[tuple[str, ...]] = ("group",)

    group: str
    sets: tuple[AcknowledgedSet, ...] = attrs.field(default=(), converter=as_tuple)
    verdict: str = ""
    errors: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
