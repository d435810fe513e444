"""A real session as a fixture: recorded through the transport, redacted, played back strictly."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import attrs

from mlconnector.errors import ConnectionFailed, InvalidArgument
from mlconnector.http import RawAnswer, RequestsTransport, Timeout, Transport, dumps, loads
from mlconnector.testing._clock import ManualClock
from mlconnector.testing._redaction import Redaction, body_bytes, secrets_of

__all__ = ["SessionRecorder", "SessionReplay", "UnexpectedCall"]

_VERSION = 1
_KEPT_HEADERS = frozenset({"content-type", "date", "retry-after", "link", "location", "etag"})


@attrs.frozen
class _Exchange:
    """One call as it went over the wire, secrets included: it never leaves the recorder."""

    method: str
    url: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes | None = attrs.field(repr=False)
    status: int | None
    answer_headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)
    repeat_safe: bool = False

    @property
    def origin(self) -> str:
        return _origin(self.url)

    @property
    def target(self) -> str:
        return self.url[len(self.origin) :] or "/"


class SessionRecorder:
    """A transport that remembers every call it passes on, for a fixture without secrets.

    Give it to a client as ``transport=``, work with the client, then :meth:`save`. What is confidential is taken out
    when it is saved, over the whole session: passwords, tokens, cookies and keys, all headers but a few harmless ones,
    user names, bank accounts, tax ids, and host names. Names, addresses and amounts stay; say what else must go with
    ``names`` and ``values``, and read the file before you share it.

    Args:
        transport: What really sends; :class:`~mlconnector.http.RequestsTransport` by default. ``verify``, ``cert`` and
            ``proxies`` of the client are that transport's business then.
        names: Further confidential fields, as regular expressions over their names.
        values: Further confidential values, wherever they stand.
    """

    def __init__(
        self, transport: Transport | None = None, *, names: Iterable[str] = (), values: Iterable[str] = ()
    ) -> None:
        self._transport = transport or RequestsTransport()
        self._names, self._values = tuple(names), tuple(values)
        self._exchanges: list[_Exchange] = []
        self._lock = threading.Lock()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout: Timeout
    ) -> RawAnswer:
        """Pass a call on and remember it.

        Raises:
            ConnectionFailed: As the transport behind it; remembered too.
        """
        try:
            answer = self._transport.send(method, url, headers, body, timeout)
            try:
                content = answer.content if isinstance(answer.content, bytes) else b"".join(answer.content)
            finally:
                answer.close()
        except ConnectionFailed as error:
            self._keep(_Exchange(method, url, dict(headers), body, None, {}, b"", error.repeat_safe))
            raise
        self._keep(_Exchange(method, url, dict(headers), body, answer.status, dict(answer.headers), content))
        return RawAnswer(answer.status, answer.headers, content)

    def _keep(self, exchange: _Exchange) -> None:
        with self._lock:
            self._exchanges.append(exchange)

    def save(self, path: str | Path) -> int:
        """Write what was recorded so far, redacted, as JSON with one call a line; returns how many calls.

        Raises:
            InvalidArgument: Nothing was recorded; or a secret would have stayed in the file, which is not written.
        """
        with self._lock:
            exchanges = list(self._exchanges)
        if not exchanges:
            raise InvalidArgument("Nothing was recorded.", cure="Give the recorder to a client as transport=.")
        redaction, secrets = Redaction(self._names, self._values), set(self._values)
        for one in exchanges:
            secrets |= secrets_of(one.target, one.headers, one.body)
        for secret in sorted(secrets):
            redaction.learn(secret)
        for one in exchanges:
            redaction.learn_body(one.body or b"", one.headers)
            redaction.learn_body(one.content, one.answer_headers)
        hosts = {origin: f"https://recorded-{n}.example" for n, origin in enumerate(_origins(exchanges), start=1)}
        lines = [_line(one, redaction, hosts) for one in exchanges]
        text = f'{{"version":{_VERSION},"origins":{dumps([*hosts.values()])},"calls":[\n' + ",\n".join(lines) + "\n]}\n"
        left = [secret for secret in secrets if secret in text and not _harmless(secret)]
        if left:
            raise InvalidArgument(
                f"{len(left)} confidential values would have stayed in {path}; it was not written.",
                cure="Name their fields in names=; a value as short as a word cannot be told from one.",
            )
        Path(path).write_text(text, "utf-8")
        return len(lines)

    def close(self) -> None:
        """Close the transport behind it; what was recorded stays."""
        close = getattr(self._transport, "close", None)
        if close is not None:
            close()

    def __reduce__(self) -> Any:
        raise InvalidArgument("A recorder holds secrets and does not pickle.", cure="Save what it recorded.")

    def __repr__(self) -> str:
        return f"<SessionRecorder {len(self._exchanges)} calls>"


class UnexpectedCall(AssertionError):
    """A replayed session was asked for something that was not recorded, or not asked for everything."""


class SessionReplay:
    """A transport that answers from a recorded session, and fails where the program asks for anything else.

    ::

        with SessionReplay("suppliers.json") as replay:
            with mc.JDEdwardsAIS(replay.url, auth=mc.AISSession("any", "any"), transport=replay) as jde:
                assert len(list(jde.suppliers())) == 12

    A call matches by method, path, query and body; what is confidential in them is not compared, nor are headers. Each
    recorded call is played once. Leaving the ``with`` block without an error says what was never asked for.

    Args:
        path: What :meth:`SessionRecorder.save` wrote.
        in_order: False for a program whose threads ask at the same time: any recorded call may come next.

    Attributes:
        url: Address to give to the client. ``urls``: of every host of the session, in the order they were called; a
            token host of its own is among them.
        clock: A clock that stands where the session began, by its first answer.

    Raises:
        InvalidArgument: The file is no recorded session of a version known here.
    """

    def __init__(self, path: str | Path, *, in_order: bool = True) -> None:
        try:
            kept = loads(Path(path).read_bytes())
            found, origins, calls = kept["version"], kept["origins"], kept["calls"]
        except (ValueError, KeyError, TypeError):
            found, origins, calls = None, [""], []
        if found != _VERSION:
            raise InvalidArgument(f"{path} is no recorded session.", cure="Record it with SessionRecorder.save().")
        self.urls: tuple[str, ...] = tuple(origins)
        self.url: str = self.urls[0]
        self._calls: list[dict[str, Any]] = list(calls)
        self.clock: ManualClock = ManualClock(_begin(self._calls))
        self._in_order = in_order
        self._redaction = Redaction()
        self._lock = threading.Lock()

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: Timeout,  # noqa: ARG002 - as of every transport
    ) -> RawAnswer:
        """The recorded answer.

        Args:
            timeout: Not needed here. The others: see :class:`~mlconnector.http.Transport`.

        Raises:
            UnexpectedCall: The call is not the one that was recorded.
            ConnectionFailed: Where the recorded call had no answer.
        """
        origin = _origin(url)
        target = url[len(origin) :] or "/"
        asked = {
            "method": method,
            "origin": origin.removesuffix(":443"),
            "target": self._redaction.target(target),
            "body": self._redaction.request(body, headers),
        }
        with self._lock:
            call = self._take(asked)
        if call["status"] is None:
            raise ConnectionFailed("No answer, as recorded.", repeat_safe=bool(call["repeat_safe"]))
        return RawAnswer(int(call["status"]), dict(call["headers"]), body_bytes(call["answer"]))

    def _take(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        for number, call in enumerate(self._calls[: 1 if self._in_order else None]):
            if all(call[name] == value for name, value in asked.items()):
                found: Mapping[str, Any] = self._calls.pop(number)
                return found
        recorded = _shown(self._calls[0]) if self._calls else "nothing more"
        raise UnexpectedCall(f"Asked for {_shown(asked)}\nrecorded is {recorded}")

    @property
    def left(self) -> int:
        """Recorded calls that were not asked for yet."""
        return len(self._calls)

    def finish(self) -> None:
        """Make sure that everything was asked for.

        Raises:
            UnexpectedCall: Recorded calls are left; names the first.
        """
        if self._calls:
            raise UnexpectedCall(
                f"{self.left} recorded calls were not asked for; the first is {_shown(self._calls[0])}"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.finish()

    def __repr__(self) -> str:
        return f"<SessionReplay {self.left} calls left>"


def _origin(url: str) -> str:
    """Scheme, host and port of an address, as it is written."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _origins(exchanges: Iterable[_Exchange]) -> list[str]:
    return list(dict.fromkeys(one.origin for one in exchanges))


