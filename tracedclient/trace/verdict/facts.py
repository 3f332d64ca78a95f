"""What a verdict is computed from, what it is, and from where on a call is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tracedclient.trace.model import Attempt, ErrorInfo, Exchange, Usual

SLOW_MS = 500.0
"""A call that takes this long is slow, whatever is usual."""

UNUSUAL_MS = 100.0
"""A call that takes less is not slow, however much less is usual."""

UNUSUAL_TIMES = 5.0
"""A call between the two is slow when it takes this many times what is usual."""

AS_USUAL_TIMES = 2.0
"""A call that takes less than this many times what is usual is as slow as ever."""


class Verdict(NamedTuple):
    culprit: str
    """One of ``model.CULPRITS``."""
    sentence: str | None
    evidence: tuple[str, ...] = ()
    """The fields it rests on."""


class Facts(NamedTuple):
    """What the verdict is computed from."""

    status: int | None
    error: ErrorInfo | None
    duration_ms: float
    attempts: Sequence[Attempt]
    phases: Mapping[str, float]
    """Milliseconds of each phase, summed over all exchanges."""
    retry_sleep_ms: float
    cancelled: bool = False
    """The caller's process ended the call: Ctrl-C, a shutdown."""
    usual: Usual | None = None
    """The recent medians of calls to the same origin, where there are any."""

    @property
    def exchanges(self) -> Iterator[Exchange]:
        """All of them, in their order."""
        return (exchange for attempt in self.attempts for exchange in attempt.exchanges)

    @property
    def last_exchange(self) -> Exchange | None:
        """The one that the last attempt ended with."""
        last = self.attempts[-1].exchanges if self.attempts else ()
        return last[-1] if last else None


def times_usual(facts: Facts) -> float | None:
    """How many times its usual duration a call took; ``None`` when that is not known."""
    if facts.usual is None or facts.usual.duration_ms <= 0:
        return None
    return facts.duration_ms / facts.usual.duration_ms


def is_slow(facts: Facts) -> bool:
    """Whether a call took so long that it needs an explanation."""
    if facts.duration_ms >= SLOW_MS:
        return True
    times = times_usual(facts) if facts.duration_ms >= UNUSUAL_MS else None
    return times is not None and times >= UNUSUAL_TIMES


def is_unusual(facts: Facts) -> bool:
    """Whether a call took longer than those before it."""
    times = times_usual(facts)
    return times is not None and times >= AS_USUAL_TIMES
