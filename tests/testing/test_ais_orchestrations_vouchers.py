from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from mlconnector.errors import InvalidArgument
from mlconnector.testing import fiscal_calendar
from mlconnector.testing._ais_books import FinancialRules
from mlconnector.testing._ais_orchestrations import OrchestrationSite
from tests.testing.ais_site import JOURNAL, KEY, LINE, PAYMENT, VOUCHER, Orchestrator, site, with_vouchers

MARCH = dt.date(2026, 3, 2)


@pytest.fixture
def jde() -> Any:
    with site() as simulator:
        yield simulator


@pytest.fixture
def ais(jde: Any) -> Any:
    with Orchestrator(jde) as client:
        yield client


def line(amount: str, account: str = "6110") -> dict[str, str]:
    return {"BusinessUnit": "M30", "ObjectAccount": account, "Amount": amount}


def test_a_voucher_becomes_a_pay_item_and_a_distribution(jde: Any, ais: Orchestrator) -> None:
    lines = [line("75.50"), {**line("24.50", "6310"), "Remark": "Calibration"}]
    body = ais.done("ML_CreateAPVoucher", VOUCHER, Lines=lines, PurchaseOrder="50001")
    (item,) = jde.contents["F0411"]
    key = (int(body["DocumentNumber"]), "PV", "00001", int(body["BatchNumber"]))
    assert (item["DOC"], item["DCT"], item["KCO"], item["ICU"]) == key
    assert (item["AG"], item["AAP"], item["ATXN"], item["ACR"], item["FAP"]) == (100, 100, 100, 0, 0)
    assert (item["CRRM"], item["CRCD"], item["BCRC"]) == ("D", "USD", "USD")
    assert (item["POST"], item["PST"], item["VOD"], item["DCTA"], item["SFX"]) == ("", "A", "", "", "001")
    assert (item["VINV"], item["RMK"], item["PO"], item["PTC"]) == ("INV-1", "COUPA:9001", "50001", "030")
    assert (item["DIVJ"], item["DGJ"], item["DDJ"]) == (dt.date(2026, 2, 27), MARCH, dt.date(2026, 3, 29))
    assert (item["PN"], item["FY"], item["CTRY"]) == (3, 26, 20)
    assert (item["AN8"], item["PYE"], item["PID"], item["UPMJ"]) == (4343, 4343, "P0411", MARCH)
    first, second = jde.contents["F0911"]
    assert (first["DOC"], first["DCT"], first["KCO"], first["ICU"]) == key
    assert (first["LT"], first["AID"], first["ANI"], first["MCU"].strip()) == ("AA", "00000001", "M30.6110", "M30")
    assert [row["AA"] for row in (first, second)] == [Decimal("75.50"), Decimal("24.50")]
    assert (second["EXR"], second["DGJ"], second["POST"], second["PN"]) == ("Calibration", MARCH, "", 3)


def test_without_terms_the_suppliers_own_are_kept(jde: Any, ais: Orchestrator) -> None:
    jde.update("F0401", 4343, TRAP="N60")
    ais.done("ML_CreateAPVoucher", VOUCHER, PaymentTerms="")
    jde.update("F0401", 4343, TRAP="XYZ")
    ais.done("ML_CreateAPVoucher", VOUCHER, PaymentTerms="", InvoiceNumber="INV-2")
    assert [(row["PTC"], row["DDJ"]) for row in jde.contents["F0411"]] == [
        ("N60", dt.date(2026, 4, 28)),
        ("XYZ", dt.date(2026, 2, 27)),
    ]


def test_a_debit_memo_is_negative(jde: Any, ais: Orchestrator) -> None:
    body = ais.done("ML_CreateAPVoucher", VOUCHER, DocumentType="PD", GrossAmount="-100.00", Lines=[line("-100.00")])
    assert body["DocumentType"] == "PD"
    assert jde.contents["F0411"][0]["AAP"] == -100


