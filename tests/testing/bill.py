"""A bare requests client of the BILL simulator: what the tests send is what stands in them."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import requests

from mlconnector.testing._bill import BILLSimulator
from mlconnector.testing._wire import dump_exact

VENDOR: dict[str, Any] = {
    "name": "Happy Music Supplies",
    "address": {"line1": "1 Main St", "city": "San Jose", "zipOrPostalCode": "95002", "country": "US"},
}


class Bare:
    def __init__(self, simulator: BILLSimulator, *, login: bool = True) -> None:
        self.simulator = simulator
        self.http = requests.Session()
        self.http.headers["devKey"] = simulator.dev_key
        if login:
            self.login()

    def __enter__(self) -> Bare:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def login(self, **changes: Any) -> requests.Response:
        answer = log_in(self.simulator, **changes)
        if answer.status_code == 200:
            self.http.headers["sessionId"] = answer.json()["sessionId"]
        return answer

    def send(self, method: str, path: str, body: Any = None, *, events: bool = False, **options: Any) -> Any:
        base = self.simulator.events_url if events else self.simulator.url
        if body is not None:
            options["data"] = dump_exact(body).encode()
            options["headers"] = {"Content-Type": "application/json", **options.get("headers", {})}
        return self.http.request(method, f"{base}/v3/{path}", timeout=5, **options)

    def get(self, path: str, *, events: bool = False, **query: Any) -> Any:
        answer = self.send("GET", path, events=events, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json(parse_float=Decimal)

    def post(self, path: str, body: Any = None, *, status: int = 201, **options: Any) -> Any:
        answer = self.send("POST", path, body, **options)
        assert answer.status_code == status, answer.text
        return answer.json(parse_float=Decimal)

    def refused(self, method: str, path: str, body: Any = None, *, status: int = 400, **options: Any) -> list[Any]:
        answer = self.send(method, path, body, **options)
        assert answer.status_code == status, answer.text
        entries = answer.json()
        assert all({"timestamp", "code", "severity", "category", "message"} == set(entry) for entry in entries)
        return [entry["code"] or entry["message"] for entry in entries]

    def ids(self, path: str, **query: Any) -> list[str]:
        found: list[str] = []
        while True:
            page = self.get(path, **query)
            found += [row["id"] for row in page["results"]]
            if not page.get("nextPage"):
                return found
            query["page"] = page["nextPage"]

    def vendor(self, **changes: Any) -> str:
        return str(self.post("vendors", {**VENDOR, **changes})["id"])


def log_in(simulator: BILLSimulator, **changes: Any) -> requests.Response:
    body = {
        "username": simulator.username,
        "password": simulator.password,
        "organizationId": simulator.organization_id,
        "devKey": simulator.dev_key,
        **changes,
    }
    body = {name: value for name, value in body.items() if value is not None}
    return requests.post(f"{simulator.url}/v3/login", json=body, timeout=5)


def bill(vendor: str, number: str = "INV-1", *amounts: Any, **changes: Any) -> dict[str, Any]:
    return {
        "vendorId": vendor,
        "dueDate": "2026-12-31",
        "invoice": {"invoiceNumber": number, "invoiceDate": "2026-12-01"},
        "billLineItems": [{"amount": amount} for amount in amounts or (100,)],
        **changes,
    }


def idempotent() -> dict[str, str]:
    return {"X-Idempotent-Key": str(uuid.uuid4())}
