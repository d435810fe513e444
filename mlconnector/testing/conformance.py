"""Proof that a vendor's client keeps the promises the engine builds on; for authors of further vendors.

Three functions, called from a test with a running simulator of the vendor. Each raises :class:`NotConforming` at the
first broken promise and names it::

    def test_it_conforms(simulator):
        conformance.source(simulator.client, "invoices", change=change_one, secrets=[simulator.password])
        conformance.sink(simulator.client, "invoices")
        conformance.target(simulator.client, "invoices", invoices(4), contents=lambda: simulator.invoices, clock=clock)

The simulator is the author's own: what it does not enforce, no suite can prove.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from contextlib import closing, contextmanager
from typing import Any

import attrs

from mlconnector.delivery import Ledger, Sync
from mlconnector.documents import Document, from_json, to_json
from mlconnector.errors import CursorMismatch, DeliveryInDoubt, DocumentError, InvalidArgument, TargetChanged
from mlconnector.http import dumps
from mlconnector.records import Page, Records, Window
from mlconnector.target import Change, ControlNumbers, Prepared, Receipt, Sink, Source, Target
from mlconnector.testing._clock import ManualClock

__all__ = ["NotConforming", "sink", "source", "target"]

_LATER = dt.timedelta(hours=1)
_NAIVE = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - what must be refused
_NOWHERE = "no such kind"
_FAR_EAST = dt.timezone(dt.timedelta(hours=13))


class NotConforming(AssertionError):
    """A promise is broken; the message says which, and what was found."""


def source(
    make: Callable[[], Any],
    kind: str,
    *,
    change: Callable[[], str] | None = None,
    secrets: Sequence[str] = (),
    least_pages: int = 3,
    stamped: bool = True,
) -> None:
    """Prove a source: protocol, documents, cursors that resume without loss or repeat, secrets, closing.

    Args:
        make: Makes a new client of the same simulator; called often. Its pages must be so small, and the simulator so
            full, that a pass has ``least_pages`` pages.
        kind: One of its kinds.
        change: Changes one document in the simulator, after moving its clock, and returns the document's key. Called
            once.
        secrets: Texts that no ``repr`` may show.
        least_pages: Fewer pages prove too little about cursors; 2 or more.
        stamped: False where the vendor stamps nothing of this kind: after a whole pass, all of it is given again.

    Raises:
        NotConforming: A promise is broken.
        InvalidArgument: ``least_pages`` below 2.
    """
    if least_pages < 2:
        raise InvalidArgument(f"least_pages={least_pages!r} leaves nothing to cut.", cure="Give 2 or more.")
    with _opened(make) as client:
        _is_client(client, Source, "source", secrets)
        _require(isinstance(client.kinds, tuple) and kind in client.kinds, f"kinds is a tuple that holds {kind!r}")
        with _raises(InvalidArgument, "read() refuses a kind it does not have"):
            client.read(_NOWHERE)
        for option in ("since", "until"):
            with _raises(InvalidArgument, f"a naive {option}= is refused"):
                client.read(kind, **{option: _NAIVE})
        records = client.read(kind)
        _require(isinstance(records, Records), "read() returns Records", records)
        _require((records.system, records.kind) == (client.system, kind), "Records name the system and the kind")
        _hides(records, secrets)
        pages = list(records.pages())
        _are_documents(pages, client.system, kind)
        _passes_are_independent(records)
        _options_count(functools.partial(client.read, kind), _keys(pages))
        _since_is_inclusive(functools.partial(client.read, kind), pages)
    _require(len(pages) >= least_pages, f"a pass has {least_pages} pages or more, to cut it in", len(pages))
    _cursors_resume(make, kind, pages, stamped=stamped)
    if change is not None:
        _change_is_seen(make, kind, pages, change())
    _is_closable(make, lambda client: list(client.read(kind)))


def sink(make: Callable[[], Any], kind: str, *, secrets: Sequence[str] = (), **options: Any) -> None:
    """Prove a sink: protocol, the target's facts, unknown kinds refused, secrets, closing. Sends nothing.

    Args:
        make: Makes a new client of the same simulator.
        kind: One of its targets.
        secrets: Texts that no ``repr`` may show.
        options: For ``client.target(kind, ...)``.

    Raises:
        NotConforming: A promise is broken.
    """
    with _opened(make) as client:
        _is_client(client, Sink, "sink", secrets)
        with _raises(InvalidArgument, "target() refuses a kind it does not have"):
            client.target(_NOWHERE)
        _is_target(client.target(kind, **options), secrets)
    _is_closable(make)


def target(
    make: Callable[[], Any],
    kind: str,
    documents: Sequence[Document],
    *,
    contents: Callable[[], Sized],
    clock: ManualClock,
    changed: Callable[[Any], Document] | None = None,
    refused: Document | None = None,
    tamper: Callable[[str | None], None] | None = None,
    lose_answer: Callable[[], None] | None = None,
    secrets: Sequence[str] = (),
    **options: Any,
) -> None:
    """Prove a target, by hand and under the engine: nothing lost, nothing doubled, nothing written unasked.

    Args:
        make: Makes a new client of the same simulator.
        kind: One of its targets.
        documents: Three or more that the target does not have and would take.
        contents: Everything of that kind that the simulator holds now, one item a record; compared as a whole.
        clock: The clock of simulator and clients; it is moved.
        changed: The same document as a later revision that the target must be told of.
        refused: A document that the target cannot take.
        tamper: Changes the record of this id in the simulator, as a person would.
        lose_answer: Makes the next write act and lose its answer.
        secrets: Texts that nothing prepared may show.
        options: For ``client.target(kind, ...)``.

    Raises:
        NotConforming: A promise is broken.
    """
    _require(len(documents) >= 3, "three documents or more are given", len(documents))
    with _opened(make) as client:
        proof = _Proof(client.target(kind, **options), contents, clock, tuple(secrets))
        proof.content_is_told(documents[0])
        proof.prepare_writes_nothing(documents[0])
        if refused is not None:
            proof.refuses(refused)
        sent = proof.delivers(Change(document=documents[0], key=documents[0].key))
        if changed is not None:
            sent = proof.delivers(
                Change(
                    document=changed(documents[0]),
                    previous=documents[0],
                    action="change",
                    sequence=1,
                    revision=2,
                    key=documents[0].key,
                    target_id=sent.target_id,
                )
            )
        if tamper is not None:
            tamper(sent.target_id)
            proof.sees_other_content(sent)
        proof.runs_under_the_engine(documents[1:-1])
        if lose_answer is not None:
            proof.looks_before_it_repeats(documents[-1], lose_answer)


def _require(held: bool, promise: str, found: object = None) -> None:
    if not held:
        raise NotConforming(f"Promised: {promise}." + ("" if found is None else f" Found: {found!r}"))


@contextmanager
def _raises(kind: type[Exception], promise: str) -> Iterator[None]:
    try:
        yield
    except kind:
        return
    except Exception as error:
        raise NotConforming(f"Promised: {promise} with {kind.__name__}. Found: {error!r}") from error
    raise NotConforming(f"Promised: {promise} with {kind.__name__}. Nothing was raised.")


@contextmanager
def _opened(make: Callable[[], Any]) -> Iterator[Any]:
    with closing(make()) as client:
        yield client


def _hides(shown: object, secrets: Sequence[str]) -> None:
    texts = [repr(shown), str(shown)]
    for secret in secrets:
        _require(not any(secret in text for text in texts), f"repr and str of {type(shown).__name__} show no secret")


def _is_client(client: Any, protocol: type, name: str, secrets: Sequence[str]) -> None:
    _require(isinstance(client, protocol), f"the client is a {name} by its protocol", type(client))
    _require(bool(client.system) and client.system == client.system.lower(), "system is a name in small letters")
    _hides(client, secrets)
    _hides(getattr(client, "auth", None), secrets)


def _is_closable(make: Callable[[], Any], use: Callable[[Any], object] | None = None) -> None:
    with make() as client:
        _require(client is not None, "the client is a context manager that gives itself")
    client.close()
    if use is not None:
        with _raises(InvalidArgument, "a closed client refuses work"):
            use(client)


def _keys(pages: Sequence[Page[Any]]) -> list[str]:
    return [document.key for page in pages for document in page.documents]


def _are_documents(pages: Sequence[Page[Any]], system: str, kind: str) -> None:
    documents = [document for page in pages for document in page.documents]
    _require(bool(documents), "the simulator holds documents of the kind")
    keys = _keys(pages)
    _require(len(set(keys)) == len(keys), "a key is handed out once a pass", keys)
    for document in documents:
        _require(isinstance(document, Document), "readers give documents", type(document))
        origin = document.provenance
        _require(origin is not None, "a document says where it came from", document.key)
        _require((origin.system, origin.kind) == (system, kind), "provenance names system and kind", origin)
        _require(bool(origin.key), "provenance holds the natural key", origin)
        _require(not list(_floats(document)), "no amount is a float", document.key)
        again = from_json(to_json(document))
        _require(again == document, "a document goes through JSON and back unchanged", document.key)
        _require(again.fingerprint == document.fingerprint, "its fingerprint too", document.key)


def _floats(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from _floats(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _floats(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _floats(item)


def _passes_are_independent(records: Records[Any]) -> None:
    one, other = iter(records), iter(records)
    with closing(one), closing(other):  # type: ignore[type-var]  # both are generators
        _require(next(one).key == next(other).key, "two passes at once do not disturb one another")
        left, right = [each.key for each in one], [each.key for each in other]
        _require(left == right, "each pass gives everything, in the same order")


def _options_count(read: Callable[..., Records[Any]], keys: Sequence[str]) -> None:
    _require([one.key for one in read(limit=1)] == keys[:1], "limit= cuts the pass and nothing else")
    wanted = keys[-1:]
    found = list(read(keys=wanted).pages())
    _require(_keys(found) == wanted, "keys= reads exactly these", _keys(found))
    _require(all(page.cursor is None for page in found), "a read of keys leaves no cursor")
    later = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
    _require(all(page.cursor is None for page in read(until=later).pages()), "a read with until= leaves no cursor")


def _since_is_inclusive(read: Callable[..., Records[Any]], pages: Sequence[Page[Any]]) -> None:
    stamps = {
        document.key: document.provenance.updated_at
        for page in pages
        for document in page.documents
        if document.provenance.updated_at is not None
    }
    if not stamps:
        return
    latest = max(stamps.values())
    wanted = {key for key, stamp in stamps.items() if stamp == latest}
    for zone in (dt.UTC, _FAR_EAST):
        found = _keys(list(read(since=latest.astimezone(zone)).pages()))
        _require(wanted <= set(found), "since= is inclusive, whatever its zone", found)


def _cursors_resume(make: Callable[[], Any], kind: str, pages: Sequence[Page[Any]], *, stamped: bool) -> None:
    keys = _keys(pages)
    for number, page in enumerate(pages, start=1):
        cursor = page.cursor
        _require(cursor is not None and json.loads(json.dumps(cursor)) == cursor, "a cursor is plain JSON", cursor)
        rest = _keys(pages[number:]) if stamped or number < len(pages) else keys
        with _opened(make) as client:
            found = _keys(list(client.read(kind, since=json.loads(json.dumps(cursor))).pages()))
        _require(found == rest, f"the cursor after page {number} gives the rest, without loss or repeat", found)
    with _opened(make) as client:
        records = client.read(kind)
        with closing(iter(records)) as documents:
            for _ in range(len(pages[0].documents) + 1):
                next(documents)
        found = [one.key for one in client.read(kind, since=records.cursor)]
        _require(
            set(found) == set(keys[len(pages[0].documents) :]), "a break repeats its page and skips nothing", found
        )
        for name, other in (("kind", "another kind"), ("system", "another system"), ("filters", "other filters")):
            with _raises(CursorMismatch, f"the cursor of {other} is refused"):
                list(client.read(kind, since={**(pages[-1].cursor or {}), name: "foreign"}))


def _change_is_seen(make: Callable[[], Any], kind: str, pages: Sequence[Page[Any]], key: str) -> None:
    with _opened(make) as client:
        found = _keys(list(client.read(kind, since=pages[-1].cursor).pages()))
        _require(found == [key], f"after a whole pass a cursor gives what changed, {key!r}, and nothing else", found)
        found = _keys(list(client.read(kind, since=pages[0].cursor).pages()))
        wanted = {*_keys(pages[1:]), key}
        # A change behind the position of a cut pass comes with the pass after it.
        _require(wanted - {key} <= set(found) <= wanted, "a change during a pass loses nothing of that pass", found)


def _is_target(found: Any, secrets: Sequence[str]) -> None:
    _require(isinstance(found, Target), "target() returns a target by its protocol", type(found))
    _require(bool(found.name), "a target has a name")
    _require(type(found.batch_size) is int and found.batch_size > 0, "batch_size is 1 or more", found.batch_size)
    _require(found.look_up in ("reliable", "present_only", "none"), "look_up is one of the three", found.look_up)
    _require(found.settle_after >= dt.timedelta(0), "settle_after is 0 or more", found.settle_after)
    _hides(found, secrets)


@attrs.frozen
class _Proof:
    target: Any
    contents: Callable[[], Sized]
    clock: ManualClock
    secrets: tuple[str, ...]

    def content_is_told(self, document: Document) -> None:
        content = self.target.content(document)
        _require(isinstance(content, str), "content is text", content)
        for same in (from_json(to_json(document)), attrs.evolve(document, provenance=None)):
            _require(self.target.content(same) == content, "content is the same for the same document from anywhere")

    def prepare_writes_nothing(self, document: Document) -> None:
        with self._nothing_written("prepare"):
            first, second = (self._prepared(Change(document=document, key=document.key)) for _ in range(2))
        _require(first.payload == second.payload, "the same change is prepared to the same payload")
        _require(first.marker == second.marker, "and to the same marker")
        try:
            if not isinstance(first.payload, bytes | str):
                dumps(first.payload)
            json.dumps(dict(first.describe))
        except (TypeError, ValueError) as error:
            raise NotConforming(
                f"Promised: payload is bytes, text or JSON, describe is JSON. Found: {error}"
            ) from error
        _hides(first.describe, self.secrets)

    def refuses(self, document: Document) -> None:
        with self._nothing_written("a refused prepare"):
            try:
                self.target.prepare(Change(document=document, key=document.key))
            except DocumentError as error:
                _require(bool(error.faults), "a refusal lists every fault")
                _require(bool(error.cure), "a refusal names its cure")
            else:
                raise NotConforming(f"Promised: prepare refuses {document.key!r} with a DocumentError.")

    def delivers(self, change: Change[Any]) -> Prepared:
        prepared = self._prepared(change)
        with self._nothing_written("find"):
            self._finds_nothing(prepared)
        for step in prepared.steps or (None,):
            answers = list(self.target.deliver([attrs.evolve(prepared, step=step, attempt=1)]))
            _require(len(answers) == 1, "deliver gives one answer each", answers)
            _require(isinstance(answers[0], Receipt), "deliver gives receipts for what it took", answers[0])
            _require(bool(answers[0].system), "a receipt names the system", answers[0])
            _hides(answers[0], self.secrets)
            prepared = attrs.evolve(prepared, target_id=answers[0].id or prepared.target_id)
        self.clock.advance(self.target.settle_after + _LATER)
        with self._nothing_written("find"):
            self._finds(prepared)
        return prepared

    def sees_other_content(self, prepared: Prepared) -> None:
        with self._nothing_written("find"), _raises(TargetChanged, "find tells that somebody changed the record"):
            self.target.find(prepared)

    def runs_under_the_engine(self, documents: Sequence[Document]) -> None:
        with Ledger(":memory:", actor="conformance", clock=self.clock) as ledger:
            sync = self._sync(ledger, documents)
            with self._nothing_written("a dry run"):
                preview = sync.run(dry_run=True)
            _require(len(preview.previews) == len(documents), "a dry run shows every document", str(preview))
            _require(not any(one.faults for one in preview.previews), "and would send each", str(preview))
            report = sync.run()
            (found,) = report.kinds.values()
            _require(found.delivered == len(documents), "a run delivers every document", str(report))
            self.clock.advance(_LATER)
            with self._nothing_written("a second run"):
                sync.run()
            _require(ledger.verify() > 0, "the audit is whole")

    def looks_before_it_repeats(self, document: Document, lose_answer: Callable[[], None]) -> None:
        before = len(self.contents())
        with Ledger(":memory:", actor="conformance", clock=self.clock) as ledger:
            sync = self._sync(ledger, [document])
            lose_answer()
            sync.run()
            for _ in range(2):
                self.clock.advance(self.target.settle_after + _LATER)
                sync.run()
            states = [one.state for one in ledger.deliveries()]
            events = [one.event for one in ledger.history(document.key)]
        _require("in doubt" in events, "lose_answer() makes a write lose its answer, and that is told", events)
        _require(states == ["delivered"], "a write whose answer was lost is found again", states)
        _require(len(self.contents()) == before + 1, "and is not repeated", len(self.contents()) - before)

    def _sync(self, ledger: Ledger, documents: Sequence[Document]) -> Sync:
        def pages(window: Window) -> Iterator[list[Document]]:
            yield [one for one in documents if window.keys is None or one.key in window.keys]

        records = Records.from_pages(pages, system="conformance", kind="documents", clock=self.clock)
        return Sync("conformance", records=records, target=self.target, ledger=ledger)

    def _prepared(self, change: Change[Any]) -> Prepared:
        made = self.target.prepare(change)
        _require(isinstance(made, Prepared), "prepare returns Prepared", type(made))
        rendered = made.rendered(ControlNumbers(7, 7))
        found: Prepared = attrs.evolve(rendered, key=change.key, revision=change.revision, flow="conformance")
        return found

    def _finds_nothing(self, prepared: Prepared) -> None:
        try:
            found = self.target.find(prepared)
        except DeliveryInDoubt:
            _require(self.target.look_up != "reliable", "a reliable look-up can tell that nothing is there")
        else:
            _require(found is None, "find does not find what was not sent", found)

    def _finds(self, prepared: Prepared) -> None:
        try:
            found = self.target.find(prepared)
        except DeliveryInDoubt:
            _require(self.target.look_up == "none", "what was delivered is found")
            return
        _require(isinstance(found, Receipt), "what was delivered is found", found)
        _require(not prepared.steps or found.steps == prepared.steps, "find says which steps are done", found.steps)

    @contextmanager
    def _nothing_written(self, what: str) -> Iterator[None]:
        before = self.contents()
        yield
        _require(self.contents() == before, f"{what} writes nothing")
