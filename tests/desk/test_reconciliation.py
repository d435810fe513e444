"""Each difference between source, ledger and target has one name, and the sums say the same (rules B10, B81)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector.delivery import Excluded, Flow, Ledger, Reconciliation, Recount, Sync
from mlconnector.delivery._amounts import amount_of
from mlconnector.records import Batch, Records, Window
from mlconnector.testing import ManualClock
from tests.delivery.model import LOST, Desk

START = dt.datetime(2026, 2, 10, 8, tzinfo=dt.UTC)
FIRST, LAST = dt.date(2026, 2, 1), dt.date(2026, 2, 28)


@attrs.define
class Books:
    """Documents by key, as a source reads them."""

    kind: str
    clock: ManualClock
    rows: dict[str, Any] = attrs.Factory(dict)
    bad: dict[str, tuple[str, ...]] = attrs.Factory(dict)
    system: str = "erp"
    filters: dict[str, Any] = attrs.Factory(dict)
    overlap: dt.timedelta = dt.timedelta(hours=1)
    resumable: bool = True

    def read(self, window: Window) -> Iterator[Batch[Any]]:
        found = [row for key, row in sorted(self.rows.items()) if window.keys is None or key in window.keys]
        wanted = [row for row in found if window.lower is None or row.provenance.updated_at >= window.lower]
        rejected = [mc.Rejected(key=key, row={}, faults=faults) for key, faults in self.bad.items()]
        yield Batch(documents=wanted, rejected=rejected, clock=self.clock.now(), last=True)


@attrs.define
class Month:
    """A flow of invoices and payments, and a target that can be asked."""

    clock: ManualClock
    ledger: Ledger
    here: Books
    there: Books
    paid: Books
    desk: Desk
    excluded: dict[str, str] = attrs.Factory(dict)

    def put(self, key: str, gross: str = "100.00", **fields: Any) -> mc.Invoice:
        settings: dict[str, Any] = {
            "number": key,
            "gl_date": dt.date(2026, 2, 10),
            "company": "00001",
            "currency": "USD",
            "gross": Decimal(gross),
            "supplier": mc.Party(number="4343"),
            **fields,
        }
        origin = mc.Provenance(system="erp", kind="invoices", key=key, updated_at=self.clock.now())
        self.here.rows[key] = invoice = mc.Invoice(**settings, provenance=origin)
        return invoice

    def arrive(self, key: str, **changes: Any) -> None:
        """The target has it, as it was sent or changed."""
        origin = mc.Provenance(system="desk", kind="invoices", key=key)
        self.there.rows[key] = attrs.evolve(self.here.rows[key], **{"provenance": origin, **changes})

    def pay(self, key: str, amount: str) -> None:
        origin = mc.Provenance(system="erp", kind="payments", key=key, updated_at=self.clock.now())
        self.paid.rows[key] = mc.Payment(
            number=key,
            date=dt.date(2026, 2, 11),
            amount=Decimal(amount),
            currency="USD",
            extras={"bank_account": "1110"},
            provenance=origin,
        )

    def select(self, document: Any, _known: bool) -> str | Excluded | None:
        return self.excluded.get(document.key)

    def flow(self, **options: Any) -> Flow:
        def sync(kind: str, books: Books) -> Sync:
            return Sync(
                f"f/{kind}", records=Records(books), target=self.desk, ledger=self.ledger, select=self.select, kind=kind
            )

        def ask(ids: Sequence[str]) -> Records[Any]:
            return Records(self.there, keys=ids)

        counts = {"invoices": Recount(there=ask, party_there=lambda number: number, **options)}
        parts = [sync("invoices", self.here), sync("payments", self.paid)]
        return Flow("f", parts, ledger=self.ledger, systems={}, recounts=counts)

    def reconcile(self) -> Reconciliation:
        return self.flow().reconcile(FIRST, LAST)


@attrs.define
class Whole(Desk):
    """A target to which everything is content."""

    mode: str = ""

    def usage(self, document: Any) -> str:
        return self.mode

    def content(self, document: Any) -> str:
        return str(document.fingerprint)

    def prepare(self, change: mc.Change[Any]) -> mc.Prepared:
        if change.key in self.refuse:
            raise self.refuse[change.key]
        return mc.Prepared(change.document, "payload", f"{change.key}-{change.revision}")


@pytest.fixture
def month() -> Iterator[Month]:
    clock = ManualClock(START)
    with Ledger(":memory:", actor="nightly", clock=clock) as ledger:
        books = [Books(kind, clock) for kind in ("invoices", "invoices", "payments")]
        yield Month(clock, ledger, *books, Whole())


def told(found: Reconciliation) -> list[tuple[str, str]]:
    return [(one.what, one.key) for one in found.findings]


def sent(month: Month, *keys: str) -> None:
    for key in keys:
        month.put(key)
    month.flow().run()
    for key in keys:
        month.arrive(key)


def test_a_clean_month_has_nothing_to_name(month: Month) -> None:
    sent(month, "1", "2")
    month.pay("p1", "60.00")
    month.pay("p2", "40.00")
    month.flow().run()
    found = month.reconcile()
    assert found.ok
    (day,) = found.payments
    assert (day.account, day.day, day.count, day.amount, day.told, day.told_amount) == (
        *("1110", dt.date(2026, 2, 11), 2, Decimal("100.00")),
        *(2, Decimal("100.00")),
    )
    assert found.balance("invoices", "00001", "USD").there == Decimal("200.00")
    with pytest.raises(KeyError):
        found.balance("invoices", "00001", "EUR")
    assert "payments by account and day" in str(found)
    assert "<caption>payments by account and day</caption>" in found._repr_html_()
    assert "<caption>findings</caption>" not in found._repr_html_()


def test_every_category_is_counted_once_and_the_open_ones_are_named(month: Month) -> None:
    sent(month, "1")
    month.desk.refuse["2"] = mc.InvalidDocument("no", faults=["no tax id"])
    month.put("2")
    month.put("3", waiting_for=("not posted",))
    month.put("4")
    month.excluded["4"] = "born there"
    month.flow().run()
    month.desk.script, month.desk.hidden = [("before", LOST)], True
    month.put("5")
    month.flow().run()
    month.put("6")
    month.put("7", waiting_for=("not posted",))
    month.here.bad["8"] = ("no amount",)
    found = month.reconcile()
    balance = found.balance("invoices", "00001", "USD")
    assert balance.count == {"delivered": 1, "parked": 1, "waiting": 2, "excluded": 1, "in_doubt": 1, "unknown": 1}
    assert (balance.read, balance.closes, found.closes) == (7, True, True)
    assert sorted(told(found)) == [
        ("in doubt", "5"),
        ("parked", "2"),
        ("unknown", "6"),
        ("unreadable", "8"),
        ("waiting", "3"),
        ("waiting", "7"),
    ]
    assert found.of("parked")[0].why == "no tax id"


def test_what_was_dropped_is_excluded(month: Month) -> None:
    month.desk.refuse["2"] = mc.InvalidDocument("no")
    month.put("2")
    month.flow().run()
    month.flow().settle("2", "drop", actor="jane", reason="a test voucher")
    found = month.reconcile()
    assert (found.balance("invoices", "00001", "USD").count, told(found)) == ({"excluded": 1}, [])


def test_what_gave_way_to_a_waiting_state_waits(month: Month) -> None:
    month.desk.refuse["2"] = mc.InvalidDocument("no")
    month.put("2")
    month.flow().run()
    month.put("2", waiting_for=("on hold",))
    month.clock.advance(60)
    month.flow().run()
    assert told(month.reconcile()) == [("waiting", "2")]
    month.put("2")
    assert told(month.reconcile()) == [("queued", "2")]


def test_a_hold_after_the_delivery_is_named(month: Month) -> None:
    sent(month, "1")
    month.put("1", waiting_for=("on hold",))
    month.flow().run()
    found = month.reconcile()
    assert told(found) == [("waiting", "1")]
    assert "the target has it" in found.findings[0].why
    assert found.closes


@pytest.mark.parametrize(
    ("changes", "what", "difference"),
    [
        ({"gross": "130.00"}, "amount", "30.00"),
        ({"void": True}, "void", "-100.00"),
        ({"supplier": mc.Party(number="9")}, "supplier", "0"),
        ({"terms": "N60"}, "changed", "0"),
        ({"open": Decimal(60)}, "part paid", "0"),
        ({"gl_date": dt.date(2026, 3, 1)}, "moved", "0"),
    ],
)
def test_a_change_here_that_was_not_told(month: Month, changes: dict[str, Any], what: str, difference: str) -> None:
    sent(month, "1", "2")
    month.put("1", **changes)
    found = month.reconcile()
    assert [(one.what, one.key, one.difference) for one in found.findings] == [(what, "1", Decimal(difference))]
    assert found.closes


@pytest.mark.parametrize(
    ("changes", "what", "difference"),
    [
        ({"gross": Decimal("99.99")}, "amount there", "-0.01"),
        ({"currency": "EUR"}, "amount there", "0"),
        ({"void": True}, "void there", "-100.00"),
        ({"supplier": mc.Party(number="9")}, "supplier there", "0"),
    ],
)
def test_a_change_there_behind_our_back(month: Month, changes: dict[str, Any], what: str, difference: str) -> None:
    sent(month, "1", "2")
    month.arrive("1", **changes)
    found = month.reconcile()
    assert [(one.what, one.key, one.there, one.difference) for one in found.findings] == [
        (what, "1", "1", Decimal(difference))
    ]
    assert found.closes
    assert not found.ok


def test_gone_here_and_gone_there(month: Month) -> None:
    sent(month, "1", "2", "3")
    del month.here.rows["1"]
    del month.there.rows["2"]
    found = month.reconcile()
    assert sorted(told(found)) == [("gone", "1"), ("gone there", "2")]
    assert found.closes
    del month.there.rows["1"]
    assert sorted(told(month.reconcile())) == [("gone", "1"), ("gone there", "1"), ("gone there", "2")]


def test_a_payment_gone_from_the_source_and_one_never_told(month: Month) -> None:
    month.pay("p1", "60.00")
    month.flow().run()
    month.here.bad["8"] = ("no amount",)
    month.put("1")
    month.flow().run()
    month.arrive("1")
    del month.here.rows["1"]
    del month.paid.rows["p1"]
    month.pay("p2", "40.00")
    found = month.reconcile()
    assert sorted(told(found)) == [("gone", "1"), ("gone", "p1"), ("unknown", "p2"), ("unreadable", "8")]
    (day,) = found.payments
    assert (day.count, day.told) == (1, 0)
    assert found.closes


def test_what_was_sent_as_a_test_does_not_count_as_sent(month: Month) -> None:
    month.desk.mode = "T"
    sent(month, "1", "2")
    month.desk.mode = "P"
    del month.here.rows["2"]
    found = month.reconcile()
    assert told(found) == [("unknown", "1")]
    assert found.balance("invoices", "00001", "USD").sent_count == 0
    month.clock.advance(60)
    month.put("1", "101.00")
    month.flow().run()
    assert month.reconcile().balance("invoices", "00001", "USD").count == {"delivered": 1}


def test_paid_in_full_is_no_difference(month: Month) -> None:
    month.put("1", open=Decimal("100.00"))
    month.flow().run()
    month.arrive("1")
    month.put("1", open=Decimal(0))
    month.flow().run()
    month.arrive("1")
    assert told(month.reconcile()) == []


def test_late_is_by_the_first_delivery_and_rejected_by_the_partner(month: Month) -> None:
    month.put("1")
    month.put("2")
    month.desk.refuse["2"] = mc.InvalidDocument("no")
    month.flow().run()
    month.arrive("1")
    month.clock.advance(dt.timedelta(days=30))
    del month.desk.refuse["2"]
    month.flow().replay(actor="jane", reason="mended")
    month.arrive("2")
    with month.ledger.store.transaction() as transaction:
        transaction.execute(
            "UPDATE deliveries SET partner_state = 'rejected', updated_at = ? WHERE key = '1'", (transaction.at,)
        )
    assert sorted(told(month.reconcile())) == [("late", "2"), ("rejected", "1")]


def test_what_was_last_touched_before_the_period_is_read_again_by_its_key(month: Month) -> None:
    month.put("1")
    month.flow().run()
    month.arrive("1")
    month.here.rows["1"] = attrs.evolve(
        month.here.rows["1"],
        provenance=mc.Provenance(
            system="erp", kind="invoices", key="1", updated_at=dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
        ),
    )
    found = month.reconcile()
    assert found.ok
    assert found.balance("invoices", "00001", "USD").read == 1


def test_a_baseline_is_counted_but_was_not_sent(month: Month) -> None:
    month.put("1")
    Sync(
        "f/invoices",
        records=Records(month.here),
        target=month.desk,
        ledger=month.ledger,
        begin="nothing",
        kind="invoices",
    ).run()
    balance = month.reconcile().balance("invoices", "00001", "USD")
    assert (balance.count, balance.sent_count, balance.closes) == ({"baselined": 1}, 0, True)


def test_an_owner_and_an_age_stand_beside_each_finding(month: Month, tmp_path: Path) -> None:
    month.desk.refuse["2"] = mc.InvalidDocument("no")
    month.put("2")
    month.flow().run()
    month.ledger.worklist.assign("2", "bob", actor="jane", reason="his")
    month.clock.advance(dt.timedelta(days=3))
    found = month.reconcile()
    assert [(one.owner, one.age is not None and one.age.days) for one in found.findings] == [("bob", 3)]
    assert found.export(tmp_path / "findings.csv") == 1
    assert "bob" in (tmp_path / "findings.csv").read_text(encoding="utf-8")


def test_sums_that_no_finding_explains_do_not_close(month: Month) -> None:
    sent(month, "1")
    found = month.reconcile()
    balance = found.balances[0]
    balance.there = Decimal("1.00")
    assert not balance.closes
    assert not found.closes
    assert "DOES NOT CLOSE" in str(found)
    balance.there = None
    assert balance.closes
    balance.held += 1
    assert not balance.closes
    balance.here_explained += 1
    assert balance.closes
    balance.total["delivered"] += 1
    assert not balance.closes


def test_periods_are_said_by_day_or_by_instant(month: Month) -> None:
    sent(month, "1")
    flow = month.flow()
    instant = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    found = flow.reconcile(dt.datetime(2026, 2, 1, tzinfo=dt.UTC), instant)
    assert (found.first, found.last, found.ok) == (FIRST, LAST, True)
    assert flow.reconcile(dt.date(2026, 3, 1), dt.date(2026, 3, 31)).balances == ()
    for since, until in (
        (dt.datetime(2026, 2, 1), LAST),  # noqa: DTZ001 - naive on purpose
        (LAST, FIRST),
        ("2026-02-01", LAST),
    ):
        with pytest.raises(mc.InvalidArgument):
            flow.reconcile(since, until)  # type: ignore[arg-type]


def test_what_has_no_day_counts_by_its_stamp() -> None:
    clock = ManualClock(START)
    with Ledger(":memory:", actor="nightly", clock=clock) as ledger:
        books = Books("suppliers", clock)
        origin = mc.Provenance(system="erp", kind="suppliers", key="1", updated_at=START)
        books.rows["1"] = mc.Supplier(number="1", name="Acme", provenance=origin)
        flow = Flow(
            "f", [Sync("f/suppliers", records=Records(books), target=Whole(), ledger=ledger)], ledger=ledger, systems={}
        )
        flow.run()
        found = flow.reconcile(FIRST, LAST)
        assert found.balance("suppliers", "", "").count == {"delivered": 1}
        assert flow.reconcile(dt.date(2026, 1, 1), dt.date(2026, 1, 31)).balances == ()


def test_journal_lines_and_orders_are_worth_what_they_say() -> None:
    line = mc.JournalLine(number="1", credit=Decimal("7.50"), currency="USD")
    order = mc.PurchaseOrder(number="1", total=Decimal("9.00"), status="cancelled")
    assert (amount_of(line), amount_of(order)) == (Decimal("-7.50"), Decimal(0))
    assert amount_of(attrs.evolve(order, status="open")) == Decimal("9.00")
    assert amount_of(mc.Supplier(number="1")) is None
