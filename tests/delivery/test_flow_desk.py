"""What a person asks of a flow: one kind or all of them, and only with a name and a reason."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

import mlconnector as mc
from mlconnector.delivery import Flow
from mlconnector.records import Records
from tests.delivery.model import START, Model


def flow(model: Model, **options: object) -> Flow:
    other = mc.Sync(
        "o", records=Records(model.table), target=model.desk, ledger=model.ledger, kind="others", call_timeout=60
    )
    return Flow("f", [model.sync(), other], ledger=model.ledger, systems={"model": "x"}, **options)


def test_one_kind_alone_is_read_anew(model: Model) -> None:
    one = flow(model)
    model.table.put("K", "one")
    one.run()
    one.reread("others", actor="me", reason="conditions changed")
    assert (one.syncs["suppliers"].started, one.syncs["others"].started) == (True, False)


def test_what_a_flow_does_not_align_is_refused(model: Model) -> None:
    with pytest.raises(mc.InvalidArgument, match="aligns: nothing"):
        flow(model).align(["accounts"])
    with pytest.raises(mc.InvalidArgument, match="actor"):
        flow(model).align(write=True, actor=" ", reason="because")
    assert flow(model).align().flow == "f"


def test_a_quiet_kind_is_not_recounted(model: Model) -> None:
    model.table.put("K", "one")
    one = flow(model, quiet=("others",))
    one.run()
    day = START.date()
    assert {balance.kind for balance in one.reconcile(day, day).balances} <= {"suppliers"}


def test_a_poll_without_a_listener_goes_on(model: Model) -> None:
    stop = threading.Event()

    def calendar(_now: dt.datetime) -> bool:
        stop.set()
        return True

    flow(model).poll(dt.timedelta(seconds=1), calendar=calendar, stop=stop)
    assert model.ledger.bound("f")
