"""Business documents as rows of the simulated Fusion."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from mlconnector.documents import (
    Account,
    Address,
    Invoice,
    InvoiceLine,
    JournalLine,
    OrderLine,
    Payment,
    PurchaseOrder,
    Shipment,
    Supplier,
)
from mlconnector.errors import InvalidArgument

__all__ = ["Held", "row_of"]

Held = Callable[[str, str, Any], Mapping[str, Any] | None]
"""``held(resource, attribute, value)``: the first row the simulator has with that value."""

_INVOICE_TYPES = {"voucher": "Standard", "credit": "Credit memo", "debit": "Debit memo"}
_LINE_TYPES = {"item": "Item", "amount": "Item", "charge": "Freight", "tax": "Tax", "text": "Miscellaneous"}
_ORDER_STATUSES = {"open": "Open", "cancelled": "Canceled", "closed": "Closed"}


def row_of(document: Any, held: Held) -> tuple[str, dict[str, Any]]:
    """The resource and the row, with its children, that say what a document says.

    A number of digits becomes the identifier; another text gets one of its own, always the same. A payment finds its
    invoices by identifier or number among those already added; a journal line numbered ``batch/journal/line`` joins
    the batch that is there.

    Raises:
        InvalidArgument: A kind of document that Fusion does not hold, or one without what its key needs.
    """
    match document:
        case Invoice():
            return "invoices", _invoice(document)
        case Payment():
            return "payablesPayments", _payment(document, held)
        case Supplier():
            return "suppliers", _supplier(document)
        case PurchaseOrder():
            return "purchaseOrders", _order(document)
        case Shipment():
            return "shipments", _shipment(document)
        case JournalLine():
            return "journalBatches", _journal_line(document, held)
        case Account():
            return "accountCombinationsLOV", _account(document)
    raise InvalidArgument(f"The simulator cannot hold a {type(document).__name__}; pass rows with resource=.")


def _identifier(text: str, what: str) -> int:
    if not text:
        raise InvalidArgument(f"A {what} needs a number.")
    return int(text) if text.isdecimal() else 300_100_000_000_000 + zlib.crc32(text.encode())


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _invoice(invoice: Invoice) -> dict[str, Any]:
    gross = invoice.gross or Decimal(0)
    opened = gross if invoice.open is None else invoice.open
    paid_status = "Paid" if not opened else "Unpaid" if opened == gross else "Partially paid"
    supplier = invoice.supplier
    installments = [
        {
            "InstallmentNumber": position,
            "DueDate": item.due_date,
            "GrossAmount": item.gross,
            "UnpaidAmount": item.gross if item.open is None else item.open,
            "PaymentPriority": 99,
            "HoldFlag": item.pay_status == "H",
            "FirstDiscountAmount": item.discount,
        }
        for position, item in enumerate(invoice.pay_items, start=1)
    ]
    whole = {
        "InstallmentNumber": 1,
        "DueDate": invoice.due_date,
        "GrossAmount": invoice.gross,
        "UnpaidAmount": opened,
        "PaymentPriority": 99,
        "HoldFlag": False,
    }
    return {
        "InvoiceId": _identifier(invoice.number, "invoice"),
        "InvoiceNumber": invoice.supplier_invoice_number or invoice.number,
        "InvoiceDate": invoice.date,
        "AccountingDate": invoice.gl_date or invoice.date,
        "InvoiceAmount": invoice.gross,
        "InvoiceCurrency": invoice.currency,
        "PaymentCurrency": invoice.currency,
        "AmountPaid": gross - opened,
        "BaseAmount": invoice.base_gross,
        "BusinessUnit": invoice.company or None,
        "Supplier": supplier.name if supplier else None,
        "SupplierNumber": supplier.number if supplier else None,
        "InvoiceType": invoice.type or _INVOICE_TYPES[invoice.kind],
        "InvoiceSource": invoice.origin or "Manual Invoice Entry",
        "PaymentTerms": invoice.terms or None,
        "PurchaseOrderNumber": invoice.purchase_order or None,
        "ValidationStatus": "Canceled" if invoice.void else "Validated" if invoice.ready else "Needs revalidation",
        "ApprovalStatus": "Workflow approved",
        "PaidStatus": paid_status,
        "AccountingStatus": "Accounted" if invoice.posted else "Unaccounted",
        "CanceledFlag": invoice.void,
        "CanceledDate": invoice.date if invoice.void else None,
        "ConversionRate": invoice.rate,
        "invoiceLines": [_invoice_line(line, position) for position, line in enumerate(invoice.lines, start=1)],
        "invoiceInstallments": installments or [whole],
    }


def _invoice_line(line: InvoiceLine, position: int) -> dict[str, Any]:
    return {
        "LineNumber": _whole(line.number) or position,
        "LineType": _LINE_TYPES[line.kind],
        "LineAmount": line.amount,
        "Quantity": line.quantity,
        "UnitPrice": line.unit_price,
        "UOM": line.unit or None,
        "Description": line.description or None,
        "Item": line.item_ids.get("buyer"),
        "PurchaseOrderNumber": line.purchase_order or None,
        "PurchaseOrderLineNumber": _whole(line.order_line),
        "DistributionCombination": line.account or None,
        "DiscardedFlag": False,
        "CanceledFlag": False,
    }


def _payment(payment: Payment, held: Held) -> dict[str, Any]:
    check = _identifier(payment.number, "payment")
    related = []
    for position, paid in enumerate((*payment.applications, *payment.credits), start=1):
        invoice = held("invoices", "InvoiceId", _whole(paid.invoice)) or held("invoices", "InvoiceNumber", paid.invoice)
        currency = invoice["InvoiceCurrency"] if invoice else payment.currency
        related.append(
            {
                "InvoicePaymentId": check * 1000 + position,
                "CheckId": check,
                "InvoiceId": invoice["InvoiceId"] if invoice else _identifier(paid.invoice, "paid invoice"),
                "InvoiceNumber": invoice["InvoiceNumber"] if invoice else paid.invoice,
                "InvoiceBusinessUnit": invoice["BusinessUnit"] if invoice else None,
                "InvoiceAmount": invoice["InvoiceAmount"] if invoice else None,
                "InvoiceCurrency": currency,
                "InstallmentNumber": 1,
                "AmountPaidPaymentCurrency": paid.amount,
                "AmountPaidInvoiceCurrency": paid.amount if currency == payment.currency else None,
                "InvoicePaymentAmount": paid.amount,
                "DiscountTaken": paid.discount,
            }
        )
    payee = payment.payee
    return {
        "CheckId": check,
        "PaymentNumber": _whole(payment.bank_reference) or check % 1_000_000,
        "PaymentAmount": payment.amount,
        "PaymentCurrency": payment.currency,
        "PaymentDate": payment.date,
        "AccountingDate": payment.date,
        "VoidDate": payment.date if payment.void else None,
        "PaymentStatus": "Voided" if payment.void else payment.status or "Negotiable",
        "Payee": payee.name if payee else None,
        "SupplierNumber": payee.number if payee else None,
        "PaymentMethod": payment.method or None,
        "PaymentMethodCode": payment.method.upper() or None,
        "WithheldAmount": sum((paid.withheld for paid in payment.applications if paid.withheld), Decimal(0)) or None,
        "relatedInvoices": related,
    }


def _supplier(supplier: Supplier) -> dict[str, Any]:
    key = _identifier(supplier.number, "supplier")
    addresses = [
        {
            "SupplierAddressId": key * 100 + position,
            "AddressName": f"ADDRESS {position}",
            "Status": "ACTIVE",
            **_street(address),
        }
        for position, address in enumerate(supplier.addresses, start=1)
    ]
    if addresses and supplier.contacts:
        addresses[0] |= {"Email": supplier.contacts[0].email or None, "PhoneNumber": supplier.contacts[0].phone or None}
    return {
        "SupplierId": key,
        "Supplier": supplier.name,
        "SupplierNumber": supplier.number,
        "TaxpayerId": supplier.tax_id or None,
        "Status": "ACTIVE" if supplier.active else "INACTIVE",
        "BusinessRelationshipCode": "SPEND_AUTHORIZED",
        "OneTimeSupplierFlag": False,
        "addresses": addresses,
    }


def _street(address: Address) -> dict[str, Any]:
    lines = {f"AddressLine{position}": line for position, line in enumerate(address.lines[:4], start=1)}
    return lines | {
        "City": address.city,
        "State": address.state or None,
        "PostalCode": address.postal_code,
        "CountryCode": address.country,
        "Country": address.country,
    }


def _journal_line(line: JournalLine, held: Held) -> dict[str, Any]:
    batch_text, *middle, position = line.number.split("/") if "/" in line.number else (line.number, "1")
    key = _identifier(batch_text, "journal batch")
    name = "/".join(middle) or line.reference or batch_text
    row = dict(held("journalBatches", "JeBatchId", key) or {})
    # Read again as a new row: it gets a stamp of its own.
    row.pop("LastUpdateDate", None)
    row |= {"JeBatchId": key, "BatchName": batch_text, "Status": "P", "UserJeSourceName": "Payables"}
    headers = list(row.get("journalHeaders", ()))
    header = next((each for each in headers if each["JournalName"] == name), None)
    if header is None:
        header = {
            "JournalName": name,
            "LedgerName": line.ledger or None,
            "LegalEntityName": line.company or None,
            "CurrencyCode": line.currency,
            "LedgerCurrencyCode": line.currency,
            "DefaultEffectiveDate": line.date,
            "ExternalReference": line.reference or None,
            "journalLines": [],
        }
        headers.append(header)
    number = _identifier(position, "journal line")
    header["journalLines"] = [
        *(each for each in header["journalLines"] if each["JeLineNumber"] != number),
        {
            "JeLineNumber": number,
            "AccountCombination": line.account or None,
            "EnteredDr": line.debit,
            "EnteredCr": line.credit,
            "AccountedDr": line.debit,
            "AccountedCr": line.credit,
            "CurrencyCode": line.currency,
            "Description": line.description or None,
        },
    ]
    row["journalHeaders"] = headers
    return row


def _order(order: PurchaseOrder) -> dict[str, Any]:
    key = _identifier(order.number, "purchase order")
    return {
        "POHeaderId": key,
        "OrderNumber": order.number,
        "Revision": _whole(order.revision) or 0,
        "ProcurementBU": order.company or None,
        "OrderDate": order.date,
        "Supplier": order.supplier.name if order.supplier else None,
        "SupplierId": _whole(order.supplier.number) if order.supplier else None,
        "Buyer": order.buyer or None,
        "CurrencyCode": order.currency,
        "Ordered": order.total,
        "Total": order.total,
        "Status": _ORDER_STATUSES[order.status],
        "StatusCode": _ORDER_STATUSES[order.status].upper(),
        "FrozenFlag": bool(order.hold),
        "lines": [_order_line(order, line, key, position) for position, line in enumerate(order.lines, start=1)],
    }


def _order_line(order: PurchaseOrder, line: OrderLine, header: int, position: int) -> dict[str, Any]:
    key = header * 1000 + position
    ship_to = line.ship_to or order.ship_to
    status = _ORDER_STATUSES[line.status]
    schedules = [(each.date, each.quantity) for each in line.schedules] or [(line.requested_date, line.quantity)]
    return {
        "POLineId": key,
        "POHeaderId": header,
        "LineNumber": _decimal(line.number) or position,
        "LineType": "Goods" if line.kind == "item" else "Fixed Price Services",
        "Item": line.item_ids.get("buyer"),
        "SupplierItem": line.item_ids.get("vendor"),
        "Description": line.description or None,
        "Quantity": line.quantity,
        "Price": line.unit_price,
        "Ordered": line.amount,
        "Total": line.amount,
        "CurrencyCode": order.currency,
        "UOMCode": line.unit or None,
        "Status": status,
        "StatusCode": status.upper(),
        "schedules": [
            {
                "LineLocationId": key * 10 + number,
                "ScheduleNumber": number,
                "Quantity": quantity,
                "RequestedDeliveryDate": date,
                "PromisedDeliveryDate": line.promised_date,
                "ShipToLocation": ship_to.name or ship_to.number if ship_to else None,
                "distributions": [
                    {
                        "PODistributionId": key * 100 + number,
                        "DistributionNumber": 1,
                        "Quantity": quantity,
                        "ChargeAccount": line.account or None,
                    }
                ],
            }
            for number, (date, quantity) in enumerate(schedules, start=1)
        ],
    }


def _shipment(shipment: Shipment) -> dict[str, Any]:
    orders = shipment.orders
    return {
        "Shipment": shipment.number,
        "ShipmentStatus": "Closed",
        "InitialPickupDate": dt.datetime.combine(shipment.date, dt.time(), dt.UTC) if shipment.date else None,
        "Carrier": shipment.carrier or None,
        "GrossWeight": sum((pack.weight for pack in shipment.packs if pack.weight is not None), Decimal(0)) or None,
        "WeightUOM": next((pack.weight_unit for pack in shipment.packs if pack.weight_unit), None),
        "unpackedShipmentLines": [
            {
                "ShipmentLine": _whole(item.number) or position,
                "Item": item.item_ids.get("buyer"),
                "ItemDescription": item.description or None,
                "ShippedQuantity": item.quantity,
                "ShippedQuantityUOM": item.unit or None,
                "Order": item.order_number or (orders[0] if orders else None),
                "OrderLine": item.order_line or None,
            }
            for position, item in enumerate(shipment.items, start=1)
        ],
    }


def _account(account: Account) -> dict[str, Any]:
    parts = (account.company, account.cost_center, account.object, account.subsidiary)
    return {
        "_CODE_COMBINATION_ID": _identifier(account.number, "account"),
        "AccountCombination": "-".join(part for part in parts if part),
        "Description": account.description or None,
        "EnabledFlag": "Y" if account.active else "N",
        "DetailPostingAllowedFlag": "Y" if account.postable else "N",
    }
