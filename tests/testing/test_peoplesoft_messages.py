from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from mlconnector.documents import Invoice, OrderLine, Party, PurchaseOrder
from mlconnector.errors import InvalidArgument
from tests.testing.peoplesoft import PSCAMA, WINDOW, get, request, rows, send, simulator, text, voucher

VOUCHERS = {"BU": "US001", **WINDOW, "AFTER_ID": ""}
LINES = (OrderLine(number="1", quantity=Decimal(10), unit_price=Decimal("12.05"), account="6110"),)
ORDER = PurchaseOrder(number="0000000101", supplier=Party(number="0000000042"), lines=LINES)


def test_an_acknowledgment_means_queued_and_a_voucher_exists_only_after_the_build() -> None:
    with simulator() as psft:
        psft.add(ORDER)
        answer = send(psft, request(voucher(order="0000000101")))
        assert (answer.tag, answer.get("type"), text(answer, "StatusCode")) == ("IBResponse", "success", "0")
        message = psft.messages[0]
        assert (message.transaction_id, message.status) == (text(answer, "TransactionID"), "done")
        staged = psft.contents["VCHR_HDR_STG"][0]
        assert (staged["INVOICE_ID"], staged["INVOICE_DT"]) == ("FICT-1001", dt.date(2026, 2, 3))
        assert psft.contents["VCHR_LINE_STG"][0]["UNIT_PRICE"] == Decimal("12.05")
        assert rows(psft, "ML_VOUCHER", VOUCHERS) == []
        report = psft.build_vouchers()
        assert (report.built, report.recycled, report.rejected) == (("00000001",), {}, {})
        found = rows(psft, "ML_VOUCHER", VOUCHERS)[0]
        assert (found["A.VOUCHER_ID"], found["A.ENTRY_STATUS"], found["A.MATCH_STATUS_VCHR"]) == ("00000001", "P", "T")
        line = rows(psft, "ML_VOUCHER_LINE", {"BU": "US001", "VOUCHER": "00000001"})[0]
        assert (line["A.PO_ID"], line["B.ACCOUNT"], line["B.MERCHANDISE_AMT"]) == (
            "0000000101",
            "6110",
            Decimal("120.5"),
        )
        assert psft.contents["VCHR_HDR_STG"] == ()
        assert psft.contents["PYMNT_VCHR_XREF"][0]["PYMNT_GROSS_AMT"] == Decimal("125.50")


def test_a_second_send_stages_a_second_row_and_the_build_recycles_it() -> None:
    with simulator() as psft:
        psft.add(Invoice(number="00000076", supplier_invoice_number="OTHER"))
        first, second = (text(send(psft, request(voucher())), "TransactionID") for _ in range(2))
        assert first != second
        assert len(psft.staged()) == 2
        report = psft.build_vouchers()
        assert (report.built, list(report.recycled)) == (("00000077",), ["00000078"])
        assert [row["ENTRY_STATUS"] for row in psft.contents["VOUCHER"]] == ["P", "P", "R"]
        assert psft.contents["VOUCHER"][1]["MATCH_STATUS_VCHR"] == "N"


def test_an_invoice_that_does_not_balance_is_recycled() -> None:
    with simulator() as psft:
        send(psft, request(voucher(gross="120.50")))
        assert psft.build_vouchers().recycled == {"00000001": "Out of balance: 120.50 against 125.50."}


def test_an_invoice_against_an_order_line_that_is_not_there_stays_in_staging() -> None:
    with simulator() as psft:
        send(psft, request(voucher(order="0000000999")))
        assert "0000000999/1/1" in psft.build_vouchers().rejected["FICT-1001"]
        assert len(psft.contents["VCHR_HDR_STG"]) == 1
        assert psft.contents["VOUCHER"] == ()


@pytest.mark.parametrize(
    "replaced",
    [
        {"VENDOR_ID>0000000042<": "VENDOR_ID><"},
        {"VOUCHER_LINE_NUM>1<": "VOUCHER_LINE_NUM>0<"},
        {"VOUCHER_ID>NEXT<": "VOUCHER_ID>00000077<"},
        {"VOUCHER_ID>NEXT<": "VOUCHER_ID>123456789<"},
    ],
)
def test_what_cannot_be_a_voucher_is_rejected(replaced: dict[str, str]) -> None:
    with simulator() as psft:
        psft.add(Invoice(number="00000077"))
        message = voucher()
        for old, new in replaced.items():
            assert old in message
            message = message.replace(old, new)
        send(psft, request(message))
        report = psft.build_vouchers()
        assert (report.built, report.recycled) == ((), {})
        assert len(psft.contents["VOUCHER"]) == 1


