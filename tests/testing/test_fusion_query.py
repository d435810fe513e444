from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlconnector.testing._fusion import FusionSimulator
from mlconnector.testing._fusion_catalog import RESOURCES
from mlconnector.testing._fusion_query import BadQuery, examples, expression
from mlconnector.testing._fusion_store import ResourceStore
from tests.testing.fusion import STAMP, Bare, invoice

ROWS: list[dict[str, Any]] = [
    invoice(1, BusinessUnit="Example BU", PaidStatus="Paid", SupplierNumber="0101", CanceledFlag=True),
    invoice(2, BusinessUnit="O'Brien", PaidStatus="Unpaid", InvoiceAmount=Decimal("-5.50"), CanceledFlag="N"),
    invoice(3, PaidStatus="Partially paid", LastUpdateDate=STAMP + dt.timedelta(seconds=1)),
]


def selected(q: str, *, version: int = 4, **options: Any) -> list[int]:
    with FusionSimulator(**options) as fusion, Bare(fusion, version=version) as bare:
        fusion.add(ROWS, resource="invoices")
        return bare.ids(q=q)


def refusal(q: str, *, version: int = 4, **options: Any) -> str:
    with FusionSimulator(**options) as fusion, Bare(fusion, version=version) as bare:
        fusion.add(ROWS, resource="invoices")
        answer = bare.send("invoices", q=q)
        assert answer.status_code == 400, answer.text
        return answer.text


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("BusinessUnit='Example BU' and PaidStatus!='Unpaid'", [1]),
        ("BusinessUnit = 'O''Brien'", [2]),
        ('BusinessUnit = "O\'Brien"', [2]),
        ("PaidStatus <> 'Paid'", [2, 3]),
        ("InvoiceAmount < 0", [2]),
        ("InvoiceAmount >= 130.80", [1, 3]),
        ("InvoiceAmount = '-5.5'", [2]),
        ("InvoiceId > 1 and (InvoiceId <= 2 or PaidStatus = 'Partially paid')", [2, 3]),
        ("InvoiceId = 1 OR InvoiceId = 3 AND PaidStatus = 'x'", [1]),
        ("InvoiceId between 2 and 3", [2, 3]),
        ("InvoiceId not between 2 and 3", [1]),
        ("InvoiceId in (1, 3)", [1, 3]),
        ("InvoiceId not in (1, 3)", [2]),
        ("PaidStatus like 'P%'", [1, 3]),
        ("PaidStatus like '*paid'", [2, 3]),
        ("PaidStatus not like '%p%'", [1]),
        ("BusinessUnit is null", [3]),
        ("BusinessUnit is not null", [1, 2]),
        ("BusinessUnit != 'Example BU'", [2]),
        ("CanceledFlag = true", [1]),
        ("CanceledFlag = 'N'", [2]),
        ("SupplierNumber = '0101'", [1]),
        ("SupplierNumber = '101'", []),
        ("InvoiceDate = '2026-01-30'", [1, 2, 3]),
        ("InvoiceDate > '2026-01-30'", []),
        ("LastUpdateDate >= '2026-01-31T10:00:00.001+00:00'", [3]),
        ("LastUpdateDate >= '2026-01-31T12:00:00+02:00' and LastUpdateDate < '2026-01-31T10:00:01Z'", [1, 2]),
        ("LastUpdateDate > '2026-01-31 10:00:00'", [3]),
        ("LastUpdateDate >= '2026-02-01'", []),
        ("invoiceLines.LineAmount = 1", [1, 2, 3]),
        ("invoiceLines.LineAmount > 1", []),
    ],
)
def test_expressions_select(q: str, found: list[int]) -> None:
    assert selected(q) == found


@pytest.mark.parametrize(
    "q",
    [
        "InvoiceId > 1;PaidStatus = 'Paid'",
        "invoiceid > 1",
        "lastUpdateDate >= '2026-01-31'",
        "Nothing = 1",
        "nothing.LineAmount = 1",
        "InvoiceId",
        "InvoiceId >",
        "InvoiceId > 'many'",
        "InvoiceId > 1 PaidStatus = 'Paid'",
        "InvoiceId > 1 and",
        "(InvoiceId > 1",
        "InvoiceId in 1",
        "InvoiceId in (1",
        "InvoiceId is 1",
        "InvoiceId not 1",
        "InvoiceId between 1",
        "InvoiceId between 1 or 2",
        "PaidStatus = Paid",
        "PaidStatus like Paid",
        "BusinessUnit = 'O'Brien'",
        "CanceledFlag = maybe",
        "CanceledFlag = 'maybe'",
        "LastUpdateDate >= 20260131",
        "LastUpdateDate >= '31-JAN-2026'",
        "LastUpdateDate >= '2026-02-31T00:00:00Z'",
        "LastUpdateDate >= 2026-01-31T00:00:00Z",
        "LastUpdateDate >= '2026-01-31T00:00:00.000 00:00'",
    ],
)
def test_expressions_that_fusion_would_not_read_are_400(q: str) -> None:
    assert refusal(q)


