"""Which attempts are made, on real sockets, and how the trace shows them."""

from __future__ import annotations

import pytest
import requests
import servers
import tenacity

from tracedclient import ClientClosed, RetryPolicy, Timeout


def answering(*statuses):
    """An application that gives these statuses in turn, the last one for ever."""
    left = list(statuses)
    return lambda _: (left.pop(0) if len(left) > 1 else left[0], [], b"")


def test_a_get_is_repeated_after_503(client, start):
    """503, 503, 200: three attempts on one connection, with their sleeps, in one trace."""
    server = start(servers.serve(answering(503, 503, 200)))

    trace = client.get(server.url).trace

    assert [attempt.status for attempt in trace.attempts] == [503, 503, 200]
    assert [attempt.reason for attempt in trace.attempts] == ["status 503"] * 2 + ["answered"]
    assert [attempt.sleep_ms for attempt in trace.attempts] == [10.0, 10.0, None]
    assert (trace.retry_count, trace.retry_sleep_ms, trace.outcome) == (2, 20.0, "ok")
    assert server.connections == 1


def test_the_last_answer_is_returned(client, start):
    """When no attempt is left the last answer is returned as it is, not an error."""
    server = start(servers.serve(answering(503)))

    response = client.get(server.url)

    assert response.status_code == 503
    assert len(server.requests) == 3
    assert response.trace.verdict_sentence == "the server answered 503 on each of 3 attempts"


@pytest.mark.parametrize("status", [400, 401, 404, 409, 500, 501])
def test_other_answers_are_final(client, start, status):
    """An answer that will be the same next time is not asked for again."""
    server = start(servers.serve(answering(status)))

    assert client.get(server.url).status_code == status
    assert len(server.requests) == 1


def test_a_post_is_executed_once(client, start):
    """A POST that was sent is not sent again: not after 503, and not after a reset."""
    server = start(servers.serve(answering(503)))
    assert client.post(server.url, data=b"x").status_code == 503
    assert len(server.requests) == 1

    def reset(peer):
        peer.read_request()
        peer.reset()

    broken = start(servers.ScriptedServer(reset))
    with pytest.raises(requests.ConnectionError) as caught:
        client.post(broken.url, data=b"x")
    assert len(broken.requests) == 1
    assert caught.value.trace.attempts[0].reason == "wait failed, POST is not idempotent"


def test_a_post_with_a_key_is_repeated_with_the_same_key(client, start):
    """``idempotency_key=True`` makes a POST repeatable; every attempt carries the same key."""
    server = start(servers.serve(answering(503, 503, 200)))

    assert client.post(server.url, data=b"x", idempotency_key=True).status_code == 200

    keys = {request.headers.get("Idempotency-Key") for request in server.requests}
    assert len(server.requests) == 3
    assert len(keys) == 1
    assert None not in keys


def test_a_post_that_was_never_sent_is_repeated(client):
    """A refused connection is tried again whatever the method: nothing has left."""
    with pytest.raises(requests.ConnectionError) as caught:
        client.post(f"http://127.0.0.1:{servers.refused_port()}/", data=b"x")

    assert caught.value.trace.attempt_count == 3
    assert caught.value.trace.attempts[0].reason == "connect failed, nothing sent"


def test_a_get_is_repeated_after_a_reset(client, start):
    """A connection reset after the request is tried again for an idempotent method."""

    def flaky(peer):
        peer.read_request()
        if peer.number < 3:
            peer.reset()
        else:
            peer.answer(200, b"at last")

    server = start(servers.ScriptedServer(flaky))

    assert client.get(server.url).text == "at last"
    assert len(server.requests) == 3


def test_a_short_body_is_repeated(client, start):
    """A body that is cut off is asked for again, when it has not been handed to the caller."""

    def flaky(peer):
        peer.read_request()
        if peer.number == 1:
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
        else:
            peer.answer(200, b"whole")

    server = start(servers.ScriptedServer(flaky))

    assert client.get(server.url).text == "whole"


def test_a_certificate_error_is_final(make_client, start, server_context):
    """A certificate that is refused is refused once: one handshake."""
    server = start(servers.serve(servers.echo, tls=server_context("localhost"), expected=OSError))

    with pytest.raises(requests.exceptions.SSLError) as caught:
        make_client().get(f"https://localhost:{server.port}/")

    assert caught.value.trace.attempt_count == 1
    assert caught.value.trace.attempts[0].reason == "certificate refused"
    assert server.connections == 1


