"""The quick look never passes what the full check would report, and passes what is sent every day."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlconnector import x12
from mlconnector.x12 import COMPONENT, REPETITION, Segment, TransactionSet
from mlconnector.x12._dictionary import codes, dictionary
from mlconnector.x12._elements import segment_findings
from mlconnector.x12._glance import SEPARATOR, Grammar, grammar, lines_of, patterns, read_lines
from mlconnector.x12._structure import structure_findings
from tests.x12._orders import invoice, order, partner, written
from tests.x12._outbound import SSCC, answer, answered, item, pack, payment, shipment

VERSIONS = ("004010", "005010")
ODD = [
    "",
    " ",
    " a",
    "a ",
    "0",
    "00",
    "-0",
    "1.0",
    ".5",
    "5.",
    "1E3",
    "-1.5",
    "20260230",
    "20240229",
    "19991231",
    "2460",
]
ODD += ["1" * 11, "x" * 300, "é", "a\x1cb", f"a{COMPONENT}b", f"a{REPETITION}b", f"a{SEPARATOR}b", "\x7f", "\u2003"]


def value(element) -> st.SearchStrategy[str]:
    known = sorted(codes().of(element.ref))
    right = {
        "R": st.decimals(-999, 99999, places=2).map(str) | st.integers(0, 10**12).map(str),
        "DT": st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31)).map(lambda day: f"{day:%Y%m%d}".zfill(8)),
        "TM": st.times().map(lambda time: f"{time:%H%M%S}"),
    }.get(element.type, st.text("AZ09 -.", min_size=element.min, max_size=max(element.min, min(element.max, 12), 2)))
    if element.type.startswith("N"):
        right = st.integers(-999, 10**6).map(str)
    return right | (st.sampled_from(known) if known else right) | st.sampled_from(ODD) | st.just("")


@st.composite
def segments(draw) -> tuple[str, Segment]:
    version = draw(st.sampled_from(VERSIONS))
    spec = draw(st.sampled_from(sorted(dictionary(version).segments.values(), key=lambda one: one.id)))
    extra = draw(st.lists(st.sampled_from(ODD), max_size=1)) if draw(st.integers(0, 9)) == 5 else []
    return version, Segment(spec.id, *(draw(value(element)) for element in spec.elements), *extra)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(segments())
def test_a_segment_that_passes_has_no_fault(drawn):
    version, segment = drawn
    doubtful = patterns(version).doubtful([segment.id], lines_of([segment]))
    if not doubtful:
        assert [*segment_findings(dictionary(version).segments[segment.id], segment, 2)] == []


NEAR = [
    "REF",
    "DTM",
    "N1",
    "N3",
    "PER",
    "SAC",
    "PO1",
    "PID",
    "CTT",
    "AMT",
    "HL",
    "IT1",
    "TDS",
    "TXI",
    "ENT",
    "RMR",
    "ADX",
]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(VERSIONS), st.sampled_from(["850", "810", "856", "820", "997"]), st.data())
def test_an_order_that_passes_has_no_fault(version, code, data):
    steps = dictionary(version).sets[code]
    must = [step.id for step in steps[1:-1] if step.mandatory]
    tags = [
        *must[:1],
        *data.draw(st.lists(st.sampled_from([*NEAR, "AK2", "AK3", "AK5", "AK9"]), max_size=14)),
        *must[1:],
    ]
    found = [*structure_findings(steps, tuple(map(Segment, tags)), dictionary(version).segments)]
    if grammar(version, code).accepts(tags):
        assert found == []


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_sent_every_day_passes(version):
    to = partner(version=version, packaging={"CTN": "CTN25"})
    for ts in (
        x12.to_850(order(), to),
        x12.to_810(invoice(), to),
        x12.to_820(payment(), to),
        x12.to_855(answer(answered()), to, order=order()),
        x12.to_856(shipment(item(pack=SSCC), packs=[pack()]), to),
        x12.to_997(list(x12.read(written(x12.to_850(order(), to), to=to))), to),
    ):
        tags = [one.id for one in ts.segments]
        assert grammar(version, ts.code).accepts(tags)
        assert patterns(version).doubtful(tags, lines_of(ts.segments)) == []


@pytest.mark.parametrize(("limit", "more"), [("PER", 4), ("REF", 1000), ("PID", 201), ("DTM", 11)])
def test_limits_are_kept(limit, more):
    tags = ["BEG", *[limit] * more, "PO1", "CTT"]
    assert grammar("004010", "850").accepts(tags) is (limit == "REF")
    assert grammar("004010", "850").accepts(["BEG", *[limit] * min(more - 1, 60), "PO1", "CTT"])


def test_a_loop_with_a_high_limit_is_counted():
    assert grammar("004010", "850").accepts(["BEG", *["N1"] * 200, "PO1"])
    assert not grammar("004010", "850").accepts(["BEG", *["N1"] * 201, "PO1"])


def test_a_set_with_too_many_states_is_left_to_the_full_check(monkeypatch):
    monkeypatch.setattr("mlconnector.x12._glance._MOST_STATES", 2)
    small = Grammar(dictionary("004010").sets["850"])
    assert small.accepts(["BEG", "PO1"])
    assert not small.accepts(["BEG", "PO1", "CTT"])


def test_a_value_that_holds_the_separator_is_looked_at():
    odd = Segment("N1", "ST", f"Dock{SEPARATOR}92{SEPARATOR}3001")
    assert lines_of([odd]) is None
    assert read_lines([f"N1*ST*Dock{SEPARATOR}92"], "*") is None
    assert read_lines(["N1*ST*a\nb", "CTT*1"], "*") is None
    ts = TransactionSet("850", [Segment("BEG", "00", "SA", "1", "", "20260301"), odd, Segment("ZZ9", "1")])
    assert "AK403:6" in [finding.code for finding in x12.validate(ts)]


def test_lines_of_what_was_read_are_those_of_its_segments():
    ts = x12.to_850(order(), partner())
    (got,) = x12.read(written(ts))
    assert read_lines(["*".join(one) for one in got.segments], "*") == lines_of(got.segments)
    assert patterns("004010").doubtful(["ZZ9"], lines_of([Segment("ZZ9", "1")])) == []
