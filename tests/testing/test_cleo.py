from __future__ import annotations

import base64
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import requests

from mlconnector.documents import Party
from mlconnector.errors import InvalidArgument
from mlconnector.testing import CleoSimulator, ManualClock

BRAVO = {"alias": "Bravo & Söhne ", "externalId": "4343", "outbox": "file:outbox/BRAVO/", "sentbox": "sentbox/BRAVO"}


class Bare:
    def __init__(self, simulator: CleoSimulator) -> None:
        self.url = simulator.url
        self.http = requests.Session()
        form = {"grant_type": "password", "username": simulator.username, "password": simulator.password}
        self.login = self.http.post(f"{self.url}/api/authentication", data=form, timeout=5).json()
        self.http.headers["Authorization"] = f"Bearer {self.login['access_token']}"

    def __enter__(self) -> Bare:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.http.request(method, self.url + path, timeout=5, **options)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.call("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put(self, path: str, data: bytes = b"ISA*") -> int:
        return self.call("PUT", f"/api/files/{path}", data=data).status_code


def test_the_login_is_a_form_and_answers_the_token_alone() -> None:
    with CleoSimulator() as cleo, Bare(cleo) as bare:
        assert list(bare.login) == ["access_token"]
        url = f"{cleo.url}/api/authentication"
        right = {"grant_type": "password", "username": cleo.username, "password": cleo.password}
        assert requests.post(url, json=right, timeout=5).status_code == 415
        assert requests.post(url, data={**right, "grant_type": "refresh_token"}, timeout=5).status_code == 400
        assert requests.post(url, data={**right, "password": ""}, timeout=5).status_code == 400
        refused = requests.post(url, data={**right, "password": "wrong"}, timeout=5)
        assert (refused.status_code, list(refused.json())) == (401, ["message"])
        assert cleo.refused_logins == 1
        assert requests.get(url, timeout=5).status_code == 405


def test_a_password_that_is_not_encoded_does_not_arrive() -> None:
    with CleoSimulator() as cleo:
        raw = f"grant_type=password&username={cleo.username}&password={cleo.password}"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert requests.post(f"{cleo.url}/api/authentication", data=raw, headers=headers, timeout=5).status_code == 401


def test_calls_need_a_token_that_lives() -> None:
    clock = ManualClock()
    with CleoSimulator(clock=clock, token_life=60) as cleo, Bare(cleo) as bare:
        assert bare.login["expires_in"] == 60
        assert bare.call("GET", "/api/connections").status_code == 200
        clock.advance(60)
        assert bare.call("GET", "/api/connections").status_code == 401
    with CleoSimulator() as cleo, Bare(cleo) as bare:
        cleo.expire_tokens()
        assert bare.call("GET", "/api/connections").json() == {"message": "Unauthorized."}
        assert requests.get(f"{cleo.url}/api/files/inbox", timeout=5).status_code == 401


def test_basic_works_only_where_it_is_switched_on() -> None:
    for basic, status in ((False, 401), (True, 200)):
        with CleoSimulator(basic=basic) as cleo:
            answer = requests.get(f"{cleo.url}/api/connections", auth=(cleo.username, cleo.password), timeout=5)
            assert answer.status_code == status
    with CleoSimulator(basic=True, lock_after=None) as cleo:
        for value in ("!!", base64.b64encode(b"a:b").decode()):
            headers = {"Authorization": f"Basic {value}"}
            assert requests.get(f"{cleo.url}/api/connections", headers=headers, timeout=5).status_code == 401
        assert not cleo.locked


def test_collections_are_paged_from_zero_with_20_and_at_most_100() -> None:
    with CleoSimulator() as cleo, Bare(cleo) as bare:
        for number in range(130):
            cleo.add({"alias": f"partner {number}"})
        first = bare.get("/api/connections")
        assert (first["totalResults"], first["startIndex"], first["count"], len(first["resources"])) == (130, 0, 20, 20)
        assert len(bare.get("/api/connections", count=500)["resources"]) == 100
        last = bare.get("/api/connections", startIndex=100, count=100)
        assert (last["count"], len(last["resources"])) == (30, 30)
        assert bare.get("/api/connections", startIndex=130)["resources"] == []
        for query in ({"startIndex": "-1"}, {"count": "0"}, {"count": "all"}):
            assert bare.call("GET", "/api/connections", params=query).status_code == 400


def test_a_connection_is_shaped_as_the_reference_shows() -> None:
    with CleoSimulator() as cleo, Bare(cleo) as bare:
        key = cleo.add(BRAVO)
        connection = bare.get(f"/api/connections/{key}")
        assert connection["alias"] == BRAVO["alias"]
        assert (connection["enabled"], connection["ready"], connection["active"]) == ("true", True, True)
        assert connection["_links"]["self"]["href"] == f"/api/connections/{key}"
        (action,) = connection["_links"]["actions"]
        assert bare.get(action["href"])["connection"]["href"] == f"/api/connections/{key}"
        assert connection["outgoing"]["storage"] == {"outbox": "file:outbox/BRAVO/", "sentbox": "sentbox/BRAVO"}
        assert bare.call("GET", "/api/connections/none").status_code == 404
        assert bare.call("DELETE", f"/api/connections/{key}").status_code == 405
        assert bare.call("GET", f"/api/connections/{key}/clone").status_code == 404


def test_ids_are_opaque_and_may_begin_with_a_dash() -> None:
    with CleoSimulator() as cleo:
        ids = [cleo.add({"alias": f"partner {number}"}) for number in range(8)]
        assert {key[0] for key in ids} >= {"-", "_"}
        assert {len(key) for key in ids} == {22}


def test_a_party_becomes_a_connection() -> None:
    with CleoSimulator() as cleo, Bare(cleo) as bare:
        cleo.add(Party(number="4343", name="Parts Emporium"))
        (found,) = bare.get("/api/connections", filter='externalId eq "4343"')["resources"]
        assert found["alias"] == "Parts Emporium"


@pytest.mark.parametrize("item", [{"externalId": "1"}, {"alias": "a", "outbox": "../x"}, "/", "a\\b", "../x"])
def test_what_cannot_be_added_is_refused(item: Any) -> None:
    with pytest.raises(InvalidArgument):
        CleoSimulator().add(item)


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ('alias eq "Bravo & Söhne "', 1),
        ('alias eq "Bravo & Söhne"', 0),
        ('alias sw "B"', 2),
        ('alias sw "B" and type eq "sftp"', 1),
        ('(alias sw "B") and (type eq "as2")', 1),
        ('(alias sw "B" and (type eq "as2" and externalId eq "4343"))', 1),
    ],
)
def test_filters_that_are_verified_work(expression: str, count: int) -> None:
    with CleoSimulator() as cleo, Bare(cleo) as bare:
        cleo.add(BRAVO)
        cleo.add({"alias": "Beta", "type": "sftp"})
        assert bare.get("/api/connections", filter=expression)["totalResults"] == count


