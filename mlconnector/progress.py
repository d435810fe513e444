"""Progress on long work: a bar in a terminal or a notebook (extra ``progress``), or any function of yours.

Whatever takes ``progress=`` calls it after every page with the kind, the documents read so far and the documents
delivered so far, see :data:`~mlconnector.records.Progress`::

    with mc.ProgressBar() as bar:
        flow.run(progress=bar)
        frame = jde.invoices().reporting(bar).to_pandas()
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any, Self, TextIO

from mlconnector.errors import MissingExtra

__all__ = ["ProgressBar"]


class ProgressBar:
    """A line for each kind: documents read, how fast, and how many were delivered.

    It is drawn by tqdm (extra ``progress``): as a widget in a notebook that has ``ipywidgets``, as text elsewhere. How
    many documents will come is not known before the last one, so there is a count and no percentage. A context manager,
    since the last line stays open until :meth:`close`.

    Args:
        file: Where text goes; the standard error stream by default, so that printed results stay clean. Given, it is
            always text.

    Raises:
        MissingExtra: tqdm is not installed.
    """

    def __init__(self, *, file: TextIO | None = None) -> None:
        try:
            self._make = _maker(widgets=file is None)
        except ImportError:
            raise MissingExtra(
                "A progress bar needs the package tqdm.",
                cure='Install it: pip install "mlconnector[progress]", or pass a function of your own.',
            ) from None
        self._file = file
        self._kind: str | None = None
        self._bar: Any = None

    def __call__(self, kind: str, read: int, delivered: int) -> None:
        """Show a count; another kind than the last one, or a count that starts again, begins a line of its own.

        Args:
            kind: What is being read. ``read``: documents so far. ``delivered``: of these, sent in this run.
        """
        if self._bar is None or kind != self._kind or read < self._bar.n:
            self.close()
            self._kind, self._bar = kind, self._make(desc=kind, unit=" documents", file=self._file, dynamic_ncols=True)
        if delivered:
            self._bar.set_postfix(delivered=delivered, refresh=False)
        self._bar.n = read
        self._bar.refresh()

    def close(self) -> None:
        """End the line that is open; a second call does nothing."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _maker(*, widgets: bool) -> Any:
    """tqdm's class for where this runs, chosen without the warning of ``tqdm.auto`` where widgets are missing."""
    rich = widgets and _in_notebook() and importlib.util.find_spec("ipywidgets") is not None
    return importlib.import_module("tqdm.notebook" if rich else "tqdm").tqdm


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    running = None if shell is None else shell.get_ipython()
    return running is not None and "IPKernelApp" in running.config
