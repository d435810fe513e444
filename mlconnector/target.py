"""What can be read from, and what can be delivered to: the protocols between vendors and the engine (design 4.6).

A vendor's room implements these without importing the engine; the engine drives them without knowing a vendor.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

import attrs

from mlconnector.documents import Document
from mlconnector.errors import InvalidArgument, MLConnectorError

if TYPE_CHECKING:
    from mlconnector.records import Records

__all__ = [
    "Action",
    "Change",
    "ControlNumbers",
    "Counters",
    "CrosswalkLookup",
    "LookUp",
    "NoCrosswalk",
    "Payload",
    "Prepared",
    "Receipt",
    "Sink",
    "Source",
    "Target",
]

T = TypeVar("T", bound=Document)
T_contra = TypeVar("T_contra", bound=Document, contravariant=True)

Action = Literal["create", "change", "cancel"]
LookUp = Literal["reliable", "present_only", "none"]
"""``reliable``: found and absent both prove. ``present_only``: absent proves nothing. ``none``: cannot be asked."""


def _strings(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(values)


Payload = bytes | str | Mapping[str, Any] | Sequence[Any] | None


@attrs.frozen
class ControlNumbers:
    """X12 control numbers of one interchange: ``interchange`` is ISA13, ``group`` the first GS06 in it.

    Raises:
        InvalidArgument: A number outside 1 to 999,999,999 (X12 reference, section 1).
    """

    interchange: int = 1
    group: int = 1

    def __attrs_post_init__(self) -> None:
        for name in ("interchange", "group"):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= 999_999_999:
                raise InvalidArgument(
                    f"{name}={value!r} is no control number.",
                    cure="Use 1 to 999999999; when a counter is used up, agree a restart with the partner.",
                )

    def next(self, sets: Sequence[Any] = ()) -> ControlNumbers:
        """The numbers after an interchange of these sets: one group a functional id (at least one)."""
        groups = len({getattr(ts, "functional_id", None) for ts in sets}) or 1
        return ControlNumbers(self.interchange + 1, self.group + groups)


@attrs.frozen
class Counters:
    """Which ledger counters a payload's control numbers are taken from (delivery rule 10).

    Args:
        interchange: Name of the ISA13 counter: one a (sender, receiver).
        group: Name of the GS06 counter: one a (sender, receiver, functional id), whatever the usage.
    """

    interchange: str
    group: str


class CrosswalkLookup(Protocol):
    """Reading side of the crosswalk: which identity in one system is which in another."""

    def find(self, kind: str, *, to: str | None = None, **known: str) -> Any:
        """The id in system ``to``, or without ``to`` the whole link as a mapping; ``None`` where unknown.

        Args:
            kind: ``"supplier"``, ``"account"`` ...
            known: One system and its id: ``jdedwards="4343"``.
        """
        ...


class NoCrosswalk:
    """A crosswalk that knows nothing, for targets used without a ledger."""

    def find(self, kind: str, *, to: str | None = None, **known: str) -> Any:  # noqa: ARG002 - the protocol's names
        """Always ``None``.

        Args:
            kind: Not looked at. ``to``, ``known``: neither.
        """
        return None


@attrs.frozen(kw_only=True)
class Change(Generic[T]):
    """One document revision that is to reach a target.

    Args:
        document: The revision to deliver.
        previous: The last revision the target has and did not reject (the base of an 860, rule B12); ``None`` for
            the first.
        begun: A later one of which the target has a part: a step of it was refused after others were done (delivery
            rules 8 and 12); mostly ``None``.
        action: ``"create"``, ``"change"`` or ``"cancel"``.
        sequence: Change number of this document, 1, 2, 3 ... strictly rising (rule B12); 0 for a create.
        revision: Ordinal of the revision under its key, from 1 (delivery rule 1).
        key: Natural key in the source.
        target_id: Id of the record at the target, kept from its answer; ``None`` before the first delivery.
        crosswalk: Identities across systems.
    """

    document: T
    previous: T | None = None
    begun: T | None = None
    action: Action = "create"
    sequence: int = 0
    revision: int = 1
    key: str = ""
    target_id: str | None = None
    crosswalk: CrosswalkLookup = attrs.field(factory=NoCrosswalk, eq=False, repr=False)


@attrs.frozen
class Prepared:
    """A delivery as a target made it ready; after the intent it holds the exact bytes that go on the wire.

    Args:
        document: The revision.
        payload: What is sent: bytes, text or JSON values, or a pure callable of :class:`ControlNumbers` that
            makes it; rendered inside the intent's transaction (delivery rule 3).
        marker: What the delivery is recognised by at the target (file name, our reference): text, or a pure
            callable of :class:`ControlNumbers`. Before the first intent a callable marker is ``None`` in ``find``.
        steps: Names of the calls, when several are needed (delivery rule 8).
        target_id: Id of the record to update; ``None`` creates.
        counters: Where control numbers come from; ``None`` where the payload needs none.
        describe: Facts for the audit and for reports (partner, connection, ids); plain JSON, no secrets.
        attention: What a person should see although the delivery goes on.
        claim: A name the other side will know the document by, as ``(kind, system, name)``. It belongs to one document
            only: kept in the crosswalk with the intent; a name that is another document's parks (rule B13).

    Attributes set by the engine:
        key, revision: Natural key and ordinal. ``flow``: name of the flow.
        control: Control numbers taken in the intent. ``attempt``: from 1. ``step``: the call to make now.
        send_by: Monotonic deadline of the send (delivery rule 5).
    """

    document: Any
    payload: Payload | Callable[[ControlNumbers], Payload]
    marker: str | Callable[[ControlNumbers], str] | None
    steps: tuple[str, ...] = attrs.field(default=(), converter=_strings, kw_only=True)
    target_id: str | None = attrs.field(default=None, kw_only=True)
    counters: Counters | None = attrs.field(default=None, kw_only=True)
    describe: Mapping[str, Any] = attrs.field(factory=dict, kw_only=True)
    attention: tuple[str, ...] = attrs.field(default=(), converter=_strings, kw_only=True)
    claim: tuple[str, str, str] | None = attrs.field(default=None, kw_only=True)
    key: str = attrs.field(default="", kw_only=True)
    revision: int = attrs.field(default=1, kw_only=True)
    flow: str = attrs.field(default="", kw_only=True)
    control: ControlNumbers | None = attrs.field(default=None, kw_only=True)
    attempt: int = attrs.field(default=0, kw_only=True)
    step: str | None = attrs.field(default=None, kw_only=True)
    send_by: float | None = attrs.field(default=None, kw_only=True, eq=False)

    def rendered(self, control: ControlNumbers | None) -> Prepared:
        """The same with payload and marker made from these numbers."""
        numbers = control if control is not None else ControlNumbers()
        payload = self.payload(numbers) if callable(self.payload) else self.payload
        marker = self.marker(numbers) if callable(self.marker) else self.marker
        return attrs.evolve(self, payload=payload, marker=marker, control=control)

    def before_intent(self) -> Prepared:
        """The same as ``find`` sees it before any number was taken: attempt 0, and a callable marker is ``None``."""
        return attrs.evolve(self, marker=None if callable(self.marker) else self.marker, attempt=0)


@attrs.frozen(kw_only=True)
class Receipt:
    """What the sink said.

    Args:
        system: Who said it.
        id: Id of the record or file at the target.
        existing: It was there already and is ours and equal.
        pending: Accepted, and works on: not yet effective.
        raw: The answer's facts, plain JSON, no secrets.
        by: Found by our own ``"marker"`` (delivered at once) or by ``"content"`` (valid only after the settling
            delay, delivery rule 6).
        steps: Which calls of ``Prepared.steps`` are done so far.
    """

    system: str = ""
    id: str | None = None
    existing: bool = False
    pending: bool = False
    raw: Mapping[str, Any] = attrs.field(factory=dict)
    by: Literal["marker", "content"] = "marker"
    steps: tuple[str, ...] = attrs.field(default=(), converter=_strings)


@runtime_checkable
class Target(Protocol[T_contra]):
    """One way of delivering one kind of document to a sink. Structural: nothing to inherit.

    Attributes:
        name: Unique within its flow; part of the delivery's identity.
        batch_size: How many deliveries one ``deliver`` call takes.
        look_up: How far ``find`` can be believed.
        settle_after: How long after a call's deadline its effect may still appear (delivery rule 6).

    A target may further have ``max_in_flight``: calls of ``deliver`` that it takes at once, from several threads, each
    for other documents; without it there is one at a time. ``prepare`` and ``find`` are then called from several
    threads too, and two documents that mean one record in the target must have one ``marker``, a text.
    """

    @property
    def name(self) -> str:
        """See above."""
        ...

    @property
    def batch_size(self) -> int:
        """See above."""
        ...

    @property
    def look_up(self) -> LookUp:
        """See above."""
        ...

    @property
    def settle_after(self) -> dt.timedelta:
        """See above."""
        ...

    def content(self, document: T_contra) -> str:
        """What makes a revision; the fingerprint unless the target says otherwise (rule B11)."""
        ...

    def prepare(self, change: Change[Any]) -> Prepared:
        """Make ready; may read, never writes.

        Raises:
            InvalidDocument: It cannot go as it is, with every fault.
            UnknownReference: It names something unknown there, with every miss.
        """
        ...

    def find(self, prepared: Prepared) -> Receipt | None:
        """Look for our write.

        Returns:
            A receipt: there, with the intended content. ``None``: our write has surely not acted.

        Raises:
            TargetChanged: Other content, archived, void, or several hits.
            DeliveryInDoubt: Cannot tell.
        """
        ...

    def deliver(self, batch: Sequence[Prepared]) -> Sequence[Receipt | MLConnectorError]:
        """Send; one answer each, in order. A raised error concerns the whole batch."""
        ...


@runtime_checkable
class Source(Protocol):
    """What can be read from. ``kinds`` names the readers: ``source.read("invoices")`` is ``source.invoices()``."""

    system: str
    kinds: tuple[str, ...]

    def read(self, kind: str, since: Any = None, **options: Any) -> Records[Any]:
        """Describe a read of one kind.

        Args:
            since: An aware datetime, a cursor, or ``None`` for everything. ``options``: of that reader.
        """
        ...


@runtime_checkable
class Sink(Protocol):
    """What can be delivered to."""

    system: str

    def target(self, kind: str, **options: Any) -> Target[Any]:
        """A target for one kind of delivery.

        Args:
            options: Of that target, keyword-only.
        """
        ...
