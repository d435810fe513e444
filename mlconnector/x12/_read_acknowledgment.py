"""997, 999 and TA1: what the partner's translator made of what was sent (X12 reference, section 8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlconnector.documents import AcknowledgedSet, FunctionalAcknowledgment, ReadOnly
from mlconnector.x12._partner import Partner
from mlconnector.x12._read_base import Reading
from mlconnector.x12._read_tree import ABSENT, Loop
from mlconnector.x12._sets import TransactionSet

__all__ = ["from_997", "from_999", "from_ta1"]

_REJECTED = ("R", "M", "W", "X")
_VERDICTS = ("A", "E", "P", *_REJECTED)
_SEGMENT_ERRORS: Mapping[str, str] = ReadOnly(
    {
        "1": "unrecognized segment",
        "2": "unexpected segment",
        "3": "mandatory segment missing",
        "4": "loop occurs over maximum",
        "5": "segment exceeds maximum use",
        "6": "segment not in the set",
        "7": "segment not in sequence",
        "8": "segment has element errors",
    }
)
_ELEMENT_ERRORS: Mapping[str, str] = ReadOnly(
    {
        "1": "mandatory element missing",
        "2": "conditional element missing",
        "3": "too many elements",
        "4": "element too short",
        "5": "element too long",
        "6": "invalid character",
        "7": "invalid code",
        "8": "invalid date",
        "9": "invalid time",
        "10": "exclusion condition violated",
    }
)
_SET_ERRORS: Mapping[str, str] = ReadOnly(
    {
        "1": "set not supported",
        "2": "trailer missing",
        "3": "control numbers differ",
        "4": "segment count wrong",
        "5": "segments in error",
        "6": "invalid set id",
        "7": "invalid control number",
        "23": "control number not unique in the group",
    }
)
_GROUP_ERRORS: Mapping[str, str] = ReadOnly(
    {
        "1": "group not supported",
        "2": "version not supported",
        "3": "trailer missing",
        "4": "control numbers differ",
        "5": "set count wrong",
        "6": "invalid control number",
    }
)
_INTERCHANGE_NOTES: Mapping[str, str] = ReadOnly(
    {
        "001": "ISA13 and IEA02 differ",
        "002": "standard not supported",
        "003": "version not supported",
        "004": "invalid terminator",
        "005": "invalid sender qualifier",
        "006": "invalid sender id",
        "007": "invalid receiver qualifier",
        "008": "invalid receiver id",
        "009": "unknown receiver",
        "010": "invalid authorization qualifier",
        "011": "invalid authorization",
        "012": "invalid security qualifier",
        "013": "invalid security information",
        "014": "invalid date",
        "015": "invalid time",
        "016": "invalid standards id",
        "017": "invalid version id",
        "018": "invalid control number",
        "019": "invalid acknowledgment request",
        "020": "invalid usage indicator",
        "021": "group count wrong",
        "022": "invalid control structure",
        "023": "premature end of file",
        "024": "invalid content",
        "025": "duplicate control number",
        "026": "invalid element separator",
        "027": "invalid component separator",
    }
)
_NO_NOTE = "000"


def from_997(ts: TransactionSet, *, partner: Partner | None = None) -> FunctionalAcknowledgment:
    """What a partner's translator made of one group.

    ``group`` is AK101 and AK102 without leading zeros, ``"PO/17"``; ``sets`` those it names, with AK202 as sent, and
    their errors in words with the code: ``"segment 8 NM1 element 9: invalid code 'MI' (AK403 7)"``. Codes M, W and X
    are ``R`` with a word about it. AK902 to AK904, and AK103, stay in the extras.

    Without sets the verdict ``A`` or ``R`` of the group holds for all of them.

    Args:
        ts: The set.
        partner: Not needed; every reader takes one.

    Raises:
        InvalidDocument: Another set, or one without group or verdict; with every fault.
    """
    return _acknowledgment(Reading(ts, partner, "997"), "AK")


def from_999(ts: TransactionSet, *, partner: Partner | None = None) -> FunctionalAcknowledgment:
    """As :func:`from_997`, from the IK3, IK4, IK5 and CTX of a 999.

    Raises:
        InvalidDocument: Another set, or one without group or verdict; with every fault.
    """
    return _acknowledgment(Reading(ts, partner, "999"), "IK")


def from_ta1(ts: TransactionSet, *, partner: Partner | None = None) -> FunctionalAcknowledgment:
    """What the partner's translator made of one envelope.

    ``group`` is ``"ISA/"`` and ISA13 without leading zeros, ``"ISA/50"``; ``errors`` the note of TA105. The date and
    time of the interchange, TA102 and TA103, stay in the extras: a TA1 matches on all three (section 8).

    Args:
        ts: The set that :func:`read` makes of a TA1.
        partner: Not needed; every reader takes one.

    Raises:
        InvalidDocument: Another set, or one without control number or verdict; with every fault.
    """
    reading = Reading(ts, partner, "TA1")
    head = reading.root.first("TA1")
    if head is not ABSENT:
        reading.need(head, 1)
    verdict, errors = _verdict(reading, reading.root, "TA1", 4)
    note = reading.text(head, 5)
    if note not in ("", _NO_NOTE):
        errors = (*errors, f"{_INTERCHANGE_NOTES.get(note, 'error')} (TA105 {note})")
    acknowledgment = FunctionalAcknowledgment(
        group=f"ISA/{reading.text(head, 1).lstrip('0')}",
        verdict=verdict,
        errors=errors,
        extras=reading.rest(reading.root),
    )
    reading.refuse_if_faulty()
    return acknowledgment


def _acknowledgment(reading: Reading, family: str) -> FunctionalAcknowledgment:
    root = reading.root
    head, trailer = reading.begin("AK1"), root.first("AK9")
    group = f"{reading.text(head, 1).upper()}/{reading.text(head, 2).lstrip('0')}"
    verdict, errors = _verdict(reading, root, "AK9")
    codes = [reading.text(trailer, index) for index in range(5, 10)]
    acknowledgment = FunctionalAcknowledgment(
        group=group,
        sets=[_set(reading, one, family) for one in root.under("AK2")],
        verdict=verdict,
        errors=[*errors, *(f"{_GROUP_ERRORS.get(code, 'error')} (AK905 {code})" for code in codes if code)],
        extras=reading.rest(root),
    )
    reading.refuse_if_faulty()
    return acknowledgment


def _verdict(reading: Reading, loop: Loop, tag: str, index: int = 1) -> tuple[str, tuple[str, ...]]:
    segment = loop.first(tag)
    if segment is ABSENT:
        reading.faults.append(("mandatory", f"{tag} is missing"))
        return "", ()
    code = reading.need(segment, index).upper()
    if code and code not in _VERDICTS:
        reading.fault("code", segment, index, "is no verdict")
    if code in _REJECTED[1:]:
        return "R", (f"rejected for its security ({segment.id}{index:02} {code})",)
    return code, ()


def _set(reading: Reading, loop: Loop, family: str) -> AcknowledgedSet:
    trailer = loop.first(f"{family}5")
    verdict, errors = _verdict(reading, loop, f"{family}5")
    codes = [reading.text(trailer, index) for index in range(2, 7)]
    return AcknowledgedSet(
        code=reading.need(loop.head, 1),
        control_number=reading.need(loop.head, 2),
        verdict=verdict,
        errors=[
            *(error for one in loop.under(f"{family}3") for error in _segment(reading, one, family)),
            *errors,
            *(f"{_SET_ERRORS.get(code, 'error')} ({family}502 {code})" for code in codes if code),
        ],
    )


def _segment(reading: Reading, loop: Loop, family: str) -> Iterator[str]:
    head = loop.head
    tag, position, inner, code = (reading.text(head, index) for index in (1, 2, 3, 4))
    place = f"segment {position} {tag}" + (f" in loop {inner}" if inner else "")
    yield f"{place}: {_SEGMENT_ERRORS.get(code, 'error')}" + (f" ({family}304 {code})" if code else "")
    yield from _contexts(reading, loop, place)
    for one in loop.all(f"{family}4"):
        at, reference, code, value = (reading.text(one, index) for index in (1, 2, 3, 4))
        which = f"{place} element {at}" + (f" ({reference})" if reference else "")
        copy = f" {value!r}" if value else ""
        yield f"{which}: {_ELEMENT_ERRORS.get(code, 'error')}{copy}" + (f" ({family}403 {code})" if code else "")
    for inner_loop in loop.under(f"{family}4"):
        yield from _contexts(reading, inner_loop, place)


def _contexts(reading: Reading, loop: Loop, place: str) -> Iterator[str]:
    for one in loop.all("CTX"):
        parts = [reading.text(one, index) for index in range(1, len(one))]
        yield f"{place}: context {'*'.join(parts)}"
