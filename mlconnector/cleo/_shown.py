"""What Cleo shows of files sent before: whose they are stands in their names (Cleo reference, sections 8.2 and 8.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from mlconnector import x12
from mlconnector.cleo._names import NameParts, name_parts, owner_of

__all__ = ["Shown", "floors", "is_sent", "same_set", "shown"]

# Every set that goes out.
_CODES = ("850", "860", "810", "820", "856", "997")
_TOLD_ANEW: Mapping[str, frozenset[int]] = {"BCH": frozenset({5, 11}), "BSN": frozenset({3, 4})}
"""Elements that say when or for how manieth time it is told: number and date of an 860, date and time of an 856."""


@attrs.frozen
class Shown:
    """One file of ours.

    Args:
        name: Its name, and what it says. ``path``: where it can be fetched; ``None`` where only a transfer tells of it.
        sent: It has left the outbox.
    """

    name: str
    parts: NameParts
    path: str | None
    sent: bool

    def is_of(self, code: str, sender: str, key: str) -> bool:
        """It tells of this document, in whatever set."""
        return owner_of(code, sender, key) == self.parts.owner


def is_sent(transfer: Mapping[str, Any]) -> bool:
    """It has come to its end, and well; any other word, an unknown one too, says not (section 8.3)."""
    return "".join(one for one in str(transfer.get("status")).lower() if one not in " -_") == "success"


def shown(files: Iterable[tuple[str, str | None, bool]]) -> list[Shown]:
    """The interchanges of this library among files by name, path and whether they were sent; each once."""
    found: dict[str, Shown] = {}
    for name, path, sent in files:
        parts, known = name_parts(name), found.get(name)
        if known is not None:
            found[name] = attrs.evolve(known, path=known.path or path, sent=known.sent or sent)
        elif parts is not None:
            found[name] = Shown(name, parts, path, sent)
    return list(found.values())


def same_set(content: bytes, text: str) -> bool:
    """Two files of one set each say the same, whatever their numbers, and whenever it was told."""
    read = [*x12.read(content, broken="yield")]
    (ours,) = x12.read(text)
    if len(read) != 1 or not isinstance(read[0], x12.TransactionSet):
        return False
    return all(
        one.elements and set(one.elements) <= _TOLD_ANEW.get(str(one.before and one.before.id), frozenset())
        for one in x12.diff(read[0], ours)
    )


def floors(sender: str, pair: str, files: Iterable[Shown]) -> dict[str, int]:
    """Counters of a pair, no lower than the highest number of this sender that is shown.

    A GS06 is taken with every ISA13 of its pair, so none was taken above that; several pairs in one folder only leave a
    gap (delivery rule 10).
    """
    highest = max((one.parts.number for one in files if one.parts.is_from(sender)), default=0)
    groups = {x12.TransactionSet(code, ()).functional_id for code in _CODES}
    names = (f"isa:{pair}", *(f"gs:{pair}:{group}" for group in sorted(groups)))
    return dict.fromkeys(names, highest) if highest else {}
