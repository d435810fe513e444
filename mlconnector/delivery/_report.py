"""What a run did: counts that add up (rule B10), what needs a person, and previews of a dry run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import attrs

from mlconnector._html import notes, table
from mlconnector.delivery._rows import Attention
from mlconnector.errors import DocumentError, MLConnectorError

__all__ = ["CATEGORIES", "KindReport", "Preview", "Report"]

CATEGORIES = ("delivered", "unchanged", "waiting", "excluded", "parked", "in_doubt", "queued", "baselined")
"""What became of a key, by its newest revision; with ``read`` the equation of rule B10."""


@attrs.frozen(kw_only=True)
class Preview:
    """What a dry run would send: exact payload with the next control numbers, or the faults that park it."""

    kind: str
    key: str
    action: str
    payload: str = ""
    marker: str | None = None
    faults: tuple[str, ...] = ()

    def __str__(self) -> str:
        head = f"{self.action} {self.kind} {self.key}"
        if self.faults:
            return f"{head}: would be parked: {'; '.join(self.faults)}"
        return f"{head} as {self.marker}\n{self.payload}" if self.marker else f"{head}\n{self.payload}"


@attrs.define(kw_only=True)
class KindReport:
    """One kind of document in one run; every key counts once."""

    kind: str
    outcome: dict[str, str] = attrs.field(factory=dict, repr=False)
    why: dict[str, str] = attrs.field(factory=dict, repr=False)
    previews: list[Preview] = attrs.field(factory=list, repr=False)
    stopped: MLConnectorError | None = None

    def note(self, key: str, category: str, reason: str = "") -> None:
        """A key came to this category; an earlier one of the same run no longer counts.

        Args:
            reason: Why, counted in ``reasons``.
        """
        self.outcome[key] = category
        self.why.pop(key, None)
        if reason:
            self.why[key] = reason

    @property
    def reasons(self) -> Counter[str]:
        """Why keys wait, are excluded, parked or in doubt, with how many for each reason."""
        return Counter(self.why.values())

    def count(self, category: str) -> int:
        """How many keys came to a category."""
        return sum(1 for found in self.outcome.values() if found == category)

    @property
    def read(self) -> int:
        """Keys this run dealt with: read from the source, waiting, or still queued from before."""
        return len(self.outcome)

    @property
    def delivered(self) -> int:
        """Sent in this run, or found to have arrived."""
        return self.count("delivered")

    @property
    def unchanged(self) -> int:
        """The target has this content already."""
        return self.count("unchanged")

    @property
    def waiting(self) -> int:
        """Not yet fit to go (rules B10, B21); looked at again at every run."""
        return self.count("waiting")

    @property
    def excluded(self) -> int:
        """Not meant to go; ``reasons`` says why."""
        return self.count("excluded")

    @property
    def parked(self) -> int:
        """Needs a person."""
        return self.count("parked")

    @property
    def in_doubt(self) -> int:
        """Sent, outcome unknown; settled by looking."""
        return self.count("in_doubt")

    @property
    def queued(self) -> int:
        """Recorded, goes with the next run."""
        return self.count("queued")

    @property
    def baselined(self) -> int:
        """Known from the first day, not sent (rule B2)."""
        return self.count("baselined")

    @property
    def balanced(self) -> bool:
        """The equation of rule B10 holds."""
        return self.read == sum(self.count(category) for category in CATEGORIES)

    @property
    def ok(self) -> bool:
        """Nothing needs a person, nothing is in doubt, nothing stopped it."""
        return self.stopped is None and not (self.parked or self.in_doubt)


@attrs.define(kw_only=True)
class Report:
    """What a run did.

    Attributes:
        kinds: One :class:`KindReport` a kind.
        attention: Open attention items of the flow.
        dry_run: Nothing was sent and nothing was written.
    """

    flow: str
    kinds: Mapping[str, KindReport]
    attention: tuple[Attention, ...] = ()
    dry_run: bool = False

    @property
    def ok(self) -> bool:
        """Every kind is."""
        return all(kind.ok for kind in self.kinds.values())

    @property
    def previews(self) -> list[Preview]:
        """What a dry run would send, all kinds."""
        return [preview for kind in self.kinds.values() for preview in kind.previews]

    def raise_for_failures(self) -> None:
        """Raise where a person is needed or a kind was stopped.

        Raises:
            MLConnectorError: What stopped a kind; else ``DocumentError`` with the counts.
        """
        for kind in self.kinds.values():
            if kind.stopped is not None:
                raise kind.stopped
        if not self.ok:
            error = DocumentError(
                f"{self.flow}: documents are parked or in doubt.",
                faults=tuple(
                    f"{name}: {kind.parked} parked, {kind.in_doubt} in doubt"
                    for name, kind in self.kinds.items()
                    if not kind.ok
                ),
                cure='Look at ledger.deliveries(state="parked"), mend the cause, then flow.replay().',
            )
            error.report = self
            raise error

    def _table(self) -> list[list[str]]:
        head = ["", "read", *(name.replace("_", " ") for name in CATEGORIES)]
        rows = [
            [name, str(kind.read), *(str(kind.count(category)) for category in CATEGORIES)]
            for name, kind in self.kinds.items()
        ]
        return [head, *rows]

    def _notes(self) -> list[str]:
        notes = [
            f"{name}: {count} x {reason}" for name, kind in self.kinds.items() for reason, count in kind.reasons.items()
        ]
        notes += [f"{name}: stopped: {kind.stopped}" for name, kind in self.kinds.items() if kind.stopped is not None]
        return notes + [f"attention: {item}" for item in self.attention]

    def __str__(self) -> str:
        table = self._table()
        widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
        lines = [f"{self.flow}{' (dry run, nothing sent)' if self.dry_run else ''}"]
        for row in table:
            cells = [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
            lines.append("  ".join(cells))
        return "\n".join([*lines, *(f"  {note}" for note in self._notes())])

    def _repr_html_(self) -> str:
        head, *rows = self._table()
        caption = f"{self.flow}{' (dry run, nothing sent)' if self.dry_run else ''}"
        previews = [(one.action, one.kind, one.key, one.marker, one.faults) for one in self.previews]
        shown = table(("action", "kind", "key", "would go as", "would be parked for"), previews) if previews else ""
        return table(head, rows, caption=caption) + notes(self._notes()) + shown
