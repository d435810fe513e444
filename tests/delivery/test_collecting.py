"""Files are stored, then removed, and none of them keeps another from coming (delivery rule 14)."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.delivery import Attention, Collection
from tests.delivery.model import HOUR, LOST, START, Model
from tests.delivery.post import BOX, Post, interpret


def collection(model: Model, post: Post, **options: Any) -> Collection:
    options.setdefault("folders", ["in", "nowhere"])
    return Collection("c", box=BOX, mailbox=post, interpret=interpret, ledger=model.ledger, **options)


def identities(model: Model) -> list[str]:
    return [one.identity for one in model.ledger.inbox.messages()]


def test_what_was_stored_is_removed(model: Model) -> None:
    post = Post()
    post.put("in/a", "1 855 x\n2 855 y", START)
    report = collection(model, post).run()
    assert report.kinds["inbox"].delivered == 2
    assert (identities(model), post.contents) == (["1", "2"], {})
    assert len(model.ledger.inbox.owed(BOX)) == 1
    assert collection(model, post).name in repr(collection(model, post))


def test_the_box_has_the_name_of_its_part_where_none_is_given(model: Model) -> None:
    made = Collection("c", mailbox=Post(), folders=["in"], interpret=interpret, ledger=model.ledger)
    assert made.box == "c"


def test_files_are_taken_by_stamp_then_name_and_unfinished_ones_are_left(model: Model) -> None:
    post = Post()
    post.put("in/a", "2 855 x", START + HOUR)
    post.put("in/b", "1 855 x", START)
    post.put("in/c", "3 855 x", START + HOUR)
    post.put("in/d.Part", "4 855 x", START)
    collection(model, post).run()
    assert identities(model) == ["1", "2", "3"]
    assert list(post.contents) == ["in/d.Part"]


def test_a_page_in_the_place_of_a_file_removes_nothing_and_the_file_comes_once_it_can_be_had(model: Model) -> None:
    pages = ["<html> ? Please-log-in"]

    class Fronted(Post):
        """Behind something that answers in its place at first."""

        def download(self, path: str) -> bytes:
            return pages.pop().encode() if pages else super().download(path)

    post = Fronted()
    post.put("in/a", "1 855 x", START)
    collecting = collection(model, post)
    collecting.run()
    assert list(post.contents) == ["in/a"]
    assert [one.state for one in model.ledger.inbox.messages()] == ["quarantined"]
    assert any("22 bytes came, the listing says 7" in item.text for item in model.ledger.attention())
    collecting.run()
    assert post.contents == {}
    assert identities(model) == ["<html>", "1"]


def test_without_size_or_stamp_the_bytes_are_compared_before_removing(model: Model) -> None:
    post = Post(told=False)
    post.put("in/a", "1 855 x")
    post.put("in/b", "2 855 x")
    times: list[str] = []

    def changing(path: str) -> None:
        times.append(path)
        if times.count("in/a") == 1:
            post.put("in/a", "3 855 x")

    post.at_download = changing
    collection(model, post).run()
    assert list(post.contents) == ["in/a"]


def test_an_answer_that_is_not_the_file_is_never_the_reason_to_remove_it(model: Model) -> None:
    """Something on the way answers in the file's place: what came is kept, the file stays, and comes the next time."""

    class Intercepted(Post):
        def download(self, path: str) -> bytes:
            content = super().download(path)
            return lies.pop() if lies else content

    lies = [b"9 ? garbage"]
    post = Intercepted()
    post.put("in/a", "1 855 x", START)
    collection(model, post).run()
    assert list(post.contents) == ["in/a"]
    collection(model, post).run()
    assert "1" in identities(model)
    assert post.contents == {}


def test_a_file_that_is_gone_is_nobodys_fault(model: Model) -> None:
    post = Post(told=False)
    post.put("in/a", "1 855 x")
    post.faults["get in/a"] = mc.NotFound("gone")
    collection(model, post).run()
    assert identities(model) == []
    del post.faults["get in/a"]

    def gone(path: str) -> None:
        post.faults[f"get {path}"] = mc.NotFound("gone")

    post.at_download = gone
    assert collection(model, post).run().kinds["inbox"].delivered == 1
    # Gone from the listing too, by the time of removing.
    post.faults.clear()
    post.at_download = post.contents.pop
    collection(model, post).run()
    assert post.contents == {}


