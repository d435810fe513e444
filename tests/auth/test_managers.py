"""One login for all, a refused one never looped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector.http import Request, Response
from mlconnector.testing import ManualClock

ORIGIN = "https://x:443"


@attrs.define
class Sender:
    answers: list[Response]
    sent: list[Request] = attrs.Factory(list)

    def __call__(self, request: Request) -> Response:
        self.sent.append(request)
        return self.answers[min(len(self.sent), len(self.answers)) - 1]


def token(text: str = "t", **more: object) -> Response:
    fields = "".join(f', "{name}": {value}' for name, value in more.items())
    return Response(status=200, content=f'{{"access_token": "{text}"{fields}}}'.encode(), path="/token", method="POST")


def bound(manager: Any) -> tuple[Any, ManualClock]:
    clock = ManualClock(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    manager.bind(ORIGIN, clock)
    return manager, clock


def test_password_grant_sends_a_form_and_gets_a_bearer() -> None:
    manager, _clock = bound(mc.OAuth2Password("user", "p@ss&w+rd%"))
    send = Sender([token("abc")])
    assert manager.headers(send) == {"Authorization": "Bearer abc"}
    assert manager.headers(send) == {"Authorization": "Bearer abc"}
    (request,) = send.sent
    assert request.path == "/api/authentication"
    assert request.body()[0] == b"grant_type=password&username=user&password=p%40ss%26w%2Brd%25"
    assert not request.authenticated


def test_a_token_is_renewed_before_it_expires() -> None:
    manager, clock = bound(mc.OAuth2Password("user", "pw"))
    send = Sender([token("one", expires_in=3600), token("two", expires_in=10)])
    manager.headers(send)
    clock.advance(3539)
    assert manager.headers(send)["Authorization"] == "Bearer one"
    clock.advance(2)
    assert manager.headers(send)["Authorization"] == "Bearer two"
    clock.advance(4)
    manager.headers(send)
    assert len(send.sent) == 2
    clock.advance(2)
    manager.headers(send)
    assert len(send.sent) == 3


def test_only_the_current_token_is_replaced() -> None:
    manager, _clock = bound(mc.OAuth2Password("user", "pw"))
    send = Sender([token("one"), token("two")])
    first = manager.headers(send)
    assert manager.rejected(first, send)
    assert manager.rejected(first, send)
    assert len(send.sent) == 2
    manager.logout(send)
    manager.logout(send)
    assert manager.details == {}


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_login_is_not_tried_again(status: int) -> None:
    manager, _clock = bound(mc.OAuth2Password("user", "pw"))
    send = Sender([Response(status=status, path="/token")])
    for _ in range(3):
        with pytest.raises(mc.AuthenticationFailed, match="user"):
            manager.headers(send)
    assert len(send.sent) == 1


def test_a_login_that_fails_otherwise_is_no_refusal() -> None:
    manager, _clock = bound(mc.OAuth2Password("user", "pw"))
    send = Sender([Response(status=503), Response(status=200, content=b"{}"), token("x", expires_in='"soon"')])
    for _ in range(2):
        with pytest.raises(mc.VendorFault) as caught:
            manager.headers(send)
        assert caught.value.repeat_safe
    assert manager.headers(send)["Authorization"] == "Bearer x"


def test_client_credentials_in_the_form_or_as_basic_at_their_own_address() -> None:
    manager, _clock = bound(mc.OAuth2ClientCredentials("id", "s&t", path="/oauth2/token", scope="a b"))
    send = Sender([token()])
    manager.headers(send)
    assert send.sent[0].body()[0] == b"grant_type=client_credentials&client_id=id&client_secret=s%26t&scope=a+b"
    basic, _clock = bound(mc.OAuth2ClientCredentials("id", "st", token_url="https://idcs.example/token", basic=True))
    send = Sender([token()])
    basic.headers(send)
    assert basic.token_url == send.sent[0].path == "https://idcs.example/token"
    assert send.sent[0].headers["Authorization"] == "Basic aWQ6c3Q="
    late, _clock = bound(mc.OAuth2ClientCredentials("id", "st"))
    with pytest.raises(mc.InvalidArgument, match="token_url"):
        late.headers(Sender([token()]))
    late.use_path("/later")
    assert late.headers(Sender([token()]))


def test_basic_needs_no_login_and_a_rejection_refuses_it() -> None:
    manager, _clock = bound(mc.HTTPBasic("user", "pw"))
    send = Sender([])
    headers = manager.headers(send)
    assert headers == {"Authorization": "Basic dXNlcjpwdw=="}
    with pytest.raises(mc.AuthenticationFailed):
        manager.rejected(headers, send)
    with pytest.raises(mc.AuthenticationFailed):
        manager.headers(send)
    assert send.sent == []


def test_secrets_are_read_once_more_after_a_refusal_and_only_another_one_is_tried() -> None:
    manager, _clock = bound(mc.OAuth2Password("user", "old"))
    given: list[Sequence[str]] = [("user", "old"), ("user", "new")]
    manager.read_secrets_with(lambda: dict(zip(("username", "password"), given.pop(0), strict=True)))
    send = Sender([Response(status=401), token("fresh")])
    assert manager.headers(send)["Authorization"] == "Bearer fresh"
    assert len(send.sent) == 2
    same, _clock = bound(mc.OAuth2Password("user", "old"))
    same.read_secrets_with(lambda: {"username": "user", "password": "old"})
    send = Sender([Response(status=401)])
    with pytest.raises(mc.AuthenticationFailed):
        same.headers(send)
    assert len(send.sent) == 1


def test_a_manager_belongs_to_one_origin() -> None:
    manager, clock = bound(mc.OAuth2Password("user", "pw"))
    manager.bind(ORIGIN, clock)
    assert manager.origin == ORIGIN
    with pytest.raises(mc.InvalidArgument, match="belongs to"):
        manager.bind("https://other:443", clock)


@pytest.mark.parametrize(
    "make",
    [
        lambda: mc.OAuth2Password("u", "p", path="token"),
        lambda: mc.OAuth2Password("u", "p", refresh_margin=-1),
        lambda: mc.OAuth2Password("u", 5),
        lambda: mc.OAuth2ClientCredentials("i", "s", token_url="https://x/y", path="/z"),
        lambda: mc.OAuth2ClientCredentials("i", "s", token_url="http://x.example/y"),
        lambda: mc.HTTPBasic("a:b", "p"),
        lambda: mc.AISSession("u", "p", device=" "),
        lambda: mc.AISSession("u", "p", age=dt.timedelta(0)),
    ],
)
def test_options_that_cannot_be_meant_are_refused(make: Any) -> None:
    with pytest.raises(mc.InvalidArgument):
        make()


def test_managers_are_token_managers_and_show_their_user_only() -> None:
    manager = mc.OAuth2Password("user", "hunter2")
    assert isinstance(manager, mc.TokenManager)
    assert repr(manager) == "OAuth2Password('user')"
