"""Payments made elsewhere, recorded on their vouchers, or voided (AIS reference, section 6.4; rule B62)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import attrs

from mlconnector.documents import Application, Party, Payment
from mlconnector.errors import DeliveryInDoubt, InvalidArgument, InvalidDocument, TargetChanged
from mlconnector.jdedwards._books import open_amount
from mlconnector.jdedwards._keys import voucher_key
from mlconnector.jdedwards._orchestrator import amount_text
from mlconnector.jdedwards._posting import PostingTarget, Refusals, mark_of, shortened
from mlconnector.target import Change, LookUp, Prepared, Receipt

__all__ = ["PaidItem", "PaymentsTarget"]

_ZERO = Decimal(0)
_MEND = "Look at it in JD Edwards, then settle it: accept what stands there, or void it and replay."


@attrs.frozen
class PaidItem:
    """A pay item that a payment settles: company, type and number of the voucher, pay item, extension."""

    company: str
    type: str
    number: int
    item: str = "001"
    extension: str = ""

    @classmethod
    def of(cls, key: str) -> PaidItem | None:
        """From ``company/type/number``, with ``/item`` and ``/extension``."""
        parts = key.split("/")
        if not 3 <= len(parts) <= 5 or not all(parts[:3]) or not parts[2].isdecimal():
            return None
        return cls(parts[0], parts[1], int(parts[2]), *parts[3:])

    def __str__(self) -> str:
        parts = [self.company, self.type, str(self.number), self.item, self.extension]
        return "/".join(part for part in parts if part)


@attrs.frozen
class _Checked:
    """What the pay items of one payment have in common, and under which address numbers it can be found again."""

    payee: str
    companies: tuple[str, ...]
    currency: str
    suppliers: frozenset[int]


Resolve = Callable[[Application, Payment], str | None]


def _own_key(application: Application, _payment: Payment) -> str | None:
    return application.invoice


def _payee(_application: Application, payment: Payment) -> str | None:
    return None if payment.payee is None else payment.payee.number


class PaymentsTarget(PostingTarget):
    """Payments become one JD Edwards payment each, over all vouchers they settle; voided ones are voided.

    Args:
        bank_account: BankAccountId: the ``AID`` of the clearing account in F0901; by currency where it is a mapping;
            without it each payment names its own in ``extras["bank_account"]``.
        voucher_of: Which pay item an application settles, ``company/type/number/item``; by default its own text.
        supplier_of: Whose invoice an application settles, as the crosswalk knows it, or the address number; the payee's
            by default. A voucher whose number is not known is looked for there by the invoice's mark.
        look_up: ``"reliable"``: the site's orchestration fills F0414.RMK; ``"none"``: it does not; ``"proven"``
            (default): reliable once an earlier record of ours shows it (delivery.md, targets).
        origin: System the payments come from, as their references begin.
        options: Those of every posting target: ``closed_period``, ``settle_after``.
    """

    name = "jdedwards payments"
    sought_by = ("SupplierNumber", "PaymentReference", "Amount")

    def __init__(
        self,
        *args: Any,
        bank_account: str | Mapping[str, str] | None = None,
        voucher_of: Resolve = _own_key,
        supplier_of: Resolve = _payee,
        look_up: Literal["proven", "reliable", "none"] = "proven",
        origin: str = "bill",
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        if look_up not in ("proven", "reliable", "none"):
            raise InvalidArgument(f"look_up={look_up!r}.", cure='Use "proven", "reliable" or "none".')
        accounts: list[Any] = list(bank_account.values()) if isinstance(bank_account, Mapping) else [bank_account]
        if not accounts or not all(one is None or (isinstance(one, str) and one.strip()) for one in accounts):
            raise InvalidArgument(f"bank_account={bank_account!r} is no account id.", cure="Give an AID of F0901.")
        self._bank_account, self._asked_look_up = bank_account, look_up
        self._voucher_of, self._supplier_of = voucher_of, supplier_of
        self._origin, self._proven = origin.upper(), False

    @property
    def look_up(self) -> LookUp:
        """How far looking by our reference can be believed; until it is proven, ``find`` tells absence as doubt."""
        return "none" if self._asked_look_up == "none" else "reliable"

    def _absence_proves(self) -> bool:
        if self._asked_look_up == "proven" and not self._proven:
            self._proven = self._books.references_are_kept(f"{self._origin}:")
        return self._asked_look_up == "reliable" or self._proven

    def content(self, document: Payment) -> str:
        """What was paid to whom; that it was voided counts, other states and what the payee is called do not."""
        payee = None if document.payee is None else Party(number=document.payee.number)
        plain = attrs.evolve(document, status="", waiting_for=(), extras={}, method="", bank_reference="", payee=payee)
        return plain.fingerprint

    def prepare(self, change: Change[Payment]) -> Prepared:
        """Check everything that can be checked before the call; see :class:`~mlconnector.target.Target`."""
        payment, refusals = change.document, Refusals()
        shown, reference = f"payment {payment.number or payment.key}", mark_of(payment)
        shortened(reference, 30, "payment reference", refusals.faults)
        if change.action == "cancel" or payment.void:
            return self._voiding(change, shown, reference, refusals)
        if change.previous is not None:
            raise InvalidDocument(
                f"{shown} changed after it was recorded.",
                cause="changed",
                cure="Compare it with its record in JD Edwards; correct that there, then settle it (delivery rule 14).",
            )
        parts = [*payment.applications, *payment.credits]
        if not parts:
            refusals.faults.append("it names no invoice that it paid")
        paid = self._paid(parts, change, refusals)
        checked = self._checked(paid, payment, refusals)
        payee, currency = checked.payee, checked.currency
        total = sum((one.amount or _ZERO for one in parts), _ZERO)
        if payment.amount is None or total != payment.amount:
            refusals.faults.append(f"its vouchers sum to {total}, the money moved is {payment.amount}")
        if total < 0:
            refusals.faults.append(f"it is over {total}: money moved is never below 0 (section 6.4)")
        gl_date, facts, attention = self._posting(checked.companies, payment.date, refusals)
        discounts = sum((one.discount or _ZERO for one in parts), _ZERO)
        if discounts:
            text = f"A discount of {discounts} was taken; JD Edwards is told the money only, the rest stays open there."
            attention = (*attention, text)
        inputs: dict[str, Any] = {
            "SupplierNumber": payee,
            "PaymentDate": self._orchestrator.date(payment.date or self._today()),
            "GLDate": gl_date,
            "Amount": _text(total, "amount", refusals),
            "CurrencyCode": currency,
            "BankAccountId": self._account_for(payment, currency, refusals),
            "PaymentReference": reference,
        }
        inputs["Vouchers"] = [
            {
                "VoucherCompany": item.company,
                "VoucherType": item.type,
                "VoucherNumber": str(item.number),
                "PayItem": item.item,
                **({"PayItemExtension": item.extension} if item.extension else {}),
                "Amount": _text(amount, str(item), refusals),
            }
            for item, amount in paid.items()
        ]
        rate = payment.extras.get("exchange_rate")
        if rate:
            inputs["ExchangeRate"] = str(rate)
        payload = self._payload("record_payment", inputs, refusals)
        payload = {**self._single_form(payload, refusals), "suppliers": sorted(checked.suppliers)}
        facts |= {
            "orchestration": self._orchestrator.name("record_payment"),
            "vouchers": [str(item) for item in paid],
        }
        prepared = Prepared(payment, payload, reference, describe=facts, attention=attention)
        return self._checked_against(refusals, prepared, shown)

    def find(self, prepared: Prepared) -> Receipt | None:
        """By our reference in F0414, with the payment's header for whether it was voided."""
        payload: Any = prepared.payload
        inputs = payload["inputs"]
        if payload["orchestration"] == "void_payment":
            header = self._books.payment(int(inputs["PaymentId"]))
            done = header is not None and header.date("VDGJ") is not None
            return Receipt(system="jdedwards", id=str(inputs["PaymentId"]), by="marker") if done else None
        rows = self._books.paid_by(payload["suppliers"], inputs["PaymentReference"])
        ids = sorted({row.text("PYID") for row in rows})
        if not ids:
            if prepared.attempt and not self._absence_proves():
                raise DeliveryInDoubt(
                    f"No payment carries {inputs['PaymentReference']}, and none of ours ever did: the site may not"
                    " fill it.",
                    cure="Look for the payment in JD Edwards, then settle it as arrived or not arrived.",
                )
            return None
        if len(ids) > 1:
            raise TargetChanged(
                f"{len(ids)} payments carry {inputs['PaymentReference']}: {', '.join(ids)}.", cure=_MEND
            )
        header = self._books.payment(int(ids[0]))
        if header is None or header.date("VDGJ") is not None:
            raise TargetChanged(f"Payment {ids[0]} was voided.", cure=_MEND, cause="void")
        told = [row for row in rows if row.text("DCTM") != "PO"]
        sums = [abs(sum((row.number(column) or _ZERO for row in told), _ZERO)) for column in ("PAAP", "PFAP")]
        if Decimal(inputs["Amount"]) not in sums:
            raise TargetChanged(f"Payment {ids[0]} is over {sums[0]}, not {inputs['Amount']}.", cure=_MEND)
        return Receipt(system="jdedwards", id=ids[0], by="marker")

    def _receipt(self, prepared: Prepared, outputs: Mapping[str, Any]) -> Receipt:
        payload: Any = prepared.payload
        known = payload["inputs"].get("PaymentId") if payload["orchestration"] == "void_payment" else None
        found = known or str(outputs.get("PaymentId") or "").strip() or None
        plain = {str(name): str(value) for name, value in outputs.items() if isinstance(value, (str, int, Decimal))}
        return Receipt(system="jdedwards", id=found, raw=plain)

    def _voiding(self, change: Change[Payment], shown: str, reference: str, refusals: Refusals) -> Prepared:
        key = change.target_id or self._recorded(change, reference)
        if key is None or not key.isdecimal():
            raise InvalidDocument(f"{shown} was voided and was never recorded here.", cause="void", cure="Nothing.")
        details = self._books.payment_details(int(key))
        foreign = [row.text("RMK") for row in details if row.text("RMK") not in ("", reference)]
        if foreign:
            refusals.faults.append(f"payment {key} carries another reference: {foreign[0]!r}")
        companies = tuple(dict.fromkeys(row.text("KCO") for row in details))
        gl_date, facts, attention = self._posting(companies, None, refusals)
        inputs = {"PaymentId": key, "GLDate": gl_date, "PaymentReference": reference, "Remark": reference}
        payload = self._payload("void_payment", inputs, refusals)
        refusals.raise_if_any(shown)
        facts["orchestration"] = self._orchestrator.name("void_payment")
        return Prepared(change.document, payload, reference, target_id=key, describe=facts, attention=attention)

    def _recorded(self, change: Change[Payment], reference: str) -> str | None:
        payment, refusals = change.document, Refusals()
        payee = self._party(payment.payee, payment, change.crosswalk, refusals)
        if not payee.isdecimal():
            return None
        ids = {row.text("PYID") for row in self._books.paid_by([int(payee)], reference)}
        return ids.pop() if len(ids) == 1 else None

    def _paid(
        self, parts: Sequence[Application], change: Change[Payment], refusals: Refusals
    ) -> dict[PaidItem, Decimal]:
        """What is paid of each pay item; several parts of one payment on the same one are one amount."""
        paid = dict[PaidItem, Decimal]()
        for part in parts:
            key = self._voucher_of(part, change.document) or self._marked(part, change)
            item = None if key is None else PaidItem.of(key)
            if item is None:
                refusals.misses.append(f"invoice {part.invoice} has no voucher here")
            else:
                paid[item] = paid.get(item, _ZERO) + (part.amount or _ZERO)
        return {item: amount for item, amount in paid.items() if amount}

    def _marked(self, part: Application, change: Change[Payment]) -> str | None:
        """The voucher that carries the invoice's mark: its number is not known where a batch has made it (rule B1)."""
        party = Party(number=self._supplier_of(part, change.document) or "")
        supplier = self._party(party, change.document, change.crosswalk, Refusals())
        if not supplier.isdecimal() or not part.invoice:
            return None
        rows = self._books.marked(int(supplier), f"{self._origin}:{part.invoice}")
        live = [row for row in rows if not row.text("VOD")]
        if len(live) != 1:
            return None
        (row,) = live
        return f"{voucher_key(row.text('DOC'), row.text('DCT'), row.text('KCO'))}/{row.text('SFX')}"

    def _checked(self, paid: Mapping[PaidItem, Decimal], payment: Payment, refusals: Refusals) -> _Checked:
        """Payee, company and currency, the same for all; what is paid is open (section 6.4)."""
        payees, companies, currencies = dict[str, None](), dict[str, None](), dict[str, None]()
        suppliers = set[int]()
        for item, amount in paid.items():
            companies[item.company] = None
            row = self._books.pay_item(item.company, item.type, item.number, item.item, item.extension)
            if row is None:
                refusals.misses.append(f"pay item {item} is not in F0411")
                continue
            payees[row.text("PYE") or row.text("AN8")] = None
            suppliers |= {int(number) for alias in ("PYE", "AN8") if (number := row.text(alias)).isdecimal()}
            currencies[row.text("CRCD") or row.text("BCRC") or payment.currency or ""] = None
            left = open_amount(row)
            if row.text("VOD"):
                refusals.faults.append(f"pay item {item} is void")
            elif row.text("PST") == "#":
                refusals.faults.append(f"pay item {item} is in a payment group")
            elif not (0 < amount <= left or left <= amount < 0):
                refusals.faults.append(f"pay item {item}: {amount} paid, {left} open")
        for name, found in (("payee", payees), ("currency", currencies)):
            if len(found) > 1:
                refusals.faults.append(f"its vouchers have more than one {name}: {', '.join(found)}")
        currency = next(iter(currencies), payment.currency or "")
        if payment.currency and currencies and payment.currency not in currencies:
            refusals.faults.append(f"paid in {payment.currency}, its vouchers are in {currency}")
        return _Checked(next(iter(payees), ""), tuple(companies), currency, frozenset(suppliers))

    def _account_for(self, payment: Payment, currency: str, refusals: Refusals) -> str:
        if isinstance(self._bank_account, str):
            return self._bank_account
        found = str((self._bank_account or {}).get(currency) or payment.extras.get("bank_account") or "")
        if not found:
            refusals.misses.append(f"no bank account is known for {currency}; set bank_account=")
        return found

    def _single_form(self, payload: dict[str, Any], refusals: Refusals) -> dict[str, Any]:
        """A site whose orchestration takes one voucher only gets it in that form, which cannot name an extension."""
        inputs = payload["inputs"]
        lacks = [miss for miss in refusals.misses if miss.endswith("has no input Vouchers")]
        if not lacks or len(inputs.get("Vouchers", ())) != 1:
            return payload
        (one,) = inputs["Vouchers"]
        if one.get("PayItemExtension", "0") != "0":
            return payload
        single = {name: one[name] for name in ("VoucherCompany", "VoucherType", "VoucherNumber", "PayItem")}
        if self._orchestrator.lacking("record_payment", single):
            return payload
        refusals.misses[:] = [miss for miss in refusals.misses if miss not in lacks]
        rest = {name: value for name, value in inputs.items() if name != "Vouchers"}
        return {**payload, "inputs": {**rest, **single}}


def _text(amount: Decimal, name: str, refusals: Refusals) -> str:
    try:
        return amount_text(amount)
    except InvalidDocument as error:
        refusals.faults.append(f"{name}: {error.message}")
        return ""
