"""Why no answer came, said in our own words.

The texts of ``requests`` and ``urllib3`` quote the URL, and a query may hold a token, so none of them is passed on.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests
import urllib3.exceptions as u3

from mlconnector.errors import ConnectionFailed, Fault
from mlconnector.http._deadline import Exchange

__all__ = ["explain"]

_NETWORK_CURE = "The network administrator checks name, port, firewall and proxy between this machine and the host."
_TRUST_CURE = "The administrator installs a certificate this machine trusts, or you give its authority as verify=."


def explain(fault: BaseException, exchange: Exchange, method: str, url: str) -> ConnectionFailed:
    """Turn what a connection raised into one error; safe to repeat only where no byte of the request went out."""
    parts = urlsplit(url)
    what, cure, who = _reason(list(_nested(fault)), exchange, parts.netloc)
    return ConnectionFailed(f"{method} {parts.path}: {what}.", cure=cure, fault=who, repeat_safe=not exchange.sent)


def _nested(fault: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[object] = [fault]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            yield item
            waiting += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]


def _reason(causes: list[BaseException], exchange: Exchange, host: str) -> tuple[str, str, Fault]:
    def of(*kinds: type[BaseException]) -> BaseException | None:
        return next((cause for cause in causes if isinstance(cause, kinds)), None)

    certificate = of(ssl.SSLCertVerificationError)
    if isinstance(certificate, ssl.SSLCertVerificationError):
        why = certificate.verify_message or "not valid"
        return f"the certificate of {host} is not accepted ({why})", _TRUST_CURE, "administrator"
    if of(socket.gaierror):
        return f"the name of {host} cannot be resolved (DNS)", "Check the host name; " + _NETWORK_CURE, "caller"
    if of(requests.exceptions.ProxyError, u3.ProxyError):
        return (
            f"the proxy on the way to {host} does not answer or refuses",
            "Check proxies=; " + _NETWORK_CURE,
            "network",
        )
    if of(ConnectionRefusedError):
        cure = "The administrator checks that the service runs on this port, and the firewall."
        return f"{host} refuses the connection", cure, "administrator"
    if of(u3.ConnectTimeoutError) and not of(u3.NewConnectionError):
        return f"{host} did not take the connection within {exchange.timeout.connect:g} s", _NETWORK_CURE, "network"
    if of(TimeoutError, u3.ReadTimeoutError):
        if exchange.over:
            return (
                f"{host} did not answer completely within {exchange.timeout.total:g} s in all",
                "Ask for less at once, or give a longer timeout=.",
                "vendor",
            )
        return f"{host} sent nothing for {exchange.timeout.read:g} s", "Give a longer timeout=, or try later.", "vendor"
    if of(u3.DecodeError):
        return f"{host} sent a body whose compression is broken", "The administrator looks at the proxy.", "vendor"
    if of(u3.IncompleteRead, http.client.IncompleteRead, u3.InvalidChunkLength):
        return f"{host} cut the body of its answer short", _NETWORK_CURE, "network"
    if of(ssl.SSLError):
        cure = "The administrator checks that the port speaks TLS 1.2 or later, and whether it asks for cert=."
        return f"no TLS connection with {host} could be agreed on", cure, "administrator"
    if not exchange.sent:
        return f"{host} cannot be reached", _NETWORK_CURE, "network"
    return f"{host} closed the connection before its answer was complete", _NETWORK_CURE, "network"
