"""A client's login for calls made with plain ``requests``."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from mlconnector.errors import InvalidArgument
from mlconnector.http._faults import FaultTable, Verdict
from mlconnector.http._links import parse_origin
from mlconnector.http._manager import Send, TokenManager
from mlconnector.http._message import Response

__all__ = ["ClientAuth"]


class ClientAuth(AuthBase):
    """``requests.get(url, auth=client.auth)``: the token of the client, on the client's origin only.

    A rejected token is replaced once and the call repeated once. Redirects are refused, since ``requests`` would send
    a vendor's own token headers along.

    Args:
        origin: Where the token may go. ``manager``: gives it. ``send``: makes calls without one. ``faults``: tells a
            rejected token from other refusals.
    """

    def __init__(self, origin: str, manager: TokenManager | None, send: Send, faults: FaultTable) -> None:
        self._origin, self._manager, self._send, self._faults = origin, manager, send, faults

    def __repr__(self) -> str:
        return f"ClientAuth({self._faults.system} at {self._origin})"

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token.

        Raises:
            InvalidArgument: The request goes to another origin.
        """
        parts = urlsplit(r.url or "")
        if parse_origin(f"{parts.scheme}://{parts.netloc}") != self._origin:
            raise InvalidArgument(
                f"This login belongs to {self._origin}, the request goes to {parts.scheme}://{parts.netloc}",
                cure="Call the client's own origin; credentials never leave it.",
            )
        if self._manager is None:
            return r
        token = dict(self._manager.headers(self._send))
        r.headers.update(token)
        repeated = False

        def check(answer: requests.Response, **options: Any) -> requests.Response:
            nonlocal repeated
            if answer.is_redirect:
                answer.close()
                raise self._faults.error(_as_response(answer, b""))
            if repeated or self._manager is None or isinstance(answer.request.body, str | bytes | None) is False:
                return answer
            verdict = self._faults.judge(_as_response(answer, answer.content)).verdict
            if verdict is not Verdict.TOKEN_REJECTED or not self._manager.rejected(token, self._send):
                return answer
            repeated = True
            answer.close()
            again = answer.request.copy()
            again.headers.update(self._manager.headers(self._send))
            second: requests.Response = answer.connection.send(again, **options)
            second.history.append(answer)
            second.request = again
            return second

        r.register_hook("response", check)  # type: ignore[no-untyped-call]  # requests leaves it untyped
        return r


def _as_response(answer: requests.Response, content: bytes) -> Response:
    request = answer.request
    path = urlsplit(request.url or "").path or "/"
    return Response(
        status=answer.status_code, headers=answer.headers, content=content, path=path, method=request.method or "GET"
    )
