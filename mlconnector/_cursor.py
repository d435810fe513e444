"""Cursors: a watermark that moves with the last page, a position that moves page by page, and overlap memory.

A cursor is plain JSON. ``delivery.md`` rule 2 lives here: the new watermark is the smaller of the highest stamp seen
and the source's clock when the pass began, never goes back, and changes only with the last page.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import attrs

from mlconnector.errors import CursorMismatch, InvalidArgument

__all__ = ["MEMORY", "PassState", "Seen", "filters_hash"]

T = TypeVar("T")

VERSION = 1
MEMORY = 20_000
"""Fingerprints a cursor remembers at most; past it documents are handed out again, never left out."""

_SETTLING = 600.0
"""A row can be changed again within the second of its stamp, and be committed late. A stamp proves that nothing
changed once it was read again this many seconds, on the source's clock, after it was first seen."""
_HELD = 2000
"""Documents kept at most until their fingerprint is asked for."""
_MICRO = 1_000_000
_LAST_IN_SECONDS = 100_000_000_000
_COLD = 26 * 3600.0
"""A stamp this old when read cannot be such a second, whatever the zone of the stamps."""


class Seen:
    """What was handed out under a key, with its stamp, stamp signature, and when it was first and last read.

    Times are seconds since the epoch. The fingerprint is taken from the document when it is first asked for: a caller
    who does not keep cursors does not pay for them.
    """

    __slots__ = ("_document", "_fingerprint", "first", "latest", "signature", "stamp")

    def __init__(  # noqa: PLR0917 - the form it has in a cursor
        self,
        fingerprint: str,
        stamp: float,
        signature: str = "",
        first: float = 0.0,
        latest: float = 0.0,
        document: Any = None,
    ) -> None:
        self._fingerprint, self._document = fingerprint, document
        self.stamp, self.signature, self.first, self.latest = stamp, signature, first, latest

    @property
    def fingerprint(self) -> str:
        """First 16 digits of the document's fingerprint."""
        if self._document is not None:
            self._fingerprint, self._document = self._document.fingerprint[:16], None
        return self._fingerprint

    @property
    def settled(self) -> bool:
        """The signature was read so late after its stamp that equal stamps prove equal content."""
        return self.latest - self.first >= _SETTLING or self.latest - self.stamp >= _COLD

    def plain(self) -> list[Any]:
        """As JSON."""
        if not self.signature:
            return [self.fingerprint, _whole(self.stamp)]
        return [self.fingerprint, _whole(self.stamp), self.signature, _whole(self.first), _whole(self.latest)]

    @classmethod
    def of(cls, entry: Sequence[Any]) -> Seen:
        """From its JSON form."""
        fingerprint, stamp, *rest = entry
        signature, first, latest = rest or ("", 0, 0)
        return cls(fingerprint, _seconds(stamp), signature, _seconds(first), _seconds(latest))


def _whole(seconds: float) -> int:
    """Microseconds: a cursor holds no fractions, which JSON readers make floats or decimals of as they like."""
    return round(seconds * _MICRO)


def _seconds(number: Any) -> float:
    """Seconds of what a cursor holds; earlier ones held seconds, which were below this limit."""
    return float(number) if number < _LAST_IN_SECONDS else float(number) / _MICRO


