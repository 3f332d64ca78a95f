"""Spans of the OpenTelemetry instrument, by OTLP through a real collector to a real Jaeger."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware

from backends.company import company
from backends.seen import tree
from backends.telemetry import otlp, traced, tracing

WHOLE = [
    (
        "shop INTERNAL tracedclient.do 200",
        [
            ("shop CLIENT GET 302", [("orders SERVER GET /old 302", [])]),
            (
                "shop CLIENT GET 200 resend 1",
                [
                    (
                        "orders SERVER GET /orders 200",
                        [
                            (
                                "orders INTERNAL tracedclient.do 200",
                                [
                                    ("orders CLIENT GET 503 error", []),
                                    ("orders CLIENT GET 200 resend 1", []),
                                ],
                            )
                        ],
                    )
                ],
            ),
        ],
    )
]


@contextmanager
def exporting(url):
    """The company, each service of which exports to ``url``; afterwards all has been sent."""
    with tracing("shop", otlp(url)) as shop, tracing("orders", otlp(url)) as orders:

        def around(app):
            return OpenTelemetryMiddleware(app, tracer_provider=orders)

        with company(traced(shop), traced(orders), around) as found:
            yield found


@pytest.fixture(scope="module")
def call(collector):
    """One call through both services, whose spans have been exported to the collector."""
    with exporting(collector.url) as (client, orders_url):
        response = client.get(f"{orders_url}/old")
    assert response.text == "two left"
    return response.trace


def test_collector_has_the_whole_tree(collector, call):
    """Two services, a redirect and a retry are one tree: a span per call and per exchange."""
    assert tree(collector.spans(call.trace_id, 8)) == WHOLE


def test_jaeger_gives_the_whole_tree_back(jaeger, call):
    """What the collector hands on is the same tree when Jaeger's API is asked for the trace id."""
    assert tree(jaeger.spans(call.trace_id, 8)) == WHOLE


def test_jaeger_gives_back_each_attribute_and_event(collector, jaeger, call):
    """No attribute, and no event of a hook, is lost or changed between collector and Jaeger."""
    sent = {span.id: span for span in collector.spans(call.trace_id, 8)}
    back = {span.id: span for span in jaeger.spans(call.trace_id, 8)}
    assert back == sent
    exchange = call.attempts[0].exchanges[0]
    first = back[exchange.span_id]
    assert first.attributes["url.full"] == exchange.url
    assert sorted(name for _, name in first.events) == sorted(e.event for e in exchange.events)


def test_ids_in_jaeger_are_those_of_the_trace(jaeger, call):
    """Who has a log line finds its spans: the ids in the record are those in Jaeger."""
    recorded = [e.span_id for attempt in call.attempts for e in attempt.exchanges]
    mine = [
        span
        for span in jaeger.spans(call.trace_id, 8)
        if (span.service, span.kind) == ("shop", "CLIENT")
    ]
    assert [span.id for span in sorted(mine, key=lambda span: span.start)] == recorded


def test_jaeger_takes_otlp_without_a_collector(jaeger):
    """Jaeger's own OTLP receiver gets the same tree."""
    with exporting(jaeger.url) as (client, orders_url):
        trace = client.get(f"{orders_url}/old").trace
    assert tree(jaeger.spans(trace.trace_id, 8)) == WHOLE


def test_jaeger_finds_the_trace_by_what_went_wrong(jaeger, call):
    """Jaeger's search finds the call by a tag of ours: whoever looks for a status needs no id."""
    found = jaeger.ask(
        "/api/traces",
        jaeger.query_url,
        service="orders",
        tags='{"error.type":"503"}',
        lookback="1h",
        limit=20,
    )
    assert call.trace_id in {trace["traceID"] for trace in found["data"]}


def test_jaeger_knows_both_services(jaeger, call):
    """Jaeger lists the services by the names that their resources have."""
    assert {"shop", "orders"} <= set(jaeger.ask("/api/v3/services", jaeger.query_url)["services"])
