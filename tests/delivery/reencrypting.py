"""A worker that re-encrypts a ledger and dies by SIGKILL in a given transaction: ``path high_water transaction``."""

from __future__ import annotations

import base64
import os
import signal
import sys
from typing import Any

import mlconnector as mc
from mlconnector.delivery._store import Store, Transaction
from mlconnector.testing import ManualClock
from tests.delivery.model import START


def _key(name: str) -> Any:
    """By its name, always the same one."""
    return mc.stored(name, sources={"key": base64.b64encode(name.encode().ljust(32, b"-")).decode()})


OLD, NEW = _key("of 2025"), _key("of 2026")


def main(path: str, high_water: str, deadly: int) -> None:
    with mc.Ledger(path, actor="killed", high_water=high_water, clock=ManualClock(START), keys=[NEW, OLD]) as ledger:
        execute, done = Transaction.execute, []

        def counted(transaction: Transaction, query: str, values: Any = ()) -> Any:
            if query.startswith("UPDATE deliveries"):
                done.append(query)
                if len(done) == 100 * deadly:
                    os.kill(os.getpid(), signal.SIGKILL)
            return execute(transaction, query, values)

        Transaction.execute = counted  # type: ignore[method-assign]
        assert isinstance(ledger.store, Store)
        ledger.reencrypt(actor="jane", reason="the yearly change")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