def test_a_foreign_voucher_has_two_ledgers(jde: Any, ais: Orchestrator) -> None:
    lines = [line("33.33"), line("33.33"), line("33.34")]
    ais.done("ML_CreateAPVoucher", VOUCHER, CurrencyCode="EUR", ExchangeRate="1.1111", Lines=lines)
    (item,) = jde.contents["F0411"]
    assert (item["CRRM"], item["CRCD"], item["BCRC"], item["CRR"]) == ("F", "EUR", "USD", Decimal("1.1111"))
    assert (item["ACR"], item["FAP"], item["AG"], item["AAP"]) == (100, 100, Decimal("111.11"), Decimal("111.11"))
    rows = jde.contents["F0911"]
    assert {row["CRCD"] for row in rows} == {"EUR"}
    assert sum(row["AA"] for row in rows if row["LT"] == "CA") == 100
    assert sum(row["AA"] for row in rows if row["LT"] == "AA") == Decimal("111.11")
    ais.done("ML_CreateAPVoucher", VOUCHER, CurrencyCode="EUR", InvoiceNumber="INV-2")
    assert jde.contents["F0411"][1]["AG"] == 125


def test_a_currency_without_decimals(jde: Any, ais: Orchestrator) -> None:
    yen = {"CurrencyCode": "JPY", "GrossAmount": "5000", "Lines": [line("5000.00")]}
    ais.done("ML_CreateAPVoucher", VOUCHER, **yen)
    assert (jde.contents["F0411"][0]["ACR"], jde.contents["F0411"][0]["AG"]) == (5000, Decimal("37.50"))
    odd = {**yen, "GrossAmount": "5000.50", "Lines": [line("5000.50")]}
    assert ais.refused("ML_CreateAPVoucher", VOUCHER, **odd) == "DECIMALS"


@pytest.mark.parametrize(
    ("explanation", "lines", "taxable"),
    [("V", "80.00", "80"), ("S", "80.00", "80"), ("B", "80.00", "80"), ("C", "80.00", "80"), ("U", "100.00", "100")],
)
def test_self_assessed_tax_is_not_part_of_gross(
    jde: Any, ais: Orchestrator, explanation: str, lines: str, taxable: str
) -> None:
    tax = {"TaxArea": "CO", "TaxExplanation": explanation, "TaxAmount": "20.00"}
    ais.done("ML_CreateAPVoucher", VOUCHER, **tax, Lines=[line(lines)])
    (item,) = jde.contents["F0411"]
    assert (item["AG"], item["STAM"], item["ATXA"], item["ATXN"]) == (100, 20, Decimal(taxable), 0)
    assert (item["TXA1"], item["EXR1"]) == ("CO", explanation)
    wrong = "100.00" if lines == "80.00" else "80.00"
    assert ais.refused("ML_CreateAPVoucher", VOUCHER, **tax, Lines=[line(wrong)]) == "DISTRIBUTION"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Company": "00002"}, "COMPANY"),
        ({"Company": "00000"}, "COMPANY"),
        ({"SupplierNumber": "9999"}, "SUPPLIER"),
        ({"SupplierNumber": "4345"}, "HOLD"),
        ({"GLDate": "02/28/2026"}, "PBCO"),
        ({"GLDate": "12/31/2025"}, "PYEB"),
        ({"GLDate": "05/01/2026"}, "PACO"),
        ({"GLDate": "01/01/2027"}, "PACO"),
        ({"Lines": [line("100.00", "9999")]}, "ACCOUNT"),
        ({"Lines": [{**LINE, "BusinessUnit": "M31"}]}, "ACCOUNT"),
        ({"Lines": [{**LINE, "Subsidiary": "01"}]}, "ACCOUNT"),
        ({"Lines": [line("100.00", "6000")]}, "POSTING EDIT"),
        ({"Lines": [line("99.99")]}, "DISTRIBUTION"),
        ({"PaymentTerms": "N99"}, "TERMS"),
        ({"CurrencyCode": "XXX"}, "CURRENCY"),
        ({"ExchangeRate": "1.2"}, "EXCHANGE RATE"),
        ({"CurrencyCode": "EUR", "ExchangeRate": "0"}, "EXCHANGE RATE"),
        ({"DocumentType": "PM"}, "DOCUMENT TYPE"),
        ({"GrossAmount": "-100.00", "Lines": [line("-100.00")]}, "AMOUNT"),
        ({"DocumentType": "PD"}, "AMOUNT"),
        ({"GrossAmount": "0.00", "Lines": [line("0")]}, "AMOUNT"),
        ({"TaxExplanation": "X"}, "TAX EXPLANATION"),
        ({"TaxAmount": "5.00"}, "TAX EXPLANATION"),
        ({"TaxArea": "CO"}, "TAX EXPLANATION"),
        ({"TaxAmount": "-5.00", "TaxExplanation": "V"}, "TAX AMOUNT"),
    ],
)
def test_a_voucher_is_refused(ais: Orchestrator, changes: dict[str, Any], code: str) -> None:
    assert ais.refused("ML_CreateAPVoucher", VOUCHER, **changes) == code


