"""A BILL in this process that answers, and refuses, as the BILL reference says: API, events, payments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal

import attrs

from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.errors import InvalidArgument
from mlconnector.testing._bill_api import BillAPI
from mlconnector.testing._bill_catalog import Resource, resource_named
from mlconnector.testing._bill_documents import bill_content, bill_of, payment_content, row_of, vendor_content
from mlconnector.testing._bill_errors import CODES, BillRefused, Entry, error_answer, wrong_path
from mlconnector.testing._bill_events import BillEvent, EventBook, Form, ListName
from mlconnector.testing._bill_fields import json_body
from mlconnector.testing._bill_files import FileShelf
from mlconnector.testing._bill_payments import FAILURES, Ledger, Share, open_amount
from mlconnector.testing._bill_query import LastPage, Pager
from mlconnector.testing._bill_session import LOGIN_CODES, Door, Gate, MaskedRequest
from mlconnector.testing._bill_store import Database, Record
from mlconnector.testing._bill_write import Writer, plain
from mlconnector.testing._faults import Fault
from mlconnector.testing._server import Simulator
from mlconnector.testing._wire import Answer, Request, json_answer

__all__ = ["BILLSimulator"]

_RATE_CODES = ("BDC_1144", "BDC_1322")
_STATUS_CODES: Mapping[int, str] = {401: "BDC_1109", 403: "BDC_1361", 404: "BDC_1205", 422: "BDC_1143"}
_ATTEMPTS = 5
_PAYMENT_OWN = frozenset({"id", "billId", "amount", "billPayments", "singleStatus", "status", "onlinePayment"})


class BILLSimulator(Simulator):
    """One BILL organization: vendors, bills, credits, classifications, payments, and its webhook API beside it.

    What the reference leaves open is an option here: a client must live with every value.

    Args:
        clock: Its time: stamps, hours of the limits, idle lives.
        date_skew: How far the ``Date`` header is off.
        lock_after: Consecutive refused logins that lock the login; None never locks.
        idle: How long a session lives without a call; a sync token's lives 48 hours.
        hourly_calls: Calls in an hour of the clock, logins too.
        hourly_logins: Logins in an hour of the clock.
        concurrent: Calls at one moment, logins and the webhook API counted; one more is ``BDC_1322``.
        latency: Real seconds that every call it lets in takes at least.
        login_status: HTTP status of a refused login.
        rate_status: HTTP status of ``BDC_1144`` and ``BDC_1322``.
        list_lag: Seconds after which lists show what a call made; the single record is there at once.
        last_page: How a list says that no page follows.
        short_pages: Whether pages are short, the first one empty, although more follow.
        thin_lists: Whether list rows lack what the single record has (lines, description, additional information).
        mask_tax_ids: Whether answers hide tax ids but for four digits.
        partial_word: What ``paymentStatus`` calls a partly paid bill.
        stamp_paid_bills: Whether a payment moves ``updatedTime`` of its bills.
        payment_events: Whether the catalog has ``payment.updated`` and ``payment.failed``.
        event_lists: How lists of the webhook API are wrapped.

    Raises:
        InvalidArgument: A limit below 1, or a negative time.

    Attributes:
        organization_id: The one organization. Constants, as user name and password are, so that another process can
            log in with no more than the URL.
        dev_key: The one developer key.
        token_name: User name of the sync token (section 2.5).
        token_value: Its password.
    """

    username = "ap.bot@example.test"
    password = "simulated-password"  # noqa: S105 - a constant of a simulator, no secret
    organization_id = "00801SIMULATEDORG001"
    dev_key = "01SIMULATEDDEVELOPERKEY"
    token_name = "ML Sync Token"  # noqa: S105 - as above
    token_value = "simulated-sync-token"  # noqa: S105 - as above

    def __init__(
        self,
        *,
        clock: Clock = SYSTEM_CLOCK,
        date_skew: dt.timedelta = dt.timedelta(),
        lock_after: int | None = 5,
        idle: dt.timedelta = dt.timedelta(minutes=35),
        hourly_calls: int = 20_000,
        hourly_logins: int = 200,
        concurrent: int = 3,
        latency: float = 0,
        login_status: int = 400,
        rate_status: int = 422,
        list_lag: float = 0,
        last_page: LastPage = "absent",
        short_pages: bool = False,
        thin_lists: bool = False,
        mask_tax_ids: bool = False,
        partial_word: str = "PARTIAL",
        stamp_paid_bills: bool = True,
        payment_events: bool = True,
        event_lists: ListName = "results",
    ) -> None:
        super().__init__(clock=clock, date_skew=date_skew, lock_after=lock_after)
        for name, limit in (
            ("hourly_calls", hourly_calls),
            ("hourly_logins", hourly_logins),
            ("concurrent", concurrent),
        ):
            if limit < 1:
                raise InvalidArgument(f"{name} must be at least 1, not {limit!r}.")
        if latency < 0 or list_lag < 0 or idle <= dt.timedelta():
            raise InvalidArgument(f"Times are not negative: {latency=}, {list_lag=}, {idle=}.")
        self._latency = latency
        self._login_status = login_status
        self._rate_status = rate_status
        self._gate = Gate(concurrent)
        self._door = Door(
            clock,
            dev_key=self.dev_key,
            organization=self.organization_id,
            token=(self.token_name, self.token_value),
            idle=idle,
            hourly_calls=hourly_calls,
            hourly_logins=hourly_logins,
            login_status=login_status,
        )
        self._database = Database(clock)
        self._ledger = Ledger(self._database, partial_word=partial_word, stamp_bills=stamp_paid_bills)
        self._writer = Writer(self._database, self._ledger, list_lag=list_lag, on_change=self._changed)
        pager = Pager(last_page=last_page, short=short_pages)
        self._files = FileShelf(self._database, pager, lambda: self.url)
        self._api = BillAPI(
            self._database,
            self._writer,
            self._ledger,
            pager,
            thin_lists=thin_lists,
            mask_tax_ids=mask_tax_ids,
            on_payment=self._payment_moved,
        )
        self._book = EventBook(
            self._database, self.organization_id, payment_events=payment_events, list_name=event_lists
        )

    # What the organization holds

    def add(self, item: Any, row: Mapping[str, Any] | None = None, *, resource: str | None = None) -> str:
        """Put a record in, as a person in the web application does; a record with the same id is replaced.

        Args:
            item: A supplier, invoice, payment, account or cost centre; or a row as the API shows it, with
                ``resource``; or a pair of resource and row; or a resource, with ``row``. A row may bring ``id``,
                ``archived``, ``createdTime`` and ``updatedTime`` (aware instants); its values are not checked, so
                that odd records can be made. A payment's row needs ``billPayments`` (``billId`` and ``amount``) and
                may bring ``singleStatus``.
            row: The row, where ``item`` is the resource's name.
            resource: ``"vendors"``, ``"bills"``, ``"vendor-credits"``, ``"payments"``, ``"chart-of-accounts"``,
                ``"departments"`` ...

        Returns:
            The record's id.

        Raises:
            InvalidArgument: An unknown resource or document, or a reference to what is not there.
        """
        with self._lock:
            if isinstance(item, tuple):
                item, row = item
            if isinstance(item, str):
                resource, item = item, row
            if resource is None:
                resource, given = row_of(item, self._database, self._writer.insert)
                stamp = item.provenance.updated_at if item.provenance is not None else None
                item = given if stamp is None else {**given, "updatedTime": stamp}
            if not isinstance(item, Mapping):
                raise InvalidArgument(f"A row of {resource} is a mapping, not {item!r}.")
            return self._insert(resource_named(resource), item).id

    def add_all(self, items: Iterable[Any], *, resource: str | None = None) -> tuple[str, ...]:
        """Put several in; see :meth:`add`.

        Returns:
            Their ids, in order.
        """
        return tuple(self.add(item, resource=resource) for item in items)

    def _insert(self, resource: Resource, row: Mapping[str, Any]) -> Record:
        if resource.name != "payments":
            return self._writer.insert(resource, row)
        given = plain(row)
        parts = given.get("billPayments") or [{"billId": given.get("billId"), "amount": given.get("amount")}]
        shares = [
            Share(self._database["bills"].existing(part["billId"]), Decimal(part["amount"]), _credits(part))
            for part in parts
        ]
        further = {name: value for name, value in given.items() if name not in _PAYMENT_OWN}
        online = given.get("onlinePayment", True)
        return self._pay(
            shares,
            status=given.get("singleStatus") or _first_status(online),
            process_date=dt.date.fromisoformat(further.pop("processDate", self._today())),
            method=further.pop("disbursementType", "ACH"),
            online=online,
            further=further,
            key=given.get("id"),
        )

    def update(self, resource: str, key: str, **changes: Any) -> None:
        """Change a record as a person does: objects are merged, lists replaced, None takes a property away.

        Args:
            resource: Its resource.
            key: Its id.
            changes: Property to value; also ``archived`` and ``updatedTime``.

        Raises:
            InvalidArgument: No such resource or record.
        """
        kind = resource_named(resource)
        with self._lock:
            self._writer.revise(kind, self._database[kind.name].existing(key), changes)

    def remove(self, resource: str, key: str) -> None:
        """Delete the record of this ``key`` without a trace, which BILL itself never does.

        Raises:
            InvalidArgument: No such resource or record.
        """
        kind = resource_named(resource)
        with self._lock:
            self._database[kind.name].drop(key)

    def forbid(
        self, resource: str, operation: Literal["read", "write"] | None = None, *, forbidden: bool = True
    ) -> None:
        """Take the user's permission away, or give it back: ``BDC_1145``.

        Args:
            operation: ``"read"``, ``"write"``, or ``None`` for both. ``forbidden``: False gives it back.

        Raises:
            InvalidArgument: No such resource.
        """
        name = resource_named(resource).name
        marks = {(name, each) for each in ("read", "write") if operation in (None, each)}
        with self._lock:
            self._api.forbidden = self._api.forbidden | marks if forbidden else self._api.forbidden - marks

    @property
    def contents(self) -> Mapping[str, tuple[Mapping[str, Any], ...]]:
        """Resource name to its records of this moment as the single answer shows them, archived ones included."""
        with self._lock:
            found: dict[str, tuple[Mapping[str, Any], ...]] = {
                name: tuple(record.shown() for record in store) for name, store in self._database.stores.items()
            }
            return {**found, "subscriptions": self._book.subscriptions}

    # Payments

    def pay(
        self,
        *bills: str,
        amounts: Mapping[str, Decimal] | None = None,
        credits: Mapping[str, Mapping[str, Decimal]] | None = None,  # noqa: A002 - the vendor's word
        status: str | None = None,
        process_date: dt.date | None = None,
        method: str = "ACH",
        online: bool = True,
        transaction_number: str | None = None,
        exchange_rate: Decimal | None = None,
    ) -> str:
        """Pay bills of one vendor with one payment, as a person in BILL does.

        Args:
            bills: Ids or invoice numbers.
            amounts: Of some of them what is paid; the others are paid with all that is open.
            credits: Bill to vendor credits (id to amount) used up beside the money.
            status: Its first single status; None is ``SCHEDULED``, of a recorded one ``UNDEFINED``.
            process_date: None is today.
            method: ``disbursementType``.
            online: False is a payment made elsewhere and only recorded; no money moves.
            transaction_number: The payer's own reference.
            exchange_rate: Given, ``exchangeRate`` and ``fundingAmount`` (amount times rate) stand in the payment.

        Returns:
            The payment's id.

        Raises:
            InvalidArgument: No bill, several vendors, or more than is open.
        """
        with self._lock:
            amounts = {bill_of(self._database, key): amount for key, amount in (amounts or {}).items()}
            used = {bill_of(self._database, key): part for key, part in (credits or {}).items()}
            shares = []
            for key in bills:
                bill = self._database["bills"].existing(bill_of(self._database, key))
                share = Share(bill, Decimal(0), used.get(bill.id, {}))
                rest = open_amount(bill) - sum(share.credits.values())
                shares.append(attrs.evolve(share, amount=amounts.get(bill.id, rest)))
            further: dict[str, Any] = {} if transaction_number is None else {"transactionNumber": transaction_number}
            if exchange_rate is not None:
                paid = sum((share.amount for share in shares), Decimal(0))
                further |= {"exchangeRate": exchange_rate, "fundingAmount": round(paid * exchange_rate, 2)}
            payment = self._pay(
                shares,
                status=status or _first_status(online),
                process_date=process_date or self.clock.now().date(),
                method=method,
                online=online,
                further=further,
            )
            return payment.id

    def _pay(self, shares: list[Share], **how: Any) -> Record:
        payment = self._ledger.make(shares, **how)
        self._payment_moved(payment)
        return payment

    def _today(self) -> str:
        return self.clock.now().date().isoformat()

    def advance(self, payment: str, *statuses: str) -> None:
        """Move a payment on, through one single status after the other; each one is an event.

        Args:
            statuses: In the order the payment takes them.

        Raises:
            InvalidArgument: No such payment, or a status that does not follow (nothing follows an end).
        """
        with self._lock:
            record = self._database["payments"].existing(payment)
            for status in statuses:
                self._ledger.advance(record, status)
                self._payment_moved(record)

    def void(self, payment: str, *, type: str = "VOID_ONLY", reason: str = "") -> None:  # noqa: A002 - the vendor's word
        """Void a payment that was processed; its bills are open again. ``type`` and ``reason`` are recorded alone.

        Raises:
            InvalidArgument: No such payment, or one that cannot be voided.
        """
        with self._lock:
            record = self._database["payments"].existing(payment)
            self._ledger.advance(record, "VOIDED", further={"voidInfo": [{"type": type, "reason": reason}]})
            self._payment_moved(record)

    # Webhooks

    @property
    def events_url(self) -> str:
        """The base of the webhook API, a sibling of :attr:`url`."""
        return f"{super().url}/connect-events"

    def subscribe(self, *events: str, url: str = "https://receiver.example/bill") -> str:
        """Make a subscription without the API, for every type of the catalog where none is named.

        Returns:
            Its id; see :meth:`security_key`.

        Raises:
            InvalidArgument: The API would refuse it.
        """
        with self._lock:
            try:
                return self._book.subscribe(events, url)
            except BillRefused as refused:
                raise InvalidArgument(str(refused)) from refused

    def security_key(self, subscription: str) -> str:
        """The key that the subscription's deliveries are signed with now.

        Raises:
            InvalidArgument: No such subscription.
        """
        with self._lock:
            return self._book.security_key(subscription)

    @property
    def events(self) -> tuple[BillEvent, ...]:
        """Every notification made so far, in order."""
        with self._lock:
            return self._book.events

    def webhook_for(
        self, event: BillEvent | str, *, form: Form = "minified", key: str | None = None
    ) -> tuple[dict[str, str], bytes]:
        """One delivery of a notification; asked again, the same one is delivered again.

        Args:
            event: The event or its id.
            form: How the body looks. The signature is always that of the minified payload (section 11.4).
            key: Sign with this key, as a rotation or a stranger does; None is the subscription's newest.

        Returns:
            Headers and body of BILL's POST.

        Raises:
            InvalidArgument: No such event or form.
        """
        with self._lock:
            return self._book.delivery(event, form, key)

    def deliver_to(
        self, receive: Callable[[Mapping[str, str], bytes], int], *, form: Form = "minified"
    ) -> tuple[BillEvent, ...]:
        """Deliver what waits: new notifications and resent ones, each until it is answered 200, five times at most.

        A subscription whose notification was never answered 200 is disabled (section 11.5).

        Args:
            receive: Takes headers and body, answers an HTTP status.
            form: As for :meth:`webhook_for`.

        Returns:
            What was delivered, or given up, in order, with the last answer.
        """
        with self._lock:
            waiting = self._book.take()
        for event in waiting:
            for _ in range(_ATTEMPTS):
                # Outside the lock: the receiver may call the API.
                status = receive(*self.webhook_for(event, form=form))
                with self._lock:
                    self._book.record_answer(event, status)
                if status == 200:
                    break
            else:
                with self._lock:
                    self._book.disable(event.subscription)
        with self._lock:
            return tuple(self._book.find(event.id) for event in waiting)

    def _changed(self, what: str, resource: Resource, record: Record) -> None:
        if resource.name == "vendors":
            self._book.emit(f"vendor.{what}", vendor_content(record), record.id)
        elif resource.name == "bills":
            vendor = self._database["vendors"].existing(record.row["vendorId"])
            self._book.emit(f"bill.{what}", bill_content(record, vendor.row), record.id)

    def _payment_moved(self, payment: Record) -> None:
        vendor = self._database["vendors"].existing(payment.row["vendorId"])
        failed = payment.row["singleStatus"] in FAILURES
        for type_, content in payment_content(payment, vendor.row["billCurrency"], failed=failed):
            self._book.emit(type_, content, payment.id)

    # Connecting

    @property
    def url(self) -> str:
        """``http://127.0.0.1:port/connect``, while it runs; see :attr:`events_url` for its sibling.

        Raises:
            InvalidArgument: It is not running.
        """
        return f"{super().url}/connect"

    @property
    def auth(self) -> Any:
        """``mlconnector.BillSession`` with the user's login."""
        return self._session(self.username, self.password)

    @property
    def token_auth(self) -> Any:
        """``mlconnector.BillSession`` with the sync token."""
        return self._session(self.token_name, self.token_value)

    def _session(self, username: str, password: str) -> Any:
        from mlconnector.bill import BillSession

        return BillSession(username, password, organization_id=self.organization_id, dev_key=self.dev_key)

    def client(self, **options: Any) -> Any:
        """``mlconnector.BILL`` for this organization, on its clock; ``options`` go to its constructor."""
        from mlconnector.bill import BILL

        return BILL(self.url, **{"auth": self.auth, "clock": self.clock, **options})

    def expire_tokens(self) -> None:
        """End every session: the next call with one is answered 401 ``BDC_1109``."""
        with self._lock:
            self._door.end_all()

    def use_up_hour(self) -> None:
        """Let another program with the same developer key use up this hour: ``BDC_1144`` until the next begins."""
        with self._lock:
            self._door.use_up_hour()

    @property
    def logins(self) -> int:
        """How many logins were accepted."""
        with self._lock:
            return self._door.logins

    @property
    def most_in_flight(self) -> int:
        """The most calls under way at one moment, refused ones counted too."""
        return self._gate.most

    def forget_calls(self) -> None:
        """Begin counting calls anew, those in flight too."""
        super().forget_calls()
        self._gate.forget()

    def fail(self, *, code: str | None = None, **fault: Any) -> None:
        """Make the next calls fail.

        Args:
            code: Answer with this entry of BILL's catalogue, and its status where none is given; nothing is done.
            fault: As for :meth:`Simulator.fail`. A status alone brings the body that belongs to it: 401
                ``BDC_1109``, 403 ``BDC_1361``, 429 a single object without a code, 5xx a page of HTML.

        Raises:
            InvalidArgument: An unknown code, or values that contradict one another.
        """
        if code is not None:
            if code not in CODES:
                raise InvalidArgument(f"code must be one of {', '.join(CODES)}, not {code!r}.")
            known = CODES[code]
            refused = BillRefused([Entry(code, known.message, known.category)], status=self._status(code))
            answer = error_answer(refused, self.clock.now())
            fault = {"status": answer.status, **fault, "body": answer.body, "content_type": answer.content_type}
        super().fail(**fault)

    # The web server

    def _receive(self, request: Request) -> tuple[Answer | None, Fault]:
        with self._gate.entered() as admitted:
            answered = super()._receive(MaskedRequest.of(request))
            if admitted and self._latency:
                self._closing.wait(self._latency)
            return answered

    def _work(self, request: Request) -> Answer:
        try:
            self._gate.check()
            return self._route(request)
        except BillRefused as refused:
            if refused.entries[0].code in _RATE_CODES:
                refused.status = self._rate_status
            return error_answer(refused, self.clock.now())

    def _status(self, code: str) -> int:
        if code in _RATE_CODES:
            return self._rate_status
        return self._login_status if code in LOGIN_CODES else CODES[code].status

    def _route(self, request: Request) -> Answer:
        match request.path.split("/"):
            case ["", "connect", "v3", "health"] if request.method == "GET":
                return json_answer({"appId": "simulator", "appEnv": "stage", "appVersion": "3", "bdcRegion": "us"})
            case ["", "connect", "v3", "login"] if request.method == "POST":
                return self._login(request)
            case ["", "connect" | "connect-events" as host, "v3", *path] if path:
                self._door.authorise(request)
                if host == "connect-events":
                    return self._book.handle(request, path)
                return self._call(request, path)
        raise wrong_path(request.method, request.path)

    def _call(self, request: Request, path: list[str]) -> Answer:
        match (request.method, *path):
            case ("GET", "login", "session"):
                user = "00601SIMULATEDUSER01"
                body = {"organizationId": self.organization_id, "userId": user, "mfaStatus": "DISABLED"}
                return json_answer({**body, "mfaBypass": False})
            case ("POST", "logout"):
                self._door.logout(request)
                return Answer()
            case (_, "documents" | "attachments", *_):
                return self._files.handle(request, path)
        return self._api.handle(request, path)

    def _login(self, request: Request) -> Answer:
        session = self._door.login(json_body(request), self._login_accepted, lambda: self.locked)
        user = "00601SIMULATEDUSER01"
        return json_answer(
            {"sessionId": session, "organizationId": self.organization_id, "userId": user, "trusted": False}
        )

    def _fault_answer(self, status: int) -> Answer:
        if status == 429:
            return json_answer({"message": "Too Many Requests"}, status=status)
        if status >= 500:
            page = f"<html><body><h1>{status}</h1></body></html>"
            return Answer(status=status, body=page.encode(), content_type="text/html")
        code = _STATUS_CODES.get(status)
        entry = Entry(code, CODES[code].message, CODES[code].category) if code else Entry(None, "Simulated fault")
        return error_answer(BillRefused([entry], status=status), self.clock.now())


def _credits(part: Mapping[str, Any]) -> dict[str, Decimal]:
    return {used["id"]: used["amount"] for used in part.get("vendorCredits") or ()}


def _first_status(online: bool) -> str:
    return "SCHEDULED" if online else "UNDEFINED"