def test_a_raw_plus_sign_in_the_address_breaks_the_time_stamp() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.add(ROWS, resource="invoices")
        address = f"{fusion.url}/fscmRestApi/resources/latest/invoices?q=LastUpdateDate%3E='2026-01-31T10:00:01.000"
        assert bare.send(f"{address}+00:00'").status_code == 400
        assert bare.get(f"{address}%2B00:00'")["count"] == 1


def test_an_attribute_that_is_not_queryable_is_400() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.restrict("invoices", "PaidStatus")
        assert "not queryable" in bare.refused("invoices", q="PaidStatus = 'Paid'")


@pytest.mark.parametrize(
    ("form", "iso", "plain"), [("iso", [3], None), ("plain", None, [3]), ("both", [3], [3])], ids=str
)
def test_the_form_of_date_time_literals_is_a_setting(form: str, iso: list[int] | None, plain: list[int] | None) -> None:
    for q, found in (
        ("LastUpdateDate >= '2026-01-31T10:00:01.000+00:00'", iso),
        ("LastUpdateDate >= '2026-01-31 10:00:01'", plain),
    ):
        if found is None:
            assert refusal(q, date_literals=form)
        else:
            assert selected(q, date_literals=form) == found
    assert selected("InvoiceDate >= '2026-01-30'", date_literals=form) == [1, 2, 3]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("PaidStatus=Unpaid", [2]),
        ("PaidStatus='Partially paid'", [3]),
        ("PaidStatus=P*", [1, 3]),
        ("PaidStatus!=P*", [2]),
        ("PAIDSTATUS LIKE 'P%'", [1, 3]),
        ("InvoiceId>=2 and <= 3;PaidStatus!=Unpaid", [3]),
        ("InvoiceNumber=EX-2", [2]),
        ('BusinessUnit="O\'Brien"', [2]),
        ("LastUpdateDate>2026-01-31T10:00Z and <=2026-02-01T00:00Z", [3]),
        ("CanceledFlag=true", [1]),
    ],
)
def test_version_1_reads_query_by_example(q: str, found: list[int]) -> None:
    assert selected(q, version=1) == found


@pytest.mark.parametrize(
    "q",
    [
        "LastUpdateDate >= '2026-01-31T00:00:00Z' and InvoiceId > 0",
        "(InvoiceId=1)",
        "Nothing=1",
        "invoiceLines.LineAmount=1",
        "InvoiceId between 1 and 3",
        "InvoiceId>=2 and <=",
        "InvoiceId>1 and !2",
        ";",
    ],
)
def test_version_1_does_not_read_expressions(q: str) -> None:
    assert refusal(q, version=1)


def test_the_same_text_means_something_else_without_the_header() -> None:
    q = "BusinessUnit='Example BU' and PaidStatus!='Unpaid'"
    with FusionSimulator() as fusion, Bare(fusion, version=None) as bare:
        fusion.add(ROWS, resource="invoices")
        assert bare.ids(q=q) == []
    with FusionSimulator(default_framework=3) as fusion, Bare(fusion, version=None) as bare:
        fusion.add(ROWS, resource="invoices")
        assert bare.ids(q=q) == [1]


