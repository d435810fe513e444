"""Approved orders and vouchers arrive as X12, once; everything else ends in its own clear state."""

from __future__ import annotations

import datetime as dt

import pytest

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.testing import orders, vouchers
from tests.flows.conftest import PARTNER, SUPPLIERS, World

LINE = {"DCTO": "OP", "KCOO": "00001", "SFXO": "000"}


def sets(world: World) -> list[x12.TransactionSet]:
    return [ts for text in world.texts() for ts in x12.read(text)]


def element(ts: x12.TransactionSet, tag: str, position: int) -> str:
    return next(iter(ts.all(tag)))[position]


def change_quantity(world: World, number: int, line: int, quantity: int) -> None:
    order = next(iter(world.jde.purchase_orders(keys=[f"00001/OP/{number}"])))
    price = next(one.unit_price for one in order.lines if one.number == str(line))
    amount = quantity * price
    world.erp.update("F4311", {"DOCO": number, "LNID": line, **LINE}, UORG=quantity, UOPN=quantity, AEXP=amount)


def test_every_ready_document_goes_once_and_validates(world: World) -> None:
    world.erp.add(orders(30))
    world.erp.add(vouchers(10))
    flow = world.flow()
    report = flow.run()
    assert report.ok
    assert {kind: one.delivered for kind, one in report.kinds.items()} == {"purchase_orders": 30, "invoices": 10}
    assert all(kind.balanced for kind in report.kinds.values())
    assert sorted(ts.code for ts in sets(world)) == ["810"] * 10 + ["850"] * 30
    assert [finding for text in world.texts() for finding in x12.validate(text)] == []
    world.clock.advance(dt.timedelta(minutes=10))
    again = flow.run()
    assert [kind.delivered for kind in again.kinds.values()] == [0, 0]
    assert len(world.network.uploads) == 40
    assert world.ledger.verify() > 40


def test_what_is_odd_ends_in_its_own_state(world: World) -> None:
    odd = {
        0: ["hold"],
        1: ["unapproved"],
        2: ["cancelled"],
        3: ["closed"],
        4: ["unmapped_unit"],
        5: ["wrong_price"],
        6: ["text_line"],
        7: ["service_line"],
        8: ["freight_line"],
        9: ["decimals"],
        10: ["per_thousand"],
        11: ["foreign"],
        12: ["non_ascii"],
        13: ["long_text"],
        14: ["delimiters"],
        15: ["line_numbers"],
        16: ["drop_ship"],
        17: ["blanket_release"],
        18: ["cancelled_line"],
        19: ["closed_line"],
    }
    world.erp.add(orders(20, odd=odd))
    report = world.flow(kinds=["purchase_orders"]).run()
    kind = report.kinds["purchase_orders"]
    assert (kind.delivered, kind.waiting, kind.excluded, kind.parked) == (14, 2, 2, 2)
    causes = {one.key: one.cause for one in world.ledger.deliveries(state="parked")}
    assert causes == {"00001/OP/50005": "unit", "00001/OP/50006": "price"}
    assert [finding for text in world.texts() for finding in x12.validate(text)] == []
    assert not report.ok
    with pytest.raises(mc.DocumentError, match="2 parked"):
        report.raise_for_failures()


def test_vouchers_go_by_their_gate_and_role(world: World) -> None:
    odd = {
        0: ["held"],
        1: ["unposted"],
        2: ["void"],
        3: ["debit_memo"],
        4: ["foreign"],
        5: ["split"],
        6: ["matched"],
        7: ["long_number"],
    }
    world.erp.add(vouchers(8, odd=odd))
    report = world.flow(kinds=["invoices"]).run()
    kind = report.kinds["invoices"]
    assert (kind.waiting, kind.excluded, kind.parked, kind.delivered) == (2, 1, 1, 4)
    assert {element(ts, "BIG", 8) for ts in sets(world)} == {"22"}
    assert sorted(element(ts, "BIG", 7) or "" for ts in sets(world)) == ["", "", "", "CR"]


