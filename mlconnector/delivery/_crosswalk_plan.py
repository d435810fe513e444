"""What rows would do to the crosswalk: planned in memory, the same for a preview and for a load (rule B80)."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import attrs

from mlconnector._html import table
from mlconnector.delivery._table import text_table
from mlconnector.errors import InvalidArgument

__all__ = ["LinkChange", "LoadPreview", "Plan", "Rows", "read_rows", "write_rows"]

Rows = Iterable[Mapping[str, str]] | str | os.PathLike[str]
"""Rows like those of an export, or the path of a CSV file."""
_KIND = "kind"
_COMMONEST_FAULTS = 20


@attrs.frozen(kw_only=True)
class LinkChange:
    """What one row does.

    Args:
        row: Its number, from 1; the heading of a file does not count.
        outcome: ``"linked"``, ``"changed"`` (an id of an existing link is another one now), ``"unchanged"`` or
            ``"refused"``.
        ids: One id a system. ``was``: the ids that are given up.
        why: Why it is refused. ``held``: a second actor must confirm it (rule B7).
    """

    row: int
    outcome: Literal["linked", "changed", "unchanged", "refused"]
    kind: str
    ids: Mapping[str, str]
    was: Mapping[str, str] = attrs.field(factory=dict)
    why: str = ""
    held: bool = False
    link: int = attrs.field(default=0, repr=False)


def _ids(values: Mapping[str, str]) -> str:
    return ", ".join(f"{system} {value}" for system, value in values.items())


@attrs.frozen(kw_only=True)
class LoadPreview:
    """What a load would do; nothing was written. Prints as a table, in notebooks too."""

    changes: tuple[LinkChange, ...]

    @property
    def ok(self) -> bool:
        """No row is refused."""
        return not self.refused

    @property
    def linked(self) -> tuple[LinkChange, ...]:
        """New links, and ids added to a link."""
        return self._of("linked")

    @property
    def changed(self) -> tuple[LinkChange, ...]:
        """Links of which an id is replaced."""
        return self._of("changed")

    @property
    def unchanged(self) -> tuple[LinkChange, ...]:
        """Rows that say what is known."""
        return self._of("unchanged")

    @property
    def refused(self) -> tuple[LinkChange, ...]:
        """Rows that cannot be meant, with the reason."""
        return self._of("refused")

    def _of(self, outcome: str) -> tuple[LinkChange, ...]:
        return tuple(change for change in self.changes if change.outcome == outcome)

    def _told(self) -> list[tuple[str, ...]]:
        told = [change for change in self.changes if change.outcome != "unchanged"]
        return [
            (
                str(change.row),
                change.outcome + (", waits for a second actor" if change.held else ""),
                change.kind,
                _ids(change.ids),
                _ids(change.was) or change.why,
            )
            for change in told
        ]

    def _title(self) -> str:
        counts = Counter(change.outcome for change in self.changes)
        parts = [f"{counts[name]} {name}" for name in ("linked", "changed", "unchanged", "refused")]
        return f"crosswalk: {', '.join(parts)}; nothing written"

    def __str__(self) -> str:
        return "\n".join(filter(None, (self._title(), text_table(_HEAD, self._told()))))

    def _repr_html_(self) -> str:
        return table(_HEAD, self._told(), caption=self._title())

    def raise_for_refused(self) -> None:
        """Raise where a row is refused.

        Raises:
            InvalidArgument: With the row numbers and reasons.
        """
        if self.refused:
            faults = [f"row {change.row}: {change.why}" for change in self.refused]
            more = len(faults) - _COMMONEST_FAULTS
            shown = faults[:_COMMONEST_FAULTS] + ([f"and {more} more"] if more > 0 else [])
            raise InvalidArgument(
                f"{len(faults)} of {len(self.changes)} rows are refused, nothing was written: {'; '.join(shown)}.",
                cure="Correct those rows; crosswalk.preview(...) shows what each row would do.",
            )


_HEAD = ("row", "", "kind", "ids", "instead of / why")


class Plan:
    """The crosswalk as it would be after the rows so far.

    Args:
        rows: ``(kind, system, id, link)`` of the crosswalk as it is.
        held_kinds: Kinds whose changes wait for a second actor.
    """

    def __init__(self, rows: Iterable[Sequence[object]], held_kinds: frozenset[str] = frozenset()) -> None:
        self._links: dict[tuple[str, str, str], int] = {}
        self._members: dict[tuple[str, int], dict[str, str]] = {}
        self._said: dict[tuple[str, int], int] = {}
        self._held_kinds = held_kinds
        self._new = 0
        for kind, system, value, link in rows:
            self._put(str(kind), int(str(link)), str(system), str(value))

    def _put(self, kind: str, link: int, system: str, value: str) -> None:
        self._links[kind, system, value] = link
        self._members.setdefault((kind, link), {})[system] = value

    def change(self, row: int, kind: str, ids: Mapping[str, str]) -> LinkChange:
        """What this row does, after those before it."""
        why = self._fault(kind, ids)
        links = {found for system, value in ids.items() if (found := self._links.get((kind, system, value)))}
        if not why and len(links) > 1:
            why = "its ids belong to different links; unlink one of them first, joining is never guessed"
        if why:
            return LinkChange(row=row, outcome="refused", kind=kind, ids=ids, why=why)
        if not links:
            self._new -= 1
        link = links.pop() if links else self._new
        members = self._members.get((kind, link), {})
        was = {system: members[system] for system in ids if members.get(system, ids[system]) != ids[system]}
        said = self._said.get((kind, link))
        if was and said is not None:
            return LinkChange(row=row, outcome="refused", kind=kind, ids=ids, why=f"it contradicts row {said}")
        same = not was and set(ids) <= set(members)
        self._said[kind, link] = row
        if same:
            return LinkChange(row=row, outcome="unchanged", kind=kind, ids=ids, link=link)
        for system, value in was.items():
            del self._links[kind, system, value]
        for system, value in ids.items():
            self._put(kind, link, system, value)
        outcome: Literal["linked", "changed"] = "changed" if was else "linked"
        held = kind in self._held_kinds
        return LinkChange(row=row, outcome=outcome, kind=kind, ids=ids, was=was, link=link, held=held)

    @staticmethod
    def _fault(kind: str, ids: Mapping[str, str]) -> str:
        if not kind:
            return "it has no kind"
        return "" if len(ids) > 1 else "it has ids of fewer than two systems"

    def changes(self, rows: Iterable[Mapping[str, str]]) -> tuple[LinkChange, ...]:
        """What the rows do, one after the other."""
        return tuple(
            self.change(
                number,
                (row.get(_KIND) or "").strip(),
                {system: value for system, value in row.items() if system != _KIND and value},
            )
            for number, row in enumerate(rows, start=1)
        )


def read_rows(source: Rows) -> Iterator[dict[str, str]]:
    """Rows, or those of a CSV file (UTF-8; comma or semicolon; blanks before an id are part of it, behind it not).

    Raises:
        InvalidArgument: The file has no heading with ``kind`` and two systems, or a row is longer than it.
    """
    if not isinstance(source, (str, os.PathLike)):
        yield from (dict(row) for row in source)
        return
    with Path(source).open(encoding="utf-8-sig", newline="") as file:
        heading = file.readline()
        delimiter = ";" if heading.count(";") > heading.count(",") else ","
        names = [name.strip() for name in next(csv.reader([heading], delimiter=delimiter), [])]
        if _KIND not in names or len(set(names)) < max(3, len(names)) or not all(names):
            raise InvalidArgument(
                f"{os.fspath(source)} has the heading {heading.strip()!r}.",
                cure="Begin with a line like kind,jdedwards,bill: kind and a column for each system.",
            )
        for number, row in enumerate(csv.reader(file, delimiter=delimiter), start=1):
            if len(row) > len(names):
                raise InvalidArgument(
                    f"{os.fspath(source)}: row {number} has {len(row)} cells, the heading {len(names)}.",
                    cure="Correct it; an id that has the delimiter in it stands in quotation marks.",
                )
            if any(cell.strip() for cell in row):
                yield {name: cell.rstrip() for name, cell in zip(names, row, strict=False)}


def write_rows(path: str | os.PathLike[str], rows: Sequence[Mapping[str, str]]) -> None:
    """Write links as CSV, for :func:`read_rows`."""
    systems = sorted({name for row in rows for name in row} - {_KIND})
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [_KIND, *systems], restval="")
        writer.writeheader()
        writer.writerows(rows)
