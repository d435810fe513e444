"""What the simulated Coupa works out by itself and what it refuses, by resource (reference, sections 5 to 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from mlconnector.testing._coupa_schema import dashed
from mlconnector.testing._coupa_store import Database, Row, whole_number

__all__ = ["derive", "faults", "makes_version", "normalized", "recorded_payments_named"]

_CENT = Decimal("0.0001")
_CHARGES = ("shipping-amount", "handling-amount", "misc-amount")
_VERSIONED = ("quantity", "price", "item")


def normalized(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A body in the one shape the writer reads: the accepted shapes of ``payments`` as a list (section 7.1)."""
    plain = {dashed(str(name)): value for name, value in body.items()}
    if kind == "invoices" and isinstance(plain.get("payments"), Mapping | list):
        rows = plain["payments"]
        if isinstance(rows, Mapping):
            rows = rows.get("payment", rows)
        plain["payments"] = [_payment(row) for row in (rows if isinstance(rows, list) else [rows])]
    return plain


def _payment(row: Any) -> Any:
    if not isinstance(row, Mapping):
        return row
    plain = {dashed(str(name)): value for name, value in row.items()}
    number = plain.pop("check-number", None)
    return plain if number is None or plain.get("notes") else {**plain, "notes": number}


def derive(database: Database, row: Row) -> None:
    """Fill in what follows from the rest: totals, numbers of lines, codes, links."""
    _DERIVE.get(row.kind, _nothing)(database, row)


def faults(database: Database, row: Row, before: Row | None, *, repeated_numbers: bool) -> list[str]:
    """What a resource refuses beyond the types and lengths of its attributes.

    Args:
        database: The rows.
        row: The new state.
        before: The old one; None where it is new.
        repeated_numbers: Whether a supplier may use an invoice number again on another day.
    """
    match row.kind:
        case "suppliers":
            return _supplier_faults(row)
        case "accounts":
            return _account_faults(database, row)
        case "purchase_orders":
            return _order_faults(database, row, before)
        case "invoices":
            return _invoice_faults(database, row, before, repeated_numbers=repeated_numbers)
    return []


def _nothing(_database: Database, _row: Row) -> None: ...


def _extended(line: Row, *, by_quantity: bool) -> Decimal | None:
    price, quantity = line.values["price"], line.values["quantity"]
    if price is None:
        return None
    return Decimal((price * quantity if by_quantity and quantity is not None else price).quantize(_CENT))


def _derive_account(_database: Database, row: Row) -> None:
    segments = (row.values[f"segment-{number}"] for number in range(1, 21))
    row.values["code"] = "-".join(segment for segment in segments if segment) or None


def _derive_lookup_value(database: Database, row: Row) -> None:
    parent = database.get("lookup_values", row.values["parent"])
    path = (parent.values["external-ref-code"] if parent else None, row.values["external-ref-num"])
    row.values["external-ref-code"] = "-".join(part for part in path if part) or None


def _derive_order(_database: Database, row: Row) -> None:
    row.values["version"] = row.values["version"] or 1
    row.values["status"] = row.values["status"] or "draft"
    numbers = {line.values["line-num"] for line in row.parts["order-lines"]}
    position = 0
    for line in row.parts["order-lines"]:
        values = line.values
        values["order-header-id"] = row.id
        if values["type"] is None:
            values["type"] = "OrderAmountLine" if values["quantity"] is None else "OrderQuantityLine"
        if values["type"] == "OrderAmountLine":
            values["quantity"] = None
        while values["line-num"] is None:
            position += 1
            if str(position) not in numbers:
                values["line-num"] = str(position)
        numbers.add(values["line-num"])
        values["total"] = _extended(line, by_quantity=values["type"] == "OrderQuantityLine")
    row.values["total"] = _sum(line.values["total"] for line in row.parts["order-lines"])


def _derive_invoice(database: Database, row: Row) -> None:
    values = row.values
    values["status"] = values["status"] or "draft"
    if values["is-credit-note"] is not None or values["document-type"] is None:
        values["document-type"] = "Credit Note" if values["is-credit-note"] else "Invoice"
    lines = row.parts["invoice-lines"]
    charts = set()
    for position, line in enumerate(lines, start=1):
        if line.values["line-num"] is None:
            line.values["line-num"] = position
        if line.values["type"] is None:
            line.values["type"] = "InvoiceAmountLine" if line.values["quantity"] is None else "InvoiceQuantityLine"
        line.values["total"] = _extended(line, by_quantity=line.values["type"] == "InvoiceQuantityLine")
        ordered = _link_to_order(database, line)
        if ordered is not None and line.values["account"] is None and not line.parts["account-allocations"]:
            line.values["account"] = ordered.values["account"]
        account = database.get("accounts", line.values["account"])
        charts.add(account.values["account-type"] if ordered is not None and account is not None else None)
    if values["account-type"] is None and len(charts) == 1:
        # Lines of orders alone are taken without a chart by one program in use (section 7).
        values["account-type"] = charts.pop()
    net = _sum(line.values["total"] for line in lines) + _sum(values[name] for name in _CHARGES)
    for charge in row.parts["invoice-charges"]:
        # Which of the two names it is called by is not documented.
        named = charge.values["total"] if charge.values["amount"] is None else charge.values["amount"]
        charge.values["amount"] = charge.values["total"] = named
        net += named or 0
    taxed = [row] if not values["line-level-taxation"] else lines
    tax = _sum(each.values["amount"] for owner in taxed for each in owner.parts["tax-lines"])
    if not values["line-level-taxation"] and not row.parts["tax-lines"]:
        tax = values["tax-amount"] or Decimal(0)
    values["gross-total"] = values["total-with-taxes"] = net + tax


