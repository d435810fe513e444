"""What the ledger tells: deliveries, history, attention items, orders."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from mlconnector.delivery._database import Row
from mlconnector.delivery._payload import document_of
from mlconnector.delivery._sealing import Plain, Seals
from mlconnector.documents import Document

__all__ = [
    "FRESH",
    "QUEUED",
    "Attention",
    "Delivery",
    "HistoryEvent",
    "OrderState",
    "attention_of",
    "delivery_of",
    "event_of",
    "order_state_of",
]

_HASH = 64
_CONFIRMATIONS = ("855", "865")
_SHIPPING_NOTICE = "856"
QUEUED = ("recorded", "sending", "unknown")
FRESH: dict[str, Any] = {
    "attempt": 0,
    "payload": None,
    "payload_form": "",
    "marker": None,
    "interchange": None,
    "control_group": None,
    "step": None,
    "done": "[]",
    "faults": "[]",
    "detail": "",
    "cause": "",
    "partner_state": "",
}
"""A replay is a new transmission: nothing of the old one is kept on it (delivery rule 10); the audit has it."""


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@attrs.frozen(kw_only=True)
class Delivery:
    """One document revision on its way to one target.

    Args:
        flow: The sync it belongs to. ``usage``: usage indicator (``"T"``, ``"P"`` or empty).
        state: ``recorded``, ``sending``, ``in doubt``, ``parked``, ``delivered``, ``unchanged``, ``superseded``,
            ``baselined``, ``unknown`` (after a recovery, until the target has said what it has).
        detail: For parked: ``refused``, ``conflict`` or ``in doubt``.
        faults: Everything that stands against it. ``cause``: a short word for what parks many alike.
        interchange, group: Control numbers of the latest transmission (ISA13, GS06).
        marker: What it is recognised by at the target. ``target_id``: id of the record there.
        partner_state: What the partner's system said of this transmission: ``"transmitted"`` (its envelope was taken),
            ``"accepted"``, ``"accepted with errors"``, ``"rejected"``; empty before it answered.
        described: What the target says of it: partner, folder, connection.
        age: Since it was recorded. ``forgotten``: when its document and payload were blanked.
    """

    id: int
    flow: str
    usage: str
    kind: str
    key: str
    revision: int
    state: str
    detail: str = ""
    faults: tuple[str, ...] = ()
    cause: str = ""
    reason: str = ""
    action: str = ""
    sequence: int = 0
    attempt: int = 0
    interchange: int | None = None
    group: int | None = None
    marker: str | None = None
    target_id: str | None = None
    fingerprint: str = ""
    partner_state: str = ""
    described: Mapping[str, Any] = attrs.field(factory=dict)
    recorded_at: dt.datetime
    updated_at: dt.datetime
    age: dt.timedelta
    forgotten: dt.datetime | None = None
    _text: str = attrs.field(repr=False, alias="text")

    @property
    def document(self) -> Document:
        """The revision itself.

        Raises:
            InvalidDocument: It was forgotten.
        """
        return document_of({"document": self._text, "key": self.key, "revision": self.revision})


def delivery_of(row: Row, now: dt.datetime) -> Delivery:
    """A table row as a delivery."""
    recorded = _instant(row["recorded_at"])
    return Delivery(
        id=row["id"],
        flow=row["sync"],
        usage=row["usage"],
        kind=row["kind"],
        key=row["key"],
        revision=row["revision"],
        state=row["state"],
        detail=row["detail"],
        faults=tuple(json.loads(row["faults"])),
        cause=row["cause"],
        reason=row["reason"],
        action=row["action"],
        sequence=row["sequence"],
        attempt=row["attempt"],
        interchange=row["interchange"],
        group=row["control_group"],
        marker=row["marker"],
        target_id=row["target_id"],
        fingerprint=row["fingerprint"],
        partner_state=row["partner_state"],
        described=json.loads(row["described"]),
        recorded_at=recorded,
        updated_at=_instant(row["updated_at"]),
        age=now - recorded,
        forgotten=_instant(row["forgotten"]) if row["forgotten"] else None,
        text=row["document"],
    )


def _shortened(value: Any) -> str:
    """Hashes by their first digits: enough to compare by eye."""
    text = str(value)
    return text[:12] if len(text) == _HASH and text.isalnum() else text


@attrs.frozen(kw_only=True)
class HistoryEvent:
    """One audit event; prints as one line."""

    number: int
    at: dt.datetime
    actor: str
    event: str
    flow: str
    key: str
    facts: Mapping[str, Any]

    def __str__(self) -> str:
        told = {name: value for name, value in self.facts.items() if value not in ("", None, False, [], {})}
        facts = ", ".join(f"{name}={_shortened(value)}" for name, value in told.items())
        return f"{self.at:%Y-%m-%d %H:%M:%S}  {self.event:<12} {facts}"


def event_of(row: Row, seals: Seals | Plain) -> HistoryEvent:
    """A table row as an event, with what it tells of contents."""
    return HistoryEvent(
        number=row["number"],
        at=_instant(row["at"]),
        actor=row["actor"],
        event=row["event"],
        flow=row["sync"],
        key=row["key"],
        facts=seals.known_facts(json.loads(row["facts"])),
    )


@attrs.frozen(kw_only=True)
class Attention:
    """Nothing failed, but a person must see it (rule B6)."""

    id: int
    flow: str
    kind: str
    key: str
    text: str
    since: dt.datetime
    age: dt.timedelta
    owner: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: {self.text}"


def attention_of(row: Row, now: dt.datetime) -> Attention:
    """A table row as an attention item."""
    since = _instant(row["since"])
    return Attention(
        id=row["id"],
        flow=row["sync"],
        kind=row["kind"],
        key=row["key"],
        text=row["text"],
        since=since,
        age=now - since,
        owner=row["owner"],
    )


@attrs.frozen(kw_only=True)
class OrderState:
    """One order: its newest revision, where that stands, the last one the partner has, and what it said.

    Args:
        acknowledged: The partner's translator on the newest revision (997, 999, TA1); empty before it answered.
        confirmed: The partner on the order itself (855, 865): ``"confirmed"``, ``"changed"``, ``"rejected"``.
        differences: In what the confirmation differs from the order.
        shipped: How many shipping notices came.
    """

    flow: str
    key: str
    revision: int
    state: str
    sent_revision: int
    interchange: int | None = None
    acknowledged: str = ""
    confirmed: str = ""
    differences: tuple[str, ...] = ()
    shipped: int = 0
    updated_at: dt.datetime


def order_state_of(row: Row, answers: Sequence[Row]) -> OrderState:
    """The newest revision of an order with everything its partner said, oldest first."""
    confirmed = ""
    differences: tuple[str, ...] = ()
    for answer in answers:
        if answer["code"] in _CONFIRMATIONS:
            differences = tuple(json.loads(answer["differences"]))
            confirmed = "changed" if differences and answer["verdict"] == "confirmed" else answer["verdict"]
    return OrderState(
        flow=row["sync"],
        key=row["key"],
        revision=row["revision"],
        state=row["state"],
        sent_revision=row["base"],
        interchange=row["interchange"],
        acknowledged=row["partner_state"],
        confirmed=confirmed,
        differences=differences,
        shipped=sum(answer["code"] == _SHIPPING_NOTICE for answer in answers),
        updated_at=_instant(row["updated_at"]),
    )
