"""Receiving: size first, then the signature, then the store, then the answer; never any work inside the request."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mlconnector.delivery import Ledger, Message
from mlconnector.errors import InvalidArgument, LedgerError, WebhookRejected
from mlconnector.event import Event, Verifier

__all__ = ["MOST_BYTES", "receive", "wsgi_app"]

log = logging.getLogger("mlconnector.webhooks")

MOST_BYTES = 1_000_000
"""Size of a body at most: events are small, and a body is read whole before its signature can be checked."""
_LONGEST_LENGTH = 18
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    503: "Service Unavailable",
}
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def receive(
    verifier: Verifier,
    headers: Mapping[str, str],
    body: bytes,
    *,
    ledger: Ledger,
    inbox: str,
    max_bytes: int = MOST_BYTES,
) -> Event:
    """Verify an event and keep it; when this returns it is stored, and 200 may be answered (delivery rule 14).

    A repeat is stored once. The flow that has this ``inbox=`` reads again what the event is about at its next run.

    Args:
        verifier: The sender's: ``BillVerifier`` or ``CoupaVerifier``.
        headers: Of the request, names in any case. ``body``: its raw bytes.
        ledger: Where it is kept. ``inbox``: in which inbox.
        max_bytes: A longer body is refused before anything else.

    Raises:
        WebhookRejected: Too long, or not proven; ``status`` is what to answer.
        LedgerError: It could not be stored: answer 503, so that the sender tries again.
    """
    if len(body) > max_bytes:
        log.warning("refused: %d bytes", len(body), extra={"inbox": inbox})
        raise WebhookRejected(
            f"The body has {len(body)} bytes, {max_bytes} are taken.",
            cure="Nothing a sender of events would do; raise max_bytes= if it is right.",
            status=413,
        )
    try:
        event = verifier.verify(headers, body)
    except WebhookRejected as error:
        log.warning("refused: %s", error.message, extra={"inbox": inbox})
        raise
    (state,) = ledger.inbox.store(
        inbox,
        f"webhook of {event.system}",
        body,
        [
            Message(
                identity=event.id,
                code=event.kind,
                sender=event.system,
                hash=hashlib.sha256(body).hexdigest(),
                business_key=event.keys[0] if len(event.keys) == 1 else "",
                stamp="" if event.occurred_at is None else event.occurred_at.isoformat(),
                facts={"keys": list(event.keys)},
            )
        ],
    )
    # A parked one came before with another body; the poll reads what is true.
    level = logging.WARNING if state == "parked" else logging.INFO
    log.log(level, "%s: %s %s", state, event.kind, event.id, extra={"inbox": inbox, "event": event.id})
    return event


def wsgi_app(
    verifiers: Mapping[str, Verifier],
    *,
    ledger: Ledger,
    max_bytes: int = MOST_BYTES,
    inboxes: Mapping[str, str] | None = None,
) -> Callable[[Mapping[str, Any], StartResponse], Iterable[bytes]]:
    """A WSGI application that takes events by POST, for gunicorn, waitress, mod_wsgi or a mount in Flask.

    Args:
        verifiers: By path: ``{"/bill": verifier}``.
        ledger: Where events are kept.
        max_bytes: A longer body is refused before it is read.
        inboxes: By path; a path's name without its slashes by default: ``"/bill"`` is the inbox ``"bill"``.

    Raises:
        InvalidArgument: No path, one without a leading slash or a name for its inbox, or a verifier that is none.
    """
    for path, verifier in verifiers.items():
        if not path.startswith("/") or not isinstance(verifier, Verifier):
            raise InvalidArgument(f"{path!r}: {verifier!r}.", cure='Give {"/bill": BillVerifier(...)}.')
    if not verifiers:
        raise InvalidArgument("verifiers={} takes nothing.", cure='Give {"/bill": BillVerifier(...)}.')
    names = {_place(path): (inboxes or {}).get(path, path.strip("/")) for path in verifiers}
    if not all(names.values()):
        raise InvalidArgument(f"inboxes={inboxes!r} name none for '/'.", cure='Say inboxes={"/": "bill"}.')
    known = {_place(path): verifier for path, verifier in verifiers.items()}

    def app(environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = _place(str(environ.get("PATH_INFO") or "/"))
        try:
            verifier = known.get(path)
            if verifier is None:
                status = 404
            elif environ.get("REQUEST_METHOD") != "POST":
                status = 405
            else:
                body = _body(environ, max_bytes)
                receive(verifier, _headers(environ), body, ledger=ledger, inbox=names[path], max_bytes=max_bytes)
                status = 200
        except WebhookRejected as error:
            status = error.status or 400
        except LedgerError as error:
            log.error("not stored, the sender is asked to repeat it: %s", error)
            status = 503
        text = _REASONS.get(status, "Refused").encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))]
        start_response(f"{status} {_REASONS.get(status, 'Refused')}", [*headers, *_ALLOW.get(status, ())])
        return [text]

    return app


def _place(path: str) -> str:
    """A path without the slash that some write at its end."""
    return path.rstrip("/") or "/"


_ALLOW: Mapping[int, tuple[tuple[str, str], ...]] = {405: (("Allow", "POST"),)}


def _body(environ: Mapping[str, Any], most: int) -> bytes:
    """The body, refused by its announced length before a byte of it is read."""
    length = str(environ.get("CONTENT_LENGTH") or "")
    if not (length.isascii() and length.isdecimal() and len(length) <= _LONGEST_LENGTH):
        log.warning("refused: no length")
        raise WebhookRejected("The request does not say how long it is.", cure="The sender adds it.", status=411)
    if int(length) > most:
        log.warning("refused: %s bytes announced", length)
        raise WebhookRejected(f"{length} bytes are announced, {most} are taken.", cure="The sender.", status=413)
    body: bytes = environ["wsgi.input"].read(int(length))
    if len(body) != int(length):
        log.warning("refused: cut short")
        raise WebhookRejected("The body was cut short.", cure="The sender repeats it.", status=400)
    return body


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """Names as HTTP writes them; WSGI folds case and hyphens, and verifiers do not mind the case."""
    found = {
        name[5:].replace("_", "-").title(): str(value) for name, value in environ.items() if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            found[name.replace("_", "-").title()] = str(environ[name])
    return found
