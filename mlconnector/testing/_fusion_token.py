"""The identity domain beside a Fusion pod: a token endpoint on a host of its own (Fusion reference, section 4.1)."""

from __future__ import annotations

import datetime as dt
import secrets
import urllib.parse
from typing import NoReturn

from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.errors import InvalidArgument
from mlconnector.testing._server import Simulator
from mlconnector.testing._wire import Answer, Refused, Request, json_answer

__all__ = ["IdentityDomainSimulator"]

_PER_SECOND, _PER_MINUTE = 40, 1000
_PATH = "/oauth2/v1/token"


class IdentityDomainSimulator(Simulator):
    """Gives bearer tokens out to one client, by client credentials, no more than 40 a second and 1,000 a minute.

    The client authenticates by HTTP Basic or by the form's ``client_id`` and ``client_secret``; the scope is compared
    to the letter. Errors have the form of RFC 6749; too many calls are answered 429 without ``Retry-After``.

    Args:
        clock: Its time.
        date_skew: How far the ``Date`` header is off.
        scope: The one scope its client may ask for.
        token_life: Seconds a token lives; ``expires_in`` says so.

    Raises:
        InvalidArgument: A life that is not a positive whole number.

    Attributes:
        username: The client id.
        password: The client secret.
    """

    username = "simulated-client"
    password = "simulated&client=secret+%"  # noqa: S105 - a constant of a simulator, no secret

    def __init__(
        self,
        *,
        clock: Clock = SYSTEM_CLOCK,
        date_skew: dt.timedelta = dt.timedelta(),
        scope: str = "urn:opc:resource:consumer::all",
        token_life: int = 3600,
    ) -> None:
        super().__init__(clock=clock, date_skew=date_skew, lock_after=None)
        if token_life < 1:
            raise InvalidArgument(f"token_life must be a positive whole number of seconds, not {token_life!r}.")
        self.scope = scope
        self._token_life = token_life
        self._tokens: dict[str, float] = {}
        self._given = 0
        self._asked: list[float] = []

    @property
    def token_url(self) -> str:
        """The whole address of the token endpoint."""
        return self.url + _PATH

    @property
    def tokens_given(self) -> int:
        """How many tokens were given out so far."""
        with self._lock:
            return self._given

    def knows(self, token: str) -> bool:
        """Whether it gave a token out that still lives."""
        with self._lock:
            issued = self._tokens.get(token)
            return issued is not None and self.clock.monotonic() - issued < self._token_life

    def expire_tokens(self) -> None:
        """Make every token unknown."""
        with self._lock:
            self._tokens.clear()

    def _work(self, request: Request) -> Answer:
        if request.path != _PATH:
            raise Refused(Answer(status=404))
        if request.method != "POST":
            raise Refused(Answer(status=405))
        self._count()
        if request.media_type != "application/x-www-form-urlencoded":
            _refuse(400, "invalid_request", "The body is a URL-encoded form.")
        form = request.form()
        if not self._login_accepted(*_client(request, form)):
            _refuse(401, "invalid_client", "Client authentication failed.")
        if form.get("grant_type") != "client_credentials":
            _refuse(400, "unsupported_grant_type", "The grant type is not allowed for this client.")
        if form.get("scope") != self.scope:
            _refuse(400, "invalid_scope", "The scope is not allowed for this client.")
        self._given += 1
        token = secrets.token_urlsafe(32)
        self._tokens[token] = self.clock.monotonic()
        return json_answer({"access_token": token, "token_type": "Bearer", "expires_in": self._token_life})

    def _count(self) -> None:
        now = self.clock.monotonic()
        self._asked = [at for at in self._asked if now - at < 60] + [now]
        if len(self._asked) > _PER_MINUTE or sum(now - at < 1 for at in self._asked) > _PER_SECOND:
            raise Refused(json_answer({"code": "TooManyRequests", "message": "Too many requests."}, status=429))


def _client(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """The id and secret presented. In the header they are form-encoded first (RFC 6749), or plain as many do."""
    basic = request.basic_login()
    if basic is None:
        return form.get("client_id", ""), form.get("client_secret", "")
    plain = (basic[0], basic[1])
    matches = plain == (IdentityDomainSimulator.username, IdentityDomainSimulator.password)
    return plain if matches else (urllib.parse.unquote_plus(basic[0]), urllib.parse.unquote_plus(basic[1]))


def _refuse(status: int, error: str, description: str) -> NoReturn:
    raise Refused(json_answer({"error": error, "error_description": description}, status=status))
