"""The PeopleSoft client: queries over REST, component interfaces over SOAP, messages (PeopleSoft reference)."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from mlconnector.check import Check
from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.credentials import Secret
from mlconnector.documents import Account, CostCenter, Invoice, Payment, PurchaseOrder, Supplier
from mlconnector.errors import InvalidArgument
from mlconnector.http import Connector, HTTPClient, Retry, Timeout, TokenManager, Transport
from mlconnector.peoplesoft._component import ACTIONS, ComponentInterface, ComponentService
from mlconnector.peoplesoft._faults import FAULTS
from mlconnector.peoplesoft._head_reader import HeadKind, HeadReader
from mlconnector.peoplesoft._invoice_mapping import excluded, to_invoice
from mlconnector.peoplesoft._keyed_mapping import to_account, to_cost_center, to_supplier
from mlconnector.peoplesoft._keyed_reader import MasterReader, PaymentReader
from mlconnector.peoplesoft._message import MessageService
from mlconnector.peoplesoft._options import check_options, narrowed, once, places
from mlconnector.peoplesoft._order_mapping import to_order
from mlconnector.peoplesoft._rows import RowsReader
from mlconnector.peoplesoft._service import QueryService, Result
from mlconnector.peoplesoft._settings import layouts
from mlconnector.peoplesoft._source import Source
from mlconnector.peoplesoft._values import Zone, zone_option
from mlconnector.peoplesoft._voucher import VoucherMessage
from mlconnector.peoplesoft._walk import RowCap
from mlconnector.records import Reader, Records, Since
from mlconnector.target import Change, Receipt, Target

__all__ = ["PeopleSoft"]

Where = Sequence[tuple[str, str, Any]]
_LOOK_BACK: Mapping[str, dt.timedelta] = {
    "purchase_orders": dt.timedelta(days=1),
    "invoices": dt.timedelta(days=1),
    "payments": dt.timedelta(days=31),
    "suppliers": dt.timedelta(0),
    "accounts": dt.timedelta(0),
    "cost_centers": dt.timedelta(0),
}
"""How far behind a cursor is read: prompts are by day (section 3.3), payments are stamped by nothing but their date."""
_TIMEOUT = Timeout(read=180.0, total=300.0)
_ORDERS = HeadKind(
    kind="purchase_orders",
    lines="order_lines",
    all_lines="all_order_lines",
    prompt="PO",
    field="A.PO_ID",
    stamps=("A.LAST_DTTM_UPDATE",),
    excluded=lambda _row: False,
    make=to_order,
)
_INVOICES = HeadKind(
    kind="invoices",
    lines="invoice_lines",
    all_lines="all_invoice_lines",
    prompt="VOUCHER",
    field="A.VOUCHER_ID",
    stamps=("A.LAST_UPDATE_DT", "A.ENTERED_DT"),
    excluded=excluded,
    make=to_invoice,
)


class PeopleSoft(Connector):
    """Oracle PeopleSoft FSCM: reads through queries that the customer builds, writes by message or component interface.

    Every reader takes ``since`` (an aware datetime, inclusive, or a saved cursor; ``None``: everything), ``until`` (an
    aware instant; such a read leaves no cursor), ``where`` (conditions ``(column, op, value)`` on the vendor's own
    columns, evaluated there or refused), ``keys`` (exactly these documents), ``limit`` (at most so many) and ``extra``
    (plain JSON that becomes part of the cursor's filters, for callers of their own), as far as it has them, and hands
    back :class:`~mlconnector.records.Records`. ``rows`` and ``count`` take the vendor's ``name`` of a table, resource
    or query; ``options`` of ``read`` are those of the reader.

    Args:
        url: The web server: scheme, host and port, with the path prefix of a reverse proxy if there is one; anything
            from ``/PSIGW`` on is taken off.
        node: Default local node of the answering database (section 1).
        auth: ``HTTPBasic``, or ``OAuth2ClientCredentials`` (section 2.2).
        business_units: Business units to read orders, vouchers and payments of.
        setids: SETIDs to read suppliers, accounts and departments of.
        queries: The site's query by entity, where it is not the contract's (``{"purchase_orders": "MY_PO"}``);
            ``all_order_lines``, ``all_invoice_lines``, ``voucher_lookup`` and ``staged_vouchers`` are asked only when
            they are named here.
        prompts: The site's prompt by the contract's, for all queries or by entity.
        fields: Contract field by the site's row key, for all queries or by entity.
        owner: ``"PUBLIC"`` or ``"PRIVATE"``. ``operation``: external alias and version of the query operation.
        result: Form of answers that is asked for; either is understood.
        row_cap: Cap of rows in the user's query profile, where it is known; else it is found out as far as possible.
        look_back: By kind, how far behind its cursor a read begins.
        requesting_node: Node that messages come from (section 8). ``node_password``: its password, if it needs one.
        voucher: How vouchers are made. ``voucher_component``: the component interface that creates them, instead of the
            VOUCHER_BUILD message.
        soap_auth: ``HTTPBasic`` for component interfaces, where ``auth`` is not (section 2.3).
        time_zone: Base time zone of the database. ``None``: the offset its stamps show, with a day's margin.
        page_size: Rows a page (``maxrows``).
        max_in_flight: Calls under way at once; each holds a process of the application server (section 10).
        timeout, retry, verify, cert, proxies, transport, clock: As on every client.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    system = "peoplesoft"
    kinds: tuple[str, ...] = ("purchase_orders", "invoices", "payments", "suppliers", "accounts", "cost_centers")

    def __init__(
        self,
        url: str,
        *,
        node: str = "PSFT_EP",
        auth: TokenManager,
        business_units: Sequence[str] = (),
        setids: Sequence[str] = (),
        queries: Mapping[str, Any] | None = None,
        prompts: Mapping[str, Any] | None = None,
        fields: Mapping[str, Any] | None = None,
        owner: Literal["PUBLIC", "PRIVATE"] = "PUBLIC",
        operation: str = "ExecuteQuery.v1",
        result: Result = "JSON",
        row_cap: int | None = None,
        look_back: Mapping[str, dt.timedelta] | None = None,
        requesting_node: str | None = None,
        node_password: str | Secret | None = None,
        voucher: VoucherMessage | None = None,
        voucher_component: ComponentInterface | None = None,
        soap_auth: TokenManager | None = None,
        time_zone: dt.tzinfo | None = None,
        page_size: int = 500,
        max_in_flight: int | None = 2,
        timeout: float | Timeout | None = None,
        retry: Retry | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        transport: Transport | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        check_options(node, owner, operation, result, requesting_node)
        for name, number in (("page_size", page_size), ("row_cap", row_cap)):
            if (number is not None or name == "page_size") and (type(number) is not int or number < 1):
                raise InvalidArgument(
                    f"{name}={number!r} is not a number of rows.", cure="Give a whole number above 0."
                )
        unknown = sorted(set(look_back or {}) - set(self.kinds))
        if unknown or any(span < dt.timedelta(0) for span in (look_back or {}).values()):
            raise InvalidArgument(f"look_back={look_back!r}.", cure=f"Give spans by {', '.join(self.kinds)}.")
        parts = urlsplit(url)
        prefix = parts.path.partition("/PSIGW")[0].rstrip("/")
        self._node, self._look_back = node, {**_LOOK_BACK, **(look_back or {})}
        self._requesting_node, self._node_password = (
            requesting_node,
            (None if node_password is None else Secret(node_password)),
        )
        self._voucher, self._voucher_component = voucher or VoucherMessage(), voucher_component
        self._http = HTTPClient(
            f"{parts.scheme}://{parts.netloc}",
            auth=auth,
            faults=FAULTS,
            timeout=_TIMEOUT if timeout is None else timeout,
            retry=retry,
            max_in_flight=max_in_flight,
            verify=verify,
            cert=cert,
            proxies=proxies,
            transport=transport,
            clock=clock,
        )
        bind = getattr(soap_auth, "bind", None)
        if bind is not None:
            bind(self._http.origin, clock)
        base = f"{prefix}/PSIGW"
        self._source = Source(
            QueryService(self._http, f"{base}/RESTListeningConnector/{node}", node, operation, owner, result),
            layouts(queries, prompts, fields),
            places("business_units", business_units),
            places("setids", setids),
            page_size,
            max_in_flight or 4,
            Zone(zone_option(time_zone)),
            RowCap(row_cap),
            clock,
        )
        self._message_path = f"{base}/HttpListeningConnector"
        self._components = ComponentService(
            self._http, f"{base}/PeopleSoftServiceListeningConnector/{node}", soap_auth or auth
        )

    @property
    def origin(self) -> str:
        """``scheme://host:port`` with the node; a ledger is bound to it (rule B3)."""
        return f"{self._http.origin}#{self._node}"

    @property
    def source(self) -> Source:
        """How queries are asked; for the targets and the check of this package."""
        return self._source

    @property
    def voucher(self) -> VoucherMessage:
        """How vouchers are made."""
        return self._voucher

    @property
    def voucher_component(self) -> ComponentInterface | None:
        """The component interface that creates vouchers, where there is one."""
        return self._voucher_component

    @property
    def components(self) -> ComponentService:
        """Calls component interfaces."""
        return self._components

    @property
    def sends_messages(self) -> bool:
        """A requesting node is set."""
        return self._requesting_node is not None

    @property
    def messages(self) -> MessageService:
        """Sends messages.

        Raises:
            InvalidArgument: No requesting node is set.
        """
        if self._requesting_node is None:
            raise InvalidArgument(
                "requesting_node=None: a message must say which node sends it.",
                cure="The PeopleSoft administrator makes a node for this program; give it as requesting_node=.",
            )
        password = self._node_password or Secret("")
        return MessageService(self._http, self._message_path, self._node, self._requesting_node, password)

    def __repr__(self) -> str:
        return f"PeopleSoft({self._http.origin!r}, node={self._node!r})"

    def purchase_orders(
        self,
        since: Since = None,
        until: dt.datetime | None = None,
        *,
        where: Where | None = None,
        keys: Sequence[str] | None = None,
        limit: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Records[PurchaseOrder]:
        """Whole orders, ready or not (rule B10); found when the header was changed (section 9).

        A page of headers costs a call, the lines one call an order: 1,000 orders of one business unit take 2 calls for
        headers, one that proves the end, and 1,000 for lines, because the query of lines takes one order (section 3.5).
        Where ``queries=`` names ``all_order_lines``, lines of many orders come together: about 10 calls in all.

        Args:
            since: An aware datetime, a cursor, or everything. ``until``: nothing stamped after it.
            where: Only ``("BUSINESS_UNIT", "=" or "in", ...)``: a query is filtered by its prompts alone.
            keys: Exactly these natural keys, ``business unit/number``.
            limit: At most this many. ``extra``: merged into the cursor's filters, for callers of their own.
        """
        return self._headed(_ORDERS, since, until, where, keys, limit, extra)

    def invoices(
        self,
        since: Since = None,
        until: dt.datetime | None = None,
        *,
        where: Where | None = None,
        keys: Sequence[str] | None = None,
        limit: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Records[Invoice]:
        """Whole vouchers, ready or not (rule B21), without templates and deleted ones. Options as for orders."""
        return self._headed(_INVOICES, since, until, where, keys, limit, extra)

    def payments(
        self,
        since: Since = None,
        until: dt.datetime | None = None,
        *,
        where: Where | None = None,
        keys: Sequence[str] | None = None,
        limit: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Records[Payment]:
        """Payments with the vouchers they paid, by payment date: a later change is found within ``look_back``.

        Keys are ``bank SETID/bank/account key/payment id``. Options as for orders.
        """
        units, filters = self._places_of("BUSINESS_UNIT", "business_units", self._source.units, where, extra)
        overlap = self._look_back["payments"]
        reader: Any = PaymentReader(source=self._source, units=units, filters=filters, overlap=overlap)
        return Records(reader, since=since, until=until, keys=keys, limit=limit)

    def suppliers(
        self,
        since: Since = None,
        until: dt.datetime | None = None,
        *,
        where: Where | None = None,
        keys: Sequence[str] | None = None,
        limit: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Records[Supplier]:
        """Suppliers with their current address and location; read in full, because they have no stamp (section 9).

        Keys are ``SETID/number``; ``where`` takes ``SETID``.
        """
        return self._master("suppliers", to_supplier, since, until, where, keys, limit, extra)

    def accounts(
        self,
        since: Since = None,
        until: dt.datetime | None = None,
        *,
        where: Where | None = None,
        keys: Sequence[str] | None = None,
        limit: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Records[Account]:
        """General ledger accounts as they are today; options as for suppliers."""
        return self._master("accounts", to_account, since, until, where, keys, limit, extra)

    def cost_centers(
        self,
        since: Since = None,
        until: dt.datetime | None = None,
        *,
        where: Where | None = None,
        keys: Sequence[str] | None = None,
        limit: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Records[CostCenter]:
        """Departments as they are today; options as for suppliers."""
        return self._master("cost_centers", to_cost_center, since, until, where, keys, limit, extra)

    def rows(
        self,
        name: str,
        *,
        columns: Sequence[str] = (),
        where: Where | None = None,
        order_by: Sequence[str] | None = None,
        limit: int | None = None,
        params: Mapping[str, str] | None = None,
        after: tuple[str, str] | None = None,
    ) -> Records[dict[str, Any]]:
        """Rows of any query, as the server sends them: its own row keys, exact numbers, dates ``YYYY-MM-DD``.

        Args:
            name: The query. ``columns``: unique field names to return; all of them where empty.
            where: Not possible: a query is filtered by its prompts alone. ``order_by``: likewise; the query orders.
            limit: At most this many rows. ``params``: value by prompt, sent untouched, in this order.
            after: ``(prompt, row key)``: the prompt that takes the last key seen and means strictly greater. Queries of
                the contract need none. Without it all rows must come in one answer, and a cap of the user's query
                profile that was not met before goes unnoticed (section 3).

        Raises:
            InvalidArgument: ``where`` or ``order_by``.
        """
        if where or order_by:
            raise InvalidArgument(
                f"where={where!r}, order_by={order_by!r}: a PeopleSoft query takes prompts only.",
                cure="Give params={prompt: value}; the PeopleSoft administrator adds the prompt to the query.",
            )
        values = {prompt: str(value) for prompt, value in (params or {}).items()}
        reader = RowsReader(source=self._source, name=name, params=values, columns=tuple(columns), after=after)
        return Records(reader, limit=limit)

    def create_voucher(self, invoice: Invoice, **options: Any) -> Receipt:
        """Create the voucher of a supplier's invoice, looked up first in AP and, where the site allows it, in staging.

        By message the receipt is ``pending``: queued, and a voucher once Voucher Build has run (section 6).

        Args:
            invoice: Its company is the business unit, its supplier the vendor id, ``supplier_invoice_number`` the key.
            options: Those of ``target("vouchers")``; ``match_orders`` is False here.

        Raises:
            TargetChanged: A voucher with this supplier and number is there, and is other or not ours.
            InvalidDocument: It cannot become a voucher, with every fault.
            DeliveryInDoubt: Sent, and no answer came.
        """
        from mlconnector.peoplesoft._targets import VouchersTarget

        target = VouchersTarget(self, **{"match_orders": False, **options})
        prepared = target.prepare(Change(document=invoice, key=invoice.key))
        found = target.find(prepared.before_intent())
        if found is not None:
            return found
        what = f"a voucher of supplier invoice {invoice.supplier_invoice_number}"
        return once(lambda: target.send(prepared.rendered(None)), f"{what}, in staging, then in AP")

    def run_component(self, component: ComponentInterface, action: str, properties: Mapping[str, Any]) -> Receipt:
        """Call an action of a component interface, once.

        Args:
            component: The component interface. ``action``: ``"Create"``, ``"Update"``, ``"Updatedata"``, ``"Get"`` ...
            properties: Keys first; text, dates, Decimals, mappings, lists of mappings.

        Raises:
            RequestRefused: The component refused to save.
            DeliveryInDoubt: Sent, and no answer came.
            InvalidArgument: An action that component interfaces do not have.
        """
        if action not in ACTIONS:
            raise InvalidArgument(f"action={action!r}.", cure=f"Use one of {', '.join(ACTIONS)}.")
        answer = once(
            lambda: self._components.call(component, action, properties), f"what {action} of {component.name} was to do"
        )
        return Receipt(system=self.system, raw={one.name: one.text.strip() for one in answer.children})

    def post_message(self, operation: str, message: str) -> Receipt:
        """Queue a message, once; the receipt holds its transaction id and is ``pending``.

        Args:
            operation: External alias of the service operation with its version. ``message``: its XML.

        Raises:
            RequestRefused: The Integration Broker refused it.
            DeliveryInDoubt: Sent, and no answer came.
        """
        what = f"transaction of {operation} in the Service Operations Monitor"
        transaction = once(lambda: self.messages.send(operation, message), what)
        return Receipt(system=self.system, id=transaction or None, pending=True, raw={"transaction": transaction})

    def target(self, kind: str, **options: Any) -> Target[Any]:
        """A way of delivering: ``"vouchers"``; ``"acknowledgments"`` or ``"statuses"`` to what the site has for them.

        Raises:
            InvalidArgument: Another kind, or options it does not take.
        """
        from mlconnector.peoplesoft._targets import HandOverTarget, VouchersTarget

        if kind == "vouchers":
            return VouchersTarget(self, **options)
        if kind in ("acknowledgments", "statuses"):
            return HandOverTarget(self, name=kind, **options)
        raise InvalidArgument(
            f"kind={kind!r} is no target of PeopleSoft.", cure='Use "vouchers", "acknowledgments" or "statuses".'
        )

    def check(self) -> Check:
        """Prove the connection step by step; writes nothing (design section 7)."""
        from mlconnector.peoplesoft._check import check

        return check(self, self._http)

    def _headed(  # noqa: PLR0917 - private; the readers' common options
        self,
        spec: HeadKind,
        since: Since,
        until: dt.datetime | None,
        where: Where | None,
        keys: Sequence[str] | None,
        limit: int | None,
        extra: Mapping[str, Any] | None,
    ) -> Records[Any]:
        units, filters = self._places_of("BUSINESS_UNIT", "business_units", self._source.units, where, extra)
        reader: Reader[Any] = HeadReader(
            source=self._source, spec=spec, units=units, filters=filters, overlap=self._look_back[spec.kind]
        )
        return Records(reader, since=since, until=until, keys=keys, limit=limit)

    def _master(  # noqa: PLR0917 - private; the readers' common options
        self,
        kind: str,
        make: Any,
        since: Since,
        until: dt.datetime | None,
        where: Where | None,
        keys: Sequence[str] | None,
        limit: int | None,
        extra: Mapping[str, Any] | None,
    ) -> Records[Any]:
        setids, filters = self._places_of("SETID", "setids", self._source.setids, where, extra)
        reader: Reader[Any] = MasterReader(
            source=self._source,
            kind=kind,
            make=make,
            setids=setids,
            filters=filters,
            overlap=self._look_back[kind],
        )
        return Records(reader, since=since, until=until, keys=keys, limit=limit)

    def _places_of(
        self,
        field: str,
        option: str,
        known: tuple[str, ...],
        where: Where | None,
        extra: Mapping[str, Any] | None,
    ) -> tuple[tuple[str, ...], Mapping[str, Any]]:
        chosen = functools.reduce(functools.partial(narrowed, field), where or (), known)
        if not known:
            raise InvalidArgument(
                f"{option}=() names nothing to read.", cure=f"Give {option}=, as in PeopleSoft, to the client."
            )
        return chosen, {option: list(chosen), **(extra or {})}
