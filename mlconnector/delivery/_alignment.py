"""What an alignment says: who is who on both sides, what is not, and what that holds up (rule B80)."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Literal

import attrs

from mlconnector._html import table
from mlconnector.delivery._table import text_table

__all__ = ["STATUSES", "Aligned", "Alignment", "Status"]

Status = Literal["matched", "missing_here", "missing_there", "renamed", "inactive", "ambiguous", "not_ready"]
STATUSES: tuple[Status, ...] = (
    "matched",
    "missing_here",
    "missing_there",
    "renamed",
    "inactive",
    "ambiguous",
    "not_ready",
)
_HEAD = ("kind", "status", "here", "there", "documents", "holds up", "why")
_COLUMNS = (
    *("kind", "status", "here_id", "here_name", "there_id", "there_name", "by", "why", "candidates", "documents"),
    *("amount", "written"),
)
_SHOWN = 50


@attrs.frozen(kw_only=True)
class Aligned:
    """One supplier, account or cost centre, as both sides know it.

    Args:
        kind: ``"suppliers"``, ``"accounts"``, ``"cost_centers"``.
        status: ``matched``, ``missing_here`` (the source lacks it), ``missing_there``, ``renamed`` (the same, under
            another name), ``inactive``, ``ambiguous`` (several could be meant; none is taken) or ``not_ready``.
        here_id, here_name: In the source. ``there_id``, ``there_name``: in the target.
        by: What tells that they are the same: ``"link"``, ``"delivery"``, ``"route"``, ``"number"`` or ``"name"``.
        why: What is wrong. ``candidates``: ids that could be meant.
        documents: Keys of documents that name it and have not been delivered. ``amount``: their sum by currency.
        written: What ``write=True`` changed there.
    """

    kind: str
    status: Status
    here_id: str = ""
    here_name: str = ""
    there_id: str = ""
    there_name: str = ""
    by: str = ""
    why: str = ""
    candidates: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    amount: Mapping[str, Decimal] = attrs.field(factory=dict)
    written: str = ""


def _sums(amount: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{value} {currency}".strip() for currency, value in sorted(amount.items()))


@attrs.frozen(kw_only=True)
class Alignment:
    """Both sides of a flow, held against each other; prints as a table, in notebooks too.

    Args:
        flow: Name of the flow. ``systems``: source and target, by kind.
        owners: By kind, which system owns which attribute.
        items: Everything, in the source's order; what only the target has comes last.
    """

    flow: str
    systems: Mapping[str, tuple[str, str]]
    owners: Mapping[str, Mapping[str, str]]
    links: Mapping[str, str] = attrs.field(repr=False)
    items: tuple[Aligned, ...] = attrs.field(repr=False)

    def of(self, status: Status, kind: str | None = None) -> tuple[Aligned, ...]:
        """Items of a status, of every kind or of one."""
        return tuple(item for item in self.items if item.status == status and kind in (None, item.kind))

    @property
    def matched(self) -> tuple[Aligned, ...]:
        """Known on both sides, active, ready, and of one name."""
        return self.of("matched")

    @property
    def missing_here(self) -> tuple[Aligned, ...]:
        """The target has it, the source does not."""
        return self.of("missing_here")

    @property
    def missing_there(self) -> tuple[Aligned, ...]:
        """The source has it, the target does not."""
        return self.of("missing_there")

    @property
    def renamed(self) -> tuple[Aligned, ...]:
        """The same, under another name."""
        return self.of("renamed")

    @property
    def inactive(self) -> tuple[Aligned, ...]:
        """One of the sides says that it must not be used."""
        return self.of("inactive")

    @property
    def ambiguous(self) -> tuple[Aligned, ...]:
        """Several could be meant; a person links the right one."""
        return self.of("ambiguous")

    @property
    def not_ready(self) -> tuple[Aligned, ...]:
        """One of the sides cannot use it yet, or it cannot be read."""
        return self.of("not_ready")

    @property
    def problems(self) -> tuple[Aligned, ...]:
        """All that are not matched."""
        return tuple(item for item in self.items if item.status != "matched")

    @property
    def empty(self) -> bool:
        """There is nothing to align."""
        return not self.problems

    @property
    def ok(self) -> bool:
        """Nothing that is not matched holds up a document."""
        return not any(item.documents for item in self.problems)

    def rows(self, by: Iterable[str] = ("number", "name", "route")) -> list[dict[str, str]]:
        """What was matched without a link, as rows for ``crosswalk.preview`` and ``crosswalk.load``.

        Args:
            by: Only what was told by these.
        """
        chosen = frozenset(by)
        return [
            {
                "kind": self.links[item.kind],
                self.systems[item.kind][0]: item.here_id,
                self.systems[item.kind][1]: item.there_id,
            }
            for item in self.matched
            if item.by in chosen and item.there_id
        ]

    def export(self, path: str | os.PathLike[str]) -> int:
        """Write every item as CSV; returns how many."""
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            for item in self.items:
                values = {
                    **{name: getattr(item, name) for name in _COLUMNS},
                    "candidates": " ".join(item.candidates),
                    "documents": " ".join(item.documents),
                    "amount": _sums(item.amount),
                }
                writer.writerow([values[name] for name in _COLUMNS])
        return len(self.items)

    def _counts(self) -> str:
        counts = Counter((item.kind, item.status) for item in self.items)
        lines = []
        for kind, (here, there) in self.systems.items():
            parts = [f"{counts[kind, status]} {status.replace('_', ' ')}" for status in STATUSES]
            lines.append(f"{self.flow}: {kind} of {here} and {there}: {', '.join(parts)}")
        return "\n".join(lines)

    def _rows(self) -> list[tuple[str, ...]]:
        first = sorted(self.problems, key=lambda item: -len(item.documents))[:_SHOWN]
        return [
            (
                *(item.kind, item.status.replace("_", " ")),
                f"{item.here_id} {item.here_name}".strip(),
                f"{item.there_id} {item.there_name}".strip(),
                *(str(len(item.documents)), _sums(item.amount)),
                "; ".join(filter(None, (item.why, " or ".join(item.candidates), item.written))),
            )
            for item in first
        ]

    def __str__(self) -> str:
        more = len(self.problems) - _SHOWN
        rest = f"and {more} more" if more > 0 else ""
        return "\n".join(filter(None, (self._counts(), text_table(_HEAD, self._rows()), rest)))

    def _repr_html_(self) -> str:
        return table(_HEAD, self._rows(), caption=self._counts())
