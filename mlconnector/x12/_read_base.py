"""Reading a set into a document: typed elements, every fault collected before one refusal, and what no field holds."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TypeVar

import attrs

from mlconnector.errors import InvalidArgument, InvalidDocument
from mlconnector.x12._dictionary import dictionary
from mlconnector.x12._format import CENT, decimal_of, is_date, number
from mlconnector.x12._partner import UNITS, Partner
from mlconnector.x12._read_tree import ABSENT, Loop, loops_of
from mlconnector.x12._sets import COMPONENT, REPETITION, Id, Segment, TransactionSet

__all__ = ["EXACT", "Extras", "Habits", "Reading", "add_up", "difference", "signed"]

Value = TypeVar("Value", str, Id)

EXACT = Context(prec=600)
"""Wide enough for the product of any two values that are read, with their exponents."""

_CURE = "Ask the sender for a corrected set, or correct the partner's profile, and replay it."
_MISREAD_UNITS = frozenset(("CS",))
"""A cassette in X12, a case in most ERPs: never taken as it stands where a profile gives units (section 6)."""

_ONE = frozenset(("ACK", "AMT", "DTM", "ENT", "HL", "ITD", "LDT", "MAN", "MEA", "N1", "N9", "NM1", "NTE", "PER", "PID"))
_ONE |= frozenset(("QTY", "REF", "SAC", "SDQ", "SLN", "SPI", "TXI"))
_TWO = frozenset(("RMR", "AK2", "AK3", "IK3"))
"""Segments that their first element, or first two, tell from others of the same id."""


class Extras(dict[str, str]):
    """What no field of a document holds, as it was sent, by the name an analyst gives it.

    ``"BEG02"`` an element; ``"REF*DP"`` the value of a segment that its first element names, ``"REF*DP/REF03"`` a
    further element of it; ``"N1*BY/PER*BD"`` something inside of a loop. The second of a kind is ``"REF*DP#2"``.
    """

    def put(self, name: str, value: str) -> None:
        """Keep a value; never in the place of another."""
        times, free = 1, name
        while free in self:
            times += 1
            free = f"{name}#{times}"
        self[free] = value


@attrs.frozen
class Habits:
    """The tables of a partner's profile, turned round for reading; of two ERP codes for one X12 code the first."""

    products: Mapping[str, str]
    units: Mapping[str, str]
    claimed_units: frozenset[str]
    thousands: frozenset[str]
    parties: Mapping[Id, str]
    charges: Mapping[str, str]
    freight: Mapping[str, str]
    methods: Mapping[str, str]
    packaging: Mapping[str, str]
    carriers: Mapping[str, str]
    profile: Partner

    @staticmethod
    def of(partner: Partner | None) -> Habits:
        """Those of the profile. Without one the defaults of :class:`Partner`, and every unit as it was sent."""
        profile = partner if partner is not None else _DEFAULT
        own = profile.units
        return Habits(
            products=_turned(profile.product_ids),
            units=_turned({**own, **{code: code for code in UNITS if code not in own}}),
            claimed_units=frozenset() if partner is None else frozenset(profile.unit_codes) | _MISREAD_UNITS,
            thousands=frozenset(("TP", *profile.bases.values())),
            parties=_turned(profile.parties),
            charges=_turned(profile.charges),
            freight=_turned(profile.freight),
            methods=_turned(profile.payment_methods),
            packaging=_turned(profile.packaging),
            carriers=_turned(profile.carriers),
            profile=profile,
        )


_DEFAULT = Partner(sender=Id("ZZ", "ZZ"), receiver=Id("ZZ", "ZZ"))


def _turned(table: Mapping[str, Value]) -> dict[Value, str]:
    return {value: key for key, value in reversed(list(table.items()))}


