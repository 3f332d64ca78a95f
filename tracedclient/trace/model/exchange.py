"""One request and its answer on the wire, and all that it took."""

from __future__ import annotations

import msgspec

PHASES = ("blocked", "dns", "connect", "proxy", "tls", "send", "wait", "receive")
"""The disjoint parts of an exchange, in their usual order; HAR's names, and ``proxy`` for CONNECT.

blocked  waiting for a connection of the pool
dns      looking the name up
connect  opening TCP connections, addresses raced against each other
proxy    the CONNECT exchange with a proxy
tls      handshakes, the check of the certificate included
send     handing the request to the kernel
wait     from there to the first byte of the final answer
receive  from there to the body's end
"""


class Noun(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    pass


class ErrorInfo(Noun, frozen=True, omit_defaults=True, kw_only=True):
    type: str
    """The exception's class."""
    phase: str
    """The phase that was under way: one of ``PHASES``, ``prepare`` before any of them, ``circuit``
    when the breaker let no request go, ``redirect`` between two exchanges, ``sleep`` between two
    attempts, or ``unknown`` when it
    never met a connection of ours."""
    message: str | None = None
    """In words, with every URL's credentials and query values removed."""


class DNS(Noun, frozen=True, omit_defaults=True, kw_only=True):
    host: str
    addrs: tuple[str, ...] = ()
    error: str | None = None
    """``EAI_NONAME: Name or service not known``"""
    resolver: Resolver | None = None


class Connect(Noun, frozen=True, omit_defaults=True, kw_only=True):
    """One address tried."""

    addr: str
    ms: float
    error: str | None = None
    """``ECONNREFUSED: Connection refused``"""


class Proxy(Noun, frozen=True, omit_defaults=True, kw_only=True):
    url: str
    """Without its credentials."""
    target: str | None = None
    """What CONNECT asked for; absent when the proxy forwards plain http."""
    status: int | None = None
    error: str | None = None


class TLS(Noun, frozen=True, omit_defaults=True, kw_only=True):
    server_name: str
    version: str | None = None
    cipher: str | None = None
    alpn: str | None = None
    resumed: bool | None = None
    verified: bool | None = None
    """Whether the certificate was checked and found good."""
    subject: str | None = None
    issuer: str | None = None
    not_after: str | None = None
    alt_names: tuple[str, ...] = ()
    proxy: bool = False
    """The handshake with an https proxy, not with the target."""
    error: str | None = None


class Connection(Noun, frozen=True, omit_defaults=True, kw_only=True):
    id: int
    reused: bool
    age_ms: float
    uses: int
    idle_ms: float | None = None
    local: str | None = None
    remote: str | None = None
    returned: bool | None = None
    """Whether it went back to the pool; absent while it has not been decided."""
    not_returned: str | None = None
    """Why it did not."""
    stale_discarded: int | None = None
    """Pooled connections found dead, or idle for too long, before this one was used."""
    stale_reason: str | None = None


class TCP(Noun, frozen=True, omit_defaults=True, kw_only=True):
    """What the kernel saw of the connection during this exchange (Linux; else absent)."""

    rtt_ms: float | None = None
    min_rtt_ms: float | None = None
    retransmits: int | None = None
    """Segments sent again: the network lost some, or an acknowledgement was late."""
    segments_out: int | None = None
    segments_in: int | None = None
    data_segments_out: int | None = None
    data_segments_in: int | None = None
    bytes_acked: int | None = None
    """Bytes whose arrival the peer's kernel has confirmed; with TLS, those of its records."""
    bytes_received: int | None = None
    delivery: str | None = None
    """How much of the request has arrived there, when no answer came: ``none_left`` (this machine),
    ``unacknowledged``, ``partly_acknowledged``, ``acknowledged``."""


class Resolver(Noun, frozen=True, omit_defaults=True, kw_only=True):
    """How this machine looks up names, noted when a lookup failed or was slow."""

    nameservers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    ndots: int | None = None
    timeout: int | None = None
    """Seconds until a nameserver is given up."""
    attempts: int | None = None
    in_hosts_file: bool | None = None
    tried: tuple[str, ...] = ()
    """The names asked for, in order, because of ``search`` and ``ndots``."""
    hosts_order: str | None = None
    mtime: str | None = None
    """When resolv.conf was last written."""
    explanation: str | None = None
    """What these settings say about this lookup."""


class Holder(Noun, frozen=True, omit_defaults=True, kw_only=True):
    """A call that held a connection while this one waited for it."""

    trace_id: str
    age_ms: float
    phase: str


class Pool(Noun, frozen=True, omit_defaults=True, kw_only=True):
    """The connection pool when this exchange asked it for a connection."""

    in_use: int
    idle: int
    limit: int
    holders: tuple[Holder, ...] = ()
    """Who held the connections, when there was a wait; the oldest call first, at most ten."""


class Timings(Noun, frozen=True, omit_defaults=True, kw_only=True):
    """Milliseconds per phase; disjoint, so that they add up to ``duration - unaccounted``."""

    blocked: float | None = None
    dns: float | None = None
    connect: float | None = None
    proxy: float | None = None
    tls: float | None = None
    send: float | None = None
    wait: float | None = None
    receive: float | None = None
    unaccounted: float = 0.0
    """What lies in no phase: our own process, and the caller of a streamed body."""

    def phases(self) -> dict[str, float]:
        """Return the phases that took place, by their names."""
        before = (self.blocked, self.dns, self.connect, self.proxy, self.tls)
        spent = (*before, self.send, self.wait, self.receive)
        return {phase: ms for phase, ms in zip(PHASES, spent, strict=True) if ms is not None}


class Event(Noun, frozen=True, omit_defaults=True, kw_only=True):
    event: str
    """The hook of ``ClientTrace``."""
    at: str
    """Absolute UTC."""


class Exchange(Noun, frozen=True, omit_defaults=True, kw_only=True):
    """One request and its answer on the wire."""

    method: str
    url: str
    span_id: str | None = None
    """The span it was sent as: what the server, if it takes part in the trace, knows as its parent."""
    started_at: str
    duration_ms: float
    status: int | None = None
    http_version: str | None = None
    error: ErrorInfo | None = None
    ms: Timings = Timings()
    connection: Connection | None = None
    pool: Pool | None = None
    dns: DNS | None = None
    connects: tuple[Connect, ...] = ()
    proxy: Proxy | None = None
    tls: tuple[TLS, ...] = ()
    interim: tuple[int, ...] = ()
    """Status codes of the 1xx answers before the final one."""
    bytes_sent: int | None = None
    writes: int | None = None
    """Calls that handed the request to the kernel; a head and a small body are one."""
    bytes_received: int | None = None
    """Bytes read from the socket for the answer, its head included, before decoding."""
    reads: int | None = None
    """Reads of the socket that gave bytes."""
    longest_silence_ms: float | None = None
    """The longest time between two of those reads."""
    buffered_ms: float | None = None
    """How long the answer's first bytes lay in the kernel before this process read them."""
    tcp: TCP | None = None
    cpu_ms: float | None = None
    """CPU time of the calling thread during this exchange."""
    throttled_ms: float | None = None
    """How long the process's cgroup was kept off the CPU during it; not looked for in less than 5 ms."""
    body_complete: bool | None = None
    body_abandoned: bool | None = None
    """Whether the answer was dropped with its body neither read to the end nor closed."""
    request_headers: dict[str, str] | None = None
    """By lower-case names, at level ``headers``; values that may be secret are ``REDACTED``."""
    response_headers: dict[str, str] | None = None
    events: tuple[Event, ...] = ()
