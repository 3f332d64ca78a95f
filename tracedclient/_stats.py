"""``Stats``: how a client stands. Loaded when somebody asks."""

from typing import NamedTuple

from tracedclient.retry import BreakerState


class Stats(NamedTuple):
    """How a client stands, by origin where it matters."""

    in_flight: int
    retries_left: dict[str, float]
    """What is left of each origin's ``RetryBudget``."""
    circuits: dict[str, BreakerState]
    """Where each origin's ``CircuitBreaker`` stands."""
    traces_dropped: int
    """Finished traces not logged, because the flag's document allows only so many a second."""
    instrument_failures: int
    """Times that one of ``instruments`` raised, and lost what it was told."""
