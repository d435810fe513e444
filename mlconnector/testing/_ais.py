"""A JD Edwards AIS server in this process that answers, and refuses, as the AIS reference says."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NoReturn

from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.errors import InvalidArgument
from mlconnector.testing._ais_answers import error_answer, html_page
from mlconnector.testing._ais_books import FinancialRules
from mlconnector.testing._ais_grid import GridWriter, ResultSet
from mlconnector.testing._ais_journals import BatchRun
from mlconnector.testing._ais_orchestrations import OrchestrationService, OrchestrationSite
from mlconnector.testing._ais_query import (
    BadRequest,
    BadValue,
    DateFormat,
    Literals,
    aggregate,
    columns_named,
    first,
    select,
)
from mlconnector.testing._ais_session import Session, SessionBook
from mlconnector.testing._ais_simple_get import browse_request
from mlconnector.testing._ais_store import Contents, Row, TableStore, table_named
from mlconnector.testing._ais_tables import TABLES, Column, Table
from mlconnector.testing._server import Simulator
from mlconnector.testing._wire import Answer, Refused, Request, json_answer

__all__ = ["JDEdwardsSimulator"]

_RESULT_SET_LIFE = 60.0
_DEFAULT_PAGE = 100
_ORCHESTRATOR = re.compile(r"/jderest(/v[23])?/(orchestrator/(?P<run>[^/]+)|discover(/(?P<seen>[^/]+))?)")
_SIMPLE = re.compile(r"/dataservice/(table|view)/([^/]+)")
_CAPABILITIES = ("dataservice", "dataServiceAggregation", "version2services", "nextPage", "simpleGetServices")


class JDEdwardsSimulator(Simulator):
    """AIS: logins, the data service over the tables of the reference's section 7, orchestrations that act on them.

    Add rows or documents with :meth:`add`; they are stamped with the simulator's clock in the site's local time.

    Args:
        clock: Its time.
        date_skew: How far the ``Date`` header is off.
        lock_after: Consecutive refused logins that lock the account; None never locks.
        date_format: ``simpleDateFormat`` of the login; date literals are read in it.
        utc_offset: ``timeZoneOffset`` of the login, ``"UTC-05:00"``; local time of stamps and of TODAY.
        session_life: Seconds a token lives without being used.
        expired_status: What the data service answers to an unknown token; the reference grades both.
        fetch_limit: The JAS "DB Fetch Limit": no result set is longer.
        page_ceiling: Rows of a page at most, whatever was asked for; None is no ceiling.
        bad_column: How an unknown column, table or literal shows: HTTP 500, or HTTP 200 with ``sysErrors``.
        count_shape: Where COUNT puts its figure: in ``ds_<table>``, at top level, or as text in ``ds_<table>``.
        empty_date: What an empty date looks like in an answer.
        link_host: Scheme and host of ``next`` links: the server's own view, unreachable on purpose.
        orchestrations: How the site has built its orchestrations.
        financials: How the site has set up Payables and General Accounting.

    Raises:
        InvalidArgument: A value outside these.

    Attributes:
        environment: The one JDE environment.
        role: The role of the login.
    """

    username = "MLCONN"
    password = 'ais "simulator" p@ss&word'  # noqa: S105 - a constant of a simulator, no secret
    environment = "JPY920"
    role = "*ALL"

    def __init__(
        self,
        *,
        clock: Clock = SYSTEM_CLOCK,
        date_skew: dt.timedelta = dt.timedelta(),
        lock_after: int | None = 5,
        date_format: str = "MM/dd/yyyy",
        utc_offset: str = "UTC-05:00",
        session_life: float = 1800.0,
        expired_status: Literal[444, 403] = 444,
        fetch_limit: int = 2000,
        page_ceiling: int | None = None,
        bad_column: Literal[500, 200] = 500,
        count_shape: Literal["nested", "top", "text"] = "nested",
        empty_date: Literal["", " ", "0"] | None = None,
        link_host: str = "http://ais-inside.invalid:7070",
        orchestrations: OrchestrationSite | None = None,
        financials: FinancialRules | None = None,
    ) -> None:
        super().__init__(clock=clock, date_skew=date_skew, lock_after=lock_after)
        for name, value, allowed in (
            ("expired_status", expired_status, (444, 403)),
            ("bad_column", bad_column, (500, 200)),
            ("count_shape", count_shape, ("nested", "top", "text")),
            ("empty_date", empty_date, (None, "", " ", "0")),
        ):
            if value not in allowed:
                raise InvalidArgument(f"{name} must be one of {allowed}, not {value!r}.")
        if fetch_limit < 1 or (page_ceiling is not None and page_ceiling < 1) or session_life <= 0:
            raise InvalidArgument("fetch_limit, page_ceiling and session_life must be positive.")
        self._date_format = DateFormat(date_format)
        self._offset_text = utc_offset
        self._zone = _zone(utc_offset)
        self._session_life = session_life
        self._expired_status = expired_status
        self._fetch_limit = fetch_limit
        self._page_ceiling = page_ceiling
        self._bad_column = bad_column
        self._count_shape = count_shape
        self._grid = GridWriter(empty_date, link_host)
        self._stores = {name: TableStore(table) for name, table in TABLES.items()}
        self._financials = financials or FinancialRules()
        self._orchestrations = OrchestrationService.over(
            self._stores,
            site=orchestrations or OrchestrationSite(),
            rules=self._financials,
            user=self.username,
            dates=self._date_format,
        )
        self._hidden: set[str] = set()
        self._sessions = SessionBook(session_life)
        self._result_sets: dict[str, ResultSet] = {}
        self._answers = 0

    # What the system holds

    def add(self, item: Any, *, table: str | None = None) -> None:
        """Put rows or a document in; what has the same key is replaced.

        Args:
            item: With ``table``, a row (a mapping of alias to value: text, ``int``, ``Decimal``, ``date``, None) or
                a sequence of rows. Without, a mapping of table names to sequences of rows, as the builders return,
                or a business document. A row without UPMJ is stamped now.
            table: The table's name, such as ``"F4301"``.

        Raises:
            InvalidArgument: An unknown table or column, a missing key, a value the column cannot hold.
        """
        if table is not None:
            tables: Mapping[str, Sequence[Mapping[str, Any]]] = {table: [item] if isinstance(item, Mapping) else item}
        elif isinstance(item, Mapping):
            tables = item
        else:
            from mlconnector.testing._ais_documents import rows_of

            tables = rows_of(item, self._zone, payment_sign=self._financials.payment_sign)
        with self._lock:
            now = self._site_time()
            for name, rows in tables.items():
                store = self._stores[table_named(name).name]
                for row in rows:
                    store.put(row, now)

    def update(self, table: str, key: Any, **columns: Any) -> None:
        """Change columns of one row and stamp it now, or with the UPMJ and UPMT or TDAY given.

        Args:
            table: The table's name.
            key: A mapping of key aliases, the key's values in order, or the one value of a single key.
            columns: Alias to value. A key column moves the row.

        Raises:
            InvalidArgument: No such table, row or column.
        """
        with self._lock:
            self._stores[table_named(table).name].revise(key, columns, self._site_time())

    def remove(self, table: str, key: Any) -> None:
        """Delete one row without a trace.

        Args:
            key: Of the row.

        Raises:
            InvalidArgument: No such table or row.
        """
        with self._lock:
            self._stores[table_named(table).name].drop(key)

    def hide(self, table: str, *, hidden: bool = True) -> None:
        """Take the login's rights to a table away (or give them back): fewer rows, no error (section 8, item 16).

        Args:
            hidden: False gives it back.

        Raises:
            InvalidArgument: No such table.
        """
        name = table_named(table).name
        with self._lock:
            if hidden:
                self._hidden.add(name)
            else:
                self._hidden.discard(name)

    def deny(self, orchestration: str, *, status: Literal[403, 500] | None = 403) -> None:
        """Take the login's rights to an orchestration away: 403 and unseen, or 500 for one of its components.

        Args:
            orchestration: The site's name of it.
            status: How the missing right shows; None gives it back.

        Raises:
            InvalidArgument: No such orchestration, or another status.
        """
        with self._lock:
            self._orchestrations.deny(orchestration, status)

    def postpone(self, orchestration: str, *, by: float) -> None:
        """Let the next call of an orchestration run long: a gateway answers 504 at once, its work is done later.

        Args:
            orchestration: The site's name of it.
            by: Seconds of the simulator's clock until the work is done.

        Raises:
            InvalidArgument: No such orchestration, or no positive time.
        """
        with self._lock:
            self._orchestrations.postpone(orchestration, by)

    def post(self, batch: int | None = None) -> frozenset[int]:
        """Post what stands unposted in F0411 and F0911: one batch (``ICU``), or all.

        Returns:
            The numbers of the batches that were posted.
        """
        with self._lock:
            return self._orchestrations.post(batch, self._site_time())

    def run_batch(self) -> BatchRun:
        """Run the batch processors over what orchestrations staged (``OrchestrationSite(z_files=True)``)."""
        with self._lock:
            return self._orchestrations.run_batch(self._site_time())

    @property
    def contents(self) -> Mapping[str, tuple[Row, ...]]:
        """Table name to its rows of this moment, in key order: every column, text right-trimmed, empty dates None."""
        with self._lock:
            self._orchestrations.catch_up(self._site_time())
        return Contents(self._stores, self._lock)

    @property
    def open_sessions(self) -> int:
        """Tokens that are alive; 0 once every client has logged out."""
        with self._lock:
            return self._sessions.count(self.clock.monotonic())

    @property
    def max_open_sessions(self) -> int:
        """The most tokens that were alive at once, since calls are counted."""
        with self._lock:
            return self._sessions.most

    def forget_calls(self) -> None:
        """Begin counting calls, and open sessions, anew."""
        super().forget_calls()
        with self._lock:
            self._sessions.most = self._sessions.count(self.clock.monotonic())

    @property
    def auth(self) -> Any:
        """``mlconnector.AISSession`` with the simulator's login."""
        import mlconnector as mc

        return mc.AISSession(self.username, self.password, device="mlconnector")

    def client(self, **options: Any) -> Any:
        """``mlconnector.JDEdwardsAIS`` for this simulator, on its clock; ``options`` go to its constructor."""
        import mlconnector as mc

        return mc.JDEdwardsAIS(self.url, **{"auth": self.auth, "clock": self.clock, **options})

    def expire_tokens(self) -> None:
        """Make every token unknown, as a restart of AIS or JAS does; result sets are gone too."""
        with self._lock:
            self._sessions.expire_all()
            self._result_sets.clear()

    # The web server

    def _work(self, request: Request) -> Answer:
        self._orchestrations.catch_up(self._site_time())
        orchestrator = _ORCHESTRATOR.fullmatch(request.path)
        if orchestrator is not None:
            return self._orchestrator(request, orchestrator[1], orchestrator["run"], orchestrator["seen"])
        found = re.fullmatch(r"/jderest(/v2)?(/.*)", request.path)
        route = (request.method, found[2]) if found else None
        if route == ("GET", "/defaultconfig"):
            return self._default_config(request)
        if found is None or found[1] is None or route is None:
            raise Refused(html_page(404))
        post_only = {
            "/tokenrequest": self._token_request,
            "/tokenrequest/validate": self._validate,
            "/tokenrequest/logout": self._logout,
            "/dataservice": self._data_service,
        }
        if route[1] == "/dataservice/next" and request.method in ("GET", "POST"):
            return self._next_page(request)
        simple = _SIMPLE.fullmatch(route[1])
        if simple is not None and request.method == "GET":
            return self._simple_get(request, simple[1], simple[2])
        handler = post_only.get(route[1])
        if handler is None:
            raise Refused(html_page(404))
        if request.method != "POST":
            raise Refused(html_page(405))
        return handler(request, self._json_object(request))

    def _orchestrator(self, request: Request, version: str | None, run: str | None, seen: str | None) -> Answer:
        known_version = version != "/v3" or (run is not None and self._orchestrations.site.version3)
        if not known_version:
            raise Refused(html_page(404))
        if request.method not in ({"GET", "POST"} if run else {"GET"}):
            raise Refused(html_page(405))
        body = self._json_object(request)
        if run == "jde-login":
            return self._token_request(request, body)
        self._authorised(request, body)
        if run is None:
            return self._orchestrations.discover(seen)
        return self._orchestrations.run(run, request, body, self._site_time())

    def _json_object(self, request: Request) -> Mapping[str, Any]:
        if not request.raw:
            return {}
        if request.media_type != "application/json":
            raise Refused(html_page(415))
        try:
            body = request.json()
        except ValueError:
            self._refuse(400, "Invalid JSON input")
        if not isinstance(body, Mapping):
            self._refuse(400, "Invalid JSON input: an object is expected")
        return body

    def _fault_answer(self, status: int) -> Answer:
        if status in {400, 444, 500}:
            return self._error(status, "Simulated fault")
        return Answer(status=status) if status == 403 else html_page(status)

    def _error(self, status: int, message: str) -> Answer:
        return error_answer(status, message, self._time_stamp())

    def _refuse(self, status: int, message: str) -> NoReturn:
        raise Refused(self._error(status, message))

    def _site_time(self) -> dt.datetime:
        return self.clock.now().astimezone(self._zone)

    def _time_stamp(self) -> str:
        return self._site_time().strftime("%Y-%m-%d:%H.%M.%S")

    def _default_config(self, request: Request) -> Answer:
        names = {part.strip() for part in request.query.get("requiredCapabilities", "").split(",")} - {""}
        body: dict[str, Any] = {
            "jasHost": "jas.example",
            "jasPort": "8081",
            "jasProtocol": "http",
            "defaultEnvironment": self.environment,
            "defaultRole": self.role,
            "aisVersion": "EnterpriseOne 9.2.8.3",
            "sessionTimeout": int(self._session_life // 60),
            "capabilityList": [
                {"name": name, "shortDescription": name, "longDescription": name, "asOfRelease": "9.2.1.2"}
                for name in _CAPABILITIES
            ],
        }
        if names:
            body["requiredCapabilityMissing"] = not names <= set(_CAPABILITIES)
        return json_answer(body)

    # Sessions

    def _token_request(self, request: Request, body: Mapping[str, Any]) -> Answer:
        headers = request.headers
        basic = request.basic_login()
        if basic is not None:
            login, device = basic, headers.get("jde-ais-auth-device", "")
            environment, role = headers.get("jde-ais-auth-environment"), headers.get("jde-ais-auth-role")
        else:
            login = (str(body.get("username", "")), str(body.get("password", "")))
            device, environment, role = str(body.get("deviceName") or ""), body.get("environment"), body.get("role")
        known_place = environment in (None, "", self.environment) and role in (None, "", self.role)
        if not self._login_accepted(*login) or not known_place:
            raise Refused(Answer(status=403))
        session = self._sessions.open(device, self.clock.monotonic())
        return json_answer(
            {
                "username": self.username,
                "environment": self.environment,
                "role": self.role,
                "jasserver": "http://jas.example:8081",
                "userInfo": {
                    "token": session.token,
                    "langPref": "E",
                    "locale": "en",
                    "dateFormat": self._date_format.code,
                    "dateSeperator": self._date_format.separator,
                    "simpleDateFormat": self._date_format.pattern,
                    "timeFormat": "12",
                    "decimalFormat": ".",
                    "addressNumber": 1,
                    "alphaName": "Connector, Fictional",
                    "appsRelease": "E920",
                    "country": " ",
                    "username": self.username,
                    "longUserId": self.username,
                    "timeZoneOffset": self._offset_text,
                    "dstRuleKey": " ",
                    "dstRule": {},
                },
                "userAuthorized": False,
                "version": None,
                "aisSessionCookie": "simulated",
                "adminAuthorized": False,
            }
        )

    def _presented(self, request: Request, body: Mapping[str, Any], *, touch: bool = True) -> Session | None:
        headers = request.headers
        token = headers.get("jde-ais-auth") or str(body.get("token") or "")
        device = headers.get("jde-ais-auth-device") or str(body.get("deviceName") or "")
        return self._sessions.find(token, device, self.clock.monotonic(), touch=touch)

    def _validate(self, request: Request, body: Mapping[str, Any]) -> Answer:
        if self._presented(request, body, touch=body.get("touch") is True) is None:
            self._refuse(444, "Token is Invalid")
        return json_answer({"isValidSession": True})

    def _logout(self, request: Request, body: Mapping[str, Any]) -> Answer:
        session = self._presented(request, body)
        if session is None:
            self._refuse(444, "Token is Invalid")
        self._sessions.close(session)
        self._result_sets = {rid: kept for rid, kept in self._result_sets.items() if kept.token != session.token}
        return json_answer({})

    def _refuse_token(self) -> NoReturn:
        raise Refused(self._fault_answer(self._expired_status))

    def _authorised(self, request: Request, body: Mapping[str, Any]) -> Session | None:
        """The session of a data call; None where the call carries its own login (section 2.2)."""
        basic = request.basic_login()
        if basic is None and "username" in body:
            basic = str(body["username"]), str(body.get("password", ""))
        if basic is not None:
            if not self._login_accepted(*basic):
                raise Refused(Answer(status=403))
            return None
        session = self._presented(request, body)
        if session is None:
            self._refuse_token()
        return session

    # The data service

    def _data_service(self, request: Request, body: Mapping[str, Any]) -> Answer:
        session = self._authorised(request, body)
        try:
            return self._data_answer(body, session)
        except BadRequest as bad:
            self._refuse(400, str(bad))
        except BadValue as bad:
            if self._bad_column == 200:
                fault = {"TITLE": f"JAS_MSG: {bad}", "DESC": f"JAS_MSG: {bad}"}
                return json_answer({"sysErrors": [fault], "timeStamp": self._time_stamp()})
            self._refuse(500, str(bad))

    def _simple_get(self, request: Request, target_type: str, name: str) -> Answer:
        try:
            body = browse_request(target_type, name, request.parameters)
        except BadRequest as bad:
            self._refuse(400, str(bad))
        return self._data_service(request, body)

    def _data_answer(self, body: Mapping[str, Any], session: Session | None) -> Answer:
        name, service = body.get("targetName"), body.get("dataServiceType")
        if not isinstance(name, str) or body.get("targetType") not in ("table", "view"):
            raise BadRequest("targetName and targetType (table or view) are required")
        if service not in ("BROWSE", "COUNT", "AGGREGATION"):
            raise BadRequest("dataServiceType is BROWSE, COUNT or AGGREGATION")
        store = self._stores.get(name) if body["targetType"] == "table" else None
        if store is None:
            raise BadValue(f"Invalid {body['targetType']} {name}")
        if body.get("outputType", "GRID_DATA") != "GRID_DATA":
            raise BadRequest("Only outputType GRID_DATA is simulated")
        literals = Literals(date_format=self._date_format, today=self._site_time().date(), user=self.username)
        columns = columns_named(store.table, body.get("returnControlIDs"))
        # One more than is shown tells whether more there are.
        browsing = service == "BROWSE"
        rows = first(store, body, literals, self._fetch_limit + 1) if browsing else select(store, body, literals)
        if name in self._hidden:
            rows = []
        if service == "COUNT":
            return self._count_answer(name, len(rows))
        if service == "AGGREGATION":
            output = aggregate(store.table, rows, body.get("aggregation"), self._grid.shown)
            return json_answer({f"ds_{name}": {"output": output}, "sysErrors": []})
        return self._browse_answer(body, session, store.table, columns, rows if _finds(body) else [])

    def _count_answer(self, name: str, count: int) -> Answer:
        match self._count_shape:
            case "nested":
                return json_answer({f"ds_{name}": {"count": count}})
            case "text":
                return json_answer({f"ds_{name}": {"count": str(count)}})
            case _:
                return json_answer({"count": count})

    def _browse_answer(
        self, body: Mapping[str, Any], session: Session | None, table: Table, columns: list[Column], rows: list[Row]
    ) -> Answer:
        asked = body.get("maxPageSize", str(_DEFAULT_PAGE))
        if not isinstance(asked, str) or not (asked.lower() == "no max" or (asked.isdigit() and int(asked) > 0)):
            raise BadRequest("maxPageSize is a text: a positive number, or No Max")
        page = self._fetch_limit if asked.lower() == "no max" else int(asked)
        page = min(page, self._fetch_limit, self._page_ceiling or page)
        paged = str(body.get("enableNextPageProcessing", "")).lower() == "true" and session is not None
        results = ResultSet(
            table=table,
            columns=columns,
            listed=body.get("returnControlIDs") or "",
            rows=rows[: self._fetch_limit],
            cut_off=len(rows) > self._fetch_limit,
            page=page,
            token=session.token if session else "",
            device=session.device if session else "",
            last_used=self.clock.monotonic(),
        )
        self._answers += 1
        rid = f"{0x18036BD3BF70BB7A + self._answers:x}"
        if paged and len(results.rows) > page:
            self._result_sets[rid] = results
        return json_answer(self._grid.page(results, rid, linked=paged, time_stamp=self._time_stamp()))

    def _next_page(self, request: Request) -> Answer:
        if request.raw:
            self._only_null(request)
        query = request.query
        device = query.get("deviceName") or request.headers.get("jde-ais-auth-device", "")
        session = self._sessions.find(query.get("token", ""), device, self.clock.monotonic())
        if session is None:
            self._refuse_token()
        rid = query.get("rid", "")
        results = self._result_sets.get(rid)
        now = self.clock.monotonic()
        if results is None or results.token != session.token or now - results.last_used > _RESULT_SET_LIFE:
            self._result_sets.pop(rid, None)
            text = "JAS_MSG347: The result set is no longer available. Run the request again."
            raise Refused(json_answer({"sysErrors": [{"TITLE": text, "DESC": text}]}, status=500))
        results.last_used = now
        answer = json_answer(self._grid.page(results, rid, linked=True, time_stamp=self._time_stamp()))
        if not results.remain:
            del self._result_sets[rid]
        return answer

    def _only_null(self, request: Request) -> None:
        if request.media_type != "application/json":
            raise Refused(html_page(415))
        if request.raw.strip() != b"null":
            self._refuse(400, "The body of a next-page call is empty or null")


def _finds(body: Mapping[str, Any]) -> bool:
    """Whether a find runs at all: without findOnEntry, or a query without autoFind, the grid stays empty."""
    query = body.get("query")
    finds = str(body.get("findOnEntry", "")).upper() == "TRUE"
    return finds and (query is None or query.get("autoFind") is True)


def _zone(text: str) -> dt.timezone:
    found = re.fullmatch(r"UTC([+-])(\d\d):(\d\d)", text)
    if found is None:
        raise InvalidArgument(f"utc_offset is written UTC-05:00, not {text!r}.")
    span = dt.timedelta(hours=int(found[2]), minutes=int(found[3]))
    return dt.timezone(-span if found[1] == "-" else span)
