"""What a judge refuses although the standard allows it: every case, and why the writing stays as it is.

A refusal that is not here fails the tests; so does an entry that is never met.
"""

from __future__ import annotations

import re

import attrs

_SHORT = "its code list is a choice of the public one"
_GAP = "its set leaves the segment out"


@attrs.frozen
class Limit:
    """``finding``: how mock-edi puts it, from the start. ``sets``: of which sets. ``why``: by what it is right."""

    sets: str
    finding: str
    why: str

    def covers(self, code: str, finding: str) -> bool:
        return code in self.sets.split() and re.match(self.finding, finding) is not None


LIMITS = (
    Limit("850 855 860 810", r"(PO1|POC|IT1)\d\d LO: ", f"{_SHORT}; a service is unit LO by rule B14"),
    Limit("810", "N101 RI: ", f"{_SHORT}; RI is in section 6, and rule B20 names the supplier so"),
    Limit("810 820", "REF01 CR: ", f"{_SHORT}; CR, the customer's reference, is in section 6"),
    Limit("820", "RMR01 CM: ", f"{_SHORT}; CM is in section 7, and rule B30 asks for it"),
    Limit("855", "BAK02 AT: ", f"{_SHORT}; AT is in section 6"),
    Limit("850 860", "(N9|MSG): .* not a segment this", f"{_GAP}; section 7 has N9 and MSG"),
    Limit("810", "NTE: .* not a segment this", f"{_GAP}; section 7 has NTE(100)"),
    Limit("856", "MAN: .* not a segment this", f"{_GAP}; section 7 has MAN, nothing else carries an SSCC"),
    Limit("850 860", "SAC: .* not at this point", "its header has no SAC; section 7 has the loop before ITD"),
    Limit("850 855", "PO1(02|03|04|06|07) : .* mandatory", "all of PO1 is optional (section 7)"),
    Limit("810", "IT1(02|03|04|06|07) : .* mandatory", "all of IT1 is optional (section 7)"),
)
