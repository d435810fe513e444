"""What documents name, looked up in Coupa before anything is written (rules B80, B50; delivery rule 15).

Referenced data must exist, or the value is dropped without an error (Coupa reference, section 5): so every supplier,
account, unit, term, currency and order line is found first, and all that is missing is named at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlconnector.clock import Clock
from mlconnector.coupa._api import API, Pairs, Record
from mlconnector.coupa._compare import line_key, live_lines
from mlconnector.coupa._order_mapping import Coded, segments_of
from mlconnector.coupa._resources import ACCOUNTS, ADDRESSES, PURCHASE_ORDERS, SUPPLIERS, Resource, fields_text
from mlconnector.documents import Party
from mlconnector.errors import NotFound, PermissionDenied
from mlconnector.target import CrosswalkLookup

__all__ = ["Asking", "References"]

_log = logging.getLogger("mlconnector.coupa")
_KEPT = 900.0
"""Seconds a record that was found is believed to be there still."""
_KEPT_NONE = 60.0
"""The same for a code of reference data that was not found: many documents name one code."""
_MOST = 20_000
_SUPPLIER = ("id", "number", "name", "status")
_HUNDRED = Decimal(100)
Reference = Mapping[str, Any]


class References:
    """Look-ups of one client, kept for a quarter of an hour, shared by threads.

    A supplier or account that was not found is asked for again.
    """

    def __init__(self, api: API, clock: Clock) -> None:
        self._api, self._clock = api, clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, Pairs], tuple[float, Sequence[Record]]] = {}
        self._made: dict[tuple[str, Pairs], str] = {}
        self._said: set[str] = set()

    def __reduce__(self) -> tuple[type[References], tuple[API, Clock]]:
        return References, (self._api, self._clock)

    def found(
        self,
        path: str,
        params: Sequence[tuple[str, str]],
        elements: Sequence[Any] = (),
        *,
        keep: bool = True,
        keep_none: bool = False,
    ) -> Sequence[Record]:
        """Records that fit, at most 50.

        Args:
            path, params, elements: What to ask for.
            keep: They do not change while a run lasts. ``keep_none``: nor do they come to be, for a minute.

        Raises:
            NotFound: This server has no such collection.
            PermissionDenied: The client lacks the scope.
        """
        fields = [("fields", fields_text(elements))] if elements and self._api.ask_fields else []
        query = (*params, *fields, ("limit", "50"))
        now = self._clock.monotonic()
        with self._lock:
            kept = self._kept.get((path, query))
        if kept is not None and now - kept[0] < (_KEPT if kept[1] else _KEPT_NONE):
            return kept[1]
        rows = self._api.page(path, query).rows
        with self._lock:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            if keep_none or (rows and keep):
                self._kept[path, query] = (now, rows)
        return rows

    def show(self, resource: Resource, number: str) -> Record | None:
        """One record by its id, never a kept one."""
        return self._api.show(resource, number)

    def is_news(self, text: str) -> bool:
        """Whether this was not said before; a thousand documents with one unknown code are one warning."""
        with self._lock:
            news = text not in self._said and len(self._said) < _MOST
            self._said.add(text)
        return news

    def note_made(self, path: str, query: Pairs, number: str) -> None:
        """Keep the id of a record that this client has made: a list may not show it at once (delivery rule 7)."""
        with self._lock:
            if len(self._made) >= _MOST:
                self._made.clear()
            self._made[path, tuple(query)] = number

    def made(self, path: str, query: Pairs) -> str | None:
        """The id of a record that this client has made under this key."""
        with self._lock:
            return self._made.get((path, tuple(query)))


class Asking:
    """The references of one document: collects what is missing instead of stopping at the first.

    Args:
        references: The client's look-ups.
        crosswalk: Which identity is which; its links go before the ERP's own codes.
        system: The ERP's name in the crosswalk.
        chart: Chart of accounts (``account-type``), where the customer has several.
        default: Account of lines that the ERP gives none.

    Attributes:
        faults: What makes the document itself unfit. ``misses``: what it names and Coupa does not know.
        left_out: What is sent without, because Coupa does not know it and it is optional there.
        charts: The charts of the accounts that were found.
    """

    def __init__(
        self,
        references: References,
        crosswalk: CrosswalkLookup,
        system: str,
        *,
        chart: str | None = None,
        default: str | None = None,
    ) -> None:
        self._references, self._crosswalk, self._system = references, crosswalk, system
        self._chart, self._default = chart, default
        self.misses: list[str] = []
        self.faults: list[str] = []
        self.charts: list[str] = []
        self.left_out: list[str] = []
        self._accounts: dict[str, Reference | None] = {}
        self._orders: dict[str, Sequence[Record]] = {}

    def supplier(self, party: Party | None, *, active: bool) -> Reference | None:
        """A supplier by its link, which is Coupa's id or number, else by its number (section 6: active for an order).

        A link that is the id of one supplier and the number of another is refused: nothing is guessed.
        """
        number = "" if party is None else party.number.strip()
        if not number:
            self.faults.append("the supplier is missing")
            return None
        linked = self._linked("supplier", number)
        rows: Sequence[Record] = ()
        if linked and linked.isdecimal():
            rows = self._required(SUPPLIERS.path, [("id", linked)], _SUPPLIER, lambda row: str(row.get("id")) == linked)
        wanted = linked or number
        by_number = self._required(
            SUPPLIERS.path, [("number", wanted)], _SUPPLIER, lambda row: _text(row, "number") == wanted
        )
        rows = [*rows, *(row for row in by_number if row not in rows)]
        shown = f"supplier {number}" + (f" (linked to {linked})" if linked else "")
        if len(rows) != 1:
            self._miss(f"{shown} is {'not' if not rows else f'{len(rows)} times'} in Coupa")
            return None
        status = _text(rows[0], "status")
        if active and status not in ("", "active"):
            self._miss(f"{shown} is {status} in Coupa")
            return None
        own = _text(rows[0], "number")
        return {"number": own} if own else {"id": rows[0]["id"]}

    def coded(self, line: Any, *, order_line: Record | None = None) -> Coded:
        """What a line is charged to: its shares, the account of the order line it bills, or its own."""
        splits = line.extras.get("allocations")
        if splits:
            return self._split(line, splits)
        if order_line is not None:
            shares, account = order_line.get("account-allocations") or [], order_line.get("account")
            if isinstance(account, Mapping) and account.get("code"):
                return Coded(account=self._reference(account))
            if shares:
                # Shares of the order line are taken over by Coupa; sending them again could double them.
                return Coded()
        if not line.account.strip() and not line.cost_center.strip():
            if order_line is None and self._default is not None:
                return Coded(account=self.account(self._default))
            if order_line is None:
                self.left_out.append(f"line {line.number} has no account; set account=")
            return Coded()
        return Coded(account=self.account(line.account, line.cost_center))

    def account(self, account: str, cost_center: str = "") -> Reference | None:
        """An account by its link, else by the code that cost centre and account make.

        A link's value is Coupa's code, or the segments with ``|`` between them where a segment holds a hyphen.
        """
        own, center = account.strip(), cost_center.strip()
        code = self._code(own, center)
        if code not in self._accounts:
            self._accounts[code] = self._account(code, own, center)
        return self._accounts[code]

    def _code(self, own: str, center: str) -> str:
        whole = self._linked("account", f"{center}.{own}") if center else None
        if whole:
            return whole
        linked = self._linked("account", own)
        if linked and (not center or "." in own or "-" in linked or "|" in linked):
            return linked
        known = self._linked("cost_center", center) or center
        if linked:
            return f"{known}-{linked}"
        if center and own.startswith(f"{center}."):
            own = own[len(center) + 1 :]
        elif "." in own:
            known = ""
        return "-".join(part for part in (known, own.replace(".", "-")) if part)

    def _account(self, code: str, own: str, center: str) -> Reference | None:
        segments = [part.strip() for part in code.split("|")] if "|" in code else []
        query = [(f"segment_{index}", part) for index, part in enumerate(segments, 1)] or [("code", code)]
        if self._chart is not None:
            query.append(("account_type[name]", self._chart))
        rows = self._required(ACCOUNTS.path, query, ACCOUNTS.elements, lambda row: self._fits(row, code, segments))
        named = " ".join(part for part in (center, own) if part)
        shown = f"account {code}" + (f" (of {named})" if named != code else "")
        if self._chart is not None:
            shown += f" of chart {self._chart}"
        if not rows:
            self._miss(f"{shown} is not in Coupa")
            return None
        if len(rows) > 1:
            charts = sorted({_text(row.get("account-type") or {}, "name") for row in rows})
            why = f"in the charts {', '.join(charts)}: set chart=" if len(charts) > 1 else "alike: link its segments"
            self._miss(f"{shown} is {len(rows)} times in Coupa, {why}")
            return None
        if str(rows[0].get("active", True)).lower() == "false":
            self._miss(f"{shown} is inactive in Coupa")
            return None
        return self._reference(rows[0])

    def _fits(self, row: Record, code: str, segments: Sequence[str]) -> bool:
        chart = _text(row.get("account-type") or {}, "name")
        if self._chart is not None and chart not in ("", self._chart):
            return False
        return list(segments_of(row)) == list(segments) if segments else _text(row, "code") == code

    def _reference(self, account: Mapping[str, Any]) -> Reference:
        """Code and chart, with the segments where one holds a hyphen (section 5.4)."""
        chart = _text(account.get("account-type") or {}, "name") or self._chart or ""
        if chart and chart not in self.charts:
            self.charts.append(chart)
        reference: dict[str, Any] = {"code": _text(account, "code")}
        if chart:
            reference["account-type"] = {"name": chart}
        segments = segments_of(account)
        if any("-" in segment for segment in segments):
            reference |= {
                f"segment-{number}": text for number in range(1, 21) if (text := _text(account, f"segment-{number}"))
            }
        return reference

    def _split(self, line: Any, splits: Sequence[Mapping[str, Any]]) -> Coded:
        """Shares of a line: their amounts are its amount, or their percents are a hundred, exactly."""
        amounts, percents = self._numbers(line, splits, "amount"), self._numbers(line, splits, "percent")
        if len(amounts) == len(splits) and line.amount is not None and sum(amounts) != line.amount:
            self.faults.append(f"line {line.number}: its shares sum to {sum(amounts)}, it is {line.amount}")
        elif len(percents) == len(splits) and sum(percents) != _HUNDRED:
            self.faults.append(f"line {line.number}: its shares sum to {sum(percents)} percent")
        elif len(splits) not in (len(amounts), len(percents)):
            self.faults.append(f"line {line.number}: not every share has an amount, or not every one a percentage")
        bodies = []
        for one in splits:
            account = self.account(str(one.get("account") or ""), str(one.get("cost_center") or ""))
            body: dict[str, Any] = {} if account is None else {"account": dict(account)}
            for name, key in (("pct", "percent"), ("amount", "amount")):
                if one.get(key) is not None:
                    body[name] = _plain(one[key])
            bodies.append(body)
        return Coded(splits=tuple(bodies))

    def _numbers(self, line: Any, splits: Sequence[Mapping[str, Any]], key: str) -> list[Decimal]:
        found = []
        for one in splits:
            text = str(one.get(key) if one.get(key) is not None else "")
            try:
                value = Decimal(text) if text else None
            except ArithmeticError:
                value = Decimal("NaN")
            if value is not None and not value.is_finite():
                self.faults.append(f"line {line.number}: {text!r} is no {key} of a share")
            elif value is not None:
                found.append(value)
        return found

    def currency(self, code: str | None) -> tuple[Reference | None, int | None]:
        """A currency, and how many decimals it has (section 5.5)."""
        if not code:
            return None, None
        rows = self._optional("/api/currencies", "currency", "code", code)
        decimals = str(rows[0].get("decimals", "")) if rows else ""
        return {"code": code}, int(decimals) if decimals.isdecimal() else None

    def terms(self, code: str) -> Reference | None:
        """A payment term by its link, else by the ERP's own code where Coupa has it too.

        Codes differ between systems, and a term is optional: one that is not linked is left out.
        """
        own = code.strip()
        linked = self._linked("terms", own)
        if linked or not own:
            return self._by_code("terms", "/api/payment_terms", "payment term", own)
        misses = len(self.misses)
        found = self._by_code("terms", "/api/payment_terms", "payment term", own)
        if len(self.misses) == misses:
            return found
        del self.misses[misses:]
        self._leave_out(f"payment term {own} is not in Coupa; link it (kind terms)")
        return None

    def unit(self, code: str) -> Reference | None:
        """A unit of measure by its link, else by the ERP's own code."""
        return self._by_code("unit", "/api/uoms", "unit", code)

    def ship_to(self, party: Party | None, default: str | None) -> Reference | None:
        """A ship-to address by its link, else by the ERP's number, where Coupa has it as a location code.

        One that Coupa does not know is replaced by the default, or left out.
        """
        instead = None if default is None else {"location-code": default}
        if party is None or not party.number.strip():
            return instead
        own = party.number.strip()
        code = self._linked("ship_to", own) or own
        try:
            rows = self._references.found(ADDRESSES.path, [("location_code", code)], keep_none=True)
        except (NotFound, PermissionDenied):
            return instead
        if any(_text(row, "location-code") == code for row in rows):
            return {"location-code": code}
        if instead is None:
            self._leave_out(f"ship-to {code} is no address of Coupa; link it (kind ship_to) or set ship_to_address=")
        return instead

    def order_line(self, number: str, line: str) -> Record | None:
        """The line of an external order that an invoice bills, by order number and line number."""
        try:
            rows = self._orders.get(number) or self._references.found(
                PURCHASE_ORDERS.path, [("po_number", number)], PURCHASE_ORDERS.elements, keep=False
            )
        except NotFound:
            rows = ()
        self._orders[number] = rows
        orders = [row for row in rows if _text(row, "po-number") == number] or self._just_made(number)
        if len(orders) != 1:
            self._miss(f"purchase order {number} is {'not' if not orders else f'{len(orders)} times'} in Coupa")
            return None
        found = live_lines(orders[0], "order-lines").get(line_key(line))
        if found is None:
            self._miss(f"purchase order {number} has no line {line} in Coupa")
        return None if found is None else dict(found)

    def _just_made(self, number: str) -> list[Record]:
        known = self._references.made(PURCHASE_ORDERS.path, (("po_number", number),))
        record = None if known is None else self._references.show(PURCHASE_ORDERS, known)
        return [] if record is None else [record]

    def _by_code(self, kind: str, path: str, shown: str, code: str) -> Reference | None:
        own = code.strip()
        if not own:
            return None
        wanted = self._linked(kind, own) or own
        self._optional(path, shown, "code", wanted)
        return {"code": wanted}

    def _optional(self, path: str, shown: str, name: str, value: str) -> Sequence[Record]:
        """Records of reference data; where it may not be read, the answer of the write is what tells."""
        try:
            rows = self._references.found(path, [(name, value)], keep_none=True)
        except (NotFound, PermissionDenied):
            return ()
        fitting = [row for row in rows if _text(row, name) == value]
        if not fitting:
            self._miss(f"{shown} {value} is not in Coupa")
        return fitting

    def _required(
        self, path: str, query: list[tuple[str, str]], elements: Sequence[Any], fits: Callable[[Record], bool]
    ) -> Sequence[Record]:
        try:
            return [row for row in self._references.found(path, query, elements) if fits(row)]
        except NotFound:
            return ()

    def _linked(self, kind: str, value: str) -> str | None:
        found = self._crosswalk.find(kind, to="coupa", **{self._system: value}) if value else None
        return None if found is None else str(found).strip() or None

    def _leave_out(self, text: str) -> None:
        self.left_out.append(text)
        if self._references.is_news(text):
            _log.warning("coupa: sent without: %s", text)

    def _miss(self, text: str) -> None:
        if text not in self.misses:
            self.misses.append(text)


def _plain(value: Any) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value).strip()


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()
