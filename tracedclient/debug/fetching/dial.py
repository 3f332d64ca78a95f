"""A host's name → a connected socket, as long as the patience for it lasts."""

from __future__ import annotations

import ipaddress
import os
import socket
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from select import POLLOUT, poll
from threading import Thread
from typing import TYPE_CHECKING, Any

from tracedclient.debug.fetching.patient import PatientSocket

if TYPE_CHECKING:
    from tracedclient.debug.fetching.patient import Patience


class Dialer:
    """Connects to names and addresses, the next address when one does not answer."""

    def __init__(self, connect: float) -> None:
        self._connect = connect
        self._lookup: tuple[object, Future[list[Any]]] | None = None

    def dial(self, host: str, port: int, patience: Patience) -> PatientSocket:
        """Return a connected socket. Raises ``OSError`` and ``SourceError``."""
        problem: OSError | None = None
        for family, kind, protocol, _, address in self._look_up(host, port, patience):
            sock = PatientSocket(family, kind, protocol)
            sock.patience = patience
            try:
                self._reach(sock, address)
            except BaseException as error:
                sock.close()
                if not isinstance(error, OSError):
                    raise
                problem = error
            else:
                return sock
        raise problem or OSError(f"{host} has no address")

    def _reach(self, sock: PatientSocket, address: Any) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        give_up = time.monotonic() + self._connect
        try:
            sock.connect(address)
        except BlockingIOError:
            self._wait(sock, give_up)
        if number := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(number, os.strerror(number))

    def _wait(self, sock: PatientSocket, give_up: float) -> None:
        connected = poll()
        connected.register(sock, POLLOUT)
        while not connected.poll(sock.patience.slice() * 1000):
            if time.monotonic() >= give_up:
                raise TimeoutError(f"no connection within {self._connect:g} s")

    def _look_up(self, host: str, port: int, patience: Patience) -> list[Any]:
        if _is_address(host):
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # getaddrinfo cannot be interrupted, and a silent nameserver may hold it for minutes.
        if self._lookup is None or self._lookup[0] != (host, port):
            self._lookup = ((host, port), _start_lookup(host, port))
        found = self._lookup[1]
        while True:
            try:
                addresses = found.result(patience.slice())
            except FutureTimeoutError:
                continue
            except OSError:
                self._lookup = None
                raise
            self._lookup = None
            return addresses

    def after_fork(self) -> None:
        """Forget a lookup whose thread this process does not have."""
        self._lookup = None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _start_lookup(host: str, port: int) -> Future[list[Any]]:
    future: Future[list[Any]] = Future()

    def look_up() -> None:
        try:
            future.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            future.set_exception(error)
        except UnicodeError:  # a label that is empty, or too long
            future.set_exception(OSError("this cannot be the name of a host"))

    Thread(target=look_up, name=f"lookup of {host}", daemon=True).start()
    return future
