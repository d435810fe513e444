"""A read skips nothing, and a cursor does not give the unchanged out again."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator, Sequence
from decimal import Decimal

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector.records import Batch, Window

START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def minutes(count: float) -> dt.timedelta:
    return dt.timedelta(minutes=count)


def supplier(number: str, stamp: dt.datetime | None, name: str = "") -> mc.Supplier:
    provenance = mc.Provenance(system="test", kind="suppliers", key=number, updated_at=stamp)
    return mc.Supplier(number=number, name=name, provenance=provenance)


@attrs.define
class Source:
    """A table of suppliers by key, read by key in small pages, as a vendor's reader would."""

    rows: dict[str, mc.Supplier] = attrs.Factory(dict)
    clock: dt.datetime = START
    page: int = 2
    overlap: dt.timedelta = minutes(60)
    system: str = "test"
    kind: str = "suppliers"
    filters: dict[str, object] = attrs.Factory(dict)
    resumable: bool = True
    bad: tuple[str, ...] = ()
    lowers: list[dt.datetime | None] = attrs.Factory(list)
    given: int = 0

    def put(self, number: str, name: str = "", stamp: dt.datetime | None = None) -> None:
        self.rows[number] = supplier(number, stamp or self.clock, name)

    def read(self, window: Window) -> Iterator[Batch[mc.Supplier]]:
        self.lowers.append(window.lower)
        begin = self.clock
        while True:
            found = [row for key, row in sorted(self.rows.items()) if self._wanted(key, row, window)]
            part, more = found[: self.page], len(found) > self.page
            good = [row for row in part if row.key not in self.bad]
            rejected = [
                mc.Rejected(key=row.key, row={}, faults=("bad",), updated_at=row.provenance.updated_at)
                for row in part
                if row.key in self.bad
            ]
            position = part[-1].key if part else window.position
            self.given += len(part)
            yield Batch(documents=good, rejected=rejected, position=position, clock=begin, last=not more)
            if not more:
                return
            window = attrs.evolve(window, position=position)

    def _wanted(self, key: str, row: mc.Supplier, window: Window) -> bool:
        if window.keys is not None:
            return key in window.keys and (window.position is None or key > window.position)
        stamp = row.provenance.updated_at
        late = window.lower is None or stamp is None or stamp >= window.lower
        early = window.until is None or stamp is None or stamp <= window.until
        return late and early and (window.position is None or key > window.position)


def numbers(documents: Sequence[mc.Supplier]) -> list[str]:
    return [document.number for document in documents]


def source_with(count: int) -> Source:
    source = Source()
    for number in range(count):
        source.put(f"{number:03}", stamp=START - minutes(count - number))
    return source


def through_json(cursor: object) -> dict[str, object]:
    return json.loads(json.dumps(cursor))


def test_each_iteration_is_an_independent_pass() -> None:
    records = mc.Records(source_with(5))
    assert numbers(records) == numbers(records) == ["000", "001", "002", "003", "004"]


def test_the_next_pass_gives_only_what_changed() -> None:
    source = source_with(5)
    records = mc.Records(source)
    assert len(list(records)) == 5
    source.clock += minutes(10)
    source.put("003", "new name")
    again = records.continue_from(through_json(records.cursor))
    assert numbers(again) == ["003"]
    assert list(again.continue_from(through_json(again.cursor))) == []


def test_content_that_returns_is_given_again() -> None:
    source = source_with(1)
    records = mc.Records(source)
    seen = []
    for name in ("one", "two", "one"):
        source.clock += minutes(1)
        source.put("000", name)
        seen += [document.name for document in records]
        records = records.continue_from(through_json(records.cursor))
    assert seen == ["one", "two", "one"]


def test_a_row_committed_late_with_an_older_stamp_is_found() -> None:
    source = source_with(3)
    records = mc.Records(source)
    list(records)
    source.put("late", stamp=START - minutes(30))
    assert numbers(records.continue_from(records.cursor)) == ["late"]


def test_the_watermark_is_capped_at_the_source_clock_when_the_read_began() -> None:
    source = source_with(2)
    source.put("fast clock", stamp=START + minutes(500))
    records = mc.Records(source)
    list(records)
    assert records.cursor["watermark"] == START.isoformat()
    source.clock += minutes(20)
    source.put("next")
    assert "next" in numbers(records.continue_from(records.cursor))


def test_the_watermark_moves_with_the_last_page_only_and_never_back() -> None:
    source = source_with(5)
    pages = list(mc.Records(source).pages())
    assert [page.cursor["watermark"] for page in pages] == [None, None, (START - minutes(1)).isoformat()]
    source.rows.clear()
    source.put("old", stamp=START - minutes(30))
    again = mc.Records(source, since=pages[-1].cursor)
    list(again)
    assert again.cursor["watermark"] == (START - minutes(1)).isoformat()


def test_a_pass_cut_short_goes_on_at_its_page() -> None:
    source = source_with(7)
    records = mc.Records(source)
    first = next(iter(records.pages()))
    rest = records.continue_from(through_json(first.cursor))
    assert numbers(first.documents) + numbers(rest) == [f"{number:03}" for number in range(7)]


