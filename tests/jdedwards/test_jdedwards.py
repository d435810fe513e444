"""The JD Edwards client, against the simulator and against hand-made answers."""

from __future__ import annotations

import datetime as dt
import json
import zoneinfo
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector.jdedwards._query import condition, date_text
from mlconnector.jdedwards._values import Zone, date_of
from mlconnector.testing import JDEdwardsSimulator, ManualClock, accounts, orders, suppliers, vouchers
from tests.http.wire import WireServer, answer, send_raw
from tests.jdedwards.conftest import LINE, START, Site


def test_a_thousand_orders_take_at_most_sixty_calls_and_an_unchanged_poll_four(site: Site) -> None:
    site.erp.add(orders(1000, lines=3, suppliers=50))
    site.clock.advance(dt.timedelta(days=3))
    records = site.jde.purchase_orders(since=START - dt.timedelta(days=30))
    assert len(list(records)) == 1000
    assert site.calls() <= 60
    again = records.continue_from(json.loads(json.dumps(records.cursor)))
    assert list(again) == []
    # F4301, F4311 and F4006 are stamped apart, and the stamps of 3,000 lines are two answers.
    assert site.calls() <= 4
    site.clock.advance(dt.timedelta(minutes=1))
    site.erp.update("F4311", {"DOCO": 50500, "LNID": 2, **LINE}, UORG=5)
    third = again.continue_from(again.cursor)
    assert [order.number for order in third] == ["50500"]
    # Scans 4, the order 3, supplier 2, ship-to 3.
    assert site.calls() <= 12


def test_orders_are_found_by_header_and_by_line_and_read_whole(site: Site) -> None:
    site.erp.add(orders(5))
    records = site.jde.purchase_orders()
    first = list(records)
    assert [len(order.lines) for order in first] == [3] * 5
    site.clock.advance(dt.timedelta(minutes=30))
    site.erp.update("F4301", {"DOCO": 50002, **LINE}, HOLD="B1")
    site.erp.update("F4311", {"DOCO": 50004, "LNID": 3, **LINE}, UORG=1)
    changed = {order.number: order for order in records.continue_from(records.cursor)}
    assert sorted(changed) == ["50002", "50004"]
    assert changed["50002"].waiting_for == ("hold B1",)
    assert len(changed["50004"].lines) == 3


def test_the_same_number_under_another_type_or_company_is_another_order(site: Site) -> None:
    site.erp.add(orders(1))
    (order,) = site.jde.purchase_orders()
    rows = [dict(row) for row in site.jde.rows("F4311", columns=["DOCO", "DCTO", "KCOO", "SFXO", "LNID", "UORG"])]
    for row in rows:
        plain = {name.partition("_")[2]: value for name, value in row.items()}
        plain = {**plain, "KCOO": "00002"}
        site.erp.add(plain, table="F4311")
    assert list(site.jde.purchase_orders()) == [order]


def test_odd_orders_are_mapped_as_the_rules_say(site: Site) -> None:
    odd = {
        0: ["service_line"],
        1: ["freight_line"],
        2: ["per_thousand"],
        3: ["foreign"],
        4: ["no_currency"],
        5: ["drop_ship"],
        6: ["blanket_release"],
        7: ["cancelled_line"],
        8: ["line_numbers"],
        9: ["text_line"],
    }
    site.erp.add(orders(10, odd=odd))
    by_mark = dict(zip([marks[0] for marks in odd.values()], site.jde.purchase_orders(), strict=True))
    kinds = {mark: {line.kind for line in order.lines} for mark, order in by_mark.items()}
    assert "amount" in kinds["service_line"]
    assert "charge" in kinds["freight_line"]
    assert "text" in kinds["text_line"]
    assert "TH" in {line.price_unit for line in by_mark["per_thousand"].lines}
    assert by_mark["foreign"].currency not in (None, "USD")
    assert by_mark["no_currency"].currency == "USD"
    assert by_mark["drop_ship"].drop_ship
    assert by_mark["drop_ship"].ship_to.name
    assert by_mark["blanket_release"].original_order
    assert "cancelled" in {line.status for line in by_mark["cancelled_line"].lines}
    assert any("." in line.number for line in by_mark["line_numbers"].lines)


