"""The examples for schedulers, loaders and web servers run as they stand."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import importlib.util
import io
import json
import os
import re
import shlex
import subprocess
import sys
import types
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import mlconnector as mc
from mlconnector.testing import CleoSimulator, JDEdwardsSimulator, orders, vouchers

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
EVENT = json.dumps({"event": "invoice.approved", "id": 7, "invoice": {"id": 7}}).encode()


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def erp() -> Iterator[JDEdwardsSimulator]:
    with JDEdwardsSimulator() as running:
        running.add(orders(4, suppliers=1))
        yield running


@pytest.fixture
def environment(erp: JDEdwardsSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CleoSimulator]:
    with CleoSimulator() as network:
        given = {
            "ACME_JDE_URL": erp.url,
            "ACME_CLEO_URL": network.url,
            "ACME_LEDGER": str(tmp_path / "acme.db"),
            "XDG_STATE_HOME": str(tmp_path),
        }
        for name, kind, system in (("JDE", "AISSession", erp), ("CLEO", "OAuth2Password", network)):
            fields = {"KIND": kind, "USERNAME": system.username, "PASSWORD": system.password}
            given |= {f"MLCONNECTOR_ACME_{name}_{field}": value for field, value in fields.items()}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        yield network


def test_the_job_counts_and_may_be_repeated(erp: JDEdwardsSimulator, environment: CleoSimulator) -> None:
    run = load("job").run
    assert run()["purchase_orders"] == {"read": 4, "delivered": 0}
    erp.add(orders(1, suppliers=1, first_number=60001, master=False))
    assert run()["purchase_orders"]["delivered"] == 1
    assert run()["purchase_orders"]["delivered"] == 0
    assert len(environment.uploads) == 1


def _same(*given: Any, **_options: Any) -> Any:
    """A decorator, with or without arguments, that changes nothing."""
    if len(given) == 1 and callable(given[0]):
        return given[0]
    return lambda function: function


def _module(**names: Any) -> types.ModuleType:
    module = types.ModuleType("stand_in")
    module.__dict__.update(names)
    return module


def test_the_schedulers_examples_call_the_job(environment: CleoSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the schedulers add is a decorator; here it adds nothing, and the function below it is run."""
    results: list[Any] = []
    counts = {"purchase_orders": {"read": 1, "delivered": 1}}

    def run() -> Any:
        results.append(counts)
        return counts

    asset_parts = {name: lambda *_, **given: given for name in ("RetryPolicy", "ScheduleDefinition", "Definitions")}
    metadata = _module(asset=_same, MaterializeResult=dict, define_asset_job=_same, **asset_parts)
    monkeypatch.setitem(sys.modules, "job", _module(run=run))
    monkeypatch.setitem(sys.modules, "airflow", _module())
    monkeypatch.setitem(sys.modules, "airflow.sdk", _module(dag=_same, task=_same))
    monkeypatch.setitem(sys.modules, "dagster", metadata)
    monkeypatch.setitem(sys.modules, "prefect", _module(flow=_same))
    load("airflow_dag")
    assert load("dagster_asset").delivered_documents() == {"metadata": {"purchase_orders delivered": 1}}
    assert load("prefect_flow").jde_to_cleo() == counts
    assert len(results) == 3


def test_the_singer_tap_writes_state_after_what_it_stands_for(
    erp: JDEdwardsSimulator, environment: CleoSimulator, tmp_path: Path
) -> None:
    tap = load("singer_tap")
    config, state = tmp_path / "config.json", tmp_path / "state.json"
    config.write_text(json.dumps({"url": erp.url, "credentials": "acme-jde", "streams": ["purchase_orders"]}))
    out = io.StringIO()
    assert tap.main(["--config", str(config)], out) == 0
    messages = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [one["type"] for one in messages] == ["SCHEMA", *["RECORD"] * 4, "STATE"]
    assert {one["record"]["key"] for one in messages[1:5]} == {f"00001/OP/5000{number}" for number in range(1, 5)}
    state.write_text(json.dumps(messages[-1]["value"]))
    again = io.StringIO()
    tap.main(["--config", str(config), "--state", str(state)], again)
    assert {json.loads(line)["type"] for line in again.getvalue().splitlines()} == {"SCHEMA", "STATE"}
    found = io.StringIO()
    tap.main(["--discover"], found)
    assert len(json.loads(found.getvalue())["streams"]) == 4
    with pytest.raises(SystemExit):
        tap.main([])


