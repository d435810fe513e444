"""Progress: a function of yours without any extra, a bar in a terminal, a widget in a notebook."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import nbclient
import nbformat
import pytest

import mlconnector as mc
from mlconnector.records import Batch, Window
from mlconnector.testing import JDEdwardsSimulator, orders

ROOT = Path(__file__).parent.parent.parent


def suppliers(pages: int) -> mc.Records[mc.Supplier]:
    def made(_window: Window) -> Iterator[Batch[mc.Supplier]]:
        for page in range(pages):
            yield Batch(
                documents=[mc.Supplier(number=f"{page}{number}") for number in range(2)], last=page == pages - 1
            )

    return mc.Records.from_pages(made, system="x", kind="suppliers", resumable=False)


def test_a_read_tells_its_pages_to_a_plain_function_and_hands_out_the_same() -> None:
    told: list[tuple[str, int, int]] = []
    records = suppliers(3)
    read = records.reporting(lambda *numbers: told.append(numbers))
    assert [one.number for one in read] == [one.number for one in records]
    assert told == [("suppliers", 2, 0), ("suppliers", 4, 0), ("suppliers", 6, 0)]


def test_every_pass_counts_from_its_own_start_and_a_look_at_it_counts_nothing() -> None:
    told: list[int] = []
    read = suppliers(2).reporting(lambda _kind, count, _delivered: told.append(count))
    assert "the first" in read._repr_html_()
    assert told == []
    assert len(list(read)) == len(list(read)) == 4
    assert told == [2, 4, 2, 4]


def test_what_the_function_raises_ends_the_pass() -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(suppliers(2).reporting(stop))


def test_a_bar_shows_kind_documents_and_what_was_delivered() -> None:
    shown = io.StringIO()
    with mc.ProgressBar(file=shown) as bar:
        bar("purchase_orders", 100, 0)
        bar("purchase_orders", 140, 12)
        bar("invoices", 5, 0)
        bar("invoices", 2, 0)
    lines = shown.getvalue().replace("\r", "\n").splitlines()
    assert any(line.startswith("purchase_orders: 140 documents") and "delivered=12" in line for line in lines)
    assert shown.getvalue().count("\n") == 3
    bar.close()


def test_a_read_draws_it_in_a_terminal() -> None:
    shown = io.StringIO()
    with JDEdwardsSimulator() as erp, erp.client() as jde, mc.ProgressBar(file=shown) as bar:
        erp.add(orders(3, suppliers=1))
        assert len(list(jde.purchase_orders().reporting(bar))) == 3
    assert "purchase_orders: 3 documents" in shown.getvalue()


def test_without_the_package_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(mc.MissingExtra, match=r"mlconnector\[progress\]"):
        mc.ProgressBar()


def test_a_notebook_shows_a_widget_and_text_where_a_file_is_given() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import mlconnector as mc\n"
        "with mc.ProgressBar() as bar:\n"
        "    bar('invoices', 7, 3)\n"
        "with mc.ProgressBar(file=sys.stderr) as bar:\n"
        "    bar('suppliers', 9, 0)\n"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = notebook.cells[0].outputs
    drawn = [one for one in outputs if "application/vnd.jupyter.widget-view+json" in one.get("data", {})]
    assert len(drawn) == 1
    assert "suppliers: 9 documents" in "".join(one.text for one in outputs if one.output_type == "stream")
