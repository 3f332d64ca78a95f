"""Spans: by OpenTelemetry where OTEL_EXPORTER_OTLP_ENDPOINT names who takes them, to the Zipkin that
ZIPKIN names, or none.

The calls' spans are tracedclient's own. With OpenTelemetry a request's SERVER span is that of the
framework's instrumentation, and a job's CONSUMER span is made here.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import fastapi
    import flask

ZIPKIN = os.environ.get("ZIPKIN")
# One of the two: either would give a request its span, and only one id can be sent.
OPENTELEMETRY = "OTEL_EXPORTER_OTLP_ENDPOINT" in os.environ and not ZIPKIN

_PREFIX = "span-"


def instruments(service: str) -> list[Any]:
    """Return what the client of ``service`` is to be given."""
    if ZIPKIN:
        from tracedclient.instruments.zipkin import ZipkinReporter

        return [ZipkinReporter(ZIPKIN)]
    return [_opentelemetry(service)] if OPENTELEMETRY else []


def _opentelemetry(service: str) -> Any:
    """Set up the SDK, as its own pages say, and return the client's instrument."""
    # The frameworks' spans are to have the stable names of attributes, as the client's have.
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
    from opentelemetry import metrics, trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from tracedclient.inbound import current_context
    from tracedclient.instruments.otel import OpenTelemetry
    from tracedclient.instruments.otel.ids import TraceIdGenerator

    provider = TracerProvider(
        resource=Resource.create({"service.name": service}),
        id_generator=TraceIdGenerator(current_context),
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return OpenTelemetry(meter_provider=metrics.NoOpMeterProvider())


def of_flask(app: flask.Flask) -> None:
    """Have a SERVER span made for each request."""
    if OPENTELEMETRY:
        from opentelemetry.instrumentation.flask import FlaskInstrumentor

        FlaskInstrumentor().instrument_app(app)


def of_fastapi(app: fastapi.FastAPI) -> None:
    """Have a SERVER span made for each request, and none for the pieces of its answer."""
    if OPENTELEMETRY:
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

        FastAPIInstrumentor.instrument_app(app, exclude_spans=["receive", "send"])


def for_job() -> dict[str, str]:
    """Return what a job's headers are to hold so that its span is below the one in force here.

    ``traceparent`` is taken: it names the span that the log lines know, that of the caller.
    """
    carrier: dict[str, str] = {}
    if OPENTELEMETRY:
        from opentelemetry import propagate

        propagate.inject(carrier)
    return {f"{_PREFIX}{name}": value for name, value in carrier.items()}


def of_job(name: str, headers: dict[str, str]) -> AbstractContextManager[Any]:
    """Make a CONSUMER span, below the one that was in force where the job was queued."""
    if not OPENTELEMETRY:
        return nullcontext()
    from opentelemetry import propagate, trace

    carrier = {key.removeprefix(_PREFIX): value for key, value in headers.items() if _PREFIX in key}
    tracer = trace.get_tracer("worker")
    return tracer.start_as_current_span(
        name, context=propagate.extract(carrier), kind=trace.SpanKind.CONSUMER
    )