@pytest.mark.parametrize(
    "expression",
    [
        "",
        'alias co "B"',
        'alias ne "B"',
        'alias eq "B" or alias eq "C"',
        'alias EQ "B"',
        "alias eq B",
        'alias eq "say \\"hi\\""',
        'username eq "B"',
        'meta.lastModified ge "2026-01-01T00:00:00Z"',
        '(alias eq "B"',
        'alias eq "B")',
        'alias eq "B" (',
        '(alias eq "B" (',
        "alias eq 'B'",
        '("',
    ],
)
def test_other_filters_are_refused(expression: str) -> None:
    with CleoSimulator() as cleo, Bare(cleo) as bare:
        answer = bare.call("GET", "/api/connections", params={"filter": expression})
        assert answer.status_code == 400
        assert answer.json()["message"]


def test_actions_are_found_within_their_connection() -> None:
    with CleoSimulator() as cleo, Bare(cleo) as bare:
        cleo.add(BRAVO)
        cleo.add({"alias": "Beta", "schedule": "on file continuously"})
        (action,) = bare.get("/api/actions", filter='alias eq "send" and connection.alias eq "Beta"')["resources"]
        assert action["schedule"] == "on file continuously"
        none = bare.get("/api/actions", filter='authenticator.user.username eq "bob"')
        assert none["resources"] == []


