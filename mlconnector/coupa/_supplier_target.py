"""Suppliers to Coupa (Coupa reference, section 5.1; rule B50)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from mlconnector.coupa._api import API, Record
from mlconnector.coupa._plan import Draft
from mlconnector.coupa._references import Asking, References
from mlconnector.coupa._resources import SUPPLIERS
from mlconnector.coupa._supplier_mapping import SupplierSettings, new_supplier, supplier_body
from mlconnector.coupa._targets import RecordTarget
from mlconnector.documents import Supplier
from mlconnector.errors import TargetChanged
from mlconnector.target import Change

__all__ = ["SuppliersTarget"]


class SuppliersTarget(RecordTarget):
    """Suppliers, found by ``number``; an update sends only what the ERP owns.

    Args:
        matching, po_method, payment_method: What a new supplier gets, see :class:`SupplierSettings`.
        options: Those of every target: ``chart``, ``account``, ``look_up``, ``settle_after``.
    """

    resource = SUPPLIERS
    noun = "supplier"

    def __init__(
        self,
        api: API,
        references: References,
        *,
        matching: str = "2-way",
        po_method: str = "prompt",
        payment_method: str = "invoice",
        **options: Any,
    ) -> None:
        super().__init__(api, references, **options)
        self._settings = SupplierSettings(matching=matching, po_method=po_method, payment_method=payment_method)

    def content(self, document: Supplier) -> str:
        """What Coupa is told of a supplier: never its currency, which Coupa has none of, nor its hold (rule B50)."""
        return attrs.evolve(document, currency=None, hold="", extras={}, waiting_for=()).fingerprint

    def _draft(self, document: Supplier, ask: Asking) -> Draft:
        number = document.number.strip()
        body, attention = supplier_body(document, number=number, terms=ask.terms(document.terms), faults=ask.faults)
        return Draft(
            shown=f"supplier {number}",
            query=(("number", number),),
            body=body,
            new=new_supplier(body, self._settings),
            attention=attention,
        )

    def _current(self, change: Change[Any], draft: Draft) -> Record | None:
        if change.target_id is None:
            system = "jdedwards" if change.document.provenance is None else change.document.provenance.system
            linked = change.crosswalk.find("supplier", to="coupa", **{system: change.document.number.strip()})
            record = None if linked is None else self._linked(str(linked).strip())
            if record is not None:
                return record
        return super()._current(change, draft)

    def _linked(self, link: str) -> Record | None:
        """The supplier whose id or number a link is; one that is the id of one and the number of another is refused."""
        own = self._api.show(self.resource, link) if link.isdecimal() else None
        other = self._one(f"supplier {link}", (("number", link),), {})
        if own is not None and other is not None and own["id"] != other["id"]:
            raise TargetChanged(
                f"Link {link} is the id of one supplier and the number of another, {other['id']}.",
                cure="Whoever runs the flow links the supplier's id.",
                cause="several",
            )
        return own or other

    def _query_of(self, body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        return (("number", str(body["number"])),)

    def _holder(self, body: Mapping[str, Any]) -> Record | None:
        """By name, then by tax id, which is unique according to one of the vendor's tables (section 5.1)."""
        for element in ("name", "tax-id"):
            value = str(body.get(element) or "")
            query = [(element.replace("-", "_"), value), ("limit", "50")]
            for row in self._api.listed(self.resource.path, query).rows if value else ():
                if str(row.get(element) or "").strip() == value:
                    return row
        return None
