from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlconnector import x12
from mlconnector.errors import InvalidArgument, MLConnectorError, X12Error
from tests.x12._orders import invoice, line, order, partner, written
from tests.x12._outbound import payment, shipment

US = partner()
BAD_DATE = ("*20260301~", "*20260231~")
BEG, PO1 = "BEG*00*SA*45001**20260301", "PO1*1*10*EA*2.5**BP*B-100"


def parts(text) -> list:
    return list(x12.read(text, broken="yield"))


def answered(text, to=US, **options) -> list[str]:
    """The 997 of a text that holds one group, as lines; what we write is valid."""
    group = next(part.group for part in parts(text) if part.group is not None)
    ts = x12.to_997([part for part in parts(text) if part.group == group], to, **options)
    assert [finding for finding in x12.validate(written(ts)) if finding.severity == "error"] == []
    return [str(segment) for segment in ts.segments]


def orders_text(*changes, count=1, to=US) -> str:
    text = written(*[x12.to_850(order(number=str(45001 + index)), to) for index in range(count)], to=to)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def holding(*lines, segments=0, **options) -> str:
    """An interchange with one 850 of these lines, its SE01 off by ``segments``."""
    body = "".join(f"{line}~" for line in lines)
    text = written(x12.TransactionSet("850", [x12.Segment("ZZZ", "1")], **options))
    return text.replace("ZZZ*1~", body).replace("~SE*3*", f"~SE*{len(lines) + 2 + segments}*")


def test_a_good_group_is_accepted():
    assert answered(orders_text()) == ["AK1*PO*3", "AK2*850*0001", "AK5*A", "AK9*A*1*1*1"]
    ts = x12.to_997(x12.read(orders_text()))
    assert (ts.code, ts.version, ts.functional_id) == ("997", "004010", "FA")


def test_at_005010_the_version_and_the_guide_are_repeated():
    late = partner(version="005010")
    text = orders_text(("ST*850*0001", "ST*850*0001*GUIDE"), to=late)
    ts = x12.to_997(x12.read(text))
    assert [str(segment) for segment in ts.segments][:2] == ["AK1*PO*3*005010", "AK2*850*0001*GUIDE"]
    assert [finding for finding in x12.validate(ts) if finding.severity == "error"] == []


def test_a_segment_and_its_elements_are_told():
    text = orders_text(("BEG*00*SA*45001**20260301", "BEG*000*SA*45001**20260231*" + "x" * 31))
    assert answered(text) == [
        "AK1*PO*3",
        "AK2*850*0001",
        "AK3*BEG*2**8",
        "AK4*1*353*5*000",
        "AK4*5**8*20260231",
        "AK4*6**5*" + "x" * 31,
        "AK5*R*5",
        "AK9*R*1*1*0",
    ]


def test_an_element_is_told_once_for_each_code_and_in_order():
    lines = answered(holding(BEG, "SAC*C*D240***1*Z", "SAC*C****1", PO1, "PO4*1*2*EA**G"))
    assert [one for one in lines if one.startswith(("AK3", "AK4"))] == [
        *("AK3*SAC*3**8", "AK4*7**2", "AK3*SAC*4**8", "AK4*2*1300*2", "AK3*PO4*6**8", "AK4*6**2"),
    ]


def test_a_missing_segment_is_told_where_it_should_be():
    lines = answered(orders_text(("BEG*00*SA*45001**20260301~", "")))
    assert "AK3*BEG*2**3" in lines
    assert "AK5*R*4*5" in lines


def test_a_segment_can_stand_wrong_and_be_wrong():
    assert answered(holding(BEG, "REF*DP*1", "CUR*BY*US", PO1))[2:5] == ["AK3*CUR*4**7", "AK3*CUR*4**8", "AK4*2**4*US"]


def test_a_bad_set_among_good_ones_makes_the_group_partial():
    text = orders_text(BAD_DATE, count=3)
    assert answered(text)[-6:] == ["AK5*R*5", "AK2*850*0002", "AK5*A", "AK2*850*0003", "AK5*A", "AK9*P*3*3*2"]


