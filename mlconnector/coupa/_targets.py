"""Delivering records: looked up, created or updated by id, read back, then issued or submitted (section 9, rule 8)."""

from __future__ import annotations

import abc
import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import attrs

from mlconnector.coupa._api import API, Record
from mlconnector.coupa._compare import differences, digest
from mlconnector.coupa._faults import is_taken
from mlconnector.coupa._plan import Draft, Plan, intended
from mlconnector.coupa._references import Asking, References
from mlconnector.coupa._resources import Resource
from mlconnector.errors import (
    ConnectionFailed,
    DeliveryInDoubt,
    InvalidArgument,
    InvalidDocument,
    MLConnectorError,
    TargetChanged,
    UnknownReference,
    VendorFault,
)
from mlconnector.target import Change, LookUp, Prepared, Receipt

__all__ = ["RecordTarget"]

_log = logging.getLogger("mlconnector.coupa")
_MEND = "Mend it in Coupa, or settle it: accept what stands there, or overwrite it."


class RecordTarget(abc.ABC):
    """What the targets share: suppliers, external purchase orders, invoices.

    Args:
        api: The client's calls. ``references``: its look-ups.
        chart: Chart of accounts of accounts that are named by their code.
        account: Account of lines that the ERP gives none, by Coupa's code or a linked one; without it they go without.
        look_up: ``"reliable"``: Coupa's records are found by their own numbers at once (delivery.md, targets).
        settle_after: How long after its deadline a call may still show.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    resource: ClassVar[Resource]
    noun: ClassVar[str]
    follow_up: ClassVar[str | None] = None
    """The step after ``save``."""
    ending: ClassVar[str | None] = None
    """The step that takes a record back."""
    batch_size = 1
    max_in_flight = 16
    """Records at once; the client's pace of calls a second holds for all of them together (section 8)."""

    def __init__(
        self,
        api: API,
        references: References,
        *,
        chart: str | None = None,
        account: str | None = None,
        look_up: LookUp = "reliable",
        settle_after: dt.timedelta = dt.timedelta(minutes=1),
    ) -> None:
        if look_up not in ("reliable", "present_only", "none"):
            raise InvalidArgument(f"look_up={look_up!r}.", cure='Use "reliable", "present_only" or "none".')
        if settle_after < dt.timedelta(0):
            raise InvalidArgument(f"settle_after={settle_after!r} is negative.", cure="Give a time span.")
        for name, value in (("chart", chart), ("account", account)):
            if value is not None and not value.strip():
                raise InvalidArgument(f"{name}={value!r} is empty.", cure="Give what Coupa calls it, or None.")
        self.name: str = f"coupa {self.resource.kind}"
        self.look_up: LookUp = look_up
        self.settle_after = settle_after
        self._api, self._references = api, references
        self._chart, self._account = chart, account

    # What differs by kind

    @abc.abstractmethod
    def content(self, document: Any) -> str:
        """What makes a revision (rule B11)."""

    @abc.abstractmethod
    def _draft(self, document: Any, ask: Asking) -> Draft:
        """The document as Coupa is to have it; faults and misses go to ``ask``."""

    def _changed(self, body: Mapping[str, Any], record: Record) -> Mapping[str, Any]:  # noqa: ARG002 - for kinds with lines
        """The body of an update."""
        return body

    def _refusal(self, document: Any, record: Record, *, known: bool, differs: bool) -> str:
        """Why a record must not be written to; empty where it may."""
        del document, record, known, differs
        return ""

    def _follow_up_path(self) -> str | None:
        """Last part of the path of the step after ``save``; ``None`` where there is none to do."""
        return None

    def _followed(self, record: Mapping[str, Any]) -> bool:
        """The step after ``save`` is done."""
        del record
        return True

    def _ended(self, record: Mapping[str, Any]) -> bool:
        """The record is taken back."""
        del record
        return False

    def _ends(self, document: Any) -> bool:
        """The document says that it is taken back."""
        return bool(getattr(document, "status", "") == "cancelled" or getattr(document, "void", False))

    def _ending_path(self) -> str:
        """Last part of the path of the step that takes back."""
        return str(self.ending)

    # The protocol

    def prepare(self, change: Change[Any]) -> Prepared:
        """Map, resolve every reference, read what Coupa has; writes nothing. See :class:`~mlconnector.target.Target`.

        Raises:
            InvalidDocument: With every fault, and every missing reference too.
            UnknownReference: With every missing reference.
            TargetChanged: The record we made is gone.
        """
        document = change.document
        self._refuse_echo(document)
        ask = self._asking(change)
        ends = self.ending is not None and (change.action == "cancel" or self._ends(document))
        draft = self._draft(document, ask)
        if not ends:
            self._refuse_faults(draft.shown, ask)
        record = self._current(change, draft)
        if ends:
            plan = self._ending_plan(change, draft, record)
            steps: tuple[str, ...] = (str(self.ending),)
        else:
            plan, steps = self._saving_plan(change, draft, record)
        known = None if record is None else str(record["id"])
        facts: dict[str, Any] = {"record": draft.shown, "call": f"{plan.call['method']} {plan.call['path']}"}
        if ask.left_out:
            facts["left_out"] = list(ask.left_out)
        if record is not None:
            facts["seen"] = digest(intended(plan.call), record)
        for text in draft.attention:
            _log.warning("coupa: %s", text)
        return Prepared(
            document,
            plan,
            "/".join(value for _name, value in draft.query),
            steps=steps,
            target_id=known,
            describe=facts,
            attention=draft.attention,
            claim=draft.claim,
        )

    def find(self, prepared: Prepared) -> Receipt | None:
        """Look for our write. Before the first one, what ``prepare`` has just read is judged.

        Raises:
            TargetChanged: The invoice is not what we left there.
        """
        if isinstance(prepared.payload, Plan):
            return self._before(prepared, prepared.payload)
        call = _call_of(prepared)
        record = self._recorded(call)
        shown = str(prepared.describe.get("record") or f"the {self.noun}")
        if record is None:
            if call["method"] == "POST":
                return None
            raise TargetChanged(f"{shown} is no longer in Coupa.", cure=_MEND, cause="gone")
        if call.get("body") is None:
            return self._receipt(record, prepared.steps) if self._ended(record) else None
        wanted = intended(call)
        found = differences(wanted, record)
        if found:
            if call["method"] == "PUT" and digest(wanted, record) == prepared.describe.get("seen"):
                return None
            raise TargetChanged(f"{shown} has other content in Coupa.", faults=tuple(found), cure=_MEND)
        if self._ended(record):
            raise TargetChanged(f"{shown} is {_status(record)} in Coupa.", cure=_MEND, cause="ended")
        done = tuple(step for step in prepared.steps if step != self.follow_up or self._followed(record))
        return attrs.evolve(
            self._receipt(record, done),
            by="content" if call["method"] == "PUT" and prepared.step == "save" else "marker",
        )

    def deliver(self, batch: Sequence[Prepared]) -> Sequence[Receipt | MLConnectorError]:
        """Make the call of the step, and read the answer back."""
        return [self._deliver(prepared) for prepared in batch]

    def save(self, document: Any) -> Receipt:
        """Look up, then create or update, then the step after it; without a ledger.

        Raises:
            TargetChanged: The record must not be written to, or Coupa kept it otherwise than it was sent.
            DeliveryInDoubt: An answer was lost; the message says what to look for. Saving again looks first.
        """
        prepared = self.prepare(Change(document=document, key=document.key))
        plan = prepared.payload
        assert isinstance(plan, Plan)
        if plan.refused:
            raise TargetChanged(plan.refused[0], faults=plan.refused, cure=_MEND)
        if plan.done and plan.record is not None:
            return attrs.evolve(self._receipt(plan.record, prepared.steps), existing=True)
        receipt = Receipt(system="coupa", id=prepared.target_id)
        for step in prepared.steps:
            one = attrs.evolve(prepared, payload=dict(plan.call), step=step, target_id=receipt.id, attempt=1)
            try:
                receipt = self._deliver(one)
            except (ConnectionFailed, VendorFault) as error:
                if error.repeat_safe or getattr(error, "refused", False):
                    raise
                raise DeliveryInDoubt(
                    f"{prepared.describe['record']} got no answer to its {step}: {error.message}",
                    cure="Look for it in Coupa by that number; saving it again looks first.",
                    system="coupa",
                ) from None
        return attrs.evolve(receipt, steps=prepared.steps)

    # Preparing

    def _asking(self, change: Change[Any]) -> Asking:
        provenance = change.document.provenance
        system = "jdedwards" if provenance is None else provenance.system
        return Asking(self._references, change.crosswalk, system, chart=self._chart, default=self._account)

    def _refuse_echo(self, document: Any) -> None:
        provenance = document.provenance
        born = provenance is not None and provenance.system == "coupa"
        if born or str(getattr(document, "origin", "")).upper().startswith("COUPA:"):
            raise InvalidDocument(
                f"{self.noun} {document.key} was born in Coupa.",
                cause="echo",
                cure="Nothing to do: what came from Coupa is not sent back to it (rule B1). Exclude it by select=.",
            )

    def _refuse_faults(self, shown: str, ask: Asking) -> None:
        if ask.faults:
            raise InvalidDocument(
                f"{shown} cannot go as it is.",
                faults=(*ask.faults, *ask.misses),
                cause="document",
                cure="Correct it in the ERP, or the settings, then replay.",
            )
        if ask.misses:
            raise UnknownReference(
                f"{shown} names what Coupa does not know.",
                faults=tuple(ask.misses),
                cause="reference",
                cure="The Coupa administrator adds it, or whoever runs the flow links it in the crosswalk; replay.",
            )

    def _current(self, change: Change[Any], draft: Draft) -> Record | None:
        if change.target_id is not None:
            record = self._api.show(self.resource, change.target_id)
            if record is None:
                raise TargetChanged(
                    f"{draft.shown} was made as {change.target_id} and is no longer in Coupa.", cure=_MEND, cause="gone"
                )
            return record
        return self._one(draft.shown, draft.query, draft.body)

    def _one(self, shown: str, query: Sequence[tuple[str, str]], body: Mapping[str, Any]) -> Record | None:
        rows = self._api.listed(self.resource.path, [*query, *self._api.elements(self.resource), ("limit", "50")]).rows
        fitting = self._narrowed([row for row in rows if self._is_key(row, query)], body)
        if len(fitting) > 1:
            raise TargetChanged(
                f"{shown} is {len(fitting)} times in Coupa: {', '.join(str(row.get('id')) for row in fitting)}.",
                cure=_MEND,
                cause="several",
            )
        if fitting:
            return fitting[0]
        made = self._references.made(self.resource.path, query)
        return None if made is None else self._api.show(self.resource, made)

    def _narrowed(self, rows: Sequence[Record], body: Mapping[str, Any]) -> Sequence[Record]:
        """Fewer of several records under one key."""
        del body
        return rows

    def _is_key(self, row: Record, query: Sequence[tuple[str, str]]) -> bool:
        """Compared here too: how Coupa compares case and blanks is not documented (section 9)."""
        for name, value in query:
            outer, _, inner = name.rstrip("]").partition("[")
            found: Any = row.get(outer.replace("_", "-"))
            if inner and isinstance(found, Mapping):
                found = found.get(inner)
            elif inner:
                continue
            if str(found if found is not None else "").strip() != value:
                return False
        return True

    def _saving_plan(self, change: Change[Any], draft: Draft, record: Record | None) -> tuple[Plan, tuple[str, ...]]:
        follow = (str(self.follow_up),) if self._follow_up_path() is not None else ()
        if record is None:
            call = {"method": "POST", "path": self.resource.path, "body": draft.new}
            return Plan(call=call, record=None), ("save", *follow)
        call = {
            "method": "PUT",
            "path": f"{self.resource.path}/{record['id']}",
            "body": dict(self._changed(draft.body, record)),
        }
        found = differences(draft.body, record)
        left = follow if follow and not self._followed(record) else ()
        refusal = self._refusal(change.document, record, known=change.target_id is not None, differs=bool(found))
        if not refusal and self._ended(record):
            refusal = f"{draft.shown} is {_status(record)} in Coupa."
        changed: tuple[str, ...] = ()
        if found:
            changed = self._not_as_left(change, record, found)
        plan = Plan(
            call=call,
            record=record,
            done=not found and not left,
            refused=(refusal,) if refusal else (),
            changed=changed,
        )
        return plan, ("save", *left) if found else left or ("save",)

    def _not_as_left(self, change: Change[Any], record: Record, otherwise: Sequence[str]) -> tuple[str, ...]:
        """Where the record is not what we left there; a reference of ours that is gone by now is not compared.

        Args:
            otherwise: The answer where we left nothing there.
        """
        left = [document for document in (change.begun, change.previous) if document is not None]
        found = [differences(self._draft(document, self._asking(change)).body, record) for document in left]
        return () if [] in found else tuple(found[-1] if found else otherwise)

    def _ending_plan(self, change: Change[Any], draft: Draft, record: Record | None) -> Plan:
        if record is None:
            raise InvalidDocument(
                f"{draft.shown} is taken back and was never in Coupa.", cause="cancelled", cure="Nothing to do."
            )
        call = {"method": "PUT", "path": f"{self.resource.path}/{record['id']}/{self._ending_path()}", "body": None}
        done = self._ended(record)
        refusal = self._refusal(change.document, record, known=change.target_id is not None, differs=False)
        return Plan(
            call=call,
            record=record,
            done=done,
            refused=(refusal,) if refusal else (),
            changed=() if done else self._not_as_left(change, record, ()),
        )

    # Looking

    def _before(self, prepared: Prepared, plan: Plan) -> Receipt | None:
        shown = prepared.describe["record"]
        if plan.refused:
            raise TargetChanged(plan.refused[0], faults=plan.refused, cure=_MEND)
        if plan.changed:
            raise TargetChanged(
                f"{shown} is in Coupa with other content.", faults=plan.changed, cure=_MEND, cause="changed"
            )
        return self._receipt(plan.record, prepared.steps) if plan.done and plan.record is not None else None

    def _recorded(self, call: Mapping[str, Any]) -> Record | None:
        """The record that a call was about."""
        if call["method"] == "POST":
            return self._one(f"the {self.noun}", self._query_of(call["body"]), call["body"])
        return self._api.show(self.resource, str(call["path"]).removeprefix(f"{self.resource.path}/").partition("/")[0])

    @abc.abstractmethod
    def _query_of(self, body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """Parameters that find what this body made."""

    # Sending

    def _deliver(self, prepared: Prepared) -> Receipt:
        call = _call_of(prepared)
        if prepared.step is not None and prepared.step == self.follow_up:
            return self._follow(prepared)
        if call.get("body") is None:
            return self._acted(prepared, self._api.write("PUT", str(call["path"]), None, self.resource))
        if prepared.step is None:
            # Somebody did the last step meanwhile. The kept call may append lines: never again without a look.
            there = self._recorded(call)
            if there is not None and not differences(intended(call), there):
                return self._receipt(there, prepared.steps)
        try:
            record = self._api.write(str(call["method"]), str(call["path"]), call["body"], self.resource)
        except VendorFault as error:
            if call["method"] == "POST" and is_taken(error):
                return self._taken(call, error)
            if error.refused and error.status in (400, 422):
                raise self._invalid(prepared, error) from None
            raise
        kept = self._read_back(call, record)
        if call["method"] == "POST":
            self._references.note_made(self.resource.path, self._query_of(call["body"]), str(kept["id"]))
        return self._receipt(kept, ("save",))

    def _invalid(self, prepared: Prepared, error: VendorFault) -> InvalidDocument:
        """Coupa's own faults, and what it was sent without, which may be why."""
        return InvalidDocument(
            f"Coupa refused {prepared.describe.get('record') or self.noun}.",
            faults=(error.message, *(f"sent without: {text}" for text in prepared.describe.get("left_out") or ())),
            cause="refused",
            cure="Correct what Coupa names, in the ERP or in the settings, then replay; nothing was done.",
            status=error.status,
            system="coupa",
        )

    def _read_back(self, call: Mapping[str, Any], record: Record | None) -> Record:
        """The record as Coupa kept it; a reference it could not resolve was dropped without an error (section 5)."""
        wanted = intended(call)
        if record is not None and not differences(wanted, record, told_only=True):
            return record
        # The answer may be a shortened one: the record itself decides.
        full = self._recorded(call) if record is None else self._api.show(self.resource, str(record["id"]))
        if full is None:
            raise DeliveryInDoubt(
                f"{call['method']} {call['path']} was accepted, and the record is not there.",
                cure="Look for it in Coupa.",
                system="coupa",
            )
        found = differences(wanted, full, told_only=True)
        if found:
            raise TargetChanged(
                f"Coupa kept {self.noun} {full['id']} otherwise than it was sent.",
                faults=tuple(found),
                cause="dropped",
                cure="Make what was dropped known in Coupa, then settle it as overwrite.",
                system="coupa",
            )
        return full

    def _follow(self, prepared: Prepared) -> Receipt:
        path = f"{self.resource.path}/{prepared.target_id}/{self._follow_up_path() or self.follow_up}"
        try:
            record = self._api.write("PUT", path, None, self.resource)
        except VendorFault:
            # Refused because it is done already, or done in spite of a gateway's fault: the status tells.
            record = self._api.show(self.resource, str(prepared.target_id))
            if record is None or not self._followed(record):
                raise
        return self._acted(prepared, record)

    def _acted(self, prepared: Prepared, record: Record | None) -> Receipt:
        """An action's answer may hold the record, or nothing."""
        if record is not None:
            return self._receipt(record, prepared.steps)
        return Receipt(system="coupa", id=prepared.target_id, steps=prepared.steps)

    def _taken(self, call: Mapping[str, Any], error: VendorFault) -> Receipt:
        """A duplicate was refused: it is there. Equal, it is ours; else a person decides (section 9)."""
        record = self._recorded(call)
        if record is None:
            holder = self._holder(call["body"])
            shown = f"{self.noun} {'/'.join(value for _, value in self._query_of(call['body']))}"
            if holder is None:
                # Lists lag: what is taken and not shown may be our own write of a moment ago.
                raise DeliveryInDoubt(
                    f"Coupa says that {shown} is there, and does not show it: {error.message}",
                    cure="Look again later; if it never shows, the administrator looks for who holds the number.",
                    system="coupa",
                )
            raise TargetChanged(
                f"{shown} is refused: its name or tax id is held by {self.noun} {holder['id']}. {error.message}",
                cause="taken",
                cure=_MEND,
                system="coupa",
            )
        found = differences(intended(call), record)
        if found:
            raise TargetChanged(
                f"{self.noun} {record['id']} is in Coupa with other content.",
                faults=tuple(found),
                cause="taken",
                cure=_MEND,
                system="coupa",
            )
        return attrs.evolve(self._receipt(record, ("save",)), existing=True)

    def _holder(self, body: Mapping[str, Any]) -> Record | None:
        """Another record that holds what must be unique."""
        del body
        return None

    def _receipt(self, record: Mapping[str, Any], steps: Sequence[str]) -> Receipt:
        facts = {name: record[name] for name in ("status", "version") if record.get(name) is not None}
        return Receipt(system="coupa", id=str(record["id"]), raw=facts, steps=tuple(steps))


def _call_of(prepared: Prepared) -> Mapping[str, Any]:
    payload = prepared.payload
    if isinstance(payload, Mapping) and "method" in payload and "path" in payload:
        return payload
    raise InvalidDocument(
        "The kept payload is not a call of Coupa.", cause="payload", cure="Replay it, so that it is prepared anew."
    )


def _status(record: Mapping[str, Any]) -> str:
    return str(record.get("status") or "unknown")
