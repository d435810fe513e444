"""A bare requests client of the AIS simulator: what the tests send is what stands in them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import requests

from mlconnector.testing import JDEdwardsSimulator

DEVICE = "test-device"


class Bare:
    def __init__(self, simulator: JDEdwardsSimulator, *, device: str | None = DEVICE) -> None:
        self.simulator = simulator
        self.http = requests.Session()
        body = {"username": simulator.username, "password": simulator.password}
        if device is not None:
            body["deviceName"] = device
        self.login = self.http.post(f"{simulator.url}/jderest/v2/tokenrequest", json=body, timeout=5).json()
        self.token = self.login["userInfo"]["token"]
        self.headers = {"jde-AIS-Auth": self.token, "jde-AIS-Auth-Device": device or "any"}

    def __enter__(self) -> Bare:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        options.setdefault("headers", self.headers)
        return self.http.post(f"{self.simulator.url}/jderest{path}", json=body, timeout=5, **options)

    def data(self, table: str, columns: str = "", **members: Any) -> requests.Response:
        return self.post("/v2/dataservice", request(table, columns, **members))

    def rows(self, table: str, columns: str = "", **members: Any) -> list[dict[str, Any]]:
        answer = self.data(table, columns, **members)
        assert answer.status_code == 200, answer.text
        return grid(answer, table)["rowset"]


def request(table: str, columns: str = "", **members: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "targetName": table,
        "targetType": "table",
        "dataServiceType": "BROWSE",
        "findOnEntry": "TRUE",
        "outputType": "GRID_DATA",
    }
    if columns:
        body["returnControlIDs"] = "|".join(f"{table}.{alias}" for alias in columns.split())
    body.update(members)
    return {name: value for name, value in body.items() if value is not ...}


def grid(answer: requests.Response, table: str) -> dict[str, Any]:
    found = answer.json(parse_float=Decimal)[f"fs_DATABROWSE_{table}"]["data"]["gridData"]
    assert isinstance(found, dict)
    return found


def where(*conditions: tuple[str, str, Any], match: str = "MATCH_ALL") -> dict[str, Any]:
    return {"autoFind": True, "matchType": match, "condition": [_condition(*each) for each in conditions]}


def _condition(control_id: str, operator: str, content: Any) -> dict[str, Any]:
    contents = content if isinstance(content, list) else [content]
    values = [each if isinstance(each, dict) else literal(each) for each in contents]
    return {"controlId": control_id, "operator": operator, "value": values}


def literal(content: str) -> dict[str, str]:
    return {"content": content, "specialValueId": "LITERAL"}


def ascending(*columns: str) -> dict[str, Any]:
    return {"orderBy": [{"column": column, "direction": "ASC"} for column in columns]}
