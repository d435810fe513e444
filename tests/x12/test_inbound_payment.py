from __future__ import annotations

import datetime as dt
from decimal import Decimal

from mlconnector import x12
from mlconnector.documents import Application, Party, from_json, to_json
from tests.x12._inbound import received, refused
from tests.x12._orders import partner

PAYMENT = """
BPR*C*94.5*C*ACH*CTX*01*051302352*DA*601813151*2131510520**01*051000051*DA*1234567890*20260413
TRN*1*5600516513
CUR*BY*USD
REF*CR*PK-1
N1*PR*ACME Inc
N1*PE*Supplier Inc*92*4343
ENT*1
RMR*IV*S-77**88*100*2
REF*PO*45001
ADX*-10*WT
ADX*-3*04
RMR*CM*C-1**-5*-5
ENT*2
ADX*1.5*L6
RMR*OS*D-9*PO*10*10
"""


def payment(text=PAYMENT, **options):
    return x12.from_820(received("820", text), **options)


def test_a_payment_field_by_field():
    found = payment(partner=partner(withholding_reason="WT"))
    assert (found.number, found.bank_reference, found.method) == ("PK-1", "5600516513", "ach")
    assert (found.amount, found.currency, found.date) == (Decimal("94.5"), "USD", dt.date(2026, 4, 13))
    assert found.payee == Party(number="4343", name="Supplier Inc")
    assert found.applications == (
        Application(invoice="S-77", amount=Decimal(88), discount=Decimal(2), withheld=Decimal(10)),
        Application(invoice="D-9", amount=Decimal(10)),
    )
    assert found.credits == (Application(invoice="C-1", amount=Decimal(-5)),)
    assert dict(found.extras) == {
        "BPR01": "C",
        "BPR05": "CTX",
        "BPR06": "01",
        "BPR07": "051302352",
        "BPR08": "DA",
        "BPR09": "601813151",
        "BPR10": "2131510520",
        "BPR12": "01",
        "BPR13": "051000051",
        "BPR14": "DA",
        "BPR15": "1234567890",
        "N1*PR": "ACME Inc",
        "ENT*1/RMR*IV*S-77/REF*PO": "45001",
        "ENT*1/RMR*IV*S-77/ADX#2/ADX01": "-3",
        "ENT*1/RMR*IV*S-77/ADX#2/ADX02": "04",
        "ENT*2/ADX/ADX01": "1.5",
        "ENT*2/ADX/ADX02": "L6",
        "ENT*2/RMR*OS*D-9": "PO",
    }


def test_account_numbers_are_kept_and_not_shown():
    found = payment()
    assert found.extras["BPR15"] == "1234567890"
    assert "1234567890" not in repr(found)
    assert "601813151" not in repr(found)
    assert from_json(to_json(found)) == found


def test_without_a_profile_tax_withheld_is_an_adjustment_like_others():
    found = payment()
    assert found.applications[0] == Application(invoice="S-77", amount=Decimal(88), discount=Decimal(2))
    assert found.extras["ENT*1/RMR*IV*S-77/ADX/ADX02"] == "WT"
    assert found.extras["ENT*1/RMR*IV*S-77/RMR05"] == "100"


def test_several_withholdings_are_added_up_and_kept():
    text = PAYMENT.replace("ADX*-10*WT", "ADX*-6*WT\nADX*-4*WT")
    found = payment(text, partner=partner(withholding_reason="WT"))
    assert found.applications[0].withheld == 10
    assert found.extras["ENT*1/RMR*IV*S-77/ADX/ADX01"] == "-6"
    assert found.extras["ENT*1/RMR*IV*S-77/ADX#2/ADX01"] == "-4"


def test_a_payment_that_is_not_what_it_settles_is_told():
    assert payment(PAYMENT.replace("*94.5*", "*95*")).extras["BPR02 difference"] == "0.5"
    assert "BPR02 difference" not in payment(PAYMENT.replace("ADX*1.5*", "ADX*some*")).extras
    assert "BPR02 difference" not in payment("BPR*D*5*C*CHK\nTRN*1*7\nENT*1").extras


def test_remittances_without_their_entity_are_read():
    found = payment("BPR*I*5*C*CHK************20260413\nTRN*1*7\nN1*PE*S\nXYZ*odd\nRMR*IV*S-1**5\nDTM*003*20260401")
    assert (found.number, found.bank_reference, found.method) == ("7", "7", "check")
    assert found.applications == (Application(invoice="S-1", amount=Decimal(5)),)
    assert dict(found.extras) == {"N1*PE/XYZ01": "odd", "ENT/RMR*IV*S-1/DTM*003": "20260401"}


def test_methods_are_those_of_the_profile():
    assert payment(partner=partner(payment_methods={"K": "ACH"})).method == "K"
    assert payment(PAYMENT.replace("*ACH*", "*BOP*")).method == "BOP"
    assert payment(PAYMENT.replace("*ACH*", "*NON*")).method == ""
    assert payment(PAYMENT.replace("*C*ACH*", "*D*ACH*")).extras["BPR03"] == "D"


def test_what_cannot_be_read_is_told():
    error = refused(
        x12.from_820,
        received("820", "BPR*I*five*C*CHK\nENT*1\nRMR*IV***x\nADX*y*WT"),
        partner=partner(withholding_reason="WT"),
    )
    assert error.faults == (
        "TRN02 is missing, so the payment has no number",
        "segment 4 RMR02 is mandatory and missing",
        "segment 4 RMR04 'x' is no number",
        "segment 5 ADX01 'y' is no number",
        "segment 2 BPR02 'five' is no number",
    )
