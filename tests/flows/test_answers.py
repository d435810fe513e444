"""What comes back from partners finds its delivery; what cannot be read or does not fit is kept and shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector import x12
from mlconnector.testing import orders
from tests.flows.conftest import ASKABLE, CONNECTION, PARTNER, World

THEM = attrs.evolve(PARTNER, sender=PARTNER.receiver, receiver=PARTNER.sender)
AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
LINE = {"DOCO": 50001, "DCTO": "OP", "KCOO": "00001", "SFXO": "000", "LNID": 1}


def drop(world: World, name: str, sets: Iterable[x12.TransactionSet], number: int, partner: x12.Partner = THEM) -> None:
    """The partner sends a file."""
    text = x12.interchange(list(sets), partner, control=x12.ControlNumbers(number, number), at=AT)
    world.network.add(f"inbox/{name}", text.encode())


def sent(world: World, code: str) -> list[x12.TransactionSet]:
    """Sets of a code that were ever uploaded, in order."""
    return [ts for upload in world.network.uploads for ts in x12.read(upload.data) if ts.code == code]


def replied(world: World, code: str = "850", **changes: str) -> x12.TransactionSet:
    """The partner's 997 for the newest set of a code."""
    accepted = x12.to_997([sent(world, code)[-1]])
    segments = [
        x12.Segment(one.id, changes.get(one.id, one[1]), *tuple(one)[2:]) if one.id in ("AK5", "AK9") else one
        for one in accepted.segments
    ]
    return attrs.evolve(accepted, segments=segments)


def confirmed(world: World, number: str = "50001", verdict: str = "AC", **line: Any) -> x12.TransactionSet:
    """The partner's 855 for an order of three lines, the first one as told by ``line``."""
    (order,) = world.jde.purchase_orders(keys=[f"00001/OP/{number}"])
    told = x12.from_850(x12.to_850(order, PARTNER), partner=PARTNER)
    lines = [
        mc.AcknowledgedLine(
            line=one.number,
            status="IA",
            quantity=one.quantity,
            unit=one.unit,
            price=one.unit_price,
            date=one.requested_date,
        )
        for one in told.lines
    ]
    lines[0] = attrs.evolve(lines[0], **line)
    answer = mc.OrderAcknowledgment(
        number="S-1", order_number=number, date=dt.date(2026, 3, 2), verdict=verdict, currency="USD", lines=lines
    )
    return x12.to_855(answer, THEM, order=order)


def only(world: World, kind: str = "purchase_orders") -> mc.delivery.Delivery:
    (delivery,) = world.ledger.deliveries(kind=kind)
    return delivery


def ordered(world: World, count: int = 1) -> None:
    world.erp.add(orders(count))
    assert world.flow(begin="everything").run().ok


def test_a_997_comes_back_to_its_order_and_the_file_is_gone(world: World) -> None:
    ordered(world)
    drop(world, "reply.edi", [replied(world)], 1)
    report = world.flow(begin="everything").run()
    assert report.kinds["inbox"].delivered == 1
    assert report.kinds["answers"].delivered == 1
    assert only(world).partner_state == "accepted"
    assert not any(path.startswith("inbox/") for path in world.network.contents)
    assert [one.acknowledged for one in world.ledger.orders()] == ["accepted"]
    # Acknowledgments are never acknowledged.
    assert sent(world, "997") == []


def test_a_rejection_is_shown_and_the_next_change_is_a_new_order(world: World) -> None:
    ordered(world)
    drop(world, "reply.edi", [replied(world, AK5="R", AK9="R")], 1)
    report = world.flow(begin="everything").run()
    assert only(world).partner_state == "rejected"
    assert any("rejected" in item.text for item in report.attention)
    world.clock.advance(dt.timedelta(hours=1))
    world.erp.update("F4311", LINE, DRQJ=dt.date(2026, 5, 1))
    world.flow(begin="everything").run()
    assert len(sent(world, "850")) == 2
    assert sent(world, "860") == []


def test_a_rejected_change_falls_back_to_the_order_the_partner_has(world: World) -> None:
    ordered(world)
    world.clock.advance(dt.timedelta(hours=1))
    world.erp.update("F4311", LINE, DRQJ=dt.date(2026, 5, 1))
    world.flow(begin="everything").run()
    drop(world, "reply.edi", [replied(world, "860", AK5="R", AK9="R")], 1)
    world.flow(begin="everything").run()
    world.clock.advance(dt.timedelta(hours=1))
    world.erp.update("F4311", LINE, DRQJ=dt.date(2026, 6, 1))
    world.flow(begin="everything").run()
    assert len(sent(world, "850")) == 1
    first, second = sent(world, "860")
    assert [one.id for one in first.segments] == [one.id for one in second.segments]
    assert [ts.segments[0][5] for ts in (first, second)] == ["1", "2"]


