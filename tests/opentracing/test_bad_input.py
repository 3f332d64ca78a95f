"""A tracer, a function or an argument that is not as it should be never harms a request."""

from __future__ import annotations

import logging
import subprocess
import sys

import opentracing
import pytest
import requests
import servers
from opentracing.mocktracer import MockTracer
from opentracing_spans import Spans, events

from tracedclient import HTTPClient, Propagation
from tracedclient.instruments.opentracing import OpenTracing


class Broken(MockTracer):
    """One that raises where it is told to; its spans too."""

    def __init__(self, where):
        super().__init__()
        self.where = where

    def _maybe(self, name):
        if name == self.where:
            raise RuntimeError(f"no {name} today")

    @property
    def active_span(self):
        self._maybe("active_span")
        return super().active_span

    def start_span(self, operation_name=None, **options):
        self._maybe("start_span")
        if options.get("child_of") is not None:
            self._maybe("start_child")
        span = super().start_span(operation_name, **options)
        for name in ("set_tag", "log_kv", "finish"):
            if name == self.where:
                setattr(span, name, lambda *_, name=name: self._maybe(name))
        return span

    def inject(self, *arguments):
        self._maybe("inject")
        super().inject(*arguments)


WHERE = ["active_span", "start_span", "start_child", "set_tag", "log_kv", "finish", "inject"]


@pytest.mark.parametrize("where", WHERE)
def test_a_tracer_that_raises(echo_server, caplog, where):
    """The answer comes, the failure is counted, and one line a minute complains of it."""
    with HTTPClient(tracer=Broken(where), sinks=[]) as client:
        for _ in range(3):
            assert client.get(f"{echo_server.url}/redirect?to=/landed").status_code == 200
        assert client.stats().instrument_failures >= 3

    complaints = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert len(complaints) == 1
    assert "the request goes on" in complaints[0].getMessage()
    assert f"no {where} today" in caplog.text


@pytest.mark.parametrize("where", ["active_span", "start_child", "set_tag", "log_kv", "inject"])
def test_what_does_not_raise_is_still_done(echo_server, where):
    """A tracer that fails in one thing still gets the rest: every span that was begun is finished."""
    tracer = Broken(where)
    with HTTPClient(tracer=tracer, sinks=[]) as client:
        client.get(echo_server.url)

    names = [span.operation_name for span in Spans(tracer).finished]
    assert names == (["HTTP Client"] if where == "start_child" else ["HTTP Client", "HTTP GET"])


class Leads(requests.adapters.BaseAdapter):
    """Answers with a redirect, without a connection of ours."""

    def __init__(self, to):
        super().__init__()
        self.to = to

    def send(self, request, **_):
        response = requests.Response()
        response.status_code, response.request, response.url = 302, request, request.url
        response.headers["Location"], response._content = self.to, b""
        return response

    def close(self):
        pass


class Sparing(MockTracer):
    """Makes two spans, and no more."""

    def start_span(self, *arguments, **options):
        if self._next_id > 2:
            raise RuntimeError("no more")
        return super().start_span(*arguments, **options)


def test_a_hop_without_a_span_writes_on_no_other(echo_server):
    """Where the tracer makes no span for a hop, what happens on it is not logged on the last one's."""
    tracer = Sparing()
    with HTTPClient(tracer=tracer, sinks=[]) as client:
        client.session.mount("http://leads.test", Leads(echo_server.url))
        assert client.get("http://leads.test/").status_code == 200

    assert [events(span) for span in Spans(tracer).finished] == [[], []]


def refuses(*_):
    raise RuntimeError("not today")


@pytest.mark.parametrize("option", ["url_tag", "span_observer"])
def test_a_function_of_the_users_that_raises(make_client, spans, echo_server, caplog, option):
    """A URL tag that fails is left out, an observer that fails has seen nothing; all else is there."""
    client = make_client(**{option: refuses})
    for _ in range(2):
        client.get(echo_server.url)

    for span in spans.requests:
        assert span.tags["http.status_code"] == 200
        assert ("http.url" in span.tags) is (option != "url_tag")
        assert events(span)[-1] == "ClosedBody"
    assert client.stats().instrument_failures == 2
    assert len(caplog.records) == 1


