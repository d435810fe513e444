"""The base of every simulator: a real HTTP/1.1 server on a loopback port, recorded calls and faults on the wire."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import http
import http.server
import secrets
import socket
import socketserver
import threading
import urllib.parse
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.errors import InvalidArgument
from mlconnector.testing._faults import NO_FAULT, ChaosKind, Drop, Fault, FaultScript, Match
from mlconnector.testing._wire import Answer, Call, Refused, Request, json_answer

__all__ = ["Simulator"]

_ALL_KINDS: tuple[ChaosKind, ...] = ("before", "after", "429", "500", "expired", "delay", "cut")


class Simulator:
    """A vendor's system in this process, reached over a real socket, also from other processes.

    Use it as a context manager: the port is open inside ``with`` only. Leaving ends every connection and every
    delayed answer at once, and raises the first fault of the simulator's own code, if there was one.

    Args:
        clock: Its time: stamps, the ``Date`` header, lives of tokens and result sets.
        date_skew: How far the ``Date`` header is off.
        lock_after: Consecutive refused logins after which the account locks until :meth:`unlock`; None never locks.

    Attributes:
        username: The one login it accepts.
        password: Its password. Constants, so that another process can log in with no more than the URL.

    Raises:
        InvalidArgument: ``lock_after`` below 1.
    """

    username = "MLCONN"
    password = "simulated-password"  # noqa: S105 - a constant of a simulator, no secret

    def __init__(
        self,
        *,
        clock: Clock = SYSTEM_CLOCK,
        date_skew: dt.timedelta = dt.timedelta(),
        lock_after: int | None = 5,
    ) -> None:
        if lock_after is not None and lock_after < 1:
            raise InvalidArgument(f"lock_after must be at least 1 or None, not {lock_after!r}.")
        self.clock = clock
        self._date_skew = date_skew
        self._lock_after = lock_after
        self._lock = threading.RLock()
        self._script = FaultScript()
        self._calls: list[Call] = []
        self._refused_logins = 0
        self._in_flight = 0
        self._max_in_flight = 0
        self._closing = threading.Event()
        self._server: _Server | None = None
        self._bug: Exception | None = None

    def __enter__(self) -> Self:
        if self._server is not None:
            raise InvalidArgument(f"{type(self).__name__} is already running.")
        self._closing.clear()
        self._server = _Server(self)
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        if self._bug is not None and error is None:
            raise self._bug

    def close(self) -> None:
        """End every connection and thread; safe to call twice."""
        server, self._server = self._server, None
        if server is not None:
            self._closing.set()
            server.stop()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:port``, while it runs.

        Raises:
            InvalidArgument: It is not running.
        """
        if self._server is None:
            raise InvalidArgument(f"{type(self).__name__} runs only inside its with block.")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call so far, in the order of their answers."""
        with self._lock:
            return tuple(self._calls)

    def forget_calls(self) -> None:
        """Begin counting calls anew."""
        with self._lock:
            self._calls.clear()
            self._max_in_flight = self._in_flight

    @property
    def max_in_flight_seen(self) -> int:
        """The most calls that were under way at one moment."""
        with self._lock:
            return self._max_in_flight

    @property
    def refused_logins(self) -> int:
        """Consecutive logins refused; an accepted one sets it back."""
        with self._lock:
            return self._refused_logins

    @property
    def locked(self) -> bool:
        """Whether the account is locked: the right password is refused too."""
        return self._lock_after is not None and self.refused_logins >= self._lock_after

    def unlock(self) -> None:
        """What an administrator does to a locked account."""
        with self._lock:
            self._refused_logins = 0

    def fail(
        self,
        *,
        times: int = 1,
        status: int | None = None,
        delay: float | None = None,
        drop: Drop | None = None,
        match: Match | None = None,
        body: str | bytes | None = None,
        content_type: str = "text/html",
        cut: bool = False,
        retry_after: str | int | None = None,
        headers: Mapping[str, str] | None = None,
        acts: bool = False,
    ) -> None:
        """Make the next calls fail.

        Args:
            times: How many matching calls it hits.
            status: Answer with this status; nothing is done. With ``retry_after`` alone it is 429.
            delay: Do the work, then answer this many seconds late. ``close()`` ends the wait.
            drop: Close the connection ``"before"`` the work or ``"after"`` it, without an answer.
            match: Text or compiled pattern searched in ``"METHOD /path"``, or a function of the :class:`Call`.
            body: Answer this text instead of the real one; nothing is done. Status 200 where none is given.
            content_type: Of ``body``.
            cut: Do the work, announce the whole length, send half of the body and close.
            retry_after: The ``Retry-After`` header: seconds or an HTTP date.
            headers: Further headers of the answer.
            acts: Do the work although ``status`` or ``body`` hides its answer, as a gateway's 504 does.

        Raises:
            InvalidArgument: Values that contradict one another.
        """
        extra = dict(headers or {})
        if retry_after is not None:
            extra["Retry-After"] = str(retry_after)
            status = 429 if status is None else status
        fault = Fault(
            status=status,
            delay=delay,
            drop=drop,
            body=body,
            content_type=content_type,
            cut=cut,
            headers=extra,
            acts=acts,
        )
        if fault == NO_FAULT:
            raise InvalidArgument("fail() needs at least one of status, delay, drop, body, cut, retry_after, headers.")
        self._script.add(fault, times=times, match=match)

    def chaos(
        self,
        rate: float,
        seed: int,
        *,
        kinds: Iterable[ChaosKind] = _ALL_KINDS,
        delay: float = 0.5,
    ) -> None:
        """Hit calls at random, the same way for the same seed and order of calls. ``rate=0`` ends it.

        Args:
            rate: Share of the calls that are hit, 0 to 1.
            seed: Of the random numbers.
            kinds: What may happen.
            delay: Seconds that kind ``"delay"`` answers late; choose it beyond the client's time-out.

        Raises:
            InvalidArgument: A rate outside 0 to 1, or an unknown kind.
        """
        self._script.set_chaos(rate, seed, kinds, delay)

    def expire_tokens(self) -> None:
        """Make every token unknown, as a restart of the system does."""
        raise NotImplementedError

    def _work(self, request: Request) -> Answer:
        """Answer a request. Called under the simulator's lock; raises :class:`Refused` to end early."""
        raise NotImplementedError

    def _fault_answer(self, status: int) -> Answer:
        """The body that the vendor sends with a scripted status."""
        return json_answer({"message": _reason(status)}, status=status)

    def _login_accepted(self, username: str, password: str) -> bool:
        """Check credentials and count refusals towards the lock-out."""
        if self.locked:
            return False
        accepted = secrets.compare_digest(
            f"{username}\0{password}".encode(), f"{self.username}\0{self.password}".encode()
        )
        self._refused_logins = 0 if accepted else self._refused_logins + 1
        return accepted

    def _receive(self, request: Request) -> tuple[Answer | None, Fault]:
        """Do what a call and its fault ask for; no answer means: close the connection."""
        at = self.clock.now()
        with self._lock:
            self._in_flight += 1
            self._max_in_flight = max(self._max_in_flight, self._in_flight)
        try:
            preview = request.as_call(at=at, status=None, fault=None, acted=False)
            fault = self._script.next_for(preview) or NO_FAULT
            if fault.expires_tokens:
                self.expire_tokens()
            answer = self._answered(request, fault)
            record = request.as_call(
                at=at,
                status=None if answer is None else answer.status,
                fault=None if fault is NO_FAULT else fault.name,
                acted=fault.does_work,
            )
            with self._lock:
                self._calls.append(record)
            if fault.delay is not None and self._closing.wait(fault.delay):
                return None, fault
            return answer, fault
        finally:
            with self._lock:
                self._in_flight -= 1

    def _answered(self, request: Request, fault: Fault) -> Answer | None:
        answer = Answer()
        if fault.does_work:
            with self._lock:
                try:
                    answer = self._work(request)
                except Refused as refused:
                    answer = refused.answer
                except Exception as bug:  # noqa: BLE001 - kept for the with block's end; a thread cannot raise it there
                    self._bug = self._bug or bug
                    answer = json_answer({"message": f"The simulator is broken: {bug!r}"}, status=500)
        if fault.drop is not None:
            return None
        if fault.status is not None:
            answer = self._fault_answer(fault.status)
        if fault.body is not None:
            body = fault.body.encode() if isinstance(fault.body, str) else fault.body
            answer = Answer(status=fault.status or 200, body=body, content_type=fault.content_type)
        return Answer(
            status=answer.status,
            body=answer.body,
            content_type=answer.content_type,
            headers={**answer.headers, **fault.headers},
        )

    def _date_header(self) -> str:
        return email.utils.format_datetime(self.clock.now() + self._date_skew, usegmt=True)


