"""``Proxy``: a TCP proxy that spoils the connections through it.

``add`` puts a toxic on a stream of all connections opened from then on; ``down`` refuses them.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from faults.toxics import Chunks, Stream, Toxic

_SIZE = 64 * 1024
_JOIN_SECONDS = 5.0


class LinkClosedError(Exception):
    """Ends a toxic that sleeps on a connection that has been closed."""


class Link:
    """A client's connection and the one to the server behind it."""

    def __init__(self, client: socket.socket, server: socket.socket, seed: int) -> None:
        self.random = random.Random(seed)
        self._client = client
        self._server = server
        self._closed = threading.Event()
        self._lock = threading.Lock()

    def sleep(self, seconds: float | None) -> None:
        """Like ``time.sleep``, ``None`` for ever; raises ``LinkClosedError`` once it is closed."""
        if self._closed.wait(seconds if seconds is None else max(0.0, seconds)):
            raise LinkClosedError

    def end(self) -> None:
        """End both connections, and wake whatever sleeps on them."""
        with self._lock:
            self._closed.set()
            for each in (self._client, self._server):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End both connections and the toxic that asks for it."""
        self.end()
        raise LinkClosedError

    def reset(self) -> None:
        """The same, with a RST for the client."""
        lingers_not = struct.pack("ii", 1, 0)
        with self._lock:
            self._closed.set()
            with suppress(OSError):
                self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingers_not)
                # A thread that still reads would keep the socket, and the RST, from going; this
                # wakes it, and sends nothing.
                self._client.shutdown(socket.SHUT_RD)
            self._client.close()
            with suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
        raise LinkClosedError

    def run(self, up: list[Toxic], down: list[Toxic]) -> None:
        """Pump both directions until both have ended."""
        back = threading.Thread(
            target=self._pump, args=(self._server, self._client, down), daemon=True
        )
        back.start()
        self._pump(self._client, self._server, up)
        back.join()
        with self._lock:
            self._client.close()
            self._server.close()

    def _pump(self, source: socket.socket, target: socket.socket, toxics: list[Toxic]) -> None:
        chunks = _received(source)
        for toxic in toxics:
            chunks = toxic.spoil(chunks, self)
        # A reset closes the socket under the thread of the other direction.
        with suppress(OSError, LinkClosedError):
            for chunk in chunks:
                target.sendall(chunk)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


def _received(source: socket.socket) -> Chunks:
    while chunk := source.recv(_SIZE):
        yield chunk


class Proxy:
    """Stands before ``upstream`` inside a ``with`` block. ``seed`` makes its dice repeatable."""

    def __init__(self, upstream: tuple[str, int], *, seed: int = 0) -> None:
        self.connections = 0
        """Accepted so far."""
        self._upstream = upstream
        self._random = random.Random(seed)
        self._toxics: list[tuple[Stream, Toxic, float]] = []
        self._links: dict[threading.Thread, Link] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.up()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._refuse()
        self._listener.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, toxic: Toxic, stream: Stream = "downstream", toxicity: float = 1.0) -> None:
        """Spoil ``stream`` of that part of the connections opened from now on."""
        self._toxics.append((stream, toxic, toxicity))

    def clear(self) -> None:
        """Spoil nothing from now on."""
        self._toxics.clear()

    def down(self) -> None:
        """End all connections, and refuse new ones."""
        self._refuse()
        # Bound and not listening: nobody else gets the port meanwhile.
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))

    def up(self) -> None:
        """Take connections, again."""
        self._listener.listen(1024)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def _refuse(self) -> None:
        with suppress(OSError):  # it is down already
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(_JOIN_SECONDS)
        self._listener.close()
        with self._lock:
            links = list(self._links.items())
        for thread, link in links:
            link.end()
            thread.join(_JOIN_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._upstream, 5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(client, server, self._random.randrange(2**32))
        thread = threading.Thread(target=self._run, args=(link, *self._chosen()), daemon=True)
        with self._lock:
            self._links[thread] = link
            thread.start()

    def _chosen(self) -> tuple[list[Toxic], list[Toxic]]:
        """The toxics of one connection, up and down, as the dice will have it."""
        thrown = [each for each in list(self._toxics) if self._random.random() < each[2]]
        return (
            [toxic for stream, toxic, _ in thrown if stream == "upstream"],
            [toxic for stream, toxic, _ in thrown if stream == "downstream"],
        )

    def _run(self, link: Link, up: list[Toxic], down: list[Toxic]) -> None:
        try:
            link.run(up, down)
        finally:
            with self._lock:
                del self._links[threading.current_thread()]
