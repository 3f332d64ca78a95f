"""A flag document in words: who, why, until when, and which calls it traces. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracedclient.cli.flag_times import span, until
from tracedclient.debug.document import BARE_TTL, DEFAULT_RATE, FlagDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tracedclient.debug.document import Rule

_NAMED = 5
"""Entries of a list that are told; a hundred would hide the rest."""
_SHARES = 10_000
_COUNTED = ("", "", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_EMIT: dict[str, Callable[[str], str]] = {
    "all": lambda slow: "",  # noqa: ARG005 - as those that need it
    "errors": lambda slow: "only errors",  # noqa: ARG005
    "slow": lambda slow: f"only calls from {slow}",
    "errors_or_slow": lambda slow: f"only errors and calls from {slow}",
}


def is_on(document: bool | FlagDocument, now: float) -> bool:
    """Whether it is enabled, and has not ended at ``now`` (epoch seconds)."""
    if isinstance(document, bool):
        return document
    return document.enabled and document.until > now


def headline(document: bool | FlagDocument, now: float) -> str:
    """Return ``on until 14:30 UTC (in 29 min), by alice, because of INC-4711``."""
    if document is True:
        return f"on for {span(BARE_TTL)}, in each process from when it first sees this"
    if document is False:
        return "off"
    who = [f"by {document.updated_by}"] if document.updated_by else []
    why = [f"because of {document.reason}"] if document.reason else []
    if not document.enabled:
        state = "off"
    elif is_on(document, now):
        state = f"on {until(document.until, now)}"
    else:
        state = f"off: it {until(document.until, now)}"
    return ", ".join([state, *who, *why])


def traced(document: bool | FlagDocument, now: float) -> list[str]:
    """Return what each rule traces, in their order: ``pay: every POST to api.pay.com, …``."""
    if isinstance(document, bool) or document.rules is msgspec.UNSET:
        return ["every call"] if document is not False and is_on(document, now) else []
    if not document.rules:
        return ["nothing: its list of rules is empty"]
    return [f"{rule.id}: {rule_in_words(rule, now, document.until)}" for rule in document.rules]


def limit(document: bool | FlagDocument) -> str:
    """Return ``at most 10 lines a second in each process``."""
    rate = DEFAULT_RATE if isinstance(document, bool) else document.max_per_second
    return f"at most {rate:g} lines a second in each process"


def rule_in_words(rule: Rule, now: float, ends: float) -> str:
    """Return which calls ``rule`` traces at ``now``, in a document that ends at ``ends``."""
    which = f"every {_any_of(rule.methods, str.upper)}" if rule.methods else "every call"
    where = f" to {_any_of(rule.hosts, str)}" if rule.hosts else ""
    path = f" whose path {_any_of(rule.paths, _path)}" if rule.paths else ""
    parts = [
        f"{which}{where}{path}",
        f"on instances {_any_of(rule.instances, str)}" if rule.instances else "",
        share(rule.percent),
        _EMIT[rule.emit](f"{rule.slow_ms:g} ms" if rule.slow_ms is not None else ""),
        "with its headers" if rule.level == "headers" else "",
        until(rule.until, now) if rule.until is not None and rule.until < ends else "",
    ]
    return ", ".join(filter(None, parts))


def shares(percent: float) -> int:
    """Return how many of 10,000 trace ids are in: what a percentage comes to."""
    return round(percent * _SHARES / 100)


def share(percent: float) -> str:
    """Return ``one call in ten``, ``12.5 % of the calls``; empty for all of them."""
    part = shares(percent)
    if part == _SHARES:
        return ""
    if part == 0:
        return "but no call (0 %)"
    if _SHARES % part:
        return f"{part * 100 / _SHARES:g} % of the calls"
    number = _SHARES // part
    return f"one call in {_COUNTED[number] if number < len(_COUNTED) else f'{number:,}'}"


def _path(pattern: str) -> str:
    if pattern.count("*") != 1:
        return f"is like {pattern}" if "*" in pattern else f"is {pattern}"
    if pattern == "*":
        return "is any"
    if pattern.endswith("*"):
        return f"begins with {pattern[:-1]}"
    return f"ends with {pattern[1:]}" if pattern.startswith("*") else f"is like {pattern}"


def _any_of(patterns: Sequence[str], say: Callable[[str], str]) -> str:
    return _joined([say(pattern) for pattern in patterns[:_NAMED]], len(patterns) - _NAMED)


def _joined(said: Iterable[str], more: int) -> str:
    others = [f"one of {more} more"] if more > 0 else []
    return " or ".join([*said, *others])