class _Server(socketserver.TCPServer):
    """Accepts connections, one thread each, and can end them all."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._guard = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._loop = threading.Thread(target=self.serve_forever, args=(0.02,), name="simulator", daemon=True)
        super().__init__(("127.0.0.1", 0), _Handler)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self.shutdown()
        self._loop.join()
        self.server_close()
        with self._guard:
            threads = list(self._open.values())
            for connection in self._open:
                _shut(connection)
        for thread in threads:
            thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self._converse, args=(request, client_address), daemon=True)
        with self._guard:
            self._open[request] = thread
        thread.start()

    def _converse(self, connection: socket.socket, client_address: Any) -> None:
        try:
            # A client that went away by its own time-out is what a test wants, not an error here.
            with contextlib.suppress(OSError):
                self.finish_request(connection, client_address)
        finally:
            with self._guard:
                del self._open[connection]
                _shut(connection)
                connection.close()


def _shut(connection: socket.socket) -> None:
    # The other side may have closed it already.
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rbufsize = 1 << 16

    def __getattr__(self, name: str) -> Any:
        # The base class looks for do_GET, do_POST ...: every method is answered in one place.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Stay silent: the calls are recorded."""

    def _serve(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        simulator = server.simulator
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit():
            self.close_connection = True
            self._send(json_answer({"message": "Content-Length is required."}, status=411), simulator, cut=False)
            return
        raw = self.rfile.read(int(length))
        if len(raw) < int(length):
            self.close_connection = True
            return
        address = urllib.parse.urlsplit(self.path)
        parameters = tuple(urllib.parse.parse_qsl(address.query, keep_blank_values=True))
        request = Request(
            method=self.command,
            path=urllib.parse.unquote(address.path),
            query=dict(parameters),
            parameters=parameters,
            headers={name.lower(): value for name, value in self.headers.items()},
            raw=raw,
        )
        answer, fault = simulator._receive(request)
        if answer is None:
            self.close_connection = True
            return
        self._send(answer, simulator, cut=fault.cut)

    def _send(self, answer: Answer, simulator: Simulator, *, cut: bool) -> None:
        head = {
            "Date": simulator._date_header(),
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body) + (1 if cut else 0)),
            **answer.headers,
        }
        if answer.status == http.HTTPStatus.NO_CONTENT and not cut:
            del head["Content-Type"], head["Content-Length"]
        if cut or self.close_connection:
            head["Connection"] = "close"
            self.close_connection = True
        lines = [f"HTTP/1.1 {answer.status} {_reason(answer.status)}", *(f"{key}: {head[key]}" for key in head), "", ""]
        body = answer.body[: len(answer.body) // 2] if cut else answer.body
        self.wfile.write("\r\n".join(lines).encode("latin-1") + (b"" if self.command == "HEAD" else body))


def _reason(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Invalid Token" if status == 444 else "Status"
