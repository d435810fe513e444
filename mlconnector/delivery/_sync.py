"""A sync: one kind of document from one source to one target, through the ledger."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Protocol

from mlconnector._watching import Span, count, watched
from mlconnector.delivery._adopting import Adopter
from mlconnector.delivery._desk import Outcome, replay, settle
from mlconnector.delivery._draining import drain
from mlconnector.delivery._job import Job, Select, Settings
from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._outcome import Outcomes
from mlconnector.delivery._part import leased, report_of
from mlconnector.delivery._preview import Previewer
from mlconnector.delivery._recording import Recorder, category
from mlconnector.delivery._recovery import recovery_of
from mlconnector.delivery._report import CATEGORIES, KindReport, Report
from mlconnector.delivery._rows import Attention, Delivery
from mlconnector.delivery._sending import Sender
from mlconnector.delivery._settling import Settler
from mlconnector.errors import InvalidArgument, LedgerError
from mlconnector.records import Progress, Records
from mlconnector.target import Target

__all__ = ["Progress", "StopSignal", "Sync"]

_WAITING_PAGE = 100

Begin = Literal["everything", "nothing"] | dt.datetime


class StopSignal(Protocol):
    """What ``stop=`` takes; a :class:`threading.Event` is one."""

    def is_set(self) -> bool:
        """Stop between two documents."""
        ...


class Sync:
    """One kind of document from one source to one target.

    Args:
        name: Names the sync in its ledger; part of every delivery's identity.
        records: What is read, e.g. ``jde.suppliers()``.
        target: Where it goes.
        ledger: The durable memory.
        kind: Key in the report; the records' kind by default.
        begin: What an empty ledger sends: ``"everything"`` (``None``), ``"nothing"`` (what exists is recorded as
            known; rule B2) or an aware datetime.
        on_baseline_change: What a later change of something recorded as known does: ``"attention"``, ``"create"``
            (goes as new) or ``"change"``.
        select: Called with the document and whether the target knows its key; a text excludes it, with that reason,
            an :class:`Excluded` also shows it to a person.
        withdraw: Called with a document that the target has and that is no longer ready: the same document as taken
            back (void, cancelled), or ``None`` to let it wait.
        link: Kind, source and target system of the crosswalk link that a delivery makes of key and target id.
        overwrite: Write over what people changed in the target (delivery rule 12).
        stop_after: So many documents in a row parked for one cause stop the run.
        uncounted_causes: Causes that do not count for that.
        on_attention: Called with every new attention item.
        lease: How long a worker may be silent before another takes over.
        call_timeout: Total time-out of the target's calls, in seconds.
        confirm_within: How long a delivery in doubt is looked for where absence proves nothing.
        max_in_flight: Deliveries of different keys under way at once, as far as the target allows more than one. A
            worker that dies leaves so many in doubt.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    def __init__(
        self,
        name: str,
        *,
        records: Records[Any],
        target: Target[Any],
        ledger: Ledger,
        kind: str | None = None,
        begin: Begin | None = None,
        on_baseline_change: Literal["attention", "create", "change"] = "attention",
        select: Select | None = None,
        withdraw: Callable[[Any], Any] | None = None,
        link: tuple[str, str, str] | None = None,
        overwrite: bool = False,
        stop_after: int = 100,
        uncounted_causes: frozenset[str] = frozenset({"no_route"}),
        on_attention: Callable[[Attention], None] | None = None,
        lease: dt.timedelta = dt.timedelta(minutes=10),
        call_timeout: float = 300.0,
        confirm_within: dt.timedelta = dt.timedelta(hours=24),
        max_in_flight: int = 1,
    ) -> None:
        if not name.strip():
            raise InvalidArgument(f"name={name!r} names no sync.", cure="Give it a name of its own.")
        if isinstance(begin, dt.datetime):
            if begin.tzinfo is None:
                raise InvalidArgument(f"begin={begin!r} has no time zone.", cure="Pass an aware datetime.")
        elif begin not in (None, "everything", "nothing"):
            raise InvalidArgument(f"begin={begin!r}.", cure='Use "everything", "nothing" or an aware datetime.')
        if on_baseline_change not in ("attention", "create", "change"):
            raise InvalidArgument(
                f"on_baseline_change={on_baseline_change!r}.", cure='Use "attention", "create" or "change".'
            )
        if type(stop_after) is not int or stop_after < 1:
            raise InvalidArgument(f"stop_after={stop_after!r} is no count from 1.", cure="Give a whole number.")
        if type(max_in_flight) is not int or max_in_flight < 1:
            raise InvalidArgument(f"max_in_flight={max_in_flight!r} is no count from 1.", cure="Give a whole number.")
        if call_timeout <= 0 or lease.total_seconds() <= call_timeout:
            raise InvalidArgument(
                f"lease={lease} is not longer than call_timeout={call_timeout} s.", cure="Lengthen the lease."
            )
        if confirm_within < dt.timedelta(0):
            raise InvalidArgument(
                f"confirm_within={confirm_within} is negative.", cure="Give a timedelta of 0 or more."
            )
        if not isinstance(target, Target):
            raise InvalidArgument(f"target={target!r} is no target.", cure="See mlconnector.target.Target.")
        self.name = name
        self.kind: str = kind or records.kind
        self.target = target
        self.ledger = ledger
        self._records = records
        self._begin: Begin | None = begin
        self._settings = Settings(
            sync=name,
            kind=self.kind,
            begin=begin or "everything",
            on_baseline_change=on_baseline_change,
            select=select,
            withdraw=withdraw,
            link=link,
            overwrite=overwrite,
            stop_after=stop_after,
            uncounted_causes=frozenset(uncounted_causes),
            on_attention=on_attention,
            lease=lease,
            call_timeout=call_timeout,
            confirm_within=confirm_within,
            max_in_flight=max_in_flight,
        )

    @property
    def records(self) -> Records[Any]:
        """What is read."""
        return self._records

    @property
    def settings(self) -> Settings:
        """Its options."""
        return self._settings

    @property
    def begin(self) -> Begin | None:
        """What an empty ledger sends, as told; ``None`` where nothing was said."""
        return self._begin

    @property
    def started(self) -> bool:
        """The ledger has read for it before."""
        return self._cursor() is not None

    def run(
        self,
        *,
        dry_run: bool = False,
        progress: Progress | None = None,
        stop: StopSignal | None = None,
        limit: int | None = None,
    ) -> Report:
        """Settle what is in doubt, read what changed, send what is ready.

        Args:
            dry_run: Show what would be sent, validated, with the next control numbers; write and send nothing.
            progress: Called after every page. ``stop``: ends the run between two documents. ``limit``: sends at most
                this many documents.

        Raises:
            InvalidArgument: A limit that is no count.
            LeaseLost: Another worker is at it.
            MLConnectorError: What stopped the run, with ``.report``.
        """
        if limit is not None and (type(limit) is not int or limit < 0):
            raise InvalidArgument(f"limit={limit!r} is not a number of documents.", cure="Pass a count, or None.")
        report = KindReport(kind=self.kind)
        if dry_run:
            Previewer(self.ledger, self.target, self._settings, report).run(self._source(afresh=False), limit=limit)
            return self._finished(report, dry_run=True)
        with self._working(report) as job:
            self._run(job, progress=progress, stop=stop, limit=limit)
        return self._finished(report, dry_run=False)

    def refresh(self, keys: Sequence[str], *, stop: StopSignal | None = None) -> Report:
        """Read these keys again, whatever their stamps, and send what is ready: what an event asks for.

        Raises:
            LeaseLost: Another worker is at it.
            MLConnectorError: What stopped the run, with ``.report``.
        """
        report = KindReport(kind=self.kind)
        with self._working(report) as job:
            if job.held:
                self._run(job, progress=None, stop=stop, limit=None)
                return self._finished(report, dry_run=False)
            wanted = list(dict.fromkeys(keys))
            self._read_again(job, wanted)
            sender = Sender(job, Outcomes(job))
            drain(job, sender, stopped=lambda: stop is not None and stop.is_set(), limit=None, keys=frozenset(wanted))
            job.tell()
        return self._finished(report, dry_run=False)

    def reread(self, *, actor: str, reason: str) -> None:
        """Forget how far the source was read: the next run reads everything, and sends what the target does not have.

        For a read whose conditions have changed (``CursorMismatch``), or to find what a source failed to stamp.

        Args:
            actor: Who decided. ``reason``: why, for the audit.

        Raises:
            InvalidArgument: Nobody's decision, or one without a reason.
            LeaseLost: Another worker is at it.
        """
        if not actor.strip() or not reason.strip():
            raise InvalidArgument("actor and reason are needed to read anew.", cure="Say who decided, and why (B7).")
        with (
            leased(self.ledger, self.name, self._settings.lease) as lease,
            self.ledger.store.transaction(lease) as transaction,
        ):
            transaction.execute("DELETE FROM cursors WHERE sync = ?", (self.name,))
            transaction.audit("read anew", self.name, by=actor, reason=reason)

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
        """Send again what was refused, with explicit ``keys`` also what was delivered; newest revisions only.

        The source is asked for these keys first: what has changed goes as it is now, what is on hold waits.

        Args:
            state: ``"parked"`` or ``"delivered"``. ``keys``: only these. ``cause``: only those parked for it.
            dry_run: Only show them. ``actor``, ``reason``: who and why, for the audit.

        Raises:
            InvalidArgument: A state that is not replayed, or delivered ones without keys.
            LedgerError: The ledger was recovered, and the sync has not run since.
            MLConnectorError: What stopped the run, with ``.report``.
        """
        report = KindReport(kind=self.kind)
        if dry_run:
            previewer = Previewer(self.ledger, self.target, self._settings, report)
            for delivery in replay(self.ledger, self.name, None, state, keys, cause, actor, reason):
                previewer.preview(delivery.document, again=True)
            return self._finished(report, dry_run=True)
        with self._working(report) as job:
            if job.held:
                raise LedgerError(
                    f"{self.name} has not read its source since the ledger was recovered.",
                    cure="Run it once, then replay what is still parked.",
                )
            queued = replay(self.ledger, self.name, job.lease, state, keys, cause, actor, reason)
            chosen = frozenset(delivery.key for delivery in queued)
            self._read_again(job, sorted(chosen))
            drain(job, Sender(job, Outcomes(job)), stopped=lambda: False, limit=None, keys=chosen)
            job.tell()
        return self._finished(report, dry_run=False)

    def settle(self, key: str, outcome: Outcome, *, actor: str, reason: str) -> Delivery:
        """A person says what became of a delivery in doubt or in conflict (delivery rule 11).

        Args:
            actor: Who says so. ``reason``: why, for the audit. ``outcome``: what became of it, see
                ``docs/delivery.md``.
            key: Natural key of the document.

        Raises:
            InvalidArgument: No such open delivery, an outcome that does not fit, or too early to say.
        """
        with leased(self.ledger, self.name, self._settings.lease) as lease:
            return settle(self.ledger, self.name, lease, key, outcome, actor, reason)

    def _run(self, job: Job, *, progress: Progress | None, stop: StopSignal | None, limit: int | None) -> None:
        def stopped() -> bool:
            return stop is not None and stop.is_set()

        def tell() -> None:
            job.tell()
            if progress is not None:
                progress(self.kind, job.report.read, job.report.delivered)

        outcomes = Outcomes(job)
        settler, sender = Settler(job, outcomes), Sender(job, outcomes)
        adopter = Adopter(job, outcomes, sender)
        settler.adopt()
        settler.settle()
        self._read_waiting(job)
        baseline = job.settings.begin == "nothing" and not self._baselined()
        recorder = Recorder(job, baseline=baseline)
        newest = self.ledger.store.read("SELECT coalesce(max(id), 0) AS id FROM deliveries")[0]["id"]
        for page in self._source(afresh=job.held).pages():
            recorder.record(page, save_cursor=True)
            # Only what was read just now: what lay queued from before may have been changed or held in the meantime,
            # which is known once the source was read to its end. After a recovery that is nothing: all is unknown.
            drain(job, sender, stopped=stopped, limit=limit, newer_than=newest)
            tell()
            if stopped():
                return
        if baseline:
            with self.ledger.store.transaction(job.lease) as transaction:
                transaction.note(f"baselined:{self.name}", "1")
                transaction.audit("baselined", self.name, documents=job.report.baselined)
        adopter.read_completely()
        adopter.decide()
        drain(job, sender, stopped=stopped, limit=limit)
        settler.settle(of_this_run=True)
        drain(job, sender, stopped=stopped, limit=limit)
        tell()

    def _read_waiting(self, job: Job) -> None:
        """What waited is read again by key, since its stamps lie behind the cursor (rule B10)."""
        rows = self.ledger.store.read("SELECT key FROM waiting WHERE sync = ? ORDER BY key", (self.name,))
        self._read_again(job, [row["key"] for row in rows])

    def _read_again(self, job: Job, keys: Sequence[str]) -> None:
        recorder = Recorder(job, baseline=False)
        for start in range(0, len(keys), _WAITING_PAGE):
            wanted = keys[start : start + _WAITING_PAGE]
            seen = set()
            for page in self._records.only(wanted).pages():
                recorder.record(page, save_cursor=False)
                seen |= {document.key for document in page.documents} | {rejected.key for rejected in page.rejected}
            recorder.gone(key for key in wanted if key not in seen)

    def _source(self, *, afresh: bool) -> Records[Any]:
        """From the cursor; ``afresh`` from its watermark alone, also what it says was read already."""
        cursor = self._cursor()
        if cursor is not None and afresh:
            cursor |= {"seen": {}, "pass": None}
        if cursor is not None:
            return self._records.continue_from(cursor)
        return self._records.starting(self._begin) if isinstance(self._begin, dt.datetime) else self._records

    def _cursor(self) -> dict[str, Any] | None:
        rows = self.ledger.store.read("SELECT cursor FROM cursors WHERE sync = ?", (self.name,))
        return json.loads(rows[0]["cursor"]) if rows else None

    def _baselined(self) -> bool:
        return bool(self.ledger.store.read("SELECT 1 FROM meta WHERE name = ?", (f"baselined:{self.name}",)))

    def _count_queued(self, job: Job) -> None:
        """What is still open from earlier runs counts too: a report that hides it would look clean."""
        rows = self.ledger.store.read(
            "SELECT key, state FROM deliveries WHERE sync = ?"
            " AND state IN ('recorded', 'sending', 'in doubt', 'unknown') ORDER BY id",
            (self.name,),
        )
        for row in rows:
            if job.report.outcome.get(row["key"]) != category(row):
                job.report.note(row["key"], category(row))

    def _finished(self, report: KindReport, *, dry_run: bool) -> Report:
        return report_of(self.ledger, self.name, report, dry_run=dry_run)

    @contextmanager
    def _working(self, report: KindReport) -> Iterator[Job]:
        """A run under its lease; whatever stops it carries the report."""
        with (
            leased(self.ledger, self.name, self._settings.lease) as lease,
            watched("sync", sync=self.name, kind=self.kind) as span,
        ):
            job = Job(
                ledger=self.ledger,
                target=self.target,
                settings=self._settings,
                lease=lease,
                report=report,
                recovery=recovery_of(self.ledger.store, self.name),
            )
            try:
                yield job
            except Exception as error:
                self._count_queued(job)
                self._told(span, report)
                error.report = self._finished(report, dry_run=False)  # type: ignore[attr-defined]  # told with any error
                raise
            self._count_queued(job)
            self._told(span, report)

    def _told(self, span: Span, report: KindReport) -> None:
        counts = {state: report.count(state) for state in CATEGORIES}
        span.note(read=report.read, **counts)
        for state, number in counts.items():
            count("documents", number, sync=self.name, kind=self.kind, state=state)

    def __repr__(self) -> str:
        return f"Sync({self.name!r}, {self._records!r} to {self.target.name})"