SINGER_MESSAGES = {
    # The Singer specification: what a message of each type must and may hold.
    "SCHEMA": {
        "type": "object",
        "properties": {
            "type": {"const": "SCHEMA"},
            "stream": {"type": "string", "minLength": 1},
            "schema": {"$ref": "https://json-schema.org/draft/2020-12/schema"},
            "key_properties": {"type": "array", "items": {"type": "string"}},
            "bookmark_properties": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["type", "stream", "schema", "key_properties"],
        "additionalProperties": False,
    },
    "RECORD": {
        "type": "object",
        "properties": {
            "type": {"const": "RECORD"},
            "stream": {"type": "string", "minLength": 1},
            "record": {"type": "object"},
            "version": {"type": "integer"},
            "time_extracted": {"type": "string", "format": "date-time"},
        },
        "required": ["type", "stream", "record"],
        "additionalProperties": False,
    },
    "STATE": {
        "type": "object",
        "properties": {"type": {"const": "STATE"}, "value": {"type": "object"}},
        "required": ["type", "value"],
        "additionalProperties": False,
    },
}


def test_the_singer_tap_keeps_to_the_specification(
    erp: JDEdwardsSimulator, environment: CleoSimulator, tmp_path: Path
) -> None:
    """Every message by the specification, every record by the schema that came before it, closed to other fields."""
    erp.add(vouchers(3, suppliers=1, master=False))
    config, out = tmp_path / "config.json", io.StringIO()
    config.write_text(json.dumps({"url": erp.url, "credentials": "acme-jde"}))
    tap = load("singer_tap")
    assert tap.main(["--config", str(config)], out) == 0
    schemas: dict[str, Any] = {}
    records: Counter[str] = Counter()
    last = ""
    for line in out.getvalue().splitlines():
        message = json.loads(line, parse_float=_refuse)
        last = message["type"]
        jsonschema.validate(message, SINGER_MESSAGES[last], format_checker=jsonschema.FormatChecker())
        if last == "SCHEMA":
            jsonschema.Draft202012Validator.check_schema(message["schema"])
            schemas[message["stream"]] = message["schema"]
        elif last == "RECORD":
            closed = {**schemas[message["stream"]], "additionalProperties": False}
            jsonschema.validate(message["record"], closed, format_checker=jsonschema.FormatChecker())
            records[message["stream"]] += 1
    assert last == "STATE"
    assert records == {"purchase_orders": 4, "invoices": 3, "suppliers": 1}
    assert {one["stream"]: one["schema"] for one in tap.catalog()["streams"]} == schemas


def _refuse(number: str) -> float:
    raise AssertionError(f"{number} is a float to whoever reads it")


def test_the_dlt_resource_loads_what_changed_and_nothing_twice(
    erp: JDEdwardsSimulator, environment: CleoSimulator, tmp_path: Path
) -> None:
    """In a process of its own: dlt sets up logging and keeps its settings in the process."""
    script = tmp_path / "load.py"
    script.write_text(
        "import os, sys\n"
        f"sys.path[:0] = [{str(EXAMPLES)!r}, {str(ROOT)!r}]\n"
        "import dlt, mlconnector as mc, dlt_resource\n"
        "rows = []\n"
        "@dlt.destination(batch_size=50)\n"
        "def collect(items, table):\n"
        "    rows.extend((table['name'], one.get('key')) for one in items)\n"
        f"pipeline = dlt.pipeline('erp', destination=collect, pipelines_dir={str(tmp_path / 'pipelines')!r})\n"
        "with mc.JDEdwardsAIS(os.environ['ACME_JDE_URL'], auth=mc.stored('acme-jde')) as jde:\n"
        "    for _ in range(2):\n"
        "        pipeline.run(dlt_resource.purchase_orders(jde))\n"
        "        print(sum(name == 'purchase_orders' for name, _ in rows))\n"
    )
    environment_of_dlt = {**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment_of_dlt
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["4", "4"]


def signature(body: bytes) -> str:
    return hmac.new(b"secret", body, hashlib.sha256).hexdigest()


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[mc.Ledger]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with mc.Ledger(tmp_path / "hooks.db", actor="test") as one:
        yield one


def test_flask_stores_an_event_before_it_answers(ledger: mc.Ledger) -> None:
    client = load("webhooks_flask").create_app(ledger, "secret").test_client()
    assert client.get("/health").text == "ok"
    headers = {"X-Coupa-Signature": signature(EVENT), "Content-Type": "application/json"}
    assert client.post("/hooks/coupa", data=EVENT, headers=headers).status_code == 200
    assert client.post("/hooks/coupa", data=EVENT, headers={"X-Coupa-Signature": "0" * 64}).status_code == 401
    assert len(ledger.inbox.messages("coupa")) == 1


def _asgi(app: Any, body: bytes, header: str) -> int:
    answered: list[dict[str, Any]] = []
    asked = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        return next(asked, {"type": "http.disconnect"})

    async def send(message: dict[str, Any]) -> None:
        answered.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/hooks/coupa",
        "raw_path": b"/hooks/coupa",
        "root_path": "",
        "scheme": "https",
        "query_string": b"",
        "headers": [(b"x-coupa-signature", header.encode()), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    asyncio.run(app(scope, receive, send))
    return int(answered[0]["status"])


def test_fastapi_stores_an_event_before_it_answers(ledger: mc.Ledger) -> None:
    app = load("webhooks_fastapi").create_app(ledger, "secret")
    assert _asgi(app, EVENT, signature(EVENT)) == 200
    assert _asgi(app, EVENT, "0" * 64) == 401
    assert _asgi(app, b"x" * 1_000_001, "0" * 64) == 413
    assert len(ledger.inbox.messages("coupa")) == 1


def test_cron_and_systemd_call_an_example_that_is_there() -> None:
    cron = (EXAMPLES / "mlconnector.cron").read_text()
    command = shlex.split(cron.splitlines()[-1])[5:]
    service = (EXAMPLES / "mlconnector.service").read_text()
    (start,) = re.findall(r"^ExecStart=(.+)$", service, re.MULTILINE)
    for words in (command, shlex.split(start)):
        assert (EXAMPLES / Path(words[-1]).name).exists()
    assert "OnCalendar" in (EXAMPLES / "mlconnector.timer").read_text()
