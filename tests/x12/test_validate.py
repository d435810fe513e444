from __future__ import annotations

import pytest

from mlconnector import x12
from mlconnector.x12 import COMPONENT, REPETITION, Segment, TransactionSet
from tests.x12._orders import invoice, order, partner, written


def a_set(*lines, code="850", **options) -> TransactionSet:
    return TransactionSet(code, [Segment(*line.split("*")) for line in lines], **options)


BEG, PO1, CTT = "BEG*00*SA*1**20260301", "PO1*1*10*EA*2.5**BP*A", "CTT*1"


def found(ts, severity="error") -> list[tuple[str, str]]:
    return [
        (finding.place, finding.code or finding.rule) for finding in x12.validate(ts) if finding.severity == severity
    ]


def test_a_valid_set_has_no_findings():
    assert x12.validate(a_set(BEG, PO1, CTT)) == []


@pytest.mark.parametrize(
    ("line", "place", "code"),
    [
        ("REF", "segment 3 REF01", "AK403:1"),
        ("REF*D*1", "segment 3 REF01", "AK403:4"),
        ("REF*DP*" + "1" * 31, "segment 3 REF02", "AK403:5"),
        ("REF*DP*a\tb", "segment 3 REF02", "AK403:6"),
        ("REF*DP*a" + COMPONENT, "segment 3 REF02", "AK403:6"),
        ("REF*DP*a" + REPETITION + "b", "segment 3 REF02", "AK403:6"),
        ("REF*DP* ", "segment 3 REF02", "AK403:6"),
        ("REF*DP", "segment 3 REF02", "AK403:2"),
        ("SAC*X*D240***100", "segment 3 SAC01", "AK403:7"),
        ("SAC*C*D240***1.00", "segment 3 SAC05", "AK403:6"),
        ("SAC*C*D240***" + "1" * 16, "segment 3 SAC05", "AK403:5"),
        ("SAC*C*D240****Z", "segment 3 SAC07", "AK403:2"),
        ("ITD*01*3*two", "segment 3 ITD03", "AK403:6"),
        ("ITD*01*3*1234567", "segment 3 ITD03", "AK403:5"),
        ("DTM*002*20260230", "segment 3 DTM02", "AK403:8"),
        ("DTM*002*260301", "segment 3 DTM02", "AK403:8"),
        ("DTM*002*20260301*2460", "segment 3 DTM03", "AK403:9"),
        ("DTM*002*20260301*12", "segment 3 DTM03", "AK403:9"),
        ("DTM*002", "segment 3 DTM02", "AK403:2"),
        ("DTM*002*20260301**ED", "segment 3 DTM03", "AK403:2"),
        ("TD3****G", "segment 3 TD305", "AK403:2"),
        ("TD3*TL*********40RE", "segment 3 TD310", "AK403:10"),
    ],
)
def test_elements_are_checked(line, place, code):
    errors = [
        (finding.place, finding.code)
        for finding in x12.validate(a_set(BEG, line, PO1, CTT))
        if finding.severity == "error"
    ]
    assert (place, code) in errors


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("REF*Q9*1", "segment 3 REF01"),
        ("N2*a*b*c", "segment 3 N203"),
        ("ITD*01*3*02.5", "segment 3 ITD03"),
        ("ITD*01*3*2.50", "segment 3 ITD03"),
        ("ITD*01*3*2.", "segment 3 ITD03"),
        ("ITD*01*3*.5", "segment 3 ITD03"),
        ("ZZ9*1", "segment 3 ZZ9"),
    ],
)
def test_what_is_tolerable_is_a_warning(line, place):
    assert place in [where for where, _ in found(a_set(BEG, line, PO1, CTT), "warning")]


@pytest.mark.parametrize("value", ["2", "0.5", "-2.5", "0", "10", "100", "1E2"])
def test_plain_numbers_are_told_nothing(value):
    assert found(a_set(BEG, f"ITD*01*3*{value}", PO1, CTT), "warning") == []


