"""A set in the making: the text policies of the partner, and every fault collected before one refusal is raised."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.documents import Party
from mlconnector.errors import InvalidArgument, InvalidDocument
from mlconnector.x12._arithmetic import hash_total
from mlconnector.x12._format import cents, decimal_of, fold, implied, number
from mlconnector.x12._partner import UNITS, Partner
from mlconnector.x12._sets import Finding, Segment, TransactionSet, as_segment, ids
from mlconnector.x12._validate import validate

__all__ = ["Draft"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_HASH_DIGITS = 10
_N4_LENGTHS = tuple(map(frozenset, ((0, *range(2, 31)), (0, 2), (0, *range(3, 16)), (0, 2, 3))))
"""Of city, state, postal code and country; what is none of them goes into N3."""


@functools.lru_cache(maxsize=64)
def _patterns(delimiters: str) -> tuple[Callable[[str], object], re.Pattern[str]]:
    """What tells a text that goes as it is, printable ASCII without a delimiter and blanks at its ends; a delimiter."""
    seen = re.escape("".join(chr(code) for code in range(33, 127) if chr(code) not in delimiters))
    return re.compile(f"(?:[{seen}](?:[ {seen}]*[{seen}])?)?").fullmatch, re.compile(f"[{re.escape(delimiters)}]")


class Draft:
    """Collects segments, faults and findings of one set for one partner."""

    def __init__(self, partner: Partner, name: str) -> None:
        self.partner = partner
        self.name = name
        self.segments: list[Segment] = []
        self.findings: list[Finding] = []
        self.faults: list[tuple[str, str]] = []
        self._units: dict[str, str] = {}
        self.product_ids = (*partner.product_ids.items(),)
        self.bases = dict(partner.bases.items())
        marks = partner.delimiters
        late = marks.repetition if partner.version >= "005010" else ""
        self.plain, self._delimiter = _patterns(marks.element + marks.segment + marks.component + late)

    def fault(self, cause: str, text: str) -> None:
        """Record why the document cannot go; ``cause`` is the stable word."""
        self.faults.append((cause, text))

    def note(self, place: str, rule: str, value: str, message: str) -> None:
        """Record what was done to a value, so that nothing changes silently."""
        self.findings.append(Finding(place, rule, value[:99], "note", "", message))

    def add(self, tag: str, *elements: str | tuple[str, ...] | None) -> None:
        """Append a segment; one without any value is not sent (section 2)."""
        segment = Segment(tag, *elements)
        if len(segment) > 1:
            self.segments.append(segment)

    def put(self, *values: str) -> None:
        """The same of nothing but texts, the id first; they are not checked to be such."""
        if not values[-1]:
            last = next(at for at in range(len(values) - 1, -1, -1) if values[at])
            values = values[: last + 1]
        if len(values) > 1:
            self.segments.append(as_segment(values))

    def free(self, text: str, most: int, place: str) -> str:
        """Free text: folded, without delimiters or control characters, cut to ``most``, by the partner's policies."""
        if len(text) <= most and self.plain(text):
            return text
        text = self._plain(text, place).strip()
        if len(text) > most:
            if self.partner.long_text == "refuse":
                self.fault("length", f"{place}: {text!r} is longer than {most} characters")
            self.note(place, "cut", text, f"Cut to {most} characters.")
            text = text[:most].rstrip()
        return text

    def texts(self, texts: Iterable[str], place: str) -> tuple[list[Segment], list[Segment]]:
        """Free texts of any length: as MSG, and where the version's sets have none (005010) as N9 with N903."""
        if self.partner.version >= "005010":
            return [], [Segment("N9", "L1", "", piece) for text in texts for piece in self._pieces(text, 45, place)]
        return [Segment("MSG", piece) for text in texts for piece in self._pieces(text, 264, place)], []

    def _pieces(self, text: str, most: int, place: str) -> Iterable[str]:
        text = self._plain(text, place).strip()
        while text:
            blank = text.rfind(" ", 0, most + 1)
            at = len(text) if len(text) <= most else (blank if blank > 0 else most)
            yield text[:at].rstrip()
            text = text[at:].lstrip()

    def _plain(self, text: str, place: str) -> str:
        if self.partner.non_ascii != "keep" and not text.isascii():
            if self.partner.non_ascii == "refuse":
                self.fault("text", f"{place}: {text!r} is not ASCII")
            folded = fold(text)
            self.note(place, "folded", text, f"Written as {folded!r}.")
            text = folded
        text = _CONTROL.sub(" ", text)
        if self._delimiter.search(text):
            if self.partner.delimiter_in_data == "refuse":
                self.fault("delimiter", f"{place}: {text!r} holds a delimiter")
            self.note(place, "delimiter", text, "Delimiters in it were replaced by blanks.")
            text = self._delimiter.sub(" ", text)
        return text

    def identifier(self, text: str, place: str, most: int, least: int = 1) -> str:
        """An identifier: goes exactly as it is, or is refused (section 2)."""
        # Letters and digits are never delimiters, and told apart faster.
        if least <= len(text) <= most and ((text.isalnum() and text.isascii()) or self.plain(text)):
            return text
        if not least <= len(text) <= most:
            self.fault("length" if text else "missing", f"{place}: {text!r} needs {least} to {most} characters")
        elif self._delimiter.search(text) or _CONTROL.search(text):
            self.fault("delimiter", f"{place}: {text!r} holds a delimiter or control character")
        elif text != text.strip():
            self.fault("text", f"{place}: {text!r} begins or ends with a blank")
        elif self.partner.non_ascii != "keep" and not text.isascii():
            self.fault("text", f"{place}: {text!r} is not ASCII")
        return text

    def reference(self, text: str, place: str) -> str:
        """An identifier of element 127: 30 characters at 004010, 50 at 005010 (section 9)."""
        return self.identifier(text, place, 50 if self.partner.version >= "005010" else 30)

    def real(self, value: Decimal | None, place: str, most: int) -> str:
        """Type R, refused where it has more digits than fit; empty for ``None``."""
        if value is None:
            return ""
        text = number(value)
        if len(text) > most and len(text.lstrip("-").replace(".", "")) > most:
            self.fault("length", f"{place}: {text} has more than {most} digits")
        return text

    def money(self, value: Decimal, place: str) -> str:
        """Type N2; more decimals park unless the partner rounds (rule B23)."""
        if value != cents(value):
            if self.partner.three_decimals == "park":
                self.fault("decimals", f"{place}: {number(value)} has more than two decimals")
            self.note(place, "rounded", number(value), "Rounded half-up to two decimals.")
        return implied(cents(value), 2)

    def unit(self, code: str, place: str) -> str:
        """X12 code of an ERP unit; one without is refused, never guessed (rule B14)."""
        found = self.known_unit(code)
        if not found:
            self.fault("unit", f"{place}: unit {code!r} has no X12 code")
        return found

    def known_unit(self, code: str) -> str:
        """The same, empty where there is none."""
        found = self._units.get(code)
        if found is None:
            found = self._units[code] = self.partner.units.get(code) or UNITS.get(code, "")
        return found

    def mapped(self, table: Mapping[str, Any], key: str, cause: str) -> Any:
        """Value of a partner table; ``None`` when the table is empty or the key blank, a fault when the key misses."""
        if not key or not table:
            return None
        if key not in table:
            self.fault(cause, f"{cause} code {key!r} is not in the partner's table")
        return table.get(key)

    def party(self, role: str, party: Party | None) -> None:
        """An N1 loop: name, id by the partner's table or with qualifier 92, address."""
        if party is None:
            return
        place, address, plain = f"N1 {role}", party.address, self.plain
        name = self.free(party.name, 60, f"{place} N102")
        if not (name or party.number):
            return
        known = self.partner.parties.get(party.number)
        qualifier, number = ("92", party.number) if known is None else (known.qualifier, known.id)
        if number:
            self.put("N1", role, name, qualifier, self.identifier(number, f"{place} N104", 80, 2))
        else:
            self.put("N1", role, name)
        if address is None:
            return
        lines = [text for line in address.lines if (text := self.free(line, 55, f"{place} N3"))]
        parts = (address.city, address.state, address.postal_code, address.country)
        told = [
            text
            if len(text) <= 30 and ((text.isalnum() and text.isascii()) or plain(text))
            else self.free(text, 30, f"{place} N4")
            for text in parts
        ]
        if not all(map(frozenset.__contains__, _N4_LENGTHS, map(len, told))):
            odd = [text for text, lengths in zip(told, _N4_LENGTHS, strict=True) if len(text) not in lengths]
            told = ["" if text in odd else text for text in told]
            lines += odd
        for text in lines[4:]:
            self.note(place, "left out", text, "More address lines than N3 holds.")
        for at in range(0, min(len(lines), 4), 2):
            self.put("N3", *lines[at : at + 2])
        self.put("N4", *told)

    def complete(
        self,
        code: str,
        document: Any,
        counted: str = "",
        quantity_at: int = 0,
        *,
        count: bool = True,
        quantity_tag: str | None = None,
    ) -> TransactionSet:
        """The finished set: the partner's ``finish``, CTT, validation.

        Args:
            code: ST01. ``document``: what ``finish`` is given.
            counted: Segment that CTT01 counts. ``count``: False for a set without CTT.
            quantity_at: Element added up in CTT02. ``quantity_tag``: its segment, where that is not ``counted``.

        Raises:
            InvalidDocument: With every fault collected so far, or else every error the dictionary finds.
        """
        self._refuse_if_faulty()
        made = None if self.partner.finish is None else self.partner.finish(self._set(code, self.segments), document)
        if self.partner.finish is not None and not isinstance(made, TransactionSet):
            raise InvalidArgument(f"finish returned {made!r}.", cure="Return a TransactionSet from finish.")
        segments = [*(self.segments if made is None else made.segments)]
        tags = ids(segments)
        if count and "CTT" not in tags:
            added = quantity_tag or counted
            told = [one[quantity_at] for one in segments if one[0] == added] if self.partner.ctt02 is not None else []
            segments.append(self._totals(tags.count(counted), told))
        if self.partner.upper_case:
            segments = [Segment(*(text.upper() for text in one)) for one in segments]
        for wanted in self.partner.required:
            only, colon, rest = wanted.rpartition(":")
            parts = tuple(rest.split("*"))
            if (not colon or only == code) and not any(tuple(one)[: len(parts)] == parts for one in segments):
                self.fault("required", f"the partner requires {rest}")
        ts = self._set(code, segments) if made is None else attrs.evolve(made, segments=segments)
        for finding in validate(ts):
            if finding.severity == "error":
                self.fault("invalid", str(finding))
        self._refuse_if_faulty()
        return ts

    def _set(self, code: str, segments: Iterable[Segment]) -> TransactionSet:
        return TransactionSet(code, segments, version=self.partner.version, findings=tuple(self.findings))

    def _totals(self, counted: int, told: list[str]) -> Segment:
        if self.partner.ctt02 is None:
            return as_segment(("CTT", str(counted)))
        quantities = [decimal_of("R", text) or Decimal(0) for text in told]
        if self.partner.ctt02 == "sum":
            return Segment("CTT", str(counted), self.real(sum(quantities, Decimal(0)), "CTT02", _HASH_DIGITS))
        return Segment("CTT", str(counted), number(hash_total(quantities)))

    def _refuse_if_faulty(self) -> None:
        if self.faults:
            texts = tuple(dict.fromkeys(text for _, text in self.faults))
            raise InvalidDocument(
                f"{self.name} cannot be written for {self.partner.receiver.id}: {len(texts)} fault(s).",
                faults=texts,
                cause=self.faults[0][0],
                cure="Correct the document in its source, or the partner's profile, and replay it.",
            )
