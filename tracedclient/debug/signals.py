"""Debug on and off by a signal, where an application asks for it."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING

# Not in the handler: it may interrupt the loading of the very module.
import tracedclient.debug.sources.static
import tracedclient.debug.updater  # noqa: F401
from tracedclient.debug.document import MAX_TTL
from tracedclient.debug.registry import ask_all, updaters

if TYPE_CHECKING:
    from types import FrameType


def override_on_signal(signum: int | None = None, *, minutes: float = 30.0) -> None:
    """Trace every call of every client for ``minutes`` when this process gets ``signum``.

    The same signal before that time is over ends it; any other override is ended as well.
    ``signum`` is ``SIGUSR2`` unless given. A handler that was there before is called afterwards.

    Raises ``ValueError`` outside of the main thread, as ``signal.signal`` does, and for
    ``minutes`` that are not above 0 and at most 240; ``TypeError`` when they are no number.
    """
    if isinstance(minutes, bool) or not isinstance(minutes, (int, float)):
        raise TypeError(f"minutes must be a number, not {type(minutes).__name__}")
    if not 0 < minutes <= MAX_TTL / 60:
        raise ValueError(f"minutes must be above 0 and at most {MAX_TTL / 60:.0f}, not {minutes}")
    number = signal.SIGUSR2 if signum is None else signum
    before = signal.getsignal(number)

    def handle(signum: int, frame: FrameType | None) -> None:
        _toggle(minutes * 60)
        if callable(before):
            before(signum, frame)

    signal.signal(number, handle)


def _toggle(ttl: float) -> None:
    # Another thread may be making a client just now; a signal can be sent again.
    with suppress(RuntimeError):
        ask_all()
        found = updaters()
        begin = not any(updater.is_overridden() for updater in found)
        for updater in found:
            updater.override_by_signal(ttl if begin else None)
