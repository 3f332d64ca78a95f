"""One ``do()``: its attempts, and the flat summary that a query needs."""

from __future__ import annotations

from tracedclient.trace.model.exchange import ErrorInfo, Exchange, Noun

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


class Attempt(Noun, frozen=True, omit_defaults=True, kw_only=True):
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


class Usual(Noun, frozen=True, omit_defaults=True, kw_only=True):
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


class TraceResult(Noun, frozen=True, omit_defaults=True, kw_only=True):
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
