"""What is PostgreSQL's own and needs a server: lost connections, errors, schemas."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

import mlconnector as mc
from mlconnector.clock import SystemClock
from mlconnector.delivery._postgres import Postgres
from mlconnector.delivery._store import Lease, Store
from mlconnector.testing import ManualClock
from tests.delivery.homes import SERVER, Home, home
from tests.delivery.model import HOUR, START


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Home]:
    with home("postgres", tmp_path, ManualClock(START)) as made:
        yield made


def test_a_password_is_in_no_message(place: Home) -> None:
    for nowhere in ("postgresql://me:s3cret@127.0.0.1:1/x?connect_timeout=1", "postgresql://me:s3cret@host:port/x y"):
        with pytest.raises(mc.MLConnectorError) as caught:
            mc.Ledger(nowhere, actor="test", high_water="hw")
        assert "s3cret" not in f"{caught.value!r}{caught.value}{caught.value.__cause__}"
    with place.open() as ledger:
        assert "@" not in repr(ledger)


def test_a_connection_that_broke_is_made_anew_for_the_next_question(place: Home) -> None:
    with place.open() as ledger:
        lease = ledger.acquire("s", worker="first", length=HOUR)
        _cut(ledger)
        with pytest.raises(mc.LedgerError, match="cannot be used"):
            ledger.deliveries()
        assert ledger.deliveries() == []
        with pytest.raises(mc.LedgerError, match="cannot be used"):
            _write_after_the_cut(ledger, lease)
        with ledger.store.transaction(lease) as transaction:
            transaction.audit("still here")
        ledger.verify()


def _write_after_the_cut(ledger: mc.Ledger, lease: Lease) -> None:
    with ledger.store.transaction(lease) as transaction:
        _cut(ledger)
        transaction.execute("UPDATE meta SET value = value")


def _cut(ledger: mc.Ledger) -> None:
    database: Any = ledger.store._database
    with psycopg.connect(SERVER, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (database._connection.info.backend_pid,))


def test_an_error_that_was_hidden_undoes_the_transaction_loudly(place: Home) -> None:
    with place.open() as ledger:
        with pytest.raises(mc.LedgerError, match="undid a transaction"):
            with ledger.store.transaction() as transaction, contextlib.suppress(psycopg.Error):
                transaction.execute("SELECT nonsense")
        assert ledger.verify() == 0


def test_a_schema_with_other_tables_in_it_is_refused(place: Home) -> None:
    place.alter("CREATE TABLE meta (id int)")
    with pytest.raises(mc.LedgerError, match="cannot be used as a ledger"):
        place.open()


def test_two_ledgers_in_two_schemas_of_one_server_do_not_meet(place: Home) -> None:
    (place.folder / "other").mkdir()
    with home("postgres", place.folder / "other", place.clock) as other:
        with place.open() as one, other.open() as two:
            one.bind("f", {"a": "x"})
            assert two.bound("f") == {}
            lease = one.acquire("s", worker="w", length=HOUR)
            two.acquire("s", worker="w", length=HOUR)
            with one.store.transaction(lease), two.store.transaction():
                pass


def test_a_lost_ledger_leaves_its_empty_tables_and_stays_refused(place: Home) -> None:
    with place.open() as ledger, ledger.store.transaction() as transaction:
        transaction.take("n")
    place.lose()
    for _ in range(2):
        with place.open() as ledger, pytest.raises(mc.LedgerRestored):
            ledger.bind("f", {"a": "x"})


def test_a_store_is_named_by_its_place_only(place: Home) -> None:
    database = Postgres(place.path)
    assert database.name.startswith("postgresql://")
    assert "search_path" not in database.name
    assert database.faults() == []
    database.close()
    store = Store(place.path, actor="test", clock=place.clock, high_water=None)
    store.close()
    store.close()


class _Behind(SystemClock):
    def now(self) -> dt.datetime:
        return super().now() - dt.timedelta(hours=1)


def test_a_host_whose_clock_is_an_hour_behind_is_given_no_lease(place: Home) -> None:
    place.clock = mc.SYSTEM_CLOCK
    with place.open() as ledger:
        ledger.release(ledger.acquire("s", worker="right", length=HOUR))
    with place.open(clock=_Behind()) as ledger, pytest.raises(mc.LedgerError, match=r"3600 s away.*time server"):
        ledger.acquire("s", worker="behind", length=HOUR)
