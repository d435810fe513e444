"""What a ``check()`` found, step by step, with the cause and the cure of each failure (design section 7)."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from mlconnector._html import table

__all__ = ["Check", "CheckStep"]


@attrs.frozen(kw_only=True)
class CheckStep:
    """One step: what was tried, and for a failure why, what mends it, and who does that."""

    name: str
    ok: bool
    detail: str = ""
    cause: str = ""
    cure: str = ""
    who: str = ""

    def __str__(self) -> str:
        line = f"{'ok  ' if self.ok else 'FAIL'}  {self.name}"
        line += f": {self.detail}" if self.detail else ""
        if not self.ok:
            line += f"\n        cause: {self.cause}\n        cure ({self.who}): {self.cure}"
        return line


def _steps(values: Iterable[CheckStep]) -> tuple[CheckStep, ...]:
    return tuple(values)


@attrs.frozen(kw_only=True)
class Check:
    """Everything a check tried; it wrote nothing."""

    system: str
    steps: tuple[CheckStep, ...] = attrs.field(default=(), converter=_steps)

    @property
    def ok(self) -> bool:
        """Every step is."""
        return all(step.ok for step in self.steps)

    def __str__(self) -> str:
        return "\n".join([self.system, *(f"  {step}" for step in self.steps)])

    def _repr_html_(self) -> str:
        rows = [
            ("ok" if step.ok else "FAIL", step.name, step.detail, step.cause, step.cure, step.who)
            for step in self.steps
        ]
        return table(("", "step", "detail", "cause", "cure", "who"), rows, caption=self.system)
