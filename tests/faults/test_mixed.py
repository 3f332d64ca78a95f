"""Many threads, one client, and everything that can go wrong in turn, for a long time."""

from __future__ import annotations

import gc
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import requests
import servers
import tenacity

from faults import toxics
from faults.schedule import CALL, FAULTS, Misbehaving
from faults.toxic_proxy import Proxy
from tracedclient import HTTPClient, RetryPolicy, Timeout

THREADS = 8
SEED = 20_000
RARE = {"stall": 0.02}
"""Faults that take time, and how often they come beside the others."""

TOXICS = [
    (toxics.ResetPeer(0.005), "upstream", 0.02),
    (toxics.ResetPeer(0.01), "downstream", 0.02),
    (toxics.Slicer(40, 39), "downstream", 0.1),
    (toxics.Latency(0.002, 0.002), "upstream", 0.1),
    (toxics.Timeout(0.3), "downstream", 0.003),
]

CUT_OFF = (toxics.LimitData(1500), "downstream", 0.1)
"""Ends a connection in the middle of whatever is on it, be it the head of an answer."""


def mixed(seed):
    """Without end: four sound requests of five, then any of the faults."""
    dice = random.Random(seed)
    kinds = [kind for kind in FAULTS if kind != "ok"]
    while True:
        kind = dice.choice(kinds) if dice.random() < 0.2 else "ok"
        yield kind if dice.random() < RARE.get(kind, 1) else "ok"


class Storm:
    """Requests from all threads; what came of each."""

    def __init__(self, client, url):
        self._client = client
        self._url = url
        self._lock = threading.Lock()
        self.outcomes = Counter()
        self.wrong = []

    def run(self, count):
        with ThreadPoolExecutor(THREADS) as pool:
            for done in [pool.submit(self._one, number) for number in range(count)]:
                done.result()

    def _one(self, number):
        name, method = f"call-{number}", ("GET", "POST", "PUT", "POST")[number % 4]
        body = None if method == "GET" else name.encode() * (1 + number % 7)
        try:
            answer = self._client.request(
                method, self._url, data=body, headers={CALL: name}, idempotency_key=number % 8 == 3
            )
            outcome = answer.status_code
            if outcome == 200 and not self._is_right(answer, name, body or b""):
                self.wrong.append((name, answer.content[:200]))
        except requests.RequestException as error:
            outcome = type(error).__name__
        with self._lock:
            self.outcomes[outcome] += 1

    def _is_right(self, answer, name, body):
        """Whether an answer is that of its call; another origin's says nothing of it."""
        if not answer.url.startswith(self._url):
            return True
        # A 302 leaves the body behind.
        told = [b"%s " % name.encode()] if answer.history else []
        return answer.content in [b"%s %s" % (name.encode(), body), *told]


def left(open_descriptors, count, **options):
    """The descriptors, threads and errors that are more after a ``weather`` than before."""
    # What a process opens once, such as its cgroup's statistics.
    with HTTPClient(**options) as client, servers.serve(servers.echo) as sound:
        client.get(sound.url)
    errors, descriptors = errors_kept(), open_descriptors()
    # Some of another test may be about to end.
    threads = set(threading.enumerate())
    weather(count, **options)
    more_errors = errors_kept() - errors
    more_threads = len(set(threading.enumerate()) - threads)
    return open_descriptors() - descriptors, more_threads, more_errors


def errors_kept():
    gc.collect()
    return sum(isinstance(thing, requests.RequestException) for thing in gc.get_objects())


def weather(count, *more, **options):
    """Let ``count`` requests through a spoiled line to a misbehaving server; check their ends.

    ``more`` are toxics besides the usual ones.
    """
    with ExitStack() as stack:
        elsewhere = stack.enter_context(servers.serve(servers.echo))
        handler = Misbehaving(mixed(SEED), elsewhere=elsewhere.url, stall=0.3)
        server = stack.enter_context(servers.ScriptedServer(handler, expected=(OSError,)))
        proxy = stack.enter_context(Proxy((server.host, server.port), seed=SEED))
        for toxic, stream, toxicity in (*TOXICS, *more):
            proxy.add(toxic, stream, toxicity)
        policy = RetryPolicy(wait=tenacity.wait_fixed(0), wait_throttled=tenacity.wait_fixed(0))
        settings = {"retry": policy, "timeout": Timeout(1, 0.2, 5), **options}
        client = stack.enter_context(HTTPClient(**settings))
        storm = Storm(client, proxy.url)
        storm.run(count)
        assert client.in_flight() == ()
    check(storm, handler.journal, count)


def check(storm, journal, count):
    """No call is lost, none has another one's answer, and no un-keyed POST was executed twice."""
    assert sum(storm.outcomes.values()) == count
    assert storm.outcomes[200] > count / 2
    assert len(storm.outcomes) > 5, "the faults did not come"
    assert storm.wrong == []
    for name, times in journal.executed.items():
        number = int(name.removeprefix("call-"))
        # A redirect of the server's own asks for the request once more.
        if number % 4 in (1, 3) and number % 8 != 3 and name not in journal.redirected:
            assert times == 1, name


@pytest.fixture(params=["quiet", "debug"])
def options(request):
    """Settings of the client, with debug off and on."""
    return {"debug": request.param == "debug", "sinks": []}


def test_a_mixed_schedule_of_faults(options):
    """No POST twice, no mixed-up body and no bare exception, whatever goes wrong."""
    weather(600, **options)


@pytest.mark.parametrize("debug", [False, True], ids=["quiet", "debug"])
def test_a_mixed_schedule_of_faults_leaves_nothing(open_descriptors, debug):
    """After it there are as many descriptors as before and no more threads, and no error is kept."""
    assert left(open_descriptors, 300, debug=debug, sinks=[]) == (0, 0, 0)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_mixed_schedule_of_faults_over_20000_requests(options):
    """20,000 requests: no POST twice, no mixed-up body and no bare exception."""
    weather(20_000, **options)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_20000_requests_on_lines_that_are_cut_off(options):
    """The same where connections also end in the middle of what is on them."""
    weather(20_000, CUT_OFF, **options)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("debug", [False, True], ids=["quiet", "debug"])
def test_20000_requests_leave_nothing(open_descriptors, debug):
    """20,000 requests: no descriptor, no thread and no error is left."""
    assert left(open_descriptors, 20_000, debug=debug, sinks=[]) == (0, 0, 0)