def test_what_is_tolerated_is_accepted_with_errors():
    assert answered(holding(BEG, PO1, segments=1)) == ["AK1*PO*3", "AK2*850*0001", "AK5*E*4", "AK9*E*1*1*1"]
    more = answered(holding(BEG, "N2*a*b*c", PO1))
    assert more[-2:] == ["AK5*R*5", "AK9*R*1*1*0"]
    more = answered(holding(BEG, "REF*DP*1****x", PO1))
    assert more[2:] == ["AK3*REF*3**8", "AK4*6**3*x", "AK5*E*5", "AK9*E*1*1*1"]


@pytest.mark.parametrize("line", ["CTT*7", "REF*Q9*1", "ZZ9*1"])
def test_sums_and_the_ends_of_our_tables_are_not_the_senders_fault(line):
    lines = [BEG, PO1, line] if line.startswith("CTT") else [BEG, line, PO1]
    assert x12.validate(holding(*lines))
    assert answered(holding(*lines))[1:] == ["AK2*850*0001", "AK5*A", "AK9*A*1*1*1"]


def test_sets_and_versions_that_are_not_in_the_dictionary():
    text = orders_text(("ST*850*", "ST*824*"), ("GS*PO*", "GS*AG*"))
    assert answered(text)[-2:] == ["AK5*A", "AK9*A*1*1*1"]
    assert answered(text, unsupported="reject")[-2:] == ["AK5*R*1", "AK9*R*1*1*0"]
    older = orders_text(("*X*004010~", "*X*003040~"))
    assert answered(older)[-1] == "AK9*A*1*1*1"
    assert answered(older, unsupported="reject")[-1] == "AK9*R*1*1*0*2"
    assert x12.to_997(x12.read(older)).version == "004010"
    newer = orders_text(("*X*004010~", "*X*006010~"))
    assert x12.to_997(x12.read(newer)).version == "005010"
    with pytest.raises(InvalidArgument):
        answered(text, unsupported="maybe")


def test_a_set_without_end_and_one_that_is_another():
    assert answered(orders_text(("*0001~GE", "*0009~GE")))[-3:] == ["AK2*850*0001", "AK5*R*3", "AK9*R*1*1*0"]
    text = orders_text(count=2)
    end = text.index("~SE*1") + 1
    torn = text[:end] + text[text.index("~", end) + 1 :]
    assert answered(torn)[1:] == ["AK2*850*0001", "AK5*R*2", "AK2*850*0002", "AK5*A", "AK9*P*2*2*1"]


def test_a_set_that_cannot_be_named_counts_and_is_not_named():
    lines = answered(orders_text(("ST*850*0001", "ST*850*"), ("*0001~GE", "*~GE"), count=1))
    assert lines == ["AK1*PO*3", "AK9*R*1*1*0"]
    short = answered(orders_text(("ST*850*0001", "ST*850*1"), ("*0001~GE", "*1~GE")))
    assert short[1:3] == ["AK2*850*1   ", "AK5*R*7"]


def test_a_number_that_stands_twice_is_rejected_once():
    text = orders_text(("ST*850*0002", "ST*850*0001"), ("*0002~", "*0001~"), count=2)
    assert answered(text)[1:] == ["AK2*850*0001", "AK5*A", "AK2*850*0001", "AK5*R*23", "AK9*P*2*2*1"]


def test_a_trailer_that_does_not_fit_rejects_every_set():
    assert answered(orders_text(("GE*2*3", "GE*2*4"), count=2))[1:] == [
        "AK2*850*0001",
        "AK5*R",
        "AK2*850*0002",
        "AK5*R",
        "AK9*R*2*2*0*4",
    ]
    assert answered(orders_text(("GE*2*3", "GE*7*3"), count=2))[-1] == "AK9*R*7*2*0*5"
    assert answered(orders_text(("GE*2*3", "GE*x*3"), count=2))[-1] == "AK9*R*2*2*0*5"
    assert answered(orders_text(("GE*1*3~", "")))[-1] == "AK9*R*1*1*0*3"


