"""What is delivered to PeopleSoft: vouchers, and whatever a site takes by message or component (rules B4 and B40)."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from mlconnector.documents import Invoice, PurchaseOrder
from mlconnector.errors import (
    DeliveryInDoubt,
    InvalidArgument,
    InvalidDocument,
    MLConnectorError,
    UnknownReference,
)
from mlconnector.peoplesoft._component import ACTIONS, ComponentInterface
from mlconnector.peoplesoft._lookup import VoucherLookUp, judge
from mlconnector.peoplesoft._matching import Allocation, match_orders, orders_of
from mlconnector.peoplesoft._voucher import component_properties, mark, message_text
from mlconnector.target import Change, LookUp, Prepared, Receipt

if TYPE_CHECKING:
    from mlconnector.peoplesoft._client import PeopleSoft

__all__ = ["HandOverTarget", "VouchersTarget"]

_log = logging.getLogger("mlconnector.peoplesoft")
_WAIT = "Nothing to do while Voucher Build is due; later, look into the Service Operations Monitor."
_BATCH = dt.timedelta(hours=24)
_CALL = dt.timedelta(minutes=15)


class VouchersTarget:
    """Suppliers' invoices become vouchers: by VOUCHER_BUILD message, or by the customer's component interface.

    A message is only queued by its acknowledgment: the delivery stays in doubt until the voucher is seen in AP by our
    mark (rule B4). What is not there is never sent again by itself.

    Args:
        people: The client.
        setid: SETID of the suppliers; by default the invoice's own (``extras["VENDOR_SETID"]``), or the client's only
            one.
        business_unit: Of invoices that name no company; by default the client's only one.
        match_orders: Hold each invoice against its orders before it is sent (rule B40).
        allocation: Chooses the schedule, where several of an order line are open; without it such an invoice parks.
        look_up: ``"present_only"``; a component interface that is looked up by its own query may be ``"reliable"``.
        settle_after: How long after its deadline the effect of a call may still appear.
        look_back: How long before an invoice's date its voucher may have been entered, where vouchers are looked for
            without a query of their own (``voucher_lookup``).

    Raises:
        InvalidArgument: A look-up class that cannot hold, a negative span, or a missing requesting node.
    """

    name = "peoplesoft vouchers"
    batch_size = 1

    def __init__(
        self,
        people: PeopleSoft,
        *,
        setid: str | None = None,
        business_unit: str | None = None,
        match_orders: bool = True,
        allocation: Allocation | None = None,
        look_up: LookUp = "present_only",
        settle_after: dt.timedelta | None = None,
        look_back: dt.timedelta = dt.timedelta(days=60),
    ) -> None:
        self._component = people.voucher_component
        if look_up != "present_only" and (look_up != "reliable" or self._component is None):
            raise InvalidArgument(
                f"look_up={look_up!r}.",
                cure='Use "present_only": a message is staged until Voucher Build runs, so absence proves nothing;'
                ' "reliable" is for a component interface.',
            )
        for option, span in (("settle_after", settle_after), ("look_back", look_back)):
            if span is not None and span < dt.timedelta(0):
                raise InvalidArgument(f"{option}={span!r} is negative.", cure="Give a time span.")
        self.look_up: LookUp = look_up
        self.settle_after = settle_after if settle_after is not None else (_BATCH if self._component is None else _CALL)
        self._people, self._setid, self._unit = people, setid, business_unit
        self._match, self._allocation = match_orders, allocation
        self._lookup = VoucherLookUp(people.source, look_back)
        if self._component is None:
            self._operation = people.messages.operation(people.voucher.operation)
        else:
            self._operation = people.components.operation(self._component, "Create")

    def content(self, document: Invoice) -> str:
        """The whole invoice: a voucher is posted once."""
        return document.fingerprint

    def prepare(self, change: Change[Invoice]) -> Prepared:
        """Hold the invoice against orders and suppliers, and make the message; see :class:`Target`."""
        if change.action != "create":
            raise InvalidDocument(
                f"Invoice {change.key} changed after its voucher was sent.",
                cause="changed",
                cure="The accountant corrects the voucher in PeopleSoft, then drops this revision.",
            )
        invoice = self.completed(change.document)
        setid, attention = self._setid_of(invoice), list[str]()
        if self._match:
            invoice, attention = match_orders(invoice, self._orders(invoice), self._allocation)
        else:
            self._check_supplier(invoice, setid)
        reference = mark(change.key)
        if self._component is None:
            payload = message_text(invoice, setid, reference, self._people.voucher)
        else:
            component = self._component
            properties = component_properties(invoice, setid, reference, self._people.voucher, component)
            payload = self._people.components.body(component, "Create", properties)
        return Prepared(
            invoice,
            payload,
            lambda _control: reference,
            describe={"operation": self._operation.name, "invoice": invoice.supplier_invoice_number, "setid": setid},
            attention=attention,
            key=change.key,
        )

    def completed(self, invoice: Invoice) -> Invoice:
        """With the business unit, where the invoice names none.

        Raises:
            InvalidDocument: No business unit is known, or its number cannot be looked up.
        """
        units = self._people.source.units
        unit = invoice.company or self._unit or (units[0] if len(units) == 1 else "")
        faults = [] if unit else ["no business unit: neither the invoice nor business_unit= names one"]
        if "," in invoice.supplier_invoice_number:
            faults.append(f"invoice number {invoice.supplier_invoice_number!r} holds a comma and cannot be looked up")
        if faults:
            raise InvalidDocument(
                f"Invoice {invoice.supplier_invoice_number} cannot become a voucher.",
                faults=tuple(faults),
                cause="voucher",
                cure="Whoever runs the flow corrects the invoice or the options of the target.",
            )
        return attrs.evolve(invoice, company=unit)

    def find(self, prepared: Prepared) -> Receipt | None:
        """Look in AP and, where the site gives a query, in staging (rule B4); see :class:`Target`.

        What was sent and is only staged is no voucher yet, and Voucher Build may refuse it: that stays in doubt.
        """
        invoice: Invoice = prepared.document
        hits = self._lookup.hits(invoice, self._setid_of(invoice))
        sent = isinstance(prepared.marker, str)
        found = judge(hits, invoice, mark(prepared.key), sent=sent)
        if found is not None and found.pending and sent:
            raise DeliveryInDoubt("It is staged, and no voucher yet.", cure=_WAIT)
        if found is not None and "attention" in found.raw:
            _log.warning("voucher %s: %s", found.id, found.raw["attention"], extra={"key": prepared.key})
        return found

    def deliver(self, batch: Sequence[Prepared]) -> Sequence[Receipt | MLConnectorError]:
        """Send the one voucher of the batch, and look for it."""
        return [self._deliver(prepared) for prepared in batch]

    def send(self, prepared: Prepared) -> Receipt:
        """Send, once; ``pending`` where the answer means no more than queued."""
        payload = str(prepared.payload)
        if self._component is not None:
            answer = self._people.components.send(self._component, "Create", payload)
            parts = [answer.text_of("BUSINESS_UNIT"), answer.text_of("VOUCHER_ID")]
            return Receipt(system="peoplesoft", id="/".join(part for part in parts if part) or None)
        transaction = self._people.messages.send(self._people.voucher.operation, payload)
        return Receipt(system="peoplesoft", id=transaction or None, pending=True, raw={"transaction": transaction})

    def _deliver(self, prepared: Prepared) -> Receipt | MLConnectorError:
        receipt = self.send(prepared)
        if not receipt.pending:
            return receipt
        queued = f"PeopleSoft queued it as transaction {receipt.id}"
        try:
            found = self.find(prepared)
        except DeliveryInDoubt as error:
            return DeliveryInDoubt(f"{queued}. {error.message}", cure=_WAIT)
        except MLConnectorError as error:
            return DeliveryInDoubt(f"{queued}, and the look-up failed: {error.message}", cure=_WAIT)
        return found or DeliveryInDoubt(f"{queued}; it is neither staged nor in AP.", cure=_WAIT)

    def _setid_of(self, invoice: Invoice) -> str:
        setids = self._people.source.setids
        setid = self._setid or str(invoice.extras.get("VENDOR_SETID", "")) or (setids[0] if len(setids) == 1 else "")
        if not setid:
            raise InvalidDocument(
                f"Invoice {invoice.supplier_invoice_number} does not say which SETID its supplier is of.",
                cause="voucher",
                cure="Whoever runs the flow gives the target setid=.",
            )
        return setid

    def _orders(self, invoice: Invoice) -> Mapping[str, PurchaseOrder]:
        keys = [f"{invoice.company}/{number}" for number in orders_of(invoice)]
        found: dict[str, PurchaseOrder] = {}
        for page in self._people.purchase_orders(keys=keys).pages() if keys else ():
            found |= {order.number: order for order in page.documents}
            for rejected in page.rejected:
                raise InvalidDocument(
                    f"Order {rejected.key} of invoice {invoice.supplier_invoice_number} cannot be read.",
                    faults=rejected.faults,
                    cause="order",
                    cure="Correct the order in PeopleSoft, then replay the invoice.",
                )
        return found

    def _check_supplier(self, invoice: Invoice, setid: str) -> None:
        number = "" if invoice.supplier is None else invoice.supplier.number
        if number and not any(one.active for one in self._people.suppliers(keys=[f"{setid}/{number}"])):
            raise UnknownReference(
                f"Supplier {number} of SETID {setid} is not in PeopleSoft, or not approved.",
                cause="supplier",
                cure="The PeopleSoft administrator approves the supplier, or the crosswalk is corrected.",
            )


class HandOverTarget:
    """Hands any document to a message or a component interface of the customer's: acknowledgments, statuses.

    PeopleSoft cannot be asked for it afterwards: a lost answer parks.

    Args:
        people: The client.
        name: Unique within its flow.
        operation: External alias of the message's operation, with its version. ``message``: makes its XML.
        component: The component interface instead. ``action``: ``"Create"``, ``"Update"`` or ``"Updatedata"``.
        properties: Makes what is sent to it, keys first.

    Raises:
        InvalidArgument: Not exactly one way, or one without what makes its content.
    """

    batch_size = 1
    look_up: LookUp = "none"
    settle_after = _CALL

    def __init__(
        self,
        people: PeopleSoft,
        *,
        name: str,
        operation: str | None = None,
        message: Callable[[Any], str] | None = None,
        component: ComponentInterface | None = None,
        action: str = "Update",
        properties: Callable[[Any], Mapping[str, Any]] | None = None,
    ) -> None:
        by_message = operation is not None and message is not None
        by_component = component is not None and properties is not None
        if by_message == by_component or action not in ACTIONS or action in ("Get", "Find"):
            raise InvalidArgument(
                f"target {name!r} with operation={operation!r}, component={component!r}, action={action!r}.",
                cure="Give operation= and message=, or component= and properties= with a writing action.",
            )
        self.name = f"peoplesoft {name}"
        self._people, self._operation, self._message = people, operation, message
        self._component, self._action, self._properties = component, action, properties

    def content(self, document: Any) -> str:
        """The whole document."""
        return str(document.fingerprint)

    def prepare(self, change: Change[Any]) -> Prepared:
        """Make what is sent."""
        if self._component is not None and self._properties is not None:
            properties = self._properties(change.document)
            payload = self._people.components.body(self._component, self._action, properties)
        else:
            assert self._message is not None
            payload = self._message(change.document)
        return Prepared(change.document, payload, None, describe={"operation": self._alias}, key=change.key)

    def find(self, prepared: Prepared) -> Receipt | None:
        """Cannot be asked."""
        raise DeliveryInDoubt(
            f"Nothing tells whether {prepared.key} arrived.",
            cure="Look into the Service Operations Monitor or the component, then settle it.",
        )

    def deliver(self, batch: Sequence[Prepared]) -> Sequence[Receipt | MLConnectorError]:
        """Send each."""
        return [self._deliver(str(prepared.payload)) for prepared in batch]

    def _deliver(self, payload: str) -> Receipt:
        if self._component is not None:
            self._people.components.send(self._component, self._action, payload)
            return Receipt(system="peoplesoft")
        transaction = self._people.messages.send(self._alias, payload)
        return Receipt(system="peoplesoft", id=transaction or None, pending=True, raw={"transaction": transaction})

    @property
    def _alias(self) -> str:
        return self._component.alias(self._action) if self._component is not None else str(self._operation)
