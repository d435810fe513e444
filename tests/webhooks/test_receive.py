"""Events are proven, stored, answered; and nothing that is sent here is a crash."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import logging
import threading
import wsgiref.simple_server
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector import webhooks

SECRET = "a shared secret"
INVOICE = json.dumps(
    {"id": 9001, "invoice-number": "INV-1", "status": "approved", "updated-at": "2026-03-02T08:00:00Z"}
)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"X-Coupa-Signature": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


@pytest.fixture
def ledger() -> Iterator[mc.Ledger]:
    with mc.Ledger(":memory:", actor="test") as one:
        yield one


def received(ledger: mc.Ledger, body: str = INVOICE, headers: dict[str, str] | None = None) -> webhooks.Event:
    content = body.encode()
    return webhooks.receive(
        webhooks.CoupaVerifier(SECRET), headers or signed(content), content, ledger=ledger, inbox="coupa"
    )


def test_an_event_is_stored_with_its_bytes_and_its_keys(ledger: mc.Ledger) -> None:
    event = received(ledger)
    (message,) = ledger.inbox.messages("coupa")
    assert (event.kind, message.code, message.state) == ("invoices", "invoices", "stored")
    assert message.facts["keys"] == list(event.keys) == ["9001"]
    assert ledger.inbox.content(message.file) == INVOICE.encode()


def test_five_times_the_same_event_is_one(ledger: mc.Ledger) -> None:
    for _ in range(5):
        received(ledger)
    assert len(ledger.inbox.messages("coupa")) == 1


@pytest.mark.parametrize("change", ["secret", "byte", "header"])
def test_what_is_not_proven_is_refused_logged_and_not_kept(
    ledger: mc.Ledger, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    headers = {
        "secret": signed(INVOICE.encode(), "another"),
        "byte": signed(INVOICE.encode().replace(b"9001", b"9002")),
        "header": {},
    }[change]
    with caplog.at_level(logging.WARNING, "mlconnector.webhooks"), pytest.raises(mc.WebhookRejected) as caught:
        received(ledger, headers={"Other": "1", **headers})
    assert caught.value.status in (400, 401, 403)
    assert caplog.records
    assert ledger.inbox.messages() == []
    assert SECRET not in caplog.text


def test_a_body_that_is_too_long_is_refused_before_it_is_proven(ledger: mc.Ledger) -> None:
    with pytest.raises(mc.WebhookRejected) as caught:
        webhooks.receive(webhooks.CoupaVerifier(SECRET), {}, b"x" * 11, ledger=ledger, inbox="coupa", max_bytes=10)
    assert caught.value.status == 413


Call = Callable[..., requests.Response]


@pytest.fixture
def served(ledger: mc.Ledger) -> Iterator[Call]:
    app = webhooks.wsgi_app({"/coupa": webhooks.CoupaVerifier(SECRET)}, ledger=ledger, max_bytes=5000)

    class Quiet(wsgiref.simple_server.WSGIRequestHandler):
        def log_message(self, *_: Any) -> None: ...

    server = wsgiref.simple_server.make_server("127.0.0.1", 0, app, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def call(method: str = "POST", path: str = "/coupa", body: bytes = INVOICE.encode(), **options: Any) -> Any:
        headers = {**signed(body), **options.pop("headers", {})}
        url = f"http://127.0.0.1:{server.server_port}{path}"
        return requests.request(method, url, data=body, headers=headers, timeout=5, **options)

    yield call
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_post_is_answered_200_after_the_store(served: Call, ledger: mc.Ledger) -> None:
    assert served().status_code == 200
    assert served(path="/coupa/").status_code == 200
    assert len(ledger.inbox.messages("coupa", "stored")) == 1


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"method": "GET"}, 405),
        ({"path": "/"}, 404),
        ({"body": b"[" + b" " * 6000}, 413),
        ({"headers": {"X-Coupa-Signature": "0" * 64}}, 401),
        ({"body": b"not json"}, 400),
    ],
)
def test_everything_else_is_answered_as_it_should_be(
    served: Call, ledger: mc.Ledger, options: dict[str, Any], status: int
) -> None:
    assert served(**options).status_code == status
    assert ledger.inbox.messages() == []


def answered(app: Any, **environ: Any) -> int:
    said: list[str] = []
    list(
        app({"REQUEST_METHOD": "POST", "PATH_INFO": "/coupa", **environ}, lambda status, _headers: said.append(status))
    )
    return int(said[0].split()[0])


def test_an_unknown_length_and_a_cut_body_are_refused(ledger: mc.Ledger) -> None:
    app = webhooks.wsgi_app({"/coupa": webhooks.CoupaVerifier(SECRET)}, ledger=ledger)
    assert answered(app) == 411
    assert answered(app, CONTENT_LENGTH="-1") == 411
    assert answered(app, CONTENT_LENGTH="10", **{"wsgi.input": io.BytesIO(b"short")}) == 400


def test_what_cannot_be_stored_is_asked_for_again(ledger: mc.Ledger) -> None:
    body = INVOICE.encode()
    app = webhooks.wsgi_app({"/coupa": webhooks.CoupaVerifier(SECRET)}, ledger=ledger)

    def full(*_: Any, **__: Any) -> Any:
        raise mc.LedgerError("The disk is full.", cure="Make room.")

    ledger.inbox.store = full  # type: ignore[method-assign]  # a full disk
    environ = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in signed(body).items()}
    assert answered(app, **environ) == 503


def test_a_door_is_the_same_with_a_slash_at_its_end(ledger: mc.Ledger) -> None:
    body = INVOICE.encode()
    app = webhooks.wsgi_app({"/coupa/": webhooks.CoupaVerifier(SECRET)}, ledger=ledger)
    for path in ("/coupa", "/coupa/"):
        environ = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), "PATH_INFO": path}
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in signed(body).items()}
        assert answered(app, **environ) == 200
    assert len(ledger.inbox.messages("coupa", "stored")) == 1


def test_the_root_needs_a_name_for_its_inbox(ledger: mc.Ledger) -> None:
    """What lies in an inbox without a name is read by no flow."""
    verifiers = {"/": webhooks.CoupaVerifier(SECRET)}
    with pytest.raises(mc.InvalidArgument, match="inboxes"):
        webhooks.wsgi_app(verifiers, ledger=ledger)
    webhooks.wsgi_app(verifiers, ledger=ledger, inboxes={"/": "coupa"})


@pytest.mark.parametrize("verifiers", [{}, {"coupa": webhooks.CoupaVerifier(SECRET)}, {"/coupa": object()}])
def test_an_application_without_a_door_is_refused(ledger: mc.Ledger, verifiers: Any) -> None:
    with pytest.raises(mc.InvalidArgument):
        webhooks.wsgi_app(verifiers, ledger=ledger)


@given(st.binary(max_size=200), st.booleans(), st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3))
@settings(max_examples=60, deadline=None)
def test_whatever_is_sent_is_an_event_or_refused(body: bytes, proven: bool, headers: dict[str, str]) -> None:
    with mc.Ledger(":memory:", actor="test") as ledger:
        try:
            event = webhooks.receive(
                webhooks.CoupaVerifier(SECRET),
                {**headers, **(signed(body) if proven else {})},
                body,
                ledger=ledger,
                inbox="coupa",
            )
        except mc.WebhookRejected:
            assert ledger.inbox.messages() == []
        else:
            assert proven
            assert ledger.inbox.messages()[0].identity == event.id