def run_link(bare: Bare, alias: str) -> str:
    (action,) = bare.get("/api/actions", filter=f'connection.alias eq "{alias}"')["resources"]
    return str(action["_links"]["run"]["href"])


def test_running_the_action_sends_the_outbox_and_makes_transfers() -> None:
    clock = ManualClock(dt.datetime(2026, 3, 1, 8, 0, 0, 500000, tzinfo=dt.UTC))
    with CleoSimulator(clock=clock) as cleo, Bare(cleo) as bare:
        key = cleo.add(BRAVO)
        other = cleo.add({"alias": "Beta", "outbox": "outbox/BETA", "sentbox": "sentbox/BETA"})
        assert bare.put("outbox/BRAVO/850_1.edi", b"one") == 201
        link = run_link(bare, BRAVO["alias"])
        assert bare.call("POST", link).status_code == 415
        json_type = {"Content-Type": "application/json"}
        assert bare.call("POST", link, data="{}", headers=json_type).status_code == 400
        assert bare.call("GET", link).status_code == 405
        job = bare.call("POST", link, headers=json_type, params={"timeout": 300}).json()
        assert (job["status"], job["result"]) == ("completed", "success")
        assert cleo.contents == {"sentbox/BRAVO/850_1.edi": b"one"}
        (transfer,) = bare.get(f"/api/connections/{key}/transfers")["resources"]
        assert (transfer["status"], transfer["direction"], transfer["seconds"]) == ("success", "outgoing", 0.05)
        assert transfer["_links"]["files"][0]["source"] == "outbox/BRAVO/850_1.edi"
        assert transfer["meta"]["created"] == "2026-03-01T08:00:00Z"
        assert bare.get(f"/api/connections/{other}/transfers")["resources"] == []
        assert bare.get(transfer["_links"]["self"]["href"]) == transfer
        (event,) = bare.get(transfer["_links"]["events"]["href"])["resources"]
        assert bare.get(event["_links"]["self"]["href"]) == event
        assert bare.get("/api/events")["totalResults"] == 1
        assert bare.call("GET", "/api/transfers", params={"filter": 'status eq "success"'}).status_code == 400
        assert bare.call("POST", transfer["_links"]["resend"]["href"]).status_code == 200
        assert bare.call("GET", transfer["_links"]["resend"]["href"]).status_code == 405
        assert len(cleo.transfers) == 2
        assert bare.call("GET", f"{transfer['_links']['self']['href']}/nothing").status_code == 404


def test_a_connection_that_is_not_ready_sends_nothing() -> None:
    with CleoSimulator() as cleo, Bare(cleo) as bare:
        cleo.add({"alias": "Half", "ready": False, "notReadyReason": "Server Address is required.", "enabled": "false"})
        bare.put("outbox/a.edi")
        job = bare.call("POST", run_link(bare, "Half"), headers={"Content-Type": "application/json"})
        assert (job.status_code, job.json()["result"]) == (200, "error")
        assert cleo.transfers == ()
        assert bare.get("/api/connections")["resources"][0]["enabled"] == "false"


