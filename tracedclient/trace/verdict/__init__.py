"""Whose fault it was: a pure function from what a trace holds to a culprit and a sentence.

The sentence is written to be pasted into an incident's channel. It names what was measured, and
where the facts do not decide, it says so. docs/verdict.md has the rules, and what each fault gives.

facts     what goes in and what comes out, and the thresholds
causes    what the time was spent on: each with its milliseconds and its culprit
details   what more there is to say of a cause
failures  a call that ended with an error
answers   a call that ended with a 4xx or a 5xx
attempts  what became of the attempts before the last one, and why there was no other
spent     the time in words
words     quantities in words
"""

from __future__ import annotations

from tracedclient.trace.verdict.answers import client_error, server_error
from tracedclient.trace.verdict.attempts import earlier
from tracedclient.trace.verdict.facts import (
    SLOW_MS,
    UNUSUAL_MS,
    UNUSUAL_TIMES,
    Facts,
    Verdict,
    is_slow,
)
from tracedclient.trace.verdict.failures import failed
from tracedclient.trace.verdict.spent import slow

__all__ = ["GOOD", "SLOW_MS", "UNUSUAL_MS", "UNUSUAL_TIMES", "Facts", "Verdict", "judge"]

GOOD = Verdict("none", None)


def judge(facts: Facts) -> Verdict:
    """Return the verdict on one call."""
    if facts.error is not None:
        return failed(facts, facts.error)
    if facts.status is not None and facts.status >= 500:
        return server_error(facts, facts.status)
    if facts.status is not None and facts.status >= 400:
        return client_error(facts, facts.status)
    if is_slow(facts):
        return slow(facts)
    if len(facts.attempts) > 1:
        return _well_in_the_end(facts)
    return GOOD


def _well_in_the_end(facts: Facts) -> Verdict:
    """A failure that a retry hid, and that cost no time to speak of."""
    number = len(facts.attempts)
    return Verdict("none", f"went well on attempt {number}; {earlier(facts)}", ("attempts",))
