"""At most three calls under way for a developer key and organization, on the whole machine (BILL reference, 3).

Three files stand for the three calls; whoever holds the lock of one may make a call. The system takes a lock away
from a process that dies, so nothing is left behind by a kill.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import requests
from requests.auth import AuthBase

from mlconnector.errors import InvalidArgument, RateLimited
from mlconnector.http import RawAnswer, Request, Timeout, Transport

__all__ = ["MOST", "Gate", "GatedAuth", "GatedTransport", "Place", "default_lock_dir"]

MOST = 3
"""Calls at once (section 3); logins and the webhook API count too, since nothing says that they do not."""
_POLL = 0.01
_READ_LOCK_MODE = 0o644

if sys.platform == "win32":
    import msvcrt

    _OPEN = os.O_RDWR | os.O_CREAT

    def _lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    _OPEN = os.O_RDONLY | os.O_CREAT

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def default_lock_dir() -> Path:
    """``mlconnector/locks`` in the user's state directory."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", str(Path.home())))
    else:
        base = Path(os.environ.get("XDG_STATE_HOME", str(Path.home() / ".local" / "state")))
    return base / "mlconnector" / "locks"


class Place:
    """The right to one call, held as an open and locked file; given back by closing it, once, at the latest when it is
    forgotten (its thread has ended).
    """

    __slots__ = ("__weakref__", "_handle")

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def __del__(self) -> None:
        self.give_back()

    @property
    def taken(self) -> bool:
        """Not given back yet."""
        return self._handle >= 0

    def give_back(self) -> None:
        """End the lock; a second time does nothing."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


class Gate:
    """Lets a call through when fewer than three are under way; shared by threads, and through its files by processes.

    A thread enters before its call (:meth:`enter`, given to the HTTP client as ``before_send``) and the transport
    leaves for it when the answer has been read.

    Args:
        folder: Where the lock files lie; all users of a developer key on this machine must name the same one.
        name_of: Finds the name of the limit for a request: by hash, so that the file's name tells nothing.
        patience: Seconds to wait for a free place, longer than any call may take.
    """

    def __init__(self, folder: Path, name_of: Callable[[Request], str], *, patience: float) -> None:
        self._folder, self._name_of, self._patience = folder, name_of, patience
        self._start()

    def _start(self) -> None:
        self._thread = threading.local()
        self._held: weakref.WeakSet[Place] = weakref.WeakSet()
        _forget_after_fork(self)

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in ("_folder", "_name_of", "_patience")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    def enter(self, request: Request) -> None:
        """Wait for a place and take it for this thread.

        Raises:
            RateLimited: No place became free; nothing was sent.
            InvalidArgument: The folder cannot be used.
        """
        if self._mine() is not None:
            return
        name, until = self._name_of(request), time.monotonic() + self._patience
        while True:
            place = self._take(name)
            if place is not None:
                self._thread.place = place
                return
            if time.monotonic() > until:
                raise RateLimited(
                    f"bill: three calls of this developer key were under way for {self._patience:g} s.",
                    cure="Find the program on this machine that hangs while it calls BILL, and end it.",
                    system="bill",
                )
            # Another process holds the places: real time passes there, whatever clock this client was given.
            time.sleep(_POLL)

    def leave(self) -> None:
        """Give this thread's place back; nothing where it has none."""
        place = self.hand_over()
        if place is not None:
            place.give_back()

    def hand_over(self) -> Place | None:
        """This thread's place, to be given back by whoever asked, from any thread."""
        place = self._mine()
        self._thread.place = None
        return place

    def try_folder(self) -> Path:
        """The folder, made and proven usable.

        Raises:
            InvalidArgument: It cannot be used.
        """
        with self._usable():
            self._folder.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._folder / "bill-check", _OPEN, _READ_LOCK_MODE))
        return self._folder

    def _mine(self) -> Place | None:
        place: Place | None = getattr(self._thread, "place", None)
        return place if place is not None and place.taken else None

    def _take(self, name: str) -> Place | None:
        for number in range(MOST):
            with self._usable():
                self._folder.mkdir(parents=True, exist_ok=True)
                handle = os.open(self._folder / f"bill-{name}.{number}", _OPEN, _READ_LOCK_MODE)
                place = Place(handle)
                if _lock(handle):
                    self._held.add(place)
                    return place
                place.give_back()
        return None

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InvalidArgument(
                f"lock_dir={str(self._folder)!r} cannot be used: {error.strerror}.",
                cure="Give lock_dir= a folder this user may write to.",
            ) from None

    def forget(self) -> None:
        """In a forked child: the places belong to the parent, and must not outlive its calls here."""
        for place in list(self._held):
            place.give_back()


def _forget_after_fork(gate: Gate) -> None:
    known = weakref.ref(gate)

    def in_child() -> None:
        alive = known()
        if alive is not None:
            alive.forget()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=in_child)


class GatedTransport:
    """A transport whose calls end the place their thread took at the gate."""

    def __init__(self, inner: Transport, gate: Gate) -> None:
        self._inner, self._gate = inner, gate

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout: Timeout
    ) -> RawAnswer:
        """Make one call; the place is given back when its answer was read or given up."""
        place = self._gate.hand_over()
        try:
            answer = self._inner.send(method, url, headers, body, timeout)
        except BaseException:
            _give_back(place)
            raise

        def close() -> None:
            try:
                answer.close()
            finally:
                _give_back(place)

        content: bytes | Iterable[bytes] = answer.content
        return RawAnswer(answer.status, answer.headers, content, close=close)

    def local_address(self) -> str | None:
        """As the transport behind it."""
        known: Callable[[], str | None] | None = getattr(self._inner, "local_address", None)
        return None if known is None else known()

    def close(self) -> None:
        """As the transport behind it."""
        close = getattr(self._inner, "close", None)
        if callable(close):
            close()


class GatedAuth(AuthBase):
    """The login for plain ``requests``, counted by the same limit: a call waits for a place before it is made."""

    def __init__(self, inner: AuthBase, gate: Gate) -> None:
        self._inner, self._gate = inner, gate

    def __repr__(self) -> str:
        return repr(self._inner)

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the session, then take a place; the answer, read whole, or the thread's next call ends it."""
        prepared = self._inner(r)
        self._gate.enter(Request(prepared.method or "GET", "/"))
        prepared.register_hook("response", self._answered)  # type: ignore[no-untyped-call]  # untyped by requests
        return prepared

    def _answered(self, answer: requests.Response, **_options: Any) -> requests.Response:
        try:
            _ = answer.content
        finally:
            self._gate.leave()
        return answer


def _give_back(place: Place | None) -> None:
    if place is not None:
        place.give_back()
