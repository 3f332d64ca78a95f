"""What a check found: one line, and what to do about it."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

State: TypeAlias = Literal["good", "attention", "problem"]


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    check: str
    state: State
    """``attention``: it may be as it should be, and somebody should know of it."""
    said: str
    """Without any credential."""
    advice: str | None = None
    """What to do, unless all is good."""
    facts: dict[str, Any] = {}
    """For programs: what the words rest on."""


def good(check: str, said: str, **facts: Any) -> Finding:
    """Return that all is well."""
    return Finding(check=check, state="good", said=said, facts=facts)


def attention(check: str, said: str, advice: str, **facts: Any) -> Finding:
    """Return what somebody should look at."""
    return Finding(check=check, state="attention", said=said, advice=advice, facts=facts)


def problem(check: str, said: str, advice: str, **facts: Any) -> Finding:
    """Return what will not work."""
    return Finding(check=check, state="problem", said=said, advice=advice, facts=facts)