def test_a_lost_answer_to_an_upload_is_settled_by_the_997(world: World) -> None:
    world.erp.add(orders(1))
    world.network.fail(drop="after", match="PUT")
    files = world.cleo.files
    world.cleo.files = lambda _folder: []  # type: ignore[method-assign]  # the action has moved it on
    world.flow(begin="everything").run()
    world.cleo.files = files  # type: ignore[method-assign]
    assert only(world).state == "in doubt"
    drop(world, "reply.edi", [replied(world)], 1)
    world.network.consume()
    world.flow(begin="everything").run()
    assert (only(world).state, only(world).partner_state) == ("delivered", "accepted")
    assert len(sent(world, "850")) == 1


def test_a_ta1_answers_the_interchange(world: World) -> None:
    ordered(world)
    (ts,) = sent(world, "850")
    drop(world, "ta1.edi", [x12.to_ta1(ts.interchange, note="024")], 1)
    world.flow(begin="everything").run()
    assert only(world).partner_state == "rejected"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({}, ()),
        ({"status": "IQ", "quantity": Decimal(1)}, ("line 1: quantity 1",)),
        ({"status": "IR"}, ("line 1: rejected",)),
        ({"status": "ID"}, ("line 1: rejected",)),
        ({"status": "IS"}, ("line 1: substituted",)),
        ({"status": "IH"}, ("line 1: on hold",)),
        ({"status": "IB"}, ("line 1: backordered",)),
        ({"status": "IP", "price": Decimal("99.5")}, ("line 1: price 99.5",)),
        ({"status": "DR", "date": dt.date(2027, 1, 1)}, ("line 1: on 2027-01-01",)),
        ({"line": "9"}, ("line 9 is not in the order", "line 1 is not answered")),
    ],
)
def test_an_855_is_compared_line_by_line(world: World, line: dict[str, Any], told: tuple[str, ...]) -> None:
    ordered(world)
    drop(world, "855.edi", [confirmed(world, **line)], 1)
    report = world.flow(begin="everything").run()
    (order,) = world.ledger.orders()
    assert order.confirmed == ("changed" if told else "confirmed")
    assert len(order.differences) == len(told)
    assert all(one.startswith(begin) for one, begin in zip(order.differences, told, strict=True))
    assert bool(report.attention) == bool(told)
    # Nothing is written back: the buyer's own amendment goes out as 860 (rule B17).
    assert sent(world, "860") == []


def test_an_855_is_acknowledged_with_a_997_once(world: World) -> None:
    ordered(world)
    drop(world, "855.edi", [confirmed(world)], 7)
    for _ in range(3):
        world.flow(begin="everything").run()
    (reply,) = sent(world, "997")
    assert reply.segments[0] == x12.Segment("AK1", "PR", "7")
    assert reply.segments[-1][1] == "A"
    assert reply.interchange.receiver == PARTNER.receiver


def test_a_gateway_that_acknowledges_is_left_to_it(world: World) -> None:
    ordered(world)
    drop(world, "855.edi", [confirmed(world)], 7)
    world.flow(begin="everything", acknowledge="gateway").run()
    assert sent(world, "997") == []
    assert world.ledger.orders()[0].confirmed == "confirmed"


def test_a_message_is_known_by_its_numbers_not_by_its_file(world: World) -> None:
    ordered(world)
    drop(world, "855.edi", [confirmed(world)], 7)
    world.flow(begin="everything").run()
    drop(world, "855 again.edi", [confirmed(world)], 7)
    report = world.flow(begin="everything").run()
    assert report.kinds["inbox"].unchanged == 1
    drop(world, "other.edi", [confirmed(world, status="IR")], 7)
    report = world.flow(begin="everything").run()
    assert report.kinds["inbox"].parked == 1
    assert any("other content" in item.text for item in report.attention)
    assert world.ledger.orders()[0].confirmed == "confirmed"
    assert len(world.ledger.inbox.messages(code="855")) == 2


def test_an_older_answer_is_stored_and_not_applied(world: World) -> None:
    ordered(world)
    later = x12.interchange([confirmed(world)], THEM, control=x12.ControlNumbers(2, 2), at=AT + dt.timedelta(hours=2))
    world.network.add("inbox/later.edi", later.encode())
    world.flow(begin="everything").run()
    drop(world, "older.edi", [confirmed(world, status="IR")], 1)
    report = world.flow(begin="everything").run()
    assert world.ledger.orders()[0].confirmed == "confirmed"
    assert not report.attention
    assert len(world.ledger.inbox.messages(code="855", state="applied")) == 2


