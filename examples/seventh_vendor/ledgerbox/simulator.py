"""Ledgerbox in this process, on a real socket: what its documentation says, and its refusals."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ledgerbox._client import Ledgerbox
from ledgerbox._session import LedgerboxSession
from mlconnector.testing import Answer, Refused, Request, Simulator, json_answer

_LIFE = 1800
_NEEDED = ("number", "vendor", "date", "currency", "total", "status")


class LedgerboxSimulator(Simulator):
    """Invoices by id; an amount with more than two decimals is refused, a token lives 30 minutes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._rows: dict[str, dict[str, Any]] = {}
        self._tokens: dict[str, dt.datetime] = {}

    def add(self, **row: Any) -> str:
        """Put an invoice in, stamped now; returns its id."""
        with self._lock:
            return str(self._put({"status": "approved", "revision": 1, **row})["id"])

    def update(self, key: str, **changes: Any) -> None:
        """Change an invoice as a person does."""
        with self._lock:
            self._put({**self._rows[key], **changes})

    @property
    def contents(self) -> list[dict[str, Any]]:
        """Every invoice as it is now."""
        with self._lock:
            return [dict(row) for row in self._rows.values()]

    @property
    def auth(self) -> LedgerboxSession:
        """The login it accepts."""
        return LedgerboxSession(self.username, self.password)

    def client(self, **options: Any) -> Ledgerbox:
        """A client of it, on its clock."""
        return Ledgerbox(self.url, **{"auth": self.auth, "clock": self.clock, **options})

    def expire_tokens(self) -> None:
        """Make every token unknown."""
        self._tokens.clear()

    def _work(self, request: Request) -> Answer:
        if request.path == "/api/login":
            return self._login(request)
        token = request.headers.get("x-ledgerbox-token", "")
        if self._tokens.get(token, self.clock.now()) <= self.clock.now():
            raise Refused(json_answer({"error": "The session is over."}, status=419))
        if request.path == "/api/logout":
            del self._tokens[token]
            return Answer(status=204)
        if request.path == "/api/invoices" and request.method == "GET":
            return self._list(request.query)
        if request.path == "/api/invoices" and request.method == "POST":
            return json_answer(self._put(self._checked(request.json())), status=201)
        key = request.path.removeprefix("/api/invoices/")
        if request.method == "PUT" and key in self._rows:
            return json_answer(self._put({**self._rows[key], **self._checked(request.json())}))
        raise Refused(json_answer({"error": "There is no such thing."}, status=404))

    def _login(self, request: Request) -> Answer:
        body = request.json()
        if not self._login_accepted(body.get("username", ""), body.get("password", "")):
            raise Refused(json_answer({"error": "Unknown user or password."}, status=401))
        token = secrets.token_hex(16)
        self._tokens[token] = self.clock.now() + dt.timedelta(seconds=_LIFE)
        return json_answer({"token": token, "expires_in": _LIFE})

    def _list(self, query: Mapping[str, str]) -> Answer:
        rows = sorted(self._rows.values(), key=lambda row: row["id"])
        if "reference" in query:
            rows = [row for row in rows if row.get("reference") == query["reference"]]
        if "ids" in query:
            rows = [row for row in rows if row["id"] in query["ids"].split(",")]
        if "changed_from" in query:
            lower = dt.datetime.fromisoformat(query["changed_from"])
            rows = [row for row in rows if dt.datetime.fromisoformat(row["changed_at"]) >= lower]
        rows = [row for row in rows if row["id"] > query.get("after", "")]
        size = int(query.get("size", 200))
        return json_answer({"items": rows[:size], "more": len(rows) > size})

    def _checked(self, row: dict[str, Any]) -> dict[str, Any]:
        missing = [name for name in _NEEDED if row.get(name) in (None, "")]
        if missing:
            raise Refused(json_answer({"error": f"Missing: {', '.join(missing)}."}, status=422))
        total = Decimal(row["total"])
        if total != total.quantize(Decimal("0.01")):
            raise Refused(json_answer({"error": "Amounts have two decimals."}, status=422))
        return {**row, "total": str(row["total"])}

    def _put(self, row: Mapping[str, Any]) -> dict[str, Any]:
        key = row.get("id") or f"inv{len(self._rows) + 1:06}"
        self._rows[key] = {**row, "id": key, "changed_at": self.clock.now().isoformat()}
        return self._rows[key]
