"""The Oracle Fusion Cloud ERP client: reading over its REST API (Fusion reference)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import attrs

from mlconnector.check import Check
from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.documents import Account, Invoice, JournalLine, Payment, PurchaseOrder, Shipment, Supplier
from mlconnector.errors import InvalidArgument, VendorFault
from mlconnector.fusion._faults import FAULTS
from mlconnector.fusion._invoice_mapping import to_invoices
from mlconnector.fusion._journal_mapping import batch_of, to_journal_lines
from mlconnector.fusion._made import Site
from mlconnector.fusion._master_mapping import to_accounts, to_shipments, to_suppliers
from mlconnector.fusion._order_mapping import to_orders
from mlconnector.fusion._payment_mapping import to_payments
from mlconnector.fusion._query import DateTimes, Where, expression
from mlconnector.fusion._reader import KindReader, RowDocuments
from mlconnector.fusion._resources import BY_NAME, LARGEST_PAGE, RESOURCES, Child, Resource
from mlconnector.fusion._rows import RowsReader
from mlconnector.fusion._service import Service
from mlconnector.fusion._settings import Chart, Gate, ShipmentNames
from mlconnector.http import Connector, HTTPClient, Retry, Timeout, TokenManager, Transport
from mlconnector.records import Records, Since

__all__ = ["OracleFusion"]

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.]*")
_FRAMEWORKS = range(2, 10)
"""Version 1 reads ``q`` in another language (Fusion reference, section 3)."""
_TIMEOUT = Timeout(read=300.0, total=600.0)
"""As public connectors wait; the pod's own limit is not documented (Fusion reference, section 12)."""
_AT_ONCE = 4
"""Calls for children under way at once, where ``max_in_flight`` sets no limit."""
_DOCUMENTS: Mapping[str, RowDocuments] = {
    "invoices": RowDocuments(make=to_invoices),
    "payments": RowDocuments(make=to_payments),
    "journal_lines": RowDocuments(make=to_journal_lines, row_key=batch_of, single=False),
    "suppliers": RowDocuments(make=to_suppliers),
    "accounts": RowDocuments(make=to_accounts),
    "purchase_orders": RowDocuments(make=to_orders),
    "shipments": RowDocuments(make=to_shipments),
}


