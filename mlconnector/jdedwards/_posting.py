"""What the targets that write share: settings, references by crosswalk, marks, one call (rules B1, B70, B71)."""

from __future__ import annotations

import abc
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.documents import Document, Party
from mlconnector.errors import (
    ConnectionFailed,
    DeliveryInDoubt,
    DocumentError,
    InvalidArgument,
    InvalidDocument,
    MLConnectorError,
    TargetChanged,
    UnknownReference,
    VendorFault,
)
from mlconnector.jdedwards._books import AccountCode, Books, ClosedPeriod, Posting, closed_period_option
from mlconnector.jdedwards._orchestrator import Orchestrator
from mlconnector.target import Change, CrosswalkLookup, LookUp, Prepared, Receipt

__all__ = ["PostingTarget", "Refusals", "carried_out", "doubt", "mark_of", "shortened"]

_SYSTEM = "jdedwards"
_ONLY_FOUND = "only_found"
_SETTLE = dt.timedelta(minutes=10)
"""Orchestrations run for minutes, and batches follow (delivery.md, targets)."""


def mark_of(document: Document) -> str:
    """The mark of its home that a record carries in RMK: ``COUPA:9001`` (rule B1)."""
    origin = document.provenance
    return f"{'ERP' if origin is None else origin.system.upper()}:{document.key}"


def shortened(text: str, most: int, name: str, faults: list[str]) -> str:
    """A text that must not be cut, because something is found by it."""
    if len(text) > most:
        faults.append(f"{name} {text!r} has {len(text)} characters, {most} fit")
    return text


@attrs.frozen
class Refusals:
    """Everything that stands against a document: what is wrong with it, and what it names that is not there."""

    faults: list[str] = attrs.field(factory=list)
    misses: list[str] = attrs.field(factory=list)

    def raise_if_any(self, shown: str) -> None:
        """Raise with every fault and miss.

        Raises:
            InvalidDocument: The document is wrong. ``UnknownReference``: only references are missing.
        """
        if self.faults:
            raise InvalidDocument(
                f"{shown} cannot be posted.",
                faults=(*self.faults, *self.misses),
                cause="posting",
                cure="Correct it at its home, or in JD Edwards, then replay.",
            )
        if self.misses:
            raise UnknownReference(
                f"{shown} names what JD Edwards does not know.",
                faults=tuple(self.misses),
                cause="reference",
                cure="Whoever runs the flow links it in the crosswalk, or it is added in JD Edwards; then replay.",
            )


