"""A small Coupa over a real socket, for the client's tests: what the reference documents, and no more."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mlconnector.testing import ManualClock
from mlconnector.testing._server import Simulator
from mlconnector.testing._wire import Answer, Refused, Request

START = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
SCOPES = "core.supplier.read core.supplier.write core.purchase_order.read core.purchase_order.write core.invoice.read"
_OPERATOR = re.compile(r"^(?P<path>.+?)(\[(?P<op>gt|lt|gt_or_eq|lt_or_eq|not_eq|in|starts_with|contains)\])?$")
_NOUN = {"suppliers": "supplier", "purchase_orders": "order_header", "invoices": "invoice_header"}


def answer(value: Any, status: int = 200) -> Answer:
    return Answer(status=status, body=json.dumps(value, default=str, ensure_ascii=False).encode())


class CoupaStub(Simulator):
    """Keeps records by collection; drops references it does not know, numbers lines, appends lines without ids."""

    username = "client"
    password = "client-secret"

    def __init__(self, clock: ManualClock, **options: Any) -> None:
        super().__init__(clock=clock, **options)
        self.store: dict[str, dict[int, dict[str, Any]]] = {}
        self.tokens: dict[str, float] = {}
        self.logins = 0
        self.settling = 0.0
        self.scopes: str | None = SCOPES
        self.denied: set[str] = set()
        self.known: dict[str, set[str]] = {
            "currency": {"USD", "EUR", "JPY"},
            "payment-term": {"N30"},
            "uom": {"EA"},
        }
        self.next_id = 100
        self.drop_on_write: set[str] = set()
        self.bare = False
        self.hidden: set[int] = set()
        self.loose = False
        for code, decimals in (("USD", "2"), ("EUR", "2"), ("JPY", "0")):
            self.put("currencies", code=code, decimals=decimals)
        self.put("uoms", code="EA")
        self.put("payment_terms", code="N30")

    def put(self, collection: str, **fields: Any) -> dict[str, Any]:
        self.next_id += 1
        stamp = self.clock.now().isoformat()
        row = {"id": self.next_id, "created-at": stamp, "updated-at": stamp}
        row |= {name.replace("_", "-"): value for name, value in fields.items()}
        self.store.setdefault(collection, {})[self.next_id] = row
        return row

    def account(self, code: str, chart: str = "US", *segments: str, **more: Any) -> dict[str, Any]:
        parts = segments or tuple(code.split("-"))
        numbered = {f"segment_{index}": part for index, part in enumerate(parts, 1)}
        return self.put("accounts", code=code, name=code, active=True, account_type={"id": 1, "name": chart},
                        **numbered, **more)  # fmt: skip

    def supplier(self, number: str, **more: Any) -> dict[str, Any]:
        fields = {"name": f"Supplier {number}", "status": "active", **more}
        return self.put("suppliers", number=number, **fields)

    def rows(self, collection: str) -> list[dict[str, Any]]:
        return list(self.store.get(collection, {}).values())

    def writes(self) -> list[tuple[str, str]]:
        return [(call.method, call.path) for call in self.calls if call.method != "GET" and "/oauth2" not in call.path]

    def reads(self) -> list[str]:
        return [call.path for call in self.calls if call.method == "GET"]

    def expire_tokens(self) -> None:
        self.tokens.clear()

    def _work(self, request: Request) -> Answer:
        if request.path == "/oauth2/token":
            return self._login(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        issued = self.tokens.get(token)
        now = self.clock.monotonic()
        if issued is None or now - issued >= 86399 or now - issued < self.settling:
            raise Refused(answer({}, 401))
        assert request.headers.get("accept") == "application/json"
        assert request.headers.get("content-type") == "application/json"
        collection, number, action = self._split(request.path)
        if collection in self.denied:
            raise Refused(answer({"errors": {"base": ["not allowed"]}}, 403))
        if collection not in self.store and collection not in _NOUN and collection != "addresses":
            raise Refused(answer({}, 404))
        if request.method == "GET":
            return answer(self._show(collection, number)) if number else answer(self._query(collection, request.query))
        if request.method == "POST":
            return self._create(collection, request.json())
        record = self._show(collection, number)
        return self._act(record, action) if action else self._update(record, request)

    def _login(self, request: Request) -> Answer:
        form = request.form()
        if not self._login_accepted(form.get("client_id", ""), form.get("client_secret", "")):
            raise Refused(answer({"error": "invalid_client"}, 401))
        self.logins += 1
        claims = {"n": self.logins, **({"scope": self.scopes} if self.scopes else {})}
        middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        token = f"head.{middle}.sign{self.logins}"
        self.tokens[token] = self.clock.monotonic()
        return answer({"access_token": token, "expires_in": 86399, "token_type": "bearer"})

    def _split(self, path: str) -> tuple[str, str, str]:
        parts = path.removeprefix("/api/").split("/")
        if parts[0] == "coupa_pay":
            parts = ["/".join(parts[:2]), *parts[2:]]
        return (*parts, "", "")[:3]  # type: ignore[return-value]

    def _show(self, collection: str, number: str) -> dict[str, Any]:
        record = self.store.get(collection, {}).get(int(number))
        if record is None:
            raise Refused(answer({}, 404))
        return record

    def _query(self, collection: str, query: Mapping[str, str]) -> list[Any]:
        shown = [row for row in self.rows(collection) if row["id"] not in self.hidden]
        rows = sorted(shown, key=lambda row: row["id"])
        limit, offset = 50, 0
        for name, value in query.items():
            if name == "limit":
                limit = int(value)
            elif name == "offset":
                offset = int(value)
            elif name == "order_by":
                rows.sort(key=lambda row: str(row.get(value.replace("_", "-"))) if value != "id" else row["id"])
            elif name == "dir":
                rows = rows[::-1] if value == "desc" else rows
            elif name not in ("fields", "return_object"):
                rows = [row for row in rows if _fits(row, name, value) or (self.loose and "[" not in name)]
        return rows[offset : offset + min(limit, 50)]

    def _create(self, collection: str, body: dict[str, Any]) -> Answer:
        for name in ("number", "name", "po-number"):
            taken = body.get(name) and any(row.get(name) == body[name] for row in self.rows(collection))
            if taken and collection != "invoices":
                words = f"{name.title()} has already been taken"
                raise Refused(answer({"errors": {_NOUN[collection]: [words]}}, 400))
        record = self.put(collection)
        if collection != "suppliers":
            record["status"] = "draft"
        self._assign(record, body)
        return self._reply(record, 201)

    def _update(self, record: dict[str, Any], request: Request) -> Answer:
        if request.query.get("exported"):
            record["exported"] = True
        elif request.raw:
            self._assign(record, request.json())
        return self._reply(record, 200)

    def _reply(self, record: dict[str, Any], status: int) -> Answer:
        return Answer(status=status) if self.bare else answer(record, status)

    def _act(self, record: dict[str, Any], action: str) -> Answer:
        states = {
            "issue": "issued", "issue_without_send": "issued", "close": "closed", "cancel": "cancelled",
            "submit": "pending_approval", "void": "voided", "export": record.get("status"),
        }  # fmt: skip
        if action not in states or (action.startswith("issue") and record["status"] == "issued"):
            raise Refused(answer({"errors": {"record": [f"{action} is not possible"]}}, 400))
        record["status"] = states[action]
        record["exported"] = record.get("exported", False) or action == "export"
        self._touch(record)
        return self._reply(record, 200)

    def _touch(self, record: dict[str, Any]) -> None:
        record["updated-at"] = self.clock.now().isoformat()

    def _assign(self, record: dict[str, Any], body: Mapping[str, Any]) -> None:
        for name, value in body.items():
            if name in ("order-lines", "invoice-lines"):
                self._lines(record, name, value)
            elif name in self.drop_on_write or (name in self.known and value.get("code") not in self.known[name]):
                continue
            else:
                record[name] = {"id": 7, **value} if isinstance(value, dict) else value
        self._touch(record)

    def _lines(self, record: dict[str, Any], name: str, given: list[dict[str, Any]]) -> None:
        lines = record.setdefault(name, [])
        for line in given:
            if line.get("_delete"):
                lines[:] = [one for one in lines if one["id"] != line["id"]]
                continue
            known = next((one for one in lines if one["id"] == line.get("id")), None)
            if known is None:
                self.next_id += 1
                known = {"id": self.next_id}
                lines.append(known)
            self._assign(known, {key: value for key, value in line.items() if key != "id"})


def _fits(row: Mapping[str, Any], name: str, value: str) -> bool:
    found = _OPERATOR.match(name)
    assert found is not None
    parts = [part.replace("_", "-") for part in found["path"].replace("]", "").split("[")]
    held: Any = row
    for part in parts:
        held = held.get(part) if isinstance(held, Mapping) else None
    text = "" if held is None else str(held)
    op = found["op"] or "eq"
    if op == "in":
        return text in value.split(",")
    if op == "starts_with":
        return text.startswith(value)
    if op == "contains":
        return value in text
    ours, theirs = _comparable(text), _comparable(value)
    if type(ours) is not type(theirs):
        ours, theirs = text, value
    results = {"eq": ours == theirs, "not_eq": ours != theirs}
    if op in results:
        return results[op]
    return {"gt": ours > theirs, "lt": ours < theirs, "gt_or_eq": ours >= theirs, "lt_or_eq": ours <= theirs}[op]


def _comparable(text: str) -> Any:
    if text.isdecimal():
        return Decimal(text)
    try:
        stamp = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    return stamp.replace(tzinfo=stamp.tzinfo or dt.UTC)
