"""Run the notebooks and store their outputs: ``python examples/notebooks/build.py``, with the extra ``dev``.

``--to FOLDER`` leaves the notebooks here as they are and writes the executed ones there.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
NAMES = ("open_vouchers.ipynb", "an_850_explained.ipynb", "month_end.ipynb")


def execute(name: str) -> nbformat.NotebookNode:
    """The notebook with fresh outputs, less what differs from run to run and machine to machine.

    Raises:
        CellExecutionError: A cell fails.
    """
    notebook = nbformat.read(HERE / name, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(HERE)}}).execute()
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    for number, cell in enumerate(notebook.cells, start=1):
        cell["id"] = f"cell-{number}"
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                output.data.pop("text/plain", None)
            text = output.get("data", {}).get("text/html")
            if text is not None:
                output.data["text/html"] = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1", text)
    return notebook


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=HERE)
    to = parser.parse_args(arguments).to
    for name in NAMES:
        nbformat.write(execute(name), to / name)
        print(f"{name}: executed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