def test_the_current_and_the_next_period_are_open(ais: Orchestrator) -> None:
    for date in ("03/01/2026", "03/31/2026", "04/30/2026"):
        ais.done("ML_CreateAPVoucher", VOUCHER, GLDate=date)


def test_periods_run_on_across_the_years_end(jde: Any, ais: Orchestrator) -> None:
    jde.add(fiscal_calendar(2027, period=1))
    jde.add(fiscal_calendar(2026, period=12))
    ais.done("ML_CreateAPVoucher", VOUCHER, GLDate="01/31/2027")
    assert ais.refused("ML_CreateAPVoucher", VOUCHER, GLDate="02/01/2027") == "PACO"
    jde.add(fiscal_calendar(2027, period=1))
    assert ais.refused("ML_CreateAPVoucher", VOUCHER, GLDate="12/31/2026") == "PYEB"


def test_payables_may_be_ahead_of_general_accounting(jde: Any, ais: Orchestrator) -> None:
    jde.update("F0010", "00001", APPN=5)
    ais.done("ML_CreateAPVoucher", VOUCHER, GLDate="06/30/2026")
    assert ais.refused("ML_CreateAPVoucher", VOUCHER, GLDate="03/02/2026") == "PBCO"
    assert ais.refused("ML_CreateJournalEntry", JOURNAL, GLDate="06/30/2026") == "PACO"
    ais.done("ML_CreateJournalEntry", JOURNAL)


def test_a_company_without_periods_takes_nothing(jde: Any, ais: Orchestrator) -> None:
    jde.update("F0010", "00001", DTPN="F", NNP=0)
    assert ais.refused("ML_CreateAPVoucher", VOUCHER) == "DATE PATTERN"


def test_a_site_may_only_warn() -> None:
    rules = FinancialRules(earlier_period="warning", supplier_hold="warning")
    with site(financials=rules) as jde, Orchestrator(jde) as ais:
        body = ais.done("ML_CreateAPVoucher", VOUCHER, GLDate="01/15/2026", SupplierNumber="4345")
        assert body["jde__status"] == "WARNING"
        assert "on hold" in body["jde__simpleMessage"]
        assert "PBCO" in body["jde__simpleMessage"]
        assert ais.done("ML_CreateAPVoucher", VOUCHER)["jde__status"] == "SUCCESS"


def test_an_invoice_number_in_use_may_be_an_error() -> None:
    with site(financials=FinancialRules(duplicate_invoice="error")) as jde, Orchestrator(jde) as ais:
        first = ais.done("ML_CreateAPVoucher", VOUCHER)
        assert ais.refused("ML_CreateAPVoucher", VOUCHER) == "DUPLICATE INVOICE"
        ais.done("ML_CreateAPVoucher", VOUCHER, SupplierNumber="4344")
        jde.post()
        key = {"VoucherCompany": "00001", "VoucherType": "PV", "VoucherNumber": first["DocumentNumber"]}
        ais.done("ML_ReverseVoucher", {**key, "GLDate": "03/02/2026"})
        ais.done("ML_CreateAPVoucher", VOUCHER)


