"""The flight recorder: the last traces in memory, and what led up to a failure in the log.

It is for the incident that nobody expected: no flag was on, and its first call is in the log all
the same, with the calls to the same origin before it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from tracedclient._value import Value
from tracedclient.bucket import TokenBucket
from tracedclient.trace.decision import Decision
from tracedclient.trace.schema import MAX_LINE, fit, from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracedclient.trace.model import TraceResult

SOURCE = "flight_recorder"

FOR_THE_RECORD = Decision(source=SOURCE, emit="on_failure")
"""No flag asks for this call's trace; it is kept, for the case that something fails."""


class FlightRecorder(Value):
    """What is kept, and what is logged when a call fails or is slow.

    Raises ``TypeError`` or ``ValueError``, naming the field, for a value that cannot be meant.
    """

    traces: int = 256
    """Kept at most: 1 to 100,000."""
    max_bytes: int = 1_000_000
    """That they may have together, as JSON: 20,000 to 1,000,000,000."""
    before: int = 5
    """Logged at most, of those to the same origin that came before the one that failed."""
    slow_ms: float | None = None
    """From how many milliseconds a call is slow; ``None``: only failures count."""
    max_per_second: float = 10.0
    """Traces that a failure may have logged, all together: above 0, at most 1,000."""

    def __post_init__(self) -> None:
        _check("traces", self.traces, 1, 100_000, whole=True)
        _check("max_bytes", self.max_bytes, 20_000, 1_000_000_000, whole=True)
        _check("before", self.before, 0, 1000, whole=True)
        _check("max_per_second", self.max_per_second, 0.001, 1000)
        if self.slow_ms is not None:
            _check("slow_ms", self.slow_ms, 0.001, 86_400_000)


def _check(name: str, given: object, least: float, most: float, *, whole: bool = False) -> None:
    kind, wanted = (int, "an int") if whole else ((int, float), "a number")
    if isinstance(given, bool) or not isinstance(given, kind):
        raise TypeError(f"{name} must be {wanted}, not {given!r}")
    if not least <= given <= most:
        raise ValueError(f"{name} must be from {least} to {most}, not {given}")


class FlightStats(NamedTuple):
    """How the recorder stands."""

    kept: int
    """Traces in memory."""
    bytes: int
    """That these have, as JSON."""
    held_back: int
    """Failed or slow calls that were kept, but not logged, because of ``max_per_second``."""


class _Kept:
    """One trace, as JSON: exactly so many bytes, and nothing for the garbage collector to visit."""

    __slots__ = ("is_emitted", "line", "origin")

    def __init__(self, origin: tuple[str | None, int | None], line: bytes) -> None:
        self.origin = origin
        self.line = line
        self.is_emitted = False


class Flight:
    """The recorder of one client. Safe to use from several threads, and after a fork."""

    def __init__(
        self, config: FlightRecorder, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not isinstance(config, FlightRecorder):
            raise TypeError(f"flight_recorder must be a FlightRecorder or None, not {config!r}")
        self._config = config
        self._bucket = TokenBucket(0.0, 0.0, clock)
        self._bucket.limit(config.max_per_second)
        self._bucket.fill()
        self._held_back = 0
        self.after_fork()

    def after_fork(self) -> None:
        """Begin with nothing: what the parent kept is the parent's to log."""
        # A signal handler may ask for the recent traces while its thread is keeping one.
        self._lock = threading.RLock()
        self._bucket.after_fork()
        self._kept: deque[_Kept] = deque()
        self._bytes = 0

    def take(self, result: TraceResult, *, is_emitted: bool) -> list[TraceResult]:
        """Keep a finished trace. Return what is to be logged now, in the order of the calls.

        ``is_emitted``: this one is logged already, because somebody asked for it.
        """
        entry = _Kept((result.server_address, result.server_port), _line(result))
        entry.is_emitted = is_emitted
        reason = self._reason(result)
        with self._lock:
            self._keep(entry)
            if reason is None:
                return []
            if not (is_emitted or self._bucket.take()):
                self._held_back += 1
                return []
            earlier = self._leading_up_to(entry)
            entry.is_emitted = True
        found = [_marked(e.line, "led_up_to", result.trace_id) for e in reversed(earlier)]
        return found if is_emitted else [*found, replace(result, emit_reason=reason)]

    def recent(self, origin: str | None = None) -> tuple[TraceResult, ...]:
        """Return the traces in memory, the oldest first; of ``"host"`` or ``"host:port"`` only."""
        with self._lock:
            kept = list(self._kept)
        return tuple(from_json(e.line) for e in kept if origin is None or origin in _names(e))

    def stats(self) -> FlightStats:
        """Return how much is kept, and how often it was held back."""
        with self._lock:
            return FlightStats(len(self._kept), self._bytes, self._held_back)

    def _reason(self, result: TraceResult) -> str | None:
        status = result.http_response_status_code
        is_refused = result.outcome == "http_error" and status is not None and status < 500
        if result.outcome != "ok" and not is_refused:
            return "error"
        slow_ms = self._config.slow_ms
        return "slow" if slow_ms is not None and result.duration_ms >= slow_ms else None

    def _keep(self, entry: _Kept) -> None:
        self._kept.append(entry)
        self._bytes += len(entry.line)
        while len(self._kept) > self._config.traces or self._bytes > self._config.max_bytes:
            self._bytes -= len(self._kept.popleft().line)

    def _leading_up_to(self, entry: _Kept) -> list[_Kept]:
        """Take those before ``entry`` that are not logged yet, the newest first."""
        found: list[_Kept] = []
        for earlier in self._unlogged(entry):
            if len(found) == self._config.before or not self._bucket.take():
                break
            earlier.is_emitted = True
            found.append(earlier)
        return found

    def _unlogged(self, entry: _Kept) -> Iterator[_Kept]:
        for kept in reversed(self._kept):
            if kept is not entry and kept.origin == entry.origin and not kept.is_emitted:
                yield kept


def _line(result: TraceResult) -> bytes:
    line = to_json(result)
    return line if len(line) <= MAX_LINE else to_json(fit(result))


def _marked(line: bytes, reason: str, trace_id: str) -> TraceResult:
    return replace(from_json(line), emit_reason=reason, led_up_to=trace_id)


def _names(entry: _Kept) -> tuple[str, str]:
    host, port = entry.origin
    return str(host), f"{host}:{port}"
