"""Addresses that do not answer as they should: hanging, refusing, silent."""

from __future__ import annotations

import select
import socket
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from servers.peer import Peer
from servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def black_hole() -> Iterator[tuple[str, int]]:
    """A host and port whose accept queue is full: Linux drops the SYN, and a connect hangs."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        is_full = False
        while not is_full:
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(address)
            # One that is merely late takes the last place in the queue when it gets there.
            is_full = not select.select([], [filler], [], 0.05)[1]
        yield address


def refused_port() -> int:
    """A port of 127.0.0.1 on which nothing listens, and nothing will for some seconds.

    Its TIME_WAIT keeps the kernel from giving the number to the next socket that binds to port 0
    or connects, which would make a listener, or a connection to itself, of what must refuse.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = listener.getsockname()
        with socket.create_connection(address):
            accepted, _ = listener.accept()
            # Who closes first gets the TIME_WAIT, and it must be this end.
            accepted.close()
    return address[1]


def hanging_server() -> ScriptedServer:
    """Accepts, reads, and never answers; asked over https it is a silent TLS server."""
    return ScriptedServer(Peer.drain)
