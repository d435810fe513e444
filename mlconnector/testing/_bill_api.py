"""The resources of the simulated BILL over HTTP: lists, single records, bulk calls, payments (sections 4 to 10)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlconnector.errors import InvalidArgument
from mlconnector.testing._bill_catalog import RESOURCES, Resource
from mlconnector.testing._bill_errors import BillRefused, Entry, refusal, wrong_path
from mlconnector.testing._bill_fields import Field, Fields, Reader, json_body
from mlconnector.testing._bill_payments import Ledger, Share, may_follow
from mlconnector.testing._bill_query import Pager
from mlconnector.testing._bill_store import Database, Record
from mlconnector.testing._bill_write import Writer
from mlconnector.testing._wire import Answer, Request, json_answer

__all__ = ["BillAPI"]

_THIN: Mapping[str, frozenset[str]] = {
    "vendors": frozenset({"additionalInfo", "paymentInformation"}),
    "bills": frozenset({"billLineItems", "description"}),
    "vendor-credits": frozenset({"vendorCreditLineItems", "description"}),
    "payments": frozenset({"billPayments"}),
}
"""What rows of a list may lack although the single record has it."""

_PART: Fields = {"billId": Field(required=True), "amount": Field(type="money", required=True)}
_OFFLINE: Fields = {
    "vendorId": Field(required=True),
    "processDate": Field(type="date", required=True),
    "toPrintCheck": Field(type="flag"),
    "payments": Field(type="objects", required=True, least=1, inside=_PART),
}
_VOID: Fields = {
    "type": Field(
        required=True,
        choices=frozenset({"VOID_AND_CREDIT", "VOID_AND_REISSUE", "VOID_AND_REISSUE_VCARD", "VOID_ONLY"}),
    ),
    "reason": Field(),
}
_APPROVALS: Mapping[str, str] = {"APPROVE": "APPROVED", "DENY": "DENIED"}


class BillAPI:
    """Answers calls below ``/connect/v3`` that need a session.

    Args:
        database, writer, ledger, pager: What it works on.
        thin_lists: Whether rows of lists lack their larger parts.
        mask_tax_ids: Whether answers hide tax ids but for four digits.
        on_payment: Told of every payment that came to a new status.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        ledger: Ledger,
        pager: Pager,
        *,
        thin_lists: bool,
        mask_tax_ids: bool,
        on_payment: Callable[[Record], None],
    ) -> None:
        self._database = database
        self._writer = writer
        self._ledger = ledger
        self._pager = pager
        self._thin_lists = thin_lists
        self._mask_tax_ids = mask_tax_ids
        self._on_payment = on_payment
        self.forbidden: set[tuple[str, str]] = set()

    def handle(self, request: Request, path: Sequence[str]) -> Answer:
        """Answer a call.

        Raises:
            BillRefused: What BILL refuses.
        """
        name, *rest = path
        if name == "bill-approvals":
            return self._approvals(request, rest)
        classified = name == "classifications"
        if classified and rest:
            name, *rest = rest
        resource = RESOURCES.get(name)
        if resource is None or resource.path.startswith("classifications/") is not classified:
            raise wrong_path(request.method, request.path)
        if (name, "read" if request.method == "GET" else "write") in self.forbidden:
            raise refusal("BDC_1145")
        return self._resource(request, resource, rest)

    def _resource(self, request: Request, resource: Resource, rest: Sequence[str]) -> Answer:
        store = self._database[resource.name]
        special = self._special(request, resource, rest)
        if special is not None:
            return special
        match (request.method, *rest):
            case ("GET",):
                return self._list(request, resource)
            case ("POST",):
                if resource.name == "payments":
                    # Payments need a session trusted by MFA (section 2.6), which this simulator never gives.
                    raise refusal("BDC_1361")
                record = self._writer.create(resource, [json_body(request)])[0]
                return json_answer(self._shown(resource, record), status=201)
            case ("POST" | "PUT" | "PATCH", "bulk") if request.method in resource.bulk_verbs:
                return self._bulk(request, resource)
            case ("POST", "bulk", "archive" | "restore" as verb) if verb in resource.bulk_verbs:
                records = [store.asked(key.strip()) for key in request.query.get("ids", "").split(",")]
                for record in records:
                    self._writer.archive(resource, record, archived=verb == "archive")
                return self._several(resource, records, 200)
            case ("GET", key):
                return json_answer(self._shown(resource, store.asked(key), single=True, read=True))
            case ("PATCH" | "PUT", key) if request.method in resource.verbs:
                record = store.asked(key)
                change = self._writer.patch if request.method == "PATCH" else self._writer.put
                change(resource, record, json_body(request))
                return json_answer(self._shown(resource, record))
            case ("POST", key, "archive" | "restore" as verb) if resource.verbs:
                if verb == "restore" and not resource.restorable:
                    raise wrong_path(request.method, request.path)
                record = store.asked(key)
                self._writer.archive(resource, record, archived=verb == "archive")
                return json_answer(self._shown(resource, record))
        raise wrong_path(request.method, request.path)

    def _special(self, request: Request, resource: Resource, rest: Sequence[str]) -> Answer | None:
        match (request.method, resource.name, *rest):
            case ("POST", "bills", "record-payment"):
                return self._record_payment(request)
            case ("POST", "payments", "bulk" | "mass"):
                raise refusal("BDC_1361")
            case ("POST", "payments", key, "cancel"):
                payment = self._database["payments"].asked(key)
                if payment.row["singleStatus"] != "SCHEDULED":
                    raise refusal("BDC_1143", "Only a scheduled payment can be cancelled.", status=422)
                self._ledger.advance(payment, "CANCELED", further={"cancelRequestSubmitted": True})
                self._on_payment(payment)
                return json_answer(payment.shown())
            case ("POST", "payments", key, "void"):
                return self._void(request, self._database["payments"].asked(key))
            case (_, "vendors", key, "bank-account"):
                return self._bank_account(request, resource, self._database["vendors"].asked(key))
        return None

    # Lists and shapes

    def _list(self, request: Request, resource: Resource) -> Answer:
        now = self._database.clock.monotonic()
        seen = [record for record in self._database[resource.name] if record.visible_at <= now]
        records, tokens = self._pager.page(resource, request.query, seen)
        left_out = _THIN.get(resource.name, frozenset()) if self._thin_lists else frozenset()
        rows = [
            {name: value for name, value in self._shown(resource, record, read=True).items() if name not in left_out}
            for record in records
        ]
        return json_answer({**tokens, "results": rows})

    def _shown(self, resource: Resource, record: Record, *, single: bool = False, read: bool = False) -> dict[str, Any]:
        shown = record.shown()
        match resource.name:
            case "vendors" if self._mask_tax_ids and "taxId" in shown.get("additionalInfo", {}):
                info = shown["additionalInfo"]
                shown["additionalInfo"] = {**info, "taxId": f"*****{info['taxId'][-4:]}"}
            case "bills" if read:
                # Only these two answers carry it (section 7).
                vendor = self._database["vendors"].get(record.row["vendorId"])
                shown["vendorName"] = vendor.row.get("name", "") if vendor else ""
            case "vendor-credits" if not (single and read):
                shown.pop("usage", None)
        return shown

    def _several(self, resource: Resource, records: Sequence[Record], status: int) -> Answer:
        rows = [self._shown(resource, record) for record in records]
        return json_answer(rows if resource.wrapper is None else {resource.wrapper: rows}, status=status)

    def _bulk(self, request: Request, resource: Resource) -> Answer:
        bodies = json_body(request)
        if not isinstance(bodies, list) or not 1 <= len(bodies) <= resource.bulk:
            raise BillRefused([Entry(None, f"size must be between 1 and {resource.bulk}")], status=400)
        if request.method == "POST":
            return self._several(resource, self._writer.create(resource, bodies, bulk=True), 201)
        store = self._database[resource.name]
        keys = [body.get("id") if isinstance(body, Mapping) else None for body in bodies]
        records = [store.asked(str(key)) for key in keys]
        before = [(record, dict(record.row), record.updated) for record in records]
        change = self._writer.patch if request.method == "PATCH" else self._writer.put
        try:
            for record, body in zip(records, bodies, strict=True):
                change(resource, record, body)
        except BillRefused:
            for record, row, updated in before:
                record.row, record.updated = row, updated
            raise
        return self._several(resource, records, 200)

    # What only some resources have

    def _bank_account(self, request: Request, resource: Resource, vendor: Record) -> Answer:
        info = vendor.row.setdefault("paymentInformation", {})
        match request.method:
            case "GET" if info.get("bankAccount"):
                return json_answer(info["bankAccount"])
            case "POST" if not info.get("bankAccount"):
                fields = resource.fields["paymentInformation"].inside["bankAccount"].inside
                given = self._read(fields, request)
                info["bankAccount"] = {**given, "accountNumber": f"****{given['accountNumber'][-4:]}"}
                vendor.row["bankAccountStatus"] = "NO_NET_LINKED_ACCOUNT"
                return json_answer(info["bankAccount"])
            case "DELETE" if info.get("bankAccount"):
                del info["bankAccount"]
                vendor.row["bankAccountStatus"] = "NO_ACCOUNT"
                return Answer(status=204)
            case "POST":
                raise refusal("BDC_1143", "bankAccount: delete the one that is there first.")
            case "GET" | "DELETE":
                raise refusal("BDC_1205")
        raise wrong_path(request.method, request.path)

    def _record_payment(self, request: Request) -> Answer:
        body = self._read(_OFFLINE, request)
        bills = self._database["bills"]
        shares = [Share(bills.asked(part["billId"]), Decimal(part["amount"])) for part in body["payments"]]
        if any(share.bill.row["vendorId"] != body["vendorId"] for share in shares):
            raise refusal("BDC_1119", f"Invalid field value: vendorId: {body['vendorId']}")
        try:
            payment = self._ledger.make(
                shares,
                status="UNDEFINED",
                process_date=dt.date.fromisoformat(body["processDate"]),
                method="OFFLINE",
                online=False,
                further={},
            )
        except InvalidArgument as wrong:
            raise refusal("BDC_1143", str(wrong), status=422) from wrong
        self._on_payment(payment)
        return json_answer(payment.shown())

    def _void(self, request: Request, payment: Record) -> Answer:
        wanted = self._read(_VOID, request)
        if not may_follow(payment.row["singleStatus"], "VOIDED"):
            raise refusal("BDC_1143", f"A payment that is {payment.row['singleStatus']} cannot be voided.", status=422)
        self._ledger.advance(payment, "VOIDED", further={"voidInfo": [wanted]})
        self._on_payment(payment)
        return json_answer(payment.shown())

    def _approvals(self, request: Request, rest: Sequence[str]) -> Answer:
        bills = RESOURCES["bills"]
        match (request.method, *rest):
            case ("POST", "actions"):
                actions = json_body(request)
                records = [self._database["bills"].asked(action.get("billId", "")) for action in actions]
                words = [_APPROVALS.get(action.get("action", "")) for action in actions]
                if None in words:
                    raise refusal("BDC_1119", "Invalid field value: action")
                for record, word in zip(records, words, strict=True):
                    record.row["approvalStatus"] = word
                    self._database["bills"].stamp(record)
                return json_answer({"status": "SUCCESS"})
            case ("GET", "pending-user-approvals"):
                pending = [each for each in self._database["bills"] if each.row["approvalStatus"] == "ASSIGNED"]
                return json_answer({"bills": [self._shown(bills, each) for each in pending]})
        raise wrong_path(request.method, request.path)

    def _read(self, fields: Fields, request: Request) -> dict[str, Any]:
        reader = Reader()
        body = reader.read(fields, json_body(request))
        reader.finish()
        return body
