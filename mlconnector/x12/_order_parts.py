"""What 850 and 860 have in common: the header and the details of a line, in the order the sets fix (section 7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from mlconnector.documents import OrderLine, Party, PurchaseOrder
from mlconnector.x12._content import is_cancelled
from mlconnector.x12._draft import Draft
from mlconnector.x12._format import date, number
from mlconnector.x12._lines import charge
from mlconnector.x12._partner import Terms

__all__ = [
    "assigned_number",
    "check_numbers",
    "fixed_references",
    "header",
    "line_details",
    "line_texts",
    "order_date",
    "order_kind",
    "payment_terms",
    "references",
    "seen_number",
]

BLANKET = "OB"
_HEAD = ""


def seen_number(draft: Draft, order: PurchaseOrder, order_number: str | None) -> str:
    """The order number the partner sees: at most 22 characters (rule B13)."""
    return draft.identifier(order.number if order_number is None else order_number, "order number", 22)


def order_kind(draft: Draft, order: PurchaseOrder) -> tuple[str, str]:
    """BEG02 and BEG04: drop shipment, release with the blanket's number, or the partner's plain type (rule B15)."""
    if order.type == BLANKET:
        draft.fault("type", "a blanket order is never sent, only its releases")
    release = ""
    if order.original_order and draft.partner.release_reference is None:
        release = draft.identifier(order.original_order, "original order", 30)
    if order.drop_ship:
        return "DS", release
    return ("RL" if order.original_order else draft.partner.order_type), release


def order_date(draft: Draft, order: PurchaseOrder) -> str:
    """BEG05, BCH06."""
    if order.date is None:
        draft.fault("date", "the order has no date")
        return ""
    return date(order.date)


def check_numbers(draft: Draft, lines: Sequence[OrderLine]) -> None:
    """Line numbers are how every answer finds its line: unique in the set."""
    if len({line.number for line in lines}) == len(lines):
        return
    for line_number, times in Counter(line.number for line in lines).items():
        if times > 1:
            draft.fault("lines", f"line number {line_number!r} stands {times} times")


def assigned_number(draft: Draft, line: OrderLine) -> str:
    """PO101, POC01: the ERP's own line number, as it is."""
    return draft.identifier(line.number, f"number of line {line.number!r}", 20)


def references(draft: Draft, currency: str | None) -> None:
    """CUR where the currency is not the agreed one, and the partner's fixed REFs."""
    if not currency:
        draft.fault("currency", "the currency is not known")
    elif currency != draft.partner.currency:
        draft.put("CUR", "BY", currency)
    fixed_references(draft)


def fixed_references(draft: Draft) -> None:
    """The partner's fixed REFs."""
    for qualifier, value in draft.partner.references.items():
        draft.add("REF", qualifier, value)


def payment_terms(draft: Draft, code: str, due: str = "") -> None:
    """ITD by the partner's table, or with the due date alone where the table says nothing."""
    found: Terms | None = draft.mapped(draft.partner.terms, code, "terms")
    if found is not None:
        percent = draft.real(found.percent, "ITD03", 6)
        days, net_days = ("" if value is None else str(value) for value in (found.days, found.net_days))
        text = draft.free(found.text, 80, "ITD12")
        draft.add("ITD", found.type, found.basis, percent, "", days, due, net_days, "", "", "", "", text)
    elif due:
        draft.add("ITD", "14", "", "", "", "", due)


