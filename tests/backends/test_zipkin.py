"""Our own Zipkin reporter, B3 headers and converter, with a real Zipkin and another's server spans."""

from __future__ import annotations

import time

import pytest
from logged import trace_line
from opentelemetry.exporter.zipkin.json import ZipkinExporter

from backends.company import company
from backends.installed import PATIENCE
from backends.reporting import B3, py_zipkin, reporting
from backends.seen import tree
from backends.telemetry import traced, tracing
from backends.zipkin import Zipkin
from tracedclient.cli import main
from tracedclient.instruments.zipkin import ZipkinReporter
from tracedclient.propagation import Propagation

B3_MULTI = Propagation(formats=("b3multi",))

CALLED = [
    (
        "orders tracedclient.do 200",
        [("orders CLIENT get 503 error", []), ("orders CLIENT get 200 resend 1", [])],
    )
]
WHOLE = [
    (
        "shop tracedclient.do 200",
        [
            ("shop CLIENT get 302", [("orders SERVER get /old", [])]),
            ("shop CLIENT get 200 resend 1", [("orders SERVER get /orders", CALLED)]),
        ],
    )
]


@pytest.fixture(scope="module", params=[B3, B3_MULTI], ids=["b3", "b3multi"])
def call(request, zipkin):
    """One call through both services, whose spans have been sent."""
    with reporting(zipkin, request.param) as (client, orders_url):
        response = client.get(f"{orders_url}/old")
    assert response.text == "two left"
    return response.trace


def test_zipkin_gives_the_whole_tree_back(zipkin, call):
    """Our spans and those of another's server are one tree: B3's ids join them in either form."""
    assert tree(zipkin.spans(call.trace_id, 8)) == WHOLE


def test_zipkin_keeps_tags_addresses_and_annotations(zipkin, call):
    """The span of an exchange comes back with what the trace says of it."""
    exchange = call.attempts[0].exchanges[0]
    (span,) = (
        one
        for one in zipkin.raw(call.trace_id, 8)
        if (one["id"], one.get("kind")) == (exchange.span_id, "CLIENT")
    )
    assert span["remoteEndpoint"]["serviceName"] == "orders.internal"
    assert span["remoteEndpoint"]["ipv4"] == "127.0.0.1"
    assert span["tags"]["http.url"] == exchange.url
    assert span["tags"]["tracedclient.phase.wait_ms"] == f"{exchange.ms.wait:.3f}".rstrip("0")
    assert sorted(one["value"] for one in span["annotations"]) == sorted(
        event.event for event in exchange.events
    )


def test_zipkin_finds_the_trace_by_a_tag(zipkin, call):
    """Zipkin's search finds the call by the status that one of its attempts got."""
    zipkin.spans(call.trace_id, 8)
    found = zipkin.ask(
        "/api/v2/traces", serviceName="orders", annotationQuery="http.status_code=503"
    )
    assert call.trace_id in {trace[0]["traceId"] for trace in found}


def test_converted_log_joins_the_servers_spans(zipkin, tmp_path):
    """A service that only logs: converted and posted, its lines are the parents of the server's."""
    options = {"debug": True, "propagation": B3}
    with company(options, options, py_zipkin(zipkin)) as (client, orders_url):
        trace = client.get(f"{orders_url}/orders").trace
    log, spans = tmp_path / "app.log", tmp_path / "app.json"
    log.write_bytes(trace_line(trace))
    assert main(["convert", str(log), "--to", "zipkin", "-o", str(spans)]) == 0
    assert zipkin.post("/api/v2/spans", spans.read_bytes()).status_code == 202
    served = [("orders SERVER get /orders", [])]
    assert tree(zipkin.spans(trace.trace_id, 3)) == [
        ("shop tracedclient.do 200", [("shop CLIENT get 200", served)])
    ]


def test_zipkin_takes_opentelemetrys_spans(zipkin):
    """The OpenTelemetry instrument's spans are in Zipkin as well, by OpenTelemetry's own exporter."""
    exporter = ZipkinExporter(endpoint=f"{zipkin.url}/api/v2/spans")
    with tracing("shop", exporter) as shop, company(traced(shop), {}) as (client, orders_url):
        trace = client.get(f"{orders_url}/old").trace
    assert tree(zipkin.spans(trace.trace_id, 3)) == [
        (
            "shop tracedclient.do 200",
            [("shop CLIENT get 302", []), ("shop CLIENT get 200 resend 1", [])],
        )
    ]


def test_jaeger_takes_our_zipkin_spans(jaeger):
    """A reporter that is pointed at Jaeger's Zipkin port gives the tree that Zipkin has."""
    with ZipkinReporter(jaeger.zipkin_url, timeout=PATIENCE) as reporter:
        options = {"instruments": [reporter], "propagation": B3}
        with company(options, options) as (client, orders_url):
            trace = client.get(f"{orders_url}/old").trace
        assert reporter.flush(PATIENCE)
    assert tree(jaeger.spans(trace.trace_id, 6)) == [
        (
            "shop tracedclient.do 200",
            [("shop CLIENT get 302", []), ("shop CLIENT get 200 resend 1", CALLED)],
        )
    ]


def test_zipkin_draws_who_calls_whom(tmp_path_factory):
    """In the dependency graph each request counts once, between the services that it was between."""
    with Zipkin(tmp_path_factory.mktemp("zipkin")) as zipkin:
        with reporting(zipkin, B3) as (client, orders_url):
            trace = client.get(f"{orders_url}/old").trace
        zipkin.spans(trace.trace_id, 8)
        links = zipkin.links(time.time() + 1)
    assert links == {("shop", "orders"): 2, ("orders", "stock.internal"): 2}
