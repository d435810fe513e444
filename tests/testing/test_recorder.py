"""A real session becomes a fixture that holds no secret and plays back exactly what was asked, and nothing else."""

from __future__ import annotations

import base64
import datetime as dt
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector.testing import (
    BILLSimulator,
    CleoSimulator,
    CoupaSimulator,
    FusionSimulator,
    JDEdwardsSimulator,
    ManualClock,
    PeopleSoftSimulator,
    SessionRecorder,
    SessionReplay,
    Simulator,
    UnexpectedCall,
    orders,
)

START = dt.datetime(2026, 3, 2, 15, tzinfo=dt.UTC)
TAX_ID, NAME = "98-7654321", "Acme Castings"
ISA = "ISA*00*          *00*          *ZZ*ACME           *01*123456789      *260302*1500*U*00401*000000001*0*T*>~"
FUSION_SCOPE, COUPA_SCOPE = "urn:opc:resource:consumer::all", "core.supplier.read"
PEOPLE: dict[str, Any] = {"node": "PSFT_EP", "business_units": ["US001"], "setids": ["SHARE"]}


@attrs.frozen
class Session:
    """One system: how it is furnished, and what a program asks it for."""

    simulator: Callable[..., Simulator]
    fill: Callable[[Any], object]
    ask: Callable[[Any], list[Any]]
    auth: Callable[[SessionReplay], Any]
    make: Callable[..., Any]
    options: dict[str, Any] = attrs.Factory(dict)


def supplier() -> mc.Supplier:
    address = mc.Address(lines=["1 Mill Road"], city="Boulder", state="CO", postal_code="80301", country="US")
    return mc.Supplier(number="4711", name=NAME, tax_id=TAX_ID, currency="USD", addresses=[address])


def suppliers(client: Any) -> list[Any]:
    return [*client.suppliers(), *client.suppliers(keys=["4711"])]


SESSIONS = {
    "jde": Session(
        JDEdwardsSimulator,
        lambda erp: erp.add(supplier()),
        suppliers,
        lambda _: mc.AISSession("any", "any"),
        mc.JDEdwardsAIS,
    ),
    "fusion": Session(
        FusionSimulator,
        lambda pod: pod.add(supplier()),
        lambda client: list(client.suppliers()),
        lambda replay: mc.OAuth2ClientCredentials(
            "any", "any", token_url=f"{replay.urls[0]}/oauth2/v1/token", scope=FUSION_SCOPE, basic=True
        ),
        lambda _url, *, auth, **options: mc.OracleFusion(options.pop("pod"), auth=auth, **options),
    ),
    "peoplesoft": Session(
        PeopleSoftSimulator,
        lambda site: site.add(supplier()),
        lambda client: list(client.suppliers()),
        lambda _: mc.HTTPBasic("any", "any"),
        mc.PeopleSoft,
        PEOPLE,
    ),
    "coupa": Session(
        CoupaSimulator,
        lambda spend: spend.add(supplier()),
        lambda client: list(client.suppliers()),
        lambda _: mc.OAuth2ClientCredentials("any", "any", scope=COUPA_SCOPE),
        mc.Coupa,
    ),
    "bill": Session(
        BILLSimulator,
        lambda _: None,
        lambda client: [client.save_supplier(supplier()).existing, *client.suppliers()],
        lambda _: mc.BillSession("any", "any", organization_id="any", dev_key="any"),
        mc.BILL,
    ),
}


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_is_recorded_without_secrets_and_plays_back_the_same(name: str, tmp_path: Path) -> None:
    session, fixture = SESSIONS[name], tmp_path / "session.json"
    recorder = SessionRecorder()
    clock = ManualClock(START)
    with session.simulator(clock=clock) as system:
        session.fill(system)
        options = {**session.options, **({"lock_dir": tmp_path} if name == "bill" else {})}
        if name == "coupa":
            options["auth"] = mc.OAuth2ClientCredentials(system.username, system.password, scope=COUPA_SCOPE)
        with system.client(transport=recorder, **options) as client:
            read = session.ask(client)
        secrets = [system.password, system.username, TAX_ID, *issued(recorder)]
        host = system.url.removeprefix("http://")
    assert recorder.save(fixture) == len(recorder._exchanges)
    text = fixture.read_text()
    assert len(secrets) > 3
    for secret in [*secrets, base64.b64encode(f"{system.username}:{system.password}".encode()).decode(), host]:
        assert secret not in text, secret
    assert NAME in text
    with SessionReplay(fixture) as replay:
        options.pop("auth", None)
        where = {"pod": replay.urls[-1]} if name == "fusion" else {}
        auth = session.auth(replay)
        with session.make(replay.url, auth=auth, transport=replay, clock=replay.clock, **options, **where) as client:
            again = session.ask(client)
        assert replay.left == 0
    assert [plain(one) for one in again] == [plain(one) for one in read]


def plain(document: Any) -> Any:
    return attrs.evolve(document, tax_id="", extras={}) if isinstance(document, mc.Supplier) else document


def issued(recorder: SessionRecorder) -> list[str]:
    """Whatever the session's calls carried as tokens."""
    telling = ("authorization", "jde-ais-auth", "sessionid", "devkey", "cookie")
    return [
        value.removeprefix("Bearer ").removeprefix("Basic ")
        for one in recorder._exchanges
        for name, value in one.headers.items()
        if name.lower() in telling
    ]


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    recorder, fixture = SessionRecorder(), tmp_path / "session.json"
    with JDEdwardsSimulator(clock=ManualClock(START)) as erp:
        erp.add(orders(2, suppliers=2))
        with erp.client(transport=recorder) as jde:
            list(jde.suppliers())
            list(jde.accounts())
    recorder.save(fixture)
    return fixture


