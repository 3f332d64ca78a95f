"""The example's orders, asked back from those who keep spans."""

from __future__ import annotations

import pytest
from backends.jaeger import Jaeger
from backends.seen import tree
from backends.zipkin import Zipkin

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
# Zipkin's reporter knows the client's calls alone: whose child one is, is known from the headers.
CALLS = [
    (
        "customer tracedclient.do 202",
        [
            (
                "customer CLIENT post 202",
                [
                    (
                        "shop tracedclient.do 200",
                        [("shop CLIENT get 503 error", []), ("shop CLIENT get 200 resend 1", [])],
                    ),
                    (
                        "worker tracedclient.do 200",
                        [
                            (
                                "worker CLIENT post 200",
                                [("stock tracedclient.do 200", [("stock CLIENT put 200", [])])],
                            )
                        ],
                    ),
                    ("worker tracedclient.do 200", [("worker CLIENT put 200", [])]),
                ],
            )
        ],
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


def test_zipkin_has_each_order_as_one_trace(tmp_path):
    """What our own reporter sends is one tree in a real Zipkin, which knows all four."""
    with Zipkin(tmp_path) as zipkin:
        run = run_example(tmp_path / "run", "--zipkin", zipkin.url)
        assert run.status == 0, run.err
        found = [zipkin.spans(one, 11) for one in run.ids]
        known = zipkin.ask("/api/v2/services")
    assert [tree(spans) for spans in found] == [CALLS, CALLS]
    assert known == ["customer", "shop", "stock", "worker"]
