"""Logins of the simulated AIS server: tokens, device names, lives, lock-out (AIS reference, section 2)."""

from __future__ import annotations

import base64
import hashlib

import attrs

__all__ = ["Session", "SessionBook"]


@attrs.define(kw_only=True)
class Session:
    """A token's session."""

    token: str = attrs.field(repr=False)
    device: str
    last_used: float


class SessionBook:
    """The sessions that are open. A token lives while it is used within ``life`` seconds of the simulator's clock.

    Attributes:
        most: How many were alive at once at most.
    """

    def __init__(self, life: float) -> None:
        self._life = life
        self._sessions: dict[str, Session] = {}
        self._issued = 0
        self.most = 0

    def open(self, device: str, now: float) -> Session:
        """Issue a token. It holds ``+``, ``/`` and ``=``, so that a URL that encodes it twice or never shows."""
        self._issued += 1
        digest = hashlib.sha256(f"token {self._issued} {device}".encode()).digest()
        token = "044+/" + base64.b64encode(digest[:31]).decode()
        session = Session(token=token, device=device, last_used=now)
        self._sessions[token] = session
        self.most = max(self.most, self.count(now))
        return session

    def find(self, token: str, device: str, now: float, *, touch: bool = True) -> Session | None:
        """The session of a token, if it is alive and the device is the one it was asked for with.

        A token asked for without a device name is bound to the caller's address, which is always the loopback here.
        """
        session = self._sessions.get(token)
        if session is None or (session.device and session.device != device):
            return None
        if now - session.last_used > self._life:
            del self._sessions[token]
            return None
        if touch:
            session.last_used = now
        return session

    def close(self, session: Session) -> None:
        """Log out."""
        del self._sessions[session.token]

    def expire_all(self) -> None:
        """Forget every token."""
        self._sessions.clear()

    def count(self, now: float) -> int:
        """How many are open and alive."""
        return sum(1 for session in self._sessions.values() if now - session.last_used <= self._life)