def _line(one: _Exchange, redaction: Redaction, hosts: Mapping[str, str]) -> str:
    kept = {name: redaction.text(value) for name, value in one.answer_headers.items() if name.lower() in _KEPT_HEADERS}
    text = dumps(
        {
            "method": one.method,
            "origin": hosts[one.origin],
            "target": redaction.target(one.target),
            "body": redaction.request(one.body, one.headers),
            "status": one.status,
            "headers": kept,
            "answer": redaction.answer(one.content, one.answer_headers) if one.content else "",
            "repeat_safe": one.repeat_safe,
        }
    )
    # Links in answers lead to the recorded host: they follow it to its new name, and so does its bare host name.
    for origin, name in hosts.items():
        text = text.replace(origin, name).replace(urlsplit(origin).netloc, urlsplit(name).netloc)
    return text


def _harmless(secret: str) -> bool:
    """A user name or password as short as this may stand as a piece of a word."""
    return len(secret) < 4 or secret.startswith("redacted-")


def _begin(calls: Iterable[Mapping[str, Any]]) -> dt.datetime:
    from mlconnector.http._message import parse_http_date

    for call in calls:
        for name, value in call["headers"].items():
            found = parse_http_date(value) if name.lower() == "date" else None
            if found is not None:
                return found
    return dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def _shown(call: Mapping[str, Any]) -> str:
    body = "" if call["body"] is None else f" {dumps(call['body'])[:300]}"
    return f"{call['method']} {call['origin']}{call['target']}{body}"
