"""Each of ``cases``, on real sockets: outcome, attempts, sleeps, and what the server saw."""

from __future__ import annotations

import ssl
import warnings

import pytest
import requests
import servers

from faults.cases import CASES, SLEPT
from tracedclient import Timeout


def scripted(connections):
    """A server whose connections take these steps; the last one's are those of all later ones."""

    def handle(peer):
        for step in connections[min(peer.number, len(connections)) - 1]:
            step(peer)

    return servers.ScriptedServer(handle, expected=(OSError,))


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_case(make_client, start, collected, case):
    """The call ends as the case says, after its attempts and sleeps, and the server saw the same."""
    server = start(scripted(case.server))
    client = make_client(timeout=Timeout(connect=0.15, read=1, total=5))
    outcome: object = None

    try:
        outcome = client.request(
            case.method, f"{case.scheme}://127.0.0.1:{server.port}/", **case.call
        ).status_code
    except requests.RequestException as error:
        outcome = type(error)

    (trace,) = collected.results
    assert outcome == case.outcome
    assert len(trace.attempts) == len(case.reasons)
    for attempt, reason in zip(trace.attempts, case.reasons, strict=True):
        assert reason in attempt.reason
    expected = [SLEPT] * (len(case.reasons) - 1) + [None]
    assert [attempt.sleep_ms for attempt in trace.attempts] == expected
    assert trace.error_phase == case.phase
    assert [f"{r.method} {r.target}" for r in server.requests] == list(case.journal)
    connections = case.connections or len(case.reasons)
    assert server.connections == connections
    if case.same is not None:
        values = {case.same(request) for request in server.requests}
        assert len(values) == 1
        assert None not in values


def test_a_server_of_an_old_tls_is_asked_once(make_client, start, server_context, ca_file):
    """TLS 1.1 is refused, once: the next handshake would end the same."""
    context = server_context("localhost")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    server = start(servers.serve(servers.echo, tls=context, expected=(OSError,)))

    with pytest.raises(requests.exceptions.SSLError) as caught:
        make_client(verify=ca_file).get(f"https://localhost:{server.port}/")

    assert caught.value.trace.attempts[0].reason == "TLS settings do not match"
    assert caught.value.trace.attempt_count == server.connections == 1


def test_every_case_has_a_name_of_its_own():
    """No two cases have one name: docs/faults.md refers to them by it."""
    names = [case.name for case in CASES]
    assert sorted(set(names)) == sorted(names)