class Reading:
    """One set on its way into a document.

    Every element that a field takes is marked as used; :meth:`rest` gives what was left, so that nothing is lost and
    nothing stands twice. Take the extras of lines first, those of the whole set last.
    """

    def __init__(self, ts: TransactionSet, partner: Partner | None, code: str, *, implied: str = "") -> None:
        if not isinstance(ts, TransactionSet):
            raise InvalidArgument(f"{type(ts).__name__} is no TransactionSet.", cure="Pass a set that read() gave.")
        self.ts = ts
        self.habits = Habits.of(partner)
        self.faults: list[tuple[str, str]] = []
        mark = ts.interchange
        self._marks = str.maketrans(
            {COMPONENT: mark.component if mark else ">", REPETITION: (mark.repetition if mark else "") or "^"}
        )
        if ts.code != code:
            self.faults.append(("set", f"the set is a {ts.code[:99]!r}, not a {code!r}"))
            self.refuse_if_faulty()
        # Segments of their own, because they are told apart by identity.
        self._segments = [tuple.__new__(Segment, tuple(one)) for one in ts.segments]
        self._places = {id(one): at for at, one in enumerate(self._segments, 2)}
        self._used: defaultdict[int, set[int]] = defaultdict(set)
        self._kept: set[int] = set()
        self.root: Loop = loops_of(ts, self._segments, implied=implied)

    def fault(self, cause: str, segment: Segment, index: int, what: str) -> None:
        """Record why the set cannot be read; ``cause`` is the stable word."""
        value = f" {self.peek(segment, index)[:99]!r}" if segment[index] else ""
        place = f"segment {self._places[id(segment)]} {segment.id[:3]}{index:02}"
        self.faults.append((cause, f"{place}{value} {what}"))

    def begin(self, tag: str) -> Segment:
        """The beginning segment; a fault where there is none, and for each mandatory element that it lacks."""
        segment = self.root.first(tag)
        if segment is ABSENT:
            self.faults.append(("mandatory", f"{tag} is missing"))
            return segment
        tables = dictionary("004010")
        assert tables is not None
        for index, element in enumerate(tables.segments[tag].elements, 1):
            if element.mandatory and not self.peek(segment, index):
                self.fault("mandatory", segment, index, "is mandatory and missing")
        return segment

    def take(self, segment: Segment, *indexes: int) -> None:
        """Mark elements as used: the document says the same."""
        self._used[id(segment)].update(indexes)

    def peek(self, segment: Segment, index: int) -> str:
        """An element as it was sent, without blanks around it; separators that stood in it are put back."""
        return self._plain(segment[index])

    def _plain(self, value: str) -> str:
        return value if value.isalnum() else value.translate(self._marks).strip()

    def text(self, segment: Segment, index: int) -> str:
        """As :meth:`peek`, and the element is used."""
        self._used[id(segment)].add(index)
        return self.peek(segment, index)

    def code(self, segment: Segment, index: int, *plain: str) -> str:
        """A code in capitals; it is used only where it is one of ``plain``, and else stays in the extras."""
        value = self.peek(segment, index).upper()
        if value in plain:
            self.take(segment, index)
        return value

    def need(self, segment: Segment, index: int) -> str:
        """A mandatory element; a fault where it is empty."""
        value = self.text(segment, index)
        if not value:
            self.fault("mandatory", segment, index, "is mandatory and missing")
        return value

    def chosen(self, loop: Loop, tag: str, *qualifiers: str) -> Segment:
        """The first segment with one of the qualifiers, in their order; its qualifier is used."""
        segment = loop.first(tag, *qualifiers)
        self.take(segment, 1)
        return segment

    def real(self, segment: Segment, index: int, kind: str = "R") -> Decimal | None:
        """A number of type R, or ``N2``, ``N0``; ``None`` where it is empty, a fault where it is none."""
        self.take(segment, index)
        return self.peek_real(segment, index, kind)

    def peek_real(self, segment: Segment, index: int, kind: str = "R") -> Decimal | None:
        """As :meth:`real`, and the element is not used."""
        value = self.peek(segment, index)
        if not value:
            return None
        found = decimal_of(kind, value)
        if found is None:
            self.fault("number", segment, index, "is no number")
        return found

    def total(self, segments: Sequence[Segment], index: int) -> Decimal | None:
        """What an element of several segments adds up to; a single one is used, several stay in the extras too."""
        found = [amount for one in segments if (amount := self.peek_real(one, index)) is not None]
        if len(segments) == 1:
            self.take(segments[0], index)
        return add_up(found) if found else None

    def day(self, segment: Segment, index: int) -> dt.date | None:
        """A date; ``None`` where it is empty, a fault where it is none. Six digits are of this century (section 3)."""
        self.take(segment, index)
        return self.peek_day(segment, index)

    def peek_day(self, segment: Segment, index: int) -> dt.date | None:
        """As :meth:`day`, and the element is not used."""
        value = self.peek(segment, index)
        if not value:
            return None
        if not is_date(value):
            self.fault("date", segment, index, "is no date")
            return None
        return dt.date(int(value[:-4]) + (0 if len(value) == 8 else 2000), int(value[-4:-2]), int(value[-2:]))

    def dated(self, loop: Loop, *qualifiers: str) -> dt.date | None:
        """The date of the first DTM with one of the qualifiers, in their order."""
        segment = next((one for one in loop.all("DTM", *qualifiers) if self.peek(one, 2)), ABSENT)
        if segment is not ABSENT:
            self.take(segment, 1)
        return self.day(segment, 2)

    def unit(self, segment: Segment, index: int) -> str:
        """The ERP's unit by the partner's table. A code outside of it stays, unless the ERP means another by it."""
        first, *more = segment.parts(index)
        if not any(more):
            self.take(segment, index)
        code = self._plain(first)
        if code.upper() in self.habits.units:
            return self.habits.units[code.upper()]
        if code.upper() in self.habits.claimed_units:
            self.fault("unit", segment, index, "is another unit in X12 than in the ERP; the profile must map it")
        return code

    def currency(self) -> str | None:
        """CUR02, else the currency agreed in the profile; ``None`` where there is neither, never a guess."""
        segment = self.root.first("CUR")
        stated = self.text(segment, 2).upper()
        self.code(segment, 1, "BY")
        return stated or self.habits.profile.currency

    def count(self, counted: int, quantities: Iterable[Decimal | None]) -> None:
        """CTT is used where it says what the lines add up to, by sum or hash; another total stays (section 7)."""
        total = self.root.first("CTT")
        if decimal_of("N0", self.peek(total, 1)) == counted:
            self.take(total, 1)
        known = [one for one in quantities if one is not None]
        if decimal_of("R", self.peek(total, 2)) in (add_up(known), _hash_total(known)):
            self.take(total, 2)

    def rest(self, loop: Loop) -> Extras:
        """Everything in the loop that nothing has used so far; it is used then."""
        extras = Extras()
        self._kept.add(id(loop))
        self._keep(loop.head, "", "", extras)
        self._keep_within(loop, "", extras)
        if loop is self.root and self.ts.implementation:
            extras.put("ST03", self.ts.implementation)
        return extras

    def _keep_within(self, loop: Loop, path: str, extras: Extras) -> None:
        times: Counter[str] = Counter()
        for segment in loop.segments:
            label = self._label(segment, times)
            self._keep(segment, path, "" if label == segment.id else label, extras)
        for inner in loop.loops:
            label = self._label(inner.head, times)
            if id(inner) in self._kept:
                continue
            self._keep(inner.head, path, label, extras)
            self._keep_within(inner, f"{path}{label}/", extras)

    def _label(self, segment: Segment, times: Counter[str]) -> str:
        names = [self.peek(segment, index) for index in range(1, _named_by(segment) + 1)]
        label = "*".join((segment.id, *names)).rstrip("*")
        times[label] += 1
        return label if times[label] == 1 else f"{label}#{times[label]}"

    def _keep(self, segment: Segment, path: str, label: str, extras: Extras) -> None:
        used = self._used[id(segment)]
        left = {index: self.peek(segment, index) for index in range(1, len(segment)) if index not in used}
        if not left:
            return
        used.update(left)
        names = _named_by(segment) if label else 0
        told = {index: value for index, value in left.items() if index > names}
        if not any(told.values()):
            # Nothing stands behind the label, which would have told the qualifier.
            told = left
        for index, value in told.items():
            if value and names and index == names + 1:
                extras.put(f"{path}{label}", value)
            elif value:
                extras.put(f"{path}{label}{'/' if label else ''}{segment.id}{index:02}", value)

    def refuse_if_faulty(self) -> None:
        """Raise what was collected.

        Raises:
            InvalidDocument: With every fault; ``cause`` names the first.
        """
        if self.faults:
            texts = tuple(dict.fromkeys(text for _, text in self.faults))
            sender = f" of {self.ts.interchange.sender.id[:15]}" if self.ts.interchange is not None else ""
            raise InvalidDocument(
                f"The {self.ts.code[:99]} {self.ts.control_number[:99]}{sender} cannot be read: {len(texts)} fault(s).",
                faults=texts,
                cause=self.faults[0][0],
                cure=_CURE,
                fault="vendor",
            )


