"""Traces of calls that never took place, for code that takes traces: sinks, reports, alerts."""

from __future__ import annotations

from typing import Any

import msgspec

from tracedclient._version import __version__
from tracedclient.trace.model import (
    DNS,
    TLS,
    Attempt,
    Connect,
    Connection,
    Event,
    Exchange,
    Pool,
    Timings,
    TraceResult,
)
from tracedclient.trace.summary import summarise

_URL = "https://api.example.org/v1/orders/7"
_PEER = "192.0.2.17:443"  # RFC 5737: nobody's address
_FIELDS = frozenset(field.name for field in msgspec.structs.fields(TraceResult))


def make_trace_result(**overrides: Any) -> TraceResult:
    """Return the trace of a made-up GET that was answered 503, tried again, and answered 200.

    ``overrides`` are fields of ``TraceResult``. What the summary says of the attempts (counts,
    phases, the peer, the verdict) is computed from ``attempts``, also from those given here, and
    so are ``http_response_status_code`` and, from that, ``outcome``; any of them may be given too.

    Raises ``TypeError`` for a name that is no field, and for a value that the field cannot have.
    """
    unknown = sorted(set(overrides) - _FIELDS)
    if unknown:
        raise TypeError(f"a TraceResult has no field {', '.join(unknown)}")
    attempts: tuple[Attempt, ...] = _checked(
        overrides.get("attempts", _ATTEMPTS), tuple[Attempt, ...]
    )
    answered = attempts[-1].status if attempts else None
    status = _checked(overrides.get("http_response_status_code", answered), int | None)
    made = msgspec.structs.replace(_summary(attempts, status), **overrides)
    result: TraceResult = _checked(made, TraceResult)
    return result


def _checked(given: object, kind: Any) -> Any:
    # A Struct takes any value; only what is read from outside is compared with its types.
    try:
        return msgspec.convert(msgspec.to_builtins(given), kind)
    except msgspec.ValidationError as error:
        raise TypeError(f"not the value of a TraceResult's field: {error}") from None


def _summary(attempts: tuple[Attempt, ...], status: int | None) -> TraceResult:
    last = attempts[-1] if attempts else None
    error = last.error if last else None
    return summarise(
        attempts,
        outcome=_outcome(status) if error is None else "other",
        status=status,
        error=error,
        trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
        started_at=attempts[0].started_at if attempts else _at(0),
        duration_ms=round(sum(a.duration_ms + (a.sleep_ms or 0.0) for a in attempts), 3),
        service_name="orders",
        http_request_method="GET",
        url_full=_URL,
        debug_source="call",
        host_name="orders-7d9f",
        process_pid=4711,
        client_version=__version__,
    )


def _outcome(status: int | None) -> str:
    if status is None:
        return "other"
    return "ok" if status < 400 else "http_error"


def _at(milliseconds: float) -> str:
    """UTC to the microsecond, this long after the made-up call began."""
    microseconds = 58_009_138 + round(milliseconds * 1000)
    return f"2026-11-20T22:27:{microseconds / 1_000_000:09.6f}Z"


_NEW = Exchange(
    method="GET",
    url=_URL,
    started_at=_at(0.2),
    duration_ms=61.3,
    status=503,
    http_version="1.1",
    ms=Timings(dns=2.1, connect=11.4, tls=24.9, send=0.1, wait=21.7, receive=0.9, unaccounted=0.2),
    connection=Connection(
        id=1,
        reused=False,
        age_ms=0.0,
        uses=0,
        local="192.0.2.80:50412",
        remote=_PEER,
        returned=True,
    ),
    pool=Pool(in_use=0, idle=0, limit=64),
    dns=DNS(host="api.example.org", addrs=("192.0.2.17",)),
    connects=(Connect(addr=_PEER, ms=11.4),),
    tls=(
        TLS(
            server_name="api.example.org",
            version="TLSv1.3",
            cipher="TLS_AES_256_GCM_SHA384",
            resumed=False,
            verified=True,
            subject="CN=api.example.org",
            issuer="CN=Example CA",
            not_after="2027-03-01T00:00:00Z",
            alt_names=("api.example.org",),
        ),
    ),
    bytes_sent=312,
    writes=1,
    bytes_received=148,
    reads=1,
    body_complete=True,
    events=(Event(event="exchange_start", at=_at(0.2)), Event(event="body_done", at=_at(61.4))),
)
_REUSED = Exchange(
    method="GET",
    url=_URL,
    started_at=_at(98.6),
    duration_ms=19.8,
    status=200,
    http_version="1.1",
    ms=Timings(send=0.1, wait=18.6, receive=0.9, unaccounted=0.2),
    connection=Connection(
        id=1,
        reused=True,
        age_ms=60.1,
        uses=1,
        idle_ms=37.0,
        local="192.0.2.80:50412",
        remote=_PEER,
        returned=True,
    ),
    pool=Pool(in_use=0, idle=1, limit=64),
    bytes_sent=312,
    writes=1,
    bytes_received=2_210,
    reads=2,
    body_complete=True,
    events=(Event(event="exchange_start", at=_at(98.6)), Event(event="body_done", at=_at(118.3))),
)
_ATTEMPTS = (
    Attempt(
        number=1,
        started_at=_at(0.1),
        duration_ms=61.5,
        status=503,
        retry=True,
        reason="status 503",
        sleep_ms=36.9,
        exchanges=(_NEW,),
    ),
    Attempt(
        number=2,
        started_at=_at(98.5),
        duration_ms=20.0,
        status=200,
        reason="answered",
        exchanges=(_REUSED,),
    ),
)
