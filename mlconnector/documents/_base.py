"""What every document is: a natural key, a fingerprint, extras, and where it came from."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from mlconnector._html import document
from mlconnector.documents._fields import EMPTY, as_instant, as_read_only, as_tuple

__all__ = ["Document", "Provenance"]


@attrs.frozen(kw_only=True)
class Provenance:
    """Where a document was read. Takes no part in equality and in the fingerprint.

    Args:
        system: ``"jdedwards"``, ``"fusion"`` ...
        kind: The reader's name, ``"purchase_orders"``.
        key: The vendor's natural key as text.
        updated_at: When the source last stamped it, in UTC; ``None`` where the source has no stamp.
    """

    system: str
    kind: str
    key: str
    updated_at: dt.datetime | None = attrs.field(default=None, converter=as_instant)


@attrs.frozen(kw_only=True)
class Document:
    """Root of the document classes. All are frozen; amounts are ``Decimal`` in the document's ``currency``.

    Attributes:
        waiting_for: What the vendor's gate (status, hold, approval; rules B10, B21) still asks for, in words.
        extras: Customer fields, read-only; the keys are the vendor's column names.
        provenance: Where it was read; takes no part in equality.
    """

    key_fields: ClassVar[tuple[str, ...]] = ("number",)

    waiting_for: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    extras: Mapping[str, Any] = attrs.field(default=EMPTY, converter=as_read_only)
    provenance: Provenance | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def ready(self) -> bool:
        """Fit to go: nothing is waited for (rules B10, B21)."""
        return not self.waiting_for

    @property
    def key(self) -> str:
        """Natural key in the source: what the reader called it, else the class's key fields joined by ``/``."""
        if self.provenance is not None:
            return self.provenance.key
        values = (getattr(self, name) for name in self.key_fields)
        return "/".join(str(value) for value in values if value not in (None, ""))

    @property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) over everything but provenance; ``1.0`` and ``1.00`` are the same amount."""
        from mlconnector.documents._json import canonical

        return hashlib.sha256(canonical(self).encode()).hexdigest()

    def _repr_html_(self) -> str:
        """A table for notebooks: what is not empty; tax ids and the like by their last digits, long lists cut."""
        return document(self, f"{type(self).__name__} {self.key}")
