"""Both sides of the wire, compared: whatever a server does, these things hold of every call."""

from __future__ import annotations

import time

import pytest
import requests
import servers
import tenacity
from hypothesis import given, settings
from hypothesis import strategies as st

from faults.schedule import CALL, KINDS, SECRET, Misbehaving
from tracedclient import HTTPClient, RetryPolicy, Timeout
from tracedclient.trace.schema import to_json

POLICY = RetryPolicy(wait=tenacity.wait_fixed(0), wait_throttled=tenacity.wait_fixed(0))
TOTAL = 1.5
SLACK = 3.0
"""Seconds that a loaded machine may be late by."""

CREDENTIALS = {
    "Authorization": f"Bearer {SECRET}",
    "Cookie": f"session={SECRET}",
    "X-Api-Key": SECRET,
}

calls = st.fixed_dictionaries(
    {"method": st.sampled_from(["GET", "PUT", "POST", "keyed POST", "DELETE"])},
    optional={"body": st.sampled_from([b"", b"x" * 10, b"y" * 100_000])},
)
scripts = st.tuples(
    st.lists(st.sampled_from(KINDS), max_size=12), st.lists(calls, min_size=1, max_size=6)
)


class Everything:
    """A client with all of its output, a server that misbehaves, and another origin."""

    def __init__(self, schedule):
        self.elsewhere = servers.serve(servers.echo)
        self.results = []
        self._schedule = schedule

    def emit(self, result):
        self.results.append(result)

    def play(self, script):
        with self.elsewhere:
            handler = Misbehaving(self._schedule, elsewhere=self.elsewhere.url, stall=0.2)
            with servers.ScriptedServer(handler, expected=(OSError,)) as server:
                client = HTTPClient(
                    debug=True, sinks=[self], retry=POLICY, timeout=Timeout(1, 0.1, TOTAL)
                )
                with client:
                    made = [self._made(client, server, *each) for each in enumerate(script)]
        # Now: a server that was late has entered in its journal what it executed.
        for each in made:
            check_call(handler.journal, *each)
        self._check_secrets()

    def _made(self, client, server, number, call):
        """Make the call; return its name, whether it may be executed once only, and its trace."""
        name, method = f"call-{number}", call["method"].split()[-1]
        body = None if method in {"GET", "DELETE"} else call.get("body", b"")
        began = time.monotonic()
        try:
            answer = client.request(
                method,
                f"{server.url}/?token={SECRET}",
                data=body,
                headers={CALL: name, **CREDENTIALS},
                idempotency_key=call["method"] == "keyed POST",
            )
            if answer.status_code == 200 and answer.url.startswith(server.url):
                # A 302 leaves the body behind.
                sent = body if answer.request.method == method else None
                assert answer.content == b"%s %s" % (name.encode(), sent or b"")
            trace = answer.trace
        except requests.RequestException as error:
            trace = error.trace
        assert time.monotonic() - began < TOTAL + SLACK
        return name, call["method"] == "POST", trace

    def _check_secrets(self):
        for request in self.elsewhere.requests:
            head = request.raw.replace(f"/?token={SECRET}".encode(), b"", 1)
            assert SECRET.encode() not in head
            assert CALL.encode() not in head
        for result in self.results:
            assert SECRET.encode() not in to_json(result)


def check_call(journal, name, is_once, trace):
    """What the trace tells of one call, and what the server executed."""
    exchanges = [e for attempt in trace.attempts for e in attempt.exchanges]
    told = [e.connection.local for e in exchanges if e.connection and e.bytes_sent]
    seen = list(journal.ports.get(name, []))
    for port in seen:
        assert port in told, "the server saw an exchange that is not in the trace"
        told.remove(port)
    free = sum(attempt.reason == "stale connection" for attempt in trace.attempts)
    assert free <= 1
    assert trace.attempt_count <= POLICY.max_attempts + free
    # A redirect is an answer, and the request that follows it another one.
    answered = sum(e.status is not None and 300 <= e.status < 400 for e in exchanges)
    if is_once:
        assert journal.executed[name] <= 1 + answered


def play(schedule, script):
    Everything(schedule).play(script)


@settings(max_examples=60, derandomize=True)
@given(scripts)
def test_any_schedule_keeps_the_promises(script):
    """Whatever the faults: a POST once, bounded attempts and time, a true trace, no secret told."""
    play(*script)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["GET", "POST", "keyed POST"])
def test_each_fault_keeps_the_promises(kind, method):
    """Each fault on a new connection, and after a sound request on the same."""
    play([kind], [{"method": method}])
    play(["ok", kind, kind], [{"method": method}] * 2)


@pytest.mark.long
@pytest.mark.timeout(1200)
@settings(max_examples=1500, print_blob=True)
@given(scripts)
def test_very_many_schedules_keep_the_promises(script):
    """The same with new schedules each time it is run; what fails is printed, to be run again."""
    play(*script)
