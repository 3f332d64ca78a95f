"""Rules made ready for the request's path: the first that matches a call decides.

A decision is made for every request, so what can be known before is: globs are sorted into what
one C call answers, rules for other instances are left out, and which rules concern a host and a
method is remembered. No regular expression: who writes the flag could write one that never ends.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, TypeAlias
from zlib import crc32

import msgspec

from tracedclient.trace.decision import Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tracedclient.debug.document import Rule

_REMEMBERED = 1024
"""Pairs of host and method."""
_CHECKSUMS = 2**32
"""That a trace id may have, all equally likely."""


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return what says whether a text as a whole is matched by one of ``patterns``.

    ``*`` stands for any characters. What it returns takes linear time.
    """
    pieces = [pattern.split("*") for pattern in patterns]
    exact = frozenset(p[0] for p in pieces if len(p) == 1)
    starts = tuple(p[0] for p in pieces if len(p) == 2 and not p[1])
    ends = tuple(p[1] for p in pieces if len(p) == 2 and not p[0] and p[1])
    general = [p for p in pieces if len(p) > 2 or (len(p) == 2 and all(p))]
    if not (exact or ends or general):
        return lambda text: text.startswith(starts)
    return lambda text: (
        text in exact
        or text.startswith(starts)
        or text.endswith(ends)
        or any(_fits(p, text) for p in general)
    )


def _fits(pieces: list[str], text: str) -> bool:
    first, *middle, last = pieces
    at, end = len(first), len(text) - len(last)
    if at > end or not (text.startswith(first) and text.endswith(last)):
        return False
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


_Condition: TypeAlias = "tuple[float, float, Callable[[str], bool] | None, int | None, Decision]"
"""What is left to look at when host and method match: the end by the two clocks, the paths, below
which checksum a trace id must be; and what is decided then. A tuple is unpacked faster than fields
are read."""


class _Ready(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, compiled."""

    condition: _Condition
    hosts: Callable[[str], bool] | None = None
    methods: frozenset[str] = frozenset()


class RuleBook:
    """The rules of one document that concern this process, in their order."""

    __slots__ = ("_concerning", "_rules")

    def __init__(self, rules: Iterable[_Ready]) -> None:
        self._rules = tuple(rules)
        self._concerning: dict[tuple[str, str], tuple[_Condition, ...]] = {}

    def __len__(self) -> int:
        return len(self._rules)

    def first(  # noqa: PLR0917 - keywords cost a tenth of what a decision may
        self, method: str, host: str, path: str, trace_id: str, wall: float, since: float
    ) -> Decision | None:
        """Return what the first matching rule decides, at ``wall`` and ``since`` by the two clocks."""
        concerning = self._concerning.get((method, host))
        if concerning is None:
            concerning = self._concern(method, host)
        for until, deadline, paths, below, decision in concerning:
            if wall >= until or since >= deadline or not (paths is None or paths(path)):
                continue
            if below is None or crc32(trace_id.encode()) < below:
                return decision
        return None

    def _concern(self, method: str, host: str) -> tuple[_Condition, ...]:
        concerning = tuple(
            rule.condition
            for rule in self._rules
            if (rule.hosts is None or rule.hosts(host))
            and (not rule.methods or method.upper() in rule.methods)
        )
        if len(self._concerning) >= _REMEMBERED:
            self._concerning.clear()
        self._concerning[method, host] = concerning
        return concerning


def compile_rules(
    rules: Iterable[Rule],
    *,
    source: str,
    revision: str | None,
    instance: str,
    until: float,
    lag: float,
) -> RuleBook:
    """Return the rules that concern ``instance``, which decide in the name of ``source``.

    ``until``: epoch seconds at which all of them end. ``lag``: the monotonic clock minus the wall
    clock, when the document was first seen.
    """
    return RuleBook(
        _ready(rule, source, revision, until, lag)
        for rule in rules
        if not rule.instances or matcher(rule.instances)(instance)
    )


def everything(source: str) -> RuleBook:
    """Return the one rule that matches every call, in the name of a ``source`` without rules."""
    return RuleBook([_Ready(condition=(inf, inf, None, None, Decision(source=source)))])


def _ready(rule: Rule, source: str, revision: str | None, until: float, lag: float) -> _Ready:
    if rule.until is not None:
        until = min(until, rule.until)
    decision = Decision(
        source=source,
        rule=rule.id,
        emit=rule.emit,
        slow_ms=rule.slow_ms,
        level=rule.level,
        revision=revision,
    )
    paths = matcher(rule.paths) if rule.paths else None
    below = None if rule.percent == 100 else round(rule.percent / 100 * _CHECKSUMS)
    return _Ready(
        condition=(until, until + lag, paths, below, decision),
        hosts=matcher(host.lower() for host in rule.hosts) if rule.hosts else None,
        methods=frozenset(method.upper() for method in rule.methods),
    )
