from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlconnector import x12
from mlconnector.errors import InvalidArgument, X12Error
from tests.x12._orders import invoice, order, partner, written


def text(**changes) -> str:
    parts = {
        "isa": "ISA*00*          *00*          *ZZ*ACME           *01*123456789      "
        "*260301*2330*U*00401*000000007*0*T*>~",
        "gs": "GS*PO*ACME*123456789*20260301*2330*3*X*004010~",
        "st": "ST*850*0001~",
        "body": "BEG*00*SA*45001**20260301~PO1*1*10*EA*2.5**BP*B-100~CTT*1~",
        "se": "SE*5*0001~",
        "ge": "GE*1*3~",
        "iea": "IEA*1*000000007~",
        **changes,
    }
    return "".join(parts.values())


def broken(source) -> list[x12.Unreadable]:
    return [item for item in x12.read(source, broken="yield") if isinstance(item, x12.Unreadable)]


def sets(source) -> list[x12.TransactionSet]:
    return [item for item in x12.read(source, broken="yield") if isinstance(item, x12.TransactionSet)]


def test_a_set_is_read_with_its_frame():
    (ts,) = x12.read(text())
    assert (ts.code, ts.control_number, ts.version, ts.functional_id) == ("850", "0001", "004010", "PO")
    assert ts.interchange.sender == x12.Id("ZZ", "ACME")
    assert ts.interchange.receiver == x12.Id("01", "123456789")
    assert ts.interchange.control_number == "000000007"
    assert not ts.interchange.acknowledgment_requested
    assert (ts.group.control_number, ts.group.sender) == ("3", "ACME")
    assert ts.findings == ()
    assert ts.interchange.findings == ()


@pytest.mark.parametrize("kind", [str, bytes, bytearray, memoryview, io.BytesIO, io.StringIO])
def test_text_bytes_and_files_are_read(kind):
    plain = written(x12.to_850(order(), partner()))
    raw = plain if kind in (str, io.StringIO) else plain.encode()
    assert len(list(x12.read(kind(raw) if kind is not str else raw))) == 1


@pytest.mark.parametrize("delimiters", ["|\n:^", "\x1d\x1e\x1f^", "*\x15>^", "^'\\!", "*~:^", "*\r:^"])
@pytest.mark.parametrize("version", ["004010", "005010"])
def test_any_legal_delimiters_read_back(delimiters, version):
    marks = x12.Delimiters(**dict(zip(("element", "segment", "component", "repetition"), delimiters, strict=True)))
    to = partner(delimiters=marks, version=version)
    ts = x12.to_850(order(), to)
    (back,) = x12.read(written(ts, to=to))
    assert back.segments == ts.segments


@pytest.mark.parametrize("noise", ["\n", "\r\n", "  \r\n\t", "\n\n"])
def test_line_ends_and_indentation_are_no_data(noise):
    noisy = "\ufeff \r\n" + text().replace("~", "~" + noise)
    (ts,) = x12.read(noisy.encode())
    assert ts == next(x12.read(text()))


def test_an_lf_terminator_loses_the_cr_before_it():
    (ts,) = x12.read(text().replace("~", "\r\n"))
    assert ts.segments == next(x12.read(text())).segments


def test_composites_and_repetitions_read_the_same_under_every_separator():
    (plain,) = x12.read(text(body="POC*1*QI*5*2*EA>1.5~"))
    assert plain.segments[0] == x12.Segment("POC", "1", "QI", "5", "2", ("EA", "1.5"))
    late = text(body="REF*ZZ*A^B~").replace("*U*00401*", "*^*00501*")
    (ts,) = x12.read(late)
    assert ts.segments[0][2] == "A" + x12.REPETITION + "B"


def test_u_is_never_a_separator():
    (ts,) = x12.read(text(body="MSG*U AND U~").replace("*U*00401*", "*U*00501*"))
    assert ts.segments[0][1] == "U AND U"


