"""Reads the same local pages with one other library; started by ``peers.py`` in that library's own environment.

``python peer_child.py dlt URL USER PASSWORD ROWS``: each line on standard input is a round, answered by its seconds.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

NAME, URL, USER, PASSWORD = sys.argv[1:5]
ROWS = int(sys.argv[5])
SIZE = 499
COLUMNS = "InvoiceId,InvoiceNumber,InvoiceAmount,InvoiceDate,Supplier"
BASE = f"{URL}/fscmRestApi/resources/11.13.18.05"
_LOGIN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
HEADERS = {"REST-Framework-Version": "4", "Accept": "application/json", "Authorization": f"Basic {_LOGIN}"}
PARAMS = {"onlyData": "true", "fields": COLUMNS, "orderBy": "InvoiceId:asc"}


def requests_loop() -> Callable[[], int]:
    import requests

    session = requests.Session()
    session.headers.update(HEADERS)
    return _loop(lambda params: json.loads(session.get(f"{BASE}/invoices", params=params).content, parse_float=Decimal))


def httpx_loop() -> Callable[[], int]:
    import httpx

    client = httpx.Client(headers=HEADERS)
    return _loop(lambda params: json.loads(client.get(f"{BASE}/invoices", params=params).content, parse_float=Decimal))


def _loop(get: Callable[[dict[str, Any]], Any]) -> Callable[[], int]:
    def read() -> int:
        offset = 0
        while True:
            page = get({**PARAMS, "limit": SIZE, "offset": offset})
            offset += len(page["items"])
            if not page["hasMore"]:
                return offset

    return read


def dlt_source() -> Callable[[], int]:
    from dlt.sources.rest_api import rest_api_source

    def read() -> int:
        source = rest_api_source(
            {
                "client": {
                    "base_url": BASE + "/",
                    "headers": HEADERS,
                    "paginator": {"type": "offset", "limit": SIZE, "total_path": None, "has_more_path": "hasMore"},
                },
                "resources": [
                    {"name": "invoices", "endpoint": {"path": "invoices", "params": PARAMS, "data_selector": "items"}}
                ],
            }
        )
        return sum(1 for _ in source.resources["invoices"])

    return read


def singer_stream() -> Callable[[], int]:
    import logging

    from singer_sdk import Tap
    from singer_sdk import typing as th
    from singer_sdk.pagination import BaseOffsetPaginator
    from singer_sdk.streams import RESTStream

    logging.disable(logging.CRITICAL)

    class Offsets(BaseOffsetPaginator):
        def has_more(self, response: Any) -> bool:
            return bool(response.json()["hasMore"])

    class Invoices(RESTStream):
        name, path, url_base, records_jsonpath = "invoices", "/invoices", BASE, "$.items[*]"
        http_headers = HEADERS
        schema = th.PropertiesList(
            th.Property("InvoiceId", th.IntegerType), th.Property("InvoiceAmount", th.NumberType)
        ).to_dict()

        def get_new_paginator(self) -> Any:
            return Offsets(0, SIZE)

        def get_url_params(self, context: Any, next_page_token: Any) -> dict[str, Any]:
            del context
            return {**PARAMS, "limit": SIZE, "offset": next_page_token or 0}

    class Invoiced(Tap):
        name = "tap-local"
        config_jsonschema = th.PropertiesList().to_dict()

        def discover_streams(self) -> list[Any]:
            return [Invoices(self)]

    tap = Invoiced(config={})
    return lambda: sum(1 for _ in Invoices(tap).get_records(None))


def airbyte_stream() -> Callable[[], int]:
    import logging

    from airbyte_cdk.sources.streams.http import HttpStream

    logging.disable(logging.CRITICAL)

    class Invoices(HttpStream):
        url_base, primary_key = BASE + "/", "InvoiceId"

        def path(self, **_: Any) -> str:
            return "invoices"

        def get_json_schema(self) -> dict[str, Any]:
            return {"type": "object", "properties": {name: {} for name in COLUMNS.split(",")}}

        def request_headers(self, **_: Any) -> dict[str, str]:
            return HEADERS

        def request_params(self, next_page_token: Any = None, **_: Any) -> dict[str, Any]:
            return {**PARAMS, "limit": SIZE, **(next_page_token or {"offset": 0})}

        def next_page_token(self, response: Any) -> Any:
            page = response.json()
            return {"offset": page["offset"] + page["count"]} if page["hasMore"] else None

        def parse_response(self, response: Any, **_: Any) -> Any:
            return response.json()["items"]

    return lambda: sum(1 for _ in Invoices().read_only_records())


def own(extra: bool) -> Callable[[], int]:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    import mlconnector as mc

    if not extra:
        from mlconnector.http import _json

        _json._fast = lambda: None  # type: ignore[assignment]
    client = mc.OracleFusion(URL, auth=mc.HTTPBasic(USER, PASSWORD))
    return lambda: sum(1 for _ in client.rows("invoices", columns=COLUMNS.split(",")))


WORKS: dict[str, Callable[[], Callable[[], int]]] = {
    "requests": requests_loop,
    "httpx": httpx_loop,
    "dlt": dlt_source,
    "singer-sdk": singer_stream,
    "airbyte-cdk": airbyte_stream,
    "mlconnector": lambda: own(False),
    "mlconnector, extra fast": lambda: own(True),
}


def main() -> None:
    read = WORKS[NAME]()
    found = read()
    assert found == ROWS, (NAME, found, ROWS)
    print("ready", flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        read()
        print(time.perf_counter() - begin, flush=True)


if __name__ == "__main__":
    main()
