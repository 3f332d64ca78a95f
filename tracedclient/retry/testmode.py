"""Test mode: how the retries of this process behave in the tests of a service. Off elsewhere.

It holds for the process and not for a thread, because the service under test has threads of its
own. Who decides about a retry looks at ``current``; nothing else knows of it.
"""

from __future__ import annotations

from threading import Lock


class Mode:
    """No sleep between two tries, and no budget for them."""

    __slots__ = ("attempts",)

    def __init__(self, attempts: int | None = None) -> None:
        self.attempts = attempts
        """All tries of a call, at most; ``None`` for what its policy says."""


current: Mode | None = None
"""``None`` when test mode is off."""

_entered: list[Mode] = []
_lock = Lock()


def enter(mode: Mode) -> None:
    """Put ``mode`` in force. Of those in force, the last with a number of attempts counts."""
    with _lock:
        _entered.append(mode)
        _settle()


def leave(mode: Mode) -> None:
    """Take ``mode`` out of force, whichever came after it."""
    with _lock:
        _entered.remove(mode)
        _settle()


def _settle() -> None:
    global current  # noqa: PLW0603 - it is the process's
    limits = [mode.attempts for mode in _entered if mode.attempts is not None]
    current = Mode(limits[-1] if limits else None) if _entered else None
