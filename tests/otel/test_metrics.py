"""The figures, on a real meter: the stable histogram, and what only a client knows."""

from __future__ import annotations

import threading

import pytest
import requests
import servers

from tracedclient import CircuitBreaker, CircuitOpen, RetryBudget, RetryPolicy
from tracedclient.httptrace import ClientTrace

DURATION = "http.client.request.duration"


def by(points, *names):
    """Values by some of their attributes."""
    return {
        tuple(point.attributes.get(name) for name in names): getattr(point, "value", None)
        or getattr(point, "count", 0)
        for point in points
    }


def test_the_stable_histogram(client, sdk, echo_server):
    """Each exchange is in ``http.client.request.duration``, in seconds, with these attributes."""
    client.get(f"{echo_server.url}/slow?ms=20")

    (point,) = sdk.points(DURATION)
    assert dict(point.attributes) == {
        "http.request.method": "GET",
        "server.address": echo_server.host,
        "server.port": echo_server.port,
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
    }
    assert point.explicit_bounds == (
        *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75),
        *(1, 2.5, 5, 7.5, 10),
    )
    assert (point.count, 0.02 <= point.sum < 2) == (1, True)


def test_an_exemplar_leads_to_the_span(client, sdk, echo_server):
    """A point of the histogram names the CLIENT span it was measured on."""
    (exchange,) = client.get(echo_server.url).trace.attempts[0].exchanges

    (exemplar,) = sdk.points(DURATION)[0].exemplars
    (span,) = sdk.client_spans
    assert (exemplar.trace_id, exemplar.span_id) == (span.context.trace_id, span.context.span_id)
    assert exemplar.value == exchange.duration_ms / 1e3
    # The span begins earlier, by however long this thread was kept off the processor in between.
    # Clocks may be read a little apart.
    assert exemplar.value <= (span.end_time - span.start_time) / 1e9 + 0.001


def test_retries_and_errors_count(client, sdk, echo_server):
    """Three attempts are three requests of one call with two retries, and somebody's fault."""
    client.get(f"{echo_server.url}/status/503")

    assert by(sdk.points(DURATION), "http.response.status_code", "error.type") == {(503, "503"): 3}
    assert by(sdk.points("tracedclient.retries"), "server.port") == {(echo_server.port,): 2}
    assert by(sdk.points("tracedclient.call.duration"), "tracedclient.outcome") == {
        ("http_error",): 1
    }
    assert by(sdk.points("tracedclient.verdicts"), "tracedclient.verdict_culprit") == {
        ("server",): 1
    }


def test_a_refused_connection_has_its_type(make_client, sdk):
    """A request that met nobody counts with the class of its error, and no status."""
    client = make_client(retry=RetryPolicy(max_attempts=1))
    with pytest.raises(requests.ConnectionError):
        client.get(f"http://127.0.0.1:{servers.refused_port()}/")

    (point,) = sdk.points(DURATION)
    assert "http.response.status_code" not in point.attributes
    assert point.attributes["error.type"] == sdk.client_spans[0].attributes["error.type"]


def test_a_spent_budget_is_counted(make_client, sdk, echo_server):
    """A retry that the budget refused is counted, and what is left of the budget is shown."""
    client = make_client(budget=RetryBudget(ratio=0, min_per_second=0))
    client.get(f"{echo_server.url}/status/503")

    at = (echo_server.port,)
    assert by(sdk.points("tracedclient.retries.refused"), "server.port") == {at: 1}
    assert by(sdk.points("tracedclient.retry.budget"), "server.port") == {at: 0}


def test_an_open_circuit_is_shown(make_client, sdk, echo_server):
    """An origin that is left alone is in the gauge, and a call that it ended has no CLIENT span."""
    client = make_client(breaker=CircuitBreaker(min_calls=1), retry=RetryPolicy(max_attempts=1))
    client.get(f"{echo_server.url}/status/503")
    with pytest.raises(CircuitOpen):
        client.get(echo_server.url)

    names = ("server.port", "tracedclient.circuit.state")
    assert by(sdk.points("tracedclient.circuits"), *names) == {(echo_server.port, "open"): 1}
    assert len(sdk.client_spans) == 1
    assert sdk.spans[-1].attributes["tracedclient.outcome"] == "circuit_open"


def test_connections_and_waits(start, make_client, sdk):
    """A kept-alive connection is told from a new one; a wait for the pool is measured."""
    first, waits, go = threading.Event(), threading.Event(), threading.Event()

    class Waits(ClientTrace):
        def pool_wait_start(self, info):
            waits.set()

    def hold(request):
        if request.path == "/hold":
            first.set()
            assert go.wait(10)
        return servers.Answer(200, b"")

    server = start(servers.serve(hold))
    client = make_client(pool_maxsize=1, pool_block=True)
    threads = [threading.Thread(target=client.get, args=(f"{server.url}/hold",))]
    threads.append(
        threading.Thread(target=client.get, args=(server.url,), kwargs={"trace": Waits()})
    )
    threads[0].start()
    assert first.wait(10)
    assert sdk.points("tracedclient.calls.in_flight")[0].value == 1
    threads[1].start()
    assert waits.wait(10)
    go.set()
    for thread in threads:
        thread.join()

    reused = by(sdk.points("tracedclient.connections"), "tracedclient.connection.reused")
    assert reused == {(False,): 1, (True,): 1}
    assert sdk.points("tracedclient.pool.wait.duration")[0].count == 1


def test_the_flag_is_a_gauge(make_client, sdk):
    """Whether debug is on can be watched, and what was not logged for it."""
    client = make_client(debug=True)
    assert sdk.points("tracedclient.debug.on")[0].value == 1
    assert sdk.points("tracedclient.traces.dropped")[0].value == 0
    client.close()
    del client


def test_servers_beyond_the_bound_are_other(start, make_client, sdk):
    """The labels of servers are bounded; the spans still say who it was."""
    many = [start(servers.serve(servers.echo)) for _ in range(4)]
    client = make_client(instruments=[sdk.instrument(max_origins=2)])
    for server in many:
        client.get(server.url)

    ports = [many[0].port, many[1].port]
    assert by(sdk.points(DURATION), "server.address", "server.port") == {
        **{("127.0.0.1", port): 1 for port in ports},
        ("other", None): 2,
    }
    assert [s.attributes["server.port"] for s in sdk.client_spans] == [s.port for s in many]


def test_hosts_of_a_template_are_one(make_client, sdk, resolver, echo_server):
    """Hosts that match a template share its label."""
    resolver["a.shards.test"] = resolver["b.shards.test"] = ["127.0.0.1"]
    client = make_client(instruments=[sdk.instrument(origin_templates=("*.shards.test",))])
    for name in "ab":
        client.get(f"http://{name}.shards.test:{echo_server.port}/")

    assert by(sdk.points(DURATION), "server.address") == {("*.shards.test",): 2}
