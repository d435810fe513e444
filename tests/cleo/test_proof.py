"""What proves that a file arrived, that an action ran, and that nothing did (delivery rule 6; targets, Cleo)."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import time
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector.cleo import CleoFiles, Route
from mlconnector.testing import CleoSimulator
from tests.cleo.test_cleo import ORDER, PARTNER, on_wire, prepared
from tests.http.wire import answer

ROUTE = Route("4343", PARTNER, folder="outbox/ACME", connection="ACME", action="send")


@pytest.fixture
def network() -> Iterator[CleoSimulator]:
    with CleoSimulator() as made:
        made.add({"alias": "ACME", "outbox": "outbox/ACME", "sentbox": "sent"})
        yield made


def _uploaded(cleo: mc.Cleo, **route: Any) -> tuple[Any, mc.Prepared]:
    target = cleo.target("files", routes=[attrs.evolve(ROUTE, **route)], look_up="reliable")
    delivery = attrs.evolve(prepared(target), step="upload", attempt=1)
    target.deliver([delivery])
    return target, delivery


def test_a_file_in_the_outbox_says_nothing_of_a_run_which_is_never_repeated(network: CleoSimulator) -> None:
    with network.client() as cleo:
        target, delivery = _uploaded(cleo)
        assert target.find(delivery).steps == ("upload",)
        with pytest.raises(mc.DeliveryInDoubt, match="no transfer"):
            target.find(attrs.evolve(delivery, step="run"))


@pytest.mark.parametrize("status", ["Error", "Receipt Pending", "something new"])
def test_a_transfer_that_is_no_success_proves_no_run(network: CleoSimulator, status: str) -> None:
    with network.client() as cleo:
        target, delivery = _uploaded(cleo)
        network.transmit(status=status)
        assert target.find(delivery).steps == ("upload",)
        with pytest.raises(mc.DeliveryInDoubt, match=f"{status}.*'send'"):
            target.find(attrs.evolve(delivery, step="run"))


def test_a_success_among_the_transfers_of_a_file_is_what_counts(network: CleoSimulator) -> None:
    with network.client() as cleo:
        target, delivery = _uploaded(cleo)
        network.transmit(status="Error")
        network.transmit(status="Suc-cess")
        assert target.find(attrs.evolve(delivery, step="run")).steps == ("upload", "run")


def test_a_recovery_does_not_take_a_transfer_under_way_for_sent(network: CleoSimulator) -> None:
    with network.client() as cleo:
        target, delivery = _uploaded(cleo)
        network.transmit(status="Receipt Pending")
        with pytest.raises(mc.DeliveryInDoubt, match="no success"):
            target.newest(attrs.evolve(delivery, key=ORDER.key))


def test_a_sentbox_that_is_not_there_is_no_empty_one(network: CleoSimulator) -> None:
    with network.client() as cleo:
        target, delivery = _uploaded(cleo, connection=None, action=None, sentbox="sentt")
        network.transmit()
        assert target.find(delivery) is None
        network.fail(status=404, match="sentt")
        with pytest.raises(mc.DeliveryInDoubt, match="no folder sentt"):
            target.find(delivery)


def _page(*names: str, total: int | None) -> Any:
    body = {"resources": [{"name": name, "path": f"in/{name}", "type": "file"} for name in names]}
    return answer(200, json.dumps(body if total is None else {**body, "totalResults": total}).encode())


def _listed(*pages: Any) -> tuple[list[str], int]:
    server, cleo = on_wire([*pages], page_size=2)
    with contextlib.ExitStack() as stack:
        stack.push(server.__exit__)
        stack.enter_context(cleo)
        return [file.name for file in cleo.files("in")], len(server.requests)


def test_a_listing_that_shrinks_while_it_is_read_is_begun_anew() -> None:
    """b and c moved on after the first page: d and e moved up to where it was read already."""
    first, second = _page("a", "b", total=5), _page("e", total=3)
    again = _page("a", "d", total=3), _page("e", total=3)
    assert _listed(first, second, *again) == (["a", "b", "e", "d"], 4)


def test_a_listing_that_was_not_read_to_its_end_is_none() -> None:
    with pytest.raises(mc.VendorFault, match="told of 3 entries and showed 2"):
        _listed(_page("a", "b", total=3), _page(total=3))
    shrinking = [_page("a", "b", total=left) for left in range(20, 10, -1)]
    with pytest.raises(mc.VendorFault, match="told of"):
        _listed(*shrinking)


def test_without_a_total_a_full_page_is_not_the_end() -> None:
    assert _listed(_page("a", "b", total=None), _page("c", total=None)) == (["a", "b", "c"], 2)
    assert _listed(_page("a", "b", total=None), _page("a", "b", total=None)) == (["a", "b"], 2)


@pytest.mark.parametrize("status", [500, 504])
def test_what_is_sent_once_is_in_doubt_after_an_answer_that_does_not_tell(network: CleoSimulator, status: int) -> None:
    with network.client() as cleo:
        network.fail(status=status, match="POST /api/custom")
        with pytest.raises(mc.DeliveryInDoubt, match="/api/custom"):
            cleo.post_payload("/api/custom", {})
        network.fail(status=status, match="run")
        with pytest.raises(mc.DeliveryInDoubt, match="'send'") as caught:
            cleo.run_action("send", connection="ACME")
        assert "never run it again" in caught.value.cure
        network.fail(status=400, match="run")
        with pytest.raises(mc.VendorFault):
            cleo.run_action("send", connection="ACME")


@pytest.mark.parametrize(
    "template", ["/api/files", "api/{path}", "/api/{tenant}/{path}", "/api/{path", "/api/{}/{path}"]
)
@pytest.mark.parametrize("name", ["upload_path", "download_path", "delete_path"])
def test_a_template_that_cannot_be_filled_is_refused_when_it_is_given(name: str, template: str) -> None:
    options: dict[str, Any] = {name: template}
    with pytest.raises(mc.InvalidArgument, match=name):
        CleoFiles(**options)


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-23:00"])
def test_a_stamp_at_the_ends_of_the_calendar_says_nothing(stamp: str) -> None:
    from mlconnector.cleo._files import listed

    assert listed([{"name": "a", "meta": {"lastModified": stamp}}], "in")[0].modified is None


def test_a_quote_in_a_name_stays_inside_of_it_in_a_form() -> None:
    server, cleo = on_wire([answer(200, b"{}")], files=CleoFiles(body="multipart"))
    with contextlib.ExitStack() as stack:
        stack.push(server.__exit__)
        stack.enter_context(cleo)
        cleo.upload('outbox/a"; name="b.edi', b"x")
        assert b'filename="a%22; name=%22b.edi"' in server.requests[0]


def test_a_stamp_without_a_zone_is_of_utc_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    from mlconnector.cleo._files import listed

    monkeypatch.setenv("TZ", "America/Chicago")
    time.tzset()
    try:
        (file,) = listed([{"name": "a", "meta": {"lastModified": "2026-03-02T08:00:00"}}], "in")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert file.modified == dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)


def test_reliable_needs_something_that_tells_what_has_left(network: CleoSimulator) -> None:
    told = Route("2", PARTNER, folder="outbox/TOLD", sentbox="sent/TOLD")
    posted = Route("3", PARTNER, format="json", path="/api/orders")
    with network.client() as cleo:
        assert cleo.target("files", routes=[told, posted], look_up="reliable").look_up == "reliable"
        with pytest.raises(mc.InvalidArgument, match="nothing tells what has left 'outbox/BLIND'"):
            cleo.target("files", routes=[told, Route("1", PARTNER, folder="outbox/BLIND")], look_up="reliable")
