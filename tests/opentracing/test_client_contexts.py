"""Calls among others: within a call, in tasks and threads, past other adapters, with ids of their own."""

from __future__ import annotations

import asyncio

import pytest
import requests
import servers
from opentracing.mocktracer import MockTracer
from opentracing.scope_managers.contextvars import ContextVarsScopeManager
from opentracing_spans import events

from tracedclient import HTTPClient
from tracedclient.inbound import trace_context
from tracedclient.instruments.opentracing import OpenTracing
from tracedclient.trace.context import TraceContext


class Canned(requests.adapters.BaseAdapter):
    """Answers without a connection of ours."""

    def __init__(self, *statuses):
        super().__init__()
        self.statuses = list(statuses)

    def send(self, request, **_):
        response = requests.Response()
        response.status_code, response.request = self.statuses.pop(0), request
        response.url, response.raw, response._content = request.url, None, b""
        return response

    def close(self):
        pass


def test_an_adapter_of_somebody_elses(client, spans):
    """Requests that meet no connection of ours have spans with what came of them, one by one."""
    client.session.mount("http://canned.test", Canned(503, 404))
    client.get("http://canned.test/")

    first, second = spans.requests
    assert [s.tags["http.status_code"] for s in (first, second)] == [503, 404]
    assert [s.tags.get("error") for s in (first, second)] == [True, None]
    assert first.finish_time <= second.start_time


def test_it_is_an_instrument_as_others_are(spans, tracer, echo_server):
    """``instruments=[OpenTracing(tracer)]`` does the same, beside others."""
    with HTTPClient(instruments=[OpenTracing(tracer)], sinks=[]) as client:
        client.get(echo_server.url)

    assert len(spans.finished) == 2


def test_a_call_within_a_call(make_client, spans, echo_server):
    """What a body's generator sends, by this client or another, is logged on no span but its own."""
    client, other = make_client(), make_client(operation_name="inner")

    def body():
        yield b"a"
        yield other.get(f"{echo_server.url}/inner").content[:1]
        yield client.session.get(f"{echo_server.url}/bare").content[:1]

    client.post(f"{echo_server.url}/outer", data=body())

    by_url = {s.tags["http.url"].rpartition("/")[2]: s for s in spans.requests}
    assert sorted(by_url) == ["inner", "outer"]
    for span in by_url.values():
        assert events(span).count("GetConn") == events(span).count("ClosedBody") == 1
        assert span.tags["http.status_code"] == 200


def test_an_observer_that_calls(make_client, spans, echo_server):
    """What the user's observer sends before the request is logged on no span of that request's."""
    other = make_client(operation_name="inner", component="inner")
    client = make_client(span_observer=lambda *_: other.get(f"{echo_server.url}/inner"))
    client.get(f"{echo_server.url}/outer")

    for span in spans.requests:
        assert events(span).count("GetConn") == events(span).count("ClosedBody") == 1
    paths = {s.tags["component"]: s.tags["http.url"].rpartition("/")[2] for s in spans.requests}
    assert paths == {"tracedclient": "outer", "inner": "inner"}


def test_a_call_that_is_interrupted(client, spans, start):
    """A KeyboardInterrupt goes up as it is, and its spans are finished as errors."""

    class Interrupts:
        def __iter__(self):
            yield b"a"
            raise KeyboardInterrupt

    server = start(servers.serve(servers.echo))
    with pytest.raises(KeyboardInterrupt):
        client.post(server.url, data=Interrupts())

    assert [span.tags.get("error") for span in spans.finished] == [True, True]


def test_asyncio_tasks_have_their_own_parents(echo_server):
    """With a scope manager of context variables, each task's call is below its task's span."""
    tracer = MockTracer(ContextVarsScopeManager())

    async def work(name):
        with tracer.start_active_span(name):
            await asyncio.sleep(0)
            await asyncio.to_thread(client.get, echo_server.url)

    async def all_of_it():
        await asyncio.gather(work("a"), work("b"))

    with HTTPClient(tracer=tracer, sinks=[]) as client:
        asyncio.run(all_of_it())

    finished = {s.context.span_id: s for s in tracer.finished_spans()}
    roots = [s for s in finished.values() if s.operation_name == "HTTP Client"]
    assert sorted(finished[s.parent_id].operation_name for s in roots) == ["a", "b"]


def test_the_log_line_has_the_tracers_ids(client, spans, echo_server):
    """Where a tracer shows its ids as numbers, the trace, its headers and its line have the same."""
    response = client.get(echo_server.url)

    root, span = spans.finished
    sent = echo_server.requests[0].headers
    assert response.trace.trace_id == f"{root.context.trace_id:032x}" == sent.get("X-Trace-Id")
    ids = f"{span.context.trace_id:032x}-{span.context.span_id:016x}"
    assert sent.get("traceparent").startswith(f"00-{ids}-")
    assert response.trace.attempts[0].exchanges[0].span_id == f"{span.context.span_id:016x}"


def test_an_id_of_the_callers_own_is_on_the_root(client, spans, echo_server):
    """``trace_id=`` stays in the line and its header; the root says so."""
    client.get(echo_server.url, trace_id="order-7")

    assert spans.finished[0].tags["tracedclient.trace_id"] == "order-7"
    assert echo_server.requests[0].headers.get("X-Trace-Id") == "order-7"


def test_an_inbound_trace_that_the_tracer_cannot_read(client, spans, echo_server):
    """Below our middleware, a tracer that reads no W3C headers begins a trace; nothing is complained of."""
    with trace_context(TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")):
        response = client.get(echo_server.url)

    assert spans.finished[0].parent_id is None
    assert response.trace.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert client.stats().instrument_failures == 0
