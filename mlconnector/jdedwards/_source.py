"""What the readers share: the data service, the zone of stamps, address book look-ups, base currencies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.documents import Address, Party
from mlconnector.jdedwards._approval import Approval
from mlconnector.jdedwards._browse import DataService
from mlconnector.jdedwards._order_mapping import address_of
from mlconnector.jdedwards._query import Where
from mlconnector.jdedwards._tables import TABLES
from mlconnector.jdedwards._values import Cells, Zone

__all__ = ["LINE_READ", "Parties", "Source"]

LINE_READ = 500
"""Rows of a line read (design section 6)."""
_MOST_PARTIES = 20_000


@attrs.define
class Source:
    """One client's means of reading; ``zone`` is asked for once logged in."""

    service: DataService
    approval: Approval
    line_types: Mapping[str, str]
    page_size: int
    zone_of: Any
    today: Any

    def rows(self, table: str, where: Where, *, size: int = LINE_READ) -> Iterator[dict[str, Any]]:
        """All rows that fit, in key order."""
        known = TABLES[table]
        for grid in self.service.walk(table, known.key, known.columns, where, size=size):
            yield from grid.rows

    @property
    def zone(self) -> Zone:
        """The zone of the audit stamps."""
        zone: Zone = self.zone_of()
        return zone


class Parties:
    """Names and addresses by address number, read by ``LIST`` and kept for one pass."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[str, Party] = {}
        self._currencies: dict[str, str | None] = {}

    def of(self, numbers: Iterable[Any]) -> Mapping[str, Party]:
        """Parties for these numbers; those not seen in this pass are read."""
        wanted = {str(number).strip() for number in numbers if number not in (None, 0, "0", "", " ")}
        missing = sorted(wanted - set(self._known))
        if len(self._known) + len(missing) > _MOST_PARTIES:
            self._known.clear()
            missing = sorted(wanted)
        if missing:
            self._read(missing)
        return self._known

    def currency(self, company: str) -> str | None:
        """Base currency of a company (F0010), for domestic documents without a currency of their own."""
        if company not in self._currencies:
            rows = list(self._source.rows("F0010", [("CO", "=", company)])) if company else []
            self._currencies[company] = (Cells("F0010", rows[0], []).text("CRCD") or None) if rows else None
        return self._currencies[company]

    def _read(self, numbers: Sequence[str]) -> None:
        addresses = newest_addresses(self._source, numbers)
        for row in self._source.rows("F0101", [("AN8", "in", numbers)]):
            cells = Cells("F0101", row, [])
            number = cells.text("AN8")
            self._known[number] = Party(
                number=number, name=cells.text("ALPH"), tax_id=cells.text("TAX"), address=addresses.get(number)
            )
        for number in numbers:
            self._known.setdefault(number, Party(number=number))


def newest_addresses(source: Source, numbers: Sequence[str]) -> dict[str, Address]:
    """The newest address not after today, by address number (AIS reference, section 7, F0116)."""
    newest: dict[str, tuple[dt.date, Address]] = {}
    today = source.today()
    for row in source.rows("F0116", [("AN8", "in", numbers)]):
        cells = Cells("F0116", row, [])
        number, begin = cells.text("AN8"), cells.date("EFTB") or dt.date.min
        if begin <= today and (number not in newest or begin >= newest[number][0]):
            newest[number] = (begin, address_of(cells))
    return {number: address for number, (_begin, address) in newest.items()}
