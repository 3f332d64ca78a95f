"""What an instrument is told, and that none harms a request."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
import tenacity

from tracedclient import CircuitBreaker, CircuitOpen, FlightRecorder, HTTPClient, RetryPolicy
from tracedclient.inbound import trace_context
from tracedclient.instruments import Watch
from tracedclient.instruments.figures import PER_CALL, PER_CLIENT, of_call, of_clients
from tracedclient.instruments.origins import Origins
from tracedclient.testing import RecordingSink, make_trace_result
from tracedclient.trace.context import TraceContext

TRACE = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)
QUICK = RetryPolicy(wait=tenacity.wait_fixed(0.01))


class Notes(Watch):
    """An instrument that watches by itself, and notes what it is told."""

    def __init__(self, trace=None):
        self.trace = trace
        self.told = []
        self.results = []

    def watch(self, client):
        self.client = client

    def begin(self, call):
        self.told.append(("begin", call.trace and call.trace.trace_id, call.method, call.url))
        return self

    def enter(self):
        self.told.append("enter")

    def exit(self):
        self.told.append("exit")

    def sends(self, method, url):
        self.told.append(("sends", method, url))
        return f"{len(self.told):016x}"

    def done(self, result):
        self.told.append("done")
        self.results.append(result)


class Broken(Notes):
    """One that raises wherever it is told to."""

    def __init__(self, *where):
        super().__init__()
        self.where = where

    def __getattribute__(self, name):
        if name in object.__getattribute__(self, "where") if name != "where" else False:

            def broken(*_):
                raise RuntimeError(name)

            broken.__qualname__ = f"Broken.{name}"
            return broken
        return super().__getattribute__(name)


def client_with(*instruments, **options):
    return HTTPClient(instruments=instruments, sinks=[], retry=QUICK, **options)


def test_a_call_with_debug_off_is_told_whole(echo_server):
    """Begin, each request as it is sent, the end of ``do``, the trace: with debug off too."""
    notes = Notes()
    with client_with(notes) as client:
        response = client.get(f"{echo_server.url}/redirect?to=/landed", debug=False)

    url = echo_server.url
    assert notes.told == [
        ("begin", None, "GET", f"{url}/redirect?to=/landed"),
        "enter",
        ("sends", "GET", f"{url}/redirect?to=/landed"),
        ("sends", "GET", f"{url}/landed"),
        "exit",
        "done",
    ]
    assert notes.results == [response.trace]
    assert notes.client is client


def test_no_debug_is_no_flight(echo_server):
    """A call with ``debug=False`` is an instrument's alone: not the flight recorder's, nor logged."""
    sink = RecordingSink()
    recording = {"flight_recorder": FlightRecorder(), "sinks": [sink]}
    with HTTPClient(instruments=[Notes()], retry=QUICK, **recording) as client:
        client.get(f"{echo_server.url}/status/503", debug=False)
        assert (client.flight.recent(), sink.results) == ((), [])
        client.get(f"{echo_server.url}/status/503")
        assert len(client.flight.recent()) == 1


def test_its_span_ids_are_sent(echo_server):
    """The span that an instrument gives is the one that the server reads, within its trace."""
    with client_with(Notes(TRACE)) as client:
        response = client.get(f"{echo_server.url}/status/503")

    sent = [request.headers.get("traceparent") for request in echo_server.requests]
    assert sent == [f"00-{TRACE.trace_id}-{n:016x}-01" for n in (3, 4, 5)]
    assert response.trace.trace_id == TRACE.trace_id
    assert [a.exchanges[0].span_id for a in response.trace.attempts] == [
        f"{n:016x}" for n in (3, 4, 5)
    ]


def test_the_given_id_stays_in_its_own_header(echo_server):
    """An id of the caller's own goes out as such, and the instrument's trace as ``traceparent``."""
    with client_with(Notes(TRACE)) as client:
        client.get(echo_server.url, trace_id="order-7")

    (request,) = echo_server.requests
    assert request.headers.get("X-Trace-Id") == "order-7"
    assert request.headers.get("traceparent").startswith(f"00-{TRACE.trace_id}-")


def test_the_inbound_trace_is_told(echo_server):
    """What the request being served brought is there when a call begins."""
    notes = Notes()
    with client_with(notes) as client, trace_context(TRACE):
        client.get(echo_server.url)

    assert notes.told[0][1] == TRACE.trace_id


def test_nothing_sent_is_nothing_told(echo_server):
    """A call that the circuit breaker ended, or that was no request, sends nothing."""
    notes = Notes()
    with client_with(notes, breaker=CircuitBreaker(min_calls=1)) as client:
        with pytest.raises(CircuitOpen):
            client.get(f"{echo_server.url}/status/503")
        notes.told.clear()
        with pytest.raises(CircuitOpen):
            client.get(echo_server.url)
        with pytest.raises(requests.exceptions.InvalidURL):
            client.get("http://")

    assert [word for word in notes.told if isinstance(word, str)] == ["enter", "done", "exit"] * 2
    assert [told[0] for told in notes.told if isinstance(told, tuple)] == ["begin"] * 2


@pytest.mark.parametrize("where", ["watch", "begin", "enter", "exit", "sends", "done"])
def test_one_that_raises_harms_nobody(echo_server, where, caplog):
    """Wherever it raises, the answer comes, the others are told all, and it is counted and said."""
    notes, broken = Notes(), Broken(where)
    with client_with(broken, notes) as client:
        assert client.get(echo_server.url).status_code == 200
        assert client.stats().instrument_failures == 1

    assert [told if isinstance(told, str) else told[0] for told in notes.told] == [
        *("begin", "enter", "sends", "exit", "done")
    ]
    assert f"{where} raised; the request goes on" in caplog.text


def test_one_that_raises_at_the_end_harms_nobody(caplog):
    """An instrument that raises when its client is closed is counted; the others take their leave."""

    class Leaves(Notes):
        def unwatch(self, client):
            self.told.append("unwatch")
            raise RuntimeError

    one, other = Leaves(), Leaves()
    client = client_with(one, Notes(), other)
    client.close()
    assert one.told == other.told == ["unwatch"]
    assert client.stats().instrument_failures == 2


@pytest.mark.parametrize("given", [object(), Notes, print])
def test_what_is_no_instrument_is_refused(given):
    """What has no ``watch`` and ``begin``, or is a class, is an error that says so."""
    with pytest.raises(TypeError, match="instruments must have the methods watch"):
        client_with(given)


def test_a_streamed_call_is_done_with_its_body(echo_server):
    """An instrument hears of a streamed call's end when the body has been read."""
    notes = Notes()
    with client_with(notes) as client:
        response = client.get(f"{echo_server.url}/bytes/100000", stream=True)
        assert notes.told[-1] == "exit"
        assert len(response.content) == 100000
        assert notes.told[-1] == "done"


