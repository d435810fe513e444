"""What the client needs of a token manager; :mod:`mlconnector.auth` has the managers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from mlconnector.clock import Clock
from mlconnector.http._message import Request, Response

__all__ = ["Send", "TokenManager"]

Send = Callable[[Request], Response]
"""Sends one request without a token on the manager's origin and returns whatever status came back."""


@runtime_checkable
class TokenManager(Protocol):
    """Gets, keeps and replaces what proves to a vendor who is calling. Shared by threads.

    Two attributes are optional: ``bind(origin, clock)`` is called by each client that takes the manager, and
    ``token_url`` names the one address outside the origin that the manager may call.
    """

    def headers(self, send: Send) -> Mapping[str, str]:
        """The headers that carry the token; logs in when there is no fresh one.

        Raises:
            AuthenticationFailed: The login was refused, now or before with the same secret.
        """
        ...

    def rejected(self, headers: Mapping[str, str], send: Send) -> bool:
        """Told that these headers were rejected. True: newer ones stand ready, and the call may be repeated once.

        Args:
            send: Sends a request without a token; every status is handed back.
        """
        ...

    def logout(self, send: Send) -> None:
        """End the session where the vendor has such a thing. A manager that never logged in does nothing."""
        ...


@runtime_checkable
class Binding(Protocol):
    """A manager that wants to know its origin and clock."""

    def bind(self, origin: str, clock: Clock) -> None:
        """Bind to one origin; another one later raises ``InvalidArgument``."""
        ...
