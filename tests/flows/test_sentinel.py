"""No secret in logs, reprs, errors, pickles, the audit or the ledger, whatever happens on the way."""

from __future__ import annotations

import datetime as dt
import logging
import pickle
import traceback
from pathlib import Path

import pytest

import mlconnector as mc
from mlconnector import flows
from mlconnector.testing import CleoSimulator, JDEdwardsSimulator, ManualClock, orders
from tests.flows.conftest import PARTNER, SUPPLIERS


def test_the_sentinel_shows_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    clock, shown = ManualClock(dt.datetime(2026, 3, 2, tzinfo=dt.UTC)), list[str]()
    with JDEdwardsSimulator(clock=clock) as erp, CleoSimulator(clock=clock) as network:
        erp.add(orders(12, odd={2: ["unmapped_unit"]}))
        secrets = [erp.password, network.password]
        with (
            mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password), clock=clock) as jde,
            mc.Cleo(network.url, auth=mc.OAuth2Password(network.username, network.password), clock=clock) as cleo,
            mc.Ledger(tmp_path / "l.db", actor="test", high_water=tmp_path / "hw", clock=clock) as ledger,
        ):
            flow = flows.jde_to_cleo(jde, cleo, ledger=ledger, routes=[flows.Route(SUPPLIERS, PARTNER)])
            for fault in (
                {},
                {"drop": "after", "match": "PUT"},
                {"status": 500, "match": "dataservice", "times": 9, "body": "x"},
                {"status": 401, "times": 9, "match": "PUT"},
                {"status": 444, "times": 9, "match": "dataservice"},
                {"cut": True, "match": "dataservice"},
                {"status": 403, "times": 9, "match": "tokenrequest"},
            ):
                system = network if fault.get("match") == "PUT" else erp
                if fault:
                    system.fail(**fault)
                clock.advance(dt.timedelta(hours=1))
                erp.update("F4301", {"DOCO": 50005, "DCTO": "OP", "KCOO": "00001", "SFXO": "000"}, PTC="045")
                try:
                    shown.append(str(flow.run()))
                except mc.MLConnectorError as error:
                    shown += traceback.format_exception(error)
                    shown.append(repr(pickle.dumps(mc.MLConnectorError(*error.args))))
                    shown.append(repr(error.__dict__))
            tokens = [value for manager in (jde.auth, cleo.auth) for value in _tokens(manager)]
            secrets += tokens
            shown += [repr(thing) for thing in (jde, cleo, ledger, flow, jde.auth, cleo.auth)]
            shown += [str(event) for row in ledger.deliveries() for event in ledger.history(row.key)]
            ledger.export_audit(tmp_path / "audit.jsonl")
    shown += [record.getMessage() + repr(record.__dict__) for record in caplog.records]
    shown += list(capsys.readouterr())
    everything = "".join(shown).encode() + b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert len(secrets) >= 3
    assert len(everything) > 50_000
    for secret in secrets:
        assert secret.encode() not in everything


def _tokens(auth: object) -> list[str]:
    token = auth._manager._token
    return (
        []
        if token is None
        else [value.removeprefix("Bearer ") for name, value in token.headers.items() if "evice" not in name]
    )
