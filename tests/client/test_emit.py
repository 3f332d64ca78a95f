"""The flag's rules on real calls: which are traced, and which of their traces go out."""

from __future__ import annotations

import json
import time

import pytest
import requests
import servers

from tracedclient.debug import FileSource


@pytest.fixture
def flagged(tmp_path, make_client):
    """``flagged(rule, …)``: a client whose flag's document has these rules."""

    def make(*rules, **fields):
        path = tmp_path / "flag.json"
        document = {"schema": 1, "enabled": True, "until": time.time() + 60, "rules": rules}
        path.write_text(json.dumps({**document, **fields}))
        return make_client(debug=FileSource(path))

    return make


def rules(emit):
    """``/slow`` is slow from 60 ms on; nothing else is, however busy the machine."""
    return (
        {"id": "slow", "paths": ["/slow"], "emit": emit, "slow_ms": 60},
        {"id": "rest", "emit": emit, "slow_ms": 60_000},
    )


def statuses(sink):
    return [result.http_response_status_code for result in sink.results]


def test_rule_and_revision_stand_in_the_trace(flagged, collected, echo_server):
    """A trace names the flag, the rule that matched, and the revision of the document."""
    client = flagged({"id": "local", "hosts": ["127.0.0.*"], "paths": ["/v1/*"]})
    client.get(f"{echo_server.url}/v1/charges?card=42")
    assert collected.one.debug_source == client.debug.name
    assert collected.one.debug_rule == "local"
    assert collected.one.debug_revision == client.debug.status().revision
    assert collected.one.emit_reason is None


def test_call_that_no_rule_matches_is_not_traced(flagged, collected, echo_server):
    """Other hosts, methods and paths go without a trace, and tell the server so."""
    client = flagged({"id": "r", "hosts": ["127.0.0.1"], "methods": ["POST"], "paths": ["/v1/*"]})
    unmatched = client.get(f"{echo_server.url}/v1/x", trace_id="4bf92f3577b34da6a3ce929d0e0e4736")
    assert unmatched.trace is None
    assert unmatched.request.headers["traceparent"].endswith("-00")
    assert client.post(f"{echo_server.url}/other").trace is None
    assert client.post(f"{echo_server.url}/v1/x?path=/other").trace is not None
    assert len(collected.results) == 1


def test_errors_only(flagged, collected, echo_server):
    """``errors`` writes calls that failed or were answered with 400 and above, and says why."""
    client = flagged({"id": "r", "emit": "errors"})
    for path in ("/status/200", "/status/404", "/status/503"):
        assert client.get(f"{echo_server.url}{path}").trace is not None
    with pytest.raises(requests.ConnectionError):
        client.get(f"http://127.0.0.1:{servers.refused_port()}/")
    assert statuses(collected) == [404, 503, None]
    assert {result.emit_reason for result in collected.results} == {"error"}


def test_slow_only(flagged, collected, echo_server):
    """``slow`` writes calls that took ``slow_ms`` or longer, their errors included."""
    client = flagged(*rules("slow"))
    client.get(f"{echo_server.url}/status/200")
    client.get(f"{echo_server.url}/status/404")
    client.get(f"{echo_server.url}/slow?ms=80")
    assert [result.emit_reason for result in collected.results] == ["slow"]
    assert collected.one.duration_ms >= 60
    assert collected.one.debug_rule == "slow"


def test_errors_or_slow(flagged, collected, echo_server):
    """``errors_or_slow`` writes both; of a slow error it says that it was an error."""
    client = flagged(*rules("errors_or_slow"))
    for path in ("/status/200", "/status/404", "/slow"):
        client.get(f"{echo_server.url}{path}")
    assert [result.emit_reason for result in collected.results] == ["error", "slow"]


def test_streamed_body_counts(flagged, collected, echo_server):
    """A streamed call is judged when its body has been read: a slow reader makes a slow call."""
    client = flagged({"id": "r", "emit": "slow", "slow_ms": 60})
    response = client.get(f"{echo_server.url}/status/200", stream=True)
    time.sleep(0.08)
    assert collected.results == []
    response.close()
    assert collected.one.emit_reason == "slow"


def test_debug_of_the_call_wins(flagged, collected, echo_server):
    """``debug=True`` writes the trace whatever the rules say, and ``debug=False`` makes none."""
    client = flagged({"id": "r", "emit": "errors"})
    client.get(f"{echo_server.url}/status/200", debug=True)
    assert client.get(f"{echo_server.url}/status/404", debug=False).trace is None
    assert (collected.one.debug_source, collected.one.debug_rule) == ("call", None)


def test_override_traces_a_client_that_is_off(make_client, collected, echo_server):
    """``client.debug.override`` traces the calls of a client that was made with debug off."""
    client = make_client(debug=False)
    client.get(f"{echo_server.url}/status/200")
    client.debug.override(True, ttl=60)
    client.get(f"{echo_server.url}/status/200")
    assert collected.one.debug_source == "override:call"
    assert (collected.one.debug_rule, collected.one.debug_revision) == ("all", None)


@pytest.mark.parametrize(
    "url", ["", "http://", "no-scheme/x", "http://[::1", "\ud800://x", "http://\x00"]
)
def test_bad_url_is_the_requests_own_error(flagged, url):
    """A URL that is none raises what it raises without a flag."""
    client = flagged({"id": "r", "hosts": ["a"], "paths": ["/x*"]})
    with pytest.raises((requests.RequestException, ValueError)) as with_rules:
        client.get(url)
    with pytest.raises((requests.RequestException, ValueError)) as without:
        client.get(url, debug=False)
    assert type(with_rules.value) is type(without.value)
