"""Connections through a SOCKS proxy, observed like any other.

urllib3 leaves lookup, connecting and negotiation to PySocks in one call. Here the proxy is dialed as
any server is, and PySocks only negotiates, on a connection that is open already. With ``socks5``
the target's name is looked up here, with ``socks5h`` by the proxy, and is then no event of ours.
"""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, Any

import socks  # type: ignore[import-untyped]
import urllib3.contrib.socks
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from tracedclient import httptrace
from tracedclient.transport.bounded import Bounded
from tracedclient.transport.connection import HTTPSConnection, Traced
from tracedclient.transport.dial import DialedSocket, address_text, resolve
from tracedclient.transport.pool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    _Base = Traced
else:
    _Base = object


class _Connected(Bounded, socket.socket):
    def connect(self, address: Any) -> None:
        """Do nothing: the connection to the proxy is there."""

    def _allow(self, seconds: float | None) -> None:
        # Without asking what it is now: PySocks answers that with what it is to become.
        socket.socket.settimeout(self, seconds)


class _Negotiator(socks.socksocket, _Connected):  # type: ignore[misc]
    """PySocks' negotiation, on a connection that is open already."""


class _ThroughSOCKS(_Base):
    _socks_options: Any

    def _new_conn(self) -> socket.socket:
        options = self._socks_options
        host, port = self.host.strip("[]"), self.port
        if not options["rdns"]:
            # Before the proxy is: its connection would wait for the lookup.
            host = self._looked_up(host, port)
        sock = self._dial(options["proxy_host"], int(options["proxy_port"] or 1080))
        self.phase = "proxy"
        tunnel = self._negotiated(sock, host, port)
        sys.audit("http.client.connect", self, self.host, self.port)
        self._prepare_handshake(tunnel)
        return tunnel

    def _looked_up(self, host: str, port: int) -> str:
        self.phase = "dns"
        try:
            addresses = resolve(host, port, self.trace, self.dialing, deadline=self._deadline)
        except socket.gaierror as error:
            raise urllib3.exceptions.NameResolutionError(host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"The lookup of {host} timed out") from error
        policy = self.dialing.addresses
        permitted = addresses if policy is None else policy.permitted(host, addresses)
        return str(permitted[0].sockaddr[0])

    def _negotiated(self, sock: DialedSocket, host: str, port: int) -> DialedSocket:
        target = address_text((self.host.strip("[]"), port))
        if self.trace is not None:
            self.trace.proxy_connect_start(httptrace.ProxyConnectStartInfo(target=target))
        failure: BaseException | None = None
        try:
            return self._negotiate(sock, host, port)
        except BaseException as error:
            failure = error
            raise
        finally:
            if self.trace is not None:
                self.trace.proxy_connect_done(
                    httptrace.ProxyConnectDoneInfo(target=target, status=None, error=failure)
                )

    def _negotiate(self, sock: DialedSocket, host: str, port: int) -> DialedSocket:
        options = self._socks_options
        negotiator = _Negotiator(sock.family, sock.type, sock.proto, sock.detach())
        negotiator.set_proxy(
            options["socks_version"],
            options["proxy_host"],
            options["proxy_port"],
            options["rdns"],
            options["username"],
            options["password"],
        )
        negotiator.settimeout(self._seconds())
        negotiator.deadline = self._deadline
        try:
            negotiator.connect((host, port))
        except (socks.ProxyError, OSError) as error:
            negotiator.close()
            raise self._refused(error) from error
        except BaseException:
            negotiator.close()
            raise
        tunnel = DialedSocket(fileno=negotiator.detach())
        tunnel.settimeout(self._seconds())
        tunnel.deadline = self._deadline
        tunnel.keep_deadline()
        return tunnel

    @property
    def _deadline(self) -> float | None:
        return self.call.deadline if self.call is not None else None

    def _refused(self, error: Exception) -> Exception:
        cause = getattr(error, "socket_err", None) or error
        if isinstance(cause, TimeoutError):
            return ConnectTimeoutError(self, f"The SOCKS proxy did not answer: {error}")
        return NewConnectionError(self, f"Failed to establish a new connection: {error}")


class SOCKSConnection(_ThroughSOCKS, Traced, urllib3.contrib.socks.SOCKSConnection):
    """urllib3's ``SOCKSConnection``, observed."""


class SOCKSHTTPSConnection(
    _ThroughSOCKS, HTTPSConnection, urllib3.contrib.socks.SOCKSHTTPSConnection
):
    """urllib3's ``SOCKSHTTPSConnection``, observed."""


class SOCKSHTTPConnectionPool(HTTPConnectionPool):
    """urllib3's ``SOCKSHTTPConnectionPool``, observed."""

    ConnectionCls = SOCKSConnection


class SOCKSHTTPSConnectionPool(HTTPSConnectionPool):
    """urllib3's ``SOCKSHTTPSConnectionPool``, observed."""

    ConnectionCls = SOCKSHTTPSConnection


POOL_CLASSES: dict[str, Any] = {
    "http": SOCKSHTTPConnectionPool,
    "https": SOCKSHTTPSConnectionPool,
}