def test_tax_areas_may_be_known() -> None:
    with site(financials=FinancialRules(tax_areas=frozenset({"CO"}))) as jde, Orchestrator(jde) as ais:
        tax = {"TaxExplanation": "V"}
        ais.done("ML_CreateAPVoucher", VOUCHER, **tax, TaxArea="CO")
        assert ais.refused("ML_CreateAPVoucher", VOUCHER, **tax, TaxArea="TX") == "TAX AREA"


def test_a_company_with_a_currency_of_its_own_needs_a_rate(jde: Any, ais: Orchestrator) -> None:
    jde.add({"CO": "00009", "CRCD": "CHF"}, table="F0010")
    assert ais.refused("ML_CreateAPVoucher", VOUCHER, CurrencyCode="CHF") == "EXCHANGE RATE"
    ais.done("ML_CreateAPVoucher", VOUCHER, CurrencyCode="CHF", ExchangeRate="1.1")


@pytest.mark.parametrize(
    "options",
    [
        {"duplicate_invoice": "x"},
        {"earlier_period": "x"},
        {"supplier_hold": "x"},
        {"unposted_receipts": "x"},
        {"payment_sign": 2},
        {"pay_status": "X"},
        {"reopened_pay_status": "AA"},
        {"tolerance": Decimal(-1)},
        {"rates": {"EUR": Decimal(0)}},
        {"left_empty": frozenset({"F0411.AG"})},
    ],
)
def test_financials_that_cannot_be_are_refused(options: Any) -> None:
    with pytest.raises(InvalidArgument):
        FinancialRules(**options)


def test_posting(jde: Any, ais: Orchestrator) -> None:
    first = ais.done("ML_CreateAPVoucher", VOUCHER)
    second = ais.done("ML_CreateJournalEntry", JOURNAL)
    assert jde.post(int(first["BatchNumber"])) == {int(first["BatchNumber"])}
    assert jde.contents["F0411"][0]["POST"] == "D"
    assert {(row["DCT"], row["POST"]) for row in jde.contents["F0911"]} == {("PV", "P"), ("JE", "")}
    jde.clock.advance(dt.timedelta(days=1))
    assert jde.post() == {int(second["BatchNumber"])}
    assert {row["UPMJ"] for row in jde.contents["F0911"] if row["DCT"] == "JE"} == {dt.date(2026, 3, 3)}
    assert jde.post() == frozenset()


STATUS = {**KEY, "PayItem": "001", "PayStatus": "B"}


def test_a_pay_status_is_set_on_one_pay_item(jde: Any, ais: Orchestrator) -> None:
    with_vouchers(jde, odd={0: ["split"]})
    body = ais.done("ML_SetPayStatus", STATUS, PayItem="002", PayItemExtension="0")
    assert {key: value for key, value in body.items() if not key.startswith("jde__")} == {
        "DocumentCompany": "00001",
        "DocumentType": "PV",
        "DocumentNumber": "300001",
        "PayItem": "002",
        "PayStatus": "B",
        "PreviousPayStatus": "A",
    }
    assert [row["PST"] for row in jde.contents["F0411"]] == ["A", "B"]
    assert ais.done("ML_SetPayStatus", STATUS, PayItem="002")["PreviousPayStatus"] == "B"


@pytest.mark.parametrize(
    ("columns", "changes", "code"),
    [
        ({}, {"PayStatus": "Z"}, "PAY STATUS"),
        ({}, {"PayStatus": "P"}, "PAY STATUS"),
        ({}, {"PayStatus": "#"}, "PAY STATUS"),
        ({"PST": "#"}, {}, "PAY STATUS"),
        ({"PST": "P"}, {}, "PAY STATUS"),
        ({"VOD": "V"}, {}, "PAY STATUS"),
        ({"AAP": 0}, {}, "PAY STATUS"),
        ({}, {"PayItem": "009"}, "PAY ITEM"),
        ({}, {"PayItemExtension": "1"}, "PAY ITEM"),
        ({}, {"VoucherNumber": "1"}, "VOUCHER"),
        ({}, {"VoucherType": "PD"}, "VOUCHER"),
    ],
)
def test_a_pay_status_is_refused(
    jde: Any, ais: Orchestrator, columns: dict[str, Any], changes: dict[str, Any], code: str
) -> None:
    with_vouchers(jde)
    jde.update("F0411", (300001, "PV", "00001", "001", 0), **columns)
    assert ais.refused("ML_SetPayStatus", STATUS, **changes) == code