def _named_by(segment: Segment) -> int:
    """How many elements tell a segment from others of its id."""
    return 1 if segment.id in _ONE else 2 if segment.id in _TWO else 0


def add_up(values: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    return functools.reduce(EXACT.add, values, Decimal(0))


def _hash_total(values: Iterable[Decimal]) -> int:
    """CTT02 by its definition: digits added without points and signs, leftmost cut past ten."""
    return sum(int(number(abs(value)).replace(".", "")) for value in values) % 10**10


def signed(value: Decimal | None, sign: int) -> Decimal | None:
    """The value, or its opposite for ``sign`` -1; zero has none."""
    return value if sign > 0 or not value else EXACT.minus(value)


def _to_cents(value: Decimal) -> Decimal:
    """Rounded half-up to two decimals, whatever its size."""
    return value.quantize(CENT, ROUND_HALF_UP, context=EXACT)


def difference(told: Decimal | None, parts: Iterable[Decimal | None], extras: Extras, name: str) -> None:
    """Keep by how much a told total is more than its parts, rounded once or singly; nothing where one is unknown."""
    known = list(parts)
    amounts = [one for one in known if one is not None]
    if told is None or len(amounts) < len(known):
        return
    once, singly = _to_cents(add_up(amounts)), add_up(map(_to_cents, amounts))
    if _to_cents(told) not in (once, singly):
        extras.put(name, number(EXACT.subtract(_to_cents(told), once)))
