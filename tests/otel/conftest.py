"""The SDK as an application sets it up, with its own exporters that keep what they get."""

from __future__ import annotations

import pytest
import tenacity
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tracedclient import HTTPClient, RetryPolicy
from tracedclient.instruments.otel import OpenTelemetry

QUICK = RetryPolicy(wait=tenacity.wait_fixed(0.01), wait_throttled=tenacity.wait_fixed(0.01))


class SDK:
    """Two providers, and what came out of them."""

    def __init__(self, **options):
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider(shutdown_on_exit=False, **options)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)

    def instrument(self, **options):
        return OpenTelemetry(tracer_provider=self.tracers, meter_provider=self.meters, **options)

    @property
    def spans(self):
        """Finished spans, in the order in which they began."""
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time)

    @property
    def client_spans(self):
        return [span for span in self.spans if span.kind.name == "CLIENT"]

    def points(self, name):
        """Each point of a metric, by its attributes."""
        data = self.reader.get_metrics_data()
        return [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def close(self):
        self.tracers.shutdown()
        self.meters.shutdown()


@pytest.fixture
def make_sdk():
    made = []

    def make(**options):
        made.append(SDK(**options))
        return made[-1]

    yield make
    for sdk in made:
        sdk.close()


@pytest.fixture
def sdk(make_sdk):
    return make_sdk()


@pytest.fixture
def make_client(sdk):
    """``make_client(retry=…)``: a client with debug off whose only instrument is ``sdk``'s."""
    clients = []

    def make(**options):
        settings = {"instruments": [sdk.instrument()], "retry": QUICK, "sinks": [], **options}
        clients.append(HTTPClient(**settings))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(make_client):
    return make_client()
