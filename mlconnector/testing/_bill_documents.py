"""Business documents as records of the simulated BILL, and records as contents of its notifications."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from mlconnector.documents import Account, Address, CostCenter, Invoice, InvoiceLine, Party, Payment, Supplier
from mlconnector.errors import InvalidArgument
from mlconnector.testing._bill_catalog import RESOURCES, Resource
from mlconnector.testing._bill_store import Database, Record, without_nulls

__all__ = ["bill_content", "bill_of", "payment_content", "row_of", "vendor_content"]

Insert = Callable[[Resource, Mapping[str, Any]], Record]
"""Puts a record in."""

_CENT = Decimal("0.01")


def row_of(document: Any, database: Database, insert: Insert) -> tuple[str, dict[str, Any]]:
    """The resource and the row that say what a document says.

    A supplier's number becomes ``shortName``, an account's ``account.number``, a cost centre's ``shortName``, except
    where it is a BILL id. An invoice finds its vendor by id, short name or name and makes one where there is none;
    its lines find accounts and departments by id or number; a credit, or a negative gross, is a vendor credit. A
    payment finds its bills by id or invoice number; a status that is none of BILL's counts as ``PROCESSED``.

    Raises:
        InvalidArgument: A kind of document BILL does not hold, or an account, department or bill that is not there.
    """
    match document:
        case Supplier():
            return "vendors", _vendor(document.party, document.currency, archived=not document.active)
        case Invoice():
            return _invoice(document, database, insert)
        case Payment():
            return "payments", _payment(document, database)
        case Account():
            name = document.description or document.number
            row = {"name": name, "account": {"type": "EXPENSE", "number": document.number}}
            return "chart-of-accounts", {**row, **_own(document.number, "0ca"), "archived": not document.active}
        case CostCenter():
            number = document.number.strip()
            row = {"name": document.name or number, "shortName": number}
            return "departments", {**row, **_own(document.number, "0de"), "archived": not document.active}
    raise InvalidArgument(f"The simulator cannot hold a {type(document).__name__}; pass rows with resource=.")


def _own(number: str, prefix: str) -> dict[str, str]:
    """The id, where a number is one."""
    return {"id": number} if number.startswith(prefix) and len(number) == 20 else {}


def _vendor(party: Party, currency: str | None, *, archived: bool = False) -> dict[str, Any]:
    own = _own(party.number, RESOURCES["vendors"].prefix)
    row: dict[str, Any] = without_nulls(
        {
            **own,
            "name": party.name or party.number,
            "shortName": None if own else party.number or None,
            "address": _address(party.address or Address()),
            "billCurrency": currency,
            "additionalInfo": {"taxId": party.tax_id} if party.tax_id else None,
            "archived": archived,
        }
    )
    return row


def _address(address: Address) -> dict[str, Any]:
    lines = dict(zip(("line1", "line2"), address.lines, strict=False))
    named = {
        "city": address.city,
        "stateOrProvince": address.state,
        "zipOrPostalCode": address.postal_code,
        "country": address.country,
    }
    return {**lines, **{name: value for name, value in named.items() if value}}


def _invoice(invoice: Invoice, database: Database, insert: Insert) -> tuple[str, dict[str, Any]]:
    party = invoice.payee or invoice.supplier
    if party is None:
        raise InvalidArgument(f"Invoice {invoice.number} names no supplier.")
    vendor = _vendor_id(party, invoice.currency, database, insert)
    gross = invoice.gross or Decimal(0)
    credit = invoice.kind == "credit" or gross < 0
    number = invoice.supplier_invoice_number or invoice.number
    lines = [_line(line, database, sign=-1 if credit and gross < 0 else 1) for line in invoice.lines]
    lines = lines or [{"amount": abs(gross) if credit else gross}]
    if invoice.date is None:
        raise InvalidArgument(f"Invoice {invoice.number} has no date.")
    date = invoice.date
    common = without_nulls({"vendorId": vendor, "archived": invoice.void})
    if credit:
        row = {"referenceNumber": number, "creditDate": date, "vendorCreditLineItems": lines}
        return "vendor-credits", {**common, **row, **_own(invoice.number, "vcr")}
    return "bills", without_nulls(
        {
            **common,
            **_own(invoice.number, "00n"),
            "invoice": {"invoiceNumber": number, "invoiceDate": date},
            "dueDate": invoice.due_date or date,
            "billLineItems": lines,
            "purchaseOrderNumber": invoice.purchase_order or None,
        }
    )


def _vendor_id(party: Party, currency: str | None, database: Database, insert: Insert) -> str:
    for vendor in database["vendors"]:
        if vendor.id == party.number or (party.number and vendor.row.get("shortName") == party.number):
            return vendor.id
    for vendor in database["vendors"]:
        if party.name and vendor.row["name"] == party.name:
            return vendor.id
    return insert(RESOURCES["vendors"], _vendor(party, currency)).id


def _line(line: InvoiceLine, database: Database, *, sign: int) -> dict[str, Any]:
    classifications = {
        "chartOfAccountId": _found(database, "chart-of-accounts", line.account),
        "departmentId": _found(database, "departments", line.cost_center),
    }
    return {
        "amount": None if line.amount is None else line.amount * sign,
        "description": line.description or None,
        "classifications": without_nulls(classifications) or None,
    }


def _found(database: Database, kind: str, number: str) -> str | None:
    if not number:
        return None
    for record in database[kind]:
        if number in (record.id, record.row.get("shortName"), record.row.get("account", {}).get("number")):
            return record.id
    raise InvalidArgument(f"{kind} holds no {number!r}; add it first.")


def _payment(payment: Payment, database: Database) -> dict[str, Any]:
    parts = [
        {"billId": bill_of(database, paid.invoice), "amount": paid.amount or Decimal(0)}
        for paid in payment.applications
    ]
    own = _own(payment.number, "stp")
    status = "VOIDED" if payment.void else payment.status if payment.status.isupper() else "PROCESSED"
    row: dict[str, Any] = without_nulls(
        {
            **own,
            "transactionNumber": None if own else payment.number,
            "billPayments": parts,
            "processDate": payment.date,
            "disbursementType": payment.method.upper() or None,
            "confirmationNumber": payment.bank_reference or None,
            "singleStatus": status,
        }
    )
    return row


def bill_of(database: Database, key: str) -> str:
    """The id of a bill named by its id or its invoice number.

    Raises:
        InvalidArgument: None is, or several have the number.
    """
    if database["bills"].get(key) is not None:
        return key
    found = [bill.id for bill in database["bills"] if bill.row["invoice"]["invoiceNumber"] == key]
    if len(found) != 1:
        raise InvalidArgument(f"{key!r} names {len(found)} bills, not one.")
    return found[0]


def bill_content(bill: Record, vendor: Mapping[str, Any]) -> dict[str, Any]:
    """What a bill's notification holds: the invoice's date is an instant there (section 11.3)."""
    shown = dict(_money(bill.shown()))
    shown["vendorName"] = vendor.get("name")
    invoice = shown.get("invoice", {})
    if "invoiceDate" in invoice:
        shown["invoice"] = {**invoice, "invoiceDate": f"{invoice['invoiceDate']}T00:00:00.000Z"}
    return {"bill": shown}


def vendor_content(vendor: Record) -> dict[str, Any]:
    """What a vendor's notification holds: an account number of digits may be a number there (section 11.3)."""
    shown = vendor.shown()
    number = str(shown.get("accountNumber", ""))
    if number.isdecimal() and not number.startswith("0"):
        shown["accountNumber"] = int(number)
    return {"vendor": shown}


