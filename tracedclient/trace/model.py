"""The nouns of a trace: what one ``do()`` did, as frozen values.

``TraceResult`` is at once the value on ``response.trace`` and the log line: its fields, in this
order, are the line's. A flat summary comes first, because a query needs it, named as OpenTelemetry
names it with ``.`` replaced by ``_``; the tree of attempts and exchanges comes last.

Rules: what did not happen is absent (``None``), never 0; units are in the names; times are
absolute UTC to the microsecond (``2026-11-20T22:27:58.009138Z``); new fields may be added within a
schema's major version, a change of name, type or unit makes the next one.
"""

from __future__ import annotations

import msgspec

SCHEMA = "tracedclient.trace/1"

CULPRITS = (
    "none",
    "dns",
    "connect",
    "proxy",
    "tls",
    "send",
    "server",
    "body",
    "client",
    "pool",
    "retry",
    "deadline",
    "config",
)
"""Whose fault it was, in ``verdict_culprit``."""

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


class _Noun(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    pass


class ErrorInfo(_Noun, frozen=True, omit_defaults=True, kw_only=True):
    type: str
    """The exception's class."""
    phase: str
    """The phase that was under way: one of ``PHASES``, ``prepare`` before any of them, ``circuit``
    when the breaker let no request go, ``redirect`` between two exchanges, ``sleep`` between two
    attempts, or ``unknown`` when it
    never met a connection of ours."""
    message: str | None = None
    """In words, with every URL's credentials and query values removed."""


class DNS(_Noun, frozen=True, omit_defaults=True, kw_only=True):
    host: str
    addrs: tuple[str, ...] = ()
    error: str | None = None
    """``EAI_NONAME: Name or service not known``"""
    resolver: Resolver | None = None


class Connect(_Noun, frozen=True, omit_defaults=True, kw_only=True):
    """One address tried."""

    addr: str
    ms: float
    error: str | None = None
    """``ECONNREFUSED: Connection refused``"""


class Proxy(_Noun, frozen=True, omit_defaults=True, kw_only=True):
    url: str
    """Without its credentials."""
    target: str | None = None
    """What CONNECT asked for; absent when the proxy forwards plain http."""
    status: int | None = None
    error: str | None = None


class TLS(_Noun, frozen=True, omit_defaults=True, kw_only=True):
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


class Connection(_Noun, frozen=True, omit_defaults=True, kw_only=True):
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


class TCP(_Noun, frozen=True, omit_defaults=True, kw_only=True):
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


class Resolver(_Noun, frozen=True, omit_defaults=True, kw_only=True):
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


class Holder(_Noun, frozen=True, omit_defaults=True, kw_only=True):
    """A call that held a connection while this one waited for it."""

    trace_id: str
    age_ms: float
    phase: str


class Pool(_Noun, frozen=True, omit_defaults=True, kw_only=True):
    """The connection pool when this exchange asked it for a connection."""

    in_use: int
    idle: int
    limit: int
    holders: tuple[Holder, ...] = ()
    """Who held the connections, when there was a wait; the oldest call first, at most ten."""


class Timings(_Noun, frozen=True, omit_defaults=True, kw_only=True):
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


class Event(_Noun, frozen=True, omit_defaults=True, kw_only=True):
    event: str
    """The hook of ``ClientTrace``."""
    at: str
    """Absolute UTC."""


class Exchange(_Noun, frozen=True, omit_defaults=True, kw_only=True):
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


class Attempt(_Noun, frozen=True, omit_defaults=True, kw_only=True):
    """One try: an exchange, and those that its redirects led to."""

    number: int
    started_at: str
    duration_ms: float
    status: int | None = None
    error: ErrorInfo | None = None
    retry: bool = False
    reason: str | None = None
    """Why there was, or was not, another try."""
    sleep_ms: float | None = None
    """Between this try and the next."""
    retry_after_ms: float | None = None
    """What the answer's ``Retry-After`` asked for."""
    exchanges: tuple[Exchange, ...] = ()
    exchanges_dropped: int | None = None


class Usual(_Noun, frozen=True, omit_defaults=True, kw_only=True):
    """Medians of the calls to the same origin that this process traced last, and that went well."""

    calls: int
    """How many they are."""
    duration_ms: float
    blocked_ms: float | None = None
    dns_ms: float | None = None
    connect_ms: float | None = None
    proxy_ms: float | None = None
    tls_ms: float | None = None
    send_ms: float | None = None
    wait_ms: float | None = None
    receive_ms: float | None = None


class TraceResult(_Noun, frozen=True, omit_defaults=True, kw_only=True):
    """What one ``do()`` did, whatever became of it. Field for field the log line."""

    schema: str
    trace_id: str
    parent_span_id: str | None = None
    """The caller's span that this call was made for; absent when no request brought one."""
    outcome: str
    """``ok http_error timeout dns_error connect_error proxy_error tls_error send_error read_error
    too_many_redirects invalid_request circuit_open cancelled other``"""
    verdict_culprit: str
    verdict_sentence: str | None = None
    verdict_evidence: tuple[str, ...] = ()
    """The fields of this record that the verdict rests on."""
    service_name: str | None = None
    http_request_method: str | None = None
    url_full: str | None = None
    server_address: str | None = None
    server_port: int | None = None
    http_response_status_code: int | None = None
    error_type: str | None = None
    error_phase: str | None = None
    error_message: str | None = None
    started_at: str
    duration_ms: float
    attempt_count: int
    retry_count: int
    redirect_count: int
    retry_sleep_ms: float | None = None
    blocked_ms: float | None = None
    dns_ms: float | None = None
    connect_ms: float | None = None
    proxy_ms: float | None = None
    tls_ms: float | None = None
    send_ms: float | None = None
    wait_ms: float | None = None
    receive_ms: float | None = None
    unaccounted_ms: float
    slowest_phase: str | None = None
    usual: Usual | None = None
    """What the verdict compared a long call with."""
    dns_err: str | None = None
    conn_reused: bool | None = None
    network_peer_address: str | None = None
    network_peer_port: int | None = None
    network_protocol_version: str | None = None
    tls_protocol_version: str | None = None
    debug_source: str | None = None
    """What switched debug on: ``call``, or the flag source's name."""
    debug_rule: str | None = None
    """Id of the rule of the flag's document that matched."""
    debug_revision: str | None = None
    """Of that document."""
    emit_reason: str | None = None
    """``error`` or ``slow``, when only such traces are emitted; ``led_up_to`` another that was."""
    led_up_to: str | None = None
    """Trace id of the call that failed or was slow after this one, by the same origin."""
    host_name: str | None = None
    process_pid: int | None = None
    client_version: str | None = None
    truncated: bool = False
    """The record was cut to fit the line's limit."""
    attempts_dropped: int | None = None
    attempts: tuple[Attempt, ...] = ()
