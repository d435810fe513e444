"""The end of a page is believed only where it cannot mislead, and proved when the page is decoded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlconnector.auth import HTTPBasic
from mlconnector.errors import VendorFault
from mlconnector.fusion import OracleFusion
from mlconnector.fusion._ending import Ending, ending_of
from mlconnector.http import RawAnswer
from mlconnector.http._json import elements

_TEXTS = st.one_of(st.text(), st.sampled_from(['"InvoiceId":5', '"hasMore":true', '],"count":1', "InvoiceId", "]}"]))
_KEYS = st.integers(0, 10**15)
_LINKS = [{"rel": "self", "href": "https://pod.example/x", "name": "invoices", "kind": "collection"}]


def _page(items: list[Any], more: bool, linked: bool) -> dict[str, Any]:
    page = {"items": items, "count": len(items), "hasMore": more, "limit": 25, "offset": 0}
    return {**page, "links": _LINKS} if linked else page


def _collection(items: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(_page, items, st.booleans(), st.booleans())


_LINES = _collection(st.lists(st.fixed_dictionaries({"LineNumber": _KEYS, "Description": _TEXTS})))
_ITEMS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"InvoiceId": _KEYS, "Description": _TEXTS}, optional={"invoiceLines": _LINES}),
        st.fixed_dictionaries(
            {"Description": _TEXTS, "child": st.fixed_dictionaries({"InvoiceId": _KEYS}), "InvoiceId": _KEYS}
        ),
    ),
    max_size=6,
)


@given(
    page=_collection(_ITEMS),
    indent=st.sampled_from([None, 1]),
    ascii_only=st.booleans(),
)
def test_what_an_end_tells_is_what_the_page_holds(page: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    content = json.dumps(page, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    end = ending_of(content, "InvoiceId")
    rows = page["items"]
    cut = any(row.get("invoiceLines", {}).get("hasMore") for row in rows)
    nested = any("child" in row for row in rows)
    named = b'"InvoiceId",' in content or b'"InvoiceId"}' in content or b'"InvoiceId"\n' in content
    if not rows or cut or nested or named:
        assert end is None
    else:
        assert end is not None
        assert end == Ending(len(rows), page["hasMore"], 25, rows[-1]["InvoiceId"], end.begin, end.end)
        assert [*elements(content, end.begin, end.end)] == rows


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>Please log in</html>",
        b'{"items":[{"InvoiceId":7}],"count":1,"hasMore":false,"limit":25,"offset":0',
        b'{"count":1,"hasMore":false,"limit":25,"offset":0,"items":[{"InvoiceId":7}]}',
        b'{"items":[{"InvoiceId":"7"}],"count":1,"hasMore":false,"limit":25,"offset":0}',
        b'{"items":[{"InvoiceId":7.5}],"count":1,"hasMore":false,"limit":25,"offset":0}',
        b'{"items":[{"InvoiceNumber":"7"}],"count":1,"hasMore":false,"limit":25,"offset":0}',
    ],
    ids=["nothing", "a page of HTML", "cut", "another order", "a text", "no whole number", "no key"],
)
def test_an_end_in_doubt_tells_nothing(content: bytes) -> None:
    assert ending_of(content, "InvoiceId") is None


class _Pod:
    """One page, whatever is asked."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def send(self, *_: object) -> RawAnswer:
        return RawAnswer(status=200, headers={"Content-Type": "application/json"}, content=self.content)


_CHILDREN = ',"invoiceLines":{"items":[],"hasMore":false},"invoiceInstallments":{"items":[],"hasMore":false}'


@pytest.mark.parametrize(
    ("items", "what"),
    [
        (f'{{"InvoiceId":7,"InvoiceId":9{_CHILDREN}}}', "it ends with 2 rows"),
        (f'{{"InvoiceId":9{_CHILDREN}}},{{"InvoiceId":7{_CHILDREN}}}', "in its order"),
        ('["InvoiceId",{"InvoiceId":9}],7', "no collection of items"),
    ],
)
def test_an_end_that_contradicts_its_page_is_an_error(items: str, what: str) -> None:
    # The first page has one row, and says that there are two; the keys of the second are out of order; no rows at all.
    body = f'{{"items":[{items}],"count":2,"hasMore":false,"limit":25,"offset":0}}'.encode()
    assert ending_of(body, "InvoiceId") is not None
    with OracleFusion("https://pod.example", auth=HTTPBasic("user", "word"), transport=_Pod(body)) as fusion:
        for records in (fusion.rows("invoices", columns=["InvoiceId"]), fusion.invoices()):
            with pytest.raises(VendorFault, match=what) as raised:
                list(records)
            assert raised.value.system == "fusion"


@pytest.mark.parametrize("items", ['{"InvoiceId":7,}', '{"InvoiceId":7}{}', '{"InvoiceId":7},'])
def test_a_page_that_is_broken_inside_is_an_error(items: str) -> None:
    body = f'{{"items":[{items}],"count":1,"hasMore":false,"limit":25,"offset":0}}'.encode()
    assert ending_of(body, "InvoiceId") is not None
    with OracleFusion("https://pod.example", auth=HTTPBasic("user", "word"), transport=_Pod(body)) as fusion:
        for records in (fusion.rows("invoices", columns=["InvoiceId"]), fusion.invoices()):
            with pytest.raises(VendorFault, match="instead of JSON") as raised:
                list(records)
            assert raised.value.system == "fusion"


class _Spaced:
    """A pod that writes ``"hasMore" : true`` of a child, and ``"hasMore":false`` of the page."""

    invoice = (
        b'{"InvoiceId":7,"invoiceLines":{"items":[{"LineNumber":1}],"hasMore" : true},'
        b'"invoiceInstallments":{"items":[],"hasMore":false},'
        b'"links":[{"rel":"self","href":"https://pod.example/fscmRestApi/resources/11.13.18.05/invoices/AB"}]}'
    )
    page = b'{"items":[%b],"count":1,"hasMore":false,"limit":25,"offset":0}'

    def __init__(self) -> None:
        self.children = 0

    def send(self, _method: str, url: str, *_: object) -> RawAnswer:
        rows = self.invoice
        if "/invoices/AB/child/invoiceLines" in url:
            self.children += 1
            rows = b'{"LineNumber":1,"LineAmount":1.10},{"LineNumber":2,"LineAmount":2.20}'
        return RawAnswer(status=200, headers={"Content-Type": "application/json"}, content=self.page % rows)


def test_what_an_end_did_not_show_to_be_cut_is_asked_for_all_the_same() -> None:
    pod = _Spaced()
    assert ending_of(pod.page % pod.invoice, "InvoiceId") is not None
    with OracleFusion("https://pod.example", auth=HTTPBasic("user", "word"), transport=pod) as fusion:
        (page,) = fusion.invoices().pages()
    assert pod.children == 1
    (invoice,) = page.documents
    assert [str(line.amount) for line in invoice.lines] == ["1.10", "2.20"]