def filters_hash(filters: Mapping[str, Any]) -> str:
    """Short hash of the plain-JSON filters of a read."""
    text = json.dumps(filters, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _instant(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def _text(instant: dt.datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(dt.UTC).isoformat()


@attrs.define
class PassState:
    """One pass over a source, from a cursor or an instant to the next cursor."""

    system: str
    kind: str
    filters: str
    overlap: dt.timedelta
    memory: int
    floor: dt.datetime | None = None
    watermark: dt.datetime | None = None
    lower: dt.datetime | None = None
    begin: dt.datetime | None = None
    high: dt.datetime | None = None
    position: Any = None
    seen: dict[str, Seen] = attrs.Factory(dict)
    margin: dt.timedelta = dt.timedelta(0)
    _roomy: int = 1000
    _unread: list[Seen] = attrs.Factory(list)

    def start(self, since: dt.datetime | Mapping[str, Any] | None) -> None:
        """Take up a cursor, or begin at an instant.

        Raises:
            CursorMismatch: A cursor of another system, kind or filter.
            InvalidArgument: A naive datetime, something that is neither, or a cursor of which something is missing.
        """
        if since is None:
            return
        if isinstance(since, dt.datetime):
            if since.tzinfo is None:
                raise InvalidArgument(f"since={since!r} has no time zone.", cure="Pass an aware datetime.")
            self.floor = self.lower = since.astimezone(dt.UTC)
            return
        if not isinstance(since, Mapping):
            raise InvalidArgument(f"since={since!r} is neither a datetime nor a cursor.", cure="Pass one of the two.")
        expected = {"v": VERSION, "system": self.system, "kind": self.kind, "filters": self.filters}
        for name, value in expected.items():
            if since.get(name) != value:
                raise CursorMismatch(
                    f"The cursor has {name}={since.get(name)!r}, this read has {value!r}.",
                    cure="Use the cursor with the read that made it, or start this read with a datetime.",
                    system=self.system,
                )
        try:
            self._take_up(since)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise InvalidArgument(
                f"The cursor of {self.system} {self.kind} is not whole: it has {', '.join(map(str, since))}.",
                cure="Save cursors as they are; start this read with a datetime.",
            ) from None

    def _take_up(self, since: Mapping[str, Any]) -> None:
        self.floor, self.watermark = _instant(since["floor"]), _instant(since["watermark"])
        self.seen = {key: Seen.of(entry) for key, entry in since["seen"].items()}
        under_way = since["pass"]
        if under_way is not None:
            self.begin, self.high = _instant(under_way["begin"]), _instant(under_way["high"])
            self.lower, self.position = _instant(under_way["lower"]), under_way["position"]
        elif self.watermark is not None:
            lower = self.watermark - self.overlap
            self.lower = lower if self.floor is None else max(lower, self.floor)
        else:
            self.lower = self.floor

    def settled(self, key: str, signature: str) -> bool:
        """This key with this stamp signature was read before, late enough to be sure of its content."""
        entry = self.seen.get(key)
        return entry is not None and entry.signature == signature and entry.settled

    def note_clock(self, clock: dt.datetime) -> None:
        """The source's clock at its first answer."""
        if self.begin is None:
            self.begin = clock

    def note_high(self, stamp: dt.datetime | None) -> None:
        """A stamp that was seen."""
        if stamp is not None and (self.high is None or stamp > self.high):
            self.high = stamp

    def handed_out(self, documents: Iterable[T], signatures: Mapping[str, str], clock: dt.datetime) -> list[T]:
        """The documents of a page less what was handed out before with the same content; all of them are noted.

        Args:
            signatures: Stamp signatures by key. ``clock``: the source's, with this page.
        """
        new: list[T] = []
        now, oldest = clock.timestamp(), self._oldest()
        for document in documents:
            described: Any = document
            key, provenance = described.key, described.provenance
            stamp = None if provenance is None else provenance.updated_at
            if stamp is not None and (self.high is None or stamp > self.high):
                self.high = stamp
                oldest = self._oldest()
            before = self.seen.get(key)
            if before is None or before.fingerprint != described.fingerprint[:16]:
                new.append(document)
            if stamp is None or oldest is None or stamp < oldest:
                self.seen.pop(key, None)
            else:
                self._remember(described, stamp, signatures.get(key, ""), before, now)
        return new

    def _remember(self, document: Any, stamp: dt.datetime, signature: str, before: Seen | None, now: float) -> None:
        assert self.begin is not None
        first = before.first if before is not None and signature and before.signature == signature else now
        entry = Seen("", stamp.timestamp(), signature, first, self.begin.timestamp(), document)
        self.seen[document.key] = entry
        self._unread.append(entry)
        if len(self._unread) > _HELD:
            for one in self._unread:
                _ = one.fingerprint
            self._unread.clear()

    def cursor(self, *, last: bool) -> Callable[[], dict[str, Any]]:
        """Makes the cursor after the page just noted, whenever asked; with the last page the watermark moves."""
        if last or len(self.seen) > self._roomy:
            self._forget()
        seen = dict(self.seen)
        plain: dict[str, Any] = {
            "v": VERSION,
            "system": self.system,
            "kind": self.kind,
            "filters": self.filters,
            "floor": _text(self.floor),
            "watermark": _text(self._moved() if last else self.watermark),
            "pass": None,
        }
        if not last:
            plain["pass"] = {
                "begin": _text(self.begin),
                "high": _text(self.high),
                "lower": _text(self.lower),
                "position": self.position,
            }
        return lambda: {**plain, "seen": {key: entry.plain() for key, entry in seen.items()}}

    def _moved(self) -> dt.datetime | None:
        if self.high is None or self.begin is None:
            return self.watermark
        moved = min(self.high, self.begin)
        return moved if self.watermark is None else max(self.watermark, moved)

    def _oldest(self) -> dt.datetime | None:
        """The earliest stamp that the pass after this one can bring again; ``None`` while there is no watermark."""
        watermark = self._moved()
        return None if watermark is None or self.begin is None else watermark - self.overlap - self.margin

    def _forget(self) -> None:
        oldest = self._oldest()
        if oldest is not None:
            earliest = oldest.timestamp()
            self.seen = {key: entry for key, entry in self.seen.items() if entry.stamp >= earliest}
        if len(self.seen) > self.memory:
            newest = sorted(self.seen.items(), key=lambda item: item[1].stamp, reverse=True)[: self.memory]
            self.seen = dict(newest)
        self._roomy = max(1000, 2 * len(self.seen))