def test_vouchers_come_whole_with_their_lines(site: Site) -> None:
    odd = {0: ["split"], 1: ["foreign"], 2: ["matched"], 3: ["void"], 4: ["held"], 5: ["debit_memo"]}
    site.erp.add(vouchers(8, odd=odd))
    records = site.jde.invoices()
    found = list(records)
    assert len(found) == 8
    assert len(found[0].pay_items) > 1
    assert found[1].base_currency == "USD"
    assert found[1].currency != "USD"
    assert {line.kind for line in found[2].lines} == {"item"}
    assert found[3].void
    assert not found[4].ready
    assert found[5].kind == "debit"
    for invoice in found:
        if not invoice.void:
            assert sum(line.amount for line in invoice.lines) == invoice.gross - invoice.tax
    site.clock.advance(dt.timedelta(days=2))
    settled = records.continue_from(records.cursor)
    assert list(settled) == []
    assert [one.number for one in records.only([found[0].key, "00001/PV/1"])] == [found[0].number]


def test_suppliers_are_joined_and_found_by_any_of_their_tables(site: Site) -> None:
    site.erp.add(suppliers(7))
    records = site.jde.suppliers()
    found = list(records)
    assert len(found) == 7
    assert all(one.name and one.address for one in found)
    site.clock.advance(dt.timedelta(minutes=30))
    site.erp.update("F0101", {"AN8": int(found[3].number)}, ALPH="Renamed")
    changed = list(records.continue_from(records.cursor))
    assert [(one.number, one.name) for one in changed] == [(found[3].number, "Renamed")]
    assert list(site.jde.suppliers(keys=[])) == []
    assert len(list(site.jde.suppliers(keys=[found[0].number]))) == 1


def test_accounts_cost_centres_and_payments(site: Site) -> None:
    site.erp.add(accounts())
    site.erp.add(
        mc.Payment(
            number="77",
            date=dt.date(2026, 2, 1),
            amount=Decimal("10.50"),
            currency="USD",
            payee=mc.Party(number="4343"),
            applications=[mc.Application(invoice="00001/PV/1", amount=Decimal("10.50"))],
        )
    )
    assert len(list(site.jde.accounts())) > 1
    centres = list(site.jde.cost_centers())
    assert centres[0].number == centres[0].number.rjust(12)
    (payment,) = site.jde.payments()
    assert (payment.amount, payment.applications[0].amount) == (Decimal("10.50"), Decimal("10.50"))
    assert len(list(site.jde.accounts(since=START - dt.timedelta(days=1)))) == len(list(site.jde.accounts()))
    assert list(site.jde.accounts(keys=[])) == []


def test_since_is_exact_where_the_zone_is_known(site: Site) -> None:
    site.erp.add(accounts())
    count = len(list(site.jde.accounts()))
    site.clock.advance(dt.timedelta(hours=5))
    assert len(list(site.jde.accounts(since=START + dt.timedelta(hours=1)))) == count
    hours = {"UTC-05:00": -5, "UTC+09:30": 9.5}[site.offset]
    auth = mc.AISSession(site.erp.username, site.erp.password)
    zone = dt.timezone(dt.timedelta(hours=hours))
    with mc.JDEdwardsAIS(site.erp.url, auth=auth, clock=site.clock, time_zone=zone) as exact:
        assert list(exact.accounts(since=START + dt.timedelta(hours=1))) == []
        assert len(list(exact.accounts(since=START - dt.timedelta(hours=1)))) == count


