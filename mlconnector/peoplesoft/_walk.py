"""Paging by key until an answer is empty, safe under a cap of rows (PeopleSoft reference, section 3.3)."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence

import attrs

from mlconnector.errors import VendorFault
from mlconnector.peoplesoft._values import Row

__all__ = ["MOST_ROWS", "Asked", "Group", "Groups", "Pages", "RowCap", "before", "grouped"]

MOST_ROWS = 100_000
"""The largest ``maxrows`` sites are known to run (section 10)."""


class RowCap:
    """The cap of the user's query profile: it cuts answers without a sign, below ``maxrows`` (section 3).

    An answer shorter than one seen before was not cut. A short answer that more rows follow was: that is the cap.

    Args:
        given: ``row_cap=`` of the client.
    """

    def __init__(self, given: int | None = None) -> None:
        self._given, self._cap, self._most, self._unproven = given, given, 0, 0
        self._probing = threading.Lock()

    def __getstate__(self) -> dict[str, int | None]:
        return {"_given": self._given}

    def __setstate__(self, state: dict[str, int | None]) -> None:
        self.__init__(state["_given"])  # type: ignore[misc]  # what was learned belongs to the process

    def saw(self, rows: int) -> None:
        """An answer came with so many rows."""
        self._most = max(self._most, rows)
        if self._cap is not None and self._given is None and rows > self._cap:
            self._cap = None

    def cut(self, rows: int) -> None:
        """An answer was cut at so many rows, fewer than asked for."""
        self._cap = rows

    @property
    def known(self) -> bool:
        """The cap is known."""
        return self._cap is not None

    def reached(self, rows: int) -> bool:
        """An answer of so many rows is surely as long as the cap."""
        return self._cap is not None and rows >= self._cap

    def whole(self, rows: int, probe: Callable[[int], None]) -> bool:
        """An answer of so many rows, fewer than asked for, was not cut.

        Args:
            rows: How many came.
            probe: Asks for more rows than that of another query, and tells :meth:`saw` or :meth:`cut`.
        """
        if not self._proven(rows) and not self.reached(rows):
            with self._probing:
                if not self._proven(rows) and not self.reached(rows):
                    probe(rows)
                    # Where there are not so many rows in all, nothing shows a cap, and nothing can.
                    self._unproven = max(self._unproven, rows)
        return not self.reached(rows)

    def _proven(self, rows: int) -> bool:
        return rows == 0 or rows < self._most or rows <= self._unproven


@attrs.frozen
class Asked:
    """Rows of one answer, and the server's clock."""

    rows: Sequence[Row]
    clock: dt.datetime | None


Ask = Callable[[str, int], Asked]
"""Asks for rows after a key, at most so many."""


def was_cut(ask: Ask, after: str, size: int, rows: int, cap: RowCap) -> bool:
    """A short answer that more rows follow was cut, unless they have come since: then it has grown when asked again."""
    if cap.reached(rows):
        return True
    if len(ask(after, size).rows) != rows:
        return False
    cap.cut(rows)
    return True


def _text(row: Row, field: str) -> str:
    return str(row.get(field) or "").rstrip()


def _checked(asked: Asked, field: str, after: str, name: str, *, unique: bool) -> list[str]:
    """Keys of an answer, which must ascend from ``after``."""
    keys = [_text(row, field) for row in asked.rows]
    wrong = ""
    if "" in keys:
        wrong = f"has rows without {field}"
    elif after and after in keys:
        wrong = f"does not go on after {field} {after!r}"
    elif len(set(keys)) < (len(keys) if unique else sum(1 for _ in itertools.groupby(keys))):
        wrong = f"has several rows for one {field}" if unique else f"is not ordered by {field}"
    else:
        for one, following in itertools.pairwise([after, *keys]):
            # How a database orders letters and lengths is its own; digits of one length ascend everywhere.
            if one.isdecimal() and following.isdecimal() and len(one) == len(following) and following < one:
                wrong = f"is not ordered by {field}: {following!r} comes after {one!r}"
                break
    if wrong:
        raise VendorFault(
            f"peoplesoft: query {name} {wrong}.",
            cure="The PeopleSoft administrator corrects the query: its prompt for the last key must mean strictly"
            " greater, and its rows must be ordered by that key, ascending (docs/setup/peoplesoft.md).",
            fault="administrator",
            system="peoplesoft",
        )
    return keys


@attrs.frozen
class Pages:
    """Pages of a query that has one row a key.

    Args:
        ask: Asks it. ``field``: the key. ``name``: of the query, for errors.
        size: Rows a page. ``cap``: learns from every answer.
    """

    ask: Ask
    field: str
    name: str
    size: int
    cap: RowCap

    def walk(self, after: str) -> Iterator[tuple[Asked, str]]:
        """Answers with their last key, until one is empty; that one is not yielded."""
        asked = self.ask(after, self.size)
        while asked.rows:
            keys = _checked(asked, self.field, after, self.name, unique=True)
            self.cap.saw(len(keys))
            yield asked, keys[-1]
            following = self.ask(keys[-1], self.size)
            if following.rows and len(keys) < self.size and not self.cap.known:
                was_cut(self.ask, after, self.size, len(keys), self.cap)
            asked, after = following, keys[-1]


@attrs.frozen
class Group:
    """Rows of one key; ``cut``: the answer they came in may have been cut within them."""

    key: str
    rows: Sequence[Row]
    cut: bool = False


@attrs.frozen
class Groups:
    """Groups of a query that has several rows a key; the arguments are those of :class:`Pages`."""

    ask: Ask
    field: str
    name: str
    size: int
    cap: RowCap

    def walk(self, after: str) -> Iterator[tuple[Sequence[Group], dt.datetime | None]]:
        """Whole groups, until an answer is empty. The last group of an answer may be cut, and is asked for again."""
        size = self.size
        asked = self.ask(after, size)
        while asked.rows:
            _checked(asked, self.field, after, self.name, unique=False)
            found, rows = grouped(asked.rows, self.field), len(asked.rows)
            self.cap.saw(rows)
            if len(found) > 1:
                yield found[:-1], asked.clock
                after, size = found[-2].key, self.size
            elif rows >= size < MOST_ROWS:
                size = min(2 * size, MOST_ROWS)
            else:
                following = self.ask(found[0].key, self.size)
                cut = rows >= size or self.cap.reached(rows)
                if following.rows and not cut:
                    cut = was_cut(self.ask, after, size, rows, self.cap)
                    if not cut:
                        asked = self.ask(after, size)
                        continue
                yield [attrs.evolve(found[0], cut=cut)], asked.clock
                after, size, asked = found[0].key, self.size, following
                continue
            asked = self.ask(after, size)


def grouped(rows: Sequence[Row], field: str) -> list[Group]:
    """Consecutive rows of one key."""
    return [Group(key, list(own)) for key, own in itertools.groupby(rows, key=lambda row: _text(row, field))]


def before(key: str) -> str:
    """A key lower than this one with few others between: to be asked for what comes strictly after."""
    if key.isdecimal() and key.isascii() and int(key) > 0:
        return f"{int(key) - 1:0{len(key)}}"
    return key[:-1]
