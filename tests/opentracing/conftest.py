"""OpenTracing's own mock tracer, and clients that have it."""

from __future__ import annotations

import pytest
import tenacity
from opentracing.mocktracer import MockTracer
from opentracing_spans import Spans

from tracedclient import HTTPClient, RetryPolicy
from tracedclient.instruments.opentracing import OpenTracing

QUICK = RetryPolicy(wait=tenacity.wait_fixed(0.01), wait_throttled=tenacity.wait_fixed(0.01))


@pytest.fixture
def tracer():
    return MockTracer()


@pytest.fixture
def spans(tracer):
    return Spans(tracer)


@pytest.fixture
def make_client(tracer):
    """``make_client(component=…)``: a client of ``tracer``'s with these options.

    ``settings`` are the client's own.
    """
    clients = []

    def make(*, settings=None, **options):
        given = OpenTracing(tracer, **options) if options else tracer
        clients.append(
            HTTPClient(**{"tracer": given, "retry": QUICK, "sinks": [], **(settings or {})})
        )
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(make_client):
    return make_client()