def test_a_change_goes_as_860_with_rising_sequence_and_only_the_difference(world: World) -> None:
    world.erp.add(orders(2))
    flow = world.flow(kinds=["purchase_orders"])
    flow.run()
    for quantity in (7, 9):
        world.clock.advance(dt.timedelta(minutes=20))
        change_quantity(world, 50001, 2, quantity)
        assert flow.run().kinds["purchase_orders"].delivered == 1
    changes = [ts for ts in sets(world) if ts.code == "860"]
    assert [element(ts, "BCH", 5) for ts in changes] == ["1", "2"]
    assert [[poc[1] for poc in ts.all("POC")] for ts in changes] == [["2"], ["2"]]
    assert [element(ts, "POC", 3) for ts in changes] == ["7", "9"]


def test_receipts_and_statuses_are_no_change(world: World) -> None:
    world.erp.add(orders(1))
    flow = world.flow(kinds=["purchase_orders"])
    flow.run()
    world.clock.advance(dt.timedelta(minutes=20))
    world.erp.update("F4311", {"DOCO": 50001, "LNID": 1, **LINE}, UREC=1, UOPN=0, NXTR="400", LTTR="300")
    assert flow.run().kinds["purchase_orders"].delivered == 0
    world.clock.advance(dt.timedelta(minutes=20))
    for line in (1, 2, 3):
        world.erp.update("F4311", {"DOCO": 50001, "LNID": line, **LINE}, NXTR="999", LTTR="400")
    assert flow.run().kinds["purchase_orders"].delivered == 0
    assert len(world.network.uploads) == 1


def test_a_cancelled_order_goes_as_860_with_purpose_01(world: World) -> None:
    world.erp.add(orders(1))
    flow = world.flow(kinds=["purchase_orders"])
    flow.run()
    world.clock.advance(dt.timedelta(minutes=20))
    for line in (1, 2, 3):
        world.erp.update("F4311", {"DOCO": 50001, "LNID": line, **LINE}, NXTR="999", LTTR="980", UOPN=0)
    assert flow.run().kinds["purchase_orders"].delivered == 1
    (cancel,) = [ts for ts in sets(world) if ts.code == "860"]
    assert element(cancel, "BCH", 1) == "01"


def test_what_waited_goes_when_it_becomes_fit_though_its_stamps_lie_behind(world: World) -> None:
    world.erp.add(orders(2, odd={0: ["hold"]}))
    flow = world.flow(kinds=["purchase_orders"])
    assert flow.run().kinds["purchase_orders"].waiting == 1
    world.clock.advance(dt.timedelta(days=30))
    world.erp.add(orders(1, first_number=60001, master=False))
    flow.run()
    stamp = {"UPMJ": dt.date(2026, 1, 15), "TDAY": 80000}
    world.erp.update("F4301", {"DOCO": 50001, **LINE}, HOLD=" ", **stamp)
    report = flow.run()
    assert report.kinds["purchase_orders"].delivered == 1
    assert report.kinds["purchase_orders"].waiting == 0


def test_an_order_back_on_hold_is_not_sent_although_it_was_queued(world: World) -> None:
    world.erp.add(orders(1))
    flow = world.flow(kinds=["purchase_orders"])
    assert flow.run(limit=0).kinds["purchase_orders"].queued == 1
    world.erp.update("F4301", {"DOCO": 50001, **LINE}, HOLD="B1")
    report = flow.run()
    assert report.kinds["purchase_orders"].waiting == 1
    assert not world.network.uploads


def test_begin_is_needed_towards_production_and_bars_history(world: World) -> None:
    world.erp.add(orders(3))
    live = x12.Partner(sender=PARTNER.sender, receiver=PARTNER.receiver, usage="P")
    routes = [flows.Route(SUPPLIERS, live)]
    with pytest.raises(mc.InvalidArgument, match="begin"):
        world.flow(routes=routes).run()
    assert len(world.flow(routes=routes).run(dry_run=True).previews) == 3
    flow = world.flow(routes=routes, begin="nothing", kinds=["purchase_orders"])
    assert flow.run().kinds["purchase_orders"].baselined == 3
    world.clock.advance(dt.timedelta(hours=1))
    change_quantity(world, 50001, 1, 5)
    report = flow.run()
    assert [item.key for item in report.attention] == ["00001/OP/50001"]
    world.erp.add(orders(1, first_number=60001, master=False))
    assert flow.run().kinds["purchase_orders"].delivered == 1
    assert len(world.network.uploads) == 1