def _link_to_order(database: Database, line: Row) -> Row | None:
    """Link a line by the id of the order line, or by the order's number or id with the line's number (section 7)."""
    values = line.values
    ordered = database.get("purchase_order_lines", values["order-line-id"])
    if ordered is None and values["order-line-num"]:
        names = {values["po-number"], values["order-header-num"]} - {None}
        ordered = next(
            (
                each
                for order in database.rows("purchase_orders")
                if names & {order.values["po-number"], str(order.id)}
                for each in order.parts["order-lines"]
                if each.values["line-num"] == values["order-line-num"]
            ),
            None,
        )
    order = None if ordered is None else database.owner(ordered)
    values["order-line-id"] = None if ordered is None else ordered.id
    values["order-line-num"] = None if ordered is None else ordered.values["line-num"]
    values["order-header-id"] = None if order is None else order.id
    values["order-header-num"] = values["po-number"] = None if order is None else order.values["po-number"]
    return ordered


def _sum(amounts: Any) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


_DERIVE: Mapping[str, Callable[[Database, Row], None]] = {
    "accounts": _derive_account,
    "lookup_values": _derive_lookup_value,
    "purchase_orders": _derive_order,
    "invoices": _derive_invoice,
}


def _supplier_faults(row: Row) -> list[str]:
    found = []
    if row.values["po-method"] == "email" and not row.values["po-email"]:
        found.append("Po email can't be blank")
    if row.values["status"] == "active":
        missing = (name for name in ("primary-contact", "primary-address") if not row.parts[name])
        found += [f"{name.replace('-', ' ').capitalize()} can't be blank" for name in missing]
    return found


def _account_faults(database: Database, row: Row) -> list[str]:
    chart = database.get("account_types", row.values["account-type"])
    if chart is None:
        return []
    if chart.values["dynamic-flag"]:
        return ["Account type is dynamic: its accounts come from lookup values"]
    if not row.values["code"]:
        return ["Segment 1 can't be blank"]
    twin = any(
        other.id != row.id
        and other.values["account-type"] == chart.id
        and database.fold(other.values["code"] or "") == database.fold(row.values["code"])
        for other in database.rows("accounts")
    )
    return ["Code has already been taken"] if twin else []


def _order_faults(database: Database, row: Row, before: Row | None) -> list[str]:
    if before is not None and before.values["status"] in ("closed", "cancelled"):
        return [f"Order is {before.values['status']} and cannot be changed"]
    found = []
    supplier = database.get("suppliers", row.values["supplier"])
    if supplier is not None and supplier.values["status"] != "active":
        found.append("Supplier is not active")
    if before is not None and row.values["version"] < before.values["version"]:
        found.append("Version is lower than the current one")
    numbers = [line.values["line-num"] for line in row.parts["order-lines"]]
    if len(set(numbers)) < len(numbers):
        found.append("Order lines line num has already been taken")
    for line in row.parts["order-lines"]:
        if line.values["type"] == "OrderQuantityLine" and line.values["quantity"] is None:
            found.append("Order lines quantity can't be blank")
        if not _accounted(line):
            found.append("Order lines account can't be blank")
    return found


def _invoice_faults(database: Database, row: Row, before: Row | None, *, repeated_numbers: bool) -> list[str]:
    if before is not None and before.values["status"] in ("voided", "abandoned"):
        return [f"Invoice is {before.values['status']} and cannot be changed"]
    found = ["Invoice lines account can't be blank" for line in row.parts["invoice-lines"] if not _accounted(line)]
    twins = (
        other
        for other in database.rows("invoices")
        if other.id != row.id
        and other.values["supplier"] == row.values["supplier"] is not None
        and database.fold(other.values["invoice-number"] or "") == database.fold(row.values["invoice-number"] or "")
    )
    if any(not repeated_numbers or twin.values["invoice-date"] == row.values["invoice-date"] for twin in twins):
        found.append("Invoice number has already been taken")
    return found


def _accounted(line: Row) -> bool:
    shares = line.parts["account-allocations"]
    return line.values["account"] is not None or (
        bool(shares) and all(share.values["account"] is not None for share in shares)
    )


def recorded_payments_named(body: Mapping[str, Any]) -> bool:
    """Whether a body wants to change a payment that is recorded already, which Coupa cannot (section 7.1)."""
    rows = body.get("payments")
    return isinstance(rows, list) and any(
        isinstance(row, Mapping) and whole_number(row.get("id") or "") is not None for row in rows
    )


def makes_version(before: Row, after: Row) -> bool:
    """Whether a change of an order makes a new version: a line more or less, a quantity, price or item (section 6)."""
    old, new = (
        {line.id: [line.values[name] for name in _VERSIONED] for line in row.parts["order-lines"]}
        for row in (before, after)
    )
    return old != new