def test_the_cursor_waits_until_the_document_after_a_page_is_asked_for() -> None:
    records = mc.Records(source_with(5))
    documents = iter(records)
    next(documents), next(documents)
    assert records.cursor is None
    next(documents)
    assert records.cursor["pass"]["position"] == "001"
    documents.close()
    assert records.cursor["pass"]["position"] == "001"


def test_a_bad_row_stops_plain_iteration_after_its_page_and_is_handed_over_by_pages() -> None:
    source = source_with(3)
    source.bad = ("000",)
    records = mc.Records(source)
    seen = []
    with pytest.raises(mc.InvalidDocument, match="000 cannot be read") as caught:
        seen.extend(document.number for document in records)
    assert caught.value.faults == ("bad",)
    assert records.cursor is None
    assert [rejected.key for page in records.pages() for rejected in page.rejected] == ["000"]
    assert [number for page in records.pages() for number in numbers(page.documents)] == ["001", "002"]


def test_since_is_inclusive_and_a_later_cursor_never_reads_before_it() -> None:
    source = source_with(10)
    since = START - minutes(3)
    records = mc.Records(source, since=since)
    assert numbers(records) == ["007", "008", "009"]
    list(records.continue_from(records.cursor))
    assert source.lowers == [since, since]


def test_nothing_read_leaves_the_start_where_it_was() -> None:
    source = Source()
    records = mc.Records(source, since=START)
    assert list(records) == []
    source.put("a", stamp=START)
    assert numbers(records.continue_from(records.cursor)) == ["a"]
    empty = mc.Records(Source())
    list(empty)
    assert empty.cursor["watermark"] is None
    assert list(empty.continue_from(empty.cursor)) == []


def test_until_and_keys_leave_no_cursor() -> None:
    source = source_with(5)
    backfill = mc.Records(source, until=START - minutes(4))
    assert numbers(backfill) == ["000", "001"]
    chosen = mc.Records(source).only(["001", "004", "gone"])
    assert numbers(chosen) == ["001", "004"]
    assert backfill.cursor is None
    assert chosen.cursor is None


def test_nothing_stamped_after_until_is_given_even_by_a_reader_that_ignores_it() -> None:
    class Coarse(Source):
        def _wanted(self, key: str, row: mc.Supplier, window: Window) -> bool:
            return super()._wanted(key, row, attrs.evolve(window, until=None))

    source = Coarse(rows=source_with(5).rows)
    assert numbers(mc.Records(source, until=START - minutes(4))) == ["000", "001"]


def test_raw_rows_leave_no_cursor() -> None:
    source = source_with(2)
    source.resumable = False
    records = mc.Records(source)
    assert len(list(records)) == 2
    assert records.cursor is None


def test_limit_ends_the_pass_without_moving_the_watermark() -> None:
    source = source_with(5)
    records = mc.Records(source, limit=3)
    assert numbers(records) == ["000", "001", "002"]
    assert records.cursor["watermark"] is None
    assert numbers(mc.Records(source, since=records.cursor)) == ["002", "003", "004"]
    assert numbers(mc.Records(source, limit=4)) == ["000", "001", "002", "003"]
    assert list(mc.Records(source, limit=0)) == []


def test_past_the_cap_documents_repeat_but_are_never_left_out() -> None:
    source = source_with(6)
    records = mc.Records(source, memory=2)
    list(records)
    assert len(records.cursor["seen"]) == 2
    assert numbers(records.continue_from(records.cursor)) == ["000", "001", "002", "003"]


def test_documents_without_a_stamp_are_given_every_time() -> None:
    source = Source()
    source.rows["a"] = supplier("a", None)
    records = mc.Records(source)
    list(records)
    assert numbers(records.continue_from(records.cursor)) == ["a"]


@pytest.mark.parametrize(
    "change", [{"seen": None}, {"seen": {"000": []}}, {"pass": {}}, {"watermark": "yesterday"}, {"floor": 5}]
)
def test_a_cursor_that_is_not_whole_is_refused(change: dict[str, object]) -> None:
    source = source_with(1)
    records = mc.Records(source)
    list(records)
    with pytest.raises(mc.InvalidArgument, match="not whole"):
        mc.Records(source, since={**records.cursor, **change})
    short = {name: value for name, value in records.cursor.items() if name != "seen"}
    with pytest.raises(mc.InvalidArgument, match="not whole"):
        mc.Records(source, since=short)


@pytest.mark.parametrize(
    ("change", "word"),
    [({"system": "other"}, "system"), ({"kind": "accounts"}, "kind"), ({"filters": {"where": 1}}, "filters")],
)
def test_a_foreign_cursor_is_refused(change: dict[str, object], word: str) -> None:
    source = source_with(1)
    records = mc.Records(source)
    list(records)
    other = attrs.evolve(source, **change)
    with pytest.raises(mc.CursorMismatch, match=word):
        mc.Records(other, since=records.cursor)


