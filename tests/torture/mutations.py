"""The safety rules, each with the way to take it out of a worker's process."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

import mlconnector._cursor as cursors
from mlconnector.cleo import Cleo
from mlconnector.cleo._targets import FilesTarget
from mlconnector.delivery import _desk, _sending, _sync
from mlconnector.delivery._inbox import Inbox
from mlconnector.delivery._ledger import Ledger
from mlconnector.delivery._outcome import Outcomes
from mlconnector.delivery._recording import Recorder
from mlconnector.delivery._sending import Sender
from mlconnector.delivery._settling import Settler
from mlconnector.delivery._store import Lease, Store, Transaction
from mlconnector.errors import MLConnectorError
from mlconnector.flows._x12_inbox import X12Inbox
from mlconnector.http._window import Window

__all__ = ["MUTATIONS", "Mutation"]


@attrs.frozen
class Mutation:
    """One rule of delivery.md, by its name there.

    Args:
        take_out: Called in the worker. ``flow``: a flow in which its absence shows.
        options: Of :func:`~tests.torture.harness.torture`, under which it shows soon.
        step: Where killing at one step shows it: the last such step that need be tried.
    """

    rule: str
    take_out: Callable[[], None]
    flow: str = "jde_to_cleo"
    options: Mapping[str, Any] = attrs.field(factory=dict)
    step: int = 0


MUTATIONS: dict[str, Mutation] = {}


def _rule(
    name: str, *, flow: str = "jde_to_cleo", step: int = 0, **options: Any
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def kept(take_out: Callable[[], None]) -> Callable[[], None]:
        MUTATIONS[name] = Mutation(name, take_out, flow, options, step)
        return take_out

    return kept


@_rule("overlap", flow="fusion_to_cleo", haste=True)
def _no_overlap() -> None:
    start = cursors.PassState.start

    def without(state: Any, since: Any) -> None:
        start(state, since)
        if state.watermark is not None and state.begin is None:
            state.lower = state.watermark

    cursors.PassState.start = without  # type: ignore[method-assign]


@_rule("cursor capped at the source clock when the read began", flow="fusion_to_cleo", haste=True, slow=True)
def _uncapped() -> None:
    def moved(state: Any) -> Any:
        return (
            state.high if state.watermark is None or (state.high and state.high > state.watermark) else state.watermark
        )

    cursors.PassState._moved = moved  # type: ignore[method-assign]


@_rule("cursor written with the last page", haste=True)
def _cursor_at_once() -> None:
    cursor = cursors.PassState.cursor

    def without(state: Any, *, last: bool) -> Any:
        return cursor(state, last=True)

    cursors.PassState.cursor = without  # type: ignore[method-assign]


@_rule("rows and cursor in one transaction", step=60)
def _cursor_first() -> None:
    record = Recorder.record

    def without(recorder: Recorder, page: Any, *, save_cursor: bool) -> None:
        if save_cursor and page.cursor is not None:
            with recorder._job.ledger.store.transaction(recorder._job.lease) as transaction:
                text = json.dumps(page.cursor)
                transaction.execute("DELETE FROM cursors WHERE sync = ?", (recorder._job.sync,))
                transaction.execute("INSERT INTO cursors VALUES (?, ?)", (recorder._job.sync, text))
        record(recorder, page, save_cursor=save_cursor)

    Recorder.record = without  # type: ignore[method-assign]


@_rule("fingerprint against the latest only", flow="fusion_to_cleo", haste=True)
def _against_any_earlier() -> None:
    add = Recorder._add

    def without(
        recorder: Recorder, transaction: Any, document: Any, usage: str, content: str, head: Any, **options: Any
    ) -> None:
        known = transaction.rows(
            "SELECT 1 FROM deliveries WHERE sync = ? AND usage = ? AND key = ? AND content = ?",
            (recorder._job.sync, usage, document.key, content),
        )
        if not known:
            add(recorder, transaction, document, usage, content, head, **options)

    Recorder._add = without  # type: ignore[method-assign]


@_rule("one open delivery per key", flow="fusion_to_cleo", haste=True, writes=0.4)
def _several_open() -> None:
    _sending._HELD_BY_OTHER = "1 = 0"


@_rule("newest revision only", haste=True, kills=12)
def _every_revision() -> None:
    Recorder._supersede = lambda *_: None  # type: ignore[method-assign,assignment]


@_rule("intent before send")
def _intent_forgotten() -> None:
    """What a worker that writes its intent after the call leaves behind when it dies in between."""

    def without(settler: Settler) -> None:
        job = settler._job
        with job.ledger.store.transaction(job.lease) as transaction:
            rows = transaction.rows("SELECT id FROM deliveries WHERE sync = ? AND state = 'sending'", (job.sync,))
            for row in rows:
                transaction.move(row["id"], "recorded", attempt=0, payload=None, payload_form="", marker=None)

    Settler.adopt = without  # type: ignore[method-assign]


@_rule("look before repeat", writes=0.3)
def _blind_repeat() -> None:
    def without(settler: Settler, row: Any) -> None:
        with settler._job.ledger.store.transaction(settler._job.lease) as transaction:
            settler._outcomes.again(transaction, row, "not looked for")

    Settler._settle = without  # type: ignore[method-assign]


@_rule("settling delay for absent", writes=0.3)
def _absent_at_once() -> None:
    absent = Settler._absent

    def without(settler: Settler, row: Any, begun: float) -> None:
        absent(settler, {**dict(row), "settle_at": 0.0}, begun)  # type: ignore[arg-type]

    Settler._absent = without  # type: ignore[method-assign]


@_rule("look in every place", writes=0.3)
def _outbox_only() -> None:
    def without(target: FilesTarget, prepared: Any) -> Any:
        route = target.route(prepared.document)
        assert route is not None
        if target._listed(route.folder, str(prepared.marker)):
            return target._found(prepared, {}, sent=False)
        return None

    FilesTarget.find = without  # type: ignore[method-assign]


@_rule("complete answer needed for absent", rate=0.3, writes=0.3)
def _error_is_absent() -> None:
    settle = Settler._settle

    def without(settler: Settler, row: Any) -> None:
        target = settler._job.target

        class Sure:
            look_up = target.look_up

            @staticmethod
            def find(prepared: Any) -> Any:
                try:
                    return target.find(prepared)
                except MLConnectorError:
                    return None

        settler._job.target = Sure()  # type: ignore[assignment]
        try:
            settle(settler, row)
        finally:
            settler._job.target = target

    Settler._settle = without  # type: ignore[method-assign]


@_rule("found or absent decides, not hope", flow="jde_to_bill", writes=0.3)
def _doubt_is_delivered() -> None:
    def without(outcomes: Outcomes, transaction: Any, row: Any, why: str) -> None:
        transaction.move(row["id"], "delivered", detail="", faults=[], cause="")

    Outcomes.in_doubt = without  # type: ignore[method-assign]


@_rule("lease token new at every acquisition")
def _token_of_the_worker() -> None:
    acquire = Ledger.acquire

    def without(ledger: Ledger, sync: str, **options: Any) -> Lease:
        lease = acquire(ledger, sync, **options)
        with ledger.store.transaction() as transaction:
            transaction.execute("UPDATE leases SET token = 'mine' WHERE sync = ?", (sync,))
        lease.token = "mine"
        return lease

    Ledger.acquire = without  # type: ignore[method-assign]


@_rule("token in every transaction", workers=2)
def _unfenced() -> None:
    transaction = Store.transaction

    @contextlib.contextmanager
    def without(store: Store, lease: Any = None) -> Iterator[Transaction]:
        with transaction(store, None) as inside:
            inside._token = "" if lease is None else lease.token
            if lease is not None:
                lease.expires = store.clock.now().timestamp() + lease.length
            yield inside

    Store.transaction = without  # type: ignore[method-assign]


@_rule("send deadline", workers=2)
def _late_senders() -> None:
    Window.check = lambda *_: None  # type: ignore[method-assign,assignment]
    Window.holds = lambda *_: True  # type: ignore[method-assign,assignment]


@_rule("numbers taken in the intent")
def _numbers_of_the_process() -> None:
    taken: dict[str, int] = {}

    def without(_transaction: Transaction, counter: str, count: int = 1) -> int:
        number = taken.get(counter, 0) + 1
        taken[counter] = number + count - 1
        return number

    Transaction.take = without  # type: ignore[method-assign]


@_rule("same bytes and numbers when settling")
def _new_bytes() -> None:
    numbered = Sender._numbered

    def without(transaction: Any, row: Any, prepared: Any) -> Any:
        return numbered(transaction, {**dict(row), "payload_form": ""}, prepared)  # type: ignore[arg-type]

    Sender._numbered = staticmethod(without)  # type: ignore[method-assign,assignment]


@_rule("existence alone is not delivered", flow="jde_to_coupa", writes=0.3)
def _existence_is_enough() -> None:
    def without(settler: Settler, row: Any, receipt: Any, begun: float) -> None:
        with settler._job.ledger.store.transaction(settler._job.lease) as transaction:
            settler._outcomes.delivered(transaction, row, receipt, how="found")

    Settler._found = without  # type: ignore[method-assign]


@_rule("compare with base before an update", flow="jde_to_coupa")
def _never_compare() -> None:
    looked = Sender._looked

    def without(sender: Sender, row: Any, head: Any, prepared: Any) -> bool:
        return True if head["base"] else looked(sender, row, head, prepared)

    Sender._looked = without  # type: ignore[method-assign]


@_rule("stored before deleted", flow="peoplesoft_to_cleo", deletes=0.2)
def _deleted_first() -> None:
    download = Cleo.download

    def without(cleo: Cleo, path: str, *args: Any, **options: Any) -> bytes:
        content = download(cleo, path, *args, **options)
        cleo.delete(path)
        return content

    Cleo.download = without  # type: ignore[method-assign]


@_rule("no replay of an open or overtaken one", writes=0.3)
def _everything_replayed() -> None:
    replay = _sync.replay

    def without(ledger: Ledger, sync: str, lease: Any, *args: Any) -> Any:
        found = replay(ledger, sync, lease, *args)
        if lease is not None:
            with ledger.store.transaction(lease) as transaction:
                for row in transaction.rows("SELECT id FROM deliveries WHERE sync = ? AND state = 'in doubt'", (sync,)):
                    transaction.move(row["id"], "recorded", **_desk._FRESH)
        return found

    _sync.replay = without  # type: ignore[assignment]


@_rule("997 owed stored with the message", flow="peoplesoft_to_cleo", deletes=0.2)
def _owed_later() -> None:
    """What is owed is written down when the file is done with, in a transaction of its own."""
    store, delete = Inbox.store, Cleo.delete
    owed: list[tuple[Inbox, str, str, Any]] = []

    def without(inbox: Inbox, box: str, name: str, content: bytes, messages: Any, **options: Any) -> Any:
        owed.append((inbox, box, name, tuple(options.pop("owed", ()))))
        return store(inbox, box, name, content, messages, **options)

    def and_then(cleo: Cleo, path: str) -> None:
        delete(cleo, path)
        while owed:
            inbox, box, name, one = owed.pop()
            store(inbox, box, name, b"", (), owed=one)

    Inbox.store, Cleo.delete = without, and_then  # type: ignore[method-assign,assignment]


@_rule("business key for posting", flow="peoplesoft_to_cleo")
def _keyed_on_the_message() -> None:
    business_key = X12Inbox._business_key

    def without(inbox: X12Inbox, ts: Any, *args: Any) -> str:
        key = business_key(inbox, ts, *args)
        return f"{key} {ts.interchange.control_number}" if key else key

    X12Inbox._business_key = without  # type: ignore[method-assign]