def test_transmit_is_the_schedule_in_the_tests_hands() -> None:
    with CleoSimulator() as cleo, Bare(cleo) as bare:
        cleo.add({**BRAVO, "schedule": "on file continuously"})
        bare.put("outbox/BRAVO/a.edi")
        assert cleo.transmit("Nobody") == 0
        assert cleo.transmit(BRAVO["alias"], status="Error") == 1
        assert "outbox/BRAVO/a.edi" in cleo.contents
        assert cleo.transmit(status="Receipt Pending") == 1
        assert list(cleo.contents) == ["sentbox/BRAVO/a.edi"]
        assert [transfer["status"] for transfer in cleo.transfers] == ["Error", "Receipt Pending"]


def test_a_continuous_schedule_can_send_at_once() -> None:
    with CleoSimulator(transmit_at_once=True) as cleo, Bare(cleo) as bare:
        cleo.add({**BRAVO, "schedule": "on file continuously"})
        cleo.add({"alias": "By hand", "outbox": "outbox/HAND"})
        bare.put("outbox/BRAVO/a.edi")
        bare.put("outbox/HAND/b.edi")
        assert sorted(cleo.contents) == ["outbox/HAND/b.edi", "sentbox/BRAVO/a.edi"]


def test_files_go_in_are_listed_fetched_and_deleted() -> None:
    with CleoSimulator(clock=ManualClock()) as cleo, Bare(cleo) as bare:
        assert bare.put("outbox/ACME/850%20%C3%BC%231.edi", b"\x00ISA~\r\n") == 201
        assert bare.put("outbox/ACME/850%20%C3%BC%231.edi", b"ISA") == 204
        assert bare.put("top.edi") == 201
        assert bare.call("DELETE", "/api/files/top.edi").status_code == 204
        path = "outbox/ACME/850 ü#1.edi"
        (item,) = bare.get("/api/files/outbox/ACME")["resources"]
        assert item == {
            "name": "850 ü#1.edi",
            "path": path,
            "type": "file",
            "size": 3,
            "meta": {"lastModified": "2026-03-02T15:00:00Z"},
        }
        assert [entry["type"] for entry in bare.get("/api/files/outbox/")["resources"]] == ["folder"]
        assert {entry["path"] for entry in bare.get("/api/files")["resources"]} == {"inbox", "outbox"}
        fetched = bare.call("GET", f"/api/files/{requests.utils.quote(path)}")
        assert (fetched.content, fetched.headers["Content-Type"]) == (b"ISA", "application/octet-stream")
        assert bare.call("DELETE", f"/api/files/{requests.utils.quote(path)}").status_code == 204
        assert bare.call("DELETE", f"/api/files/{requests.utils.quote(path)}").status_code == 404
        assert bare.call("GET", f"/api/files/{requests.utils.quote(path)}").status_code == 404
        assert [(upload.data, upload.replaced) for upload in cleo.uploads[:2]] == [
            (b"\x00ISA~\r\n", False),
            (b"ISA", True),
        ]
        assert bare.call("GET", "/api/files/outbox", params={"filter": 'name eq "x"'}).status_code == 400
        assert bare.call("PATCH", "/api/files/outbox/a").status_code == 405


def test_listings_are_paged() -> None:
    with CleoSimulator() as cleo, Bare(cleo) as bare:
        for number in range(25):
            cleo.add(f"inbox/{number:03}.edi", b"x")
        first = bare.get("/api/files/inbox")
        assert (first["totalResults"], len(first["resources"])) == (25, 20)
        assert len(bare.get("/api/files/inbox", startIndex=20)["resources"]) == 5


@pytest.mark.parametrize(
    ("path", "status"),
    [("outbox/%2E%2E/%2E%2E/x", 400), ("outbox%5Cx", 400), ("outbox/", 400), ("outbox", 409)],
)
def test_upload_paths_that_make_no_sense_are_refused(path: str, status: int) -> None:
    with CleoSimulator() as cleo, Bare(cleo) as bare:
        assert bare.put(path) == status
        assert cleo.uploads == ()


