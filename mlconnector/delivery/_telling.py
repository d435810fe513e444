"""Spans of documents: from being prepared to what the target said of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from mlconnector._watching import Span, start, watched
from mlconnector.delivery._database import Row
from mlconnector.delivery._job import Job

__all__ = ["DocumentSpans", "watched_document"]


def _begin(job: Job, row: Row) -> Span:
    return start("document", sync=job.sync, kind=job.settings.kind, key=row["key"], revision=row["revision"])


def _end(job: Job, row: Row, span: Span, error: BaseException | None = None) -> None:
    span.note(state=job.report.outcome.get(row["key"]))
    span.end(error)


@contextmanager
def watched_document(job: Job, row: Row) -> Iterator[None]:
    """One document while the block runs, with the state it came to."""
    span = _begin(job, row)
    try:
        with span.current():
            yield
    except BaseException as error:
        _end(job, row, span, error)
        raise
    _end(job, row, span)


class DocumentSpans:
    """One span a document, although many are prepared before they are sent together."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._open: dict[int, tuple[Row, Span]] = {}

    @contextmanager
    def preparing(self, row: Row) -> Iterator[None]:
        """It is made ready; its look-ups belong to it."""
        self.end([row])
        span = _begin(self._job, row)
        self._open[row["id"]] = row, span
        try:
            with span.current():
                yield
        except BaseException as error:
            self.end([row], error)
            raise

    def sending(self, rows: Sequence[Row]) -> AbstractContextManager[object]:
        """They are sent; a call for one belongs to it, a call for several to a span of its own."""
        if len(rows) == 1:
            return self._open[rows[0]["id"]][1].current()
        return watched("batch", sync=self._job.sync, kind=self._job.settings.kind, documents=len(rows))

    def end(self, rows: Sequence[Row], error: BaseException | None = None) -> None:
        """What became of them is on record, or they are not sent."""
        for row in rows:
            _row, span = self._open.pop(row["id"], (row, None))
            if span is not None:
                _end(self._job, row, span, error)

    def end_all(self) -> None:
        """What was made ready is not sent in this run."""
        self.end([row for row, _span in self._open.values()])
