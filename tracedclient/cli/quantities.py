"""Times, sizes and counts as a reader wants them."""

from __future__ import annotations

_KILO = 1000


def duration(ms: float) -> str:
    """Return ``ms`` with the digits that matter: ``0.04 ms``, ``2.1 ms``, ``317 ms``, ``12.3 s``."""
    if ms >= 10_000:
        return f"{ms / 1000:.1f} s" if ms < 1e7 else f"{ms / 1000:.3g} s"
    if ms >= 100:
        return f"{ms:.0f} ms"
    return f"{ms:.1f} ms" if ms >= 0.1 else f"{ms:.2f} ms"


def size(count: int) -> str:
    """Return ``count`` bytes in decimal units (IEC 80000-13)."""
    if count < _KILO:
        return f"{count} B"
    value, units = count / _KILO, ["kB", "MB", "GB", "TB"]
    while value >= _KILO and len(units) > 1:
        value, units = value / _KILO, units[1:]
    return f"{value:.1f} {units[0]}"


def counted(number: int, one: str, many: str) -> str:
    """Return ``1 retry``, ``2 retries``."""
    return f"{number} {one if number == 1 else many}"
