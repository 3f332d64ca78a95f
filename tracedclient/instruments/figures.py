"""The trace of a call, and the state of a client → measurements. Pure; every monitor takes them.

Names, units and attributes of ``http.client.request.duration`` are those of OpenTelemetry's stable
conventions for HTTP metrics; what these have no name for stands under ``tracedclient.``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.instruments.instrument import Watched
    from tracedclient.instruments.origins import Origins, Server
    from tracedclient.trace.model import Exchange, TraceResult

# RFC 9110 §9.3, RFC 5789, and QUERY: anything else is one label, since a caller may make them up.
_METHODS = frozenset(
    "GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY".split()  # noqa: SIM905
)

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""The bounds that the conventions advise."""

_SERVER = ("server.address", "server.port")


class Figure(NamedTuple):
    """One metric."""

    name: str
    kind: Literal["histogram", "counter", "gauge", "total"]
    """A ``total`` is a counter that somebody else counts."""
    unit: str
    text: str
    labels: tuple[str, ...] = ()


class Measurement(NamedTuple):
    """One value of a figure."""

    figure: Figure
    value: float
    labels: dict[str, str | int | bool]
    exchange: int | None = None
    """Which of the call's exchanges it is of; ``None``: of the whole call."""


REQUEST_DURATION = Figure(
    "http.client.request.duration",
    "histogram",
    "s",
    "Duration of HTTP client requests.",
    (
        "http.request.method",
        *_SERVER,
        "http.response.status_code",
        "error.type",
        "network.protocol.version",
    ),
)
CALL_DURATION = Figure(
    "tracedclient.call.duration",
    "histogram",
    "s",
    "Duration of do(): attempts, redirects, sleeps, body.",
    (*_SERVER, "tracedclient.outcome"),
)
VERDICTS = Figure(
    "tracedclient.verdicts",
    "counter",
    "{call}",
    "Calls that went badly or slowly, by whose fault it was.",
    (*_SERVER, "tracedclient.verdict_culprit"),
)
RETRIES = Figure(
    "tracedclient.retries", "counter", "{attempt}", "Attempts after a call's first.", _SERVER
)
RETRIES_REFUSED = Figure(
    "tracedclient.retries.refused",
    "counter",
    "{attempt}",
    "Attempts that were not made because the origin's retry budget was spent.",
    _SERVER,
)
POOL_WAIT = Figure(
    "tracedclient.pool.wait.duration",
    "histogram",
    "s",
    "Time that requests waited for a connection of an exhausted pool.",
    _SERVER,
)
CONNECTIONS = Figure(
    "tracedclient.connections",
    "counter",
    "{request}",
    "Requests that got a connection, by whether it had been used before.",
    (*_SERVER, "tracedclient.connection.reused"),
)
STALE = Figure(
    "tracedclient.connections.stale",
    "counter",
    "{connection}",
    "Pooled connections found closed, or idle for too long.",
    _SERVER,
)
IN_FLIGHT = Figure("tracedclient.calls.in_flight", "gauge", "{call}", "Calls that have not ended.")
BUDGET = Figure(
    "tracedclient.retry.budget",
    "gauge",
    "{attempt}",
    "What is left of an origin's retry budget; the least, of several.",
    _SERVER,
)
CIRCUITS = Figure(
    "tracedclient.circuits",
    "gauge",
    "{circuit}",
    "Circuits that are not closed, by their state.",
    (*_SERVER, "tracedclient.circuit.state"),
)
FLAG_ON = Figure("tracedclient.debug.on", "gauge", "1", "1 while the debug flag is on, else 0.")
DROPPED = Figure(
    "tracedclient.traces.dropped",
    "total",
    "{trace}",
    "Traces not logged because the flag allows only so many a second.",
)
FAILURES = Figure(
    "tracedclient.instruments.failures",
    "total",
    "{failure}",
    "Times that an instrument raised, and lost what it was told.",
)

PER_CALL = (
    REQUEST_DURATION,
    CALL_DURATION,
    VERDICTS,
    RETRIES,
    RETRIES_REFUSED,
    POOL_WAIT,
    CONNECTIONS,
    STALE,
)
PER_CLIENT = (IN_FLIGHT, BUDGET, CIRCUITS, FLAG_ON, DROPPED, FAILURES)