def test_an_upload_may_not_replace_where_that_is_forbidden() -> None:
    with CleoSimulator(overwrite=False) as cleo, Bare(cleo) as bare:
        assert [bare.put("outbox/a.edi", data) for data in (b"1", b"2")] == [201, 409]
        assert cleo.contents == {"outbox/a.edi": b"1"}


def test_folders_must_be_there_where_use_does_not_make_them() -> None:
    with CleoSimulator() as cleo, Bare(cleo) as bare:
        assert bare.get("/api/files/outbox/NEW")["resources"] == []
        assert bare.call("GET", "/api/files/outbox/none.edi").status_code == 404
    with CleoSimulator(create_folders=False) as cleo, Bare(cleo) as bare:
        assert bare.call("GET", "/api/files/outbox/NEW").status_code == 404
        assert bare.put("outbox/NEW/a.edi") == 404
        cleo.add("outbox/NEW")
        assert bare.put("outbox/NEW/a.edi") == 201


def test_multipart_uploads_name_the_file_in_the_part() -> None:
    with CleoSimulator() as cleo, Bare(cleo) as bare:
        data = b"ISA*\r\n\x00~"
        answer = bare.call(
            "POST", "/api/files/outbox/ACME", files={"file": ("a.edi", data, "application/octet-stream")}
        )
        assert answer.status_code == 201
        assert cleo.contents == {"outbox/ACME/a.edi": data}
        assert bare.call("POST", "/api/files/outbox", files={"other": ("a.edi", b"x")}).status_code == 415
        assert bare.call("POST", "/api/files/outbox", data=b"x").status_code == 415


def test_on_cic_the_configuration_is_closed_and_files_are_consumed() -> None:
    with CleoSimulator(product="cic") as cleo, Bare(cleo) as bare:
        for kind in ("connections", "actions", "transfers", "events"):
            assert bare.call("GET", f"/api/{kind}").status_code == 403
        for path in ("outbox/ACME/a.edi", "outbox/BETA/b.edi"):
            assert bare.put(path) == 201
        assert cleo.consume("outbox/ACME") == 1
        assert bare.get("/api/files/outbox/ACME")["resources"] == []
        assert [upload.path for upload in cleo.consumed] == ["outbox/ACME/a.edi"]
        assert cleo.consume() == 1
        assert cleo.consume() == 0
        assert len(cleo.uploads) == 2
    with pytest.raises(InvalidArgument):
        CleoSimulator(product="lexicom")  # type: ignore[arg-type]


def test_customers_endpoints_take_json_exactly() -> None:
    with CleoSimulator(product="cic") as cleo, Bare(cleo) as bare:
        cleo.add_endpoint("/api/acme/orders", status=202)
        cleo.add_endpoint("/api/acme/quiet", status=204)
        json_type = {"Content-Type": "application/json"}
        body = b'{"amount": 10.10}'
        assert bare.call("POST", "/api/acme/orders", data=body, headers=json_type).status_code == 202
        assert bare.call("POST", "/api/acme/quiet", data=body, headers=json_type).content == b""
        assert str(cleo.payloads[0].body["amount"]) == str(Decimal("10.10"))
        assert [payload.path for payload in cleo.payloads] == ["/api/acme/orders", "/api/acme/quiet"]
        assert bare.call("POST", "/api/acme/orders", data=b"{", headers=json_type).status_code == 400
        assert bare.call("POST", "/api/acme/orders", data=body).status_code == 415
        assert bare.call("GET", "/api/acme/orders").status_code == 405
        assert bare.call("POST", "/api/acme/other", data=body, headers=json_type).status_code == 404
        for path, status in (("acme", 200), ("/acme", 404)):
            with pytest.raises(InvalidArgument):
                cleo.add_endpoint(path, status=status)


def test_faults_bring_the_message_body() -> None:
    with CleoSimulator() as cleo, Bare(cleo) as bare:
        cleo.fail(status=503, match="/api/files")
        assert bare.call("GET", "/api/files/inbox").json() == {"message": "Service Unavailable"}


