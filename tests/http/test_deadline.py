"""How a call goes out over its socket."""

from __future__ import annotations

import socket

import pytest

from mlconnector.http import Timeout
from mlconnector.http._deadline import Exchange, _Socket


def connected() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        return near, server.accept()[0]


def received(far: socket.socket, length: int) -> bytes:
    far.settimeout(10)
    return far.recv(length, socket.MSG_WAITALL)


def test_head_and_body_go_out_in_one_piece() -> None:
    near, far = connected()
    with near, far:
        wire = _Socket(near)
        for _ in range(2):
            exchange = Exchange(Timeout(), has_body=True)
            with exchange.active():
                wire.sendall(b"POST / HTTP/1.1\r\n\r\n")
                far.setblocking(False)
                with pytest.raises(BlockingIOError):
                    far.recv(1)
                assert not exchange.sent
                wire.sendall(b"body")
            assert exchange.sent
            assert received(far, 23) == b"POST / HTTP/1.1\r\n\r\nbody"


def test_a_head_without_a_body_goes_out_at_once() -> None:
    near, far = connected()
    with near, far:
        exchange = Exchange(Timeout())
        with exchange.active():
            _Socket(near).sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert exchange.sent
        assert received(far, 18) == b"GET / HTTP/1.1\r\n\r\n"
