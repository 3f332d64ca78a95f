"""The handshakes of a connection, told apart from their setup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import urllib3.connection
from urllib3.util.ssltransport import SSLTransport

from tracedclient import httptrace
from tracedclient.transport.bounded import set_deadline
from tracedclient.transport.connection.traced import Traced
from tracedclient.transport.dial import DialedSocket
from tracedclient.transport.handshake import is_plain, shake_hands
from tracedclient.transport.tls import refused_state, tls_state

if TYPE_CHECKING:
    import socket
    import ssl


class HTTPSConnection(Traced, urllib3.connection.HTTPSConnection):
    """urllib3's ``HTTPSConnection``, observed; its handshakes are told apart from their setup."""

    @property
    def is_connected(self) -> bool:
        return super().is_connected and not _holds_more(self.sock)

    def is_ready(self) -> bool:
        return super().is_ready() and not _holds_more(self.sock)

    @property
    def may_be_used_plainly(self) -> bool:
        # urllib3 warns at every request that goes to nobody knows whom.
        return super().may_be_used_plainly and self.is_verified

    def connect(self) -> None:
        try:
            super().connect()
        except BaseException as error:
            self._handshake_done(None, error)
            raise
        self._handshake_done(self.sock, None)

    def _reach(self) -> None:
        if not is_plain(self):
            super()._reach()
            return
        self.sock = sock = self._new_conn()
        self.sock = shake_hands(self, sock)
        self.is_verified = True

    def _prepare_handshake(self, sock: DialedSocket) -> None:
        self.phase = "tls"
        if self.trace is not None:
            sock.before_handshake = self._handshake_start

    def _connect_tls_proxy(self, hostname: str, sock: socket.socket) -> ssl.SSLSocket:
        wrapped = super()._connect_tls_proxy(hostname, sock)
        # Before CONNECT, and the handshake inside: both go over this one.
        set_deadline(wrapped, self.call.deadline if self.call is not None else None)
        self._handshake_done(wrapped, None)
        return wrapped

    def _tunnel(self) -> None:
        super()._tunnel()
        self.phase = "tls"
        if self.trace is not None and not isinstance(self.sock, DialedSocket):
            # TLS inside of TLS: no plain socket is handed over that could tell the exact moment.
            self._handshake_start()

    def _handshake_start(self) -> None:
        trace = self.trace
        if trace is None:
            return
        to_proxy = self.proxy is not None and (
            self.proxy_is_forwarding or self.sock is None or not self._has_connected_to_proxy
        )
        name = self.server_hostname or self._tunnel_host or self.host
        self._handshake = httptrace.TLSHandshakeStartInfo(
            server_name=self.host if to_proxy else name, proxy=to_proxy
        )
        trace.tls_handshake_start(self._handshake)

    def _handshake_done(self, sock: Any, error: BaseException | None) -> None:
        trace, handshake = self.trace, self._handshake
        self._handshake = None
        if trace is None or handshake is None:
            return
        trace.tls_handshake_done(
            httptrace.TLSHandshakeDoneInfo(
                server_name=handshake.server_name,
                proxy=handshake.proxy,
                state=refused_state(error) if error is not None else tls_state(sock),
                error=error,
            )
        )


def _holds_more(sock: Any) -> bool:
    """Whether TLS has taken in what nobody has read, and would take for the next answer: no look at
    the socket below finds it.
    """
    if isinstance(sock, SSLTransport):  # TLS inside of TLS
        return bool(sock.sslobj.pending() or sock.incoming.pending) or _holds_more(sock.socket)
    pending = getattr(sock, "pending", None)
    return pending is not None and pending() > 0
