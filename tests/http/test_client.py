"""Every call ends, in its own clear error, and is repeated only where that is safe."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import pickle
import socket
import ssl
import threading
import traceback
from collections.abc import Mapping
from typing import Any

import pytest
import requests
import trustme

import mlconnector as mc
from mlconnector.auth import Token, TokenSession
from mlconnector.http import (
    FaultRule,
    FaultTable,
    HTTPClient,
    Request,
    RequestRefused,
    Response,
    Verdict,
    send_window,
)
from mlconnector.testing import ManualClock
from tests.http.wire import OK, WireServer, answer, send_raw

SENTINEL = "SENTINEL-4711-SECRET"


class Login(TokenSession):
    """A token after every login."""

    logins = 0

    def __init__(self, password: str = SENTINEL) -> None:
        super().__init__({"username": "user", "password": password})

    def _login(self, send: Any, secrets: Any) -> Token:
        self.logins += 1
        return Token(headers={"Authorization": f"Bearer {SENTINEL}-{self.logins}"})


def client_of(
    server: WireServer | str, auth: Any = None, table: FaultTable | None = None, **options: Any
) -> HTTPClient:
    url = server if isinstance(server, str) else server.url
    options.setdefault("clock", ManualClock(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)))
    options.setdefault("timeout", mc.Timeout(connect=5, read=5, total=5))
    return HTTPClient(url, auth=auth, faults=table or FaultTable("test"), **options)


READ = Request("GET", "/x?token=" + SENTINEL)
WRITE = Request("PUT", "/x?token=" + SENTINEL, data=b"data", write=True)


def failure(acts: list[Any], request: Request, **options: Any) -> tuple[mc.MLConnectorError, int]:
    with WireServer(acts) as server, client_of(server, **options) as client:
        with pytest.raises(mc.MLConnectorError) as caught:
            client.send(request)
        shown = "".join(traceback.format_exception(caught.value))
        assert SENTINEL not in shown
        assert caught.value.cure
        return caught.value, len(server.requests)


def test_a_read_comes_back_whole_over_a_kept_connection() -> None:
    with WireServer([answer(200, b'{"a": 1.10}', Date="Sat, 21 Nov 2026 10:00:00 GMT")]) as server:
        with client_of(server) as client:
            assert str(client.get_json("/a", {"b": "c d"})["a"]) == "1.10"
            response = client.send(READ)
            assert response.date == dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
            assert client.local_address() == "127.0.0.1"
        assert server.connections == 1
        assert server.requests[0].startswith(b"GET /a?b=c%20d HTTP/1.1")


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (send_raw(b""), "closed the connection"),
        (send_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"), "cut|closed"),
        (send_raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), "cut|closed"),
        (send_raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"), "compression"),
        (send_raw(b"garbage\r\n\r\n"), "closed"),
    ],
)
def test_a_broken_answer_is_read_again_and_never_written_again(act: Any, words: str) -> None:
    with WireServer([act, answer()]) as server, client_of(server) as client:
        assert client.send(READ).status == 200
        assert len(server.requests) >= 2
    error, count = failure([act], WRITE)
    assert isinstance(error, mc.ConnectionFailed)
    assert not error.repeat_safe
    assert count == 1
    assert any(word in error.message for word in words.split("|"))


def test_a_slow_drip_of_headers_ends_with_the_total() -> None:
    def drip(peer: socket.socket, _request: bytes) -> None:
        for byte in OK:
            peer.sendall(bytes([byte]))
            if server.release.wait(0.05):
                return

    with WireServer([drip]) as server, client_of(server, timeout=mc.Timeout(read=5, total=0.4)) as client:
        with pytest.raises(mc.ConnectionFailed, match=r"0\.4 s in all"):
            client.send(WRITE)


def test_a_slow_drip_of_the_body_ends_with_the_total() -> None:
    def drip(peer: socket.socket, _request: bytes) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            peer.sendall(b"x")
            if server.release.wait(0.05):
                return

    with WireServer([drip]) as server, client_of(server, timeout=mc.Timeout(read=5, total=0.4)) as client:
        with pytest.raises(mc.ConnectionFailed, match=r"0\.4 s in all"):
            client.send(WRITE)


def test_silence_ends_with_the_read_timeout() -> None:
    def silence(_peer: socket.socket, _request: bytes) -> None:
        server.release.wait(5)

    with WireServer([silence]) as server, client_of(server, timeout=mc.Timeout(read=0.2, total=5)) as client:
        with pytest.raises(mc.ConnectionFailed, match=r"sent nothing for 0\.2 s") as caught:
            client.send(WRITE)
        assert not caught.value.repeat_safe


def test_a_refused_connection_is_safe_to_repeat_and_was_repeated() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    clock = ManualClock(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    with client_of(f"http://127.0.0.1:{port}", clock=clock) as client:
        with pytest.raises(mc.ConnectionFailed, match="refuses the connection") as caught:
            client.send(WRITE)
    assert caught.value.repeat_safe
    assert len(clock.sleeps) == 4


def test_a_name_that_does_not_exist_is_said_so() -> None:
    with client_of("https://does-not-exist.invalid", retry=mc.Retry(attempts=1)) as client:
        with pytest.raises(mc.ConnectionFailed, match="cannot be resolved") as caught:
            client.send(READ)
    assert caught.value.repeat_safe


def test_a_certificate_nobody_vouches_for_is_refused_and_a_known_one_accepted(tmp_path: Any) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with WireServer([answer()], context=context) as server:
        with client_of(server, retry=mc.Retry(attempts=1)) as client:
            with pytest.raises(mc.ConnectionFailed, match="certificate") as caught:
                client.send(WRITE)
            assert caught.value.fault == "administrator"
            assert caught.value.repeat_safe
        with client_of(server, verify=str(tmp_path / "ca.pem")) as client:
            assert client.send(WRITE).status == 200


@pytest.mark.parametrize(
    ("status", "error", "repeats"),
    [
        (302, mc.VendorFault, 1),
        (400, RequestRefused, 1),
        (403, mc.PermissionDenied, 1),
        (404, mc.NotFound, 1),
        (405, RequestRefused, 1),
        (429, mc.RateLimited, 5),
        (500, mc.VendorFault, 1),
        (503, mc.VendorFault, 5),
    ],
)
def test_each_status_has_its_error_and_only_passing_ones_are_read_again(
    status: int, error: type[Exception], repeats: int
) -> None:
    acts = [answer(status, b"<html>no</html>", Location="https://evil.example/x?y=z")]
    found, count = failure(acts, READ)
    assert type(found) is error
    assert found.status == status
    assert count == repeats


@pytest.mark.parametrize(("status", "count"), [(429, 5), (500, 1), (503, 1), (400, 1)])
def test_a_write_is_repeated_only_when_it_surely_did_not_act(status: int, count: int) -> None:
    found, sent = failure([answer(status)], WRITE)
    assert sent == count
    assert found.repeat_safe == (status == 429)


def test_retry_after_is_honoured_and_one_beyond_the_budget_ends_the_call() -> None:
    clock = ManualClock(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    with WireServer([answer(429, Retry_After="7"), answer()]) as server, client_of(server, clock=clock) as client:
        client.send(WRITE)
    assert list(clock.sleeps) == [7.0]
    found, count = failure([answer(429, Retry_After="9999")], READ)
    assert (found.retry_after, count) == (9999.0, 1)
    dated = answer(429, Retry_After="Thu, 01 Jan 2026 00:01:00 GMT", Date="Thu, 01 Jan 2026 00:00:50 GMT")
    with WireServer([dated, answer()]) as server, client_of(server, clock=clock) as client:
        client.send(READ)
    assert clock.sleeps[-1] == 10.0


def test_a_redirect_is_never_followed() -> None:
    found, _count = failure([answer(307, Location="https://evil.example/steal")], READ, auth=Login())
    assert "evil.example" in found.message


@pytest.mark.parametrize("request_", [READ, WRITE])
def test_a_rejected_token_is_replaced_once_and_the_call_repeated_once(request_: Request) -> None:
    login = Login()
    with WireServer([answer(401), answer()]) as server, client_of(server, login) as client:
        assert client.send(request_).status == 200
        assert login.logins == 2
        assert b"-2" in server.requests[1]
    login = Login()
    found, count = failure([answer(401)], request_, auth=login)
    assert isinstance(found, mc.AuthenticationFailed)
    assert (count, login.logins) == (2, 2)


def test_a_403_that_may_mean_either_logs_in_again_for_reads_with_a_kept_token_only() -> None:
    table = FaultTable("test", rules=(FaultRule(status=403, verdict=Verdict.TOKEN_OR_DENIED),))
    login = Login()
    with WireServer([answer(), answer(403), answer()]) as server, client_of(server, login, table) as client:
        client.send(READ)
        assert client.send(READ).status == 200
        assert login.logins == 2
    login = Login()
    with WireServer([answer(), answer(403)]) as server, client_of(server, login, table) as client:
        client.send(READ)
        with pytest.raises(mc.PermissionDenied):
            client.send(WRITE)
        assert (len(server.requests), login.logins) == (2, 1)
        with pytest.raises(mc.PermissionDenied):
            client.send(READ)
        assert (len(server.requests), login.logins) == (4, 2)


def test_threads_share_one_login_and_one_replacement() -> None:
    login, expired = Login(), threading.Event()

    def act(peer: socket.socket, request: bytes) -> None:
        stale = b"-1" in request and expired.is_set()
        answer(401 if stale else 200)(peer, request)

    def work(client: HTTPClient, barrier: threading.Barrier) -> None:
        client.send(READ)
        barrier.wait()
        client.send(READ)

    with WireServer([act]) as server, client_of(server, login) as client:
        barrier = threading.Barrier(8, action=expired.set)
        threads = [threading.Thread(target=work, args=(client, barrier)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert login.logins == 2


def test_an_answer_that_is_no_json_or_a_page_says_so() -> None:
    for body, words in ((b"<html>sign in</html>", "HTML page"), (b"", "no content type"), (b'{"a": NaN}', "instead")):
        with WireServer([answer(200, body)]) as server, client_of(server) as client:
            with pytest.raises(mc.VendorFault, match=words):
                client.get_json("/x")


def test_an_answer_that_is_too_long_is_not_read_to_its_end() -> None:
    with WireServer([answer(200, b"x" * 5000)]) as server, client_of(server, max_bytes=1000) as client:
        with pytest.raises(mc.VendorFault, match="more than 1000 bytes"):
            client.send(READ)


def test_after_the_send_window_nothing_goes_out() -> None:
    clock = ManualClock(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    with WireServer([answer()]) as server, client_of(server, clock=clock) as client:
        with send_window(clock.monotonic() + 10):
            client.send(WRITE)
            clock.advance(11)
            with pytest.raises(mc.ConnectionFailed, match="deadline"):
                client.send(WRITE)
        assert len(server.requests) == 1
        client.send(WRITE)


def test_a_window_that_ends_in_a_pause_ends_the_repeats() -> None:
    clock = ManualClock(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    with WireServer([answer(429, Retry_After="60")]) as server, client_of(server, clock=clock) as client:
        with send_window(clock.monotonic() + 10), pytest.raises(mc.RateLimited) as caught:
            client.send(WRITE)
        assert caught.value.repeat_safe
        assert len(server.requests) == 1


@pytest.mark.parametrize("first", [answer(), answer(500), send_raw(b"")])
def test_after_a_write_that_may_have_acted_nothing_in_its_window_is_safe_to_repeat(first: Any) -> None:
    """A delivery of two calls: that the second one was refused says nothing of the first."""
    clock = ManualClock(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    refused = answer(429, Retry_After="60")
    with WireServer([first, refused]) as server, client_of(server, clock=clock) as client:
        with send_window(clock.monotonic() + 10):
            with contextlib.suppress(mc.MLConnectorError):
                client.send(WRITE)
            with pytest.raises(mc.RateLimited) as caught:
                client.send(WRITE)
        assert not caught.value.repeat_safe
        with send_window(clock.monotonic() + 10), pytest.raises(mc.RateLimited) as caught:
            client.send(WRITE)
        assert caught.value.repeat_safe


def test_errors_inside_a_200_are_found_by_the_table() -> None:
    def inside(response: Response) -> bool:
        return b"error" in response.content

    table = FaultTable(
        "test",
        rules=(FaultRule(verdict=Verdict.FAULT, when=inside, cure="mend it"),),
        describe=lambda response: f"{response.json()['error']} password={SENTINEL}",
    )
    with WireServer([answer(200, b'{"error": "no such table"}')]) as server, client_of(server, table=table) as client:
        with pytest.raises(mc.VendorFault, match="no such table") as caught:
            client.send(READ)
    assert SENTINEL not in str(caught.value)


def test_plain_requests_can_use_the_login_on_its_own_origin_only() -> None:
    login = Login()
    with WireServer([answer(401), answer()]) as server, client_of(server, login) as client:
        found = requests.get(server.url + "/y", auth=client.auth, timeout=5)
        assert found.status_code == 200
        assert login.logins == 2
        found.close()
        with pytest.raises(mc.InvalidArgument, match="belongs to"):
            requests.get("http://localhost:1/y", auth=client.auth, timeout=5)
        assert SENTINEL not in repr(client.auth)


def test_a_closed_client_and_a_foreign_path_are_refused() -> None:
    with WireServer([answer()]) as server:
        client = client_of(server)
        with pytest.raises(mc.InvalidArgument):
            client.send(Request("GET", "http://other.example/x"))
        client.close()
        client.close()
        with pytest.raises(mc.InvalidArgument, match="closed"):
            client.send(READ)


@pytest.mark.parametrize(
    ("origin", "options"),
    [
        ("ftp://x", {}),
        ("https://user:pass@x", {}),
        ("https://x/path", {}),
        ("https://x", {"max_in_flight": 0}),
        ("https://x", {"max_bytes": True}),
        ("https://x", {"auth": object()}),
        ("https://x", {"verify": "/no/such/file"}),
    ],
)
def test_options_that_cannot_be_meant_are_refused(origin: str, options: Mapping[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument):
        client_of(origin, **options)


@pytest.mark.parametrize("value", [0, -1, "5", True, float("inf")])
def test_times_and_counts_that_cannot_be_meant_are_refused(value: Any) -> None:
    for make in (lambda: mc.Timeout(read=value), lambda: mc.Timeout.of(value), lambda: mc.Retry(base=value)):
        with pytest.raises(mc.InvalidArgument):
            make()
    with pytest.raises(mc.InvalidArgument):
        mc.Retry(attempts=0)


def test_the_wait_is_random_bounded_and_within_the_budget() -> None:
    retry = mc.Retry(attempts=4, base=1, cap=3, budget=10, jitter=lambda longest: longest)
    assert [retry.pause(attempt, elapsed=0) for attempt in (1, 2, 3, 4)] == [1, 2, 3, None]
    assert retry.pause(1, elapsed=9.5) is None
    assert 0 <= (mc.Retry().pause(1, elapsed=0) or 0) <= 0.5


def test_no_secret_shows_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    login = Login()
    with WireServer([answer(500, SENTINEL.encode()), answer()]) as server, client_of(server, login) as client:
        with pytest.raises(mc.VendorFault) as caught:
            client.send(Request("GET", "/x"))
        client.send(Request("GET", "/x"))
        shown = [repr(client), repr(login), repr(READ), repr(mc.Secret(SENTINEL)), str(caught.value)]
        shown += ["".join(traceback.format_exception(caught.value)), repr(pickle.dumps(caught.value))]
        for thing in (client, login, mc.Secret(SENTINEL)):
            with pytest.raises(mc.InvalidArgument, match="pickle"):
                pickle.dumps(thing)
    shown += [record.getMessage() + repr(record.__dict__) for record in caplog.records]
    assert caplog.records
    assert SENTINEL not in "".join(shown)