REVERSAL = {**KEY, "GLDate": "04/01/2026", "Remark": "COUPA:void"}


@pytest.mark.parametrize("keeps", [True, False])
def test_a_posted_voucher_is_reversed(keeps: bool) -> None:
    with site(financials=FinancialRules(void_keeps_gross=keeps)) as jde, Orchestrator(jde) as ais:
        with_vouchers(jde, odd={0: ["foreign", "split"]})
        body = ais.done("ML_ReverseVoucher", REVERSAL)
        assert (body["ReversalType"], body["Deleted"], body["DocumentNumber"]) == ("void", "N", "300001")
        rows = jde.contents["F0411"]
        live = [row for row in rows if not row["DCTA"]]
        adjusting = [row for row in rows if row["DCTA"]]
        assert {(row["VOD"], row["PST"], row["AAP"], row["FAP"]) for row in live} == {("V", "P", 0, 0)}
        assert {row["ACR"] for row in live} == {100 if keeps else 0}
        assert {(row["DCTA"], row["PST"], row["RMK"]) for row in adjusting} == {("PE", "P", "COUPA:void")}
        assert {(row["ACR"], row["AG"], row["AAP"]) for row in adjusting} == {(-100, -125, 0)}
        assert {row["DGJ"] for row in adjusting} == {dt.date(2026, 4, 1)}
        ledger = jde.contents["F0911"]
        for name in ("AA", "CA"):
            assert sum(row["AA"] for row in ledger if row["LT"] == name) == 0
        assert {row["POST"] for row in ledger if row["DGJ"] == dt.date(2026, 4, 1)} == {""}
        assert ais.refused("ML_ReverseVoucher", REVERSAL) == "VOID"
        jde.post(int(body["BatchNumber"]))
        assert {row["POST"] for row in jde.contents["F0411"]} == {"D"}


def test_an_unposted_voucher_leaves_no_row(jde: Any, ais: Orchestrator) -> None:
    with_vouchers(jde, 2, odd={0: ["unposted"]})
    before = len(jde.contents["F0911"])
    assert ais.done("ML_ReverseVoucher", REVERSAL)["Deleted"] == "Y"
    assert {row["DOC"] for row in jde.contents["F0411"]} == {300002}
    assert len(jde.contents["F0911"]) == before // 2
    assert ais.refused("ML_ReverseVoucher", REVERSAL) == "VOUCHER"


@pytest.mark.parametrize(
    ("marks", "changes", "code"),
    [
        (["paid"], {}, "PAID"),
        (["part_paid"], {}, "PAID"),
        (["foreign", "part_paid"], {}, "PAID"),
        (["void"], {}, "VOID"),
        ([], {"GLDate": "02/01/2026"}, "PBCO"),
        ([], {"VoucherCompany": "00002"}, "VOUCHER"),
    ],
)
def test_a_reversal_is_refused(
    jde: Any, ais: Orchestrator, marks: list[Any], changes: dict[str, Any], code: str
) -> None:
    with_vouchers(jde, odd={0: marks})
    assert ais.refused("ML_ReverseVoucher", REVERSAL, **changes) == code


def test_a_voucher_in_a_payment_group_is_not_reversed(jde: Any, ais: Orchestrator) -> None:
    with_vouchers(jde)
    jde.update("F0411", (300001, "PV", "00001", "001", 0), PST="#")
    assert ais.refused("ML_ReverseVoucher", REVERSAL) == "PAY STATUS"


