"""The suite for authors of further vendors finds each broken promise, by a vendor that breaks one at a time."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector.kit import Batch, Records, Window
from mlconnector.testing import ManualClock, conformance

SECRET = "swordfish-1"


@attrs.define
class World:
    """What every client of the made-up vendor sees."""

    clock: ManualClock
    rows: dict[str, mc.Supplier] = attrs.Factory(dict)
    lose: bool = False

    def put(self, number: str, name: str = "", **fields: Any) -> None:
        origin = mc.Provenance(system="shelf", kind="suppliers", key=number, updated_at=self.clock.now())
        self.rows[number] = mc.Supplier(**{"number": number, "name": name, "provenance": origin, **fields})


class Shelf:
    """A vendor that keeps every promise."""

    system = "shelf"
    kinds: tuple[str, ...] = ("suppliers",)

    def __init__(self, world: World) -> None:
        self.world, self.closed = world, False

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.closed = True

    def read(self, kind: str, since: Any = None, **options: Any) -> Records[mc.Supplier]:
        if kind not in self.kinds:
            raise mc.InvalidArgument(f"kind={kind!r}.")
        clock = self.world.clock
        return Records.from_pages(self.pages, system="shelf", kind=kind, since=since, clock=clock, **options)

    def pages(self, window: Window) -> Iterator[Batch[mc.Supplier]]:
        if self.closed:
            raise mc.InvalidArgument("closed")
        found = [
            one
            for key, one in sorted(self.world.rows.items())
            if (window.position is None or key > window.position)
            and (window.keys is None or key in window.keys)
            and (window.lower is None or one.provenance.updated_at >= window.lower)  # type: ignore[union-attr]
        ]
        for part in _pairs(found):
            yield Batch(documents=part, position=part[-1].key, last=part[-1] is found[-1])

    def target(self, kind: str, **options: Any) -> Any:
        if kind != "suppliers":
            raise mc.InvalidArgument(f"kind={kind!r}.")
        return Slot(self.world)


def _pairs(found: list[mc.Supplier]) -> Iterator[tuple[mc.Supplier, ...]]:
    for start in range(0, len(found), 2):
        yield tuple(found[start : start + 2])


class Slot:
    """A target that keeps every promise."""

    name = "shelf suppliers"
    batch_size = 2
    look_up = "reliable"
    settle_after = dt.timedelta(minutes=1)

    def __init__(self, world: World) -> None:
        self.world = world

    def content(self, document: Any) -> str:
        return str(document.name)

    def prepare(self, change: Any) -> mc.Prepared:
        if not change.document.name:
            raise mc.InvalidDocument("No name.", cure="Give one.")
        return mc.Prepared(change.document, {"name": change.document.name}, change.key, target_id=change.target_id)

    def find(self, prepared: mc.Prepared) -> mc.Receipt | None:
        row = self.world.rows.get(str(prepared.marker))
        if row is None:
            return None
        if row.name == prepared.document.name:
            return mc.Receipt(system="shelf", id=row.number)
        if prepared.target_id is not None and row.active:
            return None
        raise mc.TargetChanged("Somebody else's.")

    def deliver(self, batch: Any) -> list[mc.Receipt]:
        made = []
        for prepared in batch:
            self.world.put(str(prepared.marker), prepared.document.name)
            made.append(mc.Receipt(system="shelf", id=str(prepared.marker)))
        if self.world.lose:
            self.world.lose = False
            raise mc.ConnectionFailed("No answer.")
        return made


@pytest.fixture
def world() -> World:
    found = World(ManualClock())
    for number in range(10, 17):
        found.put(str(number), f"Name {number}")
    found.clock.advance(dt.timedelta(hours=2))
    return found


def check_source(world: World, shelf: type[Shelf]) -> None:
    def change() -> str:
        world.clock.advance(dt.timedelta(hours=1))
        world.put("12", "Renamed")
        return "12"

    conformance.source(lambda: shelf(world), "suppliers", change=change, secrets=[SECRET])


def check_target(world: World, slot: type[Slot], **options: Any) -> None:
    class Sink(Shelf):
        def target(self, kind: str, **options: Any) -> Any:
            super().target(kind)
            return slot(self.world)

    def lose() -> None:
        world.lose = True

    def tamper(key: str | None) -> None:
        world.put(str(key), "Other", active=False)

    given = {
        "contents": lambda: dict(world.rows),
        "clock": world.clock,
        "changed": lambda one: attrs.evolve(one, name="New"),
        "refused": mc.Supplier(number="99"),
        "tamper": tamper,
        "lose_answer": lose,
        "secrets": [SECRET],
        **options,
    }
    conformance.sink(lambda: Sink(world), "suppliers", secrets=[SECRET])
    documents = [mc.Supplier(number=str(number), name=f"New {number}") for number in range(20, 26)]
    conformance.target(lambda: Sink(world), "suppliers", documents, **given)


def test_a_vendor_that_keeps_its_promises_passes(world: World) -> None:
    check_source(world, Shelf)
    check_target(world, Slot)


def _pages(change: Callable[[list[Batch[Any]], Window], list[Batch[Any]]]) -> type[Shelf]:
    class Broken(Shelf):
        def pages(self, window: Window) -> Iterator[Batch[mc.Supplier]]:
            yield from change(list(super().pages(window)), window)

    return Broken


def _documents(change: Callable[[mc.Supplier], Any]) -> type[Shelf]:
    return _pages(lambda found, _: [attrs.evolve(one, documents=[*map(change, one.documents)]) for one in found])


def _skipping(batches: list[Batch[Any]], window: Window) -> list[Batch[Any]]:
    if window.position is None or len(batches) < 2:
        return batches
    return batches[1:]


def _again(batches: list[Batch[Any]], _window: Window) -> list[Batch[Any]]:
    first, *rest = batches
    return [attrs.evolve(first, last=False), attrs.evolve(first, last=not rest), *rest]


def _unseen(batches: list[Batch[Any]], _window: Window) -> list[Batch[Any]]:
    return [attrs.evolve(b, documents=[one for one in b.documents if one.name != "Renamed"]) for b in batches]


class _AnyKind(Shelf):
    def read(self, kind: str, since: Any = None, **options: Any) -> Any:
        return super().read("suppliers", since, **options)


class _Talks(Shelf):
    def __repr__(self) -> str:
        return f"Shelf({SECRET})"


class _NeverCloses(Shelf):
    def close(self) -> None: ...


class _Closes(Shelf):
    def close(self) -> None:
        if self.closed:
            raise RuntimeError("twice")
        self.closed = True


class _Naive(Shelf):
    def read(self, kind: str, since: Any = None, **options: Any) -> Any:
        if isinstance(since, dt.datetime) and since.tzinfo is None:
            since = since.replace(tzinfo=dt.UTC)
        return super().read(kind, since, **options)


class _AllKeys(Shelf):
    def pages(self, window: Window) -> Iterator[Batch[mc.Supplier]]:
        yield from super().pages(attrs.evolve(window, keys=None))


class _After(Shelf):
    def pages(self, window: Window) -> Iterator[Batch[mc.Supplier]]:
        lower = None if window.lower is None else window.lower + dt.timedelta(seconds=1)
        yield from super().pages(attrs.evolve(window, lower=lower))


class _NoChange(Shelf):
    def pages(self, window: Window) -> Iterator[Batch[mc.Supplier]]:
        if window.lower is not None and window.position is None:
            yield Batch(last=True)
        else:
            yield from super().pages(window)


@pytest.mark.parametrize(
    ("shelf", "promise"),
    [
        (_AnyKind, "refuses a kind"),
        (_Talks, "show no secret"),
        (_NeverCloses, "a closed client refuses"),
        (_Closes, "close"),
        (_Naive, "naive since"),
        (_AllKeys, "keys= reads exactly"),
        (_After, "inclusive"),
        (_NoChange, "since= is inclusive"),
        (_pages(_unseen), "gives what changed"),
        (_pages(_skipping), "without loss or repeat"),
        (_pages(_again), "keys= reads exactly"),
        (_pages(lambda found, _: [attrs.evolve(one, documents=()) for one in found]), "holds documents"),
        (_pages(lambda found, _: [Batch(documents=[d for b in found for d in b.documents], last=True)]), "3 pages"),
        (_documents(lambda one: attrs.evolve(one, extras={"RATE": 1.5})), "no amount is a float"),
        (_documents(lambda one: attrs.evolve(one, provenance=attrs.evolve(one.provenance, system="x"))), "provenance"),
    ],
)
def test_a_broken_source_is_named(world: World, shelf: type[Shelf], promise: str) -> None:
    with pytest.raises((conformance.NotConforming, RuntimeError), match=f"{promise}|twice"):
        check_source(world, shelf)


class _Writes(Slot):
    def prepare(self, change: Any) -> mc.Prepared:
        self.world.put("draft")
        return super().prepare(change)


class _Counts(Slot):
    numbers = itertools.count()

    def content(self, document: Any) -> str:
        return str(next(self.numbers))


class _Random(Slot):
    numbers = itertools.count()

    def prepare(self, change: Any) -> mc.Prepared:
        return attrs.evolve(super().prepare(change), payload={"at": next(self.numbers)})


class _TakesAll(Slot):
    def prepare(self, change: Any) -> mc.Prepared:
        return mc.Prepared(change.document, {"name": change.document.name}, change.key, target_id=change.target_id)


class _Silent(Slot):
    def prepare(self, change: Any) -> mc.Prepared:
        try:
            return super().prepare(change)
        except mc.InvalidDocument:
            raise mc.InvalidDocument("No.") from None


class _Blind(Slot):
    def find(self, prepared: mc.Prepared) -> mc.Receipt | None:
        return None


class _Believes(Slot):
    def find(self, prepared: mc.Prepared) -> mc.Receipt | None:
        return mc.Receipt(system="shelf", id="1")


class _Unsure(Slot):
    def find(self, prepared: mc.Prepared) -> mc.Receipt | None:
        raise mc.DeliveryInDoubt("Who knows.")


class _Trusting(Slot):
    def find(self, prepared: mc.Prepared) -> mc.Receipt | None:
        try:
            return super().find(prepared)
        except mc.TargetChanged:
            return mc.Receipt(system="shelf", id="1")


class _Two(Slot):
    def deliver(self, batch: Any) -> list[mc.Receipt]:
        return super().deliver(batch) * 2


class _Tells(Slot):
    def prepare(self, change: Any) -> mc.Prepared:
        return attrs.evolve(super().prepare(change), describe={"token": SECRET})


class _Sets(Slot):
    def prepare(self, change: Any) -> mc.Prepared:
        return attrs.evolve(super().prepare(change), describe={"names": {1, 2}})


class _NeverAsks(Slot):
    look_up = "none"

    def find(self, prepared: mc.Prepared) -> mc.Receipt | None:
        raise mc.DeliveryInDoubt("Cannot be asked.")


class _NoBatch(Slot):
    batch_size = 0


@pytest.mark.parametrize(
    ("slot", "promise"),
    [
        (_NoBatch, "batch_size"),
        (_Writes, "prepare writes nothing"),
        (_Counts, "content is the same"),
        (_Random, "same payload"),
        (_TakesAll, "prepare refuses"),
        (_Silent, "names its cure"),
        (_Blind, "what was delivered is found"),
        (_Believes, "does not find what was not sent"),
        (_Unsure, "a reliable look-up"),
        (_Trusting, "somebody changed"),
        (_Two, "one answer each"),
        (_Tells, "show no secret"),
        (_Sets, "describe is JSON"),
    ],
)
def test_a_broken_target_is_named(world: World, slot: type[Slot], promise: str) -> None:
    with pytest.raises(conformance.NotConforming, match=promise):
        check_target(world, slot)


def test_a_target_that_doubles_is_found_by_losing_an_answer(world: World) -> None:
    class Doubles(Slot):
        """Each write makes a record of its own, and none is found again."""

        numbers = itertools.count(100)

        def find(self, prepared: mc.Prepared) -> mc.Receipt | None:
            if prepared.marker == "25":
                return None
            return super().find(prepared)

        def deliver(self, batch: Any) -> list[mc.Receipt]:
            if batch[0].marker == "25":
                batch = [attrs.evolve(one, marker=str(next(self.numbers))) for one in batch]
            return super().deliver(batch)

    with pytest.raises(conformance.NotConforming, match="is not repeated"):
        check_target(world, Doubles)


def test_a_fault_that_does_not_hit_proves_nothing(world: World) -> None:
    with pytest.raises(conformance.NotConforming, match="lose its answer"):
        check_target(world, Slot, lose_answer=lambda: None)


def test_a_target_that_cannot_be_asked_need_not_find(world: World) -> None:
    check_target(world, _NeverAsks, tamper=None, lose_answer=None)


def test_a_wrong_error_is_no_refusal(world: World) -> None:
    class Breaks(Shelf):
        def read(self, kind: str, since: Any = None, **options: Any) -> Any:
            return {"suppliers": super().read}[kind](kind, since, **options)

    with pytest.raises(conformance.NotConforming, match="KeyError"):
        check_source(world, Breaks)


def test_a_suite_that_cannot_prove_anything_says_so(world: World) -> None:
    with pytest.raises(mc.InvalidArgument, match="least_pages=1"):
        conformance.source(lambda: Shelf(world), "suppliers", least_pages=1)
    with pytest.raises(conformance.NotConforming, match="three documents"):
        conformance.target(lambda: Shelf(world), "suppliers", [], contents=list, clock=world.clock)
