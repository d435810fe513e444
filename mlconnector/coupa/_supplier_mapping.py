"""Suppliers: records become documents, documents become bodies; pure (Coupa reference, section 5.1; rule B50)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from mlconnector.coupa._resources import SUPPLIERS
from mlconnector.coupa._values import Element, Sending, custom_fields
from mlconnector.documents import Address, Contact, Provenance, Supplier
from mlconnector.errors import InvalidArgument

__all__ = ["SupplierSettings", "address_of", "new_supplier", "provenance", "supplier_body", "to_supplier"]

_NAME = SUPPLIERS.lengths["name"]
_STREETS = ("street1", "street2", "street3", "street4")
_VALUES = {
    "matching": ("2-way", "3-way", "3-way-direct", "none"),
    "po_method": ("email", "prompt", "mark_as_sent", "buy_online"),
    "payment_method": ("invoice", "pcard", "invoice_only", "pcard_only", "virtual_card"),
}
"""What a new supplier can be given without further fields; ``cxml`` and ``xml`` need more of them (section 5.3)."""


def _listed(_owner: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value not in _VALUES[attribute.name]:
        raise InvalidArgument(f"{attribute.name}={value!r}.", cure=f"Use one of {', '.join(_VALUES[attribute.name])}.")


@attrs.frozen(kw_only=True)
class SupplierSettings:
    """What a new supplier gets that the ERP does not know; an update leaves all of it as it is in Coupa (rule B50).

    Args:
        matching: ``invoice-matching-level``; two-way, because receipts stay in the ERP.
        po_method: How Coupa sends orders; ``"email"`` takes the supplier's first e-mail address.
        payment_method: ``payment-method``.

    Raises:
        InvalidArgument: A value Coupa does not list (section 5.1).
    """

    matching: str = attrs.field(default="2-way", validator=_listed)
    po_method: str = attrs.field(default="prompt", validator=_listed)
    payment_method: str = attrs.field(default="invoice", validator=_listed)


def to_supplier(row: Mapping[str, Any], faults: list[str]) -> Supplier:
    """A supplier record as a document. Its key is Coupa's id; suppliers born in Coupa may lack a number."""
    cells = Element(row, faults)
    address, contact = address_of(cells.object("primary-address")), _contact_of(cells.object("primary-contact"))
    status, name, whole = cells.text("status"), cells.text("name"), cells.text("display-name")
    return Supplier(
        number=cells.text("number"),
        name=whole if len(name) == _NAME and whole.startswith(name) else name,
        tax_id=cells.text("tax-id"),
        addresses=() if address is None else (address,),
        contacts=() if contact is None else (contact,),
        terms=cells.object("payment-term").text("code"),
        hold="Y" if cells.flag("on-hold") else "",
        active=status in ("", "active"),
        waiting_for=("status draft",) if status == "draft" else (),
        extras=custom_fields(row),
        provenance=provenance("suppliers", cells),
    )


def provenance(kind: str, cells: Element) -> Provenance:
    """Where a record was read; the key is Coupa's id."""
    return Provenance(system="coupa", kind=kind, key=cells.text("id"), updated_at=cells.instant("updated-at"))


def address_of(cells: Element) -> Address | None:
    """An address object, or ``None`` where nothing of it is set."""
    country = cells.object("country")
    address = Address(
        lines=tuple(line for name in _STREETS if (line := cells.text(name))),
        city=cells.text("city"),
        state=cells.text("state"),
        postal_code=cells.text("postal-code"),
        country=country.text("code") or country.text("name"),
    )
    return None if address == Address() else address


def _contact_of(cells: Element) -> Contact | None:
    phone = cells.object("phone-work")
    parts = (phone.text(name) for name in ("country-code", "area-code", "number"))
    contact = Contact(
        name=" ".join(part for part in (cells.text("name-given"), cells.text("name-family")) if part),
        email=cells.text("email"),
        phone=" ".join(part for part in parts if part),
    )
    return None if contact == Contact() else contact


def supplier_body(
    supplier: Supplier, *, number: str, terms: Mapping[str, Any] | None, faults: list[str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What the ERP owns of a supplier, and what a person should see.

    A name longer than Coupa's 100 characters is cut (section 5.1); the whole of it stands in ``display-name``.

    Args:
        supplier: The document. ``number``: Coupa's ``number``.
        terms: The reference to the payment term, checked. ``faults``: where faults go.
    """
    out = Sending(SUPPLIERS.lengths, faults)
    attention: tuple[str, ...] = ()
    name = supplier.name.strip()
    body: dict[str, Any] = {
        "name": out.text("name", name[:_NAME].strip(), required=True),
        "number": out.text("number", number, required=True),
        "status": "active" if supplier.active else "inactive",
    }
    if len(name) > _NAME:
        body["display-name"] = out.text("display-name", name)
        attention = (f"The name of supplier {number} has {len(name)} characters and was cut to {_NAME}.",)
    if supplier.tax_id.strip():
        body["tax-id"] = out.text("tax-id", supplier.tax_id)
    contact = next((one for one in supplier.contacts if one.email.strip()), None)
    if contact is not None:
        body["primary-contact"] = _contact_body(contact)
    if supplier.address is not None:
        body["primary-address"] = _address_body(supplier.address)
    if terms is not None:
        body["payment-term"] = dict(terms)
    return body, attention


def new_supplier(body: Mapping[str, Any], settings: SupplierSettings) -> dict[str, Any]:
    """The body of a create: with what only a new supplier gets."""
    email = body.get("primary-contact", {}).get("email", "")
    method = settings.po_method if settings.po_method != "email" or email else "prompt"
    return {
        **body,
        "payment-method": settings.payment_method,
        "po-method": method,
        "po-change-method": method,
        **({"po-email": email} if method == "email" else {}),
        "invoice-matching-level": settings.matching,
    }


def _contact_body(contact: Contact) -> dict[str, Any]:
    given, _, family = contact.name.strip().rpartition(" ")
    named = {"name-given": given or family, "name-family": family} if family else {}
    return {"email": contact.email.strip(), **named}


def _address_body(address: Address) -> dict[str, Any]:
    """All lines, empty ones too: an update edits the address that is there (section 5.1)."""
    lines = [*(line.strip() for line in address.lines), "", "", "", ""]
    streets = dict(zip(_STREETS, lines, strict=False))
    rest = [line for line in lines[len(_STREETS) :] if line]
    streets["street4"] = ", ".join([part for part in (streets["street4"], *rest) if part])
    return {
        **streets,
        "city": address.city.strip(),
        "state": address.state.strip(),
        "postal-code": address.postal_code.strip(),
        **({"country": {"code": address.country.strip()}} if address.country.strip() else {}),
    }