@pytest.mark.parametrize(("choice", "code"), [("850", "850"), ("860", "860")])
def test_a_baselined_order_that_changes_goes_as_told(world: World, choice: str, code: str) -> None:
    world.erp.add(orders(1))
    flow = world.flow(begin="nothing", on_baseline_change=choice, kinds=["purchase_orders"])
    flow.run()
    world.clock.advance(dt.timedelta(hours=1))
    change_quantity(world, 50001, 1, 5)
    assert flow.run().kinds["purchase_orders"].delivered == 1
    assert [ts.code for ts in sets(world)] == [code]


def test_no_route_parks_or_is_left_out_as_told_and_replays_when_it_is_there(world: World) -> None:
    world.erp.add(orders(5))
    some = [flows.Route(SUPPLIERS[:2], PARTNER)]
    skipping = world.flow(routes=some, no_route="skip", name="skipping", kinds=["purchase_orders"]).run()
    assert skipping.kinds["purchase_orders"].excluded == 3
    parking = world.flow(routes=some, kinds=["purchase_orders"])
    assert parking.run().kinds["purchase_orders"].parked == 3
    assert {one.cause for one in world.ledger.deliveries(state="parked")} == {"no_route"}
    whole = world.flow(kinds=["purchase_orders"])
    assert len(whole.replay(cause="no_route", dry_run=True).previews) == 3
    assert whole.replay(cause="no_route", actor="me", reason="added").kinds["purchase_orders"].delivered == 3
    assert whole.run().kinds["purchase_orders"].delivered == 0


def test_a_dry_run_shows_everything_and_writes_nothing(world: World) -> None:
    world.erp.add(orders(3, odd={1: ["unmapped_unit"]}))
    flow = world.flow(kinds=["purchase_orders"])
    report = flow.run(dry_run=True)
    assert [bool(preview.faults) for preview in report.previews] == [False, True, False]
    shown = report.previews[0].payload
    assert not world.network.uploads
    assert not world.ledger.deliveries()
    assert world.ledger.head()["number"] == 0
    flow.run()
    assert shown[:60] == world.texts()[0][:60]


def test_tests_do_not_count_as_sent_in_production(world: World) -> None:
    world.erp.add(orders(2))
    world.flow(kinds=["purchase_orders"]).run()
    live = x12.Partner(sender=PARTNER.sender, receiver=PARTNER.receiver, usage="P")
    flow = world.flow(routes=[flows.Route(SUPPLIERS, live, folder="outbox/LIVE")], begin="everything")
    world.clock.advance(dt.timedelta(hours=1))
    change_quantity(world, 50001, 1, 5)
    flow.run()
    production = [ts for ts in sets(world) if ts.interchange.usage == "P"]
    assert [ts.code for ts in production] == ["850"]


def test_a_ledger_refuses_other_systems_with_two_cures(world: World) -> None:
    world.flow().run()
    world.ledger.rename_origin(world.cleo.origin, "https://other.example:443")
    with pytest.raises(mc.LedgerMismatch, match="rename_origin"):
        world.flow().run()
    assert world.flow(name="another").run().ok
    assert not world.flow().check().ok


def test_an_order_number_another_order_has_at_the_partner_parks_until_it_is_unique(world: World) -> None:
    world.erp.add(orders(1))
    for table in ("F4301", "F4311"):
        for row in world.jde.rows(table, columns=[*_COLUMNS[table]]):
            plain = {name.partition("_")[2]: value for name, value in row.items() if value not in (None, " ")}
            twin = {name: day_of(value) if name in ("TRDJ", "DRQJ") else value for name, value in plain.items()}
            world.erp.add({**twin, "KCOO": "00002"}, table=table)
    flow = world.flow(kinds=["purchase_orders"])
    report = flow.run()
    assert (report.kinds["purchase_orders"].delivered, report.kinds["purchase_orders"].parked) == (1, 1)
    (parked,) = world.ledger.deliveries(state="parked")
    assert parked.cause == "collision"
    unique = [flows.Route(SUPPLIERS, PARTNER, folder="outbox/ACME", order_number="{company}-{number}")]
    mended = world.flow(kinds=["purchase_orders"], routes=unique)
    report = mended.replay(cause="collision", actor="jane", reason="number with company")
    assert report.kinds["purchase_orders"].delivered == 1
    links = world.ledger.crosswalk.links("order number")
    assert sorted(link["01:123456789 T"] for link in links) == ["00002-50001", "50001"]


