from __future__ import annotations

import pytest

from mlconnector import x12
from mlconnector.documents import AcknowledgedSet
from tests.x12._inbound import received, refused

REJECTED = """
AK1*PO*000017
AK2*850*0001
AK5*A
AK2*850*0002
AK3*NM1*8*2010*8
AK4*9*66*7*MI
AK4*1>2**99
AK3*XYZ*12**99
AK3*N1*13
AK5*R*5*99
AK9*P*2*2*1*5*99
"""


def test_an_acknowledgment_set_by_set():
    found = x12.from_997(received("997", REJECTED))
    assert (found.group, found.verdict, found.key) == ("PO/17", "P", "PO/17")
    assert found.errors == ("set count wrong (AK905 5)", "error (AK905 99)")
    assert found.sets == (
        AcknowledgedSet(code="850", control_number="0001", verdict="A"),
        AcknowledgedSet(
            code="850",
            control_number="0002",
            verdict="R",
            errors=(
                "segment 8 NM1 in loop 2010: segment has element errors (AK304 8)",
                "segment 8 NM1 in loop 2010 element 9 (66): invalid code 'MI' (AK403 7)",
                "segment 8 NM1 in loop 2010 element 1>2: error (AK403 99)",
                "segment 12 XYZ: error (AK304 99)",
                "segment 13 N1: error",
                "segments in error (AK502 5)",
                "error (AK502 99)",
            ),
        ),
    )
    assert dict(found.extras) == {"AK902": "2", "AK903": "2", "AK904": "1"}


@pytest.mark.parametrize("code", ["m", "W", "X"])
def test_a_rejection_for_security_is_a_rejection(code):
    found = x12.from_997(received("997", f"AK1*IN*1*005010\nAK9*{code}*1*1*0"))
    assert (found.verdict, found.errors) == ("R", (f"rejected for its security (AK901 {code.upper()})",))
    assert found.extras["AK103"] == "005010"


def test_an_acknowledgment_without_group_or_verdict_is_refused():
    assert refused(x12.from_997, received("997", "")).faults == ("AK1 is missing", "AK9 is missing")
    error = refused(x12.from_997, received("997", "AK1*PO*1\nAK2*850\nAK5\nAK9*Z*1*1*1"))
    assert error.faults == (
        "segment 5 AK901 'Z' is no verdict",
        "segment 4 AK501 is mandatory and missing",
        "segment 3 AK202 is mandatory and missing",
    )


def test_the_acknowledgment_of_health_care_is_read_alike():
    text = """
    AK1*HC*17456*005010X222
    AK2*837*0002
    IK3*CLM*22**8
    CTX*CLM01>123456789
    IK4*2*782*1
    CTX*SITUATIONAL TRIGGER*CLM*43
    IK5*R*5
    AK9*R*1*1*0
    """
    found = x12.from_999(received("999", text))
    assert found.sets[0].errors == (
        "segment 22 CLM: segment has element errors (IK304 8)",
        "segment 22 CLM: context CLM01>123456789",
        "segment 22 CLM element 2 (782): mandatory element missing (IK403 1)",
        "segment 22 CLM: context SITUATIONAL TRIGGER*CLM*43",
        "segments in error (IK502 5)",
    )
    assert refused(x12.from_999, received("997", REJECTED)).cause == "set"


def test_an_envelope_is_acknowledged_by_its_number():
    found = x12.from_ta1(received("TA1", "TA1*000000050*260229*1200*R*025"))
    assert (found.group, found.verdict, found.errors) == ("ISA/50", "R", ("duplicate control number (TA105 025)",))
    assert dict(found.extras) == {"TA102": "260229", "TA103": "1200"}
    assert x12.from_ta1(received("TA1", "TA1*1*260229*1200*A*000")).errors == ()
    assert x12.from_ta1(received("TA1", "TA1*1*260229*1200*E*099")).errors == ("error (TA105 099)",)
    assert x12.from_ta1(received("TA1", "TA1*1*260229*1200*A")).errors == ()


def test_an_envelope_acknowledged_without_number_or_verdict_is_refused():
    error = refused(x12.from_ta1, received("TA1", "TA1**260229*1200"))
    assert error.faults == ("segment 2 TA101 is mandatory and missing", "segment 2 TA104 is mandatory and missing")
    assert refused(x12.from_ta1, received("TA1", "")).faults == ("TA1 is missing",)
