"""What ``test_gevent`` has a patched process do: ``python in_gevent.py SCENE URL [CA]``.

Prints what came of it as JSON.
"""

# ruff: noqa: E402 - patching comes before all other imports: that is gevent's one rule
from gevent import monkey

monkey.patch_all()

import json
import sys
import time

import gevent

from tracedclient import ClientClosed, DeadlineExceeded, HTTPClient, RetryPolicy, Timeout

GREENLETS = 100


def together(work):
    """``work(0)``, ``work(1)``, … at the same time; what they returned, and the seconds it took."""
    began = time.monotonic()
    greenlets = [gevent.spawn(work, number) for number in range(GREENLETS)]
    gevent.joinall(greenlets, raise_error=True)
    return [greenlet.value for greenlet in greenlets], time.monotonic() - began


class Lines:
    """A sink that counts."""

    def __init__(self):
        self.ids = []

    def emit(self, result):
        self.ids.append(result.trace_id)


def calls(url, ca, debug):
    """Each greenlet makes three calls; do the answers and traces belong to the calls?"""
    lines = Lines()
    options = {"debug": debug, "sinks": [lines], "verify": ca or True, "timeout": Timeout(5, 5, 20)}
    with HTTPClient(**options) as client:

        def work(number):
            for turn in range(3):
                name = f"{number}-{turn}"
                response = client.post(f"{url}/?n={name}", trace_id=name, data=name * 100)
                assert response.text == name * 100, response.text
                assert not debug or response.trace.trace_id == name
            return True

        good, seconds = together(work)
    return {"good": sum(good), "seconds": seconds, "lines": len(set(lines.ids))}


def traced(url, ca=None):
    return calls(url, ca, True)


def untraced(url, ca=None):
    return calls(url, ca, False)


def deadline(url):
    """Each greenlet calls a server that never answers."""
    with HTTPClient(timeout=Timeout(5, None, 0.5)) as client:

        def work(_):
            try:
                client.get(url)
            except DeadlineExceeded:
                return True

        good, seconds = together(work)
    return {"good": good.count(True), "seconds": seconds}


def retries(url):
    """Each greenlet's first attempt is refused with 503."""
    with HTTPClient(debug=True, sinks=[], budget=None, timeout=Timeout(5, 5, 20)) as client:

        def work(number):
            response = client.get(f"{url}/?n={number}")
            return [response.status_code, len(response.trace.attempts)] == [200, 2]

        good, seconds = together(work)
    return {"good": sum(good), "seconds": seconds}


def close(url):
    """All greenlets sleep between two attempts when the client is closed."""
    client = HTTPClient(
        budget=None, retry=RetryPolicy(retry_after_max=60), timeout=Timeout(5, 5, 60)
    )

    def work(_):
        try:
            client.get(url)
        except ClientClosed:
            return True

    def closing():
        while [each.phase for each in client.in_flight()].count("sleep") < GREENLETS:
            gevent.sleep(0.01)
        client.close()

    gevent.spawn(closing)
    good, seconds = together(work)
    return {"good": good.count(True), "seconds": seconds}


def interrupted(url):
    """Each greenlet's patience is gevent's own; the client can be used afterwards."""
    with HTTPClient(pool_maxsize=1, timeout=Timeout(5, 5, 20)) as client:

        def work(_):
            try:
                with gevent.Timeout(0.3):
                    client.get(f"{url}/silent")
            except gevent.Timeout:
                return True

        good, seconds = together(work)
        afterwards = client.get(f"{url}/").status_code
    return {"good": good.count(True), "seconds": seconds, "afterwards": afterwards}


def pool(url):
    """A hundred greenlets share two connections, and wait for them."""
    with HTTPClient(pool_maxsize=2, pool_block=True, timeout=Timeout(5, 5, 20)) as client:

        def work(number):
            return client.post(url, data=str(number)).text == str(number)

        good, seconds = together(work)
    return {"good": sum(good), "seconds": seconds}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