def test_raw_rows_are_as_the_server_sends_them(site: Site) -> None:
    site.erp.add(orders(400))
    rows = list(site.jde.rows("F4311", columns=["AEXP"], where=[("DCTO", "=", "OP")]))
    assert len(rows) == 1200
    assert isinstance(rows[0]["F4311_AEXP"], (Decimal, int))
    assert len(list(site.jde.rows("F4311", columns=["AEXP"], limit=7))) == 7
    ordered = list(site.jde.rows("F4301", columns=["DOCO"], order_by=["-DOCO"], limit=3))
    assert [row["F4301_DOCO"] for row in ordered] == [50400, 50399, 50398]
    assert site.jde.count("F4311", [("DOCO", "between", (50001, 50002))]) == 6
    for op, value, count in (
        ("startswith", "O", 400),
        ("contains", "P", 400),
        ("!=", "OP", 0),
        ("in", ["OP", "OX"], 400),
    ):
        assert site.jde.count("F4301", [("DCTO", op, value)]) == count
    assert site.jde.count("F4301", [("UPMJ", ">=", dt.date(2026, 3, 1))]) == 400
    with pytest.raises(mc.InvalidArgument, match="no key to go on by"):
        list(site.jde.rows("F4311", columns=["AEXP"], order_by=["AEXP"], params={"maxPageSize": "5"}))


def test_ordered_rows_go_on_where_a_page_ends_if_columns_of_the_key_order_them() -> None:
    with JDEdwardsSimulator(fetch_limit=5) as erp:
        erp.add(orders(9))
        with mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password)) as jde:
            rows = list(jde.rows("F4311", columns=["LNID", "AEXP"], order_by=["LNID", "DOCO"]))
            assert len(rows) == 27
            assert [row["F4311_LNID"] for row in rows] == sorted(row["F4311_LNID"] for row in rows)
            assert {tuple(row) for row in rows} == {("F4311_LNID", "F4311_AEXP")}
            assert len(list(jde.rows("F4311", columns=["DOCO"], order_by=["DOCO"], limit=13))) == 13
            for order_by in (["-DOCO"], ["AEXP"]):
                with pytest.raises(mc.InvalidArgument, match="no key to go on by"):
                    list(jde.rows("F4311", columns=["DOCO"], order_by=order_by, limit=13))


def test_a_page_of_one_value_is_walked_deeper(site: Site) -> None:
    site.erp.add(orders(3, lines=9))
    service = site.jde._service
    grids = service.walk(
        "F4311", ("DOCO", "DCTO", "KCOO", "SFXO", "LNID"), ("DOCO", "DCTO", "KCOO", "SFXO", "LNID"), (), size=4
    )
    keys = [(row["F4311_DOCO"], row["F4311_LNID"]) for grid in grids for row in grid.rows]
    assert len(keys) == len(set(keys)) == 27


@pytest.mark.parametrize("limit", [30, 3])
def test_a_fetch_limit_of_the_server_loses_nothing(limit: int) -> None:
    with JDEdwardsSimulator(fetch_limit=limit) as erp:
        erp.add(orders(25))
        with mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password)) as jde:
            assert [len(order.lines) for order in jde.purchase_orders()] == [3] * 25


def test_an_expired_session_is_replaced_and_logged_out(site: Site) -> None:
    site.erp.add(orders(2))
    assert len(list(site.jde.purchase_orders())) == 2
    site.erp.expire_tokens()
    assert len(list(site.jde.purchase_orders())) == 2


def test_check_proves_every_table(site: Site) -> None:
    site.erp.add(orders(2))
    check = site.jde.check()
    assert check.ok
    assert "fit to go" in str(check)
    site.erp.hide("F4006")
    assert "table F4006: readable, but no row came" in str(site.jde.check())
    site.erp.fail(status=404, match="defaultconfig")
    assert site.jde.check().ok


