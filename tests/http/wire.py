"""A server that misbehaves on the wire as told, over a real socket."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable

import attrs

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

Act = Callable[[socket.socket, bytes], None]


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> Act:
    """A plain answer; underscores in header names become hyphens."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    raw = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def act(peer: socket.socket, _request: bytes) -> None:
        peer.sendall(raw)

    return act


def send_raw(raw: bytes) -> Act:
    """Bytes, and then the connection is closed."""

    def act(peer: socket.socket, _request: bytes) -> None:
        peer.sendall(raw)
        peer.shutdown(socket.SHUT_RDWR)

    return act


@attrs.define
class WireServer:
    """Plays one act a request, the last one for ever; keeps every request it read whole."""

    acts: list[Act]
    requests: list[bytes] = attrs.Factory(list)
    connections: int = 0
    context: ssl.SSLContext | None = None
    release: threading.Event = attrs.Factory(threading.Event)
    _listener: socket.socket = attrs.field(init=False)
    _peers: list[socket.socket] = attrs.Factory(list)
    _threads: list[threading.Thread] = attrs.Factory(list)

    def __enter__(self) -> WireServer:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in self._peers:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            peer.close()
        for thread in self._threads:
            thread.join()

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._peers.append(peer)
            self._start(self._serve, peer)

    def _serve(self, peer: socket.socket) -> None:
        try:
            if self.context is not None:
                peer = self.context.wrap_socket(peer, server_side=True)
                self._peers.append(peer)
            while (request := self._read(peer)) is not None:
                act = self.acts[min(len(self.requests), len(self.acts) - 1)]
                self.requests.append(request)
                act(peer, request)
        except OSError:
            return

    @staticmethod
    def _read(peer: socket.socket) -> bytes | None:
        raw = b""
        while b"\r\n\r\n" not in raw:
            piece = peer.recv(65536)
            if not piece:
                return None
            raw += piece
        head, _, body = raw.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += peer.recv(65536)
        return head + b"\r\n\r\n" + body