def test_figures_of_a_made_up_call():
    """A call that was tried twice: two durations, one retry, the names of its server."""
    result = make_trace_result()
    counted = [(m.figure.name, m.value) for m in of_call(result, Origins(10, ()))]

    assert counted[0] == ("tracedclient.call.duration", result.duration_ms / 1e3)
    assert ("tracedclient.retries", 1) in counted
    assert [n for n, _ in counted].count("http.client.request.duration") == 2


def test_a_call_without_a_server_counts():
    """A call whose URL names no server has figures without one."""
    result = make_trace_result(url_full="http://[", attempts=())
    labels = [m.labels for m in of_call(result, Origins(10, ()))]

    assert "server.address" not in labels[0]


def test_clients_are_taken_together():
    """Gauges are sums over the clients of a process; of budgets, the least that is left."""
    client = SimpleNamespace(
        debug=SimpleNamespace(status=lambda: SimpleNamespace(on=False)),
        stats=lambda: SimpleNamespace(
            in_flight=2,
            retries_left={"http://a.test": 3.0, "http://b.test:81": 5.0},
            circuits={"http://a.test": SimpleNamespace(state="closed")},
            traces_dropped=1,
            instrument_failures=0,
        ),
    )
    measured = [(m.figure.name, m.value) for m in of_clients([client, client], Origins(1, ()))]

    assert measured == [
        ("tracedclient.calls.in_flight", 4),
        ("tracedclient.debug.on", 0),
        ("tracedclient.traces.dropped", 2),
        ("tracedclient.instruments.failures", 0),
        ("tracedclient.retry.budget", 3.0),
        ("tracedclient.retry.budget", 5.0),
    ]