class PostingTarget(abc.ABC):
    """A way of posting through an orchestration.

    Args:
        orchestrator: Calls them. ``books``: looks up what is there.
        today: The site's date, for documents without a G/L date.
        closed_period: ``"park"``, or ``"first_open"``: post on the first open day and show both dates (rule B71).
        settle_after: How long after its deadline a call may still show.
    """

    batch_size = 1
    name: str
    sought_by: tuple[str, ...]

    def __init__(
        self,
        orchestrator: Orchestrator,
        books: Books,
        today: Callable[[], dt.date],
        *,
        closed_period: ClosedPeriod = "park",
        settle_after: dt.timedelta = _SETTLE,
    ) -> None:
        self._closed_period: ClosedPeriod = closed_period_option(closed_period)
        if settle_after < dt.timedelta(0):
            raise InvalidArgument(f"settle_after={settle_after!r} is negative.", cure="Give a time span.")
        self.settle_after = settle_after
        self._orchestrator, self._books, self._today = orchestrator, books, today

    @property
    @abc.abstractmethod
    def look_up(self) -> LookUp:
        """How far :meth:`find` can be believed."""

    @abc.abstractmethod
    def content(self, document: Any) -> str:
        """What makes a revision (rule B11)."""

    @abc.abstractmethod
    def prepare(self, change: Change[Any]) -> Prepared:
        """Make ready; see :class:`~mlconnector.target.Target`."""

    @abc.abstractmethod
    def find(self, prepared: Prepared) -> Receipt | None:
        """Look for our write; see :class:`~mlconnector.target.Target`."""

    @abc.abstractmethod
    def _receipt(self, prepared: Prepared, outputs: Mapping[str, Any]) -> Receipt:
        """What an orchestration's outputs say."""

    def deliver(self, batch: Sequence[Prepared]) -> Sequence[Receipt | MLConnectorError]:
        """Call the orchestration once; a refusal that left nothing behind parks, no answer is in doubt."""
        return [self._deliver(prepared) for prepared in batch]

    def _deliver(self, prepared: Prepared) -> Receipt | MLConnectorError:
        payload: Any = prepared.payload
        if payload.get(_ONLY_FOUND):
            return self._found_again(prepared)
        try:
            outputs = self._orchestrator.call(payload["orchestration"], payload["inputs"])
        except (InvalidDocument, UnknownReference) as refused:
            return self._refused(prepared, refused)
        receipt = self._receipt(prepared, outputs)
        return receipt if receipt.id else attrs.evolve(receipt, id=self._seen(prepared))

    def _seen(self, prepared: Prepared) -> str | None:
        """What it has become, where the site's orchestration does not tell; nothing yet, where a batch will make it."""
        try:
            found = self.find(prepared)
        except MLConnectorError:
            return None
        return None if found is None else found.id

    def _refused(self, prepared: Prepared, refused: DocumentError) -> MLConnectorError:
        """A refusal changes nothing (reference, section 6.4), but it comes from the site's own orchestration, and a
        refused document gives way to the next state of its home: a look must not find what was refused. Where looking
        proves nothing, the refusal stands.

        Raises:
            DeliveryInDoubt: Something is there, or the look failed.
        """
        if self.look_up == "none":
            return refused
        try:
            if self.find(prepared) is None:
                return refused
        except DeliveryInDoubt:
            return refused
        except MLConnectorError as error:
            seen = error.message
        else:
            seen = f"{prepared.marker} is there."
        raise DeliveryInDoubt(
            f"{refused.message} Yet it may have acted: {seen}",
            cure="It is looked for again once it can no longer change; the JD Edwards administrator looks at what the"
            " orchestration does before it refuses.",
            system=_SYSTEM,
        ) from None

    def _found_again(self, prepared: Prepared) -> Receipt | MLConnectorError:
        """What something stands against is never sent, whatever the engine knows of it."""
        try:
            found = self.find(prepared)
        except DocumentError as error:
            return error
        if found is not None:
            return attrs.evolve(found, existing=True)
        return InvalidDocument(
            f"{prepared.marker} was there and is gone.", cause="gone", cure="Look in JD Edwards, then replay."
        )

    def _checked_against(self, refusals: Refusals, prepared: Prepared, shown: str) -> Prepared:
        """What is prepared, unless something stands against it that counts: of what is there already, the amounts are
        no longer open, the receipts taken, the period closed, and the look-up that follows says what it is.
        """
        if not refusals.faults and not refusals.misses:
            return prepared
        if not self._is_there(prepared):
            refusals.raise_if_any(shown)
        payload: Any = prepared.payload
        return attrs.evolve(prepared, payload={**payload, _ONLY_FOUND: True})

    def _is_there(self, prepared: Prepared) -> bool:
        payload: Any = prepared.payload
        inputs = payload["inputs"]
        if not all(name in inputs for name in self.sought_by) or not str(inputs["SupplierNumber"]).isdecimal():
            return False
        try:
            return self.find(prepared.before_intent()) is not None
        except TargetChanged:
            return True

    def _payload(self, key: str, inputs: Mapping[str, Any], refusals: Refusals) -> dict[str, Any]:
        """What is sent; inputs that the site's orchestration lacks are a miss (rule B70)."""
        sent = {name: value for name, value in inputs.items() if value not in (None, "", [])}
        refusals.misses.extend(self._orchestrator.lacking(key, sent))
        return {"orchestration": key, "inputs": sent}

    def _posting(
        self, companies: Sequence[str], asked: dt.date | None, refusals: Refusals
    ) -> tuple[str, dict[str, Any], tuple[str, ...]]:
        """GLDate as it is sent, open in every company, facts for the audit, and what a person should see."""
        posting = Posting(asked or self._today(), asked or self._today())
        for place, company in enumerate(companies):
            # The first one says where the date moves to; in the others it must fit.
            closed = "park" if place else self._closed_period
            found = self._books.posting(company, posting.date, closed, refusals.faults)
            posting = posting if place else found
        facts = {"gl_date": posting.date.isoformat(), "asked_gl_date": posting.asked.isoformat()}
        return self._orchestrator.date(posting.date), facts, (posting.note,) if posting.note else ()

    @staticmethod
    def _party(party: Party | None, document: Document, crosswalk: CrosswalkLookup, refusals: Refusals) -> str:
        """The address number: by a link of the supplier, else the number itself."""
        if party is None or not (party.number or party.name):
            refusals.faults.append("no supplier")
            return ""
        system = "" if document.provenance is None else document.provenance.system
        linked = crosswalk.find("supplier", to=_SYSTEM, **{system: party.number}) if system and party.number else None
        number = str(linked or party.number).strip()
        if not number.isdecimal():
            refusals.misses.append(f"supplier {party.number or party.name!r} is not linked to an address number")
        return number

    @staticmethod
    def _account(  # noqa: PLR0917 - private; what an account is found by
        account: str, cost_center: str, document: Document, crosswalk: CrosswalkLookup, shown: str, refusals: Refusals
    ) -> AccountCode | None:
        """An account by its link, whose value is ``unit.object`` or ``unit.object.subsidiary``, else by its code."""
        system = "" if document.provenance is None else document.provenance.system
        if not account:
            refusals.faults.append(f"{shown} has no account")
            return None
        linked = crosswalk.find("account", to=_SYSTEM, **{system: account}) if system else None
        unit = crosswalk.find("cost_center", to=_SYSTEM, **{system: cost_center}) if system and cost_center else None
        text = str(linked or account)
        code = AccountCode.of(text)
        if code is None and (unit or cost_center):
            code = AccountCode.of(f"{unit or cost_center}.{text}")
        if code is None:
            refusals.misses.append(f"{shown}: account {account!r} is not linked to a business unit and object")
        return code


