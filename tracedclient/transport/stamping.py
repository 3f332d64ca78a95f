"""Keeping the kernel's receive timestamps switched on from one connection to the next.

While no socket of the machine asks for them, Linux leaves them out of its code altogether: the first
to ask has that code patched, on every processor, and the last to be closed has it patched back. Where
each connection lasts for one request, that would come twice with each, for tens of microseconds of
CPU and hundreds of waiting. A socket that is kept for nothing but to ask avoids it.
"""

from __future__ import annotations

import os
import socket
import weakref
from typing import TYPE_CHECKING

from tracedclient.transport.kernel import enable_timestamps

if TYPE_CHECKING:
    from collections.abc import Callable


class Stamping:
    """A descriptor that asks for timestamps, until this is let go of. A fork may share it."""

    def __init__(self) -> None:
        self._fd = -1
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            enable_timestamps(sock)
            # No socket object: it would have to be closed by hand, gevent's by the thread it is of.
            self._fd = sock.detach()

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        if self._fd < 0:
            return
        try:  # noqa: SIM105 - at the interpreter's end there may be no `suppress` any more
            close(self._fd)
        except OSError:
            # A process that becomes a daemon has closed all there were.
            pass


_shared: weakref.ref[Stamping] | None = None


def kept_on() -> Stamping | None:
    """Return what keeps them on as long as it is held, the same for all; ``None`` without a descriptor
    to spare. Never raises.
    """
    global _shared  # noqa: PLW0603 - weak, so that the last who holds it ends it
    stamping = None if _shared is None else _shared()
    if stamping is None:
        try:
            stamping = Stamping()
        except OSError:
            return None
        _shared = weakref.ref(stamping)
    return stamping
