"""The one HTTP client: time-outs, tokens, retries, limits and verdicts around a transport."""

from __future__ import annotations

import atexit
import logging
import threading
import weakref
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self

from mlconnector._watching import count, watched
from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    InvalidArgument,
    MLConnectorError,
    VendorFault,
)
from mlconnector.http._faults import FaultTable, Verdict, retry_after
from mlconnector.http._links import is_loopback, parse_origin
from mlconnector.http._manager import Binding, TokenManager
from mlconnector.http._message import Request, Response
from mlconnector.http._policy import Retry, Timeout
from mlconnector.http._redact import Redactor, sensitive_values
from mlconnector.http._requests_auth import ClientAuth
from mlconnector.http._transport import RequestsTransport, Transport
from mlconnector.http._window import current_window

__all__ = ["HTTPClient"]

_log = logging.getLogger("mlconnector.http")
_MEBIBYTE = 1 << 20
_LOST = "no answer"
_REFUSED = 400
_NO_TOKEN: Mapping[str, str] = {}


class HTTPClient:
    """Speaks to one origin of one system. Shared by threads; a context manager.

    Args:
        origin: ``scheme://host:port``. Plain http beyond this machine is possible, with a warning in the log.
        auth: Where tokens come from; bound to this origin. None sends none.
        faults: How the system's answers are to be read.
        timeout: Of one physical call; a number is its total, in seconds.
        retry: When and how often a call is repeated.
        max_in_flight: How many calls of this client may be under way at once, logins included; None: no limit.
        verify: True, or the path of a bundle of certificate authorities.
        cert: Client certificate: one file, or certificate and key.
        proxies: By scheme; None takes the environment's.
        transport: Instead of the default one (then ``verify``, ``cert`` and ``proxies`` are its own business).
        clock: What retries and deadlines are measured on.
        max_bytes: Longest answer that is read, after decompression.
        user_agent: Instead of ``mlconnector/<version>``.
        before_send: Called with the request directly before every physical send; it may wait.

    Raises:
        InvalidArgument: An option that cannot be meant, or a manager that belongs to another origin.
    """

    def __init__(
        self,
        origin: str,
        *,
        auth: TokenManager | None,
        faults: FaultTable,
        timeout: float | Timeout | None = None,
        retry: Retry | None = None,
        max_in_flight: int | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        transport: Transport | None = None,
        clock: Clock = SYSTEM_CLOCK,
        max_bytes: int = 256 * _MEBIBYTE,
        user_agent: str | None = None,
        before_send: Callable[[Request], None] | None = None,
    ) -> None:
        for name, number in (("max_in_flight", max_in_flight), ("max_bytes", max_bytes)):
            if number is not None and (type(number) is not int or number < 1):
                raise InvalidArgument(f"{name}={number!r} is not a whole number above 0", cure=f"Correct {name}=.")
        if auth is not None and not isinstance(auth, TokenManager):
            raise InvalidArgument(
                f"auth={type(auth).__name__} is no token manager", cure="Give one of mlconnector.auth."
            )
        self._origin = parse_origin(origin)
        self._manager = auth
        self._faults = faults
        self._timeout = Timeout.of(timeout)
        self._retry = retry or Retry()
        self._max_in_flight = max_in_flight
        self._transport = transport or RequestsTransport(
            verify=verify, cert=cert, proxies=proxies, pool=max_in_flight or 16
        )
        self._clock = clock
        self._max_bytes = max_bytes
        self._user_agent = user_agent or f"mlconnector/{_version()}"
        self._before_send = before_send
        if self._origin.startswith("http:") and not is_loopback(self._origin):
            _log.warning(
                "%s: %s is not encrypted; credentials and documents can be read on the way", faults.system, origin
            )
        self._start()

    def _start(self) -> None:
        if isinstance(self._manager, Binding):
            self._manager.bind(self._origin, self._clock)
        limit = self._max_in_flight
        self._slots: AbstractContextManager[Any] = threading.BoundedSemaphore(limit) if limit else nullcontext()
        self._closing = threading.Lock()
        self._closed = False
        self._at_exit = _ExitCall(weakref.ref(self))
        atexit.register(self._at_exit)

    def __getstate__(self) -> dict[str, Any]:
        left_behind = ("_slots", "_closing", "_closed", "_at_exit")
        return {name: value for name, value in self.__dict__.items() if name not in left_behind}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"HTTPClient({self._faults.system} at {self._origin})"

    @property
    def max_in_flight(self) -> int | None:
        """Calls that may be under way at once; ``None``: no limit."""
        return self._max_in_flight

    @property
    def origin(self) -> str:
        """``scheme://host:port``."""
        return self._origin

    @property
    def auth(self) -> ClientAuth:
        """For calls with plain ``requests``: adds the token on this origin, and replaces a rejected one once."""
        return ClientAuth(self._origin, self._manager, self._send_bare, self._faults)

    @property
    def timeout(self) -> Timeout:
        """Of one physical call."""
        return self._timeout

    @property
    def clock(self) -> Clock:
        """What retries and deadlines are measured on."""
        return self._clock

    def local_address(self) -> str | None:
        """This machine's end of the latest connection, where the transport knows it; the outside may see another."""
        known: Callable[[], str | None] | None = getattr(self._transport, "local_address", None)
        return None if known is None else known()

    def get_json(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """``GET`` and read the answer as exact JSON. Raises what :meth:`send` raises."""
        return self.send(Request("GET", path, params=params)).json()

    def log_in(self) -> None:
        """Make sure that there is a token, without any other call. Raises what a login raises."""
        if self._manager is not None:
            self._manager.headers(self._send_bare)

    def close(self) -> None:
        """Log out where the vendor can, and close the connections. A second call does nothing."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        atexit.unregister(self._at_exit)
        try:
            if self._manager is not None:
                self._manager.logout(self._send_bare)
        except MLConnectorError as error:
            _log.info("%s: logout failed: %s", self._faults.system, error.message)
        finally:
            close = getattr(self._transport, "close", None)
            if callable(close):
                close()

    def send(self, request: Request) -> Response:
        """Send, judge and, where that is safe, repeat.

        A rejected token is replaced once and the call repeated once, for writes too. Reads are repeated under
        :class:`Retry`; a write only where the vendor surely did not act.

        Raises:
            ConnectionFailed: No complete answer; ``repeat_safe`` where the request never reached the vendor.
            AuthenticationFailed: The login was refused, or a new token was rejected as well.
            PermissionDenied: The login works, the call is not allowed to it.
            RateLimited: Still refused for load when the retries were used up; ``retry_after`` in seconds.
            NotFound: The addressed thing does not exist.
            RequestRefused: The vendor understood and refused; nothing was done. Also a VendorFault.
            VendorFault: The vendor failed, redirected, or sent too much.
            InvalidArgument: The client is closed, or the path leaves its origin.
        """
        if self._closed:
            raise InvalidArgument(f"{self!r} is closed", cure="Make a new client; close() is final.")
        if not request.path.startswith("/"):
            raise InvalidArgument(f"{request!r} leaves {self._origin}", cure="Give a path; see same_origin_path.")
        try:
            return _Call(self, request).run()
        except MLConnectorError as error:
            window = current_window()
            if window is not None and window.acted:
                # An earlier write of the same delivery may have acted: the whole is no longer safe to repeat.
                error.repeat_safe = False
            raise

    def _send_bare(self, request: Request) -> Response:
        """What token managers send with: no token, every status handed back, repeated only if it surely did not act."""
        if not request.path.startswith("/") and request.path != getattr(self._manager, "token_url", None):
            raise InvalidArgument(f"{request!r} leaves {self._origin}", cure="Only the manager's token_url may.")
        begun, attempt = self._clock.monotonic(), 1
        while True:
            try:
                return self._exchange(request, _NO_TOKEN, attempt)
            except ConnectionFailed as error:
                if not error.repeat_safe or not self._pause(attempt, begun, None):
                    raise
            attempt += 1

    def _pause(self, attempt: int, begun: float, asked: float | None) -> bool:
        """Wait before the next attempt; False where there is to be none."""
        wait = self._retry.pause(attempt, elapsed=self._clock.monotonic() - begun, retry_after=asked)
        window = current_window()
        if wait is None or (window is not None and not window.holds(self._clock, wait)):
            return False
        self._clock.sleep(wait)
        return True

    def _exchange(self, request: Request, token: Mapping[str, str], attempt: int) -> Response:
        """One physical call."""
        path = request.path.partition("?")[0]
        if not request.path.startswith("/"):
            path = "/" + path.split("/", 3)[-1]
        body, content_type = request.body()
        headers = {"User-Agent": self._user_agent, "Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
        if content_type:
            headers["Content-Type"] = content_type
        headers |= {**request.headers, **token}
        fields = request.form or (request.json if isinstance(request.json, Mapping) else None)
        redact = Redactor(sensitive_values(request.target, headers, fields, token.values()))
        url = request.target if not request.path.startswith("/") else self._origin + request.target
        with self._slots:
            if self._before_send is not None:
                self._before_send(request)
            window = current_window()
            if window is not None:
                window.check(self._clock)
            began, system = self._clock.monotonic(), self._faults.system
            status: int | None = None
            try:
                with watched("call", system=system, method=request.method, path=path, attempt=attempt) as call:
                    response = self._receive(request, path, url, headers, body, redact)
                    status = response.status
                    call.note(status=status, error=str(status) if status >= _REFUSED else None)
            finally:
                elapsed = round((self._clock.monotonic() - began) * 1000)
                count("calls", 1, system=system, method=request.method, status=status, error=None if status else _LOST)
                _log.debug(
                    "%s %s %s -> %s in %d ms (attempt %d)",
                    system, request.method, path, status or _LOST, elapsed, attempt,
                    extra={
                        "system": system, "method": request.method, "path": path, "status": status or _LOST,
                        "elapsed_ms": elapsed, "attempt": attempt,
                    },
                )  # fmt: skip
        return response

    def _receive(  # noqa: PLR0917 - private; one call site
        self, request: Request, path: str, url: str, headers: dict[str, str], body: bytes | None, redact: Redactor
    ) -> Response:
        try:
            answer = self._transport.send(request.method, url, headers, body, request.timeout or self._timeout)
            try:
                content = self._read(answer.content, request.max_bytes or self._max_bytes, request.method, path)
            finally:
                answer.close()
        except ConnectionFailed as error:
            error.system = self._faults.system
            raise
        return Response(
            status=answer.status,
            headers=answer.headers,
            content=content,
            path=path,
            method=request.method,
            redact=redact,
        )

    def _read(self, content: Any, cap: int, method: str, path: str) -> bytes:
        pieces, size = [], 0
        for piece in (content,) if isinstance(content, bytes) else content:
            size += len(piece)
            if size > cap:
                raise VendorFault(
                    f"{self._faults.system}: {method} {path} answered with more than {cap} bytes",
                    cure="Ask for less at once (page_size=), or raise max_bytes.",
                    system=self._faults.system,
                )
            pieces.append(piece)
        return b"".join(pieces)


class _Call:
    """One logical call: its attempts, and the one replacement of its token."""

    def __init__(self, client: HTTPClient, request: Request) -> None:
        self.client = client
        self.request = request
        self.manager = client._manager if request.authenticated else None
        self.attempt = 1
        self.replaced = False
        self.logged_in = False

    def run(self) -> Response:
        client, begun = self.client, self.client._clock.monotonic()
        while True:
            self.logged_in = False
            token = self.manager.headers(self._log_in) if self.manager else _NO_TOKEN
            try:
                response = client._exchange(self.request, token, self.attempt)
            except ConnectionFailed as error:
                if not error.repeat_safe:
                    self._may_have_acted()
                if (self.request.write and not error.repeat_safe) or not client._pause(self.attempt, begun, None):
                    raise
            except VendorFault:
                self._may_have_acted()
                raise
            else:
                rule = client._faults.judge(response)
                if rule.verdict not in _SURELY_NOT_ACTED:
                    self._may_have_acted()
                if rule.verdict is Verdict.OK:
                    return response
                asked = retry_after(response, client._clock.now())
                if not self._repeat(rule.verdict, token, begun, asked):
                    raise self._error(response, rule)
            self.attempt += 1

    def _log_in(self, request: Request) -> Response:
        self.logged_in = True
        return self.client._send_bare(request)

    def _may_have_acted(self) -> None:
        window = current_window()
        if window is not None and self.request.write:
            window.acted = True

    def _repeat(self, verdict: Verdict, token: Mapping[str, str], begun: float, asked: float | None) -> bool:
        if verdict is Verdict.RATE_LIMITED or (verdict is Verdict.BUSY and not self.request.write):
            return self.client._pause(self.attempt, begun, asked)
        if self.manager is None or self.replaced:
            return False
        doubtful = verdict is Verdict.TOKEN_OR_DENIED and not self.request.write and not self.logged_in
        if verdict is Verdict.TOKEN_REJECTED or doubtful:
            self.replaced = True
            return self.manager.rejected(token, self.client._send_bare)
        return False

    def _error(self, response: Response, rule: Any) -> MLConnectorError:
        error = self.client._faults.error(response, rule, now=self.client._clock.now())
        if isinstance(error, AuthenticationFailed):
            error.repeat_safe = True
        return error


_SURELY_NOT_ACTED = frozenset(
    {Verdict.TOKEN_REJECTED, Verdict.RATE_LIMITED, Verdict.REFUSED, Verdict.NOT_FOUND, Verdict.DENIED,
     Verdict.TOKEN_OR_DENIED}
)  # fmt: skip


class _ExitCall:
    """Logs a forgotten client out when the program ends, without keeping it alive until then."""

    def __init__(self, client: weakref.ref[HTTPClient]) -> None:
        self._client = client

    def __call__(self) -> None:
        client = self._client()
        if client is not None:
            _log.warning("%r was left open; it is closed now. Use it in a with statement, or call close()", client)
            client.close()


def _version() -> str:
    try:
        return version("mlconnector")
    except PackageNotFoundError:
        return "0"
