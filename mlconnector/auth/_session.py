"""What managers with a token share: one login for all threads, one replacement a rejection, no loop of refusals."""

from __future__ import annotations

import abc
import datetime as dt
import math
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn

import attrs

from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.credentials import Secret
from mlconnector.errors import AuthenticationFailed, InvalidArgument
from mlconnector.http import FaultTable, Response, Send

__all__ = ["Token", "TokenSession"]

_REFUSED_CURE = (
    "The administrator checks user, password and whether the account is locked; whoever runs the program "
    "corrects the credentials. The same ones are not tried again."
)
Secrets = Mapping[str, Secret]


@attrs.frozen(kw_only=True)
class Token:
    """What a login brought.

    Args:
        headers: Sent with every call; secret.
        expires_in: The lifetime in seconds, where the vendor said it.
        details: What else the answer told and is no secret (date format, time zone ...).
    """

    headers: Mapping[str, str] = attrs.field(repr=False)
    expires_in: float | None = None
    details: Mapping[str, Any] = attrs.field(factory=dict, repr=False)


class TokenSession(abc.ABC):
    """Base of managers that log in. A subclass gives :meth:`_login`, and where the vendor can, :meth:`_logout`.

    Threads share one login: while one logs in, the others wait and take its token. A rejected token is replaced only
    if it is still the current one. A refused login is remembered with its secrets and not tried again until they
    differ, because accounts lock.

    Args:
        secrets: What the login needs, by parameter name; must have the keys of ``secret_fields``.
        age: A token older than this is replaced before it is used; None: only by ``expires_in`` or on rejection.
        refresh_margin: Seconds before the end of a known lifetime at which a token is replaced.

    Raises:
        InvalidArgument: A margin or age that is negative, or a secret that is no text.
    """

    secret_fields: ClassVar[tuple[str, ...]] = ("username", "password")
    """The parameters read again at each login when the credentials are stored ones."""
    shown_field: ClassVar[str] = "username"
    """The one parameter ``repr`` shows."""
    refused_statuses: ClassVar[frozenset[int]] = frozenset({400, 401})
    """The statuses by which the vendor refuses a login."""
    rejection_refuses: ClassVar[bool] = False
    """True where a rejected call means the secrets themselves were refused, since there is no token between."""

    def __init__(
        self,
        secrets: Mapping[str, str | Secret],
        *,
        age: dt.timedelta | None = None,
        refresh_margin: float = 60.0,
    ) -> None:
        if isinstance(refresh_margin, bool) or not math.isfinite(refresh_margin) or refresh_margin < 0:
            raise InvalidArgument(f"refresh_margin={refresh_margin!r} is no time", cure="Give seconds, 0 or more.")
        if age is not None and age <= dt.timedelta(0):
            raise InvalidArgument(f"age={age!r} is not above 0", cure="Give a positive timedelta or None.")
        self._secrets: Secrets = {name: Secret(value) for name, value in secrets.items()}
        self._reader: Callable[[], Mapping[str, str | Secret]] | None = None
        self._age = age
        self._margin = refresh_margin
        self._lock = threading.RLock()
        self._token: Token | None = None
        self._ends: float | None = None
        self._details: Mapping[str, Any] = MappingProxyType({})
        self._refused: tuple[Secrets, str, int | None] | None = None
        self._origin: str | None = None
        self._clock: Clock = SYSTEM_CLOCK

    @property
    def details(self) -> Mapping[str, Any]:
        """What the latest login told beside the token; empty before the first."""
        return self._details

    @property
    def origin(self) -> str | None:
        """The origin this manager belongs to, once a client has taken it."""
        return self._origin

    def bind(self, origin: str, clock: Clock) -> None:
        """Called by each client that takes this manager.

        Args:
            clock: The client's, for lifetimes.

        Raises:
            InvalidArgument: The manager belongs to another origin.
        """
        with self._lock:
            if self._origin is not None and self._origin != origin:
                raise InvalidArgument(
                    f"This {type(self).__name__} belongs to {self._origin} and cannot be used for {origin}",
                    cure="Make one manager for each origin; credentials never leave theirs.",
                )
            self._origin, self._clock = origin, clock

    def read_secrets_with(self, reader: Callable[[], Mapping[str, str | Secret]]) -> None:
        """Have the secrets read anew at each login and once more after a refusal; used by stored credentials."""
        self._reader = reader

    def headers(self, send: Send) -> Mapping[str, str]:
        """The headers of a fresh token; logs in when there is none.

        Raises:
            AuthenticationFailed: The login was refused, now or before with the same secrets.
        """
        with self._lock:
            token = self._token
            if token is None or (self._ends is not None and self._clock.monotonic() >= self._ends):
                token = self._log_in(send)
            return token.headers

    def rejected(self, headers: Mapping[str, str], send: Send) -> bool:
        """Replace the token if these are still its headers; True: another one stands ready.

        Args:
            send: Sends a request without a token.

        Raises:
            AuthenticationFailed: The new login was refused.
        """
        with self._lock:
            if self._token is not None and dict(self._token.headers) != dict(headers):
                return True
            self._token = None
            if self.rejection_refuses:
                self._remember(self._secrets, f"{self!r}: the credentials are not accepted", 401)
            self._log_in(send)
            return True

    def logout(self, send: Send) -> None:
        """End the session, where there is one and the vendor can."""
        with self._lock:
            token, self._token = self._token, None
            if token is not None:
                self._logout(send, token)

    def refused(self, response: Response) -> bool:
        """Whether this answer to a login means that its secrets are refused."""
        return response.status in self.refused_statuses

    def accept(self, response: Response, *, system: str) -> Response:
        """The answer to a login if it is a good one; for use in :meth:`_login`.

        Raises:
            AuthenticationFailed: The login was refused.
            MLConnectorError: What else the answer means by the defaults of HTTP.
        """
        if self.refused(response):
            raise AuthenticationFailed(
                f"{system}: the login as {self._shown()} was refused with {response.status}",
                cure=_REFUSED_CURE,
                status=response.status,
                system=system,
                repeat_safe=True,
            )
        if not 200 <= response.status < 300:
            error = FaultTable(system).error(response, now=self._clock.now())
            error.repeat_safe = True
            raise error
        return response

    @abc.abstractmethod
    def _login(self, send: Send, secrets: Secrets) -> Token:
        """Log in once. Raises ``AuthenticationFailed`` only if the secrets were refused (see :meth:`accept`)."""

    def _logout(self, send: Send, token: Token) -> None:  # noqa: B027 - most vendors have no logout
        """Tell the vendor that the session is over; nothing, unless a subclass can."""

    def _log_in(self, send: Send) -> Token:
        secrets = self._read()
        try:
            token = self._try(send, secrets)
        except AuthenticationFailed:
            if self._reader is None:
                raise
            again = self._read()
            if again == secrets:
                raise
            token = self._try(send, again)
        self._token = token
        self._details = MappingProxyType(dict(token.details))
        self._ends = self._end_of(token)
        return token

    def _try(self, send: Send, secrets: Secrets) -> Token:
        if self._refused is not None and self._refused[0] == secrets:
            raise AuthenticationFailed(self._refused[1], cure=_REFUSED_CURE, status=self._refused[2], repeat_safe=True)
        try:
            token = self._login(send, secrets)
        except AuthenticationFailed as error:
            self._remember(secrets, error.message, error.status)
            raise
        self._secrets, self._refused = secrets, None
        return token

    def _remember(self, secrets: Secrets, message: str, status: int | None) -> None:
        self._refused = (secrets, message, status)

    def _read(self) -> Secrets:
        if self._reader is None:
            return self._secrets
        return {name: Secret(value) for name, value in self._reader().items()}

    def _end_of(self, token: Token) -> float | None:
        lifetimes = [] if self._age is None else [self._age.total_seconds()]
        if token.expires_in is not None:
            # A lifetime shorter than the margin would make every call log in.
            lifetimes.append(max(token.expires_in - self._margin, token.expires_in / 2))
        return self._clock.monotonic() + min(lifetimes) if lifetimes else None

    def _shown(self) -> str:
        secret = self._secrets.get(self.shown_field)
        return repr(secret.reveal()) if secret is not None else "***"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shown()})"

    def __reduce__(self) -> NoReturn:
        raise InvalidArgument(
            f"A {type(self).__name__} with its secrets does not pickle",
            cure='Save the credentials once and give auth=mc.stored("name").',
        )