def test_bytes_are_utf8_and_else_latin1():
    raw = text(body="MSG*Zoë~").encode() + text(body="MSG*Zoë~").encode("latin-1")
    assert [ts.segments[0][1] for ts in x12.read(raw)] == ["Zoë", "Zoë"]


def test_several_interchanges_with_their_own_delimiters():
    other = text().replace("*", "|").replace("~", "!")
    assert len(list(x12.read(text() + "\n" + other + "\r\n" + text()))) == 3


def test_several_groups_and_sets_stream_from_small_chunks():
    ts = x12.to_850(order(), partner())
    long = written(*[ts] * 3000, x12.to_810(invoice(), partner()))

    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(1000)

    found = list(x12.read(Slow(long.encode())))
    assert len(found) == 3001
    assert found[-1].code == "810"
    assert {one.segments for one in found[:-1]} == {ts.segments}


def test_a_ta1_is_a_set():
    line = "TA1*000000050*200229*1200*A*000~"
    (ts,) = x12.read(text(gs=line, st="", body="", se="", ge="", iea="IEA*0*000000007~"))
    assert (ts.code, ts.control_number, ts.segments[0][5]) == ("TA1", "", "000")
    assert x12.validate(ts) == []
    assert "Interchange Acknowledgment" in str(ts)


def test_service_segments_of_the_envelope_are_passed_over():
    assert len(list(x12.read(text(gs="ISB*1~ISE*200601*0515*04~GS*PO*A1*B1*20260301*2330*3*X*004010~")))) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"se": "SE*5*0002~"}, "AK502:3"),
        ({"se": ""}, "AK502:2"),
        ({"ge": "GE*1*4~"}, "AK905:4"),
        ({"ge": "GE*2*3~"}, "AK905:5"),
        ({"ge": ""}, "AK905:3"),
        ({"iea": "IEA*1*000000008~"}, "TA105:001"),
        ({"iea": "IEA*2*000000007~"}, "TA105:021"),
        ({"iea": ""}, "TA105:023"),
        ({"gs": "", "ge": "", "iea": "IEA*0*000000007~"}, "TA105:024"),
        ({"st": ""}, "TA105:022"),
        ({"ge": "GE*1*3~GE*1*3~"}, "TA105:022"),
        ({"iea": "IEA*1*000000007~REF*DP*1~"}, "TA105:022"),
        (
            {
                "gs": "GS*PO*A1*B1*20260301*2330*2*X*004010~GS*PO*A1*B1*20260301*2330*3*X*004010~",
                "iea": "IEA*2*000000007~",
            },
            "AK905:3",
        ),
    ],
)
def test_a_broken_frame_is_told_and_raised(changes, code):
    found = [finding.code for item in broken(text(**changes)) for finding in item.findings]
    assert code in found
    with pytest.raises(X12Error):
        list(x12.read(text(**changes)))
    assert code in [finding.code for finding in x12.validate(text(**changes))]


def test_a_set_that_must_be_rejected_keeps_its_identity_and_text():
    (item,) = broken(text(se="SE*5*0002~"))
    assert (item.code, item.control_number, item.group.control_number) == ("850", "0001", "3")
    assert item.raw.startswith("ST*850*0001~BEG*00*SA*45001**20260301~")
    assert "SE02" in str(item)


def test_one_bad_interchange_does_not_stop_the_next():
    cut = text()[:200]
    found = list(x12.read(cut + text(), broken="yield"))
    assert isinstance(found[-1], x12.TransactionSet)
    assert {finding.code for item in broken(cut + text()) for finding in item.findings} >= {"AK502:2", "TA105:023"}


def test_text_outside_of_interchanges_is_told_once_and_kept():
    found = broken("hello " + text() + "rubbish" + text())
    assert [item.raw for item in found] == ["hello", "rubbish~"] or len(found) == 2


@pytest.mark.parametrize("source", ["", b"", "   \r\n", b"\x00\xff", "ISA", "no X12 at all", b"PK\x03\x04"])
def test_what_is_no_x12_is_one_clear_error(source):
    assert len(broken(source)) == 1
    with pytest.raises(X12Error, match="no ISA"):
        list(x12.read(source))


