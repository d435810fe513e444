"""Result sets of the simulated data service, and the GRID_DATA pages made of them (AIS reference, 3.3 and 3.4)."""

from __future__ import annotations

import random
import urllib.parse
from collections.abc import Sequence
from typing import Any

import attrs

from mlconnector.testing._ais_store import NO_DATE, Row, default_of
from mlconnector.testing._ais_tables import Column, Table

__all__ = ["GridWriter", "ResultSet"]


@attrs.define(kw_only=True)
class ResultSet:
    """Rows found by a request; the next page is what comes after ``position``, whoever asks and however often."""

    table: Table
    columns: list[Column]
    listed: str
    rows: Sequence[Row]
    cut_off: bool
    page: int
    token: str = attrs.field(repr=False)
    device: str
    last_used: float
    position: int = 0
    state: int = 0

    @property
    def remain(self) -> bool:
        """Whether rows of the set have not been handed out yet."""
        return self.position < len(self.rows)


@attrs.frozen
class GridWriter:
    """Writes pages as the data service does.

    Args:
        empty_date: What an empty date looks like.
        link_host: Scheme and host of ``next`` links.
    """

    empty_date: str | None
    link_host: str

    def page(self, results: ResultSet, rid: str, *, linked: bool, time_stamp: str) -> dict[str, Any]:
        """The answer with the next page of a result set, which moves on by it."""
        begin, name = results.position, results.table.name
        rows = results.rows[begin : begin + results.page]
        results.position += len(rows)
        results.state += 1
        order = list(results.columns)
        # Scrambles the order of keys in a row, the same way every time: it means nothing (section 3.3).
        random.Random(f"{name}|{results.listed}|{begin}").shuffle(order)  # noqa: S311
        form = f"DATABROWSE_{name}"
        grid = {
            "id": 59,
            "fullGridId": "59",
            "columns": {f"{name}_{column.alias}": column.alias for column in results.columns},
            "rowset": [
                {
                    f"{name}_{column.alias}": self.shown(column, row.get(column.alias, default_of(column)))
                    for column in order
                }
                for row in rows
            ],
            "summary": {"records": len(rows), "moreRecords": results.remain or results.cut_off},
        }
        body: dict[str, Any] = {
            f"fs_{form}": {
                "title": f"Data Browser - {name} [{results.table.title}]",
                "data": {"gridData": grid},
                "errors": [],
                "warnings": [],
            },
            "stackId": 1,
            "stateId": results.state,
            "rid": rid,
            "currentApp": form,
            "timeStamp": time_stamp,
            "sysErrors": [],
        }
        if linked and results.remain:
            body["links"] = [{"rel": "next", "href": self._link(results, rid)}]
        return body

    def shown(self, column: Column, value: Any) -> Any:
        """A stored value as the data service writes it: blanks as one, dates as YYYYMMDD."""
        match column.kind:
            case "S" | "B":
                return value or " "
            case "D":
                return self.empty_date if value is NO_DATE else value.strftime("%Y%m%d")
            case _:
                return value

    def _link(self, results: ResultSet, rid: str) -> str:
        parameters = {
            "stackId": 1,
            "stateId": results.state,
            "rid": rid,
            "fullGridId": 59,
            "formOID": f"DATABROWSE_{results.table.name}",
            "token": results.token,
            "outputType": "GRID_DATA",
            "returnControlIDs": results.listed,
            "deviceName": results.device,
            "nextPageTimeInterval": 5000,
        }
        return f"{self.link_host}/jderest/v2/dataservice/next?{urllib.parse.urlencode(parameters)}"
