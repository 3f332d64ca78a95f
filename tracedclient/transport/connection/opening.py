"""A connection is opened: its name looked up, its addresses tried, a proxy asked to pass it on."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from functools import partial
from socket import gaierror
from typing import TYPE_CHECKING

from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util import Timeout

from tracedclient import httptrace
from tracedclient.transport import on_demand
from tracedclient.transport.bounded import keep_deadline
from tracedclient.transport.connection.kept import Kept
from tracedclient.transport.connection.state import MAX_IDLE, ids
from tracedclient.transport.dial import DialedSocket, address_text, connect, resolve
from tracedclient.transport.response import HTTPResponse
from tracedclient.transport.tunnel import TunnelAnswer, TunnelResponse

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from tracedclient.transport.addresses import AddressPolicy


class Opening(Kept):
    """A connection that dials by itself, with urllib3's errors."""

    def connect(self) -> None:
        self._meet("connect")
        self.id = next(ids) if self.uses else self.id
        self.uses = 0
        self.idle_since = None
        self.max_idle = MAX_IDLE
        self.sent = False
        self._answering = self._tcp_before = self._ends = self._poll = None
        if self.trace is None:
            self._stamping = None
        elif self._is_stamped and self._stamping is None:
            # The second in turn: more of its kind will come.
            self._stamping = on_demand.stamping.kept_on()
        self._is_stamped = False
        self._reach()
        self.opened_at = time.monotonic()

    def _reach(self) -> None:
        """Do what urllib3 does to connect."""
        super().connect()

    def _new_conn(self) -> socket.socket:
        # To a proxy it may always go: what the policy is about is where that connects to.
        policy = self.dialing.addresses if self.proxy is None else None
        sock = self._dial(self._dns_host, self.port, policy)
        self.peer = "" if self.proxy is not None else sock.peer
        if self.call is not None:
            sock.deadline = self.call.deadline
            sock.keep_deadline()
        sys.audit("http.client.connect", self, self.host, self.port)
        self._prepare_handshake(sock)
        return sock

    def _dial(self, host: str, port: int, policy: AddressPolicy | None = None) -> DialedSocket:
        """Connect to ``host``, with urllib3's errors for what can go wrong.

        Only to those of its addresses that ``policy`` permits; ``Denied`` when it permits none.
        """
        try:
            self.phase = "dns"
            deadline = self.call.deadline if self.call is not None else None
            addresses = resolve(host.strip("[]"), port, self.trace, self.dialing, deadline=deadline)
            if policy is not None:
                addresses = policy.permitted(host, addresses)
            self.phase = "connect"
            return connect(
                addresses,
                timeout=self._seconds(),
                deadline=deadline,
                source_address=self.source_address,
                socket_options=self.socket_options,
                trace=self.trace,
                stagger=self.dialing.stagger,
            )
        except gaierror as error:
            raise NameResolutionError(host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(
                self, f"Connection to {host} timed out. (connect timeout={self.timeout})"
            ) from error
        except OSError as error:
            raise NewConnectionError(
                self, f"Failed to establish a new connection: {error}"
            ) from error

    def _seconds(self) -> float | None:
        return Timeout.resolve_default_timeout(self.timeout)

    def _prepare_handshake(self, sock: DialedSocket) -> None:
        """Nothing to do where no TLS follows."""

    def _tunnel(self) -> None:
        self.phase = "proxy"
        answer = TunnelAnswer()
        self.response_class = partial(TunnelResponse, into=answer)
        try:
            with self._telling_of_tunnel(answer), answer:
                super()._tunnel()
        finally:
            self.response_class = HTTPResponse
        keep_deadline(self.sock)

    @contextmanager
    def _telling_of_tunnel(self, answer: TunnelAnswer) -> Iterator[None]:
        trace = self.trace
        if trace is None:
            yield
            return
        target = address_text((self._tunnel_host, self._tunnel_port))
        trace.proxy_connect_start(httptrace.ProxyConnectStartInfo(target=target))
        error: BaseException | None = None
        try:
            yield
        except BaseException as failure:
            error = failure
            raise
        finally:
            trace.proxy_connect_done(
                httptrace.ProxyConnectDoneInfo(
                    target=target, status=answer.status, headers=answer.headers, error=error
                )
            )
