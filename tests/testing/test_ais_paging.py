from __future__ import annotations

import urllib.parse
from typing import Any

import pytest
import requests

from mlconnector.testing import JDEdwardsSimulator, ManualClock
from tests.testing.ais import DEVICE, Bare, ascending, grid, where

ORDER = ascending("F0101.AN8")


def filled(count: int, **options: Any) -> JDEdwardsSimulator:
    jde = JDEdwardsSimulator(**options)
    jde.add([{"AN8": number} for number in range(1, count + 1)], table="F0101")
    return jde


def paged(bare: Bare, size: str = "4", **members: Any) -> requests.Response:
    return bare.data("F0101", "AN8", maxPageSize=size, enableNextPageProcessing=True, aggregation=ORDER, **members)


def link(answer: requests.Response) -> str:
    (only,) = answer.json()["links"]
    assert only["rel"] == "next"
    return str(only["href"])


def follow(bare: Bare, href: str, method: str = "POST", **options: Any) -> requests.Response:
    address = urllib.parse.urlsplit(href)
    url = f"{bare.simulator.url}{address.path}?{address.query}"
    return bare.http.request(method, url, timeout=5, **options)


def numbers(answer: requests.Response) -> list[int]:
    return [row["F0101_AN8"] for row in grid(answer, "F0101")["rowset"]]


def test_a_page_is_100_rows_unless_told() -> None:
    with filled(101) as jde, Bare(jde) as bare:
        found = grid(bare.data("F0101", "AN8"), "F0101")
        assert found["summary"] == {"records": 100, "moreRecords": True}


@pytest.mark.parametrize("size", ["No Max", "no max", "9999"])
def test_no_result_is_longer_than_the_fetch_limit(size: str) -> None:
    with filled(12, fetch_limit=10) as jde, Bare(jde) as bare:
        answer = bare.data("F0101", "AN8", maxPageSize=size, aggregation=ORDER)
        assert numbers(answer) == list(range(1, 11))
        assert grid(answer, "F0101")["summary"] == {"records": 10, "moreRecords": True}


def test_the_fetch_limit_is_2000_by_default() -> None:
    with filled(2001) as jde, Bare(jde) as bare:
        assert grid(bare.data("F0101", "AN8", maxPageSize="No Max"), "F0101")["summary"]["records"] == 2000


def test_a_page_may_be_shorter_than_asked_for() -> None:
    with filled(9, page_ceiling=5) as jde, Bare(jde) as bare:
        assert grid(bare.data("F0101", "AN8", maxPageSize="8"), "F0101")["summary"] == {
            "records": 5,
            "moreRecords": True,
        }


def test_links_come_only_when_asked_for() -> None:
    with filled(9) as jde, Bare(jde) as bare:
        assert "links" not in bare.data("F0101", "AN8", maxPageSize="4").json()
        assert "links" in paged(bare).json()
        assert "links" not in paged(bare, "9").json()


def test_links_lead_through_every_page() -> None:
    with filled(9) as jde, Bare(jde) as bare:
        first = paged(bare)
        second = follow(bare, link(first))
        third = follow(bare, link(second), "GET")
        assert numbers(first) + numbers(second) + numbers(third) == list(range(1, 10))
        assert "links" not in third.json()
        assert grid(third, "F0101")["summary"] == {"records": 1, "moreRecords": False}


def test_a_link_shows_the_servers_own_view_and_holds_the_token_encoded_once() -> None:
    with filled(9) as jde, Bare(jde) as bare:
        address = urllib.parse.urlsplit(link(paged(bare)))
        assert address.hostname == "ais-inside.invalid"
        query = dict(urllib.parse.parse_qsl(address.query))
        assert query["token"] == bare.token
        assert query["deviceName"] == DEVICE
        twice = f"{address.path}?{urllib.parse.quote(address.query, safe='=&')}"
        assert bare.http.post(jde.url + twice, timeout=5).status_code == 444


def test_a_repeated_next_call_skips_a_page() -> None:
    with filled(12) as jde, Bare(jde) as bare:
        href = link(paged(bare))
        assert numbers(follow(bare, href)) == [5, 6, 7, 8]
        assert numbers(follow(bare, href)) == [9, 10, 11, 12]


def test_a_late_next_call_finds_no_result_set() -> None:
    clock = ManualClock()
    with filled(12, clock=clock) as jde, Bare(jde) as bare:
        href = link(paged(bare))
        clock.advance(60)
        href = link(follow(bare, href))
        clock.advance(61)
        late = follow(bare, href)
        assert late.status_code == 500
        assert late.json()["sysErrors"][0]["DESC"].startswith("JAS_MSG347")
        assert follow(bare, href).status_code == 500


def test_a_body_of_a_next_call_is_empty_or_null() -> None:
    with filled(12) as jde, Bare(jde) as bare:
        href = link(paged(bare))
        json_type = {"Content-Type": "application/json"}
        assert follow(bare, href, data="null", headers=json_type).status_code == 200
        assert follow(bare, href, data="{}", headers=json_type).status_code == 400
        assert follow(bare, href, data="null").status_code == 415


def test_a_result_set_ends_with_its_session() -> None:
    with filled(12) as jde, Bare(jde) as bare:
        href = link(paged(bare))
        jde.expire_tokens()
        assert follow(bare, href).status_code == 444
        with Bare(jde) as again:
            gone = follow(again, link(paged(again)))
            assert gone.status_code == 200
            again.post("/v2/tokenrequest/logout", {})
            assert follow(again, href).status_code == 444


def test_the_limit_cuts_a_paged_set_without_a_link() -> None:
    with filled(12, fetch_limit=6) as jde, Bare(jde) as bare:
        last = follow(bare, link(paged(bare)))
        assert numbers(last) == [5, 6]
        assert "links" not in last.json()
        assert grid(last, "F0101")["summary"]["moreRecords"] is True


def test_a_stateless_call_gets_no_links() -> None:
    with filled(9) as jde, Bare(jde) as bare:
        login = {"username": jde.username, "password": jde.password}
        answer = bare.data("F0101", "AN8", maxPageSize="4", enableNextPageProcessing=True, **login)
        assert "links" not in answer.json()
        assert grid(answer, "F0101")["summary"]["moreRecords"] is True


def test_ten_thousand_rows_by_key_take_no_more_calls_than_pages() -> None:
    with filled(10_000) as jde, Bare(jde) as bare:
        found: list[int] = []
        more = True
        while more:
            query = where(("F0101.AN8", "GREATER", str(found[-1] if found else 0)))
            answer = bare.data("F0101", "AN8", maxPageSize="1000", aggregation=ORDER, query=query)
            found += numbers(answer)
            more = grid(answer, "F0101")["summary"]["moreRecords"]
        assert found == list(range(1, 10_001))
        assert len(jde.calls) == 1 + 10
