"""Payments to 820: a remittance advice, or on a route to a bank the order to pay (section 7; rule B30).

NACHA files and pain.001 are out of scope: a bank that takes no 820 is paid from the ERP.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import attrs

from mlconnector.documents import Application, Invoice, Party, Payment, ReadOnly
from mlconnector.errors import InvalidArgument
from mlconnector.x12._draft import Draft
from mlconnector.x12._format import date, number
from mlconnector.x12._order_parts import references
from mlconnector.x12._partner import Partner
from mlconnector.x12._sets import TransactionSet

__all__ = ["BankAccount", "BankInstruction", "to_820"]

ZERO = Decimal(0)
METHODS: Mapping[str, str] = ReadOnly({"check": "CHK", "ach": "ACH", "wire": "FWT", "card": "CCC"})
"""Payment methods of documents to BPR04 (section 6, element 591)."""

_TRANSFERS = ("ACH", "FWT")
_NEVER_SENT = ("voided", "stopped")
_DIGITS = 18
_BANK = re.compile("[A-Za-z0-9]{3,12}")
_ACCOUNT = re.compile("[A-Za-z0-9][A-Za-z0-9-]{0,34}")


@attrs.frozen(kw_only=True)
class BankAccount:
    """An account at a bank. The number is not shown by ``repr``, nor by a set that holds it.

    Args:
        bank: The bank's number, 3 to 12 letters and digits; ``bank_kind`` (element 506): ``01`` ABA, ``02`` SWIFT,
            ``03`` CHIPS, ``04`` Canadian.
        number: The account, 1 to 35 letters, digits and hyphens; ``kind``: ``DA`` demand deposit, ``SG`` savings.

    Raises:
        InvalidArgument: A value of another form; an account number is not repeated in the message.
    """

    bank: str
    number: str = attrs.field(repr=False)
    bank_kind: str = "01"
    kind: str = "DA"

    def __attrs_post_init__(self) -> None:
        if self.bank_kind not in ("01", "02", "03", "04") or self.kind not in ("DA", "SG"):
            raise InvalidArgument(
                f"bank_kind={self.bank_kind!r}, kind={self.kind!r} are no known kinds.",
                cure="Use '01' to '04', and 'DA' or 'SG'.",
            )
        if not _matches(_BANK, self.bank):
            raise InvalidArgument(f"bank={self.bank!r} is no bank number.", cure="Give 3 to 12 letters and digits.")
        if not _matches(_ACCOUNT, self.number):
            raise InvalidArgument("The account number has another form.", cure="Give 1 to 35 letters and digits.")


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


@attrs.frozen(kw_only=True)
class BankInstruction:
    """What a bank is told beside the payment itself, on a route with ``role="bank"`` (rule B30).

    Args:
        payer: The account that is debited (BPR06-09). ``payee``: the one that is credited (BPR12-15); needed for ACH
            and wire.
        handling: BPR01: ``C`` payment with remittance, ``D`` payment only, ``P`` prenote, ``U`` split, ``X`` either.
        format: BPR05, ``"CTX"`` for ACH with remittance.

    Raises:
        InvalidArgument: Another handling or format.
    """

    payer: BankAccount
    payee: BankAccount | None = None
    handling: Literal["C", "D", "P", "U", "X"] = "C"
    format: Literal["", "CTX", "CCP", "CCD", "PPD", "PPP"] = ""

    def __attrs_post_init__(self) -> None:
        if self.handling not in ("C", "D", "P", "U", "X"):
            raise InvalidArgument(f"handling={self.handling!r} is none of C, D, P, U, X.", cure="Use one of them.")
        if self.format not in ("", "CTX", "CCP", "CCD", "PPD", "PPP"):
            raise InvalidArgument(f"format={self.format!r} is no payment format.", cure="Use CTX, CCP, CCD, PPD, PPP.")


def to_820(
    payment: Payment,
    partner: Partner,
    *,
    role: Literal["advice", "bank"] = "advice",
    bank: BankInstruction | None = None,
    invoices: Mapping[str, Invoice] | None = None,
    payer: Party | None = None,
) -> TransactionSet:
    """An 820 for a payment: BPR01 ``I`` with BPR05-15 empty, unless it goes to a bank (rule B30).

    Written: BPR TRN CUR REF N1 (PR PE) ENT, then for each invoice RMR REF DTM ADX. RMR04 is the amount paid, RMR05
    what is settled by it, RMR06 the discount; tax withheld is an ADX under its RMR; credits are ``RMR*CM``, negative.

    Args:
        payment: The payment.
        partner: Whom it is for.
        role: ``"advice"``: for the payee. ``"bank"``: an order to pay, with ``bank``.
        bank: Accounts and handling; only for ``role="bank"``.
        invoices: What is known of the invoices, by :attr:`Application.invoice`: gives RMR02 the supplier's own
            number, RMR05 the invoice amount where the partner wants that, REF*PO and DTM*003.
        payer: N1*PR; the partner's ``buyer_name`` when left out.

    Raises:
        InvalidArgument: An unknown role, or ``bank`` without ``role="bank"`` or the other way round.
        InvalidDocument: With every fault; cause ``arithmetic`` names both figures when the invoices do not add up to
            the payment, ``void`` for one that was taken back.
    """
    if role not in ("advice", "bank"):
        raise InvalidArgument(f"role={role!r} is none of 'advice', 'bank'.", cure="Use one of them.")
    if (role == "bank") != (bank is not None):
        raise InvalidArgument(f"role={role!r} with bank={bank!r}.", cure="Give bank= with role='bank', and only then.")
    draft = Draft(partner, f"Payment {payment.number}")
    if payment.void or payment.status.casefold() in _NEVER_SENT:
        draft.fault("void", "the payment was voided or stopped; it is never told as paid")
    _beginning(draft, payment, bank)
    trace = payment.bank_reference or payment.number
    draft.add("TRN", "1", draft.reference(trace, "trace number"), partner.originator)
    references(draft, payment.currency)
    if trace != payment.number:
        draft.add("REF", partner.voucher_reference, draft.reference(payment.number, "payment number"))
    if payment.payee is None:
        draft.fault("payee", "the payee is not known")
    draft.party("PR", payer or Party(name=partner.buyer_name))
    draft.party("PE", payment.payee)
    if bank is None or bank.handling != "D":
        _remittances(draft, payment, invoices or {})
    return draft.complete("820", payment, count=False)


def _beginning(draft: Draft, payment: Payment, bank: BankInstruction | None) -> None:
    amount = payment.amount
    if amount is None:
        draft.fault("amount", "the amount is not known")
    elif amount < 0:
        draft.fault("amount", f"the amount is {number(amount)}; money received is no payment")
    if payment.date is None:
        draft.fault("date", "the payment has no date")
    method = _method(draft, payment.method, bank)
    accounts = [""] * 11
    if bank is not None:
        if bank.payee is None and method in _TRANSFERS:
            draft.fault("bank", f"{method} needs the payee's account")
        originator = draft.partner.originator
        accounts = [bank.format, *_account(bank.payer), originator, "", *_account(bank.payee)]
    draft.add(
        "BPR",
        "I" if bank is None else bank.handling,
        draft.real(amount, "BPR02", _DIGITS),
        "C",
        method,
        *accounts,
        date(payment.date) if payment.date is not None else "",
    )


def _method(draft: Draft, method: str, bank: BankInstruction | None) -> str:
    own = draft.partner.payment_methods
    code = own.get(method) or METHODS.get(method.casefold())
    if code is not None:
        return code
    if bank is not None or (own and method):
        draft.fault("method", f"payment method {method!r} has no X12 code")
    return "NON"


def _account(account: BankAccount | None) -> tuple[str, ...]:
    if account is None:
        return ("", "", "", "")
    return (account.bank_kind, account.bank, account.kind, account.number)


def _remittances(draft: Draft, payment: Payment, invoices: Mapping[str, Invoice]) -> None:
    parts = [(part, False) for part in payment.applications] + [(part, True) for part in payment.credits]
    if not parts:
        draft.fault("applications", "there is no invoice that it pays")
    draft.add("ENT", "1")
    paid = sum((_remittance(draft, part, credit, invoices.get(part.invoice)) for part, credit in parts), ZERO)
    if payment.amount is not None and paid != payment.amount:
        draft.fault("arithmetic", f"the invoices paid are {number(paid)}, the payment is {number(payment.amount)}")


def _remittance(draft: Draft, part: Application, credit: bool, invoice: Invoice | None) -> Decimal:
    """RMR with what stands under it; returns RMR04."""
    place = f"invoice {part.invoice}"
    if part.amount is None:
        draft.fault("amount", f"{place}: the amount paid is not known")
        return ZERO
    credit = credit or part.amount < 0
    paid, discount, withheld = (_signed(value, credit) for value in (part.amount, part.discount, part.withheld))
    gross = paid + discount + withheld
    if draft.partner.remittance_gross == "invoice":
        if invoice is None or invoice.gross is None:
            draft.fault("invoice", f"{place}: the partner wants the invoice amount, which is not known")
        else:
            gross = _signed(invoice.gross, credit)
    own = invoice.supplier_invoice_number if invoice is not None else ""
    draft.add(
        "RMR",
        "CM" if credit else "IV",
        draft.reference(own or part.invoice, f"{place} RMR02"),
        "",
        draft.real(paid, f"{place} RMR04", _DIGITS),
        draft.real(gross, f"{place} RMR05", _DIGITS),
        draft.real(discount, f"{place} RMR06", _DIGITS) if discount else "",
    )
    if invoice is not None and invoice.purchase_order:
        draft.add("REF", "PO", draft.reference(invoice.purchase_order, f"{place} order number"))
    if invoice is not None and invoice.date is not None:
        draft.add("DTM", "003", date(invoice.date))
    if withheld:
        reason = draft.partner.withholding_reason
        if reason is None:
            draft.fault("withheld", f"{place}: {number(withheld)} was withheld, and no ADX02 is agreed for that")
        draft.add("ADX", draft.real(-withheld, f"{place} ADX01", _DIGITS), reason)
    return paid


def _signed(value: Decimal | None, credit: bool) -> Decimal:
    """A credit is negative, whatever sign its source gives it."""
    return -abs(value or ZERO) if credit else value or ZERO
