"""A real ZooKeeper: Debian's ``zookeeper``, a process of our own with its own directory."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError

from tracedclient.debug.zookeeper import ZooKeeperSource

JAR = Path("/usr/share/java/zookeeper.jar")
# What Debian's manifest leaves out: a logger, and what TLS needs.
MORE = [JAR.with_name(f"{name}.jar") for name in ("slf4j-simple", "netty-codec", "netty-resolver")]
NETTY = "org.apache.zookeeper.server.NettyServerCnxnFactory"
PATIENCE = 60.0
NODE = "/tracedclient/flag"


class Server:
    """``start()``, ``kill()``, ``start()`` again with the same data, on the same port."""

    def __init__(self, *settings, secure=False):
        assert JAR.exists(), f"no {JAR}: apt-get install zookeeper"
        self.directory = Path(tempfile.mkdtemp(prefix="zookeeper-"))
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._jvm = []
        self._process = None
        if secure:
            self.secure_port = free_port()
            settings = [*settings, f"secureClientPort={self.secure_port}"]
            self._jvm = [f"-Dzookeeper.serverCnxnFactory={NETTY}"]
        self._write_configuration(settings)

    def _write_configuration(self, settings):
        lines = [
            f"dataDir={self.directory}",
            "clientPortAddress=127.0.0.1",
            f"clientPort={self.port}",
            "tickTime=500",
            "admin.enableServer=false",
            "maxClientCnxns=0",
            *settings,
        ]
        (self.directory / "zoo.cfg").write_text("\n".join(lines) + "\n")

    def start(self):
        classpath = ":".join(map(str, [JAR, *MORE]))
        self._log = (self.directory / "log").open("ab")
        self._process = subprocess.Popen(
            [
                *("java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *self._jvm),
                *("-cp", classpath, "org.apache.zookeeper.server.quorum.QuorumPeerMain"),
                str(self.directory / "zoo.cfg"),
            ],
            stdout=self._log,
            stderr=self._log,
        )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self):
        end = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, (self.directory / "log").read_text()
            assert time.monotonic() < end, "ZooKeeper does not answer"
            time.sleep(0.05)

    def _answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as sock:
                sock.sendall(b"srvr")
                return b"Mode" in sock.recv(4096)
        except OSError:
            return False

    def signal(self, number):
        self._process.send_signal(number)

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._log.close()
            self._process = None

    def close(self):
        self.kill()
        shutil.rmtree(self.directory)

    def client(self, **options):
        """A started ``KazooClient``, to be stopped and closed by the caller."""
        client = KazooClient(hosts=self.address, **options)
        client.start(timeout=PATIENCE)
        return client


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Rig:
    name = "zookeeper"
    pushed = True

    def __init__(self):
        self._server = Server()
        self._server.start()

    def source(self):
        return ZooKeeperSource(self._server.address, NODE)

    def publish(self, body):
        """Write ``body`` (bytes), or with ``None`` delete the node. Done when it returns."""
        client = self._server.client()
        try:
            publish(client, NODE, body)
        finally:
            client.stop()
            client.close()

    def stop(self):
        self._server.kill()

    def start(self):
        self._server.start()

    def close(self):
        self._server.close()


def publish(client, node, body):
    if body is not None:
        client.create(node, body, makepath=True) if not client.exists(node) else client.set(
            node, body
        )
        return
    with suppress(NoNodeError):
        client.delete(node)
