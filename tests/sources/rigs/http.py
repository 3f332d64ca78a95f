"""A small config service of ours: looked at every 1.5 seconds, or asked to hold on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sources.flag_server import FlagServer
from sources.rig import Rig
from tracedclient.debug import HTTPSource

if TYPE_CHECKING:
    from pathlib import Path


class HTTPRig(Rig):
    name = "http"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._server = FlagServer()
        self._server.start()

    def source(self) -> HTTPSource:
        return HTTPSource(self._server.url)

    def publish(self, body: bytes | None) -> None:
        self._server.publish(body)

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.start()

    def hang(self) -> None:
        self._server.hang()

    def close(self) -> None:
        self._server.stop()


class LongPollRig(HTTPRig):
    name = "http, long poll"
    pushed = True

    def source(self) -> HTTPSource:
        return HTTPSource(self._server.url, long_poll="prefer")
