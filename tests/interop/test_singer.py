"""What the Singer tap writes is loaded by a target made with the Singer SDK, whole, exact, and once."""

from __future__ import annotations

import importlib.util
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from singer_sdk.sinks import RecordSink
from singer_sdk.target_base import Target

from mlconnector.testing import JDEdwardsSimulator, orders, vouchers

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "singer_tap.py"


class ListSink(RecordSink):
    """Keeps what it is given, and says so where a record does not fit its schema."""

    loaded: ClassVar[dict[str, list[dict[str, Any]]]] = {}

    def process_record(self, record: dict[str, Any], _context: dict[str, Any]) -> None:
        self.loaded.setdefault(self.stream_name, []).append(record)


class ListTarget(Target):
    name = "target-list"
    config_jsonschema: ClassVar[dict[str, Any]] = {"type": "object", "properties": {}}
    default_sink_class = ListSink


def tap() -> Any:
    spec = importlib.util.spec_from_file_location("singer_tap", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_sdk_loads_what_the_tap_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with JDEdwardsSimulator() as erp:
        erp.add(orders(5, suppliers=2))
        erp.add(vouchers(3, suppliers=2, master=False))
        for field, value in {"KIND": "AISSession", "USERNAME": erp.username, "PASSWORD": erp.password}.items():
            monkeypatch.setenv(f"MLCONNECTOR_ACME_JDE_{field}", value)
        config, written = tmp_path / "config.json", io.StringIO()
        config.write_text(json.dumps({"url": erp.url, "credentials": "acme-jde"}))
        assert tap().main(["--config", str(config)], written) == 0
        with erp.client() as jde:
            expected = {order.key: order.total for order in jde.purchase_orders()}
    ListSink.loaded.clear()
    ListTarget(config={}).listen(io.StringIO(written.getvalue()))
    found = {row["key"]: Decimal(row["total"]) for row in ListSink.loaded["purchase_orders"]}
    assert found == expected
    assert {stream: len(rows) for stream, rows in ListSink.loaded.items()} == {
        "purchase_orders": 5,
        "invoices": 3,
        "suppliers": 2,
    }
    assert all(len(row["lines"]) for row in ListSink.loaded["purchase_orders"])
    (state,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")][-1:]
    assert state["bookmarks"]["purchase_orders"]["system"] == "jdedwards"