def test_a_refused_login_is_one_call_and_names_the_cure() -> None:
    with JDEdwardsSimulator() as erp, mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, "wrong")) as jde:
        for _ in range(3):
            with pytest.raises(mc.AuthenticationFailed, match="administrator"):
                list(jde.purchase_orders())
        assert erp.refused_logins == 1
        assert not jde.check().ok


def test_a_table_that_may_not_be_read_is_named() -> None:
    with JDEdwardsSimulator() as erp, mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password)) as jde:
        erp.fail(status=403, times=4, match="dataservice")
        with pytest.raises(mc.PermissionDenied, match="F0008: .* not allowed"):
            list(jde.rows("F0008", columns=["DTPN"]))
        with pytest.raises(mc.PermissionDenied, match="F0010: "):
            jde.count("F0010")


def test_an_unknown_column_and_an_unknown_table_are_said_so() -> None:
    for bad in (500, 200):
        with JDEdwardsSimulator(bad_column=bad) as erp:
            with mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password)) as jde:
                for table, column in (("F4311", "PDAEXP"), ("F9999", "X")):
                    with pytest.raises(mc.VendorFault):
                        list(jde.rows(table, columns=[column]))
                with pytest.raises(mc.VendorFault):
                    jde.count("F4311", [("NOPE", "=", "1")])


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (405, b"<html>no</html>", mc.PermissionDenied, "Allowed Hosts"),
        (200, b"<html>portal</html>", mc.VendorFault, "HTML page"),
        (200, b'{"username":"x"}', mc.VendorFault, "userInfo.token"),
        (500, b'{"message":"JAS down"}', mc.VendorFault, "."),
    ],
)
def test_a_login_that_is_none_is_said_so(status: int, body: bytes, error: type[Exception], words: str) -> None:
    with WireServer([answer(status, body, Content_Type="text/html")]) as server:
        with mc.JDEdwardsAIS(server.url, auth=mc.AISSession("u", "p")) as jde:
            with pytest.raises(error, match=words):
                list(jde.purchase_orders())


@pytest.mark.parametrize(
    "body",
    [
        {"sysErrors": [{"TITLE": "JAS_MSG", "DESC": "JAS_MSG347: too late"}]},
        {"fs_DATABROWSE_F4301": {"errors": [{"TITLE": "bad"}], "data": {"gridData": {"rowset": [], "summary": {}}}}},
        {"errors": ["text"]},
        {},
    ],
)
def test_an_error_inside_a_200_is_an_error(body: dict[str, Any]) -> None:
    login = {"userInfo": {"token": "t", "simpleDateFormat": "MM/dd/yyyy"}}
    acts = [answer(200, json.dumps(login).encode()), answer(200, json.dumps(body).encode())]
    with WireServer(acts) as server, mc.JDEdwardsAIS(server.url, auth=mc.AISSession("u", "p")) as jde:
        with pytest.raises(mc.VendorFault, match="F4301"):
            list(jde.rows("F4301", columns=["DOCO"]))


_LOGIN = json.dumps({"userInfo": {"token": "t", "simpleDateFormat": "MM/dd/yyyy"}}).encode()


def _grid(table: str, *rows: str) -> bytes:
    """An answer with rows as texts of JSON, whose numbers stay as they are written."""
    content = f'"gridData":{{"rowset":[{",".join(rows)}],"summary":{{"records":{len(rows)},"moreRecords":false}}}}'
    return f'{{"fs_DATABROWSE_{table}":{{"data":{{{content}}}}}}}'.encode()


