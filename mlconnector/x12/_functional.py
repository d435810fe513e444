"""Answers to what was received: a 997 for a group, a TA1 for an interchange, from the findings (section 8)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import attrs

from mlconnector.errors import InvalidArgument, X12Error
from mlconnector.x12._codec import Unreadable
from mlconnector.x12._dictionary import codes, dictionary
from mlconnector.x12._format import fold
from mlconnector.x12._partner import Partner
from mlconnector.x12._sets import Finding, Group, Interchange, Segment, TransactionSet
from mlconnector.x12._validate import validate

__all__ = ["to_997", "to_ta1"]

_SET, _GROUP, _SEGMENT, _ELEMENT, _ENVELOPE = "AK502:", "AK905:", "AK304:", "AK403:", "TA105:"
_UNSUPPORTED = ("set", "version")
_OUR_TABLES = (*_UNSUPPORTED, "segment", "code")
"""Rules whose warnings say that our tables end there, not that the sender is wrong."""

_SEGMENTS_IN_ERROR = "5"
_ELEMENTS_IN_ERROR = "8"
_INVALID_CHARACTER = "6"
_MOST_CODES = 5
_MOST_ELEMENTS = 99
_LAST_POSITION = 999_999
_TWO_SIGNS = re.compile("[A-Z0-9]{2}")
_NUMBER = re.compile("[0-9]{1,9}")
_COUNT = re.compile("[0-9]{1,6}")
_SEGMENT_ID = re.compile("[A-Za-z0-9]{2,3}")
_NOTE = re.compile("(?!000)[0-9]{3}")
_NEVER_A_DELIMITER = re.compile(r"[^A-Za-z0-9 .+-]")


def to_997(
    received: Iterable[TransactionSet | Unreadable],
    partner: Partner | None = None,
    *,
    unsupported: Literal["accept", "reject"] = "accept",
) -> TransactionSet:
    """A 997 for one group, from what reading and :func:`validate` find in its sets.

    A set is rejected (AK501 ``R``) for an error, accepted with errors (``E``) for a warning, else accepted (``A``).
    Arithmetic has no code of the standard and enters no 997, nor do warnings that only say where our own tables end.
    A fault of the group's trailer rejects every set. AK901 is ``P`` where some sets are accepted and some are not.

    Args:
        received: All that :func:`read` with ``broken="yield"`` gave for one group: sets and unreadable parts.
        partner: Whom it is for: version, and delimiters that copies of bad values must not hold. Without one the
            version is that of the group, and copies keep only letters, digits, blanks and ``.+-``. ``finish`` is for
            documents and is not called.
        unsupported: What becomes of sets and versions that the dictionary does not hold: ``"accept"``, because they
            are kept and shown (rule B17), or ``"reject"`` with AK502 1 and AK905 2.

    Raises:
        InvalidArgument: Nothing, sets of several groups or of none, an acknowledgment (it is never acknowledged).
        X12Error: A group whose GS01 or GS06 no acknowledgment can repeat.
    """
    if unsupported not in ("accept", "reject"):
        raise InvalidArgument(f"unsupported={unsupported!r} is none of 'accept', 'reject'.", cure="Use one of them.")
    parts = _parts(received)
    group = _group_of(parts)
    version = partner.version if partner is not None else _known_version(group.version)
    late = version >= "005010"
    told = _Told(partner, reject_unsupported=unsupported == "reject")
    noticed = [(part, list(told.of(_findings(part)))) for part in parts]
    sets = _answers(noticed)
    found = [finding for _, findings in noticed for finding in findings if finding.code.startswith(_GROUP)]
    if found:
        sets = [attrs.evolve(one, verdict="R") for one in sets]
    segments = [Segment("AK1", group.functional_id, group.control_number, told.copy(group.version, 12) if late else "")]
    for one in sets:
        segments += one.segments(told, late=late)
    segments.append(_group_trailer(sets, found))
    return TransactionSet("997", segments, version=version)


def _parts(received: Iterable[TransactionSet | Unreadable]) -> tuple[TransactionSet | Unreadable, ...]:
    parts = tuple(received)
    for part in parts:
        if not isinstance(part, (TransactionSet, Unreadable)):
            raise InvalidArgument(f"{part!r} was not read.", cure='Pass what x12.read(source, broken="yield") gives.')
    return parts


def _group_of(parts: Sequence[TransactionSet | Unreadable]) -> Group:
    groups = [part.group for part in parts]
    group = groups[0] if groups else None
    if group is None or any(other != group for other in groups):
        raise InvalidArgument(
            "A 997 answers one group; these are parts of none or of several.",
            cure="Pass everything that was read with the same ts.group, and nothing else.",
        )
    if group.functional_id == "FA":
        raise InvalidArgument("An acknowledgment is never acknowledged.", cure="Leave out groups with GS01 FA.")
    if not (_TWO_SIGNS.fullmatch(group.functional_id) and _NUMBER.fullmatch(group.control_number)):
        raise X12Error(
            f"GS01 {group.functional_id[:99]!r} with GS06 {group.control_number[:99]!r} cannot be repeated in a 997.",
            cure="Reject the interchange: to_ta1(..., note='024').",
            fault="vendor",
        )
    return group


def _known_version(version: str) -> str:
    if dictionary(version) is not None:
        return version[:6]
    return "005010" if version[:6] > "005010" else "004010"


def _findings(part: TransactionSet | Unreadable) -> list[Finding]:
    return [*part.findings, *validate(part)] if isinstance(part, TransactionSet) else [*part.findings]


class _Told:
    """What the sender is told, and how: which findings, and copies of values that break no frame."""

    def __init__(self, partner: Partner | None, *, reject_unsupported: bool) -> None:
        self._reject_unsupported = reject_unsupported
        self._forbidden = _NEVER_A_DELIMITER
        if partner is not None:
            marks = "".join(attrs.astuple(partner.delimiters))
            self._forbidden = re.compile(rf"[{re.escape(marks)}\x00-\x1f\x7f]")

    def of(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        for finding in findings:
            if not finding.code or finding.severity == "note":
                continue
            if finding.severity == "warning" and finding.rule in _OUR_TABLES:
                if not (self._reject_unsupported and finding.rule in _UNSUPPORTED):
                    continue
                yield attrs.evolve(finding, severity="error")
            else:
                yield finding

    def copy(self, value: str, most: int) -> str:
        return self._forbidden.sub(" ", fold(value))[:most].rstrip()


@attrs.frozen
class _Answer:
    """AK2 to AK5 of one set."""

    code: str
    control_number: str
    implementation: str
    verdict: str
    findings: list[Finding]

    def segments(self, told: _Told, *, late: bool) -> Iterator[Segment]:
        code, number = told.copy(self.code, 3), told.copy(self.control_number, 9)
        # A set without a name cannot be repeated; it counts in AK903, and not in AK904.
        if not code or not number:
            return
        yield Segment("AK2", code.ljust(3), number.ljust(4), told.copy(self.implementation, 35) if late else "")
        yield from _notes(self.findings, told)
        said = [finding.code.removeprefix(_SET) for finding in self.findings if finding.code.startswith(_SET)]
        if any(finding.code.startswith((_SEGMENT, _ELEMENT)) for finding in self.findings):
            said.append(_SEGMENTS_IN_ERROR)
        yield Segment("AK5", self.verdict, *_codes(said))


def _codes(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found))[:_MOST_CODES]


def _answers(noticed: Iterable[tuple[TransactionSet | Unreadable, list[Finding]]]) -> list[_Answer]:
    answers: list[_Answer] = []
    numbers: set[str] = set()
    for part, findings in noticed:
        found = [one for one in findings if not one.code.startswith((_GROUP, _ENVELOPE))]
        if isinstance(part, Unreadable) and not found:
            continue
        if part.control_number in numbers:
            message = f"ST02 {part.control_number[:99]!r} stands twice in the group."
            value = part.control_number[:99]
            found.append(Finding("ST02", "control number", value, "error", f"{_SET}23", message, "ST", 1, 2))
        numbers.add(part.control_number)
        implementation = part.implementation if isinstance(part, TransactionSet) else ""
        answers.append(_Answer(part.code, part.control_number, implementation, _verdict(found), found))
    return answers


def _verdict(found: Sequence[Finding]) -> str:
    if any(finding.severity == "error" for finding in found):
        return "R"
    return "E" if found else "A"


def _notes(findings: Iterable[Finding], told: _Told) -> Iterator[Segment]:
    """AK3 for each segment at fault, AK4 for each of its elements."""
    places: dict[tuple[int, str], list[Finding]] = {}
    for finding in findings:
        nameable = _SEGMENT_ID.fullmatch(finding.segment) and finding.position <= _LAST_POSITION
        if nameable and finding.code.startswith((_SEGMENT, _ELEMENT)):
            places.setdefault((finding.position, finding.segment), []).append(finding)
    for (position, tag), here in sorted(places.items()):
        said = [finding.code.removeprefix(_SEGMENT) for finding in here if finding.code.startswith(_SEGMENT)]
        elements = {(one.element, one.code): one for one in here if one.code.startswith(_ELEMENT)}
        if elements:
            said.append(_ELEMENTS_IN_ERROR)
        for code in dict.fromkeys(said):
            yield Segment("AK3", tag, str(position), "", code)
        for key in sorted(elements)[:_MOST_ELEMENTS]:
            yield _element_note(elements[key], told)


def _element_note(finding: Finding, told: _Told) -> Segment:
    code = finding.code.removeprefix(_ELEMENT)
    number = codes().elements.get(f"{finding.segment}{finding.element:02}", "")
    copy = "" if code == _INVALID_CHARACTER else told.copy(finding.value, 99)
    return Segment("AK4", str(finding.element), number if number.isdigit() else "", code, copy)


def _group_trailer(sets: Sequence[_Answer], found: Sequence[Finding]) -> Segment:
    accepted = sum(one.verdict != "R" for one in sets)
    if not accepted:
        verdict = "R"
    elif accepted < len(sets):
        verdict = "P"
    else:
        verdict = "E" if any(one.verdict == "E" for one in sets) else "A"
    counts = [one.value for one in found if one.code == f"{_GROUP}5" and _COUNT.fullmatch(one.value)]
    included = counts[0] if counts else str(len(sets))
    codes_found = _codes(one.code.removeprefix(_GROUP) for one in found)
    return Segment("AK9", verdict, included, str(len(sets)), str(accepted), *codes_found)


def to_ta1(
    received: Interchange | Iterable[TransactionSet | Unreadable], partner: Partner | None = None, *, note: str = ""
) -> TransactionSet:
    """A TA1 for one interchange, from what reading found in its envelope; faults inside of groups are a 997's.

    TA104 is ``R`` for an error, ``E`` for a warning, else ``A`` with note 000; TA105 tells the worst. Due when ISA14
    was 1 (``interchange.acknowledgment_requested``), or to reject; after a rejection no 997 is sent.
    :func:`interchange` writes it before the first GS, or alone.

    Args:
        received: The interchange, or all that :func:`read` with ``broken="yield"`` gave for it.
        partner: Whom it is for, as for :func:`to_997`.
        note: TA105 of a fault that only the caller can see, which rejects: ``"025"`` repeated control number,
            ``"009"`` unknown receiver, ``"003"`` version not supported.

    Raises:
        InvalidArgument: Nothing, parts of several interchanges or of none, or a note that is no TA105.
    """
    if note and not _NOTE.fullmatch(note):
        raise InvalidArgument(f"note={note!r} is no TA105 of a fault.", cure="Use three digits from '001' on.")
    parts = () if isinstance(received, Interchange) else _parts(received)
    heads = [received] if isinstance(received, Interchange) else [part.interchange for part in parts]
    head = heads[0] if heads else None
    if head is None or any(other != head for other in heads):
        raise InvalidArgument(
            "A TA1 answers one interchange; these are parts of none or of several.",
            cure="Pass everything that was read with the same ts.interchange, and nothing else.",
        )
    told = _Told(partner, reject_unsupported=False)
    found = [
        finding
        for finding in told.of([*head.findings, *(finding for part in parts for finding in part.findings)])
        if finding.code.startswith(_ENVELOPE)
    ]
    verdict = "R" if note else _verdict(found)
    worst = next((finding for finding in found if finding.severity == "error"), found[0] if found else None)
    stated = note or (worst.code.removeprefix(_ENVELOPE) if worst is not None else "000")
    echoed = [told.copy(value, most) for value, most in ((head.control_number, 9), (head.date, 6), (head.time, 4))]
    version = partner.version if partner is not None else _known_version(f"{head.version}0")
    return TransactionSet("TA1", [Segment("TA1", *echoed, verdict, stated)], version=version, control_number="")