def header(draft: Draft, order: PurchaseOrder, lines: Sequence[OrderLine], texts: Mapping[str, Sequence[str]]) -> None:
    """Everything between the beginning segment and the first line. ``texts``: those of :func:`line_texts`."""
    references(draft, order.currency)
    if order.original_order and draft.partner.release_reference is not None:
        blanket = draft.identifier(order.original_order, "original order", 30)
        draft.add("REF", draft.partner.release_reference, blanket)
    if order.buyer:
        draft.add("PER", "BD", draft.free(order.buyer, 60, "PER02"))
    draft.put("FOB", draft.mapped(draft.partner.freight, order.freight, "freight") or "")
    items = [line for line in lines if line.kind != "charge"]
    if len(items) < len(lines):
        for line in lines:
            if line.kind == "charge":
                charge(draft, line)
    payment_terms(draft, order.terms)
    dates = {line.requested_date for line in items if len(line.schedules) < 2}
    if len(dates) == 1 and (common := dates.pop()) is not None:
        draft.add("DTM", "002", date(common))
    _notes(draft, [*order.notes, *texts.get(_HEAD, ())])
    company = Party(number=order.company, name=draft.partner.buyer_name)
    for role, party in (("BY", company), ("SE", order.supplier), ("ST", order.ship_to), ("BT", order.bill_to)):
        if party is not None:
            draft.party(role, party)


def _notes(draft: Draft, notes: Sequence[str]) -> None:
    if not notes:
        return
    messages, as_references = draft.texts(notes, "notes")
    if messages:
        draft.add("N9", "L1", "NOTES")
    draft.segments += messages + as_references


def line_texts(order: PurchaseOrder) -> Mapping[str, Sequence[str]]:
    """Text lines by the number of the line they follow; those before every line stand under ``""`` (rule B14: MSG)."""
    texts: dict[str, list[str]] = {}
    if not any(line.kind == "text" for line in order.lines):
        return texts
    owner = _HEAD
    for line in order.lines:
        if line.kind in ("item", "amount"):
            owner = _HEAD if is_cancelled(order, line) and not line.received_quantity else line.number
        elif line.kind == "text" and line.description:
            texts.setdefault(owner, []).append(line.description)
    return texts


def line_details(draft: Draft, line: OrderLine, quantity: Decimal | None, unit: str, texts: Sequence[str]) -> None:
    """PID, REF, DTM, MSG, SCH, N9 and N1 of a line, of which ``quantity`` and ``unit`` are told."""
    place = f"line {line.number}"
    if line.description and (text := draft.free(line.description, 80, f"{place} PID05")):
        draft.put("PID", "F", "", "", "", text)
    if draft.partner.account_reference is not None or draft.partner.cost_center_reference is not None:
        _line_references(draft, line, place)
    if line.schedules or texts:
        _schedules(draft, line, quantity, unit, texts)
    elif line.requested_date is not None:
        draft.put("DTM", "002", date(line.requested_date))
    if line.ship_to is not None:
        draft.party("ST", line.ship_to)


def _schedules(draft: Draft, line: OrderLine, quantity: Decimal | None, unit: str, texts: Sequence[str]) -> None:
    """DTM, MSG, SCH and N9 of a line."""
    place = f"line {line.number}"
    dated = [one for one in line.schedules if one.date is not None or one.quantity is not None]
    requested = dated[0].date if len(dated) == 1 else line.requested_date
    if len(dated) < 2 and requested is not None:
        draft.put("DTM", "002", date(requested))
    messages, after_schedules = draft.texts(texts, f"{place} text")
    draft.segments += messages
    if len(dated) >= 2:
        total = sum((one.quantity or Decimal(0) for one in dated), Decimal(0))
        if total != quantity:
            told = number(quantity) if quantity is not None else "nothing"
            draft.fault("schedule", f"{place}: the schedules add up to {number(total)}, the line says {told}")
        for one in dated:
            if one.date is None or one.quantity is None:
                draft.fault("schedule", f"{place}: a schedule without date or quantity")
                continue
            draft.add("SCH", draft.real(one.quantity, f"{place} SCH01", 15), unit, "", "", "002", date(one.date))
    draft.segments += after_schedules


def _line_references(draft: Draft, line: OrderLine, place: str) -> None:
    partner = draft.partner
    for qualifier, value, name in (
        (partner.account_reference, line.account, "account"),
        (partner.cost_center_reference, line.cost_center, "cost centre"),
    ):
        if qualifier is None:
            continue
        if value.strip():
            draft.add("REF", qualifier, draft.identifier(value.strip(), f"{place} {name}", 30))
        elif partner.account_required:
            draft.fault("account", f"{place}: the partner requires the {name}")
