"""An Oracle PeopleSoft in this process that answers, and refuses, as the PeopleSoft reference says."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Literal, NoReturn, Self

import attrs

from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.errors import InvalidArgument
from mlconnector.testing._fusion_token import IdentityDomainSimulator
from mlconnector.testing._peoplesoft_components import (
    ACTIONS,
    Component,
    ComponentBuffer,
    Outcome,
    Tree,
    UnknownProperty,
    tree_of,
)
from mlconnector.testing._peoplesoft_data import EXECUTE_QUERY, PeopleSoftData
from mlconnector.testing._peoplesoft_gateway import MessageGateway
from mlconnector.testing._peoplesoft_messages import XMLDates
from mlconnector.testing._peoplesoft_queries import BadQuery
from mlconnector.testing._peoplesoft_records import TRANSLATIONS
from mlconnector.testing._peoplesoft_render import Blanks, QueryNameKey, Renderer
from mlconnector.testing._peoplesoft_rest import QueryCall, prompt_values, read_query_call, shown_fields
from mlconnector.testing._peoplesoft_soap import (
    AnswerShape,
    BadEnvelope,
    SoapCall,
    answer_tree,
    check_body,
    envelope,
    fault,
    read_call,
    version_of,
    wrapped,
    wsdl,
)
from mlconnector.testing._peoplesoft_xml import ib_response
from mlconnector.testing._wire import Answer, Call, Refused, Request, json_answer

__all__ = ["PeopleSoftSimulator"]

_XML = "text/xml; charset=UTF-8"
_BOM = b"\xef\xbb\xbf"
_SEPARATORS: Mapping[str, str] = {"slashes": "/", "dashes": "-", "both": "/-"}
_PASSWORD = re.compile(rb"(<(?:[\w.-]+:)?Password(?:\s[^>]*)?>)[^<]*(?=</)")
_REST_ACTIONS: Mapping[str, tuple[str, str]] = {
    "C_POST": ("POST", "C"),
    "G_GET": ("GET", "G"),
    "U_PUT": ("PUT", "UP"),
    "UD_PUT": ("PUT", "UD"),
}
_LOGIN_FAILED, _NO_PERMISSION, _NO_ROUTING, _BAD_CONTENT = 45, 46, 47, 48


class PeopleSoftSimulator(PeopleSoftData):
    """Integration Broker before a database of the reference's records.

    REST: ``ExecuteQuery`` over the query contract and customers' own queries, and component interfaces (CIRT). SOAP:
    component interfaces with WS-Security, and their WSDL. HTTP: asynchronous messages, VOUCHER_BUILD among them.

    Args:
        clock: Its time: stamps, the ``Date`` header, tokens. The token host shares it.
        date_skew: How far the ``Date`` header is off.
        lock_after: Consecutive refused logins that lock the account; None never locks.
        node: The default local node.
        requesting_node: The node whose messages are taken.
        node_password: Of the requesting node; None where it needs none.
        verification: Req Verification of the REST operations.
        token_user: False: the tokens' claim is no PeopleSoft user.
        tools_release: ``"8.58"`` answers refused CIRT saves with 200, ``"8.59"`` with 400.
        time_zone: Base time zone of the database.
        row_cap: Rows the user's query profile lets through, however many were asked for, without a sign.
        bom: Whether JSON and XML begin with a byte order mark.
        blanks: How empty text looks in a query's answer: nothing, one blank, or all text padded.
        translated: Code fields that queries show by their long names.
        aliases: Whether unique field names keep the record alias; without, only where it is needed.
        name_key: Key of the query's name in JSON; None leaves it out.
        empty_rows: Whether a JSON answer without rows has ``rows``.
        xml_namespace: Whether XMLP has the poll service's namespace, and CDATA.
        query_errors: A query that cannot be run: HTTP 500 without text, or 200 and an answer without success.
        inactive_status: Inactive operation, unknown operation, wrong node, no template.
        forbidden_status: Valid user without permission.
        fault_status: HTTP status of SOAP faults.
        soap_basic: Whether HTTP Basic is taken where WS-Security is missing.
        answer_shape: What a component interface answers to a save.
        component_dates: Dates that component interfaces read.
        xml_dates: Dates that messages may have.
        build_after: Voucher Build runs by itself at the n-th call after a row was staged; None leaves it to
            :meth:`build_vouchers`.
        last_update_date: Whether VOUCHER has LAST_UPDATE_DT; else ML_VOUCHER filters by ENTERED_DT.
        children_touch: Whether a change of lines stamps the header.

    Raises:
        InvalidArgument: A value outside these.
    """

    username = "MLCONN"
    password = "psft: p@ss&<word>%"  # noqa: S105 - a constant of a simulator, no secret

    def __init__(
        self,
        *,
        clock: Clock = SYSTEM_CLOCK,
        date_skew: dt.timedelta = dt.timedelta(),
        lock_after: int | None = 5,
        node: str = "PSFT_EP",
        requesting_node: str = "ML_CONNECTOR",
        node_password: str | None = None,
        verification: Literal["basic", "oauth2"] = "basic",
        token_user: bool = True,
        tools_release: Literal["8.58", "8.59"] = "8.59",
        time_zone: str = "America/Los_Angeles",
        row_cap: int | None = None,
        bom: bool = False,
        blanks: Blanks = "blank",
        translated: Iterable[str] = (),
        aliases: bool = True,
        name_key: QueryNameKey | None = "queryname=",
        empty_rows: bool = True,
        xml_namespace: bool = False,
        query_errors: Literal["500", "answer"] = "500",
        inactive_status: Literal[500, 404, 403, 401] = 500,
        forbidden_status: Literal[401, 403] = 401,
        fault_status: Literal[500, 200] = 500,
        soap_basic: bool = False,
        answer_shape: AnswerShape = "notification",
        component_dates: XMLDates = "both",
        xml_dates: XMLDates = "slashes",
        build_after: int | None = None,
        last_update_date: bool = True,
        children_touch: bool = False,
    ) -> None:
        for name, value, allowed in (
            ("verification", verification, ("basic", "oauth2")),
            ("tools_release", tools_release, ("8.58", "8.59")),
            ("blanks", blanks, ("empty", "blank", "padded")),
            ("name_key", name_key, ("queryname=", "queryname", None)),
            ("query_errors", query_errors, ("500", "answer")),
            ("inactive_status", inactive_status, (500, 404, 403, 401)),
            ("forbidden_status", forbidden_status, (401, 403)),
            ("fault_status", fault_status, (500, 200)),
            ("answer_shape", answer_shape, ("notification", "documented")),
            ("component_dates", component_dates, tuple(_SEPARATORS)),
            ("xml_dates", xml_dates, tuple(_SEPARATORS)),
        ):
            if value not in allowed:
                raise InvalidArgument(f"{name} must be one of {allowed}, not {value!r}.")
        if row_cap is not None and row_cap < 1:
            raise InvalidArgument(f"row_cap must be at least 1 or None, not {row_cap!r}.")
        names = frozenset(translated)
        if names - TRANSLATIONS.keys():
            raise InvalidArgument(f"No long names are known for {sorted(names - TRANSLATIONS.keys())}.")
        gateway = MessageGateway(
            clock=clock, node=node, requesting_node=requesting_node, node_password=node_password, dates=xml_dates
        )
        super().__init__(
            clock=clock,
            date_skew=date_skew,
            lock_after=lock_after,
            gateway=gateway,
            time_zone=time_zone,
            last_update_date=last_update_date,
            children_touch=children_touch,
            build_after=build_after,
        )
        self.token_host: IdentityDomainSimulator = IdentityDomainSimulator(
            clock=clock, date_skew=date_skew, scope="readwrite"
        )
        self.node = node
        self.requesting_node = requesting_node
        self._node_password = node_password
        self._verification = verification
        self._token_user = token_user
        self._tools_release = tools_release
        self._row_cap = row_cap
        self._bom = bom
        self._renderer = Renderer(
            zone=self._zone,
            blanks=blanks,
            translated=names,
            aliases=aliases,
            name_key=name_key,
            empty_rows=empty_rows,
            namespace=xml_namespace,
        )
        self._query_errors = query_errors
        self._inactive_status = inactive_status
        self._forbidden_status = forbidden_status
        self._fault_status = fault_status
        self._soap_basic = soap_basic
        self._shape: AnswerShape = answer_shape
        self._component_dates = _SEPARATORS[component_dates]

    def __enter__(self) -> Self:
        super().__enter__()
        if self._verification == "oauth2":
            self.token_host.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.token_host.__exit__(kind, error, traceback)
        super().__exit__(kind, error, traceback)

    @property
    def token_url(self) -> str:
        """The token endpoint of the external authorization server, on a host of its own.

        Raises:
            InvalidArgument: It runs only inside the with block, and where the verification is ``"oauth2"``.
        """
        return self.token_host.token_url

    @property
    def auth(self) -> Any:
        """``mlconnector.HTTPBasic``, or ``mlconnector.OAuth2ClientCredentials`` where tokens are asked for."""
        import mlconnector as mc

        if self._verification == "oauth2":
            host = self.token_host
            return mc.OAuth2ClientCredentials(host.username, host.password, token_url=host.token_url, scope=host.scope)
        return mc.HTTPBasic(self.username, self.password)

    def client(self, **options: Any) -> Any:
        """``mlconnector.peoplesoft.PeopleSoft`` for this system, on its clock; ``options`` go to its constructor."""
        from mlconnector.peoplesoft import PeopleSoft

        own = {
            "node": self.node,
            "auth": self.auth,
            "business_units": [self.business_unit],
            "setids": [self.setid],
            "requesting_node": self.requesting_node,
            "node_password": self._node_password,
            "clock": self.clock,
        }
        return PeopleSoft(self.url, **{**own, **options})

    def expire_tokens(self) -> None:
        """Make every token unknown: the next call with one is answered 401."""
        self.token_host.expire_tokens()

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call so far, in the order of their answers; passwords inside XML are masked too."""
        return tuple(
            attrs.evolve(call, body=_PASSWORD.sub(rb"\1***", call.body)) if isinstance(call.body, bytes) else call
            for call in super().calls
        )

    # The web server

    def _work(self, request: Request) -> Answer:
        self._count_towards_build()
        found = re.fullmatch(r"/PSIGW/(\w+)(?:/(.*))?", request.path)
        rest = found[2].rstrip("/").split("/") if found and found[2] else []
        match found[1] if found else None:
            case "RESTListeningConnector":
                return self._rest(request, rest)
            case "PeopleSoftServiceListeningConnector":
                return self._soap(request, rest)
            case "HttpListeningConnector" if not rest and request.method == "POST":
                answer = self._gateway.receive(request, self._runnable)
                return Answer(body=answer.encode(), content_type=_XML)
        raise Refused(_html(404))

    def _fault_answer(self, status: int) -> Answer:
        # An error before or outside handler code has no text; what a proxy or the web server says is HTML.
        return Answer(status=status, content_type="text/plain") if status in (400, 401, 500) else _html(status)

    def _refuse(self, status: int) -> NoReturn:
        raise Refused(self._fault_answer(status))

    def _runnable(self, operation: str) -> bool:
        return operation not in self._inactive | self._forbidden

    # REST

    def _rest(self, request: Request, segments: list[str]) -> Answer:
        if len(segments) < 2 or segments[0] != self.node:
            self._refuse(self._inactive_status)
        operation, template = segments[1], segments[2:]
        if operation == EXECUTE_QUERY and request.method == "GET":
            self._permit(request, operation)
            return self._execute_query(request, template)
        for component in self._components.values():
            for suffix, (method, action) in _REST_ACTIONS.items():
                if operation == f"{component.rest_operation(suffix)}.V1" and request.method == method:
                    self._permit(request, operation)
                    return self._rest_component(request, component, action, template)
        raise Refused(self._fault_answer(self._inactive_status))

    def _permit(self, request: Request, operation: str) -> None:
        name = operation.partition(".")[0]
        if name in self._inactive:
            self._refuse(self._inactive_status)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if self._verification == "oauth2":
            accepted = scheme.lower() == "bearer" and self._token_user and self.token_host.knows(token)
        else:
            login = request.basic_login()
            accepted = login is not None and self._login_accepted(*login)
        if not accepted:
            self._refuse(401)
        if name in self._forbidden:
            self._refuse(self._forbidden_status)

    def _execute_query(self, request: Request, template: list[str]) -> Answer:
        json = request.query.get("json_resp", "").lower() == "true"
        try:
            call = read_query_call(template, request.query)
            body = self._answered_query(call)
        except BadQuery as bad:
            if self._query_errors == "500":
                self._refuse(500)
            if json:
                return json_answer({"status": "error", "message": str(bad)})
            return Answer(body=ib_response(message=str(bad)).encode(), content_type=_XML)
        return Answer(body=(_BOM if self._bom else b"") + body, content_type="application/json" if call.json else _XML)

    def _answered_query(self, call: QueryCall) -> bytes:
        query = self._queries.get(call.name)
        if query is None or query.private != call.private:
            raise BadQuery(f"There is no query {call.name}.")
        if self._hidden & set(query.records.values()):
            raise BadQuery(f"No access to the records of {call.name}.")
        execution = self._execution()
        columns = execution.columns(query)
        labels = shown_fields(self._renderer.labels(columns), call.fields)
        most = call.most if self._row_cap is None else min(call.most, self._row_cap)
        rows = execution.run(query, prompt_values(query, call.prompts), most)
        if call.json:
            return self._renderer.json(query.name, columns, labels, rows)
        if call.type == "WEBROWSET":
            return self._renderer.web_row_set(columns, labels, rows)
        return self._renderer.xmlp(query.name, columns, labels, rows)

    def _rest_component(self, request: Request, component: Component, action: str, template: list[str]) -> Answer:
        key = self._stores[component.record].record.key
        if action == "G":
            if len(template) != len(key):
                self._refuse(self._inactive_status)
            tree: Tree = dict(zip(key, template, strict=True))
        else:
            tree = self._json_tree(request, component, action)
        try:
            outcome = self._act(component, action, tree)
        except UnknownProperty:
            self._refuse(500)
        status = 400 if outcome.errors and self._tools_release == "8.59" else 200
        body = answer_tree(ACTIONS[action], outcome, self._shape)
        return json_answer({f"{component.body_name(action)}Response": body}, status=status)

    def _json_tree(self, request: Request, component: Component, action: str) -> Tree:
        try:
            body = request.json() if request.media_type == "application/json" else None
        except ValueError:
            body = None
        tree = body.get(component.body_name(action)) if isinstance(body, Mapping) and len(body) == 1 else None
        if not isinstance(tree, Mapping):
            self._refuse(500)
        return tree

    def _act(self, component: Component, action: str, tree: Tree) -> Outcome:
        buffer = ComponentBuffer(component, self._stores, self.clock.now(), self._component_dates)
        return buffer.act(ACTIONS[action], tree)

    # SOAP

    def namespace(self, component: str, action: str) -> str:
        """Namespace of an operation's request in this environment, as its WSDL says.

        Args:
            component: Of the component interface, ``"VNDR_ID"``.
            action: ``"Create"``, ``"Get"``, ``"Update"`` or ``"Updatedata"``.

        Raises:
            InvalidArgument: No such component interface or action.
        """
        suffixes = [suffix for suffix, name in ACTIONS.items() if name == action]
        if component not in self._components or not suffixes:
            raise InvalidArgument(f"There is no component interface {component!r}, or it has no {action!r}.")
        return self._components[component].namespace(suffixes[0])

    def _soap(self, request: Request, segments: list[str]) -> Answer:
        if request.method == "GET":
            return self._wsdl(segments)
        if request.method != "POST":
            raise Refused(_html(405))
        try:
            call = read_call(request)
        except BadEnvelope as bad:
            return self._soap_fault(version_of(request), _BAD_CONTENT, str(bad))
        if segments not in ([], [self.node]):
            return self._soap_fault(call.version, _NO_ROUTING, f"Node {segments[0]} is unknown")
        for component in self._components.values():
            for suffix in ACTIONS:
                name = component.operation(suffix)
                if call.action == f"{name}.V1" and name not in self._inactive:
                    return self._soap_call(request, call, component, suffix)
        return self._soap_fault(call.version, _NO_ROUTING, "No active routing for the service operation", call.action)

    def _soap_call(self, request: Request, call: SoapCall, component: Component, suffix: str) -> Answer:
        login = call.login or (request.basic_login() if self._soap_basic else None)
        if login is None:
            return self._soap_fault(call.version, _LOGIN_FAILED, "User password failed.", "ANONYMOUS")
        if not self._login_accepted(*login):
            return self._soap_fault(call.version, _LOGIN_FAILED, "User password failed.", login[0])
        if component.operation(suffix) in self._forbidden:
            return self._soap_fault(call.version, _NO_PERMISSION, "No permission for the service operation", login[0])
        try:
            check_body(call, component, suffix, self._stores[component.record].record.key)
            outcome = self._act(component, suffix, tree_of(call.body))
        except (BadEnvelope, UnknownProperty) as bad:
            return self._soap_fault(call.version, _BAD_CONTENT, str(bad))
        body = wrapped(component, suffix, answer_tree(ACTIONS[suffix], outcome, self._shape))
        return self._xml(call.version, envelope(call.version, body))

    def _soap_fault(self, version: str, number: int, message: str, parameter: str = "") -> Answer:
        detail = ib_response(number=(158, number), message=message, parameter=parameter)
        return attrs.evolve(self._xml(version, fault(version, detail)), status=self._fault_status)

    def _xml(self, version: str, body: bytes) -> Answer:
        media = "application/soap+xml; charset=UTF-8" if version == "1.2" else _XML
        return Answer(body=(_BOM if self._bom else b"") + body, content_type=media)

    def _wsdl(self, segments: list[str]) -> Answer:
        service = segments[-1] if segments else ""
        for component in self._components.values():
            if service == f"CI_{component.name}.1.wsdl" and segments[:-1] in ([], [self.node]):
                address = f"{self.url}/PSIGW/PeopleSoftServiceListeningConnector/{self.node}"
                return Answer(body=wsdl(component, address, self._records), content_type=_XML)
        raise Refused(_html(404))


def _html(status: int) -> Answer:
    text = f"<html><head><title>Error {status}</title></head><body><h1>Error {status}</h1></body></html>"
    return Answer(status=status, body=text.encode(), content_type="text/html")
