"""The attempts of a call → the flat summary that queries need."""

from __future__ import annotations

import pytest
from made_traces import AT, attempt, exchange

from tracedclient.trace.model import DNS, SCHEMA, TLS, Connection, ErrorInfo
from tracedclient.trace.schema import to_dict
from tracedclient.trace.summary import summarise


def summary(*attempts, **known):
    given = {
        "outcome": "ok",
        "status": 200,
        "error": None,
        "duration_ms": 100.0,
        "url_full": "https://api.test/x",
        "trace_id": "t-1",
        "started_at": AT,
    }
    return summarise(attempts, **{**given, **known})


def connection(remote):
    return Connection(id=1, reused=True, age_ms=1.0, uses=2, remote=remote)


def test_good_call():
    """A call of one exchange has its facts at the top, and those given come through."""
    one = exchange(
        ms={"dns": 1.0, "send": 0.5, "wait": 50.0},
        connection=connection("192.0.2.7:443"),
        http_version="1.1",
        tls=(TLS(server_name="api.test", version="TLSv1.3"),),
    )
    found = summary(attempt(one, status=200), service_name="orders", process_pid=7)
    assert to_dict(found) == {
        "schema": SCHEMA,
        "trace_id": "t-1",
        "outcome": "ok",
        "verdict_culprit": "none",
        "service_name": "orders",
        "url_full": "https://api.test/x",
        "server_address": "api.test",
        "server_port": 443,
        "http_response_status_code": 200,
        "started_at": AT,
        "duration_ms": 100.0,
        "attempt_count": 1,
        "retry_count": 0,
        "redirect_count": 0,
        "dns_ms": 1.0,
        "send_ms": 0.5,
        "wait_ms": 50.0,
        "unaccounted_ms": 48.5,
        "slowest_phase": "wait",
        "conn_reused": True,
        "network_peer_address": "192.0.2.7",
        "network_peer_port": 443,
        "network_protocol_version": "1.1",
        "tls_protocol_version": "TLSv1.3",
        "process_pid": 7,
        "attempts": to_dict(found)["attempts"],
    }


def test_sums_over_attempts_and_redirects():
    """Phases, sleeps, retries and redirects are summed over all attempts and their exchanges."""
    first = attempt(exchange(ms={"wait": 10.0}), status=503, retry=True, sleep_ms=30.5)
    second = attempt(
        exchange(ms={"wait": 5.0, "tls": 2.0}),
        exchange(ms={"wait": 1.0}),
        exchange(ms={"receive": 4.0}),
        number=2,
    )
    found = summary(first, second)
    assert (found.attempt_count, found.retry_count, found.redirect_count) == (2, 1, 2)
    assert (found.wait_ms, found.tls_ms, found.receive_ms) == (16.0, 2.0, 4.0)
    assert found.retry_sleep_ms == 30.5
    assert found.unaccounted_ms == 47.5
    assert found.slowest_phase == "retry_sleep"


def test_what_did_not_happen_is_absent():
    """A call that failed before the wire has no phase, no peer and no sleep; none of them is 0."""
    error = ErrorInfo(type="InvalidURL", phase="prepare")
    found = to_dict(summary(outcome="other", status=None, error=error, url_full="http://["))
    absent = {name for name in found if name.endswith("_ms")} - {"duration_ms", "unaccounted_ms"}
    assert absent == set()
    assert {"server_address", "server_port", "network_peer_address", "conn_reused"} & set(
        found
    ) == set()
    assert found["outcome"] == "invalid_request"
    assert found["attempt_count"] == 0


@pytest.mark.parametrize(
    ("phase", "outcome"),
    [
        ("prepare", "invalid_request"),
        ("dns", "dns_error"),
        ("connect", "connect_error"),
        ("proxy", "proxy_error"),
        ("tls", "tls_error"),
        ("send", "send_error"),
        ("wait", "read_error"),
        ("receive", "read_error"),
        ("redirect", "other"),
    ],
)
def test_error_without_a_name_is_named_by_its_phase(phase, outcome):
    """An error that the recorder could not class gets the outcome of its phase."""
    error = ErrorInfo(type="ConnectionError", phase=phase, message="why")
    found = summary(attempt(), outcome="other", status=None, error=error)
    assert found.outcome == outcome
    assert (found.error_type, found.error_phase, found.error_message) == (
        "ConnectionError",
        phase,
        "why",
    )


@pytest.mark.parametrize("outcome", ["timeout", "cancelled", "too_many_redirects"])
def test_a_named_outcome_stays(outcome):
    """An outcome that says more than the phase is kept."""
    error = ErrorInfo(type="X", phase="wait")
    assert summary(attempt(), outcome=outcome, status=None, error=error).outcome == outcome


def test_cancelled_call_does_not_blame_the_server():
    """Ctrl-C while the server works is reported as the caller's doing."""
    error = ErrorInfo(type="KeyboardInterrupt", phase="wait")
    found = summary(attempt(exchange()), outcome="cancelled", status=None, error=error)
    assert found.verdict_culprit == "client"


def test_last_dns_error_shows_although_a_later_attempt_went_well():
    """``dns_err`` is the last lookup that failed, also when a later one did not."""
    failing = [attempt(exchange(dns=DNS(host="b", error=text))) for text in ("first", "second")]
    assert summary(*failing, attempt(exchange(dns=DNS(host="b")))).dns_err == "second"


@pytest.mark.parametrize(
    ("remote", "address", "port"),
    [
        ("192.0.2.7:80", "192.0.2.7", 80),
        ("[2001:db8::7]:8443", "2001:db8::7", 8443),
        ("[fe80::1%eth0]:80", "fe80::1%eth0", 80),
        (None, None, None),
        ("/:t", "/", None),
    ],
    ids=["ipv4", "ipv6", "scoped", "unknown", "no inet address"],
)
def test_peer_is_an_address_and_a_port(remote, address, port):
    """The peer of the last exchange, IPv6 without its brackets; an odd address harms nothing."""
    found = summary(
        attempt(exchange(connection=connection("203.0.113.1:1"))),
        attempt(exchange(connection=connection(remote))),
    )
    assert (found.network_peer_address, found.network_peer_port) == (address, port)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://api.test/x", "api.test", 80),
        ("https://REDACTED@api.test:8443/x", "api.test", 8443),
        ("https://[2001:db8::7]/", "2001:db8::7", 443),
        ("ftp://api.test/", "api.test", None),
        ("/relative", None, None),
        ("http://api.test:port/", None, None),
        (None, None, None),
    ],
)
def test_server_is_that_of_the_request(url, host, port):
    """Host and port are the URL's, the scheme's own port where it names none; else absent."""
    found = summary(url_full=url)
    assert (found.server_address, found.server_port) == (host, port)


def test_rounding_makes_nothing_negative():
    """Phases that, rounded, are longer than the call leave 0 unaccounted, not less."""
    assert summary(attempt(exchange(ms={"wait": 100.001}))).unaccounted_ms == 0.0