def test_no_address_is_final_and_a_resolver_that_is_busy_is_not(client, resolver):
    """EAI_NONAME is an answer; EAI_AGAIN is none yet."""
    import socket

    resolver["no.test"] = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    resolver["busy.test"] = socket.gaierror(socket.EAI_AGAIN, "Temporary failure")

    attempts = {}
    for name in ("no.test", "busy.test"):
        with pytest.raises(requests.ConnectionError) as caught:
            client.get(f"http://{name}/")
        attempts[name] = caught.value.trace.attempt_count

    assert attempts == {"no.test": 1, "busy.test": 3}


def test_retries_can_be_switched_off(make_client, start):
    """``RetryPolicy(max_attempts=1)`` asks once."""
    server = start(servers.serve(answering(503)))

    make_client(retry=RetryPolicy(max_attempts=1)).get(server.url)

    assert len(server.requests) == 1


def test_no_sleep_ends_after_the_deadline(make_client, start):
    """When the next sleep would outlast the total timeout, the call ends at once."""
    server = start(servers.serve(answering(503)))
    client = make_client(
        retry=RetryPolicy(wait_throttled=tenacity.wait_fixed(30)), timeout=Timeout(total=5)
    )

    trace = client.get(server.url).trace

    assert trace.duration_ms < 4500
    assert trace.attempts[0].reason == "status 503; no time left"


def test_retry_after_is_kept(make_client, start):
    """A short Retry-After is waited for; a long one ends the call instead of being cut short."""

    def app(request):
        seconds = request.query["after"]
        return (429, [("Retry-After", seconds)], b"") if not app.seen.pop(0) else (200, [], b"")

    server = start(servers.serve(app))
    client = make_client()

    app.seen = [False, True]
    trace = client.get(f"{server.url}/?after=1").trace
    assert 1000 <= trace.retry_sleep_ms <= 1200
    assert [attempt.retry_after_ms for attempt in trace.attempts] == [1000.0, None]

    app.seen = [False]
    trace = client.get(f"{server.url}/?after=600").trace
    assert trace.attempt_count == 1
    assert trace.attempts[0].reason == "status 429; Retry-After of 600 s is too long"


