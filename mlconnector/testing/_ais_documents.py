"""Business documents as the JD Edwards rows that hold them (AIS reference, section 7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from mlconnector.documents import (
    Account,
    Address,
    CostCenter,
    Document,
    Invoice,
    JournalLine,
    OrderLine,
    Party,
    Payment,
    PurchaseOrder,
    Supplier,
)
from mlconnector.errors import InvalidArgument
from mlconnector.testing._ais_tables import TABLES

__all__ = ["rows_of"]

Tables = dict[str, list[dict[str, Any]]]

_LINE_TYPES = {"item": "S", "amount": "J", "charge": "F", "text": "T"}
_STATUSES = {"open": ("400", "280"), "cancelled": ("999", "980"), "closed": ("999", "400")}
_PRICE_UNITS = {Decimal(1000): "TH", Decimal(100): "HU"}
_BASE_CURRENCY = "USD"


def rows_of(document: Any, zone: dt.tzinfo, *, payment_sign: int = 1) -> Tables:
    """The rows of a document, table by table.

    A party named in it gets an address book row where it has a number and a name. ``extras`` override columns of the
    document's first table. ``provenance.updated_at``, where given, becomes every row's stamp in the site's ``zone``.
    ``payment_sign`` is the sign that the site gives to amounts paid.

    Raises:
        InvalidArgument: A kind of document that JD Edwards does not hold, or one without what its key needs.
    """
    for kind, make in _MAKERS.items():
        if isinstance(document, kind):
            tables: Tables = make(document)
            break
    else:
        raise InvalidArgument(f"The simulator cannot hold a {type(document).__name__}; pass rows with table=.")
    for row in (*tables.get("F0413", ()), *tables.get("F0414", ())):
        row |= {alias: payment_sign * row[alias] for alias in ("PAAP", "PFAP") if alias in row}
    if isinstance(document, Document):
        first = next(iter(tables))
        for row in tables[first]:
            row |= {alias: value for alias, value in document.extras.items() if alias in TABLES[first].columns}
        if document.provenance is not None and document.provenance.updated_at is not None:
            _stamp(tables, document.provenance.updated_at.astimezone(zone))
    return tables


def _stamp(tables: Tables, local: dt.datetime) -> None:
    for name, rows in tables.items():
        day, time = TABLES[name].stamp
        for row in rows:
            row |= {day: local.date(), time: local.time()}


def _number(text: str, what: str) -> int:
    if not text.isdigit():
        raise InvalidArgument(f"JD Edwards numbers a {what} with digits, not {text!r}.")
    return int(text)


def _party_number(party: Party | Supplier | None) -> int:
    return _number(party.number, "party") if party is not None and party.number else 0


def _order(order: PurchaseOrder) -> Tables:
    key = {"DOCO": _number(order.number, "purchase order"), "DCTO": order.type or "OP", "KCOO": order.company}
    foreign = _is_foreign(order.currency)
    header = {
        **key,
        "AN8": _party_number(order.supplier),
        "SHAN": _party_number(order.ship_to),
        "TRDJ": order.date,
        "PTC": order.terms,
        "FRTH": order.freight,
        "HOLD": order.hold,
        "CORD": int(order.revision) if order.revision.isdigit() else 0,
        "ANBY": int(order.buyer) if order.buyer.isdigit() else 0,
        "FAP" if foreign else "OTOT": order.total or 0,
        "CRRM": "F" if foreign else "D",
        "CRCD": order.currency or "",
        "BCRC": _BASE_CURRENCY,
    }
    related: dict[str, Any] = {}
    if order.original_order:
        related |= {"OCTO": "OB", "OORN": order.original_order, "OKCO": order.company}
    if order.drop_ship:
        related |= {"RCTO": "SD", "RORN": order.number, "RKCO": order.company}
    tables: Tables = {
        "F4301": [header | related],
        "F4311": [_order_line(order, line, key) | related for line in order.lines],
    }
    if order.drop_ship and order.ship_to is not None:
        tables["F4006"] = [{**key, "ANTY": "2", "MLNM": order.ship_to.name, **_street(order.ship_to.address)}]
    for party in (order.supplier, None if order.drop_ship else order.ship_to):
        _add_party(tables, party)
    return tables


def _is_foreign(currency: str | None) -> bool:
    """Whether amounts stand in the foreign columns: the currency is not the simulated company's."""
    return currency not in {None, _BASE_CURRENCY}


