"""What the readers share: the data service, the zone of stamps, address book look-ups, base currencies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import attrs

from mlconnector.documents import Address, Party
from mlconnector.jdedwards._approval import Approval
from mlconnector.jdedwards._browse import DataService, Grid
from mlconnector.jdedwards._query import Where
from mlconnector.jdedwards._tables import TABLES
from mlconnector.jdedwards._values import Cells, Zone

__all__ = ["Parties", "Source", "address_of", "newest_addresses"]

V = TypeVar("V")
_READ = 500
"""Rows of a line read, and values of a ``LIST`` (design section 6)."""
_MOST = 20_000
"""Parties kept at most during one pass."""


@attrs.frozen
class Source:
    """One client's means of reading; ``zone_of`` and ``today`` are asked once logged in."""

    service: DataService
    approval: Approval
    line_types: Mapping[str, str]
    page_size: int
    zone_of: Callable[[], Zone]
    today: Callable[[], dt.date]

    def listed(self, table: str, column: str, values: Iterable[Any], where: Where = ()) -> Iterator[dict[str, Any]]:
        """All rows whose column has one of these values, in key order a ``LIST``; none without values."""
        for grid in self.grids(table, column, values, where):
            yield from grid.rows

    def grids(self, table: str, column: str, values: Iterable[Any], where: Where = ()) -> Iterator[Grid]:
        """The same as pages, which may still have to be decoded."""
        known, wanted = TABLES[table], sorted(set(values))
        for start in range(0, len(wanted), _READ):
            condition = (column, "in", wanted[start : start + _READ])
            yield from self.service.walk(table, known.key, known.columns, [condition, *where], size=_READ)

    @property
    def zone(self) -> Zone:
        """The zone of the audit stamps."""
        return self.zone_of()


class Parties:
    """The address book as one pass needs it: read by ``LIST``, kept for the pass, handed out as snapshots."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._parties: dict[str, Party] = {}
        self._sites: dict[str, Party] = {}
        self._currencies: dict[str, str | None] = {}

    def of(self, numbers: Iterable[Any]) -> Mapping[str, Party]:
        """Parties by address number, named as in F0101."""
        return _kept(self._parties, numbers, self._read_parties)

    def sites(self, numbers: Iterable[Any]) -> Mapping[str, Party]:
        """Parties by address number, named by their mailing name where they have one (F0111)."""
        return _kept(self._sites, numbers, self._read_sites)

    def currencies(self, companies: Iterable[Any]) -> Mapping[str, str | None]:
        """Base currencies by company (F0010); ``None`` where a company is unknown."""
        return _kept(self._currencies, companies, self._read_currencies)

    def _read_parties(self, numbers: Sequence[str]) -> dict[str, Party]:
        addresses = newest_addresses(self._source.listed("F0116", "AN8", numbers), self._source.today())
        found = {number: Party(number=number) for number in numbers}
        for row in self._source.listed("F0101", "AN8", numbers):
            cells = Cells("F0101", row, [])
            number = cells.text("AN8")
            found[number] = Party(
                number=number, name=cells.text("ALPH"), tax_id=cells.text("TAX"), address=addresses.get(number)
            )
        return found

    def _read_sites(self, numbers: Sequence[str]) -> dict[str, Party]:
        found = dict(self.of(numbers))
        for row in self._source.listed("F0111", "AN8", numbers, [("IDLN", "=", 0)]):
            cells = Cells("F0111", row, [])
            number, name = cells.text("AN8"), cells.text("MLNM")
            if name and number in found:
                found[number] = attrs.evolve(found[number], name=name)
        return found

    def _read_currencies(self, companies: Sequence[str]) -> dict[str, str | None]:
        found: dict[str, str | None] = dict.fromkeys(companies)
        for row in self._source.listed("F0010", "CO", companies):
            cells = Cells("F0010", row, [])
            found[cells.text("CO")] = cells.text("CRCD") or None
        return found


def _kept(known: dict[str, V], names: Iterable[Any], read: Callable[[Sequence[str]], Mapping[str, V]]) -> dict[str, V]:
    """What is known under these names, after what is not known yet was read; a copy of its own."""
    wanted = {text for name in names if name is not None and (text := str(name).strip()) not in ("", "0")}
    if len(known) + len(wanted) > _MOST:
        known.clear()
    missing = sorted(wanted - known.keys())
    if missing:
        known.update(read(missing))
    return {name: known[name] for name in wanted}


def address_of(cells: Cells) -> Address:
    """The address columns that F4006 and F0116 share."""
    return Address(
        lines=tuple(line for line in (cells.text(f"ADD{index}") for index in range(1, 5)) if line),
        city=cells.text("CTY1"),
        state=cells.text("ADDS"),
        postal_code=cells.text("ADDZ"),
        country=cells.text("CTR"),
    )


def newest_addresses(rows: Iterable[Mapping[str, Any]], today: dt.date) -> dict[str, Address]:
    """The newest address not after today, by address number (AIS reference, section 7, F0116)."""
    newest: dict[str, tuple[dt.date, Address]] = {}
    for row in rows:
        cells = Cells("F0116", row, [])
        number, begin = cells.text("AN8"), cells.date("EFTB") or dt.date.min
        if begin <= today and (number not in newest or begin >= newest[number][0]):
            newest[number] = (begin, address_of(cells))
    return {number: address for number, (_begin, address) in newest.items()}
