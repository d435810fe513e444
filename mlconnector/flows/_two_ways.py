"""What flows between JD Edwards and a payables system share: syncs out, postings back, events (design 4.6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import attrs

from mlconnector.check import Check
from mlconnector.delivery import Aligning, Attention, Flow, Ledger, Part, Recount, Sync, Waking
from mlconnector.errors import InvalidArgument
from mlconnector.records import Records
from mlconnector.target import Target

__all__ = ["TwoWays", "paid_item_of"]

_POSTING_TIMEOUT = 300.0
"""Seconds; orchestrations may take that long (AIS reference, section 8)."""
_BASELINE_CHANGES = ("attention", "create", "change")


@attrs.frozen(kw_only=True)
class TwoWays:
    """Options of such a flow, and the syncs made of them.

    Args:
        name: Of the flow. ``ledger``: its memory.
        begin, on_baseline_change, overwrite, on_attention, stop_after, confirm_within, max_in_flight: See
            :class:`~mlconnector.delivery.Sync`.
        inbox: The inbox that webhooks fill; ``None``: polls only.
        timeout: Total time-out of the other system's calls, in seconds.
    """

    name: str
    ledger: Ledger
    begin: Literal["everything", "nothing"] | dt.datetime | None
    on_baseline_change: Literal["attention", "create", "change"]
    overwrite: bool
    on_attention: Callable[[Attention], None] | None
    stop_after: int
    confirm_within: dt.timedelta
    inbox: str | None
    timeout: float
    max_in_flight: int = 1

    def __attrs_post_init__(self) -> None:
        if self.on_baseline_change not in _BASELINE_CHANGES:
            raise InvalidArgument(
                f"on_baseline_change={self.on_baseline_change!r}.", cure=f"Use one of {', '.join(_BASELINE_CHANGES)}."
            )
        if self.inbox is not None and not self.inbox.strip():
            raise InvalidArgument(f"inbox={self.inbox!r} names no inbox.", cure="Give the name webhooks store under.")

    def sync(self, kind: str, records: Records[Any], target: Target[Any], **options: Any) -> Sync:
        """One kind, one way."""
        longest = max(self.timeout, _POSTING_TIMEOUT)
        return Sync(
            self.sync_name(kind),
            records=records,
            target=target,
            ledger=self.ledger,
            kind=kind,
            begin=self.begin,
            on_baseline_change=self.on_baseline_change,
            overwrite=self.overwrite,
            stop_after=self.stop_after,
            on_attention=self.on_attention,
            call_timeout=longest,
            lease=dt.timedelta(seconds=2 * longest),
            confirm_within=self.confirm_within,
            max_in_flight=self.max_in_flight,
            **options,
        )

    def sync_name(self, kind: str) -> str:
        """Name of a sync in the ledger."""
        return f"{self.name}/{kind}"

    def flow(
        self,
        syncs: Sequence[Sync],
        *,
        events: Mapping[str, Sequence[str]],
        systems: Mapping[str, str],
        checks: Sequence[Callable[[], Check]],
        alignings: Sequence[Aligning] = (),
        recounts: Mapping[str, Recount] | None = None,
    ) -> Flow:
        """The flow: events first, since they only say what to read again, then every sync.

        Args:
            syncs: In the order they run.
            events: Which kinds of the flow an event of a kind wakes.
            systems: Origin by system. ``checks``: of both systems.
            alignings, recounts: See :class:`~mlconnector.delivery.Flow`.
        """
        parts: list[Part] = list(syncs)
        if self.inbox is not None:
            by_kind = {sync.kind: sync for sync in syncs}
            woken = {kind: tuple(by_kind[one] for one in kinds if one in by_kind) for kind, kinds in events.items()}
            parts.insert(0, Waking(f"{self.name}/events", box=self.inbox, syncs=woken, ledger=self.ledger))
        return Flow(
            self.name,
            parts,
            ledger=self.ledger,
            systems=systems,
            begin_needed=self.begin is None,
            checks=checks,
            quiet=("events",),
            alignings=alignings,
            recounts=recounts,
        )


def paid_item_of(key: str, item: str = "001") -> str:
    """The pay item of a voucher's key; a key that names one already stays."""
    return key if key.count("/") > 2 else f"{key}/{item}"
