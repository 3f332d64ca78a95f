"""requests under OpenTelemetry's instrumentation, whose spans go to a list in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from benchmarks.client import Client
from benchmarks.peers import with_requests

if TYPE_CHECKING:
    from benchmarks.job import Job


def session(job: Job) -> Client:
    """The row of requests, instrumented."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    RequestsInstrumentor().instrument(tracer_provider=provider)
    opened = with_requests.session(job)

    def repeat(count: int) -> int:
        size = opened.repeat(count)
        # Or the list would grow without end, which no service would let it.
        exporter.clear()
        return size

    def check() -> None:
        opened.repeat(1)
        if len(exporter.get_finished_spans()) != 1:
            raise RuntimeError("a request with OpenTelemetry did not export one span")

    def close() -> None:
        opened.close()
        RequestsInstrumentor().uninstrument()
        provider.shutdown()

    return Client(repeat, close, check)
