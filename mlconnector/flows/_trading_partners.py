"""Suppliers and routes as the file that Cleo's network imports trading partners from (Cleo reference, section 10)."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlconnector.cleo import Route, Routes
from mlconnector.documents import Address, Contact, Supplier

__all__ = ["trading_partners"]

_COLUMNS = (
    *("Trading Partner Alias", "First Name", "Last Name", "Email", "Title", "Department", "Work Phone"),
    *("Work Phone Extension", "Cell Phone", "Address 1", "Address 2", "City", "State/Province", "Zip", "Country"),
    *("Business", "Technical", "Address Type", "Interchange Identifier", "Qualifier"),
)


def trading_partners(
    path: str | os.PathLike[str], suppliers: Iterable[Supplier], routes: Routes | Iterable[Route]
) -> int:
    """Write the CSV; returns how many lines. Sends nothing.

    One line for each EDI id of a supplier. Without a route a supplier is listed if it has an e-mail address, marked as
    a business contact; one that has neither is left out, since a line that lacks both aborts the whole import.

    Args:
        path: The file to write.
        suppliers: E.g. ``jde.suppliers()``. ``routes``: as of the flow; a route's ``connection`` is the alias.
    """
    table = routes if isinstance(routes, Routes) else Routes(routes)
    by_party: dict[str, list[Route]] = {}
    for route in table.all:
        for party in route.parties:
            by_party.setdefault(party.strip(), []).append(route)
    count = 0
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS, restval="")
        writer.writeheader()
        for supplier in suppliers:
            for line in _lines(supplier, by_party.get(supplier.number.strip(), ())):
                writer.writerow(line)
                count += 1
    return count


def _lines(supplier: Supplier, routes: Iterable[Route]) -> Iterator[dict[str, str]]:
    contact = next((one for one in supplier.contacts if one.email.strip()), None)
    common = {**_contact(contact), **_address(supplier.address)}
    told: set[tuple[str, str]] = set()
    for route in routes:
        if route.partner is None or (pair := (route.partner.receiver.id, route.partner.receiver.qualifier)) in told:
            continue
        told.add(pair)
        alias = {"Trading Partner Alias": route.connection or supplier.name.strip()}
        yield {**common, **alias, "Interchange Identifier": pair[0], "Qualifier": pair[1]}
    if not told and contact is not None:
        yield {**common, "Trading Partner Alias": supplier.name.strip()}


def _contact(contact: Contact | None) -> dict[str, str]:
    if contact is None:
        return {}
    first, _, last = contact.name.strip().rpartition(" ")
    return {
        "First Name": first,
        "Last Name": last,
        "Email": contact.email.strip(),
        "Work Phone": contact.phone.strip(),
        "Business": "True",
        "Technical": "False",
    }


def _address(address: Address | None) -> dict[str, str]:
    if address is None:
        return {}
    lines = [line.strip() for line in address.lines if line.strip()]
    return {
        "Address 1": lines[0] if lines else "",
        "Address 2": ", ".join(lines[1:]),
        "City": address.city.strip(),
        "State/Province": address.state.strip(),
        "Zip": address.postal_code.strip(),
        "Country": address.country.strip(),
    }
