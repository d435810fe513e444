"""Reading what lies in one table: accounts and cost centres (AIS reference, section 7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import attrs

from mlconnector.documents import Account, CostCenter, Document, Provenance
from mlconnector.jdedwards._changes import Scan
from mlconnector.jdedwards._keys import text_key
from mlconnector.jdedwards._pass import Layout, Row, Stamps
from mlconnector.jdedwards._query import Where
from mlconnector.jdedwards._source import Source
from mlconnector.jdedwards._values import Cells, Zone
from mlconnector.records import Rejected

__all__ = ["accounts_layout", "cost_centers_layout"]

D = TypeVar("D", bound=Document)
_KINDS = {"F0901": "accounts", "F0006": "cost_centers"}


@attrs.frozen
class _Page:
    rows: Sequence[Row]
    zone: Zone


def accounts_layout(source: Source, where: Where) -> Layout[_Page, Account]:
    """Where general ledger accounts lie: F0901."""
    return _layout(source, where, "F0901", "AID", _account)


def cost_centers_layout(source: Source, where: Where) -> Layout[_Page, CostCenter]:
    """Where business units lie: F0006."""
    return _layout(source, where, "F0006", "MCU", _cost_center)


def _layout(
    source: Source, where: Where, table: str, key: str, make: Callable[[Cells, Provenance], D]
) -> Layout[_Page, D]:
    column, kind = f"{table}_{key}", _KINDS[table]

    def fetch(rows: Sequence[Row], _stamps: Stamps) -> _Page:
        return _Page(rows, source.zone)

    def to_documents(page: _Page) -> tuple[list[D], list[Rejected]]:
        documents, rejected = [], []
        for row in page.rows:
            faults: list[str] = []
            name, stamp = str(row[column]), page.zone.newest({table: [row]})
            document = make(
                Cells(table, row, faults), Provenance(system="jdedwards", kind=kind, key=name, updated_at=stamp)
            )
            if faults:
                rejected.append(Rejected(key=name, row=row, faults=tuple(faults), updated_at=stamp))
            else:
                documents.append(document)
        return documents, rejected

    return Layout(
        table=table,
        key=(key,),
        natural_key=str,
        first_value=text_key,
        scans=[Scan(table, (key,), where)],
        where=where,
        fetch=fetch,
        to_documents=to_documents,
    )


def _account(cells: Cells, origin: Provenance) -> Account:
    """A blank posting edit code posts."""
    return Account(
        number=cells.text("AID"),
        company=cells.text("CO"),
        cost_center=cells.text("MCU"),
        object=cells.text("OBJ"),
        subsidiary=cells.text("SUB"),
        description=cells.text("DL01"),
        postable=not cells.text("PEC"),
        provenance=origin,
    )


def _cost_center(cells: Cells, origin: Provenance) -> CostCenter:
    """The number keeps its leading blanks."""
    return CostCenter(
        number=origin.key,
        name=cells.text("DL01"),
        company=cells.text("CO"),
        active=not cells.text("PECC"),
        provenance=origin,
    )
