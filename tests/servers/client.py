"""Clients that are nothing but a socket."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from servers.scripted import ScriptedServer


def connect(server: ScriptedServer) -> socket.socket:
    """A connection to ``server``; a read that takes five seconds raises ``TimeoutError``."""
    return socket.create_connection((server.host, server.port), timeout=5)


def read_to_end(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def ask(server: ScriptedServer, sent: bytes = b"") -> bytes:
    """Sends bytes on a connection of their own and gives all that comes until its end."""
    with connect(server) as connection:
        connection.sendall(sent)
        return read_to_end(connection)