def _order_line(order: PurchaseOrder, line: OrderLine, key: Mapping[str, Any]) -> dict[str, Any]:
    foreign = _is_foreign(order.currency)
    next_status, last_status = _STATUSES[line.status]
    received = line.received_quantity or 0
    quantity = line.quantity or 0
    return {
        **key,
        "LNID": Decimal(line.number),
        "LNTY": _LINE_TYPES[line.kind],
        "NXTR": next_status,
        "LTTR": last_status,
        "CO": order.company,
        "AN8": _party_number(order.supplier),
        "SHAN": _party_number(line.ship_to or order.ship_to),
        "LITM": line.item_ids.get("buyer", ""),
        "AITM": line.item_ids.get("vendor", ""),
        "ITM": int(line.item_ids.get("short", "0")),
        "DSC1": line.description[:30],
        "DSC2": line.description[30:60],
        "UOM": line.unit,
        "UORG": quantity,
        "UREC": received,
        "UOPN": quantity - received if line.open_quantity is None else line.open_quantity,
        "UOM3": _PRICE_UNITS.get(line.price_per or Decimal(1), line.price_unit or line.unit),
        "FRRC" if foreign else "PRRC": line.unit_price or 0,
        "FEA" if foreign else "AEXP": line.amount or 0,
        "CRCD": order.currency or "",
        "DRQJ": line.requested_date,
        "PDDJ": line.promised_date,
        "TRDJ": order.date,
        "OMCU": line.cost_center,
        "ANI": line.account,
    }


def _invoice(invoice: Invoice) -> Tables:
    foreign = _is_foreign(invoice.currency)
    key = {
        "DOC": _number(invoice.number, "voucher"),
        "DCT": invoice.type or ("PV" if invoice.kind == "voucher" else "PD"),
        "KCO": invoice.company,
    }
    gross, opened, tax = ("ACR", "FAP", "CTAM") if foreign else ("AG", "AAP", "STAM")
    common: dict[str, Any] = {
        **key,
        "AN8": _party_number(invoice.supplier),
        "PYE": _party_number(invoice.payee or invoice.supplier),
        "DIVJ": invoice.date,
        "DGJ": invoice.gl_date or invoice.date,
        "CO": invoice.company,
        "CRRM": "F" if foreign else "D",
        "CRCD": invoice.currency or "",
        "BCRC": invoice.base_currency or _BASE_CURRENCY,
        "CRR": invoice.rate or 0,
        "POST": "D" if invoice.posted else "",
        "VOD": "V" if invoice.void else "",
        "VINV": invoice.supplier_invoice_number,
        "PTC": invoice.terms,
        "RMK": invoice.origin,
        "PO": invoice.purchase_order,
    }
    whole = {
        "SFX": "001",
        "DDJ": invoice.due_date,
        "PST": invoice.pay_status or "A",
        gross: invoice.gross or 0,
        opened: invoice.open if invoice.open is not None else invoice.gross or 0,
        tax: invoice.tax or 0,
        "ADSC": invoice.discount or 0,
    }
    if foreign:
        whole["AG"] = invoice.base_gross or 0
    items = [
        {
            "SFX": item.number or f"{position:03}",
            "SFXE": int(item.extension or 0),
            "DDJ": item.due_date,
            "PST": item.pay_status or invoice.pay_status or "A",
            gross: item.gross or 0,
            opened: item.open if item.open is not None else item.gross or 0,
            "ADSC": item.discount or 0,
        }
        for position, item in enumerate(invoice.pay_items, start=1)
    ]
    ledger = "CA" if foreign else "AA"
    posted = "P" if invoice.posted else ""
    distribution = [
        {
            **key,
            "DGJ": common["DGJ"],
            "JELN": position,
            "LT": ledger,
            "CO": invoice.company,
            "ANI": line.account,
            "MCU": line.cost_center,
            "AA": line.amount or 0,
            "CRCD": invoice.currency or "",
            "POST": posted,
            "EXA": line.description[:30],
            "AN8": common["AN8"],
        }
        for position, line in enumerate(invoice.lines, start=1)
    ]
    tables: Tables = {"F0411": [common | item for item in items or [whole]], "F0911": distribution}
    _add_party(tables, invoice.supplier)
    return tables