def test_a_journal_entry_balances(jde: Any, ais: Orchestrator) -> None:
    body = ais.done("ML_CreateJournalEntry", JOURNAL)
    rows = jde.contents["F0911"]
    assert [(row["DCT"], row["DOC"], row["ICU"]) for row in rows] == [
        ("JE", int(body["DocumentNumber"]), int(body["BatchNumber"]))
    ] * 2
    assert [row["AA"] for row in rows] == [100, -100]
    assert {(row["R1"], row["EXA"], row["LT"], row["POST"]) for row in rows} == {("ML000001", "Fees", "AA", "")}
    ais.done("ML_CreateJournalEntry", JOURNAL, CurrencyCode="EUR")
    assert [row["AA"] for row in jde.contents["F0911"] if row["CRCD"] == "EUR"] == [125, 100, -125, -100]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Lines": [LINE]}, "OUT OF BALANCE"),
        ({"Lines": [line("0")]}, "OUT OF BALANCE"),
        ({"Lines": [line("1", "6000"), line("-1")]}, "POSTING EDIT"),
        ({"Company": "00002"}, "COMPANY"),
        ({"GLDate": "02/28/2026"}, "PBCO"),
        ({"CurrencyCode": "XXX"}, "CURRENCY"),
        ({"Reference": ...}, "input: ML_CreateJournalEntry: Input Reference is missing"),
        ({"Reference": "123456789"}, "input: ML_CreateJournalEntry: Input Reference has more than 8 characters"),
    ],
)
def test_a_journal_entry_is_refused(ais: Orchestrator, changes: dict[str, Any], code: str) -> None:
    assert ais.refused("ML_CreateJournalEntry", JOURNAL, **changes) == code


def test_a_site_may_lose_references() -> None:
    rules = FinancialRules(left_empty=frozenset({"F0411.RMK", "F0414.RMK", "F0911.R1"}))
    with site(financials=rules) as jde, Orchestrator(jde) as ais:
        made = ais.done("ML_CreateAPVoucher", VOUCHER)
        key = {**KEY, "VoucherNumber": made["DocumentNumber"], "PayItem": "001"}
        ais.done("ML_RecordAPPayment", {**PAYMENT, **key})
        ais.done("ML_CreateJournalEntry", JOURNAL)
        assert (jde.contents["F0411"][0]["RMK"], jde.contents["F0411"][0]["VINV"]) == ("", "INV-1")
        assert jde.contents["F0414"][0]["RMK"] == ""
        assert {row["R1"] for row in jde.contents["F0911"]} == {""}


def test_z_files_wait_for_the_batch() -> None:
    with site(orchestrations=OrchestrationSite(z_files=True)) as jde, Orchestrator(jde) as ais:
        voucher = ais.done("ML_CreateAPVoucher", VOUCHER)
        wrong = ais.done("ML_CreateAPVoucher", VOUCHER, SupplierNumber="9999", DocumentType="PV", TaxAmount="1.00")
        ais.done("ML_CreateJournalEntry", JOURNAL)
        assert (voucher["DocumentNumber"], voucher["DocumentType"]) == ("", "PV")
        assert jde.contents["F0411"] == jde.contents["F0911"] == ()
        staged = ais.rows("F0411Z1", "EDUS EDBT EDTN EDSP AN8 VINV AG")
        assert {(row["F0411Z1_EDBT"], row["F0411Z1_EDSP"]) for row in staged} == {
            (voucher["BatchNumber"], "0"),
            (wrong["BatchNumber"], "0"),
        }
        assert {row["F0411Z1_EDTN"] for row in staged} == {"INV-1"}
        lines = jde.contents["F0911Z1"]
        assert [(row["EDTC"], row["EDTR"]) for row in lines if row["DCT"] == "JE"] == [("A", "J")] * 2
        run = jde.run_batch()
        assert run.refused == ("Supplier 9999 is not in the supplier master",)
        assert {row["DOC"] for row in jde.contents["F0911"]} == set(run.documents)
        assert [row["VINV"] for row in jde.contents["F0411"]] == ["INV-1"]
        assert sorted(row["EDSP"] for row in jde.contents["F0411Z1"]) == ["0", "1"]
        assert jde.run_batch().documents == ()
        jde.add({"AN8": 9999}, table="F0401")
        assert jde.run_batch().refused == ("Tax needs a tax explanation code",)
        jde.remove("F0411Z1", ("MLCONN", wrong["BatchNumber"], "INV-1", 1))
        assert jde.run_batch().refused == ()
