"""What mock-edi notes or refuses although the standard allows it: every case, by what it is right, and the proof.

mock-edi says of itself that it covers "the commonly traded core of each set, not the full standard", and tells two
severities apart: an *error* it accepts and notes (AK501 E), a *fatal* one it rejects (AK501 R). By default it accepts
whatever the mappers write, but for the two entries with ``rejected``, where the document does not know the value.

A finding that is not here fails the tests; so does an entry that is never met, and one that our dictionary, made from
other public tables, does not prove.
"""

from __future__ import annotations

import re

import attrs


@attrs.frozen
class Limit:
    """One case.

    Args:
        sets: Of which sets. ``finding``: how mock-edi puts it, from the start.
        why: The rule or the section of the X12 reference by which it stays.
        proof: What the dictionary must say: ``"N101 RI"``, a code of an element; ``"850 N9"``, a segment of a set that
            stands in no loop of another; ``"PO104"``, an optional element.
        rejected: A set with it is rejected, not only noted.
    """

    sets: str
    finding: str
    why: str
    proof: tuple[str, ...]
    rejected: bool = False

    def covers(self, code: str, finding: str) -> bool:
        return code in self.sets.split() and re.match(self.finding, finding) is not None


LIMITS = (
    Limit("850 855 860 810", r"(PO1|POC|IT1|ACK)\d\d LO: ", "rule B14: a service is unit LO", ("PO103 LO", "IT103 LO")),
    Limit("810", "N101 RI: ", "rule B20: N1 SE and RI name the supplier", ("N101 RI",)),
    Limit("820", "RMR01 CM: ", "rule B30: a credit is RMR*CM", ("RMR01 CM",)),
    Limit("810 820", "REF01 CR: ", "section 6: CR is the customer's reference", ("REF01 CR",)),
    Limit("855", "BAK02 AT: ", "section 6: AT is accepted; the answer says so", ("BAK02 AT",)),
    Limit("850 855 860 810", r"(PO1|POC|IT1)\d\d ZZ: ", "section 7: guides ask for a pair", ("PO106 ZZ", "IT106 ZZ")),
    Limit("850 860", "(N9|MSG): .* not a segment this", "section 7; rule B14: texts are MSG", ("850 N9", "860 N9")),
    Limit("810", "NTE: .* not a segment this", "section 7: NTE(100)", ("810 NTE",)),
    Limit("856", "MAN: .* not a segment this", "section 7: MAN alone carries an SSCC", ("856 MAN",)),
    Limit("850 860", "SAC: .* not at this point", "section 7: the header has SAC, before ITD", ("850 SAC", "860 SAC")),
    Limit("850 855", "PO104 : .* mandatory", "section 7: an unknown price is left empty", ("PO104",), rejected=True),
    Limit("855", "PO10[23] : .* mandatory", "a quantity that nobody tells", ("PO102", "PO103"), rejected=True),
)
