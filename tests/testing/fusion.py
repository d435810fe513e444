"""A bare requests client of the Fusion simulator: what the tests send is what stands in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import requests

from mlconnector.testing._fusion import FusionSimulator

RESOURCES = "/fscmRestApi/resources/11.13.18.05"
ERROR_TYPE = "application/vnd.oracle.adf.error+json"
STAMP = dt.datetime(2026, 1, 31, 10, 0, tzinfo=dt.UTC)


class Bare:
    def __init__(self, simulator: FusionSimulator, *, version: int | None = 4, token: bool = True) -> None:
        self.simulator = simulator
        self.http = requests.Session()
        self.http.headers["Accept"] = f"application/json, {ERROR_TYPE}"
        if version is not None:
            self.http.headers["REST-Framework-Version"] = str(version)
        if token:
            self.token = ask_token(simulator).json()["access_token"]
            self.http.headers["Authorization"] = f"Bearer {self.token}"

    def __enter__(self) -> Bare:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def send(self, path: str, *, method: str = "GET", headers: Any = None, **query: Any) -> requests.Response:
        url = path if path.startswith("http") else f"{self.simulator.url}{RESOURCES}/{path}"
        return self.http.request(method, url, params=query, headers=headers, timeout=5)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.send(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json(parse_float=Decimal)

    def refused(self, path: str, **query: Any) -> str:
        answer = self.send(path, **query)
        assert answer.status_code == 400, answer.text
        assert answer.headers["Content-Type"] == ERROR_TYPE
        return str(answer.json()["o:errorDetails"][0]["detail"])

    def ids(self, resource: str = "invoices", key: str = "InvoiceId", **query: Any) -> list[Any]:
        page = self.get(resource, onlyData="true", limit=499, orderBy=f"{key}:asc", **query)
        return [item[key] for item in page["items"]]

    def pages(self, resource: str, **query: Any) -> Iterator[Any]:
        offset = 0
        while True:
            page = self.get(resource, offset=offset, **query)
            yield page
            offset += page["count"]
            if not page["hasMore"]:
                return


def ask_token(simulator: FusionSimulator, **form: Any) -> requests.Response:
    host = simulator.token_host
    body = {"grant_type": "client_credentials", "scope": host.scope, **form}
    return requests.post(host.token_url, data=body, auth=(host.username, host.password), timeout=5)


def invoice(key: int, *, lines: int = 1, **attributes: Any) -> dict[str, Any]:
    return {
        "InvoiceId": key,
        "InvoiceNumber": f"EX-{key}",
        "InvoiceAmount": Decimal("130.80"),
        "InvoiceDate": dt.date(2026, 1, 30),
        "LastUpdateDate": STAMP,
        "invoiceLines": [{"LineNumber": number, "LineAmount": Decimal(number)} for number in range(1, lines + 1)],
        **attributes,
    }


def invoices(count: int, *, first: int = 300_100_000_000_001, **attributes: Any) -> list[dict[str, Any]]:
    return [invoice(first + index, **attributes) for index in range(count)]


def link(item: Any, rel: str = "self", name: str | None = None) -> str:
    links = item["links"] if "links" in item else item["@context"]["links"]
    return next(str(each["href"]) for each in links if each["rel"] == rel and name in (None, each["name"]))
