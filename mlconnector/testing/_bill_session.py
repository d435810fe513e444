"""Who may call the simulated BILL, and how often: sessions, hourly limits, three calls at once (sections 2, 3)."""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from mlconnector.clock import Clock
from mlconnector.testing._bill_errors import refusal
from mlconnector.testing._wire import MASK, Call, Request

__all__ = ["LOGIN_CODES", "Door", "Gate", "MaskedRequest"]

LOGIN_CODES = frozenset({"BDC_1101", "BDC_1102", "BDC_1110", "BDC_1123"})
"""What a login is refused with."""

_LOGIN = ("username", "password", "organizationId", "devKey")
_TOKEN_IDLE = dt.timedelta(hours=48)
_SECRET_NAMES = frozenset({"devkey", "sessionid", "securitykey", "remembermeid"})


class MaskedRequest(Request):
    """A request whose record hides BILL's secrets too."""

    def as_call(self, *, at: dt.datetime, status: int | None, fault: str | None, acted: bool) -> Call:
        """The masked record of this request."""
        call = super().as_call(at=at, status=status, fault=fault, acted=acted)
        return attrs.evolve(call, query=_masked(call.query), headers=_masked(call.headers), body=_masked(call.body))

    @classmethod
    def of(cls, request: Request) -> MaskedRequest:
        """The same request."""
        return cls(**attrs.asdict(request, recurse=False))


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: MASK if str(name).lower() in _SECRET_NAMES else item for name, item in value.items()}
    return value


class Gate:
    """Counts the calls under way at one moment, and lets no more than ``limit`` in."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._admitted = 0
        self._inside = 0
        self._most = 0
        self._here = threading.local()

    @property
    def most(self) -> int:
        """The most calls under way at one moment, the refused ones counted too."""
        with self._lock:
            return self._most

    def forget(self) -> None:
        """Begin counting anew."""
        with self._lock:
            self._most = self._inside

    @contextlib.contextmanager
    def entered(self) -> Iterator[bool]:
        """Whether the call of this thread was let in."""
        with self._lock:
            self._inside += 1
            self._most = max(self._most, self._inside)
            admitted = self._admitted < self._limit
            self._admitted += admitted
        self._here.admitted = admitted
        try:
            yield admitted
        finally:
            with self._lock:
                self._inside -= 1
                self._admitted -= admitted

    def check(self) -> None:
        """Refuse the call of this thread if it was one too many.

        Raises:
            BillRefused: ``BDC_1322``.
        """
        if not self._here.admitted:
            raise refusal("BDC_1322")


class HourlyLimit:
    """So many calls in an hour of the clock, then none until the next hour begins."""

    def __init__(self, limit: int, clock: Clock) -> None:
        self.limit = limit
        self._clock = clock
        self._hour: dt.datetime | None = None
        self._used = 0

    def count(self) -> None:
        """Count one call.

        Raises:
            BillRefused: ``BDC_1144``; the hour is used up.
        """
        hour = self._clock.now().replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour, self._used = hour, 0
        if self._used == self.limit:
            raise refusal("BDC_1144", f"Max number of allowed requests per hour reached: {self.limit}.")
        self._used += 1

    def exhaust(self) -> None:
        """Use this hour up, as another program with the same developer key does."""
        self._hour = self._clock.now().replace(minute=0, second=0, microsecond=0)
        self._used = self.limit


@attrs.define
class _Session:
    idle: float
    used: float


class Door:
    """Lets in who logs in, and keeps the session alive with every use.

    Args:
        clock: Its time.
        dev_key: The developer key; in the body of a login, in a header everywhere else.
        organization: The organization's id.
        token: Name and value of the sync token (section 2.5).
        idle: How long a session of the user lives without a call.
        hourly_calls: Calls in an hour, logins too.
        hourly_logins: Logins in an hour.
        login_status: HTTP status of a refused login.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        dev_key: str,
        organization: str,
        token: tuple[str, str],
        idle: dt.timedelta,
        hourly_calls: int,
        hourly_logins: int,
        login_status: int,
    ) -> None:
        self._clock = clock
        self._dev_key = dev_key
        self._organization = organization
        self._token = token
        self._idle = idle
        self._hourly_calls = HourlyLimit(hourly_calls, clock)
        self._hourly_logins = HourlyLimit(hourly_logins, clock)
        self._login_status = login_status
        self._open: dict[str, _Session] = {}
        self.logins = 0

    def login(self, body: Any, accepted: Callable[[str, str], bool], locked: Callable[[], bool]) -> str:
        """Open a session.

        Args:
            body: Of the call.
            accepted: Whether user and password are right; counts refusals, and says no once the login is locked.
            locked: Whether it is.

        Returns:
            The session's id.

        Raises:
            BillRefused: A parameter missing or wrong, or a limit reached.
        """
        missing = [name for name in _LOGIN if not isinstance(body, Mapping) or not body.get(name)]
        if missing:
            raise refusal("BDC_1108", f"Missing required parameter: {', '.join(missing)}")
        if ("rememberMeId" in body) != ("device" in body):
            raise refusal("BDC_1108", "rememberMeId and device go together.")
        if body["devKey"] != self._dev_key:
            raise refusal("BDC_1102", status=self._login_status)
        self._hourly_calls.count()
        self._hourly_logins.count()
        if body["organizationId"] != self._organization:
            raise refusal("BDC_1123", status=self._login_status)
        user = (str(body["username"]), str(body["password"]))
        if user != self._token and not accepted(*user):
            raise refusal("BDC_1110" if locked() else "BDC_1101", status=self._login_status)
        self.logins += 1
        key = secrets.token_urlsafe(32)
        idle = _TOKEN_IDLE if user == self._token else self._idle
        self._open[key] = _Session(idle.total_seconds(), self._clock.monotonic())
        return key

    def authorise(self, request: Request) -> None:
        """Let a call in, and renew its session.

        Raises:
            BillRefused: A wrong developer key, a used-up hour, or ``BDC_1109``: the session is unknown or was idle
                too long. The refusal is the only sign of it.
        """
        if request.headers.get("devkey") != self._dev_key:
            raise refusal("BDC_1102", status=401)
        self._hourly_calls.count()
        key = request.headers.get("sessionid", "")
        session = self._open.get(key)
        now = self._clock.monotonic()
        if session is None or now - session.used >= session.idle:
            self._open.pop(key, None)
            raise refusal("BDC_1109")
        session.used = now

    def logout(self, request: Request) -> None:
        """End the session of a call that was let in."""
        del self._open[request.headers["sessionid"]]

    def end_all(self) -> None:
        """End every session."""
        self._open.clear()

    def use_up_hour(self) -> None:
        """Leave no call in this hour."""
        self._hourly_calls.exhaust()
