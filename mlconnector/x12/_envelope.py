"""Writing: ISA, GS and ST around sets, with the counts and control numbers, so that data never breaks the frame."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterable, Sequence
from typing import NoReturn

from mlconnector.errors import InvalidArgument, X12Error
from mlconnector.target import ControlNumbers
from mlconnector.x12._format import date, time
from mlconnector.x12._partner import Partner
from mlconnector.x12._sets import COMPONENT, REPETITION, SEPARATOR, TransactionSet

__all__ = ["interchange"]

_JOINT = "\x1c"
_TA1, _ACKNOWLEDGMENTS = "TA1", "FA"


def interchange(sets: Sequence[TransactionSet], partner: Partner, *, control: ControlNumbers, at: dt.datetime) -> str:
    """The text of one interchange: one GS a functional id, in order of first appearance (section 1).

    A TA1 stands before the first GS, or alone. Where nothing but acknowledgments is in it ISA14 is 0 (section 8).

    Args:
        sets: At least one; ST02 is numbered from 0001 in each group.
        partner: Ids, version, delimiters, usage, time zone.
        control: ISA13, and GS06 of the first group; the following groups count on.
        at: An aware instant, written in the partner's time zone.

    Raises:
        InvalidArgument: A naive ``at``, or no sets.
        X12Error: A set of another version, without functional id, or with data that would break the frame.
    """
    if at.tzinfo is None:
        raise InvalidArgument(f"at={at!r} is no aware datetime.", cure="Give it a tzinfo, e.g. datetime.UTC.")
    if not sets:
        raise InvalidArgument("There are no sets to write.", cure="Pass at least one transaction set.")
    groups: dict[str, list[TransactionSet]] = {}
    for ts in sets:
        _fits(ts, partner)
        if ts.code != _TA1:
            groups.setdefault(ts.functional_id, []).append(ts)
    local = at.astimezone(partner.time_zone or dt.UTC)
    day, clock = date(local), time(local)
    guard = _guard(partner)
    request_ta1 = partner.request_ta1 and not groups.keys() <= {_ACKNOWLEDGMENTS}
    lines = [_isa(partner, control.interchange, day, clock, request_ta1=request_ta1)]
    lines += [_body(ts, partner, guard) for ts in sets if ts.code == _TA1]
    for number, (functional_id, members) in enumerate(groups.items(), control.group):
        lines.append(_gs(partner, functional_id, number, day, clock))
        for index, ts in enumerate(members, 1):
            lines += _set(ts, partner, index, guard)
        lines.append(_line(partner, "GE", str(len(members)), str(number)))
    lines.append(_line(partner, "IEA", str(len(groups)), f"{control.interchange:09}"))
    end = partner.delimiters.segment + partner.line_end
    return end.join([*lines, ""])


def _fits(ts: TransactionSet, partner: Partner) -> None:
    if ts.version[:6] != partner.version[:6]:
        raise X12Error(f"The {ts.code} is {ts.version}, {partner.receiver.id} reads {partner.version}.", cure=_REMAP)
    if not ts.functional_id and ts.code != _TA1:
        raise X12Error(f"No functional id is known for a {ts.code}.", cure="Only sets of the dictionary are written.")


_REMAP = "Map the document with the profile of the partner it goes to."


def _guard(partner: Partner) -> re.Pattern[str]:
    legal = COMPONENT + REPETITION if partner.version >= "005010" else COMPONENT
    return _forbidden(_delimiting(partner), legal, partner.non_ascii == "keep")


def _delimiting(partner: Partner) -> str:
    marks = partner.delimiters
    return marks.element + marks.segment + marks.component + (marks.repetition if partner.version >= "005010" else "")


@functools.lru_cache(maxsize=64)
def _forbidden(delimiting: str, legal: str, any_letter: bool) -> re.Pattern[str]:
    control = "".join(chr(code) for code in (*range(32), 127) if chr(code) not in legal)
    delimiting = "".join(mark for mark in delimiting if mark not in legal)
    letters = "" if any_letter else "\x7f-\U0010ffff"
    return re.compile(f"[{re.escape(delimiting)}{re.escape(control)}{letters}]")


def _line(partner: Partner, *elements: str) -> str:
    return partner.delimiters.element.join(elements)


def _isa(partner: Partner, number: int, day: str, clock: str, *, request_ta1: bool) -> str:
    late = partner.version >= "005010"
    return _line(
        partner,
        *("ISA", "00", " " * 10, "00", " " * 10),
        *(
            partner.sender.qualifier,
            f"{partner.sender.id:<15}",
            partner.receiver.qualifier,
            f"{partner.receiver.id:<15}",
        ),
        *(day[2:], clock, partner.delimiters.repetition if late else "U"),
        *("00501" if late else "00401", f"{number:09}", str(int(request_ta1)), partner.usage),
        partner.delimiters.component,
    )


def _gs(partner: Partner, functional_id: str, number: int, day: str, clock: str) -> str:
    sender, receiver = partner.sender_code or partner.sender.id, partner.receiver_code or partner.receiver.id
    return _line(partner, "GS", functional_id, sender, receiver, day, clock, str(number), "X", partner.version)


def _set(ts: TransactionSet, partner: Partner, index: int, guard: re.Pattern[str]) -> Iterable[str]:
    number = f"{index:04}"
    head = ("ST", ts.code, number, ts.implementation) if ts.implementation else ("ST", ts.code, number)
    yield _line(partner, *head)
    if ts.segments:
        yield _body(ts, partner, guard)
    yield _line(partner, "SE", str(len(ts.segments) + 2), number)


def _body(ts: TransactionSet, partner: Partner, guard: re.Pattern[str]) -> str:
    """The segments of a set with the partner's delimiters between them, written as a whole."""
    marks = partner.delimiters
    lines = ts.lines
    data = "".join(lines or ()).replace(SEPARATOR, "")
    plain = data.isascii() and data.isprintable() and not any(map(data.__contains__, _delimiting(partner)))
    if plain and lines is not None and marks.segment != SEPARATOR:
        # With neither a delimiter nor a composite in it, what is put between its texts cannot be mistaken.
        return (marks.segment + partner.line_end).join(lines).replace(SEPARATOR, marks.element)
    if lines is None or guard.search(data):
        _refuse(ts, guard)
    # In one pass, because these characters may be each other's delimiters.
    table: dict[str, str | int | None] = {SEPARATOR: marks.element, COMPONENT: marks.component}
    table |= {REPETITION: marks.repetition, _JOINT: marks.segment + partner.line_end}
    return _JOINT.join(lines).translate(str.maketrans(table))


def _refuse(ts: TransactionSet, guard: re.Pattern[str]) -> NoReturn:
    segment, found = next((one, held) for one in ts.segments if (held := guard.search("".join(one))))
    raise X12Error(
        f"{segment.id} of the {ts.code} holds {found[0]!r}, which would break the frame or is not agreed.",
        cure="Take the character out of the data, or agree other delimiters with the partner.",
    )