@pytest.mark.parametrize(
    "options",
    [
        {"since": dt.datetime(2026, 1, 1)},  # noqa: DTZ001
        {"since": "yesterday"},
        {"until": dt.datetime(2026, 1, 1)},  # noqa: DTZ001
        {"limit": -1},
        {"limit": True},
        {"memory": -1},
        {"keys": "one"},
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(mc.InvalidArgument):
        mc.Records(Source(), **options)


def test_a_signature_is_trusted_only_long_after_its_stamp() -> None:
    source = Source(overlap=dt.timedelta(days=2))
    asked: list[bool] = []

    class Signed(Source):
        def read(self, window: Window) -> Iterator[Batch[mc.Supplier]]:
            asked.append(window.settled("a", "s1"))
            if asked[-1]:
                stamp = self.rows["a"].provenance.updated_at
                yield Batch(documents=(), clock=self.clock, last=True, skipped={"a": ("s1", stamp)})
                return
            for batch in super().read(window):
                yield attrs.evolve(batch, signatures={"a": "s1"})

    signed = Signed(overlap=source.overlap)
    signed.put("a", stamp=START)
    records = mc.Records(signed)
    for passed in (0, 5, 12, 20):
        signed.clock = START + minutes(passed)
        list(records)
        records = records.continue_from(through_json(records.cursor))
    assert asked == [False, False, False, True]


def test_a_cold_stamp_is_trusted_at_once() -> None:
    source = Source(overlap=dt.timedelta(days=9))

    class Signed(Source):
        def read(self, window: Window) -> Iterator[Batch[mc.Supplier]]:
            self.given = int(window.settled("a", "s1"))
            for batch in super().read(window):
                yield attrs.evolve(batch, signatures={"a": "s1"})

    signed = Signed(overlap=source.overlap)
    signed.put("a", stamp=START - dt.timedelta(days=2))
    records = mc.Records(signed)
    list(records)
    again = records.continue_from(through_json(records.cursor))
    next(iter(again.pages()))
    assert signed.given >= 1


def test_an_abandoned_pass_leaves_no_thread() -> None:
    records = mc.Records(source_with(50))
    documents = iter(records)
    for _ in range(5):
        next(documents)
    documents.close()
    assert not [thread for thread in threading.enumerate() if "read-ahead" in thread.name]


def test_repr_tells_what_is_read() -> None:
    source = source_with(1)
    records = mc.Records(source, since=START, until=START, limit=3)
    assert repr(records) == f"<Records test suppliers, since={START}, until={START}, limit=3>"
    list(plain := mc.Records(source))
    assert repr(plain.continue_from(plain.cursor)) == "<Records test suppliers, since=a cursor>"
    assert repr(plain.only(["a"])) == "<Records test suppliers, 1 keys>"
    assert (plain.system, plain.kind) == ("test", "suppliers")


CHANGES = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["x", "y"]), st.integers(-20, 0), st.booleans()), max_size=25
)


@settings(max_examples=150)
@given(CHANGES, st.integers(0, 3))
def test_a_job_without_a_ledger_ends_with_every_newest_state(
    changes: list[tuple[str, str, int, bool]], cut: int
) -> None:
    """Changes come with stamps up to 20 minutes late; passes are cut short and taken up again from page cursors."""
    source, mine, cursor = Source(), {}, None
    for number, name, late, read in changes:
        source.clock += minutes(7)
        source.put(number, name, stamp=source.clock + minutes(late))
        if read:
            for count, page in enumerate(mc.Records(source, since=cursor).pages()):
                mine.update({document.number: document.name for document in page.documents})
                cursor = through_json(page.cursor)
                if count == cut:
                    break
    for _ in range(2):
        for page in mc.Records(source, since=cursor).pages():
            mine.update({document.number: document.name for document in page.documents})
            cursor = through_json(page.cursor)
    assert mine == {number: row.name for number, row in source.rows.items()}
    assert list(mc.Records(source, since=cursor)) == []


def test_a_cursor_holds_no_fraction_and_one_that_does_is_still_read() -> None:
    """Readers of JSON make floats or decimals of a fraction, as they like; a cursor survives both."""
    source = Source()
    source.put("1", stamp=START + dt.timedelta(microseconds=250_001))
    source.clock = START + minutes(1)
    first = mc.Records(source)
    list(first)
    cursor = first.cursor
    text = json.dumps(cursor)

    def refuse(number: str) -> float:
        raise AssertionError(number)

    assert json.loads(text, parse_float=refuse) == cursor
    earlier = json.loads(text)
    earlier["seen"] = {key: [entry[0], entry[1] / 1_000_000, *entry[2:]] for key, entry in cursor["seen"].items()}
    for saved in (cursor, earlier, json.loads(json.dumps(earlier), parse_float=Decimal)):
        again = mc.Records(source, since=saved)
        assert list(again) == []
        assert again.cursor is not None
        assert again.cursor["seen"] == cursor["seen"]
