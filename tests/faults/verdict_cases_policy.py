"""Faults of docs/verdict.md that are refusals, or that the client's own rules have a part in."""

from __future__ import annotations

import dataclasses
import threading

import servers
import tenacity
from descriptors import none_left

from faults.verdict_lab import QUICK, SLOW, Busy, Hog, answer, fault, hold, read, told
from tracedclient import CircuitBreaker, RetryBudget, RetryPolicy, Timeout

SLEEPY = RetryPolicy(wait=tenacity.wait_fixed(SLOW), wait_throttled=tenacity.wait_fixed(SLOW))

# --- answers that say no ----------------------------------------------------------------------------


@fault("404")
def _(lab):
    return lab.call(lab.answering(404).url)


@fault("401 where a redirect led")
def _(lab):
    there = lab.answering(401)
    return lab.call(lab.answering(302, Location=there.url).url)


@fault("429")
def _(lab):
    return lab.call(lab.answering(429).url, retry=QUICK)


@fault("429 with a Retry-After that is too long")
def _(lab):
    return lab.call(lab.answering(429, Retry_After="600").url, retry=QUICK)


@fault("429 with a Retry-After that is kept")
def _(lab):
    return lab.call(lab.answering(429, 200, Retry_After="1").url, retry=QUICK)


@fault("500")
def _(lab):
    return lab.call(lab.answering(500).url)


@fault("503 until no attempt is left")
def _(lab):
    return lab.call(lab.answering(503).url, retry=QUICK)


@fault("503 to a POST")
def _(lab):
    return lab.call(lab.answering(503).url, "POST", data=b"x", retry=QUICK)


@fault("503 and a body that cannot be sent again")
def _(lab):
    return lab.call(lab.answering(503).url, "PUT", data=(b"x" for _ in range(3)), retry=QUICK)


@fault("503 when the retry budget is empty")
def _(lab):
    budget = RetryBudget(ratio=0, min_per_second=0)
    return lab.call(lab.answering(503).url, retry=QUICK, budget=budget)


@fault("503 when the next attempt would be too late")
def _(lab):
    return lab.call(lab.answering(503).url, retry=SLEEPY, timeout=Timeout(5, 5, 0.5))


@fault("503, then 502")
def _(lab):
    retry = dataclasses.replace(QUICK, max_attempts=2)
    return lab.call(lab.answering(503, 502).url, retry=retry)


@fault("the circuit is open")
def _(lab):
    server = lab.answering(503)
    client = lab.client(breaker=CircuitBreaker(min_calls=5, failure_ratio=0.5))
    return [told(client, server.url) for _ in range(6)][-1]


# --- redirects --------------------------------------------------------------------------------------


@fault("the redirects never end")
def _(lab):
    return lab.call(lab.answering(302, Location="/again").url)


@fault("a redirect leads where none is followed")
def _(lab):
    return lab.call(lab.answering(302, Location="ftp://127.0.0.1/x").url)


@fault("a chain of slow redirects")
def _(lab):
    def app(request):
        hop = int(request.target.rpartition("/")[2] or 0)
        threading.Event().wait(0.35 if hop == 2 else 0.1)
        return (200, [], b"") if hop == 3 else (302, [("Location", f"/{hop + 1}")], b"")

    return lab.call(lab.start(servers.serve(app)).url)


# --- connections ------------------------------------------------------------------------------------


def _first_answer_then(*steps):
    def handle(peer):
        read(peer)
        answer()(peer)
        read(peer)
        for step in steps if peer.number == 1 else (answer(),):
            step(peer)

    return handle


@fault("the server closes a kept-alive connection as a POST is sent on it")
def _(lab):
    server, client = lab.server(_first_answer_then()), lab.client(retry=QUICK)
    told(client, server.url)
    return told(client, server.url, "POST", data=b"x")


@fault("the same with a GET, which gets a free attempt")
def _(lab):
    server, client = lab.server(_first_answer_then()), lab.client(retry=QUICK)
    told(client, server.url)
    return told(client, server.url)


def _while_held(lab, seconds, **options):
    """A call while the only connection is held by another's unread body."""
    server = lab.start(servers.serve(servers.echo))
    client = lab.client(pool_maxsize=1, pool_block=True, **options)
    held = client.get(f"{server.url}/bytes/1000000", trace_id="holder", stream=True)
    release = threading.Timer(seconds, held.close)
    release.start()
    found = told(client, server.url)
    release.join()
    return found


@fault("no connection of the pool becomes free")
def _(lab):
    return _while_held(lab, 0.5, timeout=Timeout(5, 5, 0.3))


@fault("a connection of the pool becomes free late")
def _(lab):
    return _while_held(lab, SLOW)


# --- this process -----------------------------------------------------------------------------------


@fault("this process is busy while the answer waits")
def _(lab):
    server, client = lab.answering(200), lab.client()
    told(client, server.url)  # the first timestamp of a machine may come late
    return told(client, server.url, trace=Busy())


@fault("another thread of this process keeps the GIL")
def _(lab):
    answered = threading.Event()

    def tell(_):
        answered.set()

    server = lab.server(read, answer(), tell, read, answer(), tell, hold)
    client = lab.client()
    told(client, server.url)
    # The server may tell of its first answer after that has been read.
    assert answered.wait(5)
    answered.clear()
    return told(client, server.url, trace=Hog(answered))


@fault("the reader of a streamed body is slow")
def _(lab):
    server = lab.start(servers.serve(servers.echo))
    response = lab.client().get(f"{server.url}/bytes/1000", stream=True)
    threading.Event().wait(SLOW)
    assert response.content
    return response.trace


@fault("the URL is none")
def _(lab):
    return lab.call("http://[")


@fault("Ctrl-C")
def _(lab):
    def body():
        yield b"x"
        raise KeyboardInterrupt

    return lab.call(lab.server(read, answer()).url, "PUT", data=body())


@fault("this process has no file descriptor left")
def _(lab):
    server, client = lab.answering(200), lab.client()
    told(client, server.url)  # what is loaded with the first call is a file too
    client.session.close()
    with none_left():
        return told(client, server.url)


@fault("the client is closed while a call sleeps")
def _(lab):
    server, client = lab.answering(503), lab.client(retry=SLEEPY)
    closing = threading.Timer(0.1, client.close)
    closing.start()
    found = told(client, server.url)
    closing.join()
    return found


# --- retries that cost time -------------------------------------------------------------------------


@fault("a retry hides a failure, and costs nothing")
def _(lab):
    return lab.call(lab.answering(503, 200).url, retry=QUICK)


@fault("a retry hides a failure, and sleeps")
def _(lab):
    return lab.call(lab.answering(503, 200).url, retry=SLEEPY)


@fault("a retry hides a timeout, which cost the time")
def _(lab):
    def handle(peer):
        read(peer)
        (hold if peer.number == 1 else answer())(peer)

    return lab.call(lab.server(handle).url, retry=QUICK, timeout=Timeout(5, SLOW, None))