def client(replay: SessionReplay) -> mc.JDEdwardsAIS:
    return mc.JDEdwardsAIS(replay.url, auth=mc.AISSession("a", "b"), transport=replay, clock=replay.clock)


def test_what_was_not_recorded_is_refused(recorded: Path) -> None:
    replay = SessionReplay(recorded)
    jde = client(replay)
    with pytest.raises(UnexpectedCall, match=r"Asked for .*F4301(?s:.)*recorded is .*F0401"):
        list(jde.purchase_orders())
    replay = SessionReplay(recorded, in_order=False)
    with client(replay) as jde:
        list(jde.accounts())
        list(jde.suppliers())
    replay.finish()


def test_the_order_counts_unless_told_otherwise(recorded: Path) -> None:
    replay = SessionReplay(recorded)
    jde = client(replay)
    with pytest.raises(UnexpectedCall):
        list(jde.accounts())


def test_what_was_never_asked_for_is_told_at_the_end(recorded: Path) -> None:
    with pytest.raises(UnexpectedCall, match="recorded calls were not asked for"):
        with SessionReplay(recorded) as replay:
            client(replay).close()
    with pytest.raises(ZeroDivisionError):
        with SessionReplay(recorded):
            raise ZeroDivisionError
    assert "calls left" in repr(replay)


def test_more_than_was_recorded_is_refused(recorded: Path) -> None:
    replay = SessionReplay(recorded)
    jde = client(replay)
    list(jde.suppliers())
    list(jde.accounts())
    jde.close()
    with pytest.raises(UnexpectedCall, match="nothing more"):
        replay.send("GET", f"{replay.url}/x", {}, None, mc.Timeout())


def test_a_lost_answer_is_lost_again(tmp_path: Path) -> None:
    recorder = SessionRecorder()
    with CleoSimulator() as network, network.client(transport=recorder) as cleo:
        cleo.files("inbox")
        network.fail(drop="after", match="PUT")
        with pytest.raises(mc.MLConnectorError):
            cleo.upload("outbox/a.txt", b"text")
    recorder.save(tmp_path / "session.json")
    with SessionReplay(tmp_path / "session.json") as replay:
        auth = mc.OAuth2Password("any", "any")
        with mc.Cleo(replay.url, auth=auth, transport=replay, clock=replay.clock) as cleo:
            cleo.files("inbox")
            with pytest.raises(mc.MLConnectorError):
                cleo.upload("outbox/a.txt", b"text")


def test_accounts_and_tax_ids_in_files_are_replaced(tmp_path: Path) -> None:
    recorder = SessionRecorder(values=["Project Falcon"], names=["remark"])
    segments = [
        "BPR*C*1.00*C*ACH*CTX*01*021000021*DA*000123456789*1234567890**01*011000015*DA*9988776655*20260302",
        "REF*TJ*987654321",
        "N1*SE*Acme*FI*123456780",
        "N1*BY*Acme*92*4343",
        "NTE**Project Falcon IBAN DE89370400440532013000",
    ]
    data = (ISA + "~".join(segments) + "~").encode()
    with CleoSimulator() as network, network.client(transport=recorder) as cleo:
        cleo.upload("outbox/820.edi", data)
        assert cleo.download("outbox/820.edi") == data
        cleo.upload("outbox/image.bin", b"\xff\xfe\x00")
    recorder.save(tmp_path / "session.json")
    text = (tmp_path / "session.json").read_text()
    gone = ("000123456789", "021000021", "011000015", "9988776655", "987654321", "123456780", "Falcon", "DE8937")
    for secret in gone:
        assert secret not in text, secret
    assert "N1*BY*Acme*92*4343" in text
    assert "<3 bytes>" in text


def test_a_secret_that_would_stay_keeps_the_file_from_being_written(tmp_path: Path) -> None:
    class Odd:
        def send(self, *_: Any) -> Any:
            from mlconnector.http import RawAnswer

            return RawAnswer(200, {"Content-Type": "text/plain"}, b"status: abcdefg")

    recorder = SessionRecorder(Odd(), values=["abcd", "json"])
    recorder.send("GET", "https://x.example/a?b=1", {}, None, mc.Timeout())
    with pytest.raises(mc.InvalidArgument, match="would have stayed"):
        recorder.save(tmp_path / "session.json")
    assert not (tmp_path / "session.json").exists()


def test_a_recorder_hides_what_it_holds_and_an_empty_one_is_not_saved(tmp_path: Path) -> None:
    recorder = SessionRecorder()
    with pytest.raises(mc.InvalidArgument, match="Nothing was recorded"):
        recorder.save(tmp_path / "session.json")
    with JDEdwardsSimulator() as erp, erp.client(transport=recorder) as jde:
        list(jde.accounts())
        assert erp.password not in repr(recorder) + repr(recorder._exchanges)
    with pytest.raises(mc.InvalidArgument, match="does not pickle"):
        pickle.dumps(recorder)


@pytest.mark.parametrize("text", ["{}", "[", '{"version": 7, "origins": ["x"], "calls": []}'])
def test_a_file_that_is_no_session_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "session.json").write_text(text)
    with pytest.raises(mc.InvalidArgument, match="no recorded session"):
        SessionReplay(tmp_path / "session.json")
