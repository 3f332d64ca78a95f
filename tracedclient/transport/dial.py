"""From a host name to a connected socket: the lookup, then each address in turn.

urllib3 does both in one function, which hides what an on-call engineer asks first: what did DNS
say, and which of those addresses did not answer?
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, NamedTuple

from urllib3.exceptions import LocationParseError

# As a module: `urllib3.util.connection.allowed_gai_family = …` is how people turn IPv6 off.
from urllib3.util import connection as urllib3_connection

from tracedclient.httptrace import ConnectDoneInfo, ConnectStartInfo, DNSDoneInfo, DNSStartInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tracedclient.httptrace import ClientTrace

_NETWORK = "tcp"


class Address(NamedTuple):
    """One line of a resolver's answer, as ``getaddrinfo`` gives it."""

    family: int
    kind: int
    protocol: int
    name: str
    sockaddr: tuple[Any, ...]


class DialedSocket(socket.socket):
    """A TCP socket that says when it is handed over to TLS.

    Between the TCP connection and the ClientHello lie the preparations of TLS; ``ssl`` takes the
    file descriptor out of the plain socket right before the handshake itself begins.
    """

    before_handshake: Callable[[], None] | None = None

    def detach(self) -> int:
        call, self.before_handshake = self.before_handshake, None
        if call is not None:
            call()
        return super().detach()


def resolve(host: str, port: int, trace: ClientTrace | None) -> list[Address]:
    """Return the addresses of ``host``, in the order in which to try them.

    Raises ``LocationParseError`` when ``host`` cannot be a name, ``socket.gaierror`` when it has
    no address.
    """
    try:
        host.encode("idna")
    except UnicodeError:
        raise LocationParseError(f"'{host}', label empty or too long") from None
    if trace is None or _is_literal(host):
        return _lookup(host, port)
    trace.dns_start(DNSStartInfo(host=host))
    try:
        addresses = _lookup(host, port)
    except BaseException as error:
        trace.dns_done(DNSDoneInfo(host=host, addrs=(), error=error))
        raise
    addrs = tuple(dict.fromkeys(str(address.sockaddr[0]) for address in addresses))
    trace.dns_done(DNSDoneInfo(host=host, addrs=addrs, error=None))
    return addresses


def _lookup(host: str, port: int) -> list[Address]:
    family = urllib3_connection.allowed_gai_family()
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    return [Address(*address) for address in found]


def _is_literal(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except OSError:
            continue
        return True
    return False


def connect(
    addresses: Sequence[Address],
    *,
    timeout: float | None,
    source_address: tuple[str, int] | None,
    socket_options: Iterable[tuple[int, int, int | bytes]] | None,
    trace: ClientTrace | None,
) -> DialedSocket:
    """Return a socket connected to the first of ``addresses`` that answers.

    ``timeout`` is seconds for each address, ``None`` for the operating system's own. Raises the
    last address's error, as urllib3 does; every address's error is in the trace.
    """
    error: OSError | None = None
    for address in addresses:
        try:
            return _connect_one(address, timeout, source_address, socket_options or (), trace)
        except OSError as failure:
            error = failure
    try:
        raise error or OSError("getaddrinfo returned no address")
    finally:
        # The traceback holds this frame, and this frame would hold the traceback.
        error = None


def _connect_one(
    address: Address,
    timeout: float | None,
    source_address: tuple[str, int] | None,
    socket_options: Iterable[tuple[int, int, int | bytes]],
    trace: ClientTrace | None,
) -> DialedSocket:
    addr = address_text(address.sockaddr)
    if trace is not None:
        trace.connect_start(ConnectStartInfo(network=_NETWORK, addr=addr))
    sock = DialedSocket(address.family, address.kind, address.protocol)
    try:
        for option in socket_options:
            sock.setsockopt(*option)
        sock.settimeout(timeout)
        if source_address:
            sock.bind(source_address)
        sock.connect(address.sockaddr)
    except BaseException as error:
        sock.close()
        if trace is not None:
            trace.connect_done(ConnectDoneInfo(network=_NETWORK, addr=addr, error=error))
        raise
    if trace is not None:
        trace.connect_done(ConnectDoneInfo(network=_NETWORK, addr=addr, error=None))
    return sock


def address_text(sockaddr: tuple[Any, ...]) -> str:
    """Return ``host:port``, an IPv6 host in brackets."""
    host, port = sockaddr[0], sockaddr[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
