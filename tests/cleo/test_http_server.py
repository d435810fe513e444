"""Files over the HTTP server of Harmony and VLTrader (Cleo reference, section 7.1)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import mlconnector as mc
from mlconnector.cleo import CleoFile, CleoFiles
from mlconnector.testing import CleoSimulator
from tests.http.wire import WireServer, answer

LOGIN = "Basic " + base64.b64encode(b"local:p").decode()


def call(server: WireServer, act: Callable[[mc.Cleo], Any], **options: Any) -> Any:
    files = CleoFiles(transport="http-server", url=server.url + "/server", auth=mc.HTTPBasic("local", "p"), **options)
    with mc.Cleo(server.url, auth=mc.OAuth2Password("api", "other"), files=files) as cleo:
        return act(cleo)


def asked(request: bytes) -> tuple[str, str, dict[str, list[str]]]:
    method, target, _ = request.split(b"\r\n")[0].decode().split(" ")
    parts = urlsplit(target)
    return method, parts.path, parse_qs(parts.query)


def test_a_file_goes_up_in_one_request_with_the_local_users_login() -> None:
    with WireServer([answer(200, b"")]) as server:
        receipt = call(server, lambda cleo: cleo.upload("inbox/A&B/850 1.edi", b"ISA"))
    (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert asked(request) == (
        "POST",
        "/server",
        {"request": ["send"], "directory": ["inbox/A&B/"], "filename": ["850 1.edi"]},
    )
    assert f"Authorization: {LOGIN}".encode() in head
    assert b"Content-Length: 3" in head
    assert body == b"ISA"
    assert receipt.id == "inbox/A&B/850 1.edi"


def test_a_listing_is_one_name_a_line() -> None:
    with WireServer([answer(200, b"997_1.edi\r\n\r\nold/\nin/855_2.edi\n")]) as server:
        found = call(server, lambda cleo: cleo.files("in"))
    assert asked(server.requests[0])[2] == {"request": ["list"], "directory": ["in/"]}
    assert [(one.name, one.path) for one in found] == [("997_1.edi", "in/997_1.edi"), ("855_2.edi", "in/855_2.edi")]


def test_a_listing_in_another_form_has_its_own_parser() -> None:
    def parser(lines: Any, folder: str) -> list[CleoFile]:
        return [CleoFile(name=line.split(";")[0], path=f"{folder}/{line.split(';')[0]}") for line in lines]

    with WireServer([answer(200, b"a.edi;12")]) as server:
        assert [one.name for one in call(server, lambda cleo: cleo.files("in"), list_parser=parser)] == ["a.edi"]


def test_a_page_in_place_of_a_listing_is_no_list_of_names() -> None:
    with WireServer([answer(200, b"<html>hello", Content_Type="text/html")]) as server:
        with pytest.raises(mc.VendorFault, match="page"):
            call(server, lambda cleo: cleo.files("in"))


def test_a_file_is_fetched_and_deleted_by_name() -> None:
    with WireServer([answer(200, b"\xffISA*00"), answer(200, b""), answer(404, b"")]) as server:
        assert call(server, lambda cleo: cleo.download("in/997.edi")) == b"\xffISA*00"
        call(server, lambda cleo: cleo.delete("in/997.edi"))
        call(server, lambda cleo: cleo.delete("in/gone.edi"))
    assert [asked(one)[2]["request"] for one in server.requests] == [["receive"], ["delete"], ["delete"]]


def test_a_lost_answer_to_an_upload_is_in_doubt() -> None:
    with WireServer([lambda peer, _request: peer.close()]) as server:
        with pytest.raises(mc.DeliveryInDoubt, match=r"inbox/850\.edi"):
            call(server, lambda cleo: cleo.upload("inbox/850.edi", b"ISA"))


@pytest.mark.parametrize(
    "options",
    [
        {"transport": "http-server"},
        {"transport": "http-server", "url": "https://h.example/server"},
        {"url": "https://h.example/server", "auth": mc.HTTPBasic("u", "p")},
        {"transport": "sftp"},
    ],
)
def test_a_transport_that_is_half_said_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument):
        CleoFiles(**options)


@pytest.mark.parametrize(
    "page", [answer(200, b"<html>log in", Content_Type="text/html"), answer(201, b" <!doctype html>")]
)
def test_a_page_in_answer_to_an_upload_proves_nothing(page: Any) -> None:
    with WireServer([page]) as server:
        with pytest.raises(mc.DeliveryInDoubt, match="page"):
            call(server, lambda cleo: cleo.upload("inbox/850.edi", b"ISA"))


def test_the_simulator_serves_it_too() -> None:
    with CleoSimulator() as network:
        login = mc.HTTPBasic(network.username, network.password)
        files = CleoFiles(transport="http-server", url=network.server_url, auth=login)
        with network.client(files=files) as cleo:
            cleo.upload("inbox/ACME/850 1.edi", b"ISA")
            assert [one.path for one in cleo.files("inbox/ACME")] == ["inbox/ACME/850 1.edi"]
            assert cleo.download("inbox/ACME/850 1.edi") == b"ISA"
            cleo.delete("inbox/ACME/850 1.edi")
            cleo.delete("inbox/ACME/850 1.edi")
        assert not network.contents