def known_method(method: str) -> str:
    """Return ``method`` when a standard defines it, ``_OTHER`` else."""
    return method if method in _METHODS else "_OTHER"


def error_type(status: int | None, error: Any) -> str | None:
    """Return the conventions' ``error.type``: the exception's class, or a status of 400 and above."""
    if error is not None:
        return str(error.type)
    return str(status) if status is not None and status >= 400 else None


def of_call(result: TraceResult, origins: Origins) -> Iterator[Measurement]:
    """Yield what a finished call counts for."""
    at = _labels(origins.of(result.url_full or ""))
    outcome = {**at, "tracedclient.outcome": result.outcome}
    yield Measurement(CALL_DURATION, result.duration_ms / 1e3, outcome)
    if result.verdict_culprit != "none":
        culprit = {**at, "tracedclient.verdict_culprit": result.verdict_culprit}
        yield Measurement(VERDICTS, 1, culprit)
    if result.retry_count:
        yield Measurement(RETRIES, result.retry_count, at)
    if result.attempts and _is_refused(result.attempts[-1].reason):
        yield Measurement(RETRIES_REFUSED, 1, at)
    exchanges = (e for attempt in result.attempts for e in attempt.exchanges)
    for number, exchange in enumerate(exchanges):
        yield from _of_exchange(exchange, number, origins)


def _is_refused(reason: str | None) -> bool:
    return reason is not None and "budget" in reason


def _of_exchange(exchange: Exchange, number: int, origins: Origins) -> Iterator[Measurement]:
    at = _labels(origins.of(exchange.url))
    yield Measurement(
        REQUEST_DURATION, exchange.duration_ms / 1e3, {**at, **_answer(exchange)}, number
    )
    if exchange.ms.blocked is not None:
        yield Measurement(POOL_WAIT, exchange.ms.blocked / 1e3, at, number)
    connection = exchange.connection
    if connection is not None:
        reused = {**at, "tracedclient.connection.reused": connection.reused}
        yield Measurement(CONNECTIONS, 1, reused, number)
        if connection.stale_discarded:
            yield Measurement(STALE, connection.stale_discarded, at, number)


def _answer(exchange: Exchange) -> dict[str, Any]:
    named = {
        "http.request.method": known_method(exchange.method),
        "http.response.status_code": exchange.status,
        "error.type": error_type(exchange.status, exchange.error),
        "network.protocol.version": exchange.http_version,
    }
    return {name: value for name, value in named.items() if value is not None}


def of_clients(clients: list[Watched], origins: Origins) -> Iterator[Measurement]:
    """Yield how the clients of this process stand, taken together."""
    stats = [client.stats() for client in clients]
    yield Measurement(IN_FLIGHT, sum(each.in_flight for each in stats), {})
    yield Measurement(FLAG_ON, int(any(client.debug.status().on for client in clients)), {})
    yield Measurement(DROPPED, sum(each.traces_dropped for each in stats), {})
    yield Measurement(FAILURES, sum(each.instrument_failures for each in stats), {})
    left: dict[Server, float] = {}
    for server, balance in _by_server(stats, "retries_left", origins):
        left[server] = min(balance, left.get(server, balance))
    for server, balance in left.items():
        yield Measurement(BUDGET, balance, _labels(server))
    circuits: dict[tuple[Server, str], int] = {}
    for server, breaker in _by_server(stats, "circuits", origins):
        if breaker.state != "closed":
            circuits[server, breaker.state] = circuits.get((server, breaker.state), 0) + 1
    for (server, state), number in circuits.items():
        labels = {**_labels(server), "tracedclient.circuit.state": state}
        yield Measurement(CIRCUITS, number, labels)


def _by_server(stats: list[Any], field: str, origins: Origins) -> Iterator[tuple[Server, Any]]:
    for each in stats:
        for origin, value in getattr(each, field).items():
            yield origins.of(origin), value


def _labels(server: Server) -> dict[str, Any]:
    if not server.address:
        return {}
    at: dict[str, Any] = {"server.address": server.address}
    return at if server.port is None else {**at, "server.port": server.port}
