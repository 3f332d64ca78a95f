"""A backend that dies or hangs while requests are made: they do not notice, and drops are counted."""

from __future__ import annotations

import time
from contextlib import contextmanager
from statistics import median

import pytest
import servers
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from backends.telemetry import otlp, traced
from tracedclient import HTTPClient
from tracedclient.instruments.zipkin import ZipkinReporter

CALLS = 300
PATIENCE_OF_EXPORTERS = 2.0
"""Seconds for which each waits for its backend: who waited with them would take as long."""
QUEUE = 64
"""Spans, of which each call has two."""


@pytest.fixture
def url():
    with servers.serve(lambda _: servers.Answer(200, b"ok")) as server:
        yield server.url


def times(client, url):
    """The seconds that each of many calls took, in their order."""
    taken = []
    for _ in range(CALLS):
        began = time.perf_counter()
        assert client.get(url).text == "ok"
        taken.append(time.perf_counter() - began)
    return taken


def assert_unharmed(gone, there, without):
    """No call waited for the backend; they took what they take while it is ``there``."""
    for said, seconds in (("gone", gone), ("there", there), ("no spans", without)):
        print(f"{said}: median {median(seconds) * 1e3:.3f} ms, most {max(seconds) * 1e3:.1f} ms")
    assert median(gone) < 3 * median(there)
    assert median(gone) < 10 * median(without)
    assert max(gone) < PATIENCE_OF_EXPORTERS / 2


@pytest.fixture
def without(url):
    """What the calls take with nothing that makes spans."""
    with HTTPClient(sinks=[]) as client:
        return times(client, url)


class SDK:
    """A client whose spans go to ``backend`` by a small queue, and what the SDK counts of them."""

    def __init__(self, backend):
        self._reader = InMemoryMetricReader()
        self._meters = MeterProvider([self._reader], shutdown_on_exit=False)
        self._tracers = TracerProvider(shutdown_on_exit=False)
        processor = BatchSpanProcessor(
            otlp(backend.url, timeout=PATIENCE_OF_EXPORTERS),
            max_queue_size=QUEUE,
            max_export_batch_size=QUEUE // 2,
            schedule_delay_millis=50,
            meter_provider=self._meters,
        )
        self._tracers.add_span_processor(processor)
        self.client = HTTPClient(sinks=[], **traced(self._tracers))

    def processed(self):
        """How many spans came to which end."""
        return {
            point.attributes.get("error.type", "exported"): point.value
            for resource in self._reader.get_metrics_data().resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == "otel.sdk.processor.span.processed"
            for point in metric.data.data_points
        }

    def close(self):
        self.client.close()
        self._tracers.shutdown()
        self._meters.shutdown()


@contextmanager
def outage(backend, kind):
    """Meanwhile ``backend`` is gone; afterwards it is there again."""
    {"killed": backend.stop, "hanging": backend.hang}[kind]()
    try:
        yield
    finally:
        backend.start()


@pytest.fixture
def sdk(collector, monkeypatch):
    monkeypatch.setenv("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", "true")
    made = SDK(collector)
    yield made
    made.close()


@pytest.mark.parametrize("kind", ["killed", "hanging"])
def test_requests_do_not_notice_a_collector_that_is_gone(sdk, collector, url, without, kind):
    """Killed or stopped in the middle of a run, it costs spans, which the SDK counts; no time."""
    first = sdk.client.get(url).trace
    collector.spans(first.trace_id, 2)
    there = times(sdk.client, url)
    before = sdk.processed().get("queue_full", 0)
    with outage(collector, kind):
        gone = times(sdk.client, url)
        dropped = sdk.processed()["queue_full"] - before
    assert_unharmed(gone, there, without)
    assert 0 < dropped < 2 * CALLS


@pytest.mark.parametrize("kind", ["killed", "hanging"])
def test_requests_do_not_notice_a_zipkin_that_is_gone(zipkin, url, without, kind):
    """Our reporter drops what it cannot post, counts each call that it drops, and takes no time."""
    reporter = ZipkinReporter(zipkin.url, timeout=PATIENCE_OF_EXPORTERS, max_queued=QUEUE)
    with HTTPClient(sinks=[], instruments=[reporter]) as client:
        first = client.get(url).trace
        zipkin.spans(first.trace_id, 2)
        there = times(client, url)
        assert reporter.flush(10)
        before = reporter.stats()
        with outage(zipkin, kind):
            gone = times(client, url)
            reporter.flush(10)
            during = reporter.stats()
        later = client.get(url).trace
        assert reporter.flush(10)
        zipkin.spans(later.trace_id, 2)
        after = reporter.stats()
    assert_unharmed(gone, there, without)
    assert (before.failing, before.queued) == (None, 0)
    assert during.dropped > before.dropped
    assert during.failing is not None
    assert after.failing is None
    assert (after.queued, after.sent + after.dropped) == (0, 2 * CALLS + 2)
