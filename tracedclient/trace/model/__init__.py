"""The nouns of a trace: what one ``do()`` did, as frozen values.

``TraceResult`` is at once the value on ``response.trace`` and the log line: its fields, in this
order, are the line's. A flat summary comes first, because a query needs it, named as OpenTelemetry
names it with ``.`` replaced by ``_``; the tree of attempts and exchanges comes last.

Rules: what did not happen is absent (``None``), never 0; units are in the names; times are
absolute UTC to the microsecond (``2026-11-20T22:27:58.009138Z``); new fields may be added within a
schema's major version, a change of name, type or unit makes the next one.

exchange  one request and its answer on the wire, and all that it took
result    what a call did: its attempts, and the summary of them
"""

from tracedclient.trace.model.exchange import (
    DNS,
    PHASES,
    TCP,
    TLS,
    Connect,
    Connection,
    ErrorInfo,
    Event,
    Exchange,
    Holder,
    Pool,
    Proxy,
    Resolver,
    Timings,
)
from tracedclient.trace.model.result import CULPRITS, SCHEMA, Attempt, TraceResult, Usual

__all__ = [
    "CULPRITS",
    "DNS",
    "PHASES",
    "SCHEMA",
    "TCP",
    "TLS",
    "Attempt",
    "Connect",
    "Connection",
    "ErrorInfo",
    "Event",
    "Exchange",
    "Holder",
    "Pool",
    "Proxy",
    "Resolver",
    "Timings",
    "TraceResult",
    "Usual",
]
