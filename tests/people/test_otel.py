"""OpenTelemetry: spans of run, page, document and call, counts by state, and no secret in any of them."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import mlconnector as mc
from mlconnector import _watching, flows, otel, x12
from mlconnector.testing import (
    BILLSimulator,
    CleoSimulator,
    CoupaSimulator,
    FusionSimulator,
    JDEdwardsSimulator,
    ManualClock,
    accounts,
    fiscal_calendar,
    orders,
    suppliers,
    vouchers,
)

ROOT = Path(__file__).parent.parent.parent
PARTNER = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"), usage="T")


@attrs.frozen
class Told:
    """What an exporter was given."""

    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    def spans(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name == f"mlconnector.{name}"]

    def counts(self, name: str) -> Counter[tuple[Any, ...]]:
        found: Counter[tuple[Any, ...]] = Counter()
        data = self.reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == f"mlconnector.{name}":
                        for point in metric.data.data_points:
                            found[tuple(value for _, value in sorted(point.attributes.items()))] += point.value
        return found

    def text(self) -> str:
        return "".join(span.to_json() for span in self.exporter.get_finished_spans()) + str(
            self.reader.get_metrics_data().to_json()
        )

    def parent(self, span: ReadableSpan) -> str | None:
        ids = {one.context.span_id: one.name for one in self.exporter.get_finished_spans()}
        return None if span.parent is None else ids[span.parent.span_id].removeprefix("mlconnector.")


@pytest.fixture
def told() -> Iterator[Told]:
    found = Told(InMemorySpanExporter(), InMemoryMetricReader())
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(found.exporter))
    with otel.instrument(tracer_provider=tracers, meter_provider=MeterProvider([found.reader])):
        yield found


@attrs.frozen
class World:
    erp: JDEdwardsSimulator
    network: CleoSimulator
    flow: mc.Flow
    clock: ManualClock


@pytest.fixture
def world() -> Iterator[World]:
    clock = ManualClock()
    with (
        JDEdwardsSimulator(clock=clock) as erp,
        CleoSimulator(clock=clock) as network,
        erp.client() as jde,
        network.client() as cleo,
        mc.Ledger(":memory:", actor="test", clock=clock) as ledger,
    ):
        routes = [flows.Route("4343", PARTNER)]
        flow = flows.jde_to_cleo(jde, cleo, ledger=ledger, routes=routes, kinds=["purchase_orders"])
        yield World(erp, network, flow, clock)


def test_a_run_is_a_tree_of_run_sync_page_document_and_call(told: Told, world: World) -> None:
    world.erp.add(orders(3, suppliers=1, odd={2: ["unmapped_unit"]}))
    world.flow.run()
    (run,) = told.spans("run")
    (sync,) = [one for one in told.spans("sync") if one.attributes["mlconnector.kind"] == "purchase_orders"]
    assert run.attributes == {"mlconnector.flow": "jde_to_cleo", "mlconnector.dry_run": False, "mlconnector.ok": False}
    assert told.parent(run) is None
    assert told.parent(sync) == "run"
    assert (sync.attributes["mlconnector.read"], sync.attributes["mlconnector.delivered"]) == (3, 2)
    assert {told.parent(page) for page in told.spans("page")} <= {"sync", "run"}
    states = Counter(one.attributes["mlconnector.state"] for one in told.spans("document"))
    assert states == {"delivered": 2, "parked": 1}
    assert {told.parent(one) for one in told.spans("document")} == {"sync"}
    calls = told.spans("call")
    uploads = [one for one in calls if one.attributes["http.request.method"] == "PUT"]
    assert len(uploads) == len(world.network.uploads) == 2
    assert {told.parent(one) for one in uploads} == {"document"}
    reads = [one for one in calls if "dataservice" in one.attributes["url.path"]]
    assert {told.parent(one) for one in reads} == {"page"}
    assert {one.context.trace_id for one in calls} == {run.context.trace_id}
    assert all(one.attributes["http.response.status_code"] == 200 for one in reads)


def test_documents_are_counted_by_state_and_calls_by_status(told: Told, world: World) -> None:
    world.erp.add(orders(4, suppliers=1, odd={2: ["hold"]}))
    world.flow.run()
    world.flow.run()
    found = {key[1:]: number for key, number in told.counts("documents").items() if key[0] == "purchase_orders"}
    assert {state: number for (state, _), number in found.items()} == {"delivered": 3, "waiting": 2}
    answered = told.counts("calls")
    assert sum(answered.values()) == len(told.spans("call"))


def test_a_lost_answer_and_its_look_up_are_seen(told: Told, world: World) -> None:
    world.erp.add(orders(1, suppliers=1))
    world.network.fail(drop="after", match="PUT")
    world.flow.run()
    (lost,) = [one for one in told.spans("call") if one.status.status_code is StatusCode.ERROR]
    assert lost.attributes["error.type"] == "ConnectionFailed"
    assert not lost.events
    assert [one.attributes["mlconnector.state"] for one in told.spans("document")] == ["in_doubt", "delivered"]
    assert ("no answer", "PUT", "cleo") in told.counts("calls")


def test_a_run_that_is_stopped_ends_its_spans_with_the_class_of_the_error(told: Told, world: World) -> None:
    world.erp.add(orders(2, suppliers=1))
    world.network.fail(status=403, match="PUT")
    with pytest.raises(mc.PermissionDenied):
        world.flow.run()
    for name in ("document", "sync", "run"):
        assert told.spans(name)[-1].attributes["error.type"] == "PermissionDenied", name
    (refused,) = [one for one in told.spans("call") if one.attributes["http.response.status_code"] == 403]
    assert refused.attributes["error.type"] == "403"


def test_a_refused_look_up_ends_what_was_prepared(told: Told) -> None:
    clock = ManualClock()
    with CoupaSimulator(clock=clock) as spend, spend.client() as coupa:
        spend.fail(status=403, times=9, match="suppliers")
        records = mc.Records.from_pages(
            lambda _window: [[mc.Supplier(number="1", name="Acme", currency="USD")]],
            system="x",
            kind="suppliers",
            clock=clock,
        )
        with mc.Ledger(":memory:", actor="test", clock=clock) as ledger:
            sync = mc.Sync("s", records=records, target=coupa.target("suppliers"), ledger=ledger)
            with pytest.raises(mc.PermissionDenied):
                sync.run()
    assert told.spans("document")[-1].status.status_code is StatusCode.ERROR


def test_a_call_for_several_documents_is_one_span_beside_theirs(told: Told, tmp_path: Path) -> None:
    clock = ManualClock()
    with (
        JDEdwardsSimulator(clock=clock) as erp,
        BILLSimulator(clock=clock) as payables,
        erp.client() as jde,
        payables.client(lock_dir=tmp_path) as bill,
        mc.Ledger(":memory:", actor="test", clock=clock) as ledger,
    ):
        erp.add(suppliers(1))
        erp.add(vouchers(4, suppliers=1, master=False))
        erp.add(accounts())
        erp.add({"PTC": "N30", "PTD": "Net 30", "NDTP": 30}, table="F0014")
        erp.add(fiscal_calendar(2026, period=3))
        for account in jde.accounts():
            payables.add(mc.Account(number=account.object, object=account.object, description=account.description))
        payables.add(mc.CostCenter(number="M30", name="Boulder plant"))
        flow = flows.jde_to_bill(
            jde, bill, ledger=ledger, begin="everything", hand_over=flows.Trusted("test"), bank_account="00000001"
        )
        flow.run()
    batches = told.spans("batch")
    assert max(one.attributes["mlconnector.documents"] for one in batches) > 1
    assert "batch" in {told.parent(one) for one in told.spans("call")}


def test_reads_in_other_threads_belong_to_their_page(told: Told) -> None:
    with FusionSimulator() as pod, pod.client(max_in_flight=4) as fusion:
        for number in range(1, 4):
            lines = [mc.InvoiceLine(number=str(line)) for line in range(1, 31)]
            pod.add(mc.Invoice(number=str(number), supplier_invoice_number=f"S{number}", currency="USD", lines=lines))
        read = list(fusion.invoices().pages())
    assert sum(len(page.documents) + len(page.rejected) for page in read) == 3
    parents = {told.parent(one) for one in told.spans("call") if "invoices" in one.attributes["url.path"]}
    assert parents == {"page"}


def test_a_page_that_fails_says_so(told: Told) -> None:
    with JDEdwardsSimulator() as erp, erp.client(retry=mc.Retry(attempts=1)) as jde:
        erp.fail(status=500, times=5, match="dataservice")
        with pytest.raises(mc.VendorFault):
            list(jde.suppliers())
    assert told.spans("page")[-1].attributes["error.type"] == "VendorFault"


def test_no_secret_and_no_document_is_told(told: Told, world: World) -> None:
    world.erp.add(orders(2, suppliers=1))
    world.network.fail(drop="after", match="PUT")
    world.erp.expire_tokens()
    world.flow.run()
    text = told.text()
    assert "jde_to_cleo" in text
    for secret in (world.erp.password, world.network.password, world.erp.username, "Bearer", "Parts", "ISA*"):
        assert secret not in text, secret


def test_it_ends_and_a_newer_one_stays() -> None:
    first = otel.instrument()
    second = otel.instrument()
    first.close()
    assert _watching._observer is not None
    second.close()
    second.close()
    assert _watching._observer is None


def test_what_is_no_provider_is_refused() -> None:
    with pytest.raises(mc.InvalidArgument, match="tracer_provider=3"):
        otel.instrument(tracer_provider=3)  # type: ignore[arg-type]


def test_nothing_is_imported_unless_asked_for_and_without_the_package_the_cure_is_named() -> None:
    code = """
import sys
import mlconnector as mc
mc.otel, mc.JDEdwardsAIS, mc.Ledger, mc.flows.jde_to_cleo
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
sys.modules["opentelemetry"] = None
try:
    mc.otel.instrument()
except mc.MissingExtra as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True)
    assert "mlconnector[otel]" in done.stdout


def test_unwatched_work_does_nothing_and_makes_nothing() -> None:
    first, second = _watching.watched("call", method="GET"), _watching.watched("page")
    assert first is second is _watching.start("document")
    with first as span, span.current():
        span.note(status=200)
        span.end()
    source = iter(())
    assert _watching.pages(source, dict) is source
    assert _watching.carried(len) is len


def test_a_look_up_that_breaks_ends_the_span_of_its_document(
    told: Told, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.erp.add(orders(1, suppliers=1))
    world.network.fail(drop="before", match="PUT")
    world.flow.run()

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(type(world.flow.syncs["purchase_orders"].target), "find", broken)
    with pytest.raises(RuntimeError):
        world.flow.run()
    last = told.spans("document")[-1]
    assert last.attributes["error.type"] == "RuntimeError"
    assert last.status.status_code is StatusCode.ERROR
