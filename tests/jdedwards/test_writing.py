"""Writing over the orchestration contract: checked before, looked up after, refused whole (AIS reference, 6.4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector.documents import Application, Invoice, InvoiceLine, JournalLine, Party, Payment, Provenance
from mlconnector.jdedwards._books import AccountCode
from mlconnector.jdedwards._orchestrator import amount_text
from mlconnector.jdedwards._payments_target import PaidItem
from mlconnector.testing import (
    JDEdwardsSimulator,
    ManualClock,
    accounts,
    fiscal_calendar,
    orders,
    receipts,
    suppliers,
    vouchers,
)
from mlconnector.testing._ais_books import FinancialRules
from mlconnector.testing._ais_orchestrations import OrchestrationSite

START = dt.datetime(2026, 3, 2, 15, tzinfo=dt.UTC)
TODAY = dt.date(2026, 3, 2)
BANK = "00000001"


class Links:
    """A crosswalk of a few links: kind and id to the JD Edwards side."""

    def __init__(self, **links: Mapping[str, str]) -> None:
        self._links = links

    def find(self, kind: str, *, to: str | None = None, **known: str) -> Any:
        (value,) = known.values()
        return self._links.get(kind.replace(" ", "_"), {}).get(value) if to is not None else None


@attrs.define
class Site:
    clock: ManualClock
    erp: JDEdwardsSimulator
    jde: mc.JDEdwardsAIS

    def rows(self, table: str) -> list[Any]:
        return list(self.erp.contents.get(table, ()))

    def live(self) -> list[Any]:
        return [row for row in self.rows("F0411") if not row["DCTA"]]


@pytest.fixture
def build() -> Iterator[Any]:
    """Makes sites with their own habits; each is closed after the test."""
    import contextlib

    with contextlib.ExitStack() as stack:

        def make(
            *, site: Mapping[str, Any] | None = None, rules: Mapping[str, Any] | None = None, **options: Any
        ) -> Site:
            clock = ManualClock(START)
            erp = stack.enter_context(
                JDEdwardsSimulator(
                    clock=clock,
                    orchestrations=OrchestrationSite(**site or {}),
                    financials=FinancialRules(**rules or {}),
                )
            )
            jde = stack.enter_context(mc.JDEdwardsAIS(erp.url, auth=erp.auth, clock=clock, timeout=20, **options))
            erp.add(suppliers(3))
            erp.add(accounts())
            erp.add({"PTC": "N30", "PTD": "Net 30", "NDTP": 30}, table="F0014")
            erp.add(fiscal_calendar(2026, period=3))
            return Site(clock, erp, jde)

        yield make


def invoice(number: str = "INV-1", *, key: str = "9001", lines: Sequence[Any] = (), **fields: Any) -> Invoice:
    """An approved invoice of a supplier, as Coupa tells it."""
    made = lines or [InvoiceLine(number="1", kind="amount", amount=fields.get("gross", Decimal("100.00")),
                                 account="M30.6110", description="Bolts")]  # fmt: skip
    return Invoice(
        **{
            "number": key,
            "supplier_invoice_number": number,
            "date": dt.date(2026, 3, 1),
            "supplier": Party(number="4343", name="Acme"),
            "currency": "USD",
            "gross": Decimal("100.00"),
            "company": "00001",
            "lines": tuple(made),
            "provenance": Provenance(system="coupa", kind="invoices", key=key),
            **fields,
        }
    )


def payment(*parts: tuple[str, str], key: str = "stp1", **fields: Any) -> Payment:
    applications = tuple(Application(invoice=name, amount=Decimal(amount)) for name, amount in parts)
    return Payment(
        **{
            "number": key,
            "date": TODAY,
            "amount": sum((one.amount or Decimal(0) for one in applications), Decimal(0)),
            "currency": "USD",
            "payee": Party(number="4343"),
            "applications": tuple(one for one in applications if (one.amount or 0) >= 0),
            "credits": tuple(one for one in applications if (one.amount or 0) < 0),
            "provenance": Provenance(system="bill", kind="payments", key=key),
            **fields,
        }
    )


def faults_of(error: pytest.ExceptionInfo[Any]) -> str:
    return "; ".join(error.value.faults)


# Vouchers


def test_a_voucher_is_made_once_and_carries_the_mark_of_its_home(build: Any) -> None:
    site = build()
    receipt = site.jde.create_voucher(invoice())
    (row,) = site.live()
    assert (row["VINV"], row["RMK"], row["AG"], row["CRCD"], row["DGJ"]) == (
        "INV-1", "COUPA:9001", Decimal(100), "USD", TODAY,
    )  # fmt: skip
    assert receipt.id == f"00001/PV/{row['DOC']}"
    again = site.jde.create_voucher(invoice())
    assert (again.existing, again.id) == (True, receipt.id)
    assert len(site.live()) == 1


@pytest.mark.parametrize("outputs", ['{"jde__status": "SUCCESS"}', '{"documentnumber": "1"}'])
def test_a_voucher_whose_number_is_not_told_is_looked_up(build: Any, outputs: str) -> None:
    site = build()
    site.erp.fail(status=200, body=outputs, content_type="application/json", acts=True, match="ML_CreateAPVoucher")
    receipt = site.jde.create_voucher(invoice())
    (row,) = site.live()
    assert receipt.id == f"00001/PV/{row['DOC']}"
    site.erp.fail(status=200, body=outputs, content_type="application/json", match="ML_CreateAPVoucher")
    assert site.jde.create_voucher(invoice("INV-2", key="9002")).id is None  # a batch is yet to make it


def test_a_number_with_a_point_names_the_same_voucher(build: Any) -> None:
    site = build()
    body = '{"DocumentCompany": "00001", "DocumentType": "PV", "DocumentNumber": 7000.0}'
    site.erp.fail(status=200, body=body, content_type="application/json", match="ML_CreateAPVoucher")
    assert site.jde.create_voucher(invoice()).id == "00001/PV/7000"


def test_a_site_that_writes_the_number_another_way_is_found_by_the_mark(build: Any) -> None:
    site = build(rules={"left_empty": frozenset({"F0411.VINV"})})
    site.erp.fail(drop="after", match="ML_CreateAPVoucher")
    with pytest.raises(mc.DeliveryInDoubt):
        site.jde.create_voucher(invoice())
    assert site.jde.create_voucher(invoice()).existing
    assert len(site.live()) == 1


def test_a_voucher_that_is_not_ours_or_another_amount_is_a_conflict(build: Any) -> None:
    site = build()
    site.jde.create_voucher(invoice())
    with pytest.raises(mc.TargetChanged, match="not ours"):
        site.jde.create_voucher(invoice(key="9002"))
    with pytest.raises(mc.TargetChanged, match=r"over 100(\.00)?, not 90\.00"):
        site.jde.create_voucher(invoice(gross=Decimal("90.00")))
    assert len(site.live()) == 1


@pytest.mark.parametrize("keeps", [True, False])
def test_a_voucher_of_ours_that_somebody_has_voided_is_never_made_again(build: Any, keeps: bool) -> None:
    site = build(rules={"void_keeps_gross": keeps})
    site.jde.create_voucher(invoice())
    site.erp.post()
    site.jde.reverse_voucher(invoice())
    with pytest.raises(mc.TargetChanged, match="is void"):
        site.jde.create_voucher(invoice())
    assert len(site.live()) == 1


def test_everything_that_stands_against_a_voucher_is_told_at_once_and_nothing_is_written(build: Any) -> None:
    site = build()
    wrong = invoice(
        "N" * 26,
        supplier=Party(number="4999"),
        currency=None,
        date=None,
        gl_date=dt.date(2025, 1, 1),
        gross=Decimal("100.005"),
        lines=[
            InvoiceLine(number="1", kind="amount", amount=None, account="M30.6110"),
            InvoiceLine(number="2", kind="amount", amount=Decimal(5), account="M30.6000"),
            InvoiceLine(number="3", kind="amount", amount=Decimal(5), account="M30.9999"),
            InvoiceLine(number="4", kind="amount", amount=Decimal(5), account="6110"),
            InvoiceLine(number="5", kind="amount", amount=Decimal(5)),
        ],
    )
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.create_voucher(wrong)
    told = faults_of(error)
    for part in (
        "supplier 4999 is not in F0401", "26 characters", "currency is not known", "no invoice date",
        "outside the open periods", "more than two decimals", "line 1: no amount", "posting edit code N",
        "M30.9999 is not in F0901", "line 4: account '6110' is not linked", "line 5 has no account", "lines sum to",
    ):  # fmt: skip
        assert part in told, (part, told)
    assert site.rows("F0411") == []


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"supplier": None}, "no supplier"),
        ({"supplier": Party(name="Acme")}, "'Acme' is not linked"),
        ({"supplier": Party(number="V-7")}, "'V-7' is not linked"),
        ({"company": ""}, "names no company"),
        ({"company": "00077"}, "open periods of company 00077 cannot be read"),
        ({"gross": None}, "gross: no amount"),
        ({"tax": Decimal(10)}, "no tax explanation"),
        ({"kind": "credit"}, "credits are below 0"),
    ],
)
def test_what_is_missing_is_named(build: Any, fields: dict[str, Any], told: str) -> None:
    site = build()
    with pytest.raises((mc.InvalidDocument, mc.UnknownReference)) as error:
        site.jde.create_voucher(invoice(**fields))
    assert told in faults_of(error)


def test_a_supplier_on_hold_gets_no_voucher(build: Any) -> None:
    site = build()
    site.erp.update("F0401", 4343, HOLD="X")
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.create_voucher(invoice())
    assert "on hold (X)" in faults_of(error)


def test_a_credit_is_a_debit_memo(build: Any) -> None:
    site = build()
    line = InvoiceLine(number="1", kind="amount", amount=Decimal(-40), account="M30.6110")
    receipt = site.jde.create_voucher(invoice(kind="credit", gross=Decimal(-40), lines=[line]))
    (row,) = site.live()
    assert (row["DCT"], row["AG"]) == ("PD", Decimal(-40))
    assert receipt.id.split("/")[1] == "PD"
    assert site.jde.create_voucher(invoice(kind="credit", gross=Decimal(-40), lines=[line])).existing


def test_a_foreign_voucher_is_compared_in_its_own_currency(build: Any) -> None:
    site = build()
    foreign = invoice(currency="EUR", rate=Decimal("1.10000"))
    site.erp.fail(drop="after", match="ML_CreateAPVoucher")
    with pytest.raises(mc.DeliveryInDoubt, match="COUPA|4343/INV-1|no answer"):
        site.jde.create_voucher(foreign)
    assert site.jde.create_voucher(foreign).existing
    (row,) = site.live()
    assert (row["CRRM"], row["ACR"], row["AG"], row["CRCD"]) == ("F", Decimal(100), Decimal(110), "EUR")


def test_shares_of_a_currency_without_decimals_are_whole(build: Any) -> None:
    site = build()
    shares = [{"account": f"M30-{number}", "percent": part} for number, part in (("6110", "33.33"), ("6120", "66.67"))]
    line = InvoiceLine(number="1", kind="amount", amount=Decimal(1000), extras={"allocations": shares})
    site.jde.create_voucher(invoice(currency="JPY", gross=Decimal(1000), lines=[line]))
    assert sorted(row["AA"] for row in site.rows("F0911") if row["LT"] == "CA") == [333, 667]


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ([{"percent": 50}, {"percent": 30}], "80 per cent"),
        ([{"amount": 60}, {"amount": 30}], "leave 10"),
        ([{"amount": 60}, {}], "neither amount nor percent"),
    ],
)
def test_shares_that_do_not_make_the_line_are_refused(build: Any, shares: list[Any], told: str) -> None:
    site = build()
    line = InvoiceLine(
        number="1", kind="amount", amount=Decimal(100), account="M30.6110", extras={"allocations": shares}
    )
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.create_voucher(invoice(lines=[line]))
    assert told in faults_of(error)


@given(parts=st.lists(st.integers(1, 97), min_size=1, max_size=4), cents=st.integers(1, 10**9))
@settings(max_examples=40, deadline=None)
def test_shares_by_percent_always_sum_to_the_line(parts: list[int], cents: int) -> None:
    from mlconnector.jdedwards._posting import Refusals
    from mlconnector.jdedwards._vouchers_target import _shares

    whole = [*parts, 100 - sum(parts)]
    refusals = Refusals()
    amount = Decimal(cents) / 100
    line = InvoiceLine(
        number="1", kind="amount", amount=amount, extras={"allocations": [{"percent": one} for one in whole]}
    )
    assert sum(share or 0 for _account, _center, share in _shares(line, "6110", "USD", "line 1", refusals)) == amount
    assert refusals.faults == []


def test_tax_inside_the_gross_and_tax_that_the_buyer_owes(build: Any) -> None:
    site = build()
    line = InvoiceLine(number="1", kind="amount", amount=Decimal(100), account="M30.6110")
    tax = {"VAT20": ("V", "UK20"), "USE": ("U", "")}
    inside = invoice(gross=Decimal(120), tax=Decimal(20), lines=[line], extras={"tax_code": "VAT20"})
    site.jde.create_voucher(inside, tax=tax)
    owed = invoice("INV-2", key="9002", tax=Decimal(20), lines=[line], extras={"tax_code": "USE"})
    site.jde.create_voucher(owed, tax=tax)
    first, second = sorted(site.live(), key=lambda row: row["VINV"])
    assert (first["AG"], first["STAM"], first["EXR1"], first["TXA1"]) == (120, 20, "V", "UK20")
    assert (second["AG"], second["STAM"], second["EXR1"]) == (100, 0, "U")
    wrong = invoice("INV-3", key="9003", tax=Decimal(20), lines=[line], extras={"tax_code": "VAT20"})
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.create_voucher(wrong, tax=tax)
    assert "gross less the tax in it is 80" in faults_of(error)


def test_links_say_what_supplier_account_terms_and_tax_are(build: Any) -> None:
    site = build()
    links = Links(
        supplier={"ACME": "4343"},
        account={"OFFICE": "M30.6120", "charge:shipping": "M30.6310", "PLAIN": "6110"},
        cost_center={"BOULDER": "M30"},
        terms={"Net 30": "N30"},
        tax={"VAT": "V/UK20"},
        company={"US": "00001"},
    )
    lines = [
        InvoiceLine(number="1", kind="amount", amount=Decimal(60), account="OFFICE"),
        InvoiceLine(number="2", kind="amount", amount=Decimal(30), account="PLAIN", cost_center="BOULDER"),
        InvoiceLine(kind="charge", amount=Decimal(10), description="shipping"),
        InvoiceLine(number="3", kind="text", description="a text"),
    ]
    made = invoice(
        supplier=Party(number="ACME"), company="US", terms="Net 30", tax=Decimal(20), gross=Decimal(120), lines=lines,
        extras={"tax_code": "VAT"},
    )  # fmt: skip
    site.jde.create_voucher(made, crosswalk=links)
    (row,) = site.live()
    assert (row["AN8"], row["PTC"], row["EXR1"], row["TXA1"]) == (4343, "N30", "V", "UK20")
    told = sorted((row["OBJ"], row["AA"]) for row in site.rows("F0911"))
    assert told == [("6110", 30), ("6120", 60), ("6310", 10)]


def test_an_older_orchestration_is_not_called_with_what_it_lacks(build: Any) -> None:
    lacks = {"ML_CreateAPVoucher": ["TaxArea", "TaxExplanation", "TaxAmount", "Lines.Subsidiary"]}
    site = build(site={"lacks": lacks, "unknown_inputs": "ignore"})
    line = InvoiceLine(number="1", kind="amount", amount=Decimal(100), account="M30.6110")
    taxed = invoice(gross=Decimal(120), tax=Decimal(20), lines=[line], extras={"tax_code": "V"})
    with pytest.raises(mc.UnknownReference) as error:
        site.jde.create_voucher(taxed, tax={"V": ("V", "UK20")})
    assert "ML_CreateAPVoucher has no input TaxAmount" in faults_of(error)
    site.erp.add({"AID": "00000077", "MCU": "M30", "OBJ": "6110", "SUB": "20", "CO": "00001"}, table="F0901")
    inner = InvoiceLine(number="1", kind="amount", amount=Decimal(100), account="M30.6110.20")
    with pytest.raises(mc.UnknownReference) as error:
        site.jde.create_voucher(invoice(lines=[inner]))
    assert "has no input Lines.Subsidiary" in faults_of(error)
    assert site.rows("F0411") == []
    assert site.jde.create_voucher(invoice()).id
    (step,) = [step for step in site.jde.check().steps if step.name == "orchestration create_voucher"]
    assert "older contract" in step.detail
    assert "Lines.Subsidiary" in step.detail


def test_an_orchestration_the_site_does_not_have_is_named(build: Any) -> None:
    site = build(site={"names": {"ML_CreateAPVoucher": None}})
    with pytest.raises(mc.UnknownReference) as error:
        site.jde.create_voucher(invoice())
    assert "ML_CreateAPVoucher is not at the site" in faults_of(error)
    steps = {step.name: step.detail for step in site.jde.check().steps}
    assert "nothing of this kind can be written" in steps["orchestration create_voucher"]
    assert steps["orchestration match_voucher"] == "as the contract"


def test_what_the_site_adds_is_seen_after_five_minutes(build: Any) -> None:
    site = build()
    site.erp.deny("ML_CreateAPVoucher")
    with pytest.raises(mc.UnknownReference):
        site.jde.create_voucher(invoice())
    site.erp.deny("ML_CreateAPVoucher", status=None)
    site.clock.advance(dt.timedelta(minutes=6))
    assert site.jde.create_voucher(invoice()).id


def test_a_site_that_lists_nothing_is_called_all_the_same(build: Any) -> None:
    site = build()
    site.erp.fail(status=404, match="discover", times=9)
    assert site.jde.create_voucher(invoice()).id
    assert site.jde.lacking_orchestrations(["create_voucher"]) == []
    steps = {step.name: step.detail for step in site.jde.check().steps}
    assert "not compared" in steps["orchestration create_voucher"]


@pytest.mark.parametrize("refusals", ["500", "status", "step"])
@pytest.mark.parametrize("version3", [True, False])
def test_a_refusal_is_parked_with_the_words_of_the_site(build: Any, refusals: str, version3: bool) -> None:
    site = build(
        site={"refusals": refusals, "version3": version3},
        rules={"tax_areas": frozenset({"DE19"})},
        orchestrator_version="v3" if version3 else "v2",
    )
    line = InvoiceLine(number="1", kind="amount", amount=Decimal(100), account="M30.6110")
    taxed = invoice(gross=Decimal(120), tax=Decimal(20), lines=[line], extras={"tax_code": "V"})
    with pytest.raises(mc.InvalidDocument, match="Tax area UK20 is invalid"):
        site.jde.create_voucher(taxed, tax={"V": ("V", "UK20")})
    assert site.rows("F0411") == []


def test_a_refusal_that_acted_all_the_same_is_in_doubt(build: Any) -> None:
    site = build()
    site.erp.fail(status=500, acts=True, match="ML_CreateAPVoucher")
    with pytest.raises(mc.DeliveryInDoubt, match=r"was refused: .* Yet it may have acted: .* is there"):
        site.jde.create_voucher(invoice())
    assert len(site.live()) == 1
    assert site.jde.create_voucher(invoice()).existing


def test_a_refusal_is_not_believed_before_a_look(build: Any) -> None:
    site = build()
    target = site.jde.target("vouchers")
    prepared = target.prepare(mc.target.Change(document=invoice(), key="9001")).rendered(None)
    site.erp.fail(status=500, match="ML_CreateAPVoucher")
    site.erp.fail(status=502, times=9, match="dataservice")
    with pytest.raises(mc.DeliveryInDoubt, match="was refused: .* Yet it may have acted"):
        target.deliver([attrs.evolve(prepared, attempt=1)])


def test_a_refusal_stands_where_looking_proves_nothing(build: Any) -> None:
    site = paid_site(build, 1)
    ((key, left),) = keys_of(site)
    site.erp.fail(status=500, times=2, match="ML_RecordAPPayment")
    for told in ("proven", "none"):
        target = site.jde.target("payments", bank_account=BANK, look_up=told)
        change = mc.target.Change(document=payment((key, str(left))), key="stp1")
        prepared = attrs.evolve(target.prepare(change).rendered(None), attempt=1)
        (answer,) = target.deliver([prepared])
        assert isinstance(answer, mc.InvalidDocument)


def test_a_closed_period_is_told_or_moved_never_silently(build: Any) -> None:
    site = build()
    early = invoice(gl_date=dt.date(2026, 2, 10))
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.create_voucher(early)
    assert "2026-03-01 to 2026-04-30" in faults_of(error)
    site.jde.create_voucher(early, closed_period="first_open")
    (row,) = site.live()
    assert row["DGJ"] == dt.date(2026, 3, 1)
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.create_voucher(invoice("INV-9", key="9009", gl_date=dt.date(2026, 5, 1)), closed_period="first_open")
    assert "outside the open periods" in faults_of(error)


def test_the_open_periods_go_across_the_years_end(build: Any) -> None:
    site = build()
    following = fiscal_calendar(2027, period=1)
    site.erp.add({"F0008": following["F0008"]})
    site.erp.add(fiscal_calendar(2026, period=12))
    site.jde.create_voucher(invoice(gl_date=dt.date(2027, 1, 31)))
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.create_voucher(invoice("INV-2", key="9002", gl_date=dt.date(2027, 2, 1)))
    assert "outside the open periods" in faults_of(error)
    site.erp.add(fiscal_calendar(2026, period=1))
    site.jde.create_voucher(invoice("INV-3", key="9003", gl_date=dt.date(2026, 1, 1)))


@pytest.mark.parametrize("columns", [{"DTPN": ""}, {"APPN": 0}, {"DTPN": "Z"}])
def test_periods_that_cannot_be_read_stop_the_document(build: Any, columns: dict[str, Any]) -> None:
    site = build()
    site.erp.update("F0010", "00001", **columns)
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.create_voucher(invoice())
    assert "cannot be read (F0010, F0008)" in faults_of(error)


def test_what_is_there_already_is_told_though_it_could_no_longer_be_written(build: Any) -> None:
    site = build()
    made = site.jde.create_voucher(invoice())
    site.erp.update("F0401", 4343, HOLD="X")
    site.erp.add(fiscal_calendar(2026, period=9))
    assert site.jde.create_voucher(invoice()).id == made.id
    with pytest.raises(mc.TargetChanged, match="not ours"):
        site.jde.create_voucher(invoice(key="9002"))
    with pytest.raises(mc.InvalidDocument, match="cannot be posted"):
        site.jde.create_voucher(invoice("INV-2", key="9003"))
    with pytest.raises(mc.InvalidDocument, match="cannot be posted"):
        site.jde.create_voucher(invoice(supplier=Party(number="V-7")))


def test_what_something_stands_against_is_looked_for_and_never_sent(build: Any) -> None:
    site = build(rules={"earlier_period": "warning"})
    made = site.jde.create_voucher(invoice())
    site.erp.add(fiscal_calendar(2026, period=9))
    target = site.jde.target("vouchers", matching="never")
    prepared = attrs.evolve(target.prepare(mc.target.Change(document=invoice(), key="9001")).rendered(None), attempt=2)
    site.erp.forget_calls()
    (answer,) = target.deliver([prepared])
    assert (answer.id, answer.existing) == (made.id, True)
    (row,) = site.live()
    key = {name: row[name] for name in ("DOC", "DCT", "KCO", "SFX", "SFXE")}
    site.erp.update("F0411", key, VOD="V")
    (answer,) = target.deliver([prepared])
    assert isinstance(answer, mc.TargetChanged)
    site.erp.remove("F0411", key)
    (answer,) = target.deliver([prepared])
    assert isinstance(answer, mc.InvalidDocument)
    assert "gone" in answer.message
    assert not [call for call in site.erp.calls if "orchestrator" in call.path]


# Matched vouchers


def ordered(site: Site, **columns: Any) -> Any:
    tables = orders(1)
    for line in tables["F4311"]:
        line.update({"ANI": "M30.6110", **columns})
    site.erp.add(tables)
    site.erp.add(receipts(tables))
    site.erp.add(fiscal_calendar(2026, period=3))
    return tables["F4311"]


def billed(line: Any, share: Decimal = Decimal(1), **fields: Any) -> Invoice:
    quantity = Decimal(line["UORG"]) * share
    made = InvoiceLine(
        number="1",
        quantity=Decimal(f"{quantity}.000000") if share == 1 else quantity,
        unit_price=line["PRRC"],
        amount=(Decimal(line["AEXP"]) * share).quantize(Decimal("0.01")),
        purchase_order=str(line["DOCO"]),
        order_line="1",
    )
    return invoice(**{"gross": made.amount, "lines": [made], "supplier": Party(number=str(line["AN8"])), **fields})


def test_order_lines_become_a_matched_voucher_and_are_reversed_in_procurement(build: Any) -> None:
    site = build()
    line, *_rest = ordered(site)
    receipt = site.jde.match_voucher(billed(line))
    assert [row["MATC"] for row in site.rows("F43121") if row["DOC"] == int(receipt.id.split("/")[2])] == ["2"]
    assert site.jde.match_voucher(billed(line)).existing
    site.erp.post()
    reversed_ = site.jde.reverse_voucher(billed(line))
    assert reversed_.raw["ReversalType"] == "match"
    assert not [row for row in site.rows("F43121") if row["MATC"] == "2"]
    assert site.jde.reverse_voucher(billed(line)).existing


def test_an_unposted_voucher_that_is_reversed_is_gone_and_that_counts_as_done(build: Any) -> None:
    site = build()
    line, *_rest = ordered(site)
    receipt = site.jde.match_voucher(billed(line))
    target = site.jde.target("vouchers")
    change = mc.target.Change(document=billed(line, void=True), action="cancel", key="9001", target_id=receipt.id)
    prepared = target.prepare(change).rendered(None)
    assert target.find(prepared) is None
    (answer,) = target.deliver([prepared])
    assert (answer.id, answer.raw["Deleted"]) == (receipt.id, "Y")
    assert target.find(prepared).id == receipt.id
    assert site.live() == []
    with pytest.raises(mc.InvalidDocument, match="no voucher of ours"):
        site.jde.reverse_voucher(billed(line))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"purchase_order": "77777"}, "line 1: order 77777 line 1 is not received"),
        ({"purchase_order": "X1"}, "order X1 is not known here"),
        ({"order_line": "9"}, "line 9 is not received"),
        ({"quantity": Decimal(10**6)}, "received and not vouchered"),
        ({"quantity": None, "amount": Decimal(10**9)}, "received and not vouchered"),
    ],
)
def test_what_was_not_received_is_not_matched(build: Any, fields: dict[str, Any], told: str) -> None:
    site = build()
    line, *_rest = ordered(site)
    document = billed(line)
    (one,) = document.lines
    with pytest.raises((mc.InvalidDocument, mc.UnknownReference)) as error:
        site.jde.match_voucher(attrs.evolve(document, lines=(attrs.evolve(one, **fields),)))
    assert told in faults_of(error)
    assert site.live() == []


def test_lines_of_one_order_line_are_billed_together(build: Any) -> None:
    site = build()
    line, *_rest = ordered(site)
    document = billed(line, Decimal("0.6"))
    (one,) = document.lines
    twice = attrs.evolve(
        document, gross=(one.amount or 0) * 2, lines=(one, attrs.evolve(one, number="2", order_line="1.000"))
    )
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.match_voucher(twice)
    assert error.value.faults == (
        f"line 1: order {line['DOCO']} line 1: {(one.quantity or 0) * 2} billed, {line['UORG']} received and not"
        " vouchered",
    )
    odd = attrs.evolve(document, lines=(attrs.evolve(one, order_line="A"),))
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.match_voucher(odd)
    assert "line A is not received" in faults_of(error)


def test_an_order_in_another_currency_is_not_matched(build: Any) -> None:
    site = build()
    line, *_rest = ordered(site)
    for row in site.rows("F43121"):
        key = {name: row[name] for name in ("MATC", "DOCO", "DCTO", "KCOO", "SFXO", "LNID", "NLIN", "DOC")}
        foreign = {"CRCD": "EUR", "FREC": Decimal(50), "FAP": Decimal(50), "AREC": Decimal(90), "AOPN": Decimal(90)}
        site.erp.update("F43121", key, **foreign)
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.match_voucher(billed(line))
    assert "was ordered in EUR, the invoice is in USD" in faults_of(error)
    (one,) = billed(line).lines
    by_amount = attrs.evolve(one, quantity=None, amount=Decimal(60))
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.match_voucher(billed(line, currency="EUR", gross=Decimal(60), lines=[by_amount], rate=Decimal("1.8")))
    assert "60 billed, 50 received and not vouchered" in faults_of(error)


def test_an_order_of_another_supplier_is_not_matched(build: Any) -> None:
    site = build()
    line, *_rest = ordered(site)
    other = "4345" if str(line["AN8"]) != "4345" else "4344"
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.match_voucher(billed(line, supplier=Party(number=other)))
    assert f"was ordered from supplier {line['AN8']}" in faults_of(error)


def test_a_credit_of_order_lines_says_what_to_do(build: Any) -> None:
    site = build()
    line, *_rest = ordered(site)
    document = billed(line)
    (one,) = document.lines
    credit = attrs.evolve(document, kind="credit", gross=Decimal(-40), lines=(attrs.evolve(one, amount=Decimal(-40)),))
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.match_voucher(credit)
    assert "a credit of order lines cannot be matched" in faults_of(error)


def test_a_matched_voucher_is_of_the_company_of_its_order(build: Any) -> None:
    site = build()
    line, *_rest = ordered(site)
    links = Links(order_number={"PO-A": "00001/OP/50001", "PO-B": "00002/OP/50001"})
    document = billed(line, company="")
    (one,) = document.lines
    named = attrs.evolve(document, lines=(attrs.evolve(one, purchase_order="PO-A"),))
    site.jde.match_voucher(named, crosswalk=links, company="00077")
    (row,) = site.live()
    assert row["KCO"] == "00001"
    two = attrs.evolve(
        named,
        supplier_invoice_number="INV-2",
        provenance=Provenance(system="coupa", kind="invoices", key="9002"),
        lines=(*named.lines, attrs.evolve(one, number="2", purchase_order="PO-B")),
    )
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.match_voucher(two, crosswalk=links)
    assert "more than one company: 00001, 00002" in faults_of(error)


def test_charges_beside_order_lines_are_charged_to_their_account(build: Any) -> None:
    site = build()
    line, *_rest = ordered(site)
    document = billed(line)
    charge = InvoiceLine(kind="charge", description="shipping", amount=Decimal("7.50"), account="M30.6310")
    gross = (document.gross or Decimal(0)) + Decimal("7.50")
    site.jde.match_voucher(attrs.evolve(document, gross=gross, lines=(*document.lines, charge)))
    assert ("6310", Decimal("7.50")) in [(row["OBJ"], row["AA"]) for row in site.rows("F0911")]


def test_a_voucher_without_its_match_is_a_conflict(build: Any) -> None:
    site = build()
    line, *_rest = ordered(site)
    site.jde.create_voucher(
        invoice(
            gross=billed(line).gross,
            supplier=Party(number=str(line["AN8"])),
            lines=[InvoiceLine(number="1", kind="amount", amount=billed(line).gross, account="M30.6110")],
        )
    )
    with pytest.raises(mc.TargetChanged, match="without its match"):
        site.jde.match_voucher(billed(line))


def test_a_voucher_in_a_payment_group_or_paid_is_not_reversed(build: Any) -> None:
    site = build()
    site.jde.create_voucher(invoice())
    (row,) = site.live()
    key = {name: row[name] for name in ("DOC", "DCT", "KCO", "SFX", "SFXE")}
    site.erp.update("F0411", key, PST="#", AAP=Decimal(50))
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.reverse_voucher(invoice())
    assert "payment group" in faults_of(error)
    assert "void the payment first" in faults_of(error)
    with pytest.raises(mc.InvalidDocument, match="no voucher of ours"):
        site.jde.reverse_voucher(invoice(supplier=Party(name="Nobody")))


def test_two_vouchers_of_one_number_are_a_conflict(build: Any) -> None:
    site = build()
    site.jde.create_voucher(invoice())
    (row,) = site.live()
    site.erp.add({**row, "DOC": 699999}, table="F0411")
    with pytest.raises(mc.TargetChanged, match="is 2 vouchers"):
        site.jde.create_voucher(invoice())


# Payments


def paid_site(build: Any, count: int = 2, odd: Any = None, **options: Any) -> Site:
    site: Site = build(**options)
    site.erp.add(vouchers(count, suppliers=1, odd=odd))
    site.erp.add(fiscal_calendar(2026, period=3))
    return site


def keys_of(site: Site) -> list[tuple[str, Decimal]]:
    return [
        (f"{row['KCO']}/{row['DCT']}/{row['DOC']}/{row['SFX']}" + (f"/{row['SFXE']}" if row["SFXE"] else ""),
         row["FAP"] if row["CRRM"] == "F" else row["AAP"])
        for row in site.live()
    ]  # fmt: skip


@pytest.mark.parametrize("sign", [1, -1])
def test_a_payment_is_recorded_once_and_found_by_its_reference(build: Any, sign: int) -> None:
    site = paid_site(build, rules={"payment_sign": sign})
    (key, left), *_rest = keys_of(site)
    site.erp.fail(drop="after", match="ML_RecordAPPayment")
    with pytest.raises(mc.DeliveryInDoubt):
        site.jde.record_payment(payment((key, str(left))), bank_account=BANK)
    again = site.jde.record_payment(payment((key, str(left))), bank_account={"USD": BANK})
    assert again.existing
    (header,) = site.rows("F0413")
    assert (header["DCTM"], header["GLBA"]) == ("PN", BANK)
    assert site.live()[0]["AAP"] == 0


def test_the_pay_item_is_told_by_its_extension_too(build: Any) -> None:
    site = paid_site(build, 1)
    (row,) = site.live()
    site.erp.add({**row, "SFXE": 1, "AAP": Decimal("12.34"), "AG": Decimal("12.34")}, table="F0411")
    (first, _), (second, _) = keys_of(site)
    assert second == f"{first}/1"
    site.jde.record_payment(payment((second, "12.34")), bank_account=BANK)
    assert [one["AAP"] == 0 for one in site.live()] == [False, True]
    site.jde.set_pay_status(first, "B")
    assert [one["PST"] for one in site.live()] == ["B", "P"]
    with pytest.raises(mc.UnknownReference, match="does not know"):
        site.jde.record_payment(payment((f"{first}/7", "1.00"), key="stp9"), bank_account=BANK)
    assert str(PaidItem.of(second)) == second


def test_an_extension_is_not_sent_to_an_orchestration_without_one(build: Any) -> None:
    site = paid_site(
        build,
        1,
        site={"lacks": {"ML_RecordAPPayment": ["Vouchers.PayItemExtension"], "ML_SetPayStatus": ["PayItemExtension"]},
              "unknown_inputs": "ignore"},
    )  # fmt: skip
    (row,) = site.live()
    site.erp.add({**row, "SFXE": 1, "AAP": Decimal("12.34"), "AG": Decimal("12.34")}, table="F0411")
    (_first, (second, _)) = keys_of(site)
    with pytest.raises(mc.UnknownReference) as error:
        site.jde.record_payment(payment((second, "12.34")), bank_account=BANK)
    assert "Vouchers.PayItemExtension" in faults_of(error)
    with pytest.raises(mc.UnknownReference) as error:
        site.jde.set_pay_status(second, "B")
    assert "PayItemExtension" in faults_of(error)
    assert site.rows("F0413") == []


def test_credits_settle_their_debit_memo_and_parts_on_one_pay_item_are_one(build: Any) -> None:
    site = paid_site(build, 2, {1: ["debit_memo"]})
    (bill, left), (memo, back) = keys_of(site)
    credit = max(back, Decimal(-20))
    first = payment((bill, "30.00"), (bill, str(left - 30)), (memo, str(credit)))
    receipt = site.jde.record_payment(first, bank_account=BANK)
    assert [one["AAP"] for one in site.live()] == [0, back - credit]
    assert len(site.rows("F0414")) == 2
    assert site.jde.record_payment(first, bank_account=BANK).id == receipt.id
    assert len(site.rows("F0413")) == 1


def test_a_foreign_voucher_is_paid_in_its_currency(build: Any) -> None:
    site = paid_site(build, 1, {0: ["foreign"]})
    ((key, left),) = keys_of(site)
    site.jde.record_payment(payment((key, str(left)), currency="EUR"), bank_account=BANK)
    (row,) = site.live()
    assert (row["FAP"], row["AAP"]) == (0, 0)
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.record_payment(payment((key, "1.00"), key="stp2"), bank_account=BANK)
    assert "paid in USD, its vouchers are in EUR" in faults_of(error)


def test_a_discount_that_was_taken_is_shown_to_a_person(build: Any) -> None:
    site = paid_site(build, 1)
    ((key, left),) = keys_of(site)
    made = payment((key, str(left - 5)))
    with_discount = attrs.evolve(made, applications=(attrs.evolve(made.applications[0], discount=Decimal(5)),))
    target = site.jde.target("payments", bank_account=BANK)
    prepared = target.prepare(mc.target.Change(document=with_discount, key="stp1"))
    assert any("discount of 5" in text for text in prepared.attention)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"VOD": "V"}, "is void"),
        ({"PST": "#"}, "payment group"),
        ({"AAP": Decimal(1)}, "paid, 1 open"),
        ({"CRCD": "", "BCRC": "CAD"}, "paid in USD, its vouchers are in CAD"),
    ],
)
def test_a_payment_that_does_not_fit_its_voucher_is_refused(build: Any, columns: dict[str, Any], told: str) -> None:
    site = paid_site(build, 1)
    ((key, _left),) = keys_of(site)
    (row,) = site.live()
    site.erp.update("F0411", {name: row[name] for name in ("DOC", "DCT", "KCO", "SFX", "SFXE")}, **columns)
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.record_payment(payment((key, "5.00")), bank_account=BANK)
    assert told in faults_of(error)


def test_a_payment_over_two_payees_or_without_parts_is_refused(build: Any) -> None:
    site: Site = build()
    site.erp.add(vouchers(2, suppliers=2))
    site.erp.add(fiscal_calendar(2026, period=3))
    (one, _), (two, _) = keys_of(site)
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.record_payment(payment((one, "1.00"), (two, "1.00")), bank_account=BANK)
    assert "more than one payee" in faults_of(error)
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.record_payment(payment(amount=Decimal(5)), bank_account={"EUR": BANK})
    assert "names no invoice" in faults_of(error)
    assert "USD; set bank_account=" in faults_of(error)
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.record_payment(payment((one, "1.001")), bank_account=BANK)
    assert "more than two decimals" in faults_of(error)
    with pytest.raises(mc.UnknownReference) as unknown:
        site.jde.record_payment(payment(("nothing", "1.00")), bank_account=BANK)
    assert "has no voucher here" in faults_of(unknown)


def test_every_company_that_is_paid_in_has_the_period_open(build: Any) -> None:
    site = paid_site(build, 1)
    (row,) = site.live()
    site.erp.add({**row, "KCO": "00002", "CO": "00002", "DOC": 300900}, table="F0411")
    site.erp.add(fiscal_calendar(2026, period=8, company="00002"))
    (one, _), (two, _) = keys_of(site)
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.record_payment(payment((one, "1.00"), (two, "1.00")), bank_account=BANK)
    assert "open periods of company 00002" in faults_of(error)


def test_a_voided_payment_opens_its_vouchers_once(build: Any) -> None:
    site = paid_site(build, 1)
    ((key, left),) = keys_of(site)
    made = payment((key, str(left)))
    receipt = site.jde.record_payment(made, bank_account=BANK)
    voided = site.jde.void_payment(made)
    assert voided.id == receipt.id
    assert site.jde.void_payment(made).existing
    assert [row["AAP"] for row in site.live()] == [left]
    with pytest.raises(mc.TargetChanged, match="was voided"):
        site.jde.record_payment(made, bank_account=BANK)
    with pytest.raises(mc.InvalidDocument, match="never recorded"):
        site.jde.void_payment(payment((key, "1.00"), key="stp7"))
    with pytest.raises(mc.InvalidDocument, match="never recorded"):
        site.jde.void_payment(payment((key, "1.00"), key="stp7", payee=None))


def test_a_payment_with_another_reference_is_not_voided(build: Any) -> None:
    site = paid_site(build, 1)
    ((key, left),) = keys_of(site)
    receipt = site.jde.record_payment(payment((key, str(left))), bank_account=BANK)
    target = site.jde.target("payments", bank_account=BANK)
    other = payment((key, str(left)), key="stp2", void=True)
    with pytest.raises(mc.InvalidDocument) as error:
        target.prepare(mc.target.Change(document=other, action="cancel", key="stp2", target_id=receipt.id))
    assert "carries another reference" in faults_of(error)


def test_several_payments_of_one_reference_or_another_amount_are_a_conflict(build: Any) -> None:
    site = paid_site(build, 1)
    ((key, _left),) = keys_of(site)
    site.jde.record_payment(payment((key, "5.00")), bank_account=BANK)
    with pytest.raises(mc.TargetChanged, match="is over"):
        site.jde.record_payment(payment((key, "6.00")), bank_account=BANK)
    (detail,) = site.rows("F0414")
    site.erp.add({**detail, "PYID": 899999}, table="F0414")
    with pytest.raises(mc.TargetChanged, match="2 payments carry"):
        site.jde.record_payment(payment((key, "5.00")), bank_account=BANK)


def test_a_site_that_keeps_no_reference_is_in_doubt_until_a_person_says(build: Any) -> None:
    site = paid_site(build, 1, rules={"left_empty": frozenset({"F0414.RMK"})})
    ((key, left),) = keys_of(site)
    made = payment((key, str(left)))
    for told, expected in (("proven", mc.DeliveryInDoubt), ("reliable", None)):
        target = site.jde.target("payments", bank_account=BANK, look_up=told)
        prepared = attrs.evolve(target.prepare(mc.target.Change(document=made, key="stp1")).rendered(None), attempt=1)
        if expected is None:
            assert target.find(prepared) is None
        else:
            with pytest.raises(expected, match="may not"):
                target.find(prepared)
    assert site.jde.target("payments", bank_account=BANK, look_up="none").look_up == "none"


def test_an_earlier_payment_of_ours_proves_that_the_reference_is_kept(build: Any) -> None:
    site = paid_site(build, 1)
    ((key, _left),) = keys_of(site)
    site.jde.record_payment(payment((key, "5.00")), bank_account=BANK)
    target = site.jde.target("payments", bank_account=BANK)
    change = mc.target.Change(document=payment((key, "6.00"), key="stp2"), key="stp2")
    prepared = attrs.evolve(target.prepare(change).rendered(None), attempt=1)
    assert target.find(prepared) is None
    assert target.find(prepared) is None


def test_an_older_payment_orchestration_takes_one_voucher(build: Any) -> None:
    site = paid_site(build, 2, site={"lacks": {"ML_RecordAPPayment": ["Vouchers"]}})
    (one, left), (two, _) = keys_of(site)
    site.jde.record_payment(payment((one, str(left - 5))), bank_account=BANK)
    assert site.live()[0]["AAP"] == 5
    with pytest.raises(mc.UnknownReference) as error:
        site.jde.record_payment(payment((one, "1.00"), (two, "1.00"), key="stp2"), bank_account=BANK)
    assert "has no input Vouchers" in faults_of(error)


def test_a_single_form_has_no_room_for_an_extension(build: Any) -> None:
    site = paid_site(build, 1, site={"lacks": {"ML_RecordAPPayment": ["Vouchers"]}})
    (row,) = site.live()
    site.erp.add({**row, "SFXE": 1, "AAP": Decimal("12.34"), "AG": Decimal("12.34")}, table="F0411")
    (first, _), (second, _) = keys_of(site)
    with pytest.raises(mc.UnknownReference) as error:
        site.jde.record_payment(payment((second, "12.34")), bank_account=BANK)
    assert "has no input Vouchers" in faults_of(error)
    assert site.rows("F0413") == []
    site.jde.record_payment(payment((f"{first}/0", "5.00")), bank_account=BANK)
    assert len(site.rows("F0413")) == 1


def test_a_pay_item_in_a_payment_group_is_not_paid(build: Any) -> None:
    site = paid_site(build, 1)
    (row,) = site.live()
    site.erp.update("F0411", {name: row[name] for name in ("DOC", "DCT", "KCO", "SFX", "SFXE")}, PST="#")
    ((key, left),) = keys_of(site)
    site.erp.forget_calls()
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.record_payment(payment((key, str(left))), bank_account=BANK)
    assert "in a payment group" in faults_of(error)
    assert not [call for call in site.erp.calls if "orchestrator" in call.path]


def test_credits_alone_are_no_payment(build: Any) -> None:
    site = paid_site(build, 1, {0: ["debit_memo"]})
    ((key, left),) = keys_of(site)
    assert left < 0
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.record_payment(payment((key, str(left))), bank_account=BANK)
    assert "below 0" in faults_of(error)
    assert site.rows("F0413") == []


def test_a_single_form_is_not_used_where_it_is_lacking_too(build: Any) -> None:
    site = paid_site(build, 1, site={"lacks": {"ML_RecordAPPayment": ["Vouchers", "PayItem"]}})
    ((key, left),) = keys_of(site)
    with pytest.raises(mc.UnknownReference):
        site.jde.record_payment(payment((key, str(left))), bank_account=BANK)


def test_a_voucher_whose_number_a_batch_gave_is_found_by_the_invoices_mark(build: Any) -> None:
    site: Site = build(site={"z_files": True})
    receipt = site.jde.create_voucher(invoice(), look_up="present_only")
    assert receipt.id is None
    (number,) = site.erp.run_batch().documents
    made = payment(("9001", "100.00"), provenance=Provenance(system="coupa", kind="payments", key="55"))
    site.jde.record_payment(made, bank_account=BANK, origin="coupa", voucher_of=lambda *_: None)
    (row,) = site.live()
    assert (row["DOC"], row["AAP"]) == (number, 0)


# Pay status and journals


def test_a_pay_status_is_set_and_setting_it_again_is_harmless(build: Any) -> None:
    site = paid_site(build, 1)
    ((key, _left),) = keys_of(site)
    assert site.jde.set_pay_status(key, "B").raw["previous"] == "A"
    assert site.jde.set_pay_status(key, "B").existing
    for wrong in ("P", "#", "BB", ""):
        with pytest.raises(mc.InvalidArgument, match="status="):
            site.jde.set_pay_status(key, wrong)
    with pytest.raises(mc.InvalidArgument, match="pay_item="):
        site.jde.set_pay_status("300001", "B")
    with pytest.raises(mc.InvalidDocument, match="not in F0411"):
        site.jde.set_pay_status("00001/PV/1/001", "B")
    (row,) = site.live()
    site.erp.update("F0411", {name: row[name] for name in ("DOC", "DCT", "KCO", "SFX", "SFXE")}, PST="#")
    with pytest.raises(mc.InvalidDocument, match="payment group"):
        site.jde.set_pay_status(key, "B")


def entry(*amounts: str, currency: str = "USD", company: str = "00001") -> list[JournalLine]:
    return [
        JournalLine(
            number=str(index + 1),
            account=f"M30.{'6110' if index else '6120'}",
            debit=Decimal(text) if Decimal(text) > 0 else None,
            credit=-Decimal(text) if Decimal(text) < 0 else None,
            company=company,
            currency=currency,
            date=TODAY,
            description="Accrual",
        )
        for index, text in enumerate(amounts)
    ]


@pytest.mark.parametrize("currency", ["USD", "EUR"])
def test_a_journal_entry_is_made_once_and_found_by_its_reference(build: Any, currency: str) -> None:
    site = build()
    lines = entry("80.00", "-80.00", currency=currency)
    first = site.jde.create_journal_entry(lines, reference="ML000001")
    again = site.jde.create_journal_entry(lines, reference="ML000001")
    assert (again.existing, again.id) == (True, first.id)
    with pytest.raises(mc.TargetChanged, match="is another one"):
        site.jde.create_journal_entry(entry("70.00", "-70.00", currency=currency), reference="ML000001")
    assert sum(row["AA"] for row in site.rows("F0911") if row["LT"] == "AA") == 0


def test_a_journal_without_an_answer_is_in_doubt(build: Any) -> None:
    site = build()
    site.erp.fail(drop="after", match="ML_CreateJournalEntry")
    with pytest.raises(mc.DeliveryInDoubt, match="no answer"):
        site.jde.create_journal_entry(entry("80.00", "-80.00"), reference="ML000001", explanation="March")
    assert site.jde.create_journal_entry(entry("80.00", "-80.00"), reference="ML000001").existing


def test_everything_that_stands_against_a_journal_is_told_at_once(build: Any) -> None:
    site = build(site={"lacks": {"ML_CreateJournalEntry": ["Reference"]}})
    lines = [*entry("80.00", "-70.00"), *entry("5.00", company="00002")]
    lines.append(attrs.evolve(lines[0], account="nowhere"))
    lines.append(attrs.evolve(lines[0], account="M30.6999"))
    with pytest.raises(mc.InvalidDocument) as error:
        site.jde.create_journal_entry(lines, reference="ML000001")
    for told in ("not 0", "several companies", "'nowhere' is no business unit", "M30.6999 is not in F0901",
                 "no input Reference"):  # fmt: skip
        assert told in faults_of(error)
    for wrong in ("", "123456789"):
        with pytest.raises(mc.InvalidArgument, match="reference="):
            site.jde.create_journal_entry(entry("1.00", "-1.00"), reference=wrong)


# Orchestrations as such


def test_any_orchestration_can_be_run_and_tells_what_went_wrong(build: Any) -> None:
    site = paid_site(build, 1)
    ((key, _left),) = keys_of(site)
    company, kind, number, item = key.split("/")
    inputs = {"VoucherCompany": company, "VoucherType": kind, "VoucherNumber": number, "PayItem": item}
    assert site.jde.run_orchestration("ML_SetPayStatus", {**inputs, "PayStatus": "B"})["PreviousPayStatus"] == "A"
    with pytest.raises(mc.InvalidDocument, match="refused"):
        site.jde.run_orchestration("ML_SetPayStatus", {**inputs, "PayStatus": "Z"})
    site.erp.fail(drop="after", match="ML_SetPayStatus")
    with pytest.raises(mc.DeliveryInDoubt, match="no answer"):
        site.jde.run_orchestration("ML_SetPayStatus", {**inputs, "PayStatus": "B"})
    for wrong in ("", "a/b", "a\nb"):
        with pytest.raises(mc.InvalidArgument, match="no orchestration"):
            site.jde.run_orchestration(wrong)
    site.erp.fail(status=404, match="ML_Nothing")
    with pytest.raises(mc.UnknownReference, match="has no orchestration"):
        site.jde.run_orchestration("ML_Nothing")
    site.erp.fail(status=503, match="ML_SetPayStatus")
    with pytest.raises((mc.DeliveryInDoubt, mc.VendorFault)):
        site.jde.run_orchestration("ML_SetPayStatus", {**inputs, "PayStatus": "B"})


def test_options_that_cannot_be_meant_are_refused_with_their_value(build: Any) -> None:
    site = build()
    targets: list[tuple[str, dict[str, Any]]] = [
        ("vouchers", {"matching": "sometimes"}),
        ("vouchers", {"look_up": "perhaps"}),
        ("vouchers", {"closed_period": "ignore"}),
        ("vouchers", {"settle_after": dt.timedelta(seconds=-1)}),
        ("vouchers", {"tax": {"VAT20": "V"}}),
        ("vouchers", {"tax": {"VAT20": ("VAT", "UK20")}}),
        ("payments", {"bank_account": ""}),
        ("payments", {"bank_account": {}}),
        ("payments", {"bank_account": BANK, "look_up": "perhaps"}),
        ("journals", {}),
    ]
    for kind, options in targets:
        with pytest.raises(mc.InvalidArgument):
            site.jde.target(kind, **options)
    wrong: list[dict[str, Any]] = [{"orchestrations": {"pay": "X"}}, {"orchestrator_version": "v9"}]
    for options in wrong:
        with pytest.raises(mc.InvalidArgument):
            mc.JDEdwardsAIS(site.erp.url, auth=site.erp.auth, **options)


def test_a_document_that_changed_after_it_was_posted_is_parked(build: Any) -> None:
    site = paid_site(build, 1)
    ((key, _left),) = keys_of(site)
    with pytest.raises(mc.InvalidDocument, match="changed after it was posted"):
        site.jde.target("vouchers").prepare(
            mc.target.Change(document=invoice(), previous=invoice(gross=Decimal(1)), action="change", key="9001")
        )
    with pytest.raises(mc.InvalidDocument, match="changed after it was recorded"):
        site.jde.target("payments", bank_account=BANK).prepare(
            mc.target.Change(document=payment((key, "1")), previous=payment((key, "2")), action="change", key="stp1")
        )


def test_what_a_supplier_is_called_makes_no_revision(build: Any) -> None:
    site = build()
    bills, moneys = site.jde.target("vouchers"), site.jde.target("payments", bank_account=BANK)
    renamed = Party(number="4343", name="Acme GmbH", tax_id="1")
    assert bills.content(invoice()) == bills.content(invoice(supplier=renamed, due_date=TODAY, open=Decimal(1)))
    assert bills.content(invoice()) != bills.content(invoice(gross=Decimal(1)))
    assert bills.content(invoice()) != bills.content(invoice(extras={"tax_code": "V"}))
    assert bills.content(invoice()) != bills.content(invoice(void=True))
    assert bills.content(invoice(supplier=None)) != bills.content(invoice())
    one = payment(("00001/PV/1/001", "1"))
    assert moneys.content(one) == moneys.content(attrs.evolve(one, payee=renamed, status="SENT"))
    assert moneys.content(one) != moneys.content(attrs.evolve(one, void=True))
    assert moneys.content(attrs.evolve(one, payee=None)) != moneys.content(one)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
@settings(max_examples=60)
def test_an_amount_is_sent_as_plain_text_and_reads_back_exactly(amount: Decimal) -> None:
    text = amount_text(amount)
    assert Decimal(text) == amount
    assert "E" not in text
    assert len(text.partition(".")[2]) == 2


@pytest.mark.parametrize("text", ["1.001", "NaN", "Infinity"])
def test_an_amount_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(mc.InvalidDocument):
        amount_text(Decimal(text))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("101.4110", ("101", "4110", "")),
        ("101.4110.20", ("101", "4110", "20")),
        ("101-4110", ("101", "4110", "")),
        ("M-30.6110", ("M-30", "6110", "")),
        ("6110", None),
        ("101..20", None),
        ("a.b.c.d", None),
    ],
)
def test_account_codes_are_taken_apart(text: str, parts: tuple[str, str, str] | None) -> None:
    found = AccountCode.of(text)
    assert (None if found is None else (found.unit, found.object, found.subsidiary)) == parts


def test_the_remark_of_a_void_proves_nothing_about_the_reference_of_a_payment(build: Any) -> None:
    site = paid_site(build, 1)
    ((key, left),) = keys_of(site)
    made = payment((key, str(left)))
    site.jde.record_payment(made, bank_account=BANK)
    site.jde.void_payment(made)
    (paid, _void) = site.rows("F0414")
    site.erp.update("F0414", {"PYID": paid["PYID"], "RC5": paid["RC5"]}, RMK="")
    target = site.jde.target("payments", bank_account=BANK)
    other = payment((key, "5.00"), key="stp2")
    prepared = target.prepare(mc.target.Change(document=other, key="stp2")).rendered(None)
    with pytest.raises(mc.DeliveryInDoubt, match="none of ours"):
        target.find(attrs.evolve(prepared, attempt=1))


def test_odd_answers_of_an_orchestration_are_told_apart(build: Any) -> None:
    site = build()
    kind = "application/json"
    site.erp.fail(body="[]", content_type=kind, match="ML_Odd")
    with pytest.raises(mc.DeliveryInDoubt, match="not an object"):
        site.jde.run_orchestration("ML_Odd")
    for body in ('{"steps": [[], {"errors": [{"DESC": "It is closed"}]}]}', '{"jde__status": "ERROR"}'):
        site.erp.fail(body=body, content_type=kind, match="ML_Odd")
        with pytest.raises(mc.InvalidDocument):
            site.jde.run_orchestration("ML_Odd")
    site.erp.fail(body='{"rows": [{"a": []}], "errors": []}', content_type=kind, match="ML_Odd")
    assert site.jde.run_orchestration("ML_Odd")["errors"] == []


@pytest.mark.parametrize(
    "inputs",
    ["[]", '[{"name": "Lines"}, {"name": "Lines[].Amount"}]', '[{"name": "Lines", "members": [{"name": "Amount"}]}]'],
)
def test_lists_of_inputs_are_read_however_they_are_told(build: Any, inputs: str) -> None:
    site = build()
    body = f'{{"orchestrations": [{{"name": "ML_CreateAPVoucher", "inputs": {inputs}}}]}}'
    site.erp.fail(body=body, content_type="application/json", match="discover")
    told = site.jde.lacking_orchestrations(["create_voucher"], optional=True)
    assert ("ML_CreateAPVoucher has no input Lines.Subsidiary" in told) == (inputs != "[]")
    assert not any(one.endswith(("input Lines", "input Lines.Amount")) for one in told)


def test_a_pay_status_is_set_by_an_invoice_with_one_pay_item(build: Any) -> None:
    site = paid_site(build, 2, {1: ["split"]})
    one, several = sorted(site.jde.invoices(), key=lambda found: len(found.pay_items))
    assert site.jde.set_pay_status(one, "B").id == f"{one.key}/001"
    with pytest.raises(mc.InvalidArgument, match="pay items"):
        site.jde.set_pay_status(several, "B")


def test_a_mark_that_several_vouchers_carry_or_nobody_knows_says_nothing(build: Any) -> None:
    site = build()
    made = payment(("9001", "100.00"), provenance=Provenance(system="coupa", kind="payments", key="55"))
    options: dict[str, Any] = {"bank_account": BANK, "origin": "coupa", "voucher_of": lambda *_: None}
    for known in (made, attrs.evolve(made, payee=None)):
        with pytest.raises(mc.UnknownReference, match="does not know"):
            site.jde.record_payment(known, **options)
    site.jde.create_voucher(invoice())
    (row,) = site.live()
    site.erp.add({**row, "DOC": 699999}, table="F0411")
    with pytest.raises(mc.UnknownReference):
        site.jde.record_payment(made, **options)


def test_a_rate_that_a_payment_names_is_sent_along(build: Any) -> None:
    site = paid_site(build, 1, {0: ["foreign"]})
    ((key, left),) = keys_of(site)
    site.jde.record_payment(
        payment((key, str(left)), currency="EUR", extras={"exchange_rate": "1.2"}), bank_account=BANK
    )
    assert site.live()[0]["FAP"] == 0