def test_whole_numbers_with_a_point_are_the_same_numbers() -> None:
    row = '{"F0901_AID":"00000001","F0901_MCU":"100","F0901_UPMJ":"20260302","F0901_UPMT":93015.0}'
    voucher = '{"F0411_DOC":7000.0,"F0411_AG":100.00,"F0411_DCT":"PV"}'
    acts = [_LOGIN, _grid("F0901", row), _grid("F0901", row), _grid("F0411", voucher), b'{"count":4.0}', b"{}"]
    with WireServer([answer(200, body) for body in acts]) as server:
        with mc.JDEdwardsAIS(server.url, auth=mc.AISSession("u", "p"), time_zone=dt.UTC) as jde:
            (account,) = jde.accounts(since=dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC))
            assert account.provenance.updated_at == dt.datetime(2026, 3, 2, 9, 30, 15, tzinfo=dt.UTC)
            (found,) = jde.rows("F0411", columns=["DOC", "AG", "DCT"])
            assert found == {"F0411_DOC": 7000, "F0411_AG": Decimal("100.00"), "F0411_DCT": "PV"}
            assert (str(found["F0411_DOC"]), str(found["F0411_AG"])) == ("7000", "100.00")
            assert jde.count("F0411") == 4


def test_a_change_whose_time_cannot_be_read_is_found_by_its_day() -> None:
    row = '{"F0901_AID":"00000001","F0901_UPMJ":"20260302","F0901_UPMT":"9:30"}'
    acts = [_LOGIN, _grid("F0901", row), _grid("F0901", row), b"{}"]
    with WireServer([answer(200, body) for body in acts]) as server:
        with mc.JDEdwardsAIS(server.url, auth=mc.AISSession("u", "p"), time_zone=dt.UTC) as jde:
            assert [one.number for one in jde.accounts(since=dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC))] == ["00000001"]


@pytest.mark.parametrize(("answers", "calls"), [([b"", b"{}"], 2), ([b"", b""], 2), ([b"{}"], 1)])
def test_a_logout_that_meets_a_closed_connection_is_said_once_more(answers: list[bytes], calls: int) -> None:
    goodbyes = [answer(200, body) if body else send_raw(b"") for body in answers]
    with WireServer([answer(200, _LOGIN), answer(200, b'{"count":4}'), *goodbyes]) as server:
        with mc.JDEdwardsAIS(server.url, auth=mc.AISSession("u", "p")) as jde:
            assert jde.count("F0411") == 4
        assert sum(b"/tokenrequest/logout" in request for request in server.requests) == calls


