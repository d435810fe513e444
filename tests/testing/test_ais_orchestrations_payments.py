from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from mlconnector.documents import Application, Party, Payment
from mlconnector.testing._ais_books import FinancialRules
from tests.testing.ais_site import KEY, PAYMENT, Orchestrator, site, with_vouchers

SINGLE = {**PAYMENT, **KEY, "PayItem": "001"}
ITEM = (300001, "PV", "00001", "001", 0)
MARCH = dt.date(2026, 3, 2)


@pytest.fixture
def jde() -> Any:
    with site() as simulator:
        with_vouchers(simulator, 3, odd={1: ["debit_memo"]})
        yield simulator


@pytest.fixture
def ais(jde: Any) -> Any:
    with Orchestrator(jde) as client:
        yield client


def paid(number: int, amount: str, kind: str = "PV", **more: Any) -> dict[str, Any]:
    key = {"VoucherCompany": "00001", "VoucherType": kind, "VoucherNumber": str(number), "PayItem": "001"}
    return {**key, "Amount": amount, **more}


def opened(jde: Any) -> list[tuple[int, Decimal, str]]:
    return [(row["DOC"], row["AAP"], row["PST"]) for row in jde.contents["F0411"]]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_part_payment_leaves_the_rest_open(sign: Any) -> None:
    with site(financials=FinancialRules(payment_sign=sign)) as jde, Orchestrator(jde) as ais:
        with_vouchers(jde)
        body = ais.done("ML_RecordAPPayment", SINGLE)
        (header,), (detail,) = jde.contents["F0413"], jde.contents["F0414"]
        assert body["PaymentType"] == header["DCTM"] == detail["DCTM"] == "PN"
        assert (body["PaymentId"], body["PaymentNumber"]) == (str(header["PYID"]), str(header["DOCM"]))
        assert body["BatchNumber"] == str(header["ICU"])
        assert (header["PAAP"], header["PYE"], header["GLBA"], header["DMTJ"], header["VDGJ"]) == (
            sign * 60,
            4343,
            "00110001",
            MARCH,
            None,
        )
        assert (detail["PAAP"], detail["PFAP"], detail["RMK"], detail["AN8"]) == (sign * 60, 0, "BILL:stp1", 4343)
        assert (detail["DOC"], detail["DCT"], detail["KCO"], detail["SFX"]) == ITEM[:4]
        assert opened(jde) == [(300001, 40, "A")]
        ais.done("ML_RecordAPPayment", SINGLE, Amount="40.00")
        assert opened(jde) == [(300001, 0, "P")]
        assert ais.refused("ML_RecordAPPayment", SINGLE, Amount="0.01") == "AMOUNT"
        ais.done("ML_VoidAPPayment", {"PaymentId": body["PaymentId"], "GLDate": "03/02/2026"})
        assert opened(jde) == [(300001, 60, "A")]
        assert [row["PAAP"] for row in jde.contents["F0414"]] == [sign * 60, -sign * 60, sign * 40]


def test_the_same_payment_twice_is_paid_twice(jde: Any, ais: Orchestrator) -> None:
    for _ in range(2):
        ais.done("ML_RecordAPPayment", SINGLE, Amount="30.00")
    assert len(jde.contents["F0413"]) == 2
    assert opened(jde)[0] == (300001, 40, "A")


def test_one_payment_over_vouchers_and_a_debit_memo(jde: Any, ais: Orchestrator) -> None:
    listed = [paid(300001, "100.00"), paid(300002, "-20.00", "PD"), paid(300003, "25.00", PayItemExtension="0")]
    ais.done("ML_RecordAPPayment", PAYMENT, Amount="105.00", Vouchers=listed)
    assert jde.contents["F0413"][0]["PAAP"] == 105
    assert [row["PAAP"] for row in jde.contents["F0414"]] == [100, -20, 25]
    assert opened(jde) == [(300001, 0, "P"), (300002, -80, "A"), (300003, 75, "A")]


def test_a_payment_of_nothing_settles_a_debit_memo(jde: Any, ais: Orchestrator) -> None:
    listed = [paid(300001, "100.00"), paid(300002, "-100.00", "PD")]
    ais.done("ML_RecordAPPayment", PAYMENT, Amount="0.00", Vouchers=listed)
    assert [row[2] for row in opened(jde)] == ["P", "P", "A"]


