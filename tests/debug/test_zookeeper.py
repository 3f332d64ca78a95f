"""A ZooKeeper source where no ZooKeeper is: what it refuses, and how it fails.

With a real one: ``tox -e sources``.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from tracedclient.debug import SourceError, ZooKeeperSource


@pytest.fixture
def source():
    """``source(port)``: a ``ZooKeeperSource`` on that port of this machine, closed at the end."""
    made = []

    def make(port, **options):
        made.append(ZooKeeperSource(f"127.0.0.1:{port}", **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def listener():
    """A socket that listens and that nobody reads from."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock


def ask(source, cancel=None):
    return source.fetch(None, wait=0.0, cancel=cancel or threading.Event())


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def no_kazoo_threads():
    return "tracedclient-zookeeper" not in [t.name for t in threading.enumerate()]


def test_name_says_where():
    """The name holds servers, chroot and path; constructing opens nothing."""
    before = set(threading.enumerate())
    source = ZooKeeperSource("zk1:2181,zk2:2181/prod", "/orders/flag")
    assert source.name == "zookeeper:zk1:2181,zk2:2181/prod/orders/flag"
    assert set(threading.enumerate()) <= before
    source.close()


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        ((["zk1"],), {}, TypeError, "hosts must be a str"),
        (("",), {}, ValueError, "hosts must name a server"),
        (("/prod",), {}, ValueError, "hosts must name a server"),
        (("zk1:x",), {}, ValueError, "x"),
        (("me:secret@zk1",), {}, ValueError, "pass auth_data"),
        (("zk1", b"/flag"), {}, TypeError, "path must be a str"),
        (("zk1", "flag"), {}, ValueError, "path must begin with /"),
        (("zk1", "/"), {}, ValueError, "path must begin with /"),
        (("zk1", "/a//b"), {}, ValueError, "path must begin with /"),
        (("zk1",), {"handler": None}, TypeError, "handler is set by ZooKeeperSource"),
        (("zk1",), {"retries": 3}, TypeError, "retries"),
    ],
)
def test_arguments_that_cannot_work(arguments, options, error, words):
    """What cannot work is refused when the source is made, in words; no secret is repeated."""
    with pytest.raises(error, match=words) as caught:
        ZooKeeperSource(*arguments, **options)
    assert "secret" not in str(caught.value)


def test_nobody_listens(source, eventually):
    """A refused connection is told as such, and leaves no thread."""
    with pytest.raises(SourceError, match=r"no connection to ZooKeeper at 127\.0\.0\.1.*refused"):
        ask(source(free_port()))
    eventually(no_kazoo_threads)


def test_host_without_an_address(eventually):
    """A name that does not resolve is told as such."""
    source = ZooKeeperSource("no-such-host.invalid:2181")
    with pytest.raises(SourceError, match=r"Cannot resolve no-such-host.invalid"):
        ask(source)
    eventually(no_kazoo_threads)


def test_problem_is_told_once(source, updater, eventually, caplog):
    """A server that is away is one warning, however often it is tried; kazoo adds none."""
    flag = updater(source(free_port()))
    flag.is_on()
    eventually(lambda: flag._state.failures >= 3)
    assert [record.name for record in caplog.records if record.levelname != "INFO"] == [
        "tracedclient.debug"
    ]


ANSWERS = {
    "a web server": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" * 20,
    "an end at once": b"",
    "a length below zero": b"\xff\xff\xff\xff" + bytes(100),
    "an empty frame": bytes(64),
    "a session without a password": b"\0\0\0\x10" + bytes(3) + b"\0\0\0\x27\x10" + bytes(12),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_server_that_is_no_zookeeper(source, listener, capfd, eventually, answer):
    """Whatever a port answers is an error in words, and no traceback of kazoo's threads."""

    def serve():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.recv(1000)
                peer.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    broken = source(listener.getsockname()[1], timeout=1.0)
    with pytest.raises(SourceError, match=r"no connection to ZooKeeper|gave no answer"):
        ask(broken)
    broken.close()
    eventually(no_kazoo_threads)
    listener.shutdown(socket.SHUT_RDWR)
    assert capfd.readouterr() == ("", "")


def test_silent_server_does_not_hold_close(source, listener, updater, eventually):
    """A server that accepts and says nothing holds neither a cancelled fetch nor close()."""
    flag = updater(source(listener.getsockname()[1], timeout=4.0))
    flag.is_on()
    listener.accept()[0].close()
    peer, _ = listener.accept()
    begun = time.monotonic()
    flag.close()
    assert time.monotonic() - begun < 3.5
    peer.close()
    eventually(no_kazoo_threads)


def test_without_the_extra():
    """Without kazoo the error says which extra to install; importing needs none."""
    script = """
import sys
sys.modules["kazoo"] = None
from tracedclient.debug import ZooKeeperSource
try:
    ZooKeeperSource("zk1:2181")
except ImportError as error:
    assert "pip install 'tracedclient[zookeeper]'" in str(error), error
    print("refused")
"""
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ran.stdout == "refused\n"
