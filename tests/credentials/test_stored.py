"""Credentials by name: explicit, environment, keyring, encrypted file."""

from __future__ import annotations

import contextlib
import pickle
import threading
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

import mlconnector as mc
from mlconnector import credentials
from mlconnector.http import Request, Response


class Memory(KeyringBackend):
    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


@pytest.fixture(autouse=True)
def backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("MLCONNECTOR_VAULT", str(tmp_path / "secrets" / "file.vault"))
    before = keyring.get_keyring()
    memory = Memory()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


def login(name: str, **options: Any) -> str:
    seen: list[Request] = []

    def send(request: Request) -> Response:
        seen.append(request)
        return Response(status=200, content=b'{"access_token": "t"}')

    mc.stored(name, **options).headers(send)
    return (seen[0].body()[0] or b"").decode()


def test_the_chain_is_explicit_environment_keyring_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCONNECTOR_VAULT_KEY", "open sesame")
    keyring.set_keyring(NoKeyring())
    credentials.save("acme-jde", "OAuth2Password", username="u", password="from-file")
    assert "password=from-file" in login("acme-jde")
    keyring.set_keyring(Memory())
    credentials.save("acme-jde", "OAuth2Password", username="u", password="from-keyring")
    assert "password=from-keyring" in login("acme-jde")
    monkeypatch.setenv("MLCONNECTOR_ACME_JDE_PASSWORD", "from-environment")
    assert "password=from-environment" in login("acme-jde")
    assert "password=explicit" in login("acme-jde", sources={"password": "explicit"})


def test_saved_names_are_listed_and_deleted(backend: Memory) -> None:
    credentials.save("b", "HTTPBasic", username="u", password="p")
    credentials.save("a", "OAuth2ClientCredentials", client_id="i", client_secret="s", token_url="https://x/y")
    assert credentials.names() == ["a", "b"]
    credentials.delete("a")
    credentials.delete("never there")
    assert credentials.names() == ["b"]
    assert ("mlconnector", "a/client_secret") not in backend.held


def test_the_file_is_sealed_private_and_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keyring.set_keyring(NoKeyring())
    monkeypatch.setenv("MLCONNECTOR_VAULT_KEY", "open sesame")
    credentials.save("a", "HTTPBasic", username="u", password="hunter2")
    credentials.save("b", "HTTPBasic", username="u", password="hunter2")
    credentials.delete("b")
    path = tmp_path / "secrets" / "file.vault"
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"hunter2" not in path.read_bytes()
    assert credentials.names() == ["a"]
    for broken in (path.read_bytes()[:-1] + b"x", b"short"):
        kept = path.read_bytes()
        path.write_bytes(broken)
        with pytest.raises(mc.CredentialsNotFound, match="cannot be opened"):
            login("a")
        path.write_bytes(kept)
    monkeypatch.setenv("MLCONNECTOR_VAULT_KEY", "wrong")
    with pytest.raises(mc.CredentialsNotFound, match="cannot be opened"):
        login("a")


def test_on_a_server_without_a_keyring_the_error_names_every_cure() -> None:
    keyring.set_keyring(NoKeyring())
    with pytest.raises(mc.CredentialsNotFound) as caught:
        login("acme-jde")
    for cure in ("MLCONNECTOR_ACME_JDE_KIND", "keyring", "mlconnector[vault]", "MLCONNECTOR_VAULT_KEY"):
        assert cure in str(caught.value)
    with pytest.raises(mc.CredentialsNotFound, match="no keyring"):
        credentials.save("a", "HTTPBasic", username="u", password="p")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("Nothing", {}), ("HTTPBasic", {"username": "u"}), ("HTTPBasic", {"username": "u", "password": "p", "x": "y"})],
)
def test_what_cannot_be_saved_is_refused(kind: str, fields: dict[str, str]) -> None:
    with pytest.raises(mc.InvalidArgument):
        credentials.save("a", kind, **fields)


def test_stored_credentials_touch_nothing_before_the_first_login_and_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = mc.stored("acme")
    assert (stored.details, stored.token_url) == ({}, None)
    stored.logout(lambda request: pytest.fail(str(request)))
    client = mc.Cleo("https://x.example", auth=stored)
    again = pickle.loads(pickle.dumps(client))
    assert repr(again) == repr(client)
    for one in (client, again):
        one.close()
    with pytest.raises(mc.InvalidArgument, match="pickle"):
        pickle.dumps(mc.stored("acme", sources={"password": "p"}))
    with pytest.raises(mc.InvalidArgument):
        mc.stored(" ")
    monkeypatch.setenv("MLCONNECTOR_ACME_KIND", "Nothing")
    with pytest.raises(mc.InvalidArgument, match="no token manager"):
        login("acme")


def test_stored_credentials_pass_on_what_their_manager_says() -> None:
    credentials.save("acme", "OAuth2ClientCredentials", client_id="i", client_secret="s")
    stored = mc.stored("acme")
    stored.bind("https://x:443", mc.SYSTEM_CLOCK)
    stored.use_path("/given")
    sent: list[Request] = []

    def send(request: Request) -> Response:
        sent.append(request)
        return Response(status=200, content=b'{"access_token": "t"}')

    headers = stored.headers(send)
    assert stored.rejected(headers, send)
    stored.logout(send)
    assert [request.path for request in sent] == ["/given", "/given"]
    with pytest.raises(mc.InvalidArgument, match="belong to"):
        stored.bind("https://y:443", mc.SYSTEM_CLOCK)
    assert repr(stored) == "stored('acme')"


def test_a_further_kind_can_be_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    credentials.register_kind("Secret", "mlconnector.credentials", ["value"])
    with pytest.raises(mc.CredentialsNotFound, match="kind"):
        mc.stored("other").headers(lambda request: pytest.fail(str(request)))


def test_a_secret_shows_nothing() -> None:
    secret = mc.Secret("hunter2")
    assert f"{secret} {secret!r}" == "Secret('***') Secret('***')"
    assert secret == mc.Secret(secret)
    assert secret != "hunter2"
    with pytest.raises(TypeError):
        hash(secret)


def test_threads_that_log_in_first_together_share_one_manager() -> None:
    """A second one would leave a session open that nobody ends."""
    credentials.save("acme", "OAuth2Password", username="u", password="p")
    together, logins = threading.Barrier(4, timeout=20), list[Request]()

    class Slow:
        def get(self, _name: str, field: str) -> str | None:
            if field == "kind":
                with contextlib.suppress(threading.BrokenBarrierError):
                    together.wait(0.2)
            return None

    def send(request: Request) -> Response:
        logins.append(request)
        return Response(status=200, content=b'{"access_token": "t"}')

    manager = mc.stored("acme", sources=[Slow()])
    threads = [threading.Thread(target=manager.headers, args=(send,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(logins) == 1


def test_what_was_saved_under_a_name_before_is_gone(backend: Memory) -> None:
    credentials.save("acme", "AISSession", username="u", password="p", role="OLD")
    credentials.save("acme", "OAuth2Password", username="v", password="q")
    assert {name for _service, name in backend.held} == {
        "acme/kind", "acme/username", "acme/password", "names/names",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["", "  ", "two\nnames"])
def test_a_name_that_cannot_be_listed_is_refused(name: str) -> None:
    with pytest.raises(mc.InvalidArgument, match="names no credentials"):
        credentials.save(name, "OAuth2Password", username="u", password="p")
