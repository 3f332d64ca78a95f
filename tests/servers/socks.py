"""A small SOCKS5 proxy (RFC 1928, RFC 1929): CONNECT only, with or without a password."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from servers.scripted import ScriptedServer
from servers.tunnel import relay

if TYPE_CHECKING:
    from servers.peer import Peer


class SocksProxy:
    """Notes in ``targets`` what it was asked for: host, as it was spelled, and port."""

    def __init__(
        self,
        *,
        credentials: tuple[str, str] | None = None,
        refuse: int = 0,
        hosts: dict[str, str] | None = None,
    ) -> None:
        self.targets: list[tuple[str, int]] = []
        self._credentials = credentials
        self._refuse = refuse
        self._hosts = hosts or {}

    def __call__(self, peer: Peer) -> None:
        sock = peer.socket
        if not self._greets(sock):
            return
        _read(sock, 3)
        host, port = _address(sock)
        self.targets.append((host, port))
        if self._refuse:
            sock.sendall(bytes([5, self._refuse, 0, 1]) + bytes(6))
            return
        origin = socket.create_connection((self._hosts.get(host, host), port), timeout=5)
        with origin:
            sock.sendall(bytes([5, 0, 0, 1]) + bytes(6))
            with suppress(OSError):
                relay(sock, origin)

    def _greets(self, sock: socket.socket) -> bool:
        _, count = _read(sock, 2)
        _read(sock, count)
        if self._credentials is None:
            sock.sendall(b"\x05\x00")
            return True
        sock.sendall(b"\x05\x02")
        _, length = _read(sock, 2)
        user = _read(sock, length).decode()
        password = _read(sock, _read(sock, 1)[0]).decode()
        good = (user, password) == self._credentials
        sock.sendall(b"\x01" + (b"\x00" if good else b"\x01"))
        return good


def _address(sock: socket.socket) -> tuple[str, int]:
    kind = _read(sock, 1)[0]
    if kind == 1:
        host = socket.inet_ntop(socket.AF_INET, _read(sock, 4))
    elif kind == 4:
        host = socket.inet_ntop(socket.AF_INET6, _read(sock, 16))
    else:
        host = _read(sock, _read(sock, 1)[0]).decode()
    return host, int.from_bytes(_read(sock, 2), "big")


def _read(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise ConnectionError("the client has gone")
        data += piece
    return data


def socks_proxy(proxy: SocksProxy) -> ScriptedServer:
    """A server that is ``proxy``."""
    return ScriptedServer(proxy, expected=OSError)
