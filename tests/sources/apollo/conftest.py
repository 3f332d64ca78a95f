"""A faithful Apollo on loopback, sources of it, and fetches that are waited for."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from contextlib import ExitStack, closing

import pytest

from sources.apollo_server import Database, Node
from tracedclient.debug.sources.apollo import ApolloSource

APP = "orders"
NAMESPACE = "tracedclient.json"
PATIENCE = 10.0
LONG = 60.0


@pytest.fixture
def database():
    """An empty ``Database``."""
    return Database()


@pytest.fixture
def publish(database):
    """``publish("true")`` releases that document where ``ApolloSource`` looks by default."""

    def release(content, *, cluster="default", namespace=NAMESPACE, app=APP, key="content"):
        return database.publish(app, cluster, namespace, {key: content})

    return release


@pytest.fixture
def start_node(database):
    """``start_node(**options)``: a running ``Node`` over ``database``."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Node(database, **options))


@pytest.fixture
def node(start_node):
    """One config service."""
    return start_node()


class Fetching:
    """A source, the revision in force, and the fetches of it."""

    def __init__(self):
        self.source = None
        self.later = 0.0
        """Seconds that have passed, as its source believes, besides those that have."""
        self.revision = None
        self.cancel = threading.Event()
        self._thread = None

    def clock(self):
        return time.monotonic() + self.later

    def now(self):
        """Fetch as the updater does when nothing may be held, and apply what comes."""
        return self._applied(self.source.fetch(self.revision, wait=LONG, cancel=self.cancel))

    def anew(self):
        """Fetch as the updater does every five minutes."""
        return self._applied(self.source.fetch(None, wait=LONG, cancel=self.cancel))

    def refused(self, *, wait=LONG):
        """Fetch, and take nothing of it into force."""
        return self.source.fetch(self.revision, wait=wait, cancel=self.cancel)

    def begun(self, *, wait=LONG):
        """Fetch in a thread. Returns a ``Future``, whose document is applied."""
        future = Future()

        def fetch():
            try:
                fetched = self.source.fetch(self.revision, wait=wait, cancel=self.cancel)
                future.set_result(self._applied(fetched))
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                future.set_exception(error)

        self._thread = threading.Thread(target=fetch, name="fetch")
        self._thread.start()
        return future

    def end(self):
        """Cancel the fetch that is under way, if there is one."""
        self.cancel.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _applied(self, fetched):
        self.revision = getattr(fetched, "revision", self.revision)
        if type(fetched).__name__ == "Absent":
            self.revision = None
        return fetched


@pytest.fixture
def fetching():
    """``fetching(**options of ApolloSource)``: a ``Fetching``, whose source is closed at the end."""
    with ExitStack() as stack:

        def make(nodes, **options):
            nodes = nodes if isinstance(nodes, list) else [nodes]
            options = {"config_service": [n.url for n in nodes], "draw": lambda: 0.9, **options}
            fetching = Fetching()
            source = ApolloSource(APP, clock=fetching.clock, **options)
            fetching.source = stack.enter_context(closing(source))
            stack.callback(fetching.end)
            return fetching

        yield make


@pytest.fixture
def flag(fetching, node):
    """A ``Fetching`` of ``node``."""
    return fetching(node)