def test_a_voucher_voided_after_its_copy_goes_as_a_copy_with_purpose_01(world: World) -> None:
    world.erp.add(vouchers(1))
    flow = world.flow(kinds=["invoices"])
    flow.run()
    world.clock.advance(dt.timedelta(hours=1))
    (row,) = world.jde.rows("F0411", columns=["DOC", "DCT", "KCO", "SFX", "SFXE"])
    key = {name.partition("_")[2]: value for name, value in row.items()}
    world.erp.update("F0411", key, VOD="V", AAP=0)
    assert flow.run().kinds["invoices"].delivered == 1
    assert sorted(element(ts, "BIG", 8) for ts in sets(world)) == ["01", "22"]


def test_a_currency_that_cannot_be_known_parks(world: World) -> None:
    world.erp.add(orders(1, odd={0: ["no_currency"]}))
    world.erp.hide("F0010")
    world.flow(kinds=["purchase_orders"]).run()
    assert [one.cause for one in world.ledger.deliveries()] == ["currency"]


def day_of(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%Y%m%d").replace(tzinfo=dt.UTC).date()


_COLUMNS = {
    "F4301": ["DOCO", "DCTO", "KCOO", "SFXO", "AN8", "SHAN", "TRDJ", "DRQJ", "CRRM", "CRCD", "PTC", "FRTH"],
    "F4311": [
        *("DOCO", "DCTO", "KCOO", "SFXO", "LNID", "LNTY", "NXTR", "LTTR"),
        *("LITM", "DSC1", "UOM", "UORG", "UOPN", "PRRC", "UOM3", "AEXP"),
    ],
}


def test_json_routes_post_the_document(world: World) -> None:
    world.erp.add(orders(2))
    world.network.add_endpoint("/api/custom/orders")
    route = flows.Route(SUPPLIERS, PARTNER, format="json", path="/api/custom/orders")
    assert world.flow(routes=[route], kinds=["purchase_orders"]).run().kinds["purchase_orders"].delivered == 2
    assert [payload.body["document"] for payload in world.network.payloads] == ["PurchaseOrder"] * 2


def test_json_files_are_uploaded_where_no_path_is_given(world: World) -> None:
    world.erp.add(orders(1))
    route = flows.Route(SUPPLIERS, PARTNER, format="json", folder="outbox/JSON")
    world.flow(routes=[route], kinds=["purchase_orders"]).run()
    ((path, content),) = world.network.contents.items()
    assert path.endswith(".json")
    assert mc.from_json(content).number == "50001"


@pytest.mark.parametrize(
    "options",
    [
        {"kinds": ["shipments"]},
        {"kinds": []},
        {"on_baseline_change": "855"},
        {"no_route": "drop"},
        {"where": {"suppliers": []}},
        {"begin": "yesterday"},
        {"begin": dt.datetime(2026, 1, 1)},  # noqa: DTZ001
        {"stop_after": 0},
        {"routes": []},
        {"look_up": "none"},
    ],
)
def test_options_that_cannot_be_meant_are_refused(world: World, options: dict[str, object]) -> None:
    with pytest.raises(mc.InvalidArgument):
        world.flow(**options)


def test_simulators_hand_out_clients_of_their_own() -> None:
    from mlconnector.testing import CleoSimulator, JDEdwardsSimulator

    with JDEdwardsSimulator() as erp, CleoSimulator() as network:
        erp.add(orders(1))
        with erp.client() as jde, network.client() as cleo:
            assert len(list(jde.purchase_orders())) == 1
            assert cleo.files("outbox") == []
        assert isinstance(erp.auth, mc.TokenManager)
        assert isinstance(network.auth, mc.TokenManager)
