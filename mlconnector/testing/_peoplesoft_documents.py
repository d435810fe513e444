"""Business documents as rows of the simulated PeopleSoft."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from mlconnector.documents import (
    Account,
    Application,
    CostCenter,
    Document,
    Invoice,
    InvoiceLine,
    OrderLine,
    Party,
    Payment,
    PurchaseOrder,
    Schedule,
    Supplier,
)
from mlconnector.errors import InvalidArgument
from mlconnector.testing._peoplesoft_store import RecordStore, Row

__all__ = ["BUSINESS_UNIT", "SETID", "Stores", "rows_of"]

BUSINESS_UNIT = "US001"
SETID = "SHARE"

Stores = Mapping[str, RecordStore]
"""What the simulator holds: payments look for their vouchers in it, orders for their suppliers."""

Rows = list[tuple[str, Row]]

_FIRST_DAY = dt.date(1900, 1, 1)
_ORDER_STATUSES = {"open": "D", "cancelled": "X", "closed": "C"}
_LINE_STATUSES = {"open": "A", "cancelled": "X", "closed": "C"}
_STYLES = {"voucher": "REG", "credit": "ADJ", "debit": "ADJ"}
_METHODS = {"check": "CHK", "ach": "ACH", "wire": "WIR", "eft": "EFT"}
_CHARGES = {"tax": "SALETX_AMT", "charge": "FREIGHT_AMT"}
_CENT, _PRICE = Decimal("0.01"), Decimal("0.00001")


def rows_of(document: Any, stores: Stores, today: dt.date) -> Rows:
    """The rows of a document, the level 0 row first.

    An open order is dispatched and an invoice postable, approved and matched; ``extras`` override fields of the level
    0 row. ``provenance.updated_at``, where given, becomes the row's stamp. A document without company or SETID goes
    to the first of the simulator. A supplier who is not there yet comes with the first document that names him.

    Raises:
        InvalidArgument: A kind of document that PeopleSoft does not hold, or one that says what no field can say.
    """
    for kind, make in _MAKERS.items():
        if isinstance(document, kind):
            rows: Rows = make(document, stores)
            break
    else:
        raise InvalidArgument(f"The simulator cannot hold a {type(document).__name__}; pass rows with record=.")
    assert isinstance(document, Document)
    name, row = rows[0]
    record = stores[name].record
    row |= {key: value for key, value in document.extras.items() if key in record.fields}
    updated = document.provenance.updated_at if document.provenance is not None else None
    if record.stamp is not None and updated is not None:
        row[record.stamp] = updated if record.fields[record.stamp].kind == "T" else updated.date()
    if name == "VOUCHER":
        row.setdefault("ENTERED_DT", today)
    return [(each, {key: value for key, value in values.items() if value is not None}) for each, values in rows]


def _supplier_once(party: Party | None, stores: Stores) -> Rows:
    if party is None or not party.number or not party.name:
        return []
    if stores["VENDOR"].where({"SETID": SETID, "VENDOR_ID": party.number}):
        return []
    addresses = () if party.address is None else (party.address,)
    return _supplier(Supplier(number=party.number, name=party.name, addresses=addresses), stores)


def _order(order: PurchaseOrder, stores: Stores) -> Rows:
    unit = order.company or BUSINESS_UNIT
    key = {"BUSINESS_UNIT": unit, "PO_ID": order.number}
    header: Row = key | {
        "CHNG_ORD_BATCH": int(order.revision) if order.revision.isdecimal() else 0,
        "PO_TYPE": order.type or "GEN",
        "PO_STATUS": _ORDER_STATUSES[order.status],
        "HOLD_STATUS": "Y" if order.hold else "N",
        "DISP_METHOD": "PRN",
        "PO_DT": order.date,
        "VENDOR_SETID": SETID,
        "VENDOR_ID": order.supplier.number if order.supplier else "",
        "PYMNT_TERMS_CD": order.terms,
        "BUYER_ID": order.buyer,
        "BILL_LOCATION": order.bill_to.number if order.bill_to else "",
        "CURRENCY_CD": order.currency or "",
        "ENTERED_DT": order.date,
    }
    rows: Rows = [("PO_HDR", header)]
    for position, line in enumerate(order.lines, start=1):
        rows += _order_line(order, line, key | {"LINE_NBR": _number(line.number, position)})
    return rows + _supplier_once(order.supplier, stores)


def _order_line(order: PurchaseOrder, line: OrderLine, key: Row) -> Rows:
    if line.kind == "text":
        raise InvalidArgument("PeopleSoft keeps comments outside the order's lines; leave text lines out.")
    price = _price(line.unit_price, line.price_per)
    ship_to = line.ship_to or order.ship_to
    rows: Rows = [
        (
            "PO_LINE",
            key
            | {
                "CANCEL_STATUS": _LINE_STATUSES[line.status],
                "ITM_SETID": SETID,
                "INV_ITEM_ID": line.item_ids.get("buyer", ""),
                "ITM_ID_VNDR": line.item_ids.get("vendor", ""),
                "UNIT_OF_MEASURE": line.unit,
                "DESCR254_MIXED": line.description,
                "AMT_ONLY_FLG": "N" if line.kind == "item" else "Y",
            },
        )
    ]
    schedules: Sequence[Schedule] = line.schedules or (Schedule(date=line.requested_date, quantity=line.quantity),)
    for number, schedule in enumerate(schedules, start=1):
        quantity = schedule.quantity if schedule.quantity is not None else Decimal(1)
        whole = len(schedules) == 1 and line.amount is not None
        amount = line.amount if whole else (quantity * (price or 0)).quantize(_CENT, ROUND_HALF_UP)
        own = key | {"SCHED_NBR": number}
        shared = {"QTY_PO": quantity, "MERCHANDISE_AMT": amount, "CURRENCY_CD": order.currency or ""}
        delivery = {
            "CANCEL_STATUS": _LINE_STATUSES[line.status],
            "PRICE_PO": price,
            "DUE_DT": schedule.date,
            "ORIG_PROM_DT": line.promised_date,
            "SHIPTO_SETID": SETID,
            "SHIPTO_ID": ship_to.number if ship_to else "",
        }
        charged = {"ACCOUNT": line.account, "DEPTID": line.cost_center, "BUSINESS_UNIT_GL": key["BUSINESS_UNIT"]}
        rows += [("PO_LINE_SHIP", own | shared | delivery), ("PO_LINE_DISTRIB", own | shared | charged)]
    return rows


def _price(price: Decimal | None, per: Decimal | None) -> Decimal | None:
    """Per unit: PeopleSoft has no price per hundred."""
    return None if price is None else (price / (per or 1)).quantize(_PRICE, ROUND_HALF_UP)


def _number(text: str, position: int) -> int:
    return int(text) if text.isdecimal() else position


def _invoice(invoice: Invoice, stores: Stores) -> Rows:
    key = {"BUSINESS_UNIT": invoice.company or BUSINESS_UNIT, "VOUCHER_ID": invoice.number}
    items = [line for line in invoice.lines if line.kind not in _CHARGES]
    charges: Row = {
        name: sum((line.amount for line in invoice.lines if line.kind == kind and line.amount), Decimal(0))
        for kind, name in _CHARGES.items()
    }
    if invoice.tax is not None:
        charges["SALETX_AMT"] = invoice.tax
    matched = invoice.purchase_order or any(line.purchase_order for line in items)
    header: Row = (
        key
        | charges
        | {
            "VOUCHER_STYLE": invoice.type or _STYLES[invoice.kind],
            "INVOICE_ID": invoice.supplier_invoice_number or invoice.number,
            "INVOICE_DT": invoice.date,
            "VENDOR_SETID": SETID,
            "VENDOR_ID": invoice.supplier.number if invoice.supplier else "",
            "ENTRY_STATUS": "X" if invoice.void else "P",
            "ACCOUNTING_DT": invoice.gl_date or invoice.date,
            "GROSS_AMT": invoice.gross,
            "DSCNT_AMT": invoice.discount,
            "DUE_DT": invoice.due_date,
            "PYMNT_TERMS_CD": invoice.terms,
            "TXN_CURRENCY_CD": invoice.currency or "",
            "BASE_CURRENCY": invoice.base_currency or invoice.currency or "",
            "POST_STATUS_AP": "P" if invoice.posted else "U",
            "MATCH_STATUS_VCHR": "M" if matched else "N",
            "APPR_STATUS": "A",
        }
    )
    rows: Rows = [("VOUCHER", header)]
    for position, line in enumerate(items, start=1):
        rows += _invoice_line(invoice, line, key | {"VOUCHER_LINE_NUM": _number(line.number, position)})
    for count, item in enumerate(invoice.pay_items, start=1):
        payment = {"PYMNT_CNT": count, "PYMNT_GROSS_AMT": item.gross, "DUE_DT": item.due_date}
        hold = {"PYMNT_HOLD": "Y" if item.pay_status == "H" else "N", "REMIT_VENDOR": header["VENDOR_ID"]}
        rows.append(("PYMNT_VCHR_XREF", key | payment | hold))
    return rows + _supplier_once(invoice.supplier, stores)


def _invoice_line(invoice: Invoice, line: InvoiceLine, key: Row) -> Rows:
    order = line.purchase_order or invoice.purchase_order
    voucher_line = key | {
        "BUSINESS_UNIT_PO": key["BUSINESS_UNIT"] if order else "",
        "PO_ID": order,
        "LINE_NBR": _number(line.order_line, 0),
        "SCHED_NBR": 1 if order else 0,
        "DESCR": line.description[:30],
        "DESCR254_MIXED": line.description,
        "MERCHANDISE_AMT": line.amount,
        "ITM_SETID": SETID,
        "INV_ITEM_ID": line.item_ids.get("buyer", ""),
        "QTY_VCHR": line.quantity,
        "UNIT_OF_MEASURE": line.unit,
        "UNIT_PRICE": _price(line.unit_price, line.price_per),
    }
    distribution = key | {
        "BUSINESS_UNIT_GL": key["BUSINESS_UNIT"],
        "ACCOUNT": line.account,
        "DEPTID": line.cost_center,
        "MERCHANDISE_AMT": line.amount,
        "MONETARY_AMOUNT": line.amount,
    }
    return [("VOUCHER_LINE", voucher_line), ("DISTRIB_LINE", distribution)]


def _payment(payment: Payment, stores: Stores) -> Rows:
    bank = {name: stores["PAYMENT_TBL"].record.defaults[name] for name in ("BANK_SETID", "BANK_CD", "BANK_ACCT_KEY")}
    key = bank | {"PYMNT_ID": payment.number}
    payee = payment.payee
    method = _METHODS.get(payment.method.lower(), payment.method.upper()[:3])
    head = {
        "PYMNT_ID_REF": payment.bank_reference or payment.number,
        "PYMNT_AMT": payment.amount,
        "PYMNT_DT": payment.date,
        "PYMNT_METHOD": method,
        "REMIT_SETID": SETID,
        "REMIT_VENDOR": payee.number if payee else "",
        "NAME1": payee.name if payee else "",
        "PYMNT_STATUS": "V" if payment.void else payment.status or "P",
    }
    rows: Rows = [("PAYMENT_TBL", key | head)]
    for paid in (*payment.applications, *payment.credits):
        rows.append(("PYMNT_VCHR_XREF", _paid(payment, paid, stores) | key))
    return rows + _supplier_once(payee, stores)


def _paid(payment: Payment, paid: Application, stores: Stores) -> Row:
    vouchers = stores["VOUCHER"]
    found = vouchers.where({"VOUCHER_ID": paid.invoice}) or vouchers.where({"INVOICE_ID": paid.invoice})
    if not found and len(paid.invoice) > 8:
        raise InvalidArgument(f"Payment {payment.number} pays the invoice {paid.invoice!r}, which was not added yet.")
    names = ("BUSINESS_UNIT", "VOUCHER_ID")
    voucher = (
        {name: found[0][name] for name in names}
        if found
        else {"BUSINESS_UNIT": BUSINESS_UNIT, "VOUCHER_ID": paid.invoice}
    )
    scheduled = stores["PYMNT_VCHR_XREF"].where(voucher)
    waiting = next((row for row in scheduled if row["PYMNT_ID"] in ("", payment.number)), None)
    amount, discount = paid.amount or Decimal(0), paid.discount or Decimal(0)
    return (waiting or voucher | {"PYMNT_CNT": len(scheduled) + 1}) | {
        "PYMNT_ID": payment.number,
        "PAID_AMT": amount,
        "PYMNT_GROSS_AMT": amount + discount,
        "DSCNT_PAY_AMT": discount,
        "PAID_AMT_GROSS": amount + discount,
        "REMIT_VENDOR": payment.payee.number if payment.payee else "",
        "PYMNT_SELCT_STATUS": "X" if payment.void else "P",
    }


def _supplier(supplier: Supplier, _: Stores) -> Rows:
    key = {"SETID": SETID, "VENDOR_ID": supplier.number}
    vendor = key | {
        "VENDOR_NAME_SHORT": supplier.name[:14].upper(),
        "NAME1": supplier.name,
        "VENDOR_STATUS": "A" if supplier.active else "I",
        "PRIM_ADDR_SEQ_NUM": 1,
        "REMIT_ADDR_SEQ_NUM": 1,
        "ADDR_SEQ_NUM_ORDR": 1,
        "REMIT_SETID": SETID,
        "REMIT_VENDOR": supplier.number,
        "DEFAULT_LOC": "MAIN",
    }
    terms = {"VNDR_LOC": "MAIN", "CURRENCY_CD": supplier.currency or "", "PYMNT_TERMS_CD": supplier.terms}
    rows: Rows = [("VENDOR", vendor), ("VENDOR_LOC", key | terms | {"EFFDT": _FIRST_DAY})]
    for number, address in enumerate(supplier.addresses, start=1):
        street = {f"ADDRESS{position}": line for position, line in enumerate(address.lines[:4], start=1)}
        place = {
            "NAME1": supplier.name,
            "CITY": address.city,
            "STATE": address.state,
            "POSTAL": address.postal_code,
            "COUNTRY": address.country,
            "EMAILID": supplier.contacts[0].email if supplier.contacts and number == 1 else "",
        }
        rows.append(("VENDOR_ADDR", key | {"ADDRESS_SEQ_NUM": number, "EFFDT": _FIRST_DAY} | street | place))
    return rows


def _account(account: Account, _: Stores) -> Rows:
    row = {
        "SETID": account.company or SETID,
        "ACCOUNT": account.number,
        "EFFDT": _FIRST_DAY,
        "EFF_STATUS": "A" if account.active else "I",
        "DESCR": account.description,
        "DESCRSHORT": account.description[:10],
    }
    return [("GL_ACCOUNT_TBL", row)]


def _cost_center(center: CostCenter, _: Stores) -> Rows:
    row = {
        "SETID": center.company or SETID,
        "DEPTID": center.number,
        "EFFDT": _FIRST_DAY,
        "EFF_STATUS": "A" if center.active else "I",
        "DESCR": center.name,
        "DESCRSHORT": center.name[:10],
    }
    return [("DEPT_TBL", row)]


_MAKERS: Mapping[type, Callable[[Any, Stores], Rows]] = {
    PurchaseOrder: _order,
    Invoice: _invoice,
    Payment: _payment,
    Supplier: _supplier,
    Account: _account,
    CostCenter: _cost_center,
}
