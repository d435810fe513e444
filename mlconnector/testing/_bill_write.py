"""What the simulated BILL checks and does when records are made, changed and archived (sections 6, 7, 8)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.testing._bill_catalog import Resource
from mlconnector.testing._bill_errors import BillRefused, Entry, refusal
from mlconnector.testing._bill_fields import Reader, merged
from mlconnector.testing._bill_payments import Ledger, open_amount
from mlconnector.testing._bill_query import instant_of
from mlconnector.testing._bill_store import Database, Record

__all__ = ["OnChange", "Writer", "plain"]

OnChange = Callable[[str, Resource, Record], None]
"""Told of ``created``, ``updated``, ``archived`` and ``restored``."""

_HOMES: Mapping[str, str] = {
    "vendorId": "vendors",
    "chartOfAccountId": "chart-of-accounts",
    "payFromChartOfAccountId": "chart-of-accounts",
    "applyToChartOfAccountId": "chart-of-accounts",
    "departmentId": "departments",
    "locationId": "locations",
    "accountingClassId": "accounting-classes",
    "employeeId": "employees",
    "itemId": "items",
    "jobId": "jobs",
}
_LINES: Mapping[str, tuple[str, str]] = {
    "bills": ("billLineItems", "0bl"),
    "vendor-credits": ("vendorCreditLineItems", "vcl"),
}
_NAMED_IN_BILL_UPDATED = ("vendorId", "amount", "invoice")
_OWN = frozenset({"id", "archived", "createdTime", "updatedTime"})


@attrs.frozen
class _Lines:
    """The lines of one kind of record: their property, and the prefix of their ids."""

    name: str
    prefix: str

    @classmethod
    def of(cls, resource: Resource) -> _Lines | None:
        """Those of a resource; None where it has none."""
        found = _LINES.get(resource.name)
        return None if found is None else cls(*found)


class Writer:
    """Makes and changes records.

    Args:
        database: The records.
        ledger: Keeps the amounts of bills and credits.
        list_lag: Seconds after which a list shows what a call made.
        on_change: Told of every change.
    """

    def __init__(self, database: Database, ledger: Ledger, *, list_lag: float, on_change: OnChange) -> None:
        self._database = database
        self._ledger = ledger
        self._list_lag = list_lag
        self._on_change = on_change

    def create(self, resource: Resource, bodies: Sequence[Any], *, bulk: bool = False) -> list[Record]:
        """Make records, all or none.

        Raises:
            BillRefused: With every fault of every member.
        """
        reader = Reader()
        rows = []
        for index, body in enumerate(bodies):
            path = f"{resource.name}[{index}]" if bulk else ""
            row = reader.read(resource.fields, body, path)
            self._check_lines(resource, row, reader, path)
            rows.append(row)
        reader.finish()
        self._check_references(resource, rows)
        records = []
        for row in rows:
            filled = _filled(resource, row)
            self._number_lines(resource, filled)
            record = self._database[resource.name].put(filled, lag=self._list_lag)
            self._recount(record, resource)
            self._on_change("created", resource, record)
            records.append(record)
        return records

    def patch(self, resource: Resource, record: Record, body: Any) -> None:
        """Change what a body names, and nothing else; lines by their ids.

        Raises:
            BillRefused: A fault, a line that is not the record's, a bank account, less than was paid.
        """
        reader = Reader(partial=True)
        row = reader.read(resource.fields, body)
        reader.finish()
        if _bank_account(row) is not None:
            raise refusal("BDC_1143", "bankAccount: cannot be changed here.")
        row.pop("autoPay", None)
        lines = _Lines.of(resource)
        if lines is not None and row.get(lines.name) is not None:
            old = {line["id"]: line for line in record.row[lines.name]}
            given = row[lines.name]
            _only_known(lines, given, old, every=True)
            changed = {line["id"]: _merged_line(old[line["id"]], line) for line in given}
            row[lines.name] = [changed.get(key, line) for key, line in old.items()]
        self._check_references(resource, [row], of=record)
        self._replace(resource, record, merged(record.row, row))

    def put(self, resource: Resource, record: Record, body: Any) -> None:
        """Replace the whole state: lines with an id are kept or changed, those without are added, the rest goes.

        Raises:
            BillRefused: As for :meth:`patch`.
        """
        reader = Reader()
        row = reader.read(resource.fields, body)
        lines = _Lines.of(resource)
        assert lines is not None, "only bills and credits are put"
        old = {line["id"]: line for line in record.row[lines.name]}
        reader.finish()
        _only_known(lines, row[lines.name], old, every=False)
        row[lines.name] = [_merged_line(old.get(line.get("id"), {}), line) for line in row[lines.name]]
        self._check_lines(resource, row, reader, "")
        reader.finish()
        self._check_references(resource, [row], of=record)
        answered = {name: value for name, value in record.row.items() if name not in resource.fields}
        self._replace(resource, record, {**answered, **row})

    def _replace(self, resource: Resource, record: Record, row: dict[str, Any]) -> None:
        before = dict(record.row)
        self._number_lines(resource, row)
        record.row = row
        self._recount(record, resource)
        if resource.name == "bills" and open_amount(record) < 0:
            record.row = before
            self._recount(record, resource)
            raise refusal("BDC_1143", "amount: cannot be less than what is paid, scheduled or credited.")
        self._database[resource.name].stamp(record)
        self._tell(resource, record, before)

    def _tell(self, resource: Resource, record: Record, before: Mapping[str, Any]) -> None:
        # A bill tells of these fields alone (section 11.2).
        told = resource.name != "bills" or any(
            before.get(name) != record.row.get(name) for name in _NAMED_IN_BILL_UPDATED
        )
        if told:
            self._on_change("updated", resource, record)

    def archive(self, resource: Resource, record: Record, *, archived: bool) -> None:
        """Archive or restore; repeating it is harmless."""
        if record.archived != archived:
            record.archived = archived
            self._database[resource.name].stamp(record)
            self._on_change("archived" if archived else "restored", resource, record)

    def insert(self, resource: Resource, row: Mapping[str, Any]) -> Record:
        """Put a record in as a test gives it: odd values, ids, stamps and states are taken as they are.

        Raises:
            InvalidArgument: A bill or credit without a vendor that is there, or a value JSON does not have.
        """
        given = plain(row)
        if "vendorId" in resource.fields and self._database["vendors"].get(given.get("vendorId")) is None:
            raise InvalidArgument(f"vendorId {given.get('vendorId')!r} is no vendor of the simulator; add it first.")
        filled = _filled(resource, {name: value for name, value in given.items() if name not in _OWN})
        self._number_lines(resource, filled)
        record = self._database[resource.name].put(
            filled,
            id=given.get("id"),
            archived=given.get("archived", False),
            created=_instant(row, "createdTime"),
            updated=_instant(row, "updatedTime"),
        )
        self._recount(record, resource)
        self._on_change("created", resource, record)
        return record

    def revise(self, resource: Resource, record: Record, changes: Mapping[str, Any]) -> None:
        """Change a record as a person in the web application does; objects are merged, lists replaced."""
        given = plain(changes)
        before = record.row
        self.archive(resource, record, archived=given.get("archived", record.archived))
        record.row = merged(before, {name: value for name, value in given.items() if name not in _OWN})
        self._number_lines(resource, record.row)
        self._recount(record, resource)
        self._database[resource.name].stamp(record, _instant(changes, "updatedTime"))
        if record.row != before:
            self._tell(resource, record, before)

    def _number_lines(self, resource: Resource, row: dict[str, Any]) -> None:
        lines = _Lines.of(resource)
        if lines is None:
            return
        numbered = []
        for line in row.get(lines.name) or ():
            amount = line.get("amount")
            if amount is None and line.get("quantity") is not None and line.get("price") is not None:
                amount = round(line["quantity"] * line["price"], 2)
            numbered.append({**line, "id": line.get("id") or self._database.new_id(lines.prefix), "amount": amount})
        row[lines.name] = numbered
        row["amount"] = sum((Decimal(line["amount"] or 0) for line in numbered), Decimal(0))

    def _recount(self, record: Record, resource: Resource) -> None:
        if resource.name == "bills":
            self._ledger.refresh(record)
            for used in record.row.get("vendorCredits") or ():
                self._ledger.refresh_credit(self._database["vendor-credits"].existing(used["id"]))
        elif resource.name == "vendor-credits":
            self._ledger.refresh_credit(record)

    def _check_lines(self, resource: Resource, row: Mapping[str, Any], reader: Reader, path: str) -> None:
        lines = _Lines.of(resource)
        if lines is None:
            return
        total = Decimal(0)
        for index, line in enumerate(row.get(lines.name) or ()):
            quantity, price = line.get("quantity"), line.get("price")
            amount = line.get("amount")
            if amount is None and (quantity is None or price is None):
                where = f"{path}.{lines.name}" if path else lines.name
                reader.faults.append(Entry(None, f"{where}[{index}].amount: must not be null"))
            total += amount if amount is not None else (quantity or 0) * (price or 0)
        # A credit's amounts are positive (8.2); a negative document is a credit, not a bill (section 7).
        if total < 0:
            reader.faults.append(Entry("BDC_1143", "amount: must not be negative.", "DOWNSTREAM"))

    def _check_references(
        self, resource: Resource, rows: Iterable[Mapping[str, Any]], of: Record | None = None
    ) -> None:
        entries: dict[Entry, None] = {}
        for row in rows:
            if row.get("autoPay") is not None:
                raise refusal("BDC_1361")
            for name, key in _references(row):
                found = self._database[resource.name if name == "parentId" else _HOMES[name]].get(key)
                if found is None or found.archived:
                    entries[Entry("BDC_1119", f"Invalid field value: {name}: {key}", "APPLICATION")] = None
            entries |= dict.fromkeys(self._bad_credits(row, of))
        if entries:
            raise BillRefused(entries, status=422)

    def _bad_credits(self, row: Mapping[str, Any], of: Record | None) -> Iterable[Entry]:
        held = {} if of is None else {used["id"]: used["amount"] for used in of.row.get("vendorCredits") or ()}
        vendor = row.get("vendorId", of.row.get("vendorId") if of else None)
        for used in row.get("vendorCredits") or ():
            credit = self._database["vendor-credits"].get(used["id"])
            free = credit.row["amount"] - credit.row["appliedAmount"] + held.get(credit.id, 0) if credit else 0
            if credit is None or credit.row["vendorId"] != vendor or used["amount"] > free:
                yield Entry("BDC_1119", f"Invalid field value: vendorCredits: {used['id']}", "APPLICATION")


def _references(row: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _references(value)
        elif isinstance(value, list):
            for item in value:
                yield from _references(item)
        elif isinstance(value, str) and (name in _HOMES or name == "parentId"):
            yield name, value


def _merged_line(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    line = merged(old, new)
    if new.get("amount") is None and {"quantity", "price"} & new.keys() and {"quantity", "price"} <= line.keys():
        # BILL computes it again.
        line.pop("amount", None)
    return line


def _only_known(lines: _Lines, given: Iterable[Mapping[str, Any]], old: Mapping[str, Any], *, every: bool) -> None:
    for line in given:
        key = line.get("id")
        if key not in old and (every or key):
            raise refusal("BDC_1119", f"Invalid field value: {lines.name}.id: {key}")


def _bank_account(row: Mapping[str, Any]) -> Any:
    return (row.get("paymentInformation") or {}).get("bankAccount")


def _filled(resource: Resource, row: Mapping[str, Any]) -> dict[str, Any]:
    """A new record with what BILL adds to it; what the row brings stands."""
    match resource.name:
        case "vendors":
            bank = _bank_account(row)
            filled = {
                "accountType": "UNDEFINED",
                "billCurrency": "USD",
                "networkStatus": "NOT_CONNECTED",
                "bankAccountStatus": "NO_ACCOUNT" if bank is None else "NO_NET_LINKED_ACCOUNT",
                "recurringPayments": False,
                "balance": {"amount": Decimal(0)},
                **row,
            }
            if bank is not None:
                shown = {**bank, "accountNumber": f"****{bank['accountNumber'][-4:]}"}
                filled["paymentInformation"] = {**filled["paymentInformation"], "bankAccount": shown}
            return filled
        case "bills":
            return {"approvalStatus": "UNASSIGNED", **{k: v for k, v in row.items() if k != "billApprovals"}}
    return dict(row)


def plain(value: Any) -> Any:
    """A value a test gives as JSON has it: dates as text, numbers exact.

    Raises:
        InvalidArgument: A float, or a type JSON does not have.
    """
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, str | Decimal):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    raise InvalidArgument(f"{value!r} cannot stand in a record; amounts are Decimal.")


def _instant(row: Mapping[str, Any], name: str) -> dt.datetime | None:
    value = row.get(name)
    if value is None or isinstance(value, dt.datetime):
        return value
    found = instant_of(str(value))
    if found is None:
        raise InvalidArgument(f"{name} must be an aware instant, not {value!r}.")
    return found
