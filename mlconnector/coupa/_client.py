"""The Coupa client: reading and writing over the Core API (Coupa reference)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from mlconnector.check import Check
from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.coupa._api import API, Pairs
from mlconnector.coupa._faults import FAULTS
from mlconnector.coupa._invoice_mapping import to_invoice
from mlconnector.coupa._invoice_target import InvoicesTarget
from mlconnector.coupa._ledger_mapping import to_account, to_invoice_payments, to_payment
from mlconnector.coupa._limiter import Limiter
from mlconnector.coupa._order_mapping import to_order
from mlconnector.coupa._order_target import PurchaseOrdersTarget
from mlconnector.coupa._query import Where, conditions, ordering
from mlconnector.coupa._reader import Maker, ResourceReader, RowsReader
from mlconnector.coupa._references import References
from mlconnector.coupa._resources import (
    ACCOUNTS,
    INVOICES,
    KINDS,
    MOST_ROWS,
    PAYMENTS,
    PURCHASE_ORDERS,
    RESOURCES,
    SUPPLIERS,
    Resource,
    fields_text,
    resource,
)
from mlconnector.coupa._supplier_mapping import to_supplier
from mlconnector.coupa._supplier_target import SuppliersTarget
from mlconnector.coupa._targets import RecordTarget
from mlconnector.coupa._token import CoupaToken
from mlconnector.documents import Account, Document, Invoice, Payment, PurchaseOrder, Supplier
from mlconnector.errors import ConnectionFailed, DeliveryInDoubt, InvalidArgument, VendorFault
from mlconnector.http import Connector, HTTPClient, Retry, Timeout, TokenManager, Transport
from mlconnector.records import Reader, Records, Since
from mlconnector.target import Receipt, Target

__all__ = ["Coupa"]

_OVERLAP = dt.timedelta(minutes=10)
"""Late commits and stamps of whole seconds (section 3: "an overlap of a few minutes"; delivery rule 2)."""
_TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path


class Coupa(Connector):
    """One Coupa instance.

    Every reader takes ``since`` (an aware datetime, inclusive, or a saved cursor; ``None``: everything), ``until`` (an
    aware instant; such a read leaves no cursor), ``where`` (conditions ``(column, op, value)`` on the vendor's own
    columns, evaluated there or refused), ``keys`` (exactly these documents), ``limit`` (at most so many) and ``extra``
    (plain JSON that becomes part of the cursor's filters, for callers of their own), as far as it has them, and hands
    back :class:`~mlconnector.records.Records`. ``rows`` and ``count`` take the vendor's ``name`` of a table, resource
    or query; ``options`` of ``read`` are those of the reader.

    Args:
        url: The instance as its administrator gives it, ``https://acme.coupahost.com``; a trailing ``/api`` is taken
            off.
        auth: ``OAuth2ClientCredentials`` with the client's scopes, blank-separated; its token address is
            ``/oauth2/token`` unless it names another one (section 2).
        chart: Chart of accounts (``account-type``) of account codes; ``None`` where a code is in one chart only.
        ship_to_user: Login of the Coupa user who is ``ship-to-user`` of orders (section 6).
        payments: Where payments are read: ``"coupa_pay"``, or ``"invoices"`` where the customer pays elsewhere and
            payments stand on the invoices only (section 7.2).
        fields: Ask for the elements that are used, instead of everything (section 3). False where an instance does not
            take ``fields``.
        calls_per_second: Of all threads together, at most 25 (section 8).
        page_size: Records a page, at most 50 (section 3).
        max_in_flight: Calls under way at once.
        timeout, retry, verify, cert, proxies, transport, clock: As on every client.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    system = "coupa"
    kinds: tuple[str, ...] = KINDS

    def __init__(
        self,
        url: str,
        *,
        auth: TokenManager,
        chart: str | None = None,
        ship_to_user: str | None = None,
        payments: Literal["coupa_pay", "invoices"] = "coupa_pay",
        fields: bool = True,
        calls_per_second: int = 20,
        page_size: int = MOST_ROWS,
        max_in_flight: int | None = None,
        timeout: float | Timeout | None = None,
        retry: Retry | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        transport: Transport | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if type(page_size) is not int or not 1 <= page_size <= MOST_ROWS:
            raise InvalidArgument(f"page_size={page_size!r} is not 1 to {MOST_ROWS}.", cure="Use 50 (reference, 3).")
        if payments not in ("coupa_pay", "invoices"):
            raise InvalidArgument(f"payments={payments!r}.", cure='Use "coupa_pay" or "invoices".')
        parts = urlsplit(url)
        if parts.path.rstrip("/") not in ("", "/api"):
            raise InvalidArgument(f"url={url!r} goes beyond the instance.", cure="Give scheme, host and port.")
        if not isinstance(auth, TokenManager):
            raise InvalidArgument(
                f"auth={type(auth).__name__} is no token manager.", cure="Give OAuth2ClientCredentials."
            )
        use_path = getattr(auth, "use_path", None)
        if use_path is not None:
            use_path(_TOKEN_PATH)
        self._token = CoupaToken(auth)
        self._http = HTTPClient(
            f"{parts.scheme}://{parts.netloc}",
            auth=self._token,
            faults=FAULTS,
            timeout=timeout,
            retry=retry,
            max_in_flight=max_in_flight,
            verify=verify,
            cert=cert,
            proxies=proxies,
            transport=transport,
            clock=clock,
            before_send=Limiter(calls_per_second, clock),
        )
        self._chart, self._ship_to_user, self._payments = chart, ship_to_user, payments
        self._page_size = page_size
        self._api = API(self._http, fields)
        self._references = References(self._api, clock)

    # Reading

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
        """Suppliers of any status; drafts are not ready. Keys are Coupa's ids, as of every kind.

        Args:
            since: An aware datetime, a cursor, or everything. ``until``: nothing stamped after it.
            where: Further conditions, ``("status", "=", "active")``, associations with a dot. ``keys``: exactly these.
            limit: At most this many. ``extra``: merged into the cursor's filters, for callers of their own.
        """
        return self._records(SUPPLIERS, "suppliers", to_supplier, since, until, where, keys, limit, extra)

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
        """Orders with their lines; those not yet issued are not ready."""
        return self._records(PURCHASE_ORDERS, "purchase_orders", to_order, since, until, where, keys, limit, extra)

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
        """Invoices with their lines; ready once approved, or voided (section 7.2). ``origin`` tells who made them."""
        return self._records(INVOICES, "invoices", to_invoice, since, until, where, keys, limit, extra)

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
        """Payments of Coupa Pay, or those recorded on invoices, by ``payments=`` of the client.

        The first are ready once the money is on its way. Keys of the second are ``invoice id/payment id``.
        """
        if self._payments == "invoices":
            filters = {**(extra or {}), "payments": "invoices"}
            return self._records(INVOICES, "payments", to_invoice_payments, since, until, where, keys, limit, filters)
        return self._records(PAYMENTS, "payments", to_payment, since, until, where, keys, limit, extra)

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
        """Accounts of every chart; ``number`` is the code, ``extras`` has ``chart`` and ``segments`` (section 5.4)."""
        return self._records(ACCOUNTS, "accounts", to_account, since, until, where, keys, limit, extra)

    def rows(
        self,
        name: str,
        *,
        columns: Sequence[Any] | None = None,
        where: Where | None = None,
        order_by: Sequence[str] | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Records[dict[str, Any]]:
        """Records of any collection, as Coupa sends them: dashed names, decimals as text.

        Args:
            name: The collection, ``"suppliers"``, ``"coupa_pay/payments"``, ``"suppliers/7/addresses"``.
            columns: Names, or ``{association: [names]}``, for ``fields``; ``id`` is added. ``None``: Coupa's choice.
            where: ``(column, op, value)`` joined by AND, pushed down.
            order_by: One column, ``-`` first for descending; read by offset, so rows that move may be missed or
                repeated. Without it rows are walked by id.
            limit: At most this many. ``params``: merged into the request untouched.
        """
        query = [*conditions(where or ()), *ordering(order_by or ())]
        if columns is not None:
            names = columns if "id" in columns else ["id", *columns]
            query.append(("fields", fields_text(names)))
        query += [(str(key), str(value)) for key, value in (params or {}).items()]
        reader = RowsReader(self._api, name, _path_of(name), tuple(query), ordered=bool(order_by))
        return Records(reader, limit=limit)

    def count(self, name: str, where: Where | None = None) -> int:
        """How many records fit. Coupa tells no totals (section 3): the ids are walked, 50 a call."""
        query: Pairs = [*conditions(where or ()), ("fields", fields_text(["id"]))]
        return sum(len(page.rows) for page in self._api.walk(_path_of(name), query))

    # Writing

    def save_supplier(self, supplier: Supplier, **options: Any) -> Receipt:
        """Create a supplier, or update what the ERP owns of it, found by its number.

        Args:
            supplier: The document. ``options``: as of ``target("suppliers")``.

        Raises:
            InvalidDocument: It cannot go as it is, with every fault. ``UnknownReference``: with every miss.
            TargetChanged: Coupa kept it otherwise than it was sent, or its name belongs to another supplier.
            DeliveryInDoubt: An answer was lost; saving again looks first.
        """
        return self._target("suppliers", options).save(supplier)

    def save_purchase_order(self, order: PurchaseOrder, **options: Any) -> Receipt:
        """Create or update an external order and issue it; a cancelled one is closed. Raises as ``save_supplier``.

        Args:
            order: The document. ``options``: as of ``target("purchase_orders")``.
        """
        return self._target("purchase_orders", options).save(order)

    def save_invoice(self, invoice: Invoice, **options: Any) -> Receipt:
        """Create an invoice as a draft, or update ours while it is one. Raises as ``save_supplier``.

        Args:
            invoice: The document. ``options``: as of ``target("invoices")``, ``submit=True`` submits it.
        """
        return self._target("invoices", options).save(invoice)

    def submit_invoice(self, id: str | int) -> Receipt:  # noqa: A002 - the public name
        """Submit a draft, once.

        Args:
            id: Coupa's id of the invoice.

        Raises:
            RequestRefused: Coupa refused; nothing was done.
            DeliveryInDoubt: No answer came: look at the invoice's status, ``draft`` means not submitted.
        """
        number = _id_of(id)
        try:
            record = self._api.write("PUT", f"{INVOICES.path}/{number}/submit", None, INVOICES)
        except (ConnectionFailed, VendorFault) as error:
            if error.repeat_safe or getattr(error, "refused", False):
                raise
            raise DeliveryInDoubt(
                f"Submitting invoice {number} got no answer: {error.message}",
                cure="Look at its status in Coupa: draft means that it was not submitted.",
                system=self.system,
            ) from None
        return Receipt(system=self.system, id=number, raw={"status": (record or {}).get("status")}, steps=("submit",))

    def mark_exported(self, kind: str, id: str | int) -> Receipt:  # noqa: A002 - the public name
        """Set ``exported``, in a request of its own (section 4).

        The flag is one for all integrations of the instance: set it only where this job is the only one that reads it.

        Args:
            kind: ``"invoices"``, ``"purchase_orders"``, ``"payments"`` ... ``id``: Coupa's id.
        """
        number, source = _id_of(id), resource(kind)
        record = self._api.mark_exported(source.path, number, action=source is PAYMENTS)
        return Receipt(system=self.system, id=number, raw={"exported": (record or {}).get("exported")})

    def target(self, kind: str, **options: Any) -> Target[Any]:
        """A way of delivering: ``"suppliers"``, ``"purchase_orders"`` or ``"invoices"``.

        Args:
            kind: What is delivered.
            options: See :class:`SuppliersTarget`, :class:`PurchaseOrdersTarget`, :class:`InvoicesTarget`.

        Raises:
            InvalidArgument: Another kind, or an option that the target does not have.
        """
        return self._target(kind, options)

    def check(self) -> Check:
        """Prove the connection step by step, and say which scopes the client really has; writes nothing."""
        from mlconnector.coupa._check import check

        return check(self._api, self._token, coupa_pay=self._payments == "coupa_pay")

    def _target(self, kind: str, options: Mapping[str, Any]) -> RecordTarget:
        kinds: dict[str, type[RecordTarget]] = {
            "suppliers": SuppliersTarget,
            "purchase_orders": PurchaseOrdersTarget,
            "invoices": InvoicesTarget,
        }
        if kind not in kinds:
            raise InvalidArgument(f"kind={kind!r} is no target of Coupa.", cure=f"Use one of {', '.join(kinds)}.")
        given: dict[str, Any] = {"chart": self._chart, **options}
        if kind == "purchase_orders":
            given = {"ship_to_user": self._ship_to_user, **given}
        try:
            return kinds[kind](self._api, self._references, **given)
        except TypeError as error:
            raise InvalidArgument(
                f"options={sorted(options)!r} do not fit the target {kind!r}: {error}", cure="See the target's class."
            ) from None

    def _records(  # noqa: PLR0917 - private; the readers' common options
        self,
        source: Resource,
        kind: str,
        make: Maker,
        since: Since,
        until: dt.datetime | None,
        where: Where | None,
        keys: Sequence[str] | None,
        limit: int | None,
        extra: Mapping[str, Any] | None,
    ) -> Records[Any]:
        checked = tuple(conditions(where or ()))
        filters = {"where": [list(pair) for pair in checked], **(extra or {})}
        reader: Reader[Document] = ResourceReader(
            self._api, source, kind, make, checked, filters, _OVERLAP, self._page_size
        )
        return Records(reader, since=since, until=until, keys=keys, limit=limit)


def _path_of(name: str) -> str:
    known = RESOURCES.get(name)
    path = name.strip("/").removeprefix("api/")
    if not path:
        raise InvalidArgument(f"name={name!r} names no collection.", cure='Name it like "suppliers".')
    return known.path if known is not None else f"/api/{quote(path)}"


def _id_of(value: str | int) -> str:
    text = str(value).strip()
    if isinstance(value, bool) or not text.isascii() or not text.isdecimal():
        raise InvalidArgument(f"id={value!r} is no id of Coupa.", cure="Give the whole number, as Receipt.id has it.")
    return text
