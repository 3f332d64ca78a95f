"""The example's orders, asked back from those who keep spans."""

from __future__ import annotations

import pytest
from backends.jaeger import Jaeger
from backends.seen import tree

from examples.conftest import run_example

pytestmark = pytest.mark.installed

RESERVED = (
    "stock SERVER POST /items/{item}/reservations 200",
    [
        (
            "stock INTERNAL tracedclient.do 200",
            [("stock CLIENT PUT 200", [("shop SERVER PUT /items/<item>/left 200", [])])],
        )
    ],
)
PACKED = (
    "worker CONSUMER pack",
    [
        ("worker INTERNAL tracedclient.do 200", [("worker CLIENT POST 200", [RESERVED])]),
        (
            "worker INTERNAL tracedclient.do 200",
            [
                (
                    "worker CLIENT PUT 200",
                    [("shop SERVER PUT /orders/<int:number>/state 200", [])],
                )
            ],
        ),
    ],
)
LOOKED = (
    "shop INTERNAL tracedclient.do 200",
    [
        (
            "shop CLIENT GET 503 error",
            [("stock SERVER GET /items/{item} 503 error", [])],
        ),
        ("shop CLIENT GET 200 resend 1", [("stock SERVER GET /items/{item} 200", [])]),
    ],
)
WHOLE = [
    (
        "customer INTERNAL tracedclient.do 202",
        [("customer CLIENT POST 202", [("shop SERVER POST /orders 202", [LOOKED, PACKED])])],
    )
]


def test_jaeger_has_each_order_as_one_trace(tmp_path):
    """What Jaeger gives back for the id in the logs is one tree of all four, queue and retry included."""
    with Jaeger(tmp_path) as jaeger:
        run = run_example(tmp_path / "run", OTEL_EXPORTER_OTLP_ENDPOINT=jaeger.url)
        assert run.status == 0, run.err
        assert [tree(jaeger.spans(one, 18)) for one in run.ids] == [WHOLE, WHOLE]
        known = jaeger.ask("/api/v3/services", jaeger.query_url)["services"]
    assert {"customer", "shop", "stock", "worker"} <= set(known)