def test_conditional_notes_that_need_one_of_several():
    assert ("segment 3 ITD04", "AK403:2") in found(a_set(BEG, "ITD*01*3*2", PO1, CTT)) or not found(
        a_set(BEG, "ITD*01*3*2", PO1, CTT)
    )
    assert found(a_set(BEG, "SAC*C*D240*****1.5", PO1, CTT)) != []
    assert found(a_set(BEG, "SAC*C*D240***500", PO1, CTT)) == []


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((PO1, CTT), "AK304:3"),
        ((BEG, CTT), "AK304:3"),
        ((BEG, PO1, "REF*DP*1", CTT, "PER*BD*x"), "AK304:2"),
        ((BEG, "DTM*002*20260301", "CUR*BY*USD", PO1, CTT), "AK304:7"),
        ((BEG, "CUR*BY*USD", "CUR*BY*EUR", PO1, CTT), "AK304:5"),
        ((BEG, *["SAC*C*D240***1"] * 26, PO1, CTT), "AK304:4"),
        ((BEG, "BSN*00*12*20260301*1200", PO1, CTT), "AK304:6"),
        ((BEG, PO1, CTT, "ABC-*1"), "AK304:1"),
    ],
)
def test_the_structure_is_checked(lines, code):
    segments = [tuple.__new__(Segment, line.split("*")) for line in lines]
    codes = [finding.code for finding in x12.validate(TransactionSet("850", segments))]
    assert code in codes or (code == "AK304:2" and "AK304:7" in codes)


def test_a_segment_that_belongs_to_a_loop_not_begun_is_unexpected():
    assert ("segment 3 N3", "AK304:2") in found(a_set(BEG, "N3*1 Main", PO1, CTT))


def test_loops_open_anew_and_close_by_what_follows():
    lines = (
        BEG,
        "N1*BY*A",
        "N3*1 Main",
        "N1*ST*B",
        "REF*DP*1",
        PO1,
        "N1*ST*C",
        "N4*Reno",
        "PO1*2*1*EA",
        "PID*F****x",
        "CTT*2",
    )
    assert found(a_set(*lines)) == []


def test_findings_stand_where_they_belong():
    (finding,) = x12.validate(a_set(BEG, "REF*DP", PO1, CTT))
    assert (finding.segment, finding.position, finding.element, finding.rule) == ("REF", 3, 2, "R0203")
    assert "REF02" in str(finding)


@pytest.mark.parametrize("total", ["CTT*2", "CTT*1*11", "CTT*x", "CTT*1*x"])
def test_totals_of_orders(total):
    assert any(rule == "arithmetic" for _, rule in found(a_set(BEG, PO1, total)))


def test_ctt02_is_a_sum_or_a_hash():
    half = "PO1*1*2.5*EA*2"
    assert found(a_set(BEG, half, "CTT*1*2.5")) == []
    assert found(a_set(BEG, half, "CTT*1*25")) == []
    assert found(a_set(BEG, "PO1*1", CTT)) == []


@pytest.mark.parametrize(
    ("lines", "good"),
    [
        (("IT1*1*10*EA*2.5", "TDS*2500"), True),
        (("IT1*1*10*EA*2.5", "TDS*2501"), True),
        (("IT1*1*10*EA*2.5", "TDS*2502"), False),
        (("IT1*1*10*EA*2.5", "TDS*25.00"), False),
        (("IT1*1*10*EA*2.5", "TDS*3000", "SAC*C*D240***500"), True),
        (("IT1*1*10*EA*2.5", "TDS*2000", "SAC*A*D240***500"), True),
        (("IT1*1*10*EA*2.5", "TDS*2500", "SAC*C*D240***500*******15"), True),
        (("IT1*1*10*EA*2.5", "TDS*2500", "SAC*N*D240***500"), True),
        (("IT1*1*10*EA*2.5", "TDS*2650", "TXI*TX*1.50"), True),
        (("IT1*1*10*EA*2.5", "TDS*2500", "SAC*C*D240", "TXI*TX**8"), True),
        (("IT1*1*2000*EA*12.5*TP", "TDS*2500"), True),
        (("IT1*1*10*EA*2.5*PP", "TDS*9999"), True),
        (("IT1*1", "TDS*0"), True),
        (("IT1*1", "TDS*x"), False),
        (("TDS*1", "TDS*1"), False),
        (("IT1*1*10*EA*x", "TDS*2500"), False),
    ],
)
def test_the_total_of_an_invoice(lines, good):
    ts = a_set("BIG*20260301*1", *lines, f"CTT*{sum(line.startswith('IT1') for line in lines)}", code="810")
    assert (found(ts) == []) is good


