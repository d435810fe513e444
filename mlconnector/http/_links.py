"""Origins, and links that answers contain: nothing leads away from the configured origin."""

from __future__ import annotations

import ipaddress
import logging
import re
from urllib.parse import urlsplit

from mlconnector.errors import InvalidArgument, VendorFault

__all__ = ["is_loopback", "parse_origin", "same_origin_path"]

_log = logging.getLogger("mlconnector.http")
_DEFAULT_PORTS = {"https": 443, "http": 80}
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


def parse_origin(origin: str) -> str:
    """``scheme://host:port`` in one spelling: lower case, the port always written.

    Raises:
        InvalidArgument: Not http(s), no host, a path, a query, or a user name in it.
    """
    cure = 'Give scheme, host and port only, like "https://ais.example:9302".'
    try:
        parts = urlsplit(origin)
        port = parts.port
    except (ValueError, AttributeError, TypeError):
        raise InvalidArgument("The origin is no URL", cure=cure) from None
    if "@" in parts.netloc:
        raise InvalidArgument("The origin holds a user name", cure="Give credentials as auth=, never inside the URL.")
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or not _PRINTABLE.fullmatch(origin):
        raise InvalidArgument(f"The origin {origin!r} is no http or https URL", cure=cure)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise InvalidArgument(f"The origin {parts.scheme}://{parts.netloc} is followed by a path or query", cure=cure)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port or _DEFAULT_PORTS[parts.scheme]}"


def is_loopback(origin: str) -> bool:
    """Whether the origin's host is this machine."""
    host = urlsplit(origin).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def same_origin_path(href: str, origin: str) -> str:
    """Path and query of a link, to be called on the configured origin, percent-encoding untouched.

    Its host is the server's own view and may be wrong behind a proxy, so it is ignored; a token is never sent to
    another host because an answer said so (AIS reference, section 3.4).

    Args:
        href: The link as the vendor sent it: a whole URL, or a path from the root.
        origin: The configured origin.

    Raises:
        VendorFault: The link is no http(s) URL and no path from the root.
    """
    cure = "Tell the vendor's support; the answer cannot be followed safely."
    try:
        parts = urlsplit(href)
    except ValueError:
        raise VendorFault("The vendor sent a link that is no URL", cure=cure) from None
    if not _PRINTABLE.fullmatch(href) or parts.scheme not in ("", "http", "https") or not parts.path.startswith("/"):
        raise VendorFault("The vendor sent a link that is no http URL and no path from the root", cure=cure)
    if parts.netloc and parts.netloc.lower() not in origin:
        _log.debug("A link names another host; its path is called on %s", origin)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
