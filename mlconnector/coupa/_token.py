"""What Coupa asks of a token beyond OAuth 2: renewed after 20 hours, not thrown away while it is new (section 2)."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import threading
from collections.abc import Mapping
from typing import Any

from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.http import Send, TokenManager, loads

__all__ = ["CoupaToken"]

AGE = dt.timedelta(hours=20)
"""The vendor advises renewing every 20 hours, although a token lives 24 (Coupa reference, section 2)."""
SETTLING = 5.0
"""Seconds that should lie between getting a token and using it (Coupa reference, section 2)."""


class CoupaToken:
    """A token manager around the user's own.

    A token that is rejected within five seconds of its making is not a bad one: the client waits and tries it again
    before it asks for another. Shared by threads.

    Args:
        manager: ``OAuth2ClientCredentials``, or stored credentials of that kind.
    """

    def __init__(self, manager: TokenManager) -> None:
        self._manager = manager
        self._clock: Clock = SYSTEM_CLOCK
        self._lock = threading.Lock()
        self._current: Mapping[str, str] = {}
        self._since = 0.0

    @property
    def token_url(self) -> str | None:
        """The one address outside the origin that the manager calls."""
        return getattr(self._manager, "token_url", None)

    def bind(self, origin: str, clock: Clock) -> None:
        """Called by the client; a second origin is refused by the manager."""
        self._clock = clock
        bind = getattr(self._manager, "bind", None)
        if bind is not None:
            bind(origin, clock)

    def headers(self, send: Send) -> Mapping[str, str]:
        """The headers of a token that is not older than 20 hours."""
        headers = self._manager.headers(send)
        if self._age_of(headers) >= AGE.total_seconds():
            self._manager.rejected(headers, send)
            headers = self._manager.headers(send)
            self._age_of(headers)
        return headers

    def rejected(self, headers: Mapping[str, str], send: Send) -> bool:
        """Wait with a token that is new; replace another. True: the call may be repeated once."""
        age = self._age_of(headers, learn=False)
        if age is not None and age < SETTLING:
            self._clock.sleep(SETTLING - age)
            return True
        return self._manager.rejected(headers, send)

    def logout(self, send: Send) -> None:
        """As the manager's own."""
        self._manager.logout(send)

    def scopes(self) -> frozenset[str] | None:
        """The scopes the token itself tells, or ``None`` where it tells none: its content is not documented."""
        with self._lock:
            value = self._current.get("Authorization", "")
        claims = _claims(value.rpartition(" ")[2])
        for name in ("scope", "scopes", "scp"):
            told = claims.get(name)
            if isinstance(told, str) and told.strip():
                return frozenset(told.split())
            if isinstance(told, list) and told:
                return frozenset(str(one) for one in told)
        return None

    def _age_of(self, headers: Mapping[str, str], *, learn: bool = True) -> Any:
        """Seconds since these headers were first seen; ``None`` for others than the current ones."""
        with self._lock:
            if dict(headers) != dict(self._current):
                if not learn:
                    return None
                self._current, self._since = dict(headers), self._clock.monotonic()
            return self._clock.monotonic() - self._since

    def __repr__(self) -> str:
        return f"CoupaToken({self._manager!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"_manager": self._manager, "_clock": self._clock}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["_manager"])  # type: ignore[misc]
        self._clock = state["_clock"]


def _claims(token: str) -> Mapping[str, Any]:
    """The middle part of a JWT, unverified: it is only shown to a person."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, Mapping) else {}
