"""What comes in from partners, at its edges: nothing is lost, doubled, or applied to something else."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.cleo import Routes
from mlconnector.delivery import Answering, Collection
from mlconnector.flows._x12_inbox import X12Inbox
from mlconnector.testing import orders
from tests.flows.conftest import PARTNER, SUPPLIERS, World
from tests.flows.test_answers import AT, LINE, THEM, confirmed, drop, only, ordered, replied, sent
from tests.flows.test_peoplesoft_to_cleo import SUPPLIER, Site, bill, order, site

__all__ = ["site"]

HOUR = dt.timedelta(hours=1)
OTHERS = attrs.evolve(THEM, sender=x12.Id("01", "999999999"))


def envelope(sets: list[x12.TransactionSet], number: int, partner: x12.Partner = THEM, at: dt.datetime = AT) -> str:
    return x12.interchange(sets, partner, control=x12.ControlNumbers(number, number), at=at)


def lost_upload(world: World) -> None:
    """An order that was sent, whose answer was lost, and whose file has been moved on."""
    world.erp.add(orders(1))
    world.network.fail(drop="after", match="PUT")
    files = world.cleo.files
    world.cleo.files = lambda _folder: []  # type: ignore[method-assign]
    world.flow(begin="everything").run()
    world.cleo.files = files  # type: ignore[method-assign]
    world.network.consume()


# Answers find their delivery, whatever became of it here.


@pytest.mark.parametrize("state", ["sending", "recorded", "in doubt"])
def test_a_997_proves_arrival_whatever_state_a_dead_worker_left(world: World, state: str) -> None:
    lost_upload(world)
    with world.ledger.store.transaction() as transaction:
        transaction.move(only(world).id, state)
    drop(world, "reply.edi", [replied(world)], 1)
    world.flow(begin="everything").run()
    assert (only(world).state, only(world).partner_state) == ("delivered", "accepted")
    assert len(sent(world, "850")) == 1
    world.clock.advance(HOUR)
    world.erp.update("F4311", LINE, DRQJ=dt.date(2026, 5, 1))
    world.flow(begin="everything").run()
    # It is the base of the next change: the order is not sent as new again.
    assert (len(sent(world, "850")), len(sent(world, "860"))) == (1, 1)


def test_a_997_for_what_was_given_up_as_not_arrived_is_shown_and_becomes_the_base(world: World) -> None:
    lost_upload(world)
    drop(world, "reply.edi", [replied(world)], 1)
    with world.ledger.store.transaction() as transaction:
        transaction.move(only(world).id, "superseded")
    report = world.flow(begin="everything").run()
    assert only(world).state == "delivered"
    assert any("given up as not arrived" in item.text for item in report.attention)
    assert len(sent(world, "850")) == 1


def test_the_worse_of_two_997s_counts(world: World) -> None:
    ordered(world)
    drop(world, "1.edi", [replied(world, AK5="R", AK9="R")], 1)
    world.flow(begin="everything").run()
    drop(world, "2.edi", [replied(world)], 2)
    world.flow(begin="everything").run()
    assert only(world).partner_state == "rejected"


def test_a_replay_is_judged_by_its_own_answer(world: World) -> None:
    ordered(world)
    first = replied(world, AK5="R", AK9="R")
    drop(world, "1.edi", [first], 1)
    flow = world.flow(begin="everything")
    flow.run()
    flow.replay("delivered", [only(world).key], actor="me", reason="sent again")
    assert only(world).partner_state == ""
    drop(world, "2.edi", [replied(world)], 2)
    flow.run()
    assert only(world).partner_state == "accepted"
    # What is said of the first transmission now is kept, and changes nothing.
    drop(world, "3.edi", [first], 3)
    flow.run()
    assert only(world).partner_state == "accepted"


def test_an_envelope_that_was_taken_is_not_yet_an_order_that_was_accepted(world: World) -> None:
    ordered(world)
    (ts,) = sent(world, "850")
    drop(world, "ta1.edi", [x12.to_ta1(ts.interchange)], 1)
    world.flow(begin="everything").run()
    assert only(world).partner_state == "transmitted"
    world.clock.advance(25 * HOUR)
    assert world.ledger.overdue() == [only(world)]
    drop(world, "997.edi", [replied(world)], 2)
    world.flow(begin="everything").run()
    assert only(world).partner_state == "accepted"


def test_a_rejected_change_falls_back_to_the_baseline_the_partner_knows(world: World) -> None:
    world.erp.add(orders(1))
    options: dict[str, Any] = {"begin": "nothing", "on_baseline_change": "860"}
    world.flow(**options).run()
    for day in (1, 2):
        world.clock.advance(HOUR)
        world.erp.update("F4311", LINE, DRQJ=dt.date(2026, 5, day))
        world.flow(**options).run()
        drop(world, f"{day}.edi", [replied(world, "860", AK5="R", AK9="R")], day)
        world.flow(**options).run()
    # The partner has the order of the first day: it is never sent as a new one.
    assert (len(sent(world, "850")), len(sent(world, "860"))) == (0, 2)


@pytest.mark.parametrize("number", ["ABC", "", "-1", "9" * 30])
def test_a_control_number_that_is_none_parks_the_answer_and_stops_nothing(world: World, number: str) -> None:
    ordered(world)
    reply = replied(world)
    head = reply.segments[0]
    ta1 = x12.TransactionSet("TA1", [x12.Segment("TA1", number, "260302", "0900", "A", "000")])
    drop(world, "997.edi", [reply.replace(head, x12.Segment("AK1", "PO", number))], 1)
    drop(world, "ta1.edi", [ta1], 2)
    report = world.flow(begin="everything").run()
    assert report.kinds["answers"].parked == 2
    assert only(world).partner_state == ""


def test_an_answer_belongs_to_what_this_partner_was_sent(world: World) -> None:
    """Another target in the same ledger may have the same order under the same key."""
    ordered(world)
    target = world.cleo.target(
        "files", routes=[flows.Route(SUPPLIERS, attrs.evolve(PARTNER, receiver=OTHERS.sender), folder="outbox/OTHER")]
    )
    mc.Sync("other", records=world.jde.purchase_orders(), target=target, ledger=world.ledger).run()
    drop(world, "855.edi", [confirmed(world, status="IR")], 1)
    report = world.flow(begin="everything").run()
    assert [item.flow for item in report.attention] == ["jde_to_cleo/purchase_orders"]
    assert {one.flow: one.confirmed for one in world.ledger.orders()} == {
        "jde_to_cleo/purchase_orders": "changed",
        "other": "",
    }


def test_a_message_is_applied_once_by_two_workers(world: World) -> None:
    ordered(world)
    drop(world, "855.edi", [confirmed(world, status="IR")], 1)
    first, second = world.flow(begin="everything"), world.flow(begin="everything")
    first.parts["inbox"].run()
    hear = second.parts["answers"]._hear  # type: ignore[attr-defined]

    def slowly(message: Any) -> Any:
        with pytest.raises(mc.LeaseLost):
            first.parts["answers"].run()
        return hear(message)

    second.parts["answers"]._hear = slowly  # type: ignore[attr-defined]
    second.parts["answers"].run()
    assert len(world.ledger.store.read("SELECT * FROM answers")) == 1


def test_a_worker_that_was_overtaken_applies_nothing(world: World) -> None:
    ordered(world)
    drop(world, "reply.edi", [replied(world)], 1)
    flow = world.flow(begin="everything")
    flow.parts["inbox"].run()
    answers = flow.parts["answers"]
    still = answers._matching  # type: ignore[attr-defined]

    def overtaken(heard: Any) -> Any:
        found = still(heard)
        with world.ledger.store.transaction() as transaction:
            transaction.execute("UPDATE leases SET token = 'theirs' WHERE sync LIKE '%answers'")
        return found

    answers._matching = overtaken  # type: ignore[attr-defined]
    report = answers.run()
    assert report.kinds["answers"].queued == 1
    assert len(world.ledger.inbox.messages(state="stored")) == 1


def test_an_answer_waits_while_a_worker_sends_for_that_flow(world: World) -> None:
    ordered(world)
    drop(world, "reply.edi", [replied(world)], 1)
    flow = world.flow(begin="everything")
    flow.parts["inbox"].run()
    lease = world.ledger.acquire("jde_to_cleo/purchase_orders", worker="other", length=HOUR)
    assert flow.parts["answers"].run().kinds["answers"].queued == 1
    world.ledger.release(lease)
    assert flow.parts["answers"].run().kinds["answers"].delivered == 1


# Usage, identity, envelopes.


def test_what_is_marked_as_a_test_is_not_taken_by_a_route_of_production(world: World) -> None:
    partner = attrs.evolve(PARTNER, usage="P")
    routes = [flows.Route(SUPPLIERS, partner, folder="outbox/ACME")]
    world.erp.add(orders(1))
    world.flow(begin="everything", routes=routes).run()
    drop(world, "855.edi", [confirmed(world, status="IR")], 1)
    report = world.flow(begin="everything", routes=routes).run()
    assert report.kinds["answers"].parked == 1
    assert world.ledger.orders()[0].confirmed == ""
    assert sent(world, "997") == []


def test_groups_of_two_kinds_may_have_the_same_numbers(world: World) -> None:
    """GS06 counts by functional id, as this library itself counts it."""
    ordered(world)
    advice = x12.TransactionSet(
        "824",
        [x12.Segment("BGN", "00", "1", "20260302"), x12.Segment("OTI", "TR", "PO", "50001")],
        group=attrs.evolve(sent(world, "850")[0].group, functional_id="AG"),
    )
    drop(world, "both.edi", [confirmed(world), advice], 7)
    report = world.flow(begin="everything").run()
    assert report.kinds["inbox"].parked == 0
    assert len(sent(world, "997")) == 2
    assert world.ledger.orders()[0].confirmed == "confirmed"


def test_what_stands_in_a_rejected_group_is_not_applied_and_may_come_again(world: World) -> None:
    ordered(world)
    whole = envelope([confirmed(world)], 7)
    broken = whole.replace("GE*1*7", "GE*1*8")
    assert broken != whole
    world.network.add("inbox/broken.edi", broken.encode())
    report = world.flow(begin="everything").run()
    assert world.ledger.orders()[0].confirmed == ""
    assert len(report.attention) == 1
    assert [one.segments[-1][1] for one in sent(world, "997")] == ["R"]
    world.network.add("inbox/whole.edi", whole.encode())
    world.flow(begin="everything").run()
    assert world.ledger.orders()[0].confirmed == "confirmed"
    assert [one.segments[-1][1] for one in sent(world, "997")] == ["R", "A"]


@pytest.mark.parametrize("cut", ["IEA", "GE"])
def test_a_file_that_was_cut_is_quarantined_whole_and_taken_when_it_is_complete(world: World, cut: str) -> None:
    ordered(world, 2)
    whole = envelope([confirmed(world, "50001"), confirmed(world, "50002")], 7)
    world.network.add("inbox/cut.edi", whole[: whole.index(f"{cut}*")].encode())
    report = world.flow(begin="everything").run()
    assert [one.confirmed for one in world.ledger.orders()] == ["", ""]
    assert len(report.attention) == 1
    assert sent(world, "997") == []
    world.network.add("inbox/whole.edi", whole.encode())
    world.flow(begin="everything").run()
    assert [one.confirmed for one in world.ledger.orders()] == ["confirmed", "confirmed"]
    assert len(sent(world, "997")) == 1


def test_a_file_that_holds_an_interchange_twice_is_answered_as_if_once(world: World) -> None:
    ordered(world)
    text = envelope([confirmed(world)], 7)
    world.network.add("inbox/twice.edi", (text + text).encode())
    report = world.flow(begin="everything").run()
    assert (report.kinds["inbox"].delivered, report.kinds["inbox"].parked) == (1, 0)
    assert [one.segments[-1][1] for one in sent(world, "997")] == ["A"]


def test_one_bad_interchange_does_not_stop_the_next(world: World) -> None:
    ordered(world, 2)
    first, second = envelope([confirmed(world, "50001")], 7), envelope([confirmed(world, "50002")], 8)
    world.network.add("inbox/both.edi", (first[: first.index("IEA")] + second).encode())
    world.flow(begin="everything").run()
    assert [one.confirmed for one in world.ledger.orders()] == ["", "confirmed"]


def test_a_group_that_no_997_can_repeat_parks_alone(world: World) -> None:
    ordered(world)
    text = envelope([confirmed(world)], 7)
    world.network.add("inbox/odd.edi", text.replace("*7*X*", "*A7*X*").replace("GE*1*7", "GE*1*A7").encode())
    report = world.flow(begin="everything").run()
    assert report.kinds["acknowledgments"].parked == 1


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 600), st.integers(0, 600))
def test_nothing_that_comes_in_is_a_crash(junk: bytes, begin: int, end: int) -> None:
    with mc.Ledger(":memory:", actor="test") as ledger:
        box = X12Inbox(ledger, "b", Routes([flows.Route("1", PARTNER)]))
        text = envelope(
            [x12.TransactionSet("997", [x12.Segment("AK1", "PO", "1"), x12.Segment("AK9", "A", *"111")])], 1
        )
        content = text[:begin].encode() + junk + text[end:].encode()
        found = box.interpret(content)
        assert found.messages
        ledger.inbox.store("b", "f", content, found.messages, owed=found.owed)
        Answering("a", box="b", hear=box.hear, ledger=ledger).run()
        assert ledger.inbox.messages(state="stored") == []


# Collecting.


def test_files_are_taken_in_the_order_they_came(world: World) -> None:
    ordered(world)
    drop(world, "z first.edi", [confirmed(world, status="IR")], 1)
    world.clock.advance(dt.timedelta(minutes=1))
    drop(world, "a second.edi", [confirmed(world)], 2)
    world.flow(begin="everything").run()
    assert world.ledger.orders()[0].confirmed == "confirmed"
    assert [one.name for one in world.ledger.inbox.messages(code="855")] == [
        "inbox/z first.edi",
        "inbox/a second.edi",
    ]


def test_a_file_that_is_still_being_written_is_left_alone(world: World) -> None:
    ordered(world)
    drop(world, "855.edi.PART", [confirmed(world)], 1)
    world.flow(begin="everything").run()
    assert "inbox/855.edi.PART" in world.network.contents
    assert world.ledger.inbox.messages() == []


@pytest.mark.parametrize(("method", "kept"), [("GET", 1), ("DELETE", 2)])
def test_one_file_at_fault_keeps_no_other_from_coming(world: World, method: str, kept: int) -> None:
    ordered(world, 2)
    drop(world, "a.edi", [confirmed(world, "50001")], 1)
    drop(world, "b.edi", [confirmed(world, "50002")], 2)
    for _ in range(2):
        world.network.fail(status=500, times=9, match=f"{method} /api/files/inbox/a.edi")
        report = world.flow(begin="everything").run()
        assert sum("a.edi" in item.text for item in report.attention) == 1
    assert len(world.ledger.inbox.messages(code="855")) == kept
    assert "inbox/b.edi" not in world.network.contents


def test_a_server_at_fault_stops_the_run(world: World) -> None:
    ordered(world)
    for number in range(12):
        world.network.add(f"inbox/{number}.edi", b"x")
    world.network.fail(status=500, times=99, match="GET /api/files/inbox/")
    with pytest.raises(mc.VendorFault):
        world.flow(begin="everything").run()


def test_what_must_be_seen_is_kept_with_what_was_stored(world: World) -> None:
    """A worker killed right after the store has lost nothing that a person must see."""
    world.network.add("inbox/odd.edi", b"no interchange")
    collection = world.flow(begin="everything").parts["inbox"]
    assert isinstance(collection, Collection)

    class Killed(BaseException):
        pass

    def killed(_new: Any) -> None:
        raise Killed

    collection._tell = killed  # type: ignore[method-assign]
    with pytest.raises(Killed):
        collection.run()
    assert len(world.ledger.inbox.messages(state="quarantined")) == len(world.ledger.attention()) == 1


def test_what_is_collected_does_not_count_as_sent(world: World) -> None:
    world.erp.add(orders(1))
    for number in range(3):
        world.network.add(f"inbox/{number}.edi", f"junk {number}".encode())
    drop(world, "x.edi", [_advice()], 1)
    report = world.flow(begin="everything").run(limit=1)
    assert report.kinds["purchase_orders"].delivered == 1


def _advice() -> x12.TransactionSet:
    group = x12.Group(
        functional_id="AG",
        sender="A",
        receiver="B",
        date="20260302",
        time="0900",
        control_number="1",
        agency="X",
        version="004010",
    )
    return x12.TransactionSet("824", [x12.Segment("BGN", "00", "1", "20260302")], group=group)


# What came in and is posted.


def test_an_invoice_is_of_the_supplier_it_names_among_the_routes_of_its_sender(site: Site) -> None:
    site.erp.add(order())
    other = flows.Route("0000009999", PARTNER, folder="outbox/OTHER")
    flow = site.flow(routes=[other, flows.Route(SUPPLIER, PARTNER, folder="outbox/ACME")])
    flow.run()
    site.receive("810.edi", bill(), 5)
    flow.run()
    (delivery,) = site.ledger.deliveries(kind="vouchers")
    assert (delivery.key, delivery.state) == (f"{SUPPLIER}/SI-77", "in doubt")


def test_a_test_invoice_is_not_posted_in_production(site: Site) -> None:
    site.erp.add(order())
    flow = site.flow(
        begin="everything", routes=[flows.Route(SUPPLIER, attrs.evolve(PARTNER, usage="P"), folder="outbox/ACME")]
    )
    flow.run()
    site.receive("810.edi", bill(), 5)
    report = flow.run()
    assert report.kinds["answers"].parked == 1
    assert site.ledger.deliveries(kind="vouchers") == []


def test_two_contents_under_one_number_before_the_first_post_are_not_guessed(site: Site) -> None:
    site.erp.add(order())
    flow = site.flow()
    flow.run()
    site.receive("810 a.edi", bill(), 5)
    site.clock.advance(dt.timedelta(minutes=1))
    site.receive("810 b.edi", bill(quantity="4", total="10.00"), 6)
    report = flow.run()
    assert report.kinds["answers"].parked == 1
    assert any("other content" in item.text for item in report.attention)
    (delivery,) = site.ledger.deliveries(kind="vouchers")
    assert getattr(delivery.document, "gross", None) == Decimal("25.00")


def test_what_was_refused_may_be_corrected_under_the_same_number(site: Site) -> None:
    flow = site.flow()
    site.receive("810 a.edi", bill(), 5)
    assert flow.run().kinds["vouchers"].parked == 1
    site.erp.add(order())
    site.receive("810 b.edi", bill(quantity="4", total="10.00"), 6)
    flow.run()
    assert [one.state for one in site.ledger.deliveries(kind="vouchers")] == ["superseded", "in doubt"]


def test_an_older_state_of_an_invoice_is_never_applied(site: Site) -> None:
    flow = site.flow()
    newer = x12.interchange([bill()], THEM, control=x12.ControlNumbers(6, 6), at=AT + 2 * HOUR)
    site.network.add("inbox/newer.edi", newer.encode())
    assert flow.run().kinds["vouchers"].parked == 1
    site.receive("older.edi", bill(quantity="4", total="10.00"), 5)
    flow.run()
    assert [one.revision for one in site.ledger.deliveries(kind="vouchers")] == [1]


def test_an_invoice_that_waited_is_posted_however_late(site: Site) -> None:
    """It is read by when it was taken, not by when it was stored: it never lies behind the cursor."""
    site.erp.add(order())
    flow = site.flow()
    flow.run()

    def first_is(state: str) -> None:
        with site.ledger.store.transaction() as transaction:
            transaction.execute("UPDATE inbox SET state = ? WHERE id = 1", (state,))

    site.receive("810.edi", bill(), 5)
    flow.parts["inbox"].run()
    first_is("parked")
    site.clock.advance(5 * HOUR)
    site.receive("late.edi", bill("SI-78"), 6)
    flow.run()
    site.clock.advance(5 * HOUR)
    first_is("stored")
    flow.run()
    assert {one.key for one in site.ledger.deliveries(kind="vouchers")} == {f"{SUPPLIER}/SI-77", f"{SUPPLIER}/SI-78"}


def test_a_run_reads_only_what_came_since(site: Site) -> None:
    site.erp.add(order())
    flow = site.flow()
    flow.run()
    for number in range(3):
        site.receive(f"{number}.edi", bill(f"SI-{number}"), number + 1)
        flow.run()
        site.clock.advance(5 * HOUR)
    box = site.ledger.inbox
    asked: list[str] = []
    content = box.content
    box.content = lambda file: asked.append(file) or content(file)  # type: ignore[method-assign,func-returns-value]
    site.flow().run()
    assert len(asked) <= 1


def test_a_file_of_many_sets_is_read_once(site: Site) -> None:
    site.erp.add(order())
    flow = site.flow()
    flow.run()
    text = x12.interchange(
        [bill(f"SI-{number}") for number in range(20)], THEM, control=x12.ControlNumbers(1, 1), at=AT
    )
    site.network.add("inbox/many.edi", text.encode())
    asked: list[str] = []
    content = site.ledger.inbox.content
    site.ledger.inbox.content = (  # type: ignore[method-assign]
        lambda file: asked.append(file) or content(file)  # type: ignore[func-returns-value]
    )
    flow.run()
    assert len(site.ledger.deliveries(kind="vouchers")) == 20
    assert len(asked) <= 2


def test_a_partners_own_codes_are_told_both_ways(site: Site) -> None:
    site.erp.add(order())
    for kind, ours, theirs in (("supplier", SUPPLIER, "V-77"), ("unit", "EA", "PC")):
        site.ledger.crosswalk.link(kind, peoplesoft=ours, cleo=theirs)
    flow = site.flow(routes=[flows.Route([SUPPLIER, "0000009999"], PARTNER, folder="outbox/ACME")])
    flow.run()
    assert b"*PC*" in site.network.uploads[-1].data
    invoice = x12.from_810(bill(), partner=THEM)
    lines = [attrs.evolve(line, unit="PC", price_unit="PC") for line in invoice.lines]
    told = attrs.evolve(invoice, supplier=mc.Party(number="V-77", name="Parts"), lines=lines)
    site.receive("810.edi", x12.to_810(told, THEM, role="self_billed", order_number="0000000101"), 5)
    flow.run()
    (delivery,) = site.ledger.deliveries(kind="vouchers")
    assert (delivery.key, delivery.state, delivery.faults[1:]) == (f"{SUPPLIER}/SI-77", "in doubt", ())


def test_a_change_of_an_order_in_a_partners_own_codes_tells_the_change_alone(world: World) -> None:
    world.ledger.crosswalk.link("unit", jdedwards="EA", cleo="PC")
    ordered(world)
    world.clock.advance(HOUR)
    world.erp.update("F4311", LINE, DRQJ=dt.date(2026, 5, 1))
    world.flow(begin="everything").run()
    (change,) = sent(world, "860")
    assert len(list(change.all("POC"))) == 1
    drop(world, "855.edi", [_answered(world)], 1)
    report = world.flow(begin="everything").run()
    assert not [item.text for item in report.attention if " in " in item.text]


def _answered(world: World) -> x12.TransactionSet:
    told = x12.from_850(sent(world, "850")[-1], partner=PARTNER)
    lines = [
        mc.AcknowledgedLine(line=one.number, status="IA", quantity=one.quantity, unit=one.unit) for one in told.lines
    ]
    answer = mc.OrderAcknowledgment(
        number="S-1", order_number="50001", date=dt.date(2026, 3, 2), verdict="AC", currency="USD", lines=lines
    )
    return x12.to_855(answer, THEM, order=told)


def test_a_shipping_notice_without_an_order_is_shown(site: Site) -> None:
    flow = site.flow()
    notice = x12.TransactionSet(
        "856",
        [
            x12.Segment("BSN", "00", "S-1", "20260302", "0900"),
            x12.Segment("HL", "1", "", "S"),
            x12.Segment("CTT", "1"),
        ],
        group=attrs.evolve(_advice().group, functional_id="SH"),
    )
    site.receive("856.edi", notice, 5)
    report = flow.run()
    assert report.kinds["answers"].parked == 1


def test_forgotten_content_stops_nothing(site: Site) -> None:
    flow = site.flow()
    site.receive("810.edi", bill(), 5)
    flow.run()
    with site.ledger.store.transaction() as transaction:
        transaction.execute("UPDATE inbox_files SET content = ?", (b"",))
        transaction.execute("UPDATE inbox SET facts = '{}'")
    assert site.flow().run().kinds["vouchers"].stopped is None
    assert [one.state for one in site.ledger.deliveries(kind="vouchers")] == ["parked"]


def test_posting_waits_as_long_as_the_erp_may_take(site: Site) -> None:
    assert site.flow().syncs["vouchers"]._settings.call_timeout == site.people.timeout.total


def test_a_voucher_that_was_built_before_it_was_found_is_not_sent_back(site: Site) -> None:
    """Where the site has no field for our mark, the number alone tells where it was born (rule B1)."""
    site.erp.add(order())
    flow = site.flow()
    flow.run()
    site.receive("810.edi", bill(), 5)
    flow.run()
    assert [one.state for one in site.ledger.deliveries(kind="vouchers")] == ["in doubt"]
    select = flow.syncs["invoices"]._settings.select
    assert select is not None
    built = mc.Invoice(
        number="00000001", kind="voucher", supplier_invoice_number="SI-77", supplier=mc.Party(number=SUPPLIER)
    )
    assert "came from the partner" in str(select(built, False))
    assert select(attrs.evolve(built, supplier_invoice_number="SI-78"), False) is None


def test_a_wrong_sum_keeps_no_answer_from_its_order_and_is_shown(world: World) -> None:
    ordered(world)
    answer = confirmed(world)
    (total,) = answer.all("CTT")
    drop(world, "855.edi", [answer.replace(total, x12.Segment("CTT", "9"))], 1)
    report = world.flow(begin="everything").run()
    assert world.ledger.orders()[0].confirmed == "confirmed"
    assert any("does not add up" in item.text for item in report.attention)
    assert sent(world, "997")[0].segments[-1][1] == "A"


def test_an_invoice_whose_total_is_wrong_is_not_posted(site: Site) -> None:
    site.erp.add(order())
    flow = site.flow()
    flow.run()
    invoice = bill()
    (total,) = invoice.all("TDS")
    site.receive("810.edi", invoice.replace(total, x12.Segment("TDS", "9900")), 5)
    report = flow.run()
    assert report.kinds["answers"].parked == 1
    assert site.ledger.deliveries(kind="vouchers") == []
