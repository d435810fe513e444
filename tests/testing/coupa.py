"""A bare requests client of the Coupa simulator: what the tests send is what stands in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import requests

from mlconnector.testing._coupa import CoupaSimulator

JSON = {"Accept": "application/json", "Content-Type": "application/json"}
CHART = {"name": "US Chart"}


class Bare:
    def __init__(self, simulator: CoupaSimulator, *, scope: str | None = None) -> None:
        self.simulator = simulator
        self.http = requests.Session()
        self.token = ask_token(simulator, **({"scope": scope} if scope else {})).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def __enter__(self) -> Bare:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def send(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str | None] = JSON, **query: Any
    ) -> requests.Response:
        url = f"{self.simulator.url}/api/{path}"
        data = None if body is None else json.dumps(body).encode()
        return self.http.request(method, url, params=query, data=data, headers=headers, timeout=5)

    def get(self, path: str, query: Mapping[str, Any] | None = None, **more: Any) -> Any:
        answer = self.send("GET", path, **{**(query or {}), **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any, **query: Any) -> Any:
        answer = self.send("POST", path, body, **query)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def put(self, path: str, body: Any = None, **query: Any) -> Any:
        answer = self.send("PUT", path, body, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method: str, path: str, body: Any = None, *, status: int = 400, **query: Any) -> list[str]:
        answer = self.send(method, path, body, **query)
        assert answer.status_code == status, answer.text
        (messages,) = answer.json()["errors"].values()
        return list(messages)

    def status(self, method: str, path: str, body: Any = None, **query: Any) -> int:
        return self.send(method, path, body, **query).status_code

    def ids(self, path: str, query: Mapping[str, Any] | None = None, **more: Any) -> list[int]:
        return [row["id"] for row in self.get(path, query, **more)]


def ask_token(simulator: CoupaSimulator, path: str = "/oauth2/token", **form: Any) -> requests.Response:
    login = {"client_id": simulator.username, "client_secret": simulator.password}
    body = {"grant_type": "client_credentials", **login, **form}
    return requests.post(simulator.url + path, data=body, timeout=5)


def supplier(number: str = "4343", **more: Any) -> dict[str, Any]:
    return {
        "number": number,
        "name": f"Parts {number}",
        "status": "active",
        "po-method": "email",
        "po-email": "orders@parts.example",
        "invoice-matching-level": "2-way",
        "primary-contact": {"email": "ann@parts.example", "name-given": "Ann", "name-family": "Lee"},
        "primary-address": {"street1": "2 Mill Way", "city": "Reno", "postal-code": "89501", "country": {"code": "US"}},
        **more,
    }


def account(*segments: str, chart: str = "US Chart") -> dict[str, Any]:
    return {
        **{f"segment-{position}": text for position, text in enumerate(segments, start=1)},
        "account-type": {"name": chart},
    }


def order_line(number: str = "1", **more: Any) -> dict[str, Any]:
    return {
        "line-num": number,
        "type": "OrderQuantityLine",
        "description": "Bolt M8",
        "price": "1.25",
        "quantity": "100",
        "uom": {"code": "EA"},
        "currency": {"code": "USD"},
        "account": {"code": "01-100-8000", "account-type": CHART},
        **more,
    }


def order(number: str = "OP-1001-00001", **more: Any) -> dict[str, Any]:
    return {
        "type": "ExternalOrderHeader",
        "po-number": number,
        "supplier": {"number": "4343"},
        "ship-to-user": {"login": "integration"},
        "ship-to-address": {"location-code": "MAIN"},
        "currency": {"code": "USD"},
        "order-lines": [order_line()],
        **more,
    }


def invoice(number: str = "INV-1", **more: Any) -> dict[str, Any]:
    return {
        "invoice-number": number,
        "invoice-date": "2026-03-01",
        "supplier": {"number": "4343"},
        "account-type": CHART,
        "line-level-taxation": False,
        "currency": {"code": "USD"},
        "invoice-lines": [
            {
                "type": "InvoiceQuantityLine",
                "description": "Bolt M8",
                "price": "1.25",
                "quantity": "100",
                "uom": {"code": "EA"},
                "account": {"code": "01-100-8000", "account-type": CHART},
            }
        ],
        **more,
    }


def furnished(simulator: CoupaSimulator) -> CoupaSimulator:
    """With the supplier and the account that the documents above refer to."""
    simulator.add({"suppliers": [supplier()], "accounts": [account("01", "100", "8000")]})
    return simulator
