"""In company: with OpenTelemetry's own instrumentation, with exporters that fail, hang or raise."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

import pytest
import requests
from opentelemetry import context as contexts
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.utils import (
    suppress_http_instrumentation,
    suppress_instrumentation,
)
from opentelemetry.sdk.environment_variables import OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from tracedclient.instruments import CallStart
from tracedclient.instruments.otel import OpenTelemetry

USE = "tracedclient.do"


@contextmanager
def instrumented(sdk):
    RequestsInstrumentor().instrument(tracer_provider=sdk.tracers, meter_provider=sdk.meters)
    try:
        yield
    finally:
        RequestsInstrumentor().uninstrument()


def test_requests_own_instrumentation_makes_no_second_span(client, sdk, echo_server):
    """Under RequestsInstrumentor, a call of ours still has one CLIENT span, and one traceparent."""
    with instrumented(sdk):
        client.get(f"{echo_server.url}/redirect?to=/landed")

    assert [span.name for span in sdk.spans] == [USE, "GET", "GET"]
    sent = [request.headers.get("traceparent").split("-")[2] for request in echo_server.requests]
    assert sent == [f"{span.context.span_id:016x}" for span in sdk.client_spans]


def test_requests_own_instrumentation_goes_on_elsewhere(client, sdk, echo_server):
    """After a call of ours, other sessions' requests have their spans as before."""
    with instrumented(sdk), requests.Session() as session:
        client.get(echo_server.url)
        session.get(echo_server.url)

    scopes = [span.instrumentation_scope.name for span in sdk.client_spans]
    assert scopes == ["tracedclient", "opentelemetry.instrumentation.requests"]


@pytest.mark.parametrize("suppressed", [suppress_http_instrumentation, suppress_instrumentation])
def test_suppression_is_heeded(client, sdk, echo_server, suppressed):
    """Where instrumentation is suppressed, a call has no span and is not counted."""
    with suppressed():
        response = client.get(echo_server.url)

    assert (sdk.spans, response.trace) == ([], None)
    assert echo_server.requests[0].headers.get("traceparent") is not None


