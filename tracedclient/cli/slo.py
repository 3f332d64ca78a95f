"""Limits on how long a request may take: ``total=500,dns=50`` → which of them a trace exceeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from tracedclient.cli.quantities import duration
from tracedclient.trace.model import PHASES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracedclient.trace.model import TraceResult

Limits: TypeAlias = Mapping[str, float]
"""Milliseconds by name, in the order in which they were given."""

TOTAL = "total"
NAMES = (*PHASES, TOTAL)


class Violation(NamedTuple):
    """A limit that a request has exceeded."""

    key: str
    threshold_ms: float
    actual_ms: float


def parse_slo(text: str) -> Limits:
    """Return the limits that ``text`` names.

    Raises ``ValueError`` for another name than a phase or ``total``, one given twice, or a limit
    that is no number of milliseconds above 0.
    """
    limits: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if name not in NAMES:
            raise ValueError(f"an SLO names {', '.join(NAMES)}, not {name!r}: total=500,dns=50")
        if name in limits:
            raise ValueError(f"{name} is given twice")
        limits[name] = _milliseconds(name, number)
    return limits


def violations(trace: TraceResult, limits: Limits) -> list[Violation]:
    """Return what ``trace`` exceeds; a phase that did not take place exceeds nothing."""
    actual = {name: getattr(trace, f"{name}_ms") for name in PHASES} | {TOTAL: trace.duration_ms}
    return [
        Violation(name, limit, actual[name])
        for name, limit in limits.items()
        if actual[name] is not None and actual[name] > limit
    ]


def as_json(trace: TraceResult, limits: Limits) -> dict[str, Any]:
    """Return the ``slo`` of the JSON; nothing without limits."""
    if not limits:
        return {}
    exceeded = [violation._asdict() for violation in violations(trace, limits)]
    return {"slo": {"pass": not exceeded, "violations": exceeded}}


def verdicts(traces: Sequence[TraceResult], limits: Limits) -> list[tuple[str, bool]]:
    """Return a line for each limit, and whether every trace keeps it."""
    exceeded = [violation for trace in traces for violation in violations(trace, limits)]
    return [_verdict(name, limit, exceeded, len(traces)) for name, limit in limits.items()]


def _verdict(
    name: str, limit: float, exceeded: Sequence[Violation], count: int
) -> tuple[str, bool]:
    line = f"SLO {name} <= {limit:g} ms"
    found = [violation.actual_ms for violation in exceeded if violation.key == name]
    if not found:
        return f"{line}  ok", True
    how_often = f"{len(found)} of {count} requests, up to " if count > 1 else ""
    return f"{line}  VIOLATED: {how_often}{duration(max(found))}", False


def _milliseconds(name: str, text: str) -> float:
    try:
        limit = float(text)
    except ValueError:
        limit = math.nan
    if not 0 < limit < math.inf:
        raise ValueError(f"the limit of {name} must be milliseconds above 0, not {text!r}")
    return limit
