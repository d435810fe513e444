"""What every flow towards Cleo is made of: collecting, answers, documents out, 997s out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import attrs

from mlconnector.check import Check
from mlconnector.cleo import Cleo, Routes
from mlconnector.delivery import Aligning, Answering, Attention, Collection, Flow, Ledger, Part, Recount, Sync
from mlconnector.errors import InvalidArgument
from mlconnector.flows._x12_inbox import X12Inbox
from mlconnector.records import Records
from mlconnector.target import LookUp, Target

__all__ = ["BASELINE_CHANGES", "CleoParts", "chosen_kinds", "conditions_by_kind"]

BASELINE_CHANGES: Mapping[str, Literal["attention", "create", "change"]] = {
    "attention": "attention",
    "850": "create",
    "860": "change",
}
"""``on_baseline_change=`` of a flow, as a sync calls it (rule B2)."""

Begin = Literal["everything", "nothing"] | dt.datetime


def chosen_kinds(kinds: Sequence[str] | None, known: Sequence[str]) -> tuple[str, ...]:
    """The kinds of a flow that are asked for; all of them without ``kinds``.

    Raises:
        InvalidArgument: One that the flow does not have, or none.
    """
    chosen = tuple(known if kinds is None else kinds)
    if not chosen or not set(chosen) <= set(known):
        raise InvalidArgument(f"kinds={kinds!r}.", cure=f"Use some of {', '.join(known)}.")
    return chosen


def conditions_by_kind(
    where: Mapping[str, Any] | None, kinds: Sequence[str], *, name: str = "where"
) -> Mapping[str, Any]:
    """``where=`` of a flow, or another option by kind.

    Raises:
        InvalidArgument: Conditions for a kind that is not asked for.
    """
    strange = sorted(set(where or {}) - set(kinds))
    if strange:
        raise InvalidArgument(f"{name}= has {strange!r}.", cure=f"Give it by kind: {', '.join(kinds)}.")
    return dict(where or {})


@attrs.frozen(kw_only=True)
class CleoParts:
    """Options that all flows towards Cleo share, and the parts made of them.

    Args:
        name: Of the flow. ``cleo``, ``ledger``, ``routes``: as of the flow.
        begin, on_baseline_change, overwrite, on_attention, stop_after, confirm_within: See
            :class:`~mlconnector.delivery.Sync`.
        collect: Folders whose files are fetched; none leaves what comes in alone.
        acknowledge: Who answers with 997s: ``"library"`` or ``"gateway"`` (rule B17).
        inbox: Name of the inbox in the ledger; that of the flow by default.
        also: Sets this flow takes beside those of a route's default ``receives``. ``posts``: those of them that a
            sync of the flow posts.
        source: System whose codes the flow's documents hold.
        look_up: How far Cleo can be asked for a file, of the 997s too.
    """

    name: str
    cleo: Cleo
    ledger: Ledger
    routes: Routes
    begin: Begin | None
    on_baseline_change: str
    overwrite: bool
    on_attention: Callable[[Attention], None] | None
    stop_after: int
    confirm_within: dt.timedelta
    collect: Sequence[str]
    acknowledge: Literal["library", "gateway"]
    inbox: str | None
    also: Sequence[str] = ()
    posts: Sequence[str] = ()
    source: str = ""
    look_up: LookUp = "present_only"

    def __attrs_post_init__(self) -> None:
        if self.on_baseline_change not in BASELINE_CHANGES:
            raise InvalidArgument(
                f"on_baseline_change={self.on_baseline_change!r}.", cure=f"Use one of {', '.join(BASELINE_CHANGES)}."
            )
        if self.acknowledge not in ("library", "gateway"):
            raise InvalidArgument(f"acknowledge={self.acknowledge!r}.", cure='Use "library" or "gateway".')
        folders: Any = self.collect
        if isinstance(folders, str) or not all(isinstance(one, str) and one.strip("/") for one in folders):
            raise InvalidArgument(f"collect={self.collect!r} is no list of folders.", cure='Give ("inbox/",), or ().')

    @property
    def x12_inbox(self) -> X12Inbox:
        """The X12 side of the inbox."""
        return X12Inbox(
            ledger=self.ledger,
            box=self.inbox or self.name,
            routes=self.routes,
            acknowledge=self.acknowledge,
            also=tuple(self.also),
            posts=tuple(self.posts),
            source=self.source,
        )

    def outbound(
        self,
        kind: str,
        records: Records[Any],
        target: Target[Any],
        *,
        begin: Begin | None = None,
        timeout: float | None = None,
        **options: Any,
    ) -> Sync:
        """A sync of documents that go out, or of what came in and is posted.

        Args:
            timeout: Total time-out of the target's calls in seconds; Cleo's by default.
        """
        longest = self.cleo.timeout.total if timeout is None else timeout
        return Sync(
            f"{self.name}/{kind}",
            records=records,
            target=target,
            ledger=self.ledger,
            kind=kind,
            begin=begin or self.begin,
            on_baseline_change=BASELINE_CHANGES[self.on_baseline_change],
            overwrite=self.overwrite,
            stop_after=self.stop_after,
            on_attention=self.on_attention,
            call_timeout=longest,
            lease=dt.timedelta(seconds=2 * longest),
            confirm_within=self.confirm_within,
            **options,
        )

    def flow(
        self,
        syncs: Sequence[Sync],
        *,
        systems: Mapping[str, str],
        checks: Sequence[Callable[[], Check]],
        posting: Sequence[Sync] = (),
        alignings: Sequence[Aligning] = (),
        recounts: Mapping[str, Recount] | None = None,
    ) -> Flow:
        """The flow: first what came in, then documents out, then what is posted, then the 997s.

        Args:
            syncs: Documents out. ``posting``: syncs that post what came in.
            systems: Origin by system. ``checks``: of both systems.
            alignings, recounts: See :class:`~mlconnector.delivery.Flow`.
        """
        parts: list[Part] = [*syncs, *posting]
        if self.collect:
            inbox, box, lease = (
                self.x12_inbox,
                self.inbox or self.name,
                dt.timedelta(seconds=2 * self.cleo.timeout.total),
            )
            common: dict[str, Any] = {"ledger": self.ledger, "on_attention": self.on_attention, "lease": lease}
            collection = Collection(
                f"{self.name}/inbox",
                box=box,
                mailbox=self.cleo,
                folders=self.collect,
                interpret=inbox.interpret,
                **common,
            )
            answering = Answering(f"{self.name}/answers", box=box, hear=inbox.hear, **common)
            parts = [collection, answering, *parts]
            if self.acknowledge == "library":
                target = self.cleo.target(
                    "acknowledgments", routes=self.routes, received=inbox.received, look_up=self.look_up
                )
                records = Records(inbox.owed_reader())
                parts.append(self.outbound("acknowledgments", records, target, begin="everything"))
        tests_only = all(route.partner is None or route.partner.usage == "T" for route in self.routes.all)
        return Flow(
            self.name,
            parts,
            ledger=self.ledger,
            systems=systems,
            begin_needed=self.begin is None and not tests_only,
            checks=checks,
            quiet=("inbox", "answers", "acknowledgments"),
            alignings=alignings,
            recounts=recounts,
        )
