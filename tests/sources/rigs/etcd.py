"""Debian's etcd: a key, put and deleted by its own ``etcdctl``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sources.etcd_server import Etcd
from sources.rig import Rig
from tracedclient.debug.sources.etcd import EtcdSource

if TYPE_CHECKING:
    from pathlib import Path

KEY = "/tracedclient/flag"


class EtcdRig(Rig):
    name = "etcd"
    pushed = True

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._etcd = Etcd(directory)
        self._etcd.start()

    def source(self) -> EtcdSource:
        return EtcdSource(self._etcd.url, KEY)

    def publish(self, body: bytes | None) -> None:
        if body is None:
            self._etcd.ctl("del", KEY)
        else:
            self._etcd.ctl("put", KEY, stdin=body)

    def stop(self) -> None:
        self._etcd.stop()

    def start(self) -> None:
        self._etcd.start()

    def hang(self) -> None:
        self._etcd.hang()

    def close(self) -> None:
        self._etcd.close()