@pytest.mark.parametrize(
    "head",
    [
        "ISA*00*  *00*  *ZZ*A",
        "ISA*00*a*00*b*ZZ*A*ZZ*B*1*2*U*00401*1*0*T*~~",
        "ISA*00*a*00*b*ZZ*A*ZZ*B*1*2*U*00401*1*0*T*>A",
    ],
)
def test_an_isa_without_elements_or_terminator_is_told(head):
    assert "16 elements" in str(broken(head)[0])


def test_a_sloppy_isa_is_read_and_told():
    sloppy = text(isa="ISA*00* *00* *ZZ*ACME*01*123456789*269901*2530*U*00401*7*0*T*>~", iea="IEA*1*7~")
    (ts,) = x12.read(sloppy)
    assert [finding.place for finding in ts.interchange.findings] == [
        "ISA02",
        "ISA04",
        "ISA06",
        "ISA08",
        "ISA09",
        "ISA10",
        "ISA13",
    ]
    assert {finding.code for finding in x12.validate(sloppy)} >= {"TA105:011", "TA105:006", "TA105:014", "TA105:018"}
    letters = text().replace("*000000007*0", "*00000000X*0").replace("IEA*1*000000007", "IEA*1*00000000X")
    assert [finding.place for finding in next(x12.read(letters)).interchange.findings] == ["ISA13"]


def test_a_wrong_count_and_trailing_separators_are_tolerated_and_told():
    (ts,) = x12.read(text(body="BEG*00*SA*45001**20260301~N3*1 Main*~PO1*1*10*EA*2.5~CTT*1~", se="SE*9*0001~"))
    assert [(finding.code, finding.severity) for finding in ts.findings] == [("AK502:4", "warning"), ("", "note")]
    assert ts.segments[1] == x12.Segment("N3", "1 Main")


def test_a_segment_without_end_is_told_and_memory_stays_flat():
    endless = text(se="").replace("CTT*1~", "MSG*" + "x" * 2_000_000)
    found = broken(endless + text())
    assert any("no end" in str(item) for item in found)
    assert all(len(item.raw) <= 65_536 for item in found)
    assert len(sets(endless + "~" + text())) == 1


def test_wrong_arguments_are_refused_before_reading():
    with pytest.raises(InvalidArgument):
        x12.read(text(), broken="maybe")
    with pytest.raises(InvalidArgument):
        x12.read(42)
    with pytest.raises(InvalidArgument):
        x12.validate(42)


def test_reading_streams():
    class Counted(io.BytesIO):
        taken = 0

        def read(self, size=-1):
            piece = super().read(size)
            Counted.taken += len(piece)
            return piece

    big = written(*[x12.to_850(order(), partner())] * 5000).encode()
    assert len(big) > 1_000_000
    next(x12.read(Counted(big)))
    assert Counted.taken < len(big) // 2


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 400), st.integers(0, 40))
@example(b"~~~ISA*", 3, 3)
def test_any_bytes_give_sets_findings_or_an_x12_error(noise, at, cut):
    good = text().encode()
    for source in (noise, good[:at] + noise + good[at + cut :], good + noise):
        for item in x12.read(source, broken="yield"):
            str(item)
        x12.validate(source)
        with contextlib.suppress(X12Error):
            list(x12.read(source))


WORDS = "ISA GS ST SE GE IEA TA1 ISB BEG PO1 IT1 TDS CTT N1 REF 850 810 0001 * > ^ ~ ~ 1 -1 1E9 .5 00 EA"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=80))
def test_any_mixture_of_x12_gives_sets_and_findings(words):
    source = text(body="*".join(words), se="~SE*5*0001~").replace("850*0001", "810*0001")
    x12.validate(source)
    for item in x12.read(source, broken="yield"):
        str(item)


def test_a_header_that_comes_in_drops_is_waited_for():
    class Drops(io.BytesIO):
        def read(self, size=-1):
            return super().read(60)

    assert len(list(x12.read(Drops((text() + text()).encode())))) == 2
