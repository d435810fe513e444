"""Two workers on one ledger, each at the other's worst moment."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlconnector as mc

SYSTEMS = {"jdedwards": "https://erp.example", "cleo": "https://edi.example"}


def test_two_first_runs_at_once_bind_the_flow_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = {"actor": "test", "high_water": tmp_path / "hw"}
    with mc.Ledger(tmp_path / "l.db", **place) as one, mc.Ledger(tmp_path / "l.db", **place) as other:
        asked = one.bound

        def overtaken(flow: str) -> dict[str, str]:
            found = asked(flow)
            other.bind(flow, SYSTEMS)
            return found

        monkeypatch.setattr(one, "bound", overtaken)
        one.bind("flow", SYSTEMS)
        assert other.bound("flow") == SYSTEMS
        with pytest.raises(mc.LedgerMismatch):
            one.bind("flow", {**SYSTEMS, "cleo": "https://elsewhere.example"})
        assert [row["event"] for row in one.store.read("SELECT event FROM audit")] == ["bound"]
