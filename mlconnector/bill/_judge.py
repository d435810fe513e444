"""What a record found at BILL says about a delivery; pure (delivery rules 6, 7 and 12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlconnector.bill._body import FORMS, Form, facts
from mlconnector.bill._mapping import MARK_END
from mlconnector.bill._values import Fields
from mlconnector.errors import DeliveryInDoubt, DocumentError, InvalidDocument, MLConnectorError, TargetChanged
from mlconnector.http import RequestRefused
from mlconnector.target import Prepared, Receipt

__all__ = ["check_untouched", "created", "is_ours", "number_of", "one_error", "parts", "said", "state", "with_line_ids"]

Row = Mapping[str, Any]
_UNTOUCHED = frozenset({"", "UNPAID", "UNDEFINED", "NOT_APPLIED"})
_MONEY = ("paidAmount", "scheduledAmount", "creditAmount", "appliedAmount")


def parts(prepared: Prepared) -> tuple[Form, Row]:
    """The form and the payload of a delivery, fresh or read back from a ledger."""
    payload: Any = prepared.payload
    return FORMS[str(payload["resource"])], payload


def number_of(form: Form, record: Row) -> str:
    """The number of a bill or credit."""
    return Fields(record, []).text(form.number)


def is_ours(body: Row, description: str) -> bool:
    """Whether a record's description carries the mark of the document that was to be written."""
    marks = [text.partition(MARK_END)[0].strip() for text in (str(body["description"]), description)]
    return marks[0] == marks[1]


def said(record: Row) -> dict[str, Any]:
    """Facts of an answer for a receipt."""
    return Fields(record, []).kept("id", "amount", "paymentStatus", "approvalStatus", "status", "updatedTime")


def state(form: Form, payload: Row, record: Row) -> Receipt | None:
    """A receipt where the record is as intended, ``None`` where it still is as before our write.

    Raises:
        TargetChanged: It is something else, or archived.
    """
    key, archived = str(record.get("id")), Fields(record, []).flag("archived")
    told, wanted = facts(form, record), facts(form, payload["body"])
    receipt = Receipt(system="bill", id=key, by="content", raw=said(record))
    if payload["operation"] == "archive":
        if archived:
            return receipt
        if told == wanted:
            return None
    elif archived and payload["operation"] == "restore":
        return None
    elif archived:
        raise TargetChanged(
            f"{key} was archived in BILL.",
            cause="archived",
            cure="Restore it in BILL, or settle it as it stands; a vendor credit cannot be restored.",
        )
    elif told == wanted:
        return receipt
    elif payload.get("base") is not None and told == facts(form, payload["base"]):
        return None
    differing = sorted(name for name in wanted if wanted[name] != told[name])
    raise TargetChanged(
        f"{key} is not as we left it.",
        faults=tuple(f"{key}: {name} was changed in BILL" for name in differing),
        cause="changed",
        cure="Look at it in BILL; settle it as it stands or overwrite it.",
    )


def check_untouched(record: Row) -> None:
    """Nothing was paid, scheduled or applied yet (rule B61).

    Raises:
        TargetChanged: Money is under way; only a person can tell what is to be done.
    """
    fields = Fields(record, [])
    key = fields.text("id")
    if fields.flag("archived"):
        raise TargetChanged(f"{key} was archived in BILL.", cause="archived", cure="Settle it as it stands.")
    status = fields.text("paymentStatus") or fields.text("status")
    moved = [name for name in _MONEY if (fields.number(name) or Decimal(0)) != 0]
    if status not in _UNTOUCHED or moved:
        raise TargetChanged(
            f"{key} is {status or 'used'} in BILL and changed in its source.",
            cause="paid",
            cure="A person decides in BILL: cancel or void the payment, or correct the document; then settles it.",
        )


def with_line_ids(form: Form, body: Row, record: Row) -> dict[str, Any]:
    """A body that replaces a record: lines keep the ids of those in their place, so that a repeat adds none
    (delivery rule 7); approval stays switched on where it was used (BILL reference, section 7).
    """
    ids = [line.get("id") for line in Fields(record, []).rows(form.lines)]
    lines = [
        {**line, **({"id": ids[place]} if place < len(ids) and ids[place] else {})}
        for place, line in enumerate(body[form.lines])
    ]
    return {**body, form.lines: lines, **({"billApprovals": True} if record.get("approvers") else {})}


def created(form: Form, body: Row, record: Row) -> Receipt | MLConnectorError:
    """The receipt for a record that a create answered, unless BILL computed another amount."""
    total = sum((line["amount"] for line in body[form.lines]), Decimal(0))
    told = Fields(record, []).number("amount")
    if told is not None and told != total:
        return TargetChanged(
            f"{record.get('id')} was created with the amount {told} instead of {total}.",
            cause="amount",
            cure="Look at the bill and correct it in BILL; tell BILL's support.",
        )
    return Receipt(system="bill", id=str(record.get("id") or "") or None, raw=said(record))


def one_error(errors: Sequence[MLConnectorError], what: str) -> MLConnectorError:
    """One error for several documents, with every fault; in doubt comes before all others."""
    first = min(errors, key=lambda error: not isinstance(error, DeliveryInDoubt))
    if len(errors) == 1 or not isinstance(first, (DocumentError, RequestRefused)):
        return first
    faults = tuple(
        fault if fault == error.message else f"{error.message.rstrip('.')}: {fault}"
        for error in errors
        for fault in (error.faults if isinstance(error, DocumentError) else (error.message,))
    )
    kind: type[DocumentError] = InvalidDocument if isinstance(first, RequestRefused) else type(first)
    return kind(f"{len(errors)} documents were not saved. {what}", faults=faults, cure=first.cure)
