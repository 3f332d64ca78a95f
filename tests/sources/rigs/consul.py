"""Consul's KV store: a real agent, and a server of ours that keeps to its documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sources.consul_agent import ConsulAgent
from sources.consul_server import ConsulServer
from sources.rig import Rig
from tracedclient.debug.sources.consul import ConsulSource

if TYPE_CHECKING:
    from pathlib import Path

KEY = "tracedclient/flag"


class ConsulRig(Rig):
    name = "consul"
    pushed = True

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._server = self._new_server()
        self._server.start()

    def _new_server(self) -> ConsulAgent | ConsulServer:
        return ConsulAgent(self.directory)

    def source(self) -> ConsulSource:
        return ConsulSource(self._server.url, KEY)

    def publish(self, body: bytes | None) -> None:
        if body is None:
            self._server.delete(KEY)
        else:
            self._server.put(KEY, body)

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.start()

    def hang(self) -> None:
        self._server.hang()

    def close(self) -> None:
        self._server.close()


class FaithfulConsulRig(ConsulRig):
    name = "consul, ours"

    def _new_server(self) -> ConsulServer:
        return ConsulServer()
