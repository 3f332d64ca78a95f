"""Sources and publishers of etcd, closed at the end, and a relay that can step in between."""

from __future__ import annotations

import select
import socket
import threading
import time
from contextlib import ExitStack, closing

import pytest
from servers import ScriptedServer
from sources.etcd_server import Etcd

from tracedclient.debug import SourceError
from tracedclient.debug.sources.etcd import EtcdSource


@pytest.fixture
def etcd(tmp_path):
    """A running etcd of one member."""
    with Etcd(tmp_path) as server:
        yield server


@pytest.fixture
def follow():
    """``follow(endpoints, …)``: a new ``EtcdSource``."""
    with ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(closing(EtcdSource(*args, **options)))


@pytest.fixture
def fetch():
    """``fetch(source, previous)``: one fetch that nobody cancels."""

    def ask(source, previous=None, wait=20.0):
        return source.fetch(previous, wait=wait, cancel=threading.Event())

    return ask


@pytest.fixture
def later():
    """``later(work)``: does it in 0.3 s, when a fetch begun now is watching; at the end, is done."""
    with ExitStack() as stack:

        def start(work):
            timer = threading.Timer(0.3, work)
            stack.callback(timer.join)
            timer.start()

        yield start


@pytest.fixture
def in_the_end():
    """``in_the_end(ask)``: what ``ask`` returns when it raises no ``SourceError`` any more."""

    def repeat(ask):
        end = time.monotonic() + 20.0
        while True:
            try:
                return ask()
            except SourceError:
                assert time.monotonic() < end, "no answer within 20 s"
                threading.Event().wait(0.1)

    return repeat


class Relay:
    """Hands requests on to ``port``; calls ``between`` before the first one for ``path``."""

    def __init__(self, port, path, between):
        self._port = port
        self._path = path
        self._between = [between]

    def __call__(self, peer):
        while (request := peer.read_request()) is not None:
            if request.path == self._path:
                if self._between:
                    self._between.pop()()
                self._stream(peer, request)
                return
            with socket.create_connection(("127.0.0.1", self._port)) as server:
                server.sendall(request.raw.replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\n", 1))
                while data := server.recv(65536):
                    peer.send(data)
            return

    def _stream(self, peer, request):
        with socket.create_connection(("127.0.0.1", self._port)) as server:
            server.sendall(request.raw)
            while True:
                ready, _, _ = select.select([server, peer.socket], [], [], 30)
                if peer.socket in ready or not ready:
                    return
                data = server.recv(65536)
                if not data:
                    return
                peer.send(data)


@pytest.fixture
def relay():
    """``relay(url, path, between)``: the URL of a running ``Relay`` before ``url``."""
    with ExitStack() as stack:

        def make(url, path, between):
            handler = Relay(int(url.rpartition(":")[2]), path, between)
            return stack.enter_context(ScriptedServer(handler)).url

        yield make
