"""ZooKeeper, as Debian packages it: a process of ours, with its own directory."""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError

from sources.process import ServerProcess, free_port
from sources.rig import Rig
from tracedclient.debug import ZooKeeperSource

if TYPE_CHECKING:
    from collections.abc import Iterator

NODE = "/tracedclient/flag"
JAVA = Path("/usr/share/java")
# Debian's manifest of the first leaves out a logger, and what TLS needs.
JARS = ("zookeeper", "slf4j-simple", "netty-codec", "netty-resolver")
NETTY = "org.apache.zookeeper.server.NettyServerCnxnFactory"
MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
SETTINGS = """
dataDir={directory}/data
clientPortAddress=127.0.0.1
clientPort={port}
tickTime=500
admin.enableServer=false
maxClientCnxns=0
"""


class ZooKeeperServer(ServerProcess):
    """One ZooKeeper on a port of loopback. With ``secure_port`` it speaks TLS there as well."""

    def __init__(self, directory: Path, *settings: str, secure_port: int | None = None) -> None:
        if not (JAVA / "zookeeper.jar").exists():
            raise FileNotFoundError("there is no ZooKeeper here: run tests/sources/install")
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        self._where = ("127.0.0.1", port)
        factory = []
        if secure_port is not None:
            settings = (*settings, f"secureClientPort={secure_port}")
            factory = [f"-Dzookeeper.serverCnxnFactory={NETTY}"]
        configuration = directory / "zoo.cfg"
        text = SETTINGS.format(directory=directory, port=port)
        configuration.write_text("\n".join([text, *settings, ""]))
        jars = ":".join(str(JAVA / f"{name}.jar") for name in JARS)
        java = ["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *factory]
        super().__init__(
            [*java, "-cp", jars, MAIN, str(configuration)], port=port, directory=directory
        )

    def _answers(self) -> bool:
        # It takes connections well before it is ready, and ends them.
        try:
            with socket.create_connection(self._where, timeout=1) as sock:
                sock.sendall(b"srvr")
                return b"Mode" in sock.recv(4096)
        except OSError:
            return False

    @contextmanager
    def admin(self) -> Iterator[KazooClient]:
        """A connected client of the test's own."""
        client = KazooClient(hosts=self.address)
        client.start(timeout=30)
        try:
            yield client
        finally:
            client.stop()
            client.close()


def write(client: KazooClient, node: str, body: bytes | None) -> None:
    """Do what ``zkCli.sh`` does for ``create``, ``set`` or, with ``None``, ``delete``."""
    if body is None:
        with suppress(NoNodeError):
            client.delete(node)
        return
    try:
        client.set(node, body)
    except NoNodeError:
        client.create(node, body, makepath=True)


class ZooKeeperRig(Rig):
    name = "ZooKeeper"
    pushed = True

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._server = ZooKeeperServer(directory)
        self._server.start()

    def source(self) -> ZooKeeperSource:
        return ZooKeeperSource(self._server.address, NODE)

    def publish(self, body: bytes | None) -> None:
        with self._server.admin() as client:
            write(client, NODE, body)

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.start()

    def hang(self) -> None:
        self._server.hang()

    def close(self) -> None:
        self._server.stop()
