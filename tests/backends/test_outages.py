"""A backend that dies or hangs while requests are made: they do not notice, and drops are counted."""

from __future__ import annotations

import time
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

import pytest
import servers
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from backends.installed import PATIENCE
from backends.telemetry import otlp, traced
from tracedclient import HTTPClient
from tracedclient.instruments.zipkin import ZipkinReporter

CALLS = 300
PATIENCE_OF_EXPORTERS = 8.0
"""Seconds for which each waits for its backend: who waited with them would take as long."""
QUEUE = 64
"""Spans, of which each call has two."""


@pytest.fixture
def url():
    with servers.serve(lambda _: servers.Answer(200, b"ok")) as server:
        yield server.url


class Times(NamedTuple):
    """The seconds that each of many calls took, and each of as many in between without spans."""

    calls: list[float]
    plain: list[float]

    @property
    def share(self):
        """What a call took, a plain one being 1: both are slower on a machine that is busy just now."""
        return median(self.calls) / median(self.plain)

    def __str__(self):
        return ", ".join(
            f"{said}: median {median(each) * 1e3:.3f} ms, most {max(each) * 1e3:.1f} ms"
            for said, each in zip(("with spans", "without"), self, strict=True)
        )


def seconds(client, url):
    began = time.perf_counter()
    assert client.get(url).text == "ok"
    return time.perf_counter() - began


@pytest.fixture
def times(url):
    """Measures a client's calls, in turns with those of one that makes no spans."""
    with HTTPClient(sinks=[]) as plain:

        def measured(client):
            pairs = [(seconds(client, url), seconds(plain, url)) for _ in range(CALLS)]
            return Times(*map(list, zip(*pairs, strict=True)))

        yield measured


def assert_unharmed(gone):
    """No call waited for the backend; they took what their spans cost, next to those without."""
    print(f"gone: {gone}")
    assert max(gone.calls) < PATIENCE_OF_EXPORTERS / 2
    assert gone.share < 10


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
def test_requests_do_not_notice_a_collector_that_is_gone(sdk, collector, url, times, kind):
    """Killed or stopped in the middle of a run, it costs spans, which the SDK counts; no time."""
    first = sdk.client.get(url).trace
    collector.spans(first.trace_id, 2)
    print(f"there: {times(sdk.client)}")
    before = sdk.processed().get("queue_full", 0)
    with outage(collector, kind):
        gone = times(sdk.client)
        dropped = sdk.processed()["queue_full"] - before
    assert_unharmed(gone)
    assert 0 < dropped < 2 * CALLS


@pytest.mark.parametrize("kind", ["killed", "hanging"])
def test_requests_do_not_notice_a_zipkin_that_is_gone(zipkin, url, times, kind):
    """Our reporter drops what it cannot post, counts each call that it drops, and takes no time."""
    reporter = ZipkinReporter(zipkin.url, timeout=PATIENCE_OF_EXPORTERS, max_queued=QUEUE)
    with HTTPClient(sinks=[], instruments=[reporter]) as client:
        first = client.get(url).trace
        zipkin.spans(first.trace_id, 2)
        print(f"there: {times(client)}")
        assert reporter.flush(PATIENCE)
        before = reporter.stats()
        with outage(zipkin, kind):
            gone = times(client)
            reporter.flush(PATIENCE)
            during = reporter.stats()
        later = client.get(url).trace
        assert reporter.flush(PATIENCE)
        zipkin.spans(later.trace_id, 2)
        after = reporter.stats()
    assert_unharmed(gone)
    assert (before.failing, before.queued) == (None, 0)
    assert during.dropped > before.dropped
    assert during.failing is not None
    assert after.failing is None
    assert (after.queued, after.sent + after.dropped) == (0, 2 * CALLS + 2)