class Injecting(MockTracer):
    """Puts what it is told into the headers."""

    def __init__(self, headers):
        super().__init__()
        self.injected = headers

    def inject(self, span_context, _, carrier):
        carrier.update(self.injected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Bag", "a\r\nX-Forged: 1"),
        ("X-Bag\r\nX-Forged", "1"),
        ("X Bag", "1"),
        ("", "1"),
        ("X-Bag", ""),
        ("X-Bag", " a"),
        ("X-Bag", "日本"),
        ("X-Bag", b"bytes"),
        (7, "1"),
        ("X-Bag", None),
    ],
)
def test_a_header_that_is_none_is_left_out(echo_server, caplog, name, value):
    """What a tracer injects cannot spoil the request's head; its good headers are sent."""
    tracer = Injecting({name: value, "X-Good": "1"})
    with HTTPClient(tracer=tracer, sinks=[]) as client:
        client.get(echo_server.url)

    (request,) = echo_server.requests
    assert request.headers.get("X-Good") == "1"
    assert request.headers.get("X-Bag") is request.headers.get("X-Forged") is None
    assert "it is left out" in caplog.text


def test_no_header_of_the_tracers_leaves_the_company(make_client, echo_server, start, tracer):
    """Where ``Propagation`` does not allow the origin, nothing is injected, baggage least of all."""
    inside = start(servers.serve(lambda _: (302, {"Location": f"{echo_server.url}/"}, b"")))
    allowed = Propagation(origins=(f"127.0.0.1:{inside.port}",))
    with tracer.start_active_span("work") as scope:
        scope.span.set_baggage_item("user", "ann")
        make_client(settings={"propagation": allowed}).get(inside.url)

    assert inside.requests[0].headers.get("ot-baggage-user") == "ann"
    sent = echo_server.requests[0].raw.lower()
    assert b"ot-tracer" not in sent
    assert b"ot-baggage" not in sent
    assert b"traceparent" not in sent


def test_another_tracers_header_stays(client, echo_server):
    """A header that the caller set on the request is not overwritten."""
    client.get(echo_server.url, headers={"ot-tracer-spanid": "by hand"})

    assert echo_server.requests[0].headers.get("ot-tracer-spanid") == "by hand"


@pytest.mark.parametrize("given", [object(), "jaeger", MockTracer, opentracing, True])
def test_what_is_no_tracer_is_refused(given):
    """It is an error that names the argument, and says what would do."""
    with pytest.raises(TypeError, match=r"^tracer must be an opentracing\.Tracer"):
        HTTPClient(tracer=given)
    with pytest.raises(TypeError, match=r"^tracer must be an opentracing\.Tracer"):
        OpenTracing(given)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("operation_name", None),
        ("operation_name", ""),
        ("component", 7),
        ("url_tag", "no function"),
        ("span_observer", 7),
    ],
)
def test_an_option_that_is_none_is_refused(tracer, option, value):
    """It is an error that names the option."""
    with pytest.raises(TypeError, match=f"^{option} must be"):
        OpenTracing(tracer, **{option: value})


def test_opentracings_own_tracer_does_nothing(echo_server):
    """The base class, which does nothing, is a tracer all the same; requests go out as before."""
    with HTTPClient(tracer=opentracing.Tracer(), sinks=[]) as client:
        response = client.get(echo_server.url)
        assert client.stats().instrument_failures == 0

    assert echo_server.requests[0].headers.get("X-Trace-Id") == response.trace.trace_id


def test_a_failing_hook_of_the_users_is_the_users(client, spans, echo_server):
    """A ``ClientTrace`` that raises is dropped; the spans are whole."""
    from tracedclient.httptrace import ClientTrace

    class Raises(ClientTrace):
        def got_conn(self, info):
            raise RuntimeError

    client.get(echo_server.url, trace=Raises())
    assert events(spans.requests[0])[-1] == "ClosedBody"


WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentracing":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from tracedclient import HTTPClient
HTTPClient().close()
try:
    HTTPClient(tracer=object())
except ImportError as error:
    print(error)
"""


def test_a_missing_extra_is_named():
    """Without the extra, a client without a tracer works, and one with it says what to install."""
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True
    )

    assert "pip install 'tracedclient[opentracing]'" in ran.stdout


UNUSED = """
import sys
from tracedclient import HTTPClient
from tracedclient.inbound import ASGIMiddleware, WSGIMiddleware
HTTPClient().close()
WSGIMiddleware(print), ASGIMiddleware(print)
print([name for name in sys.modules if "opentracing" in name])
"""


def test_nothing_is_imported_when_unused():
    """Without a tracer neither OpenTracing nor what is ours for it is loaded."""
    ran = subprocess.run([sys.executable, "-c", UNUSED], capture_output=True, text=True, check=True)

    assert ran.stdout == "[]\n"


def test_a_redirect_that_is_refused(client, spans, start):
    """The span of a hop is finished also when the next hop is not to be."""
    server = start(servers.serve(lambda _: (302, {"Location": "ftp://elsewhere.test/"}, b"")))
    with pytest.raises(requests.RequestException):
        client.get(server.url)

    assert all(span.finished for span in spans.finished)
    assert spans.finished[0].tags["error"] is True
