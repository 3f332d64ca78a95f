"""The exchanges of a trace as every format shows them, so that no call and no try goes missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracedclient.trace.model import PHASES, Attempt, ErrorInfo, Exchange, Timings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.trace.model import TraceResult


class Sent(NamedTuple):
    """An exchange in its attempt."""

    attempt: Attempt
    hop: int
    """0 for the attempt's first exchange, 1 for its first redirect, and so on."""
    exchange: Exchange
    made_up: bool = False
    """No exchange is known: this one says what the attempt, or the summary, does."""


def sent(result: TraceResult) -> Iterator[Sent]:
    """Yield the exchanges of ``result``, and a made-up one for what has none: an attempt that came
    to nothing before the wire, and a record whose attempts were cut away.
    """
    for attempt in result.attempts or (_whole(result),):
        for hop, exchange in enumerate(attempt.exchanges):
            yield Sent(attempt, hop, exchange)
        if not attempt.exchanges:
            yield Sent(attempt, 0, _stand_in(result, attempt), made_up=True)


def attempts(result: TraceResult) -> tuple[Attempt, ...]:
    """Return the attempts of ``result``, or one that stands for all when none is in the record."""
    return result.attempts or (_whole(result),)


def error_of(result: TraceResult) -> ErrorInfo | None:
    """Return the error that the summary of ``result`` tells of."""
    if result.error_type is None:
        return None
    return ErrorInfo(
        type=result.error_type,
        phase=result.error_phase or "unknown",
        message=result.error_message,
    )


def phases(result: TraceResult) -> Timings:
    """Return the phases of the whole call, summed over its exchanges."""
    summed = {phase: getattr(result, f"{phase}_ms") for phase in PHASES}
    return Timings(**summed, unaccounted=result.unaccounted_ms)


def host_and_port(address: str | None) -> tuple[str | None, int | None]:
    """Return the parts of ``192.0.2.1:443`` or ``[2001:db8::1]:443``."""
    if address is None:
        return None, None
    host, _, port = address.rpartition(":")
    return host.strip("[]") or None, int(port) if port.isdecimal() else None


def _whole(result: TraceResult) -> Attempt:
    return Attempt(
        number=result.attempt_count,
        started_at=result.started_at,
        duration_ms=result.duration_ms,
        status=result.http_response_status_code,
        error=error_of(result),
    )


def _stand_in(result: TraceResult, attempt: Attempt) -> Exchange:
    return Exchange(
        method=result.http_request_method or "",
        url=result.url_full or "",
        started_at=attempt.started_at,
        duration_ms=attempt.duration_ms,
        status=attempt.status,
        error=attempt.error,
        ms=Timings(unaccounted=attempt.duration_ms) if result.attempts else phases(result),
    )