def test_a_foreign_payment_takes_both_amounts(jde: Any, ais: Orchestrator) -> None:
    with_vouchers(jde, odd={0: ["foreign"]})
    euro = {"CurrencyCode": "EUR", "ExchangeRate": "1.3"}
    body = ais.done("ML_RecordAPPayment", SINGLE, **euro, Amount="33.33")
    (item, *_) = jde.contents["F0411"]
    assert (item["FAP"], item["AAP"], item["PST"]) == (Decimal("66.67"), Decimal("83.34"), "A")
    ais.done("ML_RecordAPPayment", SINGLE, **euro, Amount="66.67")
    (item, *_) = jde.contents["F0411"]
    assert (item["FAP"], item["AAP"], item["PST"]) == (0, 0, "P")
    assert [(row["PFAP"], row["PAAP"]) for row in jde.contents["F0414"]] == [
        (Decimal("33.33"), Decimal("41.66")),
        (Decimal("66.67"), Decimal("83.34")),
    ]
    ais.done("ML_VoidAPPayment", {"PaymentId": body["PaymentId"], "GLDate": "03/02/2026"})
    (item, *_) = jde.contents["F0411"]
    assert (item["FAP"], item["AAP"], item["PST"]) == (Decimal("33.33"), Decimal("41.66"), "A")


@pytest.mark.parametrize(
    ("columns", "changes", "code"),
    [
        ({}, {"Amount": "100.01"}, "AMOUNT"),
        ({}, {"Amount": "-5.00"}, "AMOUNT"),
        ({}, {"Amount": "0.00"}, "AMOUNT"),
        ({"VOD": "V"}, {}, "VOID"),
        ({"PST": "#"}, {}, "PAY STATUS"),
        ({"PYE": 4344}, {}, "PAYEE"),
        ({}, {"CurrencyCode": "EUR"}, "CURRENCY"),
        ({}, {"ExchangeRate": "1.1"}, "EXCHANGE RATE"),
        ({}, {"BankAccountId": "00990001"}, "BANK ACCOUNT"),
        ({}, {"GLDate": "02/27/2026"}, "PBCO"),
        ({}, {"VoucherNumber": "1"}, "VOUCHER"),
        ({}, {"PayItem": "002"}, "PAY ITEM"),
        ({}, {"PaymentReference": "x" * 31}, "input: ML_RecordAPPayment: Input PaymentReference has more than 30 char"),
    ],
)
def test_a_payment_is_refused(
    jde: Any, ais: Orchestrator, columns: dict[str, Any], changes: dict[str, Any], code: str
) -> None:
    jde.update("F0411", ITEM, **columns)
    assert ais.refused("ML_RecordAPPayment", SINGLE, **changes).startswith(code)


@pytest.mark.parametrize(
    ("listed", "amount", "code"),
    [
        ([paid(300001, "50.00")], "60.00", "AMOUNT"),
        ([paid(300002, "20.00", "PD")], "20.00", "AMOUNT"),
        ([paid(300002, "-20.00", "PD")], "-20.00", "AMOUNT"),
        ([paid(300001, "110.00"), paid(300002, "-10.00", "PD")], "100.00", "AMOUNT"),
        ([paid(300001, "50.00"), paid(300001, "50.00")], "100.00", "PAY ITEM"),
        ([paid(300001, "0.00"), paid(300003, "60.00")], "60.00", "AMOUNT"),
    ],
)
def test_a_list_of_vouchers_is_refused_as_a_whole(ais: Orchestrator, listed: Any, amount: str, code: str) -> None:
    assert ais.refused("ML_RecordAPPayment", PAYMENT, Amount=amount, Vouchers=listed) == code


@pytest.mark.parametrize("wrong", [PAYMENT, {**SINGLE, "Vouchers": [paid(300001, "60.00")]}, {**PAYMENT, **KEY}])
def test_either_one_voucher_or_a_list(ais: Orchestrator, wrong: dict[str, Any]) -> None:
    assert "either" in ais.refused("ML_RecordAPPayment", wrong)