BPR, BSN = "BPR*I*{}*C*CHK", "BSN*00*S-1*20260301*1200"


@pytest.mark.parametrize(
    ("lines", "good"),
    [
        (("ENT*1", "RMR*IV*1**100"), True),
        (("RMR*IV*1**100",), True),
        (("ENT*1", "RMR*IV*1**60", "RMR*IV*2**40"), True),
        (("ENT*1", "RMR*IV*1**120", "RMR*CM*2**-20"), True),
        (("ENT*1", "RMR*IV*1**99.99"), False),
        (("ENT*1", "ADX*-20*L6", "RMR*IV*1**120"), True),
        (("ENT*1", "RMR*IV*1**120", "ADX*-20*L6"), False),
        (("ENT*1", "RMR*IV*1**60", "ADX*-5*01", "ENT*2", "ADX*-10*L6", "RMR*IV*2**50"), True),
        (("ENT*1", "ADX*x*L6", "RMR*IV*1**120"), None),
        (("ENT*1", "RMR*IV*1", "RMR*IV*2**40"), None),
        (("ENT*1", "RMR*IV*1**x", "RMR*IV*2**40"), None),
        (("ENT*1", "ADX*-20*L6"), None),
    ],
)
def test_the_sum_of_a_payment(lines, good):
    ts = a_set(BPR.format(100), *lines, code="820")
    sums = [finding for finding in x12.validate(ts) if finding.place == "BPR02"]
    assert (not sums) is (good is not False)
    if sums:
        assert (sums[0].rule, sums[0].severity, sums[0].value) == ("arithmetic", "error", "100")


def test_a_payment_without_an_amount_of_its_own_has_no_sum():
    for first in (BPR.format(""), BPR.format("x")):
        assert all(finding.place != "BPR02" for finding in x12.validate(a_set(first, "RMR*IV*1**5", code="820")))


@pytest.mark.parametrize(
    ("lines", "good"),
    [
        (("RMR*IV*1**98*100*2",), True),
        (("RMR*IV*1**98*110*2*01*-10",), True),
        (("RMR*IV*1**98*110*2", "ADX*-10*01"), True),
        (("RMR*IV*1**98*110*2", "ADX*x*01"), False),
        (("RMR*IV*1**98*500",), False),
        (("RMR*IV*1**98",), True),
        (("RMR*IV*1***98",), True),
    ],
)
def test_what_an_invoice_says_of_itself_is_told_when_it_does_not_fit(lines, good):
    ts = a_set(BPR.format(98), "ENT*1", *lines, code="820")
    told = [finding for finding in x12.validate(ts) if finding.place == "segment 4 RMR04"]
    assert (not told) is good
    assert all((finding.severity, finding.code) == ("warning", "") for finding in told)