def test_a_message_may_declare_a_number_as_text_and_the_reverse() -> None:
    with simulator() as psft:
        message = voucher().replace('<LINE_NBR type="NUMBER"/>', '<LINE_NBR type="CHAR"/>')
        message = message.replace('<TXN_CURRENCY_CD type="CHAR"/>', '<TXN_CURRENCY_CD type="NUMBER"/>')
        message = message.replace("<TXN_CURRENCY_CD>USD<", "<OWN_FIELD>x</OWN_FIELD><TXN_CURRENCY_CD>840<")
        message = message.replace("<FREIGHT_AMT type", '<OWN_FIELD type="CHAR"/><FREIGHT_AMT type')
        message = message.replace("<QTY_VCHR>10", "<LINE_NBR>1</LINE_NBR><QTY_VCHR>10")
        send(psft, request(message))
        assert psft.build_vouchers().built == ("00000001",)
        assert psft.contents["VOUCHER"][0]["TXN_CURRENCY_CD"] == "840"
        assert psft.contents["VOUCHER_LINE"][0]["LINE_NBR"] == 1
        send(psft, request(message.replace("<LINE_NBR>1<", "<LINE_NBR>one<").replace("FICT-1001", "FICT-1002")))
        assert "LINE_NBR" in psft.build_vouchers().rejected["FICT-1002"]


def test_distributions_of_the_message_come_before_those_of_the_order() -> None:
    own = "".join(
        f'<VCHR_DIST_STG class="R"><ACCOUNT>{account}</ACCOUNT><MERCHANDISE_AMT>60.25</MERCHANDISE_AMT></VCHR_DIST_STG>'
        for account in ("7000", "7100")
    )
    with simulator() as psft:
        psft.add(ORDER)
        # The control segment may stand beside its row.
        message = voucher(order="0000000101").replace("</UNIT_PRICE><", f"</UNIT_PRICE>{own}<")
        message = message.replace(f"</VCHR_LINE_STG>{PSCAMA}", f"</VCHR_LINE_STG>{PSCAMA}{PSCAMA}")
        send(psft, request(message))
        psft.build_vouchers()
        assert [row["ACCOUNT"] for row in psft.contents["DISTRIB_LINE"]] == ["7000", "7100"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2026/02/03", "2026-02-03"),
        ("2026/02/03", "2026/02/31"),
        ("2026/02/03", "02/03/2026"),
        ("125.50", "125,50"),
        ("125.50", "NaN"),
        ("FICT-1001", "F" * 31),
        ("VOUCHER_BUILD>", "VOUCHERS>"),
        ("FieldTypes>", "Types>"),
        ('<GROSS_AMT type="NUMBER"/>', ""),
        ('<GROSS_AMT type="NUMBER"/>', '<GROSS_AMT type="AMOUNT"/>'),
        ('<VCHR_DIST_STG class="R">', "<VCHR_DIST_STG>"),
        ('<VCHR_LINE_STG class="R"><BUSINESS_UNIT>', '<VCHR_LINE_STG class="L"><BUSINESS_UNIT>'),
        ("VCHR_LINE_STG", "VCHR_LINES"),
        (PSCAMA, ""),
        ("<AUDIT_ACTN>A<", "<AUDIT_ACTN>Z<"),
        ("Transaction>", "Row>"),
        (voucher()[voucher().index("<MsgData>") : voucher().index("</MsgData>")], "<MsgData>"),
        ('<PSCAMA class="R"><LANGUAGE_CD type="CHAR"/><AUDIT_ACTN type="CHAR"/></PSCAMA>', ""),
    ],
)
def test_what_the_subscription_cannot_read_shows_in_the_monitor_only(old: str, new: str) -> None:
    message = voucher()
    assert old in message
    with simulator() as psft:
        assert send(psft, request(message.replace(old, new))).get("type") == "success"
        assert psft.messages[0].status == "error"
        assert psft.messages[0].error
        assert psft.staged() == ()


def test_dates_are_read_as_the_site_reads_them() -> None:
    for form, dates, expected in (
        ("2026-02-03", "dashes", "done"),
        ("2026/02/03", "dashes", "error"),
        ("2026-02-03", "both", "done"),
        ("2026/02/03", "both", "done"),
        ("2026/02-03", "both", "error"),
    ):
        with simulator(xml_dates=dates) as psft:
            send(psft, request(voucher(date=form)))
            assert psft.messages[0].status == expected


def test_a_refusal_is_an_error_inside_http_200() -> None:
    with simulator(node_password="n0de") as psft:
        good = request(voucher(), password="n0de")
        for wrong in (
            good.replace("VOUCHER_BUILD.VERSION_1", "VOUCHER_BUILD.v1"),
            good.replace("ML_CONNECTOR", "SOMEBODY"),
            good.replace("PSFT_EP", "PSFT_HR"),
            good.replace("n0de", "node"),
            good.replace(">async<", ">sync<"),
            good.replace("</MsgData>", ""),
            good.replace('<?xml version="1.0"?>', '<!DOCTYPE a [<!ENTITY b "c">]>'),
            "<Other/>",
            "no xml",
            '<!DOCTYPE a [<!ENTITY b "c">]>' + good,
        ):
            answer = send(psft, wrong)
            assert (answer.get("type"), text(answer, "StatusCode")) == ("error", "20")
            assert (text(answer, "DefaultMessage") or "").endswith(f"(158,{text(answer, 'MessageID')})")
        psft.deactivate("VOUCHER_BUILD")
        assert send(psft, good).get("type") == "error"
        psft.deactivate("VOUCHER_BUILD", inactive=False)
        psft.forbid("VOUCHER_BUILD")
        assert send(psft, good).get("type") == "error"
        psft.forbid("VOUCHER_BUILD", forbidden=False)
        assert psft.messages == ()
        assert send(psft, good).get("type") == "success"


