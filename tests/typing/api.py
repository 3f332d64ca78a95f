"""The public face as a type checker sees it. Checked, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from typing_extensions import assert_type

from tracedclient import (
    AddressPolicy,
    CircuitBreaker,
    FlightRecorder,
    HTTPClient,
    JsonLogSink,
    Propagation,
    RedirectPolicy,
    RetryBudget,
    RetryPolicy,
    Sink,
    Timeout,
    TracedAdapter,
    TracedResponse,
    TracedSession,
    TraceResult,
    logging_config,
    stat,
)
from tracedclient.debug import Decision, EnvSource, FileSource, FlagStatus, StaticFlag
from tracedclient.httptrace import ClientTrace, DNSDoneInfo, GotConnInfo, client_trace
from tracedclient.inbound import (
    ASGIMiddleware,
    WSGIMiddleware,
    current_trace_id,
    received_trace,
    trace_context,
    trace_headers,
    traced_job,
)
from tracedclient.inbound.opentracing import OpenTracingServer
from tracedclient.instruments.opentracing import OpenTracing
from tracedclient.instruments.zipkin import ZipkinReporter, ZipkinStats

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient.instruments.opentracing import Tracer


class Hooks(ClientTrace):
    def dns_done(self, info: DNSDoneInfo) -> None:
        assert_type(info.addrs, tuple[str, ...])

    def got_conn(self, info: GotConnInfo) -> None:
        assert_type(info.reused, bool)


class Collect:
    def emit(self, result: TraceResult) -> None:
        assert_type(result.dns_ms, float | None)


sink: Sink = Collect()
zipkin = ZipkinReporter("http://zipkin:9411", sample_rate=0.1)
assert_type(zipkin.stats(), ZipkinStats)

with HTTPClient(
    service="orders",
    debug=FileSource("/etc/tracedclient/flag.json"),
    timeout=Timeout(connect=1, read=5, total=10),
    retry=RetryPolicy(max_attempts=2),
    budget=RetryBudget(ratio=0.1),
    breaker=CircuitBreaker(min_calls=50),
    redirects=RedirectPolicy(headers=frozenset({"X-Trace-Id"})),
    propagation=Propagation(formats=("traceparent", "b3"), origins=("*.internal",)),
    addresses=AddressPolicy(deny=frozenset({"metadata"}), allow=frozenset({"10.0.0.0/8"})),
    sinks=[JsonLogSink(), sink, zipkin],
    instruments=[zipkin],
    flight_recorder=FlightRecorder(traces=100, slow_ms=500),
    verify="/etc/ca.pem",
    cert=("/cert.pem", "/key.pem"),
    proxies={"https": "http://proxy:3128"},
    headers={"X-Team": "a"},
) as client:
    response = client.do(requests.Request("GET", "https://example.org"), trace_id="a", debug=True)
    assert_type(response, TracedResponse)
    assert_type(response.trace, TraceResult | None)
    as_requests: requests.Response = client.get("https://example.org", timeout=(1, 2))
    client.post("https://example.org", json={"a": 1}, idempotency_key=True, trace=Hooks())
    session: requests.Session = client.session
    assert_type(client.debug.status(), FlagStatus)
    assert_type(client.debug.decide("GET", "a.test", "/", "t-1"), Decision | None)
    client.debug.override({"schema": 1, "enabled": False, "until": 0}, ttl=60)
    if client.flight is not None:
        assert_type(client.flight.recent("a.test"), tuple[TraceResult, ...])

HTTPClient(debug=EnvSource())
HTTPClient(debug=StaticFlag(True))
HTTPClient(debug=True, timeout=5)

plain = requests.Session()
plain.mount("https://", TracedAdapter(pool_maxsize=5))
with client_trace(Hooks()), trace_context("t-1"):
    assert_type(current_trace_id(), str | None)
    TracedSession().get("https://example.org")

measured = stat("https://example.org", method="POST", headers={"A": "b"}, data=b"", timeout=3)
assert_type(measured, TraceResult)
assert_type(
    stat("https://example.org", verify="/ca.pem", allow_redirects=True).wait_ms, float | None
)

logging_config(filename="traces.log", level="INFO")


@traced_job
def job(number: int) -> str:
    return str(number)


@traced_job(headers=lambda message: {"X-Trace-Id": message})
def consume(message: str) -> int:
    return len(message)


assert_type(job(5), str)
assert_type(consume("a"), int)
assert_type(trace_headers(), dict[str, str])
with received_trace({"X-Trace-Id": ["a", b"b"]}) as received:
    assert_type(received, str)


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    return []


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    pass


WSGIMiddleware(wsgi, accept=("traceparent",), response_header=None)
ASGIMiddleware(asgi)


def traced(tracer: Tracer, app: Callable[..., Any]) -> None:
    HTTPClient(tracer=tracer).close()
    HTTPClient(tracer=OpenTracing(tracer, component="orders", url_tag=None)).close()
    WSGIMiddleware(app, tracer=tracer)
    ASGIMiddleware(app, tracer=OpenTracingServer(tracer, operation_name=lambda r: r.method))