class OracleFusion(Connector):
    """Oracle Fusion Cloud ERP over REST; reads only.

    Every reader takes ``since`` (an aware datetime, inclusive, or a saved cursor; ``None``: everything), ``until`` (an
    aware instant; such a read leaves no cursor), ``where`` (conditions ``(column, op, value)`` on the vendor's own
    columns, evaluated there or refused), ``keys`` (exactly these documents), ``limit`` (at most so many) and ``extra``
    (plain JSON that becomes part of the cursor's filters, for callers of their own), as far as it has them, and hands
    back :class:`~mlconnector.records.Records`. ``rows`` and ``count`` take the vendor's ``name`` of a table, resource
    or query; ``options`` of ``read`` are those of the reader.

    Args:
        url: The pod, ``https://xxxx.fa.region.oraclecloud.com``; a path is taken off.
        auth: ``OAuth2ClientCredentials`` with the identity domain's ``token_url`` and ``scope``, ``HTTPBasic``, stored
            credentials of such a kind, or a manager of your own (section 4).
        gate: Which documents are ready (rules B10, B21, B30).
        chart: How account combinations are cut.
        shipment_names: Attribute names of ``shipments``.
        resource_version: Version in the path, or ``"latest"``.
        framework_version: ``REST-Framework-Version``, 2 to 9; sent with every call (section 3).
        date_times: How conditions write date-times: ``"offset"`` (ISO 8601 with offset), or ``"plain"``, which reads a
            day more because its zone is not documented (section 6.3).
        overlap: How far behind its watermark a cursor reads again, for rows that were committed late (delivery rule 2).
        page_size: Rows a page, 1 to 499: more are cut silently (section 5).
        max_in_flight: Calls under way at once; no limit of a pod is documented (section 13).
        timeout, retry, verify, cert, proxies, transport, clock: As on every client. Without ``timeout`` an answer may
            take 300 seconds to begin.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    system = "fusion"
    kinds: tuple[str, ...] = tuple(_DOCUMENTS)

    def __init__(
        self,
        url: str,
        *,
        auth: TokenManager,
        gate: Gate | None = None,
        chart: Chart | None = None,
        shipment_names: ShipmentNames | None = None,
        resource_version: str = "11.13.18.05",
        framework_version: int = 4,
        date_times: DateTimes = "offset",
        overlap: dt.timedelta = dt.timedelta(minutes=30),
        page_size: int = 125,
        max_in_flight: int | None = 4,
        timeout: float | Timeout | None = None,
        retry: Retry | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        transport: Transport | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        _validate(page_size, framework_version, resource_version, date_times, overlap)
        self._gate, self._chart = gate or Gate(), chart or Chart()
        self._shipment_names = shipment_names or ShipmentNames()
        self._versions = (resource_version, framework_version)
        self._overlap, self._page_size = overlap, page_size
        parts = urlsplit(url)
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
        self._service = Service(
            self._http,
            resource_version,
            framework_version,
            date_times,
            retry or Retry(),
            at_once=max_in_flight or _AT_ONCE,
        )

    @property
    def gate(self) -> Gate:
        """Which documents are ready."""
        return self._gate

    @property
    def shipment_names(self) -> ShipmentNames:
        """Attribute names of ``shipments``."""
        return self._shipment_names

    @property
    def resource_version(self) -> str:
        """Version in the path."""
        return self._versions[0]

    @property
    def framework_version(self) -> int:
        """What ``REST-Framework-Version`` says."""
        return self._versions[1]

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
        """Whole invoices with lines and installments, ready or not (rule B21); key ``InvoiceId``.

        Found when the header changed. Whether it does when only a line or installment changes is not documented
        (section 8).

        Args:
            since: An aware datetime, a cursor, or everything. ``until``: nothing stamped after it.
            where: Further conditions on the header. ``keys``: exactly these.
            limit: At most this many. ``extra``: merged into the cursor's filters, for callers of their own.
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
        """Payments with the invoices they paid, voided ones too (rule B30); key ``CheckId``."""
        return self._records("payments", since, until, where, keys, limit, extra)

    def journal_lines(
        self,
        since: Since = None,
        until: dt.datetime | None = None,
        *,
        where: Where | None = None,
        keys: Sequence[str] | None = None,
        limit: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Records[JournalLine]:
        """Lines of journals, ready once their batch is posted; key ``batch/journal/line``. ``where`` is on batches."""
        return self._records("journal_lines", since, until, where, keys, limit, extra)

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
        """Suppliers with their addresses; key ``SupplierId``.

        An address has a stamp of its own and may change without its supplier (section 10): read all of them from time
        to time.
        """
        return self._records("suppliers", since, until, where, keys, limit, extra)

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
        """Account combinations, all of them each time: they have no stamp (section 10)."""
        return self._records("accounts", since, until, where, keys, limit, extra)

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
        """Whole orders with lines and schedules, ready or not; key ``POHeaderId``."""
        return self._records("purchase_orders", since, until, where, keys, limit, extra)

    def shipments(
        self,
        since: Since = None,
        until: dt.datetime | None = None,
        *,
        where: Where | None = None,
        keys: Sequence[str] | None = None,
        limit: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Records[Shipment]:
        """Outbound shipments with their lines (rule B31); inbound ones are never read.

        Where the pod does not filter them by stamp, all of them are read each time (section 11).
        """
        return self._records("shipments", since, until, where, keys, limit, extra)

    def rows(
        self,
        name: str,
        *,
        columns: Sequence[str],
        where: Where | None = None,
        order_by: Sequence[str] | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Records[dict[str, Any]]:
        """Rows of any resource as the pod sends them, exact numbers, times as text.

        Args:
            name: Resource, or a path below one. ``columns``: attributes.
            where: ``(attribute, op, value)`` joined by and; op is one of ``= != < <= > >= in between startswith
                contains``. Pushed down, or refused where that cannot be exact (wildcards in a text searched for).
            order_by: Attributes, ``-`` first for descending. Without it, resources this library knows are walked by
                key; others come in the server's order, which is unpredictable (section 5).
            limit: At most this many rows. ``params``: sent untouched, e.g. ``{"finder": "PaidInvoicesFinder;..."}``.
                With ``expand`` in it, rows hold every attribute.

        Raises:
            InvalidArgument: No columns, a name or condition that cannot be meant, parameters that contradict.
        """
        if not columns:
            raise InvalidArgument("columns=[] reads nothing.", cure="Name the attributes.")
        return Records(self._rows(name, columns, where, order_by, params), limit=limit)

    def count(self, name: str, where: Where | None = None, *, estimate: bool = False) -> int:
        """How many rows fit.

        Exact, by reading all keys, 499 a call: the pod's own total is an estimate (section 5).

        Args:
            estimate: Take the pod's estimate, in one call.

        Raises:
            VendorFault: The answer holds no total.
        """
        resource = BY_NAME.get(name)
        reader = self._rows(name, () if resource is None else (resource.key,), where, None, None)
        if not estimate:
            return sum(len(grid.rows()) for grid in reader.grids(LARGEST_PAGE))
        params = {"totalResults": "true", "onlyData": "true", "limit": 1}
        if where:
            params["q"] = expression(where, self._service.date_times)
        answer, _clock = self._service.get(self._service.path(name), params)
        total = answer.get("totalResults")
        if type(total) is not int:
            raise VendorFault(
                f"fusion: {name} came without totalResults.", cure="Count without estimate=True.", system="fusion"
            )
        return total

    def check(self) -> Check:
        """Prove the connection step by step; writes nothing (design section 7)."""
        from mlconnector.fusion._check import check

        return check(self, self._http, self._service)

    def resource(self, kind: str) -> Resource:
        """Where the documents of a kind lie, with this site's names."""
        resource, names = RESOURCES[kind], self._shipment_names
        if kind != "shipments":
            return resource
        if names.lines is None:
            (lines,) = resource.children
            return attrs.evolve(resource, children=(attrs.evolve(lines, key=names.line),))
        return attrs.evolve(resource, children=(Child(accessors=(names.lines,), key=names.line),), expand=names.lines)

    def _rows(
        self,
        name: str,
        columns: Sequence[str],
        where: Where | None,
        order_by: Sequence[str] | None,
        params: Mapping[str, Any] | None,
    ) -> RowsReader:
        return RowsReader(
            service=self._service,
            name=name,
            columns=tuple(columns),
            where=tuple(where or ()),
            order_by=tuple(order_by or ()),
            params=dict(params or {}),
        )

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
        checked = tuple(where or ())
        expression(checked, self._service.date_times)
        filters = {"where": [[name, op, str(value)] for name, op, value in checked], **(extra or {})}
        reader = KindReader(
            service=self._service,
            resource=self.resource(kind),
            kind=kind,
            where=checked,
            filters=filters,
            overlap=self._overlap,
            documents=_DOCUMENTS[kind],
            site=self._site,
            page_size=self._page_size,
        )
        return Records(cast(Any, reader), since=since, until=until, keys=keys, limit=limit)

    def _site(self, today: dt.date) -> Site:
        return Site(gate=self._gate, chart=self._chart, shipment_names=self._shipment_names, today=today)


def _validate(page_size: Any, framework_version: Any, resource_version: Any, date_times: Any, overlap: Any) -> None:
    if type(page_size) is not int or not 1 <= page_size <= LARGEST_PAGE:
        raise InvalidArgument(f"page_size={page_size!r} is not 1 to {LARGEST_PAGE}.", cure="Use 125.")
    if type(framework_version) is not int or framework_version not in _FRAMEWORKS:
        raise InvalidArgument(
            f"framework_version={framework_version!r} is not 2 to 9.",
            cure="Use 4. Version 1 understands other conditions and is not supported.",
        )
    if not isinstance(resource_version, str) or not _VERSION.fullmatch(resource_version):
        raise InvalidArgument(f"resource_version={resource_version!r}.", cure='Give it like "11.13.18.05".')
    if date_times not in ("offset", "plain"):
        raise InvalidArgument(f"date_times={date_times!r}.", cure='Use "offset" or "plain".')
    if not isinstance(overlap, dt.timedelta) or overlap < dt.timedelta(0):
        raise InvalidArgument(f"overlap={overlap!r} is no duration.", cure="Give a timedelta, some minutes at least.")
