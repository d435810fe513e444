"""A flow: syncs and other parts that belong together, as one."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

from mlconnector._watching import watched
from mlconnector.check import Check, CheckStep
from mlconnector.delivery import _polling
from mlconnector.delivery._aligning import Aligning, align
from mlconnector.delivery._alignment import Alignment
from mlconnector.delivery._desk import Outcome
from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._part import Part
from mlconnector.delivery._polling import Health
from mlconnector.delivery._reconciliation import Reconciliation
from mlconnector.delivery._reconciling import Period, Recount, Recounting
from mlconnector.delivery._report import KindReport, Report
from mlconnector.delivery._rows import Delivery
from mlconnector.delivery._sync import Progress, StopSignal, Sync
from mlconnector.errors import InvalidArgument, MLConnectorError

__all__ = ["Flow"]


class Flow:
    """Several syncs under one name, bound to their systems (rule B3).

    Args:
        name: Names the flow in its ledger.
        parts: What it is made of, in the order they run: syncs, and what collects and applies answers.
        ledger: The durable memory.
        systems: Origin by system.
        begin_needed: True where an empty ledger must not start without ``begin`` (rule B2) and none was given.
        quiet: Kinds that a report leaves out where there was nothing to do.
        checks: What :meth:`check` asks besides the ledger, e.g. ``jde.check`` and ``cleo.check``.
        alignings: How :meth:`align` holds both systems against each other. ``recounts``: how :meth:`reconcile` counts
            again, by kind; a sync without one is read as it runs, and its target is not asked.

    Raises:
        InvalidArgument: A flow without parts.
    """

    def __init__(
        self,
        name: str,
        parts: Sequence[Part],
        *,
        ledger: Ledger,
        systems: Mapping[str, str],
        begin_needed: bool = False,
        checks: Sequence[Callable[[], Check]] = (),
        quiet: Collection[str] = (),
        alignings: Sequence[Aligning] = (),
        recounts: Mapping[str, Recount] | None = None,
    ) -> None:
        if not parts:
            raise InvalidArgument(f"{name} has no kinds to deliver.", cure="Name at least one kind.")
        self.name = name
        self.ledger = ledger
        self.parts: dict[str, Part] = {part.kind: part for part in parts}
        self.syncs: dict[str, Sync] = {part.kind: part for part in parts if isinstance(part, Sync)}
        self._systems = dict(systems)
        self._begin_needed = begin_needed
        self._checks = tuple(checks)
        self._quiet = frozenset(quiet)
        self._alignings = {aligning.kind: aligning for aligning in alignings}
        self._recounts = dict(recounts or {})

    @property
    def kinds(self) -> tuple[str, ...]:
        """The keys of ``report.kinds``."""
        return tuple(self.parts)

    def run(
        self,
        *,
        dry_run: bool = False,
        progress: Progress | None = None,
        stop: StopSignal | None = None,
        limit: int | None = None,
    ) -> Report:
        """Run every part once; see :meth:`Sync.run`.

        Raises:
            InvalidArgument: First run towards production partners without ``begin`` (rule B2).
            LedgerMismatch: The ledger knows this flow with other systems (rule B3).
            MLConnectorError: What stopped the run, with ``.report`` over all kinds.
        """
        if not dry_run:
            if self._begin_needed and not all(sync.started for sync in self.syncs.values() if sync.begin is None):
                raise InvalidArgument(
                    "begin=None: the first run of this flow would send whatever the source holds.",
                    cure='Say begin="nothing" (what exists is known, not sent), "everything", or an aware datetime;'
                    " look with run(dry_run=True) first (rule B2).",
                )
            self.ledger.bind(self.name, self._systems)
        with watched("run", flow=self.name, dry_run=dry_run) as run:
            report = self._run(dry_run=dry_run, progress=progress, stop=stop, limit=limit)
            run.note(ok=report.ok)
        return report

    def _run(self, *, dry_run: bool, progress: Progress | None, stop: StopSignal | None, limit: int | None) -> Report:
        reports: dict[str, KindReport] = {}
        left = limit
        for kind, part in self.parts.items():
            try:
                report = part.run(dry_run=dry_run, progress=progress, stop=stop, limit=left)
            except MLConnectorError as error:
                if error.report is not None:
                    reports[kind] = error.report.kinds[kind]
                    reports[kind].stopped = error
                error.report = self._merged(reports, dry_run=dry_run)
                if not dry_run:
                    _polling.note_run(self.ledger, self.name, error)
                raise
            reports[kind] = report.kinds[kind]
            if left is not None and isinstance(part, Sync):
                left = max(0, left - reports[kind].delivered)
        if not dry_run:
            _polling.note_run(self.ledger, self.name, None)
        return self._merged(reports, dry_run=dry_run)

    def _merged(self, reports: Mapping[str, KindReport], *, dry_run: bool) -> Report:
        names = {part.name for part in self.parts.values()}
        items = tuple(item for item in self.ledger.attention() if item.flow in names)
        told = {kind: one for kind, one in reports.items() if kind not in self._quiet or one.read or one.stopped}
        return Report(flow=self.name, kinds=told, attention=items, dry_run=dry_run)

    def replay(
        self,
        state: str = "parked",
        keys: Sequence[str] | None = None,
        cause: str | None = None,
        *,
        dry_run: bool = False,
        actor: str | None = None,
        reason: str | None = None,
    ) -> Report:
        """Send again, over all kinds; see :meth:`Sync.replay`."""
        reports = {
            kind: sync.replay(state, keys, cause, dry_run=dry_run, actor=actor, reason=reason).kinds[kind]
            for kind, sync in self.syncs.items()
        }
        return self._merged(reports, dry_run=dry_run)

    def reread(self, kind: str | None = None, *, actor: str, reason: str) -> None:
        """Read everything at the next run, of one kind or of all; see :meth:`Sync.reread`.

        Raises:
            InvalidArgument: A kind the flow does not have; nobody's decision, or one without a reason.
        """
        if kind is not None and kind not in self.syncs:
            raise InvalidArgument(f"kind={kind!r}.", cure=f"Use one of {', '.join(self.syncs)}.")
        for name, sync in self.syncs.items():
            if kind in (None, name):
                sync.reread(actor=actor, reason=reason)

    def settle(self, key: str, outcome: Outcome, *, kind: str | None = None, actor: str, reason: str) -> Delivery:
        """Say what became of a delivery; see :meth:`Sync.settle`. ``kind`` where the key is not of one kind only.

        Raises:
            InvalidArgument: No kind, or several, have an open delivery under the key.
        """
        if kind is not None and kind not in self.syncs:
            raise InvalidArgument(f"kind={kind!r}.", cure=f"Use one of {', '.join(self.syncs)}.")
        open_kinds = [
            name
            for name, sync in self.syncs.items()
            if kind in (None, name)
            and any(one.state in ("in doubt", "parked") for one in self.ledger.deliveries(sync.name, key=key))
        ]
        if len(open_kinds) != 1:
            raise InvalidArgument(
                f"{key!r} is open in {len(open_kinds)} kinds of {self.name}.", cure="Name the right key, and kind=."
            )
        return self.syncs[open_kinds[0]].settle(key, outcome, actor=actor, reason=reason)

    def align(
        self,
        kinds: Sequence[str] | None = None,
        write: bool = False,
        *,
        actor: str | None = None,
        reason: str | None = None,
    ) -> Alignment:
        """Hold suppliers, accounts and cost centres of both systems against each other (rule B80).

        Args:
            kinds: Some of those the flow aligns; all by default.
            write: Also change in the target what the source owns and the target owns nothing of; what is ambiguous,
                missing or inactive is never written.
            actor, reason: Who had it written, and why; needed with ``write``.

        Raises:
            InvalidArgument: A kind the flow does not align, or ``write`` without actor and reason.
        """
        chosen = list(self._alignings if kinds is None else kinds)
        if not set(chosen) <= set(self._alignings):
            raise InvalidArgument(
                f"kinds={kinds!r}.", cure=f"{self.name} aligns: {', '.join(self._alignings) or 'nothing'}."
            )
        if write and not ((actor or "").strip() and (reason or "").strip()):
            raise InvalidArgument(f"actor={actor!r}, reason={reason!r}.", cure="Say who writes, and why (rule B7).")
        return align(
            self.ledger,
            self.name,
            [self._alignings[kind] for kind in chosen],
            write=write,
            facts={"by": actor, "reason": reason},
            amounts={kind: recount.sent_amount for kind, recount in self._recounts.items()},
        )

    def reconcile(self, since: dt.date | dt.datetime, until: dt.date | dt.datetime) -> Reconciliation:
        """Recount the source's documents of a period against the ledger and the target; reads only (rule B81).

        A document counts for its business day: an invoice for its G/L date, others for their date.

        Args:
            since: First day, or an aware instant. ``until``: last day, included; an aware instant ends the period.

        Raises:
            InvalidArgument: A naive datetime, or an end that is not after the begin.
        """
        period, owners = Period.of(since, until), self.ledger.worklist.owners()
        counted = []
        for kind, sync in self.syncs.items():
            if kind not in self._quiet:
                counting = Recounting(sync, self._recounts.get(kind, Recount()), period, owners)
                counting.run()
                counted.append(counting)
        return Reconciliation(
            flow=self.name,
            first=period.first,
            last=period.last,
            balances=tuple(balance for one in counted for balance in one.balances),
            findings=tuple(finding for one in counted for finding in one.findings),
            payments=tuple(day for one in counted for day in one.payments),
        )

    def check(self) -> Check:
        """Prove the connections and the ledger, step by step; writes nothing."""
        steps = [step for check in self._checks for step in check().steps]
        bound = self.ledger.bound(self.name)
        same = all(bound.get(name, origin) == origin for name, origin in self._systems.items())
        steps.append(
            CheckStep(
                name="ledger: systems",
                ok=same,
                detail=", ".join(f"{name} at {origin}" for name, origin in self._systems.items()),
                cause="" if same else f"the ledger knows {bound}",
                cure="" if same else "another name= for the flow, or ledger.rename_origin(old, new)",
                who="" if same else "whoever runs the flow",
            )
        )
        return Check(system=self.name, steps=tuple(steps))

    def poll(
        self,
        every: dt.timedelta = dt.timedelta(minutes=10),
        *,
        calendar: Callable[[dt.datetime], bool] | None = None,
        stop: threading.Event | None = None,
        on_report: Callable[[Report], Any] | None = None,
        on_health: Callable[[Health], Any] | None = None,
        jitter: float = 0.1,
        failures: Literal["continue", "raise"] = "continue",
    ) -> None:
        """Run again and again until ``stop`` is set.

        Args:
            every: From the end of one run to the begin of the next.
            calendar: A :class:`Calendar`; or called with the time, false leaves a run out.
            stop: Ends it between two documents; set it from a signal handler of yours.
            on_report: Called with every report.
            on_health: Called with :meth:`health` after every run, whether it was stopped or not.
            jitter: Share of ``every`` by which a wait varies, so that many pollers do not march in step; below 1.
            failures: ``"continue"`` logs what stopped a run, ever more rarely while it goes on, and tries again at the
                next turn.

        Raises:
            InvalidArgument: An option that cannot be meant, or a flow that cannot be run as it is.
            MLConnectorError: What stopped a run, with ``failures="raise"``.
        """
        if every <= dt.timedelta(0):
            raise InvalidArgument(f"every={every} is no interval.", cure="Give a positive timedelta.")
        if failures not in ("continue", "raise"):
            raise InvalidArgument(f"failures={failures!r}.", cure='Use "continue" or "raise".')
        if not 0 <= jitter < 1:
            raise InvalidArgument(f"jitter={jitter!r} is no share of a wait.", cure="Give 0 or more, and less than 1.")
        _polling.poll(
            self,
            every,
            calendar=calendar,
            stop=stop,
            on_report=on_report,
            on_health=on_health,
            jitter=jitter,
            raises=failures == "raise",
        )

    def health(self) -> Health:
        """Latest success, failures since, lag and counts by state: asked of the ledger, from any process."""
        return _polling.health_of(self)

    def __repr__(self) -> str:
        return f"Flow({self.name!r}, {', '.join(self.parts)})"
