"""What tests/backends/install has brought, run as children of the tests, and asked as users do."""

from __future__ import annotations

import os
import time
from pathlib import Path

import requests
from sources.process import ServerProcess

INSTALL = "tests/backends/install"
PATIENCE = 60.0
PATIENCE_AT_START = 120.0
"""Seconds. On a machine with other work to do, the start of a JVM alone takes more than 30."""


def installed(name):
    """The path of ``name``. Raises ``FileNotFoundError``, which says what to do."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(os.environ.get("TRACE_BACKENDS") or Path(cache) / "tracedclient-backends") / name
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}: run {INSTALL}")
    return str(path)


def eventually(ask, holds):
    """What ``ask()`` returns once ``holds`` of it: a backend shows nothing at once."""
    end = time.monotonic() + PATIENCE
    while True:
        found = ask()
        if holds(found):
            return found
        assert time.monotonic() < end, f"it never came; last seen: {found}"
        time.sleep(0.05)


class Backend:
    """A server on ``port`` of loopback, which keeps its port over a ``stop``."""

    def __init__(self, command, port, directory):
        self.url = f"http://127.0.0.1:{port}"
        self._process = ServerProcess(
            command, port=port, directory=directory, install=INSTALL, patience=PATIENCE_AT_START
        )
        self._session = requests.Session()
        self._session.trust_env = False

    def start(self):
        """Start it, or let it go on after ``hang``."""
        self._process.start()

    def hang(self):
        """Stop its clock: the kernel still takes connections for it."""
        self._process.hang()

    def stop(self):
        """Kill it; what it has in memory is gone."""
        self._process.stop()

    def ask(self, path, url=None, **query):
        """The JSON at ``path`` of its API; ``None`` where it says that there is none."""
        answer = self._session.get(f"{url or self.url}{path}", params=query, timeout=PATIENCE)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return answer.json()

    def post(self, path, body):
        """The answer to ``body``, JSON as bytes."""
        head = {"Content-Type": "application/json"}
        return self._session.post(f"{self.url}{path}", data=body, headers=head, timeout=PATIENCE)

    def close(self):
        self._session.close()
        self.stop()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error):
        self.close()
