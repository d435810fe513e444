"""A small BILL for the tests of its client: sign-in, lists with filters, bulk creates, classifications, webhooks."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from mlconnector.testing import Simulator
from mlconnector.testing._faults import FaultScript
from mlconnector.testing._wire import Answer, Request, json_answer

ORG, KEY = "00801ORG", "dev-key-of-tests"
PREFIXES = {
    "vendors": "009",
    "bills": "00n",
    "vendor-credits": "vcr",
    "payments": "stp",
    "chart-of-accounts": "0ca",
    "departments": "0de",
    "locations": "loc",
}
ENVELOPES = {"vendors": "vendors", "vendor-credits": "vendorCredits"}
MOST = {"vendors": 20, "bills": 100, "vendor-credits": 50}
Row = dict[str, Any]


def error(code: str | None, message: str = "no", status: int = 400) -> Answer:
    entry: Row = {"severity": "ERROR", "category": "REQUEST", "message": message}
    return json_answer([entry | ({"code": code} if code else {})], status=status)


def dig(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = row.get(name) if isinstance(row, Mapping) else None
    return row


class BillStub(Simulator):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.sessions: set[str] = set()
        self.stores: dict[str, dict[str, Row]] = {name: {} for name in PREFIXES}
        self.subscriptions: dict[str, Row] = {}
        self.sent: list[Row] = []
        self.answered: dict[str, Answer] = {}
        self.refuse: Callable[[str, Row], Answer | None] = lambda _name, _row: None
        self.thin: set[str] = set()
        self.counter = 0

    def calm(self) -> None:
        """No more faults."""
        self._script = FaultScript()

    def stamp(self) -> str:
        return self.clock.now().isoformat(timespec="milliseconds")

    def put(self, name: str, row: Row | None = None, /, **fields: Any) -> Row:
        self.counter += 1
        made = {"id": f"{PREFIXES[name]}{self.counter:08}", "archived": False, **(row or {}), **fields}
        made.setdefault("createdTime", self.stamp())
        made.setdefault("updatedTime", self.stamp())
        if name in ("bills", "vendor-credits"):
            lines = made.get("billLineItems" if name == "bills" else "vendorCreditLineItems") or []
            total = sum((Decimal(str(line["amount"])) for line in lines), Decimal(0))
            made.setdefault("amount", total)
            if name == "bills":
                made = {"paymentStatus": "UNPAID", "dueAmount": total, "approvalStatus": "UNASSIGNED"} | made
            else:
                made = {"status": "NOT_APPLIED", "appliedAmount": 0} | made
            self.number_lines(made)
        self.stores[name][made["id"]] = made
        return made

    def number_lines(self, row: Row) -> None:
        for member in ("billLineItems", "vendorCreditLineItems"):
            for line in row.get(member) or []:
                self.counter += 1
                line.setdefault("id", f"bli{self.counter}")

    def touch(self, name: str, key: str, /, **fields: Any) -> None:
        self.stores[name][key] |= {**fields, "updatedTime": self.stamp()}

    def expire_tokens(self) -> None:
        self.sessions.clear()

    def made(self, name: str) -> list[Row]:
        return list(self.stores[name].values())

    def posts(self, end: str) -> list[Any]:
        return [call for call in self.calls if call.method == "POST" and call.path.endswith(end)]

    def logins(self) -> int:
        return len(self.posts("/v3/login"))

    def _fault_answer(self, status: int) -> Answer:
        return error("BDC_1001", "broken", status)

    def _work(self, request: Request) -> Answer:
        path = request.path
        events = path.startswith("/connect-events/v3/")
        if not events and not path.startswith("/connect/v3/"):
            return error("BDC_1121", "no such path", 404)
        path = path.partition("/v3/")[2]
        if path == "login":
            return self.login(request.json())
        if request.headers.get("devkey") != KEY or request.headers.get("sessionid") not in self.sessions:
            return error("BDC_1109", "Session is invalid.  Please log in.", 401)
        if path == "logout":
            self.sessions.discard(request.headers["sessionid"])
            return Answer()
        if path == "login/session":
            return json_answer({"organizationId": ORG, "userId": "006X"})
        if events:
            return self.webhooks(request, path)
        parts = path.removeprefix("classifications/").split("/")
        return self.record(request, parts[0], parts[1:])

    def login(self, body: Any) -> Answer:
        if body["devKey"] != KEY:
            return error("BDC_1102")
        if body["organizationId"] != ORG or not self._login_accepted(body["username"], body["password"]):
            return error("BDC_1101")
        self.counter += 1
        session = f"session-{self.counter}"
        self.sessions.add(session)
        return json_answer({"sessionId": session, "organizationId": ORG, "userId": "006X", "trusted": False})

    def record(self, request: Request, name: str, rest: list[str]) -> Answer:
        if name not in self.stores:
            return error("BDC_1121", "no such path", 404)
        if not rest:
            return self.listed(request, name) if request.method == "GET" else self.create(name, [request.json()], False)
        if rest == ["bulk"]:
            return self.create(name, request.json(), True)
        row = self.stores[name].get(rest[0])
        if row is None:
            return error("BDC_1205", "not found", 404)
        if request.method == "GET":
            return json_answer(row)
        if rest[1:]:
            row["archived"] = rest[1] == "archive"
        else:
            refused = self.refuse(name, request.json())
            if refused is not None:
                return refused
            row |= request.json()
            self.number_lines(row)
            lines = row.get("billLineItems") or row.get("vendorCreditLineItems") or []
            if lines:
                row["amount"] = sum((Decimal(str(line["amount"])) for line in lines), Decimal(0))
        row["updatedTime"] = self.stamp()
        return json_answer(row)

    def create(self, name: str, bodies: list[Row], bulk: bool) -> Answer:
        if len(bodies) > MOST[name]:
            return error("BDC_1119", "too many")
        for body in bodies:
            refused = self.refuse(name, body)
            if refused is not None:
                return refused
        made = [self.put(name, body) for body in bodies]
        if not bulk:
            return json_answer(made[0], status=201)
        return json_answer({ENVELOPES[name]: made} if name in ENVELOPES else made, status=201)

    def listed(self, request: Request, name: str) -> Answer:
        query = request.query
        rows = [row for row in self.made(name) if fits(row, query.get("filters", ""))]
        field, _, way = query.get("sort", "").partition(":")
        if field:
            rows.sort(key=lambda row: str(dig(row, field) or ""), reverse=way == "desc")
        size, start = int(query["max"]), int(query.get("page", "p0")[1:])
        assert 1 <= size <= 100
        page = [{key: row[key] for key in row if key not in self.thin} for row in rows[start : start + size]]
        more = {"nextPage": f"p{start + size}"} if start + size < len(rows) else {}
        return json_answer({"results": page, **more})

    def webhooks(self, request: Request, path: str) -> Answer:
        if path == "events/catalog":
            types = ("payment.updated", "payment.failed", "bill.updated")
            return json_answer([{"type": one, "versions": ["1"]} for one in types])
        if path.startswith("events/subscription/"):
            since = request.query["createdTimeFrom"]
            found = [one for one in self.sent if one["subscriptionId"] == path.rpartition("/")[2]]
            return json_answer({"results": [one for one in found if one["createdTime"] >= since[:10]]})
        if request.method == "GET":
            rows = [{key: row[key] for key in row if key != "securityKey"} for row in self.subscriptions.values()]
            return json_answer({"subscriptions": rows})
        if request.method == "POST":
            again = request.headers.get("x-idempotent-key", "")
            assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{21}", again)
            if again not in self.answered:
                self.counter += 1
                key = f"secret-{self.counter}"
                if path == "subscriptions":
                    row = {"id": f"sub{self.counter}", **request.json()}
                    self.subscriptions[row["id"]] = row
                    self.answered[again] = json_answer({**row, "securityKey": key})
                elif path.endswith("/security_key"):
                    self.answered[again] = json_answer({"securityKey": key})
                else:
                    return error("BDC_1121", "no such path", 404)
            return self.answered[again]
        self.subscriptions[path.rpartition("/")[2]] |= request.json()
        return json_answer({})


def fits(row: Row, filters: str) -> bool:
    for field, op, quoted, bare in re.findall(r'([\w.]+):(\w+):(?:"([^"]*)"|([^,]*))(?:,|$)', filters):
        value, has = quoted or bare, dig(row, field)
        text = str(has).lower() if isinstance(has, bool) else str(has or "")
        if field.endswith("Time"):
            text, value = str(dt.datetime.fromisoformat(text)), str(dt.datetime.fromisoformat(value))
        good = {
            "eq": text == value,
            "ne": text != value,
            "in": text in value.split(","),
            "nin": text not in value.split(","),
            "sw": text.startswith(value),
            "gt": text > value,
            "gte": text >= value,
            "lt": text < value,
            "lte": text <= value,
        }[op]
        if not good:
            return False
    return True
