"""Parties, suppliers, addresses; accounts and cost centres."""

from __future__ import annotations

from typing import ClassVar

import attrs

from mlconnector.documents._base import Document
from mlconnector.documents._fields import as_tuple

__all__ = ["Account", "Address", "Contact", "CostCenter", "Party", "Supplier"]


@attrs.frozen(kw_only=True)
class Address:
    """A postal address; ``country`` as the source writes it (usually ISO 3166 alpha-2)."""

    lines: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


@attrs.frozen(kw_only=True)
class Party:
    """A company or site in a role: supplier, ship-to, payee. ``number`` is the ERP's key (JDE ``AN8``)."""

    number: str = ""
    name: str = ""
    tax_id: str = attrs.field(default="", repr=False)
    address: Address | None = None


@attrs.frozen(kw_only=True)
class Contact:
    """How to reach somebody at a party."""

    name: str = ""
    email: str = ""
    phone: str = ""


@attrs.frozen(kw_only=True)
class Supplier(Document):
    """A supplier master record: a :class:`Party` with several addresses, terms and a payment hold.

    Args:
        number: The ERP's key.
        tax_id: Not shown by ``repr``.
        hold: The ERP's hold code, empty when there is none.
        active: False where the ERP says it must not be used.
    """

    key_fields: ClassVar[tuple[str, ...]] = ("number",)

    number: str
    name: str = ""
    tax_id: str = attrs.field(default="", repr=False)
    addresses: tuple[Address, ...] = attrs.field(default=(), converter=as_tuple)
    contacts: tuple[Contact, ...] = attrs.field(default=(), converter=as_tuple)
    currency: str | None = None
    terms: str = ""
    hold: str = ""
    active: bool = True

    @property
    def address(self) -> Address | None:
        """The first address, or ``None``."""
        return self.addresses[0] if self.addresses else None

    @property
    def party(self) -> Party:
        """The same as a :class:`Party`."""
        return Party(number=self.number, name=self.name, tax_id=self.tax_id, address=self.address)


@attrs.frozen(kw_only=True)
class Account(Document):
    """A general ledger account: ``number`` is the ERP's short id (JDE ``AID``)."""

    number: str
    company: str = ""
    cost_center: str = ""
    object: str = ""
    subsidiary: str = ""
    description: str = ""
    active: bool = True
    postable: bool = True


@attrs.frozen(kw_only=True)
class CostCenter(Document):
    """A cost centre (JDE business unit); leading blanks of the number are kept."""

    number: str
    name: str = ""
    company: str = ""
    active: bool = True
