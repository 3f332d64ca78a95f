"""OpenTelemetry's SDK as a service sets it up."""

from __future__ import annotations

from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tracedclient.instruments.otel import OpenTelemetry


def otlp(url, timeout=10):
    return OTLPSpanExporter(f"{url}/v1/traces", timeout=timeout)


@contextmanager
def tracing(service, exporter):
    """A ``TracerProvider`` that exports in the background."""
    resource = Resource({"service.name": service})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield provider
    finally:
        provider.shutdown()


def traced(provider):
    """A client's arguments, with which its calls are spans of ``provider``."""
    return {"instruments": [OpenTelemetry(tracer_provider=provider)]}
