"""Vouchers of the simulated Payables: entry, pay status, void (AIS reference, sections 6.3 and 6.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.testing._ais_books import Books, Money, Period
from mlconnector.testing._ais_contract import BusinessRefusal, Values
from mlconnector.testing._ais_store import Row

__all__ = ["Distribution", "VoucherEntry", "checked_entry", "create_voucher", "set_pay_status", "void_voucher"]

_ENTRY, _SPEED_STATUS = "P0411", "P0411S"
_INSIDE_GROSS = frozenset("VSBC")
_SELF_ASSESSED = "U"


@attrs.frozen
class Distribution:
    """One ledger line of a document: an account, or the columns that stand for it, an amount, a remark."""

    account: Mapping[str, Any]
    amount: Decimal
    remark: str = ""


@attrs.frozen(kw_only=True)
class VoucherEntry:
    """The heading of a voucher, checked."""

    values: Values
    kind: str
    company: str
    money: Money
    period: Period
    columns: Row

    @property
    def net(self) -> Decimal:
        """What the lines must add up to: gross, less a tax that is part of it."""
        gross: Decimal = self.values["GrossAmount"]
        explanation: str = self.values["TaxExplanation"]
        inside = explanation[:1] in _INSIDE_GROSS
        return gross - (self.values["TaxAmount"] or 0) if inside else gross

    def write(self, books: Books, lines: Sequence[Distribution], program: str, **columns: Any) -> Row:
        """Write pay item and ledger lines into a new batch; DOC, DCT, KCO and ICU of the voucher."""
        key = {"DOC": books.next_document(), "DCT": self.kind, "KCO": self.company}
        batch = {"ICU": books.next_batch(), "ICUT": "V"}
        values, money = self.values, self.money
        books.put("F0411", {**key, **batch, **self.columns, **columns}, program)
        common = {
            **key,
            **batch,
            **self.period.columns,
            "DGJ": values["GLDate"],
            "CO": self.company,
            "AN8": values["SupplierNumber"],
            "CRCD": money.currency,
            "CRR": money.rate,
            "EXA": self._supplier_name(books),
            "PO": columns.get("PO") or self.columns["PO"],
        }
        for row in ledger_rows(lines, money, total=sum((line.amount for line in lines), Decimal(0))):
            books.put("F0911", {**common, **row}, program)
        return {**key, **batch}

    def _supplier_name(self, books: Books) -> str:
        person = books.stores["F0101"].find(self.values["SupplierNumber"])
        return person["ALPH"][:30] if person else ""


def ledger_rows(lines: Sequence[Distribution], money: Money, *, total: Decimal) -> list[Row]:
    """AA rows, and CA rows beside them for a foreign document; in base currency the last line takes the cent."""
    rows: list[Row] = []
    rest = money.in_base(total)
    for position, line in enumerate(lines, start=1):
        account = {alias: line.account.get(alias, "") for alias in ("AID", "ANI", "MCU", "OBJ", "SUB")}
        common = {**account, "JELN": position, "EXR": line.remark}
        share = rest if position == len(lines) else money.in_base(line.amount)
        rest -= share
        rows.append({**common, "LT": "AA", "AA": share})
        if money.foreign:
            rows.append({**common, "LT": "CA", "AA": line.amount})
    return rows


def create_voucher(books: Books, values: Values) -> Row:
    """ML_CreateAPVoucher over P0411."""
    entry = checked_entry(books, values, values["DocumentType"] or "PV")
    lines = [Distribution(books.account(line), line["Amount"], line["Remark"]) for line in values["Lines"]]
    if sum(line.amount for line in lines) != entry.net:
        raise BusinessRefusal("DISTRIBUTION", f"The distribution must add up to {entry.net}")
    written = entry.write(books, lines, _ENTRY)
    return _document(written) | {"BatchNumber": written["ICU"]}


def checked_entry(books: Books, values: Values, kind: str) -> VoucherEntry:
    """The heading of a voucher: supplier, company, period, currency, terms, tax, invoice number, sign.

    Raises:
        BusinessRefusal: One of these is wrong.
    """
    gross: Decimal = values["GrossAmount"]
    if kind not in {"PV", "PD"}:
        raise BusinessRefusal("DOCUMENT TYPE", f"Document type {kind} is invalid")
    if not gross or (kind == "PD") != (gross < 0):
        raise BusinessRefusal("AMOUNT", f"Gross amount {gross} is invalid for document type {kind}")
    company = books.company(values["Company"])
    supplier = books.supplier(values["SupplierNumber"])
    period = books.period(values["Company"], values["GLDate"], "AP")
    amounts = [line["Amount"] for line in (*values["Lines"], *values.get("Charges", ()))]
    tax: Decimal = values["TaxAmount"] or Decimal(0)
    money = books.money(company, values["CurrencyCode"], values["ExchangeRate"], gross, tax, *amounts)
    _check_tax(books, values, tax)
    due = books.due_date(values["InvoiceDate"], asked=values["PaymentTerms"], usual=supplier["TRAP"])
    _check_invoice_number(books, values)
    taxable = {"ATXA" if tax else "ATXN": money.in_base(gross - tax if values["TaxExplanation"][:1] != "U" else gross)}
    columns: Row = {
        **period.columns,
        **money.columns,
        **taxable,
        "SFX": "001",
        "AN8": values["SupplierNumber"],
        "PYE": values["SupplierNumber"],
        "DIVJ": values["InvoiceDate"],
        "DGJ": values["GLDate"],
        "DDJ": due,
        "CO": values["Company"],
        "PST": books.rules.pay_status,
        "AG": money.in_base(gross),
        "AAP": money.in_base(gross),
        "STAM": money.in_base(tax),
        "PTC": values["PaymentTerms"] or supplier["TRAP"],
        "PYIN": supplier["PYIN"],
        "GLC": supplier["APC"],
        "VINV": values["InvoiceNumber"],
        "RMK": values["Remark"],
        "PO": values.get("PurchaseOrder", ""),
        "TXA1": values["TaxArea"],
        "EXR1": values["TaxExplanation"],
    }
    if money.foreign:
        columns |= {"ACR": gross, "FAP": gross, "CTAM": tax}
    return VoucherEntry(
        values=values,
        kind=kind,
        company=values["Company"],
        money=money,
        period=period,
        columns=columns,
    )


def _check_tax(books: Books, values: Values, tax: Decimal) -> None:
    area, explanation = values["TaxArea"], values["TaxExplanation"]
    if explanation and explanation[0] not in _INSIDE_GROSS | {_SELF_ASSESSED}:
        raise BusinessRefusal("TAX EXPLANATION", f"Tax explanation code {explanation} is invalid")
    if area and books.rules.tax_areas is not None and area not in books.rules.tax_areas:
        raise BusinessRefusal("TAX AREA", f"Tax area {area} is invalid")
    if (tax or area) and not explanation:
        raise BusinessRefusal("TAX EXPLANATION", "Tax needs a tax explanation code")
    if tax and (tax < 0) != (values["GrossAmount"] < 0):
        raise BusinessRefusal("TAX AMOUNT", f"Tax amount {tax} has another sign than the gross amount")


def _check_invoice_number(books: Books, values: Values) -> None:
    used = books.stores["F0411"].where(AN8=values["SupplierNumber"], VINV=values["InvoiceNumber"])
    if any(not row["VOD"] and not row["DCTA"] for row in used):
        text = f"Invoice number {values['InvoiceNumber']} is in use for supplier {values['SupplierNumber']}"
        books.warn_or_refuse(books.rules.duplicate_invoice, "DUPLICATE INVOICE", text)


def _document(row: Row) -> Row:
    return {"DocumentCompany": row["KCO"], "DocumentType": row["DCT"], "DocumentNumber": row["DOC"]}


def set_pay_status(books: Books, values: Values) -> Row:
    """ML_SetPayStatus over P0411S."""
    item, status = books.pay_item(values), values["PayStatus"]
    if status not in books.rules.pay_statuses:
        raise BusinessRefusal("PAY STATUS", f"Pay status {status} is invalid")
    if status in {"P", "#"} or item["PST"] in {"P", "#"}:
        raise BusinessRefusal("PAY STATUS", f"Pay status cannot be changed from {item['PST']} to {status}")
    if item["VOD"] or not item["AAP"]:
        raise BusinessRefusal("PAY STATUS", f"Voucher {item['DOC']} is void or has nothing open")
    books.revise("F0411", item, _SPEED_STATUS, PST=status)
    return _document(item) | {"PayItem": item["SFX"], "PayStatus": status, "PreviousPayStatus": item["PST"]}


def void_voucher(books: Books, values: Values, program: str = _ENTRY) -> Row:
    """ML_ReverseVoucher for the payables side: delete what is not posted, else reverse it with ``PE`` rows.

    Raises:
        BusinessRefusal: The voucher is paid, in a payment group, or void already.
    """
    key = (values["VoucherCompany"], values["VoucherType"], values["VoucherNumber"])
    items = books.pay_items(*key)
    period = books.period(items[0]["CO"] or key[0], values["GLDate"], "AP")
    for item in items:
        opened, whole = ("FAP", "ACR") if item["CRRM"] == "F" else ("AAP", "AG")
        if item["VOD"]:
            raise BusinessRefusal("VOID", f"Voucher {key[2]} is already void")
        if item["PST"] == "#":
            raise BusinessRefusal("PAY STATUS", f"Voucher {key[2]} is in a payment group")
        if item[opened] != item[whole] or item["PST"] == "P":
            raise BusinessRefusal("PAID", f"Voucher {key[2]} is paid in whole or in part: void the payment first")
    posted = any(item["POST"] for item in items)
    batch = books.next_batch()
    ledger = books.stores["F0911"].where(DOC=key[2], DCT=key[1], KCO=key[0])
    if posted:
        moved = {**period.columns, "ICU": batch, "ICUT": "V", "POST": "", "DGJ": values["GLDate"]}
        _reverse(books, items, ledger, moved=moved, remark=values["Remark"], program=program)
    else:
        for item in items:
            books.drop("F0411", item)
        for row in ledger:
            books.drop("F0911", row)
    return _document(items[0]) | {"BatchNumber": batch, "ReversalType": "void", "Deleted": "N" if posted else "Y"}


def _reverse(books: Books, items: list[Row], ledger: list[Row], *, moved: Row, remark: str, program: str) -> None:
    extension = 1 + max(int(item["SFXE"]) for item in items)
    for item in items:
        adjustment = {alias: -item[alias] for alias in ("AG", "ACR", "STAM", "CTAM", "ATXA", "ATXN")}
        books.put(
            "F0411",
            {
                **item,
                **adjustment,
                **moved,
                "SFXE": extension,
                "DCTA": "PE",
                "PST": "P",
                "AAP": 0,
                "FAP": 0,
                "RMK": remark,
                "UPMJ": None,
            },
            program,
        )
        emptied = {} if books.rules.void_keeps_gross else dict.fromkeys(adjustment, 0)
        books.revise("F0411", item, program, **emptied, VOD="V", PST="P", AAP=0, FAP=0)
    last = max((int(row["JELN"]) for row in ledger), default=0)
    for row in ledger:
        reversal = {"JELN": last + row["JELN"], "AA": -row["AA"], "EXR": remark, "UPMJ": None}
        books.put("F0911", {**row, **moved, **reversal}, program)
