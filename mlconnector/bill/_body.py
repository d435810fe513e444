"""Documents become BILL's records; pure (BILL reference, sections 6 to 9; rules B1, B61)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.bill._countries import COUNTRIES
from mlconnector.bill._mapping import MARK_END, Row
from mlconnector.bill._resources import BILLS, CREDITS, Resource
from mlconnector.bill._values import Fields, field_of
from mlconnector.documents import Address, Document, Invoice, InvoiceLine, Supplier
from mlconnector.http import dumps

__all__ = [
    "FORMS",
    "Form",
    "agrees",
    "amount_of",
    "charged",
    "digest",
    "facts",
    "invoice_content",
    "invoice_faults",
    "invoice_number",
    "mark",
    "same_name",
    "same_tax_id",
    "supplier_content",
    "supplier_faults",
    "tax_is_hidden",
    "to_body",
    "vendor_body",
]

_CENT = Decimal("0.01")
_LONGEST_NUMBER = 21
_SPEAKING = re.compile(r"[A-Za-z0-9._/:-]+")
_LONGEST_TEXT = 4000
_LONGEST = {"name": 100, "address.city": 100, "address.line2": 100, "address.stateOrProvince": 100}
_LONGEST_ZIP = 30
_TAGS = ("chartOfAccountId", "departmentId", "locationId")
_REQUIRED_ADDRESS = ("line1", "city", "zipOrPostalCode", "country")
_HIDDEN = re.compile(r"[*#\u2022]|[xX]{2,}")


@attrs.frozen(kw_only=True)
class Form:
    """Where a bill and a vendor credit, which say the same thing with opposite signs, differ.

    Args:
        resource: Where it lives. ``number``: path of its number; ``date``: of its date; ``lines``: its lines.
        due: It has a due date. ``sign``: of the document's amounts in it, since both are positive there.
    """

    resource: Resource
    number: str
    date: str
    lines: str
    due: bool
    sign: int


FORMS: Mapping[str, Form] = {
    BILLS.name: Form(
        resource=BILLS,
        number="invoice.invoiceNumber",
        date="invoice.invoiceDate",
        lines="billLineItems",
        due=True,
        sign=1,
    ),
    CREDITS.name: Form(
        resource=CREDITS,
        number="referenceNumber",
        date="creditDate",
        lines="vendorCreditLineItems",
        due=False,
        sign=-1,
    ),
}


def invoice_number(key: str) -> str:
    """A number of at most 21 characters (section 7) that belongs to this key only, and always the same one.

    A short key is its own number; any other becomes ``#`` and 100 bits of its hash, which no short key looks like.
    """
    if len(key) <= _LONGEST_NUMBER and _SPEAKING.fullmatch(key):
        return key
    return "#" + base64.b32encode(hashlib.sha256(key.encode()).digest())[: _LONGEST_NUMBER - 1].decode()


def mark(document: Document, key: str) -> str:
    """The mark of where a document was born, for the record at BILL (rule B1): ``JDEDWARDS:00001/PV/1001``."""
    system = "mlconnector" if document.provenance is None else document.provenance.system
    return f"{system.upper()}:{key}"


def amount_of(invoice: Invoice) -> Decimal | None:
    """What is to be paid: the open amount, not the gross one (rule B61)."""
    return invoice.gross if invoice.open is None else invoice.open


def charged(invoice: Invoice) -> list[tuple[int, InvoiceLine]]:
    """The lines that cost something, with their place from 1: neither texts nor zeros."""
    return [(place, line) for place, line in enumerate(invoice.lines, 1) if line.kind != "text" and line.amount != 0]


def invoice_faults(invoice: Invoice) -> list[str]:
    """Everything that keeps an invoice from being a bill or a vendor credit."""
    faults = []
    total = amount_of(invoice)
    if total is None:
        faults.append("it has no amount")
    elif total == 0:
        faults.append("nothing is open")
    elif total != total.quantize(_CENT):
        faults.append(f"{total} has more than two decimals")
    if invoice.currency is None:
        faults.append("its currency is not known")
    if invoice.date is None:
        faults.append("it has no invoice date")
    if invoice.due_date is None and (total is None or total > 0):
        faults.append("it has no due date")
    return faults + _line_faults(invoice, total)


def _line_faults(invoice: Invoice, total: Decimal | None) -> list[str]:
    lines = charged(invoice)
    if not lines:
        return ["it has no lines"]
    faults = []
    for place, line in lines:
        if line.amount is None:
            faults.append(f"line {place} has no amount")
        elif line.amount != line.amount.quantize(_CENT):
            faults.append(f"line {place}: {line.amount} has more than two decimals")
        if len(line.description) > _LONGEST_TEXT:
            faults.append(f"line {place}: the description has {len(line.description)} characters, BILL takes 4000")
    amounts = [line.amount for _place, line in lines if line.amount is not None]
    if total is not None and len(amounts) == len(lines):
        added = sum(amounts, Decimal(0))
        if added != total:
            faults.append(f"its lines add up to {added}, it is {total}")
    return faults


def to_body(
    form: Form, invoice: Invoice, *, vendor: str, number: str, marked: str, tags: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """What is sent for an invoice without faults.

    Args:
        form: Bill or vendor credit. ``vendor``: the vendor's id. ``number``: see :func:`invoice_number`.
        marked: The document's mark. ``tags``: the classifications of each charged line, as BILL's ids.
    """
    said = invoice.supplier_invoice_number.strip()
    lines = [
        {
            "amount": form.sign * (line.amount or Decimal(0)).quantize(_CENT),
            **({"description": line.description.strip()} if line.description.strip() else {}),
            "classifications": dict(tag),
        }
        for (_place, line), tag in zip(charged(invoice), tags, strict=True)
    ]
    body: dict[str, Any] = {"vendorId": vendor}
    _put(body, form.number, number)
    _put(body, form.date, "" if invoice.date is None else invoice.date.isoformat())
    if form.due:
        body["dueDate"] = "" if invoice.due_date is None else invoice.due_date.isoformat()
        if invoice.purchase_order.strip():
            body["purchaseOrderNumber"] = invoice.purchase_order.strip()
    body["description"] = f"{marked}{MARK_END}{said}" if said else marked
    body[form.lines] = lines
    return body


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    outer, _, inner = path.rpartition(".")
    (body.setdefault(outer, {}) if outer else body)[inner] = value


def facts(form: Form, record: Row) -> dict[str, Any]:
    """What a bill or credit says, in one spelling, whether it is what we send or what BILL tells."""
    fields = Fields(record, [])
    lines = []
    for row in fields.rows(form.lines):
        line = Fields(row, [])
        tags = tuple(
            line.text(f"classifications.{name}") for name in ("chartOfAccountId", "departmentId", "locationId")
        )
        lines.append((str((line.number("amount") or Decimal(0)).quantize(_CENT)), line.text("description"), *tags))
    told = {name: fields.text(name) for name in ("vendorId", form.number, "purchaseOrderNumber", "description")}
    dates = (form.date, "dueDate") if form.due else (form.date,)
    return {**told, **{name: fields.text(name)[:10] for name in dates}, "lines": sorted(lines)}


def digest(content: object) -> str:
    """A short stable name of some plain content."""
    return hashlib.sha256(dumps(content).encode()).hexdigest()


def invoice_content(invoice: Invoice) -> str:
    """What makes a revision of an invoice: what BILL is told of it, and whether it is void."""
    payee = invoice.payee or invoice.supplier
    total = amount_of(invoice)
    lines = [
        [None if line.amount is None else f"{line.amount.normalize():f}", line.description, line.account,
         line.cost_center]
        for _place, line in charged(invoice)
    ]  # fmt: skip
    return digest(
        [
            "" if payee is None else payee.number,
            invoice.supplier_invoice_number,
            invoice.date,
            invoice.due_date,
            invoice.currency,
            None if total is None else f"{total.normalize():f}",
            invoice.purchase_order,
            invoice.void,
            lines,
        ]
    )


def _address(address: Address, countries: Mapping[str, str]) -> dict[str, str]:
    lines = [line.strip() for line in address.lines if line.strip()]
    country = address.country.strip()
    made = {
        "line1": lines[0] if lines else "",
        "line2": ", ".join(lines[1:]),
        "city": address.city.strip(),
        "stateOrProvince": address.state.strip(),
        "zipOrPostalCode": address.postal_code.strip(),
        "country": countries.get(country, country).strip().upper(),
    }
    return {name: value for name, value in made.items() if value}


def vendor_body(supplier: Supplier, countries: Mapping[str, str]) -> dict[str, Any]:
    """What is sent for a supplier; only fields that have a value, so that nothing kept at BILL is emptied."""
    email = next((contact.email.strip() for contact in supplier.contacts if contact.email.strip()), "")
    phone = next((contact.phone.strip() for contact in supplier.contacts if contact.phone.strip()), "")
    body: dict[str, Any] = {"name": supplier.name.strip()}
    body["address"] = {} if supplier.address is None else _address(supplier.address, countries)
    simple = {"email": email, "phone": phone, "billCurrency": supplier.currency or ""}
    body |= {name: value for name, value in simple.items() if value}
    if supplier.tax_id.strip():
        body["additionalInfo"] = {"taxId": supplier.tax_id.strip()}
    return body


def supplier_faults(supplier: Supplier, body: Row) -> list[str]:
    """Everything that keeps a supplier from being a vendor; nothing is cut to length, since names must stay apart."""
    faults = []
    if not body["name"]:
        faults.append("it has no name")
    if not supplier.active:
        faults.append("it is not active")
    address = body["address"]
    faults += [f"the address has no {name}" for name in _REQUIRED_ADDRESS if name not in address]
    country = address.get("country", "")
    if country and country not in COUNTRIES:
        faults.append(f"the country {country!r} is no ISO 3166 code of two letters")
    for path, most in {**_LONGEST, "address.zipOrPostalCode": _LONGEST_ZIP}.items():
        text = str(field_of(body, path) or "")
        if len(text) > most:
            faults.append(f"{path} has {len(text)} characters, BILL takes {most}")
    return faults


def supplier_content(supplier: Supplier) -> str:
    """What makes a revision of a supplier: what BILL is told of it."""
    return digest([vendor_body(supplier, {}), supplier.active])


def same_name(name: str) -> str:
    """A name as it is compared: without regard to case and to blanks at its ends or doubled inside."""
    return " ".join(name.split()).casefold()


def same_tax_id(text: str) -> str:
    """A tax id as it is compared: letters and digits only."""
    return "".join(filter(str.isalnum, text)).upper()


def tax_is_hidden(text: str) -> bool:
    """Whether an answer withholds a tax id or masks it; then it proves nothing (section 6)."""
    return not same_tax_id(text) or _HIDDEN.search(text) is not None


def agrees(body: Row, record: Row) -> list[str]:
    """The fields of a vendor's body in which a record differs; what we do not send is not ours to compare."""
    paths = [
        *(f"address.{name}" for name in body.get("address", ())),
        *(name for name in ("email", "phone", "billCurrency") if name in body),
    ]
    told = Fields(record, [])
    differing = [path for path in paths if told.text(path) != str(field_of(body, path))]
    if same_name(told.text("name")) != same_name(str(body["name"])):
        differing.append("name")
    ours, theirs = str(field_of(body, "additionalInfo.taxId") or ""), told.text("additionalInfo.taxId")
    if ours and not tax_is_hidden(theirs) and same_tax_id(ours) != same_tax_id(theirs):
        differing.append("additionalInfo.taxId")
    return differing
