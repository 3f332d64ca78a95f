"""The time of a call in words: one cause, several with their shares, or none that dominates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.trace.verdict.attempts import earlier
from tracedclient.trace.verdict.causes import causes, usual_ms, weight_of
from tracedclient.trace.verdict.details import detail
from tracedclient.trace.verdict.facts import AS_USUAL_TIMES, Verdict, is_unusual, times_usual
from tracedclient.trace.verdict.words import listed, span, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracedclient.trace.verdict.causes import Cause
    from tracedclient.trace.verdict.facts import Facts

NAMED_SHARE = 0.25
"""A cause with this share of the time is named."""

DECIDING_SHARE = 0.4
"""A culprit needs this share to be one."""

EQUAL_PARTS = 0.9
"""Two culprits are about equal when the smaller part is this much of the larger one."""

_NAMED = 3


def slow(facts: Facts) -> Verdict:
    """Return the verdict on a call that went well, but slowly."""
    ranked = causes(facts)
    took = f"slow, {span(facts.duration_ms)}{_against_usual(facts)}"
    culprit = max((cause.culprit for cause in ranked), key=lambda it: weight_of(ranked, it))
    if _share(weight_of(ranked, culprit), ranked) < DECIDING_SHARE:
        words = f"{took}, and no cause dominates: {_shares(ranked[:_NAMED], facts)}"
        return Verdict("none", words, ("duration_ms",))
    named = _named(ranked)
    equal = ", of causes about equal" if _are_equal(named, ranked) else ""
    words = f"{took}{equal}: {in_words(named, facts)}{_before(facts)}"
    return Verdict(culprit, words, (*_fields(named), "duration_ms", *_compared(facts)))


def in_words(named: Sequence[Cause], facts: Facts, of_it: str = " of it") -> str:
    """Return what the time was spent on, and what more there is to say of it."""
    if len(named) == 1:
        said = f"{span(named[0].ms)}{of_it} {named[0].words}{_usually(named[0], facts)}"
    else:
        said = _shares(named, facts)
    return "; ".join([said, *(found for cause in named if (found := detail(cause, facts)))])


def beside(facts: Facts, culprit: str, phases: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return what else took its time in a call that failed because of ``culprit`` in ``phases``,
    and the fields that say so.
    """
    named = [
        cause
        for cause in causes(facts)
        if cause.culprit != culprit
        and cause.phase not in phases
        and cause.ms >= NAMED_SHARE * facts.duration_ms
    ]
    if not named:
        return "", ()
    words = f"; and of its {span(facts.duration_ms)}, {in_words(named, facts, '')}"
    return words, _fields(named)


def _against_usual(facts: Facts) -> str:
    """How the duration compares with the recent median of the same origin."""
    ratio = times_usual(facts)
    if ratio is None or facts.usual is None:
        return ""
    median = span(facts.usual.duration_ms)
    return f", {times(ratio)} its usual {median}" if is_unusual(facts) else f" (usually {median})"


def _named(ranked: Sequence[Cause]) -> list[Cause]:
    named = [cause for cause in ranked if _share(cause.weight, ranked) >= NAMED_SHARE]
    return named or list(ranked[:1])


def _are_equal(named: Sequence[Cause], ranked: Sequence[Cause]) -> bool:
    """Whether chance may have decided which culprit has the larger part."""
    weights = sorted(weight_of(ranked, culprit) for culprit in {each.culprit for each in named})
    return len(weights) > 1 and weights[-2] >= EQUAL_PARTS * weights[-1]


def _share(weight: float, ranked: Sequence[Cause]) -> float:
    return weight / (sum(cause.weight for cause in ranked) or 1.0)


def _shares(named: Sequence[Cause], facts: Facts) -> str:
    # A record that somebody else wrote may say that it took no time at all.
    whole = facts.duration_ms or sum(cause.ms for cause in named) or 1.0
    return listed([f"{cause.ms / whole:.0%} ({span(cause.ms)}) {cause.words}" for cause in named])


def _usually(cause: Cause, facts: Facts) -> str:
    median = usual_ms(cause.phase, facts)
    if median is None or cause.ms < AS_USUAL_TIMES * median:
        return ""
    return f" (usually {span(median)})"


def _fields(named: Sequence[Cause]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cause.field for cause in named))


def _compared(facts: Facts) -> tuple[str, ...]:
    return () if facts.usual is None else ("usual",)


def _before(facts: Facts) -> str:
    told = earlier(facts)
    return f"; {told}" if told else ""
