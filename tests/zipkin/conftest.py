"""A collector on loopback that does what a test says, and clients that report to it."""

from __future__ import annotations

import json
import threading

import pytest
import servers
import tenacity

from tracedclient import HTTPClient, RetryPolicy
from tracedclient.instruments.zipkin import ZipkinReporter

QUICK = RetryPolicy(wait=tenacity.wait_fixed(0.01), wait_throttled=tenacity.wait_fixed(0.01))


class Collector:
    """Answers each batch with ``status``, once ``may_answer`` is set."""

    def __init__(self):
        self.status = 202
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.server = servers.serve(self._answer)

    def _answer(self, _):
        assert self.may_answer.wait(30)
        return servers.Answer(self.status)

    @property
    def url(self):
        return self.server.url

    @property
    def spans(self):
        """All spans that it was sent, in the order of the batches."""
        return [span for request in self.server.requests for span in json.loads(request.body)]

    @property
    def requests(self):
        """The CLIENT spans among them."""
        return [span for span in self.spans if span.get("kind") == "CLIENT"]

    @property
    def calls(self):
        return [span for span in self.spans if span["name"] == "tracedclient.do"]


@pytest.fixture
def collector():
    made = Collector()
    with made.server:
        yield made
        made.may_answer.set()


@pytest.fixture
def make_reporter(collector):
    made = []

    def make(endpoint=None, **options):
        made.append(ZipkinReporter(endpoint or collector.url, **{"timeout": 5.0, **options}))
        return made[-1]

    yield make
    collector.may_answer.set()
    for reporter in made:
        reporter.close()


@pytest.fixture
def reporter(make_reporter):
    return make_reporter()


@pytest.fixture
def make_client(reporter):
    """``make_client(retry=…)``: a client with debug off whose only instrument is ``reporter``."""
    clients = []

    def make(**options):
        settings = {"instruments": [reporter], "retry": QUICK, "sinks": [], **options}
        clients.append(HTTPClient(**{"service": "orders", **settings}))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(make_client):
    return make_client()
