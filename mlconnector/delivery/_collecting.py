"""Collecting: files are fetched, stored in the inbox, and only then removed where they lay (delivery rule 14)."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import attrs

from mlconnector.delivery._inbox import Message, Owed
from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._part import attend, leased, report_of
from mlconnector.delivery._report import KindReport, Report
from mlconnector.delivery._rows import Attention
from mlconnector.delivery._store import Lease, Transaction
from mlconnector.errors import InvalidArgument, MLConnectorError, NotFound, VendorFault

__all__ = ["Collection", "Interpreted", "Mailbox"]

log = logging.getLogger("mlconnector.delivery")

UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".filepart")
"""How the names of files end that are still being written."""
_OF_ONE_FILE = (VendorFault, InvalidArgument)
"""What may be wrong with one file, its name or its size among it, while the others can be had."""
_DEAD_IN_A_ROW = 10
_EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)


class Listed(Protocol):
    """A file in a listing."""

    @property
    def name(self) -> str:
        """File name."""
        ...

    @property
    def path(self) -> str:
        """What it is fetched by."""
        ...

    @property
    def size(self) -> int | None:
        """Bytes, where the listing says so."""
        ...

    @property
    def modified(self) -> dt.datetime | None:
        """Time stamp, where the listing says so."""
        ...


class Mailbox(Protocol):
    """Where files lie: a client that lists, fetches and deletes."""

    def files(self, folder: str) -> Sequence[Listed]:
        """Files of a folder; raises ``NotFound`` where there is no such folder."""
        ...

    def download(self, path: str) -> bytes:
        """The bytes of a file."""
        ...

    def delete(self, path: str) -> None:
        """Remove a file; one that is gone already counts as removed."""
        ...


@attrs.frozen
class Interpreted:
    """What an interpreter found in a file."""

    messages: tuple[Message, ...]
    owed: tuple[Owed, ...] = ()


@attrs.frozen
class _Stored:
    """A file as it was listed, and what came of it."""

    listed: Listed
    hash: str
    size: int


class Collection:
    """Everything in some folders, into an inbox.

    Args:
        name: Names the part in its ledger. ``box``: the inbox, ``name`` by default.
        mailbox: Where the files lie. ``folders``: which folders; one that is not there holds nothing.
        interpret: Finds the messages in a file; called with its bytes. Never raises for what it cannot read.
        ledger: The durable memory.
        unfinished: Files whose names end so are left alone: somebody is writing them.
        on_attention: Called with every new attention item.
        lease: How long a worker may be silent before another takes over.
    """

    kind = "inbox"

    def __init__(
        self,
        name: str,
        *,
        mailbox: Mailbox,
        folders: Sequence[str],
        interpret: Callable[[bytes], Interpreted],
        ledger: Ledger,
        box: str | None = None,
        unfinished: Sequence[str] = UNFINISHED,
        on_attention: Callable[[Attention], None] | None = None,
        lease: dt.timedelta = dt.timedelta(minutes=10),
    ) -> None:
        self.name = name
        self.box: str = box or name
        self._unfinished = tuple(unfinished)
        self._faults_in_a_row = 0
        self.ledger = ledger
        self._mailbox = mailbox
        self._folders = tuple(folders)
        self._interpret = interpret
        self._on_attention = on_attention
        self._lease = lease

    def run(
        self,
        *,
        dry_run: bool = False,
        progress: Any = None,  # noqa: ARG002 - every part of a flow takes it
        stop: Any = None,
        limit: int | None = None,  # noqa: ARG002 - every part of a flow takes it
    ) -> Report:
        """Collect every file; a dry run lists them and fetches none.

        Args:
            progress: Not called by parts beside the syncs.
            stop: Ends it between two pieces.
            limit: Of documents sent; parts beside the syncs send none.

        Raises:
            LeaseLost: Another worker is at it.
            MLConnectorError: What stopped the run, with ``.report``.
        """
        report = KindReport(kind=self.kind)
        if dry_run:
            for listed in self._listed():
                report.note(listed.path, "queued")
            return report_of(self.ledger, self.name, report, dry_run=True)
        try:
            with leased(self.ledger, self.name, self._lease) as lease:
                for folder in self._folders:
                    self._collect(folder, lease, report, stop)
        except MLConnectorError as error:
            error.report = report_of(self.ledger, self.name, report, dry_run=False)
            raise
        return report_of(self.ledger, self.name, report, dry_run=False)

    def _listed(self) -> list[Listed]:
        return [listed for folder in self._folders for listed in self._files(folder)]

    def _files(self, folder: str) -> list[Listed]:
        """Files of a folder in the order they came: a listing promises none."""
        try:
            found = self._mailbox.files(folder)
        except NotFound:
            return []
        finished = [listed for listed in found if not listed.name.lower().endswith(self._unfinished)]
        return sorted(finished, key=lambda listed: (listed.modified or _EARLIEST, listed.name))

    def _collect(self, folder: str, lease: Lease, report: KindReport, stop: Any) -> None:
        stored: dict[str, _Stored] = {}
        for listed in self._files(folder):
            if stop is not None and stop.is_set():
                break
            try:
                content = self._mailbox.download(listed.path)
            except NotFound:
                continue
            except _OF_ONE_FILE as error:
                report.note(listed.path, "parked", "cannot be fetched")
                self._failed(f"{listed.name} cannot be fetched", listed, error, lease)
                continue
            self._faults_in_a_row = 0
            self._store(listed, content, lease, report)
            stored[listed.path] = _Stored(listed, hashlib.sha256(content).hexdigest(), len(content))
        if stored:
            self._remove(folder, stored, lease)

    def _store(self, listed: Listed, content: bytes, lease: Lease, report: KindReport) -> None:
        found, new = self._interpret(content), list[Attention]()

        def told(transaction: Transaction, states: Sequence[str]) -> None:
            by_state: dict[str, list[Message]] = {"quarantined": [], "parked": []}
            for message, state in zip(found.messages, states, strict=True):
                name = f"{listed.path}: {message.identity}"
                if state != "repeated" or name not in report.outcome:
                    report.note(name, _CATEGORIES[state], _REASONS.get(state, ""))
                by_state.setdefault(state, []).append(message)
            for state, text, detail in _SHOWN:
                # One item a file, however many sets stand in it.
                details = _few([getattr(message, detail) for message in by_state[state]])
                if details:
                    key = by_state[state][0].identity
                    item = attend(transaction, self.name, self.kind, key, f"{listed.name} {text}: {details}")
                    new.extend([] if item is None else [item])

        store = self.ledger.inbox.store
        store(self.box, listed.path, content, found.messages, owed=found.owed, lease=lease, told=told)
        self._tell(new)

    def _failed(self, what: str, listed: Listed, error: MLConnectorError, lease: Lease) -> None:
        """One file at fault keeps no other from being collected.

        Raises:
            MLConnectorError: The tenth in a row; then it is not the file.
        """
        self._faults_in_a_row += 1
        if self._faults_in_a_row >= _DEAD_IN_A_ROW:
            raise error
        with self.ledger.store.transaction(lease) as transaction:
            item = attend(transaction, self.name, self.kind, listed.path, f"{what}: {error.message}")
        self._tell([] if item is None else [item])

    def _tell(self, new: Sequence[Attention]) -> None:
        for item in new:
            log.warning("attention: %s %s: %s", self.name, item.key, item.text)
            if self._on_attention is not None:
                self._on_attention(item)

    def _remove(self, folder: str, stored: dict[str, _Stored], lease: Lease) -> None:
        """Remove what is still what was stored: by size and stamp, else by its bytes.

        What has another size than the listing says is not the file: a page in its place, which came with a status of
        success. The file stays, and is fetched again.
        """
        now = {listed.path: listed for listed in self._files(folder)}
        for path, one in stored.items():
            after = now.get(path)
            try:
                if after is None or not self._same(one, after):
                    continue
                if one.listed.size not in (None, one.size):
                    raise VendorFault(
                        f"{one.size} bytes came, the listing says {one.listed.size}.",
                        cure="It is fetched again at every run; whoever runs the server sees what answers instead.",
                    )
                self._mailbox.delete(path)
            except _OF_ONE_FILE as error:
                self._failed(f"{one.listed.name} is stored and cannot be removed", one.listed, error, lease)

    def _same(self, stored: _Stored, after: Listed) -> bool:
        before = stored.listed
        if before.size is not None and before.modified is not None:
            return (before.size, before.modified) == (after.size, after.modified)
        try:
            return hashlib.sha256(self._mailbox.download(after.path)).hexdigest() == stored.hash
        except NotFound:
            return False

    def __repr__(self) -> str:
        return f"Collection({self.name!r}, {', '.join(self._folders)})"


def _few(texts: Sequence[str]) -> str:
    different = list(dict.fromkeys(texts))
    more = f", and {len(different) - _MOST_TOLD} more" if len(different) > _MOST_TOLD else ""
    return "; ".join(different[:_MOST_TOLD]) + more


_MOST_TOLD = 5
_SHOWN = (
    ("quarantined", "holds what cannot be read", "unreadable"),
    ("parked", "repeats the numbers of earlier messages with other content", "identity"),
)
_CATEGORIES = {"stored": "delivered", "repeated": "unchanged", "quarantined": "parked", "parked": "parked"}
_REASONS = {"quarantined": "cannot be read", "parked": "same identity, other content"}
