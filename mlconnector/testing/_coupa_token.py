"""Tokens of the simulated Coupa: client credentials, scopes, lives, the seconds a new one needs (reference, 2)."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterable
from typing import NoReturn

import attrs

from mlconnector.clock import Clock
from mlconnector.errors import InvalidArgument
from mlconnector.testing._coupa_catalog import ALL_SCOPES
from mlconnector.testing._wire import Answer, Refused, Request, json_answer

__all__ = ["TOKEN_LIFE", "TokenDesk"]

TOKEN_LIFE = 86_399
"""Seconds a token lives (section 2)."""


@attrs.frozen
class _Given:
    at: float
    scopes: frozenset[str]


class TokenDesk:
    """Gives tokens out and tells what one may do.

    Args:
        clock: Its time.
        scopes: The scopes ticked on the client.
        ripening: Seconds for which a new token is refused.

    Raises:
        InvalidArgument: A scope the simulator does not know, or a negative time.
    """

    def __init__(self, clock: Clock, scopes: Iterable[str], ripening: float) -> None:
        self.scopes = tuple(scopes)
        unknown = sorted(set(self.scopes) - set(ALL_SCOPES))
        if unknown:
            raise InvalidArgument(f"Unknown scopes {unknown}; there are {', '.join(ALL_SCOPES)}.")
        if ripening < 0:
            raise InvalidArgument(f"ripening must not be negative, it is {ripening!r}.")
        self._clock = clock
        self._ripening = ripening
        self._tokens: dict[str, _Given] = {}
        self.given = 0

    def forget(self) -> None:
        """Make every token unknown."""
        self._tokens.clear()

    def give(self, request: Request, accepted: Callable[[str, str], bool]) -> Answer:
        """Answer a call of the token endpoint.

        Client id and secret come in the form, as documented, or by HTTP Basic or in the query of an empty call, as
        seen in use. Errors have the form of RFC 6749.
        """
        if request.method != "POST":
            raise Refused(Answer(status=405, content_type="text/html"))
        if request.raw and request.media_type != "application/x-www-form-urlencoded":
            _refuse(400, "invalid_request")
        form = {**request.query, **request.form()}
        client, secret = request.basic_login() or (form.get("client_id", ""), form.get("client_secret", ""))
        if not accepted(client, secret):
            _refuse(401, "invalid_client")
        if form.get("grant_type") != "client_credentials":
            _refuse(400, "unsupported_grant_type")
        asked = form.get("scope", "").split(" ") if form.get("scope") else list(self.scopes)
        if not set(asked) <= set(self.scopes):
            _refuse(400, "invalid_scope")
        token = _jwt(asked)
        self._tokens[token] = _Given(self._clock.monotonic(), frozenset(asked))
        self.given += 1
        return json_answer(
            {"access_token": token, "token_type": "bearer", "expires_in": TOKEN_LIFE, "scope": " ".join(asked)}
        )

    def granted(self, request: Request) -> frozenset[str] | None:
        """The scopes of the token a call carries; None where the token is missing, wrong, dead or too new."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = self._tokens.get(token.strip()) if scheme.lower() == "bearer" else None
        if given is None or not self._ripening <= self._clock.monotonic() - given.at < TOKEN_LIFE:
            return None
        return given.scopes


def _jwt(scopes: list[str]) -> str:
    """A text of the form and length of a JWT, which grows with the scopes; nothing signs it."""
    parts = (b'{"alg":"RS256","typ":"JWT"}', json.dumps({"scope": scopes}).encode(), secrets.token_bytes(256))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _refuse(status: int, error: str) -> NoReturn:
    raise Refused(json_answer({"error": error}, status=status))
