"""The vendor-neutral managers: OAuth2 (password and client credentials) and HTTP Basic."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar
from urllib.parse import quote_plus, urlsplit

from mlconnector.auth._session import Secrets, Token, TokenSession
from mlconnector.credentials import Secret
from mlconnector.errors import InvalidArgument, VendorFault
from mlconnector.http import Request, Response, Send, is_loopback

__all__ = ["HTTPBasic", "OAuth2ClientCredentials", "OAuth2Password"]


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _bearer(response: Response) -> Token:
    body = response.json()
    token = body.get("access_token") if isinstance(body, Mapping) else None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token.strip():
        raise VendorFault(
            f"{response.method} {response.path} answered {response.status} without an access_token",
            cure="The administrator checks that the address is the token service's own.",
            status=response.status,
            repeat_safe=True,
        )
    try:
        expires_in = float(Decimal(str(body.get("expires_in"))))
    except ArithmeticError:
        expires_in = None
    return Token(headers={"Authorization": f"Bearer {token}"}, expires_in=expires_in if (expires_in or 0) > 0 else None)


def _checked_path(path: str) -> str:
    if not path.startswith("/"):
        raise InvalidArgument(f"path={path!r} does not begin with a slash", cure='Give it like "/oauth2/token".')
    return path


class OAuth2Password(TokenSession):
    """OAuth 2 password grant: a form with ``grant_type=password``, a bearer token back (Cleo reference, section 2.1).

    400 and 401 refuse the credentials. ``expires_in`` is used where it is sent, and not required; a token is renewed
    by logging in again.

    Args:
        username: The account.
        password: Its password.
        path: Where tokens are given out, on the client's origin.
        refresh_margin: Seconds before the end of a known lifetime at which the token is replaced.

    Raises:
        InvalidArgument: A path not from the root, a margin below 0, a secret that is no text.
    """

    def __init__(
        self,
        username: str | Secret,
        password: str | Secret,
        *,
        path: str = "/api/authentication",
        refresh_margin: float = 60.0,
    ) -> None:
        super().__init__({"username": username, "password": password}, refresh_margin=refresh_margin)
        self._path = _checked_path(path)

    def _login(self, send: Send, secrets: Secrets) -> Token:
        form = {"grant_type": "password", **{name: secret.reveal() for name, secret in secrets.items()}}
        return _bearer(self.accept(send(Request("POST", self._path, form=form, authenticated=False)), system="oauth2"))


class OAuth2ClientCredentials(TokenSession):
    """OAuth 2 client-credentials grant: an id and a secret for a bearer token.

    Args:
        client_id: The registered client.
        client_secret: Its secret.
        token_url: The whole address of a token service on another host (Fusion reference, section 4). It is the one
            address outside the client's origin that this manager calls, with id and secret only.
        path: Where tokens are given out on the client's origin, instead of ``token_url``.
        scope: Blank-separated scopes; None sends none.
        basic: Send id and secret as HTTP Basic instead of form fields.
        refresh_margin: Seconds before the end of a known lifetime at which the token is replaced.

    Raises:
        InvalidArgument: Both ``token_url`` and ``path``, or a token URL that is not https.
    """

    secret_fields: ClassVar[tuple[str, ...]] = ("client_id", "client_secret")
    shown_field: ClassVar[str] = "client_id"

    def __init__(
        self,
        client_id: str | Secret,
        client_secret: str | Secret,
        *,
        token_url: str | None = None,
        path: str | None = None,
        scope: str | None = None,
        basic: bool = False,
        refresh_margin: float = 60.0,
    ) -> None:
        super().__init__({"client_id": client_id, "client_secret": client_secret}, refresh_margin=refresh_margin)
        if token_url is not None and path is not None:
            raise InvalidArgument("Both token_url and path are given", cure="Give one of them.")
        if token_url is not None:
            parts = urlsplit(token_url)
            safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(token_url))
            if not safe or not parts.hostname or "@" in parts.netloc:
                raise InvalidArgument("token_url is no https URL without user name", cure="Give the whole https URL.")
        self._token_url = token_url
        self._path = None if path is None else _checked_path(path)
        self._scope = scope
        self._basic = basic

    @property
    def token_url(self) -> str | None:
        """The one address outside the origin that this manager calls."""
        return self._token_url

    def use_path(self, path: str) -> None:
        """Set where tokens are given out, unless the user has said so; for a vendor that knows its own path."""
        if self._token_url is None and self._path is None:
            self._path = _checked_path(path)

    def _login(self, send: Send, secrets: Secrets) -> Token:
        where = self._token_url or self._path
        if where is None:
            raise InvalidArgument("Neither token_url nor path is known", cure="Give token_url= or path=.")
        client_id, client_secret = secrets["client_id"].reveal(), secrets["client_secret"].reveal()
        form = {"grant_type": "client_credentials"}
        headers = {}
        if self._basic:
            headers["Authorization"] = _basic(quote_plus(client_id), quote_plus(client_secret))
        else:
            form |= {"client_id": client_id, "client_secret": client_secret}
        if self._scope is not None:
            form["scope"] = self._scope
        request = Request("POST", where, form=form, headers=headers, authenticated=False)
        return _bearer(self.accept(send(request), system="oauth2"))


class HTTPBasic(TokenSession):
    """HTTP Basic, sent with every call. There is no login: a rejected call refuses the credentials.

    Args:
        username: The account.
        password: Its password.

    Raises:
        InvalidArgument: A user name with a colon, which Basic cannot carry.
    """

    rejection_refuses: ClassVar[bool] = True

    def __init__(self, username: str | Secret, password: str | Secret) -> None:
        super().__init__({"username": username, "password": password})
        if ":" in self._secrets["username"].reveal():
            raise InvalidArgument("A user name with a colon does not work with HTTP Basic", cure="Use another account.")

    def _login(self, send: Send, secrets: Secrets) -> Token:  # noqa: ARG002 - Basic has no login call
        return Token(headers={"Authorization": _basic(secrets["username"].reveal(), secrets["password"].reveal())})
