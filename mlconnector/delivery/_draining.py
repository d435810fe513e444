"""Draining the queue: one call after the other, or several at once, each of another key and another record.

Where the target allows several (delivery rules 3 to 5, 7), threads make ready, look and send; intents and outcomes are
written in one place, those of several calls in one transaction. What holds for one call holds for each: its intent is
on record before its first byte, its answer is put on record under the fence, and one that was cut off is in doubt.
"""

from __future__ import annotations

import contextvars
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import attrs

from mlconnector.delivery._database import Row
from mlconnector.delivery._job import Job
from mlconnector.delivery._sending import Call, Ready, Sender
from mlconnector.target import Prepared

__all__ = ["drain"]


@attrs.define(eq=False)
class _Lane:
    """One call from being made ready to its answer.

    Attributes:
        begun: The turn in which it was begun. ``call``: what is sent. ``markers``: of the records that it writes.
    """

    rows: Sequence[Row]
    begun: int
    call: Call | None = None
    markers: frozenset[str] = frozenset()


def drain(
    job: Job,
    sender: Sender,
    *,
    stopped: Callable[[], bool],
    limit: int | None,
    newer_than: int = 0,
    keys: frozenset[str] | None = None,
) -> None:
    """Send until nothing is queued that was not tried in this run.

    Args:
        stopped: Ends it between two calls. ``limit``: at most so many in this run.
        newer_than: Only deliveries recorded after this one. ``keys``: only those of these keys.

    Raises:
        MLConnectorError: A dead login, a refused permission, a vendor out of reach, or too many parked alike.
    """

    def queued(room: int, under_way: int) -> list[Row]:
        room = room if limit is None else min(room, limit - sender.sent - under_way)
        return sender.queued(room, newer_than, keys) if room > 0 and not stopped() else []

    try:
        if job.lanes > 1:
            _Lanes(job, sender, queued).drain()
            return
        while rows := queued(job.target.batch_size, 0):
            ready = sender.ready(rows)
            for call in sender.intend([ready]) if ready else ():
                sender.conclude([(call, sender.called(call))])
            sender.check_parked()
    finally:
        sender.over()


class _Lanes:
    """The calls of one drain that are under way.

    Two documents of different keys may mean one record in the target: one supplier's invoice, recorded twice. Who came
    second must see in its look-up what the first one made. So a delivery whose marker was under way while it was made
    ready is made ready again, once that is over; the ledger itself keeps keys apart.

    Args:
        queued: The next deliveries: at most so many, so many being under way.
    """

    def __init__(self, job: Job, sender: Sender, queued: Callable[[int, int], list[Row]]) -> None:
        self._job, self._sender, self._queued = job, sender, queued
        self._under_way: dict[Future[Any], _Lane] = {}
        self._turn = 0
        self._ended: dict[str, int] = {}
        self._held: defaultdict[str, list[int]] = defaultdict(list)

    def drain(self) -> None:
        """See :func:`drain`. Whatever ends it, calls under way are awaited, and what they came to is put on record."""
        failed: Exception | None = None
        with ThreadPoolExecutor(self._job.lanes, thread_name_prefix="mlconnector-deliver") as pool:
            while failed is None or self._under_way:
                try:
                    if failed is None:
                        self._begin(pool)
                    if not self._under_way:
                        break
                    done, _ = wait(self._under_way, return_when=FIRST_COMPLETED)
                    self._take_turn(pool, done, going_on=failed is None)
                except Exception as error:  # noqa: BLE001 - raised, once nothing is under way any more
                    failed = failed or error
        if failed is not None:
            raise failed

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        size = self._job.target.batch_size
        under_way = sum(len(lane.rows) for lane in self._under_way.values())
        rows = self._queued((self._job.lanes - len(self._under_way)) * size, under_way)
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            self._submit(pool, self._sender.ready, part, _Lane(part, self._turn))

    def _submit(self, pool: ThreadPoolExecutor, work: Callable[[Any], Any], what: Any, lane: _Lane) -> None:
        self._under_way[pool.submit(contextvars.copy_context().run, work, what)] = lane

    def _take_turn(self, pool: ThreadPoolExecutor, done: Iterable[Future[Any]], *, going_on: bool) -> None:
        """Outcomes of what was answered, then intents of what is ready, then their calls."""
        lanes = [(future, self._under_way.pop(future)) for future in done]
        self._turn += 1
        ready = [(lane, future) for future, lane in lanes if lane.call is None]
        try:
            self._sender.conclude([(lane.call, future.result()) for future, lane in lanes if lane.call is not None])
        finally:
            for _future, lane in lanes:
                self._release(lane)
        self._sender.check_parked()
        found = [(lane, future.result()) for lane, future in ready]
        if going_on:
            self._send(pool, found)
        self._forget()

    def _send(self, pool: ThreadPoolExecutor, lanes: Iterable[tuple[_Lane, Ready]]) -> None:
        busy = {marker for lane in self._under_way.values() for marker in lane.markers}
        fit = []
        for lane, found in lanes:
            ready = [one for one in found if self._apart(lane, *one, busy)]
            lane.markers = frozenset(one.marker for _row, one in ready if isinstance(one.marker, str))
            busy |= lane.markers
            if ready:
                fit.append((lane, ready))
        calls = self._sender.intend([ready for _lane, ready in fit]) if fit else []
        for (lane, _ready), call in zip(fit, calls, strict=True):
            lane.call = call
            self._submit(pool, self._sender.called, call, lane)

    def _apart(self, lane: _Lane, row: Row, prepared: Prepared, busy: Collection[str]) -> bool:
        """It does not mean a record that was under way since it was looked for."""
        marker = prepared.marker if isinstance(prepared.marker, str) else ""
        if marker in busy:
            self._held[marker].append(row["id"])
        elif self._ended.get(marker, -1) > lane.begun:
            self._job.tried.discard(row["id"])
        else:
            return True
        return False

    def _release(self, lane: _Lane) -> None:
        for marker in lane.markers:
            self._ended[marker] = self._turn
            self._job.tried -= set(self._held.pop(marker, ()))

    def _forget(self) -> None:
        """What ended before every lane was begun is in nobody's way."""
        oldest = min((lane.begun for lane in self._under_way.values()), default=self._turn)
        self._ended = {marker: turn for marker, turn in self._ended.items() if turn > oldest}
