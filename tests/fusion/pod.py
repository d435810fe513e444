"""A small pod for tests of the client: collections, expressions, expansion, children, describe (Fusion reference)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from mlconnector.testing import ManualClock, Simulator
from mlconnector.testing._wire import Answer, Refused, Request, json_answer
from tests.fusion import query

START = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)
ROOT = "/fscmRestApi/resources"
VERSION = "11.13.18.05"
TOKEN = "token-of-the-identity-domain"
KEYS = {
    "invoices": "InvoiceId",
    "payablesPayments": "CheckId",
    "journalBatches": "JeBatchId",
    "suppliers": "SupplierId",
    "accountCombinationsLOV": "_CODE_COMBINATION_ID",
    "purchaseOrders": "POHeaderId",
    "shipments": "Shipment",
}
CHILDREN = (
    "invoiceLines",
    "invoiceInstallments",
    "relatedInvoices",
    "journalHeaders",
    "journalLines",
    "addresses",
    "lines",
    "schedules",
    "unpackedShipmentLines",
    "shipmentLines",
    "costs",
)
CHILD_KEYS = (
    "LineNumber",
    "InstallmentNumber",
    "InvoicePaymentId",
    "JournalName",
    "JeLineNumber",
    "SupplierAddressId",
    "POLineId",
    "LineLocationId",
    "ShipmentLine",
)
Row = dict[str, Any]


def stamp_text(instant: dt.datetime) -> str:
    return instant.astimezone(dt.UTC).isoformat(timespec="milliseconds")


class TokenHost(Simulator):
    """The identity domain, on a host of its own."""

    accepted = True
    issued = 0

    def expire_tokens(self) -> None:
        pass

    def _work(self, request: Request) -> Answer:
        form = request.form()
        if (
            request.path != "/oauth2/v1/token"
            or form.get("grant_type") != "client_credentials"
            or not form.get("scope")
        ):
            return json_answer({"error": "invalid_request"}, status=400)
        if not self.accepted:
            return json_answer({"error": "invalid_client"}, status=401)
        self.issued += 1
        return json_answer({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})


class Pod(Simulator):
    """Tables of rows; a child is a list of rows under its accessor.

    Attributes:
        cap: Rows of a page at most, whatever is asked for. ``child_cap``: rows of an expanded child.
        link_form: ``"links"`` or ``"context"`` (framework version 9). ``arrays``: children as arrays (version 2).
        not_queryable: Attributes that ``q`` must not name. ``described``: what describe says instead.
        wildcard: The one that acts in ``like``.
        before: Called before each page of a top-level collection, with its number from 0.
        shy: ``hasMore`` is false at any offset above 0. ``silent``: no ``hasMore`` at all.
    """

    def __init__(self, *, clock: ManualClock | None = None) -> None:
        super().__init__(clock=clock or ManualClock(START))
        self.tables: dict[str, list[Row]] = {name: [] for name in KEYS}
        self.cap, self.child_cap = 499, 25
        self.link_form, self.arrays, self.shy, self.silent = "links", False, False, False
        self.linkless: set[str] = set()
        self.not_queryable: set[str] = set()
        self.described: Any = None
        self.wildcard = "%"
        self.before: Callable[[int], None] = lambda page: None
        self.before_child: Callable[[int], None] = lambda page: None
        self.frameworks = ["1", "2", "3", "4", "5", "6", "7", "8", "9"]
        self.fields_fail = False
        self.shuffled = False
        self.pages = self.child_pages = 0

    def expire_tokens(self) -> None:
        pass

    def add(self, name: str, *rows: Mapping[str, Any]) -> None:
        for row in rows:
            self.tables[name].append({"LastUpdateDate": stamp_text(self.clock.now()), **row})

    def touch(self, name: str, key: Any, **changes: Any) -> None:
        (row,) = [row for row in self.tables[name] if row[KEYS[name]] == key]
        row |= {"LastUpdateDate": stamp_text(self.clock.now()), **changes}

    def _work(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {TOKEN}" and not request.headers.get(
            "authorization", ""
        ).startswith("Basic "):
            return Answer(status=401)
        version = request.headers.get("rest-framework-version")
        if version not in self.frameworks[1:] or "adf.error+json" not in request.headers.get("accept", ""):
            return json_answer({"title": "no framework version"}, status=400)
        if request.path == ROOT:
            item = {
                "version": VERSION,
                "isLatest": True,
                "adf:extension": {"defaultFrameworkVersion": "1", "allowedFrameworkVersions": self.frameworks},
            }
            return json_answer({"items": [item]})
        parts = [unquote(part) for part in request.path.split("/")]
        if len(parts) < 5 or parts[3] != VERSION or parts[4] not in self.tables:
            return Answer(status=404, body=b"", content_type="text/plain")
        if parts[5:] == ["describe"]:
            return self._describe(parts[4])
        name, rows = parts[4], self.tables[parts[4]]
        path = f"{ROOT}/{VERSION}/{name}"
        for key, accessor in zip(parts[5::3], parts[7::3], strict=False):
            owner = [row for row in rows if self._id(name, row) == key]
            if not owner:
                return Answer(status=404)
            path, name = f"{path}/{key}/child/{accessor}", accessor
            rows = owner[0].get(accessor, [])
        if len(parts) > 5:
            self.before_child(self.child_pages)
            self.child_pages += 1
        else:
            self.before(self.pages)
            self.pages += 1
        return self._collection(name, path, rows, request.query)

    def _describe(self, name: str) -> Answer:
        if self.described is not None:
            return json_answer(self.described)
        row = next(iter(self.tables[name]), {"LastUpdateDate": ""})
        attributes = [
            {"name": one, "type": "string", "queryable": one not in self.not_queryable}
            for one in row
            if one not in CHILDREN
        ]
        return json_answer({"Resources": {name: {"attributes": attributes}}})

    @staticmethod
    def _id(name: str, row: Row) -> str:
        """The key in a path: plain for some resources, a hash for others."""
        keys = (KEYS.get(name), *CHILD_KEYS)
        value = next(row[key] for key in keys if key is not None and key in row)
        if name in ("payablesPayments", "suppliers", "journalBatches", "shipments"):
            return str(value)
        return "0002" + hashlib.sha256(str(value).encode()).hexdigest()[:12].upper()

    def _collection(self, name: str, path: str, rows: list[Row], asked: Mapping[str, str]) -> Answer:
        if asked.get("fields") and self.fields_fail:
            return json_answer({"title": "Internal Server Error"}, status=500)
        if text := asked.get("q"):
            try:
                parser = query.Parser(text, self.wildcard, lambda one: one not in self.not_queryable)
                test = parser.whole()
            except query.Refused as error:
                detail = {"detail": str(error), "o:errorCode": "27520", "o:errorPath": "/q"}
                raise Refused(json_answer({"title": "Bad Request", "o:errorDetails": [detail]}, status=400)) from None
            rows = [row for row in rows if test(row)]
        if order := asked.get("orderBy"):
            for part in reversed(order.split(",")):
                column, _, direction = part.partition(":")
                if any(column in row for row in rows) and column in self.not_queryable:
                    return json_answer({"title": "Bad Request"}, status=400)
                rows = sorted(
                    rows, key=lambda row: (row.get(column) is None, row.get(column)), reverse=direction == "desc"
                )
        if self.shuffled:
            rows = rows[::-1]
        offset, limit = int(asked.get("offset", 0)), min(int(asked.get("limit", 25)), self.cap)
        page = rows[offset : offset + limit]
        more = offset + limit < len(rows) and not (self.shy and offset)
        shown = [self._item(name, path, row, asked) for row in page]
        answer = {"items": shown, "count": len(page), "hasMore": more, "limit": limit, "offset": offset}
        if self.silent:
            del answer["hasMore"]
        if asked.get("totalResults") == "true":
            answer["totalResults"] = len(rows)
        return json_answer(answer)

    def _item(self, name: str, path: str, row: Row, asked: Mapping[str, str]) -> Row:
        plain = {key: value for key, value in row.items() if key not in CHILDREN}
        own = f"{path}/{self._id(name, row)}"
        if fields := asked.get("fields"):
            plain = {key: value for key, value in plain.items() if key in fields.split(",")}
        else:
            for accessor, rows in row.items():
                if accessor in CHILDREN and self._expanded(accessor, asked.get("expand", "")):
                    plain[accessor] = self._nested(accessor, f"{own}/child/{accessor}", rows, asked)
        return plain if asked.get("onlyData") == "true" else {**plain, **self._links(name, own)}

    @staticmethod
    def _expanded(accessor: str, expand: str) -> bool:
        return expand == "all" or accessor in expand.replace(".", ",").split(",")

    def _nested(self, accessor: str, path: str, rows: list[Row], asked: Mapping[str, str]) -> Any:
        # The order of expanded rows is the server's own.
        items = [self._item(accessor, path, row, asked) for row in rows[::-1][: self.child_cap]]
        if self.arrays:
            return items
        return {
            "items": items,
            "count": len(items),
            "hasMore": len(rows) > self.child_cap,
            "limit": self.child_cap,
            "offset": 0,
            **self._links(accessor, path),
        }

    def _links(self, name: str, path: str) -> Row:
        if name in self.linkless:
            return {}
        href = f"https://pod.example:443{path}"
        links = [{"rel": "lov", "href": "https://elsewhere.example/x"}, {"rel": "self", "href": href, "name": name}]
        return {"links": links} if self.link_form == "links" else {"@context": {"links": links}}


def invoice(number: int, *, lines: int = 2, **changes: Any) -> Row:
    identifier = 300_100_000_000_000 + number
    rows = [
        {
            "LineNumber": index,
            "LineType": "Item",
            "LineAmount": Decimal("10.50"),
            "Quantity": 2,
            "UnitPrice": Decimal("5.25"),
            "UOM": "Each",
            "Description": f"thing {index}",
            "Item": f"AS{index}",
            "PurchaseOrderNumber": "4711",
            "PurchaseOrderLineNumber": index,
            "DistributionCombination": "01-000-2210-0000-000",
        }
        for index in range(1, lines + 1)
    ]
    gross = Decimal("10.50") * lines
    return {
        "InvoiceId": identifier,
        "InvoiceNumber": f"EX-{number}",
        "InvoiceDate": "2026-02-01",
        "AccountingDate": "2026-02-02",
        "InvoiceAmount": gross,
        "InvoiceCurrency": "USD",
        "PaymentCurrency": "USD",
        "AmountPaid": Decimal("0"),
        "BusinessUnit": "Example BU",
        "Supplier": "Supplier & Sons",
        "SupplierNumber": "1013",
        "InvoiceType": "Standard",
        "InvoiceSource": "Manual invoice entry",
        "PaymentTerms": "Net 30",
        "ValidationStatus": "Validated",
        "ApprovalStatus": "Workflow approved",
        "PaidStatus": "Unpaid",
        "AccountingStatus": "Accounted",
        "CanceledFlag": None,
        "invoiceLines": rows,
        "invoiceInstallments": [
            {
                "InstallmentNumber": 1,
                "DueDate": "2026-03-03",
                "GrossAmount": gross,
                "UnpaidAmount": gross,
                "HoldFlag": False,
                "RemitToSupplier": "Supplier & Sons",
            }
        ],
        **changes,
    }


def payment(number: int, **changes: Any) -> Row:
    return {
        "CheckId": 400_100_000_000_000 + number,
        "PaymentNumber": 5000 + number,
        "PaymentDate": "2026-02-20",
        "PaymentAmount": Decimal("95.00"),
        "PaymentCurrency": "EUR",
        "PaymentBaseAmount": Decimal("104.5"),
        "PaymentBaseCurrency": "USD",
        "PaymentStatus": "Negotiable",
        "PaymentMethod": "Check",
        "PaymentMethodCode": "CHECK",
        "Payee": "Supplier & Sons",
        "SupplierNumber": "1013",
        "PaperDocumentNumber": 70001,
        "AddressLine1": "1 Road",
        "City": "Town",
        "Zip": "12345",
        "Country": "US",
        "RemitToAccountNumber": "XXXX1234",
        "relatedInvoices": [
            {
                "InvoicePaymentId": 1,
                "InvoiceId": 300_100_000_000_001,
                "InvoiceNumber": "EX-1",
                "InstallmentNumber": 1,
                "AmountPaidPaymentCurrency": Decimal("105.00"),
                "DiscountTaken": Decimal("5.00"),
            },
            {
                "InvoicePaymentId": 2,
                "InvoiceId": 300_100_000_000_002,
                "InvoiceNumber": "CM-2",
                "InstallmentNumber": 1,
                "AmountPaidPaymentCurrency": Decimal("-10.00"),
                "DiscountTaken": None,
            },
        ],
        **changes,
    }