def test_a_void_takes_the_payment_back(jde: Any, ais: Orchestrator) -> None:
    listed = [paid(300001, "100.00"), paid(300003, "25.00")]
    made = ais.done("ML_RecordAPPayment", PAYMENT, Amount="125.00", Vouchers=listed)
    void = {"PaymentId": made["PaymentId"], "GLDate": "04/02/2026"}
    body = ais.done("ML_VoidAPPayment", void, PaymentReference="BILL:stp1", Remark="stopped")
    assert (body["PaymentId"], body["PaymentType"], body["PaymentNumber"]) == (
        made["PaymentId"],
        "PO",
        made["PaymentNumber"],
    )
    (header,) = jde.contents["F0413"]
    assert (header["PAAP"], header["VDGJ"], header["DCTM"]) == (0, dt.date(2026, 4, 2), "PN")
    rows = [(row["RC5"], row["DCTM"], row["PAAP"], row["RMK"]) for row in jde.contents["F0414"]]
    assert rows == [
        (1, "PN", 100, "BILL:stp1"),
        (2, "PN", 25, "BILL:stp1"),
        (3, "PO", -100, "stopped"),
        (4, "PO", -25, "stopped"),
    ]
    assert opened(jde) == [(300001, 100, "A"), (300002, -100, "A"), (300003, 100, "A")]
    assert ais.refused("ML_VoidAPPayment", void) == "VOID"
    ais.done("ML_RecordAPPayment", SINGLE, PaymentReference="BILL:stp2")
    ais.done("ML_ReverseVoucher", {**KEY, "VoucherNumber": "300003", "GLDate": "03/02/2026"})


def test_a_reserved_pay_status_is_lost_by_a_void(jde: Any, ais: Orchestrator) -> None:
    ais.done("ML_SetPayStatus", {**KEY, "PayItem": "001", "PayStatus": "B"})
    made = ais.done("ML_RecordAPPayment", SINGLE)
    assert opened(jde)[0] == (300001, 40, "B")
    ais.done("ML_VoidAPPayment", {"PaymentId": made["PaymentId"], "GLDate": "03/02/2026"})
    assert opened(jde)[0] == (300001, 100, "A")


@pytest.mark.parametrize(
    ("columns", "changes", "code"),
    [
        ({}, {"PaymentId": "1"}, "PAYMENT"),
        ({"VDGJ": MARCH}, {}, "VOID"),
        ({"RCND": "R"}, {}, "RECONCILED"),
        ({}, {"PaymentReference": "BILL:other"}, "REFERENCE"),
        ({}, {"GLDate": "02/02/2026"}, "PBCO"),
    ],
)
def test_a_void_is_refused(
    jde: Any, ais: Orchestrator, columns: dict[str, Any], changes: dict[str, Any], code: str
) -> None:
    made = ais.done("ML_RecordAPPayment", SINGLE)
    jde.update("F0413", int(made["PaymentId"]), **columns)
    void = {"PaymentId": made["PaymentId"], "GLDate": "03/02/2026"}
    assert ais.refused("ML_VoidAPPayment", void, **changes) == code


@pytest.mark.parametrize("sign", [1, -1])
def test_payments_put_in_as_documents_can_be_voided(sign: Any) -> None:
    document = Payment(
        number="900",
        date=MARCH,
        amount=Decimal(75),
        currency="USD",
        payee=Party(number="4343"),
        bank_reference="ACH7",
        applications=[Application(invoice="00001/PV/300001", amount=Decimal(75))],
    )
    with site(financials=FinancialRules(payment_sign=sign)) as jde, Orchestrator(jde) as ais:
        with_vouchers(jde, odd={0: ["part_paid"]})
        jde.add(document)
        assert (jde.contents["F0413"][0]["PAAP"], jde.contents["F0414"][0]["PAAP"]) == (75 * sign, 75 * sign)
        ais.done("ML_VoidAPPayment", {"PaymentId": "900", "GLDate": "03/02/2026", "PaymentReference": "ACH7"})
        assert opened(jde) == [(300001, 100, "A")]


def test_a_payment_of_a_voucher_that_is_not_there_cannot_be_voided(jde: Any, ais: Orchestrator) -> None:
    made = ais.done("ML_RecordAPPayment", SINGLE)
    jde.remove("F0411", ITEM)
    assert ais.refused("ML_VoidAPPayment", {"PaymentId": made["PaymentId"], "GLDate": "03/02/2026"}) == "VOUCHER"


def test_foreign_payment_documents_fill_the_foreign_column(jde: Any) -> None:
    applied = [Application(invoice="00001/PV/300001", amount=Decimal(5))]
    jde.add(Payment(number="901", currency="EUR", payee=Party(number="4343"), applications=applied))
    assert jde.contents["F0414"][0]["PFAP"] == 5
