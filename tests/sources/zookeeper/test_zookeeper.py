"""The flag in a node of a real ZooKeeper."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from kazoo.client import KazooClient
from kazoo.security import OPEN_ACL_UNSAFE, make_digest_acl
from sources.process import free_port
from sources.rigs.zookeeper import NODE, ZooKeeperServer
from sources.rigs.zookeeper import write as publish

from tracedclient.debug import FlagUpdater, SourceError, ZooKeeperSource
from tracedclient.debug.document import MAX_BYTES
from tracedclient.debug.source import Absent, NotModified

pytestmark = pytest.mark.installed

PATIENCE = 30.0
HELD = 60.0
"""Seconds that no fetch here takes: what ends it earlier is the watch."""


def eventually(holds):
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.002)


def threads():
    return [t for t in threading.enumerate() if t.name == "tracedclient-zookeeper"]


def ask(source, previous=None, wait=0.0, cancel=None):
    return source.fetch(previous, wait=wait, cancel=cancel or threading.Event())


@pytest.fixture
def new_server(tmp_path_factory):
    """``new_server(…)``: a ``ZooKeeperServer`` that has yet to be started."""
    with ExitStack() as stack:

        def make(*settings, **options):
            made = ZooKeeperServer(tmp_path_factory.mktemp("zookeeper"), *settings, **options)
            stack.callback(made.stop)
            return made

        yield make


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A running ``ZooKeeperServer``."""
    server = ZooKeeperServer(tmp_path_factory.mktemp("zookeeper"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def admin(server):
    """A ``KazooClient``, and no flag."""
    with server.admin() as client:
        publish(client, NODE, None)
        yield client


@pytest.fixture
def source(server):
    """``source(**options)``: a source on ``server``, closed at the end, its threads gone."""
    with ExitStack() as stack:

        def make(hosts=server.address, path=NODE, **options):
            return stack.enter_context(closing(ZooKeeperSource(hosts, path, **options)))

        yield make
    eventually(lambda: not threads())


@pytest.fixture
def updater(source):
    """``updater(**options)``: an updater on such a source."""
    with ExitStack() as stack:

        def make(**options):
            flag = FlagUpdater(source(**options), interval=0.01, jitter=lambda: 0.01)
            return stack.enter_context(closing(flag))

        yield make


def test_node_is_the_document(admin, source):
    """A fetch brings the node's data; the revision names its transaction and its content.

    So writing the same again is a change, and prolongs a bare ``true``.
    """
    flag = source()
    assert ask(flag) == Absent()
    publish(admin, NODE, b"true")
    found = ask(flag)
    assert found.body == b"true"
    assert found.revision.startswith(hex(admin.exists(NODE).mzxid))
    assert ask(flag, found.revision) == NotModified()
    publish(admin, NODE, b"true")
    assert ask(flag, found.revision) != NotModified()


@pytest.mark.parametrize("change", [b"false", b"", None])
def test_watch_ends_the_wait(admin, source, change):
    """A held fetch comes back when the node is written, emptied or deleted."""
    publish(admin, NODE, b"true")
    flag = source()
    revision = ask(flag).revision
    threading.Timer(0.1, publish, (admin, NODE, change)).start()
    found = ask(flag, revision, wait=HELD)
    assert found == Absent() if change is None else found.body == change


def test_creation_ends_the_wait(admin, source):
    """A missing node, even one whose parents are missing, is waited for as well."""
    if admin.exists("/deep"):
        admin.delete("/deep", recursive=True)
    flag = source(path="/deep/er/flag")
    assert ask(flag) == Absent()
    threading.Timer(0.1, publish, (admin, "/deep/er/flag", b"true")).start()
    assert ask(flag, wait=HELD).body == b"true"


def test_seen_within_200_ms(admin, updater):
    """Each of ten flips is seen within 200 ms, deletions and creations among them."""
    flag = updater()
    assert flag.wait_ready(PATIENCE)
    latencies = []
    for body in [b"true", b"false", b"true", None, b"true"] * 2:
        # Let the updater's fetch be held, as it nearly always is.
        time.sleep(0.05)
        publish(admin, NODE, body)
        begun = time.monotonic()
        eventually(lambda body=body: flag.is_on() is (body == b"true"))
        latencies.append(time.monotonic() - begun)
    assert max(latencies) < 0.2, latencies


def test_watches_do_not_pile_up(admin, server, source):
    """A fetch that brings no news leaves one watch at the server, not one more each time."""
    publish(admin, NODE, b"true")
    flag = source()
    revision = ask(flag).revision
    for _ in range(20):
        ask(flag, revision)
    watchers = flag._connection.client._data_watchers[NODE]
    assert len(watchers) == 1


def test_data_beyond_the_limit(admin, source):
    """Of a node that is too large for a flag one byte too many is kept, to be told."""
    publish(admin, NODE, b"x" * (2 * MAX_BYTES))
    assert len(ask(source()).body) == MAX_BYTES + 1


def test_session_expires(admin, server, updater):
    """After its session was ended by the server, it follows the node in a new one."""
    publish(admin, NODE, b"false")
    flag = updater()
    assert flag.wait_ready(PATIENCE)
    kazoo = flag._source._connection.client
    session = kazoo.client_id
    thief = KazooClient(server.address, client_id=session)
    thief.start()
    thief.stop()
    thief.close()
    publish(admin, NODE, b"true")
    eventually(flag.is_on)
    eventually(lambda: flag._source._connection.client.client_id not in (None, session))
    publish(admin, NODE, b"false")
    eventually(lambda: not flag.is_on())


def test_server_dies_and_returns(new_server, caplog):
    """While the server is away the last flag stays; then the flip is seen.

    Each problem is one warning: that nobody listens, and that a server has yet to begin.
    """
    server = new_server()
    server.start()
    write(server, b"true")
    source = ZooKeeperSource(server.address, NODE)
    with closing(FlagUpdater(source, interval=0.01, jitter=lambda: 0.01)) as flag:
        eventually(flag.is_on)
        server.stop()
        eventually(lambda: "Connection refused" in (flag.status().last_error or ""))
        assert flag.is_on()
        server.start()
        write(server, b"false")
        eventually(lambda: not flag.is_on())
        assert flag.status().state == "READY"
    # The administrator's kazoo of this test speaks too.
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("tracedclient")]
    warnings = [line for line in ours if "it stays" in line]
    assert 1 <= len(warnings) == len(set(warnings)) <= 3, warnings


def write(server, body):
    with server.admin() as admin:
        publish(admin, NODE, body)


def test_server_down_at_start(new_server):
    """A server that comes up later is found."""
    server = new_server()
    source = ZooKeeperSource(server.address, NODE)
    with closing(FlagUpdater(source, interval=0.01, jitter=lambda: 0.01)) as flag:
        assert not flag.wait_ready(0.5)
        server.start()
        write(server, b"true")
        eventually(flag.is_on)


def test_server_hangs(new_server):
    """A stopped server is noticed by its missing answers; close() is not held by it."""
    server = new_server()
    server.start()
    write(server, b"true")
    source = ZooKeeperSource(server.address, NODE, timeout=2.0)
    flag = FlagUpdater(source, interval=0.01, jitter=lambda: 0.01)
    eventually(flag.is_on)
    server.hang()
    eventually(lambda: flag.status().state == "ERROR")
    begun = time.monotonic()
    flag.close()
    assert time.monotonic() - begun < 2
    server.start()
    eventually(lambda: not threads())


def test_second_server_takes_over(new_server, admin, server):
    """With the first of two servers gone, the other is used."""
    other = new_server()
    source = ZooKeeperSource(f"{other.address},{server.address}", NODE)
    publish(admin, NODE, b"true")
    with closing(source):
        assert ask(source).body == b"true"


def test_acl(admin, source):
    """A node that only a user may read needs auth_data; without, the error says so."""
    publish(admin, "/secret", None)
    admin.create("/secret", b"true", acl=[make_digest_acl("ops", "s3cret", all=True)])
    try:
        with pytest.raises(SourceError, match="not read /secret: pass auth_data"):
            ask(source(path="/secret"))
        with pytest.raises(SourceError, match="not read /secret"):
            ask(source(path="/secret", auth_data=[("digest", "ops:wrong")]))
        allowed = source(path="/secret", auth_data=[("digest", "ops:s3cret")])
        assert ask(allowed).body == b"true"
        assert "s3cret" not in allowed.name + repr(allowed)
    finally:
        admin.delete("/secret")


def test_right_withdrawn_and_given_back(admin, source):
    """A right that comes back is noticed by the next fetch, in the same session."""
    publish(admin, NODE, b"true")
    flag = source()
    ask(flag)
    admin.set_acls(NODE, [make_digest_acl("ops", "s3cret", all=True)])
    admin.add_auth("digest", "ops:s3cret")
    with pytest.raises(SourceError):
        ask(flag)
    admin.set_acls(NODE, OPEN_ACL_UNSAFE)
    assert ask(flag).body == b"true"


def test_unknown_auth_scheme(source):
    """Credentials that the server refuses are an error in words."""
    with pytest.raises(SourceError, match=r"AUTH_FAILED|AuthFailed"):
        ask(source(auth_data=[("no-such-scheme", "x")]))


def test_chroot(admin, server, source):
    """The path is one beneath the chroot."""
    publish(admin, "/prod" + NODE, b"true")
    assert ask(source(f"{server.address}/prod")).body == b"true"
    assert ask(source(f"{server.address}/stage")) == Absent()
    publish(admin, "/prod" + NODE, None)


def test_cancel_ends_the_session(admin, source):
    """A cancelled fetch comes back soon, and leaves neither session nor thread."""
    publish(admin, NODE, b"true")
    flag, cancel = source(), threading.Event()
    revision = ask(flag).revision
    threading.Timer(0.1, cancel.set).start()
    begun = time.monotonic()
    ask(flag, revision, wait=HELD, cancel=cancel)
    assert time.monotonic() - begun < 5
    eventually(lambda: not threads())


def test_dropped_source_ends_its_session(admin, server):
    """A source that is dropped without close() takes its threads with it."""
    source = ZooKeeperSource(server.address, NODE)
    ask(source)
    assert threads()
    del source
    eventually(lambda: not threads())


def test_close_and_open_descriptors(admin, server, open_descriptors):
    """Opening and closing ten times leaves no descriptor open."""
    with closing(ZooKeeperSource(server.address, NODE)) as source:
        ask(source)
    eventually(lambda: not threads())
    before = open_descriptors()
    for _ in range(10):
        with closing(ZooKeeperSource(server.address, NODE)) as source:
            ask(source)
    eventually(lambda: not threads())
    assert open_descriptors() <= before


def refuse(hosts, **options):
    source = ZooKeeperSource(hosts, NODE, use_ssl=True, **options)
    with closing(source), pytest.raises(SourceError, match="certificate"):
        ask(source)


def as_java_reads_it(certificate):
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pkcs8 + b"".join(blob.bytes() for blob in certificate.cert_chain_pems)


# kazoo leaves the socket of a refused handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls(new_server, ca, ca_file, tmp_path):
    """With TLS the server's certificate and name are checked, and its flag is read."""
    pem = tmp_path / "server.pem"
    pem.write_bytes(as_java_reads_it(ca.issue_cert("localhost")))
    settings = [
        f"ssl.keyStore.location={pem}",
        f"ssl.trustStore.location={ca_file}",
        "ssl.clientAuth=none",
    ]
    secure_port = free_port()
    server = new_server(*settings, secure_port=secure_port)
    server.start()
    write(server, b"true")
    hosts = f"localhost:{secure_port}"
    with closing(ZooKeeperSource(hosts, NODE, use_ssl=True, ca=ca_file)) as source:
        assert ask(source).body == b"true"
    other_name = f"127.0.0.1:{secure_port}"
    refuse(other_name, ca=ca_file)
    refuse(hosts)
    eventually(lambda: not threads())


FORK = """
import logging, os, sys, threading, time
logging.disable()
from tracedclient.debug import FlagUpdater, ZooKeeperSource

def eventually(holds):
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "never came true"
        time.sleep(0.002)

source = ZooKeeperSource(sys.argv[1], sys.argv[2])
flag = FlagUpdater(source, interval=0.01, jitter=lambda: 0.01)
"""


def test_fork(admin, server):
    """Parent and children each follow the node in a session of their own; none ends another's."""
    publish(admin, NODE, b"false")
    script = """
assert flag.wait_ready(20)
session = source._connection.client.client_id
descriptors = len(os.listdir("/proc/self/fd"))
children = []
for _ in range(3):
    if (pid := os.fork()) == 0:
        assert threading.active_count() == 1
        assert len(os.listdir("/proc/self/fd")) < descriptors
        flag.is_on()
        eventually(flag.is_on)
        assert source._connection.client.client_id != session
        flag.close()
        sys.exit(0)
    children.append(pid)
print("ready", flush=True)
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
eventually(flag.is_on)
assert source._connection.client.client_id == session
flag.close()
print(codes)
"""
    ran = subprocess.Popen(
        [
            *(sys.executable, "-W", "ignore::DeprecationWarning", "-c"),
            *(FORK + script, server.address, NODE),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with ran:
        assert ran.stdout.readline() == "ready\n", ran.stdout.read()
        publish(admin, NODE, b"true")
        assert ran.stdout.read() == "[0, 0, 0]\n"


def test_exit_without_close(admin, server):
    """A process that ends with its flag open ends at once, and quietly."""
    publish(admin, NODE, b"true")
    ran = subprocess.run(
        [sys.executable, "-c", FORK + "eventually(flag.is_on)", server.address, NODE],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
