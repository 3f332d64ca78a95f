"""``ScriptedServer``: a socket server that does what a test's handlers say, byte for byte."""

from __future__ import annotations

import errno
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from servers.peer import Peer, ServerClosingError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from servers.messages import Request

Handler: TypeAlias = Callable[[Peer], None]

CLIENT_LEFT = (ConnectionError, ssl.SSLError)
JOIN_TIMEOUT = 5.0


class ScriptedServer:
    """Runs one handler per connection, each in a thread of its own, inside a ``with`` block.

    ``handlers`` is one handler for all connections, or a list with one for each in turn; a
    connection beyond the list is an error. A handler that returns closes its connection.

    ``errors`` keeps whatever handlers raised. Leaving the block raises the first that is not of
    ``expected``, the body's own exception being its context. Expected unless told otherwise is
    what a client causes by leaving: ``ConnectionError`` and ``ssl.SSLError``.
    """

    def __init__(
        self,
        handlers: Handler | Sequence[Handler],
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        expected: tuple[type[BaseException], ...] = CLIENT_LEFT,
    ) -> None:
        self.host = host
        self.port = port
        """The real one only inside the ``with`` block."""
        self.connections = 0
        """Accepted so far."""
        self.errors: list[BaseException] = []
        self._handlers = handlers
        self._tls = tls
        self._expected = expected
        self._journal: list[tuple[int, Request]] = []
        self._peers: set[Peer] = set()
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        self._changed = threading.Condition()

    @property
    def host_port(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.host_port}"

    @property
    def journal(self) -> list[tuple[int, Request]]:
        """A copy: connection number and request, in the order in which they were read."""
        with self._changed:
            return list(self._journal)

    @property
    def requests(self) -> list[Request]:
        return [request for _, request in self.journal]

    @property
    def open_connections(self) -> int:
        with self._changed:
            return len(self._peers)

    def wait_until(self, predicate: Callable[[], bool], timeout: float = 5.0) -> None:
        """Blocks until ``predicate`` of this server's state holds, or raises ``TimeoutError``.

        It is asked again whenever a connection comes or ends and when a request was read.
        """
        with self._changed:
            if not self._changed.wait_for(predicate, timeout):
                raise TimeoutError(f"{self.host_port}: no such state within {timeout} s")

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.socket(family)
        try:
            if self.port:
                # Taking over the port of a server that just closed; its TIME_WAITs forbid it.
                self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((self.host, self.port))
            self._listener.listen()
        except OSError:
            self._listener.close()
            raise
        self.port = self._listener.getsockname()[1]
        self._start(self._accept, f"accepts on {self.host_port}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        unexpected = [each for each in self.errors if not self._is_expected(each)]
        # An interrupt or a skip goes first; an ordinary failure may be the handler's doing.
        if unexpected and (error is None or isinstance(error, Exception)):
            raise unexpected[0]

    def close(self) -> None:
        """Stops accepting, interrupts all handlers and waits for them. May be called again."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._stop_accepting()
        with self._changed:
            peers = list(self._peers)
        for peer in peers:
            peer.interrupt()
        for thread in self._threads:
            _join(thread)

    def _stop_accepting(self) -> None:
        # Closing alone does not wake the accept() of another thread.
        self._listener.shutdown(socket.SHUT_RDWR)
        _join(self._threads[0])
        self._listener.close()

    def _start(self, work: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            peer = self._admit(accepted)
            self._start(lambda peer=peer: self._run(peer), f"{self.host_port} #{peer.number}")

    def _admit(self, accepted: socket.socket) -> Peer:
        # Small sends must not wait for the client's delayed acknowledgement.
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._changed:
            self.connections += 1
            peer = Peer(self.connections, accepted, closing=self._closing, record=self._record)
            self._peers.add(peer)
            self._changed.notify_all()
        return peer

    def _run(self, peer: Peer) -> None:
        try:
            if self._tls:
                peer.start_tls(self._tls)
            self._handler(peer.number)(peer)
        except BaseException as error:  # noqa: BLE001 - raised again where the test can see it
            self._keep(error)
        finally:
            peer.close()
            with self._changed:
                self._peers.discard(peer)
                self._changed.notify_all()

    def _handler(self, number: int) -> Handler:
        if callable(self._handlers):
            return self._handlers
        if number > len(self._handlers):
            raise AssertionError(
                f"connection {number} came, but the script has {len(self._handlers)} handlers"
            )
        return self._handlers[number - 1]

    def _keep(self, error: BaseException) -> None:
        is_our_doing = isinstance(error, (OSError, ssl.SSLError)) and self._closing.is_set()
        if not isinstance(error, ServerClosingError) and not is_our_doing:
            self.errors.append(error)

    def _is_expected(self, error: BaseException) -> bool:
        # The kernel's word for a client that was gone before the handshake began.
        was_gone = isinstance(error, OSError) and error.errno == errno.ENOTCONN
        return was_gone or isinstance(error, self._expected)

    def _record(self, request: Request) -> None:
        with self._changed:
            self._journal.append((request.connection, request))
            self._changed.notify_all()


def _join(thread: threading.Thread) -> None:
    thread.join(JOIN_TIMEOUT)
    if thread.is_alive():
        raise RuntimeError(f"{thread.name}: did not end within {JOIN_TIMEOUT} s of being told to")