def test_finders() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.add(ROWS, resource="invoices")
        for key in (7, 8):
            related = [{"InvoicePaymentId": key, "InvoiceNumber": f"EX-{key}"}]
            fusion.add({"CheckId": key, "relatedInvoices": related}, resource="payablesPayments")
        fusion.add([{"JeBatchId": 1, "Status": "P"}, {"JeBatchId": 2, "Status": "U"}], resource="journalBatches")
        assert bare.ids(finder="PrimaryKey;InvoiceId=2") == [2]
        assert bare.ids("payablesPayments", "CheckId", finder="PaidInvoicesFinder;InvoiceNumber=EX-8") == [8]
        assert (
            bare.ids("payablesPayments", "CheckId", finder='PaidInvoicesFinder;InvoiceNumber="EX-7"', q="CheckId>7")
            == []
        )
        assert bare.ids("journalBatches", "JeBatchId", finder="JournalsFinder;Status=P") == [1]
        assert bare.ids("journalBatches", "JeBatchId", finder="JournalsFinder") == [1, 2]
        for resource, wrong in (
            ("invoices", "PrimaryKey;InvoiceNumber=EX-1"),
            ("invoices", "PaidInvoicesFinder;InvoiceNumber=EX-8"),
            ("payablesPayments", "PaidInvoicesFinder"),
            ("journalBatches", "JournalsFinder;LedgerName=X"),
            ("invoices", "Nothing"),
        ):
            assert "finder" in bare.refused(resource, finder=wrong)


def test_fields_choose_attributes_and_switch_expand_off() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        distribution = {"InvoiceDistributionId": 5, "DistributionAmount": Decimal(1)}
        line = {"LineNumber": 1, "LineAmount": Decimal(1), "invoiceDistributions": [distribution]}
        fusion.add(invoice(1, invoiceLines=[line]), resource="invoices")

        def item(**query: str) -> dict[str, Any]:
            (found,) = bare.get("invoices", onlyData="true", **query)["items"]
            return dict(found)

        assert item(fields="InvoiceId, InvoiceNumber") == {"InvoiceId": 1, "InvoiceNumber": "EX-1"}
        assert "invoiceLines" not in item(fields="InvoiceId", expand="invoiceLines")
        both = item(fields="InvoiceId;invoiceLines:LineNumber,LineAmount")
        assert both["invoiceLines"]["items"] == [{"LineNumber": 1, "LineAmount": 1}]
        deep = item(fields="InvoiceId;invoiceLines.invoiceDistributions:DistributionAmount")
        (shown,) = deep["invoiceLines"]["items"]
        assert shown["invoiceDistributions"]["items"] == [{"DistributionAmount": 1}]
        assert "links" in bare.get("invoices", fields="InvoiceId")["items"][0]
        for wrong in ("invoiceId", "InvoiceId;lines:LineNumber", "invoiceLines:Nothing"):
            assert "fields" in bare.refused("invoices", fields=wrong)


def test_expand_adds_missing_parents_or_everything() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.add(invoice(1), resource="invoices")
        item = bare.get("invoices", expand="invoiceLines.invoiceDistributions, invoiceInstallments")["items"][0]
        assert item["invoiceLines"]["items"][0]["invoiceDistributions"]["items"] == []
        assert item["invoiceInstallments"]["count"] == 0
        every = bare.get("invoices", expand="all")["items"][0]
        assert {"invoiceLines", "invoiceInstallments", "invoiceDff", "attachments"} <= set(every)
        assert every["attachments"]["items"] == []
        assert "expand" in bare.refused("invoices", expand="invoiceDistributions")
        assert "expand" in bare.refused("invoices", expand="InvoiceLines")


def test_flexfields_can_be_asked_for_by_their_own_names() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        flex = {"InvoiceId": 1, "ProcessingQueue": "Section 1", "costCode": "C-9"}
        fusion.add([invoice(1, invoiceDff=[flex]), invoice(2)], resource="invoices")
        assert bare.ids(q="invoiceDff.ProcessingQueue='Section 1'") == [1]
        assert bare.ids(q="invoiceDff.costCode='C-9'") == [1]
        item = bare.get("invoices", q="InvoiceId=1", expand="invoiceDff")["items"][0]
        assert item["invoiceDff"]["items"][0]["costCode"] == "C-9"


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_a_quoted_text_is_found_whatever_it_holds(text: str) -> None:
    kind = RESOURCES["invoices"]
    store = ResourceStore(kind)
    store.put({"InvoiceId": 1, "Description": text}, STAMP)
    (node,) = store
    literal = "'" + text.replace("'", "''") + "'"
    assert expression(f"Description = {literal}", kind)(node)
    assert not expression(f"Description = '{text.replace(chr(39), chr(39) * 2)}x'", kind)(node)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="InvoiceId Number='()<>;and123*%\"", max_size=40))
def test_whatever_comes_is_read_or_refused_never_an_accident(text: str) -> None:
    kind = RESOURCES["invoices"]
    for parse in (expression, examples):
        with contextlib.suppress(BadQuery):
            assert callable(parse(text, kind))
