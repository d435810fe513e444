"""The Cleo client: files, connections, transfers, actions, payloads (Cleo reference, sections 2 to 8)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from mlconnector.check import Check
from mlconnector.cleo._faults import FAULTS
from mlconnector.cleo._files import CleoFile, CleoFiles, clean
from mlconnector.cleo._routes import Route, Routes
from mlconnector.cleo._rows import RowsReader, expression
from mlconnector.cleo._transports import FileTransport, RestTransport, ServerTransport
from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.errors import ConnectionFailed, DeliveryInDoubt, InvalidArgument, NotFound, TargetChanged, VendorFault
from mlconnector.http import (
    Connector,
    HTTPClient,
    Request,
    Response,
    Retry,
    Timeout,
    TokenManager,
    Transport,
    same_origin_path,
)
from mlconnector.records import Records
from mlconnector.target import Receipt, Target

__all__ = ["Cleo"]

_LONGEST_ID = 255
_PATIENCE = 3
"""How often a collection that shrinks while it is read is begun anew."""
_READ_ONLY = frozenset(
    {"active", "editable", "runnable", "ready", "notReadyReason", "running", "nextRun", "lastStatus", "meta", "_links"}
)
"""What a PUT must leave out (section 3)."""


class Cleo(Connector):
    """Cleo Integration Cloud, Harmony or VLTrader.

    Args:
        url: Root of the server; a trailing ``/api`` is taken off.
        auth: ``OAuth2Password``, or ``HTTPBasic`` where the server takes it (section 2.2).
        files: How files go in and out.
        timeout, retry, verify, cert, proxies, transport, clock: As on every client.
        page_size: Entries a page of a collection, at most 100 (section 3.3).
        max_in_flight: Calls under way at once.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    system = "cleo"
    kinds: tuple[str, ...] = ()

    def __init__(
        self,
        url: str,
        *,
        auth: TokenManager,
        files: CleoFiles | None = None,
        timeout: float | Timeout | None = None,
        retry: Retry | None = None,
        page_size: int = 100,
        max_in_flight: int | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        transport: Transport | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if type(page_size) is not int or not 1 <= page_size <= 100:
            raise InvalidArgument(f"page_size={page_size!r} is not 1 to 100.", cure="Use 100 (Cleo reference, 3.3).")
        parts = urlsplit(url)
        if parts.path.rstrip("/") not in ("", "/api"):
            raise InvalidArgument(f"url={url!r} goes beyond the server's root.", cure="Give scheme, host and port.")
        self._transfer_settings = files or CleoFiles()
        self._page_size = page_size
        options: dict[str, Any] = {
            "faults": FAULTS,
            "timeout": timeout,
            "retry": retry,
            "max_in_flight": max_in_flight,
            "verify": verify,
            "cert": cert,
            "proxies": proxies,
            "transport": transport,
            "clock": clock,
        }
        self._http = HTTPClient(f"{parts.scheme}://{parts.netloc}", auth=auth, **options)
        self._files = self._file_transport(self._transfer_settings, options)

    def _file_transport(self, settings: CleoFiles, options: Mapping[str, Any]) -> FileTransport:
        if settings.url is None or settings.auth is None:
            return RestTransport(settings, self._http, self._entries)
        parts = urlsplit(settings.url)
        server = HTTPClient(f"{parts.scheme}://{parts.netloc}", auth=settings.auth, **options)
        return ServerTransport(settings, server, parts.path)

    def close(self) -> None:
        """Close the connections; a second call does nothing."""
        self._files.close()
        self._http.close()

    def upload(self, path: str, data: bytes) -> Receipt:
        """Put a file on the server, in one request, sent once.

        Args:
            path: Folder and name, ``"outbox/ACME/850.edi"``.
            data: The bytes, sent as they are.

        Raises:
            DeliveryInDoubt: No answer came: the file may be there; the message says what to look for.
            RequestRefused: The server refused it; nothing was written.
        """
        settings = self._transfer_settings
        try:
            response = self._files.upload(path, data)
        except ConnectionFailed as error:
            if error.repeat_safe:
                raise
            raise DeliveryInDoubt(
                f"The upload of {clean(path)!r} ({len(data)} bytes) got no answer: {error.message}",
                cure="Look for that name in its folder, in the sentbox and in the transfers before you repeat it.",
                system=self.system,
            ) from None
        except VendorFault as error:
            if error.refused:
                raise
            raise self._doubtful(path, error.message) from None
        if response.status not in settings.success:
            raise DeliveryInDoubt(
                f"The upload of {clean(path)!r} was answered with {response.status}, not one of {settings.success}.",
                cure="Look for the file; if this status means success here, add it to CleoFiles(success=...).",
                system=self.system,
            )
        if _is_page(response):
            raise self._doubtful(path, "an HTML page came instead of an answer")
        return Receipt(system=self.system, id=clean(path), raw={"status": response.status, "bytes": len(data)})

    def _doubtful(self, path: str, answer: str) -> DeliveryInDoubt:
        return DeliveryInDoubt(
            f"The upload of {clean(path)!r} was not answered with its outcome: {answer}",
            cure="Look for the file; the network administrator looks at proxies and log-in pages on the way.",
            system=self.system,
        )

    def files(self, folder: str) -> list[CleoFile]:
        """Files of a folder, subfolders left out, every page.

        Raises:
            NotFound: No such folder.
        """
        return self._files.files(folder)

    def download(self, path: str) -> bytes:
        """The bytes of a file."""
        return self._files.download(path)

    def delete(self, path: str) -> None:
        """Delete a file; one that is gone already counts as deleted (section 9)."""
        try:
            self._files.delete(path)
        except NotFound:
            return

    def connections(self, *, alias: str | None = None, external_id: str | None = None) -> list[Mapping[str, Any]]:
        """Connections, as the server sends them.

        Args:
            alias: Only the one of this name. ``external_id``: only the one of this id (section 8.1; the filter on it
                is not verified).
        """
        terms = [_equal(name, value) for name, value in (("alias", alias), ("externalId", external_id)) if value]
        return list(self._entries("/api/connections", " and ".join(terms)))

    def set_external_id(self, alias: str, external_id: str) -> Receipt:
        """Give a connection the ERP's key; the rest of it stays (sections 3 and 4). Sent once, never repeated.

        Args:
            alias: Of the connection. ``external_id``: up to 255 characters, unique among connections.

        Raises:
            InvalidArgument: Not exactly one connection of that name, or no such id.
            TargetChanged: It has another id, or a log-in: a password is never shown, and writing the rest back could
                take it away.
        """
        if not external_id.strip() or len(external_id) > _LONGEST_ID:
            raise InvalidArgument(f"external_id={external_id!r}.", cure=f"Give 1 to {_LONGEST_ID} characters.")
        record = self._connection(alias)
        current = str(record.get("externalId") or "")
        if current == external_id:
            return Receipt(system=self.system, id=str(record["id"]), existing=True)
        connect = record.get("connect")
        if current or (isinstance(connect, Mapping) and connect.get("username")):
            raise TargetChanged(
                f"Connection {alias!r} {f'has externalId {current!r}' if current else 'has a log-in'}.",
                cause="conflict",
                cure="The Cleo administrator sets externalId by hand.",
            )
        body = {name: value for name, value in record.items() if name not in _READ_ONLY}
        path = f"/api/connections/{record['id']}"
        self._http.send(Request("PUT", path, json={**body, "externalId": external_id}, write=True))
        return Receipt(system=self.system, id=str(record["id"]))

    def transfers(self, connection: str | Mapping[str, Any] | None = None) -> Iterator[Mapping[str, Any]]:
        """Transfers, of one connection (alias or record) or of all; page by page (section 8.3)."""
        if connection is None:
            return self._entries("/api/transfers")
        record = self._connection(connection) if isinstance(connection, str) else connection
        href = (record.get("_links") or {}).get("transfers", {}).get(
            "href"
        ) or f"/api/connections/{record['id']}/transfers"
        return self._entries(same_origin_path(str(href), self.origin))

    def rows(
        self,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        where: Sequence[tuple[str, str, Any]] | None = None,
        order_by: Sequence[str] | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Records[dict[str, Any]]:
        """Resources of a collection: ``"connections"``, ``"actions"``, ``"transfers"``, ``"events"``, ``"certs"``.

        Args:
            name: The collection. ``columns``: dotted names to keep, ``"meta.created"``; whole resources by default.
            where: ``(name, op, value)`` with ``=`` or ``startswith``, joined by and (section 3.4).
            order_by: Refused: no order is documented. ``limit``: at most this many. ``params``: refused, too.

        Raises:
            InvalidArgument: A collection that is none, or what the server is not known to do.
        """
        if not name.isalpha():
            raise InvalidArgument(f"name={name!r} is no collection.", cure='Use one like "connections".')
        if order_by or params:
            raise InvalidArgument(
                f"order_by={order_by!r}, params={params!r}: neither is documented for collections.",
                cure="Leave them out; sort the rows yourself.",
            )
        expression(where or ())
        reader = RowsReader(self._entries, name, None if columns is None else tuple(columns), tuple(where or ()))
        return Records(reader, limit=limit)

    def run_action(self, name: str, *, connection: str, timeout: dt.timedelta = dt.timedelta(minutes=4)) -> Receipt:
        """Run an action once. What it transmitted is told by :meth:`transfers`, not by this answer (section 8.1).

        Args:
            name: The action's alias. ``connection``: alias of its connection, since names are not unique.
            timeout: How long the server waits for the job.

        Raises:
            InvalidArgument: Not exactly one enabled action of that name.
            DeliveryInDoubt: The job had not completed, or no answer came: look at the transfers, never run it again.
            VendorFault: The job completed without success.
        """
        found = list(
            self._entries("/api/actions", f"{_equal('alias', name)} and {_equal('connection.alias', connection)}")
        )
        if len(found) != 1 or not _true(found[0].get("enabled", True)):
            raise InvalidArgument(
                f"{len(found)} actions are called {name!r} at {connection!r}, or it is not enabled.",
                cure="The Cleo administrator makes exactly one enabled action of that name, or you correct the route.",
            )
        href = (found[0].get("_links") or {}).get("run", {}).get("href") or f"/api/actions/{found[0]['id']}/run"
        request = Request(
            "POST",
            same_origin_path(str(href), self.origin),
            params={"timeout": str(int(timeout.total_seconds()))},
            headers={"Content-Type": "application/json"},
            write=True,
        )
        doubt = "Look at the transfers of the connection; never run it again by itself."
        try:
            job = self._http.send(request).json()
        except (ConnectionFailed, VendorFault) as error:
            if _surely_not_acted(error):
                raise
            raise DeliveryInDoubt(f"Action {name!r} got no answer: {error.message}", cure=doubt) from None
        if job.get("status") != "completed":
            raise DeliveryInDoubt(f"Action {name!r} is {job.get('status')!r}, not completed.", cure=doubt)
        if job.get("result") != "success":
            raise VendorFault(
                f"Action {name!r} ended with {job.get('result')!r}.",
                cure="The Cleo administrator looks at the action's log.",
                system=self.system,
            )
        return Receipt(system=self.system, id=str(found[0]["id"]), raw={"job": job.get("result")}, steps=("run",))

    def post_payload(self, path: str, json: Any) -> Receipt:
        """POST a JSON payload to an API path of the customer's own (section 7.4); any 2xx is accepted.

        Args:
            path: From the root of the server. ``json``: values; amounts as ``Decimal``.

        Raises:
            DeliveryInDoubt: No answer came, or none that tells what became of it; this cannot be looked up.
            RequestRefused: It was refused; nothing was done.
        """
        try:
            response = self._http.send(Request("POST", path, json=json, write=True))
        except (ConnectionFailed, VendorFault) as error:
            if _surely_not_acted(error):
                raise
            raise DeliveryInDoubt(
                f"The payload to {path} got no answer: {error.message}", cure="Ask the API's owner whether it arrived."
            ) from None
        return Receipt(system=self.system, raw={"status": response.status, "answer": response.excerpt(200)})

    def target(self, kind: str, **options: Any) -> Target[Any]:
        """A way of delivering: ``"files"``, with ``routes=``; see :class:`FilesTarget`.

        ``"acknowledgments"`` is the same with ``received=``: 997s for what came in.

        Raises:
            InvalidArgument: Another kind.
        """
        from mlconnector.cleo._targets import FilesTarget

        if kind not in ("files", "acknowledgments"):
            raise InvalidArgument(f"kind={kind!r} is no target of Cleo.", cure='Use "files" or "acknowledgments".')
        return FilesTarget(self, **options)

    def check(self, routes: Routes | Sequence[Route] | None = None) -> Check:
        """Prove the connection step by step; writes nothing. With routes, their folders and connections too."""
        from mlconnector.cleo._check import check

        return check(self, self._http, routes)

    def _connection(self, alias: str) -> Mapping[str, Any]:
        found = self.connections(alias=alias)
        if len(found) != 1:
            raise InvalidArgument(
                f"{len(found)} connections are called {alias!r}.", cure="Correct the alias; it must be exactly one."
            )
        return found[0]

    def _entries(self, path: str, expression: str = "") -> Iterator[Mapping[str, Any]]:
        """Every entry of a collection: 0-based, advanced by what was received, each one once (section 3.3).

        Raises:
            VendorFault: No collection, or one that was not read to its end: what is missing must not pass for absent.
        """
        start, total, shrunk = 0, 0, 0
        seen: set[Any] = set()
        while True:
            params = {"startIndex": str(start), "count": str(self._page_size)}
            if expression:
                params["filter"] = expression
            body = self._http.get_json(path, params)
            page = body if isinstance(body, list) else body.get("resources") if isinstance(body, Mapping) else None
            if not isinstance(page, list):
                raise VendorFault(
                    f"GET {path.partition('?')[0]} answered without a list of resources.",
                    cure="Check the path; another resource may answer there.",
                    system=self.system,
                )
            known = len(seen)
            for entry in page:
                name = _name_of(entry)
                if name not in seen:
                    seen.add(name)
                    yield entry
            if isinstance(body, list):
                return
            if body.get("totalResults") is None:
                # The end is not told: a full page with something new in it may have one behind it.
                if len(page) < self._page_size or len(seen) == known:
                    return
                start += len(page)
                continue
            before, total, start = total, int(body["totalResults"]), start + len(page)
            if total < before and shrunk < _PATIENCE:
                # Entries went while it was read, and those behind them moved up to where it was read already.
                start, shrunk = 0, shrunk + 1
            elif total < before or (start < total and not page):
                raise VendorFault(
                    f"GET {path.partition('?')[0]} told of {max(total, before)} entries and showed {start}.",
                    cure="It is read again at the next run; if it recurs, the Cleo administrator looks at the server.",
                    system=self.system,
                )
            elif start >= total:
                return


def _name_of(entry: Any) -> Any:
    """What tells an entry from others; the file profile has no ids (section 7.3)."""
    if not isinstance(entry, Mapping):
        return entry
    names = (entry[name] for name in ("id", "path", "name") if entry.get(name) is not None)
    return next(names, id(entry))


def _surely_not_acted(error: ConnectionFailed | VendorFault) -> bool:
    return error.repeat_safe or getattr(error, "refused", False)


def _equal(name: str, value: str) -> str:
    if any(char in value for char in '"\\'):
        raise InvalidArgument(
            f"{value!r} holds a quote or a backslash, whose form in a filter is not documented.",
            cure="Rename it in Cleo (Cleo reference, section 3.4).",
        )
    return f'{name} eq "{value}"'


def _true(value: Any) -> bool:
    """Booleans may come as text (section 3.1)."""
    return str(value).lower() == "true"


def _is_page(response: Response) -> bool:
    """HTML, where a file server answers with nothing, a line or JSON."""
    named = response.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "text/html"
    return named or response.content.lstrip()[:1] == b"<"
