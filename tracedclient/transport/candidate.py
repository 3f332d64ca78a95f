"""``Candidate``: one address of a host while it is tried, and what a trace is told of it.

Every ``connect_start`` is followed by exactly one ``connect_done``, whatever comes between.
"""

from __future__ import annotations

import errno
import math
import os
import socket
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from tracedclient import httptrace
from tracedclient.transport.bounded import Bounded

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient.httptrace import ClientTrace

_NETWORK = "tcp"


class Address(NamedTuple):
    """One line of a resolver's answer, as ``getaddrinfo`` gives it."""

    family: int
    kind: int
    protocol: int
    name: str
    sockaddr: tuple[Any, ...]


class DialedSocket(Bounded, socket.socket):
    """A TCP socket that says when it is handed over to TLS.

    Between the TCP connection and the ClientHello lie the preparations of TLS; ``ssl`` takes the
    file descriptor out of the plain socket right before the handshake itself begins.
    """

    before_handshake: Callable[[], None] | None = None
    peer = ""
    """The address that it was dialed to."""
    _kinds: tuple[int, int] | None = None

    def remember(self, family: int, kind: int) -> None:
        """Say what it was made with when asked, which ``ssl`` does; to look it up takes longer."""
        self._kinds = (family, kind)

    @property
    def family(self) -> Any:
        return super().family if self._kinds is None else self._kinds[0]

    @property
    def type(self) -> Any:
        return super().type if self._kinds is None else self._kinds[1]

    def detach(self) -> int:
        call, self.before_handshake = self.before_handshake, None
        if call is not None:
            call()
        return super().detach()


class Terms(NamedTuple):
    """What holds for every address of one dial."""

    timeout: float | None
    """Seconds for each address; ``None`` for the operating system's own."""
    deadline: float | None
    """The second of ``time.monotonic()`` at which all of it ends; ``None`` for never."""
    source_address: tuple[str, int] | None
    socket_options: tuple[tuple[int, int, int | bytes], ...]
    trace: ClientTrace | None

    @property
    def in_time(self) -> bool:
        """Whether another address may be tried."""
        return self.deadline is None or time.monotonic() < self.deadline

    def seconds(self) -> float | None:
        """Return how long an address may take from now on; ``TimeoutError`` past the deadline."""
        if self.deadline is None:
            return self.timeout
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left if self.timeout is None else min(self.timeout, left)


class Candidate:
    """One address being tried: in ``connect``, which waits, or between ``begin`` and ``settle``.

    The three return whether the address is connected. A failure closes the socket, is told to the
    trace, and stays in ``error``; a success is told by ``end``, so that who races several of them
    decides the order.
    """

    def __init__(self, address: Address, terms: Terms) -> None:
        self.addr = address_text(address.sockaddr)
        self.error: OSError | None = None
        self.running = False
        """Whether it was begun and has not been told to have ended."""
        self.ends_at = math.inf
        """The second of ``time.monotonic()`` at which it has had its time, once begun."""
        self._address = address
        self._terms = terms
        self._sock: DialedSocket | None = None

    @property
    def sock(self) -> DialedSocket:
        assert self._sock is not None, "begin or connect comes first"
        return self._sock

    def connect(self) -> bool:
        """Try the address and wait for what comes of it."""
        try:
            sock = self._open()
            sock.settimeout(self._terms.seconds())
            sock.connect(self._address.sockaddr)
        except OSError as error:
            self.fail(error)
            return False
        return True

    def begin(self) -> bool:
        """Try the address without waiting. If still ``running``, the socket gets writable."""
        try:
            self._open()
            self.sock.setblocking(False)
            seconds = self._terms.seconds()
            self.ends_at = math.inf if seconds is None else time.monotonic() + seconds
            code = self.sock.connect_ex(self._address.sockaddr)
        except OSError as error:
            self.fail(error)
            return False
        return code != errno.EINPROGRESS and self._came_to(code)

    def settle(self) -> bool:
        """Ask the kernel what came of it, now that the socket is writable."""
        return self._came_to(self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def _came_to(self, code: int) -> bool:
        if code:
            self.fail(OSError(code, os.strerror(code)))
        return code == 0

    def _open(self) -> DialedSocket:
        self.running = True
        trace = self._terms.trace
        if trace is not None:
            trace.connect_start(httptrace.ConnectStartInfo(network=_NETWORK, addr=self.addr))
        address = self._address
        self._sock = sock = DialedSocket(address.family, address.kind, address.protocol)
        if address.kind == socket.SOCK_STREAM:
            sock.remember(address.family, address.kind)
        sock.peer = str(address.sockaddr[0])
        for option in self._terms.socket_options:
            sock.setsockopt(*option)
        if self._terms.source_address:
            sock.bind(self._terms.source_address)
        return sock

    def fail(self, error: OSError) -> None:
        """End it with ``error``, and keep that for the choice of what to raise."""
        self.error = error
        self.end(error)

    def end(self, error: BaseException | None) -> None:
        """Tell what came of it, ``None`` for a connection; with an error, close the socket first.

        What has ended is closed only, and not told again.
        """
        if error is not None:
            self.close()
        if not self.running:
            return
        self.running = False
        trace = self._terms.trace
        if trace is not None:
            trace.connect_done(
                httptrace.ConnectDoneInfo(network=_NETWORK, addr=self.addr, error=error)
            )

    def close(self) -> None:
        """Close the socket, if there is one. May be called again."""
        if self._sock is not None:
            self._sock.close()


def address_text(sockaddr: tuple[Any, ...]) -> str:
    """Return ``host:port``, an IPv6 host in brackets."""
    host, port = sockaddr[0], sockaddr[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
