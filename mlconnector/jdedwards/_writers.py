"""Single writes without a ledger: looked up first, sent once (design 4.4; AIS reference, section 6.4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlconnector.documents import Invoice, JournalLine
from mlconnector.errors import ConnectionFailed, InvalidArgument, InvalidDocument, TargetChanged, VendorFault
from mlconnector.jdedwards._books import AccountCode, Books, ClosedPeriod
from mlconnector.jdedwards._orchestrator import Orchestrator, amount_text
from mlconnector.jdedwards._payments_target import PaidItem
from mlconnector.jdedwards._posting import Refusals, doubt
from mlconnector.target import Receipt

__all__ = ["create_journal_entry", "set_pay_status"]

_ZERO = Decimal(0)
_NEVER = ("P", "#")


def set_pay_status(orchestrator: Orchestrator, books: Books, pay_item: str | Invoice, status: str) -> Receipt:
    """Set the pay status of one pay item; repeating is harmless.

    Args:
        pay_item: ``company/type/number/item``, with ``/extension`` where there is one, or a voucher with one pay item.
        status: One character of UDC 00/PS, not ``P`` or ``#``.

    Raises:
        InvalidArgument: No such key, or a status that is never set by hand.
        InvalidDocument: Paid, void, in a payment group, or nothing open.
    """
    item = PaidItem.of(_key_of(pay_item))
    if item is None:
        raise InvalidArgument(f"pay_item={pay_item!r}.", cure='Give it like "00001/PV/300001/001".')
    if len(status) != 1 or status in _NEVER:
        raise InvalidArgument(f"status={status!r}.", cure="Use one character of 00/PS, never P or # (section 6.4).")
    row = books.pay_item(item.company, item.type, item.number, item.item, item.extension)
    if row is None:
        raise InvalidDocument(f"Pay item {item} is not in F0411.", cause="reference", cure="Check the key.")
    if row.text("PST") == status:
        return Receipt(system="jdedwards", id=str(item), existing=True, raw={"previous": status})
    if row.text("VOD") or row.text("PST") in _NEVER or not row.number("AAP"):
        raise InvalidDocument(
            f"Pay item {item} is void, paid, in a payment group or has nothing open (pay status {row.text('PST')}).",
            cause="pay_status",
            cure="Nothing to do here.",
        )
    inputs = {
        "VoucherCompany": item.company,
        "VoucherType": item.type,
        "VoucherNumber": str(item.number),
        "PayItem": item.item,
        "PayStatus": status,
        **({"PayItemExtension": item.extension} if item.extension else {}),
    }
    refusals = Refusals(misses=orchestrator.lacking("set_pay_status", inputs))
    refusals.raise_if_any(f"pay item {item}")
    outputs = orchestrator.call("set_pay_status", inputs)
    return Receipt(system="jdedwards", id=str(item), raw={"previous": str(outputs.get("PreviousPayStatus") or "")})


def _key_of(pay_item: str | Invoice) -> str:
    if not isinstance(pay_item, Invoice):
        return pay_item
    if len(pay_item.pay_items) != 1:
        raise InvalidArgument(
            f"{pay_item.key} has {len(pay_item.pay_items)} pay items.", cure='Name one, like "00001/PV/300001/001".'
        )
    (item,) = pay_item.pay_items
    extension = [item.extension] if item.extension not in ("", "0") else []
    return "/".join([pay_item.key, item.number, *extension])


def create_journal_entry(  # noqa: PLR0917 - called by the client only
    orchestrator: Orchestrator,
    books: Books,
    lines: Sequence[JournalLine],
    reference: str,
    explanation: str,
    closed_period: ClosedPeriod,
    today: dt.date,
) -> Receipt:
    """One balanced journal entry, found again by its reference in F0911.R1.

    Raises:
        InvalidArgument: A reference that is empty or longer than eight characters.
        InvalidDocument: Lines that do not balance, of several companies, dates or currencies; closed period; accounts.
        TargetChanged: A journal with this reference is there, with other amounts.
        DeliveryInDoubt: No answer.
    """
    if not 1 <= len(reference) <= 8:
        raise InvalidArgument(f"reference={reference!r} is not 1 to 8 characters.", cure="Use a number of your own.")
    refusals = Refusals()
    amounts = [(line.debit or _ZERO) - (line.credit or _ZERO) for line in lines]
    if not lines or sum(amounts, _ZERO):
        refusals.faults.append(f"its lines sum to {sum(amounts, _ZERO)}, not 0")
    heads = {(line.company, line.date, line.currency) for line in lines}
    if len(heads) > 1:
        refusals.faults.append("its lines are of several companies, dates or currencies")
    company, asked, currency = next(iter(heads), ("", None, None))
    posting = books.posting(company, asked or today, closed_period, refusals.faults, journals=True)
    rows, codes = [], []
    for line, amount in zip(lines, amounts, strict=True):
        code = AccountCode.of(line.account) or AccountCode.of(f"{line.cost_center}.{line.account}")
        if code is None:
            refusals.misses.append(f"account {line.account!r} is no business unit and object")
            continue
        codes.append(code)
        rows.append(_row(code, amount, line.description))
    books.accounts(codes, refusals.misses)
    inputs: dict[str, Any] = {
        "Company": company,
        "GLDate": orchestrator.date(posting.date),
        "Explanation": explanation[:30],
        "CurrencyCode": currency or "",
        "Reference": reference,
        "Lines": rows,
    }
    refusals.misses.extend(orchestrator.lacking("create_journal_entry", inputs))
    refusals.raise_if_any(f"journal entry {reference}")
    there = books.journal(reference)
    if there:
        held = sorted((row.text("MCU"), row.text("OBJ"), row.text("SUB"), row.number("AA") or _ZERO) for row in there)
        ours = sorted(
            (code.unit, code.object, code.subsidiary, amount) for code, amount in zip(codes, amounts, strict=True)
        )
        key = "/".join(there[0].text(alias) for alias in ("KCO", "DCT", "DOC"))
        if held != ours:
            raise TargetChanged(
                f"Journal {key} carries {reference!r} and is another one.", cure="Take another reference."
            )
        return Receipt(system="jdedwards", id=key, existing=True)
    try:
        outputs: Mapping[str, Any] = orchestrator.call("create_journal_entry", inputs)
    except (ConnectionFailed, VendorFault) as error:
        raise doubt(
            error,
            f"The journal entry got no answer: {error.message}",
            f"Look in JD Edwards for a journal with R1 {reference!r}; calling again finds it only where the site"
            " fills that column.",
        ) from None
    parts = [str(outputs.get(name) or "").strip() for name in ("DocumentCompany", "DocumentType", "DocumentNumber")]
    raw = {"gl_date": posting.date.isoformat(), "asked_gl_date": posting.asked.isoformat()}
    return Receipt(system="jdedwards", id="/".join(parts) if all(parts) else None, raw=raw)


def _row(code: AccountCode, amount: Decimal, remark: str) -> dict[str, str]:
    values = {
        "BusinessUnit": code.unit,
        "ObjectAccount": code.object,
        "Subsidiary": code.subsidiary,
        "Amount": amount_text(amount),
        "Remark": remark[:30],
    }
    return {name: value for name, value in values.items() if value}
