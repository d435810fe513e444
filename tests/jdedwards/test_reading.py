"""What readers find, what they ask for, and what they make of answers that cannot be right."""

from __future__ import annotations

import datetime as dt
import json
import threading
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.testing import orders
from tests.http.wire import WireServer, answer
from tests.jdedwards.conftest import LINE, Site

ADDRESS = {"DOCO": 50001, "DCTO": "OP", "KCOO": "00001", "ANTY": "2"}


def test_an_address_changed_alone_is_a_change_of_its_order(site: Site) -> None:
    site.erp.add(orders(3))
    records = site.jde.purchase_orders()
    assert len(list(records)) == 3
    site.clock.advance(dt.timedelta(days=2))
    records = records.continue_from(records.cursor)
    assert list(records) == []
    site.erp.add({**ADDRESS, "MLNM": "Dock 9", "ADD1": "Quay 1", "CTY1": "Port"}, table="F4006")
    (changed,) = records.continue_from(records.cursor)
    assert changed.number == "50001"
    assert changed.ship_to is not None
    assert changed.ship_to.name == "Dock 9"


def test_what_the_margin_of_an_unknown_zone_brings_again_is_not_handed_out_again(site: Site) -> None:
    site.erp.add(orders(2))
    site.clock.advance(dt.timedelta(hours=20))
    site.erp.update("F4311", {"DOCO": 50002, "LNID": 1, **LINE}, UORG=7)
    records = site.jde.purchase_orders()
    assert [order.number for order in records] == ["50001", "50002"]
    for _ in range(2):
        records = records.continue_from(json.loads(json.dumps(records.cursor)))
        assert list(records) == []


def test_a_ship_to_party_has_its_mailing_name(site: Site) -> None:
    site.erp.add(orders(1))
    (before,) = site.jde.purchase_orders()
    assert before.ship_to is not None
    site.erp.add({"AN8": int(before.ship_to.number), "IDLN": 0, "MLNM": "Plant West, Gate 4"}, table="F0111")
    (order,) = site.jde.purchase_orders()
    assert order.ship_to is not None
    assert order.ship_to.name == "Plant West, Gate 4"


def test_documents_are_mapped_in_the_thread_of_their_reader(site: Site) -> None:
    """So that the next page is fetched meanwhile."""
    site.erp.add(orders(3))
    threads: list[str] = []

    class Noting(dict[str, str]):
        def get(self, key: Any, default: Any = None) -> Any:
            threads.append(threading.current_thread().name)
            return super().get(key, default)

    auth = mc.AISSession(site.erp.username, site.erp.password)
    with mc.JDEdwardsAIS(site.erp.url, auth=auth, clock=site.clock, page_size=1) as jde:
        object.__setattr__(jde._source, "line_types", Noting(jde._source.line_types))
        assert len(list(jde.purchase_orders())) == 3
    assert set(threads) == {threading.current_thread().name}


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("purchase_orders", "50001"),
        ("purchase_orders", "00001/OP/x"),
        ("purchase_orders", 50001),
        ("invoices", "00001/PV"),
        ("suppliers", "Parts"),
        ("payments", ""),
        ("accounts", " "),
    ],
)
def test_keys_that_are_none_are_said_so(site: Site, kind: str, key: Any) -> None:
    with pytest.raises(mc.InvalidArgument, match="keys= holds"):
        list(site.jde.read(kind, keys=[key]))


def test_keys_are_asked_for_in_pages(site: Site) -> None:
    site.erp.add(orders(30))
    keys = [f"00001/OP/{number}" for number in range(50001, 50031)]
    auth = mc.AISSession(site.erp.username, site.erp.password)
    with mc.JDEdwardsAIS(site.erp.url, auth=auth, clock=site.clock, page_size=10) as jde:
        assert sorted(order.key for order in jde.purchase_orders(keys=[*keys, keys[0]])) == keys


def test_a_path_before_the_service_shows_no_password() -> None:
    with pytest.raises(mc.InvalidArgument) as caught:
        mc.JDEdwardsAIS("https://u:hush@ais.example/portal/jderest", auth=mc.AISSession("u", "p"))
    assert "hush" not in str(caught.value)


LOGIN = answer(200, json.dumps({"userInfo": {"token": "t", "simpleDateFormat": "MM/dd/yyyy"}}).encode())


@pytest.mark.parametrize(
    "grid",
    [
        None,
        [],
        {"data": None},
        {"data": {"gridData": None}},
        {"data": {"gridData": {"rowset": None, "summary": {"moreRecords": False}}}},
        {"data": {"gridData": {"rowset": [], "summary": None}}},
        {"data": {"gridData": {"rowset": []}}},
        {"data": {"gridData": {"rowset": [1], "summary": {"moreRecords": False}}}},
        {"data": {"gridData": {"rowset": [{}], "summary": {"moreRecords": False}}}},
    ],
)
def test_a_grid_that_is_none_is_a_fault_of_the_vendor(grid: Any) -> None:
    body = json.dumps({"fs_DATABROWSE_F0901": grid}).encode()
    with WireServer([LOGIN, answer(200, body)]) as server:
        with mc.JDEdwardsAIS(server.url, auth=mc.AISSession("u", "p"), time_zone=dt.UTC) as jde:
            with pytest.raises(mc.VendorFault):
                list(jde.accounts())
