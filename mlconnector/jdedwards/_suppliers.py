"""Reading suppliers: F0401 joined with the address book, every table stamped apart (AIS reference, sections 4.6, 7).

A position is the last address number handed out.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence

import attrs

from mlconnector.documents import Contact, Provenance, Supplier
from mlconnector.jdedwards._changes import Scan
from mlconnector.jdedwards._keys import number_key
from mlconnector.jdedwards._pass import Layout, Row, Stamps
from mlconnector.jdedwards._query import Where
from mlconnector.jdedwards._source import Source, newest_addresses
from mlconnector.jdedwards._values import Cells, Zone
from mlconnector.records import Rejected

__all__ = ["suppliers_layout"]

_BOOK = ("F0101", "F0116", "F0111", "F01151")
_PAYMENT_HOLD = "Y"


@attrs.frozen
class _Page:
    """Rows of F0401, and rows of the address book by table and address number."""

    masters: Sequence[Row]
    book: Mapping[str, Mapping[str, Sequence[Row]]]
    today: dt.date
    stamps: Stamps
    zone: Zone


def suppliers_layout(source: Source, where: Where) -> Layout[_Page, Supplier]:
    """Where suppliers lie; ``where`` is on F0401."""

    def fetch(masters: Sequence[Row], stamps: Stamps) -> _Page:
        numbers = [row["F0401_AN8"] for row in masters]
        book: dict[str, dict[str, list[Row]]] = {table: defaultdict(list) for table in _BOOK}
        for table, found in book.items():
            for row in source.listed(table, "AN8", numbers):
                found[str(row[f"{table}_AN8"])].append(row)
        return _Page(masters, book, source.today(), stamps, source.zone)

    return Layout(
        table="F0401",
        key=("AN8",),
        natural_key=str,
        first_value=number_key,
        scans=[Scan(table, ("AN8",)) for table in ("F0401", *_BOOK)],
        where=where,
        fetch=fetch,
        to_documents=_to_suppliers,
    )


def _to_suppliers(page: _Page) -> tuple[list[Supplier], list[Rejected]]:
    documents, rejected = [], []
    for master in page.masters:
        faults: list[str] = []
        supplier = _supplier(page, master, faults)
        if faults:
            at = None if supplier.provenance is None else supplier.provenance.updated_at
            rejected.append(Rejected(key=supplier.key, row=master, faults=tuple(faults), updated_at=at))
        else:
            documents.append(supplier)
    return documents, rejected


def _supplier(page: _Page, master: Row, faults: list[str]) -> Supplier:
    number = str(master["F0401_AN8"])
    rows = {table: found.get(number, ()) for table, found in page.book.items()}
    cells = Cells("F0401", master, faults)
    entry = Cells("F0101", rows["F0101"][0] if rows["F0101"] else {}, faults)
    mails = [Cells("F01151", row, faults).text("EMAL") for row in rows["F01151"]]
    people = [Cells("F0111", row, faults) for row in rows["F0111"]]
    mailing = next((one.text("MLNM") for one in people if one.text("IDLN") in ("", "0")), "")
    address = newest_addresses(rows["F0116"], page.today).get(number)
    read = {"F0401": [master], **rows}
    return Supplier(
        number=number,
        name=entry.text("ALPH") or mailing,
        tax_id=entry.text("TAX"),
        addresses=() if address is None else (address,),
        contacts=tuple(Contact(email=mail) for mail in mails if mail),
        currency=cells.text("CRRP") or None,
        terms=cells.text("TRAP"),
        hold=cells.text("HOLD") or (_PAYMENT_HOLD if cells.text("HDPY") == _PAYMENT_HOLD else ""),
        active=True,
        provenance=Provenance(
            system="jdedwards",
            kind="suppliers",
            key=number,
            updated_at=page.zone.newest(read, page.stamps.get(number)),
        ),
    )