def test_a_logout_from_a_server_that_is_gone_is_not_said_twice() -> None:
    clock = ManualClock(dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
    with WireServer([answer(200, _LOGIN), answer(200, b'{"count":4}')]) as server:
        jde = mc.JDEdwardsAIS(server.url, auth=mc.AISSession("u", "p"), clock=clock, retry=mc.Retry(attempts=3))
        assert jde.count("F0411") == 4
    before = len(clock.sleeps)
    jde.close()
    assert len(clock.sleeps) - before <= 2


def test_an_orchestration_that_is_listed_and_not_at_version_3_is_not_called_missing() -> None:
    listed = b'{"orchestrations":[{"name":"ML_Mine","inputs":[]}]}'
    acts = [answer(200, _LOGIN), answer(404, b"<html>none</html>"), answer(200, listed), answer(200, b"{}")]
    with WireServer(acts) as server, mc.JDEdwardsAIS(server.url, auth=mc.AISSession("u", "p")) as jde:
        with pytest.raises(mc.UnknownReference, match="lists the orchestration 'ML_Mine'") as caught:
            jde.run_orchestration("ML_Mine")
        assert 'orchestrator_version="v2"' in caught.value.cure


def test_rows_that_cannot_be_read_are_rejected_with_every_fault(site: Site) -> None:
    site.erp.add(orders(2))
    (table,) = [table for name, table in site.erp.contents.items() if name == "F4311"]
    assert table
    lines = [{"DOCO": 50001, "LNID": number, **LINE} for number in (1, 2)]
    site.erp.update("F4311", lines[0], LNTY="ZZ")
    site.erp.update("F4311", lines[1], LNTY="Q")
    (page,) = site.jde.purchase_orders().pages()
    (rejected,) = page.rejected
    assert [order.number for order in page.documents] == ["50002"]
    assert rejected.key == "00001/OP/50001"
    assert rejected.updated_at is not None
    assert len(rejected.faults) == 2
    assert "'ZZ'" in rejected.faults[0]
    with pytest.raises(mc.InvalidDocument, match="00001/OP/50001"):
        list(site.jde.purchase_orders(keys=["00001/OP/50001"]))


@pytest.mark.parametrize(
    "options",
    [
        {"url": "https://x/portal/jderest"},
        {"page_size": 0},
        {"line_types": {"S": "thing"}},
        {"time_zone": "UTC"},
        {"session_age": dt.timedelta(minutes=5), "auth": mc.HTTPBasic("u", "p")},
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument):
        mc.JDEdwardsAIS(**{"url": "https://x", "auth": mc.AISSession("u", "p"), **options})


def test_reads_that_cannot_be_meant_are_refused(site: Site) -> None:
    for read in (
        lambda: site.jde.read("shipments"),
        lambda: site.jde.rows("F4301", columns=[]),
        lambda: site.jde.purchase_orders(where=[("MCU", "like", "x")]),
        lambda: site.jde.purchase_orders(where=[("MCU", "=", "*")]),
        lambda: site.jde.purchase_orders(where=[("MCU", "in", [])]),
        lambda: site.jde.purchase_orders(where=[("MCU", "=", 1.5)]),
    ):
        with pytest.raises(mc.InvalidArgument):
            read()
    assert site.jde.read("invoices").kind == "invoices"


@pytest.mark.parametrize(
    "options", [{"next_status": ("28", "998")}, {"next_status": ("998", "280")}, {"order_types": ()}]
)
def test_approvals_that_cannot_be_meant_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument):
        mc.Approval(**options)


@given(st.dates(min_value=dt.date(1940, 1, 1), max_value=dt.date(2039, 12, 31)))
def test_dates_go_out_in_the_users_format_and_come_back_from_the_grid(day: dt.date) -> None:
    assert date_text(day, "dd-MM-yy") == day.strftime("%d-%m-%y")
    assert date_text(day, "yyyy.MM.dd") == day.strftime("%Y.%m.%d")
    assert date_of(day.strftime("%Y%m%d")) == day


def test_every_way_of_writing_an_empty_date_is_empty_and_odd_formats_are_refused() -> None:
    assert [date_of(value) for value in (None, "", " ", "0", 0)] == [None] * 5
    with pytest.raises(mc.InvalidArgument):
        date_text(dt.date(2026, 1, 1), "EEE dd")
    with pytest.raises(mc.InvalidArgument):
        condition("F1", "X", "between", [1], "MM/dd/yyyy")


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_stamps_are_local_times_without_leading_zeros(hour: int, minute: int, second: int) -> None:
    row = {"F1_UPMJ": "20260115", "F1_UPMT": hour * 10000 + minute * 100 + second}
    for zone in (Zone(None, "UTC-05:00"), Zone(zoneinfo.ZoneInfo("America/New_York"), None)):
        expected = dt.datetime(2026, 1, 15, hour, minute, second, tzinfo=dt.UTC) + dt.timedelta(hours=5)
        assert zone.stamp("F1", "UPMT", row) == expected


def test_an_unknown_zone_reads_a_day_earlier_and_never_later() -> None:
    at = dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC)
    assert Zone(None, "UTC-05:00").date(at) == dt.date(2026, 1, 14)
    assert Zone(None, "nonsense").date(at) == dt.date(2026, 1, 14)
    assert Zone(dt.UTC, None).date(at) == dt.date(2026, 1, 15)
    assert Zone(dt.UTC, None).stamp("F1", "UPMT", {"F1_UPMJ": "bad"}) is None
    assert Zone(dt.UTC, None).stamp("F1", "UPMT", {"F1_UPMJ": None}) is None
    unread = Zone(dt.UTC, None).stamp("F1", "UPMT", {"F1_UPMJ": "20260115", "F1_UPMT": "9:30"})
    assert unread == dt.datetime(2026, 1, 15, tzinfo=dt.UTC)


