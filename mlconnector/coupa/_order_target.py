"""Purchase orders to Coupa as external orders (Coupa reference, section 6; rules B10, B11, B13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from mlconnector.coupa._api import API, Record
from mlconnector.coupa._order_mapping import OrderReferences, changed_order, order_body, order_content
from mlconnector.coupa._plan import Draft
from mlconnector.coupa._references import Asking, References
from mlconnector.coupa._resources import PURCHASE_ORDERS
from mlconnector.coupa._targets import RecordTarget
from mlconnector.documents import PurchaseOrder
from mlconnector.errors import InvalidArgument

__all__ = ["PurchaseOrdersTarget", "order_number_template"]

_ISSUES = {"without_send": "issue_without_send", "send": "issue", "no": None}
_BEFORE_ISSUE = ("", "draft", "new", "created")
_ENDED = ("closed", "soft_closed", "hard_closed", "cancelled", "canceled")


def order_number_template(template: str) -> str:
    """``order_number=`` checked: fields ``number``, ``type`` and ``company``.

    Raises:
        InvalidArgument: Another field.
    """
    try:
        template.format(number="1", type="OP", company="00001")
    except (KeyError, IndexError, ValueError, AttributeError):
        raise InvalidArgument(
            f"order_number={template!r}.", cure='Use {number}, {type} and {company}, like "{number}-{company}".'
        ) from None
    return template


class PurchaseOrdersTarget(RecordTarget):
    """External purchase orders, found by ``po-number``; created, then issued.

    Args:
        api, references: The client's; ``coupa.target("purchase_orders")`` gives them.
        issue: ``"without_send"`` (the supplier hears nothing of Coupa), ``"send"``, or ``"no"``.
        ship_to_user: Login of the Coupa user who is ``ship-to-user``; Coupa wants one (section 6).
        ship_to_address: Location code for orders whose own ship-to Coupa does not know; ``None`` leaves it out.
        order_number: The number Coupa knows an order by, at most 20 characters, unique (rule B13).
        on_cancel: A cancelled order is closed, ``"close"``, or ``"cancel"``-led.
        options: Those of every target: ``chart``, ``account``, ``look_up``, ``settle_after``.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    resource = PURCHASE_ORDERS
    noun = "purchase order"
    follow_up: ClassVar[str | None] = "issue"
    ending: ClassVar[str | None] = "end"

    def __init__(
        self,
        api: API,
        references: References,
        *,
        issue: Literal["without_send", "send", "no"] = "without_send",
        ship_to_user: str | None = None,
        ship_to_address: str | None = None,
        order_number: str = "{number}",
        on_cancel: Literal["close", "cancel"] = "close",
        **options: Any,
    ) -> None:
        super().__init__(api, references, **options)
        if issue not in _ISSUES:
            raise InvalidArgument(f"issue={issue!r}.", cure=f"Use one of {', '.join(_ISSUES)}.")
        if on_cancel not in ("close", "cancel"):
            raise InvalidArgument(f"on_cancel={on_cancel!r}.", cure='Use "close" or "cancel".')
        for name, value in (("ship_to_user", ship_to_user), ("ship_to_address", ship_to_address)):
            if value is not None and not value.strip():
                raise InvalidArgument(f"{name}={value!r} is empty.", cure="Give what Coupa calls it, or None.")
        self._issue, self._user, self._on_cancel = issue, ship_to_user, on_cancel
        self._ship_to = ship_to_address
        self._template = order_number_template(order_number)

    def content(self, document: PurchaseOrder) -> str:
        """What Coupa is told of an order (rule B11)."""
        return order_content(document)

    def _draft(self, document: PurchaseOrder, ask: Asking) -> Draft:
        number = self._template.format(number=document.number, type=document.type, company=document.company).strip()
        currency, places = ask.currency(document.currency)
        references = OrderReferences(
            supplier=ask.supplier(document.supplier, active=True),
            currency=currency,
            terms=ask.terms(document.terms),
            ship_to=ask.ship_to(document.ship_to, self._ship_to),
            ship_to_user=None if self._user is None else {"login": self._user},
            unit=ask.unit,
            coded=ask.coded,
            places=places,
        )
        body = order_body(document, number=number, references=references, faults=ask.faults)
        return Draft(
            shown=f"purchase order {number}",
            query=(("po_number", number),),
            body=body,
            new=body,
            claim=("order number", "coupa", number),
        )

    def _changed(self, body: Mapping[str, Any], record: Record) -> Mapping[str, Any]:
        return changed_order(body, record)

    def _refusal(self, document: Any, record: Record, *, known: bool, differs: bool) -> str:
        del document, known, differs
        kind = str(record.get("type") or "ExternalOrderHeader")
        if kind == "ExternalOrderHeader":
            return ""
        return f"purchase order {record.get('po-number')} was made in Coupa ({kind}), not by this ERP."

    def _follow_up_path(self) -> str | None:
        return _ISSUES[self._issue]

    def _followed(self, record: Mapping[str, Any]) -> bool:
        return str(record.get("status") or "").lower() not in _BEFORE_ISSUE

    def _ended(self, record: Mapping[str, Any]) -> bool:
        return str(record.get("status") or "").lower() in _ENDED

    def _ending_path(self) -> str:
        return self._on_cancel

    def _query_of(self, body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        return (("po_number", str(body["po-number"])),)
