"""What is watched, in OpenTelemetry's words: its conventions for HTTP clients, names of our own for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

from opentelemetry import context, metrics, trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode

__all__ = ["TellingObserver"]

_NAMES: Mapping[str, str] = {
    "method": "http.request.method",
    "path": "url.path",
    "status": "http.response.status_code",
    "error": "error.type",
}
_PREFIX = "mlconnector."
_COUNTERS: Mapping[str, tuple[str, str]] = {
    "documents": ("{document}", "Documents that runs dealt with, by the state each came to."),
    "calls": ("{call}", "Physical HTTP calls, by status."),
}


def _attributes(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {_NAMES.get(name, _PREFIX + name): value for name, value in facts.items() if value not in (None, "")}


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, **facts: Any) -> None:
        self._span.set_attributes(_attributes(facts))

    def current(self) -> AbstractContextManager[object]:
        # The text of an error may quote a document: its class is told, in end().
        return trace.use_span(self._span, record_exception=False, set_status_on_exception=False)

    def end(self, error: BaseException | None = None) -> None:
        if error is not None:
            self.note(error=type(error).__name__)
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


class TellingObserver:
    """Tells spans and counts to OpenTelemetry."""

    def __init__(self, tracers: trace.TracerProvider | None, meters: metrics.MeterProvider | None) -> None:
        name = "mlconnector"
        self._tracer = trace.get_tracer(name, _version(), tracer_provider=tracers)
        meter = metrics.get_meter(name, _version(), meter_provider=meters)
        self._counters = {
            name: meter.create_counter(_PREFIX + name, unit=unit, description=text)
            for name, (unit, text) in _COUNTERS.items()
        }

    def start(self, name: str, facts: dict[str, Any], parent: object) -> _Span:
        kind = SpanKind.CLIENT if name == "call" else SpanKind.INTERNAL
        within = cast("Context | None", parent)
        return _Span(self._tracer.start_span(_PREFIX + name, within, kind, attributes=_attributes(facts)))

    def here(self) -> object:
        return context.get_current()

    @contextmanager
    def under(self, parent: object) -> Iterator[None]:
        token = context.attach(cast("Context", parent))
        try:
            yield
        finally:
            context.detach(token)

    def count(self, name: str, number: int, facts: dict[str, Any]) -> None:
        self._counters[name].add(number, _attributes(facts))


def _version() -> str:
    try:
        return version("mlconnector")
    except PackageNotFoundError:
        return "0"