def test_what_cannot_be_read_is_quarantined_with_its_bytes(world: World) -> None:
    world.network.add("inbox/odd.edi", b"\xff\x00 no interchange")
    report = world.flow(begin="everything").run()
    (message,) = world.ledger.inbox.messages(state="quarantined")
    assert world.ledger.inbox.content(message.file) == b"\xff\x00 no interchange"
    assert report.kinds["inbox"].parked == 1
    assert report.attention
    assert "inbox/odd.edi" not in world.network.contents


def test_sets_that_are_not_understood_are_kept_acknowledged_and_shown(world: World) -> None:
    ordered(world)
    advice = x12.TransactionSet(
        "824",
        [
            x12.Segment("BGN", "00", "1", "20260302"),
            x12.Segment("OTI", "TR", "PO", "50001"),
            x12.Segment("TED", "ZZZ", "", "Price is not ours"),
        ],
        group=attrs.evolve(sent(world, "850")[0].group, functional_id="AG"),
    )
    drop(world, "824.edi", [advice], 3)
    report = world.flow(begin="everything").run()
    (message,) = world.ledger.inbox.messages(code="824")
    assert message.state == "noted"
    assert any("Price is not ours" in item.text for item in report.attention)
    assert len(sent(world, "997")) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_997_whose_answer_was_lost_is_there_once_where_cleo_can_be_asked(world: World, moment: Any) -> None:
    ordered(world)
    drop(world, "855.edi", [confirmed(world)], 3)
    world.network.fail(drop=moment, match=lambda call: call.method == "PUT" and "997_" in call.path)
    world.network.add(CONNECTION)
    flow = world.flow(begin="everything", routes=[ASKABLE], look_up="reliable")
    for _ in range(3):
        flow.run()
        world.clock.advance(dt.timedelta(hours=1))
    assert only(world, "acknowledgments").state == "delivered"
    assert len(sent(world, "997")) == 1


@pytest.mark.parametrize("number", ["99999", ""])
def test_an_answer_to_nothing_is_parked(world: World, number: str) -> None:
    ordered(world)
    answer = confirmed(world)
    head = answer.segments[0]
    changed = x12.Segment("BAK", head[1], head[2], number or "50001", *tuple(head)[4:])
    sender = THEM if number else attrs.evolve(THEM, sender=x12.Id("01", "999999999"))
    drop(world, "855.edi", [answer.replace(head, changed)], 1, sender)
    report = world.flow(begin="everything").run()
    assert report.kinds["answers"].parked == 1
    assert world.ledger.orders()[0].confirmed == ""
    assert report.attention


def test_a_file_that_changed_since_it_was_fetched_is_not_removed(world: World) -> None:
    ordered(world)
    drop(world, "a.edi", [confirmed(world)], 1)
    download = world.cleo.download

    def changing(path: str) -> bytes:
        content = download(path)
        world.clock.advance(dt.timedelta(seconds=5))
        drop(world, "a.edi", [confirmed(world, status="IR")], 2)
        return content

    world.cleo.download = changing  # type: ignore[method-assign]  # a partner that writes at the wrong moment
    world.flow(begin="everything").run()
    assert "inbox/a.edi" in world.network.contents
    world.cleo.download = download  # type: ignore[method-assign]
    world.flow(begin="everything").run()
    assert "inbox/a.edi" not in world.network.contents
    assert len(world.ledger.inbox.messages(code="855")) == 2


def test_what_is_stored_is_not_lost_when_the_worker_dies_before_the_delete(world: World) -> None:
    ordered(world)
    drop(world, "a.edi", [confirmed(world)], 1)
    world.network.fail(drop="before", match="DELETE")
    with pytest.raises(mc.ConnectionFailed):
        world.flow(begin="everything").run()
    assert len(world.ledger.inbox.messages(state="stored")) == 1
    report = world.flow(begin="everything").run()
    assert report.kinds["inbox"].unchanged == 1
    assert world.ledger.orders()[0].confirmed == "confirmed"


def test_overdue_answers_are_a_query(world: World) -> None:
    ordered(world, 2)
    assert world.ledger.overdue() == []
    world.clock.advance(dt.timedelta(hours=25))
    assert len(world.ledger.overdue()) == 2
    drop(world, "reply.edi", [replied(world)], 1)
    world.flow(begin="everything").run()
    assert len(world.ledger.overdue()) == 1


def test_a_dry_run_fetches_nothing(world: World) -> None:
    ordered(world)
    drop(world, "a.edi", [confirmed(world)], 1)
    report = world.flow(begin="everything").run(dry_run=True)
    assert report.kinds["inbox"].queued == 1
    assert "inbox/a.edi" in world.network.contents
    assert world.ledger.inbox.messages() == []
