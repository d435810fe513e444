"""A Cleo Harmony, or Integration Cloud, in this process that answers, and refuses, as the Cleo reference says."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal, NoReturn

import attrs

from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.errors import InvalidArgument
from mlconnector.testing._cleo_files import FileTree, Upload, multipart_file, normal_path
from mlconnector.testing._cleo_filter import BadFilter, parse_filter
from mlconnector.testing._cleo_server import FileServer
from mlconnector.testing._server import Simulator
from mlconnector.testing._wire import Answer, Refused, Request, json_answer

__all__ = ["CleoSimulator", "Payload"]

_DEFAULT_COUNT, _MOST = 20, 100
_SERVER = "/server"
_FILTERS: Mapping[str, frozenset[str]] = {
    "connections": frozenset({"alias", "type", "externalId"}),
    "actions": frozenset({"alias", "type", "connection.alias", "authenticator.alias", "authenticator.user.username"}),
    "transfers": frozenset(),
    "events": frozenset(),
}
_CONTINUOUS = "on file continuously"
_READ_ONLY = frozenset({"active", "editable", "runnable", "ready", "notReadyReason", "running", "meta", "_links"})


@attrs.frozen(kw_only=True)
class Payload:
    """One JSON document posted to an endpoint of :meth:`CleoSimulator.add_endpoint`.

    Attributes:
        path: The endpoint.
        body: The document, fractions as ``Decimal``.
        at: The simulator's clock.
    """

    path: str
    body: Any
    at: dt.datetime


@attrs.define(kw_only=True)
class _Connection:
    resource: dict[str, Any]
    outbox: str
    sentbox: str
    action: dict[str, Any]


class CleoSimulator(Simulator):
    """Cleo's REST API: login, connections, actions, transfers, events, files, customers' endpoints.

    Harmony: a file in a connection's outbox goes to its sentbox and becomes a transfer when the send action is run
    (:meth:`transmit` does it too, for a connection whose action sends on file continuously); its HTTP server for local
    users is at :attr:`server_url`. CIC: connections,
    actions, transfers and events answer 403, and :meth:`consume` takes uploaded files out of their folders.

    Args:
        clock: Its time.
        date_skew: How far the ``Date`` header is off.
        lock_after: Consecutive refused logins that lock the account; None never locks.
        product: ``"harmony"`` or ``"cic"``.
        basic: Whether HTTP Basic is accepted on every call beside tokens.
        token_life: Seconds a token lives on the simulator's clock; None for ever. Given, the answer has ``expires_in``.
        overwrite: Whether an upload may replace a file; otherwise it is refused with 409 and the old one stays.
        create_folders: Whether folders come to be by use: an upload makes its folder, a listing of one that is not
            there (a last segment without a dot) is empty. Otherwise both are 404.
        transmit_at_once: Whether a continuous schedule sends as soon as a file is uploaded, without :meth:`transmit`.

    Raises:
        InvalidArgument: Another product.
    """

    username = "mailbox.ACME"
    password = "P@ss&word+1%="  # noqa: S105 - a constant of a simulator, no secret

    def __init__(
        self,
        *,
        clock: Clock = SYSTEM_CLOCK,
        date_skew: dt.timedelta = dt.timedelta(),
        lock_after: int | None = 5,
        product: Literal["harmony", "cic"] = "harmony",
        basic: bool = False,
        token_life: float | None = None,
        overwrite: bool = True,
        create_folders: bool = True,
        transmit_at_once: bool = False,
    ) -> None:
        super().__init__(clock=clock, date_skew=date_skew, lock_after=lock_after)
        if product not in {"harmony", "cic"}:
            raise InvalidArgument(f"product must be 'harmony' or 'cic', not {product!r}.")
        self._product = product
        self._basic = basic
        self._token_life = token_life
        self._overwrite = overwrite
        self._create_folders = create_folders
        self._transmit_at_once = transmit_at_once
        self._tokens: dict[str, float] = {}
        self._numbers: dict[str, int] = {}
        self._tree = FileTree(("inbox", "outbox"))
        self._http_server = FileServer(self._tree, self._login_accepted, self._store)
        self._uploads: list[Upload] = []
        self._consumed: list[Upload] = []
        self._connections: dict[str, _Connection] = {}
        self._transfers: dict[str, dict[str, Any]] = {}
        self._events: dict[str, dict[str, Any]] = {}
        self._endpoints: dict[str, int] = {}
        self._payloads: list[Payload] = []

    # What the system holds

    def add(self, item: Any, data: bytes | None = None) -> str:
        """Put a file, a folder or a connection in.

        Args:
            item: The path of a file (with ``data``) or of a folder (without); or a connection: a mapping of its
                attributes as REST shows them (``alias`` required; ``externalId``, ``type``, ``ready``,
                ``notReadyReason``, ``enabled``, ``outbox``, ``sentbox``, ``schedule``), or a party, whose name
                becomes the alias and whose number the external id.
            data: The file's bytes.

        Returns:
            The file's or folder's path, or the connection's id.

        Raises:
            InvalidArgument: A path that leaves the tree, or a connection without an alias.
        """
        with self._lock:
            if not isinstance(item, str):
                fields = item if isinstance(item, Mapping) else {"alias": item.name, "externalId": item.number}
                return self._add_connection(fields)
            path = normal_path(item)
            if not path:
                raise InvalidArgument(f"{item!r} is no path inside the tree.")
            if data is None:
                self._tree.add_folder(path)
            else:
                self._tree.put(path, data, self.clock.now())
            return path

    def add_endpoint(self, path: str, *, status: int = 200) -> None:
        """Let the tenant have an API of its own that takes JSON by POST at ``path`` and answers ``status``.

        Raises:
            InvalidArgument: A path without a leading slash, or a status that is not 2xx.
        """
        if not path.startswith("/") or not 200 <= status < 300:
            raise InvalidArgument(f"An endpoint is a path with a leading slash and a 2xx status: {path!r}, {status!r}.")
        with self._lock:
            self._endpoints[path] = status

    def transmit(self, alias: str | None = None, *, status: str = "success") -> int:
        """Send what stands in the outboxes: each file moves to the sentbox and becomes a transfer.

        Args:
            alias: Of one connection; None is every one.
            status: The transfers' status word, as ``"success"``, ``"Receipt Pending"`` or ``"Error"``. A file whose
                transfer is ``"Error"`` stays in the outbox.

        Returns:
            How many files were sent.
        """
        with self._lock:
            return sum(
                self._transmit(connection, status, runtype="schedule")
                for connection in self._connections.values()
                if alias in {None, connection.resource["alias"]}
            )

    def consume(self, folder: str | None = None) -> int:
        """Let the data flow take the uploaded files: listings no longer show them; see :attr:`consumed`.

        Args:
            folder: Only those below this folder; None is every upload that is still there.

        Returns:
            How many were taken.
        """
        with self._lock:
            uploaded = {upload.path: upload for upload in self._uploads}
            taken = [
                upload
                for path, upload in uploaded.items()
                if path in self._tree.files and (folder is None or path.startswith(f"{normal_path(folder)}/"))
            ]
            for upload in taken:
                self._tree.remove(upload.path)
            self._consumed.extend(taken)
            return len(taken)

    @property
    def contents(self) -> Mapping[str, bytes]:
        """Path to bytes of every file that is there now: in- and outboxes, sentboxes, folders."""
        with self._lock:
            return MappingProxyType({path: stored.data for path, stored in self._tree.files.items()})

    @property
    def uploads(self) -> tuple[Upload, ...]:
        """Every upload ever accepted, in order; what shows a double even where the second replaced the first."""
        with self._lock:
            return tuple(self._uploads)

    @property
    def consumed(self) -> tuple[Upload, ...]:
        """The uploads that :meth:`consume` took, in order."""
        with self._lock:
            return tuple(self._consumed)

    @property
    def payloads(self) -> tuple[Payload, ...]:
        """Every JSON document posted to an endpoint, in order."""
        with self._lock:
            return tuple(self._payloads)

    @property
    def transfers(self) -> tuple[Mapping[str, Any], ...]:
        """The transfers as REST shows them, in the order they happened."""
        with self._lock:
            return tuple(MappingProxyType(transfer) for transfer in self._transfers.values())

    @property
    def auth(self) -> Any:
        """``mlconnector.OAuth2Password`` with the simulator's login."""
        import mlconnector as mc

        return mc.OAuth2Password(self.username, self.password)

    def client(self, **options: Any) -> Any:
        """``mlconnector.Cleo`` for this simulator, on its clock; ``options`` go to its constructor."""
        import mlconnector as mc

        return mc.Cleo(self.url, **{"auth": self.auth, "clock": self.clock, **options})

    @property
    def server_url(self) -> str:
        """The HTTP server for local users: files of the same tree by ``request=``, the same login as HTTP Basic."""
        return self.url + _SERVER

    def expire_tokens(self) -> None:
        """Make every token unknown: the next call with one is answered 401."""
        with self._lock:
            self._tokens.clear()

    # The web server

    def _work(self, request: Request) -> Answer:
        if request.path == _SERVER and self._product == "harmony":
            return self._http_server.answer(request)
        if request.path == "/api/authentication":
            return self._authenticate(request)
        self._authorise(request)
        if request.path in self._endpoints:
            return self._take_payload(request)
        files = re.fullmatch(r"/api/files(/.*)?", request.path)
        if files is not None:
            return self._file_call(request, files[1] or "")
        resource = re.fullmatch(r"/api/(connections|actions|transfers|events)(?:/([^/]+)(?:/([^/]+))?)?", request.path)
        if resource is None:
            self._refuse(404, "Not found.")
        if self._product == "cic":
            self._refuse(403, "Not available for this account.")
        return self._resource_call(request, resource[1], resource[2], resource[3])

    def _refuse(self, status: int, message: str) -> NoReturn:
        raise Refused(json_answer({"message": message}, status=status))

    def _need(self, request: Request, method: str) -> None:
        if request.method != method:
            self._refuse(405, f"{request.method} is not allowed here.")

    def _authenticate(self, request: Request) -> Answer:
        self._need(request, "POST")
        if request.media_type != "application/x-www-form-urlencoded":
            self._refuse(415, "The login is a URL-encoded form.")
        form = request.form()
        if form.get("grant_type") != "password" or not form.get("username") or not form.get("password"):
            self._refuse(400, "grant_type=password, username and password are required.")
        if not self._login_accepted(form["username"], form["password"]):
            self._refuse(401, "Invalid username or password.")
        token = self._new_id("token", 40)
        self._tokens[token] = self.clock.monotonic()
        body: dict[str, Any] = {"access_token": token}
        if self._token_life is not None:
            body["expires_in"] = Decimal(str(self._token_life))
        return json_answer(body)

    def _authorise(self, request: Request) -> None:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            issued = self._tokens.get(value)
            if issued is not None and (self._token_life is None or self.clock.monotonic() - issued < self._token_life):
                return
        login = request.basic_login()
        if login is not None and self._basic and self._login_accepted(*login):
            return
        self._refuse(401, "Unauthorized.")

    def _new_id(self, kind: str, length: int = 22) -> str:
        """An opaque id; some begin with ``-`` or ``_``, as real ones do (section 3.1)."""
        number = self._numbers[kind] = self._numbers.get(kind, 0) + 1
        text = base64.urlsafe_b64encode(hashlib.sha256(f"{kind} {number}".encode()).digest()).decode().strip("=")
        return ("-_ab"[number % 4] + text)[:length]

    # Customers' endpoints

    def _take_payload(self, request: Request) -> Answer:
        self._need(request, "POST")
        if request.media_type != "application/json":
            self._refuse(415, "application/json is expected.")
        try:
            body = request.json()
        except ValueError:
            self._refuse(400, "The body is not JSON.")
        self._payloads.append(Payload(path=request.path, body=body, at=self.clock.now()))
        status = self._endpoints[request.path]
        return Answer(status=status) if status == 204 else json_answer({"accepted": True}, status=status)

    # Files

    def _file_call(self, request: Request, raw_path: str) -> Answer:
        path = normal_path(raw_path)
        if path is None:
            self._refuse(400, "The path leaves the tree.")
        if request.method == "GET":
            return self._read_path(request, path, folder=raw_path.endswith("/") or not path)
        if request.method == "DELETE":
            if path not in self._tree.files:
                self._refuse(404, "No such file.")
            self._tree.remove(path)
            return Answer(status=204)
        if request.method == "POST":
            part = multipart_file(request.headers.get("content-type", ""), request.raw)
            if part is None or "/" in part[0]:
                self._refuse(415, "multipart/form-data with a part named file is expected.")
            return self._store(f"{path}/{part[0]}", part[1])
        self._need(request, "PUT")
        if not path or raw_path.endswith("/"):
            self._refuse(400, "A file needs a name.")
        return self._store(path, request.raw)

    def _read_path(self, request: Request, path: str, *, folder: bool) -> Answer:
        if path in self._tree.files and not folder:
            return Answer(body=self._tree.files[path].data, content_type="application/octet-stream")
        could_be = self._create_folders and (folder or "." not in path.rpartition("/")[2])
        if not self._tree.has_folder(path) and not could_be:
            self._refuse(404, "No such file or folder.")
        if "filter" in request.query:
            self._refuse(400, "Files cannot be filtered.")
        return self._collection(request, self._tree.listing(path))

    def _store(self, path: str, data: bytes) -> Answer:
        folder = path.rpartition("/")[0]
        if not self._create_folders and not self._tree.has_folder(folder):
            self._refuse(404, "No such folder.")
        if self._tree.has_folder(path):
            self._refuse(409, "A folder has that name.")
        if path in self._tree.files and not self._overwrite:
            self._refuse(409, "Files may not be overwritten.")
        replaced = self._tree.put(path, data, self.clock.now())
        self._uploads.append(Upload(path=path, data=data, at=self.clock.now(), replaced=replaced))
        if self._transmit_at_once:
            for connection in self._connections.values():
                if connection.outbox == folder and connection.action["schedule"] == _CONTINUOUS:
                    self._transmit(connection, "success", runtype="schedule")
        return Answer(status=204) if replaced else Answer(status=201)

    # Connections, actions, transfers, events

    def _resource_call(self, request: Request, kind: str, key: str | None, below: str | None) -> Answer:
        resources = self._resources(kind)
        if key is None:
            self._need(request, "GET")
            return self._collection(request, list(resources.values()), _FILTERS[kind])
        if key not in resources:
            self._refuse(404, "No such resource.")
        if below is None and kind == "connections" and request.method == "PUT":
            return self._replace_connection(request, key)
        if below is None:
            self._need(request, "GET")
            return json_answer(resources[key])
        if (kind, below) == ("actions", "run"):
            return self._run(request, key)
        if (kind, below) == ("transfers", "resend"):
            return self._resend(request, key)
        self._need(request, "GET")
        if (kind, below) == ("connections", "transfers"):
            href = f"/api/connections/{key}"
            found = [item for item in self._transfers.values() if item["_links"]["connection"]["href"] == href]
            return self._collection(request, found, _FILTERS["transfers"])
        if (kind, below) != ("transfers", "events"):
            self._refuse(404, "No such resource.")
        hrefs = {link["href"] for link in self._transfers[key]["_links"]["files"]}
        found = [item for item in self._events.values() if item["_links"]["self"]["href"] in hrefs]
        return self._collection(request, found, _FILTERS["events"])

    def _resources(self, kind: str) -> Mapping[str, dict[str, Any]]:
        match kind:
            case "connections":
                return {key: connection.resource for key, connection in self._connections.items()}
            case "actions":
                return {connection.action["id"]: connection.action for connection in self._connections.values()}
            case "transfers":
                return self._transfers
            case _:
                return self._events

    def _replace_connection(self, request: Request, key: str) -> Answer:
        """The whole object, without what only the server sets (section 3); ``externalId`` is unique (section 4)."""
        given = request.json()
        read_only = sorted(_READ_ONLY & set(given)) if isinstance(given, Mapping) else []
        if not isinstance(given, Mapping) or read_only or not given.get("alias"):
            self._refuse(400, f"Not a connection that can be put: {', '.join(read_only) or 'alias is required'}.")
        number = given.get("externalId")
        others = (one.resource for other, one in self._connections.items() if other != key)
        if number and any(one.get("externalId") == number for one in others):
            self._refuse(400, f"externalId {number} is another connection's.")
        old = self._connections[key].resource
        kept = {name: value for name, value in old.items() if name in _READ_ONLY}
        resource = {**given, **kept, "id": key, "meta": self._meta("connection")}
        old.clear()
        old.update(resource)
        return json_answer(resource)

    def _collection(
        self, request: Request, resources: Sequence[Mapping[str, Any]], attributes: frozenset[str] = frozenset()
    ) -> Answer:
        start = self._whole_number(request, "startIndex", 0)
        count = min(self._whole_number(request, "count", _DEFAULT_COUNT), _MOST)
        expression = request.query.get("filter")
        if expression is not None:
            try:
                test = parse_filter(expression, attributes)
            except BadFilter as bad:
                self._refuse(400, str(bad))
            resources = [resource for resource in resources if test(resource)]
        page = resources[start : start + count]
        return json_answer({"totalResults": len(resources), "startIndex": start, "count": len(page), "resources": page})

    def _whole_number(self, request: Request, name: str, default: int) -> int:
        text = request.query.get(name, str(default))
        if not text.isdigit() or (name == "count" and text == "0"):
            self._refuse(400, f"{name} must be a whole number.")
        return int(text)

    def _run(self, request: Request, action_id: str) -> Answer:
        self._need(request, "POST")
        if request.media_type != "application/json":
            self._refuse(415, "application/json is expected.")
        if request.raw:
            self._refuse(400, "Running an action takes no body.")
        connection = next(item for item in self._connections.values() if item.action["id"] == action_id)
        stamp = self.clock.now().strftime("%Y/%m/%d %H:%M:%S")
        result = "success"
        if connection.resource["ready"]:
            self._transmit(connection, "success", runtype="api")
        else:
            result = "error"
        messages = [f'{stamp}   Run: type="API"', f"{stamp}   End"]
        return json_answer({"status": "completed", "result": result, "messages": messages})

    def _resend(self, request: Request, key: str) -> Answer:
        self._need(request, "POST")
        old = self._transfers[key]
        connection = self._connections[old["_links"]["connection"]["href"].rpartition("/")[2]]
        link = old["_links"]["files"][0]
        self._record_transfer(connection, link["source"], link["filesize"], "success", runtype="api")
        return json_answer({})

    def _meta(self, kind: str) -> dict[str, Any]:
        stamp = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"resourceType": kind, "created": stamp, "lastModified": stamp, "version": "1"}

    def _add_connection(self, fields: Mapping[str, Any]) -> str:
        if not fields.get("alias"):
            raise InvalidArgument("A connection needs an alias.")
        key, action_key = self._new_id("connection"), self._new_id("action")
        own = dict(fields)
        outbox, sentbox = own.pop("outbox", "outbox/"), own.pop("sentbox", "sentbox/")
        schedule = own.pop("schedule", "")
        enabled = own.pop("enabled", True)
        href, action_href = f"/api/connections/{key}", f"/api/actions/{action_key}"
        resource: dict[str, Any] = {
            "type": "as2",
            "active": True,
            "editable": True,
            "runnable": True,
            "ready": True,
            **own,
            "id": key,
            "enabled": "true" if enabled in {True, "true"} else "false",
            "outgoing": {"storage": {"outbox": outbox, "sentbox": sentbox}},
            "meta": self._meta("connection"),
            "_links": {
                "self": {"href": href},
                "actions": [{"href": action_href}],
                "clone": {"href": f"{href}/clone"},
                "transfers": {"href": f"{href}/transfers"},
            },
        }
        action = {
            "id": action_key,
            "alias": "send",
            "type": "Commands",
            "enabled": True,
            "commands": ["PUT -DEL *"],
            "schedule": schedule,
            "running": False,
            "ready": resource["ready"],
            "connection": {"href": href, "alias": resource["alias"]},
            "meta": self._meta("action"),
            "_links": {"self": {"href": action_href}, "run": {"href": f"{action_href}/run"}},
        }
        folders = {
            name: normal_path(str(path).removeprefix("file:"))
            for name, path in (("outbox", outbox), ("sentbox", sentbox))
        }
        if not folders["outbox"] or not folders["sentbox"]:
            raise InvalidArgument(f"outbox and sentbox must be folders inside the tree: {outbox!r}, {sentbox!r}.")
        connection = _Connection(resource=resource, outbox=folders["outbox"], sentbox=folders["sentbox"], action=action)
        self._connections[key] = connection
        self._tree.add_folder(connection.outbox)
        self._tree.add_folder(connection.sentbox)
        return key

    def _transmit(self, connection: _Connection, status: str, *, runtype: str) -> int:
        waiting = self._tree.within(connection.outbox)
        for path in waiting:
            stored = self._tree.files[path]
            self._record_transfer(connection, path, len(stored.data), status, runtype=runtype)
            if status.lower() != "error":
                self._tree.remove(path)
                self._tree.put(f"{connection.sentbox}/{path.rpartition('/')[2]}", stored.data, self.clock.now())
        return len(waiting)

    def _record_transfer(self, connection: _Connection, source: str, size: int, status: str, *, runtype: str) -> None:
        key, event_key = self._new_id("transfer", 27), self._new_id("event")
        href, event_href = f"/api/transfers/{key}", f"/api/events/{event_key}"
        meta = self._meta("transfer")
        self._transfers[key] = {
            "id": key,
            "serial": f"XX{len(self._transfers):04}",
            "status": status,
            "direction": "outgoing",
            "transport": connection.resource["type"],
            "messageId": f"CLEO-{len(self._transfers) + 1:09}",
            "fileCount": 1,
            "seconds": Decimal("0.05"),
            "bytes": size,
            "runtype": runtype,
            "meta": meta,
            "_links": {
                "self": {"href": href},
                "connection": dict(connection.resource["_links"]["self"]),
                "action": dict(connection.action["_links"]["self"]),
                "resend": {"href": f"{href}/resend"},
                "events": {"href": f"{href}/events"},
                "files": [{"href": event_href, "source": source, "filesize": size, "fileTimeStamp": meta["created"]}],
            },
        }
        self._events[event_key] = {
            "id": event_key,
            "serial": f"EV{len(self._events):04}",
            "threadId": "1",
            "message": {"text": f"File {source}: {status}"},
            "attributes": {"type": "job"},
            "meta": {"resourceType": "event", "created": meta["created"], "sequence": len(self._events)},
            "_links": {"self": {"href": event_href}},
        }