DOCS = Path(__file__).parent.parent.parent / "docs"
SUFFIXES = {"counter": "_total", "total": "_total", "histogram": "_seconds", "gauge": ""}


@pytest.mark.parametrize("figure", [*PER_CALL, *PER_CLIENT], ids=lambda figure: figure.name)
def test_every_figure_is_documented(figure):
    """Each metric and each of its labels is in both pages, in the spelling of each."""
    spelled = figure.name.replace(".", "_") + SUFFIXES[figure.kind]
    otel, prometheus = ((DOCS / f"{n}.md").read_text() for n in ("opentelemetry", "prometheus"))

    assert f"`{figure.name}`" in otel
    assert f"`{spelled}`" in prometheus
    for label in figure.labels:
        assert f"`{label}`" in otel
        assert f"`{label.replace('.', '_')}`" in prometheus


WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("opentelemetry", "opentracing", "prometheus_client"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import tracedclient.client
assert not [name for name in sys.modules if name.startswith(("opentelemetry", "opentracing", "prometheus"))]
try:
    import tracedclient.instruments.{room}
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize("room", ["opentracing", "otel", "prometheus"])
def test_a_missing_extra_is_named(room):
    """Without the extra the client works, and its room says how to install it."""
    script = WITHOUT.format(room=room)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert f"pip install 'tracedclient[{room}]'" in ran.stdout


class Junk(Notes):
    """One that returns what it must not."""

    def __init__(self, **junk):
        super().__init__()
        self.junk = junk

    def begin(self, call):
        super().begin(call)
        self.trace = self.junk.get("trace")
        return self.junk.get("begin", self)

    def sends(self, method, url):
        super().sends(method, url)
        return self.junk.get("sends")

    def headers(self):
        return self.junk.get("headers", {})


@pytest.mark.parametrize(
    "junk",
    [
        {"begin": object()},
        {"trace": TRACE.trace_id},
        {"trace": TRACE._replace(trace_id="x\r\nX-Forged: 1")},
        {"trace": TRACE._replace(trace_id='order "7"')},
        {"trace": TRACE._replace(trace_id=None)},
        {"trace": TRACE._replace(span_id="7\r\nX-Forged: 1")},
        {"sends": 5},
        {"sends": "x\r\nX-Forged: 1"},
        {"headers": ["X-Bag"]},
        {"headers": {7: "1"}},
        {"headers": {"X-Bag": 1}},
        {"headers": {"X-Bag": "1\r\nX-Forged: 1"}},
    ],
    ids=lambda junk: next(iter(junk)),
)
def test_one_that_returns_junk_harms_nobody(echo_server, junk, caplog):
    """What is no watch, trace, span id or header is left out, counted and said; the answer comes."""
    notes, wrong = Notes(), Junk(**junk)
    with client_with(wrong, notes) as client:
        assert client.get(echo_server.url).status_code == 200
        assert client.stats().instrument_failures == 1

    (request,) = echo_server.requests
    assert request.headers.get("traceparent")[36:52] == f"{3:016x}"
    assert request.headers.get("X-Bag") is request.headers.get("X-Forged") is None
    assert len(notes.results) == 1
    assert "raised; the request goes on" in caplog.text
