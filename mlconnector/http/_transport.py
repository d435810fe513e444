"""One physical call. Everything above it is policy, and any object with this one method may stand in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

import attrs
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies

from mlconnector.errors import ConnectionFailed, InvalidArgument
from mlconnector.http._deadline import POOL_CLASSES, Exchange
from mlconnector.http._policy import Timeout
from mlconnector.http._wire import explain

__all__ = ["RawAnswer", "RequestsTransport", "Transport"]

_PIECE = 1 << 16
_WIRE_FAULTS = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError)


def _nothing() -> None:
    return None


@attrs.frozen
class RawAnswer:
    """What a transport hands back.

    Args:
        status: The HTTP status.
        headers: As received.
        content: The whole body, or its pieces as they come; reading them may raise ``ConnectionFailed``.
        close: Called once when the body was read or given up.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes | Iterable[bytes] = attrs.field(repr=False)
    close: Callable[[], None] = attrs.field(default=_nothing, kw_only=True, repr=False)


@runtime_checkable
class Transport(Protocol):
    """Sends bytes and receives bytes; knows nothing of tokens, retries or verdicts. Shared by threads.

    A transport may also have ``close()`` and ``local_address() -> str | None``.
    """

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout: Timeout
    ) -> RawAnswer:
        """Make one call, without following redirects, storing cookies or repeating.

        Args:
            method: ``"GET"``, ``"POST"`` ...
            url: Whole, percent-encoded.
            headers: All of them, the token's too.
            body: The bytes, or ``None``.
            timeout: Of this call.

        Raises:
            ConnectionFailed: No answer; ``repeat_safe`` only where no byte of the request went out. Its text holds
                neither query nor header.
        """
        ...


class RequestsTransport:
    """The default transport: pooled keep-alive connections of ``requests``, each call cut at its total time-out.

    Proxies and certificate bundles of the environment count as they do in ``requests``; ``.netrc`` does not.

    Args:
        verify: True, or the path of a bundle of certificate authorities; False accepts any certificate.
        cert: Client certificate: one file, or certificate and key.
        proxies: By scheme (``{"https": "http://proxy:3128"}``); None takes the environment's.
        pool: How many connections are kept open.

    Raises:
        InvalidArgument: A file that does not exist.
    """

    def __init__(
        self,
        *,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        pool: int = 16,
    ) -> None:
        certificate = () if cert is None else (cert,) if isinstance(cert, str) else tuple(cert)
        for option, path in (("verify", verify), *(("cert", part) for part in certificate)):
            if isinstance(path, str) and not Path(path).exists():
                raise InvalidArgument(f"{option}={path!r} does not exist", cure="Give the path of a PEM file.")
        self._verify, self._cert, self._pool = verify, cert, pool
        self._proxies = None if proxies is None else dict(proxies)
        self._open()

    def _open(self) -> None:
        self._adapter = _Adapter(pool_connections=4, pool_maxsize=self._pool)
        self._settings: dict[str, dict[str, Any]] = {}
        self._local_address: str | None = None

    def __getstate__(self) -> dict[str, Any]:
        if any("@" in url for url in (self._proxies or {}).values()):
            raise InvalidArgument(
                "A transport whose proxies hold a password does not pickle",
                cure="Name the proxies in the environment of both processes instead.",
            )
        return {name: getattr(self, name) for name in ("_verify", "_cert", "_pool", "_proxies")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout: Timeout
    ) -> RawAnswer:
        """Make one call.

        Args:
            method: ``"GET"``, ``"POST"`` ...
            url: Whole, percent-encoded.
            headers: All of them, the token's too.
            body: The bytes, or ``None``.
            timeout: Of this call.

        Raises:
            ConnectionFailed: With one clear text for each way a connection can fail.
        """
        exchange = Exchange(timeout, has_body=bool(body))
        prepared = _prepare(method, url, headers, body)
        failure: ConnectionFailed
        try:
            with exchange.active():
                answer = self._adapter.send(
                    prepared,
                    stream=True,
                    timeout=(min(timeout.connect, timeout.total), min(timeout.read, timeout.total)),
                    **self._settings_for(url),
                )
        except _WIRE_FAULTS as fault:
            failure = explain(fault, exchange, method, url)
        else:
            self._local_address = exchange.local_address or self._local_address
            pieces = _pieces(answer, exchange, method, url)
            return RawAnswer(answer.status_code, answer.headers, pieces, close=answer.close)
        # Raised here, not in the handler: the context of an error must not hold what may quote the URL's query.
        raise failure

    def local_address(self) -> str | None:
        """The address of this machine's end of the latest connection."""
        return self._local_address

    def close(self) -> None:
        """Close every pooled connection."""
        self._adapter.close()

    def _settings_for(self, url: str) -> dict[str, Any]:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._settings:
            with requests.Session() as session:
                proxies = get_environ_proxies(origin) if self._proxies is None else self._proxies
                settings = session.merge_environment_settings(origin, proxies, True, self._verify, self._cert)
            chosen = proxies if self._proxies is not None else settings["proxies"]
            self._settings[origin] = {"verify": settings["verify"], "cert": settings["cert"], "proxies": dict(chosen)}
        return self._settings[origin]


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOL_CLASSES

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = POOL_CLASSES
        return manager


def _prepare(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> requests.PreparedRequest:
    """Built by hand: ``requests`` itself would encode the path again and read ``.netrc``."""
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url, prepared.body = method, url, body
    prepared.headers = CaseInsensitiveDict(headers)
    if body is not None or method in ("POST", "PUT", "PATCH"):
        prepared.headers["Content-Length"] = str(len(body or b""))
    return prepared


def _pieces(answer: requests.Response, exchange: Exchange, method: str, url: str) -> Iterator[bytes]:
    raw: Any = answer.raw
    announced = answer.headers.get("Content-Length", "")
    failure: ConnectionFailed | None = None
    while failure is None:
        try:
            with exchange.active():
                piece = raw.read(_PIECE, decode_content=True)
        except _WIRE_FAULTS as fault:
            failure = explain(fault, exchange, method, url)
            continue
        if not piece:
            break
        yield piece
    if failure is None and announced.isdigit() and method != "HEAD" and answer.status_code not in (204, 304):
        received = raw.tell()
        if received < int(announced):
            failure = explain(urllib3.exceptions.ProtocolError("cut"), exchange, method, url)
    if failure is not None:
        raise failure