def test_segments_outside_of_sets_are_the_envelopes_matter():
    text = orders_text(("GE*1*3~", "REF*DP*1~GE*1*3~"))
    assert answered(text)[-1] == "AK9*A*1*1*1"
    assert str(x12.to_ta1(parts(text)).segments[0]).endswith("*R*022")


def test_copies_of_bad_values_break_no_frame():
    text = orders_text(("BEG*00*SA*45001**20260301", "BEG*00*SA*45001**2026|3:é"))
    to = partner(delimiters=x12.Delimiters(element="|", component=":"))
    (told,) = x12.to_997(x12.read(text), to).all("AK4")
    assert told[4] == "2026 3 e"
    (told,) = x12.to_997(x12.read(text)).all("AK4")
    assert told[4] == "2026 3 e"
    assert written(x12.to_997(x12.read(text), to), to=to)
    control = x12.to_997(x12.read(orders_text(("N1*ST*Dock 3", "N1*ST*Dock\x07"))))
    (told,) = control.all("AK4")
    assert tuple(told)[1:] == ("2", "", "6")


def test_what_has_no_id_or_stands_too_far_is_left_out():
    text = orders_text(("CTT*1~", "CTT*1~a!b*1~"))
    assert [one for one in answered(text) if one.startswith("AK3")] == []
    assert "AK5*R*" in " ".join(answered(text))
    (ts,) = x12.read(orders_text())
    far = x12.Finding("", "length", "x", "error", "AK403:5", "", "REF", 1_000_000, 2)
    ack = x12.to_997([x12.TransactionSet("850", ts.segments, group=ts.group, findings=(far,))])
    assert not list(ack.all("AK3"))


def test_only_so_many_codes_and_elements_fit():
    (ts,) = x12.read(orders_text())
    found = [x12.Finding("", "x", "v", "error", f"AK502:{code}", "") for code in (1, 2, 3, 4, 6, 7)]
    found += [x12.Finding("", "x", "v", "error", "AK403:5", "", "REF", 3, index) for index in range(1, 120)]
    ack = x12.to_997([x12.TransactionSet("850", ts.segments, group=ts.group, findings=tuple(found))], US)
    assert len(list(ack.all("AK4"))) == 99
    assert [str(one) for one in ack.all("AK5")] == ["AK5*R*1*2*3*4*6"]
    assert [finding for finding in x12.validate(ack) if finding.severity == "error"] == []


def test_an_acknowledgment_is_never_acknowledged():
    text = written(x12.to_997(x12.read(orders_text())))
    with pytest.raises(InvalidArgument, match="never acknowledged"):
        x12.to_997(x12.read(text))


def test_one_group_at_a_time():
    several = written(x12.to_850(order(), US), x12.to_810(invoice(), US))
    for wrong in ([], parts(several), parts("nothing"), ["ISA"]):
        with pytest.raises(InvalidArgument):
            x12.to_997(wrong)
    groups = itertools.groupby(x12.read(several), key=lambda ts: ts.group)
    assert [str(x12.to_997(sets).segments[0]) for _, sets in groups] == ["AK1*PO*3", "AK1*IN*4"]


@pytest.mark.parametrize(
    "changes", [[("GS*PO*", "GS*P**")], [("*3*X*", "*A*X*"), ("GE*1*3", "GE*1*A")], [("*3*X*", "**X*")]]
)
def test_a_group_that_cannot_be_named_is_refused(changes):
    with pytest.raises(X12Error, match="to_ta1") as caught:
        x12.to_997([part for part in parts(orders_text(*changes)) if part.group is not None])
    assert caught.value.fault == "vendor"


