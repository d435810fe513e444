"""The targets under the engine: every fault on the wire, once in effect (delivery.md)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector.records import Batch, Window
from mlconnector.target import Change, Prepared
from tests.coupa.conftest import Setup
from tests.coupa.documents import invoice, invoice_line, line, order, supplier

HOUR = dt.timedelta(hours=1)


@attrs.define
class Source:
    """Documents by key, stamped with the clock when they are put."""

    clock: Any
    kind: str
    rows: dict[str, Any] = attrs.Factory(dict)
    system: str = "jdedwards"
    filters: dict[str, Any] = attrs.Factory(dict)
    overlap: dt.timedelta = HOUR
    resumable: bool = True

    def put(self, document: Any) -> None:
        stamped = attrs.evolve(document.provenance, updated_at=self.clock.now())
        self.rows[document.key] = attrs.evolve(document, provenance=stamped)

    def read(self, window: Window) -> Any:
        found = [
            row
            for key, row in sorted(self.rows.items())
            if (window.keys is None or key in window.keys)
            and (window.lower is None or row.provenance.updated_at >= window.lower)
        ]
        yield Batch(documents=found, clock=self.clock.now(), last=True)


@attrs.define
class Job:
    setup: Setup
    source: Source
    sync: mc.Sync
    ledger: mc.Ledger

    def run(self, **options: Any) -> Any:
        """One run, an hour after the last one: every settling delay is over."""
        self.setup.clock.advance(HOUR)
        return self.sync.run(**options)

    def states(self) -> list[str]:
        return [one.state for one in self.ledger.deliveries()]


@pytest.fixture
def job(setup: Setup, ledger: mc.Ledger) -> Any:
    def make(kind: str, **options: Any) -> Job:
        source = Source(setup.clock, kind)
        target = setup.coupa.target(kind, **options)
        sync = mc.Sync(kind, records=mc.Records(source), target=target, ledger=ledger, call_timeout=60)
        return Job(setup, source, sync, ledger)

    return make


def test_twenty_changed_suppliers_of_a_thousand_take_at_most_sixty_calls(setup: Setup, job: Any) -> None:
    suppliers = job("suppliers")
    for number in range(100):
        suppliers.source.put(supplier(str(number + 1000), name=f"Name {number}"))
    assert suppliers.run().ok
    assert len(setup.stub.rows("suppliers")) == 101
    setup.stub.forget_calls()
    for number in range(20):
        suppliers.source.put(supplier(str(number + 1000), name=f"New {number}"))
    assert suppliers.run().ok
    assert len(setup.stub.calls) <= 60
    assert len(setup.stub.writes()) == 20
    assert len([one for one in setup.stub.rows("suppliers") if one["name"].startswith("New")]) == 20


@pytest.mark.parametrize(
    "fault", [{"drop": "after"}, {"drop": "before"}, {"status": 500}, {"status": 504, "acts": True}]
)
@pytest.mark.parametrize("kind", ["suppliers", "purchase_orders", "invoices"])
def test_a_create_whose_answer_is_lost_happens_once(setup: Setup, job: Any, kind: str, fault: dict[str, Any]) -> None:
    setup.stub.account("100-8000")
    one = job(kind)
    one.source.put({"suppliers": supplier, "purchase_orders": order, "invoices": invoice}[kind]())
    setup.stub.fail(match=f"POST /api/{kind}", **fault)
    one.run()
    for _ in range(3):
        one.run()
    assert set(one.states()) == {"delivered"}
    key = {
        "suppliers": ("number", "5000"),
        "purchase_orders": ("po-number", "4711"),
        "invoices": ("invoice-number", "R-1"),
    }
    name, value = key[kind]
    assert len([row for row in setup.stub.rows(kind) if row.get(name) == value]) == 1


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"drop": "before"}])
def test_an_issue_whose_answer_is_lost_happens_once(setup: Setup, job: Any, fault: dict[str, Any]) -> None:
    orders = job("purchase_orders")
    orders.source.put(order())
    setup.stub.fail(match="issue_without_send", **fault)
    for _ in range(4):
        orders.run()
    assert set(orders.states()) == {"delivered"}
    assert setup.stub.rows("purchase_orders")[0]["status"] == "issued"
    posts = [path for method, path in setup.stub.writes() if method == "POST"]
    assert len(posts) == 1


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"drop": "before"}, {"status": 503}])
def test_a_submit_whose_answer_is_lost_happens_once(setup: Setup, job: Any, fault: dict[str, Any]) -> None:
    setup.stub.account("100-8000")
    invoices = job("invoices", submit=True)
    invoices.source.put(invoice())
    setup.stub.fail(match="submit", **fault)
    for _ in range(4):
        invoices.run()
    assert set(invoices.states()) == {"delivered"}
    assert [row["status"] for row in setup.stub.rows("invoices")] == ["pending_approval"]


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"drop": "before"}, {"status": 500, "acts": True}])
def test_a_change_that_appends_a_line_and_loses_its_answer_appends_it_once(
    setup: Setup, job: Any, fault: dict[str, Any]
) -> None:
    orders = job("purchase_orders")
    orders.source.put(order())
    orders.run()
    setup.clock.advance(HOUR)
    orders.source.put(order(lines=[line("1"), line("3"), line("4")]))
    setup.stub.fail(match="PUT /api/purchase_orders", **fault)
    for _ in range(4):
        orders.run()
    (row,) = setup.stub.rows("purchase_orders")
    assert sorted(one["line-num"] for one in row["order-lines"]) == ["1", "3", "4"]
    assert orders.states()[-1] == "delivered"


def test_an_order_changed_three_times_a_line_removed_and_one_added(setup: Setup, job: Any) -> None:
    orders = job("purchase_orders")
    for lines in (
        [line("1"), line("2")],
        [line("1", quantity=Decimal(5), amount=Decimal("7.5")), line("2")],
        [line("1", quantity=Decimal(5), amount=Decimal("7.5")), line("3")],
        [line("1"), line("2"), line("3")],
    ):
        orders.source.put(order(lines=lines))
        assert orders.run().ok
    (row,) = setup.stub.rows("purchase_orders")
    assert sorted(one["line-num"] for one in row["order-lines"]) == ["1", "2", "3"]
    assert {one["quantity"] for one in row["order-lines"]} == {"2"}
    setup.stub.forget_calls()
    orders.source.put(order(lines=[line("1", received_quantity=Decimal(1)), line("2"), line("3")], buyer="7"))
    orders.run()
    assert setup.stub.calls == ()
    orders.source.put(order(status="cancelled", lines=[line("1"), line("2"), line("3")]))
    assert orders.run().ok
    assert row["status"] == "closed"


def test_a_cancellation_whose_answer_is_lost_is_looked_for(setup: Setup, job: Any) -> None:
    orders = job("purchase_orders")
    orders.source.put(order())
    orders.run()
    orders.source.put(order(status="cancelled"))
    setup.stub.fail(match="close", drop="before")
    orders.run()
    setup.stub.fail(match="close", drop="after")
    for _ in range(3):
        orders.run()
    assert orders.states()[-1] == "delivered"
    assert len([path for _m, path in setup.stub.writes() if path.endswith("close")]) == 2


def test_what_a_person_changed_is_parked_not_overwritten(setup: Setup, job: Any) -> None:
    orders = job("purchase_orders")
    orders.source.put(order())
    orders.run()
    (row,) = setup.stub.rows("purchase_orders")
    row["order-lines"][0]["quantity"] = "9"
    orders.source.put(order(lines=[line("1"), line("2", description="Nut")]))
    orders.run()
    (parked,) = [one for one in orders.ledger.deliveries() if one.state == "parked"]
    assert "order-lines 1 quantity: '2' was meant, Coupa has '9'" in " ".join(parked.faults)
    row["order-lines"][0]["quantity"] = "2.0000"
    orders.sync.settle(parked.key, outcome="overwrite", actor="ann", reason="mended")
    orders.run()
    assert row["order-lines"][1]["description"] == "Nut"


def test_a_record_deleted_in_coupa_is_never_made_again(setup: Setup, job: Any) -> None:
    suppliers = job("suppliers")
    suppliers.source.put(supplier())
    suppliers.run()
    number = setup.stub.next_id
    del setup.stub.store["suppliers"][number]
    suppliers.source.put(supplier(name="Other"))
    suppliers.run()
    assert suppliers.states()[-1] == "parked"
    assert number not in setup.stub.store["suppliers"]


def test_a_supplier_that_is_there_and_equal_is_linked_a_different_one_is_parked(setup: Setup, job: Any) -> None:
    setup.coupa.save_supplier(supplier())
    setup.coupa.save_supplier(supplier("6000", name="Old"))
    setup.stub.forget_calls()
    suppliers = job("suppliers")
    suppliers.source.put(supplier())
    suppliers.source.put(supplier("6000", name="New"))
    suppliers.run()
    assert sorted(suppliers.states()) == ["delivered", "parked"]
    assert setup.stub.writes() == []


def test_an_equal_draft_order_is_only_issued(setup: Setup, job: Any) -> None:
    setup.coupa.save_purchase_order(order(), issue="no")
    setup.stub.forget_calls()
    orders = job("purchase_orders")
    orders.source.put(order())
    assert orders.run().ok
    assert [path.rpartition("/")[2] for _m, path in setup.stub.writes()] == ["issue_without_send"]


def refused_at_the_issue(setup: Setup, job: Any) -> Any:
    """An order that Coupa took as a draft and would not issue."""
    orders = job("purchase_orders")
    orders.source.put(order())
    setup.stub.fail(match="issue_without_send", status=422, body='{"errors": {"order": ["is not ready"]}}')
    orders.run()
    assert [(one.state, one.detail) for one in orders.ledger.deliveries()] == [("parked", "refused")]
    return orders


def test_what_changes_after_its_issue_was_refused_is_changed_in_the_same_record(setup: Setup, job: Any) -> None:
    orders = refused_at_the_issue(setup, job)
    orders.source.put(order(lines=[line(quantity=Decimal(7), amount=Decimal("10.5"))]))
    assert orders.run().ok
    (row,) = setup.stub.rows("purchase_orders")
    assert (row["status"], Decimal(str(row["order-lines"][0]["quantity"]))) == ("issued", Decimal(7))
    assert orders.states() == ["superseded", "delivered"]


def test_what_people_changed_after_the_issue_was_refused_is_theirs(setup: Setup, job: Any) -> None:
    orders = refused_at_the_issue(setup, job)
    setup.stub.rows("purchase_orders")[0]["order-lines"][0]["quantity"] = "3.0"
    orders.source.put(order(lines=[line(quantity=Decimal(7), amount=Decimal("10.5"))]))
    orders.run()
    assert [(one.state, one.detail) for one in orders.ledger.deliveries()][-1] == ("parked", "conflict")


def test_missing_references_park_whole_and_replay_after_the_mapping_is_mended(setup: Setup, job: Any) -> None:
    orders = job("purchase_orders")
    orders.source.put(order(lines=[line(account="77"), line("2", account="78")]))
    orders.run()
    (parked,) = orders.ledger.deliveries()
    assert parked.faults == ("account 77 is not in Coupa", "account 78 is not in Coupa")
    assert setup.stub.writes() == []
    setup.stub.account("77")
    orders.ledger.crosswalk.link("account", jdedwards="78", coupa="01-100-8000")
    orders.sync.replay(actor="ann", reason="accounts mapped")
    orders.run()
    assert setup.stub.rows("purchase_orders")[0]["status"] == "issued"


def test_a_dropped_reference_parks_and_is_overwritten_once_it_is_known(setup: Setup, job: Any) -> None:
    setup.stub.drop_on_write = {"account"}
    orders = job("purchase_orders")
    orders.source.put(order())
    orders.run()
    (parked,) = orders.ledger.deliveries()
    assert parked.state == "parked"
    assert any("account" in fault for fault in parked.faults)
    assert setup.stub.rows("purchase_orders")[0]["status"] == "draft"
    setup.stub.drop_on_write = set()
    orders.run()
    orders.sync.settle(parked.key, outcome="overwrite", actor="ann", reason="known now")
    orders.run()
    (row,) = setup.stub.rows("purchase_orders")
    assert row["status"] == "issued"
    assert row["order-lines"][0]["account"]["code"] == "01-100-8000"
    assert len(row["order-lines"]) == 2


def test_two_orders_under_one_number_collide_and_park(setup: Setup, job: Any) -> None:
    orders = job("purchase_orders")
    orders.source.put(order())
    orders.run()
    orders.source.put(
        attrs.evolve(order(company="00002"), provenance=attrs.evolve(order().provenance, key="00002/OP/4711"))
    )
    orders.run()
    (parked,) = [one for one in orders.ledger.deliveries() if one.state == "parked"]
    assert parked.cause == "collision"


def test_an_invoice_that_is_not_ours_is_parked_even_when_equal(setup: Setup, job: Any) -> None:
    setup.stub.account("100-8000")
    setup.coupa.save_invoice(invoice())
    setup.stub.rows("invoices")[0]["internal-note"] = "typed by hand"
    invoices = job("invoices")
    invoices.source.put(invoice())
    invoices.run()
    assert invoices.states() == ["parked"]


def test_a_voided_voucher_voids_its_invoice_and_one_voided_there_is_a_conflict(setup: Setup, job: Any) -> None:
    setup.stub.account("100-8000")
    invoices = job("invoices")
    invoices.source.put(invoice())
    invoices.run()
    invoices.source.put(invoice(void=True))
    assert invoices.run().ok
    (row,) = setup.stub.rows("invoices")
    assert row["status"] == "voided"
    invoices.source.put(invoice())
    invoices.run()
    assert invoices.states()[-1] == "parked"


def test_content_leaves_out_what_coupa_is_not_told(setup: Setup) -> None:
    invoices = setup.coupa.target("invoices")
    assert invoices.content(invoice()) == invoices.content(invoice(open=Decimal(3), pay_status="P", posted=True))
    assert invoices.content(invoice()) != invoices.content(invoice(lines=[invoice_line(amount=Decimal(1))]))
    assert invoices.content(invoice()) != invoices.content(invoice(void=True))
    suppliers = setup.coupa.target("suppliers")
    assert suppliers.content(supplier()) == suppliers.content(supplier(hold="Y", currency="EUR"))
    orders = setup.coupa.target("purchase_orders")
    assert orders.content(order()) == orders.content(
        order(status="closed", hold="H", ship_to=mc.Party(number="6001", name="x"))
    )
    assert orders.content(order()) != orders.content(order(status="cancelled"))
    cancelled = line("2", status="cancelled")
    assert orders.content(order(lines=[line("1")])) == orders.content(order(lines=[line("1"), cancelled]))


# Looking, without the engine


def settled(prepared: Prepared, **changes: Any) -> Prepared:
    """As the engine gives it back after an intent."""
    rendered = attrs.evolve(prepared.rendered(None), step="save", attempt=1)
    return attrs.evolve(rendered, **changes)


def test_find_tells_our_write_from_the_base_and_from_others(setup: Setup) -> None:
    target = setup.coupa.target("purchase_orders")
    fresh = target.prepare(Change(document=order()))
    assert target.find(fresh) is None
    assert target.find(settled(fresh)) is None
    assert fresh.claim == ("order number", "coupa", "4711")
    assert fresh.marker == "4711"
    receipt = target.deliver([settled(fresh)])[0]
    found = target.find(settled(fresh))
    assert found is not None
    assert found.id == receipt.id
    assert found.steps == ("save",)
    assert found.by == "marker"
    (row,) = setup.stub.rows("purchase_orders")
    row["status"] = "issued"
    assert target.find(settled(fresh)).steps == ("save", "issue")

    changed = target.prepare(Change(document=order(lines=[line("1")]), previous=order(), target_id=receipt.id))
    assert target.find(changed) is None
    assert target.find(settled(changed)) is None
    row["order-lines"][0]["price"] = "8"
    with pytest.raises(mc.TargetChanged, match="other content"):
        target.find(settled(changed))
    with pytest.raises(mc.TargetChanged) as caught:
        target.find(target.prepare(Change(document=order(lines=[line("1")]), previous=order(), target_id=receipt.id)))
    assert caught.value.cause == "changed"
    row["order-lines"][0]["price"] = "1.5"
    target.deliver([settled(changed)])
    found = target.find(settled(changed))
    assert found is not None
    assert found.by == "content"
    row["status"] = "cancelled"
    with pytest.raises(mc.TargetChanged, match="is cancelled in Coupa"):
        target.find(settled(changed))
    with pytest.raises(mc.TargetChanged, match="is cancelled in Coupa"):
        target.find(target.prepare(Change(document=order())))
    setup.stub.store["purchase_orders"].clear()
    with pytest.raises(mc.TargetChanged, match="no longer in Coupa"):
        target.find(settled(changed))
    with pytest.raises(mc.TargetChanged, match="was made as"):
        target.prepare(Change(document=order(), target_id=receipt.id))


def test_find_of_another_content_under_our_number_is_a_conflict(setup: Setup) -> None:
    target = setup.coupa.target("purchase_orders")
    fresh = target.prepare(Change(document=order()))
    setup.coupa.save_purchase_order(order(lines=[line("1", description="Else")]))
    with pytest.raises(mc.TargetChanged, match="other content"):
        target.find(settled(fresh))
    with pytest.raises(mc.TargetChanged) as caught:
        target.deliver([settled(fresh)])
    assert caught.value.cause == "taken"
    with pytest.raises(mc.TargetChanged, match="other content"):
        target.find(target.prepare(Change(document=order())))


def test_a_kept_call_without_a_step_left_is_not_sent_again(setup: Setup) -> None:
    target = setup.coupa.target("purchase_orders")
    setup.coupa.save_purchase_order(order())
    (row,) = setup.stub.rows("purchase_orders")
    changed = target.prepare(Change(document=order(lines=[line("1"), line("2"), line("3")]), previous=order()))
    target.deliver([settled(changed)])
    setup.stub.forget_calls()
    receipt = target.deliver([settled(changed, step=None)])[0]
    assert receipt.id == str(row["id"])
    assert setup.stub.writes() == []
    row["order-lines"].pop()
    target.deliver([settled(changed, step=None)])
    assert len(row["order-lines"]) == 3


def test_a_cancellation_is_found_by_its_status(setup: Setup) -> None:
    target = setup.coupa.target("purchase_orders")
    setup.coupa.save_purchase_order(order())
    prepared = target.prepare(Change(document=order(status="cancelled"), previous=order(), action="cancel"))
    assert target.find(prepared) is None
    rendered = settled(prepared, step="end")
    assert target.find(rendered) is None
    (receipt,) = target.deliver([rendered])
    assert receipt.id == prepared.target_id
    assert target.find(rendered).steps == ("end",)
    again = target.prepare(Change(document=order(status="cancelled"), previous=order(), action="cancel"))
    assert target.find(again).id == receipt.id


def test_a_payload_that_is_no_call_is_refused(setup: Setup) -> None:
    target = setup.coupa.target("suppliers")
    with pytest.raises(mc.InvalidDocument) as caught:
        target.find(Prepared(supplier(), {"name": "x"}, "m"))
    assert caught.value.cause == "payload"


def test_a_base_whose_account_is_gone_by_now_is_compared_without_it(setup: Setup) -> None:
    target = setup.coupa.target("purchase_orders")
    setup.coupa.save_purchase_order(order())
    base = order(lines=[line("1", account="gone"), line("2")])
    wanted = order(lines=[line("1", description="x"), line("2")])
    assert target.find(target.prepare(Change(document=wanted, previous=base))) is None
