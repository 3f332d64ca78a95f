"""For N = 1, 2, … the Nth call of a socket fails, until a run has no fault: whichever it is, only
requests' exceptions come out, each call has its trace, and nothing is done twice or left open.
"""

from __future__ import annotations

import gc
from collections import Counter
from functools import partial

import pytest
import requests
import servers
import tenacity

from faults.torture import FAILURES, OPERATIONS, TLS_FAILURES, Torture
from tracedclient import RetryPolicy, Timeout

METHODS = {
    "GET": {"method": "GET"},
    "POST": {"method": "POST", "data": b"x" * 2000},
    "keyed POST": {"method": "POST", "data": b"x" * 2000, "idempotency_key": True},
    "streamed POST": {"method": "POST", "body_factory": lambda: iter([b"one", b"two"])},
}
MOST_CALLS = 40
"""Of one operation in one request; more would be a loop without end."""

USUAL = {name: FAILURES[name] for name in ("ECONNRESET", "EPIPE", "EMFILE", "timeout")}
RETRIED_AT_ONCE = RetryPolicy(wait=tenacity.wait_fixed(0))


class Bench:
    """One server, one tortured call after the other, and what must hold of all of them."""

    def __init__(self, server, url, *, make_client, collected, descriptors):
        self._server = server
        self._url = url
        self._make_client = make_client
        self._collected = collected
        self._descriptors = descriptors
        self._traces = {}
        self._calls = 0

    def run(self, torture, arguments, *, warm=False, debug=True):
        """Make one call under ``torture``; return whether it failed."""
        path = f"/{self._calls}-{'once' if is_once(arguments) else 'any'}"
        client = self._make_client(retry=RETRIED_AT_ONCE, timeout=Timeout(1, 1, 5), debug=debug)
        if warm:
            client.get(self._url)
        has_failed, trace = False, None
        try:
            with torture.inflicted():
                trace = client.request(url=self._url + path, **arguments).trace
        except requests.RequestException as error:
            has_failed, trace = True, error.trace if debug else None
        client.close()
        self._keep(path, trace, debug=debug)
        return has_failed

    def _keep(self, path, trace, *, debug):
        self._calls += 1
        if debug:
            assert self._collected.results[-1] is trace
            assert trace.attempt_count <= 4
            self._traces[path] = trace

    def check_both_sides(self):
        """Compare what the server has executed with what the traces tell; its end has come."""
        self._server.close()
        executed = Counter(request.path for request in self._server.requests)
        for path, trace in self._traces.items():
            exchanges = [e for attempt in trace.attempts for e in attempt.exchanges]
            # Of a send that fails nobody knows how much has left: 0 is a number here.
            assert executed[path] <= sum(1 for e in exchanges if e.bytes_sent is not None)
            assert executed[path] <= (1 if path.endswith("once") else 4)

    def rest(self):
        """The descriptors once every connection is closed at both ends."""
        gc.collect()
        self._server.wait_until(lambda: self._server.open_connections == 0, timeout=3)
        return self._descriptors()


def is_once(arguments):
    """Whether a request may be executed once at the most."""
    return arguments["method"] == "POST" and "idempotency_key" not in arguments


@pytest.fixture(params=["http", "https"])
def bench(request, start, make_client, collected, open_descriptors, server_context, ca_file):
    """A ``Bench`` for either scheme."""
    tls = server_context("localhost") if request.param == "https" else None
    server = start(servers.serve(servers.echo, tls=tls, expected=(OSError,)))
    return Bench(
        server,
        f"{request.param}://localhost:{server.port}",
        make_client=partial(make_client, verify=ca_file),
        collected=collected,
        descriptors=open_descriptors,
    )


def torment(bench, operation, failures, *, methods=METHODS, **options):
    """Every method with every failure of ``operation``'s 1st, 2nd, … call, until there is none."""
    how = {name: options.pop(name) for name in ("warm", "debug") if name in options}
    for name in methods:
        for failure in failures.values():
            for nth in range(1, MOST_CALLS):
                torture = Torture(operation, nth, failure, **options)
                has_failed = bench.run(torture, METHODS[name], **how)
                if not torture.faults:
                    assert not has_failed
                    break
            else:
                pytest.fail(f"{operation} was called more than {MOST_CALLS} times")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
def test_each_call_of_a_socket_may_fail(bench, operation, lasting):
    """The Nth call alone, or it and all that follow, fail with each of the common errors."""
    torment(bench, operation, USUAL, methods=("GET", "POST"), lasting=lasting)
    bench.check_both_sides()


def test_what_was_sent_although_an_error_says_otherwise(bench):
    """A send that fails after the bytes have left executes an un-keyed POST once, and no more."""
    torment(bench, "send", USUAL, methods=("POST", "keyed POST"), late=True)
    bench.check_both_sides()


@pytest.mark.parametrize("operation", ["handshake", "send", "recv"])
def test_a_tls_error_that_openssl_did_not_raise(bench, operation):
    """An ``ssl.SSLError`` without a reason, as truststore raises it, is an error like any other."""
    foreign = {"foreign": TLS_FAILURES["foreign"]}
    torment(bench, operation, foreign, methods=("GET", "POST"))
    bench.check_both_sides()


@pytest.mark.parametrize("operation", ["send", "recv"])
def test_each_call_of_a_kept_connection_may_fail(bench, operation):
    """The same on a connection that has carried a request before, where one try may be free."""
    torment(bench, operation, USUAL, methods=("GET", "POST"), warm=True)
    bench.check_both_sides()


@pytest.mark.parametrize("debug", [False, True], ids=["quiet", "debug"])
def test_descriptors_return_to_their_number(bench, debug):
    """Whichever call fails, no connection stays open once its client is closed."""
    bench.run(Torture("send", MOST_CALLS, OSError), METHODS["GET"], debug=debug)
    before = bench.rest()
    for operation in OPERATIONS:
        torment(bench, operation, USUAL, methods=("GET",), debug=debug)

    assert bench.rest() == before


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("warm", [False, True], ids=["new", "kept"])
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_call_of_a_socket_may_fail_with_each_error(bench, operation, lasting, warm):
    """All errors of all operations, for every kind of request."""
    torment(bench, operation, FAILURES | TLS_FAILURES, lasting=lasting, warm=warm)
    bench.check_both_sides()


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("warm", [False, True], ids=["new", "kept"])
@pytest.mark.parametrize("operation", ["connect", "handshake", "send"])
def test_each_call_of_a_socket_may_succeed_and_say_otherwise(bench, operation, warm):
    """What happened although it is said to have failed, with all errors, for all requests."""
    torment(bench, operation, FAILURES | TLS_FAILURES, late=True, warm=warm)
    bench.check_both_sides()
