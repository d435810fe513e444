"""OpenTelemetry: spans of what the library does, and counts of what became of documents (extra ``otel``).

::

    from mlconnector import otel

    otel.instrument()            # the providers that the program has set up; once, at its start
    flow.run()

Nothing is imported and nothing is told before :func:`instrument` is called. Names and attributes stand in
``docs/logging.md`` and stay what they are within a major version. They hold systems, kinds, natural keys, states and
paths without their query; never a document, a header, a body or the text of an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from mlconnector._watching import Observer, observe
from mlconnector.errors import InvalidArgument, MissingExtra

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

__all__ = ["Instrumentation", "instrument"]


class Instrumentation:
    """What :func:`instrument` began; a context manager, for a program that watches only part of what it does."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        observe(observer)

    def close(self) -> None:
        """Tell nothing any more. A second call does nothing, nor one after a newer :func:`instrument`."""
        newer = observe(None)
        if newer is not self._observer:
            observe(newer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def instrument(
    *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
) -> Instrumentation:
    """Tell OpenTelemetry what clients, reads and flows of this process do, in every thread, until closed.

    Args:
        tracer_provider: Takes the spans; by default the one the program has set up for itself.
        meter_provider: Takes the counts; likewise.

    Raises:
        MissingExtra: ``opentelemetry-api`` is not installed.
        InvalidArgument: Something that is no provider.
    """
    try:
        from mlconnector.otel._observer import TellingObserver
    except ImportError:
        raise MissingExtra(
            "This needs the package opentelemetry-api.", cure='Install it: pip install "mlconnector[otel]".'
        ) from None
    wanted: tuple[tuple[str, Any, str], ...] = (
        ("tracer_provider", tracer_provider, "get_tracer"),
        ("meter_provider", meter_provider, "get_meter"),
    )
    for name, provider, method in wanted:
        if provider is not None and not hasattr(provider, method):
            raise InvalidArgument(f"{name}={provider!r} has no {method}().", cure="Give a provider of OpenTelemetry.")
    return Instrumentation(TellingObserver(tracer_provider, meter_provider))