@pytest.mark.parametrize(
    ("levels", "errors", "warnings"),
    [
        (("1**S*1", "2*1*O*1", "3*2*I*0"), [], []),
        (("1**S", "2*1*O", "3*1*O"), [], []),
        (("1**S", "2*7*O"), ["segment 4 HL02"], []),
        (("1*1*S", "2*1*O"), ["segment 3 HL02"], []),
        (("1**S", "2*3*O", "3*1*O"), ["segment 4 HL02"], []),
        (("1**S", "2*1*O", "2*1*O"), ["segment 5 HL01"], []),
        (("1**S", "1*1*O"), ["segment 4 HL01"], []),
        (("01**S", "02*01*O"), [], []),
        (("1**S", "5*1*O"), [], ["segment 4 HL01"]),
        (("1**S", "2**O"), [], ["segment 4 HL02"]),
        (("1**S*0", "2*1*O"), [], ["segment 3 HL04"]),
        (("1**S*1",), [], ["segment 3 HL04"]),
        (("**S", "2**O"), [], ["segment 4 HL02"]),
    ],
)
def test_the_parentage_of_levels(levels, errors, warnings):
    ts = a_set(BSN, *(f"HL*{level}" for level in levels), code="856")
    told = [finding for finding in x12.validate(ts) if finding.rule == "hierarchy"]
    assert [finding.place for finding in told if finding.severity == "error"] == errors
    assert [finding.place for finding in told if finding.severity == "warning"] == warnings
    assert {finding.code for finding in told} <= {"AK403:7" if errors else ""}


@pytest.mark.parametrize(
    ("total", "good"), [("CTT*2", True), ("CTT*1", False), ("CTT*2*7", True), ("CTT*2*2", False), ("CTT*3*7", False)]
)
def test_the_totals_of_a_shipment_are_its_levels_and_what_was_shipped(total, good):
    lines = ("HL*1**S", "HL*2*1*I", "LIN**BP*A", "SN1**7*EA", total)
    assert (found(a_set(BSN, *lines, code="856")) == []) is good


@pytest.mark.parametrize(
    ("code", "right"), [("820", "RA"), ("856", "SH"), ("855", "PR"), ("860", "PC"), ("997", "FA"), ("810", "IN")]
)
def test_every_set_belongs_into_its_own_group(code, right):
    def told(functional_id):
        group = x12.Group(
            functional_id=functional_id,
            sender="A",
            receiver="B",
            date="",
            time="",
            control_number="1",
            agency="X",
            version="004010",
        )
        return [finding.code for finding in x12.validate(a_set(code=code, group=group)) if finding.place == "GS01"]

    assert told(right) == []
    assert told("PO") == ["AK502:6"]


def test_unknown_sets_and_versions_are_warnings_and_checked_as_far_as_known():
    assert ("ST01", "AK502:1") in found(a_set("REF*DP", code="824"), "warning")
    assert ("segment 2 REF02", "AK403:2") in found(a_set("REF*DP", code="824"))
    for version in ("003040", "006010"):
        assert ("GS08", "AK905:2") in found(a_set(BEG, PO1, CTT, version=version), "warning")
    assert x12.validate(a_set(BEG, PO1, CTT, version="004010VICS")) == []


def test_the_frame_of_a_set_is_checked():
    assert ("ST02", "AK502:7") in found(a_set(BEG, PO1, CTT, control_number="1"))
    text = written(x12.to_850(order(), partner()), x12.to_850(order(), partner()))
    assert ("GS01", "AK502:6") in found(text.replace("GS*PO*", "GS*IN*"))
    twice = text.replace("ST*850*0002", "ST*850*0001").replace("*0002~", "*0001~")
    assert ("ST02", "AK502:23") in found(twice)
    several = written(x12.to_850(order(), partner()), x12.to_810(invoice(), partner()))
    assert found(several + several) == []


def test_long_values_are_cut_in_findings():
    (finding,) = x12.validate(a_set(BEG, "REF*DP*" + "x" * 5000, PO1, CTT))
    assert len(finding.value) == 99
    assert x12.validate(
        TransactionSet(
            "850",
            [
                Segment(BEG[:3], *BEG.split("*")[1:]),
                Segment("N2", *["x"] * 50),
                Segment("PO1", "1"),
                Segment("CTT", "1"),
            ],
        )
    )


def test_numbers_of_any_length_end():
    nine = "9" * 100_000
    assert x12.validate(a_set(BEG, f"PO1*1*{nine}*EA*{nine}E99", f"CTT*1*{nine}"))


def test_both_versions_know_the_sets():
    for version in ("004010", "005010"):
        to = partner(version=version)
        assert x12.validate(x12.to_850(order(), to)) == []
        assert x12.validate(x12.to_810(invoice(), to)) == []
