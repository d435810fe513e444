"""What a command line names: a flow, a function that makes one, a client, and things that are none."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import mlconnector as mc

current: dict[str, Any] = {}


def flow() -> Any:
    return current["flow"]


@contextlib.contextmanager
def opened() -> Iterator[Any]:
    yield current["flow"]


class Client:
    def check(self) -> mc.Check:
        return mc.Check(
            system="erp", steps=[mc.CheckStep(name="login", ok=current.get("ok", True), who="administrator")]
        )


client = Client()
nothing = object()