def doubt(error: ConnectionFailed | VendorFault, message: str, cure: str) -> MLConnectorError:
    """What a call without an answer is: in doubt, unless the failure itself says that nothing was done."""
    if error.repeat_safe or getattr(error, "refused", False):
        return error
    return DeliveryInDoubt(message, cure=cure, system=_SYSTEM)


def carried_out(
    target: PostingTarget, document: Document, *, crosswalk: CrosswalkLookup, cancel: bool = False
) -> Receipt:
    """One posting without a ledger: prepared, looked up, sent once.

    Returns:
        The receipt; ``existing`` where it was there already, ours and equal.

    Raises:
        TargetChanged: There, and different or not ours.
        DeliveryInDoubt: No answer; the message says what to look for.
    """
    action = "cancel" if cancel else "create"
    change = Change(document=document, action=action, key=document.key, crosswalk=crosswalk)  # type: ignore[arg-type]  # one of the literals
    prepared = attrs.evolve(target.prepare(change).rendered(None), key=document.key)
    found = target.find(prepared)
    if found is not None:
        return attrs.evolve(found, existing=True)
    try:
        (answer,) = target.deliver([attrs.evolve(prepared, attempt=1)])
    except (ConnectionFailed, VendorFault) as error:
        raise doubt(
            error,
            f"{target.name} got no answer for {document.key}: {error.message}",
            f"Look in JD Edwards for {prepared.marker!r}; calling again looks first, and finds it only where the"
            " site's orchestration has filled that column.",
        ) from None
    if isinstance(answer, MLConnectorError):
        raise answer
    return answer
