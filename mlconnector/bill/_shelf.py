"""The bills of vendors, listed once a run for the look-up before a first create (BILL reference, section 9)."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.bill._api import Api
from mlconnector.bill._body import Form, digest, facts
from mlconnector.bill._resources import BILLS
from mlconnector.bill._values import Fields

__all__ = ["Hit", "Shelf"]

Row = Mapping[str, Any]
_FRESH = 600.0


@attrs.frozen
class Hit:
    """What is kept of a record: enough to tell whose it is and whether it says what we would say, and no more.

    Args:
        id: Its id. ``archived``, ``description``: as told.
        content: Digest of its facts, as far as its row in a list told them.
        whole: The record itself was read.
    """

    id: str
    archived: bool
    description: str
    content: str
    whole: bool = False


class Shelf:
    """Records by vendor and number, kept for ten minutes; what our own calls add is put in at once.

    Numbers cannot be asked for, so a vendor's whole list is read, archived ones too, and compared here. Vendor credits
    have no certain filter by vendor: all of them are read (section 4).

    Args:
        api: Who asks. ``form``: bills or vendor credits.
        look_back: Leave out what was created longer ago; ``None``: everything counts.
    """

    def __init__(self, api: Api, form: Form, look_back: dt.timedelta | None = None) -> None:
        self._api, self._form, self._look_back = api, form, look_back
        self._start()

    def _start(self) -> None:
        self._lock = threading.RLock()
        self._read_at: dict[str, float] = {}
        self._rows: dict[str, dict[str, dict[str, Hit]]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in ("_api", "_form", "_look_back")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    def fetch(self, vendors: Iterable[str]) -> None:
        """Make sure that the records of these vendors are known; one list for all that are not."""
        with self._lock:
            now = self._api.clock.monotonic()
            old = sorted(one for one in set(vendors) if now - self._read_at.get(one, -_FRESH) >= _FRESH)
            if not old:
                return
            for row in self._listed(old, everything=False):
                self._add(row)
            for vendor in old:
                self._read_at[vendor] = now

    def _listed(self, vendors: Sequence[str], *, everything: bool) -> Iterable[Row]:
        created: list[tuple[str, str, Any]] = []
        if self._look_back is not None and not everything:
            created.append(("createdTime", ">=", self._api.clock.now() - self._look_back))
        for vendor in vendors:
            # Until the list is complete, nothing is known of them: half a list must not pass for a whole one.
            self._rows[vendor] = {}
            self._read_at.pop(vendor, None)
        if self._form.resource is not BILLS:
            yield from (row for row in self._api.all(self._form.resource, created) if row.get("vendorId") in vendors)
            return
        for rows in self._api.all_in(BILLS, "vendorId", vendors, created):
            yield from rows

    def hits(self, vendor: str, number: str) -> list[Hit]:
        """The records of a fetched vendor that have exactly this number.

        A row without a description does not tell whose it is: rows of lists can be thinner than the record (section 4),
        which is read then.

        Raises:
            MLConnectorError: BILL cannot be asked; nothing was written.
        """
        with self._lock:
            found = self._rows.get(vendor, {}).get(number, {})
            for hit in [hit for hit in found.values() if not (hit.description or hit.whole)]:
                found[hit.id] = self._hit(self._api.record(self._form.resource, hit.id), whole=True)
            return list(found.values())

    def ask(self, vendor: str, number: str) -> list[Hit]:
        """The same, asked for now, all of it: the only look-up that proves that something is absent (rule 6)."""
        with self._lock:
            for row in self._listed([vendor], everything=True):
                self._add(row)
            self._read_at[vendor] = self._api.clock.monotonic()
            return self.hits(vendor, number)

    def forget(self, vendors: Iterable[str]) -> None:
        """Nothing is known of these vendors any more: a call for them had no proper answer."""
        with self._lock:
            for vendor in vendors:
                self._read_at.pop(vendor, None)

    def add(self, row: Row) -> None:
        """A record that a call of ours made."""
        with self._lock:
            self._add(row)

    def _add(self, row: Row) -> None:
        fields, hit = Fields(row, []), self._hit(row)
        numbers = self._rows.setdefault(fields.text("vendorId"), {})
        numbers.setdefault(fields.text(self._form.number), {})[hit.id] = hit

    def _hit(self, row: Row, *, whole: bool = False) -> Hit:
        fields, told = Fields(row, []), digest(facts(self._form, row))
        return Hit(fields.text("id"), fields.flag("archived"), fields.text("description"), told, whole)
