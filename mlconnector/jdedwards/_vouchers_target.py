"""Vouchers: made, matched with receipts, or reversed (AIS reference, section 6.4; rules B51, B70, B71)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import attrs

from mlconnector.documents import Invoice, InvoiceLine, Party, smallest_unit
from mlconnector.errors import InvalidArgument, InvalidDocument, TargetChanged
from mlconnector.jdedwards._books import AccountCode
from mlconnector.jdedwards._keys import WHOLE, order_number, voucher_key
from mlconnector.jdedwards._orchestrator import amount_text
from mlconnector.jdedwards._posting import PostingTarget, Refusals, mark_of, shortened
from mlconnector.jdedwards._values import Cells, number_text
from mlconnector.target import Change, CrosswalkLookup, LookUp, Prepared, Receipt

__all__ = ["VouchersTarget"]

_ZERO = Decimal(0)
_MEND = "Look at it in JD Edwards, then settle it: accept what stands there, or void it and replay."


class VouchersTarget(PostingTarget):
    """Approved invoices become vouchers: matched where their lines bill order lines, plain otherwise; void ones are
    reversed.

    Args:
        company: Company of invoices that name none.
        matching: ``"auto"``: an invoice of order lines is matched, another is not; ``"never"``, ``"always"``.
        tax: Tax explanation and area by the source's tax code, ``{"VAT20": ("V", "UK20")}``; a link of kind ``tax``
            (``"V/UK20"``) goes before. Code ``""`` is tax without a code.
        look_up: ``"reliable"``; ``"present_only"`` for sites whose orchestration fills Z-tables (delivery.md, targets).
        order_system: System under which the crosswalk holds the order numbers that invoices name.
        options: Those of every posting target: ``closed_period``, ``settle_after``.
    """

    name = "jdedwards vouchers"
    sought_by = ("SupplierNumber", "InvoiceNumber", "Remark", "GrossAmount")

    def __init__(
        self,
        *args: Any,
        company: str | None = None,
        matching: Literal["auto", "never", "always"] = "auto",
        tax: Mapping[str, tuple[str, str]] | None = None,
        look_up: LookUp = "reliable",
        order_system: str = "coupa",
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        if matching not in ("auto", "never", "always"):
            raise InvalidArgument(f"matching={matching!r}.", cure='Use "auto", "never" or "always".')
        if look_up not in ("reliable", "present_only"):
            raise InvalidArgument(f"look_up={look_up!r}.", cure='Use "reliable" or "present_only".')
        for code, found in dict[str, Any](tax or {}).items():
            if isinstance(found, str) or len(found) != 2 or not 1 <= len(found[0]) <= 2 or len(found[1]) > 10:
                raise InvalidArgument(
                    f"tax[{code!r}]={found!r} is no explanation and area.", cure='Give them like ("V", "UK20").'
                )
        self._company, self._matching, self._order_system = company, matching, order_system
        self._tax = dict(tax or {})
        self._look_up: LookUp = look_up

    @property
    def look_up(self) -> LookUp:
        """How far looking by supplier and number can be believed."""
        return self._look_up

    def content(self, document: Invoice) -> str:
        """What the voucher says; that it was voided counts, what its supplier is called and when it is due do not."""
        plain = attrs.evolve(
            document,
            waiting_for=(),
            extras={"tax_code": document.extras["tax_code"]} if document.extras.get("tax_code") else {},
            open=None,
            due_date=None,
            supplier=None if document.supplier is None else Party(number=document.supplier.number),
            payee=None,
            remit_to=None,
            pay_status="",
            pay_items=(),
            posted=False,
            origin="",
        )
        return plain.fingerprint

    def prepare(self, change: Change[Invoice]) -> Prepared:
        """Check everything that can be checked before the call; see :class:`~mlconnector.target.Target`.

        Raises:
            InvalidDocument: With every fault, missing references too. ``UnknownReference``: with every miss.
        """
        invoice, refusals = change.document, Refusals()
        shown = f"invoice {invoice.supplier_invoice_number or invoice.number}"
        if change.action == "cancel" or invoice.void:
            return self._reversal(change, shown, refusals)
        if change.previous is not None:
            raise InvalidDocument(
                f"{shown} changed after it was posted.",
                cause="changed",
                cure="Compare it with its voucher; correct that in JD Edwards, then settle it (delivery rule 14).",
            )
        supplier = self._party(invoice.supplier, invoice, change.crosswalk, refusals)
        if supplier.isdecimal():
            self._books.supplier(supplier, refusals.faults)
        company = self._company_of(invoice, change.crosswalk, refusals)
        gl_date, facts, attention = self._posting([company] if company else [], invoice.gl_date, refusals)
        matched = self._is_matched(invoice)
        number = shortened(invoice.supplier_invoice_number or invoice.number, 25, "invoice number", refusals.faults)
        mark = shortened(mark_of(invoice), 30, "mark", refusals.faults)
        inputs: dict[str, Any] = {
            "Company": company,
            "SupplierNumber": supplier,
            "InvoiceNumber": number,
            "InvoiceDate": self._date(invoice.date, "invoice date", refusals),
            "GLDate": gl_date,
            "GrossAmount": self._amount(invoice.gross, "gross", refusals),
            "CurrencyCode": self._currency(invoice.currency, refusals),
            "ExchangeRate": None if invoice.rate is None else number_text(invoice.rate),
            "PaymentTerms": self._terms(invoice, change.crosswalk),
            "Remark": mark,
        }
        taxes = self._taxes(invoice, change.crosswalk, refusals)
        inputs |= taxes
        if invoice.kind in ("credit", "debit") and (invoice.gross or _ZERO) > 0:
            refusals.faults.append(f"it is a credit over {invoice.gross}: credits are below 0")
        if matched:
            inputs |= self._match_lines(invoice, supplier, change.crosswalk, refusals)
        else:
            inputs["Lines"] = self._lines(invoice.lines, invoice, change.crosswalk, refusals)
            inputs["PurchaseOrder"] = invoice.purchase_order if len(invoice.purchase_order) <= 8 else None
            if (invoice.gross or _ZERO) < 0:
                inputs["DocumentType"] = "PD"
        if taxes or not invoice.tax:
            self._check_sum(invoice, Decimal(taxes.get("TaxAmount") or 0), refusals)
        payload = self._payload("match_voucher" if matched else "create_voucher", inputs, refusals)
        prepared = Prepared(
            invoice,
            payload,
            f"{supplier}/{number}",
            describe={**facts, "orchestration": self._orchestrator.name(payload["orchestration"]), "mark": mark},
            attention=attention,
        )
        return self._checked_against(refusals, prepared, shown)

    def find(self, prepared: Prepared) -> Receipt | None:
        """By supplier and invoice number, voided ones included; ours only by our mark (delivery rule 7)."""
        payload: Any = prepared.payload
        inputs = payload["inputs"]
        if payload["orchestration"] == "reverse_voucher":
            return self._find_reversal(inputs, prepared)
        mark = inputs["Remark"]
        rows = self._books.vouchers(int(inputs["SupplierNumber"]), inputs["InvoiceNumber"], mark)
        live = [row for row in rows if not row.text("VOD") and not row.text("DCTA")]
        if not live:
            gone = [row for row in rows if row.text("RMK") == mark and not row.text("DCTA")]
            if gone:
                raise TargetChanged(f"Voucher {_key_of(gone[0])} was made of it and is void.", cure=_MEND, cause="void")
            return None
        keys = {_key_of(row) for row in live}
        if len(keys) > 1:
            raise TargetChanged(
                f"Invoice {inputs['InvoiceNumber']} is {len(keys)} vouchers: {', '.join(sorted(keys))}.", cure=_MEND
            )
        (key,) = keys
        if any(row.text("RMK") != mark for row in live):
            raise TargetChanged(f"Voucher {key} has this invoice number and is not ours.", cure=_MEND, cause="not ours")
        gross = sum((row.number("ACR" if row.text("CRRM") == "F" else "AG") or _ZERO for row in live), _ZERO)
        if gross != Decimal(inputs["GrossAmount"]):
            raise TargetChanged(f"Voucher {key} is over {gross}, not {inputs['GrossAmount']}.", cure=_MEND)
        company, kind, number = key.split("/")
        if payload["orchestration"] == "match_voucher" and not self._books.matches(company, kind, int(number)):
            raise TargetChanged(f"Voucher {key} is there without its match.", cure=_MEND, cause="match")
        return Receipt(system="jdedwards", id=key, by="marker")

    def _receipt(self, prepared: Prepared, outputs: Mapping[str, Any]) -> Receipt:
        payload: Any = prepared.payload
        if payload["orchestration"] == "reverse_voucher":
            return Receipt(system="jdedwards", id=prepared.target_id, raw=_plain(outputs))
        told = [outputs.get(name) or "" for name in ("DocumentCompany", "DocumentType", "DocumentNumber")]
        parts = [number_text(one) if isinstance(one, Decimal) else str(one).strip() for one in told]
        return Receipt(system="jdedwards", id="/".join(parts) if all(parts) else None, raw=_plain(outputs))

    # Reversal

    def _reversal(self, change: Change[Invoice], shown: str, refusals: Refusals) -> Prepared:
        key = change.target_id or self._found(change, refusals)
        parts = (key or "").split("/")
        if len(parts) != 3 or not parts[2].isdecimal():
            raise InvalidDocument(f"{shown} was taken back and has no voucher of ours.", cause="void", cure="Nothing.")
        company, kind, number = parts
        items = [one for one in self._books.pay_items(company, kind, int(number)) if not one.text("DCTA")]
        for item in items:
            gross, left = item.number("AG") or _ZERO, item.number("AAP") or _ZERO
            if not item.text("VOD") and gross != left:
                refusals.faults.append(f"pay item {item.text('SFX')} is paid in whole or part; void the payment first")
            if item.text("PST") == "#":
                refusals.faults.append(f"pay item {item.text('SFX')} is in a payment group")
        gl_date, facts, attention = self._posting([company], None, refusals)
        inputs = {
            "VoucherCompany": company,
            "VoucherType": kind,
            "VoucherNumber": number,
            "GLDate": gl_date,
            "Remark": mark_of(change.document)[:30],
        }
        payload = self._payload("reverse_voucher", inputs, refusals)
        refusals.raise_if_any(shown)
        facts["orchestration"] = self._orchestrator.name("reverse_voucher")
        return Prepared(change.document, payload, key, target_id=key, describe=facts, attention=attention)

    def _found(self, change: Change[Invoice], refusals: Refusals) -> str | None:
        invoice = change.document
        supplier = self._party(invoice.supplier, invoice, change.crosswalk, refusals)
        if not supplier.isdecimal():
            return None
        rows = self._books.vouchers(int(supplier), invoice.supplier_invoice_number or invoice.number)
        ours = {_key_of(row) for row in rows if row.text("RMK") == mark_of(invoice) and not row.text("DCTA")}
        return ours.pop() if len(ours) == 1 else None

    def _find_reversal(self, inputs: Mapping[str, Any], prepared: Prepared) -> Receipt | None:
        """Void, or gone: an unposted voucher is deleted (section 6.4)."""
        company, kind = inputs["VoucherCompany"], inputs["VoucherType"]
        number = int(inputs["VoucherNumber"])
        items = self._books.pay_items(company, kind, number)
        if any(not row.text("VOD") for row in items if not row.text("DCTA")):
            return None
        if self._books.matches(company, kind, number):
            return None
        return Receipt(system="jdedwards", id=prepared.target_id, by="marker")

    # Inputs

    def _company_of(self, invoice: Invoice, crosswalk: CrosswalkLookup, refusals: Refusals) -> str:
        """The company it names, else that of its orders, else the one for invoices that name none."""
        system = "" if invoice.provenance is None else invoice.provenance.system
        named = invoice.company
        linked = crosswalk.find("company", to="jdedwards", **{system: named}) if system and named else None
        orders = self._orders(invoice, crosswalk) if self._is_matched(invoice) else {}
        companies = sorted({parts[0] for parts in orders.values()})
        if len(companies) > 1:
            refusals.faults.append(f"it bills orders of more than one company: {', '.join(companies)}")
        company = str(linked or named or next(iter(companies), "") or self._company or "").strip()
        if not company:
            refusals.misses.append("the invoice names no company; set company=")
        return company.rjust(5, "0") if company.isdecimal() else company

    def _is_matched(self, invoice: Invoice) -> bool:
        return self._matching == "always" or (
            self._matching == "auto" and any(line.purchase_order and line.order_line for line in invoice.lines)
        )

    def _orders(self, invoice: Invoice, crosswalk: CrosswalkLookup) -> dict[str, tuple[str, str, str, str]]:
        """Company, type, number and suffix of every order that is billed, by the number the invoice names it by."""
        found = {}
        for name in dict.fromkeys(line.purchase_order for line in invoice.lines if line.purchase_order):
            key = crosswalk.find("order number", to=f"{self._order_system} document", **{self._order_system: name})
            parts = str(key or "").split("/")
            if len(parts) in (3, 4):
                found[name] = (parts[0], parts[1], str(order_number(key)), parts[3] if len(parts) == 4 else "")
            elif name.isdecimal() and (invoice.company or self._company):
                found[name] = (str(invoice.company or self._company), "OP", name, "")
        return found

    def _match_lines(
        self, invoice: Invoice, supplier: str, crosswalk: CrosswalkLookup, refusals: Refusals
    ) -> dict[str, Any]:
        orders = self._orders(invoice, crosswalk)
        receipts = self._books.receipts([int(parts[2]) for parts in orders.values()]) if orders else []
        lines, charges = [], []
        billed: dict[tuple[str, str], list[InvoiceLine]] = {}
        if (invoice.gross or _ZERO) < 0:
            refusals.faults.append("a credit of order lines cannot be matched: reverse the receipt in JD Edwards")
        for line in _posted(invoice.lines):
            if not line.purchase_order or not line.order_line:
                charges.append(line)
                continue
            order = orders.get(line.purchase_order)
            if order is None:
                refusals.misses.append(f"line {line.number}: order {line.purchase_order} is not known here")
                continue
            company, kind, number, suffix = order
            billed.setdefault((line.purchase_order, _position(line.order_line)), []).append(line)
            lines.append(
                _filled(
                    OrderCompany=company,
                    OrderType=kind,
                    OrderNumber=number,
                    OrderSuffix=suffix,
                    OrderLine=line.order_line,
                    Quantity="" if line.quantity is None else number_text(line.quantity),
                    Amount=self._amount(line.amount, f"line {line.number}", refusals),
                )
            )
        for (name, position), same in billed.items():
            received = [one for one in receipts if _is_of(one, orders[name], position)]
            self._check_received(same, received, supplier, invoice.currency, refusals)
        return {"Lines": lines, "Charges": self._lines(charges, invoice, crosswalk, refusals)}

    @staticmethod
    def _check_received(
        lines: Sequence[InvoiceLine],
        receipts: Sequence[Cells],
        supplier: str,
        currency: str | None,
        refusals: Refusals,
    ) -> None:
        """Received and not vouchered covers what is billed (rule B51; section 7, F43121 MATC 1).

        Args:
            lines: All that bill one order line. ``receipts``: of that order line.
        """
        first = lines[0]
        where = f"line {first.number}: order {first.purchase_order} line {first.order_line}"
        others = sorted({one.text("AN8") for one in receipts} - {supplier})
        foreign = sorted({one.text("CRCD") for one in receipts} - {"", currency or ""})
        left = sum((one.number("UOPN") or _ZERO for one in receipts), _ZERO)
        amount = sum((one.number("FAP" if one.number("FREC") else "AOPN") or _ZERO for one in receipts), _ZERO)
        quantity = sum((line.quantity for line in lines if line.quantity is not None), _ZERO)
        value = sum((line.amount or _ZERO for line in lines if line.quantity is None), _ZERO)
        if not receipts:
            refusals.faults.append(f"{where} is not received")
        elif others:
            refusals.faults.append(f"{where} was ordered from supplier {others[0]}")
        elif foreign:
            refusals.faults.append(f"{where} was ordered in {foreign[0]}, the invoice is in {currency}")
        elif quantity > left:
            refusals.faults.append(f"{where}: {quantity} billed, {left} received and not vouchered")
        elif value > amount:
            refusals.faults.append(f"{where}: {value} billed, {amount} received and not vouchered")

    def _lines(
        self, lines: Sequence[InvoiceLine], invoice: Invoice, crosswalk: CrosswalkLookup, refusals: Refusals
    ) -> list[dict[str, str]]:
        found, codes = [], list[AccountCode]()
        for line in _posted(lines):
            shown = f"line {line.number}" if line.number else f"charge {line.description or line.kind}"
            account = line.account or self._charge_account(line, invoice, crosswalk)
            for share, center, amount in _shares(line, account, invoice.currency, shown, refusals):
                code = self._account(share, center, invoice, crosswalk, shown, refusals)
                if code is None:
                    continue
                codes.append(code)
                found.append(
                    _filled(
                        BusinessUnit=code.unit,
                        ObjectAccount=code.object,
                        Subsidiary=code.subsidiary,
                        Amount=self._amount(amount, shown, refusals),
                        Remark=line.description[:30],
                    )
                )
        self._books.accounts(codes, refusals.misses)
        return found

    @staticmethod
    def _charge_account(line: InvoiceLine, invoice: Invoice, crosswalk: CrosswalkLookup) -> str:
        """A charge without an account of its own goes to the one linked as ``charge:shipping``."""
        system = "" if invoice.provenance is None else invoice.provenance.system
        if line.kind != "charge" or not system:
            return ""
        return str(crosswalk.find("account", to="jdedwards", **{system: f"charge:{line.description}"}) or "")

    def _taxes(self, invoice: Invoice, crosswalk: CrosswalkLookup, refusals: Refusals) -> dict[str, str]:
        if not invoice.tax:
            return {}
        system = "" if invoice.provenance is None else invoice.provenance.system
        code = str(invoice.extras.get("tax_code") or "")
        linked = crosswalk.find("tax", to="jdedwards", **{system: code}) if system and code else None
        explanation, area = str(linked).partition("/")[::2] if linked else self._tax.get(code, ("", ""))
        if not explanation:
            refusals.misses.append(f"tax {invoice.tax} (code {code!r}) has no tax explanation; set tax= (rule B70)")
            return {}
        if explanation == "U":
            return {"TaxExplanation": explanation, "TaxArea": area}
        return {
            "TaxAmount": self._amount(invoice.tax, "tax", refusals),
            "TaxExplanation": explanation,
            "TaxArea": area,
        }

    @staticmethod
    def _terms(invoice: Invoice, crosswalk: CrosswalkLookup) -> str | None:
        system = "" if invoice.provenance is None else invoice.provenance.system
        if not system or not invoice.terms:
            return None
        linked: str | None = crosswalk.find("terms", to="jdedwards", **{system: invoice.terms})
        return linked

    def _date(self, day: dt.date | None, name: str, refusals: Refusals) -> str:
        if day is None:
            refusals.faults.append(f"no {name}")
            return ""
        return self._orchestrator.date(day)

    @staticmethod
    def _amount(amount: Decimal | None, name: str, refusals: Refusals) -> str:
        if amount is None:
            refusals.faults.append(f"{name}: no amount")
            return ""
        try:
            return amount_text(amount)
        except InvalidDocument as error:
            refusals.faults.append(f"{name}: {error.message}")
            return ""

    @staticmethod
    def _currency(currency: str | None, refusals: Refusals) -> str:
        if not currency:
            refusals.faults.append("the currency is not known")
        return currency or ""

    @staticmethod
    def _check_sum(invoice: Invoice, inside: Decimal, refusals: Refusals) -> None:
        """Lines sum to gross less the tax that is inside it; one that the buyer owes himself is not (section 6.4)."""
        total = sum((line.amount or _ZERO for line in _posted(invoice.lines)), _ZERO)
        expected = (invoice.gross or _ZERO) - inside
        if total != expected:
            refusals.faults.append(f"its lines sum to {total}, gross less the tax in it is {expected}")


def _position(text: str) -> str:
    """An order line in one form: ``1.000`` and ``1`` are the same one."""
    try:
        return number_text(Decimal(text))
    except ArithmeticError:
        return text.strip()


def _is_of(receipt: Cells, order: tuple[str, str, str, str], position: str) -> bool:
    """A receipt of this order line; a blank suffix is that of a whole order."""
    company, kind, number, suffix = order
    return (
        (receipt.text("KCOO"), receipt.text("DCTO"), receipt.text("DOCO")) == (company, kind, number)
        and receipt.text("SFXO") in ("", suffix or WHOLE)
        and number_text(receipt.number("LNID") or _ZERO) == position
    )


def _posted(lines: Sequence[InvoiceLine]) -> list[InvoiceLine]:
    return [line for line in lines if line.kind not in ("text", "tax")]


def _shares(
    line: InvoiceLine, account: str, currency: str | None, shown: str, refusals: Refusals
) -> Iterator[tuple[str, str, Decimal | None]]:
    """Account, cost centre and amount of each share of a line; shares sum exactly, the last one takes the cent."""
    splits = line.extras.get("allocations")
    if not splits or line.amount is None:
        yield account, line.cost_center, line.amount
        return
    percents = [Decimal(str(one["percent"])) for one in splits if one.get("percent") is not None]
    if all(one.get("amount") is None for one in splits) and len(percents) == len(splits) and sum(percents) != 100:
        refusals.faults.append(f"{shown}: its shares are {sum(percents)} per cent")
        return
    unit = smallest_unit(currency)
    left = line.amount
    for index, one in enumerate(splits, start=1):
        if one.get("amount") is not None:
            amount = Decimal(str(one["amount"]))
        elif one.get("percent") is not None:
            amount = (line.amount * Decimal(str(one["percent"])) / 100).quantize(unit)
        else:
            refusals.faults.append(f"{shown}: a share has neither amount nor percent")
            return
        if index == len(splits) and one.get("amount") is None:
            amount = left
        left -= amount
        yield str(one.get("account") or account), str(one.get("cost_center") or ""), amount
    if left:
        refusals.faults.append(f"{shown}: its shares leave {left} of {line.amount}")


def _key_of(row: Cells) -> str:
    return voucher_key(row.text("DOC"), row.text("DCT"), row.text("KCO"))


def _filled(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value != ""}


def _plain(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs that are single values; the rest of an answer is the site's own and may be anything."""
    return {str(name): str(value) for name, value in outputs.items() if isinstance(value, (str, int, Decimal))}
