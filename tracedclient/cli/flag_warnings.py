"""What a valid flag document has that is surely not meant. Pure."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import msgspec

from tracedclient.cli.flag_times import moment, span
from tracedclient.cli.flag_words import shares
from tracedclient.debug.document import MAX_TTL, FlagDocument
from tracedclient.debug.rules import matcher

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.debug.document import Rule

_MILLISECONDS = 1e11
"""A time above this is one in milliseconds, or in the year 5138."""


def warnings(document: bool | FlagDocument, now: float) -> list[str]:
    """Return what is to be thought over, at ``now`` (epoch seconds), before it is published."""
    if isinstance(document, bool) or not document.enabled:
        return []
    rules = () if document.rules is msgspec.UNSET else document.rules
    found = [*_about_end(document.until, now)]
    if document.rules is not msgspec.UNSET and not rules:
        found.append(
            'rules is an empty list, which matches nothing; for every call: [{"id": "all"}]'
        )
    for number, rule in enumerate(rules):
        found += (f"rule {rule.id!r}: {words}" for words in _about_rule(rule, now, document.until))
        first = _hidden_by(rule, rules[:number], document.until)
        if first is not None:
            found.append(
                f"rule {rule.id!r} never decides: {first.id!r} before it matches all that it does; "
                "put the narrower one first"
            )
    return found


def _about_end(until: float, now: float) -> Iterator[str]:
    if until > _MILLISECONDS:
        yield f"until {until:.0f} looks like milliseconds; it is in seconds"
    if until <= now:
        yield f"until has passed, {span(now - until)} ago: this switches nothing on"
    elif until - now > MAX_TTL:
        yield (
            f"until is {span(until - now)} away, and is cut: each process ends it {span(MAX_TTL)} "
            "after it has first seen it"
        )


def _about_rule(rule: Rule, now: float, ends: float) -> Iterator[str]:
    if shares(rule.percent) == 0:
        yield f"percent {rule.percent:g} matches no call" + (
            "; the least that counts is 0.01" if rule.percent else ""
        )
    if rule.until is not None and rule.until <= now < ends:
        yield f"its until has passed, at {moment(rule.until, now)}"
    if rule.until is not None and rule.until > ends:
        yield f"its until is after that of the document, which ends it at {moment(ends, now)}"
    if rule.slow_ms is not None and rule.emit in ("all", "errors"):
        yield f"slow_ms has no effect with emit {rule.emit!r}; write slow or errors_or_slow"
    if any(host.startswith("[") for host in rule.hosts):
        yield "an IPv6 address stands in hosts without its brackets"


def _hidden_by(rule: Rule, earlier: Sequence[Rule], ends: float) -> Rule | None:
    return next((each for each in earlier if _covers(each, rule, ends)), None)


def _covers(first: Rule, then: Rule, ends: float) -> bool:
    """Whether each call that ``then`` matches is matched by ``first``."""
    return (
        _globs_cover(_lower(first.hosts), _lower(then.hosts))
        and _globs_cover(first.paths, then.paths)
        and _globs_cover(first.instances, then.instances)
        and _methods_cover(first.methods, then.methods)
        # Both look at the same hash of the trace id.
        and shares(first.percent) >= shares(then.percent) > 0
        and _end(first, ends) >= _end(then, ends)
    )


def _globs_cover(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    # A star in a text can only be matched by a star of a pattern, which then takes its place too.
    return not wide or all(map(matcher(wide), narrow or ("*",)))


def _methods_cover(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    names = {method.upper() for method in wide}
    return not wide or (bool(narrow) and all(method.upper() in names for method in narrow))


def _lower(hosts: Sequence[str]) -> list[str]:
    return [host.lower() for host in hosts]


def _end(rule: Rule, ends: float) -> float:
    return min(ends, inf if rule.until is None else rule.until)