def test_a_streamed_answer_is_not_asked_for_again_once_handed_over(client, start):
    """A streamed body that breaks in the reader's hands is the reader's error: no second attempt."""

    def half(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")

    server = start(servers.ScriptedServer(half))

    response = client.get(server.url, stream=True)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        response.content  # noqa: B018 - reading is what fails

    assert len(server.requests) == 1
    assert response.trace.attempts[0].exchanges[0].error.phase == "receive"


def test_a_generator_nobody_has_touched_is_sent_again(client, start):
    """A body from which nothing was taken is still whole: a refused connection is tried again."""
    taken = []

    def body():
        taken.append(True)
        yield b"data"

    with pytest.raises(requests.ConnectionError) as caught:
        client.post(f"http://127.0.0.1:{servers.refused_port()}/", data=body())

    assert caught.value.trace.attempt_count == 3
    assert taken == []


def test_a_body_factory_is_called_once_for_each_attempt(client, start):
    """``body_factory`` makes a body that can be sent again, whole, each time."""
    made = []

    def factory():
        made.append(True)
        return iter([b"one ", b"two"])

    server = start(servers.serve(answering(503, 503, 200)))

    assert client.put(server.url, body_factory=factory).status_code == 200
    assert [request.body for request in server.requests] == [b"one two"] * 3
    assert len(made) == 3


def test_a_body_factory_replaces_the_body(client):
    """A factory and a body at once cannot be meant."""
    with pytest.raises(ValueError, match="body_factory makes the body"):
        client.put("http://127.0.0.1:1/", data=b"x", body_factory=lambda: b"y")
    with pytest.raises(TypeError, match="body_factory must be callable"):
        client.put("http://127.0.0.1:1/", body_factory=b"y")


def test_a_keyed_request_in_progress_is_asked_for_again(client, start):
    """409 with Retry-After, for a keyed request, means that it is still being worked on."""
    left = [409, 200]
    server = start(servers.serve(lambda _: (left.pop(0), [("Retry-After", "0")], b"")))

    assert client.post(server.url, data=b"x", idempotency_key=True).status_code == 200


def test_a_throttled_server_is_given_more_time(make_client, start):
    """After a 503 the wait is the policy's ``wait_throttled``."""
    server = start(servers.serve(answering(503, 502, 200)))
    policy = RetryPolicy(wait=tenacity.wait_fixed(0.01), wait_throttled=tenacity.wait_fixed(0.03))

    trace = make_client(retry=policy).get(server.url).trace

    assert [attempt.sleep_ms for attempt in trace.attempts] == [30.0, 10.0, None]


def test_tenacitys_stop_is_accepted(make_client, start):
    """A stop of tenacity's ends the attempts, and the trace says that it did."""
    server = start(servers.serve(answering(502)))
    policy = RetryPolicy(wait=tenacity.wait_fixed(0), stop=tenacity.stop_after_attempt(2))

    trace = make_client(retry=policy).get(server.url).trace

    assert trace.attempt_count == 2
    assert trace.attempts[1].reason == "status 502; the policy's stop says so"


def test_closing_the_client_ends_a_sleep(make_client, start):
    """``close()`` wakes a call that sleeps between two attempts: it raises at once, no attempt more."""
    import threading
    import time

    server = start(servers.serve(answering(503)))
    client = make_client(
        retry=RetryPolicy(wait_throttled=tenacity.wait_fixed(5)), timeout=Timeout(total=30)
    )

    def close_in_its_sleep():
        while not any(call.phase == "sleep" for call in client.in_flight()):
            time.sleep(0.01)
        client.close()

    threading.Thread(target=close_in_its_sleep).start()
    began = time.monotonic()

    with pytest.raises(ClientClosed) as caught:
        client.get(server.url)

    assert time.monotonic() - began < 4
    assert len(server.requests) == 1
    assert (caught.value.trace.attempt_count, caught.value.trace.error_phase) == (1, "sleep")


def test_a_closed_client_repeats_nothing(make_client, start):
    """A call that is made after ``close()`` is made, once."""
    answers = [503, 200]
    server = start(servers.serve(lambda _: (answers.pop(0), [], b"")))
    client = make_client()
    client.close()

    with pytest.raises(ClientClosed, match="sleeps no more between two attempts"):
        client.get(server.url)
    assert client.get(server.url).status_code == 200


@pytest.mark.parametrize("kind", ["thread", "pool"])
def test_a_sleeping_call_does_not_hold_the_process(start, kind):
    """A process ends although one of its threads sleeps between two attempts."""
    import subprocess
    import sys
    import time

    server = start(servers.serve(answering(503)))
    script = f"""
import sys, threading, time, tenacity
from concurrent.futures import ThreadPoolExecutor
from tracedclient import HTTPClient, RetryPolicy, Timeout
client = HTTPClient(
    retry=RetryPolicy(wait_throttled=tenacity.wait_fixed(20)), timeout=Timeout(total=60)
)
work = lambda: client.get(sys.argv[1])
if {kind!r} == "thread":
    threading.Thread(target=work).start()
else:
    ThreadPoolExecutor().submit(work)
while not any(call.phase == "sleep" for call in client.in_flight()):
    time.sleep(0.01)
"""
    began = time.monotonic()

    subprocess.run(
        [sys.executable, "-c", script, server.url], check=False, timeout=15, capture_output=True
    )

    assert time.monotonic() - began < 10


def test_the_remaining_time_is_offered_to_the_server(make_client, start):
    """With ``deadline_header`` each attempt says how many milliseconds are left, ever fewer."""
    server = start(servers.serve(answering(502, 502, 200)))
    client = make_client(deadline_header="X-Request-Timeout-Ms", timeout=Timeout(total=5))

    client.get(server.url)

    left = [int(request.headers.get("X-Request-Timeout-Ms")) for request in server.requests]
    assert 5000 >= left[0] > left[1] > left[2] > 3000
    make_client().get(server.url)
    assert server.requests[-1].headers.get("X-Request-Timeout-Ms") is None