def test_what_changed_since_it_was_fetched_stays(model: Model) -> None:
    post = Post()
    post.put("in/a", "1 855 x", START)
    post.at_download = lambda path: post.put(path, "1 855 x", START + HOUR)
    collection(model, post).run()
    assert list(post.contents) == ["in/a"]


def test_another_answer_than_the_file_does_not_remove_it(model: Model) -> None:
    """A login page or a cut body under status 200: kept as what cannot be read, and the file is fetched again."""
    post = Post()
    post.put("in/a", "1 855 x", START)
    download, served = post.download, list[str]()

    def odd_at_first(path: str) -> bytes:
        served.append(path)
        return b"<html>Please log in</html>" if len(served) == 1 else download(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Post, "download", lambda _self, path: odd_at_first(path))
        collection(model, post).run()
        assert list(post.contents) == ["in/a"]
        collection(model, post).run()
    assert post.contents == {}
    assert "855" in {one.code for one in model.ledger.inbox.messages(state="stored")}


def test_one_item_a_file_tells_what_a_person_must_see(model: Model) -> None:
    seen: list[Attention] = []
    post = Post()
    post.put("in/a", "1 855 x", START)
    collection(model, post).run()
    post.put("in/b", "\n".join(["1 855 y", *(f"q{number} ?" for number in range(9))]), START)
    report = collection(model, post, on_attention=seen.append).run()
    assert report.kinds["inbox"].parked == 10
    assert sorted(item.text for item in seen) == [
        "b holds what cannot be read: not a line of ours",
        "b repeats the numbers of earlier messages with other content: 1",
    ]
    post.put("in/c", "\n".join(f"{number} 855 x" for number in range(2, 9)), START)
    post.put("in/d", "\n".join(f"{number} 855 y" for number in range(2, 9)), START)
    report = collection(model, post).run()
    assert any(item.text.endswith("2; 3; 4; 5; 6, and 2 more") for item in report.attention)


def test_the_same_item_is_not_told_twice(model: Model) -> None:
    post = Post()
    for _ in range(2):
        post.put("in/a", "1 855 x", START)
        post.faults["delete in/a"] = mc.VendorFault("locked")
        report = collection(model, post).run()
    assert len(report.attention) == 1


@pytest.mark.parametrize("error", [mc.VendorFault, mc.InvalidArgument])
def test_a_file_at_fault_is_shown_and_the_others_come(model: Model, error: type[mc.MLConnectorError]) -> None:
    post = Post(faults={"get in/a": error("too long")})
    post.put("in/a", "1 855 x", START)
    post.put("in/b", "2 855 x", START)
    report = collection(model, post).run()
    assert (report.kinds["inbox"].parked, report.kinds["inbox"].delivered) == (1, 1)
    assert [item.text for item in report.attention] == ["a cannot be fetched: too long"]


@pytest.mark.parametrize("error", [mc.VendorFault("all of it"), LOST, mc.PermissionDenied("no")])
def test_a_server_at_fault_stops_the_run_with_its_report(model: Model, error: mc.MLConnectorError) -> None:
    post = Post()
    for number in range(12):
        post.put(f"in/{number}", f"{number} 855 x", START)
        post.faults[f"get in/{number}"] = error
    with pytest.raises(type(error)) as caught:
        collection(model, post).run()
    assert caught.value.report.kinds["inbox"] is not None


def test_a_stop_ends_it_between_two_files(model: Model) -> None:
    post, stop = Post(), threading.Event()
    post.put("in/a", "1 855 x", START)
    post.put("in/b", "2 855 x", START + dt.timedelta(1))
    post.at_download = lambda _path: stop.set()
    collection(model, post).run(stop=stop)
    assert (identities(model), list(post.contents)) == (["1"], ["in/b"])


def test_a_dry_run_fetches_nothing(model: Model) -> None:
    post = Post()
    post.put("in/a", "1 855 x", START)
    assert collection(model, post).run(dry_run=True).kinds["inbox"].queued == 1
    assert (identities(model), list(post.contents)) == ([], ["in/a"])


def test_what_stands_twice_in_a_file_counts_as_new(model: Model) -> None:
    post = Post()
    post.put("in/a", "1 855 x\n1 855 x", START)
    report = collection(model, post).run()
    assert (report.kinds["inbox"].read, report.kinds["inbox"].delivered) == (1, 1)
