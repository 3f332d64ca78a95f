"""The records that ``ClientTrace``'s hooks are given. They are public as ``tracedclient.httptrace``'s,
which loads them with the first that is made.
"""

from __future__ import annotations

import msgspec

from tracedclient.trace.model import TCP, Resolver  # noqa: TC001 - msgspec resolves them


class _Info(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A record handed to one hook. Times are seconds, sizes bytes, addresses ``host:port``.

    One that holds an error is left to the garbage collector: through its traceback, an error leads
    back to whoever holds the record.
    """


class GetConnInfo(_Info, frozen=True, gc=False, kw_only=True):
    host_port: str
    """Where the connection leads: the proxy's address where there is one."""
    in_use: int
    """Connections of its pool that carry a request at the moment."""
    idle: int
    """Connections that lie in the pool."""
    limit: int
    """Connections that the pool keeps; more are opened if it does not wait, and thrown away."""


class GotConnInfo(_Info, frozen=True, gc=False, kw_only=True):
    conn_id: int
    """Counts the connections of this process; the same connection keeps its number."""
    reused: bool
    was_idle: bool
    idle_time: float | None
    """Seconds it lay in the pool; ``None`` for a new connection."""
    age: float
    """Seconds since it was opened."""
    uses: int
    """Requests sent on it before this one."""
    local: str | None
    remote: str | None


class PutIdleConnInfo(_Info, frozen=True, gc=False, kw_only=True):
    conn_id: int
    error: str | None
    """Why the connection did not go back to the pool; ``None`` when it did."""


class GotFirstResponseByteInfo(_Info, frozen=True, gc=False, kw_only=True):
    buffered: float | None
    """Seconds that it lay in the kernel before this process read it (Linux; else ``None``)."""


class Got100ContinueInfo(_Info, frozen=True, gc=False, kw_only=True):
    pass


class Got1xxResponseInfo(_Info, frozen=True, gc=False, kw_only=True):
    status: int
    headers: tuple[tuple[str, str], ...]


class DNSStartInfo(_Info, frozen=True, gc=False, kw_only=True):
    host: str


class DNSDoneInfo(_Info, frozen=True, gc=True, kw_only=True):
    host: str
    addrs: tuple[str, ...]
    """Every address, in the order in which they will be tried."""
    error: BaseException | None
    resolver: Resolver | None
    """How this machine looks up names; only when the lookup failed or was slow."""


class ConnectStartInfo(_Info, frozen=True, gc=False, kw_only=True):
    network: str
    """``tcp``, as in Go."""
    addr: str


class ConnectDoneInfo(_Info, frozen=True, gc=True, kw_only=True):
    network: str
    addr: str
    error: BaseException | None


class TLSHandshakeStartInfo(_Info, frozen=True, gc=False, kw_only=True):
    server_name: str
    """The name the certificate is checked against."""
    proxy: bool
    """Whether this is the handshake with an https proxy rather than with the target."""


class TLSState(_Info, frozen=True, gc=False, kw_only=True):
    """What the handshake agreed on (Go's ``tls.ConnectionState``). Unknown is ``None``.

    When the certificate was refused, its fields are there all the same, and nothing else is.
    """

    version: str | None
    cipher: str | None
    alpn: str | None
    resumed: bool | None
    verified: bool
    """Whether the certificate was checked, and found good."""
    subject: str | None
    """The peer certificate's subject as ``commonName=…, organizationName=…``."""
    issuer: str | None
    not_after: str | None
    """When the peer certificate expires, UTC, ``2026-11-20T22:27:58Z``."""
    alt_names: tuple[str, ...]


class TLSHandshakeDoneInfo(_Info, frozen=True, gc=True, kw_only=True):
    server_name: str
    proxy: bool
    state: TLSState | None
    error: BaseException | None


class WroteHeaderFieldInfo(_Info, frozen=True, gc=False, kw_only=True):
    key: str
    values: tuple[str, ...]
    """As they go on the wire, credentials included: do not log them."""


class WroteHeadersInfo(_Info, frozen=True, gc=False, kw_only=True):
    pass


class Wait100ContinueInfo(_Info, frozen=True, gc=False, kw_only=True):
    timeout: float


class WroteRequestInfo(_Info, frozen=True, gc=True, kw_only=True):
    bytes_sent: int
    """Bytes handed to the kernel for this request, head and body."""
    writes: int
    """Calls that handed them over; a head and a small body are one."""
    complete: bool
    """False when it was not sent whole: for an error, or because the final answer came while the
    body waited for a 100."""
    error: BaseException | None


class ExchangeStartInfo(_Info, frozen=True, gc=False, kw_only=True):
    method: str
    url: str
    """As requested, credentials included: do not log it."""
    proxy: str | None
    """The proxy's URL, its credentials included: do not log it."""
    span_id: str | None = None
    """The span that the request's trace headers make it, 16 hex digits."""


class Holder(_Info, frozen=True, gc=False, kw_only=True):
    """A call that holds a connection."""

    trace_id: str
    age: float
    phase: str


class PoolWaitStartInfo(_Info, frozen=True, gc=False, kw_only=True):
    limit: int
    """Connections the pool allows; all of them are in use."""
    holders: tuple[Holder, ...]
    """Who uses them, the oldest call first, at most ten."""


class PoolWaitDoneInfo(_Info, frozen=True, gc=True, kw_only=True):
    error: BaseException | None


class ProxyConnectStartInfo(_Info, frozen=True, gc=False, kw_only=True):
    target: str


class ProxyConnectDoneInfo(_Info, frozen=True, gc=True, kw_only=True):
    target: str
    status: int | None
    """The proxy's answer to CONNECT; ``None`` when there was none, and with SOCKS."""
    headers: tuple[tuple[str, str], ...] = ()
    """That answer's headers (``Via``, ``Proxy-Status``, ``Proxy-Authenticate``)."""
    error: BaseException | None


class StaleConnDiscardedInfo(_Info, frozen=True, gc=False, kw_only=True):
    conn_id: int
    idle_time: float
    uses: int
    reason: str
    """``closed by the server``, or that it was idle for too long."""


class ResponseHeadInfo(_Info, frozen=True, gc=False, kw_only=True):
    status: int
    reason: str
    version: str
    """``1.0`` or ``1.1``."""
    headers: tuple[tuple[str, str], ...]
    bytes_read: int
    """Bytes read from the socket so far: the head, and what of the body came with it."""
    reads: int
    """Reads of the socket that gave them."""
    longest_silence: float
    """The longest time between two of those reads."""


class BodyReadInfo(_Info, frozen=True, gc=False, kw_only=True):
    size: int
    """Bytes this one read of the socket returned, before any decoding."""
    waited: float
    """Seconds it took; what lies between two reads is the time of whoever reads the body."""


class BodyDoneInfo(_Info, frozen=True, gc=False, kw_only=True):
    complete: bool
    """Whether the body was read to its end, rather than closed early by its reader."""
    tcp: TCP | None
    """What the kernel saw during the exchange (Linux; else ``None``)."""


class FailedInfo(_Info, frozen=True, gc=True, kw_only=True):
    phase: str
    """``blocked dns connect proxy tls send wait receive``: what was under way."""
    error: BaseException
    sent: bool
    """Whether any byte of the request may have left this process."""
    reused: bool
    tcp: TCP | None = None
    """What the kernel saw during the exchange (Linux; else ``None``)."""


class AttemptStartInfo(_Info, frozen=True, gc=False, kw_only=True):
    number: int
    """1 for the first try."""


class AttemptDoneInfo(_Info, frozen=True, gc=True, kw_only=True):
    number: int
    status: int | None
    error: BaseException | None
    retry: bool
    reason: str
    """Why there will, or will not, be another try."""
    sleep: float
    """Seconds until the next try; 0 when there is none."""
    retry_after: float | None = None
    """Seconds that the answer's ``Retry-After`` asked for."""


class RedirectedInfo(_Info, frozen=True, gc=False, kw_only=True):
    method: str
    url: str
    """Where the next exchange goes, credentials included: do not log it."""
