"""Nothing that a set carries is lost: each value stands in the document that is read from it."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mlconnector import x12
from mlconnector.documents import from_json, to_json
from mlconnector.errors import InvalidDocument
from mlconnector.x12._dictionary import dictionary
from tests.x12._orders import partner

READERS = {
    code: getattr(x12, f"from_{code}") for code in ("810", "820", "850", "855", "856", "860", "865", "997", "999")
}
STEERING = {"HL02": "", "HL04": "1", "POC04": "1", "AK501": "A", "IK501": "A", "AK901": "A"}
CODES = {
    "N101": "ST BY SE RI PE PR SF BT ZZ", "N103": "92 UL FI", "REF01": "DP PO CR TJ VN", "DTM01": "002 106 010 067 011",
    "SAC01": "C A P", "SAC02": "D240 F050 C310", "SAC12": "02 15", "HL03": "S O T P I X", "RMR01": "IV CM OS",
    "PO105": "PE TP PP CT HF", "POC07": "TP PE HF", "IT105": "PP TP PE HF", "PO103": "EA LO LB", "IT103": "LB EA LO",
    "SCH02": "EA LB", "SCH05": "002 010", "PER01": "BD OC", "N901": "L1 ZZ", "BEG01": "01 00 05", "BEG02": "DS SA RL",
    "BCH01": "04 01 05", "BCH02": "SA DS RL", "POC02": "QI DI AI", "BAK01": "00 06", "BIG07": "CR CN DI DR",
    "BIG08": "01 00 22", "ITD01": "14 01 08", "CUR01": "BY SE", "ACK04": "067 068", "MAN01": "GM CP AA",
    "TXI01": "TX ST", "AMT01": "TT 1", "PID01": "F X", "BPR01": "I C", "BPR03": "C D", "BPR04": "CHK ACH BOP",
    "TD106": "G N", "TD502": "2 ZZ", "TRN01": "1", "ADX02": "WT 04", "AK501": "A R M",
    "AK901": "A P R", "IK501": "A E", "BSN01": "00 01",
}  # fmt: skip
KNOWN = {ref: values.split()[0] for ref, values in CODES.items()} | {"HL03": "I", "SAC12": ""}
QUALIFIED = partner(
    parties={"4343": x12.Id("UL", "V1")}, charges={"Freight": "D240"}, withholding_reason="WT", sscc_digits=18
)


class Filling:
    """Values that can be told apart, so that each can be looked for."""

    def __init__(self, fixed: dict[str, str]) -> None:
        self.fixed = fixed
        self.numbers = itertools.count(1001)
        self.days = (dt.date(2001, 1, 1) + dt.timedelta(days) for days in itertools.count())
        self.told: list[tuple[str, str]] = []

    def element(self, spec) -> str:
        if spec.ref in self.fixed:
            return self.fixed[spec.ref]
        value = f"{next(self.days):%Y%m%d}" if spec.type == "DT" else str(next(self.numbers))
        if spec.type in ("AN", "ID", "composite", "B"):
            value = f"V{value}"
        self.told.append((spec.ref, value))
        return value

    def segments(self, steps, specs) -> Iterator[x12.Segment]:
        for step in steps:
            if step.children:
                yield from self.segments(step.children, specs)
            elif step.id in specs and step.id not in ("ST", "SE"):
                yield x12.Segment(step.id, *(self.element(spec) for spec in specs[step.id].elements))


def shown(value: str) -> set[str]:
    """How a value may stand in a document: as it is, as a date, or with the two decimals of N2."""
    forms = {value, f"{value[:4]}-{value[4:6]}-{value[6:]}"}
    if value.isdigit():
        forms |= {f"{int(value) / 100:.2f}".rstrip("0").rstrip("."), f"{int(value) / 100:.2f}"}
    return forms


@pytest.mark.parametrize("fixed", [STEERING, STEERING | KNOWN], ids=["unknown codes", "known codes"])
@pytest.mark.parametrize("code", READERS)
def test_every_value_of_every_segment_is_in_the_document(code, fixed):
    tables = dictionary("005010" if code == "999" else "004010")
    filling = Filling(fixed)
    segments = list(filling.segments(tables.sets[code], tables.segments))
    document = READERS[code](x12.TransactionSet(code, segments, implementation="GUIDE"))
    text = to_json(document)
    lost = [told for told in filling.told if not any(form in text for form in shown(told[1]))]
    assert lost == []
    assert "GUIDE" in text
    assert from_json(text) == document


NEEDED = ("AK5", "IK5", "TRN", "RMR02", "TRN02")
REPEATED = (
    "PO1",
    "POC",
    "IT1",
    "HL",
    "ENT",
    "RMR",
    "N1",
    "ACK",
    "AK2",
    "TXI",
    "SAC",
    "SCH",
    "ADX",
    "NTE",
    "MSG",
    "PID",
)


class Drawing(Filling):
    """Sets with gaps and repetitions, whose codes are known ones of any kind."""

    def __init__(self, random: Random) -> None:
        super().__init__(STEERING)
        self.random = random
        self.levels = 0

    def element(self, spec) -> str:
        if spec.ref == "HL01":
            self.levels += 1
            return str(self.levels)
        if spec.ref == "HL02" and self.levels > 1:
            return str(self.random.randrange(1, self.levels))
        if not spec.mandatory and spec.ref not in NEEDED and self.random.random() < 0.3:
            return ""
        if spec.ref in CODES:
            return self.random.choice(CODES[spec.ref].split())
        return super().element(spec)

    def segments(self, steps, specs) -> Iterator[x12.Segment]:
        for step in steps:
            head = step is steps[0]
            least = int(head or step.mandatory or step.id in NEEDED)
            for _ in range(self.random.randint(least, 3 if step.id in REPEATED and not head else 1)):
                yield from super().segments([step], specs)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.sampled_from(sorted(READERS)), st.sampled_from([None, QUALIFIED]))
def test_nothing_is_lost_of_any_set(random, code, profile):
    tables = dictionary("005010" if code == "999" else "004010")
    filling = Drawing(random)
    ts = x12.TransactionSet(code, list(filling.segments(tables.sets[code], tables.segments)))
    try:
        text = to_json(READERS[code](ts, partner=profile))
    except InvalidDocument as error:
        assume(error.cause == "other")
    assert [told for told in filling.told if not any(form in text for form in shown(told[1]))] == []


def test_a_second_segment_of_a_kind_takes_nothing_from_the_first():
    again = x12.Segment("REF", "DP", "0042")
    head = x12.Segment("BEG", "00", "SA", "45001", "", "20260301")
    others = [x12.Segment("TD5", "", "2", "UPSN"), x12.Segment("TD5", "", "2", "FDEG")]
    extras = x12.from_850(x12.TransactionSet("850", [head, again, again, *others])).extras
    assert dict(extras) == {
        "REF*DP": "0042",
        "REF*DP#2": "0042",
        "TD502": "2",
        "TD503": "UPSN",
        "TD5#2/TD502": "2",
        "TD5#2/TD503": "FDEG",
    }


def test_names_that_look_like_others_take_no_place():
    head = x12.Segment("BEG", "00", "SA", "45001", "", "20260301")
    odd = [x12.Segment("REF", "DP", "1"), x12.Segment("REF", "DP", "2"), x12.Segment("REF", "DP#2", "3")]
    extras = x12.from_850(x12.TransactionSet("850", [head, *odd])).extras
    assert dict(extras) == {"REF*DP": "1", "REF*DP#2": "2", "REF*DP#2#2": "3"}


def test_separators_in_values_are_those_that_were_sent():
    text = (
        "ISA|00|          |00|          |ZZ|S              |ZZ|R              |260301|2330|!|00501|000000001|0|T|:~"
        "GS|PO|S|R|20260301|2330|1|X|005010~ST|850|0001~BEG|00|SA|45001||20260301~REF|ZZ|A!B|C:D~SE|4|0001~"
        "GE|1|1~IEA|1|000000001~"
    )
    (ts,) = x12.read(text)
    assert dict(x12.from_850(ts).extras) == {"REF*ZZ": "A!B", "REF*ZZ/REF03": "C:D"}
    assert x12.from_850(ts, partner=partner()) == x12.from_850(ts, partner=partner(upper_case=True))
