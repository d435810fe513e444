"""Invoices to Coupa: drafts, submitted by setting (Coupa reference, section 7; rule B50)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from mlconnector.coupa._api import API, Record
from mlconnector.coupa._compare import differences
from mlconnector.coupa._invoice_mapping import (
    UNTOLD_AMOUNTS,
    InvoiceReferences,
    changed_invoice,
    invoice_body,
    invoice_content,
    invoice_number,
    mark_of,
    origin_of,
    sum_fault,
)
from mlconnector.coupa._order_mapping import Coded
from mlconnector.coupa._order_target import order_number_template
from mlconnector.coupa._plan import Draft
from mlconnector.coupa._references import Asking, References
from mlconnector.coupa._resources import INVOICES
from mlconnector.coupa._targets import RecordTarget
from mlconnector.documents import Invoice, InvoiceLine
from mlconnector.errors import InvalidArgument

__all__ = ["InvoicesTarget"]

_DRAFT = ("", "new", "draft")
_ENDED = ("voided", "abandoned")


class InvoicesTarget(RecordTarget):
    """Invoices, found by supplier and number; created as drafts, linked to the order lines they bill.

    An invoice that is there and does not carry our mark is not ours: it is never written to, even when it is equal
    (delivery rule 7).

    Args:
        submit: Submit the draft; by default it stays one and is never payable in Coupa Pay (rule B50).
        unlinked: A line that bills an order Coupa does not have: ``"park"`` the invoice, or ``"send"`` it unlinked.
        order_number: The number Coupa knows an order by, as for purchase orders; ``{type}`` is ``OP``.
        options: Those of every target: ``chart`` (needed where an invoice's accounts do not tell it), ``account``,
            ``look_up``, ``settle_after``.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    resource = INVOICES
    noun = "invoice"
    follow_up: ClassVar[str | None] = "submit"
    ending: ClassVar[str | None] = "void"

    def __init__(
        self,
        api: API,
        references: References,
        *,
        submit: bool = False,
        unlinked: Literal["park", "send"] = "park",
        order_number: str = "{number}",
        **options: Any,
    ) -> None:
        super().__init__(api, references, **options)
        if not isinstance(submit, bool):
            raise InvalidArgument(f"submit={submit!r}.", cure="Use True or False.")
        if unlinked not in ("park", "send"):
            raise InvalidArgument(f"unlinked={unlinked!r}.", cure='Use "park" or "send".')
        self._submit, self._unlinked = submit, unlinked
        self._template = order_number_template(order_number)

    def content(self, document: Invoice) -> str:
        """What Coupa is told of an invoice (rule B11)."""
        return invoice_content(document)

    def _draft(self, document: Invoice, ask: Asking) -> Draft:
        supplier = ask.supplier(document.supplier, active=False)
        currency, places = ask.currency(document.currency)
        order_lines = self._order_lines(document, ask)

        def coded(index: int, line: InvoiceLine) -> Coded:
            return ask.coded(line, order_line=order_lines.get(index))

        references = InvoiceReferences(
            supplier=supplier,
            chart=None if self._chart is None else {"name": self._chart},
            currency=currency,
            terms=ask.terms(document.terms),
            unit=ask.unit,
            coded=coded,
            links={index: int(line["id"]) for index, line in order_lines.items()},
            places=places,
        )
        body = invoice_body(document, references=references, faults=ask.faults)
        if self._chart is None and len(ask.charts) == 1:
            body["account-type"] = {"name": ask.charts[0]}
        elif self._chart is None and not ask.misses:
            told = f"are of the charts {', '.join(ask.charts)}" if ask.charts else "tell no chart"
            ask.faults.append(f"its accounts {told}; set chart=")
        fault = sum_fault(document)
        if fault:
            ask.faults.append(fault)
        number, party = invoice_number(document), "" if document.supplier is None else document.supplier.number
        return Draft(
            shown=f"invoice {number} of supplier {party}",
            query=self._query_of(body),
            body={**UNTOLD_AMOUNTS, **body},
            new=body,
        )

    def _order_lines(self, document: Invoice, ask: Asking) -> dict[int, Record]:
        found = {}
        for index, line in enumerate(document.lines):
            if line.kind in ("text", "tax") or not line.purchase_order.strip() or not line.order_line.strip():
                continue
            number = self._template.format(number=line.purchase_order, type="OP", company=document.company).strip()
            misses = len(ask.misses)
            record = ask.order_line(number, line.order_line)
            if record is not None:
                found[index] = record
            elif self._unlinked == "send":
                del ask.misses[misses:]
        return found

    def _query_of(self, body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        supplier = body.get("supplier") or {}
        parts = [(f"supplier[{name}]", str(value)) for name, value in supplier.items()]
        return (("invoice_number", str(body["invoice-number"])), *parts)

    def _narrowed(self, rows: Sequence[Record], body: Mapping[str, Any]) -> Sequence[Record]:
        """A number may come again in another year (section 7.1): then the date decides."""
        if len(rows) < 2:
            return rows
        date = {"invoice-date": body["invoice-date"]}
        same = [row for row in rows if not differences(date, row)]
        return same or rows

    def _changed(self, body: Mapping[str, Any], record: Record) -> Mapping[str, Any]:
        return changed_invoice(body, record)

    def _refusal(self, document: Any, record: Record, *, known: bool, differs: bool) -> str:
        shown = f"invoice {record.get('invoice-number')} ({record['id']})"
        if not known and origin_of(str(record.get("internal-note") or "")) != mark_of(document):
            return f"{shown} is in Coupa and was not sent from here."
        status = str(record.get("status") or "").lower()
        if differs and status not in _DRAFT:
            return f"{shown} is {status} in Coupa and no longer a draft; void it there, or accept what it says."
        return ""

    def _follow_up_path(self) -> str | None:
        return "submit" if self._submit else None

    def _followed(self, record: Mapping[str, Any]) -> bool:
        return str(record.get("status") or "").lower() not in _DRAFT

    def _ended(self, record: Mapping[str, Any]) -> bool:
        return str(record.get("status") or "").lower() in _ENDED