def test_the_http_server_takes_lists_gives_and_deletes_files_of_the_same_tree() -> None:
    with CleoSimulator(basic=False) as cleo, requests.Session() as http:
        http.auth = (cleo.username, cleo.password)

        def post(data: bytes = b"", **params: str) -> requests.Response:
            return http.post(cleo.server_url, params=params, data=data, timeout=5)

        assert post(request="connect0").status_code == 200
        assert post(b"ISA*\x85", request="send", filename="850 1.edi").status_code == 200
        assert post(b"ISA*2", request="send", directory="inbox/ACME/", filename="2.edi").status_code == 200
        assert cleo.contents == {"inbox/850 1.edi": b"ISA*\x85", "inbox/ACME/2.edi": b"ISA*2"}
        assert [upload.path for upload in cleo.uploads] == ["inbox/850 1.edi", "inbox/ACME/2.edi"]
        cleo.add("outbox/payload/997.edi", b"TA1")
        assert post(request="list").text == "997.edi\n"
        assert post(request="list", directory="inbox").text == "850 1.edi\n"
        assert post(request="list", directory="nowhere").text == ""
        assert post(request="receive", filename="997.edi").content == b"TA1"
        assert post(request="delete", filename="997.edi").status_code == 200
        assert post(request="delete", filename="997.edi").status_code == 404
        assert post(request="receive", filename="997.edi").status_code == 404
        form = {"request": "list", "directory": "inbox"}
        assert http.post(cleo.server_url, data=form, timeout=5).text == "850 1.edi\n"
        parts = {name: (None, value) for name, value in form.items()}
        assert http.post(cleo.server_url, files=parts, timeout=5).text == "850 1.edi\n"
        sent = {"request": (None, "send"), "filename": (None, "3.edi"), "file": ("x", b"ISA*3")}
        assert http.post(cleo.server_url, files=sent, timeout=5).status_code == 200
        assert cleo.contents["inbox/3.edi"] == b"ISA*3"


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"request": "frob"},
        {"request": "send"},
        {"request": "receive", "filename": "../x"},
        {"request": "send", "directory": "../x", "filename": "y"},
        {"request": "send", "filename": "a/b"},
    ],
)
def test_the_http_server_refuses_what_it_cannot_do(params: dict[str, str]) -> None:
    with CleoSimulator() as cleo:
        auth = (cleo.username, cleo.password)
        assert requests.post(cleo.server_url, params=params, auth=auth, timeout=5).status_code == 400
        assert not cleo.contents


def test_the_http_server_wants_the_local_users_login_and_posts() -> None:
    with CleoSimulator(overwrite=False) as cleo, Bare(cleo) as bare:
        ask = {"request": "list"}
        unknown = requests.post(cleo.server_url, params=ask, timeout=5)
        assert (unknown.status_code, unknown.headers["WWW-Authenticate"]) == (401, 'Basic realm="Harmony"')
        assert bare.call("POST", "/server", params=ask).status_code == 401
        for value in ("Basic ?", "Basic eDp5"):
            refused = requests.post(cleo.server_url, params=ask, headers={"Authorization": value}, timeout=5)
            assert refused.status_code == 401
        auth = (cleo.username, cleo.password)
        assert requests.get(cleo.server_url, params=ask, auth=auth, timeout=5).status_code == 405
        cleo.add("inbox/1.edi", b"first")
        send = {"request": "send", "filename": "1.edi"}
        assert requests.post(cleo.server_url, params=send, data=b"2", auth=auth, timeout=5).status_code == 409
        assert cleo.contents == {"inbox/1.edi": b"first"}
    with CleoSimulator(product="cic") as cleo, Bare(cleo) as bare:
        assert bare.call("POST", "/server", params=ask).status_code == 404
