"""What a webhook told, once its sender is proven: a hint to read again, never the truth itself (delivery rule 14)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

import attrs

from mlconnector.documents import ReadOnly
from mlconnector.errors import InvalidArgument

__all__ = ["Event", "Verifier"]


def _instant(value: dt.datetime | None) -> dt.datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise InvalidArgument(f"occurred_at={value!r} has no time zone.", cure="Pass an aware datetime.")
    return value.astimezone(dt.UTC)


def _texts(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(value) for value in values)


@attrs.frozen(kw_only=True)
class Event:
    """One verified notice of a vendor.

    Args:
        system: Who sent it: ``"coupa"``, ``"bill"``.
        kind: The reader whose documents it is about (``"invoices"``), or ``"unknown"``.
        id: What makes two deliveries of it the same: the vendor's event id, else object, id and change stamp. Same id
            and same body is a repeat and dropped; same id and another body is parked (delivery rule 14).
        occurred_at: When it happened by the vendor's clock, in UTC; ``None`` where the vendor does not say. An older
            state than the one known is stored, never applied.
        keys: Keys of the documents to read again, as ``client.read(kind, keys=...)`` takes them.
        data: The decoded body, read-only, fractions as ``Decimal``; not shown by ``repr``.
    """

    system: str
    kind: str
    id: str
    occurred_at: dt.datetime | None = attrs.field(default=None, converter=_instant)
    keys: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    data: Mapping[str, Any] = attrs.field(factory=ReadOnly, converter=ReadOnly, repr=False)


@runtime_checkable
class Verifier(Protocol):
    """Proves who sent a webhook, and reads it."""

    def verify(self, headers: Mapping[str, str], body: bytes) -> Event:
        """The event in this body.

        Args:
            headers: As received, names in any case. ``body``: the raw bytes.

        Raises:
            WebhookRejected: Signature, age or form is not acceptable; its ``status`` is what to answer.
        """
        ...