def payment_content(payment: Record, currency: str, *, failed: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """The notifications of a payment that has come to a new status (sections 11.2, 11.3)."""
    row = payment.row
    amount = _money(row["amount"])
    shown = payment.shown()
    disbursement: dict[str, Any] = {
        "currency": currency,
        "disbursementAccount": {"type": row["disbursementType"], "accountNumber": "****333"},
    }
    if row.get("disbursementStatus"):
        # Before money moves there is no amount (section 11.3).
        disbursement = {"amount": amount, **disbursement}
    content = without_nulls(
        {
            "id": payment.id,
            "billIds": [part["billId"] for part in row["billPayments"]],
            "transactionNumber": row.get("transactionNumber"),
            "status": row["singleStatus"],
            "createdBy": row["createdBy"],
            "createdTime": shown["createdTime"],
            "updatedTime": shown["updatedTime"],
            "processDate": row["processDate"],
            "funding": {
                "amount": _money(row.get("fundingAmount", row["amount"])),
                "currency": "USD",
                "fundingAccount": {**row.get("fundingAccount", {}), "name": "Operating", "accountNumber": "****1111"},
            },
            "disbursement": disbursement,
            "vendor": {"id": row["vendorId"], "name": row.get("vendorName")},
            "billingType": "BDC" if row["onlinePayment"] else "NET_SYNC_FROM_OFFLINE_PAYMENT",
        }
    )
    yield "payment.updated", {"payment": content}
    if failed:
        bills = [{"id": part["billId"], "amount": _money(part["amount"])} for part in row["billPayments"]]
        reason = {"code": "BDC_1143", "message": row["singleStatus"], "timestamp": shown["updatedTime"]}
        others = {name: value for name, value in content.items() if name != "billIds"}
        yield "payment.failed", {"payment": {**others, "bills": bills}, "errors": [reason]}


def _money(value: Any) -> Any:
    """Amounts with the two decimals that notifications spell (section 11.4)."""
    if isinstance(value, Decimal):
        return value if value != round(value, 2) else value.quantize(_CENT)
    if isinstance(value, Mapping):
        return {name: _money(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_money(item) for item in value]
    return value
