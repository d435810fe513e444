"""Cuts a whole call at its total time-out, however slowly the other side drips.

A socket's own time-out starts anew with every byte. Here each wait on the socket is given what is left of the call.
"""

from __future__ import annotations

import contextvars
import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from mlconnector._on_the_wire import gone_out
from mlconnector.http._policy import Timeout

__all__ = ["POOL_CLASSES", "Exchange"]

_PIECE = 1 << 16
_current: contextvars.ContextVar[Exchange | None] = contextvars.ContextVar("mlconnector.http.exchange", default=None)


class Exchange:
    """One physical call: its deadline, whether a byte of it went out, and from which address.

    Args:
        timeout: Of this call. ``has_body``: a body follows its head; both go out in one piece.
    """

    def __init__(self, timeout: Timeout, *, has_body: bool = False) -> None:
        self.timeout = timeout
        self.ends = time.monotonic() + timeout.total
        self.head_waits = has_body
        self.sent = False
        self.local_address: str | None = None

    def set_wait(self, sock: socket.socket) -> None:
        """Say how long the next wait on the socket may take; left alone where it says so already.

        Raises:
            TimeoutError: The call's total is used up.
        """
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("total")
        wait = min(self.timeout.read, left)
        if sock.gettimeout() != wait:
            sock.settimeout(wait)

    @property
    def over(self) -> bool:
        """Whether the total is used up."""
        return time.monotonic() >= self.ends

    @contextmanager
    def active(self) -> Iterator[None]:
        """Bind the sockets that this thread uses to this call."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


class _Reader(io.RawIOBase):
    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock, self._raw = sock, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        exchange = _current.get()
        if exchange is not None:
            exchange.set_wait(self._sock)
        return cast("int | None", cast(Any, self._raw).readinto(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Socket:
    """A socket whose every wait ends with the current call."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._local_address = sock.getsockname()[0]
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def makefile(self, _mode: str, *_: Any, **__: Any) -> io.BufferedReader:
        raw = cast(io.RawIOBase, self._sock.makefile("rb", buffering=0))
        return io.BufferedReader(_Reader(self._sock, raw), _PIECE)

    def sendall(self, data: Any) -> None:
        exchange = _current.get()
        if exchange is not None and exchange.head_waits:
            # Alone it would be a packet more, and a chance for another thread to take the interpreter before the body.
            exchange.head_waits, self._head = False, bytes(data)
            return
        whole, self._head = self._head + data if self._head else data, b""
        view = memoryview(whole).cast("B")
        if exchange is not None:
            exchange.sent = True
            exchange.local_address = self._local_address
        while view:
            if exchange is not None:
                exchange.set_wait(self._sock)
            view = view[self._sock.send(view[:_PIECE]) :]
        sent = gone_out.get()
        if sent is not None:
            sent.set()


class _Connection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        self.sock = cast(socket.socket, _Socket(cast(socket.socket, self.sock)))


class _SecureConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        self.sock = cast(socket.socket, _Socket(cast(socket.socket, self.sock)))


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection  # pyright: ignore[reportAssignmentType]  # urllib3 says to subclass; its protocol is narrower


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection  # pyright: ignore[reportAssignmentType]  # as above


POOL_CLASSES: dict[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _SecurePool}
"""What the pool manager builds instead of urllib3's own pools."""
