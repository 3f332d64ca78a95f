"""Two config services of a faithful Apollo, found through a meta server, the app with a key."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from sources.apollo_server import Database, Node
from sources.rig import Rig
from tracedclient.debug import ApolloSource

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "df23df3f59884980844ff3dada30fa97"


class ApolloRig(Rig):
    name = "apollo"
    pushed = True

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._database = Database()
        self._database.secrets["orders"] = [SECRET]
        self._stack = ExitStack()
        self._nodes = [
            self._stack.enter_context(Node(self._database, caching=True)) for _ in range(2)
        ]
        for node in self._nodes:
            node.instances = [each.url for each in self._nodes]

    def source(self) -> ApolloSource:
        return ApolloSource(
            "orders", meta=[node.url for node in self._nodes], access_key=SECRET, cluster="blue"
        )

    def publish(self, body: bytes | None) -> None:
        # Apollo keeps text: what is not UTF-8 arrives as what JSON cannot say either.
        values = {} if body is None else {"content": body.decode(errors="surrogateescape")}
        self._database.publish("orders", "blue", "tracedclient.json", values)

    def stop(self) -> None:
        for node in self._nodes:
            node.stop()

    def start(self) -> None:
        for node in self._nodes:
            node.stop()
            node.start()

    def hang(self) -> None:
        for node in self._nodes:
            node.hung = True

    def close(self) -> None:
        self._stack.close()
