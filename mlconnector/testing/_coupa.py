"""A Coupa instance in this process that answers, and refuses, as the Coupa reference says."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.errors import InvalidArgument
from mlconnector.testing._cleo_files import Upload
from mlconnector.testing._coupa_actions import Transmission
from mlconnector.testing._coupa_catalog import ALL_SCOPES, RESOURCES, resource_named
from mlconnector.testing._coupa_documents import REFERENCE_DATA, home_of, rows_of
from mlconnector.testing._coupa_instance import UPLOADS, Instance, Problem, Reply, Settings
from mlconnector.testing._coupa_query import BadQuery
from mlconnector.testing._coupa_render import View, selection, xml
from mlconnector.testing._coupa_rules import derive, normalized
from mlconnector.testing._coupa_schema import dashed, typed_field
from mlconnector.testing._coupa_store import Database, Row
from mlconnector.testing._coupa_token import TokenDesk
from mlconnector.testing._coupa_webhook import Encoding, Notice, signed_notice
from mlconnector.testing._coupa_write import Writer
from mlconnector.testing._server import Simulator
from mlconnector.testing._wire import Answer, Call, Refused, Request, dump_exact, json_answer

__all__ = ["CoupaSimulator"]

_TOKEN_PATHS = ("/oauth2/token", "/oauth2/access_tokens")
_JSON, _XML = "application/json", "application/xml"
_XML_TYPES = {_XML, "text/xml"}
_PACIFIC = dt.timezone(-dt.timedelta(hours=8))
_SECOND = dt.timedelta(seconds=1)


class CoupaSimulator(Simulator):
    """Coupa Core's API over rows you add: reference data, suppliers, external orders, invoices, payments.

    It begins with a few currencies, units, payment terms, the chart ``"US Chart"``, the user ``"integration"`` and the
    address ``"MAIN"``. What the reference calls not documented is a setting, or the harder of the possible ways: rows
    that ``order_by`` does not tell apart stand otherwise in every answer.

    Args:
        clock: Its time: stamps, the ``Date`` header, tokens, the rate.
        date_skew: How far the ``Date`` header is off.
        scopes: The scopes ticked on the client; None is every scope the simulator knows.
        ripening: Seconds for which a new token is answered 401; the vendor advises to leave 5.
        rate: Calls a second the instance lets in; None is no limit.
        burst: Further calls in that second that are let in too; beyond them the answer is 429 without ``Retry-After``.
        strict_headers: Whether a call without a body needs ``Content-Type`` too (415).
        lag: Seconds for which a record made over the API is not listed; by its id it is there at once.
        over_limit: What a ``limit`` above 50 does: 50 rows, or 400.
        loose_text: Whether equality of texts overlooks case and trailing blanks.
        nulls: Whether null attributes are shown; otherwise they are missing.
        invalid_status: The status of a refused body.
        external_orders: Whether the customer has external purchase orders; without, creating one is 403.
        repeated_numbers: Whether a supplier may use an invoice number again on another day.
        submitted_status: What a submitted invoice becomes.
        export_touches: Whether marking as exported moves ``updated-at``.
        time_zone: The company's: of offsets in answers, and of the midnight a date stands for.

    Raises:
        InvalidArgument: A value outside these.

    Attributes:
        username: The client id.
        password: The client secret.
        on_request: Called with every call that is let in, before it is answered; it may change rows, so that they move
            between two pages. What it raises is raised at the end of the ``with`` block.
    """

    username = "simulated-client"
    password = "simulated&client=secret+%"  # noqa: S105 - a constant of a simulator, no secret

    def __init__(
        self,
        *,
        clock: Clock = SYSTEM_CLOCK,
        date_skew: dt.timedelta = dt.timedelta(),
        scopes: Iterable[str] | None = None,
        ripening: float = 0.0,
        rate: int | None = 25,
        burst: int = 20,
        strict_headers: bool = True,
        lag: float = 0.0,
        over_limit: Literal["cap", "refuse"] = "cap",
        loose_text: bool = False,
        nulls: bool = False,
        invalid_status: Literal[400, 422] = 400,
        external_orders: bool = True,
        repeated_numbers: bool = False,
        submitted_status: Literal["pending_approval", "pending_receipt", "approved"] = "pending_approval",
        export_touches: bool = True,
        time_zone: dt.tzinfo = _PACIFIC,
    ) -> None:
        super().__init__(clock=clock, date_skew=date_skew, lock_after=None)
        for name, value, allowed in (
            ("over_limit", over_limit, ("cap", "refuse")),
            ("invalid_status", invalid_status, (400, 422)),
            ("submitted_status", submitted_status, ("pending_approval", "pending_receipt", "approved")),
        ):
            if value not in allowed:
                raise InvalidArgument(f"{name} must be one of {allowed}, not {value!r}.")
        if rate is not None and rate < 1:
            raise InvalidArgument(f"rate must be at least 1 or None, not {rate!r}.")
        if burst < 0 or lag < 0:
            raise InvalidArgument(f"burst and lag must not be negative, they are {burst!r} and {lag!r}.")
        self.on_request: Callable[[Call], None] | None = None
        self._rate = rate
        self._burst = burst
        self._strict_headers = strict_headers
        self._time_zone = time_zone
        self._tokens = TokenDesk(clock, ALL_SCOPES if scopes is None else scopes, ripening)
        self._let_in: list[float] = []
        self._database = Database(_loose if loose_text else str)
        settings = Settings(
            time_zone=time_zone,
            lag=lag,
            refuse_more=over_limit == "refuse",
            invalid_status=invalid_status,
            external_orders=external_orders,
            repeated_numbers=repeated_numbers,
            submitted_status=submitted_status,
            export_touches=export_touches,
            nulls=nulls,
        )
        self._instance = Instance(clock, settings, self._database)
        self.add(REFERENCE_DATA)

    # What the system holds

    def add(self, item: Any, *, resource: str | None = None) -> tuple[int, ...]:
        """Put rows or a document in; what has the same id or natural key is replaced, invoices by their id alone.

        Args:
            item: With ``resource``, a row (attribute, with dashes or underscores, to text, ``int``, ``Decimal``,
                ``bool``, ``date``, aware ``datetime``, None; a reference as ``{"code": "USD"}``; a list of rows) or a
                sequence of rows. Without, a pair of resource and row, a mapping of resources to sequences of rows, or
                a document: a supplier, account, purchase order, invoice or payment, whose ``extras`` that are
                attributes and whose ``provenance.updated_at`` go into the row, and which brings along what it refers
                to. Read-only attributes (``status``, ``updated-at`` ...) are taken.
            resource: The resource's name, such as ``"invoices"``.

        Returns:
            The ids of the rows, in order; of a document, the last is its own.

        Raises:
            InvalidArgument: An unknown resource or attribute, a value that does not fit, a reference to nothing, a
                document that Coupa does not hold.
        """
        with self._lock:
            if resource is not None:
                return self._put(resource, [item] if isinstance(item, Mapping) else item)
            if isinstance(item, Mapping):
                return tuple(key for name, rows in item.items() for key in self._put(name, rows))
            if isinstance(item, tuple):
                name, row = item
                return self._put(name, [row])
            return self._put_document(item)

    def _put_document(self, document: Any) -> tuple[int, ...]:
        home = home_of(document)
        known = self._database.kinds[home].fields
        further = {dashed(key): value for key, value in document.extras.items() if dashed(key) in known}
        if document.provenance is not None and document.provenance.updated_at is not None:
            further["updated-at"] = document.provenance.updated_at
        keys: list[int] = []
        # Each row is put in before the next is made: the document's own refers to those before it.
        for name, row in rows_of(document, self._database.resolve):
            keys += self._put(name, [row | further if name == home else row])
        return tuple(keys)

    def _put(self, resource: str, rows: Iterable[Mapping[str, Any]]) -> tuple[int, ...]:
        kind = resource_named(resource)
        keys = []
        for row in rows:
            body = normalized(kind.name, row)
            if body.get("id") is None:
                body["id"] = self._database.same(kind.name, body)
            writer = self._writer()
            made = writer.new(kind.name, body)
            derive(self._database, made)
            writer.check(made)
            self._database.store(made)
            keys.append(made.id)
        return tuple(keys)

    def _writer(self) -> Writer:
        return Writer(self._database, self._instance.now, self._time_zone, trusted=True)

    def update(self, resource: str, key: int, **changes: Any) -> None:
        """Change attributes of one row and stamp it now, or with the ``updated_at`` given.

        Args:
            resource: The resource's name.
            key: Its ``id``.
            changes: Attribute with underscores to value; rows take the place of all that are there, those with the
                ``id`` of one keep what they do not name.

        Raises:
            InvalidArgument: No such resource, row or attribute, or a value that does not fit.
        """
        with self._lock:
            row = self._held(resource, key).copy()
            writer = self._writer()
            writer.apply(row, normalized(row.kind, changes))
            derive(self._database, row)
            writer.check(row)
            self._database.store(row)

    def touch(self, resource: str, *keys: int, at: dt.datetime | None = None) -> None:
        """Stamp rows with one instant, as a bulk job does, and change nothing else.

        Args:
            resource: The resource's name.
            keys: Ids; none is every row.
            at: Aware; None is the clock's now.

        Raises:
            InvalidArgument: No such resource or row, or a naive instant.
        """
        if at is not None and at.tzinfo is None:
            raise InvalidArgument(f"at must be aware, not {at!r}.")
        with self._lock:
            kind = resource_named(resource)
            for key in keys or [row.id for row in self._database.rows(kind.name)]:
                self._held(resource, key).touch((at or self._instance.now).replace(microsecond=0))

    def remove(self, resource: str, key: int) -> None:
        """Delete one row without a trace.

        Args:
            key: Of the row.

        Raises:
            InvalidArgument: No such resource or row.
        """
        with self._lock:
            self._database.drop(resource_named(resource).name, key)

    def _held(self, resource: str, key: int) -> Row:
        row = self._database.get(resource_named(resource).name, key)
        if row is None:
            raise InvalidArgument(f"{resource} holds no row {key!r}.")
        return row

    def forbid(self, resource: str, *, forbidden: bool = True) -> None:
        """Refuse a resource whatever the scopes (or give it back): 403.

        Args:
            forbidden: False gives it back.

        Raises:
            InvalidArgument: No such resource.
        """
        self._switch(self._instance.forbidden, resource, on=forbidden)

    def hide(self, resource: str, *, hidden: bool = True) -> None:
        """Let content groups hide every row (or show them again): an empty 200, and 404 by id.

        Args:
            hidden: False gives it back.

        Raises:
            InvalidArgument: No such resource.
        """
        self._switch(self._instance.hidden, resource, on=hidden)

    def _switch(self, names: set[str], resource: str, *, on: bool) -> None:
        name = resource_named(resource).name
        with self._lock:
            names.difference_update({name})
            names.update({name} if on else ())

    def conceal(self, resource: str, *attributes: str) -> None:
        """Set the customer's default response filter: answers leave these out unless ``fields`` asks (section 3).

        Args:
            resource: The resource's name.
            attributes: With dashes or underscores; none ends it.

        Raises:
            InvalidArgument: No such resource or attribute.
        """
        with self._lock:
            kind = self._database.kinds[resource_named(resource).name]
            names = frozenset(map(dashed, attributes))
            if unknown := sorted(names - set(kind.fields)):
                raise InvalidArgument(f"{resource} has no attributes {unknown}.")
            self._instance.concealed[kind.name] = names

    def add_filter(self, name: str, fields: Sequence[Any]) -> None:
        """Define a response filter that calls name in ``filter`` (section 3).

        Args:
            name: What calls call it.
            fields: As the ``fields`` parameter has them: ``["id", {"supplier": ["number"]}]``.

        Raises:
            InvalidArgument: Fields that cannot be.
        """
        try:
            chosen = selection(json.dumps(fields))
        except (BadQuery, TypeError) as wrong:
            raise InvalidArgument(f"fields cannot be {fields!r}: {wrong}") from wrong
        with self._lock:
            self._instance.filters[name] = chosen or {}

    def define(self, resource: str, **types: str) -> None:
        """Give a resource further attributes, as old custom fields and other releases do.

        Args:
            resource: The resource's name.
            types: Attribute with underscores to the letter of its type: S text, I whole number, N decimal, B flag,
                T instant, O object.

        Raises:
            InvalidArgument: No such resource or type.
        """
        fields = {dashed(name): typed_field(letter) for name, letter in types.items()}
        with self._lock:
            self._database.extend(resource_named(resource).name, fields)

    @property
    def contents(self) -> Mapping[str, tuple[Mapping[str, Any], ...]]:
        """Resource to its rows of this moment, dashed names, amounts as ``Decimal``, instants aware; nulls included."""
        with self._lock:
            view = View(database=self._database)
            return {name: tuple(view.row(row) for row in self._database.rows(name)) for name in RESOURCES}

    @property
    def transmissions(self) -> tuple[Transmission, ...]:
        """Every order that went out to its supplier so far, again for each version."""
        with self._lock:
            return tuple(self._instance.transmissions)

    @property
    def uploads(self) -> tuple[Upload, ...]:
        """Scans and attachments of invoices so far."""
        with self._lock:
            return tuple(self._instance.uploads)

    @property
    def tokens_given(self) -> int:
        """How many tokens were given out so far."""
        with self._lock:
            return self._tokens.given

    @property
    def busiest_second(self) -> int:
        """The most calls below ``/api/`` that came in within one second, those that failed included."""
        came = sorted(call.at for call in self.calls if call.path.startswith("/api/"))
        first, most = 0, 0
        for last, at in enumerate(came):
            while at - came[first] >= _SECOND:
                first += 1
            most = max(most, last - first + 1)
        return most

    def webhook(
        self,
        secret: str | bytes,
        event: tuple[str, int] | Mapping[str, Any] | bytes,
        *,
        header: str = "X-Coupa-Signature",
        encoding: Encoding = "hex",
        prefix: str = "",
        timestamp_header: str | None = None,
        at: dt.datetime | None = None,
        signed_timestamp: bool = True,
    ) -> Notice:
        """A notice signed with HMAC-SHA256, to be handed to a receiver. Coupa documents no signature (section 10).

        Args:
            secret: Shared with the receiver.
            event: Resource and id of a row, whose JSON is the body as the call out sends it; or any JSON; or bytes.
            header: Which header carries the signature.
            encoding: ``"hex"`` or ``"base64"``.
            prefix: Written before the signature, as ``"sha256="``.
            timestamp_header: Which header carries the time, in whole seconds since 1970; None sends none.
            at: That time, aware; None is the clock's now.
            signed_timestamp: Whether the signature covers ``seconds.body``, where there is a time, or the body alone.

        Raises:
            InvalidArgument: No such row, another encoding, a naive time.
        """
        if isinstance(event, tuple):
            with self._lock:
                event = self._instance.show(self._held(*event))
        body = event if isinstance(event, bytes) else dump_exact(event).encode()
        return signed_notice(
            body,
            secret,
            header=header,
            encoding=encoding,
            prefix=prefix,
            timestamp_header=timestamp_header,
            at=at or self.clock.now(),
            signed_timestamp=signed_timestamp,
        )

    @property
    def auth(self) -> Any:
        """``mlconnector.OAuth2ClientCredentials`` that ask for the client's scopes."""
        import mlconnector as mc

        scope = " ".join(self._tokens.scopes) or None
        return mc.OAuth2ClientCredentials(self.username, self.password, path=_TOKEN_PATHS[0], scope=scope)

    def client(self, **options: Any) -> Any:
        """``mlconnector.coupa.Coupa`` for this instance, on its clock; ``options`` go to its constructor."""
        from mlconnector.coupa import Coupa

        return Coupa(self.url, **{"auth": self.auth, "clock": self.clock, **options})

    def expire_tokens(self) -> None:
        """Make every token unknown: the next call with one is answered 401."""
        with self._lock:
            self._tokens.forget()

    # The web server

    def _work(self, request: Request) -> Answer:
        if request.path in _TOKEN_PATHS:
            return self._tokens.give(request, self._login_accepted)
        self._throttle()
        granted = self._tokens.granted(request)
        if granted is None:
            raise Refused(_page(401))
        as_json = self._negotiated(request)
        if self.on_request is not None:
            self.on_request(request.as_call(at=self.clock.now(), status=None, fault=None, acted=False))
        try:
            reply = self._instance.answer(request, granted)
        except BadQuery as bad:
            return _errors(400, "query", (str(bad),), as_json=as_json)
        except Problem as problem:
            if not problem.messages:
                return _page(problem.status)
            return _errors(problem.status, problem.kind, problem.messages, as_json=as_json)
        return _rendered(reply, as_json=as_json)

    def _throttle(self) -> None:
        if self._rate is None:
            return
        now = self.clock.monotonic()
        self._let_in = [at for at in self._let_in if now - at < 1]
        if len(self._let_in) >= self._rate + self._burst:
            raise Refused(_page(429))
        self._let_in.append(now)

    def _negotiated(self, request: Request) -> bool:
        """Whether the answer is JSON; both headers name one type, files apart, and no body is read as XML."""
        accept = {part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")}
        as_json, as_xml = _JSON in accept, bool(accept & _XML_TYPES)
        if not as_json and not as_xml and not accept & {"*/*", "application/*"}:
            raise Refused(_page(406))
        if any(request.path.rstrip("/").endswith(f"/{name}") for name in UPLOADS):
            possible = {"multipart/form-data"}
        elif as_json:
            possible = {_JSON}
        else:
            possible = (set() if as_xml else {_JSON}) | (set() if request.raw else _XML_TYPES)
        media = request.media_type
        bare = not media and not request.raw and not self._strict_headers
        if media not in possible and not bare:
            raise Refused(_page(415))
        return as_json

    def _fault_answer(self, status: int) -> Answer:
        if status in (400, 422):
            return _errors(status, "base", ("Simulated fault",), as_json=True)
        return _page(status)


def _loose(text: str) -> str:
    return text.rstrip().casefold()


def _page(status: int) -> Answer:
    text = f"<html><head><title>Error {status}</title></head><body><h1>Error {status}</h1></body></html>"
    return Answer(status=status, body=text.encode(), content_type="text/html")


def _errors(status: int, kind: str, messages: tuple[str, ...], *, as_json: bool) -> Answer:
    if as_json:
        return json_answer({"errors": {kind: list(messages)}}, status=status)
    told = "".join(xml("error", message) for message in messages)
    return Answer(status=status, body=f"<errors>{told}</errors>".encode(), content_type=_XML)


def _rendered(reply: Reply, *, as_json: bool) -> Answer:
    if reply.value is None:
        return Answer(status=reply.status, content_type=_JSON if as_json else _XML)
    if as_json:
        return json_answer(reply.value, status=reply.status)
    if reply.value == []:
        # A query without results: 200 in JSON, 404 in XML (section 3).
        return _errors(404, "", ("No results match your search criteria.",), as_json=False)
    body = xml(reply.name, reply.value, one=reply.one)
    return Answer(status=reply.status, body=body.encode(), content_type=_XML)
