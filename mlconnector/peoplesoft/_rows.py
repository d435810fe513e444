"""Raw rows of any query of the customer's (PeopleSoft reference, sections 3 and 3.3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument, VendorFault
from mlconnector.peoplesoft._source import EARLIEST, LATEST, Source
from mlconnector.peoplesoft._walk import MOST_ROWS, Asked, Groups
from mlconnector.records import Batch, RawRows, Window

__all__ = ["RowsReader"]

_ROW_NUMBER = "attr:rownumber"


def _data(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != _ROW_NUMBER}


@attrs.frozen(kw_only=True)
class RowsReader(RawRows):
    """Rows of one query as the server sends them; they leave no cursor.

    Args:
        name: The query. ``params``: value by prompt. ``columns``: fields to return, all of them where empty.
        after: The prompt that takes the last key, and the row key that holds it; ``None``: no such prompt.
    """

    source: Source
    name: str
    params: Mapping[str, str]
    columns: tuple[str, ...]
    after: tuple[str, str] | None
    system: str = "peoplesoft"

    def read(self, window: Window) -> Iterator[Batch[dict[str, Any]]]:
        """Pages of rows."""
        size = self.source.page_size if window.limit is None else max(1, min(self.source.page_size, window.limit))
        known = self._known_after()
        if known is None:
            yield self._one_answer(window.limit, size)
            return
        prompt, field = known
        columns = self.columns if not self.columns or field in self.columns else (*self.columns, field)
        clock: dt.datetime | None = None

        def ask(key: str, maxrows: int) -> Asked:
            nonlocal clock
            answer = self.source.service.run(
                self.name, list({**self._params(), prompt: key}.items()), maxrows=maxrows, columns=columns
            )
            clock = clock or answer.clock
            return Asked(answer.rows, answer.clock)

        walk = Groups(ask, field, self.name, size, self.source.cap).walk(self._params().get(prompt, ""))
        for groups, _clock in walk:
            if any(group.cut for group in groups):
                raise VendorFault(
                    f"peoplesoft: query {self.name} has more rows for {field} {groups[-1].key!r} than one answer of the"
                    " user's query profile may hold.",
                    cure="The PeopleSoft administrator raises the profile's maximum rows to fetch.",
                    fault="administrator",
                    system="peoplesoft",
                )
            yield Batch(documents=[_data(row) for group in groups for row in group.rows], clock=clock)
        yield Batch(clock=clock, last=True)

    def _known_after(self) -> tuple[str, str] | None:
        if self.after is not None:
            return self.after
        for layout in self.source.layouts.values():
            if layout.name == self.name and layout.query.after:
                return layout.prompts[layout.query.after], layout.row_key(layout.query.key)
        return None

    def _params(self) -> Mapping[str, str]:
        """What is given; for a query of the contract, with all its prompts in their order."""
        for layout in self.source.layouts.values():
            if layout.name == self.name:
                usual = {
                    "BU": next(iter(self.source.units), ""),
                    "SETID": next(iter(self.source.setids), ""),
                    "FROM_DT": EARLIEST,
                    "TO_DT": LATEST,
                    "ASOF_DT": self.source.today().isoformat(),
                }
                return {own: usual.get(prompt, "") for prompt, own in layout.prompts.items()} | dict(self.params)
        return self.params

    def _one_answer(self, limit: int | None, size: int) -> Batch[dict[str, Any]]:
        """All rows in one answer, which must be shorter than what was asked for."""
        prompts: Sequence[tuple[str, str]] = list(self._params().items())
        size = size if limit is None else limit
        while True:
            answer = self.source.service.run(self.name, prompts, maxrows=max(1, size), columns=self.columns)
            count = len(answer.rows)
            if limit is not None and count >= limit:
                break
            if count < size and not self.source.cap.reached(count):
                break
            if count < size or size >= MOST_ROWS:
                raise InvalidArgument(
                    f"{self.name} has more rows than the {count} of one answer, and no key to go on by.",
                    cure="Give after=(prompt, row key) of a prompt that means strictly greater, narrow params=, or set"
                    " limit=.",
                )
            size = min(4 * size, MOST_ROWS)
        self.source.cap.saw(count)
        return Batch(documents=[_data(row) for row in answer.rows], clock=answer.clock, last=True)