def _payment(payment: Payment) -> Tables:
    number = _number(payment.number, "payment")
    voided = payment.date if payment.void else None
    header = {
        "PYID": number,
        "DCTM": "PN",
        "DOCM": int(payment.bank_reference) if payment.bank_reference.isdigit() else number,
        "PYE": _party_number(payment.payee),
        "DMTJ": payment.date,
        "VDGJ": voided,
        "PAAP": 0 if payment.void else payment.amount or 0,
        "CRCD": payment.currency or "",
        "PYIN": payment.method[:1].upper(),
    }
    details = []
    for position, paid in enumerate((*payment.applications, *payment.credits), start=1):
        parts = paid.invoice.split("/")
        if len(parts) != 3:
            raise InvalidArgument(f"A payment pays a voucher written company/type/number, not {paid.invoice!r}.")
        company, kind, voucher = parts
        details.append(
            {
                "PYID": number,
                "RC5": position,
                "KCO": company,
                "DCT": kind,
                "DOC": _number(voucher, "voucher"),
                "SFX": "001",
                "DCTM": "PO" if payment.void else "PN",
                "PAAP": paid.amount or 0,
                "PFAP": (paid.amount or 0) if _is_foreign(payment.currency) else 0,
                "ADSA": paid.discount or 0,
                "RMK": payment.bank_reference,
                "AN8": header["PYE"],
            }
        )
    return {"F0413": [header], "F0414": details}


def _supplier(supplier: Supplier) -> Tables:
    number = _number(supplier.number, "supplier")
    tables: Tables = {
        "F0401": [
            {
                "AN8": number,
                "CRRP": supplier.currency or "",
                "TRAP": supplier.terms,
                "HOLD": supplier.hold,
                "HDPY": "Y" if supplier.hold else "N",
            }
        ],
        "F01151": [
            {"AN8": number, "RCK7": position, "ETP": "E", "EMAL": contact.email}
            for position, contact in enumerate(supplier.contacts, start=1)
            if contact.email
        ],
        "F0115": [
            {"AN8": number, "RCK7": position, "PH1": contact.phone}
            for position, contact in enumerate(supplier.contacts, start=1)
            if contact.phone
        ],
    }
    _add_party(tables, supplier.party, search_type="V" if supplier.active else "X")
    return tables


def _add_party(tables: Tables, party: Party | None, *, search_type: str = "V") -> None:
    if party is None or not party.number or not party.name:
        return
    number = _number(party.number, "party")
    tables.setdefault("F0101", []).append(
        {"AN8": number, "ALPH": party.name[:40], "TAX": party.tax_id, "AT1": search_type}
    )
    tables.setdefault("F0111", []).append({"AN8": number, "MLNM": party.name[:40]})
    if party.address is not None:
        tables.setdefault("F0116", []).append({"AN8": number, "EFTB": dt.date(2020, 1, 1), **_street(party.address)})


def _street(address: Address | None) -> dict[str, Any]:
    if address is None:
        return {}
    lines = {f"ADD{position}": line for position, line in enumerate(address.lines[:4], start=1)}
    return lines | {
        "CTY1": address.city,
        "ADDS": address.state,
        "ADDZ": address.postal_code,
        "CTR": address.country,
    }


def _account(account: Account) -> Tables:
    return {
        "F0901": [
            {
                "AID": account.number,
                "CO": account.company,
                "MCU": account.cost_center,
                "OBJ": account.object,
                "SUB": account.subsidiary,
                "DL01": account.description,
                "PEC": "" if account.postable and account.active else "I" if account.postable else "N",
            }
        ]
    }


def _cost_center(center: CostCenter) -> Tables:
    return {
        "F0006": [
            {
                "MCU": center.number,
                "CO": center.company,
                "DL01": center.name,
                "PECC": "" if center.active else "N",
            }
        ]
    }


def _journal_line(line: JournalLine) -> Tables:
    kind, _, rest = line.number.partition("/")
    number, _, position = rest.partition("/")
    return {
        "F0911": [
            {
                "DCT": kind,
                "DOC": _number(number, "journal entry"),
                "KCO": line.company,
                "DGJ": line.date,
                "JELN": int(position or 1),
                "LT": line.ledger or "AA",
                "CO": line.company,
                "AID": line.account,
                "MCU": line.cost_center,
                "AA": (line.debit or Decimal(0)) - (line.credit or Decimal(0)),
                "CRCD": line.currency or "",
                "EXA": line.description[:30],
                "R1": line.reference,
                "POST": "P",
            }
        ]
    }


_MAKERS: Mapping[type, Callable[[Any], Tables]] = {
    PurchaseOrder: _order,
    Invoice: _invoice,
    Payment: _payment,
    Supplier: _supplier,
    Account: _account,
    CostCenter: _cost_center,
    JournalLine: _journal_line,
}
