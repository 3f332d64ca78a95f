"""The figures, as a Prometheus server scrapes them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import servers
import tenacity
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tracedclient import CircuitBreaker, CircuitOpen, HTTPClient, RetryBudget, RetryPolicy
from tracedclient.instruments.prometheus import Prometheus

QUICK = RetryPolicy(wait=tenacity.wait_fixed(0.01))
REQUESTS = "http_client_request_duration_seconds"


@pytest.fixture
def make_client(registry):
    """``make_client(retry=…)``: a client with debug off that counts on ``registry``."""
    clients = []

    def make(instrument=None, **options):
        instrument = instrument or Prometheus(registry=registry)
        clients.append(HTTPClient(instruments=[instrument], sinks=[], retry=QUICK, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def at(server, **more):
    return {"server_address": server.host, "server_port": str(server.port), **more}


def request_labels(server, status, error=""):
    return at(
        server,
        http_request_method="GET",
        http_response_status_code=status,
        error_type=error,
        network_protocol_version="1.1",
    )


def test_each_exchange_is_in_the_histogram(make_client, registry, echo_server):
    """The stable histogram has OpenTelemetry's name and labels, in Prometheus' spelling."""
    make_client().get(f"{echo_server.url}/slow?ms=20")

    labels = request_labels(echo_server, "200")
    assert registry.get_sample_value(f"{REQUESTS}_count", labels) == 1
    assert 0.02 <= registry.get_sample_value(f"{REQUESTS}_sum", labels) < 2
    assert registry.get_sample_value(f"{REQUESTS}_bucket", {**labels, "le": "0.005"}) == 0
    assert registry.get_sample_value(f"{REQUESTS}_bucket", {**labels, "le": "10.0"}) == 1


def test_retries_outcomes_and_culprits(make_client, registry, echo_server):
    """A call that failed three times: requests, retries, the outcome, and whose fault it was."""
    make_client().get(f"{echo_server.url}/status/503")

    value, server = registry.get_sample_value, at(echo_server)
    assert value(f"{REQUESTS}_count", request_labels(echo_server, "503", "503")) == 3
    assert value("tracedclient_retries_total", server) == 2
    outcome = {**server, "tracedclient_outcome": "http_error"}
    assert value("tracedclient_call_duration_seconds_count", outcome) == 1
    culprit = {**server, "tracedclient_verdict_culprit": "server"}
    assert value("tracedclient_verdicts_total", culprit) == 1


def test_what_only_a_client_knows(make_client, registry, echo_server):
    """Budget, circuits, flag, calls in flight and connections are there when they are scraped."""
    client = make_client(
        debug=True,
        breaker=CircuitBreaker(min_calls=3),
        budget=RetryBudget(ratio=0, min_per_second=0),
    )
    client.get(echo_server.url)
    for _ in range(2):
        client.get(f"{echo_server.url}/status/503")
    with pytest.raises(CircuitOpen):
        client.get(echo_server.url)

    value, server = registry.get_sample_value, at(echo_server)
    assert value("tracedclient_debug_on") == 1
    assert value("tracedclient_calls_in_flight") == 0
    assert value("tracedclient_traces_dropped_total") == 0
    assert value("tracedclient_instruments_failures_total") == 0
    assert value("tracedclient_retry_budget", server) == 0
    assert value("tracedclient_retries_refused_total", server) == 2
    assert value("tracedclient_circuits", {**server, "tracedclient_circuit_state": "open"}) == 1
    new, again = ({**server, "tracedclient_connection_reused": word} for word in ("false", "true"))
    assert (
        value("tracedclient_connections_total", new),
        value("tracedclient_connections_total", again),
    ) == (1, 2)


def test_labels_are_bounded(start, make_client, registry):
    """Of servers beyond the bound, of paths and of made-up methods there is one label each."""
    many = [start(servers.serve(servers.echo)) for _ in range(4)]
    client = make_client(Prometheus(registry=registry, max_origins=2))
    for number, server in enumerate(many):
        for path in ("a?token=s3cret", "b", f"c/{number}"):
            client.request(f"M{number}", f"{server.url}/{path}")

    counts = [
        sample
        for family in registry.collect()
        for sample in family.samples
        if sample.name == f"{REQUESTS}_count"
    ]
    assert [(s.labels["server_address"], s.value) for s in counts] == [
        ("127.0.0.1", 3),
        ("127.0.0.1", 3),
        ("other", 6),
    ]
    assert {s.labels["http_request_method"] for s in counts} == {"_OTHER"}
    assert b"s3cret" not in generate_latest(registry)


def test_hosts_of_a_template_share_its_label(make_client, registry, resolver, echo_server):
    """A template stands for all hosts that match it."""
    resolver["a.shards.test"] = resolver["b.shards.test"] = ["127.0.0.1"]
    client = make_client(Prometheus(registry=registry, origin_templates=("*.shards.test",)))
    for name in "ab":
        client.get(f"http://{name}.shards.test:{echo_server.port}/")

    labels = {**request_labels(echo_server, "200"), "server_address": "*.shards.test"}
    assert registry.get_sample_value(f"{REQUESTS}_count", labels) == 2


def test_one_for_several_clients_and_threads(make_client, registry, echo_server):
    """Clients and threads share one ``Prometheus``, and no call is counted twice or lost."""
    shared = Prometheus(registry=registry)
    clients = [make_client(shared), make_client(shared)]
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(c.get, echo_server.url) for c in clients for _ in range(50)]:
            done.result()

    labels = request_labels(echo_server, "200")
    assert registry.get_sample_value(f"{REQUESTS}_count", labels) == 100


def test_a_scrape_while_calls_run(start, make_client, registry):
    """A call that has not ended is in the gauge."""
    arrived, go = threading.Event(), threading.Event()

    def hold(_):
        arrived.set()
        assert go.wait(10)
        return servers.Answer(200, b"")

    client = make_client()
    thread = threading.Thread(target=client.get, args=(start(servers.serve(hold)).url,))
    thread.start()
    assert arrived.wait(10)
    assert registry.get_sample_value("tracedclient_calls_in_flight") == 1
    go.set()
    thread.join()
    assert registry.get_sample_value("tracedclient_calls_in_flight") == 0


def test_the_exposition_can_be_read_back(make_client, registry, echo_server):
    """What is served parses as OpenMetrics, every family with its help."""
    make_client().get(echo_server.url)

    families = list(text_string_to_metric_families(openmetrics(registry).decode()))
    names = {family.name for family in families}
    assert {REQUESTS, "tracedclient_calls_in_flight", "tracedclient_traces_dropped"} <= names
    assert all(family.documentation for family in families)


def test_a_second_one_on_a_registry_is_refused(registry):
    """A registry takes a name once, and says so at once instead of counting half."""
    Prometheus(registry=registry)
    with pytest.raises(ValueError, match="Duplicated"):
        Prometheus(registry=registry)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"max_origins": 0}, ValueError),
        ({"max_origins": True}, ValueError),
        ({"origin_templates": "*.internal"}, TypeError),
        ({"origin_templates": (1,)}, TypeError),
    ],
)
def test_what_cannot_be_meant_is_refused(registry, options, kind):
    """An argument that cannot be meant is an error that names it."""
    with pytest.raises(kind, match=next(iter(options))):
        Prometheus(registry=registry, **options)