def test_credentials_may_stand_in_headers_and_are_masked_in_the_record() -> None:
    with simulator(node_password="n0de") as psft:
        headers = {"OperationName": "VOUCHER_BUILD.VERSION_1", "From": "ML_CONNECTOR", "To": "PSFT_EP"}
        assert send(psft, voucher(), **headers, Password="n0de", OperationType="async").get("type") == "success"
        assert send(psft, voucher(), **headers, Password="node").get("type") == "error"
        assert send(psft, request("", kind="ping", password="n0de")).get("type") == "success"
        assert len(psft.messages) == 1
        assert "n0de" not in repr(psft.calls)


def test_a_paused_queue_keeps_messages_out_of_staging() -> None:
    with simulator() as psft:
        psft.pause_messages()
        send(psft, request(voucher()))
        assert [message.status for message in psft.messages] == ["queued"]
        assert psft.contents["VCHR_HDR_STG"] == ()
        psft.pause_messages(paused=False)
        assert [message.status for message in psft.messages] == ["done"]
        assert len(psft.contents["VCHR_HDR_STG"]) == 1


def test_a_lost_answer_has_staged_the_row() -> None:
    with simulator() as psft:
        psft.fail(drop="after", match="HttpListeningConnector")
        with pytest.raises(OSError):
            send(psft, request(voucher()))
        assert len(psft.staged()) == 1


def test_voucher_build_runs_by_itself_after_some_calls() -> None:
    with simulator(build_after=2) as psft:
        get(psft, "ML_DEPT")
        send(psft, request(voucher()))
        assert rows(psft, "ML_VOUCHER", VOUCHERS) == []
        assert len(rows(psft, "ML_VOUCHER", VOUCHERS)) == 1


def test_staging_can_be_looked_up_by_a_query() -> None:
    with simulator() as psft:
        prompts = {"VENDOR": "A.VENDOR_ID =", "INVOICE": "A.INVOICE_ID ="}
        psft.define_query("ML_VCHR_STG", prompts=prompts, key="A.INVOICE_ID", record="VCHR_HDR_STG")
        asked = {"VENDOR": "0000000042", "INVOICE": "FICT-1001"}
        assert rows(psft, "ML_VCHR_STG", asked) == []
        send(psft, request(voucher()))
        found = rows(psft, "ML_VCHR_STG", asked)[0]
        assert (found["A.GROSS_AMT"], found["A.PYMNT_TERMS_CD"]) == (Decimal("125.5"), " ")
        assert rows(psft, "ML_VCHR_STG", {**asked, "INVOICE": "FICT-1002"}) == []


def test_acknowledgements_are_staged_as_sent() -> None:
    message = (
        '<PURCHASE_ORDER_ACKNOWLEDGEMENT><FieldTypes><PO_HDR_EC class="R"><PO_ID type="CHAR"/></PO_HDR_EC>'
        '<PO_LINE_EC class="R"><LINE_NBR type="NUMBER"/></PO_LINE_EC>'
        '<PSCAMA class="R"><AUDIT_ACTN type="CHAR"/></PSCAMA></FieldTypes><MsgData><Transaction>'
        '<PO_HDR_EC class="R"><PO_ID>101</PO_ID><PO_LINE_EC class="R"><LINE_NBR>1</LINE_NBR></PO_LINE_EC></PO_HDR_EC>'
        '<PSCAMA class="R"><AUDIT_ACTN>A</AUDIT_ACTN></PSCAMA></Transaction></MsgData></PURCHASE_ORDER_ACKNOWLEDGEMENT>'
    )
    with simulator() as psft:
        send(psft, request(message, operation="PURCHASE_ORDER_ACKNOWLEDGEMENT.VERSION_1"))
        assert psft.contents["PO_HDR_EC"] == ({"PO_ID": "101"},)
        header = psft.staged("PURCHASE_ORDER_ACKNOWLEDGEMENT")[0]
        assert [row.values for row in header.below("PO_LINE_EC")] == [{"LINE_NBR": Decimal(1)}]
        psft.define_message("SITE_ACK", "SITE_ACK.v2")
        own = message.replace("PURCHASE_ORDER_ACKNOWLEDGEMENT", "SITE_ACK").replace("PO_HDR_EC", "SITE_HDR")
        send(psft, request(own, operation="SITE_ACK.v2"))
        assert psft.contents["SITE_HDR"] == ({"PO_ID": "101"},)
        with pytest.raises(InvalidArgument):
            psft.staged("OTHER")
