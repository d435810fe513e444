"""Whether an answer is the last one is believed before it is decoded only where that is certain."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlconnector.jdedwards._browse import _is_last

_TEXTS = st.one_of(st.text(), st.sampled_from(['"moreRecords":false', "moreRecords", '"moreRecords": true}']))
_ROWS = st.lists(st.fixed_dictionaries({"F4311_DSC1": _TEXTS}), max_size=4)


@given(rows=_ROWS, more=st.booleans(), indent=st.sampled_from([None, 1]), title=_TEXTS)
def test_what_is_taken_for_the_last_page_says_so(rows: list[Any], more: bool, indent: int | None, title: str) -> None:
    grid = {"rowset": rows, "summary": {"records": len(rows), "moreRecords": more}}
    answer = {"fs_DATABROWSE_F4311": {"title": title, "data": {"gridData": grid}}, "sysErrors": []}
    content = json.dumps(answer, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")
    named = title == "moreRecords" or any(row["F4311_DSC1"] == "moreRecords" for row in rows)
    assert _is_last(content) is (not more and not named)


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b'{"moreRecords":null}', b'{"moreRecords":falsehood}', b'{"moreRecords":false,"moreRecords":true}',
     b'{"moreRecords":true,"moreRecords":false}'],
)  # fmt: skip
def test_an_answer_in_doubt_is_not_the_last(content: bytes) -> None:
    assert not _is_last(content)
