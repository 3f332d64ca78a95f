"""The flag in a ZooKeeper node (extra ``zookeeper``: kazoo): a change is pushed by a watch.

kazoo owns threads, and after a fork claims to be connected without any. So its client is made by the
fetch that first needs it, in the process that needs it.
"""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Any

from tracedclient.debug.source import Document, Fetched, NotModified, SourceError
from tracedclient.debug.sources.bell import BellSource

if TYPE_CHECKING:
    import threading
    from types import ModuleType

    from tracedclient.debug.source import Absent
    from tracedclient.debug.sources.zookeeper_client import Connection

_CONNECT = 10.0
"""Seconds that a fetch waits for a session."""
_CLOSE = 0.5
_OURS = ("handler", "logger", "connection_retry", "command_retry", "client_id")


class ZooKeeperSource(BellSource):
    """A node whose data is a flag document. No node: off.

    hosts    ``"zk1:2181,zk2:2181"``, as kazoo takes it; a chroot may follow: ``"zk1:2181/prod"``
    path     of the node, beneath the chroot if there is one
    options  of ``kazoo.client.KazooClient``: ``auth_data=[("digest", "user:password")]``,
             ``timeout`` (of the session, in seconds), ``use_ssl``, ``ca``, ``certfile``, ``keyfile``,
             ``sasl_options``, ``read_only``, … With ``use_ssl`` the server's name is checked too,
             unless ``check_hostname=False``.

    Raises ``ImportError`` without kazoo, ``TypeError`` and ``ValueError`` for arguments that cannot
    work. Connects when it is first fetched from, and again in each forked child.
    """

    def __init__(self, hosts: str, path: str = "/tracedclient/flag", **options: Any) -> None:
        _check_hosts(hosts)
        _check_path(path)
        super().__init__()
        self.name = f"zookeeper:{hosts}{path}"
        self._hosts = hosts
        self._path = path
        self._options = _with_name_check(options)
        self._connection: Connection | None = None
        self._finalizer: weakref.finalize[[], ZooKeeperSource] | None = None
        self._new_connection()

    def fetch(self, previous: str | None, *, wait: float, cancel: threading.Event) -> Fetched:
        """Read the node, and wait for it to change. Raises ``SourceError`` without an answer."""
        try:
            return super().fetch(previous, wait=wait, cancel=cancel)
        finally:
            # Also when close() has come, and gone, while this fetch was connecting.
            if cancel.is_set():
                self._drop()

    def _look(self, previous: str | None, cancel: threading.Event) -> Fetched:
        try:
            found = self._read(cancel)
        except _room().NoAnswer:
            # Perhaps of that server only, and kazoo is on its way to the next.
            found = self._read(cancel)
        same = isinstance(found, Document) and found.revision == previous
        return NotModified() if same else found

    def _read(self, cancel: threading.Event) -> Document | Absent:
        if self._connection is not None and self._connection.is_over:
            self._drop()
        connection = self._connection or self._start()
        self._await(connection, cancel)
        return connection.read(self._path, cancel)

    def _await(self, connection: Connection, cancel: threading.Event) -> None:
        until = time.monotonic() + _CONNECT
        while not (connection.is_up or connection.is_over or cancel.is_set()):
            if time.monotonic() >= until:
                break
            self._bell.wait(until, cancel)
            self._bell.silence()
        if not connection.is_up:
            if connection.is_over:
                self._drop()
            why = connection.last_words or f"no server answered within {_CONNECT:g} s"
            raise SourceError(f"no connection to ZooKeeper at {self._hosts}: {why}")

    def _start(self) -> Connection:
        connection = self._connection = self._new_connection()
        # A client that is dropped without close() must not keep kazoo's threads and its session.
        self._finalizer = weakref.finalize(self, connection.stop_later)
        self._finalizer.atexit = False
        connection.start()
        return connection

    def _new_connection(self) -> Connection:
        connection: Connection = _room().Connection(self._hosts, self._bell, self._options)
        return connection

    def _drop(self) -> threading.Thread | None:
        """Let go of the connection; returns the thread that ends it."""
        connection = self._detach()
        return None if connection is None else connection.stop_later()

    def _detach(self) -> Connection | None:
        if self._finalizer is not None:
            self._finalizer.detach()
        connection, self._connection, self._finalizer = self._connection, None, None
        return connection

    def after_fork(self) -> None:
        """Forget the parent's session; the child's first fetch begins its own."""
        super().after_fork()
        connection = self._detach()
        if connection is not None:
            connection.forget()

    def close(self) -> None:
        """End the session. A server that hangs is waited for half a second."""
        ending = self._drop()
        if ending is not None:
            ending.join(_CLOSE)


def _room() -> ModuleType:
    try:
        from tracedclient.debug.sources import zookeeper_client  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "kazoo":
            raise
        raise ImportError(
            "ZooKeeperSource needs kazoo: pip install 'tracedclient[zookeeper]'"
        ) from error
    return zookeeper_client


def _with_name_check(options: dict[str, Any]) -> dict[str, Any]:
    ours = [name for name in _OURS if name in options]
    if ours:
        raise TypeError(f"{ours[0]} is set by ZooKeeperSource itself; leave it out")
    if options.get("use_ssl") and options.get("verify_certs", True):
        return {"check_hostname": True, **options}
    return options


def _check_hosts(hosts: str) -> None:
    if not isinstance(hosts, str):
        raise TypeError(
            f"hosts must be a str such as 'zk1:2181,zk2:2181', not {type(hosts).__name__}"
        )
    if not hosts.partition("/")[0].strip():
        raise ValueError(f"hosts must name a server, such as 'zk1:2181', not {hosts!r}")
    if "@" in hosts:
        raise ValueError("hosts holds no credentials: pass auth_data=[('digest', 'user:password')]")


def _check_path(path: str) -> None:
    if not isinstance(path, str):
        raise TypeError(
            f"path must be a str such as '/tracedclient/flag', not {type(path).__name__}"
        )
    if not path.startswith("/") or path.endswith("/") or "//" in path or "\0" in path:
        raise ValueError(f"path must begin with / and name a node, not {path!r}")
