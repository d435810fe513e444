"""The JD Edwards client: reading over the AIS server (AIS reference)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from mlconnector.check import Check
from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.documents import (
    Account,
    CostCenter,
    Document,
    Invoice,
    JournalLine,
    Payment,
    PurchaseOrder,
    Supplier,
)
from mlconnector.errors import ConnectionFailed, InvalidArgument, VendorFault
from mlconnector.http import Connector, HTTPClient, Retry, Timeout, TokenManager, Transport
from mlconnector.jdedwards._approval import Approval
from mlconnector.jdedwards._books import Books, ClosedPeriod
from mlconnector.jdedwards._browse import DataService
from mlconnector.jdedwards._contract import CONTRACT
from mlconnector.jdedwards._faults import FAULTS
from mlconnector.jdedwards._invoices import invoices_layout
from mlconnector.jdedwards._masters import accounts_layout, cost_centers_layout
from mlconnector.jdedwards._orchestrator import Orchestrator
from mlconnector.jdedwards._order_mapping import LINE_TYPES
from mlconnector.jdedwards._orders import orders_layout
from mlconnector.jdedwards._pass import KindReader, Layout
from mlconnector.jdedwards._payments import payments_layout
from mlconnector.jdedwards._payments_target import PaymentsTarget
from mlconnector.jdedwards._posting import carried_out, doubt
from mlconnector.jdedwards._query import Where, conditions
from mlconnector.jdedwards._rows import RowsReader
from mlconnector.jdedwards._source import Source
from mlconnector.jdedwards._suppliers import suppliers_layout
from mlconnector.jdedwards._values import Zone, zone_option
from mlconnector.jdedwards._vouchers_target import VouchersTarget
from mlconnector.jdedwards._writers import create_journal_entry, set_pay_status
from mlconnector.records import Records, Since
from mlconnector.target import CrosswalkLookup, NoCrosswalk, Receipt, Target

__all__ = ["JDEdwardsAIS"]

D = TypeVar("D", bound=Document)
_OVERLAP = dt.timedelta(hours=3)
"""Late commits, skew, an hour for local stamps (delivery rule 2); the day of an unknown zone is added on reading."""
_FORMAT = "MM/dd/yyyy"


class JDEdwardsAIS(Connector):
    """JD Edwards EnterpriseOne over its AIS server. Reading calls no orchestration; every write is one.

    Every reader takes ``since`` (an aware datetime, inclusive, or a saved cursor; ``None``: everything), ``until`` (an
    aware instant; such a read leaves no cursor), ``where`` (conditions ``(column, op, value)`` on the vendor's own
    columns, evaluated there or refused), ``keys`` (exactly these documents), ``limit`` (at most so many) and ``extra``
    (plain JSON that becomes part of the cursor's filters, for callers of their own), as far as it has them, and hands
    back :class:`~mlconnector.records.Records`. ``rows`` and ``count`` take the vendor's ``name`` of a table, resource
    or query; ``options`` of ``read`` are those of the reader.

    Args:
        url: The server; anything from ``/jderest`` on is taken off.
        auth: ``AISSession``, or stored credentials of that kind.
        orchestrations: Names of the site's orchestrations by the keys of the contract: ``create_voucher``,
            ``match_voucher``, ``reverse_voucher``, ``record_payment``, ``void_payment``, ``set_pay_status``,
            ``create_journal_entry`` (section 6.4).
        orchestrator_version: Of the path: ``"v2"`` before Tools 9.2.4.
        date_format: Format of date literals (``dd MM yyyy yy``) instead of the login user's.
        session_age: Replace sessions older than this; ``None`` relies on rejection (section 2.3).
        approval: Which orders are ready.
        line_types: Line type (``LNTY``) to ``"item"``, ``"amount"``, ``"charge"`` or ``"text"``; added to the usual.
        time_zone: Zone of the audit stamps. ``None``: the login's offset, with a day's margin.
        page_size: Documents a page. ``next_pages`` links are not used: paging is by key and needs no server state.
        max_in_flight: Calls under way at once; one, because no rule is known for more (section 8).
        timeout, retry, verify, cert, proxies, transport, clock: As on every client.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    system = "jdedwards"
    kinds: tuple[str, ...] = ("purchase_orders", "invoices", "suppliers", "accounts", "cost_centers", "payments")

    def __init__(
        self,
        url: str,
        *,
        auth: TokenManager,
        orchestrations: Mapping[str, str] | None = None,
        date_format: str | None = None,
        orchestrator_version: Literal["v2", "v3"] = "v3",
        session_age: dt.timedelta | None = None,
        approval: Approval | None = None,
        line_types: Mapping[str, str] | None = None,
        time_zone: dt.tzinfo | None = None,
        page_size: int = 100,
        max_in_flight: int | None = 1,
        timeout: float | Timeout | None = None,
        retry: Retry | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        transport: Transport | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if type(page_size) is not int or not 1 <= page_size <= 500:
            raise InvalidArgument(f"page_size={page_size!r} is not 1 to 500.", cure="Use 100.")
        kinds = {**LINE_TYPES, **(line_types or {})}
        wrong = sorted(set(kinds.values()) - {"item", "amount", "charge", "text"})
        if wrong:
            raise InvalidArgument(f"line_types has {wrong!r}.", cure='Use "item", "amount", "charge" or "text".')
        parts = urlsplit(url)
        before = parts.path.partition("/jderest")[0].rstrip("/")
        if before:
            raise InvalidArgument(
                f"url= of {parts.hostname} has the path {before!r} before /jderest.",
                cure="Give scheme, host and port of the server.",
            )
        self._auth = auth
        self._date_format = date_format
        self._time_zone = zone_option(time_zone)
        self._approval = approval or Approval()
        if session_age is not None:
            _set_age(auth, session_age)
        self._http = HTTPClient(
            f"{parts.scheme}://{parts.netloc}",
            auth=auth,
            faults=FAULTS,
            timeout=timeout,
            retry=retry,
            max_in_flight=max_in_flight,
            verify=verify,
            cert=cert,
            proxies=proxies,
            transport=transport,
            clock=clock,
        )
        self._service = DataService(self._http, self._literal_format)
        self._source = Source(self._service, self._approval, kinds, page_size, self._zone, self._today)
        self._orchestrator = Orchestrator(
            self._http, dict(orchestrations or {}), self._literal_format, version=orchestrator_version
        )

    @property
    def origin(self) -> str:
        """``scheme://host:port``, with the environment where one was asked for; a ledger is bound to it (rule B3)."""
        environment = getattr(self._auth, "asked_environment", None)
        return f"{self._http.origin}#{environment}" if environment else self._http.origin

    @property
    def approval(self) -> Approval:
        """Which orders are ready."""
        return self._approval

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
        """Whole orders, ready or not (rule B10); found when header or line changed.

        Args:
            since: An aware datetime, a cursor, or everything. ``until``: nothing stamped after it.
            where: Further conditions on F4301. ``keys``: exactly these natural keys, ``company/type/number``.
            limit: At most this many. ``extra``: merged into the cursor's filters, for callers of their own.
        """
        return self._records("purchase_orders", orders_layout, since, until, where, keys, limit, extra)

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
        """Whole vouchers and debit memos, ready or not (rule B21). ``where`` is on F0411; ``DGJ`` is a filter only."""
        return self._records("invoices", invoices_layout, since, until, where, keys, limit, extra)

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
        """Suppliers (F0401) with names, tax ids, addresses and e-mail of the address book. ``where`` is on F0401."""
        return self._records("suppliers", suppliers_layout, since, until, where, keys, limit, extra)

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
        """General ledger accounts (F0901)."""
        return self._records("accounts", accounts_layout, since, until, where, keys, limit, extra)

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
        """Business units (F0006); numbers keep their leading blanks."""
        return self._records("cost_centers", cost_centers_layout, since, until, where, keys, limit, extra)

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
        """Payments (F0413) with what they paid (F0414)."""
        return self._records("payments", payments_layout, since, until, where, keys, limit, extra)

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
        """Rows of any table or view, as the server sends them: keys ``F0411_AG``, exact numbers, dates ``YYYYMMDD``.

        Args:
            name: Table or view. ``columns``: aliases without prefix, ``"AG"``.
            where: ``(column, op, value)`` joined by AND, pushed down; dates as :class:`datetime.date`.
            order_by: Columns, ``-`` first for descending. Tables this library knows are walked by key, also where it
                names columns of that key, rising; anything else is read as one page.
            limit: At most this many rows. ``params``: merged into the request untouched.

        Raises:
            InvalidArgument: A column, condition or option that cannot be meant.
        """
        if not columns:
            raise InvalidArgument(
                "columns=[] reads nothing.", cure="Name the columns; there is no read of all of them."
            )
        conditions(name, where or (), self._date_format or _FORMAT)
        reader = RowsReader(self._service, name, tuple(columns), tuple(where or ()), tuple(order_by or ()), params)
        return Records(reader, limit=limit)

    def count(self, name: str, where: Where | None = None) -> int:
        """How many rows fit."""
        return self._service.count(name, where or ())

    def run_orchestration(self, name: str, inputs: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Call any orchestration of the site once, in the generic form; never repeated by itself (section 6).

        Args:
            name: As in the designer. ``inputs``: by name; dates as the site wants them, amounts as text.

        Returns:
            The outputs.

        Raises:
            InvalidDocument: The orchestration said that it failed.
            DeliveryInDoubt: No answer; it may have acted.
        """
        try:
            return self._orchestrator.run(name, inputs or {})
        except (ConnectionFailed, VendorFault) as error:
            cure = "Look in JD Edwards for what it would have made, before calling it again."
            raise doubt(error, f"{name} got no answer: {error.message}", cure) from None

    def create_voucher(self, invoice: Invoice, *, crosswalk: CrosswalkLookup | None = None, **options: Any) -> Receipt:
        """A voucher for an approved invoice, looked up by supplier and invoice number first (section 6.4).

        Args:
            invoice: Its supplier is an address number, its accounts ``unit.object[.subsidiary]``, or linked so.
            crosswalk: Links of suppliers, accounts and taxes. ``options``: of :class:`VouchersTarget`.

        Raises:
            InvalidDocument, UnknownReference: With everything that stands against it.
            TargetChanged: There already, and different or not ours.
            DeliveryInDoubt: No answer; calling again looks first.
        """
        target = self._vouchers(matching="never", **options)
        return carried_out(target, invoice, crosswalk=crosswalk or NoCrosswalk())

    def match_voucher(self, invoice: Invoice, *, crosswalk: CrosswalkLookup | None = None, **options: Any) -> Receipt:
        """A voucher matched with the receipts of its order lines; see :meth:`create_voucher`."""
        target = self._vouchers(matching="always", **options)
        return carried_out(target, invoice, crosswalk=crosswalk or NoCrosswalk())

    def reverse_voucher(self, invoice: Invoice, *, crosswalk: CrosswalkLookup | None = None, **options: Any) -> Receipt:
        """Take back the voucher made of an invoice: in Procurement where it was matched (section 6.3).

        Args:
            crosswalk: Which identity is which; needed where the numbers differ.
            options: Of the target, see :meth:`target`.
        """
        return carried_out(self._vouchers(**options), invoice, crosswalk=crosswalk or NoCrosswalk(), cancel=True)

    def record_payment(
        self,
        payment: Payment,
        *,
        bank_account: str | Mapping[str, str] | None = None,
        crosswalk: CrosswalkLookup | None = None,
        **options: Any,
    ) -> Receipt:
        """Record a payment made elsewhere on its vouchers; looked up by its reference first (section 6.4).

        Args:
            payment: Its applications name pay items ``company/type/number/item``.
            bank_account: ``AID`` of the bank or clearing account; without it ``payment.extras["bank_account"]``.
            options: of :class:`PaymentsTarget`.

        Raises:
            InvalidDocument, UnknownReference, TargetChanged, DeliveryInDoubt: As of :meth:`create_voucher`.
        """
        target = self._payments(bank_account=bank_account, **options)
        return carried_out(target, payment, crosswalk=crosswalk or NoCrosswalk())

    def void_payment(self, payment: Payment, *, crosswalk: CrosswalkLookup | None = None, **options: Any) -> Receipt:
        """Void the payment recorded for this one; its vouchers are open again (section 6.3).

        Args:
            crosswalk: Which identity is which; needed where the numbers differ.
            options: Of the target, see :meth:`target`.
        """
        target = self._payments(**options)
        return carried_out(target, payment, crosswalk=crosswalk or NoCrosswalk(), cancel=True)

    def set_pay_status(self, pay_item: str | Invoice, status: str) -> Receipt:
        """Set the pay status of one pay item; repeating is harmless (section 6.4).

        Args:
            pay_item: ``company/type/number/item``, or a voucher with a single pay item. ``status``: of UDC 00/PS.
        """
        return set_pay_status(self._orchestrator, Books(self._source), pay_item, status)

    def create_journal_entry(
        self,
        lines: Sequence[JournalLine],
        *,
        reference: str,
        explanation: str = "",
        closed_period: ClosedPeriod = "park",
    ) -> Receipt:
        """One balanced journal entry, looked up by its reference (F0911.R1) first.

        Args:
            lines: Of one company, date and currency. ``reference``: up to eight characters, unique and yours.
            explanation: Of the entry as a whole.
            closed_period: ``"park"`` refuses a closed date; ``"first_open"`` posts on the first open day (rule
                B71).
        """
        explanation = explanation or f"Reference {reference}"
        books = Books(self._source)
        return create_journal_entry(
            self._orchestrator, books, lines, reference, explanation, closed_period, self._today()
        )

    @property
    def lists_orchestrations(self) -> bool:
        """Whether the site lets its orchestrations be listed, so that they can be compared (section 6.1)."""
        return bool(self._orchestrator.discovered())

    def lacking_orchestrations(self, keys: Sequence[str], *, optional: bool = False) -> list[str]:
        """What the site lacks of these orchestrations of the contract; writes nothing.

        Empty too where the site does not let its orchestrations be listed (section 6.1).

        Args:
            keys: Of the contract. ``optional``: look for inputs that are not always sent, and inside lists, too.
        """
        found = []
        for key in keys:
            one = CONTRACT[key]
            wanted: dict[str, Any] = dict.fromkeys((*one.inputs, *one.optional) if optional else one.inputs)
            if optional:
                wanted |= {name: [dict.fromkeys(inside)] for name, inside in one.rows.items()}
            found += self._orchestrator.lacking(key, wanted)
        return found

    def target(self, kind: str, **options: Any) -> Target[Any]:
        """A way of posting: ``"vouchers"`` (:class:`VouchersTarget`) or ``"payments"`` (:class:`PaymentsTarget`).

        Raises:
            InvalidArgument: Another kind.
        """
        if kind == "vouchers":
            return self._vouchers(**options)
        if kind == "payments":
            return self._payments(**options)
        raise InvalidArgument(f"kind={kind!r} is no target of JD Edwards.", cure='Use "vouchers" or "payments".')

    def check(self) -> Check:
        """Prove the connection step by step; writes nothing (design section 7)."""
        from mlconnector.jdedwards._check import check

        return check(self, self._http, self._service)

    def _vouchers(self, **options: Any) -> VouchersTarget:
        return VouchersTarget(self._orchestrator, Books(self._source), self._today, **options)

    def _payments(self, **options: Any) -> PaymentsTarget:
        return PaymentsTarget(self._orchestrator, Books(self._source), self._today, **options)

    def _records(  # noqa: PLR0917 - private; the readers' common options
        self,
        kind: str,
        layout: Callable[[Source, Where], Layout[Any, D]],
        since: Since,
        until: dt.datetime | None,
        where: Where | None,
        keys: Sequence[str] | None,
        limit: int | None,
        extra: Mapping[str, Any] | None,
    ) -> Records[D]:
        checked, filters = self._filters(kind, where, extra)
        reader = KindReader(self._source, checked, filters, _OVERLAP, kind, layout)
        return Records(reader, since=since, until=until, keys=keys, limit=limit)

    def _filters(
        self, kind: str, where: Where | None, extra: Mapping[str, Any] | None
    ) -> tuple[Where, Mapping[str, Any]]:
        checked = tuple(where or ())
        conditions("F0000", checked, self._date_format or _FORMAT)
        filters: dict[str, Any] = {"where": [[column, op, str(value)] for column, op, value in checked]}
        if kind == "purchase_orders":
            filters["order_types"] = list(self._approval.order_types)
        return checked, filters | dict(extra or {})

    def _logged_in(self) -> Mapping[str, Any]:
        details: Mapping[str, Any] = getattr(self._auth, "details", {})
        if not details:
            self._http.log_in()
            details = getattr(self._auth, "details", {})
        return details

    def _literal_format(self) -> str:
        return self._date_format or str(self._logged_in().get("simpleDateFormat") or _FORMAT)

    def _zone(self) -> Zone:
        if self._time_zone is not None:
            return Zone(self._time_zone, None)
        return Zone(None, self._logged_in().get("timeZoneOffset"))

    def _today(self) -> dt.date:
        zone = self._zone()
        return zone.date(self._http.clock.now() + zone.margin)


def _set_age(auth: Any, age: dt.timedelta) -> None:
    use = getattr(auth, "use_age", None)
    if use is None:
        raise InvalidArgument("session_age= needs an AISSession.", cure="Give auth=AISSession(..., age=...) instead.")
    use(age)
