"""The BILL session: a login with developer key and organization, renewed by use (BILL reference, section 2)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import ClassVar

from mlconnector.auth import Secrets, Token, TokenSession
from mlconnector.bill._faults import CONCURRENT, CREDENTIALS, HOURLY, codes, hourly_limit
from mlconnector.credentials import Secret
from mlconnector.errors import AuthenticationFailed, InvalidArgument, MLConnectorError, RateLimited, VendorFault
from mlconnector.http import Request, Response, Retry, Send

__all__ = ["BillSession", "limit_name"]

LOGIN = "/connect/v3/login"
_IDLE = dt.timedelta(minutes=35)
_MARGIN = dt.timedelta(seconds=60)


def limit_name(dev_key: str, organization_id: str) -> str:
    """What the limit of three calls belongs to, as a name that shows neither (section 3)."""
    return hashlib.sha256(f"{dev_key}\0{organization_id}".encode()).hexdigest()[:32]


class BillSession(TokenSession):
    """Logs in at BILL; one session for all threads, logged out at the end.

    The developer key goes in the body of the login and in a header of every other call (section 2). Every call renews
    the session; one that was idle too long is replaced before it is used, and one the vendor calls invalid
    (``BDC_1109``) is replaced once and the call repeated once. A 403 is never answered with a login.

    Args:
        username: The user, or the name of a sync token.
        password: Its password, or the sync token itself: the right credential for a job that never pays
            (section 2.5).
        organization_id: Of the organization, ``008...``.
        dev_key: The developer key; it works in one environment only.
        idle: How long a session lives without a call: 35 minutes (section 2.3), 48 hours for a sync token.

    Raises:
        InvalidArgument: An empty field, or an idle time of two minutes or less.
    """

    secret_fields: ClassVar[tuple[str, ...]] = ("username", "password", "organization_id", "dev_key")

    def __init__(
        self,
        username: str | Secret,
        password: str | Secret,
        *,
        organization_id: str | Secret,
        dev_key: str | Secret,
        idle: dt.timedelta = _IDLE,
    ) -> None:
        super().__init__(
            {"username": username, "password": password, "organization_id": organization_id, "dev_key": dev_key}
        )
        empty = [name for name, secret in self._secrets.items() if not secret.reveal().strip()]
        if empty:
            raise InvalidArgument(f"{', '.join(empty)} is empty.", cure="Give all four fields of the login.")
        if idle <= 2 * _MARGIN:
            raise InvalidArgument(f"idle={idle!r} is not above two minutes.", cure="Leave it out, or give 48 hours.")
        self._idle = (idle - _MARGIN).total_seconds()
        self._used = 0.0
        self._path = LOGIN

    @property
    def organization_id(self) -> str:
        """The organization logged in to; a ledger is bound to it (rule B3)."""
        return self._secrets["organization_id"].reveal()

    def use_path(self, path: str) -> None:
        """Where logins go, for a client whose address has another prefix."""
        self._path = path

    def headers(self, send: Send) -> Mapping[str, str]:
        """The headers of a live session; logs in when there is none, or the last call is too long ago.

        Raises:
            AuthenticationFailed: The login was refused, now or before with the same secrets.
            RateLimited: The limit of logins is reached (200 an hour and developer key, section 3).
        """
        with self._lock:
            if self._token is not None and self._clock.monotonic() - self._used >= self._idle:
                self._token = None
            headers = super().headers(send)
            self._used = self._clock.monotonic()
            return headers

    def refused(self, response: Response) -> bool:
        """A refusal of the secrets by its status, where no known code says more; these are not documented (2.1)."""
        return response.status in (401, 403, 423) or (response.status == 400 and not codes(response))

    def _login(self, send: Send, secrets: Secrets) -> Token:
        dev_key, organization = secrets["dev_key"].reveal(), secrets["organization_id"].reveal()
        response = self._answer(
            send,
            {
                "username": secrets["username"].reveal(),
                "password": secrets["password"].reveal(),
                "organizationId": organization,
                "devKey": dev_key,
            },
        )
        known = sorted(codes(response) & CREDENTIALS.keys())
        if known:
            raise AuthenticationFailed(
                f"bill: the login as {self._shown()} was refused with {response.status}, {known[0]}: "
                f"{CREDENTIALS[known[0]]}.",
                cure="The BILL administrator checks the user, the organization id and the developer key, and that all "
                "are of this environment; whoever runs the program corrects them. The same ones are not tried again.",
                status=response.status,
                system="bill",
                repeat_safe=True,
            )
        body = self.accept(response, system="bill").json()
        session = body.get("sessionId") if isinstance(body, Mapping) else None
        if not isinstance(session, str) or not session.isascii() or not session.strip():
            raise VendorFault(
                f"{response.method} {response.path} answered {response.status} without a sessionId.",
                cure="Check that the address is BILL's v3 API.",
                status=response.status,
                system="bill",
                repeat_safe=True,
            )
        details = {name: body[name] for name in ("userId", "trusted") if name in body}
        details |= {"organizationId": organization, "limit": limit_name(dev_key, organization)}
        return Token(headers={"devKey": dev_key, "sessionId": session}, details=details)

    def _answer(self, send: Send, body: Mapping[str, str]) -> Response:
        """The answer to a login; one refused because three calls are under way is tried again, which is harmless."""
        retry, begun, attempt = Retry(base=2.0), self._clock.monotonic(), 1
        while True:
            response = send(Request("POST", self._path, json=body, authenticated=False))
            found = codes(response)
            if HOURLY in found:
                raise hourly_limit(response, self._clock.now())
            if CONCURRENT not in found and (response.status != 429 or found & CREDENTIALS.keys()):
                return response
            wait = retry.pause(attempt, elapsed=self._clock.monotonic() - begun)
            if wait is None:
                raise RateLimited(
                    "bill: the login was refused for load.",
                    cure="Run fewer programs with this developer key at once.",
                    status=response.status,
                    system="bill",
                )
            self._clock.sleep(wait)
            attempt += 1

    def _logout(self, send: Send, token: Token) -> None:
        path = self._path.removesuffix("login") + "logout"
        try:
            send(Request("POST", path, headers=dict(token.headers), authenticated=False))
        except MLConnectorError:
            # The session ends by itself; a run must not fail because it could not say goodbye.
            return
