"""What came in, read as documents: so that acting on it is an ordinary sync, under all its rules (delivery rule 14)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import attrs

from mlconnector.clock import Clock
from mlconnector.documents import Document
from mlconnector.records import Batch, Rejected, Window

__all__ = ["InboundReader"]

D = TypeVar("D", bound=Document)
_PAGE = 100


@attrs.frozen(kw_only=True)
class InboundReader(Generic[D]):
    """Documents made of what an inbox holds; of several under one key the one that came last.

    Args:
        kind: What they are.
        documents: Makes those that the window asks for, in the order they came; each is stamped with when it came to
            the state in which it is read, so that nothing which waited lies behind the cursor.
        clock: The ledger's.
    """

    kind: str
    documents: Callable[[Window], Sequence[D | Rejected]]
    clock: Clock
    system: str = "inbox"
    overlap: dt.timedelta = dt.timedelta(hours=2)
    resumable: bool = True
    filters: Mapping[str, Any] = attrs.field(factory=dict)

    def read(self, window: Window) -> Iterator[Batch[D]]:
        """Pages of documents, see :class:`~mlconnector.records.Reader`."""
        begin = self.clock.now()
        newest: dict[str, D | Rejected] = {}
        for item in self.documents(window):
            newest.pop(item.key, None)
            newest[item.key] = item
        wanted = [item for item in newest.values() if self._wanted(item, window)]
        for start in range(0, len(wanted), _PAGE):
            part = wanted[start : start + _PAGE]
            yield Batch(
                documents=[item for item in part if not isinstance(item, Rejected)],
                rejected=[item for item in part if isinstance(item, Rejected)],
                clock=begin,
            )
        yield Batch(clock=begin, last=True)

    @staticmethod
    def _wanted(item: D | Rejected, window: Window) -> bool:
        if window.keys is not None:
            return item.key in window.keys
        stamp = item.updated_at if isinstance(item, Rejected) else _stamp(item)
        return window.lower is None or stamp is None or stamp >= window.lower


def _stamp(document: Document) -> dt.datetime | None:
    return None if document.provenance is None else document.provenance.updated_at
