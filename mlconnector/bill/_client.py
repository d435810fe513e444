"""The BILL client: reading, writing in bulk, events (BILL reference)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mlconnector.bill._api import LARGEST_PAGE, Api, OnHourlyLimit
from mlconnector.bill._books import Books
from mlconnector.bill._check import check
from mlconnector.bill._events import Subscription, Subscriptions
from mlconnector.bill._faults import FAULTS
from mlconnector.bill._filters import Where, filters, sort
from mlconnector.bill._gate import MOST, Gate, GatedAuth, GatedTransport, default_lock_dir
from mlconnector.bill._invoices import InvoicesTarget
from mlconnector.bill._readers import KINDS, DocumentReader, RowReader
from mlconnector.bill._resources import resource
from mlconnector.bill._session import limit_name
from mlconnector.bill._suppliers import SuppliersTarget
from mlconnector.check import Check
from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.credentials import Secret
from mlconnector.documents import Account, CostCenter, Invoice, Payment, Supplier
from mlconnector.errors import InvalidArgument
from mlconnector.event import Event
from mlconnector.http import Connector, HTTPClient, Request, RequestsTransport, Retry, Timeout, TokenManager, Transport
from mlconnector.records import Records, Since
from mlconnector.target import Change, Receipt, Target

if TYPE_CHECKING:
    from requests.auth import AuthBase
__all__ = ["BILL"]

_PREFIX = "/connect"


class BILL(Connector):
    """BILL's accounts payable: vendors, bills, vendor credits, payments read, webhooks. It never creates a payment.

    At most three calls are under way for a developer key and organization, whatever threads and processes of this
    machine do (section 3).

    Every reader takes ``since`` (an aware datetime, inclusive, or a saved cursor; ``None``: everything), ``until`` (an
    aware instant; such a read leaves no cursor), ``where`` (conditions ``(column, op, value)`` on the vendor's own
    columns, evaluated there or refused), ``keys`` (exactly these documents), ``limit`` (at most so many) and ``extra``
    (plain JSON that becomes part of the cursor's filters, for callers of their own), as far as it has them, and hands
    back :class:`~mlconnector.records.Records`. ``rows`` and ``count`` take the vendor's ``name`` of a table, resource
    or query; ``options`` of ``read`` are those of the reader.

    Args:
        url: ``https://gateway.prod.bill.com/connect``, or ``gateway.stage`` for the sandbox (section 1).
        auth: ``BillSession``, or stored credentials of that kind.
        lock_dir: Where the machine-wide limit is kept; by default in the user's state directory. Several users of one
            developer key on a machine name one folder they all may write to.
        on_hourly_limit: ``"raise"`` ``RateLimited`` when the calls of an hour are used up, or ``"wait"`` for the next.
        page_size: Rows a page, at most 100 (section 4).
        max_in_flight: Calls of this client at once, at most three.
        timeout, retry, verify, cert, proxies, transport, clock: As on every client.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    system = "bill"
    kinds: tuple[str, ...] = tuple(KINDS)

    def __init__(
        self,
        url: str,
        *,
        auth: TokenManager,
        lock_dir: str | Path | None = None,
        on_hourly_limit: OnHourlyLimit = "raise",
        page_size: int = LARGEST_PAGE,
        max_in_flight: int | None = MOST,
        timeout: float | Timeout | None = None,
        retry: Retry | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        transport: Transport | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if type(page_size) is not int or not 1 <= page_size <= LARGEST_PAGE:
            raise InvalidArgument(f"page_size={page_size!r} is not 1 to 100.", cure="Use 100 (BILL reference, 4).")
        if on_hourly_limit not in ("raise", "wait"):
            raise InvalidArgument(f"on_hourly_limit={on_hourly_limit!r}.", cure='Use "raise" or "wait".')
        if max_in_flight is not None and (type(max_in_flight) is not int or not 1 <= max_in_flight <= MOST):
            raise InvalidArgument(f"max_in_flight={max_in_flight!r} is not 1 to 3.", cure="BILL takes three at once.")
        origin, prefix = _address(url)
        self._auth = auth
        use_path = getattr(auth, "use_path", None)
        if use_path is not None:
            use_path(f"{prefix}/v3/login")
        bound = Timeout.of(timeout)
        self._limit = ""
        folder = default_lock_dir() if lock_dir is None else Path(lock_dir)
        self._gate = Gate(folder, self._limit_of, patience=2 * bound.total)
        inner = transport or RequestsTransport(verify=verify, cert=cert, proxies=proxies, pool=MOST)
        self._http = HTTPClient(
            origin,
            auth=auth,
            faults=FAULTS,
            timeout=bound,
            retry=retry or Retry(base=2.0),
            max_in_flight=max_in_flight or MOST,
            transport=GatedTransport(inner, self._gate),
            clock=clock,
            before_send=self._gate.enter,
        )
        self._api = Api(
            self._http, prefix, leave=self._gate.leave, on_hourly_limit=on_hourly_limit, page_size=page_size
        )
        self._books = Books(self._api)
        self._subscriptions = Subscriptions(self._api)

    @property
    def origin(self) -> str:
        """``scheme://host:port#organization``; a ledger is bound to it (rule B3). Stored credentials log in for it."""
        organization = getattr(self._auth, "organization_id", None)
        if organization is None:
            organization = self._detail("organizationId")
            if not organization:
                self._api.log_in()
                organization = self._detail("organizationId")
        return f"{self._http.origin}#{organization}" if organization else self._http.origin

    @property
    def auth(self) -> AuthBase:
        """For calls with plain ``requests`` to BILL; they wait for a place among the three like all others."""
        return GatedAuth(self._http.auth, self._gate)

    def close(self) -> None:
        """Log out and close the connections; a second call does nothing."""
        self._http.close()
        self._gate.leave()

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
        """Vendors, archived ones as not active.

        Args:
            since: An aware datetime, a cursor, or everything. ``until``: nothing stamped after it.
            where: Further conditions in the vendor's field names, pushed down or refused. ``keys``: BILL's ids.
            limit: At most this many. ``extra``: merged into the cursor's filters, for callers of their own.
        """
        return self._records("suppliers", since, until, where, keys, limit, extra)

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
        """Bills, in their vendor's currency; ready once approved, archived ones void, ``origin`` where they were born.

        Vendor credits: ``rows("vendor-credits")``.
        """
        return self._records("invoices", since, until, where, keys, limit, extra)

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
        """Payments with the bills and credits in them; ready from the status at which they are posted (rule B62)."""
        return self._records("payments", since, until, where, keys, limit, extra)

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
        """The chart of accounts."""
        return self._records("accounts", since, until, where, keys, limit, extra)

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
        """Departments. Locations: ``rows("locations")``."""
        return self._records("cost_centers", since, until, where, keys, limit, extra)

    def rows(
        self,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        where: Where | None = None,
        order_by: Sequence[str] | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Records[dict[str, Any]]:
        """Rows as BILL sends them.

        Args:
            name: ``"vendors"``, ``"bills"``, ``"vendor-credits"``, ``"payments"``, ``"chart-of-accounts"``,
                ``"departments"``, ``"locations"``, ``"accounting-classes"``, ``"employees"``, ``"items"``, ``"jobs"``.
            columns: Dotted names (``"invoice.invoiceNumber"``), the keys of the rows then; ``None``: whole records.
            where: ``(field, op, value)`` joined by AND, pushed down or refused.
            order_by: Fields, ``-`` first for descending; refused where BILL cannot. ``limit``: at most this many.
            params: Added to the query untouched.

        Raises:
            InvalidArgument: BILL cannot filter or sort like that, or has no such list.
        """
        listed, conditions, order = resource(name), tuple(where or ()), tuple(order_by or ())
        filters(listed, conditions)
        sort(listed, order)
        reader = RowReader(self._api, listed, columns, conditions, order, dict(params or {}))
        return Records(reader, limit=limit)

    def count(self, name: str, where: Where | None = None) -> int:
        """How many rows fit. BILL tells no total: all pages are read."""
        return sum(1 for _ in self.rows(name, columns=["id"], where=where))

    def save_supplier(self, supplier: Supplier, *, countries: Mapping[str, str] | None = None) -> Receipt:
        """Look a supplier up by name and tax id, then create or change its vendor.

        Args:
            supplier: What the vendor shall say. ``countries``: as in :meth:`target`.

        Raises:
            InvalidDocument: It cannot be a vendor; every fault is listed.
            TargetChanged: It cannot be told from a vendor that is there, or that one is archived.
            DeliveryInDoubt: No proper answer came; save it again, it is looked up first.
        """
        return SuppliersTarget(self._api, self._books, countries=countries).save(supplier, _first)

    def save_invoices(self, invoices: Sequence[Invoice], **options: Any) -> list[Receipt]:
        """Look invoices up by vendor and number, then create them in bulk, or replace those of ours that differ.

        Args:
            invoices: One bill each; the amount is the open one. Negative ones become vendor credits.
            options: As in ``target("invoices", ...)``.

        Returns:
            A receipt for each, in order; ``existing`` where it was there and equal.

        Raises:
            InvalidDocument: At least one cannot go; every fault of all of them is listed, nothing was written.
            UnknownReference: At least one names a vendor, account or cost centre that BILL does not have.
            TargetChanged: A record of that number is not ours, archived, or already scheduled or paid.
            DeliveryInDoubt: A call had no proper answer; save them again, they are looked up first.
        """
        return InvoicesTarget(self._api, self._books, **options).save(list(invoices), _first)

    def target(self, kind: str, **options: Any) -> Target[Any]:
        """A target for a flow.

        Args:
            kind: ``"suppliers"`` or ``"invoices"``; invoices that are negative become vendor credits.
            options: For suppliers ``countries=``, for invoices ``cost_centers=`` and ``look_back=``, for both
                ``home_currency=`` and ``settle_after=``; see the targets.

        Raises:
            InvalidArgument: Another kind, or an option that cannot be meant.
        """
        if kind == "suppliers":
            return SuppliersTarget(self._api, self._books, **options)
        if kind == "invoices":
            return InvoicesTarget(self._api, self._books, **options)
        raise InvalidArgument(f"kind={kind!r}.", cure='Use "suppliers" or "invoices".')

    def subscribe(self, url: str, events: Sequence[str], *, name: str = "mlconnector") -> Subscription:
        """Have events sent to an address; one that is subscribed already is given these events, not a second time.

        Args:
            url: https; what answers there uses ``BillVerifier``.
            events: Types, e.g. ``["payment.updated", "bill.updated"]``, checked against what BILL offers.
            name: What the subscription is called at BILL.

        Returns:
            A receipt with ``security_key``, told once: keep it with your credentials.

        Raises:
            InvalidArgument: Not https, or an event that this organization is not offered.
        """
        return self._subscriptions.subscribe(url, events, name)

    def new_security_key(self, subscription: str) -> Secret:
        """A new key for a subscription, by its id; verify with both until BILL signs with the new one."""
        return self._subscriptions.new_security_key(subscription)

    def events(self, since: dt.datetime, *, subscription: str | None = None) -> Iterator[Event]:
        """What was sent since an instant, each event once, in no promised order: for the time nobody listened.

        Args:
            since: Aware, at most 180 days ago (section 11.1).
            subscription: Only of this one, by id; ``None``: of all of the organization.
        """
        return self._subscriptions.events(since, subscription)

    def check(self) -> Check:
        """Prove the connection step by step; writes nothing (design section 7)."""
        return check(self._api, self._gate)

    def _records(  # noqa: PLR0917 - private; the readers' common options
        self,
        kind: str,
        since: Since,
        until: dt.datetime | None,
        where: Where | None,
        keys: Sequence[str] | None,
        limit: int | None,
        extra: Mapping[str, Any] | None,
    ) -> Records[Any]:
        what, conditions = KINDS[kind], tuple(where or ())
        told = {"filters": filters(what.resource, conditions), **(extra or {})}
        reader = DocumentReader(self._api, kind, what, conditions, told)
        return Records(reader, since=since, until=until, keys=keys, limit=limit)

    def _detail(self, name: str) -> str:
        details: Mapping[str, Any] = getattr(self._auth, "details", {})
        return str(details.get(name) or "")

    def _limit_of(self, request: Request) -> str:
        """Which limit a call counts for: told by a login's own fields, later by what the login brought."""
        fields = request.json
        if isinstance(fields, Mapping) and "devKey" in fields:
            self._limit = limit_name(str(fields["devKey"]), str(fields.get("organizationId")))
        else:
            self._limit = self._detail("limit") or self._limit
        return self._limit or limit_name(self._http.origin, "")


def _address(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    prefix = parts.path.rstrip("/").removesuffix("/v3") or _PREFIX
    if not prefix.endswith(_PREFIX) or parts.query:
        raise InvalidArgument(
            f"url={url!r} does not end with /connect.",
            cure="Give https://gateway.prod.bill.com/connect, or gateway.stage for the sandbox.",
        )
    return f"{parts.scheme}://{parts.netloc}", prefix


def _first(document: Any) -> Change[Any]:
    return Change(document=document, key=document.key)
