"""An Oracle Fusion pod in this process, with its identity domain, that answers as the Fusion reference says."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

import attrs

from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.errors import InvalidArgument
from mlconnector.testing._fusion_catalog import RESOURCES, Kind, resource_named, with_attributes
from mlconnector.testing._fusion_query import BadQuery, DateLiterals, Test, examples, expression, finder, order, shape
from mlconnector.testing._fusion_render import DEFAULT_PAGE, View, describe, quoted
from mlconnector.testing._fusion_store import Node, ResourceStore, snapshot
from mlconnector.testing._fusion_token import IdentityDomainSimulator
from mlconnector.testing._server import Simulator
from mlconnector.testing._wire import Answer, Call, Refused, Request, dump_exact, json_answer

__all__ = ["FusionSimulator"]

_VERSION = "11.13.18.05"
_FRAMEWORKS = tuple(str(number) for number in range(1, 10))
_ERROR_TYPE = "application/vnd.oracle.adf.error+json"
_MEDIA = {
    "collection": "application/vnd.oracle.adf.resourcecollection+json",
    "item": "application/vnd.oracle.adf.resourceitem+json",
    "description": "application/vnd.oracle.adf.description+json",
}
_DESCRIBE_PARAMETERS = {"showTypes", "includeChildren", "metadataMode"}
_TITLES = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class FusionSimulator(Simulator):
    """A pod's ADF REST resources over rows you add, read-only, and the token host that goes with it.

    Rows are live: an offset counts in what is there at that moment, and rows that ``orderBy`` does not tell apart
    stand otherwise in every answer. A call without ``REST-Framework-Version`` is read as the default version's.
    ``fail`` and ``calls`` are the pod's; those of the token host stand on :attr:`token_host`.

    Args:
        clock: Its time: stamps, the ``Date`` header, tokens. The token host shares it.
        date_skew: How far the ``Date`` header is off.
        lock_after: Consecutive refused Basic logins that lock the account; None never locks.
        basic: Whether HTTP Basic is accepted beside tokens.
        scope: The one scope of the token host.
        token_life: Seconds a token lives.
        hourly_calls: Calls in an hour after which the pod answers 429, without ``Retry-After``; None is no limit.
        page_cap: Rows of a page at most: a larger ``limit`` gives fewer rows and no error.
        default_framework: The version of a call without the header.
        link_shape: Where an item's links stand: by the version (9 under ``@context``), or always in one place.
        link_root: Scheme, host and port in links, as ``"https://pod.invalid:443"``; None is :attr:`url`.
        date_literals: Which form of a date-time literal ``q`` reads.
        plain_keys: Whether the plain number is taken in place of an opaque key, which Oracle does not promise.
        children_touch: Whether a change of children alone stamps the row above them.
        reliable_more: False: behind offset 0, ``hasMore`` of a full page is false and ``totalResults`` is wrong.

    Raises:
        InvalidArgument: A value outside these.

    Attributes:
        token_host: The identity domain.
        on_request: Called with every call that is let in, before it is answered; it may change rows, so that they move
            between two pages. What it raises is raised at the end of the ``with`` block.
    """

    username = "ML.CONNECTOR"
    password = "simulated: p@ss&wörd"  # noqa: S105 - a constant of a simulator, no secret

    def __init__(
        self,
        *,
        clock: Clock = SYSTEM_CLOCK,
        date_skew: dt.timedelta = dt.timedelta(),
        lock_after: int | None = 5,
        basic: bool = True,
        scope: str = "urn:opc:resource:consumer::all",
        token_life: int = 3600,
        hourly_calls: int | None = None,
        page_cap: int = 499,
        default_framework: int = 1,
        link_shape: Literal["by_version", "links", "context"] = "by_version",
        link_root: str | None = None,
        date_literals: DateLiterals = "both",
        plain_keys: bool = False,
        children_touch: bool = False,
        reliable_more: bool = True,
    ) -> None:
        super().__init__(clock=clock, date_skew=date_skew, lock_after=lock_after)
        for name, value, allowed in (
            ("default_framework", default_framework, tuple(range(1, 10))),
            ("link_shape", link_shape, ("by_version", "links", "context")),
            ("date_literals", date_literals, ("both", "iso", "plain")),
        ):
            if value not in allowed:
                raise InvalidArgument(f"{name} must be one of {allowed}, not {value!r}.")
        if page_cap < 1:
            raise InvalidArgument(f"page_cap must be at least 1, not {page_cap!r}.")
        if hourly_calls is not None and hourly_calls < 1:
            raise InvalidArgument(f"hourly_calls must be at least 1 or None, not {hourly_calls!r}.")
        self.token_host: IdentityDomainSimulator = IdentityDomainSimulator(
            clock=clock, date_skew=date_skew, scope=scope, token_life=token_life
        )
        self.on_request: Callable[[Call], None] | None = None
        self._basic = basic
        self._hourly_calls = hourly_calls
        self._page_cap = page_cap
        self._default_framework = default_framework
        self._link_shape = link_shape
        self._link_root = link_root
        self._dates: DateLiterals = date_literals
        self._plain_keys = plain_keys
        self._children_touch = children_touch
        self._reliable_more = reliable_more
        self._kinds = dict(RESOURCES)
        self._stores = {name: ResourceStore(kind) for name, kind in RESOURCES.items()}
        self._forbidden: set[str] = set()
        self._hidden: set[str] = set()
        self._pages = 0
        self._let_in: list[float] = []

    def __enter__(self) -> Self:
        super().__enter__()
        self.token_host.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            super().__exit__(kind, error, traceback)
        finally:
            self.token_host.__exit__(kind, error, traceback)

    def close(self) -> None:
        """End every connection and thread of the pod and of its token host; safe to call twice."""
        super().close()
        self.token_host.close()

    # What the system holds

    def add(self, item: Any, *, resource: str | None = None) -> None:
        """Put rows or a document in; what has the same key is replaced.

        Args:
            item: With ``resource``, a row (attribute to value: text, ``int``, ``Decimal``, ``bool``, ``date``, aware
                ``datetime``, None; an accessor to a sequence of rows) or a sequence of rows. Without, a mapping of
                resource names to sequences of rows, or a business document: an invoice, payment, supplier, purchase
                order, shipment, journal line or account. Its ``extras`` that are attributes of the resource, and its
                ``provenance.updated_at`` as ``LastUpdateDate``, go into the row. Stamps that a row does not bring are
                the clock's.
            resource: The resource's name, such as ``"invoices"``.

        Raises:
            InvalidArgument: An unknown resource or attribute, a missing key, a value the attribute cannot hold, or a
                document that Fusion does not hold.
        """
        with self._lock:
            if resource is not None:
                rows: Mapping[str, Sequence[Mapping[str, Any]]] = {
                    resource: [item] if isinstance(item, Mapping) else item
                }
            else:
                rows = item if isinstance(item, Mapping) else self._document_rows(item)
            now = self.clock.now()
            for name, each in rows.items():
                store = self._store(name)
                for row in each:
                    store.put(row, now)

    def _document_rows(self, document: Any) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        from mlconnector.testing._fusion_documents import row_of

        resource, row = row_of(document, self._held)
        further = dict(document.extras)
        if document.provenance is not None and document.provenance.updated_at is not None:
            further["LastUpdateDate"] = document.provenance.updated_at
        known = self._store(resource).kind.attributes
        return {resource: [row | {name: value for name, value in further.items() if name in known}]}

    def _held(self, resource: str, attribute: str, value: Any) -> Mapping[str, Any] | None:
        store = self._store(resource)
        if attribute == store.kind.key:
            found = store.get(value)
        else:
            found = next((node for node in store if node.values.get(attribute) == value), None)
        return None if found is None else snapshot(found)

    def _store(self, resource: str) -> ResourceStore:
        return self._stores[resource_named(resource).name]

    def define(self, resource: str, **types: str) -> None:
        """Give a resource further attributes, as descriptive flexfields or another release do (section 11).

        Args:
            resource: Its name, or the way to a child: ``"shipments"``, ``"shipments.unpackedShipmentLines"``.
            types: Attribute to the letter of its type: I integer, N number, S string, D date, T date-time, B boolean.

        Raises:
            InvalidArgument: No such resource, accessor or type.
        """
        name, *accessors = resource.split(".")
        with self._lock:
            store = self._store(name)
            store.kind = with_attributes(store.kind, accessors, types)
            self._kinds[name] = with_attributes(self._kinds[name], accessors, types)

    def update(self, resource: str, key: Any, **changes: Any) -> None:
        """Change attributes of one row and stamp it now, or with the ``LastUpdateDate`` given.

        Args:
            resource: The resource's name.
            key: The value of its key attribute (``InvoiceId`` ...).
            changes: Attribute to value, or accessor to the rows that take the place of all its children. Children
                alone stamp the row only as ``children_touch`` says.

        Raises:
            InvalidArgument: No such resource, row, attribute or accessor.
        """
        with self._lock:
            self._store(resource).revise(key, changes, self.clock.now(), touch=self._children_touch)

    def touch(self, resource: str, *keys: Any, at: dt.datetime | None = None) -> None:
        """Stamp rows and what lies below them with one instant, as a bulk job does, and change nothing else.

        Args:
            resource: The resource's name.
            keys: Values of its key attribute; none is every row.
            at: Aware; None is the clock's now.

        Raises:
            InvalidArgument: No such resource or row, or a naive instant.
        """
        if at is not None and at.tzinfo is None:
            raise InvalidArgument(f"at must be aware, not {at!r}.")
        with self._lock:
            store = self._store(resource)
            for key in keys or [node.key for node in store]:
                store.stamp(key, at or self.clock.now())

    def remove(self, resource: str, key: Any) -> None:
        """Delete one row without a trace.

        Args:
            key: Of the row.

        Raises:
            InvalidArgument: No such resource or row.
        """
        with self._lock:
            self._store(resource).drop(key)

    def forbid(self, resource: str, *, forbidden: bool = True) -> None:
        """Take the user's privilege for a resource away (or give it back): 403.

        Args:
            forbidden: False gives it back.

        Raises:
            InvalidArgument: No such resource.
        """
        self._mark(self._forbidden, resource, on=forbidden)

    def hide(self, resource: str, *, hidden: bool = True) -> None:
        """Take the user's data access away (or give it back): an empty 200, no error (section 4.1).

        Args:
            hidden: False gives it back.

        Raises:
            InvalidArgument: No such resource.
        """
        self._mark(self._hidden, resource, on=hidden)

    def _mark(self, names: set[str], resource: str, *, on: bool) -> None:
        name = resource_named(resource).name
        with self._lock:
            if on:
                names.add(name)
            else:
                names.discard(name)

    def restrict(self, resource: str, *attributes: str, present: bool = True) -> None:
        """Make attributes not queryable: ``q`` with one is 400, and ``/describe`` says so (section 6.2).

        Args:
            resource: The resource's name.
            attributes: Of the resource itself.
            present: False takes them out of the resource altogether.

        Raises:
            InvalidArgument: No such resource or attribute, or its key.
        """
        with self._lock:
            kind = self._kinds[resource_named(resource).name]
            known = dict(kind.attributes)
            for name in attributes:
                if name not in known or name == kind.key:
                    raise InvalidArgument(f"{resource} has no attribute {name!r} that can be restricted.")
                attribute = known.pop(name)
                if present:
                    known[name] = attrs.evolve(attribute, queryable=False)
            self._kinds[kind.name] = attrs.evolve(kind, attributes=known)

    @property
    def contents(self) -> Mapping[str, tuple[Mapping[str, Any], ...]]:
        """Resource name to its rows of this moment: every attribute, children as lists under their accessors."""
        with self._lock:
            return {name: tuple(map(snapshot, store)) for name, store in self._stores.items()}

    @property
    def token_url(self) -> str:
        """The token endpoint, on the host of :attr:`token_host`."""
        return self.token_host.token_url

    @property
    def auth(self) -> Any:
        """``mlconnector.OAuth2ClientCredentials`` for the token host."""
        import mlconnector as mc

        host = self.token_host
        return mc.OAuth2ClientCredentials(
            host.username, host.password, token_url=host.token_url, scope=host.scope, basic=True
        )

    @property
    def basic_auth(self) -> Any:
        """``mlconnector.HTTPBasic`` with the pod's login."""
        import mlconnector as mc

        return mc.HTTPBasic(self.username, self.password)

    def client(self, **options: Any) -> Any:
        """``mlconnector.fusion.OracleFusion`` for this pod, on its clock; ``options`` go to its constructor."""
        from mlconnector.fusion import OracleFusion

        return OracleFusion(self.url, **{"auth": self.auth, "clock": self.clock, **options})

    def expire_tokens(self) -> None:
        """Make every token unknown: the next call with one is answered 401."""
        self.token_host.expire_tokens()

    # The web server

    def _work(self, request: Request) -> Answer:
        self._authorise(request)
        self._throttle()
        if self.on_request is not None:
            self.on_request(request.as_call(at=self.clock.now(), status=None, fault=None, acted=False))
        found = re.fullmatch(r"/fscmRestApi/resources(?:/([^/]+)(?:/([^/]+)(/.*)?)?)?", request.path.rstrip("/"))
        if found is None:
            raise self._refusal(request, 404, "Not Found")
        if request.method != "GET":
            raise self._refusal(request, 405, "The method is not allowed.")
        version, resource, rest = found.groups()
        if version is None:
            return json_answer(self._versions())
        self._framework(request)
        kind = self._kinds.get(resource or "")
        if version not in (_VERSION, "latest") or kind is None:
            raise self._refusal(request, 404, "Not Found")
        if kind.name in self._forbidden:
            raise self._refusal(request, 403, "Forbidden")
        try:
            return self._describe(request, kind) if rest == "/describe" else self._read(request, kind, rest or "")
        except BadQuery as bad:
            raise self._refusal(request, 400, str(bad)) from bad

    def _authorise(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.token_host.knows(token):
            return
        login = request.basic_login()
        if self._basic and login is not None and self._login_accepted(*login):
            return
        raise Refused(_html(401))

    def _throttle(self) -> None:
        if self._hourly_calls is None:
            return
        now = self.clock.monotonic()
        self._let_in = [at for at in self._let_in if now - at < 3600]
        if len(self._let_in) == self._hourly_calls:
            raise Refused(_html(429))
        self._let_in.append(now)

    def _framework(self, request: Request) -> int:
        text = request.headers.get("rest-framework-version", str(self._default_framework)).strip()
        if text not in _FRAMEWORKS:
            raise Refused(_text(400, f"The REST-Framework-Version {text} is not supported."))
        return int(text)

    def _versions(self) -> Mapping[str, Any]:
        extension = {
            "defaultFrameworkVersion": str(self._default_framework),
            "allowedFrameworkVersions": list(_FRAMEWORKS),
        }
        return {"items": [{"version": _VERSION, "isLatest": True, "adf:extension": extension}]}

    def _fault_answer(self, status: int) -> Answer:
        if status in (401, 429, 502, 503, 504):
            return _html(status)
        return json_answer(_error(status, "Simulated fault"), status=status)

    def _refusal(self, request: Request, status: int, detail: str) -> Refused:
        """The error in the form that the call's version and ``Accept`` give it (sections 2 and 12)."""
        version = request.headers.get("rest-framework-version", str(self._default_framework)).strip()
        if version in _FRAMEWORKS[3:] and _ERROR_TYPE in request.headers.get("accept", ""):
            return Refused(attrs.evolve(json_answer(_error(status, detail), status=status), content_type=_ERROR_TYPE))
        return Refused(_text(status, detail))

    def _answer(self, request: Request, sort: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        accepted = {part.partition(";")[0].strip() for part in request.headers.get("accept", "*/*").split(",")}
        possible = (media for media in ("application/json", _MEDIA[sort]) if accepted & {media, "*/*", "application/*"})
        media = next(possible, None)
        if media is None:
            raise self._refusal(request, 406, "None of the accepted media types can be produced.")
        return Answer(body=dump_exact(body).encode(), content_type=media, headers=dict(headers or {}))

    def _describe(self, request: Request, kind: Kind) -> Answer:
        if set(request.query) - _DESCRIBE_PARAMETERS:
            raise BadQuery("Only the parameters of describe are allowed.")
        return self._answer(request, "description", {"Resources": {kind.name: describe(kind)}})

    # Reading

    def _read(self, request: Request, kind: Kind, rest: str) -> Answer:
        """Follow ``/key/child/accessor/key ...`` down from a resource."""
        nodes: Iterable[Node] = () if kind.name in self._hidden else self._stores[kind.name]
        href = kind.name
        while rest:
            node, rest = self._addressed(request, kind, nodes, rest[1:])
            href = f"{href}/{quoted(node.address)}"
            if not rest:
                return self._item(request, kind, node, href)
            accessor, _, rest = rest.removeprefix("/child/").partition("/")
            if accessor not in kind.children:
                raise self._refusal(request, 404, "Not Found")
            kind, nodes, href = kind.children[accessor], node.children[accessor], f"{href}/child/{accessor}"
            rest = rest and f"/{rest}"
        return self._collection(request, kind, nodes, href)

    def _addressed(self, request: Request, kind: Kind, nodes: Iterable[Node], text: str) -> tuple[Node, str]:
        """The row that the text begins with, and what follows: a key may hold slashes, which arrive decoded."""
        for node in nodes:
            for address in (node.address, str(node.key)) if self._plain_keys else (node.address,):
                if text == address or text.startswith(f"{address}/child/"):
                    return node, text[len(address) :]
        raise self._refusal(request, 404, f"The {kind.name} resource does not exist.")

    def _view(self, request: Request, kind: Kind) -> View:
        query, framework = request.query, self._framework(request)
        rels = query.get("links")
        return View(
            root=f"{self._link_root or self.url}/fscmRestApi/resources/{_VERSION}",
            framework=framework,
            shape=shape(kind, query.get("fields"), query.get("expand")),
            only_data=_flag(query, "onlyData"),
            rels=None if rels is None else frozenset(rel.strip() for rel in rels.split(",")),
            in_context=self._link_shape == "context" or (self._link_shape == "by_version" and framework >= 9),
        )

    def _item(self, request: Request, kind: Kind, node: Node, href: str) -> Answer:
        tag = f'"{node.version}"'
        if request.headers.get("if-none-match") == tag:
            return Answer(status=304, headers={"ETag": tag})
        return self._answer(request, "item", self._view(request, kind).item(kind, node, href), {"ETag": tag})

    def _collection(self, request: Request, kind: Kind, nodes: Iterable[Node], href: str) -> Answer:
        query = request.query
        view = self._view(request, kind)
        limit = min(_whole(query, "limit", DEFAULT_PAGE, least=1), self._page_cap)
        offset = _whole(query, "offset", 0, least=0)
        day = query.get("effectiveDate")
        if day is not None and not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
            raise BadQuery(f"URL request parameter effectiveDate with value {day} is not valid.")
        tests = list(self._tests(query, kind, view.framework))
        self._pages += 1
        found = order(query.get("orderBy"), kind, [node for node in nodes if all(t(node) for t in tests)], self._pages)
        page = found[offset : offset + limit]
        more = offset + len(page) < len(found)
        total = len(found)
        if offset and not self._reliable_more:
            more, total = more and len(page) < limit, len(page)
        body = view.collection(kind, page, href, limit=limit, offset=offset, more=more)
        if _flag(query, "totalResults"):
            body["totalResults"] = total
        return self._answer(request, "collection", body)

    def _tests(self, query: Mapping[str, str], kind: Kind, framework: int) -> Iterator[Test]:
        if query.get("q"):
            parse: Callable[[str, Kind, DateLiterals], Test] = examples if framework == 1 else expression
            yield parse(query["q"], kind, self._dates)
        if "finder" in query:
            yield finder(query["finder"], kind)


def _flag(query: Mapping[str, str], name: str) -> bool:
    text = query.get(name, "false").lower()
    if text not in ("true", "false"):
        raise BadQuery(f"URL request parameter {name} with value {text} is not valid.")
    return text == "true"


def _whole(query: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        raise BadQuery(f"URL request parameter {name} with value {text} is not valid.")
    return int(text)


def _error(status: int, detail: str) -> Mapping[str, Any]:
    title = _TITLES.get(status, "Error")
    return {
        "title": title,
        "status": str(status),
        "o:errorDetails": [{"detail": detail, "o:errorCode": "27520", "o:errorPath": "/"}],
    }


def _text(status: int, detail: str) -> Answer:
    return Answer(status=status, body=detail.encode(), content_type="text/plain")


def _html(status: int) -> Answer:
    text = f"<html><head><title>Error {status}</title></head><body><h1>Error {status}</h1></body></html>"
    return Answer(status=status, body=text.encode(), content_type="text/html")
