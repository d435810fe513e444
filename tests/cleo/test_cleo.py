"""The Cleo client and its files target, against the simulator and against hand-made answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector import x12
from mlconnector.cleo import CleoFiles, FilesTarget, Route, Routes
from mlconnector.cleo._names import file_name
from mlconnector.testing import CleoSimulator, ManualClock
from tests.http.wire import WireServer, answer

PARTNER = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"))
ORDER = mc.PurchaseOrder(
    number="4711",
    type="OP",
    company="00001",
    date=dt.date(2026, 1, 2),
    currency="USD",
    supplier=mc.Party(number="4343", name="Parts"),
    ship_to=mc.Party(number="6001", name="Dock"),
    lines=[
        mc.OrderLine(
            number="1",
            quantity=Decimal(2),
            unit="EA",
            unit_price=Decimal("1.5"),
            price_unit="EA",
            amount=Decimal(3),
            item_ids={"buyer": "X"},
            requested_date=dt.date(2026, 2, 1),
        )
    ],
)


@attrs.define
class Setup:
    network: CleoSimulator
    cleo: mc.Cleo


@pytest.fixture
def setup() -> Iterator[Setup]:
    clock = ManualClock(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC))
    with CleoSimulator(clock=clock) as network:
        auth = mc.OAuth2Password(network.username, network.password)
        with mc.Cleo(network.url + "/api/", auth=auth, clock=clock, page_size=7) as cleo:
            yield Setup(network, cleo)


def on_wire(acts: list[Any], **options: Any) -> tuple[WireServer, mc.Cleo]:
    clock = ManualClock(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    server = WireServer(acts)
    server.__enter__()
    return server, mc.Cleo(server.url, auth=mc.HTTPBasic("u", "p"), clock=clock, **options)


def prepared(target: FilesTarget, document: Any = ORDER, **options: Any) -> mc.Prepared:
    made = target.prepare(mc.Change(document=document, key=document.key, **options))
    return made.rendered(mc.ControlNumbers(5, 6))


def test_files_go_in_are_listed_fetched_and_deleted(setup: Setup) -> None:
    cleo = setup.cleo
    for number in range(16):
        receipt = cleo.upload(f"outbox/A&B/file {number}.edi", b"x" * number)
    assert receipt.id == "outbox/A&B/file 15.edi"
    listed = cleo.files("outbox/A&B")
    assert sorted(file.name for file in listed) == sorted(f"file {number}.edi" for number in range(16))
    assert cleo.download(listed[3].path) == b"x" * (listed[3].size or 0)
    cleo.delete(listed[0].path)
    cleo.delete(listed[0].path)
    assert len(cleo.files("outbox/A&B")) == 15


@pytest.mark.parametrize("path", ["", "/", "a/../b", "a//b", "a/\n"])
def test_paths_that_leave_their_folder_are_refused(setup: Setup, path: str) -> None:
    with pytest.raises(mc.InvalidArgument):
        setup.cleo.upload(path, b"")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_lost_upload_is_in_doubt_and_says_what_to_look_for(setup: Setup, moment: str) -> None:
    setup.network.fail(drop=moment, match="PUT")
    with pytest.raises(mc.DeliveryInDoubt, match="look|Look") as caught:
        setup.cleo.upload("outbox/a.edi", b"x")
    assert "outbox/a.edi" in str(caught.value)
    assert len(setup.network.uploads) == (moment == "after")


def test_connections_and_transfers_are_read_page_by_page(setup: Setup) -> None:
    for number in range(23):
        setup.network.add({"alias": f"Partner {number:02}", "externalId": f"X{number}"})
    cleo = setup.cleo
    assert len(cleo.connections()) == 23
    (one,) = cleo.connections(alias="Partner 07")
    assert cleo.connections(external_id="X7")[0]["id"] == one["id"]
    assert list(cleo.transfers("Partner 07")) == []
    with pytest.raises(mc.InvalidArgument, match="0 connections"):
        list(cleo.transfers("nobody"))
    with pytest.raises(mc.InvalidArgument, match="quote"):
        cleo.connections(alias='a"b')


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"status":"running"}', mc.DeliveryInDoubt),
        (b'{"status":"completed","result":"error"}', mc.VendorFault),
        (b'{"status":"completed","result":"success"}', None),
    ],
)
def test_a_job_is_judged_by_its_status_and_result(body: bytes, error: type[Exception] | None) -> None:
    found = b'{"totalResults":1,"resources":[{"id":"-A1","alias":"send","enabled":"true"}]}'
    server, cleo = on_wire([answer(200, found), answer(200, body)])
    try:
        if error is None:
            assert cleo.run_action("send", connection="ACME").steps == ("run",)
        else:
            with pytest.raises(error):
                cleo.run_action("send", connection="ACME")
        assert b"/api/actions/-A1/run?timeout=240" in server.requests[1]
    finally:
        cleo.close()
        server.__exit__()


def test_an_action_that_is_not_exactly_one_is_refused(setup: Setup) -> None:
    with pytest.raises(mc.InvalidArgument, match="0 actions"):
        setup.cleo.run_action("send", connection="nobody")


def test_payloads_are_posted_exactly(setup: Setup) -> None:
    setup.network.add_endpoint("/api/custom")
    setup.cleo.post_payload("/api/custom", {"amount": Decimal("1.10")})
    (payload,) = setup.network.payloads
    assert str(payload.body["amount"]) == "1.10"
    setup.network.fail(drop="after", match="custom")
    with pytest.raises(mc.DeliveryInDoubt):
        setup.cleo.post_payload("/api/custom", {})


def test_a_cloud_account_without_configuration_rights_is_no_failure() -> None:
    with CleoSimulator(product="cic") as network:
        with mc.Cleo(network.url, auth=mc.OAuth2Password(network.username, network.password)) as cleo:
            check = cleo.check([Route("4343", PARTNER, connection="ACME")])
            assert check.steps[0].ok
            assert "closed to this account" in check.steps[0].detail
            assert not check.ok


def test_check_proves_route_by_route(setup: Setup) -> None:
    setup.network.add({"alias": "ACME", "enabled": "true"})
    routes = [Route("4343", PARTNER, connection="ACME", sentbox="sent")]
    check = setup.cleo.check(Routes(routes))
    assert 'look_up="reliable"' in str(check)
    wrong = setup.cleo.check([Route("4343", PARTNER, connection="nobody")])
    assert "0 connections" in str(wrong)
    setup.network.fail(status=401, times=9)
    assert not setup.cleo.check().ok


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [(b"<html>portal</html>", "text/html", "HTML page"), (b'{"x":1}', "application/json", "list of resources")],
)
def test_answers_that_are_none_are_said_so(body: bytes, kind: str, words: str) -> None:
    server, cleo = on_wire([answer(200, body, Content_Type=kind)])
    try:
        with pytest.raises(mc.VendorFault, match=words):
            cleo.connections()
    finally:
        cleo.close()
        server.__exit__()


def test_a_file_may_come_under_any_content_type() -> None:
    text = b"\r\nISA*00*          ~"
    server, cleo = on_wire([answer(200, text, Content_Type="text/html; charset=utf-8")])
    try:
        assert cleo.download("inbox/997.edi") == text
    finally:
        cleo.close()
        server.__exit__()


def test_the_vendors_words_are_in_the_error_and_odd_success_is_doubt() -> None:
    server, cleo = on_wire([answer(400, b'{"message":"bad name"}'), answer(400, b"[]"), answer(202, b"")])
    try:
        with pytest.raises(mc.VendorFault, match="bad name"):
            cleo.upload("a", b"")
        with pytest.raises(mc.VendorFault):
            cleo.upload("a", b"")
        with pytest.raises(mc.DeliveryInDoubt, match="202"):
            cleo.upload("a", b"")
    finally:
        cleo.close()
        server.__exit__()


def test_the_file_profile_can_be_another_one() -> None:
    files = CleoFiles(upload_verb="POST", body="multipart", list_path="/files?in={folder}")
    known = b'{"name": "b.edi", "size": 3, "meta": {"lastModified": "2026-01-01T00:00:00Z"}}'
    listing = b'["a.edi", %b, {"name": "d", "type": "folder"}]' % known
    server, cleo = on_wire([answer(), answer(200, listing), answer(200, b"[{}]")], files=files)
    try:
        cleo.upload("outbox/ACME/a.edi", b"DATA")
        assert b'filename="a.edi"' in server.requests[0]
        assert server.requests[0].startswith(b"POST /api/files/outbox/ACME ")
        assert [file.path for file in cleo.files("out")] == ["out/a.edi", "out/b.edi"]
        with pytest.raises(mc.VendorFault, match="without a name"):
            cleo.files("out")
    finally:
        cleo.close()
        server.__exit__()


@pytest.mark.parametrize(
    "options",
    [
        {"transport": "http-server"},
        {"upload_verb": "PATCH"},
        {"body": "zip"},
        {"upload_path": "/x"},
        {"list_path": "{folder}"},
    ],
)
def test_file_settings_that_cannot_be_meant_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(mc.InvalidArgument):
        CleoFiles(**options)


@pytest.mark.parametrize("options", [{"page_size": 0}, {"url": "https://x/portal"}])
def test_client_settings_that_cannot_be_meant_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument):
        mc.Cleo(**{"url": "https://x", "auth": mc.HTTPBasic("u", "p"), **options})


@pytest.mark.parametrize(
    "options",
    [
        {"parties": ()},
        {"partner": "ACME"},
        {"role": "friend"},
        {"format": "csv"},
        {"invoice_role": "original"},
        {"sends": ("855",)},
        {"folder": "/"},
        {"path": "/x"},
        {"format": "json", "path": "x"},
        {"action": "send"},
        {"order_number": "PO"},
        {"order_number": "{number}{branch}"},
    ],
)
def test_routes_that_cannot_be_meant_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument):
        Route(**{"parties": "4343", "partner": PARTNER, **options})


def test_the_most_specific_route_wins_and_a_tie_is_refused() -> None:
    plain, company = Route("1", PARTNER), Route("1", PARTNER, company="00002")
    both = Route("1", PARTNER, company="00002", branch="M30")
    routes = Routes([plain, company, both])
    assert routes.find("1", company="00001", code="850") is plain
    assert routes.find("1", company="00002", code="850") is company
    assert routes.find("1", company="00002", branch="M30", code="850") is both
    assert routes.find("2", code="850") is None
    with pytest.raises(mc.InvalidArgument, match="two routes"):
        Routes([plain, Route(["1", "2"], PARTNER)])
    with pytest.raises(mc.InvalidArgument, match="two routes"):
        Routes([company, Route("1", PARTNER, branch="M30")])
    Routes([Route("1", PARTNER, sends=["850"]), Route("1", PARTNER, sends=["810"])])
    for wrong in ([], ["no route"]):
        with pytest.raises(mc.InvalidArgument):
            Routes(wrong)
    with pytest.raises(mc.InvalidArgument):
        Routes([plain], no_route="drop")


KEYS = st.text(min_size=1, max_size=80)


@given(
    st.tuples(KEYS, st.integers(1, 999), st.integers(1, 999_999_999)),
    st.tuples(KEYS, st.integers(1, 999), st.integers(1, 999_999_999)),
)
def test_file_names_are_plain_bounded_and_each_its_own(one: Any, other: Any) -> None:
    names = [file_name("850", "AC ME", *parts) for parts in (one, other)]
    assert (names[0] == names[1]) == (one == other)
    for name in names:
        assert len(name) <= 160
        assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def test_a_file_is_found_in_every_place_it_can_have_moved_to(setup: Setup) -> None:
    setup.network.add({"alias": "ACME", "outgoing": {"storage": {"outbox": "outbox/ACME", "sentbox": "sent"}}})
    route = Route("4343", PARTNER, folder="outbox/ACME", sentbox="sent", connection="ACME")
    target = setup.cleo.target("files", routes=[route], look_up="reliable")
    delivery = prepared(target)
    assert target.find(delivery) is None
    target.deliver([delivery])
    assert target.find(delivery).raw == {"folder": "outbox/ACME"}
    unsure = setup.cleo.target("files", routes=[attrs.evolve(route)])
    with pytest.raises(mc.DeliveryInDoubt, match="proves nothing"):
        unsure.find(prepared(target, revision=2))
    with pytest.raises(mc.DeliveryInDoubt):
        target.find(attrs.evolve(delivery, marker=None))


def test_the_target_knows_usage_content_and_its_refusals(setup: Setup) -> None:
    target = setup.cleo.target("files", routes=[Route("4343", PARTNER)])
    assert isinstance(target, mc.Target)
    stranger = attrs.evolve(ORDER, supplier=mc.Party(number="9"))
    assert (target.usage(ORDER), target.usage(stranger)) == ("T", "")
    assert target.content(ORDER) == x12.order_content(ORDER)
    with pytest.raises(mc.UnknownReference) as caught:
        prepared(target, stranger)
    assert caught.value.cause == "no_route"
    with pytest.raises(mc.UnknownReference):
        prepared(target, attrs.evolve(ORDER, supplier=None))
    with pytest.raises(mc.InvalidArgument):
        setup.cleo.target("rows", routes=[])
    with pytest.raises(mc.InvalidArgument, match="self_billed_when"):
        setup.cleo.target("files", routes=[Route("1", PARTNER, invoice_role="self_billed")])
    gone = setup.cleo.target("files", routes=[Route("1", PARTNER)])
    with pytest.raises(mc.UnknownReference, match="gone"):
        gone.deliver([prepared(target)])


def test_a_partner_who_takes_no_860_gets_an_850_with_purpose_05(setup: Setup) -> None:
    target = setup.cleo.target("files", routes=[Route("4343", PARTNER, sends=["850"])])
    changed = attrs.evolve(ORDER, lines=[attrs.evolve(ORDER.lines[0], quantity=Decimal(4), amount=Decimal(6))])
    delivery = prepared(target, changed, previous=ORDER, action="change", sequence=1)
    (ts,) = x12.read(str(delivery.payload))
    assert (ts.code, next(iter(ts.all("BEG")))[1]) == ("850", "05")


def test_only_recognised_vouchers_are_self_billed(setup: Setup) -> None:
    route = Route("4343", PARTNER, invoice_role="self_billed")
    invoice = mc.Invoice(
        number="1",
        company="00001",
        type="PV",
        supplier_invoice_number="I-1",
        date=dt.date(2026, 1, 1),
        currency="USD",
        supplier=ORDER.supplier,
        gross=Decimal(3),
        purchase_order="4711",
        lines=[mc.InvoiceLine(number="1", kind="amount", amount=Decimal(3), description="x")],
    )
    target = setup.cleo.target("files", routes=[route], self_billed_when=lambda one: bool(one.evaluated_receipt))
    with pytest.raises(mc.InvalidDocument, match="evaluated receipt"):
        prepared(target, invoice)
    delivery = prepared(target, attrs.evolve(invoice, evaluated_receipt=True))
    (ts,) = x12.read(str(delivery.payload))
    assert next(iter(ts.all("BIG")))[8] == "00"


def test_an_action_is_a_step_of_its_own(setup: Setup) -> None:
    setup.network.add({"alias": "ACME", "outgoing": {"storage": {"outbox": "outbox/ACME", "sentbox": "sent"}}})
    route = Route("4343", PARTNER, folder="outbox/ACME", connection="ACME", action="send")
    target = setup.cleo.target("files", routes=[route])
    delivery = prepared(target)
    assert delivery.steps == ("upload", "run")
    target.deliver([attrs.evolve(delivery, step="upload")])
    assert target.find(delivery).steps == ("upload",)


def test_rows_of_a_collection_are_as_the_server_sends_them(setup: Setup) -> None:
    for number in range(9):
        setup.network.add({"alias": f"partner {number}", "externalId": str(number)})
    rows = list(setup.cleo.rows("connections", columns=["alias", "meta.resourceType", "alias.nothing"]))
    assert [row["alias"] for row in rows] == [f"partner {number}" for number in range(9)]
    assert rows[0]["meta.resourceType"] == "connection"
    assert rows[0]["alias.nothing"] is None
    (found,) = setup.cleo.rows("connections", where=[("alias", "=", "partner 3")])
    assert found["externalId"] == "3"
    assert len(list(setup.cleo.rows("connections", limit=2))) == 2


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("../secrets", {}),
        ("connections", {"where": [("alias", ">", "a")]}),
        ("connections", {"where": [("alias", "=", 'a"b')]}),
        ("connections", {"where": [("al ias", "=", "a")]}),
        ("connections", {"order_by": ["alias"]}),
        ("connections", {"params": {"x": "1"}}),
    ],
)
def test_reads_of_rows_that_cannot_be_meant_are_refused(setup: Setup, name: str, options: dict[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument):
        setup.cleo.rows(name, **options)
    with pytest.raises(mc.InvalidArgument, match="no documents"):
        setup.cleo.read("invoices")


def test_stamps_and_sizes_of_another_form_say_nothing() -> None:
    from mlconnector.cleo._files import listed

    odd = [{"name": "a", "size": "12 KB", "meta": {"lastModified": "yesterday"}}, {"name": "b", "meta": "none"}]
    assert [(one.size, one.modified) for one in listed(odd, "in")] == [(None, None), (None, None)]
    (file,) = listed([{"name": "a", "size": "12", "meta": {"lastModified": "2026-03-02T08:00:00Z"}}], "in")
    assert (file.size, file.modified) == (12, dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC))


def test_the_newest_file_of_a_document_is_the_one_with_the_highest_number(setup: Setup) -> None:
    setup.network.add({"alias": "ACME", "outbox": "outbox/ACME", "sentbox": "sent"})
    route = Route("4343", PARTNER, folder="outbox/ACME", sentbox="sent", connection="ACME", action="send")
    target = setup.cleo.target("files", routes=[route], look_up="reliable")
    delivery = prepared(target)
    asked = target.prepare(mc.Change(document=ORDER, key=ORDER.key)).before_intent()
    asked = attrs.evolve(asked, key=ORDER.key)
    for name in ("850_ACME_4711_r1.json", "notes.txt", "850_OTHER_4711_r1_000000900.edi"):
        setup.network.add(f"outbox/ACME/{name}", b"not ours")
    assert target.numbers_shown() == {}
    assert target.newest(asked) is None
    target.deliver([attrs.evolve(delivery, step="upload")])
    assert target.newest(asked) is None, "a list is read once"
    target.list_anew()
    assert target.newest(asked).steps == ("upload",)
    setup.network.transmit()
    target.list_anew()
    found = target.newest(asked)
    assert (found.id, found.steps) == (delivery.marker, ("upload", "run"))
    assert target.numbers_shown()["isa:ZZ:ACME>01:123456789"] == 5
    assert target.numbers_shown()["gs:ZZ:ACME>01:123456789:PC"] == 5
    name = file_name("860", "ACME", ORDER.key, 2, 7)
    setup.network.add(f"outbox/ACME/{name}", str(delivery.payload).encode() * 2)
    target.list_anew()
    with pytest.raises(mc.TargetChanged, match=f"{name} is the newest"):
        target.newest(asked)
    setup.network.add(f"outbox/ACME/{file_name('850', 'ACME', ORDER.key, 3, 8)}", b"ISA*cut")
    target.list_anew()
    with pytest.raises(mc.TargetChanged):
        target.newest(asked)
    with pytest.raises(mc.DeliveryInDoubt, match="no numbers"):
        target.newest(attrs.evolve(asked, document=attrs.evolve(ORDER, supplier=mc.Party(number="9"))))