def test_every_mapper_writes_what_a_receiver_accepts():
    for to in (partner(), partner(version="005010")):
        sets = (
            x12.to_850(order(line()), to),
            x12.to_810(invoice(), to),
            x12.to_820(payment(), to),
            x12.to_856(shipment(), to),
        )
        text = written(*sets, to=to)
        for _, group in itertools.groupby(x12.read(text), key=lambda ts: ts.group):
            assert str(x12.to_997(group).segments[-1]) == "AK9*A*1*1*1"


def ta1(text, **options) -> str:
    ts = x12.to_ta1(parts(text), US, **options)
    assert [finding for finding in x12.validate(ts) if finding.severity == "error"] == []
    return str(ts.segments[0])


def test_an_interchange_is_accepted_or_told_the_worst():
    assert ta1(orders_text()) == "TA1*000000007*260301*2330*A*000"
    assert ta1(orders_text(("IEA*1*", "IEA*2*"))) == "TA1*000000007*260301*2330*R*021"
    assert ta1(orders_text(("IEA*1*000000007", "IEA*1*000000008"))) == "TA1*000000007*260301*2330*R*001"
    assert ta1(orders_text()[:-20]).endswith("*R*023")
    assert ta1(orders_text(("ACME           *01", "ACME          *01"))).endswith("*E*006")
    both = orders_text(("ACME           *01", "ACME          *01"), ("IEA*1*", "IEA*2*"))
    assert ta1(both).endswith("*R*021")


def test_faults_in_groups_are_no_matter_of_a_ta1():
    assert ta1(orders_text(BAD_DATE, ("GE*1*3", "GE*1*4"))).endswith("*A*000")


def test_what_only_the_caller_sees():
    assert ta1(orders_text(), note="025").endswith("*R*025")
    for note in ("25", "000", "abc"):
        with pytest.raises(InvalidArgument):
            ta1(orders_text(), note=note)


def test_the_head_alone_is_enough():
    head = next(x12.read(orders_text())).interchange
    ts = x12.to_ta1(head)
    assert (ts.code, ts.version, str(ts.segments[0])) == ("TA1", "004010", "TA1*000000007*260301*2330*A*000")
    late = next(x12.read(orders_text(to=partner(version="005010")))).interchange
    assert x12.to_ta1(late).version == "005010"


def test_one_interchange_at_a_time():
    for wrong in ([], parts("nothing"), parts(orders_text() + orders_text(("*000000007*", "*000000009*")))):
        with pytest.raises(InvalidArgument):
            x12.to_ta1(wrong)


def test_a_ta1_stands_before_the_groups_or_alone():
    asking = partner(request_ta1=True)
    ts = x12.to_ta1(parts(orders_text()))
    alone = written(ts, to=asking)
    assert [part.split("*")[0] for part in alone.split("~")] == ["ISA", "TA1", "IEA", ""]
    assert "IEA*0*000000007" in alone
    assert alone[100] == "0"
    assert [back.segments for back in x12.read(alone)] == [ts.segments]
    ack = x12.to_997(x12.read(orders_text()))
    beside = written(ack, ts, to=asking)
    assert [back.code for back in x12.read(beside)] == ["TA1", "997"]
    assert beside[100] == "0"
    assert written(x12.to_850(order(), asking), ack, to=asking)[100] == "1"
    assert [finding for finding in x12.validate(beside) if finding.severity == "error"] == []


@given(st.text("*~>SETGIA0189 PO\n", max_size=60), st.integers(0, 400))
def test_whatever_was_received_is_answered_or_refused(noise, at):
    text = orders_text(count=2)
    at = 106 + at % (len(text) - 106)
    received = parts(text[:at] + noise + text[at:])
    for group, items in itertools.groupby(received, key=lambda part: part.group):
        if group is None:
            continue
        try:
            ts = x12.to_997(list(items), US)
        except MLConnectorError:
            continue
        assert written(ts)
    assert written(x12.to_ta1(parts(text)))
