"""``python -m benchmarks.instruments``: what spans and metrics of every call cost, for each system.

It needs the extras otel, opentracing and prometheus, the SDK, opentelemetry-instrumentation-requests
and OpenTelemetry's shim.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import opentracing
import prometheus_client
import requests
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.shim.opentracing_shim import create_tracer
from opentracing.mocktracer import MockTracer

from benchmarks import answers
from benchmarks.certificate import issue
from benchmarks.machine import load
from benchmarks.serving import own_server
from tracedclient import HTTPClient
from tracedclient.instruments.instrument import Watch
from tracedclient.instruments.opentracing import OpenTracing
from tracedclient.instruments.otel import OpenTelemetry
from tracedclient.instruments.prometheus import Prometheus
from tracedclient.instruments.zipkin import ZipkinReporter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROUNDS = 7
_REQUESTS = 400


class _Row(NamedTuple):
    get: Callable[[str], object]
    around: Callable[[], AbstractContextManager[object]] = nullcontext
    """Entered for its requests only, because it changes other rows too."""


class _Nothing:
    def watch(self, client: object) -> None: ...

    def begin(self, call: object) -> Watch:  # noqa: ARG002 - an instrument's signature
        return Watch()


class _Away:
    """An exporter that has nowhere to send spans to."""

    def export(self, spans: object) -> object:  # noqa: ARG002 - an exporter's signature
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None: ...

    def force_flush(self, timeout_millis: int = 0) -> bool:  # noqa: ARG002 - as above
        return True


def main() -> None:
    """Measure all in turns; print the best round of each, as a ratio to requests too."""
    with (
        tempfile.TemporaryDirectory() as directory,
        own_server(issue(Path(directory))) as server,
        ExitStack() as stack,
    ):
        rows = _rows(stack, server.url("/"))
        costs: dict[str, list[float]] = {name: [] for name in rows}
        for _ in range(_ROUNDS + 1):
            for name, row in rows.items():
                costs[name].append(_cost(row, server.url(answers.PATH)))
        _print({name: found[1:] for name, found in costs.items()})


def _rows(stack: ExitStack, zipkin: str) -> dict[str, _Row]:
    return {
        "requests.Session.get": _Row(stack.enter_context(requests.Session()).get),
        **_otel_rows(stack),
        **_other_rows(stack, zipkin),
        **_opentracing_rows(stack),
    }


def _client(stack: ExitStack, **settings: Any) -> _Row:
    return _Row(stack.enter_context(HTTPClient(service="orders", **settings)).get)


def _otel_rows(stack: ExitStack) -> dict[str, _Row]:
    sampled, dropped = _tracers(stack), _tracers(stack, sampler=ALWAYS_OFF)
    made = partial(OpenTelemetry, tracer_provider=sampled)
    return {
        "the same with opentelemetry-instrumentation-requests": _Row(
            stack.enter_context(requests.Session()).get, partial(_instrumented, sampled)
        ),
        "HTTPClient, no instrument": _client(stack),
        "an instrument that does nothing": _client(stack, instruments=[_Nothing()]),
        "OpenTelemetry, not sampled": _client(
            stack, instruments=[OpenTelemetry(tracer_provider=dropped)]
        ),
        "OpenTelemetry, hook_events=False": _client(stack, instruments=[made(hook_events=False)]),
        "OpenTelemetry": _client(stack, instruments=[made()]),
    }


def _other_rows(stack: ExitStack, zipkin: str) -> dict[str, _Row]:
    registry = prometheus_client.CollectorRegistry()
    reporter = partial(ZipkinReporter, zipkin)
    sink = stack.enter_context(closing(reporter()))
    return {
        "Prometheus": _client(stack, instruments=[Prometheus(registry=registry)]),
        "ZipkinReporter": _client(stack, instruments=[reporter()]),
        "ZipkinReporter, sampled out": _client(stack, instruments=[reporter(sample_rate=0)]),
        "ZipkinReporter as a sink, the flag off": _client(stack, sinks=[sink]),
    }


def _opentracing_rows(stack: ExitStack) -> dict[str, _Row]:
    shim = create_tracer(_tracers(stack))
    quiet = OpenTracing(shim, client_trace=False)
    return {
        "OpenTracing, its tracer that does nothing": _client(stack, tracer=opentracing.Tracer()),
        "OpenTracing, MockTracer": _client(stack, tracer=MockTracer()),
        "OpenTracing, the shim, client_trace=False": _client(stack, tracer=quiet),
        "OpenTracing, the shim": _client(stack, tracer=shim),
    }


def _tracers(stack: ExitStack, **settings: Any) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False, **settings)
    provider.add_span_processor(BatchSpanProcessor(_Away()))
    stack.callback(provider.shutdown)
    return provider


@contextmanager
def _instrumented(provider: TracerProvider) -> Iterator[None]:
    instrumentor = RequestsInstrumentor()
    instrumentor.instrument(tracer_provider=provider, meter_provider=NoOpMeterProvider())
    try:
        yield
    finally:
        instrumentor.uninstrument()


def _cost(row: _Row, url: str) -> float:
    """CPU microseconds of this thread for each request, time in the kernel included."""
    with row.around():
        gc.collect()
        before = time.thread_time()
        for _ in range(_REQUESTS):
            row.get(url)
        return (time.thread_time() - before) / _REQUESTS * 1e6


def _print(costs: dict[str, list[float]]) -> None:
    least = {name: min(found) for name, found in costs.items()}
    (first, *_) = least.values()
    for name, found in least.items():
        print(
            f"{name:54} {found:5.0f} µs  {found / first:.2f}  (median {statistics.median(costs[name]):.0f})"
        )
    print(f"{_ROUNDS} rounds of {_REQUESTS} GETs on a kept connection; load {load()}")


if __name__ == "__main__":
    main()
