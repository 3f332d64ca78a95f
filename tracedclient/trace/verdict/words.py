"""Quantities as they are said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

# Where in Python's own source a handshake timed out.
_OF_THE_SOURCE = re.compile(r"^_ssl\.c:\d+: ")

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracedclient.trace.model import ErrorInfo


def span(ms: float) -> str:
    """Return milliseconds as ``0.04 ms``, ``0.4 ms``, ``78 ms``, ``3.1 s`` or ``125 s``."""
    if ms >= 99_950:
        return f"{ms / 1e3:.0f} s"
    if ms >= 999.5:
        return f"{ms / 1e3:.1f} s"
    if ms >= 9.95:
        return f"{ms:.0f} ms"
    return f"{ms:.1f} ms" if ms >= 0.095 else f"{ms:.2f} ms"


def times(ratio: float) -> str:
    """Return ``40 times`` or ``2.5 times``."""
    return f"{ratio:.0f} times" if ratio >= 9.95 else f"{ratio:.1f} times"


def count(number: int, noun: str) -> str:
    """Return ``1 attempt`` or ``3 attempts``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def listed(parts: Sequence[str]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def why(error: ErrorInfo) -> str:
    """Return what may be said of an error: its class, when its text may not be shown."""
    return _OF_THE_SOURCE.sub("", error.message or "") or error.type
