"""``getaddrinfo`` with an end. It has no timeout of its own: one silent nameserver holds it for ten
seconds, several for minutes, and no signal or closed socket gets it out of there.

So a lookup for a call with a deadline runs in a thread of its own, which is left to itself when
the time is over. Threads are daemons: one that is stuck does not keep the process alive.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Any


class _Lookup(threading.Thread):
    def __init__(self, host: str, port: int, family: int) -> None:
        super().__init__(name=f"lookup of {host}", daemon=True)
        self._question = (host, port, family, socket.SOCK_STREAM)
        self.answer: list[Any] | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.answer = socket.getaddrinfo(*self._question)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
            self.error = error


def getaddrinfo(host: str, port: int, family: int, deadline: float | None) -> list[Any]:
    """Return what ``socket.getaddrinfo`` has for a stream socket.

    Raises ``socket.gaierror``, and ``TimeoutError`` when there is no answer by ``deadline`` (on
    ``time.monotonic``; ``None`` waits as long as the resolver does, in this thread).
    """
    if deadline is None:
        return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    lookup = _Lookup(host, port, family)
    lookup.start()
    lookup.join(max(0.0, deadline - time.monotonic()))
    if lookup.error is not None:
        try:
            raise lookup.error
        finally:
            # The traceback holds this frame, and this frame would hold the traceback.
            lookup.error = None
    if lookup.answer is None:
        raise TimeoutError(f"no nameserver has answered for {host}")
    return lookup.answer
