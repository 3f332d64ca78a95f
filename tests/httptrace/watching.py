"""A journal that another thread can wait for, and the request it watches."""

from __future__ import annotations

import threading

import pytest
import requests
from journal import Journal

from tracedclient.httptrace import client_trace

PATIENCE = 5.0


class _Announcing(list):
    """A list that says when it has grown."""

    def __init__(self):
        super().__init__()
        self.grown = threading.Condition()

    def append(self, entry):
        with self.grown:
            super().append(entry)
            self.grown.notify_all()


class Awaited(Journal):
    """A ``Journal`` whose calls other threads can wait for; several requests may share it."""

    def __init__(self):
        super().__init__()
        self.entries = _Announcing()

    def count(self, hook):
        return len(self.all(hook))

    def wait_for(self, hook, times=1):
        """Blocks until ``hook`` was called so often, or raises ``TimeoutError``."""
        with self.entries.grown:
            if not self.entries.grown.wait_for(lambda: self.count(hook) >= times, PATIENCE):
                raise TimeoutError(f"{hook} was called {self.count(hook)} times, not {times}")

    def fields(self):
        """The header fields written, by their lower-cased names; each must come once."""
        written = [(info.key.lower(), info.values) for info in self.all("wrote_header_field")]
        assert len(dict(written)) == len(written), written
        return dict(written)


def ask(session, url, trace, method="GET", **options):
    """Sends one request that ``trace`` watches; no wait in it takes longer than five seconds."""
    with client_trace(trace):
        return session.request(method, url, **{"timeout": PATIENCE, **options})


def fails(session, url, journal, **options):
    """The error of a request that must fail; ``failed`` must have told it, last and once."""
    with pytest.raises(requests.RequestException) as caught:
        ask(session, url, journal, **options)
    assert journal.hooks[-1] == "failed"
    assert journal.count("failed") == 1
    return caught.value


def phase_and_sent(journal):
    failed = journal.one("failed")
    return failed.phase, failed.sent