def test_the_session_age_replaces_tokens_before_they_are_used() -> None:
    clock = ManualClock(START)
    with JDEdwardsSimulator(clock=clock) as erp:
        auth = mc.AISSession(erp.username, erp.password, environment=erp.environment, role=erp.role)
        with mc.JDEdwardsAIS(erp.url, auth=auth, clock=clock, session_age=dt.timedelta(minutes=10)) as jde:
            assert jde.origin.endswith(f"#{erp.environment}")
            jde.count("F4301")
            clock.advance(601)
            jde.count("F4301")
            assert sum(call.path.endswith("tokenrequest") for call in erp.calls) == 2
            assert repr(jde).startswith("JDEdwardsAIS(")
            assert jde.approval == mc.Approval()
            assert auth.environment == erp.environment


def _settled(site: Site) -> mc.Records[mc.PurchaseOrder]:
    """One order, last changed at half past, and read often enough that its stamps are taken as proof."""
    site.erp.add(orders(1))
    site.clock.advance(dt.timedelta(minutes=30))
    site.erp.update("F4311", {"DOCO": 50001, "LNID": 1, **LINE}, UORG=7)
    records = site.jde.purchase_orders()
    assert len(list(records)) == 1
    for _ in range(4):
        site.clock.advance(dt.timedelta(minutes=11))
        records = records.continue_from(records.cursor)
        assert list(records) == []
    site.calls()
    assert list(records.continue_from(records.cursor)) == []
    assert site.calls() == 3
    return records


def test_a_stamp_below_the_highest_one_of_its_order_is_a_change(site: Site) -> None:
    records = _settled(site)
    hours = {"UTC-05:00": -5, "UTC+09:30": 9.5}[site.offset]
    earlier = (START + dt.timedelta(minutes=20)).astimezone(dt.timezone(dt.timedelta(hours=hours)))
    stamp = {"UPMJ": earlier.date(), "TDAY": int(earlier.strftime("%H%M%S"))}
    site.erp.update("F4311", {"DOCO": 50001, "LNID": 2, **LINE}, UORG=99, **stamp)
    (order,) = records.continue_from(records.cursor)
    assert order.lines[1].quantity == 99


def test_a_line_that_is_gone_is_a_change_while_its_order_is_in_the_overlap(site: Site) -> None:
    records = _settled(site)
    site.erp.remove("F4311", {"DOCO": 50001, "LNID": 2, **LINE})
    (order,) = records.continue_from(records.cursor)
    assert [line.number for line in order.lines] == ["1", "3"]


@pytest.mark.parametrize("time", [0, None])
def test_rows_stamped_by_date_alone_are_found_each_time_they_change(time: int | None) -> None:
    clock = ManualClock(START)
    zone = dt.timezone(dt.timedelta(hours=-5))
    key = {"DOCO": 50001, "LNID": 1, **LINE}
    with JDEdwardsSimulator(clock=clock) as erp:
        auth = mc.AISSession(erp.username, erp.password)
        with mc.JDEdwardsAIS(erp.url, auth=auth, clock=clock, time_zone=zone) as jde:
            erp.add(orders(2))
            clock.advance(dt.timedelta(hours=6))
            erp.update("F4311", {**key, "DOCO": 50002}, UORG=5)
            records = jde.purchase_orders()
            assert len(list(records)) == 2
            for quantity in (77, 78, 79):
                clock.advance(dt.timedelta(minutes=15))
                erp.update("F4311", key, UORG=quantity, UPMJ=dt.date(2026, 3, 2), TDAY=time)
                records = records.continue_from(records.cursor)
                assert [order.lines[0].quantity for order in records] == [quantity]
