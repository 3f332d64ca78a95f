"""A faithful Consul: its KV store and its blocking queries, on loopback.

It keeps to Consul's documentation ("KV Store", "Blocking Queries", "Consistency modes") and to what
an agent of version 1.14 answers; ``tests/sources/consul_live`` asks both the same. What a real one
does only on a bad day, it does when told: ``restore``, ``wake``, ``impatient``, ``leader``.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from typing import NamedTuple
from urllib.parse import unquote

from servers import Answer, serve

from sources.process import free_port

_DEFAULT_WAIT = 300.0
_LONGEST_WAIT = 600.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


class Entry(NamedTuple):
    value: bytes
    created: int
    modified: int


class ConsulServer:
    """It begins stopped, and keeps its port and its entries over a ``stop``.

    ``queries`` holds the query of each read, in their order.
    """

    def __init__(self, *, token=None):
        self.token = token
        self.leader = True
        self.impatient = False
        """Answers each query at once, as a proxy does that cannot wait."""
        self.headers = {}
        """Sent instead of its own; ``None``: not sent."""
        self.queries = []
        self.holding = 0
        """Queries that wait now."""
        self._entries = {}
        self._tombstones = {}
        self._index = 10
        self._wakes = 0
        self._is_hanging = False
        self._is_stopping = False
        self._changed = threading.Condition()
        self._port = free_port()
        self._server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}"

    @property
    def requests(self):
        return self._server.requests

    def start(self):
        """Serve, after ``stop``; go on serving, after ``hang``."""
        with self._changed:
            self._is_hanging = self._is_stopping = False
            self._changed.notify_all()
        if self._server is None:
            self._server = serve(self._answer, port=self._port).__enter__()

    def hang(self):
        with self._changed:
            self._is_hanging = True

    def stop(self):
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        if self._server is not None:
            server, self._server = self._server, None
            server.__exit__(None, None, None)

    close = stop

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.stop()

    def put(self, key, value):
        with self._changed:
            self._index += 1
            there = self._entries.get(key)
            if there is not None and there.value == value:
                return
            created = self._index if there is None else there.created
            self._entries[key] = Entry(value, created, self._index)
            self._changed.notify_all()

    def delete(self, key):
        with self._changed:
            self._index += 1
            if self._entries.pop(key, None) is not None:
                self._tombstones[key] = self._index
            self._changed.notify_all()

    def restore(self, index, entries):
        """Take another state, as from a snapshot: with it the index may go backwards."""
        with self._changed:
            self._index = index
            self._tombstones = {}
            self._entries = {key: Entry(value, index, index) for key, value in entries.items()}
            self._changed.notify_all()

    def wake(self):
        """Let each query return that waits: with what stands there, changed or not."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()

    def wait_until(self, holds, timeout=10.0):
        """Block until ``holds()``; asked whenever a query comes, waits or goes."""
        with self._changed:
            assert self._changed.wait_for(holds, timeout), "it never came true"

    def _answer(self, request):
        if self.token is not None and request.headers.get("X-Consul-Token") != self.token:
            return Answer(403, b"ACL not found", _PLAIN)
        key = unquote(request.path.removeprefix("/v1/kv/"))
        with self._changed:
            self.queries.append(request.query)
            self._hold(key, request.query)
            self._changed.wait_for(lambda: not self._is_hanging or self._is_stopping)
            self._changed.notify_all()
            if not self.leader and "stale" not in request.query:
                return Answer(500, b"No cluster leader", _PLAIN)
            return self._entry(key)

    def _hold(self, key, query):
        least = int(query.get("index", 0))
        wakes = self._wakes
        if not least or self.impatient:
            return
        self.holding += 1
        self._changed.notify_all()
        wait = min(_seconds(query.get("wait")), _LONGEST_WAIT)
        self._changed.wait_for(
            lambda: self._index_of(key) > least or self._wakes > wakes or self._is_stopping,
            # The longest that its jitter makes of it.
            wait + wait / 16,
        )
        self.holding -= 1

    def _index_of(self, key):
        there = self._entries.get(key)
        return there.modified if there else self._tombstones.get(key, 1)

    def _entry(self, key):
        headers = {
            "Content-Type": "application/json",
            "X-Consul-Index": str(self._index_of(key)),
            "X-Consul-Knownleader": json.dumps(self.leader),
            "X-Consul-Lastcontact": "0",
            **self.headers,
        }
        sent = {name: value for name, value in headers.items() if value is not None}
        there = self._entries.get(key)
        if there is None:
            return Answer(404, b"", sent)
        entry = {
            "LockIndex": 0,
            "Key": key,
            "Flags": 0,
            "Value": base64.b64encode(there.value).decode() or None,
            "CreateIndex": there.created,
            "ModifyIndex": there.modified,
        }
        return Answer(200, json.dumps([entry]).encode(), sent)


def _seconds(wait):
    if wait is None:
        return _DEFAULT_WAIT
    number, unit = re.fullmatch(r"([0-9.]+)(ms|s|m)", wait).groups()
    return float(number) * _UNITS[unit] or _DEFAULT_WAIT