def test_suppression_by_the_key_alone_is_heeded(client, sdk, echo_server):
    """An exporter that sets the API's key and nothing else is heeded too."""
    token = contexts.attach(contexts.set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
    try:
        client.get(echo_server.url)
    finally:
        contexts.detach(token)

    assert sdk.spans == []


def test_a_call_within_a_call_has_spans(client, sdk, echo_server):
    """The call that fetches a token for another is its child, with spans of its own."""

    def auth(request):
        request.headers["Authorization"] = client.get(f"{echo_server.url}/token").reason
        return request

    client.get(f"{echo_server.url}/orders", auth=auth)

    outer, inner, token, orders = sdk.spans
    assert (inner.parent.span_id, inner.name) == (outer.context.span_id, USE)
    assert token.attributes["url.full"].endswith("/token")
    assert orders.attributes["url.full"].endswith("/orders")


def test_the_context_is_as_it_was(client, echo_server):
    """After a call, well or not, the context in force is the one from before."""
    before = contexts.get_current()
    client.get(echo_server.url)
    with pytest.raises(requests.RequestException):
        client.get("http://")

    assert contexts.get_current() == before


class Raises(SpanProcessor):
    """A processor that fails, at the beginning or at the end of a span."""

    def __init__(self, when):
        self.when = when

    def on_start(self, span, parent_context=None):
        if self.when == "start":
            raise RuntimeError("processor")

    def on_end(self, span):
        if self.when == "end":
            raise RuntimeError("processor")


@pytest.mark.parametrize("when", ["start", "end"])
def test_a_processor_that_raises_harms_no_request(sdk, make_client, echo_server, when, caplog):
    """A broken processor costs the telemetry, which is counted and said, and not the answer."""
    sdk.tracers.add_span_processor(Raises(when))
    client = make_client()

    assert [client.get(echo_server.url).status_code for _ in range(3)] == [200] * 3
    assert client.stats().instrument_failures >= 3
    assert [r.message.partition(" raised")[0] for r in caplog.records] != []
    assert sdk.points("tracedclient.instruments.failures")[0].value >= 3


class Stuck(SpanExporter):
    """An exporter whose collector does not answer."""

    def __init__(self):
        self.entered, self.go = threading.Event(), threading.Event()

    def export(self, spans):
        self.entered.set()
        assert self.go.wait(20)
        return SpanExportResult.FAILURE

    def shutdown(self):
        self.go.set()


def test_a_stuck_exporter_delays_nothing_and_its_drops_are_counted(
    sdk, make_client, echo_server, monkeypatch
):
    """With a full queue before a collector that hangs, calls go on; the SDK counts what it drops."""
    monkeypatch.setenv(OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED, "true")
    stuck = Stuck()
    tracers = TracerProvider(shutdown_on_exit=False, meter_provider=sdk.meters)
    batch = BatchSpanProcessor(
        stuck, max_queue_size=4, max_export_batch_size=1, meter_provider=sdk.meters
    )
    tracers.add_span_processor(batch)
    client = make_client(instruments=[OpenTelemetry(tracer_provider=tracers)])
    client.get(echo_server.url)
    assert stuck.entered.wait(10)
    began = time.monotonic()
    for _ in range(20):
        assert client.get(echo_server.url).status_code == 200
    took = time.monotonic() - began

    dropped = {
        point.attributes.get("error.type"): point.value
        for point in sdk.points("otel.sdk.processor.span.processed")
    }
    assert took < 5
    assert dropped["queue_full"] >= 40 - 4
    stuck.go.set()
    tracers.shutdown()


def test_nothing_is_imported_when_unused():
    """A client without instruments loads nothing of OpenTelemetry or prometheus_client."""
    script = (
        "import sys, tracedclient; tracedclient.HTTPClient().close();"
        "print([n for n in sys.modules if n.startswith(('opentelemetry', 'prometheus'))])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"


def test_a_lost_trace_ends_its_spans(sdk):
    """When the trace of a call is lost, its spans end all the same, with what is known."""
    watch = sdk.instrument().begin(CallStart(None, "GET", "http://api.test/"))
    watch.sends("GET", "http://api.test/")
    watch.done(None)

    assert [span.name for span in sdk.spans] == [USE, "GET"]
    assert sdk.points("http.client.request.duration") == []


def test_suppression_by_its_old_name_is_heeded(client, sdk, echo_server):
    """The plain key of before is heeded, as OpenTelemetry's own instrumentation does."""
    token = contexts.attach(contexts.set_value("suppress_instrumentation", True))
    try:
        client.get(echo_server.url)
    finally:
        contexts.detach(token)

    assert sdk.spans == []


def test_a_forked_child_goes_on(client, sdk, echo_server):
    """A child of a process that has made calls makes and counts its own."""
    client.get(echo_server.url)
    child = os.fork()
    if child == 0:
        code = 1
        with suppress(BaseException):
            done = client.get(echo_server.url).status_code == 200
            code = 0 if done and len(sdk.client_spans) == 2 else 1
        os._exit(code)
    _, status = os.waitpid(child, 0)

    assert (status, len(sdk.client_spans)) == (0, 1)


def test_an_exporter_that_is_down_harms_no_request(sdk, make_client, echo_server):
    """With a collector that refuses each batch, answers come and nothing of ours fails."""

    class Down(SpanExporter):
        def export(self, spans):
            raise ConnectionRefusedError(len(spans))

    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(BatchSpanProcessor(Down(), schedule_delay_millis=10))
    client = make_client(instruments=[OpenTelemetry(tracer_provider=tracers)])

    assert [client.get(echo_server.url).status_code for _ in range(5)] == [200] * 5
    tracers.force_flush()
    assert client.stats().instrument_failures == 0
    tracers.shutdown()
