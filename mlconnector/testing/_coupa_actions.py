"""The actions below a row's address: issue, close, submit, void ... (Coupa reference, sections 6, 7 and 7.2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import attrs

from mlconnector.testing._coupa_store import Database, Row

__all__ = ["ACTIONS", "Action", "Scene", "Transmission", "transmit"]


@attrs.frozen(kw_only=True)
class Transmission:
    """An order that went out to its supplier.

    Attributes:
        po_number: Which order.
        version: Which version of it.
        method: How: ``"email"``, ``"cxml"``, ``"xml"`` or ``"manual"``.
        at: The simulator's clock.
    """

    po_number: str
    version: int
    method: str
    at: dt.datetime


@attrs.frozen(kw_only=True)
class Scene:
    """What an action works on.

    Attributes:
        database: The rows.
        now: The stamp of what changes.
        submitted_status: What a submitted invoice becomes.
        transmissions: Where orders that go out are written down.
    """

    database: Database
    now: dt.datetime
    submitted_status: str
    transmissions: list[Transmission]


@attrs.frozen
class Action:
    """One action.

    Attributes:
        scopes: Of which one is needed.
        run: Changes the row, or tells why it cannot.
    """

    scopes: tuple[str, ...]
    run: Callable[[Row, Scene], str | None]


def transmit(row: Row, scene: Scene) -> None:
    """Send an order to its supplier, by the supplier's own way unless the order says otherwise."""
    override = row.values["transmission-method-override"]
    if override == "do_not_transmit":
        return
    supplier = scene.database.get("suppliers", row.values["supplier"])
    way = "email" if override == "email" else (supplier.values["po-method"] if supplier is not None else None)
    method = way if way in ("email", "cxml", "xml") else "manual"
    row.values["transmission-status"] = "sent_manually" if method == "manual" else f"sent_via_{method}"
    row.sent = True
    scene.transmissions.append(
        Transmission(po_number=row.values["po-number"], version=row.values["version"], method=method, at=scene.now)
    )


def _moves(
    what: str, source: tuple[str, ...], target: str, *, sends: bool = False
) -> Callable[[Row, Scene], str | None]:
    """An action that leads from one of several statuses to another."""

    def run(row: Row, scene: Scene) -> str | None:
        status = row.values["status"]
        if status not in source:
            return f"Cannot {what} while the status is {status}"
        row.values["status"] = target
        if sends:
            transmit(row, scene)
        return None

    return run


def _close(row: Row, _scene: Scene) -> str | None:
    """The first close is a soft one, the second a hard one."""
    status = row.values["status"]
    if status == "closed" and not row.shut:
        row.shut = True
        return None
    return _moves("close", ("issued",), "closed")(row, _scene)


def _reopen(row: Row, scene: Scene) -> str | None:
    if row.shut:
        return "Cannot reopen an order that was closed for good"
    return _moves("reopen", ("closed",), "issued")(row, scene)


def _submit(row: Row, scene: Scene) -> str | None:
    if row.values["currency"] is None:
        return "Currency can't be blank"
    if not row.parts["invoice-lines"]:
        return "Invoice lines can't be blank"
    return _moves("submit", ("new", "draft", "rejected"), scene.submitted_status)(row, scene)


def _nothing(_row: Row, _scene: Scene) -> str | None:
    return None


def _export(row: Row, scene: Scene) -> str | None:
    row.values |= {"exported": True, "last-exported-at": scene.now}
    return None


def _void_receipt(row: Row, _scene: Scene) -> str | None:
    if row.values["status"] == "voided":
        return "Cannot void while the status is voided"
    row.values["status"] = "voided"
    return None


_NOT_SENT = ("draft", "buyer_hold", "currency_hold", "supplier_hold", "supplier_window_hold", "error")
_IN_APPROVAL = ("pending_approval", "pending_receipt", "pending_action", "on_hold", "ap_hold", "booking_hold")
_ORDER = ("core.purchase_order.write",)
_INVOICE = ("core.invoice.write",)
_BYPASS = ("core.invoice.approval.bypass",)

ACTIONS: Mapping[str, Mapping[str, Action]] = {
    "purchase_orders": {
        "issue": Action(_ORDER, _moves("issue", ("draft", "error"), "issued", sends=True)),
        "issue_without_send": Action(_ORDER, _moves("issue", _NOT_SENT, "issued")),
        "ignore_window_and_issue": Action(
            _ORDER, _moves("issue", ("draft", "supplier_window_hold"), "issued", sends=True)
        ),
        "release_from_buyer_hold": Action(_ORDER, _moves("release", ("buyer_hold",), "issued", sends=True)),
        "close": Action(_ORDER, _close),
        "reopen": Action(_ORDER, _reopen),
        "cancel": Action(_ORDER, _moves("cancel", (*_NOT_SENT, "issued"), "cancelled")),
    },
    "invoices": {
        "submit": Action((*_INVOICE, "core.invoice.create"), _submit),
        "void": Action(("core.invoice.delete",), _moves("void", ("draft", "pending_receipt", "approved"), "voided")),
        "abandon": Action(
            ("core.invoice.delete",),
            _moves("abandon", ("new", "draft", "rejected", "disputed", "invalid", *_IN_APPROVAL), "abandoned"),
        ),
        "dispute": Action(_INVOICE, _moves("dispute", ("draft", *_IN_APPROVAL), "disputed")),
        "withdraw_dispute": Action(_INVOICE, _moves("withdraw the dispute", ("disputed",), "draft")),
        "revalidate_tolerances": Action(_INVOICE, _nothing),
        "restart_approvals": Action(("core.invoice.approval.write",), _nothing),
        "bypass_approvals": Action(_BYPASS, _moves("bypass approvals", _IN_APPROVAL, "approved")),
        "bypass_current_approval": Action(_BYPASS, _moves("bypass approvals", _IN_APPROVAL, "approved")),
    },
    "coupa_pay/payments": {"export": Action(("core.pay.payments.write",), _export)},
    "receiving_transactions": {"void": Action(("core.inventory.receiving.write",), _void_receipt)},
}
"""Resource to the actions below ``/:id``, each called with PUT."""
